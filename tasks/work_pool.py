"""What a township's work is called on Prefect's server, which several townships may share."""

from collections.abc import Mapping

from tasks.plan import Plan

BEFORE = "campaign"
"""The work pool of earlier versions, whose servers each had one township."""


def work_pool(plans: Mapping[str, Plan]) -> str:
    """Return the name of the home's work pool, which its deployments have too.

    `township-` and nine digits. `plans` are those of one home, one at least: they are all of one
    health centre, which `set_up` sees to.
    """
    return f"township-{next(iter(plans.values())).health_centre.township}"
