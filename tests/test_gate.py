"""The gate stops what must not leave, whoever made it and wherever it hides."""

import ast
import json
import re
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import make_home, open_home
from register_rows import add_referral, add_registered
from released_rows import (
    CODES,
    NAMES,
    RELEASES,
    make_ledger,
    number,
    release,
    release_sweep,
    sweep_figures,
    township,
    withheld,
)
from reports import gate, render
from reports.gate import (
    Allowed,
    Released,
    check_figures,
    check_report,
    earlier_names,
    have_passed,
    let_pass,
    read_allowed,
)
from reports.write import make_report, report_path, write_report
from tasks.home import Home
from tasks.ledger import open_ledger
from tasks.names import read_names
from tasks.plan import Village
from tasks.rules.contract import UNITS
from tasks.rules.errors import CheckFailed, DisclosureRisk, Exit
from tasks.rules.input_quality import returned_label
from tasks.rules.known_names import PURPOSE, FixedText, NameList, parts_of
from tasks.rules.pseudonyms import keyed_hash
from tasks.rules.wording import LANGUAGES, fields, keys, say
from tasks.store import Store

ROOT = Path(__file__).parent.parent


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
        "<p>x</p 张三丰>",
        '<p title="张三丰" title="x">x</p>',
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
        ('"name": "referrals"', '"name": "张三丰", "name": "referrals"', "unknown_part"),
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


def test_a_label_that_holds_a_counts_name_counts_no_people() -> None:
    returned = "returned_coverage_no_consent_count"
    allowed = alone(
        Released("no_consent", "people", "", None, "withheld"),
        Released(returned, "rows", "", 2, "released"),
    )
    label, count = returned_label(returned, "zh-CN"), say("figure.no_consent", "zh-CN")
    assert label is not None
    assert count in label
    check_report({"txt": f"{label}：2 行"}, allowed)
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({"txt": f"{count}：2"}, allowed)
    assert stopped.value.key == "gate.unknown_people_number"


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


# Names, which the gate knows by keyed hash


KEY = bytes(range(32))


def names_of(*names: str) -> NameList:
    """A list as the register gives it, of what its names are in letters."""
    letters = ["".join(c for c in name.lower() if c.isalpha()) for name in names]
    hashes = frozenset(keyed_hash(KEY, PURPOSE, each) for each in letters)
    return NameList(KEY, hashes, frozenset(map(len, letters)))


KNOWN = names_of("张三丰", "李四", "阿卜杜热合曼·吐尔逊", "Zhang Sanfeng", "Bo Li", "和平", "高峰")

WAYS_TO_WRITE = [
    *(
        "张三丰",
        "张 三 丰",
        "张　三　丰",
        "张·三丰",
        "张\u200b三丰",
        "请找张三丰谈",
        "丰收张三丰年",
    ),
    *("李四", "和李四谈", "阿卜杜热合曼·吐尔逊", "阿卜杜热合曼吐尔逊", "阿卜杜热合曼 · 吐尔逊"),
    *("Zhang Sanfeng", "ZHANG SANFENG", "ｚｈａｎｇ　ｓａｎｆｅｎｇ", "zhang-sanfeng"),
    *("ask Zhang Sanfeng", "zhang_sanfeng", "Bo Li", "和平", "高峰"),
]

DOORS: dict[str, Callable[[dict[str, str], str], tuple[str, str]]] = {
    "text": lambda files, name: ("txt", files["txt"] + name + "\n"),
    "subject": lambda files, name: ("subject", f"{files['subject']} {name}"),
    "heading": lambda files, name: ("html", files["html"].replace("</h1>", f" {name}</h1>")),
    "cell": lambda files, name: ("html", files["html"].replace("青石村", name, 1)),
    "title": lambda files, name: (
        "html",
        files["html"].replace("<title>", f"<title>{name} ", 1),
    ),
    "hover": lambda files, name: (
        "html",
        files["html"].replace("</h1>", f'</h1><p title="{name}">x</p>'),
    ),
    "class": lambda files, name: (
        "html",
        files["html"].replace('class="sheet"', f'class="sheet {name}"'),
    ),
    "language": lambda files, name: (
        "html",
        files["html"].replace("</h1>", f'</h1><p lang="{name}">x</p>'),
    ),
    "style sheet": lambda files, name: (
        "html",
        files["html"].replace("<style>\n", f"<style>\n/* {name} */\n"),
    ),
    "CSV": lambda files, name: ("csv", files["csv"].replace("青石村", name, 1)),
}


@pytest.mark.parametrize("written", WAYS_TO_WRITE)
def test_a_name_of_the_register_is_known_however_it_is_written(
    files: dict[str, str], allowed: Allowed, written: str
) -> None:
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({"txt": f"{files['txt']}{written}\n"}, allowed, KNOWN)
    assert stopped.value.key == "gate.name"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("written", ["张三丰", "阿卜杜热合曼·吐尔逊", "Zhang Sanfeng"])
def test_a_name_of_the_register_is_stopped_at_every_door(
    files: dict[str, str], allowed: Allowed, door: str, written: str
) -> None:
    kind, content = DOORS[door](files, written)
    assert content != files[kind]
    check_report({kind: content}, allowed)  # nothing else is wrong with it
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({kind: content}, allowed, KNOWN)
    assert (stopped.value.key, stopped.value.values) == ("gate.name", {"kind": kind})
    assert stopped.value.exit is Exit.DISCLOSURE


def test_a_name_in_parts_of_a_sentence_and_in_entities_is_stopped(
    files: dict[str, str], allowed: Allowed
) -> None:
    for written in ("<em>张</em>三<strong>丰</strong>", "&#24352;&#19977;&#20016;"):
        page = files["html"].replace("</h1>", f"</h1><p>{written}</p>")
        with pytest.raises(DisclosureRisk) as stopped:
            check_report({"html": page}, allowed, KNOWN)
        assert stopped.value.key == "gate.name"


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_a_name_in_the_ledger_is_stopped_in_the_data(home: Home, ledger: Store, kind: str) -> None:
    release(ledger, "sweep", [*sweep_figures(), number("zhang_sanfeng", "files", 3)], round=1)
    allowed = read_allowed(ledger, township(), "sweep", 1, 1)
    figure = {"name": "zhang_sanfeng", "unit": "files", "village": None, "value": 3}
    figures = [
        {
            "name": each.name,
            "unit": each.unit,
            "village": each.village or None,
            "value": each.value,
            "state": each.state,
        }
        for each in allowed.figures.values()
    ]
    assert any(figure.items() <= each.items() for each in figures)
    identity = dict(allowed.identity)
    rows = [
        ",".join(map(str, [*identity.values(), f["name"], "", f["unit"], f["village"] or "", ""]))
        + f",{'' if f['value'] is None else f['value']},{f['state']}"
        for f in figures
    ]
    content = {
        "json": json.dumps({**identity, "figures": figures}),
        "csv": "\n".join([",".join(gate.CSV_COLUMNS), *rows]),
    }[kind]
    check_report({kind: content}, allowed)
    with pytest.raises(DisclosureRisk) as stopped:
        check_report({kind: content}, allowed, KNOWN)
    assert stopped.value.key == "gate.name"


SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤"
    "和平青安东西南北明时同关期报全公应"
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("phase", "round_"), RELEASES)
def test_people_called_like_a_place_or_like_a_word_of_ours_stop_no_page(
    home: Home, ledger: Store, phase: str, round_: int, language: str
) -> None:
    # somebody of every surname that stands in a sentence or a public name, and what follows it
    fixed = [*NAMES, township().name, township().health_centre.name]
    fixed += [
        say(key, "zh-CN", **dict.fromkeys(fields(key, "zh-CN"), 0))
        for key in keys()
        if key.startswith(("key.", "foot.", "todo.", "action.", "figure.", "report.", "count."))
    ]
    people = {
        "".join(stretch[start : start + length])
        for text in fixed
        for stretch in parts_of(text)
        for start in range(len(stretch) - 1)
        for length in (2, 3)
        if stretch[start] in SURNAMES
    }
    assert {"和平", "青石村", "东河", "任何"} <= people
    RELEASES[phase, round_](ledger)
    parts = make_report(
        ledger, home, township(language), phase, round_, 1, language, names_of(*people)
    )
    assert parts["html"]


def test_a_person_called_like_a_place_is_noticed_away_from_it(
    files: dict[str, str], allowed: Allowed
) -> None:
    people = names_of("和平", "青石村")
    assert "和平社区" in files["txt"] + files["html"]
    check_report(files, allowed, people)
    said = files["txt"] + "和平来过\n"
    with pytest.raises(DisclosureRisk):
        check_report({"txt": said}, allowed, people)
    # whoever is called like a whole village cannot be told from it
    check_report({"txt": files["txt"] + "青石村来过\n"}, allowed, people)


@pytest.mark.parametrize(
    "other", ["张三", "三丰", "张三，丰", "张3三丰", "Zhang Sanfengs", "sanfeng"]
)
def test_what_is_no_name_passes(files: dict[str, str], allowed: Allowed, other: str) -> None:
    assert not KNOWN.known_in(other)


def test_a_list_shows_no_name_and_no_key() -> None:
    assert repr(KNOWN) == "NameList()"


@given(
    before=st.text("一二三青石村 ,.", max_size=6),
    after=st.text("一二三青石村 ,.", max_size=6),
    name=st.sampled_from(["张三丰", "李四", "高峰"]),
    between=st.sampled_from(["", " ", "　", "·", "\u200b", ". "]),
)
def test_a_name_is_found_whatever_stands_around_it(
    before: str, after: str, name: str, between: str
) -> None:
    text = before + between.join(name) + after
    assert KNOWN.known_in(text)
    assert KNOWN.known_in(text, [FixedText(["青石村", "一二三"])])


def test_the_register_gives_its_names_as_hashes_of_their_letters(tmp_path: Path) -> None:
    with open_home(make_home(tmp_path / "home")) as store:
        add_referral(store, "a", full_name="张三丰", contact_name="Zhang Wei-Min")
        add_referral(store, "b", full_name="赵六", is_current=False)
        add_registered(store, "r1", full_name="买买提·艾力")
        add_registered(store, "r2", full_name="Wu")
        first, second = read_names(store), read_names(store)
    for names in (first, second):
        assert all(
            map(names.known_in, ["张三丰", "找买买提艾力", "买买提·艾力", "ZHANG WEIMIN wrote"])
        )
        assert not any(map(names.known_in, ["赵六", "Wu", "买买提", "张三"]))
    assert not first.hashes & second.hashes, "a key of its own each run"
    assert len(first.hashes) == 3


def test_who_is_frozen_is_still_somebody_to_the_gate(tmp_path: Path) -> None:
    record = {"full_name": "孔雀石", "contact_name": "绿松石"}
    with open_home(make_home(tmp_path / "home")) as store:
        store.connection.execute(
            "INSERT INTO register.reg_frozen VALUES ('N1', '2025-11-01', '2055-11-01', '本人', ?)",
            [json.dumps([{"table": "stg_referral", "record": record}])],
        )
        names = read_names(store)
    assert all(map(names.known_in, record.values()))


def test_names_in_any_script_are_the_same_letters_in_sql_and_on_a_page(tmp_path: Path) -> None:
    # letters as intake keeps them: half width and composed
    letters = [
        letter
        for letter in map(chr, range(0x41, 0xFFFF, 37))
        if letter.isalpha() and unicodedata.normalize("NFKC", letter) == letter
    ]
    kept = ["".join(letters[place : place + 4]) for place in range(0, len(letters) - 4, 4)]
    assert len(kept) > 200
    with open_home(make_home(tmp_path / "home")) as store, store.transaction():
        for number_, name in enumerate(kept):
            add_registered(store, f"r{number_}", full_name=name)
        names = read_names(store)
    assert [name for name in kept if not names.known_in(name)] == []


def test_twenty_thousand_names_cost_little(home: Home, ledger: Store) -> None:
    letters = [chr(0x4E00 + number) for number in range(200)]
    people = names_of(*(f"赵{a}{b}" for a in letters for b in letters[:100]))
    assert len(people.hashes) == 20_000
    villages = tuple(
        Village(code=f"9901010010{n:02d}", name=f"{letters[n]}水村", households=600)
        for n in range(1, 61)
    )
    plan = township().model_copy(update={"villages": villages})
    states = ["on_time"] * 60
    figures = [
        number(name, "households", 500 + n, village.code)
        for n, village in enumerate(villages)
        for name in ("households", "households_visited", "households_declined")
    ]
    release(ledger, "sweep", [*sweep_figures()[:14], *figures], round=1, states=states)
    took = {}
    for names in (None, people):
        start = time.process_time()
        make_report(ledger, home, plan, "sweep", 1, 1, "zh-CN", names)
        took[names] = time.process_time() - start
    assert took[people] < took[None] + 1


# What passed, and what does not change any more


def test_only_what_passed_with_the_names_is_kept_as_passed(home: Home, ledger: Store) -> None:
    release_sweep(ledger)
    files = make_report(ledger, home, township(), "sweep", 1, 1, "zh-CN")
    allowed = read_allowed(ledger, township(), "sweep", 1, 1)
    key = ("autumn-2025", "sweep", 1, 1)
    assert not have_passed(ledger, *key, files)
    with pytest.raises(DisclosureRisk):
        let_pass(ledger, {**files, "txt": "张三丰"}, allowed, KNOWN)
    assert not any(have_passed(ledger, *key, {kind: files[kind]}) for kind in files)
    let_pass(ledger, files, allowed, KNOWN)
    assert have_passed(ledger, *key, files)
    assert not have_passed(ledger, *key, {"txt": files["html"]})
    assert not have_passed(ledger, "autumn-2025", "sweep", 1, 2, files)


def test_a_report_written_again_has_the_same_bytes(home: Home, ledger: Store) -> None:
    release_sweep(ledger)
    write = [ledger, home, township(), "sweep", 1, 1, "zh-CN", KNOWN]
    first = {path: path.read_bytes() for path in write_report(*write)}
    again = {path: path.read_bytes() for path in write_report(*write)}
    for path in first:
        path.unlink()
    anew = {path: path.read_bytes() for path in write_report(*write)}
    assert first == again == anew


def test_a_released_page_does_not_change_with_the_plan(home: Home, ledger: Store) -> None:
    release_sweep(ledger)
    page = report_path(home, "autumn-2025", "sweep", 1, 1)
    write_report(ledger, home, township(), "sweep", 1, 1, "zh-CN", KNOWN)
    before = page.read_bytes()
    renamed = township().model_copy(update={"name": "改了名的行动"})
    write_report(ledger, home, renamed, "sweep", 1, 1, "zh-CN", KNOWN)
    assert page.read_bytes() == before
    page.unlink()
    write_report(ledger, home, renamed, "sweep", 1, 1, "zh-CN", KNOWN)
    assert "改了名的行动".encode() in page.read_bytes()


def test_only_the_gate_keeps_what_passed() -> None:
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in ("cli", "data", "flows", "reports", "tasks")
        for path in (ROOT / package).rglob("*.py")
        if '"report/keep_passed"' in path.read_text(encoding="utf-8")
    }
    assert sources == {"reports/gate.py"}
    writers = {
        path.stem
        for path in (ROOT / "tasks" / "sql").rglob("*.sql")
        if re.search(r"(INTO|UPDATE|FROM)\s+ledger\.out_part", path.read_text(encoding="utf-8"))
    }
    assert writers == {"keep_passed", "passed"}


def test_the_gate_shares_no_code_with_what_it_checks() -> None:
    tree = ast.parse(Path(gate.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert "tasks.rules.errors" in imported
    ours = {name for name in imported if name and name.startswith("reports")}
    assert ours == {"reports.picture_gate"}
    private = ("disclosure", "protect", "publish")
    assert not [name for name in imported if name and name.endswith(private)]


def test_every_reason_of_the_gate_can_be_said() -> None:
    for key in keys("gate."):
        for language in LANGUAGES:
            assert "html" in say(key, language, kind="html")


# A template that asks for what is not there


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the templates to break."""
    folder = tmp_path / "templates"
    shutil.copytree(render._TEMPLATES, folder)
    monkeypatch.setattr(render, "_TEMPLATES", folder)
    render._environment.cache_clear()
    yield folder
    render._environment.cache_clear()


FIELD = "error.template_field"
BROKEN = {
    "a field": ("sweep.html.j2", "{{ secret_name }}", FIELD, "secret_name"),
    "a field of the summary": ("sweep.html.j2", "{{ summary.secret_name }}", FIELD, "secret_name"),
    "a field of a part": (
        "message.txt.j2",
        "{% for each in summary.checks %}{{ each.rows.total }}{% endfor %}",
        FIELD,
        "rows",
    ),
    "a field in a condition": (
        "base.html.j2",
        "{% if summary.ready %}x{% endif %}",
        FIELD,
        "ready",
    ),
    "a field in a macro": ("look.html.j2", None, FIELD, "secret_name"),
    "an entry that is no name": (
        "sweep.html.j2",
        "{{ {}['张三丰'] }}",
        "error.template",
        None,
    ),
    "a filter": ("sweep.html.j2", "{{ title | reveal }}", "error.template", None),
    "a test": ("message.txt.j2", "{% if title is secret %}x{% endif %}", "error.template", None),
    "a tag": ("sweep.html.j2", "{% reveal %}", "error.template", None),
    "an end": ("base.html.j2", "{% if title %}", "error.template", None),
    "a template": ("sweep.html.j2", '{% include "other.j2" %}', "error.template", None),
}


@pytest.mark.parametrize(("template", "said", "key", "field"), BROKEN.values(), ids=BROKEN)
def test_a_broken_template_is_one_clear_error_and_writes_nothing(
    home: Home,
    ledger: Store,
    templates: Path,
    template: str,
    said: str | None,
    key: str,
    field: str | None,
) -> None:
    path = templates / template
    source = path.read_text(encoding="utf-8")
    if said is None:
        broken = source.replace("summary.figure(name, village)", "summary.secret_name", 1)
    elif template == "sweep.html.j2":  # what stands beside its blocks is not rendered
        broken = source.replace("{% block tables %}", "{% block tables %}\n" + said, 1)
    else:
        broken = source + said
    assert broken != source
    path.write_text(broken, encoding="utf-8")
    release_sweep(ledger)
    with pytest.raises(CheckFailed) as stopped:
        write_report(ledger, home, township(), "sweep", 1, 1, "zh-CN", KNOWN)
    assert (stopped.value.key, stopped.value.exit) == (key, Exit.CHECK_FAILED)
    assert stopped.value.values["template"] == template
    assert stopped.value.values.get("field") == field
    assert stopped.value.values["line"]
    assert "张三丰" not in str(stopped.value)
    assert not home.reports("autumn-2025").exists()
    passed = ledger.connection.execute("SELECT count(*) FROM ledger.out_part").fetchall()
    assert passed == [(0,)]
