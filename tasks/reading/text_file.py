"""CSV files: which encoding, which delimiter, and their rows as text."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from tasks.plan import Limits
from tasks.reading.apart import Grid, text_cells
from tasks.reading.heads import HEAD_WITHIN
from tasks.rules.cells import cut_row, head_text, row_texts
from tasks.rules.contract import SHEETS
from tasks.rules.errors import FileRefused

_DELIMITERS = ",;\t"
_UTF_8 = "utf-8-sig"
"""With a mark of the order of bytes in front, or without."""
_SAMPLE_ROWS = 20
_SAMPLE = 65_536
"""Bytes from the beginning that show the delimiter."""
_PART = 2**20
"""Bytes that are decoded at a time."""
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
    delimiter = _delimiter(content, encoding)
    grid = Grid("")
    content = content if encoding == _UTF_8 else content.decode(encoding).encode()
    top = _top_of_plain(content, delimiter)
    below = _columns(content, len(top), delimiter, limits) if top else None
    if below is None:
        _add_rows(grid, file, content, delimiter, limits)
    else:
        # titles and heads are of any length
        _add_rows(grid, file, top, delimiter, limits)
        kept = _not_blank(below)
        if len(kept) < len(below[0]):
            below = [column.take(pa.array(kept, pa.int32())) for column in below]
        if kept:
            grid.add([HEAD_WITHIN + 1 + row for row in kept], below)
    return grid


def _add_rows(grid: Grid, file: str, content: bytes, delimiter: str, limits: Limits) -> None:
    """Put the rows of a CSV into an empty grid, one after another, whatever they are like."""
    number = 0
    # strict: an unclosed quotation mark would otherwise swallow the rest of the file unseen
    reader = csv.reader(_lines(content), delimiter=delimiter, strict=True)
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
    grid.add(numbers, (text_cells(column) for column in zip_longest(*rows, fillvalue="")))


def _top_of_plain(content: bytes, delimiter: str) -> bytes:
    """Return the lines that may hold titles and heads, or nothing where the CSV is not plain.

    Plain: its signs are all shown, no line is blank, and quotation marks stand around whole cells
    only, none of which goes on in the next line. Then a parser that knows nothing of our rules
    reads it as `_add_rows` would.
    """
    # a tab is not shown: it may stand between cells, not inside of one
    quoted = re.compile(f'"(?<=[{delimiter}\n]")[^"\n\t]*"(?=[{delimiter}\r\n])')
    body = content.removeprefix(codecs.BOM_UTF8)
    start = 0
    while start < len(body):
        end = body.rfind(b"\n", start, start + _PART) + 1 or len(body)
        if end - start > _PART:
            return b""
        text = body[start:end].decode()
        signs = text.replace("\r\n", "").replace("\n", "")
        if delimiter == "\t":  # which is not shown
            signs = signs.replace(delimiter, "")
        if not signs.isprintable() or ('"' in signs and '"' in quoted.sub("", f"\n{text}")):
            return b""
        start = end
    ends = [found.end() for found in islice(re.finditer(b"\n", content), HEAD_WITHIN)]
    return content[: ends[-1]] if len(ends) == HEAD_WITHIN else b""


def _columns(content: bytes, start: int, delimiter: str, limits: Limits) -> list[pa.Array] | None:
    """Return the cells from `start` on column by column; None where the lines differ in length.

    Also where any may be beyond the limits: then it has to be found out which, row by row.
    """
    first = content[start : start + _LONGEST_LINE].partition(b"\n")[0].decode(errors="ignore")
    width = len(next(csv.reader([first], delimiter=delimiter), ()))
    if not width or width > limits.columns:
        return None
    names = [str(at) for at in range(width)]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(content).slice(start)),
            # one batch: whatever is done with the cells later is done once a batch
            arrow_csv.ReadOptions(use_threads=False, block_size=len(content), column_names=names),
            arrow_csv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    columns = [column.combine_chunks() for column in table.columns]
    longest = max(pc.max(pc.binary_length(column)).as_py() for column in columns)
    many = HEAD_WITHIN + len(columns[0]) > limits.rows
    return None if many or longest > limits.cell_characters else columns


def _not_blank(columns: Sequence[pa.Array]) -> Sequence[int]:
    """Return which rows, counted from 0, hold anything but spaces."""
    every = range(len(columns[0]))
    blank = pa.array(every, pa.int32())
    for column in columns:
        spaces = pc.equal(pc.utf8_trim(column.take(blank), characters=" "), "")
        blank = blank.filter(spaces)
        if not blank:
            return every
    none = set(blank.to_pylist())
    return [row for row in every if row not in none]


def _lines(content: bytes) -> Iterator[str]:
    """Yield the lines as they are; csv.Error for one that is longer than any table's."""
    # newline="": the end of a line may be CR alone, and one inside quotation marks stays
    with io.TextIOWrapper(io.BytesIO(content), _UTF_8, newline="") as stream:
        while line := stream.readline(_LONGEST_LINE + 1):
            if len(line) > _LONGEST_LINE:
                raise csv.Error
            yield line


def _encoding(file: str, content: bytes) -> str:
    for encoding in _candidates(content):
        if _is_text(content, encoding):
            return encoding
    raise FileRefused("refused.unreadable", file=file)


def _is_text(content: bytes, encoding: str) -> bool:
    """Return whether all of it can be read so; part by part, as text it may be twice as large."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _PART):
            if "\0" in decoder.decode(content[start : start + _PART]):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _candidates(content: bytes) -> Iterator[str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield "utf-16"
    elif b"\0" in content:
        # two bytes a sign; digits, commas and line ends have a zero first or second
        first, second = content[0::2].count(0), content[1::2].count(0)
        yield "utf-16-le" if second > first else "utf-16-be"
    else:
        yield from (_UTF_8, "gb18030")


def _delimiter(content: bytes, encoding: str) -> str:
    """Return the delimiter that shows the most column heads; the commonest where none shows any."""
    sample = content[:_SAMPLE].decode(encoding, "ignore")
    lines = sample.splitlines(keepends=True)[:_SAMPLE_ROWS]

    def heads(delimiter: str) -> int:
        rows = csv.reader(lines, delimiter=delimiter)
        return max((sum(head_text(cell) in _HEADS for cell in row) for row in rows), default=0)

    return max(_DELIMITERS, key=lambda each: (heads(each), sample.count(each)))
