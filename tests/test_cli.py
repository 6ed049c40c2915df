"""The command line as other software relies on it: names, JSON, exit codes, one line an error."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cli.main import app, main
from conftest import ACT, coverage, referral
from data.synthetic.generate import generate
from tasks.home import Home
from tasks.keys import read_key
from tasks.ledger import open_ledger
from tasks.register import open_register
from tasks.rules.contract import VERDICTS, Identity, write_identity

PLANS = Path(__file__).parent.parent / "data" / "campaigns"
SLUG = "autumn-2025"
VILLAGE = "990101101201"


class Outcome:
    """What a command left: its exit code and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def record(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return a function that runs `campaign …` in this process with a home of its own."""
    monkeypatch.setenv("CAMPAIGN_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["campaign", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture
def ready(campaign: Run) -> Run:
    """The same, with plan A set up."""
    assert campaign("init", "--plan", PLANS / f"{SLUG}.toml").code == 0
    return campaign


@pytest.fixture
def send(write_csv: Any) -> Callable[..., Path]:
    """Return a function that writes a CSV for plan A's first village."""

    def write(sheet: str, rows: list[dict[str, str]], **how: Any) -> Path:
        own = {"residence_village": VILLAGE, "registered_village": VILLAGE, "village_code": VILLAGE}
        mine = [row | {name: code for name, code in own.items() if name in row} for row in rows]
        path: Path = write_csv(sheet, mine, village=VILLAGE, **how)
        return path

    return write


def test_plan_prints_the_calendar(campaign: Run) -> None:
    done = campaign("plan", PLANS / f"{SLUG}.toml", "--json")
    assert done.code == 0
    due = {(each["phase"], each["round"]): each["due"] for each in done.record["phases"]}
    assert due["sweep", 1] == "2025-10-31"
    assert due["list_compilation", None] == "2025-11-10"
    assert due["aggregation", None] == "2025-11-20"
    assert "2025-10-31" in campaign("plan", PLANS / f"{SLUG}.toml").out


def test_a_bad_plan_is_a_wrong_command_with_every_mistake(campaign: Run, tmp_path: Path) -> None:
    text = (PLANS / f"{SLUG}.toml").read_text("utf-8")
    bad = text.replace('"seasonal_outreach"', '"event_security"').replace(
        "coverage_percent = 95", "referrals = 20"
    )
    (tmp_path / "bad.toml").write_text(bad, encoding="utf-8")
    for villages in PLANS.glob("*.csv"):
        (tmp_path / villages.name).write_bytes(villages.read_bytes())
    done = campaign("plan", tmp_path / "bad.toml")
    assert done.code == 2
    assert "purpose" in done.err
    assert "targets" in done.err
    assert "Traceback" not in done.err


def test_init_makes_private_stores_and_can_be_run_again(ready: Run, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for path in (home.register, home.ledger, home.key_file, home.plan(SLUG)):
        assert path.stat().st_mode & 0o777 == 0o600
    key = home.key_file.read_bytes()
    assert ready("init", "--plan", PLANS / f"{SLUG}.toml").code == 0
    assert home.key_file.read_bytes() == key


def test_check_gives_the_verdicts_of_receive_and_stores_nothing(
    ready: Run, send: Callable[..., Path]
) -> None:
    path = send("referral", [referral(), referral(row_no="2", full_name="甲乙", consent_by="")])
    checked = ready("check", path, "--json")
    assert ready("status", "--json").record["campaigns"][0]["phases"][0]["returned"] == []
    received = ready("receive", path, "--received-at", "2025-10-28T09:00", "--json")
    assert (checked.code, received.code) == (0, 0), received.out
    assert checked.record["rows"] == received.record["rows"]
    rows = received.record["rows"]
    assert rows["read"] == sum(rows[name] for name in VERDICTS) == 2
    assert rows["no_consent"] == 1


def test_returned_rows_give_exit_4_a_reason_and_a_workbook(
    ready: Run, send: Callable[..., Path]
) -> None:
    path = send("coverage", [coverage(), coverage(grid="二网格", households_visited="60")])
    done = ready("receive", path, "--received-at", "2025-10-28", "--json")
    assert done.code == done.record["exit"] == 4
    (file,) = done.record["files"]
    (row,) = file["returned"]
    assert (row["sheet"], row["row"]) == ("coverage", 4)
    assert row["rules"][0]["rule"] == "visited_within_households"
    assert Path(file["return_workbook"]).is_file()
    assert "60" not in file["returned"][0]["rules"][0]["reason"]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda send, path: path.write_bytes(b"PK\x03\x04 cut off"), "读不出来"),
        (lambda send, path: path.write_bytes(b""), "空文件"),
    ],
)
def test_a_file_that_cannot_be_read_is_exit_3(
    ready: Run, tmp_path: Path, send: Callable[..., Path], make: Any, word: str
) -> None:
    path = tmp_path / "broken.xlsx"
    make(send, path)
    done = ready("receive", path)
    assert done.code == 3
    assert word in done.err
    assert len(done.err.strip().splitlines()) == 1


def stored(home: Home) -> dict[str, list[Any]]:
    """All that both stores hold, but for the trail: whoever opens the register is in it."""
    with open_register(home, key=read_key(home), act=ACT) as store:
        tables = store.connection.execute(
            "SELECT database_name || '.' || table_name FROM duckdb_tables()"
        ).fetchall()
        return {
            table: sorted(store.connection.execute(f"FROM {table}").fetchall(), key=repr)
            for (table,) in tables
            if not table.endswith((".reg_trail", ".agg_anchor"))
        }


def test_a_refused_file_changes_nothing_and_the_next_goes_on(
    ready: Run, tmp_path: Path, send: Callable[..., Path]
) -> None:
    good = send("coverage", [coverage()])
    other = write_identity(Identity("other-campaign", "sweep", 1, VILLAGE, 1))
    bad = send("referral", [referral()], identity=other, name="other.csv")
    before = stored(Home(tmp_path / "home"))
    refused = ready("receive", bad, "--json")
    assert refused.code == 3
    assert refused.record["files"][0]["reason"] == "refused.other_campaign"
    assert stored(Home(tmp_path / "home")) == before
    both = ready("receive", bad, good, "--received-at", "2025-10-28", "--json")
    assert both.code == 3
    assert both.record["rows"]["accepted"] == 1


def test_what_is_missing_is_a_wrong_command(campaign: Run, tmp_path: Path) -> None:
    assert campaign("status").code == 2
    assert campaign("receive", tmp_path / "nothing.csv").code == 2
    assert campaign("nonsense").code == 2
    assert campaign("init", "--plan", PLANS / f"{SLUG}.toml").code == 0
    for arguments in (
        ("run", "nonsense", "--campaign", SLUG, "--as-of", "2025-10-31"),
        ("run", "sweep", "--campaign", "unknown", "--as-of", "2025-10-31"),
        ("run", "sweep", "--campaign", SLUG, "--as-of", "2025-10-31", "--round", "7"),
        ("run", "sweep", "--campaign", SLUG, "--as-of", "31.10.2025"),
    ):
        done = campaign(*arguments)
        assert done.code == 2, arguments
        assert "Traceback" not in done.err


def test_without_the_key_people_stay_closed_and_status_works(
    ready: Run, tmp_path: Path, send: Callable[..., Path]
) -> None:
    Home(tmp_path / "home").key_file.unlink()
    refused = ready("receive", send("coverage", [coverage()]))
    assert refused.code == 2
    assert len(refused.err.strip().splitlines()) == 1
    assert ready("status").code == 0


def test_a_key_others_can_read_is_refused(ready: Run, tmp_path: Path, send: Any) -> None:
    Home(tmp_path / "home").key_file.chmod(0o644)
    assert ready("receive", send("coverage", [coverage()])).code == 2


def test_a_busy_store_is_exit_7(ready: Run, tmp_path: Path, send: Callable[..., Path]) -> None:
    hold = (
        "import sys, time; from pathlib import Path;"
        "from tasks.home import Home; from tasks.keys import read_key;"
        "from datetime import datetime; from tasks.audit import Act;"
        "from tasks.register import open_register;"
        "home = Home(Path(sys.argv[1]));"
        "act = Act('a', 'b', 'c', at=datetime(2025, 1, 1));"
        "context = open_register(home, key=read_key(home), act=act); context.__enter__();"
        "sys.stdout.write('held'); sys.stdout.flush(); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "home")], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.read(4) == b"held"
        done = ready("receive", send("coverage", [coverage()]))
        holder.kill()
    assert done.code == 7
    assert len(done.err.strip().splitlines()) == 1


def test_synth_writes_what_villages_send_and_the_truth(campaign: Run, tmp_path: Path) -> None:
    out = tmp_path / "synthetic"
    done = campaign(
        "synth", "--plan", PLANS / f"{SLUG}.toml", "--out", out, "--seed", 3, "--villages", 6
    )
    assert done.code == 0
    truth = json.loads((out / "truth.json").read_text("utf-8"))
    assert all((out / each["file"]).is_file() for each in truth["deliveries"])
    assert campaign("init", "--plan", out / "plan.toml").code == 0
    received = campaign("receive", out / "inbox", "--json")
    rows = received.record["rows"]
    assert rows["read"] == sum(rows[name] for name in VERDICTS) > 100


def test_no_phase_runs_for_a_day_to_come(ready: Run) -> None:
    early = ready("run", "sweep", "--campaign", "autumn-2025", "--as-of", "2999-01-01")
    assert (early.code, early.out) == (2, "")
    assert "2999-01-01" in early.err


def test_an_extension_is_granted_with_who_and_why(ready: Run) -> None:
    arguments = ["extend", "--campaign", SLUG, "--phase", "sweep", "--round", 1]
    arguments += ["--village", VILLAGE, "--by", "卫生院", "--reason", "roads", "--due"]
    assert ready(*arguments, "2025-11-05").code == 0
    assert ready(*arguments, "2025-10-30").code == 2
    arguments[arguments.index("roads")] = "张三病了"
    refused = ready(*arguments, "2025-11-05")
    assert refused.code == 2
    assert "张三" not in refused.err


def test_english_on_request(ready: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    assert "Phase" in ready("status").out


def test_the_documented_commands_are_there() -> None:
    wanted = {"demo", "synth", "plan", "init", "check", "receive", "run", "status"}
    found = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert wanted <= found


NOTHING_HEAVY = """
import sys
from cli.main import main
try:
    main()
except SystemExit:
    pass
heavy = {"prefect", "great_expectations", "scipy"} & set(sys.modules)
sys.exit(", ".join(heavy) or 0)
"""


@pytest.mark.parametrize("command", ["--help", "status", "receive"])
def test_what_runs_no_check_and_no_flow_imports_nothing_heavy(
    ready: Run, tmp_path: Path, send: Any, command: str
) -> None:
    home = ["--home", str(tmp_path / "home")]
    arguments = {
        "--help": ["--help"],
        "status": ["status", *home],
        "receive": ["receive", str(send("coverage", [coverage()])), *home],
    }[command]
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_HEAVY, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_generated_files_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    plan = PLANS / f"{SLUG}.toml"
    one = generate(plan, tmp_path / "one", seed=5, villages=4, residents=3000)
    two = generate(plan, tmp_path / "two", seed=5, villages=4, residents=3000)
    assert one.read_bytes() == two.read_bytes()
    assert datetime.fromisoformat(
        json.loads(one.read_text("utf-8"))["deliveries"][0]["received_at"]
    )


def test_a_look_at_people_is_kept_with_who_when_and_why(
    ready: Run, send: Callable[..., Path], tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    ready("receive", send("referral", [referral()]), "--received-at", "2025-10-28")
    with open_register(home, key=read_key(home), act=ACT) as store:
        ((ref,),) = store.connection.execute(
            "SELECT referral_ref FROM register.stg_referral"
        ).fetchall()
    assert ready("session", "2025-11-12", "--campaign", SLUG, "--by", "王医生").code == 0
    assert ready("session", "2025-11-13", "--campaign", SLUG).code == 2
    withdraw = ["person", "withdraw", ref, "--campaign", SLUG, "--reason", "本人要求"]
    assert ready(*withdraw, "--by", "李护士").code == 0
    with open_register(home, key=read_key(home), act=ACT) as store:
        entries = store.connection.execute(
            "SELECT who, what, why, subjects FROM register.reg_trail ORDER BY position"
        ).fetchall()
    by_name = [entry for entry in entries if entry[0] in {"王医生", "李护士"}]
    assert by_name == [
        ("王医生", "session", "2025-11-12", []),  # opened
        ("王医生", "session", "2025-11-12", []),  # nobody was booked
        ("李护士", "withdraw", "本人要求", []),
        ("李护士", "withdraw", "本人要求", [ref]),
    ]


def test_init_beside_a_register_makes_no_new_key(ready: Run, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.key_file.unlink()
    assert ready("init", "--plan", PLANS / f"{SLUG}.toml").code == 2
    assert not home.key_file.exists()


@pytest.mark.parametrize("slug", ["spring-2024", "year-2025", "duties-2023", "supervision-2026"])
def test_status_shows_every_kind_of_plan(campaign: Run, slug: str) -> None:
    assert campaign("init", "--plan", PLANS / f"{slug}.toml").code == 0
    assert campaign("status").code == 0
    (shown,) = campaign("status", "--json").record["campaigns"]
    states = {each["state"] for each in shown["phases"]}
    assert states <= {"planned", "open", "due", "closed"}


def test_a_released_due_day_does_not_move(
    ready: Run, tmp_path: Path, send: Callable[..., Path]
) -> None:
    home = Home(tmp_path / "home")
    with open_ledger(home, "write") as store:
        store.connection.execute(
            "INSERT INTO ledger.out_revision VALUES ('autumn-2025', 'sweep', 1, 1, '2025-10-31', "
            "'2025-10-31', false, NULL, 'due', 'x', '2025-10-31')"
        )
    for villages in PLANS.glob("*.csv"):
        (tmp_path / villages.name).write_bytes(villages.read_bytes())
    moved = (PLANS / f"{SLUG}.toml").read_text("utf-8").replace("2025年10月底", "2025年10月中旬")
    (tmp_path / "moved.toml").write_text(moved, encoding="utf-8")
    before = home.plan(SLUG).read_bytes()
    refused = ready("init", "--plan", tmp_path / "moved.toml")
    assert refused.code == 2
    assert "2025-10-31" in refused.err
    assert home.plan(SLUG).read_bytes() == before
    assert ready("init", "--plan", PLANS / f"{SLUG}.toml").code == 0
