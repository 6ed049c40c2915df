"""What the workbooks about people look like: for clinic, village doctor, another health centre.

Each says on top whom it is for and until when. Which people and which of their data is decided in
`tasks/exports.py`; nothing is added here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date

from tasks.people import Booked
from tasks.plan import Plan
from tasks.rules.columns import kind_of
from tasks.rules.contract import CHOICES, SHEETS, Column, Identity, write_identity
from tasks.rules.wording import say
from tasks.workbook import DATE, TEXT, Book, Page, lay_out, new_book

_STYLES: dict[str, dict[str, object]] = {
    "title": {"bold": True, "font_size": 14},
    "notice": {"text_wrap": True, "valign": "top", "font_color": "#8A1C1C"},
    "head": {
        "bold": True,
        "bg_color": "#D9E2EC",
        "border": 1,
        "text_wrap": True,
        "valign": "vcenter",
    },
    "item": {"bold": True, "border": 1, "valign": "top"},
    "text": {"num_format": TEXT, "border": 1, "text_wrap": True, "valign": "top"},
    "date": {"num_format": DATE, "border": 1, "align": "left", "valign": "top"},
}

_SESSION = (
    "position",
    "referral_ref",
    "full_name",
    "sex",
    "birth_date",
    "residence_village",
    "phone",
    "contact_name",
    "contact_phone",
    "urgency",
    "waiting_since",
)
"""What the clinic is told of who comes, one column each."""

_NOTICE_HEIGHT = 34
_WIDTHS = {
    "position": 6,
    "urgency": 9,
    "sex": 6,
    "referral_ref": 17,
    "residence_village": 20,
    "full_name": 14,
    "contact_name": 14,
    "phone": 15,
    "contact_phone": 15,
    "diagnosis": 26,
    "psychiatrist_licence": 20,
    "clinician_licence": 20,
}
_WIDTH = 13


@dataclass(frozen=True, repr=False)
class Due:
    """A visit to make, as far as the village doctor's help needs it (DOMAIN.md limit 10)."""

    due_on: date
    full_name: str
    residence_village: str
    phone: str | None
    contact_name: str | None
    contact_phone: str | None


@dataclass(frozen=True, repr=False)
class Registered:
    """A person on the register, as the health centre they move to needs to know them."""

    register_no: str
    full_name: str
    sex: str
    birth_date: date
    residence_village: str
    registered_village: str | None
    phone: str | None
    contact_name: str | None
    contact_relation: str | None
    contact_phone: str | None
    diagnosis: str
    confirmed_on: date
    psychiatrist_licence: str
    stability: str | None
    consent_by: str | None
    consent_date: date | None
    """Of the consent to community management."""


@dataclass(frozen=True, repr=False)
class Visit:
    """A follow-up visit as it was recorded."""

    visited_on: date
    mode: str
    seen: str
    stability: str | None
    rating: int | None
    medication: str | None
    adverse_reaction: bool | None
    lost_reason: str | None
    clinician_licence: str | None


def session_book(
    plan: Plan, identity: Identity, day: date, booked: Sequence[Booked], remove_on: date
) -> bytes:
    """Return the workbook of one clinic session: who comes, and a sheet of outcomes to fill in.

    The second sheet is an assessment_outcome sheet of `identity`, the references filled in, in the
    order of the first. The clinic sends the whole workbook back; only the second sheet is read.
    """
    language = plan.language
    with new_book(_STYLES, day) as book:
        page = book.page(say("export.session.sheet", language))
        title = say("export.session.title", language, centre=plan.health_centre.name, day=day)
        notice = say("export.session.notice", language, remove_on=remove_on)
        _heading(book, page, title, notice, len(_SESSION))
        _table(book, page, plan, _SESSION, [asdict(each) for each in booked])
        _outcome_sheet(book, plan, identity, booked)
    return book.content


def visits_book(
    plan: Plan, village: str, month: date, visits: Sequence[Due], remove_on: date
) -> bytes:
    """Return the visit list of one village (its code) for `month` (its first day).

    It does not say what the visits are about: others in the house may see it. `remove_on` is when
    the doctor has no more use for it.
    """
    language = plan.language
    with new_book(_STYLES, month) as book:
        page = book.page(say("export.visits.sheet", language))
        title = say(
            "export.visits.title",
            language,
            village=plan.village(village).name,
            month=f"{month:%Y-%m}",
        )
        notice = say(
            "export.visits.notice", language, centre=plan.health_centre.name, remove_on=remove_on
        )
        columns = [field.name for field in fields(Due)]
        _heading(book, page, title, notice, len(columns))
        _table(book, page, plan, columns, [asdict(each) for each in visits])
    return book.content


def handover_book(
    plan: Plan,
    person: Registered,
    visits: Sequence[Visit],
    *,
    recipient: str,
    made_on: date,
    remove_on: date,
) -> bytes:
    """Return the hand-over of one registered person to `recipient`, the health centre they move to.

    First sheet: for what, by which consent, and the person. Second: the visits, oldest first.
    """
    language = plan.language
    with new_book(_STYLES, made_on) as book:
        page = book.page(say("export.handover.sheet", language))
        title = say(
            "export.handover.title",
            language,
            centre=plan.health_centre.name,
            recipient=recipient,
            day=made_on,
        )
        notice = say("export.handover.notice", language, remove_on=remove_on)
        _heading(book, page, title, notice, 2)
        page.set_row(1, 2 * _NOTICE_HEIGHT)
        page.set_column(0, 0, 28)
        page.set_column(1, 1, 60)
        for line, (column, value) in enumerate(asdict(person).items(), start=3):
            page.write_string(
                line, 0, say(f"export.column.{column}", language), book.formats["item"]
            )
            _cell(book, page, line, 1, plan, column, value)
        lay_out(page, landscape=False)
        page = book.page(say("export.handover.visits_sheet", language))
        columns = [field.name for field in fields(Visit)]
        _table(book, page, plan, columns, [asdict(each) for each in visits], head=0)
    return book.content


def _heading(book: Book, page: Page, title: str, notice: str, width: int) -> None:
    page.hide_gridlines(2)
    page.write_string(0, 0, title, book.formats["title"])
    page.merge_range(1, 0, 1, width - 1, notice, book.formats["notice"])
    page.set_row(1, _NOTICE_HEIGHT)


def _table(
    book: Book,
    page: Page,
    plan: Plan,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, object]],
    head: int = 3,
) -> None:
    for place, column in enumerate(columns):
        page.set_column(place, place, _WIDTHS.get(column, _WIDTH))
        page.write_string(
            head, place, say(f"export.column.{column}", plan.language), book.formats["head"]
        )
        for line, row in enumerate(rows, start=head + 1):
            _cell(book, page, line, place, plan, column, row[column])
    page.freeze_panes(head + 1, 0)
    lay_out(page, head=head)


def _cell(
    book: Book, page: Page, line: int, place: int, plan: Plan, column: str, value: object
) -> None:
    if isinstance(value, date):
        page.write_datetime(line, place, value, book.formats["date"])
    else:
        page.write_string(line, place, _shown(plan, column, value), book.formats["text"])


def _shown(plan: Plan, column: str, value: object) -> str:
    """Return a value as people read it: a village by its name, a choice in the plan's language."""
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if column in ("residence_village", "registered_village"):
        names = {village.code: village.name for village in plan.villages}
        return names.get(str(value), str(value))
    listed = _LISTS.get(column)
    if listed is None or plan.language == "en":
        return str(value)
    return CHOICES[listed][str(value)][0]


_LISTS = {
    column.name: column.choices
    for name in ("referral", "registered_person", "follow_up")
    for column in SHEETS[name].columns
    if column.choices
}
"""Column -> the closed list its values are from."""


def _outcome_sheet(book: Book, plan: Plan, identity: Identity, booked: Sequence[Booked]) -> None:
    sheet = SHEETS["assessment_outcome"]
    page = book.page(say(f"sheet.{sheet.name}", plan.language))
    page.write_string(0, 0, write_identity(identity))
    page.write_string(1, 0, say("export.session.outcomes", plan.language))
    head = 2
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, _WIDTHS.get(column.name, _WIDTH + 3))
        name = column.name if plan.language == "en" else column.heads[0]
        page.write_string(head, place, name, book.formats["head"])
        style = book.formats["date" if kind_of(column) == "date" else "text"]
        for line, each in enumerate(booked, start=head + 1):
            if column.name == "referral_ref":
                page.write_string(line, place, each.referral_ref, style)
                # beside the reference, in a note that the reader of outcomes does not see
                page.write_comment(line, place, each.full_name)
            else:
                page.write_blank(line, place, None, style)
        if column.choices:
            page.data_validation(
                head + 1,
                place,
                head + len(booked),
                place,
                {"validate": "list", "source": _choices(column, plan.language)},
            )
    page.freeze_panes(head + 1, 1)
    lay_out(page, head=head)


def _choices(column: Column, language: str) -> list[str]:
    listed = CHOICES[column.choices or ""]
    return [value if language == "en" else spellings[0] for value, spellings in listed.items()]
