"""The life of a campaign's phases as the ledger has it: states entered, runs noted, reopenings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tasks.agenda import Facts, read_facts, read_standing
from tasks.plan import Plan
from tasks.rules.agenda import Round, Run, Term
from tasks.rules.contract import CHOICES, read_choice
from tasks.rules.errors import WrongCommand
from tasks.rules.phase_states import Step, following, require_move
from tasks.store import Store


@dataclass(frozen=True)
class Transition:
    """A phase came into a state."""

    phase: str
    round: int
    state: str
    """One of tasks.rules.phase_states.STATES."""
    on_day: date
    """The day it belongs to."""
    entered_at: datetime
    """When it was noticed; wall time of the plan's time zone."""
    entered_by: str = ""
    """Who reopened it; '' where the clock or a run did it."""
    reason: str | None = None
    """Why it was reopened: one of CHOICES["reopen_reason"]."""
    until: date | None = None
    """The last day of the reopening."""


@dataclass(frozen=True)
class PhaseState:
    """How a phase stands."""

    state: str
    on_day: date
    """The day its state belongs to."""
    until: date
    """The last day on which it is open: its due day, or that of its newest reopening."""
    reason: str | None
    """Why it was reopened last, or None."""
    ran_as_of: date | None
    """The latest day that it ran for, after that day was over; None where it has not run."""


def settle_phases(store: Store, plan: Plan, now: datetime) -> list[Transition]:
    """Record every state that a phase has come into by `now`, and return the new ones in order.

    One statement; again, or after a crash, it records what is missing and nothing twice.
    """
    facts = read_facts(store, plan)
    recorded = read_transitions(store, plan)
    new = [
        (term, number, step)
        for term in _living(facts)
        for steps in (_steps(recorded.get((term.phase, term.round), ())),)
        for number, step in enumerate(_following(plan, facts, term, steps, now), len(steps) + 1)
    ]
    if new:
        _enter(store, plan, new, now)
    return [
        Transition(term.phase, term.round, step.state, step.on_day, now, until=step.until)
        for term, _, step in sorted(new, key=lambda each: each[2].on_day)
    ]


def phase_states(store: Store, plan: Plan, now: datetime) -> dict[Round, PhaseState]:
    """Return phase and round -> how it stands at `now`, also where that is not recorded yet.

    A sweep that was not approved has no life yet, and is left out. Reads the ledger only.
    """
    facts = read_facts(store, plan)
    recorded = read_transitions(store, plan)
    found = {}
    for term in _living(facts):
        key = term.phase, term.round
        before = recorded.get(key, ())
        steps = _steps(before)
        steps += _following(plan, facts, term, steps, now)
        reopenings = [each for each in before if each.until]
        found[key] = PhaseState(
            state=steps[-1].state,
            on_day=steps[-1].on_day,
            until=max([term.due, *(each.until for each in reopenings[-1:] if each.until)]),
            reason=reopenings[-1].reason if reopenings else None,
            ran_as_of=max((run.as_of for run in _runs(facts, term) if run.is_whole), default=None),
        )
    return found


def read_transitions(store: Store, plan: Plan) -> dict[Round, tuple[Transition, ...]]:
    """Return phase and round -> the states recorded of it, the newest last."""
    found: dict[Round, tuple[Transition, ...]] = {}
    for row in store.records("life/transitions", campaign=plan.slug):
        each = Transition(**row)
        key = each.phase, each.round
        found[key] = (*found.get(key, ()), each)
    return found


def reopen_phase(
    store: Store,
    plan: Plan,
    phase: str,
    round: int,
    *,
    until: date,
    by: str,
    reason: str,
    now: datetime,
) -> Transition:
    """Reopen a closed phase up to the end of `until`; `round` is 0 where it has no rounds.

    Its due day stays what it was: who is late stays late. Once `until` is over it is due again and
    its next run closes it. Raises WrongCommand for a phase or round that the plan has not, an
    ad-hoc sweep, one that is not closed, a day that is over, or without who and why.
    """
    try:
        term = plan.occurrence(phase, round)
    except KeyError:
        raise WrongCommand(
            "plan.no_such_round", campaign=plan.slug, phase=phase, round=round
        ) from None
    if term.ad_hoc:
        raise WrongCommand("life.ad_hoc_not_reopened")
    if not by.strip():
        raise WrongCommand("life.no_name")
    if until < now.date():
        raise WrongCommand("life.reopen_over", until=until)
    why = _reason(reason)
    settle_phases(store, plan, now)
    steps = _steps(read_transitions(store, plan)[phase, round])
    require_move(steps[-1].state, "reopened")
    step = Step("reopened", now.date(), until)
    of_term = Term(phase, round, term.opens, term.due)
    _enter(store, plan, [(of_term, len(steps) + 1, step)], now, by=by.strip(), reason=why)
    return Transition(phase, round, "reopened", step.on_day, now, by.strip(), why, until)


def note_run(
    store: Store,
    campaign: str,
    phase: str,
    round: int,
    as_of: date,
    revision: int | None,
    now: datetime,
) -> None:
    """Note that a run of a phase for the day `as_of` completed at `now`; its last act.

    `revision` holds its figures; None for a phase that releases nothing. Noted with it is what the
    run rests on, so that what comes later shows: nothing may come in between.
    """
    standing = read_standing(store, campaign)
    store.run(
        "life/note_run",
        campaign=campaign,
        phase=phase,
        round=round,
        as_of=as_of,
        revision=revision,
        now=now,
        arrived=standing.arrived.get((phase, round), ""),
        followed=standing.followed(phase, round),
    )


def _living(facts: Facts) -> list[Term]:
    return [term for term in facts.terms if term.is_approved]


def _runs(facts: Facts, term: Term) -> list[Run]:
    return [run for run in facts.runs if (run.phase, run.round) == (term.phase, term.round)]


def _following(
    plan: Plan, facts: Facts, term: Term, steps: Sequence[Step], now: datetime
) -> list[Step]:
    return following(steps, term, _runs(facts, term), issued=plan.issued, today=now.date())


def _steps(transitions: Sequence[Transition]) -> list[Step]:
    return [Step(each.state, each.on_day, each.until) for each in transitions]


def _enter(
    store: Store,
    plan: Plan,
    new: Sequence[tuple[Term, int, Step]],
    now: datetime,
    *,
    by: str = "",
    reason: str | None = None,
) -> None:
    """Record steps with the number each has within its round."""
    store.run(
        "life/enter",
        campaign=plan.slug,
        phases=[term.phase for term, _, _ in new],
        rounds=[term.round for term, _, _ in new],
        positions=[number for _, number, _ in new],
        states=[step.state for _, _, step in new],
        days=[step.on_day for _, _, step in new],
        now=now,
        entered_by=by,
        reason=reason,
        until=new[0][2].until,
    )


def _reason(words: str) -> str:
    found = read_choice("reopen_reason", words)
    if found is None:
        raise WrongCommand("life.reopen_reason", known=tuple(CHOICES["reopen_reason"]))
    return found
