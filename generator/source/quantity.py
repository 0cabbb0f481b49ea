"""Kubernetes quantities (`500m`, `2`, `1.5Gi`, `1e3`), read as Kubernetes reads them.

Source: Kubernetes 1.37, apimachinery/pkg/api/resource/quantity.go and suffix.go. `tests/unit/source/quantities.json`
has the results of Go's `resource.ParseQuantity`.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_UP, Context, Decimal
from typing import Final

_FORM: Final = re.compile(r"([-+]?)([0-9]*+)(?:\.([0-9]*+))?([eEinumkKMGTP]*+(?:[-+]?[0-9]*+))", re.ASCII)
_EXPONENT: Final = re.compile(r"[eE][-+]?[0-9]{1,4}", re.ASCII)
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_NANO: Final = Decimal("1e-9")
_LARGEST_BINARY: Final = Decimal(2**63 - 1)
_EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_UP)


def parse_quantity(value: object) -> Decimal | None:
    """Return the number of a quantity, or None if Kubernetes refuses it.

    Digits below one billionth round away from zero; a quantity with a binary suffix is at most 2^63 - 1.
    Unlike Kubernetes, an exponent of more than four digits is refused.

    Args:
        value: a string or a number from YAML or JSON; anything else is not a quantity.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _FORM.fullmatch(str(value))
    if found is None or not str(value):
        return None
    sign, whole, fraction, suffix = found[1], found[2], found[3] or "", found[4]
    digits = Decimal(f"{sign}{whole}{fraction}" if whole or fraction else "0")
    if suffix in _BINARY:
        number = _EXACT.multiply(digits, 1024 ** _BINARY[suffix]).scaleb(-len(fraction), _EXACT)
        return max(min(_rounded(number), _LARGEST_BINARY), -_LARGEST_BINARY)
    if suffix in _DECIMAL:
        exponent = _DECIMAL[suffix]
    elif _EXPONENT.fullmatch(suffix):
        exponent = int(suffix[1:])
    else:
        return None
    return _rounded(digits.scaleb(exponent - len(fraction), _EXACT))


def _rounded(number: Decimal) -> Decimal:
    """Return the number without digits below one billionth."""
    exponent = number.as_tuple().exponent
    return number.quantize(_NANO, context=_EXACT) if isinstance(exponent, int) and exponent < -9 else number


def quantity_amount(text: str) -> Decimal:
    """Return the number of a quantity that was validated before.

    Raises:
        ValueError: the text is not a quantity.
    """
    number = parse_quantity(text)
    if number is None:
        raise ValueError(f"{text!r} is not a quantity")
    return number


def canonical_cpu(text: str) -> str:
    """Return a CPU quantity as Kubernetes normalizes it: `100m` for `0.1`, `2` for `2.0`.

    Raises:
        ValueError: the text is not a quantity.
    """
    milli = quantity_amount(text).scaleb(3, _EXACT)
    if milli != milli.to_integral_value():
        return text
    return f"{int(milli)}m" if milli % 1000 else str(int(milli) // 1000)
