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
    """Record that a referral was withdrawn on `day`, by whom and why; a first withdrawal stays.

    It is shown to nobody from then on (`show_session`), and the next run of list and queue leaves
    it out. `now` is wall time of the plan's time zone. Raises WrongCommand without a reason or a
    name, for a day after `now`, for a reference that no current referral of the campaign has, and
    for one that was withdrawn already; then nothing is kept.
    """
    if not reason.strip():
        raise WrongCommand("withdraw.no_reason")
    if day > now.date():
        raise WrongCommand("withdraw.not_yet", day=day)
    ref = referral_ref.strip().upper()
    found = store.rows("person/referral", campaign=campaign, referral_ref=ref)
    if not found:
        raise WrongCommand("withdraw.unknown", campaign=campaign)
    ((_, withdrawn_on),) = found
    if withdrawn_on is not None:
        raise WrongCommand("withdraw.already", day=withdrawn_on)
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
