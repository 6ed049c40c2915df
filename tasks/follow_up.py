"""Follow-up as a phase: what fell due in its window, what came of it, and what falls due next.

Visits by the national intervals are figures about the work, and shown for every village. In a
concentrated follow-up everybody is owed one visit, so that its visits count people: those figures,
and who declined, are people of the township and go through disclosure control. A visit that ended
without having been made (declined, moved, transferred, died) is in no figure about the work: the
difference would count people. Beside exact visits two counts of people cannot be protected, so they
stay with the health side: who is lost to follow-up (each owes one of the overdue visits), and who
declined in a month (each takes one from the visits due).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tasks.figures import TOWNSHIP, RawFigure
from tasks.plan import Occurrence, Plan
from tasks.reporting import with_township
from tasks.rules.deadlines import read_period
from tasks.store import Store
from tasks.visits import VillageVisits, village_visits

AHEAD = timedelta(days=30)
"""How far the page looks ahead."""

VISIT_FIGURES = (
    "visits_due",
    "visits_done",
    "visits_late",
    "visits_entered_late",
    "visits_overdue",
    "visits_ahead",
)
"""Figures about the work, for every village."""


@dataclass(frozen=True)
class FollowUpResult:
    """What one follow-up phase shows. Counts of people are exact: health side only."""

    visits: Mapping[str, Mapping[str, int]]
    """Village -> figure about its visits -> visits; of every village expected, in plan order."""
    people: Mapping[str, int]
    """Figure -> people of the township; none of a month."""


def look_at_visits(store: Store, plan: Plan, occurrence: Occurrence, as_of: date) -> FollowUpResult:
    """Work out the visits of the occurrence's window as they stand at the end of `as_of`.

    The window is the month of one that comes back each month, else from its opening to its due day.
    Visits are worked out anew for `as_of` and written to the register.
    """
    owed = village_visits(store, plan, occurrence, as_of)
    first, last = window(occurrence)
    found = store.records(
        "follow_up/visits", first=first, last=last, as_of=as_of, ahead=as_of + AHEAD
    )
    by_village = {row.pop("village"): row for row in found}
    nothing = dict.fromkeys(VISIT_FIGURES, 0)
    return FollowUpResult(
        visits={
            village.code: by_village.get(village.code, nothing)
            for village in plan.expected(occurrence)
        },
        people=_people(owed) if occurrence.period is None else {},
    )


def window(occurrence: Occurrence) -> tuple[date, date]:
    """Return the first and the last day on which a visit of the occurrence can fall due."""
    if occurrence.period is None:
        return occurrence.opens, occurrence.due
    month = read_period(occurrence.period)
    return month.first, month.last


def _people(owed: Sequence[VillageVisits]) -> dict[str, int]:
    """Return figure -> people of the township, out of a concentrated one's visits by village."""
    return {
        "people_to_visit": sum(each.due for each in owed),
        "people_visited": sum(each.done + each.late for each in owed),
        "people_visit_declined": sum(each.declined for each in owed),
    }


def follow_up_figures(result: FollowUpResult) -> list[RawFigure]:
    """Return the figures of a follow-up phase: visits by village and township, people of the
    township.

    visits_due, _done, _late: fell due in the window, made in time (by the visit's own day), made
    late. visits_entered_late: of those made in time, entered after their due day. visits_overdue:
    not made and past their day, of any time. visits_ahead: fall due in the thirty days to come.
    people_to_visit, people_visited and people_visit_declined (concentrated follow-up only): on the
    register and at home on the opening day; visited since then; declined the visit that was owed.
    """
    visits = [
        RawFigure(name, "visits", village, counts[name])
        for village, counts in result.visits.items()
        for name in VISIT_FIGURES
    ]
    people = [RawFigure(name, "people", TOWNSHIP, count) for name, count in result.people.items()]
    return [*with_township(visits), *people]
