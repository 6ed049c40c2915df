"""Writing a revision's report files, after the gate has let all of them through."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

from reports.charts import charts
from reports.gate import check_report, earlier_names, have_passed, let_pass, read_allowed
from reports.pack import render_document
from reports.pictures import png_of
from reports.printed import printed_pack
from reports.render import Shown, render_csv, render_html, render_json, render_text
from reports.sheets import PHASE as WITH_SHEETS
from reports.sheets import write_sheets
from reports.summary import phase_title, read_summary, title
from reports.word_document import usual_word_pack
from tasks.home import Home, write_whole
from tasks.plan import PACK, Plan
from tasks.rules.errors import WrongCommand
from tasks.rules.known_names import NameList
from tasks.rules.wording import current_language, keys, say
from tasks.store import Store

KINDS = ("html", "json", "csv", "txt")
"""What is written of a revision; txt is the plain-text part of its e-mail."""

PRINTED = {
    "pdf": printed_pack,
    "docx": usual_word_pack,
}
"""What is written of a quarterly pack besides, each made of the document that passed the gate."""


def report_path(
    home: Home,
    campaign: str,
    phase: str,
    round: int,
    revision: int,
    kind: str = "html",
) -> Path:
    """Return where a report is kept: `reports/<slug>/<phase>[-round]-r<revision>.<kind>`."""
    of_round = f"-{round}" if round else ""
    return home.reports(campaign) / f"{phase}{of_round}-r{revision}.{kind}"


def write_report(
    store: Store,
    home: Home,
    plan: Plan,
    phase: str,
    round: int,
    revision: int,
    language: str,
    names: NameList | None = None,
) -> tuple[Path, ...]:
    """Write a released revision's page, JSON, CSV and text (0600) and return their paths.

    Beside them, of supervision, a page a care group (`reports.sheets`). Files that are there and
    passed the gate just as they are stay untouched: what was released does not change with the
    wording. Otherwise as `make_report`. Raises WrongCommand where the revision was not released,
    DisclosureRisk where the gate stops a file: then none is written.
    """
    paths = {kind: report_path(home, plan.slug, phase, round, revision, kind) for kind in KINDS}
    printed = {
        kind: report_path(home, plan.slug, phase, round, revision, kind)
        for kind in (PRINTED if phase == PACK else ())
    }
    there = _read_back(paths)
    if (
        there is None
        or not have_passed(store, plan.slug, phase, round, revision, there)
        or not all(path.is_file() for path in printed.values())
    ):
        files = make_report(store, home, plan, phase, round, revision, language, names)
        for kind, path in paths.items():
            write_whole(path, files[kind].encode("utf-8"))
        for kind, content in files.items():
            if kind.startswith(("svg-", "png-")):
                write_whole(_picture_path(paths["html"], kind), _bytes_of(kind, content))
        for kind, path in printed.items():
            write_whole(path, PRINTED[kind](files["document"]))
    if phase == WITH_SHEETS:
        write_sheets(store, home, plan, round, revision, language, names)
    return tuple(paths.values())


def write_newest(store: Store, home: Home, plan: Plan, phase: str, round: int | None) -> Path:
    """Write the newest released revision of a phase where its files are not there; return its page.

    `store` is an open ledger: no key is needed, since what was released is all there. `round`: None
    for the last one. Raises WrongCommand where nothing was released, and as `write_report`.
    """
    released = [
        row
        for row in store.records("report/status", campaign=plan.slug)
        if row["phase"] == phase and round in (None, row["round"])
    ]
    if not released:
        raise WrongCommand("report.none", campaign=plan.slug, phase=_called(phase, round))
    row = max(released, key=lambda row: row["round"])
    of_phase = (phase, row["round"], row["revision"])
    write_report(store, home, plan, *of_phase, plan.language)
    return report_path(home, plan.slug, *of_phase)


def _called(phase: str, round: int | None) -> str:
    """Return what a phase that somebody asked for is called; where there is none, as it was."""
    if f"phase.{phase}" not in keys("phase."):
        return phase
    return phase_title(phase, round or 0, None, current_language())


def make_report(
    store: Store,
    home: Home,
    plan: Plan,
    phase: str,
    round: int,
    revision: int,
    language: str,
    names: NameList | None = None,
) -> dict[str, str]:
    """Return what leaves of a revision by kind, gated: its files and the subject of its mail.

    `store` is an open ledger. With `names`, the register's, it keeps there what passed, so that it
    may be mailed; without them nothing of it may. Raises WrongCommand where the revision was not
    released, CheckFailed for a broken template, DisclosureRisk where the gate stops a part.
    """
    earlier = earlier_names(home, plan)
    summary = read_summary(
        store,
        plan,
        phase,
        round,
        revision,
        earlier=tuple(en if language == "en" else zh for zh, en in earlier),
    )
    named = phase_title(phase, round, summary.period, language)
    page = report_path(home, plan.slug, phase, round, revision)
    drawn = charts(summary, language)
    shown = {
        name: Shown(_picture_path(page, f"png-{name}").name, chart.alt)
        for name, chart in drawn.items()
    }
    parts = {
        "html": render_html(summary, language, shown),
        "json": render_json(summary),
        "csv": render_csv(summary, language),
        "txt": render_text(summary, language),
        "subject": say(
            "mail.subject",
            language,
            title=title(summary.campaign_name(language), named, language),
            revision=revision,
        ),
    }
    for name, chart in drawn.items():
        parts[f"svg-{name}"] = chart.svg
        parts[f"png-{name}"] = base64.b64encode(png_of(chart.svg)).decode("ascii")
    if phase == PACK:
        parts["document"] = render_document(summary, language)
    both = [name for pair in earlier for name in pair]
    allowed = read_allowed(store, plan, phase, round, revision, earlier=both)
    if names is None:
        check_report(parts, allowed)
    else:
        let_pass(store, parts, allowed, names)
    return parts


def _picture_path(page: Path, kind: str) -> Path:
    """Return where a picture is kept, beside its page; `kind` is `png-<name>` or `svg-<name>`."""
    form, _, name = kind.partition("-")
    return page.with_name(f"{page.stem}-{name}.{form}")


def _bytes_of(kind: str, content: str) -> bytes:
    """Return what a picture's file holds: as a part, pixels are in base64."""
    return base64.b64decode(content) if kind.startswith("png-") else content.encode("utf-8")


def _read_back(paths: Mapping[str, Path]) -> dict[str, str] | None:
    """Return the files' texts by kind; None where one is missing or is no text."""
    try:
        there = {kind: path.read_bytes().decode("utf-8") for kind, path in paths.items()}
        for name in re.findall(r'src="[\w-]+-([a-z]+)\.png"', there["html"]):
            svg, png = (_picture_path(paths["html"], f"{form}-{name}") for form in ("svg", "png"))
            there[f"svg-{name}"] = svg.read_bytes().decode("utf-8")
            there[f"png-{name}"] = base64.b64encode(png.read_bytes()).decode("ascii")
        return there
    except (OSError, UnicodeDecodeError):
        return None
