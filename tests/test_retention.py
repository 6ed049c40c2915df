"""Retention: forgotten on the day, not before, once; and the figures keep their numbers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import WriteCsv, make_home, open_home, referral
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
    add_outcome,
    add_referral,
    add_registered,
    add_submission,
    add_withdrawal,
    contents,
    empty,
    holding,
    tables,
)
from tasks import erasure
from tasks.audit import Act
from tasks.compile_list import compile_list
from tasks.diagnosis_queue import update_queue
from tasks.erasure import freeze_person, is_unfinished
from tasks.exports import export_handover, export_visits
from tasks.figures import RawFigure, list_figures, queue_figures, referrals
from tasks.home import Home
from tasks.intake import take_in
from tasks.plan import Plan
from tasks.retention import Upcoming, due_next, erase_due
from tasks.rules.errors import WrongCommand
from tasks.rules.retention import Outcome, days_kept, is_old, keep_until, standing
from tasks.store import Store

ROOT = Path(__file__).parent.parent
SLUG = "autumn-2025"
PLAN_FILE = ROOT / "data" / "campaigns" / f"{SLUG}.toml"
DUE = date(2025, 11, 10)
FIRST, SECOND = date(2025, 11, 12), date(2025, 11, 19)
"""The clinic sessions of the plan."""
CONSENT = date(2025, 10, 20)
NOW = datetime(2027, 6, 1, 2, 0)


@pytest.fixture(autouse=True)
def one_plan(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home has the one campaign of the tests, without a plan file."""
    monkeypatch.setattr(erasure, "load_campaigns", lambda home: {plan.slug: plan})


def act(what: str = "retention") -> Act:
    return Act("nightly", what, "plan", at=NOW, campaign=SLUG)


def run(store: Store, home: Home, plan: Plan, as_of: date) -> Any:
    return erase_due(store, home, plan, act(), as_of)


def people(store: Store) -> set[str]:
    return {ref for (ref,) in contents(store, "stg_referral WHERE is_current", "referral_ref")}


# --- the rule ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "reason", "days"),
    [
        (None, "unassessed", 180),
        (Outcome("not_confirmed", FIRST), "not_confirmed", 30),
        (Outcome("declined", FIRST), "declined", 30),
        (Outcome("reassess", FIRST), "reassess", 180),
        (Outcome("not_confirmed", FIRST, second_opinion=True), "second_opinion", 180),
        (Outcome("confirmed", FIRST, managed=False), "unmanaged", 30),
    ],
)
def test_how_long_a_referral_stays(outcome: Outcome | None, reason: str, days: int) -> None:
    since = outcome.assessed_on if outcome else CONSENT
    assert standing(CONSENT, outcome, None) == (reason, since)
    assert days_kept(30, 180)[reason] == days


def test_who_is_on_the_register_stays_and_who_withdrew_goes_at_once() -> None:
    managed = Outcome("confirmed", FIRST, managed=True)
    assert standing(CONSENT, managed, None) is None
    assert standing(CONSENT, managed, SECOND) == ("withdrawn", SECOND)
    assert days_kept(30, 180)["withdrawn"] == 0


def test_a_consent_after_an_outcome_asks_anew() -> None:
    assert standing(SECOND, Outcome("declined", FIRST), None) == ("unassessed", SECOND)


def test_a_record_is_kept_for_thirty_years_from_its_freezing() -> None:
    assert keep_until(date(2025, 12, 1)) == date(2055, 12, 1)
    assert keep_until(date(2024, 2, 29)) == date(2054, 3, 1)


def test_a_file_is_old_once_its_days_are_over() -> None:
    assert not is_old(date(2025, 11, 1), 30, date(2025, 11, 30))
    assert is_old(date(2025, 11, 1), 30, date(2025, 12, 1))


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One open register for many small examples."""
    home = make_home(tmp_path_factory.mktemp("standing") / "home")
    with open_home(home) as store:
        yield store


OUTCOMES = st.builds(
    Outcome,
    st.sampled_from(["confirmed", "not_confirmed", "declined", "reassess"]),
    st.dates(date(2025, 10, 1), date(2025, 12, 31)),
    st.booleans(),
    st.booleans(),
)


@given(
    consented=st.dates(date(2025, 10, 1), date(2025, 12, 31)),
    told=st.lists(OUTCOMES, max_size=3, unique_by=lambda outcome: outcome.assessed_on),
    withdrawn=st.none() | st.dates(date(2025, 10, 1), date(2025, 12, 31)),
    no_show=st.booleans(),
)
def test_the_statement_says_what_the_rule_says(
    shared_store: Store,
    consented: date,
    told: list[Outcome],
    withdrawn: date | None,
    *,
    no_show: bool,
) -> None:
    store = shared_store
    empty(store, "stg_referral", "stg_assessment_outcome", "reg_withdrawal")
    add_referral(store, "R-1", consent_date=consented)
    for each in told:
        add_outcome(
            store,
            "R-1",
            each.assessed_on,
            each.outcome,
            management_consent=each.managed,
            second_opinion_requested=each.second_opinion,
        )
    if no_show:
        add_outcome(store, "R-1", date(2026, 1, 5), "no_show")
    if withdrawn:
        add_withdrawal(store, "R-1", withdrawn)
    latest = max(told, key=lambda outcome: outcome.assessed_on, default=None)

    store.run("retention/standing", campaign=SLUG)

    found = store.connection.execute("SELECT reason, since FROM retention_standing").fetchall()
    expected = standing(consented, latest, withdrawn)
    assert [row for row in found if row[0]] == ([expected] if expected else [])


# --- a run -------------------------------------------------------------------------------------


def test_on_the_day_and_not_before(store: Store, home: Home, plan: Plan) -> None:
    add_referral(store, "R-NOT", full_name="甲")
    add_referral(store, "R-WAITS", full_name="乙")
    compile_list(store, plan, DUE)
    add_outcome(store, "R-NOT", FIRST, "not_confirmed")
    update_queue(store, plan, FIRST)

    run(store, home, plan, FIRST + timedelta(days=29))
    assert people(store) == {"R-NOT", "R-WAITS"}
    run(store, home, plan, FIRST + timedelta(days=30))
    assert people(store) == {"R-WAITS"}
    run(store, home, plan, CONSENT + timedelta(days=179))
    assert people(store) == {"R-WAITS"}
    run(store, home, plan, CONSENT + timedelta(days=180))
    assert people(store) == set()


def test_a_stricter_plan_is_kept_to(store: Store, home: Home, plan: Plan) -> None:
    kept = plan.rules.retention.model_copy(update={"unconfirmed_days": 0})
    strict = plan.model_copy(update={"rules": plan.rules.model_copy(update={"retention": kept})})
    add_referral(store, "R-1")
    add_outcome(store, "R-1", FIRST, "declined")

    run(store, home, strict, FIRST)

    assert people(store) == set()


def test_the_person_is_nowhere_and_the_receipt_names_nobody(
    store: Store, home: Home, plan: Plan
) -> None:
    add_referral(store, "R-1", full_name="孔雀石", phone="13812345678", resident_key="密钥")
    add_outcome(store, "R-1", FIRST, "not_confirmed")
    compile_list(store, plan, DUE)
    update_queue(store, plan, FIRST)

    receipt = run(store, home, plan, date(2026, 3, 1))

    assert holding(store, "孔雀石", "13812345678", "密钥") == set()
    assert {table for table, _ in holding(store, "R-1")} == {"reg_trail"}
    assert (receipt.people, receipt.rows["stg_referral"]) == (1, 1)
    assert is_unfinished(store)
    kept = contents(store, "reg_receipt", "receipt_id, kind, people")
    assert kept == [(receipt.receipt_id, "retention", 1)]


def test_the_same_day_again_removes_nothing_and_leaves_a_receipt(
    store: Store, home: Home, plan: Plan
) -> None:
    add_referral(store, "R-1")
    add_outcome(store, "R-1", FIRST, "not_confirmed")
    compile_list(store, plan, DUE)
    update_queue(store, plan, FIRST)
    as_of = date(2026, 3, 1)
    first = run(store, home, plan, as_of)
    names = [name for name in tables(store) if name not in ("reg_receipt", "reg_trail")]
    before = {name: contents(store, name) for name in names}

    again = run(store, home, plan, as_of)

    assert {name: contents(store, name) for name in names} == before
    assert (again.people, sum(again.rows.values())) == (0, 0)
    assert first.receipt_id != again.receipt_id
    assert len(contents(store, "reg_receipt")) == 2


def test_who_is_on_the_register_is_not_touched(store: Store, home: Home, plan: Plan) -> None:
    add_referral(store, "R-1")
    compile_list(store, plan, DUE)
    add_outcome(store, "R-1", FIRST, "confirmed")
    update_queue(store, plan, FIRST)

    run(store, home, plan, date(2026, 9, 1))

    assert people(store) == {"R-1"}
    assert len(contents(store, "reg_registered")) == 1


def test_a_withdrawn_referral_of_a_registered_person_goes_and_the_record_stays(
    store: Store, home: Home, plan: Plan
) -> None:
    add_referral(store, "R-1", contact_name="绿松石")
    compile_list(store, plan, DUE)
    add_outcome(store, "R-1", FIRST, "confirmed")
    update_queue(store, plan, FIRST)
    add_withdrawal(store, "R-1", SECOND)

    run(store, home, plan, SECOND)

    assert holding(store, "绿松石") == set()
    update_queue(store, plan, date(2026, 1, 1))
    assert len(contents(store, "reg_registered")) == 1
    assert contents(store, "stg_assessment_outcome", "outcome") == [("confirmed",)]


def test_a_withdrawal_keeps_the_person_back_even_when_the_referral_is_gone(
    store: Store, home: Home, plan: Plan
) -> None:
    add_referral(store, "R-1")
    compile_list(store, plan, DUE)
    add_outcome(store, "R-1", FIRST, "confirmed")
    update_queue(store, plan, FIRST)
    add_withdrawal(store, "R-1", SECOND)
    ((number,),) = contents(store, "reg_registered", "register_no")

    run(store, home, plan, SECOND)

    assert export_visits(store, home, plan, act("export visits"), VILLAGE_1, "2027-06") is None
    with pytest.raises(WrongCommand) as refused:
        export_handover(store, home, plan, act("export handover"), number, "邻镇卫生院")
    assert refused.value.key == "export.not_covered"
    freeze_person(store, home, plan, act("freeze"), number)
    assert contents(store, "reg_withdrawal") == [], "it goes with the entry"


def test_one_withdrawn_referral_of_several_goes_and_the_person_stays_listed(
    store: Store, home: Home, plan: Plan
) -> None:
    one = {"resident_key": "k", "full_name": "甲"}
    add_referral(store, "R-A", **one, phone="13812345678", sender_village=VILLAGE_1)
    add_referral(store, "R-B", **one, sender_village=VILLAGE_2)
    compile_list(store, plan, DUE)
    add_withdrawal(store, "R-A", SECOND)

    run(store, home, plan, SECOND)

    assert people(store) == {"R-B"}
    assert holding(store, "13812345678") == set()
    listed = contents(store, "reg_person", "revision, person_ref, referrals")
    assert listed == [(2, "R-B", 1)]
    assert not compile_list(store, plan, DUE).is_new


def test_a_day_to_come_is_refused(store: Store, home: Home, plan: Plan) -> None:
    add_referral(store, "R-1")
    with pytest.raises(WrongCommand) as refused:
        run(store, home, plan, NOW.date() + timedelta(days=1))
    assert refused.value.key == "retention.not_yet"
    assert people(store) == {"R-1"}
    assert contents(store, "reg_receipt") == []


def test_a_frozen_record_goes_when_its_time_is_over(store: Store, home: Home, plan: Plan) -> None:
    add_registered(store, "R20200001", full_name="孔雀石")
    freeze_person(store, home, plan, act("freeze"), "R20200001")
    until = keep_until(NOW.date())
    later = Act("nightly", "retention", "plan", at=datetime(2060, 1, 1), campaign=SLUG)

    erase_due(store, home, plan, later, until)
    assert holding(store, "孔雀石") == {("reg_frozen", "孔雀石")}
    assert due_next(store, plan, until) == [Upcoming(until + timedelta(days=1), "frozen", 1)]
    receipt = erase_due(store, home, plan, later, until + timedelta(days=1))
    assert holding(store, "孔雀石") == set()
    assert receipt.people == 1


def test_what_is_due_next_is_told_by_day_and_reason(store: Store, home: Home, plan: Plan) -> None:
    for ref in ("R-1", "R-2"):
        add_referral(store, ref, full_name=f"名{ref}")
        add_outcome(store, ref, FIRST, "not_confirmed")
    add_referral(store, "R-3", full_name="丙", consent_date=FIRST)
    as_of = FIRST + timedelta(days=10)

    assert due_next(store, plan, as_of) == [
        Upcoming(FIRST + timedelta(days=30), "not_confirmed", 2)
    ]
    assert due_next(store, plan, FIRST + timedelta(days=30)) == []


def test_files_go_when_their_days_are_over(store: Store, home: Home, plan: Plan) -> None:
    def put(path: Path, day: date) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        noon = datetime(day.year, day.month, day.day, 12).timestamp()
        os.utime(path, (noon, noon))
        return path

    old, new = date(2025, 11, 1), date(2025, 11, 20)
    gone = [
        put(home.returns(VILLAGE_1) / "sweep-1.xlsx", old),
        put(home.inbox / "refused" / "a.xlsx", date(2024, 1, 1)),
        put(home.inbox / "refused" / "a.xlsx.txt", old),
    ]
    kept = [
        put(home.returns(VILLAGE_1) / "sweep-2.xlsx", new),
        put(home.inbox / "refused" / "b.xlsx", date(2024, 1, 1)),
        put(home.inbox / "refused" / "b.xlsx.txt", new),
        put(home.inbox / "c.xlsx", old),
    ]

    receipt = run(store, home, plan, date(2025, 12, 1))

    assert [path for path in gone if path.exists()] == []
    assert all(path.exists() for path in kept), "by the day it was refused, not of its content"
    assert receipt.files == 3


def test_an_old_file_of_the_village_does_not_bring_anybody_back(
    store: Store, home: Home, plan: Plan, write_csv: WriteCsv
) -> None:
    def receive(name: str, at: datetime, **changes: str) -> Any:
        path = write_csv("referral", [referral(**changes)], name=name)
        (result,) = take_in(store, {SLUG: plan}, [path], received_at=at, recorded_at=at, keep=True)
        return result.rows

    assert receive("a.csv", datetime(2025, 10, 28))["accepted"] == 1
    as_of = date(2025, 10, 20) + timedelta(days=180)
    run(store, home, plan, as_of)
    assert receive("b.csv", datetime(2026, 4, 20), observed_signs="2")["no_consent"] == 1
    again = as_of + timedelta(days=180)
    run(store, home, plan, again)
    assert contents(store, "reg_lapsed") == [], "any consent from before has expired by itself"


# --- the numbers that stay ---------------------------------------------------------------------


def figures(store: Store, plan: Plan, as_of: date) -> dict[str, Any]:
    """Return every exact figure about people: of sweep, list and queue."""

    def by_key(found: list[RawFigure]) -> dict[tuple[str, str], float | None]:
        return {(each.name, each.village): each.value for each in found}

    return {
        "sweep": referrals(store, plan),
        "list_compilation": by_key(list_figures(store, plan)),
        "diagnosis_queue": by_key(queue_figures(store, plan, as_of)),
    }


def add_season(store: Store, plan: Plan) -> None:
    """Referrals of two villages and two rounds of consent, with every outcome there is."""
    for village in (VILLAGE_1, VILLAGE_2, VILLAGE_3):
        add_submission(store, village, accepted=1)
    add_registered(store, "R20200001", full_name="戊", resident_key="k5")
    days = {"A": 3, "B": 9, "C": 15, "D": 20, "E": 21, "F": 22, "G": 23, "H": 24}
    for name, day in days.items():
        add_referral(
            store,
            f"R-{name}",
            full_name=f"名{name}",
            consent_date=date(2025, 10, day),
            sender_village=VILLAGE_1 if name in "ABCE" else VILLAGE_2,
            residence_village=VILLAGE_1 if name in "ACD" else VILLAGE_2,
            care_setting="hospital" if name == "H" else "home",
            resident_key="k5" if name == "E" else None,
        )
    add_referral(store, "R-A2", full_name="名A", sender_village=VILLAGE_2, consent_date=CONSENT)
    compile_list(store, plan, DUE)
    update_queue(store, plan, DUE)
    add_outcome(store, "R-A", FIRST, "not_confirmed")
    add_outcome(store, "R-B", FIRST, "declined")
    add_outcome(store, "R-C", SECOND, "confirmed")
    add_outcome(store, "R-D", SECOND, "confirmed", management_consent=False)
    add_outcome(store, "R-F", SECOND, "not_confirmed", second_opinion_requested=True)
    add_withdrawal(store, "R-G", SECOND)


def test_no_figure_falls_because_somebody_was_forgotten(
    store: Store, home: Home, plan: Plan
) -> None:
    add_season(store, plan)
    as_of = SECOND + timedelta(days=30)
    compile_list(store, plan, as_of)
    update_queue(store, plan, as_of)
    before = figures(store, plan, as_of)

    run(store, home, plan, as_of)

    assert people(store) == {"R-C", "R-E", "R-F", "R-H"}
    assert figures(store, plan, as_of) == before, "without a rerun of list and queue"
    assert not compile_list(store, plan, as_of).is_new
    update_queue(store, plan, as_of)
    assert figures(store, plan, as_of) == before, "and with it"
    assert before["diagnosis_queue"]["people_not_confirmed", ""] == 2
    assert before["diagnosis_queue"]["sessions_held", ""] == 2
    assert before["list_compilation"]["people_listed", ""] == 7


def test_figures_hold_when_everybody_was_forgotten_over_several_nights(
    store: Store, home: Home, plan: Plan
) -> None:
    """Only waiting and booked fall: whose referral has expired does not wait any more."""
    add_season(store, plan)
    as_of = SECOND + timedelta(days=1)
    compile_list(store, plan, as_of)
    update_queue(store, plan, as_of)
    before = figures(store, plan, as_of)

    for day in (SECOND + timedelta(days=n) for n in (5, 25, 30, 190)):
        run(store, home, plan, day)
        update_queue(store, plan, day)

    assert people(store) == {"R-C"}, "who is on the register"
    after = figures(store, plan, day)
    for waits in ("people_waiting", "people_booked"):
        assert after["diagnosis_queue"].pop((waits, "")) == 0
        before["diagnosis_queue"].pop((waits, ""))
    assert after == before


def test_what_stays_is_numbers_only(store: Store, home: Home, plan: Plan) -> None:
    add_season(store, plan)
    update_queue(store, plan, SECOND)
    run(store, home, plan, SECOND + timedelta(days=190))

    kept = contents(store, "reg_tally", "name, village, amount")
    assert ("people_listed", VILLAGE_1, 2) in kept
    assert sum(people for _, people in contents(store, "reg_waited", "days, people")) == 3
    text = str([contents(store, name) for name in ("reg_tally", "reg_waited", "reg_session_held")])
    assert "R-" not in text
    assert "名" not in text


def test_the_next_referral_is_counted_beside_those_who_were_forgotten(
    store: Store, home: Home, plan: Plan
) -> None:
    add_submission(store, VILLAGE_1, accepted=1)
    add_referral(store, "R-1")
    add_outcome(store, "R-1", FIRST, "declined")
    run(store, home, plan, date(2026, 1, 1))
    add_referral(store, "R-2", full_name="乙")

    assert referrals(store, plan) == [(VILLAGE_1, 1, 2)]


# --- the command -------------------------------------------------------------------------------


def campaign(home: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"CAMPAIGN_HOME": str(home), "CAMPAIGN_LANG": "zh"},
    )


def test_a_day_to_come_or_a_round_is_refused_before_anything_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert campaign(home, "init", "--plan", PLAN_FILE).returncode == 0
    command = ("run", "retention", "--campaign", SLUG, "--as-of")

    to_come = campaign(home, *command, "2999-01-01")
    with_round = campaign(home, *command, "2025-12-01", "--round", 1)

    assert (to_come.returncode, to_come.stdout, to_come.stderr.count("\n")) == (2, "", 1)
    assert "2999-01-01" in to_come.stderr
    assert (with_round.returncode, with_round.stderr.count("\n")) == (2, 1)
    assert not (home / "prefect").exists()


@pytest.mark.slow
def test_the_command_runs_the_flow_and_shows_the_receipt(
    tmp_path: Path, write_csv: WriteCsv
) -> None:
    home, village = tmp_path / "home", "990101101201"
    assert campaign(home, "init", "--plan", PLAN_FILE).returncode == 0
    own = {"residence_village": village, "registered_village": village}
    path = write_csv("referral", [referral(full_name="孔雀石", **own)], village=village)
    received = campaign(home, "receive", path, "--received-at", "2025-10-28T09:00")
    assert received.returncode == 0, received.stderr
    command = ("run", "retention", "--campaign", SLUG, "--as-of")

    before = campaign(home, *command, "2026-04-13")  # a Monday
    ran = campaign(home, *command, "2026-04-18")
    again = campaign(home, *command, "2026-04-18", "--json")

    assert before.returncode == ran.returncode == again.returncode == 0, ran.stderr
    assert "2026-04-18：同意后一直未评估 1 人" in before.stdout
    assert "涉及 1 人" in ran.stdout
    waiting = json.loads(campaign(home, "outbox", "list", "--json").stdout)
    assert waiting["draft"] == 1, "the health side is told on Mondays that something falls due"
    assert set(json.loads(again.stdout)) == {"campaign", "as_of", "receipt_id", "inbox"}
    stored = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert "孔雀石".encode() not in stored
