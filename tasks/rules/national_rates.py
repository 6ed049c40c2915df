"""The national rates over the people on the register: managed, to standard, medicated, stable.

Sources use the same words for different fractions, so each definition carries a version:

- `2017`: 2017年全国严重精神障碍患者管理治疗现状分析, 中华精神科杂志 2019, 52(1): 82-88,
  doi:10.3760/cma.j.issn.1006-7884.2019.01.008; that for 2018 reckons likewise. Everything over the
  registered, but stable over a smaller number.
- `2015`: the same for 2015, 中华精神科杂志 2017, 50(4): 302-307,
  doi:10.3760/cma.j.issn.1006-7884.2017.04.013. Medicated and regularly over the managed.
- `service-2017`: 国家基本公共卫生服务规范（第三版）. One rate: to standard, by its own intervals.
- `service-2011`: the same, 2011 edition. To standard likewise; stable over all registered.

The statistics name their fractions and not the rows behind them. What makes a person one of those
counted is therefore said here, at COUNTS. `sql/rates/` computes the same over the whole register; a
test holds the two together.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tasks.rules.visits import add_months


@dataclass(frozen=True)
class PersonYear:
    """What a year's follow-up says of one person on the register. Health side only."""

    since: date
    """The year's first day, or the day of the diagnosis where that was later."""
    until: date
    """The last day that is judged."""
    complete: int
    """Complete follow-ups from the year's first day to `until`, at most one a day: the person or
    the guardian was met and a clinician recorded the stability."""
    missed: bool
    """Whether a visit that fell due in that time was late, was declined, or is overdue."""
    medication: tuple[str, ...] = ()
    """What the complete follow-ups found of it: 1 as prescribed, 2 intermittent, 3 none, 4 none
    needed (DOMAIN.md section 5)."""
    last_stability: str | None = None
    """What the last follow-up found; None where it was not complete, or there was none."""


def follow_ups_owed(since: date, until: date) -> int:
    """Return how many follow-ups are owed from `since` to `until`: one a quarter that is over.

    Four for a whole year: the 第三版 asks for at least four a year, each person's intervals aside.
    """
    over = until + timedelta(days=1)
    return sum(add_months(since, 3 * quarter) <= over for quarter in (1, 2, 3, 4))


def _is_managed(person: PersonYear) -> bool:
    return person.complete >= 1


def _is_followed_four_times(person: PersonYear) -> bool:
    return person.complete >= max(1, follow_ups_owed(person.since, person.until))


def _is_followed_on_schedule(person: PersonYear) -> bool:
    return _is_followed_four_times(person) and not person.missed


def _is_medicated(person: PersonYear) -> bool:
    return bool({"1", "2"} & set(person.medication))


def _is_regularly_medicated(person: PersonYear) -> bool:
    return {each for each in person.medication if each != "4"} == {"1"}


COUNTS: Mapping[str, Callable[[PersonYear], bool]] = {
    # everybody with a diagnosis and consent who had not died, moved away or been transferred
    "registered": lambda _: True,
    # at least one complete follow-up in the year
    "managed": _is_managed,
    # at least four, fewer only where less than a year is judged
    "four_times": _is_followed_four_times,
    # that, and every visit that fell due was made in time
    "on_schedule": _is_followed_on_schedule,
    # takes medicine, as prescribed or not, by at least one complete follow-up
    "medicated": _is_medicated,
    # as prescribed by all of them, those left out that found no medicine to be needed
    "regularly": _is_regularly_medicated,
    # met at the last follow-up, which so says how the person is
    "assessed": lambda person: person.last_stability is not None,
    "stable": lambda person: person.last_stability == "stable",
}
"""The numbers of people that the rates are made of, and who is counted in each."""


@dataclass(frozen=True)
class Definition:
    """One rate as one source defines it: `numerator` of `denominator`, names of COUNTS."""

    rate: str
    version: str
    numerator: str
    denominator: str


RATES = ("managed", "standard", "medicated", "regularly", "stable")

DEFINITIONS = (
    Definition("managed", "2017", "managed", "registered"),
    Definition("standard", "2017", "four_times", "registered"),
    Definition("medicated", "2017", "medicated", "registered"),
    Definition("regularly", "2017", "regularly", "registered"),
    Definition("stable", "2017", "stable", "assessed"),
    Definition("managed", "2015", "managed", "registered"),
    Definition("standard", "2015", "four_times", "registered"),
    Definition("medicated", "2015", "medicated", "managed"),
    Definition("regularly", "2015", "regularly", "managed"),
    Definition("stable", "2015", "stable", "assessed"),
    Definition("standard", "service-2017", "on_schedule", "registered"),
    Definition("standard", "service-2011", "on_schedule", "registered"),
    Definition("stable", "service-2011", "stable", "registered"),
)

PUBLISHED = "2017"
"""The version whose counts and rates leave the health side."""

VERSIONS = tuple(dict.fromkeys(each.version for each in DEFINITIONS))


def definitions(version: str) -> tuple[Definition, ...]:
    """Return what a source defines, in the order of RATES; not every source has every rate."""
    return tuple(each for each in DEFINITIONS if each.version == version)


def count_people(people: Iterable[PersonYear]) -> dict[str, int]:
    """Return each of COUNTS over `people`."""
    everybody = list(people)
    return {name: sum(map(belongs, everybody)) for name, belongs in COUNTS.items()}


def percent(counts: Mapping[str, int], definition: Definition) -> float | None:
    """Return a rate in percent to two decimals, as the sources print it; None of nobody.

    It is exact, so for the health side only, and never capped.
    """
    whole = counts[definition.denominator]
    return round(100 * counts[definition.numerator] / whole, 2) if whole else None
