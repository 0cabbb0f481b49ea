"""Exact random counts from `random.Random`, in about a microsecond whatever their size.

Transformed rejection with squeeze: W. Hörmann, "The transformed rejection method for generating Poisson random
variables", Insurance: Mathematics and Economics 12, 1993 (PTRS), and "The generation of binomial random
variates", Journal of Statistical Computation and Simulation 46, 1993 (BTRS).
"""

from __future__ import annotations

import math
from random import Random

_SMALL = 10.0  # below this mean, counting is faster than rejection and the latter not valid


def poisson(rng: Random, mean: float) -> int:
    """Draw a Poisson count; the mean is at least 0."""
    if mean < _SMALL:
        return _poisson_small(rng, mean)
    spread = 0.931 + 2.53 * math.sqrt(mean)
    slope = 0.02483 * spread - 0.059
    accept = 0.9277 - 3.6224 / (spread - 2)
    scale, log_mean = math.log(1.1239 + 1.1328 / (spread - 3.4)), math.log(mean)
    while True:
        u, v = rng.random() - 0.5, rng.random()
        edge = 0.5 - abs(u)
        if edge <= 0:
            continue
        count = math.floor((2 * slope / edge + spread) * u + mean + 0.43)
        if edge >= 0.07 and v <= accept:
            return count
        if count < 0 or (edge < 0.013 and v > edge) or v <= 0:
            continue
        log_density = count * log_mean - mean - math.lgamma(count + 1)
        if math.log(v) + scale - math.log(slope / (edge * edge) + spread) <= log_density:
            return count


def _poisson_small(rng: Random, mean: float) -> int:
    """Count how many uniforms can be multiplied before the product falls below e^-mean."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def binomial(rng: Random, trials: int, p: float) -> int:
    """Draw how many of `trials` succeed; the probability is within 0..1."""
    if p > 0.5:
        return trials - binomial(rng, trials, 1 - p)
    if trials <= 0 or p <= 0:
        return 0
    if trials * p < _SMALL:
        return _binomial_small(rng, trials, p)
    deviation = math.sqrt(trials * p * (1 - p))
    spread = 1.15 + 2.53 * deviation
    slope = -0.0873 + 0.0248 * spread + 0.01 * p
    accept, shape = 0.92 - 4.2 / spread, (2.83 + 5.1 / spread) * deviation
    odds, mode = math.log(p / (1 - p)), math.floor((trials + 1) * p)
    at_mode = math.lgamma(mode + 1) + math.lgamma(trials - mode + 1)
    while True:
        u, v = rng.random() - 0.5, rng.random()
        edge = 0.5 - abs(u)
        if edge <= 0:
            continue
        count = math.floor((2 * slope / edge + spread) * u + trials * p + 0.5)
        if not 0 <= count <= trials:
            continue
        if edge >= 0.07 and v <= accept:
            return count
        v *= shape / (slope / (edge * edge) + spread)
        log_density = (
            at_mode - math.lgamma(count + 1) - math.lgamma(trials - count + 1) + (count - mode) * odds
        )
        if v > 0 and math.log(v) <= log_density:
            return count


def _binomial_small(rng: Random, trials: int, p: float) -> int:
    """Jump from success to success: the gaps are geometric."""
    log_fail, tried, count = math.log1p(-p), 0, 0
    while True:
        tried += math.floor(math.log(1 - rng.random()) / log_fail) + 1
        if tried > trials:
            return count
        count += 1
