"""Writing a revision's report files, after the gate has let all of them through."""

from collections.abc import Mapping
from pathlib import Path

from reports.gate import check_report, earlier_names, have_passed, let_pass, read_allowed
from reports.render import render_csv, render_html, render_json, render_text
from reports.summary import phase_title, read_summary, title
from tasks.home import Home, write_whole
from tasks.plan import Plan
from tasks.rules.errors import WrongCommand
from tasks.rules.known_names import NameList
from tasks.rules.wording import say
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
    names: NameList | None = None,
) -> tuple[Path, ...]:
    """Write a released revision's page, JSON, CSV and text (0600) and return their paths.

    Files that are there and passed the gate just as they are stay untouched: what was released does
    not change with the wording. Otherwise as `make_report`. Raises WrongCommand where the revision
    was not released, DisclosureRisk where the gate stops a file: then none is written.
    """
    paths = {kind: report_path(home, plan.slug, phase, round, revision, kind) for kind in KINDS}
    there = _read_back(paths)
    if there is None or not have_passed(store, plan.slug, phase, round, revision, there):
        files = make_report(store, home, plan, phase, round, revision, language, names)
        for kind, path in paths.items():
            write_whole(path, files[kind].encode("utf-8"))
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
        raise WrongCommand("report.none", campaign=plan.slug, phase=phase)
    row = max(released, key=lambda row: row["round"])
    of_phase = (phase, row["round"], row["revision"])
    write_report(store, home, plan, *of_phase, plan.language)
    return report_path(home, plan.slug, *of_phase)


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
    parts = {
        "html": render_html(summary, language),
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
    both = [name for pair in earlier for name in pair]
    allowed = read_allowed(store, plan, phase, round, revision, earlier=both)
    if names is None:
        check_report(parts, allowed)
    else:
        let_pass(store, parts, allowed, names)
    return parts


def _read_back(paths: Mapping[str, Path]) -> dict[str, str] | None:
    """Return the files' texts by kind; None where one is missing or is no text."""
    try:
        return {kind: path.read_bytes().decode("utf-8") for kind, path in paths.items()}
    except (OSError, UnicodeDecodeError):
        return None
