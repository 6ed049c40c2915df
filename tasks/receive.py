"""Receiving a delivery: files taken in, return workbooks written, the ledger told of them."""

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from tasks.audit import Act, keep_entry
from tasks.home import Home, private_folder, write_whole
from tasks.intake import FileResult, take_in
from tasks.outbox import Gate, write_return_notice
from tasks.plan import Plan
from tasks.returns import return_notice, return_workbooks, write_return_workbook
from tasks.rules.file_names import name_to_keep
from tasks.sent_file import SentFile
from tasks.store import Store

REFUSED = "refused"


@dataclass(frozen=True)
class Received:
    """What became of one file, and where its return workbook lies if it has one."""

    result: FileResult
    return_workbook: Path | None


class _ReturnWorkbooks:
    """Writes the return workbooks of what was stored, while the next rows are judged.

    Locking one takes longer than judging a thousand rows, and a processor of its own.
    """

    def __init__(self, store: Store, home: Home, plans: Mapping[str, Plan]) -> None:
        self._store, self._home, self._plans = store, home, plans
        self._beside = ThreadPoolExecutor(max_workers=1)
        self._begun: dict[int, Future[Path]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown()

    def begin(self, results: Mapping[int, FileResult]) -> None:
        """Have written what goes back of `results`, by the place of their files.

        The register is read here: a connection is one thread's.
        """
        for slug, plan in self._plans.items():
            of_plan = {
                index: result
                for index, result in results.items()
                if result.identity is not None and result.identity.campaign == slug
            }
            books = return_workbooks(self._store, self._home, plan, of_plan)
            for index, book in books.items():
                self._begun[index] = self._beside.submit(write_return_workbook, book)

    def written(self, index: int) -> Path | None:
        """Return where the return workbook of a file lies, None where it has none.

        Raises what writing it raised.
        """
        begun = self._begun.get(index)
        return begun.result() if begun else None


MakeGate = Callable[[Store, Mapping[str, Plan]], Gate]
"""Makes the gate that messages to senders pass: reports.gate.returned_gate."""


def receive(
    store: Store,
    home: Home,
    plans: Mapping[str, Plan],
    files: Sequence[Path | SentFile],
    *,
    received_at: datetime | Sequence[datetime],
    recorded_at: datetime,
    act: Act | None = None,
    make_gate: MakeGate | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Received]:
    """Take in `files` as received at `received_at` (one time for all, or one for each).

    Times are wall time of the plans' zone. A refused file leaves nothing behind; the others go on.
    The very same file again stores nothing, but its return workbook is written again, since that
    may have been lost. With `act`, the trail says whose referrals and entries were taken in. With
    `make_gate`, a village whose rows went back is written to, once a file.
    """
    with _ReturnWorkbooks(store, home, plans) as workbooks:
        results = take_in(
            store,
            plans,
            files,
            received_at=received_at,
            recorded_at=recorded_at,
            keep=True,
            advance=advance,
            stored=lambda names: _enter_in_trail(store, act, names),
            judged=workbooks.begin,
        )
        record_arrivals(store)
        received = [
            Received(result, workbooks.written(index)) for index, result in enumerate(results)
        ]
    if make_gate is not None:
        _write_to_senders(store, home, plans, received, make_gate(store, plans), recorded_at)
    return received


def receive_inbox(
    store: Store,
    home: Home,
    plans: Mapping[str, Plan],
    *,
    now: datetime,
    act: Act | None = None,
    make_gate: MakeGate | None = None,
) -> list[Received]:
    """Take in what lies in the home's inbox, oldest first, each as of when it was put there.

    What was taken in is removed, since it holds people's data; whatever is refused is moved to
    `inbox/refused/`, with the reason beside it, for the officer to look at and remove. `act` and
    `make_gate` are as in `receive`.
    """
    waiting = _waiting(home, plans)
    received = receive(
        store,
        home,
        plans,
        [path for _, path in waiting],
        received_at=[min(put_there, now) for put_there, _ in waiting],
        recorded_at=now,
        act=act,
        make_gate=make_gate,
    )
    for (_, path), one in zip(waiting, received, strict=True):
        if one.result.refused is None:
            path.unlink()
        else:
            set_aside(home, path, one.result.refused.text())
    return received


def _enter_in_trail(store: Store, act: Act | None, names: Sequence[str]) -> None:
    """Enter whose referrals and register entries the files brought, by their references."""
    subjects = [subject for (subject,) in store.rows("receive/subjects", names=names)]
    if act is not None and subjects:
        keep_entry(store, act, subjects)


def _write_to_senders(
    store: Store,
    home: Home,
    plans: Mapping[str, Plan],
    received: Sequence[Received],
    gate: Gate,
    now: datetime,
) -> None:
    """Draft a message a file with returned rows, where it has not had its own."""
    for each in received:
        result, workbook = each.result, each.return_workbook
        if result.identity is None or workbook is None:
            continue
        plan = plans[result.identity.campaign]
        subject, text = return_notice(plan, result, secrets.token_hex(16).upper())
        write_return_notice(
            store,
            home,
            plan,
            result.identity.village,
            file=result.name,
            subject=subject,
            text=text,
            beside=workbook,
            now=now,
            gate=gate,
        )


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


def set_aside(home: Home, path: Path, reason: str) -> None:
    """Move a refused file to `inbox/refused/` with its reason beside it. Raises OSError."""
    folder = private_folder(home.inbox / REFUSED)
    number = 0
    name = name_to_keep(path.name)
    while (target := folder / f"{number or ''}{'-' if number else ''}{name}").exists():
        number += 1
    # the reason first: a file that was moved is not looked at again
    write_whole(target.with_name(f"{target.name}.txt"), f"{reason}\n".encode())
    shutil.move(path, target)  # from a shared drive, that is another file system
    target.chmod(0o600)


def record_arrivals(store: Store) -> None:
    """Tell the ledger which files came when, and which of them count; never what is in them."""
    with store.transaction():
        store.run("receive/arrivals")
