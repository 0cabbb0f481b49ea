"""One text for one value: sorted keys, one form of a float, and digests that any program can recompute.

A digest covers the UTF-8 text of `json.dumps(value, sort_keys=True, separators=(",", ":"))` with non-ASCII characters
escaped. Floats have at most twelve significant digits, so that the last bits of a processor don't matter.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, TypeVar

from pydantic import BaseModel

from generator.plan.values import Gate

R = TypeVar("R", bound=BaseModel)
_DIGITS = 12


def fixed(value: float | None) -> float | None:
    """A number to twelve significant digits; None for what is no finite number."""
    if value is None or not math.isfinite(value):
        return None
    rounded = float(f"{value:.{_DIGITS}g}")
    return 0.0 if rounded == 0.0 else rounded  # no minus zero


def digest_of(value: Any) -> str:
    """`sha256:…` of a plain JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def configuration(gate: Gate) -> str:
    """Digest of a gate's configuration."""
    return digest_of(gate.config)


def plain(record: BaseModel) -> dict[str, Any]:
    """A record as plain JSON values, under the keys of its file."""
    return record.model_dump(mode="json", by_alias=True, exclude_none=False)


def own_digest(value: dict[str, Any]) -> str:
    """Digest of a mapping without its own key `digest`."""
    return digest_of({key: item for key, item in value.items() if key != "digest"})


def sealed(record: R) -> R:
    """The record with its key `digest` set to its own digest."""
    return record.model_copy(update={"digest": own_digest(plain(record))})


def canonical_text(value: Any) -> str:
    """The one text of a document: sorted keys, two spaces, LF, ASCII; it ends in one line feed."""
    return json.dumps(value, sort_keys=True, indent=2, allow_nan=False) + "\n"
