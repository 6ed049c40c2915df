"""Writing a revision's report files, after the gate has let all of them through."""

from pathlib import Path

from reports.gate import check_report, earlier_names, read_allowed
from reports.render import render_csv, render_html, render_json, render_text
from reports.summary import read_summary
from tasks.home import Home, write_whole
from tasks.plan import Plan
from tasks.store import Store

KINDS = ("html", "json", "csv", "txt")
"""What is written of a revision; txt is the plain-text part of its e-mail."""


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
) -> tuple[Path, ...]:
    """Write a released revision's page, JSON, CSV and text (0600) and return their paths.

    `store` is an open ledger. Raises WrongCommand where the revision was not released,
    DisclosureRisk where the gate stops a file: then none is written.
    """
    files = make_report(store, home, plan, phase, round, revision, language)
    paths = {kind: report_path(home, plan.slug, phase, round, revision, kind) for kind in KINDS}
    for kind, path in paths.items():
        write_whole(path, files[kind].encode("utf-8"))
    return tuple(paths.values())


def make_report(
    store: Store,
    home: Home,
    plan: Plan,
    phase: str,
    round: int,
    revision: int,
    language: str,
) -> dict[str, str]:
    """Return the content of a revision's files by kind, from an open ledger, gated.

    Raises WrongCommand where the revision was not released, DisclosureRisk where the gate stops it.
    """
    names = earlier_names(home, plan)
    summary = read_summary(
        store,
        plan,
        phase,
        round,
        revision,
        earlier=tuple(en if language == "en" else zh for zh, en in names),
    )
    files = {
        "html": render_html(summary, language),
        "json": render_json(summary),
        "csv": render_csv(summary, language),
        "txt": render_text(summary, language),
    }
    both = [name for pair in names for name in pair]
    allowed = read_allowed(store, plan, phase, round, revision, earlier=both)
    check_report(files, allowed)
    return files
