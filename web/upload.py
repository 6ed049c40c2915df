"""Reading what a browser sends: within its limits, within its time, and never onto a disk."""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qs

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

FORM_BYTES = 16 * 1024
"""What a form may hold beside its file: seals and the lines between the parts."""
LET_PASS = 4
WITHIN_SECONDS = 180.0
"""How long a file may take to arrive; 20 MB over a line of 1 Mbit/s."""
_ENDING = re.compile(r"\.[a-z0-9]{1,5}")


class TooLarge(Exception):
    """More bytes than the limit were sent or announced; the rest was not read."""


class NotAForm(Exception):
    """What came is not the form of the page, not whole, or took too long."""


@dataclass(frozen=True)
class Form:
    """What a browser sent: the form's fields and, where one was chosen, a file."""

    fields: dict[str, str]
    ending: str = ""
    """Of the file's name, with its dot; the name itself may be somebody's and is not kept."""
    content: bytes | None = None


class _InMemory(MultiPartParser):
    # 0 means never: a spooled file of another size goes to the disk, in clear
    spool_max_size = 0


async def read_upload(request: Request, most_bytes: int) -> Form:
    """Read a form with one file of at most `most_bytes`. Raises TooLarge or NotAForm."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise NotAForm
    body = _limited(request, most_bytes + FORM_BYTES)
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            parser = _InMemory(
                request.headers, body, max_files=1, max_fields=4, max_part_size=FORM_BYTES
            )
            parts = await parser.parse()
            fields = {name: value for name, value in parts.items() if isinstance(value, str)}
            file = parts.get("file")
            if not isinstance(file, UploadFile):
                return Form(fields)
            try:
                content = await file.read()
            finally:
                await file.close()
    except (MultiPartException, ClientDisconnect, TimeoutError):
        raise NotAForm from None
    if len(content) > most_bytes:
        raise TooLarge
    return Form(fields, _ending(file.filename or ""), content)


async def read_fields(request: Request) -> Form:
    """Read a form without a file. Raises TooLarge or NotAForm."""
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            body = b"".join([chunk async for chunk in _limited(request, FORM_BYTES)])
        given = parse_qs(body.decode("ascii"), max_num_fields=4)
    except (ValueError, ClientDisconnect, TimeoutError):
        raise NotAForm from None
    return Form({name: values[0] for name, values in given.items()})


async def _limited(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield the body piece by piece; raise TooLarge before more than the limit was kept.

    What is over is let pass, up to a multiple: a browser shows an answer only after it could send.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > most_bytes * LET_PASS:
        raise TooLarge
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read <= most_bytes:
            yield chunk
        elif read > most_bytes * LET_PASS:
            break
    if read > most_bytes:
        raise TooLarge


def _ending(name: str) -> str:
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    return ending if _ENDING.fullmatch(ending) else ""
