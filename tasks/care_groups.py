"""Care groups of the villages: who is missing in them, by role, and what became of subsidies.

A roster holds roles and no names: what a group lacks is seen without them, and the office needs
none (DOMAIN.md section 3, limit 10).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from tasks.figures import TOWNSHIP, RawFigure
from tasks.plan import Plan
from tasks.rules.subsidies import SubsidyAccount, SubsidyMonth, account
from tasks.store import Store


@dataclass(frozen=True)
class RosterRole:
    """What a village said last of one role of its care group."""

    filled: bool
    trained_on: date | None
    stated_on: date
    """The day on which the village said so."""


@dataclass(frozen=True)
class Roster:
    """A village's care group by role; a role that it never spoke of is not in it."""

    village: str
    roles: dict[str, RosterRole] = field(default_factory=dict)

    def missing(self, required: Iterable[str]) -> tuple[str, ...]:
        """Return which of the `required` roles are not known to be filled, in their order."""
        return tuple(
            role for role in required if role not in self.roles or not self.roles[role].filled
        )


def rosters(store: Store, plan: Plan, as_of: date) -> dict[str, Roster]:
    """Return village -> roster for every village of the plan that ever sent one, up to `as_of`.

    `as_of` is a day of the plan's time zone, taken to its end. What a village said last of a role
    stands until it says something else, in whatever phase and campaign.
    """
    found: dict[str, Roster] = {}
    for village, role, *said in store.rows("care/roster", villages=_codes(plan), as_of=as_of):
        found.setdefault(village, Roster(village)).roles[role] = RosterRole(*said)
    return found


def roster_gaps(store: Store, plan: Plan, as_of: date) -> dict[str, tuple[str, ...]]:
    """Return village -> the required roles that its care group lacks, in the plan's order.

    () where nothing is missing. A village that never sent a roster is not in the answer: what it
    lacks is not known.
    """
    return {
        village: roster.missing(plan.rules.care_group_roles)
        for village, roster in rosters(store, plan, as_of).items()
    }


def roster_figures(
    store: Store, plan: Plan, villages: Iterable[str], as_of: date
) -> list[RawFigure]:
    """Return care_roles_owed and care_roles_filled of each of `villages` and of the township.

    Numerator: required roles that are filled; denominator: required roles (`[rules]
    care_group_roles` of the plan). Roles, not people, so they are process figures. A village
    without a roster owes all roles and has None filled, which is not 0; the township's is the sum
    over the villages that sent one, None where none did. Source: stg_care_group.
    """
    required = plan.rules.care_group_roles
    gaps = roster_gaps(store, plan, as_of)
    filled = {
        village: len(required) - len(gaps[village]) if village in gaps else None
        for village in villages
    }
    known = [count for count in filled.values() if count is not None]
    owed = len(required)
    return [
        RawFigure("care_roles_owed", "files", TOWNSHIP, owed * len(filled)),
        RawFigure("care_roles_filled", "files", TOWNSHIP, sum(known) if known else None),
        *(RawFigure("care_roles_owed", "files", village, owed) for village in filled),
        *(
            RawFigure("care_roles_filled", "files", village, count)
            for village, count in filled.items()
        ),
    ]


def subsidy_accounts(store: Store, plan: Plan, as_of: date) -> dict[str, SubsidyAccount]:
    """Return village -> account of guardians' subsidies, for villages that reported a month.

    Over all months up to `as_of`, of every campaign, each month once. Exact counts of people's
    applications: health side only. What is overdue joins many months' counts in one sum, so it is
    no figure that is released (docs/care-groups.md).
    """
    return {
        village: account(
            [SubsidyMonth(**month) for month in months], as_of, plan.rules.subsidy_days
        )
        for village, months in store.rows("care/subsidies", villages=_codes(plan), as_of=as_of)
    }


def _codes(plan: Plan) -> list[str]:
    return [village.code for village in plan.villages]
