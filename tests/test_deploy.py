"""Schedules on a real Prefect server: what differs is changed, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling, Pending, Running
from typer.testing import CliRunner

from cli.deploy_commands import deployment
from cli.server import (
    QUIET,
    Server,
    end_tethered,
    free_port,
    fresh_word,
    running_server,
    start_tethered,
    tell_server,
    wait_for,
    without_secrets,
)
from conftest import KEY, make_home, occurrence
from flows.deployments import (
    Changes,
    apply,
    end_dead_runs,
    look,
    prefect_api,
    stated,
)
from flows.phase_flows import FLOWS, NIGHTLY
from flows.schedules import Schedule, schedules_of
from tasks.home import Home
from tasks.plan import Plan
from tasks.rules.errors import WrongCommand

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = datetime.now(ZONE).date()
POOL = "township-990101001"
"""Of the health centre of the plan that the tests share."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prefect server of its own, as `campaign up` starts it."""
    folder = tmp_path_factory.mktemp("prefect")
    found = Server(free_port(), fresh_word())
    surroundings = os.environ | QUIET | found.environment | {"PREFECT_HOME": str(folder)}
    with (folder / "server.log").open("wb") as log:
        process = start_tethered(found.command, without_secrets(surroundings), log.fileno())
    try:
        wait_for(found, process, folder / "server.log")
        yield found
    finally:
        end_tethered(process)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[SyncPrefectClient]:
    known = {PREFECT_API_URL: server.url, PREFECT_API_AUTH_STRING: server.word}
    with temporary_settings(known), prefect_api() as client:
        yield client


def make_plan(plan: Plan, slug: str, **due: int) -> Plan:
    """A plan whose phases are due so many days from today."""
    calendar = tuple(
        occurrence(phase, TODAY, TODAY + timedelta(days=days), int(phase == "sweep"))
        for phase, days in due.items()
    )
    return plan.model_copy(
        update={"slug": slug, "issued": TODAY - timedelta(days=9), "calendar": calendar}
    )


@pytest.fixture(scope="module")
def one(plan: Plan) -> Plan:
    return make_plan(plan, "year", sweep=10, list_compilation=20, aggregation=30)


@pytest.fixture(scope="module")
def other(plan: Plan) -> Plan:
    """Its slug begins with the other's."""
    return make_plan(plan, "year-2", sweep=12, list_compilation=22, aggregation=32)


def change(
    client: SyncPrefectClient, wanted: list[Schedule], campaigns: list[str] | None = None
) -> Changes:
    """Bring the server's schedules of the campaigns to what is wanted, and return what was done."""
    of = campaigns or sorted({each.campaign for each in wanted})
    changes = look(client, POOL, wanted, of, ["year", "year-2"])
    apply(client, changes)
    assert not look(client, POOL, wanted, of, ["year", "year-2"]), (
        "done once, there is nothing to change"
    )
    return changes


Runs = dict[tuple[str, datetime], UUID]


def coming(client: SyncPrefectClient) -> Runs:
    """(slug, wall time) -> id of each run that a schedule made and nobody began."""
    found: Runs = {}
    for run in all_runs(client):
        if run.state_type == StateType.SCHEDULED and run.auto_scheduled:
            assert run.created_by is not None
            assert run.expected_start_time is not None
            at = run.expected_start_time.astimezone(ZONE).replace(tzinfo=None)
            key = (str(run.created_by.display_value), at)
            assert key not in found, "none twice"
            found[key] = run.id
    return found


def all_runs(client: SyncPrefectClient) -> list[FlowRun]:
    found = client.read_flow_runs(limit=200)
    assert len(found) < 200
    return found


def of(runs: Runs, slug: str) -> list[date]:
    """The days of a schedule's runs, as days that they are about."""
    return sorted(at.date() - timedelta(days=1) for name, at in runs if name == slug)


@pytest.fixture
def both(client: SyncPrefectClient, one: Plan, other: Plan) -> Runs:
    """Both campaigns scheduled as they are planned; returns the runs."""
    change(client, schedules_of(one, {}) + schedules_of(other, {}))
    return coming(client)


def test_a_plan_is_registered_once(client: SyncPrefectClient, both: Runs, one: Plan) -> None:
    assert of(both, "year-sweep-1") == [TODAY + timedelta(days=10)]
    assert of(both, "year-list_compilation-0") == [TODAY + timedelta(days=20)]
    assert len(of(both, "year-retention-0")) >= 3
    assert not change(client, schedules_of(one, {}))
    assert coming(client) == both
    assert client.read_work_pool(POOL).concurrency_limit == 1
    found = client.read_deployment_by_name(f"sweep/{POOL}")
    assert found.entrypoint == "flows.sweep.sweep"
    assert found.enforce_parameter_schema
    limit = found.global_concurrency_limit
    assert limit is not None
    assert limit.limit == 1


def test_a_changed_plan_moves_adds_and_removes_the_runs_concerned_and_no_other(
    client: SyncPrefectClient, both: Runs, plan: Plan
) -> None:
    changed = make_plan(plan, "year", sweep=11, aggregation=30, supervision=15)
    later = {("sweep", 1): [TODAY + timedelta(days=14)]}
    done = change(client, schedules_of(changed, later)).difference
    assert [each.slug for each in done.added] == ["year-supervision-0"]
    # what reminds ends with the last extension; so late a day is no coming run
    assert "year-sweep-1" in {new.slug for _, new in done.moved}
    assert [each.slug for each in done.removed] == ["year-list_compilation-0"]
    now = coming(client)
    assert of(now, "year-sweep-1") == [TODAY + timedelta(days=11), TODAY + timedelta(days=14)]
    assert of(now, "year-supervision-0") == [TODAY + timedelta(days=15)]
    assert of(now, "year-list_compilation-0") == []
    concerned = {"year-sweep-1", "year-supervision-0", "year-list_compilation-0"}
    before = {key: run for key, run in both.items() if key[0] not in concerned}
    assert before
    assert {key: run for key, run in now.items() if key[0] not in concerned} == before


def test_an_extension_leaves_the_run_after_the_due_day(
    client: SyncPrefectClient, both: Runs, one: Plan
) -> None:
    change(client, schedules_of(one, {("sweep", 1): [TODAY + timedelta(days=13)]}))
    now = coming(client)
    due = ("year-sweep-1", datetime.combine(TODAY + timedelta(days=11), time(0, 10)))
    assert now[due] == both[due]
    assert {key for key in now if key not in both} == {
        ("year-sweep-1", datetime.combine(TODAY + timedelta(days=14), time(0, 10)))
    }


def test_taking_a_campaign_out_leaves_the_other_s_late_runs(
    client: SyncPrefectClient, both: Runs
) -> None:
    late = TODAY - timedelta(days=3)
    retention = client.read_deployment_by_name(f"retention/{POOL}")
    client.request(  # as if a server had been up then, and no worker
        "POST",
        "/deployments/{id}/schedule",
        path_params={"id": retention.id},
        json={
            "start_time": datetime.combine(late, time(), ZONE).isoformat(),
            "end_time": datetime.combine(late, time(1), ZONE).isoformat(),
        },
    )
    before = coming(client)
    missed = datetime.combine(late, time(0, 30))
    assert {("year-retention-0", missed), ("year-2-retention-0", missed)} <= before.keys()
    change(client, [], ["year"])
    assert coming(client) == {
        key: run for key, run in before.items() if key[0].startswith("year-2-")
    }


def test_a_campaign_of_no_home_is_named_and_left(
    client: SyncPrefectClient, both: Runs, one: Plan
) -> None:
    changes = look(client, POOL, schedules_of(one, {}), ["year"], ["year"])
    assert changes.elsewhere == ("year-2",)
    assert not changes


def test_what_was_paused_on_prefect_s_pages_goes_on(
    client: SyncPrefectClient, both: Runs, one: Plan
) -> None:
    sweep = client.read_deployment_by_name(f"sweep/{POOL}")
    schedule = next(each for each in sweep.schedules if each.slug == "year-sweep-1")
    client.update_deployment_schedule(sweep.id, schedule.id, active=False)
    done = change(client, schedules_of(one, {})).difference
    assert [(old.days(), new.slug) for old, new in done.moved] == [("PAUSED", "year-sweep-1")]
    assert coming(client).keys() == both.keys()


def test_a_deployment_that_was_changed_is_put_right_and_keeps_its_runs(
    client: SyncPrefectClient, both: Runs, one: Plan
) -> None:
    sweep = client.read_deployment_by_name(f"sweep/{POOL}")
    limit = sweep.global_concurrency_limit
    assert limit is not None
    client.request(
        "PATCH",
        "/v2/concurrency_limits/{id_or_name}",
        path_params={"id_or_name": str(limit.id)},
        json={"limit": 5},
    )
    assert change(client, schedules_of(one, {})).flows == ("sweep",)
    assert coming(client) == both


@pytest.mark.parametrize("state", [Pending, Running, Cancelling])
def test_what_nobody_runs_any_more_holds_nothing_up(
    client: SyncPrefectClient, both: Runs, state: Callable[[], object]
) -> None:
    sweep = client.read_deployment_by_name(f"sweep/{POOL}")
    run = client.create_flow_run_from_deployment(sweep.id, parameters={"campaign": "year"})
    client.set_flow_run_state(run.id, Pending())
    if state is not Pending:
        client.set_flow_run_state(run.id, Running())
    if state is Cancelling:
        client.set_flow_run_state(run.id, Cancelling(), force=True)
    assert slots(client) == 1
    assert end_dead_runs(client, POOL) == 1
    ended = client.read_flow_run(run.id)
    assert ended.state_type in {StateType.CRASHED, StateType.CANCELLED}
    assert slots(client) == 0
    assert end_dead_runs(client, POOL) == 0
    assert coming(client) == both


def slots(client: SyncPrefectClient) -> int:
    limit = client.read_deployment_by_name(f"sweep/{POOL}").global_concurrency_limit
    assert limit is not None
    return limit.active_slots


def test_prefect_yaml_has_a_deployment_for_every_flow_that_is_scheduled(plan: Plan) -> None:
    whole = [replace(plan.calendar[0], phase=phase) for phase in FLOWS]
    every = plan.model_copy(update={"calendar": tuple(whole)})
    scheduled = {each.flow for each in schedules_of(every, {})}
    assert scheduled == {*FLOWS, *NIGHTLY, "catch_up"}
    assert scheduled <= set(stated())
    assert all("schedules" not in entry for entry in stated().values())


# the command


@pytest.fixture
def township(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with one campaign; no server is named in the environment."""
    home = make_home(tmp_path / "home")
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    source = Path(__file__).parent.parent / "data" / "campaigns"
    folder = home.plan("autumn-2025").parent
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_bytes((source / "autumn-2025.toml").read_bytes())
    for villages in source.glob("*.villages.csv"):
        (folder / villages.name).write_bytes(villages.read_bytes())
    with patch.dict(os.environ, {"CAMPAIGN_LANG": "en"}):
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            del os.environ[name]
        yield home


def test_without_a_server_the_command_says_what_to_do(township: Home) -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        ran = CliRunner().invoke(deployment, ["deploy", "--home", str(township.root)])
    assert isinstance(ran.exception, WrongCommand)
    assert ran.exception.key == "deploy.no_server"
    assert ran.exception.exit == 2


def test_the_command_shows_what_differs_asks_and_changes_it(
    client: SyncPrefectClient, server: Server, township: Home
) -> None:
    def deploy(*options: str) -> Result:
        return CliRunner().invoke(deployment, ["deploy", "--home", str(township.root), *options])

    tell_server(township, server)
    shown = deploy("--dry-run")
    assert shown.exit_code == 0
    assert "autumn-2025-sweep-1: 2025-11-01 00:10" in shown.output
    refused = deploy()
    assert isinstance(refused.exception, WrongCommand)
    assert refused.exception.key == "deploy.say_yes", "there is no terminal to ask on"
    plan = str(township.plan("autumn-2025"))
    assert "autumn-2025-sweep-1" in deploy("--dry-run").output, "nothing was changed"
    assert "Done." in deploy(plan, "--yes").output
    assert "Nothing to change" in deploy("--campaign", "autumn-2025", "--yes").output
    kept = CliRunner().invoke(deployment, ["keep-up", "--home", str(township.root)])
    assert kept.exit_code == 0
    assert "Nothing to change" in kept.output
    assert "removed" in deploy("--remove", "autumn-2025", "--yes").output
    assert not any(name.startswith("autumn") for name, _ in coming(client))


def test_a_plan_that_the_home_does_not_have_is_refused(township: Home, tmp_path: Path) -> None:
    folder = township.plan("autumn-2025").parent
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    plan = copy / "plan.toml"
    plan.write_text(plan.read_text("utf-8") + "\n# a remark\n", encoding="utf-8")
    ran = CliRunner().invoke(deployment, ["deploy", str(plan), "--home", str(township.root)])
    assert isinstance(ran.exception, WrongCommand)
    assert ran.exception.key == "deploy.other_plan"


def test_only_who_knows_the_word_is_answered(server: Server, tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    assert running_server(home) is None
    tell_server(home, Server(server.port, "campaign:guessed"))
    assert running_server(home) is None
    tell_server(home, server)
    assert running_server(home) == server
    assert (home.prefect / "server.json").stat().st_mode & 0o777 == 0o600
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    told = json.loads((home.prefect / "server.json").read_text())
    (home.prefect / "server.json").write_text(json.dumps(told | {"process": gone.pid}))
    assert running_server(home) is None, "nobody is told the word once campaign up is gone"
    tell_server(home, Server(free_port(), server.word))
    assert running_server(home) is None
    with (
        temporary_settings(
            {PREFECT_API_URL: server.url, PREFECT_API_AUTH_STRING: "campaign:guessed"}
        ),
        pytest.raises(WrongCommand) as refused,
        prefect_api() as client,
    ):
        look(client, POOL, [], [], [])
    assert refused.value.key == "deploy.not_let_in"
