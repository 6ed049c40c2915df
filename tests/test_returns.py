"""A village gets its refused rows back, marked cell by cell, corrects them and sends them again."""

import io
import random
import re
import zipfile
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from msoffcrypto.format.ooxml import OOXMLFile
from typer.testing import CliRunner

from cli.export_commands import returns
from conftest import KEY, RECEIVED, WriteCsv, coverage, open_home, referral, write_workbook
from register_rows import VILLAGE_1, VILLAGE_2, contents
from tasks.cell_checks import choices_of
from tasks.exports import remove_expired
from tasks.home import Home
from tasks.intake import FileResult, ReturnedRow, take_in
from tasks.passwords import likely_first, opening_passwords, renew_password, sender_password
from tasks.plan import Plan
from tasks.reading import read_submission
from tasks.receive import receive
from tasks.returns import return_notice, return_workbooks, write_return_workbook
from tasks.rules.cells import column_letters
from tasks.rules.contract import RETURN_COLUMN, SHEETS, Identity
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say
from tasks.store import Store
from tasks.workbook_password import NotOpened, decrypt_workbook, encrypt_workbook, unlock

NUMBER = "0123456789ABCDEF" * 2
IDENTITY = Identity("autumn-2025", "sweep", 1, VILLAGE_1, 1)
OPENS = "abcd-efgh"
WRONG = "FFF8C9C4"
"""The fill of a cell to correct."""


def sent_back(store: Store, home: Home, plan: Plan, *files: Path) -> list[Path | None]:
    """Receive files and return where their return workbooks lie."""
    received = receive(
        store, home, {plan.slug: plan}, files, received_at=RECEIVED, recorded_at=RECEIVED
    )
    assert [one.result.refused for one in received] == [None] * len(files)
    return [one.return_workbook for one in received]


def one_sent_back(store: Store, home: Home, plan: Plan, file: Path) -> Path:
    (path,) = sent_back(store, home, plan, file)
    assert path is not None
    return path


def unlocked(store: Store, path: Path) -> io.BytesIO:
    """A return workbook as its village opens it."""
    ((_, password),) = store.rows("returns/passwords", villages=[path.parent.name])
    return io.BytesIO(decrypt_workbook(path.read_bytes(), password))


def rows_of(store: Store, path: Path, sheet: str) -> list[dict[str, Any]]:
    """The rows of a sheet of a return workbook: column name -> openpyxl's cell."""
    book = openpyxl.load_workbook(unlocked(store, path))
    page = book[SHEETS[sheet].title]
    names = [column.name for column in (*SHEETS[sheet].columns, RETURN_COLUMN)]
    rows = [dict(zip(names, row, strict=True)) for row in page.iter_rows(min_row=3)]
    book.close()
    return rows


def text_of(store: Store, path: Path) -> str:
    """All that is in a return workbook, as text."""
    with zipfile.ZipFile(unlocked(store, path)) as parts:
        return "\n".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())


def test_the_wrong_cells_are_marked_with_what_to_do(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    rows = [
        referral(),
        referral(full_name="李四", phone="见上", urgency="特急"),
        referral(full_name="王五", resident_id="1.10101198001020E+17"),
    ]
    path = one_sent_back(store, home, plan, write_csv("referral", rows))
    first, second = rows_of(store, path, "referral")
    assert {name for name, cell in first.items() if cell.fill.fgColor.rgb == WRONG} == {
        "phone",
        "urgency",
    }
    assert first["phone"].value == "见上"
    assert first["phone"].comment.text == say("rule.phone_valid", plan.language)
    assert first["urgency"].comment.text == say("rule.urgency_valid", plan.language)
    assert [name for name, cell in first.items() if cell.comment] == ["phone", "urgency"]
    assert second["resident_id"].comment.text == say("rule.resident_id_whole", plan.language)
    assert [first["full_name"].value, second["full_name"].value] == ["李四", "王五"]


WHY = {
    "birth_date": ("03/04/1980", "birth_date_valid", "cell.two_readings"),
    "consent_date": ("10月3日", "consent_date_valid", None),
    "residence_village": ("9.90101E+11", "residence_village_valid", "cell.exponent"),
    "phone": ("#N/A", "phone_valid", "cell.error"),
}
"""Column -> a cell, the rule it breaks, and why it cannot be read; None where that is not shown."""


def test_why_a_cell_cannot_be_read_stands_before_what_to_do(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    rows = [
        referral(row_no=str(line), full_name=name, **{column: WHY[column][0]})
        for line, (name, column) in enumerate(zip("甲乙丙丁", WHY, strict=True), start=1)
    ]
    rows = [row | {"full_name": f"王{row['full_name']}"} for row in rows]
    path = one_sent_back(store, home, plan, write_csv("referral", rows))
    shown = rows_of(store, path, "referral")
    said = {
        column: "\n".join(say(key, plan.language) for key in (why, f"rule.{rule}") if key)
        for column, (_, rule, why) in WHY.items()
    }
    assert [
        {column: cell.comment.text for column, cell in row.items() if cell.comment} for row in shown
    ] == [{column: said[column]} for column in said if column != "consent_date"]
    book = openpyxl.load_workbook(unlocked(store, path))
    page = book[say("return.summary_sheet", plan.language)]
    summed_up = [(row[1], row[3]) for row in page.iter_rows(min_row=5, values_only=True)]
    hidden = f"{said['consent_date']} {say('return.hidden', plan.language)}"
    assert summed_up == [
        (line, hidden if column == "consent_date" else said[column].replace("\n", " "))
        for line, column in enumerate(WHY, start=3)
    ]
    assert page.freeze_panes == "A5"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_closed_lists_are_drop_downs_as_in_the_template(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv, language: Any
) -> None:
    spoken = plan.model_copy(update={"language": language})
    file = write_csv("referral", [referral(sex="?"), referral(full_name="李四", urgency="?")])
    path = one_sent_back(store, home, spoken, file)
    page = openpyxl.load_workbook(unlocked(store, path))[say("sheet.referral", language)]
    sheet = SHEETS["referral"]
    checks = {
        str(each.sqref): (each.type, each.formula1, each.prompt)
        for each in page.data_validations.dataValidation
    }
    assert page.freeze_panes == "C3"
    for place, column in enumerate(sheet.columns):
        letters = column_letters(place)
        kind, source, prompt = checks[f"{letters}3:{letters}4"]
        assert prompt
        if column.choices:
            assert kind == "list"
            assert source == f'"{",".join(choices_of(column, language))}"'
        else:
            # its cells are text, so a day or a number typed there is none to the spreadsheet
            assert kind in (None, "textLength")


def test_one_cell_that_breaks_two_rules_says_both(
    store: Store, home: Home, plan: Plan, tmp_path: Path
) -> None:
    row = ReturnedRow(
        SHEETS["coverage"],
        3,
        ("nil_return_valid", "nil_return_true"),
        ("",) * len(SHEETS["coverage"].columns),
    )
    result = FileResult("v.csv", IDENTITY, returned=(row,), received_at=RECEIVED)
    path = write_return_workbook(return_workbooks(store, home, plan, {0: result})[0])
    (cells,) = rows_of(store, path, "coverage")
    assert cells["nil_return"].comment.text == "\n".join(
        say(f"rule.{rule}", plan.language) for rule in row.rules
    )


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_first_sheet_lists_what_is_wrong_by_the_villages_own_row_numbers(
    store: Store, home: Home, plan: Plan, tmp_path: Path, language: Any
) -> None:
    sheets = {
        "coverage": [coverage(), coverage(grid="二网格", households="若干")],
        "referral": [referral(sex="?", urgency="?"), referral(consent_by="邻居")],
    }
    file = write_workbook(tmp_path / "v.xlsx", sheets, IDENTITY)
    path = one_sent_back(store, home, plan.model_copy(update={"language": language}), file)
    book = openpyxl.load_workbook(unlocked(store, path))
    listed = [tuple(cell.value for cell in row) for row in book.worksheets[0].iter_rows(min_row=5)]
    book.close()

    def line(sheet: str, row: int, column: str, rule: str, hidden: str = "") -> tuple[Any, ...]:
        head = column if language == "en" else SHEETS[sheet].column(column).heads[0]
        reason = f"{say(f'rule.{rule}', language)}{hidden}"
        return (say(f"sheet.{sheet}", language), row, head, reason)

    hidden = f" {say('return.hidden', language)}"
    assert listed == [
        line("coverage", 4, "households", "households_valid"),
        line("referral", 3, "sex", "sex_valid"),
        line("referral", 3, "urgency", "urgency_valid"),
        line("referral", 4, "consent_by", "consent_by_valid", hidden),
    ]


def test_text_stays_text(store: Store, home: Home, plan: Plan, write_csv: WriteCsv) -> None:
    cells = {
        "full_name": '=HYPERLINK("http://example.test","x")',
        "contact_name": "@SUM(1)",
        "phone": "013800138000",
        "resident_id": "110101198001020139",
        "observed_signs": "1,3",
        "contact_phone": "+86 139",
    }
    path = one_sent_back(store, home, plan, write_csv("referral", [referral(**cells)]))
    (row,) = rows_of(store, path, "referral")
    for name, text in cells.items():
        assert (row[name].value, row[name].data_type) == (text, "s")
        assert row[name].number_format == "@"
    with zipfile.ZipFile(unlocked(store, path)) as parts:
        pages = [parts.read(name) for name in parts.namelist() if "/worksheets/sheet" in name]
    assert all(b"<f>" not in page and b"<hyperlink" not in page for page in pages)


def test_it_is_corrected_in_place_and_taken_in(
    store: Store, home: Home, plan: Plan, tmp_path: Path
) -> None:
    sheets = {
        "coverage": [coverage(grid="一网格"), coverage(grid="二网格", households="若干")],
        "referral": [
            referral(),
            referral(full_name="李四", birth_date="八零年", resident_id="不详"),
            referral(full_name="王五", phone="见上"),
        ],
    }
    path = one_sent_back(store, home, plan, write_workbook(tmp_path / "v.xlsx", sheets, IDENTITY))
    book = openpyxl.load_workbook(unlocked(store, path))
    corrections: dict[str, list[dict[str, Any]]] = {
        "coverage": [{"households": 60}],
        "referral": [{"birth_date": date(1980, 5, 6), "resident_id": None}, {"phone": 13700137000}],
    }
    for name, rows in corrections.items():
        names = [column.name for column in SHEETS[name].columns]
        for line, changes in enumerate(rows, start=3):
            for column, value in changes.items():
                book[SHEETS[name].title].cell(line, names.index(column) + 1).value = value
    corrected = tmp_path / "corrected.xlsx"
    book.save(corrected)
    book.close()

    later = RECEIVED + timedelta(days=1)
    (result,) = take_in(
        store, {plan.slug: plan}, [corrected], received_at=later, recorded_at=later, keep=True
    )
    assert (result.refused, result.rows["read"], result.rows["accepted"]) == (None, 3, 3)
    assert contents(store, "stg_referral WHERE is_current", "full_name, birth_date, phone") == [
        ("张三丰", date(1980, 1, 2), "13800138000"),
        ("李四", date(1980, 5, 6), "13800138000"),
        ("王五", date(1980, 1, 2), "13700137000"),
    ]
    assert contents(store, "stg_coverage WHERE is_current", "grid, households") == [
        ("一网格", 50),
        ("二网格", 60),
    ]


def test_sent_again_as_it_is_it_comes_back_as_it_is(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv, tmp_path: Path
) -> None:
    rows = [referral(phone="见上"), referral(full_name="李四", sex="?")]
    first = tmp_path / "first.xlsx"
    path = one_sent_back(store, home, plan, write_csv("referral", rows))
    first.write_bytes(unlocked(store, path).getvalue())
    second = tmp_path / "second.xlsx"
    second.write_bytes(unlocked(store, one_sent_back(store, home, plan, first)).getvalue())
    assert read_submission(first).sheets == read_submission(second).sheets


MARKED = {
    "full_name": "孔雀石",
    "contact_name": "绿松石",
    "phone": "13912345671",
    "contact_phone": "13912345672",
    "resident_id": "11010119800102077X",
}


@pytest.mark.parametrize(
    "consent",
    [
        {"consent_by": ""},
        {"consent_by": "不同意"},
        {"consent_date": ""},
        {"consent_by": "邻居"},
        {"consent_date": "2099-01-01"},
        {"consent_scope": "全部"},
        {"consent_by": "邻居", "urgency": "?"},
    ],
)
def test_nothing_of_a_row_whose_consent_does_not_hold_is_in_it(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv, consent: dict[str, str]
) -> None:
    rows = [referral(**(MARKED | consent)), referral(sex="?")]
    path = one_sent_back(store, home, plan, write_csv("referral", rows))
    text = text_of(store, path)
    assert "张三丰" in text
    assert [mark for mark in MARKED.values() if mark in text] == []
    assert len(rows_of(store, path, "referral")) == 1


def test_only_hidden_rows_make_no_sheet_to_correct(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    file = write_csv("referral", [referral(consent_by="邻居")])
    path = one_sent_back(store, home, plan, file)
    book = openpyxl.load_workbook(unlocked(store, path))
    assert book.sheetnames == [say("return.summary_sheet", plan.language)]
    book.close()


def test_it_lies_in_its_villages_own_folder_under_a_name_that_says_nothing_of_its_content(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    files = [
        write_csv("coverage", [coverage(village_code=code, grid="")], village=code, name=name)
        for name, code in (("a.csv", VILLAGE_1), ("b.csv", VILLAGE_2))
    ]
    other = [coverage(), coverage(grid="")]
    files.append(write_csv("coverage", other, village=VILLAGE_1, name="c.csv"))
    paths = [path for path in sent_back(store, home, plan, *files) if path is not None]
    names = [path.relative_to(home.root).as_posix() for path in paths]
    assert len(set(names)) == 3
    for name, village in zip(names, (VILLAGE_1, VILLAGE_2, VILLAGE_1), strict=True):
        assert re.fullmatch(f"returns/{village}/{village}-sweep-1-[0-9a-f]{{8}}[.]xlsx", name)
    for path in paths:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert VILLAGE_2 not in text_of(store, paths[0])


def test_the_same_file_again_is_answered_by_the_same_return_workbook(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    file = write_csv("referral", [referral(sex="?")])
    first = one_sent_back(store, home, plan, file)
    first.unlink()
    (second,) = receive(
        store,
        home,
        {plan.slug: plan},
        [file],
        received_at=RECEIVED + timedelta(days=3),
        recorded_at=RECEIVED + timedelta(days=3),
    )
    assert second.result.repeated
    assert second.return_workbook == first
    assert list(first.parent.iterdir()) == [first]


def test_a_file_all_of_whose_rows_hold_makes_none(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    rows = [referral(), referral(), referral(full_name="李四", consent_by="")]
    assert sent_back(store, home, plan, write_csv("referral", rows)) == [None]
    assert not home.returns(VILLAGE_1).exists()


# The password


def test_each_village_has_one_password_of_its_own_until_it_gets_a_new_one(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    files = [
        write_csv("referral", [referral(sex="?", full_name=name)], village=code, name=f"{name}.csv")
        for name, code in (("甲一", VILLAGE_1), ("乙二", VILLAGE_1), ("丙三", VILLAGE_2))
    ]
    first, second, other = (path for path in sent_back(store, home, plan, *files) if path)
    passwords = [
        sender_password(store, plan, code, now=RECEIVED) for code in (VILLAGE_1, VILLAGE_2)
    ]
    assert passwords[0] != passwords[1]
    for path, password in ((first, passwords[0]), (second, passwords[0]), (other, passwords[1])):
        assert decrypt_workbook(path.read_bytes(), password)
    with pytest.raises(NotOpened):
        decrypt_workbook(other.read_bytes(), passwords[0])
    new = renew_password(store, plan, VILLAGE_1, now=RECEIVED)
    assert new not in passwords
    assert sender_password(store, plan, VILLAGE_1, now=RECEIVED) == new


def test_the_health_centre_has_one_too_and_nobody_else(store: Store, plan: Plan) -> None:
    assert sender_password(store, plan, plan.health_centre.code, now=RECEIVED)
    for make in (sender_password, renew_password):
        with pytest.raises(WrongCommand):
            make(store, plan, "990101001009", now=RECEIVED)
    assert len(contents(store, "reg_password")) == 1


def test_what_may_come_back_locked_can_be_opened_the_likely_password_first(
    store: Store, plan: Plan
) -> None:
    one, two = (sender_password(store, plan, code, now=RECEIVED) for code in (VILLAGE_1, VILLAGE_2))
    store.run(
        "export/add",
        path="exports/session-20251111-0a0b0c0d.xlsx",
        kind="session",
        campaign=plan.slug,
        recipient="",
        subjects=["R-1"],
        made_at=RECEIVED,
        remove_on=date(2025, 11, 19),
        password=OPENS,
    )
    known = opening_passwords(store)
    assert likely_first(known, f"{VILLAGE_2}-sweep-1-改好.xlsx") == [two, one, OPENS]
    assert likely_first(known, "session-20251111-0a0b0c0d.xlsx") == [OPENS, one, two]
    assert likely_first(known, "新建.xlsx") == [one, two, OPENS]
    remove_expired(store, Home(Path("nowhere")), date(2025, 11, 19))
    assert opening_passwords(store) == {VILLAGE_1: one, VILLAGE_2: two}


def test_a_password_is_shown_to_who_has_the_key_and_the_look_is_kept(
    home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    monkeypatch.setattr("tasks.at_home.load_campaign", lambda home, campaign: plan)
    app = typer.Typer()
    app.add_typer(returns, name="returns")

    def shown(*arguments: str) -> list[str]:
        command = ["returns", "password", VILLAGE_1, "--campaign", plan.slug, "--by", "王"]
        told = CliRunner().invoke(app, [*command, *arguments])
        assert told.exit_code == 0, told.output
        return told.output.splitlines()

    first, again, new = shown(), shown(), shown("--new")
    assert first == again == [say("return.password", village=VILLAGE_1), first[1]]
    assert new[1] != first[1]
    with open_home(home) as store:
        assert opening_passwords(store) == {VILLAGE_1: new[1]}
        entries = contents(store, "reg_trail", "who, what, why", order="position")[:-1]
    monkeypatch.setenv("CAMPAIGN_KEY", "b" * 64)
    wrong = CliRunner().invoke(app, ["returns", "password", VILLAGE_1, "--campaign", plan.slug])
    assert isinstance(wrong.exception, WrongCommand)
    assert entries == [
        ("王", "returns password", VILLAGE_1),
        ("王", "returns password", VILLAGE_1),
        ("王", "returns password --new", VILLAGE_1),
    ]


# A locked workbook from outside


@cache
def locked() -> bytes:
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    return encrypt_workbook(stream.getvalue(), OPENS)


def test_one_of_many_passwords_opens_it_or_none() -> None:
    plain = unlock(locked(), ["wrong", OPENS])
    assert plain is not None
    assert plain.startswith(b"PK")
    assert unlock(locked(), ["wrong", ""]) is None
    assert unlock(locked(), []) is None


@pytest.mark.parametrize("cut", [0, 8, 512, 3000, 6000])
def test_a_cut_file_does_not_open(cut: int) -> None:
    with pytest.raises(NotOpened):
        decrypt_workbook(locked()[:cut], OPENS)


@pytest.mark.parametrize("seed", range(6))
def test_an_altered_file_opens_as_it_was_or_not_at_all(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a seeded test, no secret
    altered = bytearray(locked())
    for _ in range(3):
        altered[chance.randrange(len(altered))] ^= 1 << chance.randrange(8)
    try:
        opened = decrypt_workbook(bytes(altered), OPENS)
    except NotOpened:
        return
    assert opened == decrypt_workbook(locked(), OPENS)


@pytest.mark.parametrize(
    ("said", "claimed"),
    [(b'spinCount="100000"', b'spinCount="999999"'), (b"<encryption ", b"<!DOCTYPE a ")],
)
def test_a_file_that_would_keep_us_busy_is_not_tried(
    said: bytes, claimed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = locked().replace(said, claimed, 1)
    assert altered != locked()
    tried: list[str] = []
    monkeypatch.setattr(OOXMLFile, "load_key", lambda *_, **__: tried.append("key"))
    with pytest.raises(NotOpened):
        decrypt_workbook(altered, OPENS)
    assert tried == []


# The message


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_message_says_how_many_and_why_and_names_nobody(
    store: Store, home: Home, plan: Plan, tmp_path: Path, language: Any
) -> None:
    sheets = {
        "coverage": [coverage(), coverage(grid="二网格", households="若干")],
        "referral": [
            referral(**MARKED | {"sex": "?"}),
            referral(**MARKED | {"sex": "?", "urgency": "?"}),
            referral(**MARKED | {"consent_by": "邻居"}),
        ],
    }
    file = write_workbook(tmp_path / "孔雀石.xlsx", sheets, IDENTITY)
    spoken = plan.model_copy(update={"language": language})
    (one,) = receive(
        store, home, {plan.slug: spoken}, [file], received_at=RECEIVED, recorded_at=RECEIVED
    )
    subject, text = return_notice(spoken, one.result, NUMBER)
    assert "\n" not in subject

    def line(sheet: str, rows: int, rule: str) -> str:
        told = {"sheet": say(f"sheet.{sheet}", language), "rows": rows}
        return say("return.notice_reason", language, **told, reason=say(f"rule.{rule}", language))

    lines = text.splitlines()
    assert lines[1:-2] == [
        line("coverage", 1, "households_valid"),
        line("referral", 2, "sex_valid"),
        line("referral", 1, "urgency_valid"),
        line("referral", 1, "consent_by_valid"),
    ]
    assert "4" in lines[0]
    assert plan.villages[0].name in lines[0]
    for mark in (*MARKED.values(), file.name, "若干", "邻居", "二网格"):
        assert mark not in subject + text
    with pytest.raises(ValueError, match="nothing"):
        return_notice(spoken, FileResult("v.csv", IDENTITY, received_at=RECEIVED), NUMBER)
