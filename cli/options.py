"""The options that commands share, and what they do with them."""

import getpass
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tasks.home import Home, default_home
from tasks.rules.wording import say

HomeOption = Annotated[
    Path | None, typer.Option("--home", envvar="CAMPAIGN_HOME", help=say("cli.option.home"))
]
JsonOption = Annotated[bool, typer.Option("--json", help=say("cli.option.json"))]
ByOption = Annotated[str | None, typer.Option("--by", help=say("cli.option.by_whom"))]
CampaignOption = Annotated[str, typer.Option("--campaign", help=say("cli.option.campaign"))]


def campaign_home(path: Path | None) -> Home:
    """Return the home a command works on, and name it to whatever the command starts."""
    home = Home(path.expanduser().absolute() if path else default_home())
    os.environ["CAMPAIGN_HOME"] = str(home.root)
    return home


def who(by: str | None) -> str:
    """Return the name given with --by, else the account the command runs under."""
    return by or getpass.getuser()


def print_json(content: Any) -> None:
    """Print for machines."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))
