"""Whether the whole set-up is sound: programs, home, key, stores, clock, calendar, mail, backups.

Each check looks at one thing, changes nothing and says what it found, with the remedy where
something is amiss. None shows anything of a person. All but those of the key and the register work
without the key, and a check that could not look says so instead of passing.
"""

import os
import shutil
import stat
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from secrets import token_hex
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tasks.audit import Act, verify_trail
from tasks.clock import now_in
from tasks.home import Home
from tasks.keys import find_key, key_file
from tasks.ledger import open_ledger
from tasks.mail import MailFailed, MailSettings, check_server, mail_settings, send_message
from tasks.plan import Plan, load_plan
from tasks.register import open_register
from tasks.rules.errors import CampaignError, StoreBusy, WrongCommand
from tasks.rules.wording import say
from tasks.seal import verify_ledger
from tasks.shared_ledger import CLOCKS_APART, clocks_apart, open_shared, shared_setting
from tasks.signing import public_key
from tasks.store import Store, schema_tables

Level = Literal["ok", "warn", "bad"]
LEVELS: tuple[Level, ...] = ("bad", "warn", "ok")
"""The worst one first. `warn`: it works, or could not be looked at; `bad`: it does not."""

PACKAGE = "campaign"
ZONE = "Asia/Shanghai"
"""The zone of a plan that names none."""

CLOCK_SLACK = timedelta(minutes=2)
"""How far the clock may go back without a word: time servers set clocks by seconds."""

CALENDAR_AHEAD = timedelta(days=30)
"""A year's arrangement is published about two months before it begins, so a due day this near that
is still provisional means that the library is old."""

BACKUP_WARN, BACKUP_BAD = 7, 31
"""Days. What came since the last backup is on one disk only."""

SPARE = 256 * 2**20
"""Bytes that must stay free beside room for one more copy of the stores: a backup, a new key and a
compaction write one."""

LEFT_OVER = 3600.0
"""Seconds after which a half-written file is nobody's any more."""


@dataclass(frozen=True)
class Finding:
    """What one check found. Its words are `doctor.<check>.<what>`, the remedy's end in `.do`."""

    check: str
    what: str
    level: Level
    values: Mapping[str, object] = field(default_factory=dict)
    """What its words name: names of programs and folders, counts, days; nothing of a person."""

    def text(self, language: str | None = None) -> str:
        """Return what was found, in one line."""
        return say(f"doctor.{self.check}.{self.what}", language, **self.values)

    def remedy(self, language: str | None = None) -> str | None:
        """Return what to do, in one line; None where all is well."""
        if self.level == "ok":
            return None
        return say(f"doctor.{self.check}.{self.what}.do", language, **self.values)


def examine(home: Home, by: str) -> list[Finding]:
    """Return what all checks find, in the order in which things rest on each other.

    `by` is who looks: opening the register is an act, and enters its trail.
    """
    found = [check_python(), check_libraries(), check_home(home)]
    if not home.ledger.is_file():
        return [*found, check_mail()]
    found += [check_permissions(home), check_leftovers(home, time.time()), check_disk(home)]
    plans, refused = check_plans(home)
    zones = {plan.timezone for plan in plans.values()} or {ZONE}
    known = [check_time_zone(zone) for zone in sorted(zones)]
    found += [*refused, *known]
    if any(each.level == "bad" for each in known):
        return [*found, check_mail()]  # nothing can be dated
    now = now_in(min(zones))
    found.append(check_calendar(plans, now.date()))
    found += check_ledger(home, now)
    clock_goes = all(each.level != "bad" for each in found if each.check == "clock")
    found += check_register(home, Act(by, "doctor", "check the set-up", at=now), clock_goes)
    return [*found, check_mail(), *check_shared_ledger(home)]


def check_python() -> Finding:
    """Find a Python older than the one the software is made for."""
    wanted = metadata(PACKAGE)["Requires-Python"]
    running = sys.version.split()[0]
    fits = SpecifierSet(wanted).contains(running, prereleases=True)
    values = {"version": running, "wanted": wanted}
    return (
        Finding("python", "fits", "ok", values) if fits else Finding("python", "old", "bad", values)
    )


def check_libraries(wanted: Collection[str] | None = None) -> Finding:
    """Find libraries that are not there or of a version outside `wanted`.

    `wanted` are requirements as pyproject.toml writes them; by default those of this package.
    """
    lines = requires(PACKAGE) or [] if wanted is None else wanted
    needed = [Requirement(line) for line in lines]
    needed = [each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    wrong = []
    for each in needed:
        there = _installed(each.name)
        if there is None or not each.specifier.contains(there, prereleases=True):
            wrong.append(f"{each.name} {there or '-'} ({each.specifier})")
    if wrong:
        return Finding("libraries", "differ", "bad", {"names": ", ".join(wrong)})
    return Finding("libraries", "fit", "ok", {"count": len(needed)})


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def check_home(home: Home) -> Finding:
    """Find a home that was never set up, or whose register is gone."""
    if not home.ledger.is_file():
        return Finding("home", "none", "bad", {"home": home.root})
    if not home.register.is_file():
        return Finding("home", "no_register", "bad", {"home": home.root})
    return Finding("home", "there", "ok", {"home": home.root})


def check_permissions(home: Home) -> Finding:
    """Find folders that are not 0700 and files that are not 0600 in the home.

    Not the files in the inbox: who puts one there decides, and the folder keeps others out.
    """
    if os.name != "posix":
        return Finding("permissions", "not_posix", "warn")
    open_to_others = [
        path
        for path in (home.root, *home.root.rglob("*"))
        if not path.is_symlink()
        and (path.is_dir() or home.inbox not in path.parents)
        and _mode(path) & 0o077
    ]
    if not open_to_others:
        return Finding("permissions", "private", "ok")
    values = {"count": len(open_to_others), "places": _places(home, open_to_others)}
    return Finding("permissions", "open", "bad", values | {"home": home.root})


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.lstat().st_mode)
    except FileNotFoundError:  # a run has taken it away meanwhile
        return 0


def _places(home: Home, paths: Collection[Path]) -> str:
    """Return in which folders of the home these are; a file's own name may be somebody's."""
    places = {path.relative_to(home.root).parts[:1] for path in paths}
    return ", ".join(sorted(part[0] if part else "." for part in places))


def check_leftovers(home: Home, now: float) -> Finding:
    """Find half-written files that nobody goes on with; `now` in seconds, as of files."""
    left = [
        path
        for pattern in ("*.part", "*.draft")
        for path in home.root.rglob(pattern)
        if path.exists() and now - path.lstat().st_mtime > LEFT_OVER
    ]
    if left:
        values = {"count": len(left), "places": _places(home, left)}
        return Finding("leftovers", "some", "warn", values)
    return Finding("leftovers", "none", "ok")


def check_disk(home: Home) -> Finding:
    """Find a disk on which the next copy of the stores has no room."""
    free = shutil.disk_usage(home.root).free
    stores = sum(path.stat().st_size for path in (home.register, home.ledger) if path.is_file())
    values = {"free": free // 2**20, "wanted": (2 * stores + 2 * SPARE) // 2**20}
    if free < stores + SPARE:
        return Finding("disk", "full", "bad", values)
    if free < 2 * (stores + SPARE):
        return Finding("disk", "low", "warn", values)
    return Finding("disk", "room", "ok", values)


def check_plans(home: Home) -> tuple[dict[str, Plan], list[Finding]]:
    """Return the plans of the home by slug, and a finding for each and where there is none."""
    plans, found = {}, []
    for slug in home.campaigns():
        try:
            plans[slug] = load_plan(home.plan(slug))
        except CampaignError:
            values = {"campaign": slug, "file": home.plan(slug)}
            found.append(Finding("plans", "refused", "bad", values))
    if plans:
        found.append(Finding("plans", "read", "ok", {"names": ", ".join(plans)}))
    elif not found:
        found.append(Finding("plans", "none", "bad"))
    return plans, found


def check_time_zone(zone: str) -> Finding:
    """Find that the machine does not know a plan's time zone."""
    try:
        ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        return Finding("time_zone", "unknown", "bad", {"zone": zone})
    return Finding("time_zone", "known", "ok", {"zone": zone})


def check_calendar(plans: Mapping[str, Plan], today: date) -> Finding:
    """Find deadlines that rest on working days nobody has published, or that the library lacks."""
    provisional = [each for plan in plans.values() for each in plan.calendar if each.provisional]
    if not provisional:
        return Finding("calendar", "known", "ok")
    # the last days of a December are settled with the year that follows (tasks/workdays.py)
    years = {each.due.year + ((each.due.month, each.due.day) >= (12, 24)) for each in provisional}
    first = min(each.due for each in provisional)
    values = {
        "count": len(provisional),
        "years": ", ".join(map(str, sorted(years))),
        "first": first.isoformat(),
    }
    if first <= today + CALENDAR_AHEAD:
        return Finding("calendar", "old", "bad", values)
    return Finding("calendar", "unpublished", "warn", values)


def check_ledger(home: Home, now: datetime) -> list[Finding]:
    """Return what the checks find for which the ledger is opened: tables, clock, backup."""
    try:
        with open_ledger(home) as store:
            tables = check_tables(store, "ledger")
            if tables.level == "bad":
                return [tables]
            return [tables, check_clock(store, home, now), check_backup(store, home, now)]
    except StoreBusy:
        return [Finding("ledger", "busy", "warn")]
    except WrongCommand as refused:
        return [Finding("ledger", "unreadable", "bad", {"problem": refused.text()})]


def check_tables(store: Store, which: Literal["ledger", "register"]) -> Finding:
    """Find that a store was made by an earlier version and lacks tables."""
    there = {name for (name,) in store.rows("copy/tables", database=which)}
    missing = schema_tables(which) - there
    if missing:
        return Finding("tables", "older", "bad", {"count": len(missing)})
    return Finding("tables", "all", "ok", {"count": len(there)})


def check_clock(store: Store, home: Home, now: datetime) -> Finding:
    """Find a clock that is behind what was written already: the trail's last entry, the files."""
    ((anchored_at,),) = store.rows("doctor/last_anchor")
    written = max(path.stat().st_mtime for path in (home.register, home.ledger) if path.is_file())
    behind = max(
        anchored_at - now if anchored_at else timedelta(0),
        timedelta(seconds=written - time.time()),
    )
    if behind > CLOCK_SLACK:
        values = {"now": now, "minutes": int(behind.total_seconds() // 60)}
        return Finding("clock", "behind", "bad", values)
    return Finding("clock", "goes", "ok", {"now": now})


def check_backup(store: Store, home: Home, now: datetime) -> Finding:
    """Find that no backup was made for long, or that the key lies beside those that were."""
    rows = store.rows("status/last_backup")
    if not rows:
        return Finding("backup", "none", "warn")
    made_at, folder = rows[0]
    values = {"days": (now - made_at).days, "folder": folder}
    if any(_keys_in(Path(folder), key_file(home).path)):
        return Finding("backup", "beside_key", "bad", values)
    if Path(folder).is_relative_to(home.root):
        return Finding("backup", "inside", "bad", values)
    if values["days"] > BACKUP_BAD:
        return Finding("backup", "very_old", "bad", values)
    if values["days"] > BACKUP_WARN:
        return Finding("backup", "old", "warn", values)
    return Finding("backup", "recent", "ok", values)


def _keys_in(folder: Path, key: Path) -> Iterator[Path]:
    """Yield keys in a folder of backups: whoever takes that folder opens what is in it."""
    if key.is_relative_to(folder) and key.exists():
        yield key
    yield from folder.glob("*.key*")
    yield from folder.glob("keys/*.key*")


def check_register(home: Home, act: Act, clock_goes: bool) -> list[Finding]:
    """Return whether the key is there and opens the register, and whether both stores are whole.

    Not opened while the clock is behind: the entry that opening leaves would have a wrong time.
    """
    try:
        found = find_key(home)
    except WrongCommand as refused:
        return [Finding("key", "none", "bad", {"problem": refused.text()})]
    key = Finding("key", "found", "ok", {"source": found.source})
    if not clock_goes:
        return [key, Finding("register", "not_opened", "warn")]
    try:
        with open_register(home, key=found.key, act=act) as store:
            return [key, Finding("register", "opens", "ok"), check_whole(store)]
    except StoreBusy:
        return [key, Finding("register", "busy", "warn")]
    except WrongCommand as refused:
        return [key, Finding("register", "refused", "bad", {"problem": refused.text()})]


def check_whole(store: Store) -> Finding:
    """Find breaks of the trail and released revisions that were changed, added or taken out."""
    trail = verify_trail(store)
    count = len(trail.breaks) + len(verify_ledger(store))
    if count:
        return Finding("whole", "broken", "bad", {"count": count})
    return Finding("whole", "whole", "ok", {"count": trail.entries})


def check_shared_ledger(home: Home) -> list[Finding]:
    """Find that the shared ledger is not reached, that its clock is another than this machine's, or
    that nothing can be signed; nothing where no setting names one."""
    try:
        shared = shared_setting()
        if shared is None:
            return []
        public_key(home)
        with open_shared(shared, "read") as store:
            apart = clocks_apart(shared, store, datetime.now(UTC).replace(tzinfo=None))
    except CampaignError as refused:
        if refused.key == "shared.nothing_yet":
            return [Finding("shared", "nothing_yet", "warn", dict(refused.values))]
        return [Finding("shared", "failed", "bad", {"problem": refused.text()})]
    minutes = round(abs(apart).total_seconds() / 60)
    if abs(apart) > CLOCKS_APART:
        return [Finding("shared", "clock", "bad", {"name": shared.name, "minutes": minutes})]
    return [Finding("shared", "reached", "ok", {"name": shared.name})]


def check_mail() -> Finding:
    """Find that no mail server is set, or it does not answer or let us log in; sends nothing."""
    settings = _settings()
    if isinstance(settings, Finding):
        return settings
    try:
        check_server(settings)
    except MailFailed as failed:
        return _failed(settings, failed)
    return Finding("mail", "reached", "ok", {"host": settings.host, "port": settings.port})


def send_test_mail(address: str) -> Finding:
    """Hand a message that says nothing to the mail server, and return what became of it."""
    settings = _settings()
    if isinstance(settings, Finding):
        return settings
    text = say("doctor.mail.test_text")
    try:
        send_message(
            settings,
            address,
            say("doctor.mail.test_subject"),
            f"<p>{text}</p>",
            text,
            f"<{token_hex(16)}@campaign.invalid>",
        )
    except MailFailed as failed:
        return _failed(settings, failed)
    return Finding("mail", "sent", "ok")


def _settings() -> MailSettings | Finding:
    """Return the mail settings, or what is amiss with them."""
    try:
        settings = mail_settings()
    except WrongCommand as refused:
        return Finding("mail", "wrong", "bad", {"problem": refused.text()})
    return Finding("mail", "none", "warn") if settings is None else settings


def _failed(settings: MailSettings, failed: MailFailed) -> Finding:
    values = {"host": settings.host, "port": settings.port, "problem": failed.text()}
    return Finding("mail", "failed", "bad", values)
