"""`campaign export`: the only files about people. Needs the key."""

import typer

from tasks.rules.wording import say

export = typer.Typer(help=say("cli.export"), no_args_is_help=True)
