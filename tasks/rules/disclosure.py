"""Disclosure control of one count: what of it the office may see, and what that gives away.

Counts of people from 1 to 7 are withheld and the others rounded to the nearest 5, the rule of NHS
Digital's Hospital Episode Statistics and of OpenSAFELY's output checking; a plan may set stricter
numbers, never looser ones (DOMAIN.md section 7). Zero, withheld and not reported are three
different things and stay so. What several figures give away together is `tasks/protect.py`'s part.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from tasks.rules.input_quality import RETURNED

WITHHOLD_TO = 7
ROUND_TO = 5
FEWEST_VALUES = 4
"""No count of people may be narrowed to fewer possible values than this."""

RATES: Mapping[str, tuple[str, str]] = {
    "coverage": ("households_visited", "households"),
    "heed_rate": ("people_attended", "people_offered"),
    "confirmed_share": ("people_confirmed", "people_assessed"),
    "managed_rate": ("rate_managed", "rate_registered"),
    "standard_rate": ("rate_standard", "rate_registered"),
    "medicated_rate": ("rate_medicated", "rate_registered"),
    "regularly_rate": ("rate_regularly", "rate_registered"),
    "stable_rate": ("rate_stable", "rate_assessed"),
}
"""Rate -> (numerator, denominator). Coverage: households visited of households. Heed rate:
referrals that attended of referrals offered an assessment. Confirmed share: confirmed of assessed,
a quality figure and never a target (DOMAIN.md section 6). The national rates: as
`national_rates.PUBLISHED` defines them."""


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


Key = tuple[str, str]
"""A figure of a release: its name, and its village ('' is the township)."""


class Scope(NamedTuple):
    """What a release is about: a phase of a campaign, and its round."""

    campaign: str
    phase: str
    round: int


SERVICE = "supervision"
"""The phase whose rounds are months: the same counts of the same villages, looked at again."""

RATED = "quarterly_pack"
"""The phase whose rounds are quarters: it counts the township's register, whatever the campaign."""


def thread(scope: Scope) -> tuple[str | int, ...]:
    """Return what stays the same while counts of one name and place may be one and the same count.

    Rounds of a sweep count other referrals each. List and queue look at the same people again and
    again, whatever the round. A month's subsidies may be those of another month, and those that
    another campaign asked the village for: so they are one thread in all campaigns. So is the
    register, quarter by quarter.
    """
    if scope.phase in (SERVICE, RATED):
        return (scope.phase,)
    if scope.phase == "sweep":
        return scope
    return scope[:2]


def may_meet(one: Scope, other: Scope) -> bool:
    """Whether counts of two scopes can stand in one sum, or be the same count."""
    if {SERVICE, RATED} & {one.phase, other.phase}:
        return one.phase == other.phase
    return one.campaign == other.campaign


NOTHING = Range(0, 0)
SOMETHING = Range(1, None)
ANYTHING = Range(0, None)


@dataclass(frozen=True)
class Relation:
    """A sum a reader may know: `wholes` together are `parts` together and `rest` more.

    What is named several times counts so often.
    """

    wholes: tuple[Key, ...]
    parts: tuple[Key, ...]
    rest: Range = NOTHING
    """How many people of the wholes are in none of the parts."""


QUEUED = (
    "people_waiting",
    "people_booked",
    "people_confirmed",
    "people_not_confirmed",
    "people_declined",
)
"""The states of the queue: everybody in it is in one of them (`tasks/sql/figures/queue.sql`)."""

WAITED = (
    "waited_to_14",
    "waited_15_to_30",
    "waited_31_to_60",
    "waited_61_to_90",
    "waited_over_90",
)
"""How many days passed from consent to the first assessment, the shortest first: everybody assessed
is in one of the steps (`tasks/sql/figures/queue.sql`). They are told all or none, and only where
no other count has to be withheld for it (`tasks/protect.py`): by the 90th percentile, which is
published in days, at most one in ten waited longer, and that can be too few people."""

SETTINGS = (
    "people_home",
    "people_hospital",
    "people_welfare_institution",
    "people_other_institution",
    "people_not_reachable",
)
"""The care settings of the list: everybody on it is in one of them."""

GROWING = frozenset(
    {
        "referrals",
        "no_consent",
        "people_listed",
        "people_known",
        "people_new",
        "people_offered",
        "people_attended",
        "people_assessed",
        "people_confirmed",
        "people_not_confirmed",
        "people_declined",
        *WAITED,
        "people_to_visit",
        "people_visited",
        "people_visit_declined",
        "rate_registered",
        "rate_managed",
        "rate_medicated",
    }
)
"""Counts to which people are added as a campaign or a year goes on; they fall only where one is
taken out, or a new year begins."""


def relations(
    phase: str,
    villages: tuple[str, ...],
    exact: Mapping[Key, int | None] = MappingProxyType({}),
) -> tuple[Relation, ...]:
    """Return what a reader knows of the counts of people in one release of `phase`.

    Source: the statements that count, in `tasks/sql/figures/` and `tasks/sql/reporting/`; each
    relation holds by how they count. `exact`: the counts themselves, for what the page says of them
    in words.
    """

    def over_villages(name: str) -> Relation:
        return Relation(((name, ""),), tuple((name, village) for village in villages))

    def subsidies(village: str) -> tuple[Relation, ...]:
        """Whether all that was applied for was paid is told: a thing to do, a rectification.

        More is paid than was applied for in the month where earlier applications are paid. That no
        more are reviewed than are applied for, and none is paid without, is what who knows of no
        earlier applications assumes.
        """
        applied, reviewed, paid = (
            (name, village) for name in ("subsidy_applied", "subsidy_reviewed", "subsidy_paid")
        )
        asked, settled = exact.get(applied), exact.get(paid)
        if asked is None or settled is None:
            told = Relation((applied,), (paid,), ANYTHING)
        elif settled > asked:
            told = Relation((paid,), (applied,), ANYTHING)
        else:
            told = Relation((applied,), (paid,), SOMETHING if settled < asked else NOTHING)
        return (
            told,
            Relation((applied,), (reviewed,), ANYTHING),
            Relation((reviewed,), (paid,), ANYTHING),
        )

    if phase in ("sweep", "follow_up"):
        # of everybody to be visited, some were visited, and some of the others declined
        visited = ("people_visited", "people_visit_declined")
        to_visit = _of(("people_to_visit",), visited, ANYTHING)
        return (over_villages("referrals"),) if phase == "sweep" else (to_visit,)
    if phase == "list_compilation":
        return (
            over_villages("people_listed"),
            _of(("people_listed",), ("people_known", "people_new")),
            _of(("people_listed",), SETTINGS),
        )
    if phase == "diagnosis_queue":
        ended = QUEUED[2:]
        return (
            *_waits(exact),
            _of(QUEUED, ("people_offered",), ANYTHING),
            _of(("people_offered",), ("people_attended",), ANYTHING),
            _of(("people_offered",), ended, ANYTHING),
            _of(("people_attended",), ("people_assessed",)),
            _of(("people_assessed",), ("people_confirmed", "people_not_confirmed"), ANYTHING),
        )
    if phase == SERVICE:
        return (
            over_villages("subsidy_applied"),
            over_villages("subsidy_reviewed"),
            over_villages("subsidy_paid"),
            *(each for village in villages for each in subsidies(village)),
        )
    if phase == RATED:
        # each is some of those before it (national_rates.COUNTS)
        return tuple(
            _of((f"rate_{whole}",), (f"rate_{part}",), ANYTHING)
            for whole, part in (
                ("registered", "managed"),
                ("managed", "standard"),
                ("managed", "medicated"),
                ("medicated", "regularly"),
                ("managed", "assessed"),
                ("assessed", "stable"),
            )
        )
    return ()


def _waits(exact: Mapping[Key, int | None]) -> tuple[Relation, ...]:
    """Return what a reader knows of the steps of waiting; nothing where they were not counted.

    They add up to everybody assessed, and the median and the 90th percentile are published in days:
    so it is known in which step each of the two lies, that is, that the steps up to it hold at
    least half, or nine in ten, of all, and those before it fewer.
    """
    counts = [exact.get((name, "")) or 0 for name in WAITED]
    if exact.get((WAITED[0], "")) is None:
        return ()
    found = [_of(("people_assessed",), WAITED)]
    # a share of at least p/q at or below a step: q - p times these are p times those above, or more
    for within, above in ((1, 1), (1, 9)):
        reached = (
            within * sum(counts[: step + 1]) >= above * sum(counts[step + 1 :])
            for step in range(len(WAITED))
        )
        place = next(step for step, is_reached in enumerate(reached) if is_reached)
        upto, after = WAITED[: place + 1] * within, WAITED[place + 1 :] * above
        before, rest = WAITED[:place] * within, WAITED[place:] * above
        found += [_of(upto, after, ANYTHING), _of(rest, before, SOMETHING)]
    return tuple(found)


def between_phases(villages: tuple[str, ...]) -> tuple[Relation, ...]:
    """Return what a reader may know of the newest releases of one campaign's phases together.

    A figure of the sweep stands for those of all its rounds. None of this need be so: a file can
    come, a referral be withdrawn or two people turn out to be one after either phase ran, and a
    village can send people who live elsewhere. So it is for who knows that nothing of the kind
    happened, and it is knowledge only where the exact counts bear it out (`tasks/protect.py`).
    """
    return (
        # whoever is listed was referred, in one of the rounds
        _of(("referrals",), ("people_listed",), ANYTHING),
        # everybody was referred once, and by the village that is responsible
        *(
            Relation((("referrals", village),), (("people_listed", village),))
            for village in ("", *villages)
        ),
        # in the queue are those who are new and not in hospital
        _of(("people_new",), QUEUED, ANYTHING),
        _of((*QUEUED, "people_hospital"), ("people_new",), ANYTHING),
        _of(tuple(name for name in SETTINGS if name != "people_hospital"), QUEUED, ANYTHING),
    )


def between_revisions(keys: Iterable[Key]) -> tuple[Relation, ...]:
    """Return what a reader may know of two releases of one thread, one after the other.

    `keys`: the figures of both. The wholes are counts of the later, the parts of the earlier one.
    As between phases, this is knowledge only where the exact counts bear it out: people are added
    and nobody is taken out, and while the list stays as it is the queue holds the same people.
    """
    growing = [key for key in keys if key[0] in GROWING or key[0].startswith(RETURNED)]
    return (
        *(Relation((key,), (key,), ANYTHING) for key in growing),
        _of(QUEUED, QUEUED),
    )


def _of(wholes: tuple[str, ...], parts: tuple[str, ...], rest: Range = NOTHING) -> Relation:
    """Return a relation of figures of the township."""
    return Relation(tuple((name, "") for name in wholes), tuple((name, "") for name in parts), rest)
