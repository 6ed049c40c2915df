"""Opening a campaign where it lives: its home, its plan and its open stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tasks.clock import now_in
from tasks.home import Home, default_home, keep_private
from tasks.keys import read_key
from tasks.plan import Plan, load_plan
from tasks.register import open_register
from tasks.rules.errors import WrongCommand
from tasks.store import Store


@dataclass(frozen=True)
class AtHome:
    """A campaign with its stores open; `now` is wall time of the plan's time zone."""

    home: Home
    plan: Plan
    store: Store
    now: datetime


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


@contextmanager
def open_campaign(campaign: str) -> Iterator[AtHome]:
    """Open a campaign of the home that CAMPAIGN_HOME names, with the register's key.

    Raises WrongCommand without home, campaign or key, StoreBusy where another process writes.
    """
    keep_private()
    home = Home(default_home())
    plan = load_campaign(home, campaign)
    with open_register(home, key=read_key(home)) as store:
        yield AtHome(home, plan, store, now_in(plan.timezone))
