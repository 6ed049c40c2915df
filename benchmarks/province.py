"""A province of townships by simulation: sharing, rolling up, and how the shared ledger grows.

`python benchmarks/province.py --home .demo` takes what the demo's township released, gives it to so
many invented townships of the same size with counts of their own, each with its own key, shares it
as they would, one transaction a township and day of release, and rolls all of it up through the
same code as `campaign rollup`. Prints a line for each number of townships: storage and catalogue in
bytes, times as multiples of those at the first number. The shared ledger is the one that
CAMPAIGN_SHARED_LEDGER names, which has to be empty, or a folder that is removed at the end.

The numbers in docs/scale.md come from here.
"""

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tasks.at_home import load_campaigns
from tasks.county import County, Township
from tasks.home import Home
from tasks.rollup import TownshipPhase, read_snapshot, roll_up
from tasks.rules.disclosure import Figure, protect
from tasks.rules.shared import SharedRelease, write_body
from tasks.share import Released, Signed, put_released, read_released
from tasks.shared_ledger import Shared, flush_shared, open_shared, shared_setting
from tasks.signing import make_signing_key
from tasks.store import Store

FEWEST, MOST = 1, 140
"""Between these, evenly, a count of people is drawn: some are withheld, most are not."""


@dataclass(frozen=True)
class Measured:
    """What a number of townships came to."""

    townships: int
    releases: int
    first_share: float
    """Seconds for one transaction, of those at this size the fastest of the first ten."""
    rollup: float
    """Seconds."""
    flushed_rollup: float
    """Seconds, once the rows lie in files."""
    catalogue: int
    """Bytes of the catalogue before the flush."""
    files: int
    """Bytes of the files after it."""
    snapshots: int
    memory: int
    """Bytes: the most this process ever held."""


def main() -> None:
    """Print a line for each number of townships."""
    asked = argparse.ArgumentParser(description="a province by simulation")
    asked.add_argument("--home", type=Path, required=True, help="a home with released figures")
    asked.add_argument("--townships", type=int, nargs="+", default=[10, 100, 1000])
    given = asked.parse_args()
    home = Home(given.home.absolute())
    make_signing_key(home)
    everything = [each.release for each in read_released(home, load_campaigns(home)).signed]
    ((slug, _),) = Counter(each.campaign for each in everything).most_common(1)
    pattern = [each for each in everything if each.campaign == slug]
    with _ledger() as shared:
        found = []
        for count in given.townships:
            before = found[-1].townships if found else 0
            found.append(measure(shared, pattern, before, count))
            sys.stdout.write(line(found[-1], found[0]) + "\n")
            sys.stdout.flush()


def line(found: Measured, first: Measured) -> str:
    """Return a row of the table in docs/scale.md."""
    each = found.catalogue / found.releases
    cells = (
        f"{found.townships:,}",
        f"{found.releases:,}",
        f"{found.snapshots:,}",
        f"{found.first_share / first.first_share:.1f}",
        f"{found.rollup / first.rollup:.1f}",
        f"{found.flushed_rollup / first.flushed_rollup:.1f}",
        f"{found.catalogue / 2**20:,.1f} MiB ({each:,.0f} B)",
        f"{found.files / 2**20:,.1f} MiB ({found.files / found.releases:,.0f} B)",
        f"{found.memory / 2**20:,.0f} MiB",
        f"[{found.first_share * 1000:.0f} ms, {found.rollup:.1f} s, {found.flushed_rollup:.1f} s]",
    )
    return "| " + " | ".join(cells) + " |"


def measure(shared: Shared, pattern: Sequence[SharedRelease], before: int, count: int) -> Measured:
    """Add townships up to `count`, and measure what sharing and rolling up come to then."""
    slug = pattern[0].campaign
    shares = []
    with open_shared(shared, "write") as store:
        for number in range(before, count):
            seconds = _share(store, shared, pattern, number)
            shares += seconds
    releases = count * len(pattern)
    catalogue = _catalogue_bytes(shared)
    county = county_of(count)
    rollup = min(_rolled_up(shared, county, slug) for _ in range(2))
    flush_shared(shared)
    flushed = min(_rolled_up(shared, county, slug) for _ in range(2))
    with open_shared(shared, "read") as store:
        ((snapshots, _),) = store.rows("rollup/newest", snapshot=None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(
        count,
        releases,
        min(shares[-10:]),
        rollup,
        flushed,
        catalogue,
        _file_bytes(shared),
        snapshots,
        peak,
    )


def _share(
    store: Store, shared: Shared, pattern: Sequence[SharedRelease], number: int
) -> list[float]:
    """Share a township's releases, those of a day at once; return the seconds of each time."""
    key = signing_key(number)
    chance = Random(number)  # noqa: S311 # nothing is secret here
    signed = [_signed(release_of(each, number, chance), key) for each in pattern]
    seconds, so_far = [], []
    for _, day in groupby(signed, key=lambda each: each.release.as_of):
        so_far += day
        start = time.perf_counter()
        put_released(store, shared, Released(code_of(number), tuple(so_far), ()), public(key))
        seconds.append(time.perf_counter() - start)
    return seconds


def _rolled_up(shared: Shared, county: County, slug: str) -> float:
    """Return the seconds of a rollup. Ends the run where a township is not in it."""
    start = time.perf_counter()
    snapshot = read_snapshot(shared, county, slug)
    found = roll_up(shared, county, slug, snapshot, datetime.now(UTC).date())
    seconds = time.perf_counter() - start
    counted: list[TownshipPhase] = [
        each for phase in found.phases for each in phase.townships if each.revision is not None
    ]
    if found.set_aside or len(counted) != len(county.townships) * len(found.phases):
        raise SystemExit("a township was not counted")
    return seconds


def release_of(pattern: SharedRelease, number: int, chance: Random) -> SharedRelease:
    """Return a release like `pattern` of another township, with counts of people of its own."""
    code = code_of(number)
    return replace(
        pattern,
        township=code,
        figures=tuple(_drawn(each, pattern, chance) for each in pattern.figures),
        villages=tuple(replace(each, village=code + each.village[9:]) for each in pattern.villages),
    )


def _drawn(figure: Figure, pattern: SharedRelease, chance: Random) -> Figure:
    if figure.unit != "people":
        return figure
    drawn = float(chance.randint(FEWEST, MOST))
    rules = {"withhold_to": pattern.withhold_to, "round_to": pattern.round_to}
    return protect(figure.name, figure.unit, "", drawn, **rules)


def _signed(release: SharedRelease, key: Ed25519PrivateKey) -> Signed:
    body = write_body(release)
    return Signed(release, body, key.sign(body.encode()).hex())


def signing_key(number: int) -> Ed25519PrivateKey:
    """Return the key of a township: always the same."""
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))


def public(key: Ed25519PrivateKey) -> str:
    """Return what its county knows it by."""
    return key.public_key().public_bytes_raw().hex()


def code_of(number: int) -> str:
    """Return the nine digits of a township."""
    return f"99{number:07d}"


def county_of(count: int) -> County:
    """Return a county of so many townships."""
    return County(
        name="测速县",
        name_en="Benchmark County",
        townships=tuple(
            Township(
                code=code_of(number),
                name=f"{number}镇",
                key=public(signing_key(number)),
                joined=date(2020, 1, 1),
            )
            for number in range(count)
        ),
    )


@contextmanager
def _ledger() -> Iterator[Shared]:
    """Yield the shared ledger that is set, else one that is removed afterwards."""
    shared = shared_setting()
    if shared is not None:
        yield shared
        return
    with TemporaryDirectory() as folder:
        yield Shared(files=str(Path(folder) / "files"), folder=Path(folder))


def _catalogue_bytes(shared: Shared) -> int:
    with open_shared(shared, "write") as store:
        if shared.folder is None:
            ((size,),) = store.connection.execute(
                "FROM postgres_query('__ducklake_metadata_shared',"
                " 'SELECT pg_database_size(current_database())')"
            ).fetchall()
            return int(size)
    return (shared.folder / "catalogue.ducklake").stat().st_size if shared.folder else 0


def _file_bytes(shared: Shared) -> int:
    return sum(path.stat().st_size for path in Path(shared.files).rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
