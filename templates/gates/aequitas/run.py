"""Aequitas: rates within each group, from its crosstabs.

Demographic parity is read from `pprev`, the share selected within the group; `ppr`, the share of all the selected that
belong to the group, is another thing under a similar name. The library gives ratios; differences are taken here.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from aequitas.group import Group
from common import Problem, main, models, number, with_columns, zero_one


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """The measure and the groups of each attribute."""
    path, frame = with_columns(config["files"], ["label", "prediction", *config["sensitive"]])
    found = {name: attribute(frame, name, config["measure"]) for name in config["sensitive"]}
    return {"file": path, "models": models(frame), "rows": len(frame), "attributes": found}


def attribute(frame: pd.DataFrame, name: str, wanted: str) -> dict[str, Any]:
    """What the library says of one attribute, and what it was given."""
    columns = frame[["prediction", "label", name]]
    if columns.isna().any().any():
        raise Problem(f"`{name}`, `prediction` or `label` has missing values")
    if not (zero_one(frame["prediction"]) and zero_one(frame["label"])):
        return {"value": None, "binary": False, "groups": {}}
    given = columns.rename(columns={"prediction": "score", "label": "label_value"}).astype({name: str})
    crosstabs, _ = Group().get_crosstabs(given.astype({"score": float, "label_value": int}), attr_cols=[name])
    rows = crosstabs[crosstabs["attribute_name"] == name]
    return {"value": number(value(rows, wanted)), "binary": True, "groups": counts(rows)}


def value(rows: pd.DataFrame, wanted: str) -> float:
    """The measure, from the rates of the groups."""
    if wanted == "demographic-parity-difference":
        return spread(rows["pprev"])
    if wanted == "demographic-parity-ratio":
        return float(rows["pprev"].min() / rows["pprev"].max())
    return max(spread(rows["tpr"]), spread(rows["fpr"]))


def spread(rates: pd.Series) -> float:
    """Largest minus smallest."""
    return float(rates.max() - rates.min())


def counts(rows: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Rows, selected, positives, and positives and negatives selected, of every group."""
    return {
        str(row.attribute_value): {
            "rows": int(row.group_size),
            "selected": int(row.pp),
            "positives": int(row.group_label_pos),
            "truePositives": int(row.tp),
            "falsePositives": int(row.fp),
        }
        for row in rows.itertuples()
    }


if __name__ == "__main__":
    main("aequitas", measure)
