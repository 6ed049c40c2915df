"""The sweep rounds: what each village sends, when, and how often it takes it to get it right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from data.synthetic.messes import DROPPED, Deal, Setting, spoil
from data.synthetic.population import Settlement, draw_phone
from data.synthetic.referrals import LATER_PAIRS, PAIRS, Cast, Entry, Window
from data.synthetic.submissions import (
    CLEAN,
    Draft,
    Post,
    Row,
    Sender,
    Style,
    Values,
    at_minute,
    between,
    moment,
)
from tasks.plan import Occurrence
from tasks.rules.contract import TEMPLATE_VERSION

FIRST_ROUND_SHARE = 0.0012
"""Plain referrals of all residents; the pairs and mistakes of the first round come on top."""

LATER_ROUND_SHARE = 0.0020
NO_CONSENT_SHARE = 0.0002
LATER_MISTAKES = 4

_MORNING = range(8 * 60, 10 * 60)
_DAYTIME = range(10 * 60, 17 * 60)


@dataclass(frozen=True)
class Roles:
    """What becomes of whom in a round; the rest report in time."""

    late: str | None
    missing: str | None
    wrong: str | None
    """Its first file is wrong in every row."""
    nil: tuple[str, ...]
    ordinary: tuple[str, ...]

    @property
    def referring(self) -> tuple[str, ...]:
        """The villages whose right rows count in the end."""
        return (*self.ordinary, self.late) if self.late else self.ordinary

    @property
    def unbending(self) -> tuple[str, ...]:
        """The villages that never correct what came back, of those that refer."""
        return (*self.ordinary[3::4], self.late) if self.late else self.ordinary[3::4]


def share_roles(draw: Random, codes: Sequence[str], *, first: bool) -> Roles:
    """Give the villages their roles; the fewer there are, the fewer roles.

    Only in the `first` round does a village not report at all.
    """
    line = list(codes)
    draw.shuffle(line)
    late = line.pop() if len(line) >= 2 else None
    nil = [line.pop()] if len(codes) >= 3 else []
    missing = line.pop() if len(codes) >= 4 and first else None
    wrong = line.pop() if len(codes) >= 5 else None
    if len(codes) >= 12:
        nil.append(line.pop())
    return Roles(late, missing, wrong, tuple(nil), tuple(sorted(line)))


@dataclass(eq=False)
class _Grid:
    values: Values
    mistake: str | None = None
    corrected: bool = False
    spoiled: Values | None = None


class Round:
    """One round of a sweep."""

    def __init__(
        self,
        occurrence: Occurrence,
        cast: Cast,
        senders: dict[str, Sender],
        draw: Random,
        *,
        first: bool,
    ) -> None:
        """Take who sends in this round: the villages expected in `occurrence`."""
        self.occurrence = occurrence
        self.cast = cast
        self.senders = senders
        self.draw = draw
        self.first = first
        self.roles = share_roles(draw, list(senders), first=first)
        length = (occurrence.due - occurrence.opens).days
        self.agreed: Window = (occurrence.opens, occurrence.opens + timedelta(days=length // 2))
        earliest = max(self.agreed[1], occurrence.due - timedelta(days=8))
        self.arrives = {code: between(draw, earliest, occurrence.due) for code in senders}
        if self.roles.late:
            self.arrives[self.roles.late] = occurrence.due + timedelta(days=draw.randint(2, 5))

    def send(self, post: Post, earlier: Sequence[Entry]) -> list[Entry]:
        """Send the round's files; return the referrals that are right and stay as they are."""
        self._fill_cast(earlier)
        entries: dict[str, list[Entry]] = {code: [] for code in self.senders}
        for entry in self.cast.entries:
            if entry.round == self.occurrence.round:
                entries[entry.village].append(entry)
        for rows in entries.values():
            self.draw.shuffle(rows)
            for number, entry in enumerate(rows, start=1):
                entry.row_no = number
        grids = {
            settlement.code: self._grids(settlement, entries[settlement.code])
            for settlement in self.cast.population.settlements
            if settlement.code in self.senders
        }
        self._spoil_grids(grids, entries)
        changed = set()
        for code in self.senders:
            if code != self.roles.missing:
                village = _Village(self, self.senders[code], grids[code], entries[code])
                if self.first:
                    village.send_refused(post)
                changed |= village.send(post)
        return [
            entry
            for code in self.roles.referring
            for entry in entries[code]
            if entry.plain and entry.mistake is None and entry not in changed
        ]

    def _fill_cast(self, earlier: Sequence[Entry]) -> None:
        cast, roles, number = self.cast, self.roles, self.occurrence.round
        referring = roles.referring
        residents = len(cast.population.people)
        share = FIRST_ROUND_SHARE if self.first else LATER_ROUND_SHARE
        pairs = PAIRS if self.first else LATER_PAIRS
        cast.add_pairs(number, referring, self.agreed, pairs)
        cast.add_registered(number, referring, self.agreed, pairs)
        if self.first:
            cast.add_three_of_one_name(number, referring, self.agreed)
        cast.add_across_rounds(number, referring, self.agreed, earlier)
        cast.add_plain(number, referring, self.agreed, round(residents * share))
        without = max(2, round(residents * NO_CONSENT_SHARE))
        cast.add_without_consent(number, referring, self.agreed, without)
        deal = Deal("referral", self.draw)
        if roles.wrong:
            for entry in cast.add_plain(number, [roles.wrong], self.agreed, 5):
                entry.mistake = next(deal)
        mistakes = len(deal.undealt) if self.first else LATER_MISTAKES
        for entry in cast.add_plain(number, referring, self.agreed, mistakes):
            entry.mistake = next(deal)

    def _grids(self, settlement: Settlement, entries: Sequence[Entry]) -> list[_Grid]:
        draw = self.draw
        nil = settlement.code in self.roles.nil
        begin = self.agreed[0]
        end = max(begin, min(self.arrives[settlement.code], self.occurrence.due))
        refused = sum(not entry.consent for entry in entries)
        grids = []
        for number, households in enumerate(settlement.grids, start=1):
            visited = households * draw.randint(78, 97) // 100
            declined = draw.randint(0, min(households - visited, households // 20 + 1))
            first = between(draw, begin, begin + (end - begin) / 2)
            # a village counts those it wrote down without consent, and some it did not write down
            untold = (refused if number == 1 else 0) + (draw.randint(0, 1) if not nil else 0)
            values: Values = {
                "village_code": settlement.code,
                "grid": f"第{number}网格",
                "households": households,
                "households_visited": visited,
                "households_declined": declined,
                "visits_from": first,
                "visits_to": between(draw, first, end),
                "no_consent_count": untold,
                "nil_return": "yes" if nil else "no",
            }
            grids.append(_Grid(values))
        return grids

    def _spoil_grids(self, grids: dict[str, list[_Grid]], entries: dict[str, list[Entry]]) -> None:
        """Deal the mistakes of the coverage sheet out; a village in time keeps one grid right."""
        roles = self.roles
        rule = "nil_return_true"
        deal = Deal("coverage", self.draw, without=frozenset({rule}))
        if roles.wrong:
            for grid in grids[roles.wrong]:
                grid.mistake = next(deal)
        open_to = [grid for code in roles.referring for grid in grids[code][1:]]
        self.draw.shuffle(open_to)
        # one grid is missing in the end: its village does not correct what came back
        unbending = [grid for code in roles.unbending for grid in grids[code][1:]]
        open_to.sort(key=lambda grid: grid not in unbending[:1])
        count = len(deal.undealt) if self.first else LATER_MISTAKES
        for grid in open_to[:count]:
            grid.mistake = next(deal)
        # only a workbook holds both sheets, and only then can one give the other the lie
        whole = [
            code
            for code in roles.referring
            if self.senders[code].style.container == "xlsx" and entries[code]
        ]
        if self.first and whole:
            right = [grid for grid in grids[self.draw.choice(whole)] if grid.mistake is None]
            right[-1].mistake = rule


class _Village:
    """One village's files of a round."""

    def __init__(
        self, round: Round, sender: Sender, grids: list[_Grid], entries: list[Entry]
    ) -> None:
        self.round = round
        self.sender = sender
        self.grids = grids
        self.entries = entries
        self.draw = round.draw
        ordinary = round.roles.ordinary
        place = ordinary.index(sender.code) if sender.code in ordinary else None
        self.wrong = sender.code == round.roles.wrong
        # where there are few villages the same one does several things
        self.resends = place is not None and sender.code in round.roles.unbending
        self.corrects = self.wrong or (place is not None and not self.resends)
        self.repeats = place is not None and place % 5 == 1
        self.changes = place is not None and place % 2 == 0
        self.doubles = place is not None and place % 3 == 0
        right = [entry for entry in entries if entry.consent and entry.mistake is None]
        self.doubled = right[:1] if self.doubles else []
        self.refusals = [] if place is None else list(REFUSALS)[place :: len(ordinary)]

    def send_refused(self, post: Post) -> None:
        """Send files that are refused whole, on the morning of the day of the right one."""
        for reason in self.refusals:
            day = self.round.arrives[self.sender.code]
            sheets = self._sheets(day)
            if self.sender.style.container == "csv":
                sheets = {"coverage": sheets["coverage"]}
            at = moment(self.draw, day, _MORNING)
            (draft,) = self._post(post, at, sheets)
            draft.refused = reason
            REFUSALS[reason](draft)

    def send(self, post: Post) -> set[Entry]:
        """Send everything; return the referrals that were changed after they were accepted."""
        day = self.round.arrives[self.sender.code]
        drafts = self._post(post, moment(self.draw, day, _DAYTIME), self._sheets(day))
        if self.repeats:
            post.again(drafts, at_minute(day, 17 * 60 + 30))
        if self.resends:
            # saved anew: the same rows in other bytes
            style = replace(self.sender.style, trailing=not self.sender.style.trailing)
            following = moment(self.draw, day + timedelta(days=1), _DAYTIME)
            self._post(post, following, self._sheets(day), style)
        if self.corrects and (self.changes or any(each.mistake for each in self._made())):
            return self._correct(post, day)
        return set()

    def _correct(self, post: Post, day: date) -> set[Entry]:
        """Send the corrected file, with a mistake overlooked here and there."""
        # who had every row wrong gets it right only after the due day: returned, then late
        last = max(day, self.round.occurrence.due) if self.wrong else day
        following = last + timedelta(days=self.draw.randint(1, 3))
        for made in self._made():
            made.corrected = self.wrong or self.draw.random() < 0.87
        changed = self._change() if self.changes else set()
        self._post(post, moment(self.draw, following, _DAYTIME), self._sheets(following))
        return changed

    def _made(self) -> list[Entry | _Grid]:
        return [*self.entries, *self.grids]

    def _change(self) -> set[Entry]:
        """Give one accepted referral another phone and make another one urgent."""
        right = [
            entry
            for entry in self.entries
            if entry.plain and entry.mistake is None and entry not in self.doubled
        ][:2]
        for at, entry in enumerate(right):
            if at == 0:
                entry.values["phone"] = draw_phone(self.draw)
            else:
                entry.values["urgency"] = "soon"
        return set(right)

    def _sheets(self, day: date) -> dict[str, list[Row]]:
        setting = Setting(day, self.round.cast.population.elsewhere, self.draw)
        coverage = []
        for grid in self.grids:
            values = self._as_sent("coverage", grid, grid.values, setting)
            fails = (grid.mistake,) if grid.mistake and not grid.corrected else ()
            name = str(grid.values["grid"])
            coverage.append(Row(values, key=name, who=name, fails=fails))
        if self.doubles:
            right = [row for row in coverage if not row.fails][:1]
            coverage += [Row(dict(row.values), row.key, row.who) for row in right]
        referrals = []
        for entry in self.entries:
            if entry.mistake in DROPPED and entry.corrected:
                continue
            own = {"row_no": entry.row_no, **entry.values}
            values = self._as_sent("referral", entry, own, setting)
            fails = (entry.mistake,) if entry.mistake and not entry.corrected else ()
            key = str(entry.row_no)
            referrals.append(Row(values, key, entry.who, fails, entry.consent, entry))
        for number, entry in enumerate(self.doubled, start=len(self.entries) + 1):
            twice = {"row_no": number, **entry.values}
            referrals.append(Row(twice, str(number), entry.who, about=entry))
        return {"coverage": coverage, "referral": referrals}

    def _as_sent(self, sheet: str, made: Entry | _Grid, values: Values, setting: Setting) -> Values:
        if made.mistake is None or made.corrected:
            return dict(values)
        if made.spoiled is None:
            made.spoiled = spoil(sheet, made.mistake, values, setting)
        return made.spoiled

    def _post(
        self, post: Post, at: datetime, sheets: dict[str, list[Row]], style: Style | None = None
    ) -> list[Draft]:
        number = self.round.occurrence.round
        return post.send(self.sender, "sweep", number, at, sheets, style=style)


def _empty(draft: Draft) -> None:
    draft.sheets = {name: [] for name in draft.sheets}


def _unreadable(draft: Draft) -> None:
    # a CSV that breaks off can still be read
    draft.style = CLEAN


def _other_campaign(draft: Draft) -> None:
    draft.identity = replace(draft.identity, campaign="spring-1999")


def _other_template(draft: Draft) -> None:
    draft.identity = replace(draft.identity, template=TEMPLATE_VERSION + 1)


def _unknown_village(draft: Draft) -> None:
    draft.identity = replace(draft.identity, village=draft.identity.village[:9] + "999")


def _missing_column(draft: Draft) -> None:
    where = {"coverage": "households_visited", "referral": "consent_date"}
    sheet = list(draft.sheets)[-1]
    draft.column = (sheet, where[sheet])


def _extra_column(draft: Draft) -> None:
    draft.column = (list(draft.sheets)[-1], "备注")


REFUSALS: dict[str, Callable[[Draft], None]] = {
    "refused.empty": _empty,
    "refused.unreadable": _unreadable,
    "refused.other_campaign": _other_campaign,
    "refused.template": _other_template,
    "refused.unknown_village": _unknown_village,
    "refused.missing_column": _missing_column,
    "refused.extra_column": _extra_column,
}
"""Wording key of a refusal -> what makes a right file one that is refused for it."""
