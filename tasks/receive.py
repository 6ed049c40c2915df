"""Receiving a delivery: files taken in, return workbooks written, the ledger told of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tasks.home import Home, private_folder, write_whole
from tasks.intake import FileResult, take_in
from tasks.plan import Plan
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

    What was taken in is removed, since it holds people's data; whatever is refused is moved to
    `inbox/refused/`, with the reason beside it, for the officer to look at and remove.
    """
    received: list[Received] = []
    for put_there, path in _waiting(home, plans):
        at = min(put_there, now)
        (one,) = receive(store, home, plans, [path], received_at=at, recorded_at=now)
        if one.result.refused is None:
            path.unlink()
        else:
            _set_aside(home, path, one.result.refused.text())
        received.append(one)
    return received


def _waiting(home: Home, plans: Mapping[str, Plan]) -> list[tuple[datetime, Path]]:
    """Return the files of the inbox with the wall time at which each was put there.

    That is when its place in the folder changed, not when its content was last saved: a file moved
    in keeps the time of its content, which may be long before it was sent.
    """
    zone = ZoneInfo(next(iter(plans.values())).timezone)
    files = [path for path in home.inbox.glob("*") if path.is_file()]
    found = []
    for path in files:
        if path.name.startswith((".", "~$")):
            continue  # a spreadsheet program's lock file, or one still being written
        placed = datetime.fromtimestamp(path.stat().st_ctime, UTC).astimezone(zone)
        found.append((placed.replace(tzinfo=None, microsecond=0), path))
    return sorted(found)


def _set_aside(home: Home, path: Path, reason: str) -> None:
    folder = private_folder(home.inbox / REFUSED)
    number = 0
    while (target := folder / f"{number or ''}{'-' if number else ''}{path.name}").exists():
        number += 1
    path.replace(target)
    write_whole(target.with_name(f"{target.name}.txt"), f"{reason}\n".encode())


def record_arrivals(store: Store) -> None:
    """Tell the ledger which files came when, and which of them count; never what is in them."""
    with store.transaction():
        store.run("receive/arrivals")


def _with_return_workbook(home: Home, plans: Mapping[str, Plan], result: FileResult) -> Received:
    if result.identity is None or not result.returned:
        return Received(result, None)
    plan = plans[result.identity.campaign]
    return Received(result, write_return_workbook(home, plan, result))
