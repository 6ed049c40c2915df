"""Erasing and freezing: the person is gone, the accounts still hold, a receipt stays."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from test_raw_archive import id_number

from cli.people_view import HASHED, JUDGED, label
from conftest import ACT, KEY, RECEIVED, WriteCsv, make_home, open_home, referral, write_workbook
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    add_outcome,
    add_referral,
    add_visit,
    contents,
    holding,
)
from tasks import erasure
from tasks.audit import Act
from tasks.checks import check_tables
from tasks.compile_list import compile_list
from tasks.diagnosis_queue import update_queue
from tasks.erasure import (
    ErasureReceipt,
    erase_person,
    finish_erasure,
    freeze_person,
    is_unfinished,
)
from tasks.figures import list_figures
from tasks.home import Home
from tasks.intake import take_in
from tasks.people import correct_person, find_people, find_subject, show_person
from tasks.plan import Plan
from tasks.questions import write_questions
from tasks.register import open_register
from tasks.rules.contract import Identity
from tasks.rules.errors import WrongCommand
from tasks.rules.retention import keep_until
from tasks.store import Store
from tasks.suites import TABLES_OF_PHASE
from tasks.visits import update_visits

SLUG = "autumn-2025"
DUE = date(2025, 11, 10)
CLINIC = date(2025, 11, 12)
NOW = datetime(2025, 12, 1, 9)
NUMBER = id_number("99010119800102001")
PERSON = {"full_name": "孔雀石", "phone": "13812345678", "contact_name": "绿松石"}
MARKERS = ("孔雀石", "13812345678", "绿松石")
OTHER = {"full_name": "黑曜石", "phone": "13912345678", "contact_name": "白云石"}


@pytest.fixture(autouse=True)
def one_plan(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home has the one campaign of the tests, without a plan file."""
    monkeypatch.setattr(erasure, "load_campaigns", lambda home: {plan.slug: plan})


def act(what: str = "erase", why: str = "本人要求", at: datetime = NOW) -> Act:
    return Act("李", what, why, at=at, campaign=SLUG)


def receive(store: Store, plan: Plan, *paths: Path, at: datetime = RECEIVED) -> Any:
    return take_in(store, {plan.slug: plan}, paths, received_at=at, recorded_at=at, keep=True)


def refs(store: Store) -> dict[str, str]:
    """Return name -> reference of the current referrals."""
    rows = contents(store, "stg_referral WHERE is_current", "full_name, referral_ref", order="1")
    return dict(rows)


def compile_all(store: Store, plan: Plan) -> None:
    compile_list(store, plan, DUE)
    update_queue(store, plan, DUE)


@pytest.fixture(scope="module")
def season_files(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The stores after two people were referred; made once, since every test wants its own.

    One of them was corrected once by village 1, and sent by village 2 as well.
    """
    folder = tmp_path_factory.mktemp("season")
    home = make_home(folder / "home")
    first = [
        referral(**PERSON, resident_id=NUMBER, care_setting="住院"),
        referral(row_no="2", **OTHER, birth_date="1975-03-04"),
    ]
    corrected = [referral(**PERSON, resident_id=NUMBER), first[1]]
    elsewhere = [referral(**PERSON, resident_id=NUMBER, consent_date="2025-10-01")]
    sent = [(VILLAGE_1, first), (VILLAGE_1, corrected), (VILLAGE_2, elsewhere)]
    with open_home(home) as store:
        for number, (village, rows) in enumerate(sent):
            identity = Identity(SLUG, "sweep", 1, village, 1)
            path = write_workbook(folder / f"{number}.xlsx", {"referral": rows}, identity)
            receive(store, plan, path)
        compile_all(store, plan)
    return {path.name: path.read_bytes() for path in (home.register, home.ledger)}


@pytest.fixture
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    """A home with empty stores, or with those of the season where a test asks for it."""
    home = make_home(tmp_path / "home")
    if "season" in request.fixturenames:
        for name, content in request.getfixturevalue("season_files").items():
            (home.root / name).write_bytes(content)
    return home


@pytest.fixture
def season(store: Store) -> dict[str, str]:
    """Name -> a reference of the two people of `season_files`."""
    return refs(store)


def test_an_erased_person_is_in_no_table_any_more(
    store: Store, home: Home, plan: Plan, season: dict[str, str]
) -> None:
    ref = season["孔雀石"]
    mine = find_subject(store, SLUG, ref).refs
    ((key,),) = set(contents(store, "stg_referral WHERE full_name = '孔雀石'", "resident_key"))
    assert len(mine) == 2, "both villages' referrals are one person"
    found = holding(store, *MARKERS, *mine, key)
    assert {table for table, _ in found} >= {"stg_referral", "raw_row", "reg_person", "reg_queue"}

    receipt = erase_person(store, home, plan, act(), ref)

    assert holding(store, *MARKERS) == set()
    assert {table for table, _ in holding(store, *mine)} == {"reg_trail"}
    assert {table for table, _ in holding(store, key)} == {"reg_lapsed"}, "against an old file"
    assert receipt.rows["stg_referral"] == 3, "a superseded version is one of them"
    assert (receipt.kind, receipt.people) == ("erased", 1)
    assert {table for table, _ in holding(store, *OTHER.values())} == {"stg_referral", "raw_row"}


def test_the_accounts_of_the_files_and_every_check_still_hold(
    store: Store, home: Home, plan: Plan, season: dict[str, str]
) -> None:
    before = contents(store, "raw_submission")
    erase_person(store, home, plan, act(), season["孔雀石"])

    assert contents(store, "raw_submission") == before
    rows = contents(store, "stg_referral", "submission_id, row_number, verdict")
    assert len(rows) == sum(read for (read,) in contents(store, "raw_submission", "rows_read"))
    assert compile_list(store, plan, DUE).is_new is False, "the list says the same"
    for phase, round in (("sweep", 1), ("list_compilation", 0), ("diagnosis_queue", 0)):
        tables = TABLES_OF_PHASE[phase]
        check_tables(store, tables, campaign=SLUG, phase=phase, round=round, revision=1)


def test_every_value_of_an_erased_row_is_gone_whatever_columns_the_table_has(
    store: Store, home: Home, plan: Plan, season: dict[str, str]
) -> None:
    erase_person(store, home, plan, act(), season["黑曜石"])

    cursor = store.connection.execute(
        "SELECT * FROM register.stg_referral WHERE verdict = 'accepted' AND referral_ref IS NULL"
    )
    names = [column[0] for column in cursor.description or ()]
    (row,) = cursor.fetchall()
    left = {name for name, value in zip(names, row, strict=True) if value is not None}
    assert left <= JUDGED | {
        *("submission_id", "campaign", "phase", "round", "sender_village", "row_number"),
        *("received_at", "verdict", "is_current"),
    }


def test_an_old_file_does_not_bring_back_who_was_erased_and_a_new_consent_does(
    store: Store, home: Home, plan: Plan, season: dict[str, str], write_csv: WriteCsv
) -> None:
    erase_person(store, home, plan, act(), season["孔雀石"])
    old = [referral(**PERSON, resident_id=NUMBER, observed_signs="2")]

    (again,) = receive(store, plan, write_csv("referral", old, name="three.csv"), at=NOW)
    assert (again.rows["no_consent"], again.rows["accepted"]) == (1, 0)
    without_number = [referral(**PERSON, observed_signs="4")]
    (named,) = receive(store, plan, write_csv("referral", without_number, name="four.csv"), at=NOW)
    assert named.rows["no_consent"] == 1, "known by name, birth date and sex as well"
    assert holding(store, *MARKERS) == set()

    later = datetime(2025, 12, 5, 9)
    new = [referral(**PERSON, resident_id=NUMBER, consent_date="2025-12-03")]
    (fresh,) = receive(store, plan, write_csv("referral", new, name="five.csv"), at=later)
    assert fresh.rows["accepted"] == 1


def test_figures_are_without_who_asked_to_be_erased(
    store: Store, home: Home, plan: Plan, season: dict[str, str]
) -> None:
    def listed() -> dict[tuple[str, str], float | None]:
        return {(each.name, each.village): each.value for each in list_figures(store, plan)}

    before = listed()
    erase_person(store, home, plan, act(), season["孔雀石"])
    after = listed()

    assert before["people_listed", ""] == 2
    assert after["people_listed", ""] == 1
    assert contents(store, "reg_tally") == []


def test_files_that_may_hold_the_person_go_too(
    store: Store, home: Home, plan: Plan, season: dict[str, str]
) -> None:
    workbooks = [home.returns(village) / "sweep-1.xlsx" for village in (VILLAGE_1, VILLAGE_2)]
    stays = home.returns("990101001003") / "sweep-1.xlsx"
    for path in (*workbooks, stays):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    export = home.root / "exports" / "session-20251112-0.xlsx"
    export.parent.mkdir()
    export.write_bytes(b"x")
    store.connection.execute(
        "INSERT INTO register.reg_export VALUES (?, 'session', ?, '', ?, ?, ?, false, NULL)",
        [f"exports/{export.name}", SLUG, [season["孔雀石"]], NOW, date(2026, 1, 1)],
    )
    add_referral(store, "R-TWIN", full_name="孔雀石", residence_village="990101001003")
    compile_list(store, plan, DUE)
    write_questions(store, plan, home.questions(SLUG))
    assert len(home.questions(SLUG).read_text("utf-8-sig").splitlines()) == 2

    receipt = erase_person(store, home, plan, act(), season["孔雀石"])

    assert [path for path in (*workbooks, stays) if path.exists()] == [stays]
    assert not export.exists()
    assert receipt.files == 3
    assert len(home.questions(SLUG).read_text("utf-8-sig").splitlines()) == 1


def test_what_went_back_to_the_health_centre_about_the_person_goes_too(
    store: Store, home: Home, plan: Plan, season: dict[str, str]
) -> None:
    centre = plan.health_centre.code
    add_outcome(store, season["孔雀石"], CLINIC, "not_confirmed", sender_village=centre)
    workbook = home.returns(centre) / "diagnosis_queue.xlsx"
    workbook.parent.mkdir(parents=True)
    workbook.write_bytes(b"x")

    assert erase_person(store, home, plan, act(), season["孔雀石"]).files == 1
    assert not workbook.exists()


def test_a_failure_leaves_everything_as_it_was(
    store: Store,
    home: Home,
    plan: Plan,
    season: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {table: contents(store, table) for table in ("stg_referral", "raw_row", "reg_person")}

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(erasure, "rewrite_questions", fail)
    with pytest.raises(RuntimeError):
        erase_person(store, home, plan, act(), season["孔雀石"])

    assert {table: contents(store, table) for table in before} == before
    assert contents(store, "reg_receipt") == []


# --- people on the register --------------------------------------------------------------------


@pytest.fixture
def registered(store: Store, plan: Plan) -> str:
    """A referred person who was confirmed, agreed to management and was visited; the number."""
    add_referral(store, "R-1", full_name="孔雀石", phone="13812345678", contact_name="绿松石")
    compile_all(store, plan)
    add_outcome(store, "R-1", CLINIC, "confirmed")
    update_queue(store, plan, CLINIC)
    ((number,),) = contents(store, "reg_registered", "register_no")
    add_visit(store, number, date(2025, 11, 20))
    update_visits(store, plan, date(2025, 11, 30))
    return str(number)


def test_erasing_a_registered_person_freezes_the_record_and_erases_the_rest(
    store: Store, home: Home, plan: Plan, registered: str
) -> None:
    receipt = erase_person(store, home, plan, act(), "R-1")

    assert (receipt.kind, receipt.frozen_until) == ("frozen", date(2055, 12, 1))
    assert holding(store, "孔雀石", "绿松石") == {("reg_frozen", "孔雀石")}
    assert "绿松石" not in str(contents(store, "reg_frozen"))
    shown = show_person(store, act("show"), registered)
    kept = {each.table for each in shown}
    assert kept == {
        *("reg_registered", "stg_follow_up", "stg_assessment_outcome", "reg_frozen", "reg_trail")
    }


def test_who_is_frozen_is_used_for_nothing(
    store: Store, home: Home, plan: Plan, registered: str
) -> None:
    freeze_person(store, home, plan, act("freeze"), registered)

    assert contents(store, "reg_registered") == []
    assert sum(update_visits(store, plan, date(2026, 6, 1)).values()) == 0
    compiled = compile_list(store, plan, DUE)
    assert (compiled.people, compiled.known) == (0, 0)
    update_queue(store, plan, NOW.date())
    assert contents(store, "reg_queue") == []
    assert {table for table, _ in holding(store, "孔雀石", "绿松石")} == {"reg_frozen"}
    assert "绿松石" in str(contents(store, "reg_frozen")), "asked to be frozen: nothing is lost"
    ((reason, until),) = contents(store, "reg_frozen", "reason, keep_until")
    assert (reason, until) == ("本人要求", keep_until(NOW.date()))
    (found,) = find_people(
        store, {SLUG: plan}, act("find"), full_name="孔雀石", birth_date="", phone=""
    )
    assert (found.ref, found.kind, found.birth_year) == (registered, "frozen", 1980)


def test_the_standing_register_sent_again_does_not_bring_back_a_frozen_record(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    row = {
        "register_no": "R20240001",
        "full_name": "孔雀石",
        "sex": "女",
        "birth_date": "1970-05-06",
        "residence_village": VILLAGE_1,
        "consent_by": "本人",
        "consent_date": "2024-01-01",
        "consent_scope": "评估和管理",
        "diagnosis": "双相障碍",
        "confirmed_on": "2023-12-01",
        "psychiatrist_licence": "110990000000001",
    }
    centre = {"village": plan.health_centre.code, "phase": "follow_up", "round": 0}
    receive(store, plan, write_csv("registered_person", [row], name="a.csv", **centre))
    freeze_person(store, home, plan, act("freeze"), "R20240001")

    old = [row | {"stability": "稳定"}]
    (again,) = receive(store, plan, write_csv("registered_person", old, name="b.csv", **centre))
    assert again.rows["no_consent"] == 1
    assert contents(store, "reg_registered") == []

    new = [row | {"consent_date": "2026-02-01"}]
    later = datetime(2026, 2, 2, 9)
    path = write_csv("registered_person", new, name="c.csv", **centre)
    (fresh,) = receive(store, plan, path, at=later)
    assert fresh.rows["accepted"] == 1
    assert contents(store, "reg_registered", "register_no") == [("R20240001",)]


def test_a_number_of_a_frozen_record_is_not_given_again(
    store: Store, home: Home, plan: Plan, registered: str
) -> None:
    freeze_person(store, home, plan, act("freeze"), registered)
    add_referral(store, "R-2", full_name="黑曜石")
    compile_all(store, plan)
    add_outcome(store, "R-2", CLINIC, "confirmed")
    update_queue(store, plan, CLINIC)

    ((number,),) = contents(store, "reg_registered", "register_no")
    assert (registered, number) == ("R20250001", "R20250002")


@pytest.mark.parametrize(
    ("do", "ref", "key"),
    [
        (erase_person, "R-UNKNOWN", "person.unknown"),
        (erase_person, "R-SPRING", "person.other_campaign"),
        (freeze_person, "R-2", "freeze.not_registered"),
        (freeze_person, "R20250001", "freeze.already"),
        (erase_person, "R20250001", "erase.frozen"),
        (erase_person, "R-1", "person.erased"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    store: Store,
    home: Home,
    plan: Plan,
    registered: str,
    do: Callable[..., ErasureReceipt],
    ref: str,
    key: str,
) -> None:
    add_referral(store, "R-2", full_name="黑曜石")
    add_referral(store, "R-SPRING", campaign="spring-2025")
    freeze_person(store, home, plan, act("freeze"), registered)
    before = {table: contents(store, table) for table in ("stg_referral", "reg_trail")}

    with pytest.raises(WrongCommand) as refused:
        do(store, home, plan, act(), ref)

    assert refused.value.key == key
    assert refused.value.text("zh-CN")
    assert {table: contents(store, table) for table in before} == before


# --- seeing, finding, correcting ---------------------------------------------------------------


def test_a_person_is_found_by_what_a_cell_would_say(
    store: Store, plan: Plan, season: dict[str, str]
) -> None:
    def found(**asked: str) -> list[str]:
        blank = {"full_name": "", "birth_date": "", "phone": ""}
        people = find_people(store, {SLUG: plan}, act("find"), **(blank | asked))
        return sorted({each.ref for each in people})

    both = sorted(find_subject(store, SLUG, season["孔雀石"]).refs)
    assert found(full_name="孔 雀 石") == both
    assert found(phone="138 1234-5678") == both
    assert found(phone="13900139000", full_name="黑曜石") == [season["黑曜石"]]
    assert found(birth_date="1975年3月4日") == [season["黑曜石"]]
    assert found(birth_date="1975.3.4", full_name="孔雀石") == []
    with pytest.raises(WrongCommand) as refused:
        found(full_name=" ")
    assert refused.value.key == "person.nothing_asked"


def test_all_that_is_held_is_shown_with_a_name_for_every_column(
    store: Store, home: Home, plan: Plan, season: dict[str, str]
) -> None:
    shown = show_person(store, act("show"), season["孔雀石"])

    tables = {each.table for each in shown}
    assert {"stg_referral", "raw_row", "reg_person", "reg_person_referral", "reg_queue"} <= tables
    assert tables >= {"reg_booking", "reg_trail"}
    columns = {name for each in shown for name in each.record} - HASHED - JUDGED
    assert all(label(column) for column in columns)
    assert "黑曜石" not in str([each.record for each in shown])


def test_every_column_of_every_table_about_people_has_a_name(store: Store) -> None:
    about = [
        *("stg_referral", "stg_registered_person", "stg_assessment_outcome", "stg_follow_up"),
        *("raw_row", "reg_registered", "reg_visit_due", "reg_gap", "reg_handover"),
        *("reg_person", "reg_person_referral"),
        *("reg_queue", "reg_booking", "reg_question", "reg_withdrawal", "reg_export", "reg_trail"),
    ]
    for table in about:
        cursor = store.connection.execute(f"FROM register.{table} LIMIT 0")
        names = {column[0] for column in cursor.description or ()}
        for name in names - HASHED - JUDGED - {"password"}:
            assert label(name), (table, name)


def test_a_corrected_value_takes_the_place_of_the_old_one_everywhere(
    store: Store, plan: Plan, season: dict[str, str], write_csv: WriteCsv
) -> None:
    ref = season["孔雀石"]
    correct_person(store, {SLUG: plan}, act("correct"), ref, "phone", "139-9999-0000")

    assert holding(store, "13812345678") == set()
    phones = contents(store, "stg_referral WHERE full_name = '孔雀石'", "phone")
    assert phones == [("13999990000",)] * 3
    marked = contents(store, "raw_row WHERE corrected_on IS NOT NULL", "corrected_on")
    assert marked == [(NOW.date(),)] * 3

    old = [referral(**PERSON, resident_id=NUMBER), referral(row_no="2", **OTHER)]
    (again,) = receive(store, plan, write_csv("referral", old[:1], name="old.csv"))
    assert again.rows["unchanged"] == 1, "the old value sent again does not undo it"


def test_a_corrected_id_number_is_kept_as_a_keyed_hash_only(
    store: Store, plan: Plan, season: dict[str, str]
) -> None:
    ref = season["黑曜石"]
    number = id_number("99010119750304001")
    correct_person(store, {SLUG: plan}, act("correct"), ref, "resident_id", number)

    assert holding(store, number) == set()
    ((key,),) = contents(store, f"stg_referral WHERE referral_ref = '{ref}'", "resident_key")
    assert key


def test_a_register_entry_is_corrected_with_the_referral_it_came_from(
    store: Store, plan: Plan, registered: str
) -> None:
    correct_person(store, {SLUG: plan}, act("correct"), registered, "full_name", "辉石")

    assert contents(store, "reg_registered", "full_name") == [("辉石",)]
    assert contents(store, "stg_referral", "full_name") == [("辉石",)]


@pytest.mark.parametrize(
    ("ref", "field", "value", "key"),
    [
        ("R-1", "phone", "12", "correct.refused"),
        ("R-1", "birth_date", "2015-01-01", "correct.refused"),
        ("R-1", "diagnosis", "双相障碍", "correct.field"),
        ("R-1", "consent_date", "2025-10-01", "correct.field"),
        ("R-9", "phone", "13812345678", "person.unknown"),
    ],
)
def test_a_correction_is_judged_by_the_rules_of_intake(
    store: Store, plan: Plan, registered: str, ref: str, field: str, value: str, key: str
) -> None:
    before = contents(store, "stg_referral")
    with pytest.raises(WrongCommand) as refused:
        correct_person(store, {SLUG: plan}, act("correct"), ref, field, value)
    assert refused.value.key == key
    assert contents(store, "stg_referral") == before


# --- the file ----------------------------------------------------------------------------------


def test_the_bytes_are_gone_once_the_register_was_rewritten(home: Home, plan: Plan) -> None:
    """Told by the size: what thousands of people leave behind takes no room any more."""
    with open_home(home) as store:
        store.connection.execute(
            "INSERT INTO register.raw_row SELECT '', 'referral', 1, 'accepted', "
            "[sha256(i::VARCHAR), md5(i::VARCHAR)], NULL FROM range(200000) AS t (i)"
        )
        store.connection.execute("CHECKPOINT register")
    full = home.register.stat().st_size
    with open_home(home) as store:
        store.connection.execute("UPDATE register.raw_row SET cells = NULL")
        add_referral(store, "R-1")
        erase_person(store, home, plan, act(), "R-1")
        assert is_unfinished(store)
    assert home.register.stat().st_size >= full

    finish_erasure(home, KEY, act())

    assert home.register.stat().st_size < full / 2
    with open_register(home, key=KEY, act=ACT) as store:
        assert not is_unfinished(store)
        assert contents(store, "reg_receipt", "compacted_at") == [(NOW,)]
