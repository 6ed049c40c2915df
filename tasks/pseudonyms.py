"""The pseudonym secret of a register, and the in-memory pads that let SQL hash whole columns."""

import secrets
from datetime import datetime

import pyarrow as pa

from tasks.rules.pseudonyms import SECRET_BYTES, hmac_pads
from tasks.store import Store

PURPOSE = "person"


def make_secret(store: Store, now: datetime) -> None:
    """Give the register its secret; one that it has already is left as it is."""
    store.run(
        "reference/make_secret",
        purpose=PURPOSE,
        secret=secrets.token_bytes(SECRET_BYTES),
        created_at=now,
    )


def read_secret(store: Store) -> bytes:
    """Return the newest secret of the register."""
    ((secret, _version),) = store.rows("reference/secret", purpose=PURPOSE)
    return bytes(secret)


def load_pads(store: Store) -> None:
    """Make the one-row, in-memory table `keying` that the macro `keyed` reads."""
    inner, outer = hmac_pads(read_secret(store), PURPOSE)
    store.load("keying", pa.table({"inner_pad": [inner], "outer_pad": [outer]}))
