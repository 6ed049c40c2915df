"""What stands is decided by when files came: every order of taking them in comes out the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import (
    ACT,
    KEY,
    RECEIVED,
    coverage,
    make_home,
    occurrence,
    open_home,
    referral,
    write_workbook,
)
from register_rows import VILLAGE_1, contents, empty
from tasks.compile_list import compile_list
from tasks.figures import list_figures
from tasks.home import Home
from tasks.intake import take_in
from tasks.people import correct_person
from tasks.plan import Plan
from tasks.receive import record_arrivals
from tasks.rotation import rotate_pseudonyms
from tasks.rules.contract import RETURN_COLUMN, SHEETS, Identity, write_identity
from tasks.store import Store

HOUR = timedelta(hours=1)
SENDERS = [f"9901010010{number:02d}" for number in range(1, 11)]
TABLES = ("stg_referral", "stg_coverage", "raw_submission", "raw_row", "reg_said", "reg_return")
NUMBERS = ("", "110101198001020139", "11010119800102069X")
"""None, and two made-up numbers with a right check digit; both of a man born 1980-01-02."""


@pytest.fixture(autouse=True)
def _errors_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGN_SQL_ERRORS", "synthetic-data-only")


@dataclass(frozen=True)
class Sent:
    """A file: for which round, and its rows."""

    round: int
    referrals: tuple[tuple[int, int, int, bool], ...]
    """Person, which ID number, which phone, whether the row is right."""
    visited: tuple[int, ...]
    """Households visited, a grid each."""

    def sheets(self) -> dict[str, list[dict[str, str]]]:
        people = [
            referral(
                full_name=("赵甲", "钱乙")[person],
                resident_id=NUMBERS[number],
                phone=f"1380013800{phone}",
                urgency="常规" if is_right else "特急",
            )
            for person, number, phone, is_right in self.referrals
        ]
        grids = [
            coverage(grid=f"{place}网格", households_visited=str(count))
            for place, count in enumerate(self.visited)
        ]
        return {"referral": people, "coverage": grids}


ROWS = st.tuples(
    st.integers(0, 1), st.integers(0, 2), st.integers(0, 2), st.sampled_from([1, 1, 0])
)
FILES = st.builds(
    Sent,
    st.sampled_from([1, 1, 1, 2]),
    st.lists(ROWS.map(lambda row: (*row[:3], bool(row[3]))), min_size=1, max_size=3).map(tuple),
    st.lists(st.integers(40, 42), max_size=2).map(tuple),
)
HISTORIES = st.lists(FILES, min_size=2, max_size=4)
"""What one village sends in the course of time; the first file is sent once more at the end."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A register for many examples."""
    with open_home(make_home(tmp_path_factory.mktemp("order") / "home")) as store:
        yield store


@pytest.fixture(scope="module")
def two_rounds(plan: Plan) -> Plan:
    """A plan with ten villages and two rounds of the sweep."""
    second = occurrence("sweep", date(2025, 10, 1), date(2025, 10, 31), round=2)
    villages = tuple(plan.villages[0].model_copy(update={"code": code}) for code in SENDERS)
    return plan.model_copy(update={"villages": villages, "calendar": (*plan.calendar, second)})


Event = tuple[Path, datetime]


def taken(store: Store, plan: Plan, events: Sequence[Event]) -> None:
    """Take files in, in this order, each as received at its own time."""
    results = take_in(
        store,
        {plan.slug: plan},
        [path for path, _ in events],
        received_at=[at for _, at in events],
        recorded_at=RECEIVED + 1000 * HOUR,
        keep=True,
    )
    assert [result.refused for result in results] == [None] * len(results)
    record_arrivals(store)


def cleared(store: Store) -> None:
    empty(store, *TABLES)
    store.connection.execute("DELETE FROM ledger.agg_submission")


def outcome(store: Store, plan: Plan) -> dict[str, list[Any]]:
    """What a township works with: rows that stand, since when, under which reference; figures."""
    found = {}
    for sheet, reference in (("referral", "referral_ref, "), ("coverage", "")):
        typed = ", ".join(
            "resident_key" if column.name == "resident_id" else column.name
            for column in SHEETS[sheet].columns
        )
        columns = f"sender_village, round, {reference}first_received_at, {typed}"
        found[sheet] = contents(store, f"stg_{sheet} WHERE is_current", columns)
    told = ("campaign", "phase", "round", "village", "received_at", "counts", "nil")
    query = f"SELECT {', '.join(told)} FROM ledger.agg_submission ORDER BY ALL"  # noqa: S608
    found["ledger"] = store.connection.execute(query).fetchall()
    read = "submission_id, rows_read, returned, duplicate, no_consent, received_at"
    found["files"] = contents(store, "raw_submission", f"{read}, accepted + unchanged")
    found["referrals"] = store.rows("reporting/referrals", campaign=plan.slug, round=None)
    for number in (1, 2):
        found[f"coverage {number}"] = store.rows(
            "reporting/coverage", campaign=plan.slug, round=number
        )
        found[f"villages {number}"] = store.rows(
            "reporting/villages", campaign=plan.slug, phase="sweep", round=number
        )
    return found


@settings(max_examples=3, deadline=None)
@given(
    histories=st.lists(HISTORIES, min_size=len(SENDERS), max_size=len(SENDERS)),
    random=st.randoms(use_true_random=False),
)
def test_every_order_of_taking_in_comes_out_the_same(
    shared: Store,
    two_rounds: Plan,
    tmp_path_factory: pytest.TempPathFactory,
    histories: list[list[Sent]],
    random: Random,
) -> None:
    folder = tmp_path_factory.mktemp("example")
    events: list[Event] = []
    for village, history in zip(SENDERS, histories, strict=True):
        for turn, sent in enumerate(history):
            path = write_workbook(
                folder / f"{village}-{turn}.xlsx",
                sent.sheets(),
                Identity(two_rounds.slug, "sweep", sent.round, village, 1),
                titles=[f"第{turn}次"],  # two files of the same bytes would be one
            )
            events.append((path, RECEIVED + turn * HOUR))
        events.append((folder / f"{village}-0.xlsx", RECEIVED + len(history) * HOUR))
    cleared(shared)
    taken(shared, two_rounds, sorted(events, key=lambda event: event[1]))
    wanted = outcome(shared, two_rounds)
    assert wanted["files"]

    shuffled = list(events)
    random.shuffle(shuffled)
    cleared(shared)
    half = len(shuffled) // 2
    for delivery in (shuffled[:half], shuffled[half:]):
        taken(shared, two_rounds, delivery)
    assert outcome(shared, two_rounds) == wanted


def file_of(folder: Path, name: str, *rows: dict[str, str], number: str = "") -> Path:
    """A village's referrals; with `number`, as the only row of a return workbook that came back."""
    identity = Identity("autumn-2025", "sweep", 1, VILLAGE_1, 1)
    if not number:
        return write_workbook(folder / f"{name}.xlsx", {"referral": rows}, identity)
    columns = SHEETS["referral"].columns
    heads = [*(column.heads[0] for column in columns), RETURN_COLUMN.heads[0]]
    (row,) = rows
    cells = [*(row.get(column.name, "") for column in columns), number]
    path = folder / f"{name}.csv"
    lines = [write_identity(identity), ",".join(heads), ",".join(cells)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


REFERRALS = "stg_referral WHERE is_current"


def test_corrections_find_their_original_by_its_number_in_every_order(
    shared: Store, plan: Plan, tmp_path: Path
) -> None:
    original = file_of(tmp_path, "a", referral(full_name="张三疯", sex="?"))
    cleared(shared)
    taken(shared, plan, [(original, RECEIVED)])
    ((number,),) = contents(shared, "reg_return", "return_id")
    wrong = referral(full_name="张三凤", observed_signs="1")
    right = referral(observed_signs="2")
    events = [
        (original, RECEIVED),
        (file_of(tmp_path, "b", wrong, number=number), RECEIVED + HOUR),
        (file_of(tmp_path, "c", right, number=number), RECEIVED + 2 * HOUR),
    ]
    found = set()
    for order in permutations(events):
        cleared(shared)
        for event in order:
            taken(shared, plan, [event])
        rows = contents(shared, REFERRALS, "full_name, referral_ref, first_received_at")
        found.add(tuple(rows))
    ((row,),) = found
    assert (row[0], row[2]) == ("张三丰", RECEIVED)


def test_what_was_said_again_stands_against_what_came_in_between(
    shared: Store, plan: Plan, tmp_path: Path
) -> None:
    first = file_of(tmp_path, "a", referral(phone="13800138001"))
    between = file_of(tmp_path, "b", referral(phone="13800138002"))
    again = file_of(tmp_path, "c", referral(phone="13800138001"), referral(full_name="李四"))
    cleared(shared)
    for path, hours in ((first, 0), (again, 2), (between, 1)):
        taken(shared, plan, [(path, RECEIVED + hours * HOUR)])
    assert contents(
        shared, f"{REFERRALS} AND full_name = '张三丰'", "phone, first_received_at"
    ) == [("13800138001", RECEIVED)]


def test_the_same_file_dated_earlier_came_when_it_came_first(
    shared: Store, plan: Plan, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "a", referral())
    cleared(shared)
    for hours in (5, 2, 3):
        taken(shared, plan, [(path, RECEIVED + hours * HOUR)])
    at = RECEIVED + 2 * HOUR
    assert contents(shared, "raw_submission", "received_at") == [(at,)]
    assert contents(shared, "stg_referral", "received_at, first_received_at, is_current") == [
        (at, at, True)
    ]
    query = "SELECT received_at FROM ledger.agg_submission"
    assert shared.connection.execute(query).fetchall() == [(at,)]


def test_a_repeated_file_is_judged_as_of_the_day_it_came(
    shared: Store, plan: Plan, tmp_path: Path
) -> None:
    tomorrow = (RECEIVED + timedelta(days=1)).date().isoformat()
    path = file_of(tmp_path, "a", referral(consent_date=tomorrow))
    cleared(shared)
    for days in (0, 2):
        at = RECEIVED + timedelta(days=days)
        (result,) = take_in(
            shared, {plan.slug: plan}, [path], received_at=at, recorded_at=at, keep=True
        )
        assert (result.repeated, result.rows["returned"]) == (days > 0, 1)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_reference_that_is_on_a_list_stays_and_another_is_as_in_order(
    tmp_path: Path, plan: Plan, is_listed: bool
) -> None:
    named = file_of(tmp_path, "a", referral())
    numbered = file_of(tmp_path, "b", referral(resident_id=NUMBERS[1]))
    home = make_home(tmp_path / "home")
    with open_home(home) as store:
        taken(store, plan, [(named, RECEIVED)])
        ((in_order,),) = contents(store, REFERRALS, "referral_ref")
        cleared(store)
        taken(store, plan, [(numbered, RECEIVED + HOUR)])
        ((before,),) = contents(store, REFERRALS, "referral_ref")
        assert before != in_order
        if is_listed:
            compile_list(store, plan, date(2025, 11, 1))
        taken(store, plan, [(named, RECEIVED)])
        wanted = before if is_listed else in_order
        rows = contents(store, "stg_referral", "is_current, referral_ref")
        assert rows == [(False, wanted), (True, wanted)]


def test_lists_and_their_figures_come_out_the_same(tmp_path: Path, plan: Plan) -> None:
    events = [
        (file_of(tmp_path, "a", referral(), referral(full_name="李四", row_no="2")), RECEIVED),
        (file_of(tmp_path, "b", referral(care_setting="住院")), RECEIVED + HOUR),
        (file_of(tmp_path, "c", referral(resident_id=NUMBERS[1])), RECEIVED + 2 * HOUR),
    ]
    found = []
    for number, order in enumerate((events, events[::-1])):
        home: Home = make_home(tmp_path / f"home{number}")
        with open_home(home) as store:
            for event in order:
                taken(store, plan, [event])
            compile_list(store, plan, date(2025, 11, 1))
            settings = contents(store, "reg_person", "care_setting, waiting_since, referrals")
            found.append((settings, list_figures(store, plan)))
    assert found[0] == found[1]
    assert len(found[0][0]) == 2


def test_a_persons_own_correction_outlives_a_rotation_and_the_uncorrected_row(
    tmp_path: Path, plan: Plan
) -> None:
    row = referral(resident_id=NUMBERS[1], phone="13800138001")
    home = make_home(tmp_path / "home")
    with open_home(home) as store:
        taken(store, plan, [(file_of(tmp_path, "a", row), RECEIVED)])
        ((reference,),) = contents(store, REFERRALS, "referral_ref")
        act = replace(ACT, campaign=plan.slug)
        correct_person(store, {plan.slug: plan}, act, reference, "phone", "13800138009")
    rotate_pseudonyms(home, KEY, ACT)
    again = file_of(tmp_path, "b", row, referral(full_name="李四", row_no="2"))
    with open_home(home) as store:
        taken(store, plan, [(again, RECEIVED + HOUR)])
        kept = contents(store, REFERRALS, "full_name, phone")
    assert kept == [("张三丰", "13800138009"), ("李四", "13800138000")]
