"""A township's whole delivery in one go: no process and no statement a file, memory bounded."""

import subprocess
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

from conftest import RECEIVED, make_home, open_home, referral, write_workbook
from register_rows import contents
from tasks import intake
from tasks.home import Home
from tasks.plan import Plan
from tasks.reading import read_submission
from tasks.receive import Received, receive
from tasks.rules.contract import Identity
from tasks.store import Store

NAMES = ["".join(each) for each in product("赵钱孙李", "一二三四", "甲乙丙丁", "东西南北")]
CODES = [f"990101{number:06d}" for number in range(1001, 2001)]
MOST_STATEMENTS = 150
"""Of one delivery that is judged in one portion, its macros included."""


@pytest.fixture
def wide(plan: Plan) -> Plan:
    """The plan with a thousand villages."""
    villages = tuple(plan.villages[0].model_copy(update={"code": code}) for code in CODES)
    return plan.model_copy(update={"villages": villages})


def write_files(folder: Path, files: int, rows: int) -> list[Path]:
    """Write a workbook a village, each with so many referrals."""
    paths = []
    for code in CODES[:files]:
        people = [
            referral(
                row_no=str(number + 1),
                full_name=NAMES[number % len(NAMES)],
                birth_date=f"19{50 + number // len(NAMES) % 40}-01-02",
                residence_village=code,
                registered_village=code,
            )
            for number in range(rows)
        ]
        identity = Identity("autumn-2025", "sweep", 1, code, 1)
        paths.append(write_workbook(folder / f"{code}.xlsx", {"referral": people}, identity))
    return paths


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What a delivery costs: statements run, rows staged at once, processes started."""
    seen: dict[str, list[Any]] = {"statements": [], "rows": [], "processes": []}
    execute, load, start = Store._execute, Store.load, subprocess.Popen

    def executed(self: Store, name: str, *rest: Any) -> Any:
        seen["statements"].append(name)
        return execute(self, name, *rest)

    def loaded(self: Store, table: str, content: pa.Table) -> None:
        if table.startswith("raw_"):
            seen["rows"].append(content.num_rows)
        load(self, table, content)

    def started(*args: Any, **how: Any) -> Any:
        seen["processes"].append(args)
        return start(*args, **how)

    monkeypatch.setattr(Store, "_execute", executed)
    monkeypatch.setattr(Store, "load", loaded)
    monkeypatch.setattr(subprocess, "Popen", started)
    return seen


def delivered(
    store: Store, home: Home, plan: Plan, files: list[Path], advance: Callable[[], None]
) -> list[Received]:
    return receive(
        store,
        home,
        {plan.slug: plan},
        files,
        received_at=RECEIVED,
        recorded_at=RECEIVED,
        advance=advance,
    )


def test_statements_and_processes_do_not_grow_with_the_files(
    store: Store, home: Home, wide: Plan, tmp_path: Path, watched: dict[str, list[Any]]
) -> None:
    files = write_files(tmp_path, 60, 2)
    told: list[None] = []
    watched["statements"].clear()
    received = delivered(store, home, wide, files, lambda: told.append(None))
    assert sum(one.result.rows["accepted"] for one in received) == 120
    assert len(told) == 60
    assert len(watched["processes"]) <= 1
    assert watched["statements"].count("stage/referral") == 1
    assert len(watched["statements"]) < MOST_STATEMENTS


def test_a_delivery_in_portions_comes_out_as_one(
    tmp_path: Path, wide: Plan, monkeypatch: pytest.MonkeyPatch, watched: dict[str, list[Any]]
) -> None:
    files = write_files(tmp_path, 7, 3)
    # a correction of the first file, portions later
    row = referral(full_name=NAMES[0], birth_date="1950-01-02", phone="13700137000")
    identity = Identity("autumn-2025", "sweep", 1, CODES[0], 1)
    files.append(write_workbook(tmp_path / "again.xlsx", {"referral": [row]}, identity))
    found = []
    for number, at_once in enumerate((intake.ROWS_AT_ONCE, 4)):
        monkeypatch.setattr(intake, "ROWS_AT_ONCE", at_once)
        home = make_home(tmp_path / f"home{number}")
        with open_home(home) as store:
            watched["rows"].clear()
            received = delivered(store, home, wide, files, lambda: None)
            assert max(watched["rows"]) < at_once + 3
            columns = "sender_village, full_name, phone, is_current"
            kept = contents(store, "stg_referral", columns)
            found.append(([one.result.sheets for one in received], kept))
    assert found[0] == found[1]


@pytest.mark.slow
def test_a_thousand_workbooks_of_fifty_rows_in_one_go(
    store: Store, home: Home, wide: Plan, tmp_path: Path, watched: dict[str, list[Any]]
) -> None:
    files = write_files(tmp_path, 1000, 50)
    watched["statements"].clear()
    received = delivered(store, home, wide, files, lambda: None)
    assert [one.result.rows["accepted"] for one in received] == [50] * 1000
    assert len(watched["processes"]) <= 1
    assert max(watched["rows"]) < intake.ROWS_AT_ONCE + 50
    assert watched["statements"].count("stage/referral") == -(-50_000 // intake.ROWS_AT_ONCE)


@pytest.mark.slow
def test_reading_a_workbook_costs_at_most_twice_what_calamine_costs(tmp_path: Path) -> None:
    (file,) = write_files(tmp_path, 1, 10_000)

    def calamine() -> None:
        book = CalamineWorkbook.from_path(file)
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python()

    read_submission(file)  # its process starts with the first file
    ours, alone = (
        min(timed(work) for _ in range(7)) for work in (lambda: read_submission(file), calamine)
    )
    assert ours <= 2 * alone


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
