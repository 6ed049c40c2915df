"""`campaign backup` and `campaign restore`. Both need the key."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import ByOption, HomeOption, campaign_home
from tasks.rules.wording import say

backups = typer.Typer()


@backups.command("backup", help=say("cli.backup"))
def backup(
    folder: Annotated[Path, typer.Option("--to", help=say("cli.option.backup_to"))],
    keep: Annotated[int | None, typer.Option(min=1, help=say("cli.option.keep"))] = None,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import act_at_home, load_campaigns
    from tasks.backup import back_up
    from tasks.keys import read_key

    at = campaign_home(home)
    centre = next(iter(load_campaigns(at).values())).health_centre.code
    act = act_at_home(at, "backup", "backup", by)
    made, removed = back_up(at, read_key(at), act, centre, folder.absolute(), keep)
    typer.echo(say("cli.backup.done", file=made.path))
    if removed:
        typer.echo(say("cli.backup.removed", count=len(removed)))
    elif keep is None:
        typer.echo(say("cli.backup.removed_none"))


@backups.command("restore", help=say("cli.restore"))
def restore(
    file: Annotated[Path, typer.Argument(help=say("cli.option.backup_file"))],
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import act_at_home
    from tasks.backup import restore as restore_backup
    from tasks.keys import read_key
    from tasks.register import open_register

    at = campaign_home(home)
    key = read_key(at)
    made = restore_backup(file.absolute(), at, key)
    act = act_at_home(at, "restore", f"backup of {made.made_at.isoformat()}", by)
    with open_register(at, key=key, act=act):
        pass  # the trail knows that it goes on from a backup
    typer.echo(say("cli.restore.done", made_at=made.made_at, home=at.root))
    typer.echo(say("cli.restore.then", made_at=made.made_at))
