"""Opening the ledger alone: what was released and how the work goes, without any key."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from tasks.home import Home
from tasks.store import Store, attach, memory


@contextmanager
def open_ledger(home: Home, mode: Literal["read", "write"] = "read") -> Iterator[Store]:
    """Open the ledger alone; no key is needed and no person can be met.

    Raises WrongCommand for a home that is not there, StoreBusy where another process writes.
    """
    home.require()
    with memory() as connection:
        attach(connection, home.ledger, "ledger", None, read_only=mode == "read")
        yield Store(connection)
