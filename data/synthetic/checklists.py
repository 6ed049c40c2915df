"""The sheets with one row a village: readiness, and the service of a month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from data.synthetic.messes import Deal, Setting, spoil
from data.synthetic.submissions import Post, Row, Sender, Values, at_minute, between
from tasks.plan import Occurrence
from tasks.rules.contract import CHOICES, SHEETS
from tasks.rules.deadlines import read_period

LATER_MISTAKES = 2
_FIRST_TRY = 9 * 60
_BETWEEN_TRIES = 40
_TRAINED = 3
"""Of how many roles, the first ones, it is known when whoever has them was trained."""


@dataclass(frozen=True)
class _Roles:
    late: str | None
    missing: str | None
    stuck: str | None
    """Sends one wrong file after the other, and no right one."""
    slow: str | None
    """Is returned by the due day and right after it."""
    again: str | None
    """Sends its right file twice."""
    clumsy: tuple[str, ...]
    """Need several tries, all in time."""


def _share_roles(draw: Random, codes: Sequence[str]) -> _Roles:
    line = list(codes)
    draw.shuffle(line)
    late = line.pop() if len(codes) >= 2 else None
    stuck = line.pop() if len(codes) >= 3 else None
    missing = line.pop() if len(codes) >= 4 else None
    slow = line.pop() if len(codes) >= 5 else None
    again = line.pop() if len(codes) >= 7 else None
    clumsy = tuple(line[: max(1, len(line) // 3)])
    return _Roles(late, missing, stuck, slow, again, clumsy)


def send_checklists(
    post: Post,
    occurrence: Occurrence,
    senders: Sequence[Sender],
    draw: Random,
    elsewhere: Sequence[str],
    *,
    first: bool,
) -> None:
    """Send every village's sheet for `occurrence`; the `first` time every rule is broken once.

    The roster of its care group goes with the first one, and some of it comes back.
    """
    sheet = _SHEETS[occurrence.phase]
    roles = _share_roles(draw, [sender.code for sender in senders])
    tries = _deal_tries(draw, sheet, roles, first=first)
    since = occurrence.opens
    if occurrence.period is not None:
        after = read_period(occurrence.period).last + timedelta(days=1)
        # a due day that a holiday moves into the month itself leaves no day after the month
        since = min(after, occurrence.due)
    roster_rules = iter([rule.name for rule in SHEETS["care_group"].rules])
    for sender in senders:
        if sender.code == roles.missing:
            continue
        due = occurrence.due
        day = between(draw, max(since, due - timedelta(days=6)), due)
        if sender.code == roles.late:
            day = due + timedelta(days=draw.randint(2, 5))
        values = _values(sheet, occurrence, sender.code, day, draw)
        setting = Setting(day, elsewhere, draw)
        at = at_minute(day, _FIRST_TRY)
        for rule in tries.get(sender.code, ()):
            wrong = spoil(sheet, rule, values, setting)
            rows = {sheet: [Row(wrong, sender.code, sender.code, (rule,))]}
            post.send(sender, occurrence.phase, occurrence.round, at, rows)
            at += timedelta(minutes=_BETWEEN_TRIES)
        if sender.code == roles.stuck:
            continue
        if sender.code == roles.slow:
            at += timedelta(days=(due - day).days + draw.randint(1, 3))
        right = {sheet: [Row(values, sender.code, sender.code)]}
        group = _roster(sender.code, day) if first else []
        broken = next(roster_rules, None) if first else None
        if group:
            right["care_group"] = group if broken is None else _one_wrong(group, broken, setting)
        sent = post.send(sender, occurrence.phase, occurrence.round, at, right)
        if broken is not None:
            corrected = at + timedelta(minutes=_BETWEEN_TRIES)
            roster = {"care_group": group}
            post.send(sender, occurrence.phase, occurrence.round, corrected, roster)
        if sender.code == roles.again:
            post.again(sent, at + timedelta(minutes=_BETWEEN_TRIES))


_SHEETS = {"readiness": "readiness", "supervision": "service_month"}


def _roster(code: str, arrival: date) -> list[Row]:
    """Return a care group by roles; which of them nobody has goes by the village's code."""
    rows = []
    for place, role in enumerate(CHOICES["care_role"]):
        filled = (int(code) + place) % 5 > 0
        trained = arrival - timedelta(days=30 + place) if filled and place < _TRAINED else None
        values: Values = {
            "village_code": code,
            "role": role,
            "filled": "yes" if filled else "no",
            "trained_on": trained,
        }
        rows.append(Row(values, role, role))
    return rows


def _one_wrong(roster: Sequence[Row], rule: str, setting: Setting) -> list[Row]:
    """Return the roster with one row, of a role that is filled, that breaks `rule`."""
    at = next(place for place, row in enumerate(roster) if row.values["filled"] == "yes")
    row = roster[at]
    wrong = spoil("care_group", rule, row.values, setting)
    return [*roster[:at], Row(wrong, row.key, row.who, (rule,)), *roster[at + 1 :]]


def _deal_tries(draw: Random, sheet: str, roles: _Roles, *, first: bool) -> Mapping[str, list[str]]:
    """Return the rules each village breaks, one file after the other."""
    deal = Deal(sheet, draw)
    tries: dict[str, list[str]] = {}
    for code in (roles.stuck, roles.slow):
        if code is not None:
            tries[code] = [next(deal)]
    line = [*roles.clumsy, *tries]
    for at in range(len(deal.undealt) if first else LATER_MISTAKES):
        tries.setdefault(line[at % len(line)], []).append(next(deal))
    return tries


def _values(sheet: str, occurrence: Occurrence, code: str, arrival: date, draw: Random) -> Values:
    if sheet == "readiness":
        return _readiness(occurrence, code, arrival, draw)
    return _service_month(occurrence, code, arrival, draw)


def _readiness(occurrence: Occurrence, code: str, arrival: date, draw: Random) -> Values:
    first = occurrence.opens - timedelta(days=10)
    return {
        "village_code": code,
        "training_date": between(draw, first, arrival) if draw.random() < 0.9 else None,
        "trained_people": draw.randint(4, 25),
        "emergency_plan_updated": _yes(draw, 0.85),
        "drill_date": between(draw, first, arrival) if draw.random() < 0.8 else None,
        "care_group_complete": _yes(draw, 0.8),
        "materials_delivered": _yes(draw, 0.9),
    }


def _service_month(occurrence: Occurrence, code: str, arrival: date, draw: Random) -> Values:
    month = read_period(occurrence.period or "")
    applied = draw.randint(0, 6)
    unpaid = draw.randint(1, applied) if applied and draw.random() < 0.25 else 0
    updated = between(draw, month.first, min(month.last, arrival))
    return {
        "village_code": code,
        "month": month.name,
        "care_group_met": _yes(draw, 0.85),
        "status_updated_on": updated if draw.random() < 0.85 else None,
        "guardian_contacts": draw.randint(0, 12),
        "rehabilitation_sessions": draw.randint(0, 4),
        "subsidy_applied": applied,
        "subsidy_reviewed": applied,
        "subsidy_paid": applied - unpaid,
        "problems_raised": draw.randint(0, 3),
    }


def _yes(draw: Random, share: float) -> str:
    return "yes" if draw.random() < share else "no"
