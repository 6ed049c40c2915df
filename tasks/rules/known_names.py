"""Whether a text names somebody the register knows, asked without holding a single name.

The health side makes a `NameList` of keyed hashes, under a key that lives as long as one run; the
gate hashes what could be a name and compares. A name is its letters: 张 三 丰, 张·三丰 and 张三丰
are one, as are Zhang Sanfeng and ZHANG SANFENG. A Chinese character is a part of its own, any other
script is taken word by word, so that "sanding" names no "San Ding".

Text that is fixed, a sentence of ours or the name of a village, holds names by chance: 高峰 is a
peak and somebody. What stands whole inside a piece of fixed text is no name there; anywhere else it
is. So a person who is called like a village is not noticed where the village's name stands.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tasks.rules.pseudonyms import keyed_hash

PURPOSE = "name"

_HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_PART = re.compile(rf"[{_HAN}]|(?:(?![{_HAN}])[^\W\d_])+")
_INSIDE_A_NAME = re.compile(
    r"[\s_.·•・‧'’\-\u2010-\u2015\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufeff]+"
)
"""What may stand between the parts of a name: spaces, dots, hyphens, and what nobody sees."""


def parts_of(text: str) -> Iterator[list[str]]:
    """Yield the stretches of `text` that could be one name or more: their parts, lower case."""
    plain = unicodedata.normalize("NFKC", text).lower()
    stretch: list[str] = []
    end = 0
    for part in _PART.finditer(plain):
        start = part.start()
        if stretch and start != end and not _INSIDE_A_NAME.fullmatch(plain, end, start):
            yield stretch
            stretch = []
        stretch.append(part[0])
        end = part.end()
    if stretch:
        yield stretch


@dataclass
class _Branch:
    """What may follow a part in fixed text, and whether a stretch of it ends there."""

    to: dict[str, "_Branch"] = field(default_factory=dict)
    ends: bool = False


class FixedText:
    """Texts that stand on a page whoever is in the register, to be found again inside others."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Take sentences, labels and public names, each whole."""
        self._root = _Branch()
        for text in texts:
            for stretch in parts_of(text):
                branch = self._root
                for part in stretch:
                    branch = branch.to.setdefault(part, _Branch())
                branch.ends = True

    def end_from(self, stretch: list[str], start: int) -> int:
        """Return where the longest fixed text that begins at `start` ends; `start` if none does."""
        end = start
        branch: _Branch | None = self._root
        for place in range(start, len(stretch)):
            branch = branch.to.get(stretch[place]) if branch else None
            if branch is None:
                break
            if branch.ends:
                end = place + 1
        return end


@dataclass(frozen=True)
class NameList:
    """The names of one register as keyed hashes; neither a name nor a way back to one."""

    key: bytes = field(repr=False)
    """32 random bytes, made for one run and kept nowhere."""
    hashes: frozenset[str] = field(repr=False)
    """`keyed_hash` under `key` for `PURPOSE` of each name's letters, lower case."""
    lengths: frozenset[int] = field(repr=False)
    """How many letters the names have: nothing of another length needs hashing."""

    def looks_known(self, letters: str) -> bool:
        """Return whether lower-case `letters`, nothing between them, are a name of the register."""
        return (
            len(letters) in self.lengths and keyed_hash(self.key, PURPOSE, letters) in self.hashes
        )

    def known_in(self, text: str, fixed: Iterable[FixedText] = ()) -> bool:
        """Return whether `text` names somebody, other than inside a piece of `fixed` text."""
        return any(self._known_in(stretch, tuple(fixed)) for stretch in parts_of(text))

    def _known_in(self, stretch: list[str], fixed: tuple[FixedText, ...]) -> bool:
        longest = max(self.lengths, default=0)
        explained = 0  # up to where fixed text reaches that began at this part or before it
        for start in range(len(stretch)):
            explained = max([explained, *(each.end_from(stretch, start) for each in fixed)])
            letters = ""
            for end in range(start, len(stretch)):
                letters += stretch[end]
                if len(letters) > longest:
                    break
                if end >= explained and self.looks_known(letters):
                    return True
        return False
