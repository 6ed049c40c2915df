"""What `campaign check` and `campaign receive` say of each file: verdicts, reasons, next step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from tasks.intake import FileResult
from tasks.receive import Received
from tasks.rules.contract import VERDICTS
from tasks.rules.errors import Exit
from tasks.rules.file_names import HIDDEN
from tasks.rules.reasons import column_of, reason_keys
from tasks.rules.wording import say


@contextmanager
def progress(total: int, *, silent: bool) -> Iterator[Callable[[], None]]:
    """Show files read as a bar on a terminal; elsewhere, and where `silent`, say nothing."""
    console = Console(stderr=True)
    if silent or not console.is_terminal or total < 2:
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(say("cli.reading"), total=total)
        yield lambda: bar.advance(task)


def delivery_record(received: Sequence[Received], code: Exit) -> dict[str, Any]:
    """Return a delivery as `--json` prints it: per file identity, verdict counts, returned rows.

    It names files, sheets, rows, columns and rules, never a cell.
    """
    return {
        "exit": int(code),
        "rows": {
            name: sum(each.result.rows[name] for each in received) for name in ("read", *VERDICTS)
        },
        "files": [_file_record(each) for each in received],
    }


def _file_record(each: Received) -> dict[str, Any]:
    result = each.result
    identity = result.identity
    return {
        "file": result.file,
        "exit": int(result.exit),
        "error": result.refused.text() if result.refused else None,
        "reason": result.refused.key if result.refused else None,
        "campaign": identity.campaign if identity else None,
        "phase": identity.phase if identity else None,
        "round": (identity.round or None) if identity else None,
        "village": identity.village if identity else None,
        "repeated": result.repeated,
        "rows": result.rows,
        "sheets": result.sheets,
        "returned": [
            {
                "sheet": row.sheet.name,
                "row": row.row,
                "rules": [
                    {
                        "rule": rule,
                        "column": column_of(row.sheet, rule).name,
                        "reason": _reason(row, rule),
                    }
                    for rule in row.rules
                ],
            }
            for row in result.returned
        ],
        "return_workbook": str(each.return_workbook) if each.return_workbook else None,
    }


def show_delivery(received: Sequence[Received], *, stored: bool) -> None:
    """Print a line a refused file, a table of verdicts, and the reasons of the rows returned."""
    for each in received:
        if each.result.refused is not None:
            typer.echo(each.result.refused.text(), err=True)
    judged = [each for each in received if each.result.refused is None]
    if judged:
        Console().print(_verdict_table(judged))
    for each in judged:
        for line in reason_lines(each):
            typer.echo(line)
        if each.return_workbook is not None:
            typer.echo(say("cli.return_workbook", path=each.return_workbook))
    if not stored:
        typer.echo(say("cli.check.nothing_stored"))


def file_label(result: FileResult) -> str:
    """Return what to call a file on the terminal: its name; where that is hidden, whose it is."""
    identity = result.identity
    if identity is None or not result.file.startswith(HIDDEN):
        return result.file
    round_part = f"-{identity.round}" if identity.round else ""
    return f"{identity.village}-{identity.phase}{round_part} {result.file}"


def reason_lines(each: Received) -> list[str]:
    """Return a line for each rule that a row of a file breaks: where and why, never a cell.

    In the order of the columns, as the row is read.
    """

    def place(row: Any, rule: str) -> int:
        columns: Sequence[Any] = row.sheet.columns
        return columns.index(column_of(row.sheet, rule))

    return [
        _reason_line(each, row, rule)
        for row in each.result.returned
        for rule in sorted(row.rules, key=partial(place, row))
    ]


def _verdict_table(judged: Sequence[Received]) -> Table:
    table = Table()
    table.add_column(say("cli.head.file"), overflow="fold")
    for name in ("read", *VERDICTS):
        table.add_column(say(f"verdict.{name}"), justify="right")
    for each in judged:
        rows = each.result.rows
        table.add_row(file_label(each.result), *(str(rows[name]) for name in ("read", *VERDICTS)))
    return table


def _reason_line(each: Received, row: Any, rule: str) -> str:
    return say(
        "cli.returned_row",
        file=file_label(each.result),
        sheet=row.sheet.title,
        row=row.row,
        column=column_of(row.sheet, rule).heads[0],
        reason=_reason(row, rule),
    )


def _reason(row: Any, rule: str) -> str:
    return " ".join(say(key) for key in reason_keys(row.sheet, rule, row.cells))
