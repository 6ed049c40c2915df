"""Doubtful pairs and a human's answers: a file that names nobody, and a look at one pair."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tasks.audit import Act, keep_entry
from tasks.home import write_whole
from tasks.plan import Plan
from tasks.reading import shown_name
from tasks.rules.cells import head_text
from tasks.rules.errors import FileRefused, WrongCommand
from tasks.rules.linking import ANSWERS
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store

COLUMNS = ("question_id", "rule", "agrees", "differs", "answer")


@dataclass(frozen=True, repr=False)
class Record:
    """One of the two records of a question. Shows a person: for the health side's terminal only."""

    ref: str
    """A referral's reference, or a register number."""
    sender_village: str | None
    """Which file and row a referral came from: village, round and 序号; None for the register."""
    round: int | None
    row_no: int | None
    full_name: str
    sex: str
    birth_date: date
    has_resident_id: bool
    """Whether an identity number was given; it is kept only as a keyed hash."""
    residence_village: str
    registered_village: str | None
    phone: str | None


@dataclass(frozen=True, repr=False)
class Question:
    """A doubtful pair: the rule that doubts, the names of fields that agree and differ."""

    question_id: str
    reason: str
    agrees: tuple[str, ...]
    differs: tuple[str, ...]
    answer: str | None
    records: tuple[Record, Record]


def write_questions(store: Store, plan: Plan, path: Path) -> int:
    """Write all questions of the campaign to `path` as CSV, the open ones first; names nobody.

    UTF-8 with BOM, so that Excel shows Chinese. Returns how many questions are open.
    """
    questions = store.records("question/all", campaign=plan.slug)
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([say(f"question.head.{column}", plan.language) for column in COLUMNS])
    for question in questions:
        answer = question["answer"]
        writer.writerow(
            [
                question["question_id"],
                say(f"question.rule.{question['reason']}", plan.language),
                field_names(question["agrees"], plan.language),
                field_names(question["differs"], plan.language),
                say(f"question.answer.{answer}", plan.language) if answer else "",
            ]
        )
    write_whole(path, stream.getvalue().encode("utf-8-sig"))
    return sum(question["answer"] is None for question in questions)


def field_names(fields: Sequence[str], language: str | None = None) -> str:
    """Return the names of compared fields as one text in `language`."""
    return say("question.comma", language).join(
        say(f"question.field.{field}", language) for field in fields
    )


def show_question(store: Store, campaign: str, question_id: str) -> Question:
    """Return a question with its two records, for the health side's terminal and nothing else.

    Raises WrongCommand where there is no such question, or one of its records is gone.
    """
    found = store.records("question/one", campaign=campaign, question_id=question_id)
    if not found:
        raise WrongCommand("question.unknown", campaign=campaign)
    rows = store.records("question/records", campaign=campaign, question_id=question_id)
    if len(rows) != 2:
        raise WrongCommand("question.gone", question=question_id)
    first, second = (Record(**row) for row in rows)
    (question,) = found
    return Question(
        question_id=question["question_id"],
        reason=question["reason"],
        agrees=tuple(question["agrees"]),
        differs=tuple(question["differs"]),
        answer=question["answer"],
        records=(first, second),
    )


def answer_question(
    store: Store,
    campaign: str,
    question_id: str,
    answer: str,
    by: str,
    *,
    at: datetime,
    act: Act | None = None,
) -> None:
    """Record that `by` answered a question with "same" or "different" at `at` (plan's time zone).

    The words of the question file are understood, too.

    The next compilation applies it. Another answer than before takes its place; the same answer
    again changes nothing. With `act`, the trail says whose records it is about. Raises WrongCommand
    for an unknown question or answer, or without a name.
    """
    _require_name(by)
    meant = next((each for each in ANSWERS if answer.strip() in _spellings(each)), None)
    if meant is None:
        raise WrongCommand("question.answer_form", choices=", ".join(ANSWERS))
    if not store.rows("question/one", campaign=campaign, question_id=question_id):
        raise WrongCommand("question.unknown", campaign=campaign)
    _record(store, campaign, {question_id: meant}, by, at, act)


def take_answers(
    store: Store,
    campaign: str,
    path: Path,
    by: str,
    *,
    at: datetime,
    act: Act | None = None,
) -> int:
    """Record the answers of a filled question file as given by `by` at `at`; all of them or none.

    Rows without an answer are left open. Only the columns of question and answer are read. With
    `act`, the trail says whose records they are about. Returns how many rows hold an answer. Raises
    FileRefused, naming rows and no cell, where the file cannot be read, a question is unknown, an
    answer is none of the two, or one question has both.
    """
    _require_name(by)
    known = {row[0] for row in store.rows("question/all", campaign=campaign)}
    rows = _filled_rows(path)
    unknown = [number for number, question, _ in rows if question not in known]
    unclear = [number for number, _, answer in rows if answer is None]
    given: dict[str, str] = {}
    twice = [
        number
        for number, question, answer in rows
        if answer is not None and given.setdefault(question, answer) != answer
    ]
    if unknown or unclear or twice:
        raise FileRefused(
            "question.file_mistakes",
            file=shown_name(path),
            unknown=_numbers(unknown),
            unclear=_numbers(unclear),
            twice=_numbers(twice),
        )
    _record(store, campaign, given, by, at, act)
    return len(rows)


def _record(
    store: Store,
    campaign: str,
    answers: Mapping[str, str],
    by: str,
    at: datetime,
    act: Act | None,
) -> None:
    if not answers:
        return
    # in the ledger first: a list that is owed for nothing does no harm, one that is not owed does
    store.run("question/note", campaign=campaign, answered_at=at)
    with store.transaction():
        for question_id, answer in answers.items():
            store.run(
                "question/answer",
                campaign=campaign,
                question_id=question_id,
                answer=answer,
                answered_by=by.strip(),
                answered_at=at,
            )
        if act is not None:
            rows = store.rows("question/subjects", campaign=campaign, questions=list(answers))
            keep_entry(store, act, [subject for (subject,) in rows])


def _require_name(by: str) -> None:
    if not by.strip():
        raise WrongCommand("question.no_name")


def _filled_rows(path: Path) -> list[tuple[int, str, str | None]]:
    """Return (row number, question id, answer or None where unclear) of rows with an answer."""
    try:
        content = path.read_bytes()
        rows = list(csv.reader(io.StringIO(_decoded(content)), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise FileRefused("question.file_unreadable", file=shown_name(path)) from None
    head = [head_text(cell) for cell in rows[0]] if rows else []
    places = {column: _place(head, column) for column in ("question_id", "answer")}
    question, answer = places["question_id"], places["answer"]
    if question is None or answer is None:
        raise FileRefused("question.file_head", file=shown_name(path))
    spellings = {head_text(spelling): value for value in ANSWERS for spelling in _spellings(value)}
    return [
        (number, row[question].strip(), spellings.get(head_text(row[answer])))
        for number, row in enumerate(rows[1:], start=2)
        if len(row) > max(question, answer) and row[answer].strip()
    ]


def _decoded(content: bytes) -> str:
    # Excel and WPS save a Chinese CSV as GB18030 unless told otherwise
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _place(head: Sequence[str], column: str) -> int | None:
    names = {column, *(say(f"question.head.{column}", language) for language in LANGUAGES)}
    known = {head_text(name) for name in names}
    return next((place for place, cell in enumerate(head) if cell in known), None)


def _spellings(answer: str) -> tuple[str, ...]:
    return (answer, *(say(f"question.answer.{answer}", language) for language in LANGUAGES))


def _numbers(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows)) or "-"
