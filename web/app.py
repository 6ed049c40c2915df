"""The intake page: a link is opened, a file judged, confirmed, and its return workbook fetched.

Nothing but an open link leads anywhere: any other address, a wrong, used or expired link and a
wrong method all get the same answer. A file waits in memory from its upload to its confirmation.
"""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from tasks.intake import FileResult
from tasks.links import Link, hash_of
from tasks.plan import Plan
from tasks.rules.errors import CampaignError, StoreBusy
from tasks.rules.wording import say
from tasks.sent_file import SentFile
from web.desk import Delivered, Desk
from web.guards import Limiter, Seal, answer_headers, comes_from_the_page, is_host, source_of
from web.pages import MOST_LINES, heading_of, lines_of, rendered, style_hash
from web.shelf import Shelf
from web.upload import Form, NotAForm, TooLarge, read_fields, read_upload

UPLOAD_SECONDS = 5 * 60.0
RECEIPT_SECONDS = 30 * 60.0
SWEEP_SECONDS = 15.0
"""How often what is too old is forgotten though nobody asks for anything."""
MOST_THINGS = 64
"""Uploads that wait, and receipts: one a link, and a village has one open link a round."""
MOST_FULL_FILES = 8
"""How many files of the greatest size may wait together."""
AT_ONCE = 4
"""How many files may be arriving together; further ones wait their turn, unread."""
ARRIVAL_WAIT_SECONDS = 60.0
ADDRESS_LIMIT = (240, 60.0)
"""Requests within seconds. All villages of a township may come through one address."""
LINK_LIMIT = (30, 600.0)
"""Forms sent within seconds: each may cost the judging of a file."""

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SESSION = re.compile(r"[A-Za-z0-9_-]{24}")


@dataclass(frozen=True)
class Upload:
    """A file between its upload and its confirmation."""

    number: str
    """Random: a form confirms the very file whose verdicts it showed."""
    session: str
    file: SentFile
    result: FileResult | None = field(default=None, repr=False)
    """None until it is judged."""


@dataclass(frozen=True)
class Receipt:
    """What a village may still see, in the same browser, of what it has just confirmed."""

    session: str
    plan: Plan
    link: Link
    delivered: Delivered = field(repr=False)


@dataclass(frozen=True)
class Visit:
    """A request that came with an open link."""

    request: Request
    plan: Plan
    link: Link
    token: str = field(repr=False)
    session: str = field(repr=False)
    seal: str = field(repr=False)


class Answer(Exception):
    """Ends a request with a page that says one thing."""

    def __init__(self, status: int, key: str) -> None:
        """Take the HTTP status and the wording key of the page's heading."""
        super().__init__(key)
        self.status = status
        self.key = key


class IntakePage:
    """The page of one campaign, as an ASGI application."""

    def __init__(
        self,
        desk: Desk,
        address: str,
        *,
        complain: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the desk, the address that villages open, and where to tell of what failed.

        `complain` gets one line without values; `clock` gives seconds that never go back.
        """
        self.desk = desk
        self.address = address
        self._secure = address.startswith("https:")
        self._cookie = "__Host-form" if self._secure else "form"
        self._complain = complain
        self._plan = desk.plan()
        self._seal = Seal()
        self._by_address = Limiter(*ADDRESS_LIMIT, clock)
        self._by_link = Limiter(*LINK_LIMIT, clock)
        self._arriving = asyncio.Semaphore(AT_ONCE)
        most_bytes = MOST_FULL_FILES * self._plan.limits.file_megabytes * 2**20
        self.uploads: Shelf[Upload] = Shelf(UPLOAD_SECONDS, MOST_THINGS, most_bytes, clock)
        self.receipts: Shelf[Receipt] = Shelf(RECEIPT_SECONDS, MOST_THINGS, most_bytes, clock)
        self._headers = answer_headers(style_hash(), secure=self._secure)
        self._pages = Starlette(
            routes=[
                Route("/{token}", self._open, methods=["GET"]),
                Route("/{token}/check", self._check, methods=["POST"]),
                Route("/{token}/verdicts", self._verdicts, methods=["GET"]),
                Route("/{token}/confirm", self._confirm, methods=["POST"]),
                Route("/{token}/receipt", self._show_receipt, methods=["GET"]),
                Route("/{token}/return-workbook", self._workbook, methods=["GET"]),
            ],
            lifespan=self._sweeping,
            exception_handlers=dict.fromkeys((Answer, 404, 405, Exception), self._answered),
        )
        self._pages.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: its headers always, an error never with its text."""
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        try:
            refusal = self._refusal(Request(scope))
            await (refusal or self._pages)(scope, receive, with_headers)
        except Exception as error:  # noqa: BLE001 # its text may hold a cell; its kind does not
            kind = error.key if isinstance(error, CampaignError) else type(error).__name__
            self._complain(say("web.act_failed", kind=kind))

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to what is not even looked at, or None."""
        if not is_host(request.headers, self.address):
            return self._message(404, "web.gone")
        client = request.client.host if request.client else ""
        if not self._by_address.allows(source_of(client)):
            return self._message(429, "web.too_many")
        return None

    # --- the pages ------------------------------------------------------------------------------

    async def _open(self, request: Request) -> Response:
        try:
            visit = await self._visit(request)
        except Answer:
            if self._kept(request) is None:
                raise
            # who confirmed a moment ago and lost the answer finds it again
            return _see(request, "receipt")
        return self._upload_page(visit)

    async def _check(self, request: Request) -> Response:
        visit = await self._visit(request)
        most_bytes = visit.plan.limits.file_megabytes * 2**20
        try:
            await asyncio.wait_for(self._arriving.acquire(), ARRIVAL_WAIT_SECONDS)
        except TimeoutError:
            return self._message(503, "web.busy_open", again=f"/{visit.token}")
        try:
            form = await self._form(visit, lambda: read_upload(request, most_bytes))
        finally:
            self._arriving.release()
        if not form.content:
            return self._upload_page(visit, "web.no_file")
        # by this name a locked workbook is tried with its village's password first
        file = SentFile(f"{visit.link.village}{form.ending}", form.content)
        upload = Upload(secrets.token_hex(16), visit.session, file)
        self.uploads.put(visit.link.token_hash, upload, len(form.content))
        return _see(request, "verdicts")

    async def _verdicts(self, request: Request) -> Response:
        visit = await self._visit(request)
        upload = self._upload(visit)
        if upload is None:
            return self._upload_page(visit, "web.upload_over")
        if upload.result is None:
            try:
                result = await run_in_threadpool(self.desk.judge, visit.link, upload.file)
            except StoreBusy:
                return self._message(503, "web.busy", again=f"/{visit.token}/verdicts")
            upload = replace(upload, result=result)
            newest = self._upload(visit)
            if newest is not None and newest.number == upload.number:
                self.uploads.put(visit.link.token_hash, upload, len(upload.file.content))
        refused = _why_not(visit, upload)
        if refused is not None:
            return self._page(visit, "refused", refused=refused)
        lines = lines_of(upload.result, visit.plan.language) if upload.result else []
        return self._page(
            visit,
            "verdicts",
            result=upload.result,
            upload=upload.number,
            lines=lines[:MOST_LINES],
            more=max(0, len(lines) - MOST_LINES),
            minutes=round(UPLOAD_SECONDS / 60),
        )

    async def _confirm(self, request: Request) -> Response:
        try:
            visit = await self._visit(request)
        except Answer:
            if self._kept(request) is None:
                raise
            return _see(request, "receipt")  # sent a second time: the first one counted
        form = await self._form(visit, lambda: read_fields(request))
        upload = self._upload(visit)
        shown = upload is not None and upload.number == form.fields.get("upload")
        if upload is None or not shown or _why_not(visit, upload) is not None:
            return self._upload_page(visit, "web.upload_over")
        try:
            delivered = await run_in_threadpool(
                self.desk.deliver, visit.link, visit.token, upload.file
            )
        except StoreBusy:
            return self._message(503, "web.busy", form=visit, upload=upload.number)
        if delivered is None:
            self._receipt(request)  # of the same form, sent twice at once
            return _see(request, "receipt")
        self.uploads.take_away(visit.link.token_hash)
        if delivered.next_token is None:
            return self._page(
                visit, "refused", refused=_why_not(visit, replace(upload, result=delivered.result))
            )
        receipt = Receipt(visit.session, visit.plan, visit.link, delivered)
        size = len(delivered.return_workbook[1]) if delivered.return_workbook else 0
        self.receipts.put(visit.link.token_hash, receipt, size)
        return _see(request, "receipt")

    async def _show_receipt(self, request: Request) -> Response:
        receipt = self._receipt(request)
        token = request.path_params["token"]
        visit = Visit(request, receipt.plan, receipt.link, token, receipt.session, "")
        next_token = receipt.delivered.next_token
        return self._page(
            visit,
            "receipt",
            result=receipt.delivered.result,
            has_workbook=receipt.delivered.return_workbook is not None,
            next_path=f"/{next_token}",
            next_link=f"{self.address}/{next_token}",
            until=receipt.link.last_day.isoformat(),
            minutes=round(RECEIPT_SECONDS / 60),
        )

    async def _workbook(self, request: Request) -> Response:
        workbook = self._receipt(request).delivered.return_workbook
        if workbook is None:
            raise Answer(404, "web.gone")
        name, content = workbook
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=WORKBOOK, headers=disposition)

    # --- what a request must bring --------------------------------------------------------------

    async def _visit(self, request: Request) -> Visit:
        """Return the open link of a request; raises Answer where there is none."""
        token = request.path_params["token"]
        try:
            plan, link = await run_in_threadpool(self.desk.find, token)
        except StoreBusy:
            raise Answer(503, "web.busy_open") from None
        if link is None:
            raise Answer(404, "web.gone")
        session = self._session(request) or secrets.token_urlsafe(18)
        seal = self._seal.of(session, link.token_hash)
        return Visit(request, plan, link, token, session, seal)

    async def _form(self, visit: Visit, read: Callable[[], Awaitable[Form]]) -> Form:
        """Return a form that our own page sent; raises Answer where it is none."""
        if not self._by_link.allows(visit.link.token_hash):
            raise Answer(429, "web.too_many")
        if not comes_from_the_page(visit.request.headers, self.address):
            raise Answer(403, "web.bad_form")
        try:
            form = await read()
        except TooLarge:
            raise Answer(413, "web.too_large") from None
        except NotAForm:
            raise Answer(400, "web.bad_form") from None
        given = form.fields.get("seal", "")
        if not self._seal.holds(given, visit.session, visit.link.token_hash):
            raise Answer(403, "web.bad_form")
        return form

    def _session(self, request: Request) -> str | None:
        value = request.cookies.get(self._cookie, "")
        return value if _SESSION.fullmatch(value) else None

    def _upload(self, visit: Visit) -> Upload | None:
        upload = self.uploads.get(visit.link.token_hash)
        return upload if upload is not None and upload.session == visit.session else None

    def _kept(self, request: Request) -> Receipt | None:
        """Return what this browser has just confirmed by this link."""
        receipt = self.receipts.get(hash_of(request.path_params["token"]))
        same = receipt is not None and receipt.session == self._session(request)
        return receipt if same else None

    def _receipt(self, request: Request) -> Receipt:
        """Return what this browser has just confirmed by this link; raises Answer otherwise."""
        receipt = self._kept(request)
        if receipt is None:
            raise Answer(404, "web.gone")
        return receipt

    # --- answers --------------------------------------------------------------------------------

    def _upload_page(self, visit: Visit, notice: str | None = None) -> Response:
        text = None if notice is None else say(notice, visit.plan.language)
        return self._page(visit, "upload", notice=text)

    def _page(self, visit: Visit, name: str, **content: object) -> Response:
        heading = heading_of(visit.plan, visit.link)
        page = rendered(name, visit.plan, visit=visit, heading=heading, **content)
        response = HTMLResponse(page)
        if self._session(visit.request) != visit.session:
            response.set_cookie(
                self._cookie,
                visit.session,
                secure=self._secure,
                httponly=True,
                samesite="strict",
            )
        return response

    def _message(self, status: int, key: str, **content: object) -> Response:
        content = {"again": None, "form": None, **content}
        page = rendered("message", self._plan, message=key, **content)
        # a browser that lost a connection waits this long before it tries again by itself
        headers = {"Retry-After": "60"} if status in (429, 503) else {}
        return HTMLResponse(page, status, headers)

    async def _answered(self, _: Request, error: Exception) -> Response:
        if isinstance(error, Answer):
            return self._message(error.status, error.key)
        if isinstance(error, HTTPException):
            return self._message(404, "web.gone")
        return self._message(500, "web.failed")  # Starlette raises it again, to be told of above

    @asynccontextmanager
    async def _sweeping(self, _: Starlette) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await asyncio.sleep(SWEEP_SECONDS)
                self.uploads.sweep()
                self.receipts.sweep()

        sweeper = asyncio.create_task(sweep())
        try:
            yield
        finally:
            sweeper.cancel()


def _see(request: Request, page: str) -> Response:
    return RedirectResponse(f"/{request.path_params['token']}/{page}", 303)


def _why_not(visit: Visit, upload: Upload) -> str | None:
    """Return why a judged file cannot be confirmed by this link, or None where it can."""
    language, result, link = visit.plan.language, upload.result, visit.link
    if result is None or result.identity is None or result.refused is not None:
        refused = None if result is None else result.refused
        return say("web.failed", language) if refused is None else refused.text(language)
    identity = result.identity
    told = (identity.campaign, identity.phase, identity.round, identity.village)
    if told != (link.campaign, link.phase, link.round, link.village):
        return say("web.other_scope", language)
    return None
