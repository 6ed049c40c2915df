"""The errors a user can meet, each with its exit code; none ever carries a cell value.

An error names what is wrong, where (file, sheet, row, column, rule) and what to do. Its text comes
from the wording files, so it exists in zh-CN and en; only safe values (names of files, sheets,
columns and rules, counts, dates of a plan) may be filled in.
"""

import errno
from enum import IntEnum

from tasks.rules.wording import say


class Exit(IntEnum):
    """The exit codes other software relies on."""

    DONE = 0
    WRONG_COMMAND = 2
    FILE_REFUSED = 3
    """Nothing of the file was stored."""
    ROWS_RETURNED = 4
    """The file was stored, some of its rows went back."""
    CHECK_FAILED = 5
    """A check stopped the phase."""
    DISCLOSURE = 6
    """Disclosure control or the gate stopped a release."""
    STORE_BUSY = 7
    DISK = 8
    """The disk is full, or may not be written."""


class CampaignError(Exception):
    """An error for a user: one line in the user's language, no traceback, no cell value."""

    exit = Exit.WRONG_COMMAND

    def __init__(self, key: str, **values: object) -> None:
        """Take a wording key and the safe values its text names."""
        self.key = key
        self.values = values
        super().__init__(key)

    def text(self, language: str | None = None) -> str:
        """Return the one line in `language` (default: the process's language)."""
        return say(self.key, language, **self.values)

    def outside(self) -> "CampaignError":
        """Return what of the error may leave the health side's process, as to Prefect."""
        return self

    def __str__(self) -> str:
        return self.text()


class WrongCommand(CampaignError):
    """What was asked for cannot be done as asked: unknown campaign, missing key, bad plan."""


class FileRefused(CampaignError):
    """A submission is refused whole; nothing of it is stored."""

    exit = Exit.FILE_REFUSED


class CheckFailed(CampaignError):
    """A table rule does not hold; the phase stops before anything is published."""

    exit = Exit.CHECK_FAILED


class PeopleRuleBroken(CheckFailed):
    """A rule of a table about people does not hold; how often is for the terminal only.

    How many rows about people break a rule is a count of people, and a small one.
    """

    def __init__(self, table: str, rule: str, count: int) -> None:
        """Take the names of table and rule, and how many rows or groups break it."""
        super().__init__("check.table_rule", table=table, rule=rule, count=count)

    def outside(self) -> CampaignError:
        """Return the error without its count."""
        table, rule = self.values["table"], self.values["rule"]
        return CheckFailed("check.people_rule", table=table, rule=rule)


class DisclosureRisk(CampaignError):
    """A release would say too much about people; nothing is released or mailed."""

    exit = Exit.DISCLOSURE


class StoreBusy(CampaignError):
    """Another process holds the register or the ledger."""

    exit = Exit.STORE_BUSY


class DiskRefused(CampaignError):
    """The disk took no more: it is full, or may not be written. What was whole before still is."""

    exit = Exit.DISK

    def __init__(self) -> None:
        """Take nothing: where it happened says nothing that the officer could use."""
        super().__init__("error.disk")


_NO_ROOM = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
)


def is_of_disk(error: BaseException) -> bool:
    """Return whether an error of the operating system says that a file cannot be written."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM
