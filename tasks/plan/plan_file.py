"""Reading a plan file section by section, so that a mistake in one hides none in another."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.plan.approved import ad_hoc_sweep, approved_occurrences, read_approved
from tasks.plan.findings import Findings, Part
from tasks.plan.model import (
    AdHoc,
    ClinicSession,
    Duty,
    Heading,
    HealthCentre,
    Limits,
    Occurrence,
    PhaseEntry,
    Plan,
    Recipients,
    Reminders,
    Rules,
    day_or_none,
)
from tasks.plan.occurrences import Calendar
from tasks.plan.remarks import PlanRefused
from tasks.plan.villages import read_villages
from tasks.rules.contract import PHASES
from tasks.rules.deadlines import REST_DAY_RULES, WorkdayCalendar
from tasks.rules.errors import WrongCommand
from tasks.rules.requests import FIRST_ROUND

_SECTIONS = (
    "ends",
    "villages",
    "health_centre",
    "recipients",
    "rules",
    "limits",
    "reminders",
    "targets",
    "phases",
    "clinic",
    "duties",
    "ad_hoc",
)
_KEYS = (*Heading.model_fields, *_SECTIONS)
_ORDER = {phase: position for position, phase in enumerate(PHASES)}


def read_plan(path: Path, workdays: WorkdayCalendar) -> Plan:
    """Return the plan in the file at `path`, its deadlines resolved by `workdays`.

    Raises WrongCommand where there is no such file or it is no TOML, and PlanRefused with all
    mistakes of it and of its village CSV together.
    """
    content = _read_toml(path)
    findings = Findings()
    heading = findings.take(
        Heading, {key: each for key, each in content.items() if key not in _SECTIONS}, "", _KEYS
    )
    # What stands beside a wrong day of issue or rest-day rule is judged all the same.
    rule = content.get("rest_day_rule")
    resolve = Calendar(
        day_or_none(content.get("issued")),
        rule if rule in REST_DAY_RULES else "none",
        workdays,
        findings,
    )
    ends = resolve.day("ends", content["ends"]) if "ends" in content else None
    if ends and resolve.issued and ends < resolve.issued:
        findings.wrong("ends", "plan.ends_before_issue", issued=resolve.issued)
    centre = _table(content, "health_centre", HealthCentre, findings)
    villages_file = _villages_file(content, findings)
    villages = (
        read_villages(path.with_name(villages_file), centre, findings) if villages_file else ()
    )
    if centre:
        findings.once("health_centre clinicians", [each.upper() for each in centre.clinicians])
    recipients = _table(content, "recipients", Recipients, findings)
    rules = _table({"rules": {}, **content}, "rules", Rules, findings)
    limits = _table({"limits": {}, **content}, "limits", Limits, findings)
    reminders = _table({"reminders": {}, **content}, "reminders", Reminders, findings)
    targets = findings.take_targets(content.get("targets", {}))
    phases = _list(content, "phases", PhaseEntry, findings)
    clinic = _list(content, "clinic", ClinicSession, findings)
    duties = _list(content, "duties", Duty, findings)
    ad_hoc = _list(content, "ad_hoc", AdHoc, findings)

    if heading:
        _check_earlier(heading, findings)
    if recipients:
        _check_recipients(recipients, findings)
    if rules:
        _check_rules(rules, findings)
    if reminders:
        findings.once("reminders before_days", reminders.before_days)
        findings.once("reminders after_days", reminders.after_days)
    findings.once("clinic date", [each.date for _, each in clinic])
    calendar = resolve.of_phases(phases)
    if any(each.round >= FIRST_ROUND for each in calendar if each.phase == "sweep"):
        findings.wrong("phases", "plan.too_many_rounds", most=FIRST_ROUND - 1)
    resolve.check_requests(ad_hoc, {each.code for each in villages})
    if heading:
        calendar += _ad_hoc_sweeps(path, heading.slug, ad_hoc, findings)
    calendar.sort(key=lambda each: (each.due, _ORDER[each.phase], each.round))
    resolve.warn_about(calendar, ends)
    if not any(content.get(name) for name in ("phases", "duties", "ad_hoc")):
        findings.wrong("phases", "plan.nothing_to_do")

    if findings.mistakes or not (
        heading and centre and recipients and rules and limits and reminders and targets
    ):
        raise PlanRefused(path.name, findings.mistakes)
    return Plan(
        **dict(heading),
        ends=ends,
        health_centre=centre,
        villages=villages,
        villages_file=villages_file,
        recipients=recipients,
        rules=rules,
        limits=limits,
        reminders=reminders,
        targets=targets,
        clinic=tuple(sorted((each for _, each in clinic), key=lambda each: each.date)),
        duties=tuple(each for _, each in duties),
        ad_hoc=tuple(each for _, each in ad_hoc),
        calendar=tuple(calendar),
        warnings=tuple(findings.warnings),
    )


def _ad_hoc_sweeps(
    path: Path, slug: str, entries: Sequence[tuple[str, AdHoc]], findings: Findings
) -> list[Occurrence]:
    """Return the approved sweeps where the plan lives in a home, else those it asks for itself.

    What a plan asks for is numbered when it is registered (`tasks.requests`); until then it is
    shown in the order of the file, and nothing takes it for approved.
    """
    in_plan = [entry.request(slug) for _, entry in entries]
    approved = read_approved(path)
    for (place, _), request in zip(entries, in_plan, strict=True):
        if approved is None or request not in approved.values():
            findings.warn(place, "plan.warn_ad_hoc", opens=request.opens, due=request.due)
    if approved is not None:
        return approved_occurrences(approved, slug, in_plan)
    return [
        ad_hoc_sweep(round, request, approved=False)
        for round, request in enumerate(in_plan, start=FIRST_ROUND)
    ]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return {key: _tuples(each) for key, each in content.items()}
    except OSError:
        problem = WrongCommand("plan.no_file", file=path)
    except UnicodeDecodeError:
        problem = WrongCommand("plan.not_utf8", file=path.name)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+), column (\d+)", str(error))
        if place:
            line, column = place.groups()
            problem = WrongCommand("plan.not_toml", file=path.name, line=line, column=column)
        else:
            problem = WrongCommand("plan.toml_cut_off", file=path.name)
    raise problem


def _tuples(content: Any) -> Any:
    """Return `content` with tuples for lists: a frozen plan holds no list."""
    if isinstance(content, dict):
        return {key: _tuples(each) for key, each in content.items()}
    if isinstance(content, list):
        return tuple(_tuples(each) for each in content)
    return content


def _table(
    content: Mapping[str, Any], name: str, model: type[Part], findings: Findings
) -> Part | None:
    if name not in content:
        findings.wrong(name, "plan.missing")
        return None
    return findings.take(model, content[name], name)


def _list(
    content: Mapping[str, Any], name: str, model: type[Part], findings: Findings
) -> list[tuple[str, Part]]:
    """Return the readable entries of `[[name]]`, each with its place, counted from 1."""
    entries = content.get(name, ())
    if not isinstance(entries, tuple):
        findings.wrong(name, "plan.not_entries", name=name)
        return []
    placed = [
        (f"{name} #{number}", findings.take(model, entry, f"{name} #{number}"))
        for number, entry in enumerate(entries, start=1)
    ]
    return [(place, entry) for place, entry in placed if entry is not None]


def _villages_file(content: Mapping[str, Any], findings: Findings) -> str:
    """Return the name of the village CSV, or '' after noting a mistake.

    A name, not a path: a plan is copied into a campaign home together with this file.
    """
    name = content.get("villages")
    if isinstance(name, str) and name.endswith(".csv") and Path(name).name == name:
        return name
    findings.wrong("villages", "plan.missing" if name is None else "plan.villages_name")
    return ""


def _check_earlier(heading: Heading, findings: Findings) -> None:
    if heading.slug in heading.earlier:
        findings.wrong("earlier", "plan.earlier_itself")
    findings.once("earlier", heading.earlier)


def _check_recipients(recipients: Recipients, findings: Findings) -> None:
    """No mailbox is on both sides: what the health side may read is more than the office may."""
    health = [address.casefold() for address in recipients.health]
    office = [address.casefold() for address in recipients.office]
    findings.once("recipients health", health)
    findings.once("recipients office", office)
    for address in sorted(set(health) & set(office)):
        findings.wrong("recipients office", "plan.office_is_health", address=address)


def _check_rules(rules: Rules, findings: Findings) -> None:
    """The smallest count that is not withheld must not be rounded to zero."""
    most = 2 * rules.withhold_to + 1
    if rules.round_to > most:
        findings.wrong("rules round_to", "plan.rounds_to_zero", limit=most)
    if (rules.face_to_face_rating is None) != (rules.face_to_face_a_year is None):
        findings.wrong("rules face_to_face_rating", "plan.face_to_face")
