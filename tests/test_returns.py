"""A village gets its refused rows back, marked cell by cell, corrects them and sends them again."""

import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from conftest import RECEIVED, WriteCsv, coverage, referral, write_workbook
from register_rows import VILLAGE_1, VILLAGE_2, contents
from tasks.home import Home
from tasks.intake import FileResult, ReturnedRow, take_in
from tasks.plan import Plan
from tasks.reading import read_submission
from tasks.receive import receive
from tasks.returns import write_return_workbook
from tasks.rules.contract import SHEETS, Identity
from tasks.rules.wording import say
from tasks.store import Store

IDENTITY = Identity("autumn-2025", "sweep", 1, VILLAGE_1, 1)
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


def rows_of(path: Path, sheet: str) -> list[dict[str, Any]]:
    """The rows of a sheet of a return workbook: column name -> openpyxl's cell."""
    book = openpyxl.load_workbook(path)
    page = book[SHEETS[sheet].title]
    names = [column.name for column in SHEETS[sheet].columns]
    rows = [dict(zip(names, row, strict=True)) for row in page.iter_rows(min_row=3)]
    book.close()
    return rows


def text_of(path: Path) -> str:
    """All that is in a workbook, as text."""
    with zipfile.ZipFile(path) as parts:
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
    first, second = rows_of(path, "referral")
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
    path = write_return_workbook(home, plan, result)
    assert path is not None
    (cells,) = rows_of(path, "coverage")
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
    book = openpyxl.load_workbook(path)
    listed = [tuple(cell.value for cell in row) for row in book.worksheets[0].iter_rows(min_row=5)]
    book.close()

    def line(sheet: str, row: int, head: str, rule: str, hidden: str = "") -> tuple[Any, ...]:
        reason = f"{say(f'rule.{rule}', language)}{hidden}"
        return (say(f"sheet.{sheet}", language), row, head, reason)

    hidden = f" {say('return.hidden', language)}"
    assert listed == [
        line("coverage", 4, "总户数", "households_valid"),
        line("referral", 3, "性别", "sex_valid"),
        line("referral", 3, "紧急程度", "urgency_valid"),
        line("referral", 4, "同意人", "consent_by_valid", hidden),
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
    (row,) = rows_of(path, "referral")
    for name, text in cells.items():
        assert (row[name].value, row[name].data_type) == (text, "s")
        assert row[name].number_format == "@"
    with zipfile.ZipFile(path) as parts:
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
    book = openpyxl.load_workbook(path)
    corrections: dict[str, list[dict[str, Any]]] = {
        "coverage": [{"households": 60}],
        "referral": [{"birth_date": date(1980, 5, 6), "resident_id": None}, {"phone": 13700137000}],
    }
    for name, rows in corrections.items():
        names = [column.name for column in SHEETS[name].columns]
        for line, changes in enumerate(rows, start=3):
            for column, value in changes.items():
                book[SHEETS[name].title].cell(line, names.index(column) + 1).value = value
    book.save(path)
    book.close()

    later = RECEIVED + timedelta(days=1)
    (result,) = take_in(
        store, {plan.slug: plan}, [path], received_at=later, recorded_at=later, keep=True
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
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    rows = [referral(phone="见上"), referral(full_name="李四", sex="?")]
    path = one_sent_back(store, home, plan, write_csv("referral", rows))
    again = one_sent_back(store, home, plan, path)
    assert again != path
    sheets = [read_submission(each).sheets for each in (path, again)]
    assert sheets[0] == sheets[1]


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
    text = text_of(path)
    assert "张三丰" in text
    assert [mark for mark in MARKED.values() if mark in text] == []
    assert len(rows_of(path, "referral")) == 1


def test_only_hidden_rows_make_no_sheet_to_correct(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    file = write_csv("referral", [referral(consent_by="邻居")])
    path = one_sent_back(store, home, plan, file)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [say("return.summary_sheet", plan.language)]
    book.close()


def test_it_lies_in_its_villages_own_folder_under_a_name_that_says_nothing_of_its_content(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    files = [
        write_csv("coverage", [coverage(village_code=code, grid="")], village=code, name=name)
        for name, code in (("a.csv", VILLAGE_1), ("b.csv", VILLAGE_2), ("c.csv", VILLAGE_1))
    ]
    files[2].write_text(files[2].read_text(encoding="utf-8-sig") + "\n", encoding="utf-8")
    paths = sent_back(store, home, plan, *files)
    assert [path and path.relative_to(home.root).as_posix() for path in paths] == [
        f"returns/{VILLAGE_1}/sweep-1-20251028T0900-1.xlsx",
        f"returns/{VILLAGE_2}/sweep-1-20251028T0900-1.xlsx",
        f"returns/{VILLAGE_1}/sweep-1-20251028T0900-2.xlsx",
    ]
    for path in paths:
        assert path is not None
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert VILLAGE_2 not in text_of(home.returns(VILLAGE_1) / "sweep-1-20251028T0900-1.xlsx")


def test_a_file_all_of_whose_rows_hold_makes_none(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    rows = [referral(), referral(), referral(full_name="李四", consent_by="")]
    assert sent_back(store, home, plan, write_csv("referral", rows)) == [None]
    assert not home.returns(VILLAGE_1).exists()
