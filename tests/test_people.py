"""Looking at people and a person's rights: who is shown, to whom, and what is kept of it."""

import io
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from cli.main import main
from cli.people_view import show_held, show_pair
from conftest import ACT, WriteCsv, referral
from register_rows import (
    VILLAGE_1,
    VILLAGE_2,
    add_referral,
    add_registered,
    add_withdrawal,
    contents,
)
from tasks.audit import Act
from tasks.compile_list import compile_list
from tasks.diagnosis_queue import update_queue
from tasks.home import Home
from tasks.keys import read_key
from tasks.people import Held, show_session
from tasks.plan import Plan
from tasks.questions import Question, Record
from tasks.register import open_register
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


# --- the commands ------------------------------------------------------------------------------

PLANS = Path(__file__).parent.parent / "data" / "campaigns"
VILLAGE = "990101101201"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return a function that runs `campaign …` and feeds it `typed`, a line a prompt."""
    monkeypatch.setenv("CAMPAIGN_HOME", str(tmp_path / "home"))

    def run(*arguments: object, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["campaign", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def person(campaign: Command, write_csv: WriteCsv, tmp_path: Path) -> Command:
    """The same for `campaign person …` of plan A, to whose first village one person was known."""
    assert campaign("init", "--plan", PLANS / "autumn-2025.toml")[0] == 0
    own = {"residence_village": VILLAGE, "registered_village": VILLAGE}
    row = referral(full_name="孔雀石", phone="13812345678", **own)
    path = write_csv("referral", [row], village=VILLAGE)
    assert campaign("receive", path, "--received-at", "2025-10-28T09:00")[0] == 0

    def run(*arguments: str, typed: str = "", why: str = "本人来访") -> tuple[int, str, str]:
        options = ("--campaign", "autumn-2025", "--reason", why, "--by", "李")
        return campaign("person", *arguments, *options, typed=typed)

    return run


def kept(tmp_path: Path, table: str, columns: str) -> list[object]:
    home = Home(tmp_path / "home")
    with open_register(home, key=read_key(home), act=ACT) as store:
        return contents(store, table, columns)


def test_a_person_is_found_shown_corrected_and_erased(person: Command, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    code, out, _ = person("find", typed="孔雀石\n\n\n")
    assert code == 0
    ref = next(word for word in out.split() if word.startswith("R-"))
    assert "1980" in out
    assert "13812345678" not in out

    assert person("correct", ref, "--field", "phone", typed="13999990000\n")[0] == 0
    code, out, _ = person("show", ref)
    assert code == 0
    assert all(text in out for text in ("孔雀石", "13999990000", "本人来访", "报送原文"))
    assert "13812345678" not in out

    code, _, err = person("erase", ref, typed="R-OTHER\n")
    assert (code, err.strip()) == (2, "再次输入的编号不一致，没有清除任何内容。")
    code, out, _ = person("erase", ref, typed=f"{ref.lower()}\n")
    assert code == 0
    assert "回执 E-" in out
    assert "孔雀石" not in out

    code, _, err = person("show", ref)
    assert code == 2
    assert "已于" in err
    assert person("find", typed="孔雀石\n\n\n")[1].strip().endswith("没有找到。")
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before, "no file is written"
    acts = {(who, what) for who, what, _ in kept(tmp_path, "reg_trail", "who, what, subjects")}
    assert {("李", what) for what in ("find", "correct", "show", "erase", "compact")} <= acts


def test_a_registered_person_who_withdraws_is_frozen(person: Command, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with open_register(home, key=read_key(home), act=ACT) as store:
        add_registered(store, "R20200001", full_name="孔雀石")

    code, out, _ = person("withdraw", "r20200001")

    assert code == 0
    assert "冻结" in out
    assert kept(tmp_path, "reg_registered", "*") == []
    assert kept(tmp_path, "reg_frozen", "register_no, reason") == [("R20200001", "本人来访")]
    code, out, _ = person("show", "R20200001")
    assert (code, "孔雀石" in out) == (0, True)
    assert person("freeze", "R20200001")[0] == 2


def test_who_came_onto_the_register_by_a_referral_withdraws_by_it(
    person: Command, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    with open_register(home, key=read_key(home), act=ACT) as store:
        add_referral(store, "R-1", full_name="孔雀石")
        add_registered(store, "R20200001", full_name="孔雀石", referral_ref="R-1")
    code, _, err = person("withdraw", "R-1", "--on", "2025-11-01")
    assert (code, err.count("\n")) == (2, 1), "a record is frozen today"

    assert person("withdraw", "r-1")[0] == 0

    assert kept(tmp_path, "reg_registered", "*") == []
    assert kept(tmp_path, "reg_frozen", "register_no") == [("R20200001",)]


def test_one_person_is_shown_without_the_references_of_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    entry = {"who": "李", "what": "session", "why": "门诊", "subjects": ["R-OWN", "R-OTHER"]}
    show_held([Held("reg_trail", NOW, entry)])
    shown = capsys.readouterr().out
    assert "李" in shown
    assert "R-OTHER" not in shown


def test_a_doubtful_pair_is_shown_in_the_words_of_the_template(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMPAIGN_LANG", raising=False)
    first = Record("R-1", VILLAGE_1, 1, 1, "孔雀石", "female", DUE, False, VILLAGE_1, None, None)
    second = Record("R-2", VILLAGE_2, 1, 7, "孔雀石", "female", DUE, True, VILLAGE_2, None, None)
    show_pair(Question("Q-1", "name_birth_elsewhere", (), ("phone",), None, (first, second)))
    shown = capsys.readouterr().out
    assert "女" in shown
    assert "female" not in shown


def test_without_a_reason_nothing_is_looked_at(person: Command) -> None:
    commands = [
        ("find",),
        ("show", "R-1"),
        ("correct", "R-1", "--field", "phone"),
        ("withdraw", "R-1"),
        ("erase", "R-1"),
        ("freeze", "R-1"),
    ]
    for arguments in commands:
        code, out, err = person(*arguments, why=" ", typed="孔雀石\n\n\n")
        assert (code, out, err.strip()) == (2, "", "请写明原因（--reason）。"), arguments
    for arguments in commands[1:]:
        code, _, err = person(*arguments, typed="13812345678\n")
        assert (code, err.count("\n")) == (2, 1), "R-1 is nobody"
