"""Finding the head of a sheet, and telling which column each of its words stands for.

A head has one line, or two where cells are merged: 联系人 above 姓名, 关系 and 电话. The words of
two lines are read together (联系人姓名); where that is no column, the lower one counts alone (姓名
below 基本情况), unless the upper one is a column's own head and says something else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise
from typing import NoReturn

from tasks.reading.apart import Row
from tasks.rules.cells import column_letters, head_text
from tasks.rules.contract import RETURN_COLUMN, SHEETS, SHEETS_OF_PHASE, Column, Sheet
from tasks.rules.errors import FileRefused

HEAD_WITHIN = 20
"""The head stands in one of the first rows."""
FEWEST_HEADS = 3
"""A title row that happens to hold one or two of the words is no head."""
_LONGEST_WORD = 40
"""What is longer is no head, and need not be compared as a whole."""

_FORM_WORDS = """
备注 说明 地址 家庭住址 住址 详细地址 年龄 民族 婚姻状况 文化程度 学历 职业 工作单位 联系方式
病史 病情 既往史 危险等级 风险等级 风险评估 是否低保 低保 残疾证号 残疾等级
监护人 监护人姓名 监护人电话 网格员 网格员电话 村医 村名 村(社区) 村组 组别 乡镇 单位
填报人 填表人 填报日期 填表日期 签名 签字 盖章 照片 合计 小计
remark remarks note notes comment comments address age total
"""
_KNOWN_WORDS = frozenset(
    head_text(word)
    for word in (
        *_FORM_WORDS.split(),
        *(head for sheet in SHEETS.values() for each in sheet.columns for head in each.heads),
        *(each.name for sheet in SHEETS.values() for each in sheet.columns),
    )
)
"""Words of forms. Only these are repeated to the sender: any other may be a person's name."""


class _Unclear:
    """What a head says that can be read in two ways."""


_UNCLEAR = _Unclear()


@dataclass(frozen=True)
class Head:
    """The head of a sheet: two lines of the same length, each cell as `head_text` gives it."""

    sheet: Sheet
    row: int
    """The number of its last line."""
    upper: Row
    """The line above the lower one; blank cells where it has one line only."""
    lower: Row

    def columns(self) -> list[Column | _Unclear | None]:
        """Return the column that stands at each place; None where no column of the sheet does."""
        spellings = _spellings(self.sheet.name)
        found: list[Column | _Unclear | None] = []
        group = ""
        for upper, lower in zip(self.upper, self.lower, strict=True):
            # a merged cell gives its word at its first place; it reaches on while words stand below
            group = upper or (group if lower else "")
            column: Column | _Unclear | None = spellings.get(group + lower)
            if column is None and lower:
                column = _below(group, spellings.get(lower), spellings)
            if not lower:
                group = ""
            found.append(column)
        return found


@cache
def _spellings(sheet: str) -> dict[str, Column]:
    return {
        head_text(spelling): column
        for column in (*SHEETS[sheet].columns, RETURN_COLUMN)
        for spelling in (column.name, *column.heads)
    }


def find_head(rows: Sequence[tuple[int, Row]], phase: str) -> Head | None:
    """Return the head among the first rows of a sheet sent for `phase`, or None.

    The line, or two lines, with the most columns of one sheet; one line where two show no more.
    """
    best: Head | None = None
    most = FEWEST_HEADS - 1
    for head in _candidates(rows, phase):
        matched = len({column.name for column in head.columns() if isinstance(column, Column)})
        if matched > most:
            best, most = head, matched
    return best


def _candidates(rows: Sequence[tuple[int, Row]], phase: str) -> Iterator[Head]:
    top = [(number, row) for number, row in rows[:HEAD_WITHIN] if number <= HEAD_WITHIN]
    words = {cell: head_text(cell[:_LONGEST_WORD]) for cell in set(chain(*(row for _, row in top)))}
    top = [(number, tuple(words[cell] for cell in row)) for number, row in top]
    for name in SHEETS_OF_PHASE[phase]:
        known = _spellings(name).keys() & words.values()
        if not known:
            continue
        for number, row in top:
            if not known.isdisjoint(row):
                yield Head(SHEETS[name], number, ("",) * len(row), row)
        for (above, upper), (number, lower) in pairwise(top):
            if number == above + 1 and not known.isdisjoint(upper):
                width = max(len(upper), len(lower))
                yield Head(SHEETS[name], number, _widened(upper, width), _widened(lower, width))


def _widened(row: Row, width: int) -> Row:
    return (*row, *[""] * (width - len(row)))


def _below(
    group: str, column: Column | None, spellings: dict[str, Column]
) -> Column | _Unclear | None:
    """Return the column of a lower word alone, under the word `group`."""
    if column is None or group not in spellings:
        return column
    heads = map(head_text, (column.name, *column.heads))
    return column if any(head.startswith(group) for head in heads) else _UNCLEAR


def column_places(file: str, name: str, head: Head) -> list[int | None]:
    """Return where each column of the head's sheet stands, None for an optional one left out.

    Raises FileRefused for a word that is no column, stands there twice, or can be read in two ways,
    and for a column that is missing. `name` is what to call the sheet.
    """
    where: dict[str, int] = {}
    for place, column in enumerate(head.columns()):
        letters = column_letters(place)
        at: dict[str, object] = {"file": file, "sheet": name, "row": head.row, "column": letters}
        if isinstance(column, _Unclear):
            raise FileRefused("refused.unclear_head", **at)
        if column is None:
            if head.upper[place] or head.lower[place]:
                _refuse_extra(head, place, at)
        elif column.name in where:
            first = column_letters(where[column.name])
            raise FileRefused("refused.column_twice", **at, first=first, head=column.heads[0])
        else:
            where[column.name] = place
    missing = [
        column.heads[0]
        for column in head.sheet.columns
        if column.required and column.name not in where
    ]
    if missing:
        raise FileRefused(
            "refused.missing_column",
            file=file,
            sheet=name,
            row=head.row,
            columns=tuple(missing),
        )
    return [where.get(column.name) for column in head.sheet.columns]


def return_place(head: Head) -> int | None:
    """Return where the numbers of returned rows stand, None where the sheet has none."""
    places = (at for at, column in enumerate(head.columns()) if column is RETURN_COLUMN)
    return next(places, None)


def _refuse_extra(head: Head, place: int, at: dict[str, object]) -> NoReturn:
    word = head.upper[place] + head.lower[place]
    if word in _KNOWN_WORDS:
        raise FileRefused("refused.extra_column", **at, head=word)
    allowed = tuple(column.heads[0] for column in head.sheet.columns)
    raise FileRefused("refused.unknown_column", **at, allowed=allowed)
