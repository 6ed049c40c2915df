"""A submission that came over a connection: a name and bytes in memory, never a file on a disk."""

from dataclasses import dataclass, field
from pathlib import PurePath


@dataclass(frozen=True)
class SentFile:
    """A file as it was sent, for whatever reads submissions from paths."""

    name: str
    """Given by us, so that no message about the file repeats what its sender called it."""
    content: bytes = field(repr=False)

    @property
    def suffix(self) -> str:
        """The ending of its name, as a path has it."""
        return PurePath(self.name).suffix
