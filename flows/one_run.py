"""`python -m flows.one_run`: one run that the worker took, as the installed flow of its name.

Prefect's own way would load what the server says: an entrypoint, and steps to run before it.
"""

import os
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect._internal.control_listener import configure_from_env
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.engine import handle_engine_signals
from prefect.flow_engine import run_flow
from prefect.states import Failed

from flows.deployments import installed_flow, prefect_api, stated
from tasks.at_home import load_campaigns
from tasks.home import Home, default_home, keep_private
from tasks.rules.wording import say
from tasks.work_pool import work_pool


def flow_of(client: SyncPrefectClient, run: FlowRun, pool: str) -> Flow[..., Any] | None:
    """Return the installed flow that a run is of, None where it is none of `pool`'s deployments."""
    if run.deployment_id is None or client.read_deployment(run.deployment_id).name != pool:
        return None
    name = client.read_flow(run.flow_id).name
    return installed_flow(name) if name in stated() else None


def main() -> None:
    """Run what PREFECT__FLOW_RUN_ID names; another township's run fails, and does nothing."""
    keep_private()
    run_id = UUID(os.environ["PREFECT__FLOW_RUN_ID"])
    pool = work_pool(load_campaigns(Home(default_home())))
    configure_from_env()
    with handle_engine_signals(run_id):
        with prefect_api() as client:
            run = client.read_flow_run(run_id)
            flow = flow_of(client, run, pool)
            if flow is None:
                refused: State[Any] = Failed(message=say("engine.not_ours", pool=pool))
                client.set_flow_run_state(run_id, refused, force=True)
                return
        run_flow(flow, flow_run=run)


if __name__ == "__main__":
    main()
