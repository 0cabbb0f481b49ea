"""The probability that one metric stops a version: a chain of looks where its form allows, a simulation otherwise.

Requests of each version are independent (a Poisson process). A counter that a new pod brings has a rate from its second
scrape on: before it the result is empty, and errors are measured again after ten seconds (Argo Rollouts 1.10,
analysis/analysis.go, DefaultErrorRetryInterval). The time of that scrape is uniform; three points stand for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.odds.replay.controller import ERROR_RETRY_S
from generator.odds.trees.moments import DECLARED, pieces
from generator.odds.trees.watch import (
    MOST_LOOKS,
    Limit,
    Side,
    Watch,
    data_starts,
    first_weight,
    limit_of,
    looks_until,
    mean_of,
    spread_of,
)
from generator.promql.versions import Arm
from generator.stats.normal import normal_cdf
from generator.stats.runs import MAX_FAILURE_LIMIT, Looks, run_stops
from generator.stats.special import poisson_pmf
from generator.stats.timeline import Rollout, Stop
from generator.stats.windows import look_fail

VARIATION: Final = 1.0
"""Standard deviation of a latency over its mean: that of an exponential distribution."""
_SCRAPES: Final = (7 / 6, 9 / 6, 11 / 6)
_RARE: Final = 1e-6
_NEVER: Final = 1e-9
_SETTLED: Final = -math.log(_NEVER)
_MANY: Final = 100.0


@dataclass(frozen=True, slots=True)
class Chance:
    """When a metric stops a version, and how often it makes it wait for a person; `runs` of a simulation."""

    stops: tuple[Stop, ...]
    paused: float
    simulated: bool = False
    runs: int = 0


class TooManyMeasurementsError(Exception):
    """A metric can only be simulated, and has more measurements than are."""


@lru_cache(maxsize=65536)
def chance(watch: Watch) -> Chance:
    """Return when a metric stops a version.

    Raises:
        TooManyMeasurementsError: it can only be simulated, and there are too many measurements.
    """
    from generator.odds.trees.simulation import runs_of, simulated

    if watch.measure.kind in DECLARED:
        return _declared(watch)
    limit, side, _ = limit_of(watch.measure, watch.verdicts)
    if limit is None or side is None or not _is_closed(watch):
        return simulated(watch, runs_of(watch))
    if not _is_new(watch):
        return Chance(tuple(_chain(watch, watch.first_s, watch.failure_limit, watch.count)), 0.0)
    begin = first_weight(watch.rollout)
    stops: list[Stop] = []
    paused = 0.0
    for scrapes in _SCRAPES:
        found = _from(watch, begin + scrapes * watch.scrape_s)
        stops += _divided(found.stops, len(_SCRAPES))
        paused += found.paused / len(_SCRAPES)
    return Chance(tuple(sorted(stops, key=lambda stop: stop.first_s)), paused)


def _declared(watch: Watch) -> Chance:
    """Return the chance of a metric whose values are declared.

    Raises:
        TooManyMeasurementsError: it can only be simulated, and there are too many measurements.
    """
    from generator.odds.trees.simulation import Fixed, run_once, runs_of, simulated

    found = pieces(watch.measure.kind, watch.verdicts, mean_of(watch), spread_of(watch))
    starts = data_starts(watch)
    stops: list[Stop] = []
    paused = 0.0
    if watch.alike or len(found) == 1:
        for start in starts:
            for mass, value in found:
                ended, phase = run_once(watch, Fixed(watch, start, value))
                if phase in ("Failed", "Error"):
                    stops.append(Stop(ended, ended, mass / len(starts)))
                paused += mass / len(starts) if phase == "Inconclusive" else 0.0
        return Chance(tuple(sorted(stops, key=lambda stop: stop.first_s)), paused)
    phases = {watch.verdicts.phase(value) for _, value in found}
    if phases - {"Successful", "Failed"} or watch.success_limit or watch.failure_limit > MAX_FAILURE_LIMIT:
        return simulated(watch, runs_of(watch))
    for start in starts:
        one = _from(watch, start)
        stops += _divided(one.stops, len(starts))
        paused += one.paused / len(starts)
    return Chance(tuple(sorted(stops, key=lambda stop: stop.first_s)), paused)


def _divided(stops: Sequence[Stop], parts: int) -> Iterator[Stop]:
    return (Stop(stop.first_s, stop.last_s, stop.mass / parts) for stop in stops)


def _is_closed(watch: Watch) -> bool:
    """Return whether the chain of looks describes a metric: no verdict but success and failure, and no early end."""
    if watch.measure.kind == "comparison" or watch.success_limit:
        return False
    if watch.looks > watch.failure_limit > MAX_FAILURE_LIMIT:
        return False
    window = watch.measure.window_s or watch.scrape_s
    if watch.measure.floor > 0 and any(
        _seen(watch, t) < 2 * watch.measure.floor * window for t in _times(watch)
    ):
        return False
    if watch.measure.kind in ("rate", "count", "mean") or watch.verdicts.nan in ("Successful", "Failed"):
        return True
    return not any(math.exp(-_seen(watch, time)) > _RARE for time in _times(watch))


def _is_new(watch: Watch) -> bool:
    """Return whether the first measurements may come before the first data."""
    if watch.old_series or watch.measure.arm != "canary":
        return False
    return watch.first_s < first_weight(watch.rollout) + 2 * watch.scrape_s


def _seen(watch: Watch, time_s: float) -> float:
    new, stable = watch.requests(time_s)
    return {"canary": new, "stable": stable, "both": new + stable}[watch.measure.arm]


def _times(watch: Watch) -> Iterator[float]:
    """Yield the first measurement with data at each weight, at which requests are fewest."""
    start, data = 0.0, first_weight(watch.rollout) + 2 * watch.scrape_s
    for end in watch.rollout.ends:
        if watch.first_s <= end and end > start:
            yield max(watch.first_s, min(end, max(start, data)))
        start = end


def _from(watch: Watch, data_s: float) -> Chance:
    """Return the chance when data begin at a time: before it each measurement has an empty result."""
    time, failures, errors, inconclusive, taken = watch.first_s, 0, 0, 0, 0
    phase = watch.verdicts.empty
    while time < data_s and time <= watch.end_s and (watch.count is None or taken < watch.count):
        errors = errors + 1 if phase == "Error" else 0
        failures += phase == "Failed"
        inconclusive += phase == "Inconclusive"
        taken += phase != "Error"
        if errors > watch.error_limit or 0 <= watch.failure_limit < failures:
            return Chance((Stop(time, time, 1.0),), 0.0)
        if inconclusive > watch.inconclusive_limit:
            return Chance((), 1.0)
        if not watch.interval_s and phase != "Error":
            return Chance((), 0.0)
        if taken > MOST_LOOKS:
            break
        time += ERROR_RETRY_S if phase == "Error" else watch.interval_s
    left = None if watch.count is None else watch.count - taken
    limit = watch.failure_limit - failures if watch.failure_limit >= 0 else -1
    return Chance(tuple(_chain(watch, time, limit, left)), 0.0)


def _chain(watch: Watch, first_s: float, failure_limit: int, count: int | None) -> list[Stop]:
    """Return the stops of the measurements from a time on."""
    if failure_limit < 0 or count == 0 or failure_limit >= watch.looks:
        return []
    looks = list(_looks(watch, first_s, count))
    if not any(one.fail for one in looks):
        return []
    return [stop for stop in run_stops(looks, failure_limit) if stop.mass]


def _looks(watch: Watch, first_s: float, count: int | None) -> Iterator[Looks]:
    """Yield measurements; those that are alike are one value."""
    measure, interval = watch.measure, watch.interval_s
    window = measure.window_s or watch.scrape_s
    declared = failing(watch) if measure.kind in DECLARED else None
    limit, changed = limit_of(measure, watch.verdicts), watch.changed
    for one in _schedule(watch.rollout, measure.arm, window, interval, first_s, watch.end_s, count):
        if declared is not None:
            yield Looks(one.time_s, interval, one.alike, declared)
            continue
        fail = fails(watch, limit, *_arm(watch, one, changed))
        if fail < _NEVER or fail > 1 - _NEVER:
            fail = float(fail > _NEVER)
        depends = _RARE < fail < 1 - _RARE  # of what is rarer, neighbors change less than that
        yield Looks(one.time_s, interval, one.alike, fail, one.correlation if depends else 0.0)


@dataclass(frozen=True, slots=True)
class _Scheduled:
    """Measurements that are alike, whatever the limit is.

    Args:
        time_s: time of the first of them.
        alike: how many.
        new: expected requests of the new version in the window.
        stable: those of the stable version.
        correlation: with the measurement before, by the requests that both see.
    """

    time_s: float
    alike: int
    new: float
    stable: float
    correlation: float


@lru_cache(maxsize=4096)
def _schedule(
    rollout: Rollout,
    arm: Arm,
    window: float,
    interval: float,
    first_s: float,
    end_s: float,
    count: int | None,
) -> tuple[_Scheduled, ...]:
    """Return the measurements of a schedule; limits and shares of events share it."""

    def seen(time_s: float) -> tuple[float, float]:
        new = max(0.0, rollout.exposure(time_s) - rollout.exposure(time_s - window))
        return new, max(0.0, rollout.rps * window - new)

    def of_arm(time_s: float) -> float:
        new, stable = seen(time_s)
        return {"canary": new, "stable": stable, "both": new + stable}[arm]

    def correlation(time_s: float) -> float:
        overlap, before = window - interval, of_arm(time_s - interval)
        requests = of_arm(time_s)
        if overlap <= 0 or requests <= 0 or before <= 0:
            return 0.0
        if arm == "canary":
            shared = max(0.0, rollout.exposure(time_s - interval) - rollout.exposure(time_s - window))
        else:
            shared = min(before, requests) * overlap / window
        return min(1.0, shared / math.sqrt(before * requests))

    found: list[_Scheduled] = []
    most = looks_until(end_s, first_s, interval)
    total = min(most, count) if count is not None else most
    start, taken = 0.0, 0
    for end in [*rollout.ends, end_s]:
        until = min(total, looks_until(end, first_s, interval))
        while taken < until:
            time = first_s + taken * interval
            alike = until - taken if time - window - interval >= start - 1e-9 else 1
            found.append(_Scheduled(time, alike, *seen(time), correlation(time) if taken else 0.0))
            taken += alike
        start = end
    return tuple(found)


def _arm(watch: Watch, one: _Scheduled, changed: float) -> tuple[float, float]:
    """Return the expected requests that a query sees, and their share of events (or mean)."""
    new, stable = one.new, one.stable
    if watch.measure.arm == "canary":
        return new, changed
    if watch.measure.arm == "stable":
        return stable, watch.base
    every = new + stable
    return every, (new * changed + stable * watch.base) / every if every else watch.base


def failing(watch: Watch) -> float:
    """Return the probability that a declared value fails."""
    found = pieces(watch.measure.kind, watch.verdicts, mean_of(watch), spread_of(watch))
    return min(1.0, math.fsum(mass for mass, value in found if watch.verdicts.phase(value) == "Failed"))


def fails(watch: Watch, at: Limit, requests: float, share: float) -> float:
    """Return the probability that a measurement of so many expected requests fails; `at` is that of `limit_of`."""
    limit, side, itself = at
    measure, empty_fails = watch.measure, watch.verdicts.nan == "Failed"
    if limit is None or side is None:
        raise ValueError("the metric has no single limit")
    if measure.kind in ("count", "rate"):
        least = limit * (measure.window_s if measure.kind == "rate" else 1.0)
        return _beyond(requests * share, least, side, itself=itself)
    if measure.kind == "mean":
        if requests < 1:
            return 1.0 if empty_fails else 0.0
        z = (limit - share) / (VARIATION * share / math.sqrt(requests))
        return normal_cdf(-z if side == "high" else z)
    if measure.kind == "quantile":
        if side == "low":
            return 0.0
        limit, itself = 1.0 - measure.level, False
    if itself and limit > 0:
        limit += 1e-6 * limit if side == "low" else -1e-6 * limit
    empty = math.exp(-requests) if empty_fails else 0.0
    return _beyond_share(requests, share, limit, side, empty)


def _beyond_share(requests: float, share: float, limit: float, side: Side, empty: float) -> float:
    """Return the probability that a share is beyond a limit, or that there is no request, if that fails."""
    if not 0.0 <= limit <= 1.0:
        return float((limit < 0) == (side == "high"))
    if requests * min(share, limit) > _MANY:
        z = (limit - share) * math.sqrt(requests) / math.sqrt(share * (1 - share) + (share - limit) ** 2)
        return min(1.0, normal_cdf(-z if side == "high" else z) + empty)
    if _is_settled(requests, share, limit):
        return min(1.0, float((share > limit) == (side == "high")) + empty)
    bound: Literal["at_most", "at_least"] = "at_most" if side == "high" else "at_least"
    return min(1.0, _share_fails(round(requests, 6), share, limit, bound) + empty)


def _is_settled(requests: float, share: float, limit: float) -> bool:
    """Return whether the share of a window is on the side of its mean, but for a probability below `_NEVER`.

    Chernoff's bound for a difference of two Poisson numbers: exp(-m (1 - exp(-D))), D the divergence of limit from
    share (Kullback and Leibler).
    """
    if not 0.0 < share < 1.0 or not 0.0 < limit < 1.0:
        return False
    divergence = limit * math.log(limit / share) + (1 - limit) * math.log((1 - limit) / (1 - share))
    return requests * -math.expm1(-divergence) > _SETTLED


@lru_cache(maxsize=65536)
def _share_fails(
    requests: float,
    share: float,
    limit: float,
    bound: Literal["at_most", "at_least"],
) -> float:
    return look_fail(requests, share, limit, bound, empty_fails=False)


def _beyond(mean: float, limit: float, side: Side, *, itself: bool) -> float:
    """Return the probability that a Poisson number is beyond a limit."""
    last = math.ceil(limit - 1e-9) - 1 if (side == "high") == itself else math.floor(limit + 1e-9)
    if last < 0:
        below = 0.0
    elif mean > _MANY:
        below = normal_cdf((last + 0.5 - mean) / math.sqrt(mean))
    elif mean <= 0:
        below = 1.0
    else:
        below = min(1.0, math.fsum(poisson_pmf(count, mean) for count in range(min(last, 2000) + 1)))
    return 1.0 - below if side == "high" else below
