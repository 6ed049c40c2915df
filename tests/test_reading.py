"""Files as villages really send them are read; what cannot be taken is refused in one safe line."""

import csv
import io
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile

from conftest import RECEIVED, coverage, program, referral, write_grids, write_workbook
from made_files import SHEET, pack, parts_of
from tasks.intake import take_in
from tasks.plan import Limits, Plan, PlanRefused, copy_plan, load_plan
from tasks.reading import Submission, is_submission, read_submission
from tasks.rules.cells import UNCOMPUTED
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


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_wide_text_is_known_by_its_zeros_and_lines_end_in_any_way(
    tmp_path: Path, encoding: str, end: str
) -> None:
    path = tmp_path / "v.csv"
    path.write_bytes(as_text(table()).replace("\r\n", end).encode(encoding))
    assert values(read_submission(path)) == [coverage()]


def test_the_delimiter_is_the_one_that_shows_the_head(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    titles = [[LINE], ["填报：a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t"], ["sep=;"]]
    path.write_text(as_text([*titles, heads(), cells()], ";"), encoding="utf-8")
    assert values(read_submission(path)) == [coverage()]


TWO_LINES = [
    [LINE],
    *csv.reader(
        [
            "序号,基本情况,,,,居住地,户籍地,联系,联系人,,,转介来源,同意,,,现况,线索编号,紧急程度",
            ",姓名,性别,出生日期,身份证号,,,电话,姓名,关系,电话,,同意人,日期,范围,,,",
        ]
    ),
]
"""The columns of a referral sheet in their order, under a head of two lines."""


def test_a_head_of_two_lines_is_read_together_or_by_its_lower_line(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        for line, row in enumerate(TWO_LINES):
            page.write_row(line, 0, row)
        page.merge_range(1, 1, 1, 4, "基本情况")
        page.merge_range(1, 8, 1, 10, "联系人")
        page.merge_range(1, 0, 2, 0, "序号")
        page.write_row(3, 0, cells("referral"))
    from_text = tmp_path / "v.csv"
    from_text.write_text(as_text([*TWO_LINES, cells("referral")]), encoding="utf-8")
    for each in (path, from_text):
        submission = read_submission(each)
        assert values(submission) == [referral() | {"resident_id": ""}]
        assert submission.sheets[0].rows[0][0] == 4


def test_a_row_of_data_below_the_head_is_not_its_second_line(tmp_path: Path) -> None:
    row = cells("referral", contact_name="姓名", contact_relation="电话")
    path = write_grids(tmp_path / "v.xlsx", {"x": table(row, sheet="referral")})
    (read,) = values(read_submission(path))
    assert (read["contact_name"], read["contact_relation"]) == ("姓名", "电话")


def test_a_head_repeated_for_printing_is_no_row(tmp_path: Path) -> None:
    path = write_grids(tmp_path / "v.xlsx", {"x": table(cells(), heads(), cells(grid="二网格"))})
    assert [number for number, _ in read_submission(path).sheets[0].rows] == [3, 5]


def test_what_a_template_fills_in_by_itself_is_no_row(tmp_path: Path) -> None:
    blank = ["", *[""] * 17]
    rows = [[str(number), *blank[1:]] for number in range(1, 4)]
    path = write_grids(tmp_path / "v.xlsx", {"x": table(*rows, sheet="referral")})
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    assert refused.value.key == "refused.empty"


def test_hidden_rows_are_read_and_a_hidden_sheet_counts_where_it_fits(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        lists, page = book.add_worksheet("选项"), book.add_worksheet("走访情况")
        lists.write_column(0, 0, ["是", "否", MARKER])
        lists.hide()
        for line, row in enumerate(table(cells(), cells(grid="二网格"))):
            page.write_row(line, 0, row)
        page.set_row(3, None, None, {"hidden": True})
        page.activate()
    assert [row["grid"] for row in values(read_submission(path))] == ["一网格", "二网格"]
    book = openpyxl.load_workbook(path)
    book["走访情况"].sheet_state = "hidden"
    book["选项"].sheet_state = "visible"
    book.save(path)
    assert len(values(read_submission(path))) == 2


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("转介人员", "转介人员"),
        ("转介人员 (2)", "转介人员 (2)"),
        ("Referrals", "Referrals"),
        ("Sheet1", "Sheet1"),
        ("工作表 1", "工作表 1"),
        (MARKER, "#1"),
        (f"转介人员 {MARKER}", "#1"),
    ],
)
def test_a_sheet_is_called_by_its_name_only_where_that_is_nobodys(
    tmp_path: Path, name: str, shown: str
) -> None:
    path = write_grids(tmp_path / "v.xlsx", {name: [[LINE], [*heads("referral"), MARKER], ROW]})
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    assert refused.value.values["sheet"] == shown
    assert MARKER not in refused.value.text()


def test_signs_that_nobody_sees_are_taken_out(tmp_path: Path) -> None:
    row = cells(grid="\u200b一网\u00ad格\u202e\ufeff", village_code="\u200e990101001001\x07\x00")
    for path in (
        write_grids(tmp_path / "v.xlsx", {"x": table(row)}),
        tmp_path / "v.csv",
    ):
        if path.suffix == ".csv":
            path.write_text(as_text(table(row)).replace("\0", ""), encoding="utf-8")
        assert values(read_submission(path)) == [coverage()]


# --- formulas, errors, serials: as Excel, openpyxl and LibreOffice write them ---------------------


def formulas(path: Path, **options: object) -> Path:
    """A workbook with formulas, errors and days, as a spreadsheet program saves it."""
    with xlsxwriter.Workbook(str(path), options) as book:
        page = book.add_worksheet("走访情况")
        day = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
        for line, row in enumerate(table()):
            page.write_row(line, 0, row)
        page.write_formula("B3", "=NA()", None, "#N/A")
        page.write_formula("C3", "=25+25", None, 50)
        page.write_formula("D3", "=1/0", None, "#DIV/0!")
        page.write_formula("H3", '=IF(1=1,"","x")', None, "")
        # 2025-10-08 in either system: as a day, and as the bare number that day is
        page.write_datetime("F3", datetime(2025, 10, 8), day)
        page.write_number("G3", 45938 - (1462 if "date_1904" in options else 0))
        page.write_boolean("I3", True)
    return path


FORMULAS = {
    "village_code": "990101001001",
    "grid": "#N/A",
    "households": "50",
    "households_visited": "#DIV/0!",
    "households_declined": "2",
    "visits_from": "2025-10-08",
    "visits_to": "45938",
    "no_consent_count": "",
    "nil_return": "1",
}


@pytest.mark.parametrize("options", [{}, {"date_1904": True}])
def test_formulas_give_what_they_last_showed_and_errors_stay_errors(
    tmp_path: Path, options: dict[str, object]
) -> None:
    # XlsxWriter leaves out the type of a result that is an empty text; spreadsheet programs do not
    (read,) = values(read_submission(formulas(tmp_path / "v.xlsx", **options)))
    assert read == FORMULAS | {"no_consent_count": UNCOMPUTED}


def test_a_formula_saved_without_a_result_is_not_blank(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    book = openpyxl.Workbook()
    for row in table(cells(grid='="一"&"网格"', households_declined="=1+1")):
        book.active.append(row)
    book.save(path)
    (read,) = values(read_submission(path))
    assert read == coverage(grid=UNCOMPUTED, households_declined=UNCOMPUTED)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="B3" t="e"><v>#REF!</v></c>', "#REF!"),
        ("<c r='B3' t='e'><v>#REF!</v></c>", "#REF!"),
        ('<c r="B3" s="1" t="e"><f>NA()</f><v>#N/A</v></c>', "#N/A"),
        ('<c r="B3"><f>1+1</f></c>', UNCOMPUTED),
        ('<c r="B3"><f>1+1</f><v></v></c>', UNCOMPUTED),
        ('<c r="B3" t="n" s="1"><f t="shared" si="0"/><v/></c>', UNCOMPUTED),
        ('<c r="B3" t="str"><f>IF(1,"")</f><v></v></c>', ""),
        ('<c r="B3" t="str"><f>"一"</f><v>一</v></c>', "一"),
        ('<c r="B3"><f>1+1</f><v>2</v></c>', "2"),
    ],
)
def test_what_a_cell_says_however_its_program_wrote_it(
    tmp_path: Path, cell: str, text: str
) -> None:
    path = write_grids(tmp_path / "v.xlsx", {"x": table()})
    parts = parts_of(path)
    parts[SHEET] = re.sub(rb'<c r="B3".*?</c>', cell.encode(), parts[SHEET])
    assert values(read_submission(pack(path, parts))) == [coverage(grid=text)]


@pytest.fixture(scope="module")
def saved_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two workbooks of formulas, saved by LibreOffice as XLSX, XLS and ODS."""
    office = program("soffice")
    folder = tmp_path_factory.mktemp("office")
    sources = [formulas(folder / "d1900.xlsx"), formulas(folder / "d1904.xlsx", date_1904=True)]
    for kind in ("xlsx", "xls", "ods"):
        subprocess.run(
            [
                office,
                f"-env:UserInstallation=file://{folder}/profile",
                "--headless",
                "--convert-to",
                kind,
                "--outdir",
                str(folder / "saved"),
                *map(str, sources),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    return folder / "saved"


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
@pytest.mark.parametrize("system", ["d1900", "d1904"])
def test_another_program_and_another_format_say_the_same(
    saved_again: Path, system: str, kind: str
) -> None:
    assert values(read_submission(saved_again / f"{system}.{kind}")) == [FORMULAS]


def test_a_workbook_behind_a_password_is_read_with_it_and_refused_without(tmp_path: Path) -> None:
    plain = write_grids(tmp_path / "plain.xlsx", {"x": table()})
    path = tmp_path / "v.xlsx"
    with plain.open("rb") as source, path.open("wb") as target:
        OOXMLFile(source).encrypt("right", target)
    assert values(read_submission(path, passwords=["wrong", "right"])) == [coverage()]
    for passwords in ([], ["wrong"]):
        with pytest.raises(FileRefused) as refused:
            read_submission(path, passwords=passwords)
        assert_safe(refused.value, "refused.encrypted", "v.xlsx")


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
    ("no head", {"名单": [[LINE], ROW]}, "refused.no_head", {"sheets": ("走访情况", "转介人员")}),
    (
        "head too far down",
        {"名单": [[LINE], *[["说明"]] * 19, heads("referral"), ROW]},
        "refused.no_head",
        {"sheets": ("走访情况", "转介人员")},
    ),
    (
        "two sheets of one kind",
        {"甲": people()["名单"], "乙": people()["名单"]},
        "refused.sheet_twice",
        {"title": "转介人员", "first": "#1", "second": "#2"},
    ),
    (
        "a missing column",
        people(LINE, without("同意日期")),
        "refused.missing_column",
        {"sheet": "#1", "row": 2, "columns": ("同意日期",)},
    ),
    (
        "an extra column of a kind that forms have",
        people(LINE, [*heads("referral"), "备 注："]),
        "refused.extra_column",
        {"sheet": "#1", "row": 2, "column": "S", "head": "备注"},
    ),
    *(
        (
            f"an extra column whose head may be {what}",
            people(LINE, [*heads("referral"), head]),
            "refused.unknown_column",
            {"sheet": "#1", "row": 2, "column": "S", "allowed": tuple(heads("referral"))},
        )
        for what, head in (
            ("a name", MARKER),
            ("a number", f"{MARKER}13800138000"),
            ("an address", f"家庭住址及其他情况{MARKER}" * 10),
            ("a remark", f"备注\n({MARKER})"),
        )
    ),
    (
        "a column twice",
        people(LINE, [*heads("referral"), "联系电话"]),
        "refused.column_twice",
        {"sheet": "#1", "row": 2, "column": "S", "first": "H", "head": "联系电话"},
    ),
    (
        "content under a blank head",
        people(LINE, heads("referral"), [*ROW, "", MARKER]),
        "refused.outside_columns",
        {"sheet": "#1", "row": 3, "column": "T"},
    ),
    (
        "content beside the table only",
        people(LINE, heads("referral"), ROW, [*[""] * 20, MARKER]),
        "refused.outside_columns",
        {"sheet": "#1", "row": 4, "column": "U"},
    ),
    (
        "a head of two lines that can be read in two ways",
        people(
            LINE,
            [*heads("referral")[:8], "联系人", "", "", *heads("referral")[11:]],
            [*[""] * 8, "姓名", "关系", "联系电话", *[""] * 7],
        ),
        "refused.unclear_head",
        {"sheet": "#1", "row": 3, "column": "K"},
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
    # a CSV has no sheet: it is called after what it holds
    sheet = {"sheet": REFERRAL.title} if "sheet" in named else {}
    assert_safe(refused.value, key, "v.csv", **(named | sheet))


def workbook_bytes(folder: Path) -> bytes:
    return write_grids(folder / "whole.xlsx", people()).read_bytes()


UNREADABLE, OTHER = "refused.unreadable", "refused.other_content"
BROKEN: dict[str, tuple[str, Any, str, dict[str, object]]] = {
    "a truncated workbook": ("v.xlsx", lambda whole: whole[: len(whole) * 2 // 3], UNREADABLE, {}),
    "the start of a workbook": ("v.xlsx", lambda whole: whole[:100], UNREADABLE, {}),
    "text that is named a workbook": (
        "v.xlsx",
        lambda _: as_text(people()["名单"]).encode(),
        OTHER,
        {"ending": ".xlsx"},
    ),
    "a page that is named a workbook": (
        "v.xls",
        lambda _: b"<html><table><tr><td>1</td>",
        OTHER,
        {"ending": ".xls"},
    ),
    "a new workbook that is named an old one": (
        "v.xls",
        lambda whole: whole,
        OTHER,
        {"ending": ".xls"},
    ),
    "a workbook that is named CSV": ("v.csv", lambda whole: whole, OTHER, {"ending": ".csv"}),
    "bytes of no encoding": (
        "v.csv",
        lambda _: b"\xff\xff\xff" + MARKER.encode(),
        UNREADABLE,
        {},
    ),
    "a wide text that ends half way": (
        "v.csv",
        lambda _: as_text(table()).encode("utf-16")[:-1],
        UNREADABLE,
        {},
    ),
    "half a surrogate pair": (
        "v.csv",
        lambda _: as_text(table()).encode("utf-16-le") + b"\x00\xd8",
        UNREADABLE,
        {},
    ),
    "an unclosed quotation mark": (
        "v.csv",
        lambda _: as_text(people()["名单"]).encode() + b'"' + MARKER.encode(),
        "refused.broken_row",
        {"row": 4},
    ),
}


@pytest.mark.parametrize(("name", "make", "key", "named"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_table_is_refused(
    tmp_path: Path, name: str, make: Any, key: str, named: dict[str, object]
) -> None:
    path = tmp_path / name
    path.write_bytes(make(workbook_bytes(tmp_path)))
    with pytest.raises(FileRefused) as refused:
        read_submission(path)
    assert_safe(refused.value, key, name, **named)


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
    path = tmp_path / "v.xlsx"
    with path.open("wb") as stream:
        stream.truncate(2**20 + 1)
    monkeypatch.delattr(Path, "open")
    with pytest.raises(FileRefused) as refused:
        read_submission(path, Limits(file_megabytes=1))
    assert_safe(refused.value, "refused.too_large", "v.xlsx", most=1)


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
        ({"ad_hoc": True}, "refused.not_approved"),
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


# --- limits of a plan -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("rows = 99", ("limits rows", "plan.at_least")),
        ("file_megabytes = 257", ("limits file_megabytes", "plan.at_most")),
        ("seconds = 1.5", ("limits seconds", "plan.whole_number")),
        ("minutes = 1", ("limits minutes", "plan.unknown_key")),
    ],
)
def test_a_plan_may_set_limits_within_bounds(
    tmp_path: Path, line: str, mistake: tuple[str, str]
) -> None:
    source = Path(__file__).parent.parent / "data" / "campaigns" / "autumn-2025.toml"
    copy_plan(source, tmp_path)
    path = tmp_path / "plan.toml"
    written = path.read_text(encoding="utf-8")
    path.write_text(f"{written}\n[limits]\nrows = 500\n", encoding="utf-8")
    assert load_plan(path).limits == Limits(rows=500)
    path.write_text(f"{written}\n[limits]\n{line}\n", encoding="utf-8")
    with pytest.raises(PlanRefused) as refused:
        load_plan(path)
    assert [(each.where, each.key) for each in refused.value.mistakes] == [mistake]


def test_before_it_is_known_whose_a_file_is_the_widest_limits_hold() -> None:
    assert Limits.widest([]) == Limits()
    several = [Limits(rows=500, seconds=90), Limits(rows=30_000, seconds=10)]
    assert Limits.widest(several) == Limits(rows=30_000, seconds=90)
