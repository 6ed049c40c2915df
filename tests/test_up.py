"""`campaign up`: what dies is started again, what ends leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from cli.server import end_tethered, free_port, prefect_server, running_server, start_tethered
from cli.up import Command, Program, Township, _alone, _open_log, run_township
from flows.deployments import prefect_api
from tasks.at_home import load_campaigns
from tasks.home import Home
from tasks.rules.errors import StoreBusy, WrongCommand
from tasks.set_up import set_up
from tasks.work_pool import work_pool

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PATIENT = 30.0
"""Seconds a test waits for what takes a moment."""


def until(happened: Callable[[], object]) -> None:
    """Wait until it happened."""
    give_up = time.monotonic() + PATIENT
    while not happened():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether the process is there and is no corpse that nobody took away yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def script(body: str, *arguments: object) -> list[str]:
    return [sys.executable, "-S", "-c", body, *map(str, arguments)]


FAMILY = """
import os, subprocess, sys, time
folder, stubborn = sys.argv[1], sys.argv[2] == "stubborn"
if stubborn:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-S", "-c", '''
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
below = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
open(sys.argv[1] + "/pids", "w").write(f"{sys.argv[2]} {os.getpid()} {below.pid}")
os.rename(sys.argv[1] + "/pids", sys.argv[1] + "/family")
time.sleep(600)
''', folder, str(os.getpid())], start_new_session=True)
time.sleep(600)
"""
"""A program with a child in a session of its own, and a grandchild, which both do not listen."""


def family(folder: Path) -> list[int]:
    until((folder / "family").is_file)
    return [int(pid) for pid in (folder / "family").read_text().split()]


@linux
def test_what_is_let_go_ends_with_all_that_it_started(tmp_path: Path) -> None:
    process = start_tethered(script(FAMILY, tmp_path, "gentle"), os.environ)
    pids = family(tmp_path)
    assert all(alive(pid) for pid in pids)
    end_tethered(process)
    until(lambda: not any(alive(pid) for pid in pids))


HOLDER = """
import os, sys, time
from cli.server import start_tethered
start_tethered(sys.argv[1:], os.environ)
time.sleep(600)
"""


@linux
def test_a_killed_command_takes_what_it_started_along(tmp_path: Path) -> None:
    command = script(FAMILY, tmp_path, "gentle")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, *command])
    pids = family(tmp_path)
    holder.kill()
    holder.wait()
    until(lambda: not any(alive(pid) for pid in pids))


@linux
def test_even_a_killed_tether_leaves_no_server_behind(tmp_path: Path) -> None:
    process = start_tethered(script(FAMILY, tmp_path, "stubborn"), os.environ)
    program, *_ = pids = family(tmp_path)
    process.kill()
    end_tethered(process)
    until(lambda: not alive(program))
    for pid in pids[1:]:  # what only a program's children started stays: it had its chance
        os.kill(pid, signal.SIGKILL)


def test_a_tethered_command_s_own_end_is_passed_on() -> None:
    process = start_tethered(script("raise SystemExit(7)"), os.environ)
    assert process.wait() == 7
    end_tethered(process)


@pytest.fixture
def told() -> list[str]:
    return []


WRITES = """
import sys, time
open(sys.argv[1], "a").write("x")
time.sleep(float(sys.argv[2]))
"""


def program(path: Path, seconds: float = 600, name: str = "") -> Program:
    """A program that leaves a letter in `path` each time it starts."""
    return Program(name or path.name, script(WRITES, path, seconds), os.environ)


def command(path: Path, code: int = 0) -> Command:
    body = f"open({str(path)!r}, 'a').write('x'); raise SystemExit({code})"
    return Command(path.name, script(body))


def times(path: Path) -> int:
    return len(path.read_text()) if path.is_file() else 0


class Running:
    """A township that is looked after in a thread; leaving it ends it."""

    def __init__(self, township: Township) -> None:
        self.stop = threading.Event()
        self.raised: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(township,))

    def _run(self, township: Township) -> None:
        try:
            township.run(self.stop)
        except BaseException as error:  # noqa: BLE001 # handed to the test
            self.raised = error

    def __enter__(self) -> "Running":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(PATIENT)
        assert not self.thread.is_alive()


def township(
    told: list[str], base: Program, *work: Program, look: tuple[Command, ...] = ()
) -> Township:
    return Township(base, work, look, os.environ, told.append, tick=0.05)


def test_work_begins_once_the_first_look_is_over(tmp_path: Path, told: list[str]) -> None:
    look, failing = tmp_path / "look", tmp_path / "failing"
    worker = program(tmp_path / "worker")
    first = tmp_path / "first"
    worker.first = command(first)
    running = township(
        told, program(tmp_path / "base"), worker, look=(command(look), command(failing, code=6))
    )
    with Running(running) as run:
        until(lambda: times(tmp_path / "worker"))
        assert times(look) == times(failing) == times(first) == 1
    assert run.raised is None
    assert worker.process is None
    assert any("failing" in line and "6" in line for line in told), "a failing look is said"
    ends = [line for line in told if "结束" in line]
    assert len(ends) == 2
    assert "worker" in ends[0], "the base ends last"


def test_what_dies_is_started_again(tmp_path: Path, told: list[str]) -> None:
    worker = program(tmp_path / "worker")
    first = tmp_path / "first"
    worker.first = command(first)
    with Running(township(told, program(tmp_path / "base"), worker)):
        until(lambda: times(tmp_path / "worker") == 1)
        assert worker.process is not None
        worker.process.terminate()
        until(lambda: times(tmp_path / "worker") == 2)
        assert times(first) == 2, "what goes before it too"
    assert times(tmp_path / "base") == 1


FAILS_ONCE = """
import os, sys
again = os.path.exists(sys.argv[1])
open(sys.argv[1], "a").write("x")
raise SystemExit(0 if again else 2)
"""


def test_a_worker_does_not_start_until_what_goes_before_it_succeeded(
    tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # the server died too and does not answer yet: dead runs would go on holding the only slot
    monkeypatch.setattr("cli.up.LONGEST_PAUSE", 0.01)
    worker, first = program(tmp_path / "worker"), tmp_path / "first"
    worker.first = Command("first", script(FAILS_ONCE, first))
    with Running(township(told, program(tmp_path / "base"), worker)):
        until(lambda: times(tmp_path / "worker"))
        assert times(first) == 2
    assert any("first" in line and "2" in line for line in told), "that it failed is said"


def test_what_dies_five_times_ends_the_whole(
    tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.up.FIRST_PAUSE", 0.01)
    base = program(tmp_path / "base")
    with Running(township(told, base, program(tmp_path / "worker", 0))) as run:
        run.thread.join(PATIENT)
    assert isinstance(run.raised, WrongCommand)
    assert run.raised.key == "up.dies"
    assert times(tmp_path / "worker") == 5
    assert base.process is None, "nothing is left"


def test_a_pause_grows_with_each_death(tmp_path: Path, told: list[str]) -> None:
    worker = program(tmp_path / "worker")
    running = township(told, program(tmp_path / "base"), worker)
    pauses = []
    for moment in (1000.0, 1010.0, 1020.0, 1030.0):
        running._note_death(worker, moment, 1)
        pauses.append(worker.start_at - moment)
    assert pauses == [1, 2, 4, 8]
    running._note_death(worker, 5000.0, 1)
    assert worker.start_at == 5001.0, "what died long ago is forgotten"


def test_after_the_machine_slept_it_looks_again(tmp_path: Path, told: list[str]) -> None:
    look = tmp_path / "look"
    slept = 0.0
    running = township(told, program(tmp_path / "base"), look=(command(look),))
    running.clock = lambda: time.time() + slept
    with Running(running):
        until(lambda: times(look) == 1)
        time.sleep(0.3)
        assert times(look) == 1
        slept = 700.0
        until(lambda: times(look) == 2)
        time.sleep(0.3)
        assert times(look) == 2, "once"


def test_it_looks_again_each_hour(tmp_path: Path, told: list[str]) -> None:
    look = tmp_path / "look"
    later = 0.0
    running = township(told, program(tmp_path / "base"), look=(command(look),))
    running.monotonic = lambda: time.monotonic() + later
    with Running(running):
        until(lambda: times(look) == 1)
        later = 3601.0
        until(lambda: times(look) == 2)


def test_a_base_that_does_not_come_up_is_said_with_its_log(tmp_path: Path, told: list[str]) -> None:
    base = program(tmp_path / "base", 0)
    base.answers = lambda: False
    base.log = tmp_path / "base.log"
    with pytest.raises(WrongCommand) as refused:
        township(told, base).run(threading.Event())
    assert refused.value.key == "error.server"
    assert str(base.log) in refused.value.text()


def test_one_home_is_looked_after_once(home: Home) -> None:
    home.prefect.mkdir()
    with _alone(home), pytest.raises(StoreBusy) as refused:
        run_township(home, free_port(), [])
    assert refused.value.exit == 7
    with _alone(home):
        pass


def test_a_port_in_use_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.up._PORT_WITHIN", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WrongCommand) as refused:
            run_township(home, port, [])
    assert refused.value.key == "up.port_taken"


def test_a_named_server_that_does_not_answer_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port()}/api"
    monkeypatch.setenv("PREFECT_API_URL", url)
    monkeypatch.setattr("cli.server._be_quiet", lambda home: None)
    with (
        temporary_settings({PREFECT_API_URL: url}),
        prefect_server(home) as wait,
        pytest.raises(WrongCommand) as refused,
    ):
        wait()
    assert refused.value.key == "deploy.server"


def test_a_log_is_private_grows_and_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "worker.log"
    for text in (b"one", b"two"):
        with _open_log(path) as log:
            os.write(log, text)
    assert path.read_bytes() == b"onetwo"
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr("cli.up.LARGEST_LOG", 5)
    with _open_log(path) as log:
        os.write(log, b"three")
    assert path.read_bytes() == b"three"
    assert path.with_name("worker.log.1").read_bytes() == b"onetwo"


# the whole of it


def processes(home: Home) -> list[str]:
    """The command lines of all that runs for the home, whoever started it."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or not alive(int(folder.name)):
            continue
        try:
            environment = (folder / "environ").read_bytes()
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # gone, or not ours
        if str(home.root).encode() in environment:
            found.append(line.replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


@pytest.fixture
def season(tmp_path: Path) -> Home:
    """A home with a campaign of next year."""
    home = Home(tmp_path / "home")
    source = Path(__file__).parent.parent / "data" / "campaigns"
    year = str(time.localtime().tm_year + 1)
    copy = tmp_path / "plan.toml"
    text = (source / "autumn-2025.toml").read_text(encoding="utf-8")
    copy.write_text(text.replace("2025", year).replace("2026", str(int(year) + 1)), "utf-8")
    for villages in source.glob("*.villages.csv"):
        (tmp_path / villages.name).write_bytes(villages.read_bytes())
    set_up(home, copy)
    return home


@contextmanager
def township_up(home: Home, *options: str) -> Iterator["Up"]:
    """`campaign up` in a process of its own; killed at the end where it is still there."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    surroundings = clean | {"CAMPAIGN_HOME": str(home.root), "CAMPAIGN_LANG": "en"}
    port = free_port()
    command = [sys.executable, "-m", "cli", "up", "--port", str(port), *options]
    output = home.root / "up.txt"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command, env=surroundings, stdout=stream, stderr=subprocess.STDOUT
        )
    up = Up(process, port, output)
    try:
        yield up
    finally:
        process.kill()
        process.wait()


@dataclass
class Up:
    """A `campaign up` that was started."""

    process: "subprocess.Popen[bytes]"
    port: int
    output: Path

    def until(self, line: str, times: int = 1) -> None:
        """Wait until it said something."""
        give_up = time.monotonic() + 150
        while self.output.read_text("utf-8").count(line) < times:
            assert self.process.poll() is None, self.output.read_text("utf-8")
            assert time.monotonic() < give_up, self.output.read_text("utf-8")
            time.sleep(0.2)


def closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@linux
def test_a_township_goes_up_keeps_its_secrets_and_goes_down(season: Home) -> None:
    with township_up(season, "--no-intake-page") as up:
        up.until("Prefect server: ready")
        until(lambda: running_server(season))
        server = running_server(season)
        assert server is not None
        assert not any(server.word in line for line in processes(season)), "not for all to read"
        again = subprocess.run(
            [sys.executable, "-m", "cli", "up", "--home", str(season.root)],
            check=False,
            capture_output=True,
        )
        assert again.returncode == 7
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(60) == 0
    assert closed(up.port)
    assert processes(season) == []
    assert not (season.prefect / "server.json").exists()


@linux
@pytest.mark.slow
def test_a_township_runs_what_is_scheduled_and_loses_nothing_by_being_killed(season: Home) -> None:
    page = free_port()
    with township_up(season, "--intake-page-port", str(page)) as up:
        up.until("worker: started")
        up.until("intake page")
        with api(season) as client:
            catch_up = client.read_deployment_by_name(
                f"catch_up/{work_pool(load_campaigns(season))}"
            )
            (schedule,) = catch_up.schedules
            done = client.create_flow_run_from_deployment(
                catch_up.id, parameters=schedule.parameters
            )
            until_ended(client, done.id)
            coming = scheduled(client)
            assert coming
        up.process.kill()
        up.process.wait()
        until(lambda: processes(season) == [])
    assert closed(up.port)
    assert closed(page)
    with township_up(season, "--no-intake-page") as up:
        up.until("Nothing to change")
        up.until("worker: started")
        with api(season) as client:
            assert scheduled(client) == coming
            before = client.read_flow_run(done.id)
            assert before.state_type == StateType.COMPLETED
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(60) == 0
    assert processes(season) == []


@contextmanager
def api(home: Home) -> Iterator[SyncPrefectClient]:
    """A client of the home's running server."""
    server = running_server(home)
    assert server is not None
    known = {PREFECT_API_URL: server.url, PREFECT_API_AUTH_STRING: server.word}
    with temporary_settings(known), prefect_api() as client:
        yield client


def until_ended(client: SyncPrefectClient, run: UUID) -> None:
    """Wait until a run is over, and well."""
    give_up = time.monotonic() + 180
    while True:
        state = client.read_flow_run(run).state
        assert state is not None
        if state.is_final():
            break
        assert time.monotonic() < give_up
        time.sleep(1)
    assert state.is_completed(), state


def scheduled(client: SyncPrefectClient) -> set[UUID]:
    runs = client.read_flow_runs(limit=200)
    return {run.id for run in runs if run.state_type == StateType.SCHEDULED}
