"""Writing the register or the ledger anew, as a file without what was deleted from it.

DuckDB leaves the bytes of deleted and changed rows in its file until something else is written over
them. A copy, table by table, holds only what is there. It is written beside the file, read back,
and compared before it is used for anything.
"""

import os
from pathlib import Path
from typing import Literal

from tasks.home import keep_private
from tasks.rules.errors import CheckFailed
from tasks.store import Store, attach

DRAFT = ".draft"
Which = Literal["register", "ledger"]
Contents = dict[str, list[int]]
"""Table -> the number of its rows and a checksum over them."""

_COPY = {"register": "copy/register", "ledger": "copy/ledger"}
_FLUSH = {"register": "copy/flush_register", "ledger": "copy/flush_ledger"}


def write_copy(store: Store, which: Which, target: Path, key: str | None) -> Contents:
    """Copy all tables of `which`, attached to `store`, to a new file at `target` under `key`.

    The file is on the disk and was read back when this returns what is in it. Raises CheckFailed
    where a step fails or the copy is not the same; the file is removed then.
    """
    keep_private()
    discard(target)
    try:
        store.run(_FLUSH[which])  # so that nothing of it is only in what was written ahead
        attach(store.connection, target, "fresh", key)
        store.run(_COPY[which])
        store.run("copy/detach")
        attach(store.connection, target, "fresh", key, read_only=True)
        contents = read_contents(store, which)
        same = read_contents(store, "fresh") == contents
        store.run("copy/detach")
        if not same:
            raise CheckFailed("key.copy_differs", file=target.name)
        _sync(target)
    except BaseException:
        discard(target)
        raise
    return contents


def read_contents(store: Store, which: Which | Literal["fresh"]) -> Contents:
    """Return how many rows each table has, and a checksum that no order of the rows changes."""
    tables = [name for (name,) in store.rows("copy/tables", database=which)]
    return {
        name: list(store.rows("copy/contents", table=f"{which}.main.{name}")[0]) for name in tables
    }


def write_anew(store: Store, which: Which, path: Path, key: str | None) -> None:
    """Put a fresh copy under `key` in place of the file at `path`, attached to `store` as `which`.

    The file stays locked until the copy is in its place; whoever opened it at that very moment is
    told that it is busy (store.attach). `store` goes on with the file that was replaced, so nothing
    may be written to it any more. Cut off anywhere, the old or the new file is there, whole.
    Raises CheckFailed as `write_copy` does; the file is as it was then.
    """
    draft = _draft(path)
    write_copy(store, which, draft, key)
    written_ahead = path.with_name(f"{path.name}.wal")
    if written_ahead.exists():
        # it would be taken for a part of the new file
        discard(draft)
        raise CheckFailed("key.copy_differs", file=path.name)
    draft.replace(path)
    _sync(path.parent)


def discard_draft(path: Path) -> None:
    """Remove what a copy of the file at `path` that was cut off has left."""
    discard(_draft(path))


def discard(path: Path) -> None:
    """Remove a file of DuckDB's and what was written ahead of it, where they are there."""
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def _draft(path: Path) -> Path:
    return path.with_name(path.name + DRAFT)


def _sync(path: Path) -> None:
    """Wait until the disk has what was written to a file, or which names a folder holds."""
    if os.name != "posix" and path.is_dir():
        return  # Windows opens no folder
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
