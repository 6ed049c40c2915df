"""A child of test_leaks.py: runs commands in one process, some with a fault put in.

`python leak_run.py TASK` with TASK a JSON file: the home, and what to do in turn. The software has
no place for faults: each is put under a step's guard, into a statement or a call from here.
"""

import gc
import io
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any
from unittest.mock import patch

import duckdb
from jinja2 import UndefinedError

import flows
from cli.main import main
from cli.server import prefect_server
from conftest import write_workbook
from leak_markers import everything
from reports import render, write
from tasks import reminders
from tasks import store as store_module
from tasks.at_home import load_campaign
from tasks.clock import simulated
from tasks.home import Home
from tasks.keys import read_key
from tasks.passwords import sender_password
from tasks.post_office import PostOffice, open_post_office
from tasks.register import attach_stores
from tasks.reminder_letters import Letter, letters_about
from tasks.rules.contract import SHEETS, Identity
from tasks.rules.errors import CampaignError
from tasks.rules.requests import id_of

Do = dict[str, Any]


class Panic(BaseException):
    """As a library written in another language raises it: no Exception."""


# --- faults ---------------------------------------------------------------------------------------


def burst(secret: str) -> None:
    """Raise an error with `secret` in its text, its cause, its notes and its fields."""
    try:
        raise KeyError(f"cell {secret}")
    except KeyError as cause:
        error = ValueError(f"could not convert {secret}")
        error.add_note(f"row of {secret}")
        error.cell = secret  # type: ignore[attr-defined]
        raise error from cause


def panic(secret: str) -> None:
    """Raise what is no Exception."""
    raise Panic(secret)


def interrupted(secret: str) -> None:
    """End like an interrupted command, while an error is being dealt with."""
    try:
        burst(secret)
    except ValueError:
        raise KeyboardInterrupt(secret) from None


def killed(_: str) -> None:
    """End at once."""
    os.kill(os.getpid(), signal.SIGKILL)


KINDS = {"Task": "step", "Flow": "flow"}
"""What Prefect calls them. It is imported late: it reads its settings then."""


def nodes() -> Iterator[tuple[str, Any]]:
    """Yield every step and flow there is, however it was made: `kind:name` and Prefect's object.

    But for those on Dask's workers, in other processes: tests/test_engine.py has them fail.
    """
    for module in iter_modules(flows.__path__):
        if module.name == "fan_out":
            continue
        for value in vars(import_module(f"flows.{module.name}")).values():
            kind = KINDS.get(type(value).__name__)
            if kind is not None:
                yield f"{kind}:{value.name}", value


def is_guarded(node: Any) -> bool:
    """Return whether what Prefect calls is the guard of `flows.steps.value_free`."""
    guard = import_module("flows.steps").value_free("", nodes)
    return bool(node.fn.__code__ is guard.__code__)


@contextmanager
def body(name: str, does: Callable[[], None]) -> Iterator[None]:
    """Have the body of a step or flow do something else, beneath the guard that it was given."""
    found: dict[int, Any] = {}
    for guard in (each.fn for known, each in nodes() if known == name):
        cell = guard.__closure__[guard.__code__.co_freevars.index("function")]
        found[id(cell)] = cell
    if not found:
        raise LookupError(name)
    originals = {key: cell.cell_contents for key, cell in found.items()}
    for cell in found.values():
        cell.cell_contents = lambda *_, **__: does()
    try:
        yield
    finally:
        for key, cell in found.items():
            cell.cell_contents = originals[key]


@contextmanager
def unguarded(name: str, does: Callable[[], None]) -> Iterator[None]:
    """Have a step without its guard: what the search must find, to be worth anything."""
    task = vars(import_module("flows.release"))[name]
    with patch.object(task, "fn", lambda *_, **__: does()):
        yield


@contextmanager
def statement(name: str, does: Callable[[], None]) -> Iterator[None]:
    """Have a statement fail as DuckDB does."""
    original = store_module.statement

    def broken(asked: str, sheet: str | None = None) -> str:
        if asked == name:
            does()
        return original(asked, sheet)

    with patch.object(store_module, "statement", broken):
        yield


def conversion(secret: str) -> None:
    """Raise DuckDB's own error that quotes a cell."""
    duckdb.connect().execute(f"SELECT '{secret}'::INTEGER").fetchall()


def constraint(secret: str) -> None:
    """Raise DuckDB's own error that quotes a key."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE kept (name VARCHAR PRIMARY KEY)")
    connection.execute("INSERT INTO kept VALUES (?), (?)", [secret, secret])


@contextmanager
def no_report(home: Home) -> Iterator[None]:
    """Have the pages gone, so that they are made again."""
    found = (home.root / "reports").glob("*/aggregation*.html")
    pages = {path: path.read_bytes() for path in found}
    for path in pages:
        path.unlink()
    yield
    for path, content in pages.items():
        path.write_bytes(content)


@contextmanager
def people_rule_broken(home: Home) -> Iterator[None]:
    """Have the rows that were returned stand as current ones."""
    change = "UPDATE register.stg_referral SET is_current = {} WHERE verdict = 'returned'"
    key = read_key(home)
    with attach_stores(home, key) as store:
        store.connection.execute(change.format("true"))
    yield
    with attach_stores(home, key) as store:
        store.connection.execute(change.format("false"))


@contextmanager
def no_unique_names(home: Home) -> Iterator[None]:
    """Have the register itself refuse a name that it holds already."""
    key = read_key(home)
    with attach_stores(home, key) as store:
        store.connection.execute(
            "CREATE UNIQUE INDEX one_name ON register.stg_referral (contact_name)"
        )
    yield
    with attach_stores(home, key) as store:
        store.connection.execute("DROP INDEX register.one_name")


def naming(secret: str) -> Callable[..., Iterator[Letter]]:
    """Return how reminders are made, each with `secret` in its text."""

    def letters(*given: Any) -> Iterator[Letter]:
        for letter in letters_about(*given):
            yield replace(letter, text=f"{letter.text} {secret}")

    return letters


@contextmanager
def bad_day(do: Do, office: PostOffice | None) -> Iterator[None]:
    """Have the mail server answer what `do` says instead, or hang up on whoever writes."""
    if office is None:
        yield
        return
    office.trouble.answers = do.get("answers", {})
    office.trouble.hangs_up = do.get("hangs_up", False)
    yield
    office.trouble.answers, office.trouble.hangs_up = {}, False


def loose_thread(secret: str) -> None:
    """Let a thread die, and an object fail while it is tidied up."""
    thread = threading.Thread(target=burst, args=(secret,))
    thread.start()
    thread.join()

    class Untidy:
        def __del__(self) -> None:
            burst(secret)

    Untidy()
    gc.collect()


@contextmanager
def fault(do: Do, home: Home) -> Iterator[None]:
    """Put in what `do` asks for: `fault` names it, `secret` is what its errors say."""
    kind, _, name = do.get("fault", "").partition(":")
    secret = do.get("secret", "")
    bursts = {"panic": panic, "interrupt": interrupted, "kill": killed}.get(
        do.get("how", ""), burst
    )
    with ExitStack() as stack:
        match kind:
            case "step" | "flow":
                stack.enter_context(body(do["fault"], lambda: bursts(secret)))
            case "unguarded":
                stack.enter_context(unguarded(name, lambda: bursts(secret)))
            case "conversion":
                stack.enter_context(statement(name, lambda: conversion(secret)))
            case "constraint":
                stack.enter_context(statement(name, lambda: constraint(secret)))
            case "index":
                stack.enter_context(no_unique_names(home))
            case "people_rule":
                stack.enter_context(people_rule_broken(home))
            case "template":
                stack.enter_context(no_report(home))
                raising = UndefinedError(f"'dict object' has no attribute '{secret}'")
                stack.enter_context(patch("jinja2.Template.render", side_effect=raising))
            case "page":
                stack.enter_context(no_report(home))
                adds = patch.object(
                    write,
                    "render_html",
                    lambda *given: render.render_html(*given).replace("</p>", f" {secret}</p>", 1),
                )
                stack.enter_context(adds)
            case "letter":
                stack.enter_context(patch.object(reminders, "letters_about", naming(secret)))
            case "call":
                stack.enter_context(patch(name, lambda *_, **__: bursts(secret)))
            case "thread":
                loose_thread(secret)
        yield


# --- what to do -----------------------------------------------------------------------------------


def first_question(home: Home) -> str:
    """Return the number of a doubtful pair."""
    (path,) = (home.root / "questions").glob("*.csv")
    return path.read_text("utf-8-sig").splitlines()[1].partition(",")[0]


def stored(home: Home, query: str) -> list[str]:
    """Return the first column of what the register answers."""
    with attach_stores(home, read_key(home)) as store:
        return [row[0] for row in store.connection.execute(query).fetchall()]


WAITING = """
SELECT person_ref FROM register.reg_queue WHERE state IN ('waiting', 'booked')
ORDER BY person_ref
"""
STORED = {
    "waiting": WAITING,
    "failed": "SELECT message_id FROM ledger.out_message WHERE state = 'failed' ORDER BY ALL",
    "unknown": "SELECT message_id FROM ledger.out_message WHERE state = 'unknown' ORDER BY ALL",
    "gap": "SELECT gap_id FROM register.reg_gap WHERE closed_on IS NULL ORDER BY ALL",
    "request": "SELECT request_hash FROM ledger.agg_request ORDER BY round",
}


def filled(word: str, home: Home) -> str:
    """Return an argument; `@waiting2` is the third that waits, which the stores know only."""
    if word == "@question":
        return first_question(home)
    asked = re.fullmatch(r"@([a-z]+)(\d)", word)
    if asked is None:
        return word
    found = stored(home, STORED[asked[1]])[int(asked[2])]
    # as a request and a message are called
    return id_of(found) if asked[1] == "request" else found.strip("<").partition("@")[0]


def run(do: Do, home: Home) -> int:
    """Run one command as the command line does, and return its exit code."""
    words = [filled(word, home) for word in do["argv"]]
    typed = "".join(f"{filled(word, home)}\n" for word in do.get("typed", ()))
    shown = io.StringIO()
    with ExitStack() as stack:
        stack.enter_context(patch.object(sys, "argv", ["campaign", *words]))
        stack.enter_context(patch.object(sys, "stdin", io.StringIO(typed)))
        if do.get("shows_people"):
            stack.enter_context(redirect_stdout(shown))
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
    return 0


def run_flow(do: Do, home: Home) -> int:
    """Run a flow as a worker does, without a command around it; return its error's exit code."""
    os.environ["CAMPAIGN_HOME"] = str(home.root)
    flow = next(each for known, each in nodes() if known == f"flow:{do['flow']}")
    try:
        flow(**do["parameters"])
    except CampaignError as error:
        return int(error.exit)
    return 0


def write_outcomes(do: Do, home: Home) -> None:
    """Write the clinic's file about those who wait: references are known here only."""
    refs = iter(stored(home, WAITING))
    rows = [
        row | ({} if row["referral_ref"] else {"referral_ref": next(refs)}) for row in do["rows"]
    ]
    write_workbook(Path(do["path"]), {"assessment_outcome": rows}, Identity(**do["identity"]))


def put_into_inbox(do: Do, home: Home) -> None:
    """Put files where the next run finds them."""
    home.inbox.mkdir(exist_ok=True, mode=0o700)
    for path in map(Path, do["files"]):
        (home.inbox / path.name).write_bytes(path.read_bytes())


class Writing:
    """Notes every path that Python opens for writing, whether it stays or not, while it watches."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self.paths: set[str] = set()
        self.watching = False
        tempfile.gettempdir()  # tries once whether it can write there
        sys.addaudithook(self._note)

    def _note(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.watching:
            return
        if event == "open":
            path, _, flags = given
            if isinstance(path, str | bytes) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self.paths.add(str(Path(os.fsdecode(path)).absolute()))
        elif event == "tempfile.mkstemp":
            self.paths.add(given[0])


def look_into_register(do: Do, home: Home) -> None:
    """Write down which markers the register holds, and which rules its returned rows broke."""
    texts = [marker["text"] for marker in do["markers"]]
    with attach_stores(home, read_key(home)) as store:
        held = "\n".join(everything(store.connection, "register"))
        plan = load_campaign(home, do["campaign"])
        senders = [plan.health_centre.code, *(village.code for village in plan.villages)]
        passwords = {
            code: sender_password(store, plan, code, now=datetime(2025, 12, 5)) for code in senders
        }
        broken = {
            sheet: store.connection.execute(
                f"SELECT DISTINCT unnest(failed_rules) FROM register.stg_{sheet}"  # noqa: S608
            ).fetchall()
            for sheet in SHEETS
        }
    seen = {
        "key": read_key(home),
        "nodes": sorted({known for known, _ in nodes()}),
        "guarded": [known for known, each in nodes() if is_guarded(each)],
        "passwords": passwords,
        "held": [text for text in texts if text in held],
        "broken": {sheet: [rule for (rule,) in rules] for sheet, rules in broken.items()},
    }
    shutil.copytree(home.root / "returns", do["returns"])
    Path(do["seen"]).write_text(json.dumps(seen), encoding="utf-8")


OTHER = {"outcomes": write_outcomes, "inbox": put_into_inbox, "look": look_into_register}


def work(task: Do, office: PostOffice | None) -> None:
    """Do all of it, and write the exit codes to the file that the task names."""
    home = Home(Path(task["home"]))
    codes: list[int | None] = []
    writing = Writing()
    for do in task["commands"]:
        if "argv" in do or "flow" in do:
            with fault(do, home), bad_day(do, office):
                writing.watching = True
                codes.append(run(do, home) if "argv" in do else run_flow(do, home))
                writing.watching = False
        else:
            OTHER[do["do"]](do, home)
            codes.append(None)
        Path(task["codes"]).write_text(json.dumps(codes), encoding="utf-8")
    Path(task["opened"]).write_text(json.dumps(sorted(writing.paths)), encoding="utf-8")


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    os.umask(0o077)
    if "limit" in given:
        resource.setrlimit(resource.RLIMIT_FSIZE, (given["limit"], given["limit"]))
    with ExitStack() as around:
        office = None
        if "now" in given:
            around.enter_context(simulated(datetime.fromisoformat(given["now"])))
        if "mail" in given:
            office = around.enter_context(open_post_office(Path(given["mail"])))
            os.environ |= {
                "CAMPAIGN_SMTP_HOST": office.host,
                "CAMPAIGN_SMTP_PORT": str(office.port),
                "CAMPAIGN_SMTP_SENDER": "campaign@health.example",
                "CAMPAIGN_SMTP_SECURITY": "none",
            }
        if given.get("server"):
            wait = around.enter_context(prefect_server(Home(Path(given["home"]))))
            wait()
        work(given, office)
