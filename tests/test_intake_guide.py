"""docs/intake.md is what the generator writes, says what the code does and leaves nothing out."""

from functools import cache

from tasks.intake_guide import PAGE, intake_guide, readings
from tasks.plan import Limits
from tasks.rules.contract import CHOICES, SHEETS
from tasks.rules.wording import LANGUAGES, fields, keys, say


@cache
def guide() -> str:
    return intake_guide()


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == guide(), "run python -m tasks.intake_guide"


def test_every_reason_stands_there_in_both_languages() -> None:
    rules = {f"rule.{rule.name}" for sheet in SHEETS.values() for rule in sheet.rules}
    for key in (*rules, *keys("refused."), *keys("cell.")):
        for language in LANGUAGES:
            values = {name: f"‹{name}›" for name in fields(key, language)}
            assert say(key, language, **values).strip() in guide(), key


def test_every_head_and_spelling_stands_there() -> None:
    for sheet in SHEETS.values():
        for column in sheet.columns:
            assert f"| `{column.name}` | {'、'.join(column.heads)} |" in guide(), column.name
            for value, spellings in CHOICES[column.choices].items() if column.choices else ():
                assert f"| `{value}` | **{spellings[0]}**" in guide(), value
                assert all(f"`{spelling}`" in guide() for spelling in spellings[1:]), value


def test_every_limit_stands_there() -> None:
    assert all(f"| `{name}`: " in guide() for name in Limits.model_fields)


def test_examples_show_what_is_read_and_what_is_not() -> None:
    read = {(kind, cell): reading for kind, cell, reading in readings()}
    for kind in {kind for kind, _ in read}:
        found = [reading for (of, _), reading in read.items() if of == kind]
        assert any(found), kind
        assert not all(found), kind
    assert {read["date", cell] for cell in ("2025.10.3", "45933", "二〇二五年十月三日")} == {
        "2025-10-03"
    }
    assert read["date", "03/04/2025"] is None
    assert read["date", "25-10-03"] is None
    assert read["id", "990101198001020000"] is None


def test_what_is_refused_is_told_apart_from_what_is_read() -> None:
    lines = guide().splitlines()
    refused = [line.rsplit("`", 2)[-2] for line in lines if line.endswith("` |")]
    assert {"refused.empty", "refused.no_identity", "refused.extra_column"} <= set(refused)
    assert "| GB18030 / GBK / GB2312 | yes / 收 |" in lines
    assert "| `.xlsm` | no / 不收 |" in lines
