"""Prefect's own server for the length of a command: on loopback, behind a random word, silent."""

import base64
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.home import Home, private_folder
from tasks.rules.errors import WrongCommand

START_WITHIN = 120.0
"""Seconds. A busy 2-core machine has needed 40."""

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}


@contextmanager
def prefect_server(home: Home) -> Iterator[Callable[[], None]]:
    """Have a Prefect server for what runs inside: the one PREFECT_API_URL names, else one of ours.

    Yields a function that waits until the server answers and raises WrongCommand where it does not
    start: so other slow work can be done meanwhile. Ours keeps its database, logs and storage under
    the home and ends with the command. Must be entered before anything imports prefect, which reads
    its settings then.
    """
    os.environ.update(QUIET)
    os.environ["CAMPAIGN_HOME"] = str(home.root)
    os.environ["PREFECT_HOME"] = str(private_folder(home.prefect))
    if "PREFECT_API_URL" in os.environ:
        yield lambda: None
        return
    port = _free_port()
    word = f"campaign:{secrets.token_urlsafe(18)}"
    ours = {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_UI_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_AUTH_STRING": word,
        "PREFECT_SERVER_API_AUTH_STRING": word,
    }
    os.environ.update(ours)
    process = _start(home, port)
    health = f"http://127.0.0.1:{port}/api/health"
    try:
        yield lambda: _wait(process, health, word, home.prefect / "server.log")
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for name in ours:
            os.environ.pop(name, None)


def _start(home: Home, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "prefect", "server", "start"]
    with (home.prefect / "server.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 # our own interpreter and fixed words
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            # neither the register's key nor the mail server's password is the orchestrator's
            env={
                name: value
                for name, value in os.environ.items()
                if not name.startswith("CAMPAIGN_")
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _wait(process: subprocess.Popen[bytes], url: str, word: str, log: Path) -> None:
    request = urllib.request.Request(url)  # noqa: S310 # http on loopback
    token = base64.b64encode(word.encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(request, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    process.kill()
    raise WrongCommand("error.server", log=log)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
