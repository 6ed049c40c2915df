"""The same figures by DuckDB alone, as somebody would write it for this campaign: without us.

Once as one statement that keeps nothing, and once as a script that also keeps what has to be kept
of people: the typed rows under keyed hashes and the rows as they came, without the ID number and
without the cells of who did not agree, in an encrypted file.
"""

from pathlib import Path

import duckdb

from benchmarks.delivery import Delivery
from benchmarks.figures import Figures
from tasks.store import load_encryption

_FIGURES = Path(__file__).with_suffix(".sql").read_text("utf-8")
_KEEPING = Path(__file__).with_name("kept_by_hand.sql").read_text("utf-8")
_KEPT = "accepted AS (SELECT * FROM kept.referral WHERE verdict = 'accepted'),\n"


def publish_all(delivery: Delivery) -> Figures:
    """Read the files, judge and link their rows, and return what may be seen of the counts."""
    with duckdb.connect() as connection:
        return _found(connection, _FIGURES, delivery)


def keep_and_publish_all(delivery: Delivery, file: Path, key: str) -> Figures:
    """Read and judge the files, keep them encrypted in `file`, and count what was kept."""
    villages, rows, counts = _FIGURES.replace("-- [rows]\n", "-- [counts]\n").split("-- [counts]\n")
    with duckdb.connect() as connection:
        load_encryption(connection)
        connection.execute(f"ATTACH '{file}' AS kept (ENCRYPTION_KEY '{key}')")
        judging = villages + rows.rstrip().removesuffix(",")
        for statement in _KEEPING.replace("-- [judging]\n", judging).split(";\n"):
            connection.execute(statement, _named(statement, delivery))
        return _found(connection, villages + _KEPT + counts, delivery)


def _found(connection: duckdb.DuckDBPyConnection, text: str, delivery: Delivery) -> Figures:
    rows = connection.execute(text, _named(text, delivery)).fetchall()
    return {(name, village): value for name, village, value in rows}


def _named(text: str, delivery: Delivery) -> dict[str, list[str]] | None:
    """Return the paths of the sheets whose files `text` reads; DuckDB refuses those it does not."""
    files = {"coverage": delivery.coverage, "referral": delivery.referral}
    return {
        sheet: [str(path) for path in paths]
        for sheet, paths in files.items()
        if f"${sheet}" in text
    } or None
