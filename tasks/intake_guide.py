"""docs/intake.md: every spelling intake accepts and every reason for return and refusal.

`python -m tasks.intake_guide` writes it. Lists come from the contract, the wording and the plan's
limits; what cells, encodings and separators mean is not described but tried: the very macros and
reader that take submissions in read the examples. So the page cannot say what the code does not do.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from tasks.plan import Limits
from tasks.reading import is_submission, read_submission
from tasks.rules.cells import cell_reason
from tasks.rules.columns import FILLED_IN, Kind, kind_of, may_be_blank
from tasks.rules.contract import (
    CHOICES,
    SHEETS,
    TEMPLATE_VERSION,
    VERDICTS,
    Identity,
    Sheet,
    write_identity,
)
from tasks.rules.errors import FileRefused
from tasks.rules.wording import LANGUAGES, fields, keys, say
from tasks.store import Store, memory

PAGE = Path(__file__).parents[1] / "docs" / "intake.md"

_ENDINGS = (".xlsx", ".xls", ".ods", ".csv", ".xlsm", ".xlsb", ".et", ".txt", ".tsv", ".pdf")
_ENCODINGS = {
    "UTF-8": "utf-8",
    "UTF-8 (BOM)": "utf-8-sig",
    "GB18030 / GBK / GB2312": "gb18030",
    "UTF-16 LE (BOM)": "utf-16",
    "UTF-16 LE": "utf-16-le",
    "UTF-16 BE": "utf-16-be",
}
_SEPARATORS = (",", ";", "\t", "|")

_EXAMPLES: dict[Kind, tuple[str, ...]] = {
    "date": (
        "2025-10-03",
        "2025-10-3",
        "2025/10/3",
        "2025.10.3",
        "2025. 10. 3",
        "2025 10 3",
        "2025、10、3",
        "2025年10月3日",
        "2025 年 10 月 3 日",
        "2025年10月3号",
        "2025年10月3日 星期五",
        "20251003",
        "２０２５－１０－０３",
        "二〇二五年十月三日",
        "3 Oct 2025",
        "45933",
        "45933.0",
        "2025-10-03 00:00:00",
        "2025-10-03 14:30",
        "03/04/2025",
        "3-10-2025",
        "25-10-03",
        "25.10.3",
        "10月3日",
        "10-3",
        "十月三日",
        "2025年10月",
        "2025-02-30",
        "#VALUE!",
    ),
    "month": (
        "2025-11",
        "2025年11月",
        "2025.11",
        "2025/11",
        "202511",
        "2025-11-30",
        "11月",
        "本月",
    ),
    "count": (
        "12",
        "１２",
        "12.0",
        "　12　",
        "0",
        "1,200",
        "1，200",
        "1,20",
        "1.5",
        "-3",
        "约20",
        "十二",
        "#N/A",
    ),
    "code": (
        "990101101201",
        "９９０１０１１０１２０１",
        "　990101101201　",
        "990101101201.0",
        "9.90101E+11",
        "99010110120",
        "柳溪村",
    ),
    "id": (
        "99010119800102001X",
        "99010119800102001x",
        "９９０１０１１９８００１０２００１Ｘ",
        "990101198001020013",
        "990101800102001",
        "9.90101198001020E+17",
        "990101198001020000",
    ),
    "phone": (
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+86 13800138000",
        "010-12345678",
        "62345678",
        "1380013800",
        "13800138000/13900139000",
    ),
    "name": ("王示例", "王　示 例", "阿依古丽·买买提", "Anna O'Neill", "王", "王2", "=王示例"),
    "licence": ("110000000000001", "A12345678", "1234567", "见前"),
}
_MACROS = (
    "norm_text",
    "to_date",
    "to_month",
    "to_int",
    "to_code",
    "id_whole",
    "id_check",
    "phone_check",
    "phone_number",
    "name_check",
    "person_name",
    "licence_check",
)


def intake_guide() -> str:
    """Return the page, in English and Chinese side by side, as Markdown."""
    parts = [
        f"# {_both('guide.title')}",
        *_paragraphs("guide.generated"),
        *_files(),
        *_columns(),
        *_choices(),
        *_values(),
        *_reasons(),
    ]
    return "\n\n".join(parts) + "\n"


def _files() -> Iterator[str]:
    yield _heading("guide.files")
    yield from _paragraphs("guide.files_text")
    taken = [(f"`{ending}`", _taken(is_submission(Path(f"a{ending}")))) for ending in _ENDINGS]
    yield _table(("guide.ending", "guide.taken"), taken)
    yield _table(("guide.limit", "guide.default", "guide.range"), _limits())
    yield _heading("guide.csv")
    encodings = [
        (label, _taken(not _refusal(_probe(encoding=encoding))))
        for label, encoding in _ENCODINGS.items()
    ]
    yield _table(("guide.encoding", "guide.taken"), encodings)
    separators = [
        (_both("guide.tab") if sign == "\t" else _code(sign), _taken(not _refusal(_probe(sign))))
        for sign in _SEPARATORS
    ]
    yield _table(("guide.separator", "guide.taken"), separators)
    yield _heading("guide.identity")
    yield from _paragraphs("guide.identity_text")
    yield f"```text\n{write_identity(_PROBED)}\n```"


def _limits() -> Iterator[tuple[str, str, str]]:
    for name, number in Limits.model_fields.items():
        bounds = {type(each).__name__: each for each in number.metadata}
        span = f"{bounds['Ge'].ge:,} – {bounds['Le'].le:,}"
        yield f"`{name}`: {_both(f'guide.limit.{name}')}", f"{number.default:,}", span


_PROBED = Identity("autumn-2025", "sweep", 1, "990101101201", TEMPLATE_VERSION)
_HEADS = tuple(column.heads[0] for column in SHEETS["coverage"].columns)
_CELLS = ("990101101201", "第一网格", *["1"] * (len(_HEADS) - 2))
_MARK = (write_identity(_PROBED),)
_GROUPED = {"走访开始日期": ("走访", "开始日期"), "走访结束日期": ("", "结束日期")}

_LAYOUTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "plain": (_MARK, _HEADS, _CELLS),
    "titles": (_MARK, ("2025年秋季",), (), ("填报单位：",), _HEADS, _CELLS),
    "order": (_MARK, _HEADS[::-1], _CELLS[::-1]),
    "english": (_MARK, tuple(column.name for column in SHEETS["coverage"].columns), _CELLS),
    "two_lines": (
        _MARK,
        tuple(_GROUPED[head][0] if head in _GROUPED else head for head in _HEADS),
        tuple(_GROUPED[head][1] if head in _GROUPED else "" for head in _HEADS),
        _CELLS,
    ),
    "blanks": (_MARK, (*_HEADS, "", ""), (), (*_CELLS, "", "　"), (), ("　",)),
    "untouched": (_MARK, _HEADS, (_CELLS[0],)),
    "extra": (_MARK, (*_HEADS, "备注"), (*_CELLS, "无")),
    "unheaded": (_MARK, _HEADS, (*_CELLS, "无")),
    "missing": (_MARK, _HEADS[:-1], _CELLS[:-1]),
    "twice": (_MARK, (*_HEADS, _HEADS[1]), (*_CELLS, _CELLS[1])),
    "headless": (_MARK, _CELLS),
    "nameless": (_HEADS, _CELLS),
}
"""The layouts that are tried, each one row of coverage."""


def _probe(
    separator: str = ",",
    encoding: str = "utf-8",
    rows: Iterable[Sequence[str]] = _LAYOUTS["plain"],
) -> bytes:
    """Return a CSV of `rows`."""
    return "".join(f"{separator.join(row)}\r\n" for row in rows).encode(encoding)


def _refusal(content: bytes) -> str | None:
    """Return the key of why a CSV is refused, or None where it is read."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "probe.csv"
        path.write_bytes(content)
        try:
            read_submission(path)
        except FileRefused as refused:
            return refused.key
        return None


def _layouts() -> Iterator[tuple[str, str, str]]:
    for name, rows in _LAYOUTS.items():
        key = _refusal(_probe(rows=rows))
        yield _both(f"guide.layout.{name}"), _taken(key is None), _code(key) if key else ""


def _columns() -> Iterator[str]:
    yield _heading("guide.columns")
    filled_in = ", ".join(f"`{name}`" for name in FILLED_IN)
    yield from _paragraphs("guide.columns_text", filled_in=filled_in)
    yield _table(("guide.layout", "guide.taken", "guide.why"), _layouts())
    for sheet in SHEETS.values():
        yield _sheet_heading(sheet)
        rows = []
        for column in sheet.columns:
            holds = _both(f"guide.kind.{kind_of(column)}")
            if column.choices:
                holds = f"{holds} `{column.choices}`"
            if may_be_blank(sheet, column):
                holds = f"{holds}; {_both('guide.blank_ok')}"
            heads = "、".join(column.heads)
            if not column.required:
                holds = f"{holds}; {_both('guide.head_optional')}"
            rows.append((f"`{column.name}`", heads, holds))
        yield _table(("guide.column", "guide.heads", "guide.holds"), rows)


def _choices() -> Iterator[str]:
    yield _heading("guide.choices")
    yield from _paragraphs("guide.choices_text")
    used = {column.choices for sheet in SHEETS.values() for column in sheet.columns}
    for name, values in CHOICES.items():
        if name not in used:
            continue
        yield f"### `{name}`"
        rows = [
            (f"`{value}`", " · ".join((f"**{spellings[0]}**", *map(_code, spellings[1:]))))
            for value, spellings in values.items()
        ]
        yield _table(("guide.value", "guide.spellings"), rows)


def _values() -> Iterator[str]:
    yield _heading("guide.values")
    yield from _paragraphs("guide.values_text")
    read = readings()
    for kind in _EXAMPLES:
        yield f"### {_both(f'guide.kind.{kind}')}"
        rows = [
            (_code(cell), *((_code(reading), "") if reading else _not_read(cell, kind)))
            for of, cell, reading in read
            if of == kind
        ]
        yield _table(("guide.written", "guide.reading", "guide.why"), rows)


def readings() -> list[tuple[Kind, str, str | None]]:
    """Return (kind, cell, what intake reads in it or None) of every example, in their order."""
    examples = [(kind, cell) for kind, cells in _EXAMPLES.items() for cell in cells]
    with memory() as connection:
        store = Store(connection)
        for name in _MACROS:
            store.run(f"macro/{name}")
        store.load(
            "guide_example",
            pa.table(
                {
                    "place": list(range(len(examples))),
                    "kind": [kind for kind, _ in examples],
                    "cell": [cell for _, cell in examples],
                }
            ),
        )
        return [(kind, cell, read) for kind, cell, read in store.rows("guide/readings")]


def _not_read(cell: str, kind: Kind) -> tuple[str, str]:
    key = cell_reason(cell, kind)
    return _both("guide.not_read"), _both(key) if key else ""


def _reasons() -> Iterator[str]:
    yield _heading("guide.verdicts")
    verdicts = [
        (f"`{name}` {_both(f'verdict.{name}')}", _both(f"template.verdict.{name}"))
        for name in VERDICTS
    ]
    yield _table(("guide.verdict", "guide.meaning"), verdicts)
    yield _heading("guide.returns")
    yield from _paragraphs("guide.returns_text")
    for sheet in SHEETS.values():
        yield _sheet_heading(sheet)
        rules = [
            (f"`{rule.name}`", f"`{rule.column}`", _both(f"rule.{rule.name}"))
            for rule in sheet.rules
        ]
        yield _table(("guide.rule", "guide.column", "guide.said"), rules)
    yield _heading("guide.cells")
    yield _table(("guide.reason", "guide.said"), _said(keys("cell.")))
    yield _heading("guide.refusals")
    yield from _paragraphs("guide.refusals_text")
    yield _table(("guide.reason", "guide.said"), _said(keys("refused.")))


def _said(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return (key, text in both languages) with the names of fields where values will stand."""
    return [
        (f"`{name}`", _both(name, **{each: f"‹{each}›" for each in fields(name, "en")}))
        for name in names
    ]


def _sheet_heading(sheet: Sheet) -> str:
    return f"### `{sheet.name}`: {_both(f'sheet.{sheet.name}')}"


def _heading(key: str) -> str:
    return f"## {_both(key)}"


def _paragraphs(key: str, **values: str) -> Iterator[str]:
    for language in reversed(LANGUAGES):
        yield say(key, language, **values)


def _both(key: str, **values: str) -> str:
    return " / ".join(say(key, language, **values).strip() for language in reversed(LANGUAGES))


def _taken(is_taken: bool) -> str:
    return _both("guide.yes" if is_taken else "guide.no")


def _code(text: str) -> str:
    return f"`{text}`"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [map(_both, heads), ["---"] * len(heads), *rows]
    cells = ([each.replace("|", "\\|") for each in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


if __name__ == "__main__":
    PAGE.write_text(intake_guide(), encoding="utf-8")
