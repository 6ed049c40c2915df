"""Sweep: take in the round's files, judge every row, say who has reported, compute coverage."""

from datetime import date

from flows.release import check, release
from flows.steps import phase_flow, step
from reports.gate import returned_gate
from tasks.at_home import AtHome, load_campaigns, open_campaign
from tasks.plan import occurrence_at
from tasks.publish import Findings
from tasks.receipt import Receipt
from tasks.receive import receive_inbox, record_arrivals
from tasks.reporting import read_reporting, sweep_figures


@step
def take_in_inbox(at: AtHome) -> None:
    """Take in what lies in the inbox, and tell the ledger which files came."""
    plans = load_campaigns(at.home)
    receive_inbox(at.store, at.home, plans, now=at.now, act=at.act, make_gate=returned_gate)
    record_arrivals(at.store)


@phase_flow
def sweep(campaign: str, as_of: date, round: int | None = None) -> Receipt:
    """Run a sweep round: `round`, else the one that `as_of` is about."""
    with open_campaign(campaign, "sweep", as_of.isoformat()) as at:
        occurrence = occurrence_at(at.plan, "sweep", as_of, round)
        take_in_inbox(at)
        checks = check(at, occurrence)
        reporting = read_reporting(at.store, at.plan, occurrence, as_of)
        figures = sweep_figures(at.store, at.plan, occurrence.round, reporting)
        findings = Findings(figures, reporting=reporting, checks=checks)
        return release(at, occurrence, as_of, findings)
