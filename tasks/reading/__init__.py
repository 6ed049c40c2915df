"""Reading a submission: bytes of a workbook or CSV to rows of text under the contract's columns.

Reads nothing but the file it is given, stores nothing, and refuses a file whole with one line that
names file, sheet, row and column where it can, never a cell. Workbooks are taken apart in a process
of their own (`tasks.grids`); what they mean is read here.
"""

from tasks.reading.ahead import reading_ahead
from tasks.reading.submission import (
    ReadSheet,
    Submission,
    is_submission,
    is_workbook,
    read_submission,
    shown_name,
)

__all__ = [
    "ReadSheet",
    "Submission",
    "is_submission",
    "is_workbook",
    "read_submission",
    "reading_ahead",
    "shown_name",
]
