"""Return workbooks: a village's refused rows, marked cell by cell, to correct and send again.

They hold people's data of that village only, lie in its own folder, and go to nobody else. A row
whose consent does not hold is named by its number and reason alone.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from tasks.home import Home, write_whole
from tasks.intake import FileResult, ReturnedRow
from tasks.plan import Plan
from tasks.rules.contract import SHEETS, Sheet, write_identity
from tasks.rules.wording import say

Format = Any
"""xlsxwriter publishes no types."""

FIRST_ROW = 2
"""Below the identity and the head."""


def write_return_workbook(home: Home, plan: Plan, result: FileResult) -> Path | None:
    """Write the return workbook of one file into its village's folder; None where nothing returns.

    The name says phase, round and when the file came, never anything of its content. A second file
    of the same minute gets a number behind.
    """
    identity = result.identity
    if not result.returned or identity is None or result.received_at is None:
        return None
    round_part = f"-{identity.round}" if identity.round else ""
    stem = f"{identity.phase}{round_part}-{result.received_at:%Y%m%dT%H%M}"
    content = _workbook(plan, result)
    folder = home.returns(identity.village)
    number = 1
    while (path := folder / f"{stem}-{number}.xlsx").exists():
        number += 1
    write_whole(path, content)
    return path


def _workbook(plan: Plan, result: FileResult) -> bytes:
    stream = io.BytesIO()
    # Text stays text: a cell that begins with = is never written back as a formula.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(stream, options) as book:
        formats = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "head": book.add_format({"bold": True, "bg_color": "#D9E2EC", "text_wrap": True}),
            "text": book.add_format({"num_format": "@"}),
            "wrong": book.add_format({"num_format": "@", "bg_color": "#F8C9C4", "bold": True}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
            "number": book.add_format({"align": "left", "valign": "top"}),
        }
        _summary_sheet(book, formats, plan, result)
        for sheet in SHEETS.values():
            rows = [row for row in result.returned if row.sheet is sheet and row.cells is not None]
            if rows:
                _rows_sheet(book, formats, plan, result, sheet, rows)
    return stream.getvalue()


def _summary_sheet(book: Any, formats: dict[str, Format], plan: Plan, result: FileResult) -> None:
    language = plan.language
    page = book.add_worksheet(say("return.summary_sheet", language))
    page.hide_gridlines(2)
    page.set_column(0, 0, 16)
    page.set_column(1, 1, 12)
    page.set_column(2, 2, 18)
    page.set_column(3, 3, 72)
    village = _sender(plan, result)
    page.write_string(0, 0, say("return.title", language, village=village), formats["title"])
    page.merge_range(
        1, 0, 1, 3, say("return.what", language, rows=len(result.returned)), formats["wrap"]
    )
    page.set_row(1, 36)
    for place, key in enumerate(("sheet", "row", "column", "reason")):
        page.write_string(3, place, say(f"return.{key}", language), formats["head"])
    line = 4
    for row in result.returned:
        for rule in row.rules:
            column = _rule_column(row.sheet, rule)
            reason = say(f"rule.{rule}", language)
            if row.cells is None:
                reason = f"{reason} {say('return.hidden', language)}"
            page.write_string(line, 0, say(f"sheet.{row.sheet.name}", language), formats["wrap"])
            page.write_number(line, 1, row.row, formats["number"])
            page.write_string(line, 2, row.sheet.column(column).heads[0], formats["wrap"])
            page.write_string(line, 3, reason, formats["wrap"])
            line += 1
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)


def _sender(plan: Plan, result: FileResult) -> str:
    """Return the name of who sent the file, with its code."""
    code = result.identity.village if result.identity else ""
    names = {village.code: village.name for village in plan.villages}
    name = names.get(code, plan.health_centre.name)
    return f"{name} {code}"


def _rows_sheet(
    book: Any,
    formats: dict[str, Format],
    plan: Plan,
    result: FileResult,
    sheet: Sheet,
    rows: Sequence[ReturnedRow],
) -> None:
    page = book.add_worksheet(sheet.title)
    if result.identity is not None:
        page.write_string(0, 0, write_identity(result.identity))
    for place, column in enumerate(sheet.columns):
        page.write_string(1, place, column.heads[0], formats["head"])
    page.set_column(0, len(sheet.columns) - 1, 16, formats["text"])
    page.freeze_panes(FIRST_ROW, 0)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(1)
    names = [column.name for column in sheet.columns]
    for line, row in enumerate(rows, start=FIRST_ROW):
        reasons: dict[int, list[str]] = {}
        for rule in row.rules:
            place = names.index(_rule_column(sheet, rule))
            reasons.setdefault(place, []).append(say(f"rule.{rule}", plan.language))
        for place, cell in enumerate(row.cells or ()):
            wrong = place in reasons
            page.write_string(line, place, cell, formats["wrong" if wrong else "text"])
            if wrong:
                page.write_comment(line, place, "\n".join(reasons[place]), {"x_scale": 2})


def _rule_column(sheet: Sheet, rule: str) -> str:
    return next(each.column for each in sheet.rules if each.name == rule)
