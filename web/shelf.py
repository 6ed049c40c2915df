"""What waits between two pages: in this process's memory only, for a short time, with a cap."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """One thing a link. What is too old, or does not fit, goes; a restart forgets everything."""

    def __init__(
        self,
        seconds: float,
        most_things: int,
        most_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take how long a thing stays, and how many of them and of their bytes do."""
        self.seconds = seconds
        self.most_things = most_things
        self.most_bytes = most_bytes
        self._clock = clock
        self._things: OrderedDict[str, tuple[float, int, T]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many things are kept, too old ones included."""
        return len(self._things)

    def put(self, link: str, thing: T, size: int) -> None:
        """Keep `thing` of `size` bytes in place of what `link` had; the oldest make room."""
        self.take_away(link)
        self._things[link] = (self._clock() + self.seconds, size, thing)
        self.sweep()

    def get(self, link: str) -> T | None:
        """Return what is kept for `link`, or None where that is nothing or too old."""
        self.sweep()
        kept = self._things.get(link)
        return None if kept is None else kept[2]

    def take_away(self, link: str) -> None:
        """Forget what is kept for `link`."""
        self._things.pop(link, None)

    def sweep(self) -> None:
        """Forget what is too old, then the oldest until the rest fits."""
        now = self._clock()
        while self._things:
            oldest = next(iter(self._things))
            fits = len(self._things) <= self.most_things and self._size() <= self.most_bytes
            if fits and self._things[oldest][0] > now:
                break
            del self._things[oldest]

    def _size(self) -> int:
        return sum(size for _, size, _ in self._things.values())
