"""Random traffic of one release, as the counters that Prometheus would have scraped.

The requests of both arms are Poisson at the declared rate, and the events among them binomial; a late event arrives
after an exponential delay. With a design effect above 1, requests come in groups of that size which share arm and
outcome. The offset of strata and scrapes to the first weight is random too.

Counts are drawn exactly, in about a microsecond for any mean, by transformed rejection with squeeze:
W. Hörmann, "The transformed rejection method for generating Poisson random variables", Insurance: Mathematics and
Economics 12, 1993 (PTRS), and "The generation of binomial random variates", Journal of Statistical Computation and
Simulation 46, 1993 (BTRS).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from random import Random

from generator.dataclass import dataclass
from generator.odds.replay.counters import ArmCounters, Counter, Gauge, Pair, Recording


@dataclass(frozen=True, slots=True)
class Rates:
    """The event rates of one guard.

    Args:
        guard: name of the guard.
        stable: probability of an event with the stable version.
        canary: the same with the canary.
        delay_s: mean delay of an event after its request.
    """

    guard: str
    stable: float
    canary: float
    delay_s: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """The traffic of a release.

    Args:
        rps: requests per second of both arms.
        weights: share of the canary (0..1) and its start (seconds since the first weight); the last one lasts to
            the end.
        pods: pods of the canary for each of these weights.
        stable_pods: pods of the stable version.
        until_s: end of the recording, seconds since the first weight.
        history_s: seconds of stable that are recorded before the first weight.
        tick_s: seconds between two samples; the strata of all guards are multiples of it.
        step_s: length of a stratum.
        scrape_s: scrape interval, which is the largest age of a sample.
        group: number of requests that share arm and outcome.
        rates: event rates, by guard.
    """

    rps: float
    weights: tuple[tuple[float, float], ...]
    pods: tuple[int, ...]
    stable_pods: int
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
    seen = [time / 1000 - start - lag for time in times]
    served = [_until(traffic.weights, time) for time in seen]
    canary = [b - a for a, b in zip([0.0, *served], served, strict=False)]
    stable = [0.0] + [traffic.tick_s - seconds for seconds in canary[1:]]
    born = next((i for i, seconds in enumerate(canary) if seconds > 0), count)
    changes = [since for _, since in traffic.weights]
    levels = [0.0, *map(float, traffic.pods)]
    pods = (
        Gauge(times, [levels[bisect_right(changes, time)] for time in seen]),
        Gauge(times, [float(traffic.stable_pods)] * len(times)),
    )
    requests = (_requests(traffic, rng, canary), _requests(traffic, rng, stable))
    return Recording(_pairs(traffic, rng, times, requests, pods, born)), start


def _until(levels: Sequence[tuple[float, float]], time_s: float) -> float:
    """Return the integral of a step function up to a time; each level has the time at which it starts."""
    total = 0.0
    for i, (level, since) in enumerate(levels):
        until = levels[i + 1][1] if i + 1 < len(levels) else math.inf
        total += level * max(0.0, min(time_s, until) - since)
    return total


def _requests(traffic: Traffic, rng: Random, seconds: Sequence[float]) -> list[int]:
    """Draw the groups of requests between each sample and the one before."""
    rate = traffic.rps / traffic.group
    return [poisson(rng, rate * length) if length > 0 else 0 for length in seconds]


def _pairs(
    traffic: Traffic,
    rng: Random,
    times: list[int],
    requests: tuple[list[int], list[int]],
    pods: tuple[Gauge, Gauge],
    born: int,
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
            ArmCounters(seen[0], _counter(times[since:], clicks, traffic.group), pods[0]),
            ArmCounters(seen[1], _counter(times, others, traffic.group), pods[1]),
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
    """Draw the events that arrive by each sample; exponential delays have no memory, so late ones are only counted."""
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


_SMALL = 10.0  # below this mean, counting is faster and rejection is not valid


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
