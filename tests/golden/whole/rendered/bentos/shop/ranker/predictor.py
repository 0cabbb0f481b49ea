"""The scikit-learn model: loads it, and predicts with rows in the form that it was trained with."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np

INPUTS = ()
NUMERIC = True


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
    """The model in memory. Its form is known from training: named columns, a width, or texts."""

    def __init__(self, folder: Path) -> None:
        self.model = joblib.load(model_file(folder, ".pkl", ".joblib"))
        names = getattr(self.model, "feature_names_in_", None)
        self.width = getattr(self.model, "n_features_in_", None)
        self.named = names is not None
        self.names = fit_names(None if names is None else [str(name) for name in names], self.width)

    def examples(self) -> list:
        """Return a row to warm up with when no inputs are declared."""
        return ["example"] if self.width is None else [[0.0] * self.width]

    def encode(self, rows: list) -> object:
        """Return rows as the model takes them: a table with names, a matrix, or a list of texts."""
        if self.width is None:
            return self._texts(rows)
        if not self.named:
            return matrix(rows, self.names, self.width, float if NUMERIC else object)
        import pandas as pd  # only models trained with named columns need it

        # Undeclared rows are numbers: only a declaration says which columns are texts.
        values = table(rows, self.names) if INPUTS else matrix(rows, self.names, self.width, float)
        return pd.DataFrame(values, columns=self.names)

    def _texts(self, rows: list) -> list:
        if len(INPUTS) > 1:
            return rows
        texts = [row.get(INPUTS[0]) if INPUTS else row for row in rows]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("each row must be a text")
        return texts

    def predict(self, data: object) -> list:
        """Return labels of a classifier, values of a regressor."""
        return np.asarray(self.model.predict(data)).tolist()

    def scores(self, data: object) -> list | None:
        """Return the probability of each class, in the order of `classes_`; None when the model has none."""
        if not hasattr(self.model, "predict_proba"):
            return None
        return np.asarray(self.model.predict_proba(data)).tolist()
