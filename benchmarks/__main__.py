"""`make bench`: how our ways compare with others, in one run on this machine, and the page of it.

Prints a table, and writes it with a picture into docs/performance.md. Ratios only: how many seconds
anything takes says more about the machine. The ways are run in turn, each in a process of its own,
and the fastest of each counts, since what else the machine does only ever adds. That all of them
give the same figures is compared, not assumed.
"""

import argparse
import json
import math
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.delivery import write_delivery
from benchmarks.figures import differing
from benchmarks.page import picture, rewrite, tables

SIZES = (1_000, 10_000, 100_000, 1_000_000)
TURNS = {1_000: 3, 10_000: 3, 100_000: 2, 1_000_000: 2}
"""Rows -> how often each way is run; once where it is not here."""
PATIENCE = 120.0
"""Seconds that the data frames may be expected to take; what would take longer is left out."""
_MIB = 2**20
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Cost:
    """What one way took at one size: seconds, processor seconds, most bytes at one time."""

    took: float
    busy: float
    peak: int


@dataclass(frozen=True)
class Measured:
    """What was measured of one delivery."""

    rows: int
    costs: Mapping[str, Cost]
    """Way -> what it took; without the one that was left out."""
    checks: Mapping[str, float]
    """Way of checking -> seconds; empty where the data frames were left out."""


def main() -> None:
    """Measure, print and write the page."""
    asked = argparse.ArgumentParser(description="ratios measured in one run on this machine")
    asked.add_argument("--sizes", default=",".join(map(str, SIZES)), help="rows, with commas")
    asked.add_argument("--dry", action="store_true", help="print, and leave the page as it is")
    given = asked.parse_args()
    found: list[Measured] = []
    for rows in map(int, given.sizes.split(",")):
        before = found[-1] if found else None
        found.append(measured(rows, _without(before, rows)))
    with TemporaryDirectory() as folder:
        commands = run("commands", Path(folder), 0)[1]
        phases = run("phases", Path(folder), 0)[1]
    text = tables(found, commands, phases)
    sys.stdout.write(text)
    if not given.dry:
        rewrite(_ROOT / "docs" / "performance.md", text, picture(found))


def _without(before: Measured | None, rows: int) -> frozenset[str]:
    """Return the ways that would take too long, as it looks from the size before."""
    if before is None:
        return frozenset()
    office = before.costs.get("office")
    slow = office is None or office.took * rows / before.rows > PATIENCE
    return frozenset({"office"}) if slow else frozenset()


def measured(rows: int, without: frozenset[str] = frozenset()) -> Measured:
    """Measure all ways but `without` on one delivery. Ends the run where their figures differ."""
    ways = [way for way in ("by_hand", "kept", "ours", "office") if way not in without]
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    with TemporaryDirectory(prefix="campaign-bench-") as made:
        folder = Path(made)
        write_delivery(folder, rows)
        figures: dict[str, Any] = {}
        for turn in range(TURNS.get(rows, 1)):
            for way in ways:
                _clear(folder, turn, way)
                cost, listed = run(way, folder, rows)
                costs[way].append(cost)
                figures[way] = {(name, village): value for name, village, value in listed}
        for way in ways[1:]:
            if differ := differing(figures["by_hand"], figures[way]):
                raise SystemExit(f"{way} and by_hand differ in {len(differ)} figures: {differ[:3]}")
        # a data frame of what is too much for the office is too much for this machine
        checks = {} if "office" in without else run("checks", folder, rows)[1]
    if len({json.dumps(counts, sort_keys=True) for _, counts in checks.values()}) > 1:
        raise SystemExit("the ways of checking count differently")
    return Measured(
        rows,
        {way: _least(several) for way, several in costs.items()},
        {way: took for way, (took, _) in checks.items()},
    )


def _clear(folder: Path, turn: int, way: str) -> None:
    if way == "ours" and turn:
        for path in sorted((folder / "home").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (folder / "home").rmdir()


def _least(costs: Sequence[Cost]) -> Cost:
    return Cost(
        min(each.took for each in costs),
        min(each.busy for each in costs),
        max(each.peak for each in costs),
    )


def run(way: str, folder: Path, rows: int) -> tuple[Cost, Any]:
    """Run one way in a process of its own; return what it took and what it found."""
    command = [sys.executable, "-m", "benchmarks.contestant", way, str(folder), str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT) as process:  # noqa: S603 # ours
        watcher = _Watcher(process.pid)
        watcher.start()
        told = process.communicate()[0]
        watcher.stop()
    if process.returncode:
        raise SystemExit(f"{way} failed at {rows} rows")
    answer = json.loads(told)
    return Cost(answer["took"], answer["busy"], watcher.peak), answer["found"]


class _Watcher(threading.Thread):
    """Notes the most memory that a process and those it started hold at one time."""

    def __init__(self, process: int) -> None:
        super().__init__()
        self._process = process
        self._done = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._done.wait(0.02):
            self.peak = max(self.peak, sum(map(_held, _family(self._process))))

    def stop(self) -> None:
        """End the watch."""
        self._done.set()
        self.join()


def _family(process: int) -> list[int]:
    """Return a process and all that come from it, as long as they are there."""
    found = [process]
    for each in found:
        try:
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def _held(process: int) -> int:
    try:
        resident = Path(f"/proc/{process}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(resident) * 4096


def exponent(fewer: Cost, more: Cost, times: float) -> float:
    """Return the power of the rows with which the time grows: 1 is in proportion."""
    return math.log(more.took / fewer.took) / math.log(times)


if __name__ == "__main__":
    main()
