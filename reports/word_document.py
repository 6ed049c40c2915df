"""The quarterly pack as a Word document: the document that passed the gate, in a template.

The template is the office's own, with its letterhead, so it is looked at like any file from
outside: it may lay text out, and neither run, embed nor fetch anything. What it can name is the
document and nothing else; its marks are run in a sandbox without a loader, functions or filters
that could read, call or build up anything.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from docx.oxml import parse_xml
from docxtpl import DocxTemplate  # type: ignore[import-untyped] # it publishes no types
from jinja2 import StrictUndefined, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tasks.rules.errors import WrongCommand

TEMPLATE = Path(__file__).with_name("templates") / "quarterly_pack.docx"
"""The template that is used where the office gives none, and that it starts its own from."""

MOST_MEGABYTES = 20
"""What a template may unpack to: a letterhead with a scanned seal has one or two."""

FILTERS = ("default", "e", "escape", "first", "join", "last", "length", "lower", "trim", "upper")

FIELDS = frozenset(
    {
        *("PAGE", "NUMPAGES", "SECTION", "SECTIONPAGES", "DATE", "TIME", "CREATEDATE", "SAVEDATE"),
        *("TOC", "PAGEREF", "REF", "SEQ", "STYLEREF", "HYPERLINK", "TITLE", "AUTHOR", "FILENAME"),
    }
)
"""What a field of Word may do. Others take in files, ask databases or call programs."""

_ACTS = re.compile(
    r"(.*/)?(vba[^/]*|activex/.*|embeddings/.*|afchunk[^/]*|customui/.*)", re.IGNORECASE
)
_FIELD = re.compile(r"'([A-Za-z_]\w*)'(?: is undefined)?$", re.ASCII)
_FETCHES = re.compile(
    r".*/(aFChunk|attachedTemplate|control|frame|mailMerge\w*|oleObject|package|recipientData"
    r"|subDocument|vbaProject|wordVbaData)"
)
"""Kinds of relationship by which a document takes in another, or a program."""
_WHEN = (1980, 1, 1, 0, 0, 0)
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def word_pack(document: str, template: bytes, name: str) -> bytes:
    """Return a pack as .docx; `document` is what `reports.pack.render_document` returns.

    `template`: a .docx with the marks that docs/quarterly-pack.md lists; `name` is what to call it
    in an error. The same document and template give the same bytes. Raises WrongCommand for a
    template that is none, that acts or fetches, or whose marks are wrong.
    """
    _look_through(template, name)
    written = io.BytesIO()
    try:
        filled = DocxTemplate(io.BytesIO(template))
        filled.render(json.loads(document), _marks(), autoescape=True)
        filled.save(written)
    except UndefinedError as error:
        field = _FIELD.search(error.message or "")
        refused = WrongCommand("pack.template_words", file=name)
        if field:
            refused = WrongCommand("pack.template_field", file=name, field=field[1])
    except Exception:  # noqa: BLE001 # whatever a template does wrong is told in one line
        refused = WrongCommand("pack.template_words", file=name)
    else:
        return _same_each_time(written.getvalue())
    raise refused


class _Marks(ImmutableSandboxedEnvironment):
    """Runs a template's marks: names, loops and conditions, and a few filters."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: a text's own methods can fill the memory."""
        raise SecurityError

    def call_binop(self, *_: Any) -> NoReturn:
        """Refuse: so can a text that is multiplied or formatted."""
        raise SecurityError


def _marks() -> _Marks:
    environment = _Marks(autoescape=True, undefined=StrictUndefined)
    environment.globals.clear()
    environment.filters = {each: environment.filters[each] for each in FILTERS}
    return environment


def usual_word_pack(document: str) -> bytes:
    """Return a pack as .docx in the template that is used where the office gives none."""
    return word_pack(document, TEMPLATE.read_bytes(), TEMPLATE.name)


def _look_through(template: bytes, name: str) -> None:
    """Raise WrongCommand for what is no Word document, or does more than lay text out."""
    acts = WrongCommand("pack.template_acts", file=name)
    unreadable = WrongCommand("pack.template_read", file=name)
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MOST_MEGABYTES * 2**20:
                raise WrongCommand("pack.template_large", file=name, most=MOST_MEGABYTES)
            names = [entry.filename for entry in entries]
            if len(set(names)) < len(names) or "word/document.xml" not in names:
                raise unreadable
            if any(map(_ACTS.fullmatch, names)) or any(
                _part_acts(each, archive.read(each))
                for each in names
                if each.endswith((".xml", ".rels"))
            ):
                raise acts
    except WrongCommand:
        raise
    except Exception:  # noqa: BLE001 # a broken archive or part breaks in many ways
        raise unreadable from None


def _part_acts(name: str, content: bytes) -> bool:
    if name == "[Content_Types].xml" and b"macroEnabled" in content:
        return True
    root = parse_xml(content)
    if root.getroottree().docinfo.doctype:
        return True
    if name.endswith(".rels"):
        return any(
            _FETCHES.fullmatch(kind)
            or (each.get("TargetMode") == "External" and not kind.endswith("/hyperlink"))
            for each in root
            for kind in (each.get("Type", ""),)
        )
    return any(field not in FIELDS for field in _fields(root))


def _fields(root: Any) -> Iterator[str]:
    """Yield what each field of a part does: the first word of its instruction, in capitals.

    An instruction may be spread over runs, and fields may stand in each other.
    """
    open_fields: list[str] = []
    for each in root.iter():
        kind = each.get(f"{_WORD}fldCharType")
        if each.tag == f"{_WORD}fldSimple":
            yield _first_word(each.get(f"{_WORD}instr", ""))
        elif each.tag == f"{_WORD}instrText" and open_fields:
            open_fields[-1] += each.text or ""
        elif each.tag == f"{_WORD}instrText":
            yield _first_word(each.text or "")
        elif kind == "begin":
            open_fields.append("")
        elif kind == "end" and open_fields:
            yield _first_word(open_fields.pop())
    yield from map(_first_word, open_fields)


def _first_word(instruction: str) -> str:
    return (instruction.split() or [""])[0].upper()


def _same_each_time(content: bytes) -> bytes:
    """Return the archive without the moment it was written at."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as again,
    ):
        for name in archive.namelist():
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            again.writestr(entry, archive.read(name))
    return packed.getvalue()
