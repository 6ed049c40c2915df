"""The register's names for the gate: as hashes under a key that no other run can have."""

import secrets

from tasks.rules.known_names import PURPOSE, NameList
from tasks.rules.pseudonyms import SECRET_BYTES, hmac_pads
from tasks.store import Store

NO_NAMES = NameList(b"", frozenset(), frozenset())
"""For a message that nothing of the register can be in: one of our own sentences, with names from
the plan, drafted by somebody who has no key."""


def read_names(store: Store) -> NameList:
    """Return the names of all whom the open register knows: referred, registered, their contacts.

    Hashed in SQL under a fresh key, so that no name leaves the register and two runs share nothing.
    """
    key = secrets.token_bytes(SECRET_BYTES)
    inner, outer = hmac_pads(key, PURPOSE)
    rows = store.rows("names/hashes", inner=inner, outer=outer)
    return NameList(key, frozenset(row[0] for row in rows), frozenset(row[1] for row in rows))
