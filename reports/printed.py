"""The quarterly pack on paper: a PDF out of the document that passed the gate.

Set by typst in this process, in the CJK font of the package manimgx-fonts-cjk, so that it looks the
same on a machine without Chinese fonts. The same document gives the same bytes.
"""

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import typst

_TEMPLATE = Path(__file__).with_name("templates") / "quarterly_pack.typ"


def printed_pack(document: str) -> bytes:
    """Return the PDF of a pack; `document` is what `reports.pack.render_document` returns."""
    return typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"document": document},
        timestamp=0,
    )


@cache
def _fonts() -> typst.Fonts:
    with as_file(files("manimgx_fonts_cjk")) as folder:
        return typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
        )
