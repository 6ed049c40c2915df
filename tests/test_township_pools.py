"""Several townships on one Prefect server, whose states lie in PostgreSQL: each its own pool."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Suspended
from prefect.workers.process import ProcessWorker

from cli.server import (
    QUIET,
    Server,
    database_environment,
    end_tethered,
    free_port,
    fresh_word,
    require_named_server,
    start_tethered,
    wait_for,
    without_secrets,
)
from cli.server_check import check_prefect
from cli.up import Command, Township, _township, run_worker
from flows.deployments import apply, end_dead_runs, installed_flow, look, prefect_api, stated
from flows.earlier_pool import leave_earlier_pool
from flows.schedules import read_schedules
from postgres import USER, Postgres, with_password
from tasks.at_home import load_campaigns
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.rules.errors import WrongCommand
from tasks.set_up import set_up
from tasks.work_pool import BEFORE, work_pool

SOURCE = Path(__file__).parent.parent / "data" / "campaigns"
SLUG = "autumn-2025"
YESTERDAY = (date.today() - timedelta(days=1)).isoformat()  # noqa: DTZ011 # any day that is over


# --- the settings


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("postgresql://me@127.0.0.1:54/prefect", "me@127.0.0.1:54/prefect?ssl=prefer"),
        ("postgresql://me@db.example/prefect", "me@db.example:5432/prefect?ssl=require"),
        (
            "postgresql://me@db.example:1/p?sslmode=verify-full",
            "me@db.example:1/p?ssl=verify-full",
        ),
    ],
)
def test_the_database_is_reached_encrypted_but_on_this_machine(setting: str, url: str) -> None:
    name = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
    assert database_environment(setting) == {name: f"postgresql+asyncpg://{url}"}
    assert database_environment(None) == database_environment("") == {}


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("postgresql://me:hush@127.0.0.1/prefect", "engine.database_password"),
        ("postgresql://me@db.example/prefect?sslmode=disable", "engine.database_open"),
        ("postgresql://me@127.0.0.1:port/prefect", "engine.database_form"),
        ("postgresql://me@127.0.0.1", "engine.database_form"),
        ("postgresql://me@127.0.0.1/prefect?password=hush", "engine.database_form"),
        ("sqlite:///prefect.db", "engine.database_form"),
    ],
)
def test_what_is_no_database_to_use_is_refused_and_not_quoted(setting: str, key: str) -> None:
    with pytest.raises(WrongCommand) as refused:
        database_environment(setting)
    assert refused.value.key == key
    assert "hush" not in refused.value.text("en") + repr(refused.value.values)


def test_the_server_alone_is_told_of_the_database(home: Home) -> None:
    database = database_environment("postgresql://me@127.0.0.1/prefect")
    whole = _township(home, Server(4200, "campaign:word"), database, [])
    assert whole.base is not None
    assert database.items() <= whole.base.environment.items()
    for program in whole.work:
        assert not database.keys() & program.environment.keys()


@pytest.mark.parametrize(
    ("named", "key"),
    [
        (None, "engine.no_server"),
        ("http://county.example/api", "engine.open_server"),
        ("https://county.example/api", None),
        ("http://127.0.0.1:4200/api", None),
    ],
)
def test_the_word_travels_encrypted(
    named: str | None, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if named:
        monkeypatch.setenv("PREFECT_API_URL", named)
    if key is None:
        require_named_server()
        return
    with pytest.raises(WrongCommand) as refused:
        require_named_server()
    assert refused.value.key == key


def test_a_worker_without_a_server_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(WrongCommand):
        run_worker(home)
    assert not home.prefect.exists()


def test_beside_a_server_elsewhere_the_looks_are_made_and_then_the_work(tmp_path: Path) -> None:
    stop = threading.Event()
    looked = tmp_path / "looked"
    look = Command("look", [sys.executable, "-S", "-c", f"open({str(looked)!r}, 'a').write('x')"])
    told: list[str] = []
    whole = Township(None, [], [look], os.environ, told.append, ready=lambda: None, tick=0.05)
    thread = threading.Thread(target=whole.run, args=(stop,))
    thread.start()
    while not looked.exists():
        assert thread.is_alive()
        stop.wait(0.05)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert told == []


# --- on a server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Server]:
    """A Prefect server that keeps its states in PostgreSQL, as `campaign up` starts it."""
    folder = tmp_path_factory.mktemp("prefect")
    found = Server(free_port(), fresh_word())
    database = f"postgresql://{USER}@127.0.0.1:{postgres.port}/{postgres.make_database()}"
    surroundings = with_password() | QUIET | found.environment | {"PREFECT_HOME": str(folder)}
    surroundings = without_secrets(surroundings) | database_environment(database)
    with (folder / "server.log").open("wb") as log:
        process = start_tethered(found.command, surroundings, log.fileno())
    try:
        wait_for(found, process, folder / "server.log")
        assert not list(folder.glob("*.db")), "nothing of its states lies in a file"
        yield found
    finally:
        end_tethered(process)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[SyncPrefectClient]:
    known = {PREFECT_API_URL: server.url, PREFECT_API_AUTH_STRING: server.word}
    with temporary_settings(known), prefect_api() as client:
        yield client


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Home]:
    """Two townships with a campaign of the same name, each with its own key."""
    folder = tmp_path_factory.mktemp("homes")
    found = []
    for code in ("990101101", "990101102"):
        plan = folder / code / "plan.toml"
        plan.parent.mkdir()
        for path in (SOURCE / f"{SLUG}.toml", *SOURCE.glob("*.villages.csv")):
            name = "plan.toml" if path.suffix == ".toml" else path.name
            text = path.read_text("utf-8").replace("990101101", code)
            (plan.parent / name).write_text(text, "utf-8")
        home = Home(folder / f"home-{code}")
        set_up(home, plan)
        found.append(home)
    one, other = found
    return one, other


def deploy(client: SyncPrefectClient, home: Home) -> str:
    """Bring the server to what the home's plans say, as each look does; returns the pool."""
    plans = load_campaigns(home)
    pool = work_pool(plans)
    with open_ledger(home) as store:
        wanted = read_schedules(store, plans.values())
    apply(client, look(client, pool, wanted, list(plans), home.campaigns()))
    return pool


def runs(client: SyncPrefectClient) -> dict[str, FlowRun]:
    return {str(run.id): run for run in client.read_flow_runs(limit=200)}


def of_pool(found: dict[str, FlowRun], pool: str) -> set[str]:
    return {name for name, run in found.items() if run.work_pool_name == pool}


WORK_ONCE = """
from functools import partial
import anyio
from flows.worker import township_worker
anyio.run(partial(township_worker().start, run_once=True))
"""


def work_once(server: Server, home: Home) -> None:
    """Have the township's worker take what is there for it, and end."""
    left_out = ("CAMPAIGN_KEY", "CAMPAIGN_KEY_FILE")
    own = {name: value for name, value in os.environ.items() if name not in left_out}
    surroundings = own | QUIET | server.environment
    surroundings |= {"CAMPAIGN_HOME": str(home.root), "PREFECT_HOME": str(home.prefect)}
    subprocess.run(
        [sys.executable, "-c", WORK_ONCE],
        env=surroundings,
        check=True,
        timeout=300,
        capture_output=True,
    )


def told(client: SyncPrefectClient, run: FlowRun) -> tuple[StateType | None, str | None]:
    found = client.read_flow_run(run.id)
    return found.state_type, found.state.message if found.state else None


def erased(home: Home) -> int:
    """How often the nightly phase was run in a home."""
    with open_ledger(home) as store:
        counted = store.connection.execute(
            "SELECT count(*) FROM ledger.agg_run WHERE phase = 'retention'"
        ).fetchone()
    assert counted is not None
    return int(counted[0])


def test_a_change_in_one_township_touches_nothing_of_the_other(
    client: SyncPrefectClient, homes: tuple[Home, Home]
) -> None:
    pool, other_pool = (deploy(client, home) for home in homes)
    assert (pool, other_pool) == ("township-990101101", "township-990101102")
    before = runs(client)
    assert of_pool(before, pool)
    assert of_pool(before, other_pool)
    # all its schedules go, of a campaign of the same name
    apply(client, look(client, pool, [], [SLUG], [SLUG]))
    after = runs(client)
    assert of_pool(after, pool) == set()
    assert of_pool(after, other_pool) == of_pool(before, other_pool)
    assert client.read_deployment_by_name(f"sweep/{other_pool}").schedules
    deploy(client, homes[0])
    again = runs(client)
    assert of_pool(again, other_pool) == of_pool(before, other_pool)
    assert len(of_pool(again, pool)) == len(of_pool(before, pool))
    plans = load_campaigns(homes[0])
    with open_ledger(homes[0]) as store:
        wanted = read_schedules(store, plans.values())
    assert not look(client, pool, wanted, list(plans), list(plans))


def test_dead_runs_of_another_township_are_not_called_dead(
    client: SyncPrefectClient, homes: tuple[Home, Home]
) -> None:
    pool, other_pool = (deploy(client, home) for home in homes)
    form = client.read_deployment_by_name(f"retention/{other_pool}")
    run = client.create_flow_run_from_deployment(form.id, parameters={"campaign": SLUG})
    client.request(
        "POST",
        "/flow_runs/{id}/set_state",
        path_params={"id": run.id},
        json={"state": {"type": "PENDING", "name": "Pending"}, "force": True},
    )
    assert end_dead_runs(client, pool) == 0
    assert end_dead_runs(client, other_pool) == 1


def test_each_worker_runs_its_own_township_s_runs_as_installed_and_no_others(
    client: SyncPrefectClient, server: Server, homes: tuple[Home, Home], tmp_path: Path
) -> None:
    home, other = homes
    pool, other_pool = (deploy(client, each) for each in homes)
    mark = tmp_path / "mark"
    mine = client.read_deployment_by_name(f"retention/{pool}")
    theirs = client.read_deployment_by_name(f"retention/{other_pool}")
    given = {"campaign": SLUG, "as_of": YESTERDAY}
    # whoever has the server could say anything of a run
    script = f"touch {mark}"
    client.update_deployment(
        mine.id,
        DeploymentUpdate(
            entrypoint="os.system",
            pull_steps=[{"prefect.deployments.steps.run_shell_script": {"script": script}}],
            job_variables={"command": script, "env": {"PYTHONSTARTUP": str(mark)}},
        ),
    )
    own = client.create_flow_run_from_deployment(mine.id, parameters=given)
    its = client.create_flow_run_from_deployment(theirs.id, parameters=given)
    client.update_deployment(theirs.id, DeploymentUpdate(work_pool_name=pool))
    astray = client.create_flow_run_from_deployment(theirs.id, parameters=given)
    work_once(server, home)
    work_once(server, home)  # the pool runs one at a time
    assert told(client, own)[0] == StateType.COMPLETED
    assert not mark.exists()
    state, message = told(client, astray)
    assert state == StateType.FAILED
    assert pool in str(message)
    assert told(client, its)[0] == StateType.SCHEDULED, "nobody of its township came"
    assert (erased(home), erased(other)) == (1, 0)
    deploy(client, other)
    work_once(server, other)
    assert told(client, its)[0] == StateType.COMPLETED
    assert (erased(home), erased(other)) == (1, 1)


def test_the_doctor_asks_the_named_server_for_the_township_s_own_worker(
    client: SyncPrefectClient,
    server: Server,
    homes: tuple[Home, Home],
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = deploy(client, homes[0])
    client.send_worker_heartbeat(work_pool_name=pool, worker_name=pool)
    monkeypatch.setenv("PREFECT_API_URL", server.url)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", server.word)

    def found(of: Home) -> list[tuple[str, str]]:
        return [(each.check, each.what) for each in check_prefect(of)]

    assert found(homes[0]) == [("server", "elsewhere"), ("worker", "alive")]
    assert found(home) == [("server", "elsewhere"), ("worker", "none")], "it has no plan"
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "campaign:guessed")
    assert found(homes[0]) == [("server", "elsewhere_silent")]


# --- the pool of earlier versions


def register_as_before(client: SyncPrefectClient) -> None:
    """Register two flows as earlier versions did: one pool, deployments named as their flows."""
    client.create_work_pool(
        WorkPoolCreate(
            name=BEFORE,
            type="process",
            base_job_template=ProcessWorker.get_default_base_job_template(),
            concurrency_limit=1,
        )
    )
    for name in ("sweep", "request_sweep"):
        client.create_deployment(
            flow_id=client.create_flow_from_name(name),
            name=name,
            entrypoint=str(stated()[name]["entrypoint"]),
            work_pool_name=BEFORE,
        )


def test_the_earlier_pool_is_left_and_a_waiting_request_asked_anew(
    client: SyncPrefectClient, homes: tuple[Home, Home]
) -> None:
    pool = work_pool(load_campaigns(homes[0]))
    deploy(client, homes[0])
    assert not leave_earlier_pool(client, pool), "there is none"
    register_as_before(client)
    asked = {
        "campaign": SLUG,
        "purpose": "service_gap",
        "villages": ["990101101201"],
        "opens": YESTERDAY,
        "due": YESTERDAY,
        "reason": "service_behind",
    }
    form = client.read_deployment_by_name("request_sweep/request_sweep")
    waiting = client.create_flow_run_from_deployment(form.id, parameters=asked)
    client.set_flow_run_state(waiting.id, Suspended(timeout_seconds=9999), force=True)
    assert leave_earlier_pool(client, pool)
    with pytest.raises(ObjectNotFound):
        client.read_work_pool(BEFORE)
    with pytest.raises(ObjectNotFound):
        client.read_deployment_by_name("sweep/sweep")
    assert client.read_flow_run(waiting.id).state_type == StateType.CANCELLED
    now = client.read_deployment_by_name(f"request_sweep/{pool}")
    (anew,) = [each for each in client.read_flow_runs() if each.deployment_id == now.id]
    assert anew.parameters == asked
    assert not leave_earlier_pool(client, pool)


def test_somebody_else_s_pool_of_that_name_stays(
    client: SyncPrefectClient, homes: tuple[Home, Home]
) -> None:
    pool = deploy(client, homes[0])
    register_as_before(client)
    client.create_deployment(
        flow_id=client.create_flow_from_name("theirs"), name="theirs", work_pool_name=BEFORE
    )
    assert leave_earlier_pool(client, pool)
    assert client.read_work_pool(BEFORE).name == BEFORE
    assert client.read_deployment_by_name("theirs/theirs")


def test_every_deployment_s_flow_is_installed() -> None:
    assert {installed_flow(name).name for name in stated()} == set(stated())
