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

from cli.server import QUIET, Server, free_port, fresh_word, wait_for
from killed_season import (
    FEW,
    MANY,
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
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.post_office import open_post_office

ANY, IN_MEMORY = "any", "sql macro/"
"""As kill_run.py has them: events all together, and statements that change nothing on a disk."""

TURNS = 3
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


@dataclass
class Season:
    """A season that can be played again and again, and what it comes to undisturbed."""

    start: Path
    moments: Sequence[Moment]
    events: Sequence[Events]
    """Of each moment, undisturbed."""
    content: Content


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
        few = sorted(chance.sample(range(len(drawn)), kills_each or len(drawn)))
        for planned in few:
            kill: Kill | None = drawn[planned]
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
            # one that came to its end may be begun once more: it finds everything done
            assert ended.error is None, f"{moment.at} {kill} {ended.error}"
        # a kill by the mail server may come late, and fall on the process after the one it was for
        while (ended := place.play(moment)).killed:
            kills[ended.phase] += 1
        assert ended.error is None, f"{moment.at} {ended.error}"
        place.settle(moment)
    return +kills


def _sends(events: Events) -> bool:
    return any("mail message" in met for met in events.values())


@pytest.fixture(scope="module")
def running() -> Iterator[Machine]:
    """The processes that are killed, without Prefect."""
    with machine() as running:
        yield running


def make_season(root: Path, running: Machine, kept: Sequence[datetime], size: int) -> Season:
    """Set up a season of so many villages at the moments `kept`, and play it undisturbed."""
    make_start(root / "start", villages=size, residents=size * 400, seed=3)
    moments = merged(make_moments(root / "start", kept[-1].date()), kept)
    with township(root / "start", root / "undisturbed", running) as place:
        events = play_undisturbed(place, moments)
        return Season(root / "start", moments, events, place.content(moments[-1]))


def assert_same(place: Township, season: Season) -> None:
    found = differences(place.content(season.moments[-1]), season.content)
    assert not found, "\n".join(found)
    assert set(Counter(each.first for each in place.mail()).values()) == {1}, "each message once"


def test_a_season_killed_here_and_there_ends_the_same(tmp_path: Path, running: Machine) -> None:
    season = make_season(tmp_path, running, FEW, 4)
    with township(season.start, tmp_path / "killed", running) as place:
        kills = play_killed(place, season, seeded(1), kills_each=1)
        assert_same(place, season)
    assert kills.total() >= len(FEW)


def test_a_home_whose_making_was_killed_is_made_by_the_same_command(
    tmp_path: Path, running: Machine
) -> None:
    make_start(tmp_path / "start", villages=3, residents=600, seed=3)
    plan = str(tmp_path / "start" / "world" / "plan.toml")

    def made(name: str, kill: Kill | None = None) -> Ended:
        place = Township(Home(tmp_path / name), tmp_path, running, office)
        ended = place.command(datetime(2025, 8, 20, 9), "init", "--plan", plan, kill=kill)
        assert ended.error is None, ended.error
        return ended

    with open_post_office(tmp_path / "mail") as office:
        events = made("whole").answer["events"]["init"]
        for number in range(1, events[ANY], events[ANY] // 8):
            name = f"killed at {number}"
            assert made(name, Kill(("init",), ANY, number)).killed
            assert made(name).answer["exit"] == 0, name
            assert read_ledger(tmp_path / name) == read_ledger(tmp_path / "whole"), name


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
    tmp_path: Path, running: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    season = make_season(tmp_path, running, MANY, 6)
    with township(season.start, tmp_path / "killed", running) as place:
        kills = play_killed(place, season, seeded(2))
        with capsys.disabled():
            print("\n", kills.total(), "kills:", dict(kills.most_common()))  # noqa: T201 # for the log
        assert_same(place, season)
    assert set(kills) >= PHASES
    assert kills.total() >= 200


@pytest.mark.slow
def test_a_season_run_by_prefect_ends_the_same_when_it_and_its_server_are_killed(
    tmp_path: Path, running: Machine
) -> None:
    season = make_season(tmp_path, running, FEW, 4)
    server = Orchestrator.start(tmp_path / "prefect")
    try:
        with (
            machine(plain=False, environment=server.environment) as orchestrated,
            township(season.start, tmp_path / "killed", orchestrated) as place,
        ):
            kills = play_killed(place, season, seeded(3), kills_each=3, server=server)
            assert_same(place, season)
    finally:
        server.kill()
        server.process.wait()
    assert kills.total() >= len(FEW)
    assert server.killed >= 1
