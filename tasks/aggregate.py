"""The township's summary: reporting and coverage of the last round, people as released."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from tasks.figures import TOWNSHIP
from tasks.plan import Plan, occurrence_at
from tasks.publish import Findings, released_figures
from tasks.reporting import read_reporting, sweep_figures
from tasks.rules.checking import SuiteResult
from tasks.rules.disclosure import Figure
from tasks.store import Store

OWN = (
    "villages_expected",
    "villages_received",
    "reporting_on_time",
    "households",
    "households_visited",
)
COMPARED = {"coverage": "percent", "people_listed": "people", "reporting_on_time": "files"}
"""What is set beside earlier campaigns, with its unit."""


def aggregate(store: Store, plan: Plan, as_of: date, checks: Sequence[SuiteResult]) -> Findings:
    """Return the township's figures: process figures of the last sweep round due, villages beside.

    People listed is the figure the list's newest revision released, and earlier campaigns' figures
    are those they released: nothing about people is computed anew here, so nothing new is told.
    What was never released is not reported, which is not zero.
    """
    occurrence = occurrence_at(plan, "sweep", as_of)
    reporting = read_reporting(store, plan, occurrence, as_of)
    own = sweep_figures(store, plan, occurrence.round, reporting)
    listed = released_figures(store, plan.slug, "list_compilation").get("people_listed")
    copied = [listed or Figure("people_listed", "people", TOWNSHIP, None, "not_reported")]
    for number, slug in enumerate(plan.earlier, start=1):
        earlier = released_figures(store, slug, "aggregation")
        for name, unit in COMPARED.items():
            new_name = f"earlier{number}_{name}"
            figure = earlier.get(name, Figure(new_name, unit, TOWNSHIP, None, "not_reported"))
            copied.append(replace(figure, name=new_name))
    return Findings([figure for figure in own if figure.name in OWN], copied=copied, checks=checks)
