"""The boundary to Prefect: what it is given, it keeps and shows, so it is given little.

A flow takes a campaign's slug, a date and a round. A step's arguments and results stay in this
process; an error leaves it as a line without values, and without the error that was its cause.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectSignal
from prefect.runtime import deployment, flow_run
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from tasks.agenda import CaughtUp, LeftAlone
from tasks.clock import now_in
from tasks.receipt import Receipt
from tasks.reminders import RemindersRun
from tasks.retention import RetentionRun
from tasks.rules.errors import CampaignError, CheckFailed, DiskRefused, is_of_disk

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Receipt | RetentionRun | LeftAlone | CaughtUp | RemindersRun)
"""What a flow may tell Prefect."""


class RoundFlow(Protocol):
    """The flow of a phase that has rounds and releases figures."""

    __name__: str

    def __call__(
        self, campaign: str, as_of: date | None = None, round: int | None = None
    ) -> Receipt | LeftAlone:
        """Run the phase: as of a day that is named, else of the day it was scheduled for."""


_IN_FULL: WeakKeyDictionary[BaseException, CampaignError] = WeakKeyDictionary()
"""An error as Prefect was told it -> the same for the terminal; Prefect keeps an error's fields."""


def value_free(name: str, function: Callable[P, T]) -> Callable[P, T]:
    """Return `function` with any error replaced by one that carries no value of the data."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BaseException as error:  # whatever it is, its text may hold a cell
            if os.environ.get("CAMPAIGN_SQL_ERRORS") == "synthetic-data-only":
                raise
            told = _told(name, error)
        raise told

    return guarded


def _told(name: str, error: BaseException) -> BaseException:
    """Return what Prefect is told of an error of the step `name`: nothing of its cause either."""
    told = error
    if isinstance(error, CampaignError):
        told = error.outside()
        if told is not error:
            _IN_FULL[told] = error
    elif is_of_disk(error):
        told = DiskRefused()
    elif not isinstance(error, KeyboardInterrupt | SystemExit | PrefectSignal):
        # an error that is no Exception, too: a library's panic prints what it stumbled over
        told = CheckFailed("error.step", step=name, kind=type(error).__name__)
    told.__cause__ = told.__context__ = None
    return told


def scheduled_day(timezone: str) -> date:
    """Return the day before the one on which this run was to start, in `timezone`.

    However late it starts. A run that nothing scheduled was to start now.
    """
    if deployment.id is None:
        return now_in(timezone).date() - timedelta(days=1)
    start = flow_run.scheduled_start_time.astimezone(ZoneInfo(timezone))
    day: date = start.date() - timedelta(days=1)
    return day


@contextmanager
def in_this_process() -> Iterator[None]:
    """Have the flows inside run in this process: quickly, and their errors told in full."""
    # a flow of a second otherwise waits as long again for the heartbeat's thread to end
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), errors_in_full():
        yield


@contextmanager
def errors_in_full() -> Iterator[None]:
    """Have an error that left a flow inside raised as it was before Prefect was told of it."""
    try:
        yield
    except CampaignError as error:
        in_full = _IN_FULL.get(error, error)
    else:
        return
    raise in_full


def step(function: Callable[P, T]) -> Callable[P, T]:
    """Return `function` as a Prefect task: named after it, never cached, nothing persisted."""
    name = function.__name__
    wrapped = task(name=name, cache_policy=NO_CACHE, persist_result=False, log_prints=False)
    return wrapped(value_free(name, function))


def phase_flow(function: Callable[P, R]) -> Callable[P, R]:
    """Return a phase as a Prefect flow: named after it, nothing persisted, safe to run twice."""
    name = function.__name__
    wrapped = flow(name=name, persist_result=False, log_prints=False)
    return wrapped(value_free(name, function))
