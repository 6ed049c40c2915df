"""What a village's readiness checklist falls short of before the work begins.

The lines of the checklist are those of DOMAIN.md section 5 (kept in docs/domain.md): training,
emergency plan, drill, care group, materials. About preparation only: nothing here counts people.
"""

from collections.abc import Mapping

LINES = {
    "training_held": "not_trained",
    "plan_updated": "plan_not_updated",
    "drill_held": "no_drill",
    "care_group_complete": "care_group_incomplete",
    "materials_delivered": "materials_missing",
}
"""Line of the checklist -> the shortfall of a village that has not done it; in order of weight."""

MISSING = "readiness_missing"
"""The shortfall of a village whose checklist did not come, or came back whole."""

READINESS_SHORTFALLS = (MISSING, *LINES.values())
"""In order of weight."""


def judge_readiness(reporting: str, checklist: Mapping[str, bool] | None) -> dict[str, bool | None]:
    """Return for every shortfall whether it holds; None where it is not known.

    `reporting`: the reporting state of the checklist; `checklist`: line -> whether it is done, None
    where no checklist counts. While an extension runs nothing is owed yet.
    """
    missing = {"on_time": False, "late": False, "missing": True, "returned": True}
    lines: dict[str, bool | None] = {
        shortfall: None if checklist is None else not checklist[line]
        for line, shortfall in LINES.items()
    }
    return {MISSING: missing.get(reporting), **lines}


def not_ready(judged: Mapping[str, bool | None]) -> tuple[str, ...]:
    """Return the shortfalls that hold, the weightiest first."""
    return tuple(name for name in READINESS_SHORTFALLS if judged[name])
