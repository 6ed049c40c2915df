"""A real mail server on this machine's loopback: it keeps what arrives and passes nothing on.

For the demonstration and the tests, where no message may go anywhere. It can be told to behave as
real servers do on their bad days.
"""

import asyncio
import re
import ssl
from asyncio import Server
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tasks.home import private_folder, write_whole

LOOPBACK = "127.0.0.1"
TAKEN = "250 OK"


@dataclass
class Trouble:
    """How a post office misbehaves; may be changed while it runs."""

    greylists: bool = False
    """Asks whoever writes to a recipient for the first time to come again (RFC 6647)."""
    refuses: set[str] = field(default_factory=set)
    """Recipients it does not know."""
    answers: dict[Literal["MAIL", "RCPT", "DATA"], str] = field(default_factory=dict)
    """What it answers to a command instead; to DATA, once it has the message."""
    hangs_up: bool = False
    """Keeps a message, and closes the connection before it says so."""
    seconds: float = 0
    """How long it thinks about a message that it has kept before it answers."""
    when_kept: Callable[[], None] | None = None
    """Called once a message was kept, before the answer."""


@dataclass(frozen=True)
class PostOffice:
    """A running server: where it listens and where it puts what arrives."""

    host: str
    port: int
    folder: Path
    trouble: Trouble


@contextmanager
def open_post_office(
    folder: Path,
    *,
    most_bytes: int | None = None,
    certificate: ssl.SSLContext | None = None,
    security: Literal["none", "starttls", "tls"] = "none",
) -> Iterator[PostOffice]:
    """Run a mail server on a free loopback port; each message becomes `<n>-<recipient>.eml` (0600).

    `n` counts on from the messages that are there; `recipient` is the part of the address before
    the @. `most_bytes` is the size of message it says it takes; with a `certificate` it speaks TLS
    from the start or once it was asked to.
    """
    private_folder(folder)
    trouble = Trouble()
    options: dict[str, Any] = {} if most_bytes is None else {"data_size_limit": most_bytes}
    if security == "tls":
        options["ssl_context"] = certificate
    if security == "starttls":
        options |= {"tls_context": certificate, "require_starttls": True}
    keeper = _Keeper(folder, trouble)
    server = _Server(keeper, hostname=LOOPBACK, port=0, server_hostname="localhost", **options)
    server.start()
    try:
        yield PostOffice(LOOPBACK, server.port, folder, trouble)
    finally:
        server.stop()


class _Server(Controller):
    def _trigger_server(self) -> None:
        # Port 0 is whatever was free; the server's first visitor must know which one that was.
        if isinstance(self.server, Server):
            self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # aiosmtpd's own


class _Keeper:
    """Writes each message down, one file a recipient; its methods are called by aiosmtpd."""

    def __init__(self, folder: Path, trouble: Trouble) -> None:
        self._folder = folder
        self._trouble = trouble
        self._met: set[str] = set()

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._trouble.answers.get("MAIL", TAKEN)
        if answer == TAKEN:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        is_new = address not in self._met
        self._met.add(address)
        if address in self._trouble.refuses:
            return f"550 5.1.1 no such user {address}"
        if self._trouble.greylists and is_new:
            return "450 4.7.1 come again later"
        answer = self._trouble.answers.get("RCPT", TAKEN)
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self._trouble.answers.get("DATA", TAKEN)
        if answer != TAKEN:
            return answer
        content: Any = envelope.content
        for recipient in envelope.rcpt_tos:
            local_part = re.sub(r"[^A-Za-z0-9._-]", "_", recipient.partition("@")[0]) or "_"
            write_whole(self._folder / f"{self._next()}-{local_part}.eml", content)
        if self._trouble.when_kept is not None:
            self._trouble.when_kept()
        await asyncio.sleep(self._trouble.seconds)
        if self._trouble.hangs_up and server.transport is not None:
            server.transport.close()
        return answer

    def _next(self) -> int:
        taken = (path.name.partition("-")[0] for path in self._folder.glob("*-*.eml"))
        return 1 + max((int(number) for number in taken if number.isdigit()), default=0)
