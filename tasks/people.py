"""Looking at people, for the health side's terminal only; every look is kept: who, when and why.

Nothing here writes a file: a list of people leaves the register on no disk of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tasks.rules.errors import WrongCommand
from tasks.store import Store


@dataclass(frozen=True, repr=False)
class Booked:
    """A person booked into a clinic session. Shows a person: for the health side's terminal."""

    referral_ref: str
    """What the clinic writes on its outcome."""
    position: int
    urgency: str
    waiting_since: date
    full_name: str
    sex: str
    birth_date: date
    residence_village: str
    phone: str | None
    contact_name: str | None
    contact_phone: str | None


def show_session(
    store: Store, campaign: str, session_date: date, *, by: str, at: datetime
) -> list[Booked]:
    """Return who is booked into a session, in the order of the queue, and keep that it was read.

    `at` is wall time of the plan's time zone. Raises WrongCommand without a name.
    """
    booked = [
        Booked(**row)
        for row in store.records("person/session", campaign=campaign, session_date=session_date)
    ]
    refs = [each.referral_ref for each in booked]
    keep_look(store, campaign, refs, what="session", why=session_date.isoformat(), by=by, at=at)
    return booked


def keep_look(
    store: Store,
    campaign: str,
    refs: Sequence[str],
    *,
    what: str,
    why: str,
    by: str,
    at: datetime,
) -> None:
    """Keep who looked at or changed whose data, when and why (DOMAIN.md section 3, limit 11).

    `refs` are references, never names. Raises WrongCommand without a name.
    """
    if not by.strip():
        raise WrongCommand("person.no_name")
    store.run(
        "person/look",
        campaign=campaign,
        refs=list(refs),
        what=what,
        why=why,
        who=by.strip(),
        looked_at=at,
    )
