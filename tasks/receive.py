"""Receiving a delivery: files taken in, return workbooks written, the ledger told of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tasks.home import Home, private_folder
from tasks.intake import FileResult, take_in
from tasks.plan import Plan
from tasks.reading import is_submission
from tasks.returns import write_return_workbook
from tasks.store import Store

REFUSED = "refused"


@dataclass(frozen=True)
class Received:
    """What became of one file, and where its return workbook lies if it has one."""

    result: FileResult
    return_workbook: Path | None


def receive(
    store: Store,
    home: Home,
    plans: Mapping[str, Plan],
    files: Sequence[Path],
    *,
    received_at: datetime,
    recorded_at: datetime,
    advance: Callable[[], None] = lambda: None,
) -> list[Received]:
    """Take in `files` as received at `received_at`; times are wall time of the plans' zone.

    A refused file leaves nothing behind; the others go on. The very same file again stores nothing,
    but its return workbook is written again, since that may have been lost.
    """
    results = take_in(
        store,
        plans,
        files,
        received_at=received_at,
        recorded_at=recorded_at,
        keep=True,
        advance=advance,
    )
    record_arrivals(store)
    return [_with_return_workbook(home, plans, result) for result in results]


def receive_inbox(
    store: Store, home: Home, plans: Mapping[str, Plan], *, now: datetime
) -> list[Received]:
    """Take in what lies in the home's inbox, oldest first, each as of when it was put there.

    What was taken in is removed, since it holds people's data; a refused file is moved to
    `inbox/refused/` for the officer to look at.
    """
    waiting = sorted(
        (path for path in home.inbox.glob("*") if path.is_file() and is_submission(path)),
        key=lambda path: (path.stat().st_mtime, path.name),
    )
    received: list[Received] = []
    for path in waiting:
        zone = next(iter(plans.values())).timezone
        put_there = datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone(ZoneInfo(zone))
        at = min(put_there.replace(tzinfo=None, microsecond=0), now)
        (one,) = receive(store, home, plans, [path], received_at=at, recorded_at=now)
        if one.result.refused is None:
            path.unlink()
        else:
            path.replace(private_folder(home.inbox / REFUSED) / path.name)
        received.append(one)
    return received


def record_arrivals(store: Store) -> None:
    """Tell the ledger which files came when, and which of them count; never what is in them."""
    with store.transaction():
        store.run("receive/arrivals")


def _with_return_workbook(home: Home, plans: Mapping[str, Plan], result: FileResult) -> Received:
    if result.identity is None or not result.returned:
        return Received(result, None)
    plan = plans[result.identity.campaign]
    return Received(result, write_return_workbook(home, plan, result))
