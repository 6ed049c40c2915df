"""`campaign doctor`: whether the whole set-up is sound, and what to do where it is not."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ByOption, HomeOption, JsonOption, campaign_home, print_json, who
from tasks.rules.errors import CheckFailed
from tasks.rules.wording import say

if TYPE_CHECKING:
    from tasks.doctor import Finding

doctors = typer.Typer()


@doctors.command("doctor", help=say("cli.doctor"))
def doctor(
    test_mail: Annotated[
        str | None, typer.Option("--send-test-mail", help=say("cli.option.test_mail"))
    ] = None,
    by: ByOption = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    from cli.server_check import check_prefect
    from tasks.doctor import examine, send_test_mail

    at = campaign_home(home)
    found = [*examine(at, who(by)), *check_prefect(at)]
    if test_mail is not None:
        found.append(send_test_mail(test_mail))
    if as_json:
        print_json([_record(each) for each in found])
    else:
        _show(found)
    bad = sum(each.level == "bad" for each in found)
    if bad:
        raise CheckFailed("doctor.failed", count=bad)


def _record(finding: "Finding") -> dict[str, str | None]:
    return {
        "check": finding.check,
        "found": finding.what,
        "level": finding.level,
        "text": finding.text(),
        "remedy": finding.remedy(),
    }


def _show(found: "list[Finding]") -> None:
    """Print the findings, the worst ones first, each remedy under what it is for."""
    from rich.console import Console
    from rich.text import Text

    from tasks.doctor import LEVELS

    console = Console(highlight=False)
    styles = {"bad": "bold red", "warn": "yellow", "ok": "green"}
    for level in LEVELS:
        for each in found:
            if each.level == level:
                mark = Text(say(f"doctor.level.{level}"), style=styles[level])
                console.print(mark, Text(each.text()))
                if remedy := each.remedy():
                    console.print(Text(f"  → {remedy}"))
    bad, warn, ok = (sum(each.level == level for each in found) for level in LEVELS)
    console.print(say("doctor.summary", bad=bad, warn=warn, ok=ok))
