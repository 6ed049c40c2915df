"""When a message that the mail server did not take is tried again, and when it is given up.

RFC 5321 section 4.5.4.1: a sender waits longer from try to try and gives up after some days. Its
first wait is half an hour at least; ours is shorter, because grey listing asks for a few minutes
and a summary is waited for.
"""

from datetime import datetime, timedelta

WAITS = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
"""How long to wait after the first try, the second and so on; the last one from then on."""

PATIENCE = timedelta(days=3)
"""For how long a message is tried at least, counted from its first try."""


def next_try(tries: int, first_tried_at: datetime, now: datetime) -> datetime | None:
    """Return when a message is tried again that was not taken `tries` times; None: given up.

    Both times are of one clock. Given up only once all waits were waited and the patience is over:
    a computer that slept over the weekend has not tried for three days.
    """
    if tries > len(WAITS) and now - first_tried_at >= PATIENCE:
        return None
    return now + WAITS[min(tries, len(WAITS)) - 1]
