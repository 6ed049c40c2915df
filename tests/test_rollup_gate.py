"""The second look at a county's rollup lets pass what is right, and stops whatever is not."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from county_rows import (
    CODES,
    ROWS,
    SLUG,
    county,
    release,
    row,
    share,
    shared_at,
    signing_key,
    sweep_figures,
    township,
)
from reports.rollup import render_rollup, write_rollup
from reports.rollup_gate import FILES, check_rollup
from tasks.county import County
from tasks.rollup import Rollup, read_snapshot, roll_up
from tasks.rules.disclosure import Figure
from tasks.rules.errors import DisclosureRisk
from tasks.rules.shared import SharedRelease, write_body
from tasks.shared_ledger import Shared, open_shared
from tasks.signing import is_signed
from tasks.store import Store

AS_OF = date(2025, 11, 20)
COUNTY = county()

Files = dict[str, str]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    found = shared_at(tmp_path_factory.mktemp("shared"))
    share(found, ROWS)
    return found


@pytest.fixture(scope="module")
def rollup(shared: Shared) -> Rollup:
    return roll_up(shared, COUNTY, SLUG, read_snapshot(shared, COUNTY, SLUG), AS_OF)


@pytest.fixture(scope="module")
def store(shared: Shared) -> Iterator[Store]:
    with open_shared(shared, "read") as store:
        yield store


@pytest.fixture
def files(rollup: Rollup) -> Files:
    return render_rollup(rollup, COUNTY)


def stopped(store: Store, files: Files, of: County = COUNTY) -> str:
    """The rule that stops the files, after `gate.`."""
    with pytest.raises(DisclosureRisk) as risk:
        check_rollup(store, of, files, is_signed)
    assert risk.value.values["kind"] in {*FILES, "rollup", "shared"}
    return risk.value.key.removeprefix("gate.")


def test_what_the_townships_released_passes(store: Store, files: Files) -> None:
    check_rollup(store, COUNTY, files, is_signed)


@pytest.mark.parametrize(
    ("name", "old", "new", "rule"),
    [
        # another number: in a cell, in a count of townships, in a sentence
        ("rollup.html", ">至少 2,200<", ">至少 2,201<", "not_released"),
        ("rollup.html", ">至少 2,200<", ">2,200<", "not_released"),
        ("rollup.html", ">至少约 90<", ">90<", "not_released"),
        (
            "rollup.html",
            'data-townships="withheld" style',
            'data-townships="x" style',
            "not_released",
        ),
        (
            "rollup.html",
            "至少约 <strong>90</strong> 人",
            "至少约 <strong>93</strong> 人",
            "unknown_people_number",
        ),
        (
            "rollup.en.html",
            "at least about <strong>90</strong> people",
            "3 people",
            "unknown_people_number",
        ),
        ("rollup.html", "</h1>", "</h1><p>另有 4711 户</p>", "unknown_number"),
        ("rollup.html", "</h1>", "</h1><p>13800138000</p>", "phone_number"),
        ("rollup.html", "</h1>", "</h1><p>重点患者</p>", "label"),
        ("rollup.html", ">※<", ">3<", "not_released"),
        # what is fetched, run or hidden
        ("rollup.html", "</h1>", '</h1><img src="x.png" alt="">', "unknown_part"),
        ("rollup.html", "</h1>", "</h1><script>1</script>", "unknown_part"),
        ("rollup.html", "</h1>", "</h1><!-- 3 -->", "unknown_part"),
        ("rollup.html", "</h1>", '</h1><p style="background:url(x)">-</p>', "unknown_part"),
        ("rollup.html", "</h1>", '</h1><p title="3 人">-</p>', "unknown_people_number"),
        ("rollup.html", "</h1>", "</h1 3>", "unknown_part"),
        # tables
        ("rollup.csv", ",2200,", ",2201,", "not_released"),
        ("rollup.csv", ",partly,90,", ",released,90,", "not_released"),
        ("rollup.csv", "转介人数", "转介 3 人", "unknown_people_number"),
        ("rollup.csv", "county,", "name,", "unknown_part"),
        ("rollup.csv", "清河县", "=清河县", "spreadsheet_formula"),
        ("townships.csv", ",late,", ",on_time,", "not_released"),
        # the JSON
        ("rollup.json", '"value": 2200', '"value": 2201', "not_released"),
        ("rollup.json", '"value": 2200', '"value": "2200"', "unknown_part"),
        (
            "rollup.json",
            '"withheld": 1,\n     "not_reported": 4',
            '"withheld": 0,\n     "not_reported": 5',
            "not_released",
        ),
        ("rollup.json", '"releases"', '"names": [],\n "releases"', "unknown_part"),
        ("rollup.json", '"releases"', '"as_of": "2025-11-20",\n "releases"', "unknown_part"),
        ("rollup.json", '"expected": 5', '"expected": 4', "not_released"),
        ("rollup.json", '"signed_by_other"', '"guilty"', "unknown_part"),
        ("rollup.json", "{", "", "unknown_part"),
    ],
)
def test_whatever_else_is_said_is_stopped(
    store: Store, files: Files, name: str, old: str, new: str, rule: str
) -> None:
    assert old in files[name]
    files[name] = files[name].replace(old, new, 1)
    assert stopped(store, files) == rule


def test_a_file_more_or_less_is_stopped(store: Store, files: Files) -> None:
    assert stopped(store, {**files, "people.csv": ""}) == "unknown_part"
    del files["townships.csv"]
    assert stopped(store, files) == "unknown_part"


def changed(rollup: Rollup, place: int, **changes: Any) -> Rollup:
    """The rollup with a township's line of the sweep changed."""
    sweep, *others = rollup.phases
    lines = list(sweep.townships)
    lines[place] = replace(lines[place], **changes)
    return replace(rollup, phases=(replace(sweep, townships=tuple(lines)), *others))


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (0, {"revision": 1}),  # an older revision than the newest
        (0, {"revision": 3}),  # one that is not there
        (0, {"interim": True}),
        (0, {"revision": None, "state": "missing"}),  # what counts is left out
        (4, {"revision": 1, "state": "on_time"}),  # what was never shared
    ],
)
def test_what_counts_is_the_newest_that_was_signed(
    store: Store, rollup: Rollup, place: int, changes: dict[str, Any]
) -> None:
    assert stopped(store, render_rollup(changed(rollup, place, **changes), COUNTY)) == (
        "not_released"
    )


def test_a_township_left_out_is_noticed(store: Store, rollup: Rollup) -> None:
    sweep, *others = rollup.phases
    short = replace(rollup, phases=(replace(sweep, townships=sweep.townships[1:]), *others))
    assert stopped(store, render_rollup(short, COUNTY)) == "unknown_part"


def test_the_key_is_that_of_the_countys_list(store: Store, files: Files) -> None:
    other = county(township(CODES[0], key="0" * 64), *COUNTY.townships[1:])
    assert stopped(store, files, other) == "not_released"


def signed_by_hand(released: SharedRelease, change: Callable[[dict[str, Any]], None]) -> Any:
    """A row whose text the township signed although it is no release of this software."""
    content = json.loads(write_body(released))
    change(content)
    body = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    signature = signing_key(released.township).sign(body.encode()).hex()
    return replace(row(released), body=body, signature=signature)


@pytest.mark.parametrize(
    ("figure", "rules"),
    [
        (Figure("referrals", "people", "", 3.0, "released"), {}),
        (Figure("referrals", "people", "", 43.0, "released"), {}),
        (Figure("referrals", "people", "", 10.0, "released"), {"withhold_to": 12}),
        (Figure("referrals", "people", "", 40.0, "released"), {"round_to": 1}),
    ],
)
def test_a_count_that_nobody_may_release_is_stopped_here_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    figure: Figure,
    rules: dict[str, int],
) -> None:
    """Even where the first look let it pass."""
    monkeypatch.setattr("tasks.rules.rollup._is_protected", lambda _: True)
    shared = shared_at(tmp_path)
    share(shared, [row(release(figures=(figure,), **rules))])
    at = read_snapshot(shared, COUNTY, SLUG)
    found = roll_up(shared, COUNTY, SLUG, at, AS_OF)
    assert not found.set_aside
    with open_shared(shared, "read") as store:
        assert stopped(store, render_rollup(found, COUNTY)) == "small_count"


def test_junk_that_was_set_aside_holds_nothing_up(tmp_path: Path) -> None:
    shared = shared_at(tmp_path)
    junk = signed_by_hand(release(CODES[1]), dict.clear)
    rows = [
        row(release(figures=sweep_figures(referrals=None))),
        junk,
        row(release(CODES[2]), signer="990909009"),
        row(release(CODES[2])),
        row(release(CODES[3])),
        row(release(CODES[3], figures=())),
    ]
    share(shared, rows)
    found = roll_up(shared, COUNTY, SLUG, read_snapshot(shared, COUNTY, SLUG), AS_OF)
    assert [each.reason for each in found.set_aside] == [
        *("form", "signature", "conflict", "conflict")
    ]
    with open_shared(shared, "read") as store:
        check_rollup(store, COUNTY, render_rollup(found, COUNTY), is_signed)


def test_months_members_and_ad_hoc_sweeps_pass(tmp_path: Path) -> None:
    month = {"phase": "supervision", "period": "2025-10"}
    returned = Figure("returned_coverage_households", "rows", "", 3.0, "released")
    shared = shared_at(tmp_path)
    share(
        shared,
        [
            row(release(**month)),
            row(release(CODES[1], **(month | {"period": "2025-11"}))),
            row(release(CODES[2], round=101, figures=(*sweep_figures(), returned))),
            row(release(CODES[3], **month)),
        ],
    )
    members = (*map(township, CODES[:3]), township(CODES[3], joined=date(2025, 11, 1)))
    of = county(*members, timezone="Asia/Urumqi")
    found = roll_up(shared, of, SLUG, read_snapshot(shared, of, SLUG), AS_OF)
    assert [each.period for each in found.phases] == [None, "2025-10", "2025-11"]
    files = render_rollup(found, of)
    with open_shared(shared, "read") as store:
        check_rollup(store, of, files, is_signed)
    # rows sent back, by cell, are for who works with the tables
    assert "returned_coverage_households" in files["rollup.csv"]
    assert "returned_coverage_households" not in files["rollup.html"]


def test_nothing_is_written_where_the_gate_stops_it(
    store: Store, rollup: Rollup, tmp_path: Path
) -> None:
    wrong = changed(rollup, 0, revision=1)
    with pytest.raises(DisclosureRisk):
        write_rollup(
            wrong, COUNTY, tmp_path / "out", lambda f: check_rollup(store, COUNTY, f, is_signed)
        )
    assert not (tmp_path / "out").exists()


def test_another_snapshot_than_it_says_is_stopped(store: Store, rollup: Rollup) -> None:
    # the first snapshot has the table and no row
    early = replace(rollup, snapshot=1)
    assert stopped(store, render_rollup(early, COUNTY)) == "not_released"
