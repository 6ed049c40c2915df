"""A command that runs until it is told to stop, and then ends what it is doing first."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def stopped_by_signal(stop: Callable[[], object]) -> Iterator[None]:
    """Have `stop` called on SIGINT, SIGTERM or SIGHUP while inside, in place of ending at once."""
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    earlier = {number: signal.signal(number, lambda *_: stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
