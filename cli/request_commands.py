"""`campaign request`, `requests`, `approve`, `decline`: the two keys of an ad-hoc sweep.

Asking and listing need no key; deciding does.
"""

import getpass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ByOption, CampaignOption, HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.contract import CHOICES, PURPOSES
from tasks.rules.errors import CampaignError
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.plan import Plan
    from tasks.requests import Asked

requests = typer.Typer()

DAY = ["%Y-%m-%d"]
PURPOSE_HELP = say("cli.option.request_purpose", known=", ".join(PURPOSES))
REASON_HELP = say("cli.option.request_reason", known=", ".join(CHOICES["request_reason"]))
DECLINE_HELP = say("cli.option.decline_reason", known=", ".join(CHOICES["decline_reason"]))
IdArgument = Annotated[str, typer.Argument(help=say("cli.option.request_id"))]


@requests.command("request", help=say("cli.request"))
def request(
    campaign: CampaignOption,
    purpose: Annotated[str, typer.Option(help=PURPOSE_HELP)],
    village: Annotated[list[str], typer.Option(help=say("cli.option.request_village"))],
    opens: Annotated[datetime, typer.Option(formats=DAY, help=say("cli.option.request_opens"))],
    due: Annotated[datetime, typer.Option(formats=DAY, help=say("cli.option.request_due"))],
    reason: Annotated[str, typer.Option(help=REASON_HELP)],
    by: Annotated[str, typer.Option(help=say("cli.option.request_by"))],
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from reports.gate import notice_gate
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.names import NO_NAMES
    from tasks.requests import ask_for_sweep, state_in

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    now = now_in(plan.timezone)
    with open_ledger(at, "write") as store:
        asked = ask_for_sweep(
            store,
            plan,
            purpose=purpose,
            villages=village,
            opens=opens.date(),
            due=due.date(),
            reason=reason,
            asked_by=by,
            account=getpass.getuser(),
            now=now,
            gate=notice_gate(store, at, plan, NO_NAMES),
        )
    if as_json:
        print_json(asked.as_dict(state_in(plan, asked, now.date())))
    else:
        typer.echo(say("cli.request.asked", id=asked.id, round=asked.round))


@requests.command("requests", help=say("cli.requests"))
def list_requests(
    campaign: Annotated[
        str | None, typer.Option("--campaign", help=say("cli.option.campaign"))
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help=say("cli.option.repair"))] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.request_view import show_requests
    from tasks.at_home import load_campaign, load_campaigns
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.requests import requests_of, state_in, write_approved_file

    at = campaign_home(home)
    if repair:
        with open_ledger(at) as store:
            for slug in at.campaigns():
                write_approved_file(store, at, slug)
        typer.echo(say("cli.requests.repaired"))
    plans = load_campaigns(at) if campaign is None else {campaign: load_campaign(at, campaign)}
    today = now_in(next(iter(plans.values())).timezone).date()
    with open_ledger(at) as store:
        records = [
            asked.as_dict(state_in(plan, asked, today))
            for plan in plans.values()
            for asked in requests_of(store, plan.slug)
        ]
    if as_json:
        print_json(records)
    else:
        show_requests(records, plans)


@requests.command("approve", help=say("cli.approve"))
def approve(
    request_id: IdArgument,
    by: ByOption = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help=say("cli.option.approve_reason"))
    ] = None,
    home: HomeOption = None,
) -> None:
    plan, asked = _decide(request_id, by, None, home, why=reason, approve=True)
    typer.echo(say("cli.request.approved", round=asked.round, **_said(plan, asked)))


@requests.command("decline", help=say("cli.decline"))
def decline(
    request_id: IdArgument,
    reason: Annotated[str, typer.Option("--reason", help=DECLINE_HELP)],
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    plan, asked = _decide(request_id, by, reason, home, why=None, approve=False)
    typer.echo(say("cli.request.declined", **_said(plan, asked)))


def _decide(
    request_id: str,
    by: str | None,
    reason: str | None,
    home: "HomeOption",
    *,
    why: str | None,
    approve: bool,
) -> "tuple[Plan, Asked]":
    """Decide a request, and have the run that waits for it go on where a server answers."""
    from cli.server import use_server
    from reports.gate import notice_gate
    from tasks.at_home import open_campaign
    from tasks.ledger import open_ledger
    from tasks.names import read_names
    from tasks.requests import decide_request, find_request

    at_home = campaign_home(home)
    with open_ledger(at_home) as store:
        asked = find_request(store, request_id)
    # the trail says which request and from which account, whatever else is given
    reasons = " ".join(word for word in (asked.id, getpass.getuser(), why) if word)
    what = "approve" if approve else "decline"
    with open_campaign(asked.request.campaign, what, reasons, by) as at:
        decided = decide_request(
            at.store,
            at.home,
            at.plan,
            find_request(at.store, request_id),
            approve=approve,
            act=at.act,
            account=getpass.getuser(),
            reason=reason,
            gate=notice_gate(at.store, at.home, at.plan, read_names(at.store)),
        )
        plan = at.plan
    if decided.asked_account == getpass.getuser():
        typer.echo(say("cli.request.one_account"), err=True)
    if use_server(at_home):
        from flows.ad_hoc import resume_decided

        try:
            resume_decided(at_home)
        except CampaignError:
            typer.echo(say("cli.request.not_resumed"), err=True)
    return plan, decided


def _said(plan: "Plan", asked: "Asked") -> dict[str, str]:
    from tasks.requests import words_of

    words = words_of(asked.request)
    names = {each.code: each.name for each in plan.villages}
    villages = say("list.comma").join(names.get(code, code) for code in asked.request.villages)
    return {
        "id": asked.id,
        "villages": villages,
        **{name: words[name] for name in ("purpose", "opens", "due")},
    }
