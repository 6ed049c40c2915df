"""The ledger that townships share: one table of released revisions, and nothing else.

DuckLake, named by one setting, CAMPAIGN_SHARED_LEDGER:

- a folder: `catalogue.ducklake` and `files/` in it; one process writes at a time.
- `postgresql://USER@HOST:PORT/DATABASE?files=FOLDER` or `?files=s3://BUCKET/PREFIX`: the catalogue
  is a PostgreSQL database, in which many write at once; the files lie where all can reach them.

Few rows stay in the catalogue itself; only `flush_shared`, and a township that shares very many at
once, write files. No password is part of the setting, which other users of the computer may read:
PostgreSQL's comes from PGPASSWORD, its password file or the keyring, that of S3-compatible storage
from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. What a server says of a failure stays here: its
words name hosts and users, and quote what was sent.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from random import uniform
from typing import Literal, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from tasks.home import private_folder
from tasks.keyring_entry import KeyringEntry
from tasks.rules.errors import CampaignError, Exit, StoreBusy, WrongCommand
from tasks.store import Store, execute, failure_of, load_extension, memory

SETTING = "CAMPAIGN_SHARED_LEDGER"

KEYRING_SERVICE = "campaign shared ledger"
"""Under this name the keyring keeps the catalogue's password; the account is USER@HOST:PORT."""

INLINED_ROWS = 1000
"""So many rows of one transaction stay in the catalogue; more of them become a file."""

CLOCKS_APART = timedelta(minutes=10)
"""How far a machine's clock may be from the catalogue's. A county takes what was released later
than it was shared, by more than that, for a wrong clock."""

Mode = Literal["read", "write"]
T = TypeVar("T")

_TRIES = 20
"""How often something is done anew that another township was faster with."""

_SETTINGS = (
    # a commit is tried anew on the newest snapshot, where others were faster
    "SET ducklake_max_retry_count = 100",
    "SET ducklake_retry_wait_ms = 50",
    "SET ducklake_retry_backoff = 1.02",
)

_PATIENCE = (
    "connect_timeout=10 keepalives=1 keepalives_idle=20 keepalives_interval=5 keepalives_count=3"
    " tcp_user_timeout=30000 application_name=campaign"
    # who hangs in the middle of a transaction does not keep the others out for ever
    " options='-c statement_timeout=300s -c idle_in_transaction_session_timeout=600s'"
)

_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SECURE = _SSLMODES[3:]


@dataclass(frozen=True)
class Shared:
    """Where the shared ledger is. Holds no password."""

    files: str
    """Where its files lie: a folder, or s3://BUCKET/PREFIX."""
    folder: Path | None = None
    """That of an embedded ledger; None where the catalogue is in PostgreSQL."""
    user: str = ""
    host: str = ""
    port: int = 5432
    database: str = ""
    sslmode: str = "require"

    @property
    def name(self) -> str:
        """What an officer is told about where it is."""
        if self.folder is not None:
            return str(self.folder)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql://{self.user}@{host}:{self.port}/{self.database}"

    @property
    def bucket(self) -> str | None:
        """The bucket the files lie in; None where they lie in a folder."""
        return urlsplit(self.files).netloc if self.files.startswith("s3://") else None


class SharedLedgerUnreachable(StoreBusy):
    """The shared ledger does not answer, lets nobody in, or is in use; it can be tried again."""


class SharedLedgerChanged(SharedLedgerUnreachable):
    """Another township wrote at the same moment and was faster; the same can be done anew."""


class SharedLedgerFull(CampaignError):
    """The shared ledger's storage takes no more; what was whole there still is."""

    exit = Exit.DISK


def shared_setting() -> Shared | None:
    """Return what CAMPAIGN_SHARED_LEDGER names; None where it is not set.

    Raises WrongCommand where that is neither a folder nor such an address, where it holds a
    password, or the connection would not be encrypted.
    """
    text = os.environ.get(SETTING, "").strip()
    if not text:
        return None
    if "://" not in text:
        folder = Path(text).expanduser().absolute()
        return Shared(files=str(folder / "files"), folder=folder)
    try:
        return _address(text)
    except ValueError:  # a port that is no number, and the like; its words quote the text
        refused = WrongCommand("shared.setting", setting=SETTING)
    raise refused


def _address(text: str) -> Shared:
    parts = urlsplit(text)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(asked)
    if parts.password is not None or "password" in options:
        raise WrongCommand("shared.password_in_address", setting=SETTING)
    user, database = unquote(parts.username or ""), unquote(parts.path.removeprefix("/"))
    files, host = options.pop("files", ""), parts.hostname or ""
    if (
        parts.scheme != "postgresql"
        or not (user and host and database)
        or len(options) != len(asked) - ("files" in dict(asked))
        or not options.keys() <= {"sslmode"}
        or parts.fragment
        or not (user + host + database + files).isprintable()
    ):
        raise WrongCommand("shared.setting", setting=SETTING)
    if not (Path(files).is_absolute() or (files.startswith("s3://") and urlsplit(files).netloc)):
        raise WrongCommand("shared.files", setting=SETTING)
    return Shared(
        files=files.rstrip("/"),
        user=user,
        host=host,
        port=parts.port or 5432,
        database=database,
        sslmode=_sslmode(options.get("sslmode"), host),
    )


def _sslmode(asked: str | None, host: str) -> str:
    """Return how to connect: encrypted, unless the server is on this machine."""
    mode = asked or os.environ.get("PGSSLMODE")
    if mode is None:
        return "prefer" if _is_loopback(host) else "require"
    if mode not in _SSLMODES or (mode not in _SECURE and not _is_loopback(host)):
        raise WrongCommand("shared.insecure_setting", allowed=_SECURE)
    return mode


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@contextmanager
def open_shared(shared: Shared, mode: Mode) -> Iterator[Store]:
    """Open the shared ledger, and nothing of a home beside it: its table is `shared.release`.

    For writing, it is made where it is not there. Raises SharedLedgerUnreachable where it does not
    answer, lets nobody in or another process holds it, SharedLedgerFull where its storage takes no
    more, WrongCommand where nothing was ever shared or its files are said to lie elsewhere; what is
    done with the store raises the same.
    """
    failure = partial(_failure, shared)
    with memory() as connection:
        store = Store(connection, failure)
        load_extension(connection, "ducklake")
        if shared.folder is None:
            load_extension(connection, "postgres_scanner")
            execute(connection, _catalogue_secret(shared), failure)
        if shared.bucket is not None:
            load_extension(connection, "httpfs")
            execute(connection, _files_secret(shared), failure)
        for setting in _SETTINGS:
            execute(connection, setting, failure)
        _require_folders(shared, mode)
        until_unchanged(lambda: execute(connection, _attachment(shared, mode), failure))
        if mode == "write":
            _require_english(shared, store)
            until_unchanged(lambda: store.run("shared/table"))
        elif not store.rows("shared/table_is_there"):
            raise WrongCommand("shared.nothing_yet", name=shared.name)
        yield store


def catalogue_now(shared: Shared, store: Store) -> datetime:
    """Return the time by the clock of the catalogue, UTC without a zone.

    An embedded catalogue has no clock but this machine's. Raises as `open_shared` does.
    """
    ((now,),) = store.rows("shared/clock" if shared.folder else "shared/clock_of_server")
    moment: datetime = now
    return moment


def clocks_apart(shared: Shared, store: Store, now: datetime) -> timedelta:
    """Return how far `now`, this machine's time in UTC without a zone, is ahead of the catalogue's.

    Raises as `open_shared` does.
    """
    return now - catalogue_now(shared, store)


def flush_shared(shared: Shared) -> None:
    """Move the rows that lie in the catalogue itself into files. Raises as `open_shared` does.

    Nothing is lost by it, older snapshots included, and others may share meanwhile.
    """
    with open_shared(shared, "write") as store:
        until_unchanged(lambda: store.run("shared/flush"))


def password_entry(shared: Shared) -> KeyringEntry:
    """Return where the keyring keeps the password of the catalogue's user.

    Raises WrongCommand for an embedded ledger, which has none.
    """
    if shared.folder is not None:
        raise WrongCommand("shared.no_user", setting=SETTING)
    return KeyringEntry(f"{shared.user}@{shared.host}:{shared.port}", KEYRING_SERVICE)


def _attachment(shared: Shared, mode: Mode) -> str:
    options = [f"DATA_PATH {_quoted(shared.files + '/')}"]
    if shared.folder is not None:
        catalogue = str(_catalogue_file(shared.folder))
        # a folder may be moved as a whole; elsewhere another path would be another storage
        options.append("OVERRIDE_DATA_PATH true")
    else:
        catalogue = f"postgres:sslmode={shared.sslmode} {_PATIENCE}"
        options.append("META_SECRET 'catalogue'")
    if mode == "write":
        options.append(f"DATA_INLINING_ROW_LIMIT {INLINED_ROWS}")
    else:
        options += ["READ_ONLY", "CREATE_IF_NOT_EXISTS false"]
    return f"ATTACH {_quoted('ducklake:' + catalogue)} AS shared ({', '.join(options)})"


def _catalogue_file(folder: Path) -> Path:
    return folder / "catalogue.ducklake"


def _catalogue_secret(shared: Shared) -> str:
    fields = {
        "HOST": shared.host,
        "PORT": str(shared.port),
        "DATABASE": shared.database,
        "USER": shared.user,
        "PASSWORD": _kept_password(shared),
    }
    return _secret("catalogue", "postgres", fields)


def _kept_password(shared: Shared) -> str | None:
    """Return the keyring's password; None where PostgreSQL's own library finds one by itself.

    None too where there is no keyring: what that means is for the server to say.
    """
    named = os.environ.get("PGPASSFILE")
    if "PGPASSWORD" in os.environ or (Path(named) if named else Path.home() / ".pgpass").is_file():
        return None
    try:
        return password_entry(shared).read()
    except WrongCommand:
        return None


def _files_secret(shared: Shared) -> str:
    """Return the statement that lets DuckDB into the bucket, by the variables of AWS's own tools.

    Raises WrongCommand where the key is not set, or would travel in the clear.
    """
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if not all(map(os.environ.get, names)):
        raise WrongCommand("shared.no_files_key", names=names)
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
    if endpoint.scheme not in {"", "https"} and not _is_loopback(endpoint.hostname or ""):
        raise WrongCommand("shared.insecure_files")
    fields = {
        "KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
        "SECRET": os.environ["AWS_SECRET_ACCESS_KEY"],
        "SESSION_TOKEN": os.environ.get("AWS_SESSION_TOKEN"),
        "REGION": os.environ.get("AWS_REGION"),
        "SCOPE": f"s3://{shared.bucket}",
    }
    if endpoint.scheme:
        fields["ENDPOINT"] = endpoint.netloc
        fields["URL_STYLE"] = "path"
        fields["USE_SSL"] = "true" if endpoint.scheme == "https" else "false"
    return _secret("files", "s3", fields)


def _secret(name: str, kind: str, fields: Mapping[str, str | None]) -> str:
    given = [f"{field} {_quoted(value)}" for field, value in fields.items() if value]
    return f"CREATE SECRET {name} (TYPE {kind}, {', '.join(given)})"


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _require_folders(shared: Shared, mode: Mode) -> None:
    """Make an embedded ledger's folder; raise where storage that others share is not mounted.

    A folder made in its place would hold what is written on this machine alone.
    """
    if shared.folder is not None:
        if mode == "write":
            private_folder(shared.folder)
        elif not _catalogue_file(shared.folder).is_file():
            raise WrongCommand("shared.nothing_yet", name=shared.name)
    elif shared.bucket is None and not Path(shared.files).is_dir():
        raise SharedLedgerUnreachable("shared.no_files_folder", folder=shared.files)


def _require_english(shared: Shared, store: Store) -> None:
    """Raise where the server speaks another language: DuckLake tells by its words whether another
    township was faster, and would give up instead of trying again."""
    if shared.folder is not None:
        return
    ((language,),) = store.rows("shared/language_of_server")
    if not language.startswith(("C", "POSIX", "en")):
        raise WrongCommand("shared.server_language", name=shared.name, database=shared.database)


def until_unchanged(act: Callable[[], T]) -> T:
    """Do what others may do at the same moment, until it was done on what it had seen.

    Raises SharedLedgerChanged where others were faster each time.
    """
    for left in reversed(range(_TRIES)):
        try:
            return act()
        except SharedLedgerChanged:
            if not left:
                raise
        time.sleep(uniform(0.05, 0.5))  # noqa: S311 # so that two do not meet again
    raise AssertionError("the last try returned or raised")


_SAID: Sequence[tuple[str, tuple[str, ...]]] = (
    ("nothing_yet", ("explicitly disabled",)),
    ("other_files", ("does not match existing data path",)),
    ("busy", ("Could not set lock", "being used by another process")),
    (
        "full",
        (
            *("No space left", "quota exceeded", "disk full", "could not extend file"),
            *("File too large", "Read-only file system", "Could not write"),
        ),
    ),
    (
        "changed",
        ("onflict", "already exists", "duplicate key", "deadlock", "could not serialize"),
    ),
    ("login", ("authentication failed", "no password supplied", "no pg_hba.conf", "FATAL:  role")),
    ("no_database", ("FATAL:  database",)),
    ("no_rights", ("permission denied for",)),
    ("insecure", ("SSL", "certificate")),
    ("files_unreachable", ("HTTP", "s3://")),
    (
        "unreachable",
        (
            *("Unable to connect", "onnection refused", "could not connect"),
            *("server closed the connection", "terminating connection"),
            *("no connection to the server", "could not receive data", "could not send data"),
            *("the database system is", "too many clients", "remaining connection slots"),
            *("timeout", "timed out"),
        ),
    ),
)
"""How DuckDB, PostgreSQL and the storage say what keeps the shared ledger from being used; the
first that fits is told."""

_TOLD: Mapping[str, type[CampaignError]] = {
    "nothing_yet": WrongCommand,
    "other_files": WrongCommand,
    "full": SharedLedgerFull,
    "changed": SharedLedgerChanged,
}


def _failure(shared: Shared, error: Exception, statement: str) -> CampaignError:
    """Return what a failure is told as; its own words, which quote what was sent, stay here."""
    text = str(error)
    if "Failed to execute query" in text:
        text = text.rpartition('": ')[2]  # after what was sent
    for what, said in _SAID:
        if any(words in text for words in said):
            return _TOLD.get(what, SharedLedgerUnreachable)(f"shared.{what}", name=shared.name)
    if statement == "attach" and shared.folder is None:
        # in words of another language, or of a later version
        return SharedLedgerUnreachable("shared.unreachable", name=shared.name)
    return failure_of(error, statement)
