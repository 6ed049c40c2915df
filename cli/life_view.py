"""What the terminal shows of phases' lives and of what was caught up."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import typer

from tasks.agenda import CaughtUp, Ran
from tasks.phase_life import Transition, phase_states, read_transitions
from tasks.plan import Plan
from tasks.rules.wording import say
from tasks.store import Store


def round_name(plan: Plan, phase: str, round: int) -> str:
    """Return a phase with its month or round, in the process's language."""
    name = say(f"phase.{phase}")
    periods = {(each.phase, each.round): each.period for each in plan.calendar}
    if period := periods.get((phase, round)):
        return say("phase.with_period", phase=name, period=period)
    return say("phase.with_round", phase=name, round=round) if round else name


def phases_record(store: Store, plan: Plan, now: datetime) -> dict[str, Any]:
    """Return how each phase of the campaign stands at `now`, and the states that are recorded."""
    recorded = read_transitions(store, plan)
    return {
        "campaign": plan.slug,
        "phases": [
            {
                "phase": phase,
                "round": round or None,
                "name": round_name(plan, phase, round),
                "state": state.state,
                "since": state.on_day.isoformat(),
                "until": state.until.isoformat(),
                "ran_as_of": state.ran_as_of.isoformat() if state.ran_as_of else None,
                "transitions": [_plain(each) for each in recorded.get((phase, round), ())],
            }
            for (phase, round), state in phase_states(store, plan, now).items()
        ],
    }


def _plain(transition: Transition) -> dict[str, Any]:
    return {
        "state": transition.state,
        "on_day": transition.on_day.isoformat(),
        "entered_at": transition.entered_at.isoformat(),
        "entered_by": transition.entered_by or None,
        "reason": transition.reason,
        "until": transition.until.isoformat() if transition.until else None,
    }


def show_phases(record: Mapping[str, Any]) -> None:
    """Print each phase with a line for every state that it went through."""
    for phase in record["phases"]:
        state = say(f"status.state.{phase['state']}")
        typer.echo(say("life.phase", phase=phase["name"], state=state, until=phase["until"]))
        for each in phase["transitions"]:
            entered = each["entered_at"].replace("T", " ")[:16]
            state = say(f"status.state.{each['state']}")
            line = say("life.entered", day=each["on_day"], state=state, entered=entered)
            typer.echo(f"{line}{_why(each)}")


def show_caught_up(plans: Mapping[str, Plan], found: Sequence[CaughtUp]) -> None:
    """Print a line for each run that was made up for, and for each that could not be."""
    for one in found:
        plan = plans[one.campaign]
        if not one.ran and not one.not_run:
            typer.echo(say("life.nothing_owed", campaign=one.campaign))
        for each in one.ran:
            name = round_name(plan, each.phase, each.round)
            line = say(
                "life.ran",
                campaign=one.campaign,
                phase=name,
                as_of=each.as_of,
                because=say(f"life.because.{each.because}"),
                result=_result(each),
            )
            # what runs every day runs once for all the days that were missed: it is late for none
            is_late = each.days_late and each.because not in {"daily", "news"}
            late = say("life.late", days=each.days_late) if is_late else ""
            typer.echo(f"{line}{late}")
        for missed in one.not_run:
            typer.echo(
                say(
                    "life.not_run",
                    campaign=one.campaign,
                    phase=round_name(plan, missed.phase, missed.round),
                    as_of=missed.as_of,
                    error=missed.error or say("life.waits"),
                ),
                err=True,
            )


def _result(ran: Ran) -> str:
    if ran.revision is None:
        return say("life.result.done")
    return say("life.result.new" if ran.is_new else "life.result.same", revision=ran.revision)


def _why(transition: Mapping[str, Any]) -> str:
    if not transition["reason"]:
        return ""
    return say(
        "life.reopened_by",
        by=transition["entered_by"],
        reason=say(f"life.reason.{transition['reason']}"),
        until=transition["until"],
    )
