"""Reminders: every morning, to who has not reported, and to the campaign officer about them."""

from datetime import date

from flows.own_day import PATIENCE, left_alone
from flows.release import send_mail
from flows.steps import phase_flow, step
from flows.sweep import take_in_inbox
from reports.gate import notice_gate
from tasks.agenda import LeftAlone
from tasks.at_home import AtHome, load_campaign, open_campaign
from tasks.clock import now_in
from tasks.home import Home, default_home
from tasks.names import read_names
from tasks.phase_life import note_run
from tasks.reminders import RemindersRun, refuse_day_to_come, write_reminders
from tasks.requests import keep_approved


@step
def remind(at: AtHome, as_of: date) -> RemindersRun:
    """Draft the reminders that are due, and note that they were: both or neither.

    Of an ad-hoc sweep only where the register holds its approval: whatever stands beside the plan,
    no village is sent out by it.
    """
    plan = keep_approved(at.store, at.plan)
    gate = notice_gate(at.store, at.home, plan, read_names(at.store))
    with at.store.transaction():
        ran = write_reminders(at.store, plan, as_of, at.now, gate)
        note_run(at.store, at.plan.slug, "reminders", 0, as_of, None, at.now)
    return ran


@phase_flow
def reminders(campaign: str, as_of: date | None = None) -> RemindersRun | LeftAlone:
    """Remind the villages of the campaign that have not reported; what came in by then counts.

    Without `as_of` for the day on which it runs, however late that is, where it is still owed: a
    reminder is about the day on which it is read, and several missed ones are one.
    """
    plan = load_campaign(Home(default_home()), campaign)
    day = as_of or now_in(plan.timezone).date()
    refuse_day_to_come(plan, day)
    with open_campaign(campaign, "reminders", day.isoformat(), patience=PATIENCE) as at:
        left = None if as_of else left_alone(at, "reminders", 0, day)
        if left:
            return left
        take_in_inbox(at)
        ran = remind(at, day)
        send_mail(at)
    return ran
