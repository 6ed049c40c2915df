"""The same figures as an office would get them: pandas, and Great Expectations on data frames."""

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import great_expectations.expectations as gxe
import numpy as np
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.delivery import Delivery
from benchmarks.figures import Figures, rounded
from tasks.rules.contract import SHEETS

_CAME = pd.Timestamp("2025-10-28")
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789", "-")
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CODE = r"^\d{12}$"
_PHONE = r"^(1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7})$"
_KINDS = {
    "居家": "home",
    "住院": "hospital",
    "福利机构": "welfare_institution",
    "其他机构": "other_institution",
    "无法联系": "not_reachable",
}


def publish_all(delivery: Delivery) -> Figures:
    """Read the files, check and link their rows, and return what may be seen of the counts."""
    villages = [village.code for village in delivery.plan.villages]
    walked = _read("coverage", delivery.coverage)
    people = _typed(_read("referral", delivery.referral), villages)
    people = people.drop(index=failing(people, _expectations(villages)))
    people = people.drop_duplicates(["sender", "key"])
    return {**_household_figures(walked), **_people_figures(people)}


def failing(frame: pd.DataFrame, expectations: Iterable[Any]) -> list[int]:
    """Return the index of all rows that Great Expectations finds at fault."""
    return sorted({row for rows in failing_by_rule(frame, expectations) for row in rows})


def failing_by_rule(frame: pd.DataFrame, expectations: Iterable[Any]) -> list[list[int]]:
    """Return for each expectation the index of the rows that fail it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("office").add_dataframe_asset("people")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        suite = gx.ExpectationSuite("people", expectations=list(expectations))
        checked = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    return [result.result.get("unexpected_index_list") or [] for result in checked.results]


def _read(sheet: str, files: Sequence[Path]) -> pd.DataFrame:
    names = [column.name for column in SHEETS[sheet].columns]
    frames = [
        pd.read_csv(
            path, skiprows=2, names=names, dtype=str, encoding="utf-8-sig", keep_default_na=False
        ).assign(sender=path.name[:12])
        for path in files
    ]
    return pd.concat(frames, ignore_index=True)


def _typed(people: pd.DataFrame, villages: Sequence[str]) -> pd.DataFrame:
    people = people.apply(lambda cells: cells.str.strip())
    for name in ("phone", "contact_phone"):
        people[name] = people[name].str.translate(_DIGITS)
    for name in ("birth_date", "consent_date"):
        days = people[name].str.replace(".", "-", regex=False)
        people[name] = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce")
    people["observed_signs"] = people["observed_signs"].str.replace("，", ",", regex=False)
    people["row_no"] = pd.to_numeric(people["row_no"], errors="coerce")
    people["resident_id"] = people["resident_id"].str.upper()
    blank = people["resident_id"] == ""
    described = people["full_name"] + "|" + people["birth_date"].astype(str) + "|" + people["sex"]
    people["key"] = people["resident_id"].where(~blank, described)
    people["id_holds"] = blank | _id_holds(people)
    people["in_township"] = people["residence_village"].isin(villages) | people[
        "registered_village"
    ].isin(villages)
    adult_on = people["birth_date"] + pd.DateOffset(years=18)
    people["adult"] = (adult_on <= people["consent_date"]) | adult_on.isna()
    return people


def _id_holds(people: pd.DataFrame) -> pd.Series:
    """Return whether each number has its form and check digit, and names birth date and sex."""
    holds = pd.Series(False, index=people.index)
    formed = people[people["resident_id"].str.fullmatch(r"(?!.*000$)[1-9]\d{16}[0-9X]")]
    if formed.empty:
        return holds
    signs = np.array([list(map(ord, number)) for number in formed["resident_id"]]) - ord("0")
    last = np.array([ord(sign) - ord("0") for sign in "10X98765432"])
    checks = last[signs[:, :17] @ _WEIGHTS % 11] == signs[:, 17]
    born = formed["resident_id"].str[6:14] == formed["birth_date"].dt.strftime("%Y%m%d")
    sex = (signs[:, 16] % 2 == 1) == (formed["sex"] == "男").to_numpy()
    holds.loc[formed.index] = checks & born.to_numpy() & sex
    return holds


def _expectations(villages: Sequence[str]) -> list[Any]:
    def one_of(column: str, *values: object) -> Any:
        return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(values))

    def like(column: str, pattern: str) -> Any:
        return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=pattern)

    def between(column: str, least: object, most: object) -> Any:
        return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=least, max_value=most)

    def known(column: str) -> Any:
        return gxe.ExpectColumnValuesToNotBeNull(column=column)

    return [
        one_of("consent_by", "本人", "监护人", "近亲属"),
        known("consent_date"),
        between("consent_date", pd.Timestamp("1900-01-01"), _CAME),
        one_of("consent_scope", "评估", "评估和管理"),
        known("row_no"),
        between("row_no", 1, None),
        like("full_name", r"^[^\d=+@]{2,40}$"),
        one_of("sex", "男", "女"),
        known("birth_date"),
        between("birth_date", pd.Timestamp("1900-01-01"), _CAME),
        one_of("adult", True),
        one_of("id_holds", True),
        like("residence_village", _CODE),
        like("registered_village", rf"^$|{_CODE}"),
        one_of("in_township", True),
        like("phone", rf"^$|{_PHONE}"),
        like("contact_name", r"^$|^[^\d=+@]{2,40}$"),
        one_of(
            "contact_relation",
            "",
            "配偶",
            "父母",
            "子女",
            "兄弟姐妹",
            "其他亲属",
            "监护人",
            "其他",
        ),
        like("contact_phone", rf"^$|{_PHONE}"),
        one_of("referred_by", "本人", "近亲属", "监护人", "村医", "民政"),
        one_of("care_setting", *_KINDS),
        like("observed_signs", r"^$|^([1-9]|1[01])(,([1-9]|1[01]))*$"),
        one_of("urgency", "常规", "尽快"),
    ]


def _household_figures(walked: pd.DataFrame) -> Figures:
    names = ["households", "households_visited", "households_declined", "no_consent_count"]
    walked[names] = walked[names].apply(pd.to_numeric, errors="coerce")
    within = walked["households_visited"] + walked["households_declined"] <= walked["households"]
    of_village = walked[within].groupby("village_code")[names].sum()
    rows = {**of_village.T.to_dict(), "": of_village.sum().to_dict()}
    found: dict[tuple[str, str], float | None] = {}
    for village, row in rows.items():
        found |= {(name, village): float(row[name]) for name in names[:3]}
        share = 100.0 * row["households_visited"] / row["households"]
        found["coverage", village] = round(share, 1)
    found["no_consent", ""] = rounded(int(rows[""]["no_consent_count"]))
    return found


def _people_figures(people: pd.DataFrame) -> Figures:
    people = people.assign(person=_components(people))
    latest = people.sort_values(["consent_date", "sender", "row_no"], ascending=False)
    persons = latest.drop_duplicates("person")
    found = {("referrals", code): rounded(n) for code, n in people["sender"].value_counts().items()}
    responsible = persons["residence_village"].value_counts()
    found |= {("people_listed", code): rounded(n) for code, n in responsible.items()}
    found["referrals", ""] = rounded(len(people))
    found["people_listed", ""] = found["people_new", ""] = rounded(len(persons))
    settings = persons["care_setting"].value_counts()
    found |= {
        (f"people_{name}", ""): rounded(int(settings.get(word, 0))) for word, name in _KINDS.items()
    }
    return found


def _components(people: pd.DataFrame) -> np.ndarray:
    """Return whom each row is about, as a number: rows that the certain rules link are one."""
    told = people.reset_index(drop=True).reset_index(names="node")
    told["id"] = told["resident_id"].replace("", None)
    by_id = told.dropna(subset="id").merge(told.dropna(subset="id"), on="id")
    by_name = told.merge(told, on=["full_name", "birth_date"])
    by_name = by_name[by_name["node_x"] < by_name["node_y"]]
    differ = (
        by_name["id_x"].notna() & by_name["id_y"].notna() & (by_name["id_x"] != by_name["id_y"])
    )
    phone = (by_name["phone_x"] == by_name["phone_y"]) & (by_name["phone_x"] != "")
    home = (by_name["sex_x"] == by_name["sex_y"]) & (
        by_name["residence_village_x"] == by_name["residence_village_y"]
    )
    by_name = by_name[~differ & (phone | home)]
    pairs = pd.concat([each[["node_x", "node_y"]] for each in (by_id, by_name)])
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs["node_x"], pairs["node_y"])), shape=(len(told), len(told)))
    _, labels = connected_components(graph, directed=False)
    return labels
