"""Looking at people and taking consent back: who is shown, to whom, and what is kept of it."""

from datetime import date, datetime

import pytest

from register_rows import VILLAGE_1, VILLAGE_2, add_referral, add_withdrawal, contents
from tasks.audit import Act
from tasks.compile_list import compile_list
from tasks.diagnosis_queue import update_queue
from tasks.people import show_session
from tasks.plan import Plan
from tasks.rules.errors import WrongCommand
from tasks.store import Store
from tasks.withdrawal import withdraw

DUE = date(2025, 11, 10)
CLINIC = date(2025, 11, 12)
NOW = datetime(2025, 11, 11, 9, 0)


def act(who: str = "李", why: str = "本人要求") -> Act:
    return Act(who, "test", why, at=NOW, campaign="autumn-2025")


def shown(store: Store, plan: Plan) -> dict[str, str]:
    """Return the people shown for the clinic session: reference -> residence village."""
    booked = show_session(store, act("王医生", "门诊"), CLINIC)
    return {each.referral_ref: each.residence_village for each in booked}


def test_who_withdrew_is_not_shown_from_that_moment(store: Store, plan: Plan) -> None:
    add_referral(store, "R-A", full_name="甲")
    add_referral(store, "R-B", full_name="乙")
    compile_list(store, plan, DUE)
    update_queue(store, plan, DUE)
    assert set(shown(store, plan)) == {"R-A", "R-B"}

    withdraw(store, act(), " r-a ", NOW.date())

    assert set(shown(store, plan)) == {"R-B"}
    entries = contents(store, "reg_trail", "who, subjects", order="position")
    assert [entry for entry in entries if entry[1]] == [
        ("王医生", ["R-A", "R-B"]),
        ("李", ["R-A"]),
        ("王医生", ["R-B"]),
    ]


def test_the_referral_that_speaks_in_the_list_speaks_to_the_clinic(
    store: Store, plan: Plan
) -> None:
    one = {"resident_key": "k", "sender_village": VILLAGE_1, "residence_village": VILLAGE_1}
    other = {"resident_key": "k", "sender_village": VILLAGE_2, "residence_village": VILLAGE_2}
    add_referral(store, "a", **one)
    add_referral(store, "b", **other)
    compile_list(store, plan, DUE)
    update_queue(store, plan, DUE)

    listed = dict(contents(store, "reg_person", "person_ref, residence_village"))
    assert shown(store, plan) == listed == {"a": VILLAGE_2}

    add_withdrawal(store, "b")
    assert shown(store, plan) == {"a": VILLAGE_1}


def test_a_withdrawal_is_kept_once_and_the_first_one_holds(store: Store) -> None:
    add_referral(store, "R-1")
    first = date(2025, 11, 3)

    withdraw(store, act(), "r-1", first)
    with pytest.raises(WrongCommand) as again:
        withdraw(store, act(why="监护人要求"), "R-1", NOW.date())

    assert again.value.key == "withdraw.already"
    kept = contents(store, "reg_withdrawal", "referral_ref, withdrawn_on, reason")
    assert kept == [("R-1", first, "本人要求")]


@pytest.mark.parametrize(
    ("key", "act", "referral_ref", "day"),
    [
        ("audit.no_reason", act(why=" "), "R-1", NOW.date()),
        ("audit.no_name", act(who=" "), "R-1", NOW.date()),
        ("withdraw.not_yet", act(), "R-1", date(2025, 11, 12)),
        ("withdraw.unknown", act(), "R-2", NOW.date()),
    ],
)
def test_a_withdrawal_that_cannot_be_kept_leaves_nothing(
    store: Store, key: str, act: Act, referral_ref: str, day: date
) -> None:
    add_referral(store, "R-1")
    before = contents(store, "reg_trail")

    with pytest.raises(WrongCommand) as refused:
        withdraw(store, act, referral_ref, day)

    assert refused.value.key == key
    assert contents(store, "reg_withdrawal") == []
    assert contents(store, "reg_trail") == before
