"""`campaign receive --watch`: a line a file, each trouble once, until a signal ends it."""

import getpass
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from cli.delivery_view import delivery_record, file_label, reason_lines
from cli.stopping import stopped_by_signal
from reports.gate import returned_gate
from tasks.at_home import load_campaigns
from tasks.audit import Act
from tasks.clock import now_in
from tasks.home import Home
from tasks.intake import worst_exit
from tasks.keys import read_key
from tasks.plan import Plan
from tasks.reading import shown_name
from tasks.receive import REFUSED
from tasks.register import open_register
from tasks.rules.wording import say
from tasks.store import Store
from tasks.watch import Arrival, Folder, Taken, check_folder, watch


def watch_folder(home: Home, folder: Path, every: float, *, as_json: bool) -> None:
    """Watch `folder`, looking every so many seconds, until SIGINT or SIGTERM.

    Raises WrongCommand where the folder cannot be watched, or without key or campaign.
    """
    check_folder(home, folder)
    load_campaigns(home)
    read_key(home)  # what cannot work is said now, not with the first file

    @contextmanager
    def open_store() -> Iterator[tuple[Store, Mapping[str, Plan], Act]]:
        plans = load_campaigns(home)
        now = now_in(next(iter(plans.values())).timezone)
        act = Act(getpass.getuser(), "receive", "watched folder", at=now)
        with open_register(home, key=read_key(home), act=act) as store:
            yield store, plans, act

    stop = threading.Event()
    lines = WatchLines(folder, as_json)
    refused = home.inbox / REFUSED
    typer.echo(say("watch.started", path=folder, seconds=f"{every:g}", refused=refused), err=True)
    with stopped_by_signal(stop.set):
        watch(
            Folder(folder),
            home,
            open_store,
            lines,
            stopping=stop.is_set,
            wait=lambda: stop.wait(every),
            make_gate=returned_gate,
        )
    typer.echo(say("watch.stopped"), err=True)


@dataclass
class WatchLines:
    """Prints what a watch does; with `as_json` one record a line."""

    folder: Path
    as_json: bool
    _trouble: str = ""
    _told_held: set[Path] = field(default_factory=set)

    def taken(self, arrival: Arrival, taken: Taken) -> None:
        """Print what became of a file."""
        self._trouble = ""
        one = taken.received
        if self.as_json:
            record = delivery_record([one], worst_exit([one.result]))
            typer.echo(json.dumps(record, ensure_ascii=False))
        elif one.result.refused is not None:
            typer.echo(one.result.refused.text(), err=True)
        else:
            rows: dict[str, Any] = dict(one.result.rows)
            typer.echo(say("watch.taken", file=file_label(one.result), **rows))
            for line in reason_lines(one):
                typer.echo(line)
            if one.return_workbook is not None:
                typer.echo(say("cli.return_workbook", path=one.return_workbook))
        if not taken.removed:
            typer.echo(say("watch.not_removed", file=shown_name(arrival.path)), err=True)

    def busy(self, waiting: int) -> None:
        """Say so when it begins."""
        self._tell(say("watch.busy", count=waiting))

    def unreachable(self) -> None:
        """Say so when it begins."""
        self._tell(say("watch.unreachable", path=self.folder))

    def held(self, paths: set[Path]) -> None:
        """Name each once: a lock that a crash left behind would otherwise hold it for ever."""
        for path in sorted(paths - self._told_held):
            typer.echo(say("watch.held", file=shown_name(path)), err=True)
        self._told_held = set(paths)

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            typer.echo(trouble, err=True)
        self._trouble = trouble
