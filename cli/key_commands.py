"""`campaign key`: the key of the register."""

import typer

from tasks.rules.wording import say

key = typer.Typer(help=say("cli.key"), no_args_is_help=True)
