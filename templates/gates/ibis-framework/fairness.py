"""Joint counts of groups, predictions and labels in data of any size, and the measure by Fairlearn from these counts.

One query counts days, models, all attributes, predictions and labels together, so each row is read once.

Fairlearn gets one row for each group, label and prediction, with its count as the weight: the same number as from rows.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from _days import by_day, check_days, dates
from _engine import Opened, open_source
from common import Problem, main, number
from fairlearn.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
)

MEASURES = {
    "demographic-parity-difference": demographic_parity_difference,
    "demographic-parity-ratio": demographic_parity_ratio,
    "equalised-odds-difference": equalized_odds_difference,
}
GROUPS = 1_000
TOGETHER = 100_000
"""Combinations up to which everything is counted together; beyond, each attribute alone."""


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """The measure and the groups of each attribute."""
    names = ["label", "prediction", *config["sensitive"]]
    if config["measure"] != "equalised-odds-difference":
        names.remove("label")
    opened = open_source(config["source"], names)
    for name in names:
        if name in opened.breaks or opened.kind(name) == "missing":
            raise Problem(opened.breaks.get(name) or f"the column `{name}` is missing")
    labelled = "label" in names
    found = joint(opened, config["sensitive"], labelled=labelled)
    if found is None:
        check_days(opened, by_day(opened, []))
        tables = {name: joint(opened, [name], labelled=labelled, dated=False) for name in config["sensitive"]}
    else:
        days = found.groupby("day", dropna=False)["rows"].sum()
        check_days(opened, [{"day": day if day == day else None, "rows": int(n)} for day, n in days.items()])
        tables = dict.fromkeys(config["sensitive"], found)
    attributes = {name: attribute(table, name, config["measure"]) for name, table in tables.items()}
    known = next(table for table in tables.values() if table is not None)
    return {
        "models": sorted(known["model"].dropna().astype(str).unique())
        if "model" in opened.rows.columns
        else [],
        "attributes": attributes,
        "dates": {"current": dates(opened)},
        "engine": opened.engine,
    }


def joint(opened: Opened, sensitive: list[str], *, labelled: bool, dated: bool = True) -> pd.DataFrame | None:
    """Rows of each combination of day, model, attributes, prediction and label; None if there are too many."""
    rows = opened.rows
    keys = {name: rows[name].cast("string") for name in sensitive}
    keys |= {"chosen": rows["prediction"].cast("float64")}
    keys |= {"positive": rows["label"].cast("float64")} if labelled else {}
    keys |= {"model": rows["model"].cast("string")} if "model" in rows.columns else {}
    keys |= {"day": opened.day} if dated else {}
    counts = rows.group_by(**keys).aggregate(rows=rows.count()).limit(TOGETHER + 1)
    found = opened.fetch(counts).to_pandas()
    if len(found) > TOGETHER:
        return None
    return found if labelled else found.assign(positive=found["chosen"])


def attribute(table: pd.DataFrame | None, name: str, wanted: str) -> dict[str, Any]:
    """The counts of one attribute, and what the library says of them."""
    if table is None or table[name].nunique() > GROUPS:
        raise Problem(f"`{name}` has more than {GROUPS:,} groups")
    if table[[name, "chosen", "positive"]].isna().any(axis=None):
        raise Problem(f"`{name}`, `prediction` or `label` has missing values")
    if not table[["chosen", "positive"]].isin([0.0, 1.0]).all(axis=None):
        return {"value": None, "binary": False, "groups": {}}
    groups = {str(key): group(rows) for key, rows in table.groupby(name)}
    return {"value": number(value(groups, wanted)), "binary": True, "groups": groups}


def group(rows: pd.DataFrame) -> dict[str, int]:
    """The counts of one group."""
    selected, positive = rows["chosen"] == 1.0, rows["positive"] == 1.0
    return {
        "rows": int(rows["rows"].sum()),
        "selected": int(rows["rows"][selected].sum()),
        "positives": int(rows["rows"][positive].sum()),
        "truePositives": int(rows["rows"][selected & positive].sum()),
        "falsePositives": int(rows["rows"][selected & ~positive].sum()),
    }


def value(groups: dict[str, dict[str, int]], wanted: str) -> float:
    """The measure by Fairlearn, from weighted rows."""
    rows = []
    for name, c in groups.items():
        right, wrong = c["truePositives"], c["falsePositives"]
        missed, spared = c["positives"] - right, c["rows"] - c["positives"] - wrong
        rows += [(name, 1, 1, right), (name, 0, 1, wrong), (name, 1, 0, missed), (name, 0, 0, spared)]
    frame = pd.DataFrame(rows, columns=["group", "label", "prediction", "weight"])
    frame = frame[frame["weight"] > 0]
    return MEASURES[wanted](
        frame["label"],
        frame["prediction"],
        sensitive_features=frame["group"],
        method="between_groups",
        sample_weight=frame["weight"],
    )


if __name__ == "__main__":
    main("ibis-framework", measure)
