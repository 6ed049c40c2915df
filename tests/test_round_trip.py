"""A row that was sent back finds its original by its number, however much was corrected in it."""

import io
import subprocess
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from conftest import KEY, RECEIVED, coverage, open_home, program, referral, write_workbook
from register_rows import VILLAGE_1, VILLAGE_2, contents
from tasks.audit import Act
from tasks.home import Home
from tasks.intake import FileResult, prepare
from tasks.passwords import sender_password
from tasks.plan import Plan
from tasks.receive import receive
from tasks.rotation import rotate_pseudonyms
from tasks.rules.contract import SHEETS, Identity, read_return_number
from tasks.store import Store
from tasks.workbook_password import decrypt_workbook, encrypt_workbook

IDENTITY = Identity("autumn-2025", "sweep", 1, VILLAGE_1, 1)
CURRENT = "stg_referral WHERE is_current"

Send = Callable[..., FileResult]
Correct = Callable[..., Path]


@pytest.fixture
def send(store: Store, home: Home, plan: Plan, tmp_path: Path) -> Send:
    """Return a function that receives a file, or referrals, a day later each time."""
    days = iter(range(100))

    def send(*sent: Any, village: str = VILLAGE_1) -> FileResult:
        day = next(days)
        file = sent[0]
        if not isinstance(file, Path):
            identity = Identity("autumn-2025", "sweep", 1, village, 1)
            file = write_workbook(tmp_path / f"{day}.xlsx", {"referral": sent}, identity)
        at = RECEIVED + timedelta(days=day)
        (one,) = receive(store, home, {plan.slug: plan}, [file], received_at=at, recorded_at=at)
        assert one.result.refused is None
        returned.append(one.return_workbook)
        return one.result

    returned: list[Path | None] = []
    send.returned = returned  # type: ignore[attr-defined]
    return send


@pytest.fixture
def correct(store: Store, plan: Plan, send: Any) -> Correct:
    """Return a function that corrects the last return workbook in place, locked as it was."""

    def correct(*rows: dict[str, Any], sheet: str = "referral") -> Path:
        path: Path = send.returned[-1]
        password = sender_password(store, plan, path.parent.name, now=RECEIVED)
        book = openpyxl.load_workbook(io.BytesIO(decrypt_workbook(path.read_bytes(), password)))
        page = book[SHEETS[sheet].title]
        names = [column.name for column in SHEETS[sheet].columns]
        for line, changes in enumerate(rows, start=3):
            for column, value in changes.items():
                place = len(names) if column == "number" else names.index(column)
                page.cell(line, place + 1).value = value
        stream = io.BytesIO()
        book.save(stream)
        book.close()
        path.write_bytes(encrypt_workbook(stream.getvalue(), password))
        return path

    return correct


def numbers(result: FileResult) -> list[str]:
    return [row.number for row in result.returned]


def test_a_locked_workbook_comes_back_as_it_is_and_is_opened(send: Any, correct: Correct) -> None:
    send(referral(sex="?"))
    assert send(correct({"sex": "女"})).rows["accepted"] == 1


def test_every_returned_row_has_a_number_of_its_own(send: Any) -> None:
    result = send(
        referral(sex="?"), referral(sex="?", full_name="李四"), referral(full_name="王五")
    )
    given = numbers(result)
    assert [read_return_number(number) for number in given] == given
    assert len(set(given)) == 2


def test_a_corrected_row_keeps_the_first_time_of_receipt_whatever_was_corrected(
    store: Store, send: Any, correct: Correct
) -> None:
    send(referral(full_name="张三疯", birth_date="八零年"))
    send(correct({"full_name": "张三丰", "birth_date": "1981-02-03"}))
    assert contents(store, CURRENT, "full_name, first_received_at, received_at") == [
        ("张三丰", RECEIVED, RECEIVED + timedelta(days=1))
    ]


def test_it_is_the_same_number_however_often_the_row_comes_back(
    store: Store, send: Any, correct: Correct
) -> None:
    first = send(referral(sex="?", phone="见上", full_name="张三疯"))
    second = send(correct({"sex": "男"}))
    assert second.rows["returned"] == 1
    assert numbers(second) == numbers(first)
    send(correct({"phone": "13800138000", "full_name": "张三丰"}))
    assert contents(store, CURRENT, "full_name, first_received_at") == [("张三丰", RECEIVED)]


def test_a_second_correction_replaces_the_first_and_keeps_its_reference(
    store: Store, send: Any, correct: Correct
) -> None:
    send(referral(sex="?", full_name="张三疯"))
    path = correct({"sex": "男"})
    send(path)
    ((reference,),) = contents(store, CURRENT, "referral_ref")
    send.returned.append(path)
    assert send(correct({"full_name": "张三丰"})).rows["accepted"] == 1
    kept = contents(store, CURRENT, "full_name, referral_ref, first_received_at")
    assert kept == [("张三丰", reference, RECEIVED)]


def test_the_corrected_row_sent_again_is_unchanged(
    store: Store, send: Any, correct: Correct
) -> None:
    send(referral(sex="?", full_name="张三疯"))
    path = correct({"sex": "男", "full_name": "张三丰"})
    send(path)
    # saved again, so other bytes
    send.returned.append(path)
    result = send(correct({"row_no": "1"}))
    assert (result.repeated, result.rows["unchanged"]) == (False, 1)
    assert len(contents(store, CURRENT)) == 1


def test_another_person_written_over_a_row_replaces_nobody(
    store: Store, send: Any, correct: Correct
) -> None:
    send(referral(sex="?"))
    path = correct({"sex": "男"})
    send(path)
    send.returned.append(path)
    other = {"full_name": "李四", "birth_date": "1975-05-06", "sex": "女"}
    assert send(correct(other)).rows["accepted"] == 1
    kept = contents(store, CURRENT, "full_name, first_received_at")
    assert kept == [("张三丰", RECEIVED), ("李四", RECEIVED + timedelta(days=2))]


SAID = {
    "resident_key": None,
    "full_name": "张三丰",
    "birth_date": date(1980, 1, 2),
    "sex": "male",
    "phone": "13800138000",
}


@pytest.mark.parametrize(
    ("was", "said", "is_same"),
    [
        ({}, {}, True),
        ({}, {"full_name": "张三凤"}, True),
        ({}, {"full_name": "张丰"}, True),
        ({}, {"full_name": "李小四"}, True),  # the telephone is the same
        ({"phone": None}, {"full_name": "李小四"}, False),
        ({"phone": None}, {"full_name": "张三凤", "sex": "female"}, False),
        ({}, {"full_name": "张三凤", "birth_date": date(1981, 1, 2)}, False),
        ({}, {"birth_date": date(1981, 1, 2), "phone": None}, True),
        ({}, {"birth_date": date(1980, 2, 1), "phone": None}, True),
        ({}, {"birth_date": date(1955, 7, 8), "phone": None}, False),
        ({}, {"birth_date": date(1955, 7, 8)}, True),
        ({}, {"sex": "female"}, True),
        ({}, {"birth_date": date(1981, 1, 2), "sex": "female"}, False),
        ({"resident_key": "a"}, {"resident_key": "a", "full_name": "李小四"}, True),
        ({"resident_key": "a"}, {"resident_key": "b"}, True),
        ({"resident_key": "a"}, {"resident_key": "b", "full_name": "张三凤"}, False),
        ({}, {"full_name": "李小四", "birth_date": date(1975, 5, 6)}, False),
    ],
)
def test_who_can_be_the_person_a_number_was_given_to(
    store: Store, plan: Plan, was: dict[str, Any], said: dict[str, Any], is_same: bool
) -> None:
    prepare(store, [plan])
    asked = "SELECT coalesce(same_person($was, $said), false)"
    pair = {"was": SAID | was, "said": SAID | said}
    assert store.connection.execute(asked, pair).fetchall() == [(is_same,)]


def test_who_bears_the_uncorrected_name_again_has_a_reference_of_his_own(
    store: Store, send: Any, correct: Correct
) -> None:
    send(referral(full_name="张三疯", sex="?"))
    path = correct({"sex": "男"})
    send(path)
    send.returned.append(path)
    send(correct({"full_name": "张三丰"}))
    ((reference,),) = contents(store, CURRENT, "referral_ref")
    send(referral(full_name="张三疯"))
    kept = dict(contents(store, CURRENT, "full_name, referral_ref"))
    assert kept["张三丰"] == reference
    assert kept["张三疯"] != reference


def test_a_number_finds_the_row_that_took_its_place_without_one(
    store: Store, send: Any, correct: Correct
) -> None:
    send(referral(full_name="张三疯", sex="?"))
    path = correct({"sex": "男"})
    send(path)
    send(referral(full_name="张三疯", phone="13800138001"))
    send.returned.append(path)
    send(correct({"full_name": "张三丰", "phone": "13800138001"}))
    assert contents(store, CURRENT, "full_name, first_received_at") == [("张三丰", RECEIVED)]


def test_somebody_written_over_a_row_came_when_he_came_whoever_took_its_place(
    store: Store, send: Any, correct: Correct
) -> None:
    send(referral(sex="?"))
    path = correct({"sex": "男"})
    send(path)
    send(referral(phone="13800138001"))
    send.returned.append(path)
    send(correct({"full_name": "李四", "birth_date": "1975-05-06", "phone": None}))
    kept = contents(store, CURRENT, "full_name, first_received_at")
    assert kept == [("张三丰", RECEIVED), ("李四", RECEIVED + timedelta(days=3))]


def test_another_grid_written_over_a_row_replaces_none(
    store: Store, tmp_path: Path, send: Any, correct: Correct
) -> None:
    send(write_workbook(tmp_path / "v.xlsx", {"coverage": [coverage(nil_return="?")]}, IDENTITY))
    path = correct({"nil_return": "否"}, sheet="coverage")
    send(path)
    send.returned.append(path)
    send(correct({"grid": "二网格", "households": "60"}, sheet="coverage"))
    assert contents(store, "stg_coverage WHERE is_current", "grid") == [("一网格",), ("二网格",)]


def test_an_outcome_written_over_a_row_replaces_nobody_elses(
    store: Store, plan: Plan, tmp_path: Path, send: Any, correct: Correct
) -> None:
    send(referral(), referral(full_name="李四"))
    first, second = (ref for (ref,) in contents(store, CURRENT, "referral_ref"))
    outcome = {
        "referral_ref": first,
        "assessed_on": "2025-10-28",
        "psychiatrist_licence": "110000000000001",
        "outcome": "未定",
    }
    centre = Identity("autumn-2025", "diagnosis_queue", 0, plan.health_centre.code, 1)
    send(write_workbook(tmp_path / "o.xlsx", {"assessment_outcome": [outcome]}, centre))
    path = correct(
        {"outcome": "排除", "second_opinion_requested": "否"}, sheet="assessment_outcome"
    )
    send(path)
    send.returned.append(path)
    send(correct({"referral_ref": second}, sheet="assessment_outcome"))
    kept = contents(store, "stg_assessment_outcome WHERE is_current", "referral_ref")
    assert kept == sorted([(first,), (second,)])


def test_a_number_that_stands_twice_is_nobodys(store: Store, send: Any, correct: Correct) -> None:
    given = numbers(send(referral(sex="?"), referral(sex="?", full_name="李四")))
    send(correct({"sex": "男", "number": given[0]}, {"sex": "男", "number": given[0]}))
    later = RECEIVED + timedelta(days=1)
    kept = contents(store, CURRENT, "full_name, first_received_at")
    assert kept == [("张三丰", later), ("李四", later)]


@pytest.mark.parametrize("number", ["", "T-1", "见上", "T-0123456789AB"])
def test_a_number_that_is_none_of_ours_means_nothing_and_is_kept_nowhere_as_text(
    store: Store, send: Any, correct: Correct, number: str
) -> None:
    send(referral(sex="?"))
    assert send(correct({"sex": "男", "number": number})).rows["accepted"] == 1
    kept = [known for (known,) in contents(store, "reg_return", "return_id")]
    assert [read_return_number(known) for known in kept] == kept
    assert contents(store, CURRENT, "first_received_at") == [(RECEIVED + timedelta(days=1),)]


def test_a_number_of_another_village_reaches_nothing_there(
    store: Store, send: Any, correct: Correct
) -> None:
    here = send(referral(sex="?"))
    send(correct({"sex": "男"}))
    send(referral(sex="?", full_name="李四"), village=VILLAGE_2)
    send(correct({"sex": "男", "full_name": "李四", "number": numbers(here)[0]}))
    kept = contents(store, CURRENT, "sender_village, full_name, first_received_at")
    assert kept == [
        (VILLAGE_1, "张三丰", RECEIVED),
        (VILLAGE_2, "李四", RECEIVED + timedelta(days=3)),
    ]


def test_a_grid_that_was_renamed_finds_its_row(
    store: Store, home: Home, plan: Plan, tmp_path: Path, send: Any, correct: Correct
) -> None:
    rows = {"coverage": [coverage(grid="一网格"), coverage(grid="二往格", households="若干")]}
    send(write_workbook(tmp_path / "v.xlsx", rows, IDENTITY))
    path = correct({"households": "60", "grid": "二往格"}, sheet="coverage")
    send(path)
    send.returned.append(path)
    send(correct({"grid": "二网格"}, sheet="coverage"))
    kept = contents(store, "stg_coverage WHERE is_current", "grid, first_received_at")
    assert kept == [("一网格", RECEIVED), ("二网格", RECEIVED)]


def test_the_same_file_again_gives_the_same_numbers(send: Any, tmp_path: Path) -> None:
    rows = {"referral": [referral(sex="?"), referral(full_name="李四", sex="?")]}
    file = write_workbook(tmp_path / "v.xlsx", rows, IDENTITY)
    first, second = send(file), send(file)
    assert second.repeated
    assert numbers(first) == numbers(second)


def test_a_row_that_only_kept_its_number_is_no_row(send: Any, correct: Correct) -> None:
    send(referral(sex="?"), referral(sex="?", full_name="李四"))
    blank = dict.fromkeys((column.name for column in SHEETS["referral"].columns), None)
    result = send(correct({"sex": "男"}, blank))
    assert (result.rows["read"], result.rows["accepted"]) == (1, 1)


@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_corrected_and_saved_by_a_spreadsheet_program_it_is_taken_in(
    store: Store, plan: Plan, tmp_path: Path, send: Any, correct: Correct, ending: str
) -> None:
    rows = {"referral": [referral(full_name="张三疯", sex="?")], "coverage": [coverage(grid="")]}
    send(write_workbook(tmp_path / "v.xlsx", rows, IDENTITY))
    correct({"full_name": "张三丰", "sex": "男"})
    locked = correct({"grid": "二网格"}, sheet="coverage")
    password = sender_password(store, plan, VILLAGE_1, now=RECEIVED)
    plain = tmp_path / "corrected.xlsx"
    plain.write_bytes(decrypt_workbook(locked.read_bytes(), password))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    made = [program("soffice"), profile, "--headless", "--convert-to", ending]
    saved = tmp_path / "saved"
    subprocess.run(
        [*made, "--outdir", str(saved), str(plain)], check=True, capture_output=True, timeout=120
    )
    result = send(saved / f"corrected.{ending}")
    assert (result.rows["read"], result.rows["accepted"]) == (2, 2)
    assert contents(store, CURRENT, "full_name, first_received_at") == [("张三丰", RECEIVED)]
    kept = contents(store, "stg_coverage WHERE is_current", "grid, first_received_at")
    assert kept == [("二网格", RECEIVED)]


def test_numbers_on_their_way_outlive_a_rotation(home: Home, plan: Plan, tmp_path: Path) -> None:
    rows = {"referral": [referral(full_name="张三疯", sex="?")]}
    file = write_workbook(tmp_path / "v.xlsx", rows, IDENTITY)
    act = Act("王", "rotate", "test", at=datetime(2025, 10, 29))

    def received(path: Path, day: int) -> tuple[FileResult, Path | None]:
        at = RECEIVED + timedelta(days=day)
        with open_home(home) as store:
            (one,) = receive(store, home, {plan.slug: plan}, [path], received_at=at, recorded_at=at)
            return one.result, one.return_workbook

    first, workbook = received(file, 0)
    rotate_pseudonyms(home, KEY, act)
    again, _ = received(file, 1)
    assert again.repeated
    assert numbers(again) == numbers(first)
    assert workbook is not None
    with open_home(home) as store:
        password = sender_password(store, plan, VILLAGE_1, now=RECEIVED)
    book = openpyxl.load_workbook(io.BytesIO(decrypt_workbook(workbook.read_bytes(), password)))
    page = book[SHEETS["referral"].title]
    page.cell(3, 2).value, page.cell(3, 3).value = "张三丰", "男"
    corrected = tmp_path / "corrected.xlsx"
    book.save(corrected)
    received(corrected, 2)
    with open_home(home) as store:
        kept = contents(store, CURRENT, "full_name, birth_date, first_received_at")
    assert kept == [("张三丰", date(1980, 1, 2), RECEIVED)]
