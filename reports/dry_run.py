"""What a plan will have mailed: every message, its day, its words, before anything has happened.

The words are those of the real messages, made by the same templates; where a figure or a village's
state will stand, it says that this is not known yet. No number is made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from reports import words
from reports.render import render_text
from reports.summary import AUDIENCE, Figure, Summary, phase_title, title
from tasks.outbox import DEADLINE, DECISION, NOTICE, REQUEST, RETURNED, SUMMARY, recipients_of
from tasks.plan import Occurrence, Plan
from tasks.reminder_letters import letters_if_nobody_reports
from tasks.rules.contract import VILLAGE_PHASES
from tasks.rules.wording import say

NOT_FORESEEN = (RETURNED, NOTICE, DEADLINE, REQUEST, DECISION)
"""The kinds of message that no plan has a day for; `dry_run.then.<kind>` says when each comes."""

_PERCENT = frozenset({"coverage", "heed_rate"})
_PEOPLE = frozenset(
    {"referrals", "no_consent", "subsidy_applied", "subsidy_reviewed", "subsidy_paid"}
)


@dataclass(frozen=True)
class Foreseen:
    """One message to one recipient that a plan will cause, where its condition comes true."""

    at: datetime
    """When it is written, at the earliest; wall time of the plan's time zone."""
    kind: str
    phase: str
    round: int
    period: str | None
    audience: str
    recipient: str
    subject: str
    text: str
    condition: str
    """The last part of a wording key `dry_run.if.<condition>`."""


def foresee(plan: Plan, *, night: time, queue: time, morning: time) -> list[Foreseen]:
    """Return the messages of a plan in order of time.

    At `night`, after a due day has ended, its phase runs, the diagnosis queue at `queue`; in the
    `morning` villages are reminded, as if none ever reported. A sweep that waits for its approval
    causes none. Needs neither ledger nor key.
    """
    found = [*_summaries(plan, night, queue), *_letters(plan, morning)]
    return sorted(found, key=lambda each: (each.at, each.phase, each.round, each.kind))


def without_address(plan: Plan) -> tuple[str, ...]:
    """Return the names of the villages that no message reaches."""
    return tuple(village.name for village in plan.villages if not village.email)


def _summaries(plan: Plan, night: time, queue: time) -> Iterator[Foreseen]:
    for occurrence in plan.calendar:
        if occurrence.ad_hoc is not occurrence.approved:
            continue
        is_daily = occurrence.phase == "diagnosis_queue"
        as_of = occurrence.opens if is_daily else occurrence.due
        language = plan.language
        summary = _unwritten(plan, occurrence, as_of)
        named = phase_title(occurrence.phase, occurrence.round, occurrence.period, language)
        subject = say(
            "mail.subject",
            language,
            title=title(summary.campaign_name(language), named, language),
            revision=summary.revision,
        )
        text = render_text(summary, language, _Sentences(plan, occurrence))
        for audience, recipient in recipients_of(plan, SUMMARY):
            yield Foreseen(
                at=datetime.combine(as_of + timedelta(days=1), queue if is_daily else night),
                kind=SUMMARY,
                phase=occurrence.phase,
                round=occurrence.round,
                period=occurrence.period,
                audience=audience,
                recipient=recipient,
                subject=subject,
                text=text,
                condition="daily" if is_daily else "run",
            )


def _letters(plan: Plan, morning: time) -> Iterator[Foreseen]:
    for day, letter in letters_if_nobody_reports(plan):
        yield Foreseen(
            at=datetime.combine(day, morning),
            kind=letter.kind,
            phase=letter.phase,
            round=letter.round,
            period=letter.period,
            audience=letter.audience,
            recipient=letter.recipient,
            subject=letter.subject,
            text=letter.text,
            condition="missing",
        )


class _Blank(float):
    """A figure that nobody knows yet: it is written as words, in whatever format."""

    words: str

    def __format__(self, _: str) -> str:
        return self.words


@dataclass(frozen=True)
class _Unwritten(Summary):
    """A summary of which everything is known but its figures."""

    language: str = ""

    def figure(self, name: str, village: str = "") -> Figure:
        """Return the figure as one that is released, with words in place of its number."""
        value = _Blank(1)
        value.words = say("dry_run.figure", self.language)
        return Figure(name, _unit(name), village, value, "released")


class _Sentences:
    """Stands in for reports.words where a sentence depends on what villages will have done."""

    def __init__(self, plan: Plan, occurrence: Occurrence) -> None:
        self._expected = len(plan.expected(occurrence))
        self._is_of_villages = occurrence.phase in VILLAGE_PHASES

    def key_points(self, summary: Summary, language: str) -> list[str]:
        """Return the real sentences; how many villages reported is not known."""
        points = words.key_points(summary, language)
        if self._is_of_villages:
            points[0] = say("dry_run.reporting", language, expected=self._expected)
        return points

    def things_to_do(self, summary: Summary, language: str) -> list[str]:
        """Return that they are not known."""
        return [say("dry_run.todo", language)]

    def __getattr__(self, name: str) -> Any:
        return getattr(words, name)


def _unwritten(plan: Plan, occurrence: Occurrence, as_of: date) -> Summary:
    return _Unwritten(
        campaign=plan.slug,
        name=plan.name,
        name_en=plan.name_en,
        health_centre=plan.health_centre.name,
        villages={village.code: village.name for village in plan.villages},
        earlier=(),
        phase=occurrence.phase,
        round=occurrence.round,
        revision=1,
        period=occurrence.period,
        as_of=as_of,
        due=occurrence.due,
        due_provisional=occurrence.provisional,
        status="due" if as_of >= occurrence.due else "interim",
        audience=AUDIENCE,
        withhold_to=plan.rules.withhold_to,
        round_to=plan.rules.round_to,
        figures=(),
        reporting=(),
        actions={},
        rectifications=(),
        checks=(),
        figure_changes=(),
        reporting_changes=(),
        language=plan.language,
    )


def _unit(name: str) -> str:
    if name in _PERCENT:
        return "percent"
    return "people" if name in _PEOPLE or name.startswith("people_") else "files"
