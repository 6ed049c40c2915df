"""`campaign catch-up`: what is owed is run now, in order, as of its own days."""

from datetime import datetime
from typing import Annotated

import typer

from cli.options import HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.wording import say

catching_up = typer.Typer()


@catching_up.command("catch-up", help=say("cli.catch_up"))
def catch_up(
    campaign: Annotated[
        str | None, typer.Option("--campaign", help=say("cli.option.one_campaign"))
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.owed_by"))
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.catching_up import catch_up_all
    from cli.delivery_view import delivery_record, show_delivery
    from cli.inbox import empty_inbox
    from cli.life_view import show_caught_up
    from tasks.at_home import load_campaign, load_campaigns
    from tasks.intake import worst_exit
    from tasks.keys import read_key

    at = campaign_home(home)
    plans = load_campaigns(at) if campaign is None else {campaign: load_campaign(at, campaign)}
    read_key(at)
    delivered = empty_inbox(at)
    code = worst_exit(each.result for each in delivered)
    if delivered and not as_json:
        show_delivery(delivered, stored=True)
    found = catch_up_all(at, plans, as_of.date() if as_of else None)
    worst = max([int(code), *(each.exit for one in found for each in one.not_run)])
    if as_json:
        campaigns = [each.as_dict() for each in found]
        print_json({"campaigns": campaigns, "inbox": delivery_record(delivered, code)})
    else:
        show_caught_up(plans, found)
    raise typer.Exit(worst)
