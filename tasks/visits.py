"""Follow-up visits (随访): which fell due for whom, what became of them, and who is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tasks.plan import Occurrence, Plan
from tasks.rules.deadlines import read_period
from tasks.rules.visits import COUNTED_SEEN, LOST_ATTEMPTS, LOST_WITHIN, STATES, FaceToFace
from tasks.store import Store


@dataclass(frozen=True)
class VillageVisits:
    """One village's visits of a concentrated follow-up or of a month; exact, health side only.

    Of a concentrated follow-up each visit is a person: `due` is how many are on the register. So
    whatever of it leaves is a count of people, and what was closed without a visit is one always.
    """

    village: str
    due: int = 0
    """Visits owed: all of the states below and the open ones."""
    done: int = 0
    """Made by the due day, whenever they were entered."""
    late: int = 0
    open: int = 0
    overdue: int = 0
    declined: int = 0
    moved: int = 0
    transferred: int = 0
    died: int = 0
    lost: int = 0
    """Of those still owed: people lost to follow-up. A count of people, exact: health side only."""
    entered_late: int = 0
    """Of those done: entered after the due day."""
    next_due_by: date | None = None
    """The earliest due day of any visit that is open, by the national interval."""


def update_visits(store: Store, plan: Plan, as_of: date) -> dict[str, int]:
    """Work out all due visits of the register anew, as they stand at the end of `as_of`.

    `as_of` is a day of the plan's time zone. Counts visits made up to it, whatever
    campaign they were sent for: the register is the township's. Returns state (`STATES`) -> visits.
    One transaction; the same day again gives the same.
    """
    rule = FaceToFace.of(plan.rules.face_to_face_rating, plan.rules.face_to_face_a_year)
    with store.transaction():
        _gather(store, [village.code for village in plan.villages], as_of)
        store.run("visits/forget")
        store.run(
            "visits/due",
            rating=rule and rule.rating,
            months=rule and rule.months,
            as_of=as_of,
        )
        found = dict(store.rows("visits/counts"))
    return {state: found.get(state, 0) for state in STATES}


def lost_to_follow_up(store: Store, as_of: date) -> list[str]:
    """Return the register numbers of who is lost to follow-up (失访) at the end of `as_of`.

    A care term: it stays with the health side, and the visit stays owed. The rule is
    `rules.visits.is_lost`.
    """
    _gather(store, [], as_of)
    return _lost(store)


def village_visits(
    store: Store, plan: Plan, occurrence: Occurrence, as_of: date
) -> list[VillageVisits]:
    """Return what became of the visits of a follow-up phase, at the end of `as_of`.

    Of its month where it comes back each month, else of the concentrated follow-up. One entry a
    village of the plan, in its order: of those expected also where nothing is owed, of the others
    where something is.
    """
    look = concentrated if occurrence.period is None else visits_of_month
    return look(store, plan, occurrence, as_of)


def concentrated(
    store: Store, plan: Plan, occurrence: Occurrence, as_of: date
) -> list[VillageVisits]:
    """Return what became of a concentrated follow-up (集中随访), at the end of `as_of`.

    Everybody who was on the register and at home on the opening day is owed one visit within the
    window, by the village that is responsible for them at `as_of`. Brings the due visits of the
    register up to date besides, for what falls due next.
    """
    update_visits(store, plan, as_of)
    rows = store.records(
        "visits/concentrated",
        opens=occurrence.opens,
        due=occurrence.due,
        as_of=as_of,
        lost=_lost(store),
    )
    return _by_village(store, plan, occurrence, rows)


def visits_of_month(
    store: Store, plan: Plan, occurrence: Occurrence, as_of: date
) -> list[VillageVisits]:
    """Return what became of the visits that fell due in the month of `occurrence`.

    With those overdue from before, which stay owed; all at the end of `as_of`. Brings the due
    visits of the register up to date.
    """
    period = read_period(occurrence.period or "")
    update_visits(store, plan, as_of)
    rows = store.records("visits/month", first=period.first, last=period.last, lost=_lost(store))
    return _by_village(store, plan, occurrence, rows)


def gather_people(store: Store, villages: Sequence[str], as_of: date) -> None:
    """Leave in memory (visit_person) who is followed up at `as_of`, and by which village.

    `villages` are the codes of the plan: by them a household registration counts.
    """
    store.run("visits/words")
    store.run("visits/people", villages=list(villages), as_of=as_of)


def _gather(store: Store, villages: Sequence[str], as_of: date) -> None:
    """Leave in memory who is followed up and what follow-up rows say of them, up to `as_of`."""
    gather_people(store, villages, as_of)
    store.run("visits/events", seen=list(COUNTED_SEEN), as_of=as_of)


def _lost(store: Store) -> list[str]:
    rows = store.rows("visits/lost", attempts=LOST_ATTEMPTS, days=LOST_WITHIN.days)
    return [register_no for (register_no,) in rows]


def _by_village(
    store: Store, plan: Plan, occurrence: Occurrence, rows: list[dict[str, Any]]
) -> list[VillageVisits]:
    next_due: Mapping[str, date] = dict(store.rows("visits/next_due"))
    found = {row["village"]: row for row in rows}
    named = {village.code for village in plan.expected(occurrence)} | set(found)
    return [
        VillageVisits(**{"village": code} | found.get(code, {}), next_due_by=next_due.get(code))
        for code in (village.code for village in plan.villages)
        if code in named
    ]
