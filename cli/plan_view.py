"""What `campaign plan` shows: the calendar as table and Gantt strip, or as a record for JSON."""

from dataclasses import dataclass
from datetime import date

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.plan import Occurrence, Plan
from tasks.rules.wording import current_language, say

_STRIP = 48
"""The Gantt strip's width in cells: it leaves room for the longest label on 80 columns."""


def plan_record(plan: Plan, language: str | None = None) -> dict[str, object]:
    """Return the plan's calendar as `campaign plan FILE --json` prints it.

    Days are ISO dates of the plan's time zone, `round` is null for a phase without rounds, warnings
    are texts in `language`.
    """
    return {
        "campaign": plan.slug,
        "name": plan.name,
        "purpose": plan.purpose,
        "issued": plan.issued.isoformat(),
        "ends": plan.ends.isoformat() if plan.ends else None,
        "rest_day_rule": plan.rest_day_rule,
        "warnings": [warning.text(language) for warning in plan.warnings],
        "phases": [
            {
                "phase": each.phase,
                "round": each.round or None,
                "period": each.period,
                "opens": each.opens.isoformat(),
                "due": each.due.isoformat(),
                "words": each.words,
                "rule": each.rule,
                "provisional": each.provisional,
                "ad_hoc": each.ad_hoc,
            }
            for each in plan.calendar
        ],
        "duties": [{"department": each.department, "duty": each.duty} for each in plan.duties],
    }


def show_plan(plan: Plan, console: Console, language: str | None = None) -> None:
    """Write the plan to `console`: its heading, calendar, Gantt strip, duties and warnings."""
    name = plan.name_en if (language or current_language()) == "en" else plan.name
    console.print(Text(name, style="bold"))
    console.print(Text(_summary(plan, language)), "", sep="\n")
    if plan.calendar:
        console.print(_calendar_table(plan, language), "", _strips(plan, language), sep="\n")
        console.print(Text(say("plan.legend", language), style="dim"))
    if plan.duties:
        console.print("", _duties_table(plan, language), sep="\n")
    for warning in plan.warnings:
        console.print(Text(f"! {warning.text(language)}", style="yellow"))


def name_of(occurrence: Occurrence, language: str | None = None) -> str:
    """Return what an occurrence is called: its phase, a sweep's round, its month or quarter."""
    name = say(f"phase.{occurrence.phase}", language)
    if occurrence.phase == "sweep":
        name = say("phase.with_round", language, phase=name, round=occurrence.round)
    if occurrence.period:
        name = say("phase.with_period", language, phase=name, period=occurrence.period)
    return name


def _summary(plan: Plan, language: str | None) -> str:
    return say(
        "plan.summary" if plan.ends else "plan.summary_open",
        language,
        slug=plan.slug,
        purpose=say(f"plan.purpose.{plan.purpose}", language),
        issued=plan.issued,
        ends=plan.ends,
        villages=len(plan.villages),
        rule=say(f"plan.rule.{plan.rest_day_rule}", language),
    )


def _calendar_table(plan: Plan, language: str | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("phase", "opens", "due", "words"):
        table.add_column(say(f"plan.column.{column}", language))
    weekdays = say("plan.weekdays", language).split()
    for each in plan.calendar:
        waits = each.ad_hoc and not each.approved
        words = say("plan.approval", language) if waits else each.words
        if each.provisional:
            words = say("plan.provisional", language, words=words)
        due = f"{each.due} {weekdays[each.due.weekday()]}"
        table.add_row(name_of(each, language), each.opens.isoformat(), due, words)
    return table


def _duties_table(plan: Plan, language: str | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("plan.column.department", language))
    table.add_column(say("plan.column.duty", language))
    for each in plan.duties:
        table.add_row(each.department, each.duty)
    return table


def _strips(plan: Plan, language: str | None) -> Table:
    scale = _Scale(
        min(each.opens for each in plan.calendar), max(each.due for each in plan.calendar)
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column()
    table.add_column(scale.months(), no_wrap=True)
    for each in plan.calendar:
        table.add_row(name_of(each, language), _strip(each, scale))
    return table


@dataclass(frozen=True)
class _Scale:
    """Days from `first` to `last` on the cells of a strip."""

    first: date
    last: date

    def cell(self, day: date) -> int:
        """Return the cell a day falls into, from 0."""
        days = max((self.last - self.first).days, 1)
        return (day - self.first).days * (_STRIP - 1) // days

    def months(self) -> str:
        """Return a head with each month at its first day, as far as there is room."""
        head = ""
        month = self.first
        while month <= self.last:
            place = self.cell(month)
            label = f"{month:%Y-%m}"
            if place + len(label) <= _STRIP and (not head or place > len(head)):
                head = head.ljust(place) + label
            month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        return head


def _strip(each: Occurrence, scale: _Scale) -> Text:
    opens, due = scale.cell(each.opens), scale.cell(each.due)
    strip = Text(" " * opens)
    waits = each.ad_hoc and not each.approved
    strip.append(("┄" if waits else "━") * (due - opens), style="cyan")
    strip.append("◇" if each.provisional else "◆", style="bold")
    return strip
