"""The national rates over the register: exact counts, and the figures that may leave."""

from datetime import date

from tasks.figures import TOWNSHIP, RawFigure
from tasks.plan import Plan
from tasks.rules.national_rates import PUBLISHED, definitions
from tasks.rules.visits import COUNTED_SEEN
from tasks.store import Store
from tasks.visits import update_visits


def national_counts(
    store: Store, plan: Plan, as_of: date, year: int | None = None
) -> dict[str, int]:
    """Return the numbers of people that the rates are made of, exact: health side only.

    By name of `national_rates.COUNTS`. `year` is the one judged, that of `as_of` where none is
    given; it is judged from its first day to `as_of` or its last day, days of the plan's time zone.
    Visits due are worked out anew for that day (they are written to the register).
    """
    first = date(as_of.year if year is None else year, 1, 1)
    until = min(as_of, first.replace(month=12, day=31))
    update_visits(store, plan, until)
    store.run("rates/person_year", first=first, until=until, seen=list(COUNTED_SEEN))
    (counts,) = store.records("rates/counts")
    return counts


def national_figures(
    store: Store, plan: Plan, as_of: date, year: int | None = None
) -> list[RawFigure]:
    """Return the counts of the published definitions as figures of the township, all of people.

    `rate_registered`, then `rate_<rate>` for each rate's numerator, and `rate_assessed`, which the
    stable are part of. The rates themselves are computed by publish, of what is released. Arguments
    as for `national_counts`.
    """
    counts = national_counts(store, plan, as_of, year)
    found = {"registered": counts["registered"]}
    for each in definitions(PUBLISHED):
        found |= {
            each.denominator: counts[each.denominator],
            each.rate: counts[each.numerator],
        }
    return [RawFigure(f"rate_{name}", "people", TOWNSHIP, value) for name, value in found.items()]
