"""Follow-up: visits due, made, late and overdue, and what falls due next.

Villages send nothing for it: the health centre enters the visits.
"""

from datetime import date

from flows.own_day import on_its_day
from flows.release import check, release
from flows.steps import step
from flows.sweep import take_in_inbox
from tasks.at_home import AtHome
from tasks.audit import keep_run
from tasks.follow_up import FollowUpResult, follow_up_figures, look_at_visits
from tasks.plan import Occurrence
from tasks.publish import Findings
from tasks.receipt import Receipt


@step
def work_out_visits(at: AtHome, occurrence: Occurrence, as_of: date) -> FollowUpResult:
    """Bring visits due up to `as_of` in the register and look at those of the phase's window."""
    result = look_at_visits(at.store, at.plan, occurrence, as_of)
    keep_run(at.store, at.act)
    return result


@on_its_day
def follow_up(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
    """Look at the visits of one follow-up phase, a set one or a month's."""
    take_in_inbox(at)
    result = work_out_visits(at, occurrence, as_of)
    checks = check(at, occurrence)
    return release(at, occurrence, as_of, Findings(follow_up_figures(result), checks=checks))
