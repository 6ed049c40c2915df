"""What every answer of the page carries, and what a request must show before it is listened to."""

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

MOST_KEYS = 10_000
"""Addresses and links remembered for the rate limits; the oldest are forgotten first."""


class Limiter:
    """At most so many requests a key within so many seconds, counted in memory."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the limit; `clock` gives seconds that never go back."""
        self.most = most
        self.seconds = seconds
        self._clock = clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def allows(self, key: str) -> bool:
        """Count one request of `key`; return whether it is within the limit."""
        now = self._clock()
        since, count = self._counts.get(key, (now, 0))
        if now - since >= self.seconds:
            since, count = now, 0
            self._counts.pop(key, None)
        self._counts[key] = (since, count + 1)
        while len(self._counts) > MOST_KEYS:
            self._counts.popitem(last=False)
        return count < self.most


class Seal:
    """Ties a form to the link and the browser it was made for, under a secret of this process."""

    def __init__(self) -> None:
        """Make the secret; forms of an earlier process hold no longer."""
        self._secret = secrets.token_bytes(32)

    def of(self, session: str, link: str) -> str:
        """Return what a form for `link` in the browser of `session` must carry."""
        return hmac.new(self._secret, f"{session}|{link}".encode(), hashlib.sha256).hexdigest()

    def holds(self, given: str, session: str, link: str) -> bool:
        """Return whether a form carries it."""
        return hmac.compare_digest(given.encode(), self.of(session, link).encode())


def source_of(address: str) -> str:
    """Return what the rate limit counts by: an address, or the /64 network of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def comes_from_the_page(headers: Mapping[str, str], address: str) -> bool:
    """Return whether a form was sent from a page of `address`, as far as the browser tells.

    Old browsers tell nothing, and the form's seal decides alone. `Origin` is `null` for our own
    pages too, since they send no referrer.
    """
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    return headers.get("origin", "null") in ("null", address)


def is_host(headers: Mapping[str, str], address: str) -> bool:
    """Return whether a request names the page's own host: a name that was made to point here does
    not (DNS rebinding)."""
    return headers.get("host", "").lower() == urlsplit(address).netloc.lower()


def answer_headers(style_hash: str, *, secure: bool) -> dict[str, str]:
    """Return the headers of every answer: nothing is run, framed, fetched, kept or passed on."""
    policy = (
        "default-src 'none'",
        f"style-src '{style_hash}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
