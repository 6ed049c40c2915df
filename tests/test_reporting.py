"""Who has reported: one state a village, kept by a later correction, and the figures of a sweep."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from conftest import WriteCsv, coverage, referral, write_workbook
from register_rows import VILLAGE_1, VILLAGE_2, VILLAGE_3, add_withdrawal
from tasks.extensions import grant_extension
from tasks.figures import TOWNSHIP, RawFigure
from tasks.intake import take_in
from tasks.plan import Occurrence, Plan, occurrence_at
from tasks.receive import record_arrivals
from tasks.reporting import (
    VillageReporting,
    read_reporting,
    reporting_figures,
    sweep_figures,
    with_township,
)
from tasks.rules.contract import REPORTING_STATES, Identity
from tasks.rules.errors import WrongCommand
from tasks.rules.reporting import RECEIVED_STATES, reporting_state
from tasks.store import Store

DUE = date(2025, 10, 31)
LATER = date(2025, 11, 7)
DAY = timedelta(days=1)


# --- the rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "as_of", "state"),
    [
        ({}, DUE - DAY, "missing"),
        ({}, DUE, "missing"),
        ({}, DUE + DAY, "missing"),
        ({"first_counted": DUE - DAY}, DUE, "on_time"),
        ({"first_counted": DUE}, DUE + DAY, "on_time"),
        ({"first_counted": DUE + DAY}, DUE + DAY, "late"),
        ({"any_received": True}, DUE, "returned"),
        ({"any_received": True}, DUE + DAY, "returned"),
        ({"extended_to": LATER}, DUE, "extended"),
        ({"extended_to": LATER}, LATER, "extended"),
        ({"extended_to": LATER}, LATER + DAY, "missing"),
        ({"extended_to": LATER, "any_received": True}, DUE, "returned"),
        ({"extended_to": LATER, "first_counted": LATER}, LATER, "on_time"),
        ({"extended_to": LATER, "first_counted": LATER + DAY}, LATER + DAY, "late"),
        # an extension never makes the due day earlier
        ({"extended_to": DUE - DAY, "first_counted": DUE}, DUE, "on_time"),
        ({"expected": False}, DUE + DAY, "not_expected"),
        ({"expected": False, "first_counted": DUE}, DUE, "not_expected"),
        ({"expected": False, "any_received": True}, DUE, "not_expected"),
    ],
)
def test_a_village_has_one_state(told: dict[str, Any], as_of: date, state: str) -> None:
    facts = {"expected": True, "extended_to": None, "first_counted": None} | told
    facts.setdefault("any_received", facts["first_counted"] is not None)
    assert reporting_state(due=DUE, as_of=as_of, **facts) == state


def test_every_combination_has_a_state_of_the_list_and_each_occurs() -> None:
    days = (None, DUE - DAY, DUE, DUE + DAY, LATER, LATER + DAY)
    found = {
        reporting_state(
            expected=expected,
            due=DUE,
            extended_to=extended,
            first_counted=counted,
            any_received=received or counted is not None,
            as_of=as_of,
        )
        for expected, extended, counted, received, as_of in product(
            (True, False), (None, LATER), days, (True, False), days[1:]
        )
        if as_of
    }
    assert found == set(REPORTING_STATES)


# --- from files to states -------------------------------------------------------------------------


@pytest.fixture
def sweep(plan: Plan) -> Occurrence:
    return occurrence_at(plan, "sweep", DUE, 1)


def take(store: Store, plan: Plan, at: date, *files: Path) -> None:
    """Take files in as received in the last minute of a day, and tell the ledger."""
    received = datetime(at.year, at.month, at.day, 23, 59)
    results = take_in(
        store, {plan.slug: plan}, files, received_at=received, recorded_at=received, keep=True
    )
    assert [result.refused for result in results] == [None] * len(files)
    record_arrivals(store)


def states(
    store: Store, plan: Plan, sweep: Occurrence, as_of: date
) -> dict[str, tuple[str, bool, int]]:
    """Village -> state, nil, files."""
    found = read_reporting(store, plan, sweep, as_of)
    assert [each.village for each in found] == [village.code for village in plan.villages]
    return {each.village: (each.state, each.nil, each.files) for each in found}


def test_nothing_came(store: Store, plan: Plan, sweep: Occurrence) -> None:
    nothing = dict.fromkeys((VILLAGE_1, VILLAGE_2, VILLAGE_3), ("missing", False, 0))
    assert states(store, plan, sweep, DUE) == nothing


def test_the_due_day_ends_at_midnight(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    for code, day in ((VILLAGE_1, DUE), (VILLAGE_2, DUE + DAY)):
        take(store, plan, day, write_csv("coverage", [coverage(village_code=code)], village=code))
    found = states(store, plan, sweep, LATER)
    assert [found[code][0] for code in (VILLAGE_1, VILLAGE_2)] == ["on_time", "late"]


def test_a_late_correction_leaves_a_village_on_time(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    rows = [coverage(), coverage(grid="二网格", households="?")]
    take(store, plan, DUE, write_csv("coverage", rows))
    corrected = [coverage(households="60"), coverage(grid="二网格")]
    take(store, plan, LATER, write_csv("coverage", corrected, name="b.csv"))
    assert states(store, plan, sweep, LATER)[VILLAGE_1] == ("on_time", False, 2)


def test_a_file_of_which_no_row_was_accepted_is_not_on_time_until_it_is_corrected(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    take(store, plan, DUE, write_csv("coverage", [coverage(households="?")]))
    assert states(store, plan, sweep, DUE)[VILLAGE_1] == ("returned", False, 1)
    take(store, plan, DUE + DAY, write_csv("coverage", [coverage()], name="b.csv"))
    assert states(store, plan, sweep, LATER)[VILLAGE_1] == ("late", False, 2)


def test_rows_without_consent_do_not_make_a_village_on_time(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    take(store, plan, DUE, write_csv("referral", [referral(consent_by="")]))
    assert states(store, plan, sweep, DUE)[VILLAGE_1][0] == "returned"


def test_a_nil_return_is_on_time_and_kept_apart(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    take(store, plan, DUE, write_csv("coverage", [coverage(nil_return="是")]))
    assert states(store, plan, sweep, DUE)[VILLAGE_1] == ("on_time", True, 1)


def test_the_same_file_twice_is_one_file(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    path = write_csv("coverage", [coverage()])
    take(store, plan, DUE, path)
    take(store, plan, LATER, path)
    assert states(store, plan, sweep, LATER)[VILLAGE_1] == ("on_time", False, 1)


def test_a_village_that_is_closed_is_not_expected(
    store: Store, plan: Plan, sweep: Occurrence
) -> None:
    dates = ({"closed": date(2025, 10, 15)}, {"opened": LATER}, {"closed": LATER})
    villages = tuple(
        village.model_copy(update=changes)
        for village, changes in zip(plan.villages, dates, strict=True)
    )
    changed = plan.model_copy(update={"villages": villages})
    found = [state for state, _, _ in states(store, changed, sweep, DUE).values()]
    assert found == ["not_expected", "not_expected", "missing"]


def test_a_round_for_some_villages_expects_only_them(
    store: Store, plan: Plan, sweep: Occurrence
) -> None:
    some = replace(sweep, villages=(VILLAGE_2,))
    found = [state for state, _, _ in states(store, plan, some, DUE).values()]
    assert found == ["not_expected", "missing", "not_expected"]


def test_an_extension_holds_for_its_village_alone(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    grant_extension(store, plan, "sweep", 1, VILLAGE_1, LATER, by="卫生院", reason="交通")
    assert [state for state, *_ in states(store, plan, sweep, LATER).values()] == [
        "extended",
        "missing",
        "missing",
    ]
    for code in (VILLAGE_1, VILLAGE_2):
        rows = [coverage(village_code=code)]
        take(store, plan, LATER, write_csv("coverage", rows, village=code))
    assert [state for state, *_ in states(store, plan, sweep, LATER).values()] == [
        "on_time",
        "late",
        "missing",
    ]


def test_the_newest_extension_holds(store: Store, plan: Plan, sweep: Occurrence) -> None:
    for due in (LATER, LATER + DAY):
        grant_extension(store, plan, "sweep", 1, VILLAGE_1, due, by="卫生院", reason="交通")
    assert states(store, plan, sweep, LATER + DAY)[VILLAGE_1][0] == "extended"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"phase": "follow_up"}, "error.phase"),
        ({"phase": "readiness"}, "plan.no_such_phase"),
        ({"round": 2}, "plan.no_such_round"),
        ({"village": "990101001009"}, "extend.unknown"),
        ({"due": DUE}, "extend.not_later"),
        ({"by": " "}, "extend.no_name"),
        ({"reason": ""}, "extend.reason"),
        # the office reads the ledger: free text could name somebody
        ({"reason": "张三病了"}, "extend.reason"),
    ],
)
def test_an_extension_needs_a_later_day_who_and_why(
    store: Store, plan: Plan, changes: dict[str, Any], key: str
) -> None:
    asked: dict[str, Any] = {
        "phase": "sweep",
        "round": 1,
        "village": VILLAGE_1,
        "due": LATER,
        "by": "卫生院",
        "reason": "交通",
    }
    with pytest.raises(WrongCommand) as refused:
        grant_extension(store, plan, **(asked | changes))
    assert refused.value.key == key
    assert "张三" not in str(refused.value)


def test_the_ledger_learns_that_a_file_came_and_no_count_of_its_rows(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    take(store, plan, DUE, write_csv("referral", [referral(), referral(full_name="李四")]))
    cursor = store.connection.execute("FROM ledger.agg_submission")
    names = [column[0] for column in cursor.description or ()]
    ((_, *row),) = cursor.fetchall()
    assert names == [
        "submission_id",
        "campaign",
        "phase",
        "round",
        "village",
        "received_at",
        "counts",
        "nil",
    ]
    assert row == [
        "autumn-2025",
        "sweep",
        1,
        VILLAGE_1,
        datetime(2025, 10, 31, 23, 59),
        True,
        False,
    ]


# --- figures --------------------------------------------------------------------------------------


def figures(rows: Sequence[RawFigure]) -> dict[tuple[str, str], float | None]:
    found = {(row.name, row.village): row.value for row in rows}
    assert len(found) == len(rows)
    return found


def test_each_village_has_exactly_one_state_as_a_figure() -> None:
    reporting = [
        VillageReporting(f"99010100100{place}", state, state == "on_time", place, None)
        for place, state in enumerate(REPORTING_STATES)
    ]
    found = figures(reporting_figures(reporting))
    for each in reporting:
        flags = {state: found[f"reporting_{state}", each.village] for state in REPORTING_STATES}
        assert flags == {state: int(state == each.state) for state in REPORTING_STATES}
        assert found["villages_received", each.village] == int(each.state in RECEIVED_STATES)
        assert found["files_received", each.village] == each.files
    for state in REPORTING_STATES:
        assert found[f"reporting_{state}", TOWNSHIP] == 1
    assert found["villages_expected", TOWNSHIP] == len(REPORTING_STATES) - 1
    assert found["villages_received", TOWNSHIP] == len(RECEIVED_STATES)
    assert found["nil_returns", TOWNSHIP] == 1
    assert found["files_received", TOWNSHIP] == sum(range(len(REPORTING_STATES)))


def test_the_township_is_the_sum_of_who_reported() -> None:
    rows = [
        RawFigure("referrals", "people", "a", 3),
        RawFigure("referrals", "people", "b", None),
        RawFigure("households", "households", "a", None),
        RawFigure("households", "households", "b", None),
        RawFigure("referrals", "people", "c", 4),
    ]
    assert with_township(rows) == [
        RawFigure("referrals", "people", TOWNSHIP, 7),
        rows[0],
        rows[1],
        rows[4],
        RawFigure("households", "households", TOWNSHIP, None),
        rows[2],
        rows[3],
    ]


def test_figures_of_a_sweep(
    store: Store, plan: Plan, sweep: Occurrence, tmp_path: Path, write_csv: WriteCsv
) -> None:
    sheets = {
        "coverage": [coverage(), coverage(grid="二网格", households="30", households_visited="20")],
        "referral": [
            referral(),
            referral(full_name="李四"),
            referral(full_name="王五", consent_by=""),
            referral(full_name="赵六", sex="?"),
        ],
    }
    identity = Identity(plan.slug, "sweep", 1, VILLAGE_1, 1)
    take(store, plan, DUE, write_workbook(tmp_path / "v.xlsx", sheets, identity))
    nil = [coverage(village_code=VILLAGE_2, nil_return="是", no_consent_count="0")]
    take(store, plan, DUE, write_csv("coverage", nil, village=VILLAGE_2))
    reporting = read_reporting(store, plan, sweep, DUE)

    found = figures(sweep_figures(store, plan, 1, reporting))

    villages = (TOWNSHIP, VILLAGE_1, VILLAGE_2, VILLAGE_3)
    expected = {
        "households": [130, 80, 50, None],
        "households_visited": [110, 65, 45, None],
        "households_declined": [6, 4, 2, None],
        # the village that reported none has zero, the one that did not report has no figure
        "referrals": [2, 2, 0, None],
        "nil_returns": [1, 0, 1, 0],
        "reporting_on_time": [2, 1, 1, 0],
        "reporting_missing": [1, 0, 0, 1],
    }
    for name, values in expected.items():
        assert [found[name, village] for village in villages] == values, name
    # what the villages say of who did not consent, over the township alone
    assert found["no_consent", TOWNSHIP] == 2
    assert ("no_consent", VILLAGE_1) not in found


def test_a_withdrawn_referral_is_not_counted(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    take(store, plan, DUE, write_csv("referral", [referral(), referral(full_name="李四")]))
    query = "SELECT referral_ref FROM register.stg_referral WHERE full_name = '李四'"
    ((ref,),) = store.connection.execute(query).fetchall()
    add_withdrawal(store, ref)
    reporting = read_reporting(store, plan, sweep, DUE)
    assert figures(sweep_figures(store, plan, 1, reporting))["referrals", VILLAGE_1] == 1


NO_REFERRALS_SAID: list[tuple[dict[str, list[dict[str, str]]], int | None]] = [
    # nothing said of referrals
    ({"coverage": [coverage()]}, None),
    # said that there is none
    ({"coverage": [coverage(nil_return="是")]}, 0),
    ({"coverage": [coverage()], "referral": []}, 0),
    ({"coverage": [coverage()], "referral": [referral(consent_by="")]}, 0),
    # said something that is still to be corrected
    ({"coverage": [coverage()], "referral": [referral(sex="?")]}, None),
    ({"coverage": [coverage()], "referral": [referral(sex="?"), referral(full_name="李四")]}, 1),
    # a village of which no row counts has not reported
    ({"coverage": [coverage(households="?")], "referral": []}, None),
]


@pytest.mark.parametrize(("sheets", "known"), NO_REFERRALS_SAID)
def test_no_referrals_are_zero_only_where_the_village_said_so(
    store: Store,
    plan: Plan,
    sweep: Occurrence,
    tmp_path: Path,
    sheets: dict[str, list[dict[str, str]]],
    known: int | None,
) -> None:
    identity = Identity(plan.slug, "sweep", 1, VILLAGE_1, 1)
    take(store, plan, DUE, write_workbook(tmp_path / "v.xlsx", sheets, identity))
    found = figures(sweep_figures(store, plan, 1, read_reporting(store, plan, sweep, DUE)))
    assert found["referrals", VILLAGE_1] == known


def test_the_newest_referral_sheet_says_whether_there_is_none(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    said = []
    for name, sheet, rows in (
        ("a.csv", "coverage", [coverage()]),
        ("b.csv", "referral", [referral(sex="?")]),
        ("c.csv", "referral", [referral(consent_by="")]),
        ("d.csv", "coverage", [coverage(households="60")]),
        ("e.csv", "referral", [referral()]),
    ):
        take(store, plan, DUE + len(said) * DAY, write_csv(sheet, rows, name=name))
        reporting = read_reporting(store, plan, sweep, LATER)
        said.append(figures(sweep_figures(store, plan, 1, reporting))["referrals", VILLAGE_1])
    assert said == [None, None, 0, 0, 1]


def test_a_village_that_is_not_expected_has_no_figures(
    store: Store, plan: Plan, sweep: Occurrence, write_csv: WriteCsv
) -> None:
    for village in (VILLAGE_1, VILLAGE_2):
        rows = [coverage(village_code=village)]
        take(store, plan, DUE, write_csv("coverage", rows, village=village))
        take(store, plan, DUE, write_csv("referral", [referral()], village=village))
    some = replace(sweep, villages=(VILLAGE_2,))
    found = figures(sweep_figures(store, plan, 1, read_reporting(store, plan, some, DUE)))
    for name, value in {"households": 50, "households_visited": 45, "referrals": 1}.items():
        assert [found[name, place] for place in (TOWNSHIP, VILLAGE_1, VILLAGE_2)] == [
            value,
            None,
            value,
        ]
    assert found["no_consent", TOWNSHIP] == int(coverage()["no_consent_count"])


def test_before_anything_came_nothing_is_reported(
    store: Store, plan: Plan, sweep: Occurrence
) -> None:
    reporting = read_reporting(store, plan, sweep, DUE)
    found = figures(sweep_figures(store, plan, 1, reporting))
    for name in ("referrals", "households", "no_consent"):
        assert found[name, TOWNSHIP] is None
