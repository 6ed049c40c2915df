"""Catching several campaigns of a home up, with a Prefect server only where something is owed."""

from collections.abc import Mapping
from datetime import date

from cli.server import prefect_server
from tasks.agenda import CatchUpFailed, CaughtUp, NotRun, owed_runs
from tasks.clock import now_in
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.mail import mail_settings
from tasks.outbox import waits_to_go
from tasks.phase_life import settle_phases
from tasks.plan import Plan
from tasks.rules.agenda import DAY, catch_up_moment
from tasks.rules.errors import CampaignError


def catch_up_all(
    home: Home, plans: Mapping[str, Plan], as_of: date | None = None
) -> list[CaughtUp]:
    """Run what each campaign owes by now, or owed at the end of `as_of`; return what was done.

    Where nothing is owed and no mail waits to go, no server is started. What failed is in the
    result. Raises WrongCommand for a day that is not over, and what opening the stores raises.
    """
    moments = {slug: catch_up_moment(now_in(plan.timezone), as_of) for slug, plan in plans.items()}
    owing = set()
    with open_ledger(home, "write") as store:
        for slug, plan in plans.items():
            now = now_in(plan.timezone)
            settle_phases(store, plan, now)
            sends = mail_settings() is not None and waits_to_go(store, now)
            if sends or owed_runs(store, plan, moments[slug]):
                owing.add(slug)
    nothing = {
        slug: CaughtUp(slug, moment.date() - DAY, (), ()) for slug, moment in moments.items()
    }
    if not owing:
        return list(nothing.values())
    with prefect_server(home) as wait:
        from flows.catch_up import catch_up_in_process  # noqa: PLC0415 # Prefect reads its settings on import

        def caught_up(slug: str) -> CaughtUp:
            try:
                return catch_up_in_process(slug, as_of)
            except CatchUpFailed as failed:
                return failed.caught_up
            except CampaignError as error:
                last = nothing[slug].as_of
                return CaughtUp(slug, last, (), (NotRun.of_all(last, error),))

        wait()
        return [caught_up(slug) if slug in owing else each for slug, each in nothing.items()]
