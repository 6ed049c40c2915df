"""The demonstration, end to end as a user runs it: the truth, row for row, and nobody's name."""

import copy
import email
import email.policy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.synthetic.comparison import campaign_differences
from tasks.at_home import open_campaign
from tasks.home import Home

SLUG = "autumn-2025"
MINUTES = 8


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, str]]:
    """The home a demonstration left behind, and what it said."""
    root = tmp_path_factory.mktemp("demo") / "home"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CAMPAIGN", "PREFECT"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--home", str(root)],
        env=environment,
        cwd=root.parent,
        capture_output=True,
        text=True,
        timeout=60 * MINUTES,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMPAIGN_HOME", str(root))
        yield Home(root), done.stdout + done.stderr


def truth_of(home: Home) -> dict[str, Any]:
    path = home.root / "synthetic" / SLUG / "truth.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def report(home: Home, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home.reports(SLUG) / f"{name}.json").read_text("utf-8"))
    return found


def figures(home: Home, name: str) -> dict[tuple[str, str | None], tuple[float | None, str]]:
    return {
        (each["name"], each["village"]): (each["value"], each["state"])
        for each in report(home, name)["figures"]
    }


def as_released(count: int) -> tuple[float | None, str]:
    """The rule of DOMAIN.md section 7, written once more."""
    if count == 0:
        return 0, "zero"
    if count <= 7:
        return None, "withheld"
    return 5 * ((count + 2) // 5), "released"


def test_it_equals_the_truth_row_for_row(demo: tuple[Home, str]) -> None:
    home, _ = demo
    with open_campaign(SLUG, "test", "test") as at:
        assert campaign_differences(at.store, at.plan, truth_of(home)) == []


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("coverage", lambda truth: truth["coverage"][0].update(visited=1)),
        ("person", lambda truth: truth["persons"][0].update(care_setting="elsewhere")),
        ("person", lambda truth: truth["persons"].pop()),
        ("question", lambda truth: truth["questions"].pop()),
        ("reporting", lambda truth: truth["reporting"][0]["villages"].popitem()),
        (
            "follow_up",
            lambda truth: next(iter(truth["follow_up"][0]["villages"].values())).update(
                visits_entered_late=99
            ),
        ),
        ("follow_up", lambda truth: truth["follow_up"][0]["people"].update(people_to_visit=999)),
        (
            "supervision",
            lambda truth: next(iter(truth["supervision"][1]["villages"].values())).update(
                visits_due=99
            ),
        ),
    ],
)
def test_another_truth_would_be_noticed(demo: tuple[Home, str], part: str, change: Any) -> None:
    home, _ = demo
    truth = copy.deepcopy(truth_of(home))
    change(truth)
    with open_campaign(SLUG, "test", "test") as at:
        differences = campaign_differences(at.store, at.plan, truth)
    assert any(line.startswith(part) for line in differences)


def test_the_lists_figures_are_the_truths_as_the_rule_releases_them(
    demo: tuple[Home, str],
) -> None:
    home, _ = demo
    found = figures(home, "list_compilation-r2")
    persons = truth_of(home)["persons"]
    assert found["people_listed", None] == as_released(len(persons))
    known = sum(person["register_no"] is not None for person in persons)
    exact = {"people_known": known, "people_new": len(persons) - known}
    for setting in ("home", "hospital", "welfare_institution", "other_institution"):
        exact[f"people_{setting}"] = sum(each["care_setting"] == setting for each in persons)
    for name, count in exact.items():
        # or withheld, where its sums would give another count away
        assert found[name, None] in (as_released(count), (None, "withheld")), name
    assert sum(found[name, None] == as_released(count) for name, count in exact.items()) >= 4


def test_no_count_of_people_leaves_small_or_unrounded(demo: tuple[Home, str]) -> None:
    home, _ = demo
    seen = set()
    for path in home.reports(SLUG).glob("*.json"):
        for each in json.loads(path.read_text("utf-8"))["figures"]:
            seen.add(each["state"])
            if each["state"] not in ("released", "zero"):
                assert each["value"] is None, path.name
            elif each["unit"] == "people":
                assert each["value"] == 0 or each["value"] >= 10, path.name
                assert each["value"] % 5 == 0, path.name
    assert seen == {"released", "withheld", "zero", "not_reported"}


def test_a_late_village_makes_a_revision_beside_the_old(demo: tuple[Home, str]) -> None:
    home, _ = demo
    first, second = figures(home, "sweep-1-r1"), figures(home, "sweep-1-r2")
    assert first["reporting_late", None][0] == 0
    assert second["reporting_late", None][0] == 2
    assert first["reporting_on_time", None] == second["reporting_on_time", None]


def test_the_report_has_the_agreed_shape(demo: tuple[Home, str]) -> None:
    home, _ = demo
    shape = report(home, "sweep-1-r2")
    assert list(shape) == ["campaign", "phase", "round", "revision", "as_of", "audience", "figures"]
    assert (shape["campaign"], shape["phase"], shape["round"]) == (SLUG, "sweep", 1)
    assert report(home, "aggregation-r1")["round"] is None
    for each in shape["figures"]:
        assert set(each) == {"name", "unit", "village", "value", "state"}


def test_the_comparison_takes_the_earlier_campaigns_released_figures(
    demo: tuple[Home, str],
) -> None:
    home, _ = demo
    found = figures(home, "aggregation-r1")
    earlier = json.loads((home.reports("spring-2025") / "aggregation-r1.json").read_text("utf-8"))[
        "figures"
    ]
    listed = next(
        each for each in earlier if each["name"] == "people_listed" and each["village"] is None
    )
    assert found["earlier1_people_listed", None] == (listed["value"], listed["state"])


def people(home: Home) -> set[str]:
    """Everything in the register that tells a person: names, numbers, dates, references."""
    columns = {
        "stg_referral": "full_name, phone, contact_name, contact_phone, resident_key, referral_ref",
        "stg_registered_person": "full_name, phone, resident_key, register_no",
        "reg_registered": "full_name, phone, resident_key, register_no",
        "reg_person": "person_ref",
    }
    found: set[str] = set()
    with open_campaign(SLUG, "test", "test") as at:
        for table, names in columns.items():
            rows = at.store.connection.execute(f"SELECT {names} FROM register.{table}").fetchall()  # noqa: S608 # the names above
            found |= {str(cell) for row in rows for cell in row if cell}
    return found


def test_nobody_is_in_anything_that_left_the_register(demo: tuple[Home, str]) -> None:
    home, said = demo
    marks = [mark.encode("utf-8") for mark in people(home)]
    assert len(marks) > 500
    private = {"returns", "synthetic", "register.duckdb"}
    looked_at = 0
    for path in home.root.rglob("*"):
        if not path.is_file() or path.relative_to(home.root).parts[0] in private:
            continue
        looked_at += 1
        content = path.read_bytes()
        if path.suffix == ".eml":
            content += mail_text(path).encode("utf-8")
        for mark in marks:
            assert mark not in content, path.relative_to(home.root)
    assert looked_at > 100
    for mark in marks:
        assert mark.decode("utf-8") not in said


def test_the_register_is_not_readable_without_its_key(demo: tuple[Home, str]) -> None:
    home, _ = demo
    content = home.register.read_bytes()
    assert not any(mark.encode("utf-8") in content for mark in people(home))


def test_everything_written_is_private(demo: tuple[Home, str]) -> None:
    home, _ = demo
    for path in (home.root, *home.root.rglob("*")):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), path.relative_to(home.root)


def mail_text(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(message["subject"]), *parts])


def test_every_recipient_got_every_revision_once(demo: tuple[Home, str]) -> None:
    home, _ = demo
    messages = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in home.mail.glob("*.eml")
    ]
    revisions = [
        path for slug in ("spring-2025", SLUG) for path in home.reports(slug).glob("*.json")
    ]
    keys = [(message["to"], message["subject"]) for message in messages]
    assert len(keys) == len(set(keys)) == 3 * len(revisions)
    assert len({message["message-id"] for message in messages}) == len(messages)
    for message in messages:
        parts = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
        assert parts[:2] == ["text/plain", "text/html"]
        assert set(parts[2:]) <= {"image/png"}


def test_it_says_where_to_look(demo: tuple[Home, str]) -> None:
    home, said = demo
    assert str(home.root / "reports" / SLUG) in said
    assert "truth.json" in said
    assert "Traceback" not in said
    assert not re.search(r"\d{17}[\dX]", said)
