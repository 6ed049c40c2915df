"""A child of test_kills.py and test_full_disk.py: plays a campaign in processes that may be killed.

`python kill_run.py [--plain]` imports everything once, reads a task a line from its standard input,
and forks a process for each, so that a restart costs no import. A task says at what moment the
clock stands, what is done, and where the process dies. A line with the process' id comes back at
once, and one with what became of it at its end.

With `--plain` the flows and steps are the functions that they are made of: a kill then costs no
conversation with a Prefect server, which has no part in what is stored.

A process can die at any of its events: a statement, the beginning, the commit and the end of a
transaction, the opening and closing of a store, a file that is written, renamed or removed, a line
of the mail protocol. It kills itself before the event; or tells its parent, which kills it some
milliseconds later, wherever it then is: inside a commit, or a checkpoint.
"""

import ctypes
import io
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from datetime import date, datetime
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import prefect
import prefect.artifacts

Task = dict[str, Any]


def _as_it_is(**_: object) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Stand in for `flow` and `task`: the function; with `return_state`, what it raises is kept."""

    def plain(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*args: Any, return_state: bool = False, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception:
                if not return_state:
                    raise

        return run

    return plain


if "--plain" in sys.argv:
    prefect.flow = prefect.task = _as_it_is  # type: ignore[assignment]
    prefect.artifacts.create_markdown_artifact = lambda *_, **__: None  # type: ignore[assignment]

# what is imported from here on is made of the functions above, where they stand in for Prefect's
# ruff: noqa: E402
import cli.catching_up
import cli.main
import flows.catch_up
from cli.season import Season
from data.synthetic.outcomes import write_outcomes
from flows.catch_up import catch_up_in_process
from reports.gate import mail_gate, returned_gate
from tasks import store as store_module
from tasks.at_home import load_campaigns, open_campaign
from tasks.audit import verify_trail
from tasks.clock import simulated
from tasks.home import Home
from tasks.keys import read_key
from tasks.ledger import open_ledger
from tasks.mail import mail_settings
from tasks.messages import list_messages, resolve
from tasks.outbox import send_ready
from tasks.receive import receive
from tasks.register import attach_stores
from tasks.seal import verify_ledger

SLUG = "autumn-2025"

ANY = "any"
"""The label of the events all together."""

IN_MEMORY = "sql macro/"
"""Statements without an effect that outlives the process; there are many of them."""

OUTCOMES = ("confirmed", "not_confirmed", "declined", "no_show", "confirmed")

_FILES = {
    "os.rename": "rename",
    "os.remove": "remove",
    "os.mkdir": "folder",
    "shutil.move": "move",
}

ITS_OWN = {
    # who opened the register, how often, and what each try left: a restart is one more
    "reg_trail": {"position", "previous", "hash", "why"},
    "agg_anchor": None,
    "out_attempt": None,
    "out_resolution": None,
    # random by nature
    "reg_password": {"password"},
    "reg_receipt": None,
    "reg_gap": {"gap_id"},
    # of a notice to a village they hold a random number; compared below
    "out_part": {"sha256"},
    # of an interrupted message an officer decided
    "out_message": {"problem"},
}
"""Table -> the columns that no two runs have in common; None: compared in another way."""


class Deadly:
    """Counts the events of this process, and ends it at the one that its task names."""

    def __init__(self, root: Path, kill: Task | None, tell: Callable[[Task], None]) -> None:
        """Take the home, at which event to die, and how to tell the parent.

        `kill`: the `number`-th event called `label` while one of `phases` runs; `after`: so many
        seconds later.
        """
        self.root = str(root)
        self.kill = kill
        self.tell = tell
        self.phase = ""
        self.events: dict[str, Counter[str]] = {}
        self.met = 0

    def enters(self, phase: str) -> None:
        """Note what runs from now on."""
        self.phase = phase
        self.events.setdefault(phase, Counter())
        self.tell({"phase": phase})

    def meets(self, label: str) -> None:
        """Note an event that is about to happen."""
        names = {label} if label.startswith(IN_MEMORY) else {label, ANY}
        self.events.setdefault(self.phase, Counter()).update(names)
        kill = self.kill
        if kill is None or kill["label"] not in names or self.phase not in kill["phases"]:
            return
        self.met += 1
        if self.met != kill["number"]:
            return
        if kill["after"] is None:
            os.kill(os.getpid(), signal.SIGKILL)
        self.tell({"kill_in": kill["after"]})

    def hears(self, event: str, args: tuple[Any, ...]) -> None:
        """Take an audit event of Python: files of the home and the mail server."""
        if event == "smtplib.send":
            words = bytes(args[1][:5]).upper().split()
            verbs = (b"EHLO", b"MAIL", b"RCPT", b"DATA", b"QUIT")
            verb = words[0] if words and words[0] in verbs else b"message"
            self.meets(f"mail {verb.decode()}")
        elif event in _FILES and str(args[0]).startswith(self.root):
            self.meets(f"{_FILES[event]} {_kind_of_file(args[0])}")
        elif event == "open" and str(args[0]).startswith(self.root) and _writes(args[2]):
            self.meets(f"write {_kind_of_file(args[0])}")


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def _kind_of_file(path: object) -> str:
    """Return the folder of the home that a file lies in, and its ending."""
    place = Path(os.fspath(path))  # type: ignore[call-overload]
    return f"{place.parent.name[:8]}/{place.suffix}"


class Heard:
    """A DuckDB connection whose transactions and end are events."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, deadly: Deadly) -> None:
        """Stand before `connection`."""
        self._connection = connection
        self._deadly = deadly

    def __enter__(self) -> "Heard":
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the connection open: only Great Expectations asks, which has it lent."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def begin(self) -> None:
        self._deadly.meets("begin")
        self._connection.begin()

    def commit(self) -> None:
        self._deadly.meets("commit")
        self._connection.commit()
        self._deadly.meets("committed")

    def close(self) -> None:
        self._deadly.meets("close")
        self._connection.close()
        self._deadly.meets("closed")


@contextmanager
def listening(deadly: Deadly) -> Iterator[None]:
    """Have everything that happens in this process heard by `deadly`, for good."""
    connect, execute = duckdb.connect, store_module.Store._execute
    store_module.duckdb.connect = lambda *args, **kwargs: Heard(connect(*args, **kwargs), deadly)  # type: ignore[assignment]

    def executed(store: Any, name: str, sheet: str | None, parameters: Any) -> Any:
        deadly.meets(f"sql {name}")
        return execute(store, name, sheet, parameters)

    store_module.Store._execute = executed  # type: ignore[method-assign]
    for name in ("run", "run_nightly"):
        setattr(flows.catch_up, name, _telling(getattr(flows.catch_up, name), deadly))
    sys.addaudithook(deadly.hears)
    yield


def _telling(run: Callable[..., Any], deadly: Deadly) -> Callable[..., Any]:
    def told(phase: str, *args: Any) -> Any:
        before = deadly.phase
        deadly.enters(phase)
        try:
            return run(phase, *args)
        finally:
            deadly.enters(before)

    return told


# --- what can be done -----------------------------------------------------------------------------


def play(task: Task, tell: Callable[[Task], None]) -> object:
    """Do what belongs to a moment of the campaign, from its beginning."""
    home = Home(Path(task["home"]))
    deadly = Deadly(home.root, task.get("kill"), tell)
    with listening(deadly):
        for act in task["acts"]:
            deadly.enters(act)
            if act == "catch_up":
                catch_up_in_process(SLUG)
            elif act == "questions":
                _season(home, task).answer_questions()
            elif act == "clinic":
                hold_session(home, Path(task["world"]))
    return deadly.events


def _season(home: Home, task: Task) -> Season:
    folder = Path(task["world"])
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return Season(home, SLUG, folder, truth, lambda line: None)


def hold_session(home: Home, world: Path) -> None:
    """Have who is booked for today assessed, and take in the clinic's file; the same one again."""
    with open_campaign(SLUG, "receive", "clinic") as at:
        today = at.now.date()
        booked = at.store.records("demo/sessions", campaign=SLUG)
        people = [each["person_ref"] for each in booked if each["session_date"] == today]
        rows = [_outcome(person, today) for person in people]
        if not rows:
            return
        path = world / f"outcomes-{today.isoformat()}.xlsx"
        write_outcomes(path, at.plan, rows, wrong=("diagnosis_only_confirmed",))
        receive(
            at.store,
            home,
            load_campaigns(home),
            [path],
            received_at=at.now,
            recorded_at=at.now,
            act=at.act,
            make_gate=returned_gate,
        )


def _outcome(person: str, day: date) -> dict[str, object]:
    """Return what comes out of an assessment; always the same of the same person on a day."""
    chance = sha256(f"{person}|{day}".encode()).digest()
    return {
        "referral_ref": person,
        "assessed_on": day,
        "outcome": ("confirmed", "not_confirmed", "declined", "no_show", "confirmed")[
            chance[0] % 5
        ],
        "diagnosis": "schizophrenia",
        "management_consent": chance[1] % 2 == 0,
        "second_opinion_requested": False,
    }


def settle(task: Task, tell: Callable[[Task], None]) -> object:
    """Decide as the officer does on what may have arrived, who asks the recipients; then send."""
    home = Home(Path(task["home"]))
    now = datetime.fromisoformat(task["at"])
    with open_ledger(home, "write") as store:
        stuck = [each["id"] for each in list_messages(store) if each["state"] == "unknown"]
        for each in stuck:
            decision = "arrived" if each in task["arrived"] else "send_again"
            resolve(store, each, decision, by="officer", reason="telephoned", now=now)
        if stuck:
            gate = mail_gate(store, home)
            send_ready(store, home, mail_settings(), gate=gate, now=now, waiting=True)
    return len(stuck)


def command(task: Task, tell: Callable[[Task], None]) -> object:
    """Run a command line, as on a disk that is full or an account that may not write there."""
    home = Home(Path(task["home"]))
    cli.catching_up.prefect_server = lambda home: nullcontext(lambda: None)  # type: ignore[assignment]
    deadly = Deadly(home.root, task.get("kill"), tell)
    deadly.enters(task["argv"][0])
    if task.get("most_bytes") is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (task["most_bytes"], task["most_bytes"]))
    if task.get("unprivileged"):
        drop_rights()
    said, wrong = io.StringIO(), io.StringIO()
    sys.argv = ["campaign", *task["argv"]]
    code: object = 0
    with listening(deadly), redirect_stdout(said), redirect_stderr(wrong):
        try:
            cli.main.main()
        except SystemExit as ended:
            code = ended.code
    told = {"said": said.getvalue(), "wrong": wrong.getvalue(), "events": deadly.events}
    return {"exit": code or 0, **told}


def drop_rights() -> None:
    """Give up root's right to write where the mode of a file does not allow it (capset(2))."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # the version that has two words a set
    none = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


def contents(task: Task, tell: Callable[[Task], None]) -> object:
    """Return all that a campaign has come to, as text that can be compared line for line."""
    home = Home(Path(task["home"]))
    with attach_stores(home, read_key(home)) as store:
        found = {
            f"{database} {table}": _rows(store, database, table)
            for database in ("register", "ledger")
            for (table,) in store.rows("copy/tables", database=database)
            if ITS_OWN.get(table, set()) is not None
        }
        found["receipts"] = _receipts(store)
        found["parts"] = _parts(store)
        found["trail"] = [str(each) for each in verify_trail(store).breaks]
        found["seals"] = [str(each) for each in verify_ledger(store)]
    found["files"] = _files(home)
    return found


def _rows(store: store_module.Store, database: str, table: str) -> list[str]:
    cursor = store.connection.execute(f"SELECT * FROM {database}.main.{table}")  # noqa: S608 # a table of ours
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if table == "reg_trail":
        # whose data was read or changed by what: how many entries say so depends on the restarts
        return sorted({f"{row['what']} {each}" for row in rows for each in row["subjects"]})
    left_out = ITS_OWN.get(table) or set()
    return sorted(str({name: row[name] for name in names if name not in left_out}) for row in rows)


def _receipts(store: store_module.Store) -> list[str]:
    """Return how many people and rows retention forgot by each day, in one run or several."""
    cursor = store.connection.execute(
        "SELECT made_at::DATE, sum(people), list_sort(list(rows_removed) FILTER (people > 0)),"
        " bool_and(compacted_at IS NOT NULL OR people = 0)"
        " FROM register.reg_receipt GROUP BY ALL ORDER BY ALL"
    )
    return [str(row) for row in cursor.fetchall()]


def _parts(store: store_module.Store) -> list[str]:
    cursor = store.connection.execute(
        "SELECT * FROM ledger.out_part WHERE phase <> '' ORDER BY ALL"
    )
    return [str(row) for row in cursor.fetchall()]


def _files(home: Home) -> list[str]:
    """Return the files of the home: reports and questions byte for byte, the others by name."""
    leave_out = {home.register, home.ledger}
    found = []
    for path in sorted(home.root.rglob("*")):
        place = path.relative_to(home.root)
        if path.is_dir() or path in leave_out or place.parts[0] in ("prefect", "mail"):
            continue
        shown = place.parts[0] in ("reports", "questions", "plans")
        found.append(f"{place} {path.read_bytes().hex() if shown else ''}")
    return found


# --- processes ------------------------------------------------------------------------------------

DO = {"play": play, "settle": settle, "command": command, "contents": contents}


def run_child(task: Task, pipe: int) -> None:
    """Do a task and tell the parent what came of it; called in a process of its own."""

    def tell(what: Task) -> None:
        os.write(pipe, f"{json.dumps(what)}\n".encode())

    os.environ |= {"CAMPAIGN_HOME": task["home"], **task.get("environment", {})}
    try:
        with simulated(datetime.fromisoformat(task["at"])):
            answer = DO[task["do"]](task, tell)
    except BaseException:  # noqa: BLE001 # the test says what it was
        tell({"error": traceback.format_exc()})
    else:
        data = f"{json.dumps({'answer': answer})}\n".encode()
        while data:
            data = data[os.write(pipe, data) :]


def run_task(task: Task, say: Callable[[Task], None]) -> None:
    """Fork a process for a task, kill it where it asks for that, and say what became of it."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        run_child(task, sending)
        os._exit(0)
    os.close(sending)
    say({"pid": child})
    found: Task = {"phase": "", "answer": None, "error": None}
    with os.fdopen(receiving, "r", encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break  # it was killed while it told
            what = json.loads(line)
            if "kill_in" in what:
                time.sleep(what["kill_in"])
                os.kill(child, signal.SIGKILL)
                break
            found |= what
    _, status = os.waitpid(child, 0)
    found["killed"] = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    say(found)


def main() -> None:
    """Do the tasks that come in, one after the other."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(what: Task) -> None:
        answers.write(f"{json.dumps(what)}\n")
        answers.flush()

    say({"ready": True})
    for line in sys.stdin:
        run_task(json.loads(line), say)


if __name__ == "__main__":
    main()
