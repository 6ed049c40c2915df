"""Diagnosis queue: outcomes taken in, who waits, who is booked when, how long people wait."""

from datetime import date

from flows.release import check, release
from flows.steps import phase_flow, step
from flows.sweep import take_in_inbox
from tasks.at_home import AtHome, open_campaign
from tasks.audit import keep_run
from tasks.diagnosis_queue import QueueResult, update_queue
from tasks.figures import queue_figures
from tasks.plan import occurrence_at
from tasks.publish import Findings
from tasks.receipt import Receipt


@step
def book_assessments(at: AtHome, as_of: date) -> QueueResult:
    """Bring the queue up to `as_of` in the register: outcomes, enrolments, bookings."""
    result = update_queue(at.store, at.plan, as_of)
    keep_run(at.store, at.act)
    return result


@phase_flow
def diagnosis_queue(campaign: str, as_of: date, round: int | None = None) -> Receipt:
    """Run the queue of the campaign for one day."""
    with open_campaign(campaign, "diagnosis_queue", as_of.isoformat()) as at:
        occurrence = occurrence_at(at.plan, "diagnosis_queue", as_of, round)
        take_in_inbox(at)
        book_assessments(at, as_of)
        checks = check(at, occurrence)
        findings = Findings(queue_figures(at.store, at.plan, as_of), checks=checks)
        return release(at, occurrence, as_of, findings)
