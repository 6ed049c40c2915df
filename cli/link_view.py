"""What `campaign link list` shows: links by village and round, and what became of them."""

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table

from tasks.links import ListedLink
from tasks.rules.wording import say


def show_links(links: Sequence[ListedLink]) -> None:
    """Print a table of links; their secrets are kept nowhere."""
    if not links:
        typer.echo(say("link.none"))
        return
    table = Table()
    for head in ("village", "phase", "made", "until", "state"):
        table.add_column(say(f"link.head.{head}"))
    for each in links:
        phase = say(f"phase.{each.phase}")
        if each.round:
            phase = say("phase.with_round", phase=phase, round=each.round)
        table.add_row(
            each.village,
            phase,
            f"{each.made_at:%Y-%m-%d %H:%M}",
            f"{each.expires_at:%Y-%m-%d %H:%M}",
            say(f"link.state.{each.state}"),
        )
    Console().print(table)
