"""Follow-up as a phase: the visits of its window, and of whom only the township's count leaves."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from conftest import make_home, occurrence, open_home
from register_rows import VILLAGE_1, VILLAGE_2, VILLAGE_3, add_registered, add_visit
from tasks.figures import TOWNSHIP
from tasks.follow_up import FollowUpResult, follow_up_figures, look_at_visits, window
from tasks.plan import Plan
from tasks.rules.disclosure import relations
from tasks.store import Store

OPENS, DUE = date(2025, 10, 1), date(2025, 12, 31)
CONCENTRATED = occurrence("follow_up", OPENS, DUE)
NOVEMBER = occurrence("follow_up", date(2025, 11, 1), date(2025, 12, 5), 1, "2025-11")
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_home(make_home(tmp_path / "home")) as store:
        yield store


def figures(result: FollowUpResult) -> dict[tuple[str, str], float | None]:
    return {(each.name, each.village): each.value for each in follow_up_figures(result)}


def test_the_window_is_the_month_or_from_opening_to_due_day() -> None:
    assert window(CONCENTRATED) == (OPENS, DUE)
    assert window(NOVEMBER) == (date(2025, 11, 1), date(2025, 11, 30))


def test_visits_of_the_window_are_counted_by_their_own_day(store: Store, plan: Plan) -> None:
    # due on 15 November by the three months from 15 August
    for number, village in (("R1", VILLAGE_1), ("R2", VILLAGE_1), ("R3", VILLAGE_2)):
        add_registered(store, number, residence_village=village, last_visited_on=date(2025, 8, 15))
    add_visit(store, "R1", date(2025, 11, 14), entered_on=date(2025, 11, 20))
    add_visit(store, "R2", date(2025, 11, 17))
    found = figures(look_at_visits(store, plan, NOVEMBER, NOVEMBER.due))
    assert found["visits_due", VILLAGE_1] == 2
    assert found["visits_done", VILLAGE_1] == 1, "in time, although it was entered late"
    assert found["visits_entered_late", VILLAGE_1] == 1
    assert found["visits_late", VILLAGE_1] == 1
    assert found["visits_overdue", VILLAGE_2] == 1
    assert found["visits_due", VILLAGE_3] == 0, "where nobody is registered nothing is due"
    assert found["visits_due", TOWNSHIP] == 3


def test_what_falls_due_next_is_told_thirty_days_ahead(store: Store, plan: Plan) -> None:
    # by the three months, due on 4 January, which is thirty days on, and a day later
    add_registered(store, "R1", last_visited_on=date(2025, 10, 4))
    add_registered(store, "R2", last_visited_on=date(2025, 10, 5))
    found = figures(look_at_visits(store, plan, NOVEMBER, date(2025, 12, 5)))
    assert found["visits_ahead", TOWNSHIP] == 1


def test_a_concentrated_one_counts_people_of_the_township_only(store: Store, plan: Plan) -> None:
    for number in range(1, 10):
        village = (VILLAGE_1, VILLAGE_2)[number % 2]
        add_registered(store, f"R{number}", residence_village=village)
    add_registered(store, "R10", confirmed_on=OPENS + DAY)
    add_visit(store, "R1", OPENS)
    add_visit(store, "R1", OPENS + 9 * DAY)
    add_visit(store, "R2", OPENS - DAY)
    add_visit(store, "R3", DUE, seen="guardian")
    result = look_at_visits(store, plan, CONCENTRATED, DUE)
    assert result.people["people_to_visit"] == 9, "who came on the register later is not owed one"
    assert result.people["people_visited"] == 2, "each once, and in the window"
    people = [each for each in follow_up_figures(result) if each.unit == "people"]
    assert {each.village for each in people} == {TOWNSHIP}


def test_nothing_leaves_that_exact_visits_would_narrow(store: Store, plan: Plan) -> None:
    """Who is lost owes one of the overdue visits; whoever declines takes one from those due."""
    for number in ("R1", "R2", "R3"):
        add_registered(store, number, last_visited_on=date(2025, 8, 15))
    add_visit(
        store, "R1", date(2025, 11, 10), seen="guardian", lost_reason="declined", stability=None
    )
    for days in (0, 7, 14):
        day = date(2025, 11, 16) + timedelta(days=days)
        add_visit(store, "R2", day, seen="nobody", stability=None)
    month = follow_up_figures(look_at_visits(store, plan, NOVEMBER, NOVEMBER.due))
    assert not [each.name for each in month if each.unit == "people"]
    window = follow_up_figures(look_at_visits(store, plan, CONCENTRATED, DUE))
    people = {each.name: each.value for each in window if each.unit == "people"}
    assert people == {"people_to_visit": 3, "people_visited": 0, "people_visit_declined": 1}


def test_who_left_does_not_show_as_a_difference(store: Store, plan: Plan) -> None:
    """Due less made less overdue would tell how many declined, moved, were transferred or died."""
    for number, reason in enumerate(("declined", "moved", "transferred", "died", None), start=1):
        add_registered(store, f"R{number}", last_visited_on=date(2025, 8, 15))
        if reason:
            add_visit(
                store,
                f"R{number}",
                date(2025, 11, 10),
                seen="nobody",
                lost_reason=reason,
                stability=None,
            )
    found = figures(look_at_visits(store, plan, NOVEMBER, NOVEMBER.due))
    assert found["visits_due", VILLAGE_1] == 1
    made = found["visits_done", VILLAGE_1], found["visits_late", VILLAGE_1]
    assert (*made, found["visits_overdue", VILLAGE_1]) == (0, 0, 1)


def test_a_reader_knows_that_visited_and_declined_are_of_those_to_visit() -> None:
    (relation,) = relations("follow_up", (VILLAGE_1,))
    assert relation.wholes == (("people_to_visit", TOWNSHIP),)
    assert {name for name, _ in relation.parts} == {
        "people_visited",
        "people_visit_declined",
    }
