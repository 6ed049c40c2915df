"""A township's whole delivery in one go: no process and no statement a file, memory bounded."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from msoffcrypto.format.ooxml import OOXMLFile
from python_calamine import CalamineWorkbook

from conftest import RECEIVED, make_home, open_home, referral, write_workbook
from register_rows import contents
from tasks import intake
from tasks.home import Home
from tasks.plan import Limits, Plan
from tasks.reading import Submission, read_submission, reading_ahead, submission
from tasks.reading.apart import Apart
from tasks.receive import Received, receive
from tasks.rules.contract import Identity
from tasks.rules.errors import FileRefused, WrongCommand
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
    for number, (at_once, bytes_at_once) in enumerate(
        ((intake.ROWS_AT_ONCE, intake.BYTES_AT_ONCE), (4, intake.BYTES_AT_ONCE), (1000, 1))
    ):
        monkeypatch.setattr(intake, "ROWS_AT_ONCE", at_once)
        monkeypatch.setattr(intake, "BYTES_AT_ONCE", bytes_at_once)
        home = make_home(tmp_path / f"home{number}")
        with open_home(home) as store:
            watched["rows"].clear()
            received = delivered(store, home, wide, files, lambda: None)
            assert max(watched["rows"]) < at_once + 3
            assert bytes_at_once > 1 or max(watched["rows"]) == 3, "each file for itself"
            columns = "sender_village, full_name, phone, is_current"
            kept = contents(store, "stg_referral", columns)
            found.append(([one.result.sheets for one in received], kept))
    assert found[0] == found[1] == found[2]


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
@pytest.mark.parametrize(
    ("files", "rows"),
    [
        (3, 5_000),
        (150, 50),
    ],
)
def test_reading_costs_at_most_twice_what_calamine_costs(
    tmp_path: Path, files: int, rows: int
) -> None:
    # often enough that a hundredth of a second, in which processes are counted, says something
    paths = write_files(tmp_path, files, rows) * 4

    def ours() -> None:
        with ahead(paths) as read:
            assert all(isinstance(one, Submission) for one in read)

    def calamine() -> None:
        for path in paths:
            book = CalamineWorkbook.from_path(path)
            for name in book.sheet_names:
                book.get_sheet_by_name(name).to_python()

    ours()  # its process starts with the first file
    apart = submission._apart._process
    assert apart is not None
    took = []
    for _ in range(12):
        # the two work side by side, so the longer one counts; not on the clock, which others move
        before = busy(os.getpid()), busy(apart.pid)
        ours()
        between = busy(os.getpid()), busy(apart.pid)
        calamine()
        alone = busy(os.getpid()) - between[0]
        took.append((max(end - start for start, end in zip(before, between, strict=True)), alone))
    assert min(one for one, _ in took) <= 2 * min(alone for _, alone in took)


# --- reading ahead --------------------------------------------------------------------------------


def ahead(files: list[Path], rows: int = intake.ROWS_AHEAD, size: int = 2**30) -> Any:
    return reading_ahead(files, Limits(), lambda _: (), rows=rows, size=size)


def test_files_read_ahead_are_those_read_one_by_one_in_their_order(tmp_path: Path) -> None:
    files = write_files(tmp_path, 6, 3)
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(files[0].read_bytes()[:-40])
    text = tmp_path / "no.csv"
    text.write_bytes(b"nothing")
    files[1:1] = [damaged]
    files[4:4] = [text, damaged]
    files.append(text)
    alone: list[Submission | str] = []
    for file in files:
        try:
            alone.append(read_submission(file))
        except FileRefused as refused:
            alone.append(refused.text())
    with ahead(files, rows=1000) as read:
        together = [one.text() if isinstance(one, FileRefused) else one for one in read]
    assert together == alone
    assert [type(one) for one in alone].count(str) == 4


@pytest.mark.parametrize("most", [{"rows": 8}, {"size": 2 * 4 * 100}], ids=["rows", "bytes"])
def test_no_more_is_read_ahead_than_may_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: dict[str, int]
) -> None:
    begun: list[str] = []
    content = submission._content

    def seen(path: Path, *rest: Any) -> bytes:
        begun.append(path.name)
        return content(path, *rest)

    monkeypatch.setattr(submission, "_content", seen)
    with ahead(write_files(tmp_path, 9, 4), **most) as read:
        for taken in range(1, 5):
            next(read)
            time.sleep(0.2)
            # two that wait, one whose rows nobody has counted yet, and the bytes of another
            assert len(begun) <= taken + 4
        assert sum(1 for _ in read) == 5


def test_a_file_that_is_still_being_read_is_given_up_when_nobody_wants_it(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    with write_files(tmp_path, 1, 1)[0].open("rb") as source, path.open("wb") as target:
        OOXMLFile(source).encrypt("password", target)
    wrong = [f"wrong {number}" for number in range(1000)]  # minutes

    def stopped() -> None:
        limits = Limits(seconds=600)
        with reading_ahead([path], limits, lambda _: wrong, rows=1000, size=2**20):
            time.sleep(0.5)
            raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert time.monotonic() - start < 5
    assert read_submission(tmp_path / f"{CODES[0]}.xlsx").rows_read == 1, "the next is read"


def test_without_the_reading_process_the_delivery_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_files(tmp_path, 2, 1)
    monkeypatch.setattr(submission, "_apart", Apart())
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(WrongCommand), ahead(files, rows=10) as read:
        next(read)


@pytest.mark.slow
def test_a_large_delivery_stays_within_the_memory(tmp_path: Path, home: Home, wide: Plan) -> None:
    write_files(tmp_path, 12, 5000)
    (tmp_path / "plan.json").write_text(wide.model_dump_json(), encoding="utf-8")
    script = tmp_path / "measured.py"
    script.write_text(MEASURED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(home.root), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 512 * 2**20


MEASURED = """
import os, sys, threading
from datetime import datetime
from pathlib import Path
from tasks.audit import Act
from tasks.home import Home
from tasks.plan import Plan
from tasks.receive import receive
from tasks.register import open_register

root, folder = map(Path, sys.argv[1:])
plan = Plan.model_validate_json((folder / "plan.json").read_text(encoding="utf-8"))
act = Act("test", "receive", "test", at=datetime(2025, 10, 28))
page, me = os.sysconf("SC_PAGE_SIZE"), os.getpid()
peak, done = 0, threading.Event()

def watch():
    global peak
    while not done.wait(0.05):
        used = 0
        for process in [me, *children()]:
            try:
                used += int(Path(f"/proc/{process}/statm").read_text().split()[1]) * page
            except OSError:
                continue
        peak = max(peak, used)

def children():
    return [int(one) for task in Path("/proc/self/task").iterdir()
            for one in (task / "children").read_text().split()]

watcher = threading.Thread(target=watch)
watcher.start()
try:
    with open_register(Home(root), key="a" * 64, act=act) as store:
        received = receive(store, Home(root), {plan.slug: plan}, sorted(folder.glob("*.xlsx")),
            received_at=act.at, recorded_at=act.at, act=act)
finally:
    done.set()
    watcher.join()
assert all(one.result.rows["accepted"] == 5000 for one in received)
print(peak)
"""
"""Receives the workbooks of a folder; says how many bytes it and the processes it started held."""


def busy(process: int) -> float:
    """Return the seconds that a process has had of the processor."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
