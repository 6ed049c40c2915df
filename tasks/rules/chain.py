"""The trail as a chain of keyed hashes: each entry is bound to the one before it.

HMAC-SHA256 (RFC 2104) under a secret of its own, so that who can write to the table, but does not
know the secret, can neither edit, insert, take out nor reorder an entry unnoticed. What a chain
cannot show by itself is that its end was cut off, or all of it replaced: that is shown by anchors,
copies of its head kept outside the register.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tasks.rules.pseudonyms import keyed_hash

START = ""
"""What stands in `previous` of the first entry."""

Kind = Literal["edited", "out_of_order", "missing", "cut", "anchor"]


@dataclass(frozen=True)
class Entry:
    """An entry as the trail keeps it. `entered_at` is wall time of the plan's time zone."""

    position: int
    entered_at: datetime
    who: str
    what: str
    why: str
    campaign: str
    subjects: Sequence[str]
    previous: str
    hash: str = ""


@dataclass(frozen=True)
class Anchor:
    """A head of the chain as it was once kept outside the register."""

    position: int
    hash: str


@dataclass(frozen=True)
class Break:
    """A place at which the trail is not as it was written.

    `edited`: the entry's hash is not that of its content. `out_of_order`: it does not follow the
    entry before it. `missing`: there is none with this number. `cut`: the trail ends before it.
    `anchor`: the entry is another than the anchor says, so one of the two was replaced.
    """

    position: int
    kind: Kind


def entry_hash(secret: bytes, entry: Entry) -> str:
    """Return the hash of `entry` and of the entry before it: 64 lower-case hexadecimal digits."""
    content = [
        entry.position,
        entry.entered_at.isoformat(),
        entry.who,
        entry.what,
        entry.why,
        entry.campaign,
        list(entry.subjects),
        entry.previous,
    ]
    # JSON: no two entries have the same text, whatever stands in their fields
    return keyed_hash(secret, "trail", json.dumps(content, ensure_ascii=False))


def find_breaks(
    secret: bytes, entries: Iterable[Entry], anchors: Iterable[Anchor] = ()
) -> list[Break]:
    """Return where the trail is not as it was written, first place first.

    `entries` come in the order of their positions. A loop, since each hash is over the one before.
    """
    breaks: list[Break] = []
    hashes: dict[int, str] = {}
    last, head = 0, START
    for entry in entries:
        gap = range(last + 1, entry.position)
        breaks += [Break(position, "missing") for position in gap]
        if entry_hash(secret, entry) != entry.hash:
            breaks.append(Break(entry.position, "edited"))
        elif not gap and entry.previous != head:
            breaks.append(Break(entry.position, "out_of_order"))
        hashes[entry.position] = head = entry.hash
        last = entry.position
    known = {each.position for each in breaks}
    for anchor in sorted(set(anchors), key=lambda each: each.position):
        if anchor.position in known:
            continue
        if anchor.position > last:
            breaks.append(Break(last + 1, "cut"))
            break
        if hashes.get(anchor.position) != anchor.hash:
            breaks.append(Break(anchor.position, "anchor"))
            known.add(anchor.position)
    return sorted(breaks, key=lambda each: each.position)
