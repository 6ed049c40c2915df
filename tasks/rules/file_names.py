"""What of a submission's file name may be shown or kept: villages name files after people.

A name is shown where it is made of ASCII letters, signs and few digits, as the names are that the
templates bear. Any other may hold a person's name, telephone number, ID number or birth date; of
that only the ending is left, with the size to find the file by. Not a hash: names are few enough to
try them all. A name in Latin letters (pinyin) passes; nothing but a list of all words could tell.
"""

import re

WORKBOOKS = (".xlsx", ".xls", ".ods")
TEXTS = (".csv",)
"""The endings of what can be read; any other is part of the name."""
HIDDEN = "…"
"""Stands for a name that is not shown."""

_MOST_SIGNS = 100
_MOST_DIGITS = 6
"""Digits besides village codes, such as a round or a year and month. A birth date has eight."""
_PLAIN = re.compile(r"[A-Za-z0-9._()+ -]+")
_CODE = re.compile(r"(?<!\d)\d{12}(?!\d)")


def says_nothing(name: str) -> bool:
    """Return whether a file's name can be shown as it is."""
    digits = sum(sign.isdigit() for sign in _CODE.sub("", name))
    return (
        len(name) <= _MOST_SIGNS and digits <= _MOST_DIGITS and _PLAIN.fullmatch(name) is not None
    )


def name_to_show(name: str, size: int | None) -> str:
    """Return what a file is called in messages; `size` in bytes, None where it is not known."""
    if says_nothing(name):
        return name
    hidden = f"{HIDDEN}{_ending(name)}"
    return hidden if size is None else f"{hidden} ({size} B)"


def name_to_keep(name: str) -> str:
    """Return what a file is called where we put it: its name, else one that says nothing."""
    return name if says_nothing(name) else f"file{_ending(name)}"


def _ending(name: str) -> str:
    return next((ending for ending in (*WORKBOOKS, *TEXTS) if name.lower().endswith(ending)), "")
