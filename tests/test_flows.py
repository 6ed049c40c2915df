"""The phases as Prefect flows, on what six villages send: run, run again, run after news."""

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from data.synthetic.comparison import people_by_referral
from data.synthetic.generate import generate
from data.synthetic.outcomes import write_outcomes
from flows import release as release_module
from flows import supervision as supervision_module
from flows.phase_flows import run
from tasks.at_home import load_campaigns, open_campaign
from tasks.audit import show_trail
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.receive import receive
from tasks.rules.contract import UNITS
from tasks.rules.errors import CheckFailed, DisclosureRisk, WrongCommand
from tasks.rules.wording import say
from tasks.set_up import set_up

SLUG = "autumn-2025"
PLAN = Path(__file__).parent.parent / "data" / "campaigns" / f"{SLUG}.toml"
READINESS_DUE = date(2025, 8, 29)
SWEEP_DUE = date(2025, 10, 31)
LIST_DUE = date(2025, 11, 10)
MARKER = "孔雀石标记"


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home into which everything that the villages sent has come."""
    folder = tmp_path_factory.mktemp("season")
    home = Home(folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMPAIGN_HOME", str(home.root))
        for name in [name for name in os.environ if name.startswith("CAMPAIGN_SMTP")]:
            patch.delenv(name)
        plan = with_readiness(folder)
        truth_file = generate(plan, folder / "synthetic", seed=7, villages=6, residents=9000)
        set_up(home, folder / "synthetic" / "plan.toml")
        (folder / "home" / "truth.json").write_bytes(truth_file.read_bytes())
        deliver(home, folder / "synthetic", until=SWEEP_DUE)
        yield home


def with_readiness(folder: Path) -> Path:
    """The autumn's plan, which asks for readiness before the sweep, too."""
    path = folder / PLAN.name
    phase = '[[phases]]\nphase = "readiness"\nopens = 2025-08-01\ndue = 2025-08-29\n\n'
    path.write_text(PLAN.read_text("utf-8").replace("[[phases]]", f"{phase}[[phases]]", 1), "utf-8")
    for villages in PLAN.parent.glob("*.villages.csv"):
        (folder / villages.name).write_bytes(villages.read_bytes())
    return path


def truth(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home.root / "truth.json").read_text("utf-8"))
    return found


def deliver(home: Home, synthetic: Path, *, after: date = date.min, until: date = date.max) -> None:
    """Take in what arrives after one day and up to another."""
    with open_campaign(SLUG, "test", "test") as at:
        plans = load_campaigns(home)
        for delivery in json.loads((synthetic / "truth.json").read_text("utf-8"))["deliveries"]:
            when = datetime.fromisoformat(delivery["received_at"])
            if after < when.date() <= until:
                path = synthetic / delivery["file"]
                receive(at.store, home, plans, [path], received_at=when, recorded_at=at.now)


def revisions(home: Home) -> int:
    with open_ledger(home) as store:
        rows = store.connection.execute("SELECT count(*) FROM ledger.out_revision").fetchone()
    assert rows is not None
    return int(rows[0])


def reports(home: Home) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.reports(SLUG).glob("*.json")}


def test_sweep_runs_twice_with_one_result_and_once_more_after_news(
    prefect: Path, season: Home
) -> None:
    first = run("sweep", SLUG, SWEEP_DUE)
    again = run("sweep", SLUG, SWEEP_DUE)
    assert (first.revision, first.is_new) == (1, True)
    assert (again.revision, again.is_new) == (1, False)
    assert first.messages.draft == 3, "no mail server: one draft a recipient"
    assert again.messages.draft == 3, "the rerun drafts nothing"
    before = reports(season)
    deliver(season, season.root.parent / "synthetic", after=SWEEP_DUE)
    later = run("sweep", SLUG, date(2025, 11, 3))
    assert (later.revision, later.is_new) == (2, True)
    after = reports(season)
    assert set(after) - set(before) == {"sweep-1-r2.json"}
    assert "sweep-1-r2.html" in (season.root / "reports" / "index.html").read_text("utf-8")
    assert all(after[name] == content for name, content in before.items()), "r1 stands unchanged"


def test_list_compilation_asks_about_doubts_and_reruns_quietly(prefect: Path, season: Home) -> None:
    first = run("list_compilation", SLUG, LIST_DUE)
    again = run("list_compilation", SLUG, LIST_DUE)
    assert (first.is_new, again.is_new) == (True, False)
    questions = season.questions(SLUG).read_text("utf-8-sig").splitlines()
    assert len(questions) > 1
    with open_campaign(SLUG, "test", "test") as at:
        names = at.store.connection.execute(
            "SELECT full_name FROM register.stg_referral WHERE is_current"
        ).fetchall()
    assert not any(name in "\n".join(questions) for (name,) in names)


def test_aggregation_compares_with_nothing_where_nothing_was(prefect: Path, season: Home) -> None:
    receipt = run("aggregation", SLUG, date(2025, 11, 20))
    assert run("aggregation", SLUG, date(2025, 11, 20)).revision == receipt.revision
    figures = json.loads((season.reports(SLUG) / "aggregation-r1.json").read_text("utf-8"))[
        "figures"
    ]
    by_name = {each["name"]: each for each in figures if each["village"] is None}
    assert by_name["people_listed"]["state"] == "released"
    assert by_name["earlier1_people_listed"]["state"] == "not_reported"
    assert by_name["earlier1_people_listed"]["value"] is None


def test_diagnosis_queue_books_and_lets_go(prefect: Path, season: Home) -> None:
    first = run("diagnosis_queue", SLUG, LIST_DUE)
    assert not run("diagnosis_queue", SLUG, LIST_DUE).is_new
    session = date(2025, 11, 12)
    with open_campaign(SLUG, "test", "test") as at:
        people = people_by_referral(at.store, SLUG, truth(season))
        booked = [
            row["person_ref"]
            for row in at.store.records("demo/sessions", campaign=SLUG)
            if row["session_date"] == session
        ]
        capacity = next(each.capacity for each in at.plan.clinic if each.date == session)
        assert 0 < len(booked) <= capacity
        entries = show_trail(at.store, at.act, who=at.act.who)
        assert any(
            entry["what"] == "diagnosis_queue" and set(booked) <= set(entry["subjects"])
            for entry in entries
        ), "the trail says whom the run booked"
        rows = [
            {"referral_ref": ref, "assessed_on": session, **people[ref]["outcomes"][0]}
            for ref in booked
            if people[ref]["outcomes"]
        ]
        path = season.root.parent / "outcomes.xlsx"
        write_outcomes(path, at.plan, rows)
        evening = datetime(2025, 11, 12, 18)
        plans = load_campaigns(season)
        (received,) = receive(
            at.store, season, plans, [path], received_at=evening, recorded_at=at.now
        )
        assert received.result.rows["accepted"] == len(rows)
    second = run("diagnosis_queue", SLUG, date(2025, 11, 13))
    assert second.revision == first.revision + 1
    left = {row["referral_ref"] for row in rows if row["outcome"] in ("not_confirmed", "declined")}
    with open_campaign(SLUG, "test", "test") as at:
        waiting = {
            row["person_ref"]
            for row in at.store.records("demo/queue", campaign=SLUG)
            if row["state"] in ("waiting", "booked")
        }
    assert left
    assert not left & waiting


def test_readiness_opens_rectifications_once(prefect: Path, season: Home) -> None:
    first = run("readiness", SLUG, READINESS_DUE)
    assert not run("readiness", SLUG, READINESS_DUE).is_new
    page = (season.root / first.report).read_text("utf-8")
    with open_ledger(season) as store:
        opened = store.connection.execute(
            "SELECT village, shortfall, opened_round, opened_on FROM ledger.agg_rectification"
        ).fetchall()
    assert opened
    assert {(number, day) for *_, number, day in opened} == {(0, READINESS_DUE)}
    for _, shortfall, *_ in opened:
        assert say(f"shortfall.{shortfall}", "zh-CN") in page


def test_follow_up_shows_visits_by_village_and_people_of_the_township(
    prefect: Path, season: Home
) -> None:
    as_of = date(2025, 12, 31)
    first = run("follow_up", SLUG, as_of)
    assert not run("follow_up", SLUG, as_of).is_new
    found = json.loads((season.reports(SLUG) / "follow_up-r1.json").read_text("utf-8"))["figures"]
    by_unit = {unit: {each["village"] for each in found if each["unit"] == unit} for unit in UNITS}
    assert len(by_unit["visits"]) == 7, "six villages and the township"
    assert by_unit["people"] == {None}
    with open_campaign(SLUG, "test", "test") as at:
        entries = show_trail(at.store, at.act, who=at.act.who)
        registered = at.store.connection.execute("FROM register.reg_visit_due").fetchall()
    (looked, *_) = [each for each in entries if each["what"] == "follow_up" and each["subjects"]]
    assert {row[0] for row in registered} == set(looked["subjects"]), "whose visits it went through"
    assert first.report.endswith("follow_up-r1.html")


def test_supervision_opens_rectifications_once(prefect: Path, season: Home) -> None:
    receipt = run("supervision", SLUG, date(2025, 12, 5))
    assert not run("supervision", SLUG, date(2025, 12, 5)).is_new
    assert (receipt.round, receipt.period) == (1, "2025-11")
    with open_ledger(season) as store:
        opened = store.connection.execute(
            "SELECT village, shortfall FROM ledger.agg_rectification WHERE opened_round > 0"
        ).fetchall()
    assert opened
    assert len(opened) == len(set(opened))
    folder = season.reports(SLUG) / f"supervision-1-r{receipt.revision}"
    with open_campaign(SLUG, "test", "test") as at:
        expected = at.plan.expected(at.plan.occurrence("supervision", 1))
    assert {path.stem for path in folder.iterdir()} == {village.code for village in expected}


def test_a_broken_table_rule_stops_the_phase(prefect: Path, season: Home) -> None:
    before = revisions(season)
    with open_campaign(SLUG, "test", "test") as at:
        at.store.connection.execute(
            "UPDATE register.stg_coverage SET is_current = true WHERE verdict = 'returned'"
        )
    try:
        with pytest.raises(CheckFailed) as caught:
            run("sweep", SLUG, date(2025, 11, 4))
    finally:
        with open_campaign(SLUG, "test", "test") as at:
            at.store.connection.execute(
                "UPDATE register.stg_coverage SET is_current = false WHERE verdict = 'returned'"
            )
    assert caught.value.key == "check.table_rule"
    assert caught.value.values["table"] == "stg_coverage"
    assert revisions(season) == before


@pytest.mark.parametrize("stopped", ["make_report", "make_sheets"])
def test_what_the_gate_stops_is_not_released_and_not_drafted(
    prefect: Path, season: Home, monkeypatch: pytest.MonkeyPatch, stopped: str
) -> None:
    def stop(*_: object) -> None:
        raise DisclosureRisk("gate.phone_number", kind="html")

    monkeypatch.setattr(release_module, stopped, stop)
    before = (revisions(season), set(reports(season)))
    with pytest.raises(DisclosureRisk):
        run("supervision", SLUG, date(2026, 1, 5))
    assert (revisions(season), set(reports(season))) == before


def test_an_error_leaves_no_value_with_the_orchestrator(
    prefect: Path, season: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def burst(*_: object) -> None:
        raise ValueError(f"could not convert {MARKER}")

    monkeypatch.setattr(supervision_module, "read_reporting", burst)
    with pytest.raises(CheckFailed) as caught:
        run("supervision", SLUG, date(2025, 12, 5))
    assert MARKER not in str(caught.value)
    assert caught.value.values["kind"] == "ValueError"
    assert caught.value.__cause__ is None
    assert MARKER not in caplog.text
    kept = [path for path in prefect.rglob("*") if path.is_file()]
    assert any(b"supervision" in path.read_bytes() for path in kept), "the run itself is there"
    for path in kept:
        assert MARKER.encode() not in path.read_bytes(), path.name


def test_prefect_is_told_slug_date_and_round_only(prefect: Path, season: Home) -> None:
    run("sweep", SLUG, date(2025, 11, 5))
    (database,) = prefect.rglob("*.db")
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT parameters FROM flow_run").fetchall()
    assert rows
    for (parameters,) in rows:
        assert set(json.loads(parameters)) <= {"campaign", "as_of", "round"}


def test_an_unknown_phase_or_round_is_a_wrong_command(prefect: Path, season: Home) -> None:
    with pytest.raises(WrongCommand):
        run("launch", SLUG, SWEEP_DUE)
    with pytest.raises(WrongCommand):
        run("quarterly_pack", SLUG, SWEEP_DUE)  # the plan asks for none
    with pytest.raises(WrongCommand):
        run("sweep", SLUG, SWEEP_DUE, 9)
