"""The trail of the register: who opened it, and who looked at or changed whose data, when and why.

DOMAIN.md section 3, limit 11. The register cannot be opened without leaving an entry. Each entry is
bound to the one before it by a keyed hash, and the head of that chain is kept in the ledger too, so
that editing, taking out, adding and reordering entries shows, and so does cutting off the end.

What it cannot show: whoever has the register's key and writes to both files can make both anew. A
backup, or a head noted down elsewhere, then tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tasks.pseudonyms import TRAIL, read_secret
from tasks.rules.chain import START, Anchor, Break, Entry, entry_hash, find_breaks
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


@dataclass(frozen=True)
class Verdict:
    """What verifying the trail found."""

    entries: int
    head: str
    """The hash of the last entry; noted down elsewhere, it shows a trail made anew."""
    breaks: tuple[Break, ...]


RUN_SUBJECTS = {
    "list_compilation": ("list/subjects",),
    "diagnosis_queue": ("list/subjects", "queue/subjects"),
    "follow_up": ("visits/subjects",),
    "supervision": ("visits/subjects",),
    "quarterly_pack": ("visits/subjects",),
}
"""Phase -> the statements that say whose data its run read or changed one by one."""


def keep_run(store: Store, act: Act) -> None:
    """Add an entry that says whose data the run of a phase, which `act` names, went through."""
    found: set[str] = set()
    for statement in RUN_SUBJECTS[act.what]:
        needs = {} if statement == "visits/subjects" else {"campaign": act.campaign}
        found |= {ref for (ref,) in store.rows(statement, **needs)}
    keep_entry(store, act, sorted(found))


def keep_entry(store: Store, act: Act, subjects: Sequence[str] = ()) -> None:
    """Add an entry to the trail, in the transaction that is open if there is one.

    `subjects` are the references of the people concerned, never names. Raises WrongCommand where
    nobody is named or no reason is given.
    """
    if not act.who.strip():
        raise WrongCommand("audit.no_name")
    if not act.why.strip():
        raise WrongCommand("audit.no_reason")
    position, previous = _head(store)
    entry = Entry(
        position=position + 1,
        entered_at=act.at,
        who=act.who.strip(),
        what=act.what,
        why=act.why.strip(),
        campaign=act.campaign,
        subjects=list(subjects),
        previous=previous,
    )
    kept = vars(entry) | {"hash": entry_hash(read_secret(store, TRAIL), entry)}
    store.run("audit/add", **kept)


def anchor_trail(store: Store, at: datetime) -> None:
    """Keep the head of the trail in the ledger; a head that is there already stays as it is."""
    position, head = _head(store)
    store.run("audit/anchor", position=position, hash=head, anchored_at=at)


def verify_trail(store: Store) -> Verdict:
    """Check every entry of the trail, and the trail against the heads that the ledger keeps."""
    entries = [Entry(*row) for row in store.rows("audit/entries")]
    anchors = [Anchor(*row) for row in store.rows("audit/anchors")]
    breaks = find_breaks(read_secret(store, TRAIL), entries, anchors)
    return Verdict(len(entries), entries[-1].hash if entries else START, tuple(breaks))


def show_trail(
    store: Store,
    act: Act,
    *,
    subject: str | None = None,
    who: str | None = None,
    since: date | None = None,
) -> list[dict[str, Any]]:
    """Return the entries about `subject` (a reference), of `who`, from the day `since` on.

    One record an entry, the last one last. The look is an entry itself, but not among them.
    """
    ref = None if subject is None else subject.strip().upper()
    entries = store.records("audit/chosen", subject=ref, who=who, since=since)
    keep_entry(store, act, [] if ref is None else [ref])
    return entries


def _head(store: Store) -> tuple[int, str]:
    """Return the position and the hash of the last entry; 0 and START where there is none."""
    rows = store.rows("audit/head")
    return rows[0] if rows else (0, START)
