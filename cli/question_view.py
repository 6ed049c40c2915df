"""A doubtful pair on the health side's terminal: the two records side by side."""

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from tasks.questions import Question, field_names
from tasks.rules.wording import say


def show(question: Question) -> None:
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
        table.add_row(field, _shown(value), _shown(second[field]))
    console.print(table)


def _shown(value: object) -> str:
    return "" if value is None else str(value)
