"""From the phases of a plan file to the occurrences of its calendar."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date

from tasks.plan.findings import Findings
from tasks.plan.model import MONTHLY_PHASES, PACK, SET_PHASES, AdHoc, Occurrence, PhaseEntry, is_day
from tasks.rules.deadlines import (
    Period,
    RestDayRule,
    WordsNotUnderstood,
    WorkdayCalendar,
    due_of_period,
    off_rest_day,
    periods,
    read_day,
    read_period,
)
from tasks.rules.requests import LONGEST_DAYS

Placed = tuple[str, PhaseEntry]
"""An entry of the plan file with its place there, such as `phases #3`."""

_LEAP_YEAR = 2024
_ANY_PERIOD = {False: read_period("2024-01"), True: read_period("2024-Q1")}


class Calendar:
    """Resolves deadlines by one plan's day of issue and rest-day rule; mistakes go to findings."""

    def __init__(
        self,
        issued: date | None,
        rule: RestDayRule,
        workdays: WorkdayCalendar,
        findings: Findings,
    ) -> None:
        """Take the day of issue, or None where it is itself a mistake."""
        self.issued = issued
        self.rule = rule
        self.workdays = workdays
        self.findings = findings

    def day(self, where: str, value: object) -> date | None:
        """Return the day that a date or official words name, or None after noting a mistake.

        Words without a year are of the year of issue.
        """
        if is_day(value):
            return value
        words = value if isinstance(value, str) else ""
        try:
            day = read_day(words, self.issued.year if self.issued else _LEAP_YEAR)
        except WordsNotUnderstood:
            self.findings.wrong(where, "plan.day_or_words")
            return None
        return day if self.issued or _has_year(words) else None

    def of_phases(self, entries: Sequence[Placed]) -> list[Occurrence]:
        """Return the occurrences of `[[phases]]`: set ones first, then the months in order.

        A rolling sweep's months count on after the set rounds, so that a plan's first and second
        concentrated sweeps are its rounds 1 and 2 whatever rolls in between.
        """
        found = self._set([entry for entry in entries if not entry[1].repeats])
        rounds: Counter[str] = Counter()
        for each in found:
            rounds[each.phase] = max(rounds[each.phase], each.round)
        coming_back = [
            (period, place, entry)
            for place, entry in entries
            if entry.repeats
            for period in self._periods(place, entry)
        ]
        seen: set[tuple[str, str]] = set()
        for period, place, entry in sorted(coming_back, key=lambda each: each[0].first):
            phase = PACK if entry.pack else entry.phase
            if (phase, period.name) in seen:
                self.findings.wrong(place, "plan.doubled", value=f"{phase} {period.name}")
                continue
            seen.add((phase, period.name))
            rounds[phase] += 1
            found.append(self._repeated(period, phase, rounds[phase], str(entry.due)))
        return found

    def check_requests(self, entries: Sequence[tuple[str, AdHoc]], codes: Collection[str]) -> None:
        """Note what is wrong with the ad-hoc sweeps.

        No rest-day rule moves their windows: the health side approves dates, and those are run.
        `codes` are the plan's villages; empty where their file is itself a mistake.
        """
        for place, entry in entries:
            self._check_window(f"{place} due", entry.opens, entry.due)
            if entry.asked_on > entry.opens:
                self.findings.wrong(f"{place} asked_on", "plan.asked_late", opens=entry.opens)
            if (entry.due - entry.opens).days >= LONGEST_DAYS:
                self.findings.wrong(f"{place} due", "plan.window_long", days=LONGEST_DAYS)
            self.findings.once(f"{place} villages", entry.villages)
            if codes:
                for code in sorted(set(entry.villages) - set(codes)):
                    self.findings.wrong(f"{place} villages", "plan.village_not_in_plan", code=code)

    def warn_about(self, calendar: Sequence[Occurrence], ends: date | None) -> None:
        """Note the due days that lie before the day of issue or after the end, or may move."""
        for each in calendar:
            where = f"{each.phase} {each.period or each.round or ''}".strip()
            if self.issued and each.due < self.issued:
                self.findings.warn(
                    where, "plan.warn_due_before_issue", due=each.due, issued=self.issued
                )
            # a month's or quarter's look back comes after it, so also after the last one
            if ends and each.period is None and each.due > ends:
                self.findings.warn(where, "plan.warn_due_after_end", due=each.due, ends=ends)
            if each.provisional:
                self.findings.warn(where, "plan.warn_provisional", due=each.due)

    def _set(self, entries: Sequence[Placed]) -> list[Occurrence]:
        rounds: dict[str, list[int | None]] = {}
        found = []
        for place, entry in entries:
            if entry.phase not in SET_PHASES:
                self.findings.wrong(place, "plan.needs_months", phase=entry.phase)
                continue
            rounds.setdefault(entry.phase, []).append(entry.round)
            if entry.opens is None:
                self.findings.wrong(f"{place} opens", "plan.missing")
            stated = self.day(f"{place} due", entry.due)
            if stated and entry.opens:
                found.append(self._resolved(place, entry, stated, entry.opens))
        for phase, named in rounds.items():
            if phase == "sweep" and sorted(each or 0 for each in named) != [
                *range(1, len(named) + 1)
            ]:
                self.findings.wrong("phases sweep round", "plan.rounds", count=len(named))
            elif phase != "sweep" and named != [None]:
                self.findings.wrong(f"phases {phase}", "plan.comes_once")
        return found

    def _resolved(self, place: str, entry: PhaseEntry, stated: date, opens: date) -> Occurrence:
        due = off_rest_day(stated, self.rule, self.workdays)
        self._check_window(f"{place} due", opens, due.day)
        return Occurrence(
            phase=entry.phase,
            round=entry.round or 0,
            period=None,
            opens=opens,
            due=due.day,
            words=str(entry.due),
            rule=self.rule,
            provisional=due.provisional,
            ad_hoc=False,
        )

    def _repeated(self, period: Period, phase: str, round_number: int, words: str) -> Occurrence:
        due = off_rest_day(due_of_period(words, period), self.rule, self.workdays)
        return Occurrence(
            phase=phase,
            round=round_number,
            period=period.name,
            opens=period.first,
            due=due.day,
            words=words,
            rule=self.rule,
            provisional=due.provisional,
            ad_hoc=False,
        )

    def _check_window(self, where: str, opens: date, due: date) -> None:
        if due < opens:
            self.findings.wrong(where, "plan.due_before_opening", due=due, opens=opens)

    def _periods(self, place: str, entry: PhaseEntry) -> tuple[Period, ...]:
        """Return the months or quarters an entry comes back in; none after noting a mistake."""
        before = len(self.findings.mistakes)
        wrong = self.findings.wrong
        allowed = ("supervision",) if entry.pack else MONTHLY_PHASES
        if entry.phase not in allowed:
            wrong(f"{place} phase", "plan.not_repeated", allowed=", ".join(allowed))
        if entry.round is not None:
            wrong(f"{place} round", "plan.set_by_period")
        if entry.opens is not None:
            wrong(f"{place} opens", "plan.set_by_period")
        first = self._period(f"{place} first", entry.first, quarterly=entry.pack)
        last = self._period(f"{place} last", entry.last, quarterly=entry.pack)
        if first and last and last.first < first.first:
            wrong(f"{place} last", "plan.last_before_first", first=first.name)
        try:
            due_of_period(str(entry.due), _ANY_PERIOD[entry.pack])
        except WordsNotUnderstood:
            wrong(f"{place} due", "plan.due_quarterly" if entry.pack else "plan.due_monthly")
        if len(self.findings.mistakes) > before or first is None or last is None:
            return ()
        return periods(first, last)

    def _period(self, where: str, text: str | None, *, quarterly: bool) -> Period | None:
        try:
            period = read_period(text or "")
        except WordsNotUnderstood:
            period = None
        if period is None or period.quarterly != quarterly:
            self.findings.wrong(where, "plan.quarter" if quarterly else "plan.month")
            return None
        return period


def _has_year(words: str) -> bool:
    try:
        read_day(words)
    except WordsNotUnderstood:
        return False
    return True
