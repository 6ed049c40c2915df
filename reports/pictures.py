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
from typing import Any

FONT = "Noto Sans CJK SC"

SCALE = 1.5
"""Pixels of a picture for each pixel of a page: sharp on a telephone, small enough to mail."""

_PNG = b"\x89PNG\r\n\x1a\n"

_COLOURS = 256
"""How many a palette holds."""
_PLAIN, _LEFT, _UP = 0, 1, 2
"""How a line of a PNG can be written: as it is, or less the pixel to the left, or the one above."""


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
    """Return the same picture with a palette: a byte a pixel instead of four.

    Of more colours than a palette holds, all of them shades at the edge of a letter, the rarest
    become the one that is nearest to them.
    """
    import numpy as np  # noqa: PLC0415 # only where a picture is made

    pixels = _pixels(png)
    height, width, _ = pixels.shape
    shades = pixels[:, :, :3].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    found, place, often = np.unique(shades, return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(-often, kind="stable")[:_COLOURS])
    parts = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(np.int64)
    distance = ((parts[:, None, :] - parts[None, kept, :]) ** 2).sum(axis=2)
    nearest = distance.argmin(axis=1).astype(np.uint8)
    lines = np.zeros((height, width + 1), np.uint8)
    lines[:, 1:] = nearest[place].reshape(height, width)
    # one byte a pixel, by palette
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parted = (
        (b"IHDR", head),
        (b"PLTE", parts[kept].astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return _PNG + b"".join(map(_chunk, parted))


def _pixels(png: bytes) -> Any:
    """Return the pixels of a PNG as vl-convert writes it: height, width, red green blue and alpha.

    Raises ValueError where it is written otherwise.
    """
    import numpy as np  # noqa: PLC0415

    found = list(chunks(png))
    (head,) = (content for kind, content in found if kind == b"IHDR")
    width, height, *form = struct.unpack(">IIBBBBB", head)
    if form != [8, 6, 0, 0, 0]:
        raise ValueError("no plain colours")
    packed = b"".join(content for kind, content in found if kind == b"IDAT")
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 4 * width + 1)
    pixels = np.zeros((height, width, 4), np.uint8)
    for row, line in enumerate(lines):
        written = line[1:].reshape(width, 4)
        if line[0] == _LEFT:
            written = np.cumsum(written, axis=0, dtype=np.uint8)
        elif line[0] == _UP:
            written = written + pixels[row - 1] if row else written
        elif line[0] != _PLAIN:
            raise ValueError("a line written otherwise")
        pixels[row] = written
    return pixels


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, content = part
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


@cache
def _register_font() -> None:
    import vl_convert  # noqa: PLC0415

    with as_file(files("manimgx_fonts_cjk")) as folder:
        vl_convert.register_font_directory(str(folder))
