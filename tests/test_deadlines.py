"""Official words become the days docs/plans.md says, and leave rest days by the plan's rule."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.deadlines import (
    REST_DAY_RULES,
    DueDay,
    RestDayRule,
    WordsNotUnderstood,
    due_of_period,
    off_rest_day,
    periods,
    read_day,
    read_period,
)
from tasks.workdays import PublishedWorkdays

PUBLISHED = PublishedWorkdays()
DAYS = st.dates(date(2004, 2, 1), date(2026, 12, 1))
"""Days whose working-day arrangement, and that of the month around them, is published."""


class Weekdays:
    """Knows nothing published: every answer rests on Monday to Friday."""

    def is_workday(self, day: date) -> bool | None:
        return None


class NeverWorked:
    def is_workday(self, day: date) -> bool | None:
        return False


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("2025年10月底", date(2025, 10, 31)),
        ("2025年11月上旬", date(2025, 11, 10)),
        ("2025年11月中旬", date(2025, 11, 20)),
        ("2025年11月下旬", date(2025, 11, 30)),
        ("2024年3月31日前", date(2024, 3, 31)),
        ("2024年5月25日之前", date(2024, 5, 25)),
        ("2024年2月底", date(2024, 2, 29)),
        ("2025年2月下旬", date(2025, 2, 28)),
        ("2025年12月底前", date(2025, 12, 31)),
        ("２０２５年１０月３日", date(2025, 10, 3)),
        (" 2025 年 10 月 3 日 ", date(2025, 10, 3)),
        ("2025-10-31", date(2025, 10, 31)),
        ("6月底", date(2023, 6, 30)),
        ("4月30日前", date(2023, 4, 30)),
    ],
)
def test_official_words_name_a_day(words: str, day: date) -> None:
    assert read_day(words, year=2023) == day


@pytest.mark.parametrize(
    "words",
    [
        "",
        "10月",
        "2025年2月30日",
        "2025年13月底",
        "2025年0月上旬",
        "2025年10月初",
        "年底",
        "20251031",
        "2025-10-32",
        "2025-W44-5",
        "9999-12-31",
        "每月5日",
        "2025年10月底左右",
        "2025年10月31日\n后",
    ],
)
def test_other_words_are_not_guessed(words: str) -> None:
    with pytest.raises(WordsNotUnderstood):
        read_day(words, year=2025)


def test_words_without_a_year_need_one() -> None:
    with pytest.raises(WordsNotUnderstood):
        read_day("10月底")


@pytest.mark.parametrize(
    ("words", "period", "day"),
    [
        ("每月5日", "2026-01", date(2026, 2, 5)),
        ("次月5日", "2026-12", date(2027, 1, 5)),
        ("次月5日前", "2025-11", date(2025, 12, 5)),
        ("每月31日", "2026-01", date(2026, 2, 28)),
        ("每月31日", "2026-03", date(2026, 4, 30)),
        ("季后10日", "2026-Q1", date(2026, 4, 10)),
        ("季后10日内", "2026-Q4", date(2027, 1, 10)),
        ("季后45日", "2026-Q2", date(2026, 8, 14)),
    ],
)
def test_work_of_a_period_is_due_after_it(words: str, period: str, day: date) -> None:
    assert due_of_period(words, read_period(period)) == day


@pytest.mark.parametrize(
    ("words", "period"),
    [
        ("季后10日", "2026-01"),
        ("每月5日", "2026-Q1"),
        ("每月0日", "2026-01"),
        ("每月32日", "2026-01"),
        ("季后0日", "2026-Q1"),
        ("2026年2月5日", "2026-01"),
    ],
)
def test_words_of_another_kind_of_period_are_refused(words: str, period: str) -> None:
    with pytest.raises(WordsNotUnderstood):
        due_of_period(words, read_period(period))


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-Q5", "2026-Q0", "2026-1", "2026", ""])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(WordsNotUnderstood):
        read_period(text)


def test_periods_follow_each_other_over_the_year_end() -> None:
    months = periods(read_period("2025-11"), read_period("2026-02"))
    assert [each.name for each in months] == ["2025-11", "2025-12", "2026-01", "2026-02"]
    quarters = periods(read_period("2025-Q4"), read_period("2026-Q1"))
    assert [(each.name, each.first, each.last) for each in quarters] == [
        ("2025-Q4", date(2025, 10, 1), date(2025, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
    ]


@pytest.mark.parametrize(
    ("day", "rule", "moved"),
    [
        (date(2024, 3, 31), "none", date(2024, 3, 31)),
        (date(2024, 3, 31), "previous-workday", date(2024, 3, 29)),
        (date(2024, 3, 31), "next-workday", date(2024, 4, 1)),
        (date(2024, 5, 25), "previous-workday", date(2024, 5, 24)),
        (date(2024, 5, 25), "next-workday", date(2024, 5, 27)),
        # 5 May 2026 falls in the holiday that starts on 1 May
        (date(2026, 5, 5), "previous-workday", date(2026, 4, 30)),
        (date(2026, 5, 5), "next-workday", date(2026, 5, 6)),
        # make-up workdays: a Saturday and a Sunday on which people work
        (date(2023, 10, 7), "previous-workday", date(2023, 10, 7)),
        (date(2023, 10, 8), "next-workday", date(2023, 10, 8)),
    ],
)
def test_a_rest_day_gives_way_by_the_rule(day: date, rule: RestDayRule, moved: date) -> None:
    assert off_rest_day(day, rule, PUBLISHED) == DueDay(moved, provisional=False)


@pytest.mark.parametrize("rule", ["previous-workday", "next-workday"])
def test_an_unpublished_year_is_provisional_even_on_a_weekday(rule: RestDayRule) -> None:
    assert off_rest_day(date(2035, 1, 5), rule, PUBLISHED).provisional


def test_the_move_into_an_unpublished_year_is_provisional() -> None:
    # Sunday 2 January 2028: with nothing published, the Friday before is the workday before
    moved = off_rest_day(date(2028, 1, 2), "previous-workday", Weekdays())
    assert moved == DueDay(date(2027, 12, 31), provisional=True)


def test_without_a_rule_no_calendar_is_asked() -> None:
    assert off_rest_day(date(2035, 1, 6), "none", NeverWorked()) == DueDay(
        date(2035, 1, 6), provisional=False
    )


def test_a_calendar_without_workdays_is_an_error_not_an_endless_search() -> None:
    with pytest.raises(ValueError, match="no workday"):
        off_rest_day(date(2025, 1, 1), "next-workday", NeverWorked())


def test_late_december_is_open_until_the_next_year_is_published() -> None:
    # the arrangement of 2019, published in December 2018, took the 31st off and the 29th in
    assert PUBLISHED.is_workday(date(2018, 12, 31)) is False
    assert PUBLISHED.is_workday(date(2018, 12, 29)) is True
    last = max(
        year for year in range(2004, 2100) if PUBLISHED.is_workday(date(year, 1, 1)) is False
    )
    assert PUBLISHED.is_workday(date(last, 12, 20)) is not None
    assert PUBLISHED.is_workday(date(last, 12, 31)) is None
    assert PUBLISHED.is_workday(date(last + 1, 1, 5)) is None
    assert PUBLISHED.is_workday(date.max) is None


@given(DAYS, st.sampled_from(REST_DAY_RULES[1:]))
def test_a_moved_day_is_the_nearest_workday_on_its_side(day: date, rule: RestDayRule) -> None:
    moved = off_rest_day(day, rule, PUBLISHED)
    assert not moved.provisional
    assert PUBLISHED.is_workday(moved.day)
    assert (moved.day <= day) if rule == "previous-workday" else (moved.day >= day)
    first, last = sorted((moved.day, day))
    between = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    assert [each for each in between if PUBLISHED.is_workday(each)] == [moved.day]


@given(DAYS, st.sampled_from(REST_DAY_RULES))
def test_moving_twice_is_moving_once(day: date, rule: RestDayRule) -> None:
    once = off_rest_day(day, rule, PUBLISHED)
    assert off_rest_day(once.day, rule, PUBLISHED) == once


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_every_day_is_read_back_from_its_words(day: date) -> None:
    assert read_day(day.isoformat()) == day
    assert read_day(f"{day.year}年{day.month}月{day.day}日前") == day
    assert read_day(f"{day.month}月{day.day}日", day.year) == day


@given(st.integers(1900, 2098), st.integers(1, 12), st.integers(1, 31))
def test_a_monthly_day_falls_in_the_month_after(year: int, month: int, day: int) -> None:
    period = read_period(f"{year:04}-{month:02}")
    due = due_of_period(f"次月{day}日", period)
    assert (due.year, due.month) == (year + month // 12, month % 12 + 1)
    assert due.day == day or (due.day < day and (due + timedelta(days=1)).day == 1)


@given(st.text(max_size=20))
def test_any_text_is_a_day_or_not_understood(text: str) -> None:
    try:
        day = read_day(text, 2025)
    except WordsNotUnderstood:
        return
    assert 1900 <= day.year <= 2099
