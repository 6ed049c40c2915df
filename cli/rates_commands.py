"""`campaign rates`: the national rates over the register, exact, for the health side's terminal."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import (
    ByOption,
    CampaignOption,
    HomeOption,
    JsonOption,
    campaign_home,
    print_json,
    who,
)
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

if TYPE_CHECKING:
    from rich.table import Table

rating = typer.Typer()


@rating.command("rates", help=say("cli.rates"))
def rates(
    campaign: CampaignOption,
    year: Annotated[
        int | None, typer.Option(min=2000, max=2100, help=say("cli.option.rates_year"))
    ] = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from tasks.at_home import open_campaign
    from tasks.national_rates import national_counts

    campaign_home(home)
    with open_campaign(campaign, "rates", "rates", who(by)) as at:
        yesterday = at.now.date() - timedelta(days=1)
        judged = yesterday.year if year is None else year
        if judged > yesterday.year:
            raise WrongCommand("rates.year_to_come", year=judged)
        until = min(yesterday, yesterday.replace(year=judged, month=12, day=31))
        counts = national_counts(at.store, at.plan, until)
    if as_json:
        print_json(_record(counts) | {"year": judged, "until": until.isoformat()})
    else:
        _show(say("rates.title", year=judged, until=until), counts)


def _record(counts: dict[str, int]) -> dict[str, Any]:
    from tasks.rules.national_rates import DEFINITIONS, percent

    rates = [vars(each) | {"percent": percent(counts, each)} for each in DEFINITIONS]
    return {"counts": counts, "rates": rates}


def _show(title: str, counts: dict[str, int]) -> None:
    """Print the numbers of people, then each version's rates with what they are made of."""
    from rich.console import Console

    from tasks.rules.national_rates import VERSIONS, definitions, percent

    console = Console(highlight=False)
    console.print(title, soft_wrap=True)
    people = _table("count", "people")
    for name, count in counts.items():
        people.add_row(say(f"rates.count.{name}"), str(count))
    console.print(people)
    for version in VERSIONS:
        console.print(say(f"rates.version.{version}"), soft_wrap=True)
        table = _table("rate", "percent", "definition")
        for each in definitions(version):
            value = percent(counts, each)
            numerator, denominator = (
                say(f"rates.short.{name}") for name in (each.numerator, each.denominator)
            )
            table.add_row(
                say(f"rates.rate.{each.rate}"),
                say("rates.nobody") if value is None else f"{value:.2f} %",
                say("rates.definition", numerator=numerator, denominator=denominator),
            )
        console.print(table)


def _table(*heads: str) -> "Table":
    from rich.table import Table

    table = Table()
    for head in heads:
        number = head in {"people", "percent"}
        table.add_column(say(f"rates.head.{head}"), justify="right" if number else "left")
    return table
