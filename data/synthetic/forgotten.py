"""What retention must have erased by a day, worked out from the truth alone.

Written apart from tasks/rules/retention.py and its SQL, so that the two hold each other: DOMAIN.md
section 3, limit 7, with the days of the plan. A person here is who the truth says it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tasks.plan import Plan

Source = tuple[str, int, int]
"""Village, round and row number of a referral."""


@dataclass(frozen=True)
class Assessed:
    """An outcome that the clinic sent, and the referral it named."""

    source: Source
    on: date
    outcome: str
    managed: bool
    second_opinion: bool


@dataclass(frozen=True)
class _Consent:
    source: Source
    given: date
    arrived: date


def forgotten(
    truth: dict[str, Any], plan: Plan, assessed: Sequence[Assessed], nights: Sequence[date]
) -> frozenset[Source]:
    """Return the referrals that retention has erased which ran as of `nights`, in order."""
    consents = {
        (village, number, row): _Consent(
            (village, number, row), date.fromisoformat(given), datetime.fromisoformat(came).date()
        )
        for village, number, row, given, came in truth["consents"]
    }
    gone: set[Source] = set()
    for person in truth["persons"]:
        own = [consents[village, number, row] for village, number, row in person["sources"]]
        gone |= _gone(plan, own, assessed, nights)
    return frozenset(gone)


def _gone(
    plan: Plan, own: Sequence[_Consent], assessed: Sequence[Assessed], nights: Sequence[date]
) -> set[Source]:
    gone: set[Source] = set()
    for night in nights:
        here = [each for each in own if each.arrived <= night and each.source not in gone]
        named = {each.source for each in here}
        told = [
            each
            for each in assessed
            if each.source in named and each.on <= night and each.outcome != "no_show"
        ]
        if here and _is_over(plan, max(each.given for each in here), told, night):
            gone |= named
    return gone


def _is_over(plan: Plan, consented: date, told: Sequence[Assessed], night: date) -> bool:
    kept = plan.rules.retention
    last = max(told, key=lambda each: each.on, default=None)
    if last is None or (consented > last.on and not (last.outcome == "confirmed" and last.managed)):
        return consented + timedelta(days=kept.unassessed_days) <= night
    if last.outcome == "confirmed" and last.managed:
        return False
    waits = last.outcome == "reassess" or (last.outcome == "not_confirmed" and last.second_opinion)
    days = kept.unassessed_days if waits else kept.unconfirmed_days
    return max(last.on, consented) + timedelta(days=days) <= night
