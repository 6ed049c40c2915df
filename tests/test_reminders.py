"""Reminders: to who has not reported, on their day, once; never a pile, never in advance."""

import email
import email.policy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import occurrence
from flows import reminders as flow_module
from released_rows import make_ledger
from reports.gate import mail_gate, notice_gate
from tasks.agenda import LeftAlone
from tasks.clock import simulated
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.plan import Occurrence, Plan, Reminders, copy_plan, load_plan, write_approved
from tasks.post_office import open_post_office
from tasks.reminder_letters import letters_if_nobody_reports
from tasks.reminders import RemindersRun, write_reminders
from tasks.rules.errors import DisclosureRisk, WrongCommand
from tasks.rules.known_names import NameList
from tasks.rules.reminders import STILL_SENSIBLE, list_days, reminder_days, reminder_due
from tasks.rules.requests import Request
from tasks.rules.wording import LANGUAGES, say
from tasks.set_up import set_up
from tasks.store import Store

ROOT = Path(__file__).parents[1]
NOBODY = NameList(bytes(32), frozenset(), frozenset())
AUTUMN = ROOT / "data" / "campaigns" / "autumn-2025.toml"
ONE, TWO, THREE = (f"99010100100{number}" for number in (1, 2, 3))
OPENS, DUE = date(2025, 10, 1), date(2025, 10, 31)
DAYS = reminder_days(DUE, (7, 1), (1, 3, 7))


def october(day: int) -> date:
    return date(2025, 10, day)


def november(day: int) -> date:
    return date(2025, 11, day)


# Which one is due


def test_the_days_of_a_deadline_stand_before_and_after_it() -> None:
    assert (october(24), october(30), november(1), november(3), november(7)) == DAYS
    assert reminder_days(DUE, (), ()) == ()
    assert reminder_days(DUE, (1,), (1,)) == (october(30), november(1))


def test_the_officer_gets_the_list_the_day_before_and_with_each_reminder_after() -> None:
    assert list_days(DUE, (7, 3), (1, 3)) == (october(30), november(1), november(3))
    assert list_days(DUE, (), (2,)) == (november(2),)
    assert list_days(DUE, (7,), ()) == (october(30),)


@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        (october(23), None),
        (october(24), october(24)),
        (october(29), october(24)),
        (october(30), october(30)),
        # the due day ends at 24:00
        (october(31), october(30)),
        (november(1), november(1)),
        (november(2), november(1)),
        # a week off: of three that were missed the last
        (november(8), november(7)),
        (november(7) + STILL_SENSIBLE, november(7)),
        (november(8) + STILL_SENSIBLE, None),
        (date(2026, 11, 1), None),
    ],
)
def test_the_newest_that_has_come_is_due(as_of: date, day: date | None) -> None:
    assert reminder_due(DAYS, opens=OPENS, due=DUE, as_of=as_of, today=as_of) == day


def test_nobody_is_reminded_of_what_is_over() -> None:
    only_before, after = (october(30),), november(1)
    assert reminder_due(only_before, opens=OPENS, due=DUE, as_of=after, today=after) is None
    # made up for on the day after: it would be read when the day is over
    assert reminder_due(DAYS, opens=OPENS, due=DUE, as_of=october(31), today=november(1)) is None
    assert reminder_due(DAYS, opens=OPENS, due=DUE, as_of=november(1), today=november(2))


def test_nobody_is_reminded_before_the_phase_opens() -> None:
    opens = october(28)
    assert reminder_due(DAYS, opens=opens, due=DUE, as_of=october(27), today=october(27)) is None
    assert reminder_due(DAYS, opens=opens, due=DUE, as_of=opens, today=opens) == october(24)


@given(
    st.sets(st.integers(1, 60), max_size=5),
    st.sets(st.integers(1, 60), max_size=5),
    st.sets(st.integers(0, 160), min_size=1),
)
def test_whatever_days_it_runs_on(before: set[int], after: set[int], runs: set[int]) -> None:
    days = reminder_days(DUE, before, after)
    first = DUE - timedelta(days=70)
    sent: list[date] = []
    for number in sorted(runs):
        today = first + timedelta(days=number)
        day = reminder_due(days, opens=first, due=DUE, as_of=today, today=today)
        if day is None:
            continue
        assert day <= today <= day + STILL_SENSIBLE
        assert (day <= DUE) is (today <= DUE), "before while it is time, after when it is over"
        assert not sent or day >= sent[-1], "never an older one after a newer"
        if day not in sent:
            sent.append(day)
    assert set(sent) <= set(days)


def test_a_machine_that_never_sleeps_sends_every_one() -> None:
    every_day = [OPENS + timedelta(days=number) for number in range(60)]
    due = (reminder_due(DAYS, opens=OPENS, due=DUE, as_of=day, today=day) for day in every_day)
    assert sorted({day for day in due if day}) == list(DAYS)


# Who gets one


@pytest.fixture(scope="module")
def township(plan: Plan) -> Plan:
    """Three villages and one sweep; the third village has no address."""
    villages = (*plan.villages[:2], plan.villages[2].model_copy(update={"email": None}))
    sweep = occurrence("sweep", OPENS, DUE, round=1)
    return plan.model_copy(update={"villages": villages, "calendar": (sweep,)})


class Written:
    """Reminders written to one ledger day by day, and what is in its outbox."""

    def __init__(self, store: Store, home: Home) -> None:
        self.store = store
        self.home = home

    def on(self, plan: Plan, day: date, today: date | None = None) -> tuple[int, int]:
        """Write what is due; return how many reminders and lists are new."""
        now = datetime.combine(today or day, time(8, 30))
        gate = notice_gate(self.store, self.home, plan, NOBODY)
        with self.store.transaction():
            ran = write_reminders(self.store, plan, day, now, gate)
        assert (ran.campaign, ran.as_of) == (plan.slug, day)
        return ran.reminders, ran.lists

    def received(self, village: str, day: date, *, counts: bool = True, round: int = 1) -> None:
        self.store.connection.execute(
            "INSERT INTO ledger.agg_submission VALUES"
            " (uuid()::VARCHAR, 'autumn-2025', 'sweep', ?, ?, ?, ?, false)",
            [round, village, datetime.combine(day, time(10)), counts],
        )

    def extended(self, village: str, due: date) -> None:
        self.store.connection.execute(
            "INSERT INTO ledger.agg_extension VALUES"
            " ('autumn-2025', 'sweep', 1, ?, ?, 'officer', 'weather', ?)",
            [village, due, datetime(2025, 10, 20)],
        )

    def messages(self, kind: str) -> list[tuple[str, int]]:
        """To whom and for which day, in the order of both."""
        return self.store.connection.execute(
            "SELECT recipient, revision FROM ledger.out_message WHERE kind = ? ORDER BY ALL", [kind]
        ).fetchall()

    def text(self, recipient: str) -> str:
        """The newest message to a recipient, subject first."""
        ((subject, body),) = self.store.connection.execute(
            "SELECT subject, body FROM ledger.out_message WHERE recipient = ?"
            " ORDER BY revision DESC LIMIT 1",
            [recipient],
        ).fetchall()
        return f"{subject}\n{body}"

    def sent(self) -> None:
        """Everything that waits was handed over."""
        self.store.connection.execute("UPDATE ledger.out_message SET state = 'sent'")


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    home = make_ledger(tmp_path / "home")
    with open_ledger(home, "write") as store:
        yield Written(store, home)


def test_a_village_that_has_not_reported_is_reminded(written: Written, township: Plan) -> None:
    assert written.on(township, october(24)) == (2, 0)
    assert written.messages("reminder") == [
        ("v1@example.test", 20251024),
        ("v2@example.test", 20251024),
    ]
    text = written.text("v1@example.test")
    assert text.startswith(say("notice.reminder.subject_before", "zh-CN", what="排查走访 第 1 轮"))
    assert "测试1村" in text
    assert "测试2村" not in text
    assert "2025-10-31" in text
    assert township.name in text
    assert say("notice.reminder.nil", "zh-CN") in text


def test_who_has_reported_is_left_in_peace(written: Written, township: Plan) -> None:
    written.received(ONE, october(20))
    assert written.on(township, october(24)) == (1, 0)
    written.received(TWO, november(2))
    assert written.on(township, november(3)) == (0, 1)
    assert written.messages("reminder") == []


def test_each_goes_out_once(written: Written, township: Plan) -> None:
    assert written.on(township, october(30)) == (2, 1)
    written.sent()
    before = written.messages("reminder"), written.messages("missing")
    assert written.on(township, october(30)) == (0, 0)
    assert written.on(township, october(31)) == (0, 0)
    assert (written.messages("reminder"), written.messages("missing")) == before
    assert written.on(township, november(1)) == (2, 1)


def test_after_a_week_off_there_is_no_pile(written: Written, township: Plan) -> None:
    assert written.on(township, november(9)) == (2, 1)
    assert {day for _, day in written.messages("reminder")} == {20251107}
    assert {day for _, day in written.messages("missing")} == {20251107}


def test_what_is_made_up_for_too_late_is_let_go(written: Written, township: Plan) -> None:
    assert written.on(township, october(31), today=november(1)) == (0, 0)
    assert written.on(township, date(2026, 10, 31)) == (0, 0)


def test_an_extension_counts_for_its_village_alone(written: Written, township: Plan) -> None:
    written.extended(ONE, november(10))
    assert written.on(township, november(1)) == (1, 1)
    assert written.messages("reminder") == [("v2@example.test", 20251101)]
    written.sent()
    assert written.on(township, november(3)) == (2, 1)
    assert "2025-11-10" in written.text("v1@example.test")
    assert written.text("v1@example.test").startswith("请按时报送")
    assert written.text("v2@example.test").startswith("还没有收到报送")


def test_a_village_whose_file_came_back_owes_it_still(written: Written, township: Plan) -> None:
    written.received(ONE, october(20), counts=False)
    assert written.on(township, october(24)) == (2, 0)
    returned = say("notice.reminder.before.returned", "zh-CN", village="测试1村", day="2025-10-31")
    assert returned in written.text("v1@example.test")
    written.on(township, november(1))
    assert say(
        "notice.reminder.after.returned", "zh-CN", village="测试1村", day="2025-10-31"
    ) in written.text("v1@example.test")
    assert say("notice.missing.returned", "zh-CN", villages="测试1村") in written.text(
        "centre@example.test"
    )


def test_one_address_of_two_villages_gets_one_message(written: Written, township: Plan) -> None:
    shared = tuple(
        each.model_copy(update={"email": "both@example.test"}) for each in township.villages[:2]
    )
    plan = township.model_copy(update={"villages": (*shared, township.villages[2])})
    # the second has until the 8th: its week before is the first's day after
    written.extended(TWO, november(8))
    assert written.on(plan, november(1)) == (1, 1)
    assert written.messages("reminder") == [("both@example.test", 20251101)]
    lines = written.text("both@example.test").splitlines()
    for when, village, day in (("after", "测试1村", "10-31"), ("before", "测试2村", "11-08")):
        line = say(f"notice.reminder.{when}.missing", "zh-CN", village=village, day=f"2025-{day}")
        assert line in lines


def test_only_villages_that_are_expected_are_reminded(written: Written, township: Plan) -> None:
    closed = township.villages[0].model_copy(update={"closed": october(15)})
    plan = township.model_copy(update={"villages": (closed, *township.villages[1:])})
    assert written.on(plan, october(30)) == (1, 1)
    assert "测试1村" not in written.text("centre@example.test")


def test_phases_that_no_village_reports_remind_nobody(written: Written, township: Plan) -> None:
    calendar = (occurrence("aggregation", OPENS, DUE), occurrence("follow_up", OPENS, DUE))
    plan = township.model_copy(update={"calendar": calendar})
    assert written.on(plan, october(30)) == (0, 0)


def test_each_phase_and_round_is_reminded_of_by_itself(written: Written, township: Plan) -> None:
    month = occurrence("supervision", OPENS, DUE, round=2, period="2025-09")
    plan = township.model_copy(update={"calendar": (*township.calendar, month)})
    assert written.on(plan, october(30)) == (4, 2)
    subjects = {
        subject
        for (subject,) in written.store.connection.execute(
            "SELECT subject FROM ledger.out_message WHERE kind = 'reminder'"
        ).fetchall()
    }
    assert subjects == {"请按时报送：排查走访 第 1 轮", "请按时报送：督导 2025 年 9 月"}
    nil = "SELECT count(*) FROM ledger.out_message WHERE body LIKE '%零报告%'"
    assert written.store.connection.execute(nil).fetchall() == [(2,)], "only a sweep has one"


@pytest.mark.parametrize(
    ("reminders", "new"),
    [
        (Reminders(before_days=(), after_days=()), {}),
        (Reminders(before_days=(2,), after_days=()), {29: (2, 0), 30: (0, 1)}),
        (Reminders(before_days=(), after_days=(1,)), {32: (2, 1)}),
    ],
)
def test_the_plan_says_when_and_whether(
    written: Written, township: Plan, reminders: Reminders, new: dict[int, tuple[int, int]]
) -> None:
    plan = township.model_copy(update={"reminders": reminders})
    for number in range(20, 40):
        day = october(1) + timedelta(days=number - 1)
        assert written.on(plan, day) == new.get(number, (0, 0)), day
        written.sent()


def test_a_provisional_day_is_said_to_be_one(written: Written, township: Plan) -> None:
    (sweep,) = township.calendar
    plan = township.model_copy(update={"calendar": (replace(sweep, provisional=True),)})
    written.extended(TWO, november(8))
    written.on(plan, october(30))
    day = say("report.provisional_day", "zh-CN", day="2025-10-31")
    assert day in written.text("v1@example.test")
    written.on(plan, november(7))
    assert say("report.provisional_day", "zh-CN", day="2025-11-08") not in written.text(
        "v2@example.test"
    )


# Ad-hoc sweeps


def ad_hoc(*, approved: bool) -> Occurrence:
    request = Request("autumn-2025", "new_residents", (ONE,), OPENS, DUE, "new_residents", "office")
    asked = replace(occurrence("sweep", OPENS, DUE, round=2), ad_hoc=True, villages=(ONE,))
    return replace(asked, request=request if approved else None)


def test_of_a_sweep_that_was_not_approved_nobody_hears(written: Written, township: Plan) -> None:
    plan = township.model_copy(update={"calendar": (ad_hoc(approved=False),)})
    assert written.on(plan, october(30)) == (0, 0)


def test_an_approved_sweep_reminds_its_villages_while_its_window_lasts(
    written: Written, township: Plan
) -> None:
    plan = township.model_copy(update={"calendar": (ad_hoc(approved=True),)})
    assert written.on(plan, october(30)) == (1, 1)
    assert written.messages("reminder") == [("v1@example.test", 20251030)]
    assert say("notice.missing.ad_hoc", "zh-CN") in written.text("centre@example.test")
    written.sent()
    # nothing is taken in for it any more, so nobody is asked for it
    assert written.on(plan, november(1)) == (0, 0)


# The list of who has not reported


def test_the_officer_is_told_who_has_not_reported(written: Written, township: Plan) -> None:
    written.received(TWO, october(20), counts=False)
    written.extended(THREE, november(10))
    assert written.on(township, october(30))[1] == 1
    lines = written.text("centre@example.test").splitlines()
    assert lines[2:] == [
        say("notice.missing.nothing", "zh-CN", villages="测试1村"),
        say("notice.missing.returned", "zh-CN", villages="测试2村"),
        say("notice.missing.extended", "zh-CN", day="2025-11-10", villages="测试3村"),
        say("notice.missing.telephone", "zh-CN", villages="测试3村"),
        say("notice.missing.what_to_do", "zh-CN"),
    ]


def test_there_is_no_list_once_all_have_reported(written: Written, township: Plan) -> None:
    for village in (ONE, TWO, THREE):
        written.received(village, october(20))
    for day in DAYS:
        assert written.on(township, day) == (0, 0)


def test_the_list_comes_also_around_the_day_of_an_extension(
    written: Written, township: Plan
) -> None:
    for village in (TWO, THREE):
        written.received(village, october(20))
    written.extended(ONE, november(20))
    for number in range(60):
        written.on(township, OPENS + timedelta(days=number))
        written.sent()
    listed = [day for _, day in written.messages("missing")]
    assert listed == [20251119, 20251121, 20251123, 20251127]


# What waits to be handed over


def test_what_waits_is_taken_back_when_it_is_no_longer_true(
    written: Written, township: Plan
) -> None:
    assert written.on(township, october(24)) == (2, 0)
    written.received(ONE, october(25))
    assert written.on(township, october(26)) == (0, 0)
    assert written.messages("reminder") == [("v2@example.test", 20251024)]
    assert written.on(township, october(30)) == (1, 1)
    assert written.messages("reminder") == [("v2@example.test", 20251030)], "no pile of drafts"
    written.on(township, november(8) + STILL_SENSIBLE)
    assert written.messages("reminder") == written.messages("missing") == []


@pytest.mark.parametrize("state", ["sent", "sending", "failed", "unknown"])
def test_what_was_handed_over_or_tried_stays(written: Written, township: Plan, state: str) -> None:
    written.on(township, october(24))
    written.store.connection.execute("UPDATE ledger.out_message SET state = ?", [state])
    assert written.on(township, october(30)) == (2, 1)
    assert [day for _, day in written.messages("reminder")] == [20251024, 20251030] * 2


def test_messages_of_other_kinds_and_campaigns_are_left_alone(
    written: Written, township: Plan
) -> None:
    written.on(township, october(24))
    written.store.connection.execute("UPDATE ledger.out_message SET kind = 'deadline'")
    written.on(township, october(30))
    assert len(written.messages("deadline")) == 2
    written.store.connection.execute("UPDATE ledger.out_message SET campaign = 'other'")
    written.on(township, november(1))
    other = "SELECT count(*) FROM ledger.out_message WHERE campaign = 'other'"
    assert written.store.connection.execute(other).fetchall() == [(5,)]


# What leaves


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_passes_the_gate_again_when_it_is_sent(
    written: Written, language: str
) -> None:
    copy_plan(AUTUMN, written.home.plan("autumn-2025").parent)
    plan = load_plan(AUTUMN).model_copy(update={"language": language})
    written.received(plan.villages[0].code, october(20), counts=False)
    written.extended(plan.villages[1].code, november(2))
    sends = mail_gate(written.store, written.home)
    for day in (october(30), november(1), date(2025, 12, 4)):
        written.on(plan, day)
        rows = written.store.connection.execute(
            "SELECT revision, subject, body FROM ledger.out_message"
        ).fetchall()
        assert len(rows) == 7
        for number, subject, body in rows:
            sends(plan.slug, "", 0, number, {"txt": body, "subject": subject})


def test_nothing_is_written_where_the_gate_stops_a_message(
    written: Written, township: Plan
) -> None:
    def stop(*_: object) -> None:
        raise DisclosureRisk("gate.name", kind="txt")

    now = datetime.combine(october(24), time(8, 30))
    with pytest.raises(DisclosureRisk), written.store.transaction():
        write_reminders(written.store, township, october(24), now, stop)
    assert written.messages("reminder") == []


# What a plan will cause


def test_what_is_foreseen_is_what_a_season_without_a_report_brings(
    written: Written, township: Plan
) -> None:
    (sweep,) = township.calendar
    # the week before lies before the opening: that one comes with it
    late = replace(sweep, opens=october(27))
    plan = township.model_copy(update={"calendar": (late,)})
    foreseen = [
        (day, letter.kind, letter.recipient, letter.number)
        for day, letter in letters_if_nobody_reports(plan)
    ]
    brought = []
    for number in range(60):
        day = OPENS + timedelta(days=number)
        written.on(plan, day)
        brought += [
            (day, kind, to, number)
            for kind in ("missing", "reminder")
            for to, number in written.messages(kind)
            if (kind, to, number) not in {each[1:] for each in brought}
        ]
        written.sent()
    assert sorted(foreseen) == sorted(brought)
    assert (october(27), "reminder", "v1@example.test", 20251024) in foreseen


# The flow


@pytest.fixture
def season(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with plan A whose villages have addresses; its steps run without Prefect."""
    home = Home(tmp_path / "season")
    plan_file = copy_plan(AUTUMN, tmp_path / "plan")
    for name in [name for name in os.environ if name.startswith("CAMPAIGN_SMTP")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    for name in ("take_in_inbox", "remind", "send_mail"):
        monkeypatch.setattr(flow_module, name, getattr(flow_module, name).fn)
    with simulated(datetime(2025, 9, 1)):
        set_up(home, plan_file)
    return home


def run(now: datetime, as_of: date | None = None) -> RemindersRun | LeftAlone:
    with simulated(now):
        return flow_module.reminders.fn("autumn-2025", as_of)


def arrived(folder: Path) -> list[tuple[str, str]]:
    """Recipient and subject of all that the mail server took, in the order of both."""
    found = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in folder.glob("*.eml")
    ]
    return sorted((str(each["To"]), str(each["Subject"])) for each in found)


def test_the_flow_sends_each_morning_what_is_due_once(
    season: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_post_office(tmp_path / "mail") as office:
        monkeypatch.setenv("CAMPAIGN_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("CAMPAIGN_SMTP_PORT", str(office.port))
        monkeypatch.setenv("CAMPAIGN_SMTP_SECURITY", "none")
        monkeypatch.setenv("CAMPAIGN_SMTP_SENDER", "centre@health.example")
        assert run(datetime(2025, 10, 29, 8, 30)) == RemindersRun("autumn-2025", october(29), 6, 0)
        assert run(datetime(2025, 10, 29, 8, 31)) == LeftAlone(
            "autumn-2025", "reminders", 0, october(29), "not_owed"
        )
        assert run(datetime(2025, 10, 29, 8, 32), october(29)) == RemindersRun(
            "autumn-2025", october(29), 0, 0
        )
        sent = arrived(office.folder)
        assert len(sent) == len(set(sent)) == 6
        # asleep over the due day: the next start reminds once, of what is over
        ran = run(datetime(2025, 11, 8, 20, 0))
        assert isinstance(ran, RemindersRun)
        assert (ran.as_of, ran.lists) == (november(8), 1)
    with open_ledger(season) as store:
        runs = store.connection.execute(
            "SELECT as_of, revision FROM ledger.agg_run WHERE phase = 'reminders' ORDER BY as_of"
        ).fetchall()
        states = store.connection.execute(
            "SELECT DISTINCT kind, state FROM ledger.out_message ORDER BY ALL"
        ).fetchall()
    assert runs == [(october(29), None), (november(8), None)]
    assert states == [("missing", "sent"), ("reminder", "sent")]


def test_a_forged_approval_reminds_nobody(season: Home) -> None:
    window = date(2026, 3, 2), date(2026, 3, 13)
    (village, *_) = load_plan(season.plan("autumn-2025")).villages
    forged = Request(
        "autumn-2025", "new_residents", (village.code,), *window, "new_residents", "office"
    )
    write_approved(season.plan("autumn-2025"), {101: forged})
    ran = run(datetime(2026, 3, 12, 8, 30))
    assert isinstance(ran, RemindersRun)
    assert (ran.reminders, ran.lists) == (0, 0)


def test_nobody_is_reminded_in_advance(season: Home) -> None:
    with pytest.raises(WrongCommand) as refused:
        run(datetime(2025, 10, 20, 9, 0), october(24))
    assert refused.value.key == "reminders.not_yet"


def campaign(home: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"CAMPAIGN_HOME": str(home), "CAMPAIGN_LANG": "zh"},
    )


@pytest.mark.slow
def test_the_command_runs_the_flow_and_says_what_it_wrote(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert campaign(home, "init", "--plan", AUTUMN).returncode == 0
    command = ("run", "reminders", "--campaign", "autumn-2025", "--as-of")

    ran = campaign(home, *command, "2025-11-03")
    again = campaign(home, *command, "2025-11-03", "--json")
    to_come = campaign(home, *command, "2999-01-01")

    assert (ran.returncode, again.returncode) == (0, 0), ran.stderr
    assert "2025-11-03" in ran.stdout
    record = json.loads(again.stdout)
    assert (record["as_of"], record["reminders"], record["lists"]) == ("2025-11-03", 0, 0)
    assert (to_come.returncode, to_come.stderr.count("\n")) == (2, 1)
