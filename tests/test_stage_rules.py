"""Every row rule of every sheet: what breaks it and nothing else, and what it lets pass."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from conftest import coverage, make_home, open_home, referral, write_workbook
from register_rows import VILLAGE_1, add_referral, add_registered, add_visit
from tasks.intake import FileResult, prepare, take_in
from tasks.plan import Plan
from tasks.rules.cells import UNCOMPUTED, cell_reason
from tasks.rules.contract import CHOICES, HEALTH_SHEETS, SHEETS, SHEETS_OF_PHASE, Identity
from tasks.store import Store

Row = dict[str, object]
LICENCE = "110990000000001"
RECEIVED = datetime(2025, 12, 3, 9, 0)
LATER = "2025-12-04"
"""The day after the file came."""
WOMAN, MAN = "110101198001020024", "110101198001020139"
"""Made-up numbers with a right check digit: born 1980-01-02."""


def readiness(**changes: object) -> Row:
    return {
        "village_code": VILLAGE_1,
        "training_date": "2025-09-01",
        "trained_people": "12",
        "emergency_plan_updated": "是",
        "drill_date": "2025-09-10",
        "care_group_complete": "是",
        "materials_delivered": "否",
        **changes,
    }


def assessment_outcome(**changes: object) -> Row:
    return {
        "referral_ref": "R-000000000001",
        "assessed_on": "2025-11-12",
        "psychiatrist_licence": LICENCE,
        "outcome": "未确诊",
        **changes,
    }


def confirmed(**changes: object) -> Row:
    return assessment_outcome(
        **{"outcome": "确诊", "diagnosis": "双相障碍", "management_consent": "是", **changes}
    )


def follow_up(**changes: object) -> Row:
    return {
        "register_no": "G-001",
        "visited_on": "2025-11-20",
        "entered_on": "2025-11-21",
        "mode": "上门",
        "seen": "本人",
        "stability": "稳定",
        "rating": "0",
        "medication": "1",
        "adverse_reaction": "无",
        "clinician_licence": LICENCE,
        **changes,
    }


def service_month(**changes: object) -> Row:
    return {
        "village_code": VILLAGE_1,
        "month": "2025-11",
        "care_group_met": "是",
        "status_updated_on": "2025-11-20",
        "guardian_contacts": "3",
        "rehabilitation_sessions": "1",
        "subsidy_applied": "2",
        "subsidy_reviewed": "1",
        "subsidy_paid": "2",
        "problems_raised": "0",
        **changes,
    }


def care_group(**changes: object) -> Row:
    return {
        "village_code": VILLAGE_1,
        "role": "村医",
        "filled": "是",
        "trained_on": "2025-09-10",
        **changes,
    }


def registered_person(**changes: object) -> Row:
    return {
        "register_no": "G-101",
        "full_name": "王五",
        "sex": "女",
        "birth_date": "1980-01-02",
        "residence_village": VILLAGE_1,
        "registered_village": VILLAGE_1,
        "phone": "13800138000",
        "consent_by": "本人",
        "consent_date": "2020-01-05",
        "consent_scope": "评估和管理",
        "diagnosis": "双相障碍",
        "confirmed_on": "2020-01-02",
        "psychiatrist_licence": LICENCE,
        "stability": "稳定",
        "last_visited_on": "2025-09-01",
        **changes,
    }


SOUND = {
    "readiness": readiness,
    "coverage": coverage,
    "referral": referral,
    "assessment_outcome": assessment_outcome,
    "follow_up": follow_up,
    "service_month": service_month,
    "care_group": care_group,
    "registered_person": registered_person,
}
"""For each sheet a row that holds every rule, with changes."""

ON_25: Row = {"visited_on": "2025-11-25", "entered_on": "2025-11-26"}
NOT_SEEN: Row = {
    "seen": "其他",
    "stability": "",
    "rating": "",
    "medication": "",
    "adverse_reaction": "",
}
"""A row of a visit at which nobody was judged."""

NO_DAYS = ("2025-02-30", "03/04/2025", "25-10-03", "十月三日", "2025-10", "0")
NO_COUNTS = ("", "若干", "1.5", "-3", "约20", "1234567890")
NO_CODES = ("", "99010100100", "9901010010011", "测试1村", "9901O1001001")


def each(*values: str) -> tuple[Row, ...]:
    """Mistakes that all put something into the rule's own column."""
    return tuple({"": value} for value in values)


PERSON: Mapping[str, Sequence[Row]] = {
    "consent_by_valid": each("邻居", "村干部", "本人和家属"),
    "consent_date_valid": each(LATER, *NO_DAYS),
    "full_name_valid": each("", "王", "王2", "王5小姐", "=王五", "王" * 41),
    "sex_valid": each("", "未知", "1"),
    "birth_date_valid": each("", "1899-12-31", *NO_DAYS),
    "resident_id_whole": each("1.10101198001020E+17", "1.101E+17", "110101198001020000"),
    "resident_id_valid": each(WOMAN[:-1] + "5", WOMAN[:-1], f"0{WOMAN[1:]}", "不详"),
    "resident_id_agrees": (
        {"resident_id": MAN, "sex": "女"},
        {"resident_id": WOMAN, "sex": "男"},
        {"resident_id": MAN, "sex": "男", "birth_date": "1980-01-03"},
    ),
    "residence_village_valid": each(*NO_CODES),
    "registered_village_valid": each(*NO_CODES[1:]),
    "village_in_township": (
        {"residence_village": "990199001001", "registered_village": "990199001001"},
        {"residence_village": "990199001001", "registered_village": ""},
    ),
    "phone_valid": each("1381234567", "12345678901", "见上", "138001380001"),
}

MISTAKES: Mapping[str, Mapping[str, Sequence[Row]]] = {
    "readiness": {
        "village_code_valid": each(*NO_CODES, "990101001002"),
        "training_date_valid": each(LATER, *NO_DAYS),
        "trained_people_valid": each(*NO_COUNTS[1:]),
        "emergency_plan_updated_valid": each("", "待定", "2"),
        "drill_date_valid": each(LATER, *NO_DAYS),
        "care_group_complete_valid": each("", "基本"),
        "materials_delivered_valid": each("", "部分"),
    },
    "coverage": {
        "village_code_valid": each(*NO_CODES, "990101001002"),
        "grid_valid": each("", "网" * 41, "#N/A", "Err:502"),
        "households_valid": each(*NO_COUNTS),
        "households_visited_valid": each(*NO_COUNTS),
        "households_declined_valid": each(*NO_COUNTS),
        "visited_within_households": ({"": "51"}, {"": "49", "households_declined": "2"}),
        "visits_from_valid": each("", *NO_DAYS),
        "visits_to_valid": each("", LATER, *NO_DAYS),
        "visits_in_order": each("2025-10-07"),
        "no_consent_count_valid": each(*NO_COUNTS),
        "nil_return_valid": each("可能", "2"),
        "nil_return_true": each("是", "√", "1"),
    },
    "referral": {
        **PERSON,
        "consent_scope_valid": each("全部", "管理"),
        "row_no_valid": each("", "0", "甲", "-1"),
        "adult": (
            {"birth_date": "2008-01-02"},
            {"birth_date": "2007-10-21", "consent_date": "2025-10-20"},
        ),
        "contact_name_valid": each("13912345678", "李"),
        "contact_relation_valid": each("同事"),
        "contact_phone_valid": each("同上", "139123"),
        "referred_by_valid": each("", "网格员", "派出所", "群众"),
        "care_setting_valid": each("", "外地"),
        "observed_signs_valid": each("12", "0", "3,15", "多种", "1,,3"),
        "urgency_valid": each("", "特急"),
    },
    "assessment_outcome": {
        "referral_ref_known": each("", "R-000000000009"),
        "assessed_on_valid": each("", LATER, "2025-10-19", *NO_DAYS),
        "psychiatrist_licence_valid": each("", "见前", "1234567", "1" * 25),
        "outcome_valid": each("", "待查"),
        "diagnosis_valid": (confirmed(diagnosis=""), confirmed(diagnosis="抑郁症")),
        "diagnosis_only_confirmed": each("双相障碍"),
        "management_consent_valid": (
            {"": "再议"},
            confirmed(management_consent=""),
            confirmed(management_consent="再议"),
        ),
        "second_opinion_requested_valid": each("再议"),
    },
    "follow_up": {
        "register_no_known": each("", "G-009"),
        "visited_on_valid": each("", *NO_DAYS),
        "entered_on_valid": each("", LATER, "2025-11-19", *NO_DAYS),
        "mode_valid": each("", "微信"),
        "seen_valid": each("", "邻居"),
        "stability_valid": ({"": ""}, {"": "好转"}, {"": "好转", "seen": "未见到"}),
        "rating_valid": ({"": ""}, {"": "6"}, {"": "低"}, {"": "-1"}, {"": "6", "seen": "其他"}),
        "medication_valid": each("", "5", "按时"),
        "adverse_reaction_valid": each("", "轻微"),
        "lost_reason_valid": each("出差"),
        "clinician_licence_valid": each("", "见前"),
        # a day of entry to come beside it is no second reason
        "visited_on_not_to_come": (*each(LATER, "2026-11-20"), {"": LATER, "entered_on": LATER}),
        "visited_on_after_diagnosis": each("2019-12-31"),
        "visited_on_before_death": ({"": "2025-11-20", "register_no": "G-003"},),
        "lost_reason_agrees": (
            *({"": reason, "stability": "", "rating": ""} for reason in ("迁居他处", "转出")),
            {"": "死亡", "stability": "", "rating": "", "register_no": "G-005"},
            *each("外出务工", "联系不上", "谢绝"),
            {"": "谢绝", "seen": "其他", "rating": ""},
            {"": "迁居他处", "seen": "监护人", "stability": ""},
        ),
        "death_agrees": ({"": "死亡", "register_no": "G-004", **NOT_SEEN},),
        "clinician_known": each("110990000000002"),
    },
    "service_month": {
        "village_code_valid": each(*NO_CODES, "990101001002"),
        "month_valid": each("", "2025-10", "2025-12", "11月", "本月"),
        "month_begun": each("2026-01", "2035年1月"),
        "care_group_met_valid": each("", "准备开"),
        "status_updated_on_valid": each(LATER, *NO_DAYS),
        "guardian_contacts_valid": each(*NO_COUNTS),
        "rehabilitation_sessions_valid": each(*NO_COUNTS),
        "subsidy_applied_valid": each(*NO_COUNTS),
        "subsidy_reviewed_valid": each(*NO_COUNTS[1:]),
        "subsidy_reviewed_within_applied": each("3"),
        "subsidy_paid_valid": each(*NO_COUNTS),
        "subsidy_paid_within_applied": each("3"),
        "problems_raised_valid": each(*NO_COUNTS),
    },
    "care_group": {
        "village_code_valid": each(*NO_CODES, "990101001002"),
        # nobody from the police is in a care group, and nobody is named in it
        "role_valid": each("", "民警", "派出所", "辅警", "网格员张三", "组长"),
        "filled_valid": each("", "待定", "张三"),
        "trained_on_valid": each(LATER, *NO_DAYS),
        "trained_is_filled": ({"filled": "否"},),
    },
    "registered_person": {
        **PERSON,
        "consent_covers_management": each("评估", "全部"),
        "register_no_valid": (
            *each("", "待编", "G1", "-G1", "G-" + "1" * 31),
            # given here to 王五, born 1980-01-02; of R20250002 the ID number is known besides
            {"": "R20250001", "full_name": "赵六"},
            {"": "R20250001", "birth_date": "1980-01-03"},
            {"": "R20250002", "resident_id": WOMAN},
        ),
        "diagnosis_valid": each("", "抑郁症"),
        "confirmed_on_valid": (
            *({"": day, "last_visited_on": ""} for day in ("", LATER, *NO_DAYS)),
            {"": "1979-12-31"},
        ),
        "psychiatrist_licence_valid": each("", "见前"),
        "stability_valid": each("好转"),
        "last_visited_on_valid": each(LATER, "2020-01-01", *NO_DAYS),
    },
}
"""Sheet -> rule -> changes of a sound row that break this rule and no other; '' is its column."""

PASSES: Mapping[str, Sequence[Row]] = {
    "readiness": (
        {"training_date": "", "trained_people": "", "drill_date": ""},
        {"emergency_plan_updated": "√", "care_group_complete": "×", "materials_delivered": "Y"},
        {"trained_people": "１２.0"},
    ),
    "coverage": (
        {"households_visited": "50", "households_declined": "0"},
        {"households": "0", "households_visited": "0", "households_declined": "0"},
        {"households_visited": "0", "visits_from": "", "visits_to": ""},
        {"nil_return": ""},
        {"no_consent_count": "０", "households": " 50 ", "grid": "A-1"},
    ),
    "referral": (
        {"resident_id": MAN},
        {"resident_id": WOMAN, "sex": "女性"},
        {"resident_id": "１１０１０１１９８００１０２０１３９"},
        {"resident_id": "11010119800102069x", "sex": "男"},
        {"registered_village": "", "phone": "", "observed_signs": ""},
        {"contact_name": "", "contact_relation": "", "contact_phone": ""},
        {"residence_village": "990199001001"},
        {"registered_village": "990199001001"},
        {"birth_date": "2007-10-20", "consent_date": "2025-10-20"},
        {"full_name": "阿依古丽·买买提"},
        {"full_name": "欧阳 小 明", "sex": "Ｍ"},
        {"full_name": "Anna O'Neill"},
        {"phone": "+86 138-0013-8000"},
        {"phone": "０１０-12345678"},
        {"phone": "8613800138000"},
        {"contact_phone": "62345678"},
        {"observed_signs": "1、3；11"},
        {"observed_signs": "1 2/3;4"},
        {"observed_signs": "7"},
        {"care_setting": "HOME", "urgency": "Soon", "consent_scope": "评估及管理"},
    ),
    "assessment_outcome": (
        confirmed(),
        confirmed(diagnosis="双相（情感）障碍", management_consent="否"),
        {"referral_ref": "r-000000000001"},
        {"outcome": "爽约", "management_consent": "无"},
        {"second_opinion_requested": "是", "assessed_on": "2025-10-20"},
    ),
    "follow_up": (
        {"seen": "未见到", "stability": "", "rating": "", "medication": "", "adverse_reaction": ""},
        {"lost_reason": "外出务工", "seen": "其他"},
        {"rating": "5.0", "medication": "2.0"},
        {"visited_on": "2025-12-03", "entered_on": "2025-12-03"},
        # a village doctor's call judges nobody
        {"clinician_licence": "", "stability": "", "rating": "", "mode": "电话"},
        {"clinician_licence": "", "lost_reason": "谢绝", **NOT_SEEN, "seen": "本人"},
        {"lost_reason": "转诊", **NOT_SEEN, "seen": "监护人"},
        {"register_no": "G-003", "visited_on": "2025-11-03"},
        {"register_no": "G-006", "lost_reason": "死亡", **ON_25, **NOT_SEEN},
    ),
    "service_month": (
        {"status_updated_on": "", "care_group_met": "未"},
        {"month": "2025年11月"},
        {"month": "2025.11"},
        {"month": "202511"},
        {"month": "2025-11-30"},
        {"subsidy_paid": "0", "subsidy_reviewed": "0", "subsidy_applied": "0"},
        {"subsidy_reviewed": ""},
    ),
    "care_group": (
        {"trained_on": ""},
        {"filled": "×", "trained_on": ""},
        {"role": "社区书记"},
        {"role": "VOLUNTEER", "filled": "√"},
    ),
    "registered_person": (
        {"stability": "", "last_visited_on": "", "phone": "", "registered_village": ""},
        {"resident_id": WOMAN},
        {"confirmed_on": "1980-01-02"},
        {"last_visited_on": "2020-01-02"},
        {"register_no": "R20250001", "resident_id": WOMAN},
        {"register_no": "R20250002", "phone": ""},
        {"register_no": "G-001", "full_name": "赵六"},
    ),
}
"""Sheet -> changes of a sound row that leave it sound."""


@dataclass(frozen=True)
class Example:
    """A row and the one rule it breaks, or None."""

    sheet: str
    rule: str | None
    row: Row

    def __str__(self) -> str:
        return f"{self.sheet}-{self.rule or 'sound'}"


def made(sheet: str, rule: str | None, changes: Row) -> Example:
    """Return the sound row of `sheet` with `changes`; '' is the column of `rule`."""
    column = next((each.column for each in SHEETS[sheet].rules if each.name == rule), "")
    named = {name or column: value for name, value in changes.items()}
    return Example(sheet, rule, SOUND[sheet](**named))


EXAMPLES = [
    *(
        made(sheet, rule, changes)
        for sheet, rules in MISTAKES.items()
        for rule, mistakes in rules.items()
        for changes in mistakes
    ),
    *(made(sheet, None, changes) for sheet in SHEETS for changes in ({}, *PASSES[sheet])),
]
FIRST_ROW = 3
"""Below identity and head."""


PLAIN = {"full_name": "王五", "birth_date": date(1980, 1, 2)}
"""Who `registered_person` speaks of."""


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A register that knows one referral and one person, for the sheets that name them."""
    with open_home(make_home(tmp_path_factory.mktemp("rules") / "home")) as store:
        add_referral(store, "R-000000000001")
        for number in ("G-001", "G-003", "G-004", "G-005", "G-006"):
            add_registered(store, number, confirmed_on=date(2020, 1, 1))
        add_visit(store, "G-003", date(2025, 11, 3), seen="other", lost_reason="died")
        add_visit(store, "G-004", date(2025, 11, 25))
        add_visit(store, "G-006", date(2025, 11, 25), campaign="other")
        add_registered(store, "R20250001", source="assessment", **PLAIN)
        add_registered(store, "R20250002", source="assessment", resident_key="k", **PLAIN)
        yield store


def sender_of(place: int) -> str:
    """A village of its own for each example, so that no rule compares it with another one."""
    return f"990101001{100 + place:03d}"


@pytest.fixture(scope="module")
def wide_plan(plan: Plan) -> Plan:
    """The plan with readiness besides, so that every sheet has its place, and many villages."""
    sweep = next(each for each in plan.calendar if each.phase == "sweep")
    senders = (
        plan.villages[0].model_copy(update={"code": sender_of(place)})
        for place in range(len(EXAMPLES))
    )
    return plan.model_copy(
        update={
            "calendar": (*plan.calendar, replace(sweep, phase="readiness", round=0)),
            "villages": (*plan.villages, *senders),
            "health_centre": plan.health_centre.model_copy(update={"clinicians": (LICENCE,)}),
        }
    )


def identity(plan: Plan, sheet: str, village: str) -> Identity:
    """The identity under which `village` sends `sheet`."""
    phase = next(name for name, sheets in SHEETS_OF_PHASE.items() if sheet in sheets)
    round = next(each.round for each in plan.calendar if each.phase == phase)
    return Identity(plan.slug, phase, round, village, 1)


@pytest.fixture(scope="module")
def broken(
    register: Store, wide_plan: Plan, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[str, ...]]:
    """The rules that each example breaks, by its place among the examples."""
    folder = tmp_path_factory.mktemp("files")
    groups: list[list[int]] = []
    for sheet in SHEETS:
        places = [place for place, each in enumerate(EXAMPLES) if each.sheet == sheet]
        # rows about people are not compared with each other and can stand in one file
        groups += [places] if SHEETS[sheet].about_people else [[place] for place in places]
    paths = []
    for number, places in enumerate(groups):
        example = EXAMPLES[places[0]]
        village = sender_of(places[0])
        rows = [
            {**each, "village_code": village} if each.get("village_code") == VILLAGE_1 else each
            for each in (EXAMPLES[place].row for place in places)
        ]
        sheets: dict[str, list[Row]] = {example.sheet: rows}
        if example.rule == "nil_return_true":
            sheets["referral"] = [referral()]
        if example.sheet in HEALTH_SHEETS:
            village = wide_plan.health_centre.code
        path = folder / f"{number}.xlsx"
        paths.append(write_workbook(path, sheets, identity(wide_plan, example.sheet, village)))
    run = Store.run

    def but_forget(at: Store, name: str, **parameters: Any) -> None:
        if name != "intake/forget_judged":
            run(at, name, **parameters)

    with pytest.MonkeyPatch.context() as patch:
        # another test looks at them
        patch.setattr(Store, "run", but_forget)
        results = take_in(
            register,
            {wide_plan.slug: wide_plan},
            paths,
            received_at=RECEIVED,
            recorded_at=RECEIVED,
            keep=False,
        )
    found: list[tuple[str, ...]] = [()] * len(EXAMPLES)
    for places, result in zip(groups, results, strict=True):
        assert result.refused is None, str(result.refused)
        assert result.rows["no_consent"] == 0
        for returned in result.returned:
            found[places[returned.row - FIRST_ROW]] = returned.rules
    return found


@pytest.mark.parametrize(
    ("place", "example"), list(enumerate(EXAMPLES)), ids=[str(each) for each in EXAMPLES]
)
def test_a_row_breaks_exactly_the_rule(
    broken: list[tuple[str, ...]], place: int, example: Example
) -> None:
    assert broken[place] == ((example.rule,) if example.rule else ())


def test_every_rule_has_a_row_that_breaks_it() -> None:
    wanted = {(name, rule.name) for name, sheet in SHEETS.items() for rule in sheet.rules}
    assert {(each.sheet, each.rule) for each in EXAMPLES if each.rule} == wanted


@pytest.mark.parametrize("sheet", SHEETS)
def test_the_statements_judge_exactly_the_rules_of_the_contract(
    register: Store, broken: list[tuple[str, ...]], sheet: str
) -> None:
    rules = [rule.name for rule in SHEETS[sheet].rules]
    query = f"SELECT rules, typed FROM staged_{sheet} LIMIT 1"  # noqa: S608 # a sheet's name
    ((judged, typed),) = register.connection.execute(query).fetchall()
    assert list(judged) == rules
    names = [column.name for column in SHEETS[sheet].columns]
    # an identity number is kept as a keyed hash alone
    columns = ["resident_key" if name == "resident_id" else name for name in names]
    assert list(typed) == columns
    described = register.connection.execute(f"DESCRIBE register.stg_{sheet}").fetchall()
    stored = [name for name, *_ in described]
    # a column that was added later stands behind the others
    own = set(stored[stored.index("first_received_at") + 1 :])
    given_here = {"referral_ref"} if sheet == "referral" else set()
    assert own == {*columns, *rules} | given_here


def test_one_grid_with_two_sets_of_figures_is_returned_whole(
    register: Store, wide_plan: Plan, tmp_path: Path
) -> None:
    rows = [coverage(), coverage(households="60"), coverage(grid="二网格")]
    path = write_workbook(
        tmp_path / "v.xlsx", {"coverage": rows}, identity(wide_plan, "coverage", VILLAGE_1)
    )
    result = judge(register, wide_plan, path)
    assert [(row.row, row.rules) for row in result.returned] == [
        (3, ("grid_valid",)),
        (4, ("grid_valid",)),
    ]


def test_a_month_with_two_sets_of_figures_is_returned_whole(
    register: Store, wide_plan: Plan, tmp_path: Path
) -> None:
    rows = [service_month(), service_month(problems_raised="1")]
    path = write_workbook(
        tmp_path / "v.xlsx",
        {"service_month": rows},
        identity(wide_plan, "service_month", VILLAGE_1),
    )
    result = judge(register, wide_plan, path)
    assert [row.rules for row in result.returned] == [("month_valid",)] * 2


def judge(store: Store, plan: Plan, path: Path) -> FileResult:
    """Judge one file and store nothing."""
    (result,) = take_in(
        store,
        {plan.slug: plan},
        [path],
        received_at=RECEIVED,
        recorded_at=RECEIVED,
        keep=False,
    )
    return result


def visits_sent(register: Store, plan: Plan, folder: Path, *rows: Row) -> list[tuple[str, ...]]:
    """The rules that follow-up rows of one file break, row by row."""
    of_centre = identity(plan, "follow_up", plan.health_centre.code)
    result = judge(
        register, plan, write_workbook(folder / "v.xlsx", {"follow_up": rows}, of_centre)
    )
    returned = {row.row: row.rules for row in result.returned}
    return [returned.get(FIRST_ROW + place, ()) for place in range(len(rows))]


def test_a_death_and_a_later_visit_in_one_file_are_both_returned(
    register: Store, wide_plan: Plan, tmp_path: Path
) -> None:
    found = visits_sent(
        register,
        wide_plan,
        tmp_path,
        follow_up(lost_reason="死亡", **NOT_SEEN),
        follow_up(visited_on="2025-11-21"),
        follow_up(visited_on="2025-11-19"),
    )
    assert found == [("death_agrees",), ("visited_on_before_death",), ()]


def test_a_file_that_puts_a_death_right_may_tell_of_later_visits(
    register: Store, wide_plan: Plan, tmp_path: Path
) -> None:
    centre = wide_plan.health_centre.code
    add_registered(register, "G-007", confirmed_on=date(2020, 1, 1))
    died = {"seen": "other", "lost_reason": "died", "sender_village": centre}
    add_visit(register, "G-007", date(2025, 11, 18), **died)
    later = follow_up(register_no="G-007")
    right = follow_up(register_no="G-007", visited_on="2025-11-18")
    assert visits_sent(register, wide_plan, tmp_path, later) == [("visited_on_before_death",)]
    assert visits_sent(register, wide_plan, tmp_path, right, later) == [(), ()]


def test_a_plan_without_a_list_of_clinicians_takes_any_licence(
    register: Store, plan: Plan, tmp_path: Path
) -> None:
    row = follow_up(clinician_licence="990000000000009")
    assert visits_sent(register, plan, tmp_path, row) == [()]


def test_a_row_that_breaks_several_rules_is_returned_with_all_of_them_in_their_order(
    register: Store, wide_plan: Plan, tmp_path: Path
) -> None:
    row = referral(sex="?", phone="见上", urgency="", row_no="0", consent_scope="全部")
    path = write_workbook(
        tmp_path / "v.xlsx", {"referral": [row]}, identity(wide_plan, "referral", VILLAGE_1)
    )
    (returned,) = judge(register, wide_plan, path).returned
    assert returned.rules == (
        "consent_scope_valid",
        "row_no_valid",
        "sex_valid",
        "phone_valid",
        "urgency_valid",
    )


def test_a_formulas_error_is_returned_in_every_column(
    register: Store, wide_plan: Plan, tmp_path: Path
) -> None:
    files: dict[str, Path] = {}
    for name, sheet in SHEETS.items():
        health = name in HEALTH_SHEETS
        sender = wide_plan.health_centre.code if health else VILLAGE_1
        rows = [SOUND[name](**{column.name: "#N/A"}) for column in sheet.columns]
        path = tmp_path / f"{name}.xlsx"
        files[name] = write_workbook(path, {name: rows}, identity(wide_plan, name, sender))
    for name, path in files.items():
        returned = {row.row: row.rules for row in judge(register, wide_plan, path).returned}
        for place, column in enumerate(SHEETS[name].columns):
            of_column = {rule.name for rule in SHEETS[name].rules if rule.column == column.name}
            assert of_column & set(returned[FIRST_ROW + place]), (name, column.name)


# --- spellings ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spelled(register: Store, plan: Plan) -> Callable[[str, str], Any]:
    """Return a function that computes an expression over one cell, named `cell`."""
    prepare(register, [plan])

    def compute(expression: str, cell: str) -> Any:
        query = f"SELECT {expression} FROM (SELECT norm_text($cell) AS cell)"  # noqa: S608
        ((value,),) = register.connection.execute(query, {"cell": cell}).fetchall()
        return value

    return compute


Spelled = Callable[[str, str], Any]


@pytest.mark.parametrize(
    "cell",
    [
        "2025-10-03",
        "2025-10-3",
        "2025.10.3",
        "2025/10/03",
        "2025年10月3日",
        "2025年10月03号",
        "2025 年 10 月 3 日",
        "2025-10-03 00:00",
        "2025-10-03 00:00:00",
        "2025-10-03 00:00:00.000",
        "20251003",
        "45933",
        "45933.0",
        "２０２５．１０．３",
        "　2025－10－03 ",
        "2025 10 3",
        "2025、10、3",
        "2025.10.3.",
        "2025/10/3 0:00",
        "2025-10-03T00:00:00",
        "2025年10月3日星期五",
        "2025-10-03 (周五)",
        "2025年十月三日",
        "二〇二五年十月三日",
        "二○二五年十月三号",
        "3-Oct-2025",
        "03 October 2025",
    ],
)
def test_a_date_is_read_in_many_spellings(spelled: Spelled, cell: str) -> None:
    assert spelled("to_date(cell)", cell) == date(2025, 10, 3)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "03/10/2025",
        "10/3/25",
        "25.10.3",
        "2025-13-01",
        "2025-02-29",
        "2025-10-03 08:30",
        "去年",
        "2025",
        "20251332",
        "459330",
        "3 Octopus 2025",
        "二〇二五年二月三十日",
        "二五年十月三日",
        "十月三日",
        "#N/A",
        "1.5",
        "-45933",
    ],
)
def test_a_date_that_can_be_read_in_two_ways_or_in_none_is_not_guessed(
    spelled: Spelled, cell: str
) -> None:
    assert spelled("to_date(cell)", cell) is None


@pytest.mark.parametrize("day", [1, 9, 10, 11, 19, 20, 21, 29, 30, 31])
def test_days_in_chinese_numerals(spelled: Spelled, day: int) -> None:
    ones, tens = "〇一二三四五六七八九"[day % 10], ("", "十", "二十", "三十")[day // 10]
    written = f"一九九二年十二月{tens}{ones if day % 10 else ''}日"
    assert spelled("to_date(cell)", written) == date(1992, 12, day)


@given(
    cell=st.one_of(
        st.from_regex(r"\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?( \d{1,2}:\d{2})?", fullmatch=True),
        st.from_regex(r"2025-10-03[ T]0?0:0[01](:0[01](\.0)?)?Z?", fullmatch=True),
        st.from_regex(r"[0-9十一二]{1,3}[-/.月][0-9十三]{0,3}[日号]?", fullmatch=True),
        st.sampled_from(["#N/A", "#VALUE!", "Err:502", UNCOMPUTED]),
    )
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cell_with_a_reason_is_read_by_no_rule(spelled: Spelled, cell: str) -> None:
    if cell_reason(cell, "date") is not None:
        assert spelled("to_date(cell)", cell) is None
        assert spelled("to_month(cell)", cell) is None


@pytest.mark.parametrize(
    ("name", "value", "spelling"),
    [
        (name, value, spelling)
        for name, values in CHOICES.items()
        for value, spellings in values.items()
        for spelling in (value, *spellings)
    ],
)
def test_every_spelling_of_a_closed_list_is_read(
    spelled: Spelled, name: str, value: str, spelling: str
) -> None:
    for cell in (spelling, f" {spelling.upper()}　", wide(spelling)):
        assert spelled(f"to_choice('{name}', cell)", cell) == value


def wide(text: str) -> str:
    """The text as an input method in full-width mode types it."""
    return "".join(chr(ord(c) + 0xFEE0) if 0x21 <= ord(c) <= 0x7E else c for c in text)


def test_no_spelling_stands_for_two_values() -> None:
    for values in CHOICES.values():
        spellings = [each.lower() for value, all_ in values.items() for each in {value, *all_}]
        assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("　张三　", "张三"),
        (" a \t b\n", "a b"),
        ("ＡＢＣ１２３", "ABC123"),
        ("（甲）", "(甲)"),
        ("\u00a0甲\u00a0", "甲"),
        ("　 ", None),
        ("", None),
    ],
)
def test_a_cell_is_compared_in_half_width_with_single_spaces(
    spelled: Spelled, cell: str, text: str | None
) -> None:
    assert spelled("cell", cell) == text


@pytest.mark.parametrize(
    ("cell", "number"),
    [("0", 0), ("12", 12), ("１２", 12), ("12.0", 12), ("012", 12), ("999999999", 999999999)]
    + [("1,200", 1200), ("1，200", 1200), ("12,345.0", 12345), ("999,999,999", 999999999)]
    + [(cell, None) for cell in ("", "1.5", "-1", "1e3", "十二", "9999999999")]
    + [(cell, None) for cell in ("1,20", "12,00", "0,120", "1,2345", "1,200,", "1,000,000,000")],
)
def test_a_count_is_a_whole_number(spelled: Spelled, cell: str, number: int | None) -> None:
    assert spelled("to_int(cell)", cell) == number


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("990101001001", "990101001001"),
        (" ９９０１０１００１００１　", "990101001001"),
        ("9901 0100 1001", None),
        ("990101001001.0", "990101001001"),
        ("990101001001.00", "990101001001"),
        ("990101001001.5", None),
        ("9.90101E+11", None),
    ],
)
def test_a_code_has_twelve_digits(spelled: Spelled, cell: str, code: str | None) -> None:
    assert spelled("to_code(cell)", cell) == code


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("138 0013 8000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+8613800138000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("010-62345678", "01062345678"),
        ("86234567", "86234567"),
    ],
)
def test_a_telephone_number_has_one_spelling(spelled: Spelled, cell: str, number: str) -> None:
    assert spelled("phone_number(cell)", cell) == number
    assert spelled("phone_check(cell)", cell)


@given(body=st.from_regex(r"[1-9][0-9]{16}", fullmatch=True))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_check_digit_is_the_standards(spelled: Spelled, body: str) -> None:
    # python-stdnum is the second opinion
    right = ric.calc_check_digit(f"{body}0")
    every = "string_split('0,1,2,3,4,5,6,7,8,9,X', ',')"
    assert spelled(f"list_filter({every}, lambda sign: id_check(cell || sign))", body) == [right]


def test_spaces_between_the_characters_of_a_name_do_not_make_another_person(
    register: Store, wide_plan: Plan, tmp_path: Path
) -> None:
    names = ("欧阳小明", "欧阳　小明", " 欧 阳 小 明 ", "Li Ming", "Li  Ming", "LiMing")
    rows = [referral(full_name=name, row_no=str(n)) for n, name in enumerate(names, start=1)]
    path = write_workbook(
        tmp_path / "v.xlsx", {"referral": rows}, identity(wide_plan, "referral", VILLAGE_1)
    )
    assert judge(register, wide_plan, path).rows == {
        "read": 6,
        "accepted": 3,
        "duplicate": 3,
        "returned": 0,
        "unchanged": 0,
        "no_consent": 0,
    }
