"""A quarter for the joint meeting: its months as released, earlier quarters, what is still open.

What a month, a sweep or a list released of people is taken over as it was released; nothing about
people is counted anew but for the national rates, which pass the door like any count.
"""

from collections.abc import Sequence
from datetime import date, datetime

from tasks.figures import TOWNSHIP, RawFigure
from tasks.meeting import incomplete_rosters, read_decisions
from tasks.national_rates import national_figures
from tasks.plan import Occurrence, Plan
from tasks.publish import Findings
from tasks.rectifications import escalations, read_rectifications
from tasks.rules.checking import SuiteResult
from tasks.rules.deadlines import Period, read_period
from tasks.rules.disclosure import Figure
from tasks.rules.meeting import EARLIER_QUARTERS, months_of, quarter_before, to_be_reported
from tasks.store import Store

SUMMED = (
    "reporting_on_time",
    "reporting_late",
    "reporting_missing",
    "reporting_returned",
    "status_updated",
    "care_group_met",
    "visits_due",
    "visits_done",
    "visits_late",
    "guardian_contacts",
    "rehabilitation_sessions",
    "rectifications_opened",
    "rectifications_closed",
)
"""Figures about the work of a month; over the months of a quarter they add up."""

STANDING = ("visits_overdue", "rectifications_open")
"""Figures of what stands at the day of a look: the quarter's is that of its last look."""

OF_VILLAGES = (
    "reporting_on_time",
    "reporting_missing",
    "reporting_returned",
    "visits_due",
    "visits_done",
    "visits_overdue",
)
"""What is told of single villages, beside their rectifications and the problems they raised."""


def quarter_findings(
    store: Store,
    plan: Plan,
    occurrence: Occurrence,
    as_of: date,
    now: datetime,
    checks: Sequence[SuiteResult],
) -> Findings:
    """Return what the pack of the quarter `occurrence.period` holds, as of the end of `as_of`.

    Plain names are the quarter's: sums of what its months released of the work, what stands open,
    problems raised, and people of the national rates. `month1_…` to `month3_…` are its months,
    `quarter1_…` and so on sums of the quarters before, the latest first; `<phase>_<round>_…` what
    other phases released in it. The register has to be open: visits due are worked out anew for the
    rates. `now` is wall time of the plan's time zone: what was decided later is no news.
    """
    quarter = read_period(occurrence.period or "")
    months = months_of(quarter.name)
    store.run("quarter/looks", campaigns=[plan.slug, *plan.earlier], as_of=as_of)
    return Findings(
        [
            *_sums(store, quarter.name),
            *_rectifications(store, plan, as_of),
            *_problems(store, plan, occurrence, quarter),
            *national_figures(store, plan, min(as_of, quarter.last)),
        ],
        copied=[
            *(
                Figure(f"month{months.index(period) + 1}_{name}", unit, TOWNSHIP, value, state)
                for period, name, unit, value, state in store.rows(
                    "quarter/months", quarter=quarter.name
                )
            ),
            *(
                Figure(f"{phase}_{round}_{name}", unit, TOWNSHIP, value, state)
                for phase, round, name, unit, value, state in store.rows(
                    "quarter/others",
                    campaign=plan.slug,
                    as_of=as_of,
                    first=quarter.first,
                    last=quarter.last,
                )
            ),
        ],
        checks=checks,
        besides=_besides(store, plan, occurrence, as_of, now),
    )


def _sums(store: Store, quarter: str) -> list[RawFigure]:
    """Return the quarter's sums, of the township and its villages, and those of quarters before."""
    quarters = [quarter_before(quarter, back) for back in range(EARLIER_QUARTERS + 1)]
    prefixes = {name: f"quarter{back}_" if back else "" for back, name in enumerate(quarters)}
    counted = dict(store.rows("quarter/counted"))
    found = [
        RawFigure(f"{prefixes[name]}months_looked_at", "files", TOWNSHIP, counted.get(name, 0))
        for name in quarters
        if name == quarter or name in counted
    ]
    rows = store.rows(
        "quarter/sums", quarters=quarters, names=[*SUMMED, *STANDING], standing=list(STANDING)
    )
    # what is open now is told as of now
    return found + [
        RawFigure(f"{prefixes[name]}{figure}", unit, village, value)
        for name, figure, unit, village, value in rows
        if (not village or figure in OF_VILLAGES)
        and not (name == quarter and figure == "rectifications_open")
    ]


def _rectifications(store: Store, plan: Plan, as_of: date) -> list[RawFigure]:
    open_now = [
        each.rectification.village
        for each in read_rectifications(store, plan)
        if each.rectification.open_on(as_of)
    ]
    late = escalations(store, plan, as_of)
    counts = {
        "rectifications_open": len(open_now),
        "rectifications_past_due": len(late),
        "rectifications_again": sum(each.for_meeting for each in late),
    }
    return [RawFigure(name, "files", TOWNSHIP, value) for name, value in counts.items()] + [
        RawFigure("rectifications_open", "files", village.code, open_now.count(village.code))
        for village in plan.villages
    ]


def _problems(store: Store, plan: Plan, occurrence: Occurrence, quarter: Period) -> list[RawFigure]:
    """Return the problems that villages raised in the quarter; None where none reported."""
    raised: dict[str, int] = {}
    for village, _, problems in store.rows(
        "quarter/problems", campaign=plan.slug, first=quarter.first, last=quarter.last
    ):
        raised[village] = raised.get(village, 0) + problems
    expected = [village.code for village in plan.expected(occurrence)]
    known = [raised[code] for code in expected if code in raised]
    return [
        RawFigure("problems_raised", "files", TOWNSHIP, sum(known) if known else None),
        *(RawFigure("problems_raised", "files", code, raised.get(code)) for code in expected),
    ]


def _besides(
    store: Store, plan: Plan, occurrence: Occurrence, as_of: date, now: datetime
) -> tuple[str, ...]:
    """Return what else the pack shows, which stands in the ledger already, a line each.

    For how many days something is overdue is left out: a day more is no news.
    """
    decisions = to_be_reported(read_decisions(store, plan.slug, now), occurrence.due, as_of)
    late = {each.rectification: each.for_meeting for each in escalations(store, plan, as_of)}
    return (
        *(
            f"{each.number} {each.result} {each.result_on} {each.is_overdue(as_of)}"
            for each in decisions
        ),
        *(
            f"{each.village} {each.shortfall} {each.opened_round} {each.due} {late.get(each)}"
            for each in (known.rectification for known in read_rectifications(store, plan))
            if each.open_on(as_of)
        ),
        *incomplete_rosters(store, plan.slug, occurrence.period or "", as_of, now),
    )
