"""Markers that are planted in people's data, and a search that finds them however they are written.

Each field of each row gets a marker of its own, so that whatever is found says where it came from.
"""

import base64
import email
import email.policy
import io
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pypdfium2
from duckdb import CatalogException

from tasks.rules.contract import SHEETS
from tasks.store import load_encryption, memory

Row = dict[str, str]

NAME_STEM = "瑇珸"
PHONE_STEM = "1997715"
ID_STEM = "990177"
LICENCE_STEM = "JX77"


@dataclass(frozen=True)
class Marker:
    """A text that stands in one place only; all of a kind begin alike, which makes the search fast.

    Where an accepted row holds it, the register keeps it; no other marker may be there.
    """

    text: str
    stem: str
    place: str
    kept: bool


class Mint:
    """Makes markers, and remembers all of them with the place each was planted in."""

    def __init__(self) -> None:
        """Begin with none."""
        self.markers: dict[str, Marker] = {}
        self._number = count(1)
        self._days: dict[date, Iterator[int]] = {}

    def text(self, place: str, *, kept: bool = False) -> str:
        """Return a marker of three Han characters: it can be a name or stand in a wrong cell."""
        return self._add(f"{NAME_STEM}{chr(0x8000 + next(self._number))}", NAME_STEM, place, kept)

    def phone(self, place: str, *, kept: bool) -> str:
        """Return a valid mobile number."""
        return self._add(f"{PHONE_STEM}{next(self._number):04d}", PHONE_STEM, place, kept)

    def licence(self, place: str, *, kept: bool) -> str:
        """Return a licence number, or a number of the register."""
        return self._add(f"{LICENCE_STEM}{next(self._number):06d}", LICENCE_STEM, place, kept)

    def day(self, place: str, first: date, *, kept: bool) -> str:
        """Return a day of its own, written as the register, a report and Python would."""
        # one kind after another from its own first day: few years, so few beginnings to look for
        when = first + timedelta(days=next(self._days.setdefault(first, count(1))))
        self._add(f"{when.year}, {when.month}, {when.day})", f"{when.year}, ", place, kept)
        return self._add(when.isoformat(), f"{when.year}-", place, kept)

    def resident_id(self, place: str, born: str, sex: str) -> str:
        """Return a valid ID number that agrees with birth date and sex. No ID number is kept."""
        serial = 2 * (next(self._number) % 400) + (sex == "男")
        number = with_check_digit(f"{ID_STEM}{born.replace('-', '')}{serial:03d}")
        return self._add(number, ID_STEM, place, kept=False)

    def _add(self, text: str, stem: str, place: str, kept: bool) -> str:
        self.markers[text] = Marker(text, stem, place, kept)
        return text


def with_check_digit(first17: str) -> str:
    """Return 17 digits with their check digit (GB 11643-1999)."""
    weights = [pow(2, 17 - place, 11) for place in range(17)]
    rest = sum(int(digit) * weight for digit, weight in zip(first17, weights, strict=True)) % 11
    return first17 + "10X98765432"[rest]


# --- rows -----------------------------------------------------------------------------------------

BORN = date(1921, 1, 1)
CHILDREN = date(2012, 1, 1)
CONSENTED = date(2017, 1, 1)
"""Not 2016: a block type that every Prefect database holds names a day of it."""
VISITED = date(2023, 1, 1)
CLINICIAN = "110990000000000"
"""One whom the plan names, as it must be for a visit to be accepted: no secret."""
NOT_VISITED = date(2020, 6, 1)
"""Before any day that the register works out as the next."""


def referral(mint: Mint, place: str, village: str, *, kept: bool = False, **changes: str) -> Row:
    """A referral that holds every rule, a marker in each field that can be anything."""
    place = f"referral, {place}"
    born = mint.day(f"{place}: birth_date", BORN, kept=kept)
    row = {
        "row_no": "1",
        "full_name": mint.text(f"{place}: full_name", kept=kept),
        "sex": "男",
        "birth_date": born,
        "resident_id": mint.resident_id(f"{place}: resident_id", born, "男"),
        "residence_village": village,
        "registered_village": village,
        "phone": mint.phone(f"{place}: phone", kept=kept),
        "contact_name": mint.text(f"{place}: contact_name", kept=kept),
        "contact_relation": "配偶",
        "contact_phone": mint.phone(f"{place}: contact_phone", kept=kept),
        "referred_by": "村医",
        "consent_by": "本人",
        "consent_date": mint.day(f"{place}: consent_date", CONSENTED, kept=kept),
        "consent_scope": "评估和管理",
        "care_setting": "居家",
        "observed_signs": "1，3",
        "urgency": "常规",
    }
    return row | changes


def registered(mint: Mint, place: str, village: str, *, kept: bool = False, **changes: str) -> Row:
    """A person of the standing register, in the same way."""
    place = f"registered_person, {place}"
    visited = mint.day(f"{place}: last_visited_on", VISITED if kept else NOT_VISITED, kept=kept)
    born = mint.day(f"{place}: birth_date", BORN, kept=kept)
    row = {
        "register_no": mint.licence(f"{place}: register_no", kept=kept),
        "full_name": mint.text(f"{place}: full_name", kept=kept),
        "sex": "女",
        "birth_date": born,
        "resident_id": mint.resident_id(f"{place}: resident_id", born, "女"),
        "residence_village": village,
        "registered_village": village,
        "phone": mint.phone(f"{place}: phone", kept=kept),
        "consent_by": "本人",
        "consent_date": mint.day(f"{place}: consent_date", CONSENTED, kept=kept),
        "consent_scope": "评估和管理",
        "diagnosis": "双相障碍",
        "confirmed_on": "2020-05-05",
        "psychiatrist_licence": mint.licence(f"{place}: psychiatrist_licence", kept=kept),
        "stability": "稳定",
        "last_visited_on": visited,
    }
    return row | changes


def follow_up(
    mint: Mint, place: str, register_no: str, *, kept: bool = False, **changes: str
) -> Row:
    """A visit to a registered person, in the same way."""
    place = f"follow_up, {place}"
    visited = mint.day(f"{place}: visited_on", VISITED if kept else NOT_VISITED, kept=kept)
    row = {
        "register_no": register_no,
        "visited_on": visited,
        "entered_on": visited,
        "mode": "上门",
        "seen": "本人",
        "stability": "稳定",
        "rating": "0",
        "medication": "1",
        "adverse_reaction": "否",
        "lost_reason": "",
        "clinician_licence": CLINICIAN if kept else mint.licence(f"{place}: licence", kept=False),
    }
    return row | changes


def outcome(mint: Mint, place: str, ref: str, *, kept: bool = False, **changes: str) -> Row:
    """An assessment's outcome, in the same way; `ref` is the register's own."""
    row = {
        "referral_ref": ref,
        "assessed_on": "2025-11-12",
        "psychiatrist_licence": mint.licence(f"outcome, {place}: licence", kept=kept),
        "outcome": "确诊",
        "diagnosis": "精神分裂症",
        "management_consent": "是",
        "second_opinion_requested": "否",
    }
    return row | changes


def coverage(mint: Mint, place: str, village: str, *, kept: bool = False, **changes: str) -> Row:
    """A grid; its name is whatever somebody typed."""
    row = {
        "village_code": village,
        "grid": mint.text(f"coverage, {place}: grid", kept=kept),
        "households": "50",
        "households_visited": "45",
        "households_declined": "2",
        "visits_from": "2025-10-08",
        "visits_to": "2025-10-24",
        "no_consent_count": "1",
        "nil_return": "否",
    }
    return row | changes


def readiness(village: str, **changes: str) -> Row:
    """A readiness checklist: nothing in it is free."""
    row = {
        "village_code": village,
        "training_date": "2025-08-05",
        "trained_people": "4",
        "emergency_plan_updated": "是",
        "drill_date": "2025-08-06",
        "care_group_complete": "是",
        "materials_delivered": "是",
    }
    return row | changes


def service_month(village: str, **changes: str) -> Row:
    """A month of service: nothing in it is free."""
    row = {
        "village_code": village,
        "month": "2025-11",
        "care_group_met": "是",
        "status_updated_on": "2025-11-20",
        "guardian_contacts": "3",
        "rehabilitation_sessions": "1",
        "subsidy_applied": "2",
        "subsidy_paid": "2",
        "problems_raised": "0",
    }
    return row | changes


def care_group(village: str, **changes: str) -> Row:
    """A role of a care group: nothing in it is free."""
    row = {"village_code": village, "role": "村医", "filled": "是", "trained_on": "2025-11-20"}
    return row | changes


def in_wrong_cells(mint: Mint, sheet: str, rows: Iterator[Row]) -> list[Row]:
    """Return a row of `rows` for each column of `sheet`, with a text there that no column takes."""
    too_long = "7" * 40
    return [
        next(rows) | {column.name: mint.text(f"{sheet}, wrong cell: {column.name}") + too_long}
        for column in SHEETS[sheet].columns
    ]


def without_consent(mint: Mint, sheet: str, rows: Iterator[Row]) -> list[Row]:
    """Return rows to which nobody agreed, in each way a row says so."""
    missing = [{name: ""} for name in ("consent_by", "consent_date", "consent_scope")]
    refused = [{"consent_by": word} for word in ("拒绝", "不同意")]
    return [next(rows) | gap for gap in (*missing, *refused)]


# --- search ---------------------------------------------------------------------------------------

_LINE_ENDS = re.compile(rb"=?\r?\n")
_ENOUGH = 4
"""How deep containers are opened inside containers."""
_MOST_PACKED, _MOST = 2**20, 2**26
_HEAD = 1024
_SQLITE = b"SQLite format 3\0"
_DUCKDB = b"DUCK"
_PDF = b"%PDF-"
_TAGS = re.compile(rb"<[^>]*>")


class Searcher:
    """Looks for markers in bytes, files, databases and names, in every writing it knows."""

    def __init__(self, markers: Iterable[str | Marker]) -> None:
        """Take the markers; a plain text is one that begins like no other."""
        # base64 without what a neighbour has a part in: two that differ in their end may be one
        self._by_stem: dict[bytes, dict[int, dict[bytes, set[str]]]] = {}
        for marker in markers:
            text, stem = (marker, marker) if isinstance(marker, str) else (marker.text, marker.stem)
            for whole, beginning in zip(writings(text), writings(stem), strict=True):
                lengths = self._by_stem.setdefault(beginning, {})
                lengths.setdefault(len(whole), {}).setdefault(whole, set()).add(text)

    def in_bytes(self, content: bytes, depth: int = 0) -> set[str]:
        """Return the markers in `content`, and in whatever is packed inside it."""
        found = self._plain(content)
        if b"\0" not in content[:_HEAD]:
            # quoted-printable and base64 in lines, a line that a terminal wrapped, JSON in JSON
            found |= self._plain(_LINE_ENDS.sub(b"", content).replace(b"\\\\", b"\\"))
        if depth < _ENOUGH:
            for inner in unpacked(content):
                found |= self.in_bytes(inner, depth + 1)
        return found

    def in_file(self, path: Path, key: str | None = None) -> set[str]:
        """Return the markers in a file; a database's tables are read too, with `key` if need be."""
        content = path.read_bytes()
        found = self.in_bytes(content)
        if path.suffix == ".eml":
            for part in email.message_from_bytes(content, policy=email.policy.default).walk():
                found |= self.in_bytes(str(part.items()).encode())
                body = part.get_payload(decode=True)
                if isinstance(body, bytes):
                    found |= self.in_bytes(body)
        if content.startswith(_SQLITE):
            found |= self.in_bytes(_sqlite_text(path))
        if key is not None or content[8:12] == _DUCKDB:
            found |= self.in_bytes(_duckdb_text(path, key))
        return found

    def in_tree(self, root: Path, *, leave_out: Iterable[Path] = ()) -> dict[str, set[str]]:
        """Return path below `root` -> the markers in its name and content; without, no entry."""
        outside = tuple(leave_out)
        found: dict[str, set[str]] = {}
        for path in sorted(root.rglob("*")):
            if any(path == each or path.is_relative_to(each) for each in outside):
                continue
            markers = self.in_bytes(str(path.relative_to(root)).encode("utf-8", "surrogateescape"))
            if path.is_file() and not path.is_symlink():
                markers |= self.in_file(path)
            if markers:
                found[str(path.relative_to(root))] = markers
        return found

    def _plain(self, content: bytes) -> set[str]:
        found: set[str] = set()
        for stem, lengths in self._by_stem.items():
            at = content.find(stem)
            while at >= 0:
                for length, wholes in lengths.items():
                    found |= wholes.get(content[at : at + length], set())
                at = content.find(stem, at + 1)
        return found


def writings(text: str) -> Iterator[bytes]:
    """Yield how a text may be written; the writings of its beginning begin those, in this order."""
    utf8 = text.encode()
    yield utf8
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield utf8.hex().encode()
    if not text.isascii():  # no writing escapes a digit
        yield utf8.hex().upper().encode()
        yield text.encode("gb18030")
        yield "".join(f"\\u{ord(sign):04x}" for sign in text).encode()
        yield "".join(f"\\u{ord(sign):04X}" for sign in text).encode()
        yield "".join(f"&#{ord(sign)};" for sign in text).encode()
        yield "".join(f"&#x{ord(sign):x};" for sign in text).encode()
        yield "".join(f"&#x{ord(sign):X};" for sign in text).encode()
        yield quote(text).encode()
        yield quote(text).lower().encode()
        yield "".join(f"={byte:02X}" for byte in utf8).encode()
        yield "".join(f"\\x{byte:02x}" for byte in utf8).encode()
    for encoding in ("utf-8", "utf-16-le"):
        content = text.encode(encoding)
        for before in range(3):
            # the characters of base64 that no neighbour of the text has a part in
            whole = base64.b64encode(bytes(before) + content + bytes(2))
            signs = whole[(0, 2, 3)[before] : (before + len(content)) * 8 // 6]
            yield signs
            yield signs.replace(b"+", b"-").replace(b"/", b"_")


def unpacked(content: bytes) -> Iterator[bytes]:
    """Yield what is packed in some bytes: a ZIP's members, gzip and zlib wherever they begin."""
    if content.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield name.encode()
                    yield archive.read(name)
                    if name.endswith(".xml"):  # Word cuts a text into runs
                        yield _TAGS.sub(b"", archive.read(name))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            return
    if content.startswith(_PDF):
        yield _pdf_text(content)
    view = memoryview(content)
    for start in re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", content):
        reader = zlib.decompressobj(47)  # either of the two forms
        with suppress(zlib.error):  # two bytes that begin nothing
            inner = reader.decompress(view[start.start() : start.start() + _MOST_PACKED], _MOST)
            if len(inner) > 8:
                yield inner


def _pdf_text(content: bytes) -> bytes:
    """Read what a PDF's pages show: its text stands there as numbers of glyphs."""
    document = pypdfium2.PdfDocument(content)
    try:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()
    return "\n".join(pages).encode("utf-8", "backslashreplace")


def _sqlite_text(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    try:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = (
            connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608  its own names
            for (name,) in names
        )
        text = "\n".join(str(row) for table in rows for row in table)
    finally:
        connection.close()
    return text.encode("utf-8", "backslashreplace")


def _duckdb_text(path: Path, key: str | None) -> bytes:
    """Read all tables of a DuckDB file as text: its strings are compressed on the disk."""
    option = f", ENCRYPTION_KEY '{key}'" if key else ""
    with memory() as connection:
        if key:
            load_encryption(connection)
        try:
            connection.execute(f"ATTACH '{path}' AS looked (READ_ONLY{option})")
        except CatalogException as error:
            if key is None and "encrypted" in str(error):
                return b""
            raise
        return "\n".join(everything(connection, "looked")).encode()


def everything(connection: Any, database: str) -> Iterator[str]:
    """Yield every row of every table of an attached DuckDB database, as text."""
    tables = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [database]
    ).fetchall()
    for schema, table in tables:
        query = f'SELECT held::VARCHAR FROM {database}."{schema}"."{table}" AS held'  # noqa: S608
        for (row,) in connection.execute(query).fetchall():
            yield row
