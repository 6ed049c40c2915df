"""Opening the encrypted register, with the ledger beside it: what makes a process `health`."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.home import Home
from tasks.store import SQL, Store, attach, load_encryption, memory


def make_stores(home: Home, key: str) -> None:
    """Create both files of `home` with their tables, or add the tables that are missing."""
    with open_register(home, key=key, create=True) as store:
        for path in sorted((SQL / "schema").glob("*/*.sql")):
            store.run(f"schema/{path.parent.name}/{path.stem}")


@contextmanager
def open_register(home: Home, *, key: str, create: bool = False) -> Iterator[Store]:
    """Open the register with `key`, and the ledger beside it, for writing.

    Raises WrongCommand for a wrong key or a home that is not there, StoreBusy where another process
    writes.
    """
    if not create:
        home.require()
    with memory() as connection:
        attach(connection, home.ledger, "ledger", None)
        load_encryption(connection)
        attach(connection, home.register, "register", key)
        yield Store(connection)
