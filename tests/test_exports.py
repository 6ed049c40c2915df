"""The only files about people that leave the register: who is in them, what, and for how long."""

import ast
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import msoffcrypto
import openpyxl
import pytest
from typer.testing import CliRunner

from cli.export_commands import export, returns
from conftest import KEY, open_home
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
    add_outcome,
    add_referral,
    add_registered,
    add_visit,
    add_withdrawal,
    contents,
)
from tasks.audit import Act
from tasks.compile_list import compile_list
from tasks.diagnosis_queue import update_queue
from tasks.exports import (
    KEPT_DAYS,
    Export,
    export_handover,
    export_session,
    export_visits,
    remove_expired,
    remove_exports,
)
from tasks.home import Home
from tasks.intake import take_in
from tasks.plan import Plan
from tasks.rules.contract import SHEETS
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say
from tasks.store import Store
from tasks.workbook_password import decrypt_workbook

ROOT = Path(__file__).parent.parent
DUE = date(2025, 11, 10)
CLINIC = date(2025, 11, 12)
NOW = datetime(2025, 11, 11, 9, 0)
ACT = Act("王医生", "export", "本周门诊", at=NOW, campaign="autumn-2025")
SESSION_HEADS = {
    "顺序",
    "转介编号",
    "姓名",
    "性别",
    "出生日期",
    "居住地",
    "电话",
    "联系人",
    "联系人电话",
    "紧急程度",
    "等候起",
}
VISIT_HEADS = {"应随访日期", "姓名", "居住地", "电话", "联系人", "联系人电话"}
CLINICAL = {"双相障碍", "稳定", "基本稳定", "不稳定", "规律", "bipolar", "stable", "unstable"}


def opened(export: Export) -> openpyxl.Workbook:
    """The workbook, as who has the password sees it."""
    plain = io.BytesIO()
    with export.path.open("rb") as stream:
        file = msoffcrypto.OfficeFile(stream)
        file.load_key(password=export.password, verify_password=True)
        file.decrypt(plain)
    return openpyxl.load_workbook(plain)


def cells(page: Any) -> list[list[Any]]:
    return [list(row) for row in page.iter_rows(values_only=True)]


def table(page: Any, head: int) -> tuple[list[str], list[list[Any]]]:
    """The heads in row `head` (from 1) and the rows below."""
    rows = cells(page)
    return rows[head - 1], rows[head:]


def words(book: openpyxl.Workbook) -> set[str]:
    """Every cell of a workbook, as text."""
    return {str(cell) for page in book for row in cells(page) for cell in row if cell is not None}


def exports_of(home: Home) -> list[Path]:
    return sorted((home.root / "exports").glob("*"))


def book_in(store: Store, plan: Plan, *names: str, **changes: Any) -> None:
    """Book people into the first session, `R-1` first."""
    for number, name in enumerate(names, start=1):
        add_referral(store, f"R-{number}", full_name=name, **changes)
    compile_list(store, plan, DUE)
    update_queue(store, plan, DUE)


def registered(store: Store, register_no: str, **changes: Any) -> None:
    """Add a stable person whose next visit falls due on 20 November."""
    add_registered(store, register_no, last_visited_on=date(2025, 8, 20), **changes)


def consented(store: Store, register_no: str, scope: str = "assessment_and_management") -> None:
    """Add the row of the standing register by which a person agreed."""
    store.connection.execute(
        "INSERT INTO register.stg_registered_person BY NAME SELECT 's' || $no AS submission_id,"
        " 'autumn-2025' AS campaign, 'follow_up' AS phase, 0 AS round, '990101001000' AS"
        " sender_village, 1 AS row_number, TIMESTAMP '2025-10-01' AS received_at, 'accepted' AS"
        " verdict, []::VARCHAR[] AS failed_rules, true AS is_current, $no AS register_no,"
        " 'guardian' AS consent_by, DATE '2024-05-01' AS consent_date, $scope AS consent_scope",
        {"no": register_no, "scope": scope},
    )


# The session sheet


def test_the_clinic_learns_who_comes_and_no_more(store: Store, home: Home, plan: Plan) -> None:
    book_in(
        store, plan, "甲一", "乙二", phone="13800138000", contact_name="甲三", contact_phone="139"
    )
    export = export_session(store, home, plan, ACT, CLINIC)
    assert export is not None
    book = opened(export)
    heads, rows = table(book.worksheets[0], head=4)
    assert set(heads) == SESSION_HEADS
    first = dict(zip(heads, rows[0], strict=True))
    assert (first["转介编号"], first["姓名"], first["性别"]) == ("R-1", "甲一", "男")
    assert (first["居住地"], first["电话"]) == ("测试1村", "13800138000")
    assert first["出生日期"] == datetime(1980, 1, 2)
    assert [row[heads.index("姓名")] for row in rows] == ["甲一", "乙二"]
    assert export.people == 2


def test_the_clinic_fills_it_in_and_the_health_centre_takes_it_in(
    store: Store, home: Home, plan: Plan, tmp_path: Path
) -> None:
    book_in(store, plan, "甲一", "乙二")
    export = export_session(store, home, plan, ACT, CLINIC)
    assert export is not None
    book = opened(export)
    page = book.worksheets[1]
    names = [column.name for column in SHEETS["assessment_outcome"].columns]
    outcomes = {
        "R-1": ["确诊", "双相障碍", "是"],
        "R-2": ["未到", None, None],
    }
    for line in (4, 5):
        outcome, diagnosis, agreed = outcomes[page.cell(line, 1).value]
        filled = {
            "assessed_on": CLINIC,
            "psychiatrist_licence": "110990000000001",
            "outcome": outcome,
            "diagnosis": diagnosis,
            "management_consent": agreed,
        }
        for name, value in filled.items():
            page.cell(line, names.index(name) + 1).value = value
    path = tmp_path / "returned.xlsx"
    book.save(path)
    later = datetime(2025, 11, 13, 9, 0)
    (result,) = take_in(
        store, {plan.slug: plan}, [path], received_at=later, recorded_at=later, keep=True
    )
    assert (result.refused, result.rows["read"], result.rows["accepted"]) == (None, 2, 2)
    told = contents(store, "stg_assessment_outcome", "referral_ref, outcome, management_consent")
    assert told == [("R-1", "confirmed", True), ("R-2", "no_show", None)]


def test_its_outcome_columns_are_chosen_from_a_list(store: Store, home: Home, plan: Plan) -> None:
    book_in(store, plan, "甲一")
    export = export_session(store, home, plan, ACT, CLINIC)
    assert export is not None
    page = opened(export).worksheets[1]
    listed = {str(each.sqref): each.formula1 for each in page.data_validations.dataValidation}
    columns = [column.name for column in SHEETS["assessment_outcome"].columns]
    place = "ABCDEFGH"[columns.index("outcome")]
    assert listed[f"{place}4"] == '"确诊,未确诊,谢绝,未到,复评"'
    assert len(listed) == sum(
        bool(column.choices) for column in SHEETS["assessment_outcome"].columns
    )


def test_who_withdrew_is_on_no_session_sheet(store: Store, home: Home, plan: Plan) -> None:
    book_in(store, plan, "甲一", "乙二")
    add_withdrawal(store, "R-1")
    export = export_session(store, home, plan, ACT, CLINIC)
    assert export is not None
    assert not {"R-1", "甲一"} & words(opened(export))
    add_withdrawal(store, "R-2")
    assert export_session(store, home, plan, ACT, CLINIC) is None
    assert exports_of(home) == [export.path]


def test_only_a_day_with_a_session_has_a_sheet(store: Store, home: Home, plan: Plan) -> None:
    with pytest.raises(WrongCommand) as refused:
        export_session(store, home, plan, ACT, date(2025, 11, 13))
    assert refused.value.key == "error.no_session"


# The visit list


def test_the_village_doctor_learns_who_is_due_when_and_how_to_reach_them(
    store: Store, home: Home, plan: Plan
) -> None:
    add_referral(store, "R-9", contact_name="李四", contact_phone="13900139000")
    registered(store, "N1", full_name="王五", phone="13700137000", referral_ref="R-9")
    export = export_visits(store, home, plan, ACT, VILLAGE_1, "2025-11")
    assert export is not None
    (page,) = opened(export).worksheets
    heads, rows = table(page, head=4)
    assert set(heads) == VISIT_HEADS
    shown = dict(zip(heads, rows[0], strict=True))
    assert shown == {
        "应随访日期": datetime(2025, 11, 20),
        "姓名": "王五",
        "居住地": "测试1村",
        "电话": "13700137000",
        "联系人": "李四",
        "联系人电话": "13900139000",
    }


@pytest.mark.parametrize("stability", ["stable", "basically_stable", "unstable"])
def test_it_says_nothing_of_diagnosis_rating_or_stability(
    store: Store, home: Home, plan: Plan, stability: str
) -> None:
    registered(store, "N1", stability=stability)
    add_visit(store, "N1", date(2025, 11, 5), stability=stability, rating=3, medication="2")
    export = export_visits(store, home, plan, ACT, VILLAGE_1, "2026-02")
    assert export is not None
    said = words(opened(export))
    assert not {word for word in CLINICAL if any(word in each for each in said)}
    assert len(table(opened(export).worksheets[0], head=4)[1]) == 1, (
        "two days give the interval away"
    )


def test_only_the_villages_own_people_are_on_its_list(store: Store, home: Home, plan: Plan) -> None:
    registered(store, "N1", full_name="本村人")
    registered(store, "N2", full_name="外村人", residence_village=VILLAGE_2)
    registered(
        store,
        "N3",
        full_name="住外村",
        residence_village=VILLAGE_2,
        registered_village=VILLAGE_1,
    )
    registered(
        store,
        "N4",
        full_name="住镇外",
        residence_village="990202001001",
        registered_village=VILLAGE_1,
    )
    export = export_visits(store, home, plan, ACT, VILLAGE_1, "2025-11")
    assert export is not None
    named = {"本村人", "外村人", "住外村", "住镇外"} & words(opened(export))
    assert named == {"本村人", "住镇外"}


def test_overdue_is_on_it_and_what_falls_due_later_is_not(
    store: Store, home: Home, plan: Plan
) -> None:
    add_registered(store, "N1", full_name="早到期", last_visited_on=date(2025, 6, 1))
    registered(store, "N2", full_name="本月到")
    add_registered(store, "N3", full_name="下月到", last_visited_on=date(2025, 9, 1))
    export = export_visits(store, home, plan, ACT, VILLAGE_1, "2025-11")
    assert export is not None
    assert {"早到期", "本月到", "下月到"} & words(opened(export)) == {"早到期", "本月到"}


def test_who_withdrew_is_on_no_visit_list(store: Store, home: Home, plan: Plan) -> None:
    add_referral(store, "R-9")
    registered(store, "N1", referral_ref="R-9")
    assert export_visits(store, home, plan, ACT, VILLAGE_1, "2025-11") is not None
    add_withdrawal(store, "R-9")
    assert export_visits(store, home, plan, ACT, VILLAGE_1, "2025-11") is None


@pytest.mark.parametrize(
    ("village", "month", "key"),
    [
        ("990101001009", "2025-11", "export.unknown_village"),
        ("990101001000", "2025-11", "export.unknown_village"),
        (VILLAGE_1, "2025-10", "export.no_month"),
        (VILLAGE_1, "2025-Q4", "export.no_month"),
        (VILLAGE_1, "2025-13", "export.no_month"),
        (VILLAGE_1, "十一月", "export.no_month"),
    ],
)
def test_a_visit_list_is_of_a_village_of_the_plan_and_a_month_not_over(
    store: Store, home: Home, plan: Plan, village: str, month: str, key: str
) -> None:
    registered(store, "N1")
    with pytest.raises(WrongCommand) as refused:
        export_visits(store, home, plan, ACT, village, month)
    assert refused.value.key == key
    assert exports_of(home) == []


# The hand-over


def test_the_receiving_health_centre_gets_the_record(store: Store, home: Home, plan: Plan) -> None:
    registered(store, "N1", full_name="王五", phone="13700137000")
    registered(store, "N2", full_name="赵六")
    consented(store, "N1")
    add_visit(store, "N1", date(2025, 11, 5), rating=2, medication="1", adverse_reaction=False)
    add_visit(store, "N2", date(2025, 11, 6), rating=5)
    export = export_handover(store, home, plan, ACT, " n1 ", "邻镇卫生院")
    first, second = opened(export).worksheets
    person = {row[0]: row[1] for row in cells(first)[3:]}
    assert (person["在册编号"], person["姓名"], person["诊断"]) == ("N1", "王五", "双相障碍")
    assert (person["同意人"], person["同意社区管理日期"]) == ("监护人", datetime(2024, 5, 1))
    heads, rows = table(second, head=1)
    (visit,) = (dict(zip(heads, row, strict=True)) for row in rows)
    assert (visit["随访日期"], visit["评估等级"], visit["服药情况"]) == (
        datetime(2025, 11, 5),
        "2",
        "规律",
    )
    assert "邻镇卫生院" in cells(first)[0][0]
    assert "赵六" not in words(opened(export))
    assert contents(store, "reg_export", "recipient, subjects") == [("邻镇卫生院", ["N1"])]


def test_management_agreed_to_at_the_assessment_covers_it_until_withdrawn(
    store: Store, home: Home, plan: Plan
) -> None:
    add_referral(store, "R-9")
    add_outcome(store, "R-9", CLINIC, "confirmed")
    registered(store, "N1", source="assessment", referral_ref="R-9")
    assert export_handover(store, home, plan, ACT, "N1", "邻镇卫生院").people == 1
    add_withdrawal(store, "R-9")
    with pytest.raises(WrongCommand) as refused:
        export_handover(store, home, plan, ACT, "N1", "邻镇卫生院")
    assert refused.value.key == "export.not_covered"


@pytest.mark.parametrize(
    ("number", "scope", "to", "key"),
    [
        ("N1", None, "邻镇卫生院", "export.not_covered"),
        ("N1", "assessment", "邻镇卫生院", "export.not_covered"),
        ("N2", "assessment_and_management", "邻镇卫生院", "export.unknown_number"),
        ("N1", "assessment_and_management", " ", "export.no_recipient"),
        ("N1", "assessment_and_management", "邻镇\n卫生院", "export.no_recipient"),
        ("N1", "assessment_and_management", "院" * 61, "export.no_recipient"),
    ],
)
def test_what_may_not_be_handed_over_is_not_written(
    store: Store, home: Home, plan: Plan, number: str, scope: str | None, to: str, key: str
) -> None:
    registered(store, "N1")
    if scope:
        consented(store, "N1", scope)
    with pytest.raises(WrongCommand) as refused:
        export_handover(store, home, plan, ACT, number, to)
    assert refused.value.key == key
    assert (exports_of(home), contents(store, "reg_export")) == ([], [])


# Every export


def any_export(store: Store, home: Home, plan: Plan) -> Export:
    if not contents(store, "reg_registered"):
        registered(store, "N1")
    export = export_visits(store, home, plan, ACT, VILLAGE_1, "2025-11")
    assert export is not None
    return export


def test_it_opens_with_its_password_only(store: Store, home: Home, plan: Plan) -> None:
    first, second = (any_export(store, home, plan) for _ in range(2))
    assert first.password != second.password
    assert re.fullmatch(r"([2-9a-hjkmnp-z]{4}-){3}[2-9a-hjkmnp-z]{4}", first.password)
    with first.path.open("rb") as stream:
        file = msoffcrypto.OfficeFile(stream)
        with pytest.raises(msoffcrypto.exceptions.InvalidKeyError):
            file.load_key(password=second.password, verify_password=True)
    assert openpyxl.load_workbook(
        io.BytesIO(decrypt_workbook(first.path.read_bytes(), first.password))
    )


def test_its_name_says_kind_and_day_and_only_its_owner_reads_it(
    store: Store, home: Home, plan: Plan
) -> None:
    export = any_export(store, home, plan)
    assert re.fullmatch(r"visits-20251111-[0-9a-f]{8}\.xlsx", export.path.name)
    assert export.path.parent == home.root / "exports"
    assert export.path.stat().st_mode & 0o777 == 0o600
    assert export.path.parent.stat().st_mode & 0o777 == 0o700


def test_the_trail_and_the_register_keep_who_was_in_it(
    store: Store, home: Home, plan: Plan
) -> None:
    book_in(store, plan, "甲一")
    export_session(store, home, plan, ACT, CLINIC)
    registered(store, "N1")
    export_visits(store, home, plan, ACT, VILLAGE_1, "2025-11")
    consented(store, "N1")
    export_handover(store, home, plan, ACT, "N1", "邻镇卫生院")
    entries = contents(store, "reg_trail", "who, why, subjects", order="position")[1:]
    assert entries == [
        ("王医生", "本周门诊", ["R-1"]),
        ("王医生", "本周门诊", ["N1"]),
        ("王医生", "本周门诊", ["N1"]),
    ]
    kept = contents(store, "reg_export", "kind, subjects, made_at, remove_on, password IS NULL")
    assert kept == [
        ("handover", ["N1"], NOW, date(2025, 11, 18), True),
        ("session", ["R-1"], NOW, CLINIC + timedelta(days=KEPT_DAYS), False),
        ("visits", ["N1"], NOW, date(2025, 11, 18), True),
    ]


@contextmanager
def watched() -> Iterator[list[str]]:
    """Collect the paths that Python opens for writing; an audit hook cannot be taken off again."""
    written: list[str] = []
    on = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        # a number is a file that was opened, and seen here, before
        if on and event == "open" and not isinstance(arguments[0], int):
            path, _, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR):
                written.append(os.fsdecode(path))

    sys.addaudithook(hook)
    try:
        yield written
    finally:
        on = False


def test_no_plain_workbook_touches_the_disk(
    store: Store, home: Home, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    registered(store, "N1", full_name="孔雀石")
    with watched() as written:
        export = any_export(store, home, plan)
    assert set(written) == {f"{export.path}.part"}
    assert list(temporary.iterdir()) == []
    content = export.path.read_bytes()
    assert content.startswith(b"\xd0\xcf\x11\xe0")
    assert b"PK\x03\x04" not in content
    assert "孔雀石".encode() not in content
    assert "孔雀石" in words(opened(export))


def test_a_file_that_cannot_be_written_is_in_the_record_and_none_is_the_other_way_round(
    store: Store, home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError

    monkeypatch.setattr("tasks.exports.write_whole", full)
    with pytest.raises(OSError, match=r"^$"):
        any_export(store, home, plan)
    assert len(contents(store, "reg_export")) == 1
    stray = home.root / "exports" / "stray.xlsx"
    stray.parent.mkdir()
    stray.write_bytes(b"")
    assert remove_expired(store, home, NOW.date()) == 1
    assert not stray.exists()


def test_it_goes_after_a_week_or_sooner_by_the_plan(store: Store, home: Home, plan: Plan) -> None:
    export = any_export(store, home, plan)
    rules = plan.rules.model_copy(update={"returns_kept_days": 2})
    short = any_export(store, home, plan.model_copy(update={"rules": rules}))
    assert remove_expired(store, home, date(2025, 11, 12)) == 0
    assert remove_expired(store, home, date(2025, 11, 13)) == 1
    assert exports_of(home) == [export.path]
    assert not short.path.exists()
    assert remove_expired(store, home, date(2025, 11, 18)) == 1
    assert remove_expired(store, home, date(2025, 11, 18)) == 0
    assert contents(store, "reg_export", "removed") == [(True,), (True,)]


def test_who_is_erased_is_in_no_export_left(store: Store, home: Home, plan: Plan) -> None:
    book_in(store, plan, "甲一", "乙二")
    with_both = export_session(store, home, plan, ACT, CLINIC)
    registered(store, "N1")
    other = any_export(store, home, plan)
    assert with_both is not None
    assert remove_exports(store, home, ["R-2", "R-77"]) == 1
    assert exports_of(home) == [other.path]
    kept = contents(store, "reg_export", "kind, subjects, removed, password IS NULL")
    assert kept == [("session", ["R-1"], True, True), ("visits", ["N1"], False, True)]


# The command line


@pytest.fixture
def at_home(home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose campaign commands find, on 11 November, without a plan file."""
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    monkeypatch.setattr("tasks.at_home.load_campaign", lambda home, campaign: plan)
    monkeypatch.setattr("tasks.at_home.now_in", lambda timezone: NOW)
    with open_home(home):
        return home


def test_the_command_prints_the_path_then_the_password_on_a_line_of_its_own(
    at_home: Home,
) -> None:
    with open_home(at_home) as store:
        registered(store, "N1")
    wanted = [
        "--campaign",
        "autumn-2025",
        "--month",
        "2025-11",
        "--reason",
        "本月随访",
        "--by",
        "王",
    ]
    told = CliRunner().invoke(export, ["visits", VILLAGE_1, *wanted])
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    (path,) = exports_of(at_home)
    assert str(path) in lines[0]
    assert lines[1] == say("export.password")
    assert decrypt_workbook(path.read_bytes(), lines[2])
    assert len(lines) == 3


def test_with_nobody_to_export_it_says_so_and_writes_nothing(at_home: Home) -> None:
    common = ["--campaign", "autumn-2025", "--reason", "r", "--by", "王"]
    for command, message in (
        (["session", "2025-11-12"], say("export.nobody_booked", day=CLINIC)),
        (
            ["visits", VILLAGE_3, "--month", "2025-11"],
            say("export.nobody_due", village=VILLAGE_3, month="2025-11"),
        ),
    ):
        told = CliRunner().invoke(export, [*command, *common])
        assert (told.exit_code, told.output.strip()) == (0, message)
    assert exports_of(at_home) == []


def test_without_a_reason_nothing_is_exported(at_home: Home) -> None:
    with open_home(at_home) as store:
        registered(store, "N1")
    command = ["visits", VILLAGE_1, "--campaign", "autumn-2025", "--month", "2025-11"]
    assert CliRunner().invoke(export, command).exit_code == 2
    told = CliRunner().invoke(export, [*command, "--reason", " "])
    assert isinstance(told.exception, WrongCommand)
    assert told.exception.key == "audit.no_reason"
    assert exports_of(at_home) == []


def test_no_command_takes_a_password() -> None:
    for command in [*export.registered_commands, *returns.registered_commands]:
        assert command.callback is not None
        taken = {name for name in signature(command.callback).parameters if name != "new"}
        assert not {name for name in taken if "password" in name or "key" in name}


# No other file about people

WRITERS = {
    "cli/outbox_commands.py": "a message's page, where the officer asks for it",
    "cli/server.py": "the log of the Prefect server, its port and its word",
    "cli/up.py": "the word of the Prefect server",
    "cli/sheet_view.py": "the health side's sheets of care groups: counts, and nobody",
    "reports/pack_files.py": "the released pack on the office's letterhead",
    "reports/rollup.py": "a county's pages, of what townships released, after their gate",
    "reports/sheets.py": "released sheets of care groups, after their gate",
    "reports/shelf.py": "the shelf of what was released, after its gate",
    "reports/word_document.py": "in memory: the released pack in a template",
    "reports/write.py": "released reports, after the gate",
    "tasks/backup.py": "the stores, encrypted",
    "tasks/exports.py": "these three",
    "tasks/intake_guide.py": "docs/intake.md",
    "tasks/keys.py": "the key",
    "tasks/outbox.py": "how many rows a sender gets back and why, into its own folder",
    "tasks/plan/__init__.py": "the plan",
    "tasks/plan/approved.py": "the ad-hoc sweeps that were approved",
    "tasks/post_office.py": "the demo's mail",
    "tasks/questions.py": "the file of doubtful pairs, which names nobody",
    "tasks/receive.py": "why a file was refused, without a value",
    "tasks/returns.py": "a sender's own rows, back to it, locked",
    "tasks/rotation.py": "the new key",
    "tasks/share.py": "what was shared last: a digest and when",
    "tasks/signing.py": "the township's signing key",
    "tasks/templates.py": "templates, from the plan alone",
    "tasks/watch.py": "why a file of the shared folder was refused, without a value",
}
"""Module that writes files -> which. Who adds one says here that it lists nobody."""

ON_THE_TERMINAL = {"tasks/questions.py": "shows a pair; its file is made of other statements"}
"""Writers that read names besides, and what for."""

WRITING = {
    "write_whole",
    "write_bytes",
    "write_text",
    "save",
    "copyfile",
    "copy",
    "copy2",
    "mkstemp",
}


def modules() -> Iterator[tuple[str, list[ast.AST]]]:
    for package in ("cli", "flows", "reports", "tasks", "web"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield path.relative_to(ROOT).as_posix(), list(ast.walk(tree))


def writes(call: ast.Call) -> bool:
    """Whether a call writes a file, by any of the ways this house uses."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    given = [*call.args, *(word.value for word in call.keywords)]
    modes = {each.value for each in given if isinstance(each, ast.Constant)}
    return name in WRITING or (name == "open" and bool(modes & {"w", "wb", "a", "ab", "x", "xb"}))


def writers() -> set[str]:
    return {
        name
        for name, nodes in modules()
        if any(isinstance(node, ast.Call) and writes(node) for node in nodes)
    }


def naming_statements() -> set[str]:
    """The statements that give names away, as the code names them."""
    folder = ROOT / "tasks" / "sql"
    found = set()
    for path in folder.rglob("*.sql"):
        code = re.sub(r"--.*", "", path.read_text(encoding="utf-8")).strip()
        if code.startswith(("SELECT", "WITH", "FROM")) and "full_name" in code:
            found.add(path.relative_to(folder).with_suffix("").as_posix())
    return found


def test_every_module_that_writes_files_says_what() -> None:
    found = writers()
    assert found - set(WRITERS) == set()
    assert {"tasks/exports.py", "tasks/returns.py", "reports/write.py"} <= found


def test_no_other_module_reads_names_and_writes_files() -> None:
    naming = naming_statements()
    assert {"export/visits", "export/handover", "person/session"} <= naming
    readers = {
        name
        for name, nodes in modules()
        if any(isinstance(node, ast.Constant) and node.value in naming for node in nodes)
    }
    assert "tasks/people.py" in readers
    assert readers & writers() == {"tasks/exports.py", *ON_THE_TERMINAL}
