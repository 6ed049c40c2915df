"""The only door from the register to the ledger.

Whatever figure leaves the health side passes here: each count of people through disclosure control
(alone, then together with everything released before), rates computed from released parts, a suite
over the result, and one transaction that writes the revision, its checks and its messages. Nothing
released is ever changed; news makes the next revision.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from tasks.figures import RawFigure
from tasks.plan import Occurrence, Plan
from tasks.protect import Release, protect_release
from tasks.reporting import VillageReporting
from tasks.rules.checking import SuiteResult
from tasks.rules.disclosure import (
    RATES,
    Figure,
    Key,
    Relation,
    Scope,
    given_away,
    may_meet,
    protect,
    rate,
    relations,
    withhold,
)
from tasks.rules.errors import DisclosureRisk
from tasks.rules.input_quality import RETURNED
from tasks.rules.rectification import Rectification
from tasks.seal import mark_released, require_whole_ledger, seal_revision
from tasks.store import Store

AUDIENCE = "office"


@dataclass(frozen=True)
class Findings:
    """What a phase hands to the door. Counts of people in `figures` are exact."""

    figures: Sequence[RawFigure]
    copied: Sequence[Figure] = ()
    """Figures that were released before, taken over as they are."""
    reporting: Sequence[VillageReporting] = ()
    actions: Mapping[str, Sequence[str]] | None = None
    """Village -> its things to do, the weightiest first."""
    rectifications: Sequence[Rectification] = ()
    checks: Sequence[SuiteResult] = ()
    besides: Sequence[str] = ()
    """What else the page shows, which stands in the ledger already: lines by which news is told."""


@dataclass(frozen=True)
class Published:
    """Which revision now holds the figures, and whether this run made it."""

    revision: int
    is_new: bool
    checks: tuple[SuiteResult, ...]


Check = Callable[[int], Sequence[SuiteResult]]
"""Checks the candidate figures of a revision; raises CheckFailed where a rule is broken."""

Announce = Callable[[int], None]
"""Called inside the transaction with the new revision: renders it, passes the gate, drafts mail."""


def publish(
    store: Store,
    plan: Plan,
    occurrence: Occurrence,
    as_of: date,
    findings: Findings,
    *,
    now: datetime,
    check: Check,
    announce: Announce,
) -> Published:
    """Release the findings as a new revision, or find that the newest one says the same.

    `now` is wall time of the plan's time zone. Raises DisclosureRisk or CheckFailed, from here,
    from `check` or from `announce`; then the ledger is as it was.
    """
    require_whole_ledger(store)
    scope = _scope(plan, occurrence)._asdict()
    latest = store.rows("publish/latest", **scope)
    revision = latest[0][0] + 1 if latest else 1
    figures, release = _protected(store, plan, occurrence, findings)
    status = "due" if as_of >= occurrence.due else "interim"
    content = _content(occurrence, status, figures, findings)
    if latest and latest[0][1] == content:
        return Published(revision - 1, is_new=False, checks=tuple(findings.checks))
    _load_candidate(store, figures, findings)
    checks = (*findings.checks, *check(revision))
    store.load(
        "candidate_check",
        _table(checks, suite=pa.string(), expectations=pa.int32(), held=pa.int32()),
    )
    store.load("candidate_count", _count_table(release))
    released = {
        **scope,
        "revision": revision,
        "as_of": as_of,
        "due": occurrence.due,
        "due_provisional": occurrence.provisional,
        "period": occurrence.period,
        "status": status,
        "content": content,
        "now": now,
    }
    with store.transaction():
        store.run("publish/counts", **scope, revision=revision)
        seal_revision(store, released)
    with store.transaction():
        store.run("publish/revision", **released)
        for name in ("figures", "reporting", "checks"):
            store.run(f"publish/{name}", **scope, revision=revision)
        if findings.actions is not None:
            store.run(
                "publish/actions", campaign=plan.slug, round=occurrence.round, revision=revision
            )
        store.run("publish/rectifications", campaign=plan.slug)
        announce(revision)
    mark_released(store)
    return Published(revision, is_new=True, checks=checks)


def released_figures(store: Store, campaign: str, phase: str) -> dict[str, Figure]:
    """Return the township's figures of a phase's newest revision, by name; empty if none."""
    rows = store.rows("publish/released", campaign=campaign, phase=phase)
    return {row[0]: Figure(*row) for row in rows}


def _scope(plan: Plan, occurrence: Occurrence) -> Scope:
    return Scope(plan.slug, occurrence.phase, occurrence.round)


def _protected(
    store: Store, plan: Plan, occurrence: Occurrence, findings: Findings
) -> tuple[list[Figure], Release]:
    """Return what a reader may see, and the release of people figures that it holds."""
    rules = plan.rules
    alone = {
        (raw.name, raw.village): protect(
            raw.name,
            raw.unit,
            raw.village,
            raw.value,
            withhold_to=rules.withhold_to,
            round_to=rules.round_to,
        )
        for raw in findings.figures
    }
    exact = {
        (raw.name, raw.village): None if raw.value is None else int(raw.value)
        for raw in findings.figures
        if raw.unit == "people"
    }
    scope = _scope(plan, occurrence)
    candidate = Release(
        scope=scope,
        figures={key: alone[key] for key in exact},
        relations=_sums_within(scope, exact),
        exact=exact,
        withhold_to=rules.withhold_to,
        round_to=rules.round_to,
    )
    # who has no counts of its own (an aggregation copies them) gives nothing away
    earlier = _earlier(store, scope) if exact else []
    release = protect_release(candidate, earlier)
    figures = [
        _median_or(raw, plan, release, release.figures.get(key, figure))
        for raw, (key, figure) in zip(findings.figures, alone.items(), strict=True)
    ]
    figures += findings.copied
    return [*figures, *_rates(figures)], release


def _sums_within(scope: Scope, exact: Mapping[Key, int | None]) -> tuple[Relation, ...]:
    villages = tuple(dict.fromkeys(village for _, village in exact if village))
    return relations(scope.phase, villages, exact)


def _median_or(raw: RawFigure, plan: Plan, release: Release, figure: Figure) -> Figure:
    """Withhold a median or percentile unless its people's released count shows enough of them.

    So whether it is withheld tells nothing that the count beside it does not.
    """
    if raw.behind is None or figure.state == "not_reported":
        return figure
    behind = release.figures[raw.behind, raw.village]
    told = given_away(
        behind, withhold_to=release.withhold_to, round_to=release.round_to, secondary=False
    )
    if behind.state != "released" or told.low < plan.rules.median_from:
        return withhold(figure)
    return figure


def _earlier(store: Store, scope: Scope) -> list[Release]:
    """Return all that was released and can meet `scope` in a sum, in the order of its release.

    Of every campaign, phase, round and revision, with what was kept of it privately. Raises
    DisclosureRisk where nothing was kept of a released count: what it gives away beside the new
    ones cannot be told.
    """
    revisions: dict[tuple[Scope, int], list[dict[str, Any]]] = {}
    for row in store.records("publish/earlier_people"):
        other = Scope(row["campaign"], row["phase"], row["round"])
        if not may_meet(scope, other):
            continue
        if not row["is_kept"]:
            raise DisclosureRisk(
                "disclosure.count_not_kept",
                figure=row["name"],
                campaign=other.campaign,
                phase=other.phase,
                revision=row["revision"],
            )
        revisions.setdefault((other, row["revision"]), []).append(row)
    return [_released_before(other, rows) for (other, _), rows in revisions.items()]


def _released_before(scope: Scope, rows: Sequence[Mapping[str, Any]]) -> Release:
    """Return the release of one revision out of its counts of people."""
    exact = {(row["name"], row["village"]): row["exact"] for row in rows}
    return Release(
        scope=scope,
        figures={
            (row["name"], row["village"]): Figure(
                row["name"], row["unit"], row["village"], row["value"], row["state"]
            )
            for row in rows
        },
        relations=_sums_within(scope, exact),
        exact=exact,
        secondary=frozenset((row["name"], row["village"]) for row in rows if row["secondary"]),
        withhold_to=rows[0]["withhold_to"],
        round_to=rows[0]["round_to"],
    )


def _rates(figures: Sequence[Figure]) -> list[Figure]:
    by_key = {(figure.name, figure.village): figure for figure in figures}
    return [
        rate(name, village, by_key[top, village], by_key.get((bottom, village)))
        for name, (top, bottom) in RATES.items()
        for figure_name, village in by_key
        if figure_name == top
    ]


def _content(
    occurrence: Occurrence, status: str, figures: Sequence[Figure], findings: Findings
) -> str:
    """Return the SHA-256 of all a reader sees, to tell news from a rerun.

    Rectifications as they stood after this round: what a later one opened or closed is its news.
    """
    seen = {
        "status": [status, occurrence.due.isoformat(), occurrence.provisional],
        # 40 and 40.0 are one figure
        "figures": [
            (each.name, each.village, None if each.value is None else float(each.value), each.state)
            for each in figures
            # rows that go back make news only where something else does
            if not each.name.startswith(RETURNED)
        ],
        "reporting": [(each.village, each.state, each.nil) for each in findings.reporting],
        "actions": {key: list(value) for key, value in (findings.actions or {}).items()},
        "rectifications": [
            (each.village, each.shortfall, each.opened_round, each.open_after(occurrence.round))
            for each in findings.rectifications
            if each.opened_round <= occurrence.round
        ],
    }
    if findings.besides:
        seen["besides"] = list(findings.besides)
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode("utf-8")).hexdigest()


def _load_candidate(store: Store, figures: Sequence[Figure], findings: Findings) -> None:
    numbered = [
        {"audience": AUDIENCE, "position": position, **vars(figure)}
        for position, figure in enumerate(figures)
    ]
    text, whole, day = pa.string(), pa.int32(), pa.date32()
    store.load(
        "candidate_figure",
        pa.Table.from_pylist(
            numbered,
            pa.schema(
                [
                    ("audience", text),
                    ("position", whole),
                    ("name", text),
                    ("unit", text),
                    ("village", text),
                    ("value", pa.float64()),
                    ("state", text),
                ]
            ),
        ),
    )
    store.load(
        "candidate_reporting",
        _table(
            findings.reporting,
            village=text,
            state=text,
            nil=pa.bool_(),
            files=whole,
            first_counted_at=pa.timestamp("us"),
        ),
    )
    store.load(
        "candidate_rectification",
        _table(
            findings.rectifications,
            village=text,
            shortfall=text,
            opened_round=whole,
            opened_on=day,
            due=day,
            due_provisional=pa.bool_(),
            closed_round=whole,
            closed_on=day,
        ),
    )
    actions = [
        {"village": village, "position": position, "action": action}
        for village, todo in (findings.actions or {}).items()
        for position, action in enumerate(todo, start=1)
    ]
    store.load(
        "candidate_action",
        pa.Table.from_pylist(
            actions, pa.schema([("village", text), ("position", whole), ("action", text)])
        ),
    )


def _table(rows: Sequence[Any], **columns: pa.DataType) -> pa.Table:
    """Return dataclass rows as a table of the named columns."""
    return pa.Table.from_pylist(
        [{name: getattr(row, name) for name in columns} for row in rows],
        pa.schema(list(columns.items())),
    )


def _count_table(release: Release) -> pa.Table:
    """Return one row a count of people in the release: what stays on the private side of it."""
    rows = [
        {
            "name": name,
            "village": village,
            "exact": release.exact[name, village],
            "secondary": (name, village) in release.secondary,
            "withhold_to": release.withhold_to,
            "round_to": release.round_to,
        }
        for name, village in release.figures
    ]
    text, whole = pa.string(), pa.int32()
    return pa.Table.from_pylist(
        rows,
        pa.schema(
            [
                ("name", text),
                ("village", text),
                ("exact", whole),
                ("secondary", pa.bool_()),
                ("withhold_to", whole),
                ("round_to", whole),
            ]
        ),
    )
