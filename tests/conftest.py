"""A small township, a throw-away home, and files as villages write them."""

import csv
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import xlsxwriter
from hypothesis import settings

from postgres import Postgres, running_postgres
from tasks.audit import Act
from tasks.home import Home
from tasks.plan import ClinicSession, HealthCentre, Occurrence, Plan, Recipients, Village
from tasks.pseudonyms import make_secret
from tasks.register import make_stores, open_register
from tasks.rules.contract import SHEETS, Identity, write_identity
from tasks.store import Store

# a busy machine is no reason to fail
settings.register_profile("house", deadline=None)
settings.load_profile("house")

KEY = "a" * 64
ACT = Act("test", "test", "test", at=datetime(2025, 1, 1))
RECEIVED = datetime(2025, 10, 28, 9, 0)


def program(name: str) -> str:
    """The path of a program of the machine; its test is skipped where that is missing.

    Not in CI, which installs it: there a missing one fails.
    """
    path = shutil.which(name)
    if path is None and os.environ.get("CAMPAIGN_TESTS_MAY_SKIP") == "no":
        pytest.fail(f"{name} is not installed")
    return path or pytest.skip(f"{name} is not installed")


def occurrence(
    phase: str, opens: date, due: date, round: int = 0, period: str | None = None
) -> Occurrence:
    """One occurrence of a phase as a plan resolves it."""
    return Occurrence(
        phase=phase,
        round=round,
        period=period,
        opens=opens,
        due=due,
        words=due.isoformat(),
        rule="none",
        provisional=False,
        ad_hoc=False,
    )


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Three villages, one sweep round, a list, an aggregation, a queue and one supervised month."""
    return Plan(
        slug="autumn-2025",
        name="秋季排查",
        name_en="Autumn sweep",
        purpose="seasonal_outreach",
        issued=date(2025, 2, 20),
        rest_day_rule="previous-workday",
        health_centre=HealthCentre(code="990101001000", name="测试镇卫生院"),
        villages=tuple(
            Village(
                code=f"99010100100{n}",
                name=f"测试{n}村",
                households=100,
                email=f"v{n}@example.test",
            )
            for n in (1, 2, 3)
        ),
        recipients=Recipients(health=("centre@example.test",), office=("office@example.test",)),
        clinic=(
            ClinicSession(date=date(2025, 11, 12), capacity=2),
            ClinicSession(date=date(2025, 11, 19), capacity=2),
        ),
        calendar=(
            occurrence("follow_up", date(2025, 10, 1), date(2025, 12, 31)),
            occurrence("sweep", date(2025, 10, 1), date(2025, 10, 31), round=1),
            occurrence("list_compilation", date(2025, 11, 1), date(2025, 11, 10)),
            occurrence("aggregation", date(2025, 11, 11), date(2025, 11, 20)),
            occurrence("supervision", date(2025, 11, 1), date(2025, 12, 5), 1, "2025-11"),
            occurrence("diagnosis_queue", date(2025, 11, 10), date(2025, 12, 31)),
        ),
    )


@cache
def empty_stores() -> dict[str, bytes]:
    """The files of a home with empty stores: made once, since every test wants its own."""
    with TemporaryDirectory() as folder:
        make_stores(Home(Path(folder)), KEY)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def make_home(root: Path) -> Home:
    """A home with empty stores at `root`."""
    home = Home(root)
    home.root.mkdir(mode=0o700)
    for name, content in empty_stores().items():
        (home.root / name).write_bytes(content)
    return home


@contextmanager
def open_home(home: Home) -> Iterator[Store]:
    """The open register of a home, with its pseudonym secret."""
    with open_register(home, key=KEY, act=ACT) as store:
        make_secret(store, datetime(2025, 1, 1))
        yield store


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with empty stores."""
    return make_home(tmp_path / "home")


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    """The open register of that home, with its pseudonym secret."""
    with open_home(home) as store:
        yield store


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One Prefect server for the whole session; yields the folder of its database."""
    from prefect import settings as prefect_settings  # noqa: PLC0415 # seconds, for few tests
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    quiet = {
        prefect_settings.PREFECT_HOME: tmp_path_factory.mktemp("prefect"),
        prefect_settings.PREFECT_SERVER_ANALYTICS_ENABLED: False,
    }
    with (
        prefect_settings.temporary_settings(quiet),
        prefect_test_harness(server_startup_timeout=180),
    ):
        url = prefect_settings.get_current_settings().server.database.connection_url
        assert url is not None
        yield Path(url.get_secret_value().partition("///")[2]).parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for the whole session; a test makes databases of its own."""
    with running_postgres() as server:
        yield server


def write_grids(path: Path, grids: Mapping[str, Sequence[Sequence[object]]]) -> Path:
    """Write a workbook: sheet name -> its rows of cells, as they are."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in grids.items():
            page = book.add_worksheet(name)
            for line, row in enumerate(rows):
                page.write_row(line, 0, row)
    return path


def write_workbook(
    path: Path,
    sheets: Mapping[str, Sequence[Mapping[str, object]]],
    identity: Identity,
    titles: Sequence[str] = (),
) -> Path:
    """Write a workbook as a village would send it: sheet -> rows by column name."""
    grids = {}
    for name, rows in sheets.items():
        columns = SHEETS[name].columns
        cells = [[row.get(column.name, "") for column in columns] for row in rows]
        heads = [column.heads[0] for column in columns]
        above = [[write_identity(identity)], *([title] for title in titles)]
        grids[SHEETS[name].title] = [*above, heads, *cells]
    return write_grids(path, grids)


WriteCsv = Callable[..., Path]


@pytest.fixture
def write_csv(tmp_path: Path, plan: Plan) -> WriteCsv:
    """Return a function that writes one sheet as a village would send it.

    `rows` are dictionaries by column name; what they leave out is blank. `head` replaces the
    Chinese heads, `identity` the identity.
    """

    def write(
        sheet: str,
        rows: Sequence[dict[str, str]],
        *,
        village: str = "990101001001",
        phase: str = "sweep",
        round: int = 1,
        name: str | None = None,
        encoding: str = "utf-8-sig",
        head: Sequence[str] | None = None,
        identity: str | None = None,
        titles: Sequence[str] = (),
    ) -> Path:
        columns = SHEETS[sheet].columns
        path = tmp_path / (name or f"{village}-{sheet}.csv")
        line = identity or write_identity(Identity(plan.slug, phase, round, village, 1))
        with path.open("w", encoding=encoding, newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([line])
            for title in titles:
                writer.writerow([title])
            writer.writerow(head or [column.heads[0] for column in columns])
            writer.writerows([[row.get(column.name, "") for column in columns] for row in rows])
        return path

    return write


def referral(**changes: str) -> dict[str, str]:
    """A referral row that holds every rule, with `changes`."""
    row = {
        "row_no": "1",
        "full_name": "张三丰",
        "sex": "男",
        "birth_date": "1980-01-02",
        "residence_village": "990101001001",
        "registered_village": "990101001001",
        "phone": "13800138000",
        "contact_name": "李四",
        "contact_relation": "配偶",
        "contact_phone": "13900139000",
        "referred_by": "村医",
        "consent_by": "本人",
        "consent_date": "2025-10-20",
        "consent_scope": "评估",
        "care_setting": "居家",
        "observed_signs": "1，3",
        "urgency": "常规",
    }
    return row | changes


def coverage(**changes: str) -> dict[str, str]:
    """A coverage row that holds every rule, with `changes`."""
    row = {
        "village_code": "990101001001",
        "grid": "一网格",
        "households": "50",
        "households_visited": "45",
        "households_declined": "2",
        "visits_from": "2025.10.8",
        "visits_to": "2025年10月24日",
        "no_consent_count": "1",
        "nil_return": "否",
    }
    return row | changes
