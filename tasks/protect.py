"""Disclosure control over everything released of a phase: what the figures give away together.

Before a release, the range of every count of people that a reader could work out is computed: from
this release and all earlier revisions of it, from the sums everybody knows, as the least and the
greatest value of an integer program (HiGHS, through scipy). While a count can be narrowed to fewer
than four values, more is withheld. The guarantee and its limits are in docs/disclosure.md.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

from tasks.rules.disclosure import (
    FEWEST_VALUES,
    ROUND_TO,
    WITHHOLD_TO,
    Figure,
    Range,
    Relation,
    given_away,
    withhold,
)
from tasks.rules.errors import DisclosureRisk

MOST = 10_000_000
"""An upper bound for counts that have none: more people than any township or county."""

Key = tuple[str, str]


@dataclass(frozen=True)
class Release:
    """The people figures of one revision, and what the health side knows of them."""

    figures: Mapping[Key, Figure]
    relations: Sequence[Relation]
    exact: Mapping[Key, int | None]
    """The counts behind the figures; None where not reported. They never leave the health side."""
    secondary: frozenset[Key] = frozenset()
    """Which figures are withheld for others' sake, or are counted so besides being small."""
    withhold_to: int = WITHHOLD_TO
    round_to: int = ROUND_TO

    def count(self, key: Key) -> Hashable:
        """Return the identity of the count behind a figure.

        Figures of one name and place whose counts are equal are taken for one count over all
        revisions, since a reader may know that nothing changed in between: a village that sent no
        file, say. That is the stronger reader, and it never contradicts what was released.
        """
        return (*key, self.exact[key])

    def reports(self, key: Key) -> bool:
        """Whether a count stands in the sums: they leave out what was not reported or asked for."""
        figure = self.figures.get(key)
        return figure is not None and figure.state != "not_reported"


def protect_release(candidate: Release, earlier: Sequence[Release]) -> Release:
    """Return the candidate with more figures withheld where they would give a count away.

    `earlier`: the revisions before it, as this function returned them. Raises DisclosureRisk where
    withholding everything would not be enough.
    """
    before = _connected(candidate, earlier)
    trial = candidate
    while exposed := _exposed(trial, before):
        choices = [_without(trial, key) for key in _choices(trial, exposed)]
        if not choices:
            raise DisclosureRisk("disclosure.cannot_protect", figure=min(exposed)[0])
        # the least loss that is enough by itself, else the least loss, and look again
        trial = next((each for each in choices if not _exposed(each, before)), choices[0])
    return trial


def _without(release: Release, key: Key) -> Release:
    """Return the release with one more figure withheld for others' sake."""
    return replace(
        release,
        figures={**release.figures, key: withhold(release.figures[key])},
        secondary=release.secondary | {key},
    )


def _connected(candidate: Release, earlier: Sequence[Release]) -> list[Release]:
    """Return the earlier releases that share a count with the candidate, or with one that does."""
    counts = {candidate.count(key) for key in candidate.figures}
    near: set[int] = set()
    while True:
        more = {
            place
            for place, release in enumerate(earlier)
            if place not in near and not counts.isdisjoint(map(release.count, release.figures))
        }
        if not more:
            return [release for place, release in enumerate(earlier) if place in near]
        near |= more
        counts |= {earlier[place].count(key) for place in more for key in earlier[place].figures}


def _exposed(candidate: Release, earlier: Sequence[Release]) -> set[Key]:
    """Return the candidate's figures that share a sum with a count that is too narrow.

    Where none of those is left to withhold, all that are linked with it through sums.
    """
    releases = (*earlier, candidate)
    known: dict[Hashable, Range] = {}
    for release in releases:
        for key, figure in release.figures.items():
            told = given_away(
                figure,
                withhold_to=release.withhold_to,
                round_to=release.round_to,
                secondary=key in release.secondary,
            )
            count = release.count(key)
            known[count] = _both(known.get(count), told)
    sums = [
        (
            release.count(relation.total),
            [release.count(part) for part in relation.parts if release.reports(part)],
            relation,
        )
        for release in releases
        for relation in release.relations
        if release.reports(relation.total)
    ]
    narrow = {
        count
        for count, found in count_ranges(known, sums).items()
        if found.high != 0 and found.values < FEWEST_VALUES
    }
    near = narrow.union(*({total, *parts} for total, parts, _ in sums if narrow & {total, *parts}))
    keys = {key for key in candidate.figures if candidate.count(key) in near}
    if _choices(candidate, keys):
        return keys
    linked = _linked(narrow, sums)
    return {key for key in candidate.figures if candidate.count(key) in linked}


def count_ranges(
    known: Mapping[Hashable, Range],
    sums: Sequence[tuple[Hashable, Sequence[Hashable], Relation]],
) -> dict[Hashable, Range]:
    """Return the exact range of whole numbers each count can take under all sums.

    Raises DisclosureRisk where the figures contradict each other: then one of them is wrong.
    """
    counts = list(known)
    place = {count: index for index, count in enumerate(counts)}
    ranges = dict(known)
    in_sums = {count for total, parts, _ in sums for count in (total, *parts)}
    if not sums:
        return ranges
    matrix = lil_array((len(sums), len(counts)))
    for row, (total, parts, _) in enumerate(sums):
        matrix[row, place[total]] = 1
        for part in parts:
            matrix[row, place[part]] -= 1
    rests = [relation.rest for _, _, relation in sums]
    constraint = LinearConstraint(
        matrix.tocsr(),
        np.array([rest.low for rest in rests]),
        np.array([MOST if rest.high is None else rest.high for rest in rests]),
    )
    bounds = Bounds(
        np.array([known[count].low for count in counts]),
        np.array([MOST if known[count].high is None else known[count].high for count in counts]),
    )
    for count in in_sums:
        ends = []
        for sign in (1, -1):
            goal = np.zeros(len(counts))
            goal[place[count]] = sign
            solved = milp(
                goal, constraints=constraint, bounds=bounds, integrality=np.ones(len(counts))
            )
            if solved.x is None:
                raise DisclosureRisk("disclosure.contradiction")
            ends.append(round(sign * solved.fun))
        ranges[count] = Range(ends[0], None if ends[1] >= MOST else ends[1])
    return ranges


def _both(one: Range | None, other: Range) -> Range:
    if one is None:
        return other
    highs = [high for high in (one.high, other.high) if high is not None]
    return Range(max(one.low, other.low), min(highs) if highs else None)


def _linked(
    narrow: set[Hashable], sums: Sequence[tuple[Hashable, Sequence[Hashable], Relation]]
) -> set[Hashable]:
    """Return the counts that stand in one chain of sums with a narrow one."""
    linked = set(narrow)
    while True:
        more = {
            count
            for total, parts, _ in sums
            if linked & {total, *parts}
            for count in (total, *parts)
        } - linked
        if not more:
            return linked
        linked |= more


def _choices(trial: Release, exposed: set[Key]) -> list[Key]:
    """Return which of the exposed figures may be withheld, the least loss first.

    A released part before a total and a small one before a large one. When nothing released is
    left, figures withheld for their size are counted as withheld for others' sake, totals first:
    the page does not say which of the two it was.
    """
    totals = {relation.total for relation in trial.relations}
    released = [key for key in exposed if trial.figures[key].state == "released"]
    if released:
        return sorted(released, key=lambda key: (key in totals, trial.figures[key].value or 0, key))
    withheld = [
        key
        for key in exposed
        if trial.figures[key].state == "withheld" and key not in trial.secondary
    ]
    return sorted(withheld, key=lambda key: (key not in totals, key))
