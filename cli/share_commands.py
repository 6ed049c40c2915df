"""`campaign share`: what was released, signed, into the ledger that the county reads.

None of it needs the register's key. The catalogue's password is asked for, never an argument: the
command line is kept in the shell's history and shown to every user of the computer.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.shared_ledger import Shared

share = typer.Typer(help=say("cli.share"), invoke_without_command=True)

DueOption = Annotated[bool, typer.Option("--due", help=say("cli.option.share_due"))]


@share.callback()
def share_unless_told(
    context: typer.Context,
    due: DueOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    if context.invoked_subcommand is None:
        share_now(due, as_json, home)


@share.command("now", help=say("cli.share.now"))
def share_now(
    due: DueOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from datetime import UTC, datetime

    from tasks.at_home import load_campaigns
    from tasks.share import share_if_new, share_releases

    at, shared = campaign_home(home), _shared()
    run = share_if_new if due else share_releases
    done = run(at, load_campaigns(at), shared, datetime.now(UTC).replace(tzinfo=None))
    if done is None:
        return
    if as_json:
        print_json({**vars(done), "to": shared.name})
        return
    if not due or done.new or done.made_good:
        told = say(
            "cli.share.done",
            to=shared.name,
            new=done.new,
            made_good=done.made_good,
            unchanged=done.unchanged,
        )
        typer.echo(told)
    if done.strange:
        typer.echo(say("cli.share.strange", count=done.strange))
    if done.without_plan:
        typer.echo(say("cli.share.without_plan", campaigns=done.without_plan))


@share.command("key", help=say("cli.share.key"))
def share_key(home: HomeOption = None) -> None:
    from tasks.signing import make_signing_key

    public = make_signing_key(campaign_home(home))
    typer.echo(say("cli.share.public_key"), err=True)
    typer.echo(public)


@share.command("password", help=say("cli.share.password"))
def share_password(
    clear: Annotated[bool, typer.Option("--clear", help=say("cli.option.clear"))] = False,
) -> None:
    from tasks.shared_ledger import password_entry

    entry = password_entry(_shared())
    if clear:
        entry.remove()
        typer.echo(say("cli.outbox.password_cleared", place=entry.name))
        return
    password = typer.prompt(say("cli.share.ask_password", account=entry.account), hide_input=True)
    if typer.prompt(say("cli.outbox.ask_again"), hide_input=True) != password:
        raise WrongCommand("mail.password_twice")
    entry.write(password)
    typer.echo(say("cli.outbox.password_kept", place=entry.name))


@share.command("flush", help=say("cli.share.flush"))
def share_flush() -> None:
    from tasks.shared_ledger import flush_shared

    shared = _shared()
    flush_shared(shared)
    typer.echo(say("cli.share.flushed", files=shared.files))


def _shared() -> "Shared":
    """Return where the shared ledger is. Raises WrongCommand where no setting says it."""
    from tasks.shared_ledger import SETTING, shared_setting

    shared = shared_setting()
    if shared is None:
        raise WrongCommand("share.no_setting", setting=SETTING)
    return shared
