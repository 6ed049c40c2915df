"""Workbooks taken apart: bytes in, rows of text out; run where it can be stopped.

`python -m tasks.grids` is a process of its own. A parser of strange files may hang, ask for all
memory or abort; here that ends this process and one file, never the run. It has bounded memory and
time, may write no file, and is started without the environment, so it never holds a key.
`tasks.reading` starts it and talks to it; nothing else does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

CELL_END, COLUMN_END = "\x1f", "\x1e"
"""Unit and record separator: cells are cleared of control characters, so none holds these."""


@dataclass(frozen=True)
class Workbook:
    """A workbook that the parser may see, and what the parser would not tell of it."""

    ending: str
    content: bytes
    shift: int = 0
    """Days to add to a bare serial so that it counts from 1899-12-30; 1462 in the 1904 system."""
    errors: Mapping[int, Mapping[tuple[int, int], str]] = field(default_factory=dict)
    """Place of a sheet -> (row, column), counted from 0 -> the error that stands there."""
