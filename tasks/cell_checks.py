"""What a spreadsheet is told of a column: its head, its explanation, its drop-down or check.

Templates and return workbooks tell it alike, so that a village meets one form and not two. A check
keeps no row out that the row rules would take, unless its cells are spelled another way; where a
spreadsheet cannot tell, any value passes.
"""

from datetime import date
from typing import Any

from tasks.rules.columns import kind_of
from tasks.rules.contract import CHOICES, Column, Sheet
from tasks.rules.wording import keys, say

_EARLIEST = date(1900, 1, 1)
# of the day a cell is filled in, not of the day the workbook was made
_TODAY = "=TODAY()"
_GROWN_UP = "=DATE(YEAR(TODAY())-18,MONTH(TODAY()),DAY(TODAY()))"
_MOST = 10**9 - 1
"""Whole numbers have at most nine digits."""
_BOUNDS = {"row_no": (1, _MOST), "rating": (0, 5)}
_LENGTHS = {"code": 12, "id": 18}
_LONGEST_TITLE, _LONGEST_TEXT = 32, 255
"""How much of a title and of a message the file format takes."""


def head_of(column: Column, language: str) -> str:
    """Return the head that is written over `column`."""
    return column.name if language == "en" else column.heads[0]


def explained(sheet: Sheet, column: Column, language: str) -> str:
    """Return what to enter in a column, in one or two plain sentences."""
    own = f"column.{sheet.name}.{column.name}"
    return say(own if own in keys("column.") else f"column.{column.name}", language)


def choices_of(column: Column, language: str) -> list[str]:
    """Return the values of a column's closed list as they are written; [] where it has none."""
    listed = column.choices
    return [spelled(listed, value, language) for value in CHOICES[listed]] if listed else []


def spelled(listed: str, value: str, language: str) -> str:
    """Return how a value of the closed list `listed` is written."""
    return value if language == "en" else CHOICES[listed][value][0]


def cell_check(
    sheet: Sheet, column: Column, language: str, *, given: str = "", as_text: bool = False
) -> dict[str, Any]:
    """Return the check of a column's cells: its hint, its drop-down or bounds, what else to do.

    `given`: what every row says in it, if that is known. `as_text`: its cells are text whatever
    they hold, so that a day or a number typed there is none to the spreadsheet, and not checked.
    """
    return _criteria(sheet, column, language, given, as_text=as_text) | {
        "input_title": head_of(column, language)[:_LONGEST_TITLE],
        "input_message": explained(sheet, column, language)[:_LONGEST_TEXT],
        "error_message": _wrong(sheet, column, language)[:_LONGEST_TEXT],
    }


def _criteria(
    sheet: Sheet, column: Column, language: str, given: str, *, as_text: bool
) -> dict[str, Any]:
    if given or column.choices:
        return {
            "validate": "list",
            "source": [given] if given else choices_of(column, language),
        }
    kind = kind_of(column)
    if kind in _LENGTHS:
        return {"validate": "length", "criteria": "==", "value": _LENGTHS[kind]}
    if kind == "date" and not as_text:
        latest = _GROWN_UP if _adults_only(sheet, column) else _TODAY
        return _between("date", _EARLIEST, latest)
    if kind == "count" and not as_text:
        return _between("integer", *_BOUNDS.get(column.name, (0, _MOST)))
    return {"validate": "any"}


def _between(what: str, least: object, most: object) -> dict[str, Any]:
    return {"validate": what, "criteria": "between", "minimum": least, "maximum": most}


def _adults_only(sheet: Sheet, column: Column) -> bool:
    return any(rule.name == "adult" and rule.column == column.name for rule in sheet.rules)


def _wrong(sheet: Sheet, column: Column, language: str) -> str:
    """Return what to do about a wrong cell: the words of the reason for return."""
    if _adults_only(sheet, column):
        return say("template.adult_date", language)
    names = [rule.name for rule in sheet.rules if rule.column == column.name]
    named = f"{column.name}_valid"
    return say(f"rule.{named if named in names else names[0]}", language)
