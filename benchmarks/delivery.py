"""A township's delivery as CSV files, of any number of rows, and the plan it belongs to.

Everything is made up, and the same numbers give the same files. Most rows are as they should be;
some hold what real files hold: a person twice in a file, one whom two villages refer, consent that
is missing, a cell that breaks a rule, numbers in full width, days written with dots.
"""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from tasks.plan import HealthCentre, Limits, Occurrence, Plan, Recipients, Village
from tasks.rules.contract import SHEETS, Identity, write_identity

SLUG = "benchmark"
VILLAGES = 60
"""As many as the largest townships have; of small deliveries fewer."""
FEWEST_ROWS = 60
"""A village's at least, so that few counts are small enough to be withheld."""
_PEOPLE = Path(__file__).with_name("people.sql")
_GRIDS = Path(__file__).with_name("grids.sql")


@dataclass(frozen=True)
class Delivery:
    """The files of a delivery, in the order in which they are taken in, and their plan."""

    plan: Plan
    referral: tuple[Path, ...]
    coverage: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return (*self.coverage, *self.referral)


def write_delivery(folder: Path, rows: int, villages: int | None = None) -> Delivery:
    """Write `rows` referrals, and the grids that were walked, a file a sheet and village each.

    `villages`: how many there are, else as many as a township with so many rows has.
    """
    plan = township(rows, villages)
    of_each = rows // len(plan.villages)
    found: dict[str, list[Path]] = {"coverage": [], "referral": []}
    with duckdb.connect() as connection:
        for place, village in enumerate(plan.villages):
            identity = Identity(SLUG, "sweep", 1, village.code, 1)
            asked = {"place": place, "of_each": of_each, "villages": len(plan.villages)}
            for sheet, source in (("coverage", _GRIDS), ("referral", _PEOPLE)):
                path = folder / f"{village.code}-{sheet}.csv"
                _write_sheet(connection, path, identity, sheet, source, asked)
                found[sheet].append(path)
    return Delivery(plan, tuple(found["referral"]), tuple(found["coverage"]))


def township(rows: int, asked: int | None = None) -> Plan:
    """Return the plan of one sweep, its list and its aggregation, for so many rows.

    `asked`: how many villages it has, else what suits the rows.
    """
    number = asked or max(1, min(VILLAGES, rows // FEWEST_ROWS))
    villages = tuple(
        Village(
            code=f"990101{place:06d}",
            name=f"第{place}村",
            households=1000,
            email="v@example.test",
        )
        for place in range(1, number + 1)
    )
    return Plan(
        slug=SLUG,
        name="测速",
        name_en="Benchmark",
        purpose="seasonal_outreach",
        issued=date(2025, 2, 20),
        rest_day_rule="none",
        health_centre=HealthCentre(code="990101000000", name="测速卫生院"),
        villages=villages,
        recipients=Recipients(health=("h@example.test",), office=("o@example.test",)),
        clinic=(),
        calendar=(
            _occurrence("sweep", 1, date(2025, 10, 1), date(2025, 10, 31)),
            _occurrence("list_compilation", 0, date(2025, 11, 1), date(2025, 11, 10)),
            _occurrence("aggregation", 0, date(2025, 11, 11), date(2025, 11, 20)),
        ),
        limits=_limits(rows // number),
    )


def _occurrence(phase: str, round: int, opens: date, due: date) -> Occurrence:
    return Occurrence(
        phase=phase,
        round=round,
        period=None,
        opens=opens,
        due=due,
        words=due.isoformat(),
        rule="none",
        provisional=False,
        ad_hoc=False,
    )


def _limits(rows: int) -> Limits:
    """Return the plan's defaults, or wider ones where a file has more rows than they allow."""
    usual = Limits()
    if rows + 10 <= usual.rows:
        return usual
    return Limits(rows=rows + 10, file_megabytes=max(usual.file_megabytes, rows // 3000))


def _write_sheet(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    identity: Identity,
    sheet: str,
    source: Path,
    asked: dict[str, int],
) -> None:
    """Write the rows that `source` gives below the identity and the sheet's Chinese heads."""
    heads = ",".join(column.heads[0] for column in SHEETS[sheet].columns)
    rows = path.with_suffix(".rows")
    target = str(rows).replace("'", "''")
    connection.execute(
        f"COPY ({source.read_text('utf-8').rstrip().rstrip(';')}) TO '{target}' (HEADER false)",
        asked,
    )
    with path.open("wb") as written, rows.open("rb") as read:
        written.write(f"\ufeff{write_identity(identity)}\n{heads}\n".encode())
        shutil.copyfileobj(read, written)
    rows.unlink()


def delivery_in(folder: Path, rows: int) -> Delivery:
    """Return the delivery of `rows` rows that was written to `folder`."""
    found = {
        sheet: tuple(sorted(folder.glob(f"*-{sheet}.csv"))) for sheet in ("referral", "coverage")
    }
    return Delivery(township(rows), found["referral"], found["coverage"])
