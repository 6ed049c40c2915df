"""`campaign demo`: an earlier campaign and a whole autumn one, on synthetic input, as it happens.

Files arrive on their days, phases run on theirs, a village is late, refused rows come back
corrected, the officer answers the doubtful pairs, a clinic assesses, two months are supervised.
Everything goes through the same commands' code, a real Prefect server and a real mail server.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.run_view import phase_name
from cli.server import prefect_server
from data.synthetic.comparison import (
    answers,
    campaign_differences,
    delivery_differences,
    people_by_reference,
    read_references,
)
from data.synthetic.generate import generate
from data.synthetic.outcomes import write_outcomes
from tasks.at_home import AtHome, load_campaigns, open_campaign
from tasks.home import Home
from tasks.plan import Plan
from tasks.post_office import open_post_office
from tasks.questions import answer_question
from tasks.receipt import Receipt
from tasks.receive import Received, receive
from tasks.rules.contract import VERDICTS
from tasks.rules.errors import CheckFailed
from tasks.rules.wording import say
from tasks.set_up import set_up

PLANS = Path(__file__).parent.parent / "data" / "campaigns"
EARLIER, MAIN = "spring-2025", "autumn-2025"


@dataclass
class Season:
    """One campaign of the demonstration: its truth, and which of its files have arrived."""

    home: Home
    slug: str
    folder: Path
    truth: dict[str, Any]
    tell: Callable[[str], None]
    arrived: int = 0
    differences: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("read", *VERDICTS), 0))
    receipts: list[Receipt] = field(default_factory=list)

    def deliver_until(self, day: date) -> None:
        """Take in what arrives up to the end of `day`, each file at its minute."""
        waiting = self.truth["deliveries"][self.arrived :]
        due = [
            each for each in waiting if datetime.fromisoformat(each["received_at"]).date() <= day
        ]
        if not due:
            return
        with open_campaign(self.slug, "demo", "demonstration") as at:
            plans = load_campaigns(self.home)
            for delivery in due:
                self._take(at, plans, delivery)
        self.arrived += len(due)
        self.tell(say("demo.received", day=day, files=len(due)))

    def _take(self, at: AtHome, plans: dict[str, Plan], delivery: dict[str, Any]) -> None:
        when = datetime.fromisoformat(delivery["received_at"])
        path = self.folder / delivery["file"]
        (received,) = receive(
            at.store, self.home, plans, [path], received_at=when, recorded_at=at.now, act=at.act
        )
        self.differences += delivery_differences(received, delivery)
        self._count(received)

    def _count(self, received: Received) -> None:
        for name, count in received.result.rows.items():
            self.rows[name] += count

    def run(self, phase: str, as_of: date, round: int | None = None) -> None:
        """Run a phase as of a day, with everything that has arrived by its end."""
        from flows.phase_flows import run  # noqa: PLC0415 # Prefect reads its settings on import

        self.deliver_until(as_of)
        receipt = run(phase, self.slug, as_of, round)
        self.receipts.append(receipt)
        key = "demo.ran" if receipt.is_new else "demo.ran_same"
        self.tell(say(key, day=as_of, phase=phase_name(receipt), revision=receipt.revision))

    def answer_questions(self) -> None:
        """Answer every doubtful pair as the officer would who knows the people."""
        with open_campaign(self.slug, "demo", "demonstration") as at:
            right = answers(self.truth, read_references(at.store, self.slug))
            asked = at.store.records("demo/questions", campaign=self.slug)
            for question in asked:
                answer = right.get(frozenset((question["ref_a"], question["ref_b"])))
                if answer is None:
                    self.differences.append(f"question {question['reason']} is not in the truth")
                    continue
                answer_question(
                    at.store,
                    self.slug,
                    question["question_id"],
                    answer,
                    "demo officer",
                    at=at.now,
                    act=at.act,
                )
        self.tell(say("demo.answered", count=len(asked)))

    def assess(self, session: date) -> None:
        """Let the clinic see who is booked on `session`, and take its outcomes in that evening."""
        with open_campaign(self.slug, "demo", "demonstration") as at:
            people = people_by_reference(at.store, self.slug, self.truth)
            booked = at.store.records("demo/sessions", campaign=self.slug)
            seen: dict[str, int] = {}
            rows = []
            for booking in booked:
                reference = booking["person_ref"]
                turn = seen.get(reference, 0)
                seen[reference] = turn + 1
                outcomes = people[reference]["outcomes"]
                if booking["session_date"] == session and turn < len(outcomes):
                    rows.append(
                        {"referral_ref": reference, "assessed_on": session, **outcomes[turn]}
                    )
            if not rows:
                return
            path = self.folder / f"outcomes-{session.isoformat()}.xlsx"
            wrong = write_outcomes(path, at.plan, rows, wrong=("diagnosis_only_confirmed",))
            evening = datetime(session.year, session.month, session.day, 18)  # noqa: DTZ001 # plan's wall time
            plans = load_campaigns(self.home)
            (received,) = receive(
                at.store,
                self.home,
                plans,
                [path],
                received_at=evening,
                recorded_at=at.now,
                act=at.act,
            )
            self._count(received)
            returned = [row.row for row in received.result.returned]
            if received.result.refused or returned != [row["row"] for row in wrong]:
                self.differences.append(f"outcomes of {session}: returned {returned}")
        self.tell(say("demo.assessed", day=session))

    def compare(self) -> None:
        """Set everything found beside the truth."""
        with open_campaign(self.slug, "demo", "demonstration") as at:
            self.differences += campaign_differences(at.store, at.plan, self.truth)


def run_demo(home: Home, *, villages: int, residents: int, seed: int) -> None:
    """Run the demonstration in an empty home and end with a table and where to look.

    Raises CheckFailed where what was found is not what truth.json says.
    """
    console = Console()
    started = time.monotonic()

    def tell(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:5.1f} s[/dim]  {line}", highlight=False)

    with prefect_server(home) as wait, _mail(home):
        tell(say("demo.starting"))
        seasons = [_season(home, slug, villages, residents, seed, tell) for slug in (EARLIER, MAIN)]
        wait()
        tell(say("demo.started"))
        earlier, main = seasons
        _run_earlier(earlier)
        _run_main(main)
    _finish(console, home, seasons, time.monotonic() - started)


def _season(
    home: Home, slug: str, villages: int, residents: int, seed: int, tell: Callable[[str], None]
) -> Season:
    folder = home.root / "synthetic" / slug
    truth = generate(
        PLANS / f"{slug}.toml", folder, seed=seed, villages=villages, residents=residents
    )
    set_up(home, folder / "plan.toml")
    tell(say("demo.written", campaign=slug, folder=folder))
    content = json.loads(truth.read_text(encoding="utf-8"))
    return Season(home, slug, folder, content, tell)


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
            (each.due, _month(season, each.due, each.round))
            for each in plan.calendar
            if each.phase == "supervision"
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


def _month(season: Season, day: date, round: int) -> Callable[[], None]:
    return lambda: season.run("supervision", day, round)


def _last_arrival(season: Season, phase: str | None = None) -> date:
    return max(
        datetime.fromisoformat(each["received_at"]).date()
        for each in season.truth["deliveries"]
        if phase in (None, each["phase"])
    )


@contextmanager
def _mail(home: Home) -> Iterator[None]:
    with open_post_office(home.mail) as office:
        os.environ.update(
            {
                "CAMPAIGN_SMTP_HOST": office.host,
                "CAMPAIGN_SMTP_PORT": str(office.port),
                "CAMPAIGN_SMTP_SENDER": "campaign@health.example",
                "CAMPAIGN_SMTP_SECURITY": "none",
            }
        )
        yield


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
    counts = "、".join(f"{say(f'verdict.{name}')} {count}" for name, count in main.rows.items())
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
