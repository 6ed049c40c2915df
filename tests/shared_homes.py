"""Townships with something to share, and what processes of theirs do at the same time."""

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from released_rows import make_ledger, number, release, township
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.plan import Plan
from tasks.rules.errors import CampaignError
from tasks.share import Shares, share_releases
from tasks.shared_ledger import Shared
from tasks.signing import make_signing_key
from tasks.store import Store

PROCESSES = multiprocessing.get_context("forkserver")
"""Forked from a process that has all imported and no open connection, unlike this one."""
PROCESSES.set_forkserver_preload(["shared_homes"])


def utc_now() -> datetime:
    """This machine's time, UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def plan_of(code: str) -> Plan:
    """The plan of the township with this code of nine digits."""
    plan = township()
    centre = plan.health_centre.model_copy(update={"code": f"{code}000"})
    return plan.model_copy(update={"health_centre": centre})


def make_township(root: Path, code: str, revisions: int = 3) -> tuple[Home, dict[str, Plan]]:
    """Make a home with a signing key that released so many revisions; return it and its plans."""
    home = make_ledger(root)
    make_signing_key(home)
    with open_ledger(home, "write") as store:
        for each in range(1, revisions + 1):
            release_one(store, each)
    return home, {"autumn-2025": plan_of(code)}


def started(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a process that does `target`."""
    process = PROCESSES.Process(target=target, args=arguments)
    with pytest.MonkeyPatch.context() as patched:
        # the first one starts the process they are forked from, which has to find this module
        patched.setenv("PYTHONPATH", str(Path(__file__).parent))
        process.start()
    return process


def release_many(store: Store, first: int, last: int, figures: int) -> None:
    """Release these revisions of the list, with figures that no storage makes shorter."""
    store.connection.execute(
        """INSERT INTO ledger.out_revision SELECT
            'autumn-2025', 'list_compilation', 0, range, '2025-10-31', '2025-10-31', false, NULL,
            'due', 'content', '2025-11-01 09:00:00' FROM range($1, $2 + 1)""",
        [first, last],
    )
    store.connection.execute(
        """INSERT INTO ledger.out_figure SELECT
            'autumn-2025', 'list_compilation', 0, each.range, 'office', figure.range,
            sha256(each.range || '-' || figure.range), 'files', '', each.range, 'released'
        FROM range($1, $2 + 1) AS each, range($3) AS figure""",
        [first, last, figures],
    )


def release_one(store: Store, revision: int) -> None:
    """Release a revision of the list, with a count that tells it from the others."""
    figures = [number("people_listed", "people", 40 + 5 * revision)]
    release(store, "list_compilation", figures, revision=revision, states=["on_time", "late"])


def share(home: Home, plans: Mapping[str, Plan], shared: Shared) -> Shares:
    """Share what a home released, now."""
    return share_releases(home, plans, shared, utc_now())


def share_in_rounds(
    root: Path, code: str, shared: Shared, environment: Mapping[str, str], rounds: int
) -> None:
    """In a process of its own: release and share, again and again."""
    os.environ.update(environment)
    home, plans = Home(root), {"autumn-2025": plan_of(code)}
    for each in range(1, rounds + 1):
        with open_ledger(home, "write") as store:
            release_one(store, each)
        share(home, plans, shared)


def share_and_tell(
    root: Path, code: str, shared: Shared, environment: Mapping[str, str], pipe: Connection
) -> None:
    """In a process of its own: share, and say so at the moment when rows are about to be put."""
    os.environ.update(environment)
    run = Store.run

    def told(store: Store, name: str, **parameters: object) -> None:
        if name == "shared/put":
            pipe.send(name)
        run(store, name, **parameters)  # type: ignore[arg-type]

    Store.run = told  # type: ignore[method-assign,assignment]
    share(Home(root), {"autumn-2025": plan_of(code)}, shared)


def share_within(most_bytes: int, root: Path, code: str, shared: Shared, pipe: Connection) -> None:
    """In a process of its own, none of whose files may grow larger: share.

    Tells the wording key and the exit code of what it was refused with, if it was.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    try:
        share(Home(root), {"autumn-2025": plan_of(code)}, shared)
    except CampaignError as refused:
        pipe.send((refused.key, int(refused.exit)))
    else:
        pipe.send(None)
