"""Handing one message to a real mail server: encryption, certificates, passwords, bad days."""

import ipaddress
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import keyring
import keyring.errors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tasks.mail import (
    MailFailed,
    MailSettings,
    check_server,
    mail_settings,
    password_entry,
    send_message,
)
from tasks.post_office import PostOffice, open_post_office
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import keys

TO = "leader@example.test"
MESSAGE_ID = "<0123@campaign.invalid>"
PROBLEMS = {key.removeprefix("mail.problem.") for key in keys("mail.problem.")}


def settings(office: PostOffice, **changes: object) -> MailSettings:
    given: dict[str, Any] = {
        "host": office.host,
        "port": office.port,
        "sender": "campaign@township.example",
        "security": "none",
        "timeout": 5,
    }
    return MailSettings(**(given | changes))


def send(to: MailSettings, recipient: str = TO, text: str = "正文", **more: Any) -> None:
    send_message(to, recipient, "排查走访", "<p>中文</p>", text, MESSAGE_ID, **more)


def failure(to: MailSettings, **given: Any) -> MailFailed:
    with pytest.raises(MailFailed) as failed:
        send(to, **given)
    assert failed.value.kind in PROBLEMS
    return failed.value


def arrived(office: PostOffice) -> list[str]:
    return sorted(path.name for path in office.folder.glob("*.eml"))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    with open_post_office(tmp_path / "mail") as office:
        yield office


# Encryption


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own, and what it vouches for."""

    file: Path
    """Its certificate, PEM."""
    make_server: Callable[[str], ssl.SSLContext]
    """Makes the TLS context of a server with this name or address."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("tls")
    today = datetime.now().astimezone()
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the test's authority")])

    def signed(
        name: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: tuple[Any, bool]
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def make_server(host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            named = x509.DNSName(host)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        path = folder / f"{host}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed(name, key, (x509.SubjectAlternativeName([named]), False))
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    root = folder / "authority.pem"
    may_sign = x509.BasicConstraints(ca=True, path_length=None)
    root.write_bytes(signed(root_name, root_key, (may_sign, True)))
    return Authority(root, make_server)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_authority_is_named_is_trusted_and_no_other(
    tmp_path: Path, authority: Authority, security: Any
) -> None:
    certificate = authority.make_server("127.0.0.1")
    folder = tmp_path / "mail"
    with open_post_office(folder, certificate=certificate, security=security) as office:
        assert failure(settings(office, security=security)).kind == "insecure"
        assert arrived(office) == []
        send(settings(office, security=security, ca=authority.file))
        check_server(settings(office, security=security, ca=authority.file))
    assert arrived(office) == ["1-leader.eml"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_another_server_is_refused(
    tmp_path: Path, authority: Authority, security: Any
) -> None:
    certificate = authority.make_server("mail.elsewhere.example")
    folder = tmp_path / "mail"
    with open_post_office(folder, certificate=certificate, security=security) as office:
        named = settings(office, security=security, ca=authority.file)
        assert failure(named).kind == "insecure"
    assert arrived(office) == []


def test_a_server_that_offers_no_encryption_gets_nothing(office: PostOffice) -> None:
    assert failure(settings(office, security="starttls")).kind == "insecure"
    assert failure(settings(office, security="tls", timeout=2)).kind == "insecure"
    assert arrived(office) == []


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_file_without_certificates_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    environment(monkeypatch, CA=str(path))
    with pytest.raises(WrongCommand) as wrong:
        mail_settings()
    assert wrong.value.values == {"names": "CAMPAIGN_SMTP_CA"}


# Passwords


Ring = dict[tuple[str, ...], str]
"""(service, account) -> secret."""


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    """A keyring that forgets with the test."""
    kept: Ring = {}
    monkeypatch.setattr(keyring, "get_password", lambda *entry: kept.get(entry))
    monkeypatch.setattr(keyring, "set_password", lambda *entry: kept.update({entry[:2]: entry[2]}))
    return kept


def environment(monkeypatch: pytest.MonkeyPatch, **given: str) -> None:
    wanted = {"HOST": "mail.township.example", "SENDER": "campaign@township.example"} | given
    for name in ("USER", "PASSWORD", "CA", "SECURITY", "PORT", "TIMEOUT"):
        monkeypatch.delenv(f"CAMPAIGN_SMTP_{name}", raising=False)
    for name, value in wanted.items():
        monkeypatch.setenv(f"CAMPAIGN_SMTP_{name}", value)


def test_the_password_comes_from_the_keyring(monkeypatch: pytest.MonkeyPatch, ring: Ring) -> None:
    environment(monkeypatch, USER="township")
    password_entry().write("from-the-ring")
    assert list(ring) == [("campaign mail", "township@mail.township.example")]
    found = mail_settings()
    assert found is not None
    assert found.password is not None
    assert found.password.get_secret_value() == "from-the-ring"
    assert "from-the-ring" not in repr(found)


def test_a_password_of_the_environment_asks_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, USER="township", PASSWORD="from-the-environment")  # noqa: S106
    monkeypatch.setattr(keyring, "get_password", lambda *_: pytest.fail("asked"))
    found = mail_settings()
    assert found is not None
    assert found.password is not None
    assert found.password.get_secret_value() == "from-the-environment"


def test_a_server_without_login_asks_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    monkeypatch.setattr(keyring, "get_password", lambda *_: pytest.fail("asked"))
    assert mail_settings() is not None


def test_a_missing_password_is_said(monkeypatch: pytest.MonkeyPatch, ring: Ring) -> None:
    environment(monkeypatch, USER="township")
    with pytest.raises(WrongCommand) as missing:
        mail_settings()
    assert missing.value.key == "mail.no_password"

    def locked_ring(*_: str) -> str:
        raise keyring.errors.KeyringLocked

    monkeypatch.setattr(keyring, "get_password", locked_ring)
    with pytest.raises(WrongCommand) as locked:
        mail_settings()
    assert locked.value.key == "mail.no_keyring"


# Bad days


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"MAIL": "451 4.3.0 busy"}, "deferred"),
        ({"MAIL": "421 closing"}, "unreachable"),
        ({"MAIL": "550 5.7.1 not you"}, "sender_refused"),
        ({"MAIL": "552 5.3.4 too big"}, "too_big"),
        ({"RCPT": "452 4.2.2 full for now"}, "deferred"),
        ({"RCPT": "552 5.2.2 mailbox full"}, "recipient_refused"),
        ({"RCPT": "550 5.1.1 unknown"}, "recipient_refused"),
        ({"DATA": "451 4.7.1 come again"}, "deferred"),
        ({"DATA": "552 5.3.4 too big"}, "too_big"),
        ({"DATA": "554 5.7.1 looks like spam"}, "content_refused"),
    ],
)
def test_what_a_server_answers_says_whether_to_come_again(
    office: PostOffice, answers: Any, kind: str
) -> None:
    office.trouble.answers = answers
    failed = failure(settings(office))
    assert failed.kind == kind
    assert failed.may_pass is (kind in {"deferred", "unreachable"})
    assert not failed.may_have_arrived
    assert arrived(office) == []


def test_grey_listing_passes(office: PostOffice) -> None:
    office.trouble.greylists = True
    assert failure(settings(office)).kind == "deferred"
    send(settings(office))
    assert arrived(office) == ["1-leader.eml"]


def test_one_refused_recipient_says_nothing_about_another(office: PostOffice) -> None:
    office.trouble.refuses = {TO}
    failed = failure(settings(office))
    assert (failed.kind, failed.is_of_the_server) == ("recipient_refused", False)
    send(settings(office), "other@example.test")
    assert arrived(office) == ["1-other.eml"]


def test_a_message_larger_than_the_server_takes_is_not_sent(tmp_path: Path) -> None:
    with open_post_office(tmp_path / "mail", most_bytes=2000) as office:
        assert failure(settings(office), text="很长" * 1000).kind == "too_big"
        send(settings(office))
    assert arrived(office) == ["1-leader.eml"]


def test_a_connection_that_breaks_after_the_message_leaves_it_open(office: PostOffice) -> None:
    office.trouble.hangs_up = True
    failed = failure(settings(office))
    assert (failed.kind, failed.may_have_arrived) == ("answer_lost", True)
    assert not failed.may_pass
    assert arrived(office) == ["1-leader.eml"], "and it did arrive"


def test_an_answer_that_takes_too_long_leaves_it_open(office: PostOffice) -> None:
    office.trouble.seconds = 1.0
    began = time.monotonic()
    assert failure(settings(office, timeout=0.3)).kind == "answer_lost"
    assert time.monotonic() - began < 1.0


def test_a_message_said_again_names_the_first(office: PostOffice) -> None:
    send(settings(office), repeats="<first@campaign.invalid>")
    (path,) = office.folder.glob("*.eml")
    message = message_from_bytes(path.read_bytes())
    assert message["Message-ID"] == MESSAGE_ID
    assert message["References"] == "<first@campaign.invalid>"


def test_a_server_is_looked_at_without_a_message(office: PostOffice) -> None:
    check_server(settings(office))
    assert arrived(office) == []
    with pytest.raises(MailFailed) as failed:
        check_server(settings(office, security="starttls"))
    assert failed.value.kind == "insecure"
