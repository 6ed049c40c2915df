"""The pictures of a report, drawn of nothing but the Summary: what was withheld is not in it.

No chart has an axis with numbers; each mark stands beside its number. A mark of a figure that is
withheld or was not reported is a dashed box of one size, with the word for it. Every mark and
every number says in its `aria-label` which figure it shows, for the gate to compare
(reports.picture_gate).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import words
from reports.pictures import FONT, svg_of
from reports.summary import Figure, Summary, figure_label
from tasks.rules.wording import say

WIDTH = 440
_BARS_FROM, _BARS_TO, _VALUES_FROM = 150, 330, 340
_BOX = 24
"""How wide the mark is of a figure without a number, whatever the figure."""
_STEP = 28
_MOST_ROWS = 10
"""Of more villages those are drawn that need something first; the table has all."""

_INK, _QUIET = "#1f2933", "#52606d"
_BAR, _WRONG = "#2680a4", "#9b1c2c"
_STATES = {
    "missing": ("#a4262c", "✕"),
    "returned": ("#b4540a", "↩"),
    "extended": ("#2b5fa8", "…"),
    "late": ("#8a6100", "!"),
    "on_time": ("#1f7a4d", "✓"),
    "not_expected": ("#616e7c", "–"),
}
"""Colour and sign of a reporting state: no state is told by colour alone."""

_VISITS = ("visits_due", "visits_done", "visits_late", "visits_overdue")


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


def charts(summary: Summary, language: str) -> Mapping[str, Chart]:
    """Return the charts of a revision by name, in the order in which the page shows them.

    Empty for a phase without any. The same summary gives the same bytes.
    """
    made = {name: make(summary, language) for name, make in _OF_PHASE.get(summary.phase, ())}
    return {name: chart for name, chart in made.items() if chart is not None}


def _reporting(summary: Summary, language: str) -> Chart | None:
    """One tile a village in its state's colour, those that need something first."""
    reports = words.by_need(summary)
    if not reports:
        return None
    tile = WIDTH / len(reports)
    tiles = [
        {
            "from": place * tile,
            "to": (place + 1) * tile - 2,
            "middle": (place + 0.5) * tile - 1,
            "shows": f"{report.village}|{report.state}",
            "colour": _STATES[report.state][0],
            "sign": _STATES[report.state][1],
        }
        for place, report in enumerate(reports)
    ]
    alt = _alt(
        "reporting",
        [
            (words.reporting_state(report, language), summary.village_name(report.village))
            for report in reports
        ],
        language,
    )
    states = [state for state in words.NEEDS_DOING if any(r.state == state for r in reports)]
    legend = "   ".join(
        f"{_STATES[state][1]} {say(f'reporting.{state}', language)}" for state in states
    )
    return Chart(_drawn(_strip(tiles, legend)), alt)


def _coverage(summary: Summary, language: str) -> Chart | None:
    """One bar a village: too high to be true, not reported, then the lowest first."""
    figures = [f for f in summary.figures if f.name == "coverage" and f.village]

    def need(figure: Figure) -> tuple[int, float, str]:
        over = figure.value is not None and figure.value > 100
        return (0 if over else 1 if figure.value is None else 2), figure.value or 0, figure.village

    rows = [_Row(summary.village_name(f.village), f) for f in sorted(figures, key=need)]
    return _bar_chart("coverage", rows[:_MOST_ROWS], language)


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
    rows = [
        _Row(say(f"chart.{name}", language), figure)
        for name in ("waiting_median", "waiting_p90")
        if (figure := summary.figure(name)) is not None
    ]
    return _bar_chart("waiting", rows, language)


def _visits(summary: Summary, language: str) -> Chart | None:
    rows = [
        _Row(figure_label(name, language), figure)
        for name in _VISITS
        if (figure := summary.figure(name)) is not None
    ]
    return _bar_chart("visits", rows, language)


def _visits_by_month(summary: Summary, language: str) -> Chart | None:
    """What was due and what was done in each month of the quarter."""
    rows = [
        _Row(figure_label(name, language), figure)
        for month in (1, 2, 3)
        for name in (f"month{month}_visits_due", f"month{month}_visits_done")
        if (figure := summary.figure(name)) is not None
    ]
    return _bar_chart("visits", rows, language)


_Make = Callable[[Summary, str], Chart | None]

_OF_PHASE: Mapping[str, Sequence[tuple[str, _Make]]] = {
    "readiness": (("reporting", _reporting),),
    "sweep": (("reporting", _reporting), ("coverage", _coverage)),
    "aggregation": (("coverage", _compared_coverage),),
    "diagnosis_queue": (("waiting", _waiting),),
    "follow_up": (("visits", _visits),),
    "supervision": (("reporting", _reporting), ("visits", _visits)),
    "quarterly_pack": (("visits", _visits_by_month),),
}


def _bar_chart(name: str, rows: Sequence[_Row], language: str) -> Chart | None:
    if not rows:
        return None
    said = [(row.label, words.amount(row.figure, language)) for row in rows]
    most = max((row.figure.value or 0 for row in rows), default=0)
    percent = rows[0].figure.unit == "percent"
    whole = max(most, 100 if percent else 1)
    bars = [
        {
            "row": place,
            "label": label,
            "said": value,
            "shows": f"{row.figure.name}|{row.figure.village}",
            "length": row.figure.value,
            "colour": _WRONG if percent and (row.figure.value or 0) > 100 else _BAR,
        }
        for place, (row, (label, value)) in enumerate(zip(rows, said, strict=True))
    ]
    return Chart(_drawn(_bars(bars, whole)), _alt(name, said, language))


def _alt(name: str, parts: Sequence[tuple[str, str]], language: str) -> str:
    said = (say("chart.alt_part", language, label=label, value=value) for label, value in parts)
    return say(
        "chart.alt",
        language,
        title=say(f"chart.{name}", language),
        parts=say("list.semicolon", language).join(said),
    )


def _bars(bars: list[dict[str, Any]], whole: float) -> Any:
    import altair as alt  # noqa: PLC0415 # half a second, only where a picture is made

    base = alt.Chart().encode(y=alt.Y("row:O", axis=None, scale=alt.Scale(padding=0)))
    scale = alt.Scale(domain=[0, whole], range=[_BARS_FROM, _BARS_TO], nice=False, zero=True)
    labels = base.mark_text(
        align="left", fontSize=14, fill=_INK, stroke=_INK, strokeWidth=0.35, aria=False, limit=142
    ).encode(x=alt.value(0), text="label:N")
    values = base.mark_text(
        align="left", fontSize=14, fill=_INK, stroke=_INK, strokeWidth=0.5, aria=True, limit=100
    ).encode(x=alt.value(_VALUES_FROM), text="said:N", description="shows:N")
    shown = (
        base.transform_filter("isValid(datum.length)")
        .mark_bar(height=16, aria=True)
        .encode(
            x=alt.X("length:Q", axis=None, scale=scale),
            color=alt.Color("colour:N", scale=None),
            description="shows:N",
        )
    )
    boxes = (
        base.transform_filter("!isValid(datum.length)")
        .mark_rect(height=16, fill="#ffffff", stroke=_QUIET, strokeDash=[3, 3], aria=True)
        .encode(
            x=alt.value(_BARS_FROM),
            x2=alt.value(_BARS_FROM + _BOX),
            description="shows:N",
        )
    )
    layered = alt.layer(labels, shown, boxes, values, data={"values": bars})
    return layered.properties(width=WIDTH, height=_STEP * len(bars))


def _strip(tiles: list[dict[str, Any]], legend: str) -> Any:
    import altair as alt  # noqa: PLC0415

    ends = alt.Scale(domain=[0, WIDTH], range=[0, WIDTH], nice=False, zero=True)
    base = alt.Chart()
    drawn = base.mark_rect(aria=True).encode(
        x=alt.X("from:Q", axis=None, scale=ends),
        x2="to:Q",
        y=alt.value(0),
        y2=alt.value(34),
        color=alt.Color("colour:N", scale=None),
        description="shows:N",
    )
    signs = base.mark_text(
        align="center", fontSize=15, fill="#ffffff", stroke="#ffffff", strokeWidth=0.6, aria=False
    ).encode(x=alt.X("middle:Q", axis=None, scale=ends), y=alt.value(17), text="sign:N")
    words_below = (
        alt.Chart({"values": [{"said": legend}]})
        .mark_text(align="left", fontSize=14, fill=_INK, stroke=_INK, strokeWidth=0.35, aria=False)
        .encode(x=alt.value(0), y=alt.value(56), text="said:N")
    )
    layered = alt.layer(drawn, signs, words_below, data={"values": tiles})
    return layered.properties(width=WIDTH, height=70)


def _drawn(chart: Any) -> str:
    plain = chart.properties(background="#ffffff", padding=8).configure(font=FONT)
    return svg_of(plain.configure_view(stroke=None).to_json(indent=None, validate=False))
