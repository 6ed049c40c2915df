"""Two keys for an ad-hoc sweep: what was approved is what is run, and nothing else is."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from cli.request_commands import requests
from conftest import KEY, coverage, make_home, referral, write_workbook
from reports.gate import mail_gate, notice_gate
from reports.write import make_report
from tasks.agenda import owed_runs
from tasks.audit import Act
from tasks.clock import simulated
from tasks.compile_list import compile_list
from tasks.extensions import grant_extension
from tasks.home import Home
from tasks.intake import FileResult, take_in
from tasks.ledger import open_ledger
from tasks.links import list_links, make_links
from tasks.names import NO_NAMES, read_names
from tasks.plan import Occurrence, Plan, copy_plan, load_plan, occurrence_at, write_approved
from tasks.plan.approved import APPROVED, read_approved
from tasks.publish import Findings, publish
from tasks.receive import receive, record_arrivals
from tasks.register import open_register
from tasks.reporting import read_reporting, sweep_figures
from tasks.requests import (
    Asked,
    ask_for_sweep,
    decide_request,
    find_request,
    is_approved,
    read_approvals,
    requests_of,
    require_approved,
    require_run,
    settle_requests,
    state_in,
    write_approved_file,
)
from tasks.retention import due_next
from tasks.rules.contract import CHOICES, PURPOSES, Identity
from tasks.rules.errors import CheckFailed, Exit, FileRefused, WrongCommand
from tasks.rules.requests import (
    IN_PLAN,
    LONGEST_DAYS,
    Request,
    check_request,
    hash_begins,
    id_of,
    same_person,
    state_of,
)
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store
from tasks.templates import owed

PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "duties-2023.toml"
SLUG = "duties-2023"
VILLAGES = ("990104003001", "990104003002", "990104003003")
OUTSIDE = "990104003004"
ASKED = datetime(2023, 9, 20, 10, 0)
OPENS, DUE = date(2023, 9, 25), date(2023, 10, 8)
CAME = datetime(2023, 9, 28, 9, 30)
AFTER = datetime(2023, 10, 9, 0, 10)
"""Just after midnight that follows the last day."""

REQUEST = Request(
    SLUG, "service_gap", VILLAGES, date(2023, 11, 1), date(2023, 11, 10), "weather", "王主任"
)


# --- what identifies a request ---------------------------------------------------------------


def test_a_request_is_the_same_whatever_the_order_of_its_villages() -> None:
    assert replace(REQUEST, villages=VILLAGES[::-1]).hash == REQUEST.hash


@pytest.mark.parametrize(
    "changes",
    [
        {"campaign": "other"},
        {"purpose": "after_disaster"},
        {"villages": VILLAGES[:2]},
        {"villages": (*VILLAGES, OUTSIDE)},
        {"opens": date(2023, 11, 2)},
        {"due": date(2023, 11, 11)},
        {"reason": "other"},
        {"asked_by": "王主 任"},
    ],
)
def test_any_change_makes_another_request(changes: dict[str, Any]) -> None:
    changed = replace(REQUEST, **changes)
    assert changed.hash != REQUEST.hash
    assert changed.id != REQUEST.id


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_what_a_request_is_called_leads_back_to_its_hash(content_hash: str) -> None:
    called = id_of(content_hash)
    assert not any(letter.isdigit() for letter in called), "the gate takes digits for figures"
    assert hash_begins(called) == hash_begins(called.upper().replace("-", "")) == content_hash[:16]


@pytest.mark.parametrize("text", ["", "kfdm", "kfdm-wtbz-rqhn-cbd", "aaaa-aaaa-aaaa-aaaa", "1234"])
def test_what_no_request_can_be_called_is_said_to_be_unknown(text: str) -> None:
    with pytest.raises(WrongCommand) as refused:
        hash_begins(text)
    assert refused.value.key == "request.unknown"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"purpose": "meeting_security"}, "request.purpose"),
        ({"villages": ()}, "request.no_village"),
        ({"villages": (OUTSIDE,)}, "request.unknown_village"),
        ({"due": date(2023, 10, 31)}, "request.due_before_opens"),
        ({"opens": date(2023, 9, 1), "due": date(2023, 9, 19)}, "request.past"),
        ({"due": date(2023, 11, 1) + timedelta(days=LONGEST_DAYS)}, "request.too_long"),
    ],
)
def test_what_cannot_be_asked_for(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(WrongCommand) as refused:
        check_request(replace(REQUEST, **changes), VILLAGES, ASKED.date())
    assert refused.value.key == key


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"opens": date(2023, 9, 1), "due": ASKED.date()},
        {"due": date(2023, 11, 1) + timedelta(days=LONGEST_DAYS - 1)},
    ],
)
def test_what_may_just_be_asked_for(changes: dict[str, Any]) -> None:
    check_request(replace(REQUEST, **changes), VILLAGES, ASKED.date())


@pytest.mark.parametrize("purpose", PURPOSES)
def test_each_purpose_of_the_closed_list_may_be_asked_for(purpose: str) -> None:
    check_request(replace(REQUEST, purpose=purpose), VILLAGES, ASKED.date())


@pytest.mark.parametrize(
    ("decision", "on_time", "late"),
    [
        (None, "waiting", "lapsed"),
        ("approved", "approved", "over"),
        ("declined", "declined", "declined"),
        ("lapsed", "lapsed", "lapsed"),
    ],
)
def test_how_a_request_stands(decision: str | None, on_time: str, late: str) -> None:
    assert state_of(decision, DUE, DUE) == on_time, "the last day belongs to the window"
    assert state_of(decision, DUE, DUE + timedelta(days=1)) == late


@pytest.mark.parametrize(
    ("decides", "asked", "same"),
    [
        (("李医生", "li"), ("王主任", "wang"), False),
        (("王 主任", "li"), ("王主任", ""), True),
        (("WANG\u200b-lei", "b"), ("Wang Lei", "a"), True),
        (("李医生", "wang"), ("ｗａｎｇ", "x"), True),
        (("Office", "Office"), ("王主任", "office"), True),
        (("李医生", "office"), ("王主任", "office"), False),
        (("李医生", ""), ("王主任", ""), False),
    ],
)
def test_who_decides_for_himself(
    decides: tuple[str, str], asked: tuple[str, str], same: bool
) -> None:
    assert same_person(*decides, *asked) is same


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_closed_lists_can_be_said(language: str) -> None:
    for name, prefix in (("request_reason", "reason"), ("decline_reason", "declined")):
        for word in CHOICES[name]:
            assert say(f"request.{prefix}.{word}", language)


# --- the file beside the plan ----------------------------------------------------------------

PRINTABLE = st.text(min_size=1, max_size=20).filter(
    lambda text: text.isprintable() and text.strip() == text and text != ""
)


@given(PRINTABLE, PRINTABLE)
def test_what_is_written_beside_a_plan_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, asked_by: str, reason: str
) -> None:
    request = replace(REQUEST, asked_by=asked_by, reason=reason)
    plan_file = tmp_path_factory.mktemp("plan") / "plan.toml"
    write_approved(plan_file, {101: request, 102: REQUEST})
    assert read_approved(plan_file) == {101: request, 102: REQUEST}


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"approved = 3",
        b"[[approved]]\nround = 1",
        b"[[approved]]\nround = 101\npurpose = 'meeting_security'",
        b"[",
    ],
)
def test_a_damaged_file_beside_the_plan_says_how_to_mend_it(tmp_path: Path, content: bytes) -> None:
    copy_plan(PLAN, tmp_path)
    (tmp_path / APPROVED).write_bytes(content)
    with pytest.raises(WrongCommand) as refused:
        load_plan(tmp_path / "plan.toml")
    assert refused.value.key == "request.file_unreadable"


# --- a home with plan D ----------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with plan D: nothing asked for yet but what stands in it."""
    home = make_home(tmp_path / "home")
    copy_plan(PLAN, home.plan(SLUG).parent)
    return home


def plan_of(home: Home) -> Plan:
    return load_plan(home.plan(SLUG))


@contextmanager
def register(home: Home, who: str = "李医生", at: datetime = ASKED) -> Iterator[tuple[Store, Act]]:
    act = Act(who, "approve", "test", at=at, campaign=SLUG)
    with open_register(home, key=KEY, act=act) as store:
        yield store, act


def ask(home: Home, at: datetime = ASKED, **changes: Any) -> Asked:
    said: dict[str, Any] = {
        "purpose": REQUEST.purpose,
        "villages": list(REQUEST.villages),
        "opens": REQUEST.opens,
        "due": REQUEST.due,
        "reason": REQUEST.reason,
        "asked_by": REQUEST.asked_by,
        "account": "office",
    }
    plan = plan_of(home)
    with open_ledger(home, "write") as store:
        gate = notice_gate(store, home, plan, NO_NAMES)
        return ask_for_sweep(store, plan, now=at, gate=gate, **(said | changes))


def settle(home: Home, at: datetime = ASKED) -> list[Asked]:
    plan = plan_of(home)
    with open_ledger(home, "write") as store:
        gate = notice_gate(store, home, plan, NO_NAMES)
        return settle_requests(store, home, plan, at, gate)


def decide(
    home: Home,
    asked: Asked,
    *,
    approve: bool = True,
    by: str = "李医生",
    account: str = "health",
    reason: str | None = None,
    at: datetime = ASKED,
) -> Asked:
    plan = plan_of(home)
    with register(home, by, at) as (store, act):
        return decide_request(
            store,
            home,
            plan,
            find_request(store, asked.id),
            approve=approve,
            act=act,
            account=account,
            reason=reason,
            gate=notice_gate(store, home, plan, read_names(store)),
        )


def the_request(home: Home) -> Asked:
    with open_ledger(home) as store:
        (asked,) = requests_of(store, SLUG)
    return asked


def messages(home: Home) -> list[tuple[str, str, str, str]]:
    with open_ledger(home) as store:
        return store.connection.execute(
            "SELECT kind, audience, recipient, body FROM ledger.out_message ORDER BY ALL"
        ).fetchall()


def change(home: Home, statement: str) -> None:
    """Change the ledger as anybody can who may write its file."""
    with open_ledger(home, "write") as store:
        store.connection.execute(statement)


@pytest.fixture(scope="session")
def approved_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home after the sweep that plan D asks for was approved; to be copied."""
    home = make_home(tmp_path_factory.mktemp("approved") / "home")
    copy_plan(PLAN, home.plan(SLUG).parent)
    settle(home)
    decide(home, the_request(home))
    return home


@pytest.fixture
def approved(approved_home: Home, tmp_path: Path) -> Home:
    """A home in which the sweep that plan D asks for was approved."""
    shutil.copytree(approved_home.root, tmp_path / "approved")
    return Home(tmp_path / "approved")


def test_the_office_asks_without_a_key_and_the_health_side_is_told(home: Home) -> None:
    asked = ask(home)
    assert (asked.round, asked.state(ASKED.date()), asked.is_whole) == (101, "waiting", True)
    ((kind, audience, recipient, body),) = messages(home)
    assert (kind, audience, recipient) == ("request", "health", "outreach@health.example")
    plan = plan_of(home)
    assert asked.id in body
    assert all(plan.village(code).name in body for code in VILLAGES)
    assert "王主任" not in body, "who asks is nobody's business in a mailbox"
    with open_ledger(home) as store:
        (number,) = store.connection.execute(
            "SELECT revision FROM ledger.out_message"
        ).fetchone() or (0,)
        (subject,) = store.connection.execute(
            "SELECT subject FROM ledger.out_message"
        ).fetchone() or ("",)
        # what passed when it was drafted passes when it is sent
        mail_gate(store, home)(SLUG, "", 0, number, {"txt": body, "subject": subject})


def test_the_same_is_not_asked_for_twice(home: Home) -> None:
    first = ask(home)
    again: list[dict[str, Any]] = [{}, {"asked_by": "赵书记"}, {"reason": "other"}]
    for changes in again:
        with pytest.raises(WrongCommand) as refused:
            ask(home, **changes)
        assert (refused.value.key, refused.value.values["id"]) == ("request.twice", first.id)
    assert ask(home, due=date(2023, 11, 12)).round == 102


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"asked_by": "  "}, "request.no_name"),
        ({"asked_by": IN_PLAN}, "request.no_name"),
        ({"asked_by": "a\nb"}, "request.no_name"),
        ({"reason": "因为他家里有人生病"}, "request.reason"),
        ({"villages": ["990104003099"]}, "request.unknown_village"),
        ({"purpose": "security"}, "request.purpose"),
    ],
)
def test_what_is_refused_leaves_nothing(home: Home, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(WrongCommand) as refused:
        ask(home, **changes)
    assert refused.value.key == key
    assert messages(home) == []
    with open_ledger(home) as store:
        assert requests_of(store, None) == []


def test_a_village_that_is_closed_by_then_cannot_be_asked_for(home: Home) -> None:
    path = home.plan(SLUG).with_name("chengbei.villages.csv")
    lines = path.read_text("utf-8").splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith(VILLAGES[0]))
    code, name, households, *_ = lines[place].split(",")
    lines[place] = f"{code},{name},{households},,2023-11-05,"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(WrongCommand) as refused:
        ask(home)
    assert refused.value.key == "request.unknown_village"
    ask(home, due=date(2023, 11, 4))


def test_a_spelling_of_the_closed_list_is_read(home: Home) -> None:
    assert ask(home, reason="天气").request.reason == "weather"


def test_what_the_plan_asks_for_is_met_once_and_waits(home: Home) -> None:
    settle(home)
    settle(home)
    asked = the_request(home)
    assert (asked.request.asked_by, asked.round) == (IN_PLAN, 101)
    assert [kind for kind, *_ in messages(home)] == ["request"]
    plan = plan_of(home)
    assert plan.calendar == (), "nothing stands in the calendar before it is approved"
    with pytest.raises(WrongCommand) as refused:
        occurrence_at(plan, "sweep", DUE)
    assert refused.value.key == "plan.ad_hoc_not_approved"


def test_who_has_to_decide_is_told_again_on_the_eve_of_the_window(home: Home) -> None:
    told = []
    for day in (20, 21, 23, 24, 25, 26):
        settle(home, datetime(2023, 9, day, 0, 40))
        told.append(len(messages(home)))
    assert told == [1, 1, 1, 2, 2, 2]
    assert "仍未决定" in "".join(body for *_, body in messages(home))


def test_what_is_asked_for_at_the_last_moment_is_told_once_that_day(home: Home) -> None:
    ask(home, opens=ASKED.date())
    settle(home, ASKED + timedelta(hours=2))
    plan_s_own = 1
    assert len(messages(home)) == 1 + plan_s_own


def test_what_was_over_before_it_was_met_is_left_out(home: Home) -> None:
    settle(home, AFTER)
    with open_ledger(home) as store:
        assert requests_of(store, SLUG) == []


def test_approval_puts_exactly_that_into_the_calendar(approved: Home) -> None:
    (sweep,) = plan_of(approved).calendar
    assert (sweep.phase, sweep.round, sweep.opens, sweep.due) == ("sweep", 101, OPENS, DUE)
    assert (sweep.villages, sweep.ad_hoc, sweep.approved) == (VILLAGES, True, True)
    with register(approved) as (store, _):
        require_approved(store, plan_of(approved), sweep, OPENS)
        (trail,) = store.connection.execute(
            "SELECT list((who, what)) FROM register.reg_trail WHERE what IN ('request', 'approve')"
        ).fetchone() or ([],)
    assert (IN_PLAN, "request") in trail
    assert ("李医生", "approve") in trail
    told = {(kind, audience) for kind, audience, *_ in messages(approved)}
    assert told == {("request", "health"), ("decision", "health"), ("decision", "office")}


def test_the_file_beside_the_plan_is_private(approved: Home) -> None:
    path = approved.plan(SLUG).with_name(APPROVED)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("by", "account", "approve"), [("王 主任", "health", True), ("Office", "Office", False)]
)
def test_the_asker_cannot_decide(home: Home, by: str, account: str, approve: bool) -> None:
    asked = ask(home)
    with pytest.raises(WrongCommand) as refused:
        decide(home, asked, by=by, account=account, approve=approve, reason="other")
    assert refused.value.key == "request.same_person"
    with register(home) as (store, _):
        assert read_approvals(store) == frozenset()
    assert the_request(home).decision is None


def test_a_decline_needs_a_reason_is_told_and_stays(home: Home) -> None:
    asked = ask(home)
    with pytest.raises(WrongCommand) as refused:
        decide(home, asked, approve=False, reason="他不配合")
    assert refused.value.key == "request.decline_reason"
    declined = decide(home, asked, approve=False, reason="范围不当")
    assert (declined.decision, declined.decision_reason) == ("declined", "scope")
    assert any(kind == "decision" and "范围不当" in body for kind, _, _, body in messages(home))
    assert plan_of(home).calendar == ()
    with pytest.raises(WrongCommand) as refused:
        decide(home, asked)
    assert refused.value.key == "request.decided"
    with pytest.raises(WrongCommand) as refused:
        ask(home)
    assert refused.value.key == "request.same_again"


def test_an_approval_is_not_taken_back(approved: Home) -> None:
    asked = the_request(approved)
    before = messages(approved)
    decide(approved, asked)
    with pytest.raises(WrongCommand) as refused:
        decide(approved, asked, approve=False, reason="other")
    assert refused.value.key == "request.decided"
    assert messages(approved) == before, "the same decision once more tells nobody"


def test_nobody_decided_so_it_lapses_and_that_is_told_once(home: Home) -> None:
    asked = ask(home)
    late = datetime(2023, 11, 11, 0, 40)
    (lapsed,) = settle(home, late)
    assert (lapsed.id, lapsed.decision) == (asked.id, "lapsed")
    assert settle(home, late) == []
    told = [(audience) for kind, audience, *_ in messages(home) if kind == "decision"]
    assert sorted(told) == ["health", "office"]
    with pytest.raises(WrongCommand) as refused:
        decide(home, asked, at=late)
    assert refused.value.key == "request.lapsed"


def test_it_may_be_approved_after_it_opened_but_not_after_its_last_day(home: Home) -> None:
    settle(home)
    asked = the_request(home)
    with pytest.raises(WrongCommand) as refused:
        decide(home, asked, at=AFTER)
    assert refused.value.key == "request.lapsed"
    decide(home, asked, at=datetime(2023, 10, 8, 23, 59))
    assert plan_of(home).calendar[0].approved


def test_what_a_crash_cut_off_is_made_good_by_the_same_decision(approved: Home) -> None:
    asked = the_request(approved)
    change(approved, "DELETE FROM ledger.agg_decision")
    change(approved, "DELETE FROM ledger.out_message WHERE kind = 'decision'")
    with open_ledger(approved) as store:
        write_approved_file(store, approved, SLUG)
    assert plan_of(approved).calendar == ()
    with pytest.raises(WrongCommand) as refused:
        decide(approved, asked, approve=False, reason="other")
    assert refused.value.key == "request.decided"
    decide(approved, asked)
    assert plan_of(approved).calendar[0].approved
    assert {kind for kind, *_ in messages(approved)} == {"request", "decision"}


# --- the commands ----------------------------------------------------------------------------


Command = Callable[..., Result]


@pytest.fixture
def command(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs a command on the home, on the day on which plan D was asked for."""
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    monkeypatch.setattr("cli.server.use_server", lambda home: False)
    with simulated(ASKED):
        yield lambda *words: CliRunner().invoke(requests, words)


ASKING = (
    *("request", "--campaign", SLUG, "--purpose", "service_gap", "--village", VILLAGES[0]),
    *("--opens", "2023-11-01", "--due", "2023-11-10", "--reason", "other", "--by", "王主任"),
)


def test_from_the_command_line(home: Home, command: Command) -> None:
    assert command(*ASKING).exit_code == 0
    (listed,) = json.loads(command("requests", "--json").stdout)
    called = listed["id"]
    assert called in command("requests").stdout
    assert (listed["state"], listed["round"]) == ("waiting", 101)
    refused = command("approve", called, "--by", "王主任").exception
    assert isinstance(refused, WrongCommand)
    assert refused.key == "request.same_person"
    done = command("approve", called.upper(), "--by", "李医生", "--reason", "按计划")
    assert done.exit_code == 0
    assert say("cli.request.one_account") in done.output, "both were the account of this test"
    (listed,) = json.loads(command("requests", "--json", "--campaign", SLUG).stdout)
    assert (listed["state"], listed["decided_by"]) == ("approved", "李医生")
    with register(home) as (store, _):
        (why,) = store.connection.execute(
            "SELECT why FROM register.reg_trail WHERE who = '李医生' AND what = 'approve'"
            " ORDER BY position"
        ).fetchone() or ("",)
    assert called in why
    assert "按计划" in why


def test_a_damaged_file_beside_the_plan_is_written_anew(home: Home, command: Command) -> None:
    command(*ASKING)
    path = home.plan(SLUG).with_name(APPROVED)
    path.write_bytes(b"[")
    assert isinstance(command("requests").exception, WrongCommand)
    assert command("requests", "--repair").exit_code == 0
    assert read_approved(home.plan(SLUG)) == {}


def test_a_decline_from_the_command_line(home: Home, command: Command) -> None:
    asked = json.loads(command(*ASKING, "--json").stdout)
    done = command("decline", asked["id"], "--by", "李医生", "--reason", "staff")
    assert done.exit_code == 0
    assert the_request(home).decision_reason == "staff"


# --- forging ---------------------------------------------------------------------------------

EDITS = [
    f"UPDATE ledger.agg_request SET {edit}"  # noqa: S608 # from the list below
    for edit in (
        f"villages = ['{VILLAGES[0]}', '{OUTSIDE}']",
        "due = DATE '2023-10-30'",
        "opens = DATE '2023-09-21'",
        "purpose = 'service_gap'",
        "asked_by = 'somebody'",
    )
]


@pytest.mark.parametrize("edit", EDITS[:2])
def test_a_request_that_was_changed_in_the_ledger_cannot_be_approved(home: Home, edit: str) -> None:
    settle(home)
    change(home, edit)
    with pytest.raises(CheckFailed) as refused:
        decide(home, the_request(home))
    assert refused.value.key == "request.changed"
    with register(home) as (store, _):
        assert read_approvals(store) == frozenset()


@pytest.mark.parametrize("edit", EDITS)
def test_a_change_in_the_ledger_after_the_approval_approves_nothing(
    approved: Home, edit: str
) -> None:
    change(approved, edit)
    with open_ledger(approved) as store:
        write_approved_file(store, approved, SLUG)
    assert plan_of(approved).calendar == ()


Forge = Callable[[Request], tuple[int, Request]]
FORGED: list[Forge] = [
    lambda request: (101, replace(request, villages=(*VILLAGES, OUTSIDE))),
    lambda request: (101, replace(request, due=date(2023, 12, 31), asked_by="x")),
    lambda request: (101, replace(request, purpose="new_residents", asked_by="x")),
    lambda request: (102, request),
    lambda _: (103, replace(REQUEST, asked_by="forged")),
]


@pytest.mark.parametrize("forge", FORGED)
def test_a_forged_file_beside_the_plan_gains_nothing(
    approved: Home, tmp_path: Path, forge: Forge
) -> None:
    round, request = forge(the_request(approved).request)
    if request.villages != VILLAGES:
        request = replace(request, asked_by="not the plan")
    write_approved(approved.plan(SLUG), {round: request})
    plan = plan_of(approved)
    (sweep,) = plan.calendar
    assert sweep.approved, "for calendars it looks approved"
    with register(approved) as (store, _):
        with pytest.raises(CheckFailed) as refused:
            require_approved(store, plan, sweep, sweep.opens)
        assert refused.value.key == "request.not_approved"
        came = datetime.combine(sweep.opens, CAME.time())
        result = judge(store, plan, village_file(tmp_path, VILLAGES[0], round), came)
    assert isinstance(result.refused, FileRefused)
    assert (result.refused.key, result.exit) == ("refused.not_approved", Exit.FILE_REFUSED)


def test_a_forged_decision_in_the_ledger_gains_nothing(home: Home) -> None:
    ask(home)
    change(
        home,
        "INSERT INTO ledger.agg_decision SELECT request_hash, 'approved', '李医生', NULL, asked_at"
        " FROM ledger.agg_request",
    )
    settle(home)
    plan = plan_of(home)
    (sweep,) = [each for each in plan.calendar if each.approved]
    with register(home) as (store, _), pytest.raises(CheckFailed):
        require_approved(store, plan, sweep, sweep.opens)


def test_an_occurrence_that_says_more_than_was_approved_is_not_approved(approved: Home) -> None:
    plan = plan_of(approved)
    (sweep,) = plan.calendar
    with register(approved) as (store, _):
        approvals = read_approvals(store)
    assert is_approved(approvals, plan, sweep)
    for changes in (
        {"villages": (*VILLAGES, OUTSIDE)},
        {"due": DUE + timedelta(days=1)},
        {"opens": OPENS - timedelta(days=1)},
        {"round": 102},
        {"request": None},
    ):
        changed: Occurrence = replace(sweep, **changes)
        assert not is_approved(approvals, plan, changed), changes


def test_an_approval_lapses_where_the_plan_is_changed(approved: Home) -> None:
    path = approved.plan(SLUG)
    path.write_text(path.read_text("utf-8").replace(f', "{VILLAGES[2]}"', ""), "utf-8")
    plan = plan_of(approved)
    assert [each for each in plan.calendar if each.approved] == []
    settle(approved)
    with open_ledger(approved) as store:
        states = [state_in(plan, each, ASKED.date()) for each in requests_of(store, SLUG)]
    assert states == ["lapsed", "waiting"], "what the plan asks for now is another request"
    before = messages(approved)
    assert "已失效" in "".join(body for *_, body in before)
    settle(approved)
    assert messages(approved) == before


def test_what_the_plan_does_not_ask_for_any_more_cannot_be_approved(home: Home) -> None:
    settle(home)
    asked = the_request(home)
    path = home.plan(SLUG)
    path.write_text(path.read_text("utf-8").replace("2023-10-08", "2023-10-09"), "utf-8")
    with pytest.raises(CheckFailed) as refused:
        decide(home, asked)
    assert refused.value.key == "request.plan_changed"


# --- the sweep itself ------------------------------------------------------------------------


def village_file(folder: Path, village: str, round: int = 101, name: str = "张三丰") -> Path:
    rows = {
        "coverage": [
            coverage(village_code=village, visits_from="2023.9.25", visits_to="2023.9.28")
        ],
        "referral": [
            referral(
                full_name=name,
                residence_village=village,
                registered_village=village,
                consent_date="2023-09-27",
            )
        ],
    }
    identity = Identity(SLUG, "sweep", round, village, 1)
    return write_workbook(folder / f"{village}-{round}-{len(name)}.xlsx", rows, identity)


def judge(store: Store, plan: Plan, file: Path, came: datetime) -> FileResult:
    plans = {plan.slug: plan}
    (result,) = take_in(store, plans, [file], received_at=came, recorded_at=came, keep=False)
    return result


@pytest.mark.parametrize(
    ("village", "came", "key"),
    [
        (OUTSIDE, CAME, "refused.outside_scope"),
        (VILLAGES[0], datetime(2023, 9, 24, 23, 59), "refused.outside_window"),
        (VILLAGES[0], datetime(2023, 10, 9, 0, 0), "refused.outside_window"),
    ],
)
def test_a_file_from_outside_what_was_approved_is_refused_whole(
    approved: Home, tmp_path: Path, village: str, came: datetime, key: str
) -> None:
    with register(approved) as (store, _):
        result = judge(store, plan_of(approved), village_file(tmp_path, village), came)
    assert isinstance(result.refused, FileRefused)
    assert (result.refused.key, result.exit) == (key, Exit.FILE_REFUSED)
    assert len(result.refused.text().splitlines()) == 1


def test_what_came_in_time_counts_whenever_it_is_taken_in(approved: Home, tmp_path: Path) -> None:
    came = datetime(2023, 10, 8, 23, 59)
    with register(approved, at=AFTER) as (store, _):
        plans = {SLUG: plan_of(approved)}
        file = village_file(tmp_path, VILLAGES[0])
        (taken,) = receive(
            store, approved, plans, [file], received_at=came, recorded_at=AFTER + timedelta(days=3)
        )
    assert taken.result.exit == Exit.DONE


def test_only_the_villages_of_the_sweep_get_templates_and_links(approved: Home) -> None:
    plan = plan_of(approved)
    assert [sender for sender, _ in owed(plan)] == list(VILLAGES)
    with open_ledger(approved, "write") as store:
        made = make_links(store, plan, "sweep", 101, None, by="李医生", now=CAME)
        assert [link.village for link in made] == list(VILLAGES)
        assert {link.expires_at for link in made} == {datetime(2023, 10, 9)}, "no day longer"
        later = date(2023, 10, 20)
        make_links(store, plan, "sweep", 101, None, by="李医生", now=CAME, until=later)
        open_links = [each for each in list_links(store, SLUG, now=CAME) if each.state == "open"]
        assert {each.expires_at for each in open_links} == {datetime(2023, 10, 9)}
        with pytest.raises(WrongCommand) as refused:
            make_links(store, plan, "sweep", 101, OUTSIDE, by="李医生", now=CAME)
        assert refused.value.key == "link.unknown"


def test_an_approved_window_is_not_extended(approved: Home) -> None:
    with open_ledger(approved, "write") as store, pytest.raises(WrongCommand) as refused:
        grant_extension(
            store,
            plan_of(approved),
            "sweep",
            101,
            VILLAGES[0],
            DUE + timedelta(days=3),
            by="李医生",
            reason="weather",
        )
    assert refused.value.key == "extend.ad_hoc"


def test_plan_d_from_the_request_to_its_report(approved: Home, tmp_path: Path) -> None:
    plan = plan_of(approved)
    (sweep,) = plan.calendar
    with register(approved, at=CAME) as (store, act):
        files = [
            village_file(tmp_path, VILLAGES[0]),
            village_file(tmp_path, VILLAGES[1], name="赵四"),
        ]
        taken = receive(
            store, approved, {SLUG: plan}, files, received_at=CAME, recorded_at=CAME, act=act
        )
        assert [each.result.exit for each in taken] == [Exit.DONE, Exit.DONE]
    with open_ledger(approved) as store:
        for moment, owes in ((datetime(2023, 10, 8, 23, 59), []), (AFTER, [(101, DUE)])):
            runs = owed_runs(store, plan, moment)
            assert [(each.round, each.as_of) for each in runs if each.phase == "sweep"] == owes
    with register(approved, at=AFTER) as (store, _):
        require_run(store, plan, sweep, DUE, AFTER.date())
        record_arrivals(store)
        reporting = read_reporting(store, plan, sweep, DUE)
        states = {each.village: each.state for each in reporting}
        assert states == {village.code: "not_expected" for village in plan.villages} | dict(
            zip(VILLAGES, ("on_time", "on_time", "missing"), strict=True)
        )
        parts: dict[str, str] = {}

        def announce(revision: int) -> None:
            parts.update(make_report(store, approved, plan, "sweep", 101, revision, "zh-CN"))

        publish(
            store,
            plan,
            sweep,
            DUE,
            Findings(sweep_figures(store, plan, 101, reporting), reporting=reporting),
            now=AFTER,
            check=lambda _: [],
            announce=announce,
        )
        purpose = say("plan.purpose.holiday_continuity", "zh-CN")
        assert purpose in parts["html"]
        assert purpose in parts["txt"]
        # who was referred is listed and forgotten like anybody else
        assert compile_list(store, plan, DUE).people == 2
        assert due_next(store, plan, DUE + timedelta(days=165))


@pytest.mark.parametrize(
    ("as_of", "today", "allowed"),
    [
        (date(2023, 9, 30), date(2023, 9, 30), True),
        (DUE, date(2023, 10, 9), True),
        (DUE, date(2023, 10, 16), True),
        (date(2023, 9, 30), date(2023, 10, 9), False),
        (date(2023, 10, 9), date(2023, 10, 10), False),
        (date(2023, 9, 24), date(2023, 9, 25), False),
    ],
)
def test_a_run_is_of_the_window_and_afterwards_of_its_last_day_only(
    approved: Home, as_of: date, today: date, allowed: bool
) -> None:
    plan = plan_of(approved)
    with register(approved) as (store, _):
        if allowed:
            require_run(store, plan, plan.calendar[0], as_of, today)
            return
        with pytest.raises(WrongCommand) as refused:
            require_run(store, plan, plan.calendar[0], as_of, today)
    assert refused.value.key == "request.outside_window"


def test_what_is_not_ad_hoc_needs_no_approval(home: Home, plan: Plan) -> None:
    with register(home) as (store, _):
        require_approved(store, plan, plan.occurrence("sweep", 1), date(2030, 1, 1))
