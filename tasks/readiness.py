"""Readiness: which villages are prepared for the work, and what each has still to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tasks.figures import RawFigure
from tasks.plan import Occurrence, Plan
from tasks.rectifications import after_look
from tasks.reporting import VillageReporting, reporting_figures, with_township
from tasks.rules.readiness import LINES, judge_readiness, not_ready
from tasks.rules.rectification import Rectification
from tasks.store import Store

READINESS_ROUND = 0
"""The round of rectifications that readiness opens; those of supervision begin with 1."""


@dataclass(frozen=True)
class VillageReadiness:
    """What one village's checklist says."""

    village: str
    checklist: Mapping[str, bool] | None
    """Line of the checklist -> whether it is done; None where no checklist counts."""
    shortfalls: tuple[str, ...]
    """What is missing, the weightiest first."""

    @property
    def complete(self) -> bool | None:
        """Whether every line is done; None where no checklist counts."""
        return None if self.checklist is None else all(self.checklist.values())


@dataclass(frozen=True)
class ReadinessResult:
    """The villages from which a checklist is expected, in the plan's order."""

    villages: tuple[VillageReadiness, ...]
    rectifications: tuple[Rectification, ...]
    """All of the campaign as they stand after this look, supervision's among them."""


def look_at_readiness(
    store: Store,
    plan: Plan,
    occurrence: Occurrence,
    as_of: date,
    reporting: Sequence[VillageReporting],
) -> ReadinessResult:
    """Look at the checklists that every expected village sent up to now, as of the end of `as_of`.

    `reporting`: the villages' states of the phase. Reads register and ledger and writes nothing;
    rectifications are returned as they are to be recorded. Before the due day nothing is opened or
    closed: it can still be made good. A later checklist closes what it shows to be done.
    """
    found = store.records("readiness/checklists", campaign=plan.slug, round=occurrence.round)
    checklists = {row.pop("village"): row for row in found}
    judged = {
        each.village: judge_readiness(each.state, checklists.get(each.village))
        for each in reporting
        if each.state != "not_expected"
    }
    return ReadinessResult(
        villages=tuple(
            VillageReadiness(village, checklists.get(village), not_ready(holds))
            for village, holds in judged.items()
        ),
        rectifications=after_look(
            store,
            plan,
            judged if as_of >= occurrence.due else {},
            round=READINESS_ROUND,
            as_of=as_of,
        ),
    )


def readiness_figures(
    looked: ReadinessResult, reporting: Sequence[VillageReporting]
) -> list[RawFigure]:
    """Return reporting, every line of the checklist and readiness as files: 1 or 0 a village.

    With the township's sums, over the villages that said it. None where no checklist counts.
    rectifications_open: those that readiness opened and nobody has made good. All are figures about
    the work; people trained are not counted.
    """
    lines = [
        RawFigure(f"ready_{line}", "files", each.village, _flag(each.checklist, line))
        for each in looked.villages
        for line in LINES
    ]
    ready = [
        RawFigure(
            "readiness_complete",
            "files",
            each.village,
            None if each.complete is None else int(each.complete),
        )
        for each in looked.villages
    ]
    owed = [
        RawFigure("rectifications_open", "files", each.village, _open(looked, each.village))
        for each in looked.villages
    ]
    return [
        *reporting_figures(reporting),
        *with_township(ready),
        *with_township(lines),
        *with_township(owed),
    ]


def _flag(checklist: Mapping[str, bool] | None, line: str) -> int | None:
    return None if checklist is None else int(checklist[line])


def _open(looked: ReadinessResult, village: str) -> int:
    return sum(
        each.village == village and each.open_after(READINESS_ROUND)
        for each in looked.rectifications
        if each.opened_round == READINESS_ROUND
    )
