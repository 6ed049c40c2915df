"""The passwords of workbooks that go out and come back: one a sender, one a session sheet.

The health side knows them all, so that what comes back is opened here, in memory, instead of being
saved without protection first.
"""

from collections.abc import Mapping
from datetime import datetime

from tasks.plan import Plan
from tasks.rules.errors import WrongCommand
from tasks.store import Store
from tasks.workbook_password import new_password


def sender_password(store: Store, plan: Plan, sender: str, *, now: datetime) -> str:
    """Return the password of the return workbooks of `sender`, made now where it has none yet.

    `sender` is the 12-digit code of a village or of the health centre, `now` wall time of the
    plan's time zone. Raises WrongCommand for a code that the plan does not know.
    """
    return sender_passwords(store, plan, {sender: now})[sender]


def sender_passwords(store: Store, plan: Plan, senders: Mapping[str, datetime]) -> dict[str, str]:
    """Return sender -> password, as `sender_password` does, for many at once: sender -> now."""
    for sender in senders:
        _require_sender(plan, sender)
    found = dict(store.rows("returns/passwords", villages=list(senders)))
    missing = {sender: now for sender, now in senders.items() if sender not in found}
    return found | _make_passwords(store, missing)


def renew_password(store: Store, plan: Plan, sender: str, *, now: datetime) -> str:
    """Give `sender` a new password and return it; what was sent before opens with the old one.

    Raises WrongCommand as `sender_password` does.
    """
    _require_sender(plan, sender)
    return _make_passwords(store, {sender: now})[sender]


def _make_passwords(store: Store, senders: Mapping[str, datetime]) -> dict[str, str]:
    made = {sender: new_password() for sender in senders}
    if made:
        store.run(
            "returns/keep_passwords",
            villages=list(made),
            passwords=list(made.values()),
            made_at=list(senders.values()),
        )
    return made


def opening_passwords(store: Store) -> dict[str, str]:
    """Return label -> password of all files that may come back locked.

    The label stands in the name under which such a file was sent out: a sender's code, or the name
    of a session sheet.
    """
    return dict(store.rows("returns/opening"))


def likely_first(passwords: Mapping[str, str], file: str) -> list[str]:
    """Return the passwords to try on a file of that name, those whose label is in it first.

    Each try takes a quarter of a second; but a sender may have named its file anything.
    """
    ordered = sorted(passwords.items(), key=lambda each: each[0] not in file)
    return [password for _, password in ordered]


def _require_sender(plan: Plan, sender: str) -> None:
    if sender not in {plan.health_centre.code, *(village.code for village in plan.villages)}:
        raise WrongCommand("return.unknown_sender", village=sender)
