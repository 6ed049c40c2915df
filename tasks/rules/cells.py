"""What a cell says, as text: one spelling for whatever Excel, WPS or a CSV made of it."""

import datetime as dt
import unicodedata

WHOLE_DIGITS = 15
"""Excel keeps 15 significant digits; what is behind them in a longer number is gone."""


def cell_text(value: object) -> str:
    """Return a cell's content as text.

    Dates become ISO dates (a time of day other than midnight stays behind them), whole numbers lose
    their `.0`, and a number with more digits than Excel keeps is written with an exponent, so that
    nobody mistakes it for an ID or a code.
    """
    match value:
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


def head_text(cell: str) -> str:
    """Return a column head as it is compared: one width, lower case, no spaces, no marks."""
    text = unicodedata.normalize("NFKC", cell).lower()
    return "".join(sign for sign in text if not sign.isspace() and sign not in "*:")
