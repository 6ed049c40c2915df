"""A DuckDB connection and the statements in `tasks/sql/`.

The only module that imports duckdb. The register and the ledger are attached to one in-memory
database, so staging never touches a disk. Statements live in `tasks/sql/`, one a file, with bound
parameters; the one thing filled into a text is an identifier from a closed list: a sheet's name.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

import duckdb
import duckdb_extension_ducklake
import duckdb_extension_httpfs
import duckdb_extension_postgres_scanner
import pyarrow as pa

from tasks.rules.contract import SHEETS
from tasks.rules.errors import CampaignError, CheckFailed, DiskRefused, StoreBusy, WrongCommand

SQL = Path(__file__).with_name("sql")

Extension = Literal["ducklake", "httpfs", "postgres_scanner"]
_WHEELS: Mapping[Extension, str | None] = {
    "ducklake": duckdb_extension_ducklake.__file__,
    "httpfs": duckdb_extension_httpfs.__file__,
    "postgres_scanner": duckdb_extension_postgres_scanner.__file__,
}
"""The package that carries each extension, so that none is ever downloaded."""

Failure = Callable[[Exception, str], CampaignError]
"""What DuckDB's error in a statement, named second, is told as."""


@cache
def statement(name: str, sheet: str | None = None) -> str:
    """Return the text of `sql/<name>.sql`; `{sheet}` in it becomes the name of a known sheet."""
    text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    if sheet is None:
        return text
    if sheet not in SHEETS:
        raise KeyError(sheet)
    return text.replace("{sheet}", sheet)


_ADDED = re.compile(r"^ALTER TABLE (\w+)\.(\w+) ADD COLUMN IF NOT EXISTS (\w+)", re.MULTILINE)


@cache
def schema_tables(which: str) -> frozenset[str]:
    """Return the tables that the schema of `which`, register or ledger, makes."""
    files = (SQL / "schema" / which).glob("*.sql")
    return frozenset(path.stem for path in files if not _ADDED.search(path.read_text("utf-8")))


@cache
def schema_columns() -> frozenset[tuple[str, str, str]]:
    """Return (register or ledger, table, column) of the columns that came after their tables."""
    texts = (path.read_text("utf-8") for path in (SQL / "schema").glob("*/*.sql"))
    return frozenset((found[1], found[2], found[3]) for found in map(_ADDED.search, texts) if found)


class Store:
    """An open connection; `register` and `ledger` are schemas of it where they are attached."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        failure: Failure | None = None,
        spill: Path | None = None,
    ) -> None:
        """Take over a connection made by `memory`, with the same `spill`.

        `failure` tells what a statement that failed comes to, where other stores than files of this
        machine are attached.
        """
        self.connection = connection
        self._failure = failure or failure_of
        self._spill = spill

    def run(self, name: str, *, sheet: str | None = None, **parameters: object) -> None:
        """Run `sql/<name>.sql`. DuckDB's errors name cell values, so they end here."""
        self._execute(name, sheet, parameters)

    def rows(
        self, name: str, *, sheet: str | None = None, **parameters: object
    ) -> list[tuple[Any, ...]]:
        """Run `sql/<name>.sql` and return its rows."""
        return self._execute(name, sheet, parameters)[1]

    def records(
        self, name: str, *, sheet: str | None = None, **parameters: object
    ) -> list[dict[str, Any]]:
        """Run `sql/<name>.sql` and return its rows as dictionaries by column name."""
        names, rows = self._execute(name, sheet, parameters)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def load(self, table: str, content: pa.Table) -> None:
        """Make the in-memory table `table` of `content`, in place of any of that name."""
        view = f"{table}_arriving"
        self.connection.register(view, content)
        text = f'CREATE OR REPLACE TABLE "{table}" AS FROM "{view}"'
        try:
            execute(self.connection, text, self._failure, table)
        finally:
            self.connection.unregister(view)

    @contextmanager
    def without_spilling(self) -> Iterator[None]:
        """Have nothing of what is worked on inside reach a disk, not even encrypted.

        Raises CheckFailed where something did already on this connection: DuckDB would go on.
        """
        self._spill_to("")
        try:
            yield
        finally:
            self._spill_to(str(self._spill or ""))

    def _spill_to(self, folder: str) -> None:
        target = folder.replace("'", "''")
        execute(self.connection, f"SET temp_directory = '{target}'", self._failure, "spill")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside as one, or nothing. One file only: DuckDB writes to one."""
        self.connection.begin()
        try:
            yield
        except BaseException:
            # what a full disk has ended is rolled back already
            with suppress(duckdb.Error):
                self.connection.rollback()
            raise
        try:
            self.connection.commit()
        except duckdb.Error as error:
            refused = self._failure(error, "commit")
            if os.environ.get("CAMPAIGN_SQL_ERRORS") == "synthetic-data-only":
                raise
        else:
            return
        raise refused

    def _execute(
        self, name: str, sheet: str | None, parameters: Mapping[str, object]
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows; what fails late fails here too."""
        try:
            done = self.connection.execute(statement(name, sheet), dict(parameters) or None)
            return [column[0] for column in done.description or ()], done.fetchall()
        except duckdb.ConstraintException:
            raise CheckFailed("error.constraint", statement=name) from None
        except duckdb.Error as error:
            refused = self._failure(error, name)
            if os.environ.get("CAMPAIGN_SQL_ERRORS") == "synthetic-data-only":
                raise
        raise refused


ROW_GROUP = 20_480
"""Rows of a row group of our files, a multiple of 2,048. What is inserted at once and fills one is
compressed and written once; what does not goes through the write-ahead log, and is compressed anew
at each checkpoint until its row group is full. DuckDB's own 122,880 are more than most
deliveries bring."""

MEMORY = "800MB"
"""What DuckDB may hold where it may put the rest aside; Python, Arrow and the reading process come
on top. It keeps what it read until it has to let go: without this the whole file, in time."""


@contextmanager
def memory(spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    # What is put aside in `spill` is encrypted with a key that only this process has; without one
    # nothing is. Never rows before their consent was judged: `Store.without_spilling`.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "temp_directory": str(spill or ""),
        "temp_file_encryption": "true",
        # a row group that was written whole is not held back until there are four others, and not
        # written again, merged with those that are not quite full, at the next checkpoint
        "write_buffer_row_group_count": 1,
        "max_vacuum_tasks": 0,
    }
    if spill is not None:
        config["memory_limit"] = MEMORY
    connection = duckdb.connect(":memory:", config=config)
    try:
        # in a process that another one started, DuckDB takes itself for interactive and draws one
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


def load_encryption(connection: duckdb.DuckDBPyConnection) -> None:
    # DuckDB writes encrypted files only with the OpenSSL of httpfs
    load_extension(connection, "httpfs")


def load_extension(connection: duckdb.DuckDBPyConnection, name: Extension) -> None:
    folder = Path(str(_WHEELS[name])).parent / "extensions" / f"v{duckdb.__version__}"
    connection.load_extension(str(folder / f"{name}.duckdb_extension"))


def execute(
    connection: duckdb.DuckDBPyConnection, text: str, failure: Failure, name: str = "attach"
) -> None:
    """Run `text`, which is no statement of a file; by default, it attaches what a setting names.

    Raises what `failure` makes of DuckDB's error in what is called `name`: its words may quote
    `text`.
    """
    try:
        connection.execute(text)
    except duckdb.Error as error:
        refused = failure(error, name)
    else:
        return
    raise refused


def attach(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    key: str | None,
    *,
    read_only: bool = False,
) -> None:
    """Attach the file at `path` as `name`, made where it is not there.

    Raises StoreBusy where another process has it open, WrongCommand for a wrong key and for a
    damaged file.
    """
    options = [f"ROW_GROUP_SIZE {ROW_GROUP}"]
    if read_only:
        options.append("READ_ONLY")
    if key is not None:
        if not key.isalnum():
            raise WrongCommand("error.key_form")
        options.append(f"ENCRYPTION_KEY '{key}'")
    target = str(path).replace("'", "''")
    was = _inode(path)
    try:
        connection.execute(f"ATTACH '{target}' AS {name} ({', '.join(options)})")
    except duckdb.Error as error:
        refused = _refusal(error, path.name)
    else:
        if was in (None, _inode(path)):
            return
        # it was exchanged for another (tasks/copying.py) between the opening and the locking
        connection.execute(f"DETACH {name}")
        refused = StoreBusy("error.store_busy", file=path.name)
    raise refused


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


_DAMAGED = ("Corrupt database file", "not a valid DuckDB", "not read enough bytes", "AES tag")
_NO_ROOM = (
    "No space left",
    "quota exceeded",
    "File too large",
    "Read-only file system",
    "Permission denied",
    "Could not write",
)
"""How DuckDB says that the disk takes no more; what follows such an error refers to it."""


def failure_of(error: Exception, statement: str) -> CampaignError:
    """Return what a statement that failed is told as: its words may hold cells, so they stay."""
    text = str(error)
    if any(words in text for words in _NO_ROOM):
        return DiskRefused()
    if any(words in text for words in _DAMAGED):
        return WrongCommand("error.store_damaged_inside", statement=statement)
    if isinstance(error, duckdb.OutOfMemoryException):
        return CheckFailed("error.memory", statement=statement)
    return CheckFailed("error.statement", statement=statement, kind=type(error).__name__)


def _refusal(error: duckdb.Error, file: str) -> CampaignError:
    """Return what a file that cannot be attached is told as; its words stay here."""
    text = str(error)
    if "Could not set lock" in text or "being used by another process" in text:
        return StoreBusy("error.store_busy", file=file)
    if any(words in text for words in _NO_ROOM):
        return DiskRefused()
    if "Wrong encryption key" in text:
        return WrongCommand("error.wrong_key", file=file)
    if any(words in text for words in _DAMAGED):
        return WrongCommand("error.store_damaged", file=file)
    return WrongCommand("error.store_unreadable", file=file)
