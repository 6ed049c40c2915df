"""The status on Prefect's pages: the same record, no link, no person, and never a failed phase."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import TaskRunSort

from flows import artifacts
from flows import catch_up as catch_up_module
from flows.artifacts import show_status, show_status_at, status_page
from flows.own_day import on_its_day
from tasks.agenda import CaughtUp
from tasks.at_home import AtHome
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.outbox import OutboxCounts
from tasks.plan import Occurrence, Plan, Village
from tasks.receipt import Receipt
from tasks.rules.wording import LANGUAGES, say
from tasks.set_up import set_up
from tasks.status import status_record

PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "autumn-2025.toml"
DAY = date(2025, 11, 2)
NOW = datetime(2025, 11, 3, 9)
MARKER = "孔雀石标记"


def page(home: Home, plan: Plan, language: str = "zh-CN") -> str:
    return status_page(status_record(home, {plan.slug: plan}, NOW), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_what_the_terminal_says(home: Home, plan: Plan, language: str) -> None:
    text = page(home, plan, language)
    assert say("status.state.due", language) in text
    assert "2025-10-31" in text
    assert "测试1村" in text
    assert "campaign catch-up" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(plan.calendar)
    assert {line.count("|") for line in rows} == {7}, "a cell never breaks the table"


def test_a_name_is_never_a_link_or_markup(home: Home, plan: Plan) -> None:
    wild = "[村](http://x.test) | <b>*www.x.test*</b>"
    villages = (Village(code="990101001001", name=wild, households=1), *plan.villages[1:])
    text = page(home, plan.model_copy(update={"villages": villages, "name": wild}))
    assert text.count(r"\[村\](http\://x\.test)") == 3
    unescaped = re.sub(r"\\.", "", text)
    assert not set(unescaped) & set("[]<>*_`:&\\")


def test_the_page_of_a_campaign_is_made_again_and_again_under_one_key(
    home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        artifacts, "create_markdown_artifact", lambda text, **how: made.append((text, how))
    )
    artifacts._put_up.fn(open_ledger(home), plan, NOW)
    ((text, how),) = made
    assert text == page(home, plan)
    assert how["key"] == f"status-{plan.slug}-990101001"
    assert "2025-11-03" in how["description"]


def test_on_prefects_pages_and_without_failing_what_ran(
    home: Home, plan: Plan, prefect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @flow
    def phase() -> str:
        with open_ledger(home) as store:
            show_status(store, plan, NOW)
        show_status_at(home, replace_name(plan), NOW)
        return "done"

    assert phase() == "done"
    with get_client(sync_client=True) as client:
        found = client.request("POST", "/artifacts/latest/filter", json={}).json()
    (latest,) = [each for each in found if each["key"] == f"status-{plan.slug}-990101001"]
    assert latest["data"] == page(home, replace_name(plan)), "the newest holds"

    def broken(*_: object, **__: object) -> None:
        raise ValueError(MARKER)

    monkeypatch.setattr(artifacts, "create_markdown_artifact", broken)
    assert phase() == "done"
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs(sort=TaskRunSort.EXPECTED_START_TIME_DESC)
    states = [each.state for each in runs if each.name.startswith("show_status") and each.state]
    failed = [each for each in states if each.type == StateType.FAILED]
    assert len(failed) == 2, "Prefect shows that it failed"
    assert not any(MARKER in str(each.message) for each in failed)


def test_every_phase_and_every_catch_up_puts_it_there(
    tmp_path: Path, prefect: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    slug = set_up(home, PLAN).slug

    @on_its_day
    def sweep(at: AtHome, occurrence: Occurrence, as_of: date) -> Receipt:
        messages = OutboxCounts()
        return Receipt(slug, "sweep", 1, None, as_of, 1, True, 0, (), "r.html", messages)

    def shown() -> tuple[str, str]:
        with get_client(sync_client=True) as client:
            found = client.request("POST", "/artifacts/latest/filter", json={}).json()
        ((made, text),) = [
            (each["latest_id"], each["data"])
            for each in found
            if each["key"] == f"status-{slug}-990101101"
        ]
        return made, text

    sweep(slug, date(2025, 10, 31))
    of_phase, text = shown()
    (row,) = [line for line in text.splitlines() if line.startswith("| 排查走访 第 1 轮")]
    assert say("status.state.closed", "zh-CN") in row, "the run is noted before"
    monkeypatch.setattr(catch_up_module, "_run_all", lambda *_: CaughtUp(slug, DAY, (), ()))
    catch_up_module.catch_up(slug)
    assert shown()[0] != of_phase


def replace_name(plan: Plan) -> Plan:
    """The plan under another name, with the same slug."""
    return plan.model_copy(update={"name": "改名之后"})
