"""Single rows put straight into a register, for tests of what works on accepted rows."""

from datetime import date, datetime, time
from itertools import count
from typing import Any

from tasks.store import Store

_NUMBER = count(1)

VILLAGE_1, VILLAGE_2, VILLAGE_3 = (f"99010100100{n}" for n in (1, 2, 3))


def add_referral(store: Store, ref: str, **changes: Any) -> None:
    """Add an accepted, current referral with the reference `ref`."""
    row = {
        "referral_ref": ref,
        "full_name": "张三丰",
        "sex": "male",
        "birth_date": date(1980, 1, 2),
        "resident_key": None,
        "residence_village": VILLAGE_1,
        "registered_village": VILLAGE_1,
        "phone": None,
        "consent_by": "self",
        "consent_date": date(2025, 10, 20),
        "consent_scope": "assessment",
        "care_setting": "home",
        "urgency": "routine",
    }
    _add(store, "stg_referral", _staged("sweep", 1) | row | changes)


def add_registered(store: Store, register_no: str, **changes: Any) -> None:
    """Add a person of the standing register."""
    row = {
        "register_no": register_no,
        "full_name": "王五",
        "sex": "female",
        "birth_date": date(1970, 5, 6),
        "residence_village": VILLAGE_1,
        "diagnosis": "bipolar",
        "confirmed_on": date(2020, 1, 1),
        "psychiatrist_licence": "110990000000001",
        "stability": "stable",
        "source": "import",
    }
    _add(store, "reg_registered", row | changes)


def add_register_word(
    store: Store, register_no: str, received_at: datetime, last_visited_on: date, **changes: Any
) -> None:
    """Add what a standing register, sent at that time, said of a person; the entry is another."""
    row = _staged("follow_up", 0) | {
        "register_no": register_no,
        "confirmed_on": date(2020, 1, 1),
        "stability": "stable",
        "last_visited_on": last_visited_on,
        "received_at": received_at,
        "first_received_at": received_at,
    }
    _add(store, "stg_registered_person", row | changes)


def add_outcome(store: Store, ref: str, assessed_on: date, outcome: str, **changes: Any) -> None:
    """Add an accepted, current outcome of an assessment."""
    row = {
        "referral_ref": ref,
        "assessed_on": assessed_on,
        "psychiatrist_licence": "110990000000001",
        "outcome": outcome,
        "diagnosis": "bipolar" if outcome == "confirmed" else None,
        "management_consent": outcome == "confirmed",
        "second_opinion_requested": False,
    }
    _add(store, "stg_assessment_outcome", _staged("diagnosis_queue", 0) | row | changes)


def add_visit(store: Store, register_no: str, visited_on: date, **changes: Any) -> None:
    """Add an accepted, current follow-up visit that was received on its day."""
    row = _staged("follow_up", 0) | {
        "register_no": register_no,
        "visited_on": visited_on,
        "entered_on": visited_on,
        "mode": "home",
        "seen": "person",
        "stability": "stable",
        "received_at": datetime.combine(visited_on, time(18)),
    }
    row |= changes
    _add(store, "stg_follow_up", row | {"first_received_at": row["received_at"]})


def add_month(store: Store, village: str, month: date, **changes: Any) -> None:
    """Add an accepted, current service month in which everything due was done."""
    row = {
        "sender_village": village,
        "village_code": village,
        "month": month,
        "care_group_met": True,
        "status_updated_on": month.replace(day=20),
        "guardian_contacts": 3,
        "rehabilitation_sessions": 1,
        "subsidy_applied": 2,
        "subsidy_paid": 2,
        "problems_raised": 0,
    }
    _add(store, "stg_service_month", _staged("supervision", 1) | row | changes)


def add_role(store: Store, village: str, role: str, **changes: Any) -> None:
    """Add an accepted, current row of a roster: a role of a care group that is filled."""
    row = {
        "sender_village": village,
        "village_code": village,
        "role": role,
        "filled": True,
        "trained_on": None,
    }
    _add(store, "stg_care_group", _staged("supervision", 1) | row | changes)


def add_readiness(store: Store, village: str, **changes: Any) -> None:
    """Add an accepted, current readiness checklist on which every line is done."""
    row = {
        "sender_village": village,
        "village_code": village,
        "training_date": date(2025, 9, 1),
        "trained_people": 4,
        "emergency_plan_updated": True,
        "drill_date": date(2025, 9, 8),
        "care_group_complete": True,
        "materials_delivered": True,
    }
    _add(store, "stg_readiness", _staged("readiness", 0) | row | changes)


def add_withdrawal(store: Store, ref: str, withdrawn_on: date = date(2025, 11, 1)) -> None:
    """Withdraw a referral."""
    _add(
        store,
        "reg_withdrawal",
        {
            "campaign": "autumn-2025",
            "referral_ref": ref,
            "withdrawn_on": withdrawn_on,
            "reason": "self",
            "recorded_at": datetime.fromisoformat("2025-11-01T09:00"),
        },
    )


def add_submission(store: Store, village: str, **counts: Any) -> None:
    """Record a sweep file of a village; `counts` are of its rows' verdicts."""
    verdicts = dict.fromkeys(("accepted", "returned", "duplicate", "unchanged", "no_consent"), 0)
    staged = _staged("sweep", 1)
    kept = ("submission_id", "campaign", "phase", "round", "received_at")
    row = {name: staged[name] for name in kept} | verdicts | {"nil": False} | counts
    row |= {
        "sender_village": village,
        "template": 1,
        "sheets": ["coverage", "referral"],
        "rows_read": sum(row[verdict] for verdict in verdicts),
        "recorded_at": staged["received_at"],
    }
    _add(store, "raw_submission", row)


def contents(store: Store, table: str, columns: str = "*", order: str = "ALL") -> list[Any]:
    """Return the rows of a register table, sorted."""
    query = f"SELECT {columns} FROM register.{table} ORDER BY {order}"  # noqa: S608  names above
    return store.connection.execute(query).fetchall()


def tables(store: Store, schema: str = "register") -> list[str]:
    """Return the names of all tables of a store."""
    query = "SELECT table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY ALL"
    return [name for (name,) in store.connection.execute(query, [schema]).fetchall()]


def holding(store: Store, *markers: str) -> set[tuple[str, str]]:
    """Return (table, marker) wherever a marker stands in any column of any register table."""
    return {
        (table, marker)
        for table in tables(store)
        for marker in markers
        if store.connection.execute(
            f"SELECT 1 FROM register.{table} AS held "  # noqa: S608  names of tables
            "WHERE contains(held::VARCHAR, ?) LIMIT 1",
            [marker],
        ).fetchall()
    }


def empty(store: Store, *tables: str) -> None:
    """Empty register tables."""
    for table in tables:
        store.connection.execute(f"DELETE FROM register.{table}")  # noqa: S608  names of tests


def _staged(phase: str, number: int) -> dict[str, Any]:
    return {
        "submission_id": f"s{next(_NUMBER)}",
        "campaign": "autumn-2025",
        "phase": phase,
        "round": number,
        "sender_village": VILLAGE_1,
        "row_number": 1,
        "received_at": datetime.fromisoformat("2025-10-28T09:00"),
        "verdict": "accepted",
        "failed_rules": [],
        "is_current": True,
        "first_received_at": datetime.fromisoformat("2025-10-28T09:00"),
    }


def _add(store: Store, table: str, row: dict[str, Any]) -> None:
    names, marks = ", ".join(row), ", ".join(f"${name}" for name in row)
    statement = f"INSERT INTO register.{table} ({names}) VALUES ({marks})"  # noqa: S608  names above
    store.connection.execute(statement, row)
