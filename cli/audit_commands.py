"""`campaign audit`: the trail of the register. Needs the key."""

import typer

from tasks.rules.wording import say

audit = typer.Typer(help=say("cli.audit"), no_args_is_help=True)
