"""Checks of arguments: a function returns a number or raises a clear ValueError, never NaN."""

from __future__ import annotations

# Products of three such numbers are still far from overflow.
_LARGEST = 1e90


def probability(name: str, value: float) -> float:
    """Return `value` when it is in [0, 1].

    Raises:
        ValueError: it does not, or it is NaN.
    """
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be between 0 and 1, not {value}")
    return value


def open_probability(name: str, value: float) -> float:
    """Return `value` when it is strictly between 0 and 1.

    Raises:
        ValueError: it does not, or it is NaN.
    """
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must be strictly between 0 and 1, not {value}")
    return value


def positive(name: str, value: float) -> float:
    """Return `value` when it is a number above 0, at most 1e90.

    Raises:
        ValueError: it is not.
    """
    if not 0.0 < value <= _LARGEST:
        raise ValueError(f"{name} must be a number above 0 (at most 1e90), not {value}")
    return value


def not_negative(name: str, value: float) -> float:
    """Return `value` when it is a number from 0 to 1e90.

    Raises:
        ValueError: it is not.
    """
    if not 0.0 <= value <= _LARGEST:
        raise ValueError(f"{name} must be a number from 0 to 1e90, not {value}")
    return value


def at_least_one(name: str, value: float) -> float:
    """Return `value` when it is a number from 1 to 1e90.

    Raises:
        ValueError: it is not.
    """
    if not 1.0 <= value <= _LARGEST:
        raise ValueError(f"{name} must be a number from 1 to 1e90, not {value}")
    return value


def change(ratio: float) -> float:
    """Return the ratio of a changed rate to an unchanged one.

    Raises:
        ValueError: it is 1 (no change, so nothing to detect), 0, negative, NaN or beyond 1e90.
    """
    if positive("ratio", ratio) == 1.0:
        raise ValueError("a ratio of 1 changes nothing: there is nothing to detect")
    return ratio
