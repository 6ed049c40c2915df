"""A network in between, on loopback: it counts how often who asks has to wait for an answer.

What passes is counted and held up, not understood, so it does for PostgreSQL and for storage like
S3, encrypted or not. A connection is a turn; so is what a client sends after it was answered. Over
a network each of them costs a round trip.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Wire:
    """A way to a server, and what went over it."""

    port: int
    """Of loopback, where it lets in."""
    latency: float
    """Seconds that each turn is held up: a round trip."""
    turns: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self) -> None:
        """Count a turn, and hold it up."""
        with self._lock:
            self.turns += 1
        time.sleep(self.latency)


@contextmanager
def wire_to(host: str, port: int, latency: float) -> Iterator[Wire]:
    """Yield a way to a server that holds each turn up by `latency` seconds."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        wire = Wire(door.getsockname()[1], latency)
        threading.Thread(target=_let_in, args=(door, wire, (host, port)), daemon=True).start()
        yield wire


def _let_in(door: socket.socket, wire: Wire, server: tuple[str, int]) -> None:
    with suppress(OSError):  # the door was closed
        while True:
            client = door.accept()[0]
            threading.Thread(target=_connect, args=(client, wire, server), daemon=True).start()


def _connect(client: socket.socket, wire: Wire, server: tuple[str, int]) -> None:
    wire.turn()
    with client, suppress(OSError), socket.create_connection(server) as other:
        for end in (client, other):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answered = threading.Event()
        back = threading.Thread(target=_answer, args=(other, client, answered), daemon=True)
        back.start()
        first = True
        while sent := client.recv(65536):
            if first or answered.is_set():
                answered.clear()
                first = False
                wire.turn()
            other.sendall(sent)
        other.shutdown(socket.SHUT_WR)
        back.join()


def _answer(server: socket.socket, client: socket.socket, answered: threading.Event) -> None:
    with suppress(OSError):
        while told := server.recv(65536):
            answered.set()
            client.sendall(told)
        client.shutdown(socket.SHUT_WR)
