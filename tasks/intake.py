"""Taking submissions in: every row judged, the accepted ones kept, all of them accounted for.

A delivery is read in portions, so that memory does not grow with it. The files of a portion are
judged in waves, each with at most one file of a village for a phase and round, so that a correction
in the same delivery meets the version it corrects. Within a wave everything is done on sets,
however many files there are. Where a file came before one that was taken in already,
`tasks.arrival_order` puts right what stands.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa

from tasks.arrival_order import date_back, settle_order
from tasks.passwords import likely_first, opening_passwords
from tasks.plan import Limits, Occurrence, Plan
from tasks.pseudonyms import SUBMISSION, load_pads, read_secrets
from tasks.reading import (
    ReadSheet,
    Submission,
    is_submission,
    is_workbook,
    reading_ahead,
    shown_name,
)
from tasks.requests import Approvals, is_approved, read_approvals
from tasks.rules.contract import CHOICES, HEALTH_SHEETS, SHEETS, VERDICTS, Identity, Sheet
from tasks.rules.deadlines import read_period
from tasks.rules.errors import CampaignError, CheckFailed, Exit, FileRefused, WrongCommand
from tasks.rules.pseudonyms import keyed_chain
from tasks.sent_file import SentFile
from tasks.store import ROW_GROUP, SQL, Store

Counts = dict[str, int]

Stored = Callable[[Sequence[str]], None]
"""Told the names of files while the transaction that stores them is open."""

Judged = Callable[[Mapping[int, "FileResult"]], None]
"""Told what became of the files of a portion, by their place, once they are stored."""

ROWS_AT_ONCE = ROW_GROUP
"""When so many rows have been read they are judged, while the next workbooks are being read."""

TEXT_ROWS_AT_ONCE = 6 * ROW_GROUP
"""The same of a delivery of text files, which are read in no time: two threads have work then."""

BYTES_AT_ONCE = 40 * 2**20
"""However few rows they are: what is judged has to fit into memory, several times over, and what
is read meanwhile beside it."""

ROWS_AHEAD = 10_000
"""While fewer rows than these wait to be judged, a further file is read meanwhile."""

TEXT_ROWS_AHEAD = TEXT_ROWS_AT_ONCE
"""The same of a delivery of text files: the next portion is there when this one is judged."""

REFERENCES = {
    "assessment_outcome": ("reference/referral",),
    "registered_person": ("reference/registered",),
    "follow_up": ("reference/registered", "reference/visited"),
}
"""Sheet -> the statements that give what its rows are compared with."""

LAPSING = {
    "referral": "intake/lapse_referral",
    "registered_person": "intake/lapse_registered_person",
}
"""Sheet -> the statement by which a consent from before an erasure or freezing does not hold."""


@dataclass(frozen=True)
class ReturnedRow:
    """A row that goes back: where it stands, which rules it breaks, and its cells if they may be
    shown (not where its consent does not hold, and not of somebody under age)."""

    sheet: Sheet
    row: int
    rules: tuple[str, ...]
    cells: tuple[str, ...] | None
    number: str = ""
    """By which the corrected row finds this one again."""


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
    name: str = ""
    """The keyed hash of its bytes, by which the register knows it; '' where it was refused."""

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


@dataclass(frozen=True)
class _Arrival:
    """A file of a delivery that can be judged."""

    index: int
    """Its place among the files that were handed in."""
    submission: Submission
    name: str
    """The keyed hash of its bytes, by which the register knows it."""
    received_at: datetime
    place: int
    """How many files of the same sender for the same round stand before it."""


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
                raise WrongCommand("error.no_submission", path=shown_name(path.absolute()))
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise WrongCommand("error.no_file", path=shown_name(path))
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
    licences = [
        (plan.slug, licence.upper()) for plan in plans for licence in plan.health_centre.clinicians
    ]
    store.load(
        "ref_clinician",
        pa.table(
            {
                "campaign": pa.array([slug for slug, _ in licences], pa.string()),
                "licence": pa.array([licence for _, licence in licences], pa.string()),
            }
        ),
    )
    for path in sorted((SQL / "macro").glob("*.sql")):
        store.run(f"macro/{path.stem}")


def take_in(
    store: Store,
    plans: Mapping[str, Plan],
    files: Sequence[Path | SentFile],
    *,
    received_at: datetime | Sequence[datetime],
    recorded_at: datetime,
    keep: bool,
    advance: Callable[[], None] = lambda: None,
    stored: Stored = lambda names: None,
    judged: Judged = lambda results: None,
) -> list[FileResult]:
    """Judge `files` and, with `keep`, store what is accepted.

    `received_at` is when they came: all at one moment, or a time for each. Which version of a row
    stands is decided by it; at one moment, by the order of `files`. Times are wall time of the
    plans' zone. Returns a result a file, in the order of `files`. A refused file leaves nothing
    behind and does not stop the others. Without `keep` each file is judged against what is stored
    now, and nothing is stored. `advance` is called once a file; `stored` in each transaction that
    stores files, with their names, for what has to be written with them or not at all; `judged`
    after it, with their results, for what may be done while the next are judged.
    """
    times = [received_at] * len(files) if isinstance(received_at, datetime) else received_at
    limits = Limits.widest(plan.limits for plan in plans.values())
    passwords = opening_passwords(store)
    secrets = read_secrets(store)
    prepare(store, plans.values())
    approvals = read_approvals(store)
    results: dict[int, FileResult] = {}
    sent: Counter[Identity] = Counter()
    portion: list[_Arrival] = []
    rows = held = 0
    beside_workbooks = any(is_workbook(file) for file in files)
    at_once = ROWS_AT_ONCE if beside_workbooks else TEXT_ROWS_AT_ONCE
    rows_ahead = ROWS_AHEAD if beside_workbooks else TEXT_ROWS_AHEAD

    def judge_portion() -> None:
        for wave in _waves(portion):
            done = _judge_wave(store, plans, wave, recorded_at, stored if keep else None)
            judged(done)
            results.update(done)
        portion.clear()

    tried = partial(likely_first, passwords)
    limits_of = {plan.slug: plan.limits for plan in plans.values()}
    with (
        _in_bulk(store, beside_workbooks=beside_workbooks),
        reading_ahead(
            files, limits, tried, rows=rows_ahead, size=BYTES_AT_ONCE, limits_of=limits_of
        ) as read,
    ):
        for index, (path, at, submission) in enumerate(zip(files, times, read, strict=True)):
            try:
                if isinstance(submission, FileRefused):
                    raise submission
                _check_identity(submission, plans, approvals, at.date())
            except FileRefused as error:
                results[index] = FileResult(shown_name(path), refused=error)
            else:
                name = keyed_chain(secrets, SUBMISSION, submission.digest)
                place = sent[submission.identity]
                sent[submission.identity] += 1
                portion.append(_Arrival(index, submission, name, at, place))
                rows += submission.rows_read
                held += submission.bytes_read
            if rows >= at_once or held >= BYTES_AT_ONCE:
                judge_portion()
                rows = held = 0
            advance()
        judge_portion()
    return [results[index] for index in range(len(files))]


@contextmanager
def _in_bulk(store: Store, *, beside_workbooks: bool) -> Iterator[None]:
    """Have DuckDB work with few threads, in memory only, and put the file in order rarely.

    What was judged is forgotten at the end: there are rows without consent among it, and what is
    worked on afterwards may be put aside on a disk.
    """
    with store.without_spilling():
        store.run("intake/one_thread" if beside_workbooks else "intake/two_threads")
        store.run("intake/rare_checkpoints")
        try:
            yield
        finally:
            for name in SHEETS:
                store.run("intake/forget_received", sheet=name)
                store.run("intake/forget_judged", sheet=name)
            store.run("intake/usual_checkpoints")
            store.run("intake/all_threads")


def _check_identity(
    submission: Submission, plans: Mapping[str, Plan], approvals: Approvals, day: date
) -> None:
    identity, file = submission.identity, submission.file
    plan = plans.get(identity.campaign)
    if plan is None:
        raise FileRefused("refused.other_campaign", file=file, campaign=identity.campaign)
    occurrence = _occurrence(plan, identity, file)
    if occurrence.ad_hoc:
        _check_ad_hoc(plan, occurrence, identity, file, approvals, day)
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
    if occurrence is None:
        raise FileRefused(
            "refused.no_such_round", file=file, phase=identity.phase, round=identity.round
        )
    return occurrence


def _check_ad_hoc(
    plan: Plan,
    occurrence: Occurrence,
    identity: Identity,
    file: str,
    approvals: Approvals,
    day: date,
) -> None:
    """Refuse a file for an ad-hoc sweep that was not approved, or from outside what was.

    `day` is the one on which it came: what came in time counts, whenever it is taken in.
    """
    if not is_approved(approvals, plan, occurrence):
        raise FileRefused(
            "refused.not_approved", file=file, campaign=plan.slug, round=identity.round
        )
    if identity.village not in occurrence.villages:
        raise FileRefused("refused.outside_scope", file=file, village=identity.village)
    if not occurrence.opens <= day <= occurrence.due:
        raise FileRefused(
            "refused.outside_window", file=file, opens=occurrence.opens, due=occurrence.due
        )


def _waves(portion: Sequence[_Arrival]) -> list[list[_Arrival]]:
    """Split into waves that name no sender twice, keeping the order of each sender's files."""
    waves: dict[int, list[_Arrival]] = {}
    for arrival in portion:
        waves.setdefault(arrival.place, []).append(arrival)
    return [waves[place] for place in sorted(waves)]


def _judge_wave(
    store: Store,
    plans: Mapping[str, Plan],
    wave: Sequence[_Arrival],
    recorded_at: datetime,
    stored: Stored | None,
) -> dict[int, FileResult]:
    known = dict(store.rows("intake/stored", ids=[each.name for each in wave]))
    store.load("arrived", _arrived_table(plans, wave, known, recorded_at))
    store.load("came_back", _came_back_table(wave))
    sheets = [name for name in SHEETS if any(_sheet(each, name) for each in wave)]
    counts: dict[str, dict[str, Counts]] = {}
    returned: dict[str, list[ReturnedRow]] = {}
    for name in sheets:
        for statement in REFERENCES.get(name, ()):
            store.run(statement)
        store.load(f"raw_{name}", _raw_table(SHEETS[name], wave))
        store.run(f"stage/{name}")
        if name in LAPSING:
            store.run(LAPSING[name])
        store.run("intake/turn", sheet=name)
        store.run("intake/numbered", sheet=name)
        store.run("intake/verdict", sheet=name)
        if name == "referral":
            store.run("intake/referral_ref")
        store.run("intake/return_id", sheet=name)
        for submission_id, verdict, rows in store.rows("intake/verdict_count", sheet=name):
            counts.setdefault(submission_id, {}).setdefault(name, {})[verdict] = rows
        for submission_id, row in _returned_rows(store, SHEETS[name], wave):
            returned.setdefault(submission_id, []).append(row)
    nil = {row[0] for row in store.rows("intake/nil")} if "coverage" in sheets else set()
    accounts = {
        each.index: {
            read.sheet.name: _account(read, counts.get(each.name, {}).get(read.sheet.name, {}))
            for read in each.submission.sheets
        }
        for each in wave
    }
    if stored is not None:
        _keep(store, plans, wave, known, sheets, counts, nil, recorded_at, stored)
    return {
        each.index: FileResult(
            each.submission.file,
            each.submission.identity,
            sheets=accounts[each.index],
            returned=tuple(returned.get(each.name, ())),
            repeated=each.name in known,
            received_at=each.received_at,
            name=each.name,
        )
        for each in wave
    }


def _account(read: ReadSheet, counts: Counts) -> Counts:
    account = {"read": len(read.places), **{name: counts.get(name, 0) for name in VERDICTS}}
    if account["read"] != sum(account[name] for name in VERDICTS):
        raise CheckFailed("error.rows_unaccounted", sheet=read.sheet.title)
    return account


def _keep(
    store: Store,
    plans: Mapping[str, Plan],
    wave: Sequence[_Arrival],
    known: Mapping[str, datetime],
    sheets: Sequence[str],
    counts: Mapping[str, Mapping[str, Counts]],
    nil: set[str],
    recorded_at: datetime,
    stored: Stored,
) -> None:
    """Store a wave as one transaction: all of it or nothing."""
    # only what is stored now: a file that was taken in before changes nothing
    fresh = [each for each in wave if each.name not in known]
    earlier = [each for each in wave if each.name in known and each.received_at < known[each.name]]
    if not fresh and not earlier:
        return
    arrived = _arrived_table(plans, fresh, known, recorded_at)
    is_nil = pa.array([each.name in nil for each in fresh], pa.bool_())
    store.load("arrived", arrived.append_column("nil", is_nil))
    store.load("came_earlier", _times_table(earlier))
    store.load("verdict_count", _count_table(counts))
    with store.transaction():
        for name in sheets:
            store.run("intake/replace", sheet=name)
            store.run("intake/keep", sheet=name)
            store.run("intake/archive", sheet=name)
            store.run("intake/keep_return", sheet=name)
            store.run("intake/said", sheet=name, place=wave[0].place)
        store.run("intake/submission")
        if earlier:
            date_back(store, sheets)
        settle_order(store)
        if "registered_person" in sheets:
            store.run("intake/registered")
        stored([each.name for each in fresh])


def _returned_rows(
    store: Store, sheet: Sheet, wave: Sequence[_Arrival]
) -> Iterator[tuple[str, ReturnedRow]]:
    received = {each.name: read for each in wave if (read := _sheet(each, sheet.name)) is not None}
    rows = store.rows("intake/returned", sheet=sheet.name)
    for submission_id, row, rules, number, may_show in rows:
        shown = received[submission_id].row(row) if may_show else None
        yield submission_id, ReturnedRow(sheet, row, tuple(rules), shown, number)


def _sheet(arrival: _Arrival, name: str) -> ReadSheet | None:
    return next((read for read in arrival.submission.sheets if read.sheet.name == name), None)


def _arrived_table(
    plans: Mapping[str, Plan],
    wave: Sequence[_Arrival],
    known: Mapping[str, datetime],
    recorded_at: datetime,
) -> pa.Table:
    """Return one row a file: who sent what for which round, and what its rules compare with.

    A file that was taken in before came when it came first.
    """
    rows = [
        {
            "submission_id": each.name,
            "campaign": each.submission.identity.campaign,
            "phase": each.submission.identity.phase,
            "round": each.submission.identity.round,
            "sender_village": each.submission.identity.village,
            "template": each.submission.identity.template,
            "sheets": [read.sheet.name for read in each.submission.sheets],
            "rows_read": each.submission.rows_read,
            "people_rows": sum(
                len(read.places) for read in each.submission.sheets if read.sheet.about_people
            ),
            "is_known": each.name in known,
            "period": _period_start(plans, each.submission.identity),
            "received_at": min(each.received_at, known.get(each.name, each.received_at)),
            "recorded_at": recorded_at,
        }
        for each in wave
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


def _times_table(wave: Sequence[_Arrival]) -> pa.Table:
    """Return one row a file: when it came."""
    return pa.table(
        {
            "submission_id": pa.array([each.name for each in wave], pa.string()),
            "received_at": pa.array([each.received_at for each in wave], pa.timestamp("us")),
        }
    )


def _raw_table(sheet: Sheet, wave: Sequence[_Arrival]) -> pa.Table:
    """Return one row a row of `sheet` in the wave: its file, its number, its cells as text."""
    received = [
        (each.name, read) for each in wave if (read := _sheet(each, sheet.name)) is not None
    ]
    return pa.table(
        {
            "submission_id": pa.chunked_array(
                [pa.repeat(name, len(read.places)) for name, read in received], pa.string()
            ),
            "row_number": pa.chunked_array(
                [pa.array(read.places, pa.int32()) for _, read in received], pa.int32()
            ),
            **{
                column.name: pa.chunked_array(
                    [batch for _, read in received for batch in read.columns[at].chunks],
                    pa.string(),
                )
                for at, column in enumerate(sheet.columns)
            },
        }
    )


def _came_back_table(wave: Sequence[_Arrival]) -> pa.Table:
    """Return one row a row that came with a number: its file, sheet, place and number.

    A number that stands twice on a sheet was copied: whose it is nobody can tell.
    """
    rows = []
    for arrival in wave:
        for read in arrival.submission.sheets:
            times = Counter(read.numbers.values())
            rows += [
                (arrival.name, read.sheet.name, row, number)
                for row, number in read.numbers.items()
                if times[number] == 1
            ]
    return pa.table(
        {
            "submission_id": pa.array([row[0] for row in rows], pa.string()),
            "sheet": pa.array([row[1] for row in rows], pa.string()),
            "row_number": pa.array([row[2] for row in rows], pa.int32()),
            "return_id": pa.array([row[3] for row in rows], pa.string()),
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
