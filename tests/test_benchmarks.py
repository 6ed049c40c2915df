"""All ways that the benchmarks compare give the same figures, and so do all ways of checking."""

from pathlib import Path

import pytest

from benchmarks import by_hand, checks, office, ours
from benchmarks.__main__ import Cost, Measured
from benchmarks.delivery import Delivery, delivery_in, write_delivery
from benchmarks.figures import COMPARED, Figures, differing, published
from benchmarks.page import BEGIN, END, PICTURE, picture, rewrite, tables
from tasks.home import Home
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


def test_the_page_has_the_tables_of_the_run(tmp_path: Path) -> None:
    costs = {way: Cost(took, took, 2**20) for way, took in (("by_hand", 1.0), ("ours", 2.5))}
    grown = {way: Cost(each.took * 10, each.busy * 10, 2**20) for way, each in costs.items()}
    seconds = {"by_hand": 1.0, "ours": 2.0, "office": 14.0}
    found = [Measured(1_000, costs, seconds), Measured(10_000, grown, seconds)]
    text = tables(found, {"--help": 0.5, "status": 0.25})
    assert "| 1,000 | 2.5 | 2.5 | left out, minutes | 1 | 1 |  |  |" in text
    assert "10.0x for 10x, exponent 1.00" in text
    assert "| 1,000 | 2.0 | 14.0 | 7.0 |" in text
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nbehind\n", encoding="utf-8")
    rewrite(page, text, picture(found))
    again = page.read_text("utf-8")
    assert again.startswith("before\n")
    assert again.endswith("behind\n")
    assert "old" not in again
    assert text in again
    assert (tmp_path / PICTURE).read_text("utf-8").startswith("<svg")
