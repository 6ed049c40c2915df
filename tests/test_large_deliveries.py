"""Deliveries that fill row groups, which DuckDB writes straight to the file: killed, and hidden."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.delivery import Delivery, write_delivery
from conftest import make_home, open_home
from register_rows import contents
from tasks import intake
from tasks.home import Home
from tasks.store import ROW_GROUP

ROWS = 100_000
KILLS = 6
RECEIVING = """
import sys
from datetime import datetime
from pathlib import Path
from benchmarks.delivery import delivery_in
from conftest import KEY
from tasks import intake
from tasks.audit import Act
from tasks.home import Home
from tasks.plan import Plan
from tasks.receive import receive
from tasks.register import open_register

root, folder, rows, at_once = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
intake.TEXT_ROWS_AT_ONCE = at_once
plan = Plan.model_validate_json((folder / "plan.json").read_text(encoding="utf-8"))
act = Act("test", "receive", "test", at=datetime(2025, 10, 28, 9))
with open_register(Home(root), key=KEY, act=act) as store:
    print("ready", flush=True)
    receive(store, Home(root), {plan.slug: plan}, sorted(folder.glob("*.csv")),
        received_at=act.at, recorded_at=act.at, act=act)
"""
"""Receives the CSV files of a folder into a home, in portions of so many rows."""

ACCOUNTED = """
    SELECT submission_id
    FROM register.raw_submission AS file
    WHERE rows_read <> accepted + returned + duplicate + unchanged + no_consent
        OR rows_read <> (SELECT count(*) FROM register.raw_row AS row
            WHERE row.submission_id = file.submission_id)
        OR 'referral' IN file.sheets AND (accepted + unchanged, rows_read) <> (
            SELECT (count(*) FILTER (WHERE verdict IN ('accepted', 'unchanged')), count(*))
            FROM register.stg_referral AS row WHERE row.submission_id = file.submission_id)
"""
"""Files of which the register holds another number of rows than it says it took in."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CSV files of five villages, with their plan."""
    made = tmp_path_factory.mktemp("delivery")
    plan = delivery(made).plan
    (made / "plan.json").write_text(plan.model_dump_json(), encoding="utf-8")
    return made


def delivery(folder: Path) -> Delivery:
    return write_delivery(folder, ROWS, villages=5)


def receiving(home: Home, folder: Path) -> subprocess.Popen[str]:
    """Start a process that receives the delivery, in portions that fill a row group."""
    command = [sys.executable, "-c", RECEIVING, home.root, folder, str(ROWS), str(ROW_GROUP)]
    process = subprocess.Popen(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
        env={"PYTHONPATH": "tests:."},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdout.close()
    return process


def held(home: Home) -> list[object]:
    """Return what the register holds of the delivery, and that it is whole."""
    with open_home(home) as store:
        assert store.connection.execute(ACCOUNTED).fetchall() == []
        columns = (
            "submission_id, row_number, verdict, is_current, row_key, content_hash, referral_ref"
        )
        return [contents(store, "stg_referral", columns), contents(store, "reg_said")]


@pytest.mark.slow
def test_a_large_delivery_that_is_killed_is_whole_and_goes_on(tmp_path: Path, folder: Path) -> None:
    assert intake.TEXT_ROWS_AT_ONCE >= ROW_GROUP
    begun = make_home(tmp_path / "begun")
    with open_home(begun):
        pass  # the secrets: the same for all
    alone = Home(tmp_path / "alone")
    shutil.copytree(begun.root, alone.root)
    start = time.monotonic()
    process = receiving(alone, folder)
    assert process.wait() == 0
    took = time.monotonic() - start
    expected = held(alone)
    chance = random.Random(20)  # noqa: S311 # a seed, so that a failure can be seen again
    cut = 0
    for number in range(KILLS):
        home = Home(tmp_path / f"killed{number}")
        shutil.copytree(begun.root, home.root)
        process = receiving(home, folder)
        time.sleep(took * chance.random() * 0.7)
        process.send_signal(signal.SIGKILL)
        cut += process.wait() == -signal.SIGKILL
        held(home)  # opens, and what is there is whole
        assert receiving(home, folder).wait() == 0
        assert held(home) == expected
        shutil.rmtree(home.root)
    assert cut >= KILLS // 2


@pytest.mark.slow
def test_row_groups_that_are_written_straight_to_the_file_are_encrypted(
    tmp_path: Path, folder: Path
) -> None:
    home = make_home(tmp_path / "home")
    process = receiving(home, folder)
    time.sleep(3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert receiving(home, folder).wait() == 0
    with open_home(home) as store:
        rows = contents(store, "stg_referral", "full_name, phone", "full_name, phone LIMIT 500")
    texts = {text.encode() for row in rows for text in row if text}
    assert len(texts) > 100
    files = [path for path in home.root.rglob("*.duckdb*") if path.is_file()]
    assert home.register in files
    for path in files:
        content = path.read_bytes()
        assert not any(text in content for text in texts), path.name
