"""Disclosure control of one count: what is shown, and what that gives away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.contract import PHASES, UNITS
from tasks.rules.disclosure import (
    ANYTHING,
    FEWEST_VALUES,
    NOTHING,
    RATES,
    ROUND_TO,
    SOMETHING,
    WITHHOLD_TO,
    Figure,
    Range,
    Relation,
    given_away,
    protect,
    rate,
    relations,
    rounded,
    withhold,
)

COUNTS = st.integers(0, 5000)
RULES = st.integers(WITHHOLD_TO, 40).flatmap(
    lambda most: st.tuples(st.just(most), st.integers(ROUND_TO, 2 * most + 1))
)
"""What a plan may set: as strict as the default, or stricter, and nothing is rounded to zero."""


def people(count: float | None, withhold_to: int = WITHHOLD_TO, round_to: int = ROUND_TO) -> Figure:
    return protect("referrals", "people", "", count, withhold_to=withhold_to, round_to=round_to)


@pytest.mark.parametrize(
    ("count", "value", "state"),
    [
        (None, None, "not_reported"),
        (0, 0, "zero"),
        (1, None, "withheld"),
        (7, None, "withheld"),
        (8, 10, "released"),
        (12, 10, "released"),
        (13, 15, "released"),
        (17, 15, "released"),
        (1002, 1000, "released"),
        (1003, 1005, "released"),
    ],
)
def test_one_to_seven_is_withheld_and_the_rest_rounded_to_five(
    count: int | None, value: float | None, state: str
) -> None:
    figure = people(count)
    assert (figure.value, figure.state) == (value, state)


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit != "people"])
@pytest.mark.parametrize("value", [0, 1, 3, 7, 12.5])
def test_figures_about_the_work_are_shown_as_they_are(unit: str, value: float) -> None:
    figure = protect("visits_done", unit, "990101001001", value)
    assert (figure.value, figure.state) == (value, "released" if value else "zero")


@pytest.mark.parametrize("count", [-1, 7.5, 0.5])
def test_what_is_no_count_of_people_is_an_error(count: float) -> None:
    with pytest.raises(ValueError, match="no count"):
        people(count)


@given(COUNTS, RULES)
def test_what_is_given_away_holds_the_truth(count: int, rules: tuple[int, int]) -> None:
    withhold_to, round_to = rules
    figure = people(count, *rules)
    for secondary in (False, True):
        told = given_away(figure, withhold_to=withhold_to, round_to=round_to, secondary=secondary)
        assert told.low <= count
        assert told.high is None or count <= told.high


@given(COUNTS, RULES)
def test_a_range_is_no_wider_than_what_shows_the_same(count: int, rules: tuple[int, int]) -> None:
    withhold_to, round_to = rules
    figure = people(count, *rules)
    told = given_away(figure, withhold_to=withhold_to, round_to=round_to, secondary=False)
    assert told.high is not None
    same = [other for other in range(count + 2 * round_to + 50) if people(other, *rules) == figure]
    assert [*range(told.low, told.high + 1)] == same


@given(COUNTS)
def test_by_the_default_rule_no_count_is_narrowed_to_fewer_than_four(count: int) -> None:
    told = given_away(people(count), withhold_to=7, round_to=5, secondary=False)
    assert count == 0 or told.values >= FEWEST_VALUES


@given(COUNTS, RULES)
def test_nothing_from_one_to_seven_is_ever_released(count: int, rules: tuple[int, int]) -> None:
    figure = people(count, *rules)
    if 1 <= count <= rules[0]:
        assert figure.state == "withheld"
    if figure.state == "released":
        assert figure.value is not None
        assert figure.value > WITHHOLD_TO
        assert figure.value % rules[1] == 0


@given(COUNTS, st.integers(1, 50))
def test_rounding_goes_to_the_nearest_and_a_half_upwards(count: int, round_to: int) -> None:
    near = rounded(count, round_to)
    assert near % round_to == 0
    assert -round_to < 2 * (count - near) < round_to or 2 * (near - count) == round_to


def test_zero_withheld_and_not_reported_are_three_different_things() -> None:
    shown = [people(count) for count in (None, 0, 3, 10)]
    assert len({figure.state for figure in shown}) == len(shown)
    told = [given_away(each, withhold_to=7, round_to=5, secondary=False) for each in shown]
    assert told == [Range(0, None), Range(0, 0), Range(1, 7), Range(8, 12)]


def test_withholding_takes_the_value_away() -> None:
    figure = withhold(people(40))
    assert (figure.value, figure.state) == (None, "withheld")
    told = given_away(figure, withhold_to=7, round_to=5, secondary=True)
    assert (told, told.values) == (Range(1, None), float("inf"))


# --- rates ----------------------------------------------------------------------------------------


def shown(value: float | None, state: str = "released") -> Figure:
    return Figure("part", "people", "", value, state)


WITHHELD, ZERO, NONE = shown(None, "withheld"), shown(0, "zero"), shown(None, "not_reported")


@pytest.mark.parametrize(
    ("numerator", "denominator", "value", "state"),
    [
        (shown(15), shown(20), 75.0, "released"),
        (shown(10), shown(15), 66.7, "released"),
        (ZERO, shown(20), 0.0, "zero"),
        (shown(25), shown(20), 125.0, "released"),
        (WITHHELD, shown(20), None, "withheld"),
        (shown(15), WITHHELD, None, "withheld"),
        (ZERO, WITHHELD, None, "withheld"),
        (shown(15), ZERO, None, "not_reported"),
        (ZERO, ZERO, None, "not_reported"),
        (WITHHELD, ZERO, None, "not_reported"),
        (NONE, shown(20), None, "not_reported"),
        (shown(15), NONE, None, "not_reported"),
        (NONE, WITHHELD, None, "not_reported"),
        (None, shown(20), None, "not_reported"),
        (shown(15), None, None, "not_reported"),
    ],
)
def test_a_rate_is_made_of_released_parts_only(
    numerator: Figure | None, denominator: Figure | None, value: float | None, state: str
) -> None:
    figure = rate("heed_rate", "", numerator, denominator)
    assert (figure.unit, figure.value, figure.state) == ("percent", value, state)


@given(COUNTS, COUNTS)
def test_a_rate_of_people_says_no_more_than_its_parts(part: int, whole: int) -> None:
    top, bottom = people(part), people(whole)
    figure = rate("heed_rate", "", top, bottom)
    if figure.value is not None and bottom.value:
        assert figure.value == round(100 * (top.value or 0) / bottom.value, 1)
    else:
        assert figure.state in ("withheld", "not_reported")


# --- what every reader can add up -----------------------------------------------------------------


@pytest.mark.parametrize("phase", PHASES)
def test_sums_speak_of_figures_of_the_township_or_of_its_villages(phase: str) -> None:
    villages = ("990101001001", "990101001002")
    for relation in relations(phase, villages):
        for name, village in (relation.total, *relation.parts):
            assert name
            assert village in ("", *villages)
        assert relation.total not in relation.parts


@pytest.mark.parametrize("phase", ["sweep", "list_compilation", "supervision"])
def test_villages_add_up_to_the_township(phase: str) -> None:
    villages = ("990101001001", "990101001002")
    over = [
        relation
        for relation in relations(phase, villages)
        if [village for _, village in relation.parts] == [*villages] and relation.rest == NOTHING
    ]
    assert over
    assert all(relation.total[1] == "" for relation in over)


@pytest.mark.parametrize(
    ("applied", "paid", "rest"),
    [
        (3, 3, NOTHING),
        (3, 2, SOMETHING),
        (3, 0, SOMETHING),
        (0, 0, NOTHING),
        (None, None, ANYTHING),
        (3, None, ANYTHING),
    ],
)
def test_whether_a_village_fell_short_of_its_subsidies_is_known(
    applied: int | None, paid: int | None, rest: Range
) -> None:
    exact = {("subsidy_applied", "v"): applied, ("subsidy_paid", "v"): paid}
    known = Relation(("subsidy_applied", "v"), (("subsidy_paid", "v"),), rest)
    assert known in relations("supervision", ("v",), exact)


def test_who_attended_was_assessed_and_every_outcome_was_offered() -> None:
    def of(total: str, *parts: str, rest: Range = ANYTHING) -> Relation:
        return Relation((total, ""), tuple((part, "") for part in parts), rest)

    assert set(relations("diagnosis_queue", ("v",))) == {
        of("people_offered", "people_attended"),
        of("people_offered", "people_confirmed", "people_not_confirmed", "people_declined"),
        of("people_attended", "people_assessed", rest=NOTHING),
        of("people_assessed", "people_confirmed", "people_not_confirmed"),
    }


def test_every_rate_has_two_parts() -> None:
    assert set(RATES) == {"coverage", "heed_rate", "confirmed_share"}
    assert all(len({name, *parts}) == 3 for name, parts in RATES.items())
