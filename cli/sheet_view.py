"""From exact figures to the care groups' sheets of the health side."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reports.sheets import Month, render_sheet, sheet_of
from reports.summary import Figure, Rectification, Summary, VillageReport
from tasks.figures import RawFigure
from tasks.health_sheets import ExactMonth, health_sheet_path
from tasks.home import Home, write_whole
from tasks.plan import Plan
from tasks.rectifications import Standing, escalations, read_rectifications
from tasks.rules.errors import WrongCommand
from tasks.store import Store


def write_health_sheets(
    store: Store, home: Home, plan: Plan, months: Sequence[ExactMonth], village: str | None
) -> list[Path]:
    """Write the sheets of the last of `months` (0600) and return their paths; one, or all villages.

    Sheets of the month that were there are replaced. Raises WrongCommand for a village that was not
    looked at, CheckFailed for a broken template.
    """
    this = months[-1]
    period = this.occurrence.period or ""
    looked_at = [each.village for each in this.looked.villages]
    if village is not None and village not in looked_at:
        raise WrongCommand("sheet.not_looked_at", month=period)
    summary = exact_summary(store, plan, this)
    written = []
    for code in looked_at if village is None else [village]:
        earlier = [month for each in months[:-1] if (month := _month(each, code)).figures]
        sheet = replace(
            sheet_of(summary, code, earlier),
            roles_missing=this.roster_gaps.get(code),
            subsidies=this.subsidies.get(code),
        )
        page = render_sheet(sheet, plan.language)
        path = health_sheet_path(home, plan.slug, period, code)
        write_whole(path, page.encode("utf-8"))
        written.append(path)
    return written


def exact_summary(store: Store, plan: Plan, month: ExactMonth) -> Summary:
    """Return a month with its exact figures in the form that sheets are made of."""
    occurrence = month.occurrence
    return Summary(
        campaign=plan.slug,
        name=plan.name,
        name_en=plan.name_en,
        health_centre=plan.health_centre.name,
        villages={village.code: village.name for village in plan.villages},
        earlier=(),
        phase=occurrence.phase,
        round=occurrence.round,
        revision=0,
        period=occurrence.period,
        as_of=month.as_of,
        due=occurrence.due,
        due_provisional=occurrence.provisional,
        status="due" if month.as_of >= occurrence.due else "interim",
        audience="health",
        withhold_to=plan.rules.withhold_to,
        round_to=plan.rules.round_to,
        figures=tuple(map(_figure, month.figures)),
        reporting=tuple(
            VillageReport(each.village, each.state, each.nil) for each in month.reporting
        ),
        actions={look.village: look.actions for look in month.looked.villages},
        rectifications=_rectifications(store, plan, month),
        checks=(),
        figure_changes=(),
        reporting_changes=(),
    )


def _rectifications(store: Store, plan: Plan, month: ExactMonth) -> tuple[Rectification, ...]:
    """Return what the month's look leaves open or closed, with what people did about it."""
    steps = {_key(each): each for each in read_rectifications(store, plan)}
    looks = {
        (each.rectification.village, each.rectification.shortfall): each.looks
        for each in escalations(store, plan, month.as_of, before=month.occurrence.round)
    }
    looked = month.looked
    found = []
    for this in (*looked.open, *looked.closed):
        standing = steps.get((this.village, this.shortfall, this.opened_round))
        waits = standing is not None and standing.waits_for_supervisor(month.as_of)
        found.append(
            Rectification(
                village=this.village,
                shortfall=this.shortfall,
                opened_on=this.opened_on,
                due=this.due,
                due_provisional=this.due_provisional,
                closed_on=this.closed_on if this in looked.closed else None,
                closed_by_person=standing is not None and standing.closed_by_person,
                evidence=standing.steps[-1].evidence if standing and waits else None,
                escalated=looks.get((this.village, this.shortfall), 0),
            )
        )
    return tuple(found)


def _month(month: ExactMonth, village: str) -> Month:
    own = {each.name: _figure(each) for each in month.figures if each.village == village}
    return Month(month.occurrence.round, month.occurrence.period or "", month.as_of, own)


def _figure(raw: RawFigure) -> Figure:
    state = "not_reported" if raw.value is None else "released" if raw.value else "zero"
    return Figure(raw.name, raw.unit, raw.village, raw.value, state)


def _key(each: Standing) -> tuple[str, str, int]:
    this = each.rectification
    return this.village, this.shortfall, this.opened_round
