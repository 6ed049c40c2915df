"""The second check of care groups' sheets, written without what makes them.

A sheet shows one village's figures, of its month and of up to five months before: what the ledger
says was released of them by then, and nothing of another village.
"""

from collections.abc import Mapping
from dataclasses import replace

from reports.gate import Allowed, Released, check_report, let_pass, read_allowed
from tasks.plan import Plan
from tasks.rules.errors import DisclosureRisk
from tasks.rules.known_names import NameList
from tasks.store import Store

_PHASE = "supervision"


def check_sheets(
    store: Store,
    plan: Plan,
    round: int,
    revision: int,
    pages: Mapping[str, str],
    names: NameList | None,
) -> None:
    """Check the sheets of a revision, village -> page; none may leave unless all pass.

    `store` is an open ledger. With `names`, the register's, it keeps that they passed. Raises
    DisclosureRisk as `gate.check_report` does.
    """
    allowed = read_allowed(store, plan, _PHASE, round, revision)
    shown: dict[str, dict[tuple[str, str], Released]] = {}
    for (name, village), figure in allowed.figures.items():
        shown.setdefault(village, {})[name, village] = figure
    for number, name, *rest in store.rows(
        "report/allowed_trend", campaign=plan.slug, round=round, revision=revision
    ):
        figure = Released(f"{_PHASE}_{number}_{name}", *rest)
        shown.setdefault(figure.village, {})[figure.name, figure.village] = figure
    for village, page in pages.items():
        if not village or village not in shown:
            raise DisclosureRisk("gate.not_released", kind="html")
        of_village: Allowed = replace(allowed, figures=shown[village], before=())
        if names is None:
            check_report({"html": page}, of_village)
        else:
            let_pass(store, {"html": page}, of_village, names)
