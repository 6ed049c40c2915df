"""Handing a registered person over to another village's health staff (转交), step by step.

Every step enters the trail with who and why; the person is named by register number only. Whose
visits are whose follows by itself: `sql/visits/people.sql` reads what was accepted.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.audit import Act, keep_entry
from tasks.plan import Plan
from tasks.rules.errors import WrongCommand
from tasks.rules.handover import Handover, HandoverRefused, accept, release, take_back
from tasks.store import Store
from tasks.visits import gather_people


@dataclass(frozen=True)
class Step:
    """A hand-over and whom it is about, by register number: for the health side."""

    register_no: str
    handover: Handover


def release_person(
    store: Store, plan: Plan, act: Act, register_no: str, to_village: str
) -> Handover:
    """Release a person to the health staff of `to_village`; until accepted nothing changes.

    Raises WrongCommand for an unknown number, a village that is not the plan's or not open, the
    village the person is with already, and while another release waits; then nothing is kept.
    """
    today = act.at.date()
    if not any(each.code == to_village and each.open_on(today) for each in plan.villages):
        raise WrongCommand("handover.village")

    def step(newest: Handover | None, holder: str) -> Handover:
        return release(newest, holder=holder, to_village=to_village, by=act.who, at=act.at)

    return _take(store, plan, act, register_no, step)


def accept_person(store: Store, plan: Plan, act: Act, register_no: str) -> Handover:
    """Accept a person who was released: from today on they are the accepting village's.

    Raises WrongCommand for an unknown number, where nothing waits or it has lapsed, where the
    register has named another village meanwhile, and where the same name released them.
    """

    def step(newest: Handover | None, holder: str) -> Handover:
        return accept(newest, holder=holder, by=act.who, at=act.at)

    return _take(store, plan, act, register_no, step)


def take_person_back(store: Store, plan: Plan, act: Act, register_no: str) -> Handover:
    """Take back a release that nobody accepted. Raises WrongCommand as `accept_person` does."""

    def step(newest: Handover | None, holder: str) -> Handover:
        return take_back(newest, by=act.who, at=act.at)

    return _take(store, plan, act, register_no, step)


def list_handovers(store: Store, act: Act) -> list[Step]:
    """Return all hand-overs, the newest first; the trail keeps the look."""
    rows = store.records("handover/list")
    steps = [Step(row.pop("register_no"), Handover(**row)) for row in rows]
    keep_entry(store, act, sorted({each.register_no for each in steps}))
    return steps


def _take(
    store: Store,
    plan: Plan,
    act: Act,
    register_no: str,
    step: Callable[[Handover | None, str], Handover],
) -> Handover:
    """Take a step of the person's newest hand-over, keep it, and enter it in the trail."""
    number = register_no.strip().upper()
    with store.transaction():
        gather_people(store, [village.code for village in plan.villages], act.at.date())
        holders = store.rows("handover/holder", register_no=number)
        if not holders:
            raise WrongCommand("handover.unknown_number")
        ((register_village, holder),) = holders
        found = store.records("handover/newest", register_no=number)
        try:
            taken = step(Handover(**found[0]) if found else None, holder)
        except HandoverRefused as refused:
            raise WrongCommand(f"handover.refused.{refused.reason}") from None
        kept = vars(taken) | {"register_no": number, "register_village": register_village}
        store.run("handover/forget", register_no=number, released_at=taken.released_at)
        store.run("handover/keep", **kept)
        keep_entry(store, act, [number])
    return taken
