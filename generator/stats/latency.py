"""Latency limits as ratios: a quantile gate is a gate on the share of requests slower than the limit."""

from __future__ import annotations

import math

from generator.stats.domain import open_probability, positive
from generator.stats.looks import look_fail
from generator.stats.normal import normal_cdf, normal_pdf, normal_quantile


def lognormal_sigma(median: float, value: float, quantile: float = 0.95) -> float:
    """Sigma of a log-normal latency from two of its quantiles: ln(value / median) / z_quantile.

    Args:
        median: p50, > 0, in the unit of `value`.
        value: the upper quantile, not below the median.
        quantile: which one, strictly between 0.5 and 1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    if not 0.5 < quantile < 1.0:
        raise ValueError(f"the upper quantile must lie strictly between 0.5 and 1, not {quantile}")
    if positive("the upper quantile's value", value) < positive("median", median):
        raise ValueError(f"the {quantile} quantile {value} is below the median {median}")
    return math.log(value / median) / normal_quantile(quantile)


def lognormal_exceedance(median: float, value: float, limit: float, quantile: float = 0.95) -> float:
    """Share of requests slower than the limit: 1 - Phi(ln(limit / median) / sigma); arguments as above.

    Raises:
        ValueError: an argument is outside its domain.
    """
    sigma = lognormal_sigma(median, value, quantile)
    distance = math.log(positive("limit", limit) / median)
    if sigma == 0.0:
        return 1.0 if distance < 0.0 else 0.0
    return normal_cdf(-distance / sigma)


def quantile_fail(requests: float, exceedance: float, quantile: float = 0.95) -> float:
    """Chance that `quantile of a window <= limit` fails: more than 1 - q of its requests exceed the limit.

    Needs no shape of the latency; exact when the limit is a bound of a bucket. The look of `looks.look_fail`
    with the limit 1 - q on the share of slow requests, and its accuracy.

    Args:
        requests: expected requests in the window; an empty window does not fail.
        exceedance: true share of requests slower than the limit.
        quantile: q, strictly between 0 and 1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    limit = 1.0 - open_probability("quantile", quantile)
    return look_fail(requests, exceedance, limit, "at_most", empty_fails=False)


def quantile_relative_error(n: float, sigma: float, quantile: float = 0.95) -> float:
    """Relative standard error of a measured log-normal quantile: sigma sqrt(q (1-q) / n) / phi(z_q).

    Raises:
        ValueError: an argument is outside its domain.
    """
    z = normal_quantile(quantile)
    return sigma * math.sqrt(quantile * (1.0 - quantile) / positive("requests", n)) / normal_pdf(z)
