"""Looking at people, for the health side's terminal only; every look is kept: who, when and why.

Nothing here writes a file: a list of people leaves the register on no disk of ours. What a person
may ask for is 个人信息保护法 Arts. 44-47; finding, seeing and correcting are here, erasing and
freezing in `tasks/erasure.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from tasks.audit import Act, keep_entry
from tasks.intake import prepare
from tasks.plan import Plan
from tasks.rules.contract import SHEETS, Sheet
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say
from tasks.store import Store

REGISTERED_FIELDS = (
    "full_name",
    "sex",
    "birth_date",
    "resident_id",
    "residence_village",
    "registered_village",
    "phone",
)
"""What a person of the register may have corrected. Diagnosis and stability are a clinician's."""

REFERRAL_FIELDS = (
    *REGISTERED_FIELDS,
    "contact_name",
    "contact_relation",
    "contact_phone",
    "care_setting",
)
"""What a person may have corrected of a referral; consent is withdrawn or given anew instead."""


@dataclass(frozen=True, repr=False)
class Booked:
    """A person booked into a clinic session. Shows a person: for the health side's terminal."""

    referral_ref: str
    """What the clinic writes on its outcome."""
    position: int
    urgency: str
    waiting_since: date
    full_name: str
    sex: str
    birth_date: date
    residence_village: str
    phone: str | None
    contact_name: str | None
    contact_phone: str | None


@dataclass(frozen=True, repr=False)
class Found:
    """A record that matches what was asked for: enough to tell namesakes apart, and no more."""

    ref: str
    """A referral's reference, or a register number."""
    campaign: str
    """'' for the register, which is the township's."""
    kind: str
    """referral, registered or frozen."""
    village: str
    birth_year: int


@dataclass(frozen=True, repr=False)
class Held:
    """One record about a person. Shows a person: for the health side's terminal."""

    table: str
    at: datetime | None
    """When it came or was made, where that is known; wall time of the plan's time zone."""
    record: Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """One person as the register knows them, by reference."""

    refs: tuple[str, ...]
    """References of their referrals, of any campaign."""
    registered: tuple[str, ...]
    """Register numbers that stand."""
    frozen: tuple[str, ...]
    """Register numbers of frozen records."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every reference and number once, for the trail."""
        return tuple(dict.fromkeys((*self.refs, *self.registered, *self.frozen)))


def show_session(store: Store, act: Act, session_date: date) -> list[Booked]:
    """Return who is booked into a session, in the order of the queue; the trail keeps the look."""
    rows = store.records("person/session", campaign=act.campaign, session_date=session_date)
    booked = [Booked(**row) for row in rows]
    keep_entry(store, act, [each.referral_ref for each in booked])
    return booked


def find_subject(store: Store, campaign: str, ref: str) -> Subject:
    """Return the person whom a reference of the campaign or a register number names.

    Leaves them in memory for what follows: subject_referral and subject_registered. Raises
    WrongCommand for a reference that nobody has, that another campaign gave, or that was erased.
    """
    wanted = ref.strip().upper()
    store.run("person/subject_referral", campaign=campaign, ref=wanted)
    store.run("person/subject_registered", ref=wanted)
    kinds: dict[str, list[str]] = {"referral": [], "registered": [], "frozen": []}
    for found, kind in store.rows("person/subjects"):
        kinds[kind].append(found)
    if not any(kinds.values()):
        ((other, erased_on),) = store.rows("person/elsewhere", ref=wanted)
        if other is not None:
            raise WrongCommand("person.other_campaign", campaign=campaign, other=other)
        if erased_on is not None:
            raise WrongCommand("person.erased", day=erased_on)
        raise WrongCommand("person.unknown", campaign=campaign)
    return Subject(tuple(kinds["referral"]), tuple(kinds["registered"]), tuple(kinds["frozen"]))


def find_people(
    store: Store,
    plans: Mapping[str, Plan],
    act: Act,
    *,
    full_name: str,
    birth_date: str,
    phone: str,
) -> list[Found]:
    """Return the records that match all that was given ('' asks for nothing), of any campaign.

    What is given is read as a cell of a submission is. Raises WrongCommand where nothing is given.
    """
    asked = {"full_name": full_name, "birth_date": birth_date, "phone": phone}
    given = {name: value.strip() or None for name, value in asked.items()}
    if not any(given.values()):
        raise WrongCommand("person.nothing_asked")
    prepare(store, plans.values())
    found = [Found(**row) for row in store.records("person/find", **given)]
    keep_entry(store, act, sorted({each.ref for each in found}))
    return found


def show_person(store: Store, act: Act, ref: str) -> list[Held]:
    """Return everything the register holds about a person: rows, raw rows, exports, the trail.

    Raises WrongCommand as `find_subject` does; the trail keeps the look.
    """
    subject = find_subject(store, act.campaign, ref)
    keep_entry(store, act, subject.all)
    store.run("person/held")
    return [
        Held(table, at, json.loads(record))
        for table, at, record in store.rows("person/records", refs=list(subject.all))
    ]


def correct_person(
    store: Store, plans: Mapping[str, Plan], act: Act, ref: str, field: str, value: str
) -> None:
    """Put `value` in place of what the register says of a person in `field`, wherever it says so.

    The value is judged by intake's own rules, beside everything else the record says. It replaces
    the old one in all the person's referrals and register entries and their raw rows; the list
    follows at its next run. The keys by which intake knows a row stay those of what was received,
    so a village's old file sent again changes nothing, and a newer one still meets this row. Raises
    WrongCommand for an unknown person or field, a frozen record, or a value that breaks a rule;
    then nothing is changed.
    """
    if field not in REFERRAL_FIELDS:
        raise WrongCommand("correct.field", field=field, known=", ".join(REFERRAL_FIELDS))
    subject = find_subject(store, act.campaign, ref)
    sheets = [SHEETS["referral"]] if subject.refs else []
    if subject.registered and field in REGISTERED_FIELDS:
        sheets.append(SHEETS["registered_person"])
    if not sheets:
        raise WrongCommand("correct.nothing", field=field)
    prepare(store, plans.values())
    store.run("person/correct_arrived", campaign=act.campaign, at=act.at)
    for sheet in sheets:
        _judge(store, sheet, field, value)
    with store.transaction():
        for sheet in sheets:
            for statement in _CORRECTING[sheet.name]:
                store.run(statement, field=field)
            # the raw row has no ID number
            kept = [each.name for each in sheet.columns if each.name != "resident_id"]
            if field in kept:
                store.run(
                    "person/correct_raw",
                    sheet_name=sheet.name,
                    position=kept.index(field) + 1,
                    value=value.strip(),
                    corrected_on=act.at.date(),
                )
        keep_entry(store, act, subject.all)


_CORRECTING = {
    "referral": ("person/correct_referral",),
    "registered_person": ("person/correct_registered_person", "person/correct_registered"),
}
"""Sheet -> the statements that take a judged value over into what is kept of it."""

_CURRENT = {
    "referral": "person/current_referral",
    "registered_person": "person/current_registered_person",
}
"""Sheet -> the statement that gives the person's records as cells of it."""


def _judge(store: Store, sheet: Sheet, field: str, value: str) -> None:
    """Leave the person's records with `value` in staged_<sheet>; raises where it breaks a rule.

    What a record broke before is no reason to leave something else in it wrong.
    """
    records = store.records(_CURRENT[sheet.name])
    before = _stage(store, sheet, records)
    broken = sorted(_stage(store, sheet, [row | {field: value} for row in records]) - before)
    if broken:
        raise WrongCommand("correct.refused", reason=say(f"rule.{broken[0]}"))


def _stage(store: Store, sheet: Sheet, records: Sequence[Mapping[str, Any]]) -> set[str]:
    """Stage records as rows of a file, and return the rules that they break."""
    texts = [("submission_id", pa.string()), ("row_number", pa.int32())]
    texts += [(column.name, pa.string()) for column in sheet.columns]
    rows = [{**record, "row_number": 1} for record in records]
    store.load(f"raw_{sheet.name}", pa.Table.from_pylist(rows, pa.schema(texts)))
    store.run("reference/registered")
    store.run(f"stage/{sheet.name}")
    return {rule for (rule,) in store.rows("person/broken", sheet=sheet.name)}
