"""Asking in Prefect's run form: its choices, the waiting, and what ends it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import ParameterTypeError
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.utilities.callables import parameter_schema

from cli.server import (
    QUIET,
    Server,
    end_tethered,
    free_port,
    fresh_word,
    start_tethered,
    wait_for,
    without_secrets,
)
from conftest import KEY, make_home
from flows import ad_hoc
from flows.ad_hoc import Asker, Purpose, Reason, request_sweep, resume_decided
from flows.deployments import apply, look, prefect_api
from reports.gate import notice_gate
from tasks.audit import Act
from tasks.clock import now_in, simulated
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.names import NO_NAMES
from tasks.plan import Plan, copy_plan, load_plan
from tasks.register import open_register
from tasks.requests import decide_request, find_request, requests_of
from tasks.rules.contract import CHOICES, PURPOSES
from tasks.rules.errors import WrongCommand

PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "duties-2023.toml"
SLUG = "duties-2023"
TODAY = now_in("Asia/Shanghai").date()
ASKED: dict[str, Any] = {
    "campaign": SLUG,
    "purpose": "service_gap",
    "villages": ["990104003002", "990104003001"],
    "opens": (TODAY + timedelta(days=3)).isoformat(),
    "due": (TODAY + timedelta(days=9)).isoformat(),
    "reason": "service_behind",
}
"""What the form hands over: Prefect keeps parameters as JSON."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with plan D, which the environment names."""
    home = make_home(tmp_path / "home")
    copy_plan(PLAN, home.plan(SLUG).parent)
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    for name in [name for name in os.environ if name.startswith("CAMPAIGN_SMTP")]:
        monkeypatch.delenv(name)
    return home


def decide(home: Home, *, approve: bool) -> None:
    """The health side decides the one request there is."""
    plan = load_plan(home.plan(SLUG))
    act = Act("李医生", "approve", "test", at=now_in(plan.timezone), campaign=SLUG)
    with open_register(home, key=KEY, act=act) as store:
        (asked,) = requests_of(store, SLUG)
        decide_request(
            store,
            home,
            plan,
            find_request(store, asked.id),
            approve=approve,
            act=act,
            account="health",
            reason="scope",
            gate=notice_gate(store, home, plan, NO_NAMES),
        )


def sweeps(home: Home) -> list[int]:
    plan: Plan = load_plan(home.plan(SLUG))
    return [each.round for each in plan.calendar if each.approved]


# --- the form --------------------------------------------------------------------------------


def test_the_form_offers_the_closed_lists() -> None:
    assert get_args(Purpose) == PURPOSES
    assert get_args(Reason) == tuple(CHOICES["request_reason"])
    shown = parameter_schema(request_sweep).properties
    assert shown["purpose"]["enum"] == list(PURPOSES)
    assert shown["reason"]["enum"] == list(CHOICES["request_reason"])
    assert shown["asked_by"]["enum"] == list(get_args(Asker)), "an office, never a person's name"


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "meeting_security"},
        {"reason": "a person's name"},
        {"asked_by": "王主任"},
        {"villages": ["张三丰家"]},
        {"due": "soon"},
        {"note": "more words"},
    ],
)
def test_the_form_takes_nothing_else(changes: dict[str, Any]) -> None:
    with pytest.raises((ParameterTypeError, TypeError)):
        request_sweep.validate_parameters(ASKED | changes)


# --- waiting, without a server ---------------------------------------------------------------


class Suspended(Exception):
    """Stands for the end of a process that is suspended."""


@dataclass
class Waiting:
    """Prefect as a run meets it: every key suspends once."""

    fired: list[str] = field(default_factory=list)

    def suspend(self, key: str) -> None:
        if key not in self.fired:
            self.fired.append(key)
            raise Suspended(key)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    found = Waiting()
    plain = vars(ad_hoc.record_request)["fn"]  # the step without Prefect around it
    monkeypatch.setattr(ad_hoc, "record_request", plain)
    monkeypatch.setattr(ad_hoc, "suspend_flow_run", found.suspend)
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", str(uuid4()))
    return found


def run_form() -> State[Any]:
    """What a run of the form does from its beginning, as each time that it goes on."""
    parameters = request_sweep.validate_parameters(ASKED)
    ended: State[Any] = ad_hoc._request_sweep(**parameters)
    return ended


@pytest.mark.parametrize(("approve", "name"), [(True, "Approved"), (False, "Declined")])
def test_a_run_waits_until_the_health_side_has_decided(
    home: Home, waiting: Waiting, approve: bool, name: str
) -> None:
    for key in ("look-1", "look-2"):
        # the second time somebody resumed it who had decided nothing
        with pytest.raises(Suspended, match=key):
            run_form()
    assert sweeps(home) == []
    with open_ledger(home) as store:
        (asked,) = requests_of(store, SLUG)
        rows = store.connection.execute("SELECT kind, state FROM ledger.out_message").fetchall()
    assert asked.request.asked_by == "coordinating_office"
    assert rows == [("request", "draft")], "asked once, and told once"
    decide(home, approve=approve)
    ended = run_form()
    assert (ended.type, ended.name) == (StateType.COMPLETED, name)
    assert waiting.fired == ["look-1", "look-2"]
    assert sweeps(home) == ([101] if approve else [])


def test_a_run_that_was_forgotten_ends_when_its_window_is_over(
    home: Home, waiting: Waiting
) -> None:
    with pytest.raises(Suspended):
        run_form()
    with simulated(datetime.combine(TODAY + timedelta(days=10), datetime.min.time())):
        assert run_form().name == "Lapsed"


def test_a_run_that_no_deployment_started_does_not_wait(
    home: Home, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT__RUNTIME__DEPLOYMENT__ID")
    assert run_form().name == "Waiting"
    assert waiting.fired == []


def test_what_cannot_be_asked_for_ends_the_run_without_waiting(
    home: Home, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ASKED, "villages", ["990104003099"])
    with pytest.raises(WrongCommand) as refused:
        run_form()
    assert refused.value.key == "request.unknown_village"


@dataclass
class Run:
    """A waiting run as Prefect's interface tells of it."""

    parameters: Mapping[str, Any]
    id: UUID = field(default_factory=uuid4)


@dataclass
class Api:
    """Prefect's interface, as far as resuming uses it."""

    runs: list[Run]
    resumed: list[UUID] = field(default_factory=list)

    def read_flow_runs(self, **_: object) -> list[Run]:
        return self.runs

    def resume_flow_run(self, run: UUID) -> None:
        self.resumed.append(run)


def test_only_what_was_decided_goes_on(
    home: Home, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Suspended):
        run_form()
    own = Run(ASKED)
    others = [
        Run(ASKED | {"due": (TODAY + timedelta(days=8)).isoformat()}),
        Run(ASKED | {"campaign": "elsewhere"}),
        Run(ASKED | {"due": "never"}),
        Run({}),
    ]
    api = Api([own, *others])

    @contextmanager
    def at_hand() -> Iterator[Api]:
        yield api

    monkeypatch.setattr(ad_hoc, "prefect_api", at_hand)
    assert resume_decided(home) == 0
    decide(home, approve=True)
    assert resume_decided(home) == 1
    assert api.resumed == [own.id]


# --- on a server -----------------------------------------------------------------------------


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Server, SyncPrefectClient]]:
    """A Prefect server whose database lies in `folder`, as `campaign up` starts it."""
    server = Server(free_port(), fresh_word())
    surroundings = os.environ | QUIET | server.environment | {"PREFECT_HOME": str(folder)}
    with (folder / "server.log").open("wb") as log:
        process = start_tethered(server.command, without_secrets(surroundings), log.fileno())
    try:
        wait_for(server, process, folder / "server.log")
        known = {PREFECT_API_URL: server.url, PREFECT_API_AUTH_STRING: server.word}
        with temporary_settings(known), prefect_api() as client:
            yield server, client
    finally:
        end_tethered(process)


POOL = "township-990104003"
WORK_ONCE = """
from functools import partial
import anyio
from flows.worker import township_worker
anyio.run(partial(township_worker().start, run_once=True))
"""


def work_once(server: Server, folder: Path) -> None:
    """Have a worker, started anew, run what waits, and end it."""
    command = [sys.executable, "-c", WORK_ONCE]
    surroundings = os.environ | QUIET | server.environment | {"PREFECT_HOME": str(folder)}
    subprocess.run(command, env=surroundings, check=True, timeout=180, capture_output=True)


@pytest.mark.slow
def test_a_run_outlives_its_server_and_its_worker(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "prefect"
    folder.mkdir()
    with serving(folder) as (server, client):
        apply(client, look(client, POOL, [], [], []))
        form = client.read_deployment_by_name(f"request_sweep/{POOL}")
        run = client.create_flow_run_from_deployment(form.id, parameters=ASKED)
        work_once(server, folder)
        asked = client.read_flow_run(run.id)
        assert (asked.state_type, asked.state_name) == (StateType.PAUSED, "Suspended")
        kept = set(asked.parameters) - set(ASKED)
        assert kept <= {"asked_by"}
    with serving(folder) as (server, client):
        assert client.read_flow_run(run.id).state_name == "Suspended"
        assert resume_decided(home) == 0
        client.resume_flow_run(run.id)  # by hand: that decides nothing
        work_once(server, folder)
        assert client.read_flow_run(run.id).state_name == "Suspended"
        decide(home, approve=True)
        assert resume_decided(home) == 1
        work_once(server, folder)
        ended = client.read_flow_run(run.id)
        assert (ended.state_type, ended.state_name) == (StateType.COMPLETED, "Approved")
        assert resume_decided(home) == 0
    assert sweeps(home) == [101]
