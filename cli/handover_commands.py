"""`campaign handover`: a registered person goes from one village's health staff to another's.

Needs the key. Two people do it: one releases, another accepts.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    ByOption,
    CampaignOption,
    HomeOption,
    JsonOption,
    campaign_home,
    print_json,
)
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.plan import Plan
    from tasks.rules.handover import Handover

handover = typer.Typer(help=say("cli.handover"), no_args_is_help=True)

NumberArgument = Annotated[str, typer.Argument(help=say("cli.option.register_no"))]
ReasonOption = Annotated[str, typer.Option("--reason", help=say("cli.option.handover_reason"))]


@handover.command("release", help=say("cli.handover.release"))
def release(
    register_no: NumberArgument,
    campaign: CampaignOption,
    to: Annotated[str, typer.Option("--to", help=say("cli.option.handover_village"))],
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.handovers import release_person

    campaign_home(home)
    with open_campaign(campaign, "handover release", reason, by) as at:
        released = release_person(at.store, at.plan, at.act, register_no, to)
        plan = at.plan
    typer.echo(say("handover.is_released", lapses=released.lapses_on, **_villages(plan, released)))


@handover.command("accept", help=say("cli.handover.accept"))
def accept(
    register_no: NumberArgument,
    campaign: CampaignOption,
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.handovers import accept_person

    campaign_home(home)
    with open_campaign(campaign, "handover accept", reason, by) as at:
        accepted = accept_person(at.store, at.plan, at.act, register_no)
        plan = at.plan
    typer.echo(say("handover.is_accepted", **_villages(plan, accepted)))


@handover.command("take-back", help=say("cli.handover.take_back"))
def take_back(
    register_no: NumberArgument,
    campaign: CampaignOption,
    reason: ReasonOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.handovers import take_person_back

    campaign_home(home)
    with open_campaign(campaign, "handover take-back", reason, by) as at:
        taken_back = take_person_back(at.store, at.plan, at.act, register_no)
        plan = at.plan
    typer.echo(say("handover.is_taken_back", **_villages(plan, taken_back)))


@handover.command("list", help=say("cli.handover.list"))
def list_all(
    campaign: CampaignOption,
    reason: ReasonOption,
    by: ByOption = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.handover_view import handover_records, show_handovers
    from tasks.at_home import open_campaign
    from tasks.handovers import list_handovers

    campaign_home(home)
    with open_campaign(campaign, "handover list", reason, by) as at:
        steps = list_handovers(at.store, at.act)
        plan, today = at.plan, at.now.date()
    records = handover_records(steps, today)
    if as_json:
        print_json(records)
    else:
        show_handovers(records, plan)


def _villages(plan: "Plan", step: "Handover") -> dict[str, str]:
    names = {each.code: each.name for each in plan.villages}
    return {
        "giving": names.get(step.from_village, step.from_village),
        "taking": names.get(step.to_village, step.to_village),
    }
