"""Fairlearn: one fairness measure over each sensitive attribute, and the counts of every group.

The method is always `between_groups`; `to_overall` would give another, smaller number under the same name.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from common import Problem, main, models, number, with_columns, zero_one
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


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """The measure and the groups of each attribute."""
    wanted = ["label", "prediction", *config["sensitive"]]
    if config["measure"] != "equalised-odds-difference":
        wanted.remove("label")
    path, frame = with_columns(config["files"], wanted)
    if "label" not in frame.columns:
        frame["label"] = frame["prediction"]  # parity does not look at it; the library wants one
    found = {name: attribute(frame, name, config["measure"]) for name in config["sensitive"]}
    return {"file": path, "models": models(frame), "rows": len(frame), "attributes": found}


def attribute(frame: pd.DataFrame, name: str, wanted: str) -> dict[str, Any]:
    """What the library says of one attribute, and what it was given."""
    if frame[[name, "prediction", "label"]].isna().any().any():
        raise Problem(f"`{name}`, `prediction` or `label` has missing values")
    groups = frame[name].astype(str)
    value = MEASURES[wanted](
        frame["label"], frame["prediction"], sensitive_features=groups, method="between_groups"
    )
    binary = zero_one(frame["prediction"]) and zero_one(frame["label"])
    return {"value": number(value), "binary": binary, "groups": counts(frame, groups) if binary else {}}


def counts(frame: pd.DataFrame, groups: pd.Series) -> dict[str, dict[str, int]]:
    """Rows, selected, positives, and positives and negatives selected, of every group."""
    out = {}
    for name, part in frame.groupby(groups):
        positive = part["label"] == 1
        selected = part["prediction"] == 1
        out[str(name)] = {
            "rows": len(part),
            "selected": int(selected.sum()),
            "positives": int(positive.sum()),
            "truePositives": int((positive & selected).sum()),
            "falsePositives": int((~positive & selected).sum()),
        }
    return out


if __name__ == "__main__":
    main("fairlearn", measure)
