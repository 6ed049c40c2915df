"""Quarterly pack: what the joint meeting looks at, out of everything the quarter released."""

from datetime import date

from flows.own_day import on_its_day
from flows.release import check, release
from flows.steps import step
from tasks.at_home import AtHome
from tasks.audit import keep_run
from tasks.plan import Occurrence
from tasks.publish import Findings
from tasks.quarter import quarter_findings
from tasks.receipt import Receipt
from tasks.rules.checking import SuiteResult


@step
def look_at_quarter(
    at: AtHome, occurrence: Occurrence, as_of: date, checks: list[SuiteResult]
) -> Findings:
    """Collect the quarter; for the national rates, bring visits due up to its end."""
    found = quarter_findings(at.store, at.plan, occurrence, as_of, at.now, checks)
    keep_run(at.store, at.act)
    return found


@on_its_day
def quarterly_pack(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
    """Make the pack of one quarter."""
    checks = check(at, occurrence)
    return release(at, occurrence, as_of, look_at_quarter(at, occurrence, as_of, checks))
