"""Canonical JSON: the text that digests cover, which any program can recompute.

The text is `json.dumps(value, sort_keys=True, separators=(",", ":"))`, non-ASCII characters escaped, in UTF-8.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any, *, lenient: bool = False) -> str:
    """Return the canonical JSON of a plain value, on one line.

    Args:
        value: what to write.
        lenient: accept everything in YAML: dates as text, NaN and infinities by name.

    Raises:
        ValueError: a number is infinite or NaN, and `lenient` is not set.
        TypeError: something is not a JSON value, and `lenient` is not set.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=lenient, default=str if lenient else None
    )


def sha256_of(value: Any, *, lenient: bool = False) -> str:
    """Return the SHA-256 (hex) of a value's canonical JSON; arguments and errors as `canonical_json`."""
    return hashlib.sha256(canonical_json(value, lenient=lenient).encode()).hexdigest()


def canonical_document(value: Any) -> str:
    """Return the JSON of a document that people read: sorted keys, two spaces, a final newline.

    Raises:
        ValueError: a number is infinite or NaN.
        TypeError: something is not a JSON value.
    """
    return json.dumps(value, sort_keys=True, indent=2, allow_nan=False) + "\n"
