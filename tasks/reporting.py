"""Who has reported: each village's one state, and the process figures of a sweep."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tasks.figures import TOWNSHIP, RawFigure, referrals
from tasks.plan import Occurrence, Plan
from tasks.rules.contract import REPORTING_STATES, VILLAGE_PHASES
from tasks.rules.reporting import RECEIVED_STATES, reporting_state
from tasks.store import Store


@dataclass(frozen=True)
class VillageReporting:
    """One village's reporting of a phase and round. Nil is kept apart from the state."""

    village: str
    state: str
    nil: bool
    files: int
    first_counted_at: datetime | None
    extended_to: date | None = None
    """The village's own later due day."""


def read_reporting(
    store: Store, plan: Plan, occurrence: Occurrence, as_of: date
) -> list[VillageReporting]:
    """Return every village of the plan with its state at `as_of`, in the plan's order.

    Reads the ledger only; `tasks.receive.record_arrivals` brings it up to date.
    """
    records = store.records(
        "reporting/villages", campaign=plan.slug, phase=occurrence.phase, round=occurrence.round
    )
    return _judged(plan, occurrence, as_of, {row["village"]: row for row in records})


def read_reporting_of_all(
    store: Store, plan: Plan, as_of: date
) -> dict[tuple[str, int], list[VillageReporting]]:
    """Return (phase, round) -> what `read_reporting` gives, for all phases that villages report.

    One query for all of them. Reads the ledger only.
    """
    records: dict[tuple[str, int], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in store.records("reporting/villages", campaign=plan.slug, phase=None, round=None):
        records[row["phase"], row["round"]][row["village"]] = row
    return {
        (each.phase, each.round): _judged(plan, each, as_of, records[each.phase, each.round])
        for each in plan.calendar
        if each.phase in VILLAGE_PHASES
    }


def _judged(
    plan: Plan, occurrence: Occurrence, as_of: date, records: Mapping[str, Mapping[str, Any]]
) -> list[VillageReporting]:
    """Return every village of the plan with its state; `records`: reporting/villages by village."""
    expected = {village.code for village in plan.expected(occurrence)}
    found = []
    for village in plan.villages:
        record = records.get(village.code, {})
        counted: datetime | None = record.get("first_counted_at")
        files = record.get("files", 0)
        state = reporting_state(
            expected=village.code in expected,
            due=occurrence.due,
            extended_to=record.get("extended_to"),
            first_counted=counted.date() if counted else None,
            any_received=files > 0,
            as_of=as_of,
        )
        nil, extended = record.get("nil", False), record.get("extended_to")
        found.append(VillageReporting(village.code, state, nil, files, counted, extended))
    return found


def reporting_figures(reporting: Sequence[VillageReporting]) -> list[RawFigure]:
    """Return expected, received and every reporting state as files: 1 or 0 a village, and sums."""
    rows: list[RawFigure] = []
    for each in reporting:
        flags = {
            "villages_expected": each.state != "not_expected",
            "villages_received": each.state in RECEIVED_STATES,
            **{f"reporting_{state}": each.state == state for state in REPORTING_STATES},
            "nil_returns": each.nil,
        }
        rows += [RawFigure(name, "files", each.village, int(flag)) for name, flag in flags.items()]
        rows.append(RawFigure("files_received", "files", each.village, each.files))
    return with_township(rows)


def sweep_figures(
    store: Store, plan: Plan, round: int, reporting: Sequence[VillageReporting]
) -> list[RawFigure]:
    """Return reporting, households and referrals of a sweep round, by village and township.

    A village whose rows are not accepted yet has not reported: its figures are None, not zero, and
    so are those of a village that is not expected. Referrals are counted for the village that sent
    them, and None where it said nothing of them. People are exact: health side only.
    """
    counted = {each.village for each in reporting if each.state in ("on_time", "late")}
    coverage = {
        row["village"]: row
        for row in store.records("reporting/coverage", campaign=plan.slug, round=round)
        if row["village"] in counted
    }
    known = {
        village: count for village, _, count in referrals(store, plan, round) if village in counted
    }
    rows = reporting_figures(reporting)
    households = []
    people = []
    for each in reporting:
        record = coverage.get(each.village, {})
        households += [
            RawFigure(name, "households", each.village, record.get(name))
            for name in ("households", "households_visited", "households_declined")
        ]
        people.append(RawFigure("referrals", "people", each.village, known.get(each.village)))
    refused = [row["no_consent"] for row in coverage.values()]
    return [
        *rows,
        *with_township(households),
        *with_township(people),
        RawFigure("no_consent", "people", TOWNSHIP, sum(refused) if refused else None),
    ]


def with_township(rows: Sequence[RawFigure]) -> list[RawFigure]:
    """Return the rows with a township row before each name's villages: the sum of who reported."""
    found: list[RawFigure] = []
    for name, unit in dict.fromkeys((row.name, row.unit) for row in rows):
        villages = [row for row in rows if row.name == name]
        values = [row.value for row in villages if row.value is not None]
        found.append(RawFigure(name, unit, TOWNSHIP, sum(values) if values else None))
        found += villages
    return found
