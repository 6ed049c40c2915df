"""Retention: every night, who has no more use of being known is forgotten; a receipt stays."""

from datetime import date

from flows.release import send_mail
from flows.steps import phase_flow, step
from flows.sweep import take_in_inbox
from reports.gate import notice_gate
from tasks.at_home import AtHome, open_campaign
from tasks.erasure import ErasureReceipt, finish_erasure, is_unfinished
from tasks.keys import read_key
from tasks.names import read_names
from tasks.outbox import NOTICE, write_notice
from tasks.retention import RetentionRun, due_next, erase_due
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


@phase_flow
def retention(campaign: str, as_of: date) -> RetentionRun:
    """Erase what is due in the campaign; what came in by then counts. Releases nothing."""
    with open_campaign(campaign, "retention", as_of.isoformat()) as at:
        take_in_inbox(at)
        receipt = erase_what_is_due(at, as_of)
        unfinished = is_unfinished(at.store)
        tell_health(at, as_of)
        send_mail(at)
    if unfinished:
        rewrite_register(at)
    return RetentionRun(campaign, as_of, receipt.receipt_id)
