"""Workbooks that open with a password only: made and opened in memory, never plain on a disk.

The form is the agile encryption of ECMA-376 (Microsoft, MS-OFFCRYPTO 2.3.4.10 to 2.3.4.15): AES,
the key drawn from the password by 100,000 rounds of SHA-512. Excel, WPS and LibreOffice write it
and open it.
"""

import io
import secrets
from collections.abc import Iterable

import olefile  # type: ignore[import-untyped]  # publishes no types
from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]  # the same

_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""No sign that is read or heard as another: 0 and o, 1, l and i."""
_GROUPS = 4
_IN_A_GROUP = 4
_INFO, _PACKAGE = "EncryptionInfo", "EncryptedPackage"
_MOST_INFO = 64 * 1024
"""Bytes; the description of an encryption has some two thousand."""
_MOST_ROUNDS = 100_000
"""What Excel, WPS and LibreOffice take; a file that asks for more would only keep us busy."""


class NotOpened(Exception):
    """A workbook does not open: another password, a damaged file, a form we do not read."""


def new_password() -> str:
    """Return a new random password to read out on the telephone: 16 signs, 79 bits."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_IN_A_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def encrypt_workbook(content: bytes, password: str) -> bytes:
    """Return the XLSX `content` as a file that opens with `password` only."""
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(content)).encrypt(password, locked)
    return locked.getvalue()


def decrypt_workbook(content: bytes, password: str) -> bytes:
    """Return the XLSX inside `content`. Raises NotOpened where `password` does not open it."""
    if not _within_bounds(content):
        raise NotOpened
    try:
        book = OOXMLFile(io.BytesIO(content))
        if book.type == "agile" and book.info["spinValue"] > _MOST_ROUNDS:
            raise NotOpened
        book.load_key(password=password, verify_password=True)
        plain = io.BytesIO()
        book.decrypt(plain, verify_integrity=book.type == "agile")
    except Exception:  # noqa: BLE001  whatever a broken file provokes in the library: not opened
        raise NotOpened from None
    return plain.getvalue()


def unlock(content: bytes, passwords: Iterable[str]) -> bytes | None:
    """Return the XLSX inside `content` that one of `passwords` opens; None where none does."""
    for password in passwords:
        try:
            return decrypt_workbook(content, password)
        except NotOpened:
            continue
    return None


def _within_bounds(content: bytes) -> bool:
    """Return whether `content` is a locked workbook that reading would not choke on."""
    if not content.startswith(olefile.MAGIC):
        return False
    try:
        container = olefile.OleFileIO(io.BytesIO(content))
        # a stream that claims to be longer than its file is read in circles
        if container.get_size(_PACKAGE) > len(content) or container.get_size(_INFO) > _MOST_INFO:
            return False
        described = container.openstream(_INFO).read()
    except Exception:  # noqa: BLE001  a broken container is none
        return False
    # no description has a document type; one that does defines entities
    return b"<!" not in described
