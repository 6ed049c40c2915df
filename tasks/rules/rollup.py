"""What a county may count of what its townships share, and what comes of it.

A row of the shared ledger is judged by itself, whole: whose it is, whether it is as its township
signed it, whether its villages are the township's, and whether its counts of people are such as
disclosure control lets out. One that fails is set aside with one reason, and the others go on.

Nothing is taken from a release but what it shows to everybody who may read it: figures in one of
their four states. So whatever is made of several releases can be worked out by any reader of them
(post-processing), and a county's figure narrows no count of people further than they did.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import isfinite
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from tasks.rules.contract import FIGURE_STATES, REPORTING_STATES, RUN_PHASES, SHEETS
from tasks.rules.disclosure import RATES, ROUND_TO, WITHHOLD_TO, Figure, Range, given_away
from tasks.rules.input_quality import returned_name, returned_unit
from tasks.rules.requests import FIRST_ROUND
from tasks.rules.shared import NoRelease, SharedRelease, VillageState, read_body

TOWNSHIP_STATES = ("set_aside", "missing", "late", "awaited", "on_time", "not_expected")
"""Every township has one a phase: the order is that of what needs doing."""

COUNTY_STATES = ("released", "partly", "withheld", "zero", "not_reported")
"""Every figure of the county has one."""

CLOCKS_APART = timedelta(minutes=10)
"""So much later than the catalogue's clock a release may be by its township's."""

MOST_SEARCHES = 3
"""For so many rows of a township that it did not sign, all keys of the county are tried."""

MOST = 10**9
"""No count of a township comes near it; sums of such are exact in a double."""

_UNITS = {
    "files": (
        *("villages_expected", "villages_received"),
        *(f"reporting_{state}" for state in REPORTING_STATES),
        *("nil_returns", "files_received"),
        *("ready_training_held", "ready_plan_updated", "ready_drill_held"),
        *("ready_care_group_complete", "ready_materials_delivered", "readiness_complete"),
        *("status_updated", "care_group_met", "care_roles_owed", "care_roles_filled"),
        *("months_looked_at", "rectifications_open", "rectifications_opened"),
        *("rectifications_closed", "rectifications_past_due", "rectifications_again"),
        "problems_raised",
    ),
    "households": ("households", "households_visited", "households_declined"),
    "sessions": ("sessions_planned", "sessions_held", "rehabilitation_sessions"),
    "visits": (
        *("visits_due", "visits_done", "visits_late", "visits_overdue", "visits_entered_late"),
        *("visits_ahead", "guardian_contacts"),
    ),
    "people": (
        *("referrals", "no_consent", "people_listed", "people_known", "people_new"),
        *("people_home", "people_hospital", "people_welfare_institution"),
        *("people_other_institution", "people_not_reachable", "people_waiting", "people_booked"),
        *("people_offered", "people_attended", "people_assessed", "people_confirmed"),
        *("people_not_confirmed", "people_declined", "waited_to_14", "waited_15_to_30"),
        *("waited_31_to_60", "waited_61_to_90", "waited_over_90"),
        *("people_to_visit", "people_visited"),
        *("people_visit_declined", "subsidy_applied", "subsidy_reviewed", "subsidy_paid"),
        *("rate_registered", "rate_managed", "rate_standard", "rate_medicated"),
        *("rate_regularly", "rate_assessed", "rate_stable"),
    ),
    "days": ("waiting_median", "waiting_p90"),
    "percent": tuple(RATES),
}
"""Unit -> the figures that a release of this version has; pages show them in this order."""

UNIT_OF: Mapping[str, str] = MappingProxyType(
    {name: unit for unit, names in _UNITS.items() for name in names}
    | {
        returned_name(sheet, column): returned_unit(sheet)
        for sheet in SHEETS.values()
        for column in sheet.columns
    }
)
"""Every figure that is known, with its unit. What says "files" cannot be a count of people."""

SUMMED = tuple(name for name, unit in UNIT_OF.items() if unit not in ("days", "percent"))
"""The figures that add up over townships. Medians do not, and rates are made anew."""

_COPIED = re.compile(rf"(?:(?:earlier|month|quarter)\d+_|(?:{'|'.join(RUN_PHASES)})_\d+_)+")
"""How the name of a figure begins that was released before, as part of another release. It counts
where it was released first, and under the rules of that time."""

_TOWNSHIP = re.compile(r"\d{9}", re.ASCII)
_VILLAGE = re.compile(r"\d{12}", re.ASCII)
_PERIOD = re.compile(r"\d{4}-(?:\d{2}|Q[1-4])", re.ASCII)

IsSigned = Callable[[str, str, str], bool]
"""Whether (public key, text, signature) belong together: `tasks.signing.is_signed`."""


@dataclass(frozen=True)
class Member:
    """A township of the county, by what its releases are judged."""

    code: str
    key: str
    """Public half of its key, hex."""
    joined: date
    left: date | None = None
    """The first day it no longer belongs to the county."""
    villages: tuple[str, ...] | None = None
    """Its villages; None: those whose code begins with its own."""

    def belongs_on(self, day: date) -> bool:
        """Return whether it belongs to the county on `day`."""
        return self.joined <= day and (self.left is None or day < self.left)


@dataclass(frozen=True)
class Roll:
    """The townships of a county by code, and the zone in which its days are days."""

    members: Mapping[str, Member]
    timezone: str

    @cached_property
    def _listed(self) -> Mapping[str, str]:
        return {v: each.code for each in self.members.values() for v in each.villages or ()}

    def owner(self, village: str) -> str | None:
        """Return the township that a village belongs to: its lister, else that of its code."""
        if village in self._listed:
            return self._listed[village]
        member = self.members.get(village[:9])
        return member.code if member is not None and member.villages is None else None

    def day(self, moment: datetime) -> date:
        """Return the day of the county on which a moment of UTC lies."""
        return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(self.timezone)).date()


@dataclass(frozen=True)
class SharedRow:
    """A row of the shared ledger as it was found; anything can stand in it."""

    township: str | None
    campaign: str | None
    phase: str | None
    round: int | None
    revision: int | None
    body: str | None
    """None also where it is longer than any release."""
    signature: str | None
    shared_at: datetime | None
    """UTC without a zone, by the catalogue's clock."""

    @property
    def key(self) -> tuple[str | None, str | None, str | None, int | None, int | None]:
        """What the row says it is about."""
        return (self.township, self.campaign, self.phase, self.round, self.revision)


@dataclass(frozen=True, order=True)
class SetAside:
    """A row that does not count: whose it says it is, which, and why. Safe to show."""

    township: str
    """Nine digits, or '' where what stands there is no code."""
    phase: str
    """'' where it is none."""
    round: int
    revision: int
    reason: str
    """The last part of a wording key rollup.aside.…"""
    other: str = field(default="")
    """The township that signed it, or to which a village of it belongs; else ''."""
    village: str = field(default="")
    """The village that is not the township's; else ''."""


class Signatures:
    """Whose signatures rows bear: their township's, or another's of the county.

    Which other's is for telling only, and to find it every key may have to be tried. So all are
    tried for MOST_SEARCHES rows of a township; for the rest, that of the township which the text
    names, and those that were found among its rows before. This depends on a township's own rows
    and their order alone, not on what is judged beside them.
    """

    def __init__(self, members: Mapping[str, Member], is_signed: IsSigned) -> None:
        """Take the county's townships by code."""
        self._members = members
        self._is_signed = is_signed
        self._searches: Counter[str] = Counter()
        self._found: dict[str, list[str]] = defaultdict(list)

    def is_by(self, code: str, row: SharedRow) -> bool:
        """Return whether the township `code` of the county signed the text of a row."""
        return self._is_signed(self._members[code].key, row.body or "", row.signature or "")

    def other(self, code: str, row: SharedRow) -> str | None:
        """Return which other township signed a row of `code`, None where none was found."""
        likely = dict.fromkeys([*self._found[code], *self._named(row)])
        signer = self._first(row, (each for each in likely if each != code))
        if signer is None and self._searches[code] < MOST_SEARCHES:
            self._searches[code] += 1
            signer = self._first(
                row, (each for each in self._members if each not in {code, *likely})
            )
        if signer is not None and signer not in self._found[code]:
            self._found[code].append(signer)
        return signer

    def _first(self, row: SharedRow, others: Iterable[str]) -> str | None:
        return next((each for each in others if self.is_by(each, row)), None)

    def _named(self, row: SharedRow) -> tuple[str, ...]:
        """Return the township of the county that a text names as its own, if it names one."""
        try:
            named = read_body(row.body or "").township
        except NoRelease:
            return ()
        return (named,) if isinstance(named, str) and named in self._members else ()


def judge(row: SharedRow, roll: Roll, signatures: Signatures) -> SharedRelease | SetAside:
    """Return the release that a row holds, or that and why it is set aside.

    `signatures`: one for all rows of a township, in an order that is always the same. Whether two
    rows contradict each other, `contradicted` says.
    """
    member = roll.members.get(row.township or "")
    if member is None:
        return _aside(row, "unknown_township")
    if not signatures.is_by(member.code, row):
        other = signatures.other(member.code, row)
        if other is not None:
            return _aside(row, "signed_by_other", other=other)
        return _aside(row, "signature")
    release = _read(row.body or "")
    if release is None:
        return _aside(row, "form")
    return _refused(row, release, member, roll) or release


def contradicted(rows: Iterable[SharedRow]) -> set[tuple[object, ...]]:
    """Return the keys under which several of these rows stand: each row another text.

    `rows`: those that `judge` let pass, none of them twice. Which of two signed texts is meant,
    nobody but the township can say.
    """
    seen: set[tuple[object, ...]] = set()
    twice: set[tuple[object, ...]] = set()
    for row in rows:
        (twice if row.key in seen else seen).add(row.key)
    return twice


def set_aside_for_conflict(row: SharedRow) -> SetAside:
    """Return that a row is set aside because another contradicts it."""
    return _aside(row, "conflict")


def township_state(
    member: Member,
    *,
    due: date,
    first_due: date | None,
    first_shared: date | None,
    set_aside: bool,
    days_to_share: int,
    as_of: date,
) -> str:
    """Return a township's one state of a phase, of TOWNSHIP_STATES.

    `due`: the phase's due day, as the township's newest release has it, else as most others have
    it. `first_due`, `first_shared`: the due day by which its first release that was not interim
    counts, and the day on which it was shared, None where there is none yet. `set_aside`: whether
    something newer than what counts was set aside. All are days of the county's time zone; a day
    ends at 24:00. A release set aside and sent again is as late as what was sent again.
    """
    share_by = timedelta(days=days_to_share)
    if not member.belongs_on(due):
        return "not_expected"
    if set_aside:
        return "set_aside"
    if first_due is not None and first_shared is not None:
        return "on_time" if first_shared <= first_due + share_by else "late"
    return "awaited" if as_of <= due + share_by else "missing"


def is_for_all(round: int) -> bool:
    """Return whether a round is one that every township of the campaign owes.

    An ad-hoc sweep is asked for and approved in one township; its number says nothing elsewhere.
    """
    return round < FIRST_ROUND


def county_state(*, released: int, zero: int, withheld: int, not_reported: int) -> str:
    """Return the state of a sum over townships, from how many of them are in which state.

    `released`: with a number other than zero. Where some number is known and others are not, the
    sum of those known is what it comes to at least: `partly`.
    """
    if released:
        return "partly" if withheld or not_reported else "released"
    if withheld:
        return "withheld"
    if zero:
        return "partly" if not_reported else "zero"
    return "not_reported"


def rate_state(*, released: int, withheld: int, not_reported: int) -> str:
    """Return the state of a rate over townships: of those that released both parts of it."""
    if released:
        return "partly" if withheld or not_reported else "released"
    return "withheld" if withheld else "not_reported"


def _aside(row: SharedRow, reason: str, *, other: str = "", village: str = "") -> SetAside:
    """Return that a row is set aside; of what stands in it, only what is a code or a number."""
    code = row.township or ""
    return SetAside(
        code if _TOWNSHIP.fullmatch(code) else "",
        row.phase if row.phase in RUN_PHASES else "",
        row.round or 0,
        row.revision or 0,
        reason,
        other,
        village if _VILLAGE.fullmatch(village) else "",
    )


def _read(body: str) -> SharedRelease | None:
    """Return the release a text holds, None where it holds none that is well formed."""
    try:
        release = read_body(body)
    except NoRelease:
        return None
    return release if _is_well_formed(release) else None


def _refused(row: SharedRow, release: SharedRelease, member: Member, roll: Roll) -> SetAside | None:
    """Return why a release that is its township's own does not count, or None where it does."""
    released_at = _in_utc(release.released_at)
    if release.key != row.key:
        return _aside(row, "key")
    if member.left is not None and roll.day(released_at) >= member.left:
        return _aside(row, "left")
    if row.shared_at is None or released_at > row.shared_at + CLOCKS_APART:
        return _aside(row, "clock")
    if any(UNIT_OF.get(_plain(each.name)) != each.unit for each in release.figures):
        return _aside(row, "unknown_figure")
    if not _is_protected(release):
        return _aside(row, "people")
    return _with_strange_village(row, release, roll)


def _with_strange_village(row: SharedRow, release: SharedRelease, roll: Roll) -> SetAside | None:
    for each in release.villages:
        owner = roll.owner(each.village)
        if owner is None:
            return _aside(row, "unknown_village", village=each.village)
        if owner != release.township:
            return _aside(row, "village_of_other", other=owner, village=each.village)
    return None


def _in_utc(moment: datetime) -> datetime:
    """Return a moment of UTC without its zone."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _plain(name: str) -> str:
    return _COPIED.sub("", name, count=1)


def _is_well_formed(release: SharedRelease) -> bool:
    """Return whether every value is of its kind: a text that reads back may hold any JSON."""
    names = [figure.name for figure in release.figures]
    villages = [each.village for each in release.villages]
    return (
        all(type(each) is str for each in (release.township, release.campaign, release.status))
        and release.phase in RUN_PHASES
        and _is_whole(release.round, 0)
        and _is_whole(release.revision, 1)
        and (release.period is None or _matches(_PERIOD, release.period))
        and release.status in ("interim", "due")
        and (release.due is None or (release.status == "due") is (release.as_of >= release.due))
        and _is_whole(release.withhold_to, 1)
        and _is_whole(release.round_to, 1)
        and all(map(_is_figure, release.figures))
        and all(map(_is_village_state, release.villages))
        and len(set(names)) == len(names)
        and len(set(villages)) == len(villages)
    )


def _is_figure(figure: Figure) -> bool:
    """Return whether a figure's number and state go together, and counts are whole."""
    texts = (figure.name, figure.unit, figure.state)
    if not all(type(each) is str for each in texts) or figure.state not in FIGURE_STATES:
        return False
    value = figure.value
    if value is None:
        # counts of the work are never withheld
        may_be_withheld = figure.unit in ("people", "percent", "days")
        return figure.state == "not_reported" or (figure.state == "withheld" and may_be_withheld)
    if type(value) is not float or not isfinite(value) or not 0 <= value <= MOST:
        return False
    if figure.unit not in ("percent", "days") and value != int(value):
        return False
    return figure.state == ("released" if value else "zero")


def _is_village_state(each: VillageState) -> bool:
    return type(each.village) is str and each.state in REPORTING_STATES and type(each.nil) is bool


def _is_whole(value: Any, least: int) -> bool:
    return type(value) is int and least <= value <= MOST


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return type(value) is str and pattern.fullmatch(value) is not None


def _is_protected(release: SharedRelease) -> bool:
    """Return whether its counts of people are such as disclosure control lets out.

    By the township's own numbers, which are as strict as all plans' at least (DOMAIN.md section
    7); what it copies, by the least numbers, since they were others then.
    """
    own = (release.withhold_to, release.round_to)
    stricter = release.withhold_to >= WITHHOLD_TO and release.round_to >= ROUND_TO
    if not stricter or release.round_to % ROUND_TO or release.round_to > 2 * own[0] + 1:
        return False
    return all(
        _may_be_released(figure, *((WITHHOLD_TO, ROUND_TO) if _is_copied(figure.name) else own))
        for figure in release.figures
        if figure.unit == "people" and figure.state == "released"
    )


def _is_copied(name: str) -> bool:
    return _COPIED.match(name) is not None


def _may_be_released(figure: Figure, withhold_to: int, round_to: int) -> bool:
    """Return whether some count of people above `withhold_to` rounds to the figure."""
    told: Range = given_away(figure, withhold_to=withhold_to, round_to=round_to, secondary=False)
    return (figure.value or 0) % round_to == 0 and told.values >= 1
