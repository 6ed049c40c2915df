"""People on the health side's terminal: a doubtful pair, a session, what is held about one person.

Receipts and what is due next, too: exact counts of people, for the same eyes only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from tasks.erasure import ErasureReceipt
from tasks.home import Home
from tasks.people import Booked, Found, Held
from tasks.plan import Plan
from tasks.questions import Question, field_names
from tasks.retention import Upcoming
from tasks.rules.contract import CHOICES, SHEETS, Column
from tasks.rules.wording import current_language, keys, say

WIDTH = 160
"""Columns that the widest table needs."""

HASHED = frozenset(
    {"submission_id", "row_key", "alt_key", "content_hash", "resident_key", "previous", "hash"}
)
"""Columns of keyed hashes: they say nothing that could be read."""

JUDGED = frozenset(rule.name for sheet in SHEETS.values() for rule in sheet.rules) | {
    "failed_rules"
}
"""Columns that say whether a row holds a rule; all of an accepted row do."""

OTHERS = frozenset({"subjects"})
"""Columns that hold other people's references beside the person's own: none of this one's data."""

_COLUMNS: Mapping[str, Column] = {
    column.name: column for sheet in SHEETS.values() for column in sheet.columns
}


def show_pair(question: Question) -> None:
    """Print the rule that doubts, and the two records field by field."""
    console = Console()
    console.print(say(f"question.rule.{question.reason}"))
    console.print(say("cli.question.agrees", fields=field_names(question.agrees)))
    console.print(say("cli.question.differs", fields=field_names(question.differs)))
    table = Table()
    for head in ("", "A", "B"):
        table.add_column(head)
    first, second = (asdict(record) for record in question.records)
    for field, value in first.items():
        table.add_row(say(f"person.{field}"), _said(field, value), _said(field, second[field]))
    console.print(table)


def show_booked(booked: Sequence[Booked], plan: Plan) -> None:
    """Print who is expected at a session, in the order of the queue, and how to reach them."""
    names = {village.code: village.name for village in plan.villages}
    columns = [field.name for field in fields(Booked)]
    table = Table()
    for column in columns:
        table.add_column(say(f"person.{column}"), no_wrap=True)
    for each in booked:
        row = asdict(each) | {
            "residence_village": names.get(each.residence_village, each.residence_village),
            "sex": say(f"person.{each.sex}"),
            "urgency": say(f"person.{each.urgency}"),
        }
        table.add_row(*(_shown(row[column]) for column in columns))
    # a reference is copied from here: a narrow terminal may wrap the line, never cut the reference
    Console(width=max(Console().width, WIDTH), soft_wrap=True).print(table)


def show_found(found: Sequence[Found], plan: Plan) -> None:
    """Print the records that match, each with its reference, village and year of birth."""
    if not found:
        print_line(say("cli.person.nobody"))
        return
    names = {village.code: village.name for village in plan.villages}
    table = Table()
    columns = [field.name for field in fields(Found)]
    for column in columns:
        table.add_column(say(f"found.{column}"), no_wrap=True)
    for each in found:
        row = asdict(each) | {
            "kind": say(f"found.{each.kind}"),
            "village": names.get(each.village, each.village),
        }
        table.add_row(*(_shown(row[column]) for column in columns))
    Console(width=max(Console().width, WIDTH), soft_wrap=True).print(table)


def show_held(held: Sequence[Held]) -> None:
    """Print all records about a person, by table, a line a value; blank ones are left out."""
    for table, records in groupby(held, key=lambda each: each.table):
        print_line(f"\n{say(f'table.{table}')}")
        for each in records:
            print_line("  " + " · ".join(_lines(each.record)))
    print_line(f"\n{say('cli.person.hashes')}")


def show_receipt(receipt: ErasureReceipt, home: Home) -> None:
    """Print a receipt: for the person to take along, it names nobody."""
    made = f"{receipt.made_at:%Y-%m-%d %H:%M}"
    print_line(
        say(f"receipt.{receipt.kind}", receipt=receipt.receipt_id, made=made, people=receipt.people)
    )
    tables = keys("table.")
    for table, rows in receipt.rows.items():
        if rows and f"table.{table}" in tables:
            print_line("  " + say("receipt.rows", table=say(f"table.{table}"), rows=rows))
    if receipt.files:
        print_line("  " + say("receipt.files", files=receipt.files))
    if receipt.frozen_until is not None:
        print_line(say("receipt.until", day=receipt.frozen_until))
    if receipt.kind == "retention":
        return
    print_line(say("receipt.returns"))
    unread = sum(path.is_file() for path in home.inbox.rglob("*"))
    if unread:
        print_line(say("receipt.inbox", files=unread))
    print_line(say("receipt.backups"))


def show_upcoming(upcoming: Sequence[Upcoming]) -> None:
    """Print what falls due next, by day."""
    if not upcoming:
        print_line(say("retention.nothing"))
        return
    print_line(say("retention.upcoming"))
    for each in upcoming:
        reason = say(f"retention.reason.{each.reason}")
        print_line(
            "  " + say("retention.upcoming_row", day=each.due_on, reason=reason, people=each.people)
        )


def print_line(text: str) -> None:
    """Print text as it is: brackets in somebody's data are no markup."""
    Console(soft_wrap=True, markup=False, highlight=False, emoji=False).print(text)


def label(column: str) -> str:
    """Return the name of a column of the register as the terminal shows it."""
    known = _COLUMNS.get(column)
    if known is None:
        return say(f"held.{column}")
    return known.heads[0] if current_language() == "zh-CN" else column.replace("_", " ")


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    for column, value in record.items():
        if value not in (None, "", []) and column not in HASHED | JUDGED | OTHERS:
            yield f"{label(column)}: {_said(column, value)}"


def _said(column: str, value: object) -> str:
    """Return a value in words: a closed list's by its spelling, a list by its items."""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    known = _COLUMNS.get(column)
    if known is not None and known.choices and current_language() == "zh-CN":
        spellings = CHOICES[known.choices].get(str(value), ())
        return spellings[0] if spellings else _shown(value)
    return _shown(value)


def _shown(value: object) -> str:
    if value is None:
        return ""
    return say(f"person.{value}") if isinstance(value, bool) else str(value)
