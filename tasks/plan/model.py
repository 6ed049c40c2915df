"""What a plan says, as frozen models: every value checked, every default and bound with its reason.

What may be said is DOMAIN.md sections 3, 4 and 7 (kept in docs/domain.md).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, LiteralString, TypeGuard
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from tasks.plan.remarks import Remark
from tasks.rules.contract import CHOICES, PHASES, PURPOSES
from tasks.rules.deadlines import (
    REST_DAY_RULES,
    RestDayRule,
    WordsNotUnderstood,
    read_day,
    read_period,
)
from tasks.rules.requests import FIRST_ROUND, IN_PLAN, Request
from tasks.rules.wording import LANGUAGES

PACK = "quarterly_pack"
"""The phase of a quarterly meeting pack. A plan file names the phase it belongs to, supervision."""

SET_PHASES = (
    "readiness",
    "sweep",
    "list_compilation",
    "aggregation",
    "diagnosis_queue",
    "follow_up",
)
"""Phases that may have an opening and a due day of their own."""

MONTHLY_PHASES = ("sweep", "follow_up", "supervision")
"""Phases that may come back each month; what comes back each quarter is a pack."""

PLAN_PHASES = tuple(phase for phase in PHASES if phase in SET_PHASES + MONTHLY_PHASES)

GRID_CHARACTERS = 40
"""The longest name of a grid that a row of coverage may give (rule grid_valid)."""
MOST_GRIDS = 200
"""Of one village; a community of 10,000 households has about thirty."""

_MAIL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"


@dataclass(frozen=True)
class Occurrence:
    """One time a phase is due: a round, a month, or the phase itself where it comes once."""

    phase: str
    round: int
    """0 for a phase without rounds."""
    period: str | None
    """The month `2025-11` or quarter `2026-Q1` it looks back on, or None."""
    opens: date
    due: date
    words: str
    """The due day as the plan states it."""
    rule: str
    """The rest-day rule that was applied to it."""
    provisional: bool
    """Whether the working-day calendar its due day rests on is not published yet."""
    ad_hoc: bool
    """Whether the office asked for it outside the calendar; the health side approves it first."""
    villages: tuple[str, ...] = ()
    """The codes of the only villages it is for; empty: all of the plan."""
    kept_from: date | None = None
    """The day that the words give now, where `due` stays because figures were released by it."""
    request: Request | None = None
    """Of an ad-hoc sweep, what was approved; None where it waits for that, or is not ad hoc."""

    @property
    def approved(self) -> bool:
        """Whether it is an ad-hoc sweep that was approved, as far as the plan's folder says.

        The register decides: `tasks.requests.require_approved`.
        """
        return self.ad_hoc and self.request is not None


def _one_of(key: LiteralString, choices: Sequence[str]) -> BeforeValidator:
    def check(value: object) -> object:
        if value not in choices:
            raise PydanticCustomError(key, "", {"choices": ", ".join(choices)})
        return value

    return BeforeValidator(check)


def _matching(key: LiteralString, pattern: str) -> AfterValidator:
    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise PydanticCustomError(key, "")
        return value

    return AfterValidator(check)


def _one_line(value: str) -> str:
    # a plan's texts end up in subjects of mails and cells of a terminal
    if not value.isprintable():
        raise PydanticCustomError("plan.not_text", "")
    return value


def _grid_names(value: object) -> object:
    """Return the names in a cell of the villages' CSV, which stands them apart by semicolons."""
    if not isinstance(value, str):
        return value
    return tuple(name.strip() for name in re.split("[;；]", value) if name.strip())


def _grids_apart(names: tuple[str, ...]) -> tuple[str, ...]:
    # a grid is known by its name: one that stands twice would be one grid with two sets of figures
    if len(set(names)) < len(names):
        raise PydanticCustomError("plan.grid_twice", "")
    if any(len(name) > GRID_CHARACTERS or not name.isprintable() for name in names):
        raise PydanticCustomError("plan.grid_name", "", {"most": GRID_CHARACTERS})
    return names


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("plan.role_twice", "")
    return names


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError("plan.time_zone", "") from None
    return value


def is_day(value: object) -> TypeGuard[date]:
    """Return whether `value` is a date; a datetime, which is one to Python, is none in a plan."""
    return isinstance(value, date) and not isinstance(value, datetime)


def _written_day(value: object) -> date:
    """Return the one day that a date or text names; words for a span of days name none."""
    if is_day(value):
        return value
    try:
        if isinstance(value, str) and not set(value) & set("旬底前"):
            return read_day(value)
    except WordsNotUnderstood:
        pass
    raise PydanticCustomError("plan.day", "")


def day_or_none(value: object) -> date | None:
    """Return the day of a date or text, or None where it names no one day."""
    try:
        return _written_day(value)
    except PydanticCustomError:
        return None


def _date_or_words(value: object) -> object:
    if is_day(value) or isinstance(value, str):
        return value
    raise PydanticCustomError("plan.day_or_words", "")


Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_one_line)
]
Day = Annotated[date, BeforeValidator(_written_day)]
Words = Annotated[date | str, PlainValidator(_date_or_words)]
Mail = Annotated[str, _matching("plan.mail_address", _MAIL)]
Slug = Annotated[str, _matching("plan.slug", r"[a-z0-9][a-z0-9-]{0,63}")]
Purpose = Annotated[str, _one_of("plan.purpose", PURPOSES)]
Language = Annotated[Literal["zh-CN", "en"], _one_of("plan.choice", LANGUAGES)]
Licence = Annotated[str, _matching("plan.licence", r"[0-9A-Za-z]{8,24}")]
CareRole = Annotated[str, _one_of("plan.choice", tuple(CHOICES["care_role"]))]
Percent = Annotated[int, Field(ge=1, le=100)]
ReminderDays = Annotated[int, Field(ge=1, le=60)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Village(_Part):
    """A village or community: 12-digit statistical code, households, and its days in the township.

    `opened`: the first day it exists, `closed`: the first day it no longer does; None where that
    lies outside the campaign.
    """

    model_config = ConfigDict(strict=False)

    code: Annotated[str, _matching("plan.village_code", r"\d{12}")]
    name: Text
    households: Annotated[int, Field(ge=1)]
    opened: Day | None = None
    closed: Day | None = None
    email: Mail | None = None
    grids: Annotated[
        tuple[str, ...],
        BeforeValidator(_grid_names),
        Field(max_length=MOST_GRIDS),
        AfterValidator(_grids_apart),
    ] = ()
    """The names of its grids, which its templates hold already; none where they are not known."""

    def open_on(self, day: date) -> bool:
        """Return whether the village exists on `day`."""
        opened = self.opened is None or self.opened <= day
        return opened and (self.closed is None or day < self.closed)


class HealthCentre(_Part):
    """The township health centre, which holds the data: the township's code and its name."""

    code: Annotated[str, _matching("plan.centre_code", r"\d{9}000")]
    name: Text
    clinicians: tuple[Licence, ...] = ()
    """The licence numbers of those whose findings count; none where the plan lists nobody."""

    @property
    def township(self) -> str:
        """The nine digits every village code of the township starts with."""
        return self.code[:9]


class Recipients(_Part):
    """Mail addresses by audience."""

    health: Annotated[tuple[Mail, ...], Field(min_length=1)]
    office: tuple[Mail, ...] = ()


class Retention(_Part):
    """How many days data about a person may stay once it has no more use (limit 7)."""

    unconfirmed_days: Annotated[int, Field(ge=0, le=30)] = 30
    """After an assessment that confirmed nothing, or that was declined."""
    unassessed_days: Annotated[int, Field(ge=1, le=180)] = 180
    """After a consent that no assessment followed: the referral has expired."""


class Rules(_Part):
    """The numbers a plan may make stricter, never looser (DOMAIN.md section 7)."""

    withhold_to: Annotated[int, Field(ge=7)] = 7
    """Counts of people from 1 to this are withheld from the office."""
    round_to: Annotated[int, Field(ge=5, multiple_of=5)] = 5
    """Other counts of people are rounded to the nearest multiple of this."""
    median_from: Annotated[int, Field(ge=8)] = 8
    """The fewest people behind a released median or percentile."""
    rectification_days: Annotated[int, Field(ge=1, le=90)] = 14
    returns_kept_days: Annotated[int, Field(ge=1, le=30)] = 30
    """How long a return workbook, which holds a village's refused rows, is kept."""
    face_to_face_rating: Annotated[int, Field(ge=1, le=5)] | None = None
    """From which rating of a clinician's on a person is met face to face; None: no such rule."""
    face_to_face_a_year: Annotated[int, Field(ge=1, le=12)] | None = None
    """How often a year at least; only together with the rating."""
    care_group_roles: Annotated[
        tuple[CareRole, ...], Field(min_length=1), AfterValidator(_each_once)
    ] = ("village_secretary", "village_doctor", "grid_worker", "disability_commissioner")
    """The roles that every care group must have filled."""
    subsidy_days: Annotated[int, Field(ge=1, le=365)] = 60
    """After how many days a subsidy that was applied for and is not paid is overdue."""
    retention: Retention = Retention()


class Limits(_Part):
    """How much of one submission is read; a file beyond any of these is refused whole.

    The defaults are many times what a village sends, and small enough for any office computer.
    The bounds are what a spreadsheet program itself can hold, or what one file may cost a run.
    """

    file_megabytes: Annotated[int, Field(ge=1, le=256)] = 20
    rows: Annotated[int, Field(ge=100, le=1_048_576)] = 20_000
    """The last row of a sheet that holds anything."""
    columns: Annotated[int, Field(ge=30, le=1_000)] = 100
    """The last column of a sheet that holds anything."""
    cell_characters: Annotated[int, Field(ge=200, le=32_767)] = 1_000
    seconds: Annotated[int, Field(ge=5, le=600)] = 60
    """How long reading one workbook may take."""

    @classmethod
    def widest(cls, several: Iterable["Limits"]) -> "Limits":
        """Return the widest of each number: before a file is read, nobody knows whose it is."""
        found = [each.model_dump() for each in several] or [cls().model_dump()]
        return cls(**{name: max(each[name] for each in found) for name in cls.model_fields})


class Reminders(_Part):
    """On which days around a due day a village that has not reported is reminded of it.

    At most five each: a mailbox that rings every day is read by nobody. `()` switches them off.
    """

    before_days: Annotated[tuple[ReminderDays, ...], Field(max_length=5)] = (7, 1)
    """How many days before the due day."""
    after_days: Annotated[tuple[ReminderDays, ...], Field(max_length=5)] = (1, 3, 7)
    """How many days after it."""


class Targets(_Part):
    """Targets on service, in percent; there are none on people (limit 5)."""

    coverage_percent: Percent | None = None
    reports_on_time_percent: Percent | None = None
    visits_done_percent: Percent | None = None


class ClinicSession(_Part):
    """A day on which a psychiatrist assesses up to `capacity` people."""

    date: Day
    capacity: Annotated[int, Field(ge=1)]


class Duty(_Part):
    """What a department owes, looked at each month as done or not done."""

    department: Text
    duty: Text


class AdHoc(_Part):
    """A sweep the office asks for; it runs only once the health side approved exactly this scope.

    The window is stated in dates and no rest-day rule moves it: what is approved is what is run.
    """

    purpose: Purpose
    asked_on: Day
    opens: Day
    due: Day
    villages: Annotated[tuple[str, ...], Field(min_length=1)]
    reason: Text

    def request(self, campaign: str) -> Request:
        """Return it as a request of this campaign, which the health side decides like any other."""
        return Request(
            campaign=campaign,
            purpose=self.purpose,
            villages=tuple(sorted(self.villages)),
            opens=self.opens,
            due=self.due,
            reason=self.reason,
            asked_by=IN_PLAN,
        )


class ApprovedEntry(_Part):
    """One `[[approved]]` of the file beside a home's plan (`tasks.plan.approved`)."""

    model_config = ConfigDict(strict=False)

    round: Annotated[int, Field(ge=FIRST_ROUND)]
    campaign: Slug
    purpose: Purpose
    opens: Day
    due: Day
    villages: Annotated[tuple[str, ...], Field(min_length=1)]
    reason: Text
    asked_by: Text

    def request(self) -> Request:
        """Return it as the request that was approved."""
        return Request(**self.model_dump(exclude={"round"}))


class ApprovedFile(_Part):
    """The file beside a home's plan: its approved ad-hoc sweeps, each round once."""

    model_config = ConfigDict(strict=False)

    approved: tuple[ApprovedEntry, ...] = ()


class Heading(_Part):
    """The keys at the top of a plan file that stand for themselves."""

    slug: Slug
    name: Text
    name_en: Text
    purpose: Purpose
    issued: Day
    timezone: Annotated[str, AfterValidator(_time_zone)] = "Asia/Shanghai"
    language: Language = "zh-CN"
    rest_day_rule: Annotated[RestDayRule, _one_of("plan.choice", REST_DAY_RULES)]
    earlier: tuple[Slug, ...] = ()
    """Slugs of earlier campaigns of the township to compare with."""


class Plan(Heading):
    """A campaign's plan, its deadlines resolved. Days are days of `timezone`."""

    ends: date | None = None
    health_centre: HealthCentre
    villages: tuple[Village, ...]
    villages_file: str = "villages.csv"
    recipients: Recipients
    rules: Rules = Rules()
    limits: Limits = Limits()
    reminders: Reminders = Reminders()
    targets: Targets = Targets()
    clinic: tuple[ClinicSession, ...] = ()
    duties: tuple[Duty, ...] = ()
    ad_hoc: tuple[AdHoc, ...] = ()
    calendar: tuple[Occurrence, ...] = ()
    """All occurrences by due day."""
    warnings: tuple[Remark, ...] = ()
    """What is unusual in the plan but allowed."""

    def village(self, code: str) -> Village:
        """Return the village with this code; KeyError where the plan has none."""
        for village in self.villages:
            if village.code == code:
                return village
        raise KeyError(code)

    def expected(self, occurrence: Occurrence) -> tuple[Village, ...]:
        """Return the villages that owe a submission for `occurrence`, in the plan's order.

        Those it is for and that exist on the last day it looks at: the last day of its month or
        quarter, else its due day. A village merged into another before that day has handed its
        work over; one that opens before it is expected like any other.
        """
        last = read_period(occurrence.period).last if occurrence.period else occurrence.due
        return tuple(
            village
            for village in self.villages
            if village.open_on(last)
            and (not occurrence.villages or village.code in occurrence.villages)
        )

    def occurrence(
        self,
        phase: str,
        round: int = 0,
    ) -> Occurrence:
        """Return the occurrence of `phase` with this round; KeyError where the plan has none."""
        for occurrence in self.calendar:
            if (occurrence.phase, occurrence.round) == (phase, round):
                return occurrence
        raise KeyError((phase, round))


class PhaseEntry(_Part):
    """One `[[phases]]` of a plan file: a set one with `opens` and `due`, or one that comes back.

    One that comes back names its `first` and `last` month, or quarter for a meeting `pack`, and a
    `due` day after each.
    """

    phase: Annotated[str, _one_of("plan.phase", PLAN_PHASES)]
    round: Annotated[int, Field(ge=1)] | None = None
    opens: Day | None = None
    due: Words
    first: str | None = None
    last: str | None = None
    pack: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it comes back by month or quarter."""
        return self.pack or self.first is not None or self.last is not None
