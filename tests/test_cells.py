"""A cell says the same, whatever Excel, WPS or a CSV made of it."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.cells import (
    UNCOMPUTED,
    WHOLE_DIGITS,
    cell_reason,
    cell_text,
    column_letters,
    cut_row,
    head_text,
    row_texts,
    shift_serial,
)
from tasks.rules.columns import Kind
from tasks.rules.wording import keys


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("", ""),
        ("  张三 ", "  张三 "),
        ("=1+1", "=1+1"),
        (True, "1"),
        (False, "0"),
        (12, "12"),
        (12.0, "12"),
        (-3.0, "-3"),
        (0.5, "0.5"),
        (13800138000.0, "13800138000"),
        (990101001001.0, "990101001001"),
        (date(2025, 10, 3), "2025-10-03"),
        (datetime(2025, 10, 3), "2025-10-03"),
        (datetime(2025, 10, 3, 8, 30), "2025-10-03 08:30:00"),
        (time(8, 30), "08:30:00"),
    ],
)
def test_a_cell_is_text(cell: object, text: str) -> None:
    assert cell_text(cell) == text


@pytest.mark.parametrize("number", [110101198001020139, 110101198001020139.0, 1e15, -1e15])
def test_a_number_longer_than_excel_keeps_cannot_be_mistaken_for_an_id(number: float) -> None:
    text = cell_text(number)
    assert "E+" in text
    assert not text.isdigit()


@given(st.integers(-(10**WHOLE_DIGITS) + 1, 10**WHOLE_DIGITS - 1))
def test_up_to_fifteen_digits_a_number_is_whole(number: int) -> None:
    assert cell_text(number) == cell_text(float(number)) == str(number)


@given(st.dates())
def test_a_date_is_iso(day: date) -> None:
    assert date.fromisoformat(cell_text(day)) == day
    assert cell_text(datetime.combine(day, time())) == cell_text(day)


@pytest.mark.parametrize(
    "head",
    [
        "村(社区)代码",
        "村（社区）代码",
        " 村 (社区) 代码 ",
        "*村(社区)代码",
        "村(社区)代码：",
        "村(社区)\n代码",
        "村　（社区）代码",
    ],
)
def test_heads_are_compared_without_width_spaces_and_marks(head: str) -> None:
    assert head_text(head) == "村(社区)代码"


def test_english_heads_are_compared_without_case() -> None:
    assert head_text("ＦＵＬＬ_Name ") == "full_name"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("\u200b张\u00ad三\ufeff", "张三"),
        ("张\x00三\x1f\x1e\x7f", "张三"),
        ("甲\u2003乙\u2028丙", "甲 乙 丙"),
        ("　张　三\t\n", "　张　三\t\n"),
        ("\ud800张", "\ufffd张"),
    ],
)
def test_signs_that_nobody_sees_are_taken_out(cell: str, text: str) -> None:
    assert cell_text(cell) == text


@given(st.text(st.characters(codec=None)))
def test_a_text_can_be_kept_and_holds_no_sign_that_ends_a_cell_or_a_row(cell: str) -> None:
    text = cell_text(cell)
    text.encode()
    assert not set(text) & {"\x00", "\x1e", "\x1f", "\ufeff"}
    assert cell_text(text) == text


@given(st.lists(st.one_of(st.text(max_size=8), st.none(), st.floats(), st.dates()), max_size=8))
def test_a_row_is_its_cells_and_none_where_it_is_blank(values: list[object]) -> None:
    cells = [cell_text(value) for value in values]
    assert row_texts(values) == (cells if "".join(cells).strip() else None)


@given(st.lists(st.text(max_size=6), min_size=1, max_size=9), st.integers(1, 6), st.integers(1, 4))
def test_a_row_is_cut_one_beyond_what_may_be_read(
    cells: list[str], columns: int, characters: int
) -> None:
    kept, cut = cut_row(cells, columns, characters)
    assert len(kept) <= columns + 1
    assert max(map(len, kept)) <= characters + 1
    wide = any(cell.strip() for cell in cells[columns:])
    assert (len(kept) > columns) is wide
    if not cut:
        assert kept == cells[:columns]
    elif not wide:
        assert max(map(len, kept)) == characters + 1


@pytest.mark.parametrize(
    ("place", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_called_as_in_a_spreadsheet(place: int, letters: str) -> None:
    assert column_letters(place) == letters


@pytest.mark.parametrize(
    ("cell", "shifted"),
    [
        ("44476", "45938"),
        (" 44476.0", "45938"),
        ("４４４７６", "45938"),
        ("2025-10-08", "2025-10-08"),
        ("20251008", "20251008"),
        ("202510", "202510"),
        ("44476.5", "44476.5"),
        ("", ""),
    ],
)
def test_a_serial_of_the_1904_system_is_counted_from_1899(cell: str, shifted: str) -> None:
    assert shift_serial(cell, 1462) == shifted


@pytest.mark.parametrize(
    ("cell", "kind", "key"),
    [
        ("#N/A", "name", "cell.error"),
        ("＃ＤＩＶ／０！", "text", "cell.error"),
        ("Err:502", "count", "cell.error"),
        (UNCOMPUTED, "date", "cell.uncomputed"),
        ("1.10101198001020E+17", "id", "cell.cut"),
        ("110101198001020000", "id", "cell.cut"),
        ("110101198001020000", "text", None),
        ("03/04/2025", "date", "cell.two_readings"),
        ("3.4.2025", "date", "cell.two_readings"),
        ("03/04/2025", "text", None),
        ("25-10-03", "date", "cell.short_year"),
        ("３/４/25", "date", "cell.short_year"),
        ("25年10月3日", "date", "cell.short_year"),
        ("10月3日", "date", "cell.no_year"),
        ("１０月３号", "date", "cell.no_year"),
        ("十月三日", "date", "cell.no_year"),
        ("10-3", "date", "cell.no_year"),
        ("11月", "month", "cell.no_year"),
        ("11月", "count", None),
        ("9.90101E+11", "code", "cell.exponent"),
        ("1.38e+10", "phone", "cell.exponent"),
        ("2025-10-03 08:30:00", "date", "cell.time_of_day"),
        ("去年", "date", None),
        ("2025-02-30", "date", None),
        ("#", "text", None),
        ("", "date", None),
    ],
)
def test_why_a_cell_cannot_be_read(cell: str, kind: Kind, key: str | None) -> None:
    assert cell_reason(cell, kind) == key
    assert key is None or key in keys("cell.")
