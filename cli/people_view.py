"""People on the health side's terminal: a doubtful pair, and who is booked into a session."""

from collections.abc import Sequence
from dataclasses import asdict, fields

from rich.console import Console
from rich.table import Table

from tasks.people import Booked
from tasks.plan import Plan
from tasks.questions import Question, field_names
from tasks.rules.wording import say

WIDTH = 160
"""Columns that the widest table needs."""


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
        table.add_row(say(f"person.{field}"), _shown(value), _shown(second[field]))
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


def _shown(value: object) -> str:
    if value is None:
        return ""
    return say(f"person.{value}") if isinstance(value, bool) else str(value)
