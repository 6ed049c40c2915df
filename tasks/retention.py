"""Retention: every night, what has no more use is erased; figures keep their numbers.

What is due is `tasks/rules/retention.py`. Whom retention erases still counts in the figures of the
campaign, as bare numbers without a person (reg_tally, reg_waited): a figure does not fall because
somebody was forgotten. Who withdrew does not count, before and after.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from tasks.audit import Act, keep_entry
from tasks.clock import now_in
from tasks.compile_list import compile_list
from tasks.diagnosis_queue import resolve_queue
from tasks.erasure import (
    ErasureReceipt,
    erase_rows,
    keep_receipt,
    new_receipt_id,
    rewrite_questions,
)
from tasks.exports import remove_expired
from tasks.home import Home
from tasks.plan import Plan
from tasks.receive import REFUSED
from tasks.rules.errors import WrongCommand
from tasks.rules.retention import days_kept, is_old
from tasks.store import Store

LOOK_AHEAD = timedelta(days=30)
"""How far the report of what is due next looks."""


@dataclass(frozen=True)
class Upcoming:
    """What falls due on one day. An exact count of people: for the health side's terminal."""

    due_on: date
    reason: str
    """Of tasks.rules.retention.REASONS, or frozen: a record kept for its time."""
    people: int


@dataclass(frozen=True)
class RetentionRun:
    """The one thing a run tells the orchestrator: that it was, and which receipt proves it.

    No count: how many people were erased in a night stays in the register.
    """

    campaign: str
    as_of: date
    receipt_id: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for `--json`."""
        return vars(self) | {"as_of": self.as_of.isoformat()}


def erase_due(store: Store, home: Home, plan: Plan, act: Act, as_of: date) -> ErasureReceipt:
    """Erase what is due in the campaign by the end of `as_of`, a day of the plan's time zone.

    Referrals whose time is over, frozen records of any campaign past theirs, exports, return
    workbooks and refused files past theirs. Returns the receipt, which names nobody; a run that
    finds nothing leaves one that says so. One transaction; the same day again removes nothing.
    Raises WrongCommand for a day to come, since nothing brings back what was erased too early, and
    CheckFailed where answers about people contradict each other and a list has to be made anew.
    """
    _refuse_to_come(as_of, act.at.date())
    _find_due(store, plan, as_of)
    ((parted,),) = store.rows("retention/parted", campaign=plan.slug)
    if parted:
        # a withdrawn referral leaves the list before it goes: who else is listed stays listed
        compile_list(store, plan, as_of)
        _find_due(store, plan, as_of)
    with store.transaction():
        refs = [ref for (ref,) in store.rows("retention/refs")]
        ((people,),) = store.rows("retention/people")
        _keep_numbers(store, plan, as_of)
        rows = erase_rows(store, plan, as_of)
        ((rows["reg_frozen"],),) = store.rows("erase/frozen", as_of=as_of)
        ((rows["reg_lapsed"],),) = store.rows("erase/lapsed_over", as_of=as_of)
        receipt = ErasureReceipt(
            receipt_id=new_receipt_id(),
            kind="retention",
            made_at=act.at,
            people=people + rows["reg_frozen"],
            rows=rows,
            files=remove_expired(store, home, as_of) + _remove_old_files(home, plan, as_of),
        )
        keep_receipt(store, act, receipt)
        if refs:
            keep_entry(store, act, refs)
            rewrite_questions(store, home)
    return receipt


def refuse_day_to_come(plan: Plan, as_of: date) -> None:
    """Raise WrongCommand where `as_of` lies after today in the plan's time zone."""
    _refuse_to_come(as_of, now_in(plan.timezone).date())


def due_next(store: Store, plan: Plan, as_of: date) -> list[Upcoming]:
    """Return what falls due in the LOOK_AHEAD after `as_of`, by day; of the campaign's people."""
    _find_due(store, plan, as_of)
    rows = store.rows("retention/next", as_of=as_of, until=as_of + LOOK_AHEAD)
    return [Upcoming(*row) for row in rows]


def _refuse_to_come(as_of: date, today: date) -> None:
    if as_of > today:
        raise WrongCommand("retention.not_yet", day=as_of)


def _find_due(store: Store, plan: Plan, as_of: date) -> None:
    """Leave who is due in memory: retention_standing, retention_due, and subject_* for erasing."""
    kept = plan.rules.retention
    days = days_kept(kept.unconfirmed_days, kept.unassessed_days)
    kept_for = pa.table({"reason": list(days), "days": pa.array(list(days.values()), pa.int32())})
    store.load("retention_days", kept_for)
    store.run("retention/standing", campaign=plan.slug)
    store.run("retention/due", as_of=as_of)
    store.run("retention/subject_referral")
    store.run("retention/subject_registered")


def _keep_numbers(store: Store, plan: Plan, as_of: date) -> None:
    """Add those who are about to be erased to the numbers that stay."""
    resolve_queue(store, plan, as_of)
    store.run("figures/queue_person", campaign=plan.slug, as_of=as_of)
    store.run("figures/list", campaign=plan.slug)
    store.run("retention/tally_referrals")
    store.run("retention/tally_list", campaign=plan.slug)
    store.run("retention/tally_queue", campaign=plan.slug)
    store.run("retention/tally_waited", campaign=plan.slug)


def _remove_old_files(home: Home, plan: Plan, as_of: date) -> int:
    """Remove return workbooks, health sheets and refused files past their time; return how many."""
    kept = [*home.root.glob("returns/*/*"), *home.root.glob("health/*/*/*")]
    returns = [path for path in kept if path.is_file()]
    refused = [path for path in (home.inbox / REFUSED).glob("*") if path.is_file()]
    written = {path: path for path in returns} | {path: _reason(path) for path in refused}
    zone = ZoneInfo(plan.timezone)
    old = [
        path
        for path, dated in written.items()
        if is_old(_day_of(dated, zone), plan.rules.returns_kept_days, as_of)
    ]
    for path in old:
        path.unlink()
    return len(old)


def _reason(path: Path) -> Path:
    """Return what tells when a file was refused: the reason beside it, where that is still there.

    The file itself keeps the time of its content, which may be long before it came.
    """
    beside = path.with_name(f"{path.name}.txt")
    return beside if beside.is_file() else path


def _day_of(path: Path, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone(zone).date()
