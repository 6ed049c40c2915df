"""`campaign receive-many`: the inboxes of many homes that one machine keeps."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.errors import Exit
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.hosted import InboxStand

many = typer.Typer()

MILDEST_FIRST = (Exit.DONE, Exit.ROWS_RETURNED, Exit.FILE_REFUSED)
"""Of what came of homes that were taken in; whatever kept one from that outweighs it."""


@many.command("receive-many", help=say("cli.receive_many"))
def receive_many(
    homes: Annotated[Path, typer.Option("--homes", help=say("cli.option.homes"))],
    as_json: JsonOption = False,
) -> None:
    from cli.engine import engine_at_hand, tell_lost
    from flows.engine import engine_setting
    from tasks.hosted import homes_in

    engine = engine_setting()
    found = homes_in(homes.expanduser().absolute())
    with engine_at_hand(engine):
        from flows.county import receive_homes

        stands = receive_homes(engine, found, tell_lost=tell_lost)
    code = max((each.exit for each in stands), key=_weight)
    if as_json:
        print_json({"exit": code, "homes": [each.as_dict() for each in stands]})
    else:
        for each in stands:
            typer.echo(_line(each))
    raise typer.Exit(code)


@many.command("receive-inbox", hidden=True)
def receive_inbox(
    since: Annotated[datetime, typer.Option("--since", formats=["%Y-%m-%dT%H:%M:%S"])],
    home: HomeOption = None,
) -> None:
    """What `receive-many` runs for one home; `since` is UTC. Prints one record and nothing else."""
    from cli.many import take_in_inbox

    print_json(take_in_inbox(campaign_home(home), since).as_dict())


def _weight(code: int) -> int:
    """Return how much an exit code outweighs others."""
    return MILDEST_FIRST.index(Exit(code)) if code in MILDEST_FIRST else len(MILDEST_FIRST) + code


def _line(stand: "InboxStand") -> str:
    key = "hosted.failed" if stand.error else "hosted.stand"
    return say(key, None, **stand.as_dict())
