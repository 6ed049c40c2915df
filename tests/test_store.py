"""The register is one encrypted file, the ledger an open one; errors of either name no cell."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from conftest import ACT, KEY, RECEIVED, WriteCsv, make_home, open_home, referral
from tasks.copying import read_contents
from tasks.home import Home
from tasks.intake import take_in
from tasks.ledger import open_ledger
from tasks.plan import Plan
from tasks.receive import record_arrivals
from tasks.register import attach_stores, make_stores, open_register
from tasks.rules.errors import CampaignError, CheckFailed, Exit, StoreBusy, WrongCommand
from tasks.rules.wording import LANGUAGES
from tasks.store import Store, attach, load_encryption, memory, schema_columns, statement

MARKER = "孔雀石标记"
OTHER_KEY = "b" * 64


def assert_safe(error: CampaignError, key: str, code: Exit) -> None:
    """Assert that an error is one line without a cell, and drags no other one along."""
    assert (error.key, error.exit) == (key, code)
    for language in LANGUAGES:
        text = error.text(language)
        assert MARKER not in text
        assert len(text.splitlines()) == 1
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


def bytes_of(home: Home, name: str) -> bytes:
    """All that lies on the disk of a store: the file and what was written ahead."""
    files = sorted(home.root.glob(f"{name}*"))
    assert files
    return b"".join(path.read_bytes() for path in files)


def take_marked(store: Store, plan: Plan, write_csv: WriteCsv) -> None:
    row = referral(full_name=MARKER, contact_name=MARKER)
    path = write_csv("referral", [row])
    (result,) = take_in(
        store,
        {plan.slug: plan},
        [path],
        received_at=RECEIVED,
        recorded_at=RECEIVED,
        keep=True,
    )
    assert result.rows["accepted"] == 1
    record_arrivals(store)
    path.unlink()


# --- encryption -----------------------------------------------------------------------------------


def test_nothing_of_a_person_lies_readable_on_the_disk(
    home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    with open_home(home) as store:
        take_marked(store, plan, write_csv)
        # not yet in the file, but in what was written ahead of it
        assert home.register.with_name("register.duckdb.wal").exists()
        while_open = bytes_of(home, "register.duckdb"), bytes_of(home, "ledger.duckdb")
    closed = bytes_of(home, "register.duckdb"), bytes_of(home, "ledger.duckdb")
    for register, ledger in (while_open, closed):
        # the village is in both, and readable in the ledger: the search would find the name
        assert b"990101001001" in ledger
        for text in (MARKER, "990101001001", "13800138000", "full_name"):
            assert text.encode() not in register
        assert MARKER.encode() not in ledger
    rest = [path for path in home.root.rglob("*") if path.is_file()]
    assert not any(MARKER.encode() in path.read_bytes() for path in rest)


def test_the_register_opens_with_its_key_alone(home: Home, plan: Plan, write_csv: WriteCsv) -> None:
    with open_home(home) as store:
        take_marked(store, plan, write_csv)
    with pytest.raises(WrongCommand) as refused, open_register(home, key=OTHER_KEY, act=ACT):
        raise AssertionError("opened with another key")
    assert_safe(refused.value, "error.wrong_key", Exit.WRONG_COMMAND)
    with memory() as connection, pytest.raises(WrongCommand) as plain:
        attach(connection, home.register, "register", None)
    assert_safe(plain.value, "error.store_unreadable", Exit.WRONG_COMMAND)
    with open_home(home) as store:
        names = store.connection.execute("SELECT full_name FROM register.stg_referral").fetchall()
    assert names == [(MARKER,)]


@pytest.mark.parametrize("key", ["a'b", "a b", "a;", ""])
def test_a_key_that_is_no_key_is_refused_before_it_meets_a_statement(home: Home, key: str) -> None:
    with pytest.raises(WrongCommand) as refused, open_register(home, key=key, act=ACT):
        raise AssertionError("opened")
    assert_safe(refused.value, "error.key_form", Exit.WRONG_COMMAND)


@pytest.mark.parametrize("place", [0, 100, 4100, 8200])
def test_a_damaged_register_is_told_apart_from_a_wrong_key(home: Home, place: int) -> None:
    content = bytearray(home.register.read_bytes())
    content[place] ^= 1
    home.register.write_bytes(content)
    with pytest.raises(WrongCommand) as refused, open_register(home, key=KEY, act=ACT):
        raise AssertionError("opened")
    assert_safe(refused.value, "error.store_damaged", Exit.WRONG_COMMAND)


@pytest.mark.parametrize("content", [b"", MARKER.encode() * 1000])
def test_a_file_that_is_no_register_is_told_as_damaged(home: Home, content: bytes) -> None:
    home.register.write_bytes(content)
    with pytest.raises(WrongCommand) as refused, open_register(home, key=KEY, act=ACT):
        raise AssertionError("opened")
    assert_safe(refused.value, "error.store_damaged", Exit.WRONG_COMMAND)


def test_damage_that_only_a_statement_meets_is_told_as_such(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMPAIGN_SQL_ERRORS", raising=False)
    with memory() as connection:
        load_encryption(connection)
        attach(connection, home.register, "register", KEY)
        # withdrawals enough to lie in blocks of their own, away from what is read at opening
        connection.execute(
            "INSERT INTO register.reg_withdrawal SELECT 'c', md5(range::VARCHAR), today(), "
            "sha256(range::VARCHAR), now() FROM range(50000)"
        )
    content = bytearray(home.register.read_bytes())
    for place in range(len(content) // 4, len(content), 50_000):
        content[place] ^= 1
    home.register.write_bytes(content)
    with memory() as connection:
        load_encryption(connection)
        attach(connection, home.register, "register", KEY)
        with pytest.raises(WrongCommand) as refused:
            read_contents(Store(connection), "register")
    assert_safe(refused.value, "error.store_damaged_inside", Exit.WRONG_COMMAND)


def test_a_register_that_is_gone_is_not_made_anew(home: Home) -> None:
    home.register.unlink()
    for opened in (
        lambda: open_register(home, key=KEY, act=ACT).__enter__(),
        lambda: make_stores(home, KEY),
    ):
        with pytest.raises(WrongCommand) as refused:
            opened()
        assert_safe(refused.value, "key.no_register", Exit.WRONG_COMMAND)
    assert not home.register.exists()


@pytest.mark.parametrize("table", ["register.reg_booking", "ledger.agg_anchor"])
def test_a_home_of_an_earlier_version_asks_for_init_which_adds_what_is_missing(
    home: Home, table: str
) -> None:
    with attach_stores(home, KEY) as store:
        store.connection.execute(f"DROP TABLE {table}")
    with pytest.raises(WrongCommand) as refused, open_register(home, key=KEY, act=ACT):
        raise AssertionError("opened")
    assert_safe(refused.value, "key.older_home", Exit.WRONG_COMMAND)
    make_stores(home, KEY)
    with open_register(home, key=KEY, act=ACT) as store:
        assert tuple(table.split(".")) in store.rows("reference/tables")


def test_a_home_from_before_a_column_asks_for_init_too(home: Home) -> None:
    added = sorted(schema_columns())
    assert added
    for which, table, column in added:
        with attach_stores(home, KEY) as store:
            store.connection.execute(f"ALTER TABLE {which}.{table} DROP COLUMN {column}")
        with pytest.raises(WrongCommand) as refused, open_register(home, key=KEY, act=ACT):
            raise AssertionError("opened")
        assert_safe(refused.value, "key.older_home", Exit.WRONG_COMMAND)
        make_stores(home, KEY)
    with open_register(home, key=KEY, act=ACT) as store:
        assert set(added) <= set(store.rows("reference/columns"))


def test_a_register_that_is_exchanged_while_it_is_opened_is_busy(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter([1, 2])
    monkeypatch.setattr("tasks.store._inode", lambda path: next(seen))
    with memory() as connection:
        with pytest.raises(StoreBusy):
            attach(connection, home.ledger, "ledger", None)
        databases = connection.execute("SELECT database_name FROM duckdb_databases()").fetchall()
    assert ("ledger",) not in databases


# --- the ledger -----------------------------------------------------------------------------------


def test_the_ledger_opens_without_a_key_and_without_the_register(home: Home) -> None:
    home.register.unlink()
    with open_ledger(home) as store:
        assert store.connection.execute("FROM ledger.agg_submission").fetchall() == []
        databases = store.connection.execute("SELECT database_name FROM duckdb_databases()")
        assert ("register",) not in databases.fetchall()


def test_the_ledger_is_read_only_unless_it_is_opened_to_write(home: Home) -> None:
    remove = "DELETE FROM ledger.agg_submission"
    with open_ledger(home) as store, pytest.raises(Exception, match="read-only"):
        store.connection.execute(remove)
    with open_ledger(home, "write") as store:
        store.connection.execute(remove)


def test_the_ledgers_tables_have_no_column_for_a_person(home: Home) -> None:
    with open_ledger(home) as store:
        rows = store.connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE database_name = 'ledger'"
        ).fetchall()
    columns = {name for (name,) in rows}
    assert len(columns) > 20
    assert not columns & {
        "full_name",
        "birth_date",
        "phone",
        "resident_key",
        "referral_ref",
        "person_ref",
        "register_no",
        "accepted",
        "returned",
        "no_consent",
    }


def test_a_place_without_a_home_says_how_to_make_one(tmp_path: Path) -> None:
    home = Home(tmp_path / "nowhere")
    for opened in (open_ledger(home), open_register(home, key=KEY, act=ACT)):
        with pytest.raises(WrongCommand) as refused, opened:
            raise AssertionError("opened")
        assert refused.value.key == "error.no_home"
    assert not home.root.exists()


def test_making_the_stores_again_keeps_what_is_in_them(
    home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    with open_home(home) as store:
        take_marked(store, plan, write_csv)
    make_stores(home, KEY)
    with open_register(home, key=KEY, act=ACT) as store:
        count = "SELECT count(*) FROM register.stg_referral"
        assert store.connection.execute(count).fetchall() == [(1,)]


# --- one at a time --------------------------------------------------------------------------------

OPEN = """
import sys
from datetime import datetime
from pathlib import Path

from tasks.audit import Act
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.register import open_register
from tasks.rules.errors import StoreBusy

home = Home(Path(sys.argv[1]))
act = Act("test", "test", "test", at=datetime(2025, 1, 1))
try:
    ledger = sys.argv[2] == "ledger"
    with open_ledger(home) if ledger else open_register(home, key="a" * 64, act=act):
        pass
except StoreBusy as error:
    sys.exit(int(error.exit))
"""


@pytest.mark.parametrize("which", ["register", "ledger"])
def test_a_second_process_is_told_that_the_store_is_busy(home: Home, which: str) -> None:
    command = [sys.executable, "-c", OPEN, str(home.root), which]
    with open_home(home):
        busy = subprocess.run(command, check=False, capture_output=True)
    free = subprocess.run(command, check=False, capture_output=True)
    assert busy.returncode == Exit.STORE_BUSY, busy.stderr
    assert free.returncode == 0, free.stderr
    assert issubclass(StoreBusy, CampaignError)


# --- statements -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An open register for statements that change nothing."""
    with open_home(make_home(tmp_path_factory.mktemp("store") / "home")) as store:
        yield store


def test_an_error_of_a_statement_names_the_statement_and_its_kind_only(
    opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMPAIGN_SQL_ERRORS", raising=False)
    with pytest.raises(CheckFailed) as failed:
        opened.run("check/scope", campaign=MARKER)
    assert_safe(failed.value, "error.statement", Exit.CHECK_FAILED)
    assert failed.value.values["statement"] == "check/scope"


def test_a_broken_constraint_names_no_value(opened: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAMPAIGN_SQL_ERRORS", raising=False)
    now = {"withdrawn_on": RECEIVED.date(), "recorded_at": RECEIVED}
    with pytest.raises(CheckFailed) as failed:
        opened.run("person/withdraw", campaign=MARKER, referral_ref=MARKER, reason=None, **now)
    assert_safe(failed.value, "error.constraint", Exit.CHECK_FAILED)


def test_on_synthetic_data_the_databases_own_words_may_be_asked_for(
    opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_SQL_ERRORS", "synthetic-data-only")
    with pytest.raises(Exception, match="parameter") as failed:
        opened.run("check/scope", campaign=MARKER)
    assert not isinstance(failed.value, CampaignError)
    monkeypatch.setenv("CAMPAIGN_SQL_ERRORS", "1")
    with pytest.raises(CheckFailed):
        opened.run("check/scope", campaign=MARKER)


@pytest.mark.parametrize("sheet", ["person", "referral; DROP TABLE x", ""])
def test_only_the_name_of_a_sheet_is_filled_into_a_statement(sheet: str) -> None:
    with pytest.raises(KeyError):
        statement("intake/keep", sheet)
    assert "register.stg_referral" in statement("intake/keep", "referral")


def test_rows_and_records_say_the_same(opened: Store) -> None:
    opened.run(
        "reporting/extend",
        campaign="c",
        phase="sweep",
        round=1,
        village="v",
        due=RECEIVED.date(),
        granted_by="b",
        reason="r",
        granted_at=RECEIVED,
    )
    asked = {"campaign": "c", "phase": "sweep", "round": 1}
    (record,) = opened.records("reporting/villages", **asked)
    assert record == {
        "phase": "sweep",
        "round": 1,
        "village": "v",
        "files": 0,
        "first_counted_at": None,
        "nil": False,
        "extended_to": RECEIVED.date(),
    }
    assert opened.rows("reporting/villages", **asked) == [tuple(record.values())]
    assert opened.records("reporting/villages", **(asked | {"round": 2})) == []


def test_a_loaded_table_takes_the_place_of_the_one_before(opened: Store) -> None:
    for values in ([1, 2], [3]):
        opened.load("arrived_twice", pa.table({"a": values}))
    assert opened.connection.execute("FROM arrived_twice").fetchall() == [(3,)]


def test_a_transaction_is_all_or_nothing(opened: Store) -> None:
    insert = "INSERT INTO register.reg_withdrawal VALUES ('c', 'r', today(), 'self', now())"
    count = "SELECT count(*) FROM register.reg_withdrawal"

    def interrupted() -> None:
        with opened.transaction():
            opened.connection.execute(insert)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert opened.connection.execute(count).fetchall() == [(0,)]
    with opened.transaction():
        opened.connection.execute(insert)
    assert opened.connection.execute(count).fetchall() == [(1,)]


def settings(store: Store) -> dict[str, str]:
    return dict(
        store.connection.execute(
            "SELECT name, value FROM duckdb_settings() WHERE name IN ('temp_directory', "
            "'temp_file_encryption', 'autoinstall_known_extensions', 'autoload_known_extensions')"
        ).fetchall()
    )


def test_nothing_is_fetched_and_what_is_put_aside_is_encrypted(home: Home, store: Store) -> None:
    assert settings(store) == {
        "temp_directory": str(home.spill),
        "temp_file_encryption": "true",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with memory() as connection:
        assert settings(Store(connection))["temp_directory"] == ""


def fill(store: Store) -> None:
    """Hold more than may be held, with a marker in every row."""
    store.connection.execute("SET memory_limit = '60MB'")
    store.connection.execute(
        "CREATE TEMP TABLE much AS "
        "SELECT $marker || sha256(range::VARCHAR) AS text FROM range(1_000_000)",
        {"marker": MARKER},
    )


def test_what_is_put_aside_says_nothing_and_goes_with_the_run(home: Home) -> None:
    with attach_stores(home, KEY) as store:
        fill(store)
        aside = b"".join(path.read_bytes() for path in home.spill.iterdir())
        assert len(aside) > 20_000_000
        assert MARKER.encode() not in aside
        # while it is there, rows that have to be judged could follow it
        with pytest.raises(CheckFailed, match="spill"), store.without_spilling():
            pytest.fail("went on")
    assert not home.spill.exists()


def test_what_a_killed_run_had_put_aside_is_removed(home: Home) -> None:
    home.spill.mkdir()
    (home.spill / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"cipher")
    with attach_stores(home, KEY):
        assert not home.spill.exists()


def test_what_cannot_be_held_nor_put_aside_stops_with_what_to_do(home: Home) -> None:
    much = pa.table({"text": [f"{MARKER}{number}" * 50 for number in range(50_000)]})
    with attach_stores(home, KEY) as store, store.without_spilling():
        store.connection.execute("SET memory_limit = '10MB'")
        with pytest.raises(CheckFailed) as failed:
            store.load("much", much)
    assert_safe(failed.value, "error.memory", Exit.CHECK_FAILED)


def test_rows_that_are_judged_never_reach_a_disk_and_are_forgotten(
    home: Home, store: Store, plan: Plan, write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    spilled_to = []
    run = Store.run

    def watched(at: Store, name: str, **parameters: Any) -> None:
        if name == "stage/referral":
            spilled_to.append(settings(at)["temp_directory"])
        run(at, name, **parameters)

    monkeypatch.setattr(Store, "run", watched)
    file = write_csv("referral", [referral()])
    take_in(store, {plan.slug: plan}, [file], received_at=RECEIVED, recorded_at=RECEIVED, keep=True)
    assert spilled_to == [""]
    assert settings(store)["temp_directory"] == str(home.spill)
    left = store.connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name IN ('memory', 'temp')"
    ).fetchall()
    assert not [name for (name,) in left if name.startswith(("raw_", "staged_"))]
