"""A real mail server on this machine's loopback: it keeps what arrives and passes nothing on.

For the demonstration and the tests, where no message may go anywhere.
"""

import re
from asyncio import Server
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tasks.home import private_folder, write_whole

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class PostOffice:
    """A running server: where it listens and where it puts what arrives."""

    host: str
    port: int
    folder: Path


@contextmanager
def open_post_office(folder: Path) -> Iterator[PostOffice]:
    """Run a mail server on a free loopback port; each message becomes `<n>-<recipient>.eml` (0600).

    `n` counts on from the messages that are there; `recipient` is the part of the address before
    the @.
    """
    private_folder(folder)
    server = _Server(_Keeper(folder), hostname=LOOPBACK, port=0, server_hostname="localhost")
    server.start()
    try:
        yield PostOffice(LOOPBACK, server.port, folder)
    finally:
        server.stop()


class _Server(Controller):
    def _trigger_server(self) -> None:
        # Port 0 is whatever was free; the server's first visitor must know which one that was.
        if isinstance(self.server, Server):
            self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # aiosmtpd's own


class _Keeper:
    """Writes each message down, one file a recipient."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content: Any = envelope.content
        for recipient in envelope.rcpt_tos:
            local_part = re.sub(r"[^A-Za-z0-9._-]", "_", recipient.partition("@")[0]) or "_"
            write_whole(self._folder / f"{self._next()}-{local_part}.eml", content)
        return "250 OK"

    def _next(self) -> int:
        taken = (path.name.partition("-")[0] for path in self._folder.glob("*-*.eml"))
        return 1 + max((int(number) for number in taken if number.isdigit()), default=0)
