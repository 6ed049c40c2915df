"""Aggregation: the township's figures, beside those of earlier campaigns."""

from datetime import date

from flows.release import check, release
from flows.steps import phase_flow
from tasks.aggregate import aggregate
from tasks.at_home import open_campaign
from tasks.compile_list import latest_list
from tasks.plan import occurrence_at
from tasks.receipt import Receipt


@phase_flow
def aggregation(campaign: str, as_of: date, round: int | None = None) -> Receipt:
    """Sum up the campaign for the township and compare it with earlier ones."""
    with open_campaign(campaign, "aggregation", as_of.isoformat()) as at:
        occurrence = occurrence_at(at.plan, "aggregation", as_of, round)
        checks = check(at, occurrence, latest_list(at.store, at.plan))
        findings = aggregate(at.store, at.plan, as_of, checks)
        return release(at, occurrence, as_of, findings)
