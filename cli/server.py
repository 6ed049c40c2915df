"""Prefect's server: the one that `campaign up` runs, or one of our own for the length of a command.

On loopback, behind a random word, silent. It ends with what started it, however that ends.
"""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tasks.home import Home, private_folder, write_whole
from tasks.rules.errors import WrongCommand

START_WITHIN = 120.0
"""Seconds. A busy 2-core machine has needed 40."""

GRACE = 15
"""Seconds that what we started has for ending by itself."""

PYTHON = (sys.executable, "-P", "-m")
"""Runs a module of the installation, never one that lies in the folder a command is given in."""

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}


DATABASE = "CAMPAIGN_PREFECT_DATABASE"
"""postgresql://USER@HOST:PORT/DATABASE, where `campaign up` is to keep Prefect's states there."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Server:
    """Where a Prefect server of ours answers, and the word it wants to hear."""

    port: int
    word: str = field(repr=False)

    @property
    def url(self) -> str:
        """Its interface."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def environment(self) -> dict[str, str]:
        """What Prefect reads where a flow, a worker or the server itself runs."""
        return {
            "PREFECT_API_URL": self.url,
            "PREFECT_UI_API_URL": self.url,
            "PREFECT_API_AUTH_STRING": self.word,
            "PREFECT_SERVER_API_AUTH_STRING": self.word,
        }

    @property
    def command(self) -> list[str]:
        """What runs it; the word is not in it, as everybody can read command lines."""
        start = [*PYTHON, "prefect", "server", "start", "--host", "127.0.0.1"]
        return [*start, "--port", str(self.port)]

    def answers(self) -> bool:
        """Answer whether it is up and takes our word."""
        token = base64.b64encode(self.word.encode()).decode()
        # not the health page, which a server that wants another word answers too
        request = urllib.request.Request(f"{self.url}/admin/version")  # noqa: S310 # http, loopback
        request.add_header("Authorization", f"Basic {token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=2):
                return True
        except (urllib.error.URLError, OSError, ValueError):
            return False


def database_environment(setting: str | None) -> dict[str, str]:
    """Return what a Prefect server reads to keep its states in the PostgreSQL that is set.

    Nothing without a setting: then they lie in a file of the home. The connection is encrypted but
    on loopback. Raises WrongCommand for a setting of another form, or with a password in it: the
    server's process finds that in PGPASSWORD or a .pgpass file.
    """
    if not setting:
        return {}
    form = WrongCommand("engine.database_form", setting=DATABASE)
    try:
        parts = urlsplit(setting)
        host, port = parts.hostname or "", parts.port or 5432
    except ValueError:
        raise form from None
    if parts.password is not None:
        raise WrongCommand("engine.database_password", setting=DATABASE)
    asked = dict(parse_qsl(parts.query))
    mode = asked.pop("sslmode", "prefer" if host in LOOPBACK else "require")
    if parts.scheme != "postgresql" or not (host and parts.path.strip("/")) or asked:
        raise form
    if host not in LOOPBACK and mode not in {"require", "verify-ca", "verify-full"}:
        raise WrongCommand("engine.database_open", setting=DATABASE)
    who = f"{parts.username}@" if parts.username else ""
    place = f"{who}{f'[{host}]' if ':' in host else host}:{port}"
    query = urlencode({"ssl": mode})
    url = urlunsplit(("postgresql+asyncpg", place, parts.path, query, ""))
    return {"PREFECT_SERVER_DATABASE_CONNECTION_URL": url}


def require_named_server() -> None:
    """Raise WrongCommand where the environment names no server, or one reached in the clear.

    Whoever hears the word on its way could start any phase of the township.
    """
    named = os.environ.get("PREFECT_API_URL")
    if not named:
        raise WrongCommand("engine.no_server")
    parts = urlsplit(named)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise WrongCommand("engine.open_server")


def server_file(home: Home) -> Path:
    """Return where `campaign up` writes at which port its server is, and the word; 0600."""
    return home.prefect / "server.json"


def running_server(home: Home) -> Server | None:
    """Return the server that `campaign up` runs for this home, None where none answers."""
    try:
        told = json.loads(server_file(home).read_text(encoding="utf-8"))
        server = Server(int(told["port"]), str(told["word"]))
        teller = int(told["process"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # there is none
    return server if _is_alive(teller) and server.answers() else None


def tell_server(home: Home, server: Server) -> None:
    """Let other commands of this home find the server while this process lives."""
    told = {"port": server.port, "word": server.word, "process": os.getpid()}
    write_whole(server_file(home), json.dumps(told).encode("ascii"))


def use_server(home: Home) -> bool:
    """Have this process talk to the server PREFECT_API_URL names, else that of `campaign up`.

    Return whether there is one. Must come before anything imports prefect, which reads its settings
    then.
    """
    _be_quiet(home)
    if "PREFECT_API_URL" in os.environ:
        return True
    server = running_server(home)
    if server is None:
        return False
    os.environ.update(server.environment)
    return True


def uses_own_server(home: Home) -> bool:
    """Answer whether the server that this process talks to is the one `campaign up` runs here."""
    server = running_server(home)
    return server is not None and os.environ.get("PREFECT_API_URL") == server.url


@contextmanager
def prefect_server(home: Home) -> Iterator[Callable[[], None]]:
    """Have a Prefect server for what runs inside.

    The one PREFECT_API_URL names, else that of `campaign up`, else one of our own. Yields a
    function that waits until the server answers and raises WrongCommand where it does not: so other
    slow work can be done meanwhile. Ours keeps its database, logs and storage under the home
    and ends with the command. Must be entered before anything imports prefect, which reads its
    settings then.
    """
    named = "PREFECT_API_URL" in os.environ
    if use_server(home):
        try:
            yield _require_answer if named else lambda: None
        finally:
            if not named:
                _forget_server()
        return
    server = Server(free_port(), fresh_word())
    os.environ.update(server.environment)
    log = home.prefect / "server.log"
    with log.open("wb") as stream:
        process = start_tethered(server.command, without_secrets(os.environ), stream.fileno())
    try:
        yield lambda: wait_for(server, process, log)
    finally:
        end_tethered(process)
        _forget_server()


def start_tethered(
    command: Sequence[str], environment: Mapping[str, str], log: int | None = None
) -> "subprocess.Popen[bytes]":
    """Start a command that ends when this process does, in whatever way, with all that it started.

    `log` is a file's number that takes what it prints; without one it prints where we do.
    """
    return subprocess.Popen(  # noqa: S603 # our own interpreter and fixed words
        [*PYTHON, "cli.tether", str(GRACE), *command],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=None if log is None else subprocess.STDOUT,
        # Ctrl+C is for us: we end it, in order
        start_new_session=True,
    )


def end_tethered(process: "subprocess.Popen[bytes]") -> None:
    """End what `start_tethered` started, and wait until nothing of it is left."""
    assert process.stdin is not None  # noqa: S101 # it was opened as a pipe
    process.stdin.close()
    try:
        process.wait(timeout=2 * GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until `server` answers, which `process` runs. Raises WrongCommand where it does not."""
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        if server.answers():
            return
        time.sleep(0.2)
    end_tethered(process)
    raise WrongCommand("error.server", log=log)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` for the orchestrator: the register's key, the mail server's password and
    what opens the shared ledger's files are not its business."""
    secret = ("CAMPAIGN_", "AWS_")
    return {name: value for name, value in environment.items() if not name.startswith(secret)}


def fresh_word() -> str:
    """Return a new random word, as Prefect takes it: a name, a colon and a password."""
    return f"campaign:{secrets.token_urlsafe(18)}"


def free_port() -> int:
    """Return a port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _require_answer() -> None:
    """Raise WrongCommand where the server that PREFECT_API_URL names does not answer us."""
    from flows.deployments import prefect_api  # noqa: PLC0415 # Prefect reads its settings on import

    with prefect_api() as client:
        client.hello()


def _is_alive(process: int) -> bool:
    """Answer whether a process of this account has that number.

    Whoever listens where a `campaign up` that was killed had its server must not be told the word.
    """
    if sys.platform == "win32":
        return True  # there to ask a process is to end it
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def _be_quiet(home: Home) -> None:
    os.environ.update(QUIET)
    os.environ["CAMPAIGN_HOME"] = str(home.root)
    os.environ["PREFECT_HOME"] = str(private_folder(home.prefect))


def _forget_server() -> None:
    for name in Server(0, "").environment:
        os.environ.pop(name, None)
