"""Follow-up visits by the national interval; an overdue visit never disappears."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import occurrence
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
    add_register_word,
    add_registered,
    add_visit,
    add_withdrawal,
    contents,
    empty,
)
from tasks.plan import Plan
from tasks.rules.visits import (
    CLOSING,
    ENDING,
    STATES,
    Contact,
    DueVisit,
    FaceToFace,
    add_months,
    concentrated_state,
    due_visits,
    first_due,
    is_lost,
    next_due,
    visit_state,
)
from tasks.store import Store
from tasks.visits import VillageVisits, lost_to_follow_up, update_visits, village_visits

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
    assert counts == dict.fromkeys(STATES, 0) | {"done": 1, "late": 1, "open": 1}
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


# --- what closes a visit --------------------------------------------------------------------------

LAST = date(2025, 8, 20)
FIRST_DUE = date(2025, 11, 20)


def followed(store: Store, plan: Plan, as_of: date, *rows: tuple[date, dict[str, Any]]) -> None:
    """Put one person with these rows into the register, and work out the visits."""
    empty(store, "reg_registered", "stg_follow_up")
    add_registered(store, "G-1", last_visited_on=LAST, stability="stable")
    for day, changes in rows:
        add_visit(store, "G-1", day, **changes)
    update_visits(store, plan, as_of)


def not_made(reason: str, seen: str = "other") -> dict[str, Any]:
    """A row that says why no visit was made."""
    return {"seen": seen, "lost_reason": reason, "stability": None, "rating": None}


def test_declined_closes_the_visit_and_the_next_one_falls_due(store: Store, plan: Plan) -> None:
    followed(store, plan, DAY, (date(2025, 11, 25), not_made("declined", "person")))
    assert contents(store, "reg_visit_due", "due_on, visited_on, closed_on, state") == [
        (FIRST_DUE, None, date(2025, 11, 25), "declined"),
        (date(2026, 2, 25), None, None, "open"),
    ]


@pytest.mark.parametrize("reason", ENDING)
def test_who_is_no_longer_here_owes_nothing_more(store: Store, plan: Plan, reason: str) -> None:
    followed(store, plan, date(2026, 6, 1), (date(2025, 11, 25), not_made(reason)))
    assert due(store) == [("G-1", FIRST_DUE, None, reason)]


@pytest.mark.parametrize("reason", ["moved", "transferred"])
def test_who_is_met_again_is_back(store: Store, plan: Plan, reason: str) -> None:
    rows = (
        (date(2025, 11, 25), not_made(reason)),
        (date(2025, 12, 1), {"seen": "guardian"}),
        (date(2026, 1, 5), {"stability": "unstable"}),
    )
    followed(store, plan, date(2026, 1, 6), *rows[:2])
    assert len(due(store)) == 1, "whom the guardian speaks of is not back"
    followed(store, plan, date(2026, 1, 6), *rows)
    assert due(store)[1:] == [("G-1", date(2026, 1, 19), None, "open")]


def test_who_takes_consent_back_owes_nothing_more(store: Store, plan: Plan) -> None:
    """The visit would be on no list: it is as declined, and no other one falls due."""
    add_registered(store, "R1", referral_ref="R-1", last_visited_on=date(2025, 7, 1))
    add_visit(store, "R1", date(2025, 8, 1))
    add_withdrawal(store, "R-1", date(2025, 11, 10))
    update_visits(store, plan, date(2025, 11, 9))
    assert [row[-1] for row in due(store)] == ["done", "overdue"]
    update_visits(store, plan, date(2025, 12, 31))
    assert [row[-1] for row in due(store)] == ["done", "declined"]
    opens, until = date(2025, 11, 1), date(2025, 11, 20)
    window = occurrence("follow_up", opens, until)
    (found,) = [each for each in village_visits(store, plan, window, until) if each.due]
    assert (found.due, found.declined) == (1, 1)
    later = occurrence("follow_up", until, date(2025, 12, 20))
    assert not any(each.due for each in village_visits(store, plan, later, date(2025, 12, 31)))


def test_of_the_dead_nothing_is_due_whatever_came_before_or_after(store: Store, plan: Plan) -> None:
    followed(
        store,
        plan,
        date(2026, 1, 6),
        (date(2025, 11, 25), not_made("died")),
        (date(2025, 12, 20), {"stability": "unstable"}),
    )
    assert due(store) == [("G-1", FIRST_DUE, None, "died")]
    # the register's own word of a later visit brings nobody back
    add_registered(store, "G-2", last_visited_on=date(2025, 12, 1))
    add_visit(store, "G-2", date(2025, 11, 25), **not_made("died"))
    update_visits(store, plan, date(2026, 1, 6))
    assert {row[0] for row in due(store)} == {"G-1"}


def test_a_visit_and_what_ends_visits_may_fall_on_one_day(store: Store, plan: Plan) -> None:
    day = date(2025, 11, 25)
    followed(store, plan, day, (day, not_made("transferred")), (day, {"campaign": "other"}))
    assert due(store) == [
        ("G-1", FIRST_DUE, day, "late"),
        ("G-1", date(2026, 2, 25), None, "transferred"),
    ]


def test_a_hand_over_to_another_health_centre_closes_as_transferred(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1", last_visited_on=LAST)
    store.run(
        "export/add",
        path="exports/h.xlsx",
        kind="handover",
        campaign=plan.slug,
        recipient="他乡卫生院",
        subjects=["G-1"],
        made_at=datetime(2025, 11, 25, 9, 0),
        remove_on=date(2025, 12, 2),
        password=None,
    )
    update_visits(store, plan, date(2025, 11, 24))
    assert due(store) == [("G-1", FIRST_DUE, None, "overdue")]
    update_visits(store, plan, date(2026, 3, 1))
    assert due(store) == [("G-1", FIRST_DUE, None, "transferred")]
    add_visit(store, "G-1", date(2026, 2, 1))
    update_visits(store, plan, date(2026, 3, 1))
    assert due(store)[-1] == ("G-1", date(2026, 5, 1), None, "open")


def test_a_call_without_a_clinicians_finding_changes_no_interval(store: Store, plan: Plan) -> None:
    call = {"mode": "phone", "stability": None, "rating": None, "clinician_licence": None}
    followed(
        store,
        plan,
        date(2025, 12, 20),
        (date(2025, 11, 20), {"stability": "unstable"}),
        (date(2025, 12, 1), call),
        (date(2025, 12, 10), call),
    )
    assert [row[1] for row in due(store)] == [
        FIRST_DUE,
        date(2025, 12, 4),
        date(2025, 12, 15),
        date(2025, 12, 24),
    ]


# --- the register sent again ----------------------------------------------------------------------


def test_a_register_sent_again_with_a_later_visit_does_not_undo_what_was_owed(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1", last_visited_on=date(2025, 12, 1))
    words = [(datetime(2025, 9, 1, 8), LAST), (datetime(2025, 12, 3, 8), date(2025, 12, 1))]
    for at, day in words:
        add_register_word(store, "G-1", at, day)

    update_visits(store, plan, date(2025, 12, 5))

    met = [("G-1", FIRST_DUE, date(2025, 12, 1), "late")]
    assert due(store) == [*met, ("G-1", date(2026, 3, 1), None, "open")]
    update_visits(store, plan, DAY)
    assert due(store) == [("G-1", FIRST_DUE, None, "overdue")], "as it stood before"
    # a row tells more of the same day
    add_visit(store, "G-1", date(2025, 12, 1), stability="unstable")
    update_visits(store, plan, date(2025, 12, 5))
    assert due(store) == [*met, ("G-1", date(2025, 12, 15), None, "open")]


def test_a_last_visit_that_was_put_right_is_no_visit(store: Store, plan: Plan) -> None:
    add_registered(store, "G-1", last_visited_on=date(2025, 8, 1))
    add_register_word(store, "G-1", datetime(2025, 9, 1, 8), LAST, is_current=False)
    add_register_word(store, "G-1", datetime(2025, 9, 3, 8), date(2025, 8, 1))

    update_visits(store, plan, DAY)

    assert due(store) == [("G-1", date(2025, 11, 1), None, "overdue")]
    add_register_word(store, "G-1", datetime(2025, 12, 3, 8), date(2025, 12, 2), campaign="b")
    add_register_word(store, "G-1", datetime(2025, 12, 5, 8), date(2025, 12, 1), campaign="b")
    update_visits(store, plan, date(2025, 12, 6))
    assert due(store)[0] == ("G-1", date(2025, 11, 1), date(2025, 12, 1), "late")


# --- face to face ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def meeting_plan(plan: Plan) -> Plan:
    """The plan with the rule that a rating of 3 or more is met face to face twice a year."""
    rules = plan.rules.model_copy(update={"face_to_face_rating": 3, "face_to_face_a_year": 2})
    return plan.model_copy(update={"rules": rules})


PHONE = {"mode": "phone"}
UNSTABLE = {"stability": "unstable"}


def calls(first: date, months: int, **changes: Any) -> list[tuple[date, dict[str, Any]]]:
    """A telephone call each month, at which a clinician finds the person stable."""
    return [(add_months(first, month), PHONE | changes) for month in range(months)]


def test_who_was_rated_three_is_met_face_to_face_twice_a_year(
    store: Store, plan: Plan, meeting_plan: Plan
) -> None:
    rows = [(FIRST_DUE, {"rating": 3}), *calls(date(2026, 1, 10), 6)]
    as_of = date(2026, 6, 20)
    followed(store, plan, as_of, *rows)
    assert due(store)[-1] == ("G-1", date(2026, 9, 10), None, "open"), "no such rule in this plan"

    followed(store, meeting_plan, as_of, *rows)
    asked = contents(store, "reg_visit_due", "due_on, state, face_to_face")
    assert asked[-1] == (date(2026, 5, 20), "overdue", True)
    assert not any(face_to_face for *_, face_to_face in asked[:-1])
    followed(store, meeting_plan, as_of, *rows, (date(2026, 6, 15), {"seen": "guardian"}))
    assert due(store)[-1] == ("G-1", date(2026, 5, 20), None, "overdue"), "the guardian is another"
    followed(store, meeting_plan, as_of, *rows, (date(2026, 6, 15), {"mode": "clinic"}))
    assert due(store)[-2:] == [
        ("G-1", date(2026, 5, 20), date(2026, 6, 15), "late"),
        ("G-1", date(2026, 9, 15), None, "open"),
    ]


def test_the_national_interval_holds_where_it_is_the_shorter_one(
    store: Store, meeting_plan: Plan
) -> None:
    followed(store, meeting_plan, DAY, (FIRST_DUE, {"rating": 4, "stability": "unstable"}))
    rows = contents(store, "reg_visit_due", "due_on, state, face_to_face")
    assert rows[-1] == (date(2025, 12, 4), "open", False)


def test_a_call_does_not_meet_what_must_be_face_to_face(store: Store, meeting_plan: Plan) -> None:
    rows: list[tuple[date, dict[str, Any]]] = [
        (FIRST_DUE, {"rating": 3}),
        (date(2026, 2, 20), PHONE),
        (date(2026, 4, 15), UNSTABLE | PHONE),
    ]
    met = [
        (FIRST_DUE, "done", False),
        (date(2026, 2, 20), "done", False),
    ]
    columns = "due_on, state, face_to_face"
    followed(store, meeting_plan, date(2026, 4, 1), *rows[:2])
    assert contents(store, "reg_visit_due", columns)[2:] == [(date(2026, 5, 20), "open", True)]
    # the finding asks for a visit sooner, by whatever mode; nothing has met the one of 20 May
    followed(store, meeting_plan, date(2026, 4, 20), *rows)
    sooner = date(2026, 4, 29)
    assert contents(store, "reg_visit_due", columns) == [*met, (sooner, "open", False)]
    followed(
        store, meeting_plan, date(2026, 5, 25), *rows, (sooner, {"stability": "stable"} | PHONE)
    )
    assert contents(store, "reg_visit_due", columns) == [
        *met,
        (sooner, "done", False),
        (date(2026, 5, 20), "overdue", True),
    ]


def test_a_clinician_who_rates_lower_ends_the_rule(store: Store, meeting_plan: Plan) -> None:
    rows = [(FIRST_DUE, {"rating": 3}), *calls(date(2026, 1, 10), 6)]
    followed(
        store, meeting_plan, date(2026, 6, 20), *rows, (date(2026, 6, 15), {"rating": 2} | PHONE)
    )
    assert due(store)[-2:] == [
        ("G-1", date(2026, 5, 20), date(2026, 6, 15), "late"),
        ("G-1", date(2026, 9, 15), None, "open"),
    ]


# --- lost to follow-up ----------------------------------------------------------------------------

NOBODY = {"seen": "nobody", "stability": None, "rating": None}


@pytest.mark.parametrize(
    ("days", "lost"),
    [
        ((1, 10, 30), True),
        ((1, 10, 31), False),
        ((1, 10), False),
        ((1, 1, 10), False),
        ((1, 15, 31, 40), True),
    ],
)
def test_three_attempts_within_thirty_days_and_nobody_there(
    store: Store, plan: Plan, days: tuple[int, ...], lost: bool
) -> None:
    first = date(2025, 10, 31)
    rows = [
        (first + timedelta(days=day), NOBODY | {"campaign": f"c{n}"}) for n, day in enumerate(days)
    ]
    followed(store, plan, date(2025, 12, 20), *rows)
    assert lost_to_follow_up(store, date(2025, 12, 20)) == (["G-1"] if lost else [])
    assert lost_to_follow_up(store, date(2025, 11, 9)) == []
    update_visits(store, plan, date(2025, 12, 20))
    assert due(store) == [("G-1", FIRST_DUE, None, "overdue")], "the visit stays owed"


@pytest.mark.parametrize(
    "reached", [{}, {"seen": "guardian"}, not_made("declined"), not_made("moved")]
)
def test_who_is_reached_is_lost_no_more(store: Store, plan: Plan, reached: dict[str, Any]) -> None:
    attempts = [(date(2025, 12, day), NOBODY) for day in (1, 5, 9)]
    followed(store, plan, DAY, *attempts, (date(2025, 12, 12), reached))
    assert lost_to_follow_up(store, date(2025, 12, 11)) == ["G-1"]
    assert lost_to_follow_up(store, date(2025, 12, 12)) == []


# --- a concentrated follow-up and a month ---------------------------------------------------------


def test_everybody_at_home_on_the_opening_day_is_owed_one_visit(store: Store, plan: Plan) -> None:
    window = occurrence("follow_up", date(2025, 10, 1), date(2025, 10, 31))
    away = date(2025, 9, 20)
    add_registered(store, "G-01", residence_village=VILLAGE_1)
    add_visit(store, "G-01", date(2025, 10, 31), entered_on=date(2025, 11, 2))
    add_registered(store, "G-02", residence_village=VILLAGE_1)
    add_visit(store, "G-02", date(2025, 11, 1))
    add_registered(store, "G-03", residence_village=VILLAGE_1)
    add_visit(store, "G-03", date(2025, 10, 2), **not_made("declined"))
    add_visit(store, "G-03", date(2025, 10, 9))
    add_registered(store, "G-04", residence_village=VILLAGE_1)
    add_visit(store, "G-04", date(2025, 10, 1), **not_made("died"))
    add_registered(store, "G-05", residence_village=VILLAGE_1)
    add_visit(store, "G-05", away, **not_made("moved"))
    add_registered(store, "G-06", residence_village=VILLAGE_1, confirmed_on=date(2025, 10, 2))
    add_registered(store, "G-07", residence_village=VILLAGE_2)
    for day in (3, 9, 20):
        add_visit(store, "G-07", date(2025, 10, day), **NOBODY)
    add_registered(store, "G-08", residence_village=VILLAGE_2, last_visited_on=date(2025, 10, 7))
    add_registered(store, "G-09", residence_village=VILLAGE_2, last_visited_on=date(2025, 9, 30))
    add_visit(store, "G-09", away, **not_made("moved"))
    add_visit(store, "G-09", date(2025, 11, 2), **not_made("transferred"))

    first, second, third = village_visits(store, plan, window, date(2025, 11, 3))

    assert first == VillageVisits(
        VILLAGE_1, due=4, done=2, late=1, died=1, entered_late=1, next_due_by=date(2026, 1, 2)
    )
    assert second == VillageVisits(
        VILLAGE_2, due=3, done=1, overdue=1, transferred=1, lost=1, next_due_by=date(2026, 1, 7)
    )
    assert third == VillageVisits(VILLAGE_3)


def test_a_month_shows_its_own_visits_and_what_is_overdue_from_before(
    store: Store, plan: Plan
) -> None:
    month = occurrence("follow_up", date(2025, 11, 1), date(2025, 12, 5), 1, "2025-11")
    add_registered(store, "G-1", last_visited_on=LAST)
    add_registered(store, "G-2", last_visited_on=LAST)
    add_visit(store, "G-2", date(2025, 11, 19), entered_on=date(2025, 12, 1))
    add_registered(store, "G-3", last_visited_on=date(2025, 6, 1), residence_village=VILLAGE_2)
    add_registered(store, "G-4", last_visited_on=date(2025, 9, 30), residence_village=VILLAGE_2)

    first, second, _ = village_visits(store, plan, month, date(2025, 12, 5))

    assert first == VillageVisits(
        VILLAGE_1, due=2, done=1, overdue=1, entered_late=1, next_due_by=date(2026, 2, 19)
    )
    assert second == VillageVisits(VILLAGE_2, due=1, overdue=1, next_due_by=date(2025, 12, 30))


# --- the statements and the rule ------------------------------------------------------------------

STABILITY = st.sampled_from(["stable", "basically_stable", "unstable", None])
DAYS = st.dates(date(2025, 1, 1), date(2026, 3, 1))
CONTACTS = st.lists(
    st.builds(
        Contact,
        visited_on=DAYS,
        seen=st.sampled_from(["person"] * 3 + ["guardian", "nobody", "other"]),
        mode=st.sampled_from(["home", "clinic", "phone", "phone", "phone"]),
        stability=STABILITY,
        rating=st.sampled_from([None, 2, 3, 5]),
        lost_reason=st.sampled_from([None] * 20 + [*CLOSING, "working_away"]),
        entered_on=st.none() | DAYS,
    ),
    max_size=12,
    unique_by=lambda contact: contact.visited_on,
)
PERSON = st.fixed_dictionaries(
    {
        "confirmed_on": st.dates(date(2024, 1, 1), date(2026, 3, 1)),
        "last_visited_on": st.none() | DAYS,
        "stability": STABILITY,
    }
)
MEETING = FaceToFace(3, 6)


def after_register(person: dict[str, Any], contacts: list[Contact]) -> list[Contact]:
    """The rows that count after the register's own word."""
    since = person["last_visited_on"] or person["confirmed_on"]
    return [
        each
        for each in contacts
        if each.visited_on > since or (each.visited_on == since and each.kind in ENDING)
    ]


def concentrated_of(
    person: dict[str, Any], contacts: list[Contact], opens: date, due_on: date, as_of: date
) -> DueVisit | None:
    """The visit of a concentrated follow-up, or None where none is owed."""
    known = person["last_visited_on"]
    since = known or person["confirmed_on"]
    died = min((each.visited_on for each in contacts if each.kind == "died"), default=date.max)
    counted = [each for each in after_register(person, contacts) if each.visited_on <= died]
    before = [each for each in counted if each.visited_on < opens]
    switches = [each for each in before if each.kind in ENDING or each.met_person]
    gone = switches and max(switches, key=lambda each: each.visited_on).kind in ENDING
    if since > as_of or (died <= as_of and died < since) or person["confirmed_on"] > opens or gone:
        return None
    within = [each for each in contacts if opens <= each.visited_on <= min(as_of, died)]
    if known and opens <= known:
        within.append(Contact(known, "person"))
    return concentrated_state(due_on, within, as_of)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    people=st.lists(st.tuples(PERSON, CONTACTS), min_size=1, max_size=8),
    as_of=DAYS,
    meets=st.booleans(),
    opens=DAYS,
    lasts=st.integers(0, 90),
)
def test_sql_and_rule_agree(
    store: Store,
    plan: Plan,
    meeting_plan: Plan,
    people: list[tuple[dict[str, Any], list[Contact]]],
    as_of: date,
    meets: bool,
    opens: date,
    lasts: int,
) -> None:
    with store.transaction():
        empty(store, "reg_registered", "stg_follow_up")
        for number, (person, contacts) in enumerate(people):
            add_registered(store, f"G-{number}", **person)
            for each in contacts:
                add_visit(store, f"G-{number}", **vars(each))

    update_visits(store, meeting_plan if meets else plan, as_of)

    expected = {
        f"G-{number}": due_visits(
            person["last_visited_on"] or person["confirmed_on"],
            person["stability"],
            contacts,
            as_of,
            MEETING if meets else None,
        )
        for number, (person, contacts) in enumerate(people)
    }
    columns = "due_on, state, visited_on, entered_on, closed_on, face_to_face"
    assert {
        number: [
            DueVisit(*row)
            for row in contents(store, f"reg_visit_due WHERE register_no = '{number}'", columns)
        ]
        for number in expected
    } == expected
    assert lost_to_follow_up(store, as_of) == [
        f"G-{number}"
        for number, (person, contacts) in enumerate(people)
        if (person["last_visited_on"] or person["confirmed_on"]) <= as_of
        and is_lost(after_register(person, contacts), as_of)
        and f"G-{number}" in {n for n, visits in expected.items() if visits}
    ]
    window = occurrence("follow_up", opens, opens + timedelta(days=lasts))
    if opens <= as_of:
        found = village_visits(store, plan, window, as_of)[0]
        owed = [
            visit
            for person, contacts in people
            if (visit := concentrated_of(person, contacts, opens, window.due, as_of))
        ]
        assert found.due == len(owed)
        assert {state: getattr(found, state) for state in STATES} == {
            state: sum(each.state == state for each in owed) for state in STATES
        }


@settings(max_examples=100)
@given(person=PERSON, contacts=CONTACTS, as_of=DAYS, later=st.integers(1, 200))
def test_an_overdue_visit_never_vanishes(
    person: dict[str, Any], contacts: list[Contact], as_of: date, later: int
) -> None:
    since = person["last_visited_on"] or person["confirmed_on"]
    arrived = [each for each in contacts if each.visited_on <= as_of]
    before = due_visits(since, person["stability"], arrived, as_of)
    then = as_of + timedelta(days=later)
    after = due_visits(since, person["stability"], contacts, then)
    states = {each.due_on: each.state for each in after}
    for each in before:
        if each.state == "overdue":
            assert states[each.due_on] in {"overdue", "late", *CLOSING}
        if each.state == "done":
            assert each.visited_on is not None
            assert each.visited_on <= each.due_on
    assert sum(each.state in ("open", "overdue") for each in after) <= 1
