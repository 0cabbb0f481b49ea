"""Two-sample tests and the population stability index, one column at a time, by SciPy.

Nothing is decided here: the report holds, for each column, the distance, the p value and what was counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from common import main, number, table
from scipy import stats

BINS = 10
FLOOR = 1e-4
"""Share put into an empty bin: the index is infinite without one."""


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """All columns, and the dates that the windows say they span."""
    reference, current = table(config["reference"]), table(config["current"])
    found = {name: column(reference, current, name, config["tool"]) for name in config["features"]}
    return {
        "features": found,
        "rows": {"reference": len(reference), "current": len(current)},
        "dates": {"reference": dates(reference), "current": dates(current)},
    }


def dates(frame: pd.DataFrame) -> list[str]:
    """First and last day of the column `date` or `timestamp`; nothing without one."""
    name = next((name for name in ("date", "timestamp") if name in frame.columns), None)
    if name is None:
        return []
    days = pd.to_datetime(frame[name]).dt.strftime("%Y-%m-%d")
    return [str(days.min()), str(days.max())]


def column(reference: pd.DataFrame, current: pd.DataFrame, name: str, tool: str) -> dict[str, Any]:
    """One column: a break of the schema, or what the test says."""
    for where, frame in (("reference", reference), ("current", current)):
        if name not in frame.columns:
            return {"break": f"the column `{name}` is missing in the {where} window"}
    kinds = kind(reference[name]), kind(current[name])
    if kinds[0] != kinds[1]:
        return {"break": f"the column `{name}` was {kinds[0]} and is {kinds[1]}"}
    one, other = reference[name].dropna(), current[name].dropna()
    found = {
        "kind": kinds[0],
        "rows": [len(one), len(other)],
        "missing": [float(reference[name].isna().mean()), float(current[name].isna().mean())],
    }
    if not len(one) or not len(other) or (tool in {"ks", "psi"} and kinds[0] != "numbers"):
        return found
    return found | TESTS[tool](one, other)


def kind(series: pd.Series) -> str:
    """Numbers, or anything else as text."""
    numeric = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    return "numbers" if numeric else "text"


def kolmogorov(one: pd.Series, other: pd.Series) -> dict[str, Any]:
    """Distance of Kolmogorov and Smirnov with its asymptotic p value."""
    test = stats.ks_2samp(one.to_numpy(float), other.to_numpy(float), method="asymp")
    return {"distance": number(test.statistic), "p": number(test.pvalue)}


def chi_square(one: pd.Series, other: pd.Series) -> dict[str, Any]:
    """Pearson's test of homogeneity; the effect is Cramer's V as windows of one size would show it."""
    counts = pd.DataFrame({"one": one.astype(str).value_counts(), "other": other.astype(str).value_counts()})
    observed = counts.fillna(0).sort_index().to_numpy()
    if len(observed) == 1:
        return {"distance": 0.0, "p": 1.0, "categories": 1, "smallestExpected": float(observed.min())}
    test = stats.chi2_contingency(observed, correction=False)
    return {
        "distance": number(np.sqrt(test.statistic * (len(one) + len(other)) / (4 * len(one) * len(other)))),
        "p": number(test.pvalue),
        "categories": len(observed),
        "smallestExpected": number(test.expected_freq.min()),
    }


def stability(one: pd.Series, other: pd.Series) -> dict[str, Any]:
    """Population stability index over tenths of the reference; values that repeat share a bin."""
    edges = np.unique(np.quantile(one.to_numpy(float), np.linspace(0, 1, BINS + 1)[1:-1]))
    if one.nunique() == 1:  # smaller values would share its bin, and look equal
        edges = np.array([np.nextafter(edges[0], -np.inf), edges[0]])
    shares = [
        np.maximum(
            np.bincount(np.searchsorted(edges, s.to_numpy(float)), minlength=len(edges) + 1) / len(s), FLOOR
        )
        for s in (one, other)
    ]
    index = np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0]))
    return {"distance": number(index), "bins": len(edges) + 1}


TESTS = {"ks": kolmogorov, "chi2": chi_square, "psi": stability}

if __name__ == "__main__":
    main("scipy", measure)
