"""Joint meetings in the ledger: decisions, which are only ever added, and whose roster has gaps.

Needs no key. All of a decision is of closed lists, days and codes (`tasks/rules/meeting.py` says
why).
"""

from datetime import date, datetime

from tasks.plan import Plan
from tasks.rules.errors import WrongCommand
from tasks.rules.meeting import OWNERS, RESULTS, TOPICS, Decision, months_of
from tasks.rules.supervision import SHORTFALLS
from tasks.rules.wording import LANGUAGES, keys, say
from tasks.store import Store


def read_decisions(store: Store, campaign: str, until: datetime) -> list[Decision]:
    """Return the decisions recorded up to `until`, with what was known of them by then.

    `until` is wall time of the plan's time zone. By number.
    """
    rows = store.records("meeting/decisions", campaign=campaign, until=until)
    return [Decision(**row) for row in rows]


def incomplete_rosters(
    store: Store, campaign: str, quarter: str, as_of: date, until: datetime
) -> tuple[str, ...]:
    """Return the villages (codes) whose care group is not known to have every role it must have.

    By the last month of `quarter` (2026-Q1) that was looked at up to the end of `as_of`, as it was
    released by `until`, wall time of the plan's time zone. None where the months tell of no roles.
    """
    rows = store.rows(
        "meeting/rosters",
        campaign=campaign,
        months=list(months_of(quarter)),
        as_of=as_of,
        until=until,
    )
    return tuple(village for (village,) in rows)


def record_decision(
    store: Store,
    plan: Plan,
    *,
    met_on: date,
    topic: str,
    owner: str,
    due: date,
    by: str,
    now: datetime,
    village: str = "",
    shortfall: str | None = None,
) -> Decision:
    """Record what the meeting of `met_on` decided, and return it with its number.

    `topic` and `owner` are of TOPICS and OWNERS, by name or in the words of either language; so is
    `shortfall`, which names the rectification of `village` that it is about. `now` is wall time of
    the plan's time zone. Raises WrongCommand for other words, a meeting to come, a due day before
    the meeting, an unknown village, a shortfall without a village, or without a name.
    """
    if met_on > now.date():
        raise WrongCommand("meeting.to_come", day=met_on)
    if due < met_on:
        raise WrongCommand("meeting.due_before", due=due, met_on=met_on)
    if village and all(each.code != village for each in plan.villages):
        raise WrongCommand("extend.unknown")
    if shortfall is not None and not village:
        raise WrongCommand("meeting.shortfall_of_whom")
    decided = Decision(
        number=0,
        met_on=met_on,
        topic=_named("meeting.topic", topic, TOPICS),
        owner=_named("meeting.owner", owner, OWNERS),
        due=due,
        village=village,
        shortfall=None if shortfall is None else _named("shortfall", shortfall, _shortfalls()),
    )
    ((number,),) = store.rows(
        "meeting/record",
        campaign=plan.slug,
        met_on=met_on,
        topic=decided.topic,
        owner=decided.owner,
        due=due,
        village=village,
        shortfall=decided.shortfall,
        by=_who(by),
        now=now,
    )
    return next(each for each in read_decisions(store, plan.slug, now) if each.number == number)


def record_result(
    store: Store, plan: Plan, number: int, *, result: str, on: date, by: str, now: datetime
) -> Decision:
    """Record what became of a decision by the day `on`, and return it as it stands.

    `result` is one of RESULTS, by name or in words. What was said before stays beside it; the
    newest holds, so one that was held to be done can run again. Raises WrongCommand for another
    word or number, a day before the meeting or to come, or without a name.
    """
    known = {each.number: each for each in read_decisions(store, plan.slug, now)}
    if number not in known:
        raise WrongCommand("meeting.no_decision", number=number, campaign=plan.slug)
    if not known[number].met_on <= on <= now.date():
        raise WrongCommand("meeting.result_day", first=known[number].met_on, last=now.date())
    store.run(
        "meeting/take",
        campaign=plan.slug,
        number=number,
        result=_named("meeting.result", result, RESULTS),
        on_day=on,
        by=_who(by),
        now=now,
    )
    return next(each for each in read_decisions(store, plan.slug, now) if each.number == number)


def _named(prefix: str, words: str, known: tuple[str, ...]) -> str:
    """Return the name that stands for `words`, which may be what a page calls it."""
    for name in known:
        if words.strip() in (name, *(say(f"{prefix}.{name}", each) for each in LANGUAGES)):
            return name
    raise WrongCommand("meeting.choice", known=known)


def _shortfalls() -> tuple[str, ...]:
    """Return all shortfalls that have a name; those of supervision first."""
    named = (key.removeprefix("shortfall.") for key in keys("shortfall."))
    return tuple(dict.fromkeys((*SHORTFALLS, *named)))


def _who(by: str) -> str:
    if not by.strip():
        raise WrongCommand("meeting.no_name")
    return by.strip()
