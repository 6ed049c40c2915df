"""What `campaign plan` shows is the plan's calendar, in both languages, on a narrow terminal."""

import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from cli.plan_view import plan_record, show_plan
from tasks.plan import Plan, load_plan
from tasks.rules.wording import LANGUAGES

CAMPAIGNS = Path(__file__).parents[1] / "data" / "campaigns"
SLUGS = sorted(path.stem for path in CAMPAIGNS.glob("*.toml"))


def campaign(slug: str) -> Plan:
    return load_plan(CAMPAIGNS / f"{slug}.toml")


def shown(plan: Plan, language: str) -> list[str]:
    """The lines of a plan on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80)
    show_plan(plan, console, language)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_the_record_has_the_days_and_words_of_plan_a() -> None:
    record = json.loads(json.dumps(plan_record(campaign("autumn-2025"), "en"), ensure_ascii=False))
    assert record["campaign"] == "autumn-2025"
    assert record["purpose"] == "seasonal_outreach"
    assert record["warnings"] == []
    assert record["phases"][0] == {
        "phase": "sweep",
        "round": 1,
        "period": None,
        "opens": "2025-09-01",
        "due": "2025-10-31",
        "words": "2025年10月底",
        "rule": "previous-workday",
        "provisional": False,
        "ad_hoc": False,
    }
    assert [each["round"] for each in record["phases"] if each["phase"] == "aggregation"] == [None]


def test_the_record_says_what_is_provisional_and_what_needs_approval() -> None:
    phases = plan_record(campaign("supervision-2026"))["phases"]
    assert isinstance(phases, list)
    provisional = {(each["phase"], each["period"]) for each in phases if each["provisional"]}
    assert {("supervision", "2026-12"), ("quarterly_pack", "2026-Q4")} <= provisional
    record = plan_record(campaign("duties-2023"), "en")
    assert isinstance(record["phases"], list)
    assert [each["ad_hoc"] for each in record["phases"]] == [True]
    assert isinstance(record["warnings"], list)
    assert "health side has approved" in record["warnings"][0]
    assert isinstance(record["duties"], list)
    assert len(record["duties"]) == 6


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", SLUGS)
def test_every_plan_fits_80_columns_and_shows_each_due_day(slug: str, language: str) -> None:
    plan = campaign(slug)
    lines = shown(plan, language)
    assert max(cell_len(line) for line in lines) <= 80
    for each in plan.calendar:
        assert any(f" {each.due} " in line for line in lines)
    strips = [line for line in lines if line.rstrip().endswith(("◆", "◇"))]
    assert len(strips) == len(plan.calendar)
    assert sum("◇" in line for line in strips) == sum(each.provisional for each in plan.calendar)


def test_bars_stand_under_the_months_they_run_in() -> None:
    lines = shown(campaign("spring-2024"), "en")
    head = next(line for line in lines if "2024-03" in line and "2024-04" in line)
    readiness = next(line for line in lines if line.startswith("Readiness") and "◆" in line)
    second = next(line for line in lines if line.startswith("Sweep, round 2") and "◆" in line)
    assert readiness.index("━") == head.index("2024-03")
    assert readiness.index("◆") < head.index("2024-04")
    assert second.index("━") > head.index("2024-05")


def test_warnings_duties_and_requests_are_said_in_both_languages() -> None:
    english, chinese = (shown(campaign("duties-2023"), language) for language in ("en", "zh-CN"))
    assert any("ad hoc, needs approval" in line for line in english)
    assert any("临时排查，须批准" in line for line in chinese)
    assert any(line.startswith("医疗救助") for line in chinese)
    assert any(line.startswith("! ad_hoc #1") for line in english)
    assert english[0] == "Department duties and continuity over holidays, 2023"
    assert chinese[0] == "2023年精神卫生部门职责与节假日服务衔接"


def test_names_follow_the_language_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    console = Console(file=io.StringIO(), width=80)
    show_plan(campaign("autumn-2025"), console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().startswith("Autumn 2025")
