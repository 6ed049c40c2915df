"""What a report's e-mail is made of: only what Outlook, QQ Mail and a telephone show.

Outlook sets mail with Word: it knows room around the text in cells of tables only, no greatest
width, no flex, grid, float, position or variable. QQ Mail drops the style sheet and the body's own
style. So styles stand at the elements, and what a program ignores may cost nothing but beauty.
"""

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from released_rows import RELEASES, make_ledger, township
from reports import words
from reports.picture_gate import PICTURES
from reports.render import Shown, render_html
from reports.summary import read_summary
from reports.write import write_report
from tasks.ledger import open_ledger
from tasks.mail import MailSettings, send_message
from tasks.outbox import Letter, read_content
from tasks.post_office import open_post_office
from tasks.rules.wording import LANGUAGES

TEXT = {
    *("color", "background", "font-family", "font-size", "font-weight", "font-style"),
    *("line-height", "text-align", "text-decoration", "white-space", "margin"),
}
"""Shown by Word and QQ Mail at any element."""

TABLES = {"width", "height", "border-collapse", "vertical-align", "padding"}
BORDERS = {"border", "border-top", "border-bottom", "border-left", "border-right"}
"""Shown at tables and their cells."""

COST_NOTHING = {
    *("border-radius", "max-width", "min-width", "display", "word-break", "overflow-wrap"),
    *("table-layout", "border-spacing"),
}
"""Ignored by one or the other, and readable without."""

MARKS = {"padding", *BORDERS}
"""At a word or picture: ignored by Word, and readable without."""

OF_TAG = {
    **dict.fromkeys(("table", "td", "th", "tr"), TEXT | TABLES | BORDERS | COST_NOTHING),
    **dict.fromkeys(("abbr", "span", "img"), TEXT | MARKS | COST_NOTHING | {"width", "height"}),
    # 0 everywhere, so that no program brings room of its own
    **dict.fromkeys(("ul", "ol", "body"), TEXT | {"padding"}),
}

_PLAIN_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


class Styles(HTMLParser):
    """The elements of a page with their own styles and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        parts = [part.partition(":") for part in given.get("style", "").split(";") if part.strip()]
        self.elements.append((tag, given, {name.strip(): v.strip() for name, _, v in parts}))

    def of(self, tag: str) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
        return ((given, style) for each, given, style in self.elements if each == tag)


@pytest.fixture(scope="module", params=LANGUAGES)
def pages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Every phase's page in one language, each with a place for every picture."""
    shown = {name: Shown(f"{name}.png", "63, 55") for name in PICTURES}
    found = {}
    for (phase, round_), release in RELEASES.items():
        with open_ledger(make_ledger(tmp_path_factory.mktemp(phase)), "write") as store:
            release(store)
            summary = read_summary(store, township(request.param), phase, round_, 1)
        found[phase] = render_html(summary, request.param, shown)
    return found


def test_styles_are_of_kinds_that_mail_programs_show(pages: dict[str, str]) -> None:
    wrong = set()
    for phase, page in pages.items():
        for tag, _, style in Styles(page).elements:
            wrong |= {(phase, tag, name) for name in style if name not in OF_TAG.get(tag, TEXT)}
            plain = style.get("background", "#000000")
            if not _PLAIN_COLOUR.fullmatch(plain):
                wrong.add((phase, tag, plain))
            if tag in {"ul", "ol", "body"} and style.get("padding", "0") != "0":
                wrong.add((phase, tag, "padding"))
    assert not wrong


def test_outside_the_style_sheet_nothing_hangs_on_it(pages: dict[str, str]) -> None:
    """QQ Mail drops it: then no colour may be the reader's own on a background of ours."""
    for page in pages.values():
        (inside,) = [
            style for _, given, style in Styles(page).elements if "ink" in given.get("class", "")
        ]
        assert {"color", "font-family", "font-size", "line-height"} <= set(inside)
        read = page.split("<![endif]-->", 1)[1]  # what follows is not for Outlook alone
        sheet = read[read.index("<style>") : read.index("</style>")]
        assert "@media (prefers-color-scheme: dark)" in sheet
        # all of it is for a narrow window, for paper or for the dark
        assert not re.sub(r"@media [^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", sheet[7:]).strip()


def test_tables_say_their_width_and_room_as_attributes(pages: dict[str, str]) -> None:
    for phase, page in pages.items():
        for given, style in Styles(page).of("table"):
            assert {"cellpadding", "cellspacing", "border"} <= set(given), phase
            assert style.get("width") in {None, "100%"}
            assert given.get("width") == style.get("width"), phase
        assert '<!--[if mso]><table role="presentation" width="600"' in page
        assert page.count("max-width:600px") == 1


def test_a_page_says_its_language_that_it_knows_the_dark_and_what_pictures_show(
    pages: dict[str, str],
) -> None:
    shown = 0
    for page in pages.values():
        styles = Styles(page)
        ((html, _),) = styles.of("html")
        # a program that shows mail in a page of its own drops <html>
        assert [given.get("lang") for _, given, _ in styles.elements].count(html["lang"]) == 2
        meta = {given.get("name"): given.get("content") for given, _ in styles.of("meta")}
        assert meta["color-scheme"] == meta["supported-color-schemes"] == "light dark"
        for given, style in styles.of("img"):
            shown += 1
            assert given["alt"]
            assert 0 < int(given["width"]) <= 540
            assert style["border"] == "0"
    assert shown >= 6


def test_the_message_is_the_same_thing_said_twice(tmp_path: Path) -> None:
    plan = township()
    home = make_ledger(tmp_path / "home")
    with open_ledger(home, "write") as store:
        RELEASES["supervision", 1](store)
        page, *_ = write_report(store, home, plan, "supervision", 1, 1, "zh-CN")
        points = words.key_points(read_summary(store, plan, "supervision", 1, 1), "zh-CN")
    of = (plan.slug, "supervision", 1, 1, "office", "leader@example.test", "summary", "督导 11 月")
    content = read_content(
        home, Letter("<1@x.invalid>", *of, str(page.relative_to(home.root)), None)
    )
    with open_post_office(tmp_path / "mail") as office:
        settings = MailSettings(
            host="127.0.0.1", port=office.port, sender="campaign@x.example", security="none"
        )
        send_message(
            settings,
            *("leader@example.test", "督导 11 月", content.html, content.text, "<1@x.invalid>"),
            pictures=content.pictures,
        )
        (path,) = office.folder.glob("*.eml")
        raw = path.read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)

    assert message.get_content_type() == "multipart/alternative"
    plain, related = message.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert all(point in plain.get_content() for point in points)
    assert related.get_content_type() == "multipart/related"
    assert related.get_param("type") == "text/html"
    html, *pictures = related.iter_parts()
    assert html.get_content_type() == "text/html"
    used = set(re.findall(r'src="cid:([^"]+)"', html.get_content()))
    ids = {str(each["Content-ID"]).strip("<>") for each in pictures}
    assert used == ids != set()
    assert {each.get_content_disposition() for each in pictures} == {"inline"}
    assert not list(message.iter_attachments())
    assert raw.count(b"MIME-Version:") == 1
    assert message["From"] == "campaign@x.example"
    assert message["Subject"] == "督导 11 月"
    assert message["Auto-Submitted"] == "auto-generated"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
