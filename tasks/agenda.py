"""What a campaign owes, read from its ledger; and what a catch-up of it did."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from tasks.plan import Plan
from tasks.released_days import keep_released
from tasks.rules.agenda import Owed, Round, Run, Standing, Term, owed
from tasks.rules.errors import CampaignError, Exit
from tasks.store import Store


@dataclass(frozen=True)
class Facts:
    """What the ledger says of a campaign's rounds."""

    terms: tuple[Term, ...]
    runs: tuple[Run, ...]
    """The completed ones, the newest last."""
    standing: Standing


@dataclass(frozen=True)
class LeftAlone:
    """What a scheduled run tells the orchestrator that found nothing of its own to do."""

    campaign: str
    phase: str
    round: int
    as_of: date
    because: str
    """`not_owed`: it has run already, or its day moved. `waits`: something has to run before it,
    and the next catch-up runs both in order."""


@dataclass(frozen=True)
class Ran:
    """One run that a catch-up made up for."""

    phase: str
    round: int
    as_of: date
    because: str
    days_late: int
    revision: int | None
    """None for a phase that releases nothing."""
    is_new: bool


@dataclass(frozen=True)
class NotRun:
    """One run that a catch-up owed and could not bring to an end."""

    phase: str
    round: int
    as_of: date
    exit: int
    """The exit code of what stopped it; 0 where it waits for one that was stopped."""
    error: str
    """What stopped it, in a line without values; '' where it waits."""

    @classmethod
    def of_all(cls, as_of: date, error: CampaignError) -> "NotRun":
        """Return what stopped not one run but the catch-up itself, or its letters."""
        told = error.outside()
        return cls("catch_up", 0, as_of, int(told.exit), told.text())

    def __str__(self) -> str:
        """Name it in words that the orchestrator may keep."""
        return f"{self.phase}-{self.round} {self.as_of}"


@dataclass(frozen=True)
class CaughtUp:
    """The one thing a catch-up tells the orchestrator: phases, rounds and days."""

    campaign: str
    as_of: date
    """The last full day it looked at."""
    ran: tuple[Ran, ...]
    not_run: tuple[NotRun, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for `--json`; the round is null where there is none."""
        return {
            "campaign": self.campaign,
            "as_of": self.as_of.isoformat(),
            **{
                name: [
                    asdict(each) | {"as_of": each.as_of.isoformat(), "round": each.round or None}
                    for each in found
                ]
                for name, found in (("ran", self.ran), ("not_run", self.not_run))
            },
        }


class CatchUpFailed(CampaignError):
    """Some of what a campaign owes could not be run; `caught_up` says what was and what was not."""

    caught_up: CaughtUp

    @classmethod
    def of(cls, caught_up: CaughtUp) -> "CatchUpFailed":
        """Return the error of a catch-up; its exit code is the worst of what failed."""
        failed = [each for each in caught_up.not_run if each.error]
        waiting = [each for each in caught_up.not_run if not each.error]
        error = cls(
            "life.not_all_run",
            campaign=caught_up.campaign,
            failed=tuple(map(str, failed)),
            waiting=tuple(map(str, waiting)),
        )
        error.caught_up = caught_up
        error.exit = Exit(max(each.exit for each in failed))
        return error


def owed_runs(store: Store, plan: Plan, now: datetime) -> list[Owed]:
    """Return the runs the campaign owes at `now`, wall time of its plan's zone, in their order.

    Reads the ledger only, which knows the files that were taken in, not those in the inbox.
    """
    facts = read_facts(store, plan)
    return owed(facts.terms, facts.runs, facts.standing, issued=plan.issued, now=now)


def read_facts(store: Store, plan: Plan) -> Facts:
    """Return the campaign's rounds, its completed runs, and what these rest on."""
    plan = keep_released(store, plan)
    later: dict[str, dict[Round, list[date]]] = {"extended": {}, "reopened": {}}
    for phase, round, day in store.rows("life/extensions", campaign=plan.slug):
        later["extended"].setdefault((phase, round), []).append(day)
    for row in store.records("life/transitions", campaign=plan.slug):
        if row["until"] is not None:
            key = row["phase"], row["round"]
            later["reopened"].setdefault(key, []).append(row["until"])
    terms = tuple(
        Term(
            phase=each.phase,
            round=each.round,
            opens=each.opens,
            due=each.due,
            extended_to=tuple(later["extended"].get((each.phase, each.round), ())),
            reopened_until=tuple(later["reopened"].get((each.phase, each.round), ())),
            is_ad_hoc=each.ad_hoc,
            is_approved=each.approved or not each.ad_hoc,
        )
        for each in plan.calendar
    )
    return Facts(terms, read_runs(store, plan.slug), read_standing(store, plan.slug))


def read_standing(store: Store, campaign: str) -> Standing:
    """Return what the ledger says now of what the campaign's runs rest on."""
    arrived = store.rows("life/arrived", campaign=campaign)
    revisions = store.rows("life/revisions", campaign=campaign)
    return Standing(
        {(phase, round): seen for phase, round, seen in arrived},
        {(phase, round): revision for phase, round, revision, _ in revisions},
        {(phase, round): period for phase, round, _, period in revisions if period},
    )


def read_runs(store: Store, campaign: str, before: datetime | None = None) -> tuple[Run, ...]:
    """Return the runs of a campaign that completed, the newest last; `before`: by then."""
    return tuple(
        Run(
            phase=row["phase"],
            round=row["round"],
            as_of=row["as_of"],
            ran_on=row["ran_at"].date(),
            arrived=row["arrived"],
            followed=row["followed"],
        )
        for row in store.records("life/runs", campaign=campaign)
        if before is None or row["ran_at"] < before
    )
