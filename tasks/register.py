"""Opening the encrypted register, with the ledger beside it: what makes a process `health`."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.audit import Act, keep_entry
from tasks.home import Home
from tasks.store import SQL, Store, attach, load_encryption, memory


def make_stores(home: Home, key: str) -> None:
    """Create both files of `home` with their tables, or add the tables that are missing."""
    with _attached(home, key) as store:
        for path in sorted((SQL / "schema").glob("*/*.sql")):
            store.run(f"schema/{path.parent.name}/{path.stem}")


@contextmanager
def open_register(home: Home, *, key: str, act: Act) -> Iterator[Store]:
    """Open the register with `key`, and the ledger beside it, for writing; `act` enters the trail.

    Raises WrongCommand for a wrong key, a home that is not there, or an act without a name or a
    reason; StoreBusy where another process writes.
    """
    home.require()
    with _attached(home, key) as store:
        keep_entry(store, act)
        yield store


@contextmanager
def _attached(home: Home, key: str) -> Iterator[Store]:
    with memory() as connection:
        attach(connection, home.ledger, "ledger", None)
        load_encryption(connection)
        attach(connection, home.register, "register", key)
        yield Store(connection)
