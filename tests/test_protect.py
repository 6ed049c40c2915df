"""What several figures give away together: every reader's sums tried by brute force.

The second opinion here knows no integer program: it tries every whole number each count can be and
keeps those that agree with all that was released.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from tasks.protect import Key, Release, count_ranges, protect_release
from tasks.rules.disclosure import FEWEST_VALUES, Figure, Range, Relation, protect, relations
from tasks.rules.errors import DisclosureRisk, Exit

MOST = 45
"""Counts are tried up to here; all in the examples are smaller."""

Counts = tuple[int | None, ...]


def villages(count: int) -> tuple[str, ...]:
    return tuple(f"v{number}" for number in range(count))


def release(
    exact: Mapping[Key, int | None],
    known: Sequence[Relation],
    withhold_to: int = 7,
    round_to: int = 5,
) -> Release:
    """Exact counts, each protected on its own."""
    figures = {
        (name, village): protect(
            name, "people", village, count, withhold_to=withhold_to, round_to=round_to
        )
        for (name, village), count in exact.items()
    }
    return Release(figures, known, exact, withhold_to=withhold_to, round_to=round_to)


def sweep_counts(counts: Counts) -> dict[Key, int | None]:
    """Referrals of each village, and of the township: the sum of who reported."""
    said = [count for count in counts if count is not None]
    return {
        ("referrals", ""): sum(said) if said else None,
        **{("referrals", f"v{at}"): count for at, count in enumerate(counts)},
    }


def sweep(*counts: int | None) -> Release:
    """A revision of a sweep: the referrals of each village and of the township."""
    return release(sweep_counts(counts), relations("sweep", villages(len(counts))))


# --- the second opinion ---------------------------------------------------------------------------


def told(figure: Figure, is_total: bool, hidden: bool) -> range:
    """The whole numbers one figure leaves: the rule as a reader of the page knows it."""
    if figure.state == "zero":
        return range(1)
    if figure.state == "not_reported":
        return range(MOST)
    if figure.state == "withheld":
        # of a total the page does not say whether it was withheld for its size
        return range(1, MOST if hidden or is_total else 8)
    value = int(figure.value or 0)
    return range(max(value - 2, 8), value + 3)


def possible(releases: Sequence[Release]) -> dict[Hashable, set[int]]:
    """Return the values each count can have, by trying those of all parts together."""
    totals = {
        release.count(relation.total) for release in releases for relation in release.relations
    }
    allowed: dict[Hashable, set[int]] = {}
    for release in releases:
        for key, figure in release.figures.items():
            count = release.count(key)
            values = set(told(figure, count in totals, key in release.secondary))
            allowed[count] = allowed.get(count, values) & values
    counts = [count for count in allowed if count not in totals]
    values_of = [np.array(sorted(allowed[count])) for count in counts]
    grid = np.meshgrid(*values_of, indexing="ij", sparse=True)
    at = dict(zip(counts, grid, strict=True))
    fits = np.ones([len(values) for values in values_of], dtype=bool)
    sums: dict[Hashable, Any] = {}
    for release in releases:
        for relation in release.relations:
            if not release.reports(relation.total):
                continue
            # who did not report is not in the sum
            parts = [at[release.count(part)] for part in relation.parts if release.reports(part)]
            total = release.count(relation.total)
            added = np.broadcast_to(sum(parts), fits.shape)
            fits &= np.isin(added, sorted(allowed[total]))
            fits &= added == sums.setdefault(total, added)
    found: dict[Hashable, set[int]] = {}
    for axis, count in enumerate(counts):
        others = tuple(each for each in range(len(counts)) if each != axis)
        found[count] = set(values_of[axis][fits.any(axis=others)].tolist())
    return found | {total: set(np.unique(added[fits]).tolist()) for total, added in sums.items()}


def assert_safe(*releases: Release) -> None:
    """Assert that every count keeps four possible values, the truth among them."""
    found = possible(releases)
    for release in releases:
        for key, value in release.exact.items():
            if value is None:
                assert release.figures[key].state == "not_reported"
                continue
            left = found[release.count(key)]
            assert value in left, (key, value, left)
            assert value == 0 or len(left) >= FEWEST_VALUES, (key, value, left)


# --- one release ----------------------------------------------------------------------------------

COUNT = st.none() | st.integers(0, 13)


@settings(max_examples=60, deadline=None)
@given(st.lists(COUNT, min_size=1, max_size=4).map(tuple))
@example((7, 9, None))
@example((1, 1, 1, 1))
@example((3, 0, 0))
@example((7, 8))
@example((0, 0))
@example((None, None))
def test_no_count_of_one_release_can_be_worked_out(counts: Counts) -> None:
    assert_safe(protect_release(sweep(*counts), []))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=2))
def test_no_count_can_be_worked_out_where_one_is_never_more_than_another(
    pairs: list[tuple[int, int]],
) -> None:
    names = villages(len(pairs))
    applied = {("subsidy_applied", v): max(pair) for v, pair in zip(names, pairs, strict=True)}
    paid = {("subsidy_paid", v): min(pair) for v, pair in zip(names, pairs, strict=True)}
    exact: dict[Key, int | None] = {
        ("subsidy_applied", ""): sum(applied.values()),
        ("subsidy_paid", ""): sum(paid.values()),
        **applied,
        **paid,
    }
    candidate = release(exact, relations("supervision", names, exact))
    out = protect_release(candidate, [])
    known = {
        (key, 1): Range(min(left), None if max(left) == MOST - 1 else max(left))
        for key, figure in out.figures.items()
        if (left := told(figure, key[1] == "", key in out.secondary))
    }
    sums = [
        ((relation.total, 1), [(part, 1) for part in relation.parts], relation)
        for relation in out.relations
    ]
    for (key, _), found in count_ranges(known, sums).items():
        assert found.low <= (exact[key] or 0)
        assert exact[key] == 0 or found.values >= FEWEST_VALUES


def test_that_a_village_fell_short_does_not_give_its_subsidies_away() -> None:
    names = villages(2)
    exact: dict[Key, int | None] = {("subsidy_applied", ""): 20, ("subsidy_paid", ""): 18}
    for village in names:
        exact |= {("subsidy_applied", village): 10, ("subsidy_paid", village): 9}
    out = protect_release(release(exact, relations("supervision", names, exact)), [])
    options = [
        (applied, paid)
        for applied in told(out.figures["subsidy_applied", "v0"], True, True)
        for paid in told(out.figures["subsidy_paid", "v0"], True, True)
        if paid < applied
    ]
    both = [told(out.figures[name, ""], True, True) for name in ("subsidy_applied", "subsidy_paid")]
    fits = [
        (one, other)
        for one in options
        for other in options
        if one[0] + other[0] in both[0] and one[1] + other[1] in both[1]
    ]
    # as shown, 20 applied for and 20 paid by two villages that each fell short: 20, 21 or 22
    assert len({one[0] + other[0] for one, other in fits}) >= FEWEST_VALUES
    assert len({one[1] + other[1] for one, other in fits}) >= FEWEST_VALUES
    assert len({one[0] for one, _ in fits}) >= FEWEST_VALUES
    assert len({one[1] for one, _ in fits}) >= FEWEST_VALUES


SETTINGS = ("home", "hospital", "welfare_institution", "other_institution", "not_reachable")


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.integers(0, 9)] * 3), st.integers(0, 27))
def test_no_count_of_a_list_can_be_worked_out(by_village: Counts, known: int) -> None:
    names = villages(3)
    total = sum(count or 0 for count in by_village)
    known = min(known, total)
    exact: dict[Key, int | None] = {
        ("people_listed", ""): total,
        **{("people_listed", v): count for v, count in zip(names, by_village, strict=True)},
        ("people_known", ""): known,
        ("people_new", ""): total - known,
    }
    first_two = relations("list_compilation", names)[:2]
    candidate = release(exact, first_two)
    out = protect_release(candidate, [])
    assert_safe_sums(out, exact)


def assert_safe_sums(out: Release, exact: Mapping[Key, int | None]) -> None:
    """The same by trying all parts of two sums of one total together."""
    (village_sum, known_sum) = out.relations
    (total,) = {village_sum.total, known_sum.total}
    options = {
        key: [*told(figure, key == total, key in out.secondary)]
        for key, figure in out.figures.items()
    }

    def sums(parts: Sequence[Key]) -> dict[int, dict[Key, set[int]]]:
        """Sum -> the values of each part with which it is reached."""
        reached: dict[int, dict[Key, set[int]]] = {}
        grid = np.meshgrid(*(options[part] for part in parts), indexing="ij")
        added = sum(grid)
        for value in np.unique(added):
            at = added == value
            reached[int(value)] = {
                part: set(np.unique(axis[at]).tolist())
                for part, axis in zip(parts, grid, strict=True)
            }
        return reached

    one, other = sums(village_sum.parts), sums(known_sum.parts)
    both = set(one) & set(other) & set(options[total])
    left: dict[Key, set[int]] = {total: both}
    for value in both:
        for key, values in (*one[value].items(), *other[value].items()):
            left.setdefault(key, set()).update(values)
    for key, count in exact.items():
        assert count in left[key]
        assert count == 0 or len(left[key]) >= FEWEST_VALUES, (key, count, left[key])


# --- several revisions ----------------------------------------------------------------------------


@st.composite
def revisions(draw: Callable[..., Any], villages: int, revisions: int) -> list[Counts]:
    """The referrals by village in revisions of a sweep: some change from each to the next."""
    found: list[Counts] = [draw(st.tuples(*[COUNT] * villages))]
    while len(found) < revisions:
        changed = st.integers(0, 13)
        found.append(tuple(draw(st.just(count) | changed) for count in found[-1]))
    return found


@settings(max_examples=20, deadline=None)
@given(revisions(villages=3, revisions=2) | revisions(villages=1, revisions=4))
@example([(9, 8), (9, 11)])
@example([(10, 3), (10, 13)])
@example([(1, 2, 4), (1, 2, 13)])
@example([(5, None, 8), (5, 7, 8)])
@example([(8, 8), (8, 9), (8, 10)])
def test_no_count_can_be_worked_out_from_several_revisions(counts: list[Counts]) -> None:
    released: list[Release] = []
    for each in counts:
        try:
            released.append(protect_release(sweep(*each), released))
        except DisclosureRisk as risk:
            # then nothing of it leaves, and the next one is tried
            event(risk.key)
    event(f"{len(released)} of {len(counts)} released")
    assert_safe(*released)


def test_a_village_that_sent_nothing_new_shows_the_same() -> None:
    first = protect_release(sweep(10, 12, 3), [])
    second = protect_release(sweep(10, 12, 9), [first])
    for village in ("v0", "v1"):
        key = ("referrals", village)
        assert second.figures[key].state in (first.figures[key].state, "withheld")


def test_revisions_that_share_no_count_do_not_meet() -> None:
    earlier = [sweep(3, 9 + number) for number in range(40)]
    assert protect_release(sweep(4, 70), earlier) == protect_release(sweep(4, 70), [])


# --- cases with a name ----------------------------------------------------------------------------


def shown(counts: Counts) -> list[float | str]:
    """Township first: the value, or the state where there is none."""
    out = protect_release(sweep(*counts), [])
    return [each.state if each.value is None else each.value for each in out.figures.values()]


@pytest.mark.parametrize(
    ("counts", "page"),
    [
        # nothing small, nothing to hide
        ((10, 20, 30), [60, 10, 20, 30]),
        # 7 = 48 - 41 would be left as 6 or 7: the next smallest goes, too
        ((7, 41), [50, "withheld", "withheld"]),
        # who did not report does not hide anybody
        ((7, 41, None), [50, "withheld", "withheld", "not_reported"]),
        ((7, 41, 0), [50, "withheld", "withheld", 0]),
        # two small ones hide each other
        ((3, 4, 41), [50, "withheld", "withheld", 40]),
        # one small one among nobody is the total, and neither is shown
        ((3, 0, 0), ["withheld", "withheld", 0, 0]),
        ((1, 1, 1, 1, 1, 1, 1), ["withheld"] * 8),
        ((0, 0), [0, 0, 0]),
        ((None, None), ["not_reported"] * 3),
        ((9,), [10, 10]),
    ],
)
def test_what_is_left_on_the_page(counts: Counts, page: list[float | str]) -> None:
    assert shown(counts) == page


def test_a_village_that_was_not_asked_stands_in_no_sum() -> None:
    exact: dict[Key, int | None] = {
        ("referrals", ""): 19,
        ("referrals", "v0"): 12,
        ("referrals", "v1"): 7,
    }
    known = relations("sweep", villages(3))
    first = protect_release(release(exact, known), [])
    assert_safe(first)
    # nor in one of an earlier revision
    assert_safe(first, protect_release(release(sweep_counts((12, 7, 9)), known), [first]))


def test_where_a_plans_rounding_itself_narrows_a_count_it_is_withheld() -> None:
    # with 11 withheld, "10" can only be 12
    candidate = release({("referrals", ""): 12}, (), 11, 5)
    assert candidate.figures["referrals", ""].value == 10
    out = protect_release(candidate, [])
    assert out.figures["referrals", ""].state == "withheld"


def test_a_revision_after_one_in_which_all_was_withheld_is_released() -> None:
    first = protect_release(sweep(1, 1, 1, 2, 2), [])
    assert {figure.state for figure in first.figures.values()} == {"withheld"}
    second = protect_release(sweep(1, 1, 1, 2, 4), [first])
    assert second.figures["referrals", ""].value == 10


def test_a_count_that_fell_without_a_new_file_is_released() -> None:
    # somebody withdrew: no file came, and the count is another one
    first = protect_release(sweep(30, 9), [])
    second = protect_release(sweep(26, 9), [first])
    assert second.figures["referrals", "v0"].value == 25


def test_a_plan_made_stricter_in_between_reads_the_old_revision_as_it_was() -> None:
    exact = sweep_counts((30, 9))
    known = relations("sweep", villages(2))
    first = protect_release(release(exact, known), [])
    second = protect_release(release(exact, known, withhold_to=12), [first])
    assert second.figures["referrals", "v1"].state == "withheld"


def test_figures_that_contradict_each_other_stop_the_release() -> None:
    total, part = Range(20, 22), Range(0, 0)
    with pytest.raises(DisclosureRisk) as stopped:
        count_ranges(
            {"total": total, "part": part}, [("total", ["part"], relations("sweep", ("v",))[0])]
        )
    assert stopped.value.exit is Exit.DISCLOSURE


def test_withholding_never_adds_to_what_is_shown() -> None:
    candidate = sweep(7, 41, 12)
    out = protect_release(candidate, [])
    for key, figure in out.figures.items():
        assert figure == candidate.figures[key] or figure.state == "withheld"
    assert list(out.figures) == list(candidate.figures)


def test_a_sum_over_nothing_released_says_nothing() -> None:
    relation = Relation(("a", ""), (("b", ""),))
    assert count_ranges({"a": Range(1, 7)}, []) == {"a": Range(1, 7)}
    ranges = count_ranges({"a": Range(1, 7), "b": Range(3, None)}, [("a", ["b"], relation)])
    assert ranges == {"a": Range(3, 7), "b": Range(3, 7)}
    free = {"a": Range(0, None), "b": Range(3, None)}
    assert count_ranges(free, [("a", ["b"], relation)])["a"].high is None
