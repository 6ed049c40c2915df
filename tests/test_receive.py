"""Receiving: the inbox, what it leaves behind, and what the ledger learns."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from conftest import coverage, referral
from tasks.home import Home
from tasks.plan import Plan
from tasks.receive import receive, receive_inbox
from tasks.store import Store

NOW = datetime(2025, 11, 3, 8, 0)
SAVED = datetime(2025, 10, 1)
VILLAGE = "990101001001"


def shanghai() -> datetime:
    return datetime.now(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)


def put(path: Path, home: Home, saved: datetime = SAVED) -> Path:
    """Move a file into the inbox whose content was last saved long before."""
    home.inbox.mkdir(exist_ok=True, mode=0o700)
    stamp = saved.replace(tzinfo=UTC).timestamp()
    os.utime(path, (stamp, stamp))
    return path.replace(home.inbox / path.name)


def arrivals(store: Store) -> list[tuple[object, ...]]:
    return store.connection.execute(
        "SELECT village, received_at, counts, nil FROM ledger.agg_submission ORDER BY received_at"
    ).fetchall()


def test_the_inbox_is_taken_in_as_of_when_a_file_was_put_there(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    before = shanghai() - timedelta(seconds=2)
    path = put(write_csv("coverage", [coverage()]), home)
    (received,) = receive_inbox(store, home, {plan.slug: plan}, now=shanghai())
    assert received.result.rows["accepted"] == 1
    ((_, when, counts, nil),) = arrivals(store)
    assert (counts, nil) == (True, False)
    assert isinstance(when, datetime)
    assert before <= when <= shanghai(), "not when it was saved"
    assert not path.exists(), "it holds people's data and has been taken in"


def test_a_refused_file_is_set_aside_with_its_reason_and_the_next_goes_on(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    for _ in range(2):
        put(write_csv("coverage", [], name="bad.csv"), home)
        put(write_csv("coverage", [coverage()], name="good.csv"), home)
        letter = write_csv("coverage", [], name="letter.docx")
        put(letter, home)
        received = receive_inbox(store, home, {plan.slug: plan}, now=shanghai())
        assert sorted(each.result.refused is None for each in received) == [False, False, True]
    assert not [path for path in home.inbox.iterdir() if path.is_file()]
    aside = sorted(path.name for path in (home.inbox / "refused").iterdir())
    files = ["1-bad.csv", "1-letter.docx", "bad.csv", "letter.docx"]
    assert aside == sorted([*files, *(f"{name}.txt" for name in files)])
    assert receive_inbox(store, home, {plan.slug: plan}, now=shanghai()) == []


def test_a_clock_that_runs_ahead_dates_nothing_into_the_future(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    put(write_csv("coverage", [coverage()]), home)
    receive_inbox(store, home, {plan.slug: plan}, now=NOW)
    assert arrivals(store)[0][1] == NOW


def test_a_lock_file_stays_where_it_is(store: Store, home: Home, plan: Plan) -> None:
    home.inbox.mkdir(exist_ok=True, mode=0o700)
    (home.inbox / "~$open.xlsx").write_bytes(b"lock")
    assert receive_inbox(store, home, {plan.slug: plan}, now=NOW) == []
    assert (home.inbox / "~$open.xlsx").exists()


def test_the_ledger_learns_that_a_file_came_and_no_count_of_people(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    files = [
        write_csv("referral", [referral(), referral(row_no="2", full_name="李四光")]),
        write_csv("referral", [referral(sex="?")], village="990101001002"),
    ]
    receive(store, home, {plan.slug: plan}, files, received_at=NOW, recorded_at=NOW)
    assert sorted(arrivals(store)) == [
        (VILLAGE, NOW, True, False),
        ("990101001002", NOW, False, False),
    ]
    tables = store.connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'ledger'"
    ).fetchall()
    assert ("agg_submission", "accepted") not in tables


def test_a_return_workbook_is_written_again_when_the_file_comes_again(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    path = write_csv("referral", [referral(sex="?")])
    for _ in range(2):
        (received,) = receive(
            store, home, {plan.slug: plan}, [path], received_at=NOW, recorded_at=NOW
        )
        assert received.return_workbook is not None
        assert received.return_workbook.is_file()
    assert received.result.repeated
    assert received.return_workbook.parent == home.returns(VILLAGE)
