"""A county's rollup as it is written: a page in each language, two tables as CSV, and JSON.

It says what `tasks.rollup` found and nothing else, and nothing in it depends on when it is written.
The page looks like any other report; villages are not on it, and no person can be.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reports.render import render_page
from reports.summary import figure_label
from reports.summary import phase_title as title_of
from reports.words import Todo, with_unit
from tasks.county import County
from tasks.home import private_folder, write_whole
from tasks.rollup import CountyFigure, CountyPhase, Rollup
from tasks.rules.input_quality import RETURNED
from tasks.rules.rollup import TOWNSHIP_STATES, SetAside
from tasks.rules.wording import LANGUAGES, say

PAGES = {"zh-CN": "rollup.html", "en": "rollup.en.html"}

HEADLINES: Mapping[str, tuple[str, ...]] = {
    "sweep": ("coverage", "referrals"),
    "list_compilation": ("people_listed",),
    "diagnosis_queue": ("people_waiting",),
    "supervision": ("visits_overdue",),
}
"""Phase -> the figures of its latest round that are among the key points."""

LIKE = {"set_aside": "returned", "awaited": "extended"}
"""A township's state -> the village's state whose colours it has, where it is not of that name."""

FIGURES_HEAD = (
    *("county", "campaign", "snapshot", "as_of", "phase", "round", "period", "name", "label"),
    *("unit", "state", "value", "townships_released", "townships_withheld"),
    "townships_not_reported",
)
TOWNSHIPS_HEAD = (
    *("county", "campaign", "snapshot", "as_of", "township", "township_name", "phase", "round"),
    *("period", "state", "revision", "interim", "shared_on"),
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes as the start of a formula (OWASP, CSV injection)."""

Check = Callable[[Mapping[str, str]], None]
"""Looks at the finished files, content by name; raises where one may not be written."""


def write_rollup(rollup: Rollup, county: County, folder: Path, check: Check) -> list[Path]:
    """Write the rollup's files (0600) into `folder` and return where they are, the page first.

    `check` sees them all before any is written: what it raises leaves the folder as it was.
    """
    files = render_rollup(rollup, county)
    check(files)
    private_folder(folder)
    for name, content in files.items():
        write_whole(folder / name, content.encode("utf-8"))
    return [folder / name for name in files]


def render_rollup(rollup: Rollup, county: County) -> dict[str, str]:
    """Return the rollup's files, content by name: the pages, `rollup.csv`, `townships.csv`, JSON.

    Raises CheckFailed for a broken template.
    """
    return {
        **{PAGES[language]: render_html(rollup, county, language) for language in LANGUAGES},
        "rollup.csv": figures_csv(rollup, county),
        "townships.csv": townships_csv(rollup, county),
        "rollup.json": json.dumps(rollup_record(rollup, county), ensure_ascii=False, indent=1)
        + "\n",
    }


def rollup_record(rollup: Rollup, county: County) -> dict[str, Any]:
    """Return the machine-readable rollup; its shape is what other software relies on."""
    return {
        "county": county.name,
        "county_en": county.name_en,
        "campaign": rollup.campaign,
        "snapshot": rollup.snapshot,
        "taken_at": rollup.taken_at.isoformat(timespec="seconds") + "Z",
        "as_of": rollup.as_of.isoformat(),
        "releases": rollup.releases,
        "phases": [
            {
                "phase": phase.phase,
                "round": phase.round,
                "period": phase.period,
                "due": phase.due.isoformat(),
                "expected": phase.expected,
                "figures": [asdict(each) | {"value": _plain(each)} for each in phase.figures],
                "townships": [
                    asdict(each) | {"shared_on": each.shared_on and each.shared_on.isoformat()}
                    for each in phase.townships
                ],
            }
            for phase in rollup.phases
        ],
        "set_aside": [asdict(each) for each in rollup.set_aside],
    }


def figures_csv(rollup: Rollup, county: County) -> str:
    """Return the county's figures as CSV with a BOM, one row a figure of a phase and round."""
    of = _of(rollup, county)
    return _csv(
        FIGURES_HEAD,
        (
            (
                *(*of, phase.phase, phase.round, phase.period),
                *(each.name, figure_label(each.name, LANGUAGES[0]), each.unit),
                *(each.state, _plain(each), each.released, each.withheld, each.not_reported),
            )
            for phase in rollup.phases
            for each in phase.figures
        ),
    )


def townships_csv(rollup: Rollup, county: County) -> str:
    """Return every township's states as CSV with a BOM, one row a township, phase and round."""
    of, names = _of(rollup, county), county.names
    return _csv(
        TOWNSHIPS_HEAD,
        (
            (
                *(*of, each.township, names[each.township], phase.phase, phase.round),
                *(phase.period, each.state, each.revision, str(each.interim).lower()),
                each.shared_on,
            )
            for phase in rollup.phases
            for each in phase.townships
        ),
    )


def render_html(rollup: Rollup, county: County, language: str) -> str:
    """Return the page in `language`."""
    page = _Page(rollup, county, language)
    named = page.campaign_name(language)
    return render_page(
        "rollup.html.j2",
        language,
        title=say("report.title", language, campaign=named, phase=say("rollup.title", language)),
        phase_title=say("rollup.title", language),
        summary=page,
        words=page,
        pictures={},
        label=lambda name: figure_label(name, language),
        like=lambda state: LIKE.get(state, state),
    )


def phase_title(phase: str, round: int, period: str | None, language: str) -> str:
    """Return what a phase is called; 'not readable' where a row of the ledger names none."""
    return title_of(phase, round, period, language) if phase else say("rollup.unknown", language)


def aside_line(each: SetAside, county: County, language: str) -> str:
    """Return in one line whose release was set aside, which, and why."""
    reason = say(
        f"rollup.aside.{each.reason}",
        language,
        other=_named(each.other, county, language),
        village=each.village,
    )
    where = say(
        "rollup.aside.where",
        language,
        phase=phase_title(each.phase, each.round, None, language),
        revision=each.revision,
    )
    township = _named(each.township, county, language)
    return say("rollup.aside.line", language, township=township, where=where, reason=reason)


@dataclass(frozen=True)
class TownshipRow:
    """A township on the page: its weightiest state, and its phases by state."""

    code: str
    name: str
    state: str
    lines: tuple[str, ...]


class _Page:
    """What the templates ask of a report, about a county: its words and its figures."""

    revision = 1
    """A rollup has no revisions: what changed, the snapshots tell."""

    def __init__(self, rollup: Rollup, county: County, language: str) -> None:
        self.rollup, self.county, self.language = rollup, county, language
        self.phases = rollup.phases

    def campaign_name(self, language: str) -> str:
        county = self.county.name_in(language)
        return say("rollup.campaign", language, county=county, campaign=self.rollup.campaign)

    def headings(self, _: object, language: str) -> list[str]:
        taken_at = self.rollup.taken_at.replace(tzinfo=UTC)
        local = taken_at.astimezone(ZoneInfo(self.county.timezone))
        return [
            say("report.as_of", language, as_of=self.rollup.as_of.isoformat()),
            say("rollup.head.townships", language, townships=len(self.county.townships)),
            say(
                "rollup.head.snapshot",
                language,
                snapshot=self.rollup.snapshot,
                taken_at=f"{local:%Y-%m-%d %H:%M}",
            ),
        ]

    def key_points(self, _: object, language: str) -> list[str]:
        townships, phases = len(self.county.townships), len(self.phases)
        lines = [say("rollup.key.shared", language, townships=townships, phases=phases)]
        if self.rollup.set_aside:
            count = len(self.rollup.set_aside)
            lines.append(say("rollup.key.set_aside", language, count=count))
        if missing := len(self._in_state("missing")):
            lines.append(say("rollup.key.missing", language, count=missing))
        if not missing and not self.rollup.set_aside:
            lines.append(say("rollup.key.all_there", language))
        latest = {phase.phase: phase for phase in self.phases if phase.phase in HEADLINES}
        for phase in latest.values():
            lines += [
                say(
                    "rollup.key.figure",
                    language,
                    phase=self.phase_name(phase),
                    label=figure_label(each.name, language),
                    amount=self.amount(each),
                    released=each.released,
                    expected=phase.expected,
                )
                for name in HEADLINES[phase.phase]
                for each in phase.figures
                if each.name == name and each.value is not None
            ]
        return lines

    def things_to_do(self, _: object, language: str) -> list[Todo]:
        todo = []
        if self.rollup.set_aside:
            whom = tuple(aside_line(each, self.county, language) for each in self.rollup.set_aside)
            todo.append(Todo(say("rollup.todo.set_aside", language), whom, language, by_line=True))
        if missing := self._in_state("missing"):
            whom = tuple(
                say(
                    "rollup.todo.missing_line",
                    language,
                    township=_named(code, self.county, language),
                    phases=phases,
                )
                for code, phases in missing.items()
            )
            todo.append(Todo(say("rollup.todo.missing", language), whom, language, by_line=True))
        # as in a township: a rate over 100 is an error to show
        over = tuple(
            self.phase_name(phase)
            for phase in self.phases
            for each in phase.figures
            if each.name == "coverage" and each.value is not None and each.value > 100
        )
        if over:
            todo.append(Todo(say("rollup.todo.coverage_over", language), over, language))
        return todo

    def nothing_to_do(self, language: str) -> str:
        return say("rollup.todo.none", language)

    def with_unit(self, label: str, name: str, unit: str, language: str) -> str:
        return with_unit(label, name, unit, language)

    def changes(self, _: object, language: str) -> list[str]:
        return []

    def footnotes(self, _: object, language: str) -> list[str]:
        return [
            say("rollup.foot.source", language),
            say("rollup.foot.states", language),
            say("foot.referral", language),
            say("foot.order", language),
            say(
                "rollup.foot.again",
                language,
                snapshot=self.rollup.snapshot,
                as_of=self.rollup.as_of.isoformat(),
            ),
        ]

    def phase_name(self, phase: CountyPhase) -> str:
        return phase_title(phase.phase, phase.round, phase.period, self.language)

    def shown(self, phase: CountyPhase) -> list[CountyFigure]:
        """Return the figures that stand on the page; rows sent back, by cell, are in the tables."""
        return [each for each in phase.figures if not each.name.startswith(RETURNED)]

    def phase_states(self, phase: CountyPhase) -> str:
        """Return the due day and how many townships are in each state."""
        counts = dict.fromkeys(TOWNSHIP_STATES, 0)
        for each in phase.townships:
            counts[each.state] += 1
        return say(
            "rollup.phase.states",
            self.language,
            due=phase.due.isoformat(),
            expected=phase.expected,
            states=[
                say(
                    "rollup.phase.state",
                    self.language,
                    state=say(f"rollup.state.{state}", self.language),
                    count=count,
                )
                for state, count in reversed(counts.items())
                if count
            ],
        )

    def number(self, figure: CountyFigure) -> str:
        """Return a figure's number as a page shows it; '' where there is none."""
        if figure.value is None:
            return ""
        if figure.unit == "percent":
            return f"{figure.value:.1f}%"
        return f"{figure.value:,.0f}"

    def content(self, figure: CountyFigure) -> str:
        """Return what a cell says: a number, or at least so much where not all is known."""
        number = self.number(figure)
        # a rate is that of the townships beside it, and neither more nor less than that
        if figure.state != "partly" or figure.unit == "percent":
            return number
        if not figure.value:
            return say("rollup.none_known", self.language, value=number)
        # the numbers of people it is the sum of are rounded
        key = "rollup.at_least_about" if figure.unit == "people" else "rollup.at_least"
        return say(key, self.language, value=number)

    def amount(self, figure: CountyFigure) -> str:
        """Return a figure as it stands in a sentence; a sum of rounded counts is about so many."""
        if figure.unit != "people":
            return self.content(figure)
        key = (
            "rollup.people_partly" if figure.state == "partly" else f"amount.people.{figure.state}"
        )
        return say(key, self.language, value=self.number(figure))

    def townships(self) -> list[TownshipRow]:
        """Return the townships, those first of which something needs doing, then by code."""
        states: dict[str, dict[str, list[str]]] = {
            each.code: defaultdict(list) for each in self.county.townships
        }
        for phase in self.phases:
            name = self.phase_name(phase)
            for each in phase.townships:
                shown = say("rollup.interim", self.language, phase=name) if each.interim else name
                states[each.township][each.state].append(shown)
        names = self.county.names
        rows = [
            TownshipRow(code, names[code], _weightiest(found), tuple(self._lines(found)))
            for code, found in states.items()
        ]
        return sorted(rows, key=lambda row: (TOWNSHIP_STATES.index(row.state), row.code))

    def state(self, state: str) -> str:
        return say(f"rollup.state.{state}", self.language)

    def _lines(self, found: Mapping[str, Sequence[str]]) -> Iterable[str]:
        told = [state for state in TOWNSHIP_STATES if state in found]
        owed = [state for state in told if state != "not_expected"]
        if not owed:
            return [say("rollup.row.nothing", self.language)]
        if owed == ["on_time"]:
            return [say("rollup.row.all_on_time", self.language)]
        return [
            say("rollup.row.phases", self.language, state=self.state(state), phases=found[state])
            for state in owed
        ]

    def _in_state(self, state: str) -> dict[str, list[str]]:
        """Return township -> its phases in a state, by code."""
        found: dict[str, list[str]] = defaultdict(list)
        for phase in self.phases:
            for each in phase.townships:
                if each.state == state:
                    found[each.township].append(self.phase_name(phase))
        return dict(sorted(found.items()))


def _weightiest(found: Mapping[str, Sequence[str]]) -> str:
    return next((state for state in TOWNSHIP_STATES if state in found), "not_expected")


def _of(rollup: Rollup, county: County) -> tuple[object, ...]:
    return (county.name, rollup.campaign, rollup.snapshot, rollup.as_of.isoformat())


def _named(code: str, county: County, language: str) -> str:
    """Return a township's name and code; its code alone where the list does not have it."""
    name = county.names.get(code)
    if name is None:
        return code or say("rollup.unknown", language)
    return say("rollup.township", language, name=name, code=code)


def _plain(figure: CountyFigure) -> float | int | None:
    if figure.value is None:
        return None
    return int(figure.value) if figure.value == int(figure.value) else figure.value


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        cells = ["" if each is None else str(each) for each in row]
        writer.writerow(["'" + c if c.startswith(_FORMULA) else c for c in cells])
    return "\ufeff" + stream.getvalue()
