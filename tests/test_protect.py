"""What the figures of one phase and its revisions give away together: tried by a second reader."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from second_opinion import SecondReader, same_counts, too_narrow, within
from tasks.protect import Reader, Release, identify, protect_release
from tasks.rules.disclosure import (
    ANYTHING,
    FEWEST_VALUES,
    NOTHING,
    Key,
    Relation,
    Scope,
    protect,
    relations,
    withhold,
)
from tasks.rules.errors import DisclosureRisk, Exit
from tasks.rules.possible import System

SWEEP = Scope("autumn-2025", "sweep", 1)

Counts = tuple[int | None, ...]


def villages(count: int) -> tuple[str, ...]:
    return tuple(f"v{number}" for number in range(count))


def release(
    exact: Mapping[Key, int | None],
    known: Sequence[Relation],
    withhold_to: int = 7,
    round_to: int = 5,
    scope: Scope = SWEEP,
) -> Release:
    """Exact counts, each protected on its own."""
    figures = {
        (name, village): protect(
            name, "people", village, count, withhold_to=withhold_to, round_to=round_to
        )
        for (name, village), count in exact.items()
    }
    return Release(scope, figures, known, exact, withhold_to=withhold_to, round_to=round_to)


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


def assert_safe(*releases: Release) -> None:
    """Assert that every count keeps four possible values, the truth among them."""
    assert too_narrow(releases, [*within(releases), *same_counts(releases)]) == {}


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


def subsidies(*pairs: tuple[int, int]) -> Release:
    """A month: how many were applied for and paid in each village, and in the township."""
    names = villages(len(pairs))
    exact: dict[Key, int | None] = {
        ("subsidy_applied", ""): sum(applied for applied, _ in pairs),
        ("subsidy_paid", ""): sum(paid for _, paid in pairs),
    }
    for village, (applied, paid) in zip(names, pairs, strict=True):
        exact |= {("subsidy_applied", village): applied, ("subsidy_paid", village): paid}
    known = relations("supervision", names, exact)
    return release(exact, known, scope=Scope("autumn-2025", "supervision", 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=3))
def test_no_count_can_be_worked_out_where_one_is_never_more_than_another(
    pairs: list[tuple[int, int]],
) -> None:
    assert_safe(protect_release(subsidies(*((max(pair), min(pair)) for pair in pairs)), []))


def test_that_a_village_fell_short_does_not_give_its_subsidies_away() -> None:
    alone = subsidies((10, 9), (10, 9))
    # as shown, 20 applied for and 20 paid by two villages that each fell short: 20, 21 or 22
    assert too_narrow([alone], within([alone]))
    assert_safe(protect_release(alone, []))


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(0, 9)] * 3), st.integers(0, 27), st.integers(0, 27))
def test_no_count_of_a_list_can_be_worked_out(
    by_village: tuple[int, ...], known: int, home: int
) -> None:
    total = sum(by_village)
    known, home = min(known, total), min(home, total)
    exact: dict[Key, int | None] = {
        ("people_listed", ""): total,
        ("people_known", ""): known,
        ("people_new", ""): total - known,
        ("people_home", ""): home,
        ("people_hospital", ""): total - home,
        **{("people_listed", f"v{at}"): count for at, count in enumerate(by_village)},
    }
    assert_safe(protect_release(release(exact, relations("list_compilation", villages(3))), []))


# --- several revisions ----------------------------------------------------------------------------


@st.composite
def revisions(draw: Callable[..., Any], villages: int, revisions: int) -> list[Counts]:
    """The referrals by village in revisions of a sweep: some change from each to the next."""
    found: list[Counts] = [draw(st.tuples(*[COUNT] * villages))]
    while len(found) < revisions:
        changed = st.integers(0, 13)
        found.append(tuple(draw(st.just(count) | changed) for count in found[-1]))
    return found


@settings(max_examples=40, deadline=None)
@given(revisions(villages=3, revisions=3) | revisions(villages=1, revisions=4))
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
        assert second.figures[key] == first.figures[key]


@settings(max_examples=40, deadline=None)
@given(revisions(villages=4, revisions=3))
def test_what_did_not_change_is_shown_as_it_was(counts: list[Counts]) -> None:
    """A released figure stays released, a withheld one withheld, whatever happened to others."""
    released: list[Release] = []
    for each in counts:
        released.append(protect_release(sweep(*each), released))
        for village in villages(4)[: len(each)]:
            key = ("referrals", village)
            before = released[-2:-1]
            if before and before[0].exact[key] == released[-1].exact[key]:
                assert released[-1].figures[key] == before[0].figures[key]


def test_what_was_withheld_stays_so_while_it_does_not_change() -> None:
    # by whatever it was withheld: that it is shown now would say that something happened
    key = ("referrals", "v1")
    alone = sweep(20, 30)
    first = Release(
        SWEEP,
        {**alone.figures, key: withhold(alone.figures[key])},
        alone.relations,
        alone.exact,
        frozenset({key}),
    )
    assert protect_release(sweep(25, 30), [first]).figures[key].state == "withheld"
    assert protect_release(sweep(25, 31), [first]).figures[key].state == "released"


def test_the_same_counts_again_show_the_same() -> None:
    first = protect_release(sweep(7, 41, 12), [])
    again = protect_release(sweep(7, 41, 12), [first])
    assert (again.figures, again.secondary) == (first.figures, first.secondary)


def test_a_total_that_came_out_the_same_is_not_known_to_be_the_same() -> None:
    first, second = sweep(4, 20), sweep(5, 19)
    identities = identify([first, second, second])
    total = ("referrals", "")
    assert identities[0][total] != identities[1][total] == identities[2][total]


def test_a_count_that_went_and_came_back_is_known_to_be_what_it_was() -> None:
    first, second, third = identify([sweep(5, 20), sweep(6, 20), sweep(5, 20)])
    village = ("referrals", "v0")
    assert first[village] == third[village] != second[village]


def test_revisions_that_share_no_count_are_linked_by_what_can_only_grow() -> None:
    # 40 people are not fewer than 38 to 42, and say no more than that
    first = protect_release(sweep(20, 20), [])
    second = protect_release(sweep(21, 21), [first])
    assert {figure.state for figure in second.figures.values()} == {"released"}


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
    assert_safe(first, second)


def test_a_sum_that_the_exact_counts_do_not_bear_out_is_no_knowledge() -> None:
    # a village that left the plan is in the township's figure alone
    exact = sweep_counts((12, 20)) | {("referrals", ""): 40}
    out = protect_release(release(exact, relations("sweep", villages(2))), [])
    assert {figure.state for figure in out.figures.values()} == {"released"}


@pytest.mark.parametrize("kept", [0, 7, 30])
def test_what_was_kept_of_a_release_must_agree_with_it(kept: int) -> None:
    first = sweep(20, 20)
    changed = Release(SWEEP, first.figures, (), {**first.exact, ("referrals", "v0"): kept})
    with pytest.raises(DisclosureRisk) as stopped:
        protect_release(changed, [])
    assert stopped.value.exit is Exit.DISCLOSURE
    assert stopped.value.key == "disclosure.contradiction"


def test_withholding_never_adds_to_what_is_shown() -> None:
    candidate = sweep(7, 41, 12)
    out = protect_release(candidate, [])
    for key, figure in out.figures.items():
        assert figure == candidate.figures[key] or figure == withhold(candidate.figures[key])
    assert list(out.figures) == list(candidate.figures)


@pytest.mark.parametrize(
    "candidate", [sweep(7, 12), sweep(7, 41, 0), subsidies((10, 9), (10, 9), (30, 30))]
)
def test_no_more_is_withheld_than_is_needed(candidate: Release) -> None:
    out = protect_release(candidate, [])
    hidden = [key for key in out.figures if out.figures[key] != candidate.figures[key]]
    assert hidden
    for key in hidden:
        figures = {**out.figures, key: candidate.figures[key]}
        less = Release(candidate.scope, figures, out.relations, out.exact, out.secondary - {key})
        assert too_narrow([less], within([less]))


def test_what_was_released_before_a_sum_was_looked_at_stops_nothing_it_does_not_touch() -> None:
    # 19 = 12 + 7, shown as 20 and 10: too narrow already, by a rule that knew no sums
    old = release(sweep_counts((12, 7)), relations("sweep", villages(2)))
    assert too_narrow([old], within([old]))
    again = protect_release(sweep(12, 7), [old])
    assert again.figures == old.figures


# --- the two ways to a range ----------------------------------------------------------------------


@st.composite
def linked(draw: Callable[..., Any]) -> Release:
    """A release with sums of any shape between few counts."""
    size = draw(st.integers(2, 5))
    keys = [("n", f"v{at}") for at in range(size)]
    exact: dict[Key, int | None] = {key: draw(st.integers(0, 14)) for key in keys}
    known = []
    for _ in range(draw(st.integers(0, 4))):
        order = draw(st.permutations(keys))
        wholes = draw(st.integers(1, size - 1))
        parts = draw(st.integers(1, size - wholes))
        top, bottom = order[:wholes], order[wholes : wholes + parts]
        over = sum(exact[key] or 0 for key in top) - sum(exact[key] or 0 for key in bottom)
        known.append(Relation((*top,), (*bottom,), NOTHING if over == 0 else ANYTHING))
    return release(exact, known)


@settings(max_examples=150, deadline=None)
@given(linked())
def test_what_is_found_by_steps_and_by_the_program_is_what_trying_all_finds(one: Release) -> None:
    (identities,) = identify([one])
    reader = Reader([one], identities.values())
    second = SecondReader([one], within([one]))
    narrow = {count.key for count in reader.narrow()}
    for key, count in identities.items():
        values = second.values((0, key))
        assert reader.values(count) == min(len(values), FEWEST_VALUES)
        assert (key in narrow) == (count.exact != 0 and len(values) < FEWEST_VALUES)


@settings(max_examples=150, deadline=None)
@given(linked(), st.integers(2, 6))
def test_every_step_leads_to_counts_that_fit(one: Release, enough: int) -> None:
    (identities,) = identify([one])
    system: System = Reader([one], identities.values()).system
    for place, value in enumerate(system.truth):
        met = set()
        for point in system.near_truth(place, enough):
            counts = [point.get(each, truth) for each, truth in enumerate(system.truth)]
            met.add(counts[place])
            for each, low, high in zip(counts, system.low, system.high, strict=True):
                assert low <= each <= high
            for row in system.sums:
                added = sum(counts[each] * sign for each, sign in row.members)
                assert row.least <= added <= row.most
        assert value in met
        assert len(met) == len(system.near_truth(place, enough)), "each point has its own value"
