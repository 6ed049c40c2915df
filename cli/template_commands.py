"""`campaign templates`: workbooks for villages to fill in."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import CampaignOption, HomeOption, JsonOption, campaign_home, print_json
from tasks.rules.wording import say

templates = typer.Typer()


@templates.command("templates", help=say("cli.templates"))
def write(
    campaign: CampaignOption,
    phase: Annotated[
        str | None, typer.Option("--phase", help=say("cli.option.template_phase"))
    ] = None,
    round: Annotated[
        int | None, typer.Option("--round", min=1, help=say("cli.option.template_round"))
    ] = None,
    village: Annotated[
        str | None, typer.Option("--village", help=say("cli.option.template_village"))
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help=say("cli.option.template_out"))] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import load_campaign
    from tasks.templates import write_templates

    at = campaign_home(home)
    plan = load_campaign(at, campaign)
    folder = out or at.root / "templates" / campaign
    written = write_templates(folder, plan, phase=phase, round=round, village=village)
    if as_json:
        print_json([str(path) for path in written])
    else:
        typer.echo(say("cli.templates.done", count=len(written), folder=folder))
