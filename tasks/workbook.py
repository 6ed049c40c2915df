"""Workbooks that leave for villages: how they are made, whatever is in them.

Text stays text: nothing that is written becomes a formula, a link or a number by itself.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import xlsxwriter

Format = Any
Page = Any
"""xlsxwriter publishes no types."""

TEXT = "@"
DATE = "yyyy-mm-dd"
A4 = 9
"""The number of that paper in the file format."""


@dataclass
class Book:
    """A workbook being written: `formats` are its styles by name, `content` its bytes at the end.

    Valid inside `new_book`; `content` after it.
    """

    book: Any
    formats: dict[str, Format]
    stream: io.BytesIO = field(repr=False)

    def page(self, name: str) -> Page:
        """Add a sheet called `name` and return it."""
        return self.book.add_worksheet(name)

    @property
    def content(self) -> bytes:
        """The file."""
        return self.stream.getvalue()


@contextmanager
def new_book(styles: dict[str, dict[str, object]], made_on: date) -> Iterator[Book]:
    """Open a workbook in memory with these `styles`; it is whole once the block is left.

    `made_on` is all the file says of when it was made, so the same content gives the same bytes.
    """
    stream = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"created": datetime.combine(made_on, datetime.min.time())})
        formats = {name: book.add_format(style) for name, style in styles.items()}
        yield Book(book, formats, stream)


def lay_out(page: Page, *, head: int | None = None, landscape: bool = True) -> None:
    """Print `page` on A4, fit to its width; rows down to `head` (from 0) stand on each sheet."""
    if landscape:
        page.set_landscape()
    page.set_paper(A4)
    page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    page.fit_to_pages(1, 0)
    page.set_footer("&C&P / &N")
    if head is not None:
        page.repeat_rows(0, head)


def cells_wide(text: str) -> float:
    """Return how wide `text` is, in digits, by which the width of a column is measured."""
    # a Chinese character is a little wider than two digits
    return sum(2.1 if ord(sign) > 0x2E7F else 1 for sign in text)
