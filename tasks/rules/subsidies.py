"""Guardians' subsidies as counts: applied for, reviewed, paid, and waiting for too long.

Counts of applications, by month, and nothing else. No amount is asked for or kept anywhere: by
DOMAIN.md section 3 (limits 2 and 10) nobody but health staff may learn a rating, and where a
township pays more for a higher one the amount would tell it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class SubsidyMonth:
    """What one village reported of one month; counts of applications."""

    last_day: date
    applied: int
    reviewed: int | None
    """None where the village did not say."""
    paid: int


@dataclass(frozen=True)
class SubsidyAccount:
    """A village's applications over all its months. Exact: health side only."""

    applied: int
    reviewed: int | None
    """None where no month said it."""
    paid: int
    overdue: int
    """Applied for so long ago that they should be paid, and not paid."""

    @property
    def waiting(self) -> int:
        """Applied for and not paid yet, overdue or not."""
        return max(0, self.applied - self.paid)


def account(months: Sequence[SubsidyMonth], as_of: date, days: int) -> SubsidyAccount:
    """Return the account of one village at the end of `as_of`.

    `months`: each month once, up to `as_of`. First in, first out: what is paid is paid for the
    oldest application. A month's applications count from its last day, since their own days are
    not reported; they are overdue once more than `days` days have passed since.
    """
    old = sum(each.applied for each in months if each.last_day + timedelta(days=days) < as_of)
    paid = sum(each.paid for each in months)
    said = [each.reviewed for each in months if each.reviewed is not None]
    return SubsidyAccount(
        applied=sum(each.applied for each in months),
        reviewed=sum(said) if said else None,
        paid=paid,
        overdue=max(0, old - paid),
    )
