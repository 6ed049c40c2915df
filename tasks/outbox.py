"""The messages of a campaign: one a recipient, drafted once, handed over once.

A message carries a revision's report, or a notice that the health side alone gets. All that are
ready are looked at before the first is handed over: whether its recipient stands in the plan for
its audience, and whether the gate lets it through. One that may not go stops them all.

A message is marked `sending`, and that is committed, before the mail server sees it. A process that
dies in between therefore leaves a row that says so; nobody can know whether the message arrived, so
it becomes `unknown` and is never sent again by itself.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, TypedDict

from tasks.home import Home, write_whole
from tasks.mail import MailFailed, MailSettings, send_message
from tasks.plan import Plan, load_plan
from tasks.rules.errors import DisclosureRisk
from tasks.store import Store

SUMMARY, NOTICE, RETURNED = "summary", "notice", "returned"

AUDIENCES = {
    # a mail holds the office's figures and no others, so the health side may get it too
    SUMMARY: ("office", "health"),
    NOTICE: ("health",),
    # what it sent itself, to correct
    RETURNED: ("village",),
}
"""To whom each kind of message may go; there are no other kinds."""

Gate = Callable[[str, str, int, int, Mapping[str, str]], None]
"""Checks a message's parts (html, txt, subject) for campaign, phase, round and revision.

A notice belongs to no phase: it is gated as phase '', round 0 and its number.
"""


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


class _OfRevision(TypedDict):
    campaign: str
    phase: str
    round: int
    revision: int


@dataclass(frozen=True)
class _Letter:
    message_id: str
    campaign: str
    phase: str
    round: int
    revision: int
    audience: str
    recipient: str
    kind: str
    subject: str
    report: str | None
    """The page of a summary, relative to the home; its text lies beside it."""
    body: str | None
    """The text of a notice."""


@dataclass(frozen=True)
class _Content:
    """What a letter says, as the gate sees it."""

    text: str
    page: str | None = None

    @property
    def html(self) -> str:
        if self.page is None:
            return "".join(f"<p>{escape(line)}</p>" for line in self.text.splitlines())
        # Our pages hold no preformatted text, so a line break is a space like any other.
        return re.sub(r"\s*\n\s*", " ", self.page).strip()

    def parts(self, subject: str) -> dict[str, str]:
        page = {} if self.page is None else {"html": self.page}
        return {**page, "txt": self.text, "subject": subject}


def write_drafts(
    store: Store,
    home: Home,
    plan: Plan,
    phase: str,
    round: int,
    revision: int,
    *,
    report: Path,
    subject: str,
    now: datetime,
) -> None:
    """Draft the summary of a revision for every recipient of the plan; a second run adds nothing.

    Drafts of earlier revisions that still wait for a mail server go: nobody needs old figures.

    `report` is the revision's HTML file; `now` is wall time of the plan's time zone. Every audience
    gets the figures of `office`: a mail holds no others.
    """
    of_revision: _OfRevision = {
        "campaign": plan.slug,
        "phase": phase,
        "round": round,
        "revision": revision,
    }
    store.run("outbox/superseded", **of_revision, kind=SUMMARY)
    for audience, recipients in _by_audience(plan, SUMMARY):
        store.run(
            "outbox/draft",
            **of_revision,
            audience=audience,
            recipients=recipients,
            kind=SUMMARY,
            subject=subject,
            report=report.relative_to(home.root).as_posix(),
            body=None,
            now=now,
        )


def write_notice(
    store: Store, plan: Plan, *, kind: str, subject: str, text: str, now: datetime, gate: Gate
) -> None:
    """Draft a notice for every health recipient of the plan; it says nothing about anybody.

    `kind` is one that goes to the health side alone; `gate` is reports.gate.notice_gate. The same
    words are not drafted twice on a day, nor while they still wait. `now` is wall time of the
    plan's time zone. Raises DisclosureRisk for another kind, or where the gate stops the words:
    then nothing is drafted.
    """
    if AUDIENCES.get(kind) != ("health",):
        raise DisclosureRisk("outbox.health_only", kind=kind)
    ((number,),) = store.rows("outbox/next_number", campaign=plan.slug, kind=kind)
    gate(plan.slug, "", 0, number, _Content(text).parts(subject))
    for audience, recipients in _by_audience(plan, kind):
        store.run(
            "outbox/draft",
            **_numbered(plan, kind, number),
            audience=audience,
            recipients=recipients,
            subject=subject,
            report=None,
            body=text,
            now=now,
        )


def write_return_notice(
    store: Store,
    home: Home,
    plan: Plan,
    village: str,
    *,
    subject: str,
    text: str,
    beside: Path,
    now: datetime,
    gate: Gate,
) -> None:
    """Draft the message that tells the village of this code which rows of its file went back.

    Nothing where it has no mail address in the plan. Its words lie beside the return workbook, in
    the village's own folder: they count rows about people, so the ledger may not hold them. `gate`
    is reports.gate.returned_gate; `now` is wall time of the plan's time zone. Raises DisclosureRisk
    where the gate stops the words: then nothing is drafted.
    """
    recipients = [each.email for each in plan.villages if each.code == village and each.email]
    if not recipients:
        return
    ((number,),) = store.rows("outbox/next_number", campaign=plan.slug, kind=RETURNED)
    gate(plan.slug, "", 0, number, _Content(text).parts(subject))
    (audience,) = AUDIENCES[RETURNED]
    words = beside.with_suffix(".txt")
    write_whole(words, text.encode("utf-8"))
    store.run(
        "outbox/draft",
        **_numbered(plan, RETURNED, number),
        audience=audience,
        recipients=recipients,
        subject=subject,
        report=words.relative_to(home.root).as_posix(),
        body=None,
        now=now,
    )


def _numbered(plan: Plan, kind: str, number: int) -> dict[str, Any]:
    """Return what identifies a message that belongs to no revision: its number stands for one."""
    return {"campaign": plan.slug, "phase": "", "round": 0, "revision": number, "kind": kind}


def send_ready(
    store: Store, home: Home, settings: MailSettings | None, *, gate: Gate, now: datetime
) -> OutboxCounts:
    """Send what is ready, each message once, and return how many are in each state.

    Without `settings` drafts stay drafts. `store` is an open ledger, outside a transaction, because
    each step must be on disk before the next. `gate` sees every message first (reports.gate).
    Raises DisclosureRisk where one may not go: that one has failed, nothing was sent, the others
    are still ready.
    """
    store.run("outbox/interrupted", now=now)
    if settings is not None:
        store.run("outbox/make_ready", now=now)
        letters = [_Letter(**record) for record in store.records("outbox/ready")]
        for letter, content in _let_through(store, home, letters, gate, now):
            _send(store, settings, letter, content, now)
    return outbox_counts(store)


def retry_failed(store: Store, campaign: str, *, now: datetime) -> None:
    """Make a campaign's failed messages ready again; what may have arrived stays as it is."""
    store.run("outbox/retry_failed", campaign=campaign, now=now)


def outbox_counts(store: Store) -> OutboxCounts:
    """Return how many messages are in each state, over all campaigns of the home."""
    counts: dict[str, int] = dict(store.rows("outbox/counts"))
    return OutboxCounts(**counts)


def _by_audience(plan: Plan, kind: str) -> list[tuple[str, list[str]]]:
    """Return the recipients by audience; who is in two is told once, with the first."""
    listed: dict[str, str] = {}
    for audience in AUDIENCES[kind]:
        for recipient in _listed(plan, audience):
            listed.setdefault(recipient, audience)
    return [
        (audience, [each for each, first in listed.items() if first == audience])
        for audience in AUDIENCES[kind]
    ]


def _listed(plan: Plan, audience: str) -> tuple[str, ...]:
    """Return whom the plan lists for an audience."""
    if audience == "village":
        return tuple(village.email for village in plan.villages if village.email)
    addresses: tuple[str, ...] = getattr(plan.recipients, audience)
    return addresses


def _let_through(
    store: Store, home: Home, letters: list[_Letter], gate: Gate, now: datetime
) -> list[tuple[_Letter, _Content]]:
    """Return the letters that may go with what they say; mark and raise at one that may not."""
    plan_of = cache(lambda campaign: load_plan(home.plan(campaign)))
    passed = []
    for letter in letters:
        try:
            _check_recipient(letter, plan_of(letter.campaign))
        except DisclosureRisk:
            _mark(store, letter, "failed", now, "recipient")
            raise
        try:
            content = _read(home, letter)
            gate(
                letter.campaign,
                letter.phase,
                letter.round,
                letter.revision,
                content.parts(letter.subject),
            )
        except OSError:
            _mark(store, letter, "failed", now, "report_missing")
        except DisclosureRisk:
            _mark(store, letter, "failed", now, "gate")
            raise
        else:
            passed.append((letter, content))
    return passed


def _check_recipient(letter: _Letter, plan: Plan) -> None:
    """Raise DisclosureRisk unless the plan lists the recipient for an audience of the kind."""
    allowed = letter.audience in AUDIENCES.get(letter.kind, ())
    if not allowed or letter.recipient not in _listed(plan, letter.audience):
        raise DisclosureRisk("outbox.wrong_recipient", campaign=letter.campaign)


def _read(home: Home, letter: _Letter) -> _Content:
    """Return what a letter says, byte for byte as it is kept. Raises OSError, DisclosureRisk."""
    if letter.report is None:
        return _Content(letter.body or "")
    page = home.root / letter.report
    try:
        if letter.kind == RETURNED:
            return _Content(page.read_bytes().decode("utf-8"))
        html, text = (
            path.read_bytes().decode("utf-8") for path in (page, page.with_suffix(".txt"))
        )
    except UnicodeDecodeError:
        raise DisclosureRisk("gate.changed", kind="html") from None
    return _Content(text, html)


def _send(
    store: Store, settings: MailSettings, letter: _Letter, content: _Content, now: datetime
) -> None:
    _mark(store, letter, "sending", now)
    try:
        send_message(
            settings,
            letter.recipient,
            letter.subject,
            content.html,
            content.text,
            letter.message_id,
        )
    except MailFailed as failure:
        state = "unknown" if failure.may_have_arrived else "failed"
        _mark(store, letter, state, now, failure.kind)
    else:
        _mark(store, letter, "sent", now)


def _mark(
    store: Store, letter: _Letter, state: str, now: datetime, problem: str | None = None
) -> None:
    store.run("outbox/mark", message_id=letter.message_id, state=state, problem=problem, now=now)
