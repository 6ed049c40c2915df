"""Reading a delivery ahead: while the rows of some files are judged, the next files are read."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from tasks.plan import Limits
from tasks.reading.apart import Grid
from tasks.reading.submission import BegunFile, Submission
from tasks.rules.errors import FileRefused
from tasks.sent_file import SentFile

Read = Submission | FileRefused
_Begun = BegunFile | FileRefused
T = TypeVar("T")


@contextmanager
def reading_ahead(
    files: Sequence[Path | SentFile],
    limits: Limits,
    passwords: Callable[[str], Sequence[str]],
    *,
    rows: int,
    size: int,
    limits_of: Mapping[str, Limits] | None = None,
) -> Iterator[Iterator[Read]]:
    """Yield what `read_submission` gives for each of `files`, in their order, or why it is refused.

    `passwords` gives those to try on a file of a name. `limits_of`: campaign -> its own limits, no
    wider than `limits`; they hold as soon as a file has said which campaign it is for. A further
    file is begun while fewer than `rows` rows and `size` bytes of cells wait to be taken, so memory
    does not grow with the delivery. Whatever is still being read when the block is left is given
    up.
    """
    opened = partial(BegunFile, limits=limits, limits_of=limits_of)
    ahead = _Ahead(opened, passwords, rows, size)
    thread = threading.Thread(target=ahead.read, args=(files,), name="reading-ahead")
    thread.start()
    try:
        yield ahead.taken(len(files))
    finally:
        ahead.stop()
        thread.join()


class _Stopped(Exception):
    """Nobody takes what is read any more."""


class _Ahead:
    """Files read by one thread and taken by another."""

    def __init__(
        self,
        opened: Callable[..., BegunFile],
        passwords: Callable[[str], Sequence[str]],
        rows: int,
        size: int,
    ) -> None:
        self._opened = opened
        self._passwords = passwords
        self._most_rows, self._most_size = rows, size
        self._change = threading.Condition()
        self._waiting: deque[Read | BaseException] = deque()
        self._rows = self._size = 0
        self._stopped = False
        self._asked: BegunFile | None = None
        """What the other process is at."""

    def taken(self, files: int) -> Iterator[Read]:
        """Yield each file as soon as it is read."""
        for _ in range(files):
            with self._change:
                self._change.wait_for(lambda: self._waiting)
                read = self._waiting.popleft()
                if isinstance(read, Submission):
                    self._rows -= read.rows_read
                    self._size -= read.bytes_read
                self._change.notify_all()
            if isinstance(read, Submission | FileRefused):
                yield read
            else:
                raise read

    def stop(self) -> None:
        """Have the reading thread end, even in the middle of a file."""
        with self._change:
            self._stopped = True
            if self._asked is not None:
                self._asked.interrupt()
            self._change.notify_all()

    def read(self, files: Iterable[Path | SentFile]) -> None:
        """Read `files`: the bytes of the next while one is taken apart, what it means while the
        next is."""
        try:
            before: _Begun | None = None
            for path in files:
                opened = _unless_refused(partial(self._opened, path))
                grids = self._grids(before)
                self._hand_over(opened, path.name)
                self._find_out(before, grids)
                before = opened
            self._find_out(before, self._grids(before))
        except _Stopped:
            return
        except BaseException as error:  # noqa: BLE001 # raised again where the files are taken
            self._put(error)
        finally:
            if self._asked is not None:
                self._asked.cancel()

    def _find_out(self, begun: _Begun | None, grids: list[Grid] | FileRefused | None) -> None:
        if isinstance(begun, BegunFile) and isinstance(grids, list):
            self._put(_unless_refused(partial(begun.submission, grids)))
        elif isinstance(grids, FileRefused):
            self._put(grids)

    def _hand_over(self, opened: _Begun, name: str) -> None:
        with self._change:
            self._change.wait_for(lambda: self._stopped or self._has_room())
            if self._stopped:
                raise _Stopped
        if isinstance(opened, BegunFile):
            opened.hand_over(self._passwords(name))
            with self._change:
                self._asked = opened
                if self._stopped:
                    opened.interrupt()

    def _has_room(self) -> bool:
        return self._rows < self._most_rows and self._size < self._most_size

    def _grids(self, begun: _Begun | None) -> list[Grid] | FileRefused | None:
        if not isinstance(begun, BegunFile):
            return begun
        grids = _unless_refused(begun.grids)
        with self._change:
            self._asked = None
        return grids

    def _put(self, read: Read | BaseException) -> None:
        with self._change:
            self._waiting.append(read)
            if isinstance(read, Submission):
                self._rows += read.rows_read
                self._size += read.bytes_read
            self._change.notify_all()


def _unless_refused(step: Callable[[], T]) -> T | FileRefused:
    try:
        return step()
    except FileRefused as refused:
        return refused
