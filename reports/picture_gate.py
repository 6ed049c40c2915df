"""The second check of pictures, written without what draws them.

A picture passes as SVG: what stands in it is known tags and attributes, of every number in its
texts is asked where it comes from, and each mark says which figure it shows and is as long as that
figure makes it. A PNG is only ever made of an SVG that passed.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from reports.pictures import chunks, png_of
from tasks.rules.contract import REPORTING_STATES
from tasks.rules.errors import DisclosureRisk

PICTURES = ("reporting", "coverage", "waiting", "visits", "months", "calendar")
"""What a picture of a report can be called."""

KINDS = frozenset(f"{form}-{name}" for form in ("svg", "png") for name in PICTURES)
"""The kinds of part that are checked here."""

FULL, BOX, TILE = 160, 24, 140
"""Pixels: the longest bar, the mark of a figure without a number, the tile of a village."""

TIME_FROM, TIME_TO, LEAST, LINE = 170, 440, 2, 2
"""Pixels: where a calendar begins and ends, the shortest phase, the line of its day."""

PEOPLE = re.compile(r"waited_\w+", re.ASCII)
"""The only counts of people that bars may show: of the township, as they were released."""

_PIXEL = 1.0
"""By how much a mark may differ from what its figure makes it."""

_TAGS = frozenset({"svg", "g", "rect", "path", "text", "tspan"})
_ATTRIBUTES = frozenset(
    {
        *("version", "class", "width", "height", "viewBox", "fill", "stroke", "stroke-width"),
        *("stroke-miterlimit", "stroke-dasharray", "transform", "role", "d", "display"),
        *("aria-label", "aria-hidden", "aria-roledescription", "text-anchor"),
        *("font-family", "font-size", "x", "dy"),
    }
)
_NAMESPACE = "{http://www.w3.org/2000/svg}"
_NUMBER = r"-?\d+(?:\.\d+)?(?:e-\d+)?"
_BAR = re.compile(
    rf"M(?P<x>{_NUMBER}),(?P<y>{_NUMBER})h(?P<w>{_NUMBER})v(?P<h>{_NUMBER})h(?:-{_NUMBER}|0)Z"
)
_BESIDES = re.compile(r"(?:M0,0h\d{1,4}v\d{1,4}h-\d{1,4}Z)?")
"""What is drawn that shows no figure: the frame of the whole."""
_WORDS = re.compile(r"[\w .,()#/-]*", re.ASCII)

Shows = tuple[str, str]
"""What a mark says that it shows: a figure and its village, or a village and its state."""


@dataclass(frozen=True)
class Known:
    """What a picture may show, and who asks the texts in it."""

    values: Mapping[Shows, tuple[str, float | None]]
    """By figure and village: unit and value, None where there is no number."""
    states: Mapping[str, str]
    check_text: Callable[[str, str], None]
    """Asks of a line of prose of a kind of part where its numbers come from."""
    check_amount: Callable[[str, Shows, str], None]
    """Asks whether a text is the amount of a figure."""
    terms: Mapping[Shows, tuple[date, date]] = field(default_factory=dict)
    """By phase and round: from which day to which a plan's phases are open."""
    as_of: date = date.min
    """The day as of which they are drawn."""


def check_picture(kind: str, content: Any, known: Known, parts: Mapping[str, Any]) -> None:
    """Check one picture, an SVG as text or a PNG as bytes; raises DisclosureRisk.

    A PNG must be what its SVG gives where that is among `parts`, and hold nothing but pixels.
    """
    if kind.startswith("png-"):
        _check_png(kind, content, parts.get("svg-" + kind.removeprefix("png-")))
        return
    marks: dict[Shows, list[re.Match[str]]] = {}
    for element in _elements(content, kind):
        shows = _shows(element)
        if element.tag == _NAMESPACE + "text":
            text = _text(element)
            if shows is not None:
                known.check_amount(text, shows, kind)
                continue
            known.check_text(text, kind)
        elif element.tag == _NAMESPACE + "path":
            _take_mark(element, shows, marks, kind)
    if marks:
        _check_marks(marks, known, kind)


def texts_of(svg: str) -> Iterator[str]:
    """Yield what is written in an SVG that passed."""
    for element in _elements(svg, "svg"):
        yield _text(element) if element.tag == _NAMESPACE + "text" else ""


def _check_png(kind: str, content: Any, svg: Any) -> None:
    if not isinstance(content, bytes):
        raise DisclosureRisk("gate.unknown_part", kind=kind)
    try:
        held = [part for part, _ in chunks(content)]
    except ValueError:
        raise DisclosureRisk("gate.unknown_part", kind=kind) from None
    if held not in ([b"IHDR", b"IDAT", b"IEND"], [b"IHDR", b"PLTE", b"IDAT", b"IEND"]):
        raise DisclosureRisk("gate.unknown_part", kind=kind)
    if svg is not None and content != png_of(svg):
        raise DisclosureRisk("gate.changed", kind=kind)


def _elements(content: Any, kind: str) -> list[ET.Element]:
    """Return all elements of an SVG that holds only what is known."""
    # no comment, no declaration, no entity but the five of XML: nothing is expanded or fetched
    if not isinstance(content, str) or re.search(r"<[!?]|&(?!amp;|lt;|gt;|quot;|apos;)", content):
        raise DisclosureRisk("gate.unknown_part", kind=kind)
    try:
        found = list(ET.fromstring(content).iter())  # noqa: S314 - see above
    except ET.ParseError:
        raise DisclosureRisk("gate.unknown_part", kind=kind) from None
    for element in found:
        known = element.tag.removeprefix(_NAMESPACE) in _TAGS and element.tag.startswith(_NAMESPACE)
        if not known or not set(element.attrib) <= _ATTRIBUTES:
            raise DisclosureRisk("gate.unknown_part", kind=kind)
        quiet = (value for name, value in element.attrib.items() if name != "aria-label")
        if not all(map(_WORDS.fullmatch, quiet)) or "url(" in "".join(element.attrib.values()):
            raise DisclosureRisk("gate.unknown_part", kind=kind)
        is_text = element.tag in {_NAMESPACE + "text", _NAMESPACE + "tspan"}
        if (element.tail or "").strip() or (not is_text and (element.text or "").strip()):
            raise DisclosureRisk("gate.unknown_part", kind=kind)
    _check_frame(found, kind)
    return found


def _check_frame(elements: list[ET.Element], kind: str) -> None:
    """Only the panel is a rectangle, as large as the whole; and only a text is in lines."""
    frames = [element for element in elements if element.tag == _NAMESPACE + "rect"]
    size = {name: elements[0].get(name) for name in ("width", "height")}
    if any(element.attrib != {**size, "fill": element.get("fill")} for element in frames):
        raise DisclosureRisk("gate.unknown_part", kind=kind)
    lines = [element for element in elements if element.tag == _NAMESPACE + "tspan"]
    in_texts = sum(
        len(element.findall(_NAMESPACE + "tspan"))
        for element in elements
        if element.tag == _NAMESPACE + "text"
    )
    if len(lines) != in_texts or any(set(line.attrib) - {"x", "dy"} for line in lines):
        raise DisclosureRisk("gate.unknown_part", kind=kind)


def _text(element: ET.Element) -> str:
    """Return what a text says; of one in lines, as it was before it was broken into them."""
    said = element.text or ""
    for line in element:
        text = line.text or ""
        # Latin words stand apart, Chinese characters do not
        said += " " if said and said[-1:].isascii() and text[:1].isascii() else ""
        said += text
    return said


def _shows(element: ET.Element) -> Shows | None:
    label = element.get("aria-label")
    if label is None:
        return None
    name, _, village = label.partition("|")
    return name, village


def _take_mark(
    element: ET.Element, shows: Shows | None, marks: dict[Shows, list[re.Match[str]]], kind: str
) -> None:
    drawn = element.get("d", "")
    if shows is None:
        # it shows no figure, so it may not be as long as one
        if not _BESIDES.fullmatch(drawn) or element.get("fill") not in {None, "none"}:
            raise DisclosureRisk("gate.unknown_part", kind=kind)
        return
    mark = _BAR.fullmatch(drawn)
    if mark is None or element.get("transform") is not None:
        raise DisclosureRisk("gate.unknown_part", kind=kind)
    marks.setdefault(shows, []).append(mark)


def _check_marks(marks: Mapping[Shows, list[re.Match[str]]], known: Known, kind: str) -> None:
    """Compare each mark with what its figure makes it: one a figure, all of one height."""
    if any(len(each) != 1 for each in marks.values()):
        raise DisclosureRisk("gate.unknown_part", kind=kind)
    placed = {shows: each[0] for shows, each in marks.items()}
    if kind.removeprefix("svg-") == "calendar":
        _check_calendar(placed, known, kind)
        return
    if len({round(float(mark["h"]), 3) for mark in placed.values()}) != 1:
        raise DisclosureRisk("gate.not_released", kind=kind)
    if any(state in REPORTING_STATES for _, state in placed):
        if set(placed) != set(known.states.items()):
            raise DisclosureRisk("gate.not_released", kind=kind)
        expected: Mapping[Shows, float] = dict.fromkeys(placed, TILE)
    else:
        expected = _lengths(placed, known, kind)
    for shows, mark in placed.items():
        if abs(float(mark["w"]) - expected[shows]) > _PIXEL:
            raise DisclosureRisk("gate.not_released", kind=kind)


def _lengths(marks: Collection[Shows], known: Known, kind: str) -> dict[Shows, float]:
    """Return how long the bars of figures are: in proportion, the longest of them `FULL`."""
    if not set(marks) <= set(known.values):
        raise DisclosureRisk("gate.not_released", kind=kind)
    figures = {shows: known.values[shows] for shows in marks}
    units = {unit for unit, _ in figures.values()}
    if len(units) != 1:
        raise DisclosureRisk("gate.not_released", kind=kind)
    if units == {"people"} and not all(PEOPLE.fullmatch(name) and not of for name, of in marks):
        raise DisclosureRisk("gate.not_released", kind=kind)
    least = 100 if units == {"percent"} else 1
    whole = max(least, *(value or 0 for _, value in figures.values()))
    return {
        shows: BOX if value is None else FULL * value / whole
        for shows, (_, value) in figures.items()
    }


def _check_calendar(marks: Mapping[Shows, re.Match[str]], known: Known, kind: str) -> None:
    """Compare each phase with its days in the plan, and the line with the day of the report."""
    today = ("as_of", "")
    if set(marks) != {*known.terms, today} or not known.terms:
        raise DisclosureRisk("gate.not_released", kind=kind)
    first = min(opens for opens, _ in known.terms.values())
    days = (max(due for _, due in known.terms.values()) - first).days + 1
    room = TIME_TO - TIME_FROM

    def at(days_after: int) -> float:
        return TIME_FROM + room * min(max(days_after, 0), days) / days

    expected = {
        shows: (at((opens - first).days), max(room * ((due - opens).days + 1) / days, LEAST))
        for shows, (opens, due) in known.terms.items()
    }
    expected[today] = (at((known.as_of - first).days + 1) - LINE / 2, LINE)
    for shows, (left, width) in expected.items():
        drawn = float(marks[shows]["x"]), float(marks[shows]["w"])
        if abs(drawn[0] - left) > _PIXEL or abs(drawn[1] - width) > _PIXEL:
            raise DisclosureRisk("gate.not_released", kind=kind)
    if len({round(float(mark["h"]), 3) for shows, mark in marks.items() if shows != today}) != 1:
        raise DisclosureRisk("gate.not_released", kind=kind)
