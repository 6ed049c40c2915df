"""Follow-up visits: which fell due for whom, and whether they were made."""

from datetime import date

from tasks.plan import Plan
from tasks.rules.visits import COUNTED_SEEN
from tasks.store import Store


def update_visits(store: Store, plan: Plan, as_of: date) -> dict[str, int]:
    """Work out all due visits of the register anew, as they stand at the end of `as_of`.

    `as_of` is a day of the plan's time zone. Counts visits made up to it, whatever
    campaign they were sent for: the register is the township's. Returns state (done, late, open,
    overdue) -> visits. One transaction; the same day again gives the same.
    """
    with store.transaction():
        store.run("visits/forget")
        store.run(
            "visits/due",
            villages=[village.code for village in plan.villages],
            seen=list(COUNTED_SEEN),
            as_of=as_of,
        )
        found = dict(store.rows("visits/counts"))
    return {state: found.get(state, 0) for state in ("done", "late", "open", "overdue")}
