"""The national rates: their definitions against what was published, and SQL against the rules."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.main import main
from conftest import ACT
from register_rows import add_registered, add_visit, add_withdrawal, contents, empty
from reports.gate import RATES_OF_PEOPLE
from tasks.home import Home
from tasks.keys import read_key
from tasks.national_rates import national_counts, national_figures
from tasks.plan import Plan
from tasks.protect import Release, protect_release
from tasks.register import open_register
from tasks.rules.disclosure import RATES as PUBLISHED_RATES
from tasks.rules.disclosure import Scope, protect, relations
from tasks.rules.national_rates import (
    COUNTS,
    PUBLISHED,
    RATES,
    VERSIONS,
    Definition,
    PersonYear,
    count_people,
    definitions,
    follow_ups_owed,
    percent,
)
from tasks.rules.visits import COUNTED_SEEN
from tasks.rules.wording import keys
from tasks.set_up import set_up
from tasks.store import Store
from tasks.visits import update_visits

PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "autumn-2025.toml"

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)

STATISTICS = {
    "2017": {
        "registered": 5_806_352,
        "managed": 5_380_249,
        "four_times": 4_346_103,
        "medicated": 4_035_323,
        "regularly": 2_012_074,
        "stable": 3_924_101,
        "assessed": 5_231_235,
    },
    "2018": {
        "registered": 5_994_054,
        "managed": 5_688_164,
        "four_times": 4_956_545,
        "medicated": 4_873_322,
        "regularly": 2_504_323,
        "stable": 4_426_558,
        "assessed": 5_492_261,
    },
    "2015": {
        "registered": 4_921_505,
        "managed": 4_252_022,
        "four_times": 2_211_835,
        "medicated": 2_071_111,
        "regularly": 1_293_133,
        "stable": 2_547_824,
        "assessed": 4_155_963,
    },
}
"""The counts of people that the statistics printed, year by year."""


@pytest.mark.parametrize(
    ("year", "version", "printed"),
    [
        ("2017", "2017", (92.66, 74.85, 69.50, 34.65, 75.01)),
        ("2018", "2017", (94.90, 82.69, 81.30, 41.78, 80.60)),
        ("2015", "2015", (86.40, 44.94, 48.71, 30.41, 61.31)),
    ],
)
def test_the_definitions_give_the_rates_that_were_printed(
    year: str, version: str, printed: tuple[float, ...]
) -> None:
    found = {each.rate: percent(STATISTICS[year], each) for each in definitions(version)}
    assert found == dict(zip(RATES, printed, strict=True))


def test_the_same_counts_give_other_rates_by_another_definition() -> None:
    by_2017 = {each.rate: percent(STATISTICS["2015"], each) for each in definitions("2017")}
    assert (by_2017["medicated"], by_2017["regularly"]) == (42.08, 26.28)


def test_a_rate_of_nobody_is_none_and_none_is_capped() -> None:
    managed = Definition("managed", "x", "managed", "registered")
    assert percent({"managed": 0, "registered": 0}, managed) is None
    assert percent({"managed": 3, "registered": 2}, managed) == 150.0


def test_every_definition_is_made_of_counts_and_said_in_words() -> None:
    for version in VERSIONS:
        for each in definitions(version):
            assert {each.numerator, each.denominator} <= set(COUNTS)
            assert f"rates.rate.{each.rate}" in keys("rates.rate.")
    for words in ("rates.count.", "rates.short."):
        assert set(keys(words)) == {f"{words}{name}" for name in COUNTS}
    assert set(keys("rates.version.")) == {f"rates.version.{name}" for name in VERSIONS}


@pytest.mark.parametrize(
    ("since", "until", "owed"),
    [
        (FIRST, LAST, 4),
        (FIRST, date(2025, 12, 30), 3),
        (FIRST, date(2025, 3, 31), 1),
        (FIRST, date(2025, 3, 30), 0),
        (date(2025, 10, 2), LAST, 0),
        (date(2025, 10, 1), LAST, 1),
        (LAST, LAST, 0),
    ],
)
def test_a_follow_up_is_owed_for_every_quarter_that_is_over(
    since: date, until: date, owed: int
) -> None:
    assert follow_ups_owed(since, until) == owed


def person(**changes: object) -> PersonYear:
    """Somebody who was followed four times, in time, and takes medicine as prescribed."""
    facts: dict[str, object] = {
        "since": FIRST,
        "until": LAST,
        "complete": 4,
        "missed": False,
        "medication": ("1", "1", "1", "1"),
        "last_stability": "stable",
    }
    return PersonYear(**(facts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({}, set(COUNTS)),
        ({"complete": 3}, set(COUNTS) - {"four_times", "on_schedule"}),
        ({"missed": True}, set(COUNTS) - {"on_schedule"}),
        ({"medication": ("1", "2")}, set(COUNTS) - {"regularly"}),
        ({"medication": ("1", "4")}, set(COUNTS)),
        ({"medication": ("3",)}, set(COUNTS) - {"medicated", "regularly"}),
        ({"medication": ("4",)}, set(COUNTS) - {"medicated", "regularly"}),
        ({"last_stability": "basically_stable"}, set(COUNTS) - {"stable"}),
        ({"last_stability": None}, set(COUNTS) - {"assessed", "stable"}),
        (
            {"complete": 0, "medication": (), "last_stability": None, "since": LAST},
            {"registered"},
        ),
        ({"complete": 1, "since": date(2025, 11, 1)}, set(COUNTS)),
    ],
)
def test_who_is_counted(changes: Mapping[str, object], counted: set[str]) -> None:
    found = count_people([person(**changes)])
    assert {name for name, count in found.items() if count} == counted


# --- over the register ----------------------------------------------------------------------------

VISITS = st.lists(
    st.tuples(
        st.dates(date(2024, 11, 1), date(2026, 2, 1)),
        st.sampled_from(["person", "guardian", "other", "nobody"]),
        st.sampled_from(["stable", "basically_stable", "unstable"]),
        st.sampled_from(["1", "2", "3", "4"]),
    ),
    max_size=8,
    unique_by=lambda visit: visit[0],
)
Visit = tuple[date, str, str, str]
PEOPLE = st.lists(st.tuples(st.dates(date(2024, 6, 1), date(2026, 1, 20)), VISITS), max_size=5)
ENDED = {"died", "moved", "transferred"}


def judged(
    confirmed_on: date, visits: list[Visit], owed: list[tuple[date, str]], until: date
) -> PersonYear:
    """A person's year, read off the rows one by one; `owed`: the visits due, with their states."""
    first = until.replace(month=1, day=1)
    year = sorted(visit for visit in visits if first <= visit[0] <= until)
    complete = [visit for visit in year if visit[1] in COUNTED_SEEN]
    return PersonYear(
        since=max(confirmed_on, first),
        until=until,
        complete=len(complete),
        missed=any(first <= due <= until and state not in {"done", "open"} for due, state in owed),
        medication=tuple(visit[3] for visit in complete),
        last_stability=complete[-1][2] if complete and complete[-1] == year[-1] else None,
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PEOPLE, st.dates(date(2025, 1, 1), date(2026, 1, 31)))
def test_the_statement_counts_as_the_rules_do(
    store: Store,
    plan: Plan,
    people: list[tuple[date, list[Visit]]],
    as_of: date,
) -> None:
    empty(store, "reg_registered", "stg_follow_up")
    for number, (confirmed_on, visits) in enumerate(people):
        add_registered(store, f"G-{number}", confirmed_on=confirmed_on)
        for day, seen, stability, medication in visits:
            found = stability if seen in COUNTED_SEEN else None
            taken = medication if found else None
            add_visit(store, f"G-{number}", day, seen=seen, stability=found, medication=taken)

    counts = national_counts(store, plan, as_of, 2025)

    until = min(as_of, LAST)
    owed: dict[str, list[tuple[date, str]]] = {}
    for register_no, due_on, state in contents(
        store, "reg_visit_due", "register_no, due_on, state"
    ):
        owed.setdefault(register_no, []).append((due_on, state))
    expected = count_people(
        judged(confirmed_on, visits, owed.get(f"G-{number}", []), until)
        for number, (confirmed_on, visits) in enumerate(people)
        if confirmed_on <= until
    )
    assert counts == expected


def test_a_year_that_is_over_is_judged_to_its_end_and_another_not_at_all(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1")
    add_visit(store, "G-1", date(2025, 5, 1), medication="1")
    add_visit(store, "G-1", date(2026, 1, 5), medication="1", stability="unstable")

    past = national_counts(store, plan, date(2026, 1, 31), 2025)
    now = national_counts(store, plan, date(2026, 1, 31))

    assert (past["managed"], past["stable"], past["four_times"]) == (1, 1, 0)
    assert (now["managed"], now["stable"], now["four_times"]) == (1, 0, 1)


def test_two_rows_of_one_day_are_one_follow_up_and_the_complete_one_counts(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1")
    add_visit(store, "G-1", date(2025, 5, 1), medication="1")
    add_visit(
        store,
        "G-1",
        date(2025, 5, 1),
        seen="nobody",
        stability=None,
        received_at=datetime(2025, 5, 9, 9),
    )

    counts = national_counts(store, plan, date(2025, 5, 31))

    assert (counts["managed"], counts["assessed"], counts["medicated"]) == (1, 1, 1)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_who_has_left_is_on_no_count(
    store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    add_registered(store, "G-1")
    add_registered(store, "G-2")

    def ended(store: Store, plan: Plan, as_of: date) -> None:
        update_visits(store, plan, as_of)
        store.connection.execute(
            "UPDATE register.reg_visit_due SET state = ? WHERE register_no = 'G-1'", [state]
        )

    monkeypatch.setattr("tasks.national_rates.update_visits", ended)
    assert national_counts(store, plan, date(2025, 5, 31))["registered"] == 1


def test_who_is_met_again_is_on_the_register_again(store: Store, plan: Plan) -> None:
    add_registered(store, "G-1")
    away = {"seen": "nobody", "lost_reason": "moved", "stability": None}
    add_visit(store, "G-1", date(2025, 2, 1), **away)
    assert national_counts(store, plan, date(2025, 2, 28))["registered"] == 0
    add_visit(store, "G-1", date(2025, 3, 1))
    assert national_counts(store, plan, date(2025, 5, 31))["registered"] == 1


def test_who_took_consent_back_is_on_no_count(store: Store, plan: Plan) -> None:
    add_registered(store, "G-1", referral_ref="R-1")
    add_withdrawal(store, "R-1", date(2025, 3, 1))
    assert national_counts(store, plan, date(2025, 2, 28))["registered"] == 1
    assert national_counts(store, plan, date(2025, 5, 31))["registered"] == 0


# --- what may leave -------------------------------------------------------------------------------


def test_the_figures_are_the_parts_of_the_published_rates(store: Store, plan: Plan) -> None:
    for number in range(3):
        add_registered(store, f"G-{number}")
    add_visit(store, "G-1", date(2025, 2, 1), medication="2")

    figures = national_figures(store, plan, date(2025, 3, 31))

    assert {each.name: each.value for each in figures} == {
        "rate_registered": 3,
        "rate_managed": 1,
        "rate_standard": 1,
        "rate_medicated": 1,
        "rate_regularly": 0,
        "rate_assessed": 1,
        "rate_stable": 1,
    }
    assert {(each.unit, each.village) for each in figures} == {("people", "")}
    made = {
        f"{each.rate}_rate": (f"rate_{each.rate}", f"rate_{each.denominator}")
        for each in definitions(PUBLISHED)
    }
    assert made.items() <= PUBLISHED_RATES.items() & RATES_OF_PEOPLE.items()


CHAINS = (
    ("rate_registered", "rate_managed", "rate_standard"),
    ("rate_managed", "rate_medicated", "rate_regularly"),
    ("rate_managed", "rate_assessed", "rate_stable"),
)


@given(st.lists(st.integers(0, 30), min_size=7, max_size=7).map(sorted))
def test_together_they_give_no_count_away(found: list[int]) -> None:
    stable, regularly, standard, medicated, assessed, managed, registered = found
    exact = {
        ("rate_registered", ""): registered,
        ("rate_managed", ""): managed,
        ("rate_standard", ""): standard,
        ("rate_medicated", ""): medicated,
        ("rate_regularly", ""): regularly,
        ("rate_assessed", ""): assessed,
        ("rate_stable", ""): stable,
    }
    scope = Scope("autumn-2025", "quarterly_pack", 1)
    known = relations("quarterly_pack", (), exact)
    pairs = {(each.wholes[0][0], each.parts[0][0]) for each in known}
    assert pairs == {pair for chain in CHAINS for pair in pairwise(chain)}

    released = protect_release(
        Release(
            scope=scope,
            figures={key: protect(key[0], "people", "", exact[key]) for key in exact},
            relations=known,
            exact=exact,
        ),
        [],
    )

    for key, value in exact.items():
        if 0 < value < 8:
            assert released.figures[key].state == "withheld"


# --- the command ----------------------------------------------------------------------------------


def rated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str]:
    """Run `campaign rates` and return its exit code and what it printed."""
    monkeypatch.setattr("sys.argv", ["campaign", "rates", "--campaign", "autumn-2025", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


@pytest.fixture
def township(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a campaign set up, and three people on its register."""
    home = Home(tmp_path / "township")
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    set_up(home, PLAN)
    with open_register(home, key=read_key(home), act=ACT) as store:
        for number in range(3):
            add_registered(store, f"G-{number}")
        for month in (2, 5, 8, 11):
            add_visit(store, "G-1", date(2025, month, 1), medication="1")
    return home


def test_the_health_side_reads_exact_rates_by_every_definition(
    township: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = rated(capsys, monkeypatch, "--year", "2025", "--json")
    said = json.loads(text)
    assert code == 0
    assert (said["year"], said["until"]) == (2025, "2025-12-31")
    assert said["counts"]["registered"] == 3
    by_version = {(each["rate"], each["version"]): each["percent"] for each in said["rates"]}
    assert by_version["medicated", "2017"] == 33.33
    assert by_version["medicated", "2015"] == 100.0

    code, text = rated(capsys, monkeypatch, "--year", "2025")
    assert code == 0
    assert "33.33 %" in text
    assert "third edition" in text

    with open_register(township, key=read_key(township), act=ACT) as store:
        assert ("rates", "rates") in contents(store, "reg_trail", "what, why")


def test_a_year_to_come_is_refused(
    township: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = rated(capsys, monkeypatch, "--year", "2099")
    assert code == 2
    assert "2099" in text
