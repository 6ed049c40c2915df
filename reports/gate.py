"""The second, independent check of what is about to leave: page, text, JSON, CSV and subject.

DOMAIN.md section 7 asks for a gate that was written independently of what it checks. So it shares
no code with reports.summary, reports.render or the disclosure rule: it reads the released figures
itself, reads the finished files as any reader would, and asks where each number in them comes from.
What it does not recognise, it stops. It says which kind of file and which rule, never the value.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from html.parser import HTMLParser
from typing import Any, TypedDict

from tasks.home import Home
from tasks.plan import Plan, load_plan
from tasks.rules.contract import FIGURE_STATES, UNITS
from tasks.rules.errors import DisclosureRisk
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store

LEAST_WITHHELD_TO, LEAST_ROUNDED_TO = 7, 5
"""What DOMAIN.md section 7 demands of every count of people: a plan may only be stricter."""

_FROM_EARLIER = re.compile(r"^earlier\d+_")

RATES_OF_PEOPLE = {
    "heed_rate": ("people_attended", "people_offered"),
    "confirmed_share": ("people_confirmed", "people_assessed"),
}
"""Rates of people: released only where both parts are, and made of just those (section 7)."""

JSON_KEYS = {"campaign", "phase", "round", "revision", "as_of", "audience", "figures"}
JSON_FIGURE_KEYS = {"name", "unit", "village", "value", "state"}
CSV_COLUMNS = [
    *("campaign", "phase", "round", "revision", "as_of", "audience"),
    *("name", "label", "unit", "village", "village_name", "value", "state"),
]

TAGS = frozenset(
    {
        *("html", "head", "meta", "title", "style", "body", "div", "span", "strong", "em", "abbr"),
        *("table", "thead", "tbody", "tfoot", "tr", "th", "td"),
        *("h1", "h2", "h3", "p", "ul", "ol", "li", "br"),
    }
)
ATTRIBUTES = frozenset(
    {
        *("lang", "charset", "name", "content", "role", "class", "style", "id", "title"),
        *("scope", "colspan", "data-figure", "data-village"),
    }
)
META = frozenset({"", "width=device-width, initial-scale=1", "light dark"})
"""All that a page may say about itself where no reader sees it."""
_VOID = {"meta", "br"}
_INLINE = {"span", "strong", "em", "abbr"}

_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?:-\d\d(?:-\d\d)?(?!\d)|\s*年(?:\s*\d{1,2}\s*月(?:\s*\d{1,2}\s*日)?)?)"
)
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_PEOPLE_AFTER = re.compile(
    r"(\d+(?:,\d{3})*(?:\.\d+)?)\s*(?:[人名位]|people|persons?|referrals?|residents?|adults?)",
    re.IGNORECASE,
)
_ID_NUMBER = re.compile(r"(?<!\d)\d{14,17}[\dXx](?![\dXx])")
_PHONE = re.compile(r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)|(?<!\d)0\d{9,11}(?!\d)")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
_LABEL = re.compile(r"患者|病人|病例|个案|\bpatients?\b|\bcases?\b", re.IGNORECASE)
_FETCHES = re.compile(r"url\s*\(|@import|expression\s*\(|https?:|//", re.IGNORECASE)
_FORMULA = re.compile(r"^[=+\-@\t\r]")


class _Key(TypedDict):
    campaign: str
    phase: str
    round: int
    revision: int


@dataclass(frozen=True)
class Released:
    """One figure as the ledger says it was released; `village` is '' for the township."""

    name: str
    unit: str
    village: str
    value: float | None
    state: str


@dataclass(frozen=True)
class Allowed:
    """All that a report of one revision may say, read from ledger and plan, not from the report."""

    figures: Mapping[tuple[str, str], Released]
    """By name and village."""
    before: tuple[Released, ...]
    """The revision before: a report says what changed."""
    frame: frozenset[float]
    """Numbers that are no figures: round, revision, data checks, villages in a reporting state."""
    names: tuple[str, ...]
    """Names and village codes from the plan in NFKC; they may hold digits of their own."""
    sentences: tuple[str, ...]
    """The fixed sentences that state the rule of protection, numbers included; in NFKC."""
    identity: Mapping[str, Any]
    """What JSON and CSV must say the report is."""
    withhold_to: int = LEAST_WITHHELD_TO
    round_to: int = LEAST_ROUNDED_TO
    """The plan's numbers; what was released before or by an earlier campaign may follow others."""

    @cached_property
    def people(self) -> frozenset[str]:
        """The released counts of people, as pages show numbers."""
        return self._numbers(people=True)

    @cached_property
    def others(self) -> frozenset[str]:
        """All other numbers that may stand in a sentence, as pages show numbers."""
        return self._numbers(people=False) | frozenset(map(_shown, self.frame))

    @cached_property
    def people_labels(self) -> re.Pattern[str]:
        """A number that follows what a figure about people is called, in either language."""
        units = {_FROM_EARLIER.sub("", f.name): f.unit for f in self._everything()}
        people, others = (
            _longest_first(
                say(f"figure.{name}", language)
                for name, unit in units.items()
                if (unit == "people") is about_people
                for language in LANGUAGES
            )
            for about_people in (True, False)
        )
        # A rate's label may begin like a count's: 确诊占比 is no 确诊.
        longer = _any_of(label for label in others if label.startswith(tuple(people)))
        return re.compile(
            rf"(?!{longer})(?:{_any_of(people)})[^\d\n。;；,，]{{0,8}}(\d+(?:,\d{{3}})*(?:\.\d+)?)"
        )

    def unexplained(self, text: str) -> str:
        """Return `text` in NFKC without what may hold digits: the rule, names, codes, dates."""
        return _DATE.sub(" ", self._explained.sub(" ", unicodedata.normalize("NFKC", text)))

    @cached_property
    def _explained(self) -> re.Pattern[str]:
        # Not inside a longer number: an ID begins like a village code.
        return re.compile(rf"{_any_of(self.sentences)}|(?<!\d)(?:{_any_of(self.names)})(?!\d)")

    def _everything(self) -> tuple[Released, ...]:
        return (*self.figures.values(), *self.before)

    def _numbers(self, *, people: bool) -> frozenset[str]:
        return frozenset(
            _shown(f.value)
            for f in self._everything()
            if f.value is not None and (f.unit == "people") is people
        )


def read_allowed(
    store: Store,
    plan: Plan,
    phase: str,
    round: int,
    revision: int,
    *,
    audience: str = "office",
    earlier: Iterable[str] = (),
) -> Allowed:
    """Return what a report of this revision may say; figures from the ledger, names from the plan.

    `earlier`: names of earlier campaigns. Raises DisclosureRisk where the revision is not released.
    """
    key: _Key = {"campaign": plan.slug, "phase": phase, "round": round, "revision": revision}
    rows = store.rows("report/allowed", **key, audience=audience)
    frame = store.records("report/allowed_frame", **key)
    if not frame:
        raise DisclosureRisk("gate.not_released", kind=phase)
    states = store.rows("report/allowed_states", **key)
    names = {plan.name, plan.name_en, plan.slug, plan.health_centre.name, plan.health_centre.code}
    names |= {village.name for village in plan.villages}
    names |= {village.code for village in plan.villages}
    names |= {*plan.earlier, *earlier}
    rules = {"withhold_to": plan.rules.withhold_to, "round_to": plan.rules.round_to}
    counted = [count for _, count in states]
    expected = sum(count for state, count in states if state != "not_expected")
    return Allowed(
        figures={(row[1], row[3]): Released(*row[1:]) for row in rows if row[0] == revision},
        before=tuple(Released(*row[1:]) for row in rows if row[0] != revision),
        frame=frozenset(
            [0, round, revision, revision - 1, expected, *counted]
            + [frame[0][name] for name in ("suites", "expectations", "held")]
        ),
        names=_names_to_know(names),
        sentences=tuple(
            unicodedata.normalize("NFKC", say("foot.protection", language, **rules))
            for language in LANGUAGES
        ),
        identity={
            "campaign": plan.slug,
            "phase": phase,
            "round": round or None,
            "revision": revision,
            "as_of": frame[0]["as_of"].isoformat(),
            "audience": audience,
        },
        withhold_to=plan.rules.withhold_to,
        round_to=plan.rules.round_to,
    )


def check_report(files: Mapping[str, str], allowed: Allowed) -> None:
    """Check finished files by kind: html, txt, json, csv, subject. None may leave unless all pass.

    Raises DisclosureRisk naming the kind and the rule, never the value.
    """
    check_figures(allowed)
    checks: dict[str, Callable[[str, Allowed], None]] = {
        "html": _check_html,
        "txt": _check_txt,
        "json": _check_json,
        "csv": _check_csv,
        "subject": _check_txt_as("subject"),
    }
    for kind, content in files.items():
        if kind not in checks:
            raise DisclosureRisk("gate.unknown_part", kind=kind)
        checks[kind](content, allowed)


def check_figures(allowed: Allowed) -> None:
    """Check the released figures themselves: no small or unrounded count, no rate of hidden parts.

    Raises DisclosureRisk.
    """
    for figure in (*allowed.figures.values(), *allowed.before):
        if figure.unit not in UNITS or figure.state not in FIGURE_STATES:
            raise DisclosureRisk("gate.unknown_part", kind="ledger")
        if (figure.value is None) is (figure.state in {"released", "zero"}):
            raise DisclosureRisk("gate.not_released", kind="ledger")
        if (figure.state == "zero") is (figure.value is None or figure.value != 0):
            raise DisclosureRisk("gate.not_released", kind="ledger")
        if figure.unit == "people" and not _may_count_people(
            figure.value, LEAST_WITHHELD_TO, LEAST_ROUNDED_TO
        ):
            raise DisclosureRisk("gate.small_count", kind="ledger")
    for (name, village), figure in allowed.figures.items():
        own = figure.unit == "people" and not _FROM_EARLIER.match(name)
        if own and not _may_count_people(figure.value, allowed.withhold_to, allowed.round_to):
            raise DisclosureRisk("gate.small_count", kind="ledger")
        if name in RATES_OF_PEOPLE and figure.value is not None:
            _check_rate(
                figure.value, [allowed.figures.get((p, village)) for p in RATES_OF_PEOPLE[name]]
            )


def mail_gate(store: Store, home: Home) -> Callable[[str, str, int, int, Mapping[str, str]], None]:
    """Return the check that the outbox runs on each message before it hands it over.

    It takes campaign, phase, round, revision and the parts by kind, and raises DisclosureRisk.
    """

    @cache  # one revision goes to several recipients
    def allowed(campaign: str, phase: str, round: int, revision: int) -> Allowed:
        plan = load_plan(home.plan(campaign))
        earlier = [name for pair in earlier_names(home, plan) for name in pair]
        return read_allowed(store, plan, phase, round, revision, earlier=earlier)

    def check(
        campaign: str,
        phase: str,
        round: int,
        revision: int,
        parts: Mapping[str, str],
    ) -> None:
        check_report(parts, allowed(campaign, phase, round, revision))

    return check


def earlier_names(home: Home, plan: Plan) -> list[tuple[str, str]]:
    """Return the names (zh-CN, en) of the plan's earlier campaigns; the slug where unknown."""
    known = []
    for slug in plan.earlier:
        path = home.plan(slug)
        earlier = load_plan(path) if path.is_file() else None
        known.append((earlier.name, earlier.name_en) if earlier else (slug, slug))
    return known


def _names_to_know(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names in NFKC, the longest first. A village called 7 does not make 7 harmless."""
    known = {unicodedata.normalize("NFKC", name) for name in names}
    whole = (name for name in known if not name.isdigit() or len(name) == 12)
    return _longest_first(whole)


def _longest_first(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(texts, key=lambda text: (-len(text), text)))


def _any_of(texts: Iterable[str]) -> str:
    """Return a pattern for any of `texts`; for none of them one that matches nothing."""
    return "|".join(map(re.escape, texts)) or r"(?!)"


def _may_count_people(value: float | None, withhold_to: int, round_to: int) -> bool:
    """Return whether a count that is not withheld can be shown as `value`."""
    if value is None or value == 0:
        return True
    largest = value + (round_to - 1) // 2
    return value > 0 and value % round_to == 0 and largest > withhold_to


def _check_rate(rate: float, parts: Iterable[Released | None]) -> None:
    values = [part.value for part in parts if part is not None and part.value is not None]
    # Half a percent covers rounding to whole percents; more would be made of other numbers.
    if len(values) != 2 or not values[1] or abs(rate - 100 * values[0] / values[1]) > 0.5:
        raise DisclosureRisk("gate.bad_rate", kind="ledger")


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _check_words(text: str, kind: str, allowed: Allowed) -> None:
    """Refuse what identifies or labels a person, however it is spaced or in full-width digits."""
    plain = unicodedata.normalize("NFKC", text)
    if _MAIL.search(plain):
        raise DisclosureRisk("gate.mail_address", kind=kind)
    if _LABEL.search(plain):
        raise DisclosureRisk("gate.label", kind=kind)
    bare = allowed.unexplained(text)
    joined = re.sub(r"(?<=\d)[ \u2010-\u2015-](?=\d)", "", bare)
    for candidate in (bare, joined):
        if _ID_NUMBER.search(candidate):
            raise DisclosureRisk("gate.id_number", kind=kind)
        if _PHONE.search(candidate):
            raise DisclosureRisk("gate.phone_number", kind=kind)


def _check_prose(text: str, kind: str, allowed: Allowed) -> None:
    """Ask of every number in a line where it comes from."""
    if not text or text.isspace():
        return
    _check_words(text, kind, allowed)
    plain = allowed.unexplained(text)
    counted = [found.span(1) for found in _PEOPLE_AFTER.finditer(plain)]
    counted += [found.span(1) for found in allowed.people_labels.finditer(plain)]
    for found in _NUMBER.finditer(plain):
        value = _shown(_number(found[0]))
        if any(start <= found.start() < end for start, end in counted):
            if value not in allowed.people:
                raise DisclosureRisk("gate.unknown_people_number", kind=kind)
        elif value not in allowed.others:
            raise DisclosureRisk("gate.unknown_number", kind=kind)


def _shown(value: float) -> str:
    """Return a number as pages show it: with at most one decimal."""
    return f"{value:.1f}"


def _check_txt(content: str, allowed: Allowed, kind: str = "txt") -> None:
    for line in content.splitlines():
        _check_prose(line, kind, allowed)


def _check_txt_as(kind: str) -> Callable[[str, Allowed], None]:
    def check(content: str, allowed: Allowed) -> None:
        _check_txt(content, allowed, kind)

    return check


def _check_json(content: str, allowed: Allowed) -> None:
    try:
        report = json.loads(content)
    except ValueError:
        raise DisclosureRisk("gate.unknown_part", kind="json") from None
    if not isinstance(report, dict) or set(report) != JSON_KEYS:
        raise DisclosureRisk("gate.unknown_part", kind="json")
    if {key: report[key] for key in allowed.identity} != dict(allowed.identity):
        raise DisclosureRisk("gate.not_released", kind="json")
    if not isinstance(report["figures"], list):
        raise DisclosureRisk("gate.unknown_part", kind="json")
    figures = []
    for figure in report["figures"]:
        if not isinstance(figure, dict) or set(figure) != JSON_FIGURE_KEYS:
            raise DisclosureRisk("gate.unknown_part", kind="json")
        village = "" if figure["village"] is None else figure["village"]
        figures.append(
            Released(figure["name"], figure["unit"], village, figure["value"], figure["state"])
        )
    _check_same_figures(figures, "json", allowed)


def _check_csv(content: str, allowed: Allowed) -> None:
    rows = list(csv.reader(io.StringIO(content.removeprefix("\ufeff"))))
    if not rows or rows[0] != CSV_COLUMNS:
        raise DisclosureRisk("gate.unknown_part", kind="csv")
    identity = ["" if part is None else str(part) for part in allowed.identity.values()]
    figures = []
    for row in rows[1:]:
        if len(row) != len(CSV_COLUMNS):
            raise DisclosureRisk("gate.unknown_part", kind="csv")
        if any(_FORMULA.match(cell) for cell in row):
            raise DisclosureRisk("gate.spreadsheet_formula", kind="csv")
        if row[:6] != identity:
            raise DisclosureRisk("gate.not_released", kind="csv")
        name, label, unit, village, village_name, value, state = row[6:]
        for cell in (label, village_name):
            _check_prose(cell, "csv", allowed)
        try:
            number = float(value) if value else None
        except ValueError:
            raise DisclosureRisk("gate.unknown_part", kind="csv") from None
        figures.append(Released(name, unit, village, number, state))
    _check_same_figures(figures, "csv", allowed)


def _check_same_figures(figures: list[Released], kind: str, allowed: Allowed) -> None:
    try:
        found = {(figure.name, figure.village): figure for figure in figures}
    except TypeError:  # a name or village that is no text
        raise DisclosureRisk("gate.unknown_part", kind=kind) from None
    if len(found) != len(figures) or found != dict(allowed.figures):
        raise DisclosureRisk("gate.not_released", kind=kind)


@dataclass
class _Block:
    """One stretch of text a reader sees as one: a cell, a line, a heading."""

    tag: str
    figure: tuple[str, str] | None = None
    text: list[str] = field(default_factory=list)


def _check_html(content: str, allowed: Allowed) -> None:
    page = _Page(allowed)
    page.feed(content)
    page.close()
    for block in page.finished():
        text = "".join(block.text)
        if block.figure is not None:
            _check_cell(text, allowed.figures.get(block.figure), allowed)
        elif block.tag == "td":
            _check_prose(text, "html", allowed)
            # A number in a cell stands under a figure's name, or it has no business there.
            if re.search(r"\d", allowed.unexplained(text)):
                raise DisclosureRisk("gate.unknown_number", kind="html")
        else:
            _check_prose(text, "html", allowed)


def _check_cell(text: str, figure: Released | None, allowed: Allowed) -> None:
    _check_words(text, "html", allowed)
    if figure is None:
        raise DisclosureRisk("gate.unknown_part", kind="html")
    numbers = _NUMBER.findall(unicodedata.normalize("NFKC", text))
    expected = [] if figure.value is None else [_shown(figure.value)]
    if [_shown(_number(number)) for number in numbers] != expected:
        raise DisclosureRisk("gate.not_released", kind="html")


class _Page(HTMLParser):
    """Reads a page into its blocks of text; stops at any tag or attribute it does not know."""

    def __init__(self, allowed: Allowed) -> None:
        super().__init__(convert_charrefs=True)
        self._allowed = allowed
        self._open: list[_Block] = [_Block("page")]
        self._done: list[_Block] = []

    def finished(self) -> list[_Block]:
        """Return all blocks that hold text."""
        blocks = [*self._done, *self._open]
        return [block for block in blocks if "".join(block.text).strip() or block.figure]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise DisclosureRisk("gate.unknown_part", kind="html")
        given = {name: value or "" for name, value in attrs}
        if not set(given) <= ATTRIBUTES:
            raise DisclosureRisk("gate.unknown_part", kind="html")
        if any(_FETCHES.search(value) for value in given.values()):
            raise DisclosureRisk("gate.unknown_part", kind="html")
        if given.get("content", "") not in META:
            raise DisclosureRisk("gate.unknown_part", kind="html")
        if re.search(r"\d", given.get("class", "") + given.get("id", "")):
            raise DisclosureRisk("gate.unknown_number", kind="html")
        # What a reader may hear or hover over is text like any other.
        _check_prose(given.get("title", ""), "html", self._allowed)
        if tag == "br":
            self._open[-1].text.append("\n")
        if tag in _VOID or tag in _INLINE:
            return
        figure = None
        if "data-figure" in given:
            figure = (given["data-figure"], given.get("data-village", ""))
        self._open.append(_Block(tag, figure))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or tag in _INLINE:
            return
        if self._open[-1].tag != tag:
            raise DisclosureRisk("gate.unknown_part", kind="html")
        self._done.append(self._open.pop())

    def handle_data(self, data: str) -> None:
        if self._open[-1].tag == "style":
            if _FETCHES.search(data) or "content:" in data.replace(" ", ""):
                raise DisclosureRisk("gate.unknown_part", kind="html")
            return
        self._open[-1].text.append(data)

    def handle_comment(self, data: str) -> None:
        raise DisclosureRisk("gate.unknown_part", kind="html")

    def unknown_decl(self, data: str) -> None:
        raise DisclosureRisk("gate.unknown_part", kind="html")

    def handle_pi(self, data: str) -> None:
        raise DisclosureRisk("gate.unknown_part", kind="html")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            raise DisclosureRisk("gate.unknown_part", kind="html")
