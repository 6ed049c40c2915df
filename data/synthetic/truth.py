"""What a correct run must find, written from what was put in: `truth.json`.

A source is `[village, round, row_no]`: the referral with this number (序号) in the newest accepted
row of this village for this round. Days are ISO days, times ISO minutes, both wall time of the
plan's time zone. Keys of the file:

- `campaign`, `seed`, `villages`, `residents`: what was asked for.
- `deliveries`: one entry a file, in the order of arrival. `file` (below the output folder),
  `received_at`; `campaign`, `phase`, `round`, `village` as its identity says; `refused` (null, or
  the wording key of the reason; then nothing of it counts), `repeats` (null, or the earlier file
  that it is byte for byte; its rows are judged all the same), `sheets` (sheet -> `read` and the
  five verdicts, in rows) and `returned` (`sheet`, `row` as the sender's program counts it, and
  the `rules` that do not hold).
- `reporting`: one entry a phase, round and stage (`due`: at the end of the due day; `end`: after
  the last file): `villages`: village -> `state` and `nil`.
- `coverage`: one entry a village and round with an accepted row: `households`, `visited`,
  `declined` (households), summed over the grids accepted in the end.
- `no_consent`: round -> `reported` (people the accepted coverage rows speak of), `rows` (rows
  judged so, every delivery of a row counted) and `people` (different people in those rows).
- `referrals`: the sources of all referrals that are current after the last file.
- `persons`: one entry a human being, after the true answers: `sources`, `responsible_village`,
  `residence_village`, `registered_village`, `care_setting`, `urgency`, `consent_scope`,
  `waiting_since`, `register_no` (null: new) and `outcomes`, what the clinician will find at the
  first, second … session: each with `outcome`, `diagnosis`, `management_consent` and
  `second_opinion_requested`; empty for who is known, in hospital or not reachable, and for some who
  are never seen.
- `questions`: one entry a doubtful pair: `a`, `b` (sources; `b` is a register number where
  `against_register`), `rule`, and the true `answer`, `same` or `different`.
- `registered`: the register numbers that the standing register brings in.
- `readiness`: one entry a village whose sheet was accepted in the end, with its values.
- `follow_up`: one entry a follow-up phase, as of the end of its due day: `round`, `opens`, `as_of`;
  `villages`: village -> `visits_due`, `visits_done`, `visits_late`, `visits_entered_late` (due days
  from its opening to its due day, or in its month), `visits_overdue` (of any time), `visits_ahead`
  (in the thirty days after it); `people`: people of the township whom a concentrated one is to
  visit and did (empty for a month's). People enrolled from assessments are not in it.
- `supervision`: one entry a month, as of the end of its due day: `round`, `period`, `as_of`;
  `villages`: village -> `reporting`, `service` (null, or the accepted sheet), `visits_due`,
  `visits_done`, `visits_late` (due days in the month), `visits_overdue` (of any month) and
  `shortfalls` in order of weight; `visits`: every visit with a due day up to the end of the month:
  `register_no`, `village`, `due_on`, `visited_on`, `entered_on`, `state`. People enrolled from the
  campaign's own assessments are not in it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from data.synthetic.population import Population, Registered, weighted
from data.synthetic.referrals import Cast, Entry
from data.synthetic.submissions import Draft, Row, Values
from data.synthetic.visits import Due, Listed, Visit, dues
from data.synthetic.workbooks import rows_of
from tasks.plan import Occurrence, Plan
from tasks.rules.contract import VERDICTS
from tasks.rules.deadlines import read_period

Json = dict[str, Any]

_AHEAD = timedelta(days=30)
_REPORTING_PHASES = ("readiness", "sweep", "supervision")
_SHORTFALLS = (
    "report_missing",
    "visits_overdue",
    "status_not_updated",
    "report_late",
    "care_group_not_met",
    "subsidy_unpaid",
)
_QUEUED = ("home", "welfare_institution", "other_institution")
_OUTCOMES = {
    ("confirmed",): 34,
    ("not_confirmed",): 30,
    ("declined",): 12,
    ("no_show", "confirmed"): 6,
    ("no_show", "no_show"): 4,
    ("reassess", "confirmed"): 5,
    ("reassess", "not_confirmed"): 5,
    (): 4,
}
_DIAGNOSES = {
    "schizophrenia": 60,
    "schizoaffective": 5,
    "persistent_delusional": 5,
    "bipolar": 15,
    "epilepsy_related": 7,
    "intellectual_disability_with_mental_disorder": 8,
}


@dataclass(frozen=True)
class Accepted:
    """A row that was accepted, and by which file."""

    draft: Draft
    sheet: str
    row: Row
    number: int
    """The row number as the sender's program counts it."""


@dataclass
class Judge:
    """Gives every row the verdict it was made for, file by file in the order of arrival."""

    accepted: list[Accepted] = field(default_factory=list)
    """Every row accepted so far, oldest first; a later one of the same key replaces it."""
    deliveries: list[tuple[Draft, Json]] = field(default_factory=list)
    no_consent: list[tuple[int, Row]] = field(default_factory=list)
    """Round and row of every row judged so."""
    _current: dict[tuple[object, ...], Row] = field(default_factory=dict)

    def take(self, draft: Draft, file: str, repeats: str | None) -> None:
        """Judge `draft`, which lies in `file`."""
        identity = draft.identity
        sheets: dict[str, dict[str, int]] = {}
        returned: list[Json] = []
        if draft.refused is None:
            sheets = {name: dict.fromkeys(("read", *VERDICTS), 0) for name in draft.sheets}
            seen: set[tuple[str, str]] = set()
            for sheet, number, row in rows_of(draft):
                verdict = self._verdict(draft, sheet, number, row, seen)
                sheets[sheet]["read"] += 1
                sheets[sheet][verdict] += 1
                if verdict == "returned":
                    returned.append({"sheet": sheet, "row": number, "rules": list(row.fails)})
        delivery: Json = {
            "file": file,
            "received_at": draft.received_at.isoformat(timespec="minutes"),
            "campaign": identity.campaign,
            "phase": identity.phase,
            "round": identity.round,
            "village": identity.village,
            "refused": draft.refused,
            "repeats": repeats,
            "sheets": sheets,
            "returned": returned,
        }
        self.deliveries.append((draft, delivery))

    def _verdict(
        self, draft: Draft, sheet: str, number: int, row: Row, seen: set[tuple[str, str]]
    ) -> str:
        if not row.consent:
            self.no_consent.append((draft.identity.round, row))
            return "no_consent"
        if row.fails:
            return "returned"
        if (sheet, row.who) in seen:
            return "duplicate"
        seen.add((sheet, row.who))
        identity = draft.identity
        key = (identity.phase, identity.round, identity.village, sheet, row.key)
        known = self._current.get(key)
        if draft.repeats is not None or (known is not None and known.values == row.values):
            return "unchanged"
        self._current[key] = row
        self.accepted.append(Accepted(draft, sheet, row, number))
        return "accepted"

    def current(self, sheet: str, until: date | None = None) -> list[Accepted]:
        """Return the accepted rows of `sheet` that stand at the end of the day `until`."""
        found: dict[tuple[object, ...], Accepted] = {}
        for each in self.accepted:
            identity = each.draft.identity
            if each.sheet == sheet and (until is None or each.draft.received_at.date() <= until):
                found[identity.phase, identity.round, identity.village, each.row.key] = each
        return list(found.values())


def tell_truth(
    plan: Plan,
    population: Population,
    cast: Cast,
    listed: Sequence[Listed],
    judge: Judge,
    draw: Random,
) -> Json:
    """Return the content of truth.json, but for what was asked for."""
    referrals = _current_referrals(judge)
    return {
        "deliveries": [delivery for _, delivery in judge.deliveries],
        "reporting": _reporting(plan, judge),
        "coverage": _coverage(judge),
        "no_consent": _no_consent(judge),
        "referrals": sorted(_source(entry) for entry in referrals),
        "consents": sorted(
            [
                *_source(entry),
                str(each.row.values["consent_date"]),
                each.draft.received_at.isoformat(timespec="minutes"),
            ]
            for entry, each in referrals.items()
        ),
        "persons": _persons(population, cast, referrals, draw),
        "questions": _questions(cast, referrals),
        "registered": sorted(each.entry.register_no for each in listed),
        "readiness": _readiness(judge),
        "follow_up": [
            _follow_up(plan, population, listed, judge, occurrence)
            for occurrence in plan.calendar
            if occurrence.phase == "follow_up"
        ],
        "supervision": [
            _supervision(plan, population, listed, judge, occurrence)
            for occurrence in plan.calendar
            if occurrence.phase == "supervision" and not occurrence.ad_hoc
        ],
    }


def _source(entry: Entry) -> list[Any]:
    return [entry.village, entry.round, entry.row_no]


def _current_referrals(judge: Judge) -> dict[Entry, Accepted]:
    return {
        each.row.about: each
        for each in judge.current("referral")
        if isinstance(each.row.about, Entry)
    }


def _reporting(plan: Plan, judge: Judge) -> list[Json]:
    found = []
    for occurrence in plan.calendar:
        if occurrence.phase not in _REPORTING_PHASES or occurrence.ad_hoc:
            continue
        for stage, until in (("due", occurrence.due), ("end", None)):
            states = {
                village.code: _state(plan, judge, occurrence, village.code, until)
                for village in plan.villages
            }
            found.append(
                {
                    "phase": occurrence.phase,
                    "round": occurrence.round,
                    "stage": stage,
                    "villages": states,
                }
            )
    return found


def _state(
    plan: Plan, judge: Judge, occurrence: Occurrence, village: str, until: date | None
) -> Json:
    """Return the reporting state of one village, judged by its first file that counts."""
    if all(each.code != village for each in plan.expected(occurrence)):
        return {"state": "not_expected", "nil": False}
    files = [
        draft
        for draft, _ in judge.deliveries
        if draft.refused is None
        and (draft.identity.phase, draft.identity.round) == (occurrence.phase, occurrence.round)
        and draft.identity.village == village
        and (until is None or draft.received_at.date() <= until)
    ]
    if not files:
        return {"state": "missing", "nil": False}
    drafts = set(map(id, files))
    accepted = [each for each in judge.accepted if id(each.draft) in drafts]
    if not accepted:
        return {"state": "returned", "nil": False}
    first: datetime = min(each.draft.received_at for each in accepted)
    nil = any(each.row.values.get("nil_return") == "yes" for each in accepted)
    return {"state": "on_time" if first.date() <= occurrence.due else "late", "nil": nil}


def _coverage(judge: Judge) -> list[Json]:
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    names = ("households", "households_visited", "households_declined")
    for each in judge.current("coverage"):
        of_village = sums[each.draft.identity.village, each.draft.identity.round]
        for at, name in enumerate(names):
            of_village[at] += _count(each.row.values, name)
    return [
        {
            "village": village,
            "round": number,
            "households": total,
            "visited": visited,
            "declined": declined,
        }
        for (village, number), (total, visited, declined) in sorted(sums.items())
    ]


def _count(values: Values, name: str) -> int:
    value = values[name]
    return value if isinstance(value, int) else 0


def _no_consent(judge: Judge) -> Json:
    rounds: dict[str, Json] = {}
    for each in judge.current("coverage"):
        of_round = rounds.setdefault(
            str(each.draft.identity.round), {"reported": 0, "rows": 0, "people": 0}
        )
        of_round["reported"] += _count(each.row.values, "no_consent_count")
    people: set[int] = set()
    for number, row in judge.no_consent:
        if not isinstance(row.about, Entry):
            continue
        rounds[str(number)]["rows"] += 1
        if id(row.about) not in people:
            people.add(id(row.about))
            rounds[str(number)]["people"] += 1
    return rounds


def _persons(
    population: Population, cast: Cast, referrals: Mapping[Entry, Accepted], draw: Random
) -> list[Json]:
    by_subject: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(referrals, key=_source):
        by_subject[entry.subject].append(entry)
    return [
        _person(population, cast.known.get(subject), [referrals[each] for each in entries], draw)
        for subject, entries in by_subject.items()
    ]


def _person(
    population: Population, register_no: str | None, rows: Sequence[Accepted], draw: Random
) -> Json:
    latest = max(rows, key=_weight).row.values
    residence, registered = str(latest["residence_village"]), latest["registered_village"]
    setting = str(latest["care_setting"])
    queued = register_no is None and setting in _QUEUED
    outcomes = [_outcome(each, draw) for each in weighted(draw, _OUTCOMES)] if queued else []
    return {
        "sources": sorted(
            _source(row.row.about) for row in rows if isinstance(row.row.about, Entry)
        ),
        "responsible_village": population.responsible(residence, _text(registered)),
        "residence_village": residence,
        "registered_village": registered,
        "care_setting": setting,
        "urgency": "soon"
        if any(row.row.values["urgency"] == "soon" for row in rows)
        else "routine",
        "consent_scope": latest["consent_scope"],
        "waiting_since": min(str(row.row.values["consent_date"]) for row in rows),
        "register_no": register_no,
        "outcomes": outcomes,
    }


def _weight(each: Accepted) -> tuple[str, int, str, int]:
    """Return what decides whose word counts: the latest consent, round, village, row number."""
    identity = each.draft.identity
    return str(each.row.values["consent_date"]), identity.round, identity.village, each.number


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _outcome(outcome: str, draw: Random) -> Json:
    confirmed = outcome == "confirmed"
    return {
        "outcome": outcome,
        "diagnosis": weighted(draw, _DIAGNOSES) if confirmed else None,
        "management_consent": draw.random() < 0.8 if confirmed else False,
        "second_opinion_requested": outcome == "not_confirmed" and draw.random() < 0.1,
    }


def _questions(cast: Cast, referrals: Mapping[Entry, Accepted]) -> list[Json]:
    found = []
    for doubt in cast.doubts:
        against = isinstance(doubt.b, Registered)
        if doubt.a not in referrals or not (against or doubt.b in referrals):
            continue
        a, b = _source(doubt.a), doubt.b
        pair = [a, b.register_no] if isinstance(b, Registered) else sorted([a, _source(b)])
        found.append(
            {
                "a": pair[0],
                "b": pair[1],
                "against_register": against,
                "rule": doubt.rule,
                "answer": "same" if doubt.same else "different",
            }
        )
    return sorted(found, key=lambda each: (each["a"], str(each["b"])))


def _readiness(judge: Judge) -> list[Json]:
    rows = [each.row.values for each in judge.current("readiness")]
    return sorted(map(_written, rows), key=lambda each: str(each["village_code"]))


def _written(values: Values) -> Json:
    """Return a sheet's values as JSON holds them."""
    return {
        name: value.isoformat()
        if isinstance(value, date)
        else {"yes": True, "no": False}.get(str(value), value)
        for name, value in values.items()
    }


def _supervision(
    plan: Plan,
    population: Population,
    listed: Sequence[Listed],
    judge: Judge,
    occurrence: Occurrence,
) -> Json:
    as_of, month = occurrence.due, read_period(occurrence.period or "")
    services = {
        each.draft.identity.village: _written(each.row.values)
        for each in judge.current("service_month", as_of)
        if each.draft.identity.round == occurrence.round
    }
    fallen = _visits_as_of(population, listed, judge, as_of)
    visits = [each for each in fallen if each["due_on"] <= month.last.isoformat()]
    villages = {}
    for village in plan.villages:
        own = [each for each in visits if each["village"] == village.code]
        in_month = [each for each in own if each["due_on"] >= month.first.isoformat()]
        # the month may be looked at before it is over, or after visits of the next were due
        overdue = [
            each
            for each in fallen
            if each["village"] == village.code and each["state"] == "overdue"
        ]
        state = _state(plan, judge, occurrence, village.code, as_of)["state"]
        service = services.get(village.code)
        villages[village.code] = {
            "reporting": state,
            "service": service,
            "visits_due": len(in_month),
            "visits_done": sum(each["state"] == "done" for each in in_month),
            "visits_late": sum(each["state"] == "late" for each in in_month),
            "visits_overdue": len(overdue),
            "shortfalls": _shortfalls(state, service, len(overdue)),
        }
    return {
        "round": occurrence.round,
        "period": occurrence.period,
        "as_of": as_of.isoformat(),
        "villages": villages,
        "visits": visits,
    }


def _follow_up(
    plan: Plan,
    population: Population,
    listed: Sequence[Listed],
    judge: Judge,
    occurrence: Occurrence,
) -> Json:
    as_of = occurrence.due
    month = read_period(occurrence.period) if occurrence.period else None
    first, last = (month.first, month.last) if month else (occurrence.opens, as_of)
    fallen = _visits_as_of(population, listed, judge, as_of)
    ahead = (as_of + _AHEAD).isoformat()
    villages = {}
    for village in plan.villages:
        own = [each for each in fallen if each["village"] == village.code]
        inside = [each for each in own if first.isoformat() <= each["due_on"] <= last.isoformat()]
        done = [each for each in inside if each["state"] == "done"]
        villages[village.code] = {
            "visits_due": len(inside),
            "visits_done": len(done),
            "visits_late": sum(each["state"] == "late" for each in inside),
            "visits_entered_late": sum(each["entered_on"] > each["due_on"] for each in done),
            "visits_overdue": sum(each["state"] == "overdue" for each in own),
            "visits_ahead": sum(as_of.isoformat() < each["due_on"] <= ahead for each in own),
        }
    return {
        "round": occurrence.round,
        "opens": occurrence.opens.isoformat(),
        "as_of": as_of.isoformat(),
        "villages": villages,
        "people": {} if month else _concentrated(listed, judge, occurrence),
    }


def _concentrated(listed: Sequence[Listed], judge: Judge, occurrence: Occurrence) -> dict[str, int]:
    """Return how many people a concentrated follow-up was to visit, and how many it visited."""
    seen = {
        each.row.about.listed.entry.register_no
        for each in judge.current("follow_up", occurrence.due)
        if isinstance(each.row.about, Visit)
        and each.row.about.counts
        and occurrence.opens <= each.row.about.visited_on <= occurrence.due
    }
    owed = {
        each.entry.register_no for each in listed if each.entry.confirmed_on <= occurrence.opens
    }
    return {"people_to_visit": len(owed), "people_visited": len(owed & seen)}


def _visits_as_of(
    population: Population, listed: Sequence[Listed], judge: Judge, as_of: date
) -> list[Json]:
    known: dict[Listed, list[Visit]] = defaultdict(list)
    for each in judge.current("follow_up", as_of):
        if isinstance(each.row.about, Visit):
            known[each.row.about.listed].append(each.row.about)
    return [
        _visit_due(population, person, due, as_of)
        for person in listed
        for due in dues(person, known[person])
    ]


def _visit_due(population: Population, person: Listed, due: Due, as_of: date) -> Json:
    place, visit = person.entry.person, due.visit
    return {
        "register_no": person.entry.register_no,
        "village": population.responsible(place.residence, place.registered),
        "due_on": due.due_on.isoformat(),
        "visited_on": visit and visit.visited_on.isoformat(),
        "entered_on": visit and visit.entered_on.isoformat(),
        "state": _visit_state(due, as_of),
    }


def _visit_state(due: Due, as_of: date) -> str:
    if due.visit is not None:
        return "done" if due.visit.visited_on <= due.due_on else "late"
    return "overdue" if due.due_on < as_of else "open"


def _shortfalls(state: str, service: Json | None, overdue: int) -> list[str]:
    """Return what a village fell short of; a report that came back whole is as good as none."""
    holds = {
        "report_missing": state in ("missing", "returned"),
        "visits_overdue": overdue > 0,
        "report_late": state == "late",
        "status_not_updated": service is not None and service["status_updated_on"] is None,
        "care_group_not_met": service is not None and not service["care_group_met"],
        "subsidy_unpaid": service is not None
        and service["subsidy_paid"] < service["subsidy_applied"],
    }
    return [name for name in _SHORTFALLS if holds[name]]
