"""Taking submissions in: every row judged, the accepted ones kept, all of them accounted for.

Files are judged in waves, each with at most one file of a village for a phase and round, so that a
correction in the same delivery meets the version it corrects. Within a wave everything is done on
sets, however many files there are.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from tasks.plan import Occurrence, Plan
from tasks.pseudonyms import load_pads, read_secret
from tasks.reading import ReadSheet, Submission, is_submission, read_submission
from tasks.rules.contract import CHOICES, HEALTH_SHEETS, SHEETS, VERDICTS, Identity, Sheet
from tasks.rules.deadlines import read_period
from tasks.rules.errors import CampaignError, CheckFailed, Exit, FileRefused, WrongCommand
from tasks.rules.pseudonyms import keyed_hash
from tasks.store import SQL, Store

Counts = dict[str, int]


@dataclass(frozen=True)
class ReturnedRow:
    """A row that goes back: where it stands, which rules it breaks, and its cells if they may be
    shown (not where its consent does not hold, and not of somebody under age)."""

    sheet: Sheet
    row: int
    rules: tuple[str, ...]
    cells: tuple[str, ...] | None


@dataclass(frozen=True)
class FileResult:
    """What became of one file."""

    file: str
    identity: Identity | None = None
    refused: CampaignError | None = None
    sheets: Mapping[str, Counts] = field(default_factory=dict)
    """Sheet name -> verdict -> rows; with `read`, the rows read."""
    returned: tuple[ReturnedRow, ...] = ()
    repeated: bool = False
    """Whether the very same file was taken in before; then nothing was stored now."""
    received_at: datetime | None = None

    @property
    def rows(self) -> Counts:
        """Verdict -> rows over all sheets, with `read`."""
        return {
            name: sum(counts[name] for counts in self.sheets.values())
            for name in ("read", *VERDICTS)
        }

    @property
    def exit(self) -> Exit:
        """The exit code this file alone would give."""
        if self.refused is not None:
            return self.refused.exit
        return Exit.ROWS_RETURNED if self.returned else Exit.DONE


def worst_exit(results: Iterable[FileResult]) -> Exit:
    """Return the exit code of a delivery: a refused file outweighs returned rows."""
    exits = {result.exit for result in results}
    return next(
        (code for code in (Exit.FILE_REFUSED, Exit.ROWS_RETURNED) if code in exits), Exit.DONE
    )


def submissions_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files that `paths` name, folders opened up, in the order of their paths.

    Raises WrongCommand for a path that is not there or a folder without a submission.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                each for each in path.rglob("*") if each.is_file() and is_submission(each)
            )
            if not inside:
                raise WrongCommand("error.no_submission", path=path)
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise WrongCommand("error.no_file", path=path)
    return found


def prepare(store: Store, plans: Iterable[Plan]) -> None:
    """Make the macros and in-memory reference tables that judging needs."""
    load_pads(store)
    store.load("ref_choice", _choice_table())
    villages = [(plan.slug, village.code) for plan in plans for village in plan.villages]
    store.load(
        "ref_village",
        pa.table(
            {
                "campaign": pa.array([slug for slug, _ in villages], pa.string()),
                "code": pa.array([code for _, code in villages], pa.string()),
            }
        ),
    )
    for path in sorted((SQL / "macro").glob("*.sql")):
        store.run(f"macro/{path.stem}")


def take_in(
    store: Store,
    plans: Mapping[str, Plan],
    files: Sequence[Path],
    *,
    received_at: datetime,
    recorded_at: datetime,
    keep: bool,
    advance: Callable[[], None] = lambda: None,
) -> list[FileResult]:
    """Judge `files` as received at `received_at` and, with `keep`, store what is accepted.

    Returns a result a file, in the order of `files`. A refused file leaves nothing behind and does
    not stop the others. Without `keep` each file is judged against what is stored now, and nothing
    is stored. `advance` is called once a file.
    """
    results: dict[int, FileResult] = {}
    readable: list[tuple[int, Submission]] = []
    for index, path in enumerate(files):
        try:
            submission = read_submission(path)
            _check_identity(submission, plans)
            readable.append((index, submission))
        except FileRefused as error:
            results[index] = FileResult(path.name, refused=error)
        advance()
    prepare(store, plans.values())
    for wave in _waves(readable):
        judged = _judge_wave(store, plans, wave, received_at, recorded_at, keep=keep)
        results.update(judged)
    return [results[index] for index in range(len(files))]


def _check_identity(submission: Submission, plans: Mapping[str, Plan]) -> None:
    identity, file = submission.identity, submission.file
    plan = plans.get(identity.campaign)
    if plan is None:
        raise FileRefused("refused.other_campaign", file=file, campaign=identity.campaign)
    occurrence = _occurrence(plan, identity, file)
    from_centre = identity.village == plan.health_centre.code
    if not from_centre and all(village.code != identity.village for village in plan.villages):
        raise FileRefused("refused.unknown_village", file=file, village=identity.village)
    if occurrence.villages and not from_centre and identity.village not in occurrence.villages:
        raise FileRefused("refused.unknown_village", file=file, village=identity.village)
    for read in submission.sheets:
        if (read.sheet.name in HEALTH_SHEETS) != from_centre:
            raise FileRefused("refused.wrong_sender", file=file, sheet=read.sheet.title)


def _occurrence(plan: Plan, identity: Identity, file: str) -> Occurrence:
    try:
        occurrence = plan.occurrence(identity.phase, identity.round)
    except KeyError:
        occurrence = None
    if occurrence is None or occurrence.ad_hoc:
        raise FileRefused(
            "refused.no_such_round", file=file, phase=identity.phase, round=identity.round
        )
    return occurrence


def _waves(
    readable: Sequence[tuple[int, Submission]],
) -> Iterator[list[tuple[int, Submission]]]:
    """Split into waves that name no sender twice, keeping the order of each sender's files."""
    waves: list[list[tuple[int, Submission]]] = []
    seen: dict[Identity, int] = {}
    for index, submission in readable:
        number = seen.get(submission.identity, 0)
        seen[submission.identity] = number + 1
        if number == len(waves):
            waves.append([])
        waves[number].append((index, submission))
    yield from waves


def _judge_wave(
    store: Store,
    plans: Mapping[str, Plan],
    wave: Sequence[tuple[int, Submission]],
    received_at: datetime,
    recorded_at: datetime,
    *,
    keep: bool,
) -> dict[int, FileResult]:
    secret = read_secret(store)
    ids = {index: _submission_id(secret, submission) for index, submission in wave}
    known = {row[0] for row in store.rows("intake/stored", ids=list(ids.values()))}
    store.load("arrived", _arrived_table(plans, wave, ids, known, received_at, recorded_at))
    sheets = [name for name in SHEETS if any(_sheet(each, name) for _, each in wave)]
    store.run("reference/referral")
    store.run("reference/registered")
    counts: dict[str, dict[str, Counts]] = {}
    returned: dict[str, list[ReturnedRow]] = {}
    for name in sheets:
        store.load(f"raw_{name}", _raw_table(SHEETS[name], wave, ids))
        store.run(f"stage/{name}")
        store.run("intake/verdict", sheet=name)
        for submission_id, verdict, rows in store.rows("intake/verdict_count", sheet=name):
            counts.setdefault(submission_id, {}).setdefault(name, {})[verdict] = rows
        for row in _returned_rows(store, SHEETS[name], wave, ids):
            returned.setdefault(row[0], []).append(row[1])
    nil = {row[0] for row in store.rows("intake/nil")} if "coverage" in sheets else set()
    accounts = {
        index: {
            read.sheet.name: _account(read, counts.get(ids[index], {}).get(read.sheet.name, {}))
            for read in submission.sheets
        }
        for index, submission in wave
    }
    fresh = [each for each in wave if ids[each[0]] not in known]
    if keep and fresh:
        _keep(store, plans, fresh, ids, sheets, counts, nil, received_at, recorded_at)
    return {
        index: FileResult(
            submission.file,
            submission.identity,
            sheets=accounts[index],
            returned=tuple(returned.get(ids[index], ())),
            repeated=ids[index] in known,
            received_at=received_at,
        )
        for index, submission in wave
    }


def _account(read: ReadSheet, counts: Counts) -> Counts:
    account = {"read": len(read.rows), **{name: counts.get(name, 0) for name in VERDICTS}}
    if account["read"] != sum(account[name] for name in VERDICTS):
        raise CheckFailed("error.rows_unaccounted", sheet=read.sheet.title)
    return account


def _keep(
    store: Store,
    plans: Mapping[str, Plan],
    fresh: Sequence[tuple[int, Submission]],
    ids: Mapping[int, str],
    sheets: Sequence[str],
    counts: Mapping[str, Mapping[str, Counts]],
    nil: set[str],
    received_at: datetime,
    recorded_at: datetime,
) -> None:
    """Store a wave as one transaction: all of it or nothing."""
    arrived = _arrived_table(plans, fresh, ids, set(), received_at, recorded_at)
    arrived = arrived.append_column(
        "nil", pa.array([ids[index] in nil for index, _ in fresh], pa.bool_())
    )
    # only what is stored now: a file that was taken in before changes nothing
    store.load("arrived", arrived)
    store.load("verdict_count", _count_table(counts))
    with store.transaction():
        for name in sheets:
            store.run("intake/replace", sheet=name)
            store.run("intake/keep", sheet=name)
        if "referral" in sheets:
            store.run("intake/referral_ref")
        if "registered_person" in sheets:
            store.run("intake/registered")
        store.run("intake/submission")


def _returned_rows(
    store: Store, sheet: Sheet, wave: Sequence[tuple[int, Submission]], ids: Mapping[int, str]
) -> Iterator[tuple[str, ReturnedRow]]:
    cells = {
        (ids[index], number): row
        for index, submission in wave
        if (read := _sheet(submission, sheet.name)) is not None
        for number, row in read.rows
    }
    for submission_id, number, rules, may_show in store.rows("intake/returned", sheet=sheet.name):
        shown = cells[submission_id, number] if may_show else None
        yield submission_id, ReturnedRow(sheet, number, tuple(rules), shown)


def _sheet(submission: Submission, name: str) -> ReadSheet | None:
    return next((read for read in submission.sheets if read.sheet.name == name), None)


def _submission_id(secret: bytes, submission: Submission) -> str:
    return keyed_hash(secret, "submission", submission.content.hex())


def _arrived_table(
    plans: Mapping[str, Plan],
    wave: Sequence[tuple[int, Submission]],
    ids: Mapping[int, str],
    known: set[str],
    received_at: datetime,
    recorded_at: datetime,
) -> pa.Table:
    """Return one row a file: who sent what for which round, and what its rules compare with."""
    rows = [
        {
            "submission_id": ids[index],
            "campaign": submission.identity.campaign,
            "phase": submission.identity.phase,
            "round": submission.identity.round,
            "sender_village": submission.identity.village,
            "template": submission.identity.template,
            "sheets": [read.sheet.name for read in submission.sheets],
            "rows_read": submission.rows_read,
            "people_rows": sum(
                len(read.rows) for read in submission.sheets if read.sheet.about_people
            ),
            "is_known": ids[index] in known,
            "period": _period_start(plans, submission.identity),
            "received_at": received_at,
            "recorded_at": recorded_at,
        }
        for index, submission in wave
    ]
    return pa.Table.from_pylist(
        rows,
        pa.schema(
            [
                ("submission_id", pa.string()),
                ("campaign", pa.string()),
                ("phase", pa.string()),
                ("round", pa.int32()),
                ("sender_village", pa.string()),
                ("template", pa.int32()),
                ("sheets", pa.list_(pa.string())),
                ("rows_read", pa.int32()),
                ("people_rows", pa.int32()),
                ("is_known", pa.bool_()),
                ("period", pa.date32()),
                ("received_at", pa.timestamp("us")),
                ("recorded_at", pa.timestamp("us")),
            ]
        ),
    )


def _period_start(plans: Mapping[str, Plan], identity: Identity) -> object:
    period = plans[identity.campaign].occurrence(identity.phase, identity.round).period
    return read_period(period).first if period else None


def _raw_table(
    sheet: Sheet, wave: Sequence[tuple[int, Submission]], ids: Mapping[int, str]
) -> pa.Table:
    """Return one row a row of `sheet` in the wave: its file, its number, its cells as text."""
    submission_ids: list[str] = []
    numbers: list[int] = []
    rows: list[tuple[str, ...]] = []
    for index, submission in wave:
        read = _sheet(submission, sheet.name)
        if read is None:
            continue
        submission_ids += [ids[index]] * len(read.rows)
        for number, cells in read.rows:
            numbers.append(number)
            rows.append(cells)
    columns = zip(*rows, strict=True) if rows else ((),) * len(sheet.columns)
    return pa.table(
        {
            "submission_id": pa.array(submission_ids, pa.string()),
            "row_number": pa.array(numbers, pa.int32()),
            **{
                column.name: pa.array(cells, pa.string())
                for column, cells in zip(sheet.columns, columns, strict=True)
            },
        }
    )


def _choice_table() -> pa.Table:
    rows = {
        (name, unicodedata.normalize("NFKC", spelling).lower()): value
        for name, values in CHOICES.items()
        for value, spellings in values.items()
        for spelling in (value, *spellings)
    }
    return pa.table(
        {
            "list": [name for name, _ in rows],
            "spelling": [spelling for _, spelling in rows],
            "value": list(rows.values()),
        }
    )


def _count_table(counts: Mapping[str, Mapping[str, Counts]]) -> pa.Table:
    rows = [
        (submission_id, verdict, number)
        for submission_id, sheets in counts.items()
        for verdicts in sheets.values()
        for verdict, number in verdicts.items()
    ]
    return pa.table(
        {
            "submission_id": pa.array([row[0] for row in rows], pa.string()),
            "verdict": pa.array([row[1] for row in rows], pa.string()),
            "rows": pa.array([row[2] for row in rows], pa.int32()),
        }
    )
