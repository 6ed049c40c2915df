"""`campaign phase`: the life of a campaign's phases. Needs no key."""

from datetime import datetime
from typing import Annotated

import typer

from cli.options import CampaignOption, HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.wording import say

phase = typer.Typer(help=say("cli.phase"), no_args_is_help=True)


@phase.command("show", help=say("cli.phase.show"))
def phase_show(
    campaign: CampaignOption,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.life_view import phases_record, show_phases
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    with open_ledger(at) as store:
        record = phases_record(store, plan, now_in(plan.timezone))
    if as_json:
        print_json(record)
    else:
        show_phases(record)


@phase.command("reopen", help=say("cli.phase.reopen"))
def phase_reopen(
    campaign: CampaignOption,
    name: Annotated[str, typer.Option("--phase", help=say("cli.option.phase"))],
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.reopen_until"))
    ],
    by: Annotated[str, typer.Option(help=say("cli.option.by"))],
    reason: Annotated[str, typer.Option(help=say("cli.option.reopen_reason"))],
    round: Annotated[int | None, typer.Option(min=1, help=say("cli.option.round"))] = None,
    home: HomeOption = None,
) -> None:
    from cli.life_view import round_name
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.phase_life import reopen_phase
    from tasks.plan import occurrence_at

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    now = now_in(plan.timezone)
    number = round or occurrence_at(plan, name, now.date()).round
    with open_ledger(at, "write") as store:
        reopened = reopen_phase(
            store, plan, name, number, until=until.date(), by=by, reason=reason, now=now
        )
    typer.echo(say("life.reopened", phase=round_name(plan, name, number), until=reopened.until))
