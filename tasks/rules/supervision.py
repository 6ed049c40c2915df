"""What a village's care group fell short of in a month, and what is to be made good by when.

About service only: reports, visits, updates, meetings and subsidies. Nothing here counts people
found or ranks villages (DOMAIN.md section 3, limit 5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SHORTFALLS = (
    "report_missing",
    "visits_overdue",
    "status_not_updated",
    "report_late",
    "care_group_not_met",
    "subsidy_unpaid",
)
"""In order of weight: the first that hold are what the village is asked to do."""

RECTIFIED = frozenset(SHORTFALLS) - {"report_late"}
"""Shortfalls that are made good by a due day. A late report has been made good by coming."""

MOST_ACTIONS = 3


@dataclass(frozen=True)
class Service:
    """What a month shows of one village's service; None is what its report did not say."""

    reporting: str
    """The reporting state of the month's sheet."""
    visits_overdue: int
    status_updated: bool | None
    care_group_met: bool | None
    subsidy_applied: int | None
    subsidy_paid: int | None


def judge(service: Service) -> dict[str, bool | None]:
    """Return for every shortfall whether it holds; None where the month does not show it.

    A report that came back whole is as good as none: nothing in it counts. While an extension runs
    the report is not owed yet.
    """
    missing = {"on_time": False, "late": False, "missing": True, "returned": True}
    paid, applied = service.subsidy_paid, service.subsidy_applied
    return {
        "report_missing": missing.get(service.reporting),
        "visits_overdue": service.visits_overdue > 0,
        "status_not_updated": _failed(service.status_updated),
        "report_late": service.reporting == "late",
        "care_group_not_met": _failed(service.care_group_met),
        "subsidy_unpaid": None if paid is None or applied is None else paid < applied,
    }


def shortfalls(judged: Mapping[str, bool | None]) -> tuple[str, ...]:
    """Return the shortfalls that hold, the weightiest first."""
    return tuple(name for name in SHORTFALLS if judged[name])


def actions(found: Iterable[str], overdue: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the at most three things to do: what is overdue to be made good, then what was found.

    `overdue`: shortfalls whose rectification is past its due day and waits for the village, the
    longest first; they lead even where this month does not show them. `found`: the month's, in
    order of weight. Each is named once.
    """
    return tuple(dict.fromkeys([*overdue, *found]))[:MOST_ACTIONS]


def to_rectify(judged: Mapping[str, bool | None]) -> dict[str, bool | None]:
    """Return of a village's shortfalls those that are made good by a due day."""
    return {name: holds for name, holds in judged.items() if name in RECTIFIED}


WANTED = {
    "reporting_on_time": "more",
    "visits_late": "less",
    "visits_overdue": "less",
    "status_updated": "more",
    "care_group_met": "more",
    "rectifications_open": "less",
}
"""Figures of a month that say whether the service got better, and which way that is. Visits due and
made follow the intervals, contacts and sessions the need: more of them is no better."""


def compare(name: str, before: float | None, after: float | None) -> str | None:
    """Return whether a figure of WANTED is `better`, `worse` or the `same` as the month before.

    None where a month does not say it, or where neither way is better.
    """
    if before is None or after is None or name not in WANTED:
        return None
    if before == after:
        return "same"
    return "better" if (after > before) is (WANTED[name] == "more") else "worse"


def _failed(done: bool | None) -> bool | None:
    return None if done is None else not done
