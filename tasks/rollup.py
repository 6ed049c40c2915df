"""A county's figures out of what its townships shared, piece by piece.

A piece is some townships: their rows are judged, what counts is summed by DuckDB, and what is left
of it is small, plain and knows no connection, so that pieces can be worked out anywhere and in any
order. Joining them gives the same whatever they were. Everything is read at one snapshot of the
shared ledger, so that the same snapshot gives the same figures again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from tasks.county import County
from tasks.rules.contract import RUN_PHASES
from tasks.rules.disclosure import RATES
from tasks.rules.errors import CheckFailed, WrongCommand
from tasks.rules.rollup import (
    SUMMED,
    UNIT_OF,
    SetAside,
    SharedRow,
    Signatures,
    contradicted,
    county_state,
    is_for_all,
    judge,
    rate_state,
    set_aside_for_conflict,
    township_state,
)
from tasks.rules.shared import SharedRelease
from tasks.shared_ledger import Shared, open_shared
from tasks.signing import is_signed
from tasks.store import Store

TOWNSHIPS_A_PIECE = 250
"""Few large pieces: each opens the shared ledger. About 4,000 releases, 15 MB."""

LONGEST_BODY = 1_000_000
"""In bytes. A township of 60 villages shares about 8,000 a release; what is longer is none."""

Round = tuple[str, int, str]
"""A phase, its round, and its month or quarter ('' where it has none)."""


@dataclass(frozen=True)
class Snapshot:
    """At which state of the shared ledger everything is read, and whose rows there are."""

    number: int
    taken_at: datetime
    """UTC, by the catalogue's clock."""
    townships: tuple[str, ...]
    """Those of the county, then whoever else shared something of the campaign."""


@dataclass(frozen=True)
class Standing:
    """What counts of a township for a phase and round; all None where nothing does."""

    township: str
    phase: str
    round: int
    revision: int | None
    period: str | None
    status: str | None
    due: date | None
    first_due: date | None
    """The due day of its first release that was not interim."""
    first_shared_at: datetime | None
    """When that was shared, UTC."""
    set_aside: bool
    """Whether something newer than what counts was set aside; its figures are not in the parts."""


@dataclass(frozen=True)
class Part:
    """A figure's sum over the townships of a piece, and how many of them are in which state."""

    phase: str
    round: int
    period: str
    name: str
    value: float
    released: int
    zero: int
    withheld: int


@dataclass(frozen=True)
class RatePart:
    """A rate's two sums over the townships of a piece that released both parts of it."""

    phase: str
    round: int
    period: str
    name: str
    numerator: float
    denominator: float
    released: int
    withheld: int


@dataclass(frozen=True)
class Piece:
    """What some townships come to; plain data, small, to be sent between processes."""

    townships: tuple[str, ...]
    releases: int
    """How many rows were read, each once."""
    standings: tuple[Standing, ...]
    parts: tuple[Part, ...]
    rates: tuple[RatePart, ...]
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True)
class CountyFigure:
    """One figure of the county, made of what townships released."""

    name: str
    unit: str
    state: str
    """One of rules.rollup.COUNTY_STATES."""
    value: float | None
    """None where nothing is known; where `state` is partly, what it comes to at least, and of a
    rate that of the townships that released both parts."""
    released: int
    """How many townships' numbers are in it, zeros among them."""
    withheld: int
    not_reported: int
    """Of the townships that owe the phase, those of which there is no such figure."""


@dataclass(frozen=True)
class TownshipPhase:
    """A township's one state of a phase."""

    township: str
    state: str
    """One of rules.rollup.TOWNSHIP_STATES."""
    revision: int | None
    """That which counts; None where none does."""
    interim: bool
    """Whether that is from before the due day."""
    shared_on: date | None
    """The county's day on which the first release that was not interim was shared."""


@dataclass(frozen=True)
class CountyPhase:
    """A phase and round over the county: its figures, and every township's state."""

    phase: str
    round: int
    period: str | None
    due: date
    """The due day of most townships that released it; of several, the latest."""
    figures: tuple[CountyFigure, ...]
    townships: tuple[TownshipPhase, ...]
    """In the order of the county's list."""

    @property
    def expected(self) -> int:
        """How many townships owe it."""
        return sum(each.state != "not_expected" for each in self.townships)


@dataclass(frozen=True)
class Rollup:
    """A county's figures of a campaign at one snapshot, as of the end of a day."""

    campaign: str
    snapshot: int
    taken_at: datetime
    """UTC, by the catalogue's clock."""
    as_of: date
    """A day of the county; what was due to be shared by then and is not there is missing."""
    releases: int
    phases: tuple[CountyPhase, ...]
    set_aside: tuple[SetAside, ...]


def read_snapshot(
    shared: Shared, county: County, campaign: str, number: int | None = None
) -> Snapshot:
    """Return the snapshot `number` of the shared ledger, the newest where none is named.

    Raises WrongCommand where there is none such, and what `open_shared` raises.
    """
    with open_shared(shared, "read") as store:
        found = store.rows("rollup/newest", snapshot=number)
        if not found:
            raise WrongCommand("rollup.no_snapshot", snapshot=number)
        ((number, taken_at),) = found
        own = tuple(each.code for each in county.townships)
        strangers = store.rows(
            "rollup/strangers", snapshot=number, campaign=campaign, townships=list(own)
        )
        return Snapshot(number, taken_at, own + tuple(code for (code,) in strangers))


def pieces_of(
    townships: Sequence[str], most: int = TOWNSHIPS_A_PIECE
) -> tuple[tuple[str, ...], ...]:
    """Return the townships in pieces of at most `most`, one piece at least."""
    starts = range(0, max(len(townships), 1), most)
    return tuple(tuple(townships[start : start + most]) for start in starts)


def day_of(
    snapshot: Snapshot, county: County, asked: date | None, *, today: date, newest: bool
) -> date:
    """Return the day by whose end late and missing are judged: a day of the county.

    `asked`, where one was named; else `today` for the newest snapshot, and for one that was named
    its own day, so that it gives the same again. Raises WrongCommand for a day to come, and for one
    before the snapshot, when nobody could know what it holds.
    """
    taken_on = county.roll.day(snapshot.taken_at)
    day = asked or (max(today, taken_on) if newest else taken_on)
    if day > max(today, taken_on):
        raise WrongCommand("rollup.day_to_come", as_of=day)
    if day < taken_on:
        raise WrongCommand(
            "rollup.before_snapshot", as_of=day, snapshot=snapshot.number, taken_on=taken_on
        )
    return day


def roll_up(
    shared: Shared, county: County, campaign: str, snapshot: Snapshot, as_of: date
) -> Rollup:
    """Return the county's figures of a campaign, worked out here, one piece after the other.

    `as_of` is a day of the county. Raises as `open_shared` and `join_pieces` do.
    """
    with open_shared(shared, "read") as store:
        pieces = [
            _piece(store, county, campaign, townships, snapshot.number)
            for townships in pieces_of(snapshot.townships)
        ]
    return join_pieces(county, campaign, snapshot, pieces, as_of=as_of)


def roll_up_piece(
    shared: Shared, county: County, campaign: str, townships: Sequence[str], snapshot: int
) -> Piece:
    """Return what these townships come to at a snapshot. Raises as `open_shared` does."""
    with open_shared(shared, "read") as store:
        return _piece(store, county, campaign, townships, snapshot)


def join_pieces(
    county: County, campaign: str, snapshot: Snapshot, pieces: Iterable[Piece], *, as_of: date
) -> Rollup:
    """Return the county's figures out of all pieces, in whatever order they come.

    Raises CheckFailed where a township is in none of them or in two: it would be told as missing.
    WrongCommand where nothing of the campaign was shared.
    """
    pieces = list(pieces)
    held = Counter(code for piece in pieces for code in piece.townships)
    if held != Counter(snapshot.townships):
        raise CheckFailed("rollup.pieces")
    releases = sum(piece.releases for piece in pieces)
    if not releases:
        raise WrongCommand("rollup.nothing_shared", campaign=campaign)
    standings = {
        (each.township, each.phase, each.round): each
        for piece in pieces
        for each in piece.standings
        if each.township in county.roll.members
    }
    figures = _figures(pieces)
    return Rollup(
        campaign,
        snapshot.number,
        snapshot.taken_at,
        as_of,
        releases,
        tuple(
            _phase(county, of, due, standings, figures.get(of, _Sums()), as_of)
            for of, due in _rounds(standings.values()).items()
        ),
        tuple(sorted(each for piece in pieces for each in piece.set_aside)),
    )


def _piece(
    store: Store, county: County, campaign: str, townships: Sequence[str], snapshot: int
) -> Piece:
    store.run(
        "rollup/arrived",
        campaign=campaign,
        townships=list(townships),
        snapshot=snapshot,
        longest=LONGEST_BODY,
    )
    rows = {row_no: SharedRow(*row) for row_no, *row in store.rows("rollup/rows")}
    judged, aside = _judge(rows, county)
    store.load("judged", _judged_table(rows, judged))
    store.load("member", _member_table(county))
    store.run("rollup/standing")
    store.run("rollup/figures", names=list(SUMMED))
    return Piece(
        tuple(townships),
        len(rows),
        tuple(Standing(*row) for row in store.rows("rollup/standings")),
        tuple(Part(*row) for row in store.rows("rollup/parts")),
        tuple(
            RatePart(*row)
            for row in store.rows(
                "rollup/rates",
                rates=list(RATES),
                numerators=[numerator for numerator, _ in RATES.values()],
                denominators=[denominator for _, denominator in RATES.values()],
            )
        ),
        tuple(aside),
    )


def _judge(
    rows: Mapping[int, SharedRow], county: County
) -> tuple[dict[int, SharedRelease], list[SetAside]]:
    """Return the rows that count, by number, and why each of the others does not."""
    releases: dict[int, SharedRelease] = {}
    aside: list[SetAside] = []
    signatures = Signatures(county.roll.members, is_signed)
    for number, row in rows.items():
        judged = judge(row, county.roll, signatures)
        if isinstance(judged, SetAside):
            aside.append(judged)
        else:
            releases[number] = judged
    twice = contradicted(rows[number] for number in releases)
    for number in [number for number in releases if rows[number].key in twice]:
        aside.append(set_aside_for_conflict(rows[number]))
        del releases[number]
    return releases, aside


def _judged_table(rows: Iterable[int], releases: Mapping[int, SharedRelease]) -> pa.Table:
    """Return one row a release that arrived, with what SQL asks of those that count."""
    found = []
    for number in rows:
        release = releases.get(number)
        found.append(
            {
                "row_no": number,
                "counts": release is not None,
                "period": release and release.period,
                "status": release and release.status,
                "due": release and (release.due or release.as_of),
            }
        )
    text = pa.string()
    return pa.Table.from_pylist(
        found,
        pa.schema(
            [
                ("row_no", pa.int64()),
                ("counts", pa.bool_()),
                ("period", text),
                ("status", text),
                ("due", pa.date32()),
            ]
        ),
    )


def _member_table(county: County) -> pa.Table:
    """Return one row a township of the county with its days in it."""
    return pa.Table.from_pylist(
        [
            {"township": each.code, "joined": each.joined, "left_on": each.left}
            for each in county.townships
        ],
        pa.schema([("township", pa.string()), ("joined", pa.date32()), ("left_on", pa.date32())]),
    )


def _rounds(standings: Iterable[Standing]) -> dict[Round, date]:
    """Return the phases and rounds that something counts for, each with its due day.

    In the order of a campaign. The due day is that of most townships; of several, the latest.
    """
    days: dict[Round, Counter[date]] = defaultdict(Counter)
    for each in standings:
        if each.due is not None:
            days[each.phase, each.round, each.period or ""][each.due] += 1
    return {
        of: max(days[of], key=lambda day: (days[of][day], day))
        for of in sorted(days, key=lambda of: (RUN_PHASES.index(of[0]), of[1:]))
    }


class _Sums:
    """What all pieces come to for one phase and round."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.values: dict[str, float] = defaultdict(float)
        self.rates: dict[str, Counter[str]] = defaultdict(Counter)
        self.rate_values: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))

    def add(self, part: Part) -> None:
        self.values[part.name] += part.value
        self.counts[part.name].update(
            released=part.released, zero=part.zero, withheld=part.withheld
        )

    def add_rate(self, part: RatePart) -> None:
        top, bottom = self.rate_values[part.name]
        self.rate_values[part.name] = (top + part.numerator, bottom + part.denominator)
        self.rates[part.name].update(released=part.released, withheld=part.withheld)


def _figures(pieces: Iterable[Piece]) -> dict[Round, _Sums]:
    found: dict[Round, _Sums] = defaultdict(_Sums)
    for piece in pieces:
        for part in piece.parts:
            found[part.phase, part.round, part.period].add(part)
        for rate in piece.rates:
            found[rate.phase, rate.round, rate.period].add_rate(rate)
    return found


def _phase(
    county: County,
    of: Round,
    due: date,
    standings: Mapping[tuple[str, str, int], Standing],
    sums: _Sums,
    as_of: date,
) -> CountyPhase:
    phase, round, period = of
    townships = tuple(
        _township(county, each.code, of, due, standings.get((each.code, phase, round)), as_of)
        for each in county.townships
    )
    expected = sum(each.state != "not_expected" for each in townships)
    figures = [
        *(_sum(name, sums, expected) for name in SUMMED if name in sums.counts),
        *(_rate(name, sums, expected) for name in RATES if name in sums.rates),
    ]
    return CountyPhase(phase, round, period or None, due, tuple(figures), townships)


def _township(
    county: County, code: str, of: Round, due: date, standing: Standing | None, as_of: date
) -> TownshipPhase:
    """Return the state of a township; `due` is the day of most, for those that said none."""
    if standing is None or (standing.revision is not None and (standing.period or "") != of[2]):
        # nothing of it, or only of another month
        standing = Standing(code, of[0], of[1], None, None, None, None, None, None, set_aside=False)
        if not is_for_all(of[1]):
            return TownshipPhase(code, "not_expected", None, interim=False, shared_on=None)
    roll = county.roll
    shared_on = standing.first_shared_at and roll.day(standing.first_shared_at)
    state = township_state(
        roll.members[code],
        due=standing.due or due,
        first_due=standing.first_due,
        first_shared=shared_on,
        set_aside=standing.set_aside,
        days_to_share=county.days_to_share,
        as_of=as_of,
    )
    # neither what was set aside nor what is not the county's is counted
    counts = standing.revision is not None and state not in ("set_aside", "not_expected")
    return TownshipPhase(
        code,
        state,
        standing.revision if counts else None,
        interim=counts and standing.status == "interim",
        shared_on=shared_on,
    )


def _sum(name: str, sums: _Sums, expected: int) -> CountyFigure:
    counts = sums.counts[name]
    released, zero, withheld = (counts[state] for state in ("released", "zero", "withheld"))
    missing = expected - released - zero - withheld
    state = county_state(released=released, zero=zero, withheld=withheld, not_reported=missing)
    value = sums.values[name] if state in ("released", "partly", "zero") else None
    return CountyFigure(name, UNIT_OF[name], state, value, released + zero, withheld, missing)


def _rate(name: str, sums: _Sums, expected: int) -> CountyFigure:
    counts = sums.rates[name]
    top, bottom = sums.rate_values[name]
    missing = expected - counts["released"] - counts["withheld"]
    state = rate_state(
        released=counts["released"], withheld=counts["withheld"], not_reported=missing
    )
    value = round(100 * top / bottom, 1) if counts["released"] else None
    return CountyFigure(
        name, "percent", state, value, counts["released"], counts["withheld"], missing
    )
