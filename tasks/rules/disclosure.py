"""Disclosure control of one count: what of it the office may see, and what that gives away.

Counts of people from 1 to 7 are withheld and the others rounded to the nearest 5, the rule of NHS
Digital's Hospital Episode Statistics and of OpenSAFELY's output checking; a plan may set stricter
numbers, never looser ones (DOMAIN.md section 7). Zero, withheld and not reported are three
different things and stay so. What several figures give away together is `tasks/protect.py`'s part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

WITHHOLD_TO = 7
ROUND_TO = 5
FEWEST_VALUES = 4
"""No count of people may be narrowed to fewer possible values than this."""

RATES: Mapping[str, tuple[str, str]] = {
    "coverage": ("households_visited", "households"),
    "heed_rate": ("people_attended", "people_offered"),
    "confirmed_share": ("people_confirmed", "people_assessed"),
}
"""Rate -> (numerator, denominator). Coverage: households visited of households. Heed rate:
referrals that attended of referrals offered an assessment. Confirmed share: confirmed of assessed,
a quality figure and never a target (DOMAIN.md section 6)."""


@dataclass(frozen=True)
class Figure:
    """A figure as an audience may see it; `value` is None unless `state` is released or zero."""

    name: str
    unit: str
    village: str
    """12-digit code, or '' for the township."""
    value: float | None
    state: str


@dataclass(frozen=True)
class Range:
    """The whole numbers a count may be, as far as a reader can tell; `high` None is no bound."""

    low: int
    high: int | None

    @property
    def values(self) -> float:
        """How many possible values there are."""
        return float("inf") if self.high is None else self.high - self.low + 1


def protect(
    name: str,
    unit: str,
    village: str,
    value: float | None,
    *,
    withhold_to: int = WITHHOLD_TO,
    round_to: int = ROUND_TO,
) -> Figure:
    """Return an exact figure as the office may see it; only counts of people are changed.

    Raises ValueError for a count of people that is negative or not whole.
    """
    if value is None:
        return Figure(name, unit, village, None, "not_reported")
    if unit == "people":
        if value < 0 or value != int(value):
            raise ValueError(f"{name} is no count")
        if 0 < value <= withhold_to:
            return Figure(name, unit, village, None, "withheld")
        value = rounded(int(value), round_to)
    return Figure(name, unit, village, value, "zero" if value == 0 else "released")


def rounded(count: int, round_to: int) -> int:
    """Return `count` rounded to the nearest multiple of `round_to`, a half upwards."""
    return (2 * count + round_to) // (2 * round_to) * round_to


def given_away(figure: Figure, *, withhold_to: int, round_to: int, secondary: bool) -> Range:
    """Return what one figure alone tells of the count behind it.

    A count withheld for its own size lies between 1 and `withhold_to`; one withheld to protect
    another (`secondary`) can be anything from 1 on. Rounding leaves `round_to` values, less those
    that would have been withheld.
    """
    if figure.state == "not_reported":
        return Range(0, None)
    if figure.state == "withheld":
        return Range(1, None if secondary else withhold_to)
    if figure.state == "zero" or figure.value is None:
        return Range(0, 0)
    below = round_to // 2
    low = max(int(figure.value) - below, withhold_to + 1)
    return Range(low, int(figure.value) + (round_to - 1 - below))


def withhold(figure: Figure) -> Figure:
    """Return the figure withheld."""
    return replace(figure, value=None, state="withheld")


def rate(name: str, village: str, numerator: Figure | None, denominator: Figure | None) -> Figure:
    """Return a rate in percent, to one decimal, computed from released parts only.

    It is withheld where a part is, not reported where a part was not or the denominator is zero.
    It is never capped: above 100 it is an error to show, which the checks do.
    """
    states = {part.state if part else "not_reported" for part in (numerator, denominator)}
    if "not_reported" in states or denominator is None or denominator.state == "zero":
        return Figure(name, "percent", village, None, "not_reported")
    if "withheld" in states or numerator is None:
        return Figure(name, "percent", village, None, "withheld")
    value = round(100 * (numerator.value or 0.0) / (denominator.value or 1.0), 1)
    return Figure(name, "percent", village, value, "zero" if value == 0 else "released")


NOTHING = Range(0, 0)
SOMETHING = Range(1, None)
ANYTHING = Range(0, None)


@dataclass(frozen=True)
class Relation:
    """A sum every reader knows: the parts, and what else the total holds, add up to the total."""

    total: tuple[str, str]
    """(figure name, village); '' is the township."""
    parts: tuple[tuple[str, str], ...]
    rest: Range = NOTHING
    """How many people of the total are in none of the parts."""


def relations(
    phase: str,
    villages: tuple[str, ...],
    exact: Mapping[tuple[str, str], int | None] = MappingProxyType({}),
) -> tuple[Relation, ...]:
    """Return what a reader knows of the counts of people in one release of `phase`.

    `exact`: the counts themselves, by name and village, for what the page says of them in words.
    """

    def over_villages(name: str) -> Relation:
        return Relation((name, ""), tuple((name, village) for village in villages))

    def of(total: str, *parts: str, rest: Range = NOTHING, village: str = "") -> Relation:
        return Relation((total, village), tuple((part, village) for part in parts), rest)

    def subsidies(village: str) -> Relation:
        """Whether all that was applied for was paid is told: a thing to do, a rectification."""
        applied = exact.get(("subsidy_applied", village))
        paid = exact.get(("subsidy_paid", village))
        if applied is None or paid is None:
            rest = ANYTHING
        else:
            rest = SOMETHING if paid < applied else NOTHING
        return of("subsidy_applied", "subsidy_paid", rest=rest, village=village)

    if phase == "sweep":
        return (over_villages("referrals"),)
    if phase == "list_compilation":
        return (
            over_villages("people_listed"),
            of("people_listed", "people_known", "people_new"),
            of(
                "people_listed",
                "people_home",
                "people_hospital",
                "people_welfare_institution",
                "people_other_institution",
                "people_not_reachable",
            ),
        )
    if phase == "diagnosis_queue":
        return (
            of("people_offered", "people_attended", rest=ANYTHING),
            of(
                "people_offered",
                "people_confirmed",
                "people_not_confirmed",
                "people_declined",
                rest=ANYTHING,
            ),
            of("people_attended", "people_assessed"),
            of("people_assessed", "people_confirmed", "people_not_confirmed", rest=ANYTHING),
        )
    if phase == "supervision":
        return (
            over_villages("subsidy_applied"),
            over_villages("subsidy_paid"),
            *map(subsidies, villages),
        )
    return ()
