"""Due days by which figures were released: who was on time was judged by them, so they stay."""

from dataclasses import replace
from datetime import date

from tasks.plan import Occurrence, Plan
from tasks.store import Store


def keep_released(store: Store, plan: Plan) -> Plan:
    """Return the plan with every due day by which figures were released as it was then.

    Such a day was provisional if the plan gives another now: its year's working days were published
    after the figures. `Occurrence.kept_from` says which day it would be. Reads the ledger only; a
    plan that was handed through here before comes out the same.
    """
    released = {
        (row["phase"], row["round"]): row["due"]
        for row in store.records("report/due_days", campaign=plan.slug)
    }
    calendar = tuple(
        _kept(each, released.get((each.phase, each.round), each.due)) for each in plan.calendar
    )
    return plan if calendar == plan.calendar else plan.model_copy(update={"calendar": calendar})


def _kept(occurrence: Occurrence, released: date) -> Occurrence:
    # what is approved of an ad-hoc sweep is its days: those are no calendar's
    if occurrence.ad_hoc or occurrence.due == released:
        return occurrence
    return replace(occurrence, due=released, provisional=False, kept_from=occurrence.due)
