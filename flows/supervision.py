"""Supervision: what every care group owed and delivered in a month, and what is to be made good."""

from datetime import date

from flows.own_day import on_its_day
from flows.release import check, release
from flows.steps import step
from flows.sweep import take_in_inbox
from tasks.at_home import AtHome
from tasks.audit import keep_run
from tasks.care_groups import roster_figures
from tasks.figures import supervision_figures
from tasks.plan import Occurrence
from tasks.publish import Findings
from tasks.receipt import Receipt
from tasks.reporting import VillageReporting, read_reporting
from tasks.service_gaps import update_gaps
from tasks.supervise import SupervisionResult, supervise


@step
def look_at_month(
    at: AtHome, occurrence: Occurrence, as_of: date, reporting: list[VillageReporting]
) -> SupervisionResult:
    """Bring visits due up to `as_of` in the register and look at every village's month."""
    states = {each.village: each.state for each in reporting}
    looked = supervise(at.store, at.plan, occurrence, as_of, reporting=states)
    keep_run(at.store, at.act)
    return looked


@step
def look_for_gaps(at: AtHome, as_of: date) -> None:
    """Bring the health side's standing list of service gaps up to `as_of`."""
    update_gaps(at.store, at.plan, as_of, at.act)


@on_its_day
def supervision(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
    """Supervise the month of one round."""
    take_in_inbox(at)
    reporting = read_reporting(at.store, at.plan, occurrence, as_of)
    looked = look_at_month(at, occurrence, as_of, reporting)
    look_for_gaps(at, as_of)
    checks = check(at, occurrence)
    findings = Findings(
        [
            *supervision_figures(looked),
            *roster_figures(at.store, at.plan, [each.village for each in looked.villages], as_of),
        ],
        reporting=reporting,
        actions={look.village: look.actions for look in looked.villages},
        rectifications=looked.rectifications,
        checks=checks,
    )
    return release(at, occurrence, as_of, findings)
