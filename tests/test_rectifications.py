"""A rectification's life: opened by a look, closed by a look or by the supervisor, or escalated."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cli.main import main
from cli.rectification_commands import SHORTFALL_HELP
from conftest import occurrence
from released_rows import make_ledger, release
from reports.gate import notice_gate
from tasks.clock import simulated
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.plan import Plan, copy_plan
from tasks.rectifications import (
    after_look,
    close_by_supervisor,
    escalations,
    give_evidence,
    not_accept,
    overdue_of_villages,
    read_rectifications,
)
from tasks.reminders import write_reminders
from tasks.rules.contract import CHOICES
from tasks.rules.errors import WrongCommand
from tasks.rules.known_names import NameList
from tasks.rules.readiness import READINESS_SHORTFALLS
from tasks.rules.rectification import (
    MADE_GOOD,
    MOVES,
    STATES,
    STEPS,
    Rectification,
    Step,
    close,
    escalated,
    rectify,
    require_step,
    state_of,
)
from tasks.rules.supervision import RECTIFIED, SHORTFALLS, actions
from tasks.rules.wording import LANGUAGES, keys, say
from tasks.store import Store

PLAN_FILE = Path(__file__).parents[1] / "data" / "campaigns" / "autumn-2025.toml"
SLUG = "autumn-2025"
ONE, TWO = "990101001001", "990101001002"
VILLAGE = "990101101201"
"""Of that plan."""
LOOKS = {1: date(2025, 12, 5), 2: date(2026, 1, 5), 3: date(2026, 2, 5)}
DUE = date(2025, 12, 19)
OPENED = Rectification(ONE, "visits_overdue", 1, LOOKS[1], DUE, due_provisional=False)
DAY = date(2025, 12, 10)
SEEN = Step("evidence", DAY, "王站长", DAY, evidence="visited")
REFUSED = Step("not_accepted", DAY, "王站长", DAY, reason="not_finished")
DONE = Step("closed", DAY, "王站长", DAY)


# --- what people may do ---------------------------------------------------------------------------


def test_only_evidence_leads_to_a_closing_by_hand() -> None:
    assert state_of([]) == "open"
    assert state_of([SEEN]) == state_of([SEEN, SEEN]) == "evidence_given"
    assert state_of([SEEN, REFUSED]) == "open"
    assert state_of([SEEN, REFUSED, SEEN, DONE]) == "closed"
    assert state_of([SEEN], closed=True) == "closed"


@pytest.mark.parametrize(
    ("state", "step", "key"),
    [
        ("open", "closed", "no_evidence"),
        ("open", "not_accepted", "no_evidence"),
        ("closed", "evidence", "over"),
        ("closed", "not_accepted", "over"),
        ("closed", "closed", "over"),
    ],
)
def test_what_leads_nowhere_is_refused(state: str, step: str, key: str) -> None:
    with pytest.raises(WrongCommand) as refused:
        require_step(state, step)
    assert refused.value.key == f"rectification.{key}"


def test_every_step_of_every_state_is_decided() -> None:
    taken = {(state, step) for state in STATES for step in STEPS if (state, step) in MOVES}
    assert taken == set(MOVES)
    assert {state for state, _ in MOVES} == {"open", "evidence_given"}


@pytest.mark.parametrize(
    ("on", "round"),
    [
        (date(2025, 12, 19), 2),
        (LOOKS[2], 2),
        (date(2026, 1, 6), 3),
        # after the last look
        (date(2026, 3, 1), 4),
        # on the very day of the look that opened it
        (LOOKS[1], 2),
    ],
)
def test_what_a_person_closed_is_seen_by_the_look_that_comes_next(on: date, round: int) -> None:
    closed = close(OPENED, on, LOOKS)
    assert (closed.closed_round, closed.closed_on) == (round, on)
    assert closed.open_after(round - 1)
    assert not closed.open_after(round)


def test_what_readiness_opened_is_closed_in_its_own_round() -> None:
    closed = close(replace(OPENED, opened_round=0), DUE, LOOKS)
    assert (closed.closed_round, closed.closed_on) == (0, DUE)
    assert not closed.open_after(0)


def test_a_shortfall_that_still_holds_opens_a_new_one_next_month() -> None:
    closed = close(OPENED, DUE, LOOKS)
    after = look([closed], 2, holds=True)
    assert [(each.opened_round, each.closed_round) for each in after] == [(1, 2), (2, None)]
    assert look([closed], 2, holds=False) == [closed]
    assert look([closed], 1, holds=True) == [closed], "the month that opened it opens no second"


def test_a_later_checklist_makes_good_what_readiness_found() -> None:
    found = {"drill_not_held": True}
    day = date(2025, 9, 30)

    def ready(known: tuple[Rectification, ...], on: date, holds: bool | None) -> Any:
        return rectify(
            {ONE: found | {"drill_not_held": holds}},
            known,
            round=0,
            on=on,
            due=on + timedelta(days=14),
            due_provisional=False,
        )

    (opened,) = ready((), day, holds=True)
    assert opened.opened_round == 0
    assert ready((opened,), day, holds=False) == (opened,), "the same day's look again"
    assert ready((opened,), day + timedelta(days=3), holds=None) == (opened,)
    (closed,) = ready((opened,), day + timedelta(days=3), holds=False)
    assert (closed.closed_round, closed.closed_on) == (0, day + timedelta(days=3))
    assert opened.open_after(1)
    assert not closed.open_after(1)
    assert look([opened], 1, holds=False) == [opened], "a month does not show it"


def test_it_is_overdue_after_its_due_day_until_it_is_closed() -> None:
    assert OPENED.days_overdue(DUE) == 0
    assert OPENED.days_overdue(DUE + timedelta(days=1)) == 1
    closed = replace(OPENED, closed_round=2, closed_on=date(2026, 1, 5))
    assert closed.days_overdue(date(2026, 1, 4)) == 16
    assert closed.days_overdue(date(2026, 1, 5)) == 0


def test_each_look_that_finds_it_overdue_escalates_it_once() -> None:
    assert escalated(OPENED, LOOKS) == 2
    assert escalated(OPENED, LOOKS, before=3) == 1
    assert escalated(OPENED, {1: LOOKS[1]}) == 0
    assert escalated(replace(OPENED, closed_round=3, closed_on=LOOKS[3]), LOOKS) == 1


def test_what_is_overdue_leads_the_things_to_do() -> None:
    found = ("visits_overdue", "status_not_updated", "report_late")
    assert actions(found) == found
    assert actions(found, ["care_group_not_met"]) == (
        "care_group_not_met",
        "visits_overdue",
        "status_not_updated",
    )
    assert actions(found, ["report_late"]) == (
        "report_late",
        "visits_overdue",
        "status_not_updated",
    )


@given(
    st.lists(st.sampled_from(SHORTFALLS), unique=True),
    st.lists(st.sampled_from(SHORTFALLS), unique=True),
)
def test_at_most_three_things_and_none_twice(found: list[str], overdue: list[str]) -> None:
    named = actions(found, overdue)
    assert len(named) == len(set(named)) == min(3, len({*found, *overdue}))
    assert set(named[: len(overdue)]) <= set(overdue)


def look(
    known: list[Rectification], round: int, holds: bool | None, on: date | None = None
) -> list[Rectification]:
    """Look at one shortfall of one village."""
    day = on or LOOKS.get(round, date(2025, 11, 5) + timedelta(days=30 * round))
    found = rectify(
        {ONE: {"visits_overdue": holds}},
        known,
        round=round,
        on=day,
        due=day + timedelta(days=14),
        due_provisional=False,
    )
    return list(found)


class Life(RuleBasedStateMachine):
    """Looks and people, in any order, while the months go by."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[Rectification] = []
        self.steps: dict[int, list[Step]] = {}
        self.round = 0
        self.day = LOOKS[1]
        self.closed_before: set[Rectification] = set()

    def due_days(self) -> dict[int, date]:
        return {n: LOOKS[1] + timedelta(days=30 * (n - 1)) for n in range(1, 40)}

    @rule(holds=st.sampled_from([True, False, None]))
    def next_look(self, holds: bool | None) -> None:
        """The next month's."""
        self.round += 1
        self.day = self.due_days()[self.round]
        self.known = look(self.known, self.round, holds, self.day)
        assert look(self.known, self.round, holds, self.day) == self.known

    @rule(holds=st.sampled_from([True, False, None]), back=st.integers(0, 3))
    def look_again(self, holds: bool | None, back: int) -> None:
        """A late file makes a new revision of a month."""
        if self.round > back:
            self.known = look(self.known, self.round - back, holds, self.day)
            assert look(self.known, self.round - back, holds, self.day) == self.known

    @rule(days=st.integers(0, 20), step=st.sampled_from(STEPS))
    def act(self, days: int, step: str) -> None:
        """A person does something about the one that is open, if that may be done."""
        standing = [each for each in self.known if each.closed_round is None]
        if not standing:
            return
        (this,) = standing
        taken = self.steps.setdefault(this.opened_round, [])
        state = state_of(taken)
        on = self.day + timedelta(days=days)
        if (state, step) not in MOVES:
            with pytest.raises(WrongCommand):
                require_step(state, step)
            return
        taken.append(Step(step, on, "A", on))
        if step == "closed":
            closed = close(this, on, self.due_days())
            self.known = [closed if each == this else each for each in self.known]

    @invariant()
    def at_most_one_is_open(self) -> None:
        """A village is asked for one thing once."""
        assert sum(each.closed_round is None for each in self.known) <= 1

    @invariant()
    def what_was_closed_stays_as_it_was(self) -> None:
        """Nothing opens again; what holds still is a new one."""
        closed = {each for each in self.known if each.closed_round is not None}
        assert self.closed_before <= closed
        self.closed_before = closed

    @invariant()
    def each_month_opens_one_and_closes_after_it_was_opened(self) -> None:
        """The ledger's key holds, and no look closes what it opened."""
        assert len({each.opened_round for each in self.known}) == len(self.known)
        for each in self.known:
            assert each.closed_round is None or each.closed_round > each.opened_round
            assert each.closed_on is None or each.closed_on >= each.opened_on

    @invariant()
    def who_closes_by_hand_has_seen_evidence(self) -> None:
        """No closing without it."""
        for steps in self.steps.values():
            names = [each.step for each in steps]
            assert "closed" not in names or names[-2:] == ["evidence", "closed"]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


# --- in the ledger --------------------------------------------------------------------------------


@pytest.fixture
def supervised(plan: Plan) -> Plan:
    """Three months of supervision."""
    names = ("2025-11", "2025-12", "2026-01")
    months = [
        occurrence("supervision", due.replace(day=1), due, round, name)
        for name, (round, due) in zip(names, LOOKS.items(), strict=True)
    ]
    return plan.model_copy(update={"calendar": tuple(months)})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Store]:
    with open_ledger(make_ledger(tmp_path / "home"), "write") as store:
        yield store


def opened(store: Store, *rows: Rectification) -> None:
    """Put rectifications into the ledger, as publishing does."""
    for each in rows or (OPENED,):
        store.connection.execute(
            "INSERT INTO ledger.agg_rectification VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [SLUG, *vars(each).values()],
        )


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10)


def evidence(store: Store, plan: Plan, **changes: Any) -> Any:
    given: dict[str, Any] = {"evidence": "visited", "on": date(2025, 12, 9), "by": "王站长"}
    given |= {"now": at(date(2025, 12, 10))} | changes
    return give_evidence(store, plan, ONE, "visits_overdue", **given)


def test_evidence_then_the_supervisor_closes_it(ledger: Store, supervised: Plan) -> None:
    opened(ledger)
    assert evidence(ledger, supervised).state == "evidence_given"
    again = not_accept(
        ledger,
        supervised,
        ONE,
        "visits_overdue",
        reason="没有做完",
        by="李主任",
        now=at(date(2025, 12, 11)),
    )
    assert again.state == "open"
    evidence(ledger, supervised, evidence="现场查看", now=at(date(2025, 12, 12)))
    closed = close_by_supervisor(
        ledger, supervised, ONE, "有逾期未做的随访", by="李主任", now=at(date(2025, 12, 15))
    )

    (standing,) = read_rectifications(ledger, supervised)
    assert standing == closed
    assert (standing.state, standing.closed_by_person) == ("closed", True)
    assert (standing.rectification.closed_round, standing.rectification.closed_on) == (
        2,
        date(2025, 12, 15),
    )
    assert [(each.step, each.by, each.evidence, each.reason) for each in standing.steps] == [
        ("evidence", "王站长", "visited", None),
        ("not_accepted", "李主任", None, "not_finished"),
        ("evidence", "王站长", "visited", None),
        ("closed", "李主任", None, None),
    ]
    with pytest.raises(WrongCommand) as none:
        evidence(ledger, supervised, now=at(DUE))
    assert none.value.key == "rectification.none_open"


def test_the_look_respects_what_a_person_closed(ledger: Store, supervised: Plan) -> None:
    opened(ledger)
    evidence(ledger, supervised)
    close_by_supervisor(
        ledger, supervised, ONE, "visits_overdue", by="A", now=at(date(2025, 12, 15))
    )

    def looked(holds: bool) -> list[tuple[int, int | None]]:
        judged = {ONE: {"visits_overdue": holds}}
        after = after_look(ledger, supervised, judged, round=2, as_of=LOOKS[2])
        return [(each.opened_round, each.closed_round) for each in after]

    assert looked(holds=False) == [(1, 2)]
    assert looked(holds=True) == [(1, 2), (2, None)]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"by": " "}, "rectification.no_name"),
        ({"evidence": "they said so"}, "rectification.choice"),
        ({"on": date(2025, 12, 4)}, "rectification.day"),
        ({"on": date(2025, 12, 11)}, "rectification.day"),
    ],
)
def test_evidence_is_of_a_closed_kind_with_a_day_and_a_name(
    ledger: Store, supervised: Plan, changes: dict[str, Any], key: str
) -> None:
    opened(ledger)
    with pytest.raises(WrongCommand) as refused:
        evidence(ledger, supervised, **changes)
    assert refused.value.key == key
    assert read_rectifications(ledger, supervised)[0].steps == ()


def test_nothing_is_closed_without_evidence_and_nothing_that_is_not_there(
    ledger: Store, supervised: Plan
) -> None:
    opened(ledger)

    def refused(village: str, shortfall: str) -> str:
        with pytest.raises(WrongCommand) as stopped:
            close_by_supervisor(ledger, supervised, village, shortfall, by="A", now=at(DUE))
        return stopped.value.key

    assert refused(ONE, "visits_overdue") == "rectification.no_evidence"
    assert refused(TWO, "visits_overdue") == "rectification.none_open"
    assert refused(ONE, "subsidy_unpaid") == "rectification.none_open"
    assert refused(ONE, "anything") == "rectification.shortfall"
    assert refused("990101001999", "visits_overdue") == "rectification.none_open"


def summaries(store: Store, *days: date) -> None:
    """Release supervision's first rounds, each for a day."""
    for round, day in enumerate(days, 1):
        release(store, "supervision", (), round=round, as_of=day, due=LOOKS[round])


def test_overdue_escalates_month_by_month_up_to_the_meeting(
    ledger: Store, supervised: Plan
) -> None:
    other = replace(OPENED, village=TWO, due=date(2026, 1, 20))
    opened(ledger, OPENED, other)
    summaries(ledger, *LOOKS.values())
    # a late file made another revision of the first month: no second summary of it
    release(ledger, "supervision", (), round=1, revision=2, as_of=date(2026, 1, 3))

    def at_end_of(day: date) -> list[tuple[str, int, int, bool]]:
        return [
            (each.rectification.village, each.days_overdue, each.looks, each.for_meeting)
            for each in escalations(ledger, supervised, day)
        ]

    assert at_end_of(DUE) == []
    assert at_end_of(date(2025, 12, 20)) == [(ONE, 1, 0, False)]
    assert at_end_of(LOOKS[2]) == [(ONE, 17, 1, False)]
    (earlier, _) = escalations(ledger, supervised, LOOKS[3], before=3)
    assert earlier.looks == 1
    assert at_end_of(LOOKS[3]) == [(ONE, 48, 2, True), (TWO, 16, 1, False)]


def test_what_waits_for_the_supervisor_is_not_asked_of_the_village(
    ledger: Store, supervised: Plan
) -> None:
    opened(ledger)
    late = DUE + timedelta(days=3)

    def owed() -> tuple[dict[str, list[str]], list[bool]]:
        after = after_look(ledger, supervised, {}, round=2, as_of=late)
        waits = [each.waits_for_supervisor for each in escalations(ledger, supervised, late)]
        return overdue_of_villages(ledger, supervised, after, late), waits

    assert owed() == ({ONE: ["visits_overdue"]}, [False])
    evidence(ledger, supervised, on=late, now=at(late))
    assert owed() == ({}, [True])


def test_every_step_evidence_and_reason_has_its_words() -> None:
    wanted = {f"report.evidence.{each}" for each in CHOICES["rectification_evidence"]}
    wanted |= {f"rectification.reason.{each}" for each in CHOICES["rectification_reason"]}
    wanted |= {f"rectification.taken.{each}" for each in STEPS}
    assert wanted <= set(keys())


# --- letters --------------------------------------------------------------------------------------

NOBODY = NameList(bytes(32), frozenset(), frozenset())
REMINDED = [date(2025, 12, 12), date(2025, 12, 18)]
AFTERWARDS = [date(2025, 12, 20), date(2025, 12, 22), date(2025, 12, 26)]


class Mornings:
    """What the reminders of each morning write about rectifications."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self.store = store
        self.plan = plan
        self.gate = notice_gate(store, Home(Path("nowhere")), plan, NOBODY)

    def on(self, day: date) -> list[tuple[str, int, int]]:
        """Write what is due and hand it over; return who was written to about which round."""
        write_reminders(self.store, self.plan, day, at(day), self.gate)
        new = self.store.connection.execute(
            "UPDATE ledger.out_message SET state = 'sent' WHERE state = 'draft'"
            " AND kind = 'rectification' RETURNING recipient, round, revision"
        ).fetchall()
        return sorted(new)

    def text(self, recipient: str) -> str:
        ((subject, body),) = self.store.connection.execute(
            "SELECT subject, body FROM ledger.out_message WHERE recipient = ?"
            " AND kind = 'rectification' ORDER BY revision DESC LIMIT 1",
            [recipient],
        ).fetchall()
        return f"{subject}\n{body}"


@pytest.fixture
def mornings(ledger: Store, supervised: Plan) -> Mornings:
    opened(ledger)
    return Mornings(ledger, supervised)


def numbers(days: list[date]) -> list[int]:
    return [int(day.strftime("%Y%m%d")) for day in days]


def test_village_and_officer_are_told_before_and_after_the_day_once(mornings: Mornings) -> None:
    told = [
        message
        for number in range(40)
        for message in mornings.on(LOOKS[1] + timedelta(days=number))
    ]
    of_village = [number for who, round, number in told if (who, round) == ("v1@example.test", 1)]
    of_officer = [
        number for who, round, number in told if (who, round) == ("centre@example.test", 0)
    ]
    assert of_village == numbers(REMINDED + AFTERWARDS)
    assert of_officer == numbers(REMINDED[1:] + AFTERWARDS)
    assert len(told) == len(of_village) + len(of_officer)
    assert "测试1村：有逾期未做的随访。限期 2025-12-19 已过" in mornings.text("v1@example.test")
    assert say("notice.rectification.list_overdue", "zh-CN") in mornings.text("centre@example.test")


def test_who_gave_evidence_is_not_reminded_and_the_officer_is_told_to_decide(
    mornings: Mornings,
) -> None:
    evidence(mornings.store, mornings.plan)
    assert mornings.on(REMINDED[0]) == []
    (told,) = mornings.on(AFTERWARDS[0])
    assert told[0] == "centre@example.test"
    text = mornings.text("centre@example.test")
    assert say("notice.rectification.list_waits", "zh-CN") in text
    assert say("notice.rectification.list_overdue", "zh-CN") not in text


def test_who_made_it_good_is_told_nothing(mornings: Mornings) -> None:
    evidence(mornings.store, mornings.plan)
    close_by_supervisor(
        mornings.store,
        mornings.plan,
        ONE,
        "visits_overdue",
        by="A",
        now=at(date(2025, 12, 11)),
    )
    assert [mornings.on(day) for day in (*REMINDED, *AFTERWARDS)] == [[]] * 5


def test_a_report_that_came_is_not_asked_for_any_more(ledger: Store, supervised: Plan) -> None:
    opened(ledger, replace(OPENED, shortfall="report_missing"))
    mornings = Mornings(ledger, supervised)
    assert len(mornings.on(REMINDED[0])) == 1
    ledger.connection.execute(
        "INSERT INTO ledger.agg_submission VALUES"
        " ('f', 'autumn-2025', 'supervision', 1, ?, ?, true, false)",
        [ONE, at(date(2025, 12, 15))],
    )
    assert mornings.on(REMINDED[1]) == []


def test_a_letter_that_waited_until_it_was_made_good_is_not_handed_over(
    mornings: Mornings,
) -> None:
    write_reminders(mornings.store, mornings.plan, REMINDED[0], at(REMINDED[0]), mornings.gate)
    owed: dict[str, Any] = {"campaign": SLUG, "villages": [ONE], "round": 1}
    assert mornings.store.rows("outbox/to_make_good", **owed) == [(ONE, "visits_overdue")]
    evidence(mornings.store, mornings.plan)
    assert mornings.store.rows("outbox/to_make_good", **owed) == []
    not_accept(
        mornings.store,
        mornings.plan,
        ONE,
        "visits_overdue",
        reason="nothing_seen",
        by="A",
        now=at(DUE),
    )
    assert len(mornings.store.rows("outbox/to_make_good", **owed)) == 1


# --- on the command line --------------------------------------------------------------------------


@pytest.fixture
def township(tmp_path: Path) -> Home:
    """A home with a ledger and a plan; no register and no key."""
    home = make_ledger(tmp_path / "home")
    copy_plan(PLAN_FILE, home.plan(SLUG).parent)
    with open_ledger(home, "write") as store:
        opened(store, replace(OPENED, village=VILLAGE))
    return home


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(township: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("CAMPAIGN_HOME", str(township.root))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> tuple[int, str]:
        line = ["campaign", "rectification", arguments[0], "--campaign", SLUG, *arguments[1:]]
        monkeypatch.setattr(sys, "argv", line)
        code = 0
        try:
            with simulated(datetime(2025, 12, 22, 9)):
                main()
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return code, told.out + told.err

    return command


def test_what_can_be_made_good_is_offered_and_nothing_else(run: Run) -> None:
    assert set(MADE_GOOD) == {*READINESS_SHORTFALLS, *RECTIFIED}
    listed = SHORTFALL_HELP.replace("，", "、").replace(", ", "、")
    assert all(name in listed for name in MADE_GOOD)
    assert "report_late" not in listed
    which = ("--village", VILLAGE, "--shortfall", "report_late", "--by", "王站长")
    code, told = run("evidence", *which, "--evidence", "visited")
    assert code == 2
    assert "no_drill" in told
    assert told.count("report_late") == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_commands_from_evidence_to_closing(
    run: Run, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("CAMPAIGN_LANG", language)
    which = ("--village", VILLAGE, "--shortfall", "visits_overdue", "--by", "王站长")

    code, listed = run("list")
    assert code == 0
    assert say("rectification.state.overdue", language, days=3) in listed
    assert run("close", *which)[0] == 2
    assert run("evidence", *which, "--evidence", "visited", "--on", "2025-12-20")[0] == 0
    assert say("report.evidence.visited", language) in run("list")[1]
    assert run("reject", *which, "--reason", "not_finished")[0] == 0
    assert say("rectification.reason.not_finished", language) in run("list")[1]
    assert run("evidence", *which, "--evidence", "photo_seen")[0] == 0
    code, told = run("close", *which)
    assert (code, told.strip()) == (
        0,
        say(
            "rectification.taken.closed",
            language,
            village="柳溪村",
            shortfall=say("shortfall.visits_overdue", language),
        ),
    )
    assert say("rectification.none", language) in run("list")[1]
    assert "王站长" in run("list", "--closed")[1]
    (record,) = json.loads(run("list", "--closed", "--json")[1])["rectifications"]
    assert (record["state"], record["closed_on"], len(record["steps"])) == (
        "closed",
        "2025-12-22",
        4,
    )
