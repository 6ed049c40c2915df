"""`campaign outbox`: what an officer sees of the messages, and what he may decide."""

import json
import re
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import keyring
import pytest

from cli.main import main
from flows.schedules import AFTER_MIDNIGHT, QUEUE
from released_rows import make_ledger
from reports.dry_run import foresee
from reports.gate import notice_gate
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.outbox import write_letter
from tasks.plan import Plan, copy_plan, load_plan
from tasks.post_office import PostOffice, open_post_office
from tasks.rules.agenda import REMINDERS_FROM
from tasks.rules.known_names import NameList
from tasks.rules.wording import say

SLUG = "autumn-2025"
PLAN_FILE = Path(__file__).parents[1] / "data" / "campaigns" / f"{SLUG}.toml"
NOBODY = NameList(bytes(32), frozenset(), frozenset())
TEXT = "石桥村：请在 2025-10-31 前报送。"
SUBJECT = "请按时报送：排查走访 第 1 轮"


class Outcome:
    """What a command left: its exit code and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def record(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def plan() -> Plan:
    return load_plan(PLAN_FILE)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a ledger and a plan; it has no register and no key, and needs none."""
    home = make_ledger(tmp_path / "home")
    copy_plan(PLAN_FILE, home.plan(SLUG).parent)
    return home


@pytest.fixture
def outbox(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `campaign outbox …` in this process, without a mail server."""
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("HOST", "PORT", "SENDER", "SECURITY", "USER", "PASSWORD", "CA"):
        monkeypatch.delenv(f"CAMPAIGN_SMTP_{name}", raising=False)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["campaign", "outbox", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    """A mail server, which `reachable` has the commands use."""
    with open_post_office(tmp_path / "mail") as office:
        yield office


def reachable(monkeypatch: pytest.MonkeyPatch, office: PostOffice) -> None:
    monkeypatch.setenv("CAMPAIGN_SMTP_HOST", office.host)
    monkeypatch.setenv("CAMPAIGN_SMTP_PORT", str(office.port))
    monkeypatch.setenv("CAMPAIGN_SMTP_SENDER", "campaign@township.example")
    monkeypatch.setenv("CAMPAIGN_SMTP_SECURITY", "none")


def write(home: Home, plan: Plan, messages: int = 1) -> None:
    """Draft so many lists of who is missing to the health side, each of a day of its own."""
    with open_ledger(home, "write") as store:
        gate = notice_gate(store, home, plan, NOBODY)
        for number in range(messages):
            write_letter(
                store,
                plan,
                kind="missing",
                phase="sweep",
                round=1,
                number=20251030 + number,
                audience="health",
                recipient=plan.recipients.health[0],
                subject=SUBJECT,
                text=TEXT,
                now=datetime(2025, 10, 30, 8, 30),
                gate=gate,
            )


def test_an_empty_outbox_says_so(outbox: Run) -> None:
    assert (outbox("list").code, outbox("list").out) == (0, "No messages.\n")
    assert outbox("list", "--json").record == {
        **dict.fromkeys(("draft", "ready", "sending", "sent", "failed", "unknown"), 0),
        "messages": [],
    }


def test_messages_are_listed_one_by_one(home: Home, plan: Plan, outbox: Run) -> None:
    write(home, plan, 2)
    record = outbox("list", "--json").record
    assert record["draft"] == 2
    first = record["messages"][0]
    assert (first["kind"], first["phase"], first["round"], first["revision"]) == (
        "missing",
        "sweep",
        1,
        20251030,
    )
    assert (first["recipient"], first["state"], first["attempts"]) == (
        plan.recipients.health[0],
        "draft",
        0,
    )
    shown = outbox("list").out
    assert first["id"][:8] in shown
    assert "Sweep, round 1 who is missing" in shown
    assert "a draft, not handed over" in shown
    assert first["period"] is None
    assert outbox("list", "--state", "sent", "--json").record["messages"] == []
    assert outbox("list", "--state", "gone").code == 2
    assert outbox("list", "--campaign", "no-such").code == 2


def test_a_preview_is_the_message_itself(
    home: Home,
    plan: Plan,
    outbox: Run,
    office: PostOffice,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    write(home, plan)
    whole = outbox("list", "--json").record["messages"][0]["id"]
    shown = outbox("preview", whole[:8])
    assert shown.code == 0
    assert shown.out.splitlines()[1:] == [f"Subject: {SUBJECT}", "", TEXT]
    (record,) = outbox("preview", "--campaign", SLUG, "--json").record
    page = tmp_path / "page.html"
    assert outbox("preview", whole, "--html", page).code == 0
    assert stat.S_IMODE(page.stat().st_mode) == 0o600

    reachable(monkeypatch, office)
    assert outbox("send").code == 0
    (path,) = office.folder.glob("*.eml")
    arrived = message_from_bytes(path.read_bytes(), policy=default)
    parts = {
        part.get_content_type(): part.get_content().rstrip()
        for part in arrived.walk()
        if not part.is_multipart()
    }
    assert parts == {"text/plain": record["text"], "text/html": record["html"]}
    assert parts["text/html"] == page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [(), ("abc", "--campaign", SLUG), ("--campaign", SLUG, "--html", "page.html")],
)
def test_a_preview_is_of_one_message_or_of_one_campaign(
    outbox: Run, arguments: tuple[str, ...]
) -> None:
    asked = outbox("preview", *arguments)
    assert (asked.code, asked.out, asked.err.count("\n")) == (2, "", 1)


def test_what_waits_says_when_it_is_tried_next_and_an_officer_need_not_wait(
    home: Home, plan: Plan, outbox: Run, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, plan)
    reachable(monkeypatch, office)
    office.trouble.greylists = True
    sent = outbox("send")
    assert (sent.code, "1 wait for another try" in sent.out) == (0, True)
    (message,) = outbox("list", "--json").record["messages"]
    assert (message["state"], message["problem"]) == ("ready", "deferred")
    assert datetime.fromisoformat(message["retry_at"]) > datetime.fromisoformat(message["tried_at"])
    shown = outbox("list").out
    assert "the mail server asks to try again later" in shown
    assert "next try from" in shown
    assert outbox("send", "--due").code == 0
    assert outbox("list", "--json").record["ready"] == 1, "a timer waits"
    assert outbox("send", "--due", "--retry-failed", SLUG).code == 2
    assert outbox("send").code == 0
    assert outbox("list", "--json").record["sent"] == 1


def test_an_officer_decides_on_what_may_have_arrived(
    home: Home, plan: Plan, outbox: Run, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, plan)
    reachable(monkeypatch, office)
    office.trouble.hangs_up = True
    assert outbox("send").code == 1
    (message,) = outbox("list", "--json").record["messages"]
    assert message["state"] == "unknown"
    why = ("--by", "Li Wei", "--reason", "telephoned")
    neither = outbox("resolve", message["id"], *why)
    both = outbox("resolve", message["id"], "--arrived", "--send-again", *why)
    assert (neither.code, both.code) == (2, 2)
    assert outbox("resolve", message["id"][:6], "--arrived", *why).code == 0
    (message,) = outbox("list", "--json").record["messages"]
    assert (message["state"], message["decision"]) == ("sent", "arrived")
    assert (message["decided_by"], message["reason"]) == ("Li Wei", "telephoned")
    assert "noted as arrived by Li Wei" in outbox("list").out
    assert outbox("resolve", message["id"], "--send-again", *why).code == 2


def test_failed_messages_are_sent_again_when_asked(
    home: Home, plan: Plan, outbox: Run, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, plan)
    reachable(monkeypatch, office)
    office.trouble.refuses = {plan.recipients.health[0]}
    assert outbox("send").code == 1
    assert outbox("send").code == 1
    office.trouble.refuses = set()
    assert outbox("send", "--retry-failed", "no-such").code == 2
    assert outbox("send", "--retry-failed", SLUG, "--by", "Li Wei").code == 0
    (message,) = outbox("list", "--json").record["messages"]
    assert (message["state"], message["attempts"], message["decided_by"]) == ("sent", 2, "Li Wei")


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, ...], str]:
    """A keyring that forgets with the test: (service, account) -> secret."""
    kept: dict[tuple[str, ...], str] = {}
    monkeypatch.setattr(keyring, "get_password", lambda *entry: kept.get(entry))
    monkeypatch.setattr(keyring, "set_password", lambda *entry: kept.update({entry[:2]: entry[2]}))
    monkeypatch.setattr(keyring, "delete_password", lambda *entry: kept.pop(entry))
    return kept


def test_the_password_is_asked_for_and_kept_in_the_keyring(
    outbox: Run, ring: dict[tuple[str, ...], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outbox("password").code == 2, "there is no server and no user yet"
    monkeypatch.setenv("CAMPAIGN_SMTP_HOST", "mail.township.example")
    monkeypatch.setenv("CAMPAIGN_SMTP_USER", "township")
    answers = iter(["s3cret", "s3cret", "one", "another"])
    hidden = []

    def ask(text: str, *, hide_input: bool) -> str:
        hidden.append(hide_input)
        return next(answers)

    monkeypatch.setattr("typer.prompt", ask)
    kept = outbox("password")
    assert kept.code == 0
    assert ring == {("campaign mail", "township@mail.township.example"): "s3cret"}
    assert "s3cret" not in kept.out + kept.err
    assert outbox("password").code == 2, "the second time it is not the same twice"
    assert all(hidden)
    assert list(ring.values()) == ["s3cret"]
    assert outbox("password", "--clear").code == 0
    assert ring == {}


# Before a campaign starts


def test_a_dry_run_shows_every_message_in_order_and_writes_nothing(
    home: Home, outbox: Run, plan: Plan
) -> None:
    before = {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
    record = outbox("preview", "--campaign", SLUG, "--dry-run", "--json").record
    messages = record["messages"]
    moments = [message["at"] for message in messages]
    assert moments == sorted(moments)
    assert not record["has_mail_server"]
    sweeps = [each for each in messages if each["kind"] == "summary" and each["phase"] == "sweep"]
    assert {each["at"] for each in sweeps} == {"2025-11-01T00:10:00"}
    assert [(each["audience"], each["recipient"]) for each in sweeps] == [
        *(("office", recipient) for recipient in plan.recipients.office),
        *(("health", recipient) for recipient in plan.recipients.health),
    ]
    shown = outbox("preview", "--campaign", SLUG, "--dry-run").out
    assert shown.count("2025-11-01 00:10") == 1
    assert "no mail server is set up" in shown
    assert before == {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
    assert outbox("preview", "abc", "--dry-run").code == 2


def foreseen(plan: Plan) -> list[Any]:
    return foresee(plan, night=AFTER_MIDNIGHT, queue=QUEUE, morning=REMINDERS_FROM)


def test_a_dry_run_makes_up_no_number(plan: Plan) -> None:
    """All digits left are of the plan: days, rounds, villages expected, the rule of protection."""
    fixed = [
        say("foot.protection", "zh-CN", withhold_to=7, round_to=5),
        say("foot.marks", "zh-CN"),
        f"应报 {len(plan.villages)} 个村",
        plan.name,
        "第 1 版",
        "第 1 轮",
    ]
    for message in foreseen(plan):
        if message.kind != "summary":
            continue
        text = re.sub(r"\d{4}-\d\d-\d\d|2025 年 1[12] 月", "", message.text)
        for known in fixed:
            text = text.replace(known, "")
        assert not re.search(r"\d", text), text
        assert "〔" in text


def test_a_dry_run_reminds_every_village_around_every_due_day(plan: Plan) -> None:
    sweep = plan.occurrence("sweep", 1)
    reminders = [
        each for each in foreseen(plan) if each.kind == "reminder" and each.phase == "sweep"
    ]
    days = {each.at.date() for each in reminders}
    before, after = plan.reminders.before_days, plan.reminders.after_days
    assert len(days) == len(before) + len(after)
    assert min(days) < sweep.due < max(days)
    written_to = {each.recipient for each in reminders}
    assert written_to == {each.email for each in plan.villages if each.email}
    assert len(reminders) == len(days) * len(written_to)
    assert {each.at.time() for each in reminders} == {REMINDERS_FROM}
    assert date(2025, 10, 24) in days
