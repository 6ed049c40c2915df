"""What a cell says, as text: one spelling for whatever Excel, WPS or a CSV made of it."""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence

from tasks.rules.columns import Kind

WHOLE_DIGITS = 15
"""Excel keeps 15 significant digits; what is behind them in a longer number is gone."""

UNCOMPUTED = "#FORMULA?"
"""Stands for a formula that its program saved without a result; no rule lets it pass."""

DAY_KINDS: tuple[Kind, ...] = ("date", "month")
"""Kinds of column in which a bare number is the serial of a day."""

_NUMBERED: tuple[Kind, ...] = ("code", "phone", "licence")

_ERROR = re.compile(r"#[A-Z0-9/_]{2,12}[!?]?|Err:\d{3}")
_TWO_READINGS = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_SHORT_YEAR = re.compile(r"\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2}")
_NO_YEAR = re.compile(
    r"(\d{1,2}|[一二三四五六七八九十]{1,2})月((\d{1,2}|[一二三四五六七八九十]{1,3})[日号]?)?"
    r"|\d{1,2}[-/.]\d{1,2}"
)
_TIME_OF_DAY = re.compile(
    # midnight is how some programs save a day without one
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[ T](?!0?0:00(:00(\.0+)?)?Z?$)\d{1,2}:\d{2}(:\d{2}.*)?"
)
_EXPONENT = re.compile(r"\d(\.\d+)?E\+?\d+")
_CUT_ID = re.compile(r"\d(\.\d+)?E\+?\d+|\d{15}000")


def cell_text(value: object) -> str:
    """Return a cell's content as text.

    Dates become ISO dates (a time of day other than midnight stays behind them), whole numbers lose
    their `.0`, and a number with more digits than Excel keeps is written with an exponent, so that
    nobody mistakes it for an ID or a code. Signs that nobody sees are taken out.
    """
    match value:
        case str():
            text = value if value.isprintable() else _visible(value)
        case None:
            text = ""
        case bool():
            text = "1" if value else "0"
        case dt.datetime() if value.time() == dt.time():
            text = value.date().isoformat()
        case dt.datetime():
            text = value.isoformat(sep=" ")
        case dt.date():
            text = value.isoformat()
        case float() | int():
            text = _number_text(value)
        case _:
            text = str(value)
    return text


def _number_text(value: float) -> str:
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    if abs(value) >= 10**WHOLE_DIGITS:
        return f"{value:.14E}"
    return str(int(value))


def _visible(text: str) -> str:
    """Return `text` without control and format characters; these come in by copying from a chat.

    Half of a surrogate pair, which no file can hold, becomes the replacement character: it was a
    character once, and a name without it would be another name.
    """
    return "".join(_visible_sign(sign) for sign in text)


def _visible_sign(sign: str) -> str:
    if sign in "\t\n\r\u3000\u00a0":
        return sign
    match unicodedata.category(sign):
        case "Cc" | "Cf":
            return ""
        case "Zs" | "Zl" | "Zp":
            return " "
        case "Cs":
            return "\ufffd"
    return sign


def head_text(cell: str) -> str:
    """Return a column head as it is compared: one width, lower case, no spaces, no marks."""
    text = cell if cell.isascii() else unicodedata.normalize("NFKC", cell)
    return "".join(text.lower().replace("*", "").replace(":", "").split())


def row_texts(values: Sequence[object]) -> list[str] | None:
    """Return a row's cells as text, or None where none of them holds anything but spaces."""
    found = read_row(values)
    return None if found is None else found[0]


def read_row(values: Sequence[object]) -> tuple[list[str], int] | None:
    """Return a row's cells as text and the characters in them all; None as `row_texts` does."""
    cells: list[str] = values  # type: ignore[assignment] # most rows are text; join tells the others
    try:
        row = "".join(cells)
    except TypeError:
        cells = [value if type(value) is str else cell_text(value) for value in values]
        row = "".join(cells)
    if not row.isprintable():
        cells = list(map(cell_text, cells))
        row = "".join(cells)
    return None if not row or row.isspace() else (cells, len(row))


def cut_row(cells: list[str], columns: int, characters: int) -> tuple[list[str], bool]:
    """Return a row cut one beyond what may be read, and whether it had to be.

    A cell is at most `characters` + 1 long; where something stands behind the last of `columns`,
    the row is one cell longer than that.
    """
    behind = next((cell for cell in cells[columns:] if cell.strip()), None)
    kept = cells[:columns] if behind is None else [*cells[:columns], behind]
    long = max(map(len, kept)) > characters
    if long:
        kept = [cell[: characters + 1] for cell in kept]
    return kept, long or behind is not None


def shift_serial(cell: str, days: int) -> str:
    """Return the text of a day's serial moved by `days`; any other text as it is.

    A workbook may count days from another day than 1899-12-30: 1462 days later in the 1904 system.
    """
    whole = cell.strip().removesuffix(".0")
    return str(int(whole) + days) if whole.isdecimal() and len(whole) <= 5 else cell


def column_letters(place: int) -> str:
    """Return what a spreadsheet calls the column at `place`, counted from 0: A … Z, AA …"""
    letters = ""
    number = place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_reason(cell: str, kind: Kind) -> str | None:
    """Return the wording key of why this very cell cannot be read, or None where nothing is known.

    It says more than the rule the cell breaks (a date that has two readings, a formula's error),
    and never judges: which rows are returned is decided by the rules alone.
    """
    text = unicodedata.normalize("NFKC", cell).strip()
    if text == UNCOMPUTED:
        return "cell.uncomputed"
    if _ERROR.fullmatch(text):
        return "cell.error"
    if kind == "id" and _CUT_ID.fullmatch(text.upper()):
        return "cell.cut"
    if kind in _NUMBERED and _EXPONENT.fullmatch(text.upper()):
        return "cell.exponent"
    if kind not in DAY_KINDS:
        return None
    forms = (
        (_TWO_READINGS, "cell.two_readings"),
        (_SHORT_YEAR, "cell.short_year"),
        (_NO_YEAR, "cell.no_year"),
        (_TIME_OF_DAY, "cell.time_of_day"),
    )
    return next((key for form, key in forms if form.fullmatch(text)), None)
