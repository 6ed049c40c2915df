"""Catch-up: after any time off, each run that is owed is made once, in order, said to be late."""

import json
import os
import sys
import time as wall
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import (
    PREFECT_HOME,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    get_current_settings,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

from cli import catching_up
from cli.catching_up import catch_up_all
from cli.main import main
from data.synthetic.generate import generate
from flows import catch_up as module
from flows import release as release_module
from flows import steps
from flows.catch_up import catch_up, catch_up_in_process
from flows.own_day import left_alone
from flows.release import send_mail
from flows.retention import retention
from flows.sweep import sweep
from reports.gate import notice_gate
from tasks import at_home
from tasks.agenda import CatchUpFailed, CaughtUp, LeftAlone, NotRun, Ran, owed_runs
from tasks.at_home import load_campaign, load_campaigns, open_campaign, open_patiently
from tasks.clock import simulated
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.names import read_names
from tasks.phase_life import note_run, phase_states, read_transitions
from tasks.post_office import PostOffice, open_post_office
from tasks.receipt import Receipt
from tasks.receive import receive
from tasks.reminders import write_reminders
from tasks.rules.errors import DisclosureRisk, Exit, StoreBusy, WrongCommand
from tasks.set_up import set_up

SLUG = "autumn-2025"
PLAN = Path(__file__).parent.parent / "data" / "campaigns" / f"{SLUG}.toml"
NOVEMBER = datetime(2025, 11, 25, 9)
MARKER = "孔雀石标记"
VILLAGE = "990101101201"


@pytest.fixture
def township(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with plan A set up and nothing sent."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    set_up(home, PLAN)
    return home


@pytest.fixture
def runs(township: Home, monkeypatch: pytest.MonkeyPatch) -> "Runs":
    """What a catch-up ran, without a server: each phase only notes that it ran."""
    made = Runs(township)
    monkeypatch.setattr(module, "run", made.run)
    monkeypatch.setattr(module, "run_nightly", made.run_nightly)
    monkeypatch.setattr(module, "look_around", lambda at: None)
    monkeypatch.setattr(module, "tell_what_changed", lambda at: None)
    monkeypatch.setattr(module, "show_status_at", lambda *_: None)
    return made


class Runs:
    """Stands in for the flows."""

    def __init__(self, home: Home) -> None:
        """Take the home whose ledger has to be closed while a phase runs."""
        self.home = home
        self.made: list[tuple[str, int, date]] = []
        self.stops: dict[str, Exception] = {}

    def run(self, phase: str, campaign: str, as_of: date, round: int | None) -> Any:
        """Note the run, or raise what stops the phase."""
        self.made.append((phase, round or 0, as_of))
        if phase in self.stops:
            raise self.stops[phase]
        with open_ledger(self.home, "write") as store:
            note_run(store, campaign, phase, round or 0, as_of, 1, NOVEMBER)

        class Receipt:
            revision, is_new = 1, True

        return Receipt

    def run_nightly(self, phase: str, campaign: str, as_of: date) -> Any:
        """Note the run of a day."""
        return self.run(phase, campaign, as_of, None)


def caught_up(as_of: date | None = None) -> CaughtUp:
    result: CaughtUp = catch_up.fn(SLUG, as_of)  # type: ignore[attr-defined]
    return result


# --- order, once, late ----------------------------------------------------------------------------


def test_after_weeks_off_each_run_is_made_once_in_order_as_of_its_own_day(runs: Runs) -> None:
    with simulated(NOVEMBER):
        found = caught_up()
        yesterday = date(2025, 11, 24)
        assert runs.made == [
            ("sweep", 1, date(2025, 10, 31)),
            ("list_compilation", 0, date(2025, 11, 10)),
            ("aggregation", 0, date(2025, 11, 20)),
            ("diagnosis_queue", 0, yesterday),
            ("retention", 0, yesterday),
            ("reminders", 0, date(2025, 11, 25)),
        ]
        assert found.not_run == ()
        assert found.as_of == yesterday
        late = {each.phase: each.days_late for each in found.ran if each.because == "due"}
        assert late == {"sweep": 24, "list_compilation": 14, "aggregation": 4}
        assert caught_up() == CaughtUp(SLUG, yesterday, (), ())
        assert len(runs.made) == 6


def test_a_day_can_be_named_up_to_which_to_look(runs: Runs) -> None:
    with simulated(NOVEMBER):
        found = caught_up(date(2025, 11, 10))
        assert [each.phase for each in found.ran] == [
            "sweep",
            "list_compilation",
            "diagnosis_queue",
            "retention",
        ]
        with pytest.raises(WrongCommand):
            caught_up(date(2025, 11, 25))


def test_what_fails_does_not_stop_what_does_not_rest_on_it(runs: Runs) -> None:
    runs.stops = {"list_compilation": DisclosureRisk("error.step", step="x", kind="y")}
    with simulated(NOVEMBER):
        with pytest.raises(CatchUpFailed) as failed:
            caught_up()
        done = failed.value.caught_up
        assert [each.phase for each in done.ran] == [
            "sweep",
            "diagnosis_queue",
            "retention",
            "reminders",
        ]
        told = [(each.phase, each.exit, bool(each.error)) for each in done.not_run]
        assert told == [
            ("list_compilation", Exit.DISCLOSURE, True),
            ("aggregation", 0, False),
        ]
        assert failed.value.exit == Exit.DISCLOSURE
        assert "list_compilation-0 2025-11-10" in str(failed.value)
        runs.stops = {}
        again = caught_up()
    assert [each.phase for each in again.ran] == ["list_compilation", "aggregation"]


def test_a_letter_that_cannot_be_written_stops_no_phase(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: object) -> None:
        raise DisclosureRisk("error.step", step="x", kind="y")

    monkeypatch.setattr(module, "tell_what_changed", stop)
    with simulated(NOVEMBER), pytest.raises(CatchUpFailed) as failed:
        caught_up()
    assert len(runs.made) == len(failed.value.caught_up.ran) == 6
    assert failed.value.exit == Exit.DISCLOSURE
    assert "catch_up-0 2025-11-24" in str(failed.value)


def test_a_store_that_stays_busy_ends_the_catch_up(runs: Runs) -> None:
    runs.stops = {"sweep": StoreBusy("error.store_busy", file="register.duckdb")}
    with simulated(NOVEMBER), pytest.raises(CatchUpFailed) as failed:
        caught_up()
    assert runs.made == [("sweep", 1, date(2025, 10, 31))]
    assert failed.value.exit == Exit.STORE_BUSY
    assert len(failed.value.caught_up.not_run) == 6


def test_a_campaign_that_cannot_be_caught_up_stops_no_other(
    township: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(slug: str, as_of: date | None) -> CaughtUp:
        raise StoreBusy("error.store_busy", file="ledger.duckdb")

    monkeypatch.setattr(catching_up, "prefect_server", lambda home: nullcontext(lambda: None))
    monkeypatch.setattr(module, "catch_up_in_process", stop)
    with simulated(NOVEMBER):
        (found,) = catch_up_all(township, load_campaigns(township))
    assert [(each.phase, each.exit) for each in found.not_run] == [("catch_up", Exit.STORE_BUSY)]


def test_nothing_owed_starts_no_server(
    runs: Runs, township: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Home] = []

    @contextmanager
    def server(home: Home) -> Iterator[Callable[[], None]]:
        started.append(home)
        yield lambda: None

    monkeypatch.setattr(catching_up, "prefect_server", server)
    monkeypatch.setattr(module, "catch_up_in_process", lambda slug, as_of: caught_up(as_of))
    plans = load_campaigns(township)
    with simulated(NOVEMBER):
        (first,) = catch_up_all(township, plans)
        assert len(first.ran) == 6
        (second,) = catch_up_all(township, plans)
    assert second == CaughtUp(SLUG, date(2025, 11, 24), (), ())
    assert len(started) == 1


def test_what_was_written_by_a_run_that_was_killed_goes_out_all_the_same(
    runs: Runs, township: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(phase: str, campaign: str, as_of: date) -> Any:
        if phase != "reminders":
            return runs.run_nightly(phase, campaign, as_of)
        with open_campaign(campaign, "test", "test") as at, at.store.transaction():
            gate = notice_gate(at.store, at.home, at.plan, read_names(at.store))
            write_reminders(at.store, at.plan, as_of, at.now, gate)
            note_run(at.store, campaign, phase, 0, as_of, None, at.now)
        # what comes next, in the same process, is the mail
        raise StoreBusy("error.store_busy", file="ledger.duckdb")

    monkeypatch.setattr(module, "run_nightly", killed)
    monkeypatch.setattr(module, "send_mail", send_mail.fn)  # type: ignore[attr-defined]
    monkeypatch.setattr(catching_up, "prefect_server", lambda home: nullcontext(lambda: None))
    monkeypatch.setattr(module, "catch_up_in_process", lambda slug, as_of: caught_up(as_of))
    with open_post_office(tmp_path / "mail") as office, simulated(datetime(2025, 11, 1, 9)):
        for name, value in smtp(office).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(CatchUpFailed):
            caught_up()
        assert not list(office.folder.glob("*.eml"))
        (found,) = catch_up_all(township, load_campaigns(township))
        assert (found.ran, found.not_run) == ((), ())
        assert len(list(office.folder.glob("*.eml"))) > 1
        before = len(runs.made)
        catch_up_all(township, load_campaigns(township))
    assert len(runs.made) == before


def smtp(office: PostOffice) -> dict[str, str]:
    return {
        "CAMPAIGN_SMTP_HOST": office.host,
        "CAMPAIGN_SMTP_PORT": str(office.port),
        "CAMPAIGN_SMTP_SENDER": "campaign@health.example",
        "CAMPAIGN_SMTP_SECURITY": "none",
    }


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def command(
    township: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs `campaign …` in this process."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["campaign", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


def test_the_command_says_what_was_late_what_failed_and_the_worst_exit_code(
    command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = CaughtUp(
        SLUG,
        date(2025, 11, 24),
        (
            Ran("sweep", 1, date(2025, 10, 31), "due", 24, 1, is_new=True),
            Ran("supervision", 1, date(2025, 12, 5), "news", 0, 2, is_new=False),
            Ran("retention", 0, date(2025, 11, 24), "daily", 0, None, is_new=False),
        ),
        (
            NotRun("list_compilation", 0, date(2025, 11, 10), int(Exit.CHECK_FAILED), "stopped"),
            NotRun("aggregation", 0, date(2025, 11, 20), 0, ""),
        ),
    )
    monkeypatch.setattr(catching_up, "catch_up_all", lambda home, plans, as_of: [done])
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    code, out, err = command("catch-up")
    assert code == Exit.CHECK_FAILED
    assert "as of 2025-10-31 (due day): revision 1 released (late by 24 day(s))" in out
    assert "2025-11, as of 2025-12-05 (news): no news, revision 2 still holds\n" in out
    assert "(daily): done" in out
    assert "2025-11-10: not done. stopped" in err
    assert "2025-11-20: not done. It waits" in err
    code, out, _ = command("catch-up", "--json")
    record = json.loads(out)
    assert code == Exit.CHECK_FAILED
    (campaign,) = record["campaigns"]
    assert campaign["ran"][0]["days_late"] == 24
    assert [each["error"] for each in campaign["not_run"]] == ["stopped", ""]


def test_the_phases_lives_are_shown_and_a_closed_one_is_reopened_by_name(
    command: Callable[..., tuple[int, str, str]], township: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    asked = ("phase", "reopen", "--campaign", SLUG, "--phase", "sweep", "--until", "2025-12-01")
    who = ("--by", "Wang", "--reason", "corrections")
    with simulated(NOVEMBER):
        code, _, err = command(*asked, *who)
        assert (code, "only a closed one" in err) == (Exit.WRONG_COMMAND, True)
        with open_ledger(township, "write") as store:
            note_run(store, SLUG, "sweep", 1, date(2025, 10, 31), 1, NOVEMBER)
        code, out, _ = command(*asked, *who)
        assert (code, "2025-12-01" in out) == (0, True)
        code, out, _ = command("phase", "show", "--campaign", SLUG)
        assert "reopened (recorded 2025-11-25 09:00), Wang: corrections, until 2025-12-01" in out
        code, out, _ = command("phase", "show", "--campaign", SLUG, "--json")
    phases = {(each["phase"], each["round"]): each for each in json.loads(out)["phases"]}
    assert phases["sweep", 1]["state"] == "reopened"
    assert [each["state"] for each in phases["sweep", 1]["transitions"]] == [
        "planned",
        "open",
        "due",
        "closed",
        "reopened",
    ]


# --- patience -------------------------------------------------------------------------------------


def test_a_run_waits_for_a_busy_store_and_takes_the_time_when_it_opened(
    township: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_home, "LOOK_AGAIN", 0.05)
    tries: list[datetime] = []

    @contextmanager
    def opened() -> Iterator[str]:
        tries.append(datetime(2025, 1, 1))
        if len(tries) < 3:
            raise StoreBusy("error.store_busy", file="ledger.duckdb")
        yield "open"

    with open_patiently(opened, 30) as it:
        assert it == "open"
    assert len(tries) == 3


def test_a_command_does_not_wait_and_patience_ends() -> None:
    tries: list[int] = []

    @contextmanager
    def busy() -> Iterator[None]:
        tries.append(1)
        raise StoreBusy("error.store_busy", file="ledger.duckdb")
        yield

    with pytest.raises(StoreBusy), open_patiently(busy, 0):
        pass
    assert len(tries) == 1
    started = wall.monotonic()
    with pytest.raises(StoreBusy), open_patiently(busy, 0.2):
        pass
    assert len(tries) > 2
    assert wall.monotonic() - started < 5


def test_what_is_done_inside_is_never_done_twice() -> None:
    entered: list[int] = []

    @contextmanager
    def opened() -> Iterator[None]:
        entered.append(1)
        yield

    with pytest.raises(StoreBusy), open_patiently(opened, 30):
        raise StoreBusy("error.store_busy", file="ledger.duckdb")
    assert entered == [1]


# --- a scheduled run ------------------------------------------------------------------------------


def test_a_scheduled_run_that_is_not_owed_or_not_next_is_left_alone(township: Home) -> None:
    with simulated(datetime(2025, 11, 11, 0, 10)), open_campaign(SLUG, "test", "test") as at:
        sweep_due, list_due = date(2025, 10, 31), date(2025, 11, 10)
        assert left_alone(at, "sweep", 1, sweep_due) is None
        waits = left_alone(at, "list_compilation", 0, list_due)
        assert waits == LeftAlone(SLUG, "list_compilation", 0, list_due, "waits")
        note_run(at.store, SLUG, "sweep", 1, sweep_due, 1, at.now)
        ran = left_alone(at, "sweep", 1, sweep_due)
        assert ran == LeftAlone(SLUG, "sweep", 1, sweep_due, "not_owed")
        assert left_alone(at, "list_compilation", 0, list_due) is None


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2025-10-31T16:10:00+00:00", date(2025, 10, 31)),  # 00:10 on 1 November in Shanghai
        ("2025-10-31T15:59:00+00:00", date(2025, 10, 30)),
    ],
)
def test_a_scheduled_runs_day_is_the_one_before_it_was_to_start(
    monkeypatch: pytest.MonkeyPatch, start: str, day: date
) -> None:
    class Scheduled:
        id = "a-deployment"
        scheduled_start_time = datetime.fromisoformat(start)

    monkeypatch.setattr(steps, "deployment", Scheduled)
    monkeypatch.setattr(steps, "flow_run", Scheduled)
    assert steps.scheduled_day("Asia/Shanghai") == day


# --- with Prefect ---------------------------------------------------------------------------------


@contextmanager
def prefect(folder: Path) -> Iterator[Path]:
    """A Prefect server of the test's own; yields the folder of its database."""
    quiet = {PREFECT_HOME: folder, PREFECT_SERVER_ANALYTICS_ENABLED: False}
    with temporary_settings(quiet), prefect_test_harness(server_startup_timeout=180):
        url = get_current_settings().server.database.connection_url
        assert url is not None
        yield Path(url.get_secret_value().partition("///")[2]).parent


def deliver(home: Home, synthetic: Path, after: date, until: date) -> None:
    """Take in what villages sent after one day and up to another, in those days."""
    plans = load_campaigns(home)
    with open_campaign(SLUG, "test", "test") as at:
        for delivery in json.loads((synthetic / "truth.json").read_text("utf-8"))["deliveries"]:
            when = datetime.fromisoformat(delivery["received_at"])
            if after < when.date() <= until:
                path = synthetic / delivery["file"]
                receive(at.store, home, plans, [path], received_at=when, recorded_at=at.now)


def test_a_season_runs_by_catching_up_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, synthetic = Home(tmp_path / "home"), tmp_path / "synthetic"
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    for name in [name for name in os.environ if name.startswith("CAMPAIGN_SMTP")]:
        monkeypatch.delenv(name)
    generate(PLAN, synthetic, seed=7, villages=6, residents=3000)
    set_up(home, synthetic / "plan.toml")
    due, late = date(2025, 10, 31), date(2025, 11, 24)

    def ran(done: CaughtUp) -> list[tuple[str, date, str]]:
        return [(each.phase, each.as_of, each.because) for each in done.ran]

    with prefect(tmp_path / "prefect") as database:
        with simulated(datetime(2025, 11, 1, 0, 10)) as clock:
            deliver(home, synthetic, date.min, due)
            scheduled = sweep(SLUG, None, 1)
            assert isinstance(scheduled, Receipt)
            assert (scheduled.as_of, scheduled.revision) == (due, 1)
            clock.set(datetime(2025, 11, 1, 0, 40))
            assert ran(catch_up_in_process(SLUG)) == [("retention", due, "daily")]
        # more than three weeks off, in which villages were late
        with simulated(datetime(2025, 11, 25, 0, 40)):
            deliver(home, synthetic, due, late)
            with pytest.MonkeyPatch.context() as broken:
                broken.setattr(release_module, "_check", burst)
                with pytest.raises(CatchUpFailed) as failed:
                    catch_up_in_process(SLUG)
            assert failed.value.exit == Exit.CHECK_FAILED
            assert ran(failed.value.caught_up) == [("retention", late, "daily")]
            done = catch_up_in_process(SLUG)
            assert ran(done) == [
                ("list_compilation", date(2025, 11, 10), "due"),
                ("aggregation", date(2025, 11, 20), "due"),
                ("sweep", late, "news"),
                ("list_compilation", late, "news"),
                ("aggregation", late, "news"),
                ("diagnosis_queue", late, "daily"),
            ]
            assert ran(catch_up_in_process(SLUG)) == []
            assert sweep(SLUG, None, 1) == LeftAlone(SLUG, "sweep", 1, late, "not_owed")
            assert retention(SLUG) == LeftAlone(SLUG, "retention", 0, late, "not_owed")
        kept = [path.read_bytes() for path in database.rglob("*") if path.is_file()]
    assert not any(MARKER.encode() in content for content in kept)
    plan = load_campaign(home, SLUG)
    with open_ledger(home) as store:
        assert owed_runs(store, plan, datetime(2025, 11, 25, 0, 50)) == []
        closed = phase_states(store, plan, datetime(2025, 11, 25, 0, 50))
        lives = read_transitions(store, plan)
    assert {key for key, state in closed.items() if state.state == "closed"} == {
        ("sweep", 1),
        ("list_compilation", 0),
        ("aggregation", 0),
    }
    assert [each.state for each in lives["sweep", 1]] == ["planned", "open", "due", "closed"]
    assert [each.on_day for each in lives["list_compilation", 0]][2:] == [date(2025, 11, 10)] * 2


def burst(*_: object) -> Any:
    raise ValueError(f"could not convert {MARKER}")
