"""The wall clock of a plan's time zone: the only place where the software learns what time it is.

A simulated clock takes its place inside one process, for tests and for a year that is run in
minutes. Nothing from outside can set it: no option and no variable of the environment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo


class SimulatedClock:
    """A clock that stands at `moment`, wall time of any plan's zone, until it is set anew."""

    def __init__(self, moment: datetime) -> None:
        """Take the moment it stands at first. Raises ValueError where it has a zone."""
        self.set(moment)

    def set(self, moment: datetime) -> None:
        """Have it stand at `moment`. Raises ValueError where that has a zone."""
        if moment.tzinfo is not None:
            raise ValueError("a simulated moment is wall time without a zone")
        self.moment = moment.replace(microsecond=0)


_simulated: list[SimulatedClock] = []
"""The clocks that are simulated now, the innermost last; steps of a flow share the process."""


def now_in(timezone: str) -> datetime:
    """Return the present time in `timezone`, as wall time without a zone, to the second."""
    if _simulated:
        return _simulated[-1].moment
    return datetime.now(ZoneInfo(timezone)).replace(tzinfo=None, microsecond=0)


@contextmanager
def simulated(moment: datetime) -> Iterator[SimulatedClock]:
    """Have `now_in` answer `moment` in this process while inside; yields the clock, to set it."""
    clock = SimulatedClock(moment)
    _simulated.append(clock)
    try:
        yield clock
    finally:
        _simulated.remove(clock)
