"""The official working-day calendar, from the maintained library chinesecalendar."""

from datetime import MAXYEAR, date
from functools import cache

import chinese_calendar


class PublishedWorkdays:
    """Working days as the State Council publishes them, one year at a time, each autumn before."""

    def is_workday(self, day: date) -> bool | None:
        """Return whether `day` is worked, make-up workdays (调休) included.

        None where its arrangement is not published. The arrangement of a year also rules the last
        days of the December before (in 2018 the 29th became a workday and the 31st a holiday), so
        they are not settled before the next year is published.
        """
        if (day.month, day.day) >= (12, 24) and not _published(day.year + 1):
            return None
        return bool(chinese_calendar.is_workday(day)) if _published(day.year) else None


@cache
def _published(year: int) -> bool:
    if year > MAXYEAR:
        return False
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True
