"""The register's key: where it lies. Holding it is what makes a process `health`.

In this order: CAMPAIGN_KEY (the key itself); the file that CAMPAIGN_KEY_FILE names; the keyring of
the operating system, where the home says that it is kept there; `keys/register.key` in the home.
Never a command line, which other users of the computer can read and a shell's history keeps.

While the key is being replaced two keys lie beside each other, since the register and its key
cannot be exchanged in one step. The new one is written first, as the waiting key; it takes the
place of the other only once the register opens with it. So whatever happens, one of them opens it.
"""

import os
import re
import secrets
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from tasks.home import Home, write_whole
from tasks.keyring_entry import KeyringEntry
from tasks.rules.errors import WrongCommand

WAITING = ".new"
BEFORE = ".old"
_FORM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class KeyFile:
    """A file of its own that holds the key; its owner alone may read it."""

    path: Path

    @property
    def name(self) -> str:
        """What an officer is told about where the key is."""
        return str(self.path)

    def read(self) -> str | None:
        """Return what lies here, None where nothing does.

        Raises WrongCommand where others than its owner can read it.
        """
        if not self.path.is_file():
            return None
        if os.name == "posix" and self.path.stat().st_mode & 0o077:
            raise WrongCommand("error.key_open", path=self.path)
        return self.path.read_text(encoding="ascii", errors="replace").strip()

    def write(self, key: str) -> None:
        """Put `key` here, whole or not at all."""
        write_whole(self.path, key.encode("ascii"))

    def remove(self) -> None:
        """Take away what lies here, if anything does."""
        self.path.unlink(missing_ok=True)

    def beside(self, ending: str) -> "KeyFile":
        """Return the place beside this one for a waiting key or the one before."""
        return KeyFile(self.path.with_name(self.path.name + ending))


KeyPlace = KeyFile | KeyringEntry
Where = Literal["keyring", "file"]


@dataclass(frozen=True, repr=False)
class FoundKey:
    """The key, and where it was found: None for the variable that holds the key itself."""

    key: str
    place: KeyPlace | None

    @property
    def source(self) -> str:
        """What an officer is told about where the key comes from."""
        return "CAMPAIGN_KEY" if self.place is None else self.place.name


def find_key(home: Home) -> FoundKey:
    """Return the key of `home` and where it lies.

    Raises WrongCommand where there is none, where it has the wrong form, or where others than its
    owner can read its file.
    """
    found = _lying(home)
    if found is None:
        raise WrongCommand("error.no_key", path=key_file(home).path)
    if not _FORM.fullmatch(found.key):
        raise WrongCommand("error.key_form")
    return found


def read_key(home: Home) -> str:
    """Return the key of `home`. Raises as `find_key` does."""
    return find_key(home).key


def make_key(home: Home, where: Where | None = None) -> KeyPlace:
    """Put a new random key where it is asked for (default: a file) and return the place.

    Raises WrongCommand where a key is named or lies there already, and beside a register: another
    key does not open it.
    """
    if home.register.exists():
        raise WrongCommand("key.register_is_there", register=home.register)
    there = _lying(home)
    if there is not None:
        raise WrongCommand("key.is_there", source=there.source)
    place = keyring_entry(home) if where == "keyring" else key_file(home)
    place.write(fresh_key())
    return place


def has_key(home: Home) -> bool:
    """Answer whether a key of `home` lies anywhere."""
    return _lying(home) is not None


def fresh_key() -> str:
    """Return a new random key: 64 lower-case hexadecimal digits."""
    return secrets.token_hex(32)


def key_file(home: Home) -> KeyFile:
    """Return the file that CAMPAIGN_KEY_FILE names, else that of the home."""
    named = os.environ.get("CAMPAIGN_KEY_FILE")
    return KeyFile(Path(named) if named else home.key_file)


def keyring_entry(home: Home) -> KeyringEntry:
    """Return the entry of `home` in the keyring; from then on the home says that it has one.

    Raises WrongCommand where there is no keyring, and where a variable names the key: it would go
    on naming the other one.
    """
    if "CAMPAIGN_KEY" in os.environ or "CAMPAIGN_KEY_FILE" in os.environ:
        raise WrongCommand("key.named_by_variable")
    path = _home_id(home)
    if not path.is_file():
        home_id = secrets.token_hex(8)
        KeyringEntry(home_id).read()  # or the home would name a keyring that is not there
        write_whole(path, home_id.encode("ascii"))
    return _named_entry(home)


def waiting_key(home: Home) -> tuple[KeyPlace, str] | None:
    """Return the key that waits to take the place of the other, and for which place."""
    for place in _places(home):
        key = place.beside(WAITING).read()
        if key is not None:
            return place, key
    return None


def settle_key(home: Home, place: KeyPlace, key: str) -> None:
    """Make `key`, with which the register opens now, the one that lies in `place`, and alone.

    The ones before are all kept beside it, as the backups of their time open with them only. May be
    done again after it was cut off anywhere.
    """
    for other in _places(home):
        was = other.read()
        if was is not None and was != key:
            _keep_before(place, was)
    place.write(key)
    for other in _places(home):
        if other != place:
            other.remove()
    drop_waiting_key(home)
    if isinstance(place, KeyFile):
        _home_id(home).unlink(missing_ok=True)


def drop_waiting_key(home: Home) -> None:
    """Take away a waiting key: it was settled, or the register was never exchanged."""
    for place in _places(home):
        place.beside(WAITING).remove()


def _keep_before(place: KeyPlace, key: str) -> None:
    """Keep a key that is replaced beside `place`: as .old, .old2 and so on, the first one first."""
    for number in count(1):
        beside = place.beside(BEFORE if number == 1 else f"{BEFORE}{number}")
        there = beside.read()
        if there is None:
            beside.write(key)
        if there in (None, key):
            return


def _lying(home: Home) -> FoundKey | None:
    value = os.environ.get("CAMPAIGN_KEY")
    if value is not None:
        return FoundKey(value, None)
    for place in _places(home):
        key = place.read()
        if key is not None:
            return FoundKey(key, place)
    return None


def _places(home: Home) -> list[KeyPlace]:
    """Return where the key can lie, the place that is asked first in front."""
    if "CAMPAIGN_KEY_FILE" not in os.environ and _home_id(home).is_file():
        return [_named_entry(home), key_file(home)]
    return [key_file(home)]


def _named_entry(home: Home) -> KeyringEntry:
    # the keyring keeps the keys of all homes; the account is the home's own id
    return KeyringEntry(_home_id(home).read_text(encoding="ascii").strip())


def _home_id(home: Home) -> Path:
    return home.key_file.with_name("home.id")
