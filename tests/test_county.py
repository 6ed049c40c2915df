"""A county's list of townships: what it may say, and every mistake named with its place."""

import pickle
from datetime import date
from pathlib import Path

import pytest

from county_rows import public_key
from tasks.county import CountyRefused, load_county
from tasks.rules.errors import WrongCommand

GOOD = f"""
name = "清河县"
name_en = "Qinghe County"

[[township]]
code = "990101001"
name = "云溪镇"
key = "{public_key("990101001")}"
joined = 2025-01-01

[[township]]
code = "990101002"
name = "石桥镇"
key = "{public_key("990101002")}"
joined = 2025-03-01
left = 2025-12-31
villages = ["990101002001", "990101001009"]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "county.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(CountyRefused) as refused:
        load_county(written(tmp_path, text))
    return [f"{each.where}: {each.key}" for each in refused.value.mistakes]


def test_a_county_is_read(tmp_path: Path) -> None:
    county = load_county(written(tmp_path, GOOD))
    assert (county.name_in("zh-CN"), county.name_in("en")) == ("清河县", "Qinghe County")
    assert (county.days_to_share, county.timezone) == (3, "Asia/Shanghai")
    assert county.names == {"990101001": "云溪镇", "990101002": "石桥镇"}
    assert county.townships[1].left == date(2025, 12, 31)
    # it goes to other processes
    assert pickle.loads(pickle.dumps(county)) == county  # noqa: S301 # our own bytes


def test_a_listed_village_belongs_to_its_lister(tmp_path: Path) -> None:
    roll = load_county(written(tmp_path, GOOD)).roll
    assert roll.owner("990101001001") == "990101001"
    assert roll.owner("990101001009") == "990101002"
    assert roll.owner("990101002001") == "990101002"
    # who lists its villages has no others
    assert roll.owner("990101002002") is None
    assert roll.owner("990101003001") is None


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"990101002"', '"990101001"', ["township code: plan.doubled"]),
        ('code = "990101002"', 'code = "9901010"', ["township #2 code: plan.township_code"]),
        ('code = "990101002"', "code = 990101002", ["township #2 code: plan.not_text"]),
        (public_key("990101002"), "f" * 63, ["township #2 key: plan.township_key"]),
        (public_key("990101002"), public_key("990101001"), ["township key: plan.doubled"]),
        ('name = "石桥镇"\n', "", ["township #2 name: plan.missing"]),
        ('"990101002001"', '"990101001009"', ["township villages: plan.doubled"]),
        ('"990101002001"', '"99010100200"', ["township #2 villages #1: plan.village_code"]),
        ("left = 2025-12-31", "left = 2025-03-01", ["township #2 left: county.left_before_joined"]),
        ("left = 2025-12-31", "gone = 2025-12-31", ["township #2 gone: plan.unknown_key"]),
        ("name_en", "days_to_share = 61\nname_en", ["days_to_share: plan.at_most"]),
        ("name_en", 'timezone = "Mars"\nname_en', ["timezone: plan.time_zone"]),
        # limit 5: no number on people found, for townships either
        ("name_en", "referrals_quota = 20\nname_en", ["referrals_quota: plan.people_target"]),
    ],
)
def test_each_mistake_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, found: list[str]
) -> None:
    assert old in GOOD
    assert mistakes(tmp_path, GOOD.replace(old, new)) == found


def test_all_mistakes_are_told_together_and_quote_nothing(tmp_path: Path) -> None:
    text = GOOD.replace('"990101002"', '"张三"').replace("joined = 2025-01-01", "")
    with pytest.raises(CountyRefused) as refused:
        load_county(written(tmp_path, text))
    told = refused.value.text("en")
    assert "needs 2 changes" in told
    assert "township #1 joined" in told
    assert "township #2 code" in told
    assert "张三" not in told


def test_a_list_without_townships_is_none(tmp_path: Path) -> None:
    heading = GOOD.partition("[[")[0]
    assert mistakes(tmp_path, heading) == ["township: county.no_township"]
    assert mistakes(tmp_path, heading + "township = 3") == ["township: county.no_township"]


@pytest.mark.parametrize(
    ("content", "key"),
    [(b"name = ", "county.not_toml"), (b"name = '\xc7\xe5'", "plan.not_utf8")],
)
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes, key: str) -> None:
    path = tmp_path / "county.toml"
    path.write_bytes(content)
    with pytest.raises(WrongCommand) as refused:
        load_county(path)
    assert refused.value.key == key


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongCommand) as refused:
        load_county(tmp_path / "county.toml")
    assert refused.value.key == "county.no_file"
