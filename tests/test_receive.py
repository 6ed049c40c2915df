"""Receiving: the inbox, what it leaves behind, and what the ledger learns."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from conftest import coverage, referral
from tasks.home import Home
from tasks.plan import Plan
from tasks.receive import receive, receive_inbox
from tasks.store import Store

NOW = datetime(2025, 11, 3, 8, 0)
VILLAGE = "990101001001"


def put(path: Path, home: Home, when: datetime) -> Path:
    """Put a file into the inbox as if at `when`, wall time of Shanghai."""
    home.inbox.mkdir(exist_ok=True, mode=0o700)
    target = path.replace(home.inbox / path.name)
    stamp = when.replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
    os.utime(target, (stamp, stamp))
    return target


def arrivals(store: Store) -> list[tuple[object, ...]]:
    return store.connection.execute(
        "SELECT village, received_at, counts, nil FROM ledger.agg_submission ORDER BY received_at"
    ).fetchall()


def test_the_inbox_is_taken_in_as_of_when_files_were_put_there(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    when = datetime(2025, 10, 31, 23, 59)
    path = put(write_csv("coverage", [coverage()]), home, when)
    (received,) = receive_inbox(store, home, {plan.slug: plan}, now=NOW)
    assert received.result.rows["accepted"] == 1
    assert arrivals(store) == [(VILLAGE, when, True, False)]
    assert not path.exists(), "it holds people's data and has been taken in"


def test_a_refused_file_is_set_aside_and_the_next_goes_on(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    bad = put(write_csv("coverage", [], name="bad.csv"), home, datetime(2025, 10, 30, 9))
    put(write_csv("coverage", [coverage()]), home, datetime(2025, 10, 30, 10))
    received = receive_inbox(store, home, {plan.slug: plan}, now=NOW)
    assert [each.result.refused is None for each in received] == [False, True]
    assert not bad.exists()
    assert [path.name for path in (home.inbox / "refused").iterdir()] == ["bad.csv"]
    assert receive_inbox(store, home, {plan.slug: plan}, now=NOW) == []


def test_a_file_from_the_future_came_now_at_the_latest(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    put(write_csv("coverage", [coverage()]), home, datetime(2026, 1, 1))
    receive_inbox(store, home, {plan.slug: plan}, now=NOW)
    assert arrivals(store)[0][1] == NOW


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
