"""Plans resolve to the days docs/plans.md says, and every mistake in one is named, all at once."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tasks.plan import (
    PACK,
    Occurrence,
    Plan,
    PlanRefused,
    Rules,
    Village,
    copy_plan,
    load_plan,
    occurrence_at,
)
from tasks.rules.contract import PURPOSES
from tasks.rules.errors import WrongCommand
from tasks.rules.wording import LANGUAGES, keys

ROOT = Path(__file__).parents[1]
CAMPAIGNS = ROOT / "data" / "campaigns"
SLUGS = sorted(path.stem for path in CAMPAIGNS.glob("*.toml"))

PLAN = """\
slug = "trial"
name = "试行"
name_en = "Trial"
purpose = "seasonal_outreach"
issued = 2025-02-20
ends = 2025-12-31
rest_day_rule = "previous-workday"
villages = "villages.csv"
earlier = ["before"]

[health_centre]
code = "990109101000"
name = "试点镇卫生院"

[recipients]
health = ["health@health.example"]
office = ["office@township.example"]

[rules]
withhold_to = 9

[targets]
coverage_percent = 90

[[phases]]
phase = "sweep"
round = 1
opens = 2025-09-01
due = "10月底"

[[phases]]
phase = "supervision"
first = "2025-11"
last = "2025-12"
due = "次月5日"

[[clinic]]
date = 2025-11-12
capacity = 12
"""

VILLAGES = """\
code,name,households,opened,closed,email
990109101201,一村,100,,,one@villages.example
990109101202,二村,200,2025-11-15,,
990109101203,三村,300,,2025-11-10,
"""

Written = Callable[[str, str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """A plan file and its village CSV, as given."""

    def write(plan: str = PLAN, villages: str = VILLAGES) -> Path:
        (tmp_path / "villages.csv").write_text(villages, encoding="utf-8")
        path = tmp_path / "trial.toml"
        path.write_text(plan, encoding="utf-8")
        return path

    return write


@pytest.fixture
def trial(written: Written) -> Plan:
    return load_plan(written(PLAN, VILLAGES))


def campaign(slug: str) -> Plan:
    return load_plan(CAMPAIGNS / f"{slug}.toml")


def mistakes(path: Path) -> list[tuple[str, str]]:
    """Where and what is wrong with a plan, in the order reported."""
    with pytest.raises(PlanRefused) as refused:
        load_plan(path)
    assert refused.value.key == "plan.mistakes"
    for language in LANGUAGES:
        lines = refused.value.text(language).splitlines()
        assert len(lines) == 1 + len(refused.value.mistakes)
    return [(mistake.where, mistake.key) for mistake in refused.value.mistakes]


def due(plan: Plan, phase: str, round_number: int = 0) -> date:
    return plan.occurrence(phase, round_number).due


# The five plans of docs/plans.md


@pytest.mark.parametrize("rule", ["none", "previous-workday", "next-workday"])
def test_plan_a_has_the_same_days_under_every_rule(tmp_path: Path, rule: str) -> None:
    plan = load_plan(_with_rule("autumn-2025", rule, tmp_path))
    assert due(plan, "sweep", 1) == date(2025, 10, 31)
    assert due(plan, "list_compilation") == date(2025, 11, 10)
    assert due(plan, "aggregation") == date(2025, 11, 20)


def test_plan_a_goes_on_with_a_queue_and_two_months_of_supervision() -> None:
    plan = campaign("autumn-2025")
    queue = plan.occurrence("diagnosis_queue")
    assert (queue.opens, queue.due) == (due(plan, "list_compilation"), date(2025, 12, 31))
    assert [(each.period, each.due) for each in plan.calendar if each.phase == "supervision"] == [
        ("2025-11", date(2025, 12, 5)),
        ("2025-12", date(2026, 1, 5)),
    ]
    assert plan.villages == campaign(plan.earlier[0]).villages
    assert all(queue.opens <= each.date <= queue.due for each in plan.clinic)


@pytest.mark.parametrize(
    ("rule", "readiness", "second_sweep"),
    [
        ("none", date(2024, 3, 31), date(2024, 5, 25)),
        ("previous-workday", date(2024, 3, 29), date(2024, 5, 24)),
        ("next-workday", date(2024, 4, 1), date(2024, 5, 27)),
    ],
)
def test_plan_b_under_each_rest_day_rule(
    tmp_path: Path, rule: str, readiness: date, second_sweep: date
) -> None:
    plan = load_plan(_with_rule("spring-2024", rule, tmp_path))
    assert due(plan, "readiness") == readiness
    assert due(plan, "follow_up") == date(2024, 4, 30)
    assert due(plan, "sweep", 2) == second_sweep
    assert plan.ends == date(2024, 5, 31)
    assert [(each.where, each.key) for each in plan.warnings if each.where == "readiness"] == [
        ("readiness", "plan.warn_due_before_issue")
    ]


def test_plan_c_keeps_rounds_1_and_2_for_the_concentrated_sweeps() -> None:
    plan = campaign("year-2025")
    assert due(plan, "sweep", 1) == date(2025, 6, 30)
    assert due(plan, "sweep", 2) == date(2025, 12, 31)
    rolling = sorted(
        (each.round, each.period) for each in plan.calendar if each.phase == "sweep" and each.period
    )
    assert rolling[0] == (3, "2025-02")
    assert rolling[-1] == (11, "2025-11")


def test_plan_d_has_duties_and_a_request_that_the_plan_alone_never_runs() -> None:
    plan = campaign("duties-2023")
    assert len(plan.duties) == 6
    (request,) = plan.ad_hoc
    assert (request.purpose, request.asked_on) == ("holiday_continuity", date(2023, 9, 20))
    (asked,) = plan.calendar
    assert asked.ad_hoc
    assert (asked.opens, asked.due) == (date(2023, 9, 25), date(2023, 10, 8))
    assert [village.code for village in plan.expected(asked)] == list(asked.villages)
    assert [warning.key for warning in plan.warnings] == ["plan.warn_ad_hoc"]
    for round_number in (None, asked.round):
        with pytest.raises(WrongCommand) as refused:
            occurrence_at(plan, "sweep", asked.due, round_number)
        assert refused.value.key == "plan.ad_hoc_not_approved"


def test_plan_e_by_month_and_quarter() -> None:
    plan = campaign("supervision-2026")
    assert len(plan.villages) == 18
    assert due(plan, "supervision", 1) == date(2026, 2, 5)
    assert due(plan, "supervision", 4) == date(2026, 4, 30)
    assert due(plan, PACK, 1) == date(2026, 4, 10)
    december = plan.occurrence("supervision", 12)
    assert december.due == date(2027, 1, 5)
    assert december.provisional
    assert ("supervision 2026-12", "plan.warn_provisional") in [
        (warning.where, warning.key) for warning in plan.warnings
    ]
    assert not plan.occurrence("supervision", 11).provisional


@pytest.mark.parametrize("slug", SLUGS)
def test_the_plans_here_are_sound_and_fictional(slug: str) -> None:
    plan = campaign(slug)
    assert plan.slug == slug
    assert all(village.code.startswith("99") for village in plan.villages)
    assert all(each.isascii() and each.endswith(".example") for each in plan.recipients.office)
    assert list(plan.calendar) == sorted(plan.calendar, key=lambda each: each.due)
    assert all(warning.text(language) for warning in plan.warnings for language in LANGUAGES)


# What a plan answers


def test_villages_are_expected_where_they_exist_when_the_work_ends(trial: Plan) -> None:
    def expected(occurrence: Occurrence) -> list[str]:
        return [village.name for village in trial.expected(occurrence)]

    assert expected(trial.occurrence("sweep", 1)) == ["一村", "三村"]
    # 二村 opened and 三村 was merged in November: 二村 owes that month's report, 三村 does not
    assert expected(trial.occurrence("supervision", 1)) == ["一村", "二村"]


def test_a_village_that_opens_after_the_month_owes_nothing_for_it(written: Written) -> None:
    later = VILLAGES.replace("2025-11-15", "2025-12-02")
    plan = load_plan(written(PLAN, later))
    november = plan.occurrence("supervision", 1)
    assert november.due > date(2025, 12, 2)
    assert [village.name for village in plan.expected(november)] == ["一村"]


def test_lookups_name_what_is_not_there(trial: Plan) -> None:
    assert trial.village("990109101202").name == "二村"
    with pytest.raises(KeyError):
        trial.village("990109101299")
    with pytest.raises(KeyError):
        trial.occurrence("sweep", 2)


@pytest.mark.parametrize(
    ("as_of", "round_number"),
    [
        (date(2025, 1, 1), 3),  # nothing is open yet: the first
        (date(2025, 2, 10), 3),  # the first that is open
        (date(2025, 3, 5), 3),
        (date(2025, 4, 4), 3),  # March's is open, February's was due last
        (date(2025, 4, 5), 4),
        (date(2025, 6, 30), 1),
        (date(2025, 12, 31), 2),
        (date(2030, 1, 1), 2),
    ],
)
def test_a_run_is_about_the_occurrence_that_was_due_last(as_of: date, round_number: int) -> None:
    assert occurrence_at(campaign("year-2025"), "sweep", as_of).round == round_number


def test_a_pack_is_found_by_the_day_it_was_due() -> None:
    plan = campaign("supervision-2026")
    assert occurrence_at(plan, PACK, date(2026, 4, 9)).period == "2026-Q1"
    assert occurrence_at(plan, PACK, date(2026, 7, 31)).period == "2026-Q2"
    assert occurrence_at(plan, PACK, date(2026, 1, 1), 3).period == "2026-Q3"


def test_a_named_round_is_taken_whatever_the_day(trial: Plan) -> None:
    assert occurrence_at(trial, "supervision", date(2025, 1, 1), 2).period == "2025-12"


@pytest.mark.parametrize(
    ("phase", "round_number", "key"),
    [
        ("readiness", None, "plan.no_such_phase"),
        ("readiness", 1, "plan.no_such_phase"),
        ("sweep", 2, "plan.no_such_round"),
        (PACK, None, "plan.no_such_phase"),
        (PACK, 5, "plan.no_such_round"),
    ],
)
def test_a_phase_or_round_that_is_not_planned_is_refused(
    phase: str, round_number: int | None, key: str
) -> None:
    plan = campaign("supervision-2026") if round_number == 5 else campaign("autumn-2025")
    with pytest.raises(WrongCommand) as refused:
        occurrence_at(plan, phase, date(2025, 12, 31), round_number)
    assert refused.value.key == key
    assert all(refused.value.text(language) for language in LANGUAGES)


def test_a_copy_reads_the_same_and_takes_other_villages(written: Written, tmp_path: Path) -> None:
    source = written(PLAN, VILLAGES)
    copy = copy_plan(source, tmp_path / "kept")
    assert load_plan(copy) == load_plan(source)
    assert copy.name == "plan.toml"
    assert copy.stat().st_mode & 0o777 == 0o600
    others = (Village(code="990109101001", name="甲,乙", households=5, closed=date(2026, 1, 1)),)
    assert load_plan(copy_plan(source, tmp_path / "changed", others)).villages == others


GRIDS = (
    ("一组;二组", ("一组", "二组")),
    (" 一组 ；二组; ", ("一组", "二组")),
    ("", ()),
    ("一组;一组", "plan.grid_twice"),
    (f"一组;{'长' * 41}", "plan.grid_name"),
    ("一\x07组", "plan.grid_name"),
    (";".join(f"{number}组" for number in range(201)), "plan.too_many"),
)


@pytest.mark.parametrize(("cell", "found"), GRIDS, ids=lambda each: str(each)[:20])
def test_a_village_may_name_its_grids(
    written: Written, tmp_path: Path, cell: str, found: tuple[str, ...] | str
) -> None:
    head, first, *others = VILLAGES.splitlines()
    villages = "\n".join([f"{head},grids", f"{first},{cell}", *others])
    path = written(PLAN, villages)
    if isinstance(found, str):
        assert mistakes(path) == [("villages.csv:2 grids", found)]
        return
    assert [village.grids for village in load_plan(path).villages] == [found, (), ()]
    assert load_plan(copy_plan(path, tmp_path / "kept")).villages[0].grids == found


def test_nothing_is_copied_of_a_plan_with_a_mistake(written: Written, tmp_path: Path) -> None:
    with pytest.raises(PlanRefused):
        copy_plan(written(PLAN.replace("trial", "Trial!", 1), VILLAGES), tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_the_time_zone_and_numbers_have_the_standard_as_default(trial: Plan) -> None:
    assert (trial.timezone, trial.language) == ("Asia/Shanghai", "zh-CN")
    assert trial.rules == Rules(withhold_to=9, round_to=5, median_from=8)


# Mistakes: each kind once, with its place and its key

EDITS: list[tuple[str, str, str, str]] = [
    # replaced in the plan, by what, where it is reported, as what
    ('slug = "trial"', 'slug = "Trial 1"', "slug", "plan.slug"),
    ('slug = "trial"', "", "slug", "plan.missing"),
    ('name = "试行"', 'name = " "', "name", "plan.not_text"),
    ('name = "试行"', "name = 5", "name", "plan.not_text"),
    ('name = "试行"', 'name = "试\\n行"', "name", "plan.not_text"),
    ("seasonal_outreach", "event_security", "purpose", "plan.purpose"),
    ("issued = 2025-02-20", 'issued = "2025年2月底"', "issued", "plan.day"),
    ("issued = 2025-02-20", "issued = 2025-02-20T08:00:00", "issued", "plan.day"),
    ("ends = 2025-12-31", 'ends = "年底"', "ends", "plan.day_or_words"),
    ("ends = 2025-12-31", "ends = 2025-12-31T08:00:00", "ends", "plan.day_or_words"),
    ("ends = 2025-12-31", "ends = 2025-01-31", "ends", "plan.ends_before_issue"),
    ("previous-workday", "nearest", "rest_day_rule", "plan.choice"),
    ('rest_day_rule = "', 'language = "fr"\nrest_day_rule = "', "language", "plan.choice"),
    ('rest_day_rule = "', 'timezone = "Mars"\nrest_day_rule = "', "timezone", "plan.time_zone"),
    ('rest_day_rule = "', 'timezone = "../x"\nrest_day_rule = "', "timezone", "plan.time_zone"),
    ('rest_day_rule = "', 'colour = "red"\nrest_day_rule = "', "colour", "plan.unknown_key"),
    ('"villages.csv"', '"../villages.csv"', "villages", "plan.villages_name"),
    ('"villages.csv"', '"other.csv"', "villages", "plan.villages_not_there"),
    ('villages = "villages.csv"', "", "villages", "plan.missing"),
    ('["before"]', '"before"', "earlier", "plan.not_list"),
    ('["before"]', '["trial"]', "earlier", "plan.earlier_itself"),
    ('["before"]', '["before", "before"]', "earlier", "plan.doubled"),
    ('["before"]', '["before", "Past"]', "earlier #2", "plan.slug"),
    ("990109101000", "990109101201", "health_centre code", "plan.centre_code"),
    ("[health_centre]", "[health_center]", "health_centre", "plan.missing"),
    ("[health_centre]", "[health_center]", "health_center", "plan.unknown_key"),
    ("health@health", "health at health", "recipients health #1", "plan.mail_address"),
    ("health@health", "health@health\\n", "recipients health #1", "plan.mail_address"),
    ('["health@health.example"]', "[]", "recipients health", "plan.not_list"),
    ("office@township", "HEALTH@health", "recipients office", "plan.office_is_health"),
    (
        '["office@township.example"]',
        '["a@b.example", "A@b.example"]',
        "recipients office",
        "plan.doubled",
    ),
    ("withhold_to = 9", "withhold_to = 6", "rules withhold_to", "plan.looser"),
    ("withhold_to = 9", "round_to = 0", "rules round_to", "plan.looser"),
    ("withhold_to = 9", "round_to = 7", "rules round_to", "plan.multiple_of"),
    ("withhold_to = 9", "round_to = 20", "rules round_to", "plan.rounds_to_zero"),
    ("withhold_to = 9", "median_from = 7", "rules median_from", "plan.looser"),
    ("withhold_to = 9", "rectification_days = 0", "rules rectification_days", "plan.at_least"),
    ("withhold_to = 9", "subsidy_days = 0", "rules subsidy_days", "plan.at_least"),
    (
        "withhold_to = 9",
        'care_group_roles = ["village_doctor", "village_doctor"]',
        "rules care_group_roles",
        "plan.role_twice",
    ),
    ("withhold_to = 9", "returns_kept_days = 31", "rules returns_kept_days", "plan.at_most"),
    ("withhold_to = 9", 'withhold_to = "9"', "rules withhold_to", "plan.whole_number"),
    ("withhold_to = 9", "withhold_to = true", "rules withhold_to", "plan.whole_number"),
    (
        "withhold_to = 9",
        "[rules.retention]\nunconfirmed_days = 31",
        "rules retention unconfirmed_days",
        "plan.at_most",
    ),
    (
        "withhold_to = 9",
        "[rules.retention]\nforever = true",
        "rules retention forever",
        "plan.unknown_key",
    ),
    ("[rules]\nwithhold_to = 9", '[[rules]]\nx = "y"', "rules", "plan.not_table"),
    *(
        ("withhold_to = 9", lines, f"rules {where}", key)
        for lines, where, key in (
            ("face_to_face_rating = 3", "face_to_face_rating", "plan.face_to_face"),
            ("face_to_face_a_year = 2", "face_to_face_rating", "plan.face_to_face"),
            (
                "face_to_face_rating = 6\nface_to_face_a_year = 2",
                "face_to_face_rating",
                "plan.at_most",
            ),
            (
                "face_to_face_rating = 3\nface_to_face_a_year = 0",
                "face_to_face_a_year",
                "plan.at_least",
            ),
        )
    ),
    *(
        ("[recipients]", f"clinicians = {listed}\n[recipients]", f"health_centre {where}", key)
        for listed, where, key in (
            ('["12345"]', "clinicians #1", "plan.licence"),
            ('["110990000000001", "王医生"]', "clinicians #2", "plan.licence"),
            ('"110990000000001"', "clinicians", "plan.not_list"),
            ('["11099000a", "11099000A"]', "clinicians", "plan.doubled"),
        )
    ),
    *(
        ("[targets]", f"[reminders]\n{line}\n[targets]", f"reminders {where}", key)
        for line, where, key in (
            ("before_days = [7, 0]", "before_days #2", "plan.at_least"),
            ("after_days = [61]", "after_days #1", "plan.at_most"),
            ("after_days = 3", "after_days", "plan.not_list"),
            ('before_days = ["7"]', "before_days #1", "plan.whole_number"),
            ("before_days = [1, 2, 3, 4, 5, 6]", "before_days", "plan.too_many"),
            ("before_days = [7, 1, 7]", "before_days", "plan.doubled"),
            ("after_days = [1, 1]", "after_days", "plan.doubled"),
            ("daily = true", "daily", "plan.unknown_key"),
        )
    ),
    ("coverage_percent = 90", "coverage_percent = 0", "targets coverage_percent", "plan.at_least"),
    ("coverage_percent = 90", "coverage_percent = 101", "targets coverage_percent", "plan.at_most"),
    ("coverage_percent = 90", "speed = 3", "targets speed", "plan.unknown_key"),
    ('phase = "sweep"', 'phase = "patrol"', "phases #1 phase", "plan.phase"),
    ('phase = "sweep"', 'phase = "retention"', "phases #1 phase", "plan.phase"),
    ('phase = "sweep"', 'phase = "supervision"', "phases #1", "plan.needs_months"),
    ('phase = "sweep"', 'phase = "aggregation"', "phases aggregation", "plan.comes_once"),
    ("round = 1\n", "", "phases sweep round", "plan.rounds"),
    ("round = 1\n", "round = 2\n", "phases sweep round", "plan.rounds"),
    ("round = 1\n", "round = 0\n", "phases #1 round", "plan.at_least"),
    ("opens = 2025-09-01\n", "", "phases #1 opens", "plan.missing"),
    ("opens = 2025-09-01", 'opens = "9月上旬"', "phases #1 opens", "plan.day"),
    ("opens = 2025-09-01", "opens = 2025-11-01", "phases #1 due", "plan.due_before_opening"),
    ('due = "10月底"', 'due = "10月初"', "phases #1 due", "plan.day_or_words"),
    ('due = "10月底"', "due = 31", "phases #1 due", "plan.day_or_words"),
    ('due = "10月底"', "", "phases #1 due", "plan.missing"),
    ('phase = "supervision"', 'phase = "aggregation"', "phases #2 phase", "plan.not_repeated"),
    ('phase = "supervision"', 'phase = "supervision"\npack = 1', "phases #2 pack", "plan.not_bool"),
    (
        'phase = "supervision"',
        'phase = "supervision"\nround = 1',
        "phases #2 round",
        "plan.set_by_period",
    ),
    (
        'phase = "supervision"',
        'phase = "supervision"\nopens = 2025-11-01',
        "phases #2 opens",
        "plan.set_by_period",
    ),
    ('first = "2025-11"', 'first = "2025-Q4"', "phases #2 first", "plan.month"),
    ('first = "2025-11"', "", "phases #2 first", "plan.month"),
    ('last = "2025-12"', 'last = "2025-10"', "phases #2 last", "plan.last_before_first"),
    ('"次月5日"', '"2025年12月5日"', "phases #2 due", "plan.due_monthly"),
    (
        'first = "2025-11"\nlast = "2025-12"',
        'pack = true\nfirst = "2025-11"\nlast = "2025-Q4"',
        "phases #2 first",
        "plan.quarter",
    ),
    (
        'first = "2025-11"\nlast = "2025-12"',
        'pack = true\nfirst = "2025-Q4"\nlast = "2025-Q4"',
        "phases #2 due",
        "plan.due_quarterly",
    ),
    ("[[clinic]]", "[clinic]", "clinic", "plan.not_entries"),
    ("capacity = 12", "capacity = 0", "clinic #1 capacity", "plan.at_least"),
]


@pytest.mark.parametrize(("old", "new", "where", "key"), EDITS)
def test_each_mistake_is_named_with_its_key(
    written: Written, old: str, new: str, where: str, key: str
) -> None:
    assert old in PLAN
    assert (where, key) in mistakes(written(PLAN.replace(old, new, 1), VILLAGES))


ADDED: list[tuple[str, str, str]] = [
    ("[[clinic]]\ndate = 2025-11-12\ncapacity = 3", "clinic date", "plan.doubled"),
    (
        '[[phases]]\nphase = "supervision"\nfirst = "2025-12"\nlast = "2026-01"\ndue = "次月9日"',
        "phases #3",
        "plan.doubled",
    ),
    (
        '[[phases]]\nphase = "readiness"\nopens = 2025-03-01\ndue = 2025-03-31\n' * 2,
        "phases readiness",
        "plan.comes_once",
    ),
]


@pytest.mark.parametrize(("added", "where", "key"), ADDED)
def test_what_stands_twice_is_named(written: Written, added: str, where: str, key: str) -> None:
    assert (where, key) in mistakes(written(PLAN + added, VILLAGES))


REQUEST = """
[[ad_hoc]]
purpose = "after_disaster"
asked_on = 2025-07-01
opens = 2025-07-03
due = 2025-07-10
villages = ["990109101201"]
reason = "洪水之后"
"""

REQUEST_EDITS: list[tuple[str, str, str, str]] = [
    ("after_disaster", "meeting_security", "ad_hoc #1 purpose", "plan.purpose"),
    ("asked_on = 2025-07-01", "asked_on = 2025-07-04", "ad_hoc #1 asked_on", "plan.asked_late"),
    ("due = 2025-07-10", "due = 2025-07-02", "ad_hoc #1 due", "plan.due_before_opening"),
    ("due = 2025-07-10", "due = 2025-09-01", "ad_hoc #1 due", "plan.window_long"),
    ("due = 2025-07-10", 'due = "7月上旬"', "ad_hoc #1 due", "plan.day"),
    ('["990109101201"]', "[]", "ad_hoc #1 villages", "plan.not_list"),
    ("990109101201", "990109101299", "ad_hoc #1 villages", "plan.village_not_in_plan"),
    (
        '["990109101201"]',
        '["990109101201", "990109101201"]',
        "ad_hoc #1 villages",
        "plan.doubled",
    ),
    ('reason = "洪水之后"', "", "ad_hoc #1 reason", "plan.missing"),
]


@pytest.mark.parametrize(("old", "new", "where", "key"), REQUEST_EDITS)
def test_each_mistake_in_a_request_is_named(
    written: Written, old: str, new: str, where: str, key: str
) -> None:
    assert old in REQUEST
    assert (where, key) in mistakes(written(PLAN + REQUEST.replace(old, new, 1), VILLAGES))


def test_a_requested_window_is_not_moved_and_its_round_is_out_of_the_way(written: Written) -> None:
    # 12 July 2025 is a Saturday; what is approved is what is run
    plan = load_plan(written(PLAN + REQUEST.replace("2025-07-10", "2025-07-12"), VILLAGES))
    asked = plan.occurrence("sweep", 101)
    assert (asked.due, asked.rule, asked.ad_hoc) == (date(2025, 7, 12), "none", True)
    assert occurrence_at(plan, "sweep", asked.due).round == 1


def test_the_numbers_of_ad_hoc_sweeps_are_not_a_plan_s_own(written: Written) -> None:
    rolling = """
[[phases]]
phase = "sweep"
first = "2025-01"
last = "2033-12"
due = "次月5日"
"""
    assert ("phases", "plan.too_many_rounds") in mistakes(written(PLAN + rolling, VILLAGES))


VILLAGE_EDITS: list[tuple[str, str, str, str]] = [
    ("990109101201,", "99010910120,", "villages.csv:2 code", "plan.village_code"),
    ("990109101201,", "9.9011E+11,", "villages.csv:2 code", "plan.village_code"),
    ("990109101201,", "990109102201,", "villages.csv:2 code", "plan.village_elsewhere"),
    ("990109101201,", "990109101000,", "villages.csv:2 code", "plan.village_elsewhere"),
    ("990109101202,", "990109101201,", "villages.csv code", "plan.doubled"),
    ("一村,100", "一村,", "villages.csv:2 households", "plan.missing"),
    ("一村,100", "一村,0", "villages.csv:2 households", "plan.at_least"),
    ("一村,100", "一村,many", "villages.csv:2 households", "plan.whole_number"),
    pytest.param(
        "一村,100", f"一村,{'9' * 5000}", "villages.csv:2 households", "plan.wrong_value", id="huge"
    ),  # type: ignore[list-item]
    ("2025-11-15", "soon", "villages.csv:3 opened", "plan.day"),
    ("2025-11-15,", "2025-11-15,2025-11-15", "villages.csv:3 closed", "plan.closed_before_opened"),
    ("one@villages.example", "one", "villages.csv:2 email", "plan.mail_address"),
    ("one@villages.example", "one@villages.example,x", "villages.csv:2", "plan.villages_cells"),
    (",email", ",telegram", "villages.csv", "plan.villages_column"),
    (",email", ",registered_people", "villages.csv", "plan.villages_people"),
    (",email", ",在册人数", "villages.csv", "plan.villages_people"),
    (",email", ",opened", "villages.csv", "plan.doubled"),
    ("code,name,households", "code,name,email", "villages.csv", "plan.villages_column_missing"),
    (VILLAGES.split("\n", 1)[1], "", "villages.csv", "plan.villages_empty"),
    (VILLAGES, "", "villages.csv", "plan.villages_column_missing"),
]


@pytest.mark.parametrize(("old", "new", "where", "key"), VILLAGE_EDITS)
def test_each_mistake_in_the_villages_is_named_with_its_line(
    written: Written, old: str, new: str, where: str, key: str
) -> None:
    assert old in VILLAGES
    assert (where, key) in mistakes(written(PLAN, VILLAGES.replace(old, new, 1)))


def test_villages_that_are_not_utf8_are_said_to_be_so(written: Written, tmp_path: Path) -> None:
    path = written(PLAN, VILLAGES)
    (tmp_path / "villages.csv").write_bytes(VILLAGES.encode("gb18030"))
    assert mistakes(path) == [("villages", "plan.villages_not_utf8")]


@pytest.mark.parametrize(
    "people_target",
    [
        "[targets]\nreferrals = 40",
        "[targets]\nregistrations_per_1000 = 2",
        '[targets]\n"转介人数" = 40',
        "[targets.villages]\ndiagnoses = 3",
        '[[targets]]\nname = "referrals"\nvalue = 40',
        "[quota]\nper_1000 = 2",
        "[goals]\nconfirmed = 5",
        "[rewards]\nper_name = 100",
        "[ranking]\nvillages = true",
        'bonus = "一名一奖"\n[targets]',
    ],
)
def test_no_target_prize_or_ranking_on_people_whatever_its_shape(
    written: Written, people_target: str
) -> None:
    plan = PLAN.replace("[targets]\ncoverage_percent = 90\n", "")
    if people_target.startswith("bonus"):
        plan = people_target.removesuffix("[targets]") + plan
    else:
        plan += people_target
    ((_, key),) = mistakes(written(plan, VILLAGES))
    assert key == "plan.people_target"


@pytest.mark.parametrize("where", ["phases", "clinic"])
def test_no_quota_hides_in_another_section(written: Written, where: str) -> None:
    plan = re.sub(rf"(\[\[{where}\]\]\n)", r"\1min_referrals = 5\n", PLAN, count=1)
    assert mistakes(written(plan, VILLAGES)) == [
        (f"{where} #1 min_referrals", "plan.people_target")
    ]


def test_only_the_five_purposes_are_known(written: Written) -> None:
    for purpose in PURPOSES:
        assert load_plan(written(PLAN.replace("seasonal_outreach", purpose), VILLAGES))
    with pytest.raises(PlanRefused) as refused:
        load_plan(written(PLAN.replace("seasonal_outreach", "stability_maintenance"), VILLAGES))
    assert "not a purpose" in refused.value.text("en")
    assert "安保不是" in refused.value.text("zh-CN")


def test_all_mistakes_of_both_files_are_reported_together(written: Written) -> None:
    plan = (
        PLAN.replace('slug = "trial"', 'slug = "T"')
        .replace("issued = 2025-02-20", 'issued = "some day"')
        .replace("withhold_to = 9", "withhold_to = 1")
        .replace("coverage_percent = 90", "referrals = 90")
        .replace("opens = 2025-09-01", "opens = 2026-09-01")
        .replace('due = "10月底"', 'due = "2025年10月底"')
        .replace("capacity = 12", "capacity = -1")
    )
    villages = VILLAGES.replace("990109101202", "12").replace("一村,100", "一村,-1")
    assert mistakes(written(plan, villages)) == [
        ("slug", "plan.slug"),
        ("issued", "plan.day"),
        ("villages.csv:2 households", "plan.at_least"),
        ("villages.csv:3 code", "plan.village_code"),
        ("rules withhold_to", "plan.looser"),
        ("targets referrals", "plan.people_target"),
        ("clinic #1 capacity", "plan.at_least"),
        ("phases #1 due", "plan.due_before_opening"),
    ]


def test_a_mistaken_day_of_issue_is_not_blamed_on_words_without_a_year(written: Written) -> None:
    plan = PLAN.replace("issued = 2025-02-20", 'issued = "some day"')
    assert mistakes(written(plan, VILLAGES)) == [("issued", "plan.day")]


KEY_LINES = [number for number, line in enumerate((PLAN + REQUEST).splitlines()) if " = " in line]
ODD_VALUES = ("nan", "-1", "true", '""', "0001-01-01", "9999-12-31", "12:30:00", "[]", "[[1], {}]")


def said(path: Path) -> str:
    """What a user reads of a plan: its mistakes, or nothing."""
    try:
        load_plan(path)
    except WrongCommand as refused:
        return refused.text("zh-CN") and refused.text("en")
    return ""


@pytest.mark.parametrize("number", KEY_LINES)
def test_an_odd_value_is_a_mistake_of_its_key_never_a_traceback(
    written: Written, number: int
) -> None:
    lines = (PLAN + REQUEST).splitlines()
    key = lines[number].partition(" = ")[0]
    told = []
    for value in ODD_VALUES:
        lines[number] = f"{key} = {value}"
        told.append(said(written("\n".join(lines), VILLAGES)))
    assert key in told[0]  # no key takes nan
    assert sum(bool(each) for each in told) > len(ODD_VALUES) / 2


def test_a_plan_has_something_to_run(written: Written) -> None:
    plan = PLAN[: PLAN.index("[[phases]]")]
    assert mistakes(written(plan, VILLAGES)) == [("phases", "plan.nothing_to_do")]


def test_a_due_day_after_the_end_is_a_warning(written: Written) -> None:
    plan = load_plan(written(PLAN.replace("ends = 2025-12-31", 'ends = "10月中旬"'), VILLAGES))
    # the look back on December comes after the end in any plan
    assert [(each.where, each.key) for each in plan.warnings] == [
        ("sweep 1", "plan.warn_due_after_end")
    ]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (PLAN.encode("gb18030"), "plan.not_utf8"),
        (b'slug = "a"\nname = \n', "plan.not_toml"),
        (b'slug = "a', "plan.toml_cut_off"),
        (None, "plan.no_file"),
    ],
)
def test_a_file_that_is_no_plan_is_one_mistake(
    tmp_path: Path, content: bytes | None, key: str
) -> None:
    path = tmp_path / "plan.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WrongCommand) as refused:
        load_plan(path)
    assert refused.value.key == key
    assert all(refused.value.text(language) for language in LANGUAGES)


def test_every_kind_of_mistake_has_a_test_above() -> None:
    used = {
        key
        for path in (ROOT / "tasks" / "plan").glob("*.py")
        for key in re.findall(r'"(plan\.[a-z_0-9]+)"', path.read_text(encoding="utf-8"))
        if key != "plan.toml"
    }
    assert used <= set(keys("plan."))
    tested = set(re.findall(r'"(plan\.[a-z_0-9]+)"', Path(__file__).read_text(encoding="utf-8")))
    assert used <= tested


def _with_rule(slug: str, rule: str, folder: Path) -> Path:
    """A copy of a plan under another rest-day rule."""
    copy = copy_plan(CAMPAIGNS / f"{slug}.toml", folder)
    text = copy.read_text(encoding="utf-8")
    changed = re.sub(r'(?m)^rest_day_rule = ".*"$', f'rest_day_rule = "{rule}"', text)
    copy.write_text(changed, encoding="utf-8")
    return copy
