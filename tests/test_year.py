"""Seasons and a year by a simulated clock: what was found is true, each duty was done once.

That figures, lists, queue and forgetting equal the truth is found by the command itself
(data/synthetic/comparison.py, forgotten.py), which fails otherwise. Here: states, runs, reminders
and messages, counted from the truth and the plan alone.
"""

import email
import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.season import Season
from cli.year import YEAR, busy_days, week_off
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.plan import Plan, load_plan
from tasks.rules.contract import VILLAGE_PHASES
from tasks.store import Store

DAY = timedelta(days=1)

Reminder = tuple[str, int, str, int]
"""Phase, round, recipient, and the day it was set for as a number."""


def play(*command: str) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CAMPAIGN", "PREFECT"))
    }
    done = subprocess.run(
        [sys.executable, *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=5400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plans B, C and E, as `campaign demo --year` leaves them."""
    root = tmp_path_factory.mktemp("year") / "home"
    play("-m", "cli", "demo", "--year", "--home", str(root))
    return root


@pytest.mark.slow
@pytest.mark.parametrize("slug", YEAR)
def test_the_year_equals_its_truth(whole: Path, slug: str) -> None:
    check(Home(whole / slug), slug)


def check(home: Home, slug: str) -> None:
    plan = load_plan(home.plan(slug))
    truth = json.loads((home.root / "synthetic" / slug / "truth.json").read_text("utf-8"))
    season = Season(home, slug, home.root, truth, lambda line: None)
    off = week_off(season, plan)
    assert off, "the machine was off for a week"
    with open_ledger(home) as store:
        mornings = mornings_of(store, slug)
        assert not set(off) & {day.toordinal() for day in mornings}
        assert busy_days(season, plan) & set(mornings)
        check_states(store, plan)
        check_runs(store, plan, mornings)
        check_reminders(store, plan, truth, mornings)
        check_messages(store, home)


def mornings_of(store: Store, slug: str) -> list[date]:
    """The days on which the machine was on, as far as there was anybody to remind."""
    return [
        row["as_of"]
        for row in store.records("life/runs", campaign=slug)
        if row["phase"] == "reminders"
    ]


def check_states(store: Store, plan: Plan) -> None:
    """Each phase came into each state once, in order, on its own day."""
    found: dict[tuple[str, int], list[tuple[str, date]]] = {}
    for row in store.records("life/transitions", campaign=plan.slug):
        found.setdefault((row["phase"], row["round"]), []).append((row["state"], row["on_day"]))
    wanted = {
        (each.phase, each.round): [
            ("planned", min(plan.issued, each.opens)),
            ("open", each.opens),
            ("due", each.due),
            ("closed", each.due),
        ]
        for each in plan.calendar
    }
    assert found == wanted


def check_runs(store: Store, plan: Plan, mornings: list[date]) -> None:
    """Each phase ran as of its due day, once, and its first due revision is of that day."""
    runs = store.records("life/runs", campaign=plan.slug)
    for each in plan.calendar:
        days = [
            row["as_of"] for row in runs if (row["phase"], row["round"]) == (each.phase, each.round)
        ]
        assert days.count(each.due) == 1
        assert len(days) == len(set(days))
        assert not [day for day in days if day < each.due and each.phase != "diagnosis_queue"]
    nights = [row["as_of"] for row in runs if row["phase"] == "retention"]
    assert set(nights) >= {day - DAY for day in mornings if day > plan.issued}


def check_reminders(store: Store, plan: Plan, truth: dict[str, Any], mornings: list[date]) -> None:
    """Every reminder that the plan's days and the truth's arrivals ask for, and no other."""
    wanted = reminders_owed(plan, truth, mornings)
    sent = {
        (row["phase"], row["round"], row["recipient"], row["revision"])
        for row in messages(store)
        if row["kind"] == "reminder"
    }
    assert sent == wanted
    assert wanted, "somebody was late"


def reminders_owed(plan: Plan, truth: dict[str, Any], mornings: list[date]) -> set[Reminder]:
    reported = first_reports(truth)
    found: set[Reminder] = set()
    for each in plan.calendar:
        if each.phase not in VILLAGE_PHASES:
            continue
        days = {each.due - timedelta(days=days) for days in plan.reminders.before_days}
        days |= {each.due + timedelta(days=days) for days in plan.reminders.after_days}
        for morning in mornings:
            newest = max((day for day in days if day <= morning), default=None)
            if newest is None or morning < each.opens or morning - newest > timedelta(days=14):
                continue
            if newest <= each.due < morning:
                continue
            number = int(f"{newest:%Y%m%d}")
            for village in plan.expected(each):
                came = reported.get((each.phase, each.round, village.code), date.max)
                if village.email and came >= morning:
                    found.add((each.phase, each.round, village.email, number))
    return found


def first_reports(truth: dict[str, Any]) -> dict[tuple[str, int, str], date]:
    """When the first file of a village came of which a row was accepted."""
    found: dict[tuple[str, int, str], date] = {}
    for each in truth["deliveries"]:
        counted = each["refused"] is None and any(
            sheet["accepted"] + sheet["unchanged"] for sheet in each["sheets"].values()
        )
        if counted:
            key = (each["phase"], each["round"], each["village"])
            came = datetime.fromisoformat(each["received_at"]).date()
            found[key] = min(found.get(key, came), came)
    return found


def check_messages(store: Store, home: Home) -> None:
    """Everything that was written was handed over, once."""
    rows = messages(store)
    assert {row["state"] for row in rows} == {"sent"}
    arrived = [
        email.message_from_bytes(path.read_bytes())["Message-ID"]
        for path in home.mail.glob("*.eml")
    ]
    assert len(arrived) == len(set(arrived)) == len(rows)
    assert set(arrived) == {row["message_id"] for row in rows}


def messages(store: Store) -> list[dict[str, Any]]:
    cursor = store.connection.execute("FROM ledger.out_message")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
