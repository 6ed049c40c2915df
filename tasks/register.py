"""Opening the encrypted register, with the ledger beside it: what makes a process `health`."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tasks.audit import Act, anchor_trail, keep_entry
from tasks.copying import discard_draft
from tasks.home import Home
from tasks.keys import drop_waiting_key, settle_key, waiting_key
from tasks.pseudonyms import catch_up_ledger, make_secret
from tasks.rules.errors import WrongCommand
from tasks.store import (
    SQL,
    Store,
    attach,
    load_encryption,
    memory,
    schema_columns,
    schema_tables,
)


def make_stores(home: Home, key: str, now: datetime | None = None) -> None:
    """Create both files of `home` with their tables and secrets, or add those that are missing.

    `now` is when the secrets are made, in wall time of the plan's time zone; without it, in UTC.
    Raises WrongCommand where the register is gone and its ledger is still there: an empty register
    in its place would make the ledger's figures look made up.
    """
    if home.ledger.exists():
        _require_register(home)
    with attach_stores(home, key) as store:
        for path in sorted((SQL / "schema").glob("*/*.sql")):
            store.run(f"schema/{path.parent.name}/{path.stem}")
        make_secret(store, now or datetime.now(UTC).replace(tzinfo=None))


@contextmanager
def open_register(home: Home, *, key: str, act: Act) -> Iterator[Store]:
    """Open the register with `key`, and the ledger beside it, for writing; `act` enters the trail.

    The head of the trail is kept in the ledger when the register is opened, and again when it is
    closed without an error.

    Raises WrongCommand for a wrong key, a damaged file, a home that is not there or was made by an
    earlier version, or an act without a name or a reason; StoreBusy where another process writes.
    """
    home.require()
    _require_register(home)
    with attach_stores(home, key) as store:
        _require_tables(store)
        catch_up_ledger(store)
        keep_entry(store, act)
        anchor_trail(store, act.at)
        yield store
        anchor_trail(store, act.at)


@contextmanager
def attach_stores(home: Home, key: str) -> Iterator[Store]:
    """Attach both files without an entry in the trail: for the work on them as files only.

    A change of the key that was cut off is brought to an end here. Raises as `open_register`.
    """
    with memory(home.spill) as connection:
        store = Store(connection, spill=home.spill)
        load_encryption(connection)
        _attach_register(store, home, key)
        # who has the register open has it alone: what lies there was left by a run that was killed
        shutil.rmtree(home.spill, ignore_errors=True)
        attach(connection, home.ledger, "ledger", None)
        yield store


def _attach_register(store: Store, home: Home, key: str) -> None:
    """Attach the register with `key`; with the waiting key, where it was exchanged already.

    Who has the register open has it alone: a waiting key or a half-made copy is then a leftover.
    """
    try:
        attach(store.connection, home.register, "register", key)
    except WrongCommand as refused:
        waiting = waiting_key(home)
        if refused.key != "error.wrong_key" or waiting is None:
            raise
    else:
        drop_waiting_key(home)
        discard_draft(home.register)
        return
    place, newer = waiting
    attach(store.connection, home.register, "register", newer)
    settle_key(home, place, newer)
    discard_draft(home.register)
    if "CAMPAIGN_KEY" in os.environ:
        raise WrongCommand("key.replace_variable", place=place.name)


def _require_register(home: Home) -> None:
    if not home.register.is_file():
        raise WrongCommand("key.no_register", register=home.register)


def _require_tables(store: Store) -> None:
    """A home of an earlier version lacks a table or a column; init adds what is missing."""
    there = {tuple(row) for row in store.rows("reference/tables")}
    wanted = {(which, table) for which in ("register", "ledger") for table in schema_tables(which)}
    columns = {tuple(row) for row in store.rows("reference/columns")}
    if wanted - there or schema_columns() - columns:
        raise WrongCommand("key.older_home")
