"""`campaign status`: phases with days left, who is missing, what waits in the outbox."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.clock import now_in
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.outbox import outbox_counts
from tasks.plan import Occurrence, Plan
from tasks.reporting import read_reporting
from tasks.rules.contract import RUN_PHASES, VILLAGE_PHASES
from tasks.rules.wording import current_language, say
from tasks.store import Store


def status_record(home: Home, plans: Mapping[str, Plan]) -> dict[str, Any]:
    """Return how the campaigns stand today, from the ledger alone; no key is needed.

    Days left are negative once the due day has passed. `missing` are villages' codes.
    """
    with open_ledger(home) as store:
        return {
            "home": str(home.root),
            "campaigns": [_campaign(store, plan) for plan in plans.values()],
            "outbox": outbox_record(store),
        }


def outbox_record(store: Store) -> dict[str, int]:
    """Return state -> messages of the home."""
    return asdict(outbox_counts(store))


def _campaign(store: Store, plan: Plan) -> dict[str, Any]:
    today = now_in(plan.timezone).date()
    released = {
        (row["phase"], row["round"]): row
        for row in store.records("report/status", campaign=plan.slug)
    }
    return {
        "campaign": plan.slug,
        "name": plan.name,
        "name_en": plan.name_en,
        "villages": {village.code: village.name for village in plan.villages},
        "today": today.isoformat(),
        "phases": [
            _phase(store, plan, occurrence, today, released) for occurrence in plan.calendar
        ],
    }


def _phase(
    store: Store,
    plan: Plan,
    occurrence: Occurrence,
    today: date,
    released: Mapping[tuple[str, int], Mapping[str, Any]],
) -> dict[str, Any]:
    record = released.get((occurrence.phase, occurrence.round))
    by_villages = occurrence.phase in VILLAGE_PHASES and not occurrence.ad_hoc
    reporting = read_reporting(store, plan, occurrence, today) if by_villages else []
    return {
        "phase": occurrence.phase,
        "round": occurrence.round or None,
        "period": occurrence.period,
        "state": _state(occurrence, today, run=record is not None and record["after_due"]),
        "opens": occurrence.opens.isoformat(),
        "due": occurrence.due.isoformat(),
        "provisional": occurrence.provisional,
        "days_left": (occurrence.due - today).days,
        "revision": record["revision"] if record else None,
        "expected": sum(each.state != "not_expected" for each in reporting) if reporting else None,
        "missing": [each.village for each in reporting if each.state == "missing"],
        "extended": [each.village for each in reporting if each.state == "extended"],
        "returned": [each.village for each in reporting if each.state == "returned"],
    }


def _state(occurrence: Occurrence, today: date, *, run: bool) -> str:
    if today < occurrence.opens:
        return "planned"
    if today <= occurrence.due:
        return "open"
    # a phase that no flow runs is over with its day
    return "closed" if run or occurrence.phase not in RUN_PHASES else "due"


def show_status(record: Mapping[str, Any]) -> None:
    """Print the record as a table a campaign and a line for the outbox."""
    console = Console()
    for campaign in record["campaigns"]:
        name = campaign["name_en" if current_language() == "en" else "name"]
        console.print(Text(f"{name} ({campaign['campaign']})", style="bold"))
        table = Table()
        for head in ("phase", "state", "due", "days_left", "revision", "missing"):
            table.add_column(say(f"cli.head.{head}"))
        for phase in campaign["phases"]:
            table.add_row(*_cells(phase, campaign["villages"]))
        console.print(table)
    show_outbox(record["outbox"])


def show_outbox(counts: Mapping[str, int]) -> None:
    """Print how many messages are in each state."""
    named = [say(f"cli.outbox.{state}", count=count) for state, count in counts.items() if count]
    Console().print(say("cli.outbox.counts", counts="、".join(named) or say("cli.outbox.empty")))


def _cells(phase: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    name = say(f"phase.{phase['phase']}")
    tail = phase["period"] or (str(phase["round"]) if phase["round"] else "")
    late = [names[code] for code in (*phase["missing"], *phase["returned"])]
    shown = "、".join(late[:5]) + (say("cli.more", count=len(late) - 5) if len(late) > 5 else "")
    return [
        f"{name} {tail}".strip(),
        say(f"cli.state.{phase['state']}"),
        phase["due"] + (f" {say('cli.provisional')}" if phase["provisional"] else ""),
        str(phase["days_left"]),
        f"r{phase['revision']}" if phase["revision"] else "",
        shown if phase["state"] != "planned" else "",
    ]
