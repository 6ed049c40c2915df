"""Rectifications on a terminal and for machines: what is owed, how long, what was done about it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.plan import Plan
from tasks.rectifications import Standing, escalations, read_rectifications
from tasks.rules.rectification import Rectification
from tasks.rules.wording import say
from tasks.store import Store


def rectifications_record(
    store: Store, plan: Plan, today: date, *, with_closed: bool = False
) -> dict[str, Any]:
    """Return how the campaign's rectifications stand on `today`, the longest overdue first.

    A due day ends at 24:00, so nothing is overdue on its own due day.
    """
    late = {_key(each.rectification): each for each in escalations(store, plan, today)}
    standing = [
        each
        for each in read_rectifications(store, plan)
        if with_closed or each.rectification.closed_on is None
    ]
    standing.sort(
        key=lambda each: (each.rectification.closed_on is not None, each.rectification.due)
    )
    return {
        "campaign": plan.slug,
        "rectifications": [
            _plain(plan, each)
            | {
                "days_overdue": found.days_overdue if found else 0,
                "looks": found.looks if found else 0,
                "for_meeting": bool(found and found.for_meeting),
            }
            for each in standing
            for found in (late.get(_key(each.rectification)),)
        ],
    }


def show_rectifications(record: Mapping[str, Any]) -> None:
    """Print a line a rectification: whose, what, by when, how it stands."""
    console = Console(highlight=False)
    if not record["rectifications"]:
        console.print(say("rectification.none"))
        return
    table = Table()
    table.add_column(say("report.village"), overflow="fold")
    for head in ("shortfall", "opened", "rectify_by", "rectification_state"):
        table.add_column(say(f"cli.head.{head}"), overflow="fold")
    for each in record["rectifications"]:
        due = each["due"]
        if each["due_provisional"]:
            due = say("report.provisional_day", day=due)
        cells = (
            each["village_name"],
            say(f"shortfall.{each['shortfall']}"),
            each["opened_on"],
            due,
            "\n".join(_state_lines(each)),
        )
        table.add_row(*map(Text, cells))
    console.print(table)


def _plain(plan: Plan, standing: Standing) -> dict[str, Any]:
    this = standing.rectification
    names = {village.code: village.name for village in plan.villages}
    return {
        "village": this.village,
        "village_name": names.get(this.village, this.village),
        "shortfall": this.shortfall,
        "opened_on": this.opened_on.isoformat(),
        "due": this.due.isoformat(),
        "due_provisional": this.due_provisional,
        "state": standing.state,
        "closed_on": this.closed_on.isoformat() if this.closed_on else None,
        "closed_by_person": standing.closed_by_person,
        "steps": [
            vars(step) | {"on_day": step.on_day.isoformat(), "noted_on": step.noted_on.isoformat()}
            for step in standing.steps
        ],
    }


def _state_lines(each: Mapping[str, Any]) -> list[str]:
    """Return how a rectification stands, a line each."""
    if each["state"] == "closed" and not each["closed_by_person"]:
        return [say("rectification.state.closed_by_look", day=each["closed_on"])]
    if each["state"] == "closed":
        by = each["steps"][-1]["by"]
        return [say("rectification.state.closed_by_supervisor", day=each["closed_on"], by=by)]
    lines = [say("rectification.state.open")]
    if each["days_overdue"]:
        lines = [say("rectification.state.overdue", days=each["days_overdue"])]
    if each["looks"]:
        lines.append(say("rectification.state.looks", looks=each["looks"]))
    if each["for_meeting"]:
        lines.append(say("rectification.state.for_meeting"))
    last = each["steps"][-1] if each["steps"] else None
    if last and last["step"] == "evidence":
        what = say(f"report.evidence.{last['evidence']}")
        lines.append(say("rectification.state.evidence_given", evidence=what, on=last["on_day"]))
    elif last:
        why = say(f"rectification.reason.{last['reason']}")
        lines.append(say("rectification.state.not_accepted", reason=why))
    return lines


def _key(each: Rectification) -> tuple[str, str, int]:
    return each.village, each.shortfall, each.opened_round
