"""The joint meeting: what it decides, what becomes of that, and what the next one talks about.

A decision says no word of its own: its topic, who sees to it and what became of it are of closed
lists, because the ledger, where it stands, holds no person, and free text could name one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

TOPICS = (
    "rectification",
    "reports",
    "visits",
    "coverage",
    "care_groups",
    "subsidies",
    "service_gaps",
    "problems",
    "training",
    "funds",
    "coordination",
    "other",
)

OWNERS = (
    "health_centre",
    "office",
    "leading_group",
    "village",
    "civil_affairs",
    "disabled_persons_federation",
    "medical_insurance",
    "human_resources",
    "finance",
)
"""Who can be given something to do. Nobody who pursues: this is care (DOMAIN.md, limit 8)."""

RESULTS = ("in_progress", "done", "dropped")
ENDED = frozenset({"done", "dropped"})

REPORT_EVERY = "figures"
TAKE_DECISIONS = "decide"
"""The two points that every meeting has."""

POINTS = (
    "decisions_overdue",
    "rectifications_again",
    "rectifications_overdue",
    "reports_missing",
    "visits_overdue",
    "rosters_incomplete",
    "visits_below_target",
    "reports_below_target",
    "coverage_below_target",
    "problems_raised",
    "decisions_running",
    REPORT_EVERY,
    TAKE_DECISIONS,
)
"""The points of an agenda in their order: what is late first, what only runs last."""

EARLIER_QUARTERS = 4
"""How many quarters back a pack looks, at most: a year."""


def quarter_before(quarter: str, back: int) -> str:
    """Return the quarter `back` quarters before one such as `2026-Q1`."""
    year, _, number = quarter.partition("-Q")
    place = 4 * int(year) + int(number) - 1 - back
    return f"{place // 4:04}-Q{place % 4 + 1}"


def months_of(quarter: str) -> tuple[str, ...]:
    """Return the three months of a quarter such as `2026-Q1`, in order, as `2026-01`."""
    year, _, number = quarter.partition("-Q")
    return tuple(f"{year}-{3 * int(number) - each:02}" for each in (2, 1, 0))


@dataclass(frozen=True)
class Decision:
    """What a joint meeting decided, and the newest that is known of it."""

    number: int
    """1, 2, … within the campaign."""
    met_on: date
    topic: str
    """One of TOPICS."""
    owner: str
    """One of OWNERS."""
    due: date
    village: str = ""
    """12-digit code of the one village it is about; '' where it is about several or none."""
    shortfall: str | None = None
    """The rectification of that village it is about, by its shortfall."""
    result: str | None = None
    """One of RESULTS; None where nothing was recorded yet."""
    result_on: date | None = None

    def is_running(self, day: date) -> bool:
        """Return whether it has come to no end by the end of `day`."""
        ended = self.result in ENDED and self.result_on is not None and self.result_on <= day
        return not ended

    def is_overdue(self, day: date) -> bool:
        """Return whether it is past due at the end of `day`; a due day ends at 24:00."""
        return self.is_running(day) and self.due < day


@dataclass(frozen=True)
class Facts:
    """What an agenda is made of; villages by code. Nothing of it counts or names people."""

    day: date
    decisions: Collection[Decision] = ()
    again: Collection[str] = ()
    """Villages with a rectification that stood overdue at several looks."""
    overdue: Collection[str] = ()
    """Villages with another overdue rectification."""
    not_reported: Collection[str] = ()
    """Villages that owe the report of a month of the quarter."""
    visits_overdue: Collection[str] = ()
    rosters: Collection[str] = ()
    """Villages whose care group is not known to have every role it must have."""
    below_target: Collection[str] = ()
    """Of visits, reports, coverage: where the quarter stayed below the plan's target."""
    problems: Collection[str] = ()
    """Villages that raised problems."""


@dataclass(frozen=True)
class Point:
    """One point of an agenda, and the villages it is about: none where it is about all."""

    name: str
    """One of POINTS."""
    villages: tuple[str, ...] = ()


def to_be_reported(decisions: Iterable[Decision], met_by: date, day: date) -> list[Decision]:
    """Return the decisions whose fate a meeting hears, those that need something first.

    Of the last meeting held up to `met_by` all; of earlier ones those that were running still when
    it met. The overdue at the end of `day` come first, then those that run by due day, then the
    ended ones.
    """
    known = [each for each in decisions if each.met_on <= met_by]
    last = max((each.met_on for each in known), default=met_by)
    told = [each for each in known if each.met_on == last or each.is_running(last)]
    return sorted(
        told,
        key=lambda each: (
            not each.is_overdue(day),
            not each.is_running(day),
            each.due,
            each.number,
        ),
    )


def agenda(facts: Facts) -> tuple[Point, ...]:
    """Return the points of a joint meeting by explicit rules, in the order of POINTS.

    A point stands where there is something to say to it. What stood overdue at several looks is not
    repeated among the merely overdue. The quarter's figures and new decisions are always there.
    """
    villages = {
        "rectifications_again": facts.again,
        "rectifications_overdue": facts.overdue,
        "reports_missing": facts.not_reported,
        "visits_overdue": facts.visits_overdue,
        "rosters_incomplete": facts.rosters,
        "problems_raised": facts.problems,
    }
    overdue = [each for each in facts.decisions if each.is_overdue(facts.day)]
    running = [each for each in facts.decisions if each.is_running(facts.day)]
    stands = {name: bool(codes) for name, codes in villages.items()} | {
        "decisions_overdue": bool(overdue),
        "decisions_running": len(running) > len(overdue),
        REPORT_EVERY: True,
        TAKE_DECISIONS: True,
        **{f"{name}_below_target": True for name in facts.below_target},
    }
    return tuple(
        Point(name, tuple(sorted(villages.get(name, ()))))
        for name in POINTS
        if stands.get(name, False)
    )
