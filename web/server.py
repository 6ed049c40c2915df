"""Serving the intake page: on one address, encrypted unless that is loopback, without a log."""

import ipaddress
import logging
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from tasks.rules.errors import WrongCommand
from web.address import checked_address, is_loopback
from web.app import IntakePage

MOST_CONNECTIONS = 64
BACKLOG = 64
GRACE_SECONDS = 10
"""How long a request that is being answered may take once the page is stopped."""


@dataclass(frozen=True)
class Certificate:
    """A TLS certificate and its key, as PEM files."""

    chain: Path
    key: Path


def certificate_of(host: str, chain: Path | None, key: Path | None) -> Certificate | None:
    """Return the certificate to serve with, or None on loopback without one.

    Raises WrongCommand where the page would be open to others unencrypted, and for a certificate
    that cannot be used or whose key others can read.
    """
    if (chain is None) != (key is None):
        raise WrongCommand("web.certificate_pair")
    if chain is None or key is None:
        if not is_loopback(host):
            raise WrongCommand("web.tls_needed", host=host)
        return None
    try:
        if os.name == "posix" and key.stat().st_mode & 0o007:
            raise WrongCommand("web.certificate_key_open", file=key)
        # a passphrase would be asked for at the terminal
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")
    except OSError:  # ssl.SSLError is one
        raise WrongCommand("web.certificate", certificate=chain, file=key) from None
    return Certificate(chain, key)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes a free one. Raises WrongCommand."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError):
        raise WrongCommand("web.port", host=host, port=port) from None


def address_of(given: str | None, listening: socket.socket, *, secure: bool) -> str:
    """Return the address that villages open: the one given, else where the socket listens.

    Raises WrongCommand for one that names no host, has a path, or is not encrypted on its way.
    """
    if given is not None:
        return checked_address(given)
    host, port = listening.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        raise WrongCommand("web.address_needed", host=host)
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{name}:{port}"


def server_of(page: IntakePage, certificate: Certificate | None) -> uvicorn.Server:
    """Return the server; its `run(sockets=[…])` ends on SIGINT or SIGTERM."""
    # A line a request would hold the links' secrets, and an error's traceback a cell.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logging.getLogger(name).disabled = True
    return uvicorn.Server(
        uvicorn.Config(
            page,
            access_log=False,
            log_config=None,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            server_header=False,
            proxy_headers=False,  # anybody can write an address into a header
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_certfile=certificate.chain if certificate else None,
            ssl_keyfile=certificate.key if certificate else None,
        )
    )
