"""The clinician's file: what came out of the assessments.

It names referrals by the reference that a run gave them, so it can be written only after the run.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path

from data.synthetic.chance import chance
from data.synthetic.messes import Setting, spoil
from data.synthetic.submissions import CLEAN, Draft, Row, Values, at_minute
from data.synthetic.truth import Json
from data.synthetic.workbooks import file_content, rows_of
from tasks.plan import Plan
from tasks.rules.contract import TEMPLATE_VERSION, Identity

LICENCE = "110990000000001"
"""The licence number of the invented psychiatrist."""


def write_outcomes(
    path: Path, plan: Plan, rows: Iterable[Mapping[str, object]], *, wrong: Iterable[str] = ()
) -> list[Json]:
    """Write an assessment_outcome workbook to `path` and return the rows that must come back.

    `rows` hold `referral_ref`, `assessed_on` (a date), `outcome`, and if confirmed `diagnosis` and
    `management_consent` (truth or falsehood), as `outcomes` of truth.json does. For each rule named
    in `wrong` one more row that breaks it alone stands below them; what is returned names them as
    `returned` in truth.json does.
    """
    right = [_row(row) for row in rows]
    days = [each["assessed_on"] for each in right if isinstance(each["assessed_on"], date)]
    arrival = max(days, default=plan.issued)
    setting = Setting(arrival, (), chance("outcomes", plan.slug, arrival))
    sheet = [Row(values, _key(values), _key(values)) for values in right]
    for rule in wrong:
        # any right row will do as a model; the mistake is what matters
        values = spoil("assessment_outcome", rule, _confirmed(right[0]), setting)
        sheet.append(Row(values, _key(values), _key(values), (rule,)))
    draft = Draft(
        _at(arrival),
        Identity(plan.slug, "diagnosis_queue", 0, plan.health_centre.code, TEMPLATE_VERSION),
        CLEAN,
        {"assessment_outcome": sheet},
        path.stem,
    )
    path.write_bytes(file_content(draft, 0))
    return [
        {"sheet": name, "row": number, "rules": list(row.fails)}
        for name, number, row in rows_of(draft)
        if row.fails
    ]


def _row(row: Mapping[str, object]) -> Values:
    assessed_on = row["assessed_on"]
    if not isinstance(assessed_on, date):
        raise TypeError("assessed_on is a date")
    confirmed = row["outcome"] == "confirmed"
    return {
        "referral_ref": str(row["referral_ref"]),
        "assessed_on": assessed_on,
        "psychiatrist_licence": LICENCE,
        "outcome": str(row["outcome"]),
        "diagnosis": str(row["diagnosis"]) if confirmed else None,
        "management_consent": _yes(row.get("management_consent")) if confirmed else None,
        "second_opinion_requested": _yes(row.get("second_opinion_requested")),
    }


def _confirmed(values: Values) -> Values:
    return {
        **values,
        "outcome": "confirmed",
        "diagnosis": "schizophrenia",
        "management_consent": "yes",
    }


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _key(values: Values) -> str:
    return f"{values['referral_ref']}|{values['assessed_on']}"


def _at(day: date) -> datetime:
    return at_minute(day, 17 * 60)
