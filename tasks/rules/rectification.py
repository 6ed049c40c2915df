"""The life of a rectification: what opens it, what moves it, what closes it, when it escalates.

A rectification (限期整改, DOMAIN.md section 2, kept in docs/domain.md) is a named shortfall of a
village's service with a due date, closed only when made good. What a month's data shows made good
is evidence enough: the look closes it. What data cannot show is closed by the supervisor, on
evidence of a closed kind. Being overdue is no state: the day tells it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from tasks.rules.errors import WrongCommand
from tasks.rules.readiness import READINESS_SHORTFALLS
from tasks.rules.supervision import RECTIFIED, SHORTFALLS

MADE_GOOD = (*READINESS_SHORTFALLS, *(name for name in SHORTFALLS if name in RECTIFIED))
"""The shortfalls that a rectification can be about, in order of weight."""

STATES = ("open", "evidence_given", "closed")

STEPS = ("evidence", "not_accepted", "closed")
"""What a person does about one: says it is made good, does not accept that, accepts it."""

MOVES = {
    ("open", "evidence"): "evidence_given",
    # more of it
    ("evidence_given", "evidence"): "evidence_given",
    ("evidence_given", "not_accepted"): "open",
    ("evidence_given", "closed"): "closed",
}
"""State and step -> the state it leads to; nothing leads out of closed."""

FOR_MEETING = 2
"""Overdue at the looks of this many months, it is a matter for the joint meeting."""


@dataclass(frozen=True)
class Rectification:
    """A named shortfall of a village's service, from the look that opened it to its closing.

    Rounds are those of the supervision phase; 0 is readiness, which comes once and opens and closes
    its own. What a person closed of a month has the round of the look that came next.
    """

    village: str
    shortfall: str
    opened_round: int
    opened_on: date
    due: date
    due_provisional: bool
    closed_round: int | None = None
    closed_on: date | None = None

    def open_after(self, round: int) -> bool:
        """Return whether it is open once the look of `round` is over."""
        closed_later = self.closed_round is None or self.closed_round > round
        return self.opened_round <= round and closed_later

    def open_on(self, day: date) -> bool:
        """Return whether it is open at the end of `day`."""
        return self.opened_on <= day and (self.closed_on is None or self.closed_on > day)

    def days_overdue(self, day: date) -> int:
        """Return for how many days it is past due at the end of `day`; 0 where it is not.

        A due day ends at 24:00.
        """
        return max((day - self.due).days, 0) if self.open_on(day) else 0


@dataclass(frozen=True)
class Step:
    """What a person did about a rectification."""

    step: str
    """One of STEPS."""
    on_day: date
    """The day of the evidence, or of the decision."""
    by: str
    noted_on: date
    """The day on which it was entered."""
    evidence: str | None = None
    """One of CHOICES["rectification_evidence"], where it is evidence."""
    reason: str | None = None
    """One of CHOICES["rectification_reason"], where it was not accepted."""


def state_of(steps: Iterable[Step], *, closed: bool = False) -> str:
    """Return the state that `steps` lead to, in their order; `closed`: a look closed it."""
    state = "open"
    for each in steps:
        state = require_step(state, each.step)
    return "closed" if closed else state


def require_step(state: str, step: str) -> str:
    """Return the state that `step` leads to. Raises WrongCommand where it is not to be taken."""
    after = MOVES.get((state, step))
    if after is None:
        raise WrongCommand(f"rectification.{'over' if state == 'closed' else 'no_evidence'}")
    return after


def close(each: Rectification, on: date, looks: Mapping[int, date]) -> Rectification:
    """Return it closed by a person on the day `on`, for the look that comes next to see.

    `looks`: round -> due day of the supervision's looks. After the last one, it counts for a round
    after that; of readiness there is no next.
    """
    if each.opened_round == 0:
        return replace(each, closed_round=0, closed_on=on)
    to_come = [round for round, due in looks.items() if due >= on]
    next_look = min(to_come) if to_come else max(looks, default=0) + 1
    return replace(each, closed_round=max(next_look, each.opened_round + 1), closed_on=on)


def rectify(
    judged: Mapping[str, Mapping[str, bool | None]],
    known: Iterable[Rectification],
    *,
    round: int,
    on: date,
    due: date,
    due_provisional: bool,
) -> tuple[Rectification, ...]:
    """Return all rectifications as they stand after the look of `round`, by village and shortfall.

    `judged`: village -> shortfall to be made good -> whether it holds. `known`: what is recorded,
    of any round; what this look opened or closed before is kept as it was, so that a rerun gives
    the same. One that was open is closed (on `on`) where the shortfall is seen to be gone; where
    the look does not show it, it stays. A shortfall that holds opens one (on `on`, due on `due`)
    unless one is open already, here or since a later month; also where a person closed the one
    before. Readiness is round 0 and is looked at again as checklists come: a later day closes what
    an earlier one opened.
    """
    recorded = list(known)
    after = [
        replace(each, closed_round=round, closed_on=on)
        if _made_good(each, judged, round, on)
        else each
        for each in recorded
    ]
    standing = {
        (each.village, each.shortfall)
        for each in after
        if each.closed_round is None or each.open_after(round) or each.opened_round == round
    }
    after += [
        Rectification(village, name, round, on, due, due_provisional)
        for village, found in judged.items()
        for name, holds in found.items()
        if holds and (village, name) not in standing
    ]
    return tuple(sorted(after, key=lambda each: (each.village, each.shortfall, each.opened_round)))


def escalated(each: Rectification, looks: Mapping[int, date], before: int | None = None) -> int:
    """Return at how many looks it stood overdue: in the summaries of how many months.

    `looks`: round -> the day that the first released look of the round was about. `before`: only
    rounds before this one.
    """
    return sum(
        each.days_overdue(day) > 0
        for round, day in looks.items()
        if round >= each.opened_round and (before is None or round < before)
    )


def overdue_first(rectifications: Iterable[Rectification], day: date) -> list[Rectification]:
    """Return those that are overdue at the end of `day`, the longest first."""
    late = [each for each in rectifications if each.days_overdue(day)]
    return sorted(late, key=lambda each: (each.due, each.village, each.shortfall))


def _made_good(
    each: Rectification,
    judged: Mapping[str, Mapping[str, bool | None]],
    round: int,
    on: date,
) -> bool:
    again = each.opened_round == round == 0 and each.opened_on < on
    if each.closed_round is not None or not (each.opened_round < round or again):
        return False
    return judged.get(each.village, {}).get(each.shortfall) is False
