"""Setting a campaign up in a home: its plan copied, the stores and the key made."""

import getpass
from collections.abc import Callable
from pathlib import Path

from tasks.audit import Act
from tasks.clock import now_in
from tasks.due_days import note_deadlines
from tasks.home import Home, private_folder
from tasks.keys import has_key, make_key, read_key
from tasks.ledger import open_ledger
from tasks.names import read_names
from tasks.outbox import Gate
from tasks.plan import Plan, copy_plan, load_plan
from tasks.register import make_stores, open_register
from tasks.requests import is_asked_for, settle_requests
from tasks.rules.errors import WrongCommand
from tasks.rules.known_names import NameList
from tasks.store import Store

MakeGate = Callable[[Store, Home, Plan, NameList], Gate]
"""reports.gate.notice_gate, which this room may not import."""


def set_up(home: Home, plan_file: Path, make_gate: MakeGate | None = None) -> Plan:
    """Set up the campaign of `plan_file` in `home` and return its plan.

    A second campaign joins the same stores. A plan that is here already is replaced by its newer
    version: with `make_gate` people are told of the due days that it moves and of the sweeps it
    asks for, else the next catch-up tells them. Raises WrongCommand for a bad plan, before anything
    is made, for a campaign of another township, and for a newer version that moves a due day by
    which figures were released.
    """
    plan = load_plan(plan_file)
    for slug in home.campaigns():
        if load_plan(home.plan(slug)).health_centre.code != plan.health_centre.code:
            raise WrongCommand("error.other_township", campaign=slug)
    _refuse_moved_deadlines(home, plan)
    for folder in (home.root, home.inbox, home.mail):
        private_folder(folder)
    # never beside a register or what was one: a new key would not open it
    if not home.register.exists() and not home.ledger.exists() and not has_key(home):
        make_key(home)
    key = read_key(home)
    act = Act(getpass.getuser(), "init", "set up", at=now_in(plan.timezone), campaign=plan.slug)
    make_stores(home, key, act.at)
    with open_register(home, key=key, act=act) as store:  # the trail begins
        copy_plan(plan_file, home.plan(plan.slug).parent)
        if make_gate is not None:
            gate = make_gate(store, home, plan, read_names(store))
            note_deadlines(store, plan, act.at, gate)
            settle_requests(store, home, plan, act.at, gate)
    return plan


def _refuse_moved_deadlines(home: Home, plan: Plan) -> None:
    """Who was on time is judged by the due day: it cannot move once that was released."""
    if plan.slug not in home.campaigns() or not home.ledger.is_file():
        return
    with open_ledger(home) as store:
        released = store.records("report/due_days", campaign=plan.slug)
    now = {(each.phase, each.round): each.due for each in plan.calendar}
    here = {(each.phase, each.round): each for each in load_plan(home.plan(plan.slug)).calendar}
    for row in released:
        due, was = now.get((row["phase"], row["round"])), here.get((row["phase"], row["round"]))
        if was is not None and was.request is not None and is_asked_for(plan, was.request):
            continue  # approved here: no plan file has it as a phase
        # where the official calendar alone moved it, both plans agree, and the old day is kept
        if due != row["due"] and (was is None or due != was.due):
            raise WrongCommand(
                "error.plan_moves",
                phase=row["phase"],
                round=row["round"],
                was=row["due"],
                now=due or "-",
            )
