"""Two months of supervision in a register, and the plan they belong to."""

from datetime import date, datetime, timedelta

from conftest import occurrence
from register_rows import VILLAGE_1, VILLAGE_2, VILLAGE_3, add_month, add_registered, add_visit
from tasks.plan import Plan
from tasks.store import Store

TODAY = date(2026, 1, 20)
MONTHS = (
    ("2025-11", date(2025, 12, 5)),
    ("2025-12", date(2026, 1, 5)),
    ("2026-01", date(2026, 2, 5)),
)


def supervised_plan(plan: Plan) -> Plan:
    """The plan with three months of supervision alone; the last still runs on TODAY."""
    months = [
        occurrence("supervision", due - timedelta(days=30), due, round, period)
        for round, (period, due) in enumerate(MONTHS, 1)
    ]
    return plan.model_copy(update={"calendar": tuple(months)})


def two_months(store: Store) -> None:
    """One village whose only visit was made late, with three subsidies of which one is paid."""
    add_registered(store, "G-1", last_visited_on=date(2025, 8, 15), residence_village=VILLAGE_1)
    add_visit(store, "G-1", date(2025, 12, 20))
    for month in (date(2025, 11, 1), date(2025, 12, 1)):
        add_month(store, VILLAGE_1, month, subsidy_applied=3, subsidy_paid=1)
    for village in (VILLAGE_1, VILLAGE_2, VILLAGE_3):
        for round, (_, due) in enumerate(MONTHS[:2], 1):
            store.connection.execute(
                "INSERT INTO ledger.agg_submission VALUES"
                " (uuid()::VARCHAR, 'autumn-2025', 'supervision', ?, ?, ?, true, false)",
                [round, village, datetime(due.year, due.month, due.day, 9)],
            )
