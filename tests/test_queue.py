"""The diagnosis queue: clinician-set urgency, then waiting time; whoever is done leaves at once."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
    add_outcome,
    add_referral,
    add_registered,
    add_submission,
    add_visit,
    add_withdrawal,
    contents,
    empty,
)
from tasks.compile_list import compile_list
from tasks.diagnosis_queue import update_queue
from tasks.figures import RawFigure, list_figures, queue_figures
from tasks.intake import take_in
from tasks.plan import ClinicSession, Plan, occurrence_at
from tasks.publish import Findings, publish
from tasks.rules.disclosure import WAITED, Figure
from tasks.rules.errors import DisclosureRisk
from tasks.store import Store

DUE = date(2025, 11, 10)
FIRST, SECOND = date(2025, 11, 12), date(2025, 11, 19)
"""The clinic sessions of the plan, two seats each."""


def add_people(store: Store, plan: Plan, **people: dict[str, Any]) -> None:
    """Add a person a keyword, called by it, and compile the list."""
    for ref, changes in people.items():
        add_referral(store, ref, **({"full_name": f"名{ref}"} | changes))
    compile_list(store, plan, DUE)


def queue(store: Store, columns: str = "state, position, session_date") -> dict[str, Any]:
    """Return person -> columns of the queue."""
    return {ref: tuple(row) for ref, *row in contents(store, "reg_queue", f"person_ref, {columns}")}


def test_urgency_then_waiting_then_reference(store: Store, plan: Plan) -> None:
    add_people(
        store,
        plan,
        a={"consent_date": date(2025, 10, 3)},
        b={"consent_date": date(2025, 10, 2)},
        c={"consent_date": date(2025, 10, 9), "urgency": "soon"},
        d={"consent_date": date(2025, 10, 3)},
        e={"consent_date": date(2025, 10, 4)},
    )

    result = update_queue(store, plan, DUE)

    assert queue(store) == {
        "c": ("booked", 1, FIRST),
        "b": ("booked", 2, FIRST),
        "a": ("booked", 3, SECOND),
        "d": ("booked", 4, SECOND),
        "e": ("waiting", 5, None),
    }
    assert result.people == {
        "waiting": 1,
        "booked": 4,
        "confirmed": 0,
        "not_confirmed": 0,
        "declined": 0,
        "withdrawn": 0,
    }


def test_who_is_in_hospital_or_known_does_not_queue_and_who_cannot_be_told_is_not_booked(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1", resident_key="k")
    add_people(
        store,
        plan,
        a={"care_setting": "hospital"},
        b={"resident_key": "k"},
        c={"care_setting": "not_reachable"},
        d={"care_setting": "welfare_institution"},
        e={"care_setting": "other_institution"},
    )

    update_queue(store, plan, DUE)

    assert queue(store) == {
        "c": ("waiting", 1, None),
        "d": ("booked", 2, FIRST),
        "e": ("booked", 3, FIRST),
    }


def test_outcomes_end_the_wait_or_do_not(store: Store, plan: Plan) -> None:
    add_people(store, plan, a={}, b={}, c={}, d={}, e={})
    update_queue(store, plan, DUE)
    add_outcome(store, "a", FIRST, "confirmed", management_consent=False)
    add_outcome(store, "b", FIRST, "no_show")
    add_outcome(store, "c", FIRST, "declined")
    add_outcome(store, "d", FIRST, "reassess")
    add_withdrawal(store, "e")

    result = update_queue(store, plan, FIRST + timedelta(days=1))

    assert queue(store, "state, position, waiting_since, session_date, attended_on") == {
        "a": ("confirmed", None, date(2025, 10, 20), None, FIRST),
        "b": ("booked", 1, date(2025, 10, 20), SECOND, None),
        "c": ("declined", None, date(2025, 10, 20), None, None),
        "d": ("booked", 2, date(2025, 10, 20), SECOND, FIRST),
        "e": ("withdrawn", None, date(2025, 10, 20), None, None),
    }
    assert result.enrolled == 0
    past = [row for row in contents(store, "reg_booking") if row[1] == FIRST]
    assert [row[2] for row in past] == ["a", "b"]


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        (["no_show", "confirmed"], "confirmed"),
        (["not_confirmed", "no_show"], "not_confirmed"),
        (["not_confirmed", "confirmed"], "confirmed"),
        (["not_confirmed", "reassess"], "booked"),
        (["reassess", "no_show"], "booked"),
        (["declined", "not_confirmed"], "not_confirmed"),
    ],
)
def test_the_latest_outcome_that_is_no_absence_decides(
    store: Store, plan: Plan, outcomes: list[str], state: str
) -> None:
    add_people(store, plan, a={})
    for days, outcome in enumerate(outcomes):
        add_outcome(store, "a", date(2025, 11, 1) + timedelta(days=days), outcome)

    update_queue(store, plan, DUE)

    assert queue(store, "state") == {"a": (state,)}


def test_outcomes_and_bookings_follow_a_person_through_any_referral(
    store: Store, plan: Plan
) -> None:
    add_people(store, plan, b={"resident_key": "k", "full_name": "甲"})
    update_queue(store, plan, DUE)
    add_people(store, plan, a={"resident_key": "k", "full_name": "乙"})

    update_queue(store, plan, DUE)
    assert queue(store) == {"a": ("booked", 1, FIRST)}

    add_outcome(store, "b", FIRST, "not_confirmed")
    update_queue(store, plan, FIRST)
    assert queue(store) == {"a": ("not_confirmed", None, None)}


def test_bookings_of_those_who_still_wait_are_kept_and_free_seats_filled(
    store: Store, plan: Plan
) -> None:
    add_people(store, plan, b={}, c={}, d={})
    update_queue(store, plan, DUE)
    add_people(store, plan, a={"urgency": "soon"}, e={"urgency": "soon"})
    add_outcome(store, "c", DUE + timedelta(days=1), "declined")

    update_queue(store, plan, DUE + timedelta(days=1))

    assert queue(store) == {
        "a": ("booked", 1, FIRST),
        "b": ("booked", 3, FIRST),
        "c": ("declined", None, None),
        "d": ("booked", 4, SECOND),
        "e": ("booked", 2, SECOND),
    }


def test_a_session_of_the_day_is_over_and_who_missed_it_gets_the_next(
    store: Store, plan: Plan
) -> None:
    add_people(store, plan, a={}, b={}, c={"care_setting": "not_reachable"})
    update_queue(store, plan, DUE)
    add_outcome(store, "a", FIRST, "no_show")
    add_outcome(store, "b", FIRST, "not_confirmed")
    add_people(store, plan, d={})

    update_queue(store, plan, FIRST)
    assert queue(store) == {
        "a": ("booked", 1, SECOND),
        "b": ("not_confirmed", None, None),
        "c": ("waiting", 2, None),
        "d": ("booked", 3, SECOND),
    }


def test_an_earlier_day_again_gives_what_it_gave(store: Store, plan: Plan) -> None:
    add_people(store, plan, a={}, b={}, c={}, d={}, e={}, f={})
    update_queue(store, plan, DUE)
    then = contents(store, "reg_queue")
    add_outcome(store, "a", FIRST, "no_show")
    add_outcome(store, "b", FIRST, "confirmed")
    for ref in ("c", "d"):
        add_outcome(store, ref, FIRST, "declined")
    update_queue(store, plan, FIRST)
    update_queue(store, plan, FIRST + timedelta(days=1))
    later = contents(store, "reg_queue")
    register, bookings = contents(store, "reg_registered"), contents(store, "reg_booking")

    update_queue(store, plan, DUE)
    assert contents(store, "reg_queue") == then
    update_queue(store, plan, FIRST + timedelta(days=1))
    assert contents(store, "reg_queue") == later
    assert contents(store, "reg_registered") == register
    assert contents(store, "reg_booking") == bookings


def test_who_is_confirmed_and_agrees_goes_on_the_register(store: Store, plan: Plan) -> None:
    add_registered(store, "R20250007")
    add_registered(store, "R20240099", full_name="赵六")
    add_visit(store, "R20250008", date(2025, 10, 1))
    add_people(
        store,
        plan,
        a={"resident_key": "k", "full_name": "甲", "consent_date": date(2025, 10, 1)},
        b={"resident_key": "k", "full_name": "乙", "phone": "1", "residence_village": VILLAGE_2},
        c={},
        d={},
    )
    add_outcome(store, "d", FIRST, "confirmed")
    add_outcome(store, "a", date(2025, 11, 11), "confirmed", diagnosis="schizophrenia")
    add_outcome(store, "c", date(2025, 11, 11), "confirmed", management_consent=False)

    assert update_queue(store, plan, FIRST).enrolled == 2
    assert update_queue(store, plan, FIRST).enrolled == 2

    columns = (
        "register_no, full_name, resident_key, residence_village, phone, diagnosis, confirmed_on,"
        " referral_ref"
    )
    enrolled = [row for row in contents(store, "reg_registered", columns) if row[-1]]
    day = date(2025, 11, 11)
    assert enrolled == [
        ("R20250009", "乙", "k", VILLAGE_2, "1", "schizophrenia", day, "a"),
        ("R20250010", "名d", None, VILLAGE_1, None, "bipolar", FIRST, "d"),
    ]


def test_a_corrected_outcome_takes_the_register_entry_back(store: Store, plan: Plan) -> None:
    add_people(store, plan, a={})
    add_registered(store, "G-1")
    add_outcome(store, "a", FIRST, "confirmed")
    update_queue(store, plan, FIRST)
    store.connection.execute("UPDATE register.stg_assessment_outcome SET is_current = false")
    add_outcome(store, "a", FIRST, "not_confirmed")

    assert update_queue(store, plan, FIRST).enrolled == 0

    assert contents(store, "reg_registered", "register_no") == [("G-1",)]
    assert queue(store, "state") == {"a": ("not_confirmed",)}


DAYS = st.integers(0, 12).map(lambda days: DUE + timedelta(days=days))
PERSON = st.fixed_dictionaries(
    {
        "urgency": st.sampled_from(["routine", "soon"]),
        "consent_date": st.integers(1, 9).map(lambda day: date(2025, 10, day)),
        "care_setting": st.sampled_from(["home", "home", "not_reachable", "hospital"]),
    }
)
OUTCOME = st.sampled_from(["confirmed", "not_confirmed", "declined", "no_show", "reassess"])


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    people=st.lists(PERSON, min_size=1, max_size=8),
    clinic=st.dictionaries(DAYS, st.integers(1, 2), max_size=3),
    told=st.dictionaries(st.tuples(st.integers(0, 7), DAYS), OUTCOME, max_size=5),
    days=st.lists(DAYS, min_size=1, max_size=3),
)
def test_seats_are_never_given_twice_and_nobody_overtakes(
    store: Store,
    plan: Plan,
    people: list[dict[str, Any]],
    clinic: dict[date, int],
    told: dict[tuple[int, date], str],
    days: list[date],
) -> None:
    empty(store, "stg_referral", "stg_assessment_outcome", "reg_booking", "reg_registered")
    empty(store, "reg_list", "reg_person", "reg_person_referral", "reg_queue", "reg_question")
    sessions = tuple(ClinicSession(date=day, capacity=seats) for day, seats in clinic.items())
    plan = plan.model_copy(update={"clinic": sessions})
    add_people(store, plan, **{f"p{n}": person for n, person in enumerate(people)})
    for (number, day), outcome in told.items():
        add_outcome(store, f"p{number}", day, outcome)

    for day in sorted(days):
        update_queue(store, plan, day)
        rows = contents(store, "reg_queue")
        update_queue(store, plan, day)
        assert contents(store, "reg_queue") == rows

        seats = [row[6] for row in rows if row[2] == "booked"]
        assert all(seat >= day and seats.count(seat) <= clinic[seat] for seat in seats)
        waits = [row for row in rows if row[2] in ("waiting", "booked")]
        order = sorted(waits, key=lambda row: (row[4] != "soon", row[5], row[1]))
        assert [row[3] for row in order] == list(range(1, len(waits) + 1))
        ended = {row[1] for row in rows} - {row[1] for row in waits}
        assert ended <= {
            f"p{number}"
            for (number, on), outcome in told.items()
            if on <= day and outcome in ("confirmed", "not_confirmed", "declined")
        }
    if len(days) == 1 and not told:
        seat_of = dict(contents(store, "reg_booking", "person_ref, session_date"))
        bookable = [row[1] for row in order if people[int(row[1][1:])]["care_setting"] == "home"]
        assert set(bookable[: len(seat_of)]) == set(seat_of)
        given_seats = [seat_of[person] for person in bookable[: len(seat_of)]]
        assert given_seats == sorted(given_seats)


# Figures: exact, for publish alone


def values(figures: list[Any]) -> dict[tuple[str, str], float | None]:
    """Return (name, village) -> value."""
    return {(figure.name, figure.village): figure.value for figure in figures}


def test_figures_of_the_list_tell_zero_from_not_reported(store: Store, plan: Plan) -> None:
    add_registered(store, "G-1", resident_key="k")
    add_people(
        store,
        plan,
        a={"resident_key": "k"},
        b={"care_setting": "hospital"},
        c={"care_setting": "not_reachable"},
        d={},
    )
    add_withdrawal(store, "d")
    add_submission(store, VILLAGE_2, accepted=1, nil=True)
    add_submission(store, VILLAGE_3, accepted=0, returned=3)

    found = values(list_figures(store, plan))

    assert found == {
        ("people_listed", ""): 3,
        ("people_known", ""): 1,
        ("people_new", ""): 2,
        ("people_home", ""): 1,
        ("people_hospital", ""): 1,
        ("people_welfare_institution", ""): 0,
        ("people_other_institution", ""): 0,
        ("people_not_reachable", ""): 1,
        ("people_listed", VILLAGE_1): 3,
        ("people_listed", VILLAGE_2): 0,
        ("people_listed", VILLAGE_3): None,
    }


def test_a_village_that_said_nothing_of_referrals_has_nobody_listed_unknown(
    store: Store, plan: Plan
) -> None:
    add_people(store, plan, a={})
    add_submission(store, VILLAGE_2, accepted=1)
    add_submission(store, VILLAGE_3, accepted=1)
    store.connection.execute(
        "UPDATE register.raw_submission SET sheets = ['coverage'] WHERE sender_village = $village",
        {"village": VILLAGE_3},
    )
    found = values(list_figures(store, plan))
    assert found["people_listed", VILLAGE_2] == 0
    assert found["people_listed", VILLAGE_3] is None
    # it is known once the village sent a referral, of whoever
    add_referral(store, "b", sender_village=VILLAGE_3)
    assert values(list_figures(store, plan))["people_listed", VILLAGE_3] == 0


def test_figures_of_the_queue(store: Store, plan: Plan) -> None:
    add_people(store, plan, a={}, b={}, c={}, d={}, e={}, f={})
    update_queue(store, plan, DUE)
    add_outcome(store, "a", FIRST, "no_show")
    add_outcome(store, "b", FIRST, "confirmed")
    add_outcome(store, "c", date(2025, 11, 11), "declined")
    add_outcome(store, "d", date(2025, 11, 14), "reassess")
    add_withdrawal(store, "e")
    day = date(2025, 11, 15)
    update_queue(store, plan, day)

    figures = queue_figures(store, plan, day)

    assert values(figures) == {
        ("people_waiting", ""): 1,
        ("people_booked", ""): 2,
        ("people_offered", ""): 4,
        ("people_attended", ""): 2,
        ("people_assessed", ""): 2,
        ("people_confirmed", ""): 1,
        ("people_not_confirmed", ""): 0,
        ("people_declined", ""): 1,
        ("waited_to_14", ""): 0,
        ("waited_15_to_30", ""): 2,
        ("waited_31_to_60", ""): 0,
        ("waited_61_to_90", ""): 0,
        ("waited_over_90", ""): 0,
        ("waiting_median", ""): 23,
        ("waiting_p90", ""): 25,
        ("sessions_planned", ""): 2,
        ("sessions_held", ""): 1,
    }
    assert {figure.behind for figure in figures if figure.unit == "days"} == {"people_assessed"}


def test_everybody_assessed_is_in_one_step_of_waiting(store: Store, plan: Plan) -> None:
    days = (0, 14, 15, 30, 31, 60, 61, 90, 91, 400)
    store.connection.executemany(
        "INSERT INTO register.reg_waited (campaign, days, people) VALUES (?, ?, ?)",
        [[plan.slug, each, 10 + place // 2] for place, each in enumerate(days)],
    )
    found = values(queue_figures(store, plan, DUE))
    steps = ("to_14", "15_to_30", "31_to_60", "61_to_90", "over_90")
    assert [found[f"waited_{step}", ""] for step in steps] == [20, 22, 24, 26, 28]


def waited(assessed: int, *steps: int) -> list[RawFigure]:
    """What is released of a queue in which only how long people waited is told."""
    figures = [RawFigure("people_assessed", "people", "", assessed)]
    return figures + [
        RawFigure(name, "people", "", count) for name, count in zip(WAITED, steps, strict=True)
    ]


def test_steps_that_would_give_somebody_away_are_withheld_together(
    store: Store, plan: Plan
) -> None:
    # nine in ten of 13 to 17 waited for the first step's days: at most one person waited longer
    release(store, plan, Findings(waited(14, 13, 1, 0, 0, 0)), "diagnosis_queue")
    query = """
        SELECT revision, name, value, state FROM ledger.out_figure
        WHERE phase = 'diagnosis_queue' ORDER BY revision, position"""
    found = store.connection.execute(query).fetchall()
    assert found[0] == (1, "people_assessed", 15.0, "released")
    assert found[1:] == [(1, name, None, "withheld") for name in WAITED]
    kept = "SELECT name, exact FROM register.reg_released_count WHERE starts_with(name, 'waited_')"
    assert {exact for _, exact in store.connection.execute(kept).fetchall()} == {None}

    # the same again is no news; once more have waited longer, the steps are told
    release(store, plan, Findings(waited(14, 13, 1, 0, 0, 0)), "diagnosis_queue")
    release(store, plan, Findings(waited(60, 40, 15, 5, 0, 0)), "diagnosis_queue")
    found = store.connection.execute(query).fetchall()
    assert {revision for revision, *_ in found} == {1, 2}
    assert [(value, state) for revision, _, value, state in found if revision == 2] == [
        (60.0, "released"),
        (40.0, "released"),
        (15.0, "released"),
        (None, "withheld"),
        (0.0, "zero"),
        (0.0, "zero"),
    ]


@pytest.mark.parametrize(
    ("assessed", "median_from", "state"),
    [
        (7, 8, "withheld"),
        (8, 8, "released"),
        # 13 to 17 are shown as 15: what the median says must not tell them apart
        (12, 13, "withheld"),
        (13, 13, "released"),
        (13, 14, "withheld"),
        (17, 14, "withheld"),
        (18, 14, "released"),
    ],
)
def test_a_median_is_shown_where_the_released_count_shows_enough_people(
    store: Store, plan: Plan, assessed: int, median_from: int, state: str
) -> None:
    rules = plan.rules.model_copy(update={"median_from": median_from})
    figures = [
        RawFigure("people_assessed", "people", "", assessed),
        RawFigure("waiting_median", "days", "", 20.0, behind="people_assessed"),
    ]
    assert released(store, plan.model_copy(update={"rules": rules}), figures) == state


def test_a_median_is_withheld_where_its_people_are_withheld_for_others_sake(
    store: Store, plan: Plan
) -> None:
    # the 12 of one village would leave 6 or 7 for the other
    figures = [
        RawFigure("referrals", "people", "", 19),
        RawFigure("referrals", "people", VILLAGE_1, 12),
        RawFigure("referrals", "people", VILLAGE_2, 7),
        RawFigure("waiting_median", "days", VILLAGE_1, 20.0, behind="referrals"),
    ]
    assert released(store, plan, figures, "sweep") == "withheld"


def test_a_count_of_which_nothing_was_kept_stops_the_next_release(store: Store, plan: Plan) -> None:
    released(store, plan, [RawFigure("people_waiting", "people", "", 12)])
    store.connection.execute("DELETE FROM register.reg_released_count")
    with pytest.raises(DisclosureRisk) as stopped:
        released(store, plan, [RawFigure("people_waiting", "people", "", 30)])
    assert stopped.value.key == "disclosure.count_not_kept"


def test_figures_that_are_only_copied_need_nothing_kept(store: Store, plan: Plan) -> None:
    for value in (20.0, 25.0):
        copied = Figure("people_listed", "people", "", value, "released")
        found = Findings([RawFigure("households", "households", "", 5)], copied=[copied])
        release(store, plan, found, "aggregation")
    query = "SELECT value FROM ledger.out_figure WHERE name = 'people_listed' ORDER BY revision"
    assert store.connection.execute(query).fetchall() == [(20.0,), (25.0,)]


def release(store: Store, plan: Plan, findings: Findings, phase: str) -> None:
    """Publish findings of a phase without a report."""
    publish(
        store,
        plan,
        occurrence_at(plan, phase, DUE),
        DUE,
        findings,
        now=datetime(2025, 11, 10, 18),
        check=lambda _: [],
        announce=lambda _: None,
    )


def released(
    store: Store, plan: Plan, figures: list[RawFigure], phase: str = "diagnosis_queue"
) -> str:
    """Return the state in which the last of `figures` was released."""
    release(store, plan, Findings(figures), phase)
    query = "SELECT state FROM ledger.out_figure WHERE name = $name ORDER BY revision DESC LIMIT 1"
    (row,) = store.connection.execute(query, {"name": figures[-1].name}).fetchall()
    state: str = row[0]
    return state


def test_before_anybody_was_assessed_there_is_no_waiting_time(store: Store, plan: Plan) -> None:
    add_people(store, plan, a={})
    update_queue(store, plan, DUE)

    found = values(queue_figures(store, plan, DUE))

    assert found["waiting_median", ""] is None
    assert found["people_assessed", ""] == 0


# The register, as assessments and the health centre change it


SECOND_OPINIONS = {
    "not_confirmed": ("not_confirmed", {}),
    "consent taken back": ("confirmed", {"management_consent": False}),
    "declined": ("declined", {}),
}


@pytest.mark.parametrize(("outcome", "changes"), SECOND_OPINIONS.values(), ids=SECOND_OPINIONS)
def test_a_later_outcome_takes_the_register_entry_back_whatever_referral_it_names(
    store: Store, plan: Plan, outcome: str, changes: dict[str, Any]
) -> None:
    add_people(store, plan, a={"resident_key": "k"}, b={"resident_key": "k"})
    add_outcome(store, "a", FIRST, "confirmed")
    assert update_queue(store, plan, FIRST).enrolled == 1
    add_outcome(store, "b", SECOND, outcome, **changes)

    assert update_queue(store, plan, SECOND).enrolled == 0
    # an earlier day again, when only the first opinion was known, brings nobody back
    assert update_queue(store, plan, FIRST).enrolled == 0
    assert contents(store, "reg_registered") == []


def test_an_absence_or_another_confirmation_takes_nobody_off(store: Store, plan: Plan) -> None:
    add_people(store, plan, a={}, b={})
    for ref in ("a", "b"):
        add_outcome(store, ref, FIRST, "confirmed")
    update_queue(store, plan, FIRST)
    was = contents(store, "reg_registered")
    add_outcome(store, "a", SECOND, "no_show")
    add_outcome(store, "b", SECOND, "confirmed")

    assert update_queue(store, plan, SECOND).enrolled == 2
    assert contents(store, "reg_registered") == was


def test_the_centres_register_updates_who_was_enrolled_here_and_enrols_nobody_twice(
    store: Store, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    add_people(store, plan, a={})
    add_outcome(store, "a", FIRST, "confirmed")
    update_queue(store, plan, FIRST)
    ((number,),) = contents(store, "reg_registered", "register_no")
    sent = {
        "register_no": number,
        "full_name": "名a",
        "sex": "男",
        "birth_date": "1980-01-02",
        "residence_village": VILLAGE_2,
        "consent_by": "本人",
        "consent_date": "2025-11-12",
        "consent_scope": "评估和管理",
        "diagnosis": "双相障碍",
        "confirmed_on": "2025-11-12",
        "psychiatrist_licence": "110990000000001",
        "stability": "稳定",
    }
    stranger = sent | {"full_name": "赵六"}
    for name, rows in {"again": [sent], "other": [stranger]}.items():
        path = write_csv(
            "registered_person",
            rows,
            village=plan.health_centre.code,
            phase="follow_up",
            round=0,
            name=f"{name}.csv",
        )
        at = datetime.combine(SECOND, time(9))
        (result,) = take_in(
            store, {plan.slug: plan}, [path], received_at=at, recorded_at=at, keep=True
        )
        assert [row.rules for row in result.returned] == (
            [] if rows == [sent] else [("register_no_valid",)]
        )

    assert update_queue(store, plan, SECOND).enrolled == 1
    columns = "register_no, full_name, residence_village, stability, source, referral_ref"
    assert contents(store, "reg_registered", columns) == [
        (number, "名a", VILLAGE_2, "stable", "assessment", "a")
    ]
