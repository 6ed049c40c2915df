"""A campaign's plan: a TOML file and the CSV of its villages beside it.

`load_plan` checks everything at once and reports all mistakes together, each with its key and what
to write instead. data/campaigns/ holds plans to start from.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tasks.home import write_whole
from tasks.plan.approved import write_approved
from tasks.plan.model import (
    PACK,
    AdHoc,
    ClinicSession,
    Duty,
    HealthCentre,
    Limits,
    Occurrence,
    Plan,
    Recipients,
    Reminders,
    Retention,
    Rules,
    Targets,
    Village,
)
from tasks.plan.plan_file import read_plan
from tasks.plan.remarks import PlanRefused, Remark
from tasks.plan.villages import write_villages
from tasks.rules.errors import WrongCommand
from tasks.workdays import PublishedWorkdays

__all__ = [
    "PACK",
    "AdHoc",
    "ClinicSession",
    "Duty",
    "HealthCentre",
    "Limits",
    "Occurrence",
    "Plan",
    "PlanRefused",
    "Recipients",
    "Remark",
    "Reminders",
    "Retention",
    "Rules",
    "Targets",
    "Village",
    "copy_plan",
    "load_plan",
    "occurrence_at",
    "write_approved",
]


def load_plan(path: Path) -> Plan:
    """Return the plan in the file at `path`, deadlines resolved by the official working days.

    Raises WrongCommand where there is no such file or it is no TOML, and PlanRefused (one of
    those) with all mistakes of it and of its village CSV together.
    """
    return read_plan(path, PublishedWorkdays())


def copy_plan(source: Path, folder: Path, villages: Sequence[Village] | None = None) -> Path:
    """Copy a plan to `folder`/plan.toml, its village CSV beside it; return the copy's path.

    `villages` take the place of the plan's own where given. Both files are 0600. Raises as
    `load_plan` does, before anything is written.
    """
    plan = load_plan(source)
    kept = plan.villages if villages is None else villages
    write_whole(folder / plan.villages_file, write_villages(kept).encode("utf-8"))
    target = folder / "plan.toml"
    write_whole(target, source.read_bytes())
    return target


def occurrence_at(
    plan: Plan,
    phase: str,
    as_of: date,
    round: int | None = None,
) -> Occurrence:
    """Return the occurrence of `phase` that a run on `as_of` is about.

    The named round; else the one with the latest due day up to `as_of`; else the first that is open
    on it; else the first. An approved ad-hoc sweep is only where it is named or the plan has no
    other. Raises WrongCommand where the plan has no such phase or round, or only an ad-hoc one that
    the health side did not approve.
    """
    of_phase = [each for each in plan.calendar if each.phase == phase]
    if not of_phase and phase == "sweep" and plan.ad_hoc:
        raise WrongCommand("plan.ad_hoc_not_approved", campaign=plan.slug, phase=phase)
    if not of_phase:
        raise WrongCommand("plan.no_such_phase", campaign=plan.slug, phase=phase)
    named = [each for each in of_phase if round in (None, each.round)]
    if not named:
        raise WrongCommand("plan.no_such_round", campaign=plan.slug, phase=phase, round=round)
    approved = [each for each in named if each.approved]
    runnable = [each for each in named if not each.ad_hoc] or approved
    if not runnable:
        raise WrongCommand("plan.ad_hoc_not_approved", campaign=plan.slug, phase=phase)
    past = [each for each in runnable if each.due <= as_of]
    if past:
        return max(past, key=lambda each: (each.due, each.round))
    open_now = [each for each in runnable if each.opens <= as_of]
    return min(open_now or runnable, key=lambda each: (each.opens, each.due, each.round))
