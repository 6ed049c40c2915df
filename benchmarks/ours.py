"""Our own way from files to published figures: what the flows do, without Prefect around it."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

from benchmarks.delivery import Delivery
from tasks.aggregate import aggregate
from tasks.audit import Act
from tasks.checks import check_tables
from tasks.compile_list import compile_list, latest_list
from tasks.figures import list_figures
from tasks.home import Home
from tasks.input_quality import returned_figures
from tasks.plan import Occurrence, Plan
from tasks.publish import Findings, publish
from tasks.receive import receive
from tasks.register import make_stores, open_register
from tasks.reporting import read_reporting, sweep_figures
from tasks.rules.checking import SuiteResult
from tasks.store import Store
from tasks.suites import CANDIDATE_TABLES, TABLES_OF_PHASE

KEY = "b" * 64
CAME = datetime.fromisoformat("2025-10-28T09:00")
ACT = Act("benchmark", "receive", "benchmark", at=CAME)
AS_OF = {
    "sweep": date(2025, 10, 31),
    "list_compilation": date(2025, 11, 10),
    "aggregation": date(2025, 11, 20),
}


def publish_all(home: Home, delivery: Delivery) -> None:
    """Take the delivery in, compile the list, and publish the figures of the three phases.

    In a home of its own, which holds them afterwards in an encrypted register and its ledger.
    """
    home.root.mkdir(mode=0o700)
    make_stores(home, KEY, CAME)
    with open_register(home, key=KEY, act=ACT) as store:
        plan = delivery.plan
        receive(
            store,
            home,
            {plan.slug: plan},
            delivery.files,
            received_at=CAME,
            recorded_at=CAME,
            act=ACT,
        )
        for occurrence in plan.calendar:
            _publish(store, plan, occurrence)


def _publish(store: Store, plan: Plan, occurrence: Occurrence) -> None:
    as_of = AS_OF[occurrence.phase]
    if occurrence.phase == "list_compilation":
        compile_list(store, plan, as_of)
    check = partial(_check, store, plan, occurrence, revision=latest_list(store, plan))
    checks = check(TABLES_OF_PHASE[occurrence.phase])
    findings = _findings(store, plan, occurrence, as_of, checks)
    publish(
        store,
        plan,
        occurrence,
        as_of,
        findings,
        now=datetime.combine(as_of, CAME.time()),
        check=lambda revision: _check(store, plan, occurrence, CANDIDATE_TABLES, revision=revision),
        announce=lambda revision: None,
    )


def _check(
    store: Store, plan: Plan, occurrence: Occurrence, tables: tuple[str, ...], *, revision: int
) -> list[SuiteResult]:
    return check_tables(
        store,
        tables,
        campaign=plan.slug,
        phase=occurrence.phase,
        round=occurrence.round,
        revision=revision,
    )


def _findings(
    store: Store,
    plan: Plan,
    occurrence: Occurrence,
    as_of: date,
    checks: Sequence[SuiteResult],
) -> Findings:
    if occurrence.phase == "aggregation":
        return aggregate(store, plan, as_of, checks)
    returned = returned_figures(store, plan, occurrence)
    if occurrence.phase == "list_compilation":
        return Findings([*list_figures(store, plan), *returned], checks=checks)
    reporting = read_reporting(store, plan, occurrence, as_of)
    figures = sweep_figures(store, plan, occurrence.round, reporting)
    return Findings([*figures, *returned], reporting=reporting, checks=checks)
