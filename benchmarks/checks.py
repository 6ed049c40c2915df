"""The checks of staged referrals: our suite, one statement by hand, the same suite on a data frame.

All three look at the same rows of a register, name the rows that break a rule, and count them by
rule; the counts are compared.
"""

from collections.abc import Mapping

import great_expectations.expectations as gxe
import pandas as pd

from benchmarks.delivery import SLUG
from benchmarks.office import failing_by_rule
from tasks.checks import check_tables
from tasks.rules.contract import SHEETS, VERDICTS
from tasks.store import Store

RULES = tuple(rule.name for rule in SHEETS["referral"].rules)
Counts = Mapping[str, int]
"""Row rule -> how many rows break it, of those that any break."""

_TABLE_RULES = {
    "verdict_known": f"verdict NOT IN {VERDICTS}",
    "accepted_holds_all": "verdict = 'accepted' AND len(failed_rules) > 0",
    "returned_has_reason": "verdict = 'returned' AND len(failed_rules) = 0",
    "current_is_accepted": "is_current AND verdict <> 'accepted'",
    "only_accepted_identified": "verdict <> 'accepted' AND (full_name IS NOT NULL "
    "OR phone IS NOT NULL OR resident_key IS NOT NULL OR birth_date IS NOT NULL "
    "OR contact_name IS NOT NULL)",
    "consent_complete": "is_current AND (consent_by IS NULL OR consent_date IS NULL "
    "OR consent_scope IS NULL)",
}
_KEY = "campaign, phase, round, sender_village, row_key"


def ours(store: Store) -> Counts:
    """Run the suite as the list's phase does, and count what the rows' own verdicts say."""
    check_tables(
        store, ("stg_referral",), campaign=SLUG, phase="list_compilation", round=0, revision=1
    )
    return dict(store.rows("check/rule_count", sheet="referral"))


def by_hand(store: Store) -> Counts:
    """Count and name the rows that break a rule, in one scan; one key twice in another."""
    held = ", ".join(f"count(*) FILTER (NOT {name})" for name in RULES)
    broken = ", ".join(f"count(*) FILTER ({rule})" for rule in _TABLE_RULES.values())
    failed = " OR ".join(f"NOT {name}" for name in RULES)
    counts = store.connection.execute(
        f"SELECT {held}, {broken}, "  # noqa: S608 # names of the contract
        f"list((submission_id, row_number)) FILTER ({failed}), "
        f"(SELECT count(*) FROM (SELECT 1 FROM register.stg_referral WHERE is_current "
        f"GROUP BY {_KEY} HAVING count(*) > 1)) FROM register.stg_referral"
    ).fetchall()[0]
    if any(counts[len(RULES) : -2]) or counts[-1]:
        raise SystemExit("a table rule is broken")
    return {name: count for name, count in zip(RULES, counts, strict=False) if count}


def frame_of(store: Store) -> pd.DataFrame:
    """Return the rows as a data frame; with a column a table rule, whether the row breaks it."""
    broken = ", ".join(f"{rule} AS {name}" for name, rule in _TABLE_RULES.items())
    columns = ", ".join((*RULES, _KEY, "is_current", "submission_id", "row_number"))
    frame: pd.DataFrame = store.connection.execute(
        f"SELECT {columns}, {broken} FROM register.stg_referral"  # noqa: S608 # as above
    ).df()
    return frame


def on_a_frame(frame: pd.DataFrame) -> Counts:
    """Run the same rules as Great Expectations on a data frame, with the rows that fail them."""
    keys = _KEY.split(", ")
    twice = frame["is_current"] & frame[frame["is_current"]].duplicated(keys).reindex(
        frame.index, fill_value=False
    )
    looked_at = frame.assign(one_current_a_key=twice)
    rules = dict.fromkeys(RULES, True)
    tables = dict.fromkeys((*_TABLE_RULES, "one_current_a_key"), False)
    expectations = [
        gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[value])
        for name, value in {**rules, **tables}.items()
    ]
    found = [len(rows) for rows in failing_by_rule(looked_at, expectations)]
    if any(found[len(rules) :]):
        raise SystemExit("a table rule is broken")
    return {name: count for name, count in zip(rules, found, strict=False) if count}
