"""The boundary to Prefect: what it is given, it keeps and shows, so it is given little.

A flow takes a campaign's slug, a date and a round. A step's arguments and results stay in this
process; an error leaves it as a line without values, and without the error that was its cause.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectSignal

from tasks.receipt import Receipt
from tasks.retention import RetentionRun
from tasks.rules.errors import CampaignError, CheckFailed

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", Receipt, RetentionRun)
"""What a flow may tell Prefect."""


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
    elif not isinstance(error, KeyboardInterrupt | SystemExit | PrefectSignal):
        # an error that is no Exception, too: a library's panic prints what it stumbled over
        told = CheckFailed("error.step", step=name, kind=type(error).__name__)
    told.__cause__ = told.__context__ = None
    return told


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
