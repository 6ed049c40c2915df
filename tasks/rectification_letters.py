"""What a village is told of its rectifications, and the campaign officer of all that are open.

Days, villages and the names of shortfalls: there is no other number in it, and nothing of a person.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from tasks.due_days import day_in_words
from tasks.outbox import RECTIFICATION
from tasks.plan import Plan, Village
from tasks.reminder_letters import Letter, day_number
from tasks.rules.rectification import Rectification
from tasks.rules.reminders import list_days, reminder_days, reminder_due
from tasks.rules.wording import say


@dataclass(frozen=True)
class ToMakeGood:
    """An open rectification of a village."""

    village: Village
    rectification: Rectification
    phase: str
    """The phase whose look opened it."""
    waits_for_supervisor: bool
    """Whether evidence was given: the village has done its part, so it is not reminded."""


def letters_to_make_good(
    plan: Plan, owed: Sequence[ToMakeGood], as_of: date, today: date
) -> Iterator[Letter]:
    """Yield the letters about open rectifications that are due at `as_of` and read on `today`.

    On the days of the plan's `[reminders]` before and after each due day, as about a report.
    """
    yield from _to_villages(plan, owed, as_of, today)
    yield from _to_officer(plan, owed, as_of, today)


def _to_villages(
    plan: Plan, owed: Sequence[ToMakeGood], as_of: date, today: date
) -> Iterator[Letter]:
    """Yield one letter a recipient, look and day it was set for."""
    days = plan.reminders.before_days, plan.reminders.after_days
    together: defaultdict[tuple[str, str, int, date], list[ToMakeGood]] = defaultdict(list)
    for each in owed:
        this = each.rectification
        day = _due(this, reminder_days(this.due, *days), as_of, today)
        if day and each.village.email and not each.waits_for_supervisor:
            together[each.village.email, each.phase, this.opened_round, day].append(each)
    for (recipient, phase, round, day), several in together.items():
        over = any(each.rectification.due < as_of for each in several)
        yield Letter(
            kind=RECTIFICATION,
            phase=phase,
            round=round,
            number=day_number(day),
            audience="village",
            recipient=recipient,
            subject=say(f"notice.rectification.subject_{_time(over)}", plan.language),
            text="\n".join(_village_lines(plan, several, as_of)),
        )


def _to_officer(
    plan: Plan, owed: Sequence[ToMakeGood], as_of: date, today: date
) -> Iterator[Letter]:
    """Yield the list of all that are open, on the newest day on which it is due for one of them."""
    days = plan.reminders.before_days, plan.reminders.after_days
    due = [
        _due(each.rectification, list_days(each.rectification.due, *days), as_of, today)
        for each in owed
    ]
    newest = max((day for day in due if day), default=None)
    if newest is None:
        return
    text = "\n".join(_list_lines(plan, owed, as_of))
    for recipient in dict.fromkeys(plan.recipients.health):
        yield Letter(
            kind=RECTIFICATION,
            phase="supervision",
            round=0,
            number=day_number(newest),
            audience="health",
            recipient=recipient,
            subject=say("notice.rectification.subject_list", plan.language),
            text=text,
        )


def _due(this: Rectification, days: Sequence[date], as_of: date, today: date) -> date | None:
    return reminder_due(days, opens=this.opened_on, due=this.due, as_of=as_of, today=today)


def _time(over: bool) -> str:
    return "after" if over else "before"


def _village_lines(plan: Plan, several: Sequence[ToMakeGood], as_of: date) -> Iterator[str]:
    language, centre = plan.language, plan.health_centre.name
    yield say("notice.rectification.opening", language, campaign=_campaign(plan))
    for each in several:
        over = each.rectification.due < as_of
        yield say(f"notice.rectification.{_time(over)}", language, **_named(plan, each))
    yield say("notice.rectification.how", language, centre=centre)
    yield say("notice.rectification.thanks", language, centre=centre)


def _list_lines(plan: Plan, owed: Sequence[ToMakeGood], as_of: date) -> Iterator[str]:
    """Yield the list: what is overdue, what is to come, what waits for a decision."""
    language = plan.language
    yield say(
        "notice.rectification.list", language, campaign=_campaign(plan), today=as_of.isoformat()
    )
    for head, chosen in (
        (
            "overdue",
            [e for e in owed if e.rectification.due < as_of and not e.waits_for_supervisor],
        ),
        ("waits", [e for e in owed if e.waits_for_supervisor]),
        (
            "to_come",
            [e for e in owed if e.rectification.due >= as_of and not e.waits_for_supervisor],
        ),
    ):
        if chosen:
            yield say(f"notice.rectification.list_{head}", language)
        for each in chosen:
            yield say("notice.rectification.item", language, **_named(plan, each))
    without = dict.fromkeys(e.village.name for e in owed if not e.village.email)
    if without:
        yield say("notice.missing.telephone", language, villages=list(without))
    yield say("notice.rectification.what_to_do", language)


def _named(plan: Plan, each: ToMakeGood) -> dict[str, str]:
    this, language = each.rectification, plan.language
    return {
        "village": each.village.name,
        "shortfall": say(f"shortfall.{this.shortfall}", language),
        "day": day_in_words(this.due, this.due_provisional, language),
    }


def _campaign(plan: Plan) -> str:
    return plan.name_en if plan.language == "en" else plan.name
