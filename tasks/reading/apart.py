"""The process in which workbooks are taken apart: started when first needed, used again, replaced.

`tasks.grids` says what runs there and why. A file that hangs or kills it is refused; the next file
meets a fresh one.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.grids import CELL_END, COLUMN_END
from tasks.plan import Limits
from tasks.rules.errors import FileRefused, WrongCommand

Row = tuple[str, ...]

_ENVIRONMENT = ("LD_LIBRARY_PATH",)
"""What an interpreter may need to start."""


@dataclass
class Grid:
    """A sheet as text: the rows that hold anything, by their number; nothing of what they mean."""

    name: str
    place: int = 0
    """Its place in the workbook, counted from 0."""
    shift: int = 0
    """Days to add to a bare serial so that it counts from 1899-12-30."""
    cut: bool = False
    """Whether anything was cut off, one beyond the limits."""
    _numbers: list[int] = field(default_factory=list)
    _cells: list[list[pa.Array]] = field(default_factory=list)
    """Column by column: its cells, in batches of rows."""
    _put_off: bytes | None = None
    """A batch as it came, until it is looked at."""
    _columns: list[pa.ChunkedArray] | None = None
    _top: list[tuple[int, Row]] = field(default_factory=list)
    """What was made of the cells when somebody last looked."""

    @property
    def numbers(self) -> list[int]:
        """The numbers of its rows."""
        self._catch_up()
        return self._numbers

    @property
    def columns(self) -> list[pa.ChunkedArray]:
        """Its cells, column by column from the first on: one for each row, '' where a row ends."""
        self._catch_up()
        if self._columns is None:
            self._columns = [pa.chunked_array(batches, pa.string()) for batches in self._cells]
        return self._columns

    @property
    def rows(self) -> list[tuple[int, Row]]:
        """Its rows, each with its number."""
        return self.top(len(self.numbers))

    def top(self, most: int) -> list[tuple[int, Row]]:
        """Return the first `most` rows, each with its number."""
        if most > len(self._top):
            cells = zip(*(column[:most].to_pylist() for column in self.columns), strict=True)
            self._top = list(zip(self.numbers[:most], cells, strict=True))
        return self._top[:most]

    def add(self, numbers: Sequence[int], columns: Iterable[pa.Array]) -> None:
        """Put rows behind those that are there; either may have columns that the other has not."""
        self._catch_up()
        self._columns, self._top = None, []
        filled = 0
        for filled, more in enumerate(columns, start=1):
            if filled > len(self._cells):
                self._cells.append([blank_cells(len(self._numbers))] if self._numbers else [])
            self._cells[filled - 1].append(more)
        for batches in self._cells[filled:]:
            batches.append(blank_cells(len(numbers)))
        self._numbers += numbers

    def put_off(self, batch: bytes) -> None:
        """Put a batch of rows behind those that are there, as the process gave it.

        What it says is found out when somebody wants to know or the next one comes: of small files
        that is while the process takes the next file apart.
        """
        self._catch_up()
        self._put_off = batch

    def _catch_up(self) -> None:
        batch, self._put_off = self._put_off, None
        if batch is None:
            return
        numbers, *columns = batch.decode().split(COLUMN_END)
        rows = list(map(int, numbers.split(CELL_END)))
        # all columns at once: a call each costs more than the cells of a small file
        cells = pc.split_pattern(pa.array(columns, pa.string()), CELL_END).flatten()
        self.add(rows, (cells.slice(at, len(rows)) for at in range(0, len(cells), len(rows))))


def blank_cells(rows: int) -> pa.Array:
    """Return a column of so many cells without anything in them."""
    return pa.repeat("", rows)


def text_cells(cells: Sequence[str]) -> pa.Array:
    """Return a column of these cells."""
    return pa.array(cells, pa.string())


class Apart:
    """One process, for one file at a time. Raises WrongCommand where it cannot be started."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def grids(
        self, file: str, ending: str, content: bytes, limits: Limits, passwords: Sequence[str]
    ) -> list[Grid]:
        """Return the sheets of a workbook. Raises FileRefused, naming `file`, where it has none."""
        return self.answer(file, self.ask(ending, content, limits, passwords), limits)

    def ask(
        self, ending: str, content: bytes, limits: Limits, passwords: Sequence[str]
    ) -> subprocess.Popen[bytes]:
        """Hand a workbook over to the process and return that, without waiting for its answer.

        `answer` or `cancel` must follow in the same thread, soon: others who ask wait for it.
        """
        self._lock.acquire()
        try:
            process = self._running()
            with suppress(BrokenPipeError):
                _ask(process, ending, content, limits, passwords)
        except BaseException:
            self.cancel()
            raise
        return process

    def answer(self, file: str, process: subprocess.Popen[bytes], limits: Limits) -> list[Grid]:
        """Return the sheets of the workbook that `process` was handed. Raises as `grids` does."""
        grids: list[Grid] = []
        try:
            refused = _take_answer(process, grids)
        except BaseException:
            self.cancel()  # in the middle of an answer it is of no more use
            raise
        if refused == {}:
            self._stop()
        self._lock.release()
        if refused is None:
            return grids
        if refused:
            raise FileRefused(refused["refused"], file=file, **refused["values"])
        raise _fatal(file, grids, process.returncode, limits)

    def cancel(self) -> None:
        """Do without the answer to what was handed over."""
        self._stop()
        self._lock.release()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process and self._owner != os.getpid():
            self._process = None  # that of the process we were forked from, which still uses it
        if self._process and self._process.poll() is not None:
            self._stop()
        if self._process is None:
            # without the environment, so without a key and without a way to the register
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "tasks.grids"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # Ctrl+C is for the command, which decides what becomes of the file being read
                start_new_session=True,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )
            self._owner = os.getpid()
            if not (self._process.stdout and self._process.stdout.readline()):
                self._stop()
                raise WrongCommand("error.reader")
        return self._process

    def close(self) -> None:
        """End the process, if it runs."""
        with self._lock:
            if self._owner == os.getpid():
                self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ask(
    process: subprocess.Popen[bytes],
    ending: str,
    content: bytes,
    limits: Limits,
    passwords: Sequence[str],
) -> None:
    request = {
        "size": len(content),
        "ending": ending,
        "passwords": list(passwords),
        **limits.model_dump(),
    }
    if process.stdin is not None:
        process.stdin.write(b"%b\n%b" % (json.dumps(request).encode(), content))
        process.stdin.flush()


def _take_answer(process: subprocess.Popen[bytes], grids: list[Grid]) -> dict[str, Any] | None:
    """Fill `grids`; return why the file is refused, {} where the process died, None where read."""
    answers = process.stdout
    while answers and (line := answers.readline()):
        answer: dict[str, Any] = json.loads(line)
        if "rows" in answer:
            grid = grids[-1]
            grid.cut |= answer["cut"]
            grid.put_off(answers.read(answer["rows"]))
        elif "sheet" in answer:
            grids.append(Grid(answer["sheet"], answer["place"], answer["shift"]))
        else:
            return None if "done" in answer else answer
    return {}


def _fatal(file: str, grids: Sequence[Grid], code: int | None, limits: Limits) -> FileRefused:
    """Return why a file is refused that ended the process."""
    if code == -signal.SIGALRM:
        return FileRefused("refused.too_slow", file=file, seconds=limits.seconds)
    if not grids and code in (1, -signal.SIGABRT):  # Python or calamine asked for too much memory
        return FileRefused("refused.memory", file=file)
    if not grids:
        return FileRefused("refused.unreadable", file=file)
    # calamine holds a sheet as one block from its first to its last cell
    return FileRefused("refused.too_spread", file=file, sheet=f"#{grids[-1].place + 1}")
