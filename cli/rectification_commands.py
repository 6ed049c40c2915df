"""`campaign rectification`: the life of what a village has to make good. Needs no key."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    ByOption,
    CampaignOption,
    HomeOption,
    JsonOption,
    campaign_home,
    print_json,
    who,
)
from tasks.rules.contract import CHOICES
from tasks.rules.rectification import MADE_GOOD
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.plan import Plan
    from tasks.rectifications import Standing

rectification = typer.Typer(help=say("cli.rectification"), no_args_is_help=True)

SHORTFALL_HELP = say("cli.option.shortfall", known=MADE_GOOD)
EVIDENCE_HELP = say("cli.option.evidence", known=tuple(CHOICES["rectification_evidence"]))
REASON_HELP = say("cli.option.not_accepted", known=tuple(CHOICES["rectification_reason"]))

VillageOption = Annotated[str, typer.Option("--village", help=say("cli.option.village"))]
ShortfallOption = Annotated[str, typer.Option("--shortfall", help=SHORTFALL_HELP)]


@rectification.command("list", help=say("cli.rectification.list"))
def rectification_list(
    campaign: CampaignOption,
    closed: Annotated[bool, typer.Option("--closed", help=say("cli.option.with_closed"))] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.rectification_view import rectifications_record, show_rectifications
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    with open_ledger(at) as store:
        record = rectifications_record(
            store, plan, now_in(plan.timezone).date(), with_closed=closed
        )
    if as_json:
        print_json(record)
    else:
        show_rectifications(record)


@rectification.command("evidence", help=say("cli.rectification.evidence"))
def rectification_evidence(
    campaign: CampaignOption,
    village: VillageOption,
    shortfall: ShortfallOption,
    evidence: Annotated[str, typer.Option("--evidence", help=EVIDENCE_HELP)],
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help=say("cli.option.evidence_day")),
    ] = None,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.rectifications import give_evidence

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    now = now_in(plan.timezone)
    day = on.date() if on else now.date()
    with open_ledger(at, "write") as store:
        taken = give_evidence(
            store, plan, village, shortfall, evidence=evidence, on=day, by=who(by), now=now
        )
    _tell(plan, taken)


@rectification.command("close", help=say("cli.rectification.close"))
def rectification_close(
    campaign: CampaignOption,
    village: VillageOption,
    shortfall: ShortfallOption,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.rectifications import close_by_supervisor

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    with open_ledger(at, "write") as store:
        taken = close_by_supervisor(
            store, plan, village, shortfall, by=who(by), now=now_in(plan.timezone)
        )
    _tell(plan, taken)


@rectification.command("reject", help=say("cli.rectification.reject"))
def rectification_reject(
    campaign: CampaignOption,
    village: VillageOption,
    shortfall: ShortfallOption,
    reason: Annotated[str, typer.Option("--reason", help=REASON_HELP)],
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.rectifications import not_accept

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    with open_ledger(at, "write") as store:
        taken = not_accept(
            store, plan, village, shortfall, reason=reason, by=who(by), now=now_in(plan.timezone)
        )
    _tell(plan, taken)


def _tell(plan: "Plan", taken: "Standing") -> None:
    this = taken.rectification
    names = {village.code: village.name for village in plan.villages}
    typer.echo(
        say(
            f"rectification.taken.{taken.steps[-1].step}",
            village=names.get(this.village, this.village),
            shortfall=say(f"shortfall.{this.shortfall}"),
            due=this.due,
        )
    )
