"""The intake page: what a village can do with its link, and all that nobody can do without it."""

import asyncio
import base64
import hashlib
import ipaddress
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Page, sync_playwright

from cli.main import app
from conftest import (
    KEY,
    RECEIVED,
    WriteCsv,
    coverage,
    make_home,
    open_home,
    program,
    referral,
    write_workbook,
)
from register_rows import VILLAGE_1, VILLAGE_2
from tasks.extensions import grant_extension
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.links import find_link, list_links, make_links, revoke_links, use_link
from tasks.plan import Plan, copy_plan
from tasks.rules.contract import Identity
from tasks.rules.errors import StoreBusy, WrongCommand
from tasks.rules.wording import say
from tasks.sent_file import SentFile
from tasks.set_up import set_up
from web import app as web_app
from web import upload as web_upload
from web.app import IntakePage, Upload
from web.desk import Desk
from web.guards import Limiter, Seal, source_of
from web.server import Certificate, address_of, certificate_of, listen, server_of
from web.shelf import Shelf

with warnings.catch_warnings():
    # its successor httpx2 is not among the project's libraries; httpx works
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PLANS = Path(__file__).parent.parent / "data" / "campaigns"
ADDRESS = "http://127.0.0.1:8765"
SAME = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
NAME, PHONE = "孔雀石", "13912345671"


@dataclass
class Clock:
    """Both clocks of the page, moved by hand."""

    now: datetime = RECEIVED
    seconds: float = 0.0

    def wall(self, _: str) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds


@cache
def stores_with_secrets() -> dict[str, bytes]:
    """The files of a home whose register has its secrets: made once."""
    with TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "home")
        with open_home(home):
            """Opened once, it has them."""
        return {path.name: path.read_bytes() for path in home.root.iterdir() if path.is_file()}


@dataclass
class Township:
    """A home with its stores, its page, and the browsers that visit it."""

    home: Home
    plan: Plan
    clock: Clock = field(default_factory=Clock)
    complaints: list[str] = field(default_factory=list)
    address: str = ADDRESS

    def __post_init__(self) -> None:
        for name, content in stores_with_secrets().items():
            (self.home.root / name).write_bytes(content)
        self.desk = Desk(self.home, self.plan.slug, now=self.clock.wall, wait_seconds=0.3)
        self.desk.plan = lambda: self.plan  # type: ignore[method-assign] # no plan file is needed
        self.page = IntakePage(
            self.desk,
            self.address,
            complain=self.complaints.append,
            clock=self.clock.monotonic,
        )

    def link(self, village: str = VILLAGE_1, phase: str = "sweep", **how: Any) -> str:
        with open_ledger(self.home, "write") as store:
            (made,) = make_links(
                store, self.plan, phase, None, village, by="李医生", now=self.clock.now, **how
            )
        return made.token

    def browser(self, **how: Any) -> TestClient:
        return TestClient(self.page, base_url=self.address, headers=SAME, **how)

    def stored(self) -> int:
        """How many files were stored: the ledger is told of each."""
        with open_ledger(self.home) as store:
            query = "SELECT count(*) FROM ledger.agg_submission"
            ((count,),) = store.connection.execute(query).fetchall()
        return int(count)


@pytest.fixture
def township(home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Township:
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    return Township(home, plan)


def field_of(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert found is not None, name
    return found[1]


def upload(browser: TestClient, token: str, file: Path, **changes: Any) -> httpx.Response:
    """Open the link, choose a file, send the form; return the page of the verdicts."""
    form = browser.get(f"/{token}")
    fields = {"seal": field_of(form, "seal")} | changes
    return browser.post(
        f"/{token}/check", data=fields, files={"file": (file.name, file.read_bytes())}
    )


def confirm(browser: TestClient, token: str, verdicts: httpx.Response) -> httpx.Response:
    fields = {name: field_of(verdicts, name) for name in ("seal", "upload")}
    return browser.post(f"/{token}/confirm", data=fields)


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a workbook: one coverage row, one referral, one to return."""

    def write(village: str = VILLAGE_1, name: str = "v.xlsx", **identity: Any) -> Path:
        rows = [referral(), referral(full_name=NAME, phone=PHONE, urgency="特急")]
        of = {"campaign": "autumn-2025", "phase": "sweep", "round": 1, "template": 1} | identity
        return write_workbook(
            tmp_path / name,
            {"coverage": [coverage(village_code=village)], "referral": rows},
            Identity(village=village, **of),
        )

    return write


# --- the way through ------------------------------------------------------------------------------


def test_a_file_is_judged_confirmed_and_its_return_workbook_fetched(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token = township.link()
    with township.browser() as browser:
        verdicts = upload(browser, token, sheet())
        assert verdicts.status_code == 200
        assert verdicts.url.path == f"/{token}/verdicts"
        assert say("web.some_returned", "zh-CN", returned=1) in verdicts.text
        assert say("rule.urgency_valid", "zh-CN") in verdicts.text
        assert township.stored() == 0, "judged, not stored"
        receipt = confirm(browser, token, verdicts)
        assert receipt.url.path == f"/{token}/receipt"
        assert township.stored() == 1
        workbook = browser.get(f"/{token}/return-workbook")
        (kept,) = township.home.returns(VILLAGE_1).iterdir()
        assert workbook.content == kept.read_bytes()
        assert kept.name in workbook.headers["content-disposition"]
        next_link = re.search(rf"{ADDRESS}/([\w-]+)", receipt.text)
        assert next_link
        again = upload(browser, next_link[1], kept)
        assert say("web.some_returned", "zh-CN", returned=1) in again.text, "locked as it came"


def test_no_page_shows_what_stands_in_a_cell(
    township: Township, sheet: Callable[..., Path], tmp_path: Path
) -> None:
    token = township.link()
    named = sheet(name=f"{NAME}.xlsx")
    with township.browser() as browser:
        verdicts = upload(browser, token, named)
        receipt = confirm(browser, token, verdicts)
    for page in (verdicts, receipt):
        assert NAME not in page.text
        assert PHONE not in page.text
        assert "张三丰" not in page.text


OTHERS = (
    (VILLAGE_2, {}),
    (VILLAGE_1, {"phase": "supervision"}),
    (VILLAGE_1, {"campaign": "other"}),
)


def test_a_file_of_another_village_phase_or_campaign_cannot_be_confirmed(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token = township.link()
    with township.browser() as browser:
        for village, identity in OTHERS:
            page = upload(browser, token, sheet(village, **identity))
            assert say("web.refused", "zh-CN") in page.text
            assert "/confirm" not in page.text
            assert say("verdict.accepted", "zh-CN") not in page.text
            # not even by who writes the form by hand
            kept = township.page.uploads.get(hashlib.sha256(token.encode()).hexdigest())
            assert kept is not None
            fields = {
                "seal": field_of(browser.get(f"/{token}"), "seal"),
                "upload": kept.number,
            }
            assert "web.upload_over" in spoken(browser.post(f"/{token}/confirm", data=fields))
    assert township.stored() == 0


def spoken(page: httpx.Response) -> set[str]:
    """The texts of the page, by key, that stand on it."""
    texts = ("web.upload_over", "web.no_file", "web.gone_what", "web.bad_form_what")
    return {key for key in texts if say(key, "zh-CN") in page.text}


def test_a_refused_file_says_why_and_another_can_be_chosen(
    township: Township, tmp_path: Path
) -> None:
    letter = tmp_path / "信.docx"
    letter.write_bytes(b"PK")
    token = township.link()
    with township.browser() as browser:
        page = upload(browser, token, letter)
        assert f"{VILLAGE_1}.docx" in page.text
        assert browser.get(f"/{token}").status_code == 200


def test_the_page_speaks_the_plans_language(
    home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch, sheet: Callable[..., Path]
) -> None:
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    township = Township(home, plan.model_copy(update={"language": "en"}))
    token = township.link()
    with township.browser() as browser:
        assert 'lang="en"' in browser.get(f"/{token}").text
        assert say("rule.urgency_valid", "en") in upload(browser, token, sheet()).text


def test_an_extension_shows_as_the_due_day(township: Township) -> None:
    with open_ledger(township.home, "write") as store:
        grant_extension(
            store,
            township.plan,
            "sweep",
            1,
            VILLAGE_1,
            date(2025, 11, 7),
            by="李医生",
            reason="weather",
        )
    with township.browser() as browser:
        assert "2025-11-07" in browser.get(f"/{township.link()}").text
        assert "2025-10-31" in browser.get(f"/{township.link(VILLAGE_2)}").text


# --- links ----------------------------------------------------------------------------------------


def test_a_link_is_used_up_by_a_confirmed_delivery_only(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token = township.link()
    with township.browser() as browser:
        for _ in range(3):
            assert browser.get(f"/{token}").status_code == 200, "a preview uses nothing up"
        verdicts = upload(browser, token, sheet())
        assert browser.get(f"/{token}").status_code == 200
        confirm(browser, token, verdicts)
    with township.browser() as other:
        assert other.get(f"/{token}").status_code == 404
        assert other.get(f"/{token}/receipt").status_code == 404
        assert other.get(f"/{token}/return-workbook").status_code == 404


def test_who_lost_the_answer_to_a_confirmation_finds_it_again(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token = township.link()
    with township.browser() as browser:
        verdicts = upload(browser, token, sheet())
        first = confirm(browser, token, verdicts)
        assert confirm(browser, token, verdicts).text == first.text
        assert browser.get(f"/{token}").text == first.text
        assert township.stored() == 1
        township.clock.seconds += web_app.RECEIPT_SECONDS + 1
        assert browser.get(f"/{token}").status_code == 404
        assert browser.get(f"/{token}/return-workbook").status_code == 404


def test_a_link_that_was_used_while_a_file_was_on_its_way_stores_nothing(
    township: Township, write_csv: WriteCsv
) -> None:
    token = township.link()
    _, link = township.desk.find(token)
    assert link is not None
    first, second = (
        SentFile("v.csv", write_csv("coverage", [coverage(grid=grid)]).read_bytes())
        for grid in ("一网格", "二网格")
    )
    assert township.desk.deliver(link, token, first) is not None
    assert township.desk.deliver(link, token, second) is None
    assert township.stored() == 1


def test_a_link_is_open_until_some_days_after_the_due_day(township: Township) -> None:
    token = township.link()
    township.clock.now = datetime(2025, 11, 14, 23, 59)
    with township.browser() as browser:
        assert browser.get(f"/{token}").status_code == 200
        township.clock.now = datetime(2025, 11, 15)
        assert browser.get(f"/{token}").status_code == 404


def test_wrong_used_expired_replaced_and_revoked_links_get_the_same_answer(
    township: Township,
) -> None:
    used, replaced = township.link(), township.link(VILLAGE_2)
    with open_ledger(township.home, "write") as store:
        link = find_link(store, township.plan.slug, used, now=RECEIVED)
        assert link is not None
        assert use_link(store, link, now=RECEIVED) is not None
        assert use_link(store, link, now=RECEIVED) is None, "once"
    expired = township.link("990101001003", until=date(2025, 10, 28))
    revoked = township.link(VILLAGE_2)
    with open_ledger(township.home, "write") as store:
        assert revoke_links(store, township.plan, "sweep", 1, VILLAGE_2, now=RECEIVED) == 1
    township.clock.now = RECEIVED + timedelta(days=1)
    wrong = "x" * len(used)
    with township.browser() as browser:
        answers = {
            (page.status_code, page.text, str(sorted(page.headers.items())))
            for token in (used, replaced, expired, revoked, wrong)
            for page in (browser.get(f"/{token}"), browser.get(f"/{token}/verdicts"))
        }
    assert len(answers) == 1
    assert answers.pop()[0] == 404


NOT_THERE = (
    ("GET", "/"),
    ("GET", "/favicon.ico"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/static/../../etc/passwd"),
    ("GET", "/{token}/"),
    ("GET", "/{token}/check"),
    ("GET", "/{token}/confirm"),
    ("GET", "/{token}/receipt"),
    ("GET", "/{token}/return-workbook"),
    ("POST", "/{token}"),
    ("PUT", "/{token}"),
    ("DELETE", "/{token}"),
    ("OPTIONS", "/{token}"),
    ("POST", "/{token}/receipt"),
)


def test_everything_else_is_not_there(township: Township) -> None:
    token = township.link()
    with township.browser(follow_redirects=False) as browser:
        wrong = browser.get("/wrong")
        for method, path in NOT_THERE:
            page = browser.request(method, path.format(token=token))
            assert (page.status_code, page.text) == (404, wrong.text), (method, path)
            assert "allow" not in page.headers, (method, path)


def test_the_ledger_keeps_no_secret_and_nobody(township: Township) -> None:
    token = township.link()
    with open_ledger(township.home) as store:
        rows = store.connection.execute("SELECT * FROM ledger.agg_link").fetchall()
    assert token not in str(rows)
    assert hashlib.sha256(token.encode()).hexdigest() in str(rows)
    assert len(token) >= 32
    for path in township.home.root.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path


def test_new_links_are_for_the_villages_expected_and_end_the_earlier_ones(
    township: Township,
) -> None:
    plan = township.plan
    with open_ledger(township.home, "write") as store:
        first = make_links(store, plan, "sweep", 1, None, by="李医生", now=RECEIVED)
        second = make_links(store, plan, "sweep", 1, VILLAGE_1, by="李医生", now=RECEIVED)
        assert [each.village for each in first] == [village.code for village in plan.villages]
        assert len({each.token for each in (*first, *second)}) == len(first) + 1
        states = [(each.village, each.state) for each in list_links(store, plan.slug, now=RECEIVED)]
    assert sorted(states) == [
        (VILLAGE_1, "new_link"),
        (VILLAGE_1, "open"),
        (VILLAGE_2, "open"),
        ("990101001003", "open"),
    ]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"phase": "diagnosis_queue"}, "error.phase"),
        ({"round": 9}, "plan.no_such_round"),
        ({"village": "990101009999"}, "link.unknown"),
        ({"by": " "}, "link.no_name"),
        ({"now": datetime(2025, 12, 1)}, "link.over"),
        ({"until": date(2025, 10, 27)}, "link.over"),
    ],
)
def test_what_makes_no_link(township: Township, changes: dict[str, Any], key: str) -> None:
    how = {"phase": "sweep", "round": 1, "village": None, "by": "李医生", "now": RECEIVED} | changes
    with open_ledger(township.home, "write") as store, pytest.raises(WrongCommand) as refusal:
        make_links(store, township.plan, **how)
    assert refusal.value.key == key
    with open_ledger(township.home) as store:
        assert list_links(store, township.plan.slug, now=RECEIVED) == []


def test_the_trail_says_which_village_sent_by_the_page(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token = township.link()
    with township.browser() as browser:
        confirm(browser, token, upload(browser, token, sheet()))
    with open_home(township.home) as store:
        entries = store.connection.execute(
            "SELECT who, what, len(subjects) > 0 FROM register.reg_trail"
            " WHERE who != 'test' ORDER BY position"
        ).fetchall()
    assert entries == [
        (VILLAGE_1, "intake-page check", False),
        (VILLAGE_1, "intake-page receive", False),  # opened
        (VILLAGE_1, "intake-page receive", True),  # whose referrals came
    ]


# --- forms ----------------------------------------------------------------------------------------


def test_a_form_without_its_seal_does_nothing(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token, other = township.link(), township.link(VILLAGE_2)
    with township.browser() as browser:
        of_other = field_of(browser.get(f"/{other}"), "seal")
        for seal in ("", "0" * 64, "封", of_other):
            assert upload(browser, token, sheet(), seal=seal).status_code == 403
        verdicts = upload(browser, token, sheet())
        fields = {"seal": of_other, "upload": field_of(verdicts, "upload")}
        assert browser.post(f"/{token}/confirm", data=fields).status_code == 403
    assert township.stored() == 0


def test_a_seal_of_another_browser_does_nothing(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token = township.link()
    with township.browser() as one, township.browser() as two:
        verdicts = upload(one, token, sheet())
        two.get(f"/{token}")
        assert confirm(two, token, verdicts).status_code == 403
        assert "web.upload_over" in spoken(two.get(f"/{token}/verdicts")), "nor its verdicts"
    assert township.stored() == 0


OTHER_SITES = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://elsewhere.example"},
)


def test_a_form_of_another_site_does_nothing(township: Township) -> None:
    token = township.link()
    with township.browser() as browser:
        fields = {"seal": field_of(browser.get(f"/{token}"), "seal"), "upload": "0" * 32}
        for headers in OTHER_SITES:
            page = browser.post(f"/{token}/confirm", data=fields, headers=headers)
            assert page.status_code == 403, headers
        assert "web.upload_over" in spoken(browser.post(f"/{token}/confirm", data=fields))


def test_the_one_cookie_is_for_forms_only(township: Township, sheet: Callable[..., Path]) -> None:
    token = township.link()
    with township.browser() as browser:
        cookie = browser.get(f"/{token}").headers["set-cookie"]
        assert "set-cookie" not in browser.get(f"/{token}").headers, "once"
        assert len(browser.cookies) == 1
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "expires" not in cookie.lower()
    assert "max-age" not in cookie.lower()


def test_under_tls_the_cookie_is_secure(
    home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    township = Township(home, plan, address="https://intake.example:8443")
    with township.browser() as browser:
        page = browser.get(f"/{township.link()}")
    assert page.headers["set-cookie"].startswith("__Host-form=")
    assert "Secure" in page.headers["set-cookie"].split("; ")
    assert page.headers["strict-transport-security"]


def test_verdicts_of_a_file_confirm_that_very_file(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token = township.link()
    with township.browser() as browser:
        first = upload(browser, token, sheet())
        upload(browser, token, sheet(name="newer.xlsx"))
        assert "web.upload_over" in spoken(confirm(browser, token, first))
    assert township.stored() == 0


def test_an_upload_is_forgotten_after_some_minutes(
    township: Township, sheet: Callable[..., Path]
) -> None:
    token = township.link()
    with township.browser() as browser:
        verdicts = upload(browser, token, sheet())
        township.clock.seconds += web_app.UPLOAD_SECONDS + 1
        assert "web.upload_over" in spoken(confirm(browser, token, verdicts))
        assert "web.upload_over" in spoken(browser.get(f"/{token}/verdicts"))
    assert township.stored() == 0


def test_a_form_without_a_file_says_so(township: Township) -> None:
    token = township.link()
    with township.browser() as browser:
        fields = {"seal": field_of(browser.get(f"/{token}"), "seal")}
        sent = browser.post(f"/{token}/check", data=fields, files={"file": ("", b"")})
    assert "web.no_file" in spoken(sent)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"x"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nbroken"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nno head\r\n--b--\r\n"),
    ],
)
def test_what_is_no_form_is_refused(township: Township, kind: str, body: bytes) -> None:
    token = township.link()
    with township.browser() as browser:
        page = browser.post(f"/{token}/check", content=body, headers={"Content-Type": kind})
    assert page.status_code in (400, 403)
    assert township.complaints == []


# --- sizes, disks, rates --------------------------------------------------------------------------


@pytest.fixture
def small(home: Home, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Township:
    """A township whose files may have 1 MB."""
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    limits = plan.limits.model_copy(update={"file_megabytes": 1})
    return Township(home, plan.model_copy(update={"limits": limits}))


def test_a_file_over_the_limit_is_refused(small: Township, tmp_path: Path) -> None:
    big = tmp_path / "big.csv"
    big.write_bytes(b"x" * (2**20 + 1))
    token = small.link()
    with small.browser() as browser:
        assert upload(browser, token, big).status_code == 413
    assert small.page.uploads.get(hashlib.sha256(token.encode()).hexdigest()) is None


@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_is_not_read_to_its_end(small: Township, announced: bool) -> None:
    token = small.link()
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="v.csv"\r\n\r\n'
        while sent < 100 * 2**20:
            sent += 2**16
            yield b"x" * 2**16

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    if announced:
        headers["Content-Length"] = str(100 * 2**20)
    status, read = asyncio.run(posted(small.page, f"/{token}/check", headers, endless()))
    assert status == 413
    assert read <= (2**20 + web_upload.FORM_BYTES) * web_upload.LET_PASS + 2**17
    assert read == 0 or not announced


async def posted(
    page: IntakePage, path: str, headers: dict[str, str], body: Iterator[bytes]
) -> tuple[int, int]:
    """Send a request piece by piece, as a server hands it over; return status and bytes read."""
    statuses: list[int] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        piece = next(body, b"")
        read += len(piece)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    named = {"Host": "127.0.0.1:8765", **SAME, **headers}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 8765),
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
    }
    await page(scope, receive, send)
    return statuses[0], read


def test_an_upload_never_touches_a_disk(
    township: Township, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_csv: WriteCsv
) -> None:
    rolled = []
    roll = tempfile.SpooledTemporaryFile.rollover

    def rollover(spool: Any) -> None:
        rolled.append(spool)
        roll(spool)

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", rollover)
    path = write_csv("coverage", [coverage(grid="网" * 400_000)])
    assert path.stat().st_size > 2**20, "more than is kept in memory by itself"
    before = {each for each in tmp_path.rglob("*") if each.is_file()}
    token = township.link()
    with township.browser() as browser:
        upload(browser, token, path)
    assert rolled == []
    after = {each for each in tmp_path.rglob("*") if each.is_file()}
    assert after == before


def test_too_many_files_that_arrive_at_once_have_to_wait(
    township: Township, sheet: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_app, "AT_ONCE", 0)
    monkeypatch.setattr(web_app, "ARRIVAL_WAIT_SECONDS", 0.05)
    township.page = IntakePage(township.desk, township.address)
    with township.browser() as browser:
        page = upload(browser, township.link(), sheet())
    assert page.status_code == 503
    assert say("web.busy_open_what", "zh-CN") in page.text


def test_what_is_too_old_goes_though_nobody_asks(
    township: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_app, "SWEEP_SECONDS", 0.01)
    file = SentFile("v.csv", b"x")
    with township.browser():
        township.page.uploads.put("link", Upload("1", "s", file), 1)
        township.clock.seconds += web_app.UPLOAD_SECONDS
        until = time.monotonic() + 10
        while len(township.page.uploads) and time.monotonic() < until:
            time.sleep(0.01)
    assert len(township.page.uploads) == 0


def test_too_many_forms_of_one_link_have_to_wait(
    township: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, other = township.link(), township.link(VILLAGE_2)
    most, seconds = web_app.LINK_LIMIT
    with township.browser() as browser:
        for _ in range(most):
            assert browser.post(f"/{token}/confirm").status_code == 403
        stopped = browser.post(f"/{token}/confirm")
        assert stopped.status_code == 429
        assert stopped.headers["retry-after"] == "60"
        assert browser.post(f"/{other}/confirm").status_code == 403
        township.clock.seconds += seconds
        assert browser.post(f"/{token}/confirm").status_code == 403


def test_too_many_requests_of_one_address_have_to_wait(township: Township) -> None:
    most, seconds = web_app.ADDRESS_LIMIT
    looked = 0
    find = township.desk.find

    def counted(token: str) -> Any:
        nonlocal looked
        looked += 1
        return find(token)

    township.desk.find = counted  # type: ignore[method-assign]
    with township.browser() as browser, township.browser(client=("192.0.2.7", 1)) as neighbour:
        for _ in range(most):
            township.page._by_address.allows("testclient")
        assert browser.get("/wrong").status_code == 429
        assert looked == 0, "what is too much costs nothing"
        assert neighbour.get("/wrong").status_code == 404
        township.clock.seconds += seconds
        assert browser.get("/wrong").status_code == 404


def test_rate_limits_do_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.guards.MOST_KEYS", 3)
    limiter = Limiter(1, 60, lambda: 0.0)
    for number in range(100):
        assert limiter.allows(str(number))
    assert not limiter.allows("99")
    assert len(limiter._counts) == 3


def test_an_ipv6_neighbour_is_one_source() -> None:
    assert source_of("2001:db8::1") == source_of("2001:db8::ffff") != source_of("2001:db8:1::1")
    assert source_of("192.0.2.1") != source_of("192.0.2.2")


def test_a_shelf_keeps_to_its_caps_and_its_time() -> None:
    now = 0.0
    shelf: Shelf[str] = Shelf(10, 3, 100, lambda: now)
    for name in "abcd":
        shelf.put(name, name, 10)
    assert [shelf.get(name) for name in "abcd"] == [None, "b", "c", "d"]
    shelf.put("e", "e", 85)
    assert [shelf.get(name) for name in "bcde"] == [None, None, "d", "e"]
    shelf.put("f", "f", 101)
    assert shelf.get("f") is None, "too large by itself"
    shelf.put("g", "g", 1)
    now = 10.0
    assert shelf.get("g") is None


def test_a_seal_is_of_one_process() -> None:
    assert Seal().of("s", "l") != Seal().of("s", "l")


# --- when something is wrong ----------------------------------------------------------------------


def busy(*_: object, **__: object) -> Any:
    raise StoreBusy("error.store_busy", file="register.duckdb")


def test_a_busy_store_is_said_and_nothing_is_lost(
    township: Township, sheet: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = township.link()
    with township.browser() as browser:
        with monkeypatch.context() as patched:
            patched.setattr("web.desk.open_ledger", busy)
            page = browser.get(f"/{token}")
            assert (page.status_code, page.headers["retry-after"]) == (503, "60")
        with monkeypatch.context() as patched:
            patched.setattr("web.desk.open_register", busy)
            page = upload(browser, token, sheet())
            assert page.status_code == 503
            assert f'href="/{token}/verdicts"' in page.text
        verdicts = browser.get(f"/{token}/verdicts")
        assert verdicts.status_code == 200, "the file did not have to be sent again"
        with monkeypatch.context() as patched:
            patched.setattr("web.desk.open_register", busy)
            again = confirm(browser, token, verdicts)
            assert again.status_code == 503
        assert confirm(browser, token, again).url.path == f"/{token}/receipt"
    assert township.stored() == 1
    assert township.complaints == []


def test_a_store_in_use_by_another_command_is_waited_for(
    township: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    import web.desk as module  # noqa: PLC0415 # its opening is replaced

    opened, tries = module.open_ledger, 0

    def late(home: Home) -> Any:
        nonlocal tries
        tries += 1
        return busy() if tries == 1 else opened(home)

    token = township.link()
    monkeypatch.setattr(module, "open_ledger", late)
    with township.browser() as browser:
        assert browser.get(f"/{token}").status_code == 200
    assert tries == 2


def test_an_error_shows_nothing_and_is_told_by_its_kind(
    township: Township, sheet: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise ValueError(NAME)

    token = township.link()
    monkeypatch.setattr("web.desk.take_in", fail)
    with township.browser() as browser:
        page = upload(browser, token, sheet())
    assert page.status_code == 500
    assert say("web.failed", "zh-CN") in page.text
    assert NAME not in page.text
    assert township.complaints == [say("web.act_failed", kind="ValueError")]
    assert page.headers["cache-control"] == "no-store"


def test_a_name_that_was_made_to_point_here_leads_nowhere(township: Township) -> None:
    token = township.link()
    with township.browser() as browser:
        browser.headers["Host"] = "elsewhere.example"
        assert browser.get(f"/{token}").status_code == 404


def test_every_answer_carries_the_headers(township: Township, sheet: Callable[..., Path]) -> None:
    token = township.link()
    with township.browser() as browser:
        verdicts = upload(browser, token, sheet())
        pages = [browser.get("/wrong"), browser.get(f"/{token}"), verdicts, verdicts.history[0]]
        pages.append(browser.post(f"/{token}/confirm"))
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "script" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["x-frame-options"] == "DENY"


def test_the_policy_names_the_style_and_a_page_holds_no_script(
    township: Township,
) -> None:
    with township.browser() as browser:
        page = browser.get(f"/{township.link()}")
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]
    rest = page.text.replace(style[0], "").lower()
    assert [word for word in ("<script", "javascript:", "http:", "https:") if word in rest] == []
    assert re.search(r"\s(on\w+|style)=", rest) is None


# --- the real server ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1 that signs itself."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    kept = Certificate(folder / "page.pem", folder / "page.key")
    kept.chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kept.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    kept.key.chmod(0o600)
    return kept


@contextmanager
def served(home: Home, plan: Plan, certificate: Certificate | None) -> Iterator[Township]:
    """A township whose page is open at a free port of this computer."""
    with listen("127.0.0.1", 0) as listening:
        secure = certificate is not None
        township = Township(home, plan, address=address_of(None, listening, secure=secure))
        server = server_of(township.page, certificate)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield township
        finally:
            server.should_exit = True
            thread.join(20)
    assert not thread.is_alive()


NARROW = 360
"""Points: the width of a small phone."""


@dataclass
class Phone:
    """A small phone without script, and what its browser complained of and asked for."""

    page: Page
    folder: Path
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def look(self, name: str) -> None:
        """Keep a picture of the page, and see that nothing is cut off or too small to touch."""
        self.page.screenshot(path=self.folder / f"{name}.png", full_page=True)
        for place in self.page.locator(
            "main, button, .button, input[type=file], table, .link"
        ).all():
            box = place.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= NARROW, name
        for button in self.page.locator("button, .button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 48, "for a thumb; so the style is applied as well"

    def send(self, file: Path) -> None:
        self.page.set_input_files("input[type=file]", file)
        self.page.click("button")


@contextmanager
def phone(folder: Path) -> Iterator[Phone]:
    chromium = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": NARROW, "height": 640},
            java_script_enabled=False,
            ignore_https_errors=True,
        )
        yield Phone(context.new_page(), folder)
        browser.close()


@pytest.mark.parametrize("language", ["zh-CN", pytest.param("en", marks=pytest.mark.slow)])
def test_it_works_on_an_old_phone(
    home: Home,
    plan: Plan,
    sheet: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificate: Certificate,
    language: str,
) -> None:
    """In Chinese on loopback, in English under TLS."""
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    plan = plan.model_copy(update={"language": language})
    tls = certificate if language == "en" else None
    with served(home, plan, tls) as township, phone(tmp_path) as visitor:
        page, token = visitor.page, township.link()
        page.goto(f"{township.address}/{token}")
        visitor.look("upload")
        visitor.send(sheet())
        assert say("web.some_returned", language, returned=1) in page.inner_text("main")
        visitor.look("verdicts")
        page.click("button")
        assert page.url == f"{township.address}/{token}/receipt"
        visitor.look("receipt")
        with page.expect_download() as download:
            page.click("a.button")
        (kept,) = home.returns(VILLAGE_1).iterdir()
        assert Path(download.value.path()).read_bytes() == kept.read_bytes()
        assert download.value.suggested_filename == kept.name
        page.click(".link a")
        visitor.send(sheet(VILLAGE_2))
        visitor.look("refused")
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert cookie["expires"] == -1, "gone with the browser"
        assert cookie["secure"] is (tls is not None)
        assert visitor.complaints == [], "nothing the policy stopped"
        page.goto(f"{township.address}/{'x' * 32}")
        visitor.look("gone")
    assert visitor.hosts == {urlsplit(township.address).netloc}
    assert township.stored() == 1


def test_the_command_serves_encrypted_and_logs_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    certificate: Certificate,
) -> None:
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    home = Home(tmp_path / "home")
    set_up(home, PLANS / "autumn-2025.toml")
    scope = ("--campaign", "autumn-2025", "--home", str(home.root))
    command = ("intake-page", *scope, "--port", "0")
    pair = ("--certificate", str(certificate.chain), "--certificate-key", str(certificate.key))
    with subprocess.Popen(
        [sys.executable, "-m", "cli", *command, *pair],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"https://127\.0\.0\.1:\d+", line)
        assert address, line
        capsys.readouterr()
        far = ("--until", "2099-12-31", "--address", address[0], "--phase", "sweep", "--round", "1")
        app(("link", "new", *scope, *far, "--json"), standalone_mode=False)
        links = json.loads(capsys.readouterr().out)
        trust = ssl.create_default_context(cafile=certificate.chain)
        with httpx.Client(verify=trust) as client:
            assert client.get(links[0]["link"]).status_code == 200
            assert client.get(f"{address[0]}/wrong").status_code == 404
        with pytest.raises(httpx.HTTPError):
            httpx.get(links[0]["link"].replace("https:", "http:"))
        at = urlsplit(address[0])
        with (
            socket.create_connection((at.hostname, at.port), 10) as plain,
            trust.wrap_socket(plain, server_hostname=at.hostname) as line_to_page,
        ):
            line_to_page.sendall(b"nonsense\r\n\r\n")  # what uvicorn would write a line about
            assert b"400" in line_to_page.recv(4096)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert out.strip() == say("web.stopped")
    assert err == ""
    app(("link", "list", *scope, "--json"), standalone_mode=False)
    listed = capsys.readouterr().out
    assert {each["state"] for each in json.loads(listed)} == {"open"}
    assert links[0]["link"].rpartition("/")[2] not in listed


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("--host", "0.0.0.0"), "web.tls_needed"),  # noqa: S104 # it must be refused
        (("--host", "192.0.2.1"), "web.tls_needed"),
        (("--certificate", "page.pem"), "web.certificate_pair"),
        (("--certificate", "no.pem", "--certificate-key", "no.key"), "web.certificate"),
        (("--address", "http://intake.example"), "web.address_form"),
        (("--address", "https://intake.example/path"), "web.address_form"),
        (("--address", "https://:x"), "web.address_form"),
        (("--port", "TAKEN"), "web.port"),
    ],
)
def test_what_it_will_not_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], key: str
) -> None:
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    home = make_home(tmp_path / "home")
    copy_plan(PLANS / "autumn-2025.toml", home.plan("autumn-2025").parent)
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        given = [port if each == "TAKEN" else each for each in arguments]
        scope = ("--campaign", "autumn-2025", "--home", str(home.root), "--port", "0")
        with pytest.raises(WrongCommand) as refusal:
            app(("intake-page", *scope, *given), standalone_mode=False)
    assert (refusal.value.key, refusal.value.exit) == (key, 2)


def test_a_certificate_is_used_only_with_a_key_that_is_private_and_fits(
    certificate: Certificate, tmp_path: Path
) -> None:
    assert certificate_of("192.0.2.1", certificate.chain, certificate.key) == certificate
    open_key = tmp_path / "open.key"
    open_key.write_bytes(certificate.key.read_bytes())
    open_key.chmod(0o644)
    locked = tmp_path / "locked.key"
    key = serialization.load_pem_private_key(certificate.key.read_bytes(), None)
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"word"),
        )
    )
    locked.chmod(0o600)
    for wrong, reason in (
        (open_key, "web.certificate_key_open"),
        (locked, "web.certificate"),
        (certificate.chain, "web.certificate"),
    ):
        wrong.chmod(wrong.stat().st_mode & (0o777 if wrong is open_key else 0o600))
        with pytest.raises(WrongCommand) as refusal:
            certificate_of("192.0.2.1", certificate.chain, wrong)
        assert refusal.value.key == reason
    certificate.chain.chmod(0o644)
