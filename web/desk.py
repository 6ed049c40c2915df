"""Where the page meets the stores: opened for one act, by one request at a time, then closed.

Other commands work on the same stores. So nothing is held open between requests, and where a store
is busy the page waits a little and then says so.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from tasks.at_home import load_campaign
from tasks.audit import Act
from tasks.clock import now_in
from tasks.home import Home
from tasks.intake import FileResult, take_in
from tasks.keys import read_key
from tasks.ledger import open_ledger
from tasks.links import Link, find_link, use_link
from tasks.plan import Plan
from tasks.receive import MakeGate, receive
from tasks.register import open_register
from tasks.rules.errors import StoreBusy
from tasks.sent_file import SentFile
from tasks.store import Store

WAIT_SECONDS = 5.0
"""How long a request waits for a busy store."""
TRY_EVERY = 0.2


@dataclass(frozen=True)
class Delivered:
    """What became of a confirmed file."""

    result: FileResult
    return_workbook: tuple[str, bytes] | None
    """Its name and content, where rows went back."""
    next_token: str | None
    """The secret of the link that follows; None where the file was refused and nothing stored."""


class Desk:
    """The stores of one campaign, for the page. Every method blocks: call it in a thread."""

    def __init__(
        self,
        home: Home,
        campaign: str,
        *,
        now: Callable[[str], datetime] = now_in,
        wait_seconds: float = WAIT_SECONDS,
        make_gate: MakeGate | None = None,
    ) -> None:
        """Take the home and the campaign; `now` gives wall time in a time zone.

        With `make_gate`, a village whose rows go back is written to (tasks.receive).
        """
        self.home = home
        self.campaign = campaign
        self._now = now
        self._make_gate = make_gate
        self._wait_seconds = wait_seconds
        # DuckDB's locks are between processes; two openings in one would not notice each other
        self._alone = threading.Lock()

    def plan(self) -> Plan:
        """Return the campaign's plan as it stands now."""
        return load_campaign(self.home, self.campaign)

    def find(self, token: str) -> tuple[Plan, Link | None]:
        """Return the plan and the open link of this secret, or None. Raises StoreBusy."""
        plan = self.plan()
        now = self._now(plan.timezone)
        with self._opened(lambda: open_ledger(self.home)) as store:
            return plan, find_link(store, self.campaign, token, now=now)

    def judge(self, link: Link, file: SentFile) -> FileResult:
        """Judge a file as `campaign check` does: nothing is stored. Raises StoreBusy."""
        plan = self.plan()
        now = self._now(plan.timezone)
        with self._register(_act("check", link, now)) as store:
            plans = {plan.slug: plan}
            (result,) = take_in(store, plans, [file], received_at=now, recorded_at=now, keep=False)
        return result

    def deliver(self, link: Link, token: str, file: SentFile) -> Delivered | None:
        """Store a file as `campaign receive` does, and use the link up. Raises StoreBusy.

        None where the link is open no longer. The file is stored first: were the link used up
        first, a crash in between would leave the village without either.
        """
        plan = self.plan()
        now = self._now(plan.timezone)
        act = _act("receive", link, now)
        with self._register(act) as store:
            # once more, now that nobody else can use it
            if find_link(store, self.campaign, token, now=now) is None:
                return None
            (received,) = receive(
                store,
                self.home,
                {plan.slug: plan},
                [file],
                received_at=now,
                recorded_at=now,
                act=act,
                make_gate=self._make_gate,
            )
            if received.result.refused is not None:
                return Delivered(received.result, None, None)
            path = received.return_workbook
            workbook = None if path is None else (path.name, path.read_bytes())
            return Delivered(received.result, workbook, use_link(store, link, now=now))

    def _register(self, act: Act) -> AbstractContextManager[Store]:
        return self._opened(lambda: open_register(self.home, key=read_key(self.home), act=act))

    @contextmanager
    def _opened(self, opening: Callable[[], AbstractContextManager[Store]]) -> Iterator[Store]:
        until = time.monotonic() + self._wait_seconds
        if not self._alone.acquire(timeout=self._wait_seconds):
            raise StoreBusy("error.store_busy", file=self.home.register.name)
        try:
            with ExitStack() as stack:
                while True:
                    try:
                        store = stack.enter_context(opening())
                        break
                    except StoreBusy:
                        if time.monotonic() >= until:
                            raise
                    time.sleep(TRY_EVERY)
                yield store
        finally:
            self._alone.release()


def _act(what: str, link: Link, now: datetime) -> Act:
    return Act(
        who=link.village,
        what=f"intake-page {what}",
        why="submissions",
        at=now,
        campaign=link.campaign,
    )
