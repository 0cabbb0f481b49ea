"""The standard normal distribution: distribution function, quantile, and two correlated variables at once.

Relative errors quoted are the worst found against scipy in `tests/unit/stats/test_normal.py`.
"""

from __future__ import annotations

import math
from functools import lru_cache

from generator.stats.domain import open_probability

_SQRT2 = math.sqrt(2.0)
_SQRT_2PI = math.sqrt(2.0 * math.pi)
_HALF_LN_2PI = 0.5 * math.log(2.0 * math.pi)

# Nodes and weights of Gauss-Legendre quadrature with ten points on [-1, 1], positive half.
_LEGENDRE_10 = (
    (0.14887433898163122, 0.29552422471475287),
    (0.4333953941292472, 0.26926671930999635),
    (0.6794095682990244, 0.21908636251598204),
    (0.8650633666889845, 0.1494513491505806),
    (0.9739065285171717, 0.06667134430868814),
)
_PANELS, _MOST_PANELS = ((0.5, 1), (0.8, 2), (0.9, 4), (0.95, 6)), 16
"""Panels of the quadrature up to a correlation: with fewer the error exceeds 1e-14."""


def normal_pdf(x: float) -> float:
    """Return the density of the standard normal distribution."""
    return math.exp(-0.5 * x * x) / _SQRT_2PI


def normal_cdf(x: float) -> float:
    """Return P(Z <= x), Z standard normal; relative error below 1e-13 in both tails (x > -37)."""
    return 0.5 * math.erfc(-x / _SQRT2)


def log_normal_cdf(x: float) -> float:
    """Return the logarithm of P(Z <= x), finite for every finite x.

    Below -37, where erfc leaves the range of a double, five terms of the asymptotic series of Mills' ratio.
    """
    if x > -37.0:
        return math.log(normal_cdf(x))
    y = 1.0 / (x * x)
    series = -y * (1.0 - y * (3.0 - y * (15.0 - y * 105.0)))
    return -0.5 * x * x - math.log(-x) - _HALF_LN_2PI + math.log1p(series)


@lru_cache(maxsize=4096)
def normal_quantile(p: float) -> float:
    """Return x with P(Z <= x) = p, for p strictly between 0 and 1; relative error below 1e-13.

    Newton's iteration on ln Phi, which is concave: it converges from any start, monotonically after the first
    step.

    Raises:
        ValueError: p is 0, 1 or outside.
    """
    open_probability("p", p)
    if p == 0.5:
        return 0.0
    if p > 0.5:
        return -normal_quantile(1.0 - p)
    target = math.log(p)
    x = -math.sqrt(-2.0 * target - math.log(4.0 - 4.0 * p)) if p < 0.1 else (p - 0.5) * _SQRT_2PI
    for _ in range(60):
        log_cdf = log_normal_cdf(x)
        step = (log_cdf - target) * math.exp(log_cdf + 0.5 * x * x + _HALF_LN_2PI)
        x -= step
        if abs(step) <= 1e-15 * max(1.0, abs(x)):
            break
    return x


def bvn(h: float, k: float, rho: float) -> float:
    """Return P(X <= h, Y <= k) of two standard normals with correlation rho.

    Plackett's identity, d/d rho P = bivariate density, integrated from 0 with rho = sin(t): panels of ten-point
    Gauss-Legendre quadrature, one for a weak correlation and sixteen for a strong one. Absolute error below
    1e-14 for |rho| <= 0.99, 1e-7 up to 1; exact at +-1.

    Raises:
        ValueError: rho is outside [-1, 1].
    """
    if not -1.0 <= rho <= 1.0:
        raise ValueError(f"rho must be between -1 and 1, not {rho}")
    if rho == 1.0:
        return normal_cdf(min(h, k))
    if rho == -1.0:
        return max(0.0, normal_cdf(h) + normal_cdf(k) - 1.0)
    squares, product = 0.5 * (h * h + k * k), h * k
    total = 0.0
    for weight, sine, cosine_square in _nodes(rho):
        total += weight * math.exp((product * sine - squares) / cosine_square)
    return min(1.0, max(0.0, normal_cdf(h) * normal_cdf(k) + total))


@lru_cache(maxsize=1024)
def _nodes(rho: float) -> tuple[tuple[float, float, float], ...]:
    """Return weight, sin t and 1 - sin^2 t of every node of the quadrature up to a correlation."""
    panels = next((count for most, count in _PANELS if abs(rho) <= most), _MOST_PANELS)
    half_width = math.asin(rho) / (2 * panels)
    sines = (
        (weight, math.sin((2 * panel + 1) * half_width + side * node * half_width))
        for panel in range(panels)
        for node, weight in _LEGENDRE_10
        for side in (-1.0, 1.0)
    )
    scale = half_width / (2.0 * math.pi)
    return tuple((weight * scale, sine, 1.0 - sine * sine) for weight, sine in sines)
