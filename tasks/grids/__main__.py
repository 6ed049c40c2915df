"""The process: takes one workbook after another from its input, and answers line by line.

Asked by one line of JSON (size, ending, limits, passwords) and the bytes behind it, it answers with
lines of JSON: the name of a sheet and its serial shift, then its rows in batches, and so on; at the
end that it is done, or why the file is refused. Where it dies, the last line says in which sheet.
"""

import io
import json
import resource
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Any, BinaryIO

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum

from tasks.grids import CELL_END, COLUMN_END, Workbook
from tasks.grids.archive import zipped_workbook
from tasks.grids.compound import MAGIC, CompoundFile, decrypted, legacy_workbook
from tasks.rules.cells import cut_row, read_row
from tasks.rules.errors import FileRefused

MEMORY = 320 * 2**20
"""Bytes of address space, the interpreter's included."""
BATCH = 1000


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # people's data is in memory here: no file may be written, a core dump least of all
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides
    asked, answer = sys.stdin.buffer, sys.stdout.buffer
    _say(answer, {"ready": True})
    while line := asked.readline():
        request = json.loads(line)
        signal.alarm(request["seconds"])
        content = asked.read(request["size"])
        for reply in answers(content, request):
            _say(answer, reply)
        signal.alarm(0)


def _say(answer: BinaryIO, reply: Mapping[str, Any]) -> None:
    rows = reply.get("rows", "").encode()
    line = {**reply, "rows": len(rows)} if rows else reply
    answer.write(json.dumps(line).encode() + b"\n" + rows)
    answer.flush()  # what is said last must be heard, whatever comes next


def answers(content: bytes, request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what is in a workbook, and at the end that it is done or why it is refused."""
    try:
        yield from _sheets(content, request)
    except FileRefused as refused:
        yield {"refused": refused.key, "values": refused.values}
    except MemoryError:
        raise  # ends the process, so that the next file meets one with its memory whole
    except PasswordError:
        yield {"refused": "refused.encrypted", "values": {}}
    except BaseException:  # noqa: BLE001 # a panic of the parser is no Exception; the file is broken
        yield {"refused": "refused.unreadable", "values": {}}
    else:
        yield {"done": True}


def _sheets(content: bytes, request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    book = _workbook(content, request["passwords"])
    if book is None or book.ending != request["ending"]:
        raise FileRefused("refused.other_content", ending=request["ending"])
    opened = CalamineWorkbook.from_filelike(io.BytesIO(book.content))
    for place, described in enumerate(opened.sheets_metadata):
        if described.typ in (SheetTypeEnum.MacroSheet, SheetTypeEnum.Vba):
            raise FileRefused("refused.macros")
        if described.typ is not SheetTypeEnum.WorkSheet:
            continue
        yield {"sheet": described.name, "place": place, "shift": book.shift}
        sheet = opened.get_sheet_by_index(place)
        yield from _batches(sheet, book.errors.get(place, {}), request)


def _workbook(content: bytes, passwords: Sequence[str]) -> Workbook | None:
    if content.startswith(MAGIC):
        compound = CompoundFile(content)
        if "EncryptedPackage" not in compound.names:
            return legacy_workbook(compound, content)
        content = decrypted(content, passwords)
    return zipped_workbook(content) if content.startswith(b"PK") else None


def _batches(
    sheet: CalamineSheet, errors: Mapping[tuple[int, int], str], request: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows that hold anything, column by column: their numbers, then their cells.

    No cell holds a control character, so two of them can stand between cells and between columns.
    The first row beyond the limit is the last.
    """
    above, left = sheet.start or (0, 0)
    most_rows, most, longest = request["rows"], request["columns"], request["cell_characters"]
    values = _with_errors(sheet, errors) if errors else sheet.iter_rows()
    margin = [""] * left
    lines = enumerate(values, start=above + 1)
    beyond = False
    while not beyond and (batch := list(islice(lines, BATCH))):
        numbers: list[int] = []
        rows: list[list[str]] = []
        any_cut = False
        for number, line in batch:
            found = read_row(line)
            if found is None:
                continue
            cells, characters = found
            if margin:
                cells = margin + cells
            if len(cells) > most or characters > longest:
                cells, cut = cut_row(cells, most, longest)
                any_cut |= cut
            numbers.append(number)
            rows.append(cells)
            beyond = number > most_rows
            if beyond:
                break
        if rows:
            columns = zip_longest(*rows, fillvalue="") if any_cut else zip(*rows, strict=True)
            texts = [CELL_END.join(map(str, numbers)), *map(CELL_END.join, columns)]
            yield {"rows": COLUMN_END.join(texts), "cut": any_cut or beyond}


def _with_errors(
    sheet: CalamineSheet, errors: Mapping[tuple[int, int], str]
) -> Iterator[list[Any]]:
    """Yield the rows of a sheet with the errors that the parser gives as blank."""
    above, left = sheet.start or (0, 0)
    wrong: dict[int, dict[int, str]] = {}
    for (row, column), error in errors.items():
        wrong.setdefault(row, {})[column - left] = error
    for index, values in enumerate(sheet.iter_rows(), start=above):
        for column, error in wrong.get(index, {}).items():
            if column < len(values):
                values[column] = error
        yield values


if __name__ == "__main__":
    main()
