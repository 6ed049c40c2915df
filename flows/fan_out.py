"""Pieces worked out on Dask's workers, through Prefect: few and large, as each costs both of them.

On this machine the workers are processes of their own, on loopback, behind certificates that live
as long as they do; no page is served, nothing is spilled to disk, nothing is reported to anybody.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import dask
from distributed import Client, LocalCluster, Security
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect_dask.task_runners import DaskTaskRunner

from flows.engine import OWN_TO_A_HOME, PieceFailed
from flows.steps import in_this_process, value_free
from tasks.rules.errors import CampaignError, CheckFailed, StoreBusy

P = TypeVar("P")
R = TypeVar("R")

DEATHS = 4
"""A piece of which so many workers died is not given to another."""

ANSWERS_WITHIN = 30
"""Seconds that a cluster which is there has for answering."""

_QUIET = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    "distributed.diagnostics.nvml": False,
    "distributed.comm.timeouts.connect": f"{ANSWERS_WITHIN}s",
    "logging": {"distributed": "critical"},
}


@dataclass(frozen=True)
class _Fell:
    """What a worker tells of a piece that failed."""

    code: int
    text: str


def fan_out(
    address: str,
    workers: int,
    name: str,
    function: Callable[[P], R],
    pieces: Sequence[P],
    tell_lost: Callable[[int], None],
) -> list[R]:
    """Return what `function` gives for each piece, in their order, as `engine.run_pieces` says.

    `address` is that of a cluster that is there; '' makes one of so many `workers`, for this call.
    """
    found: list[Any] = []
    with (
        dask.config.set(_QUIET),
        _cluster(address, workers) as (at, security),
        _connected(at, security) as client,
    ):
        runner = DaskTaskRunner(address=at, client_kwargs={"security": security})

        @flow(
            name=name,
            task_runner=runner,  # type: ignore[arg-type] # its futures are of a narrower type
            persist_result=False,
            log_prints=False,
        )
        def pieces_of() -> None:
            submitted = [_work_out.submit(function, piece) for piece in pieces]
            found.extend(_result(each) for each in submitted)
            fell = next((each for each in found if isinstance(each, _Fell)), None)
            if fell is not None:
                raise PieceFailed(fell.code, fell.text)

        before = _lost(client)
        try:
            with in_this_process():
                pieces_of()
        finally:
            if lost := _lost(client) - before:
                tell_lost(lost)
    return found


def _one_piece(function: Callable[[P], R], piece: P) -> R | _Fell:
    """Work a piece out, in the worker: an error does not leave it but for its line."""
    try:
        return value_free("piece", function)(piece)
    except CampaignError as error:
        return _Fell(int(error.exit), error.text())


_work_out = task(name="piece", cache_policy=NO_CACHE, persist_result=False, log_prints=False)(
    _one_piece
)


def _result(future: Any) -> Any:
    """Return what a piece came to. Raises CheckFailed where its workers died of it, or with it."""
    with suppress(Exception):  # Dask's own words name what the piece was
        return future.result()
    raise CheckFailed("engine.gave_up", count=DEATHS)


@contextmanager
def _cluster(address: str, workers: int) -> Iterator[tuple[str, Security | None]]:
    """Yield the address of a cluster and what lets us in; one of our own ends with the block."""
    if address:
        yield address, None
        return
    security = Security.temporary()  # type: ignore[no-untyped-call]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        with _without_keys():
            cluster = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    protocol="tls://",
                    security=security,
                    # no page to look at; what answers health checks takes any free port
                    scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                    memory_limit=0,
                    local_directory=folder,
                    silence_logs=logging.CRITICAL,
                )
            )
        yield cluster.scheduler_address, security


@contextmanager
def _without_keys() -> Iterator[None]:
    """Keep what opens one home out of the environment while processes are started."""
    kept = {name: os.environ.pop(name) for name in OWN_TO_A_HOME if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


@contextmanager
def _connected(address: str, security: Security | None) -> Iterator[Client]:
    """Yield a client of a cluster. Raises StoreBusy where it does not answer, or not to us."""
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, security=security, timeout=ANSWERS_WITHIN, set_as_default=False
        )
    except (OSError, TypeError, ValueError):  # what is wrong with certificates is any of these
        client = None
    if client is None:
        raise StoreBusy("engine.no_cluster", address=address)
    with client:
        yield client


def _lost(client: Client) -> int:
    """Return how many workers died while pieces were with them."""
    events = [told for _, told in client.get_events("all")]
    gone = [each for each in events if each.get("action") == "remove-worker"]
    return sum(bool(each["processing-tasks"]) and not each["expected"] for each in gone)
