"""The model of the fairness scenario: approves six of ten, of each group, unless its pod is configured to be biased.

BED_BEHAVIOUR `bias=SHARE` takes this share of all off the approvals of group b. The warm-up sees no counter.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

_APPROVED = 0.6


class Lender:
    """Decides about people of two groups."""

    examples = ({"group": "a"},)

    def __init__(self, _: Path) -> None:
        kind, _, size = os.environ.get("BED_BEHAVIOUR", "").partition("=")
        self.rates = {"a": _APPROVED, "b": _APPROVED - (float(size) if kind == "bias" else 0.0)}

    def predict(self, rows: list) -> list:
        """One decision a row."""
        return [int(random.random() < self.rates[row["group"]]) for row in rows]
