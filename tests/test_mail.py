"""Mail over a real SMTP server on loopback, and over servers that misbehave."""

import email
import email.policy
import os
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from released_rows import make_ledger, number, release, release_sweep, township
from reports import gate as gate_module
from reports.gate import let_pass, mail_gate, notice_gate, read_allowed
from reports.write import report_path, write_report
from tasks import outbox
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.mail import MailFailed, MailSettings, mail_settings, send_message
from tasks.messages import retry_failed
from tasks.outbox import (
    AUDIENCES,
    Gate,
    OutboxCounts,
    outbox_counts,
    send_ready,
    write_drafts,
    write_notice,
)
from tasks.plan import Plan, copy_plan, load_plan
from tasks.post_office import PostOffice, open_post_office
from tasks.rules.errors import DisclosureRisk, Exit, WrongCommand
from tasks.rules.known_names import NameList
from tasks.rules.wording import LANGUAGES, keys, say
from tasks.store import Store

NOW = datetime(2025, 11, 1, 9, 0)
TO = "leader@example.test"
MESSAGE_ID = "<0123@campaign.invalid>"
NOBODY = NameList(bytes(32), frozenset(), frozenset())
PROBLEMS = {key.removeprefix("mail.problem.") for key in keys("mail.problem.")}


def settings(port: int, **changes: object) -> MailSettings:
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "sender": "campaign@township.example",
        "security": "none",
        "timeout": 2,
    }
    return MailSettings(**(given | changes))


def send(to: MailSettings, recipient: str = TO, html: str = "<p>中文</p>") -> None:
    send_message(to, recipient, "排查走访", html, "正文\n第二行", MESSAGE_ID)


def failure(to: MailSettings, recipient: str = TO) -> MailFailed:
    with pytest.raises(MailFailed) as failed:
        send(to, recipient)
    assert failed.value.kind in PROBLEMS
    assert recipient not in str(failed.value)
    return failed.value


@pytest.fixture
def post_office(tmp_path: Path) -> Iterator[PostOffice]:
    with open_post_office(tmp_path / "mail") as office:
        yield office


def arrived(office: PostOffice) -> dict[str, EmailMessage]:
    """Return what arrived, by the name of its file."""
    found = {}
    for path in sorted(office.folder.glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        found[path.name] = message
    return found


def parts(message: EmailMessage) -> dict[str, str]:
    """Return the message's texts by type; line ends are those of mail."""
    return {
        part.get_content_type(): part.get_content().replace("\r\n", "\n")
        for part in message.walk()
        if part.get_content_maintype() == "text"
    }


def test_a_message_arrives_with_both_parts_unchanged(post_office: PostOffice) -> None:
    send(settings(post_office.port), html="<!DOCTYPE html><p>第 1 轮</p> <p>x</p>")

    [(name, message)] = arrived(post_office).items()
    assert name == "1-leader.eml"
    assert stat.S_IMODE((post_office.folder / name).stat().st_mode) == 0o600
    assert message["To"] == TO
    assert "campaign@township.example" in message["From"]
    assert message["Subject"] == "排查走访"
    assert message["Message-ID"] == MESSAGE_ID
    assert parts(message) == {
        "text/plain": "正文\n第二行",
        "text/html": "<!DOCTYPE html><p>第 1 轮</p> <p>x</p>",
    }
    assert not list(message.iter_attachments())


def test_a_text_that_names_a_file_attaches_nothing(post_office: PostOffice, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("not to leave", encoding="utf-8")
    send(settings(post_office.port), html=str(secret))
    [message] = arrived(post_office).values()
    assert parts(message)["text/html"] == str(secret)
    assert not list(message.iter_attachments())


def test_files_of_the_post_office_count_on(post_office: PostOffice) -> None:
    for recipient in ("a.b@example.test", "../c@example.test"):
        send(settings(post_office.port), recipient)
    assert list(arrived(post_office)) == ["1-a.b.eml", "2-.._c.eml"]


@contextmanager
def server(handler: object, **options: Any) -> Iterator[int]:
    """Run an aiosmtpd server with its own handler on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    running = Controller(handler, hostname="127.0.0.1", port=port, **options)
    running.start()
    try:
        yield port
    finally:
        running.stop()


class Refusing:
    """A server that knows one address only, and keeps what it took."""

    def __init__(self, unknown: str) -> None:
        self.unknown = unknown
        self.taken: list[str] = []

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self.unknown:
            return f"550 no such user {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.taken.extend(envelope.rcpt_tos)
        return "250 OK"


def test_a_refused_recipient_is_a_failure() -> None:
    handler = Refusing(TO)
    with server(handler) as port:
        assert failure(settings(port)).kind == "recipient_refused"
        send(settings(port), "other@example.test")
    assert handler.taken == ["other@example.test"]


@pytest.mark.parametrize("recipient", ["no address", "a@b, c@d", "名@example.test", "a@b\r\nRCPT"])
def test_what_is_no_single_address_is_not_tried(recipient: str) -> None:
    assert failure(settings(1), recipient).kind == "recipient_refused"


def test_a_dead_server_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lost = failure(settings(port))
    assert lost.kind == "unreachable"
    assert not lost.may_have_arrived


Answer = Callable[[str], str | None]
"""From the first word a client said to the server's answer; None hangs up."""


@contextmanager
def scripted(answer: Answer) -> Iterator[int]:
    """Run a server that answers by script, one connection at a time, until it is closed."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                try:
                    converse(stream)
                except OSError:
                    continue

    def converse(stream: Any) -> None:
        said: str | None = "CONNECT"
        body = False
        while said is not None:
            given = answer(said)
            if given is None:
                return
            if given:
                stream.write(given.encode() + b"\r\n")
                stream.flush()
            body = given.startswith("354")
            line = stream.readline()
            while body and line and line != b".\r\n":
                line = stream.readline()
            said = None if not line else ("BODY" if body else line.decode().split()[0].upper())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def script(**changes: str | None) -> Answer:
    """The answers of a server that takes everything, with `changes`."""
    answers: dict[str, str | None] = {
        "CONNECT": "220 here",
        "EHLO": "250 here",
        "MAIL": "250 OK",
        "RCPT": "250 OK",
        "DATA": "354 go on",
        "BODY": "250 OK",
        "QUIT": "221 bye",
        "RSET": "250 OK",
    }
    return lambda said: (answers | changes).get(said, "500 what")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"CONNECT": "554 no service"}, "unreachable"),
        ({"CONNECT": None}, "unreachable"),
        ({"MAIL": "550 not you"}, "sender_refused"),
        ({"MAIL": None}, "unreachable"),
        ({"RCPT": "450 later"}, "deferred"),
        ({"RCPT": None}, "unreachable"),
        ({"DATA": "554 no"}, "content_refused"),
        ({"BODY": "554 looks like spam"}, "content_refused"),
        ({"BODY": None}, "answer_lost"),
    ],
)
def test_each_way_to_fail_has_its_name(changes: dict[str, str | None], kind: str) -> None:
    with scripted(script(**changes)) as port:
        failed = failure(settings(port))
    assert failed.kind == kind
    assert failed.may_have_arrived is (kind == "answer_lost")


def test_an_answer_that_never_comes_after_the_message_leaves_it_open() -> None:
    with scripted(script(BODY="")) as port:
        assert failure(settings(port, timeout=0.3)).kind == "answer_lost"


def test_a_silent_server_is_given_up() -> None:
    with scripted(script(CONNECT="")) as port:
        assert failure(settings(port, timeout=0.3)).kind == "unreachable"


def test_a_farewell_that_fails_changes_nothing() -> None:
    with scripted(script(QUIT=None)) as port:
        send(settings(port))


def test_encryption_that_is_not_offered_is_not_done_without() -> None:
    with scripted(script()) as port:
        assert failure(settings(port, security="starttls")).kind == "insecure"


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's TLS context with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now().astimezone()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_certificate_nobody_vouches_for_is_refused(self_signed: ssl.SSLContext) -> None:
    handler = Refusing("")
    with server(handler, tls_context=self_signed) as port:
        assert failure(settings(port, security="starttls")).kind == "insecure"
    assert handler.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
def test_a_login_is_made_with_the_given_password_and_never_asked_for() -> None:
    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"township", b"right"), handled=False)

    handler = Refusing("")
    options = {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    with server(handler, **options) as port:
        right, wrong = (
            settings(port, user="township", password=word) for word in ("right", "wr0ng-secret")
        )
        send(right)
        failed = failure(wrong)
    assert failed.kind == "login"
    assert "wr0ng-secret" not in repr(wrong) + str(failed)
    assert handler.taken == [TO]


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CAMPAIGN_SMTP_")]:
        monkeypatch.delenv(name)
    assert mail_settings() is None
    monkeypatch.setenv("CAMPAIGN_SMTP_HOST", "mail.township.example")
    monkeypatch.setenv("CAMPAIGN_SMTP_SENDER", "campaign@township.example")
    found = mail_settings()
    assert found is not None
    assert (found.security, found.port, found.timeout) == ("starttls", 587, 30)


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("SECURITY", "none", "CAMPAIGN_SMTP_SECURITY"),
        ("SECURITY", "whatever", "CAMPAIGN_SMTP_SECURITY"),
        ("PASSWORD", "s3cret-value", "CAMPAIGN_SMTP_USER"),
        ("PORT", "99999", "CAMPAIGN_SMTP_PORT"),
        ("SENDER", "two@a.test, three@b.test", "CAMPAIGN_SMTP_SENDER"),
    ],
)
def test_wrong_settings_are_named_and_their_values_are_not(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    monkeypatch.setenv("CAMPAIGN_SMTP_HOST", "mail.township.example")
    monkeypatch.setenv("CAMPAIGN_SMTP_SENDER", "campaign@township.example")
    monkeypatch.setenv(f"CAMPAIGN_SMTP_{name}", value)
    with pytest.raises(WrongCommand) as wrong:
        mail_settings()
    assert named in wrong.value.values["names"]  # type: ignore[operator]
    assert value not in str(wrong.value.values)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with one released and written sweep, and the township's plan."""
    for module in (outbox, gate_module):
        monkeypatch.setattr(module, "load_plan", lambda _: township())
    home = make_ledger(tmp_path / "home")
    with open_ledger(home, "write") as store:
        release_sweep(store)
        write_report(store, home, township(), "sweep", 1, 1, "zh-CN", NOBODY)
    return home


@pytest.fixture
def ledger(home: Home) -> Iterator[Store]:
    with open_ledger(home, "write") as store:
        yield store


@pytest.fixture
def gate(ledger: Store, home: Home) -> Gate:
    return mail_gate(ledger, home)


SUBJECT = "2025年秋季社区精神卫生排查走访行动：排查走访 第 1 轮（第 1 版）"


def draft(ledger: Store, home: Home, revision: int = 1) -> None:
    write_drafts(
        ledger,
        home,
        township(),
        "sweep",
        1,
        revision,
        report=report_path(home, "autumn-2025", "sweep", 1, revision),
        subject=SUBJECT,
        now=NOW,
    )


def messages(ledger: Store) -> dict[str, tuple[str, str | None]]:
    """Return state and problem of revision 1's messages, by recipient."""
    rows = ledger.connection.execute(
        "SELECT recipient, state, problem FROM ledger.out_message WHERE revision = 1"
    ).fetchall()
    return {recipient: (state, problem) for recipient, state, problem in rows}


def test_every_recipient_gets_one_message_a_revision(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    for _ in range(2):
        draft(ledger, home)
        counts = send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
        assert (counts.sent, counts.draft, counts.failed) == (3, 0, 0)

    found = arrived(post_office)
    assert sorted(message["To"] for message in found.values()) == [
        "centre@example.test",
        "leader@example.test",
        "office@example.test",
    ]
    assert len({message["Message-ID"] for message in found.values()}) == 3
    page = report_path(home, "autumn-2025", "sweep", 1, 1)
    for message in found.values():
        assert message["Subject"] == SUBJECT
        content = parts(message)
        beside = page.read_text(encoding="utf-8").replace('.png"', '@campaign"')
        beside = beside.replace('src="', 'src="cid:')
        assert content["text/html"].split() == beside.split()
        assert "\n" not in content["text/html"]
        assert content["text/plain"] == page.with_suffix(".txt").read_text(encoding="utf-8")


def test_the_message_id_is_the_same_wherever_the_ledger_is(tmp_path: Path) -> None:
    ids = []
    for name in ("a", "b"):
        home = make_ledger(tmp_path / name)
        with open_ledger(home, "write") as store:
            draft(store, home)
            found = store.connection.execute("SELECT message_id FROM ledger.out_message")
            ids.append(found.fetchall())
    assert sorted(ids[0]) == sorted(ids[1])


def test_without_a_mail_server_messages_wait_as_drafts(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    draft(ledger, home)
    assert send_ready(ledger, home, None, gate=gate, now=NOW).draft == 3
    assert send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW).sent == 3


def test_one_refused_recipient_does_not_stop_the_others(
    home: Home, ledger: Store, gate: Gate
) -> None:
    draft(ledger, home)
    handler = Refusing("leader@example.test")
    with server(handler) as port:
        counts = send_ready(ledger, home, settings(port), gate=gate, now=NOW)
        assert (counts.sent, counts.failed) == (2, 1)
        assert messages(ledger)["leader@example.test"] == ("failed", "recipient_refused")

        handler.unknown = ""
        assert send_ready(ledger, home, settings(port), gate=gate, now=NOW).failed == 1
        retry_failed(ledger, "autumn-2025", by="officer", now=NOW)
        assert send_ready(ledger, home, settings(port), gate=gate, now=NOW).sent == 3
    assert handler.taken.count("office@example.test") == 1


def test_a_lost_answer_is_unknown_and_never_sent_again(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    draft(ledger, home)
    with scripted(script(BODY=None)) as port:
        assert send_ready(ledger, home, settings(port), gate=gate, now=NOW).unknown == 1
    (lost,) = [to for to, (state, _) in messages(ledger).items() if state == "unknown"]
    retry_failed(ledger, "autumn-2025", by="officer", now=NOW)
    draft(ledger, home)
    counts = send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    assert (counts.sent, counts.unknown) == (2, 1)
    reached = {message["To"] for message in arrived(post_office).values()}
    assert len(reached) == 2
    assert lost not in reached


def test_old_figures_that_wait_for_another_try_give_way_to_newer_ones(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    draft(ledger, home)
    post_office.trouble.greylists = True
    assert send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW).ready == 3
    release_sweep(ledger, revision=2)
    write_report(ledger, home, township(), "sweep", 1, 2, "zh-CN", NOBODY)
    write_drafts(
        ledger,
        home,
        township(),
        "sweep",
        1,
        2,
        report=report_path(home, "autumn-2025", "sweep", 1, 2),
        subject=SUBJECT.replace("第 1 版", "第 2 版"),
        now=NOW,
    )
    later = NOW + timedelta(days=1)
    assert send_ready(ledger, home, settings(post_office.port), gate=gate, now=later).sent == 3
    assert {"第 2 版" in message["Subject"] for message in arrived(post_office).values()} == {True}


def test_a_process_that_dies_while_sending_leaves_one_unknown(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """What no code catches."""

    def dies(*_: object, **__: object) -> None:
        raise Killed

    draft(ledger, home)
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "send_message", dies)
        with pytest.raises(Killed):
            send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    ledger.connection.close()

    with open_ledger(home, "write") as later:
        assert outbox_counts(later).sending == 1

        def check(*_: object) -> None:
            """The gate is not what this is about."""

        counts = send_ready(later, home, settings(post_office.port), gate=check, now=NOW)
        assert (counts.sent, counts.unknown, counts.sending) == (2, 1, 0)
        assert messages(later)["centre@example.test"] == ("unknown", "interrupted")
    assert sorted(arrived(post_office)) == ["1-leader.eml", "2-office.eml"]


def test_a_report_that_is_not_there_fails_without_a_connection(
    home: Home, ledger: Store, gate: Gate
) -> None:
    draft(ledger, home, revision=7)
    assert send_ready(ledger, home, settings(1), gate=gate, now=NOW).failed == 3


CHANGES = {
    "a number": ("html", "</h1>", "</h1><p>转介 3 人</p>"),
    "a name the gate could not know": ("html", "</h1>", "</h1><p>张三丰</p>"),
    "one space": ("txt", "\n", " \n"),
    "another line end": ("txt", "\n", "\r\n"),
    "no text": ("txt", "", "\udcff"),
}


@pytest.mark.parametrize(("kind", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_a_report_changed_after_release_is_stopped_and_nobody_is_mailed(
    home: Home,
    ledger: Store,
    gate: Gate,
    post_office: PostOffice,
    kind: str,
    before: str,
    after: str,
) -> None:
    draft(ledger, home)
    page = report_path(home, "autumn-2025", "sweep", 1, 1, kind)
    changed = page.read_bytes().decode().replace(before, after, 1)
    page.write_bytes(changed.encode("utf-8", "surrogateescape"))
    with pytest.raises(DisclosureRisk) as stopped:
        send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    assert stopped.value.key == "gate.changed"
    assert sorted(messages(ledger).values()) == [
        ("failed", "gate"),
        ("ready", None),
        ("ready", None),
    ]
    assert arrived(post_office) == {}


def test_the_phase_run_again_heals_a_changed_report(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    draft(ledger, home)
    page = report_path(home, "autumn-2025", "sweep", 1, 1)
    passed = page.read_bytes()
    page.write_bytes(passed + b" ")
    write_report(ledger, home, township(), "sweep", 1, 1, "zh-CN", NOBODY)
    assert page.read_bytes() == passed
    assert send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW).sent == 3


def test_a_subject_changed_after_release_is_stopped(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    draft(ledger, home)
    ledger.connection.execute("UPDATE ledger.out_message SET subject = subject || '！'")
    with pytest.raises(DisclosureRisk) as stopped:
        send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    assert stopped.value.values == {"kind": "subject"}
    assert arrived(post_office) == {}


def test_one_message_that_may_not_go_stops_those_before_it(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    draft(ledger, home)
    ledger.connection.execute(
        "UPDATE ledger.out_message SET subject = '别的' WHERE recipient LIKE 'office@%'"
    )
    with pytest.raises(DisclosureRisk):
        send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    assert arrived(post_office) == {}
    assert messages(ledger)["office@example.test"] == ("failed", "gate")
    assert send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW).sent == 2


def test_what_was_written_without_the_names_is_not_mailed(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    release_sweep(ledger, revision=2)
    write_report(ledger, home, township(), "sweep", 1, 2, "zh-CN")
    draft(ledger, home, revision=2)
    with pytest.raises(DisclosureRisk) as stopped:
        send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    assert stopped.value.key == "gate.changed"


def test_the_gate_for_mail_reads_plan_and_ledger_itself(tmp_path: Path) -> None:
    home = make_ledger(tmp_path / "home")
    source = Path(__file__).parents[1] / "data" / "campaigns" / "autumn-2025.toml"
    copy_plan(source, home.plan("autumn-2025").parent)
    plan = load_plan(home.plan("autumn-2025"))
    passed = {"txt": "约 45 人", "subject": "第 1 轮"}
    with open_ledger(home, "write") as store:
        release(store, "sweep", [number("referrals", "people", 45)], round=1)
        let_pass(store, passed, read_allowed(store, plan, "sweep", 1, 1), NOBODY)
        check = mail_gate(store, home)
        check("autumn-2025", "sweep", 1, 1, passed)
        with pytest.raises(DisclosureRisk):
            check("autumn-2025", "sweep", 1, 1, {"txt": "约 40 人"})
        store.connection.execute("UPDATE ledger.out_figure SET value = 40")
        with pytest.raises(DisclosureRisk) as stopped:
            mail_gate(store, home)("autumn-2025", "sweep", 1, 1, passed)
    assert stopped.value.key == "gate.unknown_people_number"


# What the health side alone gets


def tell(
    ledger: Store,
    home: Home,
    text: str = "到期清理已完成。",
    names: NameList = NOBODY,
    **other: Any,
) -> None:
    plan = township()
    given: dict[str, Any] = {"kind": "notice", "subject": "到期清理", "now": NOW} | other
    write_notice(ledger, plan, text=text, gate=notice_gate(ledger, home, plan, names), **given)


def told(ledger: Store) -> list[tuple[Any, ...]]:
    return ledger.connection.execute(
        "SELECT audience, recipient, state, revision FROM ledger.out_message"
        " WHERE kind = 'notice' ORDER BY revision, recipient"
    ).fetchall()


def test_a_notice_goes_to_the_health_side_alone(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    tell(ledger, home, "到期清理已完成。\n请查看 <结果>。")
    assert told(ledger) == [("health", "centre@example.test", "draft", 1)]

    counts = send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)

    assert counts == OutboxCounts(sent=1)
    [message] = arrived(post_office).values()
    assert (message["To"], message["Subject"]) == ("centre@example.test", "到期清理")
    assert parts(message) == {
        "text/plain": "到期清理已完成。\n请查看 <结果>。",
        "text/html": "<p>到期清理已完成。</p><p>请查看 &lt;结果&gt;。</p>",
    }


def test_a_notice_is_drafted_once_a_day(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    for _ in range(2):
        tell(ledger, home)
    later = NOW + timedelta(days=1)
    tell(ledger, home, now=later)  # the first still waits
    assert len(told(ledger)) == 1
    passed = "SELECT DISTINCT revision FROM ledger.out_part"
    assert ledger.connection.execute(passed).fetchall() == [(1,)], "nothing else was to go out"
    for _ in range(2):
        send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
        tell(ledger, home)
    assert len(told(ledger)) == 1
    tell(ledger, home, now=later)
    tell(ledger, home, "到期清理明天进行。", now=later)
    assert [row[2:] for row in told(ledger)] == [("sent", 1), ("draft", 2), ("draft", 3)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("清理了 3 人", "gate.unknown_people_number"),
        ("清理了 3 条", "gate.unknown_number"),
        ("请致电 13800138000", "gate.phone_number"),
        ("患者资料", "gate.label"),
    ],
)
def test_a_notice_holds_no_figure_and_nobody(
    home: Home, ledger: Store, text: str, rule: str
) -> None:
    for written in ({"text": text}, {"subject": text}):
        with pytest.raises(DisclosureRisk) as stopped:
            tell(ledger, home, **written)
        assert stopped.value.key == rule
    assert told(ledger) == []


OTHERS_GET_IT = sorted(kind for kind, audiences in AUDIENCES.items() if audiences != ("health",))


@pytest.mark.parametrize("kind", [*OTHERS_GET_IT, "letter"])
def test_nothing_that_others_may_get_is_drafted_as_a_notice(
    home: Home, ledger: Store, kind: str
) -> None:
    with pytest.raises(DisclosureRisk) as stopped:
        tell(ledger, home, kind=kind)
    assert (stopped.value.key, stopped.value.exit) == ("outbox.health_only", Exit.DISCLOSURE)
    assert told(ledger) == []


TAMPERED = {
    "another recipient": "recipient = 'office@example.test'",
    "another audience": "recipient = 'office@example.test', audience = 'office'",
    "an audience of its own": "audience = 'village'",
    "an unknown kind": "kind = 'letter'",
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_a_health_only_message_to_somebody_else_stops_all_mail(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice, change: str
) -> None:
    draft(ledger, home)
    tell(ledger, home)
    ledger.connection.execute(f"UPDATE ledger.out_message SET {change} WHERE kind = 'notice'")  # noqa: S608
    with pytest.raises(DisclosureRisk) as stopped:
        send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    assert (stopped.value.key, stopped.value.exit) == ("outbox.wrong_recipient", Exit.DISCLOSURE)
    assert "@" not in str(stopped.value)
    assert outbox_counts(ledger) == OutboxCounts(ready=3, failed=1)
    assert arrived(post_office) == {}


def test_a_notice_made_a_summary_is_stopped(
    home: Home, ledger: Store, gate: Gate, post_office: PostOffice
) -> None:
    tell(ledger, home)
    ledger.connection.execute(
        "UPDATE ledger.out_message SET kind = 'summary', audience = 'office',"
        " recipient = 'office@example.test', phase = 'sweep', round = 1"
    )
    with pytest.raises(DisclosureRisk) as stopped:
        send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    assert stopped.value.key == "gate.changed"
    assert arrived(post_office) == {}


def test_who_left_the_plan_is_sent_nothing_more(
    home: Home,
    ledger: Store,
    gate: Gate,
    post_office: PostOffice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shorter(_: Path) -> Plan:
        left = township().recipients.model_copy(update={"office": ("office@example.test",)})
        return township().model_copy(update={"recipients": left})

    draft(ledger, home)
    monkeypatch.setattr(outbox, "load_plan", shorter)
    with pytest.raises(DisclosureRisk):
        send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW)
    assert messages(ledger)["leader@example.test"] == ("failed", "recipient")
    assert send_ready(ledger, home, settings(post_office.port), gate=gate, now=NOW).sent == 2


def test_every_state_and_problem_can_be_said() -> None:
    states = {"draft", "ready", "sending", "sent", "failed", "unknown"}
    assert {key.removeprefix("mail.state.") for key in keys("mail.state.")} == states
    for language in LANGUAGES:
        assert all(say(f"mail.problem.{kind}", language) for kind in PROBLEMS)
