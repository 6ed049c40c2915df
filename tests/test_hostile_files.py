"""Files made to harm, and broken ones: refused in one safe line, and the next one goes on.

Each is really made that way. None may end the process, hang it, or make it large.
"""

import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from conftest import RECEIVED, coverage, write_grids
from made_files import (
    BEGIN,
    CELLS,
    HEADS,
    LINE,
    MARKER,
    SHEET,
    compound,
    pack,
    parts_of,
    record,
    text_cell,
)
from tasks.intake import take_in
from tasks.plan import Limits, Plan
from tasks.reading import read_submission, shown_name
from tasks.reading.apart import Apart
from tasks.rules.cells import column_letters
from tasks.rules.contract import SHEETS, Identity, write_identity
from tasks.rules.errors import Exit, FileRefused, WrongCommand
from tasks.rules.wording import LANGUAGES
from tasks.store import Store

Change = Callable[[dict[str, bytes]], object]


def sound(folder: Path) -> Path:
    """A workbook with one row that is read."""
    return write_grids(folder / "sound.xlsx", {"走访情况": [[LINE], HEADS, CELLS]})


def changed(folder: Path, change: Change) -> Path:
    """The sound workbook, its parts changed."""
    parts = parts_of(sound(folder))
    change(parts)
    return pack(folder / "v.xlsx", parts)


def in_sheet(old: bytes, new: bytes) -> Change:
    """Return a change of the sheet's XML; `old` must be there."""

    def change(parts: dict[str, bytes]) -> None:
        assert old in parts[SHEET]
        parts[SHEET] = parts[SHEET].replace(old, new, 1)

    return change


def below(xml: str) -> Change:
    """Return a change that puts rows below the sheet's own."""
    return in_sheet(b"</sheetData>", xml.encode() + b"</sheetData>")


def refusal(path: Path, limits: Limits | None = None) -> tuple[str, dict[str, object]]:
    """Why a file is refused: the key and the values besides the file's name, in safe lines."""
    with pytest.raises(FileRefused) as refused:
        read_submission(path, limits)
    error = refused.value
    assert error.exit is Exit.FILE_REFUSED
    for language in LANGUAGES:
        text = error.text(language)
        assert len(text.splitlines()) == 1
        assert MARKER not in text
        assert error.values["file"] in text
    return error.key, {name: value for name, value in error.values.items() if name != "file"}


def assert_goes_on(folder: Path) -> None:
    assert read_submission(sound(folder)).rows_read == 1


# --- archives -------------------------------------------------------------------------------------


def test_a_bomb_is_known_by_what_it_unpacks_to(tmp_path: Path) -> None:
    path = changed(tmp_path, in_sheet(b"</sheetData>", b" " * 2**27 + b"</sheetData>"))
    assert path.stat().st_size < 2**20
    assert refusal(path) == ("refused.unpacks", {"most": 128})
    assert_goes_on(tmp_path)


def test_a_bomb_that_lies_about_its_size_breaks_off(tmp_path: Path) -> None:
    path = changed(tmp_path, in_sheet(b"</sheetData>", b" " * 2**27 + b"</sheetData>"))
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(SHEET).file_size
    assert content.count(struct.pack("<I", size)) == 2
    path.write_bytes(content.replace(struct.pack("<I", size), struct.pack("<I", 5000)))
    assert refusal(path) == ("refused.unreadable", {})
    assert_goes_on(tmp_path)


LAUGHS = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"""


@pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_entities_are_not_expanded_but_refused(tmp_path: Path, part: str) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[part] = parts[part].replace(b"?>", b"?>" + LAUGHS, 1)

    assert refusal(changed(tmp_path, change)) == ("refused.doctype", {})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("xl/vbaProject.bin", b"x"),
        ("xl/macrosheets/sheet1.xml", b"<x/>"),
        ("Basic/Standard/Module1.xml", b"<x/>"),
    ],
)
def test_macros_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    assert refusal(changed(tmp_path, lambda parts: parts.update({name: content}))) == (
        "refused.macros",
        {},
    )


def test_a_workbook_that_says_it_may_hold_macros_is_refused(tmp_path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        kinds = parts["[Content_Types].xml"]
        parts["[Content_Types].xml"] = kinds.replace(
            b"vnd.openxmlformats-officedocument.spreadsheetml.sheet.main",
            b"vnd.ms-excel.sheet.macroEnabled.main",
        )

    assert refusal(changed(tmp_path, change)) == ("refused.macros", {})


def test_links_to_other_files_are_never_followed(tmp_path: Path) -> None:
    # the value last shown is read; nothing answers at that address, and nobody asks
    def change(parts: dict[str, bytes]) -> None:
        link = b'<Relationship Id="r1" TargetMode="External" Target="http://127.0.0.1:9/x.xlsx"/>'
        parts["xl/externalLinks/_rels/externalLink1.xml.rels"] = (
            b"<Relationships>" + link + b"</Relationships>"
        )
        parts["xl/externalLinks/externalLink1.xml"] = b"<externalLink/>"
        parts[SHEET] = re.sub(
            rb'<c r="C3"[^>]*>.*?</c>',
            b'<c r="C3"><f>[1]Sheet1!$A$1</f><v>50</v></c>',
            parts[SHEET],
        )

    (row,) = read_submission(changed(tmp_path, change)).sheets[0].rows
    assert list(row[1]) == CELLS


def test_a_part_that_is_named_like_a_path_goes_nowhere(tmp_path: Path) -> None:
    outside = {"../../evil.xml": b"x", "/tmp/evil": b"x", "C:\\evil.xml": b"x"}  # noqa: S108
    path = changed(tmp_path, lambda parts: parts.update(outside))
    before = sorted(tmp_path.rglob("*"))
    assert read_submission(path).rows_read == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_an_archive_that_names_a_part_twice_is_refused(tmp_path: Path) -> None:
    path = sound(tmp_path)
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(path, "a") as archive,
    ):
        archive.writestr(SHEET, b"<worksheet/>")
    assert refusal(path) == ("refused.unreadable", {})


def test_an_archive_with_protected_entries_is_refused(tmp_path: Path) -> None:
    path = sound(tmp_path)
    content = bytearray(path.read_bytes())
    for found in re.finditer(rb"PK\x01\x02", bytes(content)):
        content[found.start() + 8] |= 1
    path.write_bytes(content)
    assert refusal(path) == ("refused.encrypted", {})


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.8, 0.99])
def test_an_archive_that_breaks_off_is_refused(tmp_path: Path, kept: float) -> None:
    path = sound(tmp_path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert refusal(path) == ("refused.unreadable", {})


def test_another_kind_of_office_file_is_refused(tmp_path: Path) -> None:
    letter = {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}
    assert refusal(pack(tmp_path / "v.ods", letter)) == (
        "refused.other_content",
        {"ending": ".ods"},
    )
    word = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>"}
    assert refusal(pack(tmp_path / "v.xlsx", word)) == (
        "refused.other_content",
        {"ending": ".xlsx"},
    )


# --- size -----------------------------------------------------------------------------------------


def test_a_million_blank_rows_are_no_rows(tmp_path: Path) -> None:
    blank = "".join(
        f'<row r="{row}" s="1" customFormat="1"><c r="A{row}" s="1"/></row>'
        for row in range(4, 1_048_577)
    )
    assert read_submission(changed(tmp_path, below(blank))).rows_read == 1


@pytest.mark.parametrize("where", ["XFD1048576", "ZZ1000000"])
def test_a_cell_far_away_does_not_take_all_memory(tmp_path: Path, where: str) -> None:
    row = re.sub(r"\D", "", where)
    path = changed(tmp_path, below(f'<row r="{row}">{text_cell(where, MARKER)}</row>'))
    assert refusal(path) == ("refused.too_spread", {"sheet": "#1"})
    assert_goes_on(tmp_path)


def test_the_last_row_that_is_read_is_the_limit(tmp_path: Path) -> None:
    limits = Limits(rows=100)
    last = changed(tmp_path, below(f'<row r="100">{text_cell("C100", "一")}</row>'))
    assert read_submission(last, limits).rows_read == 2
    for row in (101, 30_000):
        beyond = changed(tmp_path, below(f'<row r="{row}">{text_cell(f"C{row}", MARKER)}</row>'))
        assert refusal(beyond, limits) == (
            "refused.too_many_rows",
            {"sheet": "走访情况", "row": row, "most": 100},
        )


def test_the_last_column_that_is_read_is_the_limit(tmp_path: Path) -> None:
    beyond = {"sheet": "走访情况", "row": 4, "most": 100}
    wide = changed(tmp_path, below(f'<row r="4">{text_cell("NTP4", MARKER)}</row>'))
    assert refusal(wide) == ("refused.too_many_columns", beyond)
    blank = changed(tmp_path, below(f'<row r="4">{text_cell("NTP4", " ")}</row>'))
    assert read_submission(blank).rows_read == 1
    text = tmp_path / "v.csv"
    rows = [LINE, ",".join(HEADS), ",".join(CELLS), "," * 10_000 + MARKER]
    text.write_text("\n".join(rows), encoding="utf-8")
    assert refusal(text) == ("refused.too_many_columns", beyond)


LONG_CELL = {"refused.cell_too_long", "refused.too_spread", "refused.memory"}
"""What becomes of a cell of 100 MB: its length is known in the end, or memory ends before."""


def test_the_longest_cell_that_is_read_is_the_limit(tmp_path: Path) -> None:
    for length, key in ((1000, None), (1001, "refused.cell_too_long"), (10**8, None)):
        text = MARKER + "x" * (length - len(MARKER))
        path = changed(tmp_path, below(f'<row r="4">{text_cell("C4", text)}</row>'))
        if length == 1000:
            assert read_submission(path).rows_read == 2
        elif key:
            place = {"sheet": "走访情况", "row": 4, "column": "C", "most": 1000}
            assert refusal(path) == (key, place)
        else:  # 100 MB in one cell
            assert refusal(path)[0] in LONG_CELL
    assert_goes_on(tmp_path)


def test_a_text_of_one_cell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    rows = [LINE, ",".join(HEADS), "x" * 10**7]
    path.write_text("\n".join(rows), encoding="utf-8")
    assert refusal(path) == ("refused.broken_row", {"row": 3})


def test_sheets_that_do_not_count_may_be_of_any_size(tmp_path: Path) -> None:
    long = [[MARKER * 1000], *[["x"]] * 300]
    path = write_grids(tmp_path / "v.xlsx", {"走访": [[LINE], HEADS, CELLS], "说明": long})
    assert read_submission(path, Limits(rows=100)).rows_read == 1


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "v.csv"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    assert refusal(path) == ("refused.unreadable", {})


# --- content --------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "=cmd|' /c calc'!", '=HYPERLINK("x")'])
def test_a_text_that_looks_like_a_formula_stays_text(tmp_path: Path, start: str) -> None:
    text = f"{start}1+1"
    escaped = text.replace("&", "&amp;").replace('"', "&quot;")
    book = changed(tmp_path, below(f'<row r="4">{text_cell("C4", escaped)}</row>'))
    assert read_submission(book).sheets[0].rows[1][1][2] == text


@pytest.mark.parametrize(
    "sign", ["\x01", "\x08", "\x1e", "\x1f", "\x7f", "\u2028", "&#27;", "&#1;"]
)
def test_control_characters_do_no_harm(tmp_path: Path, sign: str) -> None:
    # two of them end cells and rows between the processes
    book = changed(tmp_path, below(f'<row r="4">{text_cell("C4", f"一{sign}网格")}</row>'))
    _, (number, cells) = read_submission(book).sheets[0].rows
    assert number == 4
    assert cells[2].replace(" ", "") in {"一网格", "一&#1;网格"}


@pytest.mark.parametrize("escape", ["&#xD800;", "&#xDFFF;", "&#x110000;", "&#0;", "&unknown;"])
def test_a_character_that_there_is_not_is_refused(tmp_path: Path, escape: str) -> None:
    book = changed(tmp_path, below(f'<row r="4">{text_cell("C4", f"一{escape}网格")}</row>'))
    assert refusal(book) == ("refused.unreadable", {})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb.csv", "….csv (1 B)"),
        ("\u202egpj.csv", "….csv (1 B)"),
        (os.fsdecode(b"\xff.csv"), "….csv (1 B)"),
        (f"{MARKER}.csv", "….csv (1 B)"),
        ("x" * 200 + ".csv", "….csv (1 B)"),
        ("..%2f..%2fetc.csv", "….csv (1 B)"),
        ("990101001001-sweep-1.csv", "990101001001-sweep-1.csv"),
    ],
)
def test_a_files_name_is_one_line_that_can_be_shown(tmp_path: Path, name: str, shown: str) -> None:
    path = tmp_path / name
    path.write_text("x", encoding="utf-8")
    assert shown_name(path) == shown
    assert refusal(path) == ("refused.no_identity", {})


# --- old workbooks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("streams", "key"),
    [
        ({"Workbook": BEGIN + record(0x2F, bytes(54))}, "refused.encrypted"),
        (
            {"Workbook": BEGIN + record(0x85, struct.pack("<IBBBB", 0, 0, 1, 0, 0))},
            "refused.macros",
        ),
        ({"Workbook": BEGIN, "_VBA_PROJECT_CUR": b"x"}, "refused.macros"),
        ({"EncryptedPackage": b"x", "EncryptionInfo": b"x"}, "refused.encrypted"),
        ({"WordDocument": b"x"}, "refused.other_content"),
        ({"Workbook": BEGIN + record(0x85, b"\1")}, "refused.unreadable"),
        ({"Workbook": BEGIN + record(0x205, b"\0\0\0\0\0\0\x2a\1")}, "refused.no_identity"),
        ({"Workbook": b""}, "refused.no_identity"),
    ],
)
def test_an_old_workbook_is_refused(tmp_path: Path, streams: Mapping[str, bytes], key: str) -> None:
    path = tmp_path / "v.xls"
    path.write_bytes(compound(streams))
    assert refusal(path)[0] == key


def test_a_chain_of_sectors_that_runs_in_a_circle_ends(tmp_path: Path) -> None:
    content = bytearray(compound({"Workbook": BEGIN * 300}))
    place = content.index(struct.pack("<III", 1, 2, 3))
    content[place + 4 : place + 8] = struct.pack("<I", 0)
    path = tmp_path / "v.xls"
    path.write_bytes(content)
    assert refusal(path)[0] in {"refused.unreadable", "refused.no_identity"}


# --- the process ----------------------------------------------------------------------------------


def test_a_file_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    # each password tried costs a hundred thousand rounds
    path = tmp_path / "v.xlsx"
    with sound(tmp_path).open("rb") as source, path.open("wb") as target:
        OOXMLFile(source).encrypt("password", target)
    limits = Limits.model_construct(seconds=1)
    start = time.monotonic()
    with pytest.raises(FileRefused) as refused:
        read_submission(path, limits, passwords=[f"wrong {number}" for number in range(1000)])
    assert (refused.value.key, refused.value.values["seconds"]) == ("refused.too_slow", 1)
    assert time.monotonic() - start < 5
    assert_goes_on(tmp_path)


def test_a_process_that_was_killed_is_replaced(tmp_path: Path) -> None:
    apart, content = Apart(), sound(tmp_path).read_bytes()
    try:
        for _ in range(3):
            assert apart.grids("v.xlsx", ".xlsx", content, Limits(), [])[0].rows
            assert apart._process
            os.kill(apart._process.pid, signal.SIGKILL)
            apart._process.wait()
    finally:
        apart.close()


def test_without_its_process_nothing_is_refused_but_the_command_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(WrongCommand) as stopped:
        Apart().grids("v.xlsx", ".xlsx", b"", Limits(), [])
    assert stopped.value.key == "error.reader"


def test_the_process_holds_no_key_and_can_write_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_KEY", "k" * 64)
    apart = Apart()
    try:
        apart.grids("v.xlsx", ".xlsx", sound(tmp_path).read_bytes(), Limits(), [])
        assert apart._process
        about = Path(f"/proc/{apart._process.pid}")
        assert b"CAMPAIGN" not in (about / "environ").read_bytes()
        limits = (about / "limits").read_text(encoding="ascii")
        for name in ("file size", "core file size"):
            assert re.search(rf"Max {name} +0 +0 ", limits)
        assert re.search(r"Max address space +335544320 +335544320 ", limits)
        files = {str(each.readlink()).partition(":")[0] for each in (about / "fd").iterdir()}
        assert files <= {"pipe", "/dev/null"}
    finally:
        apart.close()


READ_ALL = """
import json, sys
from pathlib import Path
from tasks.reading import read_submission
from tasks.rules.errors import FileRefused
found = {}
for path in map(Path, sys.argv[1:]):
    try:
        found[path.name] = read_submission(path).rows_read
    except FileRefused as refused:
        found[path.name] = refused.key
own = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
sys.stdout.write(json.dumps([found, own + 320 * 1024]))
"""


@pytest.mark.parametrize("widest", [30, pytest.param(100, marks=pytest.mark.slow)])
def test_reading_stays_small(tmp_path: Path, widest: int) -> None:
    """The largest files that are read and the worst that are not, one after another.

    Both processes together stay under 512 MiB: the one that reads, and the other at its limit.
    """
    rows_of = {
        name: "".join(
            f'<row r="{row}">'
            + "".join(f'<c r="{column_letters(at)}{row}"><v>{row}</v></c>' for at in range(columns))
            + "</row>"
            for row in range(4, 20_001)
        )
        for name, columns in (("full.xlsx", 9), ("wide.xlsx", widest))
    }
    sheets = {
        **{name: below(xml) for name, xml in rows_of.items()},
        "far.xlsx": below(f'<row r="1048576">{text_cell("XFD1048576", "x")}</row>'),
        "cell.xlsx": below(f'<row r="4">{text_cell("B4", "x" * 10**8)}</row>'),
        "bomb.xlsx": in_sheet(b"</sheetData>", b" " * 2**27 + b"</sheetData>"),
    }
    paths = []
    for name, change in sheets.items():
        path = changed(tmp_path, change).rename(tmp_path / name)
        paths.append(path)
    text = tmp_path / "full.csv"
    rows = [LINE, ",".join(HEADS), *[",".join(CELLS)] * 19_998, *["," * 2**19] * 30]
    # and one of which every line is as long as may be
    long = tmp_path / "long.csv"
    long.write_bytes(b"," * (2**20 - 1) + b"\n" + b"x," * 2**23)
    text.write_text("\n".join(rows), encoding="utf-8")
    paths += [text, long, sound(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, *map(str, paths)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    found, kilobytes = json.loads(done.stdout)
    assert found.pop("cell.xlsx") in LONG_CELL
    assert found == {
        "full.xlsx": 19_998,
        "full.csv": 19_998,
        "wide.xlsx": "refused.outside_columns",
        "long.csv": "refused.broken_row",
        "far.xlsx": "refused.too_spread",
        "bomb.xlsx": "refused.unpacks",
        "sound.xlsx": 1,
    }
    assert kilobytes < 512 * 1024


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        ({"rows": 100}, "refused.too_many_rows"),
        ({"cell_characters": 200}, "refused.cell_too_long"),
        ({"columns": 30}, "refused.too_many_columns"),
        ({"file_megabytes": 1}, "refused.too_large"),
        ({}, None),
    ],
)
def test_a_campaigns_own_limits_hold_once_a_file_has_said_whose_it_is(
    store: Store, plan: Plan, tmp_path: Path, limits: dict[str, int], key: str | None
) -> None:
    mark = write_identity(Identity("autumn-2025", "sweep", 1, "990101001001", 1))
    columns = SHEETS["coverage"].columns
    heads = [column.heads[0] for column in columns]
    cells = [coverage()[column.name] for column in columns]
    long = [*cells[:1], "网" * 201, *cells[2:]]
    rows = [[mark], [*[""] * 30, "填报"], heads, cells, *[[]] * 100, long]
    path = write_grids(tmp_path / "v.xlsx", {"走访情况": rows, "无关": [["1" * 1000]]})
    if "file_megabytes" in limits:
        noise = Random(7).randbytes(2**20).hex()  # noqa: S311  it only has to be incompressible
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts:
            parts.writestr("docProps/thumbnail.txt", noise)
        assert path.stat().st_size > 2**20
    widest = Limits()
    narrow = plan.model_copy(update={"limits": widest.model_copy(update=limits)})
    other = plan.model_copy(update={"slug": "spring-2026", "limits": widest})
    (result,) = take_in(
        store,
        {each.slug: each for each in (narrow, other)},
        [path],
        received_at=RECEIVED,
        recorded_at=RECEIVED,
        keep=False,
    )
    assert (result.refused.key if result.refused else None) == key
    if result.refused:
        assert result.exit == Exit.FILE_REFUSED
        assert "\n" not in result.refused.text()
