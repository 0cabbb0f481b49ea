"""SHAP: how far the reasons of a model have moved between two windows.

Mean absolute attributions of each window, scaled to the sum 1, and half the L1 distance between them: 0 when every
feature matters as much as before, 1 when none does. The interval is a bootstrap over the sampled rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import shap
import xgboost
from common import Problem, main, number, table

DRAWS = 500
TAIL = 0.05
BACKGROUND = 100


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Attributions of both windows and their distance."""
    model = load(Path(config["model"]), config["framework"])
    windows = {key: table(config[key]) for key in ("reference", "current")}
    names = features(model, windows["reference"])
    samples = {key: sampled(frame, names, key, config) for key, frame in windows.items()}
    values, explainer = attributions(model, samples)
    importance = {key: normalised(np.abs(part).mean(axis=0)) for key, part in values.items()}
    low, high = interval(values, config["seed"])
    return {
        "explainer": explainer,
        "distance": number(distance(importance["reference"], importance["current"])),
        "low": number(low),
        "high": number(high),
        "rows": {key: len(part) for key, part in samples.items()},
        "features": {
            name: {key: number(part[index]) for key, part in importance.items()}
            for index, name in enumerate(names)
        },
    }


def load(path: Path, framework: str) -> Any:
    """The model in a file or a folder; its digest was compared with the lock before this script ran."""
    files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
    for file in files:
        if (
            framework == "xgboost"
            and file.suffix in {".ubj", ".json", ".model"}
            and file.stem != "input_example"
        ):
            booster = xgboost.Booster()
            booster.load_model(file)
            return booster
        if framework == "lightgbm" and file.suffix in {".txt", ".lgb"}:
            import lightgbm  # needs the system's OpenMP, which the other frameworks bring themselves

            return lightgbm.Booster(model_file=str(file))
        if framework == "sklearn" and file.suffix in {".pkl", ".pickle", ".joblib"}:
            return joblib.load(file)
    raise Problem(f"{path.name} holds no {framework} model that this tool can load")


def is_lightgbm(model: Any) -> bool:
    """Whether a model is a booster of LightGBM, told without importing it."""
    return (type(model).__module__, type(model).__name__) == ("lightgbm.basic", "Booster")


def features(model: Any, frame: pd.DataFrame) -> list[str]:
    """Columns in the order of the model; one that the data lack is a problem."""
    found = getattr(model, "feature_names", None)
    names = (
        found
        or list(getattr(model, "feature_names_in_", ()))
        or (model.feature_name() if is_lightgbm(model) else [])
    )
    names = list(names or frame.select_dtypes("number").columns)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise Problem(f"the data lack what the model wants: {', '.join(missing)}")
    return names


def sampled(frame: pd.DataFrame, names: list[str], window: str, config: dict[str, Any]) -> pd.DataFrame:
    """At most `rows` rows; the seed makes the choice repeatable."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise Problem(f"the {window} window lacks what the model wants: {', '.join(missing)}")
    part = frame[names]
    return part.sample(config["rows"], random_state=config["seed"]) if len(part) > config["rows"] else part


def attributions(model: Any, samples: dict[str, pd.DataFrame]) -> tuple[dict[str, np.ndarray], str]:
    """Attributions (rows, features) of each window: exact for trees, sampled permutations for anything else."""
    if isinstance(model, xgboost.Booster) or is_lightgbm(model):
        explainer = shap.TreeExplainer(model)
    else:
        background = samples["reference"].head(BACKGROUND)
        explainer = shap.Explainer(score(model), background, seed=0)
    return {key: positive(explainer(part).values) for key, part in samples.items()}, type(explainer).__name__


def score(model: Any) -> Any:
    """What is explained: the probability of the last class, or the prediction itself."""
    if hasattr(model, "predict_proba"):
        return lambda rows: model.predict_proba(rows)[:, -1]
    return model.predict


def positive(values: np.ndarray) -> np.ndarray:
    """Of several classes, the last."""
    return values[:, :, -1] if values.ndim == 3 else values


def normalised(importance: np.ndarray) -> np.ndarray:
    """Scaled to the sum 1.

    Raises:
        Problem: nothing matters to the model, or an attribution is no number.
    """
    total = importance.sum()
    if not np.isfinite(total) or total <= 0:
        raise Problem("the attributions are all zero, or no numbers")
    return importance / total


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Half the L1 distance."""
    return float(np.abs(one - other).sum() / 2)


def interval(values: dict[str, np.ndarray], seed: int) -> tuple[float, float]:
    """Interval of the distance from resampled rows, kept within 0 and 1.

    A resampled distance is biased upward, as the estimate itself is: the upper end is its quantile, the lower end that
    quantile reflected at the estimate. Both err on the wide side.
    """
    rng = np.random.default_rng(seed)
    parts = {key: np.abs(part) for key, part in values.items()}
    seen = distance(*(normalised(part.mean(axis=0)) for part in parts.values()))
    draws = []
    for _ in range(DRAWS):
        means = [part[rng.integers(0, len(part), len(part))].mean(axis=0) for part in parts.values()]
        draws.append(distance(*map(normalised, means)))
    high = np.quantile(draws, 1 - TAIL)
    return max(0.0, min(seen, 2 * seen - high)), min(1.0, max(high, seen))


if __name__ == "__main__":
    main("shap", measure)
