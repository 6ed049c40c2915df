"""The data contract: which sheets a phase takes, their columns, closed lists and row rules.

Source of every name: DOMAIN.md section 5 (kept in docs/domain.md). Heads are the Chinese words; the
English column name is accepted too. Everything that reads, checks, returns or writes a submission
takes its words from here.
"""

import re
from dataclasses import dataclass

TEMPLATE_VERSION = 1

VERDICTS = ("accepted", "returned", "duplicate", "unchanged", "no_consent")
"""Every row ends as exactly one of these; their counts add up to the rows read."""

PHASES = (
    "readiness",
    "sweep",
    "list_compilation",
    "aggregation",
    "diagnosis_queue",
    "follow_up",
    "supervision",
    "quarterly_pack",
    "retention",
    "reminders",
)

RUN_PHASES = (
    "readiness",
    "sweep",
    "list_compilation",
    "aggregation",
    "diagnosis_queue",
    "follow_up",
    "supervision",
    "quarterly_pack",
)
"""The phases that a flow runs and that release figures."""

NIGHTLY_PHASES = ("retention", "reminders")
"""The phases that a flow runs for a day and that release nothing: no round, no figures."""

VILLAGE_PHASES = ("readiness", "sweep", "supervision")
"""The phases for which villages send files."""

PURPOSES = (
    "seasonal_outreach",
    "holiday_continuity",
    "new_residents",
    "after_disaster",
    "service_gap",
)

REPORTING_STATES = ("on_time", "late", "returned", "missing", "extended", "not_expected")

FIGURE_STATES = ("released", "withheld", "zero", "not_reported")

UNITS = ("people", "households", "files", "visits", "days", "percent", "sessions", "rows")


@dataclass(frozen=True)
class Column:
    """One column of a sheet: its name, its Chinese heads (the first is written, all are read)."""

    name: str
    heads: tuple[str, ...]
    choices: str | None = None
    """The closed list its values come from, or None."""
    required: bool = True
    """Whether the head must be there; the row rules say whether a cell may be blank."""


@dataclass(frozen=True)
class RowRule:
    """One rule a row must hold to be accepted; `name` is the boolean column in the staging SQL.

    `column` is the cell to mark. What is wrong and how to put it right are the wording keys
    `rule.<sheet>.<name>` (or `rule.<name>` where sheets share it).
    """

    name: str
    column: str


@dataclass(frozen=True)
class Sheet:
    """One kind of sheet: its columns, its row rules, and how it is recognised."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rules: tuple[RowRule, ...]
    about_people: bool
    """Whether a row is about a person: then consent or a register entry is required."""

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    # value -> spellings read (the first is written into templates); the value itself is read too
    "sex": {"male": ("男", "m", "男性"), "female": ("女", "f", "女性")},
    "yes_no": {
        "yes": ("是", "y", "true", "1", "1.0", "√", "✓", "✔", "☑", "有", "已", "已完成"),
        "no": ("否", "n", "false", "0", "0.0", "×", "✗", "✘", "☒", "x", "无", "未", "未完成"),
    },
    "referred_by": {
        "self": ("本人", "自荐"),
        "relative": ("近亲属", "亲属", "家属", "close_relative"),
        "guardian": ("监护人",),
        "village_doctor": ("村医", "乡村医生"),
        "civil_affairs": ("民政", "民政部门"),
    },
    "consent_by": {
        "self": ("本人",),
        "guardian": ("监护人",),
        "close_relative": ("近亲属", "亲属", "家属", "relative"),
    },
    "consent_scope": {
        "assessment": ("评估", "仅评估"),
        "assessment_and_management": ("评估和管理", "评估与管理", "评估及管理"),
    },
    "care_setting": {
        "home": ("居家", "在家"),
        "hospital": ("住院", "医院"),
        "welfare_institution": ("福利机构",),
        "other_institution": ("其他机构",),
        "not_reachable": ("无法联系", "联系不上"),
    },
    "urgency": {"routine": ("常规", "一般"), "soon": ("尽快", "优先")},
    "relation": {
        "spouse": ("配偶", "丈夫", "妻子", "husband", "wife"),
        "parent": ("父母", "父亲", "母亲", "father", "mother"),
        "child": ("子女", "儿子", "女儿", "son", "daughter"),
        "sibling": ("兄弟姐妹", "哥哥", "弟弟", "姐姐", "妹妹", "brother", "sister"),
        "other_relative": ("其他亲属", "祖父母", "孙子女", "relative", "亲属"),
        "guardian": ("监护人",),
        "other": ("其他", "朋友", "邻居", "friend", "neighbour"),
    },
    "outcome": {
        "confirmed": ("确诊",),
        "not_confirmed": ("未确诊", "排除"),
        "declined": ("谢绝", "拒绝"),
        "no_show": ("未到", "爽约"),
        "reassess": ("复评", "待复评"),
    },
    "diagnosis": {
        "schizophrenia": ("精神分裂症",),
        "schizoaffective": ("分裂情感性障碍",),
        "persistent_delusional": ("持久的妄想性障碍", "偏执性精神病", "persistent delusional"),
        "bipolar": ("双相障碍", "双相（情感）障碍", "双相情感障碍"),
        "epilepsy_related": ("癫痫所致精神障碍", "epilepsy-related", "epilepsy related"),
        "intellectual_disability_with_mental_disorder": (
            "精神发育迟滞伴发精神障碍",
            "intellectual disability with mental disorder",
        ),
    },
    "extension_reason": {
        "weather": ("天气",),
        "roads": ("交通",),
        "staff": ("人手",),
        "equipment": ("设备",),
        "other": ("其他",),
    },
    "reopen_reason": {
        "late_files": ("迟报",),
        "corrections": ("更正",),
        "missing_villages": ("漏报",),
        "wrong_rule": ("方案有误",),
        "other": ("其他",),
    },
    "request_reason": {
        "long_holiday": ("长假",),
        "weather": ("天气",),
        "disaster": ("灾害",),
        "new_residents": ("新迁入居民",),
        "service_behind": ("服务滞后",),
        "households_missed": ("有户未走访到",),
        "other": ("其他",),
    },
    "decline_reason": {
        "purpose": ("目的不符",),
        "scope": ("范围不当",),
        "window": ("时间不当",),
        "staff": ("人手不足",),
        "not_needed": ("没有必要",),
        "other": ("其他",),
    },
    "resolve_reason": {
        "telephoned": ("已电话询问",),
        "mailbox": ("已查看邮箱",),
        "mended": ("已排除故障",),
        "other": ("其他",),
    },
    "rectification_evidence": {
        "visited": ("现场查看",),
        "document_seen": ("查看资料",),
        "photo_seen": ("查看照片",),
        "meeting_minutes": ("会议记录",),
        "register_checked": ("核对台账",),
    },
    "rectification_reason": {
        "nothing_seen": ("未见依据",),
        "other_matter": ("依据不符",),
        "other_month": ("不是本月的",),
        "not_finished": ("没有做完",),
    },
    "mode": {"home": ("上门", "家庭访视"), "clinic": ("门诊",), "phone": ("电话",)},
    "seen": {
        "person": ("本人",),
        "guardian": ("监护人",),
        "other": ("其他",),
        "nobody": ("未见到", "无人"),
    },
    "stability": {
        "stable": ("稳定",),
        "basically_stable": ("基本稳定",),
        "unstable": ("不稳定",),
    },
    "medication": {
        "1": ("规律", "按医嘱规律用药", "1.0"),
        "2": ("间断", "间断用药", "2.0"),
        "3": ("不用药", "不服药", "3.0"),
        "4": ("医嘱无需用药", "无需用药", "4.0"),
    },
    "lost_reason": {
        "working_away": ("外出务工",),
        "moved": ("迁居他处", "搬迁"),
        "no_contact": ("联系不上", "走失"),
        "declined": ("谢绝", "拒绝"),
        "transferred": ("转出", "转诊", "转诊/转出"),
        "died": ("死亡", "已故", "去世"),
        "other": ("其他",),
    },
    # who belongs to a care group; no role of police or security (DOMAIN.md section 3, limit 8)
    "care_role": {
        "village_secretary": ("村(社区)书记", "村书记", "社区书记", "书记"),
        "village_doctor": ("村医", "乡村医生", "社区医生"),
        "grid_worker": ("网格员",),
        "disability_commissioner": ("残疾人专职委员", "残疾人专委", "残协专职委员"),
        "guardian_representative": ("监护人代表", "家属代表"),
        "social_worker": ("社工", "社会工作者"),
        "volunteer": ("志愿者",),
    },
    "gap_kind": {
        "lost_to_follow_up": ("失访",),
        "medication_interrupted": ("服药中断",),
        "temporary_resident": ("人户分离",),
        "guardian_missing": ("无监护人",),
        "guardian_weak": ("监护薄弱",),
    },
    "gap_step": {
        "telephone": ("电话联系",),
        "home_visit": ("上门探访",),
        "ask_village_doctor": ("请村医了解",),
        "medication_review": ("复核用药",),
        "find_guardian": ("落实监护人",),
        "support_guardian": ("帮扶监护人",),
        "contact_home_centre": ("联系户籍地卫生院",),
    },
    "gap_closed": {
        "settled": ("已解决",),
        "arranged": ("已另行落实",),
        "not_so": ("与实际不符",),
    },
}

RETURN_COLUMN = Column("return_no", ("退回编号",), required=False)
"""The one column that stands beside a sheet's own: in a return workbook, the number of a row, by
which the corrected row finds its original. It says nothing of a row and is in no template."""

_RETURN_NUMBER = re.compile(r"T-[0-9A-F]{12}")


def read_choice(name: str, text: str) -> str | None:
    """Return the value of the closed list `name` that `text` is or is a spelling of, else None."""
    words = CHOICES[name]
    return next((word for word in words if text.strip() in (word, *words[word])), None)


def read_return_number(cell: str) -> str | None:
    """Return the number in a cell of RETURN_COLUMN, or None where it holds none."""
    number = cell.strip().upper()
    return number if _RETURN_NUMBER.fullmatch(number) else None


_VILLAGE = Column("village_code", ("村(社区)代码", "村（社区）代码", "村代码", "社区代码"))

READINESS = Sheet(
    "readiness",
    "动员准备",
    (
        _VILLAGE,
        Column("training_date", ("培训日期",)),
        Column("trained_people", ("培训人数",)),
        Column("emergency_plan_updated", ("应急预案已更新", "应急预案"), "yes_no"),
        Column("drill_date", ("演练日期",)),
        Column("care_group_complete", ("关爱帮扶小组齐全", "小组齐全"), "yes_no"),
        Column("materials_delivered", ("宣传材料已送达", "材料已送达"), "yes_no"),
    ),
    (
        RowRule("village_code_valid", "village_code"),
        RowRule("training_date_valid", "training_date"),
        RowRule("trained_people_valid", "trained_people"),
        RowRule("emergency_plan_updated_valid", "emergency_plan_updated"),
        RowRule("drill_date_valid", "drill_date"),
        RowRule("care_group_complete_valid", "care_group_complete"),
        RowRule("materials_delivered_valid", "materials_delivered"),
    ),
    about_people=False,
)

COVERAGE = Sheet(
    "coverage",
    "走访情况",
    (
        _VILLAGE,
        Column("grid", ("网格", "网格号")),
        Column("households", ("总户数",)),
        Column("households_visited", ("走访户数",)),
        Column("households_declined", ("谢绝户数",)),
        Column("visits_from", ("走访开始日期", "走访起始日期")),
        Column("visits_to", ("走访结束日期", "走访截止日期")),
        Column("no_consent_count", ("未同意转介人数",)),
        Column("nil_return", ("零报告",), "yes_no"),
    ),
    (
        RowRule("village_code_valid", "village_code"),
        RowRule("grid_valid", "grid"),
        RowRule("households_valid", "households"),
        RowRule("households_visited_valid", "households_visited"),
        RowRule("households_declined_valid", "households_declined"),
        RowRule("visited_within_households", "households_visited"),
        RowRule("visits_from_valid", "visits_from"),
        RowRule("visits_to_valid", "visits_to"),
        RowRule("visits_in_order", "visits_to"),
        RowRule("no_consent_count_valid", "no_consent_count"),
        RowRule("nil_return_valid", "nil_return"),
        RowRule("nil_return_true", "nil_return"),
    ),
    about_people=False,
)

REFERRAL = Sheet(
    "referral",
    "转介人员",
    (
        Column("row_no", ("序号",)),
        Column("full_name", ("姓名",)),
        Column("sex", ("性别",), "sex"),
        Column("birth_date", ("出生日期", "出生年月日")),
        Column("resident_id", ("身份证号", "身份证号码", "公民身份号码"), required=False),
        Column("residence_village", ("居住地", "居住地村代码", "居住村(社区)代码")),
        Column("registered_village", ("户籍地", "户籍地村代码", "户籍村(社区)代码")),
        Column("phone", ("联系电话", "电话", "手机号")),
        Column("contact_name", ("联系人", "联系人姓名")),
        Column("contact_relation", ("联系人关系", "与本人关系"), "relation"),
        Column("contact_phone", ("联系人电话",)),
        Column("referred_by", ("转介来源", "转介人"), "referred_by"),
        Column("consent_by", ("同意人",), "consent_by"),
        Column("consent_date", ("同意日期",)),
        Column("consent_scope", ("同意范围",), "consent_scope"),
        Column("care_setting", ("现况", "照护场所"), "care_setting"),
        Column("observed_signs", ("观察到的表现", "线索编号")),
        Column("urgency", ("紧急程度",), "urgency"),
    ),
    (
        RowRule("consent_by_valid", "consent_by"),
        RowRule("consent_date_valid", "consent_date"),
        RowRule("consent_scope_valid", "consent_scope"),
        RowRule("row_no_valid", "row_no"),
        RowRule("full_name_valid", "full_name"),
        RowRule("sex_valid", "sex"),
        RowRule("birth_date_valid", "birth_date"),
        RowRule("adult", "birth_date"),
        RowRule("resident_id_whole", "resident_id"),
        RowRule("resident_id_valid", "resident_id"),
        RowRule("resident_id_agrees", "resident_id"),
        RowRule("residence_village_valid", "residence_village"),
        RowRule("registered_village_valid", "registered_village"),
        RowRule("village_in_township", "residence_village"),
        RowRule("phone_valid", "phone"),
        RowRule("contact_name_valid", "contact_name"),
        RowRule("contact_relation_valid", "contact_relation"),
        RowRule("contact_phone_valid", "contact_phone"),
        RowRule("referred_by_valid", "referred_by"),
        RowRule("care_setting_valid", "care_setting"),
        RowRule("observed_signs_valid", "observed_signs"),
        RowRule("urgency_valid", "urgency"),
    ),
    about_people=True,
)

ASSESSMENT_OUTCOME = Sheet(
    "assessment_outcome",
    "评估结果",
    (
        Column("referral_ref", ("转介编号",)),
        Column("assessed_on", ("评估日期",)),
        Column("psychiatrist_licence", ("精神科医师执业证号", "医师执业证号")),
        Column("outcome", ("评估结果", "结果"), "outcome"),
        Column("diagnosis", ("诊断",), "diagnosis"),
        Column("management_consent", ("同意社区管理",), "yes_no"),
        Column("second_opinion_requested", ("申请再次诊断",), "yes_no"),
    ),
    (
        RowRule("referral_ref_known", "referral_ref"),
        RowRule("assessed_on_valid", "assessed_on"),
        RowRule("psychiatrist_licence_valid", "psychiatrist_licence"),
        RowRule("outcome_valid", "outcome"),
        RowRule("diagnosis_valid", "diagnosis"),
        RowRule("diagnosis_only_confirmed", "diagnosis"),
        RowRule("management_consent_valid", "management_consent"),
        RowRule("second_opinion_requested_valid", "second_opinion_requested"),
    ),
    about_people=True,
)

FOLLOW_UP = Sheet(
    "follow_up",
    "随访记录",
    (
        Column("register_no", ("在册编号",)),
        Column("visited_on", ("随访日期",)),
        Column("entered_on", ("录入日期",)),
        Column("mode", ("随访方式",), "mode"),
        Column("seen", ("见到谁", "访视对象"), "seen"),
        Column("stability", ("病情分类", "稳定情况"), "stability"),
        Column("rating", ("评估等级", "危险性评估")),
        Column("medication", ("服药情况",), "medication"),
        Column("adverse_reaction", ("不良反应",), "yes_no"),
        Column("lost_reason", ("失访原因",), "lost_reason"),
        Column("clinician_licence", ("医师执业证号",)),
    ),
    (
        RowRule("register_no_known", "register_no"),
        RowRule("visited_on_valid", "visited_on"),
        RowRule("entered_on_valid", "entered_on"),
        RowRule("mode_valid", "mode"),
        RowRule("seen_valid", "seen"),
        RowRule("stability_valid", "stability"),
        RowRule("rating_valid", "rating"),
        RowRule("medication_valid", "medication"),
        RowRule("adverse_reaction_valid", "adverse_reaction"),
        RowRule("lost_reason_valid", "lost_reason"),
        RowRule("clinician_licence_valid", "clinician_licence"),
        RowRule("visited_on_not_to_come", "visited_on"),
        RowRule("visited_on_after_diagnosis", "visited_on"),
        RowRule("visited_on_before_death", "visited_on"),
        RowRule("lost_reason_agrees", "lost_reason"),
        RowRule("death_agrees", "lost_reason"),
        RowRule("clinician_known", "clinician_licence"),
    ),
    about_people=True,
)

SERVICE_MONTH = Sheet(
    "service_month",
    "月度服务",
    (
        _VILLAGE,
        Column("month", ("月份",)),
        Column("care_group_met", ("小组例会已召开", "小组例会"), "yes_no"),
        Column("status_updated_on", ("动态更新日期",)),
        Column("guardian_contacts", ("联系监护人次数",)),
        Column("rehabilitation_sessions", ("康复活动次数",)),
        Column("subsidy_applied", ("监护补助申请数",)),
        # a template from before it was asked for still works
        Column("subsidy_reviewed", ("监护补助审核数",), required=False),
        Column("subsidy_paid", ("监护补助发放数",)),
        Column("problems_raised", ("反映问题数",)),
    ),
    (
        RowRule("village_code_valid", "village_code"),
        RowRule("month_valid", "month"),
        RowRule("month_begun", "month"),
        RowRule("care_group_met_valid", "care_group_met"),
        RowRule("status_updated_on_valid", "status_updated_on"),
        RowRule("guardian_contacts_valid", "guardian_contacts"),
        RowRule("rehabilitation_sessions_valid", "rehabilitation_sessions"),
        RowRule("subsidy_applied_valid", "subsidy_applied"),
        RowRule("subsidy_reviewed_valid", "subsidy_reviewed"),
        RowRule("subsidy_reviewed_within_applied", "subsidy_reviewed"),
        RowRule("subsidy_paid_valid", "subsidy_paid"),
        RowRule("subsidy_paid_within_applied", "subsidy_paid"),
        RowRule("problems_raised_valid", "problems_raised"),
    ),
    about_people=False,
)

CARE_GROUP = Sheet(
    "care_group",
    "关爱帮扶小组",
    (
        _VILLAGE,
        Column("role", ("小组角色", "角色"), "care_role"),
        Column("filled", ("已落实", "是否落实"), "yes_no"),
        Column("trained_on", ("培训日期", "角色培训日期")),
    ),
    (
        RowRule("village_code_valid", "village_code"),
        RowRule("role_valid", "role"),
        RowRule("filled_valid", "filled"),
        RowRule("trained_on_valid", "trained_on"),
        RowRule("trained_is_filled", "trained_on"),
    ),
    about_people=False,
)
"""One row a role, no names: what a care group lacks is seen without them (limit 10)."""

REGISTERED_PERSON = Sheet(
    "registered_person",
    "在册人员",
    (
        Column("register_no", ("在册编号",)),
        Column("full_name", ("姓名",)),
        Column("sex", ("性别",), "sex"),
        Column("birth_date", ("出生日期",)),
        Column("resident_id", ("身份证号", "身份证号码", "公民身份号码"), required=False),
        Column("residence_village", ("居住地",)),
        Column("registered_village", ("户籍地",)),
        Column("phone", ("联系电话",)),
        Column("consent_by", ("同意人",), "consent_by"),
        Column("consent_date", ("同意日期",)),
        Column("consent_scope", ("同意范围",), "consent_scope"),
        Column("diagnosis", ("诊断",), "diagnosis"),
        Column("confirmed_on", ("确诊日期",)),
        Column("psychiatrist_licence", ("精神科医师执业证号", "医师执业证号")),
        Column("stability", ("病情分类",), "stability"),
        Column("last_visited_on", ("上次随访日期",)),
    ),
    (
        RowRule("consent_by_valid", "consent_by"),
        RowRule("consent_date_valid", "consent_date"),
        RowRule("consent_covers_management", "consent_scope"),
        RowRule("register_no_valid", "register_no"),
        RowRule("full_name_valid", "full_name"),
        RowRule("sex_valid", "sex"),
        RowRule("birth_date_valid", "birth_date"),
        RowRule("resident_id_whole", "resident_id"),
        RowRule("resident_id_valid", "resident_id"),
        RowRule("resident_id_agrees", "resident_id"),
        RowRule("residence_village_valid", "residence_village"),
        RowRule("registered_village_valid", "registered_village"),
        RowRule("village_in_township", "residence_village"),
        RowRule("phone_valid", "phone"),
        RowRule("diagnosis_valid", "diagnosis"),
        RowRule("confirmed_on_valid", "confirmed_on"),
        RowRule("psychiatrist_licence_valid", "psychiatrist_licence"),
        RowRule("stability_valid", "stability"),
        RowRule("last_visited_on_valid", "last_visited_on"),
    ),
    about_people=True,
)

SHEETS = {
    sheet.name: sheet
    for sheet in (
        READINESS,
        COVERAGE,
        REFERRAL,
        ASSESSMENT_OUTCOME,
        FOLLOW_UP,
        SERVICE_MONTH,
        CARE_GROUP,
        REGISTERED_PERSON,
    )
}

SHEETS_OF_PHASE: dict[str, tuple[str, ...]] = {
    "readiness": ("readiness", "care_group"),
    "sweep": ("coverage", "referral"),
    "diagnosis_queue": ("assessment_outcome",),
    "follow_up": ("follow_up", "registered_person"),
    "supervision": ("service_month", "care_group"),
}
"""Which sheets a submission for a phase may hold."""

HEALTH_SHEETS = ("assessment_outcome", "follow_up", "registered_person")
"""Sheets that only the health centre sends: a village holds no diagnosis and no rating."""


@dataclass(frozen=True)
class Identity:
    """What a submission says of itself: which campaign, phase, round, village and template."""

    campaign: str
    phase: str
    round: int
    """0 for a phase that has no rounds."""
    village: str
    template: int


IDENTITY_MARK = "报送标识"
_IDENTITY = re.compile(
    r"campaign=(?P<campaign>[a-z0-9][a-z0-9-]{0,63}) +phase=(?P<phase>[a-z_]{1,32}) +"
    r"round=(?P<round>\d{1,6}) +village=(?P<village>\d{12}) +template=(?P<template>\d{1,4})"
)


def write_identity(identity: Identity) -> str:
    """Return the one cell that stands in A1 above the title of every sheet and CSV.

    One line of plain text survives Excel, WPS, LibreOffice and a save as CSV, where a hidden sheet
    or a document property does not.
    """
    return (
        f"{IDENTITY_MARK} campaign={identity.campaign} phase={identity.phase} "
        f"round={identity.round} village={identity.village} template={identity.template}"
    )


def read_identity(cell: str) -> Identity | None:
    """Return the identity a cell holds, or None where it holds none or a malformed one."""
    if IDENTITY_MARK not in cell:
        return None
    found = _IDENTITY.search(cell)
    if found is None:
        return None
    return Identity(
        campaign=found["campaign"],
        phase=found["phase"],
        round=int(found["round"]),
        village=found["village"],
        template=int(found["template"]),
    )
