"""What a village's care group fell short of in a month, and what is to be made good by when.

About service only: reports, visits, updates, meetings and subsidies. Nothing here counts people
found or ranks villages (DOMAIN.md section 3, limit 5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

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


@dataclass(frozen=True)
class Rectification:
    """A named shortfall of a village's service, from the look that opened it to the one that
    found it made good. Rounds are those of the supervision phase."""

    village: str
    shortfall: str
    opened_round: int
    opened_on: date
    due: date
    due_provisional: bool
    closed_round: int | None = None
    closed_on: date | None = None

    def open_after(self, round: int) -> bool:
        """Return whether it is open once the look of `round` is over."""
        closed_later = self.closed_round is None or self.closed_round > round
        return self.opened_round <= round and closed_later


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


def actions(found: Iterable[str]) -> tuple[str, ...]:
    """Return the at most three things to do, out of shortfalls in order of weight."""
    return tuple(found)[:MOST_ACTIONS]


def rectify(
    judged: Mapping[str, Mapping[str, bool | None]],
    known: Iterable[Rectification],
    *,
    round: int,
    on: date,
    due: date,
    due_provisional: bool,
) -> tuple[Rectification, ...]:
    """Return all rectifications as they stand after the look of `round`, by village and shortfall.

    `judged`: village -> shortfall -> whether it holds. `known`: what is recorded, of any round;
    what this look opened or closed before is kept as it was, so that a rerun gives the same. One
    that was open is closed (on `on`) where the shortfall is seen to be gone; where the month does
    not show it, it stays. A shortfall that holds opens one (on `on`, due on `due`) unless one is
    open already, here or since a later month.
    """
    recorded = list(known)
    after = [
        replace(each, closed_round=round, closed_on=on) if _made_good(each, judged, round) else each
        for each in recorded
    ]
    standing = {
        (each.village, each.shortfall)
        for each in after
        if each.closed_round is None or each.open_after(round) or each.opened_round == round
    }
    after += [
        Rectification(village, name, round, on, due, due_provisional)
        for village, found in judged.items()
        for name in RECTIFIED
        if found[name] and (village, name) not in standing
    ]
    return tuple(sorted(after, key=lambda each: (each.village, each.shortfall, each.opened_round)))


def _made_good(
    each: Rectification,
    judged: Mapping[str, Mapping[str, bool | None]],
    round: int,
) -> bool:
    if each.opened_round >= round or each.closed_round is not None:
        return False
    return judged.get(each.village, {}).get(each.shortfall) is False


def _failed(done: bool | None) -> bool | None:
    return None if done is None else not done
