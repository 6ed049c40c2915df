"""Extensions: a later due day for one village, with who granted it and why.

The reason is one of a closed list: the ledger is open to the office, and free text could name
somebody who is ill.
"""

from datetime import date

from tasks.clock import now_in
from tasks.plan import Plan, occurrence_at
from tasks.rules.contract import CHOICES, VILLAGE_PHASES, read_choice
from tasks.rules.errors import WrongCommand
from tasks.store import Store


def grant_extension(
    store: Store,
    plan: Plan,
    phase: str,
    round: int | None,
    village: str,
    due: date,
    *,
    by: str,
    reason: str,
) -> date:
    """Record a later due day for one village and return it; a newer one replaces an older.

    Without `round` it is for the occurrence that today is about. Raises WrongCommand for a phase
    that villages do not report, an unknown round or village, a day that is not later, or without
    who and why.
    """
    if phase not in VILLAGE_PHASES:
        raise WrongCommand("error.phase", phase=phase, known=VILLAGE_PHASES)
    occurrence = occurrence_at(plan, phase, now_in(plan.timezone).date(), round)
    if all(each.code != village for each in plan.villages):
        raise WrongCommand("extend.unknown")
    if occurrence.ad_hoc:
        raise WrongCommand("extend.ad_hoc")
    if due <= occurrence.due:
        raise WrongCommand("extend.not_later", due=occurrence.due)
    if not by.strip():
        raise WrongCommand("extend.no_name")
    why = read_choice("extension_reason", reason)
    if why is None:
        raise WrongCommand("extend.reason", known=tuple(CHOICES["extension_reason"]))
    store.run(
        "reporting/extend",
        campaign=plan.slug,
        phase=phase,
        round=occurrence.round,
        village=village,
        due=due,
        granted_by=by.strip(),
        reason=why,
        granted_at=now_in(plan.timezone),
    )
    return due
