"""Every text exists in both languages, says the same, and labels nobody."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.rules import errors, wording
from tasks.rules.contract import SHEETS, VERDICTS
from tasks.rules.wording import LANGUAGES, current_language, fields, keys, say

ROOT = Path(__file__).parent.parent
PACKAGES = ("cli", "data", "flows", "reports", "tasks", "web")
SPEAKING = {"say"} | {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.CampaignError)
}
"""What is called with a wording key first."""

LABELS = re.compile(r"\bpatients?\b|(?<!lower-)\bcases?\b|患者|病人|病例|个案", re.IGNORECASE)


def spoken() -> Iterator[tuple[ast.expr, str]]:
    """Yield (the expression that gives the key, where) for all the sources speak."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in SPEAKING:
                    yield node.args[0], f"{path.relative_to(ROOT)}:{node.lineno}"


def spoken_keys() -> list[tuple[str, str]]:
    """Return (key, where) for every key that is spoken literally."""
    return [(key.value, where) for key, where in spoken() if isinstance(key, ast.Constant)]


def test_every_key_that_is_spoken_exists() -> None:
    known = set(keys())
    assert [(key, where) for key, where in spoken_keys() if key not in known] == []


def test_every_made_key_begins_as_some_key_does() -> None:
    begun = [
        (key.values[0].value, where)
        for key, where in spoken()
        if isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant)
    ]
    assert begun
    assert [(start, where) for start, where in begun if not keys(str(start))] == []


def test_the_scan_finds_what_the_sources_speak() -> None:
    found = {key for key, _ in spoken_keys()}
    assert {"refused.ending", "return.title", "check.table_rule", "error.store_busy"} <= found


def test_both_languages_have_every_text_with_the_same_fields() -> None:
    texts = wording._texts()
    assert [key for key, entry in texts.items() if set(entry) != {"zh", "en"}] == []
    assert [key for key in texts if fields(key, "zh-CN") != fields(key, "en")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_can_be_said(language: str) -> None:
    for key in keys():
        text = say(key, language, **dict.fromkeys(fields(key, language), 1))
        assert text.strip(), key
        assert not {"{", "}"} & set(text), key


def test_nobody_is_labelled() -> None:
    texts = wording._texts().items()
    assert [key for key, entry in texts if any(map(LABELS.search, entry.values()))] == []
    assert LABELS.search("重点患者")
    assert LABELS.search("two new cases")


def test_an_error_is_one_line() -> None:
    texts = wording._texts().items()
    errors_of = {key: entry for key, entry in texts if key.startswith(("error.", "refused."))}
    assert [key for key, entry in errors_of.items() if "\n" in "".join(entry.values())] == []


@pytest.mark.parametrize(
    ("sheet", "rule"),
    [(name, rule.name) for name, sheet in SHEETS.items() for rule in sheet.rules],
)
def test_every_row_rule_says_what_to_do(sheet: str, rule: str) -> None:
    assert f"rule.{rule}" in keys("rule.")
    assert fields(f"rule.{rule}", "en") == set()


def test_every_sheet_and_verdict_has_a_name() -> None:
    assert {f"sheet.{name}" for name in SHEETS} <= set(keys("sheet."))
    assert {f"verdict.{name}" for name in (*VERDICTS, "read")} <= set(keys("verdict."))


def test_every_refusal_of_the_wording_is_used() -> None:
    assert set(keys("refused.")) <= {key for key, _ in spoken_keys()}


def test_a_missing_text_or_field_is_a_defect() -> None:
    with pytest.raises(KeyError):
        say("rule.no_such_rule")
    with pytest.raises(KeyError):
        say("refused.ending")


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("", "zh-CN"), ("zh", "zh-CN"), ("en", "en"), ("EN_GB.UTF-8", "en"), ("fr", "zh-CN")],
)
def test_the_language_is_chinese_unless_english_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, wanted: str, language: str
) -> None:
    monkeypatch.setenv("CAMPAIGN_LANG", wanted)
    assert current_language() == language
    assert say("verdict.accepted") == say("verdict.accepted", language)


def test_one_key_stands_in_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "wording"
    folder.mkdir()
    for name in ("a", "b"):
        text = '["same.key"]\nzh = "同"\nen = "same"\n'
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(wording, "__file__", str(tmp_path / "wording.py"))
    wording._texts.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"same\.key"):
            keys()
    finally:
        wording._texts.cache_clear()
