"""Setting a campaign up in a home: its plan copied, the stores and the key made."""

from datetime import datetime
from pathlib import Path

from tasks.clock import now_in
from tasks.home import Home, private_folder
from tasks.keys import make_key, read_key
from tasks.plan import Plan, copy_plan, load_plan
from tasks.pseudonyms import make_secret
from tasks.register import make_stores, open_register
from tasks.rules.errors import WrongCommand


def set_up(home: Home, plan_file: Path) -> Plan:
    """Set up the campaign of `plan_file` in `home` and return its plan.

    A second campaign joins the same stores. A plan that is here already is replaced by its newer
    version. Raises WrongCommand for a bad plan, before anything is made, and for a campaign of
    another township.
    """
    plan = load_plan(plan_file)
    for slug in home.campaigns():
        if load_plan(home.plan(slug)).health_centre.code != plan.health_centre.code:
            raise WrongCommand("error.other_township", campaign=slug)
    for folder in (home.root, home.inbox, home.mail):
        private_folder(folder)
    if not home.register.exists():
        # never beside a register: a new key would not open it
        make_key(home)
    key = read_key(home)
    make_stores(home, key)
    with open_register(home, key=key) as store:
        now: datetime = now_in(plan.timezone)
        make_secret(store, now)
    copy_plan(plan_file, home.plan(plan.slug).parent)
    return plan
