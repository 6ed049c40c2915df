"""A second reader of what was released: it tries whole numbers one after the other.

It shares nothing with the first but the figures it reads. It knows no integer program and takes no
steps from the truth, which it does not know: it narrows what each figure leaves by what the sums
leave, supposes a value where that is not enough, and goes back where it comes to nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from tasks.protect import Release
from tasks.rules.disclosure import FEWEST_VALUES, Figure, Key

MOST = 90
"""Counts are tried up to here; all in the tests are far smaller."""

NO_BOUND = 100 * MOST
"""More than any sum of the tests comes to, also of counts that stand in it several times."""

At = tuple[int, Key]
"""A figure: the place of its release among all, and its name and village."""

Sum = tuple[tuple[At, ...], tuple[At, ...], int, int]
"""Wholes, parts, and from where to where the wholes exceed the parts; what stands there several
times counts so often."""

Ranges = dict[At, tuple[int, int]]


def told(figure: Figure, hidden: bool, withhold_to: int = 7, round_to: int = 5) -> tuple[int, int]:
    """What one figure leaves, as a reader of the page knows the rule; `hidden`: for others."""
    if figure.state == "zero":
        return 0, 0
    if figure.state == "withheld":
        return 1, MOST if hidden else withhold_to
    assert figure.value is not None
    value = int(figure.value)
    shown = [
        count
        for count in range(withhold_to + 1, value + round_to)
        if (count + round_to / 2) // round_to * round_to == value
    ]
    return shown[0], shown[-1]


def known(
    releases: Sequence[Release], wholes: Iterable[At], parts: Iterable[At], low: int, high: int
) -> list[Sum]:
    """A sum as far as it was reported, if it is so; what is not so nobody can know."""
    tops, bottoms = (
        tuple((at, key) for at, key in side if releases[at].exact.get(key) is not None)
        for side in (wholes, parts)
    )
    exact = [sum(releases[at].exact[key] or 0 for at, key in side) for side in (tops, bottoms)]
    if tops and bottoms and low <= exact[0] - exact[1] <= high:
        return [(tops, bottoms, low, high)]
    return []


class SecondReader:
    """Somebody with all releases in hand who knows `sums`, and tries what fits."""

    def __init__(
        self, releases: Sequence[Release], sums: Sequence[Sum], *, either: bool = False
    ) -> None:
        """`either`: withheld may mean for its size or for others' sake, for every figure."""
        self.ranges: Ranges = {}
        for at, release in enumerate(releases):
            said = [key for key, exact in release.exact.items() if exact is not None]
            silent = all(release.figures[key].state == "withheld" for key in said) and {
                *said
            } <= set(release.secondary)
            for key in said:
                self.ranges[at, key] = (
                    # nothing is told; who counts nobody may have said so in a nil return
                    (0, MOST if release.exact[key] else 0)
                    if silent
                    else told(
                        release.figures[key],
                        either or key in release.secondary,
                        release.withhold_to,
                        release.round_to,
                    )
                )
        self.sums = [
            ({**Counter(tops), **{at: -each for at, each in Counter(bottoms).items()}}, low, high)
            for tops, bottoms, low, high in sums
        ]
        self.sums_of: dict[At, list[int]] = {at: [] for at in self.ranges}
        for row, (signs, _, _) in enumerate(self.sums):
            for at in signs:
                self.sums_of[at].append(row)
        self.seen: dict[At, set[int]] = {at: set() for at in self.ranges}

    def values(self, at: At, enough: int = FEWEST_VALUES) -> set[int]:
        """The values a count can have; no more than `enough` are looked for."""
        start = self._narrowed(self.ranges, range(len(self.sums)))
        assert start is not None, "what was released contradicts itself"
        low, high = start[at]
        for value in range(low, high + 1):
            if len(self.seen[at]) >= enough:
                break
            left = self._narrowed({**start, at: (value, value)}, self.sums_of[at])
            if value not in self.seen[at] and left is not None:
                self._see(self._supposed(left, self.ranges.keys()), at, value)
        return self.seen[at]

    def _see(self, left: Ranges | None, at: At, value: int) -> None:
        if left is not None:
            self.seen[at].add(value)
            for other, (low, high) in left.items():
                if low == high:
                    self.seen[other].add(low)

    def _supposed(self, left: Ranges, among: Iterable[At]) -> Ranges | None:
        """Return ranges in which every value fits with every other; None where there are none.

        What no open sum links is tried on its own.
        """
        for linked in self._parts(left, among):
            at = min(linked, key=lambda each: left[each][1] - left[each][0])
            low, high = left[at]
            for value in range(low, high + 1):
                supposed = self._narrowed({**left, at: (value, value)}, self.sums_of[at])
                found = None if supposed is None else self._supposed(supposed, linked)
                if found is not None:
                    left = found
                    break
            else:
                return None
        return left

    def _parts(self, left: Ranges, among: Iterable[At]) -> list[list[At]]:
        """Return the counts that are still to be settled, those together that sums link."""
        undecided = {at for at in among if left[at][0] < left[at][1]}
        parts = []
        while undecided:
            part, new = [], [undecided.pop()]
            is_linked = False
            while new:
                at = new.pop()
                part.append(at)
                for row in self.sums_of[at]:
                    signs, least, most = self.sums[row]
                    ends = [_times(left[each], weight) for each, weight in signs.items()]
                    if sum(low for low, _ in ends) < least or sum(high for _, high in ends) > most:
                        is_linked = True
                        further = undecided & signs.keys()
                        undecided -= further
                        new += further
            if is_linked:
                parts.append(part)
        return parts

    def _narrowed(self, ranges: Ranges, rows: Iterable[int]) -> Ranges | None:
        """Return what the sums leave of each range; None where nothing fits."""
        left = dict(ranges)
        todo = dict.fromkeys(rows)
        while todo:
            row = next(iter(todo))
            del todo[row]
            signs, least, most = self.sums[row]
            ends = {at: _times(left[at], weight) for at, weight in signs.items()}
            lowest = sum(low for low, _ in ends.values())
            highest = sum(high for _, high in ends.values())
            for at, weight in signs.items():
                low, high = ends[at]
                low, high = max(low, least - (highest - high)), min(high, most - (lowest - low))
                # the whole numbers whose multiple lies between the two
                often = abs(weight)
                now = (-(-low // often), high // often)
                if now[0] > now[1]:
                    return None
                now = now if weight > 0 else (-now[1], -now[0])
                if now != left[at]:
                    left[at] = now
                    todo |= dict.fromkeys(self.sums_of[at])
        return left


def _times(ends: tuple[int, int], weight: int) -> tuple[int, int]:
    low, high = sorted(end * weight for end in ends)
    return low, high


def too_narrow(
    releases: Sequence[Release], sums: Sequence[Sum], *, either: bool = False
) -> dict[At, set[int]]:
    """The counts other than zero that are left with fewer than four values, and these.

    Asserts besides that what is left holds the truth.
    """
    reader = SecondReader(releases, sums, either=either)
    found: dict[At, set[int]] = {}
    for (at, key), (low, high) in reader.ranges.items():
        exact = releases[at].exact[key]
        assert exact is not None
        assert low <= exact <= high, (at, key)
        values = reader.values((at, key))
        if exact and len(values) < FEWEST_VALUES:
            assert exact in values, (at, key)
            found[at, key] = values
    return found


def same_counts(releases: Sequence[Release]) -> list[Sum]:
    """Figures of one release and its later revisions that did not change: a reader may know it.

    Not those that others add up to: that they came out the same, nobody can know.
    """
    last: dict[tuple[object, Key, int], int] = {}
    found: list[Sum] = []
    for at, release in enumerate(releases):
        totals = {
            relation.wholes[0]
            for relation in release.relations
            if len(relation.wholes) == 1 < len(relation.parts) and relation.rest.high == 0
        }
        for key, exact in release.exact.items():
            if exact is None or key in totals:
                continue
            before = last.get((release.scope, key, exact))
            if before is not None:
                found.append((((at, key),), ((before, key),), 0, 0))
            last[release.scope, key, exact] = at
    return found


def within(releases: Sequence[Release]) -> list[Sum]:
    """The sums within each release, as it says them."""
    return [
        each
        for at, release in enumerate(releases)
        for relation in release.relations
        for each in known(
            releases,
            [(at, key) for key in relation.wholes],
            [(at, key) for key in relation.parts],
            relation.rest.low,
            NO_BOUND if relation.rest.high is None else relation.rest.high,
        )
    ]
