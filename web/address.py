"""The address that villages open: what links begin with, and what a request must name."""

import ipaddress
from urllib.parse import urlsplit

from tasks.rules.errors import WrongCommand


def checked_address(address: str) -> str:
    """Return an address that villages open, without the last slash. Raises WrongCommand."""
    try:
        parts = urlsplit(address.rstrip("/"))
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise WrongCommand("web.address_form") from None
    bare = not (parts.path or parts.query or parts.fragment or parts.username)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not (named and bare and safe):
        raise WrongCommand("web.address_form")
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Return whether only this computer can reach a host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
