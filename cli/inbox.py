"""What a command does with the inbox before it runs a phase."""

import getpass

from reports.gate import returned_gate
from tasks.at_home import load_campaigns
from tasks.audit import Act
from tasks.clock import now_in
from tasks.home import Home
from tasks.keys import read_key
from tasks.receive import Received, receive_inbox
from tasks.register import open_register


def empty_inbox(home: Home) -> list[Received]:
    """Take in what lies in the inbox here, where the officer can be told about each file."""
    plans = load_campaigns(home)
    now = now_in(next(iter(plans.values())).timezone)
    act = Act(getpass.getuser(), "receive", "inbox", at=now)
    with open_register(home, key=read_key(home), act=act) as store:
        return receive_inbox(store, home, plans, now=now, act=act, make_gate=returned_gate)
