"""Every page read by axe in headless Chromium: both languages, light and dark, and small."""

from collections.abc import Iterator
from pathlib import Path

import axe_core_python
import pytest
from made_reports import READ, written
from playwright.sync_api import Browser, sync_playwright

from conftest import program
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
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    """Every page that is read in a browser, by language and name."""
    made = {
        language: written(tmp_path_factory.mktemp(language), language) for language in LANGUAGES
    }
    return {language: {name: made[language][name] for name in READ} for language in LANGUAGES}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_a_barrier(
    browser: Browser, pages: dict[str, dict[str, Path]], language: str, scheme: str
) -> None:
    found = {}
    page = browser.new_page(color_scheme=scheme, viewport={"width": 600, "height": 900})
    for name, path in pages[language].items():
        page.goto(path.as_uri())
        page.add_script_tag(path=AXE)
        result = page.evaluate("axe.run()")
        found[name] = [
            (violation["id"], node["html"][:160])
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
        assert result["passes"]
    page.close()
    assert found == {name: [] for name in READ}


def test_a_page_fits_a_telephone_and_its_pictures_are_seen(
    browser: Browser, pages: dict[str, dict[str, Path]]
) -> None:
    page = browser.new_page(viewport={"width": 375, "height": 800})
    for path in (path for of in pages.values() for path in of.values()):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path.name
        drawn = page.evaluate("[...document.images].map(i => [i.naturalWidth, i.width])")
        assert all(natural > 0 and 0 < shown <= 343 for natural, shown in drawn), path.name
    page.close()
