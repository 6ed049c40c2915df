"""`campaign person` and `campaign session`: looking at people, and their rights. Needs the key."""

from datetime import date, datetime
from typing import Annotated

import typer

from cli.options import ByOption, CampaignOption, HomeOption, campaign_home
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

person = typer.Typer(help=say("cli.person"), no_args_is_help=True)
sessions = typer.Typer()


@sessions.command("session", help=say("cli.session"))
def session(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help=say("cli.option.session"))],
    campaign: CampaignOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.people_view import show_booked
    from tasks.at_home import open_campaign
    from tasks.people import show_session

    campaign_home(home)
    with open_campaign(campaign, "session", day.date().isoformat(), by) as at:
        if all(each.date != day.date() for each in at.plan.clinic):
            days = "、".join(each.date.isoformat() for each in at.plan.clinic) or "-"
            raise WrongCommand("error.no_session", day=day.date(), known=days)
        booked = show_session(at.store, at.act, day.date())
        show_booked(booked, at.plan)


@person.command("withdraw", help=say("cli.person.withdraw"))
def person_withdraw(
    referral_ref: Annotated[str, typer.Argument(help=say("cli.option.referral_ref"))],
    campaign: CampaignOption,
    reason: Annotated[str, typer.Option(help=say("cli.option.reason"))],
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.withdrawn_on"))
    ] = None,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.withdrawal import withdraw

    campaign_home(home)
    with open_campaign(campaign, "withdraw", reason, by) as at:
        day: date = on.date() if on else at.now.date()
        withdraw(at.store, at.act, referral_ref, day)
    typer.echo(say("cli.person.withdrawn"))
