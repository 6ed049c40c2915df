"""The raw archive: rows as they came, inside the register only, and nothing without consent."""

from datetime import datetime
from pathlib import Path
from typing import Any

from conftest import RECEIVED, WriteCsv, coverage, referral
from register_rows import contents, holding
from tasks.intake import take_in
from tasks.plan import Plan
from tasks.rules.contract import SHEETS
from tasks.store import Store


def receive(store: Store, plan: Plan, *paths: Path, at: datetime = RECEIVED) -> Any:
    return take_in(store, {plan.slug: plan}, paths, received_at=at, recorded_at=at, keep=True)


def id_number(first17: str) -> str:
    """Return 17 digits with their check digit (GB 11643-1999)."""
    weights = [pow(2, 17 - place, 11) for place in range(17)]
    rest = sum(int(digit) * weight for digit, weight in zip(first17, weights, strict=True)) % 11
    return first17 + "10X98765432"[rest]


def test_an_accepted_row_is_kept_as_it_came_without_its_id_number(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    number = id_number("99010119800102001")
    row = referral(resident_id=number, phone="138 0013 8000", birth_date="1980.1.2")

    (result,) = receive(store, plan, write_csv("referral", [row]))

    assert result.rows["accepted"] == 1
    ((sheet, verdict, cells),) = contents(store, "raw_row", "sheet, verdict, cells")
    columns = [each.name for each in SHEETS["referral"].columns if each.name != "resident_id"]
    assert (sheet, verdict) == ("referral", "accepted")
    assert dict(zip(columns, cells, strict=True)) == {name: row[name] for name in columns}
    assert holding(store, number) == set()
    ((key,),) = contents(store, "stg_referral", "resident_key")
    assert key


def test_every_row_read_is_archived_and_only_accepted_ones_have_cells(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    rows = [
        referral(),
        referral(),
        referral(row_no="3", full_name="钱五", phone="12"),
        referral(row_no="4", full_name="孙六", consent_by=""),
    ]
    receive(store, plan, write_csv("referral", rows))
    receive(store, plan, write_csv("referral", [*rows, referral(full_name="周七")]))

    kept = contents(store, "raw_row", "verdict, cells IS NOT NULL")

    assert sorted(kept) == [
        ("accepted", True),
        ("accepted", True),
        ("duplicate", False),
        ("duplicate", False),
        ("no_consent", False),
        ("no_consent", False),
        ("returned", False),
        ("returned", False),
        ("unchanged", False),
    ]


def test_no_cell_of_a_row_without_consent_reaches_the_register(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    """Each cell carries a marker of its own; whichever of the consent cells is the one missing."""
    marked = {
        "full_name": "孔雀石",
        "phone": "13912345678",
        "contact_name": "绿松石",
        "contact_phone": "13898765432",
        "birth_date": "1931-07-19",
        "resident_id": id_number("99010119310719002"),
        "consent_date": "2025-10-17",
    }
    gaps = [{"consent_by": ""}, {"consent_date": ""}, {"consent_scope": ""}, {"consent_by": "拒绝"}]
    rows = [referral(**(marked | gap)) for gap in gaps]
    # given, but unreadable: it goes back by number and reason, and leaves nothing either
    rows.append(referral(**(marked | {"consent_date": "去年"})))
    rows.append(referral(full_name="在册甲"))

    (result,) = receive(store, plan, write_csv("referral", [*rows], name="转介.csv"))

    assert (result.rows["no_consent"], result.rows["returned"], result.rows["accepted"]) == (
        4,
        1,
        1,
    )
    assert holding(store, *marked.values(), "去年") == set()
    assert {table for table, _ in holding(store, "在册甲")} == {"stg_referral", "raw_row"}


def test_sheets_without_people_are_archived_too(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    receive(store, plan, write_csv("coverage", [coverage(grid="二网格")]))

    assert holding(store, "二网格") == {("stg_coverage", "二网格"), ("raw_row", "二网格")}


def test_checking_archives_nothing(store: Store, plan: Plan, write_csv: WriteCsv) -> None:
    path = write_csv("referral", [referral()])
    take_in(
        store, {plan.slug: plan}, [path], received_at=RECEIVED, recorded_at=RECEIVED, keep=False
    )
    assert contents(store, "raw_row") == []
