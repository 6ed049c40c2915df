"""Which flow runs which phase."""

from datetime import date
from typing import cast

from flows.aggregation import aggregation
from flows.diagnosis_queue import diagnosis_queue
from flows.follow_up import follow_up
from flows.list_compilation import list_compilation
from flows.quarterly_pack import quarterly_pack
from flows.readiness import readiness
from flows.reminders import reminders
from flows.retention import retention
from flows.steps import in_this_process
from flows.supervision import supervision
from flows.sweep import sweep
from tasks.receipt import Receipt
from tasks.reminders import RemindersRun
from tasks.retention import RetentionRun
from tasks.rules.errors import WrongCommand

FLOWS = {  # the names of RUN_PHASES
    "readiness": readiness,
    "sweep": sweep,
    "list_compilation": list_compilation,
    "aggregation": aggregation,
    "diagnosis_queue": diagnosis_queue,
    "follow_up": follow_up,
    "supervision": supervision,
    "quarterly_pack": quarterly_pack,
}

NIGHTLY = {"retention": retention, "reminders": reminders}  # the names of NIGHTLY_PHASES


def run(phase: str, campaign: str, as_of: date, round: int | None = None) -> Receipt:
    """Run the flow of `phase`. Raises WrongCommand for a phase that has none."""
    if phase not in FLOWS:
        raise WrongCommand("error.phase", phase=phase, known=tuple(FLOWS))
    with in_this_process():
        # only a run without a day of its own may find that it is not owed
        return cast(Receipt, FLOWS[phase](campaign, as_of, round))


def run_nightly(phase: str, campaign: str, as_of: date) -> RetentionRun | RemindersRun:
    """Run the flow of a phase that has no round and releases nothing, for a day."""
    with in_this_process():
        return cast(RetentionRun | RemindersRun, NIGHTLY[phase](campaign, as_of))
