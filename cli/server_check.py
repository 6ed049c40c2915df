"""Whether what `campaign up` runs is there: Prefect's server and the worker that takes its runs."""

import base64
import json
import urllib.error
import urllib.request

from cli.server import Server, running_server, server_file
from tasks.doctor import Finding
from tasks.home import Home

POOL = "campaign"
"""The work pool of prefect.yaml."""


def check_prefect(home: Home) -> list[Finding]:
    """Return whether server and worker of this home answer; the worker is asked for by the server.

    No server at all is no fault: phases can be run by hand.
    """
    if not server_file(home).is_file():
        return [Finding("server", "not_started", "warn")]
    server = running_server(home)
    if server is None:
        return [Finding("server", "silent", "bad")]
    found = [Finding("server", "answers", "ok", {"port": server.port})]
    alive = sum(each.get("status") == "ONLINE" for each in _workers(server))
    if alive:
        return [*found, Finding("worker", "alive", "ok")]
    return [*found, Finding("worker", "none", "bad")]


def _workers(server: Server) -> list[dict[str, object]]:
    """Return what the server knows of the pool's workers; nothing where it has no such pool."""
    token = base64.b64encode(server.word.encode()).decode()
    request = urllib.request.Request(  # noqa: S310 # http on loopback
        f"{server.url}/work_pools/{POOL}/workers/filter",
        data=b"{}",
        headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            workers: list[dict[str, object]] = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return []
    return workers
