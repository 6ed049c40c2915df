"""Replacing the register's key, moving the pseudonyms on, and leaving deleted bytes behind.

Each of them may be cut off at any point, by a crash or a full disk: the register then opens with
the key it had or with the new one, and the next opening brings to an end what was begun.
"""

import secrets
from collections.abc import Callable

from tasks.audit import Act
from tasks.copying import write_anew
from tasks.home import Home
from tasks.keys import (
    WAITING,
    KeyPlace,
    Where,
    find_key,
    fresh_key,
    key_file,
    keyring_entry,
    settle_key,
)
from tasks.ledger import open_ledger
from tasks.pseudonyms import PERSON, SUBMISSION, catch_up_ledger, read_secrets
from tasks.register import attach_stores, open_register
from tasks.rules.contract import SHEETS
from tasks.rules.pseudonyms import SECRET_BYTES, hmac_pads
from tasks.store import Store


def compact(home: Home, key: str) -> None:
    """Write the register anew, so that what was deleted from it is gone from the file as well.

    To be called when the register is closed. Raises as `open_register` does, and CheckFailed where
    the copy cannot be made; the register is then as it was. Leaves no entry in the trail, since
    nobody's data is looked at or changed.
    """
    with attach_stores(home, key) as store:
        write_anew(store, "register", home.register, key)


def rotate_key(home: Home, act: Act, where: Where | None = None) -> KeyPlace:
    """Give the register a new key and return where that lies now; the old key opens it no more.

    A key that came from the variable CAMPAIGN_KEY cannot be replaced there: the new one goes into
    the key file of the home, and the officer replaces the variable. The key before is kept beside
    the new one, because backups made so far open with it only.

    Raises as `open_register` does, WrongCommand where the keyring cannot take the key, and
    CheckFailed where the copy cannot be made; the register then has the key it had.
    """
    old = find_key(home)
    place = old.place or key_file(home)
    if where is not None:
        place = keyring_entry(home) if where == "keyring" else key_file(home)
    new = fresh_key()
    with open_register(home, key=old.key, act=act) as store:
        place.beside(WAITING).write(new)
        write_anew(store, "register", home.register, new)
        settle_key(home, place, new)
    return place


def rotate_pseudonyms(home: Home, key: str, act: Act) -> int:
    """Move every stored pseudonym on to a new secret, and return which version it is.

    What was hashed is not kept, so the new secret is put around the old ones (rules/pseudonyms.py):
    a file or a person that comes again is still recognised, while an old secret, in a stolen copy
    say, no longer makes what is stored. References that people hold on paper stay as they are.
    Both files are then written anew, so that the old pseudonyms are gone from them as well.

    Raises as `open_register` does; where it fails, everything is as it was.
    """
    with open_register(home, key=key, act=act) as store:
        secret = secrets.token_bytes(SECRET_BYTES)
        with store.transaction():
            _move_on(store, secret)
            store.run("rotate/secret", purpose=PERSON, secret=secret, created_at=act.at)
        catch_up_ledger(store)
        version = len(read_secrets(store))
    compact(home, key)
    with open_ledger(home, "write") as store:
        write_anew(store, "ledger", home.ledger, None)
    return version


def _move_on(store: Store, secret: bytes) -> None:
    """Put `secret` around every pseudonym of the register."""
    of_person = _mover(store, secret, PERSON)
    of_person("rotate/referral")
    of_person("rotate/registered_person")
    of_person("rotate/registered")
    of_person("rotate/lapsed")
    store.run("rotate/frozen")
    of_submission = _mover(store, secret, SUBMISSION)
    for sheet in SHEETS:
        of_submission("rotate/staged", sheet)
    of_submission("rotate/raw_row")
    of_submission("rotate/return")
    of_submission("rotate/said")
    of_submission("rotate/raw_submission")


def _mover(store: Store, secret: bytes, purpose: str) -> Callable[..., None]:
    inner, outer = hmac_pads(secret, purpose)

    def move(statement: str, sheet: str | None = None) -> None:
        store.run(statement, sheet=sheet, inner=inner, outer=outer)

    return move
