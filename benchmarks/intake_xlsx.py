"""XLSX intake against python-calamine alone, on the same workbooks, in one run.

`python benchmarks/intake_xlsx.py` prints, for a delivery of few large workbooks and for one of many
small ones, how many times as long as calamine alone takes reading them, and receiving them: read,
judged, and stored in an encrypted register that is shut again. Ratios only: how many seconds
anything takes says more about the machine. Everything is made up, and removed at the end.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import xlsxwriter
from python_calamine import CalamineWorkbook

from tasks.audit import Act
from tasks.home import Home
from tasks.intake import BYTES_AT_ONCE, ROWS_AHEAD
from tasks.plan import HealthCentre, Limits, Occurrence, Plan, Recipients, Village
from tasks.reading import reading_ahead
from tasks.receive import receive
from tasks.register import make_stores, open_register
from tasks.rules.contract import SHEETS, Identity, write_identity

SHAPES = {"large": (20, 5_000), "small": (1_000, 50)}
"""Name -> workbooks, rows in each."""
TURNS = 3
"""The fastest of so many counts: what else the machine does only ever adds."""
KEY = "b" * 64
CAME = datetime.fromisoformat("2025-10-28T09:00")
NAMES = ["".join(each) for each in product("赵钱孙李", "一二三四", "甲乙丙丁", "东西南北")]


def main() -> None:
    """Print a line a shape."""
    asked = argparse.ArgumentParser(description="XLSX intake against calamine alone")
    asked.add_argument("--share", type=float, default=1.0, help="of the files, for a quick look")
    share = asked.parse_args().share
    sys.stdout.write("workbooks x rows   reading   receiving   (calamine alone = 1)\n")
    for shape, (files, rows) in SHAPES.items():
        with TemporaryDirectory() as folder:
            paths = write_workbooks(Path(folder) / shape, max(1, round(files * share)), rows)
            reading, receiving = compared(Path(folder), paths)
        line = f"{len(paths)} x {rows}"
        sys.stdout.write(f"{line:>16} {reading:>9.2f} {receiving:>11.2f}\n")


def compared(folder: Path, paths: Sequence[Path]) -> tuple[float, float]:
    """Return what reading and receiving take, with calamine alone as 1."""
    plan = township([path.stem for path in paths])
    received(folder, plan, paths[:1])  # what is slow only once: imports, the reading process
    turns = [
        (timed(lambda: parsed(paths)), timed(lambda: read(paths)), received(folder, plan, paths))
        for _ in range(TURNS)
    ]
    calamine, reading, receiving = map(min, zip(*turns, strict=True))
    return reading / calamine, receiving / calamine


def parsed(paths: Sequence[Path]) -> None:
    """Read each sheet of each workbook with calamine alone."""
    for path in paths:
        book = CalamineWorkbook.from_path(path)
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python()


def read(paths: Sequence[Path]) -> None:
    """Read each workbook as intake does."""
    with reading_ahead(
        paths, Limits(), lambda _: (), rows=ROWS_AHEAD, size=BYTES_AT_ONCE
    ) as submissions:
        for _ in submissions:
            pass


def received(folder: Path, plan: Plan, paths: Sequence[Path]) -> float:
    """Receive the workbooks in a home of their own; return the seconds, until the register is shut.

    Ends the run where a row was not accepted: then something else was measured.
    """
    home = Home(folder / "home")
    home.root.mkdir(mode=0o700)
    make_stores(home, KEY, CAME)
    act = Act("benchmark", "receive", "benchmark", at=CAME)
    try:
        with open_register(home, key=KEY, act=act) as store:
            start = time.perf_counter()
            results = receive(
                store, home, {plan.slug: plan}, paths, received_at=CAME, recorded_at=CAME, act=act
            )
        seconds = time.perf_counter() - start
    finally:
        shutil.rmtree(home.root)
    counts = [one.result.rows for one in results]
    if any(each["accepted"] < each["read"] or not each["read"] for each in counts):
        raise SystemExit("a row was not accepted")
    return seconds


def timed(work: Callable[[], object]) -> float:
    """Return the seconds `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def township(codes: Sequence[str]) -> Plan:
    """Return a plan of one sweep in the villages with these codes."""
    villages = (
        Village(code=code, name=f"{code[-4:]}村", households=100, email="v@example.test")
        for code in codes
    )
    return Plan(
        slug="benchmark",
        name="测速",
        name_en="Benchmark",
        purpose="seasonal_outreach",
        issued=date(2025, 2, 20),
        rest_day_rule="none",
        health_centre=HealthCentre(code="990101000000", name="测速卫生院"),
        villages=tuple(villages),
        recipients=Recipients(health=("h@example.test",), office=("o@example.test",)),
        clinic=(),
        calendar=(
            Occurrence(
                phase="sweep",
                round=1,
                period=None,
                opens=date(2025, 10, 1),
                due=date(2025, 10, 31),
                words="10-31",
                rule="none",
                provisional=False,
                ad_hoc=False,
            ),
        ),
    )


def write_workbooks(folder: Path, files: int, rows: int) -> list[Path]:
    """Write a workbook a village, each with so many referrals of different people."""
    folder.mkdir()
    sheet = SHEETS["referral"]
    paths = []
    for code in (f"990101{number:06d}" for number in range(1, files + 1)):
        paths.append(folder / f"{code}.xlsx")
        identity = Identity("benchmark", "sweep", 1, code, 1)
        with xlsxwriter.Workbook(str(paths[-1])) as book:
            page = book.add_worksheet(sheet.title)
            page.write(0, 0, write_identity(identity))
            page.write_row(1, 0, [column.heads[0] for column in sheet.columns])
            for number in range(rows):
                row = person(number, code)
                cells = [row.get(column.name, "") for column in sheet.columns]
                page.write_row(number + 2, 0, cells)
    return paths


def person(number: int, village: str) -> dict[str, str]:
    """Return the referral of made-up person `number` of a village."""
    year, name = divmod(number, len(NAMES))
    return {
        "row_no": str(number + 1),
        "full_name": NAMES[name],
        "sex": "男",
        "birth_date": f"{1950 + year}-01-02",
        "residence_village": village,
        "registered_village": village,
        "phone": f"138{number:08d}",
        "contact_name": "李四",
        "contact_relation": "配偶",
        "contact_phone": f"139{number:08d}",
        "referred_by": "村医",
        "consent_by": "本人",
        "consent_date": "2025-10-20",
        "consent_scope": "评估",
        "care_setting": "居家",
        "observed_signs": "1，3",
        "urgency": "常规",
    }


if __name__ == "__main__":
    main()
