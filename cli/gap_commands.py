"""`campaign gaps`: the standing list of service gaps. Needs the key; shows nobody's name."""

from datetime import datetime
from typing import Annotated

import typer

from cli.options import ByOption, CampaignOption, HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.contract import CHOICES
from tasks.rules.service_gaps import OPENED_BY_HAND
from tasks.rules.wording import say

gaps = typer.Typer(help=say("cli.gaps"), no_args_is_help=True)

KIND_HELP = say("cli.option.gap_kind", known=OPENED_BY_HAND)
STEP_HELP = say("cli.option.gap_step", known=tuple(CHOICES["gap_step"]))
AS_HELP = say("cli.option.gap_closed", known=tuple(CHOICES["gap_closed"]))

GapArgument = Annotated[str, typer.Argument(help=say("cli.option.gap"))]
ReasonOption = Annotated[str, typer.Option("--reason", help=say("cli.option.why"))]
StepOption = Annotated[str | None, typer.Option("--step", help=STEP_HELP)]
DueOption = Annotated[
    datetime | None, typer.Option("--due", formats=["%Y-%m-%d"], help=say("cli.option.gap_due"))
]
OwnerHelp = typer.Option("--owner", help=say("cli.option.gap_owner"))


@gaps.command("list", help=say("cli.gaps.list"))
def gaps_list(
    campaign: CampaignOption,
    reason: ReasonOption,
    owner: Annotated[str | None, OwnerHelp] = None,
    as_json: JsonOption = False,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.gap_view import gaps_record, show_gaps
    from tasks.at_home import open_campaign
    from tasks.service_gaps import list_gaps

    campaign_home(home)
    with open_campaign(campaign, "gaps list", reason, by) as at:
        found = list_gaps(at.store, at.act, owner)
    if as_json:
        print_json(gaps_record(found))
    else:
        show_gaps(found, at.plan, at.now.date())


@gaps.command("open", help=say("cli.gaps.open"))
def gaps_open(
    register_no: Annotated[str, typer.Argument(help=say("cli.option.gap_person"))],
    campaign: CampaignOption,
    kind: Annotated[str, typer.Option("--kind", help=KIND_HELP)],
    owner: Annotated[str, OwnerHelp],
    reason: ReasonOption,
    step: StepOption = None,
    due: DueOption = None,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.service_gaps import open_gap

    campaign_home(home)
    with open_campaign(campaign, "gaps open", reason, by) as at:
        opened = open_gap(
            at.store,
            at.act,
            register_no,
            kind,
            owner=owner,
            step=step,
            due=None if due is None else due.date(),
        )
    typer.echo(say("cli.gaps.opened", gap=opened))


@gaps.command("assign", help=say("cli.gaps.assign"))
def gaps_assign(
    gap: GapArgument,
    campaign: CampaignOption,
    reason: ReasonOption,
    owner: Annotated[str | None, OwnerHelp] = None,
    step: StepOption = None,
    due: DueOption = None,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.service_gaps import assign_gap

    campaign_home(home)
    with open_campaign(campaign, "gaps assign", reason, by) as at:
        day = None if due is None else due.date()
        assign_gap(at.store, at.act, gap, owner=owner, step=step, due=day)
    typer.echo(say("cli.gaps.assigned"))


@gaps.command("close", help=say("cli.gaps.close"))
def gaps_close(
    gap: GapArgument,
    campaign: CampaignOption,
    closed_as: Annotated[str, typer.Option("--as", help=AS_HELP)],
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.service_gaps import close_gap

    campaign_home(home)
    with open_campaign(campaign, "gaps close", reason, by) as at:
        close_gap(at.store, at.act, gap, closed_as)
    typer.echo(say("cli.gaps.closed"))
