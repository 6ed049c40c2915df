"""A watched folder, such as one on a shared drive: files are taken in once they are whole.

The rule is that of the inbox: what was taken in is removed, since it holds people's data and many
may read the drive. What is refused moves to the home's own `inbox/refused/`; in its place stays one
line with the reason, for the village to see.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from tasks.audit import Act
from tasks.home import Home, write_whole
from tasks.plan import Plan
from tasks.receive import REFUSED, MakeGate, Received, receive, set_aside
from tasks.rules.errors import StoreBusy, WrongCommand
from tasks.rules.file_names import name_to_keep
from tasks.store import Store

NOTE = ".refused.txt"
"""Ends the name of a note that says why the file of the rest of its name went away."""

_NOT_FILES = ("~$", ".")
"""How the names of lock files and hidden files begin."""
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download")
_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Stamp:
    """What tells one state of a file from another: its size and when it was last written."""

    size: int
    written: int
    """Nanoseconds since 1970."""


@dataclass(frozen=True)
class Arrival:
    """A file that is whole, and when it was put there."""

    path: Path
    stamp: Stamp
    put_there: datetime
    """UTC. When its place changed, as in the inbox; its content may be older."""


@dataclass(frozen=True)
class Taken:
    """What became of one file, and whether it could be removed from the folder."""

    received: Received
    removed: bool


@dataclass
class Folder:
    """A folder that is looked at again and again; it remembers what it saw the last time."""

    root: Path
    held: set[Path] = field(default_factory=set)
    """Files that a spreadsheet program had open at the last look."""
    _seen: dict[Path, Stamp] = field(default_factory=dict)
    _dealt_with: dict[Path, Stamp] = field(default_factory=dict)

    def look(self) -> list[Arrival]:
        """Look once; return the files that are whole, oldest first.

        Whole is what holds something, did not change since the last look, can be opened, and that
        nobody has open in a spreadsheet program. What was dealt with does not come again before it
        changes. Raises OSError where the folder cannot be read.
        """
        found = {each.path: each for each in _files(self.root)}
        settled = [
            each
            for each in found.values()
            if self._seen.get(each.path) == each.stamp
            and self._dealt_with.get(each.path) != each.stamp
            and each.stamp.size > 0
        ]
        self._seen = {path: each.stamp for path, each in found.items()}
        self._dealt_with = {
            path: stamp for path, stamp in self._dealt_with.items() if path in found
        }
        self.held = {each.path for each in settled if _is_open(each.path)}
        whole = [each for each in settled if each.path not in self.held and _can_be_read(each.path)]
        return sorted(whole, key=lambda each: (each.put_there, each.path))

    def deal_with(self, arrival: Arrival) -> None:
        """Keep in mind that this state of a file is done with."""
        self._dealt_with[arrival.path] = arrival.stamp


class Listener(Protocol):
    """Who is told what a watch does."""

    def taken(self, arrival: Arrival, taken: Taken) -> None:
        """Hear what became of a file."""

    def busy(self, waiting: int) -> None:
        """Hear that the store is busy, and how many files wait."""

    def unreachable(self) -> None:
        """Hear that the folder cannot be read now."""

    def held(self, paths: set[Path]) -> None:
        """Hear at each look which files somebody has open."""


OpenStore = Callable[[], AbstractContextManager[tuple[Store, Mapping[str, Plan], Act]]]
"""Opens the register for one delivery, with the plans by slug and the act it is opened for, now."""


def check_folder(home: Home, folder: Path) -> None:
    """Raise WrongCommand where `folder` is none, or watching it would eat the home's own files."""
    if not folder.is_dir():
        raise WrongCommand("watch.one_folder", path=folder)
    watched, own = folder.resolve(), home.root.resolve()
    inside = watched.is_relative_to(own) and watched != home.inbox.resolve()
    if inside or own.is_relative_to(watched):
        raise WrongCommand("watch.own_home", path=folder)


def watch(
    folder: Folder,
    home: Home,
    open_store: OpenStore,
    listener: Listener,
    *,
    stopping: Callable[[], bool],
    wait: Callable[[], object],
    make_gate: MakeGate | None = None,
) -> None:
    """Look, take in what is whole, wait, and so on until `stopping`; a file begun is finished.

    A busy store, or a folder that is away for a while, loses nothing: what is there waits.
    """
    while not stopping():
        try:
            arrivals = folder.look()
        except OSError:
            listener.unreachable()
            arrivals = []
        listener.held(folder.held)
        if arrivals:
            try:
                with open_store() as (store, plans, act):
                    for arrival, taken in _take(
                        store, home, plans, folder, arrivals, act, stopping, make_gate
                    ):
                        listener.taken(arrival, taken)
            except StoreBusy:
                listener.busy(len(arrivals))
        wait()


def _take(
    store: Store,
    home: Home,
    plans: Mapping[str, Plan],
    folder: Folder,
    arrivals: Sequence[Arrival],
    act: Act,
    stopping: Callable[[], bool],
    make_gate: MakeGate | None,
) -> Iterator[tuple[Arrival, Taken]]:
    zone = ZoneInfo(next(iter(plans.values())).timezone)
    for arrival in arrivals:
        if stopping():
            return
        put_there = arrival.put_there.astimezone(zone).replace(tzinfo=None, microsecond=0)
        (one,) = receive(
            store,
            home,
            plans,
            [arrival.path],
            received_at=min(put_there, act.at),
            recorded_at=act.at,
            act=act,
            make_gate=make_gate,
        )
        folder.deal_with(arrival)
        yield arrival, Taken(one, _remove(home, folder, arrival, one))


def _remove(home: Home, folder: Folder, arrival: Arrival, received: Received) -> bool:
    """Take a file out of the folder as it was read: one that has changed meanwhile comes again."""
    path, refused = arrival.path, received.result.refused
    note = path.with_name(_note_name(path.name, arrival.stamp.size))
    try:
        status = path.stat()
        if _stamp(status) != arrival.stamp:
            return True
        if refused is None:
            path.unlink()
            note.unlink(missing_ok=True)
            return True
        set_aside(home, path, refused.text())
        if folder.root.resolve() != home.inbox.resolve():
            write_whole(note, f"{refused.text()}\n".encode())
            note.chmod(status.st_mode & 0o666)  # for whom the file was; it holds no value of it
    except OSError:
        return False
    return True


def _note_name(name: str, size: int) -> str:
    """Return what a note about a file is called: a name that may be somebody's does not stay."""
    kept = name_to_keep(name)
    if kept != name:
        kept = f"{size}-{kept}"
    return f"{kept}{NOTE}"


def _files(root: Path) -> Iterator[Arrival]:
    """Yield what lies in a folder and below it, whole or not; a link leads out of it, so none."""
    for parent, folders, names in os.walk(root, onerror=_raise):
        if Path(parent) == root and REFUSED in folders:
            folders.remove(REFUSED)
        folders[:] = [name for name in folders if not name.startswith(_NOT_FILES)]
        for name in names:
            path = Path(parent, name)
            if _is_no_submission(name.lower()) or path.is_symlink() or not path.is_file():
                continue
            try:
                status = path.stat()
            except OSError:
                continue  # gone since it was listed
            put_there = datetime.fromtimestamp(status.st_ctime, UTC)
            yield Arrival(path, _stamp(status), put_there)


def _is_no_submission(name: str) -> bool:
    return (
        name.startswith(_NOT_FILES) or name.endswith((*_UNFINISHED, NOTE)) or name in _OF_THE_SYSTEM
    )


def _raise(error: OSError) -> None:
    raise error


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_size, status.st_mtime_ns)


def _is_open(path: Path) -> bool:
    """Return whether Excel, WPS or LibreOffice has a file open: each leaves a file beside it."""
    return any(path.with_name(name).exists() for name in (f"~${path.name}", f".~lock.{path.name}#"))


def _can_be_read(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            stream.read(1)
    except OSError:
        return False
    return True
