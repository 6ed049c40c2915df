"""Many townships' homes on one machine, each with its own key: how each inbox stands.

What is told of a home is how it stands, not what was done to it. So an intake that was cut off and
done again tells the same as one that was not.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tasks.home import Home
from tasks.receive import REFUSED
from tasks.rules.errors import CampaignError, Exit, WrongCommand
from tasks.store import Store


@dataclass(frozen=True)
class InboxStand:
    """How a home's inbox stands after an intake: counts of files, nothing of what is in them."""

    home: str
    """The name of its folder."""
    exit: int
    """That of the command for this home alone."""
    taken: int = 0
    """Files taken in since the intake began."""
    returned: int = 0
    """Those of them with rows that went back."""
    refused: int = 0
    """Files in `inbox/refused`, of now or before, for the officer to look at and remove."""
    waiting: int = 0
    """Files that are in the inbox still."""
    error: str | None = None
    """Why nothing was taken in, in one line without values of the data; None where it was."""

    def as_dict(self) -> dict[str, object]:
        """Return it for machines."""
        return asdict(self)


def homes_in(folder: Path) -> list[Path]:
    """Return the homes right below `folder`, in the order of their names.

    Raises WrongCommand where there is none.
    """
    found = sorted(each for each in folder.glob("*") if Home(each).ledger.is_file())
    if not found:
        raise WrongCommand("hosted.none", path=folder)
    return found


def inbox_stand(store: Store, home: Home, since: datetime, timezone: str) -> InboxStand:
    """Return how the inbox of `home` stands; `since` is UTC, `store` its open register."""
    wall = since.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    ((taken, returned),) = store.rows("hosted/taken", since=wall)
    refused = [each for each in (home.inbox / REFUSED).glob("*") if _has_reason(each)]
    code = Exit.FILE_REFUSED if refused else Exit.ROWS_RETURNED if returned else Exit.DONE
    waiting = sum(each.is_file() for each in home.inbox.glob("*"))
    return InboxStand(home.root.name, int(code), taken, returned, len(refused), waiting)


def not_taken_in(home: Home, error: CampaignError) -> InboxStand:
    """Return how it stands where the intake could not begin: files wait as they did."""
    told = error.outside()
    waiting = sum(each.is_file() for each in home.inbox.glob("*"))
    return InboxStand(home.root.name, int(told.exit), waiting=waiting, error=told.text())


def _has_reason(file: Path) -> bool:
    return file.with_name(f"{file.name}.txt").is_file()
