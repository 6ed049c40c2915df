"""`campaign rollup`: a county's figures, made of what its townships shared."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import CampaignOption, JsonOption, print_json
from tasks.rules.errors import Exit, WrongCommand
from tasks.rules.wording import current_language, say

if TYPE_CHECKING:
    from tasks.county import County
    from tasks.rollup import Rollup

counties = typer.Typer()


@counties.command("rollup", help=say("cli.rollup"))
def rollup(
    county: Annotated[Path, typer.Option("--county", help=say("cli.option.county"))],
    campaign: CampaignOption,
    out: Annotated[Path, typer.Option("--out", help=say("cli.option.rollup_out"))],
    snapshot: Annotated[
        int | None, typer.Option("--snapshot", min=0, help=say("cli.option.snapshot"))
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help=say("cli.option.rollup_as_of"))
    ] = None,
    as_json: JsonOption = False,
) -> None:
    from cli.engine import engine_at_hand, tell_lost
    from flows.engine import engine_setting
    from reports.rollup import rollup_record, write_rollup
    from reports.rollup_gate import check_rollup
    from tasks.clock import now_in
    from tasks.county import load_county
    from tasks.rollup import day_of, read_snapshot
    from tasks.shared_ledger import open_shared, shared_setting
    from tasks.signing import is_signed

    engine = engine_setting()
    loaded = load_county(county)
    shared = shared_setting()
    if shared is None:
        raise WrongCommand("rollup.no_setting")
    at = read_snapshot(shared, loaded, campaign, snapshot)
    today = now_in(loaded.timezone).date()
    asked = as_of.date() if as_of else None
    day = day_of(at, loaded, asked, today=today, newest=snapshot is None)
    with engine_at_hand(engine):
        from flows.county import roll_up_county

        found = roll_up_county(engine, shared, loaded, campaign, at, day, tell_lost=tell_lost)
    with open_shared(shared, "read") as store:
        written = write_rollup(
            found, loaded, out, lambda files: check_rollup(store, loaded, files, is_signed)
        )
    if as_json:
        print_json(rollup_record(found, loaded) | {"files": [str(path) for path in written]})
    else:
        _show(found, loaded, written)
    # written all the same: one township's mistake holds back no other
    raise typer.Exit(int(Exit.CHECK_FAILED if found.set_aside else Exit.DONE))


def _show(found: "Rollup", county: "County", written: list[Path]) -> None:
    """Print what was written, and each row that was set aside with its reason."""
    from reports.rollup import aside_line

    typer.echo(
        say(
            "cli.rollup.written",
            snapshot=found.snapshot,
            as_of=found.as_of,
            townships=len(county.townships),
            phases=len(found.phases),
        )
    )
    for path in written:
        typer.echo(path)
    if found.set_aside:
        typer.echo(say("cli.rollup.set_aside", count=len(found.set_aside)), err=True)
    for each in found.set_aside:
        typer.echo("  " + aside_line(each, county, current_language()), err=True)
