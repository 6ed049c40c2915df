"""When a follow-up visit (随访) falls due, what meets it, and what closes it.

Source: 国家基本公共卫生服务规范（第三版）, the service for people with severe mental disorders.
Unstable: within 2 weeks. Basically stable: after 2 weeks, then after 3 months if stable by then,
else after 1 month. Stable: every 3 months. `sql/visits/` computes the same over the whole register;
a test holds the two together.

A person owes no more than one visit at a time. A row of a follow_up sheet does one of these:

- it meets the visit that is owed, and sets the next one (`made`);
- it closes it without a visit: `declined` (谢绝; the next one falls due by the interval), `moved`
  (迁居), `transferred` (转出) or `died` (死亡), after which nothing is due. Somebody who moved or
  was transferred and is met again is back; of the dead nothing is due ever;
- it is an attempt, at which nobody was met (`tried`), or says nothing of the visit (`told`).
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

COUNTED_SEEN = ("person", "guardian")
"""Whom a visit must have met to count."""

ENDING = ("moved", "transferred", "died")
"""The reasons that close a visit and leave no other one due."""

CLOSING = ("declined", *ENDING)
"""The reasons of a row that close a visit without one having been made."""

STATES = ("done", "late", "open", "overdue", *CLOSING)
"""What a visit that fell or falls due can be."""

TWO_WEEKS = timedelta(days=14)

LOST_ATTEMPTS = 3
LOST_WITHIN = timedelta(days=30)
"""Lost to follow-up (失访): nobody was met at three attempts on different days within 30 days.

This software's own rule. 严重精神障碍管理治疗工作规范（2018年版） has one, too; its wording could
not be looked up when this was written, so the numbers are not quoted from it.
"""


@dataclass(frozen=True)
class Contact:
    """What one row of a follow_up sheet says, as far as due visits go. Days are the plan's."""

    visited_on: date
    seen: str
    mode: str = "home"
    stability: str | None = None
    """What a clinician found; None where no clinician judged."""
    rating: int | None = None
    lost_reason: str | None = None
    entered_on: date | None = None

    @property
    def kind(self) -> str:
        """made, one of CLOSING, tried (nobody was met), or told (somebody else was)."""
        if self.lost_reason in CLOSING:
            return self.lost_reason
        if self.seen in COUNTED_SEEN:
            return "made"
        return "tried" if self.seen == "nobody" else "told"

    @property
    def met_person(self) -> bool:
        """Whether the person was seen: who had moved is back then."""
        return self.kind == "made" and self.seen == "person"

    @property
    def face_to_face(self) -> bool:
        """Whether the person was met at home or at the clinic."""
        return self.met_person and self.mode in ("home", "clinic")


@dataclass(frozen=True)
class FaceToFace:
    """Who is met face to face how often (a plan's `[rules]`), where the plan says so."""

    rating: int
    """From which rating on."""
    months: int
    """How many months may lie between two such visits."""

    @classmethod
    def of(cls, rating: int | None, times_a_year: int | None) -> "FaceToFace | None":
        """Return the rule of a plan, or None where it has none."""
        if rating is None or times_a_year is None:
            return None
        return cls(rating, 12 // times_a_year)


@dataclass(frozen=True)
class DueVisit:
    """A visit that fell or falls due, and what became of it."""

    due_on: date
    state: str
    visited_on: date | None = None
    entered_on: date | None = None
    closed_on: date | None = None
    """The day of the visit, or the one on which it was found declined, moved, and so on."""
    face_to_face: bool = False
    """Whether only a visit that met the person at home or at the clinic meets it."""


@dataclass(frozen=True)
class _Standing:
    """How things stand for a person between two rows."""

    owed: DueVisit | None
    """The visit that is owed; None once the person has left."""
    interval: tuple[int, int]
    """Months and days from a visit to the next, by the last stability a clinician recorded."""
    found: str | None = None
    """That stability, as a visit recorded it."""
    rating: int | None = None
    limit_from: date | None = None
    """From when the half-year of the face-to-face rule runs; None where it does not hold."""


def next_due(visited_on: date, stability: str | None, before: str | None) -> date:
    """Return the day by which the visit after the one on `visited_on` is due.

    `stability` is what the clinician found at that visit (None: never recorded, taken as stable),
    `before` what was found at the visit before it (None: not recorded, or no visit is on record,
    as before the first one: what the register says is no visit's finding, so the shorter interval
    holds).
    """
    return _later(visited_on, _interval(stability, before))


def first_due(confirmed_on: date, last_visited_on: date | None, stability: str | None) -> date:
    """Return the day by which a registered person's first visit of this software is due.

    Counted from the last visit the register knows of, else from the diagnosis.
    """
    return next_due(last_visited_on or confirmed_on, stability, None)


def visit_state(due_on: date, visited_on: date | None, as_of: date) -> str:
    """Return what a due visit is at the end of `as_of`: done, late, open or overdue.

    Judged by the day of the visit, whenever it was entered; a visit not made never disappears.
    """
    if visited_on is not None:
        return "done" if visited_on <= due_on else "late"
    return "open" if due_on >= as_of else "overdue"


def due_visits(
    since: date,
    stability: str | None,
    contacts: Iterable[Contact],
    as_of: date,
    rule: FaceToFace | None = None,
) -> list[DueVisit]:
    """Return every visit that fell or falls due for a person, as it stands at the end of `as_of`.

    `since` is the last visit the register knows of, else the day of the diagnosis; `stability` is
    the register's. Visits up to `since`, and rows after `as_of`, do not count; `contacts` has one
    row a day, or one that met or closed a visit before one that ended them. In the order of due
    days, each once: an early visit can set the same day again, and the later obligation stands.
    """
    known = [each for each in contacts if each.visited_on <= as_of]
    died_on = min((each.visited_on for each in known if each.kind == "died"), default=None)
    if since > as_of or (died_on is not None and died_on < since):
        return []
    standing = _Standing(None, _interval(stability, None))
    standing = replace(standing, owed=_owed(since, standing, rule))
    found: dict[date, DueVisit] = {}
    for contact in sorted(known, key=_in_order):
        is_old = contact.visited_on < since + timedelta(days=contact.kind not in ENDING)
        if is_old or (died_on is not None and contact.visited_on > died_on):
            continue
        closed, standing = _after(standing, contact, rule)
        if closed is not None:
            found[closed.due_on] = closed
    if standing.owed is not None:
        state = visit_state(standing.owed.due_on, None, as_of)
        found[standing.owed.due_on] = replace(standing.owed, state=state)
    return [found[due_on] for due_on in sorted(found)]


def is_lost(contacts: Iterable[Contact], as_of: date) -> bool:
    """Return whether a person is lost to follow-up (失访) at the end of `as_of`.

    Nobody was met at LOST_ATTEMPTS attempts on different days within LOST_WITHIN, and since the
    first of them nobody was reached and nothing closed the visit. A care term: looking for the
    person stays with health staff, and the visit stays owed. `contacts` as for `due_visits`.
    """
    known = sorted((each for each in contacts if each.visited_on <= as_of), key=_in_order)
    switches = [each for each in known if each.kind in ENDING or each.met_person]
    if any(each.kind == "died" for each in known) or (switches and switches[-1].kind in ENDING):
        return False
    reached = max(
        (each.visited_on for each in known if each.kind in ("made", *CLOSING)), default=date.min
    )
    tried = {each.visited_on for each in known if each.kind == "tried"}
    waited = sorted(day for day in tried if day > reached)
    return any(
        last - first < LOST_WITHIN
        for first, last in zip(waited, waited[LOST_ATTEMPTS - 1 :], strict=False)
    )


def concentrated_state(due_on: date, contacts: Sequence[Contact], as_of: date) -> DueVisit:
    """Return what the one visit of a concentrated follow-up (集中随访) is at the end of `as_of`.

    `contacts` are the person's rows from the opening day on. The first visit made counts: done up
    to `due_on`, else late. What closed it before a late one, or without one, closes it; who is met
    in time although it was declined was visited.
    """
    known = sorted((each for each in contacts if each.visited_on <= as_of), key=_in_order)
    made = next((each for each in known if each.kind == "made"), None)
    closed = next((each for each in known if each.kind in CLOSING), None)
    if made and (made.visited_on <= due_on or not closed or _in_order(made) < _in_order(closed)):
        state = visit_state(due_on, made.visited_on, as_of)
        return DueVisit(due_on, state, made.visited_on, made.entered_on, made.visited_on)
    if closed:
        return DueVisit(due_on, closed.kind, closed_on=closed.visited_on)
    return DueVisit(due_on, visit_state(due_on, None, as_of))


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later; the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _after(
    standing: _Standing, contact: Contact, rule: FaceToFace | None
) -> tuple[DueVisit | None, _Standing]:
    """Return the visit that a row closes, if it closes one, and how things stand after it."""
    kind, owed = contact.kind, standing.owed
    if kind not in ("made", *CLOSING) or (owed is None and not contact.met_person):
        return None, standing
    if kind in ENDING:
        return _closed(owed, contact), replace(standing, owed=None)
    now = _found(standing, contact, rule, is_back=owed is None)
    now = replace(now, owed=_owed(contact.visited_on, now, rule))
    if owed is not None and owed.face_to_face and kind == "made":
        still_asked = now.limit_from is not None and not contact.face_to_face
        return (None if still_asked else _closed(owed, contact)), now
    return _closed(owed, contact), now


def _closed(owed: DueVisit | None, contact: Contact) -> DueVisit | None:
    if owed is None:
        return None
    if contact.kind != "made":
        return replace(owed, state=contact.kind, closed_on=contact.visited_on)
    day = contact.visited_on
    state = visit_state(owed.due_on, day, day)
    return replace(owed, state=state, visited_on=day, entered_on=contact.entered_on, closed_on=day)


def _found(
    standing: _Standing, contact: Contact, rule: FaceToFace | None, *, is_back: bool
) -> _Standing:
    """Return what a clinician's findings in a row change; without any, no interval changes."""
    if contact.kind == "made" and contact.stability is not None:
        interval = _interval(contact.stability, standing.found)
        standing = replace(standing, interval=interval, found=contact.stability)
    if contact.kind == "made" and contact.rating is not None:
        standing = replace(standing, rating=contact.rating)
    if rule is None or standing.rating is None or standing.rating < rule.rating:
        return replace(standing, limit_from=None)
    anew = is_back or contact.face_to_face or contact.kind == "declined"
    if standing.limit_from is None or anew:
        return replace(standing, limit_from=contact.visited_on)
    return standing


def _owed(day: date, standing: _Standing, rule: FaceToFace | None) -> DueVisit:
    """Return the visit that falls due after a visit on `day`: the shorter of both rules holds."""
    due_on = _later(day, standing.interval)
    if rule is None or standing.limit_from is None:
        return DueVisit(due_on, "open")
    limit = add_months(standing.limit_from, rule.months)
    return DueVisit(min(due_on, limit), "open", face_to_face=limit <= due_on)


def _interval(stability: str | None, before: str | None) -> tuple[int, int]:
    """Return the months and days until the next visit."""
    if stability == "unstable":
        return 0, TWO_WEEKS.days
    if stability == "basically_stable":
        return (1, 0) if before == "basically_stable" else (0, TWO_WEEKS.days)
    return 3, 0


def _later(day: date, interval: tuple[int, int]) -> date:
    months, days = interval
    return add_months(day, months) + timedelta(days=days)


def _in_order(contact: Contact) -> tuple[date, int]:
    """Within a day a visit comes first, then what ends visits, then death."""
    order = {"died": 3, "moved": 2, "transferred": 2}
    return contact.visited_on, order.get(contact.kind, 1)
