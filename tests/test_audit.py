"""The trail: whoever changes, cuts or replaces it is noticed, and the place is named."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.main import main
from conftest import ACT, KEY, open_home
from tasks.audit import Act, keep_entry, show_trail, verify_trail
from tasks.home import Home
from tasks.keys import read_key
from tasks.pseudonyms import TRAIL, read_secret
from tasks.register import attach_stores, open_register
from tasks.rules.chain import START, Anchor, Break, Entry, entry_hash, find_breaks
from tasks.rules.errors import WrongCommand
from tasks.store import Store

SECRET = bytes(range(32))
NOON = datetime(2025, 11, 1, 12, 0)
PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "autumn-2025.toml"


def chain(length: int, secret: bytes = SECRET) -> list[Entry]:
    """Return a whole trail of `length` entries."""
    entries: list[Entry] = []
    for position in range(1, length + 1):
        entry = Entry(
            position=position,
            entered_at=NOON + timedelta(minutes=position),
            who="王医生",
            what="session",
            why="门诊",
            campaign="autumn-2025",
            subjects=[f"R-{position}"],
            previous=entries[-1].hash if entries else START,
        )
        entries.append(replace(entry, hash=entry_hash(secret, entry)))
    return entries


def anchors(entries: Sequence[Entry]) -> list[Anchor]:
    return [Anchor(each.position, each.hash) for each in entries]


# --- the rule -------------------------------------------------------------------------------------


@given(st.integers(0, 8))
def test_a_whole_trail_has_no_break(length: int) -> None:
    entries = chain(length)
    assert find_breaks(SECRET, entries, anchors(entries)) == []
    assert find_breaks(SECRET, entries, anchors(entries[::2])) == []


CHANGES = {
    "entered_at": NOON,
    "who": "别人",
    "what": "withdraw",
    "why": "",
    "campaign": "",
    "subjects": [],
    "previous": "0" * 64,
    "hash": "0" * 64,
}


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("place", [1, 3, 5])
def test_an_edited_field_is_found_where_it_is(field: str, place: int) -> None:
    entries = chain(5)
    entries[place - 1] = replace(entries[place - 1], **{field: CHANGES[field]})
    first, *_ = find_breaks(SECRET, entries)
    assert first == Break(place, "edited")


def test_the_text_of_a_field_cannot_pass_for_another_fields() -> None:
    one = replace(chain(1)[0], who="a", what="b,c", subjects=["R-1", "R-2"])
    other = replace(one, who="a,b", what="c", subjects=["R-1,R-2"])
    assert entry_hash(SECRET, one) != entry_hash(SECRET, other)


@given(st.integers(2, 8), st.data())
def test_what_is_taken_out_put_in_or_reordered_is_found_where_it_is(
    length: int, data: st.DataObject
) -> None:
    entries = chain(length)
    place = data.draw(st.integers(1, length - 1))
    kept = anchors(entries)

    out = entries[: place - 1] + entries[place:]
    assert find_breaks(SECRET, out) == [Break(place, "missing")]
    closed_up = [replace(each, position=nth) for nth, each in enumerate(out, 1)]
    assert find_breaks(SECRET, closed_up)[0].position == place

    stranger = replace(entries[place - 1], position=place + 1, why="x")
    shifted = [replace(each, position=each.position + 1) for each in entries[place:]]
    put_in = [*entries[:place], stranger, *shifted]
    assert find_breaks(SECRET, put_in)[0] == Break(place + 1, "edited")

    swapped = list(entries)
    swapped[place - 1], swapped[place] = (
        replace(entries[place], position=place),
        replace(entries[place - 1], position=place + 1),
    )
    assert find_breaks(SECRET, swapped)[0] == Break(place, "edited")

    assert find_breaks(SECRET, entries[:place], kept) == [Break(place + 1, "cut")]
    assert find_breaks(SECRET, [], kept) == [Break(1, "cut")]


def test_who_does_not_know_the_secret_cannot_continue_the_trail() -> None:
    entries = chain(3)
    forged = replace(chain(4, secret=bytes(32))[3], previous=entries[-1].hash)
    assert find_breaks(SECRET, [*entries, forged]) == [Break(4, "edited")]


def test_a_true_entry_at_another_place_does_not_fit() -> None:
    # made with the secret, as by a process that was stopped and run on a copy
    entries = chain(3)
    other = replace(entries[2], previous=entries[0].hash)
    forked = replace(other, hash=entry_hash(SECRET, other))
    assert find_breaks(SECRET, [*entries[:2], forked]) == [Break(3, "out_of_order")]


def test_a_trail_that_was_replaced_as_a_whole_does_not_fit_its_anchors() -> None:
    entries = chain(4)
    replaced = [replace(each, why="x") for each in entries]
    previous = START
    for nth, each in enumerate(replaced):
        whole = replace(each, previous=previous)
        replaced[nth] = replace(whole, hash=entry_hash(SECRET, whole))
        previous = replaced[nth].hash
    assert find_breaks(SECRET, replaced) == []
    assert find_breaks(SECRET, replaced, anchors(entries)[2:]) == [
        Break(3, "anchor"),
        Break(4, "anchor"),
    ]


# --- in the register ------------------------------------------------------------------------------


def fill(home: Home, openings: int = 3) -> None:
    """Open the register some times, each with one act besides."""
    for number in range(openings):
        with open_home(home) as store:
            keep_entry(store, ACT, [f"R-{number}"])


def breaks(home: Home) -> list[tuple[int, str]]:
    """Return what verifying finds, as the command does: the opening is an entry itself."""
    verifying = Act("officer", "audit verify", "trail", at=NOON)
    with open_register(home, key=KEY, act=verifying) as store:
        return [(each.position, each.kind) for each in verify_trail(store).breaks]


def test_every_opening_and_act_is_an_entry_of_a_whole_trail(home: Home) -> None:
    fill(home)
    with open_home(home) as store:
        verdict = verify_trail(store)
        assert (verdict.entries, verdict.breaks) == (7, ())
        heads = store.connection.execute(
            "SELECT position FROM ledger.agg_anchor ORDER BY position"
        ).fetchall()
        assert verdict.head in {row[-1] for row in store.rows("audit/entries")}
    assert [position for (position,) in heads] == [1, 2, 3, 4, 5, 6, 7]


TAMPERING = {
    "edit": ("UPDATE register.reg_trail SET why = 'x' WHERE position = 3", (3, "edited")),
    "edit who": ("UPDATE register.reg_trail SET who = 'x' WHERE position = 4", (4, "edited")),
    "edit subjects": (
        "UPDATE register.reg_trail SET subjects = ['R-9'] WHERE position = 2",
        (2, "edited"),
    ),
    "edit the day": (
        "UPDATE register.reg_trail SET entered_at = entered_at + INTERVAL 1 DAY WHERE position = 5",
        (5, "edited"),
    ),
    "delete": ("DELETE FROM register.reg_trail WHERE position = 3", (3, "missing")),
    "delete the first": ("DELETE FROM register.reg_trail WHERE position = 1", (1, "missing")),
    "delete and close up": (
        "CREATE OR REPLACE TABLE register.reg_trail AS SELECT * REPLACE ("
        "row_number() OVER (ORDER BY position) AS position) "
        "FROM register.reg_trail WHERE position <> 3",
        (3, "edited"),
    ),
    "reorder": (
        "CREATE OR REPLACE TABLE register.reg_trail AS SELECT * REPLACE ("
        "CASE position WHEN 2 THEN 3 WHEN 3 THEN 2 ELSE position END AS position) "
        "FROM register.reg_trail",
        (2, "edited"),
    ),
    "insert": (
        "CREATE OR REPLACE TABLE register.reg_trail AS "
        "SELECT * REPLACE (position + (position > 3)::INTEGER AS position) FROM register.reg_trail "
        "UNION ALL BY NAME SELECT * REPLACE (4 AS position) FROM register.reg_trail "
        "WHERE position = 3",
        (4, "edited"),
    ),
    "cut the end": ("DELETE FROM register.reg_trail WHERE position > 3", (4, "anchor")),
    "cut the last": ("DELETE FROM register.reg_trail WHERE position = 6", (6, "anchor")),
    "empty": ("DELETE FROM register.reg_trail", (1, "anchor")),
    "edit an anchor": (
        "UPDATE ledger.agg_anchor SET hash = repeat('0', 64) WHERE position = 4",
        (4, "anchor"),
    ),
    "add an anchor": ("INSERT INTO ledger.agg_anchor VALUES (99, 'x', now())", (8, "cut")),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_found_and_located(home: Home, name: str) -> None:
    fill(home)
    statement, place = TAMPERING[name]
    with attach_stores(home, KEY) as store:
        store.connection.execute(statement)
    assert breaks(home)[0] == place
    assert breaks(home)[0][1] == place[1], "and it stays found while the trail goes on"


def test_a_register_from_before_is_noticed_beside_a_ledger_from_after(home: Home) -> None:
    fill(home, 1)
    older = home.register.read_bytes()
    fill(home, 3)
    home.register.write_bytes(older)
    assert breaks(home)[0] == (3, "anchor")


def test_a_register_without_the_trails_secret_does_not_go_on_as_if_it_had_one(home: Home) -> None:
    with attach_stores(home, KEY) as store:
        store.connection.execute("DELETE FROM register.reg_secret WHERE purpose = 'trail'")
    with pytest.raises(WrongCommand) as refused, open_home(home):
        raise AssertionError("opened")
    assert refused.value.key == "key.older_home"


def test_an_act_that_failed_leaves_no_entry_but_its_opening(store: Store) -> None:
    def failing() -> None:
        with store.transaction():
            keep_entry(store, ACT, ["R-1"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert verify_trail(store).entries == 1
    keep_entry(store, ACT, ["R-1"])
    assert verify_trail(store).breaks == ()


@pytest.mark.parametrize(("who", "why"), [(" ", "b"), ("a", " ")])
def test_an_act_needs_a_name_and_a_reason(store: Store, who: str, why: str) -> None:
    with pytest.raises(WrongCommand):
        keep_entry(store, Act(who, "x", why, at=NOON))
    assert verify_trail(store).entries == 1


def test_the_trail_is_shown_by_reference_by_person_and_by_day(store: Store) -> None:
    for number, who in enumerate(("甲", "乙", "甲")):
        at = NOON + timedelta(days=number)
        keep_entry(store, Act(who, "x", "y", at=at), ["R-1", f"R-{number + 2}"])
    look = replace(ACT, who="officer")

    def shown(**chosen: object) -> list[int]:
        entries = show_trail(store, look, **chosen)  # type: ignore[arg-type]
        return [entry["position"] for entry in entries]

    assert shown() == [1, 2, 3, 4]
    assert shown(subject=" r-3 ") == [3]
    assert shown(who="甲") == [2, 4]
    assert shown(since=(NOON + timedelta(days=1)).date()) == [3, 4]
    assert shown(who="甲", since=(NOON + timedelta(days=1)).date()) == [4]
    looks = [row for row in store.rows("audit/entries") if row[2] == "officer"]
    assert [list(row[6]) for row in looks] == [[], ["R-3"], [], [], []], "each look is an entry"


def test_a_hundred_thousand_entries_are_verified_and_the_next_is_added_as_fast(
    store: Store,
) -> None:
    secret = read_secret(store, TRAIL)
    entries = chain(100_000, secret)
    store.connection.execute("DELETE FROM register.reg_trail")
    columns = list(vars(entries[0]))
    store.load(
        "long_trail",
        pa.table({name: [getattr(each, name) for each in entries] for name in columns}),
    )
    store.connection.execute("INSERT INTO register.reg_trail BY NAME FROM long_trail")
    keep_entry(store, ACT)
    started = time.process_time()
    verdict = verify_trail(store)
    assert time.process_time() - started < 10
    assert verdict.entries == 100_001
    assert [each.position for each in verdict.breaks] == [1], "the anchor of the real opening"
    started = time.process_time()
    for _ in range(20):
        keep_entry(store, ACT)
    assert (time.process_time() - started) / 20 < 0.1


# --- the command line -----------------------------------------------------------------------------

Campaign = Callable[..., tuple[int, str, str]]


@pytest.fixture
def campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Campaign:
    """Return a function that runs `campaign …` here: its exit code, output and errors."""
    monkeypatch.setenv("CAMPAIGN_HOME", str(tmp_path / "home"))
    for name in ("CAMPAIGN_KEY", "CAMPAIGN_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["campaign", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


def test_verify_ends_with_5_and_names_every_place(campaign: Campaign, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert campaign("init", "--plan", PLAN)[0] == 0
    code, out, err = campaign("audit", "verify")
    assert (code, err) == (0, "")
    with attach_stores(home, read_key(home)) as store:
        ((head,),) = store.connection.execute(
            "SELECT hash FROM register.reg_trail WHERE position = 2"
        ).fetchall()
        assert head in out
        store.connection.execute("UPDATE register.reg_trail SET why = 'x' WHERE position = 1")
    code, out, err = campaign("audit", "verify")
    assert (code, out) == (5, "")
    assert len(err.splitlines()) == 2
    assert "1" in err.splitlines()[0]


def test_verify_names_a_released_figure_that_was_changed(
    campaign: Campaign, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    assert campaign("init", "--plan", PLAN)[0] == 0
    with attach_stores(home, read_key(home)) as store:
        store.connection.execute(
            "INSERT INTO ledger.out_revision VALUES ('autumn-2025', 'sweep', 1, 7, '2025-10-31', "
            "'2025-10-31', false, NULL, 'due', 'x', '2025-10-31')"
        )
    code, _, err = campaign("audit", "verify")
    assert code == 5
    assert "sweep" in err
    assert "7" in err.splitlines()[0]


def test_a_hundred_places_are_counted_and_the_first_named(
    campaign: Campaign, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    assert campaign("init", "--plan", PLAN)[0] == 0
    with open_register(home, key=read_key(home), act=ACT) as store:
        for _ in range(30):
            keep_entry(store, ACT)
        store.connection.execute("UPDATE register.reg_trail SET why = 'x'")
    code, _, err = campaign("audit", "verify")
    assert code == 5
    assert len(err.splitlines()) == 22
    assert "32" in err.splitlines()[-1]


def test_show_needs_the_key_and_is_for_machines_too(campaign: Campaign, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert campaign("audit", "show")[0] == 2
    assert campaign("init", "--plan", PLAN)[0] == 0
    code, out, _ = campaign("audit", "show", "--by", "王医生", "--json")
    assert code == 0
    first, second = json.loads(out)
    assert (first["what"], second["what"], second["who"]) == ("init", "audit show", "王医生")
    assert datetime.fromisoformat(first["entered_at"])
    assert "audit show" in campaign("audit", "show", "--who", "王医生")[1]
    assert json.loads(campaign("audit", "show", "--since", "2999-01-01", "--json")[1]) == []
    home.key_file.unlink()
    for command in ("show", "verify"):
        code, out, err = campaign("audit", command)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
