"""Extensions: a later due day for one village, with who granted it and why."""

from datetime import date

from tasks.clock import now_in
from tasks.plan import Plan
from tasks.rules.errors import WrongCommand
from tasks.store import Store


def grant_extension(
    store: Store,
    plan: Plan,
    phase: str,
    round: int,
    village: str,
    due: date,
    *,
    by: str,
    reason: str,
) -> date:
    """Record a later due day for one village and return it; a newer one replaces an older.

    Raises WrongCommand for an unknown phase, round or village, a day that is not later, or without
    who and why.
    """
    try:
        occurrence = plan.occurrence(phase, round)
        plan.village(village)
    except KeyError:
        raise WrongCommand("extend.unknown", phase=phase, round=round, village=village) from None
    if due <= occurrence.due:
        raise WrongCommand("extend.not_later", due=occurrence.due)
    if not by.strip() or not reason.strip():
        raise WrongCommand("extend.no_reason")
    store.run(
        "reporting/extend",
        campaign=plan.slug,
        phase=phase,
        round=round,
        village=village,
        due=due,
        granted_by=by.strip(),
        reason=reason.strip(),
        granted_at=now_in(plan.timezone),
    )
    return due
