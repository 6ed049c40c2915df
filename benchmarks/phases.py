"""How long the flow of a phase takes in a common township, once what it stands on has started.

The flows run as the commands run them: in this process, against a Prefect server on loopback.
Before the clock starts that server answers, a flow that does nothing has run, and Great
Expectations has looked at tables that hold no rows.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.delivery import SLUG, Delivery, write_delivery
from benchmarks.ours import AS_OF, CAME
from cli.server import prefect_server
from tasks.at_home import open_campaign
from tasks.home import Home
from tasks.plan import Plan
from tasks.receive import receive
from tasks.set_up import set_up

VILLAGES, ROWS = 15, 2_000

SECONDS = 3.0
"""What a flow may take on top of the start of Prefect and Great Expectations."""

TURNS = 3
"""How often each is run, on a home of its own; the fastest counts."""


def shares(folder: Path, processor: Callable[[], float]) -> dict[str, tuple[float, float]]:
    """Return phase -> share of `SECONDS`: on the clock, and of `processor`, which tells seconds.

    The homes lie in `folder`. What the server works is not in the second.
    """
    first = Home(folder / "home")
    delivery = write_delivery(folder, ROWS, VILLAGES)
    plan = set_up(first, write_plan(folder, delivery.plan))
    with prefect_server(Home(folder / "server")) as wait:
        _use(first)
        _take_in(first, plan, delivery)
        homes = [_copied(first, folder / f"home-{turn}") for turn in range(TURNS)]
        wait()
        _start(plan)
        turns = [_run_all(home, processor) for home in homes]
    return {
        phase: (
            min(turn[phase][0] for turn in turns) / SECONDS,
            min(turn[phase][1] for turn in turns) / SECONDS,
        )
        for phase in AS_OF
    }


def write_plan(folder: Path, plan: Plan) -> Path:
    """Write a plan of the benchmark as the file that `campaign init` reads; return its path."""
    phases = "".join(
        f'[[phases]]\nphase = "{each.phase}"\n{f"round = {each.round}" if each.round else ""}\n'
        f"opens = {each.opens}\ndue = {each.due}\n"
        for each in plan.calendar
    )
    villages = [
        f"{each.code},{each.name},{each.households},,,{each.email}\n" for each in plan.villages
    ]
    listed = folder / "villages.csv"
    listed.write_text(
        f"code,name,households,opened,closed,email\n{''.join(villages)}", encoding="utf-8"
    )
    path = folder / "plan.toml"
    path.write_text(
        f'slug = "{plan.slug}"\nname = "{plan.name}"\nname_en = "{plan.name_en}"\n'
        f'purpose = "{plan.purpose}"\nissued = {plan.issued}\n'
        f'rest_day_rule = "{plan.rest_day_rule}"\nvillages = "{listed.name}"\n'
        f'[health_centre]\ncode = "{plan.health_centre.code}"\n'
        f'name = "{plan.health_centre.name}"\n'
        f"[recipients]\nhealth = {list(plan.recipients.health)}\n"
        f"office = {list(plan.recipients.office)}\n{phases}",
        encoding="utf-8",
    )
    return path


def _use(home: Home) -> None:
    os.environ["CAMPAIGN_HOME"] = str(home.root)


def _take_in(home: Home, plan: Plan, delivery: Delivery) -> None:
    """Take everything in; ends the run where a file was refused."""
    with open_campaign(SLUG, "receive", "benchmark") as at:
        taken = receive(
            at.store,
            home,
            {plan.slug: plan},
            delivery.files,
            received_at=CAME,
            recorded_at=at.now,
            act=at.act,
        )
    if any(each.result.refused for each in taken):
        raise SystemExit("a file of the benchmark was refused")


def _copied(home: Home, root: Path) -> Home:
    shutil.copytree(home.root, root)
    return Home(root)


def _start(plan: Plan) -> None:
    """Have Prefect and Great Expectations do all that they do only once."""
    from prefect import flow  # noqa: PLC0415 # Prefect reads its settings on import

    from flows.steps import in_this_process  # noqa: PLC0415 # the same
    from tasks.checks import check_tables  # noqa: PLC0415 # seconds, and only here

    with in_this_process():
        flow(name="nothing")(lambda: None)()
    with open_campaign(plan.slug, "benchmark", "start") as at:
        tables = ("stg_readiness", "reg_queue")
        check_tables(at.store, tables, campaign="", phase="readiness", round=0, revision=0)


def _run_all(home: Home, processor: Callable[[], float]) -> dict[str, tuple[float, float]]:
    """Return phase -> seconds, and of them those of `processor`, of one run after another."""
    from flows.phase_flows import run  # noqa: PLC0415 # Prefect reads its settings on import

    _use(home)
    found = {}
    for phase, as_of in AS_OF.items():
        start, busy = time.perf_counter(), processor()
        receipt = run(phase, SLUG, as_of)
        found[phase] = (time.perf_counter() - start, processor() - busy)
        if not receipt.is_new:
            raise SystemExit(f"{phase} released nothing new")
    return found
