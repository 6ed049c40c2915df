"""The pages as HTML: one column, no script, nothing fetched, one style that the policy names."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.cell_checks import head_of
from tasks.intake import FileResult
from tasks.links import Link
from tasks.plan import Plan
from tasks.rules.reasons import column_of, reason_keys
from tasks.rules.wording import say

_TEMPLATES = Path(__file__).with_name("templates")
MOST_LINES = 60
"""Reasons shown on a page; the rest stands in the return workbook."""


@dataclass(frozen=True)
class Heading:
    """What a link is for, as its pages say it."""

    phase: str
    village: str
    due: str
    """The village's effective due day."""


@dataclass(frozen=True)
class Line:
    """One thing to correct: where it is and why, never what stands there."""

    sheet: str
    row: int
    column: str
    reason: str


def heading_of(plan: Plan, link: Link) -> Heading:
    """Return what the pages of `link` say of it."""
    occurrence = plan.occurrence(link.phase, link.round)
    phase = say(f"phase.{link.phase}", plan.language)
    if occurrence.period is not None:
        phase = say("phase.with_period", plan.language, phase=phase, period=occurrence.period)
    elif link.round:
        phase = say("phase.with_round", plan.language, phase=phase, round=link.round)
    due = link.extended_to or occurrence.due
    return Heading(phase, plan.village(link.village).name, due.isoformat())


def lines_of(result: FileResult, language: str) -> list[Line]:
    """Return what is to be corrected in a file, row by row and rule by rule."""
    return [
        Line(
            say(f"sheet.{row.sheet.name}", language),
            row.row,
            head_of(column_of(row.sheet, rule), language),
            " ".join(say(key, language) for key in reason_keys(row.sheet, rule, row.cells)),
        )
        for row in result.returned
        for rule in row.rules
    ]


def rendered(name: str, plan: Plan, **content: object) -> str:
    """Return the page `name` in the plan's language."""
    template = _environment().get_template(f"{name}.html.j2")
    return template.render(
        content,
        plan=plan,
        language=plan.language,
        say=partial(say, language=plan.language),
        style=Markup(style()),  # noqa: S704 # our own file
    )


@cache
def style() -> str:
    """Return the one style of all pages."""
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8")


@cache
def style_hash() -> str:
    """Return the style's hash as a content security policy names it."""
    digest = hashlib.sha256(style().encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
