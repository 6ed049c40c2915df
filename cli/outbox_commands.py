"""`campaign outbox`: the messages, and sending them."""

from typing import Annotated

import typer

from cli.options import HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.wording import say

outbox = typer.Typer(help=say("cli.outbox"), no_args_is_help=True)


@outbox.command("list", help=say("cli.outbox.list"))
def outbox_list(as_json: JsonOption = False, home: HomeOption = None) -> None:
    from cli.status_view import outbox_record, show_outbox
    from tasks.ledger import open_ledger

    with open_ledger(campaign_home(home)) as store:
        record = outbox_record(store)
    if as_json:
        print_json(record)
    else:
        show_outbox(record)


@outbox.command("send", help=say("cli.outbox.send"))
def outbox_send(
    retry: Annotated[
        str | None, typer.Option("--retry-failed", help=say("cli.option.retry"))
    ] = None,
    home: HomeOption = None,
) -> None:
    from cli.run_view import messages_line
    from reports.gate import mail_gate
    from tasks.at_home import load_campaigns
    from tasks.clock import now_in
    from tasks.ledger import open_ledger
    from tasks.mail import mail_settings
    from tasks.outbox import retry_failed, send_ready

    at = campaign_home(home)
    now = now_in(next(iter(load_campaigns(at).values())).timezone)
    with open_ledger(at, "write") as store:
        if retry is not None:
            retry_failed(store, retry, now=now)
        counts = send_ready(store, at, mail_settings(), gate=mail_gate(store, at), now=now)
    typer.echo(messages_line(counts))
    if counts.failed or counts.unknown:
        raise typer.Exit(1)
