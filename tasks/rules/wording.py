"""One source of text for both languages: `wording/*.toml`, one table a key with `zh` and `en`."""

import os
import string
import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("zh-CN", "en")
_FIELD = {"zh-CN": "zh", "en": "en"}


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).with_name("wording").glob("*.toml")):
        for key, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if key in texts:
                raise ValueError(f"wording key {key} stands in two files, one is {path.name}")
            texts[key] = entry
    return texts


def current_language() -> str:
    """Return the process's language: CAMPAIGN_LANG where it names one, else zh-CN."""
    wanted = os.environ.get("CAMPAIGN_LANG", "")
    return "en" if wanted.lower().startswith("en") else "zh-CN"


def say(key: str, language: str | None = None, **values: object) -> str:
    """Return the text of `key` in `language`, its `{fields}` filled from `values`.

    Several values of one field stand apart as the language has it; none of them is shown as "-".
    Raises KeyError for a key or a field that is not there: a missing text is a defect, never a gap
    on a page.
    """
    chosen = _FIELD[language or current_language()]
    comma = _texts()["list.comma"][chosen]
    shown = {
        name: (comma.join(map(str, value)) or "-") if isinstance(value, tuple | list) else value
        for name, value in values.items()
    }
    return _texts()[key][chosen].format(**shown)


def keys(prefix: str = "") -> list[str]:
    """Return all wording keys that start with `prefix`, sorted."""
    return sorted(key for key in _texts() if key.startswith(prefix))


def fields(key: str, language: str) -> set[str]:
    """Return the names of the fields that the text of `key` fills in."""
    text = _texts()[key][_FIELD[language]]
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
