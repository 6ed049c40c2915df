"""From the words of an official plan to a due day, and off a rest day where the plan says so.

Source of the words: DOMAIN.md section 4 (kept in docs/domain.md). A due day ends at 24:00 in the
plan's time zone; days here are days of that zone.
"""

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

RestDayRule = Literal["none", "previous-workday", "next-workday"]
REST_DAY_RULES: tuple[RestDayRule, ...] = ("none", "previous-workday", "next-workday")

# "N日前" includes day N, so 前 changes nothing.
_DAY = re.compile(
    r"(?:(?P<year>(?:19|20)\d{2})年)?(?P<month>\d{1,2})月"
    r"(?:(?P<day>\d{1,2})日|(?P<part>上旬|中旬|下旬|底))(?:之?前)?"
)
_MONTHLY = re.compile(r"(?:每月|次月)(?P<day>\d{1,2})日(?:之?前)?")
_QUARTERLY = re.compile(r"季后(?P<days>\d{1,2})日(?:内|之?前)?")
_PERIOD = re.compile(r"(?P<year>(?:19|20)\d{2})-(?:(?P<month>\d{2})|Q(?P<quarter>[1-4]))")

_LONGEST_REST = 31
"""No official holiday comes near it; a calendar that knows no workday in it is broken."""


class WordsNotUnderstood(ValueError):
    """The words are none of those that official plans use for a day."""


class WorkdayCalendar(Protocol):
    """Which days are worked: weekdays that are no holiday, and the make-up workdays (调休)."""

    def is_workday(self, day: date) -> bool | None:
        """Return whether `day` is worked; None where its arrangement is not published yet."""


@dataclass(frozen=True)
class DueDay:
    """A due day, `provisional` where the working-day calendar it rests on is not published yet."""

    day: date
    provisional: bool


@dataclass(frozen=True)
class Period:
    """A month (`2025-11`) or a quarter (`2026-Q1`), with its first and last day."""

    name: str
    first: date
    last: date

    @property
    def quarterly(self) -> bool:
        """Whether it is a quarter."""
        return "Q" in self.name


def read_day(words: str, year: int | None = None) -> date:
    """Return the day that an ISO date or the words of an official plan name.

    上旬 is day 10, 中旬 day 20, 下旬 and 底 the last day of the month, `N日前` day N itself. Words
    without a year take `year`. Raises WordsNotUnderstood for anything else, and for a day that the
    month does not have.
    """
    plain = _plain(words)
    found = _DAY.fullmatch(plain)
    try:
        if found is None:
            return _iso_day(plain)
        named_year = int(found["year"]) if found["year"] else year
        if named_year is None:
            raise WordsNotUnderstood(words)
        month = int(found["month"])
        if found["day"]:
            return date(named_year, month, int(found["day"]))
        return _day_of_part(named_year, month, found["part"])
    except ValueError:
        raise WordsNotUnderstood(words) from None


def read_period(text: str) -> Period:
    """Return the period that `2025-11` or `2026-Q1` names; raises WordsNotUnderstood otherwise."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise WordsNotUnderstood(text)
    year = int(found["year"])
    if found["quarter"]:
        return _quarter(year, int(found["quarter"]))
    if not 1 <= int(found["month"]) <= 12:
        raise WordsNotUnderstood(text)
    return _month(year, int(found["month"]))


def periods(first: Period, last: Period) -> tuple[Period, ...]:
    """Return all periods from `first` to `last`, both included, of the kind of `first`."""
    following = [first]
    while following[-1].first < last.first:
        following.append(_after(following[-1]))
    return tuple(following)


def due_of_period(words: str, period: Period) -> date:
    """Return the day by which the work of `period` is due.

    For a month `每月N日` or `次月N日`: day N of the next month (its last day, where it has no day
    N). For a quarter `季后N日`: N days after its end. Raises WordsNotUnderstood for other words.
    """
    found = (_QUARTERLY if period.quarterly else _MONTHLY).fullmatch(_plain(words))
    if found is None:
        raise WordsNotUnderstood(words)
    if period.quarterly:
        days = int(found["days"])
        if days == 0:
            raise WordsNotUnderstood(words)
        return period.last + timedelta(days=days)
    day = int(found["day"])
    if not 1 <= day <= 31:
        raise WordsNotUnderstood(words)
    following = _after(period)
    return following.first.replace(day=min(day, following.last.day))


def off_rest_day(day: date, rule: RestDayRule, calendar: WorkdayCalendar) -> DueDay:
    """Return `day`, moved by `rule` to the nearest workday before or after it.

    Where the calendar has not published a day, Monday to Friday are taken as worked and the answer
    is provisional. Under `none` no calendar is asked, so the answer is never provisional.
    """
    if rule == "none":
        return DueDay(day, provisional=False)
    step = timedelta(days=-1 if rule == "previous-workday" else 1)
    provisional = False
    for _ in range(_LONGEST_REST):
        worked = calendar.is_workday(day)
        if worked is None:
            provisional = True
            worked = day.weekday() < 5
        if worked:
            return DueDay(day, provisional)
        day += step
    raise ValueError("the working-day calendar knows no workday within a month")


def _plain(words: str) -> str:
    return "".join(unicodedata.normalize("NFKC", words).split())


def _iso_day(text: str) -> date:
    # fromisoformat also reads 20251031 and week dates, which no plan means
    if re.fullmatch(r"(?:19|20)\d{2}-\d{2}-\d{2}", text) is None:
        raise ValueError(text)
    return date.fromisoformat(text)


def _day_of_part(year: int, month: int, part: str) -> date:
    first = date(year, month, 1)
    if part == "上旬":
        return first.replace(day=10)
    if part == "中旬":
        return first.replace(day=20)
    return first.replace(day=monthrange(year, month)[1])


def _month(year: int, month: int) -> Period:
    last = date(year, month, monthrange(year, month)[1])
    return Period(f"{year:04}-{month:02}", last.replace(day=1), last)


def _quarter(year: int, quarter: int) -> Period:
    first, last = _month(year, 3 * quarter - 2), _month(year, 3 * quarter)
    return Period(f"{year:04}-Q{quarter}", first.first, last.last)


def _after(period: Period) -> Period:
    day = period.last + timedelta(days=1)
    if period.quarterly:
        return _quarter(day.year, (day.month + 2) // 3)
    return _month(day.year, day.month)
