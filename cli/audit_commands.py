"""`campaign audit`: the trail of the register. Needs the key."""

from datetime import datetime
from typing import Annotated

import typer

from cli.options import ByOption, HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.errors import CheckFailed
from tasks.rules.wording import say

audit = typer.Typer(help=say("cli.audit"), no_args_is_help=True)

SHOWN = 20
"""Places named one by one; a table that was emptied has as many as it had entries."""


@audit.command("verify", help=say("cli.audit.verify"))
def audit_verify(by: ByOption = None, home: HomeOption = None) -> None:
    from tasks.at_home import act_at_home
    from tasks.audit import verify_trail
    from tasks.keys import read_key
    from tasks.register import open_register
    from tasks.seal import verify_ledger

    at = campaign_home(home)
    at.require()
    act = act_at_home(at, "audit verify", "trail", by)
    with open_register(at, key=read_key(at), act=act) as store:
        found = verify_trail(store)
        released = verify_ledger(store)
    places = [say(f"audit.{each.kind}", position=each.position) for each in found.breaks]
    places += [
        say(
            "audit.released",
            campaign=each.campaign,
            phase=each.phase,
            round=each.round,
            revision=each.revision,
        )
        for each in released
    ]
    for place in places[:SHOWN]:
        typer.echo(place, err=True)
    if len(places) > SHOWN:
        typer.echo(say("audit.more", count=len(places) - SHOWN), err=True)
    if places:
        raise CheckFailed("audit.broken", count=len(places))
    typer.echo(say("audit.whole", count=found.entries, head=found.head))


@audit.command("show", help=say("cli.audit.show"))
def audit_show(
    subject: Annotated[str | None, typer.Option(help=say("cli.option.subject"))] = None,
    who: Annotated[str | None, typer.Option(help=say("cli.option.of_whom"))] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.since"))
    ] = None,
    as_json: JsonOption = False,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.trail_view import show_entries, trail_records
    from tasks.at_home import act_at_home
    from tasks.audit import show_trail
    from tasks.keys import read_key
    from tasks.register import open_register

    at = campaign_home(home)
    at.require()
    act = act_at_home(at, "audit show", "trail", by)
    with open_register(at, key=read_key(at), act=act) as store:
        day = since.date() if since else None
        entries = show_trail(store, act, subject=subject, who=who, since=day)
    if as_json:
        print_json(trail_records(entries))
    else:
        show_entries(entries)
