"""Work of many townships in few large pieces: a county's figures, and the inboxes of many homes.

Each piece is worked out by `flows.engine`, here or on Dask's workers, with the same result.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import ceil
from pathlib import Path

from flows.engine import HERE, OWN_TO_A_HOME, Engine, run_pieces
from tasks.county import County
from tasks.home import Home
from tasks.hosted import InboxStand, not_taken_in
from tasks.rollup import (
    TOWNSHIPS_A_PIECE,
    Piece,
    Rollup,
    Snapshot,
    join_pieces,
    pieces_of,
    roll_up,
    roll_up_piece,
)
from tasks.rules.errors import CheckFailed
from tasks.shared_ledger import Shared

PIECES = 8
"""Into so many a rollup is cut at least, so that a few workers have even work."""

GRACE = 15
"""Seconds that an intake has for ending, once what it is done for is gone."""


@dataclass(frozen=True)
class _SomeTownships:
    """What a worker needs to roll up a piece; where the shared ledger is, holds no password."""

    shared: Shared
    county: County
    campaign: str
    snapshot: int
    townships: tuple[str, ...]


@dataclass(frozen=True)
class _Inbox:
    """What a worker needs to take in a home's inbox. Its key it finds by itself."""

    home: Path
    since: datetime


def roll_up_county(
    engine: Engine,
    shared: Shared,
    county: County,
    campaign: str,
    snapshot: Snapshot,
    as_of: date,
    *,
    tell_lost: Callable[[int], None],
    workers: int | None = None,
) -> Rollup:
    """Return what `tasks.rollup.roll_up` does, worked out by `engine`; raises as it does.

    Each worker reads the shared ledger by itself, with the password of its own environment. The
    rest is as in `run_pieces`.
    """
    if engine == HERE:
        return roll_up(shared, county, campaign, snapshot, as_of)
    most = min(TOWNSHIPS_A_PIECE, max(ceil(len(snapshot.townships) / PIECES), 1))
    pieces = [
        _SomeTownships(shared, county, campaign, snapshot.number, townships)
        for townships in pieces_of(snapshot.townships, most)
    ]
    found = run_pieces(engine, "rollup", _roll_up, pieces, tell_lost=tell_lost, workers=workers)
    return join_pieces(county, campaign, snapshot, found, as_of=as_of)


def receive_homes(
    engine: Engine,
    homes: Sequence[Path],
    *,
    tell_lost: Callable[[int], None],
    workers: int | None = None,
) -> list[InboxStand]:
    """Take in the inbox of each home, in a process of its own, and return how each stands.

    One that cannot be taken in says why, and the others go on. The rest is as in `run_pieces`.
    """
    since = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    pieces = [_Inbox(home, since) for home in homes]
    return run_pieces(
        engine, "receive_many", _take_in, pieces, tell_lost=tell_lost, workers=workers
    )


def _roll_up(piece: _SomeTownships) -> Piece:
    return roll_up_piece(
        piece.shared, piece.county, piece.campaign, piece.townships, piece.snapshot
    )


def _take_in(piece: _Inbox) -> InboxStand:
    """Run `campaign receive-inbox` for a home; it ends with us, should this worker be killed."""
    python = [sys.executable, "-P", "-m"]
    command = [*python, "cli", "receive-inbox", "--home", str(piece.home)]
    process = subprocess.Popen(  # noqa: S603 # our own interpreter, fixed words and a folder
        [*python, "cli.tether", str(GRACE), *command, "--since", piece.since.isoformat()],
        env={name: value for name, value in os.environ.items() if name not in OWN_TO_A_HOME},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # the one line that may leave the process is in what it prints for us
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None  # noqa: S101 # it was opened as a pipe
    assert process.stdout is not None  # noqa: S101 # the same
    with process:
        printed = process.stdout.read()
        process.stdin.close()
    try:
        return InboxStand(**json.loads(printed))
    except (TypeError, ValueError):
        ended = CheckFailed("hosted.ended", home=piece.home.name, code=process.returncode)
    return not_taken_in(Home(piece.home), ended)
