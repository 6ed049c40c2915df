"""Ad-hoc sweeps: what a request says, what identifies it, what may be asked, and who may decide.

DOMAIN.md section 3, limit 4: the office asks with purpose, villages and dates; the health side
approves exactly that; the approval lapses when the scope changes or the window ends. Exactly that:
a request is identified by a hash of everything it says, and what is approved is that hash.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tasks.rules.contract import PURPOSES
from tasks.rules.errors import WrongCommand

FIRST_ROUND = 101
"""Ad-hoc sweeps are numbered from here on, whatever the plan's own rounds are.

A newer version of a plan may get more rounds (a rolling sweep gets more months), and the number of
a sweep, once asked for, stands on files, links and released figures. So the two never meet.
"""
LONGEST_DAYS = 60
"""A longer window is a campaign of its own, with a plan: a standing permission is none."""
IN_PLAN = "plan.toml"
"""Who asked for what a plan file says under [[ad_hoc]]: whoever issued the plan."""

_HEX, _CONSONANTS = "0123456789abcdef", "bcdfghjklmnpqrst"
_LETTERS = str.maketrans(_HEX, _CONSONANTS)
_CODE = re.compile(r"[0-9]{12}")
_DIGITS = str.maketrans(_CONSONANTS, _HEX)

State = Literal["waiting", "approved", "declined", "over", "lapsed"]


@dataclass(frozen=True)
class Request:
    """A sweep that was asked for: all that an approval is about. Days are days of the plan's zone.

    `villages` are codes, sorted. `due` is the last day of the window.
    """

    campaign: str
    purpose: str
    villages: tuple[str, ...]
    opens: date
    due: date
    reason: str
    """A word of CHOICES["request_reason"]; of a request in a plan file, the plan's own words."""
    asked_by: str
    """A name or a role of the office; IN_PLAN where it stands in the plan file."""

    @property
    def hash(self) -> str:
        """SHA-256 over everything the request says: 64 lower-case hexadecimal digits."""
        content = [
            self.campaign,
            self.purpose,
            sorted(self.villages),
            self.opens.isoformat(),
            self.due.isoformat(),
            self.reason,
            self.asked_by,
        ]
        # JSON: no two requests have the same text, whatever stands in their fields
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8")).hexdigest()

    @property
    def stands_in_plan(self) -> bool:
        """Whether the plan file asked for it."""
        return self.asked_by == IN_PLAN

    @property
    def id(self) -> str:
        """What the request is called: sixteen letters, the first 64 bits of its hash."""
        return id_of(self.hash)


def id_of(content_hash: str) -> str:
    """Return what the request of this hash is called, as `kfdm-wtbz-rqhn-cbdf`.

    Letters only, so that it cannot be taken for a number of anything in a message, and no vowels,
    so that it never spells a word. A change of one day gives another one.
    """
    letters = content_hash[:16].translate(_LETTERS)
    return "-".join(letters[place : place + 4] for place in range(0, 16, 4))


def hash_begins(text: str) -> str:
    """Return how the hash begins of the request that is called `text`; case and hyphens aside.

    Raises WrongCommand where no request can be called so.
    """
    letters = text.replace("-", "").strip().lower()
    if len(letters) != 16 or not set(letters) <= set(_CONSONANTS):
        raise WrongCommand("request.unknown", id="…")
    return letters.translate(_DIGITS)


def check_request(request: Request, villages: Collection[str], today: date) -> None:
    """Raise WrongCommand where this cannot be asked for on the day `today`.

    `villages`: the codes of the campaign's villages that exist on the request's last day.
    """
    if request.purpose not in PURPOSES:
        raise WrongCommand("request.purpose", known=", ".join(PURPOSES))
    if not request.villages:
        raise WrongCommand("request.no_village")
    for code in request.villages:
        if code not in villages:
            # whatever else was typed there may be somebody's name
            shown = code if _CODE.fullmatch(code) else "…"
            raise WrongCommand("request.unknown_village", village=shown)
    if request.due < request.opens:
        raise WrongCommand("request.due_before_opens", opens=request.opens, due=request.due)
    if request.due < today:
        raise WrongCommand("request.past", due=request.due)
    if (request.due - request.opens).days >= LONGEST_DAYS:
        raise WrongCommand("request.too_long", days=LONGEST_DAYS)


def state_of(decision: str | None, due: date, today: date) -> State:
    """Return how a request stands on the day `today`.

    `decision`: `approved`, `declined`, `lapsed` where that was noted, or None. A request nobody
    decided lapses with its window; an approved one is over after it.
    """
    match decision:
        case "approved":
            return "approved" if today <= due else "over"
        case "declined":
            return "declined"
        case None if today <= due:
            return "waiting"
        case _:
            return "lapsed"


def same_person(name: str, account: str, asked_by: str, asked_account: str) -> bool:
    """Return whether who decides, by `name` under `account`, is who asked, as far as names tell.

    Compared without case, spaces, punctuation and what nobody sees; an account counts as a name,
    as it stands for one where none is given. One account under two names is let through: a township
    has one machine, and its office asks there too. So this stops who decides for himself openly;
    who gives a false name, only the key of the register stops, which the office does not have.
    """
    asker = {_plain(asked_by), _plain(asked_account)} - {""}
    return _plain(name) in asker or _plain(account) == _plain(asked_by)


def _plain(word: str) -> str:
    letters = unicodedata.normalize("NFKC", word).casefold()
    return "".join(each for each in letters if each.isalnum())
