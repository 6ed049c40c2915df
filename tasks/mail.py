"""Handing one message to a mail server. The only module that imports yagmail.

yagmail decides much by itself (docs/decisions.md); all of it is decided here instead:
- it attaches a file whose name the text happens to be, turns newlines into <br> and puts the HTML's
  source into the plain-text part: both bodies are put in by us, exactly as the gate saw them;
- it asks at the terminal for a missing password, and takes a user without @ for a Gmail address:
  it is never told a user or a password to log in with, we log in;
- it trusts any certificate, waits for ever, sends up to three times and answers False: we bring a
  checking TLS context and a timeout, hand over once, and read the server's answer.
"""

import os
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from email.mime.image import MIMEImage
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal, Self

import yagmail
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.keyring_entry import KeyringEntry
from tasks.rules.errors import CampaignError, WrongCommand

KEYRING_SERVICE = "campaign mail"
"""Under this name the keyring keeps passwords of mail servers; the account is user@server."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


class MailSettings(BaseSettings):
    """How to reach the mail server; from the environment, CAMPAIGN_SMTP_HOST and so on."""

    model_config = SettingsConfigDict(
        env_prefix="CAMPAIGN_SMTP_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    sender: str
    user: str | None = None
    """Whom to log in as; None where the server asks for no login."""
    password: SecretStr | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` sends in the clear, so it is for a server on this machine only."""
    ca: Path | None = None
    """A PEM file with the only authorities to trust; None: those that the system trusts."""
    timeout: float = Field(default=30, gt=0, le=300)
    """Seconds to wait for any one answer."""

    @field_validator("sender")
    @classmethod
    def _one_address(cls, value: str) -> str:
        if not is_address(value):
            raise ValueError("not one mail address")
        return value

    @field_validator("ca")
    @classmethod
    def _authorities(cls, value: Path | None) -> Path | None:
        try:
            ssl.create_default_context(cafile=value)
        except OSError:  # not there, or no certificates in it
            raise ValueError("no file of certificates") from None
        return value

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.security == "none" and self.host not in LOOPBACK:
            raise ValueError("security")
        if (self.user is None) is not (self.password is None):
            raise ValueError("user, password")
        return self


class MailFailed(CampaignError):
    """A message was not taken by the mail server, or nobody knows whether it was.

    `kind` is the last part of a wording key `mail.problem.<kind>`; it holds no address and none of
    the server's words, which may quote the message.
    """

    def __init__(self, kind: str) -> None:
        """Take the kind of failure."""
        self.kind = kind
        super().__init__(f"mail.problem.{kind}")

    @property
    def may_have_arrived(self) -> bool:
        """Whether the server may have taken the message all the same: never send it again then."""
        return self.kind == "answer_lost"

    @property
    def is_of_the_server(self) -> bool:
        """Whether the message is not what it is about: every other one would fail alike, now."""
        return self.kind in {"unreachable", "insecure", "login"}

    @property
    def may_pass(self) -> bool:
        """Whether the same message may be taken later: the server is away, or asked to wait."""
        return self.is_of_the_server or self.kind == "deferred"


def mail_settings() -> MailSettings | None:
    """Return the settings of the environment; None where no CAMPAIGN_SMTP_HOST is set.

    A password that the environment leaves out is looked for in the system's keyring. Raises
    WrongCommand with the names, never the values, of settings that are wrong.
    """
    try:
        return MailSettings(**_kept_password())
    except ValidationError as error:
        wrong = [
            (str(part["loc"][0]) if part["loc"] else "security, user, password", part["type"])
            for part in error.errors(include_input=False, include_context=False)
        ]
    if ("host", "missing") in wrong:
        return None
    names = ", ".join(
        f"CAMPAIGN_SMTP_{name.strip().upper()}" for loc, _ in wrong for name in loc.split(",")
    )
    raise WrongCommand("error.mail_settings", names=names)


def password_entry() -> KeyringEntry:
    """Return where the keyring keeps the password of the user that the environment names.

    Raises WrongCommand where it names none.
    """
    host, user = (os.environ.get(f"CAMPAIGN_SMTP_{name}") for name in ("HOST", "USER"))
    if not host or not user:
        raise WrongCommand("mail.no_user")
    return KeyringEntry(f"{user}@{host}", KEYRING_SERVICE)


def check_server(settings: MailSettings) -> None:
    """Connect, make sure of the server's certificate, log in, and leave without a message.

    Raises MailFailed.
    """
    with _connected(_client(settings), settings):
        pass


def send_message(
    settings: MailSettings,
    to: str,
    subject: str,
    html: str,
    text: str,
    message_id: str,
    *,
    pictures: Mapping[str, bytes] | None = None,
    repeats: str | None = None,
) -> None:
    """Hand one message for one recipient to the mail server, once.

    `html` and `text` become its two parts unchanged; `pictures` are the PNGs that `html` shows, by
    the name of the file, of which its source is the `content_id`. `repeats` is the Message-ID of
    the message that this one says again. Raises MailFailed; after any kind but `answer_lost` the
    message has certainly not been taken.
    """
    if not is_address(to):
        raise MailFailed("recipient_refused")
    client = _client(settings)
    message = _compose(client, to, subject, html, text, message_id, repeats, pictures or {})
    with _connected(client, settings):
        _hand_over(client.smtp, settings.sender, to, message)


def is_address(text: str) -> bool:
    """Return whether `text` is one mail address that any server can take."""
    # ASCII only: an address in other letters needs SMTPUTF8, which few servers offer.
    return text.isascii() and _ADDRESS.fullmatch(text) is not None


def _kept_password() -> dict[str, Any]:
    """Return the password of the keyring, where a user is named and the environment has none.

    Raises WrongCommand where there is none either, or the keyring does not answer.
    """
    if "CAMPAIGN_SMTP_PASSWORD" in os.environ:
        return {}
    try:
        entry = password_entry()
    except WrongCommand:
        return {}  # nobody logs in
    try:
        password = entry.read()
    except WrongCommand as refused:
        raise WrongCommand("mail.no_keyring", kind=refused.values.get("kind", "-")) from None
    if password is None:
        raise WrongCommand("mail.no_password")
    return {"password": SecretStr(password)}


def _client(settings: MailSettings) -> yagmail.SMTP:
    options: dict[str, object] = {
        "timeout": settings.timeout,
        # The machine's own name is nobody's business, and looking it up may block.
        "local_hostname": settings.sender.rpartition("@")[2],
    }
    starttls: bool | dict[str, object] = False
    # it checks the certificate and the server's name in it
    if settings.security == "tls":
        options["context"] = ssl.create_default_context(cafile=settings.ca)
    if settings.security == "starttls":
        starttls = {"context": ssl.create_default_context(cafile=settings.ca)}
    client = yagmail.SMTP(
        user={settings.sender: settings.sender},
        password="",  # not None: yagmail would ask at the terminal
        host=settings.host,
        port=settings.port,
        smtp_ssl=settings.security == "tls",
        smtp_starttls=starttls,
        smtp_skip_login=True,
        soft_email_validation=False,  # it refuses addresses without a dot; ours are checked above
        **options,
    )
    client.set_logging(None)
    return client


@contextmanager
def _connected(client: yagmail.SMTP, settings: MailSettings) -> Iterator[None]:
    """Connect, log in, and close whatever happens."""
    try:
        _attempt(client.login, unsupported="insecure")
        if settings.user is not None and settings.password is not None:
            password = settings.password.get_secret_value()
            _attempt(lambda: client.smtp.login(settings.user, password), unsupported="login")
        yield
    finally:
        if client.smtp is not None:
            client.is_closed = True
            # The answer to the message has been read; how the farewell goes changes nothing.
            with suppress(smtplib.SMTPException, OSError):
                client.smtp.quit()
            client.smtp.close()


def _attempt(step: Callable[[], object], *, unsupported: str) -> None:
    """Run a step before the message is handed over; name its failure without the server's words.

    `unsupported`: what it is called that the server does not know the step.
    """
    try:
        step()
        return
    except ssl.SSLError:
        kind = "insecure"
    except smtplib.SMTPNotSupportedError:
        kind = unsupported
    except smtplib.SMTPAuthenticationError:
        kind = "login"
    except (smtplib.SMTPException, OSError):
        kind = "unreachable"
    raise MailFailed(kind)


@dataclass(frozen=True)
class _Answer:
    """A server's answer to one command (RFC 5321 section 4.2.1)."""

    code: int

    @property
    def takes(self) -> bool:
        return 200 <= self.code < 300

    def refusal(self, refused: str) -> MailFailed:
        """Return what an answer that does not take is called; `refused`: for ever."""
        if self.code == _CLOSING:
            return MailFailed("unreachable")
        if 400 <= self.code < 500:
            return MailFailed("deferred")
        if self.code == _TOO_BIG and refused != "recipient_refused":
            return MailFailed("too_big")
        return MailFailed(refused if 500 <= self.code < 600 else "unreachable")


_CLOSING = 421
_TOO_BIG = 552
"""To a recipient it says that his mailbox is full."""


def _compose(
    client: yagmail.SMTP,
    to: str,
    subject: str,
    html: str,
    text: str,
    message_id: str,
    repeats: str | None,
    pictures: Mapping[str, bytes],
) -> bytes:
    """Return the message as it goes over the line."""
    _, prepared = client.prepare_send(
        to=to,
        subject=subject,
        contents="-",
        prettify_html=False,
        message_id=message_id,
    )
    message = _of_two_parts(message_from_string(prepared))
    # no out-of-office answers to it (RFC 3834)
    message["Auto-Submitted"] = "auto-generated"
    if repeats is not None:
        message["References"] = repeats
    bodies = {"text/plain": text, "text/html": html}
    for part in message.walk():
        if part.get_content_type() in bodies:
            _put(part, bodies.pop(part.get_content_type()))
    _put_beside(message, pictures)
    for part in message.walk():
        if part is not message:
            del part["MIME-Version"]  # said once, by the message (RFC 2045)
    # not as_bytes: it folds a long subject anew, so that readers see a space before it
    return re.sub(r"\r?\n", "\r\n", message.as_string()).encode("ascii")


def _of_two_parts(prepared: Message) -> Message:
    """Return the message as the same thing said twice, in plain text and in HTML (RFC 2046).

    yagmail puts that inside another part, as if files were attached: mail programs show a paper
    clip for it. It also gives the sender's address as the sender's name.
    """
    (message,) = (
        part for part in prepared.walk() if part.get_content_type() == "multipart/alternative"
    )
    for name, value in prepared.items():
        if name.lower() not in {"content-type", "mime-version"}:
            message[name] = parseaddr(value)[1] if name.lower() == "from" else value
    return message


def content_id(file: str) -> str:
    """Return by what name a page shows a picture that comes with it (RFC 2392)."""
    return f"{file.removesuffix('.png')}@campaign"


def _put_beside(message: Message, pictures: Mapping[str, bytes]) -> None:
    """Put the pictures beside the HTML, in the part that yagmail makes for that (RFC 2387)."""
    (beside,) = (part for part in message.walk() if part.get_content_type() == "multipart/related")
    beside.set_param("type", "text/html")
    for file, pixels in pictures.items():
        picture = MIMEImage(pixels, "png")
        picture["Content-ID"] = f"<{content_id(file)}>"
        picture["Content-Disposition"] = f'inline; filename="{file}"'
        beside.attach(picture)


def _put(part: Message, body: str) -> None:
    del part["Content-Transfer-Encoding"]
    part.set_payload(body, "utf-8")


def _hand_over(smtp: smtplib.SMTP, sender: str, to: str, message: bytes) -> None:
    """Send the envelope and the message, and tell apart what certainly failed from what may not."""
    try:
        smtp.ehlo_or_helo_if_needed()
        # a server that says how much it takes refuses more before it is sent (RFC 1870)
        size = [f"SIZE={len(message)}"] if smtp.has_extn("size") else []
        answer = _Answer(smtp.mail(sender, size)[0])
        if not answer.takes:
            raise answer.refusal("sender_refused")
        answer = _Answer(smtp.rcpt(to)[0])
        if not answer.takes:
            raise answer.refusal("recipient_refused")
    except (smtplib.SMTPException, OSError):
        raise MailFailed("unreachable") from None
    try:
        code, _ = smtp.data(message)
    except smtplib.SMTPDataError as error:
        # the server did not want to hear the message
        answer = _Answer(error.smtp_code)
    except (smtplib.SMTPException, OSError):
        raise MailFailed("answer_lost") from None
    else:
        answer = _Answer(code)
        if answer.takes:
            return
        if not 400 <= code < 600:
            # what no standard knows says nothing about the message
            raise MailFailed("answer_lost")
    raise answer.refusal("content_refused")
