"""`campaign sheet`: the care groups' sheets with exact figures, for the health side alone.

Needs the key. What it writes stays in the home: it is never gated and never mailed.
"""

from typing import Annotated

import typer

from cli.options import ByOption, CampaignOption, HomeOption, campaign_home
from tasks.rules.wording import say

sheets = typer.Typer()


@sheets.command("sheet", help=say("cli.sheet"))
def sheet(
    campaign: CampaignOption,
    month: Annotated[str, typer.Option("--month", help=say("cli.option.month"))],
    village: Annotated[
        str | None, typer.Option("--village", help=say("cli.option.sheet_village"))
    ] = None,
    by: ByOption = None,
    home: HomeOption = None,
) -> None:
    from cli.sheet_view import write_health_sheets
    from tasks.at_home import open_campaign
    from tasks.health_sheets import exact_months

    at_home = campaign_home(home)
    with open_campaign(campaign, "sheet", month, by) as at:
        months = exact_months(at.store, at.plan, at.act, month, at.now.date())
        paths = write_health_sheets(at.store, at_home, at.plan, months, village)
        days = at.plan.rules.returns_kept_days
    folder = paths[0].parent
    typer.echo(say("sheet.written", count=len(paths), folder=folder, days=days))
