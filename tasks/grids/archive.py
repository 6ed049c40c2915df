"""Zipped workbooks (XLSX, ODS): the parts that are read, looked through before they are.

By then it is known what they really unpack to, and that nothing in them acts or declares entities.
Links to other files, pictures and whatever else a workbook may carry are not looked at by anybody:
of a formula that points elsewhere the value last shown is read. Where the parser would take a
cell for blank that is none, the parts are packed anew with that cell as text, in memory.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date

from tasks.grids import Workbook
from tasks.rules.cells import UNCOMPUTED
from tasks.rules.errors import FileRefused

Text = bytes | bytearray

UNPACKED = 128 * 2**20
"""How many bytes the parts that are read may unpack to: a full sheet of 20,000 by 100 takes 70."""

_XLSX_PART = re.compile(
    r"\[content_types\]\.xml|(.*/)?(workbook\.xml(\.rels)?|(sharedstrings|styles)\d*\.xml"
    r"|worksheets/[^/]+\.xml)|_rels/\.rels",
    re.IGNORECASE,
)
_ODS_PART = re.compile(r"mimetype|META-INF/manifest\.xml|content\.xml")
_ACTS = re.compile(r"(.*/)?vbaproject\.bin|xl/macrosheets/.+|(basic|scripts)/.+", re.IGNORECASE)
_ENCRYPTED_ENTRY = 0x1
_PIECE = 2**17
"""Bytes at a time: the buffers of larger ones are given back and asked for again each time."""

# In XLSX an error is a cell of type e, which calamine gives as blank; as text it stays visible.
_ERROR_TYPE = re.compile(rb"""(<(?:\w+:)?c\s(?:[^>]*\s)?t=)(["'])e\2""")
_NO_RESULT = re.compile(
    rb"<((?:\w+:)?)c(\s[^>]*)?>(<\1f\b(?:[^>]*/>|[^>]*>[^<]*</\1f>))"
    rb"(?:<\1v\s*/>|<\1v></\1v>)?</\1c>"
)
_TYPE = re.compile(rb"""\st=(["'])(\w*)\1""")
_CELLS = b"sheetData"
_COUNTS_FROM_1904 = re.compile(rb"""<(?:\w+:)?workbookPr\s[^>]*date1904=["'](?:1|true|on)["']""")
# ODS keeps what the cell shows (#N/A) beside an empty value
_ODS_ERROR = re.compile(rb"""<table:table-cell\s[^>]*calcext:value-type="error"[^>]*>""")
_ODS_VALUE = re.compile(rb"""\soffice:string-value="[^"]*\"""")
_ODS_NULL_DATE = re.compile(rb"""null-date\s[^>]*date-value="(\d{4}-\d\d-\d\d)""")
_SERIAL_ZERO = date(1899, 12, 30)


def zipped_workbook(content: bytes) -> Workbook | None:
    """Return the XLSX or ODS in `content`, or None where it holds neither.

    Raises FileRefused where it is encrypted, holds macros or a document type, or unpacks to too
    much; and what zipfile and zlib raise where it is broken.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        if len(names) < len(entries):
            raise zipfile.BadZipFile
        if any(entry.flag_bits & _ENCRYPTED_ENTRY for entry in entries):
            raise FileRefused("refused.encrypted")
        if any(map(_ACTS.fullmatch, names)):
            raise FileRefused("refused.macros")
        ending = _ending(names)
        if ending is None:
            return None
        wanted = _XLSX_PART if ending == ".xlsx" else _ODS_PART
        parts = [entry for entry in entries if wanted.fullmatch(entry.filename)]
        # by what the directory says; a part that unpacks to more than that breaks off as damaged
        if sum(part.file_size for part in parts) > UNPACKED:
            raise FileRefused("refused.unpacks", most=UNPACKED // 2**20)
        changed: dict[str, Text] = {}
        shift = 0
        for part in parts:
            text = _unpacked(archive, part)
            name = part.filename
            if name == "mimetype" and b"opendocument.spreadsheet" not in text:
                return None
            _check_part(name, text)
            shift = shift or _shift(name, text)
            readable = _readable(name, text)
            if readable is not text:
                changed[name] = readable
        if changed:
            content = _packed(archive, parts, changed)
        return Workbook(ending, content, shift)


def _ending(names: set[str]) -> str | None:
    lower = {name.lower() for name in names}
    if "content.xml" in names and "mimetype" in names:
        return ".ods"
    if any(name.rpartition("/")[2] == "workbook.xml" for name in lower):
        return ".xlsx"
    return None


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Text:
    """Return a part's content; a large one in pieces, which takes less memory and less time."""
    if part.file_size <= _PIECE:
        return archive.read(part)
    content = bytearray()
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            content += piece
    return content


def _check_part(name: str, text: Text) -> None:
    if b"!" in text and (b"<!DOCTYPE" in text or b"<!ENTITY" in text):
        raise FileRefused("refused.doctype")
    if name.lower() == "[content_types].xml" and b"macroEnabled" in text:
        raise FileRefused("refused.macros")
    if name == "META-INF/manifest.xml" and b"encryption-data" in text:
        raise FileRefused("refused.encrypted")


def _packed(
    archive: zipfile.ZipFile,
    parts: Sequence[zipfile.ZipInfo],
    changed: dict[str, Text],
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for part in parts:
            text = changed.pop(part.filename, None)
            packed.writestr(part.filename, _unpacked(archive, part) if text is None else text)
    return stream.getvalue()


def _shift(name: str, content: Text) -> int:
    if name.rpartition("/")[2].lower() == "workbook.xml":
        return (date(1904, 1, 1) - _SERIAL_ZERO).days if _COUNTS_FROM_1904.search(content) else 0
    found = _ODS_NULL_DATE.search(content) if name == "content.xml" else None
    return (date.fromisoformat(found[1].decode()) - _SERIAL_ZERO).days if found else 0


def _readable(name: str, text: Text) -> Text:
    """Return a part in which errors and formulas without a result are text, not blank.

    The very same part where there are none. Looking for a plain text first is many times faster
    than a pattern over every cell, and looking for one sign of it first many times faster again.
    """
    if name == "content.xml" and b'calcext:value-type="error"' in text:
        return _ODS_ERROR.sub(lambda cell: _ODS_VALUE.sub(b"", cell[0]), text)
    if "worksheets/" not in name.lower():
        return text
    if b't="e"' in text or (b"'" in text and b"t='e'" in text):
        text = _ERROR_TYPE.sub(rb"\1\2str\2", text)
    # cells stand in the sheetData; around it there is always some f
    cells = text.find(_CELLS) + len(_CELLS), text.rfind(_CELLS)
    if text.find(b"f", *cells) >= 0 and (b"<f" in text or b":f" in text):
        text = _marked_all(text)
    return text


def _marked_all(text: Text) -> Text:
    marked, count = _NO_RESULT.subn(_marked, text)
    return marked if count else text


def _marked(cell: re.Match[bytes]) -> bytes:
    prefix, attributes, formula = cell[1], cell[2] or b"", cell[3]
    kind = _TYPE.search(attributes)
    if kind and kind[2] == b"str":
        return cell[0]  # a formula whose result is an empty text
    attributes = _TYPE.sub(b"", attributes)
    value = b"<%bv>%b</%bv>" % (prefix, UNCOMPUTED.encode(), prefix)
    return b'<%bc%b t="str">%b%b</%bc>' % (prefix, attributes, formula, value, prefix)
