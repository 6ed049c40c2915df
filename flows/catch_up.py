"""Catch-up: whatever a campaign owes is run once, in order, as of its own day, and said to be late.

It needs no memory of what should have happened: the ledger says what is owed. So it does not matter
whether the machine slept, a worker died or somebody ran a phase by hand.
"""

from dataclasses import replace
from datetime import date, datetime

from flows.artifacts import show_status_at
from flows.own_day import PATIENCE
from flows.phase_flows import NIGHTLY, run, run_nightly
from flows.release import send_mail
from flows.steps import in_this_process, phase_flow, step
from flows.sweep import take_in_inbox
from reports.gate import notice_gate
from tasks.agenda import CatchUpFailed, CaughtUp, NotRun, Ran, owed_runs
from tasks.at_home import AtHome, load_campaign, open_campaign, open_patiently
from tasks.clock import now_in
from tasks.due_days import note_deadlines
from tasks.home import Home, default_home
from tasks.ledger import open_ledger
from tasks.mail import mail_settings
from tasks.names import read_names
from tasks.outbox import waits_to_go
from tasks.phase_life import settle_phases
from tasks.plan import Plan
from tasks.requests import settle_requests
from tasks.rules.agenda import DAY, Owed, catch_up_moment, goes_before
from tasks.rules.errors import CampaignError, DiskRefused, Exit, StoreBusy

RunKey = tuple[str, int, date]
"""Phase, round and day."""


@step
def look_around(at: AtHome) -> None:
    """Take in what lies in the inbox, and record how far the phases are."""
    take_in_inbox(at)
    settle_phases(at.store, at.plan, at.now)


@step
def tell_what_changed(at: AtHome) -> None:
    """Tell people of due days that moved and of requests whose time is over."""
    gate = notice_gate(at.store, at.home, at.plan, read_names(at.store))
    note_deadlines(at.store, at.plan, at.now, gate)
    settle_requests(at.store, at.home, at.plan, at.now, gate)


@phase_flow
def catch_up(campaign: str, as_of: date | None = None) -> CaughtUp:
    """Run what the campaign owes by now, or owed at the end of the day `as_of`.

    What fails does not stop what does not rest on it. Raises CatchUpFailed at the end where
    something did, WrongCommand for a day that is not over.
    """
    home = Home(default_home())
    plan = load_campaign(home, campaign)
    moment = catch_up_moment(now_in(plan.timezone), as_of)
    untold: tuple[NotRun, ...] = ()
    with open_campaign(campaign, "catch_up", "what is owed", patience=PATIENCE) as at:
        look_around(at)
        try:
            tell_what_changed(at)
        except CampaignError as error:
            # a letter that cannot be written is no reason to miss a due day
            untold = (NotRun.of_all(moment.date() - DAY, error),)
    caught_up = _run_all(home, plan, moment)
    unsent = _send_what_waits(home, plan, moment.date() - DAY, caught_up)
    caught_up = replace(caught_up, not_run=(*untold, *caught_up.not_run, *unsent))
    show_status_at(home, plan, now_in(plan.timezone))
    if caught_up.not_run:
        raise CatchUpFailed.of(caught_up)
    return caught_up


def catch_up_in_process(campaign: str, as_of: date | None = None) -> CaughtUp:
    """Run `catch_up` in this process, beside a server that is there. Raises as it does."""
    with in_this_process():
        return catch_up(campaign, as_of)


def _run_all(home: Home, plan: Plan, moment: datetime) -> CaughtUp:
    """Run one after the other what is owed, asking anew each time: a run may owe others theirs.

    No store is open while a phase runs. Each run is tried once: what a later one takes in is owed
    the next day.
    """
    ran: list[Ran] = []
    failed: dict[Owed, NotRun] = {}
    tried: set[RunKey] = set()
    while True:
        with open_patiently(lambda: open_ledger(home), PATIENCE) as store:
            owes = [each for each in owed_runs(store, plan, moment) if _key(each) not in tried]
        ready = [each for each in owes if not any(goes_before(other, each) for other in failed)]
        if not ready:
            break
        each = ready[0]
        tried.add(_key(each))
        try:
            ran.append(_run(plan.slug, each))
        except CampaignError as error:
            told = error.outside()
            failed[each] = NotRun(*_key(each), int(told.exit), told.text())
            if isinstance(error, StoreBusy | DiskRefused):
                break  # it has waited long enough for all of them; a disk is full for all of them
    waiting = [NotRun(*_key(each), 0, "") for each in owes if _key(each) not in tried]
    return CaughtUp(plan.slug, moment.date() - DAY, tuple(ran), (*failed.values(), *waiting))


def _send_what_waits(home: Home, plan: Plan, last: date, caught_up: CaughtUp) -> tuple[NotRun, ...]:
    """Send what a run wrote that was killed before it had sent it: that run is not owed again.

    `last`: the day caught up to. Returns what stopped it. Not where the stores stayed busy or the
    disk is full: then it would wait for nothing.
    """
    if {each.exit for each in caught_up.not_run} & {Exit.STORE_BUSY, Exit.DISK}:
        return ()
    try:
        with open_patiently(lambda: open_ledger(home), PATIENCE) as store:
            waits = mail_settings() is not None and waits_to_go(store, now_in(plan.timezone))
        if waits:
            with open_campaign(plan.slug, "catch_up", "what waits", patience=PATIENCE) as at:
                send_mail(at)
    except CampaignError as error:
        return (NotRun.of_all(last, error),)
    return ()


def _run(campaign: str, owed: Owed) -> Ran:
    """Run one owed run as a flow of its own."""
    told = *_key(owed), owed.because, owed.days_late
    if owed.phase in NIGHTLY:
        run_nightly(owed.phase, campaign, owed.as_of)
        return Ran(*told, revision=None, is_new=False)
    receipt = run(owed.phase, campaign, owed.as_of, owed.round or None)
    return Ran(*told, revision=receipt.revision, is_new=receipt.is_new)


def _key(owed: Owed) -> RunKey:
    return owed.phase, owed.round, owed.as_of
