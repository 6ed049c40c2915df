"""What a run found, row for row beside what `truth.json` says it must find.

For the demonstration and its test. A difference names the part and a place (a file, a source, a
village), and both sides; everything here is invented.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import date
from typing import Any

from tasks.plan import Plan
from tasks.receive import Received
from tasks.reporting import read_reporting
from tasks.store import Store

Json = dict[str, Any]
Source = tuple[str, int, int]

LEAVING = ("confirmed", "not_confirmed", "declined")
MOST_ACTIONS = 3


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
    """Return how list, questions, queue, reporting, coverage and supervision differ, at the end.

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
        if entry["phase"] == "readiness":
            continue
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


def _supervision(store: Store, plan: Plan, truth: Json) -> list[str]:
    figures = {
        (row["round"], row["village"], row["name"]): row["value"]
        for row in store.records("demo/supervision", campaign=plan.slug)
    }
    todo: dict[tuple[int, str], list[str]] = {}
    for row in store.records("demo/actions", campaign=plan.slug):
        todo.setdefault((row["round"], row["village"]), []).append(row["action"])
    differences: list[str] = []
    for month in truth["supervision"]:
        for village, wanted in month["villages"].items():
            where = f"supervision {month['period']} {village}"
            for name in ("visits_due", "visits_done", "visits_late", "visits_overdue"):
                found = figures.get((month["round"], village, name))
                differences += _differ(f"{where} {name}", found, wanted[name])
            actions = todo.get((month["round"], village), [])
            differences += _differ(where, actions, wanted["shortfalls"][:MOST_ACTIONS])
    return differences


def _by_key(what: str, found: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> list[str]:
    return [
        f"{what} {key}: found {found.get(key)}, wanted {wanted.get(key)}"
        for key in sorted(found.keys() | wanted.keys(), key=str)
        if found.get(key) != wanted.get(key)
    ]
