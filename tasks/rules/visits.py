"""When the next follow-up visit falls due.

Source: 国家基本公共卫生服务规范（第三版）, the service for people with severe mental disorders.
Unstable: within 2 weeks. Basically stable: after 2 weeks, then after 3 months if stable by then,
else after 1 month. Stable: every 3 months. `sql/visits/due.sql` computes the same over the whole
register; a test holds the two together.
"""

from calendar import monthrange
from datetime import date, timedelta

COUNTED_SEEN = ("person", "guardian")
"""Whom a visit must have met to count."""

TWO_WEEKS = timedelta(days=14)


def next_due(visited_on: date, stability: str | None, before: str | None) -> date:
    """Return the day by which the visit after the one on `visited_on` is due.

    `stability` is what the clinician found at that visit (None: not recorded, taken as stable),
    `before` what was found at the visit before it (None: not recorded, or no visit is on record,
    as before the first one: what the register says is no visit's finding, so the shorter interval
    holds).
    """
    if stability == "unstable":
        return visited_on + TWO_WEEKS
    if stability == "basically_stable":
        again = before == "basically_stable"
        return add_months(visited_on, 1) if again else visited_on + TWO_WEEKS
    return add_months(visited_on, 3)


def first_due(confirmed_on: date, last_visited_on: date | None, stability: str | None) -> date:
    """Return the day by which a registered person's first visit of this software is due.

    Counted from the last visit the register knows of, else from the diagnosis.
    """
    return next_due(last_visited_on or confirmed_on, stability, None)


def visit_state(due_on: date, visited_on: date | None, as_of: date) -> str:
    """Return what a due visit is at the end of `as_of`: done, late, open or overdue.

    Judged by the day of the visit, whenever it was entered; a visit not made never disappears.
    """
    if visited_on is not None:
        return "done" if visited_on <= due_on else "late"
    return "open" if due_on >= as_of else "overdue"


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later; the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
