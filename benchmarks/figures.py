"""What all ways to the figures have to agree on."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

Figures = Mapping[tuple[str, str], float | None]
"""(name, village, '' for the township) -> value as released; None where it is withheld."""

COMPARED = (
    "referrals",
    "no_consent",
    "people_listed",
    "people_new",
    "people_home",
    "people_hospital",
    "people_welfare_institution",
    "people_other_institution",
    "people_not_reachable",
    "households",
    "households_visited",
    "households_declined",
    "coverage",
)


def published(ledger: Path) -> Figures:
    """Return the compared figures of the phases that count them, from a ledger file."""
    with duckdb.connect(str(ledger), read_only=True) as connection:
        rows = connection.execute(
            "SELECT name, village, value FROM out_figure "
            "WHERE phase IN ('sweep', 'list_compilation') AND list_contains($names, name)",
            {"names": list(COMPARED)},
        ).fetchall()
    return {(name, village): value for name, village, value in rows}


def differing(one: Figures, other: Figures) -> list[tuple[str, str]]:
    """Return which figures two ways do not agree on; one that either withholds is compared too."""
    return sorted(key for key in {*one, *other} if one.get(key, "none") != other.get(key, "none"))


def rounded(exact: int) -> float | None:
    """Return a count of people as the office may see it: the rule of docs/disclosure.md alone."""
    return float((exact + 2) // 5 * 5) if exact == 0 or exact > 7 else None
