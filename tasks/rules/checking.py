"""What a suite of checks leaves behind: a name and two counts, never a row or a cell."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SuiteResult:
    """How a suite went: how many expectations it has and how many held everywhere."""

    suite: str
    expectations: int
    held: int
