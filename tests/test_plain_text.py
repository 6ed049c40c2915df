"""A CSV that is plain all through is read at once; it says what it says read row by row."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.plan import Limits
from tasks.reading import text_file
from tasks.reading.apart import Grid
from tasks.rules.errors import FileRefused

NARROW = Limits(rows=100, columns=30, cell_characters=200)
TITLES = [f"第{number}行" for number in range(text_file.HEAD_WITHIN)]
"""As many lines as are read one by one in any case."""


def row_by_row(content: bytes, delimiter: str) -> Grid | None:
    grid = Grid("")
    try:
        text_file._add_rows(grid, "v.csv", content, delimiter, NARROW)
    except FileRefused:
        return None
    return grid


def said(grid: Grid | None) -> object:
    """All that a grid says; None of a file that is refused."""
    return grid and (grid.rows, grid.cut)


cells = st.one_of(
    st.sampled_from(
        ["", " ", "李四", "1，3", '"1,3"', '""', '"a', 'a"b', '"a""b"', "\t", "\u3000"]
    ),
    st.text(st.sampled_from('ab李,;" \r\n\u00a0\u200b'), max_size=4),
    st.sampled_from(["x" * 199, "李" * 201, "é" * 150]),
)


@given(
    rows=st.lists(st.lists(cells, min_size=1, max_size=4), max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from(",;\t"),
    ended=st.booleans(),
)
@example(rows=[['"', '"', ""]], end="\n", delimiter="\t", ended=False)
def test_any_text_is_read_as_row_by_row(
    rows: list[list[str]], end: str, delimiter: str, ended: bool
) -> None:
    lines = [*TITLES, *(delimiter.join(row) for row in rows)]
    content = (end.join(lines) + (end if ended else "")).encode()
    top = text_file._top_of_plain(content, delimiter)
    columns = text_file._columns(content, len(top), delimiter, NARROW) if top else None
    if columns is None:
        return  # read row by row in any case
    try:
        found: Grid | None = text_file.text_grid("v.csv", content, NARROW)
    except FileRefused:
        found = None
    chosen = text_file._delimiter(content, text_file._UTF_8)
    assert said(found) == said(row_by_row(content, chosen))


def plain(rows: Sequence[Sequence[str]]) -> bytes:
    return "\n".join([*TITLES, *map(",".join, rows), ""]).encode()


@pytest.mark.parametrize(
    ("rows", "quickly"),
    [
        ([["1", "李四", '"1,3"'], ["2", "王五", ""]], True),
        ([["1", "李四", ""], ["", " ", ""], ["2", "王五", ""]], True),
        ([["1", "李四"], ["2", "王五", "3"]], False),
        ([["1", '"李\n四"']], False),
        ([["1", "李\u3000四"]], False),
        ([["1", "李" * 201]], False),
        ([["1", "李四"]] * 90, False),
    ],
    ids=["plain", "a blank row", "lengths", "a line break", "a wide space", "too long", "too many"],
)
def test_what_is_read_at_once(
    monkeypatch: pytest.MonkeyPatch, rows: list[list[str]], quickly: bool
) -> None:
    contents: list[bytes] = []
    read = text_file._add_rows

    def seen(grid: Grid, file: str, content: bytes, *rest: object) -> None:
        contents.append(content)
        read(grid, file, content, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(text_file, "_add_rows", seen)
    content = plain(rows)
    found = text_file.text_grid("v.csv", content, NARROW)
    assert said(found) == said(row_by_row(content, ","))
    assert (contents[0] != content) is quickly
