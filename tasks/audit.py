"""The trail of the register: who opened it, and who looked at or changed whose data, when and why.

DOMAIN.md section 3, limit 11. The register cannot be opened without leaving an entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.rules.errors import WrongCommand
from tasks.store import Store


@dataclass(frozen=True)
class Act:
    """What somebody does with people's data; no field holds a name or value of those concerned."""

    who: str
    what: str
    """The command or phase."""
    why: str
    at: datetime
    """Wall time of the plan's time zone."""
    campaign: str = ""
    """'' where it concerns no one campaign."""


def keep_entry(store: Store, act: Act, subjects: Sequence[str] = ()) -> None:
    """Add an entry to the trail, in the transaction that is open if there is one.

    `subjects` are the references of the people concerned, never names. Raises WrongCommand where
    nobody is named or no reason is given.
    """
    if not act.who.strip():
        raise WrongCommand("audit.no_name")
    if not act.why.strip():
        raise WrongCommand("audit.no_reason")
    store.run(
        "audit/add",
        who=act.who.strip(),
        what=act.what,
        why=act.why.strip(),
        entered_at=act.at,
        campaign=act.campaign,
        subjects=list(subjects),
    )
