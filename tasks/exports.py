"""The only three files about people that leave the register, each locked with a password.

A session sheet for the clinic that assesses, a visit list for a village doctor, and a hand-over to
the health centre a person moves to. Each holds only people whose consent covers it, is kept in the
register with whom it is about, enters the trail, and is removed after a week. The plain workbook
exists in memory only; the password is shown once, to be sent by another way than the file.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from tasks.audit import Act, keep_entry
from tasks.export_books import Due, Registered, Visit, handover_book, session_book, visits_book
from tasks.home import Home, write_whole
from tasks.people import show_session
from tasks.plan import Plan, occurrence_at
from tasks.rules.contract import TEMPLATE_VERSION, Identity
from tasks.rules.deadlines import Period, WordsNotUnderstood, read_period
from tasks.rules.errors import WrongCommand
from tasks.store import Store
from tasks.visits import update_visits
from tasks.workbook_password import encrypt_workbook, new_password

FOLDER = "exports"
KEPT_DAYS = 7
"""How long an export is kept here; less where the plan keeps return workbooks for less."""

_MOST_RECIPIENT = 60


@dataclass(frozen=True)
class Export:
    """A workbook about people that was written."""

    path: Path
    password: str = field(repr=False)
    """Of this file alone; for the terminal, once."""
    people: int
    remove_on: date
    """The first day on which the file must be gone."""


def export_session(store: Store, home: Home, plan: Plan, act: Act, day: date) -> Export | None:
    """Write the sheet of a clinic session: whom to expect, and their outcomes to fill in.

    Who is booked and has not withdrawn (`show_session`); each of the two scopes of consent covers
    an assessment. Filled in, it is the assessment_outcome sheet of the health centre, and intake
    opens it with its own password, which is kept until the file goes: a week after the session.
    None, and no file, where nobody is booked. Raises WrongCommand for a day without a session.
    """
    if all(each.date != day for each in plan.clinic):
        known = tuple(each.date.isoformat() for each in plan.clinic)
        raise WrongCommand("error.no_session", day=day, known=known)
    occurrence = occurrence_at(plan, "diagnosis_queue", day)
    identity = Identity(
        plan.slug,
        occurrence.phase,
        occurrence.round,
        plan.health_centre.code,
        TEMPLATE_VERSION,
    )
    remove_on = _remove_on(plan, max(day, act.at.date()))
    with store.transaction():
        booked = show_session(store, act, day)  # the trail keeps the look
        if not booked:
            return None
        content = session_book(plan, identity, day, booked, remove_on)
        subjects = [each.referral_ref for each in booked]
        export = _record(store, home, act, "session", "", subjects, remove_on, returns_locked=True)
    return _written(export, content)


def export_visits(
    store: Store, home: Home, plan: Plan, act: Act, village: str, month: str
) -> Export | None:
    """Write the visit list of a village's doctor for a month (`2025-11`): who, when, how to reach.

    Registered people the village is responsible for (residence first, household registration
    second) whose next visit falls due by the end of the month, overdue ones too, worked out as of
    the day of `act`. Neither diagnosis nor rating nor stability, and one day each: two would give
    the interval away. None, and no file, where no visit is due. Raises WrongCommand for a village
    that is not the plan's, and for what is no month or one that has passed.
    """
    if all(each.code != village for each in plan.villages):
        raise WrongCommand("export.unknown_village")
    today = act.at.date()
    period = _month_to_come(month, today)
    remove_on = _remove_on(plan, today)
    update_visits(store, plan, today)
    with store.transaction():
        rows = store.records("export/visits", village=village, last=period.last)
        if not rows:
            return None
        subjects = [row.pop("register_no") for row in rows]
        visits = [Due(**row) for row in rows]
        # the doctor needs the list for as long as the month lasts; the copy here only for sending
        content = visits_book(plan, village, period.first, visits, max(remove_on, period.last))
        export = _record(store, home, act, "visits", village, subjects, remove_on)
        keep_entry(store, act, subjects)
    return _written(export, content)


def export_handover(
    store: Store, home: Home, plan: Plan, act: Act, register_no: str, recipient: str
) -> Export:
    """Write what the health centre `recipient` needs to go on caring for a person who moves there.

    The register entry with its diagnosis, the contact, and all visits. Only with a consent that
    reaches beyond the assessment (`assessment_and_management`, or community management agreed to at
    the assessment) and was not withdrawn: handing sensitive data on needs the person's own consent
    (个人信息保护法 Arts. 23, 29). Raises WrongCommand for an unknown number, a consent that does
    not cover it, and a recipient that is no short line; then nothing is written.
    """
    to = recipient.strip()
    if not to or len(to) > _MOST_RECIPIENT or not to.isprintable():
        raise WrongCommand("export.no_recipient", most=_MOST_RECIPIENT)
    number = register_no.strip().upper()
    today = act.at.date()
    remove_on = _remove_on(plan, today)
    with store.transaction():
        found = store.records("export/handover", register_no=number)
        if not found:
            raise WrongCommand("export.unknown_number")
        (row,) = found
        if not row.pop("covered"):
            raise WrongCommand("export.not_covered")
        visits = store.records("export/handover_visits", register_no=number)
        content = handover_book(
            plan,
            Registered(**row),
            [Visit(**visit) for visit in visits],
            recipient=to,
            made_on=today,
            remove_on=remove_on,
        )
        export = _record(store, home, act, "handover", to, [number], remove_on)
        keep_entry(store, act, [number])
    return _written(export, content)


def remove_expired(store: Store, home: Home, today: date) -> int:
    """Remove the exports whose time is over at `today`; return how many files went."""
    store.run("export/expire", today=today)
    return _sweep(store, home)


def remove_exports(store: Store, home: Home, refs: Sequence[str]) -> int:
    """Remove every export that one of `refs` (referral references, register numbers) is in.

    The references leave the record of exports, too. Returns how many files went.
    """
    store.run("export/take_out", refs=list(refs))
    return _sweep(store, home)


def _month_to_come(month: str, today: date) -> Period:
    try:
        period = read_period(month)
    except WordsNotUnderstood:
        raise WrongCommand("export.no_month") from None
    if period.quarterly or period.last < today:
        raise WrongCommand("export.no_month")
    return period


def _remove_on(plan: Plan, last_needed: date) -> date:
    return last_needed + timedelta(days=min(KEPT_DAYS, plan.rules.returns_kept_days))


def _record(
    store: Store,
    home: Home,
    act: Act,
    kind: str,
    recipient: str,
    subjects: Sequence[str],
    remove_on: date,
    *,
    returns_locked: bool = False,
) -> Export:
    """Keep in the register what is about to be written, and return it with a password of its own.

    The name says kind and day. The register comes first: a file it does not know of is swept away.
    """
    name = f"{kind}-{act.at:%Y%m%d}-{secrets.token_hex(4)}.xlsx"
    path = home.root / FOLDER / name
    password = new_password()
    store.run(
        "export/add",
        path=path.relative_to(home.root).as_posix(),
        kind=kind,
        campaign=act.campaign,
        recipient=recipient,
        subjects=list(subjects),
        made_at=act.at,
        remove_on=remove_on,
        password=password if returns_locked else None,
    )
    return Export(path, password, len(subjects), remove_on)


def _written(export: Export, content: bytes) -> Export:
    write_whole(export.path, encrypt_workbook(content, export.password))
    return export


def _sweep(store: Store, home: Home) -> int:
    """Delete whatever lies in the folder and is no export that is kept; return how many files."""
    kept = {home.root / path for (path,) in store.rows("export/kept")}
    stale = [path for path in (home.root / FOLDER).glob("*") if path not in kept]
    for path in stale:
        path.unlink()
    return len(stale)
