"""Random traffic of one release, as the counters that Prometheus would have scraped.

Requests of both arms are Poisson at the declared rate, events binomial among them; an event that is late
arrives after an exponential delay. With a design effect above 1 requests come in groups of that size which
share arm and outcome. Where the grid of strata and the scrapes fall against the first weight is random too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from generator.odds.replay.draws import binomial, poisson
from generator.odds.replay.series import Counter, Pair, Recording, Side


@dataclass(frozen=True, slots=True)
class Rates:
    """Events of one guard.

    Args:
        guard: its name.
        stable: probability of an event with the stable version.
        canary: the same with the canary.
        delay_s: mean delay of an event behind its request.
    """

    guard: str
    stable: float
    canary: float
    delay_s: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a release is sent.

    Args:
        rps: requests per second of both arms.
        weights: share of the canary (0..1) with the time (seconds since the first weight) from which it holds;
            the last one holds to the end.
        until_s: how much is recorded, seconds since the first weight.
        history_s: how much of stable is recorded before the first weight.
        tick_s: time between two samples; the strata of all guards are multiples of it.
        step_s: length of a stratum.
        scrape_s: scrape interval: how old a sample may be.
        group: requests that share arm and outcome.
        rates: events, by guard.
    """

    rps: float
    weights: tuple[tuple[float, float], ...]
    until_s: float
    history_s: float
    tick_s: float
    step_s: float
    scrape_s: float
    group: float
    rates: tuple[Rates, ...]


def record(traffic: Traffic, rng: Random) -> tuple[Recording, float]:
    """Draw one release.

    Returns:
        The recording, and the time of the first weight on its clock.
    """
    start = traffic.history_s + rng.random() * traffic.step_s
    lag = rng.random() * traffic.scrape_s
    tick = round(traffic.tick_s * 1000)
    count = math.ceil((start + traffic.until_s) * 1000 / tick) + 1
    times = [i * tick for i in range(count)]
    served = [_canary_seconds(traffic, time / 1000 - start - lag) for time in times]
    canary = [b - a for a, b in zip([0.0, *served], served, strict=False)]
    stable = [0.0] + [traffic.tick_s - seconds for seconds in canary[1:]]
    born = next((i for i, seconds in enumerate(canary) if seconds > 0), count)
    pairs = _pairs(
        traffic, rng, times, (_requests(traffic, rng, canary), _requests(traffic, rng, stable)), born
    )
    return Recording(pairs), start


def _canary_seconds(traffic: Traffic, time_s: float) -> float:
    """Integral of the canary's share up to a time."""
    total = 0.0
    for i, (share, since) in enumerate(traffic.weights):
        until = traffic.weights[i + 1][1] if i + 1 < len(traffic.weights) else math.inf
        total += share * max(0.0, min(time_s, until) - since)
    return total


def _requests(traffic: Traffic, rng: Random, seconds: Sequence[float]) -> list[int]:
    """Groups of requests between each sample and the one before."""
    rate = traffic.rps / traffic.group
    return [poisson(rng, rate * length) if length > 0 else 0 for length in seconds]


def _pairs(
    traffic: Traffic, rng: Random, times: list[int], requests: tuple[list[int], list[int]], born: int
) -> dict[str, Pair]:
    canary, stable = requests
    # The canary's counters exist, at 0, from the last sample before its first request.
    since = max(0, born - 1) if born < len(times) else len(times)
    seen = _counter(times[since:], canary[since:], traffic.group), _counter(times, stable, traffic.group)
    pairs = {}
    for rates in traffic.rates:
        fade = math.exp(-traffic.tick_s / rates.delay_s) if rates.delay_s else 0.0
        clicks = _arrivals(rng, canary[since:], rates.canary, rates.delay_s, traffic.tick_s, fade)
        others = _arrivals(rng, stable, rates.stable, rates.delay_s, traffic.tick_s, fade)
        pairs[rates.guard] = Pair(
            Side(seen[0], _counter(times[since:], clicks, traffic.group)),
            Side(seen[1], _counter(times, others, traffic.group)),
        )
    return pairs


def _counter(times: list[int], added: Sequence[int], group: float) -> Counter:
    total, values = 0, []
    for count in added:
        total += count
        values.append(total * group)
    return Counter(times, values)


def _arrivals(
    rng: Random, requests: Sequence[int], p: float, delay_s: float, tick_s: float, fade: float
) -> list[int]:
    """Events by the time they arrive; what waits arrives without memory, so a count of it is enough."""
    events = [binomial(rng, count, p) for count in requests]
    if not delay_s:
        return events
    at_once, waiting, arrived = 1 - delay_s / tick_s * (1 - fade), 0, []
    for count in events:
        late = binomial(rng, waiting, 1 - fade)
        prompt = binomial(rng, count, at_once)
        waiting += count - prompt - late
        arrived.append(late + prompt)
    return arrived
