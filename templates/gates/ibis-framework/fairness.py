"""Joint counts of groups, predictions and labels in data of any size, and the measure by Fairlearn from these counts.

Fairlearn gets one row for each group, label and prediction, with its count as the weight: the same number as from rows.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from _engine import Opened, dates, open_source
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
MODELS = 5


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """The measure and the groups of each attribute."""
    names = ["label", "prediction", *config["sensitive"]]
    if config["measure"] != "equalised-odds-difference":
        names.remove("label")
    opened = open_source(config["source"], names)
    for name in names:
        if name in opened.breaks or opened.kind(name) == "missing":
            raise Problem(opened.breaks.get(name) or f"the column `{name}` is missing")
    found = {name: attribute(opened, name, config["measure"]) for name in config["sensitive"]}
    return {
        "models": models(opened),
        "attributes": found,
        "dates": {"current": dates(opened)},
        "engine": opened.engine,
    }


def attribute(opened: Opened, name: str, wanted: str) -> dict[str, Any]:
    """The counts of one attribute, and what the library says of them."""
    rows = opened.rows
    chosen = rows["prediction"].cast("float64")
    positive = (
        rows["label"].cast("float64") if "label" in rows.columns and wanted.startswith("equal") else chosen
    )
    odd = ~(chosen.isin([0.0, 1.0]) & positive.isin([0.0, 1.0]))
    grouped = rows.group_by(rows[name].cast("string").name("group"))
    found = grouped.aggregate(
        rows=rows.count(),
        missing=(chosen.isnull() | positive.isnull()).sum(),
        odd=odd.sum(),
        selected=(chosen == 1.0).sum(),
        positives=(positive == 1.0).sum(),
        truePositives=((chosen == 1.0) & (positive == 1.0)).sum(),
    )
    counted = found.limit(GROUPS + 1).to_pyarrow().to_pylist()
    if any(row["group"] is None or row["missing"] for row in counted):
        raise Problem(f"`{name}`, `prediction` or `label` has missing values")
    if len(counted) > GROUPS:
        raise Problem(f"`{name}` has more than {GROUPS:,} groups")
    if any(row["odd"] for row in counted):
        return {"value": None, "binary": False, "groups": {}}
    groups = {row["group"]: group(row) for row in sorted(counted, key=lambda row: row["group"])}
    return {"value": number(value(groups, wanted)), "binary": True, "groups": groups}


def group(row: dict[str, Any]) -> dict[str, int]:
    """The counts of one group."""
    names = ("rows", "selected", "positives", "truePositives")
    return {
        **{key: int(row[key]) for key in names},
        "falsePositives": int(row["selected"] - row["truePositives"]),
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


def models(opened: Opened) -> list[str]:
    """The digests of the models that the rows say they are about: the column `model`."""
    if "model" not in opened.rows.columns:
        return []
    found = opened.rows.select("model").distinct().limit(MODELS).to_pyarrow()["model"].to_pylist()
    return sorted(map(str, found))


if __name__ == "__main__":
    main("ibis-framework", measure)
