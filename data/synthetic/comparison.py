"""What a run found, row for row beside what `truth.json` says it must find.

For the demonstration and its test. A difference names the part and a place (a file, a source, a
village), and both sides; everything here is invented.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import date, timedelta
from typing import Any

from data.synthetic.visits import next_due
from tasks.plan import Occurrence, Plan
from tasks.receive import Received
from tasks.reporting import read_reporting
from tasks.rules.deadlines import read_period
from tasks.store import Store

Json = dict[str, Any]
Source = tuple[str, int, int]

LEAVING = ("confirmed", "not_confirmed", "declined")
MOST_ACTIONS = 3
CHECKLIST = {
    "training_held": "training_date",
    "plan_updated": "emergency_plan_updated",
    "drill_held": "drill_date",
    "care_group_complete": "care_group_complete",
    "materials_delivered": "materials_delivered",
}
"""Line of the readiness checklist as figures call it -> its column."""


def delivery_differences(received: Received, delivery: Json) -> list[str]:
    """Return how the verdicts on one file differ from the delivery in the truth."""
    result = received.result
    reason = result.refused.key if result.refused else None
    if reason or delivery["refused"]:
        return _differ(delivery["file"], reason, delivery["refused"])
    returned = sorted((row.sheet.name, row.row, sorted(row.rules)) for row in result.returned)
    wanted = sorted(
        (row["sheet"], row["row"], sorted(row["rules"])) for row in delivery["returned"]
    )
    counts = {name: dict(account) for name, account in result.sheets.items()}
    return [
        *_differ(f"{delivery['file']} counts", counts, delivery["sheets"]),
        *_differ(f"{delivery['file']} returned", returned, wanted),
    ]


def campaign_differences(
    store: Store, plan: Plan, truth: Json, forgotten: Set[Source] = frozenset()
) -> list[str]:
    """Return how all that the truth tells differs from what was found, at the end.

    Reporting, coverage, readiness, list, questions, queue, follow-up and supervision.

    `forgotten` are the referrals that retention has erased (data/synthetic/forgotten.py): nothing
    of them may be left, and of a person of whom another referral is left, that one.
    """
    references = read_references(store, plan.slug)
    return [
        *_coverage(store, plan, truth),
        *_reporting(store, plan, truth),
        *_differ("forgotten", sorted(references.keys() & forgotten), []),
        *_people(store, plan, truth, forgotten),
        *_questions(store, plan, truth, references),
        *_queue(store, plan, truth, forgotten),
        *_readiness(store, plan, truth),
        *_follow_up(store, plan, truth),
        *_supervision(store, plan, truth),
    ]


def read_references(store: Store, campaign: str) -> dict[Source, str]:
    """Return source -> referral reference of all current referrals."""
    return {
        (row["village"], row["round"], row["row_no"]): row["referral_ref"]
        for row in store.records("demo/referrals", campaign=campaign)
    }


def answers(truth: Json, references: Mapping[Source, str]) -> dict[frozenset[str], str]:
    """Return the true answer to each doubtful pair that is left, by the two references it names."""
    return {
        frozenset(
            (
                references[_source(question["a"])],
                question["b"]
                if question["against_register"]
                else references[_source(question["b"])],
            )
        ): question["answer"]
        for question in _left(truth["questions"], references)
    }


def people_by_referral(store: Store, campaign: str, truth: Json) -> dict[str, Json]:
    """Return referral reference -> person of the truth, of all current referrals.

    A person's reference is that of one of the referrals. Whom the truth does not know is left out;
    `campaign_differences` says so.
    """
    owner = {_source(each): person for person in truth["persons"] for each in person["sources"]}
    return {
        reference: owner[source]
        for source, reference in read_references(store, campaign).items()
        if source in owner
    }


def sessions_of_people(
    store: Store, campaign: str, people: Mapping[str, Json]
) -> dict[Source, dict[date, str]]:
    """Return first source of a person of the truth -> session it was booked into -> by which name.

    Two records that were found to be one person may have been booked apart: that is one visit.
    `people` is what `people_by_referral` returned.
    """
    found: dict[Source, dict[date, str]] = {}
    for row in store.records("demo/sessions", campaign=campaign):
        person = people.get(row["person_ref"])
        if person is not None:
            booked = found.setdefault(_source(person["sources"][0]), {})
            booked.setdefault(row["session_date"], row["person_ref"])
    return found


def _left(questions: Iterable[Json], references: Mapping[Source, str]) -> list[Json]:
    """Return the questions both of whose referrals are there."""
    return [
        each
        for each in questions
        if _source(each["a"]) in references
        and (each["against_register"] or _source(each["b"]) in references)
    ]


def _source(source: Iterable[Any]) -> Source:
    village, round, row_no = source
    return (village, round, row_no)


def _differ(where: str, found: object, wanted: object) -> list[str]:
    return [] if found == wanted else [f"{where}: found {found}, wanted {wanted}"]


def _coverage(store: Store, plan: Plan, truth: Json) -> list[str]:
    rounds = sorted({each["round"] for each in truth["coverage"]})
    found = {
        (row["village"], round): (
            row["households"],
            row["households_visited"],
            row["households_declined"],
        )
        for round in rounds
        for row in store.records("reporting/coverage", campaign=plan.slug, round=round)
    }
    wanted = {
        (each["village"], each["round"]): (each["households"], each["visited"], each["declined"])
        for each in truth["coverage"]
    }
    return _by_key("coverage", found, wanted)


def _reporting(store: Store, plan: Plan, truth: Json) -> list[str]:
    rows = store.records("demo/reporting", campaign=plan.slug)
    differences: list[str] = []
    for entry in truth["reporting"]:
        occurrence = plan.occurrence(entry["phase"], entry["round"])
        if entry["stage"] == "due":
            found = {
                row["village"]: (row["state"], row["nil"])
                for row in rows
                if (row["phase"], row["round"], row["revision"])
                == (entry["phase"], entry["round"], 1)
            }
        else:
            found = {
                each.village: (each.state, each.nil)
                for each in read_reporting(store, plan, occurrence, date.max)
            }
        wanted = {
            village: (each["state"], each["nil"]) for village, each in entry["villages"].items()
        }
        where = f"reporting {entry['phase']} {entry['round']} {entry['stage']}"
        differences += _by_key(where, found, wanted)
    return differences


def _people(store: Store, plan: Plan, truth: Json, forgotten: Set[Source]) -> list[str]:
    sources: dict[str, list[Source]] = {}
    for row in store.records("demo/referrals", campaign=plan.slug):
        source = (row["village"], row["round"], row["row_no"])
        sources.setdefault(row["person_ref"], []).append(source)
    found = {
        tuple(sorted(sources[row["person_ref"]])): _person(row)
        for row in store.records("demo/people", campaign=plan.slug)
    }
    wanted = {}
    for person in truth["persons"]:
        sources_of = set(map(_source, person["sources"]))
        key = tuple(sorted(sources_of - forgotten))
        if key and sources_of & forgotten:
            # what the truth says of the person rests on more than what is left
            wanted[key] = found.get(key, ("nobody",))
        elif key:
            wanted[key] = _person(person)
    return _by_key("person", found, wanted)


def _person(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(row[name])
        for name in (
            "responsible_village",
            "residence_village",
            "registered_village",
            "care_setting",
            "urgency",
            "consent_scope",
            "waiting_since",
            "register_no",
        )
    )


def _questions(
    store: Store, plan: Plan, truth: Json, references: Mapping[Source, str]
) -> list[str]:
    found = {
        tuple(sorted((row["ref_a"], row["ref_b"]))): (row["reason"], row["against_register"])
        for row in store.records("demo/questions", campaign=plan.slug)
    }
    wanted = {}
    for question in _left(truth["questions"], references):
        first = references[_source(question["a"])]
        against = question["against_register"]
        second = question["b"] if against else references[_source(question["b"])]
        wanted[tuple(sorted((first, second)))] = (question["rule"], against)
    return _by_key("question", found, wanted)


def _queue(store: Store, plan: Plan, truth: Json, forgotten: Set[Source]) -> list[str]:
    """Whoever was booked n times has had the first n outcomes; the last that ends it stands."""
    people = people_by_referral(store, plan.slug, truth)
    booked = sessions_of_people(store, plan.slug, people)
    found = {
        row["person_ref"]: row["state"] for row in store.records("demo/queue", campaign=plan.slug)
    }
    differences: list[str] = []
    for reference, state in found.items():
        if reference not in people:
            differences.append(f"queue: {state}, but the person is not in the truth")
            continue
        if forgotten & set(map(_source, people[reference]["sources"])):
            continue  # how often the person was booked before was forgotten too
        outcomes = people[reference]["outcomes"]
        had = [
            each["outcome"]
            for each in outcomes[: len(booked.get(_source(people[reference]["sources"][0]), ()))]
        ]
        ended = next((outcome for outcome in had if outcome in LEAVING), None)
        wanted = (ended,) if ended else ("waiting", "booked")
        if state not in wanted:
            differences.append(f"queue {people[reference]['sources']}: {state}, wanted {wanted}")
    expected = {
        row["person_ref"]
        for row in store.records("demo/people", campaign=plan.slug)
        if row["person_ref"] in people
        and people[row["person_ref"]]["register_no"] is None
        and people[row["person_ref"]]["care_setting"] != "hospital"
    }
    return [*differences, *_differ("queue", sorted(found), sorted(expected))]


def _readiness(store: Store, plan: Plan, truth: Json) -> list[str]:
    """Set the newest checklists, and what of them is to be made good, beside the truth."""
    found: dict[str, dict[str, int | None]] = {}
    for row in store.records("demo/readiness", campaign=plan.slug):
        found.setdefault(row["village"], {})[row["name"]] = row["value"]
    checklists = {each["village_code"]: each for each in truth["readiness"]}
    expected = [
        village.code
        for each in plan.calendar
        if each.phase == "readiness"
        for village in plan.expected(each)
    ]
    differences: list[str] = []
    for village in expected:
        lines = _lines(checklists.get(village))
        complete = None if lines is None else int(all(lines.values()))
        owed = 1 if lines is None else sum(not done for done in lines.values())
        wanted: dict[str, int | None] = {
            "readiness_complete": complete,
            "rectifications_open": owed,
            **{f"ready_{name}": None if lines is None else int(lines[name]) for name in CHECKLIST},
        }
        of_village = found.get(village, {})
        shown = {name: of_village.get(name) for name in wanted}
        differences += _differ(f"readiness {village}", shown, wanted)
    return differences


def _lines(checklist: Json | None) -> dict[str, bool] | None:
    """Return which lines of a village's checklist are done; None where none was accepted."""
    if checklist is None:
        return None
    return {name: bool(checklist[column]) for name, column in CHECKLIST.items()}


def _follow_up(store: Store, plan: Plan, truth: Json) -> list[str]:
    rows = store.records("demo/follow_up", campaign=plan.slug)
    found = {
        (row["round"], row["village"], row["name"]): (row["value"], row["state"]) for row in rows
    }
    enrolled = store.records("demo/enrolled")
    differences: list[str] = []
    for phase in truth["follow_up"]:
        where = f"follow_up {phase['as_of']}"
        occurrence = plan.occurrence("follow_up", phase["round"])
        villages = {code: dict(counts) for code, counts in phase["villages"].items()}
        for person in enrolled:
            _add_enrolled(villages, plan, occurrence, person)
        for village in plan.expected(occurrence):
            for name, wanted in villages[village.code].items():
                value, _ = found.get((phase["round"], village.code, name), (None, ""))
                differences += _differ(f"{where} {village.code} {name}", value, wanted)
        for name, count in phase["people"].items():
            shown = found.get((phase["round"], "", name))
            if shown not in (as_released(count), (None, "withheld")):
                differences += _differ(f"{where} {name}", shown, as_released(count))
    return differences


def _add_enrolled(
    villages: Mapping[str, dict[str, int]],
    plan: Plan,
    occurrence: Occurrence,
    person: Mapping[str, Any],
) -> None:
    """Count the one visit that is due for who was enrolled after an assessment; nobody makes it."""
    as_of = occurrence.due
    if person["confirmed_on"] > as_of:
        return
    codes = {village.code for village in plan.villages}
    residence, registered = person["residence_village"], person["registered_village"]
    counts = villages[registered if residence not in codes and registered in codes else residence]
    due_on = next_due(person["confirmed_on"], None, None)
    month = read_period(occurrence.period) if occurrence.period else None
    first, last = (month.first, month.last) if month else (occurrence.opens, as_of)
    counts["visits_due"] += first <= due_on <= last
    counts["visits_overdue"] += due_on < as_of
    counts["visits_ahead"] += as_of < due_on <= as_of + timedelta(days=30)


def as_released(count: int) -> tuple[int | None, str]:
    """Return a count of people as the office sees it: DOMAIN.md section 7, written once more."""
    if count == 0:
        return 0, "zero"
    if count <= 7:
        return None, "withheld"
    return 5 * ((count + 2) // 5), "released"


def _supervision(store: Store, plan: Plan, truth: Json) -> list[str]:
    figures = {
        (row["round"], row["village"], row["name"]): row["value"]
        for row in store.records("demo/supervision", campaign=plan.slug)
    }
    todo: dict[tuple[int, str], list[str]] = {}
    for row in store.records("demo/actions", campaign=plan.slug):
        todo.setdefault((row["round"], row["village"]), []).append(row["action"])
    rectifications = store.records("demo/rectifications", campaign=plan.slug)
    differences: list[str] = []
    for month in truth["supervision"]:
        as_of = date.fromisoformat(month["as_of"])
        for village, wanted in month["villages"].items():
            where = f"supervision {month['period']} {village}"
            for name in ("visits_due", "visits_done", "visits_late", "visits_overdue"):
                found = figures.get((month["round"], village, name))
                differences += _differ(f"{where} {name}", found, wanted[name])
            actions = todo.get((month["round"], village), [])
            overdue = [
                each["shortfall"]
                for each in rectifications
                if each["village"] == village and _is_overdue(each, as_of)
            ]
            # what is past its day leads, whether or not the month shows it again
            asked = list(dict.fromkeys([*overdue, *wanted["shortfalls"]]))
            differences += _differ(where, actions, asked[:MOST_ACTIONS])
    return differences


def _is_overdue(rectification: Mapping[str, Any], day: date) -> bool:
    closed_on = rectification["closed_on"]
    return rectification["due"] < day and (closed_on is None or closed_on > day)


def _by_key(what: str, found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> list[str]:
    return [
        f"{what} {key}: found {found.get(key)}, wanted {wanted.get(key)}"
        for key in sorted(found.keys() | wanted.keys(), key=str)
        if found.get(key) != wanted.get(key)
    ]
