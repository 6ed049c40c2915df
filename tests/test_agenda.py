"""What a campaign owes: each run once, in order, as of its own day, whatever happened before."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.agenda import (
    BECAUSE,
    DAY,
    Owed,
    Round,
    Run,
    Standing,
    Term,
    catch_up_moment,
    goes_before,
    owed,
    usual_day,
)
from tasks.rules.contract import RUN_PHASES
from tasks.rules.errors import WrongCommand

ISSUED = date(2025, 9, 1)
SWEEP = Term("sweep", 1, date(2025, 10, 1), date(2025, 10, 31))
LIST = Term("list_compilation", 0, date(2025, 11, 1), date(2025, 11, 10))
AGGREGATION = Term("aggregation", 0, date(2025, 11, 11), date(2025, 11, 20))
QUEUE = Term("diagnosis_queue", 0, date(2025, 11, 10), date(2025, 12, 31))
READINESS = Term("readiness", 0, date(2025, 9, 1), date(2025, 9, 30))
NEVER_RAN: tuple[Run, ...] = ()
NOTHING_CAME = Standing({}, {})
EXTENDED = date(2025, 11, 5)


def at(day: date, clock: time = time(0, 10)) -> datetime:
    return datetime.combine(day, clock)


def owes(
    terms: Sequence[Term],
    now: datetime,
    runs: Sequence[Run] = NEVER_RAN,
    standing: Standing = NOTHING_CAME,
    nightly: Sequence[str] = (),
) -> list[Owed]:
    return owed(terms, runs, standing, issued=ISSUED, now=now, nightly=nightly)


def ran(term: Term, as_of: date, on: date | None = None, **known: Any) -> Run:
    return Run(term.phase, term.round, as_of, on or as_of + DAY, **known)


# --- due days -------------------------------------------------------------------------------------


def test_a_phase_is_owed_from_the_day_after_its_due_day() -> None:
    assert owes([SWEEP], at(SWEEP.due, time(23, 59))) == []
    assert owes([SWEEP], at(SWEEP.due + DAY, time(0, 0))) == [Owed("sweep", 1, SWEEP.due, "due")]


def test_a_phase_that_was_missed_is_owed_as_of_its_own_day() -> None:
    found = owes([SWEEP], at(SWEEP.due + 8 * DAY))
    assert found == [Owed("sweep", 1, SWEEP.due, "due", days_late=7)]


def test_a_run_before_the_day_was_over_is_not_the_days_run() -> None:
    by_hand = [ran(SWEEP, SWEEP.due - 9 * DAY), ran(SWEEP, SWEEP.due, on=SWEEP.due)]
    assert owes([SWEEP], at(SWEEP.due + DAY), by_hand) == [Owed("sweep", 1, SWEEP.due, "due")]
    assert owes([SWEEP], at(SWEEP.due + DAY), [ran(SWEEP, SWEEP.due)]) == []


def test_a_run_by_hand_after_the_due_day_is_enough() -> None:
    assert owes([SWEEP], at(SWEEP.due + 9 * DAY), [ran(SWEEP, SWEEP.due + 3 * DAY)]) == []


def test_a_due_day_that_moved_on_is_owed_anew() -> None:
    moved = replace(SWEEP, due=SWEEP.due + 3 * DAY)
    early = [ran(SWEEP, SWEEP.due)]
    assert owes([moved], at(moved.due), early) == []
    assert owes([moved], at(moved.due + DAY), early) == [Owed("sweep", 1, moved.due, "due")]


def test_phases_come_in_the_order_of_their_days_then_of_the_plan() -> None:
    same_day = [replace(each, due=AGGREGATION.due) for each in (AGGREGATION, LIST)]
    supervised = [Term("supervision", n, ISSUED, AGGREGATION.due) for n in (2, 1)]
    found = owes([*supervised, *same_day, SWEEP], at(AGGREGATION.due + DAY))
    assert [(each.phase, each.round) for each in found] == [
        ("sweep", 1),
        ("list_compilation", 0),
        ("aggregation", 0),
        ("supervision", 1),
        ("supervision", 2),
    ]


@pytest.mark.parametrize("phase", RUN_PHASES)
def test_every_phase_is_owed_once_its_due_day_is_over(phase: str) -> None:
    term = replace(READINESS, phase=phase)
    assert [each.as_of for each in owes([term], at(term.due + DAY))] == [term.due]


def test_what_was_due_before_the_plan_was_issued_is_owed_at_once() -> None:
    """Plan B asks for readiness nine days before its own day of issue."""
    term = replace(READINESS, opens=date(2025, 8, 1), due=ISSUED - 9 * DAY)
    found = owes([term], at(ISSUED))
    assert found == [Owed("readiness", 0, term.due, "due", days_late=8)]


def test_a_campaign_set_up_long_after_its_end_owes_each_phase_once() -> None:
    terms = [SWEEP, LIST, AGGREGATION, QUEUE]
    found = owes(terms, at(date(2029, 1, 1), time(9)), nightly=("retention", "reminders"))
    assert [(each.phase, each.as_of) for each in found] == [
        *((each.phase, each.due) for each in terms),
        ("retention", date(2028, 12, 31)),
    ]


# --- extensions, reopenings, ad-hoc sweeps --------------------------------------------------------


def test_each_extensions_day_is_owed_once_it_is_over() -> None:
    term = replace(SWEEP, extended_to=(EXTENDED, EXTENDED, EXTENDED + 2 * DAY))
    on_time = [ran(SWEEP, SWEEP.due)]
    assert owes([term], at(EXTENDED), on_time) == []
    assert owes([term], at(EXTENDED + DAY), on_time) == [Owed("sweep", 1, EXTENDED, "extended")]
    missed = owes([term], at(EXTENDED + 9 * DAY))
    assert [(each.as_of, each.because, each.days_late) for each in missed] == [
        (SWEEP.due, "due", 13),
        (EXTENDED, "extended", 8),
        (EXTENDED + 2 * DAY, "extended", 6),
    ]


def test_a_reopened_phase_is_owed_when_that_is_over_and_left_alone_until_then() -> None:
    until = SWEEP.due + 20 * DAY
    term = replace(SWEEP, reopened_until=(until,))
    before = [ran(SWEEP, SWEEP.due)]
    came = Standing({("sweep", 1): "more"}, {})
    assert owes([term], at(until), before, came) == []
    assert owes([term], at(until + DAY), before, came) == [Owed("sweep", 1, until, "reopened")]
    after = [*before, ran(SWEEP, until, arrived="more")]
    assert owes([term], at(until + 2 * DAY), after, came) == []


def test_an_ad_hoc_sweep_is_owed_where_it_was_approved_and_on_its_day_only() -> None:
    term = replace(SWEEP, is_ad_hoc=True, is_approved=False, extended_to=(EXTENDED,))
    assert owes([term], at(EXTENDED + DAY)) == []
    approved = replace(term, is_approved=True)
    assert owes([approved], at(EXTENDED + DAY)) == [Owed("sweep", 1, SWEEP.due, "due", 5)]
    came = Standing({("sweep", 1): "more"}, {})
    assert owes([approved], at(EXTENDED + DAY), [ran(SWEEP, SWEEP.due)], came) == []


# --- news -----------------------------------------------------------------------------------------


def test_what_came_after_the_newest_run_is_owed_the_day_after_it_came() -> None:
    runs = [ran(SWEEP, SWEEP.due, arrived="on time")]
    late = Standing({("sweep", 1): "on time and late"}, {})
    # on the day it came, the day before is what has run already
    assert owes([SWEEP], at(SWEEP.due + DAY, time(15)), runs, late) == []
    found = owes([SWEEP], at(SWEEP.due + 2 * DAY), runs, late)
    assert found == [Owed("sweep", 1, SWEEP.due + DAY, "news")]
    after = [*runs, ran(SWEEP, SWEEP.due + DAY, arrived="on time and late")]
    assert owes([SWEEP], at(SWEEP.due + 2 * DAY), after, late) == []


def test_what_came_before_the_due_day_is_no_news() -> None:
    interim = [ran(SWEEP, SWEEP.due - 9 * DAY, arrived="some")]
    more = Standing({("sweep", 1): "more"}, {})
    assert owes([SWEEP], at(SWEEP.due), interim, more) == []


def test_figures_of_a_day_before_the_due_day_are_not_what_stays() -> None:
    runs = [ran(SWEEP, SWEEP.due), ran(SWEEP, SWEEP.due - 5 * DAY, on=SWEEP.due + 3 * DAY)]
    found = owes([SWEEP], at(SWEEP.due + 3 * DAY), runs)
    assert found == [Owed("sweep", 1, SWEEP.due + 2 * DAY, "news")]


def test_a_new_revision_is_news_to_what_follows_once_that_is_due() -> None:
    second = Standing({}, {("sweep", 1): 2, ("list_compilation", 0): 1})
    first = "sweep-1-r1"
    knows = [ran(SWEEP, SWEEP.due), ran(LIST, LIST.due, followed=first)]
    terms = [SWEEP, LIST, AGGREGATION]
    morning = at(LIST.due + DAY)
    assert owes(terms, morning, knows, second) == [Owed("list_compilation", 0, LIST.due, "news")]
    told = [*knows, ran(LIST, LIST.due, followed=second.followed("list_compilation"))]
    assert owes(terms, morning, told, second) == [], "aggregation is not due yet"


def test_aggregation_follows_list_and_sweeps_and_the_queue_follows_nobody() -> None:
    standing = Standing({}, {("sweep", 2): 1, ("sweep", 1): 3, ("list_compilation", 0): 2})
    assert standing.followed("aggregation") == "list_compilation-0-r2 sweep-1-r3 sweep-2-r1"
    assert standing.followed("list_compilation") == "sweep-1-r3 sweep-2-r1"
    assert standing.followed("diagnosis_queue") == ""


# --- daily phases ---------------------------------------------------------------------------------


def test_the_queue_runs_for_the_last_full_day_once_however_many_were_missed() -> None:
    assert owes([QUEUE], at(QUEUE.opens)) == []
    assert owes([QUEUE], at(QUEUE.opens + DAY)) == [
        Owed("diagnosis_queue", 0, QUEUE.opens, "daily")
    ]
    week_off = owes([QUEUE], at(QUEUE.opens + 8 * DAY), [ran(QUEUE, QUEUE.opens)])
    assert week_off == [Owed("diagnosis_queue", 0, QUEUE.opens + 7 * DAY, "daily", days_late=6)]


def test_the_queue_runs_for_its_due_day_however_late_and_no_day_more() -> None:
    yesterday = [ran(QUEUE, QUEUE.due - DAY)]
    assert owes([QUEUE], at(QUEUE.due + DAY), yesterday) == [
        Owed("diagnosis_queue", 0, QUEUE.due, "due")
    ]
    assert owes([QUEUE], at(QUEUE.due + 9 * DAY), yesterday) == [
        Owed("diagnosis_queue", 0, QUEUE.due, "due", days_late=8)
    ]
    assert owes([QUEUE], at(QUEUE.due + 9 * DAY), [ran(QUEUE, QUEUE.due)]) == []


def test_retention_is_owed_for_the_last_full_day_for_ever() -> None:
    found = owes([], at(date(2031, 5, 1)), nightly=("retention",))
    assert [(each.phase, each.as_of) for each in found] == [("retention", date(2031, 4, 30))]
    assert owes([], at(ISSUED), nightly=("retention",)) == []
    done = [Run("retention", 0, date(2031, 4, 30), date(2031, 5, 1))]
    assert owes([], at(date(2031, 5, 1)), done, nightly=("retention",)) == []


@pytest.mark.parametrize(
    ("now", "reminded"),
    [
        (at(ISSUED - DAY, time(9)), False),
        (at(ISSUED, time(8, 29)), False),
        (at(ISSUED, time(8, 30)), True),
        (at(SWEEP.due + 60 * DAY, time(9)), True),
        (at(SWEEP.due + 61 * DAY, time(9)), False),
    ],
)
def test_reminders_are_about_today_and_go_out_in_the_morning(now: datetime, reminded: bool) -> None:
    found = [each for each in owes([SWEEP], now, nightly=("reminders",)) if each.phase != "sweep"]
    assert found == ([Owed("reminders", 0, now.date(), "daily")] if reminded else [])
    done = [Run("reminders", 0, now.date(), now.date())]
    again = owes([SWEEP], now, done, nightly=("reminders",))
    assert [each for each in again if each.phase != "sweep"] == []


# --- what waits for what --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "before"),
    [
        (("sweep", 1, 1), ("list_compilation", 0, 1), True),
        (("sweep", 1, 2), ("list_compilation", 0, 1), False),
        (("sweep", 1, 1), ("aggregation", 0, 1), True),
        (("list_compilation", 0, 1), ("sweep", 1, 1), False),
        (("sweep", 1, 1), ("sweep", 1, 2), True),
        (("sweep", 1, 1), ("sweep", 1, 1), False),
        (("sweep", 1, 1), ("sweep", 2, 2), False),
        (("supervision", 1, 1), ("supervision", 2, 1), True),
        (("supervision", 2, 1), ("supervision", 1, 1), False),
        (("sweep", 1, 1), ("retention", 0, 2), False),
    ],
)
def test_what_goes_before_what(
    first: tuple[str, int, int], second: tuple[str, int, int], before: bool
) -> None:
    one, other = (Owed(name, n, date(2025, 11, day), "due") for name, n, day in (first, second))
    assert goes_before(one, other) is before


def test_a_catch_up_looks_at_days_that_are_over() -> None:
    now = at(date(2025, 11, 7), time(15))
    assert catch_up_moment(now, None) == now
    assert catch_up_moment(now, date(2025, 11, 6)) == at(date(2025, 11, 7), time(0, 0))
    with pytest.raises(WrongCommand, match="2025-11-07"):
        catch_up_moment(now, date(2025, 11, 7))


def test_nobody_names_a_day_and_yesterday_is_meant() -> None:
    now = at(date(2025, 11, 7), time(15))
    assert usual_day("sweep", now) == usual_day("retention", now) == date(2025, 11, 6)
    assert usual_day("reminders", now) == date(2025, 11, 7)


# --- whatever happens -----------------------------------------------------------------------------


@dataclass
class Township:
    """A campaign that runs what it owes whenever somebody wakes it."""

    terms: list[Term]
    runs: list[Run] = field(default_factory=list)
    arrived: dict[Round, str] = field(default_factory=dict)
    revisions: dict[Round, int] = field(default_factory=dict)

    def owes(self, now: datetime) -> list[Owed]:
        standing = Standing(self.arrived, self.revisions)
        return owed(self.terms, self.runs, standing, issued=ISSUED, now=now)

    def run(self, each: Owed, now: datetime) -> None:
        key = each.phase, each.round
        own = [run for run in self.runs if (run.phase, run.round) == key]
        seen = self.arrived.get(key, ""), Standing({}, self.revisions).followed(each.phase)
        if not own or (own[-1].arrived, own[-1].followed) != seen or each.as_of != own[-1].as_of:
            self.revisions[key] = self.revisions.get(key, 0) + 1
        self.runs.append(Run(*key, each.as_of, now.date(), *seen))

    def wake(self, now: datetime) -> list[Owed]:
        """Run all that is owed, one after the other; fail where that does not end."""
        done: list[Owed] = []
        while found := self.owes(now):
            assert len(done) < 500, "it never ends"
            assert not any(goes_before(each, found[0]) for each in found)
            self.run(found[0], now)
            done.append(found[0])
        return done


def windows(phase: str, round: int, *, longest: int = 60) -> st.SearchStrategy[Term]:
    return st.builds(
        lambda opens, days: Term(phase, round, ISSUED + opens * DAY, ISSUED + (opens + days) * DAY),
        st.integers(0, 60),
        st.integers(0, longest),
    )


CALENDARS = st.tuples(
    windows("sweep", 1),
    windows("sweep", 2),
    windows("list_compilation", 0),
    windows("aggregation", 0),
    windows("diagnosis_queue", 0),
    windows("supervision", 1),
    windows("supervision", 2),
    windows("follow_up", 0),
)
HAPPENINGS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.integers(0, 23),
        st.sampled_from(("nothing", "file", "extension", "reopening", "by hand")),
        st.integers(0, 7),
        st.integers(1, 20),
    ),
    max_size=12,
)


@given(CALENDARS, HAPPENINGS)
def test_whatever_happens_each_run_is_made_once_and_then_nothing_is_owed(
    calendar: tuple[Term, ...], happenings: list[tuple[int, int, str, int, int]]
) -> None:
    town = Township(list(calendar))
    now = at(ISSUED)
    for number, (days, hour, what, which, length) in enumerate(happenings):
        now = max(now, datetime.combine(now.date() + days * DAY, time(hour)))
        term = town.terms[which]
        key = term.phase, term.round
        later = max(term.due, now.date()) + length * DAY
        match what:
            case "file":
                town.arrived[key] = f"{town.arrived.get(key, '')} {number}"
            case "extension" if now.date() <= term.due:
                town.terms[which] = replace(term, extended_to=(*term.extended_to, later))
            case "reopening" if any(run.as_of >= term.due for run in town.runs):
                town.terms[which] = replace(term, reopened_until=(*term.reopened_until, later))
            case "by hand" if term.phase in ("sweep", "supervision"):
                # before its day, so it takes nobody's place
                town.run(Owed(*key, min(term.due, now.date()) - DAY, "due"), now)
        done = town.wake(now)
        keys = [(each.phase, each.round, each.as_of) for each in done]
        assert all(each.because in BECAUSE for each in done)
        assert all(each.as_of <= now.date() for each in done)
        assert len(set(keys)) == len(keys)
        assert town.owes(now) == []
    town.wake(now + timedelta(days=400))
    for term in town.terms:
        key = term.phase, term.round
        as_of = [run.as_of for run in town.runs if (run.phase, run.round) == key]
        assert set(term.days) <= set(as_of), "each as of its own day"
        from_due = [day for day in as_of if day >= term.due]
        assert from_due == sorted(from_due), "and in order"
