"""Where the pieces of much work are worked out: here, or on Dask's workers, by one setting.

A piece is large: a home's inbox, some hundred townships. What goes to a worker is what is to be
done and with what; what comes back is plain data, or an error's exit code and its one line. Neither
holds a person or a key, so Prefect and Dask, which keep and log much, have nothing to tell.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from tasks.rules.errors import CampaignError, Exit, WrongCommand

SETTING = "CAMPAIGN_ENGINE"

OWN_TO_A_HOME = ("CAMPAIGN_HOME", "CAMPAIGN_KEY", "CAMPAIGN_KEY_FILE", "CAMPAIGN_SMTP_PASSWORD")
"""Variables that what works for many homes does not hand on: each finds its own key."""

P = TypeVar("P")
R = TypeVar("R")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Engine:
    """What works the pieces out."""

    kind: Literal["here", "dask", "cluster"]
    """This process, one after the other; processes of this machine; a cluster that is there."""
    address: str = ""
    """Of the cluster's scheduler."""


HERE = Engine("here")


class PieceFailed(CampaignError):
    """A piece failed where it was worked out: its line and its exit code are those from there."""

    def __init__(self, code: int, text: str) -> None:
        """Take what was told; the line holds no value of the data."""
        super().__init__("engine.piece", text=text)
        self.exit = Exit(code)


def engine_setting() -> Engine:
    """Return what CAMPAIGN_ENGINE names; `here` where it is not set.

    Raises WrongCommand for anything else than here, dask, tls://HOST:PORT or, on this machine,
    tcp://HOST:PORT: whoever reaches a worker in the clear can have it run anything.
    """
    text = os.environ.get(SETTING, "").strip()
    if text in {"", "here"}:
        return HERE
    if text == "dask":
        return Engine("dask")
    parts = urlsplit(text)
    try:
        complete = parts.scheme in {"tcp", "tls"} and parts.hostname and parts.port
    except ValueError:
        complete = None
    if not complete:
        raise WrongCommand("engine.setting", setting=SETTING)
    if parts.scheme == "tcp" and parts.hostname not in _LOOPBACK:
        raise WrongCommand("engine.open_cluster", setting=SETTING)
    return Engine("cluster", text)


def run_pieces(
    engine: Engine,
    name: str,
    function: Callable[[P], R],
    pieces: Sequence[P],
    *,
    tell_lost: Callable[[int], None],
    workers: int | None = None,
) -> list[R]:
    """Return what `function` gives for each piece, in their order, whatever the engine.

    `function`, the pieces and what it returns have to be picklable, and `function` safe to run
    twice: a piece whose worker died is given to another, and `tell_lost` is told how many were
    lost. `workers` is how many processes to have on this machine (default: one a processor). Beside
    another engine than `here` a Prefect server has to be at hand; its flow is called `name`. Raises
    what the first failing piece raises, from a worker as PieceFailed; StoreBusy where the cluster
    does not answer; CheckFailed where a piece's workers die again and again.
    """
    if engine == HERE:
        return [function(piece) for piece in pieces]
    from flows.fan_out import fan_out  # noqa: PLC0415 # seconds, which those without Dask are spared

    most = min(workers or os.cpu_count() or 1, max(len(pieces), 1))
    return fan_out(engine.address, most, name, function, pieces, tell_lost)
