"""Monthly supervision: what was owed and delivered, three things to do, and making good."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
    add_month,
    add_readiness,
    add_registered,
    add_visit,
)
from tasks.figures import supervision_figures
from tasks.plan import Occurrence, Plan
from tasks.rules.errors import CheckFailed
from tasks.rules.rectification import Rectification, rectify
from tasks.rules.supervision import (
    RECTIFIED,
    SHORTFALLS,
    Service,
    actions,
    judge,
    shortfalls,
    to_rectify,
)
from tasks.rules.wording import keys
from tasks.store import Store
from tasks.supervise import SupervisionResult, supervise

NOVEMBER, DECEMBER = date(2025, 11, 1), date(2025, 12, 1)
DUE = date(2025, 12, 5)
GOOD = Service(
    reporting="on_time",
    visits_overdue=0,
    status_updated=True,
    care_group_met=True,
    subsidy_applied=2,
    subsidy_paid=2,
)
UNSAID = {
    "status_updated": None,
    "care_group_met": None,
    "subsidy_applied": None,
    "subsidy_paid": None,
}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ()),
        ({"reporting": "late"}, ("report_late",)),
        ({"reporting": "missing", **UNSAID}, ("report_missing",)),
        ({"reporting": "returned", **UNSAID}, ("report_missing",)),
        ({"reporting": "extended", **UNSAID}, ()),
        ({"visits_overdue": 1}, ("visits_overdue",)),
        ({"status_updated": False}, ("status_not_updated",)),
        ({"care_group_met": False}, ("care_group_not_met",)),
        ({"subsidy_paid": 1}, ("subsidy_unpaid",)),
        (
            {
                "reporting": "late",
                "visits_overdue": 2,
                "status_updated": False,
                "care_group_met": False,
                "subsidy_paid": 0,
            },
            SHORTFALLS[1:],
        ),
    ],
)
def test_shortfalls_in_order_of_weight(changes: dict[str, Any], found: tuple[str, ...]) -> None:
    assert shortfalls(judge(replace(GOOD, **changes))) == found
    assert actions(found) == found[:3]


def test_what_a_missing_report_did_not_say_is_no_shortfall_and_not_made_good() -> None:
    judged = judge(replace(GOOD, reporting="missing", **UNSAID))
    unknown = ("status_not_updated", "care_group_not_met", "subsidy_unpaid")
    assert [judged[name] for name in unknown] == [None, None, None]


def test_every_shortfall_has_words() -> None:
    wanted = {f"{kind}.{name}" for kind in ("shortfall", "action") for name in SHORTFALLS}
    assert wanted <= set(keys())


# Rectifications, month after month


def look(
    known: tuple[Rectification, ...], month: int, holds: bool | None
) -> tuple[Rectification, ...]:
    """Look at one shortfall of one village in a month."""
    found = dict.fromkeys(RECTIFIED, False) | {"visits_overdue": holds}
    day = date(2025, month, 5)
    return rectify(
        {VILLAGE_1: found},
        known,
        round=month,
        on=day,
        due=day.replace(day=19),
        due_provisional=False,
    )


OPENED = Rectification(
    VILLAGE_1, "visits_overdue", 3, date(2025, 3, 5), date(2025, 3, 19), due_provisional=False
)
CLOSED = replace(OPENED, closed_round=5, closed_on=date(2025, 5, 5))


def test_one_is_opened_once_kept_and_closed_when_seen_to_be_gone() -> None:
    assert look((), 3, holds=True) == (OPENED,)
    assert look((OPENED,), 3, holds=True) == (OPENED,)
    assert look((OPENED,), 4, holds=True) == (OPENED,)
    assert look((OPENED,), 4, holds=None) == (OPENED,)
    assert look((OPENED,), 5, holds=False) == (CLOSED,)
    assert look((CLOSED,), 6, holds=False) == (CLOSED,)
    again = look((CLOSED,), 6, holds=True)
    assert [each.opened_round for each in again] == [3, 6]


def test_the_month_that_opened_one_never_closes_it() -> None:
    assert look((OPENED,), 3, holds=False) == (OPENED,)


def test_a_rerun_of_an_earlier_month_does_not_disturb_later_ones() -> None:
    assert look((CLOSED,), 3, holds=True) == (CLOSED,)
    assert look((CLOSED,), 4, holds=True) == (CLOSED,)
    assert look((CLOSED,), 5, holds=False) == (CLOSED,)
    assert look((OPENED,), 2, holds=True) == (OPENED,)
    assert look((OPENED,), 2, holds=False) == (OPENED,)


def test_a_late_report_is_not_rectified() -> None:
    judged = to_rectify(dict.fromkeys(SHORTFALLS, True))
    opened = rectify({VILLAGE_1: judged}, (), round=1, on=DUE, due=DUE, due_provisional=False)
    assert {each.shortfall for each in opened} == RECTIFIED == set(SHORTFALLS) - {"report_late"}


@given(st.lists(st.tuples(st.integers(1, 12), st.sampled_from([True, False, None])), max_size=12))
def test_never_two_open_at_once_and_the_same_look_again_changes_nothing(
    looks: list[tuple[int, bool | None]],
) -> None:
    known: tuple[Rectification, ...] = ()
    for month, holds in looks:
        known = look(known, month, holds)
        assert look(known, month, holds) == known
        assert sum(each.closed_round is None for each in known) <= 1
        assert len({each.opened_round for each in known}) == len(known)
        assert all(
            each.closed_round is None or each.closed_round > each.opened_round for each in known
        )


# The look itself


@pytest.fixture
def occurrence(plan: Plan) -> Occurrence:
    """Supervision of November 2025, due on 5 December."""
    return plan.occurrence("supervision", 1)


REPORTING = {VILLAGE_1: "on_time", VILLAGE_2: "late", VILLAGE_3: "missing"}


def november(store: Store) -> None:
    """Put a month of three villages into the register: one good, one late and weak, one silent."""
    add_registered(store, "G-1", last_visited_on=date(2025, 8, 15), residence_village=VILLAGE_1)
    add_visit(store, "G-1", date(2025, 11, 10))
    add_registered(store, "G-2", last_visited_on=date(2025, 8, 3), residence_village=VILLAGE_2)
    add_visit(store, "G-2", date(2025, 11, 20))
    add_registered(store, "G-3", last_visited_on=date(2025, 7, 1), residence_village=VILLAGE_2)
    add_registered(store, "G-4", last_visited_on=date(2025, 8, 30), residence_village=VILLAGE_3)
    add_month(store, VILLAGE_1, NOVEMBER)
    add_month(
        store,
        VILLAGE_2,
        NOVEMBER,
        status_updated_on=date(2025, 10, 31),
        care_group_met=False,
        subsidy_paid=1,
    )
    add_month(store, VILLAGE_3, DECEMBER)


def record(store: Store, result: SupervisionResult) -> None:
    """Write a look's rectifications to the ledger, as publish does."""
    for each in result.rectifications:
        store.connection.execute(
            "INSERT OR REPLACE INTO ledger.agg_rectification VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                "autumn-2025",
                each.village,
                each.shortfall,
                each.opened_round,
                each.opened_on,
                each.due,
                each.due_provisional,
                each.closed_round,
                each.closed_on,
            ],
        )


def test_a_month_of_three_villages(store: Store, plan: Plan, occurrence: Occurrence) -> None:
    november(store)

    result = supervise(store, plan, occurrence, DUE, reporting=REPORTING)

    first, second, third = result.villages
    assert (result.round, result.period) == (1, "2025-11")
    assert (first.visits_due, first.visits_done, first.visits_late, first.visits_overdue) == (
        1,
        1,
        0,
        0,
    )
    assert (first.shortfalls, first.actions) == ((), ())
    assert (second.visits_due, second.visits_done, second.visits_late, second.visits_overdue) == (
        1,
        0,
        1,
        1,
    )
    assert second.shortfalls == SHORTFALLS[1:]
    assert second.actions == ("visits_overdue", "status_not_updated", "report_late")
    assert (third.visits_due, third.visits_overdue) == (1, 1)
    assert third.status_updated is None
    assert third.guardian_contacts is None
    assert third.shortfalls == ("report_missing", "visits_overdue")


def test_rectifications_are_due_on_a_workday_and_made_good_by_a_later_month(
    store: Store, plan: Plan, occurrence: Occurrence
) -> None:
    november(store)
    # 14 days after Saturday 6 December lies Saturday 20 December
    saturday = date(2025, 12, 6)
    result = supervise(store, plan, occurrence, saturday, reporting=REPORTING)
    assert {(each.village, each.shortfall) for each in result.opened} == {
        (VILLAGE_2, "visits_overdue"),
        (VILLAGE_2, "status_not_updated"),
        (VILLAGE_2, "care_group_not_met"),
        (VILLAGE_2, "subsidy_unpaid"),
        (VILLAGE_3, "report_missing"),
        (VILLAGE_3, "visits_overdue"),
    }
    assert {(each.opened_on, each.due) for each in result.opened} == {
        (saturday, date(2025, 12, 19))
    }

    record(store, result)
    assert supervise(store, plan, occurrence, saturday, reporting=REPORTING) == result

    add_visit(store, "G-4", date(2025, 12, 8))
    add_visit(store, "G-3", date(2025, 12, 8))
    add_month(store, VILLAGE_2, DECEMBER)
    january = replace(occurrence, round=2, period="2025-12", due=date(2026, 1, 5))
    later = supervise(
        store, plan, january, date(2026, 1, 5), reporting=REPORTING | {VILLAGE_2: "on_time"}
    )
    assert later.opened == ()
    assert {(each.village, each.shortfall) for each in later.open} == {
        (VILLAGE_3, "report_missing")
    }
    assert {each.closed_on for each in later.closed} == {date(2026, 1, 5)}

    # the earlier month once more: as it was, and nothing later undone
    record(store, later)
    rerun = supervise(store, plan, occurrence, saturday, reporting=REPORTING)
    assert rerun.villages == result.villages
    assert (rerun.open, rerun.closed) == (later.rectifications, ())
    assert rerun.rectifications == later.rectifications


def test_before_the_due_day_nothing_is_opened(
    store: Store, plan: Plan, occurrence: Occurrence
) -> None:
    november(store)
    result = supervise(store, plan, occurrence, date(2025, 12, 4), reporting=REPORTING)
    assert result.rectifications == ()
    assert result.villages[1].shortfalls


def test_villages_that_owe_nothing_are_not_looked_at(
    store: Store, plan: Plan, occurrence: Occurrence
) -> None:
    one = replace(occurrence, villages=(VILLAGE_1, VILLAGE_2))
    result = supervise(
        store, plan, one, DUE, reporting={VILLAGE_1: "on_time", VILLAGE_2: "not_expected"}
    )
    assert [each.village for each in result.villages] == [VILLAGE_1]


def test_an_expected_village_without_a_reporting_state_stops_the_look(
    store: Store, plan: Plan, occurrence: Occurrence
) -> None:
    with pytest.raises(CheckFailed) as stopped:
        supervise(store, plan, occurrence, DUE, reporting={VILLAGE_1: "on_time"})
    assert stopped.value.key == "supervision.reporting_incomplete"


def test_figures_of_a_month(store: Store, plan: Plan, occurrence: Occurrence) -> None:
    november(store)
    result = supervise(store, plan, occurrence, DUE, reporting=REPORTING)

    figures = supervision_figures(result)

    found = {(figure.name, figure.village): figure.value for figure in figures}
    assert len(found) == len(figures) == 18 * 4
    township = {name: value for (name, village), value in found.items() if not village}
    assert township == {
        "status_updated": 1,
        "care_group_met": 1,
        "reporting_on_time": 1,
        "reporting_late": 1,
        "reporting_missing": 1,
        "reporting_returned": 0,
        "visits_due": 3,
        "visits_done": 1,
        "visits_late": 1,
        "visits_overdue": 2,
        "guardian_contacts": 6,
        "rehabilitation_sessions": 2,
        "subsidy_applied": 4,
        "subsidy_reviewed": None,
        "subsidy_paid": 3,
        "rectifications_open": 6,
        "rectifications_opened": 6,
        "rectifications_closed": 0,
    }
    assert found["subsidy_paid", VILLAGE_3] is None
    assert found["reporting_missing", VILLAGE_3] == 1
    assert found["rectifications_open", VILLAGE_1] == 0
    units = {figure.name: figure.unit for figure in figures}
    assert units["subsidy_applied"] == "people"
    assert units["visits_overdue"] == "visits"


def test_what_no_village_said_is_not_reported(
    store: Store, plan: Plan, occurrence: Occurrence
) -> None:
    silent = dict.fromkeys(REPORTING, "missing")
    figures = supervision_figures(supervise(store, plan, occurrence, DUE, reporting=silent))
    found = {(figure.name, figure.village): figure.value for figure in figures}
    assert found["guardian_contacts", ""] is None
    assert found["visits_due", ""] == 0


def test_readiness_is_shown_where_the_plan_asked_for_it(
    store: Store, plan: Plan, occurrence: Occurrence
) -> None:
    november(store)
    add_readiness(store, VILLAGE_1)
    add_readiness(store, VILLAGE_2, drill_date=None)
    asked = Occurrence(
        phase="readiness",
        round=0,
        period=None,
        opens=date(2025, 8, 1),
        due=date(2025, 9, 30),
        words="2025-09-30",
        rule="none",
        provisional=False,
        ad_hoc=False,
    )
    owing = plan.model_copy(update={"calendar": (asked, *plan.calendar)})

    def readiness(of: Plan, as_of: date) -> dict[str, float | None]:
        result = supervise(store, of, occurrence, as_of, reporting=REPORTING)
        return {
            figure.village: figure.value
            for figure in supervision_figures(result)
            if figure.name == "readiness_complete"
        }

    assert readiness(owing, occurrence.due) == {
        "": 1,
        VILLAGE_1: 1,
        VILLAGE_2: 0,
        VILLAGE_3: None,
    }
    assert readiness(plan, occurrence.due) == {}
    assert readiness(owing, date(2025, 9, 29)) == {}
