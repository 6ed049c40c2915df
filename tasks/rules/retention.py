"""How long data about a person may stay once it has no more use, and what has to stay longer.

Sources: DOMAIN.md section 3, limit 7 (kept in docs/domain.md): not confirmed, declined, withdrawn
or expired referrals are erased; 个人信息保护法 Arts. 15 and 47 (consent taken back, purpose over);
精神卫生法 Art. 32 (a second diagnosis may be asked for) and Art. 47 (records are kept 30 years at
least). `sql/retention/standing.sql` computes the same over the whole register; a test holds the two
together.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

SETTLED = ("not_confirmed", "declined", "unmanaged")
"""Reasons by which nothing more is going to happen: the shorter time, from the assessment on."""

UNSETTLED = ("unassessed", "reassess", "second_opinion")
"""Reasons by which an assessment may still follow: the longer time, after which it has expired."""

WITHDRAWN = "withdrawn"
"""Consent taken back: at once."""

REASONS = (WITHDRAWN, *SETTLED, *UNSETTLED)

RECORD_YEARS = 30
"""精神卫生法 Art. 47: the records of a diagnosis are kept for 30 years at least."""


@dataclass(frozen=True)
class Outcome:
    """A person's latest outcome that is no `no_show`."""

    outcome: str
    assessed_on: date
    managed: bool = False
    """Whether the person agreed to community management."""
    second_opinion: bool = False
    """Whether the person asked to be assessed again by others."""


def standing(
    consented_on: date, outcome: Outcome | None, withdrawn_on: date | None
) -> tuple[str, date] | None:
    """Return (reason, the day its time runs from) of a referral, None where it has a lasting use.

    `consented_on` is the person's latest consent that stands. A consent given after an outcome asks
    for an assessment anew. A second opinion that was asked for is waited for as long as a first
    one. Who was confirmed but does not want community management is not on the register: the
    diagnosis is the clinic's record, the referral has no more use. Who is on the register stays.
    """
    if withdrawn_on is not None:
        return WITHDRAWN, withdrawn_on
    if outcome is None:
        return "unassessed", consented_on
    if outcome.outcome == "confirmed" and outcome.managed:
        return None
    if consented_on > outcome.assessed_on:
        return "unassessed", consented_on
    return _after(outcome), outcome.assessed_on


def _after(outcome: Outcome) -> str:
    if outcome.outcome == "confirmed":
        return "unmanaged"
    if outcome.outcome == "not_confirmed" and outcome.second_opinion:
        return "second_opinion"
    return outcome.outcome


def days_kept(unconfirmed_days: int, unassessed_days: int) -> MappingProxyType[str, int]:
    """Return reason -> days a referral stays from the day its time runs from."""
    return MappingProxyType(
        {
            WITHDRAWN: 0,
            **dict.fromkeys(SETTLED, unconfirmed_days),
            **dict.fromkeys(UNSETTLED, unassessed_days),
        }
    )


def keep_until(frozen_on: date) -> date:
    """Return the last day on which a record that was frozen on `frozen_on` is kept.

    Counted from the freezing, not from the diagnosis: until then the record was in use.
    """
    try:
        return frozen_on.replace(year=frozen_on.year + RECORD_YEARS)
    except ValueError:  # 29 February
        return frozen_on.replace(year=frozen_on.year + RECORD_YEARS, month=3, day=1)


def is_old(day: date, kept_days: int, as_of: date) -> bool:
    """Return whether a file of `day` has been kept for its `kept_days` by `as_of`."""
    return day + timedelta(days=kept_days) <= as_of
