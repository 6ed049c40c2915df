"""`campaign meeting`, `campaign pack`: the joint meeting's decisions and its pack. Need no key."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import CampaignOption, HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.meeting import OWNERS, RESULTS, TOPICS
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.plan import Plan
    from tasks.rules.meeting import Decision

meeting = typer.Typer(help=say("cli.meeting"), no_args_is_help=True)
packs = typer.Typer()

ByOption = Annotated[str, typer.Option("--by", help=say("cli.option.decided_by"))]


@meeting.command("record", help=say("cli.meeting.record"))
def meeting_record(
    campaign: CampaignOption,
    held_on: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.held_on"))
    ],
    topic: Annotated[str, typer.Option(help=say("cli.option.topic", known=TOPICS))],
    owner: Annotated[str, typer.Option(help=say("cli.option.owner", known=OWNERS))],
    due: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.decision_due"))
    ],
    by: ByOption,
    village: Annotated[str, typer.Option(help=say("cli.option.decision_village"))] = "",
    shortfall: Annotated[
        str | None, typer.Option(help=say("cli.option.decision_shortfall"))
    ] = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.meeting import record_decision

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    with open_ledger(at, "write") as store:
        decided = record_decision(
            store,
            plan,
            met_on=held_on.date(),
            topic=topic,
            owner=owner,
            due=due.date(),
            village=village,
            shortfall=shortfall,
            by=by,
            now=now_in(plan.timezone),
        )
    typer.echo(say("cli.meeting.recorded", **_said(plan, decided)))


@meeting.command("list", help=say("cli.meeting.list"))
def meeting_list(
    campaign: CampaignOption,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.meeting import read_decisions

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    now = now_in(plan.timezone)
    with open_ledger(at) as store:
        decisions = read_decisions(store, plan.slug, now)
    if as_json:
        print_json([_record(each, now) for each in decisions])
        return
    if not decisions:
        typer.echo(say("cli.meeting.none"))
    for each in decisions:
        typer.echo(say("cli.meeting.line", **_said(plan, each, now)))


@meeting.command("outcome", help=say("cli.meeting.outcome"))
def meeting_outcome(
    campaign: CampaignOption,
    decision: Annotated[int, typer.Option(min=1, help=say("cli.option.decision"))],
    result: Annotated[str, typer.Option(help=say("cli.option.result", known=RESULTS))],
    by: ByOption,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.result_on"))
    ] = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.meeting import record_result

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    now = now_in(plan.timezone)
    with open_ledger(at, "write") as store:
        decided = record_result(
            store,
            plan,
            decision,
            result=result,
            on=on.date() if on else now.date(),
            by=by,
            now=now,
        )
    typer.echo(say("cli.meeting.line", **_said(plan, decided, now)))


@packs.command("pack", help=say("cli.pack"))
def pack(
    campaign: CampaignOption,
    quarter: Annotated[str, typer.Option(help=say("cli.option.quarter"))],
    template: Annotated[Path | None, typer.Option(help=say("cli.option.letterhead"))] = None,
    out: Annotated[Path | None, typer.Option(help=say("cli.option.pack_out"))] = None,
    home: HomeOption = None,
) -> None:
    from reports.pack_files import write_pack
    from tasks.at_home import load_campaign
    from tasks.ledger import open_ledger

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    with open_ledger(at) as store:
        paths = write_pack(store, at, plan, quarter, template, out)
    for path in paths:
        typer.echo(path)


@packs.command("letterhead", help=say("cli.letterhead"))
def letterhead(
    out: Annotated[Path, typer.Argument(help=say("cli.option.letterhead_out"))],
) -> None:
    from reports.pack_files import write_letterhead

    typer.echo(write_letterhead(out))


def _said(plan: "Plan", decision: "Decision", now: datetime | None = None) -> dict[str, Any]:
    from reports.pack import became, decided
    from tasks.rules.wording import current_language

    language = current_language()
    names = {each.code: each.name for each in plan.villages}
    villages = [names.get(decision.village, decision.village)] if decision.village else []
    return {
        "number": decision.number,
        "met_on": decision.met_on,
        "what": decided(decision, villages, language),
        "owner": say(f"meeting.owner.{decision.owner}", language),
        "due": decision.due,
    } | ({} if now is None else {"result": became(decision, now.date(), language)})


def _record(decision: "Decision", now: datetime) -> dict[str, Any]:
    days = {
        name: value.isoformat() if value else None
        for name, value in (
            ("met_on", decision.met_on),
            ("due", decision.due),
            ("result_on", decision.result_on),
        )
    }
    return (
        vars(decision)
        | days
        | {"village": decision.village or None, "overdue": decision.is_overdue(now.date())}
    )
