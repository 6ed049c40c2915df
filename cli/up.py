"""`campaign up`: everything for a township on one machine, looked after until a signal ends it.

`campaign worker` is the same beside a server that others run, without server and pages of its own.

The Prefect server, the worker, the intake pages. What dies is started again, later each time; what
dies too often ends the whole, so that somebody looks. At the start, each hour, and after the
machine slept, what is owed is run and the schedules are brought up to date: plans, extensions and
calendars change.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import typer

from cli.server import (
    DATABASE,
    PYTHON,
    QUIET,
    START_WITHIN,
    Server,
    database_environment,
    end_tethered,
    fresh_word,
    require_named_server,
    server_file,
    start_tethered,
    tell_server,
    without_secrets,
)
from cli.stopping import stopped_by_signal
from tasks.home import Home, private_folder, write_whole
from tasks.rules.errors import Exit, StoreBusy, WrongCommand
from tasks.rules.wording import say

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOOK_EVERY = 3600.0
"""Seconds between two looks at what is owed and what changed."""

MAIL_EVERY = 300.0
"""Seconds between two tries of messages whose time to be tried again has come."""

SHARE_EVERY = 300.0
"""Seconds between two looks at whether something was released that the county does not have yet."""

BUSY_AGAIN = 120.0
"""Seconds after which a look is made again that another command kept from the stores."""

SLEPT = 600.0
"""Seconds the wall clock may jump before the machine is taken to have slept."""

MOST_DEATHS, WITHIN = 5, 600.0
"""So many deaths of one program in so many seconds, and it is not started again."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before what died is started again; twice as long each time."""

LARGEST_LOG = 10 * 2**20
"""Bytes; a larger log is put aside when its program starts."""

_TICK = 0.5
_PORT_WITHIN = 30.0


@dataclass(frozen=True)
class Page:
    """An intake page to serve: of which campaign, and where."""

    campaign: str
    host: str
    port: int
    certificate: Path | None
    certificate_key: Path | None

    @property
    def command(self) -> list[str]:
        """What serves it."""
        where = ["--campaign", self.campaign, "--host", self.host, "--port", str(self.port)]
        if self.certificate is not None:
            where += ["--certificate", str(self.certificate)]
        if self.certificate_key is not None:
            where += ["--certificate-key", str(self.certificate_key)]
        return _own("intake-page", *where)


@dataclass(frozen=True)
class Command:
    """Something to run to its end."""

    name: str
    line: Sequence[str]
    every: float = LOOK_EVERY
    """Seconds between two runs, where it is a look."""


@dataclass
class Program:
    """A program that is kept alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    """Takes what it prints; without one it prints where we do."""
    answers: Callable[[], bool] = lambda: True
    """Whether it is ready; what needs it waits for that."""
    first: Command | None = None
    """What has to succeed before each start."""
    prepared: bool = False
    """Whether that was run since it last started, and has not failed."""
    process: "subprocess.Popen[bytes] | None" = None
    deaths: deque[float] = field(default_factory=deque)
    start_at: float = 0.0
    """Not before this, seconds of the monotonic clock."""


@dataclass
class Township:
    """The programs of one home, and the commands that are run at each look.

    `base` comes first and the looks need it; None where it runs elsewhere. `work` begins once the
    first look is over.
    """

    base: Program | None
    work: Sequence[Program]
    look: Sequence[Command]
    environment: Mapping[str, str]
    """Of the commands."""
    line: Callable[[str], None]
    """Takes a line for each change of state."""
    ready: Callable[[], None] = lambda: None
    """Called once the base answers for the first time."""
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    tick: float = _TICK

    def run(self, stop: threading.Event) -> None:
        """Look after everything until `stop` is set, then end all of it, the base last.

        Raises WrongCommand where the base does not come up, or a program died too often.
        """
        running: tuple[Command, subprocess.Popen[bytes]] | None = None
        try:
            if self.base is not None:
                self._start(self.base)
                if not self._base_is_up(self.base, stop):
                    return
            self.ready()
            waiting: deque[Command] = deque()
            due = dict.fromkeys((each.name for each in self.look), self.monotonic())
            seen = self.clock()
            while not stop.wait(self.tick):
                now = self.monotonic()
                if abs(self.clock() - seen) > SLEPT:
                    self.line(say("up.slept"))
                    due = dict.fromkeys(due, now)
                seen = self.clock()
                self._line_up(due, now, waiting)
                if self.base is not None:
                    self._tend(self.base, waiting)
                if running is not None and running[1].poll() is not None:
                    command, ran = running
                    self._tell_end(command, ran, now)
                    if ran.returncode == Exit.STORE_BUSY and command.name in due:
                        due[command.name] = min(due[command.name], now + BUSY_AGAIN)
                    running = None
                if running is None and waiting:
                    command = waiting.popleft()
                    running = command, start_tethered(command.line, self.environment)
                elif running is None:
                    for program in self.work:
                        self._tend(program, waiting)
        finally:
            self._end(running[1] if running else None)

    def _line_up(self, due: dict[str, float], now: float, waiting: deque[Command]) -> None:
        """Add the looks whose time has come to what waits, each once."""
        for each in self.look:
            if due[each.name] <= now:
                due[each.name] = now + each.every
                if each not in waiting:
                    waiting.append(each)

    def _base_is_up(self, base: Program, stop: threading.Event) -> bool:
        """Wait for the base; return False where it was told to stop meanwhile."""
        give_up = self.monotonic() + START_WITHIN
        while not base.answers():
            assert base.process is not None  # noqa: S101 # it was started
            if base.process.poll() is not None or self.monotonic() > give_up:
                raise WrongCommand("error.server", log=base.log)
            if stop.wait(self.tick):
                return False
        self.line(say("up.answers", name=base.name))
        return True

    def _tend(self, program: Program, waiting: deque[Command]) -> None:
        """Start a program that is not alive, once its pause is over and what goes before it is."""
        now = self.monotonic()
        if program.process is not None:
            code = program.process.poll()
            if code is None:
                return
            end_tethered(program.process)
            program.process = None
            self._note_death(program, now, code)
        if now < program.start_at:
            return
        if program.first is not None and not program.prepared:
            program.prepared = True
            waiting.append(program.first)
        else:
            self._start(program)

    def _note_death(self, program: Program, now: float, code: int) -> None:
        program.deaths.append(now)
        while now - program.deaths[0] > WITHIN:
            program.deaths.popleft()
        count = len(program.deaths)
        if count >= MOST_DEATHS:
            log = program.log or "-"
            raise WrongCommand("up.dies", name=program.name, count=count, log=log)
        pause = min(FIRST_PAUSE * 2 ** (count - 1), LONGEST_PAUSE)
        program.start_at = now + pause
        self.line(say("up.died", name=program.name, code=code, seconds=f"{pause:g}"))

    def _start(self, program: Program) -> None:
        program.prepared = False
        if program.log is None:
            program.process = start_tethered(program.command, program.environment)
        else:
            with _open_log(program.log) as log:
                program.process = start_tethered(program.command, program.environment, log)
        self.line(say("up.started", name=program.name))

    def _tell_end(self, command: Command, ran: "subprocess.Popen[bytes]", now: float) -> None:
        """Say so where a command failed; why, it said itself. What it goes before, waits for it."""
        end_tethered(ran)
        if ran.returncode:
            self.line(say("up.command_failed", command=command.name, code=ran.returncode))
            for program in self.work:
                if program.first is command:
                    program.prepared = False
                    program.start_at = now + LONGEST_PAUSE

    def _end(self, command: "subprocess.Popen[bytes] | None") -> None:
        if command is not None:
            end_tethered(command)
        for program in (*reversed(self.work), self.base):
            if program is not None and program.process is not None:
                end_tethered(program.process)
                program.process = None
                self.line(say("up.ended", name=program.name))


def run_township(home: Home, port: int, pages: Sequence[Page]) -> None:
    """Run everything for `home` until SIGINT or SIGTERM.

    Raises StoreBusy where another `campaign up` runs for the home, WrongCommand where the port is
    taken or a program does not stay alive.
    """
    private_folder(home.prefect)
    database = database_environment(os.environ.get(DATABASE))
    with _alone(home):
        stop = threading.Event()
        with stopped_by_signal(stop.set):
            _wait_for_port(port)
            server = Server(port, _word(home))
            township = _township(home, server, database, pages)
            try:
                township.run(stop)
            finally:
                server_file(home).unlink(missing_ok=True)
    typer.echo(say("up.over"))


def run_worker(home: Home) -> None:
    """Run the worker and the looks of `home` beside the server that PREFECT_API_URL names.

    Until SIGINT or SIGTERM. Raises StoreBusy where a `campaign up` or another worker runs for the
    home, WrongCommand where no server is named or the worker does not stay alive.
    """
    require_named_server()
    private_folder(home.prefect)
    with _alone(home):
        stop = threading.Event()
        surroundings = _surroundings(home, {})
        township = Township(None, [_worker(home, surroundings)], _looks(), surroundings, typer.echo)
        with stopped_by_signal(stop.set):
            township.run(stop)
    typer.echo(say("up.over"))


def _surroundings(home: Home, server: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of all that runs for the home; `server` says where Prefect's is."""
    return {
        **os.environ,
        **QUIET,
        # what went wrong stands in the logs, without the values it went wrong with
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
        "PREFECT_HOME": str(home.prefect),
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
        "CAMPAIGN_HOME": str(home.root),
        **server,
    }


def _worker(home: Home, surroundings: Mapping[str, str]) -> Program:
    return Program(
        say("up.worker"),
        [*PYTHON, "flows.worker"],
        surroundings,
        home.prefect / "worker.log",
        first=Command("before-worker", _own("before-worker")),
    )


def _looks() -> list[Command]:
    return [
        Command("catch-up", _own("catch-up")),
        Command("deploy", _own("keep-up")),
        Command("outbox", _own("outbox", "send", "--due"), every=MAIL_EVERY),
        *_sharing(),
    ]


def _sharing() -> list[Command]:
    """Return the look at what is to be shared, where a setting says where."""
    from tasks.shared_ledger import SETTING  # noqa: PLC0415 # DuckDB, for those who share only

    if not os.environ.get(SETTING):
        return []
    return [Command("share", _own("share", "now", "--due"), every=SHARE_EVERY)]


def _township(
    home: Home, server: Server, database: Mapping[str, str], pages: Sequence[Page]
) -> Township:
    surroundings = _surroundings(home, server.environment)
    base = Program(
        say("up.server"),
        server.command,
        {**without_secrets(surroundings), **database},
        home.prefect / "server.log",
        server.answers,
    )
    served = [
        Program(say("up.page", campaign=each.campaign), each.command, surroundings)
        for each in pages
    ]

    def ready() -> None:
        tell_server(home, server)
        where = _word_file(home)
        typer.echo(say("up.address", url=f"http://127.0.0.1:{server.port}", file=where))

    work = [_worker(home, surroundings), *served]
    return Township(base, work, _looks(), surroundings, typer.echo, ready)


def _own(*arguments: str) -> list[str]:
    return [*PYTHON, "cli", *arguments]


def _word_file(home: Home) -> Path:
    return home.prefect / "word"


def _word(home: Home) -> str:
    """Return the server's word: made once, so that a browser that has it stays let in."""
    path = _word_file(home)
    if not path.is_file():
        write_whole(path, fresh_word().encode("ascii"))
    return path.read_text(encoding="ascii").strip()


@contextmanager
def _open_log(path: Path) -> Iterator[int]:
    """Open a log to add to, 0600; one that grew large is put aside first, one such is kept."""
    if path.is_file() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_name(f"{path.name}.1"))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Hold the home for one `campaign up`; the operating system lets go of it however we end."""
    path = home.prefect / "up.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            if sys.platform == "win32":
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreBusy("up.runs_already", home=home.root) from None
        yield
    finally:
        os.close(handle)


def _wait_for_port(port: int) -> None:
    """Wait until nobody listens there: a server whose `campaign up` was killed ends within seconds.

    Raises WrongCommand where somebody goes on listening.
    """
    give_up = time.monotonic() + _PORT_WITHIN
    while True:
        try:
            with socket.create_server(("127.0.0.1", port)):
                return
        except OSError:
            if time.monotonic() > give_up:
                raise WrongCommand("up.port_taken", port=port) from None
        time.sleep(_TICK)
