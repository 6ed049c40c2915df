"""`campaign share`, as an officer and `campaign up` run it."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from cli import up
from cli.main import main
from shared_homes import make_township, release_one
from tasks import doctor
from tasks.doctor import check_shared_ledger
from tasks.home import Home, private_folder
from tasks.keyring_entry import KeyringEntry
from tasks.ledger import open_ledger
from tasks.rules.errors import Exit
from tasks.shared_ledger import (
    SETTING,
)
from tasks.signing import public_key

PLANS = Path(__file__).parent.parent / "data" / "campaigns"
CODE = "990101101"


class Outcome(NamedTuple):
    """What a command ended with and printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with three released revisions and no register, and a setting that names a folder."""
    home, _ = make_township(tmp_path / "home", CODE)
    folder = private_folder(home.plan("autumn-2025").parent)
    (folder / "plan.toml").write_bytes((PLANS / "autumn-2025.toml").read_bytes())
    (folder / "qingping.villages.csv").write_bytes((PLANS / "qingping.villages.csv").read_bytes())
    monkeypatch.setenv("CAMPAIGN_HOME", str(home.root))
    monkeypatch.setenv(SETTING, str(tmp_path / "shared"))
    monkeypatch.setenv("CAMPAIGN_LANG", "en")
    return home


@pytest.fixture
def campaign(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return a function that runs `campaign …` in this process."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["campaign", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return run


def test_an_officer_shares_and_is_told_how_much(campaign: Run, home: Home) -> None:
    assert "3 added, 0 made good, 0 as they were" in campaign("share").out
    assert "0 added, 0 made good, 3 as they were" in campaign("share", "now").out
    told = campaign("share", "--due")
    assert told == (0, "", ""), "what looks every few minutes has nothing to say"
    with open_ledger(home, "write") as store:
        release_one(store, 4)
    assert "1 added" in campaign("share", "now", "--due").out
    found = json.loads(campaign("share", "now", "--json").out)
    assert found == {
        "new": 0,
        "made_good": 0,
        "unchanged": 4,
        "strange": 0,
        "without_plan": [],
        "to": str(home.root.parent / "shared"),
    }


def test_the_public_key_is_printed_alone_and_the_same_again(campaign: Run, home: Home) -> None:
    (home.root / "keys" / "township.key").unlink()
    refused = campaign("share")
    assert refused.code == Exit.WRONG_COMMAND
    assert "campaign share key" in refused.err
    first, again = campaign("share", "key"), campaign("share", "key")
    assert first.out == again.out == f"{public_key(home)}\n"
    private = (home.root / "keys" / "township.key").read_text("ascii")
    assert private not in first.out + first.err


def test_what_is_not_ours_and_what_has_no_plan_is_said(campaign: Run, home: Home) -> None:
    campaign("share")
    with open_ledger(home, "write") as store:
        store.connection.execute("DELETE FROM ledger.out_revision WHERE revision = 3")
        store.connection.execute("UPDATE ledger.out_revision SET campaign = 'x' WHERE revision = 2")
    told = campaign("share").out
    assert "2 under this township's code" in told
    assert "have left the home" in told
    assert "3 added" not in told


def test_without_a_setting_there_is_nothing_to_share_with(
    campaign: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SETTING)
    for command in ("now", "flush", "password"):
        refused = campaign("share", command)
        assert refused.code == Exit.WRONG_COMMAND
        assert SETTING in refused.err
    assert up._sharing() == []


def test_a_catalogue_that_does_not_answer_is_one_line_and_exit_7(
    campaign: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(SETTING, f"postgresql://town@127.0.0.1:9/ledger?files={tmp_path}")
    refused = campaign("share")
    assert (refused.code, refused.out) == (Exit.STORE_BUSY, "")
    assert refused.err.count("\n") == 1
    assert "Nothing is lost" in refused.err


def test_the_password_is_asked_for_and_kept_in_the_keyring(
    campaign: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, str] = {}
    monkeypatch.setattr(KeyringEntry, "read", lambda entry: kept.get(entry.account))
    monkeypatch.setattr(
        KeyringEntry, "write", lambda entry, secret: kept.update({entry.account: secret})
    )
    monkeypatch.setattr(KeyringEntry, "remove", lambda entry: kept.pop(entry.account))
    answers = iter(["one", "other", "gEheim", "gEheim"])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    assert "no password" in campaign("share", "password").err
    monkeypatch.setenv(SETTING, "postgresql://town@db.example/ledger?files=/mnt")
    assert campaign("share", "password").code == Exit.WRONG_COMMAND
    assert kept == {}
    done = campaign("share", "password")
    assert kept == {"town@db.example:5432": "gEheim"}
    assert "gEheim" not in done.out + done.err
    assert campaign("share", "password", "--clear").code == 0
    assert kept == {}


def test_flushing_is_a_command(campaign: Run, tmp_path: Path) -> None:
    campaign("share")
    assert campaign("share", "flush").code == 0
    assert len(list((tmp_path / "shared" / "files").rglob("*.parquet"))) == 1
    assert "3 as they were" in campaign("share").out


def test_up_looks_for_what_is_to_be_shared(home: Home) -> None:
    (look,) = up._sharing()
    assert look.line[-3:] == ["share", "now", "--due"]
    assert look.every == 300


def test_the_doctor_looks_at_the_shared_ledger(
    campaign: Run, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen() -> list[tuple[str, str]]:
        found = check_shared_ledger(home)
        assert all(each.text() and (each.level == "ok" or each.remedy()) for each in found)
        return [(each.what, each.level) for each in found]

    assert seen() == [("nothing_yet", "warn")]
    campaign("share")
    assert seen() == [("reached", "ok")]
    with monkeypatch.context() as patched:
        patched.setattr(doctor, "clocks_apart", lambda *_: timedelta(minutes=-11))
        assert seen() == [("clock", "bad")]
    (home.root / "keys" / "township.key").unlink()
    assert seen() == [("failed", "bad")]
    monkeypatch.setenv(SETTING, "postgresql://town:gEheim@db.example/ledger?files=/mnt")
    assert seen() == [("failed", "bad")]
    assert "gEheim" not in check_shared_ledger(home)[0].text()
    monkeypatch.delenv(SETTING)
    assert seen() == []
