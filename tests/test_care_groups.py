"""Care groups: rosters without names, and guardians' subsidies as counts over the months."""

from collections import deque
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conftest import occurrence, write_workbook
from register_rows import VILLAGE_1, VILLAGE_2, VILLAGE_3, add_month, add_role, contents
from tasks.care_groups import Roster, roster_figures, roster_gaps, rosters, subsidy_accounts
from tasks.home import Home
from tasks.intake import FileResult
from tasks.plan import Plan
from tasks.plan.model import Rules
from tasks.receive import receive
from tasks.rules.contract import CHOICES, SHEETS, Identity
from tasks.rules.subsidies import SubsidyMonth, account
from tasks.store import Store

Row = dict[str, object]
AS_OF = date(2025, 12, 31)
REQUIRED = ("village_secretary", "village_doctor", "grid_worker", "disability_commissioner")


@pytest.fixture(scope="module")
def months(plan: Plan) -> Plan:
    """The house's plan with the supervision of October before that of November."""
    october = occurrence("supervision", date(2025, 10, 1), date(2025, 11, 5), 1, "2025-10")
    november = occurrence("supervision", date(2025, 11, 1), date(2025, 12, 5), 2, "2025-11")
    others = [each for each in plan.calendar if each.phase != "supervision"]
    return plan.model_copy(update={"calendar": (*others, october, november)})


def role(name: str, filled: str = "是", **changes: object) -> Row:
    return {"village_code": VILLAGE_1, "role": name, "filled": filled} | changes


def month(name: str, **changes: object) -> Row:
    return {
        "village_code": VILLAGE_1,
        "month": name,
        "care_group_met": "是",
        "status_updated_on": f"{name}-20",
        "guardian_contacts": "3",
        "rehabilitation_sessions": "1",
        "subsidy_applied": "2",
        "subsidy_paid": "2",
        "problems_raised": "0",
        **changes,
    }


class Sender:
    """Village 1, sending workbooks of its months one after the other."""

    def __init__(self, store: Store, home: Home, plan: Plan, folder: Path) -> None:
        self.store, self.home, self.plan, self.folder = store, home, plan, folder
        self.at = datetime(2025, 12, 1, 9)

    def file(self, round: int, **sheets: Sequence[Row]) -> Path:
        path = self.folder / f"{len(list(self.folder.glob('*.xlsx')))}.xlsx"
        identity = Identity(self.plan.slug, "supervision", round, VILLAGE_1, 1)
        return write_workbook(path, sheets, identity)

    def deliver(self, *files: Path) -> list[FileResult]:
        """Have `files` received, a minute after what was received before."""
        self.at += timedelta(minutes=1)
        plans = {self.plan.slug: self.plan}
        received = receive(
            self.store, self.home, plans, files, received_at=self.at, recorded_at=self.at
        )
        return [each.result for each in received]

    def send(self, round: int, **sheets: Sequence[Row]) -> FileResult:
        (result,) = self.deliver(self.file(round, **sheets))
        return result


@pytest.fixture
def village(store: Store, home: Home, months: Plan, tmp_path: Path) -> Sender:
    (tmp_path / "sent").mkdir()
    return Sender(store, home, months, tmp_path / "sent")


def told(result: FileResult) -> dict[str, int]:
    """Return verdict -> rows, without the verdicts that nothing had."""
    return {name: rows for name, rows in result.rows.items() if rows and name != "read"}


def reasons(result: FileResult) -> list[tuple[str, ...]]:
    return [row.rules for row in result.returned]


# ------------------------------------------------------------------ the roster as it comes in


def test_a_roster_comes_with_the_month_and_is_corrected_like_any_sheet(village: Sender) -> None:
    group = [role("村医"), role("网格员", "否"), role("网格员", "否")]
    first = village.send(1, service_month=[month("2025-10")], care_group=group)
    assert told(first) == {"accepted": 3, "duplicate": 1}

    again = village.send(1, care_group=[role("乡村医生"), role("网格员", "是")])
    assert told(again) == {"unchanged": 1, "accepted": 1}
    stands = contents(village.store, "stg_care_group WHERE is_current", "role, filled", order="1")
    assert stands == [("grid_worker", True), ("village_doctor", True)]


def test_a_role_said_to_be_filled_and_not_is_returned_in_both_rows(village: Sender) -> None:
    result = village.send(1, care_group=[role("村医"), role("村医", "否"), role("社工")])
    assert reasons(result) == [("role_valid",), ("role_valid",)]
    assert told(result) == {"returned": 2, "accepted": 1}


def test_no_role_of_a_care_group_is_one_of_police_or_security() -> None:
    words = {spelling for spellings in CHOICES["care_role"].values() for spelling in spellings}
    assert not [word for word in words | set(CHOICES["care_role"]) if set(word) & set("警综治保安")]


def test_a_roster_is_no_report_of_the_month(village: Sender) -> None:
    def counts() -> list[tuple[Any, ...]]:
        query = "SELECT counts FROM ledger.agg_submission ORDER BY received_at"
        return village.store.connection.execute(query).fetchall()

    village.send(1, care_group=[role("村医")])
    assert counts() == [(False,)]
    village.send(1, service_month=[month("2025-10")], care_group=[role("村医")])
    assert counts() == [(False,), (True,)]


# ------------------------------------------------------------------ what a group lacks


def test_what_a_village_said_last_of_a_role_stands_in_every_campaign(
    store: Store, plan: Plan
) -> None:
    early, late = datetime(2025, 10, 1, 9), datetime(2025, 12, 1, 9)
    add_role(store, VILLAGE_1, "village_doctor", received_at=early, campaign="spring-2025")
    add_role(store, VILLAGE_1, "grid_worker", received_at=early, filled=False)
    add_role(store, VILLAGE_1, "grid_worker", received_at=late)
    add_role(store, VILLAGE_1, "volunteer", received_at=early, trained_on=date(2025, 9, 1))
    add_role(store, VILLAGE_2, "village_doctor", received_at=late)

    before = roster_gaps(store, plan, date(2025, 11, 30))
    assert before == {VILLAGE_1: ("village_secretary", "grid_worker", "disability_commissioner")}, (
        "village 2 has said nothing yet"
    )
    after = roster_gaps(store, plan, AS_OF)
    assert after[VILLAGE_1] == ("village_secretary", "disability_commissioner")
    assert VILLAGE_3 not in after, "what is not known is no gap"
    volunteer = rosters(store, plan, AS_OF)[VILLAGE_1].roles["volunteer"]
    assert (volunteer.trained_on, volunteer.stated_on) == (date(2025, 9, 1), early.date())


@pytest.mark.parametrize("required", [REQUIRED, ("social_worker",)])
def test_the_plan_says_which_roles_are_required(
    store: Store, plan: Plan, required: tuple[str, ...]
) -> None:
    for name in REQUIRED:
        add_role(store, VILLAGE_1, name)
    rules = plan.rules.model_copy(update={"care_group_roles": required})
    wanting = plan.model_copy(update={"rules": rules})
    assert roster_gaps(store, wanting, AS_OF) == {
        VILLAGE_1: () if required == REQUIRED else ("social_worker",)
    }


@pytest.mark.parametrize("roles", [(), ("police",), ("village_doctor", "village_doctor")])
def test_a_plan_names_each_required_role_once_and_no_other(roles: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Rules(care_group_roles=roles)


def test_roles_filled_are_counted_where_a_roster_is_known(store: Store, plan: Plan) -> None:
    add_role(store, VILLAGE_1, "village_doctor")
    add_role(store, VILLAGE_1, "grid_worker", filled=False)
    found = {
        (each.name, each.village): each.value
        for each in roster_figures(store, plan, [VILLAGE_1, VILLAGE_2], AS_OF)
    }
    assert found == {
        ("care_roles_owed", ""): 8,
        ("care_roles_filled", ""): 1,
        ("care_roles_owed", VILLAGE_1): 4,
        ("care_roles_owed", VILLAGE_2): 4,
        ("care_roles_filled", VILLAGE_1): 1,
        ("care_roles_filled", VILLAGE_2): None,
    }


def test_a_role_nobody_spoke_of_is_missing() -> None:
    assert Roster(VILLAGE_1).missing(REQUIRED) == REQUIRED


# ------------------------------------------------------------------ subsidies, month by month


def test_what_was_applied_for_in_one_month_may_be_paid_in_the_next(village: Sender) -> None:
    october = month("2025-10", subsidy_applied="5", subsidy_reviewed="4", subsidy_paid="1")
    november = month("2025-11", subsidy_applied="0", subsidy_reviewed="1", subsidy_paid="4")
    # in one delivery, the later month first
    files = [
        village.file(2, service_month=[november]),
        village.file(1, service_month=[october]),
    ]
    assert [told(each) for each in village.deliver(*files)] == [{"accepted": 1}] * 2


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"subsidy_paid": "5"}, "subsidy_paid_within_applied"),
        ({"subsidy_reviewed": "6"}, "subsidy_reviewed_within_applied"),
    ],
)
def test_nothing_is_reviewed_or_paid_before_it_is_applied_for(
    village: Sender, changes: Row, rule: str
) -> None:
    applied = {"subsidy_applied": "5", "subsidy_paid": "1"}
    village.send(1, service_month=[month("2025-10", **applied)])
    nothing = {"subsidy_applied": "0", "subsidy_paid": "0", **changes}
    result = village.send(2, service_month=[month("2025-11", **nothing)])
    assert reasons(result) == [(rule,)]
    # the month before is put right; then it holds, in a file that is not the very same
    village.send(1, service_month=[month("2025-10", **applied | {"subsidy_applied": "6"})])
    again = month("2025-11", **nothing, problems_raised="1")
    assert told(village.send(2, service_month=[again])) == {"accepted": 1}


def test_a_month_is_judged_by_what_it_says_now_and_not_by_what_it_said(village: Sender) -> None:
    village.send(1, service_month=[month("2025-10", subsidy_applied="9")])
    wrong = month("2025-10", subsidy_applied="1", subsidy_paid="3")
    assert reasons(village.send(1, service_month=[wrong])) == [("subsidy_paid_within_applied",)]


def test_a_month_that_was_reported_and_now_differs_is_a_correction(village: Sender) -> None:
    village.send(1, service_month=[month("2025-10")])
    corrected = village.send(1, service_month=[month("2025-10", guardian_contacts="9")])
    assert told(corrected) == {"accepted": 1}
    assert contents(village.store, "stg_service_month WHERE is_current", "guardian_contacts") == [
        (9,)
    ]


def test_a_template_from_before_reviews_were_asked_for_still_works(village: Sender) -> None:
    village.send(1, service_month=[month("2025-10")])
    assert contents(village.store, "stg_service_month", "subsidy_reviewed") == [(None,)]


def test_an_account_holds_each_month_once_and_what_is_overdue(store: Store, plan: Plan) -> None:
    october, november = date(2025, 10, 1), date(2025, 11, 1)
    add_month(store, VILLAGE_1, october, subsidy_applied=5, subsidy_paid=1, subsidy_reviewed=4)
    add_month(store, VILLAGE_1, november, subsidy_applied=3, subsidy_paid=2)
    # another campaign asked for the same month, later
    add_month(
        store,
        VILLAGE_1,
        november,
        campaign="year-2025",
        received_at=datetime(2025, 12, 20),
        subsidy_applied=4,
        subsidy_paid=2,
    )
    (found,) = subsidy_accounts(store, plan, date(2025, 12, 31)).items()
    village, held = found
    assert (village, held.applied, held.reviewed, held.paid) == (VILLAGE_1, 9, 4, 3)
    assert (held.overdue, held.waiting) == (2, 6), "of October's five, two are not paid"
    assert subsidy_accounts(store, plan, date(2025, 12, 30))[VILLAGE_1].overdue == 0


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8),
    st.integers(1, 120),
    st.integers(0, 400),
)
def test_the_oldest_application_is_paid_first(
    counts: list[tuple[int, int]], days: int, after: int
) -> None:
    first = date(2025, 1, 31)
    said = [
        SubsidyMonth(first + timedelta(days=30 * at), applied, None, paid)
        for at, (applied, paid) in enumerate(counts)
    ]
    as_of = first + timedelta(days=after)
    waiting: deque[date] = deque(each.last_day for each in said for _ in range(each.applied))
    for _ in range(sum(each.paid for each in said)):
        if waiting:
            waiting.popleft()
    late = sum((as_of - day).days > days for day in waiting)
    assert account(said, as_of, days).overdue == late


def test_no_sheet_asks_for_an_amount_of_money() -> None:
    heads = "".join(
        head for sheet in SHEETS.values() for column in sheet.columns for head in column.heads
    )
    assert not [word for word in ("金额", "元", "标准", "amount") if word in heads]
