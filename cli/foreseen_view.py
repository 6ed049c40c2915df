"""What `campaign outbox preview --dry-run` says: the messages that a plan will cause."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import typer

from cli.outbox_view import title_of
from reports.dry_run import NOT_FORESEEN, Foreseen, without_address
from tasks.plan import Plan
from tasks.rules.wording import current_language, say


def foreseen_record(plan: Plan, found: Sequence[Foreseen], *, has_server: bool) -> dict[str, Any]:
    """Return for `--json` each message, the kinds without a day, and what stands in the way."""
    return {
        "campaign": plan.slug,
        "messages": [asdict(each) | {"at": each.at.isoformat()} for each in found],
        "not_foreseen": list(NOT_FORESEEN),
        "has_mail_server": has_server,
        "villages_without_address": list(without_address(plan)),
        "office_without_address": not plan.recipients.office,
    }


def show_foreseen(plan: Plan, found: Sequence[Foreseen], *, has_server: bool) -> None:
    """Print the messages in order of day, those of one moment to one audience together."""
    name = plan.name_en if current_language() == "en" else plan.name
    typer.echo(say("dry_run.title", name=name, count=len(found)))
    for line in _notes(plan, has_server=has_server):
        typer.echo(line)
    for _, group in groupby(found, key=lambda each: (each.at, each.kind, each.phase, each.round)):
        _show_together(list(group))
    typer.echo()
    typer.echo(say("dry_run.then"))
    for kind in NOT_FORESEEN:
        typer.echo(f"- {say(f'dry_run.then.{kind}')}")


def _notes(plan: Plan, *, has_server: bool) -> Iterator[str]:
    if not has_server:
        yield say("dry_run.no_server")
    if not plan.recipients.office:
        yield say("dry_run.no_office")
    villages = without_address(plan)
    if villages:
        yield say("dry_run.no_address", villages=say("list.comma").join(villages))


def _show_together(messages: Sequence[Foreseen]) -> None:
    """Print what goes out at one moment about one thing: who gets it, and what it says."""
    first = messages[0]
    condition = say(f"dry_run.if.{first.condition}")
    what = title_of({"revision": 1} | asdict(first))
    typer.echo()
    typer.echo(say("dry_run.at", at=f"{first.at:%Y-%m-%d %H:%M}", what=what, condition=condition))
    for audience, group in groupby(messages, key=lambda each: each.audience):
        recipients = say("list.comma").join(each.recipient for each in group)
        named = say(f"dry_run.audience.{audience}")
        typer.echo(say("dry_run.to", audience=named, recipients=recipients))
    typer.echo(say("cli.outbox.subject", subject=first.subject))
    if len({each.text for each in messages}) > 1:
        typer.echo(say("dry_run.example", recipient=first.recipient))
    for line in first.text.splitlines():
        typer.echo(f"  {line}".rstrip())
