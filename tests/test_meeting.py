"""Joint meetings: what is decided, what becomes of it, what the next one talks about."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import app
from released_rows import CODES, make_ledger, township
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.meeting import read_decisions, record_decision, record_result
from tasks.plan import Plan
from tasks.rules.errors import WrongCommand
from tasks.rules.meeting import (
    OWNERS,
    POINTS,
    RESULTS,
    TOPICS,
    Decision,
    Facts,
    agenda,
    months_of,
    quarter_before,
    to_be_reported,
)
from tasks.rules.wording import LANGUAGES, keys
from tasks.store import Store

MET = date(2026, 1, 14)
NOW = datetime(2026, 1, 15, 9, 0)
DAY = timedelta(days=1)
DECIDED = Decision(1, MET, "visits", "health_centre", date(2026, 2, 28))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_ledger(tmp_path / "home")


@pytest.fixture
def ledger(home: Home) -> Iterator[Store]:
    with open_ledger(home, "write") as store:
        yield store


def decide(ledger: Store, plan: Plan, **changed: object) -> Decision:
    said: dict[str, object] = {
        "met_on": MET,
        "topic": "visits",
        "owner": "health_centre",
        "due": date(2026, 2, 28),
        "by": "Li",
        "now": NOW,
    }
    return record_decision(ledger, plan, **said | changed)  # type: ignore[arg-type]


# --- quarters -------------------------------------------------------------------------------------


def test_quarters_and_their_months() -> None:
    assert months_of("2026-Q1") == ("2026-01", "2026-02", "2026-03")
    assert months_of("2025-Q4") == ("2025-10", "2025-11", "2025-12")
    assert [quarter_before("2026-Q1", back) for back in (0, 1, 4, 5)] == [
        *("2026-Q1", "2025-Q4", "2025-Q1", "2024-Q4"),
    ]


# --- what the next meeting hears ------------------------------------------------------------------


def test_a_decision_is_overdue_from_the_day_after_its_due_day() -> None:
    assert not DECIDED.is_overdue(DECIDED.due)
    assert DECIDED.is_overdue(DECIDED.due + DAY)
    done = replace(DECIDED, result="done", result_on=date(2026, 3, 10))
    assert done.is_overdue(date(2026, 3, 9)), "it was done later"
    assert not done.is_overdue(date(2026, 3, 10))
    assert replace(DECIDED, result="in_progress", result_on=MET).is_overdue(date(2026, 3, 1))


def test_all_of_the_last_meeting_and_what_ran_still_before_it() -> None:
    last = MET + 90 * DAY
    ended = replace(DECIDED, number=2, result="done", result_on=MET + DAY)
    running = replace(DECIDED, number=3, due=MET + 300 * DAY)
    fresh = replace(DECIDED, number=4, met_on=last, due=last + DAY, result="dropped")
    fresh = replace(fresh, result_on=last)
    to_come = replace(DECIDED, number=5, met_on=last + 90 * DAY)
    known = [fresh, running, ended, DECIDED, to_come]
    told = to_be_reported(known, last, last + 10 * DAY)
    assert [each.number for each in told] == [1, 3, 4], "overdue, running, ended"
    assert to_be_reported([], last, last) == []


@given(
    again=st.sets(st.sampled_from(CODES)),
    overdue=st.sets(st.sampled_from(CODES)),
    below=st.sets(st.sampled_from(["visits", "reports", "coverage"])),
    decisions=st.lists(st.sampled_from([DECIDED, replace(DECIDED, due=date(2027, 1, 1))])),
)
def test_an_agenda_has_a_point_where_there_is_something_to_say(
    again: set[str], overdue: set[str], below: set[str], decisions: list[Decision]
) -> None:
    day = date(2026, 4, 10)
    found = agenda(
        Facts(day, decisions, again=again, overdue=overdue, below_target=below, problems={CODES[0]})
    )
    named = {each.name: each.villages for each in found}
    assert [each.name for each in found] == [name for name in POINTS if name in named], "in order"
    assert ("rectifications_again" in named) is bool(again)
    assert named.get("rectifications_overdue", ()) == tuple(sorted(overdue))
    assert {name for name in named if name.endswith("below_target")} == {
        f"{name}_below_target" for name in below
    }
    assert ("decisions_overdue" in named) is (DECIDED in decisions)
    assert ("decisions_running" in named) is any(each != DECIDED for each in decisions)
    assert named["problems_raised"] == (CODES[0],)
    assert {"figures", "decide"} <= set(named)
    assert "reports_missing" not in named


def test_everything_that_can_be_chosen_has_words() -> None:
    spoken = set(keys("meeting."))
    assert {f"meeting.topic.{name}" for name in TOPICS} <= spoken
    assert {f"meeting.owner.{name}" for name in OWNERS} <= spoken
    assert {f"meeting.result.{name}" for name in RESULTS} <= spoken
    assert {f"meeting.agenda.{name}" for name in POINTS} <= spoken


# --- in the ledger --------------------------------------------------------------------------------


def test_decisions_are_numbered_and_followed_up(ledger: Store) -> None:
    plan = township()
    first = decide(ledger, plan)
    second = decide(
        ledger, plan, topic="整改", owner="village", village=CODES[2], shortfall="report_missing"
    )
    assert (first, second.number, second.topic) == (DECIDED, 2, "rectification")
    record_result(ledger, plan, 1, result="in progress", on=MET + DAY, by="Li", now=NOW)
    later = datetime(2026, 3, 1, 9, 0)
    done = record_result(ledger, plan, 1, result="已落实", on=date(2026, 2, 27), by="Li", now=later)
    assert (done.result, done.result_on) == ("done", date(2026, 2, 27))
    assert read_decisions(ledger, plan.slug, later) == [done, second]
    assert read_decisions(ledger, plan.slug, NOW)[0].result == "in_progress", "as it was known then"
    assert read_decisions(ledger, plan.slug, NOW - DAY) == []
    assert read_decisions(ledger, "other", later) == []


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"met_on": NOW.date() + DAY, "due": date(2026, 3, 1)}, "meeting.to_come"),
        ({"due": MET - DAY}, "meeting.due_before"),
        ({"topic": "a name"}, "meeting.choice"),
        ({"owner": "police"}, "meeting.choice"),
        ({"village": "990101001099"}, "extend.unknown"),
        ({"shortfall": "report_missing"}, "meeting.shortfall_of_whom"),
        ({"village": CODES[0], "shortfall": "someone"}, "meeting.choice"),
        ({"by": " "}, "meeting.no_name"),
    ],
)
def test_what_cannot_be_decided(ledger: Store, changed: dict[str, object], key: str) -> None:
    with pytest.raises(WrongCommand) as refused:
        decide(ledger, township(), **changed)
    assert refused.value.key == key
    assert all(refused.value.text(language) for language in LANGUAGES)
    assert read_decisions(ledger, "autumn-2025", NOW) == []


@pytest.mark.parametrize(
    ("number", "on", "result", "key"),
    [
        (2, MET, "done", "meeting.no_decision"),
        (1, MET - DAY, "done", "meeting.result_day"),
        (1, NOW.date() + DAY, "done", "meeting.result_day"),
        (1, MET, "good", "meeting.choice"),
    ],
)
def test_what_cannot_become_of_it(
    ledger: Store, number: int, on: date, result: str, key: str
) -> None:
    decide(ledger, township())
    with pytest.raises(WrongCommand) as refused:
        record_result(ledger, township(), number, result=result, on=on, by="Li", now=NOW)
    assert refused.value.key == key
    assert read_decisions(ledger, "autumn-2025", NOW) == [DECIDED]


# --- commands -------------------------------------------------------------------------------------


def test_a_decision_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_ledger(tmp_path / "home")
    source = Path(__file__).parent.parent / "data" / "campaigns" / "supervision-2026.toml"
    folder = home.plan("supervision-2026").parent
    folder.mkdir(parents=True)
    for path in (source, source.with_name("longquan.villages.csv")):
        (folder / ("plan.toml" if path is source else path.name)).write_bytes(path.read_bytes())
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.setenv("CAMPAIGN_LANG", "en")

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["meeting", *words], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    of = ("--campaign", "supervision-2026")
    assert "No decision" in run("list", *of)
    said = ("--held-on", "2026-01-14", "--due", "2026-02-28", "--by", "Li")
    made = run("record", *of, *said, "--topic", "training", "--owner", "health_centre")
    assert "decision 1: training; health centre; by 2026-02-28" in made
    run("outcome", *of, "--decision", "1", "--result", "done", "--on", "2026-02-20", "--by", "Li")
    assert "carried out 2026-02-20" in run("list", *of)
    (record,) = json.loads(run("list", *of, "--json"))
    assert (record["number"], record["result"], record["overdue"]) == (1, "done", False)
