"""A province of townships by simulation: sharing, rolling up, and how the shared ledger grows.

`python -m benchmarks.province --home .demo` takes what the demo's township released, gives it to so
many invented townships of the same size with counts of their own, each with its own key. They share
it as they would: day by day of release, one transaction a township and day, and `campaign share
flush` at the end of each month but the last; with `--at-once`, all that a township released in one
transaction and no flush before the end. Then all of it is rolled up, by the command too.
Prints a row for each number of townships, as multiples of those at the first number, how each
column grew from the last but one to the last, and what that comes to for the whole country. The
shared ledger is the one that CAMPAIGN_SHARED_LEDGER names, which has to be empty, or a folder that
is removed at the end.

In PostgreSQL, with `--latency`, it also tells how many turns a share and a rollup take at the
catalogue and at the storage, and how long with so many milliseconds each. With `--writers` nothing
of that: so many processes share at the same moment, after as many that did one after another.

The numbers in docs/scale.md come from here.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import groupby, pairwise
from math import log
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.wire import Wire, wire_to
from tasks.at_home import load_campaigns
from tasks.county import County, Township
from tasks.home import Home
from tasks.rollup import read_snapshot, roll_up
from tasks.rules.disclosure import Figure, protect
from tasks.rules.shared import SharedRelease, write_body
from tasks.share import Released, Signed, put_released, read_released
from tasks.shared_ledger import (
    SETTING,
    Shared,
    clocks_apart,
    flush_shared,
    open_shared,
    shared_setting,
    until_unchanged,
)
from tasks.signing import make_signing_key
from tasks.store import Store

FEWEST, MOST = 1, 140
"""Between these, evenly, a count of people is drawn: some are withheld, most are not."""

PROCESSES = get_context("forkserver")

ALONE = 3
"""How many writers are measured one after another."""

COUNTRY = 41_000
"""Townships of the country, about."""


@dataclass(frozen=True)
class Measured:
    """What a number of townships came to; times in seconds of processor, sizes in bytes.

    Of the processor, since others may use the machine meanwhile; what PostgreSQL uses is left out.
    """

    townships: int
    releases: int
    snapshots: int
    share: float
    """One transaction, the median of the last day's, of the later half of the townships."""
    rollup: float
    """The reading, judging and adding up, with what is not flushed yet in the catalogue."""
    flushed_rollup: float
    """The same once all rows lie in files."""
    command: float
    """`campaign rollup`, pages, gate and start of the program included, after the flush."""
    memory: int
    """The most that the command held."""
    catalogue: int
    """Before the last flush."""
    flushed_catalogue: int
    files: int
    """After the last flush."""


GROWING = ("share", "rollup", "flushed_rollup", "command")
SIZES = ("memory", "catalogue", "flushed_catalogue", "files")


def main() -> None:
    """Print a row for each number of townships, the growth, and what the country comes to."""
    asked = argparse.ArgumentParser(description="a province by simulation")
    asked.add_argument("--home", type=Path, required=True, help="a home with released figures")
    asked.add_argument("--townships", type=int, nargs="+", default=[10, 100, 1000])
    asked.add_argument("--at-once", action="store_true", help="one transaction a township")
    asked.add_argument("--latency", type=float, nargs="+", default=[], help="milliseconds a turn")
    asked.add_argument("--writers", type=int, nargs="+", help="processes that share at one moment")
    given = asked.parse_args()
    home = Home(given.home.absolute())
    make_signing_key(home)
    everything = [each.release for each in read_released(home, load_campaigns(home)).signed]
    ((slug, _),) = Counter(each.campaign for each in everything).most_common(1)
    pattern = [each for each in everything if each.campaign == slug]
    with _ledger() as shared:
        if shared.folder is not None and (given.writers or given.latency):
            raise SystemExit(f"--writers and --latency need PostgreSQL in {SETTING}")
        days = [pattern] if given.at_once else _days(pattern)
        if given.writers:
            _tell_writers(shared, days, given.writers)
            return
        found: list[Measured] = []
        there = 0
        for count in given.townships:
            found.append(measure(shared, days, there, count))
            _tell(row(found[-1], found[0]))
            there = count
            for latency in given.latency:
                _tell(over_a_network(shared, pattern, there, latency / 1000))
                there += 1
        for one, other in pairwise(found):
            _tell(growth(one, other))
        if len(found) > 1:
            _tell(country(found[-2], found[-1]))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def row(found: Measured, first: Measured) -> str:
    """Return a row of the table in docs/scale.md: counts, multiples of the first, sizes."""
    cells = (
        f"{found.townships:,}",
        f"{found.releases:,}",
        f"{found.snapshots:,}",
        *(f"{getattr(found, name) / getattr(first, name):.2f}" for name in GROWING),
        *(_megabytes(getattr(found, name)) for name in SIZES),
    )
    seconds = ", ".join(f"{getattr(found, name):.3f}" for name in GROWING)
    return f"| {' | '.join(cells)} | [s: {seconds}]"


def growth(one: Measured, other: Measured) -> str:
    """Return by which power of the townships each column grew from one row to another."""
    powers = (f"{name} {exponent(one, other, name):.2f}" for name in (*GROWING, *SIZES))
    return f"from {one.townships:,} to {other.townships:,}: {', '.join(powers)}"


def country(one: Measured, other: Measured) -> str:
    """Return what the whole country comes to if all goes on as from one row to another.

    By the power first; then on a straight line, which tells more where much is there for nothing.
    """
    cells = []
    for name in (*GROWING, *SIZES):
        last = getattr(other, name)
        both = (by_power(one, other, name), on_line(one, other, name))
        told = [_megabytes(each) if name in SIZES else f"{each / last:.1f} times" for each in both]
        cells.append(f"{name} {' or '.join(told)}")
    return f"{COUNTRY:,}, from {other.townships:,}: {', '.join(cells)}"


def exponent(one: Measured, other: Measured, name: str) -> float:
    """Return b where a column grew as townships ** b."""
    grown = getattr(other, name) / getattr(one, name)
    return log(grown) / log(other.townships / one.townships)


def by_power(one: Measured, other: Measured, name: str) -> float:
    """Return a column at COUNTRY townships, if it goes on to grow as townships ** exponent."""
    times = COUNTRY / other.townships
    return float(getattr(other, name) * times ** exponent(one, other, name))


def on_line(one: Measured, other: Measured, name: str) -> float:
    """Return a column at COUNTRY townships, if each of them adds as much as one of these did."""
    grown = getattr(other, name) - getattr(one, name)
    each = grown / (other.townships - one.townships)
    return float(getattr(other, name) + each * (COUNTRY - other.townships))


def _megabytes(size: float) -> str:
    return f"{size / 2**20:,.1f} MiB"


def measure(
    shared: Shared, days: Sequence[Sequence[SharedRelease]], before: int, count: int
) -> Measured:
    """Add townships up to `count`, and measure what sharing and rolling up come to then.

    `days`: what each shares, a transaction a day.
    """
    slug = days[0][0].campaign
    numbers = range(before, count)
    shares = _share(shared, days, numbers)
    catalogue = _catalogue_bytes(shared)
    county = county_of(count)
    rollup = _rolled_up(shared, county, slug)
    flush_shared(shared)
    flushed = _rolled_up(shared, county, slug)
    command, memory = _commanded(shared, county, slug)
    with open_shared(shared, "read") as store:
        ((snapshots, _),) = store.rows("rollup/newest", snapshot=None)
    return Measured(
        townships=count,
        releases=count * sum(map(len, days)),
        snapshots=snapshots,
        share=median(shares[len(shares) // 2 :]),
        rollup=rollup,
        flushed_rollup=flushed,
        command=command,
        memory=memory,
        catalogue=catalogue,
        flushed_catalogue=_catalogue_bytes(shared),
        files=_file_bytes(shared),
    )


def _days(pattern: Sequence[SharedRelease]) -> list[list[SharedRelease]]:
    """Return the releases of each day."""
    days = groupby(sorted(pattern, key=lambda each: each.as_of), key=lambda each: each.as_of)
    return [list(day) for _, day in days]


def _share(shared: Shared, days: Sequence[Sequence[SharedRelease]], numbers: range) -> list[float]:
    """Share what these townships released, day by day; return the seconds of the last day's.

    A township hands over all that it released so far, as `campaign share` does.
    """
    so_far: Mapping[int, list[Signed]] = {number: [] for number in numbers}
    seconds: list[float] = []
    for nth, (_, month) in enumerate(groupby(days, key=lambda day: day[0].as_of.replace(day=1))):
        if nth:
            flush_shared(shared)
        with open_shared(shared, "write") as store:
            for day in month:
                seconds = []
                for number in numbers:
                    so_far[number].extend(_signed(each, number) for each in day)
                    seconds.append(_put(store, shared, number, so_far[number]))
    return seconds


def _put(store: Store, shared: Shared, number: int, signed: Sequence[Signed]) -> float:
    public = public_key(number)
    start = time.process_time()
    put_released(store, shared, Released(code_of(number), tuple(signed), ()), public)
    return time.process_time() - start


def _rolled_up(shared: Shared, county: County, slug: str) -> float:
    """Return the seconds of a rollup. Ends the run where a township is not in it."""
    start = time.process_time()
    snapshot = read_snapshot(shared, county, slug)
    found = roll_up(shared, county, slug, snapshot, datetime.now(UTC).date())
    seconds = time.process_time() - start
    counted = [
        each for phase in found.phases for each in phase.townships if each.revision is not None
    ]
    if found.set_aside or len(counted) != len(county.townships) * len(found.phases):
        raise SystemExit("a township was not counted")
    return seconds


def _commanded(shared: Shared, county: County, slug: str) -> tuple[float, int]:
    """Return the seconds of processor that `campaign rollup` takes, and the most bytes it holds.

    Ends the run where it fails or sets something aside.
    """
    with TemporaryDirectory() as folder:
        listed = Path(folder) / "county.toml"
        listed.write_text(list_of(county), encoding="utf-8")
        setting = os.environ.get(SETTING, "") or str(shared.folder)
        command = [sys.executable, "-P", "-m", "cli", "rollup", "--campaign", slug]
        process = subprocess.Popen(  # noqa: S603 # our own interpreter, fixed words and a slug
            [*command, "--county", str(listed), "--out", str(Path(folder) / "out")],
            env={**os.environ, SETTING: setting},
            stdout=subprocess.DEVNULL,
        )
        # unlike Popen.wait, this tells what this process came to, and not all before it
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"campaign rollup: {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def over_a_network(
    shared: Shared, pattern: Sequence[SharedRelease], number: int, latency: float
) -> str:
    """Return what township `number` waits for as it shares all it released, then its county.

    `latency`: seconds that each turn is held up. One without what `number` shares is all flushed.
    """
    with ExitStack() as stack:
        catalogue = stack.enter_context(wire_to(shared.host, shared.port, latency))
        wires = [catalogue]
        if shared.bucket is not None:
            wires.append(stack.enter_context(_to_storage(latency)))
        there = replace(shared, host="127.0.0.1", port=catalogue.port)
        signed = [_signed(each, number) for each in pattern]
        released = Released(code_of(number), tuple(signed), ())

        def share() -> None:
            with open_shared(there, "write") as store:
                clocks_apart(there, store, datetime.now(UTC).replace(tzinfo=None))
                put_released(store, there, released, public_key(number))

        county = county_of(number + 1)
        told = [
            f"{name} {_waited(wires, act)}"
            for name, act in (
                ("a share", share),
                ("the same with nothing new", share),
                ("a rollup", lambda: _rolled_up(there, county, pattern[0].campaign)),
            )
        ]
    return f"{number + 1:,} townships, {latency * 1000:g} ms a turn: {'; '.join(told)}"


def _waited(wires: Sequence[Wire], act: Callable[[], object]) -> str:
    """Return how many turns `act` took at each of `wires`, and how many seconds on the clock."""
    before, start = [wire.turns for wire in wires], time.perf_counter()
    act()
    seconds = time.perf_counter() - start
    turns = [wire.turns - past for wire, past in zip(wires, before, strict=True)]
    return f"{' + '.join(map(str, turns))} turns, {seconds:.2f} s"


@contextmanager
def _to_storage(latency: float) -> Iterator[Wire]:
    """Have the storage that AWS_ENDPOINT_URL names reached over a wire."""
    before = os.environ["AWS_ENDPOINT_URL"]
    parts = urlsplit(before)
    with wire_to(parts.hostname or "", parts.port or 80, latency) as wire:
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{wire.port}"
        try:
            yield wire
        finally:
            os.environ["AWS_ENDPOINT_URL"] = before


def _tell_writers(
    shared: Shared, days: Sequence[Sequence[SharedRelease]], sizes: Sequence[int]
) -> None:
    """Print a row for each number of writers."""
    there = 0
    for count in sizes:
        few = min(count, ALONE)
        alone = [_written(shared, days, [there + each])[0] for each in range(few)]
        together = _written(shared, days, range(there + few, there + few + count))
        there += few + count
        _tell(writers_row(alone, together, len(days)))
        _rolled_up(shared, county_of(there), days[0][0].campaign)
        _require_once(shared, sum(map(len, days)), there)
        flush_shared(shared)


def writers_row(alone: Sequence["Written"], together: Sequence["Written"], days: int) -> str:
    """Return what those who shared at the same moment needed, as multiples of one alone."""
    one = median(each.seconds for each in alone)
    busy = median(each.busy for each in alone)
    cells = (
        f"{len(together)}",
        f"{median(each.seconds for each in together) / one:.1f}",
        f"{max(each.seconds for each in together) / one:.1f}",
        f"{median(each.busy for each in together) / busy:.1f}",
        f"{sum(each.tries - days for each in together)}",
    )
    return f"| {' | '.join(cells)} | [s: {one:.2f}, of the processor {busy:.2f}]"


@dataclass(frozen=True)
class Written:
    """What one of several writers needed."""

    seconds: float
    busy: float
    """Of the processor, the server's left out."""
    tries: int
    """How often it began a transaction; those that DuckLake does anew inside are not seen."""


def _written(
    shared: Shared, days: Sequence[Sequence[SharedRelease]], numbers: Sequence[int]
) -> list[Written]:
    """Have these townships share at the same moment, each in a process of its own, day by day.

    Ends the run where one fails.
    """
    start = PROCESSES.Barrier(len(numbers))
    told = PROCESSES.SimpleQueue()
    writers = [
        PROCESSES.Process(target=_write, args=(shared, days, number, start, told))
        for number in numbers
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    if any(writer.exitcode for writer in writers):
        raise SystemExit("a writer could not share")
    return [told.get() for _ in writers]


def _write(
    shared: Shared,
    days: Sequence[Sequence[SharedRelease]],
    number: int,
    start: Barrier,
    told: "SimpleQueue[Written]",
) -> None:
    """In a process of its own: share day by day, as soon as all the others are there."""
    signed = [[_signed(each, number) for each in day] for day in days]
    so_far: list[Signed] = []
    tries = 0

    def share(store: Store) -> None:
        nonlocal tries
        tries += 1
        put_released(store, shared, Released(code_of(number), tuple(so_far), ()), public)

    public = public_key(number)
    start.wait()
    clock, busy = time.perf_counter(), time.process_time()
    for day in signed:
        so_far.extend(day)
        with open_shared(shared, "write") as store:
            until_unchanged(partial(share, store))
    told.put(Written(time.perf_counter() - clock, time.process_time() - busy, tries))


def _require_once(shared: Shared, releases: int, townships: int) -> None:
    """End the run where one of these townships has more or fewer there, or one of them twice."""
    with open_shared(shared, "read") as store:
        for number in range(townships):
            rows = store.records("shared/own", township=code_of(number))
            keys = {(row["campaign"], row["phase"], row["round"], row["revision"]) for row in rows}
            if not len(rows) == len(keys) == releases:
                raise SystemExit("a release is missing, or there twice")


def release_of(pattern: SharedRelease, number: int) -> SharedRelease:
    """Return a release like `pattern` of another township, with counts of people of its own.

    Always the same.
    """
    code = code_of(number)
    chance = Random(f"{number} {pattern.key}")  # noqa: S311 # nothing is secret here
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


def _signed(pattern: SharedRelease, number: int) -> Signed:
    release = release_of(pattern, number)
    body = write_body(release)
    return Signed(release, body, signing_key(number).sign(body.encode()).hex())


def signing_key(number: int) -> Ed25519PrivateKey:
    """Return the key of a township: always the same."""
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))


def public_key(number: int) -> str:
    """Return what its county knows a township by."""
    return signing_key(number).public_key().public_bytes_raw().hex()


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
                key=public_key(number),
                joined=date(2020, 1, 1),
            )
            for number in range(count)
        ),
    )


def list_of(county: County) -> str:
    """Return its `county.toml`."""
    townships = "".join(
        f'[[township]]\ncode = "{each.code}"\nname = "{each.name}"\nkey = "{each.key}"\n'
        f"joined = {each.joined}\n"
        for each in county.townships
    )
    return f'name = "{county.name}"\nname_en = "{county.name_en}"\n{townships}'


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
    with open_shared(shared, "read") as store:
        ((size,),) = store.connection.execute(
            "SELECT sum(file_size_bytes) FROM ducklake_table_info('shared')"
        ).fetchall()
        return int(size)


if __name__ == "__main__":
    main()
