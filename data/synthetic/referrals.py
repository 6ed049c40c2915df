"""Who is referred in a sweep round, by which village, and which two rows are one human being.

The linking rules that the pairs below are made for are those of `tasks.rules.linking`. The answer
to every doubtful pair is known here because it was made so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from data.synthetic.messes import NO_CONSENT
from data.synthetic.names import misheard
from data.synthetic.population import (
    Person,
    Population,
    Registered,
    draw_id,
    draw_phone,
    weighted,
)
from data.synthetic.submissions import Values, between

Window = tuple[date, date]
"""The first and the last day on which people of a round agreed."""

_CARE_SETTINGS = {
    "home": 70,
    "hospital": 10,
    "welfare_institution": 6,
    "other_institution": 5,
    "not_reachable": 9,
}
_REFERRERS = {"relative": 50, "self": 15, "guardian": 15, "village_doctor": 17, "civil_affairs": 3}
_CONSENTING = {
    "relative": ("close_relative",),
    "self": ("self",),
    "guardian": ("guardian",),
    "village_doctor": ("self", "close_relative"),
    "civil_affairs": ("self",),
}


@dataclass(eq=False)
class Entry:
    """One referral that a village means to send in a round."""

    round: int
    village: str
    subject: str
    """Which human being it is about; equal for all referrals of one."""
    values: Values
    """The row but for its row number."""
    plain: bool = False
    """Whether no other row rests on it, so that it may be spoiled, doubled, changed."""
    consent: bool = True
    row_no: int = 0
    mistake: str | None = None
    """The rule its row breaks until the village corrects it."""
    corrected: bool = False
    spoiled: Values | None = None
    """The row with the mistake in it, as it was first sent."""

    @property
    def who(self) -> str:
        """What makes two rows of one file the same person: the ID number, else who it is."""
        number = self.values["resident_id"]
        person = (self.values[name] for name in ("full_name", "birth_date", "sex"))
        return str(number) if number else "|".join(map(str, person))


@dataclass(frozen=True)
class Doubt:
    """A pair that a human is asked about, and the true answer."""

    a: Entry
    b: Entry | Registered
    rule: str
    same: bool


Change = Callable[[Random, Person, str], Values]
"""What the second row of a pair says otherwise, given its person and the village that sends it."""


@dataclass(frozen=True)
class Pair:
    """A kind of pair: what the first row must hold, and what the second says otherwise."""

    rule: str
    needs: tuple[str, ...]
    change: Change
    certain: bool = False
    same: bool = True


def _moved(draw: Random, person: Person, there: str) -> Values:
    return {"residence_village": there, "phone": None}


def _moved_without_id(draw: Random, person: Person, there: str) -> Values:
    return {"residence_village": there, "resident_id": None}


def _bare(draw: Random, person: Person, there: str) -> Values:
    return {"resident_id": None, "phone": None}


def _moved_bare(draw: Random, person: Person, there: str) -> Values:
    return {"residence_village": there, "resident_id": None, "phone": None}


def _namesake(draw: Random, person: Person, there: str) -> Values:
    return {
        "residence_village": there,
        "registered_village": there,
        "resident_id": None,
        "phone": draw_phone(draw),
    }


def _misheard(draw: Random, person: Person, there: str) -> Values:
    return {"full_name": misheard(person.full_name), "resident_id": None}


def _other_birth(draw: Random, person: Person, there: str) -> Values:
    """The month and the day the other way round, or a month further."""
    born = person.birth_date
    if born.day <= 12 and born.day != born.month:
        swapped = date(born.year, born.day, born.month)
    else:
        swapped = date(born.year, born.month % 12 + 1, born.day)
    return {"birth_date": swapped, "resident_id": None}


def _other_id(draw: Random, person: Person, there: str) -> Values:
    number = person.resident_id
    while number == person.resident_id:
        number = draw_id(draw, number[:6], person.birth_date, person.sex)
    return {"resident_id": number}


PAIRS = (
    Pair("resident_key", ("resident_id",), _moved, certain=True),
    Pair("name_birth_elsewhere", (), _moved_bare),
    Pair("phone_birth_other_name", ("phone",), _misheard),
    Pair("name_birth_phone", ("phone",), _moved_without_id, certain=True),
    Pair("name_birth_village", (), _bare, certain=True),
    Pair("name_birth_elsewhere", (), _namesake, same=False),
    # twins of like names who share a telephone
    Pair("phone_birth_other_name", ("phone",), _misheard, same=False),
    Pair("name_phone_other_birth", ("phone",), _other_birth),
    Pair("ids_differ", ("resident_id", "phone"), _other_id),
)
"""Every kind; a later round has the first three only."""

LATER_PAIRS = PAIRS[:3]
ACROSS_ROUNDS = tuple(pair for pair in PAIRS if pair.certain)


@dataclass
class Cast:
    """Everybody a campaign's sweeps are about."""

    population: Population
    register: tuple[Registered, ...]
    """Those on the register whose row was right at once; empty where none was sent."""
    draw: Random
    since: date
    """The first day of the first sweep, for ages."""
    entries: list[Entry] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    """Subject -> register number, for those who are on the register."""

    def __post_init__(self) -> None:
        """Put everybody who may be referred in a line."""
        taken = {each.person.number for each in self.population.registered}
        self._line = [
            person
            for person in self.population.people
            if person.number not in taken and person.adult_on(self.since)
        ]
        self._register_line = list(self.register)
        self.draw.shuffle(self._line)
        self.draw.shuffle(self._register_line)
        self._others = 0

    def add_plain(
        self, round: int, senders: Sequence[str], window: Window, count: int
    ) -> list[Entry]:
        """Refer `count` people of `senders`, each once; fewer where there are no more."""
        found: list[Entry] = []
        for _ in range(count):
            person = self._take(
                lambda each: each.residence in senders or each.registered in senders
            )
            if person is None:
                break
            sender = person.residence if person.residence in senders else person.registered
            found.append(self._refer(round, sender, person, window, plain=True))
        return found

    def add_without_consent(
        self, round: int, senders: Sequence[str], window: Window, count: int
    ) -> None:
        """Let `senders` write down `count` people who did not agree."""
        for at, entry in enumerate(self.add_plain(round, senders, window, count)):
            entry.values.update(NO_CONSENT[at % len(NO_CONSENT)])
            entry.plain, entry.consent = False, False

    def add_pairs(
        self, round: int, senders: Sequence[str], window: Window, pairs: Sequence[Pair]
    ) -> None:
        """Refer a person for each of `pairs` from two of `senders`."""
        for pair in pairs if len(senders) > 1 else ():
            here, there = self.draw.sample(list(senders), 2)
            person = self._take(lambda each, here=here: each.residence == here)  # type: ignore[misc]
            if person is not None:
                first = self._refer(round, here, person, window, needs=pair.needs)
                self._second(first, person, round, there, window, pair)

    def add_three_of_one_name(self, round: int, senders: Sequence[str], window: Window) -> None:
        """Refer two people of one name, birth date and village, and one of them without a number.

        The bare row agrees with both others, whose numbers differ: none of the links may hold.
        """
        if len(senders) < 3:
            return
        here, there, third = self.draw.sample(list(senders), 3)
        person = self._take(lambda each: each.residence == here)
        if person is None:
            return
        first = self._refer(round, here, person, window, needs=("resident_id", "phone"))
        bare = self._copy(first, round, there, window, _bare(self.draw, person, there))
        says = {**_other_id(self.draw, person, third), "phone": draw_phone(self.draw)}
        other = self._copy(first, round, third, window, says, self._another())
        self.doubts.append(Doubt(first, bare, "ids_differ", same=True))
        self.doubts.append(Doubt(bare, other, "ids_differ", same=False))

    def add_registered(
        self, round: int, senders: Sequence[str], window: Window, pairs: Sequence[Pair]
    ) -> None:
        """Refer a person on the register for each of `pairs`; the first row is the register's."""
        for pair in pairs:
            entry = self._take_registered(pair.needs)
            there = [code for code in senders if entry and code != entry.person.residence]
            if entry is None or not there:
                return
            sender = self.draw.choice(there)
            row = self._refer(round, sender, entry.person, window, needs=("resident_id", "phone"))
            row.values.update(pair.change(self.draw, entry.person, sender))
            if pair.same:
                row.subject = f"R{entry.register_no}"
                self.known[row.subject] = entry.register_no
            else:
                row.subject = self._another()
            if not pair.certain:
                self.doubts.append(Doubt(row, entry, pair.rule, pair.same))

    def add_across_rounds(
        self, round: int, senders: Sequence[str], window: Window, earlier: Sequence[Entry]
    ) -> None:
        """Refer people of `earlier` rounds, whose rows are right and stay as they are, again."""
        for pair in ACROSS_ROUNDS:
            for first in earlier:
                if first.plain and all(first.values[name] for name in pair.needs):
                    person = self.population.people[int(first.subject[1:])]
                    there = self.draw.choice(list(senders))
                    self._second(first, person, round, there, window, pair)
                    first.plain = False
                    break

    def _second(
        self, first: Entry, person: Person, round: int, there: str, window: Window, pair: Pair
    ) -> None:
        subject = None if pair.same else self._another()
        says = pair.change(self.draw, person, there)
        second = self._copy(first, round, there, window, says, subject)
        if not pair.certain:
            self.doubts.append(Doubt(first, second, pair.rule, pair.same))

    def _copy(
        self,
        first: Entry,
        round: int,
        sender: str,
        window: Window,
        says: Values,
        subject: str | None = None,
    ) -> Entry:
        """Refer the person of `first` once more, as another village knows it."""
        consented = between(self.draw, *window)
        if consented == first.values["consent_date"] and consented < window[1]:
            consented += timedelta(days=1)
        values: Values = {
            **first.values,
            "consent_date": consented,
            "urgency": "soon" if self.draw.random() < 0.2 else "routine",
            **says,
        }
        entry = Entry(round, sender, subject or first.subject, values)
        self.entries.append(entry)
        return entry

    def _refer(
        self,
        round: int,
        sender: str,
        person: Person,
        window: Window,
        *,
        plain: bool = False,
        needs: Sequence[str] = (),
    ) -> Entry:
        draw = self.draw
        referrer = weighted(draw, _REFERRERS)
        contact = self.population.contact(draw, person, self.since)
        signs = sorted(draw.sample(range(1, 12), draw.choice((0, 1, 1, 2, 2, 3))))
        says_id = draw.random() < 0.75 or "resident_id" in needs
        says_phone = draw.random() < 0.85 or "phone" in needs
        # who is served where it is registered has to say where that is
        says_registered = draw.random() < 0.9 or person.residence != sender
        values: Values = {
            "full_name": person.full_name,
            "sex": person.sex,
            "birth_date": person.birth_date,
            "resident_id": person.resident_id if says_id else None,
            "residence_village": person.residence,
            "registered_village": person.registered if says_registered else None,
            "phone": person.phone if says_phone else None,
            "contact_name": contact[0].full_name if contact else None,
            "contact_relation": contact[1] if contact else None,
            "contact_phone": contact[0].phone if contact else None,
            "referred_by": referrer,
            "consent_by": draw.choice(_CONSENTING[referrer]),
            "consent_date": between(draw, *window),
            "consent_scope": "assessment" if draw.random() < 0.3 else "assessment_and_management",
            "care_setting": weighted(draw, _CARE_SETTINGS),
            "observed_signs": ",".join(map(str, signs)) or None,
            "urgency": "soon" if draw.random() < 0.15 else "routine",
        }
        entry = Entry(round, sender, f"P{person.number}", values, plain=plain)
        self.entries.append(entry)
        return entry

    def _take(self, fits: Callable[[Person], bool]) -> Person | None:
        """Take the next person that `fits` out of the line."""
        for at in range(len(self._line) - 1, -1, -1):
            if fits(self._line[at]):
                return self._line.pop(at)
        return None

    def _take_registered(self, needs: Sequence[str]) -> Registered | None:
        for at, entry in enumerate(self._register_line):
            if all(getattr(entry, name) for name in needs):
                return self._register_line.pop(at)
        return None

    def _another(self) -> str:
        """Return a new human being who is not drawn from the population."""
        self._others += 1
        return f"N{self._others}"
