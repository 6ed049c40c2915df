"""What `make bench` writes: tables in Markdown and one picture."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import altair as alt

from benchmarks.phases import ROWS, VILLAGES
from reports.pictures import FONT, svg_of

if TYPE_CHECKING:
    from benchmarks.__main__ import Measured

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
PICTURE = "performance.svg"
_WAYS = {
    "by_hand": "hand-written DuckDB",
    "kept": "the same, keeping the rows",
    "ours": "campaign",
    "office": "pandas + GX",
}
_COLOURS = ("#52606d", "#8a6fb0", "#2680a4", "#b4540a")
_MIB = 2**20


def tables(
    found: Sequence["Measured"],
    commands: Mapping[str, float],
    phases: Mapping[str, tuple[float, float]],
) -> str:
    """Return the tables of a run; times as ratios, memory in MiB.

    `commands` and the flows of `phases` are shares of what they may take; these on the clock, and
    of the processor.
    """
    return "\n".join(
        [
            *_figures(found),
            "",
            *_checks(found),
            "",
            "Of what it may take: "
            + ", ".join(f"`campaign {name}` {share:.0%}" for name, share in commands.items())
            + "; "
            + ", ".join(
                f"{phase} {clock:.0%} ({processor:.0%} of the processor)"
                for phase, (clock, processor) in phases.items()
            )
            + f". The last {len(phases)} are the flows of phases: "
            f"{VILLAGES} villages, {ROWS:,} rows, Prefect and GX started before.",
            "",
        ]
    )


def _figures(found: Sequence["Measured"]) -> Iterator[str]:
    yield "From CSV files to published figures; the hand-written script that keeps nothing = 1."
    yield ""
    yield (
        "| rows | hand-written that keeps the rows | campaign | campaign, that one = 1 | "
        "campaign, processor | pandas + GX | campaign, MiB | hand-written, MiB | keeping, MiB | "
        "pandas + GX, MiB | growth of campaign |"
    )
    yield f"|{'---:|' * 11}"
    before = None
    for one in found:
        hand, kept, ours = (one.costs[way] for way in ("by_hand", "kept", "ours"))
        office = one.costs.get("office")
        cells = [
            f"{one.rows:,}",
            f"{kept.took / hand.took:.1f}",
            f"{ours.took / hand.took:.1f}",
            f"{ours.took / kept.took:.1f}",
            f"{ours.busy / hand.busy:.1f}",
            "left out, minutes" if office is None else f"{office.took / hand.took:.1f}",
            f"{ours.peak / _MIB:.0f}",
            f"{hand.peak / _MIB:.0f}",
            f"{kept.peak / _MIB:.0f}",
            "" if office is None else f"{office.peak / _MIB:.0f}",
            _growth(before, one),
        ]
        yield f"| {' | '.join(cells)} |"
        before = one


def _growth(before: "Measured | None", one: "Measured") -> str:
    """Return how many times as long so many times the rows took, and the exponent of it."""
    if before is None:
        return ""
    times = one.rows / before.rows
    ratio = one.costs["ours"].took / before.costs["ours"].took
    power = math.log(ratio) / math.log(times)
    return f"{ratio:.1f}x for {times:.0f}x, exponent {power:.2f}"


def _checks(found: Sequence["Measured"]) -> Iterator[str]:
    yield "The checks of staged referrals, with the rows that fail; one hand-written statement = 1."
    yield ""
    yield "| rows | our suite | the same suite on pandas | pandas, our suite = 1 |"
    yield "|---:|---:|---:|---:|"
    for one in filter(lambda each: each.checks, found):
        hand, ours, office = (one.checks[way] for way in ("by_hand", "ours", "office"))
        yield f"| {one.rows:,} | {ours / hand:.1f} | {office / hand:.1f} | {office / ours:.1f} |"


def picture(found: Sequence["Measured"]) -> str:
    """Return as SVG how the time of each way grows; the smallest hand-written run = 1."""
    unit = found[0].costs["by_hand"].took
    points = [
        {"rows": one.rows, "times": cost.took / unit, "way": _WAYS[way]}
        for one in found
        for way, cost in one.costs.items()
    ]
    lines = (
        alt.Chart(alt.Data(values=points))
        .mark_line(point=True)
        .encode(
            x=alt.X("rows:Q", scale=alt.Scale(type="log"), title="rows"),
            y=alt.Y("times:Q", scale=alt.Scale(type="log"), title="time"),
            color=alt.Color(
                "way:N",
                title=None,
                scale=alt.Scale(domain=list(_WAYS.values()), range=list(_COLOURS)),
            ),
        )
        .properties(width=440, height=260)
        .configure(font=FONT)
    )
    return svg_of(lines.to_json(indent=None))


def rewrite(page: Path, text: str, drawn: str) -> None:
    """Put the tables of this run in place of those between the page's marks, and the picture."""
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, behind = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page.name} has no place for the tables")
    shown = f"![Time against rows, both on a logarithmic scale]({PICTURE})"
    page.write_text(f"{before}{BEGIN}\n{text}\n{shown}\n{END}{behind}", encoding="utf-8")
    page.with_name(PICTURE).write_text(drawn, encoding="utf-8")
