"""The only door from the register to the ledger.

Whatever figure leaves the health side passes here: each count of people through disclosure control
(alone, then together with everything released before), rates computed from released parts, a suite
over the result, and one transaction that writes the revision, its checks and its messages. Nothing
released is ever changed; news makes the next revision.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from tasks.figures import TOWNSHIP, RawFigure
from tasks.plan import Occurrence, Plan
from tasks.protect import Key, Release, protect_release
from tasks.reporting import VillageReporting
from tasks.rules.checking import SuiteResult
from tasks.rules.disclosure import RATES, Figure, protect, rate, relations
from tasks.rules.supervision import Rectification
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
    scope = _scope(plan, occurrence)
    latest = store.rows("publish/latest", **scope)
    revision = latest[0][0] + 1 if latest else 1
    figures, secondary = _protected(store, plan, occurrence, findings, revision)
    content = _content(figures, findings)
    if latest and latest[0][1] == content:
        return Published(revision - 1, is_new=False, checks=tuple(findings.checks))
    _load_candidate(store, figures, findings)
    checks = (*findings.checks, *check(revision))
    store.load(
        "candidate_check",
        _table(checks, suite=pa.string(), expectations=pa.int32(), held=pa.int32()),
    )
    store.load("candidate_secondary", _key_table(secondary))
    with store.transaction():
        store.run("publish/secondary", **scope, revision=revision)
    with store.transaction():
        store.run(
            "publish/revision",
            **scope,
            revision=revision,
            as_of=as_of,
            due=occurrence.due,
            due_provisional=occurrence.provisional,
            period=occurrence.period,
            status="due" if as_of >= occurrence.due else "interim",
            content=content,
            now=now,
        )
        for name in ("figures", "reporting", "checks"):
            store.run(f"publish/{name}", **scope, revision=revision)
        if findings.actions is not None:
            store.run(
                "publish/actions", campaign=plan.slug, round=occurrence.round, revision=revision
            )
            store.run("publish/rectifications", campaign=plan.slug)
        announce(revision)
    return Published(revision, is_new=True, checks=checks)


def released_figures(store: Store, campaign: str, phase: str) -> dict[str, Figure]:
    """Return the township's figures of a phase's newest revision, by name; empty if none."""
    rows = store.rows("publish/released", campaign=campaign, phase=phase)
    return {row[0]: Figure(*row) for row in rows}


def _scope(plan: Plan, occurrence: Occurrence) -> dict[str, Any]:
    return {"campaign": plan.slug, "phase": occurrence.phase, "round": occurrence.round}


def _protected(
    store: Store, plan: Plan, occurrence: Occurrence, findings: Findings, revision: int
) -> tuple[list[Figure], set[Key]]:
    rules = plan.rules
    alone = {
        (raw.name, raw.village): _median_or(
            raw,
            plan,
            protect(
                raw.name,
                raw.unit,
                raw.village,
                raw.value,
                withhold_to=rules.withhold_to,
                round_to=rules.round_to,
            ),
        )
        for raw in findings.figures
    }
    people = {key: figure for key, figure in alone.items() if figure.unit == "people"}
    known = relations(occurrence.phase, tuple(village.code for village in plan.villages))
    files = {each.village: each.files for each in findings.reporting}
    candidate = Release(people, known, _versions(occurrence, files, revision))
    together = protect_release(
        candidate,
        _earlier(store, plan, occurrence, known),
        withhold_to=rules.withhold_to,
        round_to=rules.round_to,
    )
    secondary = {key for key in together if together[key] != people[key]}
    figures = [together.get(key, figure) for key, figure in alone.items()]
    figures += findings.copied
    return [*figures, *_rates(figures)], secondary


def _median_or(raw: RawFigure, plan: Plan, figure: Figure) -> Figure:
    """Withhold a median or percentile that too few people stand behind."""
    if raw.behind is None or figure.state == "not_reported":
        return figure
    if raw.behind < plan.rules.median_from:
        return replace(figure, value=None, state="withheld")
    return figure


def _versions(occurrence: Occurrence, files: Mapping[str, int], revision: int) -> dict[str, int]:
    """Return what tells one count from the next: in a sweep the files a village had sent by then.

    A village that sent nothing between two revisions has the same count in both, and whoever
    compares the revisions knows it.
    """
    return {**(files if occurrence.phase == "sweep" else {}), TOWNSHIP: revision}


def _earlier(store: Store, plan: Plan, occurrence: Occurrence, known: Any) -> list[Release]:
    scope = _scope(plan, occurrence)
    figures: dict[int, dict[Key, Figure]] = {}
    secondary: dict[int, set[Key]] = {}
    for revision, name, unit, village, value, state, hidden in store.rows(
        "publish/earlier_people", **scope
    ):
        figures.setdefault(revision, {})[name, village] = Figure(name, unit, village, value, state)
        if hidden:
            secondary.setdefault(revision, set()).add((name, village))
    files: dict[int, dict[str, int]] = {}
    for revision, village, count in store.rows("publish/earlier_files", **scope):
        files.setdefault(revision, {})[village] = count
    return [
        Release(
            released,
            known,
            _versions(occurrence, files.get(revision, {}), revision),
            frozenset(secondary.get(revision, ())),
        )
        for revision, released in figures.items()
    ]


def _rates(figures: Sequence[Figure]) -> list[Figure]:
    by_key = {(figure.name, figure.village): figure for figure in figures}
    return [
        rate(name, village, by_key[top, village], by_key.get((bottom, village)))
        for name, (top, bottom) in RATES.items()
        for figure_name, village in by_key
        if figure_name == top
    ]


def _content(figures: Sequence[Figure], findings: Findings) -> str:
    """Return the SHA-256 of all a reader sees, to tell news from a rerun."""
    seen = {
        "figures": [(each.name, each.village, each.value, each.state) for each in figures],
        "reporting": [(each.village, each.state, each.nil) for each in findings.reporting],
        "actions": {key: list(value) for key, value in (findings.actions or {}).items()},
        "rectifications": [
            (each.village, each.shortfall, each.opened_round, each.closed_round)
            for each in findings.rectifications
        ],
    }
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


def _key_table(keys: set[Key]) -> pa.Table:
    rows = [{"name": name, "village": village} for name, village in sorted(keys)]
    return pa.Table.from_pylist(rows, pa.schema([("name", pa.string()), ("village", pa.string())]))
