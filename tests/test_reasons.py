"""Whoever looks at a returned row is told the same: why the cell cannot be read, and what to do."""

import pytest

from cli.delivery_view import delivery_record, reason_lines
from tasks.intake import FileResult, ReturnedRow
from tasks.receive import Received
from tasks.rules.contract import SHEETS
from tasks.rules.errors import Exit
from tasks.rules.reasons import column_of, reason_keys
from tasks.rules.wording import say
from web.pages import lines_of

SHEET = SHEETS["coverage"]


def cells(**said: str) -> tuple[str, ...]:
    return tuple(said.get(column.name, "") for column in SHEET.columns)


@pytest.mark.parametrize(
    ("rule", "said", "keys"),
    [
        ("visits_to_valid", {"visits_to": "03/04/2025"}, ["cell.two_readings"]),
        ("visits_to_valid", {"visits_to": "10月3日"}, ["cell.no_year"]),
        ("visits_to_valid", {"visits_to": "去年"}, []),
        ("visits_to_valid", {"visits_from": "10月3日"}, []),
        ("visits_in_order", {"visits_to": "2025-10-03"}, []),
        ("households_valid", {"households": "#N/A"}, ["cell.error"]),
        ("village_code_valid", {"village_code": "9.9E+11"}, ["cell.exponent"]),
    ],
)
def test_a_reason_says_first_why_the_very_cell_cannot_be_read(
    rule: str, said: dict[str, str], keys: list[str]
) -> None:
    assert reason_keys(SHEET, rule, cells(**said)) == (*keys, f"rule.{rule}")


def test_of_a_row_that_may_not_be_shown_the_rule_alone_is_told() -> None:
    assert reason_keys(SHEETS["referral"], "consent_date_valid", None) == (
        "rule.consent_date_valid",
    )


def test_a_rule_that_says_why_is_not_said_twice() -> None:
    sheet = SHEETS["referral"]
    cut = tuple("1.1E+17" if each.name == "resident_id" else "" for each in sheet.columns)
    assert reason_keys(sheet, "resident_id_whole", cut) == ("rule.resident_id_whole",)


def test_every_rule_marks_a_column_of_its_sheet() -> None:
    for sheet in SHEETS.values():
        for rule in sheet.rules:
            assert column_of(sheet, rule.name) in sheet.columns
    with pytest.raises(KeyError):
        column_of(SHEET, "adult")


def test_the_terminal_tells_a_rows_reasons_in_the_order_of_its_columns() -> None:
    in_order = [rule.name for rule in SHEET.rules]
    row = ReturnedRow(SHEET, 7, tuple(reversed(in_order)), cells())
    heads = [column.heads[0] for column in SHEET.columns]
    told = reason_lines(Received(FileResult("v.csv", returned=(row,), sheets={}), None))
    places = [heads.index(line.partition("行“")[2].partition("”：")[0]) for line in told]
    assert places == sorted(places)
    assert len(set(places)) > 3


def test_the_terminal_and_the_page_say_it_alike_and_name_no_cell() -> None:
    row = ReturnedRow(SHEET, 7, ("visits_to_valid",), cells(visits_to="03/04/2025"))
    result = FileResult("v.csv", returned=(row,), sheets={})
    wanted = f"{say('cell.two_readings', 'zh-CN')} {say('rule.visits_to_valid', 'zh-CN')}"
    (line,) = reason_lines(Received(result, None))
    record = delivery_record([Received(result, None)], Exit.ROWS_RETURNED)
    (rule,) = record["files"][0]["returned"][0]["rules"]
    (shown,) = lines_of(result, "zh-CN")
    assert line.endswith(wanted)
    assert (rule["column"], rule["reason"]) == ("visits_to", wanted)
    assert (shown.row, shown.column, shown.reason) == (7, "走访结束日期", wanted)
    (english,) = lines_of(result, "en")
    assert english.column == "visits_to"
    assert "03/04/2025" not in line + str(record) + str(shown)
