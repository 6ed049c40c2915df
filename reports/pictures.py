"""From a chart's description to SVG, and from SVG to PNG: the only module that draws.

vl-convert draws without a browser and fetches nothing. Chinese glyphs come from the font of the
package manimgx-fonts-cjk, so that they come out on a machine without Chinese fonts. That font is a
variable one of which its thinnest weight is drawn; texts are given a stroke of their own colour,
which makes them as strong as ordinary print.
"""

import struct
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import as_file, files

FONT = "Noto Sans CJK SC"

SCALE = 1.5
"""Pixels of a picture for each pixel of a page: sharp on a telephone, small enough to mail."""

_PNG = b"\x89PNG\r\n\x1a\n"


@lru_cache(maxsize=64)
def svg_of(spec: str) -> str:
    """Return a Vega-Lite specification, given as JSON, as SVG; the same bytes for the same text."""
    import vl_convert  # noqa: PLC0415 # a second, only where a picture is made

    _register_font()
    drawn: str = vl_convert.vegalite_to_svg(spec, show_warnings=False)
    return drawn


@lru_cache(maxsize=64)
def png_of(svg: str) -> bytes:
    """Return an SVG as a PNG, `SCALE` times its size."""
    import vl_convert  # noqa: PLC0415

    _register_font()
    drawn: bytes = vl_convert.svg_to_png(svg, scale=SCALE)
    return _packed(drawn)


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG: kind and content. Raises ValueError for what is none."""
    if not png.startswith(_PNG):
        raise ValueError("no PNG")
    at = len(_PNG)
    while at < len(png):
        head = png[at : at + 8]
        if len(head) < 8:
            raise ValueError("no chunk")
        (length,) = struct.unpack(">I", head[:4])
        content = png[at + 8 : at + 8 + length]
        if len(png) < at + 12 + length:
            raise ValueError("cut short")
        yield head[4:], content
        at += 12 + length


def _packed(png: bytes) -> bytes:
    """Return the same picture in two thirds of the bytes: vl-convert packs for speed."""
    found = list(chunks(png))
    pixels = zlib.decompress(b"".join(content for kind, content in found if kind == b"IDAT"))
    (head,) = (content for kind, content in found if kind == b"IHDR")
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    return _PNG + b"".join(map(_chunk, parts))


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, content = part
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


@cache
def _register_font() -> None:
    import vl_convert  # noqa: PLC0415

    with as_file(files("manimgx_fonts_cjk")) as folder:
        vl_convert.register_font_directory(str(folder))
