"""Every report as it was when somebody last looked at it: its text, its source, its picture.

After a change that is meant, `CAMPAIGN_GOLDEN=write pytest tests/test_golden.py` writes them anew;
look at what `git diff` and the pictures show before it is kept.
"""

import os
from collections.abc import Iterator
from difflib import unified_diff
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, sync_playwright

from conftest import program
from released_rows import RELEASES, make_ledger, township
from reports.sheets import sheet_path
from reports.shelf import write_shelf
from reports.write import write_report
from tasks.ledger import open_ledger
from tasks.rules.wording import LANGUAGES

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("CAMPAIGN_GOLDEN") == "write"

NAMES = (*(phase for phase, _ in RELEASES), "sheet", "shelf")
KEPT = {"html": NAMES, "txt": tuple(phase for phase, _ in RELEASES), "svg": NAMES}

WIDTH = 240
"""Of a kept picture, in pixels: what moves, breaks or is gone shows; how a machine smooths its
letters does not."""

MOST_TALLER = 0.04
MOST_DIFFERENT = 6.0
"""Grey levels out of 255, on average over a strip of the page."""
STRIP = 60


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, language: str) -> dict[str, Path]:
    """Every report's page by name, written as a release does."""
    pages = {}
    plan = township(language)
    for (phase, round_), release in RELEASES.items():
        home = make_ledger(tmp_path_factory.mktemp(phase))
        with open_ledger(home, "write") as store:
            release(store)
            page, *_ = write_report(store, home, plan, phase, round_, 1, language)
            pages[phase] = page
            if phase == "sweep":
                pages["shelf"] = write_shelf(store, home, {plan.slug: plan})
            if phase == "supervision":
                village = plan.villages[0].code
                pages["sheet"] = sheet_path(home, plan.slug, round_, 1, village)
    return pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def kept(name: str, language: str, kind: str) -> Path:
    return GOLDEN / f"{name}.{language}.{kind}"


def sources(page: Path, name: str) -> dict[str, str]:
    """The texts of a report by what they are kept as: page, plain text, pictures."""
    found = {f"{name}|html": page.read_text("utf-8")}
    if name in KEPT["txt"]:
        found[f"{name}|txt"] = page.with_suffix(".txt").read_text("utf-8")
        for picture in sorted(page.parent.glob(f"{page.stem}-*.svg")):
            found[f"{name}-{picture.stem.removeprefix(page.stem + '-')}|svg"] = picture.read_text(
                "utf-8"
            )
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_report_says_what_it_said(made: dict[str, Path], language: str, name: str) -> None:
    told = []
    for of, text in sources(made[name], name).items():
        path = kept(of.partition("|")[0], language, of.partition("|")[2])
        if WRITE:
            path.write_text(text, "utf-8")
        before = path.read_text("utf-8").splitlines()
        told += unified_diff(before, text.splitlines(), path.name, "now", lineterm="")
    assert not told, "\n".join(told)


@pytest.mark.parametrize("name", NAMES)
def test_a_report_looks_as_it_looked(
    browser: Browser, made: dict[str, Path], language: str, name: str
) -> None:
    page = browser.new_page(viewport={"width": 640, "height": 900}, color_scheme="light")
    page.goto(made[name].as_uri())
    now = small(page.screenshot(full_page=True))
    page.close()
    path = kept(name, language, "png")
    if WRITE:
        now.save(path, optimize=True)
    before = Image.open(path)
    assert abs(now.height - before.height) <= MOST_TALLER * before.height
    low = min(now.height, before.height)
    worst = max(
        ImageStat.Stat(ImageChops.difference(*(each.crop(box) for each in (now, before)))).mean[0]
        for top in range(0, low, STRIP)
        for box in ((0, top, WIDTH, min(top + STRIP, low)),)
    )
    assert worst <= MOST_DIFFERENT, f"{name} {language} differs by {worst:.1f} grey levels"


def small(screenshot: bytes) -> Image.Image:
    with Image.open(BytesIO(screenshot)) as whole:
        height = round(whole.height * WIDTH / whole.width)
        return whole.convert("L").resize((WIDTH, height), Image.Resampling.BOX)


def test_nothing_is_kept_that_no_report_is_compared_with() -> None:
    names = {path.name.split(".", 1)[0].partition("-")[0] for path in GOLDEN.iterdir()}
    assert names == set(NAMES)


def test_a_changed_picture_is_noticed(made: dict[str, Path], language: str) -> None:
    before = Image.open(kept("sweep", language, "png")).copy()
    changed = before.copy()
    changed.paste(0, (0, 0, WIDTH, STRIP // 2))
    strip = (0, 0, WIDTH, STRIP)
    difference = ImageChops.difference(before.crop(strip), changed.crop(strip))
    assert ImageStat.Stat(difference).mean[0] > MOST_DIFFERENT
