"""Recorded counters of two arms, and the statistics that guards compute from them.

The increase between two times is the difference of the counter at the last sample before each. A reset is a restart
from 0, and before the first sample there is nothing. Prometheus' `increase()` extrapolates to the ends of its range and
its range here is one scrape longer; the two differ by at most a stratum's share of one scrape, except in the stratum of
a counter's first sample. Across a gap in the scrapes a range shorter than the gap sees no increase in either of them; a
longer one does. The number of pods of a stratum counts every pod that answered a scrape in it, as the query does.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.odds.replay.walk import QueryResults
from generator.promql.bounds import CanaryRequests, CohortRequests, WindowRatio
from generator.promql.event_share import EventShare, LoadMatch, Mask
from generator.promql.metric import Metric
from generator.promql.split import Split
from generator.stats.sequential import event_llr
from generator.stats.split import split_llr

Arm = Literal["canary", "stable"]
_MISSED: Final = 2
"""Median steps by which the sample before a range may be early: a late scrape still counts, as in `increase()`."""
_LOOKED_AT: Final = 101
"""Samples at the beginning from which the usual step is taken."""


def milliseconds(seconds: float) -> int:
    """Convert seconds to whole milliseconds, the unit of Prometheus' timestamps."""
    return round(seconds * 1000)


class Counter:
    """Samples of a cumulative counter; times are whole milliseconds, ascending."""

    __slots__ = ("reach", "times", "totals")

    def __init__(self, times: Sequence[int], values: Sequence[float]) -> None:
        if len(times) != len(values):
            raise ValueError("a counter needs as many values as times")
        self.times = times
        self.totals = _without_resets(values)
        self.reach = _MISSED * _usual_step(times)

    def increase(self, start_ms: int, end_ms: int) -> float:
        """Return the increase from one time to another; 0 before the first sample and after the last."""
        if not self.times:
            return 0.0
        last = max(0, bisect_right(self.times, end_ms) - 1)
        first = max(0, bisect_right(self.times, start_ms) - 1)
        if start_ms - self.times[first] > self.reach:
            first = min(first + 1, last)
        return self.totals[last] - self.totals[first]


class Gauge:
    """Samples of a number that may rise and fall; times are whole milliseconds, ascending."""

    __slots__ = ("times", "values")

    def __init__(self, times: Sequence[int], values: Sequence[float]) -> None:
        if len(times) != len(values):
            raise ValueError("a gauge needs as many values as times")
        self.times = times
        self.values = values

    def largest(self, start_ms: int, end_ms: int) -> float:
        """Return the largest sample after one time and up to another; 0 without a sample."""
        inside = slice(bisect_right(self.times, start_ms), bisect_right(self.times, end_ms))
        return max(self.values[inside], default=0.0)


def _usual_step(times: Sequence[int]) -> int:
    """Return the median time between the first hundred samples; 0 for a single sample."""
    steps = sorted(b - a for a, b in pairwise(times[:_LOOKED_AT]))
    return steps[len(steps) // 2] if steps else 0


def _without_resets(values: Sequence[float]) -> list[float]:
    totals: list[float] = []
    before, total = math.inf, 0.0
    for value in values:
        total += value - before if totals and value >= before else value
        totals.append(total)
        before = value
    return totals


@dataclass(frozen=True, slots=True)
class ArmCounters:
    """The requests and events of one arm, as one guard counts them.

    Args:
        requests: counter of requests.
        events: counter of events.
        pods: number of pods whose scrapes were answered; None when it was not recorded.
    """

    requests: Counter
    events: Counter
    pods: Gauge | None = None

    @property
    def born_ms(self) -> int | None:
        """The time of the first sample; None without samples."""
        return self.requests.times[0] if self.requests.times else None


@dataclass(frozen=True, slots=True)
class Pair:
    """The counters of both arms for one guard."""

    canary: ArmCounters
    stable: ArmCounters


@dataclass(frozen=True)
class Recording:
    """The recorded counters, by guard."""

    pairs: Mapping[str, Pair]

    @cached_property
    def start_s(self) -> float | None:
        """The time of the canary's first sample, seconds; None without samples."""
        born = (pair.canary.born_ms for pair in self.pairs.values())
        first = min((time for time in born if time is not None), default=None)
        return None if first is None else first / 1000

    @cached_property
    def end_s(self) -> float | None:
        """The time of the last sample, seconds; None without samples."""
        sides = [side for pair in self.pairs.values() for side in (pair.canary, pair.stable)]
        last = max((side.requests.times[-1] for side in sides if side.requests.times), default=None)
        return None if last is None else last / 1000

    def exposed(self, start_s: float, end_s: float) -> float:
        """Return the requests that the canary served between two times, by the guard that counted the most."""
        start, end = milliseconds(start_s), milliseconds(end_s)
        return max((p.canary.requests.increase(start, end) for p in self.pairs.values()), default=0.0)


_Reading = Callable[[int], tuple[float, ...]]
"""Returns the result of a query at a time (milliseconds)."""


def query_results(recording: Recording, start_s: float) -> QueryResults:
    """Return the query results that a recording gives; the first weight is at `start_s`.

    A metric without a statistic or of a guard without a recording has no data.
    """
    readings: dict[Metric, _Reading] = {}

    def result(metric: Metric, at_s: float) -> tuple[float, ...]:
        if metric not in readings:
            readings[metric] = _reading(metric, recording)
        return readings[metric](milliseconds(start_s + at_s))

    return result


def _reading(metric: Metric, recording: Recording) -> _Reading:
    pair, statistic = recording.pairs.get(metric.guard), metric.statistic
    if isinstance(statistic, CohortRequests):
        return lambda time: _cohort(recording, statistic, time)
    if isinstance(statistic, Split):
        return lambda time: _split(recording, statistic, time)
    if pair is None or statistic is None or pair.canary.born_ms is None:
        return lambda _: ()
    if isinstance(statistic, EventShare):
        return EventShareSum(pair, statistic).at
    if isinstance(statistic, WindowRatio):
        return lambda time: _ratio(pair, statistic, time)
    strata = EventShareSum(pair, statistic.test) if statistic.test else None
    return lambda time: _seen(pair, statistic, strata, time)


def _cohort(recording: Recording, seen: CohortRequests, time_ms: int) -> tuple[float, ...]:
    """Return the requests of a cohort; they belong to no guard."""
    counted = _requests(recording, seen.window_s, time_ms)
    return (seen.of(*counted),) if counted else ()


def _split(recording: Recording, test: Split, time_ms: int) -> tuple[float, ...]:
    """Return the evidence against the split; it belongs to no guard."""
    canary, stable = _requests(recording, test.window_s, time_ms) or (0.0, 0.0)
    part, rest = (canary, stable) if test.of_canary else (stable, canary)
    if part + rest < test.floor:
        return ()
    return (split_llr(part, rest, test.share, design_effect=test.design_effect),)


def _requests(recording: Recording, window_s: float, time_ms: int) -> tuple[float, float] | None:
    """Return the requests of the canary and of stable, by the guard that counted the most; None without a canary."""
    start = time_ms - milliseconds(window_s)
    counted = [
        (pair.canary.requests.increase(start, time_ms), pair.stable.requests.increase(start, time_ms))
        for pair in recording.pairs.values()
        if pair.canary.born_ms is not None
    ]
    return max(counted, default=None)


def _ratio(pair: Pair, measure: WindowRatio, time_ms: int) -> tuple[float, ...]:
    start = time_ms - milliseconds(measure.window_s)
    requests, events = (
        counter.increase(start, time_ms) for counter in (pair.canary.requests, pair.canary.events)
    )
    heard = pair.canary.events.increase(time_ms - milliseconds(measure.heard_s), time_ms) > 0
    if requests < measure.floor or not (heard or not measure.heard_s):
        return ()
    return (events / requests,)


def _seen(
    pair: Pair, measure: CanaryRequests, strata: EventShareSum | None, time_ms: int
) -> tuple[float, ...]:
    start = time_ms - milliseconds(measure.horizon_s)
    if pair.stable.events.increase(start, time_ms) < measure.least_events:
        return ()
    if pair.canary.events.increase(start, time_ms) < measure.own_events:
        return ()
    return strata.requests_at(time_ms) if strata else (pair.canary.requests.increase(start, time_ms),)


class EventShareSum:
    """The event-share statistic. Strata end at multiples of the step since 1970, as in a subquery.

    The evidence of the strata is kept as a running sum, so that each stratum is computed once.
    """

    def __init__(self, pair: Pair, test: EventShare) -> None:
        self._pair, self._test = pair, test
        self._step = milliseconds(test.step_s)
        # The first stratum that includes a sample of the canary.
        self._first = -(-(pair.canary.born_ms or 0) // self._step)
        self._sums, self._requests, self._counts = [0.0], [0.0], [0]

    def at(self, time_ms: int) -> tuple[float, ...]:
        """Return the statistic over the horizon before a time; empty while no stratum counts."""
        return self._over_horizon(self._sums, time_ms)

    def requests_at(self, time_ms: int) -> tuple[float, ...]:
        """Return the canary requests in the strata that count; empty while none does."""
        return self._over_horizon(self._requests, time_ms)

    def _over_horizon(self, sums: list[float], time_ms: int) -> tuple[float, ...]:
        last = time_ms // self._step - self._first + 1
        start = -(-(time_ms - milliseconds(self._test.horizon_s)) // self._step) - self._first
        high, low = max(0, last), max(0, start)
        while len(self._sums) <= high:
            self._add((self._first + len(self._sums) - 1) * self._step)
        if high <= low or self._counts[high] == self._counts[low]:
            return ()
        return (sums[high] - sums[low],)

    def _add(self, end_ms: int) -> None:
        requests = self._pair.canary.requests.increase(end_ms - self._step, end_ms)
        counts = self._takes(requests, end_ms)
        self._sums.append(self._sums[-1] + (self._term(requests, end_ms) if counts else 0.0))
        self._requests.append(self._requests[-1] + (requests if counts else 0.0))
        self._counts.append(self._counts[-1] + counts)

    def _takes(self, requests: float, end_ms: int) -> bool:
        """Return whether the test takes evidence from the stratum that ends here."""
        if requests <= 0 or (self._test.mask and not self._steady(self._test.mask, end_ms)):
            return False
        return self._test.load is None or self._alike(self._test.load, end_ms)

    def _term(self, requests: float, end_ms: int) -> float:
        """Return the evidence of one stratum."""
        start, canary, stable = end_ms - self._step, self._pair.canary, self._pair.stable
        return event_llr(
            canary.events.increase(start, end_ms),
            requests,
            stable.events.increase(start, end_ms),
            stable.requests.increase(start, end_ms),
            self._test.rate_ratio,
            design_effect=self._test.design_effect,
        )

    def _steady(self, mask: Mask, end_ms: int) -> bool:
        lookback = milliseconds(mask.lookback_s)
        now, before = (
            self._share(end_ms - lookback, end_ms),
            self._share(end_ms - 2 * lookback, end_ms - lookback),
        )
        return before > 0 and 1 / mask.tolerance < now / before < mask.tolerance

    def _alike(self, load: LoadMatch, end_ms: int) -> bool:
        """Return whether a canary pod has about the load of a stable pod; unknown without recorded pods."""
        start, canary, stable = end_ms - self._step, self._pair.canary, self._pair.stable
        if canary.pods is None or stable.pods is None:
            return False
        share = self._share(start, end_ms)
        requests = math.fsum(added for least, added in load.levels if share > least)
        own = requests * stable.pods.largest(start, end_ms)
        others = canary.pods.largest(start, end_ms)
        return own > 0 < others and abs(math.log(own / others)) < load.bound

    def _share(self, start_ms: int, end_ms: int) -> float:
        """Return the canary's share of the requests; 0 without requests."""
        canary = self._pair.canary.requests.increase(start_ms, end_ms)
        total = canary + self._pair.stable.requests.increase(start_ms, end_ms)
        return canary / total if total else 0.0
