"""The compiled list: one row a person, by the linking rules; doubts go to a human."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import ACT
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    VILLAGE_3,
    add_outcome,
    add_referral,
    add_registered,
    add_withdrawal,
    contents,
    empty,
)
from tasks.agenda import owed_runs
from tasks.compile_list import compile_list, latest_list
from tasks.diagnosis_queue import update_queue
from tasks.figures import list_figures
from tasks.phase_life import note_run
from tasks.plan import Plan
from tasks.pseudonyms import read_secret
from tasks.questions import (
    Question,
    answer_question,
    show_question,
    take_answers,
    write_questions,
)
from tasks.rules.errors import CheckFailed, FileRefused, WrongCommand
from tasks.rules.linking import ANSWERS, COMPARED, DOUBTFUL
from tasks.rules.pseudonyms import keyed_hash
from tasks.rules.wording import keys
from tasks.store import Store

DUE = date(2025, 11, 10)
NOW = datetime.fromisoformat("2025-11-11T09:30")
ELSEWHERE = {"residence_village": VILLAGE_2}


def people(store: Store, revision: int = 1) -> set[frozenset[str]]:
    """Return the references of every person's referrals."""
    found: dict[str, set[str]] = {}
    for ref, person, of in contents(
        store, "reg_person_referral", "referral_ref, person_ref, revision"
    ):
        if of == revision:
            found.setdefault(person, set()).add(ref)
    return {frozenset(refs) for refs in found.values()}


def questions(store: Store) -> list[tuple[str, str, str]]:
    """Return the open questions: the pair and the reason."""
    rows = contents(store, "reg_question", "ref_a, ref_b, reason, answer")
    return [(a, b, reason) for a, b, reason, answer in rows if answer is None]


def question_of(store: Store, a: str, b: str) -> str:
    """Return the id of the question about a pair."""
    rows = contents(store, "reg_question", "question_id, ref_a, ref_b")
    return next(question for question, *pair in rows if pair == [a, b])


def person(store: Store, ref: str, columns: str, revision: int = 1) -> tuple[Any, ...]:
    """Return columns of one person of a revision."""
    rows = contents(store, "reg_person", f"person_ref, revision, {columns}")
    return next(tuple(row[2:]) for row in rows if row[:2] == (ref, revision))


PAIRS = [
    # what the first and the second record say, the link, the doubt
    ({"resident_key": "k1"}, {"resident_key": "k1", "full_name": "李四"}, "resident_key", None),
    ({"phone": "1"}, {"phone": "1", **ELSEWHERE, "sex": "female"}, "name_birth_phone", None),
    ({"phone": "1"}, {"phone": "1", "resident_key": "k1"}, "name_birth_phone", None),
    ({}, {}, "name_birth_village", None),
    ({"phone": "1"}, {"phone": "2"}, "name_birth_village", None),
    ({}, {"sex": "female"}, None, None),
    ({}, ELSEWHERE, None, "name_birth_elsewhere"),
    ({"phone": "1"}, {"phone": "2", **ELSEWHERE}, None, "name_birth_elsewhere"),
    ({"phone": "1"}, {"phone": "1", "full_name": "张山"}, None, "phone_birth_other_name"),
    (
        {"phone": "1"},
        {"phone": "1", "birth_date": date(1980, 2, 1)},
        None,
        "name_phone_other_birth",
    ),
    (
        {"phone": "1", "resident_key": "k1"},
        {"phone": "1", "resident_key": "k2"},
        None,
        "ids_differ",
    ),
    ({"resident_key": "k1"}, {"resident_key": "k2"}, None, None),
    ({"resident_key": "k1"}, {"resident_key": "k2", **ELSEWHERE}, None, None),
    ({}, {"full_name": "李四"}, None, None),
]


@pytest.mark.parametrize(("first", "second", "link", "doubt"), PAIRS)
def test_two_referrals(
    store: Store,
    plan: Plan,
    first: dict[str, Any],
    second: dict[str, Any],
    link: str | None,
    doubt: str | None,
) -> None:
    add_referral(store, "R-1", **first)
    add_referral(store, "R-2", **second)

    result = compile_list(store, plan, DUE)

    assert result.people == (1 if link else 2)
    assert result.referrals == 2
    links = dict(contents(store, "reg_person_referral", "referral_ref, link"))
    assert links == {"R-1": "first", "R-2": link or "first"}
    assert questions(store) == ([("R-1", "R-2", doubt)] if doubt else [])


@pytest.mark.parametrize(("first", "second", "link", "doubt"), PAIRS)
def test_a_referral_and_the_register(
    store: Store,
    plan: Plan,
    first: dict[str, Any],
    second: dict[str, Any],
    link: str | None,
    doubt: str | None,
) -> None:
    add_referral(store, "R-1", **first)
    same_person = {"full_name": "张三丰", "sex": "male", "birth_date": date(1980, 1, 2)}
    add_registered(store, "G-1", **(same_person | second))

    result = compile_list(store, plan, DUE)

    assert (result.people, result.known) == (1, 1 if link else 0)
    assert person(store, "R-1", "register_no") == ("G-1" if link else None,)
    assert questions(store) == ([("R-1", "G-1", doubt)] if doubt else [])


def test_links_carry_over_villages_rounds_and_the_register(store: Store, plan: Plan) -> None:
    add_referral(store, "R-3", phone="1", **ELSEWHERE)
    add_referral(store, "R-2", phone="1", resident_key="k1", full_name="张三丰", round=2)
    add_referral(store, "R-1", resident_key="k1", full_name="张三", birth_date=date(1980, 1, 1))
    add_registered(store, "G-1", full_name="李四", phone="7", birth_date=date(1950, 1, 1))
    # two referrals that only the register shows to be one person
    add_referral(store, "R-5", full_name="李四", phone="7", birth_date=date(1950, 1, 1))
    add_referral(
        store,
        "R-6",
        full_name="李四",
        sex="female",
        birth_date=date(1950, 1, 1),
        residence_village=VILLAGE_1,
        phone="8",
    )

    compile_list(store, plan, DUE)

    assert people(store) == {frozenset({"R-1", "R-2", "R-3"}), frozenset({"R-5", "R-6"})}
    assert person(store, "R-5", "register_no, referrals") == ("G-1", 2)


def test_residence_comes_first_and_the_latest_consent_speaks(store: Store, plan: Plan) -> None:
    add_referral(
        store,
        "R-1",
        resident_key="k",
        urgency="soon",
        care_setting="hospital",
        consent_date=date(2025, 10, 1),
    )
    add_referral(
        store,
        "R-2",
        resident_key="k",
        residence_village="990101999001",
        registered_village=VILLAGE_3,
        consent_scope="assessment_and_management",
        consent_date=date(2025, 10, 9),
    )

    compile_list(store, plan, DUE)

    assert person(
        store,
        "R-1",
        "responsible_village, residence_village, registered_village, care_setting, urgency,"
        " consent_scope, waiting_since, referrals",
    ) == (
        VILLAGE_3,
        "990101999001",
        VILLAGE_3,
        "home",
        "soon",
        "assessment_and_management",
        date(2025, 10, 1),
        2,
    )


def test_a_later_round_speaks_where_consent_was_given_on_one_day(store: Store, plan: Plan) -> None:
    add_referral(store, "R-1", resident_key="k", row_number=9, residence_village=VILLAGE_3)
    add_referral(store, "R-2", resident_key="k", round=2, residence_village=VILLAGE_2)

    compile_list(store, plan, DUE)

    assert person(store, "R-1", "responsible_village") == (VILLAGE_2,)


def test_two_identity_numbers_are_never_joined_by_a_third_record(store: Store, plan: Plan) -> None:
    add_referral(store, "R-1", resident_key="k1", phone="1")
    add_referral(store, "R-2", resident_key="k2", phone="2")
    add_referral(store, "R-3", phone="1")
    add_referral(store, "R-4", resident_key="k1", full_name="张三", phone="4")

    compile_list(store, plan, DUE)

    assert people(store) == {frozenset({"R-1", "R-4"}), frozenset({"R-2"}), frozenset({"R-3"})}
    assert questions(store) == [("R-1", "R-3", "ids_differ"), ("R-2", "R-3", "ids_differ")]

    # a human takes one of the links back; the other is certain again
    answer_question(
        store, plan.slug, question_of(store, "R-2", "R-3"), "different", "陈医生", at=NOW
    )
    result = compile_list(store, plan, DUE)
    assert people(store, 2) == {frozenset({"R-1", "R-3", "R-4"}), frozenset({"R-2"})}
    assert (result.revision, result.open_questions) == (2, 0)


def test_two_register_entries_are_not_made_one_person(store: Store, plan: Plan) -> None:
    named = {"full_name": "张三丰", "sex": "male", "birth_date": date(1980, 1, 2)}
    add_registered(store, "G-1", phone="1", **named)
    add_registered(store, "G-2", residence_village=VILLAGE_2, **named)
    add_referral(store, "R-1", phone="1", residence_village=VILLAGE_2)

    result = compile_list(store, plan, DUE)

    assert result.known == 0
    assert questions(store) == [("R-1", "G-1", "ids_differ"), ("R-1", "G-2", "ids_differ")]


def test_withdrawn_replaced_and_foreign_referrals_are_not_on_the_list_late_ones_are(
    store: Store, plan: Plan
) -> None:
    add_referral(store, "R-1", full_name="甲一")
    add_referral(store, "R-2", full_name="乙二", is_current=False)
    add_referral(store, "R-3", full_name="丙三", campaign="spring-2025")
    add_referral(
        store, "R-4", full_name="丁四", first_received_at=datetime.fromisoformat("2025-11-11T00:00")
    )
    add_referral(store, "R-5", full_name="戊五")
    add_withdrawal(store, "R-5", date(2025, 12, 1))

    compile_list(store, plan, DUE)

    assert people(store) == {frozenset({"R-1"}), frozenset({"R-4"})}


def test_a_rerun_makes_no_revision_and_news_makes_the_next_beside_the_old(
    store: Store, plan: Plan
) -> None:
    add_referral(store, "R-1")
    add_referral(store, "R-2", **ELSEWHERE)
    first = compile_list(store, plan, DUE)
    asked = contents(store, "reg_question")

    again = compile_list(store, plan, DUE)
    assert (first.revision, first.is_new) == (1, True)
    assert (again.revision, again.is_new) == (1, False)
    assert contents(store, "reg_question") == asked

    was = contents(store, "reg_person")
    add_referral(store, "R-3", full_name="李四")
    third = compile_list(store, plan, DUE)
    assert (third.revision, third.is_new, third.people) == (2, True, 3)
    assert [row for row in contents(store, "reg_person") if row[1] == 1] == was
    assert contents(store, "reg_question") == asked


def test_nobody_is_no_revision(store: Store, plan: Plan) -> None:
    result = compile_list(store, plan, DUE)
    assert (result.revision, result.is_new, result.people) == (0, False, 0)


def test_a_list_that_everybody_withdrew_from_is_a_revision_of_nobody(
    store: Store, plan: Plan
) -> None:
    add_referral(store, "R-1")
    compile_list(store, plan, DUE)
    add_withdrawal(store, "R-1")

    emptied = compile_list(store, plan, DUE + timedelta(days=1))
    again = compile_list(store, plan, DUE + timedelta(days=2))

    assert (emptied.revision, emptied.is_new, emptied.people) == (2, True, 0)
    assert (again.revision, again.is_new) == (2, False)
    assert latest_list(store, plan) == 2
    assert contents(store, "reg_list", "revision, as_of, people") == [
        (1, DUE, 1),
        (2, DUE + timedelta(days=1), 0),
    ]
    assert {each.value for each in list_figures(store, plan) if not each.village} == {0}


def test_who_this_campaign_enrolled_was_not_known_before(store: Store, plan: Plan) -> None:
    add_referral(store, "R-1")
    compile_list(store, plan, DUE)
    add_outcome(store, "R-1", date(2025, 11, 12), "confirmed")
    update_queue(store, plan, date(2025, 11, 12))

    result = compile_list(store, plan, date(2025, 11, 13))

    assert (result.is_new, result.known) == (False, 0)
    store.connection.execute("UPDATE register.reg_registered SET referral_ref = 'R-other'")
    assert compile_list(store, plan, date(2025, 11, 13)).known == 1


def test_one_question_for_two_people_however_many_records_they_have(
    store: Store, plan: Plan
) -> None:
    for ref in ("R-1", "R-3"):
        add_referral(store, ref)
    for ref in ("R-2", "R-4"):
        add_referral(store, ref, **ELSEWHERE)

    assert compile_list(store, plan, DUE).open_questions == 1

    # a smaller pair turns up: the question that is out already stays the one to answer
    asked = contents(store, "reg_question", "question_id")
    add_referral(store, "R-0", **ELSEWHERE)
    compile_list(store, plan, DUE)
    assert contents(store, "reg_question", "question_id") == asked

    # one answer settles all records of the two
    answer_question(store, plan.slug, asked[0][0], "different", "陈医生", at=NOW)
    result = compile_list(store, plan, DUE)
    assert (result.people, result.open_questions) == (2, 0)

    # also once the record that was asked about is corrected and no longer in doubt itself
    store.connection.execute(
        "UPDATE register.stg_referral SET resident_key = 'k' WHERE referral_ref IN ('R-1', 'R-3')"
    )
    store.connection.execute(
        "UPDATE register.stg_referral SET full_name = '李四' WHERE referral_ref = 'R-1'"
    )
    result = compile_list(store, plan, DUE)
    assert (result.people, result.open_questions) == (2, 0)


def test_an_answer_same_joins_also_with_the_register(store: Store, plan: Plan) -> None:
    add_referral(store, "R-1", phone="1")
    add_referral(store, "R-2", phone="1", full_name="张三")
    add_registered(
        store,
        "G-1",
        full_name="张三丰",
        sex="male",
        birth_date=date(1980, 1, 2),
        residence_village=VILLAGE_3,
    )
    compile_list(store, plan, DUE)
    for pair in (("R-1", "R-2"), ("R-1", "G-1")):
        answer_question(store, plan.slug, question_of(store, *pair), "same", "陈医生", at=NOW)

    result = compile_list(store, plan, DUE)

    assert (result.revision, result.people, result.known, result.open_questions) == (2, 1, 1, 0)
    assert (plan.slug, 2, "R-2", "R-1", "answered") in contents(store, "reg_person_referral")


def test_an_answer_same_still_joins_whom_corrections_left_nothing_in_common(
    store: Store, plan: Plan
) -> None:
    add_referral(store, "R-1", phone="1")
    add_referral(store, "R-2", phone="1", full_name="张三")
    known: dict[str, Any] = {"full_name": "张三丰", "sex": "male", "birth_date": date(1980, 1, 2)}
    add_registered(store, "G-1", residence_village=VILLAGE_3, **known)
    compile_list(store, plan, DUE)
    for pair in (("R-1", "R-2"), ("R-1", "G-1")):
        answer_question(store, plan.slug, question_of(store, *pair), "same", "陈医生", at=NOW)
    for ref, name in (("R-1", "李四"), ("R-2", "王五一")):
        store.connection.execute(
            "UPDATE register.stg_referral SET full_name = ?, phone = NULL WHERE referral_ref = ?",
            [name, ref],
        )

    result = compile_list(store, plan, DUE)

    assert (result.people, result.known, result.open_questions) == (1, 1, 0)
    assert person(store, "R-1", "register_no, referrals", result.revision) == ("G-1", 2)


def test_an_identity_number_that_came_in_later_overrules_an_answer(
    store: Store, plan: Plan
) -> None:
    add_referral(store, "R-1")
    add_referral(store, "R-2", **ELSEWHERE)
    compile_list(store, plan, DUE)
    answer_question(store, plan.slug, question_of(store, "R-1", "R-2"), "different", "陈", at=NOW)
    store.connection.execute("UPDATE register.stg_referral SET resident_key = 'k'")

    assert compile_list(store, plan, DUE).people == 1


def test_certain_links_never_join_two_whom_a_human_told_apart(store: Store, plan: Plan) -> None:
    add_referral(store, "R-1", phone="1")
    add_referral(store, "R-2", phone="2", **ELSEWHERE)
    compile_list(store, plan, DUE)
    answer_question(store, plan.slug, question_of(store, "R-1", "R-2"), "different", "陈", at=NOW)
    add_referral(store, "R-3", phone="1", **ELSEWHERE)

    result = compile_list(store, plan, DUE)

    assert result.people == 3
    assert questions(store) == [("R-1", "R-3", "ids_differ"), ("R-2", "R-3", "ids_differ")]


def test_answers_that_contradict_stop_the_list_and_name_the_question(
    store: Store, plan: Plan
) -> None:
    for number, village in enumerate((VILLAGE_1, VILLAGE_2, VILLAGE_3), start=1):
        add_referral(store, f"R-{number}", residence_village=village)
    compile_list(store, plan, DUE)
    apart = question_of(store, "R-1", "R-2")
    answer_question(store, plan.slug, apart, "different", "陈", at=NOW)
    for pair in (("R-1", "R-3"), ("R-2", "R-3")):
        answer_question(store, plan.slug, question_of(store, *pair), "same", "陈", at=NOW)
    was = contents(store, "reg_person")

    with pytest.raises(CheckFailed, match=apart):
        compile_list(store, plan, DUE)
    assert contents(store, "reg_person") == was

    answer_question(store, plan.slug, apart, "same", "陈", at=NOW)
    assert compile_list(store, plan, DUE).people == 1


def test_an_open_question_goes_with_its_reason_and_an_answer_stays(
    store: Store, plan: Plan
) -> None:
    add_referral(store, "R-1")
    add_referral(store, "R-2", **ELSEWHERE)
    add_referral(store, "R-3", residence_village=VILLAGE_3)
    compile_list(store, plan, DUE)
    answer_question(store, plan.slug, question_of(store, "R-1", "R-2"), "different", "陈", at=NOW)
    add_withdrawal(store, "R-3")

    compile_list(store, plan, DUE)

    rows = contents(store, "reg_question", "ref_a, ref_b, answer, answered_by, answered_at")
    assert rows == [("R-1", "R-2", "different", "陈", NOW)]


# The same rules once more, written plainly for a handful of records


Rows = list[dict[str, Any]]


def plainly(
    records: Rows,
) -> tuple[set[frozenset[str]], dict[str, str | None], set[frozenset[Any]]]:
    """Return people, known register numbers by person, and pairs of people in doubt."""
    refs = [record["ref"] for record in records]
    by_ref = {record["ref"]: record for record in records}
    rules = {
        pair: rule
        for pair in combinations(refs, 2)
        if not by_ref[pair[0]]["registered"]
        and (rule := plain_rule(*map(by_ref.__getitem__, pair)))
    }
    certain = {pair for pair, rule in rules.items() if rule.startswith(("key", "certain"))}
    demoted: set[tuple[str, str]] = set()
    for group in groups(refs, certain):
        keys_of = {by_ref[ref]["resident_key"] for ref in group} - {None}
        entries = {by_ref[ref]["resident_key"] or ref for ref in group if by_ref[ref]["registered"]}
        if len(keys_of) > 1 or len(entries) > 1:
            demoted |= {pair for pair in certain if pair[0] in group and rules[pair] != "key"}
    final = groups(refs, certain - demoted)
    home = {ref: group for group in final for ref in group}
    doubts = {
        frozenset({home[a], home[b]})
        for a, b in {pair for pair in rules if pair not in certain} | demoted
        if home[a] != home[b]
    }
    listed = {
        frozenset(ref for ref in group if not by_ref[ref]["registered"]): min(
            (ref for ref in group if by_ref[ref]["registered"]), default=None
        )
        for group in final
    }
    listed.pop(frozenset(), None)
    return set(listed), {min(group): known for group, known in listed.items()}, doubts


def plain_rule(a: dict[str, Any], b: dict[str, Any]) -> str | None:
    """Return what the rules say of two records: key, certain, doubt or nothing."""

    def agree(*fields: str) -> bool:
        return all(a[field] is not None and a[field] == b[field] for field in fields)

    two_keys = None not in (a["resident_key"], b["resident_key"]) and not agree("resident_key")
    if agree("resident_key"):
        return "key"
    if agree("full_name", "birth_date", "phone"):
        return "doubt" if two_keys else "certain"
    if two_keys:
        return None
    if agree("full_name", "birth_date", "sex", "residence_village"):
        return "certain"
    doubtful = (
        agree("full_name", "birth_date", "sex"),
        agree("phone", "birth_date", "sex"),
        agree("full_name", "phone"),
    )
    return "doubt" if any(doubtful) else None


def groups(refs: list[str], pairs: set[tuple[str, str]]) -> set[frozenset[str]]:
    """Return the connected components."""
    home = {ref: frozenset({ref}) for ref in refs}
    for a, b in pairs:
        whole = home[a] | home[b]
        home.update(dict.fromkeys(whole, whole))
    return set(home.values())


FIELDS: dict[str, list[Any]] = {
    "full_name": ["张三丰", "李四"],
    "sex": ["male", "female"],
    "birth_date": [date(1980, 1, 2), date(1981, 1, 2)],
    "resident_key": [None, None, "k1", "k2"],
    "residence_village": [VILLAGE_1, VILLAGE_2],
    "phone": [None, "1", "2"],
}
RECORD = st.fixed_dictionaries({field: st.sampled_from(of) for field, of in FIELDS.items()})


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(RECORD, min_size=2, max_size=7), st.lists(RECORD, max_size=2))
def test_sql_links_as_the_rules_say(
    store: Store, plan: Plan, referrals: Rows, registered: Rows
) -> None:
    empty(store, "stg_referral", "reg_registered", "reg_list", "reg_person")
    empty(store, "reg_person_referral", "reg_question")
    records = [{"ref": f"R-{n}", "registered": False} | row for n, row in enumerate(referrals)]
    records += [{"ref": f"S-{n}", "registered": True} | row for n, row in enumerate(registered)]
    for row in records:
        add = add_registered if row["registered"] else add_referral
        add(store, row["ref"], **{field: row[field] for field in FIELDS})

    result = compile_list(store, plan, DUE)

    listed, known, doubts = plainly(records)
    assert people(store) == listed
    assert dict(contents(store, "reg_person", "person_ref, register_no")) == known
    assert result.open_questions == len(doubts)
    again = compile_list(store, plan, DUE)
    assert not again.is_new


# Questions as a human meets them


@pytest.fixture
def asked(store: Store, plan: Plan) -> str:
    """A list with one open question; returns its id."""
    add_referral(store, "R-1", phone="13800138000", row_no=4)
    add_registered(store, "G-1", full_name="张三丰", phone="13800138000", resident_key="k")
    compile_list(store, plan, DUE)
    return question_of(store, "R-1", "G-1")


def test_a_question_id_is_the_keyed_hash_of_its_pair(store: Store, plan: Plan, asked: str) -> None:
    digest = keyed_hash(read_secret(store), "question", f"{plan.slug}|R-1|G-1|true")
    assert asked == f"Q-{digest[:12].upper()}"


def test_the_question_file_names_nobody(
    store: Store, plan: Plan, asked: str, tmp_path: Path
) -> None:
    path = tmp_path / "questions.csv"

    assert write_questions(store, plan, path) == 1

    content = path.read_bytes()
    text = content.decode("utf-8-sig")
    assert content.startswith(b"\xef\xbb\xbf")
    assert path.stat().st_mode & 0o077 == 0
    head, row = text.splitlines()
    assert row.split(",") == [
        asked,
        "姓名、电话相同，出生日期不同",
        "姓名、居住地、电话",
        "性别、出生日期",
        "",
    ]
    assert head.startswith("问题编号,")
    for secret in ("张三丰", "13800138000", "1980", "1970", "R-1", "G-1", VILLAGE_1):
        assert secret not in text


def test_a_question_shows_both_records_to_the_health_side_only(
    store: Store, plan: Plan, asked: str
) -> None:
    question = show_question(store, plan.slug, asked)

    first, second = question.records
    assert (first.ref, first.row_no, first.round, first.has_resident_id) == ("R-1", 4, 1, False)
    assert (second.ref, second.sender_village, second.has_resident_id) == ("G-1", None, True)
    assert question.differs == ("sex", "birth_date")
    assert isinstance(question, Question)
    assert "张三丰" not in f"{question!r}{first!r}"


def test_a_question_whose_record_is_gone_is_not_shown(store: Store, plan: Plan, asked: str) -> None:
    empty(store, "stg_referral")
    with pytest.raises(WrongCommand) as gone:
        show_question(store, plan.slug, asked)
    assert gone.value.key == "question.gone"


def test_an_answer_is_kept_with_who_and_when_and_given_again_changes_nothing(
    store: Store, plan: Plan, asked: str
) -> None:
    answer_question(store, plan.slug, asked, "same", " 陈医生 ", at=NOW)
    answer_question(store, plan.slug, asked, "same", "王医生", at=NOW.replace(hour=12))

    rows = contents(store, "reg_question", "answer, answered_by, answered_at")
    assert rows == [("same", "陈医生", NOW)]


def test_an_answer_makes_list_and_queue_owed_again_once_their_days_are_over(
    store: Store, plan: Plan, asked: str
) -> None:
    last = date(2026, 1, 20)
    tonight = datetime.combine(last + timedelta(days=1), time(1))

    def owed_tonight() -> list[tuple[str, str]]:
        owes = owed_runs(store, plan, tonight + timedelta(days=1))
        return [
            (each.phase, each.because)
            for each in owes
            if each.phase in ("list_compilation", "diagnosis_queue")
        ]

    for phase in ("list_compilation", "diagnosis_queue"):
        note_run(store, plan.slug, phase, 0, last, 1, tonight)
    assert owed_tonight() == []
    answer_question(store, plan.slug, asked, "same", "陈医生", at=tonight)
    assert owed_tonight() == [("list_compilation", "news"), ("diagnosis_queue", "news")]


@pytest.mark.parametrize(
    ("question", "answer", "by", "key"),
    [
        ("Q-000000000000", "same", "陈", "question.unknown"),
        (None, "perhaps", "陈", "question.answer_form"),
        (None, "same", " ", "question.no_name"),
    ],
)
def test_a_wrong_answer_is_refused(
    store: Store, plan: Plan, asked: str, question: str | None, answer: str, by: str, key: str
) -> None:
    with pytest.raises(WrongCommand) as refused:
        answer_question(store, plan.slug, question or asked, answer, by, at=NOW)
    assert refused.value.key == key
    assert len(questions(store)) == 1


Fill = Callable[..., Path]


@pytest.fixture
def fill(store: Store, plan: Plan, tmp_path: Path) -> Fill:
    """Return a function that writes the question file, puts text behind its rows and saves it."""

    def filled(answers: list[str], *, more: str = "", encoding: str = "utf-8-sig") -> Path:
        path = tmp_path / "questions.csv"
        write_questions(store, plan, path)
        head, *rows = path.read_text("utf-8-sig").splitlines()
        lines = [head, *(row + answer for row, answer in zip(rows, answers, strict=True))]
        path.write_text("\n".join(lines) + "\n" + more, encoding=encoding)
        return path

    return filled


@pytest.mark.parametrize(
    ("encoding", "answer", "taken"),
    [
        ("utf-8-sig", "同一人", "same"),
        ("utf-8", " Same ", "same"),
        ("gb18030", "不同的人", "different"),
        ("utf-8-sig", "", None),
    ],
)
def test_a_filled_file_is_taken(
    store: Store, plan: Plan, asked: str, fill: Fill, encoding: str, answer: str, taken: str | None
) -> None:
    path = fill([answer], encoding=encoding)

    assert take_answers(store, plan.slug, path, "陈医生", at=NOW) == (1 if taken else 0)
    assert contents(store, "reg_question", "question_id, answer") == [(asked, taken)]


def test_the_trail_says_whose_records_an_answer_is_about(
    store: Store, plan: Plan, asked: str, fill: Fill
) -> None:
    act = replace(ACT, what="questions answer")
    take_answers(store, plan.slug, fill(["different"]), "陈", at=NOW, act=act)
    answer_question(store, plan.slug, asked, "same", "陈", at=NOW, act=act)

    told = contents(store, "reg_trail WHERE what = 'questions answer'", "subjects")
    assert told == [(["G-1", "R-1"],)] * 2


def test_a_file_with_mistakes_is_taken_not_at_all_and_named_by_row(
    store: Store, plan: Plan, asked: str, fill: Fill
) -> None:
    more = f"Q-张三丰,,,,same\n{asked},,,,也许\n{asked},,,,different\n"
    path = fill(["same"], more=more)

    with pytest.raises(FileRefused) as refused:
        take_answers(store, plan.slug, path, "陈医生", at=NOW)

    assert refused.value.values == {
        "file": "questions.csv",
        "unknown": "3",
        "unclear": "4",
        "twice": "5",
    }
    assert "张三丰" not in str(refused.value)
    assert len(questions(store)) == 1


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "question.file_head"),
        (b"a,b\n", "question.file_head"),
        (b'question_id,answer\n"Q', "question.file_unreadable"),
        (b"\xff\xff\xff", "question.file_unreadable"),
        (None, "question.file_unreadable"),
    ],
)
def test_a_file_that_is_none_is_refused(
    store: Store, plan: Plan, tmp_path: Path, content: bytes | None, key: str
) -> None:
    path = tmp_path / "answers.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileRefused) as refused:
        take_answers(store, plan.slug, path, "陈医生", at=NOW)
    assert refused.value.key == key


def test_every_rule_that_doubts_and_every_compared_field_has_words() -> None:
    wanted = {
        f"question.{kind}.{name}"
        for kind, names in (("rule", DOUBTFUL), ("field", COMPARED), ("answer", ANSWERS))
        for name in names
    }
    assert wanted <= set(keys("question."))
