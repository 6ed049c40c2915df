"""What `campaign gaps list` shows: one line an open service gap, what is due first on top."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.plan import Plan
from tasks.rules.contract import CHOICES
from tasks.rules.wording import current_language, say
from tasks.service_gaps import OpenGap

# wide enough for every column: soft_wrap alone cuts a table to the width of the terminal
WIDTH = 160
HEADS = ("due_on", "gap_id", "kind", "register_no", "village", "next_step", "owner")


def gaps_record(gaps: Sequence[OpenGap]) -> list[dict[str, str]]:
    """Return the gaps for a program: every value as text, days as ISO dates."""
    return [{name: str(value) for name, value in asdict(gap).items()} for gap in gaps]


def show_gaps(gaps: Sequence[OpenGap], plan: Plan, today: date) -> None:
    """Print the gaps in the order they are given; what is past its due day is marked in words."""
    # a number is copied from here: a narrow terminal may wrap the line, never cut it
    console = Console(width=max(Console().width, WIDTH), soft_wrap=True)
    if not gaps:
        console.print(say("cli.gaps.none"))
        return
    villages = {village.code: village.name for village in plan.villages}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in HEADS:
        table.add_column(say(f"gap.head.{head}"), no_wrap=True)
    for gap in gaps:
        due = gap.due_on.isoformat()
        row = asdict(gap) | {
            "due_on": say("gap.past_due", day=due) if gap.due_on < today else due,
            "kind": _spelled("gap_kind", gap.kind),
            "village": villages.get(gap.residence_village, gap.residence_village),
            "next_step": _spelled("gap_step", gap.next_step),
        }
        table.add_row(*(Text(str(row[head])) for head in HEADS))
    console.print(table)


def _spelled(listed: str, value: str) -> str:
    if current_language() == "zh-CN":
        return CHOICES[listed][value][0]
    return value.replace("_", " ")
