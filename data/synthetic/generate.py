"""Writes a whole campaign's input: a plan, an inbox in the order of arrival, and the truth."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

from data.synthetic.chance import chance
from data.synthetic.checklists import send_checklists
from data.synthetic.population import Population, Registered, draw_population, settle
from data.synthetic.referrals import Cast, Entry
from data.synthetic.submissions import CLEAN, DECORATED, STYLES, Post, Sender
from data.synthetic.sweeps import Round
from data.synthetic.truth import Judge, tell_truth
from data.synthetic.visits import (
    Listed,
    draw_visits,
    monthly_arrivals,
    send_register,
    send_visits,
)
from data.synthetic.workbooks import file_content
from tasks.plan import Occurrence, Plan, copy_plan, load_plan
from tasks.rules.deadlines import read_period
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

DAYS_BEFORE = 6
"""How long before the first opening the standing register arrives."""


def generate(
    plan_file: Path,
    out: Path,
    *,
    seed: int = 1,
    villages: int | None = None,
    residents: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write into `out` what everybody would send for the plan, and return the path of truth.json.

    `plan.toml` with its village CSV, `inbox/<YYYY-MM-DDTHHMM>/<file>` (the folder says when a file
    arrives, wall time of the plan's time zone) and `truth.json` (see data/synthetic/truth.py).
    `villages`: how many invented villages take the place of the plan's own. `residents`: of the
    whole township; 2,000 a village, or what the plan's households make, where it is not given.
    `progress` is told a line a step. Raises WrongCommand where the plan has a mistake, `out` holds
    an inbox already, or the sizes are none.
    """
    tell = progress or (lambda line: None)
    plan = load_plan(plan_file)
    chosen, size = settle(seed, plan.health_centre, plan.villages, villages, residents)
    if (out / "inbox").exists():
        raise WrongCommand("error.synth_out", out=out)
    plan = load_plan(copy_plan(plan_file, out, chosen))
    tell(say("synth.population", villages=len(chosen), residents=size))
    population = draw_population(seed, plan.health_centre, chosen, size)
    tell(say("synth.files"))
    campaign = _Campaign(plan, population, seed)
    campaign.send_all()
    judge = Judge()
    _deliver(campaign.post, judge, out, seed)
    truth = {
        "campaign": plan.slug,
        "seed": seed,
        "villages": len(chosen),
        "residents": len(population.people),
        **tell_truth(
            plan,
            population,
            campaign.cast,
            campaign.listed,
            judge,
            chance(seed, plan.slug, "outcomes"),
        ),
    }
    path = out / "truth.json"
    text = json.dumps(truth, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(f"{text}\n", encoding="utf-8")
    tell(say("synth.done", files=len(judge.deliveries), out=out))
    return path


class _Campaign:
    """What is sent in one campaign, phase by phase."""

    def __init__(self, plan: Plan, population: Population, seed: int) -> None:
        self.plan = plan
        self.population = population
        self.seed = seed
        self.post = Post(plan.slug)
        self.calendar = [each for each in plan.calendar if not each.ad_hoc]
        looks = list(STYLES)
        chance(seed, "styles").shuffle(looks)
        self.senders = {
            village.code: Sender(village.code, village.name, looks[at % len(looks)])
            for at, village in enumerate(plan.villages)
        }
        self.listed: list[Listed] = []
        self.cast = self._cast(())

    def send_all(self) -> None:
        """Send everything; the register first, because the sweeps meet people who are on it."""
        if self._of("follow_up"):
            self._send_health_centre()
        earlier: list[Entry] = []
        sweeps = sorted(self._of("sweep"), key=lambda each: (each.opens, each.due, each.round))
        for at, occurrence in enumerate(sweeps):
            draw = self._draw("sweep", occurrence.round)
            senders = self._expected(occurrence)
            sent = Round(occurrence, self.cast, senders, draw, first=at == 0)
            earlier += sent.send(self.post, earlier)
        for phase in ("readiness", "supervision"):
            for at, occurrence in enumerate(self._of(phase)):
                send_checklists(
                    self.post,
                    occurrence,
                    list(self._expected(occurrence).values()),
                    self._draw(phase, occurrence.round),
                    self.population.elsewhere,
                    first=at == 0,
                )

    def _send_health_centre(self) -> None:
        draw = self._draw("follow_up")
        arrival = min(
            each.opens
            for phase in ("sweep", "follow_up", "supervision")
            for each in self._of(phase)
        ) - timedelta(days=DAYS_BEFORE)
        centre = Sender(self.plan.health_centre.code, self.plan.health_centre.name, DECORATED)
        self.listed, at_once = send_register(
            self.post, self.plan, centre, self.population, draw, arrival
        )
        self.cast = self._cast(tuple(at_once))
        months = [read_period(each.period).first for each in self._of("supervision") if each.period]
        months += [each.due.replace(day=1) for each in self._of("follow_up")]
        arrivals = monthly_arrivals(self.plan, arrival, max(months), draw)
        visits = draw_visits(self.listed, arrival, arrivals[-1], draw)
        clean = replace(centre, style=CLEAN)
        elsewhere = self.population.elsewhere
        send_visits(self.post, self.plan, clean, visits, arrivals, draw, elsewhere)

    def _cast(self, register: tuple[Registered, ...]) -> Cast:
        opens: date = min((each.opens for each in self._of("sweep")), default=self.plan.issued)
        return Cast(self.population, register, self._draw("cast"), opens)

    def _of(self, phase: str) -> list[Occurrence]:
        return [each for each in self.calendar if each.phase == phase]

    def _expected(self, occurrence: Occurrence) -> dict[str, Sender]:
        return {
            village.code: self.senders[village.code] for village in self.plan.expected(occurrence)
        }

    def _draw(self, *names: object) -> Random:
        return chance(self.seed, self.plan.slug, *names)


def _deliver(post: Post, judge: Judge, out: Path, seed: int) -> None:
    """Write every file into the folder of its minute and judge it."""
    files: dict[bytes, str] = {}
    for draft in post.in_order():
        file = f"inbox/{draft.received_at:%Y-%m-%dT%H%M}/{draft.stem}.{draft.style.container}"
        path = out / file
        path.parent.mkdir(parents=True, exist_ok=True)
        content = file_content(draft.repeats or draft, seed)
        path.write_bytes(content)
        judge.take(draft, file, files.get(content))
        files.setdefault(content, file)
