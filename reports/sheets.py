"""One page a care group and month: what was owed, delivered and late, and what to do next.

For the office it is a part of a released revision of supervision: made of that revision and of the
five months before it, as they were released by then, and let through by the gate like any page.
For the health side the same page holds exact figures; that one comes from the register
(`campaign sheet`), never passes here as released, and stays in the home.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from reports import words
from reports.gate import have_passed
from reports.render import render_page
from reports.sheet_gate import check_sheets
from reports.summary import (
    Figure,
    Rectification,
    Summary,
    VillageReport,
    figure_label,
    month_named,
    read_summary,
    title,
)
from tasks.home import Home, write_whole
from tasks.plan import Plan
from tasks.rules.known_names import NameList
from tasks.rules.subsidies import SubsidyAccount
from tasks.rules.supervision import WANTED, compare
from tasks.rules.wording import say
from tasks.store import Store

PHASE = "supervision"

MONTHS = 6
"""How many months a sheet looks back on, its own among them."""

SHOWN = (
    "visits_due",
    "visits_done",
    "visits_late",
    "visits_overdue",
    "guardian_contacts",
    "rehabilitation_sessions",
    "subsidy_applied",
    "subsidy_reviewed",
    "subsidy_paid",
    "care_roles_owed",
    "care_roles_filled",
    "rectifications_open",
)
"""The figures of a month, a row each, in the order of the sheet."""

FLAGS = ("status_updated", "care_group_met")
"""What a month did or did not do, told in words."""


MOST_LINES = {"overdue": 3, "changes": 6}
"""How much of it is said in words before the tables, which hold all: it is one page."""


@dataclass(frozen=True)
class Month:
    """What one month says of one village; `figures` by name."""

    round: int
    period: str
    as_of: date
    figures: Mapping[str, Figure]

    def value(self, name: str) -> float | None:
        """Return the number of a figure, None where there is none to show."""
        figure = self.figures.get(name)
        return None if figure is None else figure.value

    @property
    def reporting(self) -> str | None:
        """The reporting state, as far as its figures tell: None while an extension runs."""
        for state in ("on_time", "late", "returned", "missing"):
            if self.value(f"reporting_{state}"):
                return state
        return None


@dataclass(frozen=True)
class Sheet:
    """One care group's month and the months before it, the oldest first; the last is its own."""

    summary: Summary
    """The month's summary; of `health` it holds exact figures."""
    village: str
    months: tuple[Month, ...]
    report: VillageReport
    actions: tuple[str, ...]
    rectifications: tuple[Rectification, ...]
    """The village's: open, or closed by this month's look."""
    roles_missing: tuple[str, ...] | None = None
    """Of `health` only: the roles that the care group lacks; None where it sent no roster."""
    subsidies: SubsidyAccount | None = None
    """Of `health` only: over all months, exact; None where no month was reported."""

    @property
    def this(self) -> Month:
        """The month that the sheet is about."""
        return self.months[-1]

    @property
    def before(self) -> Month | None:
        """The month before, where it was looked at."""
        if len(self.months) < 2 or self.months[-2].round != self.this.round - 1:
            return None
        return self.months[-2]

    def cell(self, month: Month, name: str) -> str:
        """Return by which name the gate knows a figure of `month`."""
        return name if month is self.this else f"{PHASE}_{month.round}_{name}"


def sheet_path(home: Home, campaign: str, round: int, revision: int, village: str) -> Path:
    """Return where a sheet is kept: `reports/<slug>/supervision-<round>-r<rev>/<code>.html`.

    `code` is the village's.
    """
    return home.reports(campaign) / f"{PHASE}-{round}-r{revision}" / f"{village}.html"


def make_sheets(
    store: Store,
    plan: Plan,
    round: int,
    revision: int,
    language: str,
    names: NameList | None = None,
) -> dict[str, str]:
    """Return village -> its page of a released revision of supervision, all let through the gate.

    `store` is an open ledger. With `names`, the register's, the gate keeps that they passed. Raises
    WrongCommand where the revision was not released, CheckFailed for a broken template,
    DisclosureRisk where the gate stops a page.
    """
    pages = _pages(store, plan, round, revision, language)
    check_sheets(store, plan, round, revision, pages, names)
    return pages


def write_sheets(
    store: Store,
    home: Home,
    plan: Plan,
    round: int,
    revision: int,
    language: str,
    names: NameList | None = None,
) -> tuple[Path, ...]:
    """Write the sheets of a released revision of supervision (0600) and return their paths.

    Those that are there and passed the gate just as they are stay untouched; otherwise as
    `make_sheets`: none is written where one is stopped.
    """
    summary = read_summary(store, plan, PHASE, round, revision)
    paths = {
        village: sheet_path(home, plan.slug, round, revision, village)
        for village in _looked_at(summary)
    }
    if not _are_there(store, plan, round, revision, list(paths.values())):
        for village, page in make_sheets(store, plan, round, revision, language, names).items():
            write_whole(paths[village], page.encode("utf-8"))
    return tuple(paths.values())


def render_sheet(sheet: Sheet, language: str) -> str:
    """Return the page of a sheet: one A4 page when printed. Raises CheckFailed."""
    summary = sheet.summary
    month = say(
        "report.sheet.of",
        language,
        village=summary.village_name(sheet.village),
        month=month_named(sheet.this.period, language),
    )
    return render_page(
        "sheet.html.j2",
        language,
        title=title(summary.campaign_name(language), month, language),
        month_title=month,
        sheet=sheet,
        summary=summary,
        words=words,
        headings=headings(sheet, language),
        flags=FLAGS,
        shown=[name for name in SHOWN if name in sheet.this.figures],
        owed=owed_line(sheet, language),
        standing=standing_lines(sheet, language),
        overdue=_first(overdue_lines(sheet, language), "overdue", language),
        changes=_first(changes(sheet, language), "changes", language),
        notes=footnotes(sheet, language),
        label=lambda name: figure_label(name, language),
    )


def headings(sheet: Sheet, language: str) -> list[str]:
    """Return the lines under the title; exact figures are of no revision."""
    lines = words.headings(sheet.summary, language)
    revision = say("report.revision", language, revision=sheet.summary.revision)
    return [line for line in lines if sheet.summary.audience == "office" or line != revision]


def owed_line(sheet: Sheet, language: str) -> str:
    """Return in one sentence what was owed, delivered and late."""
    names = ("visits_due", "visits_done", "visits_late", "visits_overdue")
    figures = {name: words.amount(sheet.this.figures.get(name), language) for name in names}
    state = words.reporting_state(sheet.report, language)
    return say("report.sheet.owed", language, reporting=state, **figures)


def standing_lines(sheet: Sheet, language: str) -> list[str]:
    """Return what the care group lacks, and what waits of the subsidies as far as that may be told.

    The office sees how many roles are filled, health staff which are not. What is overdue of the
    subsidies is for health staff alone (docs/care-groups.md); the office sees that it was to be
    made good.
    """
    owed, filled = (sheet.this.figures.get(f"care_roles_{each}") for each in ("owed", "filled"))
    lines = []
    if owed is not None and filled is not None and owed.shown:
        key = "roles" if filled.shown else "roles_unknown"
        counts = {"owed": words.number(owed), "filled": words.number(filled)}
        lines.append(say(f"report.sheet.{key}", language, **counts))
    if sheet.roles_missing:
        named = [say(f"care_role.{role}", language) for role in sheet.roles_missing]
        roles = say("list.comma", language).join(named)
        lines.append(say("report.sheet.roles_missing", language, roles=roles))
    if sheet.subsidies is not None:
        account = sheet.subsidies
        key = "subsidies_overdue" if account.overdue else "subsidies"
        lines.append(
            say(
                f"report.sheet.{key}",
                language,
                applied=account.applied,
                paid=account.paid,
                waiting=account.waiting,
                overdue=account.overdue,
            )
        )
    return lines


def overdue_lines(sheet: Sheet, language: str) -> list[str]:
    """Return what is overdue to be made good: for how many days, how often that was said."""
    return [
        _about(sheet, "for_meeting" if for_meeting else "overdue", each, language)
        for each in sheet.rectifications
        if words.is_overdue(each, sheet.this.as_of)
        for for_meeting in (words.is_for_meeting(each, sheet.summary),)
    ]


def changes(sheet: Sheet, language: str) -> list[str]:
    """Return what changed since the month before: what got worse leads, then what is overdue anew.

    Then what got better, what was closed and what was opened. One line says so where nothing
    changed, or where there is no month before.
    """
    before = sheet.before
    if before is None:
        return [say("report.sheet.no_month_before", language)]
    found = {"better": list[str](), "worse": list[str]()}
    for name in WANTED:
        outcome = compare(name, before.value(name), sheet.this.value(name))
        if outcome in found:
            found[outcome].append(_changed(name, before, sheet.this, language))
    lines = [
        say(f"report.sheet.{outcome}", language, what=what)
        for outcome in ("worse", "better")
        for what in found[outcome]
    ]
    worse = len(found["worse"])
    lines[worse:worse] = [
        _about(sheet, "newly_overdue", each, language)
        for each in sheet.rectifications
        if words.is_overdue(each, sheet.this.as_of) and each.due >= before.as_of
    ]
    lines += [
        _about(sheet, "closed", each, language) for each in sheet.rectifications if each.closed_on
    ]
    lines += [
        _about(sheet, "opened", each, language)
        for each in sheet.rectifications
        if each.closed_on is None and each.opened_on > before.as_of
    ]
    return lines or [say("report.sheet.same", language)]


def footnotes(sheet: Sheet, language: str) -> list[str]:
    """Return the lines at the foot: for whom the page is, and how its figures are to be read."""
    summary = sheet.summary
    if summary.audience == "health":
        return [say("report.sheet.health_only", language)]
    return [
        say(
            "foot.protection",
            language,
            withhold_to=summary.withhold_to,
            round_to=summary.round_to,
        ),
        say("foot.marks", language),
    ]


def _first(lines: list[str], what: str, language: str) -> list[str]:
    most = MOST_LINES[what]
    return lines if len(lines) <= most else [*lines[:most], say("report.sheet.more", language)]


def _looked_at(summary: Summary) -> list[str]:
    """Return the villages that the month's look was about, those of the plan in its order."""
    there = summary.villages_with("visits_due")
    known = [code for code in summary.villages if code in there]
    return known + sorted(there.difference(known))


def _pages(store: Store, plan: Plan, round: int, revision: int, language: str) -> dict[str, str]:
    summary = read_summary(store, plan, PHASE, round, revision)
    trend = _trend(store, plan, round, revision)
    return {
        village: render_sheet(sheet_of(summary, village, trend.get(village, ())), language)
        for village in _looked_at(summary)
    }


def sheet_of(summary: Summary, village: str, earlier: Sequence[Month]) -> Sheet:
    """Return a village's sheet of a month's `summary`; `earlier`: its months before, in order."""
    own = {figure.name: figure for figure in summary.figures if figure.village == village}
    this = Month(summary.round, summary.period or "", summary.as_of, own)
    rectifications = [each for each in summary.rectifications if each.village == village]
    reports = {each.village: each for each in summary.reporting}
    return Sheet(
        summary=summary,
        village=village,
        months=(*earlier[-(MONTHS - 1) :], this),
        report=reports[village],
        actions=tuple(summary.actions.get(village, ())),
        rectifications=tuple(
            words.rectifications_by_need(replace(summary, rectifications=tuple(rectifications)))
        ),
    )


def _trend(store: Store, plan: Plan, round: int, revision: int) -> dict[str, tuple[Month, ...]]:
    """Return village -> its months before, as they were released by then, the oldest first."""
    found: dict[str, dict[tuple[int, str, date], dict[str, Figure]]] = {}
    rows = store.rows("report/trend", campaign=plan.slug, round=round, revision=revision)
    for number, period, as_of, name, unit, village, value, state in rows:
        months = found.setdefault(village, {})
        figures = months.setdefault((number, period, as_of), {})
        figures[name] = Figure(name, unit, village, value, state)
    return {
        village: tuple(Month(*month, figures) for month, figures in sorted(months.items()))
        for village, months in found.items()
    }


def _are_there(store: Store, plan: Plan, round: int, revision: int, paths: Sequence[Path]) -> bool:
    """Return whether all files are there and passed the gate just as they are."""
    try:
        pages = [path.read_bytes().decode("utf-8") for path in paths]
    except (OSError, UnicodeDecodeError):
        return False
    return all(
        have_passed(store, plan.slug, PHASE, round, revision, {"html": page}) for page in pages
    )


def _changed(name: str, before: Month, after: Month, language: str) -> str:
    if name in FLAGS:
        return say(f"report.sheet.{name}.{_flag(after.value(name))}", language)
    if name.startswith("reporting_"):
        return say(f"report.sheet.reported.{_flag(after.value(name))}", language)
    return say(
        "change.figure",
        language,
        label=figure_label(name, language),
        before=words.amount(before.figures[name], language),
        after=words.amount(after.figures[name], language),
    )


def _flag(value: float | None) -> str:
    return "yes" if value else "no"


def _about(sheet: Sheet, key: str, each: Rectification, language: str) -> str:
    return say(
        f"report.sheet.{key}",
        language,
        shortfall=say(f"shortfall.{each.shortfall}", language),
        due=words.day(each.due, each.due_provisional, language),
        state=words.rectification_state(each, sheet.summary, language),
    )
