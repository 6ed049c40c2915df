"""One file to one submission: its bytes, whose it is, and which of its sheets count."""

import atexit
import hashlib
import re
import stat
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from tasks.plan import Limits
from tasks.reading.apart import Apart, Grid, Row
from tasks.reading.heads import Head, column_places, find_head, return_place
from tasks.reading.text_file import text_grid
from tasks.rules.cells import DAY_KINDS, column_letters, shift_serial
from tasks.rules.columns import kind_of, says_something
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
_PLAIN_SHEET = re.compile(r"[\W\d_]+")
_apart = Apart()
atexit.register(_apart.close)


@dataclass(frozen=True)
class ReadSheet:
    """One sheet of a submission: which contract sheet it is, and its rows.

    `rows` holds (row number as the village sees it, cells in the order of the sheet's columns).
    """

    sheet: Sheet
    rows: tuple[tuple[int, Row], ...]
    numbers: Mapping[int, str] = field(default_factory=dict)
    """Row number -> the number under which the row was sent back before; most rows have none."""


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
        return sum(len(sheet.rows) for sheet in self.sheets)


def is_submission(path: Path) -> bool:
    """Whether a file of a folder is taken for a submission: by its ending, and no lock file."""
    return path.suffix.lower() in (*WORKBOOKS, *TEXTS) and not path.name.startswith(("~$", "."))


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
    limits = limits or Limits()
    file = shown_name(path)
    content = _content(path, file, limits)
    grids = _grids(path, file, content, limits, passwords)
    identity = _identity(file, grids)
    sheets = tuple(_fitting(file, identity, grids, limits))
    if not any(sheet.rows for sheet in sheets):
        raise FileRefused("refused.empty", file=file)
    return Submission(file, identity, sheets, hashlib.sha256(content).hexdigest())


def _content(path: Path | SentFile, file: str, limits: Limits) -> bytes:
    most = limits.file_megabytes * 2**20
    if isinstance(path, SentFile):
        if len(path.content) > most:
            raise FileRefused("refused.too_large", file=file, most=limits.file_megabytes)
        if not path.content:
            raise FileRefused("refused.empty", file=file)
        return path.content
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
            raise FileRefused("refused.unreadable", file=file)
        if status.st_size <= most:
            with path.open("rb") as stream:
                content = stream.read(most + 1)
    except OSError:
        raise FileRefused("refused.unreadable", file=file) from None
    if status.st_size > most or len(content) > most:
        raise FileRefused("refused.too_large", file=file, most=limits.file_megabytes)
    if not content:
        raise FileRefused("refused.empty", file=file)
    return content


def _grids(
    path: Path | SentFile, file: str, content: bytes, limits: Limits, passwords: Sequence[str]
) -> list[Grid]:
    ending = path.suffix.lower()
    if ending in WORKBOOKS:
        return _apart.grids(file, ending, content, limits, passwords)
    if ending not in TEXTS:
        raise FileRefused("refused.ending", file=file)
    if content.startswith(_NO_TEXT):
        raise FileRefused("refused.other_content", file=file, ending=ending)
    return [text_grid(file, content, limits)]


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
    for number, row in grid.rows[:IDENTITY_WITHIN]:
        if number <= IDENTITY_WITHIN:
            yield from filter(None, map(read_identity, row))


def _fitting(
    file: str, identity: Identity, grids: Sequence[Grid], limits: Limits
) -> Iterator[ReadSheet]:
    """Yield the sheets of the phase. Hidden ones are sheets like others, and so are hidden rows:
    a filter that was left on hides what somebody entered."""
    titles = "、".join(SHEETS[name].title for name in SHEETS_OF_PHASE[identity.phase])
    seen: dict[str, str] = {}
    for grid in grids:
        head = find_head(grid.rows, identity.phase)
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
        yield _read_sheet(file, name, grid, head, limits)
    if not seen:
        raise FileRefused("refused.no_head", file=file, sheets=titles)


def _shown_sheet(grid: Grid, sheet: Sheet) -> str:
    """Return what to call a sheet: its name where that is one of ours or of the program, else its
    number. A sheet may be named after a person."""
    if not grid.name:
        return sheet.title  # a CSV has none
    ours = {each.title for each in SHEETS.values()} | set(SHEETS) | {"sheet", "工作表", "表"}
    ours |= {say(f"sheet.{name}", language).lower() for name in SHEETS for language in LANGUAGES}
    plain = _PLAIN_SHEET.sub("", unicodedata.normalize("NFKC", grid.name).lower())
    words = {_PLAIN_SHEET.sub("", name) for name in ours}
    return grid.name if plain in words and grid.name.isprintable() else f"#{grid.place + 1}"


def _read_sheet(file: str, name: str, grid: Grid, head: Head, limits: Limits) -> ReadSheet:
    sheet = head.sheet
    if grid.cut:
        _check_size(file, name, grid.rows, limits)
    places = column_places(file, name, head)
    width = max(len(row) for _, row in grid.rows)
    # one blank cell more on the right of each row stands for a column that was left out
    pick = itemgetter(*(width if place is None else place for place in places))
    back = return_place(head)
    outside = [place for place in range(width) if place not in places and place != back]
    days = [
        at for at, column in enumerate(sheet.columns) if grid.shift and kind_of(column) in DAY_KINDS
    ]
    head_again: Row = ()
    read: list[tuple[int, Row]] = []
    numbers: dict[int, str] = {}
    for number, row in grid.rows:
        if number < head.row:
            continue
        wide = row + ("",) * (width + 1 - len(row))
        cells: Row = pick(wide)
        if number == head.row:
            head_again = cells  # tables for printing have it on top of each page
            continue
        for place in outside:
            # a column without a head is refused as one with a wrong head is: nothing drops unseen
            if wide[place].strip():
                raise FileRefused(
                    "refused.outside_columns",
                    file=file,
                    sheet=name,
                    row=number,
                    column=column_letters(place),
                )
        if cells == head_again or not says_something(sheet, cells):
            continue
        if days:
            cells = tuple(
                shift_serial(cell, grid.shift) if at in days else cell
                for at, cell in enumerate(cells)
            )
        read.append((number, cells))
        if back is not None and (sent := read_return_number(wide[back])):
            numbers[number] = sent
    return ReadSheet(sheet, tuple(read), numbers)


def _check_size(file: str, name: str, rows: Sequence[tuple[int, Row]], limits: Limits) -> None:
    """Refuse a sheet that goes on beyond the limits; its rows were cut one beyond them."""
    for number, row in rows:
        at: dict[str, object] = {"file": file, "sheet": name, "row": number}
        if number > limits.rows:
            raise FileRefused("refused.too_many_rows", **at, most=limits.rows)
        if len(row) > limits.columns:
            raise FileRefused("refused.too_many_columns", **at, most=limits.columns)
        if max(map(len, row), default=0) > limits.cell_characters:
            place = next(at for at, cell in enumerate(row) if len(cell) > limits.cell_characters)
            raise FileRefused(
                "refused.cell_too_long",
                **at,
                column=column_letters(place),
                most=limits.cell_characters,
            )
