"""The messages of the outbox as an officer meets them: listed, read, decided on when stuck."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from tasks.home import Home
from tasks.outbox import Content, Letter, end_interrupted, read_content
from tasks.rules.contract import CHOICES, read_choice
from tasks.rules.errors import WrongCommand
from tasks.store import Store

STATES = ("draft", "ready", "sending", "sent", "failed", "unknown")
"""What a message can be; see tasks.outbox."""

STUCK = ("failed", "unknown")
"""The states in which a message stays until an officer decides on it."""

Decision = Literal["arrived", "send_again"]
"""What an officer can say of a message that is stuck."""


def list_messages(store: Store, campaign: str | None = None) -> list[dict[str, Any]]:
    """Return the messages of a campaign or all, the one that changed last at the end.

    One row a message: id, campaign, phase, round, revision, kind, audience, recipient, subject,
    state, problem, changed_at, attempts, tried_at, retry_at; what an officer decided on it last:
    decision, decided_by, reason, decided_at. Times are wall time of the plan's time zone.
    """
    return store.records("outbox/list", campaign=campaign)


def read_message(store: Store, home: Home, beginning: str) -> tuple[Letter, Content]:
    """Return the message whose id begins so, and what it says. `store` is an open ledger.

    Raises WrongCommand where there is none or more than one, and where its report is gone.
    """
    record = _find(store, beginning)
    del record["state"]
    letter = Letter(**record)
    try:
        return letter, read_content(home, letter)
    except OSError:
        pass
    raise WrongCommand("mail.problem.report_missing")


def resolve(
    store: Store, beginning: str, decision: Decision, *, by: str, reason: str, now: datetime
) -> None:
    """Settle the message whose id begins so, as an officer says, and keep who said it and why.

    It must have failed, or be one that may have arrived. `arrived` makes it sent, `send_again`
    ready. The reason is one of a closed list: the ledger is open to the office, and free text could
    name somebody. `store` is an open ledger, outside a transaction. Raises WrongCommand where there
    is none or more than one, where it is not stuck, and without a name or a reason of the list.
    """
    why = read_choice("resolve_reason", reason)
    if not by.strip() or why is None:
        raise WrongCommand("outbox.who_and_why", known=tuple(CHOICES["resolve_reason"]))
    with store.transaction():
        end_interrupted(store, now)
        found = _find(store, beginning)
        if found["state"] not in STUCK:
            raise WrongCommand("outbox.not_stuck", id=beginning)
        _decide(store, [found["message_id"]], decision, by=by, reason=why, now=now)


def retry_failed(store: Store, campaign: str, *, by: str, now: datetime) -> None:
    """Make a campaign's failed messages ready again; what may have arrived stays as it is.

    `by` is who decides so; it is kept. `store` is an open ledger, outside a transaction.
    """
    with store.transaction():
        failed = [message_id for (message_id,) in store.rows("outbox/failed", campaign=campaign)]
        _decide(store, failed, "send_again", by=by, reason="", now=now)


def _find(store: Store, beginning: str) -> dict[str, Any]:
    """Return the one message whose id begins so. Raises WrongCommand."""
    found = store.records("outbox/message", id=beginning) if beginning else []
    if len(found) != 1:
        raise WrongCommand("outbox.ambiguous" if found else "outbox.no_such", id=beginning)
    return found[0]


def _decide(
    store: Store,
    message_ids: Sequence[str],
    decision: Decision,
    *,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    of_all: dict[str, Any] = {"message_ids": list(message_ids), "now": now}
    store.run("outbox/decide", **of_all, decision=decision, by=by, reason=reason)
    store.run("outbox/settle", **of_all, state="sent" if decision == "arrived" else "ready")
