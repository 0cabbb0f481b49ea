"""Checks of arguments: a function returns a number or raises a clear ValueError, never NaN.

Each check returns the value, or raises a ValueError that names the argument; NaN passes none of them.
"""

from __future__ import annotations

# Products of three such numbers are still far from overflow.
_LARGEST = 1e90


def probability(name: str, value: float) -> float:
    """Return a value in [0, 1], or raise ValueError."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be between 0 and 1, not {value}")
    return value


def open_probability(name: str, value: float) -> float:
    """Return a value strictly between 0 and 1, or raise ValueError."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must be strictly between 0 and 1, not {value}")
    return value


def positive(name: str, value: float) -> float:
    """Return a value above 0 and at most 1e90, or raise ValueError."""
    if not 0.0 < value <= _LARGEST:
        raise ValueError(f"{name} must be a number above 0 (at most 1e90), not {value}")
    return value


def not_negative(name: str, value: float) -> float:
    """Return a value from 0 to 1e90, or raise ValueError."""
    if not 0.0 <= value <= _LARGEST:
        raise ValueError(f"{name} must be a number from 0 to 1e90, not {value}")
    return value


def at_least_one(name: str, value: float) -> float:
    """Return a value from 1 to 1e90, or raise ValueError."""
    if not 1.0 <= value <= _LARGEST:
        raise ValueError(f"{name} must be a number from 1 to 1e90, not {value}")
    return value


def change(ratio: float) -> float:
    """Return the ratio of a changed rate to an unchanged one; raise ValueError unless it is positive and not 1."""
    if positive("ratio", ratio) == 1.0:
        raise ValueError("a ratio of 1 changes nothing: there is nothing to detect")
    return ratio
