"""The status of a campaign on Prefect's pages: the record of `campaign status` and nothing else.

States, days and villages, so nothing that Prefect may not keep. The page has no link: whatever the
name of a village looks like, it is text.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.steps import value_free
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.plan import Plan
from tasks.rules.wording import say
from tasks.status import Record, status_of
from tasks.status_words import (
    campaign_title,
    coming_words,
    heads,
    message_words,
    phase_cells,
    problem_words,
    reporting_line,
)
from tasks.store import Store

_MEANS_SOMETHING = re.compile(r"[!-'*+.:-@\[-`{-~]")
"""What Markdown may read as more than text: punctuation but for brackets, comma, hyphen, slash."""


def show_status(store: Store, plan: Plan, now: datetime) -> None:
    """Put how the campaign stands at `now` on Prefect's page.

    Its key is `status-<campaign>-<nine digits of the township>`: the server may have others too.

    `store` is an open ledger, alone or beside the register; `now` is wall time of the plan's zone.
    Where that fails, Prefect shows a failed task without values; what ran before has not failed.
    """
    _put_up(nullcontext(store), plan, now, return_state=True)


def show_status_at(home: Home, plan: Plan, now: datetime) -> None:
    """Do the same where no store is open; a ledger that is busy is such a failure too."""
    _put_up(open_ledger(home), plan, now, return_state=True)


def status_page(record: Record, language: str) -> str:
    """Return a status record as Markdown without links."""
    return "\n".join(_lines(record, language)) + "\n"


def _put_up_page(opened: AbstractContextManager[Store], plan: Plan, now: datetime) -> None:
    with opened as store:
        record = status_of(store, {plan.slug: plan}, now)
    create_markdown_artifact(
        status_page(record, plan.language),
        key=f"status-{plan.slug}-{plan.health_centre.township}",
        description=say("status.heading.description", plan.language, now=now),
    )


_put_up = task(name="show_status", cache_policy=NO_CACHE, persist_result=False, log_prints=False)(
    value_free("show_status", _put_up_page)
)


def _lines(record: Record, language: str) -> Iterator[str]:
    problems = record["problems"]
    head = "problems" if problems else "fine"
    yield f"## {_text(say(f'status.heading.{head}', language, count=len(problems)))}"
    yield ""
    for problem in problems:
        wrong, to_do = problem_words(problem, language)
        yield f"- {_text(wrong)} → {_text(to_do)}"
    for campaign in record["campaigns"]:
        yield from ("", f"## {_text(campaign_title(campaign, language))}", "")
        yield _row(heads(language))
        yield _row(["---"] * len(heads(language)))
        for phase in campaign["phases"]:
            yield _row([_text(cell) for cell in phase_cells(phase, language)])
        yield ""
        begun = [each for each in campaign["phases"] if each["state"] != "planned"]
        lines = [reporting_line(phase, campaign["villages"], language) for phase in begun]
        yield from (f"- {_text(line)}" for line in lines if line)
    yield from ("", _text(message_words(record["outbox"], language)), "")
    yield _text(say("status.heading.next", language))
    yield ""
    yield from (f"- {_text(coming_words(event, language))}" for event in record["next"])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(words: str) -> str:
    """Return words as Markdown that shows exactly them."""
    return _MEANS_SOMETHING.sub(r"\\\g<0>", words)
