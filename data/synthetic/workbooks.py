"""Writing the files: one row of identity, titles, a head, rows; as tidy or untidy as the sender.

The values are right or wrong before they come here. This module only chooses how a value looks, and
every look is one the reader must see through.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from random import Random

import xlsxwriter

from data.synthetic.chance import chance
from data.synthetic.submissions import Cell, Draft, Row, Style
from tasks.rules.contract import CHOICES, SHEETS, Column, Sheet, write_identity

_SERIAL_ZERO = date(1899, 12, 30)
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_NAMES = ("full_name", "contact_name")
_PHONES = ("phone", "contact_phone")
_BLANK_ROWS = 3
_TITLES = ("{title}登记表", "填报单位（盖章）：          填报人：")


def file_content(draft: Draft, seed: int) -> bytes:
    """Return the bytes of `draft` as a file; equal drafts give equal bytes."""
    content = _csv(draft, seed) if draft.style.container == "csv" else _xlsx(draft, seed)
    if draft.refused == "refused.unreadable":
        return content[: len(content) * 2 // 5]
    return content


def column_order(seed: int, draft: Draft, sheet: Sheet) -> list[Column]:
    """Return the columns in the order in which this sender's template has them."""
    columns = list(sheet.columns)
    if draft.style.reordered:
        chance(seed, "columns", draft.identity.village, sheet.name).shuffle(columns)
    if draft.refused == "refused.missing_column" and draft.column:
        columns = [each for each in columns if (sheet.name, each.name) != draft.column]
    return columns


def _grid(draft: Draft, seed: int, name: str) -> tuple[list[str], list[list[Cell]]]:
    """Return the head and the rows of a sheet as they look."""
    sheet = SHEETS[name]
    draw = chance(seed, "look", draft.identity, draft.stem, name, draft.received_at)
    columns = column_order(seed, draft, sheet)
    heads = [_head(draw, draft.style, column) for column in columns]
    rows = [
        [_look(draw, draft.style, column, row.values.get(column.name)) for column in columns]
        for row in draft.sheets[name]
    ]
    if draft.refused == "refused.extra_column" and draft.column and draft.column[0] == name:
        heads.append(draft.column[1])
        rows = [[*row, "无"] for row in rows]
    return heads, rows


def _head(draw: Random, style: Style, column: Column) -> str:
    if style.heads == "en":
        return column.name
    return draw.choice(column.heads) if style.heads == "any" else column.heads[0]


def _look(draw: Random, style: Style, column: Column, value: Cell) -> Cell:
    """Return how `value` stands in the cell."""
    if value is None:
        return "　" if style.spaced and draw.random() < 0.3 else None
    if isinstance(value, str):
        return _text(draw, style, column, value)
    if isinstance(value, date):
        return _date(style, value)
    if isinstance(value, float) or style.counts == "number":
        return value
    return _wide(style, str(value))


def _text(draw: Random, style: Style, column: Column, value: str) -> Cell:
    if column.choices and value in CHOICES[column.choices]:
        return _spelling(draw, style, CHOICES[column.choices][value], value)
    if column.name in _PHONES and style.number_phones and value.isdigit():
        return int(value)
    if column.name in _NAMES and style.spaced:
        # a name of two characters is spread to the width of three
        value = f"{value[0]}　{value[1]}" if len(value) == 2 else f"{value}　"
    if column.name == "month" and style.dates == "words" and value[4:5] == "-":
        value = f"{value[:4]}年{int(value[5:])}月"
    return _wide(style, value)


def _spelling(draw: Random, style: Style, spellings: Sequence[str], value: str) -> str:
    if style.spelling == "value":
        return value
    return draw.choice(spellings) if style.spelling == "any" else spellings[0]


def _wide(style: Style, text: str) -> str:
    return text.translate(_WIDE) if style.counts == "wide" else text


def _date(style: Style, day: date) -> Cell:
    looks: Mapping[str, Cell] = {
        "cell": day,
        "serial": (day - _SERIAL_ZERO).days,
        "iso": day.isoformat(),
        "dots": f"{day.year}.{day.month}.{day.day}",
        "slashes": f"{day.year}/{day.month}/{day.day}",
        "words": _wide(style, f"{day.year}年{day.month}月{day.day}日"),
    }
    return looks[style.dates]


def _titles(style: Style, name: str) -> list[str]:
    return [each.format(title=SHEETS[name].title) for each in _TITLES[: style.titles]]


def _csv(draft: Draft, seed: int) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    (name,) = draft.sheets
    heads, rows = _grid(draft, seed, name)
    width = len(heads) + (2 if draft.style.trailing else 0)
    above = [write_identity(draft.identity), *_titles(draft.style, name)]
    lines: list[Sequence[Cell]] = [*([each] for each in above), heads, *rows]
    if draft.style.trailing:
        lines += [[]] * _BLANK_ROWS
    for line in lines:
        cells = [_csv_cell(cell) for cell in line]
        writer.writerow(cells + [""] * (width - len(cells)))
    return stream.getvalue().encode(draft.style.encoding)


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    # the way a spreadsheet saves a number with more digits than it shows
    return f"{cell:.5E}" if isinstance(cell, float) else str(cell)


def _xlsx(draft: Draft, seed: int) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"created": draft.received_at})
    formats = {
        "text": book.add_format({"num_format": "@"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "head": book.add_format({"bold": True, "border": 1, "align": "center"}),
        "blank": book.add_format({"border": 1}),
    }
    for name in draft.sheets:
        title = name if draft.style.heads == "en" else SHEETS[name].title
        page = book.add_worksheet(title)
        heads, rows = _grid(draft, seed, name)
        page.write_string(0, 0, write_identity(draft.identity))
        for at, text in enumerate(_titles(draft.style, name), start=1):
            page.merge_range(at, 0, at, len(heads) - 1, text, formats["head"])
        head_at = 1 + draft.style.titles
        for at, head in enumerate(heads):
            if draft.style.merged_head:
                page.merge_range(head_at, at, head_at + 1, at, head, formats["head"])
            else:
                page.write_string(head_at, at, head, formats["head"])
        first = draft.style.first_row - 1
        for down, row in enumerate(rows):
            for at, cell in enumerate(row):
                _write_cell(page, first + down, at, cell, formats)
        if draft.style.trailing:
            _write_trailing(page, first, len(rows), len(heads), formats["blank"])
    book.close()
    return stream.getvalue()


def _write_cell(
    page: "xlsxwriter.worksheet.Worksheet",
    down: int,
    at: int,
    cell: Cell,
    formats: Mapping[str, object],
) -> None:
    if cell is None:
        return
    if isinstance(cell, str):
        page.write_string(down, at, cell, formats["text"])
    elif isinstance(cell, date):
        midnight = datetime.combine(cell, datetime.min.time())
        page.write_datetime(down, at, midnight, formats["date"])
    else:
        page.write_number(down, at, cell)


def _write_trailing(
    page: "xlsxwriter.worksheet.Worksheet", first: int, rows: int, columns: int, blank: object
) -> None:
    for down in range(first, first + rows + _BLANK_ROWS):
        for at in range(columns if down < first + rows else 0, columns + 2):
            page.write_blank(down, at, None, blank)
    # a cell somebody once touched with the space bar
    page.write_string(first + rows + 1, 0, "　", blank)


def rows_of(draft: Draft) -> list[tuple[str, int, Row]]:
    """Return (sheet, row number as the sender sees it, row) of every row of `draft`."""
    return [
        (name, draft.style.first_row + at, row)
        for name, rows in draft.sheets.items()
        for at, row in enumerate(rows)
    ]
