"""`campaign demo --year`: three townships' seasons and years, by a clock that runs in minutes.

Plans B, C and E of docs/plans.md, each in a home of its own. On the mornings on which the machine
is switched on, what came is taken in, and a catch-up runs whatever is owed, each phase as of its
own day, and sends the day's reminders. It is off on days that bring nothing, and one whole week a
season, over a due day. The villages are late, wrong and absent, as the generator has it; in the end
everything is set beside its truth, and beside what retention had to forget by then.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from rich.console import Console
from rich.table import Table

from cli.season import PLANS, Season, begin_season, mail_server
from cli.server import prefect_server
from tasks.agenda import CaughtUp
from tasks.at_home import load_campaign
from tasks.clock import SimulatedClock, simulated
from tasks.home import Home, private_folder
from tasks.plan import Occurrence, Plan, load_plan
from tasks.rules.contract import RUN_PHASES, VILLAGE_PHASES
from tasks.rules.errors import CheckFailed
from tasks.rules.reminders import reminder_days
from tasks.rules.wording import say

Teller = Callable[[str], None]

YEAR = ("spring-2024", "year-2025", "supervision-2026")

MONDAY = 0
MORNING = time_of_day(8, 30)
EVENING = time_of_day(18)
DAY = timedelta(days=1)

BEFORE = timedelta(days=10)
"""How long before the first phase opens a campaign is set up."""

AFTER = timedelta(days=10)
"""How long a season is played after its last file and its last due day."""


@dataclass
class Month:
    """What happened in one month of one campaign."""

    name: str = ""
    files: int = 0
    runs: int = 0
    revisions: int = 0
    made_up: int = 0
    """Runs that should have been on an earlier day."""
    mails: int = 0


def run_year(
    home: Home,
    *,
    seed: int,
    slugs: Sequence[str] = YEAR,
    villages: int | None = None,
    residents: int | None = None,
) -> list[Season]:
    """Play the campaigns in empty homes under `home`, end with a table, and return them.

    `villages` and `residents` are those of each township; without them the plans' own. Raises
    CheckFailed where what was found is not what the truth says.
    """
    console = Console()
    started = time.monotonic()

    def tell(line: str) -> None:
        console.print(
            f"[dim]{time.monotonic() - started:5.1f} s[/dim]  {line}",
            highlight=False,
            soft_wrap=True,
        )

    played = []
    with prefect_server(home) as wait:
        tell(say("demo.starting"))
        wait()
        for slug in slugs:
            own = Home(private_folder(home.root / slug))
            os.environ["CAMPAIGN_HOME"] = str(own.root)
            begins = _begins(load_plan(PLANS / f"{slug}.toml"))
            with mail_server(own), simulated(datetime.combine(begins, MORNING)) as clock:
                season = begin_season(own, slug, villages, residents, seed, tell)
                season.tell = lambda line: None  # a line a month says enough
                months = list(_play(season, clock, begins, tell))
            played.append((season, months))
    _finish(console, home, played, time.monotonic() - started)
    return [season for season, _ in played]


def week_off(season: Season, plan: Plan) -> range:
    """Return the days, as ordinals, on which the machine stays off: a week in which no clinic is.

    From two days before the first due day of a phase that villages report for, after which none of
    its files comes that week, so that what is found stays what the truth says; where every due day
    has late files, from the first day after a file in which week nothing is due.
    Empty where there is none.
    """
    sessions = {each.date.toordinal() for each in plan.clinic}
    # a phase runs on the morning after its due day
    ends = {each.due.toordinal() + days for each in plan.calendar for days in (0, 1)}
    around_due = [
        _week(each.due - 2 * DAY)
        for each in plan.calendar
        if each.phase in ("sweep", "supervision") and not _has_late_files(season, each)
        # visits that come after the last day of a follow-up would be counted for it
        if not any(
            _has_late_files(season, other)
            for other in plan.calendar
            if other.phase == "follow_up" and other.due.toordinal() in _week(each.due - 2 * DAY)
        )
    ]
    after_files = sorted({_arrived(each) + DAY for each in season.truth["deliveries"]})
    begun = max(plan.issued, min(each.opens for each in plan.calendar))
    quiet = [_week(day) for day in after_files if day > begun and not ends & set(_week(day))]
    weeks = (week for week in [*around_due, *quiet] if not sessions & set(week))
    return next(weeks, range(0))


def _week(first: date) -> range:
    return range(first.toordinal(), first.toordinal() + 7)


def _has_late_files(season: Season, each: Occurrence) -> bool:
    """Return whether a file for `each` comes in the days that the machine would be off."""
    late = range(each.due.toordinal() + 1, _week(each.due - 2 * DAY).stop + 1)
    return any(
        (file["phase"], file["round"]) == (each.phase, each.round)
        and _arrived(file).toordinal() in late
        for file in season.truth["deliveries"]
    )


def busy_days(season: Season, plan: Plan) -> set[date]:
    """Return the mornings after which something is to be done: files, due days, clinics, reminders.

    Whoever switches the machine on every day gets the same; it only takes longer.
    """
    days = {_arrived(each) + DAY for each in season.truth["deliveries"]}
    for session in plan.clinic:
        days |= {session.date, session.date + DAY}
    for each in plan.calendar:
        days.add(each.due + DAY)
        if each.phase in VILLAGE_PHASES:
            reminded = plan.reminders
            days |= set(reminder_days(each.due, reminded.before_days, reminded.after_days))
    return days


def _begins(plan: Plan) -> date:
    return min(plan.issued, *(each.opens for each in plan.calendar)) - BEFORE


def _ends(season: Season, plan: Plan) -> date:
    last_file = max(_arrived(each) for each in season.truth["deliveries"])
    last_due = max(each.due for each in plan.calendar)
    return max(last_file, last_due) + AFTER


def _arrived(delivery: dict[str, str]) -> date:
    return datetime.fromisoformat(delivery["received_at"]).date()


def _play(season: Season, clock: SimulatedClock, begins: date, tell: Teller) -> Iterator[Month]:
    """Play the season day by day, and yield each of its months once it is over."""
    from flows.catch_up import catch_up_in_process  # noqa: PLC0415 # Prefect reads its settings

    plan = load_campaign(season.home, season.slug)
    off = week_off(season, plan)
    ends = _ends(season, plan)
    busy = busy_days(season, plan) | {ends}
    sessions = {each.date for each in plan.clinic}
    month = Month()
    nights = []
    for ordinal in range(begins.toordinal() + 1, ends.toordinal() + 1):
        day = date.fromordinal(ordinal)
        if month.name != f"{day:%Y-%m}":
            if month.name:
                yield _told(season, month, tell)
            month = Month(f"{day:%Y-%m}")
        if ordinal in off or (day not in busy and day.weekday() != MONDAY):
            continue
        clock.set(datetime.combine(day, MORNING))
        before = season.arrived
        season.deliver_until(day - DAY)
        _count(month, catch_up_in_process(season.slug), season.arrived - before)
        nights.append(day - DAY)
        season.answer_questions()
        if day in sessions:
            clock.set(datetime.combine(day, EVENING))
            season.assess(day)
    season.compare_after_retention(nights)
    yield _told(season, month, tell)


def _count(month: Month, caught_up: CaughtUp, files: int) -> None:
    phases = [each for each in caught_up.ran if each.phase in RUN_PHASES]
    month.files += files
    month.runs += len(phases)
    month.revisions += sum(each.is_new for each in phases)
    month.made_up += sum(each.days_late > 0 for each in phases)


def _told(season: Season, month: Month, tell: Teller) -> Month:
    sent = len(list(season.home.mail.glob("*.eml")))
    month.mails = sent - season.mails
    season.mails = sent
    tell(say("year.month", campaign=season.slug, **asdict(month)))
    return month


def _finish(
    console: Console, home: Home, played: Sequence[tuple[Season, list[Month]]], seconds: float
) -> None:
    table = Table(title=say("year.title"))
    heads = ("campaign", "files", "runs", "revisions", "made_up", "mails")
    for head in heads:
        table.add_column(say(f"year.head.{head}"))
    for season, months in played:
        sums = [sum(getattr(month, head) for month in months) for head in heads[1:]]
        table.add_row(season.slug, *map(str, sums))
    console.print(table)
    console.print(say("year.look", home=home.root), highlight=False, soft_wrap=True)
    differences = [f"{season.slug} {each}" for season, _ in played for each in season.differences]
    if differences:
        for line in differences:
            console.print(line, highlight=False, markup=False)
        raise CheckFailed("demo.differs", count=len(differences))
    console.print(say("demo.equal", seconds=f"{seconds:.0f}"), highlight=False)
