"""The register's key: where it comes from. Holding it is what makes a process `health`."""

import os
import re
import secrets
from pathlib import Path

from tasks.home import Home, write_whole
from tasks.rules.errors import WrongCommand

_FORM = re.compile(r"[0-9a-f]{64}")


def make_key(home: Home) -> None:
    """Write a new random key file (0600) unless a key is already named or there."""
    if "CAMPAIGN_KEY" in os.environ or _key_file(home).exists():
        return
    write_whole(_key_file(home), secrets.token_hex(32).encode("ascii"))


def read_key(home: Home) -> str:
    """Return the key: from CAMPAIGN_KEY, else from the file CAMPAIGN_KEY_FILE or of the home.

    Raises WrongCommand where there is none, where it has the wrong form, or where others than its
    owner can read the file.
    """
    key = os.environ.get("CAMPAIGN_KEY")
    if key is None:
        path = _key_file(home)
        if not path.is_file():
            raise WrongCommand("error.no_key", path=path)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise WrongCommand("error.key_open", path=path)
        key = path.read_text(encoding="ascii", errors="replace").strip()
    if not _FORM.fullmatch(key):
        raise WrongCommand("error.key_form")
    return key


def _key_file(home: Home) -> Path:
    named = os.environ.get("CAMPAIGN_KEY_FILE")
    return Path(named) if named else home.key_file
