"""Leaving the work pool that earlier versions had: one for all, its deployments named as the flows.

Only where the server is this home's own: on one that others share, theirs would go too.
"""

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from flows.deployments import end_dead_runs, find_deployment, stated
from tasks.rules.wording import say
from tasks.work_pool import BEFORE


def leave_earlier_pool(client: SyncPrefectClient, pool: str) -> bool:
    """Take away the deployments of the earlier pool, and the pool; return whether it was there.

    Comes once everything stands in `pool`: which runs are owed the ledger tells, so coming and late
    ones go with their schedules. A request that waits for its decision is asked anew, which records
    it once. Deployments of somebody else in that pool stay, and the pool with them. Safe to be cut
    off anywhere and done again.
    """
    try:
        client.read_work_pool(BEFORE)
    except ObjectNotFound:
        return False
    end_dead_runs(client, BEFORE)
    for name in stated():
        earlier = find_deployment(client, name, name)
        if earlier is not None and earlier.work_pool_name == BEFORE:
            now = find_deployment(client, name, pool)
            if now is None:
                return True  # the next look makes it
            _ask_anew(client, earlier, now)
            client.delete_deployment(earlier.id)
    of = WorkPoolFilter(name=WorkPoolFilterName(any_=[BEFORE]))
    if not client.read_deployments(work_pool_filter=of, limit=1):
        client.delete_work_pool(BEFORE)
    return True


def _ask_anew(
    client: SyncPrefectClient, earlier: DeploymentResponse, now: DeploymentResponse
) -> None:
    """Have a run of the deployment that there is now wait in place of each that waits."""
    waiting = FlowRunFilterStateType(any_=[StateType.PAUSED])
    runs = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[earlier.id])),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=waiting)),
    )
    for run in runs:
        client.create_flow_run_from_deployment(now.id, parameters=run.parameters)
        client.set_flow_run_state(run.id, Cancelled(message=say("deploy.asked_anew")), force=True)
