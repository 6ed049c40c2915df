"""`campaign export`: the only files about people; `campaign returns`: their senders' passwords.

Needs the key. A password is printed, on a line of its own, and goes nowhere else.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ByOption, CampaignOption, HomeOption, campaign_home
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.exports import Export

export = typer.Typer(help=say("cli.export"), no_args_is_help=True)
returns = typer.Typer(help=say("cli.returns"), no_args_is_help=True)

ReasonOption = Annotated[str, typer.Option("--reason", help=say("cli.option.export_reason"))]
VillageArgument = Annotated[str, typer.Argument(help=say("cli.option.village"))]


@export.command("session", help=say("cli.export.session"))
def export_session(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help=say("cli.option.session"))],
    campaign: CampaignOption,
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks import exports
    from tasks.at_home import open_campaign

    campaign_home(home)
    with open_campaign(campaign, "export session", reason, by) as at:
        exports.remove_expired(at.store, at.home, at.now.date())
        written = exports.export_session(at.store, at.home, at.plan, at.act, day.date())
    _tell(written, say("export.nobody_booked", day=day.date()))


@export.command("visits", help=say("cli.export.visits"))
def export_visits(
    village: VillageArgument,
    campaign: CampaignOption,
    month: Annotated[str, typer.Option("--month", help=say("cli.option.month"))],
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks import exports
    from tasks.at_home import open_campaign

    campaign_home(home)
    with open_campaign(campaign, "export visits", reason, by) as at:
        exports.remove_expired(at.store, at.home, at.now.date())
        written = exports.export_visits(at.store, at.home, at.plan, at.act, village, month)
    _tell(written, say("export.nobody_due", village=village, month=month))


@export.command("handover", help=say("cli.export.handover"))
def export_handover(
    register_no: Annotated[str, typer.Argument(help=say("cli.option.register_no"))],
    campaign: CampaignOption,
    to: Annotated[str, typer.Option("--to", help=say("cli.option.handover_to"))],
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks import exports
    from tasks.at_home import open_campaign

    campaign_home(home)
    with open_campaign(campaign, "export handover", reason, by) as at:
        exports.remove_expired(at.store, at.home, at.now.date())
        written = exports.export_handover(at.store, at.home, at.plan, at.act, register_no, to)
    _tell(written, "")


@returns.command("password", help=say("cli.returns.password"))
def returns_password(
    village: VillageArgument,
    campaign: CampaignOption,
    new: Annotated[bool, typer.Option("--new", help=say("cli.option.new_password"))] = False,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.passwords import renew_password, sender_password

    campaign_home(home)
    what = "returns password --new" if new else "returns password"
    with open_campaign(campaign, what, village, by) as at:
        show = renew_password if new else sender_password
        password = show(at.store, at.plan, village, now=at.now)
    typer.echo(say("return.password_replaced" if new else "return.password", village=village))
    typer.echo(password)


def _tell(written: "Export | None", nobody: str) -> None:
    if written is None:
        typer.echo(nobody)
        return
    typer.echo(
        say(
            "export.written",
            path=written.path,
            people=written.people,
            remove_on=written.remove_on,
        )
    )
    typer.echo(say("export.password"))
    typer.echo(written.password)
