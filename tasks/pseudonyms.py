"""The secrets of a register, and the in-memory pads that let SQL hash whole columns.

`person` makes the pseudonyms of people and of files, and is the one that is rotated; `trail` chains
the trail; `ledger` seals what was released.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from tasks.rules.errors import WrongCommand
from tasks.rules.pseudonyms import SECRET_BYTES, hmac_pads
from tasks.store import Store

PERSON = "person"
TRAIL = "trail"
LEDGER = "ledger"
PURPOSES = (PERSON, TRAIL, LEDGER)

SUBMISSION = "submission"
"""The purpose, derived from the secret of PERSON, under which a received file has its name."""

_PADS = pa.struct([("inner_pad", pa.binary()), ("outer_pad", pa.binary()), ("digest", pa.string())])


def make_secret(store: Store, now: datetime) -> None:
    """Give the register a secret for each purpose; one that it has already is left as it is.

    `now`: wall time of the plan's time zone.
    """
    for purpose in PURPOSES:
        store.run(
            "reference/make_secret",
            purpose=purpose,
            secret=secrets.token_bytes(SECRET_BYTES),
            created_at=now,
        )


def read_secret(store: Store, purpose: str = PERSON) -> bytes:
    """Return the first secret of `purpose`: for what must never change.

    References that people hold on paper are made with it. Raises as `read_secrets` does.
    """
    return read_secrets(store, purpose)[0]


def read_secrets(store: Store, purpose: str = PERSON) -> list[bytes]:
    """Return all secrets of `purpose`, the oldest first: for what moves on with a rotation.

    Raises WrongCommand where the register has none, being older than this purpose.
    """
    found = [bytes(secret) for (secret,) in store.rows("reference/secrets", purpose=purpose)]
    if not found:
        raise WrongCommand("key.older_home")
    return found


def load_pads(store: Store) -> None:
    """Make the one-row, in-memory table `keying` that the macro `keyed` reads."""
    add_pads(store, read_secrets(store))


def add_pads(store: Store, versions: Sequence[bytes]) -> None:
    """Make `keying` of these secrets of PERSON, one a version, the oldest first."""
    (inner, outer), *later = (hmac_pads(secret, PERSON) for secret in versions)
    rounds = [{"inner_pad": one, "outer_pad": other, "digest": None} for one, other in later]
    store.load(
        "keying",
        pa.table(
            {
                "inner_pad": [inner],
                "outer_pad": [outer],
                "later": pa.array([rounds], pa.list_(_PADS)),
            }
        ),
    )


def catch_up_ledger(store: Store) -> None:
    """Let the ledger know received files by the names they have had since the last rotation.

    Two files are not one transaction, so the register is told first; where the ledger was not told
    any more, this does it at the next opening. Without a rotation there is nothing to do.
    """
    *before, newest = read_secrets(store)
    if before:
        inner, outer = hmac_pads(newest, SUBMISSION)
        store.run("rotate/ledger", inner=inner, outer=outer)
