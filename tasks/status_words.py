"""The words of a status record, for the terminal and for Prefect's pages alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.rules.wording import current_language, say

VILLAGES_OF = ("missing", "returned", "late", "extended")
"""The lists of villages of a phase that are told, in this order."""

NAMED = 12
"""How many villages of such a list are named; the JSON has them all."""


RUNS_NAMED = 4
"""How many runs that are owed are named, the longest owed first."""


def campaign_title(campaign: Mapping[str, Any], language: str | None = None) -> str:
    """Return a campaign's name with its slug."""
    name = campaign["name_en" if (language or current_language()) == "en" else "name"]
    return say("status.heading.campaign", language, name=name, campaign=campaign["campaign"])


def phase_title(phase: Mapping[str, Any], language: str | None = None) -> str:
    """Return a phase with its month, else its round, of any record that has these three."""
    name = say(f"phase.{phase['phase']}", language)
    if phase["period"]:
        return say("phase.with_period", language, phase=name, period=phase["period"])
    if phase["round"]:
        return say("phase.with_round", language, phase=name, round=phase["round"])
    return name


def phase_cells(phase: Mapping[str, Any], language: str | None = None) -> list[str]:
    """Return the cells of a phase's line: title, state, due day, time left, reports, revision."""
    due, reporting = phase["until"], phase["reporting"]
    return [
        phase_title(phase, language),
        say(f"status.state.{phase['state']}", language),
        say("status.provisional", language, day=due) if phase["provisional"] else due,
        _time_left(phase, language),
        say("status.received", language, **reporting) if reporting else "",
        f"r{phase['revision']}" if phase["revision"] else "",
    ]


def heads(language: str | None = None) -> list[str]:
    """Return the heads of `phase_cells`."""
    names = ("phase", "state", "due", "days_left", "reporting", "revision")
    return [say(f"status.head.{name}", language) for name in names]


def _time_left(phase: Mapping[str, Any], language: str | None) -> str:
    """Return how long it is until a phase opens, or is due; nothing of one that is over."""
    if phase["state"] == "planned":
        return say("status.days.opens", language, count=phase["opens_in"])
    if phase["state"] == "closed":
        return ""
    days = phase["days_left"]
    if days == 0:
        return say("status.days.today", language)
    return say("status.days.left" if days > 0 else "status.days.over", language, count=abs(days))


def reporting_line(
    phase: Mapping[str, Any], villages: Mapping[str, str], language: str | None = None
) -> str:
    """Return how the villages of a phase report, and which have not; '' where all are on time.

    `villages`: code -> name.
    """
    named = [
        say(
            f"status.villages.{name}",
            language,
            count=len(phase[name]),
            names=_village_names(name, phase, villages, language),
        )
        for name in VILLAGES_OF
        if phase[name]
    ]
    if not named:
        return ""
    counts = [
        say(f"status.received.{name}", language, count=phase["reporting"][name])
        for name in ("on_time", "nil")
        if phase["reporting"][name]
    ]
    told = say("status.part_separator", language).join([*counts, *named])
    return say("status.villages.line", language, phase=phase_title(phase, language), villages=told)


def _village_names(
    name: str, phase: Mapping[str, Any], villages: Mapping[str, str], language: str | None
) -> str:
    """Return the names of the villages in a list of a phase, the first of them where it is long."""
    until = {each["village"]: each["due"] for each in phase["extensions"]}
    names = [
        say("status.village_until", language, village=villages[code], day=until[code])
        if name == "extended"
        else villages[code]
        for code in phase[name]
    ]
    return _first_of(names, NAMED, language)


def problem_words(problem: Mapping[str, Any], language: str | None = None) -> tuple[str, str]:
    """Return what is wrong and what to do about it, a sentence each."""
    kind = problem["kind"]
    values = dict(problem)
    if kind == "runs_owed":
        named = [_run_title(run, language) for run in problem["runs"]]
        values |= {"count": len(named), "runs": _first_of(named, RUNS_NAMED, language)}
    if kind == "rectification_overdue":
        values["villages"] = _joined(problem["villages"], language)
    if problem.get("problem"):
        values["problem"] = say(f"mail.problem.{problem['problem']}", language)
    to_do = "backup" if kind.startswith("backup_") else kind
    return say(f"status.problem.{kind}", language, **values), say(
        f"status.do.{to_do}", language, **values
    )


def coming_words(event: Mapping[str, Any], language: str | None = None) -> str:
    """Return one of the things to come, with its day and time."""
    at = event["at"][:16].replace("T", " ")
    title = phase_title(event, language)
    return say(
        f"status.next.{event['what']}", language, at=at, phase=title, campaign=event["campaign"]
    )


def message_words(counts: Mapping[str, int], language: str | None = None) -> str:
    """Return how many messages are in each state, in one line."""
    named = [
        say(
            "status.messages.state",
            language,
            state=say(f"mail.state.{state}", language),
            count=count,
        )
        for state, count in counts.items()
        if count
    ]
    joined = _joined(named, language) or say("status.messages.none", language)
    return say("status.messages", language, counts=joined)


def _run_title(run: Mapping[str, Any], language: str | None) -> str:
    return say("status.run", language, phase=phase_title(run, language), as_of=run["as_of"])


def _first_of(names: Sequence[str], most: int, language: str | None) -> str:
    """Return the first of them and how many more there are."""
    more = len(names) - most
    told = say("status.more", language, count=more) if more > 0 else ""
    return _joined(names[:most], language) + told


def _joined(words: Sequence[str], language: str | None) -> str:
    return say("status.separator", language).join(words)
