"""The health centre's files: the standing register once, then each month's follow-up visits."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from data.synthetic.messes import NO_CONSENT, OF_A_PAIR, Deal, Setting, spoil
from data.synthetic.population import Population, Registered, weighted
from data.synthetic.submissions import Post, Row, Sender, Values, at_minute, moment
from tasks.plan import Plan

CLINICIANS = tuple(f"{110990000000000 + number}" for number in range(6))
"""Licences of those who visit. A plan that lists its clinicians lists these."""

_UNSTABLE_DAYS = 14
_LATER_FILE_MISTAKES = 2
_MORNING = range(8 * 60, 12 * 60)
_AFTERNOON = range(14 * 60, 17 * 60)

_HABITS = {"in_time": 80, "late": 11, "nobody_first": 5, "never": 4}
_NEXT_STABILITY = {
    "stable": {"stable": 90, "basically_stable": 6, "unstable": 4},
    "basically_stable": {"stable": 50, "basically_stable": 50},
    "unstable": {"stable": 20, "basically_stable": 30, "unstable": 50},
}
_RATINGS = {"stable": (0,), "basically_stable": (1, 2), "unstable": (3, 4)}


@dataclass(eq=False)
class Listed:
    """A person on the register with the last visit before it was sent."""

    entry: Registered
    last_visited_on: date | None
    first_due: date


@dataclass(eq=False)
class Visit:
    """One visit, or an attempt at one. Days are days of the plan's time zone."""

    listed: Listed
    visited_on: date
    entered_on: date
    counts: bool
    """Whether the person or the guardian was seen: only then is the visit that was due made."""
    values: Values
    stability: str
    """As the clinician found it; means nothing where nobody was seen."""


@dataclass(frozen=True)
class Due:
    """A visit that fell due and the one that met it, if any did."""

    due_on: date
    visit: Visit | None


def dues(listed: Listed, visits: Sequence[Visit]) -> list[Due]:
    """Return what fell due for a person, given the visits that are known, oldest first.

    The interval is that of 国家基本公共卫生服务规范（第三版）: unstable two weeks; stable three
    months; basically stable two weeks, and one month if the visit before found the same.
    """
    found = []
    due_on, before = listed.first_due, None
    for visit in sorted((each for each in visits if each.counts), key=lambda each: each.visited_on):
        found.append(Due(due_on, visit))
        due_on = next_due(visit.visited_on, visit.stability, before)
        before = visit.stability
    return [*found, Due(due_on, None)]


def next_due(visited_on: date, stability: str | None, before: str | None) -> date:
    """Return when the next visit is due; `before` is what the visit before this one found."""
    if stability in ("stable", None):
        return _months_later(visited_on, 3)
    if stability == "basically_stable" and before == "basically_stable":
        return _months_later(visited_on, 1)
    return visited_on + timedelta(days=_UNSTABLE_DAYS)


def _months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def send_register(
    post: Post, plan: Plan, centre: Sender, population: Population, draw: Random, arrival: date
) -> tuple[list[Listed], list[Registered]]:
    """Send the standing register and, two days later, its correction.

    Returns who is on the register in the end, and whose row was right at once.
    """
    everybody = [_listed(each, arrival, draw) for each in population.registered]
    line = list(everybody)
    draw.shuffle(line)
    unwilling = [line.pop() for _ in range(min(2, len(line) // 6))]
    deal = Deal("registered_person", draw)
    wrong = {line.pop(): next(deal) for _ in range(min(len(line) // 2, len(deal.undealt)))}
    # one mistake is never put right: that person does not come onto the register
    stuck = set(list(wrong)[:1]) if len(wrong) > 4 else set()
    setting = Setting(arrival, population.elsewhere, draw)
    rows = []
    for at, listed in enumerate(everybody):
        number = listed.entry.register_no
        row = Row(_register_row(listed), number, number)
        if listed in unwilling:
            row.values.update(NO_CONSENT[at % len(NO_CONSENT)])
            row.consent = False
        elif listed in wrong:
            row.fails = (wrong[listed],)
            row.values = spoil("registered_person", wrong[listed], row.values, setting)
        rows.append(row)
    rows += [
        Row(dict(row.values), row.key, row.who) for row in rows if row.consent and not row.fails
    ][:1]
    of_plan = follow_up_round(plan, arrival)
    sheets = {"registered_person": rows}
    post.send(centre, "follow_up", of_plan, moment(draw, arrival, _MORNING), sheets)
    corrected = [
        Row(_register_row(listed), listed.entry.register_no, listed.entry.register_no)
        if listed in wrong and listed not in stuck
        else row
        for listed, row in zip(everybody, rows, strict=False)
    ]
    later = moment(draw, arrival + timedelta(days=2), _MORNING)
    post.send(centre, "follow_up", of_plan, later, {"registered_person": corrected})
    out = {*unwilling, *stuck}
    kept = [listed for listed in everybody if listed not in out]
    return kept, [listed.entry for listed in kept if listed not in wrong]


def follow_up_round(plan: Plan, day: date) -> int:
    """Return the round of the follow-up phase that `day` belongs to: 0 where it has none."""
    rounds = sorted((each.opens, each.round) for each in plan.calendar if each.phase == "follow_up")
    begun = [number for opens, number in rounds if opens <= day]
    return begun[-1] if begun else rounds[0][1]


def draw_visits(listed: Sequence[Listed], arrival: date, last: date, draw: Random) -> list[Visit]:
    """Return the visits made from the `arrival` of the register to the day `last`."""
    visits: list[Visit] = []
    for each in listed:
        due_on = each.first_due
        found, before = each.entry.stability, None
        while due_on <= last:
            made = _meet(each, due_on, arrival, found, draw)
            made = [visit for visit in made if visit.visited_on <= last]
            visits += made
            if not made or not made[-1].counts:
                break
            due_on = next_due(made[-1].visited_on, made[-1].stability, before)
            found = before = made[-1].stability
    return sorted(visits, key=lambda each: (each.entered_on, each.listed.entry.register_no))


def send_visits(
    post: Post,
    plan: Plan,
    centre: Sender,
    visits: Sequence[Visit],
    arrivals: Sequence[date],
    draw: Random,
    elsewhere: Sequence[str],
) -> None:
    """Send a file on each of `arrivals` with the visits entered before it, then its correction."""
    unknown = () if plan.health_centre.clinicians else ("clinician_known",)
    deal = Deal("follow_up", draw, without=frozenset((*OF_A_PAIR, *unknown)))
    is_paired = False
    waiting = list(visits)
    before: list[Row] = []
    for arrival in arrivals:
        due = [visit for visit in waiting if visit.entered_on < arrival]
        waiting = [visit for visit in waiting if visit.entered_on >= arrival]
        if not due:
            continue
        setting = Setting(arrival, elsewhere, draw)
        count = min(len(due) // 3, max(_LATER_FILE_MISTAKES, len(deal.undealt)))
        pair = () if is_paired else _tried_and_met(due)
        is_paired = is_paired or bool(pair)
        # the pair first, so that both of it are put right together
        wrong = dict(zip(pair, OF_A_PAIR, strict=False))
        others = [visit for visit in due if visit not in pair]
        wrong |= {visit: next(deal) for visit in draw.sample(others, min(count, len(others)))}
        overlooked = set(list(wrong)[10:])
        first, second = [], []
        for visit in due:
            right = _visit_row(visit)
            row = right
            if visit in wrong:
                rule = wrong[visit]
                spoiled = spoil("follow_up", rule, right.values, setting)
                row = Row(spoiled, right.key, right.who, (rule,), about=visit)
            first.append(row)
            second.append(row if visit in overlooked else right)
        # what was sent last month already, and a row that was pasted twice
        extra = [*before, *[row for row in first if not row.fails][:1]]
        number = follow_up_round(plan, arrival)
        at = moment(draw, arrival, _MORNING)
        post.send(centre, "follow_up", number, at, {"follow_up": [*first, *extra]})
        if wrong:
            at = at_minute(arrival + timedelta(days=1), draw.choice(_AFTERNOON))
            post.send(centre, "follow_up", number, at, {"follow_up": second})
        before = [row for row in first if not row.fails][-2:]


def _tried_and_met(visits: Sequence[Visit]) -> tuple[Visit, ...]:
    """Return an attempt and the visit at which the person was met next, the only two of a person.

    Nothing where there are no such two.
    """
    for tried in visits:
        own = [each for each in visits if each.listed is tried.listed]
        if not tried.counts and len(own) == 2:
            met = max(own, key=lambda each: each.visited_on)
            if met.visited_on > tried.visited_on and met.values["seen"] == "person":
                return tried, met
    return ()


def _listed(entry: Registered, arrival: date, draw: Random) -> Listed:
    if entry.stability is None and draw.random() < 0.5:
        # nobody wrote down a visit since the diagnosis
        return Listed(entry, None, next_due(entry.confirmed_on, None, None))
    span = 85 if entry.stability in ("stable", None) else _UNSTABLE_DAYS - 1
    last = max(entry.confirmed_on, arrival - timedelta(days=draw.randint(1, span)))
    return Listed(entry, last, next_due(last, entry.stability, None))


def _register_row(listed: Listed) -> Values:
    entry, person = listed.entry, listed.entry.person
    return {
        "register_no": entry.register_no,
        "full_name": person.full_name,
        "sex": person.sex,
        "birth_date": person.birth_date,
        "resident_id": entry.resident_id,
        "residence_village": person.residence,
        "registered_village": person.registered,
        "phone": entry.phone,
        "consent_by": entry.consent_by,
        "consent_date": entry.confirmed_on + timedelta(days=7),
        "consent_scope": "assessment_and_management",
        "diagnosis": entry.diagnosis,
        "confirmed_on": entry.confirmed_on,
        "psychiatrist_licence": entry.licence,
        "stability": entry.stability,
        "last_visited_on": listed.last_visited_on,
    }


def _meet(
    listed: Listed, due_on: date, arrival: date, found: str | None, draw: Random
) -> list[Visit]:
    """Return what is done about a visit that falls due: nothing, a visit, or an attempt first."""
    habit = weighted(draw, _HABITS)
    if habit == "never":
        return []
    stability = _next_stability(listed, found, draw)
    if habit == "in_time" and due_on >= arrival:
        on = max(arrival, due_on - timedelta(days=draw.randint(0, 5)))
        return [_visit(listed, on, draw, stability)]
    # what was overdue before the register came is made up for some weeks into the campaign
    late = max(due_on, arrival) + timedelta(days=draw.randint(3, 12))
    tried = late - timedelta(days=2)
    visit = _visit(listed, late, draw, stability)
    return [_attempt(listed, tried, draw), visit] if habit == "nobody_first" else [visit]


def _next_stability(listed: Listed, found: str | None, draw: Random) -> str:
    weights = dict(_NEXT_STABILITY[found or "stable"])
    if listed.entry.stability == "basically_stable":
        # whether the register's own entry counts as "the visit before" is open; keep out of it
        del weights["basically_stable"]
    return weighted(draw, weights)


def _visit(listed: Listed, on: date, draw: Random, stability: str) -> Visit:
    late_entry = draw.random() < 0.03
    entered = on + timedelta(days=draw.randint(32, 40) if late_entry else draw.randint(0, 2))
    values: Values = {
        **_common(listed, on, entered, draw),
        "mode": draw.choice(("home", "home", "clinic", "phone")),
        "seen": draw.choice(("person", "person", "person", "guardian")),
        "stability": stability,
        "rating": draw.choice(_RATINGS[stability]),
        "medication": weighted(draw, {"1": 75, "2": 14, "3": 7, "4": 4}),
        "adverse_reaction": "yes" if draw.random() < 0.1 else "no",
    }
    return Visit(listed, on, entered, True, values, stability)


def _attempt(listed: Listed, on: date, draw: Random) -> Visit:
    entered = on + timedelta(days=draw.randint(0, 2))
    values: Values = {
        **_common(listed, on, entered, draw),
        "mode": "home",
        "seen": draw.choice(("nobody", "nobody", "other")),
        "stability": None,
        "rating": None,
        "medication": None,
        "adverse_reaction": None,
        "lost_reason": draw.choice(("working_away", "no_contact", None)),
    }
    return Visit(listed, on, entered, False, values, "")


def _common(listed: Listed, on: date, entered: date, draw: Random) -> Values:
    return {
        "register_no": listed.entry.register_no,
        "visited_on": on,
        "entered_on": entered,
        "lost_reason": None,
        "clinician_licence": draw.choice(CLINICIANS),
    }


def _visit_row(visit: Visit) -> Row:
    key = f"{visit.values['register_no']}|{visit.visited_on}"
    return Row(dict(visit.values), key, key, about=visit)


def monthly_arrivals(plan: Plan, first: date, last_month: date, draw: Random) -> list[date]:
    """Return the days on which the months' files arrive, from the month of `first` on.

    A file arrives early in the following month, and in time for that month's supervision.
    """
    dues_by_month = {
        each.period: each.due
        for each in plan.calendar
        if each.phase == "supervision" and each.period
    }
    arrivals = []
    month = first.replace(day=1)
    while month <= last_month:
        following = _months_later(month, 1)
        arrival = following + timedelta(days=draw.randint(0, 1))
        due = dues_by_month.get(f"{month:%Y-%m}")
        arrivals.append(arrival if due is None else min(arrival, due))
        month = following
    return arrivals
