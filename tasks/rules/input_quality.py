"""What the figures are called that count rows sent back: one a sheet and column, of a whole phase.

By column and not by rule: that says which cell to look at, and it tells less. A rule such as the
least age would count people nobody asked about. The words are those of the contract, so that a new
column needs no text of its own.
"""

from functools import cache

from tasks.rules.contract import SHEETS, Column, Sheet
from tasks.rules.wording import say

RETURNED = "returned_"
"""How the names of these figures begin, and of no others."""


def returned_name(sheet: Sheet, column: Column) -> str:
    """Return what the figure is called for programs."""
    return f"{RETURNED}{sheet.name}_{column.name}"


def returned_unit(sheet: Sheet) -> str:
    """Return what is counted: a row about a person stands for a person."""
    return "people" if sheet.about_people else "rows"


def returned_label(name: str, language: str) -> str | None:
    """Return what a figure is called on a page; None for one that counts no returned rows."""
    found = _columns().get(name)
    if found is None:
        return None
    sheet, column = found
    return say(
        "input.returned",
        language,
        sheet=say(f"sheet.{sheet.name}", language),
        column=column.name.replace("_", " ") if language == "en" else column.heads[0],
    )


@cache
def _columns() -> dict[str, tuple[Sheet, Column]]:
    return {
        returned_name(sheet, column): (sheet, column)
        for sheet in SHEETS.values()
        for column in sheet.columns
    }
