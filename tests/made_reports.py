"""Every report there is, written as the software writes it from rows that are always the same."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from supervised_months import TODAY, supervised_plan, two_months

from cli.sheet_view import write_health_sheets
from conftest import ACT, make_home, open_home
from county_rows import ROWS, SLUG, county, share, shared_at
from released_rows import RELEASES, make_ledger, township
from reports.rollup import PAGES, write_rollup
from reports.sheets import sheet_path
from reports.shelf import write_shelf
from reports.write import write_report
from tasks.health_sheets import exact_months
from tasks.ledger import open_ledger
from tasks.rollup import read_snapshot, roll_up

PHASES = tuple(phase for phase, _ in RELEASES)
READ = (*PHASES, "sheet", "shelf", "health_sheet", "county")
"""What is read in a browser."""
PRINTED = {"pack_paper": ".pdf", "pack_word": ".docx"}
"""What is printed, and what the office goes on writing in."""


def written(folder: Path, language: str) -> dict[str, Path]:
    """Write all of READ and PRINTED into `folder` and return where they are, by name."""
    made = {}
    plan = township(language)
    for (phase, round_), release in RELEASES.items():
        # a ledger each: the pack brings months of its own
        home = make_ledger(folder / phase)
        with open_ledger(home, "write") as store:
            release(store)
            made[phase], *_ = write_report(store, home, plan, phase, round_, 1, language)
            if phase == "sweep":
                made["shelf"] = write_shelf(store, home, {plan.slug: plan})
            if phase == "supervision":
                made["sheet"] = sheet_path(home, plan.slug, round_, 1, plan.villages[0].code)
    for name, ending in PRINTED.items():
        made[name] = made["quarterly_pack"].with_suffix(ending)
    made["health_sheet"] = _health_sheet(folder / "health", language)
    made["county"] = _county_page(folder / "county", language)
    return made


def _health_sheet(folder: Path, language: str) -> Path:
    home, plan = make_home(folder), supervised_plan(township(language))
    with open_home(home) as store:
        two_months(store)
        months = exact_months(store, plan, ACT, "2025-12", TODAY)
        return write_health_sheets(store, home, plan, months, None)[0]


def _county_page(folder: Path, language: str) -> Path:
    shared, of = shared_at(folder / "ledger"), county()
    shared.folder.mkdir(parents=True)
    share(shared, ROWS)
    rollup = roll_up(shared, of, SLUG, read_snapshot(shared, of, SLUG), date(2025, 11, 20))
    # by the catalogue's clock, which is this machine's
    rollup = replace(rollup, taken_at=datetime(2025, 11, 20, 1, 0))
    write_rollup(rollup, of, folder / "pages", lambda files: None)
    return folder / "pages" / PAGES[language]
