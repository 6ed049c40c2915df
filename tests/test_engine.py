"""Pieces on Dask's workers: the same results as here, whoever is killed, and nothing told."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from distributed import LocalCluster
from typer.testing import CliRunner

import county_rows
from benchmarks.province import list_of
from cli.many import take_in_inbox
from cli.many_commands import many
from cli.server import free_port
from conftest import coverage, referral, write_workbook
from county_rows import CODES, SLUG
from flows import county as many_townships
from flows import fan_out
from flows.county import receive_homes, roll_up_county
from flows.engine import HERE, OWN_TO_A_HOME, Engine, PieceFailed, engine_setting, run_pieces
from tasks.audit import Act
from tasks.clock import now_in
from tasks.home import Home
from tasks.hosted import InboxStand, homes_in
from tasks.keys import read_key
from tasks.register import open_register
from tasks.rollup import Piece, Rollup, read_snapshot
from tasks.rules.contract import Identity
from tasks.rules.errors import CheckFailed, StoreBusy, WrongCommand
from tasks.set_up import set_up
from tasks.shared_ledger import Shared

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

DASK = Engine("dask")
PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "autumn-2025.toml"
MARKER = "张三丰-13800138000"


# --- the setting


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        (None, HERE),
        ("", HERE),
        ("here", HERE),
        ("dask", DASK),
        ("tcp://127.0.0.1:8786", Engine("cluster", "tcp://127.0.0.1:8786")),
        ("tls://dask.example:8786", Engine("cluster", "tls://dask.example:8786")),
    ],
)
def test_one_setting_names_the_engine(
    text: str | None, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMPAIGN_ENGINE", raising=False)
    if text is not None:
        monkeypatch.setenv("CAMPAIGN_ENGINE", text)
    assert engine_setting() == engine


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ray", "engine.setting"),
        ("tcp://127.0.0.1", "engine.setting"),
        ("tcp://:8786", "engine.setting"),
        ("tcp://127.0.0.1:port", "engine.setting"),
        ("tcp://dask.example:8786", "engine.open_cluster"),
    ],
)
def test_what_is_no_engine_is_refused(text: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGN_ENGINE", text)
    with pytest.raises(WrongCommand) as refused:
        engine_setting()
    assert refused.value.key == key


def test_here_needs_neither_dask_nor_prefect() -> None:
    body = """
import sys
from flows.county import receive_homes, roll_up_county
from flows.engine import HERE, run_pieces
assert run_pieces(HERE, "try", str, [1, 2], tell_lost=print) == ["1", "2"]
sys.exit(any(name in sys.modules for name in ("dask", "distributed", "prefect")))
"""
    subprocess.run([sys.executable, "-c", body], check=True)


# --- what crosses


def breaks(piece: str) -> None:
    raise ValueError(f"cannot read {piece}")


def stops(piece: str) -> None:
    raise CheckFailed("check.table_rule", table="reg_person", rule="one_row", count=1)


def test_an_error_does_not_leave_the_worker_but_for_its_line() -> None:
    fell = fan_out._one_piece(breaks, MARKER)
    assert isinstance(fell, fan_out._Fell)
    assert fell.code == 5
    assert MARKER not in repr(fell)
    stopped = fan_out._one_piece(stops, MARKER)
    assert isinstance(stopped, fan_out._Fell)
    assert "one_row" in stopped.text


def test_a_cluster_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out, "ANSWERS_WITHIN", 1)
    nowhere = Engine("cluster", f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(StoreBusy) as refused:
        run_pieces(nowhere, "try", str, [1], tell_lost=unexpected)
    assert refused.value.key == "engine.no_cluster"
    assert refused.value.exit == 7


def unexpected(count: int) -> None:
    raise AssertionError(f"{count} workers died")


# --- a cluster that is there


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Two worker processes, as somebody may run them."""
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as there:
        yield Engine("cluster", there.scheduler_address)


def survey(piece: int) -> dict[str, object]:
    """What a worker is told and where it listens."""
    own = {str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path("/proc/self/net", table).read_text().splitlines()[1:]
    ]
    listening = {line[1] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in own}
    return {
        "process": os.getpid(),
        "listens": sorted(each.partition(":")[0] for each in listening),
        "keys": [name for name in OWN_TO_A_HOME if name in os.environ],
        "piece": piece,
    }


@linux
def test_workers_listen_to_this_machine_only_and_inherit_no_key(
    prefect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OWN_TO_A_HOME:
        monkeypatch.setenv(name, "f" * 64)
    found = run_pieces(DASK, "survey", survey, [1, 2], tell_lost=unexpected, workers=2)
    assert [each["piece"] for each in found] == [1, 2]
    for each in found:
        assert each["process"] != os.getpid()
        assert each["keys"] == []
        assert each["listens"]
        assert set(each["listens"]) == {"0100007F"}, "127.0.0.1, as the kernel writes it"
    assert all(os.environ[name] == "f" * 64 for name in OWN_TO_A_HOME)


def test_a_piece_that_fails_says_so_and_nothing_else(
    prefect: Path, cluster: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PieceFailed) as failed:
        run_pieces(cluster, "try", breaks, [MARKER], tell_lost=unexpected)
    assert failed.value.exit == 5
    assert "ValueError" in failed.value.text("en")
    printed = capfd.readouterr()
    assert MARKER not in failed.value.text() + printed.out + printed.err
    kept = b"".join(path.read_bytes() for path in prefect.rglob("*") if path.is_file())
    assert MARKER.encode() not in kept
    assert json.dumps(MARKER).encode() not in kept


# --- a county


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """Five townships with two revisions each; one was signed by another."""
    there = county_rows.shared_at(tmp_path_factory.mktemp("shared"))
    rows = []
    for number, code in enumerate(CODES):
        for revision in (1, 2):
            figures = county_rows.sweep_figures(referrals=10 * number + revision)
            one = county_rows.release(code, revision=revision, figures=figures)
            signer = CODES[0] if (number, revision) == (3, 2) else code
            rows.append(county_rows.row(one, signer=signer))
    county_rows.share(there, rows)
    return there


def rolled_up(engine: Engine, shared: Shared, lost: list[int]) -> Rollup:
    county = county_rows.county()
    at = read_snapshot(shared, county, SLUG)
    day = date(2025, 11, 10)
    return roll_up_county(engine, shared, county, SLUG, at, day, tell_lost=lost.append, workers=2)


_roll_up = many_townships._roll_up


def roll_up_and_die_once(piece: many_townships._SomeTownships) -> Piece:
    """As it is, but the third township's piece takes its first worker down."""
    assert piece.shared.folder is not None
    mark = piece.shared.folder / "killed"
    if CODES[2] in piece.townships and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _roll_up(piece)


def test_a_county_comes_to_the_same_with_a_worker_killed_on_the_way(
    prefect: Path, cluster: Engine, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[int] = []
    here = rolled_up(HERE, shared, lost)
    assert here.set_aside, "there is something to get wrong"
    monkeypatch.setattr(many_townships, "_roll_up", roll_up_and_die_once)
    there = rolled_up(cluster, shared, lost)
    assert there == here
    assert repr(there).encode() == repr(here).encode()
    assert len(lost) == 1, "said once"
    assert lost[0] >= 1


@pytest.mark.slow
def test_the_command_writes_the_same_on_either_engine(shared: Shared, tmp_path: Path) -> None:
    listed = tmp_path / "county.toml"
    listed.write_text(list_of(county_rows.county()), encoding="utf-8")
    snapshot = read_snapshot(shared, county_rows.county(), SLUG).number
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    told, written = [], []
    for engine in ("here", "dask"):
        out = tmp_path / engine
        ran = subprocess.run(
            [
                *(Path(sys.executable).with_name("campaign"), "rollup", "--county", listed),
                *("--campaign", SLUG, "--snapshot", str(snapshot), "--out", out),
            ],
            env=own | {"CAMPAIGN_ENGINE": engine, "CAMPAIGN_SHARED_LEDGER": str(shared.folder)},
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 5, ran.stderr
        told.append(ran.stderr)
        written.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert told[0] == told[1]
    assert len(written[0]) == 5
    assert written[0] == written[1]


# --- many homes


def make_homes(folder: Path) -> None:
    """Four townships with a key each; every inbox has files, one of them rows to send back."""
    for number in range(1, 5):
        home = Home(folder / f"township-{number}")
        plan = set_up(home, PLAN)
        for village in plan.villages[:3]:
            write_workbook(
                home.inbox / f"{village.code}.xlsx",
                {
                    "coverage": [coverage(village_code=village.code)],
                    "referral": [
                        referral(
                            residence_village=village.code,
                            registered_village=village.code,
                            **({"phone": "12"} if number == 2 else {}),
                        )
                    ],
                },
                Identity(plan.slug, "sweep", 1, village.code, 1),
            )
        if number == 3:
            (home.inbox / "list.xlsx").write_text("no workbook")


@pytest.fixture(scope="module")
def township_homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("townships")
    with pytest.MonkeyPatch.context() as patch:
        for name in OWN_TO_A_HOME:
            patch.delenv(name, raising=False)
        make_homes(folder)
    return folder


def kept(home: Home) -> list[tuple[object, ...]]:
    """What was taken in, but for when and what is keyed."""
    now = Act("test", "test", "test", at=now_in("Asia/Shanghai"))
    with open_register(home, key=read_key(home), act=now) as store:
        found: list[tuple[object, ...]] = store.connection.execute(
            "SELECT campaign, phase, round, sender_village, sheets, rows_read, accepted, returned,"
            " duplicate, unchanged, no_consent, nil FROM register.raw_submission"
            " ORDER BY sender_village"
        ).fetchall()
    return found


def return_workbooks(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("returns/*/*"))


_take_in = many_townships._take_in


def take_in_and_die_once(piece: many_townships._Inbox) -> InboxStand:
    """As it is, but the first time at the second township the worker dies while it goes on."""
    mark = piece.home.parent / "killed"
    if piece.home.name == "township-2" and not mark.exists():
        mark.touch()
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return _take_in(piece)


@pytest.mark.slow
def test_many_inboxes_are_taken_in_the_same_with_a_worker_killed_on_the_way(
    prefect: Path,
    cluster: Engine,
    township_homes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = shutil.copytree(township_homes, tmp_path / "here")
    there = shutil.copytree(township_homes, tmp_path / "there")
    for name in OWN_TO_A_HOME:
        monkeypatch.setenv(name, "f" * 64)  # of one home, it would open none of these
    stands = receive_homes(HERE, homes_in(here), tell_lost=unexpected)
    assert [
        (each.exit, each.taken, each.returned, each.refused, each.waiting) for each in stands
    ] == [(0, 3, 0, 0, 0), (4, 3, 3, 0, 0), (3, 3, 0, 1, 0), (0, 3, 0, 0, 0)]
    assert [each.error for each in stands] == [None] * 4
    lost: list[int] = []
    monkeypatch.setattr(many_townships, "_take_in", take_in_and_die_once)
    found = receive_homes(cluster, homes_in(there), tell_lost=lost.append)
    assert found == stands
    assert len(lost) == 1, "said once"
    assert lost[0] >= 1
    for name in OWN_TO_A_HOME:
        monkeypatch.delenv(name)
    for one, other in zip(homes_in(here), homes_in(there), strict=True):
        assert len(kept(Home(one))) == 3
        assert kept(Home(one)) == kept(Home(other))
        returned = [
            sorted(each.name for each in root.rglob("returns/*/*")) for root in (one, other)
        ]
        assert returned[0] == returned[1]
    told = b"".join(path.read_bytes() for path in prefect.rglob("*") if path.is_file())
    assert b"receive_many" in told
    for person in ("张三丰", "13900139000"):
        assert person.encode() not in told
        assert json.dumps(person).encode() not in told


def test_a_home_that_cannot_be_opened_says_why_and_the_others_go_on(
    township_homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(township_homes, tmp_path / "homes")
    for number in (2, 3):
        shutil.rmtree(folder / f"township-{number}")
    Home(folder / "township-1").key_file.unlink()
    for name in (*OWN_TO_A_HOME, "CAMPAIGN_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    ran = CliRunner().invoke(many, ["receive-many", "--homes", str(folder), "--json"])
    record = json.loads(ran.stdout)
    assert (ran.exit_code, record["exit"]) == (2, 2)
    closed, opened = record["homes"]
    assert (closed["taken"], closed["waiting"], opened["taken"]) == (0, 3, 3)
    assert closed["error"]
    assert opened["error"] is None
    ran = CliRunner().invoke(many, ["receive-many", "--homes", str(folder)])
    assert closed["error"] in ran.stdout


def test_a_folder_without_homes_is_said(tmp_path: Path) -> None:
    with pytest.raises(WrongCommand) as refused:
        homes_in(tmp_path)
    assert refused.value.key == "hosted.none"


def test_one_home_is_taken_in_as_of_when_it_was_asked_for(
    township_homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OWN_TO_A_HOME:
        monkeypatch.delenv(name, raising=False)
    home = Home(shutil.copytree(township_homes / "township-2", tmp_path / "home"))
    before = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    first = take_in_inbox(home, before)
    assert (first.exit, first.taken, first.returned) == (4, 3, 3)
    again = take_in_inbox(home, before)
    assert again == first, "cut off and done again, it tells the same"
    later = take_in_inbox(home, before + timedelta(days=1))
    assert (later.exit, later.taken) == (0, 0)


@pytest.mark.slow
def test_the_command_prints_the_same_on_either_engine(township_homes: Path, tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if name not in OWN_TO_A_HOME}
    own = {name: value for name, value in own.items() if not name.startswith("PREFECT_")}
    printed = []
    for engine in ("here", "dask"):
        folder = shutil.copytree(township_homes, tmp_path / engine)
        ran = subprocess.run(
            [
                Path(sys.executable).with_name("campaign"),
                "receive-many",
                "--homes",
                folder,
                "--json",
            ],
            env=own | {"CAMPAIGN_ENGINE": engine},
            capture_output=True,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (3, b"")
        printed.append(ran.stdout)
    assert printed[0] == printed[1]
