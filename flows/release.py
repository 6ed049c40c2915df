"""How every phase ends: checks, the door, the report, the mail, the receipt."""

from dataclasses import replace
from datetime import date

from flows.steps import step
from reports.gate import mail_gate
from reports.sheets import PHASE as WITH_SHEETS
from reports.sheets import make_sheets
from reports.shelf import write_shelf
from reports.write import make_report, report_path, write_report
from tasks.at_home import AtHome, load_campaigns
from tasks.checks import check_tables
from tasks.input_quality import returned_figures
from tasks.mail import mail_settings
from tasks.names import read_names
from tasks.outbox import OutboxCounts, outbox_counts, send_ready, write_drafts
from tasks.plan import Occurrence
from tasks.publish import Findings, Published, publish
from tasks.receipt import Receipt
from tasks.rules.checking import SuiteResult
from tasks.seal import require_whole_ledger
from tasks.suites import CANDIDATE_TABLES, TABLES_OF_PHASE


@step
def check(at: AtHome, occurrence: Occurrence, list_revision: int = 0) -> list[SuiteResult]:
    """Run the suites of the phase's tables; a broken table rule stops the phase here."""
    return _check(at, occurrence, TABLES_OF_PHASE[occurrence.phase], list_revision)


def _check(
    at: AtHome, occurrence: Occurrence, tables: tuple[str, ...], revision: int
) -> list[SuiteResult]:
    return check_tables(
        at.store,
        tables,
        campaign=at.plan.slug,
        phase=occurrence.phase,
        round=occurrence.round,
        revision=revision,
    )


@step
def publish_findings(
    at: AtHome, occurrence: Occurrence, as_of: date, findings: Findings
) -> Published:
    """Pass the findings through the door; render, gate and draft the mail before it closes."""
    names = read_names(at.store)

    def announce(revision: int) -> None:
        phase, round, language = occurrence.phase, occurrence.round, at.plan.language
        parts = make_report(at.store, at.home, at.plan, phase, round, revision, language, names)
        if phase == WITH_SHEETS:
            make_sheets(at.store, at.plan, round, revision, language, names)
        write_drafts(
            at.store,
            at.home,
            at.plan,
            phase,
            round,
            revision,
            report=report_path(at.home, at.plan.slug, phase, round, revision),
            subject=parts["subject"],
            now=at.now,
        )

    return publish(
        at.store,
        at.plan,
        occurrence,
        as_of,
        findings,
        now=at.now,
        check=lambda revision: _check(at, occurrence, CANDIDATE_TABLES, revision),
        announce=announce,
    )


@step
def write_reports(at: AtHome, occurrence: Occurrence, published: Published) -> str:
    """Write the revision's files and the shelf; return the page relative to the home."""
    phase, round, revision = occurrence.phase, occurrence.round, published.revision
    names, language = read_names(at.store), at.plan.language
    write_report(at.store, at.home, at.plan, phase, round, revision, language, names)
    write_shelf(at.store, at.home, load_campaigns(at.home))
    page = report_path(at.home, at.plan.slug, phase, round, revision)
    return page.relative_to(at.home.root).as_posix()


@step
def send_mail(at: AtHome) -> OutboxCounts:
    """Send what is ready; without a mail server it waits as drafts.

    Not while a released revision is another than was sealed: the gate believes the ledger.
    """
    require_whole_ledger(at.store)
    return send_ready(
        at.store, at.home, mail_settings(), gate=mail_gate(at.store, at.home), now=at.now
    )


def release(at: AtHome, occurrence: Occurrence, as_of: date, findings: Findings) -> Receipt:
    """Publish the findings of a phase, write its report, draft its mail, and return the receipt."""
    returned = returned_figures(at.store, at.plan, occurrence)
    findings = replace(findings, figures=[*findings.figures, *returned])
    published = publish_findings(at, occurrence, as_of, findings)
    page = write_reports(at, occurrence, published)
    return Receipt(
        campaign=at.plan.slug,
        phase=occurrence.phase,
        round=occurrence.round,
        period=occurrence.period,
        as_of=as_of,
        revision=published.revision,
        is_new=published.is_new,
        figures=len(findings.figures) + len(findings.copied),
        checks=published.checks,
        report=page,
        messages=outbox_counts(at.store),
    )
