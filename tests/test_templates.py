"""Templates are made for each village, hold no trap, and come back whole from any program."""

import io
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from cli.main import main
from conftest import RECEIVED, coverage, make_home, occurrence, open_home, program, referral
from register_rows import add_referral, add_registered
from tasks.home import Home
from tasks.intake import prepare, take_in
from tasks.plan import Occurrence, Plan, copy_plan
from tasks.rules.columns import FILLED_IN, kind_of, may_be_blank, says_something
from tasks.rules.contract import (
    CHOICES,
    SHEETS,
    SHEETS_OF_PHASE,
    VERDICTS,
    Identity,
    Sheet,
    read_identity,
)
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store
from tasks.templates import HEAD, example_row, owed, template_content, write_templates

CENTRE = "990101001000"
VILLAGE = "990101001001"
FIRST = HEAD + 2
"""The first row to fill in, as a spreadsheet counts."""


@pytest.fixture(scope="session")
def full_plan(plan: Plan) -> Plan:
    """The house's plan with readiness and grids besides: every kind of sheet is owed."""
    ready = occurrence("readiness", date(2025, 9, 1), date(2025, 9, 20))
    grids = {"grids": ("第一网格", "第二网格")}
    villages = tuple(each.model_copy(update=grids) for each in plan.villages)
    return plan.model_copy(update={"calendar": (ready, *plan.calendar), "villages": villages})


def in_language(plan: Plan, language: str) -> Plan:
    return plan.model_copy(update={"language": language})


def made(folder: Path, plan: Plan, phase: str, village: str | None = None) -> Path:
    """The template of the only sender of `phase`, or of `village`."""
    (path,) = write_templates(folder, plan, phase=phase, village=village)
    return path


def pages(folder: Path, plan: Plan) -> Iterator[tuple[Sheet, Occurrence, str, Worksheet]]:
    """Yield (contract sheet, occurrence, sender, page) of every data sheet of one sender each."""
    for phase, names in SHEETS_OF_PHASE.items():
        sender, owing = next(iter(owed(plan, phase=phase)))
        book = openpyxl.load_workbook(made(folder, plan, phase, sender))
        for name in names:
            page = book[say(f"sheet.{name}", plan.language)]
            yield SHEETS[name], owing, sender, page
        book.close()


def check_of(page: Worksheet, column: str) -> DataValidation:
    """The check on the first cell to fill in of a column; there is exactly one."""
    (check,) = [
        each for each in page.data_validations.dataValidation if f"{column}{FIRST}" in each.sqref
    ]
    return check


def column_format(page: Worksheet, number: int) -> str:
    """The format of cells that were never touched; equal neighbours are kept as one."""
    (found,) = [each for each in page.column_dimensions.values() if each.min <= number <= each.max]
    return str(found.number_format)


def letter(place: int) -> str:
    return openpyxl.utils.get_column_letter(place + 1)


# ------------------------------------------------------------------ what is owed by whom


def test_each_sender_gets_one_workbook_for_each_phase_and_round(
    tmp_path: Path, full_plan: Plan
) -> None:
    written = write_templates(tmp_path, full_plan)
    villages = [village.code for village in full_plan.villages]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in written) == sorted(
        [
            *(f"{code}/{code}-readiness.xlsx" for code in villages),
            *(f"{code}/{code}-sweep-1.xlsx" for code in villages),
            *(f"{code}/{code}-supervision-1.xlsx" for code in villages),
            f"{CENTRE}/{CENTRE}-diagnosis_queue.xlsx",
            f"{CENTRE}/{CENTRE}-follow_up.xlsx",
        ]
    )


def test_a_village_that_is_not_expected_and_a_sweep_not_approved_have_none(plan: Plan) -> None:
    closed = plan.villages[0].model_copy(update={"closed": date(2025, 10, 15)})
    asked = occurrence("sweep", date(2025, 12, 1), date(2025, 12, 5), round=2)
    changed = plan.model_copy(
        update={
            "villages": (closed, *plan.villages[1:]),
            "calendar": (*plan.calendar, Occurrence(**(vars(asked) | {"ad_hoc": True}))),
        }
    )
    owing = {(sender, each.round) for sender, each in owed(changed, phase="sweep")}
    assert owing == {(village.code, 1) for village in plan.villages[1:]}


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        ({"phase": "aggregation"}, "template.phase"),
        ({"phase": "swep"}, "template.phase"),
        ({"round": 1}, "template.round_alone"),
        ({"village": "990101001009"}, "template.unknown"),
        ({"phase": "readiness"}, "template.none"),
        ({"phase": "sweep", "round": 7}, "template.none"),
        ({"phase": "sweep", "village": CENTRE}, "template.none"),
        ({"phase": "follow_up", "village": VILLAGE}, "template.none"),
    ],
)
def test_what_nobody_owes_is_said_and_nothing_is_written(
    tmp_path: Path, plan: Plan, wanted: dict[str, Any], key: str
) -> None:
    with pytest.raises(WrongCommand) as refused:
        write_templates(tmp_path, plan, **wanted)
    assert refused.value.key == key
    assert not list(tmp_path.iterdir())


def test_a_template_is_private_and_the_same_each_time(tmp_path: Path, plan: Plan) -> None:
    path = made(tmp_path / "out", plan, "sweep", VILLAGE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    content = path.read_bytes()
    assert made(tmp_path / "out", plan, "sweep", VILLAGE).read_bytes() == content


# ------------------------------------------------------------------ what a data sheet holds


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_says_what_it_is_and_heads_are_the_contracts(
    tmp_path: Path, full_plan: Plan, language: str
) -> None:
    for sheet, owing, sender, page in pages(tmp_path, in_language(full_plan, language)):
        assert read_identity(str(page["A1"].value)) == Identity(
            full_plan.slug, owing.phase, owing.round, sender, 1
        )
        heads = [cell.value for cell in page[HEAD + 1]]
        assert heads == [
            column.name if language == "en" else column.heads[0] for column in sheet.columns
        ]
        assert owing.due.isoformat() in page["A3"].value


def test_closed_lists_are_drop_downs_down_the_column(tmp_path: Path, full_plan: Plan) -> None:
    seen = set()
    for language in LANGUAGES:
        for sheet, _, _, page in pages(tmp_path, in_language(full_plan, language)):
            for place, column in enumerate(sheet.columns):
                if column.choices is None:
                    continue
                check = check_of(page, letter(place))
                spelled = [
                    value if language == "en" else spellings[0]
                    for value, spellings in CHOICES[column.choices].items()
                ]
                assert (check.type, check.formula1) == ("list", f'"{",".join(spelled)}"')
                assert check.errorStyle in (None, "stop")
                assert f"{letter(place)}1000" in check.sqref
                seen.add(column.choices)
    listed = {column.choices for sheet in SHEETS.values() for column in sheet.columns}
    assert seen == listed - {None}


def test_codes_and_ids_are_text_and_days_are_days(tmp_path: Path, full_plan: Plan) -> None:
    formats = {"date": "yyyy-mm-dd", "count": "0"}
    for sheet, _, _, page in pages(tmp_path, full_plan):
        for place, column in enumerate(sheet.columns):
            wanted = formats.get(kind_of(column), "@")
            assert page.cell(FIRST, place + 1).number_format == wanted, column.name
            # below the ruled rows too, where a long list goes on
            assert column_format(page, place + 1) == wanted, column.name


def test_dates_reach_to_today_and_a_referral_is_of_an_adult(
    tmp_path: Path, full_plan: Plan
) -> None:
    checked = set()
    for sheet, _, _, page in pages(tmp_path, full_plan):
        for place, column in enumerate(sheet.columns):
            if kind_of(column) != "date":
                continue
            check = check_of(page, letter(place))
            assert (check.type, check.formula1) == ("date", "1")
            adult = (sheet.name, column.name) == ("referral", "birth_date")
            latest = "DATE(YEAR(TODAY())-18,MONTH(TODAY()),DAY(TODAY()))" if adult else "TODAY()"
            assert check.formula2 == latest
            checked.add(column.name)
    assert {"birth_date", "consent_date", "visits_to", "visited_on"} <= checked


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_explains_itself_on_its_head_and_in_its_cells(
    tmp_path: Path, full_plan: Plan, language: str
) -> None:
    for sheet, _, _, page in pages(tmp_path, in_language(full_plan, language)):
        for place, column in enumerate(sheet.columns):
            comment = page.cell(HEAD + 1, place + 1).comment
            check = check_of(page, letter(place))
            assert comment is not None
            assert comment.text == check.prompt
            assert check.showInputMessage
            if check.type is not None:
                assert check.error in {
                    say(f"rule.{rule.name}", language)
                    for rule in sheet.rules
                    if rule.column == column.name
                } | {say("template.adult_date", language)}


def test_the_head_stays_in_sight_and_on_every_printed_page(tmp_path: Path, full_plan: Plan) -> None:
    for sheet, _, _, page in pages(tmp_path, full_plan):
        assert page.freeze_panes in {f"B{FIRST}", f"C{FIRST}"}, sheet.name
        assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 9)
        assert page.sheet_properties.pageSetUpPr.fitToPage
        assert (page.page_setup.fitToWidth or 1, page.page_setup.fitToHeight) == (1, 0)
        assert page.print_title_rows == f"$1:${HEAD + 1}"


def test_what_is_known_is_filled_in(tmp_path: Path, full_plan: Plan) -> None:
    for sheet, owing, sender, page in pages(tmp_path, full_plan):
        grids = next((each.grids for each in full_plan.villages if each.code == sender), ())
        given = {
            "village_code": sender,
            "grid": grids[0] if grids else None,
            "month": owing.period,
            "row_no": 1,
            "role": "村(社区)书记",
        }
        first = {
            column.name: page.cell(FIRST, place + 1).value
            for place, column in enumerate(sheet.columns)
        }
        assert {name: value for name, value in first.items() if value is not None} == {
            name: given[name] for name in FILLED_IN if name in first and given[name] is not None
        }


def test_a_villages_grids_stand_in_a_row_each_with_room_for_more(
    tmp_path: Path, full_plan: Plan
) -> None:
    names = tuple(f"{number}网格" for number in range(1, 21))
    village = full_plan.villages[0].model_copy(update={"grids": names})
    plan = full_plan.model_copy(update={"villages": (village, *full_plan.villages[1:])})
    path = made(tmp_path, plan, "sweep", village.code)
    page = openpyxl.load_workbook(path)[say("sheet.coverage", plan.language)]
    rows = list(page.iter_rows(min_row=FIRST, max_row=FIRST + 25, max_col=3))
    assert tuple(grid.value for _, grid, _ in rows[:20]) == names
    assert [grid.value for _, grid, _ in rows[20:]] == [None] * 6
    assert [bool(code.value and grid.has_style) for code, grid, _ in rows] == [
        *[True] * 23,
        *[False] * 3,
    ]


def test_a_sheet_of_one_row_a_village_has_one_line(tmp_path: Path, full_plan: Plan) -> None:
    seen = set()
    for sheet, _, _, page in pages(tmp_path, full_plan):
        if sheet.name not in {"service_month", "readiness"}:
            continue
        seen.add(sheet.name)
        ruled = [page.cell(FIRST + line, 1).border.left.style is not None for line in range(3)]
        assert ruled == [True, False, False], sheet.name
        assert [page.cell(FIRST + line, 1).value is not None for line in (1, 2)] == [False] * 2
    assert seen == {"service_month", "readiness"}


def test_nothing_in_a_template_computes_or_links(tmp_path: Path, full_plan: Plan) -> None:
    for path in write_templates(tmp_path, full_plan):
        with zipfile.ZipFile(path) as parts:
            assert not [name for name in parts.namelist() if "externalLink" in name]
            for name in parts.namelist():
                if name.startswith("xl/worksheets/sheet"):
                    assert b"<f>" not in parts.read(name)


# ------------------------------------------------------------------ the instructions


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phase", SHEETS_OF_PHASE)
def test_instructions_begin_with_consent_and_leave_nothing_out(
    tmp_path: Path, full_plan: Plan, phase: str, language: str
) -> None:
    spoken = in_language(full_plan, language)
    sender, owing = next(iter(owed(spoken, phase=phase)))
    book = openpyxl.load_workbook(made(tmp_path, spoken, phase, sender))
    page = book.worksheets[0]
    cells = [[cell.value for cell in row if cell.value is not None] for row in page.iter_rows()]
    book.close()
    topics = [row[0] for row in cells if len(row) == 2]
    assert topics[:2] == [
        say("template.topic.consent", language),
        say("template.topic.emergency", language),
    ]
    text = "\n".join(str(cell) for row in cells for cell in row)
    assert "120" in text
    assert owing.due.isoformat() in text
    assert spoken.recipients.health[0] in text
    for verdict in VERDICTS:
        assert say(f"template.verdict.{verdict}", language) in text
    for name in SHEETS_OF_PHASE[phase]:
        heads = {row[0] for row in cells if row}
        assert heads >= {
            column.name if language == "en" else column.heads[0] for column in SHEETS[name].columns
        }
    nil = say("template.nil", language) in text
    assert nil == (phase == "sweep")


def test_a_provisional_due_day_says_so(plan: Plan) -> None:
    (owing,) = [each for each in plan.calendar if each.phase == "sweep"]
    sure = template_content(plan, VILLAGE, owing)
    unsure = template_content(plan, VILLAGE, Occurrence(**(vars(owing) | {"provisional": True})))
    note = say("template.provisional", plan.language, due=owing.due)
    assert [note in shared_text(content) for content in (sure, unsure)] == [False, True]


def shared_text(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return parts.read("xl/sharedStrings.xml").decode()


# ------------------------------------------------------------------ what the rules say of it


def failed(store: Store, plan: Plan, sheet: Sheet, rows: list[dict[str, str]]) -> list[list[str]]:
    """Judge rows of a sheet, each as a file of its own; return the rules each breaks.

    A row without consent breaks none, so it is given as `no_consent`.
    """
    phase = next(each for each, names in SHEETS_OF_PHASE.items() if sheet.name in names)
    sender, owing = next(iter(owed(plan, phase=phase)))
    numbers = range(len(rows))
    prepare(store, [plan])
    arrived = {
        "submission_id": [str(number) for number in numbers],
        "campaign": [plan.slug] * len(rows),
        "phase": [phase] * len(rows),
        "round": [owing.round] * len(rows),
        "sender_village": [sender] * len(rows),
        "people_rows": [0] * len(rows),
        "period": [date.fromisoformat(f"{owing.period}-01") if owing.period else None] * len(rows),
        "received_at": [datetime.combine(owing.due, time(9))] * len(rows),
    }
    schema = {"period": pa.date32(), "people_rows": pa.int32()}
    store.load(
        "arrived",
        pa.table({name: pa.array(cells, schema.get(name)) for name, cells in arrived.items()}),
    )
    cells = {column.name: [row[column.name] for row in rows] for column in sheet.columns}
    store.load(
        f"raw_{sheet.name}",
        pa.table({"submission_id": arrived["submission_id"], "row_number": list(numbers), **cells}),
    )
    store.run("reference/referral")
    store.run("reference/registered")
    store.run("reference/visited")
    store.run(f"stage/{sheet.name}")
    return [
        names if consents else ["no_consent"]
        for consents, names in store.connection.execute(
            f"SELECT has_consent, failed_rules FROM staged_{sheet.name} ORDER BY row_number"  # noqa: S608
        ).fetchall()
    ]


@pytest.fixture(scope="module")
def known(
    tmp_path_factory: pytest.TempPathFactory, full_plan: Plan
) -> Iterator[tuple[Store, Plan]]:
    """An open register that knows the referral and the entry that the examples name."""
    with open_home(make_home(tmp_path_factory.mktemp("known") / "home")) as store:
        add_referral(store, "R-0123456789AB")
        add_registered(store, "R-0001")
        yield store, full_plan


def examples(plan: Plan, sheet: Sheet) -> dict[str, str]:
    phase = next(each for each, names in SHEETS_OF_PHASE.items() if sheet.name in names)
    sender, owing = next(iter(owed(plan, phase=phase)))
    return example_row(plan, sender, owing, sheet)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SHEETS)
def test_the_example_would_be_accepted(known: tuple[Store, Plan], name: str, language: str) -> None:
    store, plan = known
    spoken = in_language(plan, language)
    assert failed(store, spoken, SHEETS[name], [examples(spoken, SHEETS[name])]) == [[]]


@pytest.mark.parametrize("name", SHEETS)
def test_light_heads_are_those_that_may_stay_blank(known: tuple[Store, Plan], name: str) -> None:
    store, plan = known
    sheet = SHEETS[name]
    row = examples(plan, sheet)
    # nobody is recognised by a number that is left out below
    row |= {"resident_id": ""} if "resident_id" in row else {}
    blanked = [row | {column.name: ""} for column in sheet.columns]
    assert {
        column.name: not broken
        for column, broken in zip(sheet.columns, failed(store, plan, sheet, blanked), strict=True)
    } == {column.name: may_be_blank(sheet, column) for column in sheet.columns}


@pytest.mark.parametrize("name", SHEETS)
def test_a_template_knows_what_the_rules_read(known: tuple[Store, Plan], name: str) -> None:
    store, plan = known
    sheet = SHEETS[name]
    failed(store, plan, sheet, [examples(plan, sheet)])
    ((typed,),) = store.connection.execute(
        f"SELECT typeof(typed) FROM staged_{name}"  # noqa: S608
    ).fetchall()
    types = dict(
        part.split(" ", 1) for part in typed[len("STRUCT(") : -1].replace('"', "").split(", ")
    )
    read_as = {"date": "DATE", "month": "DATE", "count": "INTEGER"}
    for column in sheet.columns:
        if column.name not in types:
            assert column.name == "resident_id"  # kept as a keyed hash only
            continue
        kind = kind_of(column)
        wanted = {"BOOLEAN"} if column.choices == "yes_no" else {read_as.get(kind, "VARCHAR")}
        if column.name == "observed_signs":
            wanted = {"INTEGER[]"}
        assert {types[column.name]} == wanted, column.name


# ------------------------------------------------------------------ sent back


def judge(store: Store, plan: Plan, *files: Path) -> list[Any]:
    return take_in(
        store,
        {plan.slug: plan},
        files,
        received_at=RECEIVED,
        recorded_at=RECEIVED,
        keep=True,
    )


def test_a_row_is_what_somebody_filled_in() -> None:
    sheet = SHEETS["referral"]
    blank = [""] * len(sheet.columns)
    assert not says_something(sheet, blank)
    assert not says_something(sheet, ["7", *blank[1:]])
    assert not says_something(sheet, ["7", " \u3000", *blank[2:]])
    assert says_something(sheet, ["", "王示例", *blank[2:]])
    coverage_row = [VILLAGE, "第一网格", *[""] * 7]
    assert not says_something(SHEETS["coverage"], coverage_row)
    assert says_something(SHEETS["coverage"], [*coverage_row[:-1], "是"])
    month = SHEETS["service_month"]
    untouched = [VILLAGE, "2025-11", *[""] * (len(month.columns) - 2)]
    assert not says_something(month, untouched)
    assert says_something(month, [*untouched[:-1], "0"])


def test_a_template_sent_back_as_it_came_is_an_empty_file(
    store: Store, full_plan: Plan, tmp_path: Path
) -> None:
    files = write_templates(tmp_path, full_plan)
    results = judge(store, full_plan, *files)
    refused = [result.refused.key if result.refused else None for result in results]
    assert refused == ["refused.empty"] * len(files)


COVERED = {
    **coverage(grid="第一网格", visits_from="2025-10-08", visits_to="2025-10-24", nil_return="否"),
}
REFERRED = [
    referral(resident_id="99010119800102001X", observed_signs="1,3"),
    referral(row_no="2", full_name="李明", sex="女", birth_date="1975-05-06", resident_id=""),
]


def fill(path: Path, language: str = "zh-CN") -> None:
    """Fill a sweep template as somebody at a spreadsheet does: days as days, numbers as numbers."""
    book = openpyxl.load_workbook(path)
    for name, rows in (("coverage", [COVERED]), ("referral", REFERRED)):
        page = book[say(f"sheet.{name}", language)]
        for line, row in enumerate(rows):
            for place, column in enumerate(SHEETS[name].columns, start=1):
                cell = page.cell(FIRST + line, place)
                text = row.get(column.name, "")
                if not text or column.name in FILLED_IN:
                    continue
                value: object = text
                if kind_of(column) == "date":
                    value = date.fromisoformat(text)
                elif kind_of(column) == "count":
                    value = int(text)
                shown = cell.number_format
                cell.value = value
                cell.number_format = shown
    book.save(path)
    book.close()


def kept(store: Store) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What the register holds of a sweep: grids and people, by their own order."""
    grids = store.connection.execute(
        "SELECT village_code, grid, households, households_visited, households_declined,"
        " visits_from, visits_to, no_consent_count, nil_return FROM register.stg_coverage"
    ).fetchall()
    people = store.connection.execute(
        "SELECT row_no, full_name, sex, birth_date, resident_key, residence_village,"
        " registered_village, phone, contact_name, contact_relation, contact_phone, referred_by,"
        " consent_by, consent_date, consent_scope, care_setting, observed_signs, urgency"
        " FROM register.stg_referral ORDER BY row_no"
    ).fetchall()
    return grids, people


def saved_as(folder: Path, filled: Path, profile: Path) -> dict[str, list[Path]]:
    """Open a workbook in LibreOffice and save it in each format; a CSV is one file a sheet."""
    # token 7 quotes all text, 8 saves cells as shown, 12 writes every sheet
    sheets = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    saved = {}
    for ending, kind in (("xlsx", "xlsx"), ("xls", "xls"), ("ods", "ods"), ("csv", sheets)):
        target = folder / ending
        subprocess.run(
            [
                program("soffice"),
                f"-env:UserInstallation={profile.as_uri()}",
                "--headless",
                "--convert-to",
                kind,
                "--outdir",
                str(target),
                str(filled),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        saved[ending] = sorted(target.iterdir())
    return saved


def test_a_filled_template_comes_back_whole_from_every_format(
    full_plan: Plan, tmp_path: Path
) -> None:
    filled = made(tmp_path / "out", full_plan, "sweep", VILLAGE)
    fill(filled)
    saved = saved_as(tmp_path, filled, tmp_path / "profile")
    titles = {SHEETS[name].title for name in ("coverage", "referral")}
    data = [path for path in saved["csv"] if path.stem.rpartition("-")[2] in titles]
    assert len(saved["csv"]) == 4, "instructions, two sheets, codes"
    assert len(data) == 2
    results = {}
    for ending, files in {"direct": [filled], **saved, "csv": data}.items():
        with open_home(make_home(tmp_path / f"home-{ending}")) as store:
            judged = judge(store, full_plan, *files)
            assert [one.refused for one in judged] == [None] * len(files), ending
            rows = [one.rows for one in judged]
            assert sum(each["read"] for each in rows) == 3, ending
            assert sum(each["accepted"] for each in rows) == 3, ending
            grids, people = kept(store)
            # the same number makes another keyed hash in another home
            results[ending] = grids, [(*row[:4], row[4] is not None, *row[5:]) for row in people]
    assert list(results) == ["direct", "xlsx", "xls", "ods", "csv"]
    grids, people = results["direct"]
    assert grids == [
        (VILLAGE, "第一网格", 50, 45, 2, date(2025, 10, 8), date(2025, 10, 24), 1, False)
    ]
    assert [row[:5] for row in people] == [
        (1, "张三丰", "male", date(1980, 1, 2), True),
        (2, "李明", "female", date(1975, 5, 6), False),
    ]
    assert {row[5] for row in people} == {VILLAGE}
    for ending, found in results.items():
        assert found == (grids, people), ending


def test_pages_beside_the_data_are_no_submission(
    store: Store, full_plan: Plan, tmp_path: Path
) -> None:
    """Somebody who saves the instructions as CSV and sends that is told so."""
    path = made(tmp_path, full_plan, "sweep", VILLAGE)
    book = openpyxl.load_workbook(path)
    for name in ("coverage", "referral"):
        del book[SHEETS[name].title]
    book.save(path)
    book.close()
    (result,) = judge(store, full_plan, path)
    assert result.refused is not None
    assert result.refused.key == "refused.no_identity"


# ------------------------------------------------------------------ the command


def test_the_command_needs_no_key(
    home: Home,
    plan: Plan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = Path(__file__).parents[1] / "data" / "campaigns" / "autumn-2025.toml"
    copy_plan(source, home.plan("autumn-2025").parent)
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.delenv("CAMPAIGN_KEY", raising=False)
    assert not home.key_file.exists()
    asked = ["campaign", "templates", "--campaign", "autumn-2025", "--village", "990101101201"]
    monkeypatch.setattr("sys.argv", asked)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)
    folder = home.root / "templates" / "autumn-2025"
    assert str(folder) in capsys.readouterr().out
    assert sorted(path.name for path in (folder / "990101101201").iterdir()) == [
        "990101101201-supervision-1.xlsx",
        "990101101201-supervision-2.xlsx",
        "990101101201-sweep-1.xlsx",
    ]
