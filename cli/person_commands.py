"""`campaign person` and `campaign session`: looking at people, and their rights. Needs the key.

A name, a birth date, a telephone number or a corrected value is asked for, never an argument: the
command line is kept in the shell's history and shown to every user of the computer.
"""

from datetime import date, datetime
from typing import Annotated

import typer

from cli.options import ByOption, CampaignOption, HomeOption, campaign_home
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

person = typer.Typer(help=say("cli.person"), no_args_is_help=True)
sessions = typer.Typer()

RefArgument = Annotated[str, typer.Argument(help=say("cli.option.person_ref"))]
ReasonOption = Annotated[str, typer.Option("--reason", help=say("cli.option.why"))]


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
            days = [each.date.isoformat() for each in at.plan.clinic]
            raise WrongCommand("error.no_session", day=day.date(), known=days)
        booked = show_session(at.store, at.act, day.date())
        show_booked(booked, at.plan)


@person.command("find", help=say("cli.person.find"))
def person_find(
    campaign: CampaignOption, reason: ReasonOption, by: ByOption = None, home: HomeOption = None
) -> None:
    from cli.people_view import show_found
    from tasks.at_home import load_campaigns, open_campaign
    from tasks.people import find_people

    campaign_home(home)
    with open_campaign(campaign, "find", reason, by) as at:
        found = find_people(
            at.store,
            load_campaigns(at.home),
            at.act,
            full_name=_ask("full_name"),
            birth_date=_ask("birth_date"),
            phone=_ask("phone"),
        )
        show_found(found, at.plan)


@person.command("show", help=say("cli.person.show"))
def person_show(
    ref: RefArgument,
    campaign: CampaignOption,
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.people_view import show_held
    from tasks.at_home import open_campaign
    from tasks.people import show_person

    campaign_home(home)
    with open_campaign(campaign, "show", reason, by) as at:
        show_held(show_person(at.store, at.act, ref))


@person.command("correct", help=say("cli.person.correct"))
def person_correct(
    ref: RefArgument,
    field: Annotated[str, typer.Option("--field", help=say("cli.option.field"))],
    campaign: CampaignOption,
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaigns, open_campaign
    from tasks.people import correct_person

    campaign_home(home)
    with open_campaign(campaign, "correct", reason, by) as at:
        plans = load_campaigns(at.home)
        correct_person(at.store, plans, at.act, ref, field, _ask("value"))
    typer.echo(say("cli.person.corrected"))


@person.command("withdraw", help=say("cli.person.withdraw"))
def person_withdraw(
    ref: RefArgument,
    campaign: CampaignOption,
    reason: ReasonOption,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.withdrawn_on"))
    ] = None,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.people_view import show_receipt
    from tasks.at_home import open_campaign
    from tasks.erasure import freeze_person, is_registered
    from tasks.withdrawal import withdraw

    campaign_home(home)
    with open_campaign(campaign, "withdraw", reason, by) as at:
        if is_registered(at.store, ref):
            # management is what a registered person agreed to: without it the record is only kept
            if on is not None:
                raise WrongCommand("freeze.today_only")
            show_receipt(freeze_person(at.store, at.home, at.plan, at.act, ref), at.home)
            return
        day: date = on.date() if on else at.now.date()
        withdraw(at.store, at.act, ref, day)
    typer.echo(say("cli.person.withdrawn"))


@person.command("erase", help=say("cli.person.erase"))
def person_erase(
    ref: RefArgument,
    campaign: CampaignOption,
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.people_view import show_receipt
    from tasks.at_home import open_campaign
    from tasks.erasure import erase_person, finish_erasure
    from tasks.keys import read_key
    from tasks.people import find_subject

    campaign_home(home)
    with open_campaign(campaign, "erase", reason, by) as at:
        find_subject(at.store, campaign, ref)
        again = typer.prompt(say("cli.person.ask.again"))
        if again.strip().upper() != ref.strip().upper():
            raise WrongCommand("erase.not_confirmed")
        receipt = erase_person(at.store, at.home, at.plan, at.act, ref)
    finish_erasure(at.home, read_key(at.home), at.act)
    show_receipt(receipt, at.home)


@person.command("freeze", help=say("cli.person.freeze"))
def person_freeze(
    ref: RefArgument,
    campaign: CampaignOption,
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.people_view import show_receipt
    from tasks.at_home import open_campaign
    from tasks.erasure import freeze_person

    campaign_home(home)
    with open_campaign(campaign, "freeze", reason, by) as at:
        show_receipt(freeze_person(at.store, at.home, at.plan, at.act, ref), at.home)


def _ask(what: str) -> str:
    """Return what is typed, or stands on the next line of the input; '' where it is blank."""
    answer: str = typer.prompt(say(f"cli.person.ask.{what}"), default="", show_default=False)
    return answer
