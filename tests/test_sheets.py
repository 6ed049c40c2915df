"""One page a care group and month: owed, delivered, late, six months, and what to do next."""

import re
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import program
from released_rows import (
    CODES,
    NAMES,
    make_ledger,
    not_reported,
    number,
    release,
    township,
    withheld,
)
from reports.sheet_gate import check_sheets
from reports.sheets import (
    Sheet,
    make_sheets,
    overdue_lines,
    sheet_of,
    sheet_path,
    standing_lines,
    write_sheets,
)
from reports.sheets import changes as since_last_month
from reports.summary import Figure, read_summary
from reports.write import write_newest, write_report
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.rules.contract import CHOICES
from tasks.rules.errors import DisclosureRisk, WrongCommand
from tasks.rules.known_names import NameList
from tasks.rules.readiness import READINESS_SHORTFALLS
from tasks.rules.supervision import WANTED, compare
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store

MONTHS = {
    round: (period, date(year, month, 5))
    for round, (period, year, month) in enumerate(
        [
            ("2025-06", 2025, 7),
            ("2025-07", 2025, 8),
            ("2025-08", 2025, 9),
            ("2025-09", 2025, 10),
            ("2025-10", 2025, 11),
            ("2025-11", 2025, 12),
            ("2025-12", 2026, 1),
        ],
        1,
    )
}
LAST = 7
NOBODY = NameList(bytes(32), frozenset(), frozenset())
WEAK, GOOD, OTHER = CODES[0], CODES[1], CODES[2]


def month(
    store: Store, round: int, overdue: float = 0, *, revision: int = 1, **changes: float
) -> None:
    """Release a month of three villages: the first has `overdue` visits and `changes`."""
    period, day = MONTHS[round]
    figures = []
    for code in (WEAK, GOOD, OTHER):
        of_village: dict[str, float] = {
            "status_updated": 1,
            "care_group_met": 1,
            "reporting_on_time": 1,
            "reporting_late": 0,
            "reporting_missing": 0,
            "reporting_returned": 0,
            "visits_due": 40 + round,
            "visits_done": 30,
            "visits_late": 0,
            "visits_overdue": overdue if code == WEAK else 0,
            "guardian_contacts": 3,
            "rehabilitation_sessions": 2,
            "rectifications_open": 0,
        }
        of_village |= changes if code == WEAK else {}
        for name, value in of_village.items():
            unit = "visits" if name.startswith(("visits", "guard")) else "files"
            figures.append(
                not_reported(name, unit, code) if value is None else number(name, unit, value, code)
            )
        figures.append(withheld("subsidy_applied", code))
        figures.append(number("subsidy_paid", "people", 0, code))
    release(
        store,
        "supervision",
        figures,
        round=round,
        revision=revision,
        period=period,
        as_of=day,
        due=day,
        states=["on_time"] * 3,
    )


def rectified(store: Store, shortfall: str, opened: int, **changes: Any) -> None:
    """Open a rectification of the weak village in the month `opened`."""
    _, day = MONTHS[opened]
    row = {
        "campaign": "autumn-2025",
        "village": WEAK,
        "shortfall": shortfall,
        "opened_round": opened,
        "opened_on": day,
        "due": day.replace(day=19),
        "due_provisional": False,
        "closed_round": None,
        "closed_on": None,
    }
    row |= changes
    store.connection.execute(
        f"INSERT INTO ledger.agg_rectification VALUES ({', '.join('?' * len(row))})",  # noqa: S608
        list(row.values()),
    )


def act(store: Store, shortfall: str, village: str, position: int) -> None:
    store.connection.execute(
        "INSERT INTO ledger.agg_action VALUES ('autumn-2025', ?, 1, ?, ?, ?)",
        [LAST, village, position, shortfall],
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_ledger(tmp_path)


@pytest.fixture
def ledger(home: Home) -> Iterator[Store]:
    with open_ledger(home, "write") as store:
        yield store


@cache
def bad_year() -> bytes:
    """The ledger of a bad year, made once: every test gets a copy."""
    with TemporaryDirectory() as folder:
        made = make_ledger(Path(folder) / "home")
        with open_ledger(made, "write") as store:
            a_bad_year(store)
        return made.ledger.read_bytes()


@pytest.fixture
def weak_year(home: Home) -> Iterator[Store]:
    """The open ledger of a bad year."""
    home.ledger.write_bytes(bad_year())
    with open_ledger(home, "write") as store:
        yield store


def a_bad_year(store: Store, **changes: float) -> None:
    """Seven months: the weak village falls behind, its rectifications run over.

    `changes` are figures of its last month.
    """
    for round in MONTHS:
        of_last = {"status_updated": 0.0} | changes if round == LAST else {}
        month(store, round, max(0, round - 4), revision=1, **of_last)
    rectified(store, "visits_overdue", 5)
    rectified(store, "care_group_not_met", 6)
    rectified(store, "status_not_updated", 7)
    rectified(store, "subsidy_unpaid", 6, closed_round=LAST, closed_on=MONTHS[LAST][1])
    for position, name in enumerate(("visits_overdue", "care_group_not_met"), 1):
        act(store, name, WEAK, position)


def pages_of(store: Store, language: str = "zh-CN", round: int = LAST) -> dict[str, str]:
    return make_sheets(store, township(language), round, 1, language, NOBODY)


def sheet(store: Store, village: str = WEAK, round: int = LAST) -> Sheet:
    """The sheet without the months before it but one."""
    plan = township()
    before = sheet_of(read_summary(store, plan, "supervision", round - 1, 1), village, ())
    return sheet_of(read_summary(store, plan, "supervision", round, 1), village, [before.this])


# --- the page -------------------------------------------------------------------------------------


def cells(page: str) -> dict[str, str]:
    """Figure -> what its cell shows."""
    found = re.findall(r'<td[^>]*data-figure="([^"]+)"[^>]*>(.*?)</td>', page, re.DOTALL)
    return {name: re.sub("<[^>]+>", "", text).strip() for name, text in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_a_village_shows_the_month_and_the_five_before(
    weak_year: Store, language: str
) -> None:

    pages = pages_of(weak_year, language)

    assert list(pages) == [WEAK, GOOD, OTHER]
    shown = cells(pages[WEAK])
    assert [shown[f"supervision_{n}_visits_overdue"] for n in range(2, 7)] == list("00012")
    assert shown["visits_overdue"] == "3"
    assert "supervision_1_visits_overdue" not in shown
    assert shown["subsidy_paid"] == "0"
    assert shown["subsidy_applied"] == say("mark.withheld", language)
    assert all(period in pages[WEAK] for period, _ in list(MONTHS.values())[1:])
    assert NAMES[0] in pages[WEAK]
    assert NAMES[1] not in pages[WEAK]
    assert say("report.no_actions", language) in pages[GOOD]
    assert say("action.care_group_not_met", language) in pages[WEAK]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_office_sees_how_many_roles_a_care_group_has(ledger: Store, language: str) -> None:
    month(ledger, 6, care_roles_owed=4, care_roles_filled=4)
    month(ledger, 7, care_roles_owed=4, care_roles_filled=3)
    pages = pages_of(ledger, language)
    shown = cells(pages[WEAK])
    assert (shown["care_roles_filled"], shown["supervision_6_care_roles_filled"]) == ("3", "4")
    text = re.sub("<[^>]+>", "", pages[WEAK])
    assert say("report.sheet.roles", language, owed=4, filled=3) in text
    # which of them, and what waits of the subsidies, is for health staff
    assert not any(say(f"care_role.{role}", language) in text for role in CHOICES["care_role"])
    of_office = sheet(ledger, round=7)
    silent = not_reported("care_roles_filled", "files", WEAK)
    figures = {**of_office.this.figures, "care_roles_filled": Figure(*silent)}
    of_office = replace(of_office, months=(replace(of_office.this, figures=figures),))
    assert standing_lines(of_office, language) == [
        say("report.sheet.roles_unknown", language, owed=4)
    ]


def test_the_newest_revision_of_an_earlier_month_that_was_out_by_then(ledger: Store) -> None:
    month(ledger, 6, overdue=2)
    month(ledger, 7, overdue=1)
    month(ledger, 6, overdue=5, revision=2)
    later = "UPDATE ledger.out_revision SET created_at = created_at + INTERVAL 1 DAY WHERE "
    ledger.connection.execute(later + "revision = 2")
    assert cells(pages_of(ledger)[WEAK])["supervision_6_visits_overdue"] == "2"
    ledger.connection.execute(later + "round = 7")
    assert cells(pages_of(ledger)[WEAK])["supervision_6_visits_overdue"] == "5"


def test_pages_are_written_beside_the_report_and_stay_as_they_were(
    home: Home, ledger: Store
) -> None:
    month(ledger, 6)
    plan = township()
    write_report(ledger, home, plan, "supervision", 6, 1, "zh-CN", NOBODY)
    path = sheet_path(home, plan.slug, 6, 1, WEAK)
    assert path == home.reports(plan.slug) / "supervision-6-r1" / f"{WEAK}.html"
    assert {each.name for each in path.parent.iterdir()} == {
        f"{code}.html" for code in (WEAK, GOOD, OTHER)
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    before = path.stat().st_mtime_ns
    write_sheets(ledger, home, plan, 6, 1, "zh-CN", NOBODY)
    assert path.stat().st_mtime_ns == before
    path.write_text("changed", encoding="utf-8")
    write_newest(ledger, home, plan, "supervision", None)
    assert NAMES[0] in path.read_text(encoding="utf-8")


def test_a_revision_that_was_not_released_has_no_sheets(ledger: Store) -> None:
    with pytest.raises(WrongCommand) as refused:
        pages_of(ledger)
    assert refused.value.key == "error.no_revision"


def test_printed_it_is_one_a4_page_however_much_is_owed(ledger: Store, tmp_path: Path) -> None:
    worst = dict.fromkeys(("status_updated", "care_group_met", "reporting_on_time"), 0.0)
    a_bad_year(ledger, visits_late=9, rectifications_open=11, **worst)
    for name in READINESS_SHORTFALLS:
        rectified(ledger, name, 6)
    page, printed = tmp_path / "sheet.html", tmp_path / "sheet.pdf"
    # the longer of the two
    page.write_text(pages_of(ledger, "en")[WEAK], encoding="utf-8")
    subprocess.run(
        [
            program("chromium"),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--print-to-pdf={printed}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    document = pypdfium2.PdfDocument(printed)
    width, height = document[0].get_size()
    assert len(document) == 1
    assert (round(width), round(height)) == (595, 842)
    document.close()


# --- what changed ---------------------------------------------------------------------------------


def test_what_got_worse_leads_then_overdue_better_closed_and_opened(ledger: Store) -> None:
    month(ledger, 6, overdue=1, care_group_met=0, visits_late=2)
    month(ledger, 7, overdue=3, status_updated=0)
    rectified(ledger, "visits_overdue", 6)
    rectified(ledger, "status_not_updated", 7)
    rectified(ledger, "care_group_not_met", 6, closed_round=7, closed_on=MONTHS[7][1])

    lines = since_last_month(sheet(ledger), "en")

    assert lines == [
        "Worse: Overdue: 1 → 3",
        "Worse: the status was not updated this month",
        "Newly overdue: visits overdue (due 2025-12-19)",
        "Better: Done late: 2 → 0",
        "Better: the care group met this month",
        "Closed: care group did not meet (closed 2026-01-05)",
        "New rectification: status not updated (due 2026-01-19)",
    ]


def test_one_that_was_overdue_before_is_not_newly_so(weak_year: Store) -> None:
    newly = [line for line in since_last_month(sheet(weak_year), "en") if "Newly" in line]
    assert newly == ["Newly overdue: care group did not meet (due 2025-12-19)"]
    assert overdue_lines(sheet(weak_year), "en") == [
        "Rectification overdue for months, for the joint meeting: visits overdue"
        " (due 2025-11-19, days overdue: 47, times named before: 1)",
        "Rectification overdue: care group did not meet (due 2025-12-19, days overdue: 17)",
    ]


def test_nothing_changed_and_nothing_to_compare_with_are_said(ledger: Store) -> None:
    month(ledger, 6)
    month(ledger, 7)
    assert since_last_month(sheet(ledger, GOOD), "en") == [say("report.sheet.same", "en")]
    summary = read_summary(ledger, township(), "supervision", 7, 1)
    alone = sheet_of(summary, GOOD, ())
    assert since_last_month(alone, "en") == [say("report.sheet.no_month_before", "en")]
    gap = sheet_of(read_summary(ledger, township(), "supervision", 6, 1), GOOD, ()).this
    month(ledger, 5)
    far = sheet_of(summary, GOOD, [sheet(ledger, GOOD, 6).before or gap])
    assert far.before is None, "the month before last is not last month"


@given(
    st.sampled_from(sorted(WANTED)),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 9),
)
def test_better_one_way_is_worse_the_other(
    name: str, before: int | None, after: int | None
) -> None:
    there, back = compare(name, before, after), compare(name, after, before)
    opposite = {"better": "worse", "worse": "better", "same": "same", None: None}
    assert back == opposite[there]
    assert (there is None) is (before is None or after is None)
    assert (there == "same") is (before is not None and before == after)


def test_more_visits_are_no_better_and_fewer_overdue_are() -> None:
    assert compare("visits_due", 1, 5) is None
    assert compare("guardian_contacts", 1, 5) is None
    assert compare("visits_overdue", 5, 1) == "better"
    assert compare("care_group_met", 1, 0) == "worse"


# --- how overdue ones escalate on the summary -----------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_names_the_overdue_first_those_for_the_meeting_leading(
    home: Home, weak_year: Store, language: str
) -> None:
    plan = township(language)
    page, _, _, text = write_report(weak_year, home, plan, "supervision", LAST, 1, language, NOBODY)
    lines = text.read_text("utf-8").splitlines()

    def line_of(key: str) -> str:
        said = say("todo.line", language, what=say(key, language), villages="")
        return f"- {said.rstrip()}"

    meeting, overdue = (
        next(i for i, line in enumerate(lines) if line.startswith(line_of(key)))
        for key in ("todo.rectification_for_meeting", "todo.rectification_overdue")
    )
    assert meeting < overdue
    first = lines[meeting + 1]  # each on a line of its own
    assert first.startswith("  - ")
    assert NAMES[0] in first
    assert say("report.rectification.days_overdue", language, days=47) in first
    assert say("report.rectification.escalated", language, times=1) in first
    assert say("report.rectification.for_meeting", language) in page.read_text("utf-8")


# --- the gate -------------------------------------------------------------------------------------


def stopped(store: Store, page: str, village: str = WEAK, names: NameList | None = NOBODY) -> str:
    with pytest.raises(DisclosureRisk) as stop:
        check_sheets(store, township(), LAST, 1, {village: page}, names)
    return stop.value.key


def test_the_gate_lets_no_other_figure_stand_in_a_cell(weak_year: Store) -> None:
    page = pages_of(weak_year)[WEAK]
    own = 'data-figure="supervision_6_visits_overdue"'
    assert own in page
    cell = re.search(rf"{own}[^>]*>\s*2\s*<", page)
    assert cell
    forged = page.replace(cell[0], cell[0].replace("2\n", "4\n").replace(">2<", ">4<"))
    assert forged != page
    assert stopped(weak_year, forged) == "gate.not_released"
    assert (
        stopped(weak_year, page.replace("supervision_6_", "supervision_1_")) == "gate.unknown_part"
    )


def test_the_gate_lets_no_other_village_and_no_unknown_number_stand(weak_year: Store) -> None:
    page = pages_of(weak_year)[WEAK]
    assert stopped(weak_year, page.replace(WEAK, OTHER)) == "gate.unknown_part"
    assert stopped(weak_year, page, village="") == "gate.not_released"
    assert stopped(weak_year, page.replace("</h1>", " 48</h1>")) == "gate.unknown_number"
    assert stopped(weak_year, page.replace("</h1>", " 3 人</h1>")) == "gate.unknown_people_number"
    assert stopped(weak_year, page.replace("</h1>", "患者</h1>")) == "gate.label"


def test_a_page_that_was_stopped_leaves_none(
    home: Home, ledger: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    month(ledger, LAST)
    monkeypatch.setattr("reports.sheets.footnotes", lambda *_: ["电话 13800138000"])
    with pytest.raises(DisclosureRisk):
        write_sheets(ledger, home, township(), LAST, 1, "zh-CN", NOBODY)
    assert not sheet_path(home, "autumn-2025", LAST, 1, WEAK).parent.exists()
