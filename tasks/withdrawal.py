"""Withdrawing a referral: consent can be taken back at any time, and the referral goes at once."""

from datetime import date

from tasks.audit import Act, keep_entry
from tasks.rules.errors import WrongCommand
from tasks.store import Store


def withdraw(store: Store, act: Act, referral_ref: str, day: date) -> None:
    """Record that a referral was withdrawn on `day`; by whom and why, `act` says.

    It is shown to nobody from then on (`show_session`), and the next run of list and queue leaves
    it out. Raises WrongCommand without a reason or a name, for a day to come, for a reference that
    no current referral of the campaign has, and for one that was withdrawn already; then nothing is
    kept.
    """
    if day > act.at.date():
        raise WrongCommand("withdraw.not_yet", day=day)
    ref = referral_ref.strip().upper()
    found = store.rows("person/referral", campaign=act.campaign, referral_ref=ref)
    if not found:
        raise WrongCommand("withdraw.unknown", campaign=act.campaign)
    ((_, withdrawn_on),) = found
    if withdrawn_on is not None:
        raise WrongCommand("withdraw.already", day=withdrawn_on)
    with store.transaction():
        store.run(
            "person/withdraw",
            campaign=act.campaign,
            referral_ref=ref,
            withdrawn_on=day,
            reason=act.why.strip(),
            recorded_at=act.at,
        )
        store.run("person/withdraw_gaps", referral_ref=ref)
        keep_entry(store, act, [ref])
