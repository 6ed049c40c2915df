"""What goes wrong in a row: for every rule of the contract one way to break it, and no other rule.

The key is the rule's name, so a rule that is added to the contract without a mistake here is found
by a test.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from data.synthetic.population import draw_id
from data.synthetic.submissions import Cell, Values
from tasks.rules.contract import SHEETS

NO_CONSENT: tuple[Values, ...] = (
    {"consent_by": None},
    {"consent_by": "不同意"},
    {"consent_date": None},
    {"consent_by": "拒绝"},
    {"consent_scope": None},
    {"consent_by": "否"},
    {"consent_by": None, "consent_date": None, "consent_scope": None},
    {"consent_by": "no"},
    {"consent_by": "无"},
    {"consent_by": "none"},
)
"""Ways in which a row says that nobody agreed, or does not say that somebody did."""

DROPPED = frozenset({"adult"})
"""Mistakes no correction can put right: the row is left out of the corrected file."""


OF_A_PAIR = ("death_agrees", "visited_on_before_death")
"""Mistakes of follow_up that two rows make together: a death, and a visit on a later day. The
second row is as it should be; it is the first that contradicts it."""


@dataclass(frozen=True)
class Setting:
    """What a mistake needs to know beside the row."""

    arrival: date
    elsewhere: Sequence[str]
    """Village codes of another township."""
    draw: Random


Mistake = Callable[[Values, Setting], Values]


def spoil(sheet: str, rule: str, values: Values, setting: Setting) -> Values:
    """Return `values` changed so that exactly `rule` of `sheet` does not hold."""
    return {**values, **MISTAKES[sheet][rule](values, setting)}


def _put(column: str, *wrong: Cell) -> Mistake:
    def change(values: Values, setting: Setting) -> Values:
        return {column: setting.draw.choice(wrong)}

    return change


def _in_future(column: str) -> Mistake:
    def change(values: Values, setting: Setting) -> Values:
        return {column: setting.arrival + timedelta(days=setting.draw.randint(10, 90))}

    return change


def _more_than(column: str, *others: str) -> Mistake:
    def change(values: Values, setting: Setting) -> Values:
        return {column: sum(_count(values[other]) for other in others) + setting.draw.randint(2, 9)}

    return change


def _more_than_ever(column: str) -> Mistake:
    """More than all earlier months can have left over."""

    def change(values: Values, setting: Setting) -> Values:
        return {column: _count(values["subsidy_applied"]) + setting.draw.randint(500, 900)}

    return change


def _count(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _day(cell: Cell) -> date:
    if not isinstance(cell, date):
        raise TypeError("a mistake meets a row whose date is not one")
    return cell


def _number(values: Values, setting: Setting, birth_date: date) -> str:
    return draw_id(setting.draw, _REGION, birth_date, str(values["sex"]))


def _ends_before_it_begins(values: Values, setting: Setting) -> Values:
    return {"visits_to": _day(values["visits_from"]) - timedelta(days=setting.draw.randint(1, 9))}


def _child(values: Values, setting: Setting) -> Values:
    years = setting.draw.randint(9, 16)
    born = _day(values["consent_date"]) - timedelta(days=years * 365 + setting.draw.randint(0, 300))
    return {"birth_date": born, "resident_id": None}


def _rounded_id(values: Values, setting: Setting) -> Values:
    """Excel made a number of it: fifteen digits are left."""
    number = "X"
    while number.endswith("X"):
        number = _number(values, setting, _day(values["birth_date"]))
    return {"resident_id": float(number)}


def _mistyped_id(values: Values, setting: Setting) -> Values:
    number = _number(values, setting, _day(values["birth_date"]))
    return {"resident_id": number[:-1] + ("0" if number[-1] != "0" else "1")}


def _id_of_another(values: Values, setting: Setting) -> Values:
    born = _day(values["birth_date"])
    return {"resident_id": _number(values, setting, born + timedelta(days=1))}


def _elsewhere(values: Values, setting: Setting) -> Values:
    residence, registered = setting.draw.sample(list(setting.elsewhere), 2)
    return {"residence_village": residence, "registered_village": registered}


def _unknown_confirmation_day(values: Values, setting: Setting) -> Values:
    # without it nothing can be said of the last visit either
    return {"confirmed_on": setting.draw.choice(_NO_DAY), "last_visited_on": None}


def _diagnosis_without_confirmation(values: Values, setting: Setting) -> Values:
    return {"outcome": "not_confirmed", "diagnosis": "bipolar"}


def _undiagnosed_confirmation(values: Values, setting: Setting) -> Values:
    return {"outcome": "confirmed", "diagnosis": "抑郁症", "management_consent": "yes"}


def _unknown_outcome(values: Values, setting: Setting) -> Values:
    return {"outcome": "待查", "diagnosis": None, "management_consent": "no"}


_REGION = "990199"
_LONG_AGO = (date(1987, 3, 2), date(1988, 11, 21))
"""Days before anybody's diagnosis."""
_GONE: Values = {"lost_reason": "moved", "stability": None, "rating": None}
_NO_DAY = ("2025-02-30", "2025年13月1日", "2024.11.31", "上周三")
_NO_CODE = ("99010100100", "村委会", "9901O1001001")
_NO_COUNT = ("若干", "约20", "-3", "1.5")

_IDENTITY_OF_A_PERSON: Mapping[str, Mistake] = {
    "full_name_valid": _put("full_name", None, "王2"),
    "sex_valid": _put("sex", "未知", None),
    "birth_date_valid": _put("birth_date", *_NO_DAY),
    "resident_id_whole": _rounded_id,
    "resident_id_valid": _mistyped_id,
    "resident_id_agrees": _id_of_another,
    "residence_village_valid": _put("residence_village", *_NO_CODE, None),
    "registered_village_valid": _put("registered_village", *_NO_CODE),
    "village_in_township": _elsewhere,
    "phone_valid": _put("phone", "1381234567", "见上", "12345678901"),
    "consent_by_valid": _put("consent_by", "邻居", "村干部"),
    "consent_date_valid": _in_future("consent_date"),
}

MISTAKES: Mapping[str, Mapping[str, Mistake]] = {
    "readiness": {
        "village_code_valid": _put("village_code", *_NO_CODE),
        "training_date_valid": _put("training_date", *_NO_DAY),
        "trained_people_valid": _put("trained_people", *_NO_COUNT),
        "emergency_plan_updated_valid": _put("emergency_plan_updated", "待定"),
        "drill_date_valid": _in_future("drill_date"),
        "care_group_complete_valid": _put("care_group_complete", "基本", None),
        "materials_delivered_valid": _put("materials_delivered", "部分"),
    },
    "coverage": {
        "village_code_valid": _put("village_code", *_NO_CODE),
        "grid_valid": _put("grid", None),
        "households_valid": _put("households", *_NO_COUNT),
        "households_visited_valid": _put("households_visited", *_NO_COUNT),
        "households_declined_valid": _put("households_declined", *_NO_COUNT),
        "visited_within_households": _more_than("households_visited", "households"),
        "visits_from_valid": _put("visits_from", *_NO_DAY),
        "visits_to_valid": _put("visits_to", *_NO_DAY),
        "visits_in_order": _ends_before_it_begins,
        "no_consent_count_valid": _put("no_consent_count", *_NO_COUNT),
        "nil_return_valid": _put("nil_return", "可能"),
        "nil_return_true": _put("nil_return", "yes"),
    },
    "referral": {
        **_IDENTITY_OF_A_PERSON,
        "consent_scope_valid": _put("consent_scope", "全部", "管理"),
        "row_no_valid": _put("row_no", "甲", 0),
        "adult": _child,
        "contact_name_valid": _put("contact_name", "13912345678"),
        "contact_relation_valid": _put("contact_relation", "同事"),
        "contact_phone_valid": _put("contact_phone", "同上", "139123"),
        "referred_by_valid": _put("referred_by", "网格员", "群众", None),
        "care_setting_valid": _put("care_setting", "外地", None),
        "observed_signs_valid": _put("observed_signs", "3,15", "12", "多种"),
        "urgency_valid": _put("urgency", "特急", None),
    },
    "assessment_outcome": {
        "referral_ref_known": _put("referral_ref", "R-000000000000"),
        "assessed_on_valid": _put("assessed_on", *_NO_DAY),
        "psychiatrist_licence_valid": _put("psychiatrist_licence", None, "见前"),
        "outcome_valid": _unknown_outcome,
        "diagnosis_valid": _undiagnosed_confirmation,
        "diagnosis_only_confirmed": _diagnosis_without_confirmation,
        "management_consent_valid": _put("management_consent", "再议"),
        "second_opinion_requested_valid": _put("second_opinion_requested", "再议"),
    },
    "follow_up": {
        "register_no_known": _put("register_no", "R20990001"),
        "visited_on_valid": _put("visited_on", *_NO_DAY),
        "entered_on_valid": _put("entered_on", *_NO_DAY),
        "mode_valid": _put("mode", "微信"),
        "seen_valid": _put("seen", "邻居"),
        "stability_valid": _put("stability", "好转"),
        "rating_valid": _put("rating", 6, "低"),
        "medication_valid": _put("medication", "5"),
        "adverse_reaction_valid": _put("adverse_reaction", "轻微"),
        "lost_reason_valid": _put("lost_reason", "出差"),
        "clinician_licence_valid": _put("clinician_licence", "见前"),
        "visited_on_not_to_come": _in_future("visited_on"),
        "visited_on_after_diagnosis": _put("visited_on", *_LONG_AGO),
        "visited_on_before_death": lambda values, setting: {},
        "lost_reason_agrees": lambda values, setting: _GONE | {"seen": "person"},
        "death_agrees": lambda values, setting: _GONE | {"seen": "nobody", "lost_reason": "died"},
        "clinician_known": _put("clinician_licence", "119880000000001"),
    },
    "service_month": {
        "village_code_valid": _put("village_code", *_NO_CODE),
        "month_valid": _put("month", "2019-01", "本月"),
        "month_begun": _put("month", "2099-01"),
        "care_group_met_valid": _put("care_group_met", "准备开"),
        "status_updated_on_valid": _in_future("status_updated_on"),
        "guardian_contacts_valid": _put("guardian_contacts", *_NO_COUNT),
        "rehabilitation_sessions_valid": _put("rehabilitation_sessions", *_NO_COUNT),
        "subsidy_applied_valid": _put("subsidy_applied", *_NO_COUNT),
        "subsidy_paid_valid": _put("subsidy_paid", *_NO_COUNT),
        "subsidy_reviewed_valid": _put("subsidy_reviewed", *_NO_COUNT),
        "subsidy_reviewed_within_applied": _more_than_ever("subsidy_reviewed"),
        "subsidy_paid_within_applied": _more_than_ever("subsidy_paid"),
        "problems_raised_valid": _put("problems_raised", "没有问题"),
    },
    "care_group": {
        "village_code_valid": _put("village_code", *_NO_CODE),
        "role_valid": _put("role", "民警", "组长", None),
        "filled_valid": _put("filled", "待定"),
        "trained_on_valid": _in_future("trained_on"),
        "trained_is_filled": lambda values, setting: {
            "filled": "no",
            "trained_on": setting.arrival,
        },
    },
    "registered_person": {
        **_IDENTITY_OF_A_PERSON,
        "consent_covers_management": _put("consent_scope", "assessment"),
        "register_no_valid": _put("register_no", None, "待编"),
        "diagnosis_valid": _put("diagnosis", "抑郁症", None),
        "confirmed_on_valid": _unknown_confirmation_day,
        "psychiatrist_licence_valid": _put("psychiatrist_licence", None, "见前"),
        "stability_valid": _put("stability", "好转"),
        "last_visited_on_valid": _put("last_visited_on", *_NO_DAY),
    },
}


class Deal:
    """Deals the rules of a sheet out, each once in a shuffled order before any comes again."""

    def __init__(self, sheet: str, draw: Random, without: frozenset[str] = frozenset()) -> None:
        """Take the rules of `sheet` from the contract, but those in `without`."""
        self._rules = [rule.name for rule in SHEETS[sheet].rules if rule.name not in without]
        self._draw = draw
        self._round: list[str] = []
        self.undealt = set(self._rules)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Return the next rule to break."""
        if not self._round:
            self._round = list(self._rules)
            self._draw.shuffle(self._round)
        rule = self._round.pop()
        self.undealt.discard(rule)
        return rule
