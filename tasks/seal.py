"""Seals over what was released, so that a change of the ledger is noticed: it is a plain file.

The ledger opens without a key, so anybody who can write the file can change a figure, take a
revision out or put one in. The register keeps an HMAC of each revision's rows under a secret of its
own, and nothing is released while one does not fit. Sealed is what never changes once it is
released: the revision, its figures, its checks, the villages' reporting states and things to do.
Not sealed is what lives on: rectifications, extensions, received files, messages.

A seal is written before its revision, since two files cannot be one transaction: after a crash in
between, a seal without a revision is a try that was cut off. Once the revision is there the seal is
marked so, and from then on a revision that is gone has been taken out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.pseudonyms import LEDGER, read_secret
from tasks.rules.errors import CheckFailed
from tasks.rules.pseudonyms import hmac_pads
from tasks.store import Store


@dataclass(frozen=True)
class Broken:
    """A revision whose rows in the ledger are not those that were released."""

    campaign: str
    phase: str
    round: int
    revision: int
    what: str
    """'changed', 'vanished', or 'added' by another way than a release."""


def seal_revision(store: Store, revision: Mapping[str, Any]) -> None:
    """Seal what `revision` and the candidate tables are about to become in the ledger.

    `revision` holds the parameters of publish/revision. To be called in a transaction of the
    register, before that of the ledger. The seal of a try that was cut off is replaced.
    """
    inner, outer = _pads(store)
    store.run("seal/seal", **revision, inner=inner, outer=outer)


def mark_released(store: Store) -> None:
    """Mark the seals whose revisions have reached the ledger; after the ledger's transaction."""
    store.run("seal/released")


def verify_ledger(store: Store) -> list[Broken]:
    """Return the revisions of all campaigns whose rows are not those that were sealed, in order.

    `store` is an open register with its ledger. A row that changed, is gone or was put into a
    revision makes it 'changed'; which row, a seal does not tell.
    """
    inner, outer = _pads(store)
    return [Broken(*row) for row in store.rows("seal/broken", inner=inner, outer=outer)]


def require_whole_ledger(store: Store) -> None:
    """Raise CheckFailed where a revision is not what was sealed, naming the first and how many."""
    broken = verify_ledger(store)
    if broken:
        first = broken[0]
        raise CheckFailed(
            f"seal.{first.what}",
            campaign=first.campaign,
            phase=first.phase,
            round=first.round,
            revision=first.revision,
            more=len(broken) - 1,
        )


def _pads(store: Store) -> tuple[bytes, bytes]:
    # a secret that is not rotated: seals outlive every key of people
    return hmac_pads(read_secret(store, LEDGER), LEDGER)
