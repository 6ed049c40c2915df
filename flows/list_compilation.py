"""List compilation: one row a person out of all villages and rounds, doubts put to a human."""

from datetime import date

from flows.own_day import on_its_day
from flows.release import check, release
from flows.steps import step
from tasks.at_home import AtHome
from tasks.audit import keep_run
from tasks.compile_list import ListResult, compile_list
from tasks.figures import list_figures
from tasks.plan import Occurrence
from tasks.publish import Findings
from tasks.questions import write_questions
from tasks.receipt import Receipt


@step
def link_referrals(at: AtHome, as_of: date) -> ListResult:
    """Compile the list in the register and write the file of open questions, which names nobody."""
    compiled = compile_list(at.store, at.plan, as_of)
    keep_run(at.store, at.act)
    write_questions(at.store, at.plan, at.home.questions(at.plan.slug))
    return compiled


@on_its_day
def list_compilation(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
    """Compile the list of the campaign from everything accepted so far."""
    compiled = link_referrals(at, as_of)
    checks = check(at, occurrence, compiled.revision)
    findings = Findings(list_figures(at.store, at.plan), checks=checks)
    return release(at, occurrence, as_of, findings)
