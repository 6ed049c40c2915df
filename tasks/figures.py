"""The exact figures of the health side's phases, before disclosure control.

Nothing here may leave the health side: publish takes these rows through disclosure control, and
computes rates from what it releases.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from tasks.diagnosis_queue import resolve_queue
from tasks.plan import Plan
from tasks.store import Store
from tasks.supervise import SupervisionResult, VillageLook

TOWNSHIP = ""


@dataclass(frozen=True)
class RawFigure:
    """One exact figure. `value` is None where it was not reported, which is not zero."""

    name: str
    unit: str
    village: str
    """A village code, or `TOWNSHIP`."""
    value: float | None
    behind: str | None = None
    """For a median or percentile: the name of the count of the people it describes."""


def list_figures(store: Store, plan: Plan) -> list[RawFigure]:
    """Return the figures of the latest compiled list.

    people_listed for the township and each village (by responsible village); people_known and
    people_new (to the register) and people by care setting for the township. Source: reg_person,
    without people all of whose referrals are withdrawn by now, with those whom retention erased
    (reg_tally). A village nobody is listed for is 0 where its referrals are known for a round of
    the sweep, else None.
    """
    store.run("figures/list", campaign=plan.slug)
    (township,) = store.records("figures/list_township", campaign=plan.slug)
    reported = [village for village, *_ in referrals(store, plan)]
    villages = store.rows(
        "figures/list_villages", campaign=plan.slug, villages=_codes(plan), reported=reported
    )
    listed = dict(villages)
    figures = [RawFigure(name, "people", TOWNSHIP, value) for name, value in township.items()]
    figures += [RawFigure("people_listed", "people", code, listed[code]) for code in _codes(plan)]
    return figures


def referrals(store: Store, plan: Plan, round: int | None = None) -> list[tuple[str, int, int]]:
    """Return (village, round, referrals) where referrals are known, of one sweep round or of all.

    Zero is known from a nil return, and from a referral sheet of which no row was returned; where
    neither came, or where rows are still to be corrected and none was accepted, nothing is known.
    """
    return store.rows("reporting/referrals", campaign=plan.slug, round=round)


def queue_figures(store: Store, plan: Plan, as_of: date) -> list[RawFigure]:
    """Return the figures of the diagnosis queue as `update_queue` left it for `as_of`.

    All for the township. people_waiting, _booked, _confirmed, _not_confirmed, _declined: by the
    state of the queue. people_offered: booked into a session up to `as_of`, or with an outcome.
    people_attended and people_assessed: with an assessment that took place; who declined did not
    heed the offer. waiting_median and waiting_p90: whole days from consent to the first assessment
    (the nearest rank), None where there was none. waited_to_14 to waited_over_90: the same people
    by how long they waited; the steps add up to people_assessed. sessions_held: sessions of the
    plan with an outcome recorded. Whom retention erased is in all of them but waiting and booked
    (reg_tally and reg_waited).
    The heed rate (attended of offered) and the confirmed share (confirmed of assessed) are computed
    by publish from what is released.
    """
    resolve_queue(store, plan, as_of)
    store.run("figures/queue_person", campaign=plan.slug, as_of=as_of)
    (counts,) = store.records("figures/queue", campaign=plan.slug)
    (sessions,) = store.records(
        "figures/sessions",
        campaign=plan.slug,
        as_of=as_of,
        days=[session.date for session in plan.clinic],
    )
    waiting = {name: counts.pop(name) for name in ("waiting_median", "waiting_p90")}
    return [
        *(RawFigure(name, "people", TOWNSHIP, value) for name, value in counts.items()),
        *(
            RawFigure(name, "days", TOWNSHIP, value, behind="people_assessed")
            for name, value in waiting.items()
        ),
        *(RawFigure(name, "sessions", TOWNSHIP, value) for name, value in sessions.items()),
    ]


def supervision_figures(result: SupervisionResult) -> list[RawFigure]:
    """Return a month's figures for every village looked at, and their sums for the township.

    What a village's report did not say is None; a sum is over the villages that said it, None where
    none did. Readiness only where the plan asked for it by then.
    """
    found = {look.village: _of_village(look, result) for look in result.villages}
    names = {name: unit for rows in found.values() for name, (unit, _) in rows.items()}
    township = [
        RawFigure(name, unit, TOWNSHIP, _sum([rows[name][1] for rows in found.values()]))
        for name, unit in names.items()
    ]
    villages = [
        RawFigure(name, unit, village, value)
        for village, rows in found.items()
        for name, (unit, value) in rows.items()
    ]
    return township + villages


def _of_village(look: VillageLook, result: SupervisionResult) -> dict[str, tuple[str, Any]]:
    """Return figure name -> (unit, value) of one village."""

    def count(rectifications: tuple[Any, ...]) -> int:
        return sum(each.village == look.village for each in rectifications)

    ready = {"readiness_complete": ("files", _flag(look.readiness_complete))}
    return {
        **(ready if result.readiness_owed else {}),
        "status_updated": ("files", _flag(look.status_updated)),
        "care_group_met": ("files", _flag(look.care_group_met)),
        **{
            f"reporting_{state}": ("files", int(look.reporting == state))
            for state in ("on_time", "late", "missing", "returned")
        },
        "visits_due": ("visits", look.visits_due),
        "visits_done": ("visits", look.visits_done),
        "visits_late": ("visits", look.visits_late),
        "visits_overdue": ("visits", look.visits_overdue),
        "guardian_contacts": ("visits", look.guardian_contacts),
        "rehabilitation_sessions": ("sessions", look.rehabilitation_sessions),
        "subsidy_applied": ("people", look.subsidy_applied),
        "subsidy_reviewed": ("people", look.subsidy_reviewed),
        "subsidy_paid": ("people", look.subsidy_paid),
        "rectifications_open": ("files", count(result.open)),
        "rectifications_opened": ("files", count(result.opened)),
        "rectifications_closed": ("files", count(result.closed)),
    }


def _flag(said: bool | None) -> int | None:
    return None if said is None else int(said)


def _sum(values: list[int | None]) -> int | None:
    said = [value for value in values if value is not None]
    return sum(said) if said else None


def _codes(plan: Plan) -> list[str]:
    return [village.code for village in plan.villages]
