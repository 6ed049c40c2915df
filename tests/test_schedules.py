"""When a plan's flows run, as text that Prefect reads."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.schedules import RRuleSchedule
from prefect.server.schemas.schedules import RRuleSchedule as ServerSchedule

from conftest import occurrence
from flows.phase_flows import FLOWS, NIGHTLY
from flows.schedules import Schedule, difference, read_schedules, schedules_of
from tasks.extensions import grant_extension
from tasks.phase_life import note_run, reopen_phase, settle_phases
from tasks.plan import Plan, load_plan
from tasks.rules.requests import Request
from tasks.store import Store

CAMPAIGNS = Path(__file__).parent.parent / "data" / "campaigns"
MOST = 6_500
"""Characters that Prefect takes for a rule."""


def runs(schedule: Schedule, since: date = date(2020, 1, 1)) -> list[datetime]:
    """When Prefect's own server would start it, wall times of its zone."""
    zone = ZoneInfo(schedule.timezone)
    start = datetime.combine(since, datetime.min.time(), zone)
    rule = ServerSchedule(rrule=schedule.rule, timezone=schedule.timezone)
    found = rule._get_dates_generator(start=start, end=start + timedelta(days=4000))
    return [each.astimezone(zone).replace(tzinfo=None) for each in found]


def by_slug(schedules: list[Schedule]) -> dict[str, Schedule]:
    found = {each.slug: each for each in schedules}
    assert len(found) == len(schedules), "slugs are unique"
    return found


def test_a_phase_runs_just_after_its_due_day(plan: Plan) -> None:
    sweep = by_slug(schedules_of(plan, {}))["autumn-2025-sweep-1"]
    assert runs(sweep) == [datetime(2025, 11, 1, 0, 10)]
    assert sweep.flow == "sweep"
    assert sweep.parameters == {"campaign": "autumn-2025", "round": 1}


def test_a_phase_runs_again_after_each_later_day_once(plan: Plan) -> None:
    later = {("sweep", 1): [date(2025, 11, 5), date(2025, 11, 3), date(2025, 11, 5)]}
    sweep = by_slug(schedules_of(plan, later))["autumn-2025-sweep-1"]
    assert [each.day for each in runs(sweep)] == [1, 4, 6]


def test_extensions_come_from_the_ledger(plan: Plan, store: Store) -> None:
    before = read_schedules(store, [plan])
    for village in plan.villages[:2]:
        grant_extension(
            store, plan, "sweep", 1, village.code, date(2025, 11, 4), by="所长", reason="weather"
        )
    found = difference(before, read_schedules(store, [plan]))
    assert [new.slug for _, new in found.moved] == ["autumn-2025-sweep-1"]
    assert not found.added
    assert not found.removed
    assert found.moved[0][1].days() == "2025-11-01 00:10、2025-11-05 00:10"


def test_a_reopened_phase_runs_again_after_its_last_day(plan: Plan, store: Store) -> None:
    settle_phases(store, plan, datetime(2025, 11, 2, 9))
    note_run(store, plan.slug, "sweep", 1, date(2025, 10, 31), 1, datetime(2025, 11, 2, 9))
    settle_phases(store, plan, datetime(2025, 11, 2, 9))
    before = read_schedules(store, [plan])
    reopen_phase(
        store,
        plan,
        "sweep",
        1,
        until=date(2025, 11, 4),
        by="所长",
        reason="late_files",
        now=datetime(2025, 11, 2, 10),
    )
    ((_, new),) = difference(before, read_schedules(store, [plan])).moved
    assert (new.slug, new.days()) == (
        "autumn-2025-sweep-1",
        "2025-11-01 00:10、2025-11-05 00:10",
    )


def test_the_queue_runs_for_every_day_of_its_window_and_no_other(plan: Plan) -> None:
    queue = by_slug(schedules_of(plan, {}))["autumn-2025-diagnosis_queue-0"]
    days = runs(queue)
    assert days[0] == datetime(2025, 11, 11, 0, 20), "as of its opening day"
    assert days[-1] == datetime(2026, 1, 1, 0, 20), "as of its due day"
    assert len(days) == 52
    assert queue.parameters == {"campaign": "autumn-2025"}


def test_erasure_and_catching_up_go_on_and_reminders_end(plan: Plan) -> None:
    found = by_slug(schedules_of(plan, {}))
    for flow, at in (("retention", (0, 30)), ("catch_up", (0, 40))):
        days = runs(found[f"autumn-2025-{flow}-0"], date(2030, 1, 1))
        assert (days[0].hour, days[0].minute) == at
        assert len(days) > 900
    reminders = runs(found["autumn-2025-reminders-0"])
    assert reminders[0] == datetime(2025, 2, 20, 8, 30)
    assert reminders[-1] == datetime(2026, 3, 1, 8, 30), "sixty days after the last due day"


def test_what_nobody_approved_has_no_schedule(plan: Plan) -> None:
    asked = replace(occurrence("sweep", date(2025, 9, 1), date(2025, 9, 9), round=2), ad_hoc=True)
    changed = plan.model_copy(update={"calendar": (*plan.calendar, asked)})
    found = by_slug(schedules_of(changed, {}))
    assert {each.flow for each in found.values()} == {
        *(each.phase for each in plan.calendar),
        "retention",
        "catch_up",
        "reminders",
    }
    assert "autumn-2025-sweep-2" not in found


def test_an_approved_sweep_has_one(plan: Plan) -> None:
    opens, due = date(2025, 9, 1), date(2025, 9, 9)
    request = Request(plan.slug, "service_gap", ("990101001001",), opens, due, "plan", "office")
    approved = replace(occurrence("sweep", opens, due, round=101), ad_hoc=True, request=request)
    changed = plan.model_copy(update={"calendar": (*plan.calendar, approved)})
    assert runs(by_slug(schedules_of(changed, {}))["autumn-2025-sweep-101"]) == [
        datetime(2025, 9, 10, 0, 10)
    ]


def test_every_scheduled_flow_is_one_that_runs(plan: Plan) -> None:
    flows = {each.flow for each in schedules_of(plan, {})}
    assert set(NIGHTLY) < flows - {"catch_up"} <= {*FLOWS, *NIGHTLY}


@pytest.mark.parametrize("file", sorted(CAMPAIGNS.glob("*.toml")), ids=lambda path: path.stem)
def test_prefect_takes_every_schedule_of_every_plan(file: Path) -> None:
    plan = load_plan(file)
    villages = 200
    many = {
        (each.phase, each.round): [each.due + timedelta(days=n + 1) for n in range(villages)]
        for each in plan.calendar
    }
    for schedule in schedules_of(plan, many):
        assert len(schedule.rule) < MOST
        assert RRuleSchedule(rrule=schedule.rule, timezone=schedule.timezone)
        days = runs(schedule)
        assert days == sorted(set(days))
        assert days
        assert all(schedule.includes(each) for each in days)
        assert not any(schedule.includes(each + timedelta(minutes=1)) for each in days)


ELSEWHERE = """
from datetime import datetime, timezone
from prefect.server.schemas.schedules import RRuleSchedule
found = RRuleSchedule(rrule="DTSTART:20251101T001000\\nRDATE:20251101T001000",
    timezone="Asia/Shanghai")._get_dates_generator(start=datetime(2025, 1, 1, tzinfo=timezone.utc))
daily = RRuleSchedule(rrule="DTSTART:20251101T002000\\nRRULE:FREQ=DAILY;UNTIL=20251102T002000",
    timezone="Asia/Shanghai")._get_dates_generator(
        n=9, start=datetime(2025, 1, 1, tzinfo=timezone.utc))
for each in [*found, *daily]:
    print(each.astimezone(timezone.utc).isoformat())
"""


@pytest.fixture(scope="module")
def seen_from_new_york() -> list[str]:
    environment = os.environ | {"TZ": "America/New_York"}
    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], env=environment, capture_output=True, check=True
    )
    return ran.stdout.decode().split()


def test_the_machine_s_zone_changes_nothing(seen_from_new_york: list[str]) -> None:
    assert seen_from_new_york == [
        "2025-10-31T16:10:00+00:00",
        "2025-10-31T16:20:00+00:00",
        "2025-11-01T16:20:00+00:00",
    ]


SLUGS = st.sampled_from("abc")
SCHEDULES = st.builds(
    lambda name, day: Schedule(
        "sweep",
        f"{name}-sweep-1",
        f"DTSTART:202511{day:02}T001000\nRDATE:202511{day:02}T001000",
        "Asia/Shanghai",
        name,
        1,
    ),
    SLUGS,
    st.integers(1, 3),
)
SETS = st.lists(SCHEDULES, unique_by=lambda each: each.slug)


@given(SETS, SETS)
def test_a_difference_leads_from_one_to_the_other(was: list[Schedule], now: list[Schedule]) -> None:
    found = difference(was, now)
    assert bool(found) == (set(was) != set(now))
    result = set(was) - set(found.removed) - {old for old, _ in found.moved}
    assert len(result) == found.unchanged
    assert result | set(found.added) | {new for _, new in found.moved} == set(now)


def test_a_rule_that_is_not_ours_is_shown_as_it_is_and_takes_in_no_day() -> None:
    other = Schedule("sweep", "x", "FREQ=HOURLY", "Asia/Shanghai", "x")
    assert other.days() == "FREQ=HOURLY"
    assert not other.includes(datetime(2025, 11, 1, 0, 10))
