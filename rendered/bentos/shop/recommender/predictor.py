"""The scikit-learn model: loads it, and predicts with rows in the form that it was trained with."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import joblib
import numpy as np

INPUTS = ()
NUMERIC = True
SKOPS = rb"PK\x03\x04"
PICKLE = rb"\x80[\x02-\x05]|\x1f\x8b|x[\x01\x5e\x9c\xda]|BZh|\xfd7zXZ|\]\x00\x00"  # plain, or compressed by joblib


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
    if width is not None and width != 0:
        raise RuntimeError(f"the model was trained with {width} columns, the spec declares 0")
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


def load(path: Path) -> object:
    """Load a pickle, or a file of skops. Its content is pinned: the types that it names are those that were reviewed."""
    if not re.match(SKOPS, head(path)):
        return joblib.load(path)
    import skops.io  # only its own files need it

    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


class Predictor:
    """The model in memory. Its form is known from training: named columns, a width, or texts."""

    rowwise = True  # the answer for a row does not depend on the others

    def __init__(self, folder: Path) -> None:
        self.model = load(model_file(folder, SKOPS + b"|" + PICKLE))
        classes = getattr(self.model, "classes_", None)
        self.classes = classes.tolist() if getattr(classes, "ndim", 0) == 1 else None
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
        return pd.DataFrame(matrix(rows, self.names, self.width, float), columns=self.names)

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
