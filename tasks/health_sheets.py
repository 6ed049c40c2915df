"""The care groups' months with exact figures: for the health side, inside the register only.

What `campaign sheet` shows is worked out anew from the register, for this month and the five before
it, each as of its own due day. Nothing of it passes the door, so nothing of it may leave: the pages
lie in a folder of the home until their time is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tasks.audit import Act, keep_entry
from tasks.care_groups import roster_figures, roster_gaps, subsidy_accounts
from tasks.figures import RawFigure, supervision_figures
from tasks.home import Home
from tasks.plan import Occurrence, Plan
from tasks.reporting import VillageReporting, read_reporting
from tasks.rules.errors import WrongCommand
from tasks.rules.subsidies import SubsidyAccount
from tasks.store import Store
from tasks.supervise import SupervisionResult, supervise
from tasks.visits import update_visits

MONTHS = 6


@dataclass(frozen=True)
class ExactMonth:
    """One month as the register has it now. Counts of people in `figures` are exact."""

    occurrence: Occurrence
    as_of: date
    figures: tuple[RawFigure, ...]
    reporting: tuple[VillageReporting, ...]
    looked: SupervisionResult
    roster_gaps: Mapping[str, tuple[str, ...]]
    """Village -> the roles its care group lacks; a village that sent no roster is not in it."""
    subsidies: Mapping[str, SubsidyAccount]
    """Village -> its account over all months; one that reported none is not in it."""


def exact_months(
    store: Store, plan: Plan, act: Act, period: str, today: date
) -> tuple[ExactMonth, ...]:
    """Return the month `period` (2026-03) and up to five supervised before it, the oldest first.

    Each as of its due day, the newest as of `today` where that has not come: what was entered since
    counts, what was done since does not. An entry of the trail says whose visits were looked at;
    the register's due visits are left as of `today`. Raises WrongCommand where the plan supervises
    no such month, or where it has not begun.
    """
    months = sorted(
        (each for each in plan.calendar if each.phase == "supervision" and each.period),
        key=lambda each: each.round,
    )
    places = [place for place, each in enumerate(months) if each.period == period]
    if not places or months[places[0]].opens > today:
        known = [each.period for each in months if each.opens <= today]
        raise WrongCommand("sheet.no_month", known=known)
    last = places[0] + 1
    found = tuple(_exact(store, plan, each, today) for each in months[max(0, last - MONTHS) : last])
    update_visits(store, plan, today)
    keep_entry(store, act, sorted(ref for (ref,) in store.rows("visits/subjects")))
    return found


def health_sheet_path(home: Home, campaign: str, period: str, village: str) -> Path:
    """Return where a health sheet lies: `health/<slug>/<month>/<code>.html`."""
    return home.health(campaign) / period / f"{village}.html"


def _exact(store: Store, plan: Plan, occurrence: Occurrence, today: date) -> ExactMonth:
    as_of = min(occurrence.due, today)
    reporting = read_reporting(store, plan, occurrence, as_of)
    states = {each.village: each.state for each in reporting}
    looked = supervise(store, plan, occurrence, as_of, reporting=states)
    villages = [look.village for look in looked.villages]
    figures = (*supervision_figures(looked), *roster_figures(store, plan, villages, as_of))
    return ExactMonth(
        occurrence,
        as_of,
        figures,
        tuple(reporting),
        looked,
        roster_gaps(store, plan, as_of),
        subsidy_accounts(store, plan, as_of),
    )
