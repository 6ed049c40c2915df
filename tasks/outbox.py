"""The messages of a revision: one a recipient, drafted once, handed over once.

A message is marked `sending`, and that is committed, before the mail server sees it. A process that
dies in between therefore leaves a row that says so; nobody can know whether the message arrived, so
it becomes `unknown` and is never sent again by itself.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.home import Home
from tasks.mail import MailFailed, MailSettings, send_message
from tasks.plan import Plan
from tasks.rules.errors import DisclosureRisk
from tasks.rules.wording import say
from tasks.store import Store

KIND = "summary"
"""The kind of message that carries a revision's report."""

Gate = Callable[[str, str, int, int, Mapping[str, str]], None]
"""Checks a message's parts (html, txt, subject) for campaign, phase, round and revision."""


@dataclass(frozen=True)
class OutboxCounts:
    """How many messages of the home are in each state."""

    draft: int = 0
    """Waiting, because no mail server is set up."""
    ready: int = 0
    sending: int = 0
    sent: int = 0
    failed: int = 0
    """Certainly not taken by the server."""
    unknown: int = 0
    """May have arrived."""


@dataclass(frozen=True)
class _Letter:
    message_id: str
    campaign: str
    phase: str
    round: int
    revision: int
    recipient: str
    subject: str
    report: str


def write_drafts(
    store: Store,
    home: Home,
    plan: Plan,
    phase: str,
    round: int,
    revision: int,
    *,
    report: Path,
    title: str,
    now: datetime,
) -> None:
    """Draft the summary of a revision for every recipient of the plan; a second run adds nothing.

    Drafts of earlier revisions that still wait for a mail server go: nobody needs old figures.

    `report` is the revision's HTML file and `title` its title; `now` is wall time of the plan's
    time zone. Every audience gets the figures of `office`: a mail holds no others.
    """
    store.run(
        "outbox/superseded",
        campaign=plan.slug,
        phase=phase,
        round=round,
        revision=revision,
        kind=KIND,
    )
    subject = say("mail.subject", plan.language, title=title, revision=revision)
    for audience, recipients in _by_audience(plan):
        store.run(
            "outbox/draft",
            campaign=plan.slug,
            phase=phase,
            round=round,
            revision=revision,
            audience=audience,
            recipients=recipients,
            kind=KIND,
            subject=subject,
            report=report.relative_to(home.root).as_posix(),
            now=now,
        )


def send_ready(
    store: Store, home: Home, settings: MailSettings | None, *, gate: Gate, now: datetime
) -> OutboxCounts:
    """Send what is ready, each message once, and return how many are in each state.

    Without `settings` drafts stay drafts. `store` is an open ledger, outside a transaction, because
    each step must be on disk before the next. `gate` sees each message first (reports.gate). Raises
    DisclosureRisk where it stops one: that one has failed, those after it are still ready.
    """
    store.run("outbox/interrupted", now=now)
    if settings is not None:
        store.run("outbox/make_ready", now=now)
        for record in store.records("outbox/ready"):
            _send(store, home, settings, _Letter(**record), gate, now)
    return outbox_counts(store)


def retry_failed(store: Store, campaign: str, *, now: datetime) -> None:
    """Make a campaign's failed messages ready again; what may have arrived stays as it is."""
    store.run("outbox/retry_failed", campaign=campaign, now=now)


def outbox_counts(store: Store) -> OutboxCounts:
    """Return how many messages are in each state, over all campaigns of the home."""
    counts: dict[str, int] = dict(store.rows("outbox/counts"))
    return OutboxCounts(**counts)


def _by_audience(plan: Plan) -> list[tuple[str, list[str]]]:
    office = list(dict.fromkeys(plan.recipients.office))
    health = [one for one in dict.fromkeys(plan.recipients.health) if one not in office]
    return [("office", office), ("health", health)]


def _send(
    store: Store, home: Home, settings: MailSettings, letter: _Letter, gate: Gate, now: datetime
) -> None:
    def mark(state: str, problem: str | None = None) -> None:
        store.run(
            "outbox/mark", message_id=letter.message_id, state=state, problem=problem, now=now
        )

    page = home.root / letter.report
    try:
        html = _on_one_line(page.read_text(encoding="utf-8"))
        text = page.with_suffix(".txt").read_text(encoding="utf-8")
    except OSError:
        mark("failed", "report_missing")
        return
    parts = {"html": html, "txt": text, "subject": letter.subject}
    try:
        gate(letter.campaign, letter.phase, letter.round, letter.revision, parts)
    except DisclosureRisk:
        mark("failed", "gate")
        raise
    mark("sending")
    try:
        send_message(settings, letter.recipient, letter.subject, html, text, letter.message_id)
    except MailFailed as failure:
        mark("unknown" if failure.may_have_arrived else "failed", failure.kind)
    else:
        mark("sent")


def _on_one_line(html: str) -> str:
    # Our pages hold no preformatted text, so a line break is a space like any other.
    return re.sub(r"\s*\n\s*", " ", html).strip()
