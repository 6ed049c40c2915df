"""Receiving: the inbox, what it leaves behind, and what the ledger learns."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from conftest import ACT, coverage, referral
from reports.gate import mail_gate, returned_gate
from tasks.audit import show_trail
from tasks.home import Home
from tasks.plan import Plan
from tasks.receive import Received, receive, receive_inbox, set_aside
from tasks.rules.errors import DisclosureRisk
from tasks.store import Store

NOW = datetime(2025, 11, 3, 8, 0)
SAVED = datetime(2025, 10, 1)
VILLAGE = "990101001001"


def shanghai() -> datetime:
    return datetime.now(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)


def put(path: Path, home: Home, saved: datetime = SAVED) -> Path:
    """Move a file into the inbox whose content was last saved long before."""
    home.inbox.mkdir(exist_ok=True, mode=0o700)
    stamp = saved.replace(tzinfo=UTC).timestamp()
    os.utime(path, (stamp, stamp))
    return path.replace(home.inbox / path.name)


def arrivals(store: Store) -> list[tuple[object, ...]]:
    return store.connection.execute(
        "SELECT village, received_at, counts, nil FROM ledger.agg_submission ORDER BY received_at"
    ).fetchall()


def test_the_inbox_is_taken_in_as_of_when_a_file_was_put_there(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    before = shanghai() - timedelta(seconds=2)
    path = put(write_csv("coverage", [coverage()]), home)
    (received,) = receive_inbox(store, home, {plan.slug: plan}, now=shanghai())
    assert received.result.rows["accepted"] == 1
    ((_, when, counts, nil),) = arrivals(store)
    assert (counts, nil) == (True, False)
    assert isinstance(when, datetime)
    assert before <= when <= shanghai(), "not when it was saved"
    assert not path.exists(), "it holds people's data and has been taken in"


def test_a_refused_file_is_set_aside_with_its_reason_and_the_next_goes_on(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    for _ in range(2):
        put(write_csv("coverage", [], name="bad.csv"), home)
        put(write_csv("coverage", [coverage()], name="good.csv"), home)
        letter = write_csv("coverage", [], name="letter.docx")
        put(letter, home)
        received = receive_inbox(store, home, {plan.slug: plan}, now=shanghai())
        assert sorted(each.result.refused is None for each in received) == [False, False, True]
    assert not [path for path in home.inbox.iterdir() if path.is_file()]
    aside = sorted(path.name for path in (home.inbox / "refused").iterdir())
    files = ["1-bad.csv", "1-letter.docx", "bad.csv", "letter.docx"]
    assert aside == sorted([*files, *(f"{name}.txt" for name in files)])
    assert receive_inbox(store, home, {plan.slug: plan}, now=shanghai()) == []


def test_a_clock_that_runs_ahead_dates_nothing_into_the_future(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    put(write_csv("coverage", [coverage()]), home)
    receive_inbox(store, home, {plan.slug: plan}, now=NOW)
    assert arrivals(store)[0][1] == NOW


def test_a_lock_file_stays_where_it_is(store: Store, home: Home, plan: Plan) -> None:
    home.inbox.mkdir(exist_ok=True, mode=0o700)
    (home.inbox / "~$open.xlsx").write_bytes(b"lock")
    assert receive_inbox(store, home, {plan.slug: plan}, now=NOW) == []
    assert (home.inbox / "~$open.xlsx").exists()


def test_the_ledger_learns_that_a_file_came_and_no_count_of_people(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    files = [
        write_csv("referral", [referral(), referral(row_no="2", full_name="李四光")]),
        write_csv("referral", [referral(sex="?")], village="990101001002"),
    ]
    receive(store, home, {plan.slug: plan}, files, received_at=NOW, recorded_at=NOW)
    assert sorted(arrivals(store)) == [
        (VILLAGE, NOW, True, False),
        ("990101001002", NOW, False, False),
    ]
    tables = store.connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'ledger'"
    ).fetchall()
    assert ("agg_submission", "accepted") not in tables


def test_a_return_workbook_is_written_again_when_the_file_comes_again(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    path = write_csv("referral", [referral(sex="?")])
    for _ in range(2):
        (received,) = receive(
            store, home, {plan.slug: plan}, [path], received_at=NOW, recorded_at=NOW
        )
        assert received.return_workbook is not None
        assert received.return_workbook.is_file()
    assert received.result.repeated
    assert received.return_workbook is not None
    assert received.return_workbook.parent == home.returns(VILLAGE)


def test_the_inbox_is_taken_in_by_when_files_were_put_there_whatever_they_are_called(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    for name, phone in (("z.csv", "13700137001"), ("a.csv", "13700137002")):
        put(write_csv("referral", [referral(phone=phone)], name=name), home)
        time.sleep(1.1)  # the time of a file's place is taken to the second
    received = receive_inbox(store, home, {plan.slug: plan}, now=shanghai())
    assert [one.result.file for one in received] == ["z.csv", "a.csv"]
    query = "SELECT phone FROM register.stg_referral WHERE is_current"
    assert store.connection.execute(query).fetchall() == [("13700137002",)]


def test_the_trail_says_whose_data_a_delivery_brought(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    path = write_csv("referral", [referral(), referral(full_name="李四", urgency="?")])
    for _ in range(2):
        receive(store, home, {plan.slug: plan}, [path], received_at=NOW, recorded_at=NOW, act=ACT)
    query = "SELECT referral_ref FROM register.stg_referral WHERE is_current"
    ((reference,),) = store.connection.execute(query).fetchall()
    (entry,) = show_trail(store, ACT, subject=reference)
    assert (entry["who"], entry["subjects"]) == ("test", [reference])


def deliver(store: Store, home: Home, plan: Plan, path: Path) -> Received:
    plans = {plan.slug: plan}
    (one,) = receive(
        store,
        home,
        plans,
        [path],
        received_at=NOW,
        recorded_at=NOW,
        act=ACT,
        make_gate=returned_gate,
    )
    return one


def messages(store: Store) -> list[tuple[str, ...]]:
    return store.connection.execute(
        "SELECT kind, audience, recipient, state, subject, report FROM ledger.out_message"
    ).fetchall()


def words_of(home: Home, report: str) -> str:
    return (home.root / report).read_text("utf-8")


def test_a_village_is_told_once_a_file_how_many_rows_went_back_and_why(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    rows = [
        referral(sex="孔雀石"),
        referral(sex="孔雀石", full_name="绿松石"),
        referral(full_name="王五"),
    ]
    path = write_csv("referral", rows)
    for _ in range(2):
        deliver(store, home, plan, path)
    ((*to, subject, report),) = messages(store)
    assert to == ["returned", "village", "v1@example.test", "draft"]
    assert report.startswith(f"returns/{VILLAGE}/"), "it counts people's rows: not in the ledger"
    body = words_of(home, report)
    assert "“转介人员”2 行" in body
    for value in ("孔雀石", "绿松石", "王五", path.name):
        assert value not in subject + body


@pytest.mark.parametrize("why", ["nothing returned", "no address", "the centre"])
def test_nobody_is_written_to_without_need_or_address(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path], why: str
) -> None:
    rows = [referral(sex="男" if why == "nothing returned" else "?")]
    path = write_csv("referral", rows)
    if why == "no address":
        villages = tuple(each.model_copy(update={"email": None}) for each in plan.villages)
        plan = plan.model_copy(update={"villages": villages})
    if why == "the centre":
        path = write_csv(
            "assessment_outcome",
            [{"referral_ref": "R-1"}],
            phase="diagnosis_queue",
            round=0,
            village=plan.health_centre.code,
        )
    one = deliver(store, home, plan, path)
    assert bool(one.result.returned) == (why != "nothing returned")
    assert messages(store) == []


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("txt", "张三丰的性别要改正"),
        ("txt", "“转介人员”2 行：13800138000"),
        ("txt", "“转介人员”张三丰 行：{reason}"),
        ("subject", "2 行要改正"),
    ],
)
def test_the_gate_of_such_messages_lets_nothing_else_through(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path], part: str, text: str
) -> None:
    deliver(store, home, plan, write_csv("referral", [referral(sex="?")]))
    ((*_, subject, report),) = messages(store)
    body = words_of(home, report)
    gate = returned_gate(store, {plan.slug: plan})
    parts = {"txt": body, "subject": subject}
    gate(plan.slug, "", 0, 2, parts)
    text = text.replace("{reason}", body.splitlines()[1].partition("：")[2])
    with pytest.raises(DisclosureRisk):
        gate(plan.slug, "", 0, 2, parts | {part: text})


def test_the_outbox_lets_the_message_go_as_it_was_drafted(
    store: Store,
    home: Home,
    plan: Plan,
    write_csv: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reports.gate.load_plan", lambda _: plan)
    deliver(store, home, plan, write_csv("referral", [referral(sex="?")]))
    ((*_, subject, report),) = messages(store)
    body = words_of(home, report)
    gate = mail_gate(store, home)
    ((number,),) = store.connection.execute("SELECT revision FROM ledger.out_message").fetchall()
    gate(plan.slug, "", 0, number, {"txt": body, "subject": subject})
    with pytest.raises(DisclosureRisk):
        gate(plan.slug, "", 0, number, {"txt": body.replace("1 行", "2 行"), "subject": subject})


def test_files_with_the_same_rows_returned_are_told_of_in_words_of_their_own(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    wrong = referral(sex="?")
    for rows in ([wrong], [wrong, referral(row_no="2", full_name="王五")]):
        deliver(store, home, plan, write_csv("referral", rows))
    first, second = (report for *_, report in messages(store))
    assert first != second
    assert words_of(home, first) != words_of(home, second)


class Died(BaseException):
    """The process was killed here."""


def died(*_: object) -> None:
    raise Died


@pytest.mark.parametrize(
    "before", ["record_arrivals", "write_return_workbook", "_write_to_senders"]
)
def test_what_a_kill_cut_off_after_the_rows_were_stored_is_made_up_for_once(
    store: Store,
    home: Home,
    plan: Plan,
    write_csv: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    before: str,
) -> None:
    path = write_csv("referral", [referral(), referral(row_no="2", full_name="王五", sex="?")])
    with monkeypatch.context() as patched:
        patched.setattr(f"tasks.receive.{before}", died)
        with pytest.raises(Died):
            deliver(store, home, plan, path)
    ((ref,),) = store.connection.execute(
        "SELECT referral_ref FROM register.stg_referral WHERE verdict = 'accepted'"
    ).fetchall()
    (entry,) = show_trail(store, ACT, subject=ref)
    assert entry["what"] == ACT.what, "whose data came in stands in the trail with the data"
    assert messages(store) == []
    for _ in range(2):
        deliver(store, home, plan, path)
    assert len(arrivals(store)) == len(messages(store)) == 1


def test_a_refused_file_never_lies_there_without_its_reason(
    home: Home, write_csv: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(write_csv("coverage", [coverage()]), home)
    with monkeypatch.context() as patched:
        patched.setattr("tasks.receive.write_whole", died)
        with pytest.raises(Died):
            set_aside(home, path, "…")
    assert path.exists(), "it is looked at again"
    set_aside(home, path, "…")
    assert sorted(each.name for each in path.parent.glob("refused/*")) == [
        path.name,
        f"{path.name}.txt",
    ]


def test_the_same_file_again_changes_nothing_but_the_trail(
    store: Store, home: Home, plan: Plan, write_csv: Callable[..., Path]
) -> None:
    rows = [referral(), referral(full_name="李四", sex="?"), referral(consent_by="")]
    path = write_csv("referral", rows)
    found = []
    for days in range(2):
        at = NOW + timedelta(days=days)
        receive(
            store,
            home,
            {plan.slug: plan},
            [path],
            received_at=at,
            recorded_at=at,
            act=ACT,
            make_gate=returned_gate,
        )
        workbooks = sorted(each.name for each in home.returns(VILLAGE).iterdir())
        found.append((everything(store), workbooks))
    assert found[0] == found[1]
    assert [Path(name).suffix for name in found[0][1]] == [".txt", ".xlsx"]


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Table -> its rows, for every table of both files but the trail."""
    tables = store.connection.execute(
        "SELECT database_name, table_name FROM duckdb_tables() "
        "WHERE database_name IN ('register', 'ledger') AND table_name <> 'reg_trail' ORDER BY ALL"
    ).fetchall()
    return {
        table: store.connection.execute(f'FROM {file}."{table}" ORDER BY ALL').fetchall()
        for file, table in tables
    }
