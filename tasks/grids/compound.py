"""Compound files: the container of XLS, and of workbooks that a password protects.

Reads what calamine does not tell: that a workbook is encrypted or holds macros, from which day its
serials count, and which of its cells are errors (calamine gives them as blank). Layout: MS-CFB and
MS-XLS, Microsoft's open specifications.
"""

import struct
from array import array
from collections.abc import Iterator, Sequence

from tasks.grids import Workbook
from tasks.rules.errors import FileRefused

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")

_HEADER_SECTOR_NUMBERS = 109
_END = 0xFFFFFFFA
"""From here on a number is no sector."""
_DATE_1904, _FILE_PASSWORD, _BOUND_SHEET = 0x0022, 0x002F, 0x0085
_BEGIN, _FORMULA, _ERROR_OR_BOOL = 0x0809, 0x0006, 0x0205
_MACRO_SHEETS = (1, 6)
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_SHIFT_1904 = 1462


class CompoundFile:
    """The streams of a compound file. Raises struct.error or IndexError where it is broken."""

    def __init__(self, content: bytes) -> None:
        """Read the directory of `content`, which starts with MAGIC."""
        self._content = content
        sector_shift, self._mini_shift = struct.unpack_from("<HH", content, 30)
        self._size = 1 << sector_shift
        directory, self._cutoff, mini_fat = struct.unpack_from("<I4xII", content, 48)
        self._fat = self._numbers(self._fat_sectors())
        self._mini_fat = self._numbers(self._chain(mini_fat, self._fat))
        self._streams: dict[str, tuple[int, int]] = {}
        self._mini = b""
        entries = b"".join(map(self._sector, self._chain(directory, self._fat)))
        for start in range(0, len(entries), 128):
            entry = entries[start : start + 128]
            length, kind, first, size = struct.unpack_from("<HB49xII", entry, 64)
            name = entry[: max(length - 2, 0)].decode("utf-16-le", "replace")
            if kind == 5:  # the root, whose stream holds the small streams
                self._mini = b"".join(map(self._sector, self._chain(first, self._fat)))
            elif kind:
                self._streams[name] = (first, size)

    @property
    def names(self) -> set[str]:
        """The names of its streams and storages."""
        return set(self._streams)

    def stream(self, name: str) -> bytes:
        """Return the bytes of the stream called `name`."""
        first, size = self._streams[name]
        if size >= self._cutoff:
            return b"".join(map(self._sector, self._chain(first, self._fat)))[:size]
        width = 1 << self._mini_shift
        pieces = (
            self._mini[number * width : (number + 1) * width]
            for number in self._chain(first, self._mini_fat)
        )
        return b"".join(pieces)[:size]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        return self._content[start : start + self._size]

    def _numbers(self, sectors: Sequence[int] | Iterator[int]) -> "array[int]":
        numbers = array("I")
        for sector in sectors:
            piece = self._sector(sector)
            numbers.frombytes(piece[: len(piece) // 4 * 4])
        return numbers

    def _fat_sectors(self) -> Iterator[int]:
        listed = struct.unpack_from(f"<{_HEADER_SECTOR_NUMBERS}I", self._content, 76)
        further, count = struct.unpack_from("<II", self._content, 68)
        most = len(self._content) // self._size
        numbers = [*listed]
        for _ in range(min(count, most)):
            if further >= _END:
                break
            *more, further = struct.unpack(f"<{self._size // 4}I", self._sector(further))
            numbers += more
        yield from (number for number in numbers[: most + 1] if number < _END)

    def _chain(self, first: int, table: "array[int]") -> Iterator[int]:
        """Yield the sectors from `first` on; a chain that runs in a circle breaks off."""
        number = first
        for _ in range(len(table)):
            if number >= _END:
                return
            yield number
            number = table[number]


def legacy_workbook(compound: CompoundFile, content: bytes) -> Workbook | None:
    """Return the XLS in `content`, whose streams `compound` has; None where it is no workbook.

    Raises FileRefused where it is encrypted or holds macros.
    """
    names = {name.lower(): name for name in compound.names}
    stream = names.get("workbook") or names.get("book")
    if stream is None:
        return None
    if "_vba_project_cur" in names or "_vba_project" in names:
        raise FileRefused("refused.macros")
    shift, current = 0, -1
    places: dict[int, int] = {}
    errors: dict[int, dict[tuple[int, int], str]] = {}
    for offset, kind, record in _records(compound.stream(stream)):
        if kind == _FILE_PASSWORD:
            raise FileRefused("refused.encrypted")
        if kind == _BOUND_SHEET:
            start, _, sheet_kind = struct.unpack_from("<IBB", record)
            if sheet_kind in _MACRO_SHEETS:
                raise FileRefused("refused.macros")
            places[start] = len(places)
        elif kind == _DATE_1904 and record[:1] == b"\1":
            shift = _SHIFT_1904
        elif kind == _BEGIN:
            current = places.get(offset, current)
        elif kind in (_FORMULA, _ERROR_OR_BOOL):
            code = _error_code(kind, record)
            if code is not None:
                row, column = struct.unpack_from("<HH", record)
                errors.setdefault(current, {})[row, column] = _ERRORS.get(code, "#N/A")
    return Workbook(".xls", content, shift, errors)


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (offset, kind, content) of each record."""
    offset = 0
    while offset + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, offset)
        yield offset, kind, stream[offset + 4 : offset + 4 + length]
        offset += 4 + length


def _error_code(kind: int, record: bytes) -> int | None:
    if kind == _ERROR_OR_BOOL and record[7:8] == b"\1":
        return record[6]
    if kind == _FORMULA and record[6:7] == b"\2" and record[12:14] == b"\xff\xff":
        return record[8]
    return None


def decrypted(content: bytes, passwords: Sequence[str]) -> bytes:
    """Return the workbook that one of `passwords` opens; FileRefused where none does."""
    # the library is slow to import, and few files are encrypted
    from tasks.workbook_password import unlock  # noqa: PLC0415

    opened = unlock(content, passwords)
    if opened is None:
        raise FileRefused("refused.encrypted")
    return opened
