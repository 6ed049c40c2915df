"""The second look at a county's rollup: every number is found again in what was signed.

Written, like the gate, without what makes the files: it reads the signed texts for itself, adds
them up again, and reads pages, tables and JSON as any reader would. Which releases count, the JSON
says; that they are the newest, the townships' own and protected, is asked here once more. It stops
what it does not recognise, and names the file and the rule, never the value.
"""

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from reports.gate import (
    FOR_WORD,
    LEAST_ROUNDED_TO,
    LEAST_WITHHELD_TO,
    META,
    RATES_OF_PEOPLE,
    TAGS,
    Allowed,
    Released,
    check_line,
)
from tasks.rules.contract import RUN_PHASES
from tasks.rules.errors import DisclosureRisk
from tasks.rules.input_quality import RETURNED
from tasks.rules.wording import say
from tasks.store import Store

PAGES = {"rollup.html": "zh-CN", "rollup.en.html": "en"}
FILES = {*PAGES, "rollup.csv", "townships.csv", "rollup.json"}

RATES = {"coverage": ("households_visited", "households"), **RATES_OF_PEOPLE}
UNSUMMED = {"days", "percent"}

RECORD_KEYS = {
    *("county", "county_en", "campaign", "snapshot", "taken_at", "as_of", "releases", "phases"),
    "set_aside",
}
PHASE_KEYS = {"phase", "round", "period", "due", "expected", "figures", "townships"}
FIGURE_KEYS = {"name", "unit", "state", "value", "released", "withheld", "not_reported"}
TOWNSHIP_KEYS = {"township", "state", "revision", "interim", "shared_on"}
ASIDE_KEYS = {"township", "phase", "round", "revision", "reason", "other", "village"}

STATES = {"set_aside", "missing", "late", "awaited", "on_time", "not_expected"}
REASONS = {
    *("unknown_township", "signature", "signed_by_other", "form", "key", "left", "clock"),
    *("village_of_other", "unknown_village", "unknown_figure", "people", "conflict"),
}

FIGURES_COLUMNS = [
    *("county", "campaign", "snapshot", "as_of", "phase", "round", "period", "name", "label"),
    *("unit", "state", "value", "townships_released", "townships_withheld"),
    "townships_not_reported",
]
TOWNSHIPS_COLUMNS = [
    *("county", "campaign", "snapshot", "as_of", "township", "township_name", "phase", "round"),
    *("period", "state", "revision", "interim", "shared_on"),
]

ATTRIBUTES = {
    *("lang", "charset", "name", "content", "role", "class", "style", "id", "title", "scope"),
    *("width", "height", "align", "bgcolor", "cellpadding", "cellspacing", "border"),
    *("data-phase", "data-figure", "data-townships"),
}

_COPIED = re.compile(rf"(?:(?:earlier|month|quarter)\d+_|(?:{'|'.join(RUN_PHASES)})_\d+_)")
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_FETCHES = re.compile(r"url\s*\(|@import|expression\s*\(|content\s*:|//", re.IGNORECASE)
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_VOID = {"meta", "br"}
_INLINE = {"span", "strong", "em", "abbr"}

IsSigned = Callable[[str, str, str], bool]
"""Whether (public key, text, signature) belong together."""


class _Township(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def joined(self) -> date: ...
    @property
    def left(self) -> date | None: ...


class _County(Protocol):
    """What there is to know of a county: tasks.county.County is one."""

    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...
    @property
    def timezone(self) -> str: ...
    @property
    def townships(self) -> Sequence[_Township]: ...


@dataclass(frozen=True)
class _Cell:
    """A figure of the county as it was added up here."""

    unit: str
    state: str
    value: float | None
    released: int
    withheld: int
    not_reported: int


Of = tuple[str, int, str | None]
"""A phase, its round and its month or quarter."""


def check_rollup(
    store: Store, county: _County, files: Mapping[str, str], is_signed: IsSigned
) -> None:
    """Let a rollup's files pass, content by name, or raise DisclosureRisk: then none is written.

    `store` is the open shared ledger.
    """
    if set(files) != FILES:
        raise DisclosureRisk("gate.unknown_part", kind="rollup")
    record = _read_record(files["rollup.json"], county)
    found = _add_up(_Bodies(store, record, county, is_signed), record, county)
    _check_csv("rollup.csv", files, FIGURES_COLUMNS, _figure_rows(record, found))
    _check_csv("townships.csv", files, TOWNSHIPS_COLUMNS, _township_rows(record, county))
    allowed = _allowed(record, county, found)
    for label in csv.DictReader(io.StringIO(files["rollup.csv"].removeprefix("\ufeff"))):
        check_line(label["label"], "rollup.csv", allowed)
    for name, language in PAGES.items():
        _check_page(name, files[name], found, allowed, language)


# What the JSON says, and whether it may


def _read_record(text: str, county: _County) -> dict[str, Any]:
    """Return the JSON, each part of it of the kind that is known."""
    try:
        record: dict[str, Any] = json.loads(text, object_pairs_hook=_each_key_once)
        _check_record(record, {each.code for each in county.townships})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unknown("rollup.json") from None
    if (record["county"], record["county_en"]) != (county.name, county.name_en):
        raise _unknown("rollup.json")
    return record


def _check_record(record: Mapping[str, Any], codes: set[str]) -> None:
    """Raise ValueError, KeyError or TypeError for what is no rollup."""
    _require(set(record) == RECORD_KEYS)
    date.fromisoformat(record["as_of"])
    datetime.fromisoformat(record["taken_at"])
    _require(type(record["snapshot"]) is int and type(record["releases"]) is int)
    for phase in record["phases"]:
        _require(set(phase) == PHASE_KEYS and phase["phase"] in RUN_PHASES)
        date.fromisoformat(phase["due"])
        _require(all(set(each) == FIGURE_KEYS for each in phase["figures"]))
        _require(Counter(each["township"] for each in phase["townships"]) == Counter(codes))
        for each in phase["townships"]:
            _require(set(each) == TOWNSHIP_KEYS and each["state"] in STATES)
            _require(type(each["interim"]) is bool)
            if each["shared_on"] is not None:
                date.fromisoformat(each["shared_on"])
    for each in record["set_aside"]:
        _require(set(each) == ASIDE_KEYS and each["reason"] in REASONS)
        _require(each["phase"] in ("", *RUN_PHASES))
        _require(type(each["round"]) is int and type(each["revision"]) is int)
        _require(re.fullmatch(r"(\d{9})?", each["township"]) is not None)
        _require(each["other"] in {"", *codes})
        _require(re.fullmatch(r"(\d{12})?", each["village"]) is not None)


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # of a key given twice only the last would be looked at
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


# What was signed, added up again


class _Bodies:
    """The newest texts of every township's phases, as they lie in the shared ledger."""

    def __init__(
        self, store: Store, record: Mapping[str, Any], county: _County, is_signed: IsSigned
    ) -> None:
        self._campaign = record["campaign"]
        self._members = {each.code: each for each in county.townships}
        self._aside = {
            (each["township"], each["phase"], each["round"]) for each in record["set_aside"]
        }
        self._is_signed = is_signed
        self._newest: dict[tuple[str, str, int], list[tuple[int, str, str]]] = {}
        for township, phase, round, revision, body, signature in store.rows(
            "report/rollup_bodies", campaign=self._campaign, snapshot=record["snapshot"]
        ):
            texts = self._newest.setdefault((township, phase, round), [])
            texts.append((revision, body, signature))

    def counted(self, each: Mapping[str, Any], of: Of) -> dict[str, Any] | None:
        """Return the content that a township's line says counts, None where it says none does.

        Raises DisclosureRisk where that is not the newest, not signed by the township, not what it
        is taken for, or where something that counts is left out.
        """
        member = self._members[each["township"]]
        key = (member.code, of[0], of[1])
        texts = self._newest.get(key, [])
        signed = [
            (revision, body)
            for revision, body, signature in texts
            if self._is_signed(member.key, body, signature)
        ]
        if each["revision"] is None:
            # why something was set aside is said, and not judged again
            if key not in self._aside and any(self._counts(body, member, of) for _, body in signed):
                raise DisclosureRisk("gate.not_released", kind="rollup.json")
            return None
        content: dict[str, Any] = json.loads(signed[0][1]) if len(signed) == 1 else {}
        if not content or not self._counts(signed[0][1], member, of):
            raise DisclosureRisk("gate.not_released", kind="rollup.json")
        said = (each["revision"], each["revision"], each["interim"])
        if said != (signed[0][0], content["revision"], content["status"] == "interim"):
            raise DisclosureRisk("gate.not_released", kind="rollup.json")
        return content

    def _counts(self, body: str, member: _Township, of: Of) -> bool:
        """Return whether a text is the township's of that phase, and owed by it on its due day."""
        content = json.loads(body)
        named = [content[name] for name in ("township", "campaign", "phase", "round", "period")]
        return named == [member.code, self._campaign, *of] and _owes(member, content)


def _owes(member: _Township, content: Mapping[str, Any]) -> bool:
    """Return whether the township belonged to the county on the day its release was due."""
    due = date.fromisoformat(content["due"] or content["as_of"])
    return member.joined <= due and (member.left is None or due < member.left)


def _add_up(
    bodies: _Bodies, record: Mapping[str, Any], county: _County
) -> dict[tuple[Of, str], _Cell]:
    """Return every figure of the county by phase and name; the JSON must say the same."""
    found: dict[tuple[Of, str], _Cell] = {}
    for phase in record["phases"]:
        of: Of = (phase["phase"], phase["round"], phase["period"])
        states = Counter(each["state"] for each in phase["townships"])
        expected = len(county.townships) - states["not_expected"]
        contents = [bodies.counted(each, of) for each in phase["townships"]]
        figures = [_figures(content) for content in contents if content is not None]
        names = {name: each["unit"] for own in figures for name, each in own.items()}
        summed = {name: unit for name, unit in names.items() if unit not in UNSUMMED}
        cells = {name: _sum(name, unit, figures, expected) for name, unit in summed.items()}
        for name, parts in RATES.items():
            if any(part in own for own in figures for part in parts):
                cells[name] = _rate(parts, figures, expected)
        said = {each["name"]: _said(each) for each in phase["figures"]}
        if said != cells or len(said) != len(phase["figures"]) or phase["expected"] != expected:
            raise DisclosureRisk("gate.not_released", kind="rollup.json")
        found |= {(of, name): cell for name, cell in cells.items()}
    return found


def _figures(content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return a release's own figures by name; no count of people among them may be too telling."""
    withhold_to, round_to = content["withhold_to"], content["round_to"]
    if withhold_to < LEAST_WITHHELD_TO or round_to < LEAST_ROUNDED_TO:
        raise DisclosureRisk("gate.small_count", kind="shared")
    own = {each["name"]: each for each in content["figures"] if not _COPIED.match(each["name"])}
    for each in own.values():
        value = each["value"]
        if (value is None) is (each["state"] in {"released", "zero"}):
            raise DisclosureRisk("gate.not_released", kind="shared")
        if each["unit"] == "people" and value:
            largest = value + (round_to - 1) // 2
            if value < 0 or value % round_to or largest <= withhold_to:
                raise DisclosureRisk("gate.small_count", kind="shared")
    return own


def _sum(
    name: str, unit: str, figures: Iterable[Mapping[str, Mapping[str, Any]]], expected: int
) -> _Cell:
    own = [each[name] for each in figures if name in each]
    if {each["unit"] for each in own} != {unit}:
        raise DisclosureRisk("gate.unknown_part", kind="shared")
    known = [each["value"] for each in own if each["value"] is not None]
    withheld = sum(each["state"] == "withheld" for each in own)
    unknown = expected - len(known) - withheld
    total = sum(known)
    if any(known):
        state = "partly" if withheld or unknown else "released"
    elif withheld:
        state = "withheld"
    elif known:
        state = "partly" if unknown else "zero"
    else:
        state = "not_reported"
    shown = total if state in {"released", "partly", "zero"} else None
    return _Cell(unit, state, shown, len(known), withheld, unknown)


def _rate(
    parts: tuple[str, str], figures: Iterable[Mapping[str, Mapping[str, Any]]], expected: int
) -> _Cell:
    both: list[tuple[float, float]] = []
    withheld = 0
    for own in figures:
        top, bottom = (own.get(part, {"value": None, "state": "not_reported"}) for part in parts)
        withheld += "withheld" in {top["state"], bottom["state"]}
        if top["value"] is not None and bottom["value"]:
            both.append((top["value"], bottom["value"]))
    unknown = expected - len(both) - withheld
    if both:
        value = round(100 * sum(top for top, _ in both) / sum(low for _, low in both), 1)
        state = "partly" if withheld or unknown else "released"
        return _Cell("percent", state, value, len(both), withheld, unknown)
    return _Cell("percent", "withheld" if withheld else "not_reported", None, 0, withheld, unknown)


def _said(each: Mapping[str, Any]) -> _Cell:
    value = each["value"]
    if value is not None and (type(value) not in (int, float)):
        raise _unknown("rollup.json")
    counts = (each["released"], each["withheld"], each["not_reported"])
    return _Cell(each["unit"], each["state"], None if value is None else float(value), *counts)


# The tables


def _check_csv(
    name: str, files: Mapping[str, str], columns: Sequence[str], expected: list[dict[str, str]]
) -> None:
    """Compare a table with what it must say, row by row; labels are looked at as text."""
    rows = list(csv.reader(io.StringIO(files[name].removeprefix("\ufeff"))))
    if not rows or rows[0] != list(columns) or any(len(row) != len(columns) for row in rows):
        raise _unknown(name)
    if any(_FORMULA.match(cell) for row in rows for cell in row):
        raise DisclosureRisk("gate.spreadsheet_formula", kind=name)
    found = [dict(zip(columns, row, strict=True)) for row in rows[1:]]
    for row in found:
        row.pop("label", None)
    if found != expected:
        raise DisclosureRisk("gate.not_released", kind=name)


def _figure_rows(
    record: Mapping[str, Any], found: Mapping[tuple[Of, str], _Cell]
) -> list[dict[str, str]]:
    rows = []
    for phase in record["phases"]:
        of: Of = (phase["phase"], phase["round"], phase["period"])
        for each in phase["figures"]:
            cell = found[of, each["name"]]
            value = "" if cell.value is None else f"{cell.value:.1f}".removesuffix(".0")
            rows.append(
                {
                    **_identity(record, phase),
                    "name": each["name"],
                    "unit": cell.unit,
                    "state": cell.state,
                    "value": value,
                    "townships_released": str(cell.released),
                    "townships_withheld": str(cell.withheld),
                    "townships_not_reported": str(cell.not_reported),
                }
            )
    return rows


def _township_rows(record: Mapping[str, Any], county: _County) -> list[dict[str, str]]:
    names = {each.code: each.name for each in county.townships}
    return [
        {
            **_identity(record, phase),
            "township": each["township"],
            "township_name": names[each["township"]],
            "state": each["state"],
            "revision": "" if each["revision"] is None else str(each["revision"]),
            "interim": str(each["interim"]).lower(),
            "shared_on": each["shared_on"] or "",
        }
        for phase in record["phases"]
        for each in phase["townships"]
    ]


def _identity(record: Mapping[str, Any], phase: Mapping[str, Any]) -> dict[str, str]:
    said = {name: str(record[name]) for name in ("county", "campaign", "snapshot", "as_of")}
    return said | {
        "phase": phase["phase"],
        "round": str(phase["round"]),
        "period": phase["period"] or "",
    }


# The pages


def _allowed(
    record: Mapping[str, Any], county: _County, found: Mapping[tuple[Of, str], _Cell]
) -> Allowed:
    """Return what a sentence may say: the county's figures, and how many townships and phases."""
    phases, aside = record["phases"], record["set_aside"]
    townships = [each for phase in phases for each in phase["townships"]]
    missing = {each["township"] for each in townships if each["state"] == "missing"}
    states = [Counter(each["state"] for each in phase["townships"]) for phase in phases]
    periods = " ".join(phase["period"] or "" for phase in phases)
    frame = [
        *(record["snapshot"], len(county.townships), len(phases), len(aside), len(missing)),
        *(phase["expected"] for phase in phases),
        *(phase["round"] for phase in phases),
        *(each[number] for each in aside for number in ("round", "revision")),
        *(count for counted in states for count in counted.values()),
        *(cell.released for cell in found.values()),
        *map(int, re.findall(r"\d+", periods)),
    ]
    moment = datetime.fromisoformat(record["taken_at"]).astimezone(ZoneInfo(county.timezone))
    names = [
        *(county.name, county.name_en, record["campaign"], f"{moment:%Y-%m-%d %H:%M}"),
        *(text for each in county.townships for text in (each.name, each.code)),
        *(each[name] for each in aside for name in ("township", "other", "village")),
    ]
    return Allowed(
        figures={},
        before=tuple(
            Released(name, cell.unit, "", cell.value, cell.state)
            for (_, name), cell in found.items()
        ),
        frame=frozenset(map(float, frame)),
        names=tuple({unicodedata.normalize("NFKC", name) for name in names if name}),
        sentences=(),
        identity={},
    )


def _check_page(
    name: str,
    content: str,
    found: Mapping[tuple[Of, str], _Cell],
    allowed: Allowed,
    language: str,
) -> None:
    """Check a page: its cells hold their figures, every other number is allowed in a sentence."""
    if re.search(r"</(?![a-z][a-z0-9]*>)", content):
        raise _unknown(name)
    page = _Page(name)
    page.feed(content)
    page.close()
    cells = {
        (_key(of, figure), count): cell
        for (of, figure), cell in found.items()
        if not figure.startswith(RETURNED)
        for count in COUNTS
    }
    shown = Counter(block.key for block in page.blocks if block.key is not None)
    if shown != Counter(dict.fromkeys(cells, 1)):
        raise DisclosureRisk("gate.not_released", kind=name)
    seen: set[str] = set()
    for block in page.blocks:
        text = "".join(block.text).strip()
        if block.key is not None:
            _check_cell(text, cells[block.key], block.key[1], name, language)
        elif text and text not in seen:
            seen.add(text)
            check_line(text, name, allowed)


COUNTS = ("", "released", "withheld", "not_reported")
"""What a cell of a figure's row holds: '' is the figure itself, the others count townships."""


def _key(of: Of, figure: str) -> str:
    return "/".join([of[0], str(of[1]), of[2] or "", figure])


def _check_cell(text: str, cell: _Cell, count: str, name: str, language: str) -> None:
    """Compare what a cell says with its figure: the number, and whether it is all there is."""
    if count:
        expected = str(getattr(cell, count))
    elif cell.value is None:
        mark = "withheld" if cell.state == "withheld" else "not_reported"
        expected = say(f"mark.{mark}", language)
    else:
        number = f"{cell.value:.1f}%" if cell.unit == "percent" else f"{cell.value:,.0f}"
        least = "at_least_about" if cell.unit == "people" else "at_least"
        if not cell.value:
            least = "none_known"
        whole = cell.state != "partly" or cell.unit == "percent"
        expected = number if whole else say(f"rollup.{least}", language, value=number)
    if text != expected:
        raise DisclosureRisk("gate.not_released", kind=name)


@dataclass
class _Block:
    """One stretch of text that a reader sees as one; `key` where it is the cell of a figure."""

    tag: str
    key: tuple[str, str] | None = None
    text: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    """Reads a page into its blocks; stops at any tag or attribute it does not know."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self._name = name
        self._open = [_Block("page")]
        self.blocks = [self._open[0]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        known = tag in TAGS - {"img"} and set(given) <= ATTRIBUTES and len(given) == len(attrs)
        if not known or given.get("content", "") not in META:
            raise _unknown(self._name)
        if any(_FETCHES.search(value) for name, value in given.items() if name != "data-phase"):
            raise _unknown(self._name)
        # what a reader may hear or hover over is text like any other
        self.blocks.append(_Block(tag, text=[given.get("title", "")]))
        if tag == "br":
            self._open[-1].text.append("\n")
        if tag in _VOID or tag in _INLINE:
            return
        key = None
        if "data-figure" in given:
            of = given.get("data-phase", "")
            key = (f"{of}/{given['data-figure']}", given.get("data-townships", ""))
        self._open.append(_Block(tag, key))
        self.blocks.append(self._open[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or tag in _INLINE:
            return
        if self._open[-1].tag != tag:
            raise _unknown(self._name)
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open[-1].tag == "style":
            if _FETCHES.search(data):
                raise _unknown(self._name)
            return
        self._open[-1].text.append(data)

    def handle_comment(self, data: str) -> None:
        if data not in FOR_WORD:
            raise _unknown(self._name)

    def unknown_decl(self, data: str) -> None:
        raise _unknown(self._name)

    def handle_pi(self, data: str) -> None:
        raise _unknown(self._name)

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            raise _unknown(self._name)


def _unknown(name: str) -> DisclosureRisk:
    return DisclosureRisk("gate.unknown_part", kind=name)
