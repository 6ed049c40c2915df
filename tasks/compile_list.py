"""Compiling a campaign's list: one row a person out of the referrals of all villages and rounds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tasks.plan import Plan
from tasks.pseudonyms import read_secret
from tasks.rules.errors import CheckFailed
from tasks.rules.linking import ANSWERED, CERTAIN, FIRST
from tasks.rules.pseudonyms import hmac_pads
from tasks.store import Store


@dataclass(frozen=True)
class ListResult:
    """What a compilation gave. Exact counts of people: they stay inside the health side."""

    revision: int
    """The revision that holds the list; 0 where there is nobody and never was."""
    is_new: bool
    """Whether this run made the revision, or found the list unchanged."""
    referrals: int
    people: int
    known: int
    """People of the list who were on the register before this campaign assessed them."""
    open_questions: int

    @property
    def new(self) -> int:
        """People of the list who are new to the register."""
        return self.people - self.known


def compile_list(store: Store, plan: Plan, as_of: date) -> ListResult:
    """Link all current referrals into people, as of `as_of`; write list and questions.

    `as_of` is a day of the plan's time zone: who was on the register by then is known. A withdrawn
    referral is left out. A list that says the same as the latest revision makes none; another makes
    the next, beside the old ones. Answers to questions are kept; a question that needs no answer
    any more goes. One transaction. Raises CheckFailed where answers contradict each other; then
    nothing is written.
    """
    with store.transaction():
        _link(store, plan, as_of)
        _refuse_contradictions(store)
        _describe(store, plan)
        _write_questions(store, plan)
        revision, is_new = _write_revision(store, plan, as_of)
        ((referrals, people, known, open_questions),) = store.rows(
            "list/counts", campaign=plan.slug, revision=revision
        )
    store.run("list/forget_records")
    return ListResult(revision, is_new, referrals, people, known, open_questions)


def latest_list(store: Store, plan: Plan) -> int:
    """Return the newest revision of the campaign's compiled list, 0 before the first."""
    ((latest,),) = store.rows("list/latest_revision", campaign=plan.slug)
    return latest or 0


def _link(store: Store, plan: Plan, as_of: date) -> None:
    """Leave the person of each record that may be joined in the in-memory table list_component."""
    villages = [village.code for village in plan.villages]
    store.run("list/scope", campaign=plan.slug, villages=villages, first=FIRST)
    store.run("list/referrals")
    store.run("list/known", campaign=plan.slug, as_of=as_of)
    store.run("list/records")
    # one statement a step: all in one would hold in memory what these hold one after another
    store.run("list/traits")
    store.run("list/looked_at", campaign=plan.slug)
    store.run("list/forget_traits")
    store.run("list/nodes")
    store.run("list/pairs", certain=list(CERTAIN))
    store.run("list/answers", campaign=plan.slug)
    store.run("list/edges_certain")
    store.run("list/components")
    store.run("list/conflicts")
    store.run("list/doubts")
    store.run("list/edges_final", certain=list(CERTAIN), answered=ANSWERED)
    store.run("list/components")


def _refuse_contradictions(store: Store) -> None:
    # Kept apart would overrule one answer, joined another: only the one who knows may decide.
    questions: Iterable[tuple[str]] = store.rows("list/contradictions")
    named = ", ".join(question for (question,) in questions)
    if named:
        raise CheckFailed("question.answers_contradict", questions=named)


def _describe(store: Store, plan: Plan) -> None:
    """Leave the list in the views list_person and list_person_referral, and in list_question."""
    inner, outer = hmac_pads(read_secret(store), "question")
    store.run("list/questions", campaign=plan.slug, inner=inner, outer=outer)
    store.run("list/people")
    store.run("list/people_referrals")


def _write_questions(store: Store, plan: Plan) -> None:
    store.run("list/drop_questions", campaign=plan.slug)
    store.run("list/add_questions", campaign=plan.slug)


def _write_revision(store: Store, plan: Plan, as_of: date) -> tuple[int, bool]:
    latest = latest_list(store, plan)
    if not _says_anything_new(store, plan, latest):
        return latest, False
    revision = latest + 1
    store.run("list/add_people", campaign=plan.slug, revision=revision)
    store.run("list/add_list", campaign=plan.slug, revision=revision, as_of=as_of)
    store.run("list/add_people_referrals", campaign=plan.slug, revision=revision)
    return revision, True


def _says_anything_new(store: Store, plan: Plan, latest: int) -> bool:
    """Compare row by row with the revision before; the first has none, and needs somebody on it."""
    if not latest:
        ((anybody,),) = store.rows("list/anybody")
        return bool(anybody)
    ((differs,),) = store.rows("list/differences", campaign=plan.slug, revision=latest)
    return bool(differs)
