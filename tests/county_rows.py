"""A fictional county, and rows of a shared ledger as its townships would leave them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tasks.county import County, Township
from tasks.rules.disclosure import Figure, protect, rate
from tasks.rules.rollup import UNIT_OF, SharedRow
from tasks.rules.shared import SharedRelease, VillageState, write_body
from tasks.shared_ledger import Shared, open_shared

SLUG = "autumn-2025"
DUE = date(2025, 10, 31)
RELEASED = datetime(2025, 10, 31, 17, 0)
"""UTC: 01:00 of the next day in the county."""
SHARED = datetime(2025, 11, 1, 1, 0)

CODES = ("990101001", "990101002", "990101003", "990101004", "990101005")
NAMES = ("云溪镇", "石桥镇", "东河乡", "青石街道", "柳湾乡")


def shared_at(folder: Path) -> Shared:
    """An embedded shared ledger."""
    return Shared(files=str(folder / "files"), folder=folder)


def signing_key(code: str) -> Ed25519PrivateKey:
    """The key of a township: always the same."""
    return Ed25519PrivateKey.from_private_bytes(sha256(code.encode()).digest())


def public_key(code: str) -> str:
    """What the county has of it."""
    return signing_key(code).public_key().public_bytes_raw().hex()


def township(code: str, name: str = "", **changes: Any) -> Township:
    """A township that belongs to the county since the year began."""
    content = {
        "code": code,
        "name": name or dict(zip(CODES, NAMES, strict=True)).get(code, "某镇"),
        "key": public_key(code),
        "joined": date(2025, 1, 1),
    }
    return Township.model_validate(content | changes)


def county(*townships: Township, **changes: Any) -> County:
    """A county of these townships; of the five of CODES where none are given."""
    members = townships or tuple(map(township, CODES))
    return County(name="清河县", name_en="Qinghe County", townships=members, **changes)


def figure(name: str, value: float | None, **rules: int) -> Figure:
    """A figure of a township as its office sees it; `value` is exact."""
    return protect(name, UNIT_OF[name], "", value, **rules)


def withheld(name: str) -> Figure:
    """A figure that disclosure control withheld."""
    return Figure(name, UNIT_OF[name], "", None, "withheld")


def sweep_figures(
    referrals: float | None = 42, households: float | None = 600, visited: float | None = 540
) -> tuple[Figure, ...]:
    """What a sweep releases of a township, its coverage among it."""
    asked, done = figure("households", households), figure("households_visited", visited)
    return (
        figure("villages_expected", 2),
        figure("reporting_on_time", 2),
        asked,
        done,
        figure("referrals", referrals),
        rate("coverage", "", done, asked),
    )


def release(code: str = CODES[0], **changes: Any) -> SharedRelease:
    """The first revision of a sweep's first round, with two villages, with `changes`."""
    content = {
        "township": code,
        "campaign": SLUG,
        "phase": "sweep",
        "round": 1,
        "revision": 1,
        "period": None,
        "as_of": DUE,
        "due": DUE,
        "status": "due",
        "released_at": RELEASED,
        "withhold_to": 7,
        "round_to": 5,
        "figures": sweep_figures(),
        "villages": tuple(VillageState(f"{code}00{n}", "on_time", nil=False) for n in (1, 2)),
    }
    return SharedRelease(**(content | changes))


def row(
    released: SharedRelease, at: datetime = SHARED, *, signer: str | None = None, **columns: Any
) -> SharedRow:
    """The row of a release, signed by its township or by `signer`; `columns` say other things."""
    body = write_body(released)
    signature = signing_key(signer or released.township).sign(body.encode()).hex()
    return replace(SharedRow(*released.key, body, signature, at), **columns)


def share(shared: Shared, rows: Sequence[SharedRow]) -> int:
    """Put rows into the shared ledger; return the snapshot that first has them."""
    table = pa.Table.from_pylist([vars(each) for each in rows])
    with open_shared(shared, "write") as store:
        store.load("arriving", table)
        store.connection.execute(
            "INSERT INTO shared.release SELECT township, campaign, phase, round, revision, body,"
            " signature, shared_at AT TIME ZONE 'UTC' FROM arriving"
        )
        (found,) = store.rows("rollup/newest", snapshot=None)
        return int(found[0])


LISTED = (
    figure("people_listed", 40),
    figure("people_new", 28),
    withheld("people_hospital"),
    figure("people_welfare_institution", 0),
    Figure("waiting_median", "days", "", 12.0, "released"),
)


def release_later(
    phase: str, code: str, due: date = date(2025, 11, 10), **changes: Any
) -> SharedRelease:
    """The release of a phase without rounds, on its due day."""
    at = datetime.combine(due, RELEASED.time())
    content = {"phase": phase, "round": 0, "due": due, "as_of": due, "released_at": at}
    return release(code, **(content | {"figures": LISTED} | changes))


ROWS = [
    # on time; corrected later, which changes nothing of that
    row(release(CODES[0])),
    row(release(CODES[0], revision=2, figures=sweep_figures(referrals=52)), datetime(2025, 11, 9)),
    row(release(CODES[1], figures=sweep_figures(referrals=3))),
    row(release(CODES[2], figures=sweep_figures(referrals=0, visited=None))),
    row(release(CODES[3], figures=sweep_figures(households=400)), datetime(2025, 11, 4)),
    # a list, and one that another township signed; something of a township that is no member
    row(release_later("list_compilation", CODES[1]), datetime(2025, 11, 11)),
    row(release_later("list_compilation", CODES[2]), datetime(2025, 11, 11), signer=CODES[3]),
    row(release("990909009")),
]
"""A sweep and a list of the county, as four of its townships and a stranger shared them."""
