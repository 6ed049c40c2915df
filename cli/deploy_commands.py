"""`campaign deploy` and `campaign up`: the plan's days as Prefect's schedules, run unattended."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, campaign_home
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.home import Home
    from tasks.plan import Plan

deployment = typer.Typer()

PORT = 4200
INTAKE_PORT = 8765


@deployment.command("deploy", help=say("cli.deploy"))
def deploy(
    plan: Annotated[Path | None, typer.Argument(help=say("cli.option.deploy_plan"))] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help=say("cli.option.deploy_campaign"))
    ] = None,
    remove: Annotated[
        str | None, typer.Option("--remove", help=say("cli.option.deploy_remove"))
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=say("cli.option.deploy_dry_run"))
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help=say("cli.option.deploy_yes"))] = False,
    home: HomeOption = None,
) -> None:
    at = campaign_home(home)
    at.require()
    plans = _plans(at, plan, campaign, remove)

    def agreed() -> bool:
        return not dry_run and (yes or _agreed())

    _deploy(at, plans, [remove] if remove else list(plans), agreed)


def _deploy(
    home: "Home", plans: "dict[str, Plan]", campaigns: list[str], agreed: Callable[[], bool]
) -> None:
    """Show what differs for `campaigns`, which are to run as `plans` say; change it if `agreed`."""
    from cli.server import use_server

    use_server(home)

    from cli.deploy_view import show_changes
    from flows.deployments import apply, look, prefect_api
    from flows.schedules import read_schedules
    from tasks.at_home import load_campaigns
    from tasks.ledger import open_ledger
    from tasks.work_pool import work_pool

    pool = work_pool(load_campaigns(home))
    with open_ledger(home) as store:
        wanted = read_schedules(store, plans.values())
    with prefect_api() as client:
        changes = look(client, pool, wanted, campaigns, home.campaigns())
        show_changes(changes)
        if not changes:
            return
        if not agreed():
            typer.echo(say("deploy.left"))
            return
        apply(client, changes)
    typer.echo(say("deploy.done"))


def _plans(
    home: "Home", file: Path | None, campaign: str | None, remove: str | None
) -> "dict[str, Plan]":
    """Return slug -> plan of the campaigns to deploy; none where one is to be taken out."""
    from tasks.at_home import load_campaign, load_campaigns
    from tasks.plan import load_plan

    if sum(given is not None for given in (file, campaign, remove)) > 1:
        raise WrongCommand("deploy.one_of")
    if remove is not None:
        return {}
    if file is not None:
        given = load_plan(file)
        here = load_campaign(home, given.slug)
        if home.plan(given.slug).read_bytes() != file.read_bytes() or (
            given.villages != here.villages
        ):
            raise WrongCommand("deploy.other_plan", campaign=given.slug, path=file)
        return {given.slug: here}
    if campaign is not None:
        return {campaign: load_campaign(home, campaign)}
    return load_campaigns(home)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise WrongCommand("deploy.say_yes")
    return typer.confirm(say("deploy.sure"))


@deployment.command("keep-up", hidden=True)
def keep_up(home: HomeOption = None) -> None:
    """What `campaign up` does at each look: schedules, and requests that were decided meanwhile."""
    from tasks.at_home import load_campaigns

    at = campaign_home(home)
    plans = load_campaigns(at)
    _deploy(at, plans, list(plans), lambda: True)

    from cli.server import uses_own_server
    from flows.ad_hoc import resume_decided
    from flows.deployments import prefect_api
    from flows.earlier_pool import leave_earlier_pool
    from tasks.work_pool import work_pool

    if uses_own_server(at):
        with prefect_api() as client:
            if leave_earlier_pool(client, work_pool(plans)):
                typer.echo(say("deploy.earlier_pool"))
    resume_decided(at)


@deployment.command("before-worker", hidden=True)
def before_worker(home: HomeOption = None) -> None:
    """What `campaign up` does before it starts a worker: no other of the township may be alive."""
    from cli.server import use_server

    at = campaign_home(home)
    use_server(at)

    from flows.deployments import end_dead_runs, make_pool, prefect_api
    from tasks.at_home import load_campaigns
    from tasks.work_pool import work_pool

    pool = work_pool(load_campaigns(at))
    with prefect_api() as client:
        make_pool(client, pool)
        count = end_dead_runs(client, pool)
    if count:
        typer.echo(say("up.dead_runs", count=count))


@deployment.command("up", help=say("cli.up"))
def up(
    port: Annotated[
        int, typer.Option("--port", min=1024, max=65535, help=say("cli.option.up_port"))
    ] = PORT,
    intake_page: Annotated[
        list[str] | None, typer.Option("--intake-page", help=say("cli.option.up_page"))
    ] = None,
    no_intake_page: Annotated[
        bool, typer.Option("--no-intake-page", help=say("cli.option.up_no_page"))
    ] = False,
    intake_page_port: Annotated[
        int,
        typer.Option(
            "--intake-page-port", min=1024, max=65535, help=say("cli.option.up_page_port")
        ),
    ] = INTAKE_PORT,
    intake_page_host: Annotated[
        str, typer.Option("--intake-page-host", help=say("cli.option.host"))
    ] = "127.0.0.1",
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help=say("cli.option.certificate"))
    ] = None,
    certificate_key: Annotated[
        Path | None, typer.Option("--certificate-key", help=say("cli.option.certificate_key"))
    ] = None,
    home: HomeOption = None,
) -> None:
    from cli.up import Page, run_township
    from tasks.at_home import load_campaigns
    from tasks.keys import read_key

    at = campaign_home(home)
    campaigns = load_campaigns(at)
    read_key(at)  # what cannot work is said now, not in the night
    named = intake_page or (list(campaigns) if len(campaigns) == 1 else [])
    for slug in named:
        if slug not in campaigns:
            known = tuple(campaigns)
            raise WrongCommand("error.no_campaign", campaign=slug, known=known)
    if not named and not no_intake_page:
        typer.echo(say("up.which_page"))
    pages = [
        Page(slug, intake_page_host, intake_page_port + number, certificate, certificate_key)
        for number, slug in enumerate([] if no_intake_page else named)
    ]
    run_township(at, port, pages)


@deployment.command("worker", help=say("cli.worker"))
def worker(home: HomeOption = None) -> None:
    from cli.up import run_worker
    from tasks.at_home import load_campaigns
    from tasks.keys import read_key
    from tasks.work_pool import work_pool

    at = campaign_home(home)
    pool = work_pool(load_campaigns(at))
    read_key(at)  # what cannot work is said now, not in the night
    typer.echo(say("engine.worker", pool=pool))
    run_worker(at)
