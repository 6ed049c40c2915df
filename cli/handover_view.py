"""What `campaign handover list` shows: one line a hand-over, the person by register number."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.handovers import Step
from tasks.plan import Plan
from tasks.rules.wording import say


def handover_records(steps: Sequence[Step], today: date) -> list[dict[str, Any]]:
    """Return hand-overs as plain values, each with its state at the end of `today`."""
    return [
        {
            "register_no": each.register_no,
            "state": each.handover.state_on(today),
            "from": each.handover.from_village,
            "to": each.handover.to_village,
            "released_on": each.handover.released_at.date().isoformat(),
            "released_by": each.handover.released_by,
            "lapses_on": each.handover.lapses_on.isoformat(),
            "ended_on": each.handover.ended_at and each.handover.ended_at.date().isoformat(),
            "ended_by": each.handover.ended_by,
        }
        for each in steps
    ]


def show_handovers(records: Sequence[Mapping[str, Any]], plan: Plan) -> None:
    """Print the records, as `handover_records` gives them."""
    console = Console()
    if not records:
        console.print(say("handover.nothing"))
        return
    names = {each.code: each.name for each in plan.villages}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("register_no", "state", "from", "to", "released", "ended"):
        table.add_column(say(f"handover.head.{head}"), overflow="fold")
    for record in records:
        cells = (
            record["register_no"],
            say(f"handover.state.{record['state']}"),
            names.get(record["from"], record["from"]),
            names.get(record["to"], record["to"]),
            f"{record['released_on']}\n{record['released_by']}",
            f"{record['ended_on']}\n{record['ended_by']}" if record["ended_on"] else "",
        )
        table.add_row(*map(Text, cells))
    console.print(table)
