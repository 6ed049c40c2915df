"""A disk that is full or may not be written: one line, and nothing is half done.

After room was made the same command goes on, and the campaign comes to what it would have come to.
A full disk is played by the operating system, which lets no file of a process grow beyond so many
bytes; a disk that may not be written by a process without rights on it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from killed_season import (
    FEW,
    Content,
    Machine,
    Moment,
    Township,
    differences,
    machine,
    make_moments,
    make_start,
    merged,
    township,
)
from tasks.rules.errors import Exit
from tasks.rules.wording import say

MOMENTS = FEW[:2]
"""The sweep's files are taken in, and its figures released."""

LINE = 100
"""No word of an error's own is in a line that is so short."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small campaign, set up, and its files."""
    root = tmp_path_factory.mktemp("disk")
    make_start(root / "start", villages=3, residents=900, seed=3)
    return root


@pytest.fixture(scope="module")
def running() -> Iterator[Machine]:
    """The processes that meet the disk."""
    with machine() as running:
        yield running


@pytest.fixture(scope="module")
def moments(root: Path) -> list[Moment]:
    """What happens in it, in two commands."""
    found = merged(make_moments(root / "start", FEW[1].date()), MOMENTS)
    return [Moment(each.at, each.files, ("catch_up",)) for each in found]


@pytest.fixture(scope="module")
def undisturbed(root: Path, running: Machine, moments: list[Moment]) -> Content:
    """What it comes to."""
    with township(root / "start", root / "undisturbed", running) as place:
        for moment in moments:
            place.deliver(moment)
            assert caught_up(place, moment) != Exit.DISK
        return place.content(moments[-1])


def caught_up(place: Township, moment: Moment, **disk: object) -> int:
    """Run `campaign catch-up`; return its exit code. What it says of a bad disk is one line."""
    ended = place.command(moment.at, "catch-up", "--campaign", "autumn-2025", **disk)
    assert ended.error is None, ended.error
    if ended.answer["exit"] not in (0, Exit.FILE_REFUSED, Exit.ROWS_RETURNED):
        assert ended.answer["exit"] == Exit.DISK, ended.answer
        wrong = ended.answer["wrong"].splitlines()
        # what rests on it waits, and a line says so
        assert wrong[0].endswith(say("error.disk")), ended.answer
        assert all(len(line) < LINE for line in wrong[1:]), ended.answer
    return int(ended.answer["exit"])


def test_what_a_full_disk_stopped_goes_on_once_there_is_room(
    root: Path, tmp_path: Path, running: Machine, moments: list[Moment], undisturbed: Content
) -> None:
    with township(root / "start", tmp_path, running) as place:
        stopped = 0
        for moment in moments:
            place.deliver(moment)
            register = place.home.register.stat().st_size
            for most_bytes in (0, 4_096, 60_000, register, register + 300_000):
                stopped += caught_up(place, moment, most_bytes=most_bytes) == Exit.DISK
            assert caught_up(place, moment) != Exit.DISK
            place.settle(moment)
        assert stopped >= 4
        assert differences(place.content(moments[-1]), undisturbed) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere root cannot give up its rights")
def test_a_home_that_may_not_be_written_is_left_as_it_is(
    root: Path, tmp_path: Path, running: Machine, moments: list[Moment], undisturbed: Content
) -> None:
    with township(root / "start", tmp_path, running) as place:
        for moment in moments:
            place.deliver(moment)
            before = everything(place.home.root)
            with not_to_be_written(place.home.root):
                assert caught_up(place, moment, unprivileged=True) == Exit.DISK
            assert everything(place.home.root) == before
            assert caught_up(place, moment) != Exit.DISK
        assert differences(place.content(moments[-1]), undisturbed) == []


def everything(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@contextmanager
def not_to_be_written(root: Path) -> Iterator[None]:
    """Take the right to write from all of a home, which then has it again."""
    modes = {path: path.stat().st_mode for path in (root, *root.rglob("*"))}
    for path in modes:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
