"""CSV files: which encoding, which delimiter, and their rows as text."""

import csv
import io
from collections.abc import Iterator
from itertools import zip_longest

from tasks.plan import Limits
from tasks.reading.apart import Grid
from tasks.rules.cells import cut_row, head_text, row_texts
from tasks.rules.contract import SHEETS
from tasks.rules.errors import FileRefused

_DELIMITERS = ",;\t"
_SAMPLE_ROWS = 20
_SAMPLE = 65_536
"""Bytes from the beginning that show the delimiter."""
_LONGEST_LINE = 2**20
"""Signs: 16,384 columns, as many as a sheet has, of 64 each."""
_HEADS = frozenset(
    head_text(head)
    for sheet in SHEETS.values()
    for column in sheet.columns
    for head in (column.name, *column.heads)
)


def text_grid(file: str, content: bytes, limits: Limits) -> Grid:
    """Return a CSV as a sheet without a name. Raises FileRefused where it is none.

    Its rows are numbered as a spreadsheet program shows them, so a line break inside a cell does
    not count.
    """
    encoding = _encoding(file, content)
    grid = Grid("")
    number = 0
    delimiter = _delimiter(content, encoding)
    # strict: an unclosed quotation mark would otherwise swallow the rest of the file unseen
    reader = csv.reader(_lines(content, encoding), delimiter=delimiter, strict=True)
    numbers: list[int] = []
    rows: list[list[str]] = []
    try:
        for number, row in enumerate(reader, start=1):
            cells = row_texts(row)
            if cells is None:
                continue
            cells, cut = cut_row(cells, limits.columns, limits.cell_characters)
            numbers.append(number)
            rows.append(cells)
            grid.cut |= cut or number > limits.rows
            if number > limits.rows:
                break
    except csv.Error:
        raise FileRefused("refused.broken_row", file=file, row=number + 1) from None
    grid.add(numbers, [list(column) for column in zip_longest(*rows, fillvalue="")])
    return grid


def _lines(content: bytes, encoding: str) -> Iterator[str]:
    """Yield the lines as they are; csv.Error for one that is longer than any table's."""
    # newline="": the end of a line may be CR alone, and one inside quotation marks stays
    with io.TextIOWrapper(io.BytesIO(content), encoding, newline="") as stream:
        while line := stream.readline(_LONGEST_LINE + 1):
            if len(line) > _LONGEST_LINE:
                raise csv.Error
            yield line


def _encoding(file: str, content: bytes) -> str:
    for encoding in _candidates(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return encoding
    raise FileRefused("refused.unreadable", file=file)


def _candidates(content: bytes) -> Iterator[str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield "utf-16"
    elif b"\0" in content:
        # two bytes a sign; digits, commas and line ends have a zero first or second
        first, second = content[0::2].count(0), content[1::2].count(0)
        yield "utf-16-le" if second > first else "utf-16-be"
    else:
        yield from ("utf-8-sig", "gb18030")


def _delimiter(content: bytes, encoding: str) -> str:
    """Return the delimiter that shows the most column heads; the commonest where none shows any."""
    sample = content[:_SAMPLE].decode(encoding, "ignore")
    lines = sample.splitlines(keepends=True)[:_SAMPLE_ROWS]

    def heads(delimiter: str) -> int:
        rows = csv.reader(lines, delimiter=delimiter)
        return max((sum(head_text(cell) in _HEADS for cell in row) for row in rows), default=0)

    return max(_DELIMITERS, key=lambda each: (heads(each), sample.count(each)))
