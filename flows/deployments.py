"""Prefect's server, told when this home's flows run: deployments, their schedules, their runs.

A server may be that of several townships. Each has a work pool of its own, and its deployments have
the pool's name: what is read, changed or deleted here is that of one pool, and never another's.

Prefect's interface throws away every coming run of a deployment whenever one of its schedules is
changed, and with a schedule that is deleted the late ones of all the others as well. A deployment
is a flow, so those would be other campaigns' runs. What does not change is kept from it here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import yaml  # type: ignore[import-untyped] # it publishes no types
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    WorkPoolCreate,
    WorkPoolUpdate,
)
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import (
    ConcurrencyOptions,
    DeploymentSchedule,
    FlowRun,
    State,
    StateType,
)
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import RRuleSchedule
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import get_current_settings
from prefect.states import Cancelled, Crashed, Scheduled
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from flows.schedules import Difference, Schedule, difference
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say

FILE = Path(__file__).parent.parent / "prefect.yaml"

_KEPT = "AwaitingConcurrencySlot"
"""The name of the one state of a scheduled run that Prefect leaves alone when it clears runs away.

Such a run is taken up at its time like any other, so one that keeps the name loses nothing.
"""

_PAGE = 200


@dataclass(frozen=True)
class Deployed:
    """A deployment as it is on the server."""

    id: UUID
    is_current: bool
    """Whether it is what prefect.yaml says."""
    schedules: Mapping[Schedule, UUID]
    """Schedule -> its id there; those of all campaigns."""


@dataclass(frozen=True)
class Changes:
    """What is to be changed on the server."""

    pool: str
    """The township's work pool; its deployments have the same name."""
    flows: tuple[str, ...]
    """Flows whose deployment is not there, or is not what prefect.yaml says."""
    difference: Difference
    elsewhere: tuple[str, ...]
    """Campaigns that have schedules there but are none of this home's; they are left alone."""
    deployed: Mapping[str, Deployed]

    def __bool__(self) -> bool:
        return bool(self.flows or self.difference)


@contextmanager
def prefect_api() -> Iterator[SyncPrefectClient]:
    """Yield a client of the server that PREFECT_API_URL names.

    Raises WrongCommand where none answers, or where it does not know the word it is asked with.
    """
    if not get_current_settings().api.url:
        raise WrongCommand("deploy.no_server")
    kind = ""
    try:
        with get_client(sync_client=True) as client:
            yield client
    except PrefectHTTPStatusError as error:
        kind = str(error.response.status_code)
    except httpx.HTTPError as error:
        kind = type(error).__name__
    else:
        return
    if kind in {"401", "403"}:
        raise WrongCommand("deploy.not_let_in")
    raise WrongCommand("deploy.server", kind=kind)


def look(
    client: SyncPrefectClient,
    pool: str,
    wanted: Iterable[Schedule],
    campaigns: Iterable[str],
    known: Iterable[str],
) -> Changes:
    """Return what has to change for `campaigns` to run as `wanted`; nothing is changed.

    `pool` is the township's, whose deployments are looked at and no others; `known` are the
    campaigns of this home.
    """
    deployed = {
        name: found for name in stated() if (found := _read(client, name, pool)) is not None
    }
    there = [each for found in deployed.values() for each in found.schedules]
    mine = set(campaigns)
    return Changes(
        pool=pool,
        flows=tuple(
            name for name in stated() if name not in deployed or not deployed[name].is_current
        ),
        difference=difference([each for each in there if each.campaign in mine], wanted),
        elsewhere=tuple(sorted({each.campaign for each in there} - mine - set(known))),
        deployed=deployed,
    )


def apply(client: SyncPrefectClient, changes: Changes) -> None:
    """Make the changes on the server, and nothing else.

    Coming and late runs of what stays as it is keep their ids. May be done again after it was cut
    off anywhere.
    """
    if changes.flows:
        make_pool(client, changes.pool)
    ids = {name: found.id for name, found in changes.deployed.items()}
    for name in stated():
        with _undisturbed(client, name, changes):
            if name in changes.flows:
                ids[name] = _make_deployment(client, name, changes.pool, ids.get(name))
            touched = _change_schedules(client, name, ids[name], changes)
        if touched:
            # at once and not within a minute: a run that is due by then would be left out
            client.request(
                "POST", "/deployments/{id}/schedule", path_params={"id": ids[name]}, json={}
            )


def make_pool(client: SyncPrefectClient, pool: str) -> None:
    """Make the pool, or hold it to one run at a time: one process writes to the register."""
    try:
        there = client.read_work_pool(pool)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        client.create_work_pool(
            WorkPoolCreate(
                name=pool, type="process", base_job_template=template, concurrency_limit=1
            )
        )
        return
    if there.concurrency_limit != 1:
        client.update_work_pool(pool, WorkPoolUpdate(concurrency_limit=1))


def end_dead_runs(client: SyncPrefectClient, pool: str) -> int:
    """Call crashed what no worker of `pool` runs any more, and return how many runs that were.

    Only while no worker of the pool is alive: what it ran when the machine stopped is otherwise
    taken for running for ever, and the pool runs one at a time. Whether it is owed still, the
    ledger tells.
    """
    running = FlowRunFilterStateType(
        any_=[StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    )
    dead = FlowRunFilter(state=FlowRunFilterState(type=running))
    of = WorkPoolFilter(name=WorkPoolFilterName(any_=[pool]))
    found = client.read_flow_runs(flow_run_filter=dead, work_pool_filter=of, limit=_PAGE)
    if found:
        parents = FlowRunFilterParentFlowRunId(any_=[run.id for run in found])
        below = FlowRunFilter(state=dead.state, parent_flow_run_id=parents)
        found += client.read_flow_runs(flow_run_filter=below, limit=_PAGE)
    message = say("deploy.dead_run")
    for run in found:
        cancelled = run.state_type == StateType.CANCELLING
        state: State[Any] = Cancelled(message=message) if cancelled else Crashed(message=message)
        client.set_flow_run_state(run.id, state)
    return len(found)


@cache
def stated() -> dict[str, dict[str, Any]]:
    """Return deployments as prefect.yaml states them: name of the flow -> its entry.

    Raises WrongCommand where the file is missing: it belongs to the installation.
    """
    if not FILE.is_file():
        raise WrongCommand("deploy.no_file", path=FILE)
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))["deployments"]
    return {entry["name"]: entry for entry in entries}


def installed_flow(name: str) -> Flow[..., Any]:
    """Return the flow that prefect.yaml has under this name."""
    module, _, attribute = str(stated()[name]["entrypoint"]).rpartition(".")
    flow: Flow[..., Any] = getattr(import_module(module), attribute)
    return flow


def _settings(name: str, pool: str) -> dict[str, Any]:
    """Return what prefect.yaml says of a deployment, in the fields that Prefect has for it."""
    entry = stated()[name]
    return {
        "entrypoint": entry["entrypoint"],
        "description": entry["description"],
        "tags": entry["tags"],
        "work_pool_name": pool,
        "job_variables": entry["work_pool"]["job_variables"],
        "concurrency_limit": entry["concurrency_limit"]["limit"],
        "concurrency_options": ConcurrencyOptions(
            collision_strategy=entry["concurrency_limit"]["collision_strategy"]
        ),
        "enforce_parameter_schema": entry["enforce_parameter_schema"],
        "parameter_openapi_schema": parameter_schema(installed_flow(name)).model_dump(),
    }


def _read(client: SyncPrefectClient, name: str, pool: str) -> Deployed | None:
    found = find_deployment(client, name, pool)
    if found is None:
        return None
    read = [(_as_schedule(name, each), each.id) for each in found.schedules]
    schedules = {schedule: known for schedule, known in read if schedule is not None}
    return Deployed(found.id, _is_current(found, _settings(name, pool)), schedules)


def find_deployment(client: SyncPrefectClient, flow: str, name: str) -> DeploymentResponse | None:
    """Return a flow's deployment of this name, None where the server has none."""
    try:
        return client.read_deployment_by_name(f"{flow}/{name}")
    except ObjectNotFound:
        return None


def _as_schedule(name: str, found: DeploymentSchedule) -> Schedule | None:
    """Return a schedule of the server as one of ours, None where it is none.

    One that was paused or changed on Prefect's pages has to move: they pause it and take out its
    parameters besides. Its slug tells whose it is.
    """
    ours = re.fullmatch(rf"(?P<campaign>.+)-{name}-(?P<round>\d+)", found.slug or "")
    if ours is None or found.slug is None or not isinstance(found.schedule, RRuleSchedule):
        return None
    schedule = Schedule(
        name,
        found.slug,
        found.schedule.rrule,
        found.schedule.timezone or "",
        ours["campaign"],
        int(ours["round"]),
    )
    if found.active and found.parameters == schedule.parameters:
        return schedule
    return replace(schedule, rule="PAUSED")


def _is_current(found: DeploymentResponse, settings: Mapping[str, Any]) -> bool:
    limit = found.global_concurrency_limit
    options = found.concurrency_options
    return (
        all(
            getattr(found, field) == settings[field]
            for field in (
                "entrypoint",
                "description",
                "tags",
                "work_pool_name",
                "job_variables",
                "enforce_parameter_schema",
                "parameter_openapi_schema",
            )
        )
        and limit is not None
        and limit.limit == settings["concurrency_limit"]
        and options is not None
        and options.collision_strategy == settings["concurrency_options"].collision_strategy
    )


def _make_deployment(client: SyncPrefectClient, name: str, pool: str, there: UUID | None) -> UUID:
    settings = _settings(name, pool)
    if there is not None:
        client.update_deployment(there, DeploymentUpdate(**settings))
        return there
    return client.create_deployment(
        flow_id=client.create_flow_from_name(name), name=pool, **settings
    )


def _change_schedules(
    client: SyncPrefectClient, name: str, deployment: UUID, changes: Changes
) -> bool:
    """Change the schedules of one deployment; return whether there was anything to change."""
    found = changes.deployed.get(name)
    ids = found.schedules if found else {}
    added = [each for each in changes.difference.added if each.flow == name]
    moved = [(old, new) for old, new in changes.difference.moved if old.flow == name]
    removed = [each for each in changes.difference.removed if each.flow == name]
    for each in removed:
        client.delete_deployment_schedule(deployment, ids[each])
    for old, new in moved:
        client.update_deployment_schedule(
            deployment, ids[old], active=True, schedule=_rule(new), parameters=new.parameters
        )
    if added:
        client.create_deployment_schedules(
            deployment,
            [
                DeploymentScheduleCreate(
                    schedule=_rule(each), parameters=each.parameters, slug=each.slug
                )
                for each in added
            ],
        )
    return bool(added or moved or removed or name in changes.flows)


def _rule(schedule: Schedule) -> RRuleSchedule:
    return RRuleSchedule(rrule=schedule.rule, timezone=schedule.timezone)


@contextmanager
def _undisturbed(client: SyncPrefectClient, name: str, changes: Changes) -> Iterator[None]:
    """Keep the runs that still belong through the changes inside; delete those that do not.

    Adding alone disturbs nothing.
    """
    found = changes.deployed.get(name)
    after = dict[UUID, Schedule | None]()
    if found is not None:
        after = {
            **{
                found.schedules[each]: None
                for each in changes.difference.removed
                if each.flow == name
            },
            **{
                found.schedules[old]: new
                for old, new in changes.difference.moved
                if old.flow == name
            },
        }
    if found is None or not (after or name in changes.flows):
        yield
        return
    runs = _waiting_runs(client, found.id)
    kept = [run for run in runs if _belongs(run, after)]
    for run in kept:
        _rename(client, run, _KEPT)
    try:
        yield
    finally:
        for run in kept:
            if run.state_name and run.state_name != _KEPT:
                _rename(client, run, run.state_name)
    for run in runs:
        if run not in kept:
            _delete(client, run)


def _waiting_runs(client: SyncPrefectClient, deployment: UUID) -> list[FlowRun]:
    """Return the runs of a deployment that Prefect made of a schedule and nobody began."""
    waiting = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
    )
    of = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    found: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_run_filter=waiting, deployment_filter=of, limit=_PAGE, offset=len(found)
        )
        found += page
        if len(page) < _PAGE:
            return [run for run in found if run.auto_scheduled and not run.run_count]


def _belongs(run: FlowRun, after: Mapping[UUID, Schedule | None]) -> bool:
    """Answer whether a run is one of its schedule's, once that is what `after` says."""
    made_by = run.created_by.id if run.created_by else None
    if made_by is None or made_by not in after:
        return True
    schedule = after[made_by]
    if schedule is None or run.expected_start_time is None:
        return False
    at = run.expected_start_time.astimezone(ZoneInfo(schedule.timezone)).replace(tzinfo=None)
    return schedule.includes(at) and run.parameters == schedule.parameters


def _rename(client: SyncPrefectClient, run: FlowRun, name: str) -> None:
    """Give the state of a waiting run another name, unless the worker took the run up meanwhile."""
    if client.read_flow_run(run.id).state_type == StateType.SCHEDULED:
        renamed: State[Any] = Scheduled(scheduled_time=run.next_scheduled_start_time, name=name)
        client.set_flow_run_state(run.id, renamed)


def _delete(client: SyncPrefectClient, run: FlowRun) -> None:
    try:
        client.delete_flow_run(run.id)
    except ObjectNotFound:
        return  # Prefect cleared it away with its schedule
