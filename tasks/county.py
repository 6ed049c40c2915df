"""A county's list of its townships, `county.toml`: which there are, since when, and their keys.

What a township's releases are judged by stands here and nowhere in the shared ledger: a key that
could be changed where the releases lie would prove nothing. Everything is checked at once, and all
mistakes are reported together, each with its place.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, LiteralString
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from tasks.plan.findings import Findings
from tasks.plan.model import Day, Text
from tasks.plan.remarks import Remark
from tasks.rules.errors import WrongCommand
from tasks.rules.rollup import Member, Roll


def _matching(key: LiteralString, pattern: str) -> AfterValidator:
    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise PydanticCustomError(key, "")
        return value

    return AfterValidator(check)


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError("plan.time_zone", "") from None
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Township(_Part):
    """A township of the county: by what its releases are known, and its days in the county."""

    code: Annotated[str, _matching("plan.township_code", r"\d{9}")]
    """The first nine digits of its villages' codes and of its health centre's."""
    name: Text
    key: Annotated[str, _matching("plan.township_key", r"[0-9a-f]{64}")]
    """What `campaign share key` prints there."""
    joined: Day
    left: Day | None = None
    """The first day it no longer belongs to the county."""
    villages: (
        Annotated[
            tuple[Annotated[str, _matching("plan.village_code", r"\d{12}")], ...],
            Field(min_length=1),
        ]
        | None
    ) = None
    """All its villages, where their codes do not tell: those of other beginnings among them. None:
    every village whose code begins with the township's, but for those that another lists."""


class _Heading(_Part):
    name: Text
    name_en: Text
    timezone: Annotated[str, AfterValidator(_time_zone)] = "Asia/Shanghai"
    days_to_share: Annotated[int, Field(ge=0, le=60)] = 3


class County(_Heading):
    """A county and its townships, in the order of the file.

    `days_to_share`: within how many days of a phase's due day a township shares its figures, the
    last one included; days are days of `timezone`.
    """

    townships: tuple[Township, ...]

    @cached_property
    def roll(self) -> Roll:
        """The townships as releases are judged by them."""
        members = {
            each.code: Member(each.code, each.key, each.joined, each.left, each.villages)
            for each in self.townships
        }
        return Roll(members, self.timezone)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What the townships are called, by code."""
        return {each.code: each.name for each in self.townships}

    def name_in(self, language: str) -> str:
        """Return what the county is called in `language`."""
        return self.name_en if language == "en" else self.name


class CountyRefused(WrongCommand):
    """A list of townships with mistakes: all of them, in the order of the file."""

    def __init__(self, file: str, mistakes: Sequence[Remark]) -> None:
        """Take the name of the file and what is wrong in it."""
        self.mistakes = tuple(mistakes)
        super().__init__("county.mistakes", file=file, count=len(self.mistakes))

    def text(self, language: str | None = None) -> str:
        """Return a head line, then one line a mistake."""
        lines = [f"  - {mistake.text(language)}" for mistake in self.mistakes]
        return "\n".join([super().text(language), *lines])


def load_county(path: Path) -> County:
    """Return the county in the file at `path`.

    Raises WrongCommand where there is no such file or it is no TOML, and CountyRefused (one of
    those) with all mistakes of it together: among them a code, a key or a village given to two
    townships.
    """
    content = _read_toml(path)
    findings = Findings()
    rest = {key: each for key, each in content.items() if key != "township"}
    heading = findings.take(_Heading, rest, "", (*_Heading.model_fields, "township"))
    townships = _townships(content.get("township", ()), findings)
    if findings.mistakes or heading is None:
        raise CountyRefused(path.name, findings.mistakes)
    return County(**dict(heading), townships=townships)


def _townships(content: object, findings: Findings) -> tuple[Township, ...]:
    if not isinstance(content, tuple) or not content:
        findings.wrong("township", "county.no_township")
        return ()
    found = []
    for number, entry in enumerate(content, start=1):
        township = findings.take(Township, entry, f"township #{number}")
        if township is None:
            continue
        if township.left is not None and township.left <= township.joined:
            findings.wrong(f"township #{number} left", "county.left_before_joined")
        found.append(township)
    findings.once("township code", [each.code for each in found])
    # with one key, nobody could tell whose a release is
    findings.once("township key", [each.key for each in found])
    findings.once("township villages", [code for each in found for code in each.villages or ()])
    return tuple(found)


def _read_toml(path: Path) -> Mapping[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return {key: _tuples(each) for key, each in content.items()}
    except OSError:
        problem = WrongCommand("county.no_file", file=path)
    except UnicodeDecodeError:
        problem = WrongCommand("plan.not_utf8", file=path.name)
    except tomllib.TOMLDecodeError as error:
        # not its words: they quote the line
        place = re.search(r"line (\d+)", str(error))
        line = place[1] if place else "-"
        problem = WrongCommand("county.not_toml", file=path.name, line=line)
    raise problem


def _tuples(content: Any) -> Any:
    """Return `content` with tuples for lists: a frozen model holds no list."""
    if isinstance(content, dict):
        return {key: _tuples(each) for key, each in content.items()}
    if isinstance(content, list):
        return tuple(_tuples(each) for each in content)
    return content
