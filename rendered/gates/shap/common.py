"""What the scripts of all tools share: tables, model files, and files that cross the border of an environment.

    python <script>.py CONFIG REPORT

CONFIG and REPORT are JSON. A report with the key `problem` says in one sentence why nothing could be measured; any
other way to fail is the tool's, and ends with a traceback and a code that is not 0.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

READERS = {".parquet": pd.read_parquet, ".csv": pd.read_csv, ".json": pd.read_json}


class Problem(Exception):  # noqa: N818 - a result for the user, not a bug
    """Why nothing could be measured, in one sentence."""


def main(tool: str, measure: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Read the configuration, measure, write the report."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    report: dict[str, Any] = {"tool": tool, "version": version(tool)}
    try:
        report |= measure(config)
    except Problem as problem:
        report["problem"] = str(problem)
    Path(sys.argv[2]).write_text(json.dumps(report, allow_nan=False), encoding="utf-8")


def table(path: str) -> pd.DataFrame:
    """A table from a Parquet, CSV or JSON file.

    Raises:
        Problem: it is of another kind, damaged, or empty.
    """
    reader = READERS.get(Path(path).suffix)
    if reader is None:
        raise Problem(f"{Path(path).name} is no table: write .parquet, .csv or .json")
    try:
        frame = reader(path)
    except (ValueError, OSError) as error:
        raise Problem(f"{Path(path).name} can't be read as a table: {error}") from error
    if frame.empty:
        raise Problem(f"{Path(path).name} holds no rows")
    return frame


def with_columns(paths: Sequence[str], columns: Sequence[str]) -> tuple[str, pd.DataFrame]:
    """The first of these files that has all these columns, and its table.

    Raises:
        Problem: none has.
    """
    missing: list[str] = []
    for path in paths:
        frame = table(path)
        missing = [name for name in columns if name not in frame.columns]
        if not missing:
            return path, frame
    raise Problem(f"no table has the columns {', '.join(columns)}; the last one lacks {', '.join(missing)}")


def models(frame: pd.DataFrame) -> list[str]:
    """The digests of the models that a table says it is about: its column `model`."""
    return sorted({str(value) for value in frame["model"]}) if "model" in frame.columns else []


def number(value: Any) -> float | None:
    """A finite number, else nothing: JSON has no word for NaN."""
    found = float(value)
    return found if math.isfinite(found) else None


def zero_one(series: pd.Series) -> bool:
    """Whether a column holds nothing but 0 and 1 (or false and true)."""
    return pd.api.types.is_numeric_dtype(series) and set(series.unique()) <= {0, 1}
