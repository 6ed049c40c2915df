"""Due days that people know: told anew where they move.

A due day rests on the official working-day calendar, which is published a year at a time. So a plan
that is read again may give another day: because its year was published, or because the plan itself
was changed. Each day that people were told of stands in the ledger; where the plan gives another,
whoever it concerns gets a message, in the same transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tasks.outbox import DEADLINE, Gate, write_letter
from tasks.plan import Occurrence, Plan
from tasks.released_days import keep_released
from tasks.rules.contract import VILLAGE_PHASES
from tasks.rules.wording import say
from tasks.store import Store


@dataclass(frozen=True)
class MovedDeadline:
    """A due day that is another than people were told of last."""

    phase: str
    round: int
    was: date
    now: date | None
    """None where the plan has the phase and round no more."""
    provisional: bool
    """Whether it may move once more."""


@dataclass(frozen=True)
class _Told:
    """The due day that people were told of last."""

    due: date | None
    provisional: bool
    position: int


_NEVER = _Told(None, provisional=False, position=0)
"""Of a phase and round that people never heard of."""


def note_deadlines(store: Store, plan: Plan, now: datetime, gate: Gate) -> list[MovedDeadline]:
    """Note every due day of the plan that people do not know yet; return and tell those that moved.

    A day that is met for the first time is noted and nobody is told; so is one that is no longer
    provisional and stayed. One that moved, or that fell away, is told to the health side, the
    office and the villages that report for it, unless it was over before and is over now. Where it
    stays because figures were released by it, the health side and the office are told that. The
    window of an ad-hoc sweep never moves: what is approved is what is run.

    `store` is an open ledger outside a transaction: row and message are written together or not at
    all. `now` is wall time of the plan's time zone, `gate` is reports.gate.notice_gate. Raises
    DisclosureRisk where the gate stops a message. A second call finds nothing.
    """
    plan = keep_released(store, plan)
    calendar = {(each.phase, each.round): each for each in plan.calendar if not each.ad_hoc}
    told = {
        (row["phase"], row["round"]): _Told(row["due"], row["provisional"], row["position"])
        for row in store.records("remind/told", campaign=plan.slug)
    }
    moved = []
    with store.transaction():
        for key in sorted({*calendar, *told}):
            before, planned = told.get(key, _NEVER), calendar.get(key)
            due, provisional = (planned.due, planned.provisional) if planned else (None, False)
            if (before.due, before.provisional) == (due, provisional):
                continue
            number = before.position + 1
            store.run(
                "remind/tell",
                campaign=plan.slug,
                phase=key[0],
                round=key[1],
                position=number,
                due=due,
                provisional=provisional,
                now=now,
            )
            if before.due is None:
                continue
            if before.due != due:
                moved.append(MovedDeadline(*key, before.due, due, provisional))
            if _concerns_anybody(before.due, planned, now.date()):
                _tell(store, plan, key, planned, before, number, now, gate)
    return moved


def named(occurrence: Occurrence, language: str) -> str:
    """Return what an occurrence is called in a message: its phase, a sweep's round, its month."""
    name = say(f"phase.{occurrence.phase}", language)
    if occurrence.phase == "sweep":
        name = say("phase.with_round", language, phase=name, round=occurrence.round)
    if occurrence.period and occurrence.phase in VILLAGE_PHASES:
        year, month = map(int, occurrence.period.split("-"))
        period = say("period.month", language, year=year, month=month)
        name = say("phase.with_period", language, phase=name, period=period)
    return name


def day_in_words(day: date, provisional: bool, language: str) -> str:
    """Return a day as messages write it, and that it is provisional where it is."""
    if provisional:
        return say("report.provisional_day", language, day=day.isoformat())
    return day.isoformat()


def _concerns_anybody(was: date, planned: Occurrence | None, today: date) -> bool:
    """Return whether a day that changed is worth a message: not where it only became certain."""
    if planned is not None and planned.due == was:
        return planned.kept_from is not None
    return max(was, planned.due if planned else was) >= today


def _tell(
    store: Store,
    plan: Plan,
    key: tuple[str, int],
    planned: Occurrence | None,
    before: _Told,
    number: int,
    now: datetime,
    gate: Gate,
) -> None:
    phase, round = key
    what = named(planned, plan.language) if planned else say(f"phase.{phase}", plan.language)
    lines = list(_lines(plan, phase, what, planned, before))
    for audience, recipient in _concerned(plan, phase, planned, before):
        write_letter(
            store,
            plan,
            kind=DEADLINE,
            phase=phase,
            round=round,
            number=number,
            audience=audience,
            recipient=recipient,
            subject=say("notice.deadline.subject", plan.language, what=what),
            text="\n".join(lines),
            now=now,
            gate=gate,
        )


def _concerned(
    plan: Plan, phase: str, planned: Occurrence | None, before: _Told
) -> Iterator[tuple[str, str]]:
    """Yield (audience, recipient), each address once, of all whom a due day concerns."""
    listed = [("health", each) for each in plan.recipients.health]
    listed += [("office", each) for each in plan.recipients.office]
    # a village need not know of a day that stays as it was told
    if phase in VILLAGE_PHASES and (planned is None or planned.due != before.due):
        villages = plan.villages if planned is None else plan.expected(planned)
        listed += [("village", each.email) for each in villages if each.email]
    seen: set[str] = set()
    for audience, recipient in listed:
        if recipient not in seen:
            seen.add(recipient)
            yield audience, recipient


def _lines(
    plan: Plan, phase: str, what: str, planned: Occurrence | None, before: _Told
) -> Iterator[str]:
    """Yield the lines of the message that tells of a due day; `before.due` is a day."""
    language = plan.language
    assert before.due is not None  # noqa: S101 # nobody is told of what they had not heard of
    was = day_in_words(before.due, before.provisional, language)
    campaign = plan.name_en if language == "en" else plan.name
    if planned is None:
        yield say("notice.deadline.gone", language, campaign=campaign, what=what, was=was)
        if phase in VILLAGE_PHASES:
            yield say("notice.deadline.nothing_to_send", language)
        return
    if planned.kept_from is not None and planned.due == before.due:
        yield say(
            "notice.deadline.kept",
            language,
            campaign=campaign,
            what=what,
            due=planned.due.isoformat(),
            otherwise=planned.kept_from.isoformat(),
        )
        return
    yield say("notice.deadline.moved", language, campaign=campaign, what=what)
    yield say("notice.deadline.was", language, day=was)
    now = day_in_words(planned.due, planned.provisional, language)
    yield say("notice.deadline.now", language, day=now)
    if planned.provisional:
        yield say("notice.deadline.provisional", language)
    elif before.provisional:
        yield say("notice.deadline.settled", language)
    else:
        yield say("notice.deadline.plan", language)
    if phase in VILLAGE_PHASES:
        yield say("notice.deadline.extended", language)
