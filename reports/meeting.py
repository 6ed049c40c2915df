"""What a quarterly pack tells of the joint meeting besides its figures, read from the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tasks.meeting import incomplete_rosters, read_decisions
from tasks.plan import Plan
from tasks.rectifications import escalations, read_rectifications
from tasks.rules.meeting import Decision, to_be_reported
from tasks.rules.rectification import Rectification
from tasks.store import Store


@dataclass(frozen=True)
class Meeting:
    """What was decided, what stands open, and what the plan aims at; nothing about people."""

    decisions: tuple[Decision, ...]
    """Those whose fate the meeting hears, what needs something first."""
    rectifications: tuple[Rectification, ...]
    """Open at the end of the revision's day, by due day."""
    again: frozenset[Rectification]
    """Those of them that stood overdue at several looks."""
    rosters: tuple[str, ...]
    """Villages whose care group is not known to have every role it must have; codes."""
    targets: Mapping[str, int]
    """Percent of coverage, reports and visits that the plan aims at; of what it names only."""


def read_meeting(
    store: Store, plan: Plan, *, quarter: str, met_by: date, as_of: date, until: datetime
) -> Meeting:
    """Return it for a `quarter` (2026-Q1), as it stood at the end of `as_of`, recorded by `until`.

    Decisions are of meetings held up to `met_by`, the day the pack was due. `until` is wall time of
    the plan's time zone: an old revision reads the same whatever was recorded since.
    """
    decisions = read_decisions(store, plan.slug, until)
    standing = (each.rectification for each in read_rectifications(store, plan))
    still_open = [each for each in standing if each.open_on(as_of)]
    late = escalations(store, plan, as_of)
    named = {
        "coverage": plan.targets.coverage_percent,
        "reports": plan.targets.reports_on_time_percent,
        "visits": plan.targets.visits_done_percent,
    }
    return Meeting(
        decisions=tuple(to_be_reported(decisions, met_by, as_of)),
        rectifications=tuple(
            sorted(still_open, key=lambda each: (each.due, each.village, each.shortfall))
        ),
        again=frozenset(each.rectification for each in late if each.for_meeting),
        rosters=incomplete_rosters(store, plan.slug, quarter, as_of, until),
        targets={name: percent for name, percent in named.items() if percent is not None},
    )
