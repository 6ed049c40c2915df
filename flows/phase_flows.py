"""Which flow runs which phase."""

from datetime import date

from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows.aggregation import aggregation
from flows.diagnosis_queue import diagnosis_queue
from flows.list_compilation import list_compilation
from flows.retention import retention
from flows.steps import errors_in_full
from flows.supervision import supervision
from flows.sweep import sweep
from tasks.receipt import Receipt
from tasks.retention import RetentionRun
from tasks.rules.errors import WrongCommand

FLOWS = {  # the names of RUN_PHASES
    "sweep": sweep,
    "list_compilation": list_compilation,
    "aggregation": aggregation,
    "diagnosis_queue": diagnosis_queue,
    "supervision": supervision,
}

NIGHTLY = {"retention": retention}  # the names of NIGHTLY_PHASES


def run(phase: str, campaign: str, as_of: date, round: int | None = None) -> Receipt:
    """Run the flow of `phase`. Raises WrongCommand for a phase that has none."""
    if phase not in FLOWS:
        raise WrongCommand("error.phase", phase=phase, known="、".join(FLOWS))
    # a flow of a second otherwise waits as long again for the heartbeat's thread to end
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), errors_in_full():
        return FLOWS[phase](campaign, as_of, round)


def run_nightly(phase: str, campaign: str, as_of: date) -> RetentionRun:
    """Run the flow of a phase that has no round and releases nothing, for a day."""
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), errors_in_full():
        return NIGHTLY[phase](campaign, as_of)
