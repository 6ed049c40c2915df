"""What `campaign requests` shows: one line a request for an ad-hoc sweep."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.plan import Plan
from tasks.rules.wording import say


def show_requests(records: Sequence[Mapping[str, Any]], plans: Mapping[str, Plan]) -> None:
    """Print the requests, as `Asked.as_dict` gives them, the earliest first."""
    console = Console()
    if not records:
        console.print(say("cli.requests.none"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("request", "state", "purpose", "villages", "window"):
        fixed = head in ("request", "window")
        table.add_column(say(f"cli.head.{head}"), no_wrap=fixed, overflow="fold")
    for record in records:
        names = {each.code: each.name for each in plans[record["campaign"]].villages}
        state = "changed" if record["changed"] else record["state"]
        cells = (
            f"{record['id']}\n{record['campaign']}",
            say(f"request.state.{state}"),
            say(f"plan.purpose.{record['purpose']}"),
            say("list.comma").join(names.get(code, code) for code in record["villages"]),
            f"{record['opens']}\n{record['due']}",
        )
        table.add_row(*map(Text, cells))
    console.print(table)
