"""Service gaps of the register: found by rule, opened, given to somebody and closed by hand.

For the health side alone. Not even their number leaves it: of a township with few overdue visits,
which are published as they are, "lost to follow-up" could be told nearly to the person.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from tasks.audit import Act, keep_entry
from tasks.plan import Plan
from tasks.rules.contract import CHOICES, read_choice
from tasks.rules.errors import WrongCommand
from tasks.rules.service_gaps import (
    FIRST_STEP,
    OPENED_BY_HAND,
    SEEN_GONE,
    Changes,
    Finding,
    Gap,
    due_by,
    reconcile,
)
from tasks.store import Store
from tasks.visits import lost_to_follow_up

_OPENING = pa.schema(
    [
        ("gap_id", pa.string()),
        ("register_no", pa.string()),
        ("kind", pa.string()),
        ("found_by", pa.string()),
        ("opened_on", pa.date32()),
        ("owner", pa.string()),
        ("next_step", pa.string()),
        ("due_on", pa.date32()),
    ]
)


@dataclass(frozen=True)
class OpenGap:
    """An open gap as health staff see it: whose by number, never a name, diagnosis or rating."""

    gap_id: str
    register_no: str
    kind: str
    found_by: str
    opened_on: date
    owner: str
    next_step: str
    due_on: date
    residence_village: str


def update_gaps(store: Store, plan: Plan, as_of: date, act: Act) -> Changes:
    """Open the gaps that the register shows at the end of `as_of`, close those it shows no more.

    `as_of` is a day of the plan's time zone; the visits are those that `update_visits` worked out
    for it. A gap that opens belongs to the health centre until it is given to somebody. The trail
    says whose gaps changed. One transaction; the same day again changes nothing.
    """
    found = [
        Finding(*row)
        for row in store.rows(
            "gaps/found",
            township=plan.health_centre.township,
            lost=lost_to_follow_up(store, as_of),
            as_of=as_of,
        )
    ]
    changes = reconcile(_known(store), found, as_of)
    if not changes.opened and not changes.closed:
        return changes
    _load(
        store,
        [
            _opening(each.register_no, each.kind, "rule", as_of, plan.health_centre.name)
            for each in changes.opened
        ],
    )
    with store.transaction():
        store.run("gaps/open")
        store.run(
            "gaps/close",
            gaps=[each.gap_id for each in changes.closed],
            closed_on=as_of,
            closed_as=SEEN_GONE,
            closed_by=None,
        )
        changed = {each.register_no for each in changes.opened}
        changed |= {each.register_no for each in changes.closed}
        keep_entry(store, act, sorted(changed))
    return changes


def list_gaps(store: Store, act: Act, owner: str | None = None) -> list[OpenGap]:
    """Return the open gaps, of one `owner` or of all, what is due first on top.

    The trail keeps whose they are. Nothing about those who withdrew.
    """
    found = [OpenGap(**row) for row in store.records("gaps/list", owner=owner)]
    keep_entry(store, act, sorted({each.register_no for each in found}))
    return found


def open_gap(
    store: Store,
    act: Act,
    register_no: str,
    kind: str,
    *,
    owner: str,
    step: str | None = None,
    due: date | None = None,
) -> str:
    """Open a gap of a kind that no rule finds, and return its number.

    `kind` and `step` are words of the closed lists, in any spelling of theirs; without `step` and
    `due` the first step of the kind holds. Raises WrongCommand for a kind that rules find, an
    unknown register number, a gap that is open already, a due day in the past, or without an owner.
    """
    today = act.at.date()
    meant = _word("gap_kind", kind, "gap.kind")
    if meant not in OPENED_BY_HAND:
        raise WrongCommand("gap.by_rule", known=OPENED_BY_HAND)
    number = register_no.strip().upper()
    if not store.rows("gaps/person", register_no=number):
        raise WrongCommand("gap.nobody")
    if any(
        each.register_no == number and each.kind == meant and each.closed_on is None
        for each in _known(store)
    ):
        raise WrongCommand("gap.open_already")
    opening = _opening(number, meant, "hand", today, _named(owner))
    opening |= {
        "next_step": FIRST_STEP[meant] if step is None else _word("gap_step", step, "gap.step"),
        "due_on": due_by(meant, today) if due is None else _to_come(due, today),
    }
    _load(store, [opening])
    with store.transaction():
        store.run("gaps/open")
        keep_entry(store, act, [number])
    return str(opening["gap_id"])


def assign_gap(
    store: Store,
    act: Act,
    gap_id: str,
    *,
    owner: str | None = None,
    step: str | None = None,
    due: date | None = None,
) -> None:
    """Give an open gap to somebody, or change its next step or due day; None leaves one as it is.

    Raises WrongCommand where nothing is to be changed, for an unknown or closed gap, an unknown
    step, a day in the past or an owner without a name.
    """
    if owner is None and step is None and due is None:
        raise WrongCommand("gap.nothing")
    gap = _open_one(store, gap_id)
    with store.transaction():
        store.run(
            "gaps/assign",
            gap_id=gap.gap_id,
            owner=None if owner is None else _named(owner),
            next_step=None if step is None else _word("gap_step", step, "gap.step"),
            due_on=None if due is None else _to_come(due, act.at.date()),
        )
        keep_entry(store, act, [gap.register_no])


def close_gap(store: Store, act: Act, gap_id: str, closed_as: str) -> None:
    """Close an open gap by hand, with a reason of the closed list gap_closed.

    One that a rule found opens again once the data shows it anew. Raises WrongCommand for an
    unknown or closed gap and an unknown reason.
    """
    reason = _word("gap_closed", closed_as, "gap.closed_as")
    gap = _open_one(store, gap_id)
    with store.transaction():
        store.run(
            "gaps/close",
            gaps=[gap.gap_id],
            closed_on=act.at.date(),
            closed_as=reason,
            closed_by=act.who.strip(),
        )
        keep_entry(store, act, [gap.register_no])


def _known(store: Store) -> list[Gap]:
    return [Gap(**row) for row in store.records("gaps/known")]


def _open_one(store: Store, gap_id: str) -> Gap:
    wanted = gap_id.strip().upper()
    gap = next((each for each in _known(store) if each.gap_id == wanted), None)
    if gap is None:
        raise WrongCommand("gap.unknown")
    if gap.closed_on is not None:
        raise WrongCommand("gap.closed_already", day=gap.closed_on)
    return gap


def _opening(register_no: str, kind: str, found_by: str, on: date, owner: str) -> dict[str, object]:
    """Return a gap's row. Its number is random: it says nothing of whose it is."""
    return {
        "gap_id": f"GAP-{secrets.token_hex(4).upper()}",
        "register_no": register_no,
        "kind": kind,
        "found_by": found_by,
        "opened_on": on,
        "owner": owner,
        "next_step": FIRST_STEP[kind],
        "due_on": due_by(kind, on),
    }


def _load(store: Store, rows: Sequence[dict[str, object]]) -> None:
    store.load("gap_opening", pa.Table.from_pylist(list(rows), _OPENING))


def _named(owner: str) -> str:
    if not owner.strip() or not owner.isprintable():
        raise WrongCommand("gap.no_owner")
    return owner.strip()


def _to_come(due: date, today: date) -> date:
    if due < today:
        raise WrongCommand("gap.due_past")
    return due


def _word(name: str, text: str, key: str) -> str:
    """Return the word of the closed list that `text` is a spelling of. Raises WrongCommand."""
    found = read_choice(name, text)
    if found is None:
        raise WrongCommand(key, known=tuple(CHOICES[name]))
    return found
