"""Every report as it was when somebody last looked at it: its text, its source, its picture.

After a change that is meant, `CAMPAIGN_GOLDEN=write pytest tests/test_golden.py` writes them anew;
look at what `git diff` and the pictures show before it is kept.
"""

import os
import subprocess
from collections.abc import Iterator
from difflib import unified_diff
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from docx.table import Table
from made_reports import PHASES, PRINTED, READ, written
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, sync_playwright

from conftest import program
from tasks.rules.wording import LANGUAGES

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("CAMPAIGN_GOLDEN") == "write"

NAMES = (*READ, *PRINTED)

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
    return written(tmp_path_factory.mktemp("made"), language)


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
    if name in PRINTED:
        return {f"{name}|txt": printed_text(page)}
    found = {f"{name}|html": page.read_text("utf-8")}
    if name in PHASES:
        found[f"{name}|txt"] = page.with_suffix(".txt").read_text("utf-8")
        for picture in sorted(page.parent.glob(f"{page.stem}-*.svg")):
            found[f"{name}-{picture.stem.removeprefix(page.stem + '-')}|svg"] = picture.read_text(
                "utf-8"
            )
    return found


def printed_text(path: Path) -> str:
    """What a PDF or a Word document says, a line a paragraph or row."""
    if path.suffix == ".pdf":
        with pypdfium2.PdfDocument(path) as pages:
            return "\n".join(page.get_textpage().get_text_range() for page in pages)
    lines = []
    for part in Document(str(path)).iter_inner_content():
        if isinstance(part, Table):
            lines += [" | ".join(cell.text for cell in row.cells) for row in part.rows]
        else:
            lines.append(part.text)
    return "\n".join(lines)


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
    now = small(first_page(made[name]) if name in PRINTED else shown(browser, made[name]))
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


def shown(browser: Browser, path: Path) -> Image.Image:
    page = browser.new_page(viewport={"width": 640, "height": 900}, color_scheme="light")
    page.goto(path.as_uri())
    screenshot = page.screenshot(full_page=True)
    page.close()
    return Image.open(BytesIO(screenshot))


def first_page(path: Path) -> Image.Image:
    """How the first page of a PDF or a Word document looks."""
    if path.suffix == ".docx":
        profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
        turned = ("--convert-to", "pdf:writer_pdf_Export", "--outdir", str(path.parent / "word"))
        subprocess.run(
            [program("lowriter"), profile, "--headless", *turned, str(path)],
            check=True,
            capture_output=True,
            timeout=120,
        )
        path = path.parent / "word" / f"{path.stem}.pdf"
    with pypdfium2.PdfDocument(path) as pages:
        drawn: Image.Image = pages[0].render(scale=1.5).to_pil()
    return drawn


def small(whole: Image.Image) -> Image.Image:
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
