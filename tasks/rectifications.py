"""Rectifications in the ledger: opened by a look, closed by a look or by the supervisor.

What the month's data shows made good is closed by the look itself. What data cannot show, the
supervisor closes on evidence: a kind of a closed list, a day, and who saw it. No text, no file:
the ledger is open to the office, and either could name somebody. The rules are
`tasks/rules/rectification.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from tasks.plan import Plan
from tasks.rules.contract import CHOICES, read_choice
from tasks.rules.deadlines import DueDay, off_rest_day
from tasks.rules.errors import WrongCommand
from tasks.rules.rectification import (
    FOR_MEETING,
    MADE_GOOD,
    Rectification,
    Step,
    close,
    escalated,
    overdue_first,
    rectify,
    require_step,
    state_of,
)
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store
from tasks.workdays import PublishedWorkdays


@dataclass(frozen=True)
class Standing:
    """A rectification and what people did about it."""

    rectification: Rectification
    steps: tuple[Step, ...]

    @property
    def state(self) -> str:
        """One of tasks.rules.rectification.STATES."""
        return state_of(self.steps, closed=self.rectification.closed_on is not None)

    def waits_for_supervisor(self, day: date) -> bool:
        """Return whether at the end of `day` it is open and evidence waits for a decision."""
        steps = [each for each in self.steps if each.noted_on <= day]
        return self.rectification.open_on(day) and state_of(steps) == "evidence_given"

    @property
    def closed_by_person(self) -> bool:
        """Whether the supervisor closed it; else a look did, or nobody yet."""
        return any(each.step == "closed" for each in self.steps)


@dataclass(frozen=True)
class Escalation:
    """A rectification that is overdue, and how often summaries said so."""

    rectification: Rectification
    waits_for_supervisor: bool
    """Whether evidence was given: then the supervisor owes the decision, not the village."""
    days_overdue: int
    looks: int
    """The months whose summaries named it as overdue."""

    @property
    def for_meeting(self) -> bool:
        """Whether it is a matter for the joint meeting by now."""
        return self.looks >= FOR_MEETING


def read_rectifications(store: Store, plan: Plan) -> list[Standing]:
    """Return all rectifications of the campaign with their steps, by village and shortfall.

    Reads the ledger only. One whose due day rested on working days not published then has the day
    that those published by now give.
    """
    steps: dict[tuple[str, str, int], tuple[Step, ...]] = {}
    for row in store.records("rectify/steps", campaign=plan.slug):
        key = row.pop("village"), row.pop("shortfall"), row.pop("opened_round")
        steps[key] = (*steps.get(key, ()), Step(**row))
    known = (Rectification(**row) for row in store.records("rectify/known", campaign=plan.slug))
    return [
        Standing(
            _due_as_published(plan, each),
            steps.get((each.village, each.shortfall, each.opened_round), ()),
        )
        for each in known
    ]


def after_look(
    store: Store,
    plan: Plan,
    judged: Mapping[str, Mapping[str, bool | None]],
    *,
    round: int,
    as_of: date,
) -> tuple[Rectification, ...]:
    """Return all rectifications of the campaign as a look of `round` for `as_of` leaves them.

    `judged`: village -> shortfall to be made good -> whether it holds, None where the look does not
    show it; of shortfalls that are not in it nothing changes. `round` is 0 for readiness. Nothing
    is written: the door does that (`Findings.rectifications`).
    """
    due = _rectified_by(plan, as_of)
    return rectify(
        judged,
        [each.rectification for each in read_rectifications(store, plan)],
        round=round,
        on=as_of,
        due=due.day,
        due_provisional=due.provisional,
    )


def overdue_of_villages(
    store: Store, plan: Plan, after: tuple[Rectification, ...], as_of: date
) -> dict[str, list[str]]:
    """Return village -> the shortfalls that it owes past their due day, the longest first.

    `after`: the rectifications as a look leaves them. Where evidence waits for the supervisor's
    decision, the village owes nothing.
    """
    waiting = {
        _key(each.rectification)
        for each in read_rectifications(store, plan)
        if each.waits_for_supervisor(as_of)
    }
    found: dict[str, list[str]] = {}
    for each in overdue_first(after, as_of):
        if _key(each) not in waiting:
            found.setdefault(each.village, []).append(each.shortfall)
    return found


def escalations(
    store: Store, plan: Plan, as_of: date, before: int | None = None
) -> list[Escalation]:
    """Return what is overdue at the end of `as_of`, the longest first. Reads the ledger only.

    Counted are the summaries up to `as_of`: the first of each round at its due day or later; of the
    rounds before `before` where that is given.
    """
    looks = {
        round: day for round, day in store.rows("rectify/looks", campaign=plan.slug) if day <= as_of
    }
    standing = {_key(each.rectification): each for each in read_rectifications(store, plan)}
    late = overdue_first((each.rectification for each in standing.values()), as_of)
    return [
        Escalation(
            each,
            standing[_key(each)].waits_for_supervisor(as_of),
            each.days_overdue(as_of),
            escalated(each, looks, before),
        )
        for each in late
    ]


def give_evidence(
    store: Store,
    plan: Plan,
    village: str,
    shortfall: str,
    *,
    evidence: str,
    on: date,
    by: str,
    now: datetime,
) -> Standing:
    """Record that the village's open rectification was seen to be made good, and return it.

    `evidence`: of CHOICES["rectification_evidence"]; `on`: the day it was seen, not before the
    rectification was opened and not to come; `now` is wall time of the plan's time zone. Raises
    WrongCommand otherwise, and where none is open or no name is given.
    """
    standing = _open(store, plan, village, shortfall)
    kind = _chosen("rectification_evidence", evidence)
    opened = standing.rectification.opened_on
    if not opened <= on <= now.date():
        raise WrongCommand("rectification.day", first=opened, last=now.date())
    return _take(
        store, plan, standing, Step("evidence", on, _name(by), now.date(), evidence=kind), now
    )


def not_accept(
    store: Store, plan: Plan, village: str, shortfall: str, *, reason: str, by: str, now: datetime
) -> Standing:
    """Record that the evidence is not accepted: it is the village's to make good again.

    `reason`: of CHOICES["rectification_reason"]; otherwise as `give_evidence`. Raises WrongCommand
    also where no evidence waits.
    """
    standing = _open(store, plan, village, shortfall)
    why = _chosen("rectification_reason", reason)
    step = Step("not_accepted", now.date(), _name(by), now.date(), reason=why)
    return _take(store, plan, standing, step, now)


def close_by_supervisor(
    store: Store, plan: Plan, village: str, shortfall: str, *, by: str, now: datetime
) -> Standing:
    """Close a rectification on the evidence given; a shortfall that still holds opens a new one.

    Raises WrongCommand where none is open, where no evidence waits, or without a name.
    """
    standing = _open(store, plan, village, shortfall)
    step = Step("closed", now.date(), _name(by), now.date())
    require_step(standing.state, step.step)
    looks = {each.round: each.due for each in plan.calendar if each.phase == "supervision"}
    closed = close(standing.rectification, now.date(), looks)
    with store.transaction():
        after = _take(store, plan, replace(standing, rectification=closed), step, now)
        store.run(
            "rectify/close",
            **_identity(plan, closed),
            closed_round=closed.closed_round,
            closed_on=closed.closed_on,
        )
    return after


def _open(store: Store, plan: Plan, village: str, shortfall: str) -> Standing:
    """Return the one rectification of this village and shortfall that is open.

    Also of a village that the plan no longer has: what it owed does not go away by that.
    """
    name = _shortfall(shortfall)
    for each in read_rectifications(store, plan):
        this = each.rectification
        if (this.village, this.shortfall) == (village, name) and this.closed_on is None:
            return each
    raise WrongCommand("rectification.none_open")


def _shortfall(words: str) -> str:
    """Return the name of a shortfall, which may be given in the words that reports have for it."""
    for name in MADE_GOOD:
        if words.strip() in (name, *(say(f"shortfall.{name}", each) for each in LANGUAGES)):
            return name
    raise WrongCommand("rectification.shortfall", known=MADE_GOOD)


def _chosen(choice: str, words: str) -> str:
    found = read_choice(choice, words)
    if found is None:
        raise WrongCommand("rectification.choice", known=tuple(CHOICES[choice]))
    return found


def _name(by: str) -> str:
    if not by.strip():
        raise WrongCommand("rectification.no_name")
    return by.strip()


def _take(store: Store, plan: Plan, standing: Standing, step: Step, now: datetime) -> Standing:
    require_step(state_of(standing.steps), step.step)
    taken = vars(step) | {"now": now}
    taken.pop("noted_on")
    store.run("rectify/take", **_identity(plan, standing.rectification), **taken)
    return replace(standing, steps=(*standing.steps, step))


def _identity(plan: Plan, each: Rectification) -> dict[str, Any]:
    return {
        "campaign": plan.slug,
        "village": each.village,
        "shortfall": each.shortfall,
        "opened_round": each.opened_round,
    }


def _key(each: Rectification) -> tuple[str, str, int]:
    return each.village, each.shortfall, each.opened_round


def _rectified_by(plan: Plan, opened_on: date) -> DueDay:
    days = timedelta(days=plan.rules.rectification_days)
    return off_rest_day(opened_on + days, plan.rest_day_rule, PublishedWorkdays())


def _due_as_published(plan: Plan, each: Rectification) -> Rectification:
    """Return the rectification, due by the working days of a year that is published by now."""
    if not each.due_provisional or each.closed_round is not None:
        return each
    due = _rectified_by(plan, each.opened_on)
    return replace(each, due=due.day, due_provisional=due.provisional)
