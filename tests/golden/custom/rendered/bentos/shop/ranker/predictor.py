"""The team's own model class, from a pinned requirement or from the model's own folder.

The class is built with the folder of the model (a pathlib.Path). It has `predict(rows) -> list`, one prediction a row,
and may have `scores(rows)`, `check(rows)` and `examples`: `check` raises ValueError for rows that the model does not
accept (the client gets a 400), and `examples` is the list of rows to warm up with when the spec declares no inputs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

MODULE, CLASS = ['ranking.model', 'Ranker']


class Predictor:
    """The custom model in memory."""

    def __init__(self, folder: Path) -> None:
        sys.path.append(str(folder))
        self.model = getattr(import_module(MODULE), CLASS)(folder)

    def examples(self) -> list:
        """Return rows to warm up with when no inputs are declared.

        Raises:
            RuntimeError: there are none.
        """
        examples = getattr(self.model, "examples", None)
        if not examples:
            raise RuntimeError(f"{CLASS} has no `examples`: add some, or declare the inputs in the spec")
        return list(examples)

    def encode(self, rows: list) -> list:
        """Return the rows, if the model accepts them."""
        if hasattr(self.model, "check"):
            self.model.check(rows)
        return rows

    def predict(self, data: list) -> list:
        """Return the model's predictions, one a row."""
        return list(self.model.predict(data))

    def scores(self, data: list) -> list | None:
        """Return what the model's own `scores` returns; None when it has none."""
        return list(self.model.scores(data)) if hasattr(self.model, "scores") else None
