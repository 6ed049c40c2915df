"""What there is to say about a plan: mistakes that refuse it, warnings that do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.rules.errors import WrongCommand
from tasks.rules.wording import say


@dataclass(frozen=True)
class Remark:
    """One thing to say about a plan: where, a wording key, and the values its text names."""

    where: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str | None = None) -> str:
        """Return the remark in `language` (default: the process's language)."""
        said = say(self.key, language, **self.values)
        return f"{self.where}: {said}" if self.where else said


class PlanRefused(WrongCommand):
    """A plan file with mistakes: all of them, in the order of the file's sections."""

    def __init__(self, file: str, mistakes: Sequence[Remark]) -> None:
        """Take the name of the plan file and what is wrong in it."""
        self.mistakes = tuple(mistakes)
        super().__init__("plan.mistakes", file=file, count=len(self.mistakes))

    def text(self, language: str | None = None) -> str:
        """Return a head line, then one line a mistake."""
        lines = [f"  - {mistake.text(language)}" for mistake in self.mistakes]
        return "\n".join([super().text(language), *lines])
