"""The key: where it is looked for, and how it is replaced without ever losing the register."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import duckdb
import keyring
import keyring.backend
import keyring.backends.fail
import pytest
import typer

from cli.main import app, main
from conftest import ACT, KEY, make_home
from register_rows import add_referral
from tasks import copying
from tasks.backup import back_up
from tasks.copying import read_contents, write_anew
from tasks.home import Home
from tasks.keys import (
    KeyFile,
    KeyringEntry,
    find_key,
    has_key,
    keyring_entry,
    make_key,
    read_key,
    waiting_key,
)
from tasks.ledger import open_ledger
from tasks.register import attach_stores, open_register
from tasks.rotation import compact, rotate_key, rotate_pseudonyms
from tasks.rules.errors import CheckFailed, Exit, StoreBusy, WrongCommand
from tasks.store import Store

OTHER_KEY = "b" * 64
PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "autumn-2025.toml"


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring that forgets with the test."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self, *, forgetful: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.forgetful = forgetful

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgetful:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def no_key_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CAMPAIGN_KEY", "CAMPAIGN_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def kept(tmp_path: Path) -> Home:
    """A home with somebody in its register, and its key in its file."""
    return home_with_key(tmp_path / "kept")


def home_with_key(root: Path) -> Home:
    home = make_home(root)
    KeyFile(home.key_file).write(KEY)
    with open_register(home, key=KEY, act=ACT) as store:
        add_referral(store, "R-1", full_name="孔雀石")
    return home


def people(home: Home, key: str) -> list[Any]:
    with open_register(home, key=key, act=ACT) as store:
        return store.connection.execute("SELECT full_name FROM register.stg_referral").fetchall()


def files(home: Home) -> set[str]:
    return {
        path.relative_to(home.root).as_posix() for path in home.root.rglob("*") if path.is_file()
    }


# --- where it lies --------------------------------------------------------------------------------


def test_the_key_is_looked_for_in_one_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ring: MemoryKeyring
) -> None:
    home = Home(tmp_path)
    assert not has_key(home)
    with pytest.raises(WrongCommand) as refused:
        read_key(home)
    assert refused.value.key == "error.no_key"

    KeyFile(home.key_file).write("1" * 64)
    assert find_key(home).source == str(home.key_file)
    entry = keyring_entry(home)
    assert read_key(home) == "1" * 64, "the keyring is named, but holds nothing"
    entry.write("2" * 64)
    assert read_key(home) == "2" * 64
    assert entry.account in find_key(home).source
    named = tmp_path / "named.key"
    KeyFile(named).write("3" * 64)
    monkeypatch.setenv("CAMPAIGN_KEY_FILE", str(named))
    assert (read_key(home), find_key(home).source) == ("3" * 64, str(named))
    monkeypatch.setenv("CAMPAIGN_KEY", "4" * 64)
    assert (read_key(home), find_key(home).source) == ("4" * 64, "CAMPAIGN_KEY")
    assert "4" * 64 not in repr(find_key(home))


def test_a_file_that_is_named_and_missing_is_said_and_nothing_else_is_tried(
    kept: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_KEY_FILE", str(tmp_path / "usb" / "register.key"))
    with pytest.raises(WrongCommand) as refused:
        read_key(kept)
    assert refused.value.key == "error.no_key"
    assert "usb" in refused.value.text()


@pytest.mark.parametrize("content", ["", "abc", "A" * 64, "g" * 64, "a" * 63])
def test_what_is_no_key_is_not_taken_for_one(kept: Home, content: str) -> None:
    KeyFile(kept.key_file).write(content)
    with pytest.raises(WrongCommand) as refused:
        read_key(kept)
    assert refused.value.key == "error.key_form"


def test_a_key_that_others_can_read_is_refused(kept: Home) -> None:
    kept.key_file.chmod(0o640)
    with pytest.raises(WrongCommand) as refused:
        read_key(kept)
    assert refused.value.key == "error.key_open"


def test_a_home_that_never_named_a_keyring_asks_none(
    kept: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.keyring_entry._keyring", lambda: pytest.fail("asked"))
    assert read_key(kept) == KEY


def test_a_key_is_made_once_and_never_beside_a_register(kept: Home, tmp_path: Path) -> None:
    with pytest.raises(WrongCommand) as beside:
        make_key(kept)
    assert beside.value.key == "key.register_is_there"
    kept.key_file.unlink()
    with pytest.raises(WrongCommand):
        make_key(kept)
    assert not kept.key_file.exists()

    home = Home(tmp_path / "fresh")
    place = make_key(home)
    assert place == KeyFile(home.key_file)
    first = read_key(home)
    with pytest.raises(WrongCommand) as again:
        make_key(home)
    assert again.value.key == "key.is_there"
    assert read_key(home) == first
    assert first not in again.value.text()


def test_a_key_in_the_keyring_leaves_nothing_of_it_on_the_disk(
    tmp_path: Path, ring: MemoryKeyring
) -> None:
    home = Home(tmp_path)
    make_key(home, "keyring")
    key = read_key(home)
    assert list(ring.kept.values()) == [key]
    assert files(home) == {"keys/home.id"}
    assert key not in (home.root / "keys" / "home.id").read_text("ascii")


def test_two_homes_have_two_entries(tmp_path: Path, ring: MemoryKeyring) -> None:
    homes = [Home(tmp_path / name) for name in ("one", "two")]
    for home in homes:
        make_key(home, "keyring")
    assert read_key(homes[0]) != read_key(homes[1])


def test_a_keyring_that_is_not_there_or_keeps_nothing_is_said(
    tmp_path: Path, ring: MemoryKeyring
) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    home = Home(tmp_path)
    with pytest.raises(WrongCommand) as refused:
        make_key(home, "keyring")
    assert refused.value.key == "key.no_keyring"
    assert refused.value.__cause__ is None
    assert files(home) == set(), "or the home would name a keyring that is not there"
    keyring.set_keyring(MemoryKeyring(forgetful=True))
    with pytest.raises(WrongCommand) as forgot:
        make_key(home, "keyring")
    assert forgot.value.key == "key.no_keyring"


@pytest.mark.parametrize("name", ["CAMPAIGN_KEY", "CAMPAIGN_KEY_FILE"])
def test_a_variable_and_the_keyring_do_not_both_name_the_key(
    kept: Home, monkeypatch: pytest.MonkeyPatch, ring: MemoryKeyring, name: str
) -> None:
    monkeypatch.setenv(name, {"CAMPAIGN_KEY": KEY}.get(name, str(kept.key_file)))
    with pytest.raises(WrongCommand) as refused:
        rotate_key(kept, ACT, "keyring")
    assert refused.value.key == "key.named_by_variable"
    assert people(kept, KEY)


def commands(group: Any, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_no_command_takes_a_key_a_password_or_a_secret() -> None:
    found = dict(commands(typer.main.get_command(app)))
    assert {" key rotate", " backup", " restore", " receive"} <= set(found)
    for name, command in found.items():
        for parameter in command.params:
            words = {parameter.name or "", *parameter.opts}
            told = [word for word in words if word.strip("-") in {"key", "password", "secret"}]
            assert not told, (name, told)


# --- a new key ------------------------------------------------------------------------------------


def test_after_a_rotation_the_new_key_opens_all_of_it_and_the_old_one_nothing(kept: Home) -> None:
    with attach_stores(kept, KEY) as store:
        before = read_contents(store, "register")
    place = rotate_key(kept, ACT)
    new = read_key(kept)
    assert place == KeyFile(kept.key_file)
    assert new != KEY
    with pytest.raises(WrongCommand) as refused:
        people(kept, KEY)
    assert refused.value.key == "error.wrong_key"
    with attach_stores(kept, new) as store:
        after = read_contents(store, "register")
        constraints = "SELECT count(*) FROM duckdb_constraints() WHERE database_name = 'register'"
        kept_rules = store.connection.execute(constraints).fetchone()
    with attach_stores(make_home(kept.root.with_name("fresh")), KEY) as store:
        assert kept_rules == store.connection.execute(constraints).fetchone()
    assert {name for name in after if after[name] != before[name]} == {"reg_trail"}
    assert files(kept) == {
        "register.duckdb",
        "ledger.duckdb",
        "keys/register.key",
        "keys/register.key.old",
    }
    assert KeyFile(kept.key_file).beside(".old").read() == KEY, "backups made so far need it"


def test_every_key_before_stays_since_backups_of_its_time_open_with_it_only(kept: Home) -> None:
    keys = [read_key(kept)]
    for _ in range(2):
        rotate_key(kept, ACT)
        keys.append(read_key(kept))
    beside = [KeyFile(kept.key_file).beside(ending).read() for ending in (".old", ".old2")]
    assert beside == keys[:2]
    assert len(set(keys)) == 3


def test_a_key_moves_into_the_keyring_and_back(kept: Home, ring: MemoryKeyring) -> None:
    place = rotate_key(kept, ACT, "keyring")
    assert isinstance(place, KeyringEntry)
    assert people(kept, read_key(kept))
    assert not kept.key_file.exists()
    assert set(ring.kept) == {("campaign", place.account), ("campaign", f"{place.account}.old")}
    rotate_key(kept, ACT)
    assert find_key(kept).place == place, "it stays where it lies"
    last = read_key(kept)
    rotate_key(kept, ACT, "file")
    assert find_key(kept).place == KeyFile(kept.key_file)
    assert people(kept, read_key(kept))
    assert KeyFile(kept.key_file).beside(".old").read() == last
    assert ("campaign", place.account) not in ring.kept
    assert "keys/home.id" not in files(kept)


class Killed(BaseException):
    """The process is gone: from then on it does nothing more."""


STEPS: list[tuple[Any, str]] = [
    (KeyFile, "write"),
    (KeyFile, "remove"),
    (KeyringEntry, "write"),
    (KeyringEntry, "remove"),
    (Path, "replace"),
    (copying, "discard"),
    (copying, "_sync"),
]
"""What changes something on a disk or in a keyring."""


def killed_at_each_step(
    monkeypatch: pytest.MonkeyPatch, prepared: Home, act: Callable[[Home], object]
) -> Iterator[Home]:
    """Do `act` with copies of a home, killed one step later each time, until one lives through."""
    for steps in range(100):
        home = Home(prepared.root.with_name(f"after-{steps}"))
        shutil.copytree(prepared.root, home.root)
        left = steps

        def mortal(step: Callable[..., Any]) -> Callable[..., Any]:
            def stepped(*arguments: Any, **named: Any) -> Any:
                nonlocal left
                if left <= 0:
                    left = -1
                    raise Killed
                left -= 1
                return step(*arguments, **named)

            return stepped

        with monkeypatch.context() as patch:
            for owner, name in STEPS:
                patch.setattr(owner, name, mortal(getattr(owner, name)))
            with suppress(Killed):
                act(home)
        yield home
        if left >= 0:
            assert steps > 8
            return


@pytest.mark.parametrize("where", [None, pytest.param("keyring", marks=pytest.mark.slow)])
def test_a_rotation_that_is_killed_at_any_step_loses_neither_register_nor_key(
    kept: Home, monkeypatch: pytest.MonkeyPatch, ring: MemoryKeyring, where: Any
) -> None:
    rotated = []
    for home in killed_at_each_step(monkeypatch, kept, lambda home: rotate_key(home, ACT, where)):
        assert people(home, read_key(home)) == [("孔雀石",)]
        with attach_stores(home, read_key(home)):
            pass  # with the key as it was settled
        assert waiting_key(home) is None
        assert not any(ending in name for name in files(home) for ending in (".draft", ".wal"))
        rotated.append(read_key(home) != KEY)
    assert rotated == sorted(rotated)
    assert set(rotated) == {False, True}


@pytest.mark.slow
def test_a_key_from_the_variable_is_handed_over_in_a_file_whenever_it_is_killed(
    kept: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.key_file.unlink()
    monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    told = set()
    for home in killed_at_each_step(monkeypatch, kept, lambda home: rotate_key(home, ACT)):
        try:
            assert people(home, KEY) == [("孔雀石",)]
            told.add("as it was")
        except WrongCommand as refused:
            told.add(refused.key)
            monkeypatch.delenv("CAMPAIGN_KEY")
            assert people(home, read_key(home)) == [("孔雀石",)]
            assert home.key_file.stat().st_mode & 0o777 == 0o600
            monkeypatch.setenv("CAMPAIGN_KEY", KEY)
    assert told == {"as it was", "key.replace_variable", "error.wrong_key"}


def test_a_full_disk_leaves_the_register_as_it_was(
    kept: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(store: Store, which: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copying, "read_contents", full)
    for act in (lambda: rotate_key(kept, ACT), lambda: compact(kept, KEY)):
        with pytest.raises(OSError, match="space"):
            act()
    monkeypatch.undo()
    assert people(kept, read_key(kept)) == [("孔雀石",)]
    assert read_key(kept) == KEY
    assert files(kept) == {"register.duckdb", "ledger.duckdb", "keys/register.key"}


def test_a_copy_that_is_not_the_same_is_given_up(
    kept: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Store.run

    def run(store: Store, name: str, **named: Any) -> None:
        if name == "copy/detach":
            # as if the disk had lost somebody between writing and reading back
            with suppress(duckdb.Error):
                store.connection.execute("DELETE FROM fresh.stg_referral")
        real(store, name, **named)

    monkeypatch.setattr(Store, "run", run)
    with pytest.raises(CheckFailed) as failed:
        compact(kept, KEY)
    assert failed.value.key == "key.copy_differs"
    assert people(kept, KEY) == [("孔雀石",)]
    assert not any("draft" in name for name in files(kept))


# --- one at a time --------------------------------------------------------------------------------

OPEN = """
import sys
from datetime import datetime
from pathlib import Path
from tasks.audit import Act
from tasks.home import Home
from tasks.register import open_register
from tasks.rules.errors import CampaignError
act = Act("test", "test", "test", at=datetime(2025, 1, 1))
try:
    with open_register(Home(Path(sys.argv[1])), key="a" * 64, act=act):
        if len(sys.argv) > 2:
            print("held", flush=True)
            sys.stdin.read()
except CampaignError as error:
    sys.exit(int(error.exit))
"""


def test_while_another_process_writes_nothing_is_rewritten(kept: Home, tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(kept.root), "hold"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for act in (
            lambda: rotate_key(kept, ACT),
            lambda: compact(kept, KEY),
            lambda: rotate_pseudonyms(kept, KEY, ACT),
            lambda: back_up(kept, KEY, ACT, "990101001000", tmp_path / "backups"),
        ):
            with pytest.raises(StoreBusy) as busy:
                act()
            assert busy.value.exit == Exit.STORE_BUSY
        holder.stdin.close()
    assert read_key(kept) == KEY
    assert people(kept, KEY)


def test_while_it_is_rewritten_no_other_process_writes(
    kept: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = []
    real = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if target == kept.register:
            command = [sys.executable, "-c", OPEN, str(kept.root)]
            codes.append(subprocess.run(command, check=False).returncode)
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    rotate_key(kept, ACT)
    assert codes == [Exit.STORE_BUSY]


# --- compaction -----------------------------------------------------------------------------------


def test_what_was_deleted_is_gone_from_the_bytes_of_a_file_that_is_written_anew(
    home: Home,
) -> None:
    # the ledger, since it can be read without a key; the register is written anew the same way
    marker = b"MALACHITE-MARKER"
    fill = (
        "INSERT INTO ledger.agg_extension SELECT $c, 'sweep', range, $v, today(), 'b', 'r', now()"
    )
    for campaign, village in (("gone", marker.decode()), ("stays", "v")):
        with open_ledger(home, "write") as store:
            parameters = {"c": campaign, "v": village}
            store.connection.execute(f"{fill} FROM range(5000)", parameters)
    with open_ledger(home, "write") as store:
        store.connection.execute("DELETE FROM ledger.agg_extension WHERE campaign = 'gone'")
    assert marker in home.ledger.read_bytes(), "DuckDB leaves it there, or this test shows nothing"
    with open_ledger(home, "write") as store:
        write_anew(store, "ledger", home.ledger, None)
    assert marker not in home.ledger.read_bytes()
    with open_ledger(home) as store:
        count = "SELECT count(*) FROM ledger.agg_extension"
        assert store.connection.execute(count).fetchall() == [(5000,)]


def test_the_register_shrinks_to_what_is_in_it(kept: Home) -> None:
    fill = (
        "INSERT INTO register.reg_withdrawal SELECT $c, sha256(range::VARCHAR), today(), 'r', now()"
    )
    for campaign in ("gone", "stays"):
        with attach_stores(kept, KEY) as store:
            store.connection.execute(f"{fill} FROM range(30000)", {"c": campaign})
    with attach_stores(kept, KEY) as store:
        store.connection.execute("DELETE FROM register.reg_withdrawal WHERE campaign = 'gone'")
        before = read_contents(store, "register")
    large = kept.register.stat().st_size
    compact(kept, KEY)
    assert kept.register.stat().st_size < 0.8 * large
    assert kept.register.stat().st_mode & 0o777 == 0o600
    with attach_stores(kept, KEY) as store:
        assert read_contents(store, "register") == before
    assert people(kept, KEY) == [("孔雀石",)]


# --- the command line -----------------------------------------------------------------------------


@pytest.fixture
def campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs `campaign …` here: its exit code and all it printed."""
    monkeypatch.setenv("CAMPAIGN_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["campaign", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, "".join(capsys.readouterr())

    return run


def test_the_commands_say_where_the_key_is_and_never_the_key(
    campaign: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    said = []

    def run(*arguments: object, code: int = 0) -> str:
        found, text = campaign(*arguments)
        assert found == code, text
        said.append(text)
        return text

    assert run("key", "check", code=2).count("\n") == 1
    assert str(home.key_file) in run("key", "new")
    keys = [read_key(home)]
    run("key", "new", code=2)
    run("init", "--plan", PLAN)
    assert read_key(home) == keys[0], "init took the key that was made"
    assert str(home.key_file) in run("key", "check")
    assert str(home.key_file) in run("key", "rotate")
    keys.append(read_key(home))
    monkeypatch.setenv("CAMPAIGN_KEY", keys[0])
    assert run("key", "check", code=2).count("\n") == 1
    monkeypatch.setenv("CAMPAIGN_KEY", keys[1])
    assert "CAMPAIGN_KEY" in run("key", "check")
    home.key_file.unlink()
    assert str(home.key_file) in run("key", "rotate"), "where the new one is to be found"
    run("key", "check", code=2)
    monkeypatch.delenv("CAMPAIGN_KEY")
    keys.append(read_key(home))
    run("key", "check")
    run("key", "rotate", "--pseudonyms")
    run("key", "rotate", "--pseudonyms", "--in", "file", code=2)
    home.key_file.unlink()
    run("key", "check", code=2)
    assert len(set(keys)) == 3
    assert not any(key in text for key in keys for text in said)
    assert home.register.exists()


def test_everything_is_private_whatever_was_done(
    campaign: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    before = os.umask(0o022)
    try:
        for arguments in (
            ("init", "--plan", PLAN),
            ("key", "rotate"),
            ("key", "rotate", "--pseudonyms"),
            ("backup", "--to", tmp_path / "home" / "backups", "--keep", 2),
        ):
            assert campaign(*arguments)[0] == 0
    finally:
        os.umask(before)
    found = {path: path.stat().st_mode & 0o777 for path in (tmp_path / "home").rglob("*")}
    assert len(found) > 10
    wrong = [path for path, mode in found.items() if mode != (0o700 if path.is_dir() else 0o600)]
    assert wrong == []
