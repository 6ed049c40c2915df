"""Return workbooks: a sender's refused rows, marked cell by cell, to correct and send again.

They hold people's data of that sender only, are locked with its password, lie in its own folder,
and go to nobody else. A row whose consent does not hold is named by its number and reason alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from tasks.cell_checks import cell_check, head_of
from tasks.home import Home, write_whole
from tasks.intake import FileResult, ReturnedRow
from tasks.passwords import sender_passwords
from tasks.plan import Plan
from tasks.pseudonyms import read_secrets
from tasks.rules.contract import (
    RETURN_COLUMN,
    SHEETS,
    VERDICTS,
    Identity,
    Sheet,
    write_identity,
)
from tasks.rules.pseudonyms import keyed_chain
from tasks.rules.reasons import column_of, reason_keys
from tasks.rules.wording import say
from tasks.store import Store
from tasks.workbook import TEXT, Book, cells_wide, lay_out, new_book
from tasks.workbook_password import encrypt_workbook

HEAD = 1
"""The row of the head, from 0: below the identity."""

_RED = "#F8C9C4"
_STYLES: dict[str, dict[str, object]] = {
    "title": {"bold": True, "font_size": 14},
    "head": {"bold": True, "bg_color": "#D9E2EC", "text_wrap": True},
    "text": {"num_format": TEXT},
    "wrong": {"num_format": TEXT, "bg_color": _RED, "bold": True},
    "wrap": {"text_wrap": True, "valign": "top"},
    "number": {"num_format": TEXT, "font_color": "#7A7A7A"},
    "count": {"align": "left", "valign": "top"},
}
_SUMMARY_HEAD = 3
_SUMMARY_WIDTHS = (16, 12, 18, 72)
_WIDEST = 22
_LINE_HEIGHT = 15
_KEPT_IN_SIGHT = 2
"""How many columns stay when scrolling sideways: the one by which a row is known is among them."""
_COMMENT = {"x_scale": 2.5, "y_scale": 1.5}
_SIGNS_OF_NAME = 8


@dataclass(frozen=True)
class ReturnWorkbook:
    """A return workbook to be written: where, and what is taken from the register for it."""

    plan: Plan
    result: FileResult
    identity: Identity
    path: Path
    password: str


def return_workbooks(
    store: Store, home: Home, plan: Plan, results: Mapping[int, FileResult]
) -> dict[int, ReturnWorkbook]:
    """Return the return workbooks of files of one plan, to be written; none where nothing returns.

    Each opens with its sender's password. The name says sender, phase and round, and ends in a
    keyed hash of what is in it: the same rows returned again are written to the same file.
    """
    going = {
        at: (result, result.identity, result.received_at)
        for at, result in results.items()
        if result.returned and result.identity is not None and result.received_at is not None
    }
    if not going:
        return {}
    passwords = sender_passwords(
        store, plan, {identity.village: came for _, identity, came in going.values()}
    )
    secrets = read_secrets(store)
    return {
        at: ReturnWorkbook(
            plan,
            result,
            identity,
            home.returns(identity.village) / _file_name(secrets, result, identity),
            passwords[identity.village],
        )
        for at, (result, identity, _) in going.items()
    }


def write_return_workbook(book: ReturnWorkbook) -> Path:
    """Write `book` into its sender's folder, locked; return where. Raises OSError."""
    content = workbook_content(book.plan, book.result, book.identity)
    write_whole(book.path, encrypt_workbook(content, book.password))
    return book.path


def workbook_content(plan: Plan, result: FileResult, identity: Identity) -> bytes:
    """Return the return workbook of a file with returned rows, not locked yet."""
    made_on = result.received_at.date() if result.received_at else plan.issued
    with new_book(_STYLES, made_on) as book:
        _summary_sheet(book, plan, result, identity)
        for sheet in SHEETS.values():
            rows = [
                (row, row.cells)
                for row in result.returned
                if row.sheet is sheet and row.cells is not None
            ]
            if rows:
                _rows_sheet(book, plan, identity, sheet, rows)
    return book.content


def return_notice(plan: Plan, result: FileResult, number: str) -> tuple[str, str]:
    """Return (subject, text) of the message to a sender whose rows went back: how many, and why.

    Counts by rule and what to do; no cell, no row number, no file name: a mailbox is not the
    register, and a sender may name a file after somebody. Plain text, in the plan's language.
    `number` is random, 32 hexadecimal digits: the ledger keeps a hash of the words, and without it
    whoever reads the ledger could try all counts.
    Raises ValueError for a file that returned nothing.
    """
    identity = result.identity
    if not result.returned or identity is None or result.received_at is None:
        raise ValueError("nothing was returned")
    language = plan.language
    campaign = plan.name_en if language == "en" else plan.name
    phase = say(f"phase.{identity.phase}", language)
    told = {
        "village": _sender_name(plan, identity.village),
        "campaign": campaign,
        "phase": phase,
        "day": result.received_at.date(),
        "rows": len(result.returned),
    }
    broken = Counter(
        (row.sheet.name, rule) for row in result.returned for rule in dict.fromkeys(row.rules)
    )
    reasons = [
        say(
            "return.notice_reason",
            language,
            sheet=say(f"sheet.{sheet}", language),
            rows=count,
            reason=say(f"rule.{rule}", language),
        )
        for (sheet, rule), count in broken.items()
    ]
    text = [
        say("return.notice_what", language, **told),
        *reasons,
        say("return.notice_how", language, centre=plan.health_centre.name),
        say("return.notice_number", language, number=number),
    ]
    return say("return.notice_subject", language, campaign=campaign, phase=phase), "\n".join(text)


def _file_name(secrets: Sequence[bytes], result: FileResult, identity: Identity) -> str:
    round_part = f"-{identity.round}" if identity.round else ""
    within = repr(
        (
            write_identity(identity),
            [(row.sheet.name, row.row, row.rules, row.cells) for row in result.returned],
        )
    )
    mark = keyed_chain(secrets, "return_workbook", within)[:_SIGNS_OF_NAME]
    return f"{identity.village}-{identity.phase}{round_part}-{mark}.xlsx"


def _summary_sheet(book: Book, plan: Plan, result: FileResult, identity: Identity) -> None:
    language = plan.language
    formats = book.formats
    page = book.page(say("return.summary_sheet", language))
    page.hide_gridlines(2)
    for place, width in enumerate(_SUMMARY_WIDTHS):
        page.set_column(place, place, width)
    village = f"{_sender_name(plan, identity.village)} {identity.village}"
    page.write_string(0, 0, say("return.title", language, village=village), formats["title"])
    what = say("return.what", language, rows=len(result.returned))
    page.merge_range(1, 0, 1, 3, f"{_counted(result, language)} {what}", formats["wrap"])
    page.set_row(1, 3 * _LINE_HEIGHT)
    for place, key in enumerate(("sheet", "row", "column", "reason")):
        page.write_string(_SUMMARY_HEAD, place, say(f"return.{key}", language), formats["head"])
    line = _SUMMARY_HEAD + 1
    for row in result.returned:
        for place, reasons in _reasons(row, language).items():
            reason = " ".join(reasons)
            if row.cells is None:
                reason = f"{reason} {say('return.hidden', language)}"
            head = head_of(row.sheet.columns[place], language)
            page.write_string(line, 0, say(f"sheet.{row.sheet.name}", language), formats["wrap"])
            page.write_number(line, 1, row.row, formats["count"])
            page.write_string(line, 2, head, formats["wrap"])
            page.write_string(line, 3, reason, formats["wrap"])
            # not every program makes a row as high as its text
            page.set_row(line, _LINE_HEIGHT * ceil(cells_wide(reason) / _SUMMARY_WIDTHS[3]))
            line += 1
    page.freeze_panes(_SUMMARY_HEAD + 1, 0)
    lay_out(page)


def _counted(result: FileResult, language: str) -> str:
    """Return how many rows were read and what became of them; no verdict without rows."""
    counts = result.rows
    parts = [
        say("return.counted", language, verdict=say(f"verdict.{name}", language), rows=counts[name])
        for name in ("read", *VERDICTS)
        if counts[name]
    ]
    return say("return.counts", language, counts=say("return.comma", language).join(parts))


def _rows_sheet(
    book: Book,
    plan: Plan,
    identity: Identity,
    sheet: Sheet,
    rows: Sequence[tuple[ReturnedRow, tuple[str, ...]]],
) -> None:
    """Add the sheet of the returned rows of one kind, each with its cells, wrong ones marked."""
    page = book.page(say(f"sheet.{sheet.name}", plan.language))
    page.write_string(0, 0, write_identity(identity))
    numbers = len(sheet.columns)
    page.write_string(HEAD, numbers, head_of(RETURN_COLUMN, plan.language), book.formats["head"])
    page.write_comment(HEAD, numbers, say("return.number", plan.language))
    page.set_column(numbers, numbers, 18, book.formats["text"])
    for place, column in enumerate(sheet.columns):
        head = head_of(column, plan.language)
        page.write_string(HEAD, place, head, book.formats["head"])
        widest = max(cells_wide(text) for text in (head, *(cells[place] for _, cells in rows)))
        page.set_column(place, place, min(widest + 2, _WIDEST), book.formats["text"])
        check = cell_check(sheet, column, plan.language, as_text=True)
        page.data_validation(HEAD + 1, place, HEAD + len(rows), place, check)
    page.freeze_panes(HEAD + 1, _KEPT_IN_SIGHT)
    lay_out(page, head=HEAD)
    for line, (row, cells) in enumerate(rows, start=HEAD + 1):
        reasons = _reasons(row, plan.language)
        for place, cell in enumerate(cells):
            wrong = place in reasons
            page.write_string(line, place, cell, book.formats["wrong" if wrong else "text"])
            if wrong:
                page.write_comment(line, place, "\n".join(reasons[place]), _COMMENT)
        page.write_string(line, numbers, row.number, book.formats["number"])


def _sender_name(plan: Plan, code: str) -> str:
    return plan.health_centre.name if code == plan.health_centre.code else plan.village(code).name


def _reasons(row: ReturnedRow, language: str) -> dict[int, list[str]]:
    """Return what is wrong and what to do, by the place of the column whose cell is marked."""
    said: dict[int, dict[str, None]] = {}
    for rule in row.rules:
        place = row.sheet.columns.index(column_of(row.sheet, rule))
        keys = reason_keys(row.sheet, rule, row.cells)
        said.setdefault(place, {}).update(dict.fromkeys(keys))
    return {place: [say(key, language) for key in keys] for place, keys in said.items()}
