"""A real PostgreSQL for the tests: a server of its own in a temporary folder, on loopback."""

import os
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import pytest

USER = "township"
PASSWORD = "只在测试里 'as\\ it is"  # noqa: S105 # of a server that lives for a test; hard to quote
INSTALLED = "/usr/lib/postgresql"
"""Where Debian puts it, a folder a version, and not on PATH."""

_SETTINGS = ("fsync=off", "full_page_writes=off", "unix_socket_directories=", "max_connections=200")


@dataclass
class Postgres:
    """A server that asks for USER's password, as an owner of everything."""

    programs: Path
    data: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    _names: Iterator[int] = field(default_factory=count)

    def address(self, database: str, files: str | Path) -> str:
        """What CAMPAIGN_SHARED_LEDGER says for one of its databases."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}?files={files}"

    def make_database(self) -> str:
        """Make an empty database and return its name."""
        name = f"ledger{next(self._names)}"
        self.run_sql("postgres", f"CREATE DATABASE {name}")
        return name

    def run_sql(self, database: str, text: str) -> str:
        """Run statements as the owner, and return what they print."""
        psql = [self.programs / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, "-c", text]
        done = subprocess.run(
            [*psql, *where], env=with_password(), check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def start(self, most_bytes: int | None = None) -> None:
        """Start it, with files no larger than `most_bytes`, and wait until it lets us in."""
        settings = [word for each in _SETTINGS for word in ("-c", each)]
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-p", str(self.port), *settings],
                stdout=log,
                stderr=log,
                preexec_fn=partial(keep_files_small, most_bytes) if most_bytes else None,  # noqa: PLW1509 # sets a limit and no more
                **as_server(),
            )
        give_up = time.monotonic() + 60
        while not self._lets_us_in():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError((self.data / "log").read_text("utf-8", errors="replace"))
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once; whoever is connected is thrown out."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
            self.process = None

    def _lets_us_in(self) -> bool:
        try:
            return self.run_sql("postgres", "SELECT 1") == "1"
        except subprocess.CalledProcessError:
            return False


def with_password() -> dict[str, str]:
    """The environment of a process that may log in."""
    return {**os.environ, "PGPASSWORD": PASSWORD}


def keep_files_small(most_bytes: int) -> None:
    """Have the operating system let no file of this process and its children grow larger."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def as_server() -> Mapping[str, str]:
    """As whom the server runs: it refuses to be root's."""
    return {"user": "postgres"} if os.geteuid() == 0 else {}


def find_programs() -> Path:
    """The folder of its programs; the test is skipped where there is none, and in CI fails."""
    on_path = shutil.which("initdb")
    installed = sorted(
        Path(INSTALLED).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    for found in [Path(on_path).resolve()] if on_path else installed:
        return found.parent
    if os.environ.get("CAMPAIGN_TESTS_MAY_SKIP") == "no":
        pytest.fail("postgresql is not installed")
    return pytest.skip("postgresql is not installed")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server with nothing in it; its port was free a moment ago."""
    programs = find_programs()
    # not below a folder that its own user may not enter
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        data, word = Path(folder) / "data", Path(folder) / "word"
        word.write_text(PASSWORD, encoding="utf-8")
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            for path in (Path(folder), word):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        subprocess.run(
            [
                *(programs / "initdb", "-D", data, "-U", USER, "--pwfile", word),
                *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"),
                "--wal-segsize=1",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **as_server(),
        )
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = Postgres(programs, data, port)
        try:
            server.start()
            yield server
        finally:
            server.stop()
