"""The office asks for an ad-hoc sweep in Prefect's own run form, and the run waits for the answer.

A run that waits is suspended: no process, no slot of the pool, nothing in memory. It goes on where
somebody resumes it, or the server and the worker were started anew meanwhile: it then looks into
the ledger, and ends with what was decided there. Resuming it by hand decides nothing.

What Prefect keeps of it: the campaign, codes of villages, two days, and words of closed lists. Who
asks is an office, never a person's name.
"""

from collections.abc import Mapping
from datetime import date
from itertools import count
from typing import Annotated, Any, Literal

from prefect import flow
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import State, StateType
from prefect.flow_runs import suspend_flow_run
from prefect.runtime import deployment
from prefect.states import Completed
from pydantic import Field

from flows.deployments import prefect_api
from flows.own_day import PATIENCE
from flows.steps import step, value_free
from reports.gate import mail_gate, notice_gate
from tasks.at_home import load_campaign, load_campaigns, open_patiently
from tasks.clock import now_in
from tasks.home import Home, default_home, keep_private
from tasks.ledger import open_ledger
from tasks.mail import mail_settings
from tasks.names import NO_NAMES
from tasks.outbox import send_ready
from tasks.requests import ask_for_sweep, known_request, state_in
from tasks.rules.requests import Request
from tasks.rules.requests import State as Standing
from tasks.rules.wording import say
from tasks.work_pool import work_pool

Purpose = Literal[
    "seasonal_outreach", "holiday_continuity", "new_residents", "after_disaster", "service_gap"
]
Reason = Literal[
    "long_holiday",
    "weather",
    "disaster",
    "new_residents",
    "service_behind",
    "households_missed",
    "other",
]
Asker = Literal["coordinating_office", "leading_group", "county"]
"""Who may ask in the form: an office. A name would stay in Prefect's database for good."""
LOOK_PATIENCE = 5.0
"""Seconds. Whoever resumes what was decided does not wait for a phase that runs: the next will."""
VillageCode = Annotated[str, Field(pattern=r"^\d{12}$")]


@step
def record_request(request: Request) -> Standing:
    """Record a request that is new, tell the health side, and return how it stands now.

    Needs no key: the ledger only. The machine's account is not that of whoever filled in the form,
    so none is recorded.
    """
    home = _home()
    plan = load_campaign(home, request.campaign)
    now = now_in(plan.timezone)
    with open_patiently(lambda: open_ledger(home, "write"), PATIENCE) as store:
        asked = known_request(store, request)
        if asked is None:
            asked = ask_for_sweep(
                store,
                plan,
                purpose=request.purpose,
                villages=request.villages,
                opens=request.opens,
                due=request.due,
                reason=request.reason,
                asked_by=request.asked_by,
                account="",
                now=now,
                gate=notice_gate(store, home, plan, NO_NAMES),
            )
            send_ready(store, home, mail_settings(), gate=mail_gate(store, home), now=now)
        return state_in(plan, asked, now.date())


def _request_sweep(
    campaign: str,
    purpose: Purpose,
    villages: list[VillageCode],
    opens: date,
    due: date,
    reason: Reason,
    asked_by: Asker = "coordinating_office",
) -> State[Any]:
    """Ask for an ad-hoc sweep of some villages, and wait until the health side has decided.

    Ends completed whatever was decided, named Approved, Declined or Lapsed. A run that no
    deployment started cannot wait: it ends as Waiting.
    """
    request = _request(campaign, purpose, villages, opens, due, reason, asked_by)
    for look in count(1):
        standing = record_request(request)
        if standing != "waiting" or deployment.id is None:
            break
        # each key suspends once: resumed without a decision, the run waits under the next one
        suspend_flow_run(key=f"look-{look}")
    return Completed(name=standing.title(), message=say(f"request.state.{standing}"))


request_sweep = flow(name="request_sweep", persist_result=False, log_prints=False)(
    value_free("request_sweep", _request_sweep)
)


def resume_decided(home: Home) -> int:
    """Have the runs of this home go on whose request was decided or has lapsed; return how many.

    Safe at any time and as often as one likes. Raises WrongCommand where no server answers,
    StoreBusy where a process writes to the ledger.
    """
    waiting = FlowRunFilterStateType(any_=[StateType.PAUSED])
    # on a server that others share, theirs are none of ours to let go on
    own = DeploymentFilterName(any_=[work_pool(load_campaigns(home))])
    with prefect_api() as client:
        runs = client.read_flow_runs(
            deployment_filter=DeploymentFilter(name=own),
            flow_filter=FlowFilter(name=FlowFilterName(any_=["request_sweep"])),
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=waiting)),
        )
        settled = [run for run in runs if _is_settled(home, run.parameters)]
        for run in settled:
            client.resume_flow_run(run.id)
    return len(settled)


def _is_settled(home: Home, parameters: Mapping[str, Any]) -> bool:
    """Return whether nothing waits any more for what a run was asked for with."""
    try:
        days = {name: date.fromisoformat(parameters[name]) for name in ("opens", "due")}
        request = _request(**{"asked_by": "coordinating_office", **parameters, **days})
    except (KeyError, TypeError, ValueError):
        return False  # not one of ours
    if request.campaign not in home.campaigns():
        return False
    plan = load_campaign(home, request.campaign)
    with open_patiently(lambda: open_ledger(home), LOOK_PATIENCE) as store:
        asked = known_request(store, request)
    today = now_in(plan.timezone).date()
    return asked is not None and state_in(plan, asked, today) != "waiting"


def _request(
    campaign: str,
    purpose: str,
    villages: list[str],
    opens: date,
    due: date,
    reason: str,
    asked_by: str,
) -> Request:
    codes = tuple(sorted(set(villages)))
    return Request(campaign, purpose, codes, opens, due, reason, asked_by)


def _home() -> Home:
    keep_private()
    return Home(default_home())
