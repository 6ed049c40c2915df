"""What a report says in sentences: the key points, what needs doing, what changed.

The page, the plain text and nothing else take their sentences from here, so they cannot disagree.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from reports.summary import (
    Figure,
    FigureChange,
    Periods,
    Rectification,
    ReportingChange,
    Summary,
    VillageReport,
    figure_label,
)
from tasks.rules.readiness import LINES, READINESS_SHORTFALLS
from tasks.rules.rectification import FOR_MEETING
from tasks.rules.supervision import SHORTFALLS
from tasks.rules.wording import say

NEEDS_DOING = ("missing", "returned", "extended", "late", "on_time", "not_expected")
"""Reporting states, the one that needs doing most first: the order of every table of villages."""


MOST_DRAWN = 10
"""Of more villages a picture of bars has those that need something first; the table has all."""

OF_REFERRALS = ("sweep", "list_compilation", "aggregation", "diagnosis_queue")
"""The phases that tell of referrals, and so say what one is."""


@dataclass(frozen=True)
class Todo:
    """One thing that needs doing and whom it concerns."""

    what: str
    whom: tuple[str, ...]
    language: str
    by_line: bool = False
    """Whether each of `whom` says so much that it needs a line of its own."""

    def __str__(self) -> str:
        if not self.whom:
            return self.what
        if self.by_line:
            lines = "".join(f"\n  - {each}" for each in self.whom)
            return say("todo.line", self.language, what=self.what, villages=lines)
        villages = say("list.comma", self.language).join(self.whom)
        return say("todo.line", self.language, what=self.what, villages=villages)


def number(figure: Figure) -> str:
    """Return the figure's number with thousands separators; '' where there is none to show.

    Percent with one decimal, so that a column lines up; days with one where there is a half.
    """
    if figure.value is None:
        return ""
    if figure.unit == "percent":
        return f"{figure.value:.1f}"
    return f"{figure.value:,.0f}" if figure.value == int(figure.value) else f"{figure.value:,.1f}"


def amount(figure: Figure | None, language: str) -> str:
    """Return the figure as it stands in a sentence; zero, withheld and not reported differ."""
    if figure is None:
        return say("amount.not_reported", language)
    if figure.unit == "people":
        return say(f"amount.people.{figure.state}", language, value=number(figure))
    if not figure.shown:
        return say(f"amount.{figure.state}", language)
    kind = "percent" if figure.unit == "percent" else "plain"
    return say(f"amount.{kind}", language, value=number(figure))


def key_points(summary: Summary, language: str) -> list[str]:
    """Return the three to five sentences a reader needs before any table."""
    return [line for line in _KEY_POINTS[summary.phase](summary, language) if line]


def nothing_to_do(language: str) -> str:
    """Return what stands where there is nothing to do."""
    return say("todo.none", language)


_UNITS = {
    "care_roles_": "roles",
    "rectifications_": "rectifications",
    "problems_": "problems",
    "months_": "months",
    "reports": "reports",
    "guardian_contacts": "contacts",
    "rehabilitation_sessions": "sessions",
}
"""How the names of figures begin that count something else than their unit says."""


def with_unit(label: str, name: str, unit: str, language: str) -> str:
    """Return a figure's label and what it counts, where the label does not say so already.

    `name` and `unit` as in the ledger, whose `files` are a village each unless the name says
    otherwise. A percentage has its sign beside the number.
    """
    if unit == "percent":
        return label
    usual = "villages" if unit == "files" else unit
    counted = next((each for start, each in _UNITS.items() if name.startswith(start)), usual)
    of = say(f"unit.{counted}", language)
    return label if of in label.lower() else say("figure.of", language, label=label, of=of)


def things_to_do(summary: Summary, language: str) -> list[Todo]:
    """Return what needs doing: what is overdue to be made good leads, then who has not reported."""
    todo = _rectifications_overdue(summary, language) + _reports_to_chase(summary, language)
    over = [f.village for f in summary.figures if f.name == "coverage" and _over(f) and f.village]
    if over:
        todo.append(Todo(say("todo.coverage_over", language), _names(summary, over), language))
    todo += _not_ready(summary, language)
    todo += _services_to_make_good(summary, language)
    if summary.phase == "follow_up" and (overdue := _visits_overdue(summary)):
        todo.append(Todo(say("todo.visits_overdue", language), overdue, language))
    if _no_session_left(summary):
        todo.append(Todo(say("todo.sessions", language), (), language))
    return todo


def changes(summary: Summary, language: str) -> list[str]:
    """Return what differs from the revision before; [] for a first revision."""
    if summary.revision == 1:
        return []
    return change_lines(
        summary.figure_changes,
        summary.reporting_changes,
        language,
        village_name=summary.village_name,
        earlier=summary.earlier,
        periods=summary.periods,
    )


def change_lines(
    figures: Iterable[FigureChange],
    reporting: Iterable[ReportingChange],
    language: str,
    *,
    village_name: Callable[[str], str],
    earlier: tuple[str, ...],
    periods: Periods,
) -> list[str]:
    """Return what differs between two revisions, one line at least.

    `earlier` and `periods` as in a Summary.
    """
    lines = [
        say(
            "change.reporting",
            language,
            village=village_name(change.village),
            before=reporting_state(change.before, language),
            after=reporting_state(change.after, language),
        )
        for change in reporting
    ]
    lines += [
        say(
            "change.figure",
            language,
            label=figure_label(change.after.name, language, earlier, periods),
            before=amount(change.before, language),
            after=amount(change.after, language),
        )
        for change in figures
    ]
    return lines or [say("change.detail", language)]


def reporting_state(report: VillageReport, language: str) -> str:
    """Return the village's reporting state; a nil return is named beside it."""
    state = say(f"reporting.{report.state}", language)
    return say("reporting.nil", language, state=state) if report.nil else state


def status(summary: Summary, language: str) -> str:
    """Return whether the report is interim, at the due day or after it."""
    late = summary.status == "due" and summary.due is not None and summary.as_of > summary.due
    return say(f"report.status.{'after' if late else summary.status}", language)


def day(value: date, provisional: bool, language: str) -> str:
    """Return a day, and that it is provisional where it is."""
    if provisional:
        return say("report.provisional_day", language, day=value.isoformat())
    return value.isoformat()


def headings(summary: Summary, language: str) -> list[str]:
    """Return the lines under the title: what for, as of, due, status, revision, who made it."""
    lines = [say("report.as_of", language, as_of=summary.as_of.isoformat())]
    if summary.purpose is not None:
        purpose = say(f"plan.purpose.{summary.purpose}", language)
        lines.insert(0, say("report.purpose", language, purpose=purpose))
    if summary.due is not None:
        key = "report.due_provisional" if summary.due_provisional else "report.due"
        lines.append(say(key, language, due=summary.due.isoformat()))
    return [
        *lines,
        status(summary, language),
        say("report.revision", language, revision=summary.revision),
        say("report.centre", language, centre=summary.health_centre),
    ]


def footnotes(summary: Summary, language: str) -> list[str]:
    """Return the lines at the foot: how figures are protected, the marks, how the checks went.

    First what a referral is, where the report tells of referrals.
    """
    lines = [
        *([say("foot.referral", language)] if _tells_of_referrals(summary) else []),
        say(
            "foot.protection",
            language,
            withhold_to=summary.withhold_to,
            round_to=summary.round_to,
        ),
        say("foot.marks", language),
        say("foot.order", language),
    ]
    if summary.checks:
        expectations = sum(check.expectations for check in summary.checks)
        held = sum(check.held for check in summary.checks)
        lines.append(
            say(
                "foot.checks_all" if held == expectations else "foot.checks",
                language,
                suites=len(summary.checks),
                expectations=expectations,
                held=held,
            )
        )
    return lines


def _tells_of_referrals(summary: Summary) -> bool:
    """Return whether the phase is about referrals, or a pack took figures of such a phase over."""
    copied = tuple(f"{phase}_" for phase in OF_REFERRALS)
    return summary.phase in OF_REFERRALS or any(
        figure.name.startswith(copied) for figure in summary.figures
    )


def by_need(summary: Summary) -> list[VillageReport]:
    """Return the villages' reports in the order of what needs doing, then by code."""
    return sorted(summary.reporting, key=lambda r: (NEEDS_DOING.index(r.state), r.village))


def by_state(summary: Summary, language: str) -> list[list[VillageReport]]:
    """Return the villages' reports by what is said of them, in the order of what needs doing."""
    found: dict[str, list[VillageReport]] = {}
    for report in by_need(summary):
        found.setdefault(reporting_state(report, language), []).append(report)
    return list(found.values())


def villages_by_need(summary: Summary, codes: Iterable[str]) -> list[str]:
    """Return `codes` in the order of what needs doing.

    Weightiest action, a coverage that cannot be, reporting state, code.
    """
    states = {report.village: report.state for report in summary.reporting}

    def need(code: str) -> tuple[int, bool, int, str]:
        actions = summary.actions.get(code, ())
        weight = _WEIGHTS.index(actions[0]) if actions else len(_WEIGHTS)
        coverage = summary.figure("coverage", code)
        can_be = coverage is None or not _over(coverage)
        return weight, can_be, NEEDS_DOING.index(states.get(code, "not_expected")), code

    return sorted(codes, key=need)


def villages_by_readiness(summary: Summary) -> list[str]:
    """Return the villages by what they still lack: no checklist first, then the most lines."""
    states = {report.village: report.state for report in summary.reporting}

    def need(code: str) -> tuple[int, int, str]:
        state = NEEDS_DOING.index(states.get(code, "not_expected"))
        missing = lacking(summary, code)
        return (0 if missing is None else 1, state if missing is None else -len(missing), code)

    return sorted(summary.villages_with("readiness_complete"), key=need)


def lacking(summary: Summary, village: str) -> list[str] | None:
    """Return the shortfalls of a village's readiness; None where no checklist counts."""
    lines = {
        shortfall: summary.figure(f"ready_{line}", village) for line, shortfall in LINES.items()
    }
    if any(figure is None or not figure.shown for figure in lines.values()):
        return None
    return [name for name, figure in lines.items() if figure is not None and not figure.value]


def villages_by_visits(summary: Summary) -> list[str]:
    """Return the villages by the visits that are left to make: the most overdue first."""

    def number_of(name: str, code: str) -> float:
        figure = summary.figure(name, code)
        return 0.0 if figure is None or figure.value is None else figure.value

    def need(code: str) -> tuple[float, float, str]:
        made = number_of("visits_done", code) + number_of("visits_late", code)
        return -number_of("visits_overdue", code), made - number_of("visits_due", code), code

    return sorted(summary.villages_with("visits_due"), key=need)


def rectifications_by_need(summary: Summary) -> list[Rectification]:
    """Return the open rectifications by due day, so that the overdue lead; then the closed."""
    return sorted(summary.rectifications, key=lambda r: (r.closed_on is not None, r.due, r.village))


_WEIGHTS = (*READINESS_SHORTFALLS, *SHORTFALLS)
"""All shortfalls in order of weight: what should have been done before the work leads."""


def _not_ready(summary: Summary, language: str) -> list[Todo]:
    """Return what is to be prepared and by whom, a line of the checklist each."""
    lacks = {
        code: lacking(summary, code) or () for code in summary.villages_with("readiness_complete")
    }
    if summary.phase != "readiness":
        return []
    return [
        Todo(say(f"todo.{shortfall}", language), _names(summary, codes), language)
        for shortfall in LINES.values()
        if (codes := [code for code, missing in lacks.items() if shortfall in missing])
    ]


def lacking_nothing(summary: Summary) -> set[str]:
    """Return the villages with nothing to do, nothing to make good and no role unfilled."""
    to_make_good = {each.village for each in summary.rectifications if each.closed_on is None}

    def all_filled(code: str) -> bool:
        owed = summary.figure("care_roles_owed", code)
        filled = summary.figure("care_roles_filled", code)
        return owed is None or (filled is not None and filled.value == owed.value)

    villages = {report.village for report in summary.reporting} - to_make_good
    return {code for code in villages if not summary.actions.get(code) and all_filled(code)}


def _services_to_make_good(summary: Summary, language: str) -> list[Todo]:
    """Return what care groups are asked to do, the weightiest first.

    Not the report itself: who has not reported, or late, is told before.
    """
    if summary.phase != "supervision":
        return []
    asked = {
        shortfall: [code for code, actions in summary.actions.items() if shortfall in actions]
        for shortfall in _WEIGHTS
        if shortfall not in {"report_missing", "report_late"}
    }
    return [
        Todo(say(f"action.{shortfall}", language), _names(summary, codes), language)
        for shortfall, codes in asked.items()
        if codes
    ]


def _visits_overdue(summary: Summary) -> tuple[str, ...]:
    codes = [
        code
        for code in villages_by_visits(summary)
        if (figure := summary.figure("visits_overdue", code)) and figure.value
    ]
    return tuple(summary.village_name(code) for code in codes)


def _names(summary: Summary, codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(summary.village_name(code) for code in sorted(codes))


def _over(figure: Figure) -> bool:
    return figure.value is not None and figure.value > 100


def _reports_to_chase(summary: Summary, language: str) -> list[Todo]:
    todo = []
    for state in ("missing", "returned", "extended"):
        codes = [report.village for report in summary.reporting if report.state == state]
        if not codes:
            continue
        if state == "missing" and summary.status == "interim" and summary.due is not None:
            what = say("todo.missing_interim", language, due=summary.due.isoformat())
        else:
            what = say(f"todo.{state}", language)
        todo.append(Todo(what, _names(summary, codes), language))
    return todo


def _rectifications_overdue(summary: Summary, language: str) -> list[Todo]:
    """Return what is overdue, the longest first; what goes to the joint meeting leads."""
    overdue = [r for r in rectifications_by_need(summary) if is_overdue(r, summary.as_of)]
    for_meeting = [r for r in overdue if is_for_meeting(r, summary)]
    others = [r for r in overdue if r not in for_meeting]
    return [
        Todo(
            say(f"todo.rectification_{kind}", language),
            _overdue_items(summary, several, language),
            language,
            by_line=True,
        )
        for kind, several in (("for_meeting", for_meeting), ("overdue", others))
        if several
    ]


def _overdue_items(
    summary: Summary, several: Iterable[Rectification], language: str
) -> tuple[str, ...]:
    """Return a line for each shortfall, day and state, with the villages it is the same for."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for each in several:
        what = (
            say(f"shortfall.{each.shortfall}", language),
            day(each.due, each.due_provisional, language),
            rectification_state(each, summary, language),
        )
        alike.setdefault(what, []).append(summary.village_name(each.village))
    return tuple(
        say(
            "todo.rectification_item",
            language,
            village=say("list.comma", language).join(villages),
            shortfall=shortfall,
            due=due,
            state=state,
        )
        for (shortfall, due, state), villages in alike.items()
    )


def rectification_state(each: Rectification, summary: Summary, language: str) -> str:
    """Return how a rectification stood: closed and by what, open, or for how long overdue."""
    if each.closed_on is not None:
        key = "closed_by_person" if each.closed_by_person else "closed"
        return say(f"report.rectification.{key}", language, day=each.closed_on.isoformat())
    parts = [say("report.rectification.open", language)]
    if is_overdue(each, summary.as_of):
        days = (summary.as_of - each.due).days
        parts = [say("report.rectification.days_overdue", language, days=days)]
    if each.escalated:
        parts.append(say("report.rectification.escalated", language, times=each.escalated))
    if each.evidence is not None:
        kind = say(f"report.evidence.{each.evidence}", language)
        parts.append(say("report.rectification.evidence", language, kind=kind))
    return say("count.comma", language).join(parts)


def is_for_meeting(each: Rectification, summary: Summary) -> bool:
    """Return whether it is overdue at the looks of enough months for the joint meeting."""
    is_look = summary.phase == "supervision" and summary.status == "due"
    return is_overdue(each, summary.as_of) and each.escalated + is_look >= FOR_MEETING


def is_overdue(rectification: Rectification, as_of: date) -> bool:
    """Return whether it is open and its due day has passed; a due day ends at 24:00."""
    return rectification.closed_on is None and rectification.due < as_of


def _no_session_left(summary: Summary) -> bool:
    waiting = summary.figure("people_waiting")
    planned = summary.figure("sessions_planned")
    held = summary.figure("sessions_held")
    if waiting is None or planned is None or held is None:
        return False
    # A withheld number is at least one person, who waits for a session too; in a silent release it
    # may be nobody, and a session is asked for in vain
    return waiting.state in {"released", "withheld"} and planned.value == held.value


def _sentence(summary: Summary, language: str, key: str, **names: str) -> str:
    """Return the text of `key`, its fields filled with figures; '' where a figure is missing."""
    figures = {field: summary.figure(name) for field, name in names.items()}
    if any(figure is None for figure in figures.values()):
        return ""
    # A sentence of process figures needs its numbers; one about people says what is withheld.
    if any(
        f is not None and f.unit in {"households", "visits", "files", "sessions"} and not f.shown
        for f in figures.values()
    ):
        return ""
    return say(key, language, **{field: amount(f, language) for field, f in figures.items()})


def _reporting_point(summary: Summary, language: str) -> str:
    states = Counter(report.state for report in summary.reporting)
    expected = len(summary.reporting) - states["not_expected"]
    counted = ["on_time", *(s for s in ("late", "returned", "missing", "extended") if states[s])]
    parts = say("count.comma", language).join(
        say(f"count.{state}", language, count=states[state]) for state in counted
    )
    return say("count.of_villages", language, expected=expected, parts=parts)


def _reporting_totals(summary: Summary, language: str) -> str:
    """Say how many reported, for a phase that adds up others and has no states of its own."""
    if summary.reporting:
        return _reporting_point(summary, language)
    names = ("villages_expected", "villages_received", "reporting_on_time")
    figures = [figure for figure in map(summary.figure, names) if figure and figure.shown]
    if len(figures) != len(names):
        return ""
    expected, received, on_time = map(number, figures)
    parts = say("count.comma", language).join(
        [
            say("count.received", language, count=received),
            say("count.on_time", language, count=on_time),
        ]
    )
    return say("count.of_villages", language, expected=expected, parts=parts)


def _coverage_points(summary: Summary, language: str) -> list[str]:
    coverage = summary.figure("coverage")
    if coverage is None or not coverage.shown:
        return []
    lines = []
    if _over(coverage):
        lines.append(say("key.coverage_over", language, coverage=amount(coverage, language)))
    declined = "key.coverage" if summary.figure("households_declined") else "key.coverage_only"
    names = {
        "households": "households",
        "visited": "households_visited",
        "coverage": "coverage",
    }
    if declined == "key.coverage":
        names["declined"] = "households_declined"
    return [*lines, _sentence(summary, language, declined, **names)]


def _sweep(summary: Summary, language: str) -> list[str]:
    nil = summary.figure("nil_returns")
    return [
        _reporting_point(summary, language),
        *_coverage_points(summary, language),
        _sentence(summary, language, "key.referrals", referrals="referrals"),
        _sentence(summary, language, "key.no_consent", no_consent="no_consent"),
        say("key.nil", language, count=number(nil)) if nil and nil.value else "",
    ]


def _list_compilation(summary: Summary, language: str) -> list[str]:
    return [
        _sentence(summary, language, "key.list", listed="people_listed"),
        _sentence(summary, language, "key.list_new", new="people_new", known="people_known"),
        say("key.list_rule", language),
    ]


def _aggregation(summary: Summary, language: str) -> list[str]:
    coverage = summary.figure("coverage")
    lines = [
        _reporting_totals(summary, language),
        *_coverage_points(summary, language),
        _sentence(summary, language, "key.list", listed="people_listed"),
    ]
    for place, campaign in enumerate(summary.earlier, start=1):
        before = summary.figure(f"earlier{place}_coverage")
        if coverage and coverage.shown and before and before.shown:
            lines.append(
                say(
                    "key.earlier_coverage",
                    language,
                    now=amount(coverage, language),
                    before=amount(before, language),
                    campaign=campaign,
                )
            )
    return lines


def _diagnosis_queue(summary: Summary, language: str) -> list[str]:
    days = [summary.figure("waiting_median"), summary.figure("waiting_p90")]
    shown = all(figure is not None and figure.shown for figure in days)
    return [
        _sentence(summary, language, "key.queue", waiting="people_waiting", booked="people_booked"),
        _sentence(
            summary,
            language,
            "key.queue_attended",
            offered="people_offered",
            attended="people_attended",
            rate="heed_rate",
        ),
        _sentence(
            summary,
            language,
            "key.queue_assessed",
            assessed="people_assessed",
            confirmed="people_confirmed",
            not_confirmed="people_not_confirmed",
        ),
        _sentence(summary, language, "key.queue_days", median="waiting_median", p90="waiting_p90")
        if shown
        else "",
        _sentence(
            summary, language, "key.sessions", planned="sessions_planned", held="sessions_held"
        ),
    ]


def _supervision(summary: Summary, language: str) -> list[str]:
    return [
        _reporting_point(summary, language),
        _sentence(
            summary,
            language,
            "key.visits",
            due="visits_due",
            done="visits_done",
            late="visits_late",
            overdue="visits_overdue",
        ),
        _sentence(summary, language, "key.groups", updated="status_updated", met="care_group_met"),
        _sentence(
            summary,
            language,
            "key.rectifications",
            open="rectifications_open",
            opened="rectifications_opened",
            closed="rectifications_closed",
        ),
        _sentence(
            summary, language, "key.subsidies", applied="subsidy_applied", paid="subsidy_paid"
        ),
    ]


def _readiness(summary: Summary, language: str) -> list[str]:
    return [
        _reporting_point(summary, language),
        _sentence(summary, language, "key.readiness", complete="readiness_complete"),
        _sentence(
            summary,
            language,
            "key.readiness_lines",
            training="ready_training_held",
            plan="ready_plan_updated",
            drill="ready_drill_held",
            group="ready_care_group_complete",
            materials="ready_materials_delivered",
        ),
        _sentence(summary, language, "key.readiness_owed", open="rectifications_open"),
    ]


def _follow_up(summary: Summary, language: str) -> list[str]:
    entered_late = summary.figure("visits_entered_late")
    return [
        _sentence(
            summary,
            language,
            "key.follow_up",
            due="visits_due",
            done="visits_done",
            late="visits_late",
            overdue="visits_overdue",
        ),
        _sentence(
            summary,
            language,
            "key.follow_up_people",
            to_visit="people_to_visit",
            visited="people_visited",
        ),
        _sentence(summary, language, "key.follow_up_declined", declined="people_visit_declined"),
        _sentence(
            summary, language, "key.follow_up_entered_late", entered_late="visits_entered_late"
        )
        if entered_late and entered_late.value
        else "",
        _sentence(summary, language, "key.follow_up_ahead", ahead="visits_ahead"),
    ]


def _quarterly_pack(summary: Summary, language: str) -> list[str]:
    return [
        _sentence(summary, language, "key.pack_months", months="months_looked_at"),
        _sentence(
            summary,
            language,
            "key.pack_visits",
            due="visits_due",
            done="visits_done",
            late="visits_late",
            overdue="visits_overdue",
        ),
        _sentence(
            summary,
            language,
            "key.pack_rectifications",
            open="rectifications_open",
            late="rectifications_past_due",
            again="rectifications_again",
        ),
        _sentence(summary, language, "key.pack_problems", problems="problems_raised"),
        _sentence(
            summary,
            language,
            "key.pack_managed",
            registered="rate_registered",
            managed="rate_managed",
            rate="managed_rate",
        ),
    ]


_KEY_POINTS: dict[str, Callable[[Summary, str], Sequence[str]]] = {
    "readiness": _readiness,
    "sweep": _sweep,
    "list_compilation": _list_compilation,
    "aggregation": _aggregation,
    "diagnosis_queue": _diagnosis_queue,
    "follow_up": _follow_up,
    "supervision": _supervision,
    "quarterly_pack": _quarterly_pack,
}

PHASES_REPORTED = tuple(_KEY_POINTS)
"""The phases that have a page."""
