"""`campaign status` on a terminal: what to deal with, the phases, who is missing, what comes next.

Plain lines of 80 columns where it is no terminal.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.rules.wording import say
from tasks.status_words import (
    campaign_title,
    coming_words,
    heads,
    message_words,
    phase_cells,
    problem_words,
    reporting_line,
)

RECENT = timedelta(days=31)
"""How long a phase that is over is shown; the JSON has it for ever."""

SOON = timedelta(days=62)
"""How long before it opens a phase is shown."""


def show_status(record: Mapping[str, Any]) -> None:
    """Print a status record, problems first."""
    console = Console(highlight=False)
    _show_problems(console, record)
    for campaign in record["campaigns"]:
        _show_campaign(console, campaign)
    console.print()
    console.print(message_words(record["outbox"]))
    backup = record["backup"]
    if backup["made_at"]:
        console.print(say("status.backup", day=backup["made_at"][:10], count=backup["days"]))
    if record["next"]:
        console.print(say("status.heading.next"))
    for event in record["next"]:
        console.print(f"  {coming_words(event)}")


def _show_problems(console: Console, record: Mapping[str, Any]) -> None:
    problems = record["problems"]
    if not problems:
        console.print(Text(say("status.heading.fine"), style="green"))
        return
    console.print(Text(say("status.heading.problems", count=len(problems)), style="bold red"))
    for problem in problems:
        wrong, to_do = problem_words(problem)
        console.print(Text(f"! {wrong}"))
        console.print(Text(f"  → {to_do}", style="dim"))


def _show_campaign(console: Console, campaign: Mapping[str, Any]) -> None:
    console.print()
    console.print(Text(campaign_title(campaign), style="bold"))
    shown = [phase for phase in campaign["phases"] if _is_near(phase, campaign["today"])]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads():
        table.add_column(head)
    for phase in shown:
        table.add_row(*phase_cells(phase))
    if shown:
        console.print(table)
    lines = [reporting_line(phase, campaign["villages"]) for phase in shown]
    if any(lines):
        console.print(say("status.heading.missing"))
    for line in filter(None, lines):
        console.print(Text(f"  {line}"))
    elsewhere = Counter(each["state"] for each in campaign["phases"] if each not in shown)
    if elsewhere:
        planned = elsewhere.pop("planned", 0)
        closed = elsewhere.total()
        console.print(Text(say("status.elsewhere", closed=closed, planned=planned), style="dim"))


def _is_near(phase: Mapping[str, Any], today: str) -> bool:
    """Answer whether a phase is of interest today: it runs, is just over, or opens soon."""
    day = date.fromisoformat(today)
    if phase["state"] == "planned":
        return date.fromisoformat(phase["opens"]) <= day + SOON
    if phase["state"] == "closed":
        return date.fromisoformat(phase["due"]) >= day - RECENT
    return True
