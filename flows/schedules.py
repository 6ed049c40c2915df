"""When the flows of a campaign run: a schedule a phase and round, and the daily ones.

A due day ends at 24:00, so its flow runs just after midnight, as of the day before. All times are
wall times of the plan's own zone, whatever zone the machine keeps.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tasks.plan import Occurrence, Plan
from tasks.rules.agenda import REMINDERS_FROM, REMINDERS_UNTIL
from tasks.store import Store

AFTER_MIDNIGHT = time(0, 10)
QUEUE = time(0, 20)
RETENTION = time(0, 30)
CATCH_UP = time(0, 40)

_DAY = timedelta(days=1)
_STAMP = "%Y%m%dT%H%M%S"
_DATES = re.compile(r"DTSTART:\d{8}T\d{6}\nRDATE:(?P<dates>\d{8}T\d{6}(?:,\d{8}T\d{6})*)")
_DAILY = re.compile(
    r"DTSTART:(?P<first>\d{8}T\d{6})\nRRULE:FREQ=DAILY(?:;UNTIL=(?P<last>\d{8}T\d{6}))?"
)


@dataclass(frozen=True)
class Schedule:
    """When one flow runs for one campaign, phase and round."""

    flow: str
    """The flow's name, which is its deployment's too."""
    slug: str
    """`campaign-phase-round`; unique within a flow."""
    rule: str
    """An RRULE or a list of RDATEs, RFC 5545; its times carry no zone."""
    timezone: str
    campaign: str
    round: int = 0
    """0 where the flow takes none."""

    @property
    def parameters(self) -> dict[str, object]:
        """What the flow is called with; the day it is about follows from when it was to start."""
        return {"campaign": self.campaign} | ({"round": self.round} if self.round else {})

    def includes(self, moment: datetime) -> bool:
        """Answer whether a run at `moment`, wall time of the schedule's zone, is one of its own."""
        if found := _DATES.fullmatch(self.rule):
            return moment.strftime(_STAMP) in found["dates"].split(",")
        if found := _DAILY.fullmatch(self.rule):
            first = datetime.strptime(found["first"], _STAMP)  # noqa: DTZ007 # wall time
            stamp = moment.strftime(_STAMP)
            within = found["first"] <= stamp and (not found["last"] or stamp <= found["last"])
            return within and moment.time() == first.time()
        return False

    def days(self) -> str:
        """Return when it runs, for people: days and times, or from when until when each day."""
        if found := _DATES.fullmatch(self.rule):
            return "、".join(_shown(each) for each in found["dates"].split(","))
        if found := _DAILY.fullmatch(self.rule):
            last = _shown(found["last"])[:10] if found["last"] else ""
            return f"{_shown(found['first'])} … {last}".rstrip()
        return self.rule


@dataclass(frozen=True)
class Difference:
    """What has to change for the schedules that are there to become those that a plan has."""

    added: tuple[Schedule, ...]
    moved: tuple[tuple[Schedule, Schedule], ...]
    """Pairs of what is there and what takes its place."""
    removed: tuple[Schedule, ...]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.added or self.moved or self.removed)


def schedules_of(plan: Plan, later: Mapping[tuple[str, int], Collection[date]]) -> list[Schedule]:
    """Return the schedules of a plan: of each phase, then the daily ones.

    `later` is (phase, round) -> the later due days that villages were given and the last days of
    reopenings: the phase runs again after each. A sweep that waits for its approval has no
    schedule.
    """
    found = [
        _schedule(plan, each, later.get((each.phase, each.round), ()))
        for each in plan.calendar
        if each.approved or not each.ad_hoc
    ]
    last = max(
        [each.due for each in plan.calendar] + [day for days in later.values() for day in days]
    )
    issued = plan.issued
    found += [
        _daily(plan, "retention", issued, RETENTION),
        _daily(plan, "catch_up", issued, CATCH_UP),
        _daily(plan, "reminders", issued, REMINDERS_FROM, until=last + REMINDERS_UNTIL),
    ]
    return found


def read_schedules(store: Store, plans: Iterable[Plan]) -> list[Schedule]:
    """Return the schedules of several campaigns, with the ledger's extensions and reopenings."""
    found: list[Schedule] = []
    for plan in plans:
        later: dict[tuple[str, int], list[date]] = {}
        for row in store.records("schedule/later_days", campaign=plan.slug):
            later.setdefault((row["phase"], row["round"]), []).append(row["due"])
        found += schedules_of(plan, later)
    return found


def difference(there: Iterable[Schedule], wanted: Iterable[Schedule]) -> Difference:
    """Return what leads from the schedules that are there to the wanted ones; in order of slugs."""
    was = {(each.flow, each.slug): each for each in there}
    now = {(each.flow, each.slug): each for each in wanted}
    both = sorted(was.keys() & now.keys())
    moved = [(was[name], now[name]) for name in both if was[name] != now[name]]
    return Difference(
        added=tuple(now[name] for name in sorted(now.keys() - was.keys())),
        moved=tuple(moved),
        removed=tuple(was[name] for name in sorted(was.keys() - now.keys())),
        unchanged=len(both) - len(moved),
    )


def _schedule(plan: Plan, occurrence: Occurrence, later: Collection[date]) -> Schedule:
    if occurrence.phase == "diagnosis_queue":
        rule = _every_day(occurrence.opens + _DAY, QUEUE, occurrence.due + _DAY)
    else:
        days = sorted({occurrence.due, *(day for day in later if day > occurrence.due)})
        dates = [datetime.combine(day + _DAY, AFTER_MIDNIGHT).strftime(_STAMP) for day in days]
        rule = f"DTSTART:{dates[0]}\nRDATE:{','.join(dates)}"
    return Schedule(
        occurrence.phase,
        f"{plan.slug}-{occurrence.phase}-{occurrence.round}",
        rule,
        plan.timezone,
        plan.slug,
        occurrence.round,
    )


def _daily(plan: Plan, flow: str, first: date, at: time, until: date | None = None) -> Schedule:
    slug = f"{plan.slug}-{flow}-0"
    return Schedule(flow, slug, _every_day(first, at, until), plan.timezone, plan.slug)


def _every_day(first: date, at: time, until: date | None) -> str:
    end = f";UNTIL={datetime.combine(until, at).strftime(_STAMP)}" if until else ""
    return f"DTSTART:{datetime.combine(first, at).strftime(_STAMP)}\nRRULE:FREQ=DAILY{end}"


def _shown(stamp: str) -> str:
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]} {stamp[9:11]}:{stamp[11:13]}"
