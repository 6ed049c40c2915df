"""`campaign shelf`: the page of everything released, written anew from the ledger alone."""

import typer

from cli.options import HomeOption, campaign_home
from tasks.rules.wording import say

shelves = typer.Typer()


@shelves.command("shelf", help=say("cli.shelf"))
def shelf(home: HomeOption = None) -> None:
    from reports.shelf import write_shelf
    from tasks.at_home import load_campaigns
    from tasks.ledger import open_ledger

    at = campaign_home(home)
    plans = load_campaigns(at)
    with open_ledger(at) as store:
        page = write_shelf(store, at, plans)
    typer.echo(page)
