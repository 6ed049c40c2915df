"""The doctor: each check finds what it is for, says what to do, and shows nothing of anybody."""

import ast
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.main import main
from cli.server import Server, tell_server
from cli.server_check import check_prefect
from conftest import ACT, KEY
from tasks import doctor
from tasks.audit import Act, keep_entry
from tasks.clock import now_in
from tasks.doctor import (
    Finding,
    check_backup,
    check_calendar,
    check_clock,
    check_disk,
    check_home,
    check_ledger,
    check_leftovers,
    check_libraries,
    check_mail,
    check_permissions,
    check_plans,
    check_python,
    check_register,
    check_tables,
    check_time_zone,
    examine,
)
from tasks.home import Home, private_folder
from tasks.keys import key_file
from tasks.ledger import open_ledger
from tasks.plan import Plan
from tasks.post_office import open_post_office
from tasks.register import open_register
from tasks.rules.wording import keys
from tasks.set_up import set_up

ROOT = Path(__file__).parent.parent
PLAN = ROOT / "data" / "campaigns" / "autumn-2025.toml"
NOW = datetime(2025, 11, 3, 9)
NOTED = Act("test", "doctor", "test", at=NOW)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CAMPAIGN_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def private() -> Iterator[None]:
    """As the command line has it: files are 0600."""
    was = os.umask(0o077)
    yield
    os.umask(was)


@pytest.fixture
def keyed(home: Home) -> Home:
    """A home with its key in place."""
    key_file(home).write(KEY)
    return home


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home as `campaign init` leaves it."""
    home = Home(tmp_path / "sound")
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    set_up(home, PLAN)
    return home


def seen(*findings: Finding) -> list[tuple[str, str, str]]:
    return [(each.check, each.what, each.level) for each in findings]


def test_a_home_that_was_just_set_up_is_sound(sound: Home) -> None:
    found = examine(sound, "李")
    assert [each for each in seen(*found) if each[2] == "bad"] == []
    assert [each for each in seen(*found) if each[2] == "warn"] == [
        ("backup", "none", "warn"),
        ("mail", "none", "warn"),
    ]
    checks = {each.check for each in found}
    assert {"python", "libraries", "permissions", "key", "register", "whole", "clock"} <= checks


def test_looking_enters_the_trail_with_who_looked(sound: Home) -> None:
    examine(sound, "李")
    with open_register(sound, key=key_file(sound).read() or "", act=ACT) as store:
        entries = store.records("audit/chosen", subject=None, who="李", since=None)
    assert [(each["what"], each["subjects"]) for each in entries] == [("doctor", [])]


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_python().level == "ok"
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    assert seen(check_python()) == [("python", "old", "bad")]


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        (["duckdb==0.1"], "duckdb"),
        (["rich>=13", "no-such-library-here>=1"], "no-such-library-here"),
    ],
)
def test_a_library_that_is_missing_or_of_another_version(wanted: list[str], named: str) -> None:
    found = check_libraries(wanted)
    assert seen(found) == [("libraries", "differ", "bad")]
    assert named in found.text()
    assert "rich" not in found.text()


def test_what_the_package_asks_for_is_here_and_extras_are_not_asked_for() -> None:
    assert seen(check_libraries()) == [("libraries", "fit", "ok")]
    assert check_libraries(["nowhere; extra == 'dev'"]).values["count"] == 0


def test_a_home_that_is_none_and_one_without_its_register(tmp_path: Path, home: Home) -> None:
    nothing = Home(tmp_path / "nothing")
    assert seen(check_home(nothing)) == [("home", "none", "bad")]
    assert {each.check for each in examine(nothing, "李")} == {
        "python",
        "libraries",
        "home",
        "mail",
    }
    home.register.unlink()
    assert seen(check_home(home)) == [("home", "no_register", "bad")]


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_file_that_others_can_read(home: Home, mode: int) -> None:
    assert seen(check_permissions(home)) == [("permissions", "private", "ok")]
    private_folder(home.reports("autumn"))
    page = home.reports("autumn") / "张三丰.html"
    page.touch(0o600)
    page.chmod(mode)
    found = check_permissions(home)
    assert seen(found) == [("permissions", "open", "bad")]
    assert (found.values["count"], found.values["places"]) == (1, "reports")
    assert "张三丰" not in found.text(), "a file's own name may be somebody's"


def test_a_folder_that_others_can_enter_and_what_lies_in_the_inbox(home: Home) -> None:
    private_folder(home.inbox)
    (home.inbox / "sent.csv").touch(0o644)
    (home.inbox / "sent.csv").chmod(0o644)
    assert seen(check_permissions(home)) == [("permissions", "private", "ok")]
    home.inbox.chmod(0o755)
    assert seen(check_permissions(home)) == [("permissions", "open", "bad")]
    home.inbox.chmod(0o700)
    home.root.chmod(0o711)
    assert seen(check_permissions(home)) == [("permissions", "open", "bad")]


def test_what_a_cut_off_command_left(home: Home) -> None:
    left = home.root / "exports" / "x.xlsx.part"
    private_folder(left.parent)
    left.touch(0o600)
    assert seen(check_leftovers(home, time.time())) == [("leftovers", "none", "ok")], (
        "may be going on"
    )
    found = check_leftovers(home, time.time() + 7200)
    assert seen(found) == [("leftovers", "some", "warn")]
    assert (found.values["count"], found.values["places"]) == (1, "exports")


@pytest.mark.parametrize(
    ("free", "what", "level"),
    [(10 * 2**30, "room", "ok"), (300 * 2**20, "low", "warn"), (200 * 2**20, "full", "bad")],
)
def test_a_full_disk(
    home: Home, monkeypatch: pytest.MonkeyPatch, free: int, what: str, level: str
) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert seen(check_disk(home)) == [("disk", what, level)]


def test_a_plan_that_cannot_be_read_does_not_hide_the_others(sound: Home) -> None:
    broken = sound.plan("broken")
    private_folder(broken.parent)
    broken.write_text("slug = 'broken'\nnonsense", encoding="utf-8")
    plans, found = check_plans(sound)
    assert list(plans) == ["autumn-2025"]
    assert seen(*found) == [("plans", "refused", "bad"), ("plans", "read", "ok")]
    broken.unlink()
    sound.plan("autumn-2025").unlink()
    assert seen(*check_plans(sound)[1]) == [("plans", "none", "bad")]


def test_a_machine_without_the_time_zone(sound: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(check_time_zone("Asia/Shanghai")) == [("time_zone", "known", "ok")]
    assert seen(check_time_zone("Asia/Nowhere")) == [("time_zone", "unknown", "bad")]
    unknown = Finding("time_zone", "unknown", "bad", {"zone": "Asia/Shanghai"})
    monkeypatch.setattr(doctor, "check_time_zone", lambda _: unknown)
    assert "clock" not in {each.check for each in examine(sound, "李")}, "nothing can be dated"


def test_years_whose_working_days_are_not_known(plan: Plan) -> None:
    def of(due: date) -> Plan:
        unsure = replace(plan.calendar[0], due=due, provisional=True)
        return plan.model_copy(update={"calendar": (*plan.calendar[1:], unsure)})

    assert seen(check_calendar({"a": plan}, date(2025, 11, 3))) == [("calendar", "known", "ok")]
    far = check_calendar({"a": of(date(2027, 1, 5))}, date(2026, 9, 1))
    assert seen(far) == [("calendar", "unpublished", "warn")]
    assert (far.values["years"], far.values["count"]) == ("2027", 1)
    assert check_calendar({"a": of(date(2026, 12, 31))}, date(2026, 9, 1)).values["years"] == "2027"
    near = check_calendar({"a": of(date(2027, 1, 5))}, date(2026, 12, 20))
    assert seen(near) == [("calendar", "old", "bad")]


def test_a_home_of_an_earlier_version(home: Home) -> None:
    assert seen(*check_ledger(home, NOW))[0] == ("tables", "all", "ok")
    with open_ledger(home, "write") as store:
        store.connection.execute("DROP TABLE ledger.agg_backup")
        assert seen(check_tables(store, "ledger")) == [("tables", "older", "bad")]
    assert seen(*check_ledger(home, NOW)) == [("tables", "older", "bad")]


def test_a_ledger_that_is_damaged(home: Home) -> None:
    home.ledger.write_bytes(b"no database")
    assert seen(*check_ledger(home, NOW)) == [("ledger", "unreadable", "bad")]


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Have another process hold both stores of the home."""
    hold = (
        "import sys, time; from pathlib import Path; from conftest import ACT, KEY;"
        "from tasks.home import Home; from tasks.register import open_register;"
        "context = open_register(Home(Path(sys.argv[1])), key=KEY, act=ACT); context.__enter__();"
        "sys.stdout.write('held'); sys.stdout.flush(); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(home.root)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.read(4) == b"held"
        yield
        holder.kill()


def test_a_clock_behind_the_trail(keyed: Home) -> None:
    with open_register(keyed, key=KEY, act=NOTED):
        pass
    with open_ledger(keyed) as store:
        assert check_clock(store, keyed, NOW).level == "ok"
        assert check_clock(store, keyed, NOW - timedelta(minutes=1)).level == "ok", (
            "seconds may pass"
        )
        behind = check_clock(store, keyed, NOW - timedelta(hours=8))
    assert seen(behind) == [("clock", "behind", "bad")]
    assert behind.values["minutes"] == 480


def test_a_clock_behind_the_files(keyed: Home) -> None:
    to_come = time.time() + 3600
    os.utime(keyed.register, (to_come, to_come))
    with open_ledger(keyed) as store:
        assert seen(check_clock(store, keyed, NOW)) == [("clock", "behind", "bad")]


def test_with_a_wrong_clock_the_register_stays_closed(sound: Home) -> None:
    to_come = time.time() + 3600
    os.utime(sound.ledger, (to_come, to_come))
    found = seen(*examine(sound, "李"))
    assert ("clock", "behind", "bad") in found
    assert ("register", "not_opened", "warn") in found
    assert not [each for each in found if each[0] == "whole"]


@pytest.mark.parametrize(
    ("days", "what", "level"),
    [(0, "recent", "ok"), (7, "recent", "ok"), (8, "old", "warn"), (32, "very_old", "bad")],
)
def test_an_old_backup(home: Home, tmp_path: Path, days: int, what: str, level: str) -> None:
    note_backup(home, NOW - timedelta(days=days), tmp_path / "backups")
    with open_ledger(home) as store:
        assert seen(check_backup(store, home, NOW)) == [("backup", what, level)]


def test_no_backup_and_backups_in_bad_places(keyed: Home, tmp_path: Path) -> None:
    def found(folder: Path, minute: int) -> list[tuple[str, str, str]]:
        note_backup(keyed, NOW + timedelta(minutes=minute), folder)
        with open_ledger(keyed) as store:
            return seen(check_backup(store, keyed, NOW))

    with open_ledger(keyed) as store:
        assert seen(check_backup(store, keyed, NOW)) == [("backup", "none", "warn")]
    assert found(keyed.root / "backups", 1) == [("backup", "inside", "bad")]
    assert found(keyed.key_file.parent, 2) == [("backup", "beside_key", "bad")]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert found(elsewhere, 3) == [("backup", "recent", "ok")]
    (elsewhere / "register.key").write_text(KEY)
    assert found(elsewhere, 4) == [("backup", "beside_key", "bad")]


def note_backup(home: Home, made_at: datetime, folder: Path) -> None:
    with open_ledger(home, "write") as store:
        store.run("backup/note", made_at=made_at, folder=str(folder))


def test_a_backup_is_known_once_it_was_made(
    sound: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "backups"
    assert run(monkeypatch, capsys, "backup", "--to", str(folder))[0] == 0
    with open_ledger(sound) as store:
        found = check_backup(store, sound, now_in("Asia/Shanghai"))
    assert seen(found) == [("backup", "recent", "ok")]
    assert (found.values["days"], found.values["folder"]) == (0, str(folder))


@pytest.mark.parametrize("text", [None, "short", "ZZ" * 32])
def test_a_key_that_is_not_there_or_no_key(home: Home, text: str | None) -> None:
    if text is not None:
        key_file(home).write(text)
    found = check_register(home, NOTED, clock_goes=True)
    assert seen(*found) == [("key", "none", "bad")]
    assert text is None or text not in found[0].text()


def test_a_key_that_others_can_read(keyed: Home) -> None:
    keyed.key_file.chmod(0o640)
    assert seen(*check_register(keyed, NOTED, clock_goes=True)) == [("key", "none", "bad")]


def test_a_key_that_opens_the_register_and_one_that_does_not(keyed: Home) -> None:
    found = check_register(keyed, NOTED, clock_goes=True)
    assert seen(*found) == [
        ("key", "found", "ok"),
        ("register", "opens", "ok"),
        ("whole", "whole", "ok"),
    ]
    key_file(keyed).write("b" * 64)
    refused = check_register(keyed, NOTED, clock_goes=True)
    assert seen(*refused)[1] == ("register", "refused", "bad")
    assert not any(KEY in each.text() or "b" * 64 in each.text() for each in (*found, *refused))


def test_stores_that_are_in_use(keyed: Home) -> None:
    with held(keyed):
        assert seen(*check_ledger(keyed, NOW)) == [("ledger", "busy", "warn")]
        found = check_register(keyed, NOTED, clock_goes=True)
    assert seen(*found) == [("key", "found", "ok"), ("register", "busy", "warn")]


def test_a_trail_that_was_changed(keyed: Home) -> None:
    with open_register(keyed, key=KEY, act=ACT) as store:
        keep_entry(store, ACT)
        store.connection.execute("UPDATE register.reg_trail SET who = 'x' WHERE position = 1")
    found = check_register(keyed, NOTED, clock_goes=True)
    assert seen(found[-1]) == [("whole", "broken", "bad")]


def test_no_mail_server_and_wrong_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(check_mail()) == [("mail", "none", "warn")]
    monkeypatch.setenv("CAMPAIGN_SMTP_HOST", "mail.example.test")
    monkeypatch.setenv("CAMPAIGN_SMTP_PASSWORD", "geheim")
    found = check_mail()
    assert seen(found) == [("mail", "wrong", "bad")]
    assert "geheim" not in found.text()


def use_mail_server(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    settings = {"HOST": "127.0.0.1", "PORT": port, "SENDER": "a@b.test", "SECURITY": "none"}
    for name, value in settings.items():
        monkeypatch.setenv(f"CAMPAIGN_SMTP_{name}", str(value))


def test_a_mail_server_that_answers_gets_no_message_unless_asked_for(
    sound: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_post_office(tmp_path / "mail") as office:
        use_mail_server(monkeypatch, office.port)
        assert run(monkeypatch, capsys, "doctor")[0] == 0
        assert list(office.folder.iterdir()) == []
        code, out = run(monkeypatch, capsys, "doctor", "--send-test-mail", "me@b.test", "--json")
        (sent,) = office.folder.iterdir()
    assert code == 0
    assert {"check": "mail", "found": "sent"}.items() <= json.loads(out)[-1].items()
    assert "me-" not in sent.name
    assert "me@b.test" in sent.read_text("utf-8")


def test_a_mail_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    use_mail_server(monkeypatch, port)
    assert seen(check_mail()) == [("mail", "failed", "bad")]
    assert seen(doctor.send_test_mail("me@b.test")) == [("mail", "failed", "bad")]


class Answers(BaseHTTPRequestHandler):
    """A server that answers as Prefect's does."""

    workers: list[dict[str, str]] = []  # noqa: RUF012 # replaced by each test

    def do_GET(self) -> None:  # the name http.server calls
        self.tell("3.8.8")

    def do_POST(self) -> None:  # the name http.server calls
        self.tell(self.workers if "/work_pools/township-990101101/" in self.path else [])

    def tell(self, content: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[Server]:
    """Such a server on loopback."""
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Server(server.server_port, "campaign:word")
        server.shutdown()
        thread.join()


def test_what_campaign_up_runs(sound: Home, answering: Server) -> None:
    assert seen(*check_prefect(sound)) == [("server", "not_started", "warn")]
    tell_server(sound, answering)
    Answers.workers = [{"status": "OFFLINE"}]
    server = ("server", "answers", "ok")
    assert seen(*check_prefect(sound)) == [server, ("worker", "none", "bad")]
    Answers.workers = [{"status": "OFFLINE"}, {"status": "ONLINE"}]
    assert seen(*check_prefect(sound)) == [server, ("worker", "alive", "ok")]


def test_a_server_that_does_not_answer(home: Home) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        tell_server(home, Server(free.getsockname()[1], "campaign:word"))
    assert seen(*check_prefect(home)) == [("server", "silent", "bad")]


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["campaign", *arguments])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    return code, capsys.readouterr().out


def test_the_command_ends_with_5_where_something_is_bad_and_names_the_worst_first(
    sound: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    code, out = run(monkeypatch, capsys, "doctor")
    assert (code, out.splitlines()[0].split()[0]) == (0, "warning")
    sound.root.chmod(0o755)
    code, out = run(monkeypatch, capsys, "doctor")
    assert (code, out.splitlines()[0].split()[0]) == (5, "bad")
    assert f"chmod -R go= {sound.root}" in "".join(out.splitlines())


def test_without_the_key_all_else_is_looked_at(
    sound: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound.key_file.unlink()
    code, out = run(monkeypatch, capsys, "doctor", "--json")
    found = {each["check"]: each for each in json.loads(out)}
    assert code == 5
    assert [name for name, each in found.items() if each["level"] == "bad"] == ["key"]
    assert {"clock", "backup", "tables", "disk"} <= found.keys()


def test_every_finding_has_its_words_and_every_bad_one_a_remedy() -> None:
    made = set()
    for path in (ROOT / "tasks" / "doctor.py", ROOT / "cli" / "server_check.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                check, what, level = [str(ast.literal_eval(each)) for each in node.args[:3]]
                made |= {f"doctor.{check}.{what}"}
                made |= {f"doctor.{check}.{what}.do"} if level != "ok" else set()
    other = ("doctor.level.", "doctor.mail.test_", "doctor.summary", "doctor.failed")
    assert made == {key for key in keys("doctor.") if not key.startswith(other)}
