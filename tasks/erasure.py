"""Erasing a person, or freezing the clinical record that the law keeps: a receipt, without a name.

个人信息保护法 Art. 47: data is erased when consent is taken back or its purpose is over; where the
law demands keeping it, it is only stored (精神卫生法 Art. 47: the records of a diagnosis, 30 years
at least). Rows of a received file stay accounted for, as rows that nothing is known of.

What is erased is gone from the file once it was rewritten (`finish_erasure`), and from backups at
their next rotation.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tasks.at_home import load_campaigns
from tasks.audit import Act, keep_entry
from tasks.exports import remove_exports
from tasks.home import Home
from tasks.people import Subject, find_subject
from tasks.plan import Plan
from tasks.questions import write_questions
from tasks.register import open_register
from tasks.rotation import compact
from tasks.rules.errors import WrongCommand
from tasks.rules.retention import keep_until
from tasks.store import Store

RECORD = ("reg_registered", "stg_registered_person", "stg_follow_up", "stg_assessment_outcome")
"""The clinical record of a registered person, by the tables it stands in."""

ALL_RECORDS = (*RECORD, "stg_referral", "raw_row", "reg_gap")
"""What freezing on request keeps besides: nothing is lost, nothing is used."""

# the entry first, since an outcome that an entry rests on stays; raw rows while their row is known
_STEPS = (
    "erase/reg_registered",
    "erase/raw_row",
    "erase/stg_assessment_outcome",
    "erase/stg_follow_up",
    "erase/stg_registered_person",
    "erase/stg_referral",
    "erase/reg_visit_due",
    "erase/reg_handover",
    "erase/reg_gap",
    "erase/reg_person",
    "erase/reg_person_referral",
    "erase/reg_queue",
    "erase/reg_booking",
    "erase/reg_question",
    "erase/reg_withdrawal",
)


@dataclass(frozen=True)
class ErasureReceipt:
    """What proves that something was erased or frozen; names nobody and holds no reference."""

    receipt_id: str
    kind: str
    """erased, frozen (a record is kept, the rest erased), or retention."""
    made_at: datetime
    """Wall time of the plan's time zone."""
    people: int
    rows: Mapping[str, int]
    """Table -> rows removed."""
    files: int
    """Exports and return workbooks removed."""
    frozen_until: date | None = None
    """The last day on which a frozen record is kept."""


def erase_person(store: Store, home: Home, plan: Plan, act: Act, ref: str) -> ErasureReceipt:
    """Erase the person whom `ref` names from every table, raw row and file of the home.

    All their referrals of all campaigns go. Of a registered person the clinical record is frozen
    (RECORD) and the rest erased. What was released before stays as it is; later figures are without
    the person. The return workbooks of whoever sent rows about them go whole: a sender can send its
    file again. Raises WrongCommand as `find_subject` does, and where a frozen record is all there
    is; then nothing is changed. `finish_erasure` is to follow once the register is closed.
    """
    subject = find_subject(store, act.campaign, ref)
    if not subject.refs and not subject.registered:
        raise WrongCommand("erase.frozen", day=_kept_until(store, subject))
    return _remove(store, home, plan, act, subject, RECORD)


def freeze_person(store: Store, home: Home, plan: Plan, act: Act, ref: str) -> ErasureReceipt:
    """Freeze the record of the registered person whom `ref` names, and all that is known of them.

    They leave community management: no list, queue, visit, figure, export or link knows them from
    then on, and only `show_person` reads the record. Raises WrongCommand as `find_subject` does,
    for somebody who is not on the register, and for a record that is frozen already; then nothing
    is changed.
    """
    subject = find_subject(store, act.campaign, ref)
    if not subject.registered and subject.frozen:
        raise WrongCommand("freeze.already", day=_kept_until(store, subject))
    if not subject.registered:
        raise WrongCommand("freeze.not_registered")
    return _remove(store, home, plan, act, subject, ALL_RECORDS)


def is_registered(store: Store, ref: str) -> bool:
    """Return whether `ref` is a register number that stands, or the referral that led to one."""
    found: list[tuple[bool]] = store.rows("person/is_registered", ref=ref.strip().upper())
    return found[0][0]


def erase_rows(store: Store, plan: Plan, on: date) -> dict[str, int]:
    """Erase the people of subject_referral and subject_registered; return table -> rows removed.

    Consents given up to `on` hold no longer for their rows. Runs inside the transaction of the
    caller.
    """
    expires = on + timedelta(days=plan.rules.retention.unassessed_days)
    store.run("erase/session_held")
    store.run("erase/lapse", lapsed_on=on, remove_on=expires)
    removed = {}
    for step in _STEPS:
        ((rows,),) = store.rows(step)
        removed[step.removeprefix("erase/")] = rows
    return removed


def keep_receipt(store: Store, act: Act, receipt: ErasureReceipt) -> None:
    """Add a receipt to the register, in the transaction that is open."""
    store.run(
        "erase/receipt",
        receipt_id=receipt.receipt_id,
        campaign=act.campaign,
        kind=receipt.kind,
        made_at=receipt.made_at,
        people=receipt.people,
        tables=list(receipt.rows),
        rows=list(receipt.rows.values()),
        files_removed=receipt.files,
    )


def read_receipt(store: Store, receipt_id: str) -> ErasureReceipt:
    """Return a receipt of the register. Raises WrongCommand where there is none."""
    found = store.records("erase/one_receipt", receipt_id=receipt_id)
    if not found:
        raise WrongCommand("receipt.unknown")
    return ErasureReceipt(**found[0])


def new_receipt_id() -> str:
    """Return a receipt's number: random, so that it says nothing of what was erased."""
    return f"E-{secrets.token_hex(6).upper()}"


def rewrite_questions(store: Store, home: Home) -> None:
    """Write the question file of each campaign that has one anew: it names nobody."""
    for slug, plan in load_campaigns(home).items():
        if home.questions(slug).is_file():
            write_questions(store, plan, home.questions(slug))


def is_unfinished(store: Store) -> bool:
    """Return whether rows were removed whose bytes may still be in the register's file."""
    ((waiting,),) = store.rows("erase/uncompacted")
    return bool(waiting)


def finish_erasure(home: Home, key: str, act: Act) -> None:
    """Rewrite the closed register so that what was erased is gone from its file; mark receipts so.

    Until it has run, the bytes are still there, encrypted; `is_unfinished` says so, and the next
    run of retention makes up for it. Raises StoreBusy where another process has the register open.
    """
    compact(home, key)
    with open_register(home, key=key, act=replace(act, what="compact")) as store:
        store.run("erase/compacted", compacted_at=act.at)


def _remove(
    store: Store, home: Home, plan: Plan, act: Act, subject: Subject, kept: Iterable[str]
) -> ErasureReceipt:
    today = act.at.date()
    until = keep_until(today) if subject.registered else None
    with store.transaction():
        store.run("person/held")
        senders = [sender for (sender,) in store.rows("erase/senders")]
        if until is not None:
            store.run(
                "erase/freeze",
                frozen_on=today,
                keep_until=until,
                reason=act.why.strip(),
                tables=list(kept),
            )
        rows = erase_rows(store, plan, today)
        # files before the commit: gone without need is no harm, left behind is one
        files = remove_exports(store, home, subject.all) + _remove_returns(home, senders)
        receipt = ErasureReceipt(
            receipt_id=new_receipt_id(),
            kind="erased" if until is None else "frozen",
            made_at=act.at,
            people=1,
            rows=rows,
            files=files,
            frozen_until=until,
        )
        keep_receipt(store, act, receipt)
        keep_entry(store, act, subject.all)
        rewrite_questions(store, home)
    return receipt


def _remove_returns(home: Home, senders: Iterable[str]) -> int:
    """Remove the return workbooks of `senders`: an earlier version of the row may be in them."""
    found = [path for sender in senders for path in home.returns(sender).glob("*")]
    for path in found:
        path.unlink()
    return len(found)


def _kept_until(store: Store, subject: Subject) -> date:
    found: list[tuple[date]] = store.rows("person/frozen", numbers=list(subject.frozen))
    return found[0][0]
