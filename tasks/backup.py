"""Backing a home up into one encrypted file, and restoring it on this or another machine.

In the file: the register, the ledger, plans, questions and reports. Not in it: the key, files that
villages sent or were sent, exports, and Prefect's state. It is encrypted with the register's key as
it was, so who restores brings that key along.

A backup is what it was: who withdrew or was erased afterwards is still in it, and leaves it when it
is removed. That is what `keep` is for: with each backup the oldest ones go, so after that many
backups nothing older is left. Who restores one repeats the erasures since, and runs retention.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from tasks.audit import Act
from tasks.copying import Contents, Which, discard, read_contents, write_copy
from tasks.home import Home, keep_private, private_folder
from tasks.register import open_register
from tasks.rules.errors import CampaignError, CheckFailed, WrongCommand
from tasks.store import Store, attach, load_encryption, memory

PART = 16 * 2**20
"""Bytes of a file that are held in memory at once."""

FOLDERS = ("plans", "questions", "reports")
_WORK = "backup.part"
_PART = ".part"
_STORES: tuple[Which, ...] = ("register", "ledger")


@dataclass(frozen=True)
class Backup:
    """A backup: of which health centre, and when it was made (wall time of its plans' zone)."""

    path: Path
    health_centre: str
    made_at: datetime


def back_up(
    home: Home, key: str, act: Act, health_centre: str, folder: Path, keep: int | None = None
) -> tuple[Backup, list[Path]]:
    """Write a backup of `home` into `folder`, and return it and the older ones that were removed.

    `health_centre` is its code, which stands in the file's name with the time of `act`. Nothing is
    written to the home meanwhile. The file is read back, and the register in it opened and counted,
    before it has its name; only then are older ones of this health centre removed, down to `keep`.

    Raises as `open_register` does; CheckFailed where the file is not what was to be written, with
    nothing left of it.
    """
    target = folder / f"campaign-{health_centre}-{act.at:%Y%m%dT%H%M%S}.backup"
    if target.exists():
        raise WrongCommand("backup.is_there", file=target)
    private_folder(folder)
    draft = target.with_name(f"{target.name}{_PART}")
    made = Backup(target, health_centre, act.at)
    # the register first: who has it open works alone
    with open_register(home, key=key, act=act) as store, _work_folder(home) as work:
        _discard_cut_off(folder, health_centre)
        try:
            copies = Home(work)
            contents = {
                "register": write_copy(store, "register", copies.register, key),
                "ledger": write_copy(store, "ledger", copies.ledger, None),
            }
            files = [*_files(home.root, *FOLDERS), *_files(work)]
            _write(draft, key, made, contents, dict(files))
            _unpack(draft, key, work / "read-back")
        except BaseException:
            discard(draft)
            raise
        draft.replace(target)
        # afterwards, so that what is noted is there; how old it is, doctor and status tell from it
        store.run("backup/note", made_at=made.made_at, folder=str(folder))
    return made, _remove_older(target, health_centre, keep)


def restore(file: Path, home: Home, key: str) -> Backup:
    """Restore the backup `file` into `home`, an empty place, and return which one it is.

    A key file may lie in the place already. What is restored is checked as a whole before any of it
    has its name. Raises WrongCommand where the place is not empty, the key is another, or the file
    is damaged, altered or no backup; the place is then as it was.
    """
    if not file.is_file():
        raise WrongCommand("backup.no_file", file=file)
    if {path.name for path in home.root.glob("*")} - {"keys", _WORK}:
        raise WrongCommand("backup.not_empty", home=home.root)
    was_there = home.root.exists()
    try:
        with _work_folder(home) as work:
            backup = _unpack(file, key, work)
            # the ledger last: without it the place is no home yet
            for path in sorted(work.iterdir(), key=lambda each: each.name == home.ledger.name):
                path.replace(home.root / path.name)
    except BaseException:
        if not was_there:
            shutil.rmtree(home.root)
        raise
    return backup


@contextmanager
def _work_folder(home: Home) -> Iterator[Path]:
    """Make a folder in `home` for what is not whole yet, and take it away at the end."""
    work = home.root / _WORK
    shutil.rmtree(work, ignore_errors=True)  # of a backup that was killed
    try:
        yield private_folder(work)
    finally:
        shutil.rmtree(work)


def _files(root: Path, *folders: str) -> Iterator[tuple[str, Path]]:
    """Yield (path below `root`, where it lies) for the files of `folders`, else of all of it."""
    for folder in folders or (".",):
        for path in (root / folder).rglob("*"):
            if path.is_file():
                yield path.relative_to(root).as_posix(), path


def _write(
    target: Path, key: str, made: Backup, contents: dict[str, Contents], files: dict[str, Path]
) -> None:
    keep_private()
    with memory() as connection:
        load_encryption(connection)
        attach(connection, target, "fresh", key)
        store = Store(connection)
        store.run("backup/files_table")
        store.run("backup/sums_table")
        store.run("backup/made_table")
        for name, path in sorted(files.items()):
            parts, digest = 0, hashlib.sha256()
            with path.open("rb") as stream:
                while content := stream.read(PART):
                    store.run("backup/add_file", path=name, part=parts, content=content)
                    digest.update(content)
                    parts += 1
            store.run("backup/add_sum", path=name, parts=parts, sha256=digest.hexdigest())
        store.run(
            "backup/add_made",
            health_centre=made.health_centre,
            made_at=made.made_at,
            contents=json.dumps(contents),
        )
        store.run("copy/detach")


def _unpack(file: Path, key: str, folder: Path) -> Backup:
    """Write the files of a backup into `folder`, open its register, and compare with what it says.

    Raises WrongCommand where the key is another or anything is not as it was written.
    """
    try:
        with memory() as connection:
            load_encryption(connection)
            attach(connection, file, "fresh", key, read_only=True)
            store = Store(connection)
            ((health_centre, made_at, contents),) = store.rows("backup/about")
            for name, parts, sha256 in store.rows("backup/sums"):
                _unpack_file(store, name, parts, sha256, folder)
        unpacked = Home(folder)
        with memory() as connection:
            load_encryption(connection)
            attach(connection, unpacked.register, "register", key, read_only=True)
            attach(connection, unpacked.ledger, "ledger", None, read_only=True)
            found = {which: read_contents(Store(connection), which) for which in _STORES}
    except CampaignError as error:
        if error.key == "error.wrong_key" and error.values["file"] == file.name:
            raise
        whole = False
    else:
        whole = found == json.loads(contents)
    if not whole:
        raise WrongCommand("backup.damaged", file=file.name)
    return Backup(file, health_centre, made_at)


def _unpack_file(store: Store, name: str, parts: int, sha256: str, folder: Path) -> None:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise CheckFailed("backup.damaged", file=place.name)
    target = folder / place
    private_folder(target.parent)
    digest = hashlib.sha256()
    with target.open("xb") as stream:
        for part in range(parts):
            for (content,) in store.rows("backup/part", path=name, part=part):
                stream.write(content)
                digest.update(content)
    target.chmod(0o600)
    if digest.hexdigest() != sha256:
        raise CheckFailed("backup.damaged", file=place.name)


def _discard_cut_off(folder: Path, health_centre: str) -> None:
    """Remove what backups that were killed have left: nobody restores it, and people are in it."""
    for path in folder.glob(f"campaign-{health_centre}-*.backup{_PART}*"):
        path.unlink()


def _remove_older(newest: Path, health_centre: str, keep: int | None) -> list[Path]:
    if keep is None:
        return []
    # the time in the name sorts as text
    known = sorted(newest.parent.glob(f"campaign-{health_centre}-*.backup"), reverse=True)
    older = known[keep:]
    for path in older:
        path.unlink()
    return older
