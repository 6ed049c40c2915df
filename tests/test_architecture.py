"""The house's own rules, checked: who may import what, where statements and texts live."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from flows.phase_flows import FLOWS
from tasks.rules.contract import RUN_PHASES, SHEETS
from tasks.suites import CANDIDATE_TABLES, TABLES_OF_PHASE

ROOT = Path(__file__).parent.parent
PACKAGES = ("cli", "data", "flows", "reports", "tasks", "web")
SQL = ROOT / "tasks" / "sql"

ONLY_IN = {
    "duckdb": {"tasks/store.py"},
    "duckdb_sqlalchemy": {"tasks/checks.py"},
    "great_expectations": {"tasks/checks.py", "tasks/suites.py"},
    "yagmail": {"tasks/mail.py"},
    "smtplib": {"tasks/mail.py"},
    "aiosmtpd": {"tasks/post_office.py"},
    "scipy": {"tasks/protect.py"},
    "msoffcrypto": {"tasks/workbook_password.py"},
    "python_calamine": {"tasks/grids/__main__.py"},
    "keyring": {"tasks/keyring_entry.py"},
    "altair": {"reports/charts.py"},
    "vl_convert": {"reports/pictures.py"},
    "prefect": {
        "flows/ad_hoc.py",
        "flows/artifacts.py",
        "flows/deployments.py",
        "flows/earlier_pool.py",
        "flows/fan_out.py",
        "flows/one_run.py",
        "flows/phase_flows.py",
        "flows/steps.py",
        "flows/worker.py",
    },
    "anyio": {"flows/worker.py"},
    "dask": {"flows/fan_out.py"},
    "distributed": {"flows/fan_out.py"},
    "prefect_dask": {"flows/fan_out.py"},
    "yaml": {"flows/deployments.py"},
    "docx": {"reports/word_document.py"},
    "docxtpl": {"reports/word_document.py"},
    "typst": {"reports/printed.py"},
    "jinja2": {"reports/render.py", "reports/word_document.py", "web/pages.py"},
    "starlette": {"web/app.py", "web/upload.py"},
    "uvicorn": {"web/server.py"},
}
"""One outside thing each."""


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Every module and what it says, parsed once for all tests."""
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


@cache
def imports() -> dict[str, set[str]]:
    """The outside names that each module imports."""
    return {name: imported(tree) for name, tree in sources()}


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def statements() -> list[Path]:
    return sorted(SQL.rglob("*.sql"))


@pytest.mark.parametrize("library", ONLY_IN)
def test_one_outside_thing_each(library: str) -> None:
    users = {name for name, names in imports().items() if library in names}
    assert users <= ONLY_IN[library]
    assert users, f"nobody uses {library}; take it out of the table"


def test_rules_use_the_standard_library_only() -> None:
    for name, names in imports().items():
        if name.startswith("tasks/rules/"):
            outside = names - set(sys.stdlib_module_names) - {"tasks"}
            assert not outside, (name, outside)


def test_rules_import_rules_only() -> None:
    for name, tree in sources():
        if not name.startswith("tasks/rules/"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tasks"):
                assert node.module.startswith("tasks.rules"), (name, node.module)


def test_no_flow_is_named_like_a_module_of_the_standard_library() -> None:
    names = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    assert not names & set(sys.stdlib_module_names)


def test_nothing_prints_but_the_command_line() -> None:
    for name, tree in sources():
        calls = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "print"
        ]
        assert not calls, name


@pytest.mark.parametrize("path", statements(), ids=lambda path: path.relative_to(SQL).as_posix())
def test_a_statement_says_its_grain_and_is_one(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("-- "), "a comment on top says the grain, or what a macro gives"
    if path.parent.name != "macro" and path.stem != "scope":
        assert text.startswith("-- Grain:")
    code = re.sub(r"--.*", "", text)
    code = re.sub(r"'[^']*'", "''", code)
    assert code.strip().rstrip(";").count(";") == 0


COMPOSED = {
    "publish": {"figures", "reporting", "checks"},  # in a loop of publish.py
    "stage": set(SHEETS),  # one a sheet, in intake.py
}
"""Statements whose names are put together in the code: folder -> the stems that are."""


def test_every_statement_is_run() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    )
    tables = {table for each in TABLES_OF_PHASE.values() for table in each} | set(CANDIDATE_TABLES)
    for path in statements():
        folder, _, stem = path.relative_to(SQL).with_suffix("").as_posix().rpartition("/")
        if folder in {"schema/register", "schema/ledger", "macro"}:
            continue  # all files of the folder are run
        named = f'"{folder}/{stem}"' in code
        composed = stem in COMPOSED.get(folder, set()) or (folder == "check" and stem in tables)
        assert named or composed, f"nothing runs {folder}/{stem}.sql"


def test_every_phase_that_can_be_run_has_a_flow_and_suites() -> None:
    assert set(FLOWS) == set(RUN_PHASES) == set(TABLES_OF_PHASE)


def test_only_publish_writes_figures_to_the_ledger() -> None:
    writes = re.compile(r"(INSERT[\w\s]*INTO|UPDATE)\s+ledger\.out_(figure|revision|check)")
    writers = {
        path.relative_to(SQL).as_posix()
        for path in statements()
        if writes.search(path.read_text("utf-8"))
    }
    assert writers == {"publish/figures.sql", "publish/revision.sql", "publish/checks.sql"}
    users = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value in {"publish/figures", "publish/revision", "publish/"}
    }
    assert users == {"tasks/publish.py"}


def test_the_ledger_has_no_column_that_could_hold_a_person() -> None:
    personal = {
        column.name for sheet in SHEETS.values() if sheet.about_people for column in sheet.columns
    } | {"person_ref", "resident_key", "referral_ref", "register_no"}
    for path in (SQL / "schema" / "ledger").glob("*.sql"):
        columns = set(re.findall(r"^    (\w+) ", path.read_text("utf-8"), re.MULTILINE))
        assert not columns & personal, path.name


@pytest.mark.parametrize(
    ("room", "folder"),
    [("reports/", "report"), ("tasks/outbox.py", "outbox"), ("tasks/messages.py", "outbox")],
)
def test_reports_and_mail_run_their_own_statements_only(room: str, folder: str) -> None:
    folders = {path.parent.relative_to(SQL).as_posix() for path in statements()}
    for name, tree in sources():
        if not name.startswith(room):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                head, _, stem = node.value.rpartition("/")
                assert not (stem and head in folders - {folder}), (name, node.value)


def test_no_statement_that_reports_run_reads_the_register() -> None:
    for folder in ("report", "outbox"):
        for path in (SQL / folder).glob("*.sql"):
            assert "register." not in path.read_text("utf-8"), path.name
