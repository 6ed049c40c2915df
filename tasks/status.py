"""How the campaigns of a home stand: what runs, who is missing, what failed, what comes next.

From the ledger and the plans alone: no key, nobody's data, no count of people. The same record is
shown on the terminal, printed for machines and put on Prefect's pages.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from tasks.agenda import owed_runs
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.phase_life import PhaseState, phase_states
from tasks.plan import Occurrence, Plan
from tasks.released_days import keep_released
from tasks.reporting import VillageReporting, read_reporting_of_all
from tasks.requests import requests_of, state_in
from tasks.rules.agenda import REMINDERS_FROM, Owed
from tasks.rules.errors import WrongCommand
from tasks.rules.reporting import RECEIVED_STATES
from tasks.store import Store, schema_tables

Record = dict[str, Any]
"""What JSON can hold: days and times are ISO texts, villages are codes."""

DAY = timedelta(days=1)

RUNS_AT = time(0, 10)
"""When a phase runs on the day after its due day, in the plan's zone (flows/schedules.py)."""

GRACE = timedelta(hours=1)
"""How long after its time a run may take before it is missed: the nightly ones come in turn."""

MESSAGE_STATES = ("draft", "ready", "sending", "sent", "failed", "unknown")

STUCK = ("draft", "failed", "unknown")
"""The states of a message in which somebody has to do something."""

NOBODY_ELSE_MENDS = ("unreachable", "insecure", "login")
"""Why a message waits for its next try although waiting alone may not help."""

NEXT = 3
"""How many of the things to come are told."""

BACKUP_DAYS = 7
"""A backup older than this is a problem: what came since is on one disk only."""


def status_record(home: Home, plans: Mapping[str, Plan], now: datetime) -> Record:
    """Return how the campaigns of `plans` stand, from the ledger of `home`. See `status_of`.

    Raises WrongCommand for a home that is not there, StoreBusy where another process writes.
    """
    with open_ledger(home) as store:
        return {"home": str(home.root), **status_of(store, plans, now)}


def status_of(store: Store, plans: Mapping[str, Plan], now: datetime) -> Record:
    """Return how the campaigns stand at `now`, wall time of the plans' zone.

    `store` is an open ledger, alone or beside the register. `problems` are what somebody has to do:
    each a kind and the values that its words name. Days left are negative once the due day has
    passed. Raises WrongCommand where the home was made by an earlier version.
    """
    _require_tables(store)
    campaigns = [_campaign(store, plan, now) for plan in plans.values()]
    messages = store.records("status/messages", campaigns=list(plans))
    backup = _backup(store, now)
    coming = [each for campaign in campaigns for each in _coming(campaign, now)]
    return {
        "now": now.isoformat(),
        "problems": [
            *(problem for campaign in campaigns for problem in _campaign_problems(campaign)),
            *_message_problems(messages),
            *_backup_problems(backup),
        ],
        "campaigns": campaigns,
        "outbox": _by_state(messages),
        "backup": backup,
        "next": sorted(coming, key=lambda each: (each["at"], each["campaign"]))[:NEXT],
    }


def _require_tables(store: Store) -> None:
    there = {name for (name,) in store.rows("copy/tables", database="ledger")}
    if schema_tables("ledger") - there:
        raise WrongCommand("key.older_home")


def _campaign(store: Store, plan: Plan, now: datetime) -> Record:
    today = now.date()
    plan = keep_released(store, plan)
    states = phase_states(store, plan, now)
    released = {
        (row["phase"], row["round"]): row["revision"]
        for row in store.records("report/status", campaign=plan.slug)
    }
    reporting = read_reporting_of_all(store, plan, today)
    periods = {(each.phase, each.round): each.period for each in plan.calendar}
    overdue = store.records("status/overdue", campaign=plan.slug, today=today)
    return {
        "campaign": plan.slug,
        "name": plan.name,
        "name_en": plan.name_en,
        "villages": {village.code: village.name for village in plan.villages},
        "today": today.isoformat(),
        # a sweep that nobody approved has no state: it stands among the requests
        "phases": [
            _phase(each, states[key], today, released.get(key), reporting.get(key, []))
            for each in plan.calendar
            for key in [(each.phase, each.round)]
            if key in states
        ],
        "owed": [
            {
                "phase": run.phase,
                "round": run.round or None,
                "period": periods.get((run.phase, run.round)),
                "as_of": run.as_of.isoformat(),
                "because": run.because,
                "days_late": run.days_late,
                "overdue": _is_overdue(run, now),
            }
            for run in owed_runs(store, plan, now)
        ],
        "requests_waiting": [
            {
                "request": asked.id,
                "opens": asked.request.opens.isoformat(),
                "due": asked.request.due.isoformat(),
                "villages": list(asked.request.villages),
            }
            for asked in requests_of(store, plan.slug)
            if state_in(plan, asked, today) == "waiting"
        ],
        "rectifications_overdue": [row | {"due": row["due"].isoformat()} for row in overdue],
    }


def _is_overdue(run: Owed, now: datetime) -> bool:
    """Answer whether a run should have come by itself; what only has news comes tonight."""
    if run.because == "news":
        return False
    reminds = run.phase == "reminders"
    at, time_of = (run.as_of, REMINDERS_FROM) if reminds else (run.as_of + DAY, RUNS_AT)
    return now > datetime.combine(at, time_of) + GRACE


def _phase(
    occurrence: Occurrence,
    state: PhaseState,
    today: date,
    revision: int | None,
    reporting: Sequence[VillageReporting],
) -> Record:
    return {
        "phase": occurrence.phase,
        "round": occurrence.round or None,
        "period": occurrence.period,
        "ad_hoc": occurrence.ad_hoc,
        "state": state.state,
        "reopened_because": state.reason if state.state == "reopened" else None,
        "opens": occurrence.opens.isoformat(),
        "due": occurrence.due.isoformat(),
        "until": state.until.isoformat(),
        "provisional": occurrence.provisional,
        "opens_in": (occurrence.opens - today).days,
        "days_left": (state.until - today).days,
        "revision": revision,
        "reporting": _counts(reporting) if reporting else None,
        # before it opens nobody is missing
        **{
            name: [] if state.state == "planned" else _villages(reporting, name)
            for name in ("missing", "returned", "late", "extended")
        },
        "extensions": [
            {"village": each.village, "due": each.extended_to.isoformat()}
            for each in reporting
            if each.extended_to is not None and each.state != "not_expected"
        ],
    }


def _counts(reporting: Sequence[VillageReporting]) -> dict[str, int]:
    """Return process figures as DOMAIN.md section 6 names them; nil is kept apart."""
    states = [each.state for each in reporting]
    return {
        "expected": len(states) - states.count("not_expected"),
        "received": sum(state in RECEIVED_STATES for state in states),
        "on_time": states.count("on_time"),
        "nil": sum(each.nil for each in reporting),
    }


def _villages(reporting: Sequence[VillageReporting], state: str) -> list[str]:
    return [each.village for each in reporting if each.state == state]


def _coming(campaign: Record, now: datetime) -> Iterator[Record]:
    """Yield what happens after `now`: a phase opens, its due day ends, an extended day ends."""
    for phase in campaign["phases"]:
        named = {"campaign": campaign["campaign"], **_named(phase)}
        happens = [(datetime.fromisoformat(phase["opens"]), "opens")]
        ends = {
            "runs": [phase["due"], phase["until"]],
            "extension_ends": [each["due"] for each in phase["extensions"]],
        }
        for what, days in ends.items():
            after = [date.fromisoformat(day) + DAY for day in sorted(set(days))]
            happens += [(datetime.combine(day, RUNS_AT), what) for day in after]
        for at, what in happens:
            if at > now:
                yield {"at": at.isoformat(), "what": what, **named}


def _named(phase: Record) -> Record:
    return {name: phase[name] for name in ("phase", "round", "period")}


def _campaign_problems(campaign: Record) -> Iterator[Record]:
    named = {"campaign": campaign["campaign"]}
    overdue_runs = [run for run in campaign["owed"] if run["overdue"]]
    if overdue_runs:
        yield {"kind": "runs_owed", **named, "runs": overdue_runs}
    for request in campaign["requests_waiting"]:
        yield {"kind": "request_waiting", **named, **request}
    overdue = campaign["rectifications_overdue"]
    if overdue:
        villages = sorted({each["village"] for each in overdue})
        yield {
            "kind": "rectification_overdue",
            **named,
            "count": len(overdue),
            "villages": [campaign["villages"].get(code, code) for code in villages],
        }


def _message_problems(messages: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
    for row in messages:
        told = {"campaign": row["campaign"], "count": row["messages"], "problem": row["problem"]}
        if row["state"] in STUCK:
            yield {"kind": f"mail_{row['state']}", **told}
        elif row["state"] == "ready" and row["problem"] in NOBODY_ELSE_MENDS:
            yield {"kind": "mail_waiting", **told}


def _by_state(messages: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counts = dict.fromkeys(MESSAGE_STATES, 0)
    for row in messages:
        counts[row["state"]] += row["messages"]
    return counts


def _backup(store: Store, now: datetime) -> Record:
    rows = store.rows("status/last_backup")
    made_at = rows[0][0] if rows else None
    return {
        "made_at": made_at.isoformat() if made_at else None,
        "days": (now - made_at).days if made_at else None,
    }


def _backup_problems(backup: Record) -> Iterator[Record]:
    if backup["days"] is None:
        yield {"kind": "backup_none"}
    elif backup["days"] > BACKUP_DAYS:
        yield {"kind": "backup_old", "count": backup["days"]}
