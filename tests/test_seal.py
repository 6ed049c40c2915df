"""Whoever changes the ledger is noticed before anything more is released."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from conftest import ACT, make_home, open_home
from register_rows import add_referral
from reports import write
from reports.write import make_report
from tasks.at_home import AtHome
from tasks.figures import RawFigure
from tasks.home import Home
from tasks.names import read_names
from tasks.outbox import OutboxCounts
from tasks.plan import Plan, occurrence_at
from tasks.publish import Findings, Published, publish
from tasks.reporting import VillageReporting
from tasks.rules.checking import SuiteResult
from tasks.rules.errors import CheckFailed, DisclosureRisk, Exit
from tasks.rules.rectification import Rectification
from tasks.rules.wording import LANGUAGES, keys, say
from tasks.seal import Broken, verify_ledger
from tasks.store import Store

VILLAGE = "990101001001"
NOW = datetime(2025, 12, 5, 18, 30, 15, 250)
DAY = date(2025, 12, 5)


def findings(households: float, referrals: float = 40) -> Findings:
    """A revision with a row in every table that is sealed, nulls and fractions among them."""
    return Findings(
        figures=[
            RawFigure("households", "households", "", households),
            RawFigure("households_visited", "households", "", households / 3),
            RawFigure("referrals", "people", "", referrals),
            RawFigure("referrals", "people", VILLAGE, None),
        ],
        reporting=[
            VillageReporting(VILLAGE, "on_time", nil=True, files=1, first_counted_at=NOW),
            VillageReporting("990101001002", "missing", nil=False, files=0, first_counted_at=None),
        ],
        actions={VILLAGE: ["report_late", "visits_overdue"]},
        rectifications=[Rectification(VILLAGE, "report_late", 1, DAY, DAY, due_provisional=False)],
        checks=[SuiteResult("stg_coverage", 21, 21)],
    )


def release(
    store: Store, plan: Plan, phase: str = "supervision", households: float = 500, **other: Any
) -> Published:
    given: dict[str, Any] = {"check": lambda _: [], "announce": lambda _: None} | other
    found = findings(households)
    if phase != "supervision":
        found = Findings(found.figures, checks=found.checks)
    return publish(store, plan, occurrence_at(plan, phase, DAY), DAY, found, now=NOW, **given)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> dict[str, bytes]:
    """The files of a home with three revisions of two phases."""
    home = make_home(tmp_path_factory.mktemp("sealed") / "home")
    with open_home(home) as store:
        release(store, plan, "list_compilation")
        release(store, plan)
        release(store, plan, households=600)
        assert verify_ledger(store) == []
    return {path.name: path.read_bytes() for path in home.root.iterdir() if path.is_file()}


@pytest.fixture
def store(home: Home, sealed: dict[str, bytes]) -> Iterator[Store]:
    for name, content in sealed.items():
        (home.root / name).write_bytes(content)
    with open_home(home) as store:
        yield store


def revisions(store: Store) -> list[Any]:
    query = "SELECT phase, revision FROM ledger.out_revision ORDER BY ALL"
    return store.connection.execute(query).fetchall()


CHANGED = {
    # only supervision has a round
    "a value": "UPDATE ledger.out_figure SET value = 501"
    " WHERE name = 'households' AND round = 1 AND revision = 1",
    "a fraction of a value": "UPDATE ledger.out_figure SET value = value + 1e-9"
    " WHERE name = 'households_visited' AND round = 1 AND revision = 1",
    "a state": "UPDATE ledger.out_figure SET state = 'withheld', value = NULL"
    " WHERE name = 'households' AND round = 1 AND revision = 1",
    "a place exchanged": "UPDATE ledger.out_figure SET village = '990101001002'"
    " WHERE village = '990101001001' AND round = 1 AND revision = 1",
    "a figure taken out": "DELETE FROM ledger.out_figure"
    " WHERE name = 'households' AND round = 1 AND revision = 1",
    "a figure put in": "INSERT INTO ledger.out_figure VALUES"
    " ('autumn-2025', 'supervision', 1, 1, 'office', 9, 'visits', 'visits', '', 3, 'released')",
    "a day": "UPDATE ledger.out_revision SET as_of = '2025-12-04' WHERE round = 1 AND revision = 1",
    "a time": "UPDATE ledger.out_revision SET created_at = created_at + INTERVAL 1 MICROSECOND"
    " WHERE round = 1 AND revision = 1",
    "a check": "UPDATE ledger.out_check SET held = 20 WHERE round = 1 AND revision = 1",
    "a reporting state": "UPDATE ledger.agg_reporting SET state = 'late'"
    " WHERE nil AND round = 1 AND revision = 1",
    "a village taken out": "DELETE FROM ledger.agg_reporting"
    " WHERE nil AND round = 1 AND revision = 1",
    "a thing to do": "DELETE FROM ledger.agg_action WHERE position = 2 AND revision = 1",
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_changed_row_is_noticed_and_nothing_more_is_released(
    store: Store, plan: Plan, change: str
) -> None:
    store.connection.execute(change)
    assert verify_ledger(store) == [Broken("autumn-2025", "supervision", 1, 1, "changed")]
    before = revisions(store)
    for phase in ("list_compilation", "supervision"):
        with pytest.raises(CheckFailed) as stopped:
            release(store, plan, phase, households=700)
        assert (stopped.value.key, stopped.value.exit) == ("seal.changed", Exit.CHECK_FAILED)
        assert stopped.value.values["revision"] == 1
    assert revisions(store) == before


def test_nothing_is_mailed_while_a_released_row_is_another(
    home: Home, store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import release as flow  # noqa: PLC0415 # Prefect, for this one

    monkeypatch.setattr(flow, "send_ready", lambda *_, **__: OutboxCounts())
    at, send_mail = AtHome(home, plan, store, ACT), vars(flow)["send_mail"].fn
    assert send_mail(at) == OutboxCounts()
    store.connection.execute(CHANGED["a value"])
    with pytest.raises(CheckFailed) as stopped:
        send_mail(at)
    assert stopped.value.key == "seal.changed"


SEALED_TABLES = ("out_revision", "out_figure", "out_check", "agg_reporting", "agg_action")


@pytest.mark.parametrize("revision", [1, 2])
def test_a_revision_taken_out_is_noticed_even_the_newest(
    store: Store, plan: Plan, revision: int
) -> None:
    for table in SEALED_TABLES:
        store.connection.execute(
            f"DELETE FROM ledger.{table} WHERE round = 1 AND revision = {revision}"  # noqa: S608
        )
    assert verify_ledger(store) == [Broken("autumn-2025", "supervision", 1, revision, "vanished")]
    with pytest.raises(CheckFailed) as stopped:
        release(store, plan, households=700)
    assert stopped.value.key == "seal.vanished"


@pytest.mark.parametrize(
    "row",
    [
        "out_revision VALUES ('autumn-2025', 'supervision', 1, 3, '2025-12-06', NULL, false, NULL,"
        " 'due', 'x', '2025-12-06')",
        "out_figure VALUES ('autumn-2025', 'supervision', 1, 3, 'office', 1, 'households',"
        " 'households', '', 3, 'released')",
        "agg_reporting VALUES ('autumn-2025', 'supervision', 1, 3, '990101001001', 'late', false,"
        " 1, NULL)",
    ],
)
def test_what_was_put_in_beside_the_door_is_noticed(store: Store, plan: Plan, row: str) -> None:
    store.connection.execute(f"INSERT INTO ledger.{row}")
    assert verify_ledger(store) == [Broken("autumn-2025", "supervision", 1, 3, "added")]
    with pytest.raises(CheckFailed) as stopped:
        release(store, plan, households=700)
    assert stopped.value.key == "seal.added"


def test_every_broken_revision_is_told(store: Store, plan: Plan) -> None:
    store.connection.execute("UPDATE ledger.out_figure SET position = position + 1")
    assert [(each.phase, each.round, each.revision) for each in verify_ledger(store)] == [
        ("list_compilation", 0, 1),
        ("supervision", 1, 1),
        ("supervision", 1, 2),
    ]
    with pytest.raises(CheckFailed) as stopped:
        release(store, plan)
    assert stopped.value.values["more"] == 2


def test_rectifications_are_not_sealed_because_they_are_closed_later(store: Store) -> None:
    store.connection.execute("UPDATE ledger.agg_rectification SET closed_on = '2026-01-05'")
    assert verify_ledger(store) == []


def test_a_seal_is_of_no_use_without_the_registers_secret(store: Store) -> None:
    store.connection.execute("UPDATE register.reg_secret SET secret = 'x'::BLOB || secret[2:]")
    assert {each.what for each in verify_ledger(store)} == {"changed"}


def test_a_page_that_names_somebody_is_not_released(
    home: Home, store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_referral(store, "a", full_name="张三丰")
    names = read_names(store)
    kept = "SELECT count(*) FROM ledger.out_part"
    monkeypatch.setattr(write, "render_text", lambda *_: "请联系张三丰。\n")

    def announce(revision: int) -> None:
        make_report(store, home, plan, "list_compilation", 0, revision, "zh-CN", names)

    before = (revisions(store), store.connection.execute(kept).fetchall())
    with pytest.raises(DisclosureRisk) as stopped:
        release(store, plan, "list_compilation", households=700, announce=announce)
    assert (stopped.value.key, stopped.value.exit) == ("gate.name", Exit.DISCLOSURE)
    assert (revisions(store), store.connection.execute(kept).fetchall()) == before
    assert verify_ledger(store) == []


class Cut(BaseException):
    """What no code catches."""


def cut(*_: object) -> None:
    raise Cut


def test_a_release_cut_off_before_the_ledger_leaves_no_suspicion(store: Store, plan: Plan) -> None:
    with pytest.raises(Cut):
        release(store, plan, households=700, announce=cut)
    assert verify_ledger(store) == []
    assert release(store, plan, households=800) == Published(
        3, is_new=True, checks=(SuiteResult("stg_coverage", 21, 21),)
    )
    assert verify_ledger(store) == []


def test_a_release_cut_off_after_the_ledger_is_whole_and_guarded_from_the_next_on(
    store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("tasks.publish.mark_released", cut)
        with pytest.raises(Cut):
            release(store, plan, households=700)
    assert revisions(store)[-1] == ("supervision", 3)
    assert verify_ledger(store) == []
    assert release(store, plan, households=800).revision == 4
    store.connection.execute("DELETE FROM ledger.out_revision WHERE revision = 3")
    assert [each.revision for each in verify_ledger(store)] == [3]


def test_a_rerun_without_news_seals_nothing(store: Store, plan: Plan) -> None:
    query = "SELECT count(*) FROM register.reg_seal"
    before = store.connection.execute(query).fetchall()
    assert not release(store, plan, households=600).is_new
    assert store.connection.execute(query).fetchall() == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_to_break_a_seal_can_be_said(language: str) -> None:
    assert {key.removeprefix("seal.") for key in keys("seal.")} >= {"changed", "vanished", "added"}
    for what in ("changed", "vanished", "added"):
        values = {"campaign": "a", "phase": "sweep", "round": 1, "revision": 2, "more": 0}
        assert "sweep" in say(f"seal.{what}", language, **values)
