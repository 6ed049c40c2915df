"""Workbooks put together by hand, part by part and record by record."""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from conftest import coverage
from tasks.rules.contract import COVERAGE, Identity, write_identity

LINE = write_identity(Identity("autumn-2025", "sweep", 1, "990101001001", 1))
HEADS = [column.heads[0] for column in COVERAGE.columns]
CELLS = [coverage()[column.name] for column in COVERAGE.columns]
MARKER = "孔雀石标记"
"""Stands in cells; no message may repeat it."""
SHEET = "xl/worksheets/sheet1.xml"


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, parts: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def text_cell(where: str, text: str) -> str:
    return f'<c r="{where}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file of sectors of 512 bytes, each stream a whole number of them."""
    sectors: list[bytes] = []
    fat: list[int] = []
    entries = [entry("Root Entry", 5, 0xFFFFFFFE, 0)]

    def add(content: bytes) -> int:
        first = len(sectors)
        pieces = [content[at : at + 512].ljust(512, b"\0") for at in range(0, len(content), 512)]
        sectors.extend(pieces)
        fat.extend([*range(first + 1, first + len(pieces)), 0xFFFFFFFE])
        return first

    for name, content in streams.items():
        entries.append(entry(name, 2, add(content.ljust(4096, b"\0")), max(len(content), 4096)))
    directory = add(b"".join(entries).ljust(512 * -(-len(entries) // 4), b"\0"))
    fat_sector = len(sectors)
    fat.append(0xFFFFFFFD)
    sectors.append(struct.pack("<128I", *fat, *[0xFFFFFFFF] * (128 - len(fat))))
    end = 0xFFFFFFFE
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIIII", 0, 1, directory, 0, 4096, end, 0, end, 0, fat_sector)
    return head.ljust(512, b"\xff") + b"".join(sectors)


def entry(name: str, kind: int, first: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    start = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2, kind, 1)
    return (
        start + struct.pack("<III", *[0xFFFFFFFF] * 3) + bytes(36) + struct.pack("<IQ", first, size)
    )


BEGIN = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
END = record(0x000A)


def legacy(rows: Sequence[Sequence[str]]) -> bytes:
    """An XLS with one sheet of texts, and below them a number, a day, a truth and errors."""
    cells = [
        record(
            0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le")
        )
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
    ]
    error = struct.pack("<BxBxxxH", 2, 0x2A, 0xFFFF)
    cells += [
        record(0x0203, struct.pack("<HHHd", 9, 0, 0, 45938.0)),
        record(0x027E, struct.pack("<HHHI", 9, 1, 0, 0x00000012)),
        record(0x0205, struct.pack("<HHHBB", 9, 2, 0, 0x2A, 1)),
        record(0x0205, struct.pack("<HHHBB", 9, 3, 0, 1, 0)),
        record(0x0006, struct.pack("<HHH8sHIH", 9, 4, 0, error, 0, 0, 0)),
    ]
    name = "Sheet1"
    bound = record(0x0085, struct.pack("<IBBBB", 0, 0, 0, len(name), 0) + name.encode())
    start = len(BEGIN) + len(bound) + len(END)
    bound = record(0x0085, struct.pack("<IBBBB", start, 0, 0, len(name), 0) + name.encode())
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    return compound({"Workbook": BEGIN + bound + END + begin + b"".join(cells) + END})


def open_document(rows: Sequence[Sequence[str]]) -> bytes:
    """An ODS with one sheet of texts, and below them a number, a day, and an error."""
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    start, end = (
        '<table:table-cell office:value-type="string"><text:p>',
        "</text:p></table:table-cell>",
    )
    text = "".join(
        f"<table:table-row>{''.join(f'{start}{cell}{end}' for cell in row)}</table:table-row>"
        for row in [*rows, *[[]] * 5]
    )
    names = "".join(
        f' xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"'
        for each in ("office", "table", "text", "calcext")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{names}><office:body>'
        f'<office:spreadsheet><table:table table:name="Sheet1">{text}<table:table-row>'
        '<table:table-cell office:value-type="float" office:value="45938"/>'
        '<table:table-cell office:value-type="date" office:date-value="2025-10-08"/>'
        '<table:table-cell office:value-type="string" office:string-value=""'
        ' calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
        '</table:table-row><table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return stream.getvalue()
