"""The messages of the outbox on a terminal: a line each, or one just as it goes out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.outbox import SUMMARY, Content, Letter, OutboxCounts
from tasks.rules.wording import say
from tasks.status_words import message_words, phase_title

SHOWN_OF_ID = 8
"""How much of an id is listed: enough to name a message among thousands."""


def messages_record(messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return for `--json` how many messages are in each state, and each of them."""
    return _counts(messages) | {"messages": [_plain(message) for message in messages]}


def show_messages(messages: Sequence[Mapping[str, Any]]) -> None:
    """Print a line a message: what it is, who gets it, how it stands."""
    console = Console(highlight=False)
    if not messages:
        console.print(say("cli.outbox.none"))
        return
    table = Table()
    for head in ("id", "message", "recipient", "message_state"):
        table.add_column(say(f"cli.head.{head}"), overflow="fold")
    for message in messages:
        cells = (message["id"][:SHOWN_OF_ID], title_of(message), message["recipient"])
        table.add_row(*map(Text, cells), Text(_standing(message)))
    console.print(table)
    console.print(message_words(_counts(messages)))


def show_message(letter: Letter, content: Content) -> None:
    """Print a message as it goes out: who gets it, the subject, the text."""
    typer.echo(say("cli.outbox.of", id=short_id(letter.message_id), recipient=letter.recipient))
    typer.echo(say("cli.outbox.subject", subject=letter.subject))
    typer.echo()
    typer.echo(content.text)


def letter_record(letter: Letter, content: Content) -> dict[str, Any]:
    """Return a message for `--json`, both its parts as they go out."""
    about = ("campaign", "phase", "round", "revision", "kind", "audience", "recipient", "subject")
    return (
        {"id": short_id(letter.message_id, None)}
        | {name: getattr(letter, name) for name in about}
        | {"text": content.text, "html": content.html}
    )


def short_id(message_id: str, shown: int | None = SHOWN_OF_ID) -> str:
    """Return what a message is called here: the beginning of its Message-ID."""
    return message_id.lstrip("<").partition("@")[0][:shown]


def title_of(message: Mapping[str, Any]) -> str:
    """Return what a message is: the phase it is about, its kind, a summary's revision.

    A record of a message has its phase's `period` besides.
    """
    kind = say(f"mail.kind.{message['kind']}")
    if message["kind"] == SUMMARY:
        kind = say("cli.outbox.revision", kind=kind, revision=message["revision"])
    if not message["phase"]:
        return kind
    return f"{phase_title(message)} {kind}"


def _standing(message: Mapping[str, Any]) -> str:
    """Return how a message stands, why, and what comes next; a line each."""
    lines = [say(f"mail.state.{message['state']}")]
    if message["problem"]:
        lines.append(say(f"mail.problem.{message['problem']}"))
    if message["attempts"] > 1:
        lines.append(say("cli.outbox.tried", count=message["attempts"]))
    if message["retry_at"]:
        lines.append(say("cli.outbox.next", at=_minute(message["retry_at"])))
    if message["decision"]:
        decided = {"by": message["decided_by"], "at": _minute(message["decided_at"])}
        lines.append(say(f"cli.outbox.decided.{message['decision']}", **decided))
    return "\n".join(lines)


def _counts(messages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return asdict(OutboxCounts(**Counter(message["state"] for message in messages)))


def _plain(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in message.items()
    }


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
