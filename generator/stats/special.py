"""Incomplete beta and gamma functions, chi-square quantiles and Poisson masses.

Saddle-point forms (Loader, "Fast and accurate computation of binomial probabilities", 2000) keep the digits
that differences of large logarithms would lose. Errors quoted are the worst found against scipy in
`tests/unit/stats/test_special.py`.
"""

from __future__ import annotations

import math

from generator.stats.domain import not_negative, open_probability, probability

_HALF_LN_2PI = 0.5 * math.log(2.0 * math.pi)
_TINY = 1e-300
_MAX_SHAPE = 1e9
_CONTINUED_FRACTION_TERMS = 200_000


def _stirling_error(n: float) -> float:
    """Return ln Gamma(n+1) minus Stirling's formula (n + 1/2) ln n - n + ln sqrt(2 pi)."""
    if n < 16.0:
        return math.lgamma(n + 1.0) - (n + 0.5) * math.log(n) + n - _HALF_LN_2PI
    y = 1.0 / (n * n)
    return (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y / 1680.0))) / n


def _deviance(x: float, mean: float) -> float:
    """Return x ln(x / mean) + mean - x without cancellation when x is near the mean."""
    u = (x - mean) / mean
    if abs(u) > 0.1:
        return x * math.log(x / mean) + mean - x
    total, power = 0.0, u * u
    for j in range(2, 30):
        total += power / (j * (j - 1))
        power *= -u
        if abs(power) < 1e-17 * total:
            break
    return mean * total


def poisson_pmf(x: int, mean: float) -> float:
    """Return P(X = x), X Poisson, by Loader's saddle-point form; relative error below 1e-12 above 1e-290."""
    if mean == 0.0:
        return 1.0 if x == 0 else 0.0
    if x == 0:
        return math.exp(-mean)
    return math.exp(-_stirling_error(x) - _deviance(x, mean)) / math.sqrt(2.0 * math.pi * x)


def _beta_front(x: float, a: float, b: float) -> float:
    """Return x^a (1-x)^b / B(a, b), by the saddle-point form: without a difference of large logarithms."""
    n = a + b
    log_front = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    log_front -= _deviance(a, n * x) + _deviance(b, n * (1.0 - x))
    return math.exp(log_front) * math.sqrt(a * b / (2.0 * math.pi * n))


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated by Lentz's method."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, _CONTINUED_FRACTION_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        change = 1.0
        for term in (even, odd):
            d = 1.0 + term * d
            c = 1.0 + term / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            change *= d * c
        value *= change
        if abs(change - 1.0) < 1e-15:
            break
    return value


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), for 0 <= x <= 1 and 0 < a, b <= 1e9.

    Relative error below 1e-11 while the value is above 1e-250; about sqrt(max(a, b)) steps.

    Raises:
        ValueError: an argument is outside its domain.
    """
    probability("x", x)
    if not (0.0 < a <= _MAX_SHAPE and 0.0 < b <= _MAX_SHAPE):
        raise ValueError(f"a and b must be in (0, 1e9], not {a} and {b}")
    if x in {0.0, 1.0}:
        return x
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta_front(1.0 - x, b, a) * _beta_fraction(1.0 - x, b, a) / b
    return _beta_front(x, a, b) * _beta_fraction(x, a, b) / a


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = p, by Newton's iteration kept inside a shrinking bracket; error below 1e-12.

    Raises:
        ValueError: p is outside [0, 1], or a or b outside (0, 1e9].
    """
    probability("p", p)
    low, high, x = 0.0, 1.0, a / (a + b)
    if p in {0.0, 1.0}:
        return p
    for _ in range(200):
        error = beta_cdf(x, a, b) - p
        low, high = (low, x) if error > 0.0 else (x, high)
        density = _beta_front(x, a, b) / (x * (1.0 - x))
        step = error / density if density > 0.0 else math.inf
        inside = low < x - step < high
        following = x - step if inside else 0.5 * (low + high)
        if abs(following - x) <= 1e-15 * x or not 0.0 < following < 1.0:
            return following
        x = following
    return x


def gamma_cdf(x: float, a: float) -> float:
    """Return the regularised lower incomplete gamma function P(a, x), for x >= 0 and 0 < a <= 1e6.

    The series x^a e^-x sum x^n / Gamma(a+n+1) below a+1, its complement by continued fraction above; relative
    error below 1e-11.

    Raises:
        ValueError: an argument is outside its domain.
    """
    not_negative("x", x)
    if not 0.0 < a <= 1e6:
        raise ValueError(f"a must be in (0, 1e6], not {a}")
    if x == 0.0:
        return 0.0
    front = math.exp(-_stirling_error(a) - _deviance(a, x)) / math.sqrt(2.0 * math.pi * a)
    if x < a + 1.0:
        total, term, n = 1.0, 1.0, a
        while term > 1e-17 * total:
            n += 1.0
            term *= x / n
            total += term
        return min(1.0, front * total)
    return 1.0 - front * a * _gamma_fraction(x, a)


def _gamma_fraction(x: float, a: float) -> float:
    """Return the continued fraction of the upper incomplete gamma function (DLMF 8.9.2) by Lentz's method."""
    b = x + 1.0 - a
    c, d = 1.0 / _TINY, 1.0 / b
    value = d
    for i in range(1, _CONTINUED_FRACTION_TERMS):
        term = -i * (i - a)
        b += 2.0
        d = 1.0 / (term * d + b)
        c = b + term / c
        value *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return value


def chi2_quantile(p: float, degrees: int) -> float:
    """Return x with P(chi-square <= x) = p, by bisection; relative error below 1e-12.

    Raises:
        ValueError: p is not strictly between 0 and 1, or the degrees of freedom are outside 1..1000000.
    """
    open_probability("p", p)
    if not 1 <= degrees <= 1_000_000:
        raise ValueError(f"degrees of freedom must be between 1 and 1000000, not {degrees}")
    low, high = 0.0, float(degrees)
    while gamma_cdf(high / 2.0, degrees / 2.0) < p:
        low, high = high, 2.0 * high
    while high - low > 1e-13 * high:
        middle = 0.5 * (low + high)
        if gamma_cdf(middle / 2.0, degrees / 2.0) < p:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
