"""Backups: restored elsewhere they are the home that was backed up; all else is refused."""

import json
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cli.main import main
from conftest import ACT, KEY, WriteCsv, coverage, make_home, open_home
from register_rows import add_referral
from tasks import backup
from tasks.audit import verify_trail
from tasks.backup import Backup, back_up, restore
from tasks.home import Home, write_whole
from tasks.keys import KeyFile, read_key
from tasks.register import attach_stores, open_register
from tasks.rotation import rotate_key
from tasks.rules.errors import CampaignError, StoreBusy, WrongCommand

CENTRE = "990101001000"
NOON = datetime(2025, 11, 1, 12, 0)
PLAN = Path(__file__).parent.parent / "data" / "campaigns" / "autumn-2025.toml"
MARKER = "孔雀石标记"


@pytest.fixture(autouse=True)
def no_key_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CAMPAIGN_KEY", "CAMPAIGN_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with somebody in it, and with files that are and are not to be kept."""
    home = make_home(tmp_path_factory.mktemp("prepared") / "home")
    KeyFile(home.key_file).write(KEY)
    with open_home(home) as store:
        add_referral(store, "R-1", full_name=MARKER)
    for name in KEPT:
        write_whole(home.root / name, f"content of {name}".encode())
    for name in ("inbox/a.xlsx", "returns/v/b.xlsx", "prefect/p.db", "exports/e.xlsx", "mail/m"):
        write_whole(home.root / name, MARKER.encode())
    return home


@pytest.fixture(scope="module")
def file(prepared: Home) -> Path:
    """A backup of that home."""
    return made(prepared, prepared.root.with_name("backups"))


@pytest.fixture
def kept(prepared: Home, tmp_path: Path) -> Home:
    """That home, for a test that changes it."""
    shutil.copytree(prepared.root, tmp_path / "kept")
    return Home(tmp_path / "kept")


KEPT = ("plans/c/plan.toml", "plans/c/villages.csv", "questions/c.csv", "reports/c/r1.html")


def made(home: Home, folder: Path, minutes: int = 0, keep: int | None = None) -> Path:
    act = replace(ACT, at=NOON + timedelta(minutes=minutes))
    return back_up(home, read_key(home), act, CENTRE, folder, keep)[0].path


def tables(home: Home, key: str) -> dict[str, list[Any]]:
    """All that both stores hold, but for the note of a backup: it is made after it."""
    with attach_stores(home, key) as store:
        names = store.connection.execute(
            "SELECT database_name || '.' || table_name FROM duckdb_tables() "
            "WHERE database_name IN ('register', 'ledger') AND table_name <> 'agg_backup'"
        ).fetchall()
        return {
            name: sorted(store.connection.execute(f"FROM {name}").fetchall(), key=repr)
            for (name,) in names
        }


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_restored_elsewhere_it_is_the_home_that_was_backed_up(
    prepared: Home, file: Path, tmp_path: Path
) -> None:
    elsewhere = Home(tmp_path / "elsewhere")
    assert restore(file, elsewhere, KEY) == Backup(file, CENTRE, NOON)
    before, after = tables(prepared, KEY), tables(elsewhere, KEY)
    assert after == before
    assert any(MARKER in repr(rows) for rows in after.values()), "or this test shows nothing"
    found = files(elsewhere.root)
    assert set(found) == {"register.duckdb", "ledger.duckdb", *KEPT}
    assert {name: found[name] for name in KEPT} == {
        name: content for name, content in files(prepared.root).items() if name in KEPT
    }
    with open_register(elsewhere, key=KEY, act=replace(ACT, at=NOON)) as store:
        verdict = verify_trail(store)
    assert verdict.breaks == ()
    assert verdict.entries > 2


def test_nothing_of_it_can_be_read_without_the_key(prepared: Home, file: Path) -> None:
    content = file.read_bytes()
    for text in (MARKER, "990101001001", "plan.toml", "content of", KEY, "agg_submission"):
        assert text.encode() not in content
    assert not list(prepared.root.glob("backup*")), "nothing half-made is left in the home"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_of_any_size_is_kept_whole(
    kept: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = 100_000
    monkeypatch.setattr(backup, "PART", part)
    contents = {"reports/empty": b"", "reports/one": b"x" * part, "reports/more": b"y" * (part + 1)}
    for name, content in contents.items():
        write_whole(kept.root / name, content)
    elsewhere = Home(tmp_path / "elsewhere")
    restore(made(kept, tmp_path), elsewhere, KEY)
    found = files(elsewhere.root)
    assert {name: found[name] for name in contents} == contents


# --- what is refused ------------------------------------------------------------------------------


def assert_refused(file: Path, home: Home, key: str, wording: str) -> None:
    before = files(home.root) if home.root.exists() else None
    with pytest.raises(WrongCommand) as refused:
        restore(file, home, key)
    assert refused.value.key == wording
    assert len(refused.value.text().splitlines()) == 1
    assert MARKER not in refused.value.text()
    after = files(home.root) if home.root.exists() else None
    assert after == before, "nothing is left behind"


def test_another_key_opens_no_backup(kept: Home, file: Path, tmp_path: Path) -> None:
    assert_refused(file, Home(tmp_path / "new"), "b" * 64, "error.wrong_key")
    rotate_key(kept, ACT)
    assert_refused(file, Home(tmp_path / "new"), read_key(kept), "error.wrong_key")
    restore(file, Home(tmp_path / "new"), KEY)


def is_restored(content: bytes, folder: Path) -> bool:
    """Answer whether a backup of this content is restored; where not, it is refused cleanly."""
    folder.mkdir()
    file, home = folder / "altered.backup", Home(folder / "home")
    file.write_bytes(content)
    with suppress(WrongCommand):
        restore(file, home, KEY)
    assert home.root.exists() == home.ledger.exists(), "all of it or nothing"
    return home.root.exists()


def test_a_file_that_was_cut_off_or_altered_is_refused_or_the_same(
    prepared: Home, file: Path, tmp_path: Path
) -> None:
    content = file.read_bytes()
    cut = [content[: int(len(content) * share)] for share in (0, 0.001, 0.3, 0.6, 0.98)]
    altered = []
    for place in range(50, len(content), len(content) // 10):
        altered.append(bytearray(content))
        altered[-1][place] ^= 1
    restored = []
    for number, each in enumerate([*cut, *map(bytes, altered)]):
        folder = tmp_path / str(number)
        restored.append(is_restored(each, folder))
        if restored[-1]:
            # a block that nothing is read from
            assert tables(Home(folder / "home"), KEY) == tables(prepared, KEY)
    assert not any(restored[:4])
    assert restored.count(False) > 8


def test_a_damaged_backup_is_said_in_one_line(file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.backup"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert_refused(cut, Home(tmp_path / "new"), KEY, "backup.damaged")


def test_what_is_no_backup_is_refused(prepared: Home, tmp_path: Path) -> None:
    text = tmp_path / "letter.backup"
    text.write_bytes(b"x" * 5000)
    assert_refused(text, Home(tmp_path / "new"), KEY, "backup.damaged")
    assert_refused(prepared.register, Home(tmp_path / "new"), KEY, "backup.damaged")
    assert_refused(tmp_path / "nothing", Home(tmp_path / "new"), KEY, "backup.no_file")


def test_only_an_empty_place_is_restored_into(prepared: Home, file: Path, tmp_path: Path) -> None:
    assert_refused(file, prepared, KEY, "backup.not_empty")
    other = Home(tmp_path / "other")
    write_whole(other.root / "note.txt", b"x")
    assert_refused(file, other, KEY, "backup.not_empty")
    with_key = Home(tmp_path / "with-key")
    KeyFile(with_key.key_file).write(KEY)
    restore(file, with_key, read_key(with_key))
    assert read_key(with_key) == KEY


def test_a_restore_that_fails_leaves_the_key_that_lay_there(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "new")
    KeyFile(home.key_file).write(KEY)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_unpack_file", full)
    with pytest.raises(OSError, match="space"):
        restore(file, home, KEY)
    assert set(files(home.root)) == {"keys/register.key"}
    monkeypatch.undo()
    restore(file, home, KEY)


# --- making one -----------------------------------------------------------------------------------


def test_a_backup_that_does_not_read_back_is_not_kept(
    kept: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(kept, tmp_path / "backups")

    def damaged(*_: object) -> None:
        raise WrongCommand("backup.damaged", file="x")

    monkeypatch.setattr(backup, "_unpack", damaged)
    with pytest.raises(CampaignError):
        made(kept, tmp_path / "backups", minutes=1, keep=1)
    assert list((tmp_path / "backups").iterdir()) == [first], "and the older one stays"
    assert not list(kept.root.glob("backup*"))


def test_the_oldest_go_and_other_centres_stay(kept: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [f"campaign-{CENTRE}-2025110{day}T120000.backup" for day in (1, 2, 3)]
    others = ["campaign-990101002000-20200101T000000.backup", "letter.txt"]
    for name in (*old, *others):
        (folder / name).write_bytes(b"x")
    act = replace(ACT, at=NOON + timedelta(days=5))
    newest, removed = back_up(kept, KEY, act, CENTRE, folder, keep=2)
    assert {path.name for path in removed} == {old[0], old[1]}
    assert {path.name for path in folder.iterdir()} == {newest.path.name, old[2], *others}


def test_who_was_removed_leaves_the_backups_with_their_rotation(kept: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    made(kept, folder, keep=2)
    with open_home(kept) as store:
        store.connection.execute("DELETE FROM register.stg_referral")
    for minute in (1, 2):
        made(kept, folder, minutes=minute, keep=2)
    assert len(list(folder.iterdir())) == 2
    for number, file in enumerate(sorted(folder.iterdir())):
        home = Home(tmp_path / f"restored-{number}")
        restore(file, home, KEY)
        assert MARKER not in repr(tables(home, KEY))


def test_what_a_killed_backup_left_goes_with_the_next_and_of_other_centres_stays(
    kept: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    left = [f"campaign-{CENTRE}-20251031T120000.backup{end}" for end in (".part", ".part.wal")]
    other = "campaign-990101002000-20251031T120000.backup.part"
    for name in (*left, other):
        write_whole(folder / name, b"x")
    path = made(kept, folder)
    assert {each.name for each in folder.iterdir()} == {path.name, other}


def test_a_second_backup_at_the_same_time_is_told_so_and_disturbs_nothing(
    kept: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_open(*_: object, **__: object) -> NoReturn:
        raise StoreBusy("error.store_busy", file="register.duckdb")

    monkeypatch.setattr(backup, "open_register", is_open)
    of_the_first = kept.root / "backup.part" / "register.duckdb"
    draft = tmp_path / f"campaign-{CENTRE}-20251101T115900.backup.part"
    for path in (of_the_first, draft):
        write_whole(path, b"x")
    with pytest.raises(StoreBusy):
        made(kept, tmp_path)
    assert of_the_first.exists()
    assert draft.exists()


def test_the_same_name_is_not_overwritten(kept: Home, tmp_path: Path) -> None:
    made(kept, tmp_path)
    with pytest.raises(WrongCommand) as refused:
        made(kept, tmp_path)
    assert refused.value.key == "backup.is_there"


# --- the command line -----------------------------------------------------------------------------


def test_a_restored_home_goes_on_working(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    write_csv: WriteCsv,
) -> None:
    village = "990101101201"
    first, second = Home(tmp_path / "first"), Home(tmp_path / "second")
    for name in ("CAMPAIGN_HOME", "CAMPAIGN_KEY", "CAMPAIGN_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(home: Home, *arguments: object) -> tuple[int, str]:
        words = ["campaign", *map(str, arguments), "--home", str(home.root)]
        monkeypatch.setattr(sys, "argv", words)
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, "".join(capsys.readouterr())

    assert run(first, "init", "--plan", PLAN)[0] == 0
    sent = write_csv("coverage", [coverage(village_code=village)], village=village)
    assert run(first, "receive", sent)[0] == 0
    assert run(first, "backup", "--to", tmp_path / "backups", "--keep", 3, "--by", "李")[0] == 0
    (file,) = (tmp_path / "backups").iterdir()
    key = read_key(first)

    code, text = run(second, "restore", file)
    assert (code, len(text.splitlines())) == (2, 1), "the key did not come along"
    assert not second.root.exists()
    monkeypatch.setenv("CAMPAIGN_KEY", key)
    code, text = run(second, "restore", file)
    assert code == 0
    assert "campaign run retention" in text
    assert key not in text
    shown = [json.loads(run(home, "status", "--json")[1])["campaigns"] for home in (first, second)]
    assert shown[0] == shown[1]
    code, text = run(second, "receive", sent, "--json")
    assert code == 0
    assert '"repeated": true' in text, "it knows the file"
    assert run(second, "audit", "verify")[0] == 0
    assert "restore" in run(second, "audit", "show")[1]
    left = [path for path in second.root.rglob("*") if path.stat().st_mode & 0o077]
    assert left == []
