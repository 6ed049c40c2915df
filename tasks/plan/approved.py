"""The approved ad-hoc sweeps of a campaign, in a file beside its plan.

It is made from the ledger, so that a plan can be loaded without opening a store. It grants nothing:
whatever stands in it, an ad-hoc sweep is worked on only where the register holds the approval of
exactly this content (`tasks.requests.require_approved`).
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from tasks.home import write_whole
from tasks.plan.model import ApprovedFile, Occurrence
from tasks.rules.errors import WrongCommand
from tasks.rules.requests import Request

APPROVED = "approved.toml"
_HEAD = """\
# The approved ad-hoc sweeps of this campaign; written by the software, from the ledger.
# A change here is an approval of nothing: what was approved stands in the register.
"""


def read_approved(plan_file: Path) -> dict[int, Request] | None:
    """Return round -> approved request from the file beside a home's plan; None where none is.

    Raises WrongCommand where it is not as `write_approved` writes it.
    """
    path = plan_file.with_name(APPROVED)
    if plan_file.name != "plan.toml" or not path.is_file():
        return None
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = ApprovedFile.model_validate(content).approved
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError):
        entries = None  # not their words: those quote what they stumbled over
    if entries is None or len({each.round for each in entries}) < len(entries):
        raise WrongCommand("request.file_unreadable", file=path)
    return {each.round: each.request() for each in entries}


def write_approved(plan_file: Path, approved: Mapping[int, Request]) -> None:
    """Write round -> approved request beside a home's plan (0600), where it says another thing."""
    lines = [_HEAD]
    for round, request in sorted(approved.items()):
        lines += [
            "[[approved]]",
            f"round = {round}",
            f"campaign = {_text(request.campaign)}",
            f"purpose = {_text(request.purpose)}",
            f"opens = {request.opens.isoformat()}",
            f"due = {request.due.isoformat()}",
            f"villages = [{', '.join(map(_text, request.villages))}]",
            f"reason = {_text(request.reason)}",
            f"asked_by = {_text(request.asked_by)}",
            "",
        ]
    content = "\n".join(lines).encode("utf-8")
    path = plan_file.with_name(APPROVED)
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)


def approved_occurrences(
    approved: Mapping[int, Request], campaign: str, in_plan: Sequence[Request]
) -> list[Occurrence]:
    """Return the approved sweeps of `campaign` as occurrences, by round.

    `in_plan`: what the plan file asks for now. An approval of what stood in the plan and does not
    any more has lapsed: its scope was changed.
    """
    return [
        ad_hoc_sweep(round, request, approved=True)
        for round, request in sorted(approved.items())
        if request.campaign == campaign and (not request.stands_in_plan or request in in_plan)
    ]


def ad_hoc_sweep(round: int, request: Request, *, approved: bool) -> Occurrence:
    """Return a requested sweep as an occurrence; no rest-day rule moves its window."""
    return Occurrence(
        phase="sweep",
        round=round,
        period=None,
        opens=request.opens,
        due=request.due,
        words=request.due.isoformat(),
        rule="none",
        provisional=False,
        ad_hoc=True,
        villages=request.villages,
        request=request if approved else None,
    )


def _text(value: str) -> str:
    """Return `value` as a TOML string: as JSON writes it, since it holds no control character."""
    return json.dumps(value, ensure_ascii=False)
