"""What stands is decided by when files came: every order of taking them in comes out the same."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
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
    write_grids,
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
SENDERS = [f"9901010010{number:02d}" for number in range(1, 16)]
TABLES = ("stg_referral", "stg_coverage", "raw_submission", "raw_row", "reg_said", "reg_return")
NUMBERS = ("", "110101198001020139", "11010119800102069X")
"""None, and two made-up numbers with a right check digit; both of a man born 1980-01-02."""


@pytest.fixture(autouse=True)
def _errors_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGN_SQL_ERRORS", "synthetic-data-only")


PEOPLE = (("赵甲", "1980-01-02"), ("赵乙", "1980-01-02"), ("钱丙", "1975-05-06"))
"""The second can be the first, misspelt; the third is somebody else."""


@dataclass(frozen=True)
class Row:
    """A referral of a file."""

    person: int
    id_number: int
    phone: int
    is_right: bool
    number: int
    """Which returned row of its village's first file it says it corrects; 0: none."""


@dataclass(frozen=True)
class Sent:
    """A file: for which round, and its rows."""

    round: int
    referrals: tuple[Row, ...]
    visited: tuple[int, ...]
    """Households visited, a grid each."""

    def sheets(self, numbers: Sequence[str]) -> dict[str, list[dict[str, str]]]:
        people = [
            referral(
                full_name=PEOPLE[row.person][0],
                birth_date=PEOPLE[row.person][1],
                resident_id=NUMBERS[row.id_number],
                phone=f"1380013800{row.phone}",
                urgency="常规" if row.is_right else "特急",
                return_no=numbers[row.number - 1] if 0 < row.number <= len(numbers) else "",
            )
            for row in self.referrals
        ]
        grids = [
            coverage(grid=f"{place}网格", households_visited=str(count))
            for place, count in enumerate(self.visited)
        ]
        return {"referral": people, "coverage": grids}


ROWS = st.builds(
    Row,
    st.integers(0, 2),
    st.sampled_from([0, 0, 0, 1, 2]),
    st.integers(0, 2),
    st.sampled_from([True, True, False]),
    st.sampled_from([0, 1, 1, 2]),
)
FILES = st.builds(
    Sent,
    st.sampled_from([1, 1, 1, 2]),
    st.lists(ROWS, min_size=1, max_size=3).map(tuple),
    st.lists(st.integers(40, 42), max_size=2).map(tuple),
)
FIRST_FILES = st.builds(
    Sent,
    st.just(1),
    st.lists(
        st.builds(Row, st.integers(0, 2), st.just(0), st.just(0), st.just(False), st.just(0)),
        min_size=1,
        max_size=2,
    ).map(tuple),
    st.just(()),
)
"""What comes first: rows that go back, each with a number."""
HISTORIES = st.tuples(FIRST_FILES, st.lists(FILES, min_size=3, max_size=5)).map(
    lambda parts: [parts[0], *parts[1]]
)
"""What one village sends in the course of time; the first file is sent once more at the end."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A register for many examples."""
    with open_home(make_home(tmp_path_factory.mktemp("order") / "home")) as store:
        yield store


@pytest.fixture(scope="module")
def two_rounds(plan: Plan) -> Plan:
    """A plan with fifteen villages and two rounds of the sweep."""
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


# not made smaller where it fails: that would take minutes
@settings(max_examples=2, deadline=None, phases=(Phase.reuse, Phase.generate))
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

    def written(village: str, turn: int, sent: Sent, numbers: Sequence[str] = ()) -> Event:
        mark = write_identity(Identity(two_rounds.slug, "sweep", sent.round, village, 1))
        grids = {}
        for name, rows in sent.sheets(numbers).items():
            columns = (*SHEETS[name].columns, RETURN_COLUMN)
            cells = [[row.get(column.name, "") for column in columns] for row in rows]
            heads = [column.heads[0] for column in columns]
            # two files of the same bytes would be one
            grids[SHEETS[name].title] = [[mark], [f"第{turn}次"], heads, *cells]
        return write_grids(folder / f"{village}-{turn}.xlsx", grids), RECEIVED + turn * HOUR

    events = [
        written(village, 0, history[0]) for village, history in zip(SENDERS, histories, strict=True)
    ]
    cleared(shared)
    taken(shared, two_rounds, events)
    for (first, _), village, history in zip(list(events), SENDERS, histories, strict=True):
        numbers = given_numbers(shared, village)
        for turn, sent in enumerate(history[1:], start=1):
            events.append(written(village, turn, sent, numbers))
        events.append((first, RECEIVED + len(history) * HOUR))
    cleared(shared)
    taken(shared, two_rounds, sorted(events, key=lambda event: event[1]))
    wanted = outcome(shared, two_rounds)
    assert wanted["files"]
    nobody_shares_a_reference(shared)

    shuffled = list(events)
    random.shuffle(shuffled)
    cleared(shared)
    half = len(shuffled) // 2
    for delivery in (shuffled[:half], shuffled[half:]):
        taken(shared, two_rounds, delivery)
        nobody_shares_a_reference(shared)
    assert outcome(shared, two_rounds) == wanted


def given_numbers(store: Store, village: str) -> list[str]:
    """The numbers under which rows of a village were sent back, in the order of its rows."""
    source = "reg_return JOIN register.raw_submission USING (submission_id)"
    sent = f"{source} WHERE sender_village = '{village}'"
    return [number for (number,) in contents(store, sent, "return_id", order="row_number")]


def nobody_shares_a_reference(store: Store) -> None:
    standing = [reference for (reference,) in contents(store, REFERRALS, "referral_ref")]
    assert len(set(standing)) == len(standing)


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


def outcomes(
    store: Store, plan: Plan, orders: Iterable[Sequence[Event]]
) -> list[tuple[tuple[Any, ...], ...]]:
    """What stands, since when and under which reference, after each order of taking files in."""
    found = set()
    for order in orders:
        cleared(store)
        for event in order:
            taken(store, plan, [event])
        nobody_shares_a_reference(store)
        rows = contents(store, REFERRALS, "full_name, referral_ref, first_received_at")
        found.add(tuple(rows))
    return sorted(found)


def corrected_twice(store: Store, plan: Plan, folder: Path, *later: dict[str, str]) -> list[Event]:
    """A returned row, and an hour after each other rows that came with its number."""
    original = file_of(folder, "a", referral(full_name="张三疯", sex="?"))
    cleared(store)
    taken(store, plan, [(original, RECEIVED)])
    ((number,),) = contents(store, "reg_return", "return_id")
    return [
        (original, RECEIVED),
        *(
            (file_of(folder, f"b{hours}", row, number=number), RECEIVED + hours * HOUR)
            for hours, row in enumerate(later, start=1)
        ),
    ]


def test_corrections_find_their_original_by_its_number_in_every_order(
    shared: Store, plan: Plan, tmp_path: Path
) -> None:
    events = corrected_twice(
        shared,
        plan,
        tmp_path,
        referral(full_name="张三凤", observed_signs="1"),
        referral(observed_signs="2"),
    )
    ((row,),) = outcomes(shared, plan, permutations(events))
    assert (row[0], row[2]) == ("张三丰", RECEIVED)


def test_somebody_written_over_a_numbered_row_stands_for_himself_in_every_order(
    shared: Store, plan: Plan, tmp_path: Path
) -> None:
    other = referral(full_name="李四", birth_date="1975-05-06", phone="13800138009")
    events = corrected_twice(shared, plan, tmp_path, referral(full_name="张三凤"), other)
    events.append((file_of(tmp_path, "c", referral(full_name="张三疯")), RECEIVED + 3 * HOUR))
    orders = (events, events[::-1], [*events[2:], *events[:2]], [*events[1::2], *events[::2]])
    (rows,) = outcomes(shared, plan, orders)
    assert [(row[0], row[2]) for row in rows] == [
        ("张三凤", RECEIVED),
        ("张三疯", RECEIVED + 3 * HOUR),
        ("李四", RECEIVED + 2 * HOUR),
    ]


def test_without_settling_the_order_of_taking_in_would_show(
    shared: Store, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = corrected_twice(shared, plan, tmp_path, referral(full_name="张三凤"), referral())
    orders = (events, events[::-1])
    assert len(outcomes(shared, plan, orders)) == 1
    monkeypatch.setattr("tasks.intake.settle_order", lambda _: None)
    assert len(outcomes(shared, plan, orders)) == 2


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
