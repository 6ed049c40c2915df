"""Running Great Expectations over the open store, and reducing its results to counts.

Great Expectations 1.24 has no DuckDB source and its SQL source fetches after closing the
connection. The subclass below keeps the one connection that is already open, so that checks see the
encrypted register without its key. What leaves this module is a table's name, a rule's name and a
count; GX's own results, which can carry cells, never do.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before the import below reads it

import great_expectations as gx
from duckdb_sqlalchemy import ConnectionWrapper
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from sqlalchemy.engine import Connection
from sqlalchemy.pool import StaticPool

from tasks.rules.checking import SuiteResult
from tasks.rules.errors import CheckFailed, PeopleRuleBroken
from tasks.store import Store
from tasks.suites import ROW_RULE, build_suite, is_about_people, sheet_of

_QUIET = ("great_expectations", "great_expectations.data_context.types.base", "sqlalchemy.pool")
"""Loggers that tell of temporary folders and worse; what matters of a check is in its result. The
second sets a level of its own on import."""


class SharedConnection(ConnectionWrapper):
    """The store's own connection, lent to SQLAlchemy.

    Without autocommit SQLAlchemy would open a transaction of its own on it and roll it back;
    without its own `close` it would be closed when GX drops its engine.
    """

    autocommit = True

    def close(self) -> None:
        """Leave the connection to the store, which closes it."""

    def rollback(self) -> None:
        """Do nothing: checks only read, and the store may be closed when a pool tidies up."""


class KeptConnectionEngine(SqlAlchemyExecutionEngine):
    """An engine that hands out the connection it has, and leaves it open."""

    @contextmanager
    def get_connection(self) -> Iterator[Connection]:
        """Yield the one connection."""
        if self._connection is None:
            self._connection = self.engine.connect()
        yield self._connection


_EngineClass = type[SqlAlchemyExecutionEngine]


class OpenDuckDBDatasource(SQLDatasource):
    """A source over a DuckDB connection that is already open."""

    type: Literal["open_duck_db"] = "open_duck_db"  # type: ignore[assignment] # GX's way to register a source

    @property
    def execution_engine_type(self) -> _EngineClass:
        """The engine that keeps its connection."""
        return KeptConnectionEngine


def check_tables(
    store: Store,
    tables: tuple[str, ...],
    *,
    campaign: str,
    phase: str,
    round: int,
    revision: int,
) -> list[SuiteResult]:
    """Run the suites of `tables` on one phase and round and return a result each.

    `revision` is that of the compiled list the person tables are looked at in. Raises CheckFailed
    naming table, rule and count for a broken table rule, or where GX and the verdicts count a row
    rule differently.
    """
    store.run("check/scope", campaign=campaign, phase=phase, round=round, revision=revision)
    with _context(store) as context:
        results = [_check_table(store, context, table) for table in tables]
    # where a check has failed the connection ends, and what it was asked of with it
    store.run("check/forget_people")
    store.run("check/forget_referrals")
    return results


def _check_table(store: Store, context: Any, table: str) -> SuiteResult:
    sheet = sheet_of(table)
    if sheet is None:
        store.run(f"check/{table}")
    else:
        store.run("check/stg", sheet=sheet)
    broken = _broken_counts(context, table)
    own = dict(store.rows("check/rule_count", sheet=sheet)) if sheet else {}
    for (kind, rule), count in broken.items():
        if kind == ROW_RULE and count != own.get(rule, 0):
            raise CheckFailed("check.counts_differ", table=table, rule=rule)
        if kind != ROW_RULE and count:
            if is_about_people(table):
                raise PeopleRuleBroken(table, rule, count)
            raise CheckFailed("check.table_rule", table=table, rule=rule, count=count)
    held = sum(not count for count in broken.values())
    return SuiteResult(table, len(broken), held)


def _broken_counts(context: Any, table: str) -> Mapping[tuple[str, str], int]:
    """Return (kind, rule) -> how many rows or groups break it."""
    source = context.data_sources.get("store")
    asset = source.add_query_asset(f"check_{table}", query=f"SELECT * FROM check_{table}")  # noqa: S608 # a name of suites.py
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    try:
        validated = batch.validate(
            build_suite(table),
            result_format={"result_format": "SUMMARY", "partial_unexpected_count": 0},
        )
    except Exception:  # noqa: BLE001 # GX raises anything, with cells in it; none of it may pass
        validated = None
    if validated is None:
        raise CheckFailed("check.could_not_run", table=table, rule="*")
    counts: dict[tuple[str, str], int] = {}
    for result in validated.results:
        meta = result.expectation_config.meta
        key = (meta["kind"], meta["rule"])
        found = result.result.get("unexpected_count", result.result.get("observed_value"))
        if found is None and result.success:
            found = 0  # GX counts nothing on an empty table
        if not isinstance(found, int):
            raise CheckFailed("check.could_not_run", table=table, rule=meta["rule"])
        counts[key] = found
    return counts


@contextmanager
def _context(store: Store) -> Iterator[Any]:
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        # GX's own deprecations; ours are errors in the tests
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        context.data_sources.add_open_duck_db(
            name="store",
            connection_string="duckdb:///:memory:",
            kwargs={
                "creator": lambda: SharedConnection(store.connection),
                "poolclass": StaticPool,
            },
        )
        yield context
