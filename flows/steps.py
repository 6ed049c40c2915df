"""The boundary to Prefect: what it is given, it keeps and shows, so it is given little.

A flow takes a campaign's slug, a date and a round. A step's arguments and results stay in this
process; an error leaves it as a line without values, and without the error that was its cause.
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from tasks.receipt import Receipt
from tasks.rules.errors import CampaignError, CheckFailed

P = ParamSpec("P")
T = TypeVar("T")


def value_free(name: str, function: Callable[P, T]) -> Callable[P, T]:
    """Return `function` with any error replaced by one that carries no value of the data."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except CampaignError:
            raise
        except Exception as error:  # whatever it is, its text may hold a cell
            kind = type(error).__name__
            if os.environ.get("CAMPAIGN_SQL_ERRORS") == "synthetic-data-only":
                raise
        raise CheckFailed("error.step", step=name, kind=kind) from None

    return guarded


def step(function: Callable[P, T]) -> Callable[P, T]:
    """Return `function` as a Prefect task: named after it, never cached, nothing persisted."""
    name = function.__name__
    wrapped = task(name=name, cache_policy=NO_CACHE, persist_result=False, log_prints=False)
    return wrapped(value_free(name, function))


def phase_flow(function: Callable[P, Receipt]) -> Callable[P, Receipt]:
    """Return a phase as a Prefect flow: named after it, nothing persisted, safe to run twice."""
    name = function.__name__
    wrapped = flow(name=name, persist_result=False, log_prints=False)
    return wrapped(value_free(name, function))
