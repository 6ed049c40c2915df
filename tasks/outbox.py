"""The messages of a campaign: one a recipient, drafted once, handed over once.

A message carries a revision's report, or words of its own. All that are ready are looked at before
the first is handed over: whether its recipient stands in the plan for its audience, and whether the
gate lets it through. One that may not go stops them all.

What becomes of a message:

    draft ──▶ ready ──▶ sending ──▶ sent
                ▲          ├──▶ ready     the server is away or asks to wait: tried again later
                │          ├──▶ failed    refused for good, or tried for long enough
                │          └──▶ unknown   it may have arrived
                └──────────┴── an officer decides on what failed or is unknown

It is marked `sending`, and that is committed, before the mail server sees it. A process that dies
in between therefore leaves a row that says so; nobody can know whether the message arrived, so it
becomes `unknown` and is never sent again by itself. Whether it died before the server was asked or
after the server took the message cannot be told apart.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, TypedDict

from tasks.home import Home, write_whole
from tasks.mail import MailFailed, MailSettings, content_id, send_message
from tasks.plan import Plan, load_plan
from tasks.rules.backoff import next_try
from tasks.rules.errors import DisclosureRisk
from tasks.store import Store

SUMMARY, NOTICE, RETURNED = "summary", "notice", "returned"
REMINDER, MISSING, DEADLINE = "reminder", "missing", "deadline"
RECTIFICATION = "rectification"
REQUEST, DECISION = "request", "decision"

AUDIENCES = {
    # a mail holds the office's figures and no others, so the health side may get it too
    SUMMARY: ("office", "health"),
    NOTICE: ("health",),
    # what it sent itself, to correct
    RETURNED: ("village",),
    REMINDER: ("village",),
    MISSING: ("health",),
    # what a village has to make good; the list of all to the campaign officer
    RECTIFICATION: ("village", "health"),
    DEADLINE: ("health", "office", "village"),
    REQUEST: ("health",),
    DECISION: ("office", "health"),
}
"""To whom each kind of message may go; there are no other kinds."""

Gate = Callable[[str, str, int, int, Mapping[str, str]], None]
"""Checks a message's parts (html, txt, subject) for campaign, phase, round and revision.

Only a summary holds figures of a revision. Anything else is gated as phase '', round 0 and its
number, whatever phase it is about.
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
class Letter:
    """A message as the ledger holds it."""

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
    """The text of anything else but a RETURNED."""


@dataclass(frozen=True)
class _Ready:
    """A letter whose time has come, and how it went so far."""

    letter: Letter
    attempts: int
    tries: int
    """Attempts since an officer last decided on it."""
    first_tried_at: datetime | None
    """The first of those."""
    again: int
    """How often an officer had it sent again although it may have arrived."""

    @property
    def names(self) -> tuple[str, str | None]:
        """Its Message-ID, and that of the message it repeats.

        One that may have arrived is said again under an id of its own: a mailbox that has the first
        one, in a folder nobody looks at, would drop a second with the same. The id is made of the
        first one's, so that who has both sees what they are.
        """
        first = self.letter.message_id
        return (first.replace("@", f".{self.again}@"), first) if self.again else (first, None)


@dataclass(frozen=True)
class Content:
    """What a message says, as the gate sees it and as it goes out."""

    text: str
    page: str | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """The PNGs that the page shows, by the name of the file."""

    @property
    def html(self) -> str:
        """The HTML part: the page, or the text as paragraphs.

        Of the page only the line breaks and the sources of its pictures are other than the gate saw
        them: in a mail they stand beside it, under their name.
        """
        if self.page is None:
            return "".join(f"<p>{escape(line)}</p>" for line in self.text.splitlines())
        # Our pages hold no preformatted text, so a line break is a space like any other.
        page = re.sub(r"\s*\n\s*", " ", self.page).strip()
        return _SOURCE.sub(lambda found: f'src="cid:{content_id(found[1])}"', page)

    def parts(self, subject: str) -> dict[str, str]:
        """Return it with its subject by kind of part, as a gate takes them."""
        page = {} if self.page is None else {"html": self.page}
        pictures = {
            f"png-{_picture_of(file)}": base64.b64encode(pixels).decode("ascii")
            for file, pixels in self.pictures.items()
        }
        return {**page, **pictures, "txt": self.text, "subject": subject}


_SOURCE = re.compile(r'src="([\w-]+\.png)"')
"""How a page shows a picture; the gate lets no other through."""


def _picture_of(file: str) -> str:
    """Return which picture of a report a file is: its name ends in it."""
    return file.removesuffix(".png").rpartition("-")[2]


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
    words: dict[str, Any] = {"subject": subject, "body": text, "now": now}
    for audience, recipients in _by_audience(plan, kind):
        untold = store.rows(
            "outbox/untold", campaign=plan.slug, kind=kind, recipients=recipients, **words
        )
        if not untold:
            continue
        ((number,),) = store.rows("outbox/next_number", campaign=plan.slug, kind=kind)
        gate(plan.slug, "", 0, number, Content(text).parts(subject))
        store.run(
            "outbox/draft",
            **_numbered(plan, kind, number),
            audience=audience,
            recipients=[recipient for (recipient,) in untold],
            report=None,
            **words,
        )


def write_letter(
    store: Store,
    plan: Plan,
    *,
    kind: str,
    phase: str = "",
    round: int = 0,
    number: int,
    audience: str,
    recipient: str,
    subject: str,
    text: str,
    now: datetime,
    gate: Gate,
) -> bool:
    """Draft one message to one recipient, once; return whether it is new.

    What makes it one and the same: campaign, phase, round, `number`, recipient and kind. Called in
    the transaction that records what the message is about, so that there is never one without the
    other. `gate` is reports.gate.notice_gate; `now` is wall time of the plan's time zone. Raises
    DisclosureRisk where the plan does not list the recipient for an audience of the kind, and where
    the gate stops the words: then nothing is drafted.
    """
    if audience not in AUDIENCES.get(kind, ()) or recipient not in _listed(plan, audience):
        raise DisclosureRisk("outbox.wrong_recipient", campaign=plan.slug)
    gate(plan.slug, "", 0, number, Content(text).parts(subject))
    drafted = store.rows(
        "outbox/draft",
        campaign=plan.slug,
        phase=phase,
        round=round,
        revision=number,
        audience=audience,
        recipients=[recipient],
        kind=kind,
        subject=subject,
        report=None,
        body=text,
        now=now,
    )
    return bool(drafted)


def write_return_notice(
    store: Store,
    home: Home,
    plan: Plan,
    village: str,
    *,
    file: str,
    subject: str,
    text: str,
    beside: Path,
    now: datetime,
    gate: Gate,
) -> None:
    """Draft the message that tells the village of this code which rows of its file went back.

    `file` is the name by which the register knows the file: the message's number is made of it, so
    that it is written once a file, however often that comes, and made up for where a process died
    before it was. Nothing where the village has no mail address in the plan. Its words lie beside
    the return workbook, in the village's own folder: they count rows about people, so the ledger
    may not hold them. `gate` is reports.gate.returned_gate; `now` is wall time of the plan's time
    zone. Raises DisclosureRisk where the gate stops the words: then nothing is drafted.
    """
    recipients = [each.email for each in plan.villages if each.code == village and each.email]
    number = int(file[:8], 16) >> 1  # all that the column of a number holds
    this = _numbered(plan, RETURNED, number)
    if not recipients or store.rows("outbox/drafted", **this):
        return
    (audience,) = AUDIENCES[RETURNED]
    # two files may have the same rows returned, and one workbook then
    words = beside.with_name(f"{beside.stem}-{number:08x}.txt")
    # together, as the words of another try would be others: nothing is kept of what was never sent
    with store.transaction():
        gate(plan.slug, "", 0, number, Content(text).parts(subject))
        write_whole(words, text.encode("utf-8"))
        store.run(
            "outbox/draft",
            **this,
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
    store: Store,
    home: Home,
    settings: MailSettings | None,
    *,
    gate: Gate,
    now: datetime,
    waiting: bool = False,
) -> OutboxCounts:
    """Send what is ready and due, each message once, and return how many are in each state.

    Without `settings` drafts stay drafts. What waits for another try goes out at its time; with
    `waiting` now, because an officer says so. Where the server cannot be reached, the round ends:
    each of the others would wait as long for it. `store` is an open ledger, outside a transaction,
    because each step must be on disk before the next. `gate` sees every message first
    (reports.gate). Raises DisclosureRisk where one may not go: that one has failed, nothing was
    sent, the others are still ready.
    """
    end_interrupted(store, now)
    if settings is not None:
        store.run("outbox/make_ready", now=now)
        for ready, content in _let_through(store, home, gate, now, waiting=waiting):
            if not _send(store, settings, ready, content, now):
                break
    return outbox_counts(store)


def waits_to_go(store: Store, now: datetime) -> bool:
    """Whether a mail server, if there is one, would be handed a message at `now`."""
    return outbox_counts(store).draft > 0 or bool(_due(store, now, waiting=False))


def recipients_of(plan: Plan, kind: str) -> list[tuple[str, str]]:
    """Return (audience, recipient) of all whom a message of this kind to everybody would reach."""
    return [
        (audience, recipient)
        for audience, recipients in _by_audience(plan, kind)
        for recipient in recipients
    ]


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
    store: Store, home: Home, gate: Gate, now: datetime, *, waiting: bool
) -> list[tuple[_Ready, Content]]:
    """Return what is due and may go with what it says; mark and raise at a letter that may not."""
    plan_of = cache(lambda campaign: load_plan(home.plan(campaign)))
    passed = []
    for ready in _due(store, now, waiting=waiting):
        letter = ready.letter
        try:
            plan = plan_of(letter.campaign)
            _check_recipient(letter, plan)
        except DisclosureRisk:
            _mark(store, letter, "failed", now, "recipient")
            raise
        if _is_moot(store, letter, plan, now):
            store.run("outbox/take_back", message_id=letter.message_id)
            continue
        try:
            content = read_content(home, letter)
            # as what it is checked, its kind says, so that no other message passes as a summary
            phase, round = (letter.phase, letter.round) if letter.kind == SUMMARY else ("", 0)
            gate(letter.campaign, phase, round, letter.revision, content.parts(letter.subject))
        except OSError:
            _mark(store, letter, "failed", now, "report_missing")
        except DisclosureRisk:
            _mark(store, letter, "failed", now, "gate")
            raise
        else:
            passed.append((ready, content))
    return passed


def _due(store: Store, now: datetime, *, waiting: bool) -> list[_Ready]:
    """Return the messages whose time has come, in the order in which they go."""
    found = []
    for record in store.records("outbox/ready", now=now, waiting=waiting):
        names = ("attempts", "tries", "first_tried_at", "again")
        so_far = {name: record.pop(name) for name in names}
        found.append(_Ready(Letter(**record), **so_far))
    return found


def _is_moot(store: Store, letter: Letter, plan: Plan, now: datetime) -> bool:
    """Return whether a reminder has waited until all its villages reported, or past its deadline.

    Or until they made good what they were reminded of. It was right when it was written, but a mail
    server may be away for days. Its number is the day that it is for.
    """
    if letter.kind == RECTIFICATION and letter.audience == "village":
        villages = [each.code for each in plan.villages if each.email == letter.recipient]
        return not store.rows(
            "outbox/to_make_good", campaign=plan.slug, villages=villages, round=letter.round
        )
    if letter.kind != REMINDER:
        return False
    try:
        occurrence = plan.occurrence(letter.phase, letter.round)
    except KeyError:
        return True  # the plan was changed
    of_phase: dict[str, Any] = {
        "campaign": letter.campaign,
        "phase": letter.phase,
        "round": letter.round,
    }
    known = {row.pop("village"): row for row in store.records("outbox/counted", **of_phase)}
    told_on = date.fromisoformat(str(letter.revision))
    for village in plan.expected(occurrence):
        if village.email != letter.recipient:
            continue
        row = known.get(village.code, {"has_reported": False, "extended_to": None})
        due = max(occurrence.due, row["extended_to"] or occurrence.due)
        if not row["has_reported"] and not told_on <= due < now.date():
            return False
    return True


def _check_recipient(letter: Letter, plan: Plan) -> None:
    """Raise DisclosureRisk unless the plan lists the recipient for an audience of the kind."""
    allowed = letter.audience in AUDIENCES.get(letter.kind, ())
    if not allowed or letter.recipient not in _listed(plan, letter.audience):
        raise DisclosureRisk("outbox.wrong_recipient", campaign=letter.campaign)


def read_content(home: Home, letter: Letter) -> Content:
    """Return what a letter says, byte for byte as it is kept. Raises OSError, DisclosureRisk."""
    if letter.report is None:
        return Content(letter.body or "")
    page = home.root / letter.report
    try:
        if letter.kind == RETURNED:
            return Content(page.read_bytes().decode("utf-8"))
        html, text = (
            path.read_bytes().decode("utf-8") for path in (page, page.with_suffix(".txt"))
        )
        pictures = {file: page.with_name(file).read_bytes() for file in _SOURCE.findall(html)}
    except UnicodeDecodeError:
        raise DisclosureRisk("gate.changed", kind="html") from None
    return Content(text, html, pictures)


def _send(
    store: Store, settings: MailSettings, ready: _Ready, content: Content, now: datetime
) -> bool:
    """Hand a letter over and note what came of it; return whether the server can be asked more."""
    letter = ready.letter
    this: dict[str, Any] = {"message_id": letter.message_id, "attempt": ready.attempts + 1}
    with store.transaction():
        store.run("outbox/begin", **this, now=now)
        _mark(store, letter, "sending", now)
    message_id, repeats = ready.names
    try:
        send_message(
            settings,
            letter.recipient,
            letter.subject,
            content.html,
            content.text,
            message_id,
            pictures=content.pictures,
            repeats=repeats,
        )
    except MailFailed as failure:
        retry_at = None
        if failure.may_pass:
            retry_at = next_try(ready.tries + 1, ready.first_tried_at or now, now)
        state = "unknown" if failure.may_have_arrived else "failed" if retry_at is None else "ready"
        with store.transaction():
            store.run("outbox/end", **this, problem=failure.kind, retry_at=retry_at)
            _mark(store, letter, state, now, failure.kind)
        # a server that loses one answer would lose the others, and each would be unknown
        return not (failure.is_of_the_server or failure.may_have_arrived)
    _mark(store, letter, "sent", now)
    return True


def end_interrupted(store: Store, now: datetime) -> None:
    """Give up on what was being handed over when a process died: nobody knows whether it arrived.

    Who has the ledger open to write has it alone, so no other process is at it.
    """
    store.run("outbox/interrupted_attempts")
    store.run("outbox/interrupted", now=now)


def _mark(
    store: Store, letter: Letter, state: str, now: datetime, problem: str | None = None
) -> None:
    store.run("outbox/mark", message_id=letter.message_id, state=state, problem=problem, now=now)
