"""Aggregation: the township's figures, beside those of earlier campaigns."""

from datetime import date

from flows.own_day import on_its_day
from flows.release import check, release
from tasks.aggregate import aggregate
from tasks.at_home import AtHome
from tasks.compile_list import latest_list
from tasks.plan import Occurrence
from tasks.receipt import Receipt


@on_its_day
def aggregation(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
    """Sum up the campaign for the township and compare it with earlier ones."""
    checks = check(at, occurrence, latest_list(at.store, at.plan))
    findings = aggregate(at.store, at.plan, as_of, checks)
    return release(at, occurrence, as_of, findings)
