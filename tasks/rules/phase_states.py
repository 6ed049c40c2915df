"""The life of a phase: which states it has, and what moves it from one to the next.

DOMAIN.md section 4 (kept in docs/domain.md): planned, open, due, closed; reopened only with a
reason. Days move it, its run as of its due day closes it, and only a person reopens it. Every
state is recorded once, also where it is noticed late: with the day it belongs to and in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tasks.rules.agenda import Run, Term
from tasks.rules.errors import WrongCommand

STATES = ("planned", "open", "due", "closed", "reopened")

MOVES = {
    None: ("planned",),
    "planned": ("open",),
    "open": ("due",),
    # open again: its due day was provisional, and the published calendar moved it
    "due": ("closed", "open"),
    "closed": ("reopened",),
    "reopened": ("due",),
}
"""State, None before the first -> the states that may follow."""


@dataclass(frozen=True)
class Step:
    """One state that a phase came into."""

    state: str
    on_day: date
    """The day it belongs to: of opening, the due day that ended, the day its closing run is about,
    or the day somebody reopened it. For planned the day of issue."""
    until: date | None = None
    """The last day of a reopening."""


def following(
    steps: Sequence[Step], term: Term, runs: Sequence[Run], *, issued: date, today: date
) -> list[Step]:
    """Return the states that a phase has come into since the last of `steps`, in order.

    `steps` are those recorded, the newest last; `runs` the completed runs of the term's round.
    """
    found: list[Step] = []
    while step := _next([*steps, *found], term, runs, issued, today):
        require_move(found[-1].state if found else steps[-1].state if steps else None, step.state)
        found.append(step)
    return found


def require_move(state: str | None, to: str) -> None:
    """Raise WrongCommand where a phase cannot come from `state` to `to`."""
    if to not in MOVES[state]:
        raise WrongCommand("life.no_such_move", state=state or "-", to=to)


def _next(
    steps: Sequence[Step], term: Term, runs: Sequence[Run], issued: date, today: date
) -> Step | None:
    state = steps[-1].state if steps else None
    end = _end(steps, term)
    match state:
        case None:
            return Step("planned", min(issued, term.opens))
        case "planned" if today >= term.opens:
            return Step("open", term.opens)
        case "open" | "reopened" if today > end:
            return Step("due", end)
        case "due" if today <= end:
            return Step("open", today)
        case "due" if closed := _closed_on(runs, end):
            return Step("closed", closed)
    return None


def _end(steps: Sequence[Step], term: Term) -> date:
    """Return the last day of the state: the due day, or that of the newest reopening."""
    untils = [step.until for step in steps if step.until]
    return max(term.due, untils[-1]) if untils else term.due


def _closed_on(runs: Sequence[Run], end: date) -> date | None:
    return min((run.as_of for run in runs if run.is_whole and run.as_of >= end), default=None)
