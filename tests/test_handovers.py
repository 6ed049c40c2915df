"""Handing a person over: released, accepted, and on exactly one village's list every day."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from typer.testing import CliRunner

from conftest import KEY, open_home
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
    add_register_word,
    add_registered,
    add_visit,
    add_withdrawal,
    contents,
    empty,
)
from tasks.audit import Act
from tasks.erasure import freeze_person
from tasks.exports import export_visits
from tasks.handovers import accept_person, list_handovers, release_person, take_person_back
from tasks.home import Home
from tasks.people import show_person
from tasks.plan import Plan
from tasks.rules.errors import WrongCommand
from tasks.rules.handover import (
    LAPSE_DAYS,
    Handover,
    HandoverRefused,
    accept,
    release,
    take_back,
)
from tasks.rules.visits import CLOSING, ENDING, Contact, DueVisit, due_visits
from tasks.store import Store
from tasks.visits import update_visits

AT = datetime(2025, 11, 3, 9, 0)
GIVING, TAKING = "赵医生", "钱医生"


def act(by: str, at: datetime = AT) -> Act:
    return Act(by, "handover", "搬到邻村亲属家", at=at, campaign="autumn-2025")


def responsible(store: Store, plan: Plan, day: date) -> dict[str, str]:
    """Return register number -> the village whose list the person is on."""
    update_visits(store, plan, day)
    found = contents(store, "reg_visit_due", "DISTINCT register_no, responsible_village")
    assert len(found) == len(dict(found)), "on one list only"
    return dict(found)


WAITING = Handover("a", "b", AT, "Wang Wu")
ACCEPTED = Handover("a", "b", AT, "甲", "accepted", AT, "乙")
MONTH = timedelta(days=LAPSE_DAYS)


# --- the rule -------------------------------------------------------------------------------------


def test_a_person_goes_over_when_the_other_side_accepts() -> None:
    released = release(None, holder="a", to_village="b", by=" 甲 ", at=AT)
    assert (released.state, released.released_by) == ("released", "甲")
    accepted = accept(released, holder="a", by="乙", at=AT + timedelta(days=1))
    assert (accepted.state, accepted.to_village, accepted.ended_by) == ("accepted", "b", "乙")


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (lambda: release(None, holder="a", to_village="a", by="甲", at=AT), "same_village"),
        (lambda: release(WAITING, holder="a", to_village="c", by="甲", at=AT), "waiting"),
        (lambda: accept(None, holder="a", by="乙", at=AT), "none"),
        (lambda: accept(ACCEPTED, holder="a", by="丙", at=AT), "none"),
        (lambda: accept(WAITING, holder="a", by="乙", at=AT + MONTH), "lapsed"),
        (lambda: accept(WAITING, holder="c", by="乙", at=AT), "not_responsible"),
        (lambda: accept(WAITING, holder="a", by="WANG wu", at=AT), "same_name"),
        (lambda: take_back(None, by="甲", at=AT), "none"),
        (lambda: take_back(WAITING, by="甲", at=AT + MONTH), "lapsed"),
    ],
)
def test_a_step_that_cannot_be_taken_is_refused(step: Callable[[], Handover], reason: str) -> None:
    with pytest.raises(HandoverRefused) as refused:
        step()
    assert refused.value.reason == reason


def test_what_lapsed_or_is_of_a_village_that_has_nobody_to_give_is_no_obstacle() -> None:
    assert release(WAITING, holder="a", to_village="c", by="甲", at=AT + MONTH).to_village == "c"
    assert release(WAITING, holder="b", to_village="c", by="甲", at=AT).from_village == "b"
    assert WAITING.state_on((AT + MONTH).date() - timedelta(days=1)) == "released"


# --- in the register ------------------------------------------------------------------------------


def test_the_person_stays_with_the_giving_village_until_the_other_one_accepts(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1", residence_village=VILLAGE_1)
    release_person(store, plan, act(GIVING), " g-1 ", VILLAGE_2)
    assert responsible(store, plan, AT.date()) == {"G-1": VILLAGE_1}
    accept_person(store, plan, act(TAKING, AT + timedelta(days=2)), "G-1")

    assert responsible(store, plan, date(2025, 11, 4)) == {"G-1": VILLAGE_1}
    assert responsible(store, plan, date(2025, 11, 5)) == {"G-1": VILLAGE_2}
    told = contents(store, "reg_trail WHERE what = 'handover'", "who, why, subjects")
    assert told == [(GIVING, "搬到邻村亲属家", ["G-1"]), (TAKING, "搬到邻村亲属家", ["G-1"])]


def test_the_register_naming_another_village_goes_before_an_older_hand_over(
    store: Store, plan: Plan
) -> None:
    add_registered(store, "G-1", residence_village=VILLAGE_1)
    for number, (village, by) in enumerate(((VILLAGE_2, TAKING), (VILLAGE_3, "孙医生"))):
        at = AT + timedelta(hours=number)
        release_person(store, plan, act(f"{by}的同事", at), "G-1", village)
        accept_person(store, plan, act(by, at), "G-1")
    assert responsible(store, plan, AT.date()) == {"G-1": VILLAGE_3}
    store.connection.execute(
        "UPDATE register.reg_registered SET residence_village = $v", {"v": VILLAGE_2}
    )
    assert responsible(store, plan, AT.date()) == {"G-1": VILLAGE_2}


def test_a_hand_over_that_the_register_has_overtaken_does_not_come_back(
    store: Store, plan: Plan
) -> None:
    """Whoever moves back is where the register says, not where they once were handed to."""
    add_registered(store, "G-1", residence_village=VILLAGE_1, last_visited_on=date(2025, 10, 1))
    release_person(store, plan, act(GIVING), "G-1", VILLAGE_2)
    accept_person(store, plan, act(TAKING), "G-1")
    for weeks, village in enumerate((VILLAGE_3, VILLAGE_1), start=1):
        at = AT + timedelta(weeks=weeks)
        add_register_word(store, "G-1", at, date(2025, 10, 1), residence_village=village)
        store.connection.execute(
            "UPDATE register.reg_registered SET residence_village = $v", {"v": village}
        )
        assert responsible(store, plan, at.date()) == {"G-1": village}


@pytest.mark.parametrize(
    ("number", "village", "key"),
    [
        ("G-9", VILLAGE_2, "handover.unknown_number"),
        ("G-1", VILLAGE_1, "handover.refused.same_village"),
        ("G-1", "990101001009", "handover.village"),
    ],
)
def test_a_release_that_cannot_be_is_refused_and_leaves_nothing(
    store: Store, plan: Plan, number: str, village: str, key: str
) -> None:
    add_registered(store, "G-1", residence_village=VILLAGE_1)
    with pytest.raises(WrongCommand) as refused:
        release_person(store, plan, act(GIVING), number, village)
    assert refused.value.key == key
    assert contents(store, "reg_handover") == []
    assert contents(store, "reg_trail WHERE what = 'handover'") == []


def test_who_took_consent_back_is_handed_over_to_nobody(store: Store, plan: Plan) -> None:
    add_registered(store, "R1", referral_ref="R-1")
    add_withdrawal(store, "R-1", date(2025, 11, 1))
    with pytest.raises(WrongCommand) as caught:
        release_person(store, plan, act(GIVING), "R1", VILLAGE_2)
    assert caught.value.key == "handover.unknown_number"


def test_who_released_cannot_accept_nor_after_it_was_taken_back(store: Store, plan: Plan) -> None:
    add_registered(store, "G-1", residence_village=VILLAGE_1)
    release_person(store, plan, act(GIVING), "G-1", VILLAGE_2)
    with pytest.raises(WrongCommand) as refused:
        accept_person(store, plan, act(f" {GIVING} "), "G-1")
    assert refused.value.key == "handover.refused.same_name"
    take_person_back(store, plan, act(GIVING), "G-1")
    with pytest.raises(WrongCommand) as refused:
        accept_person(store, plan, act(TAKING), "G-1")
    assert refused.value.key == "handover.refused.none"
    (step,) = list_handovers(store, act(GIVING))
    assert (step.register_no, step.handover.state) == ("G-1", "taken_back")


def test_the_visit_lists_follow(home: Home, plan: Plan) -> None:
    with open_home(home) as store:
        add_registered(store, "G-1", residence_village=VILLAGE_1, last_visited_on=date(2025, 8, 20))
        release_person(store, plan, act(GIVING), "G-1", VILLAGE_2)
        accept_person(store, plan, act(TAKING), "G-1")
        lists = [
            export_visits(store, home, plan, act(GIVING), village, "2025-11")
            for village in (VILLAGE_1, VILLAGE_2)
        ]
    assert [each and each.people for each in lists] == [None, 1]


def test_erasing_and_freezing_reach_the_hand_over(
    home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.erasure.load_campaigns", lambda home: {plan.slug: plan})
    with open_home(home) as store:
        for number in ("G-1", "G-2"):
            add_registered(store, number, residence_village=VILLAGE_1)
            release_person(store, plan, act(GIVING), number, VILLAGE_2)
        held = {each.table for each in show_person(store, act(GIVING), "G-1")}
        assert "reg_handover" in held
        receipt = freeze_person(store, home, plan, act(GIVING), "G-1")
        assert receipt.rows["reg_handover"] == 1
        assert contents(store, "reg_handover", "register_no") == [("G-2",)]


# --- the commands ---------------------------------------------------------------------------------


@pytest.fixture
def command(home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run `campaign handover …` in a home with one registered person."""
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    monkeypatch.setattr("tasks.at_home.load_campaign", lambda home, slug: plan)
    with open_home(home) as store:
        add_registered(store, "G-1", residence_village=VILLAGE_1)

    def run(*words: str) -> Any:
        from cli.handover_commands import handover  # noqa: PLC0415 # as the command line does

        common = ("--campaign", plan.slug, "--home", str(home.root), "--reason", "moved in")
        return CliRunner().invoke(handover, [*words, *common])

    return run


def test_the_commands_hand_a_person_over(command: Callable[..., Any]) -> None:
    released = command("release", "G-1", "--to", VILLAGE_2, "--by", GIVING)
    assert released.exit_code == 0
    assert "测试2村 is to accept" in released.output
    assert isinstance(command("accept", "G-1", "--by", GIVING).exception, WrongCommand)
    accepted = command("accept", "G-1", "--by", TAKING)
    assert "测试2村 is responsible from today on" in accepted.output
    assert isinstance(command("take-back", "G-1", "--by", GIVING).exception, WrongCommand)
    (listed,) = json.loads(command("list", "--json", "--by", GIVING).output)
    assert (listed["register_no"], listed["state"], listed["to"]) == ("G-1", "accepted", VILLAGE_2)
    assert "accepted" in command("list", "--by", GIVING).output


def test_a_release_can_be_taken_back(command: Callable[..., Any]) -> None:
    assert "no hand-overs" in command("list", "--by", GIVING).output
    command("release", "G-1", "--to", VILLAGE_2, "--by", GIVING)
    taken_back = command("take-back", "G-1", "--by", GIVING)
    assert "测试1村 stays responsible" in taken_back.output


# --- in any order ---------------------------------------------------------------------------------

VILLAGES = (VILLAGE_1, VILLAGE_2, VILLAGE_3)
NUMBERS = st.sampled_from(["G-1", "G-2"])


class Following(RuleBasedStateMachine):
    """Visits, attempts, closings and hand-overs in any order of arrival, beside a plain model."""

    store: ClassVar[Store]
    plan: ClassVar[Plan]

    def __init__(self) -> None:
        super().__init__()
        empty(self.store, "reg_registered", "stg_follow_up", "reg_handover", "reg_visit_due")
        self.now = AT
        self.since = date(2025, 8, 20)
        self.holders = {"G-1": VILLAGE_1, "G-2": VILLAGE_2}
        self.waiting: dict[str, Handover] = {}
        self.contacts: dict[str, list[Contact]] = {"G-1": [], "G-2": []}
        self.overdue: dict[str, set[date]] = {"G-1": set(), "G-2": set()}
        for number, village in self.holders.items():
            add_registered(
                self.store, number, residence_village=village, last_visited_on=self.since
            )

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.look()

    @rule(
        number=NUMBERS,
        ago=st.integers(0, 60),
        seen=st.sampled_from(["person", "person", "guardian", "nobody"]),
        stability=st.sampled_from([None, "stable", "basically_stable", "unstable"]),
        lost_reason=st.sampled_from([None] * 8 + list(CLOSING)),
    )
    def a_row_arrives(
        self, number: str, ago: int, seen: str, stability: str | None, lost_reason: str | None
    ) -> None:
        seen = "other" if lost_reason else seen
        row = Contact(
            self.now.date() - timedelta(days=ago),
            seen,
            stability=stability if seen in ("person", "guardian") else None,
            lost_reason=lost_reason,
            entered_on=self.now.date(),
        )
        known = self.contacts[number]
        if any(each.visited_on == row.visited_on or contradict(each, row) for each in known):
            return  # intake keeps one row a day and returns what contradicts a death
        known.append(row)
        self.overdue[number] = set()
        add_visit(self.store, number, **vars(row))

    @rule(number=NUMBERS, village=st.sampled_from(VILLAGES), by=st.sampled_from("甲乙"))
    def somebody_releases(self, number: str, village: str, by: str) -> None:
        self.now += timedelta(minutes=1)
        try:
            step = release_person(self.store, self.plan, act(by, self.now), number, village)
        except WrongCommand:
            assert village == self.holders[number] or self.is_waiting(number) or self.died(number)
        else:
            assert village != self.holders[number]
            assert not self.is_waiting(number)
            self.waiting[number] = step

    @rule(number=NUMBERS, by=st.sampled_from("甲乙"))
    def somebody_accepts(self, number: str, by: str) -> None:
        try:
            accept_person(self.store, self.plan, act(by, self.now), number)
        except WrongCommand:
            assert (
                not self.is_waiting(number)
                or self.waiting[number].released_by == by
                or self.died(number)
            )
        else:
            self.holders[number] = self.waiting.pop(number).to_village

    @rule(number=NUMBERS)
    def somebody_takes_back(self, number: str) -> None:
        try:
            take_person_back(self.store, self.plan, act("丙", self.now), number)
        except WrongCommand:
            assert not self.is_waiting(number) or self.died(number)
        else:
            del self.waiting[number]

    def is_waiting(self, number: str) -> bool:
        day = self.now.date()
        return number in self.waiting and self.waiting[number].state_on(day) == "released"

    def died(self, number: str) -> bool:
        return any(each.kind == "died" for each in self.contacts[number])

    def has_left(self, number: str) -> bool:
        counted = [
            each
            for each in sorted(self.contacts[number], key=lambda each: each.visited_on)
            if (each.met_person and each.visited_on > self.since)
            or (each.kind in ENDING and each.visited_on >= self.since)
        ]
        return self.died(number) or bool(counted and counted[-1].kind in ENDING)

    def look(self) -> None:
        """Each person here owes one visit, on one village's list; nothing overdue is gone."""
        day = self.now.date()
        update_visits(self.store, self.plan, day)
        columns = "due_on, state, visited_on, entered_on, closed_on, face_to_face"
        for number, holder in self.holders.items():
            table = f"reg_visit_due WHERE register_no = '{number}'"
            visits = [DueVisit(*row) for row in contents(self.store, table, columns)]
            assert visits == due_visits(self.since, "stable", self.contacts[number], day)
            owed = [each for each in visits if each.state in ("open", "overdue")]
            assert len(owed) == (0 if self.has_left(number) else 1)
            assert {
                village for (village,) in contents(self.store, table, "responsible_village")
            } <= {holder}
            for each in visits:
                if each.visited_on is not None:
                    in_time = each.visited_on <= each.due_on
                    assert each.state == ("done" if in_time else "late")
            overdue = {each.due_on for each in visits if each.state == "overdue"}
            assert self.overdue[number] <= overdue, "without news nothing overdue is gone"
            self.overdue[number] = overdue


def contradict(one: Contact, other: Contact) -> bool:
    """Whether one says that the person died and another is of a later day."""
    first, last = sorted((one, other), key=lambda each: each.visited_on)
    return first.kind == "died" and last.visited_on > first.visited_on


def test_whatever_comes_in_whatever_order_a_person_is_on_one_list(store: Store, plan: Plan) -> None:
    Following.store, Following.plan = store, plan
    run_state_machine_as_test(
        Following, settings=settings(max_examples=8, stateful_step_count=20, deadline=None)
    )
