"""Opening a campaign where it lives: its home, its plan and its open stores."""

import getpass
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from tasks.audit import Act
from tasks.clock import now_in
from tasks.home import Home, default_home, keep_private
from tasks.keys import read_key
from tasks.plan import Plan, load_plan
from tasks.register import open_register
from tasks.released_days import keep_released
from tasks.rules.errors import StoreBusy, WrongCommand
from tasks.store import Store

T = TypeVar("T")

LOOK_AGAIN = 2.0
"""Seconds between two tries to open a store that another process has."""


@dataclass(frozen=True)
class AtHome:
    """A campaign with its stores open, for one act."""

    home: Home
    plan: Plan
    store: Store
    act: Act

    @property
    def now(self) -> datetime:
        """When it was opened; wall time of the plan's time zone."""
        return self.act.at


def load_campaign(home: Home, campaign: str) -> Plan:
    """Return the plan of a campaign of this home. Raises WrongCommand where there is none."""
    home.require()
    path = home.plan(campaign)
    if not path.is_file():
        known = tuple(home.campaigns())
        raise WrongCommand("error.no_campaign", campaign=campaign, known=known)
    return load_plan(path)


def load_campaigns(home: Home) -> dict[str, Plan]:
    """Return slug -> plan of all campaigns of this home, one at least.

    Raises WrongCommand where none was set up.
    """
    home.require()
    plans = {slug: load_plan(home.plan(slug)) for slug in home.campaigns()}
    if not plans:
        raise WrongCommand("error.no_home", home=home.root)
    return plans


def act_at_home(home: Home, what: str, why: str, by: str | None = None) -> Act:
    """Return an act that concerns no one campaign, now, by `by` or else the account.

    Raises WrongCommand where no campaign was set up.
    """
    zone = next(iter(load_campaigns(home).values())).timezone
    return Act(getpass.getuser() if by is None else by, what, why, at=now_in(zone))


@contextmanager
def open_campaign(
    campaign: str, what: str, why: str, by: str | None = None, *, patience: float = 0
) -> Iterator[AtHome]:
    """Open a campaign of the home that CAMPAIGN_HOME names, with the register's key.

    `what` is the command or phase, `why` its reason; `by` is who acts, else the account. All three
    enter the trail. `patience`: for how many seconds to wait where another process has the stores.
    Raises WrongCommand without home, campaign, key, name or reason, StoreBusy where another process
    writes and does not end in that time.
    """
    keep_private()
    home = Home(default_home())
    plan = load_campaign(home, campaign)
    who = getpass.getuser() if by is None else by

    @contextmanager
    def opened() -> Iterator[AtHome]:
        # when it was opened, not when it began to wait
        act = Act(who, what, why, at=now_in(plan.timezone), campaign=campaign)
        with open_register(home, key=read_key(home), act=act) as store:
            yield AtHome(home, keep_released(store, plan), store, act)

    with open_patiently(opened, patience) as at:
        yield at


@contextmanager
def open_patiently(opened: Callable[[], AbstractContextManager[T]], patience: float) -> Iterator[T]:
    """Open what may be busy, trying again for `patience` seconds; then raises StoreBusy.

    Only opening is tried again, never what is done inside.
    """
    gives_up = time.monotonic() + patience
    with ExitStack() as stack:
        while True:
            try:
                it = stack.enter_context(opened())
            except StoreBusy:
                left = gives_up - time.monotonic()
                if left <= 0:
                    raise
                time.sleep(min(LOOK_AGAIN, left))
            else:
                break
        yield it
