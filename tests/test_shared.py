"""What a township shares: the text that is signed, the signature, and that all of it gets there."""

import json
import stat
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from released_rows import SWEEP_STATES, make_ledger, release, sweep_figures, township
from shared_homes import make_township, release_one, share, utc_now
from tasks import share as sharing
from tasks import signing
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.plan import Plan
from tasks.rules.disclosure import Figure
from tasks.rules.errors import WrongCommand
from tasks.rules.shared import NoRelease, SharedRelease, VillageState, read_body, write_body
from tasks.share import LOOK_ANYWAY, Shares, share_if_new, share_releases
from tasks.shared_ledger import Shared, open_shared
from tasks.signing import is_signed, make_signing_key, public_key, sign

CODE = "990101001"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
figures = st.builds(
    Figure,
    name=texts,
    unit=st.sampled_from(["people", "files", "percent"]),
    village=st.just(""),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 10**6),
    state=st.sampled_from(["released", "withheld", "zero", "not_reported"]),
)
releases = st.builds(
    SharedRelease,
    township=st.from_regex(r"[0-9]{9}", fullmatch=True),
    campaign=texts,
    phase=texts,
    round=st.integers(0, 99),
    revision=st.integers(1, 99),
    period=st.none() | texts,
    as_of=st.dates(),
    due=st.none() | st.dates(),
    status=st.sampled_from(["interim", "due"]),
    released_at=st.datetimes(timezones=st.just(UTC)),
    withhold_to=st.integers(7, 20),
    round_to=st.sampled_from([5, 10]),
    figures=st.lists(figures, max_size=3).map(tuple),
    villages=st.lists(st.builds(VillageState, texts, texts, st.booleans()), max_size=3).map(tuple),
)


@given(releases)
def test_what_is_written_is_read_back(given_one: SharedRelease) -> None:
    body = write_body(given_one)
    assert read_body(body) == given_one
    assert write_body(read_body(body)) == body


@given(releases, st.data())
def test_a_text_that_was_changed_anywhere_is_no_release_or_another(
    given_one: SharedRelease, data: st.DataObject
) -> None:
    body = write_body(given_one)
    place = data.draw(st.integers(0, len(body) - 1))
    changed = body[:place] + data.draw(st.characters(exclude_categories=["Cs"])) + body[place + 1 :]
    if changed == body:
        return
    try:
        read = read_body(changed)
    except NoRelease:
        return
    assert read != given_one
    assert write_body(read) == changed


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '"form"', '{"form":1}', '{"form":2}', "[" * 100_000]
)
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(NoRelease):
        read_body(text)


@pytest.mark.parametrize("value", ["[]", '"40"', '"x"', "{}", "1" + "0" * 400, "1" * 5000, "true"])
def test_a_figure_that_is_no_number_is_refused(value: str) -> None:
    body = write_body(ONE)
    assert read_body(body) == ONE
    with pytest.raises(NoRelease):
        read_body(body.replace('"value":40.0', f'"value":{value}'))


ONE = SharedRelease(
    township=CODE,
    campaign="autumn-2025",
    phase="sweep",
    round=1,
    revision=1,
    period=None,
    as_of=date(2025, 10, 31),
    due=date(2025, 10, 31),
    status="due",
    released_at=datetime(2025, 11, 1, 1, 0, tzinfo=UTC),
    withhold_to=7,
    round_to=5,
    figures=(Figure("referrals", "people", "", 40, "released"),),
    villages=(VillageState("990101001001", "on_time", nil=False),),
)


def test_a_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    home = make_ledger(tmp_path / "home")
    with pytest.raises(WrongCommand, match="share key"):
        sign(home, "text")
    made: list[str] = []
    threads = [Thread(target=lambda: made.append(make_signing_key(home))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(made) == {public_key(home)}
    assert len(made) == len(threads)
    (path,) = (home.root / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text("ascii") != public_key(home)


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    home = make_ledger(tmp_path / "home")
    make_signing_key(home)
    path = home.root / "keys" / "township.key"
    path.chmod(0o640)
    with pytest.raises(WrongCommand) as refused:
        sign(home, "text")
    assert refused.value.key == "error.key_open"
    path.chmod(0o600)
    for text in ("", "0" * 63, "g" * 64):
        path.write_text(text, encoding="ascii")
        with pytest.raises(WrongCommand) as refused:
            make_signing_key(home)
        assert refused.value.key == "share.key_form"
        assert path.read_text("ascii") == text, "what may be a damaged key is not replaced"


@given(texts, texts)
def test_a_signature_is_of_one_text_by_one_key(body: str, other: str) -> None:
    public, signature = SIGNED_BY[0], sign(HOMES[0], body)
    assert is_signed(public, body, signature)
    assert signature == sign(HOMES[0], body)
    assert is_signed(public, other, signature) is (other == body)
    assert not is_signed(SIGNED_BY[1], body, signature)
    assert not is_signed(public, body, sign(HOMES[1], body))


@given(st.text(), st.text())
def test_what_is_no_key_or_signature_signs_nothing(public: str, signature: str) -> None:
    assert not is_signed(public, "text", sign(HOMES[0], "text"))
    assert not is_signed(SIGNED_BY[0], "text", signature)


@pytest.mark.parametrize("sign_bit", [0, 0x80])
@pytest.mark.parametrize("first", ["00", "01", "26", "c7", "ec", "ed", "ee"])
def test_a_key_as_which_anybody_can_sign_signs_nothing(first: str, sign_bit: int) -> None:
    (point,) = (each for each in signing._WEAK if each.hex().startswith(first))
    public = (point[:-1] + bytes([point[-1] | sign_bit])).hex()
    forged = [f"{r}{'00' * 32}" for r in (public, "01" + "00" * 31, "00" * 32)]
    assert not any(is_signed(public, str(text), each) for text in range(32) for each in forged)


HOMES: list[Home] = []
SIGNED_BY: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _two_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    for name in ("one", "two"):
        home = make_ledger(tmp_path_factory.mktemp("keys") / name)
        HOMES.append(home)
        SIGNED_BY.append(make_signing_key(home))
    yield
    HOMES.clear()
    SIGNED_BY.clear()


Township = tuple[Home, dict[str, Plan]]


@pytest.fixture
def one(tmp_path: Path) -> Township:
    """A township that released three revisions, and its plans."""
    return make_township(tmp_path / "one", CODE)


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    """An embedded shared ledger that is not there yet."""
    folder = tmp_path / "shared"
    return Shared(files=str(folder / "files"), folder=folder)


Row = tuple[str, str, str, int, int, str, str, datetime]


def rows(shared: Shared) -> list[Row]:
    with open_shared(shared, "read") as store:
        found = store.connection.execute("FROM shared.release ORDER BY ALL").fetchall()
    return [(*row[:7], row[7]) for row in found]


def change(shared: Shared, text: str) -> None:
    """What somebody with rights on the shared ledger may do to it."""
    with open_shared(shared, "write") as store:
        store.connection.execute(text)


def test_all_that_was_released_is_shared_once(one: Township, shared: Shared) -> None:
    home, plans = one
    before = utc_now()
    assert share(home, plans, shared) == Shares(new=3)
    first = rows(shared)
    assert [row[:5] for row in first] == [
        (CODE, "autumn-2025", "list_compilation", 0, revision) for revision in (1, 2, 3)
    ]
    for row in first:
        assert is_signed(public_key(home), row[5], row[6])
        assert read_body(row[5]).key == row[:5]
        assert before <= row[7].astimezone(UTC).replace(tzinfo=None) <= utc_now()
    assert share(home, plans, shared) == Shares(unchanged=3)
    with open_ledger(home, "write") as store:
        release_one(store, 4)
    assert share(home, plans, shared) == Shares(new=1, unchanged=3)
    assert rows(shared)[:3] == first


def test_a_release_is_told_as_the_office_may_see_it(tmp_path: Path, shared: Shared) -> None:
    home = make_ledger(tmp_path / "home")
    make_signing_key(home)
    with open_ledger(home, "write") as store:
        release(store, "sweep", sweep_figures(), round=1, states=SWEEP_STATES, period="2025-10")
    share(home, {"autumn-2025": township()}, shared)
    ((*_, body, _, _),) = rows(shared)
    told = read_body(body)
    assert told.figures == tuple(Figure(*row) for row in sweep_figures() if row[2] == "")
    assert [each.state for each in told.villages] == list(SWEEP_STATES)
    # 09:00 in Shanghai
    assert told.released_at == datetime(2025, 11, 1, 1, 0, tzinfo=UTC)
    assert (told.as_of, told.due) == (date(2025, 10, 31), date(2025, 10, 31))
    assert (told.period, told.status) == ("2025-10", "due")
    assert (told.withhold_to, told.round_to) == (7, 5)
    # no figure is of a village, and of a village nothing but its state is told
    assert all("village" not in each for each in json.loads(body)["figures"])
    assert {each.name for each in fields(VillageState)} == {"village", "state", "nil"}


def test_a_row_that_was_changed_taken_out_or_doubled_is_made_good(
    one: Township, shared: Shared
) -> None:
    home, plans = one
    share(home, plans, shared)
    whole = rows(shared)
    change(shared, "UPDATE shared.release SET body = replace(body, '45.0', '95.0')")
    assert share(home, plans, shared) == Shares(made_good=1, unchanged=2)
    change(shared, "UPDATE shared.release SET signature = reverse(signature) WHERE revision = 2")
    assert share(home, plans, shared) == Shares(made_good=1, unchanged=2)
    change(shared, "DELETE FROM shared.release WHERE revision > 1")
    assert share(home, plans, shared) == Shares(new=2, unchanged=1)
    change(shared, "INSERT INTO shared.release FROM shared.release WHERE revision = 3")
    assert share(home, plans, shared) == Shares(made_good=1, unchanged=2)
    assert [row[:7] for row in rows(shared)] == [row[:7] for row in whole]


def test_with_a_new_key_all_is_signed_anew_and_nothing_becomes_late(
    one: Township, shared: Shared
) -> None:
    home, plans = one
    share(home, plans, shared)
    before = rows(shared)
    (home.root / "keys" / "township.key").unlink()
    make_signing_key(home)
    assert share(home, plans, shared) == Shares(made_good=3)
    after = rows(shared)
    assert [row[5] for row in after] == [row[5] for row in before]
    assert [row[7] for row in after] == [row[7] for row in before]
    assert all(is_signed(public_key(home), row[5], row[6]) for row in after)


def test_a_row_says_the_rules_of_its_own_day(one: Township, shared: Shared) -> None:
    home, plans = one
    share(home, plans, shared)
    before = rows(shared)
    plan = plans["autumn-2025"]
    stricter = plan.model_copy(
        update={"rules": plan.rules.model_copy(update={"withhold_to": 12, "round_to": 10})}
    )
    assert share(home, {"autumn-2025": stricter}, shared) == Shares(unchanged=3)
    assert rows(shared) == before
    # what is shared for the first time says the plan's numbers only where they let it out
    other = replace(shared, folder=shared.files and Path(shared.files).parent / "other")
    share(home, {"autumn-2025": stricter}, other)
    said = [read_body(row[5]) for row in rows(other)]
    counts = [each.figures[0].value for each in said]
    assert counts == [45, 50, 55]
    assert [(each.withhold_to, each.round_to) for each in said] == [(7, 5), (12, 10), (7, 5)]


def test_what_others_put_there_is_left_and_told(
    one: Township, shared: Shared, tmp_path: Path
) -> None:
    home, plans = one
    other, others = make_township(tmp_path / "other", "990101002", revisions=2)
    share(other, others, shared)
    change(
        shared,
        "INSERT INTO shared.release SELECT '990101001', 'spring-2024',"
        " * EXCLUDE (township, campaign) FROM shared.release WHERE revision = 2",
    )
    before = rows(shared)
    assert share(home, plans, shared) == Shares(new=3, strange=1)
    assert set(before) < set(rows(shared))
    assert share(other, others, shared) == Shares(unchanged=2)


def test_a_campaign_whose_plan_is_gone_is_named(one: Township, shared: Shared) -> None:
    home, plans = one
    with open_ledger(home, "write") as store:
        release(store, "sweep", [], campaign="spring-2024", round=1)
    assert share(home, plans, shared) == Shares(new=3, without_plan=("spring-2024",))


def test_plans_of_two_townships_are_refused(one: Township, shared: Shared, tmp_path: Path) -> None:
    home, plans = one
    _, others = make_township(tmp_path / "other", "990101002", revisions=1)
    with pytest.raises(WrongCommand, match=r"990101001.*990101002"):
        share(home, plans | {"x": others["autumn-2025"]}, shared)


@pytest.mark.parametrize(("minutes", "key"), [(11, "ahead"), (-11, "behind")])
def test_with_a_wrong_clock_nothing_is_shared_and_nothing_lost(
    one: Township, shared: Shared, minutes: int, key: str
) -> None:
    home, plans = one
    wrong = utc_now() + timedelta(minutes=minutes)
    with pytest.raises(WrongCommand) as refused:
        share_releases(home, plans, shared, wrong)
    assert (refused.value.key, refused.value.values) == (f"share.clock_{key}", {"minutes": 11})
    assert rows(shared) == []
    near = utc_now() + timedelta(minutes=minutes * 9 / 11)
    assert share_releases(home, plans, shared, near) == Shares(new=3)


def test_without_a_key_nothing_is_made(tmp_path: Path, one: Township, shared: Shared) -> None:
    home, plans = one
    (home.root / "keys" / "township.key").unlink()
    with pytest.raises(WrongCommand, match="share key"):
        share(home, plans, shared)
    assert shared.folder is not None
    assert not shared.folder.exists()


def test_where_nothing_is_new_it_does_not_even_look(
    one: Township, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, plans = one
    now = utc_now()
    assert share_if_new(home, plans, shared, now) == Shares(new=3)
    note = home.root / "shared.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600

    def looked(*_: object) -> Iterator[None]:
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(sharing, "open_shared", looked)
        assert share_if_new(home, plans, shared, now + LOOK_ANYWAY / 2) is None
        for other in (
            lambda: share_if_new(home, plans, shared, now + LOOK_ANYWAY),
            lambda: share_if_new(home, plans, shared, now - timedelta(seconds=1)),
            lambda: share_if_new(home, plans, replace(shared, folder=note.parent / "x"), now),
            lambda: share_releases(home, plans, shared, now),
        ):
            with pytest.raises(AssertionError):
                other()
    note.write_text("[]", encoding="utf-8")
    assert share_if_new(home, plans, shared, now) == Shares(unchanged=3)
    with open_ledger(home, "write") as store:
        release_one(store, 4)
    assert share_if_new(home, plans, shared, now) == Shares(new=1, unchanged=3)


def test_sharing_needs_no_register_and_leaves_the_ledger_alone(
    one: Township, shared: Shared
) -> None:
    home, plans = one
    assert not home.register.exists()
    before = home.ledger.read_bytes()
    share(home, plans, shared)
    assert home.ledger.read_bytes() == before
    assert {path.name for path in home.root.iterdir()} == {"keys", "ledger.duckdb", "shared.json"}
