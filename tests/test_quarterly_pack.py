"""The quarterly pack: what it takes from a quarter, its three forms, the office's template."""

import io
import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from docx import Document
from PIL import Image

from conftest import occurrence, program
from data.synthetic.generate import generate
from flows.phase_flows import run
from register_rows import add_month, add_registered
from released_rows import CODES, make_ledger, release_pack, township
from reports.gate import Allowed, check_report, have_passed, read_allowed
from reports.pack import document, points, render_document
from reports.pack_files import write_letterhead, write_pack
from reports.printed import printed_pack
from reports.render import render_csv
from reports.summary import Figure, Summary, figure_label, read_summary
from reports.word_document import TEMPLATE, word_pack
from reports.write import make_report, report_path, write_report
from tasks.agenda import read_standing
from tasks.at_home import load_campaigns, open_campaign
from tasks.audit import Act, keep_run, show_trail
from tasks.figures import TOWNSHIP, RawFigure
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.meeting import record_decision, record_result
from tasks.names import read_names
from tasks.plan import PACK, Plan, Targets
from tasks.publish import Findings, Published, publish
from tasks.quarter import quarter_findings
from tasks.receive import receive
from tasks.rules.errors import DisclosureRisk, WrongCommand
from tasks.rules.wording import LANGUAGES, say
from tasks.set_up import set_up
from tasks.store import Store

MONTHS = ((1, "2025-10"), (2, "2025-11"), (3, "2025-12"))
DUE = date(2026, 1, 9)
NOW = datetime(2026, 1, 10, 0, 10)
VILLAGES = tuple(f"99010100100{n}" for n in (1, 2, 3))
QUARTER = occurrence(PACK, date(2025, 10, 1), DUE, 1, "2025-Q4")


@pytest.fixture
def yearly(plan: Plan) -> Plan:
    """A plan that supervises from July on and packs two quarters."""
    months = [
        occurrence(
            "supervision",
            date(2025, month, 1),
            date(2025 + month // 12, month % 12 + 1, 5),
            n,
            f"2025-{month:02}",
        )
        for n, month in ((0, 9), (1, 10), (2, 11), (3, 12))
    ]
    return plan.model_copy(update={"calendar": (*months, QUARTER)})


def supervised(store: Store, plan: Plan, round: int, subsidies: int, done: int) -> Published:
    """Release a month of supervision: `done` of 5 visits a village, one report missing."""
    figures = [
        RawFigure("reporting_on_time", "files", TOWNSHIP, 2),
        RawFigure("reporting_missing", "files", TOWNSHIP, 1),
        RawFigure("visits_due", "visits", TOWNSHIP, 15),
        RawFigure("visits_done", "visits", TOWNSHIP, 3 * done),
        RawFigure("visits_overdue", "visits", TOWNSHIP, 15 - 3 * done),
        RawFigure("subsidy_applied", "people", TOWNSHIP, subsidies),
        *(RawFigure("reporting_on_time", "files", v, int(v != VILLAGES[2])) for v in VILLAGES),
        *(RawFigure("reporting_missing", "files", v, int(v == VILLAGES[2])) for v in VILLAGES),
        *(RawFigure("visits_overdue", "visits", v, 5 - done) for v in VILLAGES),
    ]
    term = plan.occurrence("supervision", round)
    return publish(
        store,
        plan,
        term,
        term.due,
        Findings(figures),
        now=datetime(2026, 1, 6, round, 0),
        check=lambda _: [],
        announce=lambda _: None,
    )


def packed(store: Store, plan: Plan, home: Home, now: datetime = NOW) -> Published:
    """Make the pack of the quarter as its flow does, in one process."""

    def announce(revision: int) -> None:
        names = read_names(store)
        make_report(store, home, plan, PACK, 1, revision, plan.language, names)

    found = quarter_findings(store, plan, QUARTER, DUE, now, [])
    return publish(store, plan, QUARTER, DUE, found, now=now, check=lambda _: [], announce=announce)


def released(store: Store, name: str, village: str = "", revision: int = 1) -> Any:
    rows = store.connection.execute(
        "SELECT value, state FROM ledger.out_figure "
        "WHERE phase = 'quarterly_pack' AND name = ? AND village = ? AND revision = ?",
        [name, village, revision],
    ).fetchall()
    return rows[0] if rows else None


# --- what the quarter was -------------------------------------------------------------------------


def test_a_pack_sums_the_work_and_takes_people_over(store: Store, home: Home, yearly: Plan) -> None:
    for round, subsidies, done in ((0, 30, 1), (1, 12, 5), (2, 3, 4), (3, 0, 3)):
        supervised(store, yearly, round, subsidies, done)
    for number in range(12):
        add_registered(store, f"R{number}")
    add_month(store, VILLAGES[0], date(2025, 10, 1), problems_raised=2)
    add_month(store, VILLAGES[0], date(2025, 11, 1), problems_raised=1)
    add_month(store, VILLAGES[1], date(2025, 9, 1), problems_raised=5)

    assert packed(store, yearly, home).revision == 1

    assert released(store, "months_looked_at") == (3, "released")
    assert released(store, "visits_due") == (45, "released")
    assert released(store, "visits_done") == (36, "released")
    assert released(store, "visits_overdue") == (6, "released"), "as it stood at the last look"
    assert released(store, "visits_overdue", VILLAGES[0]) == (2, "released")
    assert released(store, "reporting_missing", VILLAGES[2]) == (3, "released")
    assert released(store, "month1_visits_done") == (15, "released")
    assert released(store, "month3_visits_done") == (9, "released")
    assert released(store, "quarter1_visits_done") == (3, "released"), "September"
    assert released(store, "quarter1_visits_done", VILLAGES[0]) is None
    assert released(store, "quarter2_visits_done") is None
    # people as they were released, and no sum of them
    assert released(store, "month1_subsidy_applied") == (10, "released")
    assert released(store, "month2_subsidy_applied") == (None, "withheld")
    assert released(store, "month3_subsidy_applied") == (0, "zero")
    assert released(store, "subsidy_applied") is None
    assert released(store, "quarter1_subsidy_applied") is None
    assert released(store, "rate_registered") == (10, "released")
    assert released(store, "problems_raised") == (3, "released"), "September is another quarter's"
    assert released(store, "problems_raised", VILLAGES[0]) == (3, "released")
    assert released(store, "problems_raised", VILLAGES[1]) == (None, "not_reported")


def test_a_pack_is_made_again_only_for_news(store: Store, home: Home, yearly: Plan) -> None:
    supervised(store, yearly, 1, 12, 5)
    assert packed(store, yearly, home).is_new
    assert not packed(store, yearly, home).is_new

    for met_on in (date(2025, 10, 20), date(2026, 1, 10)):
        record_decision(
            store,
            yearly,
            met_on=met_on,
            topic="visits",
            owner="health_centre",
            due=date(2026, 1, 31),
            by="Li",
            now=NOW,
        )
    second = packed(store, yearly, home)
    assert (second.revision, second.is_new) == (2, True)
    later = datetime(2026, 1, 12, 9, 0)
    record_result(store, yearly, 1, result="done", on=date(2026, 1, 2), by="Li", now=later)
    assert not packed(store, yearly, home).is_new, "as it was known then"
    assert packed(store, yearly, home, later).revision == 3

    summary = read_summary(store, yearly, PACK, 1, 2)
    assert summary.meeting is not None
    (told,) = summary.meeting.decisions
    assert (told.number, told.result) == (1, None), "an old revision reads the same"


def test_the_trail_says_whose_visits_the_pack_went_through(store: Store, yearly: Plan) -> None:
    add_registered(store, "R1")
    quarter_findings(store, yearly, QUARTER, DUE, NOW, [])
    act = Act("test", PACK, "2026-01-09", at=NOW, campaign=yearly.slug)
    keep_run(store, act)
    (entry,) = [each for each in show_trail(store, act) if each["what"] == PACK]
    assert entry["subjects"]


def test_a_pack_rests_on_the_months_of_its_quarter(store: Store, home: Home, yearly: Plan) -> None:
    supervised(store, yearly, 0, 30, 1)
    supervised(store, yearly, 1, 12, 5)
    packed(store, yearly, home)
    standing = read_standing(store, yearly.slug)
    assert standing.followed(PACK, 1) == "supervision-1-r1", "September is another quarter's"
    supervised(store, yearly, 1, 12, 4)
    assert read_standing(store, yearly.slug).followed(PACK, 1) == "supervision-1-r2"


def test_copies_are_no_new_counts_of_people(store: Store, home: Home, yearly: Plan) -> None:
    supervised(store, yearly, 1, 12, 5)
    packed(store, yearly, home)
    kept = store.connection.execute(
        "SELECT DISTINCT name FROM register.reg_released_count WHERE phase = 'quarterly_pack'"
    ).fetchall()
    assert {name for (name,) in kept} == {
        f"rate_{each}"
        for each in (
            *("registered", "managed", "standard", "medicated"),
            *("regularly", "assessed", "stable"),
        )
    }
    # and the next release is not stopped by them
    assert supervised(store, yearly, 2, 12, 5).is_new


# --- what it says ---------------------------------------------------------------------------------


@pytest.fixture
def pack_home(tmp_path: Path) -> Home:
    return make_ledger(tmp_path / "home")


@pytest.fixture
def ledger(pack_home: Home) -> Iterator[Store]:
    with open_ledger(pack_home, "write") as store:
        release_pack(store)
        yield store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Allowed]:
    """The document of that pack, and what it may say."""
    home = make_ledger(tmp_path_factory.mktemp("made") / "home")
    with open_ledger(home, "write") as store:
        release_pack(store)
        content = render_document(read_summary(store, township(), PACK, 1, 1), "zh-CN")
        return content, read_allowed(store, township(), PACK, 1, 1)


@pytest.fixture
def content(made: tuple[str, Allowed]) -> str:
    return made[0]


@pytest.fixture
def allowed(made: tuple[str, Allowed]) -> Allowed:
    return made[1]


def summary_of(ledger: Store, plan: Plan | None = None) -> Summary:
    return read_summary(ledger, plan or township(), PACK, 1, 1)


def test_the_agenda_follows_from_the_figures(ledger: Store) -> None:
    found = {each.name: each.villages for each in points(summary_of(ledger))}
    assert found == {
        "decisions_overdue": (),
        "rectifications_again": (CODES[2],),
        "rectifications_overdue": (CODES[9],),
        "reports_missing": (CODES[5],),
        "visits_overdue": (CODES[9],),
        "problems_raised": (CODES[12],),
        "decisions_running": (),
        "figures": (),
        "decide": (),
    }
    strict = township().model_copy(
        update={"targets": Targets(coverage_percent=94, visits_done_percent=89)}
    )
    named = [each.name for each in points(summary_of(ledger, strict))]
    assert "coverage_below_target" in named
    assert "visits_below_target" not in named, "165 of 184 are 89.7 %"


def test_care_groups_without_a_role_are_a_point_of_the_agenda(ledger: Store) -> None:
    roles = [("care_roles_owed", 4.0), ("care_roles_filled", 4.0)]
    lacking = {CODES[1]: 3.0, CODES[4]: None, CODES[6]: 0.0}
    rows = [
        (name, code, lacking.get(code, value) if name.endswith("filled") else value)
        for name, value in roles
        for code in ("", *CODES)
    ]
    for round_ in (1, 2):
        ledger.connection.executemany(
            "INSERT INTO ledger.out_figure VALUES"
            " ('autumn-2025', 'supervision', ?, 1, 'office', ?, ?, 'files', ?, ?, 'released')",
            # at the first look every group was complete
            [
                [round_, place, name, code, 4.0 if round_ == 1 else value]
                for place, (name, code, value) in enumerate(rows)
            ],
        )
    found = {each.name: each.villages for each in points(summary_of(ledger))}
    assert found["rosters_incomplete"] == (CODES[1], CODES[4], CODES[6])
    names = [*found]
    assert names.index("visits_overdue") < names.index("rosters_incomplete")
    line = say("meeting.agenda.rosters_incomplete", "en")
    (agenda,) = [s for s in document(summary_of(ledger), "en").sections if s.id == "agenda"]
    assert any(each.startswith(line) and "白杨村" in each for each in agenda.lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_nought_throughout_is_said_in_a_line(ledger: Store, language: str) -> None:
    summary = summary_of(ledger, township(language))
    nought = [
        Figure(f"{prefix}reporting_late", "files", "", 0.0, "zero")
        for prefix in ("month1_", "month2_", "month3_", "")
    ]
    raised = [
        replace(each, value=0.0, state="zero")
        if each.village and each.name == "visits_overdue"
        else each
        for each in summary.figures
    ]
    quiet = replace(summary, figures=(*raised, *nought))
    sections = {each.id: each for each in document(quiet, language).sections}
    late = figure_label("reporting_late", language)
    assert sections["months"].note == say("report.noughts.figures", language, names=late)
    assert late not in [row[0].text for row in sections["months"].rows]
    overdue = figure_label("visits_overdue", language)
    assert sections["villages"].note == say("report.noughts.villages", language, names=overdue)
    assert overdue not in sections["villages"].heads
    assert {len(row) for row in sections["villages"].rows} == {len(sections["villages"].heads)}
    # what was not reported by one village, and raised by another, is no nought
    assert figure_label("problems_raised", language) in sections["villages"].heads
    before = {each.id: each for each in document(summary, language).sections}
    assert before["months"].note == before["villages"].note == ""


def test_a_month_of_another_phase_is_called_by_its_month(ledger: Store) -> None:
    month = occurrence("follow_up", date(2025, 11, 1), date(2025, 12, 5), 3, "2025-11")
    plan = township().model_copy(update={"calendar": (month,)})
    summary = summary_of(ledger, plan)
    due = Figure("follow_up_3_visits_due", "visits", "", 7.0, "released")
    summary = replace(summary, figures=(*summary.figures, due))
    titles = [section.title for section in document(summary, "zh-CN").sections]
    assert "随访 2025 年 11 月（本季度公布）" in titles
    assert "排查走访 第 1 轮（本季度公布）" in titles
    label = figure_label(due.name, "zh-CN", (), summary.periods)
    assert label == "应随访（随访 2025 年 11 月）"
    assert label in render_csv(summary, "zh-CN")


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_paper_and_word_hold_the_same(ledger: Store, language: str) -> None:
    summary = summary_of(ledger, township(language))
    content = render_document(summary, language)
    printed, written = printed_pack(content), word_pack(content, TEMPLATE.read_bytes(), "x")
    said = [
        *(text for section in document(summary, language).sections for text in section.lines),
        *(section.title for section in document(summary, language).sections),
        *(
            cell.text
            for section in document(summary, language).sections
            for row in section.rows
            for cell in row
        ),
    ]
    with pypdfium2.PdfDocument(printed) as pages:
        paper = "".join(pages[n].get_textpage().get_text_range() for n in range(len(pages)))
    word = text_of(written)
    assert missing_in(paper, said) == []
    assert missing_in(word, said) == []
    assert (printed, written) == (
        printed_pack(content),
        word_pack(content, TEMPLATE.read_bytes(), "x"),
    ), "the same bytes each time"


def test_word_processors_open_the_document(ledger: Store, tmp_path: Path) -> None:
    """The usual template, and one of the office with letterhead, seal and a place to sign."""
    program("lowriter")
    own = Document(str(TEMPLATE))
    pixels = io.BytesIO()
    Image.new("RGB", (60, 60), "red").save(pixels, "PNG")
    pixels.seek(0)
    letterhead = own.sections[0].header.paragraphs[0]
    letterhead.add_run("云溪镇协调办公室文件").add_picture(pixels)
    own.add_table(1, 2).cell(0, 1).text = "签发："
    own.save(str(tmp_path / "own.docx"))
    made = {}
    for language in LANGUAGES:
        summary = summary_of(ledger, township(language))
        content = render_document(summary, language)
        for name, template in (("usual", TEMPLATE), ("own", tmp_path / "own.docx")):
            made[f"{name}-{language}"] = [
                each.title for each in document(summary, language).sections
            ]
            path = tmp_path / f"{name}-{language}.docx"
            path.write_bytes(word_pack(content, template.read_bytes(), "x"))
    subprocess.run(
        [
            program("soffice"),
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            *("--headless", "--convert-to", "pdf", "--outdir", str(tmp_path / "pdf")),
            *(str(tmp_path / f"{name}.docx") for name in made),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    for name, titles in made.items():
        with pypdfium2.PdfDocument(tmp_path / "pdf" / f"{name}.pdf") as pages:
            texts = [pages[n].get_textpage().get_text_range() for n in range(len(pages))]
        assert missing_in("".join(texts), titles) == [], name
        assert 2 <= len(texts) <= 4, name
        if name.startswith("own"):
            assert all("云溪镇协调办公室文件" in "".join(text.split()) for text in texts)
            assert "签发" in texts[-1]
        # no table begins at the foot of a page with its head alone
        for text in texts:
            *_, last = [line.strip() for line in text.splitlines() if line.strip()][:-1]
            assert last not in titles


def test_the_parts_of_a_words_table_stand_in_their_order() -> None:
    """ECMA-376, 17.4.60: Word takes a table whose properties are in another order for broken."""
    (table,) = Document(str(TEMPLATE)).tables
    order = [each.tag.rpartition("}")[2] for each in table._tbl.tblPr]
    known = ["tblStyle", "tblW", "jc", "tblInd", "tblBorders", "tblLayout", "tblCellMar", "tblLook"]
    assert order == [each for each in known if each in order]


def text_of(word: bytes) -> str:
    book = Document(io.BytesIO(word))
    cells = [cell.text for table in book.tables for row in table.rows for cell in row.cells]
    return "".join([*(each.text for each in book.paragraphs), *cells])


def missing_in(text: str, said: list[str]) -> list[str]:
    """What is not in a text, whatever its lines and spaces."""
    plain = "".join(text.split())
    return [each for each in said if "".join(each.split()) not in plain]


# --- the gate -------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], None]


def changed(content: str, change: Change) -> str:
    found = json.loads(content)
    change(found)
    return json.dumps(found, ensure_ascii=False)


def months_of(found: dict[str, Any]) -> Any:
    return next(each for each in found["sections"] if each["id"] == "months")


def a_higher_number(found: dict[str, Any]) -> None:
    months_of(found)["rows"][0][1]["text"] = "999"


def another_released_number(found: dict[str, Any]) -> None:
    rows = months_of(found)["rows"]
    rows[0][1]["text"] = rows[0][2]["text"]


def a_withheld_one_named(found: dict[str, Any]) -> None:
    for row in months_of(found)["rows"]:
        for cell in row:
            if cell["text"] == say("mark.withheld", "zh-CN"):
                cell["text"] = "5"


def a_number_of_no_figure(found: dict[str, Any]) -> None:
    months_of(found)["rows"][0][1]["figure"] = None


def a_person_counted(found: dict[str, Any]) -> None:
    found["sections"][0]["lines"].append("新增 3 人")


def a_number_in_a_line(found: dict[str, Any]) -> None:
    found["footnotes"].append("共 4321 项")


def a_telephone(found: dict[str, Any]) -> None:
    found["headings"].append("电话 13800138000")


def one_field_more(found: dict[str, Any]) -> None:
    found["sections"][0]["hidden"] = "x"


def a_bare_number(found: dict[str, Any]) -> None:
    found["sections"][0]["lines"].append(12)


def a_figure_of_nothing(found: dict[str, Any]) -> None:
    months_of(found)["rows"][0][1]["figure"] = ["no_such", ""]


def no_document(found: dict[str, Any]) -> None:
    found.clear()


CHANGES: dict[Change, str] = {
    a_higher_number: "not_released",
    another_released_number: "not_released",
    a_withheld_one_named: "not_released",
    a_number_of_no_figure: "unknown_number",
    a_person_counted: "unknown_people_number",
    a_number_in_a_line: "unknown_number",
    a_telephone: "phone_number",
    one_field_more: "unknown_part",
    a_bare_number: "unknown_part",
    a_figure_of_nothing: "unknown_part",
    no_document: "unknown_part",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_the_printed_forms_are_made_of_passes_the_gate(
    content: str, allowed: Allowed, change: Change
) -> None:
    check_report({"document": changed(content, lambda _: None)}, allowed)
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({"document": changed(content, change)}, allowed)
    assert stopped.value.key == f"gate.{CHANGES[change]}"
    assert stopped.value.values == {"kind": "document"}


def test_a_name_of_the_register_stops_a_document(store: Store, home: Home, yearly: Plan) -> None:
    supervised(store, yearly, 1, 12, 5)
    packed(store, yearly, home)
    parts = make_report(store, home, yearly, PACK, 1, 1, "zh-CN", read_names(store))
    assert have_passed(store, yearly.slug, PACK, 1, 1, {"document": parts["document"]})
    add_registered(store, "R1", full_name="孔雀石")
    named = parts["document"].replace(say("report.section.agenda", "zh-CN"), "孔雀石", 1)
    assert named != parts["document"]
    allowed = read_allowed(store, yearly, PACK, 1, 1)
    check_report({"document": named}, allowed)
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({"document": named}, allowed, read_names(store))
    assert stopped.value.key == "gate.name"


# --- files ----------------------------------------------------------------------------------------


def test_a_pack_is_written_in_all_its_forms(ledger: Store, pack_home: Home) -> None:
    write_report(ledger, pack_home, township(), PACK, 1, 1, "zh-CN")
    folder = pack_home.reports("autumn-2025")
    kinds = ("csv", "docx", "html", "json", "pdf", "txt")
    assert sorted(path.name for path in folder.iterdir() if "r1." in path.name) == [
        f"quarterly_pack-1-r1.{kind}" for kind in kinds
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    paper = report_path(pack_home, "autumn-2025", PACK, 1, 1, "pdf")
    paper.unlink()
    write_report(ledger, pack_home, township(), PACK, 1, 1, "zh-CN")
    assert paper.read_bytes().startswith(b"%PDF")


def planned() -> Plan:
    return township().model_copy(update={"calendar": (QUARTER,)})


def test_a_pack_on_the_offices_letterhead(ledger: Store, pack_home: Home, tmp_path: Path) -> None:
    own = with_text(tmp_path / "own.docx", "云溪镇协调办公室文件", "{{ title }}")
    paths = write_pack(ledger, pack_home, planned(), "2025-Q4", own, None)
    assert [path.name for path in paths] == [
        *(f"quarterly_pack-1-r1.{kind}" for kind in ("html", "pdf", "docx")),
        "quarterly_pack-1-r1-letterhead.docx",
    ]
    assert stat.S_IMODE(paths[-1].stat().st_mode) == 0o600
    assert text_of(paths[-1].read_bytes()) == "云溪镇协调办公室文件季度例会材料 2025 年第四季度"
    elsewhere = tmp_path / "out" / "pack.docx"
    assert write_pack(ledger, pack_home, planned(), "2025-Q4", own, elsewhere)[-1] == elsewhere
    assert elsewhere.read_bytes() == paths[-1].read_bytes()
    assert len(write_pack(ledger, pack_home, planned(), "2025-Q4", None, None)) == 3


def test_the_usual_template_is_where_an_own_one_starts(content: str, tmp_path: Path) -> None:
    start = write_letterhead(tmp_path / "letterhead.docx")
    assert "{%p for section in sections %}" in text_of(start.read_bytes())
    assert word_pack(content, start.read_bytes(), "x") == word_pack(
        content, TEMPLATE.read_bytes(), "y"
    )


@pytest.mark.parametrize("quarter", ["2026-Q1", "2025-10", ""])
def test_a_quarter_without_a_pack(ledger: Store, pack_home: Home, quarter: str) -> None:
    with pytest.raises(WrongCommand) as refused:
        write_pack(ledger, pack_home, planned(), quarter, None, None)
    assert refused.value.key == "pack.quarter"
    coming = replace(QUARTER, round=2, period="2026-Q1")
    plan = township().model_copy(update={"calendar": (coming,)})
    with pytest.raises(WrongCommand) as refused:
        write_pack(ledger, pack_home, plan, "2026-Q1", None, None)
    assert refused.value.key == "report.none"


# --- templates of the office ----------------------------------------------------------------------


def with_text(path: Path, *texts: str) -> Path:
    book = Document()
    for text in texts:
        book.add_paragraph(text)
    book.save(str(path))
    return path


def with_part(path: Path, name: str, content: bytes) -> Path:
    """A template with one part more, or another in place of its own."""
    with_text(path, "{{ title }}")
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for each, bytes_of in (parts | {name: content}).items():
            archive.writestr(each, bytes_of)
    return path


WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def relation(kind: str, target: str, mode: str = "External") -> bytes:
    return (
        f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/{kind}" '
        f'Target="{target}" TargetMode="{mode}"/></Relationships>'
    ).encode()


def field(*instructions: str) -> bytes:
    runs = "".join(f"<w:r><w:instrText>{each}</w:instrText></w:r>" for each in instructions)
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "end"))
    return f"<w:hdr {WORD}><w:p>{begin}{runs}{end}</w:p></w:hdr>".encode()


PARTS = {
    "macros": ("word/vbaProject.bin", b"x"),
    "embedded": ("word/embeddings/oleObject1.bin", b"x"),
    "picture_elsewhere": ("word/_rels/a.rels", relation("image", "http://a.example/b.png")),
    "template_elsewhere": ("word/_rels/a.rels", relation("attachedTemplate", "file:///c/x.dotm")),
    "program": ("word/_rels/a.rels", relation("vbaProject", "x.bin", "Internal")),
    "takes_in_a_file": ("word/header9.xml", field(' INCLUDETEXT "/etc/passwd" ')),
    "in_pieces": ("word/header9.xml", field(" INCLUDE", "PICTURE x")),
    "in_each_other": ("word/header9.xml", field(" PAGE ").replace(b" PAGE ", b" DDEAUTO cmd ")),
    "simple_field": (
        "word/header9.xml",
        f'<w:hdr {WORD}><w:p><w:fldSimple w:instr="LINK x"/></w:p></w:hdr>'.encode(),
    ),
    "document_type": (
        "word/header9.xml",
        f'<!DOCTYPE a [<!ENTITY b "c">]><w:hdr {WORD}>&b;</w:hdr>'.encode(),
    ),
}


@pytest.mark.parametrize("case", PARTS)
def test_a_template_that_acts_or_fetches_is_refused(tmp_path: Path, case: str) -> None:
    path = with_part(tmp_path / "own.docx", *PARTS[case])
    with pytest.raises(WrongCommand) as refused:
        word_pack("{}", path.read_bytes(), "own.docx")
    assert refused.value.key == "pack.template_acts"
    assert refused.value.values == {"file": "own.docx"}


def test_links_and_page_numbers_may_stand_in_a_template(content: str, tmp_path: Path) -> None:
    for name, part in (
        ("word/_rels/a.rels", relation("hyperlink", "https://a.example/")),
        ("word/header9.xml", field(" PAGE \\* MERGEFORMAT ")),
    ):
        path = with_part(tmp_path / "own.docx", name, part)
        assert word_pack(content, path.read_bytes(), "own.docx")


MARKS = {
    "{{ titel }}": "pack.template_field",
    "{% for each in sections %}{{ each.nothing }}{% endfor %}": "pack.template_field",
    "{% for each in sections %}": "pack.template_words",
    "{{ title": "pack.template_words",
    "{% include 'x' %}": "pack.template_words",
    "{% import '/etc/passwd' as x %}": "pack.template_words",
    "{{ title.__class__.__mro__ }}": "pack.template_words",
    "{{ title.join(sections) }}": "pack.template_words",
    "{{ range(9) }}": "pack.template_words",
    "{{ lipsum() }}": "pack.template_words",
    "{{ title * 99999999999 }}": "pack.template_words",
    "{{ '%99999999999d' % 1 }}": "pack.template_words",
    "{{ title | center(99999999999) }}": "pack.template_words",
    "{{ title | attr('x') }}": "pack.template_words",
    "{{ self.__init__ }}": "pack.template_words",
}


@pytest.mark.parametrize("mark", MARKS)
def test_a_template_gets_texts_and_nothing_else(content: str, tmp_path: Path, mark: str) -> None:
    path = with_text(tmp_path / "own.docx", mark)
    with pytest.raises(WrongCommand) as refused:
        word_pack(content, path.read_bytes(), "own.docx")
    assert refused.value.key == MARKS[mark]
    assert "\n" not in refused.value.text("zh-CN")


def test_texts_are_never_markup(ledger: Store, tmp_path: Path) -> None:
    summary = replace(summary_of(ledger), health_centre="<w:p/>&amp; {{ title }} #{1} *x*")
    content = render_document(summary, "zh-CN")
    path = with_text(tmp_path / "own.docx", "{{ centre }}")
    assert text_of(word_pack(content, path.read_bytes(), "x")) == summary.health_centre
    with pypdfium2.PdfDocument(printed_pack(content)) as pages:
        assert missing_in(pages[0].get_textpage().get_text_range(), [summary.health_centre]) == []


def test_what_is_no_word_document(tmp_path: Path, ledger: Store, pack_home: Home) -> None:
    for content in (b"", b"PK\x03\x04 broken", b"%PDF-1.7"):
        with pytest.raises(WrongCommand) as refused:
            word_pack("{}", content, "own.docx")
        assert refused.value.key == "pack.template_read"
    book = with_part(tmp_path / "a.docx", "word/document.xml", b"<broken")
    with pytest.raises(WrongCommand) as refused:
        word_pack("{}", book.read_bytes(), "own.docx")
    assert refused.value.key == "pack.template_read"
    with pytest.raises(WrongCommand) as refused:
        write_pack(ledger, pack_home, planned(), "2025-Q4", tmp_path / "none.docx", None)
    assert refused.value.key == "pack.template_read"
    large = with_part(tmp_path / "b.docx", "word/media/a.png", bytes(21 * 2**20))
    with pytest.raises(WrongCommand) as refused:
        word_pack("{}", large.read_bytes(), "own.docx")
    assert refused.value.key == "pack.template_large"


# --- the flow -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_plan_e_makes_its_pack_by_itself(
    prefect: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = "supervision-2026"
    source = Path(__file__).parent.parent / "data" / "campaigns" / f"{slug}.toml"
    home = Home(tmp_path / "home")
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    for name in [name for name in os.environ if name.startswith("CAMPAIGN_SMTP")]:
        monkeypatch.delenv(name)
    truth = generate(source, tmp_path / "synthetic", seed=7, villages=6, residents=9000)
    set_up(home, tmp_path / "synthetic" / "plan.toml")
    with open_campaign(slug, "test", "test") as at:
        for delivery in json.loads(truth.read_text("utf-8"))["deliveries"]:
            when = datetime.fromisoformat(delivery["received_at"])
            if when.date() <= date(2026, 4, 10):
                path = tmp_path / "synthetic" / delivery["file"]
                receive(
                    at.store,
                    home,
                    load_campaigns(home),
                    [path],
                    received_at=when,
                    recorded_at=at.now,
                )
    plan = load_campaigns(home)[slug]
    for round in (1, 2, 3):
        run("supervision", slug, plan.occurrence("supervision", round).due)

    receipt = run(PACK, slug, date(2026, 4, 10))

    assert (receipt.round, receipt.revision, receipt.period) == (1, 1, "2026-Q1")
    assert run(PACK, slug, date(2026, 4, 10)).is_new is False
    folder = home.reports(slug)
    kinds = ("csv", "docx", "html", "json", "pdf", "txt")
    assert {f"quarterly_pack-1-r1.{kind}" for kind in kinds} <= {p.name for p in folder.iterdir()}
    figures = {
        each["name"]: each["value"]
        for each in json.loads((folder / "quarterly_pack-1-r1.json").read_text("utf-8"))["figures"]
        if each["village"] is None
    }
    assert figures["months_looked_at"] == 3
    assert figures["visits_due"] == sum(figures[f"month{n}_visits_due"] for n in (1, 2, 3)) > 0
    with open_ledger(home) as store:
        mails = store.connection.execute(
            "SELECT audience, count(*) FROM ledger.out_message "
            "WHERE phase = 'quarterly_pack' GROUP BY audience ORDER BY audience"
        ).fetchall()
    assert mails == [("health", 1), ("office", 2)]
