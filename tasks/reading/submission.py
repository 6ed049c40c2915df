"""One file to one submission: its bytes, whose it is, and which of its sheets count."""

import atexit
import hashlib
import re
import stat
import subprocess
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tasks.plan import Limits
from tasks.reading.apart import Apart, Grid, Row, blank_cells, text_cells
from tasks.reading.heads import HEAD_WITHIN, Head, column_places, find_head, return_place
from tasks.reading.text_file import text_grid
from tasks.rules.cells import DAY_KINDS, column_letters, shift_serial
from tasks.rules.columns import FILLED_IN, kind_of, silent_rows
from tasks.rules.contract import (
    SHEETS,
    SHEETS_OF_PHASE,
    TEMPLATE_VERSION,
    Identity,
    Sheet,
    read_identity,
    read_return_number,
)
from tasks.rules.errors import FileRefused
from tasks.rules.file_names import TEXTS, WORKBOOKS, name_to_show
from tasks.rules.wording import LANGUAGES, say
from tasks.sent_file import SentFile

IDENTITY_WITHIN = 10
"""The identity stands in one of the first rows."""

_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SPACES = " \t\n\r\u3000\u00a0"
"""What of the signs that a cell may hold (`tasks.rules.cells`) is space."""
_PLAIN_SHEET = re.compile(r"[\W\d_]+")
_apart = Apart()
atexit.register(_apart.close)


@dataclass(frozen=True)
class ReadSheet:
    """One sheet of a submission: which contract sheet it is, and its rows."""

    sheet: Sheet
    places: Sequence[int]
    """The row numbers as the village sees them, in rising order."""
    columns: Sequence[pa.ChunkedArray]
    """The cells of each of the sheet's columns, in their order: a cell for each row."""
    numbers: Mapping[int, str] = field(default_factory=dict)
    """Row number -> the number under which the row was sent back before; most rows have none."""

    @property
    def rows(self) -> tuple[tuple[int, Row], ...]:
        """Row by row: its number, its cells in the order of the sheet's columns."""
        cells = zip(*(column.to_pylist() for column in self.columns), strict=True)
        return tuple(zip(self.places, cells, strict=True))

    def row(self, place: int) -> Row:
        """Return the cells of the row with that number, in the order of the sheet's columns."""
        at = bisect_left(self.places, place)
        return tuple(column[at].as_py() for column in self.columns)


@dataclass(frozen=True)
class Submission:
    """A file as it was read. `digest` is the SHA-256 of its bytes, to tell one from another."""

    file: str
    identity: Identity
    sheets: tuple[ReadSheet, ...]
    digest: str

    @property
    def rows_read(self) -> int:
        """The number of rows that are not blank, over all sheets."""
        return sum(len(sheet.places) for sheet in self.sheets)

    @cached_property
    def bytes_read(self) -> int:
        """How much memory its cells take."""
        return sum(column.nbytes for sheet in self.sheets for column in sheet.columns)


def is_submission(path: Path) -> bool:
    """Whether a file of a folder is taken for a submission: by its ending, and no lock file."""
    return path.suffix.lower() in (*WORKBOOKS, *TEXTS) and not path.name.startswith(("~$", "."))


def is_workbook(path: Path | SentFile) -> bool:
    """Whether a file is read in the process that takes workbooks apart: by its ending."""
    return path.suffix.lower() in WORKBOOKS


def shown_name(path: Path | SentFile) -> str:
    """Return what a file is called wherever that is shown or kept: one line that names nobody."""
    if isinstance(path, SentFile):
        return name_to_show(path.name, len(path.content))
    try:
        status = path.stat()
    except OSError:
        return name_to_show(path.name, None)
    return name_to_show(path.name, status.st_size if stat.S_ISREG(status.st_mode) else None)


def read_submission(
    path: Path | SentFile, limits: Limits | None = None, passwords: Sequence[str] = ()
) -> Submission:
    """Read one file. Raises FileRefused with the reason where it cannot be taken at all.

    `limits`: how much of it is read (default: the plan's defaults). `passwords`: what workbooks of
    the township are protected with; an encrypted one that none of them opens is refused.
    """
    begun = BegunFile(path, limits or Limits())
    begun.hand_over(passwords)
    return begun.submission(begun.grids())


class BegunFile:
    """A file whose bytes are read.

    It is handed over, and what a workbook holds is taken apart meanwhile, in another process; then
    `grids` or `cancel` must follow.
    """

    def __init__(
        self,
        path: Path | SentFile,
        limits: Limits,
        limits_of: Mapping[str, Limits] | None = None,
    ) -> None:
        """Read the bytes at `path`. Raises FileRefused as `read_submission` does.

        `limits_of`: campaign -> its own limits, no wider than `limits`; they hold as soon as the
        file has said which campaign it is for.
        """
        self._limits = limits
        self._limits_of = limits_of or {}
        self._file = shown_name(path)
        self._content = _content(path, self._file, limits)
        self._apart: subprocess.Popen[bytes] | None = None
        self._owed = False
        ending = path.suffix.lower()
        self._workbook = ending if is_workbook(path) else None
        if self._workbook:
            return
        if ending not in TEXTS:
            raise FileRefused("refused.ending", file=self._file)
        if self._content.startswith(_NO_TEXT):
            raise FileRefused("refused.other_content", file=self._file, ending=ending)

    def hand_over(self, passwords: Sequence[str]) -> None:
        """Have a workbook taken apart, with the passwords to try on it. Raises WrongCommand."""
        if self._workbook:
            self._apart = _apart.ask(self._workbook, self._content, self._limits, passwords)
            self._owed = True

    def grids(self) -> list[Grid]:
        """Return the file's sheets. Raises FileRefused as `read_submission` does."""
        if self._apart is None:
            return [text_grid(self._file, self._content, self._limits)]
        self._owed = False
        return _apart.answer(self._file, self._apart, self._limits)

    def submission(self, grids: Sequence[Grid]) -> Submission:
        """Return what the sheets mean. Raises FileRefused as `read_submission` does."""
        file = self._file
        identity = _identity(file, grids)
        limits = self._limits_of.get(identity.campaign, self._limits)
        _check_bytes(len(self._content), file, limits)
        narrower = limits != self._limits
        sheets = tuple(_fitting(file, identity, grids, limits, narrower=narrower))
        if not any(sheet.places for sheet in sheets):
            raise FileRefused("refused.empty", file=file)
        return Submission(file, identity, sheets, hashlib.sha256(self._content).hexdigest())

    def cancel(self) -> None:
        """Do without its sheets, if nobody has asked for them."""
        if self._owed:
            _apart.cancel()

    def interrupt(self) -> None:
        """End what is being done with it, from any thread; `grids` then raises FileRefused."""
        if self._apart is not None:
            self._apart.kill()


def _check_bytes(size: int, file: str, limits: Limits) -> None:
    if size > limits.file_megabytes * 2**20:
        raise FileRefused("refused.too_large", file=file, most=limits.file_megabytes)


def _content(path: Path | SentFile, file: str, limits: Limits) -> bytes:
    if isinstance(path, SentFile):
        _check_bytes(len(path.content), file, limits)
        if not path.content:
            raise FileRefused("refused.empty", file=file)
        return path.content
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
            raise FileRefused("refused.unreadable", file=file)
        _check_bytes(status.st_size, file, limits)
        with path.open("rb") as stream:
            content = stream.read(limits.file_megabytes * 2**20 + 1)
    except OSError:
        raise FileRefused("refused.unreadable", file=file) from None
    _check_bytes(len(content), file, limits)
    if not content:
        raise FileRefused("refused.empty", file=file)
    return content


def _identity(file: str, grids: Sequence[Grid]) -> Identity:
    found = {identity for grid in grids for identity in _identities(grid)}
    if not found:
        raise FileRefused("refused.no_identity", file=file)
    if len(found) > 1:
        raise FileRefused("refused.two_identities", file=file)
    identity = found.pop()
    if identity.template != TEMPLATE_VERSION:
        raise FileRefused(
            "refused.template", file=file, has=identity.template, wanted=TEMPLATE_VERSION
        )
    if identity.phase not in SHEETS_OF_PHASE:
        raise FileRefused("refused.phase", file=file, phase=identity.phase)
    return identity


def _identities(grid: Grid) -> Iterator[Identity]:
    for number, row in grid.top(HEAD_WITHIN)[:IDENTITY_WITHIN]:
        if number <= IDENTITY_WITHIN:
            yield from filter(None, map(read_identity, row))


def _fitting(
    file: str, identity: Identity, grids: Sequence[Grid], limits: Limits, *, narrower: bool
) -> Iterator[ReadSheet]:
    """Yield the sheets of the phase; with `narrower`, they were read by wider limits than these.

    Hidden ones are sheets like others, and so are hidden rows: a filter that was left on hides what
    somebody entered.
    """
    titles = tuple(SHEETS[name].title for name in SHEETS_OF_PHASE[identity.phase])
    seen: dict[str, str] = {}
    for grid in grids:
        head = find_head(grid.top(HEAD_WITHIN), identity.phase)
        if head is None:
            if any(_identities(grid)):
                # a sheet of this submission whose head is gone: it must not vanish unseen
                raise FileRefused("refused.no_head", file=file, sheets=titles)
            continue
        name = _shown_sheet(grid, head.sheet)
        if head.sheet.name in seen:
            raise FileRefused(
                "refused.sheet_twice",
                file=file,
                title=head.sheet.title,
                first=seen[head.sheet.name],
                second=f"#{grid.place + 1}",
            )
        seen[head.sheet.name] = f"#{grid.place + 1}"
        if grid.cut or narrower:
            _check_size(file, name, grid.rows, limits)
        yield _read_sheet(file, name, grid, head)
    if not seen:
        raise FileRefused("refused.no_head", file=file, sheets=titles)


def _shown_sheet(grid: Grid, sheet: Sheet) -> str:
    """Return what to call a sheet: its name where that is one of ours or of the program, else its
    number. A sheet may be named after a person."""
    if not grid.name:
        return sheet.title  # a CSV has none
    plain = _PLAIN_SHEET.sub("", unicodedata.normalize("NFKC", grid.name).lower())
    known = plain in _sheet_words() and grid.name.isprintable()
    return grid.name if known else f"#{grid.place + 1}"


@cache
def _sheet_words() -> frozenset[str]:
    """Return what sheets are called by us and by the programs, in small letters alone."""
    ours = {each.title for each in SHEETS.values()} | set(SHEETS) | {"sheet", "工作表", "表"}
    ours |= {say(f"sheet.{name}", language).lower() for name in SHEETS for language in LANGUAGES}
    return frozenset(_PLAIN_SHEET.sub("", name) for name in ours)


def _read_sheet(file: str, name: str, grid: Grid, head: Head) -> ReadSheet:
    sheet = head.sheet
    wanted = column_places(file, name, head)
    back = return_place(head)
    here = bisect_left(grid.numbers, head.row)
    places = grid.numbers[here + 1 :]
    whole = grid.columns
    cells = [column.slice(here + 1) for column in whole]
    others = (at for at in range(len(cells)) if at not in wanted and at != back)
    _refuse_outside(file, name, places, ((at, cells[at]) for at in others))
    blank = pa.chunked_array([blank_cells(len(places))])
    columns = [blank if at is None else cells[at] for at in wanted]
    sent = blank if back is None else cells[back]
    heads = tuple("" if at is None else whole[at][here].as_py() for at in wanted)
    if dropped := {*_heads_again(heads, columns), *_silent(sheet, columns)}:
        left = [row for row in range(len(places)) if row not in dropped]
        kept = pa.array(left, pa.int32())
        places, sent = [places[row] for row in left], sent.take(kept)
        columns = [column.take(kept) for column in columns]
    if grid.shift:
        columns = [
            _shifted(cells, grid.shift) if kind_of(column) in DAY_KINDS else cells
            for column, cells in zip(sheet.columns, columns, strict=True)
        ]
    numbers = {
        places[row]: number
        for row in _where(pc.not_equal(sent, ""))
        if (number := read_return_number(sent[row].as_py()))
    }
    return ReadSheet(sheet, places, columns, numbers)


def _where(flags: pa.ChunkedArray) -> Sequence[int]:
    """Return the rows, counted from 0, of which `flags` is true."""
    found: Sequence[int] = pc.indices_nonzero(flags).to_pylist()
    return found


def _is_blank(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.equal(pc.utf8_trim(cells, characters=_SPACES), "")


def _silent(sheet: Sheet, columns: Sequence[pa.ChunkedArray]) -> Sequence[int]:
    """Return which rows say nothing; only those can that leave the first column they fill blank."""
    first = next(at for at, each in enumerate(sheet.columns) if each.name not in FILLED_IN)
    rows = _where(_is_blank(columns[first]))
    cells = [column.take(rows).to_pylist() for column in columns] if rows else []
    return [rows[at] for at in silent_rows(sheet, cells)] if rows else []


def _shifted(cells: pa.ChunkedArray, days: int) -> pa.ChunkedArray:
    return pa.chunked_array([text_cells([shift_serial(cell, days) for cell in cells.to_pylist()])])


def _refuse_outside(
    file: str, name: str, places: Sequence[int], columns: Iterable[tuple[int, pa.ChunkedArray]]
) -> None:
    """Refuse a sheet with anything in `columns`, the places that have no head and their cells.

    A column without a head is refused as one with a wrong head is: nothing drops unseen.
    """
    found = ((pc.index(_is_blank(cells), value=False).as_py(), at) for at, cells in columns)
    first = min(((row, at) for row, at in found if row >= 0), default=None)
    if first is not None:
        row, at = first
        raise FileRefused(
            "refused.outside_columns",
            file=file,
            sheet=name,
            row=places[row],
            column=column_letters(at),
        )


def _heads_again(heads: Row, columns: Sequence[pa.ChunkedArray]) -> Iterator[int]:
    """Yield which rows repeat the head: tables for printing have it on top of each page."""
    words = [(head, column) for head, column in zip(heads, columns, strict=True) if head.strip()]
    for row in _where(pc.equal(words[0][1], words[0][0])) if words else ():
        if tuple(column[row].as_py() for column in columns) == heads:
            yield row


def _check_size(file: str, name: str, rows: Sequence[tuple[int, Row]], limits: Limits) -> None:
    """Refuse a sheet that goes on beyond the limits; its rows were cut one beyond them."""
    for number, row in rows:
        at: dict[str, object] = {"file": file, "sheet": name, "row": number}
        if number > limits.rows:
            raise FileRefused("refused.too_many_rows", **at, most=limits.rows)
        if any(map(str.strip, row[limits.columns :])):
            raise FileRefused("refused.too_many_columns", **at, most=limits.columns)
        if max(map(len, row), default=0) > limits.cell_characters:
            place = next(at for at, cell in enumerate(row) if len(cell) > limits.cell_characters)
            raise FileRefused(
                "refused.cell_too_long",
                **at,
                column=column_letters(place),
                most=limits.cell_characters,
            )
