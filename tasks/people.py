"""Looking at people, for the health side's terminal only; every look is kept: who, when and why.

Nothing here writes a file: a list of people leaves the register on no disk of ours.
"""

from dataclasses import dataclass
from datetime import date

from tasks.audit import Act, keep_entry
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


def show_session(store: Store, act: Act, session_date: date) -> list[Booked]:
    """Return who is booked into a session, in the order of the queue; the trail keeps the look."""
    rows = store.records("person/session", campaign=act.campaign, session_date=session_date)
    booked = [Booked(**row) for row in rows]
    keep_entry(store, act, [each.referral_ref for each in booked])
    return booked
