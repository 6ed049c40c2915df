"""Which flow runs which phase."""

from datetime import date

from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows.aggregation import aggregation
from flows.diagnosis_queue import diagnosis_queue
from flows.list_compilation import list_compilation
from flows.supervision import supervision
from flows.sweep import sweep
from tasks.receipt import Receipt
from tasks.rules.errors import WrongCommand

FLOWS = {  # the names of RUN_PHASES
    "sweep": sweep,
    "list_compilation": list_compilation,
    "aggregation": aggregation,
    "diagnosis_queue": diagnosis_queue,
    "supervision": supervision,
}


def run(phase: str, campaign: str, as_of: date, round: int | None = None) -> Receipt:
    """Run the flow of `phase`. Raises WrongCommand for a phase that has none."""
    if phase not in FLOWS:
        raise WrongCommand("error.phase", phase=phase, known="、".join(FLOWS))
    # a flow of a second otherwise waits as long again for the heartbeat's thread to end
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        return FLOWS[phase](campaign, as_of, round)
