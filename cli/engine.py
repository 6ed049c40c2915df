"""What `receive-many` and `rollup` need beside Dask: a Prefect server, and a line for what died."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from cli.server import prefect_server
from tasks.home import Home
from tasks.rules.wording import say

if TYPE_CHECKING:
    from flows.engine import Engine


@contextmanager
def engine_at_hand(engine: "Engine") -> Iterator[None]:
    """Have a Prefect server for what `engine` works out inside; `here` needs none.

    The one PREFECT_API_URL names, else one that is gone with the command, and its states too. Must
    be entered before anything imports prefect.
    """
    if engine.kind == "here":
        yield
        return
    with TemporaryDirectory() as folder, prefect_server(Home(Path(folder))) as wait:
        wait()
        yield


def tell_lost(count: int) -> None:
    """Say in a line how many workers died."""
    typer.echo(say("engine.lost", count=count), err=True)
