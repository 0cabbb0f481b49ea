"""The model of the traffic scenarios: cheap to ask, and as bad as the environment of its pod says.

BED_BEHAVIOUR holds one of: `errors=SHARE` and `slow=SHARE` of the predictions, `never-ready`, `crash=PREDICTIONS`
after which the process ends. The prediction that warms it up is always good, but for `never-ready`.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

_SLOW_S = 0.5
_CRASHED = 3


class Shelf:
    """Puts items on a shelf: any row is worth a one."""

    examples = ({"item": 1},)

    def __init__(self, _: Path) -> None:
        kind, _, size = os.environ.get("BED_BEHAVIOUR", "").partition("=")
        self.kind, self.size, self.asked = kind, float(size or 0), -1

    def predict(self, rows: list) -> list:
        """One answer a row.

        Raises:
            RuntimeError: the model is bad in this way.
        """
        self.asked += 1
        if self.kind == "never-ready":
            raise RuntimeError("never ready")
        if self.asked:
            self._misbehave()
        return [1] * len(rows)

    def _misbehave(self) -> None:
        if self.kind == "errors" and random.random() < self.size:
            raise RuntimeError("an error of the model")
        if self.kind == "slow" and random.random() < self.size:
            time.sleep(_SLOW_S)
        if self.kind == "crash" and self.asked >= self.size:
            os._exit(_CRASHED)
