"""Alibi Detect: its Kolmogorov-Smirnov detector over all columns at once.

The library is under the Business Source License 1.1: production use needs a licence of its owner. Sluice neither ships
nor depends on it; this script only runs where a team has chosen the tool.
"""

from __future__ import annotations

from typing import Any

from alibi_detect.cd import KSDrift
from common import Problem, main, number, table


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Distance and p value of each column, and the verdict of the library."""
    reference, current, names = table(config["reference"]), table(config["current"]), config["features"]
    found: dict[str, Any] = {}
    for name in names:
        for where, frame in (("reference", reference), ("current", current)):
            if name not in frame.columns:
                found[name] = {"break": f"the column `{name}` is missing in the {where} window"}
    rows = {"reference": len(reference), "current": len(current)}
    if found:
        return {"features": {name: found.get(name, {"kind": "not judged"}) for name in names}, "rows": rows}
    try:
        one, other = reference[names].to_numpy(float), current[names].to_numpy(float)
    except ValueError as error:
        raise Problem(f"KSDrift compares numbers only: {error}") from error
    detector = KSDrift(one, p_val=config["alpha"], correction="bonferroni")
    data = detector.predict(other, drift_type="feature", return_p_val=True, return_distance=True)["data"]
    for index, name in enumerate(names):
        found[name] = {
            "kind": "numbers",
            "rows": [len(one), len(other)],
            "missing": [float(reference[name].isna().mean()), float(current[name].isna().mean())],
            "distance": number(data["distance"][index]),
            "p": number(data["p_val"][index]),
            "drifted": int(data["is_drift"][index]),
        }
    return {"features": found, "rows": rows}


if __name__ == "__main__":
    main("alibi-detect", measure)
