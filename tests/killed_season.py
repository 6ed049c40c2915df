"""A small campaign with its villages, its clinic, its mail server and its officer, for kill tests.

The world outside the software does not stop when a process dies: files lie in the inbox, mail is in
its mailboxes, and the clock stands where it stood until what belongs to the moment is done.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from unittest.mock import patch

from data.synthetic.generate import generate
from tasks.at_home import load_campaign
from tasks.clock import simulated
from tasks.home import Home
from tasks.plan import Plan
from tasks.post_office import PostOffice, open_post_office
from tasks.set_up import set_up

SLUG = "autumn-2025"
PLAN = Path(__file__).parent.parent / "data" / "campaigns" / f"{SLUG}.toml"
DAY = timedelta(days=1)
MORNING, EVENING = time(8, 30), time(23, 30)

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

_RANDOM_NUMBER = re.compile(r"[0-9A-F]{32}")
"""What a notice about returned rows ends in (tasks.returns.return_notice)."""

Content = dict[str, list[str]]


@dataclass(frozen=True)
class Moment:
    """When something happens, and what."""

    at: datetime
    files: tuple[str, ...]
    """What is put into the inbox before it."""
    acts: tuple[str, ...]
    """What the software is asked to do, in turn (kill_run.play)."""


@dataclass(frozen=True)
class Kill:
    """Where a process dies: at the `number`-th event called `label` while one of `phases` runs."""

    phases: tuple[str, ...]
    label: str
    number: int
    after: float | None = None
    """How many seconds later, if given."""


Events = dict[str, dict[str, int]]
"""Phase, in the order in which they run -> label of an event -> how often."""


@dataclass
class Ended:
    """What became of a process."""

    killed: bool
    phase: str
    answer: Any
    error: str | None


@dataclass
class Machine:
    """The processes of a home: a server that forks them."""

    process: "subprocess.Popen[str]"
    pid: int | None = None
    """Of the process that runs now."""

    def run(self, **task: Any) -> Ended:
        """Have a task done in a process of its own."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(task)}\n")
        self.process.stdin.flush()
        self.pid = self._line()["pid"]
        found = self._line()
        self.pid = None
        return Ended(**found)

    def kill(self) -> None:
        """Kill the process that runs now, from another thread."""
        pid = self.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server of processes ended"
        found: dict[str, Any] = json.loads(line)
        found.pop("pid", None) if "killed" in found else None
        return found


@contextmanager
def machine(*, plain: bool = True, environment: dict[str, str] | None = None) -> Iterator[Machine]:
    """Start a server of processes, and end it."""
    script = Path(__file__).with_name("kill_run.py")
    options = ["--plain"] if plain else []
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", str(script), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(script.parent.parent), **(environment or {})},
    ) as process:
        try:
            running = Machine(process)
            running._line()  # everything is imported
            yield running
        finally:
            process.kill()


@dataclass
class Township:
    """A home, the world around it, and how far they are."""

    home: Home
    world: Path
    """What the generator wrote: the files that will be sent, and truth.json."""
    machine: Machine
    office: PostOffice
    delivered: set[str] = field(default_factory=set)

    def deliver(self, moment: Moment) -> None:
        """Put the files of a moment into the inbox, each once."""
        for file in moment.files:
            if file in self.delivered:
                continue
            path = self.world / file
            number = len(self.delivered)
            half = self.home.root / "inbox" / ".arriving"
            shutil.copyfile(path, half)
            half.replace(self.home.inbox / f"{number:03d}-{path.name}")
            self.delivered.add(file)

    def play(self, moment: Moment, kill: Kill | None = None) -> Ended:
        """Do what belongs to a moment from its beginning, in a process that may be killed."""
        self.deliver(moment)
        return self._run(
            do="play",
            at=moment.at,
            acts=moment.acts,
            world=str(self.world),
            kill=None if kill is None else vars(kill),
        )

    def settle(self, moment: Moment) -> int:
        """Have the officer decide on what may have arrived; return how many there were."""
        arrived = [each.id.strip("<>").partition("@")[0] for each in self.mail()]
        ended = self._run(do="settle", at=moment.at, arrived=arrived)
        assert ended.error is None, ended.error
        return int(ended.answer)

    def content(self, moment: Moment) -> Content:
        """Return everything that the campaign has come to."""
        ended = self._run(do="contents", at=moment.at)
        assert ended.error is None, ended.error
        found: Content = ended.answer
        # the same message again carries an id made of the first one's
        mails = self.mail()
        found["mail"] = sorted(f"{each.first} {each.to} {each.said}" for each in mails)
        return found

    def mail(self) -> list["Mail"]:
        """Return every message that the mail server has taken."""
        return [_read(path) for path in sorted(self.office.folder.glob("*.eml"))]

    def command(self, at: datetime, *argv: str, kill: Kill | None = None, **more: Any) -> Ended:
        """Run a command line at a moment."""
        dies = None if kill is None else vars(kill)
        return self._run(do="command", at=at, argv=argv, kill=dies, **more)

    def _run(self, *, at: datetime, **task: Any) -> Ended:
        smtp = {
            "CAMPAIGN_SMTP_HOST": self.office.host,
            "CAMPAIGN_SMTP_PORT": str(self.office.port),
            "CAMPAIGN_SMTP_SENDER": "campaign@health.example",
            "CAMPAIGN_SMTP_SECURITY": "none",
        }
        return self.machine.run(
            home=str(self.home.root), at=at.isoformat(), environment=smtp, **task
        )


@dataclass(frozen=True)
class Mail:
    """A message as it arrived."""

    id: str
    first: str
    """The id of the message that it repeats, or its own."""
    to: str
    said: str
    """A hash of what it says, but for a number that is random."""


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
    # a picture is a hash
    texts = [each if isinstance(each, str) else hashlib.sha256(each).hexdigest() for each in parts]
    said = _RANDOM_NUMBER.sub("#", "\n".join((message["Subject"], *texts)))
    number = str(message["Message-ID"]).strip()
    first = str(message["References"] or number).strip()
    return Mail(number, first, str(message["To"]), hashlib.sha256(said.encode()).hexdigest())


def make_start(root: Path, *, villages: int, residents: int, seed: int) -> None:
    """Write a world and the home of its campaign, set up and empty, under `root`."""
    generate(PLAN, root / "world", seed=seed, villages=villages, residents=residents)
    home = Home(root / "home")
    with (
        patch.dict(os.environ, {"CAMPAIGN_HOME": str(home.root)}),
        simulated(datetime(2025, 8, 20, 9)),
    ):
        set_up(home, root / "world" / "plan.toml")


def make_moments(root: Path, until: date) -> list[Moment]:
    """Return what happens in the campaign set up under `root`, in order, up to a day.

    An evening for each day on which files come or the clinic assesses, a morning after each due
    day, each reminder's day and each session, and one in the week.
    """
    plan = load_campaign(Home(root / "home"), SLUG)
    truth = json.loads((root / "world" / "truth.json").read_text(encoding="utf-8"))
    files: dict[date, list[str]] = {}
    for each in truth["deliveries"]:
        day = datetime.fromisoformat(each["received_at"]).date()
        files.setdefault(day, []).append(each["file"])
    sessions = {each.date for each in plan.clinic}
    found = []
    for day in sorted(_mornings(plan, sessions) | {*files, *sessions}):
        if day > until:
            break
        if day in _mornings(plan, sessions):
            at = datetime.combine(day, MORNING)
            found.append(Moment(at, (), ("catch_up", "questions")))
        if day in files or day in sessions:
            acts = ("catch_up", "clinic") if day in sessions else ("catch_up",)
            at = datetime.combine(day, EVENING)
            found.append(Moment(at, tuple(files.get(day, ())), acts))
    return found


def _mornings(plan: Plan, sessions: set[date]) -> set[date]:
    reminded = [
        each.due + days * DAY
        for each in plan.calendar
        if each.phase in ("sweep", "supervision")
        for days in (
            *(-before for before in plan.reminders.before_days),
            *plan.reminders.after_days,
        )
    ]
    due = [each.due + DAY for each in plan.calendar if each.phase != "quarterly_pack"]
    nights = [date(2026, 1, 12), date(2026, 2, 2), date(2026, 3, 2), date(2026, 6, 1)]
    return {*reminded, *due, *(day + DAY for day in sessions), *nights}


@contextmanager
def township(start: Path, root: Path, machine: Machine) -> Iterator[Township]:
    """Copy a start to `root` and open its mail server."""
    shutil.copytree(start / "home", root / "home")
    with open_post_office(root / "mail") as office:
        yield Township(Home(root / "home"), start / "world", machine, office)


def differences(found: Content, wanted: Content) -> list[str]:
    """Return each line that one has and the other has not, with where it stands."""
    told = []
    for name in sorted({*found, *wanted}):
        left, right = list(found.get(name, ())), list(wanted.get(name, ()))
        for each in found.get(name, ()):
            if each in right:
                right.remove(each)
                left.remove(each)
        told += [f"{name} + {each[:300]}" for each in left]
        told += [f"{name} - {each[:300]}" for each in right]
    return told


def play_undisturbed(place: Township, moments: Sequence[Moment]) -> list[Events]:
    """Play all moments; return the events of each."""
    heard = []
    for moment in moments:
        ended = place.play(moment)
        assert ended.error is None, ended.error
        heard.append(ended.answer)
    return heard


def merged(moments: Sequence[Moment], kept: Sequence[datetime]) -> list[Moment]:
    """Return moments at `kept` alone, each with the files that came since the one before."""
    found = []
    before = datetime.combine(date.min, time())
    for at in kept:
        files = tuple(file for each in moments if before < each.at <= at for file in each.files)
        acts = ("catch_up", "questions" if at.time() == MORNING else "clinic")
        found.append(Moment(at, files, acts))
        before = at
    return found
