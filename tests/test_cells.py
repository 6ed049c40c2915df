"""A cell says the same, whatever Excel, WPS or a CSV made of it."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.cells import WHOLE_DIGITS, cell_text, head_text


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
