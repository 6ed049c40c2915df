"""Diagnosis queue: outcomes taken in, who waits, who is booked when, how long people wait.

Assessments run alongside the sweeps (边排查边诊断), before the list is due: so each run first
brings the list in the register up to what has come. Nothing of that list is released here.
"""

from datetime import date

from flows.own_day import on_its_day
from flows.release import check, release
from flows.steps import step
from flows.sweep import take_in_inbox
from tasks.at_home import AtHome
from tasks.audit import keep_run
from tasks.compile_list import compile_list
from tasks.diagnosis_queue import QueueResult, update_queue
from tasks.figures import queue_figures
from tasks.plan import Occurrence
from tasks.publish import Findings
from tasks.questions import write_questions
from tasks.receipt import Receipt


@step
def book_assessments(at: AtHome, as_of: date) -> QueueResult:
    """Bring list and queue up to `as_of` in the register: outcomes, enrolments, bookings."""
    compile_list(at.store, at.plan, as_of)
    write_questions(at.store, at.plan, at.home.questions(at.plan.slug))
    result = update_queue(at.store, at.plan, as_of)
    keep_run(at.store, at.act)
    return result


@on_its_day
def diagnosis_queue(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
    """Run the queue of the campaign for one day."""
    take_in_inbox(at)
    book_assessments(at, as_of)
    checks = check(at, occurrence)
    findings = Findings(queue_figures(at.store, at.plan, as_of), checks=checks)
    return release(at, occurrence, as_of, findings)
