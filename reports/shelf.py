"""The report shelf: one page, opened from disk, of all that was released, and what changed when.

It needs the ledger and the plans only. Links are relative to the folder of the reports; a file that
is not there is not linked. Nothing on it depends on when it is written, so that writing it again
changes nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from reports.calendar import PhaseInTime, read_calendar
from reports.charts import Chart, calendar_chart
from reports.picture_gate import PICTURES
from reports.render import render_page
from reports.shelf_gate import check_shelf, read_allowed_on_shelf
from reports.summary import (
    AUDIENCE,
    Figure,
    FigureChange,
    ReportingChange,
    VillageReport,
    figure_label,
    periods_of,
    phase_title,
)
from reports.words import amount, change_lines
from reports.write import report_path
from tasks.home import Home, write_whole
from tasks.plan import Plan
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store

T = TypeVar("T")

Of = tuple[str, str, int, int]
"""A revision: campaign, phase, round, revision."""

KINDS = ("html", "pdf", "docx", "csv", "json", "txt", "svg", "png")
"""What may lie beside a page, in the order of its links."""

NEWEST = 6
"""How many phases stand at the top, so that the newest is met without looking for it."""


@dataclass(frozen=True)
class Link:
    """A file of a revision: its kind, and where it is, relative to the folder of the reports."""

    kind: str
    href: str
    picture: str = ""
    """Of a picture, what it shows: one of `reports.picture_gate.PICTURES`; else ''."""

    def named(self, language: str) -> str:
        """Return what the link says: the kind of file; of a picture what it shows besides."""
        kind = say(f"shelf.kind.{self.kind}", language)
        if not self.picture:
            return kind
        shows = say(f"shelf.picture.{self.picture}", language)
        return say("shelf.picture", language, shows=shows, kind=kind)


@dataclass(frozen=True)
class ShelfRevision:
    """One released revision: when, how its input was, what is there of it, what changed."""

    of: Of
    as_of: date
    due: date | None
    status: str
    """'interim' before the due day, 'due' from then on."""
    made_at: datetime
    """Wall time of the plan's time zone."""
    suites: int
    expectations: int
    held: int
    links: tuple[Link, ...]
    sheets: Mapping[str, str]
    """Village -> the link to its own sheet, where the revision has such."""
    returned: tuple[Figure, ...]
    """Rows sent back, by the rule they broke; of sheets about people as disclosure control has
    them."""
    figure_changes: tuple[FigureChange, ...]
    reporting_changes: tuple[ReportingChange, ...]

    @property
    def number(self) -> int:
        """Which revision it is, from 1."""
        return self.of[3]

    @property
    def page(self) -> str | None:
        """The link to its page; None where that is not there."""
        return next((link.href for link in self.links if link.kind == "html"), None)


@dataclass(frozen=True)
class ShelfPhase:
    """A phase, or a round of one, with all its revisions, the newest first."""

    phase: str
    round: int
    period: str | None
    revisions: tuple[ShelfRevision, ...]

    @property
    def newest(self) -> ShelfRevision:
        """The newest revision."""
        return self.revisions[0]


@dataclass(frozen=True)
class ShelfCampaign:
    """A campaign with its phases that were released, in the plan's order."""

    plan: Plan
    earlier: Mapping[str, tuple[str, ...]]
    """Language -> what to call the earlier campaigns it is compared with."""
    phases: tuple[ShelfPhase, ...]
    calendar: tuple[PhaseInTime, ...]
    """The phases of the plan, as they stood at the end of `as_of`."""

    @property
    def as_of(self) -> date:
        """The latest day that anything on the shelf is about."""
        return _latest(self.phases)

    @property
    def made_at(self) -> datetime:
        """When its newest revision was made."""
        return max(phase.newest.made_at for phase in self.phases)


@dataclass(frozen=True)
class Shelf:
    """Everything released: the campaigns, that with the newest report first."""

    campaigns: tuple[ShelfCampaign, ...]
    centre: str
    language: str
    """Of `index.html`; the other language has a page of its own."""

    @cached_property
    def newest(self) -> tuple[tuple[ShelfCampaign, ShelfPhase], ...]:
        """The phases with the newest revisions, the newest first."""
        found = [(campaign, phase) for campaign in self.campaigns for phase in campaign.phases]
        found.sort(key=lambda pair: (pair[1].newest.made_at, pair[1].newest.as_of), reverse=True)
        return tuple(found[:NEWEST])


def shelf_path(home: Home, language: str, main: str) -> Path:
    """Return where the shelf of a language is; `main` is the language of `index.html`."""
    return home.root / "reports" / _page_name(language, main)


def write_shelf(store: Store, home: Home, plans: Mapping[str, Plan]) -> Path:
    """Write the shelf in both languages (0600) and return the page in the township's own.

    `store` is an open ledger; no key is needed. `plans`: of all campaigns of this home, by slug.
    Raises DisclosureRisk where the gate stops a page: then none is written.
    """
    shelf = read_shelf(store, home, plans)
    pages = {}
    for language in LANGUAGES:
        path = shelf_path(home, language, shelf.language)
        page = render_shelf(shelf, language)
        # what is there just so passed when it was written
        if not path.is_file() or path.read_bytes() != page.encode("utf-8"):
            pages[path] = page
    if pages:
        allowed = read_allowed_on_shelf(store, [campaign.plan for campaign in shelf.campaigns])
        for page in pages.values():
            check_shelf(page, allowed)
    for path, page in pages.items():
        write_whole(path, page.encode("utf-8"))
    return shelf_path(home, shelf.language, shelf.language)


def read_shelf(store: Store, home: Home, plans: Mapping[str, Plan]) -> Shelf:
    """Return everything released of the campaigns of this home, and the files there are of it.

    A phase's revisions follow each other as they were made; a campaign of which nothing was
    released yet is not on the shelf.
    """
    released = _revisions(store, home, plans)
    names = {slug: {"zh-CN": plan.name, "en": plan.name_en} for slug, plan in plans.items()}
    campaigns = [
        ShelfCampaign(
            plan,
            {
                language: tuple(
                    names[other][language] if other in names else other for other in plan.earlier
                )
                for language in LANGUAGES
            },
            phases,
            read_calendar(store, plan, _latest(phases)),
        )
        for slug, plan in plans.items()
        if (phases := _phases(plan, released.get(slug, {})))
    ]
    campaigns.sort(key=lambda campaign: campaign.made_at, reverse=True)
    first = campaigns[0].plan if campaigns else next(iter(plans.values()), None)
    return Shelf(
        tuple(campaigns),
        centre=first.health_centre.name if first else "",
        language=first.language if first else LANGUAGES[0],
    )


def render_shelf(shelf: Shelf, language: str) -> str:
    """Return the shelf's page in `language`."""
    other = next(each for each in LANGUAGES if each != language)
    return render_page(
        "shelf.html.j2",
        language,
        shelf=shelf,
        other=other,
        other_page=_page_name(other, shelf.language),
        status=status,
        changes=changes,
        checks=checks,
        returned=returned,
        calendar=lambda campaign: drawn(campaign, language),
        phase_name=lambda phase: phase_title(phase.phase, phase.round, phase.period, language),
        campaign_name=lambda campaign: (
            campaign.plan.name_en if language == "en" else campaign.plan.name
        ),
    )


def status(revision: ShelfRevision, language: str) -> str:
    """Return whether a revision is interim, at the due day or after it."""
    late = revision.status == "due" and revision.due is not None and revision.as_of > revision.due
    return say(f"report.status.{'after' if late else revision.status}", language)


def checks(revision: ShelfRevision, language: str) -> str:
    """Return how many of a revision's data checks held; those that did not sent rows back."""
    if not revision.suites:
        return say("shelf.checks_none", language)
    whole = revision.held == revision.expectations
    return say(
        "shelf.checks_all" if whole else "shelf.checks_some",
        language,
        expectations=revision.expectations,
        held=revision.held,
    )


def returned(figure: Figure, language: str) -> str:
    """Return why rows went back and how many, as far as that may be told."""
    label = figure_label(figure.name, language)
    told = amount(figure, language)
    if figure.unit == "rows":
        told = say("shelf.rows", language, count=told)
    return say("shelf.returned_line", language, label=label, amount=told)


def changes(campaign: ShelfCampaign, revision: ShelfRevision, language: str) -> list[str]:
    """Return in words what differs from the revision before; [] for a first one."""
    if revision.number == 1:
        return []
    names = {village.code: village.name for village in campaign.plan.villages}
    return change_lines(
        revision.figure_changes,
        revision.reporting_changes,
        language,
        village_name=lambda code: names.get(code, code),
        earlier=campaign.earlier[language],
        periods=periods_of(campaign.plan),
    )


def drawn(campaign: ShelfCampaign, language: str) -> Chart | None:
    """Return the phases of a campaign over time; None where its plan has none."""
    return calendar_chart(campaign.calendar, campaign.as_of, language)


def _latest(phases: Iterable[ShelfPhase]) -> date:
    return max(revision.as_of for phase in phases for revision in phase.revisions)


def _page_name(language: str, main: str) -> str:
    return "index.html" if language == main else f"index.{language}.html"


def _phases(
    plan: Plan, released: Mapping[tuple[str, int], list[tuple[str | None, ShelfRevision]]]
) -> tuple[ShelfPhase, ...]:
    planned = [(each.phase, each.round) for each in plan.calendar]
    places = {key: place for place, key in enumerate(planned)}
    # what the plan no longer has stands last
    order = sorted(released, key=lambda key: (places.get(key, len(places)), key))
    return tuple(
        ShelfPhase(
            *key,
            period=released[key][-1][0],
            revisions=tuple(revision for _, revision in reversed(released[key])),
        )
        for key in order
    )


def _revisions(
    store: Store, home: Home, plans: Mapping[str, Plan]
) -> dict[str, dict[tuple[str, int], list[tuple[str | None, ShelfRevision]]]]:
    """Return slug -> phase and round -> (period, revision), in the order of revision."""
    returned = _by_revision(
        store.records("report/shelf_returned", audience=AUDIENCE),
        lambda row: Figure(row["name"], row["unit"], row["village"], row["value"], row["state"]),
    )
    figures = _by_revision(
        store.records("report/shelf_changed", audience=AUDIENCE),
        lambda row: FigureChange(
            Figure(row["name"], row["unit"], "", row["value_before"], row["state_before"]),
            Figure(row["name"], row["unit"], "", row["value"], row["state"]),
        ),
    )
    states = _by_revision(
        store.records("report/shelf_states"),
        lambda row: ReportingChange(
            row["village"],
            VillageReport(row["village"], row["state_before"], row["nil_before"]),
            VillageReport(row["village"], row["state"], row["nil"]),
        ),
    )
    there = {slug: _files(home.reports(slug)) for slug in plans}
    found: dict[str, dict[tuple[str, int], list[tuple[str | None, ShelfRevision]]]] = {}
    for row in store.records("report/shelf"):
        of = _of(row)
        if row["campaign"] not in plans:
            continue
        revision = ShelfRevision(
            of,
            as_of=row["as_of"],
            due=row["due"],
            status=row["status"],
            made_at=row["created_at"],
            suites=row["suites"],
            expectations=row["expectations"],
            held=row["held"],
            links=_links(home, of, there[row["campaign"]]),
            sheets=_sheets(home, of, plans[row["campaign"]]),
            returned=returned.get(of, ()),
            figure_changes=figures.get(of, ()),
            reporting_changes=states.get(of, ()),
        )
        phases = found.setdefault(row["campaign"], {})
        phases.setdefault((row["phase"], row["round"]), []).append((row["period"], revision))
    return found


def _of(row: Mapping[str, Any]) -> Of:
    return row["campaign"], row["phase"], row["round"], row["revision"]


def _by_revision(
    rows: Iterable[Mapping[str, Any]], make: Callable[[Mapping[str, Any]], T]
) -> dict[Of, tuple[T, ...]]:
    found: dict[Of, list[T]] = {}
    for row in rows:
        found.setdefault(_of(row), []).append(make(row))
    return {of: tuple(each) for of, each in found.items()}


def _files(folder: Path) -> tuple[str, ...]:
    """Return the names of the files in a folder, sorted; none where it is not there."""
    return tuple(sorted(path.name for path in folder.glob("*") if path.is_file()))


def _sheets(home: Home, of: Of, plan: Plan) -> dict[str, str]:
    """Return village -> link, in the plan's order, of the sheets in the revision's own folder."""
    folder = report_path(home, *of).with_suffix("")
    there = set(_files(folder))
    return {
        village.code: f"{of[0]}/{folder.name}/{village.code}.html"
        for village in plan.villages
        if f"{village.code}.html" in there
    }


def _links(home: Home, of: Of, names: Iterable[str]) -> tuple[Link, ...]:
    """Return the files of a revision, pictures and other languages among them."""
    stem = report_path(home, *of).stem
    own = re.compile(rf"{re.escape(stem)}(?:[-.]([A-Za-z_-]+))?\.({'|'.join(KINDS)})")
    found = [(match[2], name, match[1] or "") for name in names if (match := own.fullmatch(name))]
    found.sort(key=lambda each: (KINDS.index(each[0]), each[1] != f"{stem}.{each[0]}", each[1]))
    return tuple(
        Link(kind, f"{of[0]}/{name}", beside if beside in PICTURES else "")
        for kind, name, beside in found
    )
