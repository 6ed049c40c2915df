"""One-time links to the intake page: one village, phase and round each, good for one delivery.

A link's secret is shown once and kept nowhere; the ledger holds its SHA-256. That is enough, since
the secret is 192 random bits and no password that could be guessed. Nothing here is about people.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from tasks.plan import Occurrence, Plan, occurrence_at
from tasks.rules.contract import VILLAGE_PHASES
from tasks.rules.errors import WrongCommand
from tasks.store import Store

LATE_DAYS = 14
"""A late submission is taken (DOMAIN.md section 4), so a link outlives its due day by this much."""
TOKEN_BYTES = 24


@dataclass(frozen=True)
class Link:
    """An open link, as the page finds it by its secret."""

    campaign: str
    phase: str
    round: int
    """0 for a phase without rounds."""
    village: str
    expires_at: datetime
    """Wall time of the plan's time zone."""
    token_hash: str
    extended_to: date | None
    """The village's later due day, if it has one."""

    @property
    def last_day(self) -> date:
        """The last day on which it is open."""
        return (self.expires_at - timedelta(days=1)).date()


@dataclass(frozen=True)
class NewLink:
    """A link just made; the only place where its secret is."""

    village: str
    token: str = field(repr=False)
    expires_at: datetime
    """Wall time of the plan's time zone."""


@dataclass(frozen=True)
class ListedLink:
    """A link without its secret, and what became of it; times are wall time of the plan's zone."""

    phase: str
    round: int
    village: str
    made_at: datetime
    expires_at: datetime
    state: str
    """open, expired, use, new_link or revoke."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for `--json`; the round is null where there is none."""
        times = {"made_at": self.made_at.isoformat(), "expires_at": self.expires_at.isoformat()}
        return asdict(self) | times | {"round": self.round or None}


def make_links(
    store: Store,
    plan: Plan,
    phase: str,
    round: int | None,
    village: str | None,
    *,
    by: str,
    now: datetime,
    until: date | None = None,
) -> list[NewLink]:
    """Make a link for `village`, or one for each village expected, in the plan's order.

    An open link of the same village, phase and round ends: a lost one is made worthless by its
    successor. Without `round` it is for the occurrence that today is about. Open to the end of the
    day `until`, else of LATE_DAYS days after the village's effective due day; for an ad-hoc sweep,
    to the end of its window at most. Raises WrongCommand
    for a phase that villages do not report, an unknown round or village, without a name, and where
    the link would be over already.
    """
    occurrence, codes = _scope(plan, phase, round, village, now)
    if not by.strip():
        raise WrongCommand("link.no_name")
    made = {hash_of(token): (code, token) for code in codes for token in (_new_token(),)}
    _load(store, [(token_hash, code) for token_hash, (code, _) in made.items()])
    number = occurrence.round
    # nothing is taken in for an ad-hoc sweep once its window is over
    days = 0 if occurrence.ad_hoc else LATE_DAYS
    until = min(until, occurrence.due) if until and occurrence.ad_hoc else until
    with store.transaction():
        _end(store, plan, phase, number, codes, "new_link", now)
        store.run(
            "link/add",
            campaign=plan.slug,
            phase=phase,
            round=number,
            due=occurrence.due,
            days=days,
            until=until,
            made_by=by.strip(),
            now=now,
        )
        expiry = dict(store.rows("link/expiry"))
        if any(each <= now for each in expiry.values()):
            raise WrongCommand("link.over", due=occurrence.due, days=days)
    return [NewLink(code, token, expiry[token_hash]) for token_hash, (code, token) in made.items()]


def find_link(store: Store, campaign: str, token: str, *, now: datetime) -> Link | None:
    """Return the open link of this secret; None where it is wrong, ended, or over, all alike."""
    found = store.records("link/find", campaign=campaign, token_hash=hash_of(token), now=now)
    return Link(**found[0]) if found else None


def use_link(store: Store, link: Link, *, now: datetime) -> str | None:
    """End an open link by its use; return the secret of the one that follows it.

    The next one is for the same village, phase, round and time: for a correction or a further file.
    None where the link had ended.
    """
    token = _new_token()
    with store.transaction():
        if not store.rows("link/use", token_hash=link.token_hash, now=now):
            return None
        store.run("link/follow", token_hash=link.token_hash, next_hash=hash_of(token), now=now)
    return token


def revoke_links(
    store: Store,
    plan: Plan,
    phase: str,
    round: int | None,
    village: str | None,
    *,
    now: datetime,
) -> int:
    """End the open links of `village`, or of all villages, and return how many there were.

    Raises WrongCommand as `make_links` does.
    """
    occurrence, codes = _scope(plan, phase, round, village, now)
    return _end(store, plan, phase, occurrence.round, codes, "revoke", now)


def list_links(store: Store, campaign: str, *, now: datetime) -> list[ListedLink]:
    """Return all links of a campaign by phase, round, village and time."""
    return [ListedLink(**row) for row in store.records("link/list", campaign=campaign, now=now)]


def _scope(
    plan: Plan, phase: str, round: int | None, village: str | None, now: datetime
) -> tuple[Occurrence, list[str]]:
    if phase not in VILLAGE_PHASES:
        raise WrongCommand("error.phase", phase=phase, known=VILLAGE_PHASES)
    occurrence = occurrence_at(plan, phase, now.date(), round)
    codes = [each.code for each in plan.expected(occurrence)]
    if village is None:
        return occurrence, codes
    if village not in codes:
        raise WrongCommand("link.unknown", village=village)
    return occurrence, [village]


def _end(
    store: Store,
    plan: Plan,
    phase: str,
    round: int,
    villages: Sequence[str],
    why: str,
    now: datetime,
) -> int:
    """End the open links of these villages and return how many there were."""
    ended = store.rows(
        "link/end",
        campaign=plan.slug,
        phase=phase,
        round=round,
        villages=list(villages),
        why=why,
        now=now,
    )
    return len(ended)


def _load(store: Store, links: Sequence[tuple[str, str]]) -> None:
    names = ("token_hash", "village")
    columns = {name: [link[place] for link in links] for place, name in enumerate(names)}
    store.load("new_link", pa.table({name: pa.array(columns[name], pa.string()) for name in names}))


def _new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
