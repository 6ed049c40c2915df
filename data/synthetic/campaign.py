"""Everything that is sent in one campaign, phase by phase."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from data.synthetic.chance import chance
from data.synthetic.checklists import send_checklists
from data.synthetic.population import Population, Registered
from data.synthetic.referrals import Cast, Entry
from data.synthetic.submissions import CLEAN, DECORATED, STYLES, Post, Sender
from data.synthetic.sweeps import Round
from data.synthetic.visits import (
    Listed,
    draw_visits,
    monthly_arrivals,
    send_register,
    send_visits,
)
from tasks.plan import Occurrence, Plan
from tasks.rules.deadlines import read_period

DAYS_BEFORE = 6
"""How long before the first opening the standing register arrives."""


class Campaign:
    """What is sent in one campaign, phase by phase."""

    def __init__(self, plan: Plan, population: Population, seed: int) -> None:
        """Take the plan, with the villages of `population`; nothing is sent yet."""
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
