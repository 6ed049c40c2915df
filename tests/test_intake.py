"""Taking in: every row ends as exactly one verdict, and only consented rows reach the register."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import (
    RECEIVED,
    WriteCsv,
    coverage,
    make_home,
    open_home,
    referral,
    write_workbook,
)
from data.synthetic.messes import MISTAKES, Setting, spoil
from data.synthetic.messes import NO_CONSENT as SPELLINGS_OF_NO
from register_rows import VILLAGE_1, VILLAGE_2, contents, empty
from tasks.intake import FileResult, ReturnedRow, submissions_in, take_in, worst_exit
from tasks.plan import Plan
from tasks.rules.contract import REFERRAL, SHEETS, VERDICTS, Identity, write_identity
from tasks.rules.errors import CheckFailed, Exit, FileRefused, WrongCommand
from tasks.store import Store

MAN, OTHER_MAN = "110101198001020139", "11010119800102069X"
"""Made-up numbers with a right check digit: born 1980-01-02, male."""
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _errors_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGN_SQL_ERRORS", "synthetic-data-only")


def taken(
    store: Store, plan: Plan, files: Sequence[Path], at: datetime = RECEIVED, *, keep: bool = True
) -> list[FileResult]:
    """Take files in and see that each account adds up."""
    results = take_in(store, {plan.slug: plan}, files, received_at=at, recorded_at=at, keep=keep)
    for result in results:
        for counts in (result.rows, *result.sheets.values()):
            assert counts["read"] == sum(counts[verdict] for verdict in VERDICTS)
        assert len(result.returned) == result.rows["returned"]
    return results


def verdicts(result: FileResult) -> dict[str, int]:
    """The verdicts that occur in a file."""
    return {name: result.rows[name] for name in VERDICTS if result.rows[name]}


def everything(store: Store) -> dict[str, list[str]]:
    """Table -> its rows as text, for every table of the register and the ledger."""
    tables = store.connection.execute(
        "SELECT database_name, table_name FROM duckdb_tables() "
        "WHERE database_name IN ('register', 'ledger')"
    ).fetchall()
    found = {}
    for database, table in sorted(tables):
        query = f'SELECT t::VARCHAR FROM {database}."{table}" AS t ORDER BY ALL'  # noqa: S608
        found[f"{database}.{table}"] = [
            row for (row,) in store.connection.execute(query).fetchall()
        ]
    return found


# --- accounting -----------------------------------------------------------------------------------

PEOPLE = ("赵甲", "钱乙", "孙丙", "李丁")
NO_CONSENT = (
    {"consent_by": ""},
    {"consent_by": "不同意"},
    {"consent_by": " 拒绝　"},
    {"consent_by": "NO"},
    {"consent_by": "否"},
    {"consent_date": ""},
    {"consent_scope": " "},
    {"consent_by": "", "consent_date": "", "consent_scope": ""},
)
BROKEN_CONSENT = (
    {"consent_by": "邻居"},
    {"consent_date": "2099-01-01"},
    {"consent_date": "口头"},
    {"consent_scope": "全部"},
)
RETURNED = ({"urgency": "特急"}, {"phone": "见上"}, {"sex": ""})
UNDER_AGE = ({"birth_date": "2015-01-02"},)


@dataclass(frozen=True)
class Line:
    """A row to write: what will be wrong with it, whom it is about, and in which version."""

    wrong: str
    """no_consent, returned, or nothing."""
    changes: dict[str, str]
    person: int
    version: int

    @property
    def row(self) -> dict[str, str]:
        told = {
            "row_no": str(self.person + 1),
            "full_name": PEOPLE[self.person],
            "phone": f"1380013800{self.version}",
        }
        return referral(**(told | self.changes))


def lines(wrong: str, *changes: dict[str, str]) -> st.SearchStrategy[Line]:
    return st.builds(
        Line,
        st.just(wrong),
        st.sampled_from(changes),
        st.integers(0, len(PEOPLE) - 1),
        st.integers(0, 1),
    )


FILES = st.lists(
    lines("", {})
    | lines("no_consent", *NO_CONSENT)
    | lines("returned", *BROKEN_CONSENT, *RETURNED, *UNDER_AGE),
    min_size=1,
    max_size=7,
)


def expected(file: Sequence[Line], kept: dict[int, int]) -> Counter[str]:
    """Return the verdicts of a file by the rule's own words; `kept` (person -> version) follows."""
    found: Counter[str] = Counter()
    met = set()
    for line in file:
        if line.wrong:
            found[line.wrong] += 1
        elif line.person in met:
            found["duplicate"] += 1
        elif kept.get(line.person) == line.version:
            found["unchanged"] += 1
        else:
            found["accepted"] += 1
        if not line.wrong and line.person not in met:
            met.add(line.person)
            kept[line.person] = line.version
    return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A register for many examples."""
    with open_home(make_home(tmp_path_factory.mktemp("intake") / "home")) as store:
        yield store


SENDERS = 12
"""Files of an example: judging twelve takes no longer than judging one."""


@settings(max_examples=4, deadline=None)
@given(
    first=st.lists(FILES, min_size=SENDERS, max_size=SENDERS),
    second=st.lists(FILES, min_size=SENDERS, max_size=SENDERS),
)
def test_every_row_has_one_verdict_and_all_are_accounted_for(
    shared: Store,
    plan: Plan,
    tmp_path_factory: pytest.TempPathFactory,
    first: list[list[Line]],
    second: list[list[Line]],
) -> None:
    empty(shared, "stg_referral", "raw_submission")
    codes = [f"9901010010{number:02d}" for number in range(1, SENDERS + 1)]
    villages = tuple(plan.villages[0].model_copy(update={"code": code}) for code in codes)
    plan = plan.model_copy(update={"villages": villages})
    folder = tmp_path_factory.mktemp("example")
    kept: list[dict[int, int]] = [{} for _ in codes]
    for number, files in enumerate((first, second)):
        paths = [
            write_workbook(
                folder / f"{number}-{code}.xlsx",
                {"referral": [line.row for line in file]},
                Identity(plan.slug, "sweep", 1, code, 1),
                # two files of the same bytes would be one
                titles=[f"第{number}次报送"],
            )
            for code, file in zip(codes, files, strict=True)
        ]
        wanted = [dict(expected(*each)) for each in zip(files, kept, strict=True)]
        before = everything(shared)
        checked = taken(shared, plan, paths, keep=False)
        assert everything(shared) == before
        assert [verdicts(result) for result in checked] == wanted

        results = taken(shared, plan, paths, RECEIVED + number * DAY)
        assert [verdicts(result) for result in results] == wanted
        assert results_told(shared, number) == {
            code: (len(file), counts)
            for code, file, counts in zip(codes, files, wanted, strict=True)
        }
    current = kept_rows(shared, "sender_village, row_no - 1, phone[-1:]::INTEGER")
    assert current == sorted(
        (code, person, version)
        for code, persons in zip(codes, kept, strict=True)
        for person, version in persons.items()
    )


ARRIVAL = RECEIVED.date()
PERSON = {
    "row_no": 1,
    "full_name": "赵甲",
    "sex": "男",
    "birth_date": date(1980, 1, 2),
    "residence_village": VILLAGE_1,
    "registered_village": VILLAGE_1,
    "referred_by": "村医",
    "consent_by": "本人",
    "consent_date": ARRIVAL - 8 * DAY,
    "consent_scope": "评估",
    "care_setting": "居家",
    "observed_signs": "1，3",
    "urgency": "常规",
}
GRID = {
    "village_code": VILLAGE_1,
    "grid": "一网格",
    "households": 50,
    "households_visited": 45,
    "households_declined": 2,
    "visits_from": ARRIVAL - 20 * DAY,
    "visits_to": ARRIVAL - 4 * DAY,
    "no_consent_count": 1,
}
GOOD = {"referral": PERSON, "coverage": GRID}
MESSES = [("referral", f"no consent {number}") for number in range(len(SPELLINGS_OF_NO))]
MESSES += [(sheet, rule) for sheet in GOOD for rule in MISTAKES[sheet]]


def messy(sheet: str, rule: str, draw: Random) -> dict[str, Any]:
    """A row that is right but for one thing; `rule` "" for nothing."""
    row: dict[str, Any] = dict(GOOD[sheet])
    if sheet == "referral":
        row |= {"full_name": draw.choice(PEOPLE), "phone": f"1380013800{draw.randint(0, 1)}"}
    else:
        row |= {"grid": f"{draw.randint(1, 3)}网格"}
    if rule.startswith("no consent"):
        return row | SPELLINGS_OF_NO[int(rule.rsplit(maxsplit=1)[-1])]
    setting = Setting(ARRIVAL, ["990102001001", "990102001002"], draw)
    return {**row, **spoil(sheet, rule, row, setting)} if rule else row


MESSY_FILES = st.lists(
    st.sampled_from([("referral", ""), ("coverage", "")]) | st.sampled_from(MESSES),
    min_size=1,
    max_size=12,
)


@settings(max_examples=10, deadline=None)
@given(first=MESSY_FILES, second=MESSY_FILES, draw=st.randoms(use_true_random=False))
def test_a_check_gives_what_receiving_gives_whatever_is_in_the_file(
    shared: Store,
    plan: Plan,
    tmp_path_factory: pytest.TempPathFactory,
    first: list[tuple[str, str]],
    second: list[tuple[str, str]],
    draw: Random,
) -> None:
    empty(shared, "stg_referral", "stg_coverage", "raw_submission", "raw_row", "reg_said")
    empty(shared, "reg_return")
    folder = tmp_path_factory.mktemp("messes")
    for number, kinds in enumerate((first, second)):
        sheets = {
            sheet: [messy(sheet, rule, draw) for each, rule in kinds if each == sheet]
            for sheet in GOOD
        }
        path = write_workbook(folder / f"{number}.xlsx", sheets, identity(), [f"第{number}次"])
        before = everything(shared)
        at = RECEIVED + number * DAY
        checked = taken(shared, plan, [path], at, keep=False)
        assert everything(shared) == before
        received = taken(shared, plan, [path], at)
        assert checked == received
        assert received[0].rows["read"] == len(kinds)


def results_told(store: Store, number: int) -> dict[str, tuple[int, dict[str, int]]]:
    """Sender -> (rows read, verdicts) of a delivery, where file and rows say the same."""
    at = RECEIVED + number * DAY
    files = store.connection.execute(
        f"SELECT submission_id, sender_village, rows_read, {', '.join(VERDICTS)} "  # noqa: S608
        "FROM register.raw_submission WHERE received_at = $at",
        {"at": at},
    ).fetchall()
    found = {}
    for submission_id, village, rows_read, *counts in files:
        told = {name: n for name, n in zip(VERDICTS, counts, strict=True) if n}
        rows = store.connection.execute(
            "SELECT verdict, count(*) FROM register.stg_referral WHERE submission_id = $id "
            "GROUP BY ALL",
            {"id": submission_id},
        ).fetchall()
        assert dict(rows) == told
        found[village] = (rows_read, told)
    return found


def test_both_sheets_of_a_file_are_accounted_for_apart_and_together(
    store: Store, plan: Plan, tmp_path: Path
) -> None:
    sheets = {
        "coverage": [coverage(), coverage(grid="二网格", households="?")],
        "referral": [referral(), referral(consent_by="不同意")],
    }
    path = write_workbook(tmp_path / "v.xlsx", sheets, identity())
    (result,) = taken(store, plan, [path])
    none = dict.fromkeys(VERDICTS, 0)
    assert result.sheets == {
        "coverage": none | {"read": 2, "accepted": 1, "returned": 1},
        "referral": none | {"read": 2, "accepted": 1, "no_consent": 1},
    }
    assert result.rows == none | {"read": 4, "accepted": 2, "returned": 1, "no_consent": 1}
    assert contents(store, "raw_submission", ", ".join(("rows_read", *VERDICTS))) == [
        (4, 2, 1, 0, 0, 1)
    ]
    assert result.exit is Exit.ROWS_RETURNED


def identity(village: str = VILLAGE_1) -> Identity:
    return Identity("autumn-2025", "sweep", 1, village, 1)


def test_rows_that_do_not_add_up_stop_before_anything_is_kept(
    store: Store, plan: Plan, write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv("referral", [referral()])
    before = everything(store)
    rows = Store.rows

    def forgetful(self: Store, name: str, **parameters: Any) -> Any:
        return [] if name == "intake/verdict_count" else rows(self, name, **parameters)

    monkeypatch.setattr(Store, "rows", forgetful)
    with pytest.raises(CheckFailed) as stopped:
        taken(store, plan, [path])
    assert stopped.value.key == "error.rows_unaccounted"
    assert everything(store) == before


def test_a_delivery_is_kept_as_one_or_not_at_all(
    store: Store, plan: Plan, write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv("referral", [referral()])
    before = everything(store)
    run = Store.run

    def interrupted(self: Store, name: str, **parameters: Any) -> None:
        if name == "intake/submission":
            raise KeyboardInterrupt
        run(self, name, **parameters)

    monkeypatch.setattr(Store, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        taken(store, plan, [path])
    monkeypatch.undo()
    assert everything(store) == before
    assert verdicts(taken(store, plan, [path])[0]) == {"accepted": 1}


# --- again, and corrected -------------------------------------------------------------------------


def test_the_very_same_file_again_changes_nothing(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    rows = [referral(), referral(), referral(full_name="李四", urgency="?")]
    rows.append(referral(consent_by=""))
    path = write_csv("referral", rows)
    (first,) = taken(store, plan, [path])
    before = everything(store)
    (again,) = taken(store, plan, [path], RECEIVED + DAY)
    assert (first.repeated, again.repeated) == (False, True)
    assert verdicts(first) == {"accepted": 1, "duplicate": 1, "returned": 1, "no_consent": 1}
    assert verdicts(again) == {"unchanged": 1, "duplicate": 1, "returned": 1, "no_consent": 1}
    assert everything(store) == before


def test_an_old_file_again_does_not_undo_its_correction(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    old = write_csv("referral", [referral()], name="a.csv")
    new = write_csv("referral", [referral(phone="13700137000")], name="b.csv")
    taken(store, plan, [old])
    taken(store, plan, [new])
    before = everything(store)
    assert verdicts(taken(store, plan, [old])[0]) == {"unchanged": 1}
    assert everything(store) == before


def kept_rows(store: Store, columns: str) -> list[tuple[Any, ...]]:
    """Columns of the current referrals."""
    query = f"SELECT {columns} FROM register.stg_referral WHERE is_current ORDER BY ALL"  # noqa: S608
    return store.connection.execute(query).fetchall()


def test_a_correction_replaces_and_keeps_when_it_first_came_and_its_reference(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    taken(store, plan, [write_csv("referral", [referral(), referral(full_name="李四")])])
    before = dict(kept_rows(store, "full_name, referral_ref"))
    corrected = write_csv("referral", [referral(phone="13700137000")], name="b.csv")
    (result,) = taken(store, plan, [corrected], RECEIVED + DAY)
    assert verdicts(result) == {"accepted": 1}
    rows = kept_rows(store, "full_name, phone, referral_ref, received_at, first_received_at")
    assert rows == [
        ("张三丰", "13700137000", before["张三丰"], RECEIVED + DAY, RECEIVED),
        ("李四", "13800138000", before["李四"], RECEIVED, RECEIVED),
    ]
    assert len(contents(store, "stg_referral")) == 3


def test_a_reference_is_the_same_after_a_rerun_and_nobody_elses(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    rows = [referral(), referral(full_name="李四", row_no="2")]
    path = write_csv("referral", rows)
    taken(store, plan, [path])
    before = kept_rows(store, "full_name, referral_ref")
    assert all(reference.startswith("R-") for _, reference in before)
    empty(store, "stg_referral", "raw_submission", "raw_row", "reg_said")
    taken(store, plan, [path])
    assert kept_rows(store, "full_name, referral_ref") == before
    taken(store, plan, [write_csv("referral", rows, village=VILLAGE_2)])
    assert len({reference for _, reference in kept_rows(store, "full_name, referral_ref")}) == 4


def test_two_files_of_one_village_in_one_delivery_are_judged_in_their_order(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    first = [referral(), referral(full_name="李四", urgency="?")]
    second = [referral(), referral(full_name="李四")]
    third = [referral(phone="13700137000")]
    paths = [
        write_csv("referral", rows, name=f"{number}.csv")
        for number, rows in enumerate((first, second, third))
    ]
    results = taken(store, plan, [*paths, paths[0]])
    assert [verdicts(result) for result in results] == [
        {"accepted": 1, "returned": 1},
        {"accepted": 1, "unchanged": 1},
        {"accepted": 1},
        {"unchanged": 1, "returned": 1},
    ]
    assert [result.file for result in results] == ["0.csv", "1.csv", "2.csv", "0.csv"]
    assert results[-1].repeated
    assert kept_rows(store, "full_name, phone") == [
        ("张三丰", "13700137000"),
        ("李四", "13800138000"),
    ]


def test_villages_do_not_meet(store: Store, plan: Plan, write_csv: WriteCsv) -> None:
    paths = [write_csv("referral", [referral()], village=code) for code in (VILLAGE_1, VILLAGE_2)]
    assert [verdicts(each) for each in taken(store, plan, paths)] == [{"accepted": 1}] * 2
    assert len(kept_rows(store, "referral_ref")) == 2


@pytest.mark.parametrize(("first", "second"), [("", MAN), (MAN, ""), (MAN, MAN.replace("1", "１"))])
def test_a_person_with_the_number_in_one_row_and_without_in_the_other_is_one(
    store: Store, plan: Plan, write_csv: WriteCsv, first: str, second: str
) -> None:
    rows = [referral(resident_id=first), referral(resident_id=second, phone="")]
    (result,) = taken(store, plan, [write_csv("referral", rows)])
    assert verdicts(result) == {"accepted": 1, "duplicate": 1}
    (before,) = kept_rows(store, "referral_ref")
    taken(store, plan, [write_csv("referral", rows[1:], name="b.csv")])
    assert kept_rows(store, "referral_ref, phone") == [(*before, None)]


def test_two_people_of_one_name_and_birthday_are_told_apart_by_their_numbers(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    taken(store, plan, [write_csv("referral", [referral()])])
    (before,) = kept_rows(store, "referral_ref")
    both = [referral(resident_id=MAN), referral(resident_id=OTHER_MAN)]
    (result,) = taken(store, plan, [write_csv("referral", both, name="b.csv")])
    assert verdicts(result) == {"accepted": 2}
    # the row that was kept without a number is corrected by one of them, and by one only
    after = kept_rows(store, "referral_ref")
    assert before in after
    assert len(set(after)) == 2
    swapped = write_csv("referral", both[::-1], name="c.csv")
    assert verdicts(taken(store, plan, [swapped])[0]) == {"unchanged": 2}


def test_the_order_of_verdicts(store: Store, plan: Plan, write_csv: WriteCsv) -> None:
    taken(store, plan, [write_csv("referral", [referral()])])
    rows = [
        referral(urgency="?", consent_by=""),
        referral(urgency="?"),
        referral(),
        referral(),
        referral(phone="13700137000"),
    ]
    (result,) = taken(store, plan, [write_csv("referral", rows, name="b.csv")])
    file = "SELECT max(submission_id) FROM register.raw_submission WHERE rows_read = 5"
    ((submission_id,),) = store.connection.execute(file).fetchall()
    found = store.connection.execute(
        "SELECT verdict FROM register.stg_referral WHERE submission_id = $id ORDER BY row_number",
        {"id": submission_id},
    ).fetchall()
    assert [verdict for (verdict,) in found] == [
        "no_consent",
        "returned",
        "unchanged",
        "duplicate",
        "duplicate",
    ]
    assert verdicts(result) == {"no_consent": 1, "returned": 1, "unchanged": 1, "duplicate": 2}


@pytest.mark.parametrize(
    ("rows", "nil"),
    [
        ([coverage(nil_return="是")], True),
        ([coverage(), coverage(grid="二网格", nil_return="是")], True),
        ([coverage()], False),
        ([coverage(nil_return="是", households="?")], False),
    ],
)
def test_a_nil_return_is_one_that_was_accepted(
    store: Store, plan: Plan, write_csv: WriteCsv, rows: list[dict[str, str]], nil: bool
) -> None:
    taken(store, plan, [write_csv("coverage", rows)])
    assert contents(store, "raw_submission", "nil") == [(nil,)]


def test_the_standing_register_is_as_it_was_sent_last_whichever_campaign_took_it_in(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    person = {
        "register_no": "G-001",
        "full_name": "王五",
        "sex": "女",
        "birth_date": "1970-05-06",
        "residence_village": VILLAGE_1,
        "consent_by": "本人",
        "consent_date": "2020-01-01",
        "consent_scope": "评估和管理",
        "diagnosis": "双相障碍",
        "confirmed_on": "2020-01-01",
        "psychiatrist_licence": "110990000000001",
    }
    plans = {slug: plan.model_copy(update={"slug": slug}) for slug in ("autumn-2025", "next")}
    sent = [("autumn-2025", "稳定", 0), ("next", "不稳定", 1), ("autumn-2025", "基本稳定", 2)]
    for slug, stability, days in sent:
        path = write_csv(
            "registered_person",
            [person | {"stability": stability}],
            identity=write_identity(Identity(slug, "follow_up", 0, plan.health_centre.code, 1)),
        )
        at = RECEIVED + days * DAY
        (result,) = take_in(store, plans, [path], received_at=at, recorded_at=at, keep=True)
        assert verdicts(result) == {"accepted": 1}
        value = {"稳定": "stable", "不稳定": "unstable", "基本稳定": "basically_stable"}[stability]
        assert contents(store, "reg_registered", "register_no, stability") == [("G-001", value)]


# --- the consent gate -----------------------------------------------------------------------------

NUMBER = "11010119800102077X"
MARKED = {
    "full_name": "孔雀石",
    "contact_name": "绿松石",
    "phone": "13912345671",
    "contact_phone": "13912345672",
    "resident_id": NUMBER,
}
"""Identifying cells that stand nowhere else."""
MARKS = (*MARKED.values(), NUMBER[:15])


def marked(**changes: str) -> dict[str, str]:
    return referral(**(MARKED | changes))


REFUSED_ROWS = {
    "no consent": [marked(**changes) for changes in NO_CONSENT],
    "broken consent": [marked(**changes) for changes in BROKEN_CONSENT],
    "returned": [marked(**changes) for changes in ({"urgency": "特急"}, {"row_no": "孔雀石"})],
}


@pytest.mark.parametrize("rows", REFUSED_ROWS.values(), ids=REFUSED_ROWS)
def test_nothing_of_a_row_that_is_not_accepted_reaches_the_register(
    store: Store, plan: Plan, write_csv: WriteCsv, rows: list[dict[str, str]]
) -> None:
    (result,) = taken(store, plan, [write_csv("referral", [*rows, referral()])])
    assert result.rows["accepted"] == 1
    text = "\n".join(row for rows in everything(store).values() for row in rows)
    assert "张三丰" in text
    assert [mark for mark in MARKS if mark in text] == []
    typed = [
        "resident_key" if column.name == "resident_id" else column.name
        for column in REFERRAL.columns
    ]
    others = ["row_key", "alt_key", "content_hash", "referral_ref", "first_received_at"]
    query = (
        f"SELECT DISTINCT {', '.join([*typed, *others])} FROM register.stg_referral "  # noqa: S608
        "WHERE verdict <> 'accepted'"
    )
    assert store.connection.execute(query).fetchall() == [(None,) * len(typed + others)]


def test_of_a_row_without_consent_not_even_its_rules_are_kept(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    taken(store, plan, [write_csv("referral", [marked(consent_by="", sex="?", phone="?")])])
    rules = ", ".join(rule.name for rule in REFERRAL.rules)
    assert contents(store, "stg_referral", f"failed_rules, {rules}") == [
        ([], *[None] * len(REFERRAL.rules))
    ]


def test_an_identity_number_is_kept_as_a_keyed_hash_alone(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    taken(store, plan, [write_csv("referral", [marked()])])
    text = "\n".join(row for rows in everything(store).values() for row in rows)
    assert NUMBER not in text
    assert NUMBER[:15] not in text
    ((key,),) = kept_rows(store, "resident_key")
    assert len(key) == 64


@pytest.mark.parametrize("cells", ["shown", "hidden"])
def test_a_returned_row_shows_its_cells_only_where_its_consent_holds_and_of_adults(
    store: Store, plan: Plan, write_csv: WriteCsv, cells: str
) -> None:
    changes = (*BROKEN_CONSENT, *UNDER_AGE) if cells == "hidden" else RETURNED
    rows = [marked(**each) for each in changes]
    (result,) = taken(store, plan, [write_csv("referral", rows)])
    assert len(result.returned) == len(rows)
    for returned in result.returned:
        assert (returned.cells is not None) == (cells == "shown")
        assert (MARKED["full_name"] in repr(returned)) == (cells == "shown")


def test_a_broken_row_with_broken_consent_is_hidden(
    store: Store, plan: Plan, write_csv: WriteCsv
) -> None:
    row = marked(consent_by="邻居", urgency="?")
    (result,) = taken(store, plan, [write_csv("referral", [row])])
    (returned,) = result.returned
    assert returned.rules == ("consent_by_valid", "urgency_valid")
    assert returned.cells is None


# --- what is handed in ----------------------------------------------------------------------------


def test_folders_are_opened_up_and_other_files_left_alone(tmp_path: Path) -> None:
    for name in ("b/2.xlsx", "b/1.csv", "b/c/3.xls", "b/~$2.xlsx", "b/notes.docx", "a.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = submissions_in([tmp_path / "b", tmp_path / "a.csv"])
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "b/1.csv",
        "b/2.xlsx",
        "b/c/3.xls",
        "a.csv",
    ]


def test_a_path_that_is_not_there_and_a_folder_with_nothing_are_wrong_commands(
    tmp_path: Path,
) -> None:
    with pytest.raises(WrongCommand) as missing:
        submissions_in([tmp_path / "a.csv"])
    with pytest.raises(WrongCommand) as nothing:
        submissions_in([tmp_path])
    assert (missing.value.key, nothing.value.key) == ("error.no_file", "error.no_submission")


def test_progress_is_told_once_a_file(store: Store, plan: Plan, write_csv: WriteCsv) -> None:
    files = [write_csv("coverage", [coverage()]), write_csv("referral", [], name="b.csv")]
    told: list[None] = []
    take_in(
        store,
        {plan.slug: plan},
        files,
        received_at=RECEIVED,
        recorded_at=RECEIVED,
        keep=True,
        advance=lambda: told.append(None),
    )
    assert len(told) == 2


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([], Exit.DONE),
        (["done"], Exit.DONE),
        (["done", "returned"], Exit.ROWS_RETURNED),
        (["returned", "refused", "done"], Exit.FILE_REFUSED),
    ],
)
def test_the_worst_of_a_delivery_gives_its_exit_code(files: list[str], code: Exit) -> None:
    row = ReturnedRow(SHEETS["coverage"], 3, ("grid_valid",), None)
    made = {
        "done": FileResult("v.csv"),
        "returned": FileResult("v.csv", returned=(row,)),
        "refused": FileResult("v.csv", refused=FileRefused("refused.empty", file="v.csv")),
    }
    assert worst_exit(made[file] for file in files) is code
