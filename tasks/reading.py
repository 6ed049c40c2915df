"""Reading a submission: bytes of a workbook or CSV to rows of text under the contract's columns.

Reads nothing but the file it is given, stores nothing, and refuses a file whole with one line that
names file, sheet and column, never a cell.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from tasks.rules.cells import cell_text, head_text
from tasks.rules.contract import (
    SHEETS,
    SHEETS_OF_PHASE,
    TEMPLATE_VERSION,
    Identity,
    Sheet,
    read_identity,
)
from tasks.rules.errors import FileRefused

WORKBOOKS = (".xlsx", ".xls", ".ods")
TEXTS = (".csv",)
MOST_BYTES = 256 * 1024 * 1024
IDENTITY_WITHIN = 10
"""The identity stands in one of the first rows, the head in one of the first twenty."""
HEAD_WITHIN = 20
FEWEST_HEADS = 3

Row = tuple[str, ...]


@dataclass(frozen=True)
class ReadSheet:
    """One sheet of a submission: which contract sheet it is, and its rows.

    `rows` holds (row number as the village sees it, cells in the order of the sheet's columns).
    """

    sheet: Sheet
    rows: tuple[tuple[int, Row], ...]


@dataclass(frozen=True)
class Submission:
    """A file as it was read. `content` is its bytes, kept only to tell one file from another."""

    file: str
    identity: Identity
    sheets: tuple[ReadSheet, ...]
    content: bytes

    @property
    def rows_read(self) -> int:
        """The number of rows that are not blank, over all sheets."""
        return sum(len(sheet.rows) for sheet in self.sheets)


def is_submission(path: Path) -> bool:
    """Whether a file of a folder is taken for a submission: by its ending, and no lock file."""
    return path.suffix.lower() in (*WORKBOOKS, *TEXTS) and not path.name.startswith(("~$", "."))


def read_submission(path: Path) -> Submission:
    """Read one file. Raises FileRefused with the reason where it cannot be taken at all."""
    content = _content(path)
    grids = list(_grids(path, content))
    identity = _identity(path.name, [rows for _, rows in grids])
    sheets = _fitting(path.name, identity, grids)
    if not any(sheet.rows for sheet in sheets):
        raise FileRefused("refused.empty", file=path.name)
    return Submission(path.name, identity, tuple(sheets), content)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FileRefused("refused.too_large", file=path.name, most=MOST_BYTES // 2**20)
        content = path.read_bytes()
    except OSError:
        raise FileRefused("refused.unreadable", file=path.name) from None
    if not content:
        raise FileRefused("refused.empty", file=path.name)
    return content


def _grids(path: Path, content: bytes) -> Iterator[tuple[str, list[Row]]]:
    """Yield (sheet name, rows of text from the first row on) of a file."""
    ending = path.suffix.lower()
    if ending in TEXTS:
        yield "", _csv_rows(path.name, content)
        return
    if ending not in WORKBOOKS:
        raise FileRefused("refused.ending", file=path.name)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            yield name, [tuple(map(cell_text, row)) for row in rows]
    except (CalamineError, ValueError, OSError):
        raise FileRefused("refused.unreadable", file=path.name) from None


def _csv_rows(file: str, content: bytes) -> list[Row]:
    text = _decoded(file, content)
    sample = text[:4096]
    delimiter = max(",;\t", key=sample.count)
    try:
        # strict: an unclosed quotation mark would otherwise swallow the rest of the file unseen
        return [
            tuple(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        ]
    except csv.Error:
        raise FileRefused("refused.unreadable", file=file) from None


def _decoded(file: str, content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if wide else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise FileRefused("refused.unreadable", file=file)


def _identity(file: str, grids: Sequence[Sequence[Row]]) -> Identity:
    found = {
        identity
        for rows in grids
        for row in rows[:IDENTITY_WITHIN]
        for cell in row
        if (identity := read_identity(cell)) is not None
    }
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


def _fitting(
    file: str, identity: Identity, grids: Sequence[tuple[str, list[Row]]]
) -> list[ReadSheet]:
    sheets: list[ReadSheet] = []
    for name, rows in grids:
        head = _head(rows, identity.phase)
        if head is None and _bears_identity(rows):
            # a sheet of this submission whose head is gone: what is on it must not vanish unseen
            raise FileRefused("refused.no_head", file=file, sheets=_titles(identity.phase))
        if head is None:
            continue
        index, sheet = head
        if any(read.sheet is sheet for read in sheets):
            raise FileRefused("refused.sheet_twice", file=file, sheet=sheet.title)
        sheets.append(_read_sheet(file, name, sheet, rows, index))
    if not sheets:
        raise FileRefused("refused.no_head", file=file, sheets=_titles(identity.phase))
    return sheets


def _titles(phase: str) -> str:
    return "、".join(SHEETS[name].title for name in SHEETS_OF_PHASE[phase])


def _bears_identity(rows: Sequence[Row]) -> bool:
    return any(read_identity(cell) for row in rows[:IDENTITY_WITHIN] for cell in row)


def _head(rows: Sequence[Row], phase: str) -> tuple[int, Sheet] | None:
    """Return the index of the head row and the sheet it belongs to, or None.

    The row with the most heads of one sheet is the head; three at the least, so that a title row
    which happens to hold one of the words is none.
    """
    best: tuple[int, int, Sheet] | None = None
    for index, row in enumerate(rows[:HEAD_WITHIN]):
        cells = {head_text(cell) for cell in row}
        for name in SHEETS_OF_PHASE[phase]:
            matched = sum(
                any(head_text(head) in cells for head in (column.name, *column.heads))
                for column in SHEETS[name].columns
            )
            if matched >= FEWEST_HEADS and (best is None or matched > best[0]):
                best = (matched, index, SHEETS[name])
    return None if best is None else (best[1], best[2])


def _read_sheet(file: str, name: str, sheet: Sheet, rows: Sequence[Row], head: int) -> ReadSheet:
    name = name or sheet.title  # a CSV has no sheet name
    places = _places(file, name, sheet, rows[head])
    width = max(len(row) for row in rows)
    outside = [place for place in range(width) if place not in places]
    read: list[tuple[int, Row]] = []
    for number, row in enumerate(rows[head + 1 :], start=head + 2):
        # a column without a head is refused as one with a wrong head is: nothing is dropped unseen
        if any(row[place].strip() for place in outside if place < len(row)):
            raise FileRefused("refused.outside_columns", file=file, sheet=name, row=number)
        cells = tuple(
            row[place] if place is not None and place < len(row) else "" for place in places
        )
        if any(cell.strip() for cell in cells):
            read.append((number, cells))
    return ReadSheet(sheet, tuple(read))


def _places(file: str, name: str, sheet: Sheet, head: Row) -> list[int | None]:
    """Return where each column of `sheet` stands in the head row, None for an optional one."""
    spellings = {
        head_text(spelling): column.name
        for column in sheet.columns
        for spelling in (column.name, *column.heads)
    }
    where: dict[str, int] = {}
    for place, cell in enumerate(head):
        if not cell.strip():
            continue
        column = spellings.get(head_text(cell))
        if column is None:
            raise FileRefused(
                "refused.extra_column", file=file, sheet=name, column=_shown_head(cell, place)
            )
        if column in where:
            raise FileRefused("refused.column_twice", file=file, sheet=name, column=column)
        where[column] = place
    missing = [
        column.heads[0] for column in sheet.columns if column.required and column.name not in where
    ]
    if missing:
        raise FileRefused(
            "refused.missing_column", file=file, sheet=name, columns="、".join(missing)
        )
    return [where.get(column.name) for column in sheet.columns]


def _shown_head(cell: str, place: int) -> str:
    # A head is a word. What has digits or is long may be somebody's data under a lost head.
    text = " ".join(cell.split())
    if len(text) <= 12 and not any(sign.isdigit() for sign in text):
        return text
    return f"#{place + 1}"
