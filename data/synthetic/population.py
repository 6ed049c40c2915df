"""The invented township: villages, households, residents, and who is on the register.

It depends on the seed, the villages and the number of residents only, so that two campaigns of one
township are about the same people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from random import Random
from typing import TypeVar

from data.synthetic.chance import chance
from data.synthetic.names import full_name, surname_of, village_names
from tasks.plan import HealthCentre, Village
from tasks.rules.errors import WrongCommand

T = TypeVar("T")

PEOPLE_A_HOUSEHOLD = 2.62
"""Mean household size of the 2020 census (第七次全国人口普查公报第二号)."""

REGISTERED_SHARE = 0.0043
"""Registered of all residents (DOMAIN.md section 7)."""

RESIDENTS_A_VILLAGE = 2000
FEWEST_RESIDENTS = 60
"""A smaller village could not hold the people a run is about."""

MOST_VILLAGES = 900

_COUNTED = date(2023, 1, 1)
"""The day the population is as of; the register was closed a day before it."""

_CHECK = "10X98765432"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_RELATION = {
    ("head", "spouse"): "spouse",
    ("spouse", "head"): "spouse",
    ("head", "child"): "child",
    ("spouse", "child"): "child",
    ("child", "head"): "parent",
    ("child", "spouse"): "parent",
    ("child", "child"): "sibling",
    ("head", "parent"): "parent",
    ("parent", "head"): "child",
}


@dataclass(frozen=True, slots=True)
class Person:
    """A resident. `residence` or `registered` (or both) is a village of the township."""

    number: int
    household: int
    role: str
    full_name: str
    sex: str
    birth_date: date
    resident_id: str
    phone: str
    residence: str
    registered: str

    def adult_on(self, day: date) -> bool:
        """Return whether the person has been 18 for more than a year on `day`."""
        return (day - self.birth_date).days > 19 * 366


@dataclass(frozen=True, slots=True)
class Registered:
    """A person on the health centre's standing register."""

    person: Person
    register_no: str
    diagnosis: str
    confirmed_on: date
    consent_by: str
    licence: str
    stability: str | None
    resident_id: str | None
    """None where the register does not hold the number."""
    phone: str | None


@dataclass(frozen=True)
class Settlement:
    """A village with the households of each of its grids."""

    code: str
    name: str
    grids: tuple[int, ...]


@dataclass(frozen=True)
class Population:
    """The township's people."""

    settlements: tuple[Settlement, ...]
    people: tuple[Person, ...]
    registered: tuple[Registered, ...]
    elsewhere: tuple[str, ...]
    """Village codes of a neighbouring township."""

    @cached_property
    def codes(self) -> frozenset[str]:
        """The village codes of the township."""
        return frozenset(each.code for each in self.settlements)

    @cached_property
    def _households(self) -> dict[int, list[Person]]:
        households: dict[int, list[Person]] = {}
        for person in self.people:
            households.setdefault(person.household, []).append(person)
        return households

    def responsible(self, residence: str, registered: str | None) -> str | None:
        """Return the village that serves a person: residence first, registration second."""
        return next((code for code in (residence, registered) if code in self.codes), None)

    def contact(self, draw: Random, person: Person, day: date) -> tuple[Person, str] | None:
        """Return an adult of the person's household and what that adult is to the person."""
        others = [
            each
            for each in self._households[person.household]
            if each is not person and each.adult_on(day)
        ]
        if not others:
            return None
        other = draw.choice(others)
        return other, _RELATION.get((person.role, other.role), "other_relative")


def settle(
    seed: int,
    centre: HealthCentre,
    villages: Sequence[Village],
    count: int | None,
    residents: int | None,
) -> tuple[tuple[Village, ...], int]:
    """Return the villages of a run, with their households, and the number of residents.

    Without `count` they are the plan's own `villages`; their households are kept unless `residents`
    asks for another size. Raises WrongCommand for sizes no township can be made of.
    """
    if count is not None and not 1 <= count <= MOST_VILLAGES:
        raise WrongCommand("error.synth_villages", most=MOST_VILLAGES)
    draw = chance(seed, "villages", centre.code, count)
    if count is None:
        chosen = list(villages)
    else:
        names = village_names(draw, count)
        chosen = [
            Village(
                code=f"{centre.code[:9]}{number:03d}",
                name=name,
                households=draw.randint(500, 1000),
                email=f"village{number:03d}@example.org",
            )
            for number, name in enumerate(names, start=1)
        ]
    if residents is None and count is None:
        return tuple(chosen), round(sum(each.households for each in chosen) * PEOPLE_A_HOUSEHOLD)
    wanted = RESIDENTS_A_VILLAGE * len(chosen) if residents is None else residents
    if wanted < FEWEST_RESIDENTS * len(chosen):
        raise WrongCommand("error.synth_residents", fewest=FEWEST_RESIDENTS)
    shares = _apportion(wanted, [each.households for each in chosen])
    sized = [
        village.model_copy(update={"households": max(1, round(share / PEOPLE_A_HOUSEHOLD))})
        for village, share in zip(chosen, shares, strict=True)
    ]
    return tuple(sized), wanted


def draw_population(
    seed: int, centre: HealthCentre, villages: Sequence[Village], residents: int
) -> Population:
    """Return the people of `villages`: `residents` of them, about 0.43 % registered."""
    draw = chance(seed, "population", centre.code, len(villages), residents)
    elsewhere = _elsewhere(centre.code[:9])
    census = _Census(draw, [each.code for each in villages], elsewhere)
    shares = _apportion(residents, [each.households for each in villages])
    for village, share in zip(villages, shares, strict=True):
        census.fill(village.code, village.households, share)
    settlements = tuple(
        Settlement(each.code, each.name, tuple(_apportion(each.households, _grid_weights(draw))))
        for each in villages
    )
    people = tuple(census.people)
    return Population(settlements, people, _register(draw, people), elsewhere)


def resident_id(region: str, birth_date: date, sex: str, pair: int) -> str:
    """Return an 18-digit ID number (GB 11643-1999): its last digit but one is odd for men.

    `pair` 1..498 tells apart the people of one sex born on one day in one region.
    """
    order = 2 * pair + (sex == "male")
    stem = f"{region}{birth_date:%Y%m%d}{order:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(stem, _WEIGHTS, strict=True))
    return stem + _CHECK[total % 11]


def draw_id(draw: Random, region: str, birth_date: date, sex: str) -> str:
    """Return an ID number that does not look as if a spreadsheet had cut its last three digits."""
    while True:
        number = resident_id(region, birth_date, sex, draw.randint(1, 498))
        if number[-3:-1] != "00":
            return number


def draw_phone(draw: Random) -> str:
    """Return an invented mobile number."""
    return f"1{draw.choice('3456789')}{draw.randrange(10**9):09d}"


def _apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` by `weights`; the parts add up to it."""
    whole = sum(weights)
    ends = [0]
    running = 0
    for weight in weights:
        running += weight
        ends.append(total * running // whole)
    return [end - start for start, end in pairwise(ends)]


def _grid_weights(draw: Random) -> list[int]:
    return [draw.randint(8, 12) for _ in range(draw.randint(4, 6))]


def _elsewhere(township: str) -> tuple[str, ...]:
    other = township[:6] + ("9" if township[6] != "9" else "8") + township[7:]
    return tuple(f"{other}{number:03d}" for number in range(1, 21))


class _Census:
    """Draws people household by household; no two share name and birth date, a phone or an ID."""

    def __init__(self, draw: Random, codes: Sequence[str], elsewhere: Sequence[str]) -> None:
        self.draw = draw
        self.codes = codes
        self.elsewhere = elsewhere
        self.people: list[Person] = []
        self.households = 0
        self.taken: set[object] = set()

    def fill(self, code: str, households: int, residents: int) -> None:
        sizes = [1] * min(households, residents)
        for _ in range(residents - len(sizes)):
            sizes[self.draw.randrange(len(sizes))] += 1
        for size in sizes:
            self._household(code, size)

    def _household(self, code: str, size: int) -> None:
        draw = self.draw
        self.households += 1
        residence, registered = self._places(code)
        head_year = draw.randint(1943, 1996)
        family = ""
        for at in range(size):
            if at == 0:
                role, year, sex = "head", head_year, draw.choice(("male", "male", "female"))
            elif at == 1 and draw.random() < 0.8:
                role, year = "spouse", head_year + draw.randint(-4, 4)
                sex = "female" if self.people[-1].sex == "male" else "male"
            elif draw.random() < 0.25 and head_year > 1962:
                role, year, sex = "parent", head_year - draw.randint(22, 30), draw.choice(_SEXES)
            else:
                role, sex = "child", draw.choice(_SEXES)
                year = min(head_year + draw.randint(22, 38), _COUNTED.year - 1)
            surname = family if role == "child" else None
            person = self._person(role, sex, year, surname, residence, registered)
            if at == 0:
                family = surname_of(person.full_name)
            self.people.append(person)

    def _places(self, code: str) -> tuple[str, str]:
        """Return where a household of `code` lives and where it is registered."""
        lot = self.draw.random()
        if lot < 0.10:
            return code, self.draw.choice(self.codes)
        if lot < 0.16:
            return code, self.draw.choice(self.elsewhere)
        if lot < 0.20:
            return self.draw.choice(self.elsewhere), code
        return code, code

    def _person(
        self, role: str, sex: str, year: int, surname: str | None, residence: str, registered: str
    ) -> Person:
        draw = self.draw
        while True:
            name = full_name(draw, sex, surname)
            birth_date = date(year, draw.randint(1, 12), draw.randint(1, 28))
            number = draw_id(draw, registered[:6], birth_date, sex)
            phone = draw_phone(draw)
            marks = {(name, birth_date), number, phone}
            if not marks & self.taken:
                self.taken |= marks
                break
        at = len(self.people)
        return Person(
            at, self.households, role, name, sex, birth_date, number, phone, residence, registered
        )


_SEXES = ("male", "female")

_DIAGNOSES = {
    "schizophrenia": 70,
    "schizoaffective": 3,
    "persistent_delusional": 3,
    "bipolar": 8,
    "epilepsy_related": 6,
    "intellectual_disability_with_mental_disorder": 10,
}
_STABILITIES = {"stable": 75, "basically_stable": 14, "unstable": 8, None: 3}


def weighted(draw: Random, weights: dict[T, int]) -> T:
    """Return one of the keys of `weights`, as often as its weight says."""
    return draw.choices(list(weights), list(weights.values()))[0]


def _register(draw: Random, people: Sequence[Person]) -> tuple[Registered, ...]:
    grown = [each for each in people if each.adult_on(date(2015, 1, 1))]
    count = min(len(grown) // 4, max(12, round(len(people) * REGISTERED_SHARE)))
    found = []
    for number, person in enumerate(draw.sample(grown, count), start=1):
        confirmed_on = date(2015, 1, 1) + timedelta(days=draw.randrange(2900))
        found.append(
            Registered(
                person=person,
                register_no=f"R{confirmed_on.year}{number:04d}",
                diagnosis=weighted(draw, _DIAGNOSES),
                confirmed_on=confirmed_on,
                consent_by=draw.choice(("self", "guardian", "guardian", "close_relative")),
                licence=f"{110990000000000 + draw.randrange(10**9)}",
                stability=weighted(draw, _STABILITIES),
                resident_id=person.resident_id if draw.random() < 0.9 else None,
                phone=person.phone if draw.random() < 0.9 else None,
            )
        )
    return tuple(sorted(found, key=lambda each: each.register_no))
