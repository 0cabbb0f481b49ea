"""Two models on the same rows: rows that only one gets right, or a bootstrap of the mean difference.

A table has the columns `label`, `prediction` and `champion` (what the serving model predicts), or, for a metric M that
is a mean over rows or queries, `M` and `champion_M`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from common import Problem, main, models, number, table

DRAWS = 2000
SEED = 20261123


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """The first table that tells both models apart row by row; `paired` is empty when none does."""
    metric = config["metric"]
    for path in config["files"]:
        frame = table(path)
        if {metric, f"champion_{metric}"} <= set(frame.columns):
            found = bootstrap(frame[metric], frame[f"champion_{metric}"], config["tail"])
        elif {"label", "prediction", "champion"} <= set(frame.columns) and config["share"]:
            found = discordant(frame)
        else:
            continue
        return {"file": path, "models": models(frame), "paired": found}
    return {"file": "", "models": [], "paired": {}}


def discordant(frame: pd.DataFrame) -> dict[str, Any]:
    """Rows that only one of the models gets right."""
    if frame[["label", "prediction", "champion"]].isna().any().any():
        raise Problem("`label`, `prediction` or `champion` has missing values")
    ours, theirs = frame["prediction"] == frame["label"], frame["champion"] == frame["label"]
    return {
        "rows": len(frame),
        "right": int(ours.sum()),
        "championRight": int(theirs.sum()),
        "only": int((ours & ~theirs).sum()),
        "championOnly": int((theirs & ~ours).sum()),
    }


def bootstrap(ours: pd.Series, theirs: pd.Series, tail: float) -> dict[str, Any]:
    """Percentile interval of the mean difference over resampled rows; the seed is fixed."""
    differences = (ours - theirs).to_numpy(float)
    if not np.isfinite(differences).all():
        raise Problem("a row has no number for one of the models")
    rng, n = np.random.default_rng(SEED), len(differences)
    means = [differences[rng.integers(0, n, n)].mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, [tail, 1 - tail])
    return {
        "rows": n,
        "value": number(ours.mean()),
        "champion": number(theirs.mean()),
        "difference": number(differences.mean()),
        "low": number(low),
        "high": number(high),
        "draws": DRAWS,
        "seed": SEED,
    }


if __name__ == "__main__":
    main("scipy", measure)
