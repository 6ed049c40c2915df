"""What is sent: rows, files on their way, and the order in which they arrive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from tasks.rules.contract import SHEETS_OF_PHASE, TEMPLATE_VERSION, Identity

Cell = str | int | float | date | None
Values = dict[str, Cell]
"""Column name -> what is meant: closed lists by their value, dates as dates, codes as text."""

MINUTES = range(8 * 60, 18 * 60)
"""The minutes of a day in which files arrive."""


@dataclass(frozen=True)
class Style:
    """How one sender's program writes a file. The reader knows every style."""

    name: str
    container: str = "xlsx"
    encoding: str = ""
    heads: str = "zh"
    """zh (the first head), any (one that is read), en (the column's name)."""
    titles: int = 0
    merged_head: bool = False
    """A head over two rows, the cells of a column merged."""
    reordered: bool = False
    trailing: bool = False
    """Empty rows and columns with a format, as a spreadsheet leaves them behind."""
    dates: str = "cell"
    """cell, serial, iso, dots, slashes, words."""
    counts: str = "number"
    """number, text, wide (full-width digits)."""
    spelling: str = "first"
    """first (as in the template), any, value (the contract's own word)."""
    spaced: bool = False
    """Ideographic spaces inside names and in empty cells."""
    number_phones: bool = False

    @property
    def first_row(self) -> int:
        """The number of the first row below the head; the identity stands in row 1."""
        return 2 + self.titles + (2 if self.merged_head else 1)


CLEAN = Style("clean")
DECORATED = Style(
    "decorated",
    titles=2,
    merged_head=True,
    reordered=True,
    trailing=True,
    dates="words",
    spelling="any",
)
CSV_BOM = Style("csv_bom", "csv", "utf-8-sig", dates="slashes")
CSV_GB18030 = Style(
    "csv_gb18030",
    "csv",
    "gb18030",
    heads="any",
    titles=1,
    trailing=True,
    dates="dots",
    spelling="any",
)
ENGLISH = Style("english", heads="en", dates="iso", spelling="value")
WIDE = Style(
    "wide", titles=1, dates="words", counts="wide", heads="any", spelling="any", spaced=True
)
SERIAL = Style("serial", reordered=True, dates="serial", counts="text", number_phones=True)
CSV_PLAIN = Style("csv_plain", "csv", "utf-8", heads="en", dates="iso", spelling="value")

STYLES = (CLEAN, DECORATED, CSV_BOM, WIDE, CSV_GB18030, ENGLISH, SERIAL, CSV_PLAIN)


@dataclass(eq=False)
class Row:
    """One row as it is sent, with what is known of it because it was made so."""

    values: Values
    key: str
    """What an accepted row replaces an earlier one by, within sender, phase, round and sheet."""
    who: str
    """Whom or what the row is about: two rows of one file that share it are duplicates."""
    fails: tuple[str, ...] = ()
    consent: bool = True
    about: object = None
    """What the row was made of: a referral or a visit."""


@dataclass(eq=False)
class Draft:
    """One file on its way."""

    received_at: datetime
    """Wall time of the plan's time zone, to the minute."""
    identity: Identity
    style: Style
    sheets: Mapping[str, list[Row]]
    stem: str
    refused: str | None = None
    """The wording key of the reason why the whole file is refused, where it is."""
    column: tuple[str, str] | None = None
    """Where a column is missing or added: its sheet and its head."""
    repeats: "Draft | None" = None
    """The file that is sent once more as it is."""


@dataclass(frozen=True)
class Sender:
    """Who sends: a village or the health centre, and how its files look."""

    code: str
    name: str
    style: Style


class Post:
    """The files under way to one health centre; no two arrive in one minute."""

    def __init__(self, campaign: str) -> None:
        """Start with nothing sent for `campaign`."""
        self.campaign = campaign
        self._drafts: list[Draft] = []
        self._taken: set[datetime] = set()

    def send(
        self,
        sender: Sender,
        phase: str,
        round: int,
        at: datetime,
        sheets: Mapping[str, list[Row]],
        *,
        style: Style | None = None,
    ) -> list[Draft]:
        """Send `sheets` at `at` or in the next free minute; return the files.

        One workbook, or a CSV a sheet: a CSV holds one sheet. `style` takes the place of the
        sender's own.
        """
        style = style or sender.style
        identity = Identity(self.campaign, phase, round, sender.code, TEMPLATE_VERSION)
        stem = f"{sender.name}-{PHASE_TITLES[phase]}" + (f"-{round}" if round else "")
        if style.container == "csv":
            parts = [
                (f"{stem}-{SHEET_TITLES[name]}", {name: sheets[name]})
                for name in SHEETS_OF_PHASE[phase]
                if name in sheets
            ]
            # an empty second sheet is not sent as a file of its own
            parts = [part for part in parts if any(part[1].values())] or parts[:1]
        else:
            parts = [(stem, dict(sheets))]
        return [self.put(Draft(at, identity, style, part, name)) for name, part in parts]

    def again(self, earlier: Iterable[Draft], at: datetime) -> list[Draft]:
        """Send the very same files once more."""
        return [self.put(replace(draft, received_at=at, repeats=draft)) for draft in earlier]

    def put(self, draft: Draft) -> Draft:
        """Take `draft` in at its minute or the next free one; return it."""
        while draft.received_at in self._taken:
            draft.received_at += timedelta(minutes=1)
        self._taken.add(draft.received_at)
        self._drafts.append(draft)
        return draft

    def in_order(self) -> list[Draft]:
        """Return all files in the order in which they arrive."""
        return sorted(self._drafts, key=lambda draft: draft.received_at)


PHASE_TITLES = {
    "readiness": "动员准备",
    "sweep": "排查走访",
    "supervision": "月度服务",
    "follow_up": "随访",
}
SHEET_TITLES = {
    "coverage": "走访情况",
    "referral": "转介人员",
    "readiness": "动员准备",
    "service_month": "月度服务",
    "care_group": "关爱帮扶小组",
    "follow_up": "随访记录",
    "registered_person": "在册人员",
}


def moment(draw: Random, day: date, minutes: range = MINUTES) -> datetime:
    """Return a minute of `day` out of `minutes`."""
    return at_minute(day, draw.choice(minutes))


def at_minute(day: date, minute: int) -> datetime:
    """Return the given minute of `day`."""
    return datetime.combine(day, time(minute // 60, minute % 60))


def between(draw: Random, first: date, last: date) -> date:
    """Return a day from `first` to `last`, or `first` where `last` lies before it."""
    return first + timedelta(days=draw.randint(0, max(0, (last - first).days)))
