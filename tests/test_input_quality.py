"""Rows sent back, counted by the cell that was wrong, and what of it may leave."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from register_rows import VILLAGE_1, VILLAGE_2, add_month, add_referral
from released_rows import make_ledger, number, release, township, withheld
from reports.write import make_report
from tasks.figures import RawFigure
from tasks.input_quality import returned_figures
from tasks.ledger import open_ledger
from tasks.plan import Plan, occurrence_at
from tasks.publish import Findings, publish
from tasks.rules.contract import SHEETS, SHEETS_OF_PHASE
from tasks.rules.disclosure import between_revisions
from tasks.rules.input_quality import RETURNED, returned_label, returned_name, returned_unit
from tasks.rules.wording import LANGUAGES, keys
from tasks.store import Store

NOW = datetime(2025, 11, 1, 9)
DUE = date(2025, 10, 31)


def returned(store: Store, ref: str, *rules: str, **changes: object) -> None:
    """Add a referral row that was sent back because it broke `rules`."""
    add_referral(
        store, ref, verdict="returned", is_current=False, failed_rules=list(rules), **changes
    )


def test_rows_are_counted_by_the_cell_that_was_wrong(store: Store, plan: Plan) -> None:
    add_referral(store, "R-0")
    returned(store, "R-1", "phone_valid")
    # two rules of one cell are one row; two cells are a row of each
    returned(store, "R-2", "resident_id_whole", "resident_id_valid", "phone_valid")
    returned(store, "R-3", "sex_valid", round=2)
    returned(store, "R-4", "sex_valid", campaign="spring-2025")

    found = returned_figures(store, plan, occurrence_at(plan, "sweep", DUE))

    assert found == [
        RawFigure("returned_referral_resident_id", "people", "", 1),
        RawFigure("returned_referral_phone", "people", "", 2),
    ]


def test_rows_about_no_person_are_rows(store: Store, plan: Plan) -> None:
    for village in (VILLAGE_1, VILLAGE_2):
        add_month(
            store,
            village,
            date(2025, 11, 1),
            verdict="returned",
            is_current=False,
            failed_rules=["month_valid"],
        )

    found = returned_figures(store, plan, occurrence_at(plan, "supervision", date(2025, 12, 5)))

    assert found == [RawFigure("returned_service_month_month", "rows", "", 2)]


def test_a_phase_that_takes_no_files_has_none(store: Store, plan: Plan) -> None:
    returned(store, "R-1", "phone_valid")
    assert "list_compilation" not in SHEETS_OF_PHASE
    listing = occurrence_at(plan, "list_compilation", date(2025, 11, 10))
    assert returned_figures(store, plan, listing) == []


COLUMNS = [(sheet, column) for sheet in SHEETS.values() for column in sheet.columns]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_has_a_name_of_its_own_without_a_number(language: str) -> None:
    names = {returned_name(sheet, column) for sheet, column in COLUMNS}
    labels = {returned_label(name, language) for name in names}
    assert len(labels) == len(names) == len(COLUMNS)
    assert not [label for label in labels if label is None or re.search(r"\d", label)]
    assert returned_label("referrals", language) is None


def test_only_counts_of_returned_rows_are_named_so() -> None:
    assert not keys(f"figure.{RETURNED}")
    assert all(
        (returned_unit(sheet) == "people") is sheet.about_people for sheet in SHEETS.values()
    )


def test_that_more_rows_came_back_makes_no_revision_by_itself(store: Store, plan: Plan) -> None:
    occurrence = occurrence_at(plan, "sweep", DUE)

    def released(referrals: int, sent_back: int) -> tuple[int, bool]:
        figures = [
            RawFigure("referrals", "people", "", referrals),
            RawFigure("returned_referral_phone", "people", "", sent_back),
        ]
        done = publish(
            store,
            plan,
            occurrence,
            DUE,
            Findings(figures),
            now=NOW,
            check=lambda _: (),
            announce=lambda _: None,
        )
        return done.revision, done.is_new

    assert released(20, 9) == (1, True)
    assert released(20, 30) == (1, False)
    assert released(40, 30) == (2, True)


def test_a_reader_may_know_that_they_only_grow() -> None:
    (grows,) = (
        each
        for each in between_revisions([("returned_referral_phone", "")])
        if each.wholes == (("returned_referral_phone", ""),)
    )
    assert grows.parts == grows.wholes


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Store]:
    with open_ledger(make_ledger(tmp_path), "write") as store:
        yield store


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_gate_knows_what_they_are_called(ledger: Store, tmp_path: Path, language: str) -> None:
    for revision, count in ((1, 15), (2, 20)):
        release(
            ledger,
            "sweep",
            [
                number("households", "households", 600),
                number("returned_referral_birth_date", "people", count),
                withheld("returned_referral_phone"),
                number("returned_coverage_grid", "rows", 3),
            ],
            round=1,
            revision=revision,
        )
    parts = make_report(
        ledger, make_ledger(tmp_path / "other"), township(language), "sweep", 1, 2, language
    )
    label = returned_label("returned_referral_birth_date", language)
    assert label is not None
    assert label in parts["html"]
    assert label in parts["csv"]
