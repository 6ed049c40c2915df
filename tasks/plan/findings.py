"""Collecting everything that is wrong with a plan, so that one reading reports it all."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tasks.plan.model import Rules, Targets
from tasks.plan.remarks import Remark

Part = TypeVar("Part", bound=BaseModel)

# Limit 5 of DOMAIN.md section 3: whatever a plan calls it, people are not found by quota.
_QUOTA = re.compile(r"quota|reward|bount|bonus|prize|rank|league|指标|定额|奖|排名", re.IGNORECASE)
_PEOPLE = re.compile(
    r"referr|people|person|patient|case|diagnos|confirm|regist|resident|population|assess"
    r"|人|患|转介|确诊|诊断|登记|在册|检出",
    re.IGNORECASE,
)

_WORDING = {
    "missing": "plan.missing",
    "int_type": "plan.whole_number",
    "int_parsing": "plan.whole_number",
    "int_from_float": "plan.whole_number",
    "greater_than_equal": "plan.at_least",
    "less_than_equal": "plan.at_most",
    "multiple_of": "plan.multiple_of",
    "string_type": "plan.not_text",
    "string_too_short": "plan.not_text",
    "tuple_type": "plan.not_list",
    "too_short": "plan.not_list",
    "too_long": "plan.too_many",
    "model_type": "plan.not_table",
    "bool_type": "plan.not_bool",
}
"""Pydantic's kinds of error -> what to say of them."""


class Findings:
    """The mistakes and warnings of one plan, in the order they are found."""

    def __init__(self) -> None:
        """Start with none."""
        self.mistakes: list[Remark] = []
        self.warnings: list[Remark] = []

    def wrong(self, where: str, key: str, **values: object) -> None:
        """Note a mistake at `where`."""
        self.mistakes.append(Remark(where, key, values))

    def warn(self, where: str, key: str, **values: object) -> None:
        """Note something unusual that is allowed."""
        self.warnings.append(Remark(where, key, values))

    def once(self, where: str, values: Iterable[object]) -> None:
        """Note each value that stands more than once."""
        for value, count in Counter(values).items():
            if count > 1:
                self.wrong(where, "plan.doubled", value=value)

    def take(
        self, model: type[Part], content: object, where: str, keys: Iterable[str] = ()
    ) -> Part | None:
        """Return `content` as a `model`, or None after noting everything wrong in it.

        `keys`: what to name as allowed keys, where that is more than the model's own.
        """
        try:
            return model.model_validate(content)
        except ValidationError as error:
            self.mistakes += [
                _mistake(each, model, content, where, tuple(keys))
                for each in error.errors(include_url=False, include_input=False)
            ]
            return None

    def take_targets(self, content: object) -> Targets | None:
        """Return `[targets]`, or None: targets are on service, never on people found (limit 5)."""
        named = content.items() if isinstance(content, Mapping) else [("", content)]
        refused = [
            Remark(f"targets {name}".strip(), "plan.people_target")
            for name, each in named
            if name not in Targets.model_fields
            and any(_QUOTA.search(word) or names_people(word) for word in (name, *_names_in(each)))
        ]
        if refused:
            self.mistakes += refused
            return None
        return self.take(Targets, content, "targets")


def names_people(name: str) -> bool:
    """Return whether a key or a column is named after people, found or counted."""
    return _PEOPLE.search(name) is not None


def _names_in(content: object) -> list[str]:
    """Return every key and text inside `content`."""
    if isinstance(content, Mapping):
        inside = [name for each in content.values() for name in _names_in(each)]
        return [*map(str, content), *inside]
    if isinstance(content, tuple):
        return [name for each in content for name in _names_in(each)]
    return [content] if isinstance(content, str) else []


def _is_people_target(name: str, content: object) -> bool:
    """Return whether an unknown key sets a number or a prize on people found."""
    names = (name, *_names_in(content))
    counts = not isinstance(content, str | date)
    return any(_QUOTA.search(each) or (counts and names_people(each)) for each in names)


def _mistake(
    error: ErrorDetails,
    model: type[BaseModel],
    content: object,
    where: str,
    keys: tuple[str, ...],
) -> Remark:
    """Return what to say of one of pydantic's errors in `content`, read as `model`."""
    location = error["loc"]
    for step in location[:-1]:
        inner = model.model_fields[step].annotation if isinstance(step, str) else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
        content = content[step] if isinstance(content, Mapping) else None
    steps = [f"#{step + 1}" if isinstance(step, int) else step for step in location]
    place = " ".join(part for part in (where, *steps) if part)
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        name = str(location[-1])
        if _is_people_target(name, content[name] if isinstance(content, Mapping) else None):
            return Remark(place, "plan.people_target")
        return Remark(place, "plan.unknown_key", {"allowed": ", ".join(keys or model.model_fields)})
    if model is Rules and kind == "greater_than_equal" and context["ge"] > 1:
        return Remark(place, "plan.looser", context)
    return Remark(
        place, kind if kind.startswith("plan.") else _WORDING.get(kind, "plan.wrong_value"), context
    )
