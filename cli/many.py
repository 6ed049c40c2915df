"""What `receive-many` does for one home, in a process that has this home's key and no other."""

import getpass
from contextlib import AbstractContextManager
from datetime import datetime

from reports.gate import returned_gate
from tasks.at_home import load_campaigns, open_patiently
from tasks.audit import Act
from tasks.clock import now_in
from tasks.home import Home
from tasks.hosted import InboxStand, inbox_stand, not_taken_in
from tasks.keys import read_key
from tasks.receive import receive_inbox
from tasks.register import open_register
from tasks.rules.errors import CampaignError
from tasks.store import Store

PATIENCE = 60.0
"""Seconds that an intake waits for the register, where one whose worker was killed still ends."""


def take_in_inbox(home: Home, since: datetime) -> InboxStand:
    """Take in the inbox of a home with its own key, and return how it stands; `since` is UTC."""
    try:
        plans = load_campaigns(home)
        zone = next(iter(plans.values())).timezone
        key = read_key(home)
        act = Act(getpass.getuser(), "receive", "inbox", at=now_in(zone))

        def opened() -> AbstractContextManager[Store]:
            return open_register(home, key=key, act=act)

        with open_patiently(opened, PATIENCE) as store:
            now = now_in(zone)
            receive_inbox(store, home, plans, now=now, act=act, make_gate=returned_gate)
            return inbox_stand(store, home, since, zone)
    except CampaignError as error:
        return not_taken_in(home, error)
