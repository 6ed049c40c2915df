"""Pseudonyms: the same in Python and SQL, apart by purpose, moved on by a rotation."""

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ACT, KEY, RECEIVED, WriteCsv, coverage, open_home, referral
from tasks.compile_list import compile_list
from tasks.home import Home
from tasks.intake import FileResult, take_in
from tasks.plan import Plan
from tasks.pseudonyms import PERSON, add_pads, catch_up_ledger, read_secret, read_secrets
from tasks.receive import record_arrivals
from tasks.register import attach_stores
from tasks.rotation import rotate_pseudonyms
from tasks.rules.contract import SHEETS
from tasks.rules.pseudonyms import hmac_pads, keyed_chain, keyed_hash
from tasks.store import SQL, Store, memory

SECRET = bytes(range(32))


@given(st.binary(min_size=32, max_size=80), st.text())
def test_pads_give_the_hmac_of_the_standard_library(secret: bytes, text: str) -> None:
    inner, outer = hmac_pads(secret, "resident")
    content = text.encode("utf-8", "surrogatepass")
    by_pads = hashlib.sha256(outer + hashlib.sha256(inner + content).digest()).hexdigest()
    key = hmac.new(secret, b"resident", hashlib.sha256).digest()
    assert by_pads == hmac.new(key, content, hashlib.sha256).hexdigest()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_sql_computes_the_same_over_a_column(texts: list[str]) -> None:
    inner, outer = hmac_pads(SECRET, "resident")
    with memory() as connection:
        rows = connection.execute(
            "SELECT sha256($outer || unhex(sha256($inner || encode(text))))"
            " FROM (SELECT unnest($texts) AS text, unnest(range(len($texts))) AS nth) ORDER BY nth",
            {"inner": inner, "outer": outer, "texts": texts},
        ).fetchall()
    assert [digest for (digest,) in rows] == [keyed_hash(SECRET, "resident", t) for t in texts]


def test_a_purpose_says_nothing_about_another() -> None:
    assert keyed_hash(SECRET, "resident", "x") != keyed_hash(SECRET, "referral", "x")
    assert keyed_hash(SECRET, "resident", "x") == keyed_hash(SECRET, "resident", "x")


@pytest.mark.parametrize(
    ("secret", "purpose"), [(b"short", "resident"), (SECRET, ""), (SECRET, "Two words")]
)
def test_a_weak_secret_or_a_careless_purpose_is_refused(secret: bytes, purpose: str) -> None:
    with pytest.raises(ValueError, match=r"secret|purpose"):
        hmac_pads(secret, purpose)


@given(st.text(), st.integers(1, 4))
def test_a_rotation_puts_a_hash_around_the_one_before(text: str, versions: int) -> None:
    secrets = [bytes([number]) * 32 for number in range(versions)]
    before = keyed_chain(secrets, "resident", text)
    after = keyed_chain([*secrets, SECRET], "resident", text)
    assert after == keyed_hash(SECRET, "resident", before)
    assert keyed_chain([SECRET], "resident", text) == keyed_hash(SECRET, "resident", text)
    with pytest.raises(ValueError, match="secret"):
        keyed_chain([], "resident", text)


@pytest.mark.parametrize("versions", [1, 2, 4])
def test_the_macro_hashes_under_all_secrets(versions: int) -> None:
    secrets = [bytes([number]) * 32 for number in range(versions)]
    texts = [f"id:{number}" for number in range(100)] + ["", "张三"]
    with memory() as connection:
        store = Store(connection)
        add_pads(store, secrets)
        store.run("macro/keyed")
        rows = connection.execute(
            "SELECT keyed(text), keyed(NULL) FROM (SELECT unnest($texts) AS text, "
            "unnest(range(len($texts))) AS nth) ORDER BY nth",
            {"texts": texts},
        ).fetchall()
    assert rows == [(keyed_chain(secrets, PERSON, text), None) for text in texts]


# --- rotation -------------------------------------------------------------------------------------

MAN, OTHER_MAN = "110101198001020139", "11010119800102069X"
VILLAGE_2 = "990101001002"
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
DUE = date(2025, 11, 10)
LATER = RECEIVED + timedelta(days=1)


def send(store: Store, plan: Plan, path: Path, at: datetime) -> FileResult:
    (result,) = take_in(store, {plan.slug: plan}, [path], received_at=at, recorded_at=at, keep=True)
    assert result.refused is None
    record_arrivals(store)
    return result


def registered(**changes: str) -> dict[str, str]:
    return {
        "register_no": "G-001",
        "full_name": "王五",
        "sex": "男",
        "birth_date": "1980-01-02",
        "resident_id": OTHER_MAN,
        "residence_village": "990101001001",
        "consent_by": "本人",
        "consent_date": "2020-01-01",
        "consent_scope": "评估和管理",
        "diagnosis": "双相障碍",
        "confirmed_on": "2020-01-01",
        "psychiatrist_licence": "110990000000001",
        **changes,
    }


Write = Callable[..., dict[str, Path]]


@pytest.fixture
def write(write_csv: WriteCsv, plan: Plan) -> Write:
    """Return a function that writes one file of every sheet that holds a pseudonym."""

    def written(prefix: str = "", titles: tuple[str, ...] = (), **changes: str) -> dict[str, Path]:
        with_id = referral(resident_id=MAN, **changes)
        without = referral(row_no="2", full_name="李四", phone="13700137000")
        centre = {"village": plan.health_centre.code, "phase": "follow_up", "round": 0}
        return {
            "referral": write_csv(
                "referral", [with_id, without], name=f"{prefix}r.csv", titles=titles
            ),
            "coverage": write_csv("coverage", [coverage()], name=f"{prefix}c.csv", titles=titles),
            "registered": write_csv(
                "registered_person", [registered()], name=f"{prefix}p.csv", titles=titles, **centre
            ),
        }

    return written


@pytest.fixture
def filled(home: Home, plan: Plan, write: Write) -> Home:
    """A home that has taken in one file of every such sheet."""
    with open_home(home) as store:
        for path in write().values():
            assert send(store, plan, path, RECEIVED).returned == ()
    return home


def rotated(home: Home) -> int:
    return rotate_pseudonyms(home, KEY, ACT)


def contents(home: Home) -> dict[str, list[Any]]:
    with attach_stores(home, KEY) as store:
        names = [f"{row[0]}.{row[1]}" for row in store.rows("reference/tables")]
        return {name: store.connection.execute(f"FROM {name}").fetchall() for name in names}


# what is not a pseudonym: the trail and the heads of it in the ledger
NO_PSEUDONYMS = {"register.reg_trail", "ledger.agg_anchor"}


def digests(home: Home) -> set[str]:
    """Return every hash that stands in the stores, wherever it does."""
    return {
        digest
        for name, rows in contents(home).items()
        if name not in NO_PSEUDONYMS
        for digest in DIGEST.findall(repr(rows))
    }


def test_after_a_rotation_no_pseudonym_is_the_one_before(filled: Home) -> None:
    with open_home(filled) as store:
        old = read_secret(store)
        hashes = store.connection.execute(
            "SELECT content_hash FROM register.stg_registered_person"
        ).fetchall()
        told = store.connection.execute("SELECT submission_id FROM ledger.agg_submission")
        submissions = [submission for (submission,) in told.fetchall()]
        store.connection.execute(
            "INSERT INTO register.reg_lapsed SELECT campaign, round, sender_village, row_key, "
            "'2020-01-01', '2030-01-01' FROM register.stg_referral"
        )
        store.connection.execute(
            "INSERT INTO register.reg_frozen SELECT 'G-9', '2025-01-01', '2055-01-01', 'r', "
            "to_json([{'resident_key': resident_key, 'name': '孔雀石'}])::VARCHAR "
            "FROM register.reg_registered"
        )
    before = digests(filled)
    assert {keyed_hash(old, PERSON, f"id:{number}") for number in (MAN, OTHER_MAN)} <= before
    assert len(hashes) == 1
    assert len(submissions) == 3
    assert rotated(filled) == 2
    after = digests(filled)
    assert len(after) == len(before)
    assert not after & before
    everything = repr(contents(filled))
    assert not any(digest in everything for (digest,) in hashes), "an ID's key is in them"
    assert {keyed_hash(old, PERSON, f"id:{number}") for number in (MAN, OTHER_MAN)}.isdisjoint(
        after
    )
    found = contents(filled)
    assert {row[3] for row in found["register.reg_lapsed"]} == {
        row[9] for row in found["register.stg_referral"]
    }, "a lapsed consent is still recognised"
    assert found["register.reg_frozen"][0][4] == '[{"resident_key":null,"name":"孔雀石"}]'
    content = filled.ledger.read_bytes()
    assert not any(submission.encode() in content for submission in submissions)


def test_the_register_and_the_ledger_know_files_by_the_same_names(filled: Home) -> None:
    for _ in range(2):
        rotated(filled)
        found = contents(filled)
        names = {row[0] for row in found["register.raw_submission"]}
        assert len(names) == 3
        assert {row[0] for row in found["ledger.agg_submission"]} == names
        for table in ("stg_referral", "stg_coverage", "stg_registered_person", "raw_row"):
            assert {row[0] for row in found[f"register.{table}"]} <= names


def test_what_comes_again_after_a_rotation_is_recognised(
    filled: Home, plan: Plan, write: Write
) -> None:
    with open_home(filled) as store:
        references = store.connection.execute(
            "SELECT row_no, referral_ref, first_received_at FROM register.stg_referral ORDER BY 1"
        ).fetchall()
    rotated(filled)
    rotated(filled)
    with open_home(filled) as store:
        for path in write().values():
            again = send(store, plan, path, LATER)
            assert again.repeated
            assert again.rows["accepted"] == 0
        for path in write("other-", titles=("另一份",)).values():
            same = send(store, plan, path, LATER)
            assert not same.repeated
            assert same.rows["unchanged"] == same.rows["read"] > 0
        changed = send(store, plan, write("new-", phone="13500135000")["referral"], LATER)
        assert (changed.rows["accepted"], changed.rows["unchanged"]) == (1, 1)
        now = store.connection.execute(
            "SELECT row_no, referral_ref, first_received_at FROM register.stg_referral "
            "WHERE is_current ORDER BY 1"
        ).fetchall()
    assert now == references, "what stands on paper, and who was on time, stays"


def test_a_person_is_one_person_across_a_rotation(
    filled: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    rotated(filled)
    elsewhere = {"residence_village": VILLAGE_2, "registered_village": VILLAGE_2}
    rows = [
        referral(resident_id=MAN, full_name="张三峰", phone="13600136000", **elsewhere),
        referral(row_no="2", resident_id=OTHER_MAN, full_name="王武", phone="", **elsewhere),
    ]
    with open_home(filled) as store:
        sent = send(store, plan, write_csv("referral", rows, village=VILLAGE_2), LATER)
        assert sent.rows["accepted"] == 2
        compile_list(store, plan, DUE)
        people = store.connection.execute(
            "SELECT referrals, register_no FROM register.reg_person ORDER BY ALL"
        ).fetchall()
    assert people == [(1, "G-001"), (1, None), (2, None)]


def test_a_question_on_paper_keeps_its_number(
    filled: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    doubtful = referral(full_name="李四", phone="", residence_village=VILLAGE_2)
    with open_home(filled) as store:
        send(store, plan, write_csv("referral", [doubtful], village=VILLAGE_2), LATER)
        compile_list(store, plan, DUE)
        asked = store.connection.execute("SELECT question_id FROM register.reg_question").fetchall()
        assert len(asked) == 1
        store.connection.execute("UPDATE register.reg_question SET answer = 'different'")
    rotated(filled)
    with open_home(filled) as store:
        compile_list(store, plan, DUE)
        now = store.connection.execute("SELECT question_id, answer FROM register.reg_question")
        assert now.fetchall() == [(*asked[0], "different")]


def test_what_is_made_for_other_purposes_stays(filled: Home) -> None:
    with open_home(filled) as store:
        before = {purpose: read_secrets(store, purpose) for purpose in ("trail", "ledger")}
        first = read_secret(store)
    rotated(filled)
    with open_home(filled) as store:
        assert {purpose: read_secrets(store, purpose) for purpose in before} == before
        assert read_secret(store) == first
        assert len(read_secrets(store)) == 2


def test_a_rotation_that_fails_changes_nothing(
    filled: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(filled)
    real = Store.run

    def run(store: Store, name: str, **named: Any) -> None:
        if name == "rotate/secret":
            raise KeyboardInterrupt
        real(store, name, **named)

    monkeypatch.setattr(Store, "run", run)
    with pytest.raises(KeyboardInterrupt):
        rotated(filled)
    monkeypatch.undo()
    after = contents(filled)
    changed = {
        name for name in after if sorted(map(repr, after[name])) != sorted(map(repr, before[name]))
    }
    assert changed == NO_PSEUDONYMS


def test_a_ledger_that_was_not_told_of_a_rotation_is_told_at_the_next_opening(
    filled: Home, plan: Plan, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr("tasks.rotation.catch_up_ledger", lambda store: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rotated(filled)
    found = contents(filled)
    names = {row[0] for row in found["register.raw_submission"]}
    assert names.isdisjoint(row[0] for row in found["ledger.agg_submission"])
    with open_home(filled) as store:
        send(store, plan, write()["referral"], LATER)
        catch_up_ledger(store)
    assert {row[0] for row in contents(filled)["ledger.agg_submission"]} == names


def test_every_column_that_holds_a_pseudonym_is_moved_on() -> None:
    held = {
        (path.stem, column)
        for path in (SQL / "schema" / "register").glob("*.sql")
        for column in re.findall(
            r"^    (submission_id|held_submission|resident_key|row_key|alt_key|content_hash) ",
            path.read_text("utf-8"),
            re.MULTILINE,
        )
        # other sheets are recognised by what they say, not by whom they are about
        if column in {"submission_id", "held_submission", "resident_key"}
        or (path.stem == "stg_referral" and column != "content_hash")
        or (path.stem, column) == ("stg_registered_person", "content_hash")
        or not path.stem.startswith("stg_")
    }
    assert len(held) > 10
    moved = set()
    for path in (SQL / "rotate").glob("*.sql"):
        text = path.read_text("utf-8")
        for table in re.findall(r"UPDATE register\.(\S+)", text):
            for column in re.findall(r"(\w+) = sha256", text):
                for sheet in SHEETS if "{sheet}" in table else [""]:
                    moved.add((table.replace("{sheet}", sheet), column))
    assert moved == held
