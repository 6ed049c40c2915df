"""A kill anywhere: a campaign under SIGKILL ends as if nothing had happened.

Each moment of a season is played by a process that dies at some event, and is begun again until it
comes to its end. What the campaign has come to then is what the undisturbed run came to: figures,
reports, the rows of the register, and the mail that arrived, each message once.

Most kills fall on the flows without Prefect, which has no part in what is stored and whose
conversation takes most of a run's time; one test has it in between, and its server killed as well.
"""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from killed_season import (
    Content,
    Ended,
    Events,
    Kill,
    Machine,
    Moment,
    Township,
    differences,
    machine,
    make_moments,
    make_start,
    merged,
    play_undisturbed,
    township,
)

from cli.server import QUIET, Server, free_port, fresh_word, wait_for
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.post_office import open_post_office

ANY, IN_MEMORY = "any", "sql macro/"
"""As kill_run.py has them: events all together, and statements that change nothing on a disk."""

TURNS = 2
"""How often a phase of a moment is killed."""

LONGEST = 0.02
"""Seconds after an event in which a process is killed, where it is not killed at once."""

PHASES = {
    "catch_up",  # the inbox, the phases' states, the due days
    "questions",
    "clinic",
    "sweep",
    "list_compilation",
    "aggregation",
    "diagnosis_queue",
    "supervision",
    "reminders",
    "retention",
}
"""Where a season can be killed."""

FEW = (
    datetime(2025, 10, 27, 23, 30),
    datetime(2025, 11, 1, 8, 30),
    datetime(2025, 11, 3, 23, 30),
    datetime(2025, 11, 11, 8, 30),
    datetime(2025, 11, 12, 23, 30),
)
"""The sweep's files, its figures, a late correction, the list, a first session: five moments."""


MANY = tuple(
    datetime.fromisoformat(at)
    for at in (
        "2025-08-28T23:30",  # people are registered
        "2025-10-02T23:30",
        "2025-10-23T23:30",
        "2025-10-24T08:30",  # a week before the sweep's due day: reminders
        "2025-10-25T23:30",
        "2025-10-27T23:30",
        "2025-10-30T08:30",
        "2025-11-01T08:30",  # the sweep
        "2025-11-02T23:30",  # late files
        "2025-11-03T08:30",
        "2025-11-03T23:30",
        "2025-11-11T08:30",  # the list
        "2025-11-12T23:30",  # the first session
        "2025-11-13T08:30",
        "2025-11-19T23:30",
        "2025-11-21T08:30",  # the aggregation
        "2025-11-28T08:30",
        "2025-12-03T23:30",
        "2025-12-06T08:30",  # the first month of supervision
        "2025-12-08T08:30",
        "2025-12-10T23:30",
        "2025-12-18T08:30",
        "2026-01-01T08:30",  # the queue ends
        "2026-01-03T23:30",
        "2026-01-06T08:30",  # the second month
        "2026-01-10T23:30",
        "2026-01-12T08:30",
        "2026-02-02T08:30",  # people are forgotten
        "2026-06-01T08:30",
    )
)
"""A whole season."""


@dataclass
class Season:
    """A season that can be played again and again, and what it comes to undisturbed."""

    start: Path
    moments: Sequence[Moment]
    events: Sequence[Events]
    """Of each moment, undisturbed."""
    content: Content


def play_reference(root: Path, running: Machine, moments: Sequence[Moment]) -> Season:
    with township(root / "start", root / "undisturbed", running) as place:
        events = play_undisturbed(place, moments)
        return Season(root / "start", moments, events, place.content(moments[-1]))


@dataclass
class Orchestrator:
    """A Prefect server that can be killed and started again, with what it has kept."""

    folder: Path
    server: Server
    process: "subprocess.Popen[bytes]"
    killed: int = 0

    @classmethod
    def start(cls, folder: Path) -> "Orchestrator":
        """Start one that keeps its things in `folder`."""
        server = Server(free_port(), fresh_word())
        return cls(folder, server, _started(folder, server))

    @property
    def environment(self) -> dict[str, str]:
        """How others reach it."""
        home = {"PREFECT_HOME": str(self.folder), "PREFECT_CLIENT_MAX_RETRIES": "1"}
        return {**QUIET, **home, **self.server.environment}

    def kill(self) -> None:
        """Kill it with all its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def revive(self) -> bool:
        """Start it again where it was killed; return whether it was."""
        try:
            self.process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            return False
        self.killed += 1
        self.process = _started(self.folder, self.server)
        return True


def _started(folder: Path, server: Server) -> "subprocess.Popen[bytes]":
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, **QUIET, **server.environment, "PREFECT_HOME": str(folder)}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            server.command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    wait_for(server, process, folder / "server.log")
    return process


def seeded(number: int) -> Random:
    """Return a source of chance that draws the same every time."""
    return Random(number)  # noqa: S311 # nothing is secret here


def draw(chance: Random, events: Events) -> Iterator[Kill]:
    """Draw where to kill, in each phase of a moment in turn.

    First at an event of a kind, every kind alike however often it happens; then at any. A phase
    that has come to its end meanwhile does not run again: the kill falls on the next.
    """
    phases = tuple(events)
    for at, phase in enumerate(phases):
        for turn in range(TURNS):
            met = events[phase]
            kinds = sorted(each for each in met if each != ANY and not each.startswith(IN_MEMORY))
            label = chance.choice(kinds) if turn == 0 else ANY
            after = chance.uniform(0, LONGEST) if chance.random() < 0.3 else None
            yield Kill(phases[at:], label, chance.randint(1, met[label]), after)


def play_killed(
    place: Township,
    season: Season,
    chance: Random,
    *,
    kills_each: int | None = None,
    server: Orchestrator | None = None,
) -> Counter[str]:
    """Play the season, each moment killed up to so many times; return the kills of each phase."""
    kills: Counter[str] = Counter()
    for moment, events in zip(season.moments, season.events, strict=True):
        drawn = list(draw(chance, events))
        for planned in drawn if kills_each is None else chance.sample(drawn, kills_each):
            kill: Kill | None = planned
            if _sends(events) and chance.random() < (0.5 if server else 0.1):
                # while the mail server has the message and the process waits for its answer
                kill = None
                dies = chance.choice([place.machine.kill, *([server.kill] if server else [])])
                place.office.trouble.when_kept = dies
            ended = place.play(moment, kill)
            place.office.trouble.when_kept = None
            kills[ended.phase] += ended.killed
            if server is not None and server.revive():
                continue
            assert ended.error is None, f"{moment.at} {kill} {ended.error}"
            if not ended.killed:
                break
        else:
            ended = place.play(moment)
            assert ended.error is None, f"{moment.at} {ended.error}"
        place.settle(moment)
    return kills


def _sends(events: Events) -> bool:
    return any("mail message" in met for met in events.values())


def test_a_season_killed_here_and_there_ends_the_same(tmp_path: Path) -> None:
    make_start(tmp_path / "start", villages=4, residents=1500, seed=3)
    moments = merged(make_moments(tmp_path / "start", FEW[-1].date()), FEW)
    with machine() as running:
        season = play_reference(tmp_path, running, moments)
        with township(season.start, tmp_path / "killed", running) as place:
            kills = play_killed(place, season, seeded(1), kills_each=1)
            assert kills.total() >= 5
            assert differences(place.content(moments[-1]), season.content) == []
            assert set(Counter(each.first for each in place.mail()).values()) == {1}


def test_a_home_whose_making_was_killed_is_made_by_the_same_command(tmp_path: Path) -> None:
    make_start(tmp_path / "start", villages=3, residents=600, seed=3)
    plan = str(tmp_path / "start" / "world" / "plan.toml")
    at = datetime(2025, 8, 20, 9)
    with machine() as running:

        def made(name: str, kill: Kill | None = None) -> Ended:
            (tmp_path / name).mkdir(exist_ok=True)
            place = Township(Home(tmp_path / name / "home"), tmp_path, running, office)
            ended = place.command(at, "init", "--plan", plan, kill=kill)
            assert ended.error is None, ended.error
            return ended

        with open_post_office(tmp_path / "mail") as office:
            events = made("whole").answer["events"]["init"]
            for number in range(1, events[ANY], events[ANY] // 12):
                name = f"killed at {number}"
                assert made(name, Kill(("init",), ANY, number)).killed
                assert made(name).answer["exit"] == 0, name
                tables = read_ledger(tmp_path / name / "home")
                assert tables == read_ledger(tmp_path / "whole" / "home"), name


def read_ledger(root: Path) -> dict[str, int]:
    """Table -> how many rows it has: a new home is the same as any other."""
    with open_ledger(Home(root)) as store:
        return {
            table: len(store.connection.execute(f"FROM ledger.{table}").fetchall())
            for (table,) in store.rows("copy/tables", database="ledger")
            if table != "agg_anchor"
        }


@pytest.mark.slow
def test_two_hundred_kills_over_all_phases_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_start(tmp_path / "start", villages=6, residents=3000, seed=3)
    moments = merged(make_moments(tmp_path / "start", MANY[-1].date()), MANY)
    with machine() as running:
        season = play_reference(tmp_path, running, moments)
        with township(season.start, tmp_path / "killed", running) as place:
            kills = play_killed(place, season, seeded(2))
            found = place.content(moments[-1])
            arrived = Counter(each.first for each in place.mail())
    with capsys.disabled():
        print("\n", kills.total(), "kills:", dict(kills.most_common()))  # noqa: T201 # for the log
    assert differences(found, season.content) == []
    assert set(arrived.values()) == {1}
    assert set(kills) >= PHASES
    assert kills.total() >= 200


@pytest.mark.slow
def test_a_season_run_by_prefect_ends_the_same_when_it_and_its_server_are_killed(
    tmp_path: Path,
) -> None:
    make_start(tmp_path / "start", villages=4, residents=1500, seed=3)
    moments = merged(make_moments(tmp_path / "start", FEW[-1].date()), FEW)
    with machine() as running:
        season = play_reference(tmp_path, running, moments)
    server = Orchestrator.start(tmp_path / "prefect")
    try:
        with (
            machine(plain=False, environment=server.environment) as running,
            township(season.start, tmp_path / "killed", running) as place,
        ):
            kills = play_killed(place, season, seeded(3), kills_each=3, server=server)
            assert differences(place.content(moments[-1]), season.content) == []
            assert set(Counter(each.first for each in place.mail()).values()) == {1}
    finally:
        server.kill()
        server.process.wait()
    assert kills.total() >= len(moments)
    assert server.killed >= 1
