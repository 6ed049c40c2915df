"""The same figures by one statement of DuckDB that somebody wrote for this campaign alone."""

from pathlib import Path

import duckdb

from benchmarks.delivery import Delivery
from benchmarks.figures import Figures

_STATEMENT = Path(__file__).with_suffix(".sql")


def publish_all(delivery: Delivery) -> Figures:
    """Read the files, judge and link their rows, and return what may be seen of the counts."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            _STATEMENT.read_text("utf-8"),
            {
                "coverage": [str(path) for path in delivery.coverage],
                "referral": [str(path) for path in delivery.referral],
            },
        ).fetchall()
    return {(name, village): value for name, village, value in rows}
