"""The township's signature: who released what the county reads.

An Ed25519 key pair a home. The private half lies in `keys/township.key`, readable by its owner
alone, and never leaves the home; the public half is what the county writes into its list of
townships. It opens nothing: the register has a key of its own, and sharing needs no other.
"""

import os
import re
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tasks.home import Home, write_whole
from tasks.rules.errors import WrongCommand

_KEY = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")

_WEAK = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""The points of small order, as which anybody can sign; 64 zeros, a placeholder, is one of them."""


def make_signing_key(home: Home) -> str:
    """Make the township's key pair where there is none; return its public half, 64 hex digits.

    Raises WrongCommand where no home was made yet, where others can read the private half, or what
    lies in its place is none.
    """
    home.require()
    path = _key_file(home)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        write_whole(draft, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode("ascii"))
        try:
            # unlike a replacement: of two at the same moment, the first one's key stays
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return public_key(home)


def public_key(home: Home) -> str:
    """Return the public half of the township's key, 64 hex digits. Raises as `sign` does."""
    return _private(home).public_key().public_bytes_raw().hex()


def sign(home: Home, body: str) -> str:
    """Return the township's signature of the UTF-8 bytes of `body`, 128 hex digits.

    Always the same for the same text. Raises WrongCommand where the key was never made, where
    others can read it, or what lies in its place is none.
    """
    return _private(home).sign(body.encode("utf-8")).hex()


def is_signed(public: str, body: str, signature: str) -> bool:
    """Answer whether `signature` is that of `body` by the owner of `public`.

    Whatever is no key or no signature at all signs nothing.
    """
    if not (_KEY.fullmatch(public) and _SIGNATURE.fullmatch(signature)):
        return False
    point = bytes.fromhex(public)
    if point[:-1] + bytes([point[-1] & 0x7F]) in _WEAK:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(point)
        key.verify(bytes.fromhex(signature), body.encode("utf-8", errors="surrogatepass"))
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(home: Home) -> Ed25519PrivateKey:
    path = _key_file(home)
    if not path.is_file():
        raise WrongCommand("share.no_key")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise WrongCommand("error.key_open", path=path)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not _KEY.fullmatch(text):
        raise WrongCommand("share.key_form", path=path)
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def _key_file(home: Home) -> Path:
    return home.key_file.with_name("township.key")
