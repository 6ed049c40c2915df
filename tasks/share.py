"""Sharing: what a township released, signed, into the ledger that its county reads.

Only the ledger is read, so no key of people is needed. It is closed again before the shared ledger
is opened: nothing is ever open beside each other but what may be. The rows of one township go in as
one transaction; whatever cuts it off, none of them is there, and the next time all are.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tasks.home import Home, write_whole
from tasks.ledger import open_ledger
from tasks.plan import Plan
from tasks.plan.model import Rules
from tasks.rules.disclosure import ROUND_TO, WITHHOLD_TO, Figure, given_away
from tasks.rules.errors import WrongCommand
from tasks.rules.shared import (
    NoRelease,
    SharedRelease,
    VillageState,
    read_body,
    write_body,
)
from tasks.shared_ledger import (
    CLOCKS_APART,
    Shared,
    catalogue_now,
    clocks_apart,
    open_shared,
    until_unchanged,
)
from tasks.signing import is_signed, public_key, sign
from tasks.store import Store

LOOK_ANYWAY = timedelta(days=1)
"""After so long the shared ledger is looked at although nothing new was released: rows may have
been changed or taken out there."""

Key = tuple[str, str, int, int]
_KEY = ("campaign", "phase", "round", "revision")
"""What there is one of in a township."""


@dataclass(frozen=True)
class Signed:
    """A released revision as it is shared."""

    release: SharedRelease
    body: str
    signature: str

    @property
    def key(self) -> Key:
        """By which it is found."""
        return _key(vars(self.release))


@dataclass(frozen=True)
class Released:
    """All that a home released, in the order of its release."""

    township: str
    """Nine digits."""
    signed: tuple[Signed, ...]
    without_plan: tuple[str, ...]
    """Campaigns whose plan has left the home."""


@dataclass(frozen=True)
class Shares:
    """What sharing has come to, in released revisions."""

    new: int = 0
    made_good: int = 0
    """Rows of ours that were changed, stood there more than once, or bore another key's signature:
    they were taken out and put there anew."""
    unchanged: int = 0
    strange: int = 0
    """Rows under this township's code of revisions that this home never released. They are left: a
    home brought back from a backup may have forgotten them, and the county judges the signature."""
    without_plan: tuple[str, ...] = ()
    """Campaigns whose plan has left the home: what of theirs is not shared yet stays so."""


def share_releases(home: Home, plans: Mapping[str, Plan], shared: Shared, now: datetime) -> Shares:
    """Put all that `home` released and the shared ledger does not have there, and return how much.

    `plans` are those of the home by slug; `now` is this machine's time, UTC without a zone. Raises
    WrongCommand where the signing key was never made, the clock is wrong or the plans are of two
    townships, StoreBusy where another process writes to the ledger, and as `open_shared` does. Then
    nothing was shared.
    """
    return _share(home, read_released(home, plans), shared, now)


def share_if_new(
    home: Home, plans: Mapping[str, Plan], shared: Shared, now: datetime
) -> Shares | None:
    """As `share_releases`, but None where it need not even look: nothing was released since.

    So a county of a thousand townships that look every few minutes leaves its catalogue alone.
    """
    released = read_released(home, plans)
    if _was_shared(home, shared, released, now):
        return None
    return _share(home, released, shared, now)


def _share(home: Home, released: Released, shared: Shared, now: datetime) -> Shares:
    public = public_key(home)
    with open_shared(shared, "write") as store:
        _require_clock(clocks_apart(shared, store, now))
        done = until_unchanged(lambda: put_released(store, shared, released, public))
    _note(home, shared, released, now)
    return done


def put_released(store: Store, shared: Shared, released: Released, public: str) -> Shares:
    """Put what is missing there, and what is wrong there anew, in one transaction.

    `public`: the township's key. Raises as `open_shared` does.
    """
    signed, township = released.signed, released.township
    there: dict[Key, list[dict[str, Any]]] = {}
    with store.transaction():
        for row in store.records("shared/own", township=township):
            there.setdefault(_key(row), []).append(row)
        new = [each for each in signed if each.key not in there]
        wrong = [
            each
            for each in signed
            if each.key in there and not _is_right(there[each.key], each, public)
        ]
        if wrong:
            store.run(
                "shared/take_back",
                township=township,
                rows=[dict(zip(_KEY, each.key, strict=True)) for each in wrong],
            )
        if new or wrong:
            moment = catalogue_now(shared, store)
            rows = [
                {
                    **dict(zip(_KEY, each.key, strict=True)),
                    "body": each.body,
                    "signature": each.signature,
                    "shared_at": _shared_at(there.get(each.key, []), each, moment),
                }
                for each in (*new, *wrong)
            ]
            store.run("shared/put", township=township, rows=rows)
    return Shares(
        new=len(new),
        made_good=len(wrong),
        unchanged=len(signed) - len(new) - len(wrong),
        strange=len(there.keys() - {each.key for each in signed}),
        without_plan=released.without_plan,
    )


def _is_right(rows: Sequence[Mapping[str, Any]], signed: Signed, public: str) -> bool:
    """Answer whether a revision stands there once, and as it is.

    The plan's rules of disclosure control may have become stricter since: a row of ours says those
    of its own day, and stays.
    """
    if len(rows) != 1:
        return False
    body, signature = rows[0]["body"], rows[0]["signature"]
    if (body, signature) == (signed.body, signed.signature):
        return True
    if not is_signed(public, body, signature):
        return False
    try:
        there = read_body(body)
    except NoRelease:
        return False
    rules_of_its_day = replace(
        signed.release, withhold_to=there.withhold_to, round_to=there.round_to
    )
    return there == rules_of_its_day


def _shared_at(rows: Sequence[Mapping[str, Any]], signed: Signed, now: datetime) -> datetime:
    """Return since when this very text is there, else `now`: a new key makes nothing late."""
    return min([each["shared_at"] for each in rows if each["body"] == signed.body], default=now)


def _key(row: Mapping[str, Any]) -> Key:
    return (row["campaign"], row["phase"], row["round"], row["revision"])


def _require_clock(apart: timedelta) -> None:
    if abs(apart) > CLOCKS_APART:
        minutes = round(abs(apart).total_seconds() / 60)
        what = "share.clock_ahead" if apart > timedelta(0) else "share.clock_behind"
        raise WrongCommand(what, minutes=minutes)


def read_released(home: Home, plans: Mapping[str, Plan]) -> Released:
    """Return what the home released, signed.

    Raises WrongCommand where the plans are of two townships or the signing key was never made.
    """
    townships = {plan.health_centre.township for plan in plans.values()}
    if len(townships) != 1:
        raise WrongCommand("share.townships", townships=sorted(townships))
    with open_ledger(home) as store:
        revisions = store.records("shared/revisions")
        figures: dict[Key, list[Figure]] = {}
        for row in store.records("shared/figures"):
            figure = Figure(row["name"], row["unit"], row["village"], row["value"], row["state"])
            figures.setdefault(_key(row), []).append(figure)
        villages: dict[Key, list[VillageState]] = {}
        for row in store.records("shared/villages"):
            state = VillageState(row["village"], row["state"], row["nil"])
            villages.setdefault(_key(row), []).append(state)
    signed = []
    for row in revisions:
        if row["campaign"] in plans:
            key, plan = _key(row), plans[row["campaign"]]
            release = _release(plan, row, figures.get(key, []), villages.get(key, []))
            body = write_body(release)
            signed.append(Signed(release, body, sign(home, body)))
    without_plan = {row["campaign"] for row in revisions} - plans.keys()
    return Released(townships.pop(), tuple(signed), tuple(sorted(without_plan)))


def _release(
    plan: Plan,
    row: Mapping[str, Any],
    figures: Sequence[Figure],
    villages: Sequence[VillageState],
) -> SharedRelease:
    created: datetime = row["created_at"]
    withhold_to, round_to = _rules_of(plan.rules, figures)
    return SharedRelease(
        township=plan.health_centre.township,
        campaign=row["campaign"],
        phase=row["phase"],
        round=row["round"],
        revision=row["revision"],
        period=row["period"],
        as_of=row["as_of"],
        due=row["due"],
        status=row["status"],
        released_at=created.replace(tzinfo=ZoneInfo(plan.timezone)).astimezone(UTC),
        withhold_to=withhold_to,
        round_to=round_to,
        figures=tuple(figures),
        villages=tuple(villages),
    )


def _rules_of(rules: Rules, figures: Sequence[Figure]) -> tuple[int, int]:
    """Return up to which count was withheld and to what was rounded: the plan's numbers.

    The ledger does not say it, and the plan may have become stricter since: what its numbers would
    not let out went out by the ones that no plan may loosen.
    """
    counts = [each for each in figures if each.unit == "people" and each.state == "released"]
    stricter = {"withhold_to": rules.withhold_to, "round_to": rules.round_to}
    if all(
        each.value is not None
        and each.value % rules.round_to == 0
        and given_away(each, **stricter, secondary=False).values > 0
        for each in counts
    ):
        return rules.withhold_to, rules.round_to
    return WITHHOLD_TO, ROUND_TO


def _was_shared(home: Home, shared: Shared, released: Released, now: datetime) -> bool:
    """Answer whether just this was shared there, not long ago."""
    path = _note_file(home)
    if not path.is_file():
        return False
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        since = now - datetime.fromisoformat(note["at"])
    except (ValueError, TypeError, KeyError):  # whoever wrote that, we look
        return False
    same = (note.get("to"), note.get("what")) == (shared.name, _digest(released))
    return same and timedelta(0) <= since < LOOK_ANYWAY


def _note(home: Home, shared: Shared, released: Released, now: datetime) -> None:
    """Note what is shared, so that `share_if_new` need not look."""
    note = {"to": shared.name, "what": _digest(released), "at": now.isoformat()}
    write_whole(_note_file(home), json.dumps(note).encode("utf-8"))


def _note_file(home: Home) -> Path:
    return home.root / "shared.json"


def _digest(released: Released) -> str:
    signatures = "".join(each.signature for each in released.signed)
    return hashlib.sha256(signatures.encode("ascii")).hexdigest()
