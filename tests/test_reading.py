"""Files as villages really send them are read; what cannot be taken is refused in one safe line."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from conftest import RECEIVED, coverage, referral, write_grids, write_workbook
from tasks import reading
from tasks.intake import take_in
from tasks.plan import Plan
from tasks.reading import Submission, is_submission, read_submission
from tasks.rules.contract import COVERAGE, REFERRAL, SHEETS, Identity, write_identity
from tasks.rules.errors import Exit, FileRefused
from tasks.rules.wording import LANGUAGES
from tasks.store import Store

SLUG = "autumn-2025"
VILLAGE = "990101001001"
CENTRE = "990101001000"
IDENTITY = Identity(SLUG, "sweep", 1, VILLAGE, 1)
LINE = write_identity(IDENTITY)
MARKER = "孔雀石标记"
"""Stands in the cells of a file that is refused; no message may repeat it."""


def heads(sheet: str = "coverage") -> list[str]:
    """The Chinese heads of a sheet."""
    return [column.heads[0] for column in SHEETS[sheet].columns]


def cells(sheet: str = "coverage", **changes: object) -> list[object]:
    """A row's cells in the order of the sheet's columns."""
    row = {"coverage": coverage, "referral": referral}[sheet]() | changes
    return [row.get(column.name, "") for column in SHEETS[sheet].columns]


def table(*rows: Sequence[object], sheet: str = "coverage") -> list[Sequence[object]]:
    """Identity, head and rows of a sheet."""
    return [[LINE], heads(sheet), *(rows or [cells(sheet)])]


def as_text(rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    return stream.getvalue()


def values(submission: Submission, sheet: int = 0) -> list[dict[str, str]]:
    """The rows of a sheet by column name."""
    read = submission.sheets[sheet]
    names = [column.name for column in read.sheet.columns]
    return [dict(zip(names, row, strict=True)) for _, row in read.rows]


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_any_encoding_and_with_any_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "v.csv"
    path.write_bytes(as_text(table(), delimiter).encode(encoding))
    submission = read_submission(path)
    assert submission.identity == IDENTITY
    assert values(submission) == [coverage()]


def test_a_cell_may_hold_delimiters_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    grid = "一网格,二号楼;\n西侧"
    path.write_text(as_text(table(cells(grid=grid), cells())), encoding="utf-8", newline="")
    read = read_submission(path)
    assert values(read)[0]["grid"] == grid
    assert [number for number, _ in read.sheets[0].rows] == [3, 4]


@pytest.mark.parametrize(
    "heading",
    [
        [[LINE], heads()],
        [[LINE], ["秋季排查走访登记表"], ["填报单位：测试1村", "", "填报人：村医"], heads()],
        [["秋季排查走访登记表"], [LINE], [], heads()],
        [["", LINE], [], heads()],
        [[LINE], [column.name for column in COVERAGE.columns]],
        [[LINE], [column.name.upper() for column in COVERAGE.columns]],
        [[LINE], [f" *{head} ：" for head in heads()]],
        [[LINE], [" ".join(head) for head in heads()]],
        [[LINE], [head.replace("(", "（").replace(")", "）") for head in heads()]],
        [[LINE], [column.heads[-1] for column in COVERAGE.columns]],
    ],
)
def test_the_head_is_found_whatever_stands_above_and_however_it_is_written(
    tmp_path: Path, heading: list[list[object]]
) -> None:
    path = write_grids(tmp_path / "v.xlsx", {"x": [*heading, cells()]})
    submission = read_submission(path)
    assert values(submission) == [coverage()]
    assert submission.sheets[0].rows[0][0] == len(heading) + 1


def test_columns_come_in_any_order_and_blank_rows_and_columns_do_not_count(tmp_path: Path) -> None:
    order = [*reversed(range(len(heads())))]
    head, row = ([source[place] for place in order] for source in (heads(), cells()))
    grid = [[LINE], head, [], [*row, "", " "], [], [*row, ""], [" ", ""], []]
    submission = read_submission(write_grids(tmp_path / "v.xlsx", {"x": grid}))
    assert values(submission) == [coverage(), coverage()]
    assert [number for number, _ in submission.sheets[0].rows] == [4, 6]
    assert submission.rows_read == 2


def test_an_optional_column_may_be_missing_and_is_blank_then(tmp_path: Path) -> None:
    names = [column for column in REFERRAL.columns if column.required]
    row = [referral()[column.name] for column in names]
    grid = [[LINE], [column.heads[0] for column in names], row]
    (read,) = values(read_submission(write_grids(tmp_path / "v.xlsx", {"x": grid})))
    assert read == referral() | {"resident_id": ""}


def test_cells_that_excel_made_of_dates_and_numbers(tmp_path: Path) -> None:
    row = cells(
        village_code=990101001001,
        households=50.0,
        visits_from=date(2025, 10, 8),
        visits_to=datetime(2025, 10, 24),
        nil_return=False,
    )
    (read,) = values(read_submission(write_grids(tmp_path / "v.xlsx", {"x": table(row)})))
    assert read == coverage(
        visits_from="2025-10-08", visits_to="2025-10-24", nil_return="0", households="50"
    )


def test_an_id_that_excel_made_a_number_of_shows_that_it_is_not_whole(tmp_path: Path) -> None:
    row = cells("referral", resident_id=110101198001020139, phone=13800138000)
    path = write_grids(tmp_path / "v.xlsx", {"x": table(row, sheet="referral")})
    (read,) = values(read_submission(path))
    assert read["resident_id"] == "1.10101198001020E+17"
    assert read["phone"] == "13800138000"


def test_merged_title_cells(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.merge_range(0, 0, 0, 8, LINE)
        page.merge_range(1, 0, 2, 8, "测试1村走访情况登记表")
        for place, head in enumerate(heads()):
            page.merge_range(3, place, 4, place, head)
        page.write_row(5, 0, cells())
    submission = read_submission(path)
    assert values(submission) == [coverage()]
    assert submission.sheets[0].rows[0][0] == 6


def test_a_workbook_saved_again_by_another_program(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "v.xlsx", {"coverage": [coverage()]}, IDENTITY)
    book = openpyxl.load_workbook(path)
    book.save(path)
    book.close()
    assert values(read_submission(path)) == [coverage()]


def test_both_sheets_of_a_sweep_are_told_apart_by_their_heads(tmp_path: Path) -> None:
    grids = {"Sheet2": table(sheet="referral"), "Sheet1": table()}
    submission = read_submission(write_grids(tmp_path / "v.xlsx", grids))
    assert [read.sheet.name for read in submission.sheets] == ["referral", "coverage"]
    assert submission.rows_read == 2


def test_a_sheet_that_is_no_sheet_of_the_phase_is_left_alone(tmp_path: Path) -> None:
    others = {
        "填表说明": [["先读这里"], ["总户数怎么数？"]],
        "空": [],
        "随访记录": [heads("follow_up"), [MARKER]],
        "走访情况": table(),
    }
    submission = read_submission(write_grids(tmp_path / "v.xlsx", others))
    assert [read.sheet.name for read in submission.sheets] == ["coverage"]
    assert MARKER not in repr(submission.sheets)


def test_one_sheet_with_rows_is_enough(tmp_path: Path) -> None:
    grids = {"a": table(), "b": [[LINE], heads("referral")]}
    assert read_submission(write_grids(tmp_path / "v.xlsx", grids)).rows_read == 1


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("v.xlsx", True),
        ("V.XLSX", True),
        ("v.xls", True),
        ("v.ods", True),
        ("v.csv", True),
        ("v.docx", False),
        ("v", False),
        ("~$v.xlsx", False),
        (".v.csv", False),
    ],
)
def test_what_counts_as_a_submission_in_a_folder(name: str, taken: bool) -> None:
    assert is_submission(Path("inbox") / name) is taken


# --- what is refused ------------------------------------------------------------------------------

ROW = cells("referral", full_name=MARKER, contact_name=MARKER, phone=MARKER)


def other(**changes: Any) -> str:
    """An identity line that differs in something."""
    return write_identity(Identity(**{**vars(IDENTITY), **changes}))


def people(line: str = LINE, head: Sequence[str] | None = None, *rows: Sequence[object]) -> Any:
    """A referral sheet whose cells hold the marker."""
    return {"名单": [[line], head or heads("referral"), *(rows or [ROW])]}


def without(column: str) -> list[str]:
    return [head for head in heads("referral") if head != column]


REFUSED: list[tuple[str, dict[str, Any], str, dict[str, object]]] = [
    ("no identity", people("秋季排查"), "refused.no_identity", {}),
    ("malformed identity", people(LINE.replace("round=1", "round=一")), "refused.no_identity", {}),
    (
        "identity too far down",
        {"x": [*[["标题"]] * 10, [LINE], heads("referral"), ROW]},
        "refused.no_identity",
        {},
    ),
    (
        "two identities",
        {**people(), "走访": [[other(village="990101001002")], heads(), cells()]},
        "refused.two_identities",
        {},
    ),
    ("old template", people(other(template=9)), "refused.template", {"has": 9, "wanted": 1}),
    (
        "a phase that takes nothing",
        people(other(phase="aggregation")),
        "refused.phase",
        {"phase": "aggregation"},
    ),
    ("no head", {"名单": [[LINE], ROW]}, "refused.no_head", {"sheets": "走访情况、转介人员"}),
    (
        "head too far down",
        {"名单": [[LINE], *[["说明"]] * 19, heads("referral"), ROW]},
        "refused.no_head",
        {"sheets": "走访情况、转介人员"},
    ),
    (
        "two sheets of one kind",
        {"甲": people()["名单"], "乙": people()["名单"]},
        "refused.sheet_twice",
        {"sheet": "转介人员"},
    ),
    (
        "a missing column",
        people(LINE, without("同意日期")),
        "refused.missing_column",
        {"sheet": "名单", "columns": "同意日期"},
    ),
    (
        "an extra column that looks like a head",
        people(LINE, [*heads("referral"), "备注"]),
        "refused.extra_column",
        {"sheet": "名单", "column": "备注"},
    ),
    (
        "an extra column whose head has a line break",
        people(LINE, [*heads("referral"), "备注\n(选填)"]),
        "refused.extra_column",
        {"sheet": "名单", "column": "备注 (选填)"},
    ),
    (
        "an extra column whose head may be data",
        people(LINE, [*heads("referral"), f"{MARKER}13800138000"]),
        "refused.extra_column",
        {"sheet": "名单", "column": "#19"},
    ),
    (
        "an extra column with a long head",
        people(LINE, [*heads("referral"), f"家庭住址及其他情况{MARKER}"]),
        "refused.extra_column",
        {"sheet": "名单", "column": "#19"},
    ),
    (
        "a column twice",
        people(LINE, [*heads("referral"), "联系电话"]),
        "refused.column_twice",
        {"sheet": "名单", "column": "phone"},
    ),
    (
        "content under a blank head",
        people(LINE, heads("referral"), [*ROW, "", MARKER]),
        "refused.outside_columns",
        {"sheet": "名单", "row": 3},
    ),
    (
        "content beside the table only",
        people(LINE, heads("referral"), ROW, [*[""] * 20, MARKER]),
        "refused.outside_columns",
        {"sheet": "名单", "row": 4},
    ),
    ("head only", {"名单": [[LINE], heads("referral")]}, "refused.empty", {}),
    ("blank rows only", people(LINE, None, [" ", "", "　"]), "refused.empty", {}),
]


def assert_safe(error: FileRefused, key: str, file: str, **named: object) -> None:
    """Assert that a refusal is the one, names the file and only what it may, in one line."""
    assert (error.key, error.values) == (key, {"file": file, **named})
    assert error.exit is Exit.FILE_REFUSED
    for language in LANGUAGES:
        text = error.text(language)
        assert file in text
        assert MARKER not in text
        assert len(text.splitlines()) == 1
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("grids", "key", "named"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_a_workbook_is_refused(
    tmp_path: Path, grids: dict[str, Any], key: str, named: dict[str, object]
) -> None:
    path = write_grids(tmp_path / "v.xlsx", grids)
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    assert_safe(refused.value, key, "v.xlsx", **named)


@pytest.mark.parametrize(
    ("grids", "key", "named"),
    [each[1:] for each in REFUSED if len(each[1]) == 1],
    ids=[each[0] for each in REFUSED if len(each[1]) == 1],
)
def test_a_csv_is_refused_for_the_same_reasons(
    tmp_path: Path, grids: dict[str, Any], key: str, named: dict[str, object]
) -> None:
    path = tmp_path / "v.csv"
    (rows,) = grids.values()
    path.write_text(as_text(rows), encoding="utf-8", newline="")
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    # a CSV has no sheet's name: it is called after what it holds
    sheet = {"sheet": REFERRAL.title} if "sheet" in named else {}
    assert_safe(refused.value, key, "v.csv", **(named | sheet))


def workbook_bytes(folder: Path) -> bytes:
    return write_grids(folder / "whole.xlsx", people()).read_bytes()


BROKEN = {
    "a truncated workbook": ("v.xlsx", lambda whole: whole[: len(whole) * 2 // 3]),
    "a workbook of which the start is left": ("v.xlsx", lambda whole: whole[:100]),
    "text that is named a workbook": ("v.xlsx", lambda _: as_text(people()["名单"]).encode()),
    "a page that is named a workbook": ("v.xls", lambda _: b"<html><table><tr><td>1</td>"),
    "a workbook that is named CSV": ("v.csv", lambda whole: whole),
    "bytes of no encoding": ("v.csv", lambda _: b"\xff\xff\xff" + MARKER.encode()),
    "a wide text that ends half way": ("v.csv", lambda _: as_text(table()).encode("utf-16")[:-1]),
    "an unclosed quotation mark": (
        "v.csv",
        lambda _: as_text(people()["名单"]).encode() + b'"' + MARKER.encode(),
    ),
}


@pytest.mark.parametrize(("name", "make"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, make: Any) -> None:
    path = tmp_path / name
    path.write_bytes(make(workbook_bytes(tmp_path)))
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    assert_safe(refused.value, "refused.unreadable", name)


@pytest.mark.parametrize("name", ["v.docx", "v.pdf", "v", "v.xlsm"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(workbook_bytes(tmp_path))
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    assert_safe(refused.value, "refused.ending", name)


def test_an_empty_file_is_no_nil_return(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.touch()
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    assert_safe(refused.value, "refused.empty", "v.csv")


def test_a_file_that_is_too_large_is_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_grids(tmp_path / "v.xlsx", people())
    monkeypatch.setattr(reading, "MOST_BYTES", path.stat().st_size - 1)
    monkeypatch.delattr(Path, "read_bytes")
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    assert_safe(refused.value, "refused.too_large", "v.xlsx", most=0)


def test_a_file_that_went_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        read_submission(tmp_path / "v.xlsx")
    assert_safe(refused.value, "refused.unreadable", "v.xlsx")


# --- what the plan refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "changes", "key", "named"),
    [
        ("referral", {"campaign": "spring"}, "refused.other_campaign", {"campaign": "spring"}),
        ("referral", {"round": 2}, "refused.no_such_round", {"phase": "sweep", "round": 2}),
        (
            "readiness",
            {"phase": "readiness", "round": 0},
            "refused.no_such_round",
            {"phase": "readiness", "round": 0},
        ),
        (
            "referral",
            {"village": "990101001009"},
            "refused.unknown_village",
            {"village": "990101001009"},
        ),
        ("referral", {"village": CENTRE}, "refused.wrong_sender", {"sheet": "转介人员"}),
        (
            "follow_up",
            {"phase": "follow_up", "round": 0},
            "refused.wrong_sender",
            {"sheet": "随访记录"},
        ),
        (
            "assessment_outcome",
            {"phase": "diagnosis_queue", "round": 0},
            "refused.wrong_sender",
            {"sheet": "评估结果"},
        ),
    ],
)
def test_a_file_the_plan_has_no_place_for_is_refused_and_nothing_is_stored(
    tmp_path: Path,
    store: Store,
    plan: Plan,
    sheet: str,
    changes: dict[str, Any],
    key: str,
    named: dict[str, object],
) -> None:
    identity = Identity(**{**vars(IDENTITY), **changes})
    row = {column.name: MARKER for column in SHEETS[sheet].columns}
    path = write_workbook(tmp_path / "v.xlsx", {sheet: [row]}, identity)
    sound = write_workbook(tmp_path / "w.xlsx", {"coverage": [coverage()]}, IDENTITY)
    refused, taken = take_in(
        store,
        {plan.slug: plan},
        [path, sound],
        received_at=RECEIVED,
        recorded_at=RECEIVED,
        keep=True,
    )
    assert isinstance(refused.refused, FileRefused)
    assert_safe(refused.refused, key, "v.xlsx", **named)
    assert (refused.exit, taken.exit) == (Exit.FILE_REFUSED, Exit.DONE)
    files = "SELECT sender_village FROM register.raw_submission"
    assert store.connection.execute(files).fetchall() == [(VILLAGE,)]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"ad_hoc": True}, "refused.no_such_round"),
        ({"villages": ("990101001002",)}, "refused.unknown_village"),
    ],
)
def test_a_round_that_is_not_approved_or_is_for_other_villages_is_refused(
    tmp_path: Path, store: Store, plan: Plan, changes: dict[str, Any], key: str
) -> None:
    calendar = tuple(
        replace(each, **changes) if each.phase == "sweep" else each for each in plan.calendar
    )
    path = write_grids(tmp_path / "v.xlsx", people())
    (result,) = take_in(
        store,
        {plan.slug: plan.model_copy(update={"calendar": calendar})},
        [path],
        received_at=RECEIVED,
        recorded_at=RECEIVED,
        keep=False,
    )
    assert isinstance(result.refused, FileRefused)
    assert result.refused.key == key
    assert MARKER not in str(result.refused)
