"""Where a campaign home keeps things, and how it keeps them private: 0600 files in 0700 folders."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tasks.rules.errors import WrongCommand

if sys.platform != "win32":
    import resource


@dataclass(frozen=True)
class Home:
    """The folder of one township: its register, its ledger and what leaves them."""

    root: Path

    @property
    def register(self) -> Path:
        """The encrypted file with everything about people."""
        return self.root / "register.duckdb"

    @property
    def ledger(self) -> Path:
        """The file with what was released and how the work goes; never a person."""
        return self.root / "ledger.duckdb"

    @property
    def key_file(self) -> Path:
        """The register's key, where no other place is named."""
        return self.root / "keys" / "register.key"

    @property
    def inbox(self) -> Path:
        """Files put here are taken in by the next run."""
        return self.root / "inbox"

    @property
    def spill(self) -> Path:
        """Where a run puts aside, encrypted, what it cannot hold in memory; gone when it ends."""
        return self.root / "spill"

    @property
    def prefect(self) -> Path:
        """Prefect's own database, logs and storage."""
        return self.root / "prefect"

    @property
    def mail(self) -> Path:
        """What the demo's mail server received."""
        return self.root / "mail"

    def plan(self, slug: str) -> Path:
        """The plan file of a campaign."""
        return self.root / "plans" / slug / "plan.toml"

    def questions(self, slug: str) -> Path:
        """The file of doubtful pairs of a campaign; it names nobody."""
        return self.root / "questions" / f"{slug}.csv"

    def returns(self, village: str) -> Path:
        """The return workbooks of one village."""
        return self.root / "returns" / village

    def reports(self, slug: str) -> Path:
        """The released reports of a campaign."""
        return self.root / "reports" / slug

    def health(self, slug: str) -> Path:
        """The care groups' sheets of a campaign with exact figures; never sent to anybody."""
        return self.root / "health" / slug

    def campaigns(self) -> list[str]:
        """Return the slugs of the campaigns that live here, sorted."""
        return sorted(path.parent.name for path in self.root.glob("plans/*/plan.toml"))

    def require(self) -> None:
        """Raise WrongCommand where no home was made here yet."""
        if not self.ledger.is_file():
            raise WrongCommand("error.no_home", home=self.root)


def default_home() -> Path:
    """Return CAMPAIGN_HOME, or `campaign` under the user's data directory."""
    named = os.environ.get("CAMPAIGN_HOME")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "campaign"


def keep_private() -> None:
    """Make every file this process and its children create 0600, every folder 0700.

    A core dump would be a file of all that is in memory: there is none.
    """
    os.umask(0o077)
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def private_folder(path: Path) -> Path:
    """Return `path`, made as a 0700 folder where it was not there."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path` (0600) so that a reader sees the old or the new, never half."""
    private_folder(path.parent)
    draft = path.with_name(path.name + ".part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
