"""Whether Prefect's server is there and the township's worker, which takes its runs, is alive."""

import base64
import json
import os
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from cli.server import running_server, server_file
from tasks.at_home import load_campaigns
from tasks.doctor import Finding
from tasks.home import Home
from tasks.rules.errors import CampaignError
from tasks.work_pool import work_pool


def check_prefect(home: Home) -> list[Finding]:
    """Return whether server and worker of this home answer; the worker is asked for by the server.

    The server is the one PREFECT_API_URL names, else that of `campaign up`. None at all is no
    fault: phases can be run by hand.
    """
    if named := os.environ.get("PREFECT_API_URL"):
        where = urlsplit(named).hostname or "-"
        word = os.environ.get("PREFECT_API_AUTH_STRING", "")
        if _ask(f"{named}/admin/version", word) is None:
            return [Finding("server", "elsewhere_silent", "bad", {"host": where})]
        found = Finding("server", "elsewhere", "ok", {"host": where})
        return [found, _worker(home, named, word)]
    if not server_file(home).is_file():
        return [Finding("server", "not_started", "warn")]
    server = running_server(home)
    if server is None:
        return [Finding("server", "silent", "bad")]
    found = Finding("server", "answers", "ok", {"port": server.port})
    return [found, _worker(home, server.url, server.word)]


def _worker(home: Home, url: str, word: str) -> Finding:
    """Return whether a worker of the township's pool is alive; without a plan there is no pool."""
    try:
        pool = work_pool(load_campaigns(home))
    except CampaignError:
        return Finding("worker", "none", "bad")
    workers = _ask(f"{url}/work_pools/{pool}/workers/filter", word, b"{}")
    known = workers if isinstance(workers, list) else []
    alive = any(each.get("status") == "ONLINE" for each in known)
    return Finding("worker", "alive", "ok") if alive else Finding("worker", "none", "bad")


def _ask(url: str, word: str, body: bytes | None = None) -> object:
    """Return what the server answers, None where it does not, or knows nothing of what is asked."""
    headers = {"Content-Type": "application/json"}
    if word:
        headers["Authorization"] = f"Basic {base64.b64encode(word.encode()).decode()}"
    handlers = [urllib.request.ProxyHandler({})] if "127.0.0.1" in url else []
    try:
        request = urllib.request.Request(url, body, headers)  # noqa: S310 # the officer's own
        with urllib.request.build_opener(*handlers).open(request, timeout=5) as answer:
            told: object = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return told
