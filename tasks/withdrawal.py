"""Withdrawing a referral: consent can be taken back at any time, and the referral goes at once."""

from datetime import date, datetime

from tasks.people import keep_look
from tasks.rules.errors import WrongCommand
from tasks.store import Store


def withdraw(
    store: Store,
    campaign: str,
    referral_ref: str,
    day: date,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    """Record that a referral was withdrawn on `day`; the next run of list and queue leaves it out.

    Raises WrongCommand for an unknown reference or without a reason.
    """
    if not reason.strip():
        raise WrongCommand("withdraw.no_reason")
    ref = referral_ref.strip().upper()
    if not store.rows("person/referral", campaign=campaign, referral_ref=ref):
        raise WrongCommand("withdraw.unknown", campaign=campaign)
    with store.transaction():
        store.run(
            "person/withdraw",
            campaign=campaign,
            referral_ref=ref,
            withdrawn_on=day,
            reason=reason.strip(),
            recorded_at=now,
        )
        keep_look(store, campaign, [ref], what="withdraw", why=reason.strip(), by=by, at=now)
