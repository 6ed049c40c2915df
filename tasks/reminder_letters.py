"""What reminders say: to the villages that have not reported, and to the officer about them.

A reminder names villages, phases and days; there is nothing in it about a person. It is made of the
plan and of who owes: neither ledger nor key is needed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from tasks.due_days import day_in_words, named
from tasks.outbox import MISSING, REMINDER
from tasks.plan import Occurrence, Plan, Village
from tasks.rules.contract import VILLAGE_PHASES
from tasks.rules.reminders import list_days, reminder_days, reminder_due
from tasks.rules.wording import say


@dataclass(frozen=True)
class Owing:
    """A village that owes a submission, with its own due day: its extension counted."""

    village: Village
    state: str
    """Its reporting state."""
    due: date


@dataclass(frozen=True)
class Letter:
    """One message about one phase and round to one recipient."""

    kind: str
    phase: str
    round: int
    number: int
    """The day it was set for, as YYYYMMDD."""
    audience: str
    recipient: str
    subject: str
    text: str
    period: str | None = None
    """The month or quarter of the round."""

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        """What makes it one and the same within its campaign."""
        return self.phase, self.round, self.number, self.recipient, self.kind


def is_reminded_of(occurrence: Occurrence) -> bool:
    """Return whether villages report for the occurrence: an ad-hoc sweep once it is approved."""
    return occurrence.phase in VILLAGE_PHASES and occurrence.ad_hoc is occurrence.approved


def letters_about(
    plan: Plan, occurrence: Occurrence, owing: Sequence[Owing], as_of: date, today: date
) -> Iterator[Letter]:
    """Yield the letters about an occurrence that are due at `as_of` and read on `today`.

    `owing`: the villages that have not reported.
    """
    yield from _to_villages(plan, occurrence, owing, as_of, today)
    yield from _to_officer(plan, occurrence, owing, as_of, today)


def letters_if_nobody_reports(plan: Plan) -> Iterator[tuple[date, Letter]]:
    """Yield day and letter of all that a plan causes where no village ever reports.

    Without extensions, and without an ad-hoc sweep that waits for its approval.
    """
    for occurrence in filter(is_reminded_of, plan.calendar):
        owing = [Owing(each, "missing", occurrence.due) for each in plan.expected(occurrence)]
        due, days = occurrence.due, _days(plan, occurrence)
        # what was set for a day before the opening comes on that
        on = {
            max(day, occurrence.opens)
            for day in (*reminder_days(due, *days), *list_days(due, *days))
        }
        known = set()
        for day in sorted(on):
            for letter in letters_about(plan, occurrence, owing, day, day):
                if letter.key not in known:
                    known.add(letter.key)
                    yield day, letter


def _to_villages(
    plan: Plan, occurrence: Occurrence, owing: Sequence[Owing], as_of: date, today: date
) -> Iterator[Letter]:
    """Yield one message a recipient and day it was set for, whichever villages it is about."""
    together: defaultdict[tuple[str, date], list[Owing]] = defaultdict(list)
    before, after = _days(plan, occurrence)
    for each in owing:
        days = reminder_days(each.due, before, after)
        day = reminder_due(days, opens=occurrence.opens, due=each.due, as_of=as_of, today=today)
        if each.village.email and day:
            together[each.village.email, day].append(each)
    what = named(occurrence, plan.language)
    for (recipient, day), villages in together.items():
        over = any(each.due < as_of for each in villages)
        yield Letter(
            kind=REMINDER,
            phase=occurrence.phase,
            round=occurrence.round,
            period=occurrence.period,
            number=day_number(day),
            audience="village",
            recipient=recipient,
            subject=say(
                "notice.reminder.subject_after" if over else "notice.reminder.subject_before",
                plan.language,
                what=what,
            ),
            text="\n".join(_reminder_lines(plan, occurrence, villages, what, as_of)),
        )


def _to_officer(
    plan: Plan, occurrence: Occurrence, owing: Sequence[Owing], as_of: date, today: date
) -> Iterator[Letter]:
    """Yield the list of all who owe, on the newest day on which it is due for one of them."""
    before, after = _days(plan, occurrence)
    due = [
        reminder_due(
            list_days(each.due, before, after),
            opens=occurrence.opens,
            due=each.due,
            as_of=as_of,
            today=today,
        )
        for each in owing
    ]
    days = [day for day in due if day]
    if not days:
        return
    what = named(occurrence, plan.language)
    text = "\n".join(_list_lines(plan, occurrence, owing, what, as_of))
    for recipient in dict.fromkeys(plan.recipients.health):
        yield Letter(
            kind=MISSING,
            phase=occurrence.phase,
            round=occurrence.round,
            period=occurrence.period,
            number=day_number(max(days)),
            audience="health",
            recipient=recipient,
            subject=say("notice.missing.subject", plan.language, what=what),
            text=text,
        )


def _days(plan: Plan, occurrence: Occurrence) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return how many days before and after its due day people are reminded of an occurrence.

    Never after the window of an ad-hoc sweep: its approval is over then, and nothing is taken in.
    """
    reminders = plan.reminders
    return reminders.before_days, () if occurrence.ad_hoc else reminders.after_days


def day_number(day: date) -> int:
    """Return the number of a message that is set for `day`: YYYYMMDD."""
    return int(day.strftime("%Y%m%d"))


def _campaign(plan: Plan) -> str:
    return plan.name_en if plan.language == "en" else plan.name


def _reminder_lines(
    plan: Plan, occurrence: Occurrence, villages: Sequence[Owing], what: str, as_of: date
) -> Iterator[str]:
    language, centre = plan.language, plan.health_centre.name
    yield say("notice.reminder.opening", language, campaign=_campaign(plan), what=what)
    for each in villages:
        yield say(
            f"notice.reminder.{_time(each, as_of)}.{_came(each)}",
            language,
            village=each.village.name,
            day=day_in_words(each.due, _is_provisional(occurrence, each), language),
        )
    if occurrence.phase == "sweep":
        yield say("notice.reminder.nil", language)
    yield say("notice.reminder.how", language, centre=centre)
    yield say("notice.reminder.thanks", language, centre=centre)


def _list_lines(
    plan: Plan, occurrence: Occurrence, owing: Sequence[Owing], what: str, as_of: date
) -> Iterator[str]:
    language = plan.language
    yield say(
        "notice.missing.before" if as_of <= occurrence.due else "notice.missing.after",
        language,
        campaign=_campaign(plan),
        what=what,
        day=day_in_words(occurrence.due, occurrence.provisional, language),
        today=as_of.isoformat(),
    )

    def names(villages: Sequence[Owing]) -> str:
        return say("list.comma", language).join(each.village.name for each in villages)

    more_time = [each for each in owing if each.state == "extended"]
    for key, villages in (
        ("notice.missing.nothing", [each for each in owing if each.state == "missing"]),
        ("notice.missing.returned", [each for each in owing if each.state == "returned"]),
    ):
        if villages:
            yield say(key, language, villages=names(villages))
    for due in sorted({each.due for each in more_time}):
        until = [each for each in more_time if each.due == due]
        yield say("notice.missing.extended", language, day=due.isoformat(), villages=names(until))
    without = [each for each in owing if not each.village.email]
    if without:
        yield say("notice.missing.telephone", language, villages=names(without))
    last = "notice.missing.ad_hoc" if occurrence.ad_hoc else "notice.missing.what_to_do"
    yield say(last, language)


def _time(each: Owing, as_of: date) -> str:
    return "before" if as_of <= each.due else "after"


def _came(each: Owing) -> str:
    return "returned" if each.state == "returned" else "missing"


def _is_provisional(occurrence: Occurrence, each: Owing) -> bool:
    """Whether the village's day may still move: one it was given of its own does not."""
    return occurrence.provisional and each.due == occurrence.due
