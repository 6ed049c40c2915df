"""The life of a phase: planned, open, due, closed; each state recorded once and in order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import WriteCsv, coverage, occurrence
from register_rows import VILLAGE_1, VILLAGE_2
from tasks.agenda import owed_runs, read_facts
from tasks.clock import now_in, simulated
from tasks.extensions import grant_extension
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.phase_life import (
    Transition,
    note_run,
    phase_states,
    read_transitions,
    reopen_phase,
    settle_phases,
)
from tasks.plan import PACK, Plan
from tasks.receive import receive
from tasks.rules.agenda import DAY, Run, Term
from tasks.rules.contract import CHOICES
from tasks.rules.errors import WrongCommand
from tasks.rules.phase_states import MOVES, STATES, Step, following, require_move
from tasks.rules.wording import say
from tasks.store import Store

ISSUED = date(2025, 9, 1)
SWEEP = Term("sweep", 1, date(2025, 10, 1), date(2025, 10, 31))
READINESS = Term("readiness", 0, date(2025, 8, 1), date(2025, 9, 30))
UNTIL = date(2025, 11, 20)
LAST = date(2025, 12, 5)
LATER = datetime(2025, 11, 14, 9)


def states(
    term: Term, today: date, steps: Sequence[Step] = (), runs: Sequence[Run] = ()
) -> list[tuple[str, date]]:
    found = following(steps, term, runs, issued=ISSUED, today=today)
    return [(step.state, step.on_day) for step in found]


def ran(as_of: date, on: date | None = None) -> Run:
    return Run("sweep", 1, as_of, on or as_of + DAY)


# --- the rule -------------------------------------------------------------------------------------


def test_a_phase_is_planned_from_the_day_of_issue_or_its_earlier_opening() -> None:
    assert states(SWEEP, ISSUED) == [("planned", ISSUED)]
    assert states(READINESS, date(2025, 8, 1))[0] == ("planned", READINESS.opens)


def test_it_is_open_to_the_end_of_its_due_day_and_then_due() -> None:
    planned = [Step("planned", ISSUED)]
    assert states(SWEEP, SWEEP.opens - DAY, planned) == []
    assert states(SWEEP, SWEEP.opens, planned) == [("open", SWEEP.opens)]
    assert states(SWEEP, SWEEP.due, planned) == [("open", SWEEP.opens)]
    assert states(SWEEP, SWEEP.due + DAY, planned) == [("open", SWEEP.opens), ("due", SWEEP.due)]


def test_its_run_closes_it_and_no_run_of_an_earlier_day() -> None:
    due = [Step("due", SWEEP.due)]
    for early in (ran(SWEEP.due - DAY), ran(SWEEP.due, on=SWEEP.due)):
        assert states(SWEEP, SWEEP.due + DAY, due, [early]) == []
    both = [ran(SWEEP.due + 3 * DAY), ran(SWEEP.due + DAY)]
    assert states(SWEEP, SWEEP.due + 9 * DAY, due, both) == [("closed", SWEEP.due + DAY)]


def test_readiness_too_is_closed_by_its_run_alone() -> None:
    due = [("open", READINESS.opens), ("due", READINESS.due)]
    assert states(READINESS, READINESS.due + 9 * DAY)[1:] == due
    run = Run("readiness", 0, READINESS.due, READINESS.due + DAY)
    found = states(READINESS, READINESS.due + 9 * DAY, runs=[run])
    assert found[1:] == [*due, ("closed", READINESS.due)]


def test_a_due_day_that_moved_on_opens_it_again() -> None:
    due = [Step("due", SWEEP.due)]
    moved = replace(SWEEP, due=SWEEP.due + 5 * DAY)
    today = SWEEP.due + 2 * DAY
    assert states(moved, today, due) == [("open", today)]
    again = states(moved, moved.due + DAY, due, [ran(moved.due)])
    assert again == [("closed", moved.due)]


def test_a_reopened_phase_is_due_again_when_its_last_day_is_over() -> None:
    steps = [Step("closed", SWEEP.due), Step("reopened", SWEEP.due + 9 * DAY, UNTIL)]
    first = [ran(SWEEP.due)]
    assert states(SWEEP, UNTIL, steps, first) == []
    assert states(SWEEP, UNTIL + DAY, steps, first) == [("due", UNTIL)]
    closed = states(SWEEP, UNTIL + DAY, steps, [*first, ran(UNTIL)])
    assert closed == [("due", UNTIL), ("closed", UNTIL)]
    again = [*steps, Step("due", UNTIL), Step("closed", UNTIL), Step("reopened", UNTIL, LAST)]
    assert states(SWEEP, LAST, again, [*first, ran(UNTIL)]) == []
    assert states(SWEEP, LAST + DAY, again, [*first, ran(UNTIL)]) == [("due", LAST)]


@pytest.mark.parametrize("state", [None, *STATES])
@pytest.mark.parametrize("to", STATES)
def test_no_move_but_those_of_the_table(state: str | None, to: str) -> None:
    if to in MOVES[state]:
        require_move(state, to)
    else:
        with pytest.raises(WrongCommand):
            require_move(state, to)


def test_only_a_closed_phase_is_reopened_and_every_state_can_be_reached() -> None:
    assert [state for state, to in MOVES.items() if "reopened" in to] == ["closed"]
    assert {to for follows in MOVES.values() for to in follows} == set(STATES)
    assert set(MOVES) == {None, *STATES}


@given(st.lists(st.integers(1, 25), max_size=8), st.lists(st.integers(-20, 60), max_size=4))
def test_looking_often_or_once_records_the_same(gaps: list[int], run_days: list[int]) -> None:
    looks = [ISSUED]
    for gap in gaps:
        looks.append(looks[-1] + gap * DAY)
    runs = [ran(SWEEP.due + days * DAY) for days in run_days]
    steps: list[Step] = []
    for today in looks:
        known = [run for run in runs if run.ran_on <= today]
        steps += following(steps, SWEEP, known, issued=ISSUED, today=today)
    at_once = following((), SWEEP, known, issued=ISSUED, today=looks[-1])
    assert [step.state for step in steps] == [step.state for step in at_once]
    assert steps[:3] == at_once[:3]
    days = [step.on_day for step in steps]
    assert days == sorted(days)


# --- in the ledger --------------------------------------------------------------------------------


def test_states_noticed_late_are_recorded_once_with_their_own_days(
    store: Store, plan: Plan
) -> None:
    found = settle_phases(store, plan, LATER)
    assert settle_phases(store, plan, LATER) == []
    sweep = [each for each in found if each.phase == "sweep"]
    assert [(each.state, each.on_day, each.entered_at) for each in sweep] == [
        ("planned", plan.issued, LATER),
        ("open", date(2025, 10, 1), LATER),
        ("due", date(2025, 10, 31), LATER),
    ]
    assert [each.on_day for each in found] == sorted(each.on_day for each in found)
    assert {(each.phase, each.round) for each in found} == {
        (each.phase, each.round) for each in plan.calendar
    }
    assert read_transitions(store, plan)["sweep", 1] == tuple(sweep)


def test_how_a_phase_stands_needs_no_recording(home: Home, plan: Plan) -> None:
    with open_ledger(home) as store:
        found = phase_states(store, plan, LATER)
        assert read_transitions(store, plan) == {}
    assert {key: state.state for key, state in found.items()} == {
        ("follow_up", 0): "open",
        ("sweep", 1): "due",
        ("list_compilation", 0): "due",
        ("aggregation", 0): "open",
        ("supervision", 1): "open",
        ("diagnosis_queue", 0): "open",
    }
    assert found["sweep", 1].until == date(2025, 10, 31)
    assert found["sweep", 1].ran_as_of is None


def test_a_completed_run_closes_its_phase(store: Store, plan: Plan) -> None:
    settle_phases(store, plan, LATER)
    note_run(store, plan.slug, "sweep", 1, date(2025, 10, 31), 1, LATER)
    (closed,) = settle_phases(store, plan, LATER)
    assert (closed.phase, closed.state, closed.on_day) == ("sweep", "closed", date(2025, 10, 31))
    state = phase_states(store, plan, LATER)["sweep", 1]
    assert (state.state, state.ran_as_of) == ("closed", date(2025, 10, 31))


def test_a_run_for_the_same_day_takes_the_place_of_the_earlier_one(
    store: Store, plan: Plan
) -> None:
    for revision, hour in ((1, 9), (2, 11)):
        moment = datetime.combine(LATER.date(), time(hour))
        note_run(store, plan.slug, "sweep", 1, date(2025, 10, 31), revision, moment)
        note_run(store, plan.slug, "retention", 0, date(2025, 11, 13), None, moment)
    (sweep, retention) = store.records("life/runs", campaign=plan.slug)
    assert (sweep["revision"], sweep["ran_at"].hour) == (2, 11)
    assert (retention["phase"], retention["revision"]) == ("retention", None)


def test_a_meeting_pack_has_a_life_and_an_ad_hoc_sweep_that_waits_has_none(
    store: Store, plan: Plan
) -> None:
    pack = occurrence(PACK, date(2025, 10, 1), date(2025, 11, 10), 1, "2025-Q3")
    asked = replace(occurrence("sweep", ISSUED, date(2025, 11, 1), round=1001), ad_hoc=True)
    wider = plan.model_copy(update={"calendar": (*plan.calendar, pack, asked)})
    found = phase_states(store, wider, LATER)
    assert found[PACK, 1].state == "due", "until it has run"
    assert ("sweep", 1001) not in found
    assert all(each.round != 1001 for each in settle_phases(store, wider, LATER))
    assert all(each.round != 1001 for each in owed_runs(store, wider, LATER))


# --- reopening ------------------------------------------------------------------------------------


def closed_sweep(store: Store, plan: Plan) -> None:
    note_run(store, plan.slug, "sweep", 1, date(2025, 10, 31), 1, LATER)
    settle_phases(store, plan, LATER)


def reopen(store: Store, plan: Plan, now: datetime = LATER, **changes: Any) -> Transition:
    told = {"until": UNTIL, "by": " 王站长 ", "reason": "迟报"} | changes
    return reopen_phase(store, plan, "sweep", 1, **told, now=now)


def test_a_reopening_says_who_why_and_until_when_and_runs_once_more(
    store: Store, plan: Plan
) -> None:
    closed_sweep(store, plan)
    reopened = reopen(store, plan)
    assert read_transitions(store, plan)["sweep", 1][-1] == reopened
    assert (reopened.entered_by, reopened.reason, reopened.until) == ("王站长", "late_files", UNTIL)
    state = phase_states(store, plan, LATER)["sweep", 1]
    assert (state.state, state.until, state.reason) == ("reopened", UNTIL, "late_files")
    over = datetime.combine(UNTIL + DAY, time(0, 40))
    owed = [each for each in owed_runs(store, plan, over) if each.phase == "sweep"]
    assert [(each.as_of, each.because) for each in owed] == [(UNTIL, "reopened")]
    note_run(store, plan.slug, "sweep", 1, UNTIL, 2, over)
    settled = [each for each in settle_phases(store, plan, over) if each.phase == "sweep"]
    assert [(each.state, each.on_day) for each in settled] == [("due", UNTIL), ("closed", UNTIL)]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"by": " "}, "life.no_name"),
        ({"reason": "because"}, "life.reopen_reason"),
        ({"until": date(2025, 11, 13)}, "life.reopen_over"),
    ],
)
def test_a_reopening_without_who_why_or_a_day_to_come_is_refused(
    store: Store, plan: Plan, changes: dict[str, Any], key: str
) -> None:
    closed_sweep(store, plan)
    with pytest.raises(WrongCommand) as refused:
        reopen(store, plan, **changes)
    assert refused.value.key == key
    assert phase_states(store, plan, LATER)["sweep", 1].state == "closed"


def test_what_is_not_closed_not_planned_or_ad_hoc_is_not_reopened(store: Store, plan: Plan) -> None:
    with pytest.raises(WrongCommand) as due:
        reopen(store, plan)
    assert due.value.key == "life.no_such_move"
    with pytest.raises(WrongCommand) as unknown:
        reopen_phase(store, plan, "sweep", 7, until=UNTIL, by="A", reason="other", now=LATER)
    assert unknown.value.key == "plan.no_such_round"
    asked = replace(occurrence("sweep", ISSUED, date(2025, 11, 1), round=1001), ad_hoc=True)
    wider = plan.model_copy(update={"calendar": (*plan.calendar, asked)})
    with pytest.raises(WrongCommand) as ad_hoc:
        reopen_phase(store, wider, "sweep", 1001, until=UNTIL, by="A", reason="other", now=LATER)
    assert ad_hoc.value.key == "life.ad_hoc_not_reopened"


def test_every_reason_and_state_has_its_words() -> None:
    for language in ("zh-CN", "en"):
        for reason in CHOICES["reopen_reason"]:
            assert say(f"life.reason.{reason}", language)
        for state in STATES:
            assert say(f"status.state.{state}", language)


# --- what a run rests on --------------------------------------------------------------------------


def test_a_file_that_came_after_the_run_is_news_even_where_it_is_dated_back(
    home: Home, store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    def take_in(village: str, received_at: datetime) -> None:
        path = write_csv("coverage", [coverage(village_code=village)], village=village)
        receive(store, home, {plan.slug: plan}, [path], received_at=received_at, recorded_at=LATER)

    def owes() -> list[str]:
        found = owed_runs(store, plan, LATER)
        return [each.because for each in found if each.phase == "sweep"]

    take_in(VILLAGE_1, datetime(2025, 10, 28, 9))
    assert owes() == ["due"]
    note_run(store, plan.slug, "sweep", 1, date(2025, 10, 31), 1, datetime(2025, 11, 1, 0, 10))
    assert owes() == []
    earlier = "UPDATE ledger.agg_submission SET received_at = received_at - INTERVAL 1 DAY"
    store.connection.execute(earlier)
    assert owes() == ["news"], "the same file, known to have come a day before"
    store.connection.execute(earlier.replace("- INTERVAL", "+ INTERVAL"))
    assert owes() == []
    take_in(VILLAGE_2, datetime(2025, 10, 30, 9))
    assert owes() == ["news"]
    note_run(store, plan.slug, "sweep", 1, date(2025, 11, 13), 2, LATER)
    assert owes() == []


def test_an_extension_after_the_run_is_news_and_its_own_day_is_owed(
    store: Store, plan: Plan
) -> None:
    note_run(store, plan.slug, "sweep", 1, date(2025, 10, 31), 1, datetime(2025, 11, 1, 0, 10))
    with simulated(LATER):
        grant_extension(store, plan, "sweep", 1, VILLAGE_1, UNTIL, by="王站长", reason="weather")
    facts = read_facts(store, plan)
    (term,) = (each for each in facts.terms if each.phase == "sweep")
    assert term.extended_to == (UNTIL,)
    (news,) = (each for each in owed_runs(store, plan, LATER) if each.phase == "sweep")
    assert (news.as_of, news.because) == (date(2025, 11, 13), "news")
    over = datetime.combine(UNTIL + DAY, time(0, 40))
    (own,) = (each for each in owed_runs(store, plan, over) if each.phase == "sweep")
    assert (own.as_of, own.because) == (UNTIL, "extended")


# --- the simulated clock --------------------------------------------------------------------------


def test_a_simulated_clock_stands_until_it_is_set_and_leaves_nothing() -> None:
    real = now_in("Asia/Shanghai")
    with simulated(LATER) as clock:
        assert now_in("Asia/Shanghai") == now_in("UTC") == LATER
        clock.set(LATER.replace(hour=23, microsecond=5))
        assert now_in("Asia/Shanghai") == LATER.replace(hour=23)
        with simulated(datetime(2030, 1, 1)):
            assert now_in("Asia/Shanghai").year == 2030
        assert now_in("Asia/Shanghai") == LATER.replace(hour=23)
    assert now_in("Asia/Shanghai") >= real


def test_a_simulated_moment_has_no_zone() -> None:
    with pytest.raises(ValueError, match="zone"), simulated(LATER.astimezone()):
        pass
