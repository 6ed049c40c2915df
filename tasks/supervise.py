"""The monthly look at what every village's care group owed and delivered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tasks.plan import Occurrence, Plan
from tasks.rectifications import after_look, overdue_of_villages
from tasks.rules.deadlines import Period, read_period
from tasks.rules.errors import CheckFailed
from tasks.rules.rectification import Rectification
from tasks.rules.supervision import Service, actions, judge, shortfalls, to_rectify
from tasks.store import Store
from tasks.visits import update_visits


@dataclass(frozen=True)
class VillageLook:
    """One village's month. None is what its report did not say; visits are always known."""

    village: str
    reporting: str
    status_updated: bool | None
    care_group_met: bool | None
    guardian_contacts: int | None
    rehabilitation_sessions: int | None
    subsidy_applied: int | None
    """People whose guardian asked for the subsidy; a count of people, exact."""
    subsidy_paid: int | None
    visits_due: int
    """Visits that fell due in the month; `done` and `late` are of these."""
    visits_done: int
    visits_late: int
    visits_overdue: int
    """Visits of this or an earlier month that were still not made on the day of the look."""
    shortfalls: tuple[str, ...]
    actions: tuple[str, ...]
    readiness_complete: bool | None = None
    """Whether the campaign's readiness checklist is complete; None where it was not reported."""
    subsidy_reviewed: int | None = None
    """Applications reviewed in the month; None also where a village does not say it."""


@dataclass(frozen=True)
class SupervisionResult:
    """A month of all villages. Counts of people in it are exact: health side only."""

    round: int
    period: str
    as_of: date
    villages: tuple[VillageLook, ...]
    rectifications: tuple[Rectification, ...]
    """All of the campaign as they stand after this look, for any month."""
    readiness_owed: bool = False
    """Whether the plan asked for readiness by the day of the look."""

    @property
    def opened(self) -> tuple[Rectification, ...]:
        """The rectifications this month's look opened, now or when it was run before."""
        return tuple(each for each in self.rectifications if each.opened_round == self.round)

    @property
    def closed(self) -> tuple[Rectification, ...]:
        """The rectifications this month's look closed, now or when it was run before."""
        return tuple(each for each in self.rectifications if each.closed_round == self.round)

    @property
    def open(self) -> tuple[Rectification, ...]:
        """The rectifications that are open once this month's look is over."""
        return tuple(each for each in self.rectifications if each.open_after(self.round))


def supervise(
    store: Store,
    plan: Plan,
    occurrence: Occurrence,
    as_of: date,
    *,
    reporting: Mapping[str, str],
) -> SupervisionResult:
    """Look at every expected village's month `occurrence.period` as it stood at the end of `as_of`.

    `reporting`: village code -> reporting state of the month's sheet. Visits are worked out anew
    for `as_of` (they are written to the register); rectifications are read from the ledger and
    returned as they are to be recorded, not written. Before the occurrence's due day nothing is
    opened or closed: the month can still be made good. The same input gives the same result.
    Raises CheckFailed for an expected village without a reporting state.
    """
    period = read_period(occurrence.period or "")
    update_visits(store, plan, as_of)
    expected = [village.code for village in plan.expected(occurrence)]
    if not set(expected) <= set(reporting):
        raise CheckFailed("supervision.reporting_incomplete", round=occurrence.round)
    services = _services(store, plan, period, reporting, expected)
    judged = {village: judge(_service(row)) for village, row in services.items()}
    is_due = as_of >= occurrence.due
    to_make_good = {village: to_rectify(found) for village, found in judged.items()}
    rectifications = after_look(
        store, plan, to_make_good if is_due else {}, round=occurrence.round, as_of=as_of
    )
    overdue = overdue_of_villages(store, plan, rectifications, as_of)
    return SupervisionResult(
        round=occurrence.round,
        period=period.name,
        as_of=as_of,
        villages=tuple(
            VillageLook(**row, shortfalls=found, actions=actions(found, overdue.get(village, ())))
            for village, row in services.items()
            for found in (shortfalls(judged[village]),)
        ),
        rectifications=rectifications,
        readiness_owed=any(
            each.phase == "readiness" and each.due <= as_of for each in plan.calendar
        ),
    )


def _services(
    store: Store,
    plan: Plan,
    period: Period,
    reporting: Mapping[str, str],
    expected: list[str],
) -> dict[str, dict[str, Any]]:
    """Return village -> the fields of its look but for shortfalls, in the plan's order."""
    months = store.records("supervision/service_month", campaign=plan.slug, month=period.first)
    visits = store.records("supervision/visits", first=period.first, last=period.last)
    ready = store.records("supervision/readiness", campaign=plan.slug)
    said = {row["village"]: row for row in months}
    made = {row["village"]: row for row in visits}
    prepared = {row["village"]: row for row in ready}
    unsaid = dict.fromkeys(
        (
            "status_updated",
            "care_group_met",
            "guardian_contacts",
            "rehabilitation_sessions",
            "subsidy_applied",
            "subsidy_reviewed",
            "subsidy_paid",
            "readiness_complete",
        )
    )
    nobody = dict.fromkeys(("visits_due", "visits_done", "visits_late", "visits_overdue"), 0)
    return {
        village: unsaid
        | nobody
        | said.get(village, {})
        | made.get(village, {})
        | prepared.get(village, {})
        | {"village": village, "reporting": reporting[village]}
        for village in expected
        if reporting[village] != "not_expected"
    }


def _service(row: Mapping[str, Any]) -> Service:
    return Service(
        reporting=row["reporting"],
        visits_overdue=row["visits_overdue"],
        status_updated=row["status_updated"],
        care_group_met=row["care_group_met"],
        subsidy_applied=row["subsidy_applied"],
        subsidy_paid=row["subsidy_paid"],
    )
