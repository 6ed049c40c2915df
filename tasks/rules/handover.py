"""Handing a registered person over from one village's health staff to another's (转交).

Released (转出待接) by the village that is responsible, accepted (已接收) by the other one's health
staff. Until then the person stays with the giving village, so nobody is ever on two lists or on
none. A release may be taken back (已撤回), and lapses (已过期) by itself after LAPSE_DAYS.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

LAPSE_DAYS = 30
"""How long a release waits to be accepted. A rule of this software: what nobody answered for a
month is asked again, not left standing."""


class HandoverRefused(Exception):
    """A step that a hand-over cannot take; `reason` says why."""

    def __init__(self, reason: str) -> None:
        """Take why: same_village, not_responsible, waiting, none, lapsed or same_name."""
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Handover:
    """A hand-over as it stands. Times are wall time of the plan's time zone."""

    from_village: str
    to_village: str
    released_at: datetime
    released_by: str
    state: str = "released"
    """released, accepted or taken_back, as it is kept."""
    ended_at: datetime | None = None
    ended_by: str | None = None

    def state_on(self, day: date) -> str:
        """Return the state at the end of `day`: released, accepted, taken_back or lapsed."""
        if self.state == "released" and day >= self.lapses_on:
            return "lapsed"
        return self.state

    @property
    def lapses_on(self) -> date:
        """The first day on which it can no longer be accepted."""
        return self.released_at.date() + timedelta(days=LAPSE_DAYS)


def release(
    newest: Handover | None, *, holder: str, to_village: str, by: str, at: datetime
) -> Handover:
    """Return the release of a person whom `holder` is responsible for, to `to_village`.

    `newest` is the person's hand-over before. Raises HandoverRefused for the same village, and
    while one waits that `holder` released.
    """
    if to_village == holder:
        raise HandoverRefused("same_village")
    if newest and newest.from_village == holder and newest.state_on(at.date()) == "released":
        raise HandoverRefused("waiting")
    return Handover(holder, to_village, at, by.strip())


def accept(newest: Handover | None, *, holder: str, by: str, at: datetime) -> Handover:
    """Return the hand-over, accepted. Two people do it: who accepts is not who released.

    Raises HandoverRefused where none waits, for the same name, and where the giving village is no
    longer `holder`, the one that is responsible.
    """
    waiting = _waiting(newest, at)
    if holder != waiting.from_village:
        raise HandoverRefused("not_responsible")
    if _name(by) == _name(waiting.released_by):
        raise HandoverRefused("same_name")
    return replace(waiting, state="accepted", ended_at=at, ended_by=by.strip())


def take_back(newest: Handover | None, *, by: str, at: datetime) -> Handover:
    """Return the hand-over, taken back. Raises HandoverRefused where none waits."""
    return replace(_waiting(newest, at), state="taken_back", ended_at=at, ended_by=by.strip())


def _waiting(newest: Handover | None, at: datetime) -> Handover:
    state = "none" if newest is None else newest.state_on(at.date())
    if newest is None or state != "released":
        raise HandoverRefused("lapsed" if state == "lapsed" else "none")
    return newest


def _name(by: str) -> str:
    return "".join(by.split()).casefold()
