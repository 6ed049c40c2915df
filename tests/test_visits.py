"""Follow-up visits by the national interval; an overdue visit never disappears."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
    add_registered,
    add_visit,
    contents,
    empty,
)
from tasks.plan import Plan
from tasks.rules.visits import COUNTED_SEEN, add_months, first_due, next_due, visit_state
from tasks.store import Store
from tasks.visits import update_visits

DAY = date(2025, 11, 30)


@pytest.mark.parametrize(
    ("stability", "before", "due"),
    [
        ("unstable", None, date(2025, 12, 14)),
        ("unstable", "stable", date(2025, 12, 14)),
        ("basically_stable", None, date(2025, 12, 14)),
        ("basically_stable", "unstable", date(2025, 12, 14)),
        ("basically_stable", "basically_stable", date(2025, 12, 30)),
        ("stable", "basically_stable", date(2026, 2, 28)),
        ("stable", None, date(2026, 2, 28)),
        (None, None, date(2026, 2, 28)),
    ],
)
def test_national_interval(stability: str | None, before: str | None, due: date) -> None:
    assert next_due(DAY, stability, before) == due


def test_the_first_visit_is_due_from_the_last_one_known_else_from_the_diagnosis() -> None:
    assert first_due(date(2020, 1, 1), DAY, "unstable") == date(2025, 12, 14)
    assert first_due(DAY, None, None) == date(2026, 2, 28)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 30))
def test_months_keep_the_day_or_end_with_the_month(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (
        later.day < day.day and (later + timedelta(days=1)).month != later.month
    )


@pytest.mark.parametrize(
    ("visited_on", "state"),
    [(DAY, "done"), (DAY + timedelta(days=1), "late"), (None, "open")],
)
def test_a_visit_is_judged_by_its_own_day(visited_on: date | None, state: str) -> None:
    assert visit_state(DAY, visited_on, DAY) == state
    assert visit_state(DAY, None, DAY + timedelta(days=1)) == "overdue"


def due(store: Store) -> list[tuple[Any, ...]]:
    """Return the due visits."""
    return contents(store, "reg_visit_due", "register_no, due_on, visited_on, state")


def test_visits_meet_what_was_due_and_set_the_next(store: Store, plan: Plan) -> None:
    add_registered(store, "G-1", last_visited_on=date(2025, 8, 20), stability="stable")
    add_visit(store, "G-1", date(2025, 11, 20), stability="unstable")
    add_visit(store, "G-1", date(2025, 12, 6), stability="basically_stable")

    counts = update_visits(store, plan, date(2025, 12, 20))

    assert due(store) == [
        ("G-1", date(2025, 11, 20), date(2025, 11, 20), "done"),
        ("G-1", date(2025, 12, 4), date(2025, 12, 6), "late"),
        ("G-1", date(2025, 12, 20), None, "open"),
    ]
    assert counts == {"done": 1, "late": 1, "open": 1, "overdue": 0}
    update_visits(store, plan, date(2025, 12, 21))
    assert due(store)[-1] == ("G-1", date(2025, 12, 20), None, "overdue")


def test_basically_stable_is_two_weeks_after_the_first_visit_that_finds_it_then_a_month(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1", last_visited_on=date(2025, 11, 1), stability="basically_stable")
    for day in (date(2025, 11, 15), date(2025, 11, 29)):
        add_visit(store, "G-1", day, stability="basically_stable")

    update_visits(store, plan, DAY)

    assert [row[1] for row in due(store)] == [
        date(2025, 11, 15),
        date(2025, 11, 29),
        date(2025, 12, 29),
    ]


def test_only_a_visit_that_met_the_person_or_the_guardian_counts(store: Store, plan: Plan) -> None:
    add_registered(store, "G-1", last_visited_on=date(2025, 8, 20))
    for day, seen in enumerate(("nobody", "other"), start=1):
        add_visit(store, "G-1", date(2025, 11, day), seen=seen, stability=None)
    add_visit(store, "G-1", date(2025, 11, 5), is_current=False)
    add_visit(store, "G-1", date(2025, 8, 1))
    add_visit(store, "G-1", date(2025, 11, 9), seen="guardian", campaign="spring-2025")

    update_visits(store, plan, date(2025, 11, 9))

    assert due(store)[0] == ("G-1", date(2025, 11, 20), date(2025, 11, 9), "done")


def test_work_done_in_time_but_entered_late_is_in_time(store: Store, plan: Plan) -> None:
    add_registered(store, "G-1", last_visited_on=date(2025, 8, 20))
    received = datetime.fromisoformat("2025-12-02T23:59")
    entered_on = date(2025, 12, 2)
    add_visit(store, "G-1", date(2025, 11, 19), entered_on=entered_on, received_at=received)

    update_visits(store, plan, date(2025, 12, 2))
    rows = contents(store, "reg_visit_due", "due_on, visited_on, entered_on, state")
    assert rows[0] == (date(2025, 11, 20), date(2025, 11, 19), entered_on, "done")


def test_the_residence_village_owes_the_visit(store: Store, plan: Plan) -> None:
    outside = "990101999001"
    add_registered(store, "G-1", residence_village=VILLAGE_2, registered_village=VILLAGE_1)
    add_registered(store, "G-2", residence_village=outside, registered_village=VILLAGE_3)
    add_registered(store, "G-3", residence_village=VILLAGE_1)

    update_visits(store, plan, DAY)

    assert contents(store, "reg_visit_due", "register_no, responsible_village") == [
        ("G-1", VILLAGE_2),
        ("G-2", VILLAGE_3),
        ("G-3", VILLAGE_1),
    ]


def test_an_early_visit_that_sets_the_same_day_again_leaves_it_owed(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1", last_visited_on=date(2025, 9, 1), stability="stable")
    add_visit(store, "G-1", date(2025, 11, 17), stability="unstable")

    update_visits(store, plan, date(2025, 11, 20))

    assert due(store) == [("G-1", date(2025, 12, 1), None, "open")]


def plainly(person: dict[str, Any], visits: list[dict[str, Any]], as_of: date) -> dict[date, Any]:
    """Return due day -> (visit that met it, state), by the pure rule, visit after visit."""
    found: dict[date, Any] = {}
    known = person["last_visited_on"]
    since = known or person["confirmed_on"]
    if since > as_of:
        return {}
    due_on = first_due(person["confirmed_on"], known, person["stability"])
    before = None
    for visit in sorted(visits, key=lambda each: each["visited_on"]):
        if since < visit["visited_on"] <= as_of and visit["seen"] in COUNTED_SEEN:
            day = visit["visited_on"]
            found[due_on] = (day, visit_state(due_on, day, as_of))
            due_on = next_due(day, visit["stability"], before)
            before = visit["stability"]
    return found | {due_on: (None, visit_state(due_on, None, as_of))}


STABILITY = st.sampled_from(["stable", "basically_stable", "unstable", None])
DAYS = st.dates(date(2025, 1, 1), date(2026, 3, 1))
VISITS = st.lists(
    st.fixed_dictionaries(
        {
            "visited_on": DAYS,
            "stability": STABILITY,
            "seen": st.sampled_from(["person", "guardian", "nobody", "other"]),
        }
    ),
    max_size=6,
    unique_by=lambda visit: visit["visited_on"],
)
PERSON = st.fixed_dictionaries(
    {
        "confirmed_on": st.dates(date(2024, 1, 1), date(2026, 3, 1)),
        "last_visited_on": st.none() | DAYS,
        "stability": STABILITY,
    }
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(people=st.lists(st.tuples(PERSON, VISITS), min_size=1, max_size=4), as_of=DAYS)
def test_sql_and_rule_agree(
    store: Store,
    plan: Plan,
    people: list[tuple[dict[str, Any], list[dict[str, Any]]]],
    as_of: date,
) -> None:
    empty(store, "reg_registered", "stg_follow_up")
    for number, (person, visits) in enumerate(people):
        add_registered(store, f"G-{number}", **person)
        for visit in visits:
            add_visit(store, f"G-{number}", **visit)

    update_visits(store, plan, as_of)

    expected = [
        (f"G-{number}", day, *met)
        for number, (person, visits) in enumerate(people)
        for day, met in sorted(plainly(person, visits, as_of).items())
    ]
    assert due(store) == expected
