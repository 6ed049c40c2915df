"""Which reminder of a deadline goes out: days before and after it, each once, never a pile.

What is owed is DOMAIN.md section 4: `reminders`, "reminders before, notices after; each once".
"""

from collections.abc import Collection
from datetime import date, timedelta

STILL_SENSIBLE = timedelta(days=14)
"""How long after its day a reminder is made up for, where nothing ran on it. Whoever has not
answered for longer than that is reached by telephone, not by mail."""

LIST_BEFORE = 1
"""How many days before the due day the campaign officer gets the list of who has not reported."""


def reminder_days(
    due: date, before_days: Collection[int], after_days: Collection[int]
) -> tuple[date, ...]:
    """Return the days on which a village that has not reported is reminded, the first first."""
    before = {due - timedelta(days=days) for days in before_days}
    after = {due + timedelta(days=days) for days in after_days}
    return tuple(sorted(before | after))


def list_days(
    due: date, before_days: Collection[int], after_days: Collection[int]
) -> tuple[date, ...]:
    """Return the days on which the campaign officer gets the list, the first first.

    The day before, unless nobody is reminded before, and the days on which villages are reminded
    afterwards.
    """
    return reminder_days(due, (LIST_BEFORE,) if before_days else (), after_days)


def reminder_due(
    days: Collection[date], *, opens: date, due: date, as_of: date, today: date
) -> date | None:
    """Return the one of `days` whose reminder is due at `as_of`, or None.

    The newest that has come: those missed before it are let go. None before the phase `opens`; none
    for a day up to `due` once `due` is over `today`, the day on which it would be read; none whose
    day is longer past than STILL_SENSIBLE. `due` is the village's own, its extension counted.
    """
    come = [day for day in days if day <= as_of]
    if not come or as_of < opens:
        return None
    newest = max(come)
    too_late = newest <= due < max(as_of, today) or as_of - newest > STILL_SENSIBLE
    return None if too_late else newest
