"""One text for one value: what digests cover, here and in any program that recomputes them.

The text is `json.dumps(value, sort_keys=True, separators=(",", ":"))`, non-ASCII characters escaped, in UTF-8.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any, *, lenient: bool = False) -> str:
    """Return the one JSON text of a plain value, on one line.

    Args:
        value: what to write.
        lenient: write whatever YAML can hold: dates as text, NaN and infinities by name.

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
    """Return the one JSON text of a document that people read: sorted keys, two spaces, ended by a line feed.

    Raises:
        ValueError: a number is infinite or NaN.
        TypeError: something is not a JSON value.
    """
    return json.dumps(value, sort_keys=True, indent=2, allow_nan=False) + "\n"
