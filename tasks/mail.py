"""Handing one message to a mail server. The only module that imports yagmail.

yagmail decides much by itself (docs/decisions.md); all of it is decided here instead:
- it attaches a file whose name the text happens to be, turns newlines into <br> and puts the HTML's
  source into the plain-text part: both bodies are put in by us, exactly as the gate saw them;
- it asks at the terminal for a missing password, and takes a user without @ for a Gmail address:
  it is never told a user or a password to log in with, we log in;
- it trusts any certificate, waits for ever, sends up to three times and answers False: we bring a
  checking TLS context and a timeout, hand over once, and read the server's answer.
"""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_string
from email.message import Message
from typing import Literal, Self

import yagmail
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.rules.errors import CampaignError, WrongCommand

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
    timeout: float = Field(default=30, gt=0, le=300)
    """Seconds to wait for any one answer."""

    @field_validator("sender")
    @classmethod
    def _one_address(cls, value: str) -> str:
        if not _is_address(value):
            raise ValueError("not one mail address")
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


def mail_settings() -> MailSettings | None:
    """Return the settings of the environment; None where no CAMPAIGN_SMTP_HOST is set.

    Raises WrongCommand with the names, never the values, of settings that are wrong.
    """
    try:
        return MailSettings()  # type: ignore[call-arg] # its fields come from the environment
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


def send_message(
    settings: MailSettings, to: str, subject: str, html: str, text: str, message_id: str
) -> None:
    """Hand one message for one recipient to the mail server, once.

    `html` and `text` become its two parts unchanged. Raises MailFailed; after any kind but
    `answer_lost` the message has certainly not been taken.
    """
    if not _is_address(to):
        raise MailFailed("recipient_refused")
    client = _client(settings)
    message = _compose(client, to, subject, html, text, message_id)
    with _connected(client, settings):
        _hand_over(client.smtp, settings.sender, to, message)


def _is_address(text: str) -> bool:
    # ASCII only: an address in other letters needs SMTPUTF8, which few servers offer.
    return text.isascii() and _ADDRESS.fullmatch(text) is not None


def _client(settings: MailSettings) -> yagmail.SMTP:
    options: dict[str, object] = {
        "timeout": settings.timeout,
        # The machine's own name is nobody's business, and looking it up may block.
        "local_hostname": settings.sender.rpartition("@")[2],
    }
    starttls: bool | dict[str, object] = False
    if settings.security == "tls":
        options["context"] = ssl.create_default_context()
    if settings.security == "starttls":
        starttls = {"context": ssl.create_default_context()}
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
        _attempt(client.login, "unreachable")
        if settings.user is not None and settings.password is not None:
            password = settings.password.get_secret_value()
            _attempt(lambda: client.smtp.login(settings.user, password), "login")
        yield
    finally:
        if client.smtp is not None:
            client.is_closed = True
            # The answer to the message has been read; how the farewell goes changes nothing.
            with suppress(smtplib.SMTPException, OSError):
                client.smtp.quit()
            client.smtp.close()


def _attempt(step: Callable[[], object], kind: str) -> None:
    """Run a step before the message is handed over; name its failure without the server's words."""
    try:
        step()
        return
    except (ssl.SSLError, smtplib.SMTPNotSupportedError):
        kind = "insecure"
    except (smtplib.SMTPException, OSError):
        pass
    raise MailFailed(kind)


def _compose(
    client: yagmail.SMTP, to: str, subject: str, html: str, text: str, message_id: str
) -> str:
    _, prepared = client.prepare_send(
        to=to,
        subject=subject,
        contents="-",
        prettify_html=False,
        message_id=message_id,
    )
    message = message_from_string(prepared)
    bodies = {"text/plain": text, "text/html": html}
    for part in message.walk():
        if part.get_content_type() in bodies:
            _put(part, bodies.pop(part.get_content_type()))
    return message.as_string()


def _put(part: Message, body: str) -> None:
    del part["Content-Transfer-Encoding"]
    part.set_payload(body, "utf-8")


def _hand_over(smtp: smtplib.SMTP, sender: str, to: str, message: str) -> None:
    """Send the envelope and the message, and tell apart what certainly failed from what may not."""
    try:
        smtp.ehlo_or_helo_if_needed()
        sender_answer, _ = smtp.mail(sender)
        recipient_answer, _ = smtp.rcpt(to) if sender_answer == 250 else (0, b"")
    except (smtplib.SMTPException, OSError):
        raise MailFailed("unreachable") from None
    if sender_answer != 250:
        raise MailFailed("sender_refused")
    if recipient_answer not in {250, 251}:
        raise MailFailed("recipient_refused")
    try:
        answer, _ = smtp.data(message)
    except smtplib.SMTPDataError:
        raise MailFailed("content_refused") from None
    except (smtplib.SMTPException, OSError):
        raise MailFailed("answer_lost") from None
    if answer != 250:
        raise MailFailed("content_refused")
