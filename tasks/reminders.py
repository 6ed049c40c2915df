"""Reminders: to each village that has not reported, and to the campaign officer who has not.

And of what a village has to make good by a day: before that day and after it, like a report.

Which reminder is due is `tasks/rules/reminders.py`, what it says `tasks/reminder_letters.py`. Each
goes out once, by the unique key of the outbox: its number is the day it was set for. What still
waits to be handed over is taken back first and written anew as things are now, so that no village
is reminded that reported in the meantime, and nothing piles up while there is no mail server.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tasks.clock import now_in
from tasks.outbox import MISSING, RECTIFICATION, REMINDER, Gate, write_letter
from tasks.plan import Occurrence, Plan
from tasks.rectification_letters import ToMakeGood, letters_to_make_good
from tasks.rectifications import read_rectifications
from tasks.reminder_letters import Letter, Owing, is_reminded_of, letters_about
from tasks.reporting import VillageReporting, read_reporting_of_all
from tasks.rules.errors import WrongCommand
from tasks.store import Store

NOT_REPORTED = ("missing", "extended", "returned")
"""The states of a village that still owes its submission.

One whose file came back owes it too: it was told which rows, once, and the deadline is the same.
"""


REPORTS_MISSING = ("report_missing", "readiness_missing")
"""The shortfalls that the ledger itself shows made good: the file came."""


@dataclass(frozen=True)
class RemindersRun:
    """What a run tells the orchestrator: how many messages it wrote; of nobody, to nobody."""

    campaign: str
    as_of: date
    reminders: int
    lists: int
    rectifications: int = 0
    """To villages and officer, about what is to be made good."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for `--json`."""
        return vars(self) | {"as_of": self.as_of.isoformat()}


def write_reminders(
    store: Store, plan: Plan, as_of: date, now: datetime, gate: Gate
) -> RemindersRun:
    """Draft what is due at `as_of` to the villages that have not reported and to the health side.

    Called in the transaction that notes the run. Reads the ledger only: what came in by now counts.
    `as_of` is a day of the plan's time zone, `now` its wall time: once a due day is over by `now`,
    no reminder from before it goes out. `gate` is reports.gate.notice_gate; raises DisclosureRisk
    where it stops a message. Returns how many are new: none when it is called again.
    """
    letters = list(_letters(store, plan, as_of, now.date()))
    kinds = [REMINDER, MISSING, RECTIFICATION]
    waited = set(store.rows("remind/take_back", campaign=plan.slug, kinds=kinds))
    written = dict.fromkeys(kinds, 0)
    for letter in letters:
        is_new = write_letter(
            store,
            plan,
            kind=letter.kind,
            phase=letter.phase,
            round=letter.round,
            number=letter.number,
            audience=letter.audience,
            recipient=letter.recipient,
            subject=letter.subject,
            text=letter.text,
            now=now,
            gate=gate,
        )
        written[letter.kind] += is_new and letter.key not in waited
    return RemindersRun(
        plan.slug, as_of, written[REMINDER], written[MISSING], written[RECTIFICATION]
    )


def refuse_day_to_come(plan: Plan, as_of: date) -> None:
    """Raise WrongCommand where `as_of` lies after today in the plan's time zone."""
    if as_of > now_in(plan.timezone).date():
        raise WrongCommand("reminders.not_yet", day=as_of)


def _letters(store: Store, plan: Plan, as_of: date, today: date) -> Iterator[Letter]:
    reporting = read_reporting_of_all(store, plan, as_of)
    for occurrence in filter(is_reminded_of, plan.calendar):
        owing = _owing(plan, occurrence, reporting[occurrence.phase, occurrence.round])
        yield from letters_about(plan, occurrence, owing, as_of, today)
    yield from letters_to_make_good(plan, _to_make_good(store, plan, reporting), as_of, today)


def _to_make_good(
    store: Store, plan: Plan, reporting: Mapping[tuple[str, int], Sequence[VillageReporting]]
) -> list[ToMakeGood]:
    """Return the open rectifications of the plan's villages, by due day.

    Without the missing reports that came in the meantime: the next look will close those.
    """
    names = {village.code: village for village in plan.villages}
    came = {
        (each.village, phase, round)
        for (phase, round), states in reporting.items()
        for each in states
        if each.state in ("on_time", "late")
    }
    found = []
    for standing in read_rectifications(store, plan):
        this = standing.rectification
        phase, round = ("supervision", this.opened_round) if this.opened_round else ("readiness", 0)
        reported = this.shortfall in REPORTS_MISSING and (this.village, phase, round) in came
        if this.closed_on is None and this.village in names and not reported:
            waits = standing.state == "evidence_given"
            found.append(ToMakeGood(names[this.village], this, phase, waits))
    return sorted(found, key=lambda each: (each.rectification.due, each.village.code))


def _owing(
    plan: Plan, occurrence: Occurrence, reporting: Sequence[VillageReporting]
) -> list[Owing]:
    return [
        Owing(
            plan.village(each.village),
            each.state,
            max(occurrence.due, each.extended_to or occurrence.due),
        )
        for each in reporting
        if each.state in NOT_REPORTED
    ]
