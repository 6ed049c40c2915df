"""The wall clock of a plan's time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo


def now_in(timezone: str) -> datetime:
    """Return the present time in `timezone`, as wall time without a zone, to the second."""
    return datetime.now(ZoneInfo(timezone)).replace(tzinfo=None, microsecond=0)
