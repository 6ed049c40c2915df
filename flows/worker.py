"""`python -m flows.worker`: takes the runs of this home's township, and runs installed flows only.

The server may be a county's, while the register's key lies here. So of what the server says of a
run only its id counts here, and in `flows.one_run` its flow's name and its parameters: never a
command, an environment, a folder or code to fetch, by which whoever has the server could have this
machine run anything.
"""

import os
import sys
import tempfile

import anyio
import anyio.abc
from prefect import Flow
from prefect.client.schemas.objects import FlowRun
from prefect.runner._flow_run_executor import FlowRunExecutorContext
from prefect.runner._starter_engine import EngineCommandStarter
from prefect.utilities.processutils import command_to_string, setup_signal_handlers_worker
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from flows.deployments import stated
from tasks.at_home import load_campaigns
from tasks.home import Home, default_home, keep_private
from tasks.work_pool import work_pool

ONE_RUN = command_to_string([sys.executable, "-P", "-m", "flows.one_run"])


class TownshipWorker(ProcessWorker):
    """Prefect's process worker, without what it would do on the server's word."""

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run `flows.one_run` for a run, in an empty folder; `configuration` is the server's."""
        told = task_status or anyio.TASK_STATUS_IGNORED
        with tempfile.TemporaryDirectory() as folder:
            async with FlowRunExecutorContext() as context:
                starter = EngineCommandStarter(
                    command=ONE_RUN,
                    cwd=folder,
                    env=_surroundings(),
                    control_channel=context.control_channel,
                )
                executor = context.create_executor(
                    flow_run, starter, resolve_flow=_no_hooks, propose_submitting=False
                )
                async with anyio.create_task_group() as group:
                    handle = await group.start(executor.submit)
                    told.started(handle.pid)
        return ProcessWorkerResult(status_code=handle.returncode or 0, identifier=str(handle.pid))


async def _no_hooks(flow_run: FlowRun) -> Flow[..., object]:
    """Return a flow without hooks: to look for some, Prefect would load what the server names."""
    return Flow(_nothing, name=str(flow_run.flow_id))


def _nothing() -> None:
    """Stand for a flow that is never run here."""


def _surroundings() -> dict[str, str | None]:
    """Return what prefect.yaml sets for a run; the rest of the environment is the worker's own."""
    (first, *_) = stated().values()
    return dict(first["work_pool"]["job_variables"]["env"])


def township_worker() -> TownshipWorker:
    """Return the worker of the township whose home CAMPAIGN_HOME names; its pool has to be there.

    Raises WrongCommand where there is no such home.
    """
    pool = work_pool(load_campaigns(Home(default_home())))
    return TownshipWorker(work_pool_name=pool, name=pool, limit=1, create_pool_if_not_found=False)


def main() -> None:
    """Take the township's runs until a signal ends it."""
    keep_private()
    worker = township_worker()
    setup_signal_handlers_worker(os.getpid(), worker.name, lambda *_, **__: None)
    anyio.run(worker.start)


if __name__ == "__main__":
    main()
