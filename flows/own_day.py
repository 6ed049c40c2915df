"""How every phase begins and ends: opened for its own day, its states settled, its run noted.

A run without a day of its own, as a schedule starts it, does what the ledger says is owed for the
day before it was to start, and nothing else: so it does not matter how late it comes, how often, or
what a catch-up did meanwhile. A run that somebody asks for, with its day, always runs.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from flows.artifacts import show_status
from flows.release import send_mail
from flows.steps import RoundFlow, phase_flow, scheduled_day
from tasks.agenda import LeftAlone, owed_runs
from tasks.at_home import AtHome, load_campaign, open_campaign, open_patiently
from tasks.home import Home, default_home
from tasks.ledger import open_ledger
from tasks.phase_life import note_run, settle_phases
from tasks.plan import Occurrence, occurrence_at
from tasks.receipt import Receipt
from tasks.rules.agenda import goes_before, refuse_day_to_come

PATIENCE = 600.0
"""Seconds that a run waits for stores that another process has: an officer takes files in."""

Work = Callable[[AtHome, Occurrence, date], Receipt]
"""What a phase does for one of its occurrences as of a day, with the campaign open."""


def on_its_day(work: Work) -> RoundFlow:
    """Return what a phase does as the flow of the same name: `(campaign, as_of, round)`.

    Without `as_of` for the day before its scheduled start; without `round` for the one that the day
    is about. The run is noted as its last act but mailing: one that was cut off is owed still, and
    safe to run again; a mail server in trouble holds back no phase.
    """
    phase = work.__name__

    def run(
        campaign: str, as_of: date | None = None, round: int | None = None
    ) -> Receipt | LeftAlone:
        day = as_of or own_day(campaign)
        with open_campaign(campaign, phase, day.isoformat(), patience=PATIENCE) as at:
            refuse_day_to_come(day, at.now.date())
            occurrence = occurrence_at(at.plan, phase, day, round)
            settle_phases(at.store, at.plan, at.now)
            left = None if as_of else left_alone(at, phase, occurrence.round, day)
            if left:
                return left
            receipt = work(at, occurrence, day)
            note_run(at.store, campaign, phase, receipt.round, day, receipt.revision, at.now)
            settle_phases(at.store, at.plan, at.now)
            try:
                return replace(receipt, messages=send_mail(at))
            finally:
                show_status(at.store, at.plan, at.now)

    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(run, name, getattr(work, name))
    return phase_flow(run)


def own_day(campaign: str) -> date:
    """Return the day that a run without one is about: the day before it was to start."""
    return scheduled_day(load_campaign(Home(default_home()), campaign).timezone)


def left_alone(at: AtHome, phase: str, round: int, day: date) -> LeftAlone | None:
    """Return what a scheduled run ends with at once, or None where it is owed and next in turn."""
    owes = owed_runs(at.store, at.plan, at.now)
    for own in owes:
        if (own.phase, own.round, own.as_of) == (phase, round, day):
            waits = any(goes_before(each, own) for each in owes)
            return LeftAlone(at.plan.slug, phase, round, day, "waits") if waits else None
    return LeftAlone(at.plan.slug, phase, round, day, "not_owed")


def note_day(at: AtHome, phase: str, day: date) -> None:
    """Note the run of a phase without rounds for `day`, once its stores are closed again."""
    with open_patiently(lambda: open_ledger(at.home, "write"), PATIENCE) as store:
        note_run(store, at.plan.slug, phase, 0, day, None, at.now)
