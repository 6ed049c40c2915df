"""The synthetic generator: what it sends is what truth.json says, file by file and row by row."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from data.synthetic.campaign import Campaign
from data.synthetic.chance import chance
from data.synthetic.generate import generate
from data.synthetic.messes import MISTAKES, Deal
from data.synthetic.outcomes import write_outcomes
from data.synthetic.population import Population, Registered, draw_population, resident_id, settle
from data.synthetic.referrals import Entry
from data.synthetic.submissions import STYLES, Draft, Post, Row, Sender, Values
from data.synthetic.sweeps import REFUSALS
from data.synthetic.truth import Judge
from data.synthetic.visits import Listed, Visit, dues, next_due
from tasks.plan import Plan, load_plan
from tasks.reading import read_submission
from tasks.rules import visits as national
from tasks.rules.contract import REPORTING_STATES, SHEETS, VERDICTS
from tasks.rules.errors import FileRefused, WrongCommand

PLANS = Path(__file__).parents[1] / "data" / "campaigns"
AUTUMN = PLANS / "autumn-2025.toml"
SPRING_2024 = PLANS / "spring-2024.toml"

BY_CONTENT = ("refused.other_campaign", "refused.unknown_village")
"""Refusals that need the plan to be seen; the rest are seen in the file itself."""


def truth_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def autumn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plan A as the demo runs it."""
    out = tmp_path_factory.mktemp("autumn")
    return generate(AUTUMN, out, villages=15, residents=30_000).parent


@pytest.fixture(scope="module")
def spring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plan B in the size of its own villages: readiness and two rounds."""
    return generate(SPRING_2024, tmp_path_factory.mktemp("spring")).parent


@pytest.fixture(params=["autumn", "spring"])
def out(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture
def truth(out: Path) -> dict[str, Any]:
    return truth_of(out / "truth.json")


def play(plan_file: Path, villages: int, residents: int, seed: int = 1) -> tuple[Campaign, Judge]:
    """Return a campaign with everything sent and judged, and nothing written."""
    plan = load_plan(plan_file)
    chosen, size = settle(seed, plan.health_centre, plan.villages, villages, residents)
    plan = plan.model_copy(update={"villages": chosen})
    campaign = Campaign(plan, draw_population(seed, plan.health_centre, chosen, size), seed)
    campaign.send_all()
    judge = Judge()
    for draft in campaign.post.in_order():
        judge.take(draft, "", None)
    return campaign, judge


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def small(folder: Path, seed: int = 1) -> dict[str, bytes]:
    generate(AUTUMN, folder, seed=seed, villages=6, residents=1200)
    return files_of(folder)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    assert small(tmp_path / "one") == small(tmp_path / "two")


def test_another_seed_gives_another_campaign(tmp_path: Path) -> None:
    one, other = small(tmp_path / "one"), small(tmp_path / "two", seed=2)
    assert one["truth.json"] != other["truth.json"]


def test_two_campaigns_of_a_township_are_about_the_same_people() -> None:
    spring, _ = play(PLANS / "spring-2025.toml", 15, 3000)
    autumn, _ = play(AUTUMN, 15, 3000)
    assert spring.plan.villages == autumn.plan.villages
    assert spring.population.people == autumn.population.people
    assert spring.population.registered == autumn.population.registered
    referred = [{entry.subject for entry in campaign.cast.entries} for campaign in (spring, autumn)]
    assert referred[0] != referred[1]


def test_every_rule_of_the_contract_has_a_mistake() -> None:
    rules = {name: {rule.name for rule in sheet.rules} for name, sheet in SHEETS.items()}
    assert {name: set(mistakes) for name, mistakes in MISTAKES.items()} == rules


def test_every_rule_of_a_sent_sheet_is_broken_somewhere(autumn: Path, spring: Path) -> None:
    broken: dict[str, set[str]] = {name: set() for name in SHEETS if name != "assessment_outcome"}
    for folder in (autumn, spring):
        for delivery in truth_of(folder / "truth.json")["deliveries"]:
            for row in delivery["returned"]:
                broken[row["sheet"]].update(row["rules"])
    assert broken == {name: {rule.name for rule in SHEETS[name].rules} for name in broken}


def test_every_verdict_and_every_refusal_occurs(autumn: Path) -> None:
    deliveries = truth_of(autumn / "truth.json")["deliveries"]
    seen: Counter[tuple[str, str]] = Counter()
    for delivery in deliveries:
        for sheet, counts in delivery["sheets"].items():
            seen.update({(sheet, name): counts[name] for name in VERDICTS})
    assert all(seen["referral", verdict] for verdict in VERDICTS)
    assert seen["coverage", "duplicate"]
    assert {delivery["refused"] for delivery in deliveries} == {None, *REFUSALS}
    assert any(delivery["repeats"] for delivery in deliveries)


def test_the_verdicts_of_every_file_add_up(truth: dict[str, Any]) -> None:
    for delivery in truth["deliveries"]:
        for sheet, counts in delivery["sheets"].items():
            assert counts["read"] == sum(counts[verdict] for verdict in VERDICTS)
            named = [row for row in delivery["returned"] if row["sheet"] == sheet]
            assert counts["returned"] == len(named)
            assert all(len(row["rules"]) == 1 for row in named)


def test_the_files_hold_the_rows_that_the_truth_counts(out: Path, truth: dict[str, Any]) -> None:
    for delivery in truth["deliveries"]:
        path = out / delivery["file"]
        if delivery["refused"] and delivery["refused"] not in BY_CONTENT:
            with pytest.raises(FileRefused) as refusal:
                read_submission(path)
            assert refusal.value.key == delivery["refused"]
            continue
        submission = read_submission(path)
        assert submission.identity.village == delivery["village"]
        assert submission.identity.campaign == delivery["campaign"]
        if delivery["refused"]:
            continue
        assert (submission.identity.phase, submission.identity.round) == (
            delivery["phase"],
            delivery["round"],
        )
        rows = {read.sheet.name: dict(read.rows) for read in submission.sheets}
        assert {name: len(read) for name, read in rows.items()} == {
            name: counts["read"] for name, counts in delivery["sheets"].items()
        }
        assert all(row["row"] in rows[row["sheet"]] for row in delivery["returned"])


def test_a_repeated_file_is_the_earlier_one_byte_for_byte(out: Path, truth: dict[str, Any]) -> None:
    seen: dict[bytes, str] = {}
    for delivery in truth["deliveries"]:
        content = (out / delivery["file"]).read_bytes()
        assert seen.get(content) == delivery["repeats"]
        seen.setdefault(content, delivery["file"])


def test_the_folders_are_the_order_of_arrival(out: Path, truth: dict[str, Any]) -> None:
    files = [delivery["file"] for delivery in truth["deliveries"]]
    on_disk = sorted(path.relative_to(out).as_posix() for path in out.glob("inbox/*/*"))
    assert files == on_disk
    for delivery in truth["deliveries"]:
        moment = datetime.fromisoformat(delivery["received_at"])
        assert delivery["file"].split("/")[1] == f"{moment:%Y-%m-%dT%H%M}"


def test_every_village_has_one_state_and_every_state_has_its_village(autumn: Path) -> None:
    plan = load_plan(autumn / "plan.toml")
    stages = {
        (each["phase"], each["round"], each["stage"]): each["villages"]
        for each in truth_of(autumn / "truth.json")["reporting"]
    }
    for villages in stages.values():
        assert set(villages) == {village.code for village in plan.villages}
        assert {each["state"] for each in villages.values()} <= set(REPORTING_STATES)
    states = {
        key: Counter(each["state"] for each in villages.values())
        for key, villages in stages.items()
    }
    assert states["sweep", 1, "due"] == {"on_time": 12, "missing": 2, "returned": 1}
    assert states["sweep", 1, "end"] == {"on_time": 12, "late": 2, "missing": 1}
    assert sum(each["nil"] for each in stages["sweep", 1, "end"].values()) == 2
    for month in (1, 2):
        assert {"missing", "returned", "late"} <= set(states["supervision", month, "end"])


def test_who_missed_the_first_round_reports_in_the_second(spring: Path) -> None:
    stages = {
        (each["round"], each["stage"]): each["villages"]
        for each in truth_of(spring / "truth.json")["reporting"]
        if each["phase"] == "sweep"
    }
    (missing,) = (code for code, each in stages[1, "end"].items() if each["state"] == "missing")
    assert stages[2, "end"][missing]["state"] in ("on_time", "late")


def test_persons_share_out_the_current_referrals(truth: dict[str, Any], out: Path) -> None:
    codes = {village.code for village in load_plan(out / "plan.toml").villages}
    sources = [source for person in truth["persons"] for source in person["sources"]]
    assert sorted(sources) == truth["referrals"]
    assert any(len(person["sources"]) > 1 for person in truth["persons"])
    assert {person["responsible_village"] for person in truth["persons"]} <= codes
    known = [each["register_no"] for each in truth["persons"] if each["register_no"]]
    assert known
    assert set(known) <= set(truth["registered"])
    assert len(known) == len(set(known))


def test_only_who_is_new_and_can_come_is_given_an_outcome(autumn: Path) -> None:
    persons = truth_of(autumn / "truth.json")["persons"]
    for person in persons:
        if person["register_no"] or person["care_setting"] in ("hospital", "not_reachable"):
            assert person["outcomes"] == []
        for outcome in person["outcomes"]:
            assert (outcome["diagnosis"] is not None) == (outcome["outcome"] == "confirmed")
    found = {each["outcome"] for person in persons for each in person["outcomes"]}
    assert found == {"confirmed", "not_confirmed", "declined", "no_show", "reassess"}


def test_the_truth_and_the_file_names_hold_nobodys_data(autumn: Path) -> None:
    plan = load_plan(autumn / "plan.toml")
    population = draw_population(1, plan.health_centre, plan.villages, 30_000)
    names = [path.relative_to(autumn).as_posix() for path in autumn.rglob("*")]
    told = (autumn / "truth.json").read_text(encoding="utf-8") + "\n".join(names)
    for entry in population.registered:
        assert entry.person.resident_id not in told
        assert entry.person.phone not in told


def linked(one: Values, other: Values) -> str | None:
    """Name the linking rule that speaks of two rows: DOMAIN.md's rules, written once more."""

    def agree(name: str) -> bool:
        return one.get(name) is not None and one.get(name) == other.get(name)

    numbers = (one["resident_id"], other["resident_id"])
    two_numbers = None not in numbers and numbers[0] != numbers[1]
    name, birth, sex, phone = map(agree, ("full_name", "birth_date", "sex", "phone"))
    if agree("resident_id"):
        return "resident_key"
    if two_numbers:
        return "ids_differ" if name and birth and phone else None
    if name and birth and phone:
        return "name_birth_phone"
    if name and birth and sex:
        village = agree("residence_village")
        return "name_birth_village" if village else "name_birth_elsewhere"
    if phone and birth and sex:
        return "phone_birth_other_name"
    return "name_phone_other_birth" if name and phone else None


def register_values(entry: Registered) -> Values:
    person = entry.person
    return {
        "full_name": person.full_name,
        "birth_date": person.birth_date,
        "sex": person.sex,
        "residence_village": person.residence,
        "resident_id": entry.resident_id,
        "phone": entry.phone,
    }


CERTAIN = ("resident_key", "name_birth_phone", "name_birth_village")
RECORDS = tuple[dict[object, Values], dict[object, str]]


def records_of(campaign: Campaign, judge: Judge) -> RECORDS:
    """Return record -> values, and record -> the human being it is about."""
    values: dict[object, Values] = {}
    subject: dict[object, str] = {}
    for each in judge.current("referral"):
        entry = each.row.about
        assert isinstance(entry, Entry)
        values[entry], subject[entry] = each.row.values, entry.subject
    for listed in campaign.listed:
        values[listed.entry] = register_values(listed.entry)
        subject[listed.entry] = f"R{listed.entry.register_no}"
    return values, subject


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("plan_file", [AUTUMN, SPRING_2024])
def test_the_doubts_are_those_the_linking_rules_find(plan_file: Path, seed: int) -> None:
    campaign, judge = play(plan_file, 15, 12_000, seed)
    values, subject = records_of(campaign, judge)
    rules = {
        frozenset((one, other)): rule
        for one, other in combinations(values, 2)
        if not (isinstance(one, Registered) and isinstance(other, Registered))
        and (rule := linked(values[one], values[other]))
    }
    of_one_name = {
        frozenset((doubt.a, doubt.b))
        for doubt in campaign.cast.doubts
        if doubt.rule == "ids_differ"
    }
    found = {
        # who is between two numbers is joined to neither: all of that person's links are questions
        pair: "ids_differ" if pair in of_one_name else rule
        for pair, rule in rules.items()
        if rule not in CERTAIN or pair in of_one_name
    }
    meant = {
        frozenset((doubt.a, doubt.b)): doubt.rule
        for doubt in campaign.cast.doubts
        if doubt.a in values and doubt.b in values
    }
    assert found == meant
    answers = {frozenset((doubt.a, doubt.b)): doubt.same for doubt in campaign.cast.doubts}
    for pair in rules:
        one, other = pair
        assert answers.get(pair, True) == (subject[one] == subject[other])


def test_people_of_one_subject_are_joined_by_links_and_answers() -> None:
    campaign, judge = play(AUTUMN, 15, 12_000)
    values, subject = records_of(campaign, judge)
    joined = {record: record for record in values}

    def root(record: object) -> object:
        while joined[record] is not record:
            record = joined[record]
        return record

    doubted = {frozenset((each.a, each.b)): each.same for each in campaign.cast.doubts}
    for one, other in combinations(values, 2):
        rule = linked(values[one], values[other])
        if rule and doubted.get(frozenset((one, other)), rule in CERTAIN):
            joined[root(one)] = root(other)
    parts: dict[object, set[str]] = {}
    for record in values:
        parts.setdefault(root(record), set()).add(subject[record])
    assert all(len(subjects) == 1 for subjects in parts.values())
    assert len(parts) == len(set(subject.values()))


def test_the_villages_write_in_every_style() -> None:
    campaign, _ = play(AUTUMN, 15, 3000)
    assert {sender.style for sender in campaign.senders.values()} == set(STYLES)


def test_csv_comes_in_three_encodings(autumn: Path) -> None:
    kinds = set()
    for path in autumn.glob("inbox/*/*.csv"):
        content = path.read_bytes()
        if content.startswith(b"\xef\xbb\xbf"):
            kinds.add("with mark")
        else:
            try:
                content.decode("utf-8")
                kinds.add("without mark")
            except UnicodeDecodeError:
                content.decode("gb18030")
                kinds.add("gb18030")
    assert kinds == {"with mark", "without mark", "gb18030"}


@pytest.fixture(scope="module")
def township() -> Population:
    plan = load_plan(AUTUMN)
    chosen, size = settle(4, plan.health_centre, plan.villages, 10, 8000)
    return draw_population(4, plan.health_centre, chosen, size)


def test_the_population_has_the_size_that_was_asked_for(township: Population) -> None:
    assert len(township.people) == 8000
    assert len(township.settlements) == 10
    assert len(township.registered) == round(8000 * 0.0043)


def test_nobody_shares_a_number_a_phone_or_name_and_birth_date(township: Population) -> None:
    people = township.people
    for mark in (
        {each.resident_id for each in people},
        {each.phone for each in people},
        {(each.full_name, each.birth_date) for each in people},
    ):
        assert len(mark) == len(people)


def test_numbers_are_invented_and_hold(township: Population) -> None:
    for person in township.people[:500]:
        number = person.resident_id
        assert number.startswith("99")
        assert ric.calc_check_digit(number) == number[-1]
        assert number[6:14] == f"{person.birth_date:%Y%m%d}"
        assert (int(number[16]) % 2 == 1) == (person.sex == "male")
        # fifteen digits and three noughts is what a spreadsheet leaves of a number
        assert not number.endswith("000")
        assert person.residence.startswith("99")
        assert township.responsible(person.residence, person.registered) is not None


def test_some_live_in_another_village_than_they_are_registered(township: Population) -> None:
    moved = [
        each
        for each in township.people
        if each.residence != each.registered and {each.residence, each.registered} <= township.codes
    ]
    away = [each for each in township.people if each.residence not in township.codes]
    assert len(moved) > 400
    assert len(away) > 100


def test_resident_id_is_the_standards_example() -> None:
    # the example of GB 11643-1999, annex A
    assert resident_id("110105", date(1949, 12, 31), "female", 1) == "11010519491231002X"


days = st.dates(date(2015, 1, 1), date(2030, 12, 31))
stabilities = st.sampled_from([None, "stable", "basically_stable", "unstable"])


@given(days, stabilities, stabilities)
def test_next_due_agrees_with_the_rule(day: date, now: str | None, before: str | None) -> None:
    assert next_due(day, now, before) == national.next_due(day, now, before)


def test_dues_follow_from_the_visits_that_count(township: Population) -> None:
    entry = township.registered[0]
    listed = Listed(entry, date(2025, 9, 1), date(2025, 12, 1))

    def visit(on: date, stability: str, *, counts: bool = True) -> Visit:
        return Visit(listed, on, on, counts, {}, stability)

    early = visit(date(2025, 11, 28), "basically_stable")
    nobody = visit(date(2025, 12, 10), "", counts=False)
    late = visit(date(2025, 12, 14), "basically_stable")
    found = [(due.due_on, due.visit) for due in dues(listed, [late, nobody, early])]
    assert found == [
        (date(2025, 12, 1), early),
        (date(2025, 12, 12), late),
        (date(2026, 1, 14), None),
    ]


def test_a_visit_is_known_only_once_it_was_received(autumn: Path) -> None:
    truth = truth_of(autumn / "truth.json")
    for month in truth["supervision"]:
        for visit in month["visits"]:
            if visit["entered_on"]:
                assert visit["visited_on"] <= visit["entered_on"] < month["as_of"]
        villages = month["villages"].values()
        in_month = [
            visit for visit in month["visits"] if visit["due_on"].startswith(month["period"])
        ]
        assert sum(each["visits_due"] for each in villages) == len(in_month)
        assert sum(each["visits_done"] for each in villages) > 0
        assert sum(each["visits_late"] for each in villages) > 0
        assert sum(each["visits_overdue"] for each in villages) > 0


def test_work_done_in_time_and_entered_late_is_done(autumn: Path) -> None:
    months = truth_of(autumn / "truth.json")["supervision"]
    late_entries = [
        visit
        for month in months
        for visit in month["visits"]
        if visit["state"] == "done" and visit["entered_on"] > visit["due_on"]
    ]
    assert late_entries


def test_the_shortfalls_are_in_order_of_weight(autumn: Path) -> None:
    found = set()
    for month in truth_of(autumn / "truth.json")["supervision"]:
        for village in month["villages"].values():
            shortfalls = village["shortfalls"]
            found.update(shortfalls)
            unreported = village["reporting"] in ("missing", "returned")
            assert (village["service"] is None) == unreported
            assert ("report_missing" in shortfalls) == unreported
            assert ("visits_overdue" in shortfalls) == (village["visits_overdue"] > 0)
            if "report_missing" in shortfalls:
                assert shortfalls[0] == "report_missing"
    assert found == {
        "report_missing",
        "visits_overdue",
        "status_not_updated",
        "care_group_not_met",
        "subsidy_unpaid",
    }


def outcomes(count: int) -> Iterator[dict[str, object]]:
    results = ("confirmed", "not_confirmed", "declined", "no_show", "reassess")
    for at in range(count):
        yield {
            "referral_ref": f"R-{at:012d}",
            "assessed_on": date(2025, 11, 12) + timedelta(days=at),
            "outcome": results[at % len(results)],
            "diagnosis": "bipolar",
            "management_consent": at % 2 == 0,
            "second_opinion_requested": False,
        }


def test_outcomes_are_a_file_of_the_health_centre(tmp_path: Path) -> None:
    plan = load_plan(AUTUMN)
    rules = [rule.name for rule in SHEETS["assessment_outcome"].rules]
    returned = write_outcomes(tmp_path / "o.xlsx", plan, outcomes(10), wrong=rules)
    submission = read_submission(tmp_path / "o.xlsx")
    assert submission.identity.phase == "diagnosis_queue"
    assert submission.identity.village == plan.health_centre.code
    (read,) = submission.sheets
    assert len(read.rows) == 10 + len(rules)
    assert [row["rules"] for row in returned] == [[rule] for rule in rules]
    assert [row["row"] for row in returned] == [number for number, _ in read.rows[10:]]
    columns = [column.name for column in read.sheet.columns]
    first = dict(zip(columns, read.rows[0][1], strict=True))
    assert first["assessed_on"] == "2025-11-12"
    second = dict(zip(columns, read.rows[1][1], strict=True))
    assert (second["diagnosis"], second["management_consent"]) == ("", "")


def test_outcomes_need_a_date(tmp_path: Path) -> None:
    rows = [{**row, "assessed_on": "2025-11-12"} for row in outcomes(1)]
    with pytest.raises(TypeError):
        write_outcomes(tmp_path / "o.xlsx", load_plan(AUTUMN), rows)


@pytest.mark.parametrize(("villages", "residents"), [(1, 60), (2, 150), (3, 240), (4, 300)])
@pytest.mark.parametrize("plan_file", [AUTUMN, SPRING_2024])
def test_a_tiny_township_works(
    tmp_path: Path, plan_file: Path, villages: int, residents: int
) -> None:
    truth = truth_of(generate(plan_file, tmp_path, villages=villages, residents=residents))
    assert truth["residents"] == residents
    sources = [source for person in truth["persons"] for source in person["sources"]]
    assert sorted(sources) == truth["referrals"]


def test_an_ad_hoc_sweep_is_not_answered_from_the_plan_alone(tmp_path: Path) -> None:
    truth = truth_of(generate(PLANS / "duties-2023.toml", tmp_path))
    assert truth["deliveries"] == []
    assert truth["reporting"] == []


def test_villages_that_an_ad_hoc_sweep_names_are_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(WrongCommand) as refusal:
        generate(PLANS / "duties-2023.toml", tmp_path, villages=4)
    assert refusal.value.key == "error.synth_ad_hoc"
    assert list(tmp_path.iterdir()) == []


def test_without_sizes_the_villages_are_the_plans_own(spring: Path) -> None:
    assert load_plan(spring / "plan.toml") == load_plan(SPRING_2024)


def test_residents_alone_resize_the_plans_villages(tmp_path: Path) -> None:
    generate(AUTUMN, tmp_path, residents=1000)
    mine, theirs = load_plan(tmp_path / "plan.toml"), load_plan(AUTUMN)
    assert [each.code for each in mine.villages] == [each.code for each in theirs.villages]
    assert sum(each.households for each in mine.villages) == pytest.approx(1000 / 2.62, abs=6)


def test_coverage_speaks_of_the_villages_households(autumn: Path) -> None:
    plan = load_plan(autumn / "plan.toml")
    truth = truth_of(autumn / "truth.json")
    whole = 0
    for row in truth["coverage"]:
        households = plan.village(row["village"]).households
        assert row["visited"] + row["declined"] <= row["households"] <= households
        whole += row["households"] == households
    # a village that never corrects a grid lacks it
    assert 0 < whole < len(truth["coverage"])


def test_an_inbox_is_not_mixed_with_another(tmp_path: Path) -> None:
    small(tmp_path)
    with pytest.raises(WrongCommand) as refusal:
        small(tmp_path)
    assert refusal.value.key == "error.synth_out"


@pytest.mark.parametrize(
    ("villages", "residents", "key"),
    [
        (0, None, "error.synth_villages"),
        (901, None, "error.synth_villages"),
        (10, 599, "error.synth_residents"),
    ],
)
def test_impossible_sizes_are_refused_before_anything_is_written(
    tmp_path: Path, villages: int, residents: int | None, key: str
) -> None:
    with pytest.raises(WrongCommand) as refusal:
        generate(AUTUMN, tmp_path, villages=villages, residents=residents)
    assert refusal.value.key == key
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told(tmp_path: Path) -> None:
    lines: list[str] = []
    generate(AUTUMN, tmp_path, villages=2, residents=200, progress=lines.append)
    assert len(lines) == 3


def test_a_deal_breaks_each_rule_before_any_twice() -> None:
    deal = Deal("coverage", chance("deal"))
    rules = {rule.name for rule in SHEETS["coverage"].rules}
    dealt = [next(deal) for _ in range(2 * len(rules))]
    assert set(dealt[: len(rules)]) == rules
    assert Counter(dealt) == dict.fromkeys(rules, 2)


def judged(rows: list[list[Row]]) -> list[dict[str, int]]:
    """Return the verdicts on files of one village's readiness sheet, sent one after the other."""
    post, judge = Post("autumn-2025"), Judge()
    sender = Sender("990101101201", "柳溪村", STYLES[0])
    for at, sheet in enumerate(rows):
        moment = datetime.combine(date(2025, 9, 1 + at), datetime.min.time())
        post.send(sender, "readiness", 0, moment, {"readiness": sheet})
    for draft in post.in_order():
        judge.take(draft, "", None)
    return [
        {name: count for name, count in delivery["sheets"]["readiness"].items() if count}
        for _, delivery in judge.deliveries
    ]


def row(number: int = 1, **known: Any) -> Row:
    return Row({"trained_people": number}, "key", "who", **known)


def test_the_verdicts_come_in_their_order() -> None:
    assert judged(
        [
            [row(consent=False, fails=("drill_date_valid",)), row(fails=("drill_date_valid",))],
            [row(), row()],
            [row(), row(2)],
            [row(2)],
            [row(2)],
        ]
    ) == [
        {"read": 2, "no_consent": 1, "returned": 1},
        {"read": 2, "accepted": 1, "duplicate": 1},
        {"read": 2, "unchanged": 1, "duplicate": 1},
        {"read": 1, "accepted": 1},
        {"read": 1, "unchanged": 1},
    ]


def test_no_two_files_arrive_in_one_minute() -> None:
    campaign, _ = play(AUTUMN, 15, 3000)
    drafts: list[Draft] = campaign.post.in_order()
    assert len({draft.received_at for draft in drafts}) == len(drafts)


def test_villages_csv_has_the_generated_villages(autumn: Path) -> None:
    plan: Plan = load_plan(autumn / "plan.toml")
    with (autumn / plan.villages_file).open(encoding="utf-8-sig", newline="") as stream:
        codes = [line["code"] for line in csv.DictReader(stream)]
    assert codes == [f"{plan.health_centre.township}{number:03d}" for number in range(1, 16)]
