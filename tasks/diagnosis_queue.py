"""The diagnosis queue: who waits for a voluntary assessment, who is booked, who has left."""

from dataclasses import dataclass
from datetime import date

from tasks.plan import Plan
from tasks.rules.booking import (
    ASSESSED_OUTCOMES,
    BOOKED_SETTINGS,
    ENDING_OUTCOMES,
    QUEUED_SETTINGS,
    STATES,
)
from tasks.store import Store


@dataclass(frozen=True)
class QueueResult:
    """The queue at one day. Exact counts of people: they stay inside the health side."""

    as_of: date
    people: dict[str, int]
    """State of the queue -> people in it; every state is there."""
    enrolled: int
    """People whom this campaign's assessments have brought onto the register."""


def update_queue(store: Store, plan: Plan, as_of: date) -> QueueResult:
    """Take in outcomes up to `as_of`, enrol, book, and write the queue as it stands on that day.

    `as_of` is a day of the plan's time zone. In the queue are the people of the latest compiled
    list who are new to the register and not in hospital. Whoever was confirmed and agreed to
    community management goes on the register, and comes off it where a later or corrected outcome
    says otherwise. Bookings of people who still wait are kept, and past ones stay as history; new
    ones are for sessions after `as_of`, since that day is over. One transaction; the same day again
    gives the same.
    """
    with store.transaction():
        resolve_queue(store, plan, as_of)
        store.run("queue/verdicts", campaign=plan.slug)
        store.run("queue/take_back", campaign=plan.slug)
        store.run("queue/enrol", campaign=plan.slug)
        store.run("queue/holdings", campaign=plan.slug, as_of=as_of)
        store.run(
            "queue/book",
            campaign=plan.slug,
            as_of=as_of,
            days=[session.date for session in plan.clinic],
            capacities=[session.capacity for session in plan.clinic],
            settings=list(BOOKED_SETTINGS),
        )
        store.run("queue/holdings", campaign=plan.slug, as_of=as_of)
        store.run("queue/forget", campaign=plan.slug)
        store.run("queue/write", campaign=plan.slug, as_of=as_of)
        found = dict(store.rows("queue/counts", campaign=plan.slug))
        ((enrolled,),) = store.rows("queue/enrolled", campaign=plan.slug)
    return QueueResult(as_of, {state: found.get(state, 0) for state in STATES}, enrolled)


def resolve_queue(store: Store, plan: Plan, as_of: date) -> None:
    """Leave the people of the queue in memory: queue_member, queue_outcome and queue_state.

    Outcomes and withdrawals name referrals; here they are led to the person of the latest list.
    """
    store.run("queue/people", campaign=plan.slug, settings=list(QUEUED_SETTINGS))
    store.run("queue/outcomes", campaign=plan.slug, as_of=as_of, assessed=list(ASSESSED_OUTCOMES))
    store.run("queue/states", ending=list(ENDING_OUTCOMES))
