"""Why a row goes back: what is wrong with a cell and what to do, in the words of docs/intake.md."""

from collections.abc import Sequence

from tasks.rules.cells import cell_reason
from tasks.rules.columns import kind_of
from tasks.rules.contract import Column, Sheet

_SAYS_WHY = ("resident_id_whole",)
"""Rules whose own words say why the cell cannot be read."""


def column_of(sheet: Sheet, rule: str) -> Column:
    """Return the column whose cell a rule of `sheet` marks; KeyError where it has no such rule."""
    for each in sheet.rules:
        if each.name == rule:
            return sheet.column(each.column)
    raise KeyError(rule)


def reason_keys(sheet: Sheet, rule: str, cells: Sequence[str] | None) -> tuple[str, ...]:
    """Return the wording keys of why a row breaks `rule`: why the very cell cannot be read, where
    that is known, then what the rule says.

    `cells` are the row's, in the order of the sheet's columns; None where they may not be shown.
    The words say nothing of what is in them.
    """
    own = f"rule.{rule}"
    if cells is None or rule in _SAYS_WHY:
        return (own,)
    column = column_of(sheet, rule)
    why = cell_reason(cells[sheet.columns.index(column)], kind_of(column))
    return (why, own) if why else (own,)
