"""Disclosure control of one count: what is shown, and what that gives away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.booking import STATES as QUEUE_STATES
from tasks.rules.contract import CHOICES, PHASES, UNITS
from tasks.rules.disclosure import (
    ANYTHING,
    FEWEST_VALUES,
    GROWING,
    NOTHING,
    QUEUED,
    RATES,
    ROUND_TO,
    SETTINGS,
    SOMETHING,
    WITHHOLD_TO,
    Figure,
    Range,
    Relation,
    Scope,
    between_phases,
    between_revisions,
    given_away,
    may_meet,
    protect,
    rate,
    relations,
    rounded,
    thread,
    withhold,
)
from tasks.rules.national_rates import RATES as NATIONAL
from tasks.rules.wording import keys

COUNTS = st.integers(0, 5000)
RULES = st.integers(WITHHOLD_TO, 40).flatmap(
    lambda most: st.tuples(
        st.just(most),
        st.integers(1, (2 * most + 1) // ROUND_TO).map(lambda times: times * ROUND_TO),
    )
)
"""What a plan may set: as strict as the default, or stricter, in fives, and nothing is rounded to
zero."""


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


VILLAGES = ("990101001001", "990101001002")


def every_relation() -> list[tuple[str, Relation]]:
    """Every relation there is, each with what it is of."""
    found = [(phase, each) for phase in PHASES for each in relations(phase, VILLAGES)]
    found += [("phases", each) for each in between_phases(VILLAGES)]
    keys = [(name, village) for name in GROWING for village in ("", *VILLAGES)]
    return [*found, *(("revisions", each) for each in between_revisions(keys))]


@pytest.mark.parametrize(("of", "relation"), every_relation())
def test_sums_speak_of_figures_of_the_township_or_of_its_villages(
    of: str, relation: Relation
) -> None:
    assert relation.wholes
    assert relation.parts
    for name, village in (*relation.wholes, *relation.parts):
        assert f"figure.{name}" in keys()
        assert village in ("", *VILLAGES)
    both = (*relation.wholes, *relation.parts)
    # between two revisions the same figure stands on both sides
    assert of == "revisions" or len(set(both)) == len(both)


@pytest.mark.parametrize("phase", ["sweep", "list_compilation", "supervision"])
def test_villages_add_up_to_the_township(phase: str) -> None:
    over = [
        relation
        for relation in relations(phase, VILLAGES)
        if [village for _, village in relation.parts] == [*VILLAGES] and relation.rest == NOTHING
    ]
    assert over
    assert all(village == "" for relation in over for _, village in relation.wholes)


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
    known = Relation((("subsidy_applied", "v"),), (("subsidy_paid", "v"),), rest)
    assert known in relations("supervision", ("v",), exact)


def test_where_earlier_applications_are_paid_too_it_is_known_that_none_is_left() -> None:
    exact = {("subsidy_applied", "v"): 2, ("subsidy_paid", "v"): 3}
    known = Relation((("subsidy_paid", "v"),), (("subsidy_applied", "v"),), ANYTHING)
    assert known in relations("supervision", ("v",), exact)


def of(wholes: str, parts: str, rest: Range) -> Relation:
    """A relation of the township's people_…, by the ends of their names."""
    whole, part = (
        tuple((f"people_{name}", "") for name in names.split()) for names in (wholes, parts)
    )
    return Relation(whole, part, rest)


STATES = "waiting booked confirmed not_confirmed declined"


def test_who_attended_was_assessed_and_every_outcome_was_offered() -> None:
    assert set(relations("diagnosis_queue", ())) == {
        of(STATES, "offered", ANYTHING),
        of("offered", "attended", ANYTHING),
        of("offered", "confirmed not_confirmed declined", ANYTHING),
        of("attended", "assessed", NOTHING),
        of("assessed", "confirmed not_confirmed", ANYTHING),
    }


def test_in_the_queue_are_those_who_are_new_and_not_in_hospital() -> None:
    assert {
        of("new", STATES, ANYTHING),
        of(f"{STATES} hospital", "new", ANYTHING),
        of("home welfare_institution other_institution not_reachable", STATES, ANYTHING),
    } <= set(between_phases(()))


def test_every_state_of_the_queue_and_every_care_setting_is_in_the_sums() -> None:
    assert set(QUEUED) == {f"people_{state}" for state in QUEUE_STATES if state != "withdrawn"}
    assert set(SETTINGS) == {f"people_{setting}" for setting in CHOICES["care_setting"]}


def test_what_is_counted_again_may_be_the_same_count() -> None:
    def same(one: Scope, other: Scope) -> bool:
        return thread(one) == thread(other)

    assert same(Scope("a", "list_compilation", 0), Scope("a", "list_compilation", 1))
    assert not same(Scope("a", "list_compilation", 0), Scope("b", "list_compilation", 0))
    # each round refers other people; a month's subsidies may be those of the month before
    assert not same(Scope("a", "sweep", 1), Scope("a", "sweep", 2))
    assert same(Scope("a", "supervision", 1), Scope("b", "supervision", 2))


def test_counts_of_two_campaigns_meet_in_the_months_of_supervision_only() -> None:
    assert may_meet(Scope("a", "sweep", 2), Scope("a", "diagnosis_queue", 0))
    assert not may_meet(Scope("a", "sweep", 1), Scope("b", "sweep", 1))
    assert may_meet(Scope("a", "supervision", 1), Scope("b", "supervision", 7))
    assert not may_meet(Scope("a", "supervision", 1), Scope("a", "list_compilation", 0))
    # one register, of which every campaign's packs count the same people
    assert may_meet(Scope("a", "quarterly_pack", 1), Scope("b", "quarterly_pack", 2))
    assert not may_meet(Scope("a", "quarterly_pack", 1), Scope("a", "diagnosis_queue", 0))


def test_every_rate_has_two_parts() -> None:
    national = {f"{name}_rate" for name in NATIONAL}
    assert set(RATES) == {"coverage", "heed_rate", "confirmed_share"} | national
    assert all(len({name, *parts}) == 3 for name, parts in RATES.items())
