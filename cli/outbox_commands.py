"""`campaign outbox`: the messages, looking at them, sending them, settling what is stuck.

The mail server's password is asked for, never an argument: the command line is kept in the shell's
history and shown to every user of the computer.
"""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ByOption, HomeOption, JsonOption, campaign_home, print_json, who
from tasks.home import Home
from tasks.rules.contract import CHOICES
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

outbox = typer.Typer(help=say("cli.outbox"), no_args_is_help=True)

PATIENCE = 120.0
"""Seconds that a program waits where a phase or an officer has the ledger."""

WHY_HELP = say("cli.option.why_decided", known=", ".join(CHOICES["resolve_reason"]))
MessageArgument = Annotated[str, typer.Argument(metavar="ID", help=say("cli.option.message"))]
AnyCampaignOption = Annotated[
    str | None, typer.Option("--campaign", help=say("cli.option.campaign"))
]


@outbox.command("list", help=say("cli.outbox.list"))
def outbox_list(
    campaign: AnyCampaignOption = None,
    state: Annotated[str | None, typer.Option("--state", help=say("cli.option.state"))] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.outbox_view import messages_record, show_messages
    from reports.summary import periods_of
    from tasks.at_home import load_campaign, load_campaigns
    from tasks.ledger import open_ledger
    from tasks.messages import STATES, list_messages

    at = campaign_home(home)
    if campaign is not None:
        load_campaign(at, campaign)
    if state is not None and state not in STATES:
        raise WrongCommand("outbox.no_such_state", state=state, known=", ".join(STATES))
    with open_ledger(at) as store:
        messages = list_messages(store, campaign)
    periods = {slug: periods_of(plan) for slug, plan in load_campaigns(at).items()}
    found = [
        each | {"period": periods.get(each["campaign"], {}).get((each["phase"], each["round"]))}
        for each in messages
        if state in (None, each["state"])
    ]
    if as_json:
        print_json(messages_record(found))
    else:
        show_messages(found)


@outbox.command("preview", help=say("cli.outbox.preview"))
def outbox_preview(
    message: Annotated[
        str | None, typer.Argument(metavar="ID", help=say("cli.option.message"))
    ] = None,
    campaign: AnyCampaignOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("cli.option.dry_run"))] = False,
    html: Annotated[Path | None, typer.Option("--html", help=say("cli.option.html"))] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.outbox_view import letter_record, show_message
    from tasks.home import write_whole
    from tasks.ledger import open_ledger
    from tasks.messages import list_messages, read_message

    if (message is None) is (campaign is None) or (html is not None and message is None):
        raise WrongCommand("outbox.what_to_preview")
    at = campaign_home(home)
    if dry_run:
        if campaign is None:
            raise WrongCommand("outbox.dry_run_of")
        _foresee(at, campaign, as_json=as_json)
        return
    with open_ledger(at) as store:
        waiting = [
            each["id"]
            for each in list_messages(store, campaign)
            if each["state"] in {"draft", "ready"}
        ]
        chosen = waiting if message is None else [message]
        found = [read_message(store, at, each) for each in chosen]
    if html is not None:
        ((_, content),) = found
        write_whole(html, content.html.encode("utf-8"))
        typer.echo(say("cli.outbox.written", path=html))
    elif as_json:
        print_json([letter_record(letter, content) for letter, content in found])
    elif not found:
        typer.echo(say("cli.outbox.none"))
    else:
        for letter, content in found:
            show_message(letter, content)


def _foresee(home: Home, campaign: str, *, as_json: bool) -> None:
    """Show every message that the plan of a campaign will cause, and what stands in its way."""
    from cli.foreseen_view import foreseen_record, show_foreseen
    from flows.schedules import AFTER_MIDNIGHT, QUEUE
    from reports.dry_run import foresee
    from tasks.at_home import load_campaign
    from tasks.mail import mail_settings
    from tasks.rules.agenda import REMINDERS_FROM

    plan = load_campaign(home, campaign)
    has_server = mail_settings() is not None
    found = foresee(plan, night=AFTER_MIDNIGHT, queue=QUEUE, morning=REMINDERS_FROM)
    if as_json:
        print_json(foreseen_record(plan, found, has_server=has_server))
    else:
        show_foreseen(plan, found, has_server=has_server)


@outbox.command("send", help=say("cli.outbox.send"))
def outbox_send(
    retry: Annotated[
        str | None, typer.Option("--retry-failed", help=say("cli.option.retry"))
    ] = None,
    due: Annotated[bool, typer.Option("--due", help=say("cli.option.due_only"))] = False,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.run_view import messages_line
    from reports.gate import mail_gate
    from tasks.at_home import load_campaign, load_campaigns, open_patiently
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.mail import mail_settings
    from tasks.messages import retry_failed
    from tasks.outbox import send_ready

    if due and retry is not None:
        raise WrongCommand("outbox.due_or_retry")
    at = campaign_home(home)
    now = now_in(next(iter(load_campaigns(at).values())).timezone)
    settings = mail_settings()
    patience = PATIENCE if due else 0
    with open_patiently(lambda: open_ledger(at, "write"), patience) as store:
        if retry is not None:
            retry_failed(store, load_campaign(at, retry).slug, by=who(by), now=now)
        gate = mail_gate(store, at)
        counts = send_ready(store, at, settings, gate=gate, now=now, waiting=not due)
    typer.echo(messages_line(counts))
    # who sends by hand is told that something is stuck; a program has `campaign status`
    if not due and (counts.failed or counts.unknown):
        raise typer.Exit(1)


@outbox.command("resolve", help=say("cli.outbox.resolve"))
def outbox_resolve(
    message: MessageArgument,
    reason: Annotated[str, typer.Option("--reason", help=WHY_HELP)],
    arrived: Annotated[bool, typer.Option("--arrived", help=say("cli.option.arrived"))] = False,
    send_again: Annotated[
        bool, typer.Option("--send-again", help=say("cli.option.send_again"))
    ] = False,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaigns
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.messages import Decision, resolve

    if arrived is send_again:
        raise WrongCommand("outbox.one_decision")
    decision: Decision = "arrived" if arrived else "send_again"
    at = campaign_home(home)
    now = now_in(next(iter(load_campaigns(at).values())).timezone)
    with open_ledger(at, "write") as store:
        resolve(store, message, decision, by=who(by), reason=reason, now=now)
    typer.echo(say(f"cli.outbox.resolved.{decision}", id=message))


@outbox.command("password", help=say("cli.outbox.password"))
def outbox_password(
    clear: Annotated[bool, typer.Option("--clear", help=say("cli.option.clear"))] = False,
) -> None:
    from tasks.mail import password_entry

    entry = password_entry()
    if clear:
        entry.remove()
        typer.echo(say("cli.outbox.password_cleared", place=entry.name))
        return
    password = typer.prompt(say("cli.outbox.ask_password", account=entry.account), hide_input=True)
    if typer.prompt(say("cli.outbox.ask_again"), hide_input=True) != password:
        raise WrongCommand("mail.password_twice")
    entry.write(password)
    typer.echo(say("cli.outbox.password_kept", place=entry.name))
