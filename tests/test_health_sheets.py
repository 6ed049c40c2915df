"""The care groups' sheets with exact figures: for the health side, kept in the home for a time."""

import os
import re
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from supervised_months import TODAY, supervised_plan, two_months
from typer.testing import CliRunner

from cli.sheet_commands import sheets
from cli.sheet_view import write_health_sheets
from conftest import ACT, KEY, make_home
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
)
from tasks.audit import Act
from tasks.clock import simulated
from tasks.health_sheets import exact_months, health_sheet_path
from tasks.home import Home
from tasks.plan import Plan, copy_plan, load_plan
from tasks.register import open_register
from tasks.retention import erase_due
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say
from tasks.store import Store

ROOT = Path(__file__).parents[1]


@pytest.fixture
def supervised(plan: Plan) -> Plan:
    """Three months of supervision; the last is still running."""
    return supervised_plan(plan)


def values(month: Any, village: str) -> dict[str, float | None]:
    return {each.name: each.value for each in month.figures if each.village == village}


def test_each_month_is_worked_out_as_of_its_own_day_with_exact_counts(
    store: Store, supervised: Plan
) -> None:
    two_months(store)

    first, second = exact_months(store, supervised, ACT, "2025-12", TODAY)

    assert [each.occurrence.period for each in (first, second)] == ["2025-11", "2025-12"]
    assert (first.as_of, second.as_of) == (date(2025, 12, 5), date(2026, 1, 5))
    assert values(first, VILLAGE_1)["visits_overdue"] == 1
    assert values(second, VILLAGE_1)["visits_overdue"] == 0
    assert values(second, VILLAGE_1)["subsidy_applied"] == 3
    assert values(second, VILLAGE_1)["subsidy_paid"] == 1
    assert values(second, VILLAGE_2)["subsidy_applied"] is None
    ((as_of,),) = store.connection.execute(
        "SELECT DISTINCT as_of FROM register.reg_visit_due"
    ).fetchall()
    assert as_of == TODAY, "the register is left as of today"
    assert store.connection.execute("SELECT count(*) FROM ledger.agg_rectification").fetchone() == (
        0,
    ), "a look of the health side opens nothing"


def test_a_month_that_still_runs_is_as_of_today(store: Store, supervised: Plan) -> None:
    two_months(store)
    months = exact_months(store, supervised, ACT, "2026-01", TODAY)
    assert [each.as_of for each in months] == [date(2025, 12, 5), date(2026, 1, 5), TODAY]


@pytest.mark.parametrize(("month", "today"), [("2025-10", TODAY), ("2026-01", date(2026, 1, 5))])
def test_a_month_that_is_not_supervised_or_has_not_begun_is_refused(
    store: Store, supervised: Plan, month: str, today: date
) -> None:
    with pytest.raises(WrongCommand) as refused:
        exact_months(store, supervised, ACT, month, today)
    assert refused.value.key == "sheet.no_month"


def test_the_trail_says_whose_visits_were_looked_at(store: Store, supervised: Plan) -> None:
    two_months(store)
    exact_months(store, supervised, ACT, "2025-11", TODAY)
    subjects = store.connection.execute(
        "SELECT subjects FROM register.reg_trail ORDER BY position DESC LIMIT 1"
    ).fetchone()
    assert subjects == (["G-1"],)


def test_the_pages_are_marked_exact_and_private(store: Store, home: Home, supervised: Plan) -> None:
    two_months(store)
    months = exact_months(store, supervised, ACT, "2025-12", TODAY)

    paths = write_health_sheets(store, home, supervised, months, None)

    assert paths == [
        health_sheet_path(home, "autumn-2025", "2025-12", code)
        for code in (VILLAGE_1, VILLAGE_2, VILLAGE_3)
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in paths} == {0o700}
    page = paths[0].read_text(encoding="utf-8")
    assert say("report.sheet.health_mark", "zh-CN") in page
    assert say("report.sheet.health_only", "zh-CN") in page
    assert say("foot.marks", "zh-CN") not in page
    assert say("report.sheet.better", "zh-CN", what="逾期未访：1 → 0") in page
    assert "2025-11" in page
    assert "王五" not in page
    assert "G-1" not in page

    (one,) = write_health_sheets(store, home, supervised, months, VILLAGE_2)
    assert one == paths[1]
    with pytest.raises(WrongCommand) as refused:
        write_health_sheets(store, home, supervised, months, "990101001009")
    assert refused.value.key == "sheet.not_looked_at"


def test_health_staff_see_which_role_is_missing_and_how_many_subsidies_are_overdue(
    store: Store, home: Home, supervised: Plan
) -> None:
    two_months(store)
    supervised = supervised.model_copy(
        update={"rules": supervised.rules.model_copy(update={"subsidy_days": 30})}
    )
    store.connection.executemany(
        "INSERT INTO register.stg_care_group BY NAME SELECT 'f' AS submission_id, ? AS row_number,"
        " ? AS village_code, village_code AS sender_village, ? AS role, true AS filled,"
        " 'accepted' AS verdict, true AS is_current, [] AS failed_rules, 1 AS round,"
        " 'autumn-2025' AS campaign, 'supervision' AS phase,"
        " TIMESTAMP '2025-12-02 09:00' AS received_at",
        [
            [row, VILLAGE_1, role]
            for row, role in enumerate(("village_secretary", "village_doctor"))
        ],
    )
    months = exact_months(store, supervised, ACT, "2025-12", TODAY)
    weak, silent, _ = write_health_sheets(store, home, supervised, months, None)

    page = re.sub("<[^>]+>", "", weak.read_text(encoding="utf-8"))
    assert say("report.sheet.roles", "zh-CN", owed=4, filled=2) in page
    missing = "、".join(
        say(f"care_role.{r}", "zh-CN") for r in ("grid_worker", "disability_commissioner")
    )
    assert say("report.sheet.roles_missing", "zh-CN", roles=missing) in page
    # three of November are older than 30 days, two were paid since
    told = {"applied": 6, "paid": 2, "waiting": 4, "overdue": 1}
    assert say("report.sheet.subsidies_overdue", "zh-CN", **told) in page
    other = silent.read_text(encoding="utf-8")
    assert "还没有报过名册" in other
    assert "累计申请" not in other


def test_no_page_of_it_passes_as_released(store: Store, home: Home, supervised: Plan) -> None:
    two_months(store)
    months = exact_months(store, supervised, ACT, "2025-12", TODAY)
    write_health_sheets(store, home, supervised, months, None)
    assert store.connection.execute("SELECT count(*) FROM ledger.out_part").fetchone() == (0,)
    assert store.connection.execute("SELECT count(*) FROM ledger.out_message").fetchone() == (0,)
    assert not home.reports("autumn-2025").exists()


def test_retention_removes_them_after_the_time_of_return_workbooks(
    store: Store, home: Home, supervised: Plan
) -> None:
    old = health_sheet_path(home, "autumn-2025", "2025-12", VILLAGE_1)
    new = health_sheet_path(home, "autumn-2025", "2026-01", VILLAGE_1)
    for path, written in ((old, date(2025, 12, 1)), (new, date(2026, 1, 19))):
        path.parent.mkdir(parents=True)
        path.write_text("sheet", encoding="utf-8")
        at = datetime(written.year, written.month, written.day, 12, tzinfo=UTC).timestamp()
        os.utime(path, (at, at))
    now = datetime(2026, 1, 20, 9)
    receipt = erase_due(store, home, supervised, Act("A", "retention", "-", now), TODAY)
    assert receipt.files == 1
    assert (old.exists(), new.exists()) == (False, True)


def test_the_command_needs_the_key_and_names_who_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path / "home")
    plan_file = ROOT / "data" / "campaigns" / "autumn-2025.toml"
    copy_plan(plan_file, home.plan("autumn-2025").parent)
    plan = load_plan(plan_file)
    month = next(each for each in plan.calendar if each.phase == "supervision")
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    wanted = ["--campaign", "autumn-2025", "--home", str(home.root), "--by", "王医生"]
    with simulated(datetime(month.due.year, month.due.month, month.due.day, 9)):
        told = CliRunner().invoke(sheets, ["--month", month.period or "", *wanted])
    assert told.exit_code == 0, told.output
    folder = home.health("autumn-2025") / (month.period or "")
    assert len(list(folder.iterdir())) == len(plan.expected(month))
    with open_register(home, key=KEY, act=ACT) as store:
        looked = store.connection.execute(
            "SELECT what, why FROM register.reg_trail WHERE who = '王医生'"
        ).fetchall()
    assert set(looked) == {("sheet", month.period)}
