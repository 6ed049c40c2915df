"""What travels from a township to the county: one released revision, as the text that is signed.

Only what the office of the township may see already: the township's own figures after disclosure
control, and each village's reporting state. Never a person, and no figure of one village. The text
itself is kept and signed, so that nobody has to write it a second time to check the signature.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tasks.rules.disclosure import Figure

FORM = 1
"""Version of the text; another one is refused."""


_NONE_OF_OURS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading raises where a text is made to be read by somebody else, or to hurt."""


class NoRelease(ValueError):
    """The text is not that of a release."""


@dataclass(frozen=True)
class VillageState:
    """A village's one reporting state in a release."""

    village: str
    state: str
    nil: bool


@dataclass(frozen=True)
class SharedRelease:
    """A revision of one phase's figures, as a township shares it."""

    township: str
    """Nine digits, with which the codes of its villages begin."""
    campaign: str
    phase: str
    round: int
    revision: int
    period: str | None
    as_of: date
    due: date | None
    status: str
    """'interim' before the due day, 'due' from then on."""
    released_at: datetime
    """UTC, by the township's own clock."""
    withhold_to: int
    round_to: int
    """By which rules its counts of people were withheld and rounded."""
    figures: tuple[Figure, ...]
    """The township's; their `village` is ''."""
    villages: tuple[VillageState, ...]

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """What there is one of: township, campaign, phase, round, revision."""
        return (self.township, self.campaign, self.phase, self.round, self.revision)


def write_body(release: SharedRelease) -> str:
    """Return the text that is signed and shared: JSON, keys sorted, one way to write each value."""
    content = {
        "form": FORM,
        **vars(release),
        "as_of": release.as_of.isoformat(),
        "due": None if release.due is None else release.due.isoformat(),
        "released_at": release.released_at.isoformat(timespec="microseconds"),
        "figures": [_figure_content(each) for each in release.figures],
        "villages": [vars(each) for each in release.villages],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_body(text: str) -> SharedRelease:
    """Return the release a text holds. Raises NoRelease where it holds none, or of another form."""
    try:
        content: dict[str, Any] = json.loads(text)
        if content.pop("form") != FORM:
            raise NoRelease("form")
        release = SharedRelease(
            **{
                **content,
                "as_of": date.fromisoformat(content["as_of"]),
                "due": _day(content["due"]),
                "released_at": datetime.fromisoformat(content["released_at"]),
                "figures": tuple(_figure(each) for each in content["figures"]),
                "villages": tuple(VillageState(**each) for each in content["villages"]),
            }
        )
        written = write_body(release)
    except _NONE_OF_OURS:
        raise NoRelease("content") from None
    # whatever is no text of ours, down to the types of its values, is not one
    if written != text:
        raise NoRelease("form")
    return release


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _figure_content(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "unit": figure.unit,
        # 40 and 40.0 are one figure
        "value": None if figure.value is None else float(figure.value),
        "state": figure.state,
    }


def _figure(content: Mapping[str, Any]) -> Figure:
    return Figure(village="", **content)
