"""The one thing a phase tells the orchestrator: made for that boundary, and safe to be shown there.

No count of people, of rows about people or of refusals is in it: Prefect keeps what it is given,
and shows it to whoever opens its pages.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from tasks.outbox import OutboxCounts
from tasks.rules.checking import SuiteResult


@dataclass(frozen=True)
class Receipt:
    """What a run of a phase did: which revision holds its figures, which checks ran."""

    campaign: str
    phase: str
    round: int
    """0 for a phase without rounds."""
    period: str | None
    as_of: date
    revision: int
    is_new: bool
    """Whether this run made the revision; a rerun without news finds it."""
    figures: int
    checks: tuple[SuiteResult, ...]
    report: str
    """The page, relative to the home."""
    messages: OutboxCounts

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for `--json`; the round is null where there is none."""
        return asdict(self) | {"as_of": self.as_of.isoformat(), "round": self.round or None}
