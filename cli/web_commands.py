"""`campaign intake-page` and `campaign link`: a page for village teams, and what opens it."""

from datetime import datetime
from pathlib import Path
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
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.links import NewLink

link = typer.Typer(help=say("cli.link"), no_args_is_help=True)
intake_page = typer.Typer()

PORT = 8765

PhaseOption = Annotated[str, typer.Option("--phase", help=say("cli.option.link_phase"))]
RoundOption = Annotated[int | None, typer.Option("--round", min=1, help=say("cli.option.round"))]
VillageOption = Annotated[str | None, typer.Option("--village", help=say("cli.option.village"))]
AddressOption = Annotated[
    str | None,
    typer.Option("--address", envvar="CAMPAIGN_ADDRESS", help=say("cli.option.address")),
]


@intake_page.command("intake-page", help=say("cli.intake_page"))
def serve_intake_page(
    campaign: CampaignOption,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help=say("cli.option.port"))
    ] = PORT,
    host: Annotated[str, typer.Option("--host", help=say("cli.option.host"))] = "127.0.0.1",
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help=say("cli.option.certificate"))
    ] = None,
    certificate_key: Annotated[
        Path | None, typer.Option("--certificate-key", help=say("cli.option.certificate_key"))
    ] = None,
    address: AddressOption = None,
    home: HomeOption = None,
) -> None:
    from cli.stopping import stopped_by_signal
    from reports.gate import returned_gate
    from tasks.keys import read_key
    from web.app import IntakePage
    from web.desk import Desk
    from web.server import address_of, certificate_of, listen, server_of

    at = campaign_home(home)
    desk = Desk(at, campaign, make_gate=returned_gate)
    desk.plan()
    read_key(at)  # what cannot work is said now, not to the first village
    tls = certificate_of(host, certificate, certificate_key)
    with listen(host, port) as listening:
        opened_at = address_of(address, listening, secure=tls is not None)
        page = IntakePage(desk, opened_at, complain=lambda line: typer.echo(line, err=True))
        server = server_of(page, tls)
        typer.echo(say("web.listening", address=opened_at))
        # uvicorn takes the signals while it runs, and passes them on when it has ended
        with stopped_by_signal(lambda: None):
            server.run(sockets=[listening])
    typer.echo(say("web.stopped"))


@link.command("new", help=say("cli.link.new"))
def link_new(
    campaign: CampaignOption,
    phase: PhaseOption,
    round: RoundOption = None,
    village: VillageOption = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.until"))
    ] = None,
    address: AddressOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.links import make_links
    from web.address import checked_address

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    base = checked_address(address or f"http://127.0.0.1:{PORT}")
    with open_ledger(at, "write") as store:
        made = make_links(
            store,
            plan,
            phase,
            round,
            village,
            by=who(by),
            now=now_in(plan.timezone),
            until=until.date() if until else None,
        )
    names = {each.code: each.name for each in plan.villages}
    if as_json:
        print_json([_link_record(each, base) for each in made])
        return
    for each in made:
        typer.echo(f"{each.village} {names[each.village]}  {base}/{each.token}")
    typer.echo(say("link.made"), err=True)


def _link_record(made: "NewLink", base: str) -> dict[str, str]:
    return {
        "village": made.village,
        "link": f"{base}/{made.token}",
        "expires_at": made.expires_at.isoformat(),
    }


@link.command("list", help=say("cli.link.list"))
def link_list(
    campaign: CampaignOption, as_json: JsonOption = False, home: HomeOption = None
) -> None:
    from cli.link_view import show_links
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.links import list_links

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    with open_ledger(at) as store:
        links = list_links(store, plan.slug, now=now_in(plan.timezone))
    if as_json:
        print_json([each.as_dict() for each in links])
    else:
        show_links(links)


@link.command("revoke", help=say("cli.link.revoke"))
def link_revoke(
    campaign: CampaignOption,
    phase: PhaseOption,
    round: RoundOption = None,
    village: VillageOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.links import revoke_links

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    with open_ledger(at, "write") as store:
        count = revoke_links(store, plan, phase, round, village, now=now_in(plan.timezone))
    typer.echo(say("link.revoked", count=count))
