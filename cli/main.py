"""The `campaign` command. Nothing heavy is imported until the command that needs it runs."""

import getpass
import os
import signal
import sys
import threading
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.audit_commands import audit
from cli.backup_commands import backups
from cli.catch_up_commands import catching_up
from cli.county_commands import counties
from cli.deploy_commands import deployment
from cli.doctor_commands import doctors
from cli.export_commands import export, returns
from cli.gap_commands import gaps
from cli.handover_commands import handover
from cli.key_commands import key
from cli.many_commands import many
from cli.meeting_commands import meeting, packs
from cli.options import CampaignOption, HomeOption, JsonOption, campaign_home, print_json
from cli.outbox_commands import outbox
from cli.person_commands import person, sessions
from cli.phase_commands import phase as phases
from cli.question_commands import questions
from cli.rates_commands import rating
from cli.rectification_commands import rectification
from cli.request_commands import requests
from cli.share_commands import share
from cli.sheet_commands import sheets
from cli.shelf_commands import shelves
from cli.template_commands import templates
from cli.web_commands import intake_page, link
from tasks.home import Home, keep_private, private_folder
from tasks.rules.contract import NIGHTLY_PHASES, RUN_PHASES
from tasks.rules.errors import CampaignError, DiskRefused, WrongCommand, is_of_disk
from tasks.rules.wording import say

app = typer.Typer(
    name="campaign",
    help=say("cli.campaign"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(questions, name="questions")
app.add_typer(gaps, name="gaps")
app.add_typer(outbox, name="outbox")
app.add_typer(meeting, name="meeting")
app.add_typer(packs)
app.add_typer(person, name="person")
app.add_typer(sessions)
app.add_typer(export, name="export")
app.add_typer(handover, name="handover")
app.add_typer(returns, name="returns")
app.add_typer(templates)
app.add_typer(key, name="key")
app.add_typer(backups)
app.add_typer(audit, name="audit")
app.add_typer(counties)
app.add_typer(deployment)
app.add_typer(doctors)
app.add_typer(link, name="link")
app.add_typer(phases, name="phase")
app.add_typer(catching_up)
app.add_typer(intake_page)
app.add_typer(requests)
app.add_typer(rectification, name="rectification")
app.add_typer(share, name="share")
app.add_typer(sheets)
app.add_typer(rating)
app.add_typer(shelves)
app.add_typer(many)


def main() -> None:
    """Run the command line; an error is one line and an exit code of its own."""
    keep_private()
    # a terminated command ends like an interrupted one: its Prefect server goes with it
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None:
            signal.signal(number, lambda received, _: sys.exit(128 + received))
    shows_errors = os.environ.get("CAMPAIGN_SQL_ERRORS") == "synthetic-data-only"
    if not shows_errors:
        _name_errors_aside()
    try:
        app()
    except CampaignError as error:
        typer.echo(error.text(), err=True)
        sys.exit(int(error.exit))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        if shows_errors:
            raise
        if is_of_disk(error):
            told = DiskRefused()
            typer.echo(told.text(), err=True)
            sys.exit(int(told.exit))
        # An unforeseen error's text may hold a cell; its type does not.
        typer.echo(say("error.unforeseen", kind=type(error).__name__), err=True)
        sys.exit(1)


def _name_errors_aside() -> None:
    """Have errors in threads and while something is tidied up, which Python prints, named only."""

    def name_it(told: object) -> None:
        kind = getattr(told, "exc_type", None) or BaseException
        typer.echo(say("error.aside", kind=kind.__name__), err=True)

    # a program that runs us inside it keeps hooks of its own
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = name_it
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = name_it


@app.command(help=say("cli.plan"))
def plan(
    file: Annotated[Path, typer.Argument(help=say("cli.option.plan"))],
    as_json: JsonOption = False,
) -> None:
    from rich.console import Console

    from cli.plan_view import plan_record, show_plan
    from tasks.plan import load_plan

    loaded = load_plan(file)
    if as_json:
        print_json(plan_record(loaded))
    else:
        show_plan(loaded, Console())


@app.command(help=say("cli.synth"))
def synth(
    plan_file: Annotated[Path, typer.Option("--plan", help=say("cli.option.plan"))],
    out: Annotated[Path, typer.Option("--out", help=say("cli.option.out"))],
    seed: Annotated[int, typer.Option("--seed", min=0, help=say("cli.option.seed"))] = 1,
    villages: Annotated[
        int | None, typer.Option("--villages", min=3, max=200, help=say("cli.option.villages"))
    ] = None,
    residents: Annotated[
        int | None, typer.Option("--residents", min=300, help=say("cli.option.residents"))
    ] = None,
) -> None:
    from data.synthetic.generate import generate

    truth = generate(plan_file, out, seed=seed, villages=villages, residents=residents)
    typer.echo(say("cli.synth.done", out=out, truth=truth))


@app.command(help=say("cli.init"))
def init(
    plan_file: Annotated[Path, typer.Option("--plan", help=say("cli.option.plan"))],
    home: HomeOption = None,
) -> None:
    from reports.gate import notice_gate
    from tasks.set_up import set_up

    at = campaign_home(home)
    loaded = set_up(at, plan_file, make_gate=notice_gate)
    typer.echo(say("cli.init.done", home=at.root, campaign=loaded.slug, inbox=at.inbox))
    for warning in loaded.warnings:
        typer.echo(warning.text(), err=True)


@app.command(help=say("cli.check"))
def check(
    files: Annotated[list[Path], typer.Argument(help=say("cli.option.files"))],
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    _judge(campaign_home(home), files, None, keep=False, as_json=as_json)


@app.command(help=say("cli.receive"))
def receive(
    paths: Annotated[list[Path], typer.Argument(help=say("cli.option.files"))],
    received_at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
            help=say("cli.option.received_at"),
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help=say("cli.option.watch"))] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.1, max=3600, help=say("cli.option.every"))
    ] = 5,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    at = campaign_home(home)
    if not watch:
        _judge(at, paths, received_at, keep=True, as_json=as_json)
        return
    from cli.watching import watch_folder

    if received_at is not None:
        raise WrongCommand("watch.not_received_at")
    if len(paths) != 1:
        raise WrongCommand("watch.one_folder", path=paths[1])
    watch_folder(at, paths[0], every, as_json=as_json)


def _judge(
    home: Home, paths: list[Path], received_at: datetime | None, *, keep: bool, as_json: bool
) -> None:
    from cli.delivery_view import delivery_record, progress, show_delivery
    from tasks.at_home import load_campaigns
    from tasks.audit import Act
    from tasks.clock import now_in
    from tasks.intake import submissions_in, take_in, worst_exit
    from tasks.keys import read_key
    from tasks.receive import Received
    from tasks.receive import receive as receive_files
    from tasks.register import open_register

    if keep:
        from reports.gate import returned_gate

    files = submissions_in(paths)
    plans = load_campaigns(home)
    now = now_in(next(iter(plans.values())).timezone)
    at = received_at or now
    if at > now:
        raise WrongCommand("error.received_in_future")
    act = Act(getpass.getuser(), "receive" if keep else "check", "submissions", at=now)
    with (
        open_register(home, key=read_key(home), act=act) as store,
        progress(len(files), silent=as_json) as advance,
    ):
        if keep:
            received = receive_files(
                store,
                home,
                plans,
                files,
                received_at=at,
                recorded_at=now,
                act=act,
                make_gate=returned_gate,
                advance=advance,
            )
        else:
            results = take_in(
                store, plans, files, received_at=at, recorded_at=now, keep=False, advance=advance
            )
            received = [Received(result, None) for result in results]
    code = worst_exit(each.result for each in received)
    if as_json:
        print_json(delivery_record(received, code))
    else:
        show_delivery(received, stored=keep)
    raise typer.Exit(int(code))


@app.command(help=say("cli.run"))
def run(
    phase: Annotated[str, typer.Argument(help=say("cli.option.phase"))],
    campaign: CampaignOption,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.as_of"))
    ] = None,
    round: Annotated[int | None, typer.Option(min=1, help=say("cli.option.round"))] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.delivery_view import delivery_record, show_delivery
    from cli.inbox import empty_inbox
    from cli.run_view import show_receipt
    from cli.server import prefect_server
    from tasks.at_home import load_campaign
    from tasks.clock import now_in
    from tasks.intake import worst_exit
    from tasks.keys import read_key
    from tasks.plan import occurrence_at
    from tasks.rules.agenda import refuse_day_to_come, usual_day

    at = campaign_home(home)
    if phase not in (*RUN_PHASES, *NIGHTLY_PHASES):
        known = (*RUN_PHASES, *NIGHTLY_PHASES)
        raise WrongCommand("error.phase", phase=phase, known=known)
    loaded = load_campaign(at, campaign)
    now = now_in(loaded.timezone)
    day = as_of.date() if as_of else usual_day(phase, now)
    if phase in NIGHTLY_PHASES:
        _run_nightly(at, phase, campaign, day, round, as_json=as_json)
    refuse_day_to_come(day, now.date())
    # what cannot run is said before the server takes its seconds to start
    occurrence_at(loaded, phase, day, round)
    read_key(at)
    delivered = empty_inbox(at)
    if delivered and not as_json:
        show_delivery(delivered, stored=True)
    code = worst_exit(each.result for each in delivered)
    with prefect_server(at) as wait:
        from flows import phase_flows

        wait()
        receipt = phase_flows.run(phase, campaign, day, round)
    if as_json:
        record = receipt.as_dict() | {"report": str(at.root / receipt.report)}
        print_json(record | {"inbox": delivery_record(delivered, code)})
    else:
        show_receipt(receipt, at)
    raise typer.Exit(int(code))


def _run_nightly(
    home: Home, phase: str, campaign: str, as_of: date, round: int | None, *, as_json: bool
) -> NoReturn:
    """Run a phase of one day, show what it did, and end the command."""
    from cli.delivery_view import delivery_record, show_delivery
    from cli.inbox import empty_inbox
    from cli.people_view import show_receipt, show_upcoming
    from cli.server import prefect_server
    from tasks.at_home import load_campaign, open_campaign
    from tasks.erasure import read_receipt
    from tasks.intake import worst_exit
    from tasks.keys import read_key
    from tasks.reminders import RemindersRun
    from tasks.reminders import refuse_day_to_come as refuse_reminding
    from tasks.retention import due_next
    from tasks.retention import refuse_day_to_come as refuse_erasing

    if round is not None:
        raise WrongCommand("retention.no_round", phase=say(f"phase.{phase}"))
    refuse = refuse_reminding if phase == "reminders" else refuse_erasing
    refuse(load_campaign(home, campaign), as_of)
    read_key(home)
    delivered = empty_inbox(home)
    code = worst_exit(each.result for each in delivered)
    with prefect_server(home) as wait:
        from flows import phase_flows

        wait()
        ran = phase_flows.run_nightly(phase, campaign, as_of)
    if as_json:
        # how many people fall due stays on the terminal: a file of it would be an export
        print_json(ran.as_dict() | {"inbox": delivery_record(delivered, code)})
        raise typer.Exit(int(code))
    if delivered:
        show_delivery(delivered, stored=True)
    if isinstance(ran, RemindersRun):
        typer.echo(say("cli.reminders.ran", **ran.as_dict()))
        raise typer.Exit(int(code))
    with open_campaign(campaign, phase, "receipt") as opened:
        show_receipt(read_receipt(opened.store, ran.receipt_id), home)
        show_upcoming(due_next(opened.store, opened.plan, as_of))
    raise typer.Exit(int(code))


@app.command(help=say("cli.status"))
def status(
    campaign: Annotated[
        str | None, typer.Option("--campaign", help=say("cli.option.campaign"))
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.status_view import show_status
    from tasks.at_home import load_campaign, load_campaigns
    from tasks.clock import now_in
    from tasks.status import status_record

    at = campaign_home(home)
    plans = load_campaigns(at) if campaign is None else {campaign: load_campaign(at, campaign)}
    record = status_record(at, plans, now_in(next(iter(plans.values())).timezone))
    if as_json:
        print_json(record)
    else:
        show_status(record)


@app.command(help=say("cli.report"))
def report(
    phase: Annotated[str, typer.Argument(help=say("cli.option.phase"))],
    campaign: CampaignOption,
    round: Annotated[int | None, typer.Option(min=1, help=say("cli.option.round"))] = None,
    home: HomeOption = None,
) -> None:
    from reports.write import write_newest
    from tasks.at_home import load_campaign
    from tasks.ledger import open_ledger

    at = campaign_home(home)
    loaded = load_campaign(at, campaign)
    with open_ledger(at) as store:
        page = write_newest(store, at, loaded, phase, round)
    typer.echo(page)


@app.command(help=say("cli.extend"))
def extend(
    campaign: CampaignOption,
    phase: Annotated[str, typer.Option(help=say("cli.option.phase"))],
    village: Annotated[str, typer.Option(help=say("cli.option.village"))],
    due: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.due"))],
    by: Annotated[str, typer.Option(help=say("cli.option.by"))],
    reason: Annotated[str, typer.Option(help=say("cli.option.reason"))],
    round: Annotated[int | None, typer.Option(min=1, help=say("cli.option.round"))] = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.extensions import grant_extension
    from tasks.ledger import open_ledger

    at = campaign_home(home)
    loaded = load_campaign(at, campaign)
    with open_ledger(at, "write") as store:
        granted = grant_extension(
            store, loaded, phase, round, village, due.date(), by=by, reason=reason
        )
    typer.echo(say("cli.extend.done", village=village, due=granted))


@app.command(help=say("cli.demo"))
def demo(
    home: HomeOption = None,
    villages: Annotated[
        int | None, typer.Option("--villages", min=6, max=60, help=say("cli.option.demo_villages"))
    ] = None,
    residents: Annotated[
        int | None, typer.Option("--residents", min=3000, help=say("cli.option.demo_residents"))
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help=say("cli.option.seed"))] = 1,
    year: Annotated[bool, typer.Option("--year", help=say("cli.option.year"))] = False,
) -> None:
    at = campaign_home(home)
    if at.root.is_dir() and any(at.root.iterdir()):
        raise WrongCommand("error.demo_home", home=at.root)
    private_folder(at.root)
    if year:
        from cli.year import run_year

        run_year(at, seed=seed, villages=villages, residents=residents)
    else:
        from cli.demo import run_demo

        run_demo(at, villages=villages or 15, residents=residents or 30_000, seed=seed)
