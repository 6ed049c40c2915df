"""How the phases of a campaign stood at the end of a day: from the ledger and the plan alone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tasks.agenda import read_runs
from tasks.phase_life import read_transitions
from tasks.plan import Plan
from tasks.released_days import keep_released
from tasks.rules.agenda import Term
from tasks.rules.phase_states import Step, following
from tasks.store import Store


@dataclass(frozen=True)
class PhaseInTime:
    """One occurrence of a phase: from when to when, and how it stood."""

    phase: str
    round: int
    period: str | None
    opens: date
    due: date
    provisional: bool
    state: str
    """One of tasks.rules.phase_states.STATES."""


def read_calendar(
    store: Store, plan: Plan, as_of: date, before: datetime | None = None
) -> tuple[PhaseInTime, ...]:
    """Return the plan's phases in its order, each as it stood when `as_of` had ended.

    Where `before` is given, wall time of the plan's zone, only what was recorded before it counts:
    so a report that is written again says what it said. An ad-hoc sweep that was not approved is
    left out.
    """

    def counts(noted_at: datetime, day: date) -> bool:
        return day <= as_of and (before is None or noted_at < before)

    recorded = read_transitions(store, plan)
    runs = [each for each in read_runs(store, plan.slug, before) if each.as_of <= as_of]
    found = []
    for each in keep_released(store, plan).calendar:
        if each.ad_hoc and not each.approved:
            continue
        steps = [
            Step(step.state, step.on_day, step.until)
            for step in recorded.get((each.phase, each.round), ())
            if counts(step.entered_at, step.on_day)
        ]
        steps += following(
            steps,
            Term(each.phase, each.round, each.opens, each.due),
            [run for run in runs if (run.phase, run.round) == (each.phase, each.round)],
            issued=plan.issued,
            # a due day ends at 24:00
            today=as_of + timedelta(days=1),
        )
        found.append(
            PhaseInTime(
                each.phase,
                each.round,
                each.period,
                each.opens,
                each.due,
                each.provisional,
                steps[-1].state,
            )
        )
    return tuple(found)
