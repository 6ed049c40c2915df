"""The checks: one Great Expectations suite a table.

Row rules (the boolean columns of a staged sheet) may be broken: they decided the row's verdict, and
the suite must count exactly the rows that the verdicts count. Table rules may not: a broken one
stops the phase. Every condition selects the rows that break a rule as `1`, so that no result can
hold a cell.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.execution_engine import ExecutionEngine
from great_expectations.expectations.expectation import Expectation

from tasks.rules.booking import STATES, STILL_QUEUED
from tasks.rules.contract import (
    CHOICES,
    FIGURE_STATES,
    REPORTING_STATES,
    SHEETS,
    UNITS,
    VERDICTS,
)
from tasks.rules.visits import CLOSING
from tasks.rules.visits import STATES as VISIT_STATES

ROW_RULE = "row_rule"
TABLE_RULE = "table_rule"


@dataclass(frozen=True)
class TableRule:
    """A rule of a whole table: `broken` is the SQL condition of the rows that break it."""

    name: str
    broken: str
    once_by: str | None = None
    """With it, `broken` is the condition of the rows of which there may be one at most by these
    columns; what is counted are the values that stand twice."""


class CountOfBroken(gxe.UnexpectedRowsExpectation):
    """How many rows a query gives. GX's own asks again for the rows, which nobody may see."""

    metric_dependencies = ("unexpected_rows_query.row_count",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        broken = metrics["unexpected_rows_query.row_count"]
        return {"success": broken == 0, "result": {"observed_value": broken}}


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


_STAGED = (
    TableRule("verdict_known", f"verdict NOT IN ({_listed(VERDICTS)})"),
    TableRule("accepted_holds_all", "verdict = 'accepted' AND len(failed_rules) > 0"),
    TableRule("returned_has_reason", "verdict = 'returned' AND len(failed_rules) = 0"),
    TableRule("current_is_accepted", "is_current AND verdict <> 'accepted'"),
    TableRule(
        "one_current_a_key",
        "is_current",
        "campaign, phase, round, sender_village, row_key",
    ),
)

_PEOPLE = {
    "referral": TableRule(
        "only_accepted_identified",
        "verdict <> 'accepted' AND (full_name IS NOT NULL OR phone IS NOT NULL "
        "OR resident_key IS NOT NULL OR birth_date IS NOT NULL OR contact_name IS NOT NULL)",
    ),
    "registered_person": TableRule(
        "only_accepted_identified",
        "verdict <> 'accepted' AND (full_name IS NOT NULL OR phone IS NOT NULL "
        "OR resident_key IS NOT NULL OR birth_date IS NOT NULL)",
    ),
}

_CONSENT = TableRule(
    "consent_complete",
    "is_current AND (consent_by IS NULL OR consent_date IS NULL OR consent_scope IS NULL)",
)

_TABLES: dict[str, tuple[TableRule, ...]] = {
    "raw_submission": (
        TableRule(
            "rows_accounted",
            "rows_read <> accepted + returned + duplicate + unchanged + no_consent",
        ),
        TableRule("received_before_recorded", "received_at > recorded_at + INTERVAL 1 DAY"),
    ),
    "reg_person": (
        TableRule("one_row_a_person", "true", "person_ref"),
        TableRule("has_referrals", "linked = 0 OR linked <> referrals"),
        TableRule("has_village", "responsible_village IS NULL"),
        TableRule(
            "care_setting_known",
            f"care_setting NOT IN ({_listed(CHOICES['care_setting'])})",
        ),
    ),
    "reg_person_referral": (
        TableRule("every_referral_listed", "person_ref IS NULL"),
        TableRule("one_person_a_referral", "true", "referral_ref"),
    ),
    "reg_registered": (
        TableRule("diagnosed_by_psychiatrist", "diagnosis IS NULL OR psychiatrist_licence IS NULL"),
        TableRule("one_row_a_number", "true", "register_no"),
    ),
    "reg_queue": (
        TableRule("state_known", f"state NOT IN ({_listed(STATES)})"),
        TableRule(
            "position_while_waiting", f"(position IS NULL) = (state IN ({_listed(STILL_QUEUED)}))"
        ),
        TableRule("one_position_each", "position IS NOT NULL", "position"),
    ),
    "reg_booking": (TableRule("one_place_a_session", "true", "session_date, person_ref"),),
    "reg_visit_due": (
        TableRule("state_known", f"state NOT IN ({_listed(VISIT_STATES)})"),
        TableRule("done_in_time", "state = 'done' AND (visited_on IS NULL OR visited_on > due_on)"),
        TableRule("overdue_not_visited", "state = 'overdue' AND visited_on IS NOT NULL"),
        TableRule(
            "not_made_not_visited",
            f"state IN ({_listed(CLOSING)}) AND visited_on IS NOT NULL",
        ),
        TableRule("closed_has_a_day", "(closed_on IS NULL) <> (state IN ('open', 'overdue'))"),
    ),
    "agg_reporting": (
        TableRule("state_known", f"state NOT IN ({_listed(REPORTING_STATES)})"),
        TableRule("one_state_a_village", "true", "village"),
        TableRule(
            "counted_has_a_day",
            # a village that is not expected may send something all the same
            "state <> 'not_expected' "
            "AND (first_counted_at IS NULL) = (state IN ('on_time', 'late'))",
        ),
        TableRule("nothing_came_from_missing", "state IN ('missing', 'extended') AND files > 0"),
    ),
    "out_figure": (
        TableRule("state_known", f"state NOT IN ({_listed(FIGURE_STATES)})"),
        TableRule("unit_known", f"unit NOT IN ({_listed(UNITS)})"),
        TableRule("one_row_a_figure", "true", "audience, name, village"),
        TableRule("value_only_released", "(value IS NULL) = (state IN ('released', 'zero'))"),
        TableRule("zero_is_zero", "state = 'zero' AND value <> 0"),
        TableRule(
            # the least that every plan keeps to; the gate checks the plan's own numbers
            "people_protected",
            "unit = 'people' AND state = 'released' AND (value < 10 OR value % 5 <> 0)",
        ),
        TableRule("rate_within_hundred", "unit = 'percent' AND value > 100"),
    ),
}

TABLES_OF_PHASE: dict[str, tuple[str, ...]] = {
    "readiness": ("raw_submission", "stg_readiness", "stg_care_group"),
    "sweep": ("raw_submission", "stg_coverage", "stg_referral"),
    "list_compilation": ("stg_referral", "reg_person", "reg_person_referral"),
    "aggregation": ("stg_coverage", "reg_person"),
    "diagnosis_queue": ("stg_assessment_outcome", "reg_registered", "reg_queue", "reg_booking"),
    "follow_up": (
        "raw_submission",
        "stg_follow_up",
        "stg_registered_person",
        "reg_registered",
        "reg_visit_due",
    ),
    "supervision": (
        "raw_submission",
        "stg_service_month",
        "stg_care_group",
        "stg_readiness",
        "stg_follow_up",
        "stg_registered_person",
        "reg_visit_due",
    ),
    "quarterly_pack": ("stg_service_month", "stg_follow_up", "reg_registered", "reg_visit_due"),
}
"""The tables whose suites a phase runs before anything of it is published."""

CANDIDATE_TABLES = ("agg_reporting", "out_figure")
"""What is about to enter the ledger; their suites run last."""


def sheet_of(table: str) -> str | None:
    """Return the sheet a staged table holds, or None for any other table."""
    return table.removeprefix("stg_") if table.startswith("stg_") else None


def is_about_people(table: str) -> bool:
    """Return whether a row of `table` is about a person."""
    sheet = sheet_of(table)
    return table.startswith("reg_") if sheet is None else SHEETS[sheet].about_people


def build_suite(table: str) -> gx.ExpectationSuite:
    """Return the suite of `table`; each expectation's meta says its rule and which kind it is."""
    sheet = sheet_of(table)
    suite = gx.ExpectationSuite(name=table)
    for expectation in _expectations(table, sheet):
        suite.add_expectation(expectation)
    return suite


def _expectations(table: str, sheet: str | None) -> list[Expectation]:
    if sheet is None:
        return [_table_expectation(rule) for rule in _TABLES[table]]
    rules = list(_STAGED)
    if sheet in _PEOPLE:
        rules += [_PEOPLE[sheet], _CONSENT]
    return [
        *(
            gxe.ExpectColumnValuesToBeInSet(
                column=rule.name, value_set=[True], meta={"rule": rule.name, "kind": ROW_RULE}
            )
            for rule in SHEETS[sheet].rules
        ),
        *(_table_expectation(rule) for rule in rules),
    ]


def _table_expectation(rule: TableRule) -> Expectation:
    broken = f"SELECT 1 AS broken FROM {{batch}} WHERE {rule.broken}"  # noqa: S608 # rules above
    if rule.once_by:
        # by a number first: of a million long keys hardly any is left to be compared as such
        twice = (
            f"SELECT hash({rule.once_by}) FROM {{batch}} WHERE {rule.broken} "  # noqa: S608
            "GROUP BY ALL HAVING count(*) > 1"
        )
        broken += (
            f" AND hash({rule.once_by}) IN ({twice}) GROUP BY {rule.once_by} HAVING count(*) > 1"
        )
    return CountOfBroken(unexpected_rows_query=broken, meta={"rule": rule.name, "kind": TABLE_RULE})
