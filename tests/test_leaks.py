"""Nothing leaks through the machinery: markers in people's data, every step made to fail, a search.

Real commands, Prefect's real server, a real mail server; what they leave behind is searched byte
for byte. Only senders' own files and the register may hold a marker, and the register none that
came without consent.
"""

import base64
import csv
import gzip
import json
import os
import pickle
import quopri
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage
from itertools import product, repeat
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ACT, write_grids, write_workbook
from leak_markers import (
    CHILDREN,
    Mint,
    Row,
    Searcher,
    care_group,
    coverage,
    follow_up,
    in_wrong_cells,
    outcome,
    readiness,
    referral,
    registered,
    service_month,
    without_consent,
)
from reports.pack import Document, Section
from reports.printed import printed_pack
from tasks.home import Home
from tasks.plan import Plan
from tasks.rules.contract import SHEETS, Identity, write_identity
from tasks.rules.file_names import name_to_keep, name_to_show
from tasks.rules.wording import LANGUAGES, say
from tasks.store import Store, memory
from tasks.watch import Folder, watch
from tasks.workbook_password import decrypt_workbook

ROOT = Path(__file__).parent.parent
PLANS = ROOT / "data" / "campaigns"
RUNNER = Path(__file__).with_name("leak_run.py")
SLUG = "autumn-2025"
V1, V2, V3, V4, V5 = (f"99010110120{n}" for n in range(1, 6))
CENTRE = "990101101000"
NOW = "2025-12-09T09:00"
"""When the season is looked back on; wall time of the plan."""
TIME = 600.0
"""Seconds for a child."""

SWEEP_AGAIN = {
    "campaign": SLUG,
    "purpose": "service_gap",
    "villages": [V4, V5],
    "opens": "2025-12-10",
    "due": "2025-12-20",
    "reason": "households_missed",
    "asked_by": "leading_group",
}
ASKED: dict[str, dict[str, Any]] = {
    "catch_up": {"campaign": SLUG, "as_of": "2025-02-19"},
    "request_sweep": SWEEP_AGAIN | {"villages": [V3]},
}
"""Flow -> what it is called with; before the plan was issued nothing is owed."""


# --- what is planted ------------------------------------------------------------------------------


def identity(village: str, phase: str = "sweep", round: int = 1) -> Identity:
    return Identity(SLUG, phase, round, village, 1)


def write_csv(
    path: Path, sheet: str, rows: Sequence[Row], of: Identity, encoding: str = "utf-8-sig"
) -> Path:
    columns = SHEETS[sheet].columns
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([write_identity(of)])
        writer.writerow([column.heads[0] for column in columns])
        writer.writerows([[row.get(column.name, "") for column in columns] for row in rows])
    return path


@dataclass
class Planted:
    """The files of a delivery, by what becomes of them; `box` is the sender's folder."""

    box: Path
    mint: Mint = field(default_factory=Mint)
    taken: list[Path] = field(default_factory=list)
    refused: list[Path] = field(default_factory=list)
    inbox: list[Path] = field(default_factory=list)
    late: list[Path] = field(default_factory=list)
    """Put into the inbox once the phases they belong to have run."""
    later: list[Path] = field(default_factory=list)
    known: list[Row] = field(default_factory=list)
    """Accepted referrals, for looking people up."""

    def name(self, ending: str) -> Path:
        """A file named after somebody, with a telephone number behind it."""
        who = self.mint.text("file name")
        return self.box / f"{who}{self.mint.phone('file name', kept=False)}{ending}"


def plant(box: Path) -> Planted:
    box.mkdir(parents=True)
    planted = Planted(box)
    plant_sweep(planted)
    plant_inbox(planted)
    plant_health_sheets(planted)
    plant_service(planted)
    plant_refused(planted)
    return planted


def referrals_of_all_kinds(mint: Mint, village: str, why: str) -> list[Row]:
    """Every way in which a referral is not accepted."""

    def some(kind: str) -> Iterator[Row]:
        return (referral(mint, f"{why}, {kind}", village) for _ in repeat(None))

    child = mint.day("referral, child: birth_date", CHILDREN, kept=False)
    own = referral(mint, f"{why}, ID of another", village)
    return [
        *in_wrong_cells(mint, "referral", some("returned")),
        *without_consent(mint, "referral", some("no consent")),
        referral(mint, f"{why}, child", village, birth_date=child, resident_id=""),
        referral(mint, f"{why}, cut ID", village, resident_id="990177192101011000"),
        own | {"resident_id": mint.resident_id("referral, another's ID", "1920-02-03", "女")},
        referral(mint, f"{why}, from far away", village)
        | dict.fromkeys(("residence_village", "registered_village"), "110101001001"),
    ]


def plant_sweep(planted: Planted) -> None:
    mint = planted.mint
    kept = [referral(mint, "accepted", V1, kept=True) for _ in range(12)]
    grids = [coverage(mint, "accepted", V1, kept=True) for _ in range(2)]
    sheets = {"coverage": grids, "referral": kept}
    planted.taken.append(write_workbook(planted.name(".xlsx"), sheets, identity(V1)))
    planted.known = kept
    # somebody who may be the first one: a question for a human
    double = referral(mint, "doubtful", V2, kept=True, resident_id="")
    double |= {"full_name": kept[0]["full_name"], "phone": kept[0]["phone"]}
    wrong = in_wrong_cells(mint, "coverage", (coverage(mint, "returned", V2) for _ in repeat(None)))
    wrong += [
        coverage(mint, "too many", V2, households_visited="500"),
        coverage(mint, "backwards", V2, visits_to="2025-10-01"),
        coverage(mint, "nil beside people", V2, nil_return="是"),
    ]
    rows = [double, double, *referrals_of_all_kinds(mint, V2, "XLSX")]
    sheets = {"coverage": wrong, "referral": rows}
    planted.taken.append(write_workbook(planted.name(".xlsx"), sheets, identity(V2)))
    rows = [referral(mint, "accepted", V3, kept=True) for _ in range(3)]
    rows += referrals_of_all_kinds(mint, V3, "CSV")
    planted.taken.append(write_csv(planted.name(".csv"), "referral", rows, identity(V3), "gb18030"))
    checklists = [readiness(V1), *in_wrong_cells(mint, "readiness", repeat(readiness(V1)))]
    planted.taken.append(
        write_csv(planted.name(".csv"), "readiness", checklists, identity(V1, "readiness", 0))
    )


def plant_inbox(planted: Planted) -> None:
    mint = planted.mint
    rows = [referral(mint, "inbox, accepted", V5, kept=True) for _ in range(3)]
    rows += referrals_of_all_kinds(mint, V5, "inbox")
    sheets = {"coverage": [coverage(mint, "inbox, accepted", V5, kept=True)], "referral": rows}
    planted.inbox.append(write_workbook(planted.name(".xlsx"), sheets, identity(V5)))
    wrong = in_wrong_cells(
        mint, "coverage", (coverage(mint, "inbox, returned", V4) for _ in repeat(None))
    )
    planted.inbox.append(write_csv(planted.name(".csv"), "coverage", wrong, identity(V4)))
    rows = [referral(mint, "late, accepted", V4, kept=True) for _ in range(3)]
    rows += referrals_of_all_kinds(mint, V4, "late")
    sheets = {"coverage": [coverage(mint, "late, accepted", V4, kept=True)], "referral": rows}
    planted.late.append(write_workbook(planted.name(".xlsx"), sheets, identity(V4)))
    line = mint.text("refused file: late")
    planted.late.append(write_grids(planted.name(".xlsx"), {line: [[line], [line]]}))


def plant_health_sheets(planted: Planted) -> None:
    mint = planted.mint
    kept = [registered(mint, "accepted", V1, kept=True) for _ in range(4)]

    def some(kind: str) -> Iterator[Row]:
        return (registered(mint, kind, V1) for _ in repeat(None))

    own = registered(mint, "ID of another", V1)
    people = [
        *kept,
        kept[0],
        *in_wrong_cells(mint, "registered_person", some("returned")),
        *without_consent(mint, "registered_person", some("no consent")),
        registered(mint, "consent for less", V1, consent_scope="评估"),
        registered(mint, "cut ID", V1, resident_id="990177192101011000"),
        own | {"resident_id": mint.resident_id("registered_person, another's", "1920-02-03", "男")},
        registered(mint, "from far away", V1)
        | dict.fromkeys(("residence_village", "registered_village"), "110101001001"),
    ]
    number = kept[0]["register_no"]
    *met, gone = kept
    visits = [follow_up(mint, "accepted", each["register_no"], kept=True) for each in met]
    visits[1]["medication"] = "3"  # a gap of care
    visits += in_wrong_cells(
        mint, "follow_up", (follow_up(mint, "returned", number) for _ in repeat(None))
    )
    died: Row = {"seen": "其他", "lost_reason": "死亡", "stability": "", "rating": ""}
    visits += [
        follow_up(mint, "of nobody", mint.licence("follow_up: register_no", kept=False)),
        follow_up(mint, "dead, then met", gone["register_no"]) | died,
        follow_up(mint, "met, was dead", gone["register_no"]),
        follow_up(mint, "seen and away", number, lost_reason="外出务工"),
        follow_up(mint, "to come", number, visited_on="2031-01-01", entered_on="2031-01-01"),
        follow_up(mint, "before the diagnosis", number, visited_on="2016-01-01"),
    ]
    # a visit is accepted of whom the register knows already: later
    for sheet, rows, files in (
        ("registered_person", people, planted.taken),
        ("follow_up", visits, planted.later),
    ):
        of = identity(CENTRE, "follow_up", 0)
        files.append(write_workbook(planted.name(".xlsx"), {sheet: rows}, of))


def plant_service(planted: Planted) -> None:
    mint = planted.mint
    rows = [service_month(V1), *in_wrong_cells(mint, "service_month", repeat(service_month(V1)))]
    rows += [
        service_month(V1, subsidy_paid="3"),
        service_month(V1, subsidy_reviewed="3"),
        service_month(V1, month="2026-03"),
    ]
    roles = [care_group(V1), *in_wrong_cells(mint, "care_group", repeat(care_group(V1)))]
    roles.append(care_group(V1, role="网格员", filled="否"))
    accepted = {"service_month": [service_month(V3)], "care_group": [care_group(V3)]}
    for village, sheets in (V1, {"service_month": rows, "care_group": roles}), (V3, accepted):
        for sheet, lines in sheets.items():
            planted.later.append(
                write_csv(planted.name(".csv"), sheet, lines, identity(village, "supervision", 1))
            )


def plant_refused(planted: Planted) -> None:
    """Files that nothing is taken of, each for another reason, each with a marker in the way."""
    mint = planted.mint
    line = [write_identity(identity(V1))]
    heads = [column.heads[0] for column in SHEETS["referral"].columns]

    def text(why: str) -> str:
        return mint.text(f"refused file: {why}")

    def row(why: str) -> list[str]:
        cells = referral(mint, f"refused, {why}", V1)
        return [cells[column.name] for column in SHEETS["referral"].columns]

    grids: dict[str, dict[str, Sequence[Sequence[object]]]] = {
        "unknown head": {"转介人员": [line, [*heads, text("head")], row("unknown head")]},
        "missing head": {text("sheet name"): [line, heads[1:], row("missing head")[1:]]},
        "outside": {text("sheet name"): [line, heads, [*row("outside"), "", text("outside")]]},
        "twice": {
            text("sheet name"): [line, heads, row("twice")],
            text("sheet name"): [line, heads, row("twice")],
        },
        "no head": {"转介人员": [line, [text("no head")], row("no head")]},
        "no identity": {"转介人员": [[f"报送标识 campaign={text('line')}"], heads, row("no")]},
        "title": {"转介人员": [line, [text("title")], heads, ["", *row("moved")]]},
    }
    for sheets in grids.values():
        planted.refused.append(write_grids(planted.name(".xlsx"), sheets))
    other = Identity("other", "sweep", 1, V1, 1)
    for of in (other, identity("999999999999"), identity(V1, round=9)):
        rows = [referral(mint, "refused, of elsewhere", V1)]
        planted.refused.append(write_csv(planted.name(".csv"), "referral", rows, of))
    rows = [registered(mint, "refused, sent by a village", V1)]
    of = identity(V1, "follow_up", 0)
    planted.refused.append(write_csv(planted.name(".csv"), "registered_person", rows, of))
    broken = {
        ".xlsx": f"PK\x03\x04{text('broken workbook')}",
        ".xls": f"{text('broken workbook')}",
        ".ods": f"PK\x03\x04{text('broken workbook')}",
        ".csv": f'{line[0]}\n"{text("unclosed quotation mark")}\n',
        f".{text('ending')}": text("content"),
    }
    for ending, content in broken.items():
        path = planted.name(ending)
        path.write_text(content, encoding="utf-8")
        planted.refused.append(path)
    empty = planted.name(".csv")
    empty.touch()
    planted.refused.append(empty)


# --- running it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """A machine of its own, as far as a command can see: its home and all folders around it."""

    root: Path

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    @property
    def box(self) -> Path:
        return self.root / "box"

    def prepare(self) -> None:
        for name in ("user", "temporary", "work", "said", "mail"):
            (self.root / name).mkdir(parents=True, mode=0o700)

    def environment(self) -> dict[str, str]:
        """What a process here is given: its own folders, and no setting from outside."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CAMPAIGN", "PREFECT", "XDG", "PYTEST"))
        }
        return kept | {
            "HOME": str(self.root / "user"),
            "TMPDIR": str(self.root / "temporary"),
            "CAMPAIGN_HOME": str(self.home.root),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PYTHONFAULTHANDLER": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "400",
        }

    def run(
        self,
        name: str,
        commands: Sequence[Mapping[str, Any]],
        *,
        kill_after: float | None = None,
        **task: Any,
    ) -> tuple[int, list[int | None]]:
        """Run commands in a child; return its exit code, and the commands' as far as they got."""
        codes, opened = self.box / f"{name}-codes.json", self.opened(name)
        given = {
            "home": str(self.home.root),
            "commands": commands,
            "codes": str(codes),
            "opened": str(opened),
        }
        given |= task
        task_file = self.box / f"{name}.json"
        task_file.write_text(json.dumps(given, default=str), encoding="utf-8")
        said = self.root / "said"
        with (said / f"{name}.out").open("wb") as out, (said / f"{name}.err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, str(RUNNER), str(task_file)],
                env=self.environment(),
                cwd=self.root / "work",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                process.wait(timeout=TIME if kill_after is None else kill_after)
            except subprocess.TimeoutExpired:
                assert kill_after is not None, self.said(name)
            finally:
                with suppress(ProcessLookupError):  # a killed child leaves its server behind
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        reached = json.loads(codes.read_text("utf-8")) if codes.exists() else []
        return process.returncode, reached

    def opened(self, name: str) -> Path:
        """Where the child notes what it opened for writing."""
        return self.box / f"{name}-opened.json"

    def said(self, name: str) -> str:
        folder = self.root / "said"
        return "".join((folder / f"{name}.{each}").read_text("utf-8") for each in ("out", "err"))


def write_plan(folder: Path) -> Path:
    """Plan A with a readiness phase before it and a meeting pack after: every sheet and phase."""
    folder.mkdir(parents=True)
    for path in PLANS.glob("*.villages.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    text = (PLANS / f"{SLUG}.toml").read_text("utf-8")
    more = (
        '[[phases]]\nphase = "readiness"\nopens = 2025-08-01\ndue = 2025-08-29\n\n'
        '[[phases]]\nphase = "supervision"\npack = true\nfirst = "2025-Q4"\nlast = "2025-Q4"\n'
        'due = "季后10日"\n\n'
    )
    (folder / "plan.toml").write_text(
        text.replace("[[phases]]", f"{more}[[phases]]", 1), encoding="utf-8"
    )
    return folder / "plan.toml"


def campaign(*words: object, code: int = 0, **how: Any) -> dict[str, Any]:
    """A command and the exit code it must end with."""
    return {"argv": [str(word) for word in words], "code": code} | how


def phase(name: str, day: str, code: int = 0, **how: Any) -> dict[str, Any]:
    return campaign("run", name, "--campaign", SLUG, "--as-of", day, code=code, **how)


def as_worker(flow: str, code: int = 0, **how: Any) -> dict[str, Any]:
    """A flow as Prefect runs it, and the exit code of the error it must end with."""
    return {"flow": flow, "parameters": ASKED[flow], "code": code} | how


def asked_with(parameters: Mapping[str, Any], **other: str) -> list[str]:
    """The same request on the command line."""
    words = [f"--village={each}" for each in parameters["villages"]]
    single = {name: value for name, value in parameters.items() if name != "villages"} | other
    names = {"asked_by": "by"}
    return [*words, *(f"--{names.get(name, name)}={value}" for name, value in single.items())]


def received(files: Sequence[Path | str], at: str, code: int, **how: Any) -> dict[str, Any]:
    return campaign("receive", *files, "--received-at", at, code=code, **how)


def a_season(planted: Planted, plan: Path, site: Site) -> list[dict[str, Any]]:
    """What a health centre does in a campaign, in order, from set-up to the meeting pack."""
    mint = planted.mint
    everything = [*planted.taken, *planted.refused]
    outcomes = [
        outcome(mint, "accepted", "", kept=True),
        outcome(mint, "accepted", "", kept=True, outcome="未确诊", diagnosis=""),
        *in_wrong_cells(mint, "assessment_outcome", (outcome(mint, "x", "") for _ in range(9))),
        outcome(mint, "diagnosis without a disorder", "", outcome="未确诊"),
    ]
    answered = planted.name(".xlsx")
    refusal = mint.phone("mail server's refusal", kept=False)
    decided = ("--by", "officer", "--reason")
    return [
        campaign("init", "--plan", plan),
        campaign("outbox", "preview", "--campaign", SLUG, "--dry-run"),
        campaign("deploy", "--dry-run"),
        campaign("templates", "--campaign", SLUG),
        campaign("check", *everything, code=3),
        received(planted.taken, "2025-10-28T09:00", 4),
        # sent again, and told to machines
        received([*planted.taken[:2], *planted.refused, "--json"], "2025-10-28T10:00", 3),
        received(planted.later, "2025-12-03T09:00", 4),
        received([planted.name(".xlsx")], "2025-10-28", 2),
        received([site.box / "folder"], "2025-10-28", 2),
        {"do": "inbox", "files": [*planted.inbox, *planted.refused]},
        # the mail server says whose mail it does not take
        phase("sweep", "2025-10-31", 3, answers={"RCPT": f"550 5.1.1 {refusal}"}),
        campaign("outbox", "resolve", "@failed0", "--send-again", *decided, "mended"),
        phase("list_compilation", "2025-11-10", hangs_up=True),
        campaign("outbox", "resolve", "@unknown0", "--arrived", *decided, "telephoned"),
        campaign("questions", "list", "--campaign", SLUG),
        campaign("questions", "show", "@question", "--campaign", SLUG, shows_people=True),
        campaign(
            "questions", "take", everything[-1], "--campaign", SLUG, "--by", "officer", code=3
        ),
        campaign(
            "questions", "answer", "@question", "different", "--campaign", SLUG, "--by", "officer"
        ),
        phase("diagnosis_queue", "2025-11-11", hangs_up=True),
        campaign("session", "2025-11-12", "--campaign", SLUG, shows_people=True),
        campaign("export", "session", "2025-11-12", "--campaign", SLUG, "--reason", "clinic"),
        {
            "do": "outcomes",
            "rows": outcomes,
            "path": answered,
            "identity": asdict(identity(CENTRE, "diagnosis_queue", 0)),
        },
        received([answered], "2025-11-12T18:00", 4),
        # nobody looked for weeks: what lies there is late, and what is owed runs but for what fails
        {"do": "inbox", "files": planted.late},
        as_worker(
            "catch_up",
            5,
            parameters={"campaign": SLUG, "as_of": "2025-12-06"},
            fault="step:erase_what_is_due",
            secret=mint.text("step:erase_what_is_due"),
        ),
        {
            "do": "look",
            "campaign": SLUG,
            "seen": site.box / "seen.json",
            "returns": site.box / "returns",
        },
        campaign("outbox", "list"),
        campaign("outbox", "preview", "--campaign", SLUG, "--json"),
        # who sends by hand is told that some may have arrived
        campaign("outbox", "send", "--retry-failed", SLUG, code=1),
    ]


def two_keys(planted: Planted) -> list[dict[str, Any]]:
    """The office asks for a sweep, the health side decides; a phase is opened again."""
    mint = planted.mint
    health = ("--by", "health officer")
    again = ("phase", "reopen", "--campaign", SLUG, "--phase", "supervision", "--round", 1)
    until = ("--until", "2025-12-20", "--by", "officer")

    def wrong(**what: str) -> dict[str, Any]:
        return campaign("request", *asked_with(SWEEP_AGAIN, **what), code=2)

    return [
        campaign("request", *asked_with(SWEEP_AGAIN)),
        *(wrong(**{name: mint.text(f"request: {name}")}) for name in ("purpose", "reason")),
        wrong(village=mint.text("request: village")),
        wrong(village=mint.phone("request: village", kept=False)),
        campaign("approve", mint.text("request: id"), *health, code=2),
        as_worker("request_sweep"),
        campaign("approve", "@request0", *health, "--reason", mint.text("approved", kept=True)),
        campaign(
            "decline", "@request1", *health, "--reason", mint.text("request: declined"), code=2
        ),
        campaign("decline", "@request1", *health, "--reason", "scope"),
        as_worker("request_sweep"),
        campaign("requests"),
        campaign("requests", "--json"),
        campaign(*again, *until, "--reason", mint.text("reopened"), code=2),
        campaign(*again, *until, "--reason", "corrections"),
        campaign("phase", "show", "--campaign", SLUG),
        campaign("keep-up"),
    ]


def care_of_a_quarter(planted: Planted, site: Site) -> list[dict[str, Any]]:
    """What is done for people on the register, what the joint meeting decides, and its pack."""
    mint = planted.mint
    number = register_number(mint)
    of = ("--campaign", SLUG)
    decided = ("--by", mint.text("staff", kept=True), "--reason", mint.text("why", kept=True))
    ours = ("--by", "officer")
    letterhead = site.box / "letterhead.docx"
    made_good = (*of, "--village", V2, "--shortfall", "report_missing")
    pack = ("pack", *of, "--quarter", "2025-Q4")

    def wrong(*words: str, **options: str) -> list[dict[str, Any]]:
        """One command for each option, with a marker where one of a closed list belongs."""
        return [
            campaign(
                *words,
                *(f"--{name}={value}" for name, value in options.items() if name != each),
                f"--{each}={mint.text(f'{words[0]}: {each}')}",
                code=2,
            )
            for each in options
        ]

    return [
        # from one village to another: on one list, and on no screen
        campaign("handover", "release", number, *of, "--to", V2, *decided),
        campaign("handover", "take-back", number, *of, *decided),
        campaign("handover", "release", number, *of, "--to", V2, *decided),
        campaign(
            *("handover", "accept", number, *of, "--by", mint.text("taking", kept=True)),
            *("--reason", mint.text("accepted", kept=True)),
        ),
        *wrong("handover", "release", number, *of, *decided, to=V3),
        *(
            campaign("handover", each, mint.licence(f"handover {each}", kept=False), *of, *decided)
            | {"code": 2}
            for each in ("accept", "take-back")
        ),
        campaign("handover", "list", *of, *decided, shows_people=True),
        campaign("handover", "list", *of, *decided, "--json", shows_people=True),
        # what care lacks
        campaign(
            *("gaps", "open", number, *of, "--kind", "guardian_weak"),
            *("--owner", mint.text("owner", kept=True), *decided),
        ),
        campaign("gaps", "list", *of, *decided, shows_people=True),
        campaign("gaps", "list", *of, *decided, "--json", shows_people=True),
        campaign(
            *("gaps", "assign", "@gap0", *of, "--owner", mint.text("owner", kept=True), *decided)
        ),
        campaign("gaps", "close", "@gap0", *of, "--as", "settled", *decided),
        campaign(
            *("gaps", "open", mint.text("gaps: register number"), *of, "--kind", "guardian_weak"),
            *("--owner", "nurse", *decided),
            code=2,
        ),
        *wrong("gaps", "open", number, *of, *decided, "--owner=n", kind="guardian_missing"),
        *wrong("gaps", "close", mint.text("gaps: number"), *of, *decided, **{"as": "settled"}),
        # what a village makes good; all that is said of it is of closed lists
        campaign("rectification", "evidence", *made_good, "--evidence", "visited", *ours),
        campaign("rectification", "reject", *made_good, "--reason", "not_finished", *ours),
        campaign("rectification", "evidence", *made_good, "--evidence", "document_seen", *ours),
        campaign("rectification", "close", *made_good, *ours),
        campaign("rectification", "list", *of, "--closed"),
        campaign("rectification", "list", *of, "--json"),
        *wrong(
            *("rectification", "evidence", *of, *ours),
            village=V3,
            shortfall="report_missing",
            evidence="visited",
        ),
        *wrong(
            *("rectification", "reject", *of, *ours),
            village=V3,
            shortfall="report_missing",
            reason="nothing_seen",
        ),
        campaign(
            *("meeting", "record", *of, "--held-on", "2025-12-08", "--topic", "visits"),
            *("--owner", "village", "--village", V2, "--due", "2025-12-31", *ours),
        ),
        campaign("meeting", "outcome", *of, "--decision", 1, "--result", "in_progress", *ours),
        campaign("meeting", "list", *of),
        campaign("meeting", "list", *of, "--json"),
        *wrong(
            *("meeting", "record", *of, "--held-on=2025-12-08", "--due=2025-12-31"),
            *ours,
            topic="visits",
            owner="village",
            village=V2,
            shortfall="report_late",
        ),
        *wrong("meeting", "outcome", *of, "--decision=1", *ours, result="done"),
        # the phases that nothing else ran, before their due days
        phase("readiness", "2025-12-08"),
        phase("follow_up", "2025-12-08"),
        phase("quarterly_pack", "2025-12-08"),
        campaign("letterhead", letterhead),
        campaign(*pack),
        campaign(*pack, "--template", letterhead),
        campaign(*pack, "--template", planted.name(".docx"), code=2),
        campaign(*pack, "--template", planted.refused[0], code=2),
        *wrong("pack", *of, quarter="2025-Q4"),
        # exact figures: for the health side's folder and terminal
        campaign("sheet", *of, "--month", "2025-11", *ours),
        *wrong("sheet", *of, *ours, month="2025-11", village=V2),
        campaign("rates", *of, *ours),
        campaign("rates", *of, *ours, "--json"),
        campaign("report", "quarterly_pack", *of),
        campaign("shelf"),
    ]


def register_number(mint: Mint) -> str:
    """The number of somebody who is on the register."""
    return next(
        text for text in mint.markers if "accepted: register_no" in mint.markers[text].place
    )


def faults(planted: Planted) -> list[dict[str, Any]]:
    """Every step and flow made to fail, and the rest of the machinery, each with its own marker."""
    mint = planted.mint
    days = {
        "readiness": "2025-12-08",
        "follow_up": "2025-12-08",
        "quarterly_pack": "2025-12-08",
        "sweep": "2025-10-31",
        "list_compilation": "2025-11-10",
        "aggregation": "2025-11-20",
        "diagnosis_queue": "2025-11-13",
        "supervision": "2025-12-05",
        "retention": "2025-12-08",
        "reminders": "2025-12-08",
    }
    of_phase = {
        "readiness": ("look_at_checklists",),
        "follow_up": ("work_out_visits",),
        "quarterly_pack": ("look_at_quarter",),
        "sweep": ("take_in_inbox", "check"),
        "list_compilation": ("link_referrals",),
        "aggregation": ("publish_findings", "write_reports"),
        "diagnosis_queue": ("book_assessments",),
        "supervision": ("look_at_month", "look_for_gaps"),
        "retention": (),
        "reminders": ("remind", "send_mail"),
    }
    without_command = {
        "catch_up": ("look_around", "tell_what_changed"),
        "request_sweep": ("record_request",),
    }

    somebody = planted.known[1]["full_name"]

    def broken(name: str, fault: str, code: int, how: str = "burst") -> dict[str, Any]:
        secret = mint.text(f"{fault}, {how}")
        return phase(name, days[name], code, fault=fault, secret=secret, how=how)

    found = []
    for name, steps in of_phase.items():
        found += [broken(name, f"step:{each}", 5) for each in steps]
        found.append(broken(name, f"flow:{name}", 5))
    for name, steps in without_command.items():
        found += [
            as_worker(name, 5, fault=fault, secret=mint.text(fault))
            for fault in (*(f"step:{each}" for each in steps), f"flow:{name}")
        ]
    found += [
        broken("aggregation", "step:show_status", 0),
        broken("sweep", "step:check", 5, "panic"),
        broken("sweep", "step:check", 130, "interrupt"),
        broken("supervision", "conversion:reporting/villages", 5),
        broken("sweep", "constraint:reporting/coverage", 5),
        broken("aggregation", "call:tasks.publish.protect", 5),
        broken(
            "aggregation", "call:great_expectations.datasource.fluent.interfaces.Batch.validate", 5
        ),
        broken("aggregation", "template", 5),
        phase("sweep", days["sweep"], 5, fault="people_rule"),
        # a name that the register knows, on the page
        phase("aggregation", days["aggregation"], 6, fault="page", secret=somebody),
        phase(
            "aggregation", days["aggregation"], 6, fault="page", secret=planted.known[1]["phone"]
        ),
        # and in what a village is reminded with
        phase("reminders", days["reminders"], 6, fault="letter", secret=somebody),
    ]
    files = [planted.taken[0]]
    for fault in (
        "conversion:stage/referral",
        "constraint:intake/keep",
        "call:tasks.intake.load_pads",
        "call:tasks.receive.write_return_workbook",
    ):
        code = 1 if fault.startswith("call") else 5
        again = write_csv(
            planted.name(".csv"),
            "referral",
            [
                referral(mint, f"lost by {fault}", V4),
                referral(mint, f"lost by {fault}", V4, phone="无"),
            ],
            identity(V4),
        )
        how = {"fault": fault, "secret": mint.text(fault)}
        found.append(received([again], "2025-10-29", code, **how))
    number = register_number(mint)
    of = ("--campaign", SLUG)
    why = (*of, "--by", "officer", "--reason", "look")
    # a person on the register, the office's own templates, exact figures
    of_commands = {
        "call:tasks.handovers.gather_people": ("handover", "release", number, "--to", V3, *why),
        "conversion:handover/list": ("handover", "list", *why),
        "constraint:gaps/known": ("gaps", "close", "GAP-0", "--as", "settled", *why),
        "conversion:gaps/list": ("gaps", "list", *why),
        "conversion:rectify/steps": ("rectification", "list", *of),
        "conversion:meeting/decisions": ("meeting", "list", *of),
        "call:reports.pack_files.word_pack": (
            *("pack", *of, "--quarter", "2025-Q4", "--template"),
            planted.taken[0],
        ),
        "call:reports.pack_files.write_report": ("pack", *of, "--quarter", "2025-Q4"),
        "call:tasks.health_sheets.supervise": ("sheet", *of, "--month", "2025-11"),
        "call:tasks.national_rates.national_counts": ("rates", *of),
        "call:reports.shelf.write_shelf": ("shelf",),
    }
    for fault, words in of_commands.items():
        code = 1 if fault.startswith("call") else 5
        found.append(campaign(*words, code=code, fault=fault, secret=mint.text(fault)))
    # the register itself refuses: a name that it holds in that row
    again = write_csv(
        planted.name(".csv"),
        "referral",
        [referral(mint, "held twice", V4, contact_name=planted.known[0]["contact_name"])],
        identity(V4),
    )
    found += [
        received([again], "2025-10-29", 5, fault="index"),
        campaign("check", *files, fault="thread", secret=mint.text("thread")),
        campaign(
            "check",
            *files,
            code=1,
            fault="call:tasks.intake.prepare",
            how="panic",
            secret=mint.text("panic outside a flow"),
        ),
    ]
    return found


def one_of_each_kind(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a seeded sample of the faults: each kind of them in each command and flow."""
    chosen: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in Random(20251031).sample(found, len(found)):  # noqa: S311 # no secret
        where = each["flow"] if "flow" in each else each["argv"][0]
        chosen.setdefault((where, each["fault"].partition(":")[0], each.get("how", "")), each)
    return list(chosen.values())


def rights(planted: Planted, site: Site) -> list[dict[str, Any]]:
    """What is done with single people, and with the register as a whole."""
    mint = planted.mint
    who = planted.known[2]
    number = register_number(mint)
    asked = ("--campaign", SLUG, "--reason", "asked for")
    typed = [who["full_name"], who["birth_date"], who["phone"]]
    corrected = mint.phone("corrected", kept=True)
    return [
        campaign("person", "find", *asked, typed=typed, shows_people=True),
        campaign("person", "show", "@waiting1", *asked, shows_people=True),
        campaign("person", "correct", "@waiting1", "--field", "phone", *asked, typed=[corrected]),
        campaign(
            "person",
            "correct",
            "@waiting1",
            "--field",
            "phone",
            *asked,
            typed=[mint.text("correction refused")],
            code=2,
        ),
        campaign("person", "withdraw", "@waiting2", *asked),
        campaign("person", "erase", "@waiting3", *asked, typed=["@waiting3"]),
        campaign("person", "show", mint.text("reference"), *asked, code=2),
        campaign("export", "visits", V1, "--month", "2025-12", *asked),
        campaign("export", "handover", number, "--to", "镇卫生院", *asked),
        campaign("person", "freeze", number, *asked),
        campaign("returns", "password", V2, "--campaign", SLUG),
        # late in the run: whoever is due is erased in it, and the file is to be written anew
        *(
            phase("retention", "2025-12-08", 5, fault=f"step:{name}", secret=mint.text(name))
            for name in ("tell_health", "rewrite_register")
        ),
        campaign("catch-up", code=5, fault="flow:catch_up", secret=mint.text("catch-up")),
        phase("retention", "2025-12-08"),
        campaign("backup", "--to", site.root / "backups"),
        campaign("key", "rotate"),
        campaign("key", "rotate", "--pseudonyms"),
        campaign("key", "check"),
        campaign("audit", "verify"),
        # a number of the register is the pseudonym under which its trail knows a person
        campaign("audit", "show", shows_people=True),
        campaign("audit", "show", "--json", shows_people=True),
        campaign("status"),
        campaign("status", "--json"),
        # the server that this home is told of has no worker
        campaign("doctor", code=5),
        campaign("doctor", "--json", code=5),
        campaign("outbox", "send", code=1),
    ]


# --- the search -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """What one long run left behind."""

    site: Site
    mint: Mint
    commands: list[dict[str, Any]]
    codes: list[int | None]
    ended: int

    @property
    def own(self) -> tuple[Path, ...]:
        """The senders' own files."""
        return (self.site.box, self.site.home.inbox)

    @property
    def seen(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.site.box / "seen.json").read_text("utf-8"))
        return record


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A season with every kind of row, then every kind of fault, then everybody's rights."""
    return live(tmp_path_factory.mktemp("leaks"), one_of_each_kind)


@pytest.fixture(scope="module")
def ran_with_every_fault(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The same, every step and flow failing in turn."""
    return live(tmp_path_factory.mktemp("leaks"), list)


def live(root: Path, chosen: Callable[[Sequence[dict[str, Any]]], list[dict[str, Any]]]) -> Ran:
    """Have a township live through it all, with those of the faults that are chosen."""
    site = Site(root)
    site.prepare()
    planted = plant(site.box)
    (site.box / "folder" / planted.mint.text("folder")).mkdir(parents=True)
    plan = write_plan(site.root / "plan")
    commands = [
        *a_season(planted, plan, site),
        *two_keys(planted),
        *care_of_a_quarter(planted, site),
        *chosen(faults(planted)),
        *rights(planted, site),
    ]
    look = next(each for each in commands if each.get("do") == "look")
    look["markers"] = [asdict(marker) for marker in planted.mint.markers.values()]
    ended, codes = site.run("season", commands, server=True, mail=site.root / "mail", now=NOW)
    return Ran(site, planted.mint, commands, codes, ended)


def places_of(found: Mapping[str, set[str]], mint: Mint) -> dict[str, list[str]]:
    """Say of what was found where it was planted."""
    return {
        path: sorted(mint.markers[text].place for text in texts) for path, texts in found.items()
    }


def test_every_command_ended_as_it_should(ran: Ran) -> None:
    """Each fault did stop its command, and nothing else did."""
    wrong = [
        (each.get("argv"), each.get("fault"), each.get("how"), f"{each.get('code')}, was {code}")
        for each, code in zip(ran.commands, ran.codes, strict=False)
        if each.get("code") != code
    ]
    assert not wrong, ran.site.said("season")[-3000:]
    assert (ran.ended, len(ran.codes)) == (0, len(ran.commands)), ran.site.said("season")[-3000:]


def test_every_step_and_flow_has_the_guard(ran: Ran) -> None:
    there = set(ran.seen["nodes"])
    assert {"flow:sweep", "flow:request_sweep", "step:send_mail", "step:show_status"} <= there
    assert there - set(ran.seen["guarded"]) == set()


@pytest.mark.slow
def test_every_step_and_flow_is_made_to_fail_and_nothing_leaks(ran_with_every_fault: Ran) -> None:
    ran = ran_with_every_fault
    test_every_command_ended_as_it_should(ran)
    failed = {each["fault"] for each in ran.commands if "fault" in each}
    assert set(ran.seen["nodes"]) - failed == set()
    test_no_marker_is_anywhere_else(ran)


def test_every_rule_was_broken_by_some_row(ran: Ran) -> None:
    for sheet in SHEETS.values():
        broken = set(ran.seen["broken"][sheet.name])
        assert {rule.name for rule in sheet.rules} - broken == set(), sheet.name


def test_the_register_holds_what_was_accepted_and_nothing_else(ran: Ran) -> None:
    held = set(ran.seen["held"])
    may = {text for text, marker in ran.mint.markers.items() if marker.kept}
    assert held <= may, {ran.mint.markers[text].place for text in held - may}
    assert len(held) > len(may) / 2


def test_no_marker_is_anywhere_else(ran: Ran) -> None:
    searcher = Searcher(ran.mint.markers.values())
    found = searcher.in_tree(ran.site.root, leave_out=ran.own)
    assert not found, places_of(found, ran.mint)


def test_a_refused_file_lies_under_a_name_of_ours_with_a_reason_that_names_nobody(
    ran: Ran,
) -> None:
    searcher = Searcher(ran.mint.markers.values())
    refused = list((ran.site.home.inbox / "refused").iterdir())
    reasons = [path for path in refused if path.suffix == ".txt"]
    assert len(reasons) * 2 == len(refused)
    assert len(reasons) > 10
    names = "\n".join(path.name for path in refused)
    texts = "\n".join(path.read_text("utf-8") for path in reasons)
    assert searcher.in_bytes(f"{names}\n{texts}".encode()) == set()


def test_what_was_searched_is_what_was_written(ran: Ran) -> None:
    """The search met Prefect's state, the ledger, reports, mails and what was printed."""
    root = ran.site.root
    (database,) = (root / "home" / "prefect").glob("*.db")
    steps = ["publish_findings", "look_at_month", "tell_what_changed", "record_request"]
    pages = [f"status-{SLUG}", f"{SLUG}-sweep-101", f"{SLUG}-reminders-0", "Waiting", "Declined"]
    assert Searcher([*steps, *pages]).in_file(database) == {*steps, *pages}
    # of reporting, a request, a decision, a reopening, a stuck message, a refusal, a backup
    words = ["on_time", "households_missed", "declined", "reopened", "telephoned", "refused"]
    words.append(str(root / "backups"))
    assert Searcher(words).in_file(ran.site.home.ledger) == {*words}
    mails = [path.name for path in (root / "mail").glob("*.eml")]
    assert len(mails) > 10
    assert any(name.endswith("-shiqiao.eml") for name in mails), "a village is reminded"
    assert len(list((root / "home" / "reports").rglob("*.html"))) > 5
    written = {path.suffix for path in (root / "home" / "reports").rglob("*")}
    assert written >= {".html", ".txt", ".json", ".csv", ".pdf", ".docx"}
    (pack,) = (root / "home" / "reports").rglob("quarterly_pack*.pdf")
    assert Searcher(["季度例会材料", "清平镇"]).in_file(pack) == {"季度例会材料", "清平镇"}
    (document,) = (root / "home" / "reports").rglob("quarterly_pack*-letterhead.docx")
    assert Searcher(["季度例会材料", "清平镇"]).in_file(document) == {"季度例会材料", "清平镇"}
    assert list((root / "backups").iterdir())
    assert ran.site.said("season").count("ValueError") > 5


def test_exact_figures_are_in_the_health_sides_folder_only(ran: Ran) -> None:
    """What the sheets of `campaign sheet` say of themselves is in no page, mail, file or state."""
    words = [say("report.sheet.health_only", language) for language in LANGUAGES]
    found = Searcher(words).in_tree(ran.site.root, leave_out=ran.own)
    assert len(found) == len(list(ran.site.home.health(SLUG).rglob("*.html"))) > 5
    assert all(path.startswith(f"home/health/{SLUG}/2025-11/") for path in found)


def test_the_key_is_in_its_file_only(ran: Ran) -> None:
    searcher = Searcher([ran.seen["key"], *ran.seen["passwords"].values()])
    leave_out = [ran.site.box, ran.site.home.root / "keys"]
    found = searcher.in_tree(ran.site.root, leave_out=leave_out)
    # `campaign returns password` shows the one it is asked for
    assert found == {"said/season.out": {ran.seen["passwords"][V2]}}


def test_a_return_workbook_holds_its_senders_returned_rows_and_nobody_without_consent(
    ran: Ran,
) -> None:
    """Its content is hidden by its password alone, so the search above could not see it."""
    searcher = Searcher(ran.mint.markers.values())
    held: set[str] = set()
    for path in sorted((ran.site.box / "returns").glob("*/*.xlsx")):
        plain = decrypt_workbook(path.read_bytes(), ran.seen["passwords"][path.parent.name])
        held |= searcher.in_bytes(plain)
    places = {ran.mint.markers[text].place for text in held}
    assert {place.split(",")[0] for place in places} >= {*SHEETS} - {"assessment_outcome"}
    never = ("no consent", "child", "wrong cell: consent_", "referral, accepted", "file name")
    assert not [place for place in places if any(word in place for word in never)]


def test_every_file_and_folder_is_private(ran: Ran) -> None:
    folders = [ran.site.home.root, ran.site.root / "backups"]
    paths = [each for folder in folders for each in (folder, *folder.rglob("*"))]
    wrong = {
        str(path): oct(path.stat().st_mode)
        for path in paths
        if path.stat().st_mode & 0o777 != (0o700 if path.is_dir() else 0o600)
    }
    assert not wrong
    assert len(paths) > 100


def test_nothing_was_written_beside_the_home_even_for_a_moment(ran: Ran) -> None:
    """Rows that must reach no disk would reach it through a temporary file, too."""
    opened = [Path(each) for each in json.loads(ran.site.opened("season").read_text("utf-8"))]
    places = [
        *(ran.site.root / name for name in ("home", "box", "mail", "backups")),
        Path(os.devnull),
    ]
    assert not [each for each in opened if not any(each.is_relative_to(place) for place in places)]
    assert len(opened) > 50
    assert not list((ran.site.root / "temporary").rglob("*"))
    assert not list((ran.site.root / "work").rglob("*")), "no core dump either"


def test_how_often_a_rule_about_people_is_broken_is_not_told_to_prefect(ran: Ran) -> None:
    (told,) = re.findall(r"表 stg_referral 不满足规则 (\w+)（(\d+) 处）", ran.site.said("season"))
    (database,) = (ran.site.home.root / "prefect").glob("*.db")
    rule, count = told
    assert int(count) > 1
    in_full, without = f"规则 {rule}（{count} 处）", f"表 stg_referral 不满足规则 {rule}。"
    assert Searcher([in_full, without]).in_file(database) == {without}


# --- a machine that fails -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Planted]:
    """A home into which one file has come, on a machine of its own."""
    site = Site(tmp_path_factory.mktemp("begun"))
    site.prepare()
    planted = plant(site.box)
    plan = write_plan(site.root / "plan")
    commands = [
        campaign("init", "--plan", plan),
        received(planted.taken[:1], "2025-10-28T09:00", 0),
    ]
    assert site.run("begun", commands) == (0, [0, 0]), site.said("begun")
    return site, planted


@pytest.fixture
def begun(first: tuple[Site, Planted], tmp_path: Path) -> tuple[Site, Planted]:
    """A copy of it for one test; what is sent comes from the original's box."""
    original, planted = first
    site = Site(shutil.copytree(original.root, tmp_path / "site"))
    return site, planted


def nothing_leaked(site: Site, planted: Planted) -> None:
    searcher = Searcher(planted.mint.markers.values())
    found = searcher.in_tree(site.root, leave_out=[site.box, site.home.inbox])
    assert not found, places_of(found, planted.mint)


def phases() -> list[dict[str, Any]]:
    return [
        phase("sweep", "2025-10-31", 3),
        phase("list_compilation", "2025-11-10"),
        phase("diagnosis_queue", "2025-11-11"),
        phase("readiness", "2025-12-05"),
        phase("supervision", "2025-12-05"),
        phase("retention", "2025-12-06"),
        phase("follow_up", "2025-12-31"),
    ]


def test_a_full_disk_leaks_nothing(begun: tuple[Site, Planted]) -> None:
    """The register's log cannot grow; with room again the register is as it was."""
    site, planted = begun
    commands = [received(planted.taken[1:], "2025-10-28T10:00", 4)]
    assert site.run("full", commands, limit=4_096) == (0, [8])
    nothing_leaked(site, planted)
    assert site.run("later", [campaign("audit", "verify"), *commands]) == (0, [0, 4])


def test_a_killed_command_leaks_nothing(begun: tuple[Site, Planted]) -> None:
    site, planted = begun
    end = {"fault": "call:tasks.receive.write_return_workbook", "how": "kill"}
    ended, codes = site.run("killed", [received(planted.taken[1:], "2025-10-28T10:00", 4, **end)])
    assert (ended, codes) == (-signal.SIGKILL, [])
    nothing_leaked(site, planted)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [20_000, 200_000, 1_200_000, 2_500_000, 4_000_000, 5_500_000])
def test_a_disk_that_fills_up_in_a_phase_leaks_nothing(
    begun: tuple[Site, Planted], limit: int
) -> None:
    """At one limit the server's files cannot grow, at another the ledger or the register."""
    site, planted = begun
    inbox = {"do": "inbox", "files": [*planted.inbox, *planted.refused]}
    site.run("put", [inbox])
    commands = [received(planted.taken[1:], "2025-10-28T10:00", 4), *phases()]
    ended, codes = site.run("full", commands, server=True, limit=limit)
    assert (ended, codes) != (0, [each["code"] for each in commands]), "the limit was met"
    nothing_leaked(site, planted)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.0, 4.0, 9.0, 14.0, 18.0, 21.0, 25.0])
def test_killed_at_any_moment_it_leaks_nothing(begun: tuple[Site, Planted], seconds: float) -> None:
    site, planted = begun
    inbox = {"do": "inbox", "files": [*planted.inbox, *planted.refused]}
    commands = [received(planted.taken[1:], "2025-10-28T10:00", 4), inbox, *phases()]
    site.run("killed", commands, server=True, kill_after=seconds)
    nothing_leaked(site, planted)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["take_in_inbox", "check", "publish_findings", "send_mail"])
def test_killed_inside_a_step_it_leaks_nothing(begun: tuple[Site, Planted], name: str) -> None:
    site, planted = begun
    commands = [
        received(planted.taken[1:], "2025-10-28T10:00", 4),
        {"do": "inbox", "files": [*planted.inbox, *planted.refused]},
        phase("sweep", "2025-10-31", 3, fault=f"step:{name}", how="kill"),
    ]
    ended, codes = site.run("killed", commands, server=True)
    assert (ended, codes) == (-signal.SIGKILL, [4, None])
    nothing_leaked(site, planted)


def test_a_command_that_crashes_dumps_no_core() -> None:
    """A dump would hold all that is in memory, wherever the machine puts it."""
    asks = (
        "import resource, sys\n"
        "most = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (most, most))\n"
        "from cli.main import main\n"
        "sys.argv = ['campaign', 'plan', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE))\n"
    )
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "(0, 0)"


# --- whether the search finds anything ------------------------------------------------------------


def sqlite_file(path: Path, text: str) -> None:
    """A row so long that the database cuts it into pages."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size = 512")
    connection.execute("CREATE TABLE state (message VARCHAR)")
    rows = [("x" * filled + text * 40,) for filled in range(400, 600, 7)]
    connection.executemany("INSERT INTO state VALUES (?)", rows)
    connection.commit()
    connection.close()


def duckdb_file(path: Path, text: str) -> None:
    """Rows so alike that the database packs them."""
    with memory() as connection:
        connection.execute(f"ATTACH '{path}' AS made")
        connection.execute(
            "CREATE TABLE made.t AS SELECT $1 || (i % 7) AS name FROM range(100000) r (i)", [text]
        )


def zip_file(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word.xml", f"<a>{text}</a>" * 9)


def word_file(path: Path, text: str) -> None:
    """Word's own form: a text in as many runs as there are signs."""
    runs = "".join(f"<w:r><w:t>{sign}</w:t></w:r>" for sign in text)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f"<w:p>{runs}</w:p>")


def pdf_file(path: Path, text: str) -> None:
    """As the meeting pack is printed: what stands in it are numbers of glyphs."""
    section = Section("key", "要点", lines=(text,))
    pack = Document("zh-CN", "c", "title", "centre", (), (section,), ())
    path.write_bytes(printed_pack(json.dumps(asdict(pack))))


def eml_file(path: Path, text: str) -> None:
    message = EmailMessage()
    message["Subject"] = f"摘要 {text}"
    message.set_content("—" * 70, cte="quoted-printable")
    path.with_suffix(".eml").write_bytes(message.as_bytes())


def printed(path: Path, text: str) -> None:
    with path.open("wb") as out:
        subprocess.run([sys.executable, "-c", f"print({text!r})"], stdout=out, check=True)


def named(path: Path, text: str) -> None:
    path.with_name(f"{text}.part").touch()


def as_bytes(change: Callable[[str], bytes]) -> Callable[[Path, str], object]:
    return lambda path, text: path.write_bytes(change(text))


LEAKS: dict[str, Callable[[Path, str], object]] = {
    "printed": printed,
    "file name": named,
    "UTF-16": as_bytes(lambda text: f"x{text}".encode("utf-16")),
    "GB18030": as_bytes(lambda text: f"甲{text}乙".encode("gb18030")),
    "JSON": as_bytes(lambda text: json.dumps({"cell": f"甲{text}"}).encode()),
    "JSON in JSON": as_bytes(lambda text: json.dumps(json.dumps([f"甲{text}"])).encode()),
    "URL": as_bytes(lambda text: f"?name={quote(text)}".encode()),
    "HTML": as_bytes(lambda text: "".join(f"&#x{ord(each):X};" for each in text).encode()),
    "repr of bytes": as_bytes(lambda text: repr(text.encode()).encode()),
    "hex": as_bytes(lambda text: f"甲{text}".encode().hex().encode()),
    "base64": as_bytes(lambda text: base64.b64encode(f"甲{text}乙".encode())),
    "base64, shifted": as_bytes(lambda text: base64.b64encode(f"a{text}乙".encode())),
    "base64, shifted twice": as_bytes(lambda text: base64.urlsafe_b64encode(f"ab{text}".encode())),
    "base64 in lines": as_bytes(lambda text: base64.encodebytes(f"{'x' * 52}{text}".encode())),
    "quoted-printable": as_bytes(lambda text: quopri.encodestring(f"{'—' * 23}{text}".encode())),
    "pickle": as_bytes(lambda text: pickle.dumps(ValueError(text))),
    "gzip": as_bytes(lambda text: b"head" + gzip.compress(text.encode())),
    "zlib in base64": as_bytes(lambda text: zlib.compress(json.dumps(text).encode())),
    "ZIP": zip_file,
    "Word": word_file,
    "PDF": pdf_file,
    "SQLite": sqlite_file,
    "DuckDB": duckdb_file,
    "mail": eml_file,
}


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        *product(LEAKS, ["text"]),
        *product([how for how in LEAKS if how != "HTML"], ["phone", "birth date"]),
    ],
)
def test_the_search_finds_a_leak(tmp_path: Path, how: str, kind: str) -> None:
    mint = Mint()
    texts = {
        "text": [mint.text("here"), mint.text("nowhere")],
        "phone": [mint.phone(each, kept=True) for each in ("here", "nowhere")],
        "birth date": [mint.day(each, CHILDREN, kept=True) for each in ("here", "nowhere")],
    }
    here = texts[kind][0]
    (tmp_path / "innocent").write_text("瑇瑁 199 2012-13-01 19977150", encoding="utf-8")
    LEAKS[how](tmp_path / "leak", here)
    found = Searcher(mint.markers.values()).in_tree(tmp_path)
    (place,) = found
    assert place != "innocent"
    assert here in found[place]


@pytest.mark.slow
def test_a_step_without_its_guard_would_be_found(begun: tuple[Site, Planted]) -> None:
    """Prefect keeps what an error says: in its database, at the least."""
    site, planted = begun
    secret = planted.mint.text("unguarded")
    leaking = phase("sweep", "2025-10-31", 5, fault="unguarded:check", secret=secret)
    site.run("leaking", [leaking], server=True)
    searcher = Searcher(planted.mint.markers.values())
    found = searcher.in_tree(site.root, leave_out=[site.box])
    assert secret in set().union(*found.values())
    assert any("prefect" in path for path in found)


# --- what a file is called ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown", "kept"),
    [
        ("990101101201-sweep-1.xlsx", "990101101201-sweep-1.xlsx", "990101101201-sweep-1.xlsx"),
        ("Sweep (2).csv", "Sweep (2).csv", "Sweep (2).csv"),
        ("2025-10.csv", "2025-10.csv", "2025-10.csv"),
        ("张三.xlsx", "….xlsx (7 B)", "file.xlsx"),
        ("转介表-张三.CSV", "….csv (7 B)", "file.csv"),
        ("13800138000.csv", "….csv (7 B)", "file.csv"),
        ("138-0013-8000.csv", "….csv (7 B)", "file.csv"),
        ("19800102.xls", "….xls (7 B)", "file.xls"),
        ("99010119800102001X.ods", "….ods (7 B)", "file.ods"),
        ("%E5%BC%A0%E4%B8%89.csv", "….csv (7 B)", "file.csv"),
        ("a\nb.csv", "….csv (7 B)", "file.csv"),
        ("[red]a.csv", "….csv (7 B)", "file.csv"),
        ("list.张三", "… (7 B)", "file"),
    ],
)
def test_a_name_that_may_be_somebodys_is_not_shown(name: str, shown: str, kept: str) -> None:
    assert name_to_show(name, 7) == shown
    assert name_to_keep(name) == kept


@given(name=st.text(min_size=1, max_size=40))
def test_of_a_hidden_name_only_the_ending_is_left(name: str) -> None:
    shown = name_to_show(name, None)
    assert shown == name or shown in {"…", "….xlsx", "….xls", "….ods", "….csv"}
    if re.search(r"[^ -~]|\d{7,11}(?!\d)|\d{13}", name):
        assert shown != name


def test_a_note_on_a_shared_drive_does_not_keep_a_name(
    tmp_path: Path, home: Home, store: Store, plan: Plan
) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    for name in ("张三.xlsx", "990101101201-sweep-1.xlsx"):
        (drive / name).write_text("无", encoding="utf-8")
    looks: list[int] = []
    watch(
        Folder(drive),
        home,
        lambda: nullcontext((store, {plan.slug: plan}, ACT)),
        MagicMock(),
        stopping=lambda: len(looks) == 2,
        wait=lambda: looks.append(1),
    )
    assert {path.name for path in drive.iterdir()} == {
        "3-file.xlsx.refused.txt",
        "990101101201-sweep-1.xlsx.refused.txt",
    }
    reasons = [*drive.iterdir(), *(home.inbox / "refused").glob("*.txt")]
    assert len(reasons) == 4
    assert not any("张三" in path.name + path.read_text("utf-8") for path in reasons)
