"""When a message is tried again: later and later, and not for ever."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.backoff import PATIENCE, WAITS, next_try

FIRST = datetime(2025, 11, 1, 0, 10)


def tries_of(first: datetime) -> list[datetime]:
    """Every moment at which a message is tried that is never taken, each on its minute."""
    moments = [first]
    while (later := next_try(len(moments), first, moments[-1])) is not None:
        moments.append(later)
    return moments


def test_the_waits_grow_to_half_a_day() -> None:
    moments = tries_of(FIRST)
    waited = [later - earlier for earlier, later in pairwise(moments)]
    minutes = [wait // timedelta(minutes=1) for wait in waited]
    assert minutes[:5] == [5, 15, 60, 240, 720]
    assert set(minutes[5:]) == {720}


def test_a_message_is_given_up_after_three_days() -> None:
    last = tries_of(FIRST)[-1]
    assert timedelta(days=3) <= last - FIRST < timedelta(days=4)


def test_a_computer_that_slept_for_a_week_has_not_tried_for_a_week() -> None:
    later = FIRST + timedelta(days=7)
    assert next_try(2, FIRST, later) == later + WAITS[1]


@given(
    tries=st.integers(1, 1000),
    since_first=st.timedeltas(timedelta(days=-2), timedelta(days=400)),
)
def test_another_try_lies_ahead_or_never_comes(tries: int, since_first: timedelta) -> None:
    now = FIRST + since_first
    later = next_try(tries, FIRST, now)
    if later is None:
        assert tries > len(WAITS)
        assert since_first >= PATIENCE
    else:
        assert WAITS[0] <= later - now <= WAITS[-1]
