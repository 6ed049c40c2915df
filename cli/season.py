"""A campaign played on invented input: files arrive, the officer and the clinic do their part.

For the demonstrations: everything goes through the same code as the commands do.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cli.run_view import phase_name
from data.synthetic.comparison import (
    answers,
    campaign_differences,
    delivery_differences,
    people_by_referral,
    read_references,
    sessions_of_people,
)
from data.synthetic.forgotten import Assessed, Source, forgotten
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
from tasks.rules.wording import say
from tasks.set_up import set_up

PLANS = Path(__file__).parent.parent / "data" / "campaigns"


@dataclass
class Season:
    """A campaign that is played: its truth, and which of its files have arrived."""

    home: Home
    slug: str
    folder: Path
    truth: dict[str, Any]
    tell: Callable[[str], None]
    arrived: int = 0
    mails: int = 0
    """How many messages its mail server had received when it was looked at last."""
    differences: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("read", *VERDICTS), 0))
    receipts: list[Receipt] = field(default_factory=list)
    assessed: list[Assessed] = field(default_factory=list)

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
            asked = [
                each
                for each in at.store.records("demo/questions", campaign=self.slug)
                if each["answer"] is None
            ]
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
        if asked:
            self.tell(say("demo.answered", count=len(asked)))

    def assess(self, session: date) -> None:
        """Let the clinic see who is booked on `session`, and take its outcomes in that evening."""
        with open_campaign(self.slug, "demo", "demonstration") as at:
            people = people_by_referral(at.store, self.slug, self.truth)
            sources = {ref: each for each, ref in read_references(at.store, self.slug).items()}
            rows = []
            for booked in sessions_of_people(at.store, self.slug, people).values():
                reference = booked.get(session)
                if reference is None:
                    continue
                turn = sorted(booked).index(session)
                outcomes = people[reference]["outcomes"]
                if turn < len(outcomes):
                    rows.append(
                        {"referral_ref": reference, "assessed_on": session, **outcomes[turn]}
                    )
            if not rows:
                return
            self.assessed += [_assessed(sources[row["referral_ref"]], row) for row in rows]
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

    def compare_after_retention(self, nights: Sequence[date]) -> None:
        """Set everything beside the truth, less what retention as of `nights` had to erase."""
        with open_campaign(self.slug, "demo", "demonstration") as at:
            gone = forgotten(self.truth, at.plan, self.assessed, nights)
            self.differences += campaign_differences(at.store, at.plan, self.truth, gone)


def _assessed(source: Source, row: dict[str, Any]) -> Assessed:
    return Assessed(
        source,
        row["assessed_on"],
        row["outcome"],
        managed=bool(row["management_consent"]),
        second_opinion=bool(row["second_opinion_requested"]),
    )


def begin_season(
    home: Home,
    slug: str,
    villages: int | None,
    residents: int | None,
    seed: int,
    tell: Callable[[str], None],
) -> Season:
    """Set up the campaign `slug` in `home` with invented input; nothing has arrived yet."""
    folder = home.root / "synthetic" / slug
    truth = generate(
        PLANS / f"{slug}.toml", folder, seed=seed, villages=villages, residents=residents
    )
    set_up(home, folder / "plan.toml")
    tell(say("demo.written", campaign=slug, folder=folder))
    content = json.loads(truth.read_text(encoding="utf-8"))
    return Season(home, slug, folder, content, tell)


@contextmanager
def mail_server(home: Home) -> Iterator[None]:
    """Have all mail of this process go to a server on loopback that keeps it in the home."""
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
