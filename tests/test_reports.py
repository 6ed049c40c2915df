"""What leaves as a page, text, JSON and CSV; written, read back and compared with the ledger."""

import csv
import io
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from released_rows import (
    CODES,
    NAMES,
    RELEASES,
    make_ledger,
    number,
    release,
    release_sweep,
    sweep_figures,
    township,
    withheld,
)
from reports import words
from reports.render import CSV_HEAD, Shown, render_csv, render_html, render_text
from reports.summary import Summary, figure_label, read_summary
from reports.write import make_report, report_path, write_newest, write_report
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.rules.errors import DisclosureRisk, WrongCommand
from tasks.rules.wording import LANGUAGES, fields, keys, say
from tasks.store import Store

PAGES = [(phase, round_, language) for phase, round_ in RELEASES for language in LANGUAGES]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_ledger(tmp_path)


@pytest.fixture
def ledger(home: Home) -> Iterator[Store]:
    with open_ledger(home, "write") as store:
        yield store


def summary_of(ledger: Store, phase: str, round_: int, revision: int = 1) -> Summary:
    return read_summary(ledger, township(), phase, round_, revision)


class Reader(HTMLParser):
    """Reads a page as a program does: its cells, its text, and whether its tags are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headers_without_scope = 0
        self.figures: dict[tuple[str, str], str] = {}
        self._cell: tuple[str, str] | None = None
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in {"meta", "br", "img"}:
            self.open.append(tag)
        if tag == "th" and not given.get("scope"):
            self.headers_without_scope += 1
        if tag == "td":
            name = given.get("data-figure")
            self._cell = (name, given.get("data-village") or "") if name else None
            if self._cell:
                self.figures.setdefault(self._cell, "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "td":
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            return
        self.text += data
        if self._cell:
            self.figures[self._cell] += data.strip()


@pytest.mark.parametrize(("phase", "round_", "language"), PAGES)
def test_every_page_is_written_whole_and_private(
    home: Home, ledger: Store, phase: str, round_: int, language: str
) -> None:
    RELEASES[phase, round_](ledger)

    paths = write_report(ledger, home, township(language), phase, round_, 1, language)

    of_round = f"-{round_}" if round_ else ""
    assert [path.name for path in paths] == [
        f"{phase}{of_round}-r1.{kind}" for kind in ("html", "json", "csv", "txt")
    ]
    assert paths[0] == report_path(home, "autumn-2025", phase, round_, 1)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    page = Reader(paths[0].read_text(encoding="utf-8"))
    assert page.open == []
    assert page.headers_without_scope == 0
    assert township().health_centre.name in page.text


@pytest.mark.parametrize(("phase", "round_", "language"), PAGES)
def test_a_page_fetches_nothing_and_asks_for_nothing(
    ledger: Store, phase: str, round_: int, language: str
) -> None:
    RELEASES[phase, round_](ledger)
    page = render_html(summary_of(ledger, phase, round_), language)
    assert not re.search(r"https?:|src=|href=|url\(|<script|<img|<link|<form", page)


def test_the_json_has_the_shape_other_software_relies_on(home: Home, ledger: Store) -> None:
    release_sweep(ledger)
    report = json.loads(make_report(ledger, home, township(), "sweep", 1, 1, "en")["json"])

    figures = report.pop("figures")
    assert report == {
        "campaign": "autumn-2025",
        "phase": "sweep",
        "round": 1,
        "revision": 1,
        "as_of": "2025-10-31",
        "audience": "office",
    }
    assert {tuple(figure) for figure in figures} == {("name", "unit", "village", "value", "state")}
    by_key = {(figure["name"], figure["village"]): figure for figure in figures}
    assert by_key["coverage", None]["value"] == 93.5
    assert by_key["referrals", CODES[1]] == {
        "name": "referrals",
        "unit": "people",
        "village": CODES[1],
        "value": 0,
        "state": "zero",
    }
    assert by_key["referrals", CODES[0]]["value"] is None
    assert by_key["referrals", CODES[0]]["state"] == "withheld"
    assert by_key["referrals", CODES[5]]["value"] is None
    assert by_key["referrals", CODES[5]]["state"] == "not_reported"


def test_a_phase_without_rounds_has_round_null(home: Home, ledger: Store) -> None:
    RELEASES["list_compilation", 0](ledger)
    files = make_report(ledger, home, township(), "list_compilation", 0, 1, "en")
    assert json.loads(files["json"])["round"] is None
    assert next(csv.DictReader(io.StringIO(files["csv"].removeprefix("\ufeff"))))["round"] == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_zero_withheld_and_not_reported_look_different_everywhere(
    ledger: Store, language: str
) -> None:
    release_sweep(ledger)
    summary = summary_of(ledger, "sweep", 1)
    page = Reader(render_html(summary, language)).figures
    rows = csv.DictReader(io.StringIO(render_csv(summary, language).removeprefix("\ufeff")))
    in_csv = {
        row["village"]: (row["value"], row["state"]) for row in rows if row["name"] == "referrals"
    }

    zero, hidden, silent = CODES[1], CODES[0], CODES[5]
    assert page["referrals", zero] == "0"
    assert page["referrals", hidden] == "※"
    assert page["referrals", silent] == say("mark.not_reported", language)
    assert in_csv[zero] == ("0", "zero")
    assert in_csv[hidden] == ("", "withheld")
    assert in_csv[silent] == ("", "not_reported")
    assert in_csv[""] == ("45", "released")


def test_the_csv_opens_in_a_spreadsheet_and_runs_nothing(ledger: Store) -> None:
    release_sweep(ledger)
    plan = township()
    tricky = plan.model_copy(
        update={
            "villages": (
                plan.villages[0].model_copy(update={"name": "=HYPERLINK(A1)"}),
                plan.villages[1].model_copy(update={"name": "@村"}),
                *plan.villages[2:],
            )
        }
    )
    content = render_csv(read_summary(ledger, tricky, "sweep", 1, 1), "zh-CN")

    assert content.encode("utf-8").startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.removeprefix("\ufeff"))))
    assert tuple(rows[0]) == CSV_HEAD
    assert {row[10] for row in rows} >= {"'=HYPERLINK(A1)", "'@村"}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_a_village_name_is_text_on_the_page(ledger: Store) -> None:
    release_sweep(ledger)
    plan = township()
    named = plan.villages[0].model_copy(update={"name": "<b>青石</b>"})
    plan = plan.model_copy(update={"villages": (named, *plan.villages[1:])})
    page = render_html(read_summary(ledger, plan, "sweep", 1, 1), "zh-CN")
    assert "<b>" not in page
    assert "&lt;b&gt;青石&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("phase", "round_", "named"),
    [
        ("sweep", 1, {"zh-CN": "排查走访 第 1 轮", "en": "Sweep, round 1"}),
        ("supervision", 1, {"zh-CN": "督导 2025 年 11 月", "en": "Supervision 2025-11"}),
        ("aggregation", 0, {"zh-CN": "汇总", "en": "Aggregation"}),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_and_page_have_the_same_title(
    home: Home, ledger: Store, language: str, phase: str, round_: int, named: dict[str, str]
) -> None:
    RELEASES[phase, round_](ledger)
    parts = make_report(ledger, home, township(language), phase, round_, 1, language)
    (title,) = re.findall("<title>(.*)</title>", parts["html"])
    assert title.endswith(named[language])
    assert title in parts["subject"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_block_says_who_reported_and_what_to_do(ledger: Store, language: str) -> None:
    release_sweep(ledger)
    summary = summary_of(ledger, "sweep", 1)
    points = words.key_points(summary, language)
    assert 3 <= len(points) <= 5
    if language == "zh-CN":
        assert points[0].startswith("15 个村中，11 个按时报送，1 个迟报")
    else:
        assert points[0].startswith("Of 15 villages: 11 reported on time, 1 late")
    todo = words.things_to_do(summary, language)
    assert todo[0].what == say("todo.missing", language)
    assert todo[0].whom == (NAMES[5],)
    assert [thing.whom for thing in todo] == [(NAMES[n],) for n in (5, 8, 12, 7)]


def test_before_the_due_day_a_village_is_told_the_day_not_that_it_failed(ledger: Store) -> None:
    release(
        ledger,
        "sweep",
        sweep_figures(["missing"] * 15),
        round=1,
        as_of=date(2025, 10, 20),
        states=["missing"] * 15,
        status="interim",
    )
    first = words.things_to_do(summary_of(ledger, "sweep", 1), "zh-CN")[0]
    assert first.what == "尚未报送，截止日 2025-10-31"


def test_coverage_over_100_is_shown_as_an_error(ledger: Store) -> None:
    release_sweep(ledger)
    summary = summary_of(ledger, "sweep", 1)
    assert Reader(render_html(summary, "en")).figures["coverage", CODES[7]] == "102.0%"
    assert any(NAMES[7] in thing.whom for thing in words.things_to_do(summary, "en"))


def test_a_second_revision_says_what_changed(ledger: Store) -> None:
    release_sweep(ledger)
    release_sweep(ledger, revision=2)
    first, second = (summary_of(ledger, "sweep", 1, revision) for revision in (1, 2))
    assert words.changes(first, "zh-CN") == []
    changed = words.changes(second, "zh-CN")
    assert changed[0] == "桃园村：未报送 → 迟报"
    assert "转介人数：约 45 人 → 约 50 人" in changed
    assert not [line for line in changed if line.startswith("覆盖率")]
    assert words.status(second, "zh-CN") == say("report.status.after", "zh-CN")


def test_a_revision_that_differs_only_by_village_says_so(ledger: Store) -> None:
    for revision, visited in ((1, 500), (2, 510)):
        figures = [
            number("households_visited", "households", 500),
            number("households_visited", "households", visited, CODES[0]),
        ]
        release(ledger, "sweep", figures, round=1, revision=revision)
    assert words.changes(summary_of(ledger, "sweep", 1, 2), "en") == [say("change.detail", "en")]


def test_supervision_shows_three_things_to_do_and_the_rectifications(ledger: Store) -> None:
    RELEASES["supervision", 1](ledger)
    summary = summary_of(ledger, "supervision", 1)
    text = Reader(render_html(summary, "zh-CN")).text

    assert summary.actions[CODES[5]] == (
        "report_missing",
        "visits_overdue",
        "status_not_updated",
    )
    for action in summary.actions[CODES[5]]:
        assert say(f"action.{action}", "zh-CN") in text
    assert "督导 2025 年 11 月" in text
    assert "2025-12-19（暂定）" in text
    assert words.villages_by_need(summary, CODES)[:3] == [CODES[5], CODES[9], CODES[8]]
    assert [r.village for r in words.rectifications_by_need(summary)] == [
        CODES[2],
        CODES[5],
        CODES[9],
        CODES[3],
    ]
    overdue = words.things_to_do(summary, "zh-CN")[0]
    assert overdue.whom == ("柳湾村（小组例会未召开，限期 2025-11-19，已过期 16 天）",)


def test_what_care_groups_are_asked_to_do_stands_above_the_tables(ledger: Store) -> None:
    RELEASES["supervision", 1](ledger)
    asked = {
        thing.what: thing.whom
        for thing in words.things_to_do(summary_of(ledger, "supervision", 1), "zh-CN")
    }
    assert asked[say("action.visits_overdue", "zh-CN")] == (NAMES[5], NAMES[9])
    assert asked[say("action.status_not_updated", "zh-CN")] == (NAMES[5],)
    assert say("action.report_missing", "zh-CN") not in asked
    assert say("action.report_late", "zh-CN") not in asked


def test_what_is_overdue_alike_is_said_once(ledger: Store) -> None:
    RELEASES["supervision", 1](ledger)
    summary = summary_of(ledger, "supervision", 1)
    [late] = [each for each in summary.rectifications if words.is_overdue(each, summary.as_of)]
    alike = replace(late, village=CODES[6])
    later = replace(late, village=CODES[7], due=date(2025, 11, 20))
    more = replace(summary, rectifications=(late, alike, later))
    assert words.things_to_do(more, "zh-CN")[0].whom == (
        "柳湾村、枫林村（小组例会未召开，限期 2025-11-19，已过期 16 天）",
        "石桥村（小组例会未召开，限期 2025-11-20，已过期 15 天）",
    )


def test_villages_that_lack_nothing_share_one_table(ledger: Store) -> None:
    RELEASES["supervision", 1](ledger)
    summary = summary_of(ledger, "supervision", 1)
    well = words.lacking_nothing(summary)
    # 2: a rectification is open; 5, 8, 9: there is something to do; 9: no roster was ever sent
    assert well == {code for place, code in enumerate(CODES) if place not in {2, 5, 8, 9}}
    page = render_html(summary, "zh-CN")
    assert page.count("<h3") == len(CODES) - len(well) + 1
    assert all(
        Reader(page).figures["visits_due", code]
        == words.number(summary.figure("visits_due", code) or pytest.fail(code))
        for code in CODES
    )


@pytest.mark.parametrize(
    ("language", "label", "name", "unit", "expected"),
    [
        ("zh-CN", "已做动态更新", "status_updated", "files", "已做动态更新（个村）"),
        ("zh-CN", "未完成整改", "rectifications_open", "files", "未完成整改（项）"),
        ("zh-CN", "康复活动", "rehabilitation_sessions", "visits", "康复活动（场）"),
        ("zh-CN", "走访户数", "households_visited", "households", "走访户数"),
        ("zh-CN", "覆盖率", "coverage", "percent", "覆盖率"),
        ("en", "Visits due", "visits_due", "visits", "Visits due"),
        ("en", "Done late", "visits_late", "visits", "Done late (visits)"),
        ("en", "Reported on time", "reports_on_time", "files", "Reported on time (reports)"),
    ],
)
def test_a_number_says_what_it_counts_and_says_it_once(
    language: str, label: str, name: str, unit: str, expected: str
) -> None:
    assert words.with_unit(label, name, unit, language) == expected


def test_a_number_is_bold_without_the_comma_after_it(ledger: Store) -> None:
    release_sweep(ledger)
    page = render_html(summary_of(ledger, "sweep", 1), "en")
    assert ",</strong>" not in page
    assert "<strong>7,293</strong>" in page


def test_villages_stand_once_by_what_is_said_of_their_reports(ledger: Store) -> None:
    release_sweep(ledger)
    summary = summary_of(ledger, "sweep", 1)
    groups = words.by_state(summary, "zh-CN")
    assert [len(group) for group in groups] == [1, 1, 1, 1, 10, 1]
    assert [each.village for group in groups for each in group if each.nil] == [CODES[1]]
    assert sorted(each.village for group in groups for each in group) == sorted(CODES)


def test_what_cannot_be_leads_the_table_and_the_picture_says_what_it_leaves_out(
    ledger: Store,
) -> None:
    release_sweep(ledger)
    summary = summary_of(ledger, "sweep", 1)
    assert words.villages_by_need(summary, CODES)[:2] == [CODES[7], CODES[5]]
    told = say("report.not_all_drawn", "zh-CN")
    pictures = {"coverage": Shown("coverage.png", "")}
    assert told in render_html(summary, "zh-CN", pictures)
    assert told not in render_html(summary, "zh-CN")


def test_what_happened_later_does_not_change_an_old_months_rectifications(ledger: Store) -> None:
    RELEASES["supervision", 1](ledger)
    before = summary_of(ledger, "supervision", 1).rectifications
    ledger.connection.execute(
        "UPDATE ledger.agg_rectification SET closed_round = 2, closed_on = DATE '2026-01-05'"
        " WHERE closed_on IS NULL"
    )
    ledger.connection.execute(
        "INSERT INTO ledger.agg_rectification VALUES ('autumn-2025', ?, 'subsidy_unpaid', 2,"
        " DATE '2026-01-05', DATE '2026-01-19', FALSE, NULL, NULL)",
        [CODES[0]],
    )
    assert summary_of(ledger, "supervision", 1).rectifications == before


def test_a_queue_without_a_session_left_asks_for_one(ledger: Store) -> None:
    RELEASES["diagnosis_queue", 0](ledger)
    todo = words.things_to_do(summary_of(ledger, "diagnosis_queue", 0), "en")
    assert [str(thing) for thing in todo] == [say("todo.sessions", "en")]


def test_aggregation_stands_beside_the_earlier_campaign(home: Home, ledger: Store) -> None:
    RELEASES["aggregation", 0](ledger)
    summary = read_summary(ledger, township(), "aggregation", 0, 1, earlier=("2025年春季行动",))
    page = Reader(render_html(summary, "zh-CN"))
    assert page.figures["earlier1_coverage", ""] == "88.2%"
    assert page.figures["earlier1_people_listed", ""] == "※"
    assert "2025年春季行动" in page.text
    assert figure_label("earlier1_coverage", "zh-CN", ("春季",)) == "覆盖率（春季）"
    assert "15 个村中，14 个已报送，12 个按时报送。" in page.text


def test_the_text_says_what_the_page_says(ledger: Store) -> None:
    release_sweep(ledger)
    summary = summary_of(ledger, "sweep", 1)
    page = " ".join(Reader(render_html(summary, "zh-CN")).text.split())
    text = render_text(summary, "zh-CN")
    for line in words.key_points(summary, "zh-CN") + words.footnotes(summary, "zh-CN"):
        assert line in text
        assert line in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_referral_is_stands_where_referrals_are(ledger: Store, language: str) -> None:
    said = say("foot.referral", language)
    for (phase, round_), make in RELEASES.items():
        if phase not in {"supervision", "quarterly_pack"}:
            make(ledger)
            lines = words.footnotes(summary_of(ledger, phase, round_), language)
            assert (said in lines) is (phase not in {"readiness", "follow_up"}), phase
    RELEASES["quarterly_pack", 1](ledger)
    pack = summary_of(ledger, "quarterly_pack", 1)
    assert said in words.footnotes(pack, language), "it took a sweep over"
    without = [each for each in pack.figures if not each.name.startswith("sweep_")]
    assert said not in words.footnotes(replace(pack, figures=tuple(without)), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_checks_that_all_held_leave_nothing_to_send_back(ledger: Store, language: str) -> None:
    release_sweep(ledger)
    summary = summary_of(ledger, "sweep", 1)
    numbers = {"suites": 2, "expectations": 42}
    assert words.footnotes(summary, language)[-1] == say("foot.checks_all", language, **numbers)
    broken = (replace(summary.checks[0], held=20), *summary.checks[1:])
    told = words.footnotes(replace(summary, checks=broken), language)
    assert told[-1] == say("foot.checks", language, held=41, **numbers)


def test_a_stricter_plan_states_its_own_rule(ledger: Store) -> None:
    release(ledger, "sweep", [withheld("referrals")], round=1)
    rules = township().rules.model_copy(update={"withhold_to": 20, "round_to": 10})
    plan = township().model_copy(update={"rules": rules})
    text = render_text(read_summary(ledger, plan, "sweep", 1, 1), "en")
    assert "counts of 1–20 are withheld, others rounded to the nearest 10" in text


def test_what_was_not_released_cannot_be_reported(home: Home, ledger: Store) -> None:
    with pytest.raises(WrongCommand) as refused:
        make_report(ledger, home, township(), "sweep", 1, 1, "en")
    assert refused.value.key == "error.no_revision"


def test_the_newest_report_is_written_again_from_the_ledger_alone(
    home: Home, ledger: Store
) -> None:
    release_sweep(ledger)
    release_sweep(ledger, revision=2)
    plan = township()

    page = write_newest(ledger, home, plan, "sweep", None)

    assert page == report_path(home, plan.slug, "sweep", 1, 2)
    assert page.with_suffix(".json").is_file()
    assert not home.register.exists()
    assert page.stat().st_mode & 0o077 == 0
    for phase, round_ in (("aggregation", None), ("sweep", 2)):
        with pytest.raises(WrongCommand) as refused:
            write_newest(ledger, home, plan, phase, round_)
        assert refused.value.key == "report.none"
        # in words, also where somebody asks for what there is not
        named = say(f"phase.{phase}")
        assert str(refused.value.values["phase"]).startswith(named)
    with pytest.raises(WrongCommand) as refused:
        write_newest(ledger, home, plan, "nothing", None)
    assert refused.value.values["phase"] == "nothing"


def test_a_phase_without_a_page_is_refused(ledger: Store) -> None:
    release(ledger, "retention", [])
    with pytest.raises(WrongCommand) as refused:
        render_html(summary_of(ledger, "retention", 0), "en")
    assert refused.value.key == "error.no_page"


def test_what_the_gate_stops_is_not_written(home: Home, ledger: Store) -> None:
    release(ledger, "sweep", [number("referrals", "people", 6)], round=1)
    with pytest.raises(DisclosureRisk):
        write_report(ledger, home, township(), "sweep", 1, 1, "zh-CN")
    assert not home.reports("autumn-2025").exists()


def test_every_figure_and_state_has_words_in_both_languages() -> None:
    ours = [key for key in keys() if key.split(".")[0] in {"figure", "reporting", "action", "key"}]
    assert len(ours) > 60
    assert not [key for key in ours if fields(key, "zh-CN") != fields(key, "en")]
    shortfalls = {*words.SHORTFALLS, *words.READINESS_SHORTFALLS}
    assert {key.removeprefix("action.") for key in keys("action.")} == shortfalls
    assert {key.removeprefix("shortfall.") for key in keys("shortfall.")} == shortfalls


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_that_stand_together_can_be_read(ledger: Store) -> None:
    """WCAG 2.1, 1.4.3: text has a contrast of at least 4.5 to its background."""
    RELEASES["supervision", 1](ledger)
    release_sweep(ledger)
    pages = [render_html(summary_of(ledger, phase, 1), "en") for phase in ("sweep", "supervision")]
    colour = r"#[0-9a-f]{6}"
    pairs = {
        pair
        for page in pages
        for pair in re.findall(rf"background: ?({colour})[^;]*; ?color: ?({colour})", page)
    }
    assert len(pairs) >= 12
    for pair in pairs:
        dark, light = sorted(map(_luminance, pair))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, pair
