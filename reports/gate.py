"""The second, independent check of what is about to leave: page, text, JSON, CSV and subject.

DOMAIN.md section 7 asks for a gate that was written independently of what it checks. So it shares
no code with reports.summary, reports.render or the disclosure rule: it reads the released figures
itself, reads the finished files as any reader would, and asks where each number in them comes from.
What it does not recognise, it stops. It says which kind of file and which rule, never the value.

When a revision is released the register is open, so the gate is handed its names too, as hashes,
and keeps the SHA-256 of every part that passed. Mail is sent without the register: then nothing
passes but what passed before, byte for byte.
"""

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypedDict

from tasks.home import Home
from tasks.plan import Plan, load_plan
from tasks.rules.contract import FIGURE_STATES, PHASES, REPORTING_STATES, SHEETS, UNITS
from tasks.rules.errors import DisclosureRisk
from tasks.rules.known_names import FixedText, NameList
from tasks.rules.wording import LANGUAGES, fields, keys, say
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
_SPOKEN = (
    *("action.", "amount.", "change.", "count.", "figure.", "foot.", "key.", "list.", "mail."),
    *("mark.", "notice.", "period.", "phase.", "report.", "reporting.", "shortfall.", "todo."),
    *("plan.purpose.", "request.declined.", "unit."),
)
"""How the wording keys begin that reports and notices speak."""

_TEMPLATES = Path(__file__).with_name("templates")
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
_END_TAG_SAYS_MORE = re.compile(r"</(?![a-z][a-z0-9]*>)")
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
    def public(self) -> FixedText:
        """The names of places and campaigns, which are no people."""
        return FixedText(self.names)

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
        names=_public_names(plan, earlier),
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


def allowed_in_notice(plan: Plan, number: int, earlier: Iterable[str] = ()) -> Allowed:
    """Return what a notice or letter of a campaign may say: names from the plan, no figure.

    `number` is its own. The plan's rounds have names with a digit in them: those too.
    """
    return Allowed(
        figures={},
        before=(),
        frame=frozenset(),
        names=_public_names(plan, earlier),
        sentences=_rounds_of(plan),
        identity={"campaign": plan.slug, "phase": "", "round": None, "revision": number},
    )


def let_pass(store: Store, parts: Mapping[str, str], allowed: Allowed, names: NameList) -> None:
    """Check parts by kind with the register's names, and keep in the open ledger that they passed.

    What is kept is a SHA-256 a part; without it nothing is mailed. Raises as `check_report` does;
    then nothing is kept.
    """
    check_report(parts, allowed, names)
    hashes = [_sha256(content) for content in parts.values()]
    store.run("report/keep_passed", **_key_of(allowed), kinds=list(parts), hashes=hashes)


def have_passed(
    store: Store,
    campaign: str,
    phase: str,
    round: int,
    revision: int,
    parts: Mapping[str, str],
) -> bool:
    """Return whether all the parts passed the gate just as they are; `store` is an open ledger."""
    key: _Key = {"campaign": campaign, "phase": phase, "round": round, "revision": revision}
    return all(kind in _passed(store, key, content) for kind, content in parts.items())


def check_report(files: Mapping[str, str], allowed: Allowed, names: NameList | None = None) -> None:
    """Check finished files by kind: html, txt, json, csv, subject. None may leave unless all pass.

    `names` are the register's; None where no register is at hand. Raises DisclosureRisk naming the
    kind and the rule, never the value.
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
        if names is not None and _names_somebody(kind, content, allowed, names):
            raise DisclosureRisk("gate.name", kind=kind)


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


Gate = Callable[[str, str, int, int, Mapping[str, str]], None]
"""Checks the parts of a message for campaign, phase, round and revision; raises DisclosureRisk.

A notice or letter has no revision of a phase: '' and its number stand for phase and revision.
"""


def notice_gate(store: Store, home: Home, plan: Plan, names: NameList) -> Gate:
    """Return the gate for notices and letters being drafted, with the register's names at hand."""
    earlier = _earlier(home, plan)

    def check(
        campaign: str, phase: str, round: int, revision: int, parts: Mapping[str, str]
    ) -> None:
        if (campaign, phase, round) != (plan.slug, "", 0):
            raise DisclosureRisk("gate.not_released", kind="notice")
        let_pass(store, parts, allowed_in_notice(plan, revision, earlier), names)

    return check


def returned_gate(store: Store, plans: Mapping[str, Plan]) -> Gate:
    """Return the gate for messages to senders whose rows went back; they are of one form only.

    Such a message counts rows, which no notice may, so it is held to more: each line is one of four
    sentences, filled with names from the plan (by slug in `plans`), words of the contract, a day,
    counts and a random number. There is no place in it where anything else could stand.
    """

    def check(
        campaign: str, phase: str, round: int, revision: int, parts: Mapping[str, str]
    ) -> None:
        known = not phase and not round and campaign in plans
        if not known or not _says_what_returned(plans[campaign], parts):
            raise DisclosureRisk("gate.not_released", kind="returned")
        key: _Key = {"campaign": campaign, "phase": "", "round": 0, "revision": revision}
        hashes = [_sha256(content) for content in parts.values()]
        store.run("report/keep_passed", **key, kinds=list(parts), hashes=hashes)

    return check


def mail_gate(store: Store, home: Home) -> Gate:
    """Return the gate that the outbox runs on each message before it hands it over.

    It needs the ledger only: a part must be what passed before, byte for byte, and still hold
    against the ledger and the plan.
    """

    @cache  # one revision goes to several recipients
    def allowed(campaign: str, phase: str, round: int, revision: int) -> Allowed:
        plan = load_plan(home.plan(campaign))
        earlier = _earlier(home, plan)
        if not phase:
            return allowed_in_notice(plan, revision, earlier)
        return read_allowed(store, plan, phase, round, revision, earlier=earlier)

    def check(
        campaign: str, phase: str, round: int, revision: int, parts: Mapping[str, str]
    ) -> None:
        for kind, content in parts.items():
            if not have_passed(store, campaign, phase, round, revision, {kind: content}):
                raise DisclosureRisk("gate.changed", kind=kind)
        if not phase and _says_what_returned(load_plan(home.plan(campaign)), parts):
            return
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


def _earlier(home: Home, plan: Plan) -> list[str]:
    return [name for pair in earlier_names(home, plan) for name in pair]


def _says_what_returned(plan: Plan, parts: Mapping[str, str]) -> bool:
    """Whether all is in the sentences in which a sender is told which of its rows went back."""
    if set(parts) != {"txt", "subject"}:
        return False
    subject, line = (
        re.compile("|".join(_sentence(plan, f"return.notice_{name}") for name in names))
        for names in (("subject",), ("what", "reason", "how", "number"))
    )
    lines = parts["txt"].splitlines()
    return bool(subject.fullmatch(parts["subject"])) and all(map(line.fullmatch, lines))


def _sentence(plan: Plan, key: str) -> str:
    """Return a pattern for the text of `key`, in which a field may hold what the plan knows."""
    language = plan.language
    centre = plan.health_centre.name
    choices = {
        "campaign": [plan.name, plan.name_en],
        "centre": [centre],
        "village": [centre, *(village.name for village in plan.villages)],
        "phase": [say(f"phase.{phase}", language) for phase in PHASES],
        "sheet": [say(f"sheet.{sheet}", language) for sheet in SHEETS],
        "reason": [say(name, language) for name in keys("rule.")],
    }
    patterns = {name: f"(?:{_any_of(_longest_first(texts))})" for name, texts in choices.items()}
    patterns |= {"rows": r"[1-9]\d{0,6}", "day": r"20\d\d-\d\d-\d\d", "number": "[0-9A-F]{32}"}
    marks = {name: f"\0{name}\0" for name in fields(key, language)}
    pattern = re.escape(say(key, language, **marks))
    for name, mark in marks.items():
        pattern = pattern.replace(re.escape(mark), patterns[name])
    return pattern


def _sha256(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def _key_of(allowed: Allowed) -> _Key:
    identity = allowed.identity
    return {
        "campaign": identity["campaign"],
        "phase": identity["phase"],
        "round": identity["round"] or 0,
        "revision": identity["revision"],
    }


def _passed(store: Store, key: _Key, content: str) -> set[str]:
    """Return as which kinds a content passed for a revision."""
    return {kind for (kind,) in store.rows("report/passed", **key, sha256=_sha256(content))}


def _public_names(plan: Plan, earlier: Iterable[str]) -> tuple[str, ...]:
    names = {plan.name, plan.name_en, plan.slug, plan.health_centre.name, plan.health_centre.code}
    names |= {village.name for village in plan.villages}
    names |= {village.code for village in plan.villages}
    return _names_to_know({*names, *plan.earlier, *earlier})


@cache
def _spoken() -> FixedText:
    """Return all that the wording can put on a page; a field of it ends a stretch of text."""
    return FixedText(
        say(key, language, **dict.fromkeys(fields(key, language), 0))
        for key in keys()
        if key.startswith(_SPOKEN)
        for language in LANGUAGES
    )


@cache
def _identifiers() -> FixedText:
    """Return the words for programs: what figures, units, states and columns are called."""
    figures = (key.removeprefix("figure.") for key in keys("figure."))
    closed = (*PHASES, *UNITS, *FIGURE_STATES, *REPORTING_STATES, *LANGUAGES, "office")
    return FixedText([*figures, *closed, *JSON_KEYS, *JSON_FIGURE_KEYS, *CSV_COLUMNS])


@cache
def _markup() -> FixedText:
    """Return the Latin words that the templates are written in: tags, styles, fonts."""
    sources = (path.read_text(encoding="utf-8") for path in sorted(_TEMPLATES.glob("*.j2")))
    return FixedText(word for source in sources for word in re.findall("[A-Za-z]+", source))


def _names_somebody(kind: str, content: str, allowed: Allowed, names: NameList) -> bool:
    """Return whether a part, whose form is known to be right, names somebody anywhere."""
    prose = (_spoken(), allowed.public)
    if kind == "html":
        page = _read_page(content, allowed)
        texts = {*page.titles, *("".join(block.text) for block in page.finished())}
        for_programs = (allowed.public, _identifiers(), _markup())
        return any(names.known_in(text, prose) for text in texts) or any(
            names.known_in(text, for_programs) for text in set(page.for_programs)
        )
    found: Iterable[str] = content.splitlines()
    if kind == "json":
        found = _texts_in(json.loads(content))
    elif kind == "csv":
        found = _csv_cells(content)
    data = (*prose, _identifiers())
    return any(names.known_in(text, data) for text in set(found))


def _texts_in(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts_in([*value, *value.values()])
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)


def _csv_cells(content: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(content)) for cell in row]


def _names_to_know(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names in NFKC, the longest first. A village called 7 does not make 7 harmless."""
    known = {unicodedata.normalize("NFKC", name) for name in names}
    whole = (name for name in known if not name.isdigit() or len(name) == 12)
    return _longest_first(whole)


def _longest_first(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(texts, key=lambda text: (-len(text), text)))


def _rounds_of(plan: Plan) -> tuple[str, ...]:
    """Return what the plan's rounds are called, in NFKC, the longest first."""
    rounds = {(each.phase, each.round) for each in plan.calendar if each.round}
    return _longest_first(
        unicodedata.normalize(
            "NFKC",
            say("phase.with_round", language, phase=say(f"phase.{phase}", language), round=round),
        )
        for phase, round in rounds
        for language in LANGUAGES
    )


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
        report = json.loads(content, object_pairs_hook=_each_key_once)
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


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # of a key given twice only the last would be looked at
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


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
    if _END_TAG_SAYS_MORE.search(content):
        raise DisclosureRisk("gate.unknown_part", kind="html")
    for block in _read_page(content, allowed).finished():
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


def _read_page(content: str, allowed: Allowed) -> "_Page":
    page = _Page(allowed)
    page.feed(content)
    page.close()
    return page


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
        self.titles: list[str] = []
        """What a reader may hear or hover over."""
        self.for_programs: list[str] = []
        """All other values of attributes, and style sheets."""

    def finished(self) -> list[_Block]:
        """Return all blocks that hold text."""
        blocks = [*self._done, *self._open]
        return [block for block in blocks if "".join(block.text).strip() or block.figure]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise DisclosureRisk("gate.unknown_part", kind="html")
        given = {name: value or "" for name, value in attrs}
        if not set(given) <= ATTRIBUTES or len(given) != len(attrs):
            raise DisclosureRisk("gate.unknown_part", kind="html")
        if any(_FETCHES.search(value) for value in given.values()):
            raise DisclosureRisk("gate.unknown_part", kind="html")
        if given.get("content", "") not in META:
            raise DisclosureRisk("gate.unknown_part", kind="html")
        if re.search(r"\d", given.get("class", "") + given.get("id", "")):
            raise DisclosureRisk("gate.unknown_number", kind="html")
        # What a reader may hear or hover over is text like any other.
        self.titles.append(given.get("title", ""))
        _check_prose(self.titles[-1], "html", self._allowed)
        self.for_programs += [value for name, value in given.items() if name != "title"]
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
            self.for_programs.append(data)
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
