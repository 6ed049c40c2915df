"""Readiness: who is prepared, what each village lacks, and what is to be made good by when."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from conftest import make_home, occurrence, open_home
from register_rows import VILLAGE_1, VILLAGE_2, VILLAGE_3, add_readiness
from tasks.figures import TOWNSHIP
from tasks.plan import Plan
from tasks.readiness import ReadinessResult, look_at_readiness, readiness_figures
from tasks.rectifications import after_look
from tasks.reporting import VillageReporting
from tasks.rules.readiness import LINES, READINESS_SHORTFALLS, judge_readiness, not_ready
from tasks.rules.rectification import Rectification
from tasks.store import Store

READINESS = occurrence("readiness", date(2025, 9, 1), date(2025, 9, 20))
DONE = dict.fromkeys(LINES, True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_home(make_home(tmp_path / "home")) as store:
        yield store


def reporting(**states: str) -> list[VillageReporting]:
    """The three villages' states: on time but where another is given by its number (v2="late")."""
    return [
        VillageReporting(village, states.get(f"v{number}", "on_time"), False, 1, None)
        for number, village in enumerate((VILLAGE_1, VILLAGE_2, VILLAGE_3), start=1)
    ]


def look(store: Store, plan: Plan, as_of: date = READINESS.due, **states: str) -> ReadinessResult:
    return look_at_readiness(store, plan, READINESS, as_of, reporting(**states))


def figures(result: ReadinessResult, **states: str) -> dict[tuple[str, str], float | None]:
    rows = readiness_figures(result, reporting(**states))
    return {(each.name, each.village): each.value for each in rows}


def record(store: Store, rectifications: tuple[Rectification, ...]) -> None:
    """Write rectifications as the door does."""
    store.connection.execute("DELETE FROM ledger.agg_rectification")
    for each in rectifications:
        store.connection.execute(
            "INSERT INTO ledger.agg_rectification BY NAME SELECT 'autumn-2025' AS campaign,"
            " $village AS village, $shortfall AS shortfall, $opened_round AS opened_round,"
            " $opened_on AS opened_on, $due AS due, $due_provisional AS due_provisional,"
            " $closed_round AS closed_round, $closed_on AS closed_on",
            vars(each),
        )


# --- the rule -------------------------------------------------------------------------------------


def test_a_village_falls_short_of_every_line_it_has_not_done() -> None:
    for line, shortfall in LINES.items():
        judged = judge_readiness("on_time", DONE | {line: False})
        assert not_ready(judged) == (shortfall,)
    assert not_ready(judge_readiness("late", DONE)) == ()
    nothing = judge_readiness("on_time", dict.fromkeys(LINES, False))
    assert not_ready(nothing) == READINESS_SHORTFALLS[1:]


@pytest.mark.parametrize(
    ("state", "missing"),
    [("missing", True), ("returned", True), ("extended", None), ("on_time", False)],
)
def test_without_a_checklist_only_that_is_known(state: str, missing: bool | None) -> None:
    judged = judge_readiness(state, None)
    assert judged.pop("readiness_missing") is missing
    assert set(judged.values()) == {None}


# --- the look -------------------------------------------------------------------------------------


def test_the_look_says_what_each_village_lacks(store: Store, plan: Plan) -> None:
    add_readiness(store, VILLAGE_1)
    add_readiness(store, VILLAGE_2, drill_date=None, materials_delivered=False)
    found = {each.village: each for each in look(store, plan, v3="missing").villages}
    assert found[VILLAGE_1].complete is True
    assert found[VILLAGE_2].shortfalls == ("no_drill", "materials_missing")
    assert found[VILLAGE_3].complete is None
    assert found[VILLAGE_3].shortfalls == ("readiness_missing",)


def test_who_is_not_expected_owes_nothing(store: Store, plan: Plan) -> None:
    found = look(store, plan, v1="missing", v2="not_expected", v3="missing")
    assert [each.village for each in found.villages] == [VILLAGE_1, VILLAGE_3]
    assert {each.village for each in found.rectifications} == {VILLAGE_1, VILLAGE_3}


def test_nothing_is_to_be_made_good_before_the_due_day(store: Store, plan: Plan) -> None:
    early = look(store, plan, date(2025, 9, 19), v3="missing")
    assert early.rectifications == ()
    assert look(store, plan, v3="missing").rectifications


def test_a_rectification_is_due_by_the_calendar_and_opened_once(store: Store, plan: Plan) -> None:
    add_readiness(store, VILLAGE_1, training_date=None)
    first = look(store, plan, v2="not_expected", v3="not_expected")
    (opened,) = first.rectifications
    assert (opened.shortfall, opened.opened_round) == ("not_trained", 0)
    assert opened.opened_on == READINESS.due < opened.due
    record(store, first.rectifications)
    assert look(store, plan, v2="not_expected", v3="not_expected") == first


def test_a_later_checklist_closes_what_it_shows_to_be_done(store: Store, plan: Plan) -> None:
    states = {"v2": "not_expected", "v3": "not_expected"}
    first = look(store, plan, v1="missing", **states)
    record(store, first.rectifications)
    add_readiness(store, VILLAGE_1, drill_date=None, received_at=datetime(2025, 9, 24, 9))
    later = look(store, plan, date(2025, 9, 24), v1="late", **states)
    closed_on = {each.shortfall: each.closed_on for each in later.rectifications}
    assert closed_on == {"readiness_missing": date(2025, 9, 24), "no_drill": None}


def test_the_months_supervision_closes_none_of_it(store: Store, plan: Plan) -> None:
    """A month's report says nothing of the checklist, and has a shortfall of its own."""
    record(store, look(store, plan, v1="missing", v2="missing", v3="missing").rectifications)
    judged = {VILLAGE_1: {"report_missing": False}, VILLAGE_2: {"report_missing": True}}
    after = after_look(store, plan, judged, round=1, as_of=date(2025, 12, 5))
    standing = {(each.village, each.shortfall) for each in after if each.closed_on is None}
    assert standing == {
        *((village, "readiness_missing") for village in (VILLAGE_1, VILLAGE_2, VILLAGE_3)),
        (VILLAGE_2, "report_missing"),
    }


# --- figures --------------------------------------------------------------------------------------


def test_figures_count_villages_and_nobody(store: Store, plan: Plan) -> None:
    add_readiness(store, VILLAGE_1, trained_people=3)
    add_readiness(store, VILLAGE_2, emergency_plan_updated=False)
    states = {"v3": "missing"}
    found = figures(look(store, plan, **states), **states)
    assert found["readiness_complete", TOWNSHIP] == 1
    assert found["ready_plan_updated", TOWNSHIP] == 1
    assert found["ready_training_held", TOWNSHIP] == 2
    assert found["ready_plan_updated", VILLAGE_2] == 0
    assert found["ready_plan_updated", VILLAGE_3] is None, "not reported is not zero"
    assert found["rectifications_open", TOWNSHIP] == 2
    assert found["reporting_missing", VILLAGE_3] == 1
    rows = readiness_figures(look(store, plan, **states), reporting(**states))
    assert {each.unit for each in rows} == {"files"}


def test_another_rounds_or_campaigns_checklist_does_not_count(store: Store, plan: Plan) -> None:
    add_readiness(store, VILLAGE_1, campaign="spring-2025")
    add_readiness(store, VILLAGE_2, is_current=False)
    found = look(store, plan).villages
    assert [each.complete for each in found] == [None, None, None]


def test_the_newest_checklist_of_a_village_counts(store: Store, plan: Plan) -> None:
    add_readiness(store, VILLAGE_1, drill_date=None, received_at=datetime(2025, 9, 10, 9))
    add_readiness(store, VILLAGE_1, received_at=datetime(2025, 9, 12, 9))
    (first, *_) = look(store, plan).villages
    assert first.complete is True


def test_readiness_due_before_the_plan_was_issued_just_runs(store: Store, plan: Plan) -> None:
    early = replace(READINESS, opens=date(2025, 1, 1), due=date(2025, 1, 20))
    assert early.due < plan.issued
    result = look_at_readiness(store, plan, early, early.due, reporting(v1="missing"))
    assert [each.shortfall for each in result.rectifications] == ["readiness_missing"]
