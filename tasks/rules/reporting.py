"""Reporting states: what each village owed for a phase and round, and what came of it."""

from datetime import date

from tasks.rules.contract import REPORTING_STATES

RECEIVED_STATES = ("on_time", "late", "returned")
"""The states of a village from which at least one submission with content came."""


def reporting_state(
    *,
    expected: bool,
    due: date,
    extended_to: date | None,
    first_counted: date | None,
    any_received: bool,
    as_of: date,
) -> str:
    """Return the one reporting state of a village (DOMAIN.md section 6).

    `due`: the phase's due day; `extended_to`: the village's own later one, or None; both end at
    24:00. `first_counted`: the day the first submission came of which a row was accepted or that
    was a nil return; a later correction never changes it. `any_received`: whether anything with
    content came. Days are days of the plan's time zone.
    """
    effective = max(due, extended_to) if extended_to else due
    if not expected:
        state = "not_expected"
    elif first_counted is not None:
        state = "on_time" if first_counted <= effective else "late"
    elif any_received:
        state = "returned"
    elif extended_to is not None and as_of <= effective:
        state = "extended"
    else:
        state = "missing"
    assert state in REPORTING_STATES  # noqa: S101 # a state outside the list is a defect
    return state
