"""Random traffic minute by minute, and the evidence of a sequential test on it, computed by NumPy from raw counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass
class Arms:
    """Counts of runs by minutes."""

    xc: np.ndarray
    nc: np.ndarray
    xs: np.ndarray
    ns: np.ndarray


def minutes_of(phases):
    return np.repeat([phase.weight for phase in phases], [int(phase.duration_s // 60) for phase in phases])


def play(rng, runs, rps, weights, p, rho=1.0, cluster=1):
    """Traffic of every minute; `rps` and `p` are numbers or one a minute. Clusters share arm and outcome."""
    canary = rng.poisson(np.broadcast_to(rps * 60 * weights / cluster, (runs, weights.size)))
    stable = rng.poisson(np.broadcast_to(rps * 60 * (1 - weights) / cluster, (runs, weights.size)))
    xc, xs = rng.binomial(canary, p * rho), rng.binomial(stable, p)
    return Arms(cluster * xc, cluster * canary, cluster * xs, cluster * stable)


def evidence(arms, ratio, used=None, design_effect=1.0):
    """Running sum of the evidence over the minutes that are used."""
    total = arms.nc + arms.ns
    share = arms.nc / np.maximum(total, 1)
    llr = arms.xc * math.log(ratio) - (arms.xc + arms.xs) * np.log1p((ratio - 1) * share)
    llr = np.where(arms.nc > 0, llr, 0.0)
    if used is not None:
        llr = np.where(used, llr, 0.0)
    return np.cumsum(llr / design_effect, axis=1)


def standard_error(share, runs):
    return math.sqrt(max(share * (1 - share), 1e-4) / runs)
