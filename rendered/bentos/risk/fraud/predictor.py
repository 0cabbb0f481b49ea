"""The XGBoost model: loads it, and predicts with columns in its own order."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path

import numpy as np
import xgboost

INPUTS = ('amount', 'hour', 'merchant_risk')


def head(path: Path) -> bytes:
    """Return the start of a file, which shows its format."""
    with path.open("rb") as stream:
        return stream.read(256)


def model_file(folder: Path, start: bytes) -> Path:
    """Return the only file of a folder whose content starts as a regular expression says; names do not count.

    Raises:
        RuntimeError: there is none, or more than one.
    """
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "custom_objects.pkl"]
    found = [path for path in paths if re.match(start, head(path), re.DOTALL)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RuntimeError(f"{folder} contains no such model: {', '.join(path.name for path in paths)}")
    names = ", ".join(path.relative_to(folder).as_posix() for path in found)
    raise RuntimeError(f"{folder} contains {len(found)} files that can be the model, name one as `model.file` in the spec: {names}")


EXACT = {  # kind of a dtype: the JSON values that it holds as they are
    "f": {int, float, type(None)},
    "i": {int},
    "u": {int},
    "b": {bool},
    "U": {str},
    "O": {str, int, float, bool, type(None)},
}


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
    if width is not None and width != 3:
        raise RuntimeError(f"the model was trained with {width} columns, the spec declares 3")
    return names or list(INPUTS)


def table(rows: list, names: list[str]) -> list[list]:
    """Return rows as lists, columns in the order of `names`.

    Raises:
        ValueError: a row has other columns.
    """
    if not all(isinstance(row, dict) for row in rows):
        return rows
    if not names:
        raise ValueError("the model has no names of columns: send each row as a list")
    if not INPUTS and any(row.keys() != set(names) for row in rows):
        raise ValueError(f"each row must have the columns {names}")
    return [[row.get(name) for name in names] for row in rows]


def exact(values: list, dtype: np.dtype, name: str) -> np.ndarray:
    """Return values of one column in the model's type. None of them is changed: 1.5 is not an integer, "7" is not a number.

    JSON has one type of number, so a 32-bit float is the nearest one. null is NaN, which only floats have.

    Raises:
        ValueError: the type does not have one of the values.
    """
    dtype = np.dtype(dtype)
    kind = dtype.kind
    types = set(map(type, values))
    if kind in "iu" and INPUTS and float in types:  # of a column that is declared a number
        values = [int(v) if type(v) is float and v.is_integer() and abs(v) <= 2**53 else v for v in values]
        types = set(map(type, values))
    if kind in "iuf" and INPUTS and bool in types:  # of a column that is declared a boolean
        values = [float(v) if type(v) is bool and kind == "f" else int(v) if type(v) is bool else v for v in values]
        types = set(map(type, values))
    if odd := types - EXACT[kind]:
        found = ", ".join(sorted("null" if one is type(None) else one.__name__ for one in odd))
        raise ValueError(f"column {name!r}: the model takes {dtype}, not {found}")
    if kind in "iu" and (min(values) < np.iinfo(dtype).min or max(values) > np.iinfo(dtype).max):
        raise ValueError(f"column {name!r}: the number is outside the range of {dtype}")
    column = np.asarray(values, dtype=dtype)
    if kind == "f" and np.isinf(column).any():
        raise ValueError(f"column {name!r}: the number is outside the range of {dtype}")
    return column


def matrix(rows: list, names: list[str], width: int, dtype: np.dtype) -> np.ndarray:
    """Return rows as a matrix of `width` columns, each value as it is; null becomes NaN.

    Raises:
        ValueError: the rows have another width, or the type does not have one of the values.
    """
    values = table(rows, names)
    if any(not isinstance(row, list) or len(row) != width for row in values):
        raise ValueError(f"each row must be {width} values")
    if np.dtype(dtype).kind == "f" and set(map(type, chain.from_iterable(values))) <= EXACT["f"]:
        numbers = np.asarray(values, dtype=dtype)
        if not np.isinf(numbers).any():
            return numbers
    columns = zip(*values, strict=True)
    return np.stack([exact(list(one), dtype, names[i] if names else str(i)) for i, one in enumerate(columns)], axis=1)


def coded(rows: list[list], categories: dict[int, dict], *, unseen: bool) -> list[list]:
    """Return rows with the number of each category; null stays null.

    Args:
        rows: the columns in the model's own order.
        categories: the number of each category, by the position of its column.
        unseen: a category that training did not have is a missing value.

    Raises:
        ValueError: a row has a category that training did not have.
    """
    if not categories:
        return rows
    if any(not isinstance(row, list) or len(row) <= max(categories) for row in rows):
        raise ValueError(f"each row must have more than {max(categories)} columns")
    rows = [list(row) for row in rows]
    for row in rows:
        for index, codes in categories.items():
            if not unseen and row[index] is not None and row[index] not in codes:
                raise ValueError(f"column {index + 1} has a category that the model was not trained with")
            row[index] = codes.get(row[index])
    return rows


def trained_categories(booster: xgboost.Booster) -> dict[int, dict[str, int]]:
    """Return the number of each category that training had, by the position of its column."""
    if "c" not in (booster.feature_types or ()):
        return {}
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    model = model.get("gbtree", model)["model"]  # dart holds its trees one level deeper
    found = {}
    for index, column in enumerate(model.get("cats", {}).get("enc", ())):
        raw, ends = bytes(value % 256 for value in column["values"]), column.get("offsets", ())
        if not ends:
            continue
        pairs = zip(ends, ends[1:], strict=False)
        found[index] = {raw[a:b].decode(errors="replace"): code for code, (a, b) in enumerate(pairs)}
    return found


class Predictor:
    """The booster in memory. inplace_predict is safe in many threads at once; null is a missing value."""

    rowwise = True  # the answer for a row does not depend on the others

    def __init__(self, folder: Path) -> None:
        self.booster = xgboost.Booster(model_file=model_file(folder, rb"\{L.{8}learner|\{\s*\"learner\""))
        self.width = self.booster.num_features()
        self.names = fit_names(self.booster.feature_names, self.width)
        learner = json.loads(self.booster.save_config())["learner"]
        self.categories = trained_categories(self.booster)
        self.objective = learner["objective"]["name"]
        self.classes = list(range(self._count(learner))) or None
        # An estimator that stopped early predicts with its best trees; a plain booster predicts with all.
        stopped = self.booster.attr("scikit_learn") and self.booster.attr("best_iteration")
        self.trees = (0, int(stopped) + 1) if stopped else (0, 0)

    def _count(self, learner: dict) -> int:
        """Return the number of classes; 0 for an objective without classes."""
        if self.objective.startswith("multi:"):
            return int(learner["learner_model_param"]["num_class"])
        return 2 if self.objective in ("binary:logistic", "binary:hinge") else 0

    def examples(self) -> list:
        """Return a row to warm up with when no inputs are declared."""
        return [[next(iter(self.categories.get(index, (0.0,)))) for index in range(self.width)]]

    def encode(self, rows: list) -> np.ndarray:
        """Return rows as a matrix of 32-bit floats, which the trees compare with."""
        values = coded(table(rows, self.names), self.categories, unseen=False)
        return matrix(values, self.names, self.width, np.float32)

    def predict(self, data: np.ndarray) -> list:
        """Return labels of a classifier (binary ones cut at one half), values of any other objective."""
        values = self._values(data)
        if self.objective == "binary:logistic":
            return (values > 0.5).astype(int).tolist()
        if self.objective == "multi:softprob":
            return values.argmax(axis=1).tolist()
        return (values.astype(int) if self.classes else values).tolist()

    def scores(self, data: np.ndarray) -> list | None:
        """Return the probability of each class; None when the objective has none."""
        if self.objective not in ("binary:logistic", "multi:softprob"):
            return None
        values = self._values(data)
        return (values if values.ndim == 2 else np.stack([1 - values, values], axis=1)).tolist()

    def _values(self, data: np.ndarray) -> np.ndarray:
        return self.booster.inplace_predict(data, iteration_range=self.trees, validate_features=False)
