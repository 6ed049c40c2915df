"""What a campaign owes: which phases must run, as of which day, and why.

Worked out from what the ledger says alone, so that it does not matter what ran, failed or slept in
between. A due day ends at 24:00 of the plan's time zone: a phase is owed from the day after.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from tasks.rules.contract import NIGHTLY_PHASES, PHASES, VILLAGE_PHASES
from tasks.rules.errors import WrongCommand
from tasks.rules.meeting import months_of

Round = tuple[str, int]
"""A phase and its round; 0 for a phase without rounds."""

BECAUSE = ("due", "extended", "reopened", "daily", "news")
"""Why a run is owed: a due day, an extension or a reopening is over, a day of a phase that runs
daily, or something came that its newest run did not know."""

FOLLOWS = {
    "list_compilation": ("sweep",),
    "aggregation": ("sweep", "list_compilation"),
    "quarterly_pack": ("supervision",),
}
"""Phase -> the phases whose released figures it rests on; of a quarter those of its months."""

DAILY_PHASES = ("diagnosis_queue",)
"""The phases that run each day from their opening day to their due day."""

REMINDERS_FROM = time(8, 30)
"""When reminders go out: they are about the day they go out on, and nobody reads them at night."""

REMINDERS_UNTIL = timedelta(days=60)
"""How long after a campaign's last due day somebody may still be reminded of it."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Owed:
    """One run that is owed."""

    phase: str
    round: int
    as_of: date
    because: str
    """One of BECAUSE."""
    days_late: int = 0
    """How many days ago it should have run; 0 where nothing was missed."""


@dataclass(frozen=True)
class Term:
    """One occurrence of a phase: from when to when, and for whom it lasts longer."""

    phase: str
    round: int
    opens: date
    due: date
    extended_to: tuple[date, ...] = ()
    """The later due days of single villages."""
    reopened_until: tuple[date, ...] = ()
    """The last days of its reopenings."""
    is_ad_hoc: bool = False
    """Whether it is a sweep outside the calendar: its window is what was approved, no day more."""
    is_approved: bool = True
    """Whether it may run: an ad-hoc sweep needs the health side's approval."""

    @property
    def days(self) -> dict[date, str]:
        """The days after each of which it runs, in order, with why."""
        longer = {} if self.is_ad_hoc else dict.fromkeys(self.extended_to, "extended")
        if not self.is_ad_hoc:
            longer |= dict.fromkeys(self.reopened_until, "reopened")
        later = {day: because for day, because in longer.items() if day > self.due}
        return dict(sorted(({self.due: "due"} | later).items()))


@dataclass(frozen=True)
class Run:
    """A completed run of a phase, and what its result rests on."""

    phase: str
    round: int
    as_of: date
    ran_on: date
    arrived: str = ""
    """The `Standing.arrived` of its round when it ran."""
    followed: str = ""
    """What `Standing.followed` said of its phase when it ran."""

    @property
    def is_whole(self) -> bool:
        """Whether its day was over when it ran; only then does it count as that day's run."""
        return self.ran_on > self.as_of


@dataclass(frozen=True)
class Standing:
    """What the ledger says now of what a run rests on."""

    arrived: Mapping[Round, str]
    """Round -> a hash of the files that came for it and of its extensions; '' where none."""
    revisions: Mapping[Round, int]
    """Round -> its newest released revision."""
    periods: Mapping[Round, str] = field(default_factory=dict)
    """Released round -> the month or quarter it looked back on, where it did."""

    def followed(self, phase: str, round: int = 0) -> str:
        """Return the newest revisions of what a round of `phase` follows."""
        quarter = self.periods.get((phase, round), "")
        months = months_of(quarter) if "Q" in quarter else ()
        return " ".join(
            f"{name}-{number}-r{revision}"
            for (name, number), revision in sorted(self.revisions.items())
            if name in FOLLOWS.get(phase, ())
            and (not months or self.periods.get((name, number)) in months)
        )


def owed(
    terms: Iterable[Term],
    runs: Sequence[Run],
    standing: Standing,
    *,
    issued: date,
    now: datetime,
    nightly: Sequence[str] = NIGHTLY_PHASES,
) -> list[Owed]:
    """Return the runs that are owed at `now`, wall time of the plan's zone, in their order.

    `runs` are all that completed, the newest last; `issued` is the plan's day of issue. A sweep
    that was not approved owes nothing. Whatever was missed is owed once: a phase as of each of its
    own days, what runs daily as of the last full day.
    """
    last = now.date() - DAY
    going = [each for each in terms if each.is_approved]
    found = [
        each
        for term in going
        for each in _of_term(term, _of(runs, term.phase, term.round), standing, last)
    ]
    for phase in nightly:
        own = _of(runs, phase, 0)
        found += (
            _of_reminders(going, own, issued, now)
            if phase == "reminders"
            else _of_day(phase, 0, own, issued, last)
        )
    return sorted(found, key=_order)


def catch_up_moment(now: datetime, as_of: date | None) -> datetime:
    """Return by when to look at what is owed: `now`, or the end of the day `as_of`.

    Both are of the plan's time zone. Raises WrongCommand where that day is not over.
    """
    if as_of is None:
        return now
    if as_of >= now.date():
        raise WrongCommand("life.day_not_over", as_of=as_of)
    return datetime.combine(as_of + DAY, time())


def usual_day(phase: str, now: datetime) -> date:
    """Return the day that a phase is run for where nobody names one: yesterday, which is over.

    Reminders are about today.
    """
    return now.date() if phase == "reminders" else now.date() - DAY


def refuse_day_to_come(as_of: date, today: date) -> None:
    """Raise WrongCommand where a phase is to run for a day that lies after `today`.

    What it releases as of its due day is due for good, and the due day with it.
    """
    if as_of > today:
        raise WrongCommand("life.day_to_come", as_of=as_of)


def goes_before(first: Owed, second: Owed) -> bool:
    """Return whether `second` has to wait for `first`, which is owed too or has failed.

    An earlier day of the same round goes first, so does what a phase follows, and the month before
    where months are supervised: it says what a later one makes good.
    """
    if first.as_of > second.as_of:
        return False
    if first.phase == second.phase:
        if first.phase == "supervision" and first.round != second.round:
            return first.round < second.round
        return first.round == second.round and first.as_of < second.as_of
    return first.phase in FOLLOWS.get(second.phase, ())


def _of_term(term: Term, own: Sequence[Run], standing: Standing, last: date) -> list[Owed]:
    newest = _newest_day(own)
    days = term.days
    found = [
        Owed(term.phase, term.round, day, because, (last - day).days)
        for day, because in days.items()
        if newest < day <= last
    ]
    if term.phase in DAILY_PHASES and last <= max(days) and last not in days:
        found += _of_day(term.phase, term.round, own, term.opens, last)
    if not found and _has_news(term, own, standing, last):
        found.append(Owed(term.phase, term.round, last, "news"))
    return found


def _has_news(term: Term, own: Sequence[Run], standing: Standing, last: date) -> bool:
    """Return whether a round that is over has to be looked at again.

    Files are looked at once a day, or each would make a revision and a mail of its own; a revision
    of what it follows comes at most once a day by itself.
    """
    open_again = any(until > last for until in term.reopened_until)
    if term.is_ad_hoc or term.due > last or open_again or not own:
        return False
    shown = own[-1]
    arrived = standing.arrived.get((term.phase, term.round), "")
    return (
        (shown.arrived != arrived and _newest_day(own) < last)
        or shown.followed != standing.followed(term.phase, term.round)
        or shown.as_of < term.due  # run by hand as of a day before: what is shown is no due figure
    )


def _of_day(phase: str, round: int, own: Sequence[Run], first: date, last: date) -> list[Owed]:
    """Return the run of a daily phase as of `last`, where it is owed: one, however many missed."""
    newest = _newest_day(own)
    if newest >= last or last < first:
        return []
    missed = (last - max(newest, first - DAY)).days - 1
    return [Owed(phase, round, last, "daily", missed)]


def _of_reminders(
    terms: Sequence[Term], own: Sequence[Run], issued: date, now: datetime
) -> list[Owed]:
    """Return the reminders of today, where they have not gone out: those of yesterday are stale."""
    ends = [max(term.days) for term in terms if term.phase in VILLAGE_PHASES]
    today = now.date()
    if not ends or today < issued or today > max(ends) + REMINDERS_UNTIL:
        return []
    if now.time() < REMINDERS_FROM or any(run.as_of >= today for run in own):
        return []
    return [Owed("reminders", 0, today, "daily")]


def _of(runs: Sequence[Run], phase: str, round: int) -> list[Run]:
    return [run for run in runs if (run.phase, run.round) == (phase, round)]


def _newest_day(own: Sequence[Run]) -> date:
    return max((run.as_of for run in own if run.is_whole), default=date.min)


def _order(each: Owed) -> tuple[date, int, int]:
    return each.as_of, PHASES.index(each.phase), each.round
