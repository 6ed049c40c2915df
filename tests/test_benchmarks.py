"""All ways that the benchmarks compare give the same figures, and so do all ways of checking."""

import socket
import time
from pathlib import Path
from threading import Thread

import pytest

from benchmarks import by_hand, checks, office, ours
from benchmarks.__main__ import Cost, Measured, run
from benchmarks.delivery import Delivery, delivery_in, write_delivery
from benchmarks.figures import COMPARED, Figures, differing, published
from benchmarks.page import BEGIN, END, PICTURE, picture, rewrite, tables
from benchmarks.phases import write_plan
from benchmarks.province import Written, writers_row
from benchmarks.wire import wire_to
from tasks.home import Home
from tasks.plan import load_plan
from tasks.register import open_register

ROWS = 1_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small delivery, taken in and published."""
    made = tmp_path_factory.mktemp("delivery")
    ours.publish_all(Home(made / "home"), write_delivery(made, ROWS))
    return made


@pytest.fixture(scope="module")
def delivery(folder: Path) -> Delivery:
    return delivery_in(folder, ROWS)


@pytest.fixture(scope="module")
def released(folder: Path) -> Figures:
    return published(Home(folder / "home").ledger)


def test_there_is_something_to_compare(released: Figures, delivery: Delivery) -> None:
    assert {name for name, _ in released} == set(COMPARED)
    assert {village for _, village in released} == {
        "",
        *(village.code for village in delivery.plan.villages),
    }
    listed, sent = released["people_listed", ""], released["referrals", ""]
    assert listed is not None
    assert sent is not None
    assert ROWS > sent > listed > 0, "rows go back, are left out, and are about one person"


def test_the_hand_written_statement_gives_our_figures(
    released: Figures, delivery: Delivery
) -> None:
    assert differing(released, by_hand.publish_all(delivery)) == []


def test_the_hand_written_script_that_keeps_the_rows_gives_our_figures(
    released: Figures, delivery: Delivery, tmp_path: Path
) -> None:
    kept = by_hand.keep_and_publish_all(delivery, tmp_path / "kept.duckdb", ours.KEY)
    assert differing(released, kept) == []


def test_the_data_frames_give_our_figures(released: Figures, delivery: Delivery) -> None:
    assert differing(released, office.publish_all(delivery)) == []


def test_all_ways_of_checking_count_the_same(folder: Path) -> None:
    with open_register(Home(folder / "home"), key=ours.KEY, act=ours.ACT) as store:
        counts = checks.ours(store)
        assert counts["sex_valid"] > 0
        assert checks.by_hand(store) == counts
        assert checks.on_a_frame(checks.frame_of(store)) == counts


def test_a_difference_shows() -> None:
    one: Figures = {("referrals", ""): 10.0, ("referrals", "1"): None}
    assert differing(one, {("referrals", ""): 10.0}) == [("referrals", "1")]
    assert differing(one, {**one, ("referrals", ""): 15.0}) == [("referrals", "")]


def test_the_flows_are_measured_by_the_plan_of_the_delivery(tmp_path: Path) -> None:
    made = write_delivery(tmp_path, ROWS, villages=15)
    plan = load_plan(write_plan(tmp_path, made.plan))
    assert plan.villages == made.plan.villages
    assert len(plan.villages) == 15
    assert [(each.phase, each.round, each.due) for each in plan.calendar] == [
        (each.phase, each.round, each.due) for each in made.plan.calendar
    ]
    assert {each.phase for each in plan.calendar} == set(ours.AS_OF)
    assert len(made.referral) == 15


@pytest.mark.slow
def test_the_flow_of_a_phase_takes_what_it_may(tmp_path: Path) -> None:
    _, shares = run("phases", tmp_path, 0)
    assert set(shares) == set(ours.AS_OF)
    # of the processor: others may use the machine meanwhile
    assert all(0 < processor < 1 for _, processor in shares.values()), shares


def test_the_page_has_the_tables_of_the_run(tmp_path: Path) -> None:
    took = {"by_hand": 1.0, "kept": 2.0, "ours": 2.5}
    costs = {way: Cost(each, each, 2**20) for way, each in took.items()}
    grown = {way: Cost(each.took * 10, each.busy * 10, 2**20) for way, each in costs.items()}
    seconds = {"by_hand": 1.0, "ours": 2.0, "office": 14.0}
    found = [Measured(1_000, costs, seconds), Measured(10_000, grown, seconds)]
    phases = {"sweep": (0.5, 0.25), "aggregation": (0.75, 0.5)}
    text = tables(found, {"--help": 0.5, "status": 0.25}, phases)
    assert "| 1,000 | 2.0 | 2.5 | 1.2 | 2.5 | left out, minutes | 1 | 1 | 1 |  |  |" in text
    assert "10.0x for 10x, exponent 1.00" in text
    assert "| 1,000 | 2.0 | 14.0 | 7.0 |" in text
    assert "`campaign status` 25%; sweep 50% (25% of the processor), aggregation 75%" in text
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nbehind\n", encoding="utf-8")
    rewrite(page, text, picture(found))
    again = page.read_text("utf-8")
    assert again.startswith("before\n")
    assert again.endswith("behind\n")
    assert "old" not in again
    assert text in again
    assert (tmp_path / PICTURE).read_text("utf-8").startswith("<svg")


def test_a_wire_counts_how_often_an_answer_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            with server.accept()[0] as asker:
                while asked := asker.recv(1):
                    asker.sendall(asked)

        thread = Thread(target=echo)
        thread.start()
        with wire_to("127.0.0.1", server.getsockname()[1], 0.01) as wire:
            start = time.monotonic()
            with socket.create_connection(("127.0.0.1", wire.port)) as asker:
                for letter in (b"a", b"b", b"c"):
                    asker.sendall(letter)
                    assert asker.recv(1) == letter
            took = time.monotonic() - start
        thread.join(10)
    assert not thread.is_alive()
    assert wire.turns == 4, "the connection, and three questions"
    assert took >= 4 * 0.01


def test_writers_are_told_as_multiples_of_one_alone() -> None:
    alone = [Written(2.0, 1.0, 14), Written(4.0, 1.0, 14), Written(2.0, 1.0, 14)]
    together = [Written(6.0, 2.0, 14), Written(6.0, 2.0, 15), Written(10.0, 2.0, 14)]
    assert writers_row(alone, together, 14).startswith("| 3 | 3.0 | 5.0 | 2.0 | 1 |")
