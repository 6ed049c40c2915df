"""The report shelf: what was released is on it, in words, linked, and nothing else is."""

import re
import stat
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from shutil import copyfile

import pytest
from playwright.sync_api import sync_playwright

from cli.main import main
from conftest import program
from released_rows import (
    CODES,
    NAMES,
    RELEASES,
    make_ledger,
    number,
    release,
    release_sweep,
    township,
    withheld,
)
from reports.picture_gate import PICTURES
from reports.shelf import (
    KINDS,
    Link,
    ShelfRevision,
    changes,
    read_shelf,
    render_shelf,
    shelf_path,
    write_shelf,
)
from reports.shelf_gate import AllowedOnShelf, check_shelf, read_allowed_on_shelf
from reports.summary import read_summary
from reports.words import changes as changes_of_report
from reports.write import report_path
from tasks.home import Home, private_folder
from tasks.ledger import open_ledger
from tasks.plan import Plan
from tasks.rules.errors import DisclosureRisk
from tasks.rules.wording import LANGUAGES, keys, say
from tasks.set_up import set_up
from tasks.store import Store

PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "autumn-2025.toml"

SLUG = "autumn-2025"

RELEASED = tuple(of for of in RELEASES if of[0] != "quarterly_pack")
"""What is put into one ledger: the pack brings months of its own."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which every phase was released, the sweep twice: made once, never changed."""
    home = make_ledger(tmp_path_factory.mktemp("made"))
    with open_ledger(home, "write") as store:
        for of in RELEASED:
            RELEASES[of](store)
        release_sweep(store, revision=2)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(private_folder(tmp_path / "home"))


@pytest.fixture
def ledger(home: Home) -> Iterator[Store]:
    """Nothing released."""
    make_ledger(home.root)
    with open_ledger(home, "write") as store:
        yield store


@pytest.fixture
def released(made: Home, home: Home) -> Iterator[Store]:
    """What was made, with the files of each revision that are written always."""
    copyfile(made.ledger, home.ledger)
    folder = private_folder(home.reports(SLUG))
    for phase, round, revision in [*((*of, 1) for of in RELEASED), ("sweep", 1, 2)]:
        for kind in ("html", "csv", "json", "txt"):
            (folder / report_path(home, SLUG, phase, round, revision, kind).name).touch()
    with open_ledger(home, "write") as store:
        yield store


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    """The township's plan."""
    return {SLUG: township()}


def revisions(store: Store, home: Home, plans: dict[str, Plan]) -> dict[str, ShelfRevision]:
    """The revisions on the shelf, by what they are of."""
    (campaign,) = read_shelf(store, home, plans).campaigns
    return {
        "/".join(map(str, revision.of[1:])): revision
        for phase in campaign.phases
        for revision in phase.revisions
    }


class Links(HTMLParser):
    """Reads the links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.hrefs.append(given["href"] or "")
        self.ids.append(given.get("id") or "")


def test_everything_released_is_on_the_shelf(
    released: Store, home: Home, plans: dict[str, Plan]
) -> None:
    found = revisions(released, home, plans)
    assert set(found) == {
        f"{phase}/{round}/{revision}"
        for phase, round in RELEASED
        for revision in ((1, 2) if phase == "sweep" else (1,))
    }
    sweep = found["sweep/1/2"]
    assert (sweep.as_of, sweep.status) == (date(2025, 11, 3), "due")
    assert (sweep.suites, sweep.expectations, sweep.held) == (2, 42, 42)


def test_phases_stand_in_the_order_of_the_plan_and_revisions_newest_first(
    released: Store, home: Home, plan: Plan
) -> None:
    # the small plan has other phases first; what it does not have stands last
    named = plan.model_copy(update={"slug": SLUG})
    (campaign,) = read_shelf(released, home, {SLUG: named}).campaigns
    order = [each.phase for each in campaign.phases]
    planned = [each.phase for each in plan.calendar if each.phase in order]
    assert order[: len(planned)] == planned
    (sweep,) = (each for each in campaign.phases if each.phase == "sweep")
    assert [each.number for each in sweep.revisions] == [2, 1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_leads_to_a_file_or_a_place_that_is_there(
    released: Store, home: Home, plans: dict[str, Plan], language: str
) -> None:
    write_shelf(released, home, plans)
    page = shelf_path(home, language, "zh-CN")
    read = Links(page.read_text(encoding="utf-8"))
    assert len(read.hrefs) > 20
    for href in read.hrefs:
        if href.startswith("#"):
            assert href[1:] in read.ids
        else:
            assert (page.parent / href).is_file(), href


def test_pictures_and_other_files_of_a_revision_are_linked_and_no_others(
    released: Store, home: Home, plans: dict[str, Plan]
) -> None:
    folder = home.reports(SLUG)
    for name in (
        "sweep-1-r2.pdf",
        "sweep-1-r2-coverage.png",
        "sweep-1-r2.en.docx",
        "sweep-1-r22.html",
        "sweep-11-r2.html",
        "sweep-1-r2.html.part",
        "sweep-1-r2.xlsx",
    ):
        (folder / name).touch()
    links = revisions(released, home, plans)["sweep/1/2"].links
    assert [(link.kind, link.href) for link in links] == [
        ("html", f"{SLUG}/sweep-1-r2.html"),
        ("pdf", f"{SLUG}/sweep-1-r2.pdf"),
        ("docx", f"{SLUG}/sweep-1-r2.en.docx"),
        ("csv", f"{SLUG}/sweep-1-r2.csv"),
        ("json", f"{SLUG}/sweep-1-r2.json"),
        ("txt", f"{SLUG}/sweep-1-r2.txt"),
        ("png", f"{SLUG}/sweep-1-r2-coverage.png"),
    ]


def test_each_village_has_its_sheet_linked_by_name(
    released: Store, home: Home, plans: dict[str, Plan]
) -> None:
    folder = private_folder(home.reports(SLUG) / "supervision-1-r1")
    for name in (f"{CODES[2]}.html", f"{CODES[0]}.html", "notes.html"):
        (folder / name).touch()
    assert revisions(released, home, plans)["supervision/1/1"].sheets == {
        code: f"{SLUG}/supervision-1-r1/{code}.html" for code in (CODES[0], CODES[2])
    }
    page = write_shelf(released, home, plans).read_text(encoding="utf-8")
    assert f'<a href="{SLUG}/supervision-1-r1/{CODES[2]}.html">{NAMES[2]}</a>' in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_is_called_by_what_it_shows(language: str) -> None:
    named = {Link("png", "x", picture).named(language) for picture in PICTURES}
    assert len(named) == len(PICTURES)
    assert all("PNG" in each and len(each) > len("PNG") for each in named)
    assert Link("png", "x", "reporting").named(language) != Link("svg", "x", "reporting").named(
        language
    )
    assert Link("csv", "x").named(language) == "CSV"


def test_every_kind_of_file_has_a_name() -> None:
    assert set(keys("shelf.kind.")) == {f"shelf.kind.{kind}" for kind in KINDS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_changed_is_said_as_the_report_says_it(
    released: Store, home: Home, plans: dict[str, Plan], language: str
) -> None:
    (campaign,) = read_shelf(released, home, plans).campaigns
    (sweep,) = (each for each in campaign.phases if each.phase == "sweep")
    said = changes(campaign, sweep.newest, language)
    assert said == changes_of_report(read_summary(released, plans[SLUG], "sweep", 1, 2), language)
    assert any(NAMES[5] in line for line in said)
    assert changes(campaign, sweep.revisions[1], language) == []


def test_a_revision_that_changed_a_detail_only_says_so(
    ledger: Store, home: Home, plans: dict[str, Plan]
) -> None:
    for revision in (1, 2):
        release(ledger, "list_compilation", [number("people_new", "people", 10)], revision=revision)
    (campaign,) = read_shelf(ledger, home, plans).campaigns
    newest = campaign.phases[0].newest
    assert changes(campaign, newest, "en") == [say("change.detail", "en")]


def test_of_many_revisions_the_older_ones_are_folded_away_and_all_are_there(
    ledger: Store, home: Home, plans: dict[str, Plan]
) -> None:
    for revision in range(1, 9):
        figures = [number("people_waiting", "people", 10 + 5 * revision)]
        release(ledger, "diagnosis_queue", figures, revision=revision)
    write_shelf(ledger, home, plans)
    page = shelf_path(home, "en", "zh-CN").read_text(encoding="utf-8")
    before, _, older = page.partition(say("shelf.older", "en"))
    for revision in range(1, 9):
        part = before if revision > 3 else older
        assert f'<th scope="row">Revision {revision}</th>' in part
        if revision > 1:
            assert f"Waiting: about {5 + 5 * revision} people → about {10 + 5 * revision}" in part
    assert page.count(" open>") == 1


def test_rows_sent_back_are_told_by_cell_as_far_as_they_may_be(
    ledger: Store, home: Home, plans: dict[str, Plan]
) -> None:
    release(
        ledger,
        "sweep",
        [
            number("households", "households", 600),
            withheld("returned_referral_phone"),
            number("returned_referral_birth_date", "people", 15),
            number("returned_coverage_grid", "rows", 3),
        ],
        round=1,
    )
    page = render_shelf(read_shelf(ledger, home, plans), "en")
    assert re.findall(r"<li>(Returned.*)</li>", page) == [
        f"Returned, Referrals: phone: {say('amount.people.withheld', 'en', value='')}",
        f"Returned, Referrals: birth date: {say('amount.people.released', 'en', value=15)}",
        "Returned, Coverage: grid: 3 rows",
    ]
    write_shelf(ledger, home, plans)


def test_writing_it_again_changes_nothing_and_it_is_private(
    released: Store, home: Home, plans: dict[str, Plan]
) -> None:
    page = write_shelf(released, home, plans)
    first = page.read_bytes()
    assert write_shelf(released, home, plans) == page
    assert page.read_bytes() == first
    assert page == home.root / "reports" / "index.html"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_the_index_is_in_the_language_of_the_township(
    released: Store, home: Home, plans: dict[str, Plan]
) -> None:
    plans = {SLUG: township("en")}
    page = write_shelf(released, home, plans)
    assert '<html lang="en">' in page.read_text(encoding="utf-8")
    other = page.with_name("index.zh-CN.html").read_text(encoding="utf-8")
    assert say("shelf.title", "zh-CN") in other


def test_an_empty_shelf_says_when_reports_come(
    ledger: Store, home: Home, plans: dict[str, Plan]
) -> None:
    page = write_shelf(ledger, home, plans).read_text(encoding="utf-8")
    assert say("shelf.empty", "zh-CN") in page
    assert "<h2" not in page


def test_campaigns_stand_by_their_newest_report(ledger: Store, home: Home) -> None:
    release_sweep(ledger)
    autumn = township()
    spring = autumn.model_copy(update={"slug": "spring-2025", "name": "春季", "name_en": "Spring"})
    ledger.connection.execute(
        "INSERT INTO ledger.out_revision SELECT 'spring-2025', * EXCLUDE (campaign, created_at), "
        "created_at - INTERVAL 90 DAY FROM ledger.out_revision"
    )
    shelf = read_shelf(ledger, home, {"spring-2025": spring, SLUG: autumn})
    assert [each.plan.slug for each in shelf.campaigns] == [SLUG, "spring-2025"]
    assert [campaign.plan.slug for campaign, _ in shelf.newest] == [SLUG, "spring-2025"]
    page = render_shelf(shelf, "en")
    assert '<a href="#c-spring-2025">Spring</a>' in page


def test_a_pack_is_called_by_its_quarter(ledger: Store, home: Home, plans: dict[str, Plan]) -> None:
    RELEASES["quarterly_pack", 1](ledger)
    phases = {
        phase.phase: phase
        for campaign in read_shelf(ledger, home, plans).campaigns
        for phase in campaign.phases
    }
    assert phases["quarterly_pack"].period is not None
    assert "Q" in phases["quarterly_pack"].period
    write_shelf(ledger, home, plans)


def test_the_command_needs_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "township")
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    set_up(home, PLAN)
    home.key_file.unlink()
    home.register.unlink()
    monkeypatch.setattr("sys.argv", ["campaign", "shelf"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert not ended.value.code
    page = Path(capsys.readouterr().out.strip())
    assert page == home.root / "reports" / "index.html"
    assert say("shelf.empty", "zh-CN") in page.read_text(encoding="utf-8")


AXE = Path(str(files("axe_core_python") / "axe.min.js"))


def test_anybody_can_read_it_in_light_and_dark_and_on_a_phone(
    released: Store, home: Home, plans: dict[str, Plan]
) -> None:
    chromium = program("chromium")
    write_shelf(released, home, plans)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for language, width, scheme in (("zh-CN", 390, "light"), ("en", 1000, "dark")):
            page = browser.new_page(
                viewport={"width": width, "height": 800},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.goto(shelf_path(home, language, "zh-CN").as_uri())
            page.add_script_tag(path=AXE)
            found = page.evaluate("axe.run()")
            broken = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
            assert broken == []
            assert len(found["passes"]) > 10
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wider) <= 0
        browser.close()


# --- its gate -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(made: Home, plans: dict[str, Plan]) -> str:
    with open_ledger(made) as store:
        return render_shelf(read_shelf(store, made, plans), "zh-CN")


@pytest.fixture(scope="module")
def allowed(made: Home, plans: dict[str, Plan]) -> AllowedOnShelf:
    with open_ledger(made) as store:
        return read_allowed_on_shelf(store, plans.values())


def test_the_shelf_passes(page: str, allowed: AllowedOnShelf) -> None:
    check_shelf(page, allowed)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("</main>", "<p>另有 3 人</p></main>", "gate.unknown_people_number"),
        ("</main>", "<p>另有 77 户</p></main>", "gate.unknown_number"),
        # a released number, but of no revision beside it
        ("</main>", "<p>50</p></main>", "gate.unknown_number"),
        ("</main>", "<p>患者</p></main>", "gate.label"),
        ("</main>", "<p>13800138000</p></main>", "gate.phone_number"),
        ("</main>", "<p aria-label='13800138000'></p></main>", "gate.phone_number"),
        ("</main>", "<script>1</script></main>", "gate.unknown_part"),
        ("</main>", "<p onclick='x'></p></main>", "gate.unknown_part"),
        ("</main>", "<a href='https://example.test/'>x</a></main>", "gate.unknown_part"),
        ("</main>", "<a href='../register.duckdb'>x</a></main>", "gate.unknown_part"),
        ("</main>", "<a href='javascript:x'>x</a></main>", "gate.unknown_part"),
        ("</main>", "<!-- x --></main>", "gate.unknown_part"),
        ("</main>", "</p></main>", "gate.unknown_part"),
        ("</style>", "p::before { content: 'x' }</style>", "gate.unknown_part"),
        ("</style>", "p { background: url(x) }</style>", "gate.unknown_part"),
    ],
)
def test_what_was_not_released_or_leads_elsewhere_is_stopped(
    page: str, allowed: AllowedOnShelf, old: str, new: str, rule: str
) -> None:
    assert page.count(old) == 1
    with pytest.raises(DisclosureRisk) as stopped:
        check_shelf(page.replace(old, new), allowed)
    assert stopped.value.key == rule


def test_each_campaign_shows_its_phases_as_of_its_newest_report(
    released: Store, home: Home, plans: dict[str, Plan], page: str
) -> None:
    (campaign,) = read_shelf(released, home, plans).campaigns
    assert campaign.as_of == date(2025, 12, 31)
    assert f"截至 {campaign.as_of}" in page
    assert page.count('<div class="calendar"') == page.count("<svg ") == 1
    for occurrence in plans[SLUG].calendar:
        assert f"{occurrence.opens} 至 {occurrence.due}" in page
    # what ran is closed, what is over and did not run is not
    standing = {each.phase: each.state for each in campaign.calendar}
    assert standing["list_compilation"] == "closed"
    assert standing["diagnosis_queue"] == "due"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        # a phase that lasts longer, or is none of the plan's; a number; more than a picture
        (r'("sweep\|1"[^>]*d="M[\d.]+,[\d.]+h)[\d.]+', r"\g<1>200", "gate.not_released"),
        (r'"sweep\|1"', '"sweep|7"', "gate.not_released"),
        (r"(aria-label=\"行动进度：)", r"\g<1>3 ", "gate.unknown_number"),
        (r"(aria-label=\"行动进度：)", r"\g<1>患者 ", "gate.label"),
        (r">截至 ", ">截至 3 ", "gate.unknown_number"),
        (r"(<svg )", r"<script>1</script>\g<1>", "gate.unknown_part"),
        (r"(<svg [^>]*>)", r'\g<1><image href="x"/>', "gate.unknown_part"),
        (r'id="p-autumn-2025"', 'id="p-spring-2025"', "gate.unknown_part"),
        (r' role="img"', ' role="img" style="x"', "gate.unknown_part"),
    ],
)
def test_the_picture_of_the_phases_is_checked_like_any(
    page: str, allowed: AllowedOnShelf, old: str, new: str, rule: str
) -> None:
    changed, found = re.subn(old, new, page, count=1)
    assert found
    with pytest.raises(DisclosureRisk) as stopped:
        check_shelf(changed, allowed)
    assert stopped.value.key == rule


def test_a_number_of_another_revision_is_stopped(page: str, allowed: AllowedOnShelf) -> None:
    # people referred: 45 in the first revision, 50 in the second; 25 is the queue's
    (line,) = re.findall(r"<li>[^<]*45[^<]*50[^<]*</li>", page)
    with pytest.raises(DisclosureRisk) as stopped:
        check_shelf(page.replace(line, line.replace("45", "25")), allowed)
    assert stopped.value.key == "gate.unknown_number"


def test_a_small_count_in_the_ledger_is_stopped(
    released: Store, plans: dict[str, Plan], page: str
) -> None:
    released.connection.execute(
        "UPDATE ledger.out_figure SET value = 3 WHERE name = 'people_listed' AND village = ''"
    )
    with pytest.raises(DisclosureRisk) as stopped:
        check_shelf(page, read_allowed_on_shelf(released, plans.values()))
    assert stopped.value.key == "gate.small_count"
