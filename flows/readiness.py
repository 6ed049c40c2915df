"""Readiness: which villages are prepared before the work begins, and what is to be made good."""

from datetime import date

from flows.own_day import on_its_day
from flows.release import check, release
from flows.steps import step
from flows.sweep import take_in_inbox
from tasks.at_home import AtHome
from tasks.plan import Occurrence
from tasks.publish import Findings
from tasks.readiness import ReadinessResult, look_at_readiness, readiness_figures
from tasks.receipt import Receipt
from tasks.reporting import VillageReporting, read_reporting


@step
def look_at_checklists(
    at: AtHome, occurrence: Occurrence, as_of: date, reporting: list[VillageReporting]
) -> ReadinessResult:
    """Look at every village's checklist; no row of it is about a person."""
    return look_at_readiness(at.store, at.plan, occurrence, as_of, reporting)


@on_its_day
def readiness(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
    """Say who is ready, what is missing, and by when it is to be made good."""
    take_in_inbox(at)
    checks = check(at, occurrence)
    reporting = read_reporting(at.store, at.plan, occurrence, as_of)
    looked = look_at_checklists(at, occurrence, as_of, reporting)
    findings = Findings(
        readiness_figures(looked, reporting),
        reporting=reporting,
        rectifications=looked.rectifications,
        checks=checks,
    )
    return release(at, occurrence, as_of, findings)
