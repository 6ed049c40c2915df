"""A due day that moves is told, once, to whom it concerns; one that was released by stays."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from conftest import make_home, open_home
from released_rows import make_ledger
from reports.gate import mail_gate, notice_gate
from tasks.at_home import open_campaign
from tasks.clock import simulated
from tasks.due_days import MovedDeadline, note_deadlines
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.plan import PACK, Occurrence, Plan, copy_plan
from tasks.plan.plan_file import read_plan
from tasks.released_days import keep_released
from tasks.rules.errors import DisclosureRisk, WrongCommand
from tasks.rules.known_names import NameList
from tasks.rules.wording import LANGUAGES, say
from tasks.set_up import set_up
from tasks.store import Store
from tasks.supervise import supervise
from tasks.workdays import PublishedWorkdays

CAMPAIGNS = Path(__file__).parents[1] / "data" / "campaigns"
SUPERVISION_2026 = CAMPAIGNS / "supervision-2026.toml"
NOBODY = NameList(bytes(32), frozenset(), frozenset())
DECEMBER = ("supervision", 12)
NOW = datetime(2026, 11, 20, 9, 0)


class Published:
    """The official calendar as it stood, or may stand, on a day: `holidays` of 2027, or nothing."""

    def __init__(self, holidays: Collection[date] | None) -> None:
        self.holidays = holidays

    def is_workday(self, day: date) -> bool | None:
        if day < date(2026, 12, 24):
            return PublishedWorkdays().is_workday(day)
        if self.holidays is None:
            return None
        return day.weekday() < 5 and day not in self.holidays


NEW_YEAR = [date(2027, 1, day) for day in range(1, 6)]
"""A holiday that takes in 5 January, the day by which December's supervision is due."""


def plan_e(holidays: Collection[date] | None) -> Plan:
    """Plan E; its first two villages share an address, the others have none."""
    plan = read_plan(SUPERVISION_2026, Published(holidays))
    first, second, *others = (each.model_copy(update={"email": None}) for each in plan.villages)
    shared = {"email": "two@villages.example"}
    villages = (first.model_copy(update=shared), second.model_copy(update=shared), *others)
    return plan.model_copy(update={"villages": villages})


@pytest.fixture(scope="module")
def before() -> Plan:
    """Plan E while 2027 is not published."""
    return plan_e(None)


@pytest.fixture(scope="module")
def learned() -> Plan:
    """Plan E once it is."""
    return plan_e(NEW_YEAR)


@pytest.fixture
def here(tmp_path: Path) -> Home:
    return make_ledger(tmp_path / "home")


@pytest.fixture
def ledger(here: Home) -> Iterator[Store]:
    with open_ledger(here, "write") as store:
        yield store


def note(store: Store, home: Home, plan: Plan, now: datetime = NOW) -> list[MovedDeadline]:
    return note_deadlines(store, plan, now, notice_gate(store, home, plan, NOBODY))


def messages(store: Store) -> list[tuple[str, str, int, int, str, str]]:
    """What was drafted: kind, phase, round, number, audience, recipient."""
    return store.connection.execute(
        "SELECT kind, phase, round, revision, audience, recipient FROM ledger.out_message"
        " ORDER BY ALL"
    ).fetchall()


def texts(store: Store) -> set[str]:
    return {
        body
        for (body,) in store.connection.execute("SELECT body FROM ledger.out_message").fetchall()
    }


def noted(store: Store, phase: str, round: int) -> list[tuple[date | None, bool]]:
    return store.connection.execute(
        "SELECT due, provisional FROM ledger.agg_deadline WHERE phase = ? AND round = ?"
        " ORDER BY position",
        [phase, round],
    ).fetchall()


def moved_to(plan: Plan, phase: str, round: int, due: date, **changes: object) -> Plan:
    """The plan with another due day for one of its occurrences."""
    calendar = tuple(
        replace(each, due=due, **changes) if (each.phase, each.round) == (phase, round) else each
        for each in plan.calendar
    )
    return plan.model_copy(update={"calendar": calendar})


def without(plan: Plan, phase: str, round: int) -> Plan:
    calendar = tuple(each for each in plan.calendar if (each.phase, each.round) != (phase, round))
    return plan.model_copy(update={"calendar": calendar})


def of(plan: Plan, key: tuple[str, int]) -> Occurrence:
    return plan.occurrence(*key)


# The year is learned


def test_what_is_seen_first_is_noted_and_nobody_is_told(
    here: Home, ledger: Store, before: Plan
) -> None:
    assert note(ledger, here, before) == []
    assert messages(ledger) == []
    assert noted(ledger, *DECEMBER) == [(date(2027, 1, 5), True)]
    assert noted(ledger, "supervision", 1) == [(date(2026, 2, 5), False)]


def test_a_provisional_deadline_is_told_when_its_year_is_learned(
    here: Home, ledger: Store, before: Plan, learned: Plan
) -> None:
    note(ledger, here, before)
    assert of(learned, DECEMBER).due == date(2026, 12, 31)

    moved = note(ledger, here, learned)

    assert MovedDeadline(*DECEMBER, date(2027, 1, 5), date(2026, 12, 31), False) in moved
    assert noted(ledger, *DECEMBER) == [(date(2027, 1, 5), True), (date(2026, 12, 31), False)]
    told = [each for each in messages(ledger) if each[1:3] == DECEMBER]
    assert told == [
        ("deadline", *DECEMBER, 2, "health", "outreach@health.example"),
        ("deadline", *DECEMBER, 2, "office", "leading-group@county.example"),
        ("deadline", *DECEMBER, 2, "office", "office@township.example"),
        # one address of two villages gets it once
        ("deadline", *DECEMBER, 2, "village", "two@villages.example"),
    ]
    [text] = {each for each in texts(ledger) if "2026-12-31" in each}
    was = say("report.provisional_day", "zh-CN", day="2027-01-05")
    assert say("notice.deadline.was", "zh-CN", day=was) in text
    assert say("notice.deadline.now", "zh-CN", day="2026-12-31") in text
    assert say("notice.deadline.settled", "zh-CN") in text


def test_it_is_told_once(here: Home, ledger: Store, before: Plan, learned: Plan) -> None:
    note(ledger, here, before)
    note(ledger, here, learned)
    told, rows = messages(ledger), noted(ledger, *DECEMBER)
    assert note(ledger, here, learned) == []
    assert (messages(ledger), noted(ledger, *DECEMBER)) == (told, rows)


def test_a_day_that_only_became_certain_is_noted_and_nobody_is_told(
    here: Home, ledger: Store, before: Plan
) -> None:
    note(ledger, here, before)
    assert note(ledger, here, plan_e([])) == []
    assert noted(ledger, *DECEMBER) == [(date(2027, 1, 5), True), (date(2027, 1, 5), False)]
    assert messages(ledger) == []


def test_a_pack_is_no_business_of_the_villages(here: Home, ledger: Store, before: Plan) -> None:
    note(ledger, here, before)
    note(ledger, here, moved_to(before, PACK, 4, date(2027, 1, 12), provisional=False))
    assert {(each[1], each[4]) for each in messages(ledger)} == {(PACK, "health"), (PACK, "office")}


# The plan was changed


def test_a_day_that_the_plan_moves_is_told_the_same_way(
    here: Home, ledger: Store, before: Plan
) -> None:
    note(ledger, here, before)
    [moved] = note(ledger, here, moved_to(before, "supervision", 11, date(2026, 12, 8)))
    assert moved == MovedDeadline("supervision", 11, date(2026, 12, 4), date(2026, 12, 8), False)
    [text] = texts(ledger)
    assert say("notice.deadline.plan", "zh-CN") in text
    # and back again: a new message, since the first is no longer true
    note(ledger, here, before)
    assert {each[3] for each in messages(ledger)} == {2, 3}


def test_what_falls_away_is_told_and_what_comes_back_is_new(
    here: Home, ledger: Store, before: Plan
) -> None:
    note(ledger, here, before)
    [gone] = note(ledger, here, without(before, "supervision", 11))
    assert (gone.was, gone.now) == (date(2026, 12, 4), None)
    [text] = texts(ledger)
    assert say("notice.deadline.nothing_to_send", "zh-CN") in text
    told = messages(ledger)
    assert "two@villages.example" in {each[5] for each in told}
    assert note(ledger, here, without(before, "supervision", 11)) == []
    assert note(ledger, here, before) == []
    assert messages(ledger) == told


def test_a_day_that_is_over_and_was_is_told_to_nobody(
    here: Home, ledger: Store, before: Plan
) -> None:
    note(ledger, here, before)
    [moved] = note(ledger, here, moved_to(before, "supervision", 1, date(2026, 2, 4)))
    assert moved.now == date(2026, 2, 4)
    assert messages(ledger) == []


def test_the_window_of_an_ad_hoc_sweep_is_no_deadline_of_the_calendar(
    here: Home, ledger: Store, before: Plan
) -> None:
    asked = replace(of(before, ("supervision", 1)), phase="sweep", ad_hoc=True)
    plan = before.model_copy(update={"calendar": (*before.calendar, asked)})
    note(ledger, here, plan)
    assert noted(ledger, "sweep", 1) == []
    assert note(ledger, here, before) == []


def test_init_tells_of_what_a_newer_plan_moves(tmp_path: Path) -> None:
    home = Home(tmp_path / "township")
    plan_file = copy_plan(CAMPAIGNS / "autumn-2025.toml", tmp_path / "plan")
    with simulated(datetime(2025, 9, 1, 9, 0)):
        set_up(home, plan_file, notice_gate)
        change(plan_file, 'due = "2025年11月中旬"', 'due = "2025年11月25日"')
        set_up(home, plan_file, notice_gate)
    with open_ledger(home) as store:
        assert [each[:4] for each in messages(store)] == [("deadline", "aggregation", 0, 2)] * 3
        assert [due for due, _ in noted(store, "aggregation", 0)] == [
            date(2025, 11, 20),
            date(2025, 11, 25),
        ]
        assert noted(store, "sweep", 1) == [(date(2025, 10, 31), False)]


def change(plan_file: Path, old: str, new: str) -> None:
    text = plan_file.read_text(encoding="utf-8")
    assert old in text
    plan_file.write_text(text.replace(old, new), encoding="utf-8")


# Figures were released by it


def release_december(store: Store, due: date, *, provisional: bool) -> None:
    store.connection.execute(
        "INSERT INTO ledger.out_revision VALUES"
        " ('supervision-2026', 'supervision', 12, 1, ?, ?, ?, '2026-12', 'due', 'x', ?)",
        [due, due, provisional, datetime(2027, 1, 6)],
    )


def test_a_day_by_which_figures_were_released_stays_and_that_is_told(
    here: Home, ledger: Store, before: Plan, learned: Plan
) -> None:
    note(ledger, here, before)
    release_december(ledger, date(2027, 1, 5), provisional=True)

    moved = note(ledger, here, learned, datetime(2027, 1, 8, 9, 0))

    assert DECEMBER not in {(each.phase, each.round) for each in moved}
    assert noted(ledger, *DECEMBER)[-1] == (date(2027, 1, 5), False)
    told = [each for each in messages(ledger) if each[1:3] == DECEMBER]
    assert {each[4] for each in told} == {"health", "office"}
    [text] = {each for each in texts(ledger) if "2026-12-31" in each}
    assert "2027-01-05" in text
    assert note(ledger, here, learned, datetime(2027, 1, 9)) == []


def test_the_kept_day_is_the_one_that_everybody_is_judged_by(
    here: Home, ledger: Store, learned: Plan
) -> None:
    assert keep_released(ledger, learned) is learned
    release_december(ledger, date(2027, 1, 5), provisional=True)
    kept = keep_released(ledger, learned)
    december = of(kept, DECEMBER)
    assert (december.due, december.provisional) == (date(2027, 1, 5), False)
    assert december.kept_from == date(2026, 12, 31)
    assert replace(december, due=date(2026, 12, 31), kept_from=None) == of(learned, DECEMBER)
    assert set(kept.calendar) - {december} == set(learned.calendar) - {of(learned, DECEMBER)}
    assert keep_released(ledger, kept) is kept


def test_an_interim_figure_keeps_no_day(ledger: Store, learned: Plan) -> None:
    release_december(ledger, date(2027, 1, 5), provisional=True)
    ledger.connection.execute("UPDATE ledger.out_revision SET status = 'interim'")
    assert keep_released(ledger, learned) is learned


def test_a_plan_may_be_set_up_again_though_the_calendar_moved_a_released_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "township")
    plan_file = copy_plan(SUPERVISION_2026, tmp_path / "plan")
    monkeypatch.setattr("tasks.plan.PublishedWorkdays", lambda: Published(None))
    set_up(home, plan_file, notice_gate)
    with open_ledger(home, "write") as store:
        release_december(store, date(2027, 1, 5), provisional=True)
    monkeypatch.setattr("tasks.plan.PublishedWorkdays", lambda: Published(NEW_YEAR))
    set_up(home, plan_file, notice_gate)
    # but whoever moves it by hand is told that it stays
    change(plan_file, 'due = "每月5日"', 'due = "每月8日"')
    with pytest.raises(WrongCommand) as refused:
        set_up(home, plan_file, notice_gate)
    assert refused.value.key == "error.plan_moves"


def test_a_campaign_is_opened_with_the_day_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "township")
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.setattr("tasks.plan.PublishedWorkdays", lambda: Published(None))
    set_up(home, SUPERVISION_2026)
    with open_ledger(home, "write") as store:
        release_december(store, date(2027, 1, 5), provisional=True)
    monkeypatch.setattr("tasks.plan.PublishedWorkdays", lambda: Published(NEW_YEAR))
    with open_campaign("supervision-2026", "test", "test") as at:
        assert of(at.plan, DECEMBER).due == date(2027, 1, 5)


# A rectification's due day


@pytest.mark.parametrize(
    ("holidays", "closed", "due", "provisional"),
    [
        (None, False, date(2027, 1, 5), True),
        (NEW_YEAR, False, date(2026, 12, 31), False),
        (NEW_YEAR, True, date(2027, 1, 5), True),
    ],
)
def test_an_open_rectification_is_due_by_the_year_once_it_is_published(
    tmp_path: Path,
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
    holidays: Collection[date] | None,
    closed: bool,
    due: date,
    provisional: bool,
) -> None:
    monkeypatch.setattr("tasks.rectifications.PublishedWorkdays", lambda: Published(holidays))
    opened, village = date(2026, 12, 22), plan.villages[0].code
    ended = (1, date(2026, 12, 30)) if closed else (None, None)
    with open_home(make_home(tmp_path / "home")) as store:
        store.connection.execute(
            "INSERT INTO ledger.agg_rectification VALUES"
            " ('autumn-2025', ?, 'visits_overdue', 0, ?, ?, true, ?, ?)",
            [village, opened, date(2027, 1, 5), *ended],
        )
        reporting = {each.code: "missing" for each in plan.villages}
        month = plan.occurrence("supervision", 1)
        looked = supervise(store, plan, month, date(2025, 12, 4), reporting=reporting)
    [found] = [each for each in looked.rectifications if each.opened_on == opened]
    assert (found.due, found.due_provisional) == (due, provisional)


# What is said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_passes_the_gate_again_when_it_is_sent(
    here: Home, ledger: Store, before: Plan, learned: Plan, language: str
) -> None:
    first, later = (each.model_copy(update={"language": language}) for each in (before, learned))
    copy_plan(SUPERVISION_2026, here.plan(first.slug).parent)
    note(ledger, here, first)
    release_december(ledger, date(2027, 1, 5), provisional=True)
    later = moved_to(without(later, "supervision", 11), "supervision", 10, date(2026, 12, 1))
    note(ledger, here, moved_to(later, PACK, 4, date(2027, 1, 20), provisional=True))
    sends = mail_gate(ledger, here)
    rows = ledger.connection.execute("SELECT revision, subject, body FROM ledger.out_message")
    drafted = rows.fetchall()
    assert len(drafted) > 6
    for number, subject, body in drafted:
        sends(first.slug, "", 0, number, {"txt": body, "subject": subject})


def test_what_the_gate_stops_is_neither_noted_nor_drafted(
    here: Home, ledger: Store, before: Plan, learned: Plan
) -> None:
    note(ledger, here, before)

    def stop(*_: object) -> None:
        raise DisclosureRisk("gate.name", kind="txt")

    with pytest.raises(DisclosureRisk):
        note_deadlines(ledger, learned, NOW, stop)
    assert noted(ledger, *DECEMBER) == [(date(2027, 1, 5), True)]
    assert messages(ledger) == []
