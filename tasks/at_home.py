"""Opening a campaign where it lives: its home, its plan and its open stores."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tasks.audit import Act
from tasks.clock import now_in
from tasks.home import Home, default_home, keep_private
from tasks.keys import read_key
from tasks.plan import Plan, load_plan
from tasks.register import open_register
from tasks.rules.errors import WrongCommand
from tasks.store import Store


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
        known = "、".join(home.campaigns()) or "-"
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
def open_campaign(campaign: str, what: str, why: str, by: str | None = None) -> Iterator[AtHome]:
    """Open a campaign of the home that CAMPAIGN_HOME names, with the register's key.

    `what` is the command or phase, `why` its reason; `by` is who acts, else the account. All three
    enter the trail. Raises WrongCommand without home, campaign, key, name or reason, StoreBusy
    where another process writes.
    """
    keep_private()
    home = Home(default_home())
    plan = load_campaign(home, campaign)
    who = getpass.getuser() if by is None else by
    act = Act(who, what, why, at=now_in(plan.timezone), campaign=campaign)
    with open_register(home, key=read_key(home), act=act) as store:
        yield AtHome(home, plan, store, act)
