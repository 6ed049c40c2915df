"""What `campaign run` says when a phase is done: the revision, the checks, the report, the mail."""

import typer

from tasks.home import Home
from tasks.outbox import OutboxCounts
from tasks.receipt import Receipt
from tasks.rules.wording import say


def show_receipt(receipt: Receipt, home: Home) -> None:
    """Print a receipt in four short lines."""
    key = "cli.run.new" if receipt.is_new else "cli.run.same"
    typer.echo(say(key, phase=phase_name(receipt), revision=receipt.revision))
    held = sum(check.held for check in receipt.checks)
    total = sum(check.expectations for check in receipt.checks)
    key = "cli.run.checks_all" if held == total else "cli.run.checks"
    typer.echo(say(key, suites=len(receipt.checks), held=held, total=total))
    typer.echo(say("cli.run.report", path=home.root / receipt.report))
    typer.echo(messages_line(receipt.messages))


def phase_name(receipt: Receipt) -> str:
    """Return the phase with its month or round, in the process's language."""
    phase = say(f"phase.{receipt.phase}")
    if receipt.period:
        return say("phase.with_period", phase=phase, period=receipt.period)
    return say("phase.with_round", phase=phase, round=receipt.round) if receipt.round else phase


def messages_line(counts: OutboxCounts) -> str:
    """Return how the home's messages stand, and what to do where some are stuck."""
    parts = [say("cli.mail.sent", count=counts.sent)]
    if waiting := counts.ready + counts.sending:
        parts.append(say("cli.mail.waiting", count=waiting))
    if counts.draft:
        parts.append(say("cli.mail.draft", count=counts.draft))
    if counts.failed:
        parts.append(say("cli.mail.failed", count=counts.failed))
    if counts.unknown:
        parts.append(say("cli.mail.unknown", count=counts.unknown))
    return " ".join(parts)
