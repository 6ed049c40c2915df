"""A summary as the four things that leave: the page, its plain text, the JSON and the CSV."""

import csv
import io
import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    select_autoescape,
)
from markupsafe import Markup, escape

from reports import pack, words
from reports.summary import Figure, Summary, figure_label, phase_title, title
from tasks.rules.errors import CheckFailed, WrongCommand
from tasks.rules.wording import say

_TEMPLATES = Path(__file__).with_name("templates")
_FIELD = re.compile(r"'([A-Za-z_]\w*)'(?: is undefined)?$", re.ASCII)
"""How Jinja2 names what a template asked for in vain; anything else is not repeated."""

_NUMBER = re.compile(r"(?<![\w.-])\d+(?:,\d{3})*(?:\.\d+)?%?(?![\d年])", re.ASCII)

CSV_HEAD = (
    "campaign",
    "phase",
    "round",
    "revision",
    "as_of",
    "audience",
    "name",
    "label",
    "unit",
    "village",
    "village_name",
    "value",
    "state",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes as the start of a formula (OWASP, CSV injection)."""


@dataclass(frozen=True)
class Shown:
    """A picture on a page: its file beside the page, and what it says in words."""

    file: str
    alt: str


def render_html(
    summary: Summary, language: str, pictures: Mapping[str, Shown] | None = None
) -> str:
    """Return the page of `summary`, which is also the body of its e-mail; `pictures` by name.

    One column, styles beside the elements, nothing fetched from anywhere: mail programs drop the
    rest. Raises WrongCommand for a phase without a page, CheckFailed for a broken template.
    """
    if summary.phase not in words.PHASES_REPORTED:
        phase = say(f"phase.{summary.phase}", language)
        raise WrongCommand("error.no_page", phase=phase)
    return _rendered(f"{summary.phase}.html.j2", summary, language, pictures=pictures or {})


def render_text(summary: Summary, language: str, sentences: Any = words) -> str:
    """Return the plain-text part of the e-mail: the same sentences, without tables.

    `sentences` makes them: reports.words, or what stands in for it (reports.dry_run). Raises
    CheckFailed for a broken template.
    """
    return _rendered("message.txt.j2", summary, language, sentences)


def render_json(summary: Summary) -> str:
    """Return the machine-readable report; its shape is what other software relies on."""
    content = {
        "campaign": summary.campaign,
        "phase": summary.phase,
        "round": summary.round or None,
        "revision": summary.revision,
        "as_of": summary.as_of.isoformat(),
        "audience": summary.audience,
        "figures": [
            {
                "name": figure.name,
                "unit": figure.unit,
                "village": figure.village or None,
                "value": _plain(figure),
                "state": figure.state,
            }
            for figure in summary.figures
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def render_csv(summary: Summary, language: str) -> str:
    """Return the figures as CSV, one row a figure; it starts with a BOM, so that Excel reads it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(CSV_HEAD)
    for figure in summary.figures:
        value = _plain(figure)
        writer.writerow(
            _harmless(cell)
            for cell in (
                summary.campaign,
                summary.phase,
                str(summary.round or ""),
                str(summary.revision),
                summary.as_of.isoformat(),
                summary.audience,
                figure.name,
                figure_label(figure.name, language, summary.earlier, summary.periods),
                figure.unit,
                figure.village,
                summary.village_name(figure.village) if figure.village else "",
                "" if value is None else str(value),
                figure.state,
            )
        )
    return "\ufeff" + stream.getvalue()


def _plain(figure: Figure) -> float | int | None:
    if figure.value is None:
        return None
    return int(figure.value) if figure.value == int(figure.value) else figure.value


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _emphasise(text: str) -> Markup:
    """Return `text` with its numbers in bold, so that they are met at a glance."""
    found = Markup("")
    at = 0
    # what is escaped holds numbers of its own: the mark ' is &#39;
    for number in _NUMBER.finditer(text):
        found += escape(text[at : number.start()]) + Markup("<strong>{}</strong>").format(number[0])
        at = number.end()
    return found + escape(text[at:])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        # Plain text needs no escaping; everything else gets it.
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["emphasise"] = _emphasise
    environment.globals["pictures"] = {}
    return environment


def _rendered(
    template: str,
    summary: Summary,
    language: str,
    sentences: Any = words,
    pictures: Mapping[str, Shown] | None = None,
) -> str:
    phase = phase_title(summary.phase, summary.round, summary.period, language)
    return render_page(
        template,
        language,
        title=title(summary.campaign_name(language), phase, language),
        phase_title=phase,
        summary=summary,
        words=sentences,
        pack=pack,
        pictures=pictures or {},
        label=lambda name: figure_label(name, language, summary.earlier, summary.periods),
    )


def render_page(template: str, language: str, **values: Any) -> str:
    """Return a template filled with `values`; it speaks by `say` and knows its `language`.

    Raises CheckFailed for a broken template.
    """

    def text(key: str, **fields: object) -> str:
        return say(key, language, **fields)

    try:
        return _environment().get_template(template).render(language=language, say=text, **values)
    except TemplateError as error:
        broken = _broken(template, error)
    raise broken


def _broken(template: str, error: TemplateError) -> CheckFailed:
    """Return what is wrong with a template, or with one that it builds on: where, which field."""
    places = [
        (Path(frame.filename).name, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.endswith(".j2")
    ]
    name, line = places[-1] if places else (template, 0)
    if isinstance(error, TemplateSyntaxError):
        name, line = error.name or name, error.lineno
    field = _FIELD.search(error.message or "") if isinstance(error, UndefinedError) else None
    if field is None:
        return CheckFailed("error.template", template=name, line=line)
    return CheckFailed("error.template_field", template=name, line=line, field=field[1])
