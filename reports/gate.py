"""The second, independent check of what is about to leave: page, text, JSON, CSV and subject.

DOMAIN.md section 7 asks for a gate that was written independently of what it checks. So it shares
no code with reports.summary, reports.render or the disclosure rule: it reads the released figures
itself, reads the finished files as any reader would, and asks where each number in them comes from.
What it does not recognise, it stops. It says which kind of file and which rule, never the value.

When a revision is released the register is open, so the gate is handed its names too, as hashes,
and keeps the SHA-256 of every part that passed. Mail is sent without the register: then nothing
passes but what passed before, byte for byte.
"""

import base64
import binascii
import csv
import hashlib
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypedDict

from reports.picture_gate import KINDS as PICTURE_KINDS
from reports.picture_gate import PICTURES, Known, check_picture, texts_of
from tasks.home import Home
from tasks.plan import PACK, Plan, load_plan
from tasks.released_days import keep_released
from tasks.rules.contract import (
    FIGURE_STATES,
    PHASES,
    REPORTING_STATES,
    RUN_PHASES,
    SHEETS,
    UNITS,
)
from tasks.rules.errors import DisclosureRisk
from tasks.rules.input_quality import returned_label, returned_name
from tasks.rules.known_names import FixedText, NameList
from tasks.rules.wording import LANGUAGES, fields, keys, say
from tasks.store import Store

LEAST_WITHHELD_TO, LEAST_ROUNDED_TO = 7, 5
"""What DOMAIN.md section 7 demands of every count of people: a plan may only be stricter."""

WITH_CALENDAR, WITH_MONTHS = "aggregation", ("supervision", "follow_up")
"""Whose pages show the phases of the campaign, and whose what earlier months released."""

_FROM_EARLIER = re.compile(rf"^(?:(?:earlier|month|quarter)\d+_|(?:{'|'.join(RUN_PHASES)})_\d+_)+")
"""What a figure is called that was released before: by an earlier campaign, in a month of the
quarter, an earlier quarter, or another phase."""

RATES_OF_PEOPLE = {
    "heed_rate": ("people_attended", "people_offered"),
    "confirmed_share": ("people_confirmed", "people_assessed"),
    "managed_rate": ("rate_managed", "rate_registered"),
    "standard_rate": ("rate_standard", "rate_registered"),
    "medicated_rate": ("rate_medicated", "rate_registered"),
    "regularly_rate": ("rate_regularly", "rate_registered"),
    "stable_rate": ("rate_stable", "rate_assessed"),
}
"""Rates of people: released only where both parts are, and made of just those (section 7)."""

_OF_ROUND = re.compile(rf"({'|'.join(RUN_PHASES)})_(\d+)_")
"""How a figure begins that a round of another phase released."""

JSON_KEYS = {"campaign", "phase", "round", "revision", "as_of", "audience", "figures"}
JSON_FIGURE_KEYS = {"name", "unit", "village", "value", "state"}
DOCUMENT_KEYS = {
    *("language", "campaign", "title", "centre", "headings", "sections", "footnotes"),
}
SECTION_KEYS = {"id", "title", "note", "numbered", "lines", "heads", "rows"}
CSV_COLUMNS = [
    *("campaign", "phase", "round", "revision", "as_of", "audience"),
    *("name", "label", "unit", "village", "village_name", "value", "state"),
]

TAGS = frozenset(
    {
        *("html", "head", "meta", "title", "style", "body", "div", "span", "strong", "em", "abbr"),
        *("table", "thead", "tbody", "tfoot", "tr", "th", "td"),
        *("h1", "h2", "h3", "p", "ul", "ol", "li", "br", "img"),
    }
)
ATTRIBUTES = frozenset(
    {
        *("lang", "charset", "name", "content", "role", "class", "style", "id", "title"),
        *("scope", "colspan", "data-figure", "data-village"),
        *("src", "alt", "width", "height", "align", "bgcolor"),
        *("cellpadding", "cellspacing", "border"),
    }
)
FOR_WORD = frozenset(
    {
        '[if mso]><table role="presentation" width="600" align="center" cellpadding="0"'
        ' cellspacing="0" border="0"><tr><td><![endif]',
        '[if mso]><style>td,th,p,li,h1,h2,h3{font-family:"Microsoft YaHei",sans-serif !important}'
        "</style><![endif]",
        "[if mso]></td></tr></table><![endif]",
    }
)
"""The only comments: Outlook, which sets mail with Word, reads in them a table of 600 pixels around
the page, since it knows no greatest width, and a font, since its tables take none from around."""
META = frozenset({"", "width=device-width, initial-scale=1", "light dark"})
"""All that a page may say about itself where no reader sees it."""
_SPOKEN = (
    *("action.", "amount.", "calendar.", "change.", "chart.", "count.", "figure.", "foot."),
    *("input.", "key.", "list."),
    "mail.",
    *("mark.", "meeting.", "notice.", "period.", "phase.", "report.", "reporting.", "shortfall."),
    *("plan.purpose.", "request.declined.", "todo.", "unit."),
)
"""How the wording keys begin that reports and notices speak."""

_TEMPLATES = Path(__file__).with_name("templates")
_VOID = {"meta", "br", "img"}
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
    states: Mapping[str, str] = field(default_factory=dict)
    """The reporting state of each village."""
    months: Mapping[tuple[str, str], Released] = field(default_factory=dict)
    """What may be shown of earlier months, by name and month: figures about visits."""
    terms: Mapping[tuple[str, str], tuple[date, date]] = field(default_factory=dict)
    """From which day to which the phases of the plan are open, by phase and round."""
    as_of: date = date.min

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
                returned_label(name, language) or say(f"figure.{name}", language)
                for name, unit in units.items()
                if (unit == "people") is about_people
                for language in LANGUAGES
            )
            for about_people in (True, False)
        )
        # Another label may hold a count's: 确诊占比 is no 确诊, nor is a column of a sheet.
        longer = _any_of(label for label in others if any(each in label for each in people))
        return re.compile(
            rf"(?:{longer})"
            rf"|(?:{_any_of(people)})[^\d\n。;；,，]{{0,8}}(\d+(?:,\d{{3}})*(?:\.\d+)?)"
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
        return (*self.figures.values(), *self.before, *self.months.values())

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
    states: dict[str, str] = dict(store.rows("report/allowed_states", **key))
    rules = {"withhold_to": plan.rules.withhold_to, "round_to": plan.rules.round_to}
    counted = Counter(states.values())
    expected = counted.total() - counted["not_expected"]
    return Allowed(
        figures={(row[1], row[3]): Released(*row[1:]) for row in rows if row[0] == revision},
        before=tuple(Released(*row[1:]) for row in rows if row[0] != revision),
        frame=frozenset(
            [0, round, revision, revision - 1, expected, *counted.values()]
            + [frame[0][name] for name in ("suites", "expectations", "held")]
            # for how many days something is overdue, and how often that was said
            + [number for row in store.rows("report/allowed_overdue", **key) for number in row]
        ),
        names=_public_names(plan, earlier),
        sentences=tuple(
            unicodedata.normalize("NFKC", say("foot.protection", language, **rules))
            for language in LANGUAGES
        )
        + (_of_pack([row[1] for row in rows], frame[0]["as_of"].year) if phase == PACK else ())
        + (_in_calendar(plan) if phase == WITH_CALENDAR else ()),
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
        states=states,
        months={
            (row[1], row[0]): Released(*row[1:])
            for row in store.rows(
                "report/allowed_months", **key, campaigns=[plan.slug, *plan.earlier]
            )
        }
        if phase in WITH_MONTHS
        else {},
        terms=_terms_of(store, plan) if phase == WITH_CALENDAR else {},
        as_of=frame[0]["as_of"],
    )


def allowed_in_calendar(store: Store, plan: Plan, as_of: date) -> Allowed:
    """Return what a picture of a campaign's phases may say: names from the plan, no figure."""
    return Allowed(
        figures={},
        before=(),
        frame=frozenset(),
        names=_public_names(plan, ()),
        sentences=_in_calendar(plan),
        identity={},
        terms=_terms_of(store, plan),
        as_of=as_of,
    )


def allowed_on_shelf(
    figures: Iterable[Released], frame: Iterable[float], plans: Iterable[Plan]
) -> Allowed:
    """Return what a page over several revisions may say at all: `figures` and `frame` of them all.

    Which of it belongs to which revision, `reports/shelf_gate.py` asks.
    """
    plans = list(plans)
    return Allowed(
        figures={},
        before=tuple(figures),
        frame=frozenset(frame),
        names=_names_to_know(name for plan in plans for name in _public_names(plan, ())),
        sentences=(),
        identity={},
    )


def check_line(text: str, kind: str, allowed: Allowed) -> None:
    """Ask of every number in a line where it comes from; raises DisclosureRisk."""
    _check_prose(text, kind, allowed)


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
    _require_pictures(parts, allowed)
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
        "document": _check_document,
        "subject": _check_txt_as("subject"),
    }
    for kind, content in files.items():
        if kind in PICTURE_KINDS:
            _check_picture(kind, content, allowed, files)
        elif kind in checks:
            checks[kind](content, allowed)
        else:
            raise DisclosureRisk("gate.unknown_part", kind=kind)
        if names is not None and _names_somebody(kind, content, allowed, names):
            raise DisclosureRisk("gate.name", kind=kind)


def _require_pictures(parts: Mapping[str, str], allowed: Allowed) -> None:
    """Raise DisclosureRisk unless every picture that a page shows is checked together with it."""
    if "html" in parts and not _read_page(parts["html"], allowed).pictures <= set(parts):
        raise DisclosureRisk("gate.unknown_part", kind="html")


def check_figures(allowed: Allowed) -> None:
    """Check the released figures themselves: no small or unrounded count, no rate of hidden parts.

    Raises DisclosureRisk.
    """
    for figure in (*allowed.figures.values(), *allowed.before, *allowed.months.values()):
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
        _require_pictures(parts, allowed(campaign, phase, round, revision))

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
    returned = (returned_label(name, language) for name in _returned() for language in LANGUAGES)
    return FixedText(
        [
            *(
                say(key, language, **dict.fromkeys(fields(key, language), 0))
                for key in keys()
                if key.startswith(_SPOKEN)
                for language in LANGUAGES
            ),
            *filter(None, returned),
        ]
    )


def _returned() -> list[str]:
    """Return what the counts of rows sent back are called for programs."""
    return [returned_name(sheet, column) for sheet in SHEETS.values() for column in sheet.columns]


@cache
def _identifiers() -> FixedText:
    """Return the words for programs: what figures, units, states and columns are called."""
    figures = [key.removeprefix("figure.") for key in keys("figure.")]
    figures += _returned()
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
    elif kind == "document":
        found = _texts_of_document(json.loads(content))
    elif kind in PICTURE_KINDS:
        # of pixels: its SVG was read
        found = texts_of(content) if kind.startswith("svg-") else ()
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


def _in_calendar(plan: Plan) -> tuple[str, ...]:
    """Return what a calendar calls the plan's rounds and quarters, in NFKC."""
    last = max((each.due.year for each in plan.calendar), default=plan.issued.year)
    return _longest_first((*_rounds_of(plan), *_of_pack((), last)))


def _terms_of(store: Store, plan: Plan) -> dict[tuple[str, str], tuple[date, date]]:
    """Return the days of the plan's phases, due days as figures were released by them."""
    return {
        (each.phase, str(each.round)): (each.opens, each.due)
        for each in keep_released(store, plan).calendar
        if each.approved or not each.ad_hoc
    }


def _of_pack(figures: Iterable[str], year: int) -> tuple[str, ...]:
    """Return what a quarterly pack calls quarters and other phases' rounds, in NFKC.

    `figures`: what its figures are called; `year`: that of the day it is about.
    """
    quarters = (
        say("period.quarter", language, year=each, quarter=say(f"period.ordinal.{place}", language))
        for each in range(year - 2, year + 1)
        for place in (1, 2, 3, 4)
        for language in LANGUAGES
    )
    rounds = {found.groups() for name in figures if (found := _OF_ROUND.match(name))}
    named = (
        say("phase.with_round", language, phase=say(f"phase.{phase}", language), round=round)
        for phase, round in rounds
        for language in LANGUAGES
    )
    return _longest_first(unicodedata.normalize("NFKC", each) for each in (*quarters, *named))


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


def _check_picture(kind: str, content: str, allowed: Allowed, files: Mapping[str, str]) -> None:
    """Check a picture: an SVG, or a PNG in base64."""

    def check_text(text: str, kind: str) -> None:
        _check_prose(text, kind, allowed)
        # a number in a picture is a figure's, or it has no business there
        if re.search(r"\d", allowed.unexplained(text)):
            raise DisclosureRisk("gate.unknown_number", kind=kind)

    def check_amount(text: str, shows: tuple[str, str], kind: str) -> None:
        _check_cell(text, released.get(shows), allowed, kind)

    released = {**allowed.months, **allowed.figures}
    known = Known(
        values={shows: (f.unit, f.value) for shows, f in released.items()},
        states=allowed.states,
        terms=allowed.terms,
        as_of=allowed.as_of,
        check_text=check_text,
        check_amount=check_amount,
    )
    if kind.startswith("svg-"):
        check_picture(kind, content, known, {})
        return
    try:
        pixels = base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        raise DisclosureRisk("gate.unknown_part", kind=kind) from None
    check_picture(kind, pixels, known, files)


def _file_of(key: _Key, picture: str) -> str:
    """Return what the file of a report's picture is called."""
    of_round = f"-{key['round']}" if key["round"] else ""
    return f"{key['phase']}{of_round}-r{key['revision']}-{picture}.png"


def _check_document(content: str, allowed: Allowed) -> None:
    """Check what the printed forms are made of: known fields, cells that hold their figure."""
    try:
        found = json.loads(content, object_pairs_hook=_each_key_once)
        cells = list(_cells_of_document(found))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DisclosureRisk("gate.unknown_part", kind="document") from None
    for text, figure in cells:
        if figure is not None:
            _check_cell(text, allowed.figures.get(figure), allowed, "document")
            continue
        _check_prose(text, "document", allowed)
    in_cells = [cell for part in found["sections"] for row in part["rows"] for cell in row]
    for cell in in_cells:
        # as in a page: a number in a cell belongs to a figure
        if cell["figure"] is None and re.search(r"\d", allowed.unexplained(cell["text"])):
            raise DisclosureRisk("gate.unknown_number", kind="document")


def _cells_of_document(found: Any) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Yield every text of a document, with its figure where it is the content of one.

    Raises ValueError, KeyError or TypeError for what is no document: a field more or less, or one
    that is of another kind.
    """
    if set(found) != DOCUMENT_KEYS:
        raise ValueError
    texts = [found[name] for name in ("language", "campaign", "title", "centre")]
    texts += [*found["headings"], *found["footnotes"]]
    cells = []
    for section in found["sections"]:
        if set(section) != SECTION_KEYS or type(section["numbered"]) is not bool:
            raise ValueError
        texts += [section[name] for name in ("id", "title", "note")]
        texts += [*section["lines"], *section["heads"]]
        cells += [cell for row in section["rows"] for cell in row]
    for cell in cells:
        if set(cell) != {"text", "figure"}:
            raise ValueError
        if cell["figure"] is None:
            texts.append(cell["text"])
    if not all(isinstance(text, str) for text in (*texts, *(cell["text"] for cell in cells))):
        raise TypeError
    yield from ((text, None) for text in texts)
    for cell in cells:
        if cell["figure"] is not None:
            name, village = cell["figure"]
            yield cell["text"], (name, village)


def _texts_of_document(found: Any) -> list[str]:
    return [text for text, _ in _cells_of_document(found)]


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


def _check_cell(text: str, figure: Released | None, allowed: Allowed, kind: str = "html") -> None:
    _check_words(text, kind, allowed)
    if figure is None:
        raise DisclosureRisk("gate.unknown_part", kind=kind)
    numbers = _NUMBER.findall(unicodedata.normalize("NFKC", text))
    expected = [] if figure.value is None else [_shown(figure.value)]
    if [_shown(_number(number)) for number in numbers] != expected:
        raise DisclosureRisk("gate.not_released", kind=kind)


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
        self.pictures: set[str] = set()
        """The kinds of part that are shown in it."""

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
        for spoken in (given.get("title", ""), given.get("alt", "")):
            self.titles.append(spoken)
            _check_prose(spoken, "html", self._allowed)
        self.for_programs += [v for name, v in given.items() if name not in {"title", "alt"}]
        if tag == "img" or "src" in given:
            self._take_picture(tag, given)
        if tag == "br":
            self._open[-1].text.append("\n")
        if tag in _VOID or tag in _INLINE:
            return
        figure = None
        if "data-figure" in given:
            figure = (given["data-figure"], given.get("data-village", ""))
        self._open.append(_Block(tag, figure))

    def _take_picture(self, tag: str, given: Mapping[str, str]) -> None:
        """Note which of the report's own pictures is shown; there is no other, and none unsaid."""
        of = _key_of(self._allowed) if self._allowed.identity else None
        named = {_file_of(of, name): f"png-{name}" for name in PICTURES} if of else {}
        if tag != "img" or given.get("src") not in named or not given.get("alt"):
            raise DisclosureRisk("gate.unknown_part", kind="html")
        self.pictures.add(named[given["src"]])

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
        if data not in FOR_WORD:
            raise DisclosureRisk("gate.unknown_part", kind="html")

    def unknown_decl(self, data: str) -> None:
        raise DisclosureRisk("gate.unknown_part", kind="html")

    def handle_pi(self, data: str) -> None:
        raise DisclosureRisk("gate.unknown_part", kind="html")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            raise DisclosureRisk("gate.unknown_part", kind="html")
