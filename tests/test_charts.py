"""Pictures say what was released and nothing else; the gate stops one that says more."""

import base64
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from email import message_from_bytes
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import vl_convert
from PIL import Image, ImageChops, ImageStat

from released_rows import (
    CODES,
    RELEASES,
    make_ledger,
    not_reported,
    number,
    release,
    release_sweep,
    sweep_figures,
    township,
    withheld,
)
from reports.charts import charts
from reports.gate import Allowed, check_report, let_pass, read_allowed
from reports.picture_gate import PICTURES, texts_of
from reports.pictures import SCALE, chunks, png_of, svg_of
from reports.summary import Summary, read_summary
from reports.write import make_report, report_path, write_report
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.mail import MailSettings, _client, _compose
from tasks.outbox import SUMMARY, Content, Letter, read_content
from tasks.rules.errors import DisclosureRisk
from tasks.rules.known_names import NameList
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store

NO_NAMES = NameList(bytes(32), frozenset(), frozenset())

EXPECTED = {
    "readiness": ["reporting"],
    "sweep": ["reporting", "coverage"],
    "list_compilation": [],
    "aggregation": ["calendar", "coverage"],
    "diagnosis_queue": ["waiting"],
    "follow_up": ["visits", "months"],
    "supervision": ["reporting", "visits", "months"],
    "quarterly_pack": ["months"],
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_ledger(tmp_path)


@pytest.fixture
def ledger(home: Home) -> Iterator[Store]:
    with open_ledger(home, "write") as store:
        yield store


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Allowed]:
    """The parts of a sweep that the gate lets through, and what they may say."""
    home = make_ledger(tmp_path_factory.mktemp("home"))
    with open_ledger(home, "write") as store:
        release_sweep(store)
        parts = make_report(store, home, township(), "sweep", 1, 1, "zh-CN")
        return parts, read_allowed(store, township(), "sweep", 1, 1)


def summary_of(ledger: Store, phase: str, round: int) -> Summary:
    return read_summary(ledger, township(), phase, round, 1)


@pytest.mark.parametrize(("phase", "round_"), RELEASES)
def test_each_phase_has_its_pictures_and_each_says_its_figures(
    ledger: Store, phase: str, round_: int
) -> None:
    RELEASES[phase, round_](ledger)
    for language in LANGUAGES:
        made = charts(summary_of(ledger, phase, round_), language)
        assert list(made) == EXPECTED[phase]
        assert set(made) <= set(PICTURES)
        for name, chart in made.items():
            assert chart.alt.startswith(say(f"chart.{name}", language))


def test_the_words_of_a_picture_hold_the_figures(ledger: Store) -> None:
    RELEASES["diagnosis_queue", 0](ledger)
    made = charts(summary_of(ledger, "diagnosis_queue", 0), "zh-CN")
    assert made["waiting"].alt == (
        "从同意到评估的等待天数：等待十四天以内 ※（人数不公布）；等待十五至三十天 约 10 人；"
        "等待三十一至六十天 ※（人数不公布）；等待六十一至九十天 0 人；等待九十天以上 0 人。"
    )


def test_coverage_leads_with_what_is_wrong_or_missing_then_the_lowest(ledger: Store) -> None:
    release_sweep(ledger)
    alt = charts(summary_of(ledger, "sweep", 1), "zh-CN")["coverage"].alt
    order = [part.split(" ")[0] for part in alt.partition("：")[2].rstrip("。").split("；")]
    assert order[:5] == ["石桥村", "桃园村", "云溪村", "梅子垭村", "长坪村"]
    assert len(order) == 10


def test_the_same_summary_gives_the_same_bytes(ledger: Store) -> None:
    release_sweep(ledger)
    summary = summary_of(ledger, "sweep", 1)
    first = charts(summary, "zh-CN")
    pixels = [png_of(chart.svg) for chart in first.values()]
    svg_of.cache_clear()
    png_of.cache_clear()
    assert charts(summary, "zh-CN") == first
    assert [png_of(chart.svg) for chart in first.values()] == pixels


def test_chinese_is_drawn_and_pictures_are_small(sweep: tuple[dict[str, str], Allowed]) -> None:
    """Without a font of theirs two words would come out as the same empty boxes."""
    parts, _ = sweep
    for name in ("reporting", "coverage"):
        pixels = base64.b64decode(parts[f"png-{name}"])
        assert len(pixels) < 25_000
        assert [kind for kind, _ in chunks(pixels)] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    changed = parts["svg-coverage"].replace("石桥村", "青岩村")
    assert png_of(changed) != png_of(parts["svg-coverage"])


@pytest.mark.parametrize("hidden", [withheld, not_reported])
def test_a_figure_without_a_number_has_a_mark_of_one_size(ledger: Store, hidden: Any) -> None:
    """What was withheld is not in the summary, and neither its size nor others' tell it."""
    rows = [row for row in sweep_figures() if row[0] != "coverage" or not row[2]]
    given = {"unit": "percent"}
    rows += [
        hidden("coverage", village=CODES[0], **given),
        hidden("coverage", village=CODES[1], **given),
        number("coverage", "percent", 80, CODES[2]),
    ]
    release(ledger, "sweep", rows, round=1)
    drawn = charts(summary_of(ledger, "sweep", 1), "en")["coverage"].svg
    boxes = [
        part for part in drawn.split("<path ") if f'aria-label="coverage|{CODES[0][:-2]}' in part
    ]
    widths = [part.partition('d="M140,')[2].partition("h")[2].partition("v")[0] for part in boxes]
    assert sorted(widths) == ["128", "24", "24"]


def refused(kind: str, content: str, allowed: Allowed) -> str:
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({kind: content}, allowed)
    return stopped.value.key.removeprefix("gate.")


TAMPERED = [
    # a longer bar, a thicker one, one moved out of its group's scale
    ("h160v16h-160Z", "h150v16h-150Z", "not_released"),
    ("h160v16h-160Z", "h160v17h-160Z", "not_released"),
    # a box as long as the hidden figure
    ("h24v16h-24Z", "h90v16h-90Z", "not_released"),
    # another figure's mark, or nobody's
    (f'aria-label="coverage|{CODES[7]}"', f'aria-label="referrals|{CODES[7]}"', "not_released"),
    (f'aria-label="coverage|{CODES[7]}"', "", "unknown_part"),
    # a number that is not the figure's, and one beside it
    (">102.0%<", ">101.0%<", "not_released"),
    (">石桥村<", ">石桥村 3 人<", "unknown_people_number"),
    (">石桥村<", ">石桥村 612<", "unknown_number"),
    (">石桥村<", ">石桥村 13800138000<", "phone_number"),
    (">石桥村<", ">患者<", "label"),
    # what is no picture
    ("<g ", "<script>1</script><g ", "unknown_part"),
    ("<g ", '<image href="x.png"/><g ', "unknown_part"),
    ("<g ", '<a href="https://example.test"/><g ', "unknown_part"),
    ("<g ", '<g onload="x" ', "unknown_part"),
    ("<g ", '<g id="three" ', "unknown_part"),
    ("<g ", "<!-- 3 --><g ", "unknown_part"),
    ("<svg ", '<!DOCTYPE svg [<!ENTITY a "3">]><svg ', "unknown_part"),
    ('fill="#edf1f5"', 'fill="url(x)"', "unknown_part"),
    # a rectangle or a line of text where none is
    ("<g ", '<rect width="93" height="9" fill="#000000"/><g ', "unknown_part"),
    ("<g ", "<tspan>3</tspan><g ", "unknown_part"),
    ("</svg>", "<style>g{}</style></svg>", "unknown_part"),
    ("</svg>", "", "unknown_part"),
    ("<g ", "stray<g ", "unknown_part"),
]


@pytest.mark.parametrize(("before", "after", "rule"), TAMPERED)
def test_the_gate_stops_a_picture_that_says_more(
    sweep: tuple[dict[str, str], Allowed], before: str, after: str, rule: str
) -> None:
    parts, allowed = sweep
    assert before in parts["svg-coverage"]
    changed = parts["svg-coverage"].replace(before, after, 1)
    assert refused("svg-coverage", changed, allowed) == rule


def test_the_gate_stops_a_strip_in_which_a_village_is_other_than_it_is(
    sweep: tuple[dict[str, str], Allowed],
) -> None:
    parts, allowed = sweep
    strip = parts["svg-reporting"]
    for before, after in (
        (f"{CODES[5]}|missing", f"{CODES[5]}|on_time"),
        (f"{CODES[5]}|missing", f"{CODES[6]}|missing"),
        ("h140v", "h130v"),
    ):
        assert before in strip
        assert refused("svg-reporting", strip.replace(before, after, 1), allowed) == "not_released"


def test_a_bar_never_shows_a_number_of_people(sweep: tuple[dict[str, str], Allowed]) -> None:
    parts, allowed = sweep
    people = {
        key: replace(figure, unit="people") if key[0] == "coverage" else figure
        for key, figure in allowed.figures.items()
    }
    with pytest.raises(DisclosureRisk):
        check_report({"svg-coverage": parts["svg-coverage"]}, replace(allowed, figures=people))


def test_steps_of_waiting_are_bars_of_what_was_released_and_nothing_else(ledger: Store) -> None:
    RELEASES["diagnosis_queue", 0](ledger)
    drawn = charts(summary_of(ledger, "diagnosis_queue", 0), "en")["waiting"].svg
    allowed = read_allowed(ledger, township(), "diagnosis_queue", 0, 1)
    check_report({"svg-waiting": drawn}, allowed)
    assert drawn.count("h24v16h-24Z") == drawn.count(">///<") == 2
    for before, after in (
        ("h24v16h-24Z", "h48v16h-48Z"),
        ("h160v16h-160Z", "h128v16h-128Z"),
        # another count of people, which nobody is to see the size of at a glance
        ('"waited_15_to_30|"', '"people_confirmed|"'),
    ):
        assert before in drawn
        changed = drawn.replace(before, after, 1)
        assert refused("svg-waiting", changed, allowed) == "not_released"
    of_village = {
        (name, CODES[0] if name == "waited_15_to_30" else village): figure
        for (name, village), figure in allowed.figures.items()
    }
    changed = drawn.replace('"waited_15_to_30|"', f'"waited_15_to_30|{CODES[0]}"')
    elsewhere = replace(allowed, figures=of_village)
    assert refused("svg-waiting", changed, elsewhere) == "not_released"


def test_a_revision_from_before_the_steps_shows_the_percentiles(ledger: Store) -> None:
    days = [number("waiting_median", "days", 23.5), number("waiting_p90", "days", 41)]
    release(ledger, "diagnosis_queue", days)
    made = charts(summary_of(ledger, "diagnosis_queue", 0), "zh-CN")
    assert made["waiting"].alt == "从同意到评估的等待天数：一半人不超过 23.5；九成人不超过 41。"


@pytest.mark.parametrize(("phase", "round_"), [("supervision", 1), ("follow_up", 0)])
def test_months_show_what_was_released_of_them(ledger: Store, phase: str, round_: int) -> None:
    RELEASES[phase, round_](ledger)
    made = charts(summary_of(ledger, phase, round_), "zh-CN")["months"]
    months = made.alt.partition("：")[2].rstrip("。").split("；")
    assert months[:2] == [
        "2025 年 7 月 应随访 58，按时完成 47",
        # of the newest revision
        "2025 年 8 月 应随访 61，按时完成 50",
    ]
    assert len(months) == (5 if phase == "supervision" else 4)
    allowed = read_allowed(ledger, township(), phase, round_, 1)
    check_report({"svg-months": made.svg}, allowed)
    for before, after in (
        (">应随访 61<", ">应随访 62<"),
        ('"visits_due|2025-08"', '"visits_due|2025-06"'),
    ):
        assert before in made.svg
        with pytest.raises(DisclosureRisk):
            check_report({"svg-months": made.svg.replace(before, after)}, allowed)


def test_months_know_nothing_that_came_later(ledger: Store) -> None:
    RELEASES["supervision", 1](ledger)
    before = charts(summary_of(ledger, "supervision", 1), "en")["months"]
    later = [number("visits_due", "visits", 90), number("visits_done", "visits", 9)]
    month = {"period": "2025-10", "campaign": "spring-2025", "as_of": date(2025, 12, 1)}
    release(ledger, "supervision", later, round=6, revision=2, **month)
    ledger.connection.execute(
        "UPDATE ledger.out_revision SET created_at = '2026-02-01' WHERE revision = 2 AND round = 6"
    )
    assert charts(summary_of(ledger, "supervision", 1), "en")["months"] == before
    allowed = read_allowed(ledger, township(), "supervision", 1, 1)
    assert allowed.months["visits_due", "2025-10"].value == 64


def test_the_calendar_says_every_phase_with_its_days_and_how_it_stands(ledger: Store) -> None:
    RELEASES["aggregation", 0](ledger)
    alt = charts(summary_of(ledger, "aggregation", 0), "zh-CN")["calendar"].alt
    assert alt.partition("：")[2].rstrip("。").split("；") == [
        "动员准备 2025-09-20 至 2025-10-31，已结束",
        "排查走访 第 1 轮 2025-10-08 至 2025-10-31，已结束",
        "诊断评估队列 2025-10-20 至 2025-12-31，进行中",
        "梳理名单 2025-11-01 至 2025-11-10，已结束",
        # its own run was not noted yet when the page was made
        "汇总 2025-11-11 至 2025-11-20，已到期",
        "督导 2025 年 11 月 2025-12-01 至 2025-12-05，未开始",
        "督导 2025 年 12 月 2026-01-01 至 2026-01-05（暂定），未开始",
        "随访 2025-12-01 至 2025-12-31，未开始",
        "季度例会材料 2025 年第四季度 2026-01-06 至 2026-01-09（暂定），未开始",
    ]


def test_a_calendar_shows_phases_where_the_plan_has_them(ledger: Store) -> None:
    RELEASES["aggregation", 0](ledger)
    drawn = charts(summary_of(ledger, "aggregation", 0), "en")["calendar"].svg
    allowed = read_allowed(ledger, township(), "aggregation", 0, 1)
    check_report({"svg-calendar": drawn}, allowed)
    moved = re.compile(r'(aria-label="(?:sweep\|1|as_of\|)"[^>]*d="M)([\d.]+),')
    assert len(moved.findall(drawn)) == 2
    for place in (0, 1):
        marks = list(moved.finditer(drawn))
        start, end = marks[place].span(2)
        further = drawn[:start] + str(float(marks[place][2]) + 5) + drawn[end:]
        assert refused("svg-calendar", further, allowed) == "not_released"
    missing = drawn.replace('"sweep|1"', '"sweep|2"')
    assert refused("svg-calendar", missing, allowed) == "not_released"
    more = drawn.replace(">open, due ", ">open 3, due ")
    assert refused("svg-calendar", more, allowed) == "unknown_number"


def test_a_label_of_any_length_is_written_whole(ledger: Store) -> None:
    RELEASES["aggregation", 0](ledger)
    name = "Spring 2025 outreach of the community mental-health service in the township of Yunxi"
    summary = replace(summary_of(ledger, "aggregation", 0), earlier=(name,))
    drawn = charts(summary, "en")["coverage"]
    assert "…" not in drawn.svg
    assert name in list(texts_of(drawn.svg))
    longest = max(re.findall(r"<tspan[^>]*>([^<]*)<", drawn.svg), key=len)
    assert len(longest) <= 20


def luminance(colour: tuple[float, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(part * share for part, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def in_dark(colour: tuple[float, ...]) -> tuple[float, ...]:
    """What base.html.j2 makes of a colour: invert(1), then hue-rotate(180deg) as CSS defines it."""
    rows = ((-0.574, 1.430, 0.144), (0.426, 0.430, 0.144), (0.426, 1.430, -0.856))
    turned = [1 - part for part in colour]
    return tuple(
        min(max(sum(a * b for a, b in zip(row, turned, strict=True)), 0), 1) for row in rows
    )


@pytest.mark.parametrize("scheme", [tuple, in_dark], ids=["light", "dark"])
def test_every_colour_of_a_chart_stands_out_on_its_panel(ledger: Store, scheme: Any) -> None:
    found = set()
    for phase, round_ in (("sweep", 1), ("aggregation", 0), ("follow_up", 0)):
        RELEASES[phase, round_](ledger)
        for chart in charts(summary_of(ledger, phase, round_), "en").values():
            texts = re.findall(r'<text[^>]* fill="#(\w{6})"', chart.svg)
            tiles = re.findall(r'<path aria-label="\d{12}\|[^>]* fill="#(\w{6})"', chart.svg)
            found |= {(text, "edf1f5") for text in texts if text != "ffffff"}
            found |= {("ffffff", tile) for tile in tiles if "coverage" not in chart.alt}
    assert len(found) > 8
    for pair in found:
        parts = [tuple(int(each[i : i + 2], 16) / 255 for i in (0, 2, 4)) for each in pair]
        dark, light = sorted(luminance(scheme(part)) for part in parts)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, pair


def test_a_palette_changes_nothing_that_is_seen(sweep: tuple[dict[str, str], Allowed]) -> None:
    parts, _ = sweep
    drawn = vl_convert.svg_to_png(parts["svg-coverage"], scale=SCALE)
    whole, small = (
        Image.open(BytesIO(each)).convert("RGB")
        for each in (drawn, base64.b64decode(parts["png-coverage"]))
    )
    difference = ImageStat.Stat(ImageChops.difference(whole, small))
    assert max(difference.mean) < 0.5
    assert len(drawn) > 2 * len(base64.b64decode(parts["png-coverage"]))


def test_pixels_are_those_of_the_picture_that_passed(
    sweep: tuple[dict[str, str], Allowed],
) -> None:
    parts, allowed = sweep
    both = {kind: parts[kind] for kind in ("svg-coverage", "png-coverage")}
    check_report(both, allowed)
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({**both, "png-coverage": parts["png-reporting"]}, allowed)
    assert stopped.value.key == "gate.changed"
    pixels = base64.b64decode(parts["png-coverage"])
    for more in (pixels + b"3", b"GIF89a", pixels[:-1]):
        said = base64.b64encode(more).decode("ascii")
        assert refused("png-coverage", said, allowed) == "unknown_part"
    assert refused("png-coverage", "no base64", allowed) == "unknown_part"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('src="sweep-1-r1-coverage.png"', 'src="sweep-1-r2-coverage.png"'),
        ('src="sweep-1-r1-coverage.png"', 'src="../sweep-1-r1-coverage.png"'),
        ('src="sweep-1-r1-coverage.png"', 'src="https://example.test/x.png"'),
        ('alt="走访覆盖率', 'alt="" lang="走访覆盖率'),
        ("<!--[if mso]>", "<!--[if mso]>3"),
    ],
)
def test_a_page_shows_only_its_own_pictures_and_says_each(
    sweep: tuple[dict[str, str], Allowed], before: str, after: str
) -> None:
    parts, allowed = sweep
    assert before in parts["html"]
    page = parts["html"].replace(before, after, 1)
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({**parts, "html": page}, allowed)
    assert stopped.value.key == "gate.unknown_part"


def test_a_page_does_not_pass_without_its_pictures(
    ledger: Store, sweep: tuple[dict[str, str], Allowed]
) -> None:
    parts, allowed = sweep
    for missing in ("png-coverage", "png-reporting"):
        rest = {kind: content for kind, content in parts.items() if kind != missing}
        with pytest.raises(DisclosureRisk) as stopped:
            let_pass(ledger, rest, allowed, NO_NAMES)
        assert stopped.value.key == "gate.unknown_part"


def test_pictures_lie_beside_their_page_for_nobody_else(home: Home, ledger: Store) -> None:
    release_sweep(ledger)
    page = report_path(home, "autumn-2025", "sweep", 1, 1)
    write_report(ledger, home, township(), "sweep", 1, 1, "zh-CN")
    for name in ("reporting", "coverage"):
        for form in ("svg", "png"):
            path = page.with_name(f"{page.stem}-{name}.{form}")
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    picture = page.with_name(f"{page.stem}-coverage.png")
    pixels = picture.read_bytes()
    picture.unlink()
    write_report(ledger, home, township(), "sweep", 1, 1, "zh-CN")
    assert picture.read_bytes() == pixels


def letter_of(home: Home, page: Path) -> Letter:
    return Letter(
        *("<1@campaign>", "autumn-2025", "sweep", 1, 1, "office", "office@example.test", SUMMARY),
        subject="排查走访",
        report=page.relative_to(home.root).as_posix(),
        body=None,
    )


def test_a_mail_brings_the_pictures_that_its_page_shows(home: Home, ledger: Store) -> None:
    release_sweep(ledger)
    page = report_path(home, "autumn-2025", "sweep", 1, 1)
    write_report(ledger, home, township(), "sweep", 1, 1, "zh-CN")
    content = read_content(home, letter_of(home, page))
    assert {"html", "txt", "subject", "png-reporting", "png-coverage"} == set(content.parts("x"))
    assert "src=" in content.html
    assert ".png" not in content.html

    settings = MailSettings(host="127.0.0.1", port=1, sender="centre@example.test", security="none")
    sent = _compose(
        *(_client(settings), "office@example.test", "x", content.html, content.text, "<1@c>", None),
        content.pictures,
    )
    parts = list(message_from_bytes(sent).walk())
    assert [part.get_content_type() for part in parts if not part.is_multipart()] == [
        *("text/plain", "text/html", "image/png", "image/png"),
    ]
    for part in parts:
        if part.get_content_type() == "image/png":
            name = str(part["Content-ID"]).strip("<>")
            assert f'src="cid:{name}"' in content.html
            assert part.get_payload(decode=True) in content.pictures.values()
            assert str(part["Content-Disposition"]).startswith("inline")


def test_a_mail_whose_picture_is_gone_is_not_made(home: Home, ledger: Store) -> None:
    release_sweep(ledger)
    page = report_path(home, "autumn-2025", "sweep", 1, 1)
    write_report(ledger, home, township(), "sweep", 1, 1, "zh-CN")
    page.with_name(f"{page.stem}-coverage.png").unlink()
    with pytest.raises(FileNotFoundError):
        read_content(home, letter_of(home, page))


def test_a_message_of_words_alone_has_no_picture() -> None:
    assert Content("words").pictures == {}
    assert set(Content("words").parts("x")) == {"txt", "subject"}
