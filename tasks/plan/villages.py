"""The CSV of a plan's villages: one row a village, UTF-8, columns as the fields of `Village`."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from tasks.plan.findings import Findings, names_people
from tasks.plan.model import HealthCentre, Village

COLUMNS = tuple(Village.model_fields)
_REQUIRED = ("code", "name", "households")


def read_villages(
    path: Path, centre: HealthCentre | None, findings: Findings
) -> tuple[Village, ...]:
    """Return the readable villages of the CSV at `path`, in its order.

    Mistakes go to `findings`, each with its line. `centre` is None where the plan's own is a
    mistake: then nothing is said of townships.
    """
    villages = []
    for line, cells in _rows(path, findings):
        where = f"{path.name}:{line}"
        village = findings.take(Village, cells, where)
        if village is not None:
            _check(village, centre, where, findings)
            villages.append(village)
    findings.once(f"{path.name} code", [village.code for village in villages])
    return tuple(villages)


def write_villages(villages: Sequence[Village]) -> str:
    """Return the CSV that `read_villages` reads back as `villages`."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    rows = (dict(village) | {"grids": ";".join(village.grids)} for village in villages)
    writer.writerows(rows)
    return text.getvalue()


def _rows(path: Path, findings: Findings) -> list[tuple[int, dict[str, str]]]:
    """Return the filled cells of each row, by column, with the row's line in the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        findings.wrong("villages", "plan.villages_not_there", file=path.name)
        return []
    except UnicodeDecodeError:
        findings.wrong("villages", "plan.villages_not_utf8", file=path.name)
        return []
    reader = csv.reader(io.StringIO(text, newline=""))
    columns = [head.strip() for head in next(reader, [])]
    if not _columns_right(columns, path.name, findings):
        return []
    rows = []
    for cells in reader:
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            findings.wrong(f"{path.name}:{reader.line_num}", "plan.villages_cells")
            continue
        named = zip(columns, cells, strict=False)
        filled = {head: cell.strip() for head, cell in named if cell.strip()}
        if filled:
            rows.append((reader.line_num, filled))
    if not rows:
        findings.wrong(path.name, "plan.villages_empty")
    return rows


def _columns_right(columns: list[str], file: str, findings: Findings) -> bool:
    before = len(findings.mistakes)
    for head in columns:
        if head not in COLUMNS:
            key = "plan.villages_people" if names_people(head) else "plan.villages_column"
            findings.wrong(file, key, column=head, allowed=", ".join(COLUMNS))
    for head in _REQUIRED:
        if head not in columns:
            findings.wrong(file, "plan.villages_column_missing", column=head)
    findings.once(file, columns)
    return len(findings.mistakes) == before


def _check(village: Village, centre: HealthCentre | None, where: str, findings: Findings) -> None:
    if centre and (not village.code.startswith(centre.township) or village.code == centre.code):
        findings.wrong(f"{where} code", "plan.village_elsewhere", township=centre.township)
    if village.opened and village.closed and village.closed <= village.opened:
        findings.wrong(f"{where} closed", "plan.closed_before_opened")
