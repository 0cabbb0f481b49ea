"""Go's regular expressions in files that others wrote, evaluated by Python's engine in bounded time."""

from __future__ import annotations

import re
import warnings
from typing import Final

_GO_LACKS: Final = re.compile(r"\(\?(?:[=!>#]|<[=!]|P[=>])|\\[1-9]")
_PYTHON_LACKS: Final = re.compile(r"\\[pPzQC]|\[\[:|\(\?\w*U")
_LONGEST_PATTERN: Final = 200
_LONGEST_TEXT: Final = 253
# Python's engine takes exponential time for repeated groups, and another power of the length for each repeat. Codes of
# answers are so short that this does not matter.
_MOST_REPEATS: Final = 2
_SHORT_TEXT: Final = 3


def is_evaluated(pattern: str) -> bool:
    """Return whether Python evaluates a pattern as Go does, and in little time."""
    short = len(pattern) <= _LONGEST_PATTERN and sum(map(pattern.count, "*+{")) <= _MOST_REPEATS
    return short and not re.search(r"\)[*+{]", pattern) and not _PYTHON_LACKS.search(pattern)


def matches(pattern: str, text: str, *, whole: bool = True) -> bool | None:
    """Return whether a pattern matches a text; one that Go refuses matches nothing.

    Args:
        pattern: of a matcher in PromQL, a rule on metrics or a patch.
        text: what it is compared with; only its first 253 characters count.
        whole: the pattern is anchored at both ends.

    Returns:
        None if the pattern is not evaluated.
    """
    if _PYTHON_LACKS.search(pattern) or (len(text) > _SHORT_TEXT and not is_evaluated(pattern)):
        return None
    if _GO_LACKS.search(pattern):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of nested sets, which Go has not
            compiled = re.compile(pattern)
    except re.error:
        return False
    except (RecursionError, OverflowError):
        return None
    compare = compiled.fullmatch if whole else compiled.search
    return compare(text[:_LONGEST_TEXT]) is not None
