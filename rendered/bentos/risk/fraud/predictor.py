"""The XGBoost model: loads it, and predicts with columns in its own order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xgboost

INPUTS = ('amount', 'hour', 'merchant_risk')


def model_file(folder: Path, *suffixes: str) -> Path:
    """Return the model file of a folder: BentoML's `saved_model`, or the only file with the first suffix that occurs.

    Raises:
        RuntimeError: there is none, or more than one.
    """
    for suffix in suffixes:
        found = [path for path in sorted(folder.rglob(f"*{suffix}")) if path.name != "custom_objects.pkl"]
        if len(found) == 1:
            return found[0]
        if found:
            raise RuntimeError(f"{folder} contains {len(found)} files *{suffix}; the model must be the only one")
    raise RuntimeError(f"{folder} contains no file that ends in {', '.join(suffixes)}")


def fit_names(names: list[str] | None, width: int | None) -> list[str]:
    """Return the columns in the model's own order.

    Args:
        names: the columns that the model was trained with; None when it has no names.
        width: how many columns it was trained with; None when that is not known.

    Raises:
        RuntimeError: the model was trained with other columns than the spec declares.
    """
    if not INPUTS:
        return names or []
    if names and set(names) != set(INPUTS):
        raise RuntimeError(f"the model was trained with the columns {names}, the spec declares {list(INPUTS)}")
    if width is not None and width != len(INPUTS):
        raise RuntimeError(f"the model was trained with {width} columns, the spec declares {len(INPUTS)}")
    return names or list(INPUTS)


def table(rows: list, names: list[str]) -> list[list]:
    """Return rows as lists, columns in the order of `names`.

    Raises:
        ValueError: a row has other columns.
    """
    if not all(isinstance(row, dict) for row in rows):
        return rows
    if not INPUTS and any(row.keys() != set(names) for row in rows):
        raise ValueError(f"each row must have the columns {names}")
    return [[row.get(name) for name in names] for row in rows]


def matrix(rows: list, names: list[str], width: int, dtype: type) -> np.ndarray:
    """Return rows as a matrix of `width` columns; null becomes NaN.

    Raises:
        ValueError: the rows have another width, or something in them is not a number.
        TypeError: the same.
    """
    values = np.asarray(table(rows, names), dtype=dtype)
    if values.shape != (len(rows), width):
        raise ValueError(f"each row must be {width} numbers")
    return values


class Predictor:
    """The booster in memory. inplace_predict is safe in many threads at once; null is a missing value."""

    def __init__(self, folder: Path) -> None:
        self.booster = xgboost.Booster(model_file=model_file(folder, ".ubj", ".xgb", ".bst", ".json"))
        self.width = self.booster.num_features()
        self.names = fit_names(self.booster.feature_names, self.width)
        learner = json.loads(self.booster.save_config())["learner"]
        self.objective = learner["objective"]["name"]
        # An estimator that stopped early predicts with its best trees; a plain booster predicts with all.
        stopped = self.booster.attr("scikit_learn") and self.booster.attr("best_iteration")
        self.trees = (0, int(stopped) + 1) if stopped else (0, 0)

    def examples(self) -> list:
        """Return a row to warm up with when no inputs are declared."""
        return [[0.0] * self.width]

    def encode(self, rows: list) -> np.ndarray:
        """Return rows as a matrix of 32-bit floats, which the trees compare with."""
        return matrix(rows, self.names, self.width, np.float32)

    def predict(self, data: np.ndarray) -> list:
        """Return labels of a classifier (binary ones cut at one half), values of any other objective."""
        values = self._values(data)
        if self.objective == "binary:logistic":
            return (values > 0.5).astype(int).tolist()
        if self.objective == "multi:softprob":
            return values.argmax(axis=1).tolist()
        return values.tolist()

    def scores(self, data: np.ndarray) -> list | None:
        """Return the probability of the positive class, or of each class; None when the objective has none."""
        if self.objective not in ("binary:logistic", "multi:softprob"):
            return None
        return self._values(data).tolist()

    def _values(self, data: np.ndarray) -> np.ndarray:
        return self.booster.inplace_predict(data, iteration_range=self.trees, validate_features=False)
