"""Simulated histories of the recommender: daily cycles, bursts, clustered users, a slow drift; drawn by NumPy."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

import numpy as np

from generator.odds.calibration import History, PodCounts

MONDAY = 1_795_996_800.0 - 4 * 7 * 86_400.0  # the 2nd of November 2026, 00:00 UTC
RATES = {"ctr": 0.04, "error-rate": 0.005, "slow-rate": 0.02}


@dataclass(frozen=True)
class World:
    """How the past was.

    Args:
        days: its length.
        pods: pods of the only version.
        rps: mean requests per second of all pods; half of it at 04:00, one and a half times at 16:00.
        cluster: requests of one user, which meet one pod and share their outcome.
        bursts: share of the minutes with three times the requests.
        drift: relative change of all event rates over the whole time.
        uneven: relative standard deviation of the event rates of pods, which lasts.
        delay_s: mean delay of clicks.
    """

    days: int = 10
    pods: int = 8
    rps: float = 200.0
    cluster: int = 1
    bursts: float = 0.0
    drift: float = 0.0
    uneven: float = 0.0
    delay_s: float = 0.0


def simulated(world: World, seed: int = 1, start_s: float = MONDAY) -> History:
    rng = np.random.default_rng(seed)
    minutes = world.days * 1440
    clock = np.arange(minutes) + start_s % 86_400 / 60
    mean = world.rps * 60 * (1 - 0.5 * np.cos(2 * math.pi * (clock / 1440 - 4 / 24)))
    mean *= np.where(rng.random(minutes) < world.bursts, 3.0, 1.0)
    trend = 1 + world.drift * np.arange(minutes) / minutes
    groups = rng.poisson(mean / world.pods / world.cluster, (world.pods, minutes))
    counts = {}
    for name, rate in RATES.items():
        own = np.clip(1 + world.uneven * rng.standard_normal((world.pods, 1)), 0.1, 2)
        happened = rng.binomial(groups, np.minimum(rate * trend * own, 0.99))
        if name == "ctr" and world.delay_s:
            happened = _later(rng, happened, world.delay_s)
        counts[name] = {
            f"pod-{pod}": PodCounts(
                array("d", (world.cluster * groups[pod]).astype(float)),
                array("d", (world.cluster * happened[pod]).astype(float)),
            )
            for pod in range(world.pods)
        }
    return History(start_s, minutes, counts, {f"pod-{pod}": "a" for pod in range(world.pods)})


def _later(rng: np.random.Generator, happened: np.ndarray, delay_s: float) -> np.ndarray:
    """Move each event by an exponential delay, from a uniform time of its minute."""
    out = np.zeros_like(happened)
    for pod, row in enumerate(happened):
        at = np.repeat(np.arange(row.size), row) * 60 + 60 * rng.random(row.sum())
        minute = ((at + rng.exponential(delay_s, at.size)) // 60).astype(int)
        np.add.at(out[pod], minute[minute < row.size], 1)
    return out
