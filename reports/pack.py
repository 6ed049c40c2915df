"""The content of a quarterly pack: one document, which page, PDF and Word all show.

It is plain text and tables. A cell that holds a figure says which, so that the gate compares it
with the ledger; PDF and Word are made of nothing but the document that passed.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

from reports import words
from reports.meeting import Meeting
from reports.summary import (
    Figure,
    Summary,
    figure_label,
    month_named,
    phase_title,
    quarter_named,
)
from tasks.rules.contract import RUN_PHASES
from tasks.rules.meeting import (
    EARLIER_QUARTERS,
    Decision,
    Facts,
    Point,
    agenda,
    months_of,
    quarter_before,
)
from tasks.rules.rectification import Rectification
from tasks.rules.wording import say

OF_THE_WORK = (
    "reporting_on_time",
    "reporting_late",
    "reporting_returned",
    "reporting_missing",
    "status_updated",
    "care_group_met",
    "visits_due",
    "visits_done",
    "visits_late",
    "visits_overdue",
    "guardian_contacts",
    "rehabilitation_sessions",
    "rectifications_opened",
    "rectifications_closed",
    "rectifications_open",
)
"""The rows of a month or quarter; what else its months released follows."""

OF_VILLAGES = (
    "reporting_on_time",
    "reporting_missing",
    "visits_due",
    "visits_overdue",
    "rectifications_open",
    "problems_raised",
)

RATES = {
    "managed_rate": "rate_managed",
    "standard_rate": "rate_standard",
    "medicated_rate": "rate_medicated",
    "regularly_rate": "rate_regularly",
    "stable_rate": "rate_stable",
}
"""Rate -> its numerator, the people beside it."""

ON_EVERY_PAGE = ("key", "todo", "changes")
"""The sections that a page of any phase begins with."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table: words, or a figure as pages show it."""

    text: str
    figure: tuple[str, str] | None = None
    """The name and village of the figure it holds."""


@dataclass(frozen=True)
class Section:
    """A section: what is listed, a table, or a line where there is neither."""

    id: str
    title: str
    note: str = ""
    numbered: bool = False
    lines: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    """The first cell of each is its head."""


@dataclass(frozen=True)
class Document:
    """A quarterly pack as a reader has it, in one language."""

    language: str
    campaign: str
    title: str
    centre: str
    headings: tuple[str, ...]
    sections: tuple[Section, ...]
    footnotes: tuple[str, ...]


def document(summary: Summary, language: str) -> Document:
    """Return the pack of a released revision of phase quarterly_pack."""
    meeting = _meeting(summary)
    sections = [
        Section("key", say("report.section.key", language), lines=_key_points(summary, language)),
        _todo(summary, language),
        _changes(summary, language),
        Section(
            "agenda",
            say("report.section.agenda", language),
            numbered=True,
            lines=tuple(_point(each, summary, language) for each in points(summary)),
        ),
        _decisions(meeting, summary, language),
        _rectifications(meeting, summary, language),
        _months(summary, language),
        _quarters(summary, language),
        _villages(summary, language),
        _rates(summary, language),
        *_released(summary, language),
    ]
    named = phase_title(summary.phase, summary.round, summary.period, language)
    return Document(
        language=language,
        campaign=summary.campaign_name(language),
        title=named,
        centre=summary.health_centre,
        headings=tuple(words.headings(summary, language)),
        sections=tuple(each for each in sections if each.lines or each.rows or each.note),
        footnotes=tuple(words.footnotes(summary, language)),
    )


def render_document(summary: Summary, language: str) -> str:
    """Return the document as JSON: what passes the gate, and what PDF and Word are made of."""
    return json.dumps(asdict(document(summary, language)), ensure_ascii=False, indent=1) + "\n"


def text_lines(summary: Summary, language: str) -> list[str]:
    """Return what the plain-text part says besides what that of every phase does."""
    found = []
    for section in document(summary, language).sections:
        if section.id not in {"agenda", "decisions"}:
            continue
        found += ["", section.title, *([section.note] if section.note else [])]
        found += [f"- {line}" for line in section.lines]
        apart = say("list.semicolon", language)
        found += [f"- {apart.join(cell.text for cell in row)}" for row in section.rows]
    return found


def points(summary: Summary) -> tuple[Point, ...]:
    """Return the agenda that follows from the revision by the rules of `tasks/rules/meeting.py`."""
    meeting = _meeting(summary)
    overdue = [each for each in meeting.rectifications if each.days_overdue(summary.as_of)]
    return agenda(
        Facts(
            day=summary.as_of,
            decisions=meeting.decisions,
            again={each.village for each in meeting.again},
            overdue={each.village for each in overdue if each not in meeting.again},
            not_reported=_with(summary, "reporting_missing") | _with(summary, "reporting_returned"),
            visits_overdue=_with(summary, "visits_overdue"),
            rosters=meeting.rosters,
            below_target=_below_target(meeting, summary),
            problems=_with(summary, "problems_raised"),
        )
    )


def decided(decision: Decision, villages: Sequence[str], language: str) -> str:
    """Return what a decision is about: topic, village, rectification. `villages`: its one name."""
    topic = say(f"meeting.topic.{decision.topic}", language)
    about = list(villages)
    if decision.shortfall:
        about.append(say(f"shortfall.{decision.shortfall}", language))
    if not about:
        return topic
    what = say("list.comma", language).join(about)
    return say("meeting.about", language, topic=topic, what=what)


def became(decision: Decision, day: date, language: str) -> str:
    """Return what became of a decision by `day`, and that it is past due where it is."""
    known = decision.result if decision.result_on else None
    result = say(f"meeting.result.{known or 'none'}", language)
    if decision.result_on:
        result = say("meeting.result.on", language, day=decision.result_on, result=result)
    if decision.is_overdue(day):
        return say("meeting.result.overdue", language, result=result)
    return result


def _meeting(summary: Summary) -> Meeting:
    return summary.meeting or Meeting((), (), frozenset(), (), {})


def _key_points(summary: Summary, language: str) -> tuple[str, ...]:
    return tuple(words.key_points(summary, language))


def _todo(summary: Summary, language: str) -> Section:
    todo = words.things_to_do(summary, language)
    lines = tuple(
        say("todo.line", language, what=thing.what, villages=each) if thing.by_line else each
        for thing in todo
        for each in (thing.whom if thing.by_line else (str(thing),))
    )
    nothing = "" if lines else words.nothing_to_do(language)
    return Section("todo", say("report.section.todo", language), note=nothing, lines=lines)


def _changes(summary: Summary, language: str) -> Section:
    named = say("report.section.changes", language, revision=summary.revision - 1)
    return Section("changes", named, lines=tuple(words.changes(summary, language)))


def _point(point: Point, summary: Summary, language: str) -> str:
    said = say(f"meeting.agenda.{point.name}", language)
    if not point.villages:
        return said
    named = say("list.comma", language).join(map(summary.village_name, point.villages))
    return say("meeting.agenda.line", language, point=said, villages=named)


def _decisions(meeting: Meeting, summary: Summary, language: str) -> Section:
    heads = ("decision", "met_on", "owner", "due_day", "result")
    rows = [
        (
            decided(each, [summary.village_name(each.village)] if each.village else [], language),
            each.met_on.isoformat(),
            say(f"meeting.owner.{each.owner}", language),
            each.due.isoformat(),
            became(each, summary.as_of, language),
        )
        for each in meeting.decisions
    ]
    return Section(
        "decisions",
        say("report.section.decisions", language),
        note="" if rows else say("meeting.none_decided", language),
        heads=_said(heads, language) if rows else (),
        rows=_texts(rows),
    )


def _rectifications(meeting: Meeting, summary: Summary, language: str) -> Section:
    def state(each: Rectification) -> str:
        if each in meeting.again:
            return say("report.rectification.again", language)
        late = each.days_overdue(summary.as_of) > 0
        return say(f"report.rectification.{'overdue' if late else 'open'}", language)

    rows = [
        (
            summary.village_name(each.village),
            say(f"shortfall.{each.shortfall}", language),
            each.opened_on.isoformat(),
            words.day(each.due, each.due_provisional, language),
            state(each),
        )
        for each in meeting.rectifications
    ]
    heads = ("village", "shortfall", "opened", "due_day", "state")
    return Section(
        "rectifications",
        say("report.section.rectifications", language),
        note="" if rows else say("report.rectifications_none", language),
        heads=_said(heads, language) if rows else (),
        rows=_texts(rows),
    )


def _months(summary: Summary, language: str) -> Section:
    """Return the quarter's months side by side, and the quarter where a figure adds up."""
    prefixes = [f"month{place}_" for place in (1, 2, 3)]
    names = _rows_of(summary, prefixes)
    heads = [month_named(month, language) for month in months_of(summary.period or "")]
    return _without_noughts(
        Section(
            "months",
            say("report.section.months", language),
            heads=(*_said(("figure",), language), *heads, *_said(("this_quarter",), language)),
            rows=tuple(_row(name, [*prefixes, ""], summary, language) for name in names),
        ),
        names,
        summary,
        language,
    )


def _quarters(summary: Summary, language: str) -> Section:
    """Return the quarter beside those before it, as far as there are any."""
    known = {figure.name.partition("_")[0] for figure in summary.figures}
    backs = [back for back in range(1, EARLIER_QUARTERS + 1) if f"quarter{back}" in known]
    if not backs:
        return Section("quarters", "")
    prefixes = ["", *(f"quarter{back}_" for back in backs)]
    quarters = [
        quarter_named(quarter_before(summary.period or "", back), language) for back in backs
    ]
    names = ["months_looked_at", *(name for name in OF_THE_WORK if summary.figure(name))]
    return _without_noughts(
        Section(
            "quarters",
            say("report.section.quarters", language),
            heads=(*_said(("figure", "this_quarter"), language), *quarters),
            rows=tuple(_row(name, prefixes, summary, language) for name in names),
        ),
        names,
        summary,
        language,
    )


def _villages(summary: Summary, language: str) -> Section:
    def number_of(name: str, code: str) -> float:
        figure = summary.figure(name, code)
        return 0.0 if figure is None or figure.value is None else figure.value

    def need(code: str) -> tuple[float, float, float, str]:
        late = number_of("visits_overdue", code)
        return (
            -late,
            -number_of("reporting_missing", code),
            -number_of("rectifications_open", code),
            code,
        )

    codes = sorted(summary.villages_with("problems_raised"), key=need)
    nought = [
        name
        for name in OF_VILLAGES
        if codes and all(_is_nought(summary.figure(name, code)) for code in codes)
    ]
    named = [name for name in OF_VILLAGES if name not in nought]
    return Section(
        "villages",
        say("report.section.villages", language),
        note=_noughts([figure_label(name, language) for name in nought], "villages", language),
        heads=(*_said(("village",), language), *(figure_label(name, language) for name in named)),
        rows=tuple(
            (
                Cell(summary.village_name(code)),
                *(_cell(name, summary, language, code) for name in named),
            )
            for code in codes
        ),
    )


def _rates(summary: Summary, language: str) -> Section:
    """Return the national rates with their numerators; the first row is what most are parts of."""
    registered = summary.figure("rate_registered")
    if registered is None:
        return Section("rates", "")
    rows = [
        (
            Cell(figure_label("rate_registered", language)),
            _cell("rate_registered", summary, language),
            Cell(""),
        ),
        *(
            (
                Cell(figure_label(rate, language)),
                _cell(numerator, summary, language),
                _cell(rate, summary, language),
            )
            for rate, numerator in RATES.items()
            if summary.figure(rate)
        ),
    ]
    return Section(
        "rates",
        say("report.section.rates", language),
        heads=_said(("figure", "problem_people", "rate"), language),
        rows=tuple(rows),
    )


def _released(summary: Summary, language: str) -> list[Section]:
    """Return a section for each round of another phase that was released in the quarter."""
    sections = []
    for phase in RUN_PHASES:
        rounds: dict[int, list[str]] = {}
        for figure in summary.figures:
            number, _, name = figure.name.removeprefix(f"{phase}_").partition("_")
            if figure.name.startswith(f"{phase}_") and number.isdigit() and not figure.village:
                rounds.setdefault(int(number), []).append(name)
        for round, names in rounds.items():
            named = phase_title(phase, round, summary.periods.get((phase, round)), language)
            prefix = f"{phase}_{round}_"
            section = Section(
                f"released-{phase.replace('_', '-')}",
                say("report.section.released", language, phase=named),
                heads=_said(("figure", "value"), language),
                rows=tuple(_row(name, [prefix], summary, language) for name in names),
            )
            sections.append(_without_noughts(section, names, summary, language))
    return sections


def _without_noughts(
    section: Section, names: Sequence[str], summary: Summary, language: str
) -> Section:
    """Return a table without its rows of nothing but zeros, and a line that names them.

    `names`: of each row's figure.
    """
    rows = list(zip(names, section.rows, strict=True))
    nought = [name for name, row in rows if _are_nought(row, summary)]
    left = tuple(row for name, row in rows if name not in nought)
    labels = [figure_label(name, language, summary.earlier) for name in nought]
    return replace(
        section,
        note=_noughts(labels, "figures", language),
        heads=section.heads if left else (),
        rows=left,
    )


def _are_nought(row: Sequence[Cell], summary: Summary) -> bool:
    figures = [summary.figure(*cell.figure) for cell in row if cell.figure]
    return bool(figures) and all(map(_is_nought, figures))


def _is_nought(figure: Figure | None) -> bool:
    """Return whether it is known to be zero; withheld or not reported is not."""
    return figure is not None and figure.state == "zero"


def _noughts(labels: Sequence[str], of: str, language: str) -> str:
    if not labels:
        return ""
    return say(f"report.noughts.{of}", language, names=say("list.comma", language).join(labels))


def _rows_of(summary: Summary, prefixes: Iterable[str]) -> list[str]:
    """Return the names of the figures that stand under one of the prefixes, the work's first."""
    found = {
        figure.name.removeprefix(prefix)
        for prefix in prefixes
        for figure in summary.figures
        if figure.name.startswith(prefix)
    }
    known = [name for name in OF_THE_WORK if name in found]
    released = [figure.name.partition("_")[2] for figure in summary.figures]
    return [*known, *dict.fromkeys(name for name in released if name in found - set(known))]


def _row(name: str, prefixes: Sequence[str], summary: Summary, language: str) -> tuple[Cell, ...]:
    figures = [summary.figure(f"{prefix}{name}") for prefix in prefixes]
    unit = next((figure.unit for figure in figures if figure), "files")
    label = figure_label(name, language, summary.earlier)
    # over the months of a quarter those are reports, no longer villages
    kind = "reports" if name.startswith("reporting_") else name
    return (
        Cell(words.with_unit(label, kind, unit, language)),
        *(_cell(f"{prefix}{name}", summary, language) for prefix in prefixes),
    )


def _cell(name: str, summary: Summary, language: str, village: str = "") -> Cell:
    figure = summary.figure(name, village)
    if figure is None:
        return Cell("")
    return Cell(_shown(figure, language), (name, village))


def _shown(figure: Figure, language: str) -> str:
    if not figure.shown:
        return say(f"mark.{figure.state}", language)
    return words.number(figure) + ("%" if figure.unit == "percent" else "")


def _with(summary: Summary, name: str) -> set[str]:
    """Return the villages whose figure `name` is more than none."""
    return {f.village for f in summary.figures if f.name == name and f.village and f.value}


def _below_target(meeting: Meeting, summary: Summary) -> set[str]:
    """Return of coverage, reports and visits those that stayed below the plan's target."""

    def percent(part: str, whole: Iterable[str]) -> float | None:
        top = summary.figure(part)
        parts = [summary.figure(name) for name in whole]
        total = sum(figure.value or 0 for figure in parts if figure)
        return None if top is None or top.value is None or not total else 100 * top.value / total

    reports = [f"reporting_{state}" for state in ("on_time", "late", "returned", "missing")]
    sweeps = [
        figure.value
        for figure in summary.figures
        if figure.name.startswith("sweep_") and figure.name.endswith("_coverage")
        if figure.value is not None
    ]
    reached = {
        "visits": percent("visits_done", ["visits_due"]),
        "reports": percent("reporting_on_time", reports),
        "coverage": min(sweeps, default=None),
    }
    return {
        name
        for name, target in meeting.targets.items()
        if (value := reached[name]) is not None and value < target
    }


def _said(heads: Iterable[str], language: str) -> tuple[str, ...]:
    return tuple(say(f"report.{head}", language) for head in heads)


def _texts(rows: Iterable[Sequence[str]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(map(Cell, row)) for row in rows)
