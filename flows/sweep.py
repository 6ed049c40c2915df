"""Sweep: take in the round's files, judge every row, say who has reported, compute coverage."""

from datetime import date

from flows.own_day import on_its_day
from flows.release import check, release
from flows.steps import step
from reports.gate import returned_gate
from tasks.at_home import AtHome, load_campaigns
from tasks.plan import Occurrence
from tasks.publish import Findings
from tasks.receipt import Receipt
from tasks.receive import receive_inbox, record_arrivals
from tasks.reporting import read_reporting, sweep_figures
from tasks.requests import require_run


@step
def take_in_inbox(at: AtHome) -> None:
    """Take in what lies in the inbox, and tell the ledger which files came."""
    plans = load_campaigns(at.home)
    receive_inbox(at.store, at.home, plans, now=at.now, act=at.act, make_gate=returned_gate)
    record_arrivals(at.store)


@on_its_day
def sweep(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
    """Run a sweep round; an ad-hoc one only as the health side approved it."""
    require_run(at.store, at.plan, occurrence, as_of, at.now.date())
    take_in_inbox(at)
    checks = check(at, occurrence)
    reporting = read_reporting(at.store, at.plan, occurrence, as_of)
    figures = sweep_figures(at.store, at.plan, occurrence.round, reporting)
    findings = Findings(figures, reporting=reporting, checks=checks)
    return release(at, occurrence, as_of, findings)
