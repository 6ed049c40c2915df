"""The outbox: letters, tries and their waits, what is stuck, and a sender that is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from conftest import occurrence
from released_rows import CODES, make_ledger, township
from reports import gate as gate_module
from reports.gate import mail_gate, notice_gate
from tasks import outbox
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.mail import MailSettings
from tasks.messages import list_messages, read_message, resolve, retry_failed
from tasks.outbox import AUDIENCES, OutboxCounts, outbox_counts, send_ready, write_letter
from tasks.plan import Plan
from tasks.post_office import PostOffice, open_post_office
from tasks.rules.errors import CheckFailed, DisclosureRisk, StoreBusy, WrongCommand
from tasks.rules.known_names import NameList
from tasks.store import Store

NOW = datetime(2025, 10, 30, 8, 30)
DAY = 20251030
CENTRE = "centre@example.test"
OFFICES = ("office@example.test", "leader@example.test")
VILLAGES = ("v1@example.test", "v2@example.test")
NOBODY = NameList(bytes(32), frozenset(), frozenset())


def plan() -> Plan:
    """The township with a sweep; two of its villages can be written to."""
    addresses = dict(zip(CODES, VILLAGES, strict=False))
    return township().model_copy(
        update={
            "villages": tuple(
                village.model_copy(update={"email": addresses.get(village.code)})
                for village in township().villages
            ),
            "calendar": (occurrence("sweep", date(2025, 10, 1), date(2025, 10, 31), round=1),),
        }
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for module in (outbox, gate_module):
        monkeypatch.setattr(module, "load_plan", lambda _: plan())
    return make_ledger(tmp_path / "home")


@pytest.fixture
def ledger(home: Home) -> Iterator[Store]:
    with open_ledger(home, "write") as store:
        yield store


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    with open_post_office(tmp_path / "mail") as office:
        yield office


def settings(port: int, **changes: Any) -> MailSettings:
    given = {"host": "127.0.0.1", "port": port, "sender": "campaign@township.example"}
    return MailSettings(**(given | {"security": "none", "timeout": 5} | changes))


def write(ledger: Store, home: Home, **changes: Any) -> bool:
    """Draft a reminder to the first village, or something else."""
    given: dict[str, Any] = {
        "kind": "reminder",
        "phase": "sweep",
        "round": 1,
        "number": DAY,
        "audience": "village",
        "recipient": VILLAGES[0],
        "subject": "排查走访 第 1 轮：请报送",
        "text": "青石村：请在 2025-10-31 前报送。",
        "now": NOW,
        "gate": notice_gate(ledger, home, plan(), NOBODY),
    }
    return write_letter(ledger, plan(), **(given | changes))


def send(
    ledger: Store, home: Home, port: int | None, now: datetime = NOW, **options: Any
) -> OutboxCounts:
    to = None if port is None else settings(port)
    return send_ready(ledger, home, to, gate=mail_gate(ledger, home), now=now, **options)


def listed(ledger: Store) -> dict[str, dict[str, Any]]:
    """The messages by recipient."""
    return {message["recipient"]: message for message in list_messages(ledger)}


def arrived(office: PostOffice) -> list[Mapping[str, Any]]:
    """The messages that arrived, in the order in which they did."""
    files = sorted(office.folder.glob("*.eml"), key=lambda path: int(path.name.partition("-")[0]))
    return [message_from_bytes(path.read_bytes()) for path in files]


# Letters


def test_a_letter_is_written_once(ledger: Store, home: Home, office: PostOffice) -> None:
    assert write(ledger, home)
    assert not write(ledger, home)
    assert send(ledger, home, office.port).sent == 1
    assert not write(ledger, home, now=NOW + timedelta(days=3))
    assert send(ledger, home, office.port).sent == 1
    assert [message["To"] for message in arrived(office)] == [VILLAGES[0]]


ANOTHER = {
    "day": {"number": 20251031},
    "recipient": {"recipient": VILLAGES[1]},
    "phase": {"phase": "readiness", "round": 0},
    "kind": {"kind": "deadline"},
}


@pytest.mark.parametrize("change", ANOTHER.values(), ids=ANOTHER)
def test_another_day_recipient_phase_or_kind_is_another_letter(
    ledger: Store, home: Home, change: dict[str, Any]
) -> None:
    assert write(ledger, home)
    assert write(ledger, home, **change), "though it says the same"
    assert outbox_counts(ledger).draft == 2


def test_a_letter_stands_or_falls_with_what_it_reports(ledger: Store, home: Home) -> None:
    def records_and_reports() -> None:
        with ledger.transaction():
            write(ledger, home)
            raise CheckFailed("error.step", step="record", kind="-")

    with pytest.raises(CheckFailed):
        records_and_reports()
    assert outbox_counts(ledger) == OutboxCounts()
    assert write(ledger, home)


WRONG = {
    "a village is not told who is missing": {"kind": "missing"},
    "the health side is not reminded": {"audience": "health", "recipient": CENTRE},
    "an address that no list has": {"recipient": "somebody@example.test"},
    "an address of another list": {"recipient": OFFICES[0]},
    "the office gets no request": {
        "kind": "request",
        "audience": "office",
        "recipient": OFFICES[0],
    },
    "an unknown kind": {"kind": "letter"},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_letter_to_somebody_else_is_not_drafted(
    ledger: Store, home: Home, change: dict[str, Any]
) -> None:
    with pytest.raises(DisclosureRisk) as stopped:
        write(ledger, home, **change)
    assert stopped.value.key == "outbox.wrong_recipient"
    assert outbox_counts(ledger) == OutboxCounts()


LISTED = {"health": CENTRE, "office": OFFICES[1], "village": VILLAGES[1]}


@pytest.mark.parametrize(
    ("kind", "audience"),
    [
        (kind, audience)
        for kind in ("reminder", "missing", "deadline", "request", "decision")
        for audience in AUDIENCES[kind]
    ],
)
def test_each_kind_of_letter_reaches_its_audiences(
    ledger: Store, home: Home, office: PostOffice, kind: str, audience: str
) -> None:
    assert write(ledger, home, kind=kind, audience=audience, recipient=LISTED[audience])
    assert send(ledger, home, office.port).sent == 1
    assert [message["To"] for message in arrived(office)] == [LISTED[audience]]


@pytest.mark.parametrize("text", ["转介 3 人", "还差 2 轮", "请致电 13800138000", "患者资料"])
def test_a_letter_holds_no_figure_and_nobody(ledger: Store, home: Home, text: str) -> None:
    for said in ({"text": text}, {"subject": text}):
        with pytest.raises(DisclosureRisk):
            write(ledger, home, **said)
    assert outbox_counts(ledger) == OutboxCounts()


def test_a_letter_changed_after_the_gate_stops_all_mail(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    write(ledger, home)
    write(ledger, home, recipient=VILLAGES[1], text="白杨村：请报送。")
    ledger.connection.execute(
        "UPDATE ledger.out_message SET body = body || '。' WHERE recipient LIKE 'v2%'"
    )
    with pytest.raises(DisclosureRisk) as stopped:
        send(ledger, home, office.port)
    assert stopped.value.key == "gate.changed"
    assert arrived(office) == []


# A reminder that had to wait


def came(ledger: Store, village: str, *, counts: bool = True) -> None:
    ledger.connection.execute(
        "INSERT INTO ledger.agg_submission VALUES (?, 'autumn-2025', 'sweep', 1, ?, ?, ?, false)",
        [f"{village}-{counts}", village, NOW, counts],
    )


def test_nobody_is_reminded_who_reported_while_the_reminder_waited(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    for recipient in VILLAGES:
        write(ledger, home, recipient=recipient)
    came(ledger, CODES[0])
    came(ledger, CODES[1], counts=False)  # rows of its file went back: it still owes one
    assert send(ledger, home, office.port) == OutboxCounts(sent=1)
    assert [message["To"] for message in arrived(office)] == [VILLAGES[1]]


def test_a_reminder_of_a_deadline_that_passed_meanwhile_does_not_go(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    write(ledger, home)
    write(ledger, home, recipient=VILLAGES[1])
    ledger.connection.execute(
        "INSERT INTO ledger.agg_extension VALUES"
        " ('autumn-2025', 'sweep', 1, ?, '2025-11-05', 'officer', 'flood', ?)",
        [CODES[1], NOW],
    )
    assert send(ledger, home, office.port, datetime(2025, 11, 1, 8, 30)).sent == 1
    assert [message["To"] for message in arrived(office)] == [VILLAGES[1]], "it has more time"


def test_a_reminder_after_the_deadline_goes(ledger: Store, home: Home, office: PostOffice) -> None:
    write(ledger, home, number=20251101)
    assert send(ledger, home, office.port, datetime(2025, 11, 2, 8, 30)).sent == 1


# Tries and their waits


def test_grey_listing_is_waited_for(ledger: Store, home: Home, office: PostOffice) -> None:
    office.trouble.greylists = True
    write(ledger, home, kind="missing", audience="health", recipient=CENTRE)
    assert send(ledger, home, office.port) == OutboxCounts(ready=1)
    message = listed(ledger)[CENTRE]
    assert (message["problem"], message["attempts"]) == ("deferred", 1)
    assert message["retry_at"] == NOW + timedelta(minutes=5)

    assert send(ledger, home, office.port, NOW + timedelta(minutes=4)).ready == 1
    assert listed(ledger)[CENTRE]["attempts"] == 1, "it was not tried before its time"
    assert send(ledger, home, office.port, NOW + timedelta(minutes=5)) == OutboxCounts(sent=1)
    message = listed(ledger)[CENTRE]
    assert (message["state"], message["problem"], message["retry_at"]) == ("sent", None, None)
    assert len(arrived(office)) == 1


def test_an_officer_need_not_wait(ledger: Store, home: Home, office: PostOffice) -> None:
    office.trouble.greylists = True
    write(ledger, home)
    send(ledger, home, office.port)
    assert send(ledger, home, office.port, waiting=True).sent == 1


def test_a_server_that_is_away_costs_one_wait_a_round(
    ledger: Store, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    real = outbox.send_message
    monkeypatch.setattr(
        outbox, "send_message", lambda *given, **more: (tried.append(given), real(*given, **more))
    )
    for recipient in VILLAGES:
        write(ledger, home, recipient=recipient)
    assert send(ledger, home, 1) == OutboxCounts(ready=2)
    assert len(tried) == 1


def test_a_server_that_loses_an_answer_is_not_given_the_other_messages(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    office.trouble.hangs_up = True
    for recipient in VILLAGES:
        write(ledger, home, recipient=recipient)
    assert send(ledger, home, office.port) == OutboxCounts(ready=1, unknown=1)
    office.trouble.hangs_up = False
    assert send(ledger, home, office.port) == OutboxCounts(sent=1, unknown=1)


def test_a_refused_recipient_fails_at_once_and_stops_nobody(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    office.trouble.refuses = {VILLAGES[0]}
    for recipient in VILLAGES:
        write(ledger, home, recipient=recipient)
    assert send(ledger, home, office.port) == OutboxCounts(sent=1, failed=1)
    message = listed(ledger)[VILLAGES[0]]
    assert (message["state"], message["problem"]) == ("failed", "recipient_refused")
    assert message["retry_at"] is None
    assert send(ledger, home, office.port, NOW + timedelta(days=1)).failed == 1
    assert listed(ledger)[VILLAGES[0]]["attempts"] == 1


def test_a_server_that_stays_away_is_given_up_and_can_be_asked_anew(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    write(ledger, home, kind="missing", audience="health", recipient=CENTRE)
    now = NOW
    while send(ledger, home, 1, now).ready:
        now = listed(ledger)[CENTRE]["retry_at"]
        assert now - NOW < timedelta(days=5)
    message = listed(ledger)[CENTRE]
    assert (message["state"], message["problem"]) == ("failed", "unreachable")
    assert now - NOW >= timedelta(days=3)

    retry_failed(ledger, "autumn-2025", by="officer", now=now)
    assert send(ledger, home, 1, now).ready == 1, "its patience begins anew"
    assert listed(ledger)[CENTRE]["retry_at"] == now + timedelta(minutes=5)
    retried = listed(ledger)[CENTRE]
    assert (retried["decision"], retried["decided_by"]) == ("send_again", "officer")
    assert send(ledger, home, office.port, now, waiting=True).sent == 1
    (arrived_message,) = arrived(office)
    assert arrived_message["References"] is None, "it was never taken, so it is the first"


# What is stuck


def stuck(ledger: Store, home: Home, office: PostOffice) -> str:
    """Have a message arrive whose answer is lost, and return its id."""
    write(ledger, home, kind="missing", audience="health", recipient=CENTRE)
    office.trouble.hangs_up = True
    assert send(ledger, home, office.port) == OutboxCounts(unknown=1)
    office.trouble.hangs_up = False
    message = listed(ledger)[CENTRE]
    assert message["problem"] == "answer_lost"
    return str(message["id"])


def test_a_lost_answer_is_never_followed_by_another_message(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    stuck(ledger, home, office)
    for days in range(5):
        now = NOW + timedelta(days=days)
        assert send(ledger, home, office.port, now, waiting=True) == OutboxCounts(unknown=1)
    retry_failed(ledger, "autumn-2025", by="officer", now=NOW)
    assert send(ledger, home, office.port, waiting=True) == OutboxCounts(unknown=1)
    assert len(arrived(office)) == 1


def test_an_officer_says_that_it_arrived(ledger: Store, home: Home, office: PostOffice) -> None:
    beginning = stuck(ledger, home, office)[:8]
    resolve(ledger, beginning, "arrived", by="officer", reason="telephoned", now=NOW)
    message = listed(ledger)[CENTRE]
    assert (message["state"], message["problem"]) == ("sent", None)
    assert (message["decision"], message["decided_by"], message["reason"]) == (
        "arrived",
        "officer",
        "telephoned",
    )
    assert message["decided_at"] == NOW
    assert send(ledger, home, office.port, waiting=True) == OutboxCounts(sent=1)
    assert len(arrived(office)) == 1
    with pytest.raises(WrongCommand) as refused:
        resolve(ledger, beginning, "send_again", by="officer", reason="other", now=NOW)
    assert refused.value.key == "outbox.not_stuck"


def test_what_is_sent_again_has_an_id_of_its_own_that_names_the_first(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    whole = stuck(ledger, home, office)
    resolve(ledger, whole, "send_again", by="officer", reason="telephoned", now=NOW)
    assert send(ledger, home, office.port) == OutboxCounts(sent=1)
    first, again = arrived(office)
    assert first["Message-ID"] == f"<{whole}@campaign.invalid>"
    assert again["Message-ID"] == f"<{whole}.1@campaign.invalid>"
    assert again["References"] == first["Message-ID"]


@pytest.mark.parametrize(
    "wrong", [{"by": " "}, {"reason": " "}, {"reason": "张三的家人说没有收到"}]
)
def test_a_decision_needs_a_name_and_a_reason_that_names_nobody(
    ledger: Store, home: Home, office: PostOffice, wrong: dict[str, str]
) -> None:
    whole = stuck(ledger, home, office)
    given = {"by": "officer", "reason": "telephoned"} | wrong
    with pytest.raises(WrongCommand) as refused:
        resolve(ledger, whole, "arrived", now=NOW, **given)
    assert refused.value.key == "outbox.who_and_why"


def test_a_message_is_named_by_the_beginning_of_its_id_and_by_nothing_else(
    ledger: Store, home: Home
) -> None:
    for number in range(20):
        write(ledger, home, number=DAY - number)
    ids = [message["id"] for message in list_messages(ledger)]
    for whole in ids:
        assert read_message(ledger, home, whole[:12])[0].message_id.startswith(f"<{whole}")
    doubled = next(each[0] for each in ids if sum(one[0] == each[0] for one in ids) > 1)
    for beginning, key in (
        (doubled, "outbox.ambiguous"),
        ("x", "outbox.no_such"),
        ("", "outbox.no_such"),
        ("%", "outbox.no_such"),
    ):
        with pytest.raises(WrongCommand) as refused:
            read_message(ledger, home, beginning)
        assert refused.value.key == key


# Two senders, and one that is killed


def test_a_second_sender_cannot_open_the_outbox(home: Home, tmp_path: Path) -> None:
    waits = "import sys\nfrom tasks.home import Home\nfrom tasks.ledger import open_ledger\n"
    waits += "with open_ledger(Home(__import__('pathlib').Path(sys.argv[1])), 'write'):\n"
    waits += "    print('open', flush=True)\n    sys.stdin.read()\n"
    with subprocess.Popen(
        [sys.executable, "-c", waits, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(StoreBusy), open_ledger(home, "write"):
            pytest.fail("two processes would send the same message")
        first.communicate("")
    with open_ledger(home, "write"):
        pass


SENDER = """
import sys
from datetime import datetime
from pathlib import Path
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.mail import MailSettings
from tasks import outbox
from test_outbox import plan

outbox.load_plan = lambda _: plan()
home, port = Home(Path(sys.argv[1])), int(sys.argv[2])
to = MailSettings(
    host="127.0.0.1", port=port, sender="campaign@township.example", security="none", timeout=30
)
now = datetime.fromisoformat(sys.argv[3])
with open_ledger(home, "write") as store:
    outbox.send_ready(store, home, to, gate=lambda *_: None, now=now)
"""


def test_a_sender_killed_between_handing_over_and_noting_it_sends_nothing_twice(
    home: Home, office: PostOffice
) -> None:
    with open_ledger(home, "write") as ledger:
        for recipient in (CENTRE, *OFFICES):
            audience = "health" if recipient == CENTRE else "office"
            write(ledger, home, kind="decision", audience=audience, recipient=recipient)

    sender: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        """The server has the message and has not said so yet."""
        if len(list(office.folder.glob("*.eml"))) == 2:
            os.kill(sender[0].pid, signal.SIGKILL)
            sender[0].wait()

    office.trouble.when_kept = kill
    root = Path(__file__).parents[1]
    sender.append(
        subprocess.Popen(
            [sys.executable, "-c", SENDER, str(home.root), str(office.port), NOW.isoformat()],
            env=os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"},
        )
    )
    assert sender[0].wait(timeout=120) == -signal.SIGKILL
    office.trouble.when_kept = None
    first = [message["To"] for message in arrived(office)]
    assert len(first) == 2

    with open_ledger(home) as ledger:
        states = {each: message["state"] for each, message in listed(ledger).items()}
        assert sorted(states.values()) == ["ready", "sent", "unknown"]
        assert states[first[0]] == "sent"
        assert states[first[1]] == "unknown", "as soon as somebody looks"
        assert listed(ledger)[first[1]]["problem"] == "interrupted"

    with open_ledger(home, "write") as ledger:
        for _ in range(2):
            assert send(ledger, home, office.port) == OutboxCounts(sent=2, unknown=1)
        every = [message["To"] for message in arrived(office)]
        assert sorted(every) == sorted([CENTRE, *OFFICES]), "each once"
        whole = listed(ledger)[first[1]]["id"]
        resolve(ledger, whole, "arrived", by="officer", reason="telephoned", now=NOW)
        assert send(ledger, home, office.port) == OutboxCounts(sent=3)
    assert len(arrived(office)) == 3


def test_a_message_that_is_being_handed_over_can_be_settled_after_a_crash(
    ledger: Store, home: Home, office: PostOffice
) -> None:
    write(ledger, home, kind="missing", audience="health", recipient=CENTRE)
    ledger.connection.execute("UPDATE ledger.out_message SET state = 'sending'")
    whole = listed(ledger)[CENTRE]["id"]
    resolve(ledger, whole, "send_again", by="officer", reason="telephoned", now=NOW)
    assert send(ledger, home, office.port) == OutboxCounts(sent=1)
