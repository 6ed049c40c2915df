"""The gate stops what must not leave, whoever made it and wherever it hides."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from released_rows import (
    CODES,
    RELEASES,
    make_ledger,
    number,
    release,
    release_sweep,
    township,
    withheld,
)
from reports import gate
from reports.gate import (
    Allowed,
    Released,
    check_figures,
    check_report,
    earlier_names,
    read_allowed,
)
from reports.write import make_report
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.rules.contract import UNITS
from tasks.rules.errors import DisclosureRisk, Exit
from tasks.rules.wording import LANGUAGES, keys, say
from tasks.store import Store


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_ledger(tmp_path)


@pytest.fixture
def ledger(home: Home) -> Iterator[Store]:
    with open_ledger(home, "write") as store:
        yield store


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Allowed]:
    """The files of a sweep that the gate lets through, and what they may say."""
    home = make_ledger(tmp_path_factory.mktemp("home"))
    with open_ledger(home, "write") as store:
        release_sweep(store)
        files = make_report(store, home, township(), "sweep", 1, 1, "zh-CN")
        return files, read_allowed(store, township(), "sweep", 1, 1)


@pytest.fixture
def files(sweep: tuple[dict[str, str], Allowed]) -> dict[str, str]:
    return sweep[0]


@pytest.fixture
def allowed(sweep: tuple[dict[str, str], Allowed]) -> Allowed:
    return sweep[1]


def refused(content: str, kind: str, allowed: Allowed) -> str:
    """Return the rule that stopped `content`; the message must not repeat what was found."""
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({kind: content}, allowed)
    assert stopped.value.exit is Exit.DISCLOSURE
    assert set(stopped.value.values) == {"kind"}
    return stopped.value.key.removeprefix("gate.")


def test_what_was_released_passes(files: dict[str, str], allowed: Allowed) -> None:
    check_report(files, allowed)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("phase", "round_"), RELEASES)
def test_every_page_passes_in_both_languages(
    home: Home, ledger: Store, phase: str, round_: int, language: str
) -> None:
    RELEASES[phase, round_](ledger)
    assert make_report(ledger, home, township(language), phase, round_, 1, language)["html"]


SAID: list[tuple[str, str]] = [
    ("身份证 110101199003071234", "id_number"),
    ("身份证 11010119900307123X", "id_number"),
    ("身份证 1101 0119 9003 0712 34", "id_number"),
    ("１１０１０１１９９００３０７１２３４", "id_number"),
    ("旧证 110101900307123", "id_number"),
    (f"{CODES[0]}123456", "id_number"),
    ("电话 13800138000", "phone_number"),
    ("电话 138-0013-8000", "phone_number"),
    ("电话 １３８００１３８０００", "phone_number"),
    ("电话 0731-88888888", "phone_number"),
    ("请写信给 zhang@example.test", "mail_address"),
    ("患者情况", "label"),
    ("病人情况", "label"),
    ("Patients seen", "label"),
    ("two cases", "label"),
    ("转介约 3 人", "unknown_people_number"),
    ("转介人数：3", "unknown_people_number"),
    ("Referrals: 3", "unknown_people_number"),
    ("about 46 people", "unknown_people_number"),
    ("共有 777 户", "unknown_number"),
    ("共有 777", "unknown_number"),
]


@pytest.mark.parametrize(("said", "rule"), SAID)
def test_a_sentence_that_says_too_much_is_stopped(
    files: dict[str, str], allowed: Allowed, said: str, rule: str
) -> None:
    assert refused(files["txt"] + said + "\n", "txt", allowed) == rule
    page = files["html"].replace("</h1>", f"</h1><p>{said}</p>")
    assert refused(page, "html", allowed) == rule
    hover = files["html"].replace("<abbr title=", f'<abbr title="{said}" lang=', 1)
    assert refused(hover, "html", allowed) == rule
    assert refused(said, "subject", allowed) == rule


@pytest.mark.parametrize(("said", "rule"), SAID)
def test_a_village_name_in_the_csv_says_no_more(
    files: dict[str, str], allowed: Allowed, said: str, rule: str
) -> None:
    assert refused(files["csv"].replace("青石村", said, 1), "csv", allowed) == rule


def test_words_that_only_contain_a_label_pass(files: dict[str, str], allowed: Allowed) -> None:
    check_report({"txt": files["txt"] + "in the showcase\n"}, allowed)


@pytest.mark.parametrize(
    "part",
    [
        "<!-- 3 -->",
        "<script>1</script>",
        '<img src="x.png">',
        '<a href="https://example.test">x</a>',
        '<p data-note="3">x</p>',
        '<p style="background:url(x.png)">x</p>',
        '<meta name="note" content="three">',
        "<?php 3 ?>",
        "</div>",
    ],
)
def test_an_unknown_part_of_a_page_is_stopped(
    files: dict[str, str], allowed: Allowed, part: str
) -> None:
    page = files["html"].replace("</h1>", f"</h1>{part}")
    assert refused(page, "html", allowed) == "unknown_part"


def test_a_number_hidden_in_a_class_is_stopped(files: dict[str, str], allowed: Allowed) -> None:
    page = files["html"].replace('class="sheet"', 'class="sheet n3"')
    assert refused(page, "html", allowed) == "unknown_number"


def test_a_cell_must_show_its_figure_and_no_other(files: dict[str, str], allowed: Allowed) -> None:
    figure = f'data-figure="referrals" data-village="{CODES[0]}"'
    start = files["html"].index(figure)
    mark = files["html"].index("※", start)
    shown = files["html"][:mark] + "3" + files["html"][mark + 1 :]
    assert refused(shown, "html", allowed) == "not_released"

    moved = files["html"].replace(figure, 'data-figure="referrals" data-village="x"')
    assert refused(moved, "html", allowed) == "unknown_part"

    unnamed = files["html"].replace('data-figure="households" data-village=""', "")
    assert refused(unnamed, "html", allowed) == "unknown_number"


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ('"value": 45', '"value": 46', "not_released"),
        ('"value": null', '"value": 3', "not_released"),
        ('"state": "withheld"', '"state": "zero"', "not_released"),
        ('"audience": "office"', '"audience": "health"', "not_released"),
        ('"revision": 1', '"revision": 2', "not_released"),
        ('"audience": "office"', '"audience": "office", "note": "x"', "unknown_part"),
        ('"unit": "people"', '"unit": "people", "exact": 46', "unknown_part"),
        ('"name": "referrals"', '"name": ["referrals"]', "unknown_part"),
        ('"figures": [', '"figures": null, "x": [', "unknown_part"),
        ("{", "", "unknown_part"),
    ],
)
def test_json_that_is_not_what_was_released_is_stopped(
    files: dict[str, str], allowed: Allowed, before: str, after: str, rule: str
) -> None:
    assert before in files["json"]
    assert refused(files["json"].replace(before, after, 1), "json", allowed) == rule


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (",45,released", ",46,released", "not_released"),
        (",,withheld", ",3,withheld", "not_released"),
        (",,withheld", ",x,withheld", "unknown_part"),
        (",office,", ",health,", "not_released"),
        ("audience,", "listeners,", "unknown_part"),
        ("青石村", "青石村,3", "unknown_part"),
        ("青石村", "=青石村", "spreadsheet_formula"),
        ("青石村", "+青石村", "spreadsheet_formula"),
    ],
)
def test_csv_that_is_not_what_was_released_is_stopped(
    files: dict[str, str], allowed: Allowed, before: str, after: str, rule: str
) -> None:
    assert before in files["csv"]
    assert refused(files["csv"].replace(before, after, 1), "csv", allowed) == rule


def test_a_kind_of_file_it_does_not_know_is_stopped(allowed: Allowed) -> None:
    assert refused("x", "docx", allowed) == "unknown_part"


def test_what_was_never_released_is_stopped(ledger: Store) -> None:
    with pytest.raises(DisclosureRisk):
        read_allowed(ledger, township(), "sweep", 1, 1)


def alone(
    *figures: Released,
    before: tuple[Released, ...] = (),
    withhold_to: int = 7,
    round_to: int = 5,
) -> Allowed:
    """What is allowed where just these figures were released."""
    return Allowed(
        figures={(figure.name, figure.village): figure for figure in figures},
        before=before,
        frame=frozenset(),
        names=(),
        sentences=(),
        identity={},
        withhold_to=withhold_to,
        round_to=round_to,
    )


@given(
    value=st.integers(0, 120),
    rules=st.sampled_from([(7, 5), (7, 15), (9, 5), (12, 5), (12, 10), (20, 5), (20, 20)]),
)
@example(value=10, rules=(20, 5))
@example(value=5, rules=(7, 5))
def test_a_count_of_people_is_zero_or_what_a_count_not_withheld_rounds_to(
    value: int, rules: tuple[int, int]
) -> None:
    withhold_to, round_to = rules
    figure = Released("referrals", "people", "", value, "released" if value else "zero")
    allowed = alone(figure, withhold_to=withhold_to, round_to=round_to)
    shown = {
        # halves upwards
        round_to * int(count / round_to + 0.5)
        for count in range(withhold_to + 1, 200)
    }
    if value == 0 or value in shown:
        check_figures(allowed)
    else:
        with pytest.raises(DisclosureRisk) as stopped:
            check_figures(allowed)
        assert stopped.value.key == "gate.small_count"


def test_what_was_released_before_a_plan_became_stricter_may_stand_beside() -> None:
    ten = Released("referrals", "people", "", 10, "released")
    hidden = Released("referrals", "people", "", None, "withheld")
    elsewhere = Released("earlier1_people_listed", "people", "", 15, "released")
    check_figures(alone(hidden, elsewhere, before=(ten,), withhold_to=20, round_to=20))
    for small in (
        alone(hidden, before=(Released("referrals", "people", "", 5, "released"),)),
        alone(Released("earlier1_people_listed", "people", "", 5, "released")),
    ):
        with pytest.raises(DisclosureRisk) as stopped:
            check_figures(small)
        assert stopped.value.key == "gate.small_count"


def test_the_plans_own_numbers_are_what_the_gate_asks_for(ledger: Store) -> None:
    release(ledger, "sweep", [number("referrals", "people", 10)], round=1)
    plan = township()
    rules = plan.rules.model_copy(update={"withhold_to": 20})
    check_figures(read_allowed(ledger, plan, "sweep", 1, 1))
    with pytest.raises(DisclosureRisk) as stopped:
        check_figures(read_allowed(ledger, plan.model_copy(update={"rules": rules}), "sweep", 1, 1))
    assert stopped.value.key == "gate.small_count"


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit != "people"])
def test_process_figures_are_not_rounded(unit: str) -> None:
    check_figures(alone(Released("visits_due", unit, CODES[0], 3, "released")))


@pytest.mark.parametrize(
    "figure",
    [
        Released("referrals", "people", "", 3, "withheld"),
        Released("referrals", "people", "", None, "released"),
        Released("referrals", "people", "", 0, "released"),
        Released("referrals", "people", "", 10, "zero"),
        Released("referrals", "people", "", None, "hidden"),
        Released("referrals", "heads", "", 3, "released"),
    ],
)
def test_a_figure_whose_state_and_value_disagree_is_stopped(figure: Released) -> None:
    with pytest.raises(DisclosureRisk):
        check_figures(alone(figure))


def people(name: str, value: float | None) -> Released:
    return Released(name, "people", "", value, "withheld" if value is None else "released")


def test_a_rate_is_made_of_released_parts() -> None:
    rate = Released("heed_rate", "percent", "", 80, "released")
    offered, attended = people("people_offered", 25), people("people_attended", 20)
    check_figures(alone(rate, offered, attended))
    for parts in (
        (offered,),
        (offered, people("people_attended", None)),
        (people("people_offered", 30), attended),
    ):
        with pytest.raises(DisclosureRisk) as stopped:
            check_figures(alone(rate, *parts))
        assert stopped.value.key == "gate.bad_rate"
    hidden = Released("heed_rate", "percent", "", None, "withheld")
    check_figures(alone(hidden, offered, people("people_attended", None)))


def test_a_number_of_the_revision_before_may_stand_beside_the_new_one(
    home: Home, ledger: Store
) -> None:
    release_sweep(ledger)
    release_sweep(ledger, revision=2)
    text = make_report(ledger, home, township(), "sweep", 1, 2, "zh-CN")["txt"]
    assert "约 45 人 → 约 50 人" in text


def test_a_small_count_of_the_revision_before_stops_the_new_one(home: Home, ledger: Store) -> None:
    release(ledger, "sweep", [number("referrals", "people", 6)], round=1)
    release(ledger, "sweep", [withheld("referrals")], round=1, revision=2)
    with pytest.raises(DisclosureRisk) as stopped:
        make_report(ledger, home, township(), "sweep", 1, 2, "zh-CN")
    assert stopped.value.key == "gate.small_count"


def test_a_village_called_by_a_number_opens_no_hole(ledger: Store) -> None:
    release_sweep(ledger)
    plan = township()
    renamed = plan.villages[0].model_copy(update={"name": "3"})
    plan = plan.model_copy(update={"villages": (renamed, *plan.villages[1:])})
    allowed = read_allowed(ledger, plan, "sweep", 1, 1)
    assert refused("转介约 3 人", "txt", allowed) == "unknown_people_number"


def test_an_earlier_campaign_without_a_plan_here_is_called_by_its_slug(home: Home) -> None:
    assert earlier_names(home, township()) == [("spring-2025", "spring-2025")]


def test_the_gate_shares_no_code_with_what_it_checks() -> None:
    tree = ast.parse(Path(gate.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert "tasks.rules.errors" in imported
    assert not [name for name in imported if name and name.startswith("reports")]
    private = ("disclosure", "protect", "publish")
    assert not [name for name in imported if name and name.endswith(private)]


def test_every_reason_of_the_gate_can_be_said() -> None:
    for key in keys("gate."):
        for language in LANGUAGES:
            assert "html" in say(key, language, kind="html")
