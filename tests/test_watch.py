"""A watched folder: a file is taken in once it is whole, once, and then it is gone from there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.main import app
from conftest import ACT, KEY, RECEIVED, WriteCsv, coverage, open_home, referral
from tasks.audit import Act
from tasks.home import Home
from tasks.plan import Plan
from tasks.rules.errors import StoreBusy, WrongCommand
from tasks.set_up import set_up
from tasks.store import Store
from tasks.watch import NOTE, Arrival, Folder, Taken, check_folder, watch

PLANS = Path(__file__).parent.parent / "data" / "campaigns"
Write = Callable[..., Path]


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A folder on a shared drive."""
    folder = tmp_path / "drive"
    folder.mkdir()
    return folder


@pytest.fixture
def put(drive: Path, write_csv: WriteCsv) -> Write:
    """Return a function that puts a sheet on the drive."""

    def write(
        sheet: str, rows: list[dict[str, str]], name: str = "village.csv", **how: Any
    ) -> Path:
        path = write_csv(sheet, rows, **how)
        target = drive / name
        target.parent.mkdir(exist_ok=True)
        return path.replace(target)

    return write


class Heard:
    """What a watch told, in order; `during` runs between two looks, and the last one ends it."""

    def __init__(self, during: list[Callable[[], object]]) -> None:
        self.during = during
        self.words: list[tuple[Any, ...]] = []
        self.results: list[Taken] = []

    def taken(self, arrival: Arrival, taken: Taken) -> None:
        self.results.append(taken)
        self.words.append(("taken", arrival.path.name))

    def busy(self, waiting: int) -> None:
        self.words.append(("busy", waiting))

    def unreachable(self) -> None:
        self.words.append(("unreachable",))

    def held(self, paths: set[Path]) -> None:
        self.words += [("held", path.name) for path in paths]

    def stopping(self) -> bool:
        return not self.during

    def wait(self) -> None:
        self.during.pop(0)()


def nothing() -> None:
    """What happens between two looks at a quiet drive."""


def watched(
    drive: Path,
    home: Home,
    plan: Plan,
    *during: Callable[[], object],
    busy: Callable[[], bool] = lambda: False,
) -> Heard:
    """Watch the drive for as many looks as there are steps between them."""
    heard = Heard(list(during))

    @contextmanager
    def opened() -> Iterator[tuple[Store, Mapping[str, Plan], Act]]:
        if busy():
            raise StoreBusy("error.store_busy", file="register.duckdb")
        with open_home(home) as store:
            yield store, {plan.slug: plan}, replace(ACT, at=RECEIVED)

    watch(Folder(drive), home, opened, heard, stopping=heard.stopping, wait=heard.wait)
    return heard


def accepted(home: Home) -> int:
    with open_home(home) as store:
        query = "SELECT sum(accepted) FROM register.raw_submission"
        ((count,),) = store.connection.execute(query).fetchall()
    return int(count or 0)


# --- when a file is whole -------------------------------------------------------------------------


def test_a_file_is_taken_once_it_stopped_growing(
    drive: Path, home: Home, plan: Plan, put: Write
) -> None:
    path = put("coverage", [coverage(), coverage(grid="二网格")])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    def grow() -> None:
        path.write_bytes(content)

    heard = watched(drive, home, plan, grow, nothing_yet(path), nothing)
    assert heard.words == [("taken", "village.csv")]
    assert accepted(home) == 2, "not the half that was there first"
    assert not path.exists()


def nothing_yet(path: Path) -> Callable[[], None]:
    """A step at which the file is still there, so nobody took it too early."""

    def check() -> None:
        assert path.exists()

    return check


def test_a_file_of_the_same_size_that_is_written_again_is_not_whole_yet(
    drive: Path, put: Write
) -> None:
    path = put("coverage", [coverage()])
    folder = Folder(drive)
    for second in range(3):
        os.utime(path, (second, second))
        assert folder.look() == [], "space was set aside first, the content still comes"
    assert [each.path for each in folder.look()] == [path]


def test_an_empty_file_waits_for_its_content(drive: Path) -> None:
    (drive / "new.xlsx").write_bytes(b"")
    folder = Folder(drive)
    assert [folder.look(), folder.look(), folder.look()] == [[], [], []]


def test_a_file_that_cannot_be_opened_waits(
    drive: Path, put: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("coverage", [coverage()])
    folder = Folder(drive)
    folder.look()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        assert folder.look() == []
    assert [each.path for each in folder.look()] == [path]


@pytest.mark.parametrize("lock", ["~$village.csv", ".~lock.village.csv#"])
def test_a_file_that_somebody_has_open_waits_and_is_named(
    drive: Path, home: Home, plan: Plan, put: Write, lock: str
) -> None:
    put("coverage", [coverage()])
    (drive / lock).write_bytes(b"lock")
    heard = watched(drive, home, plan, nothing, nothing, (drive / lock).unlink, nothing)
    assert heard.words == [
        ("held", "village.csv"),
        ("held", "village.csv"),
        ("taken", "village.csv"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "~$village.xlsx",
        ".village.xlsx",
        ".hidden/village.csv",
        "village.xlsx.part",
        "village.tmp",
        "village.xlsx.crdownload",
        "Thumbs.db",
        "desktop.ini",
        f"village.csv{NOTE}",
        "refused/village.csv",
    ],
)
def test_what_is_no_submission_yet_stays_where_it_is(drive: Path, put: Write, name: str) -> None:
    path = put("coverage", [coverage()], name)
    folder = Folder(drive)
    assert folder.look() == folder.look() == []
    assert path.exists()


def test_a_link_that_leads_out_of_the_folder_is_not_followed(drive: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text("x", encoding="utf-8")
    (drive / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    folder = Folder(drive)
    assert folder.look() == folder.look() == []


def test_a_villages_own_folder_is_watched_too(
    drive: Path, home: Home, plan: Plan, put: Write
) -> None:
    path = put("coverage", [coverage()], "一村/走访.csv")
    assert watched(drive, home, plan, nothing, nothing).words == [("taken", "走访.csv")]
    assert not path.exists()


# --- what becomes of it ---------------------------------------------------------------------------


def test_it_is_received_as_of_when_it_was_put_there(
    drive: Path, home: Home, plan: Plan, put: Write
) -> None:
    put("coverage", [coverage()])
    heard = watched(drive, home, plan, nothing, nothing)
    # it was put there today, which is after the present time of this test: nothing comes from there
    assert heard.results[0].received.result.received_at == RECEIVED


def test_a_refused_file_goes_to_the_homes_own_folder_and_leaves_its_reason(
    drive: Path, home: Home, plan: Plan, put: Write
) -> None:
    path = put("coverage", [], "bad.csv")
    path.chmod(0o644)
    good = put("coverage", [coverage()], "good.csv")
    heard = watched(drive, home, plan, nothing, nothing, nothing)
    assert {name for _, name in heard.words} == {"bad.csv", "good.csv"}
    assert [each.name for each in drive.iterdir()] == [f"bad.csv{NOTE}"]
    reason = heard.results[0].received.result.refused
    reason = reason or heard.results[1].received.result.refused
    assert reason is not None
    note = drive / f"bad.csv{NOTE}"
    assert note.read_text("utf-8").strip() == reason.text()
    assert note.stat().st_mode & 0o777 == 0o644, "who put the file there can read why it went away"
    kept = home.inbox / "refused" / "bad.csv"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert not good.exists()


def test_a_note_goes_when_the_file_comes_right(
    drive: Path, home: Home, plan: Plan, put: Write
) -> None:
    put("coverage", [], "v.csv")
    heard = watched(
        drive, home, plan, nothing, lambda: put("coverage", [coverage()], "v.csv"), nothing, nothing
    )
    assert len(heard.words) == 2
    assert list(drive.iterdir()) == []


def test_a_file_changed_while_it_was_taken_in_comes_again(
    drive: Path, home: Home, plan: Plan, put: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("coverage", [coverage()])
    newer = put("coverage", [coverage(households_visited="46")], "newer.tmp")
    import tasks.watch as module  # noqa: PLC0415 # its receive is replaced

    receive = module.receive

    def slow(*given: Any, **how: Any) -> Any:
        received = receive(*given, **how)
        if newer.exists():
            newer.replace(path)
        return received

    monkeypatch.setattr(module, "receive", slow)
    heard = watched(drive, home, plan, nothing, nothing, nothing, nothing)
    assert [each.received.result.rows["accepted"] for each in heard.results] == [1, 1]
    assert not path.exists()


def test_what_cannot_be_removed_is_taken_once_and_said(
    drive: Path, home: Home, plan: Plan, put: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("coverage", [coverage()])
    unlink = Path.unlink

    def refuse(each: Path, missing_ok: bool = False) -> None:
        if each == path:
            raise PermissionError
        unlink(each, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    heard = watched(drive, home, plan, nothing, nothing, nothing, nothing)
    assert heard.words == [("taken", "village.csv")]
    assert not heard.results[0].removed
    assert path.exists()


def test_a_busy_store_loses_nothing(drive: Path, home: Home, plan: Plan, put: Write) -> None:
    put("coverage", [coverage()])
    answers = [True, True, False]
    heard = watched(
        drive, home, plan, nothing, nothing, nothing, nothing, busy=lambda: answers.pop(0)
    )
    assert heard.words == [("busy", 1), ("busy", 1), ("taken", "village.csv")]
    assert accepted(home) == 1


def test_a_drive_that_is_away_is_tried_again(
    drive: Path, home: Home, plan: Plan, put: Write
) -> None:
    put("coverage", [coverage()])
    away = drive.with_name("away")
    heard = watched(
        drive, home, plan, lambda: drive.rename(away), lambda: away.rename(drive), nothing, nothing
    )
    assert heard.words == [("unreachable",), ("taken", "village.csv")]


def test_it_stops_between_two_files(drive: Path, home: Home, plan: Plan, put: Write) -> None:
    put("coverage", [coverage()], "a.csv")
    put("coverage", [coverage(grid="二网格")], "b.csv")
    heard = Heard([nothing, nothing])
    heard_one = heard.taken

    def stop_after(arrival: Arrival, taken: Taken) -> None:
        heard_one(arrival, taken)
        heard.during.clear()

    heard.taken = stop_after  # type: ignore[method-assign]

    @contextmanager
    def opened() -> Iterator[tuple[Store, Mapping[str, Plan], Act]]:
        with open_home(home) as store:
            yield store, {plan.slug: plan}, replace(ACT, at=RECEIVED)

    heard.wait = lambda: heard.during and heard.during.pop(0)()  # type: ignore[method-assign]
    watch(Folder(drive), home, opened, heard, stopping=heard.stopping, wait=heard.wait)
    assert len(heard.words) == 1
    assert len(list(drive.iterdir())) == 1


# --- which folder ---------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "returns", "plans/autumn-2025", ".."])
def test_the_softwares_own_files_are_not_watched(home: Home, inside: str) -> None:
    folder = home.root / inside
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.raises(WrongCommand) as refusal:
        check_folder(home, folder)
    assert refusal.value.key == "watch.own_home"


def test_the_inbox_can_be_watched_and_gets_no_note(
    home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    home.inbox.mkdir(mode=0o700)
    write_csv("coverage", [], name="bad.csv").replace(home.inbox / "bad.csv")
    check_folder(home, home.inbox)
    assert watched(home.inbox, home, plan, nothing, nothing, nothing).words == [
        ("taken", "bad.csv")
    ]
    assert [path.name for path in home.inbox.iterdir()] == ["refused"]


# --- the command ----------------------------------------------------------------------------------


def campaign(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "cli", *map(str, arguments)]


def test_the_command_takes_in_and_ends_cleanly_when_told(
    tmp_path: Path, drive: Path, monkeypatch: pytest.MonkeyPatch, write_csv: WriteCsv
) -> None:
    home = tmp_path / "own"
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    set_up(Home(home), PLANS / "autumn-2025.toml")
    village = "990101101201"
    rows = [referral(residence_village=village, registered_village=village, phone="见上")]
    write_csv("referral", rows, village=village).replace(drive / "v.csv")
    with subprocess.Popen(
        campaign("receive", drive, "--watch", "--every", "0.1", "--home", home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until = time.monotonic() + 60
        while (drive / "v.csv").exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "v.csv" in out
    assert "见上" not in out + err
    assert len(list(Home(home).returns(village).glob("*.xlsx"))) == 1


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("missing",), "watch.one_folder"),
        (("a", "b"), "watch.one_folder"),
        ((".", "--received-at", "2025-10-01"), "watch.not_received_at"),
    ],
)
def test_it_wants_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], key: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["campaign", "receive", *arguments, "--watch", "--home", str(tmp_path / "h")]
    )
    with pytest.raises(WrongCommand) as refusal:
        app(standalone_mode=False)
    assert refusal.value.key == key
