"""Service gaps: what a registered person's care lacks, who sees to it, and by when.

The standing list of a year-round plan: whoever lost touch, stopped medication, has no guardian or a
weak one, or lives here while registered elsewhere. A gap is about the service that is owed: it
holds no rating and no diagnosis, and lists of gaps are ordered by their due day (DOMAIN.md
section 3, limits 5 and 6). Losing touch is a care term, and what follows stays with health staff
(limit 8).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

FOUND_BY_RULE = ("lost_to_follow_up", "medication_interrupted", "temporary_resident")
"""Kinds that the register's data shows; they open and close by themselves."""

OPENED_BY_HAND = ("guardian_missing", "guardian_weak")
"""Kinds the data contract holds nothing about. A visit that met no guardian met the person, so no
rule over visits can tell; health staff open these, and close them."""

KINDS = (*FOUND_BY_RULE, *OPENED_BY_HAND)

FIRST_STEP = {
    "lost_to_follow_up": "telephone",
    "medication_interrupted": "medication_review",
    "temporary_resident": "contact_home_centre",
    "guardian_missing": "find_guardian",
    "guardian_weak": "support_guardian",
}
"""What is done first about a gap, until its owner says otherwise; of the closed list gap_step."""

FIRST_DAYS = {
    "lost_to_follow_up": 7,
    "medication_interrupted": 7,
    "temporary_resident": 30,
    "guardian_missing": 14,
    "guardian_weak": 30,
}
"""Within how many days the first step is due. Our own numbers; no source gives any."""

SEEN_GONE = "seen_gone"
"""How a gap was closed that the data does not show any more."""

REST = timedelta(days=30)
"""How long what a human closed stays closed while the data shows it without a day of its own."""


@dataclass(frozen=True)
class Finding:
    """A gap the data shows, and the day since when; None where the data has no such day."""

    register_no: str
    kind: str
    since: date | None = None


@dataclass(frozen=True)
class Gap:
    """A service gap as it is kept."""

    gap_id: str
    register_no: str
    kind: str
    found_by: str
    """'rule' or 'hand'."""
    opened_on: date
    owner: str
    next_step: str
    due_on: date
    closed_on: date | None = None
    closed_as: str | None = None
    """Of the closed list gap_closed, or SEEN_GONE; None while it is open."""


@dataclass(frozen=True)
class Changes:
    """What a look at the data opens and closes."""

    opened: tuple[Finding, ...]
    closed: tuple[Gap, ...]


def reconcile(known: Iterable[Gap], found: Iterable[Finding], on: date) -> Changes:
    """Return which findings open a gap, and which open gaps the data of `on` shows no more.

    A finding opens a gap unless one of that person and kind is open, or a human closed one and
    nothing new has been seen since. Gaps opened by hand are left to hands, and so is whatever was
    opened after `on`: a look back changes nothing that came later. The same look twice changes
    nothing.
    """
    shown = {(each.register_no, each.kind): each for each in found}
    kept = list(known)
    open_now = [each for each in kept if each.closed_on is None]
    held = {(each.register_no, each.kind) for each in open_now}
    for each in kept:
        finding = shown.get((each.register_no, each.kind))
        if finding is not None and not _seen_again(each, finding, on):
            held.add((each.register_no, each.kind))
    return Changes(
        opened=tuple(each for key, each in shown.items() if key not in held),
        closed=tuple(
            each
            for each in open_now
            if each.kind in FOUND_BY_RULE
            and each.opened_on <= on
            and (each.register_no, each.kind) not in shown
        ),
    )


def due_by(kind: str, opened_on: date) -> date:
    """Return the day by which the first step about a gap of `kind` is due."""
    return opened_on + timedelta(days=FIRST_DAYS[kind])


def _seen_again(gap: Gap, finding: Finding, on: date) -> bool:
    """Return whether a finding is news to whoever closed this gap."""
    if gap.closed_on is None:
        return False
    if gap.closed_on > on:
        return False  # closed after the day that is looked at
    if gap.closed_as == SEEN_GONE:
        return True
    return (finding.since or on - REST) > gap.closed_on
