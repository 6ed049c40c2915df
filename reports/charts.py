"""The pictures of a report, drawn of nothing but the Summary: what was withheld is not in it.

No chart has an axis with numbers; each mark stands beside its number. A mark of a figure that is
withheld or was not reported is a hatched box of one size, with the word for it. Every mark and
every number says in its `aria-label` which figure it shows, for the gate to compare
(reports.picture_gate).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from reports import words
from reports.calendar import PhaseInTime
from reports.pictures import FONT, svg_of
from reports.summary import Figure, Summary, figure_label, month_named, phase_title
from tasks.rules.meeting import months_of
from tasks.rules.wording import say

WIDTH = 440
_BARS_FROM, _FULL, _GAP = 140, 160, 8
_BOX = 24
"""How wide the mark is of a figure without a number, whatever the figure."""
_TILE, _TILES_BETWEEN, _TILES_A_ROW = 140, 10, 3
_TIME_FROM = 170
"""Where the time of a campaign begins to be drawn; it ends at WIDTH."""
_LEAST = 2
"""How wide a phase of a day is at least."""

_SIZE, _SMALL, _LINE = 14, 12, 18
"""Of letters, of small ones, and from one line of a text to the next; in pixels."""

_BAR_HEIGHT, _BAR_STEP = 16, 20
MARGIN = 12
"""Around everything that is drawn."""

_WORD = re.compile(r"[\u2e80-\uffef][\uff0c\uff09\u3001\uff1b]*|[^\s\u2e80-\uffef]+\s*|\s+")
"""What a line is not broken within: a Chinese character and the comma after it, or a word."""

PANEL = "#edf1f5"
"""What pictures are drawn on: a panel of its own, on light pages and on dark ones."""
_INK, _QUIET, _ON_TILE = "#1f2933", "#52606d", "#ffffff"
_BAR, _OWED, _WRONG = "#1f749a", "#66788a", "#9b1c2c"
_STATES = {
    "missing": ("#a4262c", "×"),
    "returned": ("#a84c08", "←"),
    "extended": ("#2b5fa8", "…"),
    "late": ("#7d5800", "!"),
    "on_time": ("#1b7046", "✓"),
    "not_expected": ("#5b6875", "–"),
}
"""Colour and sign of a reporting state: no state is told by colour alone. The signs are in the font
that charts are drawn with; another one would be taken for the whole text."""

_IN_TIME = {
    "planned": "#52606d",
    "open": "#1f749a",
    "reopened": "#1f749a",
    "due": "#a84c08",
    "closed": "#1b7046",
}
"""Colour of how a phase stands; what is planned is an outline."""

_PROVISIONAL = "△"

_VISITS = ("visits_due", "visits_done", "visits_late", "visits_overdue")
_DUE_AND_DONE = {"visits_due": _OWED, "visits_done": _BAR}
_WAITED = (
    "waited_to_14",
    "waited_15_to_30",
    "waited_31_to_60",
    "waited_61_to_90",
    "waited_over_90",
)


@dataclass(frozen=True)
class Chart:
    """One picture: how it is drawn, and what it says in words, figures included."""

    svg: str
    alt: str


@dataclass(frozen=True)
class _Row:
    """One bar: what stands beside it and the figure that it is as long as."""

    label: str
    figure: Figure
    of: str = ""
    """The village or the month that the figure is of; '' for the township."""
    colour: str = _BAR


@dataclass
class _Picture:
    """What is drawn, in pixels from the upper left: rectangles and lines of text."""

    height: float = 0
    filled: list[dict[str, Any]] = field(default_factory=list)
    hollow: list[dict[str, Any]] = field(default_factory=list)
    texts: dict[tuple[str, bool], list[dict[str, Any]]] = field(default_factory=dict)
    """By alignment, and whether they show a figure."""

    def mark(
        self, left: float, top: float, width: float, height: float, shows: str, colour: str | None
    ) -> None:
        """Add a rectangle; an outline where it has no colour."""
        place = {"left": left, "right": left + width, "top": top, "bottom": top + height}
        which = self.hollow if colour is None else self.filled
        which.append({**place, "shows": shows, "colour": colour or PANEL})

    def write(
        self,
        said: str,
        left: float,
        middle: float,
        *,
        shows: str = "",
        align: str = "left",
        colour: str = _INK,
        size: int = _SIZE,
        strong: bool = False,
    ) -> None:
        """Add a text of one line or several, the first of them at `middle`."""
        self.texts.setdefault((align, bool(shows)), []).append(
            {
                "left": left,
                "middle": middle,
                "said": said,
                "shows": shows,
                "colour": colour,
                "size": size,
                "stroke": 0.9 if strong else 0.45,
            }
        )


def charts(summary: Summary, language: str) -> Mapping[str, Chart]:
    """Return the charts of a revision by name, in the order in which the page shows them.

    Empty for a phase without any. The same summary gives the same bytes.
    """
    made = {name: make(summary, language) for name, make in _OF_PHASE.get(summary.phase, ())}
    return {name: chart for name, chart in made.items() if chart is not None}


def calendar_chart(phases: Sequence[PhaseInTime], as_of: date, language: str) -> Chart | None:
    """Return a campaign's phases over time as they stood on `as_of`; None where it has none."""
    if not phases:
        return None
    ordered = _by_phase(phases)
    first = min(each.opens for each in phases)
    last = max(each.due for each in phases)
    a_day = (WIDTH - _TIME_FROM) / ((last - first).days + 1)

    def at(day: date) -> float:
        return _TIME_FROM + (day - first).days * a_day

    picture = _Picture(height=26)
    for of_phase in ordered:
        _draw_phase(picture, of_phase, at, language)
    # a day ends at 24:00
    today = min(max(at(as_of + timedelta(days=1)), _TIME_FROM), WIDTH)
    picture.mark(today - 1, 20, 2, picture.height - 20, "as_of|", _WRONG)
    picture.write(
        say("calendar.as_of", language, as_of=as_of.isoformat()),
        today,
        9,
        colour=_WRONG,
        align="right" if today > (_TIME_FROM + WIDTH) / 2 else "left",
    )
    below = picture.height + 10
    picture.write(first.isoformat(), _TIME_FROM, below, colour=_QUIET, size=_SMALL)
    picture.write(last.isoformat(), WIDTH, below, colour=_QUIET, size=_SMALL, align="right")
    picture.height = below + 12
    states = {each.state for each in phases}
    legend = [
        (f"{'□' if state == 'planned' else '■'} {_state(state, language)}", colour)
        for state, colour in _IN_TIME.items()
        if state in states
    ]
    if any(each.provisional for each in phases):
        legend.append((f"{_PROVISIONAL} {say('calendar.provisional', language)}", _INK))
    _write_beside_each_other(picture, legend)
    parts = [
        (phase_title(each.phase, each.round, each.period, language), _term(each, language))
        for of_phase in ordered
        for each in of_phase
    ]
    return Chart(_drawn(picture), _alt("calendar", parts, language))


def _draw_phase(
    picture: _Picture, of_phase: Sequence[PhaseInTime], at: Callable[[date], float], language: str
) -> None:
    """Draw all rounds of a phase side by side, and say how the one stands that is next to end."""
    room = _TIME_FROM - 12
    now = next((each for each in of_phase if each.state != "closed"), of_phase[-1])
    title = _wrapped(phase_title(now.phase, now.round, now.period, language), room)
    standing = _wrapped(_standing(now, language), room)
    top = picture.height
    picture.write(title, 0, top + 9, strong=True)
    picture.write(standing, 0, top + 9 + _LINE * _lines(title))
    height = _LINE * (_lines(title) + _lines(standing))
    for each in of_phase:
        left = at(each.opens)
        width = max(at(each.due + timedelta(days=1)) - left, _LEAST)
        colour = None if each.state == "planned" else _IN_TIME[each.state]
        shows = f"{each.phase}|{each.round}"
        middle = top + height / 2
        picture.mark(left, middle - _BAR_HEIGHT / 2, width, _BAR_HEIGHT, shows, colour)
        if each.provisional:
            above = middle - _BAR_HEIGHT / 2 - 7
            picture.write(_PROVISIONAL, left + width, above, size=_SMALL, align="right")
    picture.height = top + height + 12


def _by_phase(phases: Iterable[PhaseInTime]) -> list[list[PhaseInTime]]:
    """Return the occurrences of each phase, in the order in which they begin."""
    found: dict[str, list[PhaseInTime]] = {}
    for each in sorted(phases, key=lambda each: (each.opens, each.due)):
        found.setdefault(each.phase, []).append(each)
    return list(found.values())


def _state(state: str, language: str) -> str:
    return say(f"calendar.state.{state}", language)


def _standing(each: PhaseInTime, language: str) -> str:
    """Return how a phase stands and when it is due; a provisional day is called so."""
    due = words.day(each.due, each.provisional, language)
    return say("calendar.standing", language, state=_state(each.state, language), due=due)


def _term(each: PhaseInTime, language: str) -> str:
    """Return from when to when a phase is open and how it stands."""
    return say(
        "calendar.term",
        language,
        opens=each.opens.isoformat(),
        due=words.day(each.due, each.provisional, language),
        state=_state(each.state, language),
    )


def _calendar(summary: Summary, language: str) -> Chart | None:
    return calendar_chart(summary.calendar, summary.as_of, language)


def _reporting(summary: Summary, language: str) -> Chart | None:
    """One tile a village with its name, in its state's colour; those that need something first."""
    reports = words.by_need(summary)
    if not reports:
        return None
    picture = _Picture()
    for state, group in groupby(reports, key=lambda report: report.state):
        colour, sign = _STATES[state]
        head = f"{sign} {say(f'reporting.{state}', language)}"
        picture.write(head, 0, picture.height + 10, colour=colour, strong=True)
        picture.height += 24
        villages = [report.village for report in group]
        names = [
            _wrapped(f"{sign} {summary.village_name(village)}", _TILE - 16) for village in villages
        ]
        # tiles are all of one size, so that no village looks larger than another
        for place, (village, name) in enumerate(zip(villages, names, strict=True)):
            left = place % _TILES_A_ROW * (_TILE + _TILES_BETWEEN)
            top = picture.height + place // _TILES_A_ROW * _tile_step(summary)
            height = _tile_step(summary) - 6
            picture.mark(left, top, _TILE, height, f"{village}|{state}", colour)
            middle = top + height / 2 - (_lines(name) - 1) * _LINE / 2
            picture.write(name, left + 8, middle, colour=_ON_TILE)
        rows = -(-len(villages) // _TILES_A_ROW)
        picture.height += rows * _tile_step(summary) + 4
    said = [
        (state, say("list.comma", language).join(summary.village_name(r.village) for r in group))
        for state, group in groupby(
            reports, key=lambda report: words.reporting_state(report, language)
        )
    ]
    return Chart(_drawn(picture), _alt("reporting", said, language))


def _tile_step(summary: Summary) -> int:
    """Return from one row of tiles to the next: as many lines as the longest name needs."""
    names = [summary.village_name(report.village) for report in summary.reporting]
    return 16 + _LINE * max(_lines(_wrapped(f"✓ {name}", _TILE - 16)) for name in names)


def _coverage(summary: Summary, language: str) -> Chart | None:
    """One bar a village: too high to be true, not reported, then the lowest first."""
    figures = [f for f in summary.figures if f.name == "coverage" and f.village]

    def need(figure: Figure) -> tuple[int, float, str]:
        over = figure.value is not None and figure.value > 100
        return (0 if over else 1 if figure.value is None else 2), figure.value or 0, figure.village

    rows = [_Row(summary.village_name(f.village), f, f.village) for f in sorted(figures, key=need)]
    return _bar_chart("coverage", rows[: words.MOST_DRAWN], language)


def _compared_coverage(summary: Summary, language: str) -> Chart | None:
    names = ["coverage", *(f"earlier{n}_coverage" for n in range(1, len(summary.earlier) + 1))]
    labels = [say("chart.this_campaign", language), *summary.earlier]
    rows = [
        _Row(label, figure)
        for label, figure in zip(labels, map(summary.figure, names), strict=True)
        if figure is not None
    ]
    return _bar_chart("coverage", rows, language)


def _waiting(summary: Summary, language: str) -> Chart | None:
    """How many waited how long, by steps; of a revision from before the steps, the percentiles."""
    rows = _rows(summary, _WAITED, language)
    if rows:
        return _bar_chart("waiting", rows, language)
    percentiles = [
        _Row(say(f"chart.{name}", language), figure)
        for name in ("waiting_median", "waiting_p90")
        if (figure := summary.figure(name)) is not None
    ]
    return _bar_chart("waiting", percentiles, language)


def _visits(summary: Summary, language: str) -> Chart | None:
    return _bar_chart("visits", _rows(summary, _VISITS, language), language)


def _rows(summary: Summary, names: Iterable[str], language: str) -> list[_Row]:
    return [
        _Row(figure_label(name, language), figure)
        for name in names
        if (figure := summary.figure(name)) is not None
    ]


def _months(summary: Summary, language: str) -> Chart | None:
    """What was due and what was done in the months up to this one, the earliest first."""
    rows = [
        _Row(month_named(month.period, language), figure, month.period, _DUE_AND_DONE[name])
        for month in summary.months
        for name, figure in month.figures.items()
    ]
    if not rows:
        return None
    if summary.period is not None:
        rows += [
            _Row(month_named(summary.period, language), figure, colour=colour)
            for name, colour in _DUE_AND_DONE.items()
            if (figure := summary.figure(name)) is not None
        ]
    return _bar_chart("months", rows, language, name_each=True)


def _months_of_quarter(summary: Summary, language: str) -> Chart | None:
    """What was due and what was done in each month of the quarter."""
    months = months_of(summary.period) if summary.period else ()
    rows = [
        _Row(month_named(month, language), figure, colour=colour)
        for place, month in enumerate(months, start=1)
        for name, colour in _DUE_AND_DONE.items()
        if (figure := summary.figure(f"month{place}_{name}")) is not None
    ]
    return _bar_chart("months", rows, language, name_each=True)


_Make = Callable[[Summary, str], Chart | None]

_OF_PHASE: Mapping[str, Sequence[tuple[str, _Make]]] = {
    "readiness": (("reporting", _reporting),),
    "sweep": (("reporting", _reporting), ("coverage", _coverage)),
    "aggregation": (("calendar", _calendar), ("coverage", _compared_coverage)),
    "diagnosis_queue": (("waiting", _waiting),),
    "follow_up": (("visits", _visits), ("months", _months)),
    "supervision": (("reporting", _reporting), ("visits", _visits), ("months", _months)),
    "quarterly_pack": (("months", _months_of_quarter),),
}


def _bar_chart(
    name: str, rows: Sequence[_Row], language: str, *, name_each: bool = False
) -> Chart | None:
    """Return bars one below the other, those of one label together; each named where it is asked.

    None where there is nothing to draw.
    """
    if not rows:
        return None
    percent = rows[0].figure.unit == "percent"
    whole = max(100 if percent else 1, *(row.figure.value or 0 for row in rows))
    picture = _Picture()
    parts = []
    for label, group in groupby(rows, key=lambda row: row.label):
        own = list(group)
        lines = _wrapped(label, _BARS_FROM - 8)
        height = max(_lines(lines) * _LINE, len(own) * _BAR_STEP) + 8
        picture.write(lines, 0, picture.height + (height - (_lines(lines) - 1) * _LINE) / 2)
        top = picture.height + (height - len(own) * _BAR_STEP) / 2 + 2
        said = [words.amount(row.figure, language) for row in own]
        if name_each:
            said = [
                say("chart.alt_part", language, label=_what(row, language), value=value)
                for row, value in zip(own, said, strict=True)
            ]
        for place, (row, value) in enumerate(zip(own, said, strict=True)):
            _draw_bar(picture, row, value, top + place * _BAR_STEP, whole)
        parts.append((label, say("count.comma", language).join(said)))
        picture.height += height
    return Chart(_drawn(picture), _alt(name, parts, language))


def _what(row: _Row, language: str) -> str:
    """Return what a figure is called, without the month that stands beside its bar."""
    name = next(name for name in _DUE_AND_DONE if row.figure.name.endswith(name))
    return figure_label(name, language)


def _draw_bar(picture: _Picture, row: _Row, said: str, top: float, whole: float) -> None:
    value = row.figure.value
    shows = f"{row.figure.name}|{row.of}"
    middle = top + _BAR_HEIGHT / 2
    if value is None:
        width: float = _BOX
        picture.mark(_BARS_FROM, top, width, _BAR_HEIGHT, shows, None)
        picture.write("///", _BARS_FROM + _BOX / 2, middle, colour=_QUIET, align="center")
    else:
        width = _FULL * value / whole
        wrong = row.figure.unit == "percent" and value > 100
        colour = _WRONG if wrong else row.colour
        picture.mark(_BARS_FROM, top, width, _BAR_HEIGHT, shows, colour)
    picture.write(said, _BARS_FROM + width + _GAP, middle, shows=shows, strong=True)


def _alt(name: str, parts: Sequence[tuple[str, str]], language: str) -> str:
    said = (say("chart.alt_part", language, label=label, value=value) for label, value in parts)
    return say(
        "chart.alt",
        language,
        title=say(f"chart.{name}", language),
        parts=say("list.semicolon", language).join(said),
    )


def _write_beside_each_other(picture: _Picture, texts: Iterable[tuple[str, str]]) -> None:
    """Write texts in their colours, as many in a line as there is room for."""
    left = 0.0
    for text, colour in texts:
        width = _width(text, _SIZE) + 14
        if left and left + width > WIDTH:
            left, picture.height = 0.0, picture.height + _LINE
        picture.write(text, left, picture.height + 10, colour=colour)
        left += width
    picture.height += _LINE + 4


def _width(text: str, size: int = _SIZE) -> float:
    """Return about how many pixels a text takes: a Chinese character a square, others less."""
    wide = sum(unicodedata.east_asian_width(each) in "WFA" for each in text)
    return size * (wide + 0.56 * (len(text) - wide))


def _lines(text: str) -> int:
    return text.count("\n") + 1


def _wrapped(text: str, room: float) -> str:
    """Return a text in lines that fit: broken at a space, or between Chinese characters."""
    lines = [""]
    for word in _WORD.findall(text):
        if lines[-1] and _width((lines[-1] + word).rstrip()) > room:
            lines.append("")
        lines[-1] += word
    return "\n".join(line.strip() for line in lines)


def _drawn(picture: _Picture) -> str:
    import altair as alt  # noqa: PLC0415 # half a second, only where a picture is made

    def along(name: str, axis: type, whole: float) -> Any:
        scale = alt.Scale(domain=[0, whole], range=[0, whole], nice=False, zero=True)
        return axis(f"{name}:Q", axis=None, scale=scale)

    def chart(rows: list[dict[str, Any]]) -> Any:
        return alt.Chart({"values": rows})

    colour = alt.Color("colour:N", scale=None)
    place = {
        "x": along("left", alt.X, WIDTH),
        "x2": "right:Q",
        "y": along("top", alt.Y, picture.height),
        "y2": "bottom:Q",
    }
    layers = [
        chart(rows)
        .mark_rect(aria=True, **looks)
        .encode(**place, color=colour, description="shows:N")
        for rows, looks in (
            # so that two that touch are told apart
            (picture.filled, {"stroke": PANEL}),
            (picture.hollow, {"stroke": _QUIET, "strokeDash": [3, 3]}),
        )
        if rows
    ]
    layers += [
        chart(rows)
        .mark_text(align=align, baseline="middle", lineBreak="\n", lineHeight=_LINE, aria=shown)
        .encode(
            x=along("left", alt.X, WIDTH),
            y=along("middle", alt.Y, picture.height),
            text="said:N",
            color=colour,
            stroke=alt.Stroke("colour:N", scale=None),
            strokeWidth=alt.StrokeWidth("stroke:Q", scale=None),
            size=alt.Size("size:Q", scale=None),
            **({"description": "shows:N"} if shown else {}),
        )
        for (align, shown), rows in picture.texts.items()
    ]
    whole = alt.layer(*layers).properties(
        width=WIDTH, height=picture.height, background=PANEL, padding=MARGIN
    )
    plain = whole.configure(font=FONT).configure_view(stroke=None)
    return svg_of(plain.to_json(indent=None, validate=False))
