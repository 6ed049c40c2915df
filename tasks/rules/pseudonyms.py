"""Keyed pseudonyms: HMAC-SHA256 under a secret that never leaves the register.

A plain hash of an identity number is no protection: there are few enough numbers to try them all.
Each purpose derives a key of its own, so that a pseudonym made for one purpose says nothing about
one made for another (RFC 2104 for HMAC; the derivation is the first half of HKDF, RFC 5869).

What was hashed is not kept, so a new secret cannot be put in place of an old one. It is put around
it: after n rotations a pseudonym is the hash, under the n-th secret, of the one before. So stored
pseudonyms can be moved on without knowing what they stand for, and a new value still meets them.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

SECRET_BYTES = 32
_BLOCK = 64
_PURPOSE = re.compile(r"[a-z][a-z_]*")


def hmac_pads(secret: bytes, purpose: str) -> tuple[bytes, bytes]:
    """Return HMAC's inner and outer pad (64 bytes each) of `secret` for `purpose`.

    With them SQL computes over a whole column what `keyed_hash` gives for one text:
    `sha256($outer || unhex(sha256($inner || encode(text))))`. The pads are as secret as the secret.
    Raises ValueError for a secret that is too short or a purpose that is not a plain word.
    """
    key = _purpose_key(secret, purpose).ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in key), bytes(byte ^ 0x5C for byte in key)


def keyed_hash(secret: bytes, purpose: str, text: str) -> str:
    """Return the pseudonym of `text` for `purpose`: 64 lower-case hexadecimal digits.

    Raises ValueError as `hmac_pads` does.
    """
    key = _purpose_key(secret, purpose)
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()


def keyed_chain(secrets: Sequence[bytes], purpose: str, text: str) -> str:
    """Return the pseudonym of `text` for `purpose` under all `secrets`, the oldest first.

    Raises ValueError as `hmac_pads` does, and where there is no secret.
    """
    if not secrets:
        raise ValueError("there is no secret")
    for secret in secrets:
        text = keyed_hash(secret, purpose, text)
    return text


def _purpose_key(secret: bytes, purpose: str) -> bytes:
    if len(secret) < SECRET_BYTES:
        raise ValueError("the secret is shorter than 32 bytes")
    if not _PURPOSE.fullmatch(purpose):
        raise ValueError("a purpose is a plain lower-case word")
    return hmac.new(secret, purpose.encode("ascii"), hashlib.sha256).digest()
