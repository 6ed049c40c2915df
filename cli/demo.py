"""`campaign demo`: an earlier campaign and a whole autumn one, on synthetic input, as it happens.

Files arrive on their days, phases run on theirs, a village is late, refused rows come back
corrected, the officer answers the doubtful pairs, a clinic assesses, two months are supervised.
Everything goes through the same commands' code, a real Prefect server and a real mail server.
"""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta

from rich.console import Console
from rich.table import Table

from cli.run_view import phase_name
from cli.season import Season, begin_season, mail_server
from cli.server import prefect_server
from tasks.at_home import load_campaigns
from tasks.home import Home
from tasks.plan import Occurrence
from tasks.rules.errors import CheckFailed
from tasks.rules.wording import say

EARLIER, MAIN = "spring-2025", "autumn-2025"


def run_demo(home: Home, *, villages: int, residents: int, seed: int) -> None:
    """Run the demonstration in an empty home and end with a table and where to look.

    Raises CheckFailed where what was found is not what truth.json says.
    """
    console = Console()
    started = time.monotonic()

    def tell(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:5.1f} s[/dim]  {line}", highlight=False)

    with prefect_server(home) as wait, mail_server(home):
        tell(say("demo.starting"))
        seasons = [
            begin_season(home, slug, villages, residents, seed, tell) for slug in (EARLIER, MAIN)
        ]
        wait()
        tell(say("demo.started"))
        earlier, main = seasons
        _run_earlier(earlier)
        _run_main(main)
    _finish(console, home, seasons, time.monotonic() - started)


def _run_earlier(season: Season) -> None:
    plan = load_campaigns(season.home)[season.slug]
    for occurrence in plan.calendar:
        if occurrence.phase in ("sweep", "list_compilation", "aggregation"):
            season.run(occurrence.phase, occurrence.due, occurrence.round or None)


def _run_main(season: Season) -> None:
    plan = load_campaigns(season.home)[season.slug]
    sweep = plan.occurrence("sweep", 1)
    listing = plan.occurrence("list_compilation")
    season.run("sweep", sweep.due)
    season.run("sweep", _last_arrival(season, "sweep"))
    season.run("list_compilation", listing.due)
    season.answer_questions()
    season.run("list_compilation", listing.due)
    season.run("diagnosis_queue", listing.due)
    dated: list[tuple[date, Callable[[], None]]] = [
        (plan.occurrence("aggregation").due, lambda: season.run("aggregation", aggregation_due)),
        *((session.date, _session(season, session.date)) for session in plan.clinic),
        *(
            (each.due, _due(season, each))
            for each in plan.calendar
            if each.phase in ("follow_up", "supervision")
        ),
    ]
    aggregation_due = plan.occurrence("aggregation").due
    for _, act in sorted(dated, key=lambda each: each[0]):
        act()
    season.deliver_until(_last_arrival(season))
    season.compare()


def _session(season: Season, day: date) -> Callable[[], None]:
    def act() -> None:
        season.assess(day)
        season.run("diagnosis_queue", day + timedelta(days=1))

    return act


def _due(season: Season, occurrence: Occurrence) -> Callable[[], None]:
    return lambda: season.run(occurrence.phase, occurrence.due, occurrence.round)


def _last_arrival(season: Season, phase: str | None = None) -> date:
    return max(
        datetime.fromisoformat(each["received_at"]).date()
        for each in season.truth["deliveries"]
        if phase in (None, each["phase"])
    )


def _finish(console: Console, home: Home, seasons: list[Season], seconds: float) -> None:
    main = seasons[-1]
    table = Table(title=say("demo.title"))
    table.add_column(say("cli.head.phase"))
    table.add_column(say("demo.as_of"))
    table.add_column(say("cli.head.revision"))
    table.add_column(say("demo.report"), overflow="fold")
    for receipt in main.receipts:
        if receipt.is_new:
            table.add_row(
                phase_name(receipt),
                receipt.as_of.isoformat(),
                f"r{receipt.revision}",
                receipt.report,
            )
    console.print(table)
    counts = [f"{say(f'verdict.{name}')} {count}" for name, count in main.rows.items()]
    console.print(say("demo.rows", counts=counts), highlight=False)
    mails = len(list(home.mail.glob("*.eml")))
    for key in ("demo.look_reports", "demo.look_returns", "demo.look_mail", "demo.look_status"):
        console.print(say(key, home=home.root, mails=mails), highlight=False, soft_wrap=True)
    differences = [each for season in seasons for each in season.differences]
    if differences:
        for line in differences:
            console.print(line, highlight=False, markup=False)
        raise CheckFailed("demo.differs", count=len(differences))
    console.print(say("demo.equal", seconds=f"{seconds:.0f}"), highlight=False)
