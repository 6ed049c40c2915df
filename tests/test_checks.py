"""Suites run green on what intake leaves, stop at a tampered table, and never tell a cell."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from great_expectations.datasource.fluent.interfaces import Batch

from conftest import (
    RECEIVED,
    coverage,
    make_home,
    open_home,
    referral,
    write_workbook,
)
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    add_month,
    add_outcome,
    add_registered,
    add_visit,
    contents,
)
from tasks.checks import check_tables
from tasks.compile_list import compile_list
from tasks.intake import take_in
from tasks.plan import Plan
from tasks.rules.checking import SuiteResult
from tasks.rules.contract import SHEETS, Identity
from tasks.rules.errors import CheckFailed, Exit
from tasks.rules.wording import LANGUAGES
from tasks.store import Store
from tasks.suites import CANDIDATE_TABLES, ROW_RULE, TABLES_OF_PHASE, build_suite, sheet_of

MARKER = "孔雀石"
"""Also written out in the statements below."""
PHONE = "13912345671"
DAY = date(2025, 11, 12)
TABLES = sorted({table for tables in TABLES_OF_PHASE.values() for table in tables})
PHASES = {
    **{table: phase for phase in reversed(TABLES_OF_PHASE) for table in TABLES_OF_PHASE[phase]},
    "raw_submission": "sweep",
}
"""Table -> the first phase that looks at it; of the files, one that some came for."""


@pytest.fixture(scope="module")
def store(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A register after a sweep with all five verdicts, its list, a queue and visits."""
    folder = tmp_path_factory.mktemp("checks")
    with open_home(make_home(folder / "home")) as store:
        sheets = {
            "coverage": [coverage(), coverage(grid="二网格", households="?")],
            "referral": [
                referral(full_name=MARKER, phone=PHONE),
                referral(full_name=MARKER, phone=PHONE),
                referral(full_name="李四", phone="见上", sex="?"),
                referral(full_name="王五", consent_by="邻居"),
                referral(full_name="赵六", consent_by=""),
                referral(full_name="钱七", phone=""),
            ],
        }
        identity = Identity(plan.slug, "sweep", 1, VILLAGE_1, 1)
        again = {"referral": [*sheets["referral"][:1], referral(full_name="孙八")]}
        paths = [
            write_workbook(folder / f"{number}.xlsx", each, identity)
            for number, each in enumerate((sheets, again))
        ]
        take_in(
            store,
            {plan.slug: plan},
            paths,
            received_at=RECEIVED,
            recorded_at=RECEIVED,
            keep=True,
        )
        compile_list(store, plan, DAY)
        ((ref, *_), *_) = contents(store, "reg_person", "person_ref")
        add_outcome(store, ref, DAY, "not_confirmed")
        add_registered(store, "G-001")
        add_visit(store, "G-001", date(2025, 11, 20))
        add_month(store, VILLAGE_1, date(2025, 11, 1))
        for statement in (
            "INSERT INTO register.reg_queue SELECT campaign, person_ref, 'waiting', "
            "row_number() OVER (ORDER BY person_ref), urgency, waiting_since, NULL, NULL, as_of "
            "FROM register.reg_person, (SELECT DATE '2025-11-12' AS as_of)",
            "INSERT INTO register.reg_booking SELECT campaign, DATE '2025-11-12', person_ref, "
            "DATE '2025-11-10' FROM register.reg_person LIMIT 1",
            "INSERT INTO register.reg_visit_due VALUES "
            "('G-001', '990101001001', '2025-11-30', '2025-11-20', '2025-11-20', 'done', "
            "'2025-12-31', '2025-11-20', false)",
        ):
            store.connection.execute(statement)
        yield store


@contextmanager
def tampered(store: Store, *statements: str) -> Iterator[None]:
    """The register with something done to it by hand, until the end of the block."""
    store.connection.begin()
    try:
        for statement in statements:
            store.connection.execute(statement)
        yield
    finally:
        store.connection.rollback()


def check(store: Store, *tables: str, phase: str | None = None) -> list[SuiteResult]:
    """Run the suites of tables as their phase does."""
    phase = phase or PHASES.get(tables[0], "sweep")
    round = 1 if phase in ("sweep", "supervision") else 0
    return check_tables(store, tables, campaign="autumn-2025", phase=phase, round=round, revision=1)


@pytest.mark.parametrize("phase", TABLES_OF_PHASE)
def test_what_intake_leaves_holds_every_table_rule(store: Store, phase: str) -> None:
    for result in check(store, *TABLES_OF_PHASE[phase], phase=phase):
        suite = build_suite(result.suite)
        assert result.expectations == len(suite.expectations)
        rules = [each for each in suite.expectations if (each.meta or {})["kind"] == ROW_RULE]
        # row rules may be broken: they decided verdicts
        assert result.expectations - len(rules) <= result.held <= result.expectations


def test_the_suites_count_the_rows_that_break_a_rule(store: Store) -> None:
    (result,) = check(store, "stg_referral")
    # broken: phone and sex of one row, who consented of another
    assert result.held == result.expectations - 3


def test_an_empty_register_is_sound(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> None:
    with open_home(make_home(tmp_path_factory.mktemp("empty") / "home")) as store:
        found = check_tables(
            store, tuple(TABLES), campaign=plan.slug, phase="sweep", round=1, revision=1
        )
    assert [each.suite for each in found] == TABLES
    assert all(each.held == each.expectations for each in found)


FREE = "CREATE OR REPLACE TABLE register.{0} AS FROM register.{0}"
"""The same rows without the constraints that would refuse the tampering."""
TAMPERED: list[tuple[str, str, int, tuple[str, ...]]] = [
    (
        "raw_submission",
        "rows_accounted",
        1,
        (
            FREE.format("raw_submission"),
            "UPDATE register.raw_submission SET accepted = accepted + 1 WHERE no_consent = 1",
        ),
    ),
    (
        "raw_submission",
        "received_before_recorded",
        2,
        ("UPDATE register.raw_submission SET received_at = received_at + INTERVAL 2 DAY",),
    ),
    (
        "stg_referral",
        "verdict_known",
        1,
        ("UPDATE register.stg_referral SET verdict = 'liked' WHERE verdict = 'no_consent'",),
    ),
    (
        "stg_referral",
        "returned_has_reason",
        1,
        (
            "UPDATE register.stg_referral SET failed_rules = [], consent_by_valid = true "
            "WHERE failed_rules = ['consent_by_valid']",
        ),
    ),
    (
        "stg_referral",
        "accepted_holds_all",
        1,
        (
            "UPDATE register.stg_referral SET failed_rules = ['urgency_valid'], "
            "urgency_valid = false WHERE full_name = '孔雀石'",
        ),
    ),
    (
        "stg_referral",
        "current_is_accepted",
        2,
        ("UPDATE register.stg_referral SET is_current = true WHERE verdict = 'returned'",),
    ),
    (
        "stg_referral",
        "one_current_a_key",
        1,
        ("UPDATE register.stg_referral SET row_key = 'same' WHERE is_current",),
    ),
    (
        "stg_referral",
        "only_accepted_identified",
        2,
        ("UPDATE register.stg_referral SET full_name = '孔雀石' WHERE verdict = 'returned'",),
    ),
    (
        "stg_referral",
        "consent_complete",
        3,
        ("UPDATE register.stg_referral SET consent_date = NULL WHERE is_current",),
    ),
    (
        "stg_coverage",
        "current_is_accepted",
        1,
        ("UPDATE register.stg_coverage SET is_current = true",),
    ),
    ("reg_person", "has_referrals", 3, ("DELETE FROM register.reg_person_referral",)),
    (
        "reg_person",
        "care_setting_known",
        3,
        ("UPDATE register.reg_person SET care_setting = '孔雀石'",),
    ),
    (
        "reg_person",
        "has_village",
        3,
        (
            FREE.format("reg_person"),
            "UPDATE register.reg_person SET responsible_village = NULL",
        ),
    ),
    (
        "reg_person",
        "one_row_a_person",
        3,
        (
            FREE.format("reg_person"),
            "INSERT INTO register.reg_person FROM register.reg_person",
        ),
    ),
    (
        "reg_person_referral",
        "every_referral_listed",
        3,
        ("DELETE FROM register.reg_person_referral",),
    ),
    (
        "reg_registered",
        "diagnosed_by_psychiatrist",
        1,
        (FREE.format("reg_registered"), "UPDATE register.reg_registered SET diagnosis = NULL"),
    ),
    (
        "reg_person_referral",
        "one_person_a_referral",
        2,
        (
            FREE.format("reg_person_referral"),
            "INSERT INTO register.reg_person_referral FROM register.reg_person_referral LIMIT 2",
        ),
    ),
    (
        "reg_registered",
        "one_row_a_number",
        1,
        (
            FREE.format("reg_registered"),
            "INSERT INTO register.reg_registered FROM register.reg_registered",
        ),
    ),
    (
        "reg_queue",
        "state_known",
        3,
        ("UPDATE register.reg_queue SET state = 'hidden', position = NULL",),
    ),
    (
        "reg_queue",
        "position_while_waiting",
        3,
        ("UPDATE register.reg_queue SET position = NULL",),
    ),
    ("reg_queue", "one_position_each", 1, ("UPDATE register.reg_queue SET position = 7",)),
    (
        "reg_booking",
        "one_place_a_session",
        1,
        (FREE.format("reg_booking"), "INSERT INTO register.reg_booking FROM register.reg_booking"),
    ),
    (
        "reg_visit_due",
        "state_known",
        1,
        ("UPDATE register.reg_visit_due SET state = 'skipped'",),
    ),
    (
        "reg_visit_due",
        "done_in_time",
        1,
        ("UPDATE register.reg_visit_due SET visited_on = '2025-12-01'",),
    ),
    (
        "reg_visit_due",
        "overdue_not_visited",
        1,
        ("UPDATE register.reg_visit_due SET state = 'overdue'",),
    ),
    (
        "reg_visit_due",
        "closed_has_a_day",
        1,
        ("UPDATE register.reg_visit_due SET closed_on = NULL",),
    ),
    (
        "reg_visit_due",
        "not_made_not_visited",
        1,
        ("UPDATE register.reg_visit_due SET state = 'declined'",),
    ),
]


def test_every_table_rule_is_broken_once_below() -> None:
    wanted = {
        ("stg" if sheet_of(table) else table, (each.meta or {})["rule"])
        for table in TABLES
        for each in build_suite(table).expectations
        if (each.meta or {})["kind"] != ROW_RULE
    }
    broken = {("stg" if sheet_of(table) else table, rule) for table, rule, *_ in TAMPERED}
    assert broken == wanted


def assert_safe(error: CheckFailed) -> None:
    """Assert that a failed check names no cell, in one line, and keeps no cause."""
    assert error.exit is Exit.CHECK_FAILED
    for language in LANGUAGES:
        text = error.text(language)
        assert len(text.splitlines()) == 1
        assert not any(cell in text for cell in (MARKER, PHONE, "李四", "G-001", "R-"))
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("table", "rule", "count", "statements"),
    TAMPERED,
    ids=[f"{table}-{rule}" for table, rule, _, _ in TAMPERED],
)
def test_a_tampered_table_stops_the_phase_with_table_rule_and_count(
    store: Store, table: str, rule: str, count: int, statements: tuple[str, ...]
) -> None:
    with tampered(store, *statements), pytest.raises(CheckFailed) as stopped:
        check(store, table)
    assert stopped.value.key == "check.table_rule"
    assert stopped.value.values == {"table": table, "rule": rule, "count": count}
    assert_safe(stopped.value)


@pytest.mark.parametrize(
    "statement",
    [
        # a rule's column and the row's own list of broken rules say different things
        "UPDATE register.stg_referral SET phone_valid = true WHERE verdict = 'returned'",
        "UPDATE register.stg_referral SET phone_valid = false WHERE is_current",
        "UPDATE register.stg_referral SET failed_rules = ['sex_valid', 'phone_valid', 'adult'] "
        "WHERE len(failed_rules) = 2",
    ],
)
def test_two_checks_that_count_differently_stop_the_phase(store: Store, statement: str) -> None:
    with tampered(store, statement), pytest.raises(CheckFailed) as stopped:
        check(store, "stg_referral")
    assert stopped.value.key == "check.counts_differ"
    assert set(stopped.value.values) == {"table", "rule"}
    assert_safe(stopped.value)


def test_only_the_round_that_is_run_is_looked_at(store: Store) -> None:
    other = "UPDATE register.stg_coverage SET verdict = 'liked', round = 2 WHERE is_current"
    with tampered(store, other):
        assert check(store, "stg_coverage")
        with pytest.raises(CheckFailed):
            # the campaign is summed up over all rounds
            check(store, "stg_coverage", phase="aggregation")
    other = "UPDATE register.stg_coverage SET verdict = 'liked', campaign = 'x' WHERE is_current"
    with tampered(store, other):
        assert check(store, "stg_coverage", phase="aggregation")


def test_more_broken_rows_than_gx_lists_are_all_counted(store: Store) -> None:
    many = (
        "INSERT INTO register.stg_referral BY NAME "
        "SELECT * EXCLUDE (number) "
        "REPLACE ('s' || number AS submission_id, 'liked' AS verdict, false AS is_current) "
        "FROM register.stg_referral, range(250) AS numbers (number) "
        "WHERE full_name = '孔雀石'"
    )
    with tampered(store, many), pytest.raises(CheckFailed) as stopped:
        check(store, "stg_referral")
    assert stopped.value.values["count"] == 250


def test_what_gx_answers_holds_no_cell(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = []
    validate = Batch.validate

    def listening(self: Batch, *arguments: Any, **named: Any) -> Any:
        answers.append(validate(self, *arguments, **named))
        return answers[-1]

    monkeypatch.setattr(Batch, "validate", listening)
    broken = "UPDATE register.stg_referral SET full_name = '孔雀石'"
    with tampered(store, broken), pytest.raises(CheckFailed):
        check(store, "stg_referral")
    check(store, "stg_coverage", "reg_person")
    assert len(answers) == 3
    for answer in answers:
        text = json.dumps(answer.to_json_dict(), ensure_ascii=False)
        assert not any(cell in text for cell in (MARKER, PHONE, "李四", "见上"))
        for result in answer.results:
            for name, value in result.result.items():
                if name == "details":
                    assert value == {"unexpected_rows": []} or "unexpected_rows" not in value
                else:
                    assert not isinstance(value, list | dict) or not value, (name, value)


def test_what_gx_throws_does_not_pass(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Batch, *arguments: Any, **named: Any) -> Any:
        raise RuntimeError(f"cannot convert {MARKER}")

    monkeypatch.setattr(Batch, "validate", broken)
    with pytest.raises(CheckFailed) as stopped:
        check(store, "stg_referral")
    assert stopped.value.key == "check.could_not_run"
    assert_safe(stopped.value)


def test_the_store_is_still_open_and_writable_after_a_check(store: Store) -> None:
    check(store, "reg_booking")
    with tampered(store, "DELETE FROM register.reg_booking"):
        assert contents(store, "reg_booking") == []
    assert len(contents(store, "reg_booking")) == 1


@pytest.mark.parametrize("table", [*TABLES, *CANDIDATE_TABLES])
def test_a_suite_names_each_rule_once_and_every_row_rule_of_its_sheet(table: str) -> None:
    metas = [each.meta or {} for each in build_suite(table).expectations]
    names = [meta["rule"] for meta in metas]
    assert len(names) == len(set(names)) > 0
    rows = [meta["rule"] for meta in metas if meta["kind"] == ROW_RULE]
    sheet = sheet_of(table)
    assert rows == ([rule.name for rule in SHEETS[sheet].rules] if sheet else [])


# --- what is about to enter the ledger ------------------------------------------------------------


def figure(**changes: Any) -> dict[str, Any]:
    row = {
        "audience": "office",
        "position": 0,
        "name": "referrals",
        "unit": "people",
        "village": "",
        "value": 10.0,
        "state": "released",
    }
    return row | changes


def load_figures(store: Store, *rows: dict[str, Any]) -> None:
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("audience", "name", "unit", "village", "state")),
            ("position", pa.int32()),
            ("value", pa.float64()),
        ]
    )
    store.load("candidate_figure", pa.Table.from_pylist([*rows], schema))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, None),
        ({"value": None, "state": "withheld"}, None),
        ({"value": None, "state": "not_reported"}, None),
        ({"value": 0, "state": "zero"}, None),
        ({"unit": "visits", "value": 3}, None),
        ({"unit": "percent", "value": 100}, None),
        ({"state": "hidden", "value": None}, "state_known"),
        ({"unit": "cases"}, "unit_known"),
        ({"value": None}, "value_only_released"),
        ({"state": "withheld"}, "value_only_released"),
        ({"state": "zero"}, "zero_is_zero"),
        ({"value": 5}, "people_protected"),
        ({"value": 12}, "people_protected"),
        ({"unit": "percent", "value": 104.2}, "rate_within_hundred"),
    ],
)
def test_figures_about_to_be_released(
    store: Store, changes: dict[str, Any], rule: str | None
) -> None:
    load_figures(store, figure(village=VILLAGE_1), figure(**changes))
    if rule is None:
        assert check(store, "out_figure")
        return
    with pytest.raises(CheckFailed) as stopped:
        check(store, "out_figure")
    assert stopped.value.values == {"table": "out_figure", "rule": rule, "count": 1}


def test_a_figure_stands_there_once(store: Store) -> None:
    load_figures(store, figure(), figure(value=15.0))
    with pytest.raises(CheckFailed) as stopped:
        check(store, "out_figure")
    assert stopped.value.values["rule"] == "one_row_a_figure"


@pytest.mark.parametrize(
    ("state", "files", "counted", "rule"),
    [
        ("on_time", 1, True, None),
        ("late", 2, True, None),
        ("returned", 1, False, None),
        ("missing", 0, False, None),
        ("extended", 0, False, None),
        ("not_expected", 0, False, None),
        # a village that is closed by the due day sent something all the same
        ("not_expected", 1, True, None),
        ("absent", 0, False, "state_known"),
        ("on_time", 1, False, "counted_has_a_day"),
        ("returned", 1, True, "counted_has_a_day"),
        ("missing", 1, False, "nothing_came_from_missing"),
    ],
)
def test_reporting_about_to_be_recorded(
    store: Store, state: str, files: int, counted: bool, rule: str | None
) -> None:
    row = {
        "village": VILLAGE_2,
        "state": state,
        "nil": False,
        "files": files,
        "first_counted_at": datetime(2025, 10, 31) + timedelta(hours=9) if counted else None,
    }
    schema = pa.schema(
        [
            ("village", pa.string()),
            ("state", pa.string()),
            ("nil", pa.bool_()),
            ("files", pa.int32()),
            ("first_counted_at", pa.timestamp("us")),
        ]
    )
    store.load("candidate_reporting", pa.Table.from_pylist([row], schema))
    if rule is None:
        assert check(store, "agg_reporting")
        return
    with pytest.raises(CheckFailed) as stopped:
        check(store, "agg_reporting")
    assert stopped.value.values == {"table": "agg_reporting", "rule": rule, "count": 1}
