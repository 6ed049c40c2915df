"""Files changed at random: always a submission or one safe line, never a crash and never a hang.

What was found once stands in test_hostile_files.py as a case of its own. A small sample runs with
every change, the whole of it in make test-slow.
"""

import re
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import write_grids
from made_files import CELLS, HEADS, LINE, MARKER, legacy, open_document
from tasks.plan import Limits
from tasks.reading import read_submission
from tasks.rules.errors import FileRefused
from tasks.rules.wording import LANGUAGES
from tasks.sent_file import SentFile

ROWS = [[LINE], HEADS, CELLS, [MARKER] * 9, [f"{MARKER}{number}" for number in range(9)]]
LIMITS = Limits(seconds=5, rows=1000)
LONGEST = 8
"""Seconds a file may take, on a busy machine."""

CASES = [pytest.param(150, id="sample"), pytest.param(4200, marks=pytest.mark.slow, id="all")]
"""How often each of the five ways is tried: 750 times, or 21,000 times."""

Way = Callable[[Random], tuple[str, bytes]]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A sound workbook of each format, by ending."""
    path = write_grids(tmp_path_factory.mktemp("books") / "v.xlsx", {"走访情况": ROWS})
    return {".xlsx": path.read_bytes(), ".xls": legacy(ROWS), ".ods": open_document(ROWS)}


def check(name: str, content: bytes) -> None:
    """Read a file and assert that it is read, or refused in a line that holds none of its cells."""
    start = time.monotonic()
    try:
        submission = read_submission(SentFile(name, content), LIMITS)
    except FileRefused as error:
        texts = [error.text(language) for language in LANGUAGES]
    else:
        texts = []
        for sheet in submission.sheets:
            for number, cells in sheet.rows:
                assert 1 <= number <= LIMITS.rows
                assert len(cells) == len(sheet.sheet.columns)
                "".join(cells).encode()
    assert time.monotonic() - start < LONGEST
    for text in texts:
        assert len(text.splitlines()) == 1
        assert text.isprintable()
        assert MARKER[:3] not in text
        assert name in text


def try_often(cases: int, way: Way) -> None:
    """Try files made in one way; the sample is always the same."""

    @settings(
        max_examples=cases,
        derandomize=cases < 1000,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**64 - 1))
    def case(seed: int) -> None:
        # a failure names the seed, and the seed is the file
        check(*way(Random(seed)))  # noqa: S311 # nothing here is secret

    case()


@pytest.mark.parametrize("cases", CASES)
def test_workbooks_of_which_bytes_were_changed(books: dict[str, bytes], cases: int) -> None:
    def way(draw: Random) -> tuple[str, bytes]:
        ending = draw.choice(list(books))
        content = bytearray(books[ending])
        for _ in range(draw.choice((1, 1, 2, 8, 64))):
            _change_bytes(draw, content)
        return f"v{draw.choice((ending, ending, ending, '.csv'))}", bytes(content)

    try_often(cases, way)


def _change_bytes(draw: Random, content: bytearray) -> None:
    at = draw.randrange(len(content) + 1)
    match draw.randrange(6):
        case 0:
            del content[at:]  # breaks off
            content += b"P"
        case 1:
            del content[at : at + draw.choice((1, 4, 512))]
        case 2:
            content[at:at] = draw.randbytes(draw.choice((1, 4, 512)))
        case 3:
            content[at : at + 4] = draw.choice(
                (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f")
            )
        case _:
            content[at : at + 1] = bytes([draw.randrange(256)])


@pytest.mark.parametrize("cases", CASES)
def test_archives_of_which_the_headers_were_changed(books: dict[str, bytes], cases: int) -> None:
    def way(draw: Random) -> tuple[str, bytes]:
        ending = draw.choice((".xlsx", ".ods"))
        content = bytearray(books[ending])
        heads = [found.start() for found in re.finditer(rb"PK[\1\3\5][\2\4\6]", bytes(content))]
        for _ in range(draw.randint(1, 3)):
            at = draw.choice(heads) + draw.randrange(2, 46)
            size = draw.choice((1, 2, 4))
            value = draw.choice((0, 1, 255, 2**31, 2**32 - 1, draw.randrange(2**32)))
            content[at : at + size] = value.to_bytes(4, "little")[:size]
        return f"v{ending}", bytes(content)

    try_often(cases, way)


TOKENS = (
    b'r="A1"',
    b'r="XFD1048576"',
    b'r="ZZZZZZ99999999999"',
    b'r=""',
    b't="s"',
    b't="e"',
    b't="b"',
    b't="inlineStr"',
    b't="d"',
    b"<v>99999999999</v>",
    b"<v>-1</v>",
    b"<v>1e308</v>",
    b"<v>NaN</v>",
    b"<v></v>",
    b"<f/>",
    b'<f t="shared" si="0"/>',
    b"<f>1+1</f>",
    b"</row>",
    b"<row>",
    b'<row r="1048576">',
    b'<dimension ref="A1:XFD1048576"/>',
    b'<mergeCell ref="A1:XFD1048576"/>',
    b"<c>",
    b"</c>",
    b"<si>",
    b"<!--",
    b"<![CDATA[",
    b"&#0;",
    b"&#xD800;",
    b"&lt;",
    b"\xff\xfe",
    b"\0",
    b"\x1e",
    b"\x1f",
    b'table:number-columns-repeated="999999999"',
    b'table:number-rows-repeated="999999999"',
    b'office:date-value="9999-99-99"',
    b'office:date-value="-1"',
    b'office:value="x"',
    b'date1904="1"',
    b'encoding="UTF-16"',
)
"""What parsers of workbooks stumble on."""


@pytest.mark.parametrize("cases", CASES)
def test_workbooks_of_which_the_parts_were_changed(books: dict[str, bytes], cases: int) -> None:
    def way(draw: Random) -> tuple[str, bytes]:
        ending = draw.choice((".xlsx", ".ods"))
        stream = BytesIO()
        with (
            zipfile.ZipFile(BytesIO(books[ending])) as sound,
            zipfile.ZipFile(stream, "w") as archive,
        ):
            parts = {name: bytearray(sound.read(name)) for name in sound.namelist()}
            names = [name for name in parts if re.search("sheet|workbook|content|styles", name)]
            for _ in range(draw.randint(1, 4)):
                _change_part(draw, parts[draw.choice(names)])
            if draw.randrange(20) == 0:
                del parts[draw.choice(list(parts))]
            for name, content in parts.items():
                archive.writestr(name, bytes(content))
        return f"v{ending}", stream.getvalue()

    try_often(cases, way)


def _change_part(draw: Random, content: bytearray) -> None:
    token = draw.choice(TOKENS)
    places = [found.start() for found in re.finditer(rb'[<>" ]', bytes(content))] or [0]
    at, end = draw.choice(places), draw.choice(places)
    attributes = list(re.finditer(rb'[\w:-]+="[^"]*"', bytes(content)))
    match draw.randrange(5):
        case 0:
            content[at:at] = token
        case 1 if attributes:
            found = draw.choice(attributes)
            content[found.start() : found.end()] = token
        case 2 if attributes:  # the same attribute with another one's value
            one, other = draw.choice(attributes)[0], draw.choice(attributes)[0]
            value = other.partition(b"=")[2]
            content[:] = content.replace(one, one.partition(b"=")[0] + b"=" + value, 1)
        case 3:
            del content[min(at, end) : min(at, end) + 40]
        case _:
            piece = content[at : at + draw.choice((10, 100, 1000))]
            content[end:end] = piece * draw.choice((1, 2, 50))


@pytest.mark.parametrize("cases", CASES)
def test_texts_of_any_bytes(cases: int) -> None:
    encodings = ("utf-8", "utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be")

    def way(draw: Random) -> tuple[str, bytes]:
        delimiter, end = draw.choice(",;\t"), draw.choice(("\n", "\r\n", "\r"))
        lines = [delimiter.join(row) for row in ROWS]
        for _ in range(draw.randrange(4)):
            lines.insert(draw.randint(0, len(lines)), _any_text(draw, delimiter))
        content = bytearray(end.join(lines).encode(draw.choice(encodings), "replace"))
        for _ in range(draw.choice((0, 0, 1, 1, 4, 32))):
            _change_bytes(draw, content)
        return "v.csv", bytes(content)

    try_often(cases, way)


def _any_text(draw: Random, delimiter: str) -> str:
    signs = (
        delimiter,
        '"',
        '""',
        "\0",
        "\ufeff",
        "\u2028",
        "\x1e",
        "\x1f",
        " ",
        "　",
        "一",
        "9",
        MARKER,
    )
    return "".join(draw.choice(signs) for _ in range(draw.choice((1, 10, 300))))


@pytest.mark.parametrize("cases", CASES)
def test_rows_of_any_cells(books: dict[str, bytes], cases: int) -> None:
    words = [
        *HEADS,
        *CELLS,
        "",
        " ",
        "联系人",
        "姓名",
        MARKER,
        f"{MARKER}1",
        LINE,
        "=1+1",
        "\x1f\x1e",
    ]

    def way(draw: Random) -> tuple[str, bytes]:
        rows = [list(row) for row in ROWS]
        for _ in range(draw.randint(1, 6)):
            row = draw.choice(rows)
            row[draw.randrange(len(row)) :] = draw.choices(words, k=draw.randrange(12)) or [""]
        if draw.randrange(3) == 0:
            draw.shuffle(rows)
        if draw.randrange(2):
            return "v.xls", legacy(rows)
        escaped = [[cell.replace("\x1f", "&#31;") for cell in row] for row in rows]
        return "v.ods", open_document(escaped)

    try_often(cases, way)
