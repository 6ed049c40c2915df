"""Every page read by axe in headless Chromium: both languages, light and dark, and small."""

from collections.abc import Iterator
from pathlib import Path

import axe_core_python
import pytest
from playwright.sync_api import Browser, sync_playwright

from conftest import program
from released_rows import RELEASES, make_ledger, township
from reports.write import write_report
from tasks.ledger import open_ledger
from tasks.rules.wording import LANGUAGES

AXE = Path(axe_core_python.__file__).with_name("axe.min.js")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Every phase's page as it is written, by phase and language."""
    written = {}
    for language in LANGUAGES:
        for (phase, round_), make in RELEASES.items():
            # a ledger each: the pack brings months of its own
            home = make_ledger(tmp_path_factory.mktemp(f"{language}-{phase}"))
            with open_ledger(home, "write") as store:
                make(store)
                paths = write_report(store, home, township(language), phase, round_, 1, language)
                written[phase, language] = paths[0]
    return written


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_a_barrier(
    browser: Browser, pages: dict[tuple[str, str], Path], language: str, scheme: str
) -> None:
    found = {}
    page = browser.new_page(color_scheme=scheme, viewport={"width": 600, "height": 900})
    for (phase, each), path in pages.items():
        if each != language:
            continue
        page.goto(path.as_uri())
        page.add_script_tag(path=AXE)
        result = page.evaluate("axe.run()")
        found[phase] = [
            (violation["id"], node["html"][:160])
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
        assert result["passes"]
    page.close()
    assert found == {phase: [] for phase, _ in RELEASES}


def test_a_page_fits_a_telephone_and_its_pictures_are_seen(
    browser: Browser, pages: dict[tuple[str, str], Path]
) -> None:
    page = browser.new_page(viewport={"width": 375, "height": 800})
    for path in pages.values():
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path.name
        drawn = page.evaluate("[...document.images].map(i => [i.naturalWidth, i.width])")
        assert all(natural > 0 and 0 < shown <= 343 for natural, shown in drawn), path.name
    page.close()
