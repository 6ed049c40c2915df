"""One released revision of a phase, as a report may show it: read from the ledger, never changed.

Everything here has already passed disclosure control. The names of villages and campaigns come from
the plan; figures, reporting states, actions and checks from the ledger.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TypedDict

from reports.calendar import PhaseInTime, read_calendar
from reports.meeting import Meeting, read_meeting
from tasks.plan import PACK, Plan
from tasks.rules.contract import RUN_PHASES
from tasks.rules.errors import WrongCommand
from tasks.rules.input_quality import returned_label
from tasks.rules.wording import say
from tasks.store import Store

AUDIENCE = "office"
"""Who a report is for. The health side works inside the register and needs none."""


Periods = Mapping[tuple[str, int], str]
"""Phase and round -> the month or quarter that it looks back on."""


class _Key(TypedDict):
    campaign: str
    phase: str
    round: int
    revision: int


_WITH_MONTHS = ("supervision", "follow_up")

_MONTHS_BEFORE = 5
"""How many earlier months are set beside one: half a year together."""

_EARLIER = re.compile(r"earlier(?P<place>\d+)_(?P<name>\w+)")
_OF_QUARTER = re.compile(
    rf"(?:(?P<span>month|quarter)(?P<place>\d)|(?P<phase>{'|'.join(RUN_PHASES)})_(?P<round>\d+))_"
    r"(?P<name>\w+)"
)
"""A figure of a quarterly pack that was released before: of a month, a quarter or another phase."""


@dataclass(frozen=True)
class Figure:
    """One released figure; `village` is '' for the township."""

    name: str
    unit: str
    village: str
    value: float | None
    """None unless `state` is released or zero."""
    state: str
    """One of contract.FIGURE_STATES."""

    @property
    def shown(self) -> bool:
        """Whether there is a number to show."""
        return self.value is not None


@dataclass(frozen=True)
class VillageReport:
    """One village's reporting state in a revision."""

    village: str
    state: str
    """One of contract.REPORTING_STATES."""
    nil: bool


@dataclass(frozen=True)
class Rectification:
    """A named shortfall of a village's service; `closed_on` is None while it is open."""

    village: str
    shortfall: str
    opened_on: date
    due: date
    due_provisional: bool
    closed_on: date | None
    closed_by_person: bool = False
    """Whether the supervisor closed it; else the month's data showed it made good."""
    evidence: str | None = None
    """The kind of the evidence that waits for the supervisor's decision, if any."""
    escalated: int = 0
    """At how many earlier looks it stood overdue."""


@dataclass(frozen=True)
class Check:
    """One suite of data checks run with a revision: how many of its expectations held."""

    suite: str
    expectations: int
    held: int


@dataclass(frozen=True)
class Month:
    """What the newest revision of an earlier month released of the township's visits."""

    period: str
    figures: Mapping[str, Figure]
    """By name: visits_due and visits_done."""


@dataclass(frozen=True)
class FigureChange:
    """A township figure that differs from the revision before."""

    before: Figure
    after: Figure


@dataclass(frozen=True)
class ReportingChange:
    """A village whose reporting state differs from the revision before."""

    village: str
    before: VillageReport
    after: VillageReport


@dataclass(frozen=True)
class Summary:
    """A released revision of a phase and what changed since the revision before."""

    campaign: str
    """The slug."""
    name: str
    name_en: str
    health_centre: str
    villages: Mapping[str, str]
    """Names by code, of all villages of the plan, in its order."""
    earlier: tuple[str, ...]
    """What to call the earlier campaigns that figures `earlier1_…`, `earlier2_…` come from."""
    phase: str
    round: int
    revision: int
    period: str | None
    as_of: date
    due: date | None
    due_provisional: bool
    status: str
    """'interim' before the due day, 'due' from then on."""
    audience: str
    withhold_to: int
    round_to: int
    figures: tuple[Figure, ...]
    reporting: tuple[VillageReport, ...]
    actions: Mapping[str, tuple[str, ...]]
    """Supervision only: by village, the weightiest first."""
    rectifications: tuple[Rectification, ...]
    """Supervision and readiness: open on as_of, or closed by this look. Quarterly pack: open."""
    checks: tuple[Check, ...]
    figure_changes: tuple[FigureChange, ...]
    reporting_changes: tuple[ReportingChange, ...]
    purpose: str | None = None
    """One of contract.PURPOSES for an ad-hoc sweep: what it was approved for."""
    meeting: Meeting | None = None
    """Quarterly pack only: what the joint meeting hears besides."""
    periods: Periods = field(default_factory=dict)
    """The month or quarter of every round of the plan that has one, by phase and round."""
    months: tuple[Month, ...] = ()
    """Supervision and follow-up: the months before it, the earliest first."""
    calendar: tuple[PhaseInTime, ...] = ()
    """Aggregation: the phases of the plan as they stood at the end of as_of."""

    def figure(self, name: str, village: str = "") -> Figure | None:
        """Return the figure `name` of `village` ('' for the township), None where there is none."""
        for figure in self.figures:
            if figure.name == name and figure.village == village:
                return figure
        return None

    def village_name(self, code: str) -> str:
        """Return what the plan calls the village; its code where the plan no longer has it."""
        return self.villages.get(code, code)

    def campaign_name(self, language: str) -> str:
        """Return the campaign's name in `language`."""
        return self.name_en if language == "en" else self.name

    def villages_with(self, name: str) -> frozenset[str]:
        """Return the codes of the villages that have a figure `name` of their own."""
        return frozenset(f.village for f in self.figures if f.name == name and f.village)


def read_summary(
    store: Store,
    plan: Plan,
    phase: str,
    round: int,
    revision: int,
    *,
    earlier: tuple[str, ...] = (),
) -> Summary:
    """Return the revision as released for `office`, from an open ledger.

    `round` is 0 for a phase without rounds. `earlier`: names of the plan's earlier campaigns, in
    its order; the slugs where none are given. Raises WrongCommand where there is no such revision.
    """
    key: _Key = {"campaign": plan.slug, "phase": phase, "round": round, "revision": revision}
    before: _Key = {**key, "revision": revision - 1}
    found = store.records("report/revision", **key)
    if not found:
        raise WrongCommand(
            "error.no_revision",
            campaign=plan.slug,
            phase=say(f"phase.{phase}"),
            revision=revision,
        )
    released = found[0]
    figures = _figures(store, key)
    reporting = _reporting(store, key)
    meeting = None
    if phase == PACK:
        meeting = read_meeting(
            store,
            plan,
            quarter=released["period"],
            met_by=released["due"],
            as_of=released["as_of"],
            until=released["created_at"],
        )
    supervised = phase == "supervision"
    return Summary(
        campaign=plan.slug,
        name=plan.name,
        name_en=plan.name_en,
        health_centre=plan.health_centre.name,
        villages={village.code: village.name for village in plan.villages},
        earlier=earlier or plan.earlier,
        phase=phase,
        round=round,
        revision=revision,
        period=released["period"],
        as_of=released["as_of"],
        due=released["due"],
        due_provisional=released["due_provisional"],
        status=released["status"],
        audience=AUDIENCE,
        withhold_to=plan.rules.withhold_to,
        round_to=plan.rules.round_to,
        figures=figures,
        reporting=reporting,
        actions=_actions(store, plan.slug, round, revision) if supervised else {},
        rectifications=(
            _rectifications(store, plan.slug, round, released["as_of"])
            if supervised or phase == "readiness"
            else _of_meeting(meeting)
        ),
        checks=tuple(Check(*row) for row in store.rows("report/checks", **key)),
        figure_changes=_figure_changes(_figures(store, before), figures),
        reporting_changes=_reporting_changes(_reporting(store, before), reporting),
        purpose=_purpose(plan, phase, round),
        meeting=meeting,
        periods=periods_of(plan),
        months=_months(store, plan, key, released["period"]) if phase in _WITH_MONTHS else (),
        calendar=(
            read_calendar(store, plan, released["as_of"], released["created_at"])
            if phase == "aggregation"
            else ()
        ),
    )


def periods_of(plan: Plan) -> Periods:
    """Return the month or quarter of every round of the plan that has one, by phase and round."""
    return {(each.phase, each.round): each.period for each in plan.calendar if each.period}


def _months(store: Store, plan: Plan, key: _Key, period: str | None) -> tuple[Month, ...]:
    """Return the months before that of a revision; a set follow-up has none, and takes those that
    supervision looked at."""
    rows = store.rows(
        "report/months",
        **key,
        months=key["phase"] if period else "supervision",
        campaigns=[plan.slug, *plan.earlier],
        most=_MONTHS_BEFORE if period else _MONTHS_BEFORE + 1,
    )
    months: dict[str, dict[str, Figure]] = {}
    for month, *figure in rows:
        months.setdefault(month, {})[figure[0]] = Figure(*figure)
    return tuple(Month(month, figures) for month, figures in months.items())


def _purpose(plan: Plan, phase: str, round: int) -> str | None:
    for each in plan.calendar:
        if (each.phase, each.round) == (phase, round) and each.request is not None:
            return each.request.purpose
    return None


def phase_title(phase: str, round: int, period: str | None, language: str) -> str:
    """Return what a phase is called, with its month or else its round where it has one."""
    named = say(f"phase.{phase}", language)
    if period:
        month = month_named(period, language)
        return say("phase.with_period", language, phase=named, period=month)
    if round:
        return say("phase.with_round", language, phase=named, round=round)
    return named


def title(campaign: str, phase: str, language: str) -> str:
    """Return a report's title from the names of its campaign and phase."""
    return say("report.title", language, campaign=campaign, phase=phase)


def figure_label(
    name: str,
    language: str,
    earlier: tuple[str, ...] = (),
    periods: Periods = MappingProxyType({}),
) -> str:
    """Return what a figure is called; `earlier2_coverage` by the second campaign of `earlier`.

    `periods` names the months of other phases' rounds, in a quarterly pack.
    """
    if copied := _OF_QUARTER.fullmatch(name):
        label = figure_label(copied["name"], language, earlier)
        if copied["phase"]:
            of_round = copied["phase"], int(copied["round"])
            of = phase_title(*of_round, periods.get(of_round), language)
        else:
            of = say(f"period.{copied['span']}.{copied['place']}", language)
        return say("figure.of", language, label=label, of=of)
    found = _EARLIER.fullmatch(name)
    if found is None:
        return returned_label(name, language) or say(f"figure.{name}", language)
    place = int(found["place"])
    campaign = earlier[place - 1] if place <= len(earlier) else f"#{place}"
    label = say(f"figure.{found['name']}", language)
    return say("figure.earlier", language, label=label, campaign=campaign)


def quarter_named(quarter: str, language: str) -> str:
    """Return a quarter such as 2026-Q1 in words; none of them is a number but its year."""
    year, _, place = quarter.partition("-Q")
    ordinal = say(f"period.ordinal.{place}", language)
    return say("period.quarter", language, year=int(year), quarter=ordinal)


def month_named(period: str, language: str) -> str:
    """Return a month such as 2025-11, or a quarter such as 2026-Q1, in words."""
    year, _, month = period.partition("-")
    if not month.isdigit():
        return quarter_named(period, language)
    return say("period.month", language, year=int(year), month=int(month))


def _figures(store: Store, key: _Key) -> tuple[Figure, ...]:
    rows = store.rows("report/figures", **key, audience=AUDIENCE)
    return tuple(Figure(*row) for row in rows)


def _reporting(store: Store, key: _Key) -> tuple[VillageReport, ...]:
    rows = store.rows("report/reporting", **key)
    return tuple(VillageReport(*row) for row in rows)


def _actions(
    store: Store, campaign: str, round_: int, revision: int
) -> Mapping[str, tuple[str, ...]]:
    actions: dict[str, tuple[str, ...]] = {}
    rows = store.rows("report/actions", campaign=campaign, round=round_, revision=revision)
    for village, action in rows:
        actions[village] = (*actions.get(village, ()), action)
    return actions


def _rectifications(
    store: Store, campaign: str, round_: int, as_of: date
) -> tuple[Rectification, ...]:
    rows = store.rows("report/rectifications", campaign=campaign, round=round_, as_of=as_of)
    return tuple(Rectification(*row) for row in rows)


def _of_meeting(meeting: Meeting | None) -> tuple[Rectification, ...]:
    return tuple(
        Rectification(
            village=each.village,
            shortfall=each.shortfall,
            opened_on=each.opened_on,
            due=each.due,
            due_provisional=each.due_provisional,
            closed_on=None,
        )
        for each in (meeting.rectifications if meeting else ())
    )


def _figure_changes(before: Iterable[Figure], after: Iterable[Figure]) -> tuple[FigureChange, ...]:
    known = {figure.name: figure for figure in before if not figure.village}
    return tuple(
        FigureChange(known[figure.name], figure)
        for figure in after
        if not figure.village
        and figure.name in known
        and (known[figure.name].value, known[figure.name].state) != (figure.value, figure.state)
    )


def _reporting_changes(
    before: Iterable[VillageReport], after: Iterable[VillageReport]
) -> tuple[ReportingChange, ...]:
    known = {report.village: report for report in before}
    return tuple(
        ReportingChange(report.village, known[report.village], report)
        for report in after
        if report.village in known and known[report.village] != report
    )
