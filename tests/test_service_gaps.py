"""Service gaps: what opens and closes them, who may, and that they go with the person."""

import json
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.gap_view import show_gaps
from cli.main import main
from register_rows import (
    VILLAGE_1,
    add_referral,
    add_registered,
    add_visit,
    contents,
    holding,
)
from tasks import erasure, service_gaps
from tasks.audit import Act
from tasks.erasure import erase_person, freeze_person
from tasks.home import Home
from tasks.keys import read_key
from tasks.people import show_person
from tasks.plan import Plan
from tasks.register import open_register
from tasks.rules.contract import CHOICES
from tasks.rules.errors import WrongCommand
from tasks.rules.service_gaps import (
    FIRST_DAYS,
    FIRST_STEP,
    FOUND_BY_RULE,
    KINDS,
    SEEN_GONE,
    Finding,
    Gap,
    due_by,
    reconcile,
)
from tasks.rules.wording import say
from tasks.service_gaps import OpenGap, assign_gap, close_gap, list_gaps, open_gap, update_gaps
from tasks.store import Store
from tasks.visits import update_visits
from tasks.withdrawal import withdraw

SLUG = "autumn-2025"
NOW = datetime(2025, 12, 5, 9)
TODAY = NOW.date()
ELSEWHERE = "990199001001"
DAY = timedelta(days=1)


def act(what: str = "gaps", at: datetime = NOW) -> Act:
    return Act("李医生", what, "月度督导", at=at, campaign=SLUG)


def standing(store: Store, closed: bool = False) -> list[tuple[Any, ...]]:
    """Return (register number, kind) of the gaps that are open, or of those that are closed."""
    which = "reg_gap WHERE (closed_on IS NOT NULL) = " + str(closed).lower()
    return sorted(contents(store, which, "register_no, kind", order="1, 2"))


def update(store: Store, plan: Plan, as_of: date = TODAY) -> None:
    update_visits(store, plan, as_of)
    update_gaps(store, plan, as_of, act("supervision"))


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The register numbers of those lost to follow-up; a test fills it."""
    numbers: list[str] = []
    monkeypatch.setattr(service_gaps, "lost_to_follow_up", lambda store, as_of: list(numbers))
    return numbers


def number_of(store: Store) -> str:
    ((gap,),) = contents(store, "reg_gap WHERE closed_on IS NULL", "gap_id", order="1")
    return str(gap)


# ------------------------------------------------------------------ the rule


def test_every_kind_has_a_first_step_of_the_closed_list_and_a_day() -> None:
    assert set(KINDS) == set(CHOICES["gap_kind"]) == set(FIRST_STEP) == set(FIRST_DAYS)
    assert set(FIRST_STEP.values()) <= set(CHOICES["gap_step"])
    assert SEEN_GONE not in CHOICES["gap_closed"], "nobody says by hand what the data shows"


def kept(found_by: str = "rule", **changes: Any) -> Gap:
    opened = date(2025, 11, 5)
    values: dict[str, Any] = {
        "gap_id": "GAP-1",
        "register_no": "G-1",
        "kind": "medication_interrupted",
        "found_by": found_by,
        "opened_on": opened,
        "owner": "李",
        "next_step": "telephone",
        "due_on": opened + 7 * DAY,
    }
    return Gap(**values | changes)


@pytest.mark.parametrize(
    ("closed_as", "since", "opens"),
    [
        (SEEN_GONE, date(2025, 11, 1), True),
        ("settled", date(2025, 11, 20), False),
        ("settled", date(2025, 11, 21), True),
        ("settled", None, False),
        ("not_so", date(2025, 11, 1), False),
    ],
)
def test_what_a_human_closed_opens_again_only_for_something_new(
    closed_as: str, since: date | None, opens: bool
) -> None:
    closed = kept(closed_on=date(2025, 11, 20), closed_as=closed_as)
    finding = Finding("G-1", "medication_interrupted", since)
    changes = reconcile([closed], [finding], TODAY)
    assert changes.opened == ((finding,) if opens else ())


def test_without_a_day_of_its_own_a_finding_is_news_again_after_a_month() -> None:
    closed = kept(kind="lost_to_follow_up", closed_on=date(2025, 11, 20), closed_as="settled")
    finding = Finding("G-1", "lost_to_follow_up")
    assert not reconcile([closed], [finding], date(2025, 12, 20)).opened
    assert reconcile([closed], [finding], date(2025, 12, 21)).opened == (finding,)


def test_a_look_back_leaves_alone_what_came_later() -> None:
    later = kept(opened_on=TODAY + DAY)
    assert reconcile([later], [], TODAY).closed == ()
    closed_later = kept(closed_on=TODAY + DAY, closed_as="settled")
    finding = Finding("G-1", "medication_interrupted", date(2025, 11, 1))
    assert reconcile([closed_later], [finding], TODAY).opened == ()


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["look", "close", "open_by_hand"]),
        st.sampled_from(["G-1", "G-2"]),
        st.sets(st.tuples(st.sampled_from(["G-1", "G-2"]), st.sampled_from(FOUND_BY_RULE))),
    ),
    max_size=12,
)


@given(MOVES)
def test_at_most_one_gap_of_a_person_and_kind_is_open_whatever_happens(
    moves: list[tuple[str, str, set[tuple[str, str]]]],
) -> None:
    gaps: dict[str, Gap] = {}
    on = date(2025, 1, 1)

    def add(person: str, kind: str, found_by: str) -> None:
        name = f"GAP-{len(gaps)}"
        gaps[name] = kept(
            found_by, gap_id=name, register_no=person, kind=kind, opened_on=on, due_on=on
        )

    def close(gap: Gap, how: str) -> None:
        gaps[gap.gap_id] = Gap(**vars(gap) | {"closed_on": on, "closed_as": how})

    for move, person, shown in moves:
        on += 20 * DAY
        open_now = {
            (each.register_no, each.kind): each for each in gaps.values() if not each.closed_on
        }
        if move == "close":
            for gap in [each for each in open_now.values() if each.register_no == person]:
                close(gap, "settled")
        elif move == "open_by_hand" and (person, "guardian_weak") not in open_now:
            add(person, "guardian_weak", "hand")
        else:
            found = [Finding(*each, on) for each in sorted(shown)]
            by_hand = {key for key in open_now if key[1] not in FOUND_BY_RULE}
            changes = reconcile(gaps.values(), found, on)
            for each in changes.closed:
                close(each, SEEN_GONE)
            for finding in changes.opened:
                add(finding.register_no, finding.kind, "rule")
            again = reconcile(gaps.values(), found, on)
            assert not again.opened
            assert not again.closed
            now = [
                (each.register_no, each.kind) for each in gaps.values() if each.closed_on is None
            ]
            assert sorted(now) == sorted(shown | by_hand), "all that is shown is open, and no more"


# ------------------------------------------------------------------ what the data shows


def test_a_gap_opens_with_an_owner_a_step_and_a_day_and_closes_by_itself(
    store: Store, plan: Plan, lost: list[str]
) -> None:
    add_registered(store, "G-1")
    add_visit(store, "G-1", date(2025, 11, 20), medication="3")
    update(store, plan)
    update(store, plan)
    columns = "register_no, kind, found_by, opened_on, owner, next_step, due_on, closed_on"
    assert contents(store, "reg_gap", columns) == [
        (
            *("G-1", "medication_interrupted", "rule", TODAY, plan.health_centre.name),
            *("medication_review", due_by("medication_interrupted", TODAY), None),
        )
    ]
    add_visit(store, "G-1", date(2025, 12, 20), medication="1")
    update(store, plan, date(2026, 1, 5))
    assert standing(store) == []
    assert contents(store, "reg_gap", "closed_on, closed_as, closed_by") == [
        (date(2026, 1, 5), SEEN_GONE, None)
    ]


@pytest.mark.parametrize(
    ("medication", "opens"), [("1", False), ("2", True), ("3", True), ("4", False)]
)
def test_only_the_latest_word_of_a_clinician_tells_of_medication(
    store: Store, plan: Plan, lost: list[str], medication: str, opens: bool
) -> None:
    add_registered(store, "G-1")
    add_visit(store, "G-1", date(2025, 10, 1), medication="2" if not opens else "1")
    add_visit(store, "G-1", date(2025, 11, 1), medication=medication)
    # nobody was met, so nothing was learnt; and a visit to come tells nothing yet
    add_visit(store, "G-1", date(2025, 11, 20), seen="nobody", medication=None)
    add_visit(store, "G-1", TODAY + DAY, medication="1" if opens else "3")
    update(store, plan)
    assert standing(store) == ([("G-1", "medication_interrupted")] if opens else [])


def test_who_lives_here_and_is_registered_elsewhere_is_a_temporary_resident(
    store: Store, plan: Plan, lost: list[str]
) -> None:
    add_registered(store, "G-1", registered_village=ELSEWHERE)
    add_registered(store, "G-2", registered_village=VILLAGE_1)
    add_registered(store, "G-3", registered_village=None)
    add_registered(store, "G-4", registered_village=VILLAGE_1, residence_village=ELSEWHERE)
    update(store, plan)
    assert standing(store) == [("G-1", "temporary_resident")]


def test_who_is_lost_to_follow_up_is_what_the_visits_say(
    store: Store, plan: Plan, lost: list[str]
) -> None:
    add_registered(store, "G-1")
    lost += ["G-1", "G-9"]
    update(store, plan)
    assert standing(store) == [("G-1", "lost_to_follow_up")]
    lost.clear()
    update(store, plan, date(2026, 1, 5))
    assert standing(store, closed=True) == [("G-1", "lost_to_follow_up")]


@pytest.mark.parametrize("ended", ["moved", "transferred", "died"])
def test_nothing_is_missing_in_the_care_of_who_left(
    store: Store, plan: Plan, lost: list[str], ended: str
) -> None:
    add_registered(store, "G-1", registered_village=ELSEWHERE)
    update(store, plan)
    assert standing(store) == [("G-1", "temporary_resident")]
    store.connection.execute("UPDATE register.reg_visit_due SET state = ?", [ended])
    update_gaps(store, plan, date(2026, 1, 5), act())
    assert standing(store) == []


def test_who_is_met_again_after_moving_away_has_gaps_again(
    store: Store, plan: Plan, lost: list[str]
) -> None:
    add_registered(store, "G-1", registered_village=ELSEWHERE)
    away = {"seen": "nobody", "lost_reason": "moved", "stability": None}
    add_visit(store, "G-1", date(2025, 12, 1), **away)
    add_visit(store, "G-1", date(2025, 12, 3))
    update(store, plan)
    assert standing(store) == [("G-1", "temporary_resident")]


def test_no_rule_finds_a_guardian_missing(store: Store, plan: Plan, lost: list[str]) -> None:
    add_registered(store, "G-1")
    for day in (1, 15):
        add_visit(store, "G-1", date(2025, 11, day), seen="person", medication="1")
    update(store, plan)
    assert standing(store) == []


# ------------------------------------------------------------------ by hand


def test_a_gap_is_opened_given_to_somebody_and_closed_by_hand(
    store: Store, plan: Plan, lost: list[str]
) -> None:
    add_registered(store, "G-1")
    gap = open_gap(store, act(), "g-1", "无监护人", owner="王护士")
    assert contents(store, "reg_gap", "owner, next_step, due_on, found_by") == [
        ("王护士", "find_guardian", TODAY + 14 * DAY, "hand")
    ]
    assign_gap(store, act(), gap, step="上门探访", due=TODAY + DAY)
    assert contents(store, "reg_gap", "owner, next_step, due_on") == [
        ("王护士", "home_visit", TODAY + DAY)
    ]
    update(store, plan, date(2026, 1, 5))
    assert standing(store) == [("G-1", "guardian_missing")], "no rule closes what a hand opened"
    close_gap(store, act(), gap.lower(), "已解决")
    assert contents(store, "reg_gap", "closed_on, closed_as, closed_by") == [
        (TODAY, "settled", "李医生")
    ]


Done = Callable[[Store], object]


@pytest.mark.parametrize(
    ("done", "key"),
    [
        (lambda s: open_gap(s, act(), "G-1", "lost_to_follow_up", owner="王"), "gap.by_rule"),
        (lambda s: open_gap(s, act(), "G-1", "dangerous", owner="王"), "gap.kind"),
        (lambda s: open_gap(s, act(), "G-9", "guardian_weak", owner="王"), "gap.nobody"),
        (lambda s: open_gap(s, act(), "G-1", "guardian_weak", owner=" "), "gap.no_owner"),
        (lambda s: open_gap(s, act(), "G-1", "guardian_missing", owner="王"), "gap.open_already"),
        (
            lambda s: open_gap(s, act(), "G-1", "guardian_weak", owner="王", step="报警"),
            "gap.step",
        ),
        (
            lambda s: open_gap(s, act(), "G-1", "guardian_weak", owner="王", due=TODAY - DAY),
            "gap.due_past",
        ),
        (lambda s: assign_gap(s, act(), number_of(s)), "gap.nothing"),
        (lambda s: assign_gap(s, act(), "GAP-0", owner="王"), "gap.unknown"),
        (lambda s: assign_gap(s, act(), number_of(s), owner="王\n"), "gap.no_owner"),
        (lambda s: close_gap(s, act(), number_of(s), "forgotten"), "gap.closed_as"),
        (lambda s: close_gap(s, act(), "GAP-0", "settled"), "gap.unknown"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(
    store: Store, done: Done, key: str
) -> None:
    add_registered(store, "G-1")
    open_gap(store, act(), "G-1", "guardian_missing", owner="王")
    before = contents(store, "reg_gap")
    with pytest.raises(WrongCommand) as refused:
        done(store)
    assert refused.value.key == key
    assert contents(store, "reg_gap") == before


def test_a_gap_is_closed_once(store: Store) -> None:
    add_registered(store, "G-1")
    gap = open_gap(store, act(), "G-1", "guardian_weak", owner="王")
    close_gap(store, act(), gap, "arranged")
    with pytest.raises(WrongCommand) as refused:
        close_gap(store, act(), gap, "settled")
    assert refused.value.key == "gap.closed_already"
    with pytest.raises(WrongCommand) as refused:
        assign_gap(store, act(), gap, owner="赵")
    assert refused.value.key == "gap.closed_already"


def test_the_list_is_by_due_day_whatever_a_clinician_judged(
    store: Store, plan: Plan, lost: list[str]
) -> None:
    for number, stability, days in (("G-1", "unstable", 9), ("G-2", "stable", 1)):
        add_registered(store, number, stability=stability)
        add_visit(store, number, date(2025, 11, 1), rating=5 if days == 9 else 0)
        open_gap(store, act(), number, "guardian_weak", owner="王", due=TODAY + days * DAY)
    shown = list_gaps(store, act("gaps list"))
    assert [each.register_no for each in shown] == ["G-2", "G-1"]
    assert list_gaps(store, act("gaps list"), owner="赵") == []
    looks = contents(store, "reg_trail WHERE what = 'gaps list'", "subjects", order="position")
    assert looks == [(["G-1", "G-2"],), ([],)]


def test_no_column_of_a_gap_could_hold_a_judgement(store: Store) -> None:
    names = {name for name, *_ in store.connection.execute("DESCRIBE register.reg_gap").fetchall()}
    assert not names & {"rating", "diagnosis", "stability", "medication", "urgency", "full_name"}


# ------------------------------------------------------------------ the person's rights


@pytest.fixture
def one_plan(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "load_campaigns", lambda home: {plan.slug: plan})


@pytest.mark.usefixtures("one_plan")
@pytest.mark.parametrize("done", [erase_person, freeze_person])
def test_whoever_leaves_the_register_has_no_gap_any_more(
    store: Store, home: Home, plan: Plan, lost: list[str], done: Callable[..., Any]
) -> None:
    add_registered(store, "G-1")
    add_registered(store, "G-2")
    for number in ("G-1", "G-2"):
        open_gap(store, act(), number, "guardian_weak", owner="王")
    assert {each.table for each in show_person(store, act("show"), "G-1")} >= {"reg_gap"}

    receipt = done(store, home, plan, act("erase"), "G-1")

    assert receipt.rows["reg_gap"] == 1
    assert contents(store, "reg_gap", "register_no") == [("G-2",)]
    frozen = {table for table, _ in holding(store, "guardian_weak")}
    # freezing on request loses nothing; a clinical record is no more than that
    kept_of = ["reg_gap", "reg_frozen"] if done is freeze_person else ["reg_gap"]
    assert frozen == set(kept_of)


def test_whoever_withdraws_has_no_gap_and_gets_none(
    store: Store, plan: Plan, lost: list[str]
) -> None:
    add_referral(store, "R-000000000001")
    add_registered(
        store,
        "G-1",
        registered_village=ELSEWHERE,
        referral_ref="R-000000000001",
        confirmed_on=TODAY,
    )
    update(store, plan)
    assert standing(store) == [("G-1", "temporary_resident")]

    withdraw(store, act("withdraw"), "R-000000000001", TODAY)

    assert contents(store, "reg_gap") == []
    lost.append("G-1")
    update(store, plan, date(2026, 1, 5))
    assert contents(store, "reg_gap") == []
    with pytest.raises(WrongCommand):
        open_gap(store, act(), "G-1", "guardian_weak", owner="王")


# ------------------------------------------------------------------ the commands

PLANS = Path(__file__).parent.parent / "data" / "campaigns"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return a function that runs `campaign gaps …` on a home that knows one registered person."""
    monkeypatch.setenv("CAMPAIGN_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["campaign", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    assert run("init", "--plan", str(PLANS / "autumn-2025.toml"))[0] == 0
    home = Home(tmp_path / "home")
    with open_register(home, key=read_key(home), act=act()) as store:
        add_registered(store, "G-1", full_name="孔雀石", residence_village="990101101201")
    asked = ("--campaign", "autumn-2025", "--reason", "月度督导", "--by", "李")
    return lambda *arguments: run("gaps", *arguments, *asked)


def test_a_gap_is_opened_listed_assigned_and_closed_from_the_command_line(gaps: Command) -> None:
    opened = gaps("open", "G-1", "--kind", "guardian_missing", "--owner", "王护士")
    assert opened[0] == 0
    (record,) = json.loads(gaps("list", "--json")[1])
    gap = record["gap_id"]
    assert gap in opened[1]
    assert gaps("assign", gap, "--step", "home_visit", "--due", "2099-01-31")[0] == 0

    code, shown, _ = gaps("list")
    assert code == 0
    for text in (gap, "G-1", "2099-01-31", "王护士", CHOICES["gap_kind"]["guardian_missing"][0]):
        assert text in shown
    assert "孔雀石" not in shown, "a list needs nobody's name"

    assert gaps("close", gap, "--as", "settled")[0] == 0
    assert say("cli.gaps.none") in gaps("list")[1]
    code, _, error = gaps("close", gap, "--as", "settled")
    assert code == 2
    assert "G-1" not in error


def test_what_is_past_its_due_day_says_so_in_words(
    plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    gap = OpenGap(
        "GAP-1", "G-1", "guardian_weak", "hand", TODAY, "王", "telephone", TODAY, VILLAGE_1
    )
    show_gaps([gap], plan, TODAY)
    assert say("gap.past_due", day=TODAY) not in capsys.readouterr().out
    show_gaps([gap], plan, TODAY + DAY)
    assert say("gap.past_due", day=TODAY) in capsys.readouterr().out


def test_a_narrow_terminal_cuts_no_number_of_a_gap(
    plan: Plan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    gap = OpenGap(
        "GAP-1A2B3C4D",
        "R20250001",
        "medication_interrupted",
        "register",
        TODAY,
        "白云镇卫生院",
        "medication_review",
        TODAY,
        VILLAGE_1,
    )
    show_gaps([gap], plan, TODAY + DAY)
    shown = capsys.readouterr().out
    assert "GAP-1A2B3C4D" in shown
    assert "R20250001" in shown
    assert "白云镇卫生院" in shown
