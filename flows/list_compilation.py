"""List compilation: one row a person out of all villages and rounds, doubts put to a human."""

from datetime import date

from flows.release import check, release
from flows.steps import phase_flow, step
from tasks.at_home import AtHome, open_campaign
from tasks.audit import keep_run
from tasks.compile_list import ListResult, compile_list
from tasks.figures import list_figures
from tasks.plan import occurrence_at
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


@phase_flow
def list_compilation(campaign: str, as_of: date, round: int | None = None) -> Receipt:
    """Compile the list of the campaign from everything accepted so far."""
    with open_campaign(campaign, "list_compilation", as_of.isoformat()) as at:
        occurrence = occurrence_at(at.plan, "list_compilation", as_of, round)
        compiled = link_referrals(at, as_of)
        checks = check(at, occurrence, compiled.revision)
        findings = Findings(list_figures(at.store, at.plan), checks=checks)
        return release(at, occurrence, as_of, findings)
