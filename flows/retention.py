"""Retention: every night, who has no more use of being known is forgotten; a receipt stays."""

from datetime import date

from flows.own_day import PATIENCE, left_alone, note_day, own_day
from flows.release import send_mail
from flows.steps import phase_flow, step
from flows.sweep import take_in_inbox
from reports.gate import notice_gate
from tasks.agenda import LeftAlone
from tasks.at_home import AtHome, open_campaign
from tasks.erasure import ErasureReceipt, finish_erasure, is_unfinished
from tasks.keys import read_key
from tasks.names import read_names
from tasks.outbox import NOTICE, write_notice
from tasks.retention import RetentionRun, due_next, erase_due
from tasks.rules.errors import CampaignError
from tasks.rules.wording import say

MONDAY = 0


@step
def erase_what_is_due(at: AtHome, as_of: date) -> ErasureReceipt:
    """Erase what is due by `as_of`, and keep the receipt in the register."""
    return erase_due(at.store, at.home, at.plan, at.act, as_of)


@step
def tell_health(at: AtHome, as_of: date) -> None:
    """Tell the health side on Mondays that something falls due next; never what, of whom, how many.

    Once a week, since a mail each night is read by nobody.
    """
    if as_of.weekday() != MONDAY or not due_next(at.store, at.plan, as_of):
        return
    language = at.plan.language
    write_notice(
        at.store,
        at.plan,
        kind=NOTICE,
        subject=say("retention.notice_subject", language),
        text=say("retention.notice", language),
        now=at.now,
        gate=notice_gate(at.store, at.home, at.plan, read_names(at.store)),
    )


@step
def rewrite_register(at: AtHome) -> None:
    """Rewrite the closed register, so that the bytes of what was erased are gone from its file."""
    finish_erasure(at.home, read_key(at.home), at.act)


def mail_trouble(at: AtHome) -> CampaignError | None:
    """Send what is ready; return what stands in the way: it must not keep data from going."""
    try:
        send_mail(at)
    except CampaignError as error:
        return error
    return None


@phase_flow
def retention(campaign: str, as_of: date | None = None) -> RetentionRun | LeftAlone:
    """Erase what is due in the campaign; what came in by then counts. Releases nothing.

    Without `as_of` for the day before its scheduled start, where that is still owed.
    """
    day = as_of or own_day(campaign)
    with open_campaign(campaign, "retention", day.isoformat(), patience=PATIENCE) as at:
        left = None if as_of else left_alone(at, "retention", 0, day)
        if left:
            return left
        take_in_inbox(at)
        receipt = erase_what_is_due(at, day)
        unfinished = is_unfinished(at.store)
        tell_health(at, day)
        trouble = mail_trouble(at)
    if unfinished:
        rewrite_register(at)
    note_day(at, "retention", day)
    if trouble:
        raise trouble
    return RetentionRun(campaign, day, receipt.receipt_id)
