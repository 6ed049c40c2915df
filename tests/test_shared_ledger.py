"""The shared ledger: what names it, many who write at once, what happens where it is not well."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from postgres import PASSWORD, Postgres
from shared_homes import (
    PROCESSES,
    make_township,
    plan_of,
    release_many,
    release_one,
    share,
    share_and_tell,
    share_in_rounds,
    share_within,
    started,
)
from tasks import shared_ledger
from tasks.home import Home
from tasks.keyring_entry import KeyringEntry
from tasks.ledger import open_ledger
from tasks.plan import Plan
from tasks.rules.errors import CampaignError, Exit, WrongCommand
from tasks.rules.shared import read_body
from tasks.rules.wording import LANGUAGES
from tasks.share import Shares
from tasks.shared_ledger import (
    SETTING,
    Shared,
    SharedLedgerUnreachable,
    catalogue_now,
    flush_shared,
    open_shared,
    password_entry,
    shared_setting,
)
from tasks.signing import is_signed, public_key
from tasks.store import Store

ADDRESS = "postgresql://town@db.example:6543/ledger?files=/mnt/shared"


def read_setting(monkeypatch: pytest.MonkeyPatch, text: str) -> Shared | None:
    monkeypatch.setenv(SETTING, text)
    return shared_setting()


def test_one_setting_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert shared_setting() is None
    assert read_setting(monkeypatch, " ") is None
    assert read_setting(monkeypatch, str(tmp_path)) == Shared(
        files=str(tmp_path / "files"), folder=tmp_path
    )
    found = read_setting(monkeypatch, ADDRESS)
    assert found == Shared("/mnt/shared", None, "town", "db.example", 6543, "ledger", "require")
    assert found.name == "postgresql://town@db.example:6543/ledger"
    in_bucket = read_setting(
        monkeypatch, "postgresql://to%20wn@[::1]/led%2Fger?files=s3://county/shared/"
    )
    assert in_bucket == Shared(
        "s3://county/shared", None, "to wn", "::1", 5432, "led/ger", "prefer"
    )
    assert in_bucket.bucket == "county"
    assert in_bucket.name == "postgresql://to wn@[::1]:5432/led/ger"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("postgresql://town:gEheim@db.example/ledger?files=/mnt", "shared.password_in_address"),
        ("postgresql://town:@db.example/ledger?files=/mnt", "shared.password_in_address"),
        (ADDRESS + "&password=gEheim", "shared.password_in_address"),
        ("postgresql://db.example/ledger?files=/mnt", "shared.setting"),
        ("postgresql://town@/ledger?files=/mnt", "shared.setting"),
        ("postgresql://town@db.example?files=/mnt", "shared.setting"),
        ("postgresql://town@db.example:port/ledger?files=/mnt", "shared.setting"),
        ("postgresql://town@db.example:65536/ledger?files=/mnt", "shared.setting"),
        ("postgresql://town@[::1/ledger?files=/mnt", "shared.setting"),
        ("mysql://town@db.example/ledger?files=/mnt", "shared.setting"),
        ("s3://bucket/prefix", "shared.setting"),
        (ADDRESS + "&host=gEheim", "shared.setting"),
        (ADDRESS + "&files=/other", "shared.setting"),
        (ADDRESS + "&sslmode=require&sslmode=verify-full", "shared.setting"),
        (ADDRESS + "#gEheim", "shared.setting"),
        (ADDRESS + "%00", "shared.setting"),
        ("postgresql://town@db.example/ledger", "shared.files"),
        ("postgresql://town@db.example/ledger?files=shared", "shared.files"),
        ("postgresql://town@db.example/ledger?files=s3://", "shared.files"),
        (ADDRESS + "&sslmode=prefer", "shared.insecure_setting"),
        (ADDRESS + "&sslmode=gEheim", "shared.insecure_setting"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, text: str, key: str
) -> None:
    with pytest.raises(WrongCommand) as refused:
        read_setting(monkeypatch, text)
    assert refused.value.key == key
    assert all("gEheim" not in refused.value.text(language) for language in LANGUAGES)
    assert refused.value.__cause__ is None


def test_only_to_this_machine_a_connection_may_be_in_the_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sslmode(text: str) -> str:
        found = read_setting(monkeypatch, text)
        assert found is not None
        return found.sslmode

    here = ADDRESS.replace("db.example", "localhost")
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert sslmode(ADDRESS) == "require"
    assert sslmode(ADDRESS + "&sslmode=verify-full") == "verify-full"
    assert sslmode(here) == "prefer"
    assert sslmode(here + "&sslmode=disable") == "disable"
    monkeypatch.setenv("PGSSLMODE", "verify-ca")
    assert sslmode(ADDRESS) == sslmode(here) == "verify-ca"
    monkeypatch.setenv("PGSSLMODE", "allow")
    assert sslmode(here) == "allow"
    with pytest.raises(WrongCommand):
        sslmode(ADDRESS)
    # a name that only looks like this machine's
    for host in ("localhost.example", "127.0.0.1.example", "10.0.0.1"):
        with pytest.raises(WrongCommand):
            sslmode(ADDRESS.replace("db.example", host))


def test_the_key_of_the_storage_does_not_travel_in_the_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = Shared("s3://county/shared", None, "town", "localhost", 1, "ledger", "prefer")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "some")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    with pytest.raises(WrongCommand) as refused, open_shared(shared, "read"):
        pass
    assert refused.value.key == "shared.no_files_key"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "gEheim")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://storage.example:9000")
    with pytest.raises(WrongCommand) as refused, open_shared(shared, "read"):
        pass
    assert refused.value.key == "shared.insecure_files"


def test_a_password_has_a_place_in_the_keyring(tmp_path: Path) -> None:
    shared = Shared("/mnt", None, "town", "db.example", 6543, "ledger")
    entry = password_entry(shared)
    assert (entry.account, entry.service) == ("town@db.example:6543", "campaign shared ledger")
    with pytest.raises(WrongCommand) as refused:
        password_entry(replace(shared, folder=tmp_path))
    assert refused.value.key == "shared.no_user"


# embedded


@pytest.fixture
def folder(tmp_path: Path) -> Shared:
    """An embedded shared ledger that is not there yet."""
    root = tmp_path / "shared"
    return Shared(files=str(root / "files"), folder=root)


def count(shared: Shared) -> int:
    with open_shared(shared, "read") as store:
        ((found,),) = store.connection.execute("SELECT count(*) FROM shared.release").fetchall()
    return int(found)


def test_one_process_at_a_time_writes_to_a_folder(folder: Shared, tmp_path: Path) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    with pytest.raises(WrongCommand) as refused:
        count(folder)
    assert refused.value.key == "shared.nothing_yet"
    assert not Path(folder.name).exists(), "who reads makes nothing"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder.files, folder.name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert other.stdin is not None
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(SharedLedgerUnreachable) as busy:
            share(home, plans, folder)
    finally:
        other.stdin.close()
        assert other.wait(60) == 0
        other.stdout.close()
    assert (busy.value.key, busy.value.exit) == ("shared.busy", Exit.STORE_BUSY)
    assert share(home, plans, folder) == Shares(new=3)
    assert count(folder) == 3


HOLD = """
import sys
from pathlib import Path
from tasks.shared_ledger import Shared, open_shared
with open_shared(Shared(files=sys.argv[1], folder=Path(sys.argv[2])), "write"):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_folder_may_be_moved_as_a_whole(folder: Shared, tmp_path: Path) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    share(home, plans, folder)
    flush_shared(folder)
    assert len(list(Path(folder.files).rglob("*.parquet"))) == 1
    moved = tmp_path / "moved it's"
    Path(folder.name).rename(moved)
    there = Shared(files=str(moved / "files"), folder=moved)
    assert count(there) == 3
    assert share(home, plans, there) == Shares(unchanged=3)


def test_nothing_of_a_home_is_open_beside_it(folder: Shared) -> None:
    with open_shared(folder, "write") as store:
        found = store.connection.execute("SELECT database_name FROM duckdb_databases()").fetchall()
        extensions = store.connection.execute(
            "SELECT extension_name FROM duckdb_extensions() WHERE loaded"
        ).fetchall()
    assert {name for (name,) in found} == {
        *("memory", "system", "temp"),
        "shared",
    }
    # what an embedded ledger does not need is not loaded
    assert not {"postgres_scanner", "httpfs"} & {name for (name,) in extensions}


def test_a_full_disk_leaves_a_folder_whole(folder: Shared, tmp_path: Path) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    share(home, plans, folder)
    with open_ledger(home, "write") as store:
        release_one(store, 4)
    size = (Path(folder.name) / "catalogue.ducklake").stat().st_size
    told = []
    for most_bytes in (0, 1000, size):
        ours, theirs = PROCESSES.Pipe(duplex=False)
        process = started(share_within, most_bytes, home.root, "990101001", folder, theirs)
        with ours, theirs, killed(process):
            told.append(ours.recv())
        # the row or none, and what was there
        assert count(folder) == 3 if told[-1] else 4
    assert told[0] == ("shared.full", Exit.DISK)
    assert {*told[1:]} <= {("shared.full", Exit.DISK), None}
    share(home, plans, folder)
    assert share(home, plans, folder) == Shares(unchanged=4)


# PostgreSQL


@pytest.fixture
def ledger(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """A shared ledger in a database of its own, with nothing in it, for who has the password."""
    files = tmp_path / "files"
    files.mkdir()
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv(SETTING, postgres.address(postgres.make_database(), files))
    found = shared_setting()
    assert found is not None
    return found


def test_two_townships_share_at_the_same_time(ledger: Shared, tmp_path: Path) -> None:
    codes = ("990101001", "990101002", "990101003")
    rounds = 3
    homes = {code: make_township(tmp_path / code, code, revisions=0)[0] for code in codes}
    working = [
        started(share_in_rounds, home.root, code, ledger, {"PGPASSWORD": PASSWORD}, rounds)
        for code, home in homes.items()
    ]
    for each in working:
        each.join(120)
    assert [each.exitcode for each in working] == [0] * len(codes)
    require_whole(ledger, homes, dict.fromkeys(codes, rounds))
    with open_shared(ledger, "read") as store:
        snapshots = store.connection.execute("FROM ducklake_snapshots('shared')").fetchall()
    # the table, and one commit a round of each: nobody's took another's place
    assert len(snapshots) == 2 + rounds * len(codes)


def test_no_bar_is_drawn_where_a_process_has_no_file_of_its_own(tmp_path: Path) -> None:
    # so do workers; DuckDB draws one there where a statement takes seconds
    asks = (
        "import sys; from pathlib import Path\n"
        "from tasks.shared_ledger import Shared, open_shared\n"
        "with open_shared(Shared(files=sys.argv[1], folder=Path(sys.argv[1])), 'write') as store:\n"
        "    asked = \"SELECT current_setting('enable_progress_bar')\"\n"
        "    sys.exit(store.connection.execute(asked).fetchall() != [(False,)])\n"
    )
    done = subprocess.run([sys.executable, "-c", asks, tmp_path / "shared"], check=False)
    assert done.returncode == 0


@pytest.mark.slow
def test_sixteen_townships_begin_an_empty_ledger_at_one_moment(
    ledger: Shared, tmp_path: Path
) -> None:
    codes = [f"9901010{number:02d}" for number in range(1, 17)]
    homes = {code: make_township(tmp_path / code, code, revisions=0)[0] for code in codes}
    working = [
        started(share_in_rounds, home.root, code, ledger, {"PGPASSWORD": PASSWORD}, 2)
        for code, home in homes.items()
    ]
    for each in working:
        each.join(240)
    assert [each.exitcode for each in working] == [0] * len(codes)
    require_whole(ledger, homes, dict.fromkeys(codes, 2))


def require_whole(ledger: Shared, homes: dict[str, Home], revisions: dict[str, int]) -> None:
    """All revisions of each township are there, once, and signed by it."""
    with open_shared(ledger, "read") as store:
        found = store.connection.execute(
            "SELECT township, revision, body, signature FROM shared.release ORDER BY ALL"
        ).fetchall()
    assert [row[:2] for row in found] == [
        (code, each) for code in sorted(homes) for each in range(1, revisions[code] + 1)
    ]
    keys = {code: public_key(home) for code, home in homes.items()}
    assert all(is_signed(keys[row[0]], row[2], row[3]) for row in found)
    assert all(read_body(row[2]).key[::4] == row[:2] for row in found)


@contextmanager
def killed(process: BaseProcess) -> Iterator[None]:
    """Kill a process once done, if it still runs."""
    try:
        yield
    finally:
        process.kill()
        process.join()


def kill_while_sharing(ledger: Shared, home: Home, code: str, after: float) -> bool:
    """Have a process share, and kill it so many seconds after it began to put its rows there.

    Returns whether it was still at it.
    """
    ours, theirs = PROCESSES.Pipe(duplex=False)
    environment = {"PGPASSWORD": PASSWORD}
    process = started(share_and_tell, home.root, code, ledger, environment, theirs)
    with ours, theirs, killed(process):
        assert ours.poll(120)
        time.sleep(after)
        process.kill()
        process.join()
    return process.exitcode == -signal.SIGKILL


def kill_at_moments(ledger: Shared, tmp_path: Path, moments: list[float]) -> int:
    """Kill a township at each of the moments, and see that nothing comes of it; returns how often
    it was killed before it was done."""
    code, other = "990101001", "990101002"
    homes = {each: make_township(tmp_path / each, each, revisions=0)[0] for each in (code, other)}
    plans = {each: {"autumn-2025": plan_of(each)} for each in homes}
    share(homes[other], plans[other], ledger)
    hit = 0
    for number, after in enumerate(moments, start=1):
        for home in homes.values():
            with open_ledger(home, "write") as store:
                for revision in (2 * number - 1, 2 * number):
                    release_one(store, revision)
        hit += kill_while_sharing(ledger, homes[code], code, after)
        there = count(ledger)
        # all of what it put or nothing, and what others put stays
        assert there in {4 * number - 4, 4 * number - 2}
        assert share(homes[other], plans[other], ledger).new == 2
        share(homes[code], plans[code], ledger)
        require_whole(ledger, homes, dict.fromkeys(homes, 2 * number))
    return hit


def test_a_township_that_is_killed_in_the_middle_of_a_commit_leaves_it_whole(
    ledger: Shared, tmp_path: Path
) -> None:
    chance = random.Random(7)  # noqa: S311 # the same moments each time
    kill_at_moments(ledger, tmp_path, [chance.uniform(0, 0.12) for _ in range(2)])


@pytest.mark.slow
def test_a_township_that_is_killed_at_any_moment_leaves_it_whole(
    ledger: Shared, tmp_path: Path
) -> None:
    hit = kill_at_moments(ledger, tmp_path, [each * 0.006 for each in range(30)])
    assert 3 <= hit < 30, "some were killed in the middle, some were done"


@pytest.mark.slow
def test_a_township_that_is_killed_leaves_a_folder_whole(folder: Shared, tmp_path: Path) -> None:
    hit = kill_at_moments(folder, tmp_path, [each * 0.003 for each in range(20)])
    assert hit >= 3


def refusal(shared: Shared, home: Home, plans: dict[str, Plan]) -> tuple[str, int]:
    """What sharing is refused with; no password is in it, nor in what it came from."""
    with pytest.raises(CampaignError) as refused:
        share(home, plans, shared)
    told = [refused.value.text(language) for language in LANGUAGES]
    assert not any(PASSWORD in text or "gEheim" in text or "\n" in text for text in told)
    assert refused.value.__cause__ is None
    return refused.value.key, int(refused.value.exit)


def test_a_catalogue_that_is_not_reached_is_one_error_and_nothing_is_lost(
    postgres: Postgres, ledger: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    busy = int(Exit.STORE_BUSY)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = probe.getsockname()[1]
    for wrong, key in (
        (replace(ledger, port=nobody), "shared.unreachable"),
        (replace(ledger, host="nowhere.invalid"), "shared.unreachable"),
        (replace(ledger, database="ledger_of_nobody"), "shared.no_database"),
        (replace(ledger, user="nobody's"), "shared.login"),
        (replace(ledger, sslmode="require"), "shared.insecure"),
        (replace(ledger, files=str(tmp_path / "not mounted")), "shared.no_files_folder"),
    ):
        assert refusal(wrong, home, plans) == (key, busy)
    assert not (tmp_path / "not mounted").exists()
    monkeypatch.setenv("PGPASSWORD", "gEheim")
    assert refusal(ledger, home, plans) == ("shared.login", busy)
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setattr(KeyringEntry, "read", lambda _: None)
    assert refusal(ledger, home, plans) == ("shared.login", busy)
    # that of the keyring is found where the environment has none
    monkeypatch.setattr(KeyringEntry, "read", lambda _: PASSWORD)
    assert share(home, plans, ledger) == Shares(new=3)
    with open_ledger(home, "write") as store:
        release_one(store, 4)
    postgres.stop()
    try:
        assert refusal(ledger, home, plans) == ("shared.unreachable", busy)
    finally:
        postgres.start()
    assert share(home, plans, ledger) == Shares(new=1, unchanged=3)


def test_a_server_that_goes_away_in_the_middle_is_one_error(
    postgres: Postgres, ledger: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    run = Store.run

    def gone(store: Store, name: str, **parameters: object) -> None:
        run(store, name, **parameters)  # type: ignore[arg-type]
        if name == "shared/put":
            postgres.stop()

    with monkeypatch.context() as patched:
        patched.setattr(Store, "run", gone)
        try:
            assert refusal(ledger, home, plans) == ("shared.unreachable", int(Exit.STORE_BUSY))
        finally:
            postgres.stop()
            postgres.start()
    assert count(ledger) == 0
    assert share(home, plans, ledger) == Shares(new=3)


@pytest.mark.slow
def test_a_catalogue_that_is_full_is_one_error_and_nothing_is_lost(
    postgres: Postgres, ledger: Shared, tmp_path: Path
) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    with open_ledger(home, "write") as store:
        release_many(store, 4, 900, figures=20)
    share(*make_township(tmp_path / "other", "990101002"), ledger)
    postgres.stop()
    postgres.start(most_bytes=FILE)
    try:
        assert refusal(ledger, home, plans) == ("shared.full", int(Exit.DISK))
    finally:
        postgres.stop()
        postgres.start()
    assert count(ledger) == 3
    assert share(home, plans, ledger) == Shares(new=900)


FILE = 2**20
"""Bytes; the files of an empty database and of the log that is written ahead are no larger."""


def test_what_is_flushed_lies_in_files_and_earlier_snapshots_stay(
    ledger: Shared, tmp_path: Path
) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    share(home, plans, ledger)
    assert list(Path(ledger.files).rglob("*.parquet")) == []
    with open_shared(ledger, "read") as store:
        ((before,),) = store.connection.execute(
            "SELECT max(snapshot_id) FROM ducklake_snapshots('shared')"
        ).fetchall()
    flush_shared(ledger)
    assert len(list(Path(ledger.files).rglob("*.parquet"))) == 1
    with open_ledger(home, "write") as store:
        release_one(store, 4)
    assert share(home, plans, ledger) == Shares(new=1, unchanged=3)
    with open_shared(ledger, "read") as store:
        was = store.connection.execute(f"FROM shared.release AT (VERSION => {before})").fetchall()
    assert [row[4] for row in was] == [1, 2, 3]
    require_whole(ledger, {"990101001": home}, {"990101001": 4})
    # what lies in a file is made good like the rest
    with open_shared(ledger, "write") as store:
        store.connection.execute("UPDATE shared.release SET body = body || ' ' WHERE revision = 2")
    assert share(home, plans, ledger) == Shares(made_good=1, unchanged=3)
    require_whole(ledger, {"990101001": home}, {"990101001": 4})


def test_files_must_be_where_they_were(ledger: Shared, tmp_path: Path) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    share(home, plans, ledger)
    other = tmp_path / "other"
    other.mkdir()
    wrong = replace(ledger, files=str(other))
    assert refusal(wrong, home, plans) == ("shared.other_files", int(Exit.WRONG_COMMAND))


def test_a_user_without_rights_is_told_so(
    postgres: Postgres, ledger: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    share(home, plans, ledger)
    postgres.run_sql("postgres", "CREATE ROLE guest LOGIN PASSWORD 'gEheim'")
    monkeypatch.setenv("PGPASSWORD", "gEheim")
    wrong = replace(ledger, user="guest")
    assert refusal(wrong, home, plans) == ("shared.no_rights", int(Exit.STORE_BUSY))


def test_townships_have_users_of_their_own_as_the_documents_say(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (Path(__file__).parent.parent / "docs" / "operations.md").read_text("utf-8")
    (block,) = re.findall(
        r"^```sql\n(CREATE ROLE campaign_shared.*?)^```", told, re.MULTILINE | re.DOTALL
    )
    for text in re.sub(r"--.*\n", "\n", block).replace("…", "gEheim").split(";"):
        if text.strip():
            postgres.run_sql("ledger" if "PRIVILEGES" in text else "postgres", text)
    postgres.run_sql(
        "postgres",
        "CREATE ROLE yunxi LOGIN PASSWORD 'gEheim' IN ROLE campaign_shared",
    )
    postgres.run_sql("postgres", "ALTER ROLE yunxi SET role = campaign_shared")
    monkeypatch.setenv("PGPASSWORD", "gEheim")
    there = Shared(str(tmp_path), None, "qingping", "127.0.0.1", postgres.port, "ledger", "prefer")
    homes = {}
    for code, user in (("990101001", "qingping"), ("990101002", "yunxi")):
        home, plans = make_township(tmp_path / code, code)
        assert share(home, plans, replace(there, user=user)) == Shares(new=3)
        homes[code] = home
    county = replace(there, user="county")
    require_whole(county, homes, dict.fromkeys(homes, 3))
    flush_shared(there)
    require_whole(county, homes, dict.fromkeys(homes, 3))
    home, plans = make_township(tmp_path / "other", "990101003")
    assert refusal(county, home, plans) == ("shared.no_rights", int(Exit.STORE_BUSY))


@pytest.mark.parametrize(("language", "works"), [("zh_CN.UTF-8", False), ("en_GB.UTF-8", True)])
def test_a_server_that_speaks_another_language_is_refused(
    ledger: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, works: bool
) -> None:
    """DuckLake tells by the server's words whether a commit is to be tried again."""
    home, plans = make_township(tmp_path / "home", "990101001")
    rows = Store.rows

    def asked(store: Store, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        found = rows(store, name, **parameters)
        if name == "shared/language_of_server":
            assert found == [("C",)]
            return [(language,)]
        return found

    monkeypatch.setattr(Store, "rows", asked)
    if works:
        assert share(home, plans, ledger) == Shares(new=3)
    else:
        told = refusal(ledger, home, plans)
        assert told == ("shared.server_language", int(Exit.WRONG_COMMAND))


def test_the_clock_is_the_servers(postgres: Postgres, ledger: Shared) -> None:
    with open_shared(ledger, "write") as store:
        told = catalogue_now(ledger, store)
    there = postgres.run_sql("postgres", "SELECT now() AT TIME ZONE 'UTC'")
    assert abs(datetime.fromisoformat(there) - told) < timedelta(seconds=30)
    assert told.tzinfo is None


# storage like S3

FEW = 10


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3-compatible store on loopback with the bucket `county`; yields the bucket."""
    import boto3  # noqa: PLC0415 # a second, for few tests
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 # the same

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "some")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "gEheim 'as it is")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        storage = boto3.resource("s3", region_name="us-east-1")
        yield storage.create_bucket(Bucket="county")
    finally:
        server.stop()


def test_files_lie_in_storage_like_s3(
    ledger: Shared, tmp_path: Path, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, plans = make_township(tmp_path / "home", "990101001")
    there = replace(ledger, files="s3://county/shared")
    assert share(home, plans, there) == Shares(new=3)
    assert list(bucket.objects.all()) == []
    flush_shared(there)
    (kept,) = bucket.objects.all()
    assert kept.key.startswith("shared/main/release/")
    require_whole(there, {"990101001": home}, {"990101001": 3})
    monkeypatch.setattr(shared_ledger, "INLINED_ROWS", FEW)
    with open_ledger(home, "write") as store:
        release_many(store, 4, FEW + 4, figures=1)
    # more than stays in the catalogue goes into a file at once
    assert share(home, plans, there) == Shares(new=FEW + 1, unchanged=3)
    assert len(list(bucket.objects.all())) == 2
    with open_ledger(home, "write") as store:
        release_one(store, FEW + 5)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert refusal(there, home, plans) == ("shared.files_unreachable", int(Exit.STORE_BUSY))
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.meta.client.meta.endpoint_url)
    assert share(home, plans, there) == Shares(new=1, unchanged=FEW + 4)
    kept.delete()
    assert refusal(there, home, plans) == ("shared.files_unreachable", int(Exit.STORE_BUSY))
