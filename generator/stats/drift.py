"""Drift of a feature between two samples: the smallest effect that chance alone does not explain."""

from __future__ import annotations

import math

from generator.stats.domain import open_probability, positive
from generator.stats.special import chi2_quantile


def _effective_rows(n: float, m: float) -> float:
    return positive("rows", n) / (1.0 + n / positive("rows", m))


def ks_critical(n: float, m: float, alpha: float) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples that is significant at level alpha.

    sqrt(-ln(alpha/2) / 2 * (n+m) / (n m)), the inverse of the limiting distribution
    to 1e-4 for alpha <= 0.1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    open_probability("alpha", alpha)
    return math.sqrt(-0.5 * math.log(alpha / 2.0) / _effective_rows(n, m))


def ks_rows(distance: float, alpha: float = 0.05) -> float:
    """Return the rows of each of two samples at which a Kolmogorov-Smirnov distance is significant at level alpha.

    Raises:
        ValueError: an argument is outside its domain.
    """
    return (ks_critical(1.0, 1.0, alpha) / positive("distance", distance)) ** 2


def association_critical(categories: int, n: float, m: float, alpha: float) -> float:
    """Return Cramer's V of two samples that is significant at level alpha, as samples of one size would show it.

    sqrt(q (n+m) / (4 n m)), q the chi-square quantile with categories - 1 degrees of freedom.

    Raises:
        ValueError: fewer than two categories, or another argument outside its domain.
    """
    if categories < 2:
        raise ValueError(f"categories must be at least 2, not {categories}")
    quantile = chi2_quantile(1.0 - open_probability("alpha", alpha), categories - 1)
    return math.sqrt(quantile / (4.0 * _effective_rows(n, m)))


def psi_critical(bins: int, n: float, m: float, alpha: float = 0.05) -> float:
    """Return the population stability index that is exceeded with probability alpha without any drift.

    (1/n + 1/m) times the chi-square quantile with bins - 1 degrees of freedom; simulation is up to a tenth
    higher at 100 rows a side. Its mean is (1/n + 1/m) (bins - 1).

    Raises:
        ValueError: fewer than two bins, or another argument outside its domain.
    """
    if bins < 2:
        raise ValueError(f"bins must be at least 2, not {bins}")
    return chi2_quantile(1.0 - open_probability("alpha", alpha), bins - 1) / _effective_rows(n, m)


def psi_rows(bins: int, threshold: float, alpha: float = 0.05) -> float:
    """Return the rows each side needs before `index > threshold` is a false alarm that rarely: 2 chi2 / threshold.

    Raises:
        ValueError: an argument is outside its domain.
    """
    return psi_critical(bins, 2.0, 2.0, alpha) * 2.0 / positive("threshold", threshold)
