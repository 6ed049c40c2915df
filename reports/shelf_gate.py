"""The check of the shelf: every number on it belongs to the revision it stands beside.

Written, like the gate, without what makes the page: it reads ledger and page for itself. The shelf
is never mailed; it is stopped all the same where it says what was not released, links anything but
the files of the reports, or would fetch or run something.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from html.parser import HTMLParser

from reports.gate import (
    META,
    TAGS,
    Allowed,
    Released,
    allowed_in_calendar,
    allowed_on_shelf,
    check_figures,
    check_line,
    check_report,
)
from tasks.plan import Plan
from tasks.rules.errors import DisclosureRisk
from tasks.store import Store

ON_SHELF = TAGS | {"a", "caption", "details", "header", "main", "nav", "section", "summary"}
VOID = frozenset({"meta", "br"})
INLINE = frozenset({"a", "abbr", "em", "span", "strong"})
ATTRIBUTES = frozenset(
    {"lang", "charset", "name", "content", "class", "id", "scope", "href", "hreflang"}
    | {"aria-label", "aria-labelledby", "data-revision", "open"}
)

_LINK = re.compile(
    r"#[a-z][\w-]*|index(?:\.[A-Za-z-]+)?\.html|"
    r"[a-z0-9][\w-]*/[a-z_]+(?:-\d+)?-r\d+"
    r"(?:/\d{12}\.html|(?:[-.][A-Za-z_-]+)?\.(?:html|pdf|docx|csv|json|txt|svg|png))",
    re.ASCII,
)
"""A place on the page, the page in the other language, or a file of a campaign's reports: of a
revision, or of a village in its folder."""
_CALENDAR = re.compile(
    r'<div class="calendar" id="p-(?P<campaign>[a-z0-9][\w-]*)" role="img"'
    r' aria-label="(?P<said>[^"<>]*)">\s*(?P<svg><svg .*?</svg>)\s*</div>',
    re.ASCII | re.DOTALL,
)
_FETCHES = re.compile(r"url\s*\(|@import|expression\s*\(|content\s*:|//", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


@dataclass(frozen=True)
class AllowedOnShelf:
    """What the shelf may say: anywhere at all, and beside each revision."""

    anywhere: Allowed
    numbers: Mapping[str, frozenset[float]]
    """`<campaign>/<phase>/<round>/<revision>` -> the numbers that may stand beside it."""
    calendars: Mapping[str, Allowed]
    """Campaign -> what the picture of its phases may show."""

    def beside(self, revision: str) -> frozenset[float]:
        """Return the numbers that may stand beside a revision; none beside '', which is none."""
        return self.numbers.get(revision, frozenset())


def read_allowed_on_shelf(
    store: Store, plans: Iterable[Plan], *, audience: str = "office"
) -> AllowedOnShelf:
    """Return what a shelf of these campaigns may say, from an open ledger and the plans."""
    plans = list(plans)
    slugs = {plan.slug for plan in plans}
    numbers: dict[str, set[float]] = {}
    frame: set[float] = {0}
    as_of: dict[str, date] = {}
    for *of, day, period, expectations, held in store.rows("report/shelf_frame"):
        as_of[of[0]] = max(day, as_of.get(of[0], day))
        _, _, round, revision = of
        own = {0, round, revision, revision - 1, expectations, held}
        # a quarter is no date
        own |= {float(number) for number in _NUMBER.findall(period or "")}
        numbers[_named(of)] = own
        if of[0] in slugs:
            frame |= own
    figures = []
    for *of, name, unit, village, value, state in store.rows(
        "report/shelf_allowed", audience=audience
    ):
        if of[0] not in slugs:
            continue
        figures.append(Released(name, unit, village, value, state))
        if value is not None:
            campaign, phase, round, revision = of
            numbers[_named(of)].add(value)
            # the next revision says what it was before
            after = _named((campaign, phase, round, revision + 1))
            if after in numbers:
                numbers[after].add(value)
    return AllowedOnShelf(
        allowed_on_shelf(figures, frame, plans),
        {of: frozenset(map(_shown, own)) for of, own in numbers.items()},
        {
            plan.slug: allowed_in_calendar(store, plan, as_of[plan.slug])
            for plan in plans
            if plan.slug in as_of
        },
    )


def check_shelf(page: str, allowed: AllowedOnShelf) -> None:
    """Let a shelf's page pass, or raise DisclosureRisk naming the rule, never the value."""
    check_figures(allowed.anywhere)
    if re.search(r"</(?![a-z][a-z0-9]*>)", page):
        raise DisclosureRisk("gate.unknown_part", kind="shelf")
    reader = _Page()
    # SVG is no HTML: a picture is taken out and checked for itself
    reader.feed(_CALENDAR.sub(lambda found: _check_calendar(found, allowed), page))
    reader.close()
    beside: dict[str, set[str]] = {}
    for block in reader.blocks:
        beside.setdefault("".join(block.text).strip(), set()).add(block.revision)
    for text in filter(None, beside):
        check_line(text, "shelf", allowed.anywhere)
        plain = allowed.anywhere.unexplained(text)
        found = {_shown(float(number.replace(",", ""))) for number in _NUMBER.findall(plain)}
        if found and not all(found <= allowed.beside(revision) for revision in beside[text]):
            raise DisclosureRisk("gate.unknown_number", kind="shelf")


def _check_calendar(found: re.Match[str], allowed: AllowedOnShelf) -> str:
    """Check the picture of a campaign's phases and what is said for it; return what stays: ''."""
    calendar = allowed.calendars.get(found["campaign"])
    if calendar is None:
        raise DisclosureRisk("gate.unknown_part", kind="shelf")
    said = unescape(found["said"])
    check_line(said, "shelf", calendar)
    if re.search(r"\d", calendar.unexplained(said)):
        raise DisclosureRisk("gate.unknown_number", kind="shelf")
    check_report({"svg-calendar": found["svg"]}, calendar)
    return ""


def _named(of: Iterable[object]) -> str:
    return "/".join(map(str, of))


def _shown(value: float) -> float:
    return round(value, 1)


@dataclass
class _Block:
    """One stretch of text that a reader sees as one, and the revision it stands beside."""

    tag: str
    revision: str
    text: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    """Reads the shelf into its blocks; stops at any tag, attribute or link it does not know."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open = [_Block("page", "")]
        self.blocks: list[_Block] = [self._open[0]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in ON_SHELF or not set(given) <= ATTRIBUTES or len(given) != len(attrs):
            raise DisclosureRisk("gate.unknown_part", kind="shelf")
        if given.get("content", "") not in META:
            raise DisclosureRisk("gate.unknown_part", kind="shelf")
        if "href" in given and not _LINK.fullmatch(given["href"]):
            raise DisclosureRisk("gate.unknown_part", kind="shelf")
        if any(_FETCHES.search(value) for name, value in given.items() if name != "href"):
            raise DisclosureRisk("gate.unknown_part", kind="shelf")
        inside = given.get("data-revision", self._open[-1].revision)
        # what a reader may hear is text like any other
        self.blocks.append(_Block(tag, inside, [given.get("aria-label", "")]))
        if tag == "br":
            self._open[-1].text.append("\n")
        if tag in VOID or tag in INLINE:
            return
        self._open.append(_Block(tag, inside))
        self.blocks.append(self._open[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag in INLINE:
            return
        if self._open[-1].tag != tag:
            raise DisclosureRisk("gate.unknown_part", kind="shelf")
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open[-1].tag == "style":
            if _FETCHES.search(data):
                raise DisclosureRisk("gate.unknown_part", kind="shelf")
            return
        self._open[-1].text.append(data)

    def handle_comment(self, data: str) -> None:
        raise DisclosureRisk("gate.unknown_part", kind="shelf")

    def unknown_decl(self, data: str) -> None:
        raise DisclosureRisk("gate.unknown_part", kind="shelf")

    def handle_pi(self, data: str) -> None:
        raise DisclosureRisk("gate.unknown_part", kind="shelf")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            raise DisclosureRisk("gate.unknown_part", kind="shelf")
