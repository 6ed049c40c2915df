"""What kind of value a column of the contract holds, and what a template fills in by itself.

The contract (`tasks/rules/contract.py`) names columns and closed lists; a template also has to
know which cells are dates, which are codes that must stay text, and which may be left blank.
"""

from collections.abc import Sequence
from typing import Literal

from tasks.rules.contract import Column, Sheet

Kind = Literal["choice", "date", "month", "count", "code", "id", "phone", "name", "licence", "text"]

_KINDS: dict[Kind, tuple[str, ...]] = {
    "date": (
        "training_date",
        "drill_date",
        "visits_from",
        "visits_to",
        "birth_date",
        "consent_date",
        "assessed_on",
        "visited_on",
        "entered_on",
        "status_updated_on",
        "confirmed_on",
        "last_visited_on",
        "trained_on",
    ),
    "month": ("month",),
    "count": (
        "row_no",
        "trained_people",
        "households",
        "households_visited",
        "households_declined",
        "no_consent_count",
        "rating",
        "guardian_contacts",
        "rehabilitation_sessions",
        "subsidy_applied",
        "subsidy_reviewed",
        "subsidy_paid",
        "problems_raised",
    ),
    "code": ("village_code", "residence_village", "registered_village"),
    "id": ("resident_id",),
    "phone": ("phone", "contact_phone"),
    "name": ("full_name", "contact_name"),
    "licence": ("psychiatrist_licence", "clinician_licence"),
    "text": ("grid", "observed_signs", "referral_ref", "register_no"),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}

_MAY_BE_BLANK: dict[str, frozenset[str]] = {
    "readiness": frozenset({"training_date", "trained_people", "drill_date"}),
    "coverage": frozenset({"nil_return"}),
    "referral": frozenset(
        {
            "resident_id",
            "registered_village",
            "phone",
            "contact_name",
            "contact_relation",
            "contact_phone",
            "observed_signs",
        }
    ),
    "assessment_outcome": frozenset({"second_opinion_requested"}),
    "follow_up": frozenset({"lost_reason"}),
    "service_month": frozenset({"status_updated_on", "subsidy_reviewed"}),
    "care_group": frozenset({"trained_on"}),
    "registered_person": frozenset(
        {"resident_id", "registered_village", "phone", "stability", "last_visited_on"}
    ),
}

FILLED_IN = ("village_code", "grid", "month", "row_no", "role")
"""What a template fills in by itself; it is no statement of the village's."""


def kind_of(column: Column) -> Kind:
    """Return what a cell of `column` holds; KeyError for a column this page does not know."""
    return "choice" if column.choices else _KIND_OF[column.name]


def may_be_blank(sheet: Sheet, column: Column) -> bool:
    """Return whether a row holds its rules without this cell, as rows ordinarily are."""
    return column.name in _MAY_BE_BLANK[sheet.name]


def says_something(sheet: Sheet, cells: Sequence[str]) -> bool:
    """Return whether a row (cells in the order of the sheet's columns) is a row at all.

    A row with nothing but what the template filled in is one that nobody filled: a template sent
    back as it came is an empty file, and the numbered lines left over are not people who refused.
    """
    return not silent_rows(sheet, [[cell] for cell in cells])


def silent_rows(sheet: Sheet, columns: Sequence[Sequence[str]]) -> Sequence[int]:
    """Return which rows, counted from 0, say nothing, as `says_something` judges one.

    `columns` are the cells of each of the sheet's columns, in their order: a cell for each row.
    """
    silent: Sequence[int] = range(len(columns[0]))
    for column, cells in zip(sheet.columns, columns, strict=True):
        if column.name not in FILLED_IN:
            silent = [row for row in silent if not cells[row].strip()]
    return silent
