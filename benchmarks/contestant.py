"""One way to the figures, or of checking rows, in a process of its own: so its memory is its own.

`python -m benchmarks.contestant WAY FOLDER ROWS` works on the delivery in FOLDER and prints what it
took and what it found as JSON. What it imports is not counted: nobody imports for each delivery.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.delivery import delivery_in
from benchmarks.figures import Figures


def main() -> None:
    """Run one way and say what came of it."""
    way, folder, rows = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    work, told = WAYS[way](folder, rows)
    start, busy = time.perf_counter(), _processor()
    found = work()
    took, busy = time.perf_counter() - start, _processor() - busy
    json.dump({"took": took, "busy": busy, "found": told(found)}, sys.stdout)


def _processor() -> float:
    """Return the processor time of this process and of those it started and waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


_Way = tuple[Callable[[], Any], Callable[[Any], Any]]


def _listed(figures: Figures) -> list[tuple[str, str, float | None]]:
    return [(name, village, value) for (name, village), value in figures.items()]


def _ours(folder: Path, rows: int) -> _Way:
    from benchmarks.figures import published  # noqa: PLC0415 # each imports its own, before it is timed
    from benchmarks.ours import publish_all  # noqa: PLC0415
    from tasks.home import Home  # noqa: PLC0415

    home = Home(folder / "home")
    return (
        lambda: publish_all(home, delivery_in(folder, rows)),
        lambda _: _listed(published(home.ledger)),
    )


def _by_hand(folder: Path, rows: int) -> _Way:
    import pandas  # noqa: F401, PLC0415 # DuckDB does, as soon as it is given parameters

    from benchmarks.by_hand import publish_all  # noqa: PLC0415

    return lambda: publish_all(delivery_in(folder, rows)), _listed


def _kept(folder: Path, rows: int) -> _Way:
    from benchmarks.by_hand import keep_and_publish_all  # noqa: PLC0415
    from benchmarks.ours import KEY  # noqa: PLC0415

    file = folder / "kept.duckdb"
    file.unlink(missing_ok=True)
    return lambda: keep_and_publish_all(delivery_in(folder, rows), file, KEY), _listed


def _office(folder: Path, rows: int) -> _Way:
    from benchmarks.office import publish_all  # noqa: PLC0415

    return lambda: publish_all(delivery_in(folder, rows)), _listed


def _checks(folder: Path, rows: int) -> _Way:
    """All three ways of checking, one after another, on the register that `ours` left."""
    from benchmarks import checks  # noqa: PLC0415
    from benchmarks.ours import ACT, KEY  # noqa: PLC0415
    from tasks.home import Home  # noqa: PLC0415
    from tasks.register import open_register  # noqa: PLC0415

    def work() -> dict[str, Any]:
        found: dict[str, Any] = {}
        with open_register(Home(folder / "home"), key=KEY, act=ACT) as store:
            frame = checks.frame_of(store)
            ways: dict[str, Callable[[], checks.Counts]] = {
                "ours": lambda: checks.ours(store),
                "by_hand": lambda: checks.by_hand(store),
                "office": lambda: checks.on_a_frame(frame),
            }
            for _ in range(3):
                for name, way in ways.items():
                    start = time.perf_counter()
                    counts = way()
                    took = time.perf_counter() - start
                    before = found.get(name, (took, counts))[0]
                    found[name] = (min(took, before), counts)
        return found

    return work, lambda found: found


def _commands(folder: Path, rows: int) -> _Way:  # of a home without a delivery
    """How long `--help` and `status` take, as the share of what they may take."""
    import os  # noqa: PLC0415
    import subprocess  # noqa: PLC0415

    root = Path(__file__).parent.parent
    plan = root / "data" / "campaigns" / "autumn-2025.toml"

    def work() -> dict[str, float]:
        with TemporaryDirectory() as home:
            env = {**os.environ, "CAMPAIGN_HOME": str(Path(home) / "home")}

            def timed(*arguments: str) -> float:
                start = time.perf_counter()
                command = [sys.executable, "-m", "cli", *arguments]
                subprocess.run(command, env=env, check=True, capture_output=True, cwd=root)  # noqa: S603 # ours
                return time.perf_counter() - start

            timed("init", "--plan", str(plan))
            return {
                "--help": min(timed("--help") for _ in range(3)) / 0.5,
                "status": min(timed("status") for _ in range(3)) / 2,
            }

    return work, lambda found: found


def _phases(folder: Path, rows: int) -> _Way:  # of a township of its own size
    """How long the flow of a phase takes, as the share of what it may take."""
    from benchmarks import phases  # noqa: PLC0415 # not for the other ways

    return lambda: phases.shares(folder, _processor), lambda found: found


WAYS: dict[str, Callable[[Path, int], _Way]] = {
    "ours": _ours,
    "by_hand": _by_hand,
    "kept": _kept,
    "office": _office,
    "checks": _checks,
    "commands": _commands,
    "phases": _phases,
}


if __name__ == "__main__":
    main()
