"""Which values counts can have besides their own, where sums hold them together.

The true counts are one point that fits every range and every sum. From there other points are
looked for by small steps: one count moves by one, and wherever that breaks a sum another count of
the sum moves too. Each point found fits, so each value met on the way is possible beyond doubt.
What is not met may still be possible; that is left to the integer program of `tasks/protect.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

MOST = 10_000_000
"""An upper bound for counts that have none: more people than any township or county."""

MOST_MOVES = 400
"""How many counts one step may try to move before it is given up."""


@dataclass(frozen=True)
class Sum:
    """A sum over counts: `least` <= the counts times their weights, added up <= `most`."""

    members: tuple[tuple[int, int], ...]
    """(place of the count, how often it counts: 1 or more for a whole, -1 or less for a part)."""
    least: int
    most: int


@dataclass
class System:
    """Counts with their ranges and sums, and the true counts, which fit them all."""

    truth: Sequence[int]
    low: list[int]
    high: list[int]
    sums: Sequence[Sum]
    sums_of: list[list[tuple[int, int]]] = field(init=False)
    """Count -> (sum, weight) of the sums it stands in."""

    def __post_init__(self) -> None:
        self.sums_of = [[] for _ in self.truth]
        for row, each in enumerate(self.sums):
            for place, weight in each.members:
                self.sums_of[place].append((row, weight))
        # who stands in few sums disturbs few: a total before a part, a part before a shared one
        self._movable = [
            sorted(each.members, key=lambda member: len(self.sums_of[member[0]]))
            for each in self.sums
        ]
        self._at = list(self.truth)
        self._added = [
            sum(self.truth[place] * weight for place, weight in each.members) for each in self.sums
        ]

    def near_truth(self, place: int, enough: int) -> list[dict[int, int]]:
        """Return points on which the count at `place` has `enough` values, or fewer if not found.

        Each point is given as the counts that are not as in truth, by place; truth itself, which is
        always among them, is empty.
        """
        points: list[dict[int, int]] = [{}]
        for step in (1, -1):
            moves: list[tuple[int, int]] = []
            while len(points) < enough:
                mark = len(moves)
                if not self._push(place, step, moves, set()):
                    break
                assert len(moves) > mark  # noqa: S101 # a step that moves nothing would never end
                points.append({moved: self._at[moved] for moved, _ in moves})
            self._take_back(moves, 0)
        return points

    def _push(self, place: int, step: int, moves: list[tuple[int, int]], tried: set[int]) -> bool:
        """Move a count by `step`, and others until every sum it stands in fits again.

        Each count is tried once a step, so that a search ends. Returns False, and leaves everything
        as it was, where it does not come out.
        """
        value = self._at[place] + step
        if place in tried or not self.low[place] <= value <= self.high[place]:
            return False
        if len(tried) >= MOST_MOVES:
            return False
        tried.add(place)
        mark = len(moves)
        self._move(place, step)
        moves.append((place, step))
        for row, _ in self.sums_of[place]:
            each = self.sums[row]
            while not each.least <= self._added[row] <= each.most:
                need = 1 if self._added[row] < each.least else -1
                if not any(
                    self._push(other, need if weight > 0 else -need, moves, tried)
                    for other, weight in self._movable[row]
                ):
                    self._take_back(moves, mark)
                    return False
        return True

    def _move(self, place: int, step: int) -> None:
        self._at[place] += step
        for row, weight in self.sums_of[place]:
            self._added[row] += weight * step

    def _take_back(self, moves: list[tuple[int, int]], mark: int) -> None:
        for place, step in moves[mark:]:
            self._move(place, -step)
        del moves[mark:]
