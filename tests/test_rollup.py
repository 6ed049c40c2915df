"""A county's figures: what counts, what is set aside and why, and that nothing new is told."""

import ast
import json
import pickle
import random
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, sync_playwright

from cli.main import main
from conftest import program
from county_rows import (
    CODES,
    DUE,
    NAMES,
    RELEASED,
    ROWS,
    SHARED,
    SLUG,
    county,
    figure,
    public_key,
    release,
    row,
    share,
    shared_at,
    signing_key,
    sweep_figures,
    township,
)
from reports.rollup import PAGES, aside_line, render_rollup
from tasks.county import County
from tasks.rollup import (
    CountyPhase,
    Piece,
    Rollup,
    Snapshot,
    day_of,
    join_pieces,
    pieces_of,
    read_snapshot,
    roll_up,
    roll_up_piece,
)
from tasks.rules.disclosure import RATES, Figure, protect
from tasks.rules.errors import CheckFailed, WrongCommand
from tasks.rules.rollup import (
    COUNTY_STATES,
    MOST_SEARCHES,
    SUMMED,
    TOWNSHIP_STATES,
    UNIT_OF,
    Member,
    Roll,
    SetAside,
    SharedRow,
    Signatures,
    contradicted,
    county_state,
    judge,
    rate_state,
    township_state,
)
from tasks.rules.shared import SharedRelease, VillageState, write_body
from tasks.rules.wording import LANGUAGES, keys, say
from tasks.shared_ledger import Shared, flush_shared
from tasks.signing import is_signed

ROOT = Path(__file__).parent.parent
AXE = Path(axe_core_python.__file__).with_name("axe.min.js")
AS_OF = date(2025, 11, 20)
COUNTY = county()
ROLL = COUNTY.roll


def judged(each: SharedRow, roll: Any = ROLL) -> SharedRelease | SetAside:
    return judge(each, roll, Signatures(roll.members, is_signed))


def reason(each: SharedRow, roll: Any = ROLL) -> str:
    found = judged(each, roll)
    return found.reason if isinstance(found, SetAside) else ""


# One row by itself


def test_a_release_as_its_township_signed_it_counts() -> None:
    assert judged(row(release())) == release()
    aware = replace(release(), released_at=RELEASED.replace(tzinfo=UTC))
    assert judged(row(aware)) == aware


VILLAGES = release().villages

ASIDE: dict[str, list[SharedRow]] = {
    "unknown_township": [row(release("990909009")), row(release(), township=None)],
    "signature": [
        row(release(), body=row(release(revision=2)).body),
        row(release(), body=None),
        row(release(), signature="x"),
        row(release(), signature=None),
        row(release(), signer="990909009"),
    ],
    "signed_by_other": [row(release(), signer=CODES[3])],
    "key": [
        row(release(), revision=2),
        row(release(), round=2),
        row(release(), phase="aggregation"),
        row(release(), campaign="spring-2025"),
        # whoever signs another's releases as its own
        row(release(CODES[1]), signer=CODES[0], township=CODES[0]),
    ],
    "clock": [
        row(release(), RELEASED - timedelta(minutes=11)),
        row(release(), shared_at=None),
    ],
    "village_of_other": [
        row(release(villages=(*VILLAGES, VillageState(f"{CODES[1]}001", "late", nil=False))))
    ],
    "unknown_village": [
        row(release(villages=(VillageState("990909009001", "late", nil=False),))),
    ],
    "unknown_figure": [
        row(release(figures=(Figure("张三", "files", "", 1.0, "released"),))),
        # people under another unit would pass by disclosure control
        row(release(figures=(Figure("referrals", "files", "", 3.0, "released"),))),
        row(release(figures=(Figure("month1_张三", "files", "", 1.0, "released"),))),
    ],
    "people": [
        row(release(figures=(Figure("referrals", "people", "", value, "released"),)))
        for value in (1.0, 5.0, 7.0, 12.0, 43.0)
    ]
    + [
        row(release(withhold_to=5)),
        row(release(round_to=1)),
        row(release(round_to=7)),
        # a stricter plan's own rule holds for it
        row(release(withhold_to=20, figures=(figure("referrals", 12),))),
        row(release(round_to=10, figures=(figure("referrals", 15),))),
        # what is copied follows the least rule
        row(release(figures=(Figure("month1_subsidy_paid", "people", "", 3.0, "released"),))),
    ],
    "form": [
        row(release(**change))
        for change in (
            {"status": "final"},
            {"status": "interim"},
            {"period": "Zhang San"},
            {"revision": 0},
            {"round": -1},
            {"figures": (figure("households", 3),) * 2},
            {"figures": (Figure("households", "households", "", 3.5, "released"),)},
            {"figures": (Figure("households", "households", "", -3.0, "released"),)},
            {"figures": (Figure("households", "households", "", 1e12, "released"),)},
            {"figures": (Figure("households", "households", "", float("nan"), "released"),)},
            {"figures": (Figure("households", "households", "", 0.0, "released"),)},
            {"figures": (Figure("households", "households", "", None, "withheld"),)},
            {"figures": (Figure("referrals", "people", "", None, "released"),)},
            {"figures": (Figure("referrals", "people", "", 10.0, "withheld"),)},
            {"figures": (Figure("referrals", "people", "", 10.5, "released"),)},
            {"villages": VILLAGES * 2},
            {"villages": (replace(VILLAGES[0], state="guilty"),)},
        )
    ],
}


@pytest.mark.parametrize(
    ("found", "each"),
    [
        pytest.param(found, each, id=f"{found}-{place}")
        for found, rows in ASIDE.items()
        for place, each in enumerate(rows)
    ],
)
def test_what_does_not_count_is_set_aside_with_its_reason(found: str, each: SharedRow) -> None:
    assert reason(each) == found


def test_copied_counts_follow_the_least_rule_of_all_plans() -> None:
    copied = Figure("month1_subsidy_paid", "people", "", 15.0, "released")
    assert reason(row(release(round_to=10, figures=(copied,)))) == ""


def test_a_clock_may_be_ten_minutes_ahead() -> None:
    assert reason(row(release(), RELEASED - timedelta(minutes=10))) == ""


def test_a_township_shares_nothing_of_after_it_left() -> None:
    # released at 01:00 of 1 November in the county
    for left, found in ((date(2025, 11, 1), "left"), (date(2025, 11, 2), "")):
        members = county(township(CODES[0], left=left)).roll
        assert reason(row(release()), members) == found


def test_a_listed_village_is_its_listers_alone() -> None:
    taken = f"{CODES[0]}002"
    lister = township(CODES[1], villages=(f"{CODES[1]}001", f"{CODES[1]}002", taken))
    roll = county(township(CODES[0]), lister).roll
    assert judged(row(release()), roll) == SetAside(
        CODES[0], "sweep", 1, 1, "village_of_other", CODES[1], taken
    )
    claimed = (VillageState(taken, "on_time", nil=False),)
    assert reason(row(release(CODES[1], villages=claimed)), roll) == ""


def flooded(rows: Sequence[SharedRow], roll: Roll = ROLL) -> tuple[list[str], int]:
    """Why rows were set aside, and how many signatures were tried for it."""
    tried = []

    def counting(key: str, body: str, signature: str) -> bool:
        tried.append(key)
        return is_signed(key, body, signature)

    signatures = Signatures(roll.members, counting)
    found = [judge(each, roll, signatures) for each in rows]
    return [each.reason for each in found if isinstance(each, SetAside)], len(tried)


def test_a_flood_of_bad_signatures_costs_little_each() -> None:
    many = county(*(township(f"9901{number:05d}", key=f"{number:064x}") for number in range(300)))
    code = many.townships[7].code
    flood = [row(release(code, revision=number), signer="990909009") for number in range(1, 101)]
    reasons, tried = flooded(flood, many.roll)
    assert reasons == ["signature"] * len(flood)
    # each against its own key, and a few against those of all
    assert tried == len(flood) + MOST_SEARCHES * (len(many.townships) - 1)


def test_in_a_flood_too_a_township_is_named_that_signs_its_own_or_was_found_before() -> None:
    copied = [row(release(revision=number), signer=CODES[3]) for number in range(1, 20)]
    strange = [row(release(revision=number), signer="990909009") for number in range(20, 30)]
    moved = row(release(CODES[2]), township=CODES[0])
    late = row(release(revision=30), signer=CODES[4])
    reasons, _ = flooded([*copied, *strange, moved, late])
    other, unknown = "signed_by_other", "signature"
    assert reasons == [other] * len(copied) + [unknown] * len(strange) + [other, unknown]


def test_what_is_told_of_a_row_quotes_nothing_of_it() -> None:
    for each in (
        row(release(), township="张三"),
        row(release("990909009"), phase="张三 13800138000"),
        row(release(villages=(VillageState("张三", "late", nil=False),))),
    ):
        found = judged(each)
        assert isinstance(found, SetAside)
        for language in LANGUAGES:
            assert "张三" not in aside_line(found, COUNTY, language)
        assert "张三" not in repr(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(row(release()).body or ""))), JSON)
def test_no_signed_text_whatever_stops_the_others(field: str, value: object) -> None:
    content = json.loads(row(release()).body or "") | {field: value}
    body = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        signature = signing_key(CODES[0]).sign(body.encode()).hex()
    except UnicodeEncodeError:
        return
    found = judged(replace(row(release()), body=body, signature=signature))
    assert isinstance(found, SetAside) or write_body(found) == body


@pytest.mark.parametrize("body", ["", "[" * 100_000, '{"form":1}', "1" * 5_000, '{"form":NaN}'])
def test_a_text_that_is_no_release_is_set_aside(body: str) -> None:
    signature = signing_key(CODES[0]).sign(body.encode()).hex()
    assert reason(replace(row(release()), body=body, signature=signature)) == "form"


def test_two_texts_of_one_revision_contradict_each_other() -> None:
    first, other = row(release()), row(release(figures=sweep_figures(referrals=90)))
    assert contradicted([first, other, row(release(revision=2))]) == {first.key}


def test_every_reason_has_its_words() -> None:
    reasons = {key.rpartition(".")[2] for key in keys("rollup.aside.")} - {"line", "where"}
    assert reasons == {*ASIDE, "left", "conflict"}
    assert {key.rpartition(".")[2] for key in keys("rollup.state.")} == set(TOWNSHIP_STATES)


# States


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        ("on_time", {"first_shared": date(2025, 11, 3)}),
        ("late", {"first_shared": date(2025, 11, 4)}),
        # by the due day of then, not by that of the newest release
        ("on_time", {"first_shared": date(2025, 11, 9), "first_due": date(2025, 11, 6)}),
        ("missing", {}),
        ("awaited", {"as_of": date(2025, 11, 3)}),
        ("missing", {"as_of": date(2025, 11, 4)}),
        ("set_aside", {"set_aside": True, "first_shared": date(2025, 11, 3)}),
        ("not_expected", {"joined": date(2025, 11, 1), "set_aside": True}),
        ("not_expected", {"left": DUE}),
        ("missing", {"left": date(2025, 11, 1)}),
        ("missing", {"joined": DUE}),
    ],
)
def test_a_township_has_one_state_a_phase(state: str, changes: dict[str, Any]) -> None:
    days = {"joined": date(2025, 1, 1), "left": None}
    member = Member(CODES[0], "", **{name: changes.pop(name, days[name]) for name in days})
    given_by = {"first_due": DUE if "first_shared" in changes else None, "first_shared": None}
    values = {"due": DUE, "set_aside": False, "days_to_share": 3, "as_of": AS_OF}
    assert township_state(member, **(values | given_by | changes)) == state
    assert state in TOWNSHIP_STATES


@pytest.mark.parametrize(
    ("released", "zero", "withheld", "not_reported", "state"),
    [
        (2, 0, 0, 0, "released"),
        (2, 1, 0, 0, "released"),
        (2, 0, 1, 0, "partly"),
        (2, 0, 0, 1, "partly"),
        (0, 0, 1, 0, "withheld"),
        (0, 2, 1, 1, "withheld"),
        (0, 2, 0, 0, "zero"),
        (0, 2, 0, 1, "partly"),
        (0, 0, 0, 1, "not_reported"),
    ],
)
def test_a_sum_is_told_as_what_is_known_of_it(
    released: int, zero: int, withheld: int, not_reported: int, state: str
) -> None:
    counts = {"withheld": withheld, "not_reported": not_reported}
    assert county_state(released=released, zero=zero, **counts) == state
    assert state in COUNTY_STATES
    if not zero:
        assert rate_state(released=released, **counts) == state


def test_every_figure_there_is_can_be_shared() -> None:
    told = {key.removeprefix("figure.") for key in keys("figure.")} - {"earlier", "of"}
    assert {name for name in UNIT_OF if not name.startswith("returned_")} == told


def test_figures_have_the_units_they_are_released_with() -> None:
    found = set()
    for path in (ROOT / "tasks").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RawFigure":
                name, unit = node.args[:2]
                if isinstance(name, ast.Constant) and isinstance(unit, ast.Constant):
                    found.add((name.value, unit.value))
    assert len(found) > 5
    assert {(name, UNIT_OF[name]) for name, _ in found} == found
    assert {UNIT_OF[name] for name in RATES} == {"percent"}
    assert not {"days", "percent"} & {UNIT_OF[name] for name in SUMMED}


# The county


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """A shared ledger in which five townships shared a sweep and a list: never changed."""
    found = shared_at(tmp_path_factory.mktemp("shared"))
    share(found, [*ROWS, ROWS[0]])
    return found


@pytest.fixture(scope="module")
def found(shared: Shared) -> Rollup:
    at = read_snapshot(shared, COUNTY, SLUG)
    return roll_up(shared, COUNTY, SLUG, at, AS_OF)


def rolled(shared: Shared, of: County = COUNTY, as_of: date = AS_OF) -> Rollup:
    return roll_up(shared, of, SLUG, read_snapshot(shared, of, SLUG), as_of)


def states(phase: CountyPhase) -> dict[str, str]:
    return {each.township: each.state for each in phase.townships}


def figures(phase: CountyPhase) -> dict[str, tuple[str, float | None, int, int, int]]:
    return {
        each.name: (each.state, each.value, each.released, each.withheld, each.not_reported)
        for each in phase.figures
    }


def test_a_county_adds_up_what_its_townships_released(found: Rollup) -> None:
    sweep, listed = found.phases
    assert (sweep.phase, sweep.round, sweep.due, sweep.expected) == ("sweep", 1, DUE, 5)
    assert figures(sweep) == {
        "villages_expected": ("partly", 8, 4, 0, 1),
        "reporting_on_time": ("partly", 8, 4, 0, 1),
        "households": ("partly", 2200, 4, 0, 1),
        "households_visited": ("partly", 1620, 3, 0, 2),
        # 52 is released as 50, 42 as 40; 3 is withheld, and nobody is not
        "referrals": ("partly", 90, 3, 1, 1),
        # of the three that released both parts
        "coverage": ("partly", round(100 * 1620 / 1600, 1), 3, 0, 2),
    }
    # medians do not add up
    assert figures(listed) == {
        "people_listed": ("partly", 40, 1, 0, 4),
        "people_new": ("partly", 30, 1, 0, 4),
        "people_hospital": ("withheld", None, 0, 1, 4),
        "people_welfare_institution": ("partly", 0, 1, 0, 4),
    }


def test_every_township_has_a_state_of_every_phase(found: Rollup) -> None:
    sweep, listed = map(states, found.phases)
    assert list(sweep.values()) == ["on_time", "on_time", "on_time", "late", "missing"]
    assert list(listed.values()) == ["missing", "on_time", "set_aside", "missing", "missing"]
    assert [each.revision for each in found.phases[0].townships] == [2, 1, 1, 1, None]
    assert found.releases == len(ROWS), "what is there twice counts once"


def test_what_is_set_aside_is_told_and_the_others_go_on(found: Rollup) -> None:
    assert found.set_aside == (
        SetAside(CODES[2], "list_compilation", 0, 1, "signed_by_other", CODES[3]),
        SetAside("990909009", "sweep", 1, 1, "unknown_township"),
    )


def test_pieces_give_the_same_however_they_are_cut_and_ordered(
    shared: Shared, found: Rollup
) -> None:
    at = read_snapshot(shared, COUNTY, SLUG)
    assert set(at.townships) == {*CODES, "990909009"}
    for seed, most in enumerate((2, 4)):
        pieces = [
            roll_up_piece(shared, COUNTY, SLUG, townships, at.number)
            for townships in pieces_of(at.townships, most)
        ]
        random.Random(seed).shuffle(pieces)  # noqa: S311 # an order, no secret
        sent = [pickle.loads(pickle.dumps(piece)) for piece in pieces]  # noqa: S301 # our own
        assert join_pieces(COUNTY, SLUG, at, sent, as_of=AS_OF) == found


def test_a_piece_that_is_lost_or_twice_there_is_noticed(shared: Shared) -> None:
    at = Snapshot(1, SHARED, ("990101001", "990101002"))
    one, two = (Piece((code,), 1, (), (), (), ()) for code in at.townships)
    for pieces in ([one], [one, two, two]):
        with pytest.raises(CheckFailed) as refused:
            join_pieces(COUNTY, SLUG, at, pieces, as_of=AS_OF)
        assert refused.value.key == "rollup.pieces"


def test_many_townships_are_a_few_pieces() -> None:
    codes = [f"{number:09d}" for number in range(1000)]
    pieces = pieces_of(codes)
    assert [code for piece in pieces for code in piece] == codes
    assert len(pieces) == 4
    assert pieces_of([]) == ((),)


def test_a_snapshot_gives_the_same_again_byte_for_byte(tmp_path: Path) -> None:
    shared = shared_at(tmp_path)
    first = share(shared, ROWS[:1])
    before = read_snapshot(shared, COUNTY, SLUG)
    pages = render_rollup(roll_up(shared, COUNTY, SLUG, before, AS_OF), COUNTY)
    share(shared, ROWS[1:])
    after = read_snapshot(shared, COUNTY, SLUG)
    assert after.number > before.number == first
    # rows that move from the catalogue into files stay what they were
    flush_shared(shared)
    again = read_snapshot(shared, COUNTY, SLUG, first)
    assert again == before
    assert render_rollup(roll_up(shared, COUNTY, SLUG, again, AS_OF), COUNTY) == pages
    assert render_rollup(roll_up(shared, COUNTY, SLUG, after, AS_OF), COUNTY) != pages


def test_a_snapshot_that_is_not_there_is_told(shared: Shared) -> None:
    for number in (0, 99):
        with pytest.raises(WrongCommand) as refused:
            read_snapshot(shared, COUNTY, SLUG, number)
        assert refused.value.key == "rollup.no_snapshot"


def test_late_is_judged_by_a_day_that_can_be_named_again() -> None:
    # 02:00 of the 12th in the county
    at, today = Snapshot(7, datetime(2025, 11, 11, 18), CODES), date(2025, 11, 20)
    taken_on = date(2025, 11, 12)
    assert day_of(at, COUNTY, None, today=today, newest=True) == today
    assert day_of(at, COUNTY, None, today=today, newest=False) == taken_on
    assert day_of(at, COUNTY, date(2025, 11, 15), today=today, newest=False) == date(2025, 11, 15)
    for day, key in ((date(2025, 11, 11), "before_snapshot"), (date(2025, 11, 21), "day_to_come")):
        with pytest.raises(WrongCommand) as refused:
            day_of(at, COUNTY, day, today=today, newest=False)
        assert refused.value.key == f"rollup.{key}"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> dict[int, CountyPhase]:
    """What becomes of townships that correct, contradict themselves, join and leave: by round."""
    first, second = CODES[:2]
    other = sweep_figures(referrals=90)

    def again(round: int, revision: int, **changes: Any) -> SharedRelease:
        return release(first, round=round, revision=revision, **changes)

    shared = shared_at(tmp_path_factory.mktemp("history"))
    rows = [row(release(second, round=round)) for round in range(1, 9)]
    rows += [
        # 1: tampered with, newest; 2: tampered with, corrected by another revision
        row(again(1, 1)),
        row(again(1, 2), signer="990909009"),
        row(again(2, 1)),
        row(again(2, 2), signer="990909009"),
        row(again(2, 3, figures=other)),
        # 3: two texts of one revision, an older one before; 4: a forgery beside the signed one
        row(again(3, 1)),
        row(again(3, 2)),
        row(again(3, 2, figures=other)),
        row(again(4, 1)),
        row(again(4, 1, figures=other), signer="990909009"),
        # 5: interim only; 6: shared late, and corrected later still
        row(again(5, 1, status="interim", as_of=date(2025, 10, 20))),
        row(again(6, 1), datetime(2025, 11, 5)),
        row(again(6, 2, figures=other), datetime(2025, 11, 8)),
        # 7: of another month
        row(again(7, 1, period="2025-11")),
        # 8: due before it joined
        row(release(CODES[2], round=8)),
        # an ad-hoc sweep is of one township
        row(again(101, 1)),
        # a longer text than any release is not read
        row(again(9, 1), body="x" * 1_000_001),
    ]
    share(shared, rows)
    members = (township(first), township(second), township(CODES[2], joined=date(2025, 11, 1)))
    result = rolled(shared, county(*members))
    assert [each.reason for each in result.set_aside] == [
        *("signature", "signature", "conflict", "conflict", "signature", "signature")
    ]
    return {(each.round if not each.period else 70): each for each in result.phases}


def referrals(phase: CountyPhase) -> tuple[str, float | None, int, int, int]:
    return figures(phase)["referrals"]


@pytest.mark.parametrize(
    ("round", "state", "told"),
    [
        # what was set aside is not replaced by an older revision
        (1, "set_aside", ("partly", 40, 1, 0, 1)),
        (2, "on_time", ("released", 130, 2, 0, 0)),
        (3, "set_aside", ("partly", 40, 1, 0, 1)),
        (4, "on_time", ("released", 80, 2, 0, 0)),
        (5, "missing", ("released", 80, 2, 0, 0)),
        (6, "late", ("released", 130, 2, 0, 0)),
        (7, "missing", ("partly", 40, 1, 0, 1)),
        (70, "on_time", ("partly", 40, 1, 0, 1)),
        (8, "missing", ("partly", 40, 1, 0, 1)),
        (101, "on_time", ("released", 40, 1, 0, 0)),
    ],
)
def test_a_township_may_correct_join_and_be_late(
    history: Mapping[int, CountyPhase],
    round: int,
    state: str,
    told: tuple[str, float | None, int, int, int],
) -> None:
    phase = history[round]
    assert states(phase)[CODES[0]] == state
    assert referrals(phase) == told
    assert states(phase)[CODES[2]] == "not_expected", "it joined after the due day"
    assert phase.townships[0].interim is (round == 5)
    # what is asked for in one township is owed by no other
    assert (states(phase)[CODES[1]] == "not_expected") is (round == 101)


# Nothing new is told


EXACT = (0, 1, 4, 7, 8, 10, 12, 13, 15, 17)
"""Exact counts on both sides of every border of the rule."""
WORLDS = [(first, second) for first in EXACT for second in EXACT]
"""A world is what two townships counted; each is a round of its own."""


def releases_of(first: int, second: int) -> tuple[tuple[Figure, ...], ...]:
    """What the two released of a world, in order; the first has corrected itself."""
    before, after = (figure("referrals", count) for count in (first, first + second % 3))
    return (before,), (figure("referrals", second),), (after,)


def test_nobody_learns_more_from_the_county_than_from_its_townships(tmp_path: Path) -> None:
    """By brute force: whoever has all releases can exclude as many worlds with the county's pages.

    Over all counts of two townships, before and after a correction, where both belong to the
    county, where one leaves before the due day, and where one joins after it.
    """
    shared = shared_at(tmp_path)
    one, two = CODES[:2]
    early: list[SharedRow] = []
    late: list[SharedRow] = []
    for round, world in enumerate(WORLDS, start=1):
        before, other, after = releases_of(*world)
        early.append(row(release(one, round=round, figures=before)))
        early.append(row(release(two, round=round, figures=other)))
        late.append(row(release(one, round=round, revision=2, figures=after)))
    snapshots = [share(shared, early), share(shared, late)]
    counties = [
        county(township(one), township(two)),
        county(township(one), township(two, left=date(2025, 10, 30))),
        county(township(one, joined=date(2025, 11, 1)), township(two)),
    ]
    told: dict[int, list[Any]] = defaultdict(list)
    for snapshot in snapshots:
        at = read_snapshot(shared, counties[0], SLUG, snapshot)
        for of in counties:
            for phase in roll_up(shared, of, SLUG, at, AS_OF).phases:
                told[phase.round].append((phase.figures, phase.townships))
    # a township that left released it after that day
    assert {len(each) for each in told.values()} == {len(counties) * len(snapshots)}

    by_releases: dict[Any, list[int]] = defaultdict(list)
    with_county: dict[Any, list[int]] = defaultdict(list)
    for round, world in enumerate(WORLDS, start=1):
        known = releases_of(*world)
        by_releases[known].append(round)
        with_county[known, repr(told[round])].append(round)
    assert sorted(by_releases.values()) == sorted(with_county.values())
    assert max(map(len, by_releases.values())) > 3, "worlds that cannot be told apart"


def add_up(released: list[tuple[Figure, ...]], name: str) -> tuple[float | None, int]:
    """What a reader of the releases adds up with a pencil, and of how many townships."""
    known = [each.value for own in released for each in own if each.name == name]
    numbers = [value for value in known if value is not None]
    return (sum(numbers) if numbers else None), len(numbers)


def test_a_reader_of_the_releases_gets_the_same_sums(tmp_path: Path) -> None:
    draw = random.Random(7)  # noqa: S311 # made-up counts, no secret
    shared, rows, expected = shared_at(tmp_path), [], {}
    for number in range(1, 41):
        there = []
        for code in CODES:
            if draw.random() < 0.2:
                continue
            drawn: list[tuple[Figure, ...]] = [
                (
                    protect("referrals", "people", "", draw.choice((None, 0, 3, 9, 14, 61))),
                    figure("households", draw.choice((None, 0, 250, 613))),
                    figure("households_visited", draw.choice((None, 0, 240))),
                )
                for _ in range(draw.randint(1, 3))
            ]
            for revision, own in enumerate(drawn, start=1):
                rows.append(row(release(code, round=number, revision=revision, figures=own)))
            there.append(drawn[-1])
        expected[number] = there
    share(shared, rows)
    for phase in rolled(shared).phases:
        of = {each.name: each for each in phase.figures}
        for name in ("referrals", "households", "households_visited"):
            value, townships = add_up(expected[phase.round], name)
            shown = None if of[name].state in ("withheld", "not_reported") else value
            assert (of[name].value, of[name].released) == (shown, townships)
        both = [
            (done.value, asked.value)
            for _, asked, done in expected[phase.round]
            if done.value is not None and asked.value
        ]
        assert of["coverage"].released == len(both)
        if both:
            rate = 100 * sum(done for done, _ in both) / sum(asked for _, asked in both)
            assert of["coverage"].value == round(rate, 1)


# The command


COUNTY_TOML = 'name = "清河县"\nname_en = "Qinghe County"\n' + "".join(
    f'[[township]]\ncode = "{code}"\nname = "{name}"\nkey = "{public_key(code)}"\n'
    "joined = 2025-01-01\n"
    for code, name in zip(CODES, NAMES, strict=True)
)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Shared) -> Any:
    """Runs `campaign rollup` and returns its exit code."""
    path = tmp_path / "county.toml"
    path.write_text(COUNTY_TOML, encoding="utf-8")
    monkeypatch.setenv("CAMPAIGN_SHARED_LEDGER", str(shared.folder))
    monkeypatch.setenv("CAMPAIGN_LANG", "en")

    def run(*options: str, campaign: str = SLUG, out: str = "out") -> int:
        named = ["--county", str(path), "--campaign", campaign, "--out", str(tmp_path / out)]
        monkeypatch.setattr("sys.argv", ["campaign", "rollup", *named, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_the_command_writes_everything_and_says_what_was_set_aside(
    command: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--as-of", "2026-01-31") == 2  # before the snapshot, which is taken now
    assert not (tmp_path / "out").exists()
    capsys.readouterr()
    assert command() == 5
    told = capsys.readouterr()
    assert "rollup.html" in told.out
    assert (
        "东河乡 (990101003), List compilation, revision 1: signed by another township: "
        "青石街道 (990101004)" in told.err
    )
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted([*PAGES.values(), "rollup.csv", "townships.csv", "rollup.json"])
    for path in (tmp_path / "out").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_snapshot_and_day_write_the_same_bytes(
    command: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--json") == 5
    printed = json.loads(capsys.readouterr().out)
    assert len(printed.pop("files")) == 5
    assert printed == json.loads((tmp_path / "out" / "rollup.json").read_text("utf-8"))
    again = ["--snapshot", str(printed["snapshot"]), "--as-of", printed["as_of"]]
    assert command(*again, out="again") == 5
    for path in (tmp_path / "out").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_what_cannot_be_rolled_up_is_one_error(
    command: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--snapshot", "99") == 2
    assert command(campaign="spring-2025") == 2
    monkeypatch.delenv("CAMPAIGN_SHARED_LEDGER")
    assert command() == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        say("rollup.no_snapshot", "en", snapshot=99),
        say("rollup.nothing_shared", "en", campaign="spring-2025"),
        say("rollup.no_setting", "en"),
    ]


# The pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_no_barrier_and_fits_a_telephone(
    browser: Browser, found: Rollup, tmp_path: Path, language: str, scheme: str
) -> None:
    path = tmp_path / PAGES[language]
    path.write_text(render_rollup(found, COUNTY)[path.name], encoding="utf-8")
    page = browser.new_page(color_scheme=scheme, viewport={"width": 375, "height": 800})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.set_viewport_size({"width": 600, "height": 900})
    page.add_script_tag(path=AXE)
    result = page.evaluate("axe.run()")
    page.close()
    assert [each["id"] for each in result["violations"]] == []
    assert result["passes"]


def test_the_page_names_first_what_needs_doing(found: Rollup) -> None:
    page = render_rollup(found, COUNTY)[PAGES["zh-CN"]]
    listed = page[page.index('id="townships"') :]
    order = [NAMES[place] for place in (2, 0, 3, 4, 1)]
    places = [listed.index(name) for name in order]
    assert places == sorted(places)
    for each in found.set_aside:
        assert aside_line(each, COUNTY, "zh-CN") in page
    assert "至少约 90" in page
    key, todo = page.index('id="key"'), page.index('id="todo"')
    # the work before the people, and what cannot be as something to do
    assert key < page.index("覆盖率，") < page.index("转介人数，") < todo
    assert todo < page.index(say("rollup.todo.coverage_over", "zh-CN"))
    assert f"--snapshot {found.snapshot} --as-of {found.as_of}" in page


def test_a_county_with_nothing_to_do_says_so(tmp_path: Path) -> None:
    shared = shared_at(tmp_path)
    share(shared, [row(release(code)) for code in CODES])
    whole = rolled(shared)
    assert not whole.set_aside
    pages = render_rollup(whole, COUNTY)
    for language in LANGUAGES:
        assert say("rollup.key.all_there", language) in pages[PAGES[language]]
        assert say("rollup.todo.missing", language) not in pages[PAGES[language]]
        # to a county, not of its villages
        assert say("rollup.todo.none", language) in pages[PAGES[language]]
    assert say("todo.none", "zh-CN") not in pages[PAGES["zh-CN"]]
    assert figures(whole.phases[0])["referrals"] == ("released", 200, 5, 0, 0)
