"""The trail on the health side's terminal, and for machines."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tasks.rules.wording import say

COLUMNS = ("position", "entered_at", "who", "what", "why", "campaign", "subjects")


def trail_records(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries as JSON can hold them; times as ISO 8601 without a zone."""
    return [{**entry, "entered_at": entry["entered_at"].isoformat()} for entry in entries]


def show_entries(entries: Sequence[Mapping[str, Any]]) -> None:
    """Print the entries as a table, the last one last."""
    table = Table()
    for column in COLUMNS:
        table.add_column(say(f"audit.head.{column}"), overflow="fold")
    for entry in entries:
        shown = {**entry, "subjects": ", ".join(entry["subjects"])}
        table.add_row(*(str(shown[column]) for column in COLUMNS))
    Console().print(table)
