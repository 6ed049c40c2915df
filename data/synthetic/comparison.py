"""What a run found, row for row beside what `truth.json` says it must find.

For the demonstration and its test. A difference names the part and a place (a file, a source, a
village), and both sides; everything here is invented.
"""

from collections.abc import Iterable, Mapping
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


def campaign_differences(store: Store, plan: Plan, truth: Json) -> list[str]:
    """Return how list, questions, queue, reporting, coverage and supervision differ, at the end."""
    references = read_references(store, plan.slug)
    return [
        *_coverage(store, plan, truth),
        *_reporting(store, plan, truth),
        *_people(store, plan, truth),
        *_questions(store, plan, truth, references),
        *_queue(store, plan, truth),
        *_supervision(store, plan, truth),
    ]


def read_references(store: Store, campaign: str) -> dict[Source, str]:
    """Return source -> referral reference of all current referrals."""
    return {
        (row["village"], row["round"], row["row_no"]): row["referral_ref"]
        for row in store.records("demo/referrals", campaign=campaign)
    }


def answers(truth: Json, references: Mapping[Source, str]) -> dict[frozenset[str], str]:
    """Return the true answer to each doubtful pair, by the two references it names."""
    return {
        frozenset(
            (
                references[_source(question["a"])],
                question["b"]
                if question["against_register"]
                else references[_source(question["b"])],
            )
        ): question["answer"]
        for question in truth["questions"]
    }


def people_by_reference(store: Store, campaign: str, truth: Json) -> dict[str, Json]:
    """Return person reference -> person of the truth, by the sources both name.

    Whom the truth does not know is left out; `campaign_differences` says so.
    """
    owner = {_source(each): person for person in truth["persons"] for each in person["sources"]}
    found = {
        row["person_ref"]: owner.get((row["village"], row["round"], row["row_no"]))
        for row in store.records("demo/referrals", campaign=campaign)
    }
    return {
        reference: person
        for reference, person in found.items()
        if reference is not None and person is not None
    }


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


def _people(store: Store, plan: Plan, truth: Json) -> list[str]:
    sources: dict[str, list[Source]] = {}
    for row in store.records("demo/referrals", campaign=plan.slug):
        source = (row["village"], row["round"], row["row_no"])
        sources.setdefault(row["person_ref"], []).append(source)
    found = {
        tuple(sorted(sources[row["person_ref"]])): _person(row)
        for row in store.records("demo/people", campaign=plan.slug)
    }
    wanted = {
        tuple(sorted(map(_source, person["sources"]))): _person(person)
        for person in truth["persons"]
    }
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
    for question in truth["questions"]:
        first = references[_source(question["a"])]
        against = question["against_register"]
        second = question["b"] if against else references[_source(question["b"])]
        wanted[tuple(sorted((first, second)))] = (question["rule"], against)
    return _by_key("question", found, wanted)


def _queue(store: Store, plan: Plan, truth: Json) -> list[str]:
    """Whoever was booked n times has had the first n outcomes; the last that ends it stands."""
    people = people_by_reference(store, plan.slug, truth)
    booked: dict[str, int] = {}
    for row in store.records("demo/sessions", campaign=plan.slug):
        source = row["person_ref"]
        booked[source] = booked.get(source, 0) + 1
    found = {
        row["person_ref"]: row["state"] for row in store.records("demo/queue", campaign=plan.slug)
    }
    differences: list[str] = []
    for reference, state in found.items():
        if reference not in people:
            differences.append(f"queue: {state}, but the person is not in the truth")
            continue
        outcomes = people[reference]["outcomes"]
        had = [each["outcome"] for each in outcomes[: booked.get(reference, 0)]]
        ended = next((outcome for outcome in had if outcome in LEAVING), None)
        wanted = (ended,) if ended else ("waiting", "booked")
        if state not in wanted:
            differences.append(f"queue {people[reference]['sources']}: {state}, wanted {wanted}")
    expected = {
        reference
        for reference, person in people.items()
        if person["register_no"] is None and person["care_setting"] != "hospital"
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
