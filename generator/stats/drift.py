"""Drift of a feature between two samples: when a test speaks, and when it only counts rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from generator.stats.domain import open_probability, positive, probability
from generator.stats.special import chi2_quantile

SMALLEST_EFFECT = 0.1


def _effective_rows(n: float, m: float) -> float:
    return positive("rows", n) / (1.0 + n / positive("rows", m))


def ks_critical(n: float, m: float, alpha: float) -> float:
    """Kolmogorov-Smirnov distance of two samples that is significant at level alpha.

    sqrt(-ln(alpha/2) / 2 * (n+m) / (n m)), the inverse of the limiting distribution
    to 1e-4 for alpha <= 0.1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    open_probability("alpha", alpha)
    return math.sqrt(-0.5 * math.log(alpha / 2.0) / _effective_rows(n, m))


def kolmogorov_sf(x: float) -> float:
    """P(K > x) of Kolmogorov's limiting distribution; absolute error below 1e-15.

    2 sum (-1)^(k-1) e^(-2 k^2 x^2) for x >= 1, and its theta-function dual below, where that sum converges
    slowly.
    """
    if x < 0.05:  # 1 - P is below 1e-200 there
        return 1.0
    if x >= 1.0:
        return 2.0 * math.fsum((-1.0) ** (k - 1) * math.exp(-2.0 * (k * x) ** 2) for k in range(1, 8))
    terms = math.fsum(math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8.0 * x * x)) for k in range(1, 8))
    return min(1.0, max(0.0, 1.0 - math.sqrt(2.0 * math.pi) / x * terms))


def ks_pvalue(distance: float, n: float, m: float) -> float:
    """Asymptotic p value of the two-sample Kolmogorov-Smirnov test; conservative for small or tied samples.

    Raises:
        ValueError: an argument is outside its domain.
    """
    return kolmogorov_sf(probability("distance", distance) * math.sqrt(_effective_rows(n, m)))


def ks_distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Largest distance of the two empirical distribution functions.

    Raises:
        ValueError: a sample is empty or holds NaN.
    """
    if not one or not other:
        raise ValueError("both samples need at least one value")
    if any(math.isnan(value) for sample in (one, other) for value in sample):
        raise ValueError("a sample holds NaN: count missing values apart")
    first, second = sorted(one), sorted(other)
    i = j = 0
    largest = 0.0
    while i < len(first) and j < len(second):
        value = min(first[i], second[j])
        while i < len(first) and first[i] == value:
            i += 1
        while j < len(second) and second[j] == value:
            j += 1
        largest = max(largest, abs(i / len(first) - j / len(second)))
    return largest


def has_drifted(
    distance: float,
    n: float,
    m: float,
    *,
    features: int = 1,
    alpha: float = 0.05,
    effect: float = SMALLEST_EFFECT,
) -> bool:
    """Drift is an effect AND significance: distance >= effect and p < alpha / features.

    Args:
        distance: Kolmogorov-Smirnov distance of one feature.
        n: rows of the reference.
        m: rows of the current sample.
        features: tested together (Bonferroni).
        alpha: chance of any false alarm.
        effect: smallest distance that matters; 0.1 is a shift by a quarter of a standard deviation.

    Raises:
        ValueError: an argument is outside its domain.
    """
    if features < 1:
        raise ValueError(f"features must be at least 1, not {features}")
    return distance >= effect and ks_pvalue(distance, n, m) < open_probability("alpha", alpha) / features


def psi_critical(bins: int, n: float, m: float, alpha: float = 0.05) -> float:
    """Population stability index that is exceeded with probability alpha without any drift.

    (1/n + 1/m) times the chi-square quantile with bins - 1 degrees of freedom; simulation is up to a tenth
    higher at 100 rows a side. Its mean is (1/n + 1/m) (bins - 1).

    Raises:
        ValueError: fewer than two bins, or another argument outside its domain.
    """
    if bins < 2:
        raise ValueError(f"bins must be at least 2, not {bins}")
    return chi2_quantile(1.0 - open_probability("alpha", alpha), bins - 1) / _effective_rows(n, m)


def psi_rows(bins: int, threshold: float, alpha: float = 0.05) -> float:
    """Rows each side needs before `index > threshold` is a false alarm that rarely: 2 chi2 / threshold.

    Raises:
        ValueError: an argument is outside its domain.
    """
    return psi_critical(bins, 2.0, 2.0, alpha) * 2.0 / positive("threshold", threshold)
