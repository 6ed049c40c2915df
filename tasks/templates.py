"""Templates: the workbook a village or the health centre fills in for one phase and round.

Made from the plan alone: no key, no register, nothing about anybody. Each sheet carries its
identity and heads as the contract spells them, drop-downs for closed lists, and cells that keep
codes and ID numbers as text. The instructions stand on a first sheet, without identity and with the
columns one below the other, so that a reader takes neither it nor its example for data.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path

from tasks.cell_checks import cell_check, choices_of, explained, head_of, spelled
from tasks.home import write_whole
from tasks.plan import Occurrence, Plan
from tasks.rules.columns import kind_of, may_be_blank
from tasks.rules.contract import (
    CHOICES,
    HEALTH_SHEETS,
    SHEETS,
    SHEETS_OF_PHASE,
    TEMPLATE_VERSION,
    VERDICTS,
    Column,
    Identity,
    Sheet,
    write_identity,
)
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say
from tasks.workbook import DATE, TEXT, Book, Format, Page, cells_wide, lay_out, new_book

HEAD = 3
"""The row of the head, from 0: below the identity and two lines of title."""
CHECKED_ROWS = 2000
"""How many rows have drop-downs and checks; more than any village fills."""

_FILLABLE = {
    "readiness": 1,
    "coverage": 15,
    "referral": 30,
    "assessment_outcome": 30,
    "follow_up": 40,
    "service_month": 1,
    "care_group": len(CHOICES["care_role"]),
    "registered_person": 40,
}
"""How many rows are ruled, so that they are seen and printed."""

_SPARE = 3
"""How many lines a village has below its grids, for one that the plan does not know."""

_KEPT_IN_SIGHT = {"coverage": 2, "referral": 2, "registered_person": 2}
"""How many columns stay when scrolling sideways; elsewhere the first."""

_WIDTHS = {
    "choice": 6,
    "date": 11,
    "month": 10,
    "count": 6,
    "code": 14,
    "id": 20,
    "phone": 13,
    "name": 9,
    "licence": 17,
    "text": 12,
}
"""The width of a column, in digits, by what it holds."""

_HOW_WIDTHS = (26, 70, 24)
"""Of the instructions: topic or head, what to do, example."""

_LINES = {"border": 1, "border_color": "#B0B0B0"}
_RULED = {"valign": "vcenter", "align": "left", **_LINES}
_HEAD = {"border": 1, "text_wrap": True, "align": "center", "valign": "vcenter"}
_STYLES: dict[str, dict[str, object]] = {
    "identity": {"font_size": 8, "font_color": "#7A7A7A"},
    "title": {"bold": True, "font_size": 12},
    "head": {"bold": True, "bg_color": "#2F5D7C", "font_color": "#FFFFFF", **_HEAD},
    "head_optional": {"bg_color": "#DCE6EC", **_HEAD},
    "text": {"num_format": TEXT},
    "date": {"num_format": DATE},
    "count": {"num_format": "0"},
    "ruled_text": {"num_format": TEXT, **_RULED},
    "ruled_date": {"num_format": DATE, **_RULED},
    "ruled_count": {"num_format": "0", **_RULED},
    "topic": {"bold": True, "text_wrap": True, "valign": "top"},
    "said": {"text_wrap": True, "valign": "top"},
    "cell": {"text_wrap": True, "valign": "top", **_LINES},
    "code": {"num_format": TEXT, **_LINES},
}

_EXAMPLES = {
    "row_no": "1",
    "sex": "male",
    "birth_date": "1980-01-02",
    # no region has numbers that begin with 99
    "resident_id": "99010119800102001X",
    "phone": "13800138000",
    "contact_phone": "13900139000",
    "referred_by": "village_doctor",
    "consent_by": "self",
    "consent_scope": "assessment_and_management",
    "observed_signs": "1,3",
    "trained_people": "12",
    "households": "120",
    "households_visited": "112",
    "households_declined": "3",
    "no_consent_count": "1",
    "nil_return": "no",
    "referral_ref": "R-0123456789AB",
    "psychiatrist_licence": "110000000000001",
    "clinician_licence": "110000000000002",
    "second_opinion_requested": "no",
    "register_no": "R-0001",
    "rating": "0",
    "adverse_reaction": "no",
    "lost_reason": "",
    "guardian_contacts": "4",
    "rehabilitation_sessions": "2",
    "subsidy_applied": "3",
    "subsidy_reviewed": "3",
    "subsidy_paid": "2",
    "problems_raised": "0",
}
"""The invented row, where the first value of a closed list or the opening day will not do."""


def write_templates(
    folder: Path,
    plan: Plan,
    *,
    phase: str | None = None,
    round: int | None = None,
    village: str | None = None,
) -> list[Path]:
    """Write the templates of a plan below `folder`, one folder a sender; return their paths.

    All of them, or those of one `phase`, one `round` of it, or one sender (the 12-digit code of a
    village, or of the health centre). A name says sender, phase and round, so that the files of all
    villages can lie in one inbox. Raises WrongCommand where that leaves nothing to write.
    """
    written = []
    for sender, occurrence in list(owed(plan, phase=phase, round=round, village=village)):
        round_part = f"-{occurrence.round}" if occurrence.round else ""
        path = folder / sender / f"{sender}-{occurrence.phase}{round_part}.xlsx"
        write_whole(path, template_content(plan, sender, occurrence))
        written.append(path)
    return written


def owed(
    plan: Plan,
    *,
    phase: str | None = None,
    round: int | None = None,
    village: str | None = None,
) -> Iterator[tuple[str, Occurrence]]:
    """Yield (sender's code, occurrence) for every submission that is owed, in the plan's order.

    An ad-hoc sweep has none before the health side approved it. Raises WrongCommand as
    `write_templates` does.
    """
    if phase is not None and phase not in SHEETS_OF_PHASE:
        raise WrongCommand("template.phase", phase=phase, known=tuple(SHEETS_OF_PHASE))
    if round is not None and phase is None:
        raise WrongCommand("template.round_alone")
    codes = {plan.health_centre.code, *(each.code for each in plan.villages)}
    if village is not None and village not in codes:
        raise WrongCommand("template.unknown", village=village)
    any_owed = False
    for occurrence in plan.calendar:
        waits = occurrence.ad_hoc and not occurrence.approved
        if waits or occurrence.phase not in SHEETS_OF_PHASE:
            continue
        if phase not in (None, occurrence.phase) or round not in (None, occurrence.round):
            continue
        for sender in _senders(plan, occurrence):
            if village in (None, sender):
                any_owed = True
                yield sender, occurrence
    if not any_owed:
        raise WrongCommand("template.none")


def _senders(plan: Plan, occurrence: Occurrence) -> tuple[str, ...]:
    if set(SHEETS_OF_PHASE[occurrence.phase]) <= set(HEALTH_SHEETS):
        return (plan.health_centre.code,)
    return tuple(village.code for village in plan.expected(occurrence))


def template_content(plan: Plan, sender: str, occurrence: Occurrence) -> bytes:
    """Return the workbook that `sender` (a 12-digit code of the plan) fills in for `occurrence`.

    Its texts are in the plan's language. The same plan gives the same bytes.
    """
    sheets = [SHEETS[name] for name in SHEETS_OF_PHASE[occurrence.phase]]
    with new_book(_STYLES, plan.issued) as book:
        _instructions(book, plan, sender, occurrence, sheets)
        for sheet in sheets:
            _data_sheet(book, plan, sender, occurrence, sheet)
        if any(sheet.name in ("referral", "registered_person") for sheet in sheets):
            _codes_sheet(book, plan)
    return book.content


def _data_sheet(book: Book, plan: Plan, sender: str, occurrence: Occurrence, sheet: Sheet) -> None:
    language = plan.language
    page = book.page(say(f"sheet.{sheet.name}", language))
    identity = Identity(plan.slug, occurrence.phase, occurrence.round, sender, TEMPLATE_VERSION)
    page.write_string(0, 0, write_identity(identity), book.formats["identity"])
    named = say(f"sheet.{sheet.name}", language)
    title = say("template.title", language, campaign=_campaign(plan), sheet=named)
    made_for = say(
        "template.for",
        language,
        sender=_sender(plan, sender),
        code=sender,
        when=_when(occurrence, language),
        due=_due(occurrence, language),
    )
    page.write_string(1, 0, title, book.formats["title"])
    page.write_string(2, 0, made_for)
    page.set_row(HEAD, 34)
    grids = _grids(plan, sender) if sheet.name == "coverage" else ()
    lines = max(_FILLABLE[sheet.name], len(grids) + _SPARE if grids else 0)
    for place, column in enumerate(sheet.columns):
        _column(book, page, place, sheet, column, language)
        given = _given(column, sender, occurrence)
        check = cell_check(sheet, column, language, given=given)
        page.data_validation(HEAD + 1, place, HEAD + CHECKED_ROWS, place, check)
        known = grids if column.name == "grid" else _roles(column, language)
        _ruled_cells(book, page, place, column, [*known, *[given] * (lines - len(known))])
    for line in range(1, lines + 1):
        page.set_row(HEAD + line, 22)
    page.freeze_panes(HEAD + 1, _KEPT_IN_SIGHT.get(sheet.name, 1))
    lay_out(page, head=HEAD)


def _column(
    book: Book, page: Page, place: int, sheet: Sheet, column: Column, language: str
) -> None:
    """Write the head with its explanation, and give the whole column its width and format."""
    head = head_of(column, language)
    style = "head_optional" if may_be_blank(sheet, column) else "head"
    page.write_string(HEAD, place, head, book.formats[style])
    page.write_comment(
        HEAD, place, explained(sheet, column, language), {"x_scale": 2, "y_scale": 1.2}
    )
    page.set_column(place, place, _width(column, language), book.formats[_style(column)])


def _ruled_cells(book: Book, page: Page, place: int, column: Column, given: Sequence[str]) -> None:
    """Rule a cell a line, with what is `given` in it, or a row number where the column is one."""
    ruled = book.formats[f"ruled_{_style(column)}"]
    for line, text in enumerate(given, start=1):
        row = HEAD + line
        if column.name == "row_no":
            page.write_number(row, place, line, ruled)
        elif text:
            page.write_string(row, place, text, ruled)
        else:
            page.write_blank(row, place, None, ruled)


def _grids(plan: Plan, sender: str) -> tuple[str, ...]:
    """Return the grids of a village as the plan names them; the health centre has none."""
    return next((village.grids for village in plan.villages if village.code == sender), ())


def _roles(column: Column, language: str) -> Sequence[str]:
    """Return the roles of a care group, a row each, where `column` is theirs."""
    return choices_of(column, language) if column.name == "role" else ()


def _given(column: Column, sender: str, occurrence: Occurrence) -> str:
    """Return what every row says in this column whoever fills it in, or ''."""
    if column.name == "village_code":
        return sender
    if column.name == "month":
        return occurrence.period or ""
    return ""


def _instructions(
    book: Book, plan: Plan, sender: str, occurrence: Occurrence, sheets: Sequence[Sheet]
) -> None:
    language = plan.language
    page = book.page(say("template.how_sheet", language))
    page.hide_gridlines(2)
    for place, width in enumerate(_HOW_WIDTHS):
        page.set_column(place, place, width)
    title = say(
        "template.how_title", language, campaign=_campaign(plan), sender=_sender(plan, sender)
    )
    page.write_string(0, 0, title, book.formats["title"])
    line = 2
    for topic, text in _topics(plan, occurrence, sheets):
        _line(page, line, (topic, text), (book.formats["topic"], book.formats["said"]))
        line += 1
    line = _verdicts(book, page, line + 1, language)
    for sheet in sheets:
        example = example_row(plan, sender, occurrence, sheet)
        line = _columns_explained(book, page, line + 1, sheet, example, language)
    lay_out(page, landscape=False)


def _topics(
    plan: Plan, occurrence: Occurrence, sheets: Sequence[Sheet]
) -> Iterator[tuple[str, str]]:
    """Yield (topic, text) of the instructions, consent first."""
    language, centre = plan.language, plan.health_centre.name
    from_centre = all(sheet.name in HEALTH_SHEETS for sheet in sheets)
    side = "centre" if from_centre else "village"
    consent = side if any(sheet.about_people for sheet in sheets) else "none"
    due = _due(occurrence, language)
    mail = plan.recipients.health[0]
    texts = {
        "consent": say(f"template.consent.{consent}", language),
        "emergency": say(f"template.emergency.{side}", language, centre=centre),
        "due": say(f"template.due.{side}", language, due=due, centre=centre),
        "whom": say(f"template.whom.{side}", language, centre=centre, mail=mail),
        "how": say("template.how", language),
    }
    if occurrence.phase == "sweep":
        texts["nil"] = say("template.nil", language)
    for topic, text in texts.items():
        yield say(f"template.topic.{topic}", language), text


def _verdicts(book: Book, page: Page, line: int, language: str) -> int:
    """Write what each verdict means; return the next line."""
    page.write_string(line, 0, say("template.topic.verdicts", language), book.formats["topic"])
    for verdict in VERDICTS:
        line += 1
        named = say(f"verdict.{verdict}", language)
        meaning = say(f"template.verdict.{verdict}", language)
        _line(page, line, (named, meaning), (book.formats["cell"],) * 2)
    return line + 1


def _columns_explained(
    book: Book, page: Page, line: int, sheet: Sheet, example: Mapping[str, str], language: str
) -> int:
    """Write one line a column: its head, what to enter, an invented example; return the next."""
    heading = say("template.columns", language, sheet=say(f"sheet.{sheet.name}", language))
    page.write_string(line, 0, heading, book.formats["topic"])
    line += 1
    for place, key in enumerate(("template.column", "template.what", "template.example")):
        page.write_string(line, place, say(key, language), book.formats["head"])
    for column in sheet.columns:
        line += 1
        what = explained(sheet, column, language)
        if column.choices:
            choices = _listed(choices_of(column, language), language)
            what = f"{what} {say('template.choices', language, choices=choices)}"
        texts = (head_of(column, language), what, example[column.name])
        _line(page, line, texts, (book.formats["cell"],) * 3)
    return line + 1


def _line(page: Page, line: int, texts: Sequence[str], formats: Sequence[Format]) -> None:
    """Write a line of wrapped texts, as high as the longest needs: not every program sees to it."""
    for place, (text, style) in enumerate(zip(texts, formats, strict=True)):
        page.write_string(line, place, text, style)
    lines = max(
        ceil(cells_wide(text) / width) for text, width in zip(texts, _HOW_WIDTHS, strict=False)
    )
    page.set_row(line, 15 * max(lines, 1) + 3)


def example_row(plan: Plan, sender: str, occurrence: Occurrence, sheet: Sheet) -> dict[str, str]:
    """Return an invented row of `sheet`, column name -> cell, that holds every row rule.

    It does once the occurrence has opened, and where the referral and the register entry that it
    names are known.
    """
    return {column.name: _example(column, plan, sender, occurrence) for column in sheet.columns}


def _example(column: Column, plan: Plan, sender: str, occurrence: Occurrence) -> str:
    language = plan.language
    example = _EXAMPLES.get(column.name)
    if column.choices:
        value = next(iter(CHOICES[column.choices])) if example is None else example
        return spelled(column.choices, value, language) if value else ""
    if example is not None:
        return example
    match kind_of(column):
        case "date":
            return occurrence.opens.isoformat()
        case "month":
            return occurrence.period or ""
        case "code":
            of_village = sender != plan.health_centre.code
            return sender if of_village else plan.villages[0].code
        case _:
            return say(f"example.{column.name}", language)


def _codes_sheet(book: Book, plan: Plan) -> None:
    language = plan.language
    page = book.page(say("template.codes_sheet", language))
    page.set_column(0, 0, 18)
    page.set_column(1, 1, 60)
    page.write_string(0, 0, say("template.codes_sheet", language), book.formats["topic"])
    page.write_string(0, 1, say("template.codes_note", language), book.formats["said"])
    page.set_row(0, 34)
    for place, key in enumerate(("template.code", "template.name")):
        page.write_string(1, place, say(key, language), book.formats["head"])
    for line, village in enumerate(plan.villages, start=2):
        page.write_string(line, 0, village.code, book.formats["code"])
        page.write_string(line, 1, village.name, book.formats["cell"])
    page.freeze_panes(2, 0)
    lay_out(page, head=1, landscape=False)


def _campaign(plan: Plan) -> str:
    return plan.name_en if plan.language == "en" else plan.name


def _sender(plan: Plan, code: str) -> str:
    return plan.health_centre.name if code == plan.health_centre.code else plan.village(code).name


def _when(occurrence: Occurrence, language: str) -> str:
    phase = say(f"phase.{occurrence.phase}", language)
    if occurrence.period:
        return say("phase.with_period", language, phase=phase, period=occurrence.period)
    if occurrence.round:
        return say("phase.with_round", language, phase=phase, round=occurrence.round)
    return phase


def _due(occurrence: Occurrence, language: str) -> str:
    day = occurrence.due.isoformat()
    return say("template.provisional", language, due=day) if occurrence.provisional else day


def _listed(texts: Sequence[str], language: str) -> str:
    return say("list.comma", language).join(texts)


def _style(column: Column) -> str:
    kind = kind_of(column)
    return kind if kind in ("date", "count") else "text"


def _width(column: Column, language: str) -> float:
    """Return a width that shows the longest choice, and a Chinese head in at most two lines."""
    longest = max(map(cells_wide, choices_of(column, language)), default=0)
    head = head_of(column, language)
    if language == "zh-CN" and len(head) > 5:
        head = head[: ceil(len(head) / 2)]
    return max(_WIDTHS[kind_of(column)], min(longest + 2, 20), cells_wide(head) + 1)
