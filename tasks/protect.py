"""Disclosure control over everything ever released: what all figures together give away.

Before a release, the values that a reader could still think possible are worked out for every count
of people that the release could say something about: from this release and all releases before it,
of every phase, round, month and campaign, and from the sums a reader may know. While a count is
left with fewer than four values, more is withheld. Most counts are shown to keep four by stepping
from the true counts to others that fit as well (`tasks/rules/possible.py`); what that does not show
is settled by an integer program (HiGHS, through scipy). The guarantee and its limits are in
docs/disclosure.md.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from tasks.rules.disclosure import (
    ANYTHING,
    FEWEST_VALUES,
    NOTHING,
    ROUND_TO,
    SOMETHING,
    WAITED,
    WITHHOLD_TO,
    Figure,
    Key,
    Range,
    Relation,
    Scope,
    between_phases,
    between_revisions,
    given_away,
    may_meet,
    thread,
    withhold,
)
from tasks.rules.errors import DisclosureRisk
from tasks.rules.possible import MOST, Sum, System

INFEASIBLE = 2
"""The status by which scipy's milp says that no solution exists."""


class Count(NamedTuple):
    """The identity of a count behind one figure or several."""

    scope: Scope
    """Of the release that told it first."""
    key: Key
    exact: int
    parts: tuple[int | None, ...]
    """The exact counts that it is the sum of; none where it is no total."""


Signs = tuple[tuple[Count, int], ...]
"""A sum: each count with how often it is a whole, less how often it is a part."""

Met = Mapping[int, set[int]]
"""Counts by their place, and the values that each was found to be possible with."""

Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]

At = tuple[int, Key]
"""A figure among all releases: the place of its release, in their order, and its key."""


@dataclass(frozen=True)
class Release:
    """The people figures of one revision, and what the health side knows of them."""

    scope: Scope
    figures: Mapping[Key, Figure]
    relations: Sequence[Relation]
    exact: Mapping[Key, int | None]
    """The counts behind the figures; None where not reported. They never leave the health side."""
    secondary: frozenset[Key] = frozenset()
    """Which figures are withheld for others' sake, or are counted so besides being small."""
    withhold_to: int = WITHHOLD_TO
    round_to: int = ROUND_TO

    def reports(self, key: Key) -> bool:
        """Whether a count stands in the sums: they leave out what was not reported or asked for."""
        return self.exact.get(key) is not None

    @cached_property
    def is_silent(self) -> bool:
        """Whether all counts are withheld, and none for its size alone, so that it says nothing."""
        return all(
            self.figures[key].state == "withheld" and key in self.secondary
            for key in filter(self.reports, self.figures)
        )

    def told(self, key: Key) -> Range:
        """Return what one figure alone tells; a silent release tells nothing of any."""
        if self.is_silent:
            # that nobody is counted may be known from elsewhere: a nil return
            return ANYTHING if self.exact[key] else NOTHING
        return given_away(
            self.figures[key],
            withhold_to=self.withhold_to,
            round_to=self.round_to,
            secondary=key in self.secondary,
        )

    @cached_property
    def totals(self) -> Mapping[Key, tuple[Key, ...]]:
        """The figures that others of the release add up to, each with all of those."""
        found: dict[Key, tuple[Key, ...]] = {}
        for relation in self.relations:
            if relation.rest == NOTHING and len(relation.wholes) == 1 < len(relation.parts):
                (total,) = relation.wholes
                found[total] = (*found.get(total, ()), *relation.parts)
        return found

    @property
    def villages(self) -> tuple[str, ...]:
        """The villages it has figures of."""
        return tuple(dict.fromkeys(village for _, village in self.figures if village))


def protect_release(candidate: Release, earlier: Sequence[Release]) -> Release:
    """Return the candidate with more figures withheld where they would give a count away.

    `earlier`: everything released before it, as this function returned it, in the order in which it
    was released. What has not changed since the revision before is shown as it was there. Where
    that is not enough because "withheld" says that somebody is counted, the release is made silent:
    zeros are withheld, too. The steps of waiting are told only where everything else is told as it
    is without them; otherwise nothing is told of any, and no count of them is kept (`exact` None).
    Raises DisclosureRisk where even silence is not enough, or where what was kept of a release does
    not agree with it.
    """
    steps = frozenset(
        key for key in candidate.figures if key[0] in WAITED and candidate.reports(key)
    )
    plain = _release_protected(_without(candidate, steps), earlier)
    if not steps:
        return plain
    found = _protected(_as_before(candidate, earlier), earlier)
    if isinstance(found, Release) and plain.figures.items() <= found.figures.items():
        return found
    return replace(
        plain,
        figures={
            key: withhold(figure) if key in steps else plain.figures[key]
            for key, figure in candidate.figures.items()
        },
        exact={**plain.exact, **dict.fromkeys(steps)},
        secondary=plain.secondary | steps,
    )


def _without(candidate: Release, keys: Collection[Key]) -> Release:
    """Return the candidate without some figures, and without the sums they stand in."""
    return replace(
        candidate,
        figures={key: figure for key, figure in candidate.figures.items() if key not in keys},
        relations=tuple(
            each for each in candidate.relations if not {*each.wholes, *each.parts} & {*keys}
        ),
        exact={key: count for key, count in candidate.exact.items() if key not in keys},
    )


def _release_protected(candidate: Release, earlier: Sequence[Release]) -> Release:
    """Return the candidate protected, silent if need be; raises as `protect_release`."""
    found = _protected(_as_before(candidate, earlier), earlier)
    if isinstance(found, Count):
        found = _protected(_silent(candidate), earlier)
    if isinstance(found, Count):
        raise DisclosureRisk("disclosure.cannot_protect", figure=found.key[0])
    return found


def _protected(candidate: Release, earlier: Sequence[Release]) -> Release | Count:
    """Return the candidate with what has to be withheld, or a count for which that would not do."""
    own = len(earlier)
    releases = [*earlier, candidate]
    reader = Reader(releases, identify(releases)[own].values())
    for count in reader.narrow():
        if not _protect_count(reader, count, releases):
            return count
    mine = {key for at, key in reader.loose if at == own}
    return replace(
        candidate,
        figures={
            key: withhold(figure) if key in mine else figure
            for key, figure in candidate.figures.items()
        },
        secondary=candidate.secondary | mine,
    )


def _silent(candidate: Release) -> Release:
    """Return the candidate with every count withheld, zeros among them."""
    reported = frozenset(filter(candidate.reports, candidate.figures))
    return replace(
        candidate,
        figures={
            key: withhold(figure) if key in reported else figure
            for key, figure in candidate.figures.items()
        },
        secondary=reported,
    )


def _as_before(candidate: Release, earlier: Sequence[Release]) -> Release:
    """Return the candidate with what was withheld in the revision before it and did not change.

    It tells nothing that was not told; and a figure that is shown all of a sudden would say that
    something happened.
    """
    rules = (candidate.withhold_to, candidate.round_to)
    latest = next((each for each in reversed(earlier) if each.scope == candidate.scope), None)
    if latest is None or latest.is_silent or (latest.withhold_to, latest.round_to) != rules:
        return candidate
    same = {
        key
        for key, figure in latest.figures.items()
        if figure.state == "withheld" and candidate.exact.get(key) == latest.exact[key]
    }
    return replace(
        candidate,
        figures={
            key: withhold(figure) if key in same else figure
            for key, figure in candidate.figures.items()
        },
        secondary=candidate.secondary | (latest.secondary & same),
    )


def _protect_count(reader: "Reader", count: Count, releases: Sequence[Release]) -> bool:
    """Loosen what lets a count keep its values, and no more than that; False where nothing does.

    What is near goes first: figures that share a sum with the count, then those that share one with
    these, and so on. Of figures equally near, released ones are withheld first; if that is not
    enough, figures withheld for their size are counted as withheld for others' sake, since the page
    does not say which of the two it was. The same is done with figures of earlier releases at last.
    """
    earlier = releases[:-1]
    own = len(earlier)
    near = [*reader.near(count)]
    mine = [
        reader.in_state([at for at in ring if at[0] == own], state)
        for ring in near
        for state in ("released", "withheld")
    ]
    theirs = [reader.in_state([at for at in ring if at[0] != own], "withheld") for ring in near]
    done: list[At] = []
    for stage in (*mine, *theirs):
        reader.loosen(stage)
        done += stage
        if reader.values(count) >= FEWEST_VALUES:
            _restore(reader, count, FEWEST_VALUES, done)
            return True
    # released before this sum was known of, perhaps: then at least nothing more is taken from it
    before = Reader(earlier, reader.place)
    before.loosen([at for ring in theirs for at in ring])
    left = before.values(count) if count in before.place else FEWEST_VALUES
    if reader.values(count) < left:
        return False
    _restore(reader, count, left, done)
    return True


def _restore(reader: "Reader", count: Count, fewest: int, loosened: Sequence[At]) -> None:
    """Take back whatever the count does not need, what matters most first.

    Totals matter more than parts, large figures more than small ones; and a figure is rather
    counted as withheld for others' sake than withheld.
    """
    for at in sorted(loosened, key=reader.weight, reverse=True):
        reader.tighten(at)
        if reader.values(count) < fewest:
            reader.loosen([at])


class Reader:
    """What somebody who has all releases, and knows the sums, can work out about the counts.

    `loose` holds the figures of which only that somebody is counted is told: what is withheld
    beyond what the releases say, or counted as withheld for others' sake.
    """

    def __init__(self, releases: Sequence[Release], counts: Collection[Count]) -> None:
        """Take what is released of `counts`, and of all that sums link with them.

        Raises DisclosureRisk where a count is not what a release tells of it.
        """
        self.loose: set[At] = set()
        self._releases = releases
        self._identities = identify(releases)
        figures: dict[Count, list[At]] = {}
        for place, identities in enumerate(self._identities):
            for key, count in identities.items():
                figures.setdefault(count, []).append((place, key))
        sums = known_sums(releases, self._identities)
        linked = _linked(counts, sums)
        self._figures = {count: ats for count, ats in figures.items() if count in linked}
        self._counts = list(self._figures)
        self.place = {count: place for place, count in enumerate(self._counts)}
        self._told = {
            at: releases[at[0]].told(at[1]) for ats in self._figures.values() for at in ats
        }
        self.system = self._fitting(
            {signs: rest for signs, rest in sums.items() if signs[0][0] in self.place}
        )
        self._programs: dict[int, Program] = {}

    def _fitting(self, sums: Mapping[Signs, Range]) -> System:
        ranges = [self._range(count) for count in self._counts]
        truth = [count.exact for count in self._counts]
        if not all(
            told.low <= value <= _most(told) for value, told in zip(truth, ranges, strict=True)
        ):
            raise DisclosureRisk("disclosure.contradiction")
        return System(
            truth,
            [told.low for told in ranges],
            [_most(told) for told in ranges],
            [
                Sum(
                    tuple((self.place[count], sign) for count, sign in signs), rest.low, _most(rest)
                )
                for signs, rest in sums.items()
            ],
        )

    def narrow(self) -> Iterator[Count]:
        """Yield each count of people other than zero that is left with too few values, once.

        What is loosened between two of them is taken into account: it only adds values.
        """
        met = {place: {value} for place, value in enumerate(self.system.truth) if value}
        for place, own in met.items():
            self._meet(place, met)
            if len(own) < FEWEST_VALUES:
                yield self._counts[place]

    def values(self, count: Count) -> int:
        """Return how many values a count can have; four stands for four and more."""
        place = self.place[count]
        met = {place: {self.system.truth[place]}}
        self._meet(place, met)
        return len(met[place])

    def _meet(self, place: int, met: Met) -> None:
        """Add possible values to those met, until the count at `place` has enough or no more."""
        own = met[place]
        if len(own) < FEWEST_VALUES:
            for point in self.system.near_truth(place, FEWEST_VALUES):
                _add(point, met)
        gaps = [(self.system.low[place], self.system.high[place])]
        for value in sorted(own):
            low, high = gaps.pop()
            gaps += [(low, value - 1), (value + 1, high)]
        while gaps and len(own) < FEWEST_VALUES:
            low, high = gaps.pop()
            found = self._program(place).point(place, low, high, met) if low <= high else None
            if found is not None:
                _add(found, met)
                gaps += [(low, found[place] - 1), (found[place] + 1, high)]

    def near(self, count: Count) -> Iterator[list[At]]:
        """Yield the figures of a count and of those it shares a sum with; then further and further.

        Each time, it is the figures of the counts that share a sum with those before.
        """
        reached = {self.place[count]}
        ring = reached | self._beside(reached)
        while ring:
            yield [at for place in sorted(ring) for at in self._figures[self._counts[place]]]
            reached |= ring
            ring = self._beside(ring) - reached

    def _beside(self, places: Iterable[int]) -> set[int]:
        system = self.system
        rows = {row for place in places for row, _ in system.sums_of[place]}
        return {place for row in rows for place, _ in system.sums[row].members}

    def in_state(self, ats: Iterable[At], state: str) -> list[At]:
        """Return the figures of one state that tell more than that somebody is counted."""
        return [
            at
            for at in ats
            if self._figure(at).state == state
            and at not in self.loose
            and at[1] not in self._releases[at[0]].secondary
        ]

    def loosen(self, ats: Iterable[At]) -> None:
        """Let figures tell only that somebody is counted."""
        for at in ats:
            self.loose.add(at)
            self._retell(at)

    def tighten(self, at: At) -> None:
        """Let a figure tell again what it does."""
        self.loose.remove(at)
        self._retell(at)

    def _retell(self, at: At) -> None:
        count = self._identities[at[0]][at[1]]
        told = self._range(count)
        self.system.low[self.place[count]] = told.low
        self.system.high[self.place[count]] = _most(told)

    def _range(self, count: Count) -> Range:
        told = [SOMETHING if at in self.loose else self._told[at] for at in self._figures[count]]
        highs = [each.high for each in told if each.high is not None]
        return Range(max(each.low for each in told), min(highs) if highs else None)

    def weight(self, at: At) -> tuple[bool, bool, float, At]:
        """Return how much it matters that a figure tells what it does; more for a larger one."""
        release, figure = self._releases[at[0]], self._figure(at)
        is_released = figure.state == "released"
        return (is_released, (at[1] in release.totals) is is_released, figure.value or 0, at)

    def _figure(self, at: At) -> Figure:
        return self._releases[at[0]].figures[at[1]]

    def _program(self, place: int) -> "Program":
        """Return the integer program of all counts that sums link with one."""
        if place not in self._programs:
            places = {place}
            while more := self._beside(places) - places:
                places |= more
            program = Program(self.system, sorted(places))
            self._programs |= dict.fromkeys(places, program)
        return self._programs[place]


class Program:
    """The integer program over counts that sums link with each other."""

    def __init__(self, system: System, places: Sequence[int]) -> None:
        """Take the counts at `places`: all that stand in a sum with one of them."""
        self._system = system
        self._places = places
        self._column = {place: column for column, place in enumerate(places)}
        self._chance = np.random.default_rng(0)
        rows = sorted({row for place in places for row, _ in system.sums_of[place]})
        entries = [
            (sign, line, self._column[place])
            for line, row in enumerate(rows)
            for place, sign in system.sums[row].members
        ]
        signs, lines, columns = np.array(entries, dtype=int).reshape(-1, 3).T
        shape = (len(rows), len(places))
        self._sums = LinearConstraint(
            coo_array((signs, (lines, columns)), shape).tocsr(),
            np.array([system.sums[row].least for row in rows]),
            np.array([system.sums[row].most for row in rows]),
        )

    def point(self, place: int, low: int, high: int, met: Met) -> dict[int, int] | None:
        """Return counts that fit, that at `place` from `low` to `high`; None if there are none.

        The others go to one end or the other of what they can be, by chance, so that one point
        shows as much as can be of those of which too few values are met.
        """
        lows = np.array([self._system.low[each] for each in self._places])
        highs = np.array([self._system.high[each] for each in self._places])
        goal = self._chance.uniform(-1, 1, len(self._places))
        goal *= [each in met and len(met[each]) < FEWEST_VALUES for each in self._places]
        # what has no bound would run away
        goal = np.where(highs >= MOST, abs(goal), goal)
        column = self._column[place]
        goal[column], lows[column], highs[column] = 0, low, high
        solved = milp(
            goal,
            integrality=np.ones(len(self._places)),
            bounds=Bounds(lows, highs),
            constraints=self._sums,
            # any point will do; which one is best is not worth the time
            options={"mip_rel_gap": 0.5},
        )
        if solved.status == INFEASIBLE:
            return None
        found = None if solved.x is None else np.rint(solved.x)
        if found is None or not self._fits(found, lows, highs):
            raise DisclosureRisk("disclosure.unsolved")
        return dict(zip(self._places, found.astype(int).tolist(), strict=True))

    def _fits(self, found: Numbers, lows: Numbers, highs: Numbers) -> bool:
        added = self._sums.A @ found
        within = (lows <= found) & (found <= highs)
        return bool(within.all() and ((self._sums.lb <= added) & (added <= self._sums.ub)).all())


def _add(point: Mapping[int, int], met: Met) -> None:
    for place, value in point.items():
        if place in met:
            met[place].add(value)


def identify(releases: Sequence[Release]) -> list[dict[Key, Count]]:
    """Return for each release the identity of the count behind each figure that was reported.

    `releases`: in the order in which they were released. A reader may know that nothing changed: a
    village sent no file, nobody was assessed, the month's subsidies were those of the month before.
    So figures of one name and place are taken for one count wherever the counts are equal, in all
    revisions of a release, and from each look at the same people to the next. A total is another
    one as soon as one of its parts is: that it came out the same, nobody can know.
    """
    found: list[dict[Key, Count]] = []
    first: dict[Count, Count] = {}
    last: dict[tuple[tuple[str | int, ...], Key], Count] = {}
    for release in releases:
        line = thread(release.scope)
        identities: dict[Key, Count] = {}
        for key in release.figures:
            exact = release.exact[key]
            if exact is None:
                continue
            parts = tuple(map(release.exact.get, release.totals.get(key, ())))
            count = Count(release.scope, key, exact, parts)
            before = last.get((line, key))
            if count not in first:
                same = before is not None and before[2:] == count[2:]
                first[count] = before if same and before is not None else count
            identities[key] = last[line, key] = first[count]
        found.append(identities)
    return found


def known_sums(
    releases: Sequence[Release], identities: Sequence[Mapping[Key, Count]]
) -> dict[Signs, Range]:
    """Return the sums a reader may know of all releases, each with what is over of the wholes.

    `releases`: in the order in which they were released; `identities`: theirs. A sum is taken where
    the exact counts bear it out, and only there. Most sums over several releases hold as long as
    nothing came between them, which a reader may know; where something did, nobody can know them,
    and they would contradict what was released.
    """
    sums: dict[Signs, Range] = {}
    newest: dict[tuple[str | int, ...], int] = {}

    def add(relation: Relation, wholes: Sequence[int], parts: Sequence[int]) -> None:
        tops = [
            identities[at][key] for key in relation.wholes for at in wholes if key in identities[at]
        ]
        bottoms = [
            identities[at][key] for key in relation.parts for at in parts if key in identities[at]
        ]
        signs = Counter(tops)
        signs.subtract(bottoms)
        kept = tuple((count, sign) for count, sign in signs.items() if sign)
        rest = relation.rest
        over = sum(count.exact * sign for count, sign in kept)
        if tops and bottoms and kept and rest.low <= over <= _most(rest):
            sums[kept] = _both(sums.get(kept), rest)

    for at, release in enumerate(releases):
        for relation in release.relations:
            add(relation, [at], [at])
        line = thread(release.scope)
        before = newest.get(line)
        newest[line] = at
        if before is not None:
            for relation in between_revisions(release.figures):
                add(relation, [at], [before])
        beside = [
            other for other in newest.values() if may_meet(releases[other].scope, release.scope)
        ]
        if len(beside) > 1:
            for relation in between_phases(release.villages):
                add(relation, beside, beside)
    return sums


def _linked(counts: Iterable[Count], sums: Iterable[Signs]) -> set[Count]:
    """Return the counts, and all that stand in one chain of sums with one of them."""
    members: dict[Count, list[Signs]] = {}
    for signs in sums:
        for count, _ in signs:
            members.setdefault(count, []).append(signs)
    linked = set(counts)
    new = list(linked)
    while new:
        further = {count for signs in members.pop(new.pop(), ()) for count, _ in signs} - linked
        linked |= further
        new += further
    return linked


def _most(told: Range) -> int:
    return MOST if told.high is None else told.high


def _both(one: Range | None, other: Range) -> Range:
    if one is None:
        return other
    highs = [each.high for each in (one, other) if each.high is not None]
    return Range(max(one.low, other.low), min(highs, default=None))
