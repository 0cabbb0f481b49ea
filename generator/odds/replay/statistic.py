"""The numbers behind the queries of a plan, computed from recorded counters."""

from __future__ import annotations

from collections.abc import Callable

from generator.odds.replay.judge import Answers
from generator.odds.replay.series import Pair, Recording, milliseconds
from generator.promql.bounds import RequestsSeen, WindowRatio
from generator.promql.event_share import EventShare, Mask
from generator.promql.metric import Metric
from generator.stats.sequential import event_llr

Reading = Callable[[int], tuple[float, ...]]
"""The result of a query at a time (milliseconds)."""


def answers(recording: Recording, start_s: float) -> Answers:
    """Answer the queries of a schedule from a recording; the first weight is at `start_s`.

    A metric without a statistic, or of a guard that was not recorded, has no data.
    """
    readings: dict[Metric, Reading] = {}

    def answer(metric: Metric, at_s: float) -> tuple[float, ...]:
        if metric not in readings:
            readings[metric] = _reading(metric, recording)
        return readings[metric](milliseconds(start_s + at_s))

    return answer


def _reading(metric: Metric, recording: Recording) -> Reading:
    pair, statistic = recording.pairs.get(metric.guard), metric.statistic
    if pair is None or statistic is None or pair.canary.born_ms is None:
        return lambda _: ()
    if isinstance(statistic, EventShare):
        return EventShareSum(pair, statistic).at
    if isinstance(statistic, WindowRatio):
        return lambda time: _ratio(pair, statistic, time)
    return lambda time: _seen(pair, statistic, time)


def _ratio(pair: Pair, measure: WindowRatio, time_ms: int) -> tuple[float, ...]:
    start = time_ms - milliseconds(measure.window_s)
    requests = pair.canary.requests.increase(start, time_ms)
    return (pair.canary.events.increase(start, time_ms) / requests,) if requests >= measure.floor else ()


def _seen(pair: Pair, measure: RequestsSeen, time_ms: int) -> tuple[float, ...]:
    start = time_ms - milliseconds(measure.horizon_s)
    if pair.stable.events.increase(start, time_ms) < measure.least_events:
        return ()
    return (pair.canary.requests.increase(start, time_ms),)


class EventShareSum:
    """The event-share statistic: strata on multiples of the step since 1970, as a subquery takes them.

    Each stratum is computed once, as a running sum, however often it is looked at.
    """

    def __init__(self, pair: Pair, test: EventShare) -> None:
        self._pair, self._test = pair, test
        self._step = milliseconds(test.step_s)
        # Strata end at multiples of the step; before the first one that sees the canary there is nothing.
        self._first = -(-(pair.canary.born_ms or 0) // self._step)
        self._sums, self._counts = [0.0], [0]

    def at(self, time_ms: int) -> tuple[float, ...]:
        """The statistic of the horizon before a time; empty while no stratum counts."""
        last = time_ms // self._step - self._first + 1
        start = -(-(time_ms - milliseconds(self._test.horizon_s)) // self._step) - self._first
        high, low = max(0, last), max(0, start)
        while len(self._sums) <= high:
            self._add((self._first + len(self._sums) - 1) * self._step)
        if high <= low or self._counts[high] == self._counts[low]:
            return ()
        return (self._sums[high] - self._sums[low],)

    def _add(self, end_ms: int) -> None:
        term = self._term(end_ms)
        self._sums.append(self._sums[-1] + (term or 0.0))
        self._counts.append(self._counts[-1] + (term is not None))

    def _term(self, end_ms: int) -> float | None:
        """Evidence of one stratum; None when it does not count."""
        start, canary, stable = end_ms - self._step, self._pair.canary, self._pair.stable
        requests = canary.requests.increase(start, end_ms)
        if requests <= 0 or (self._test.mask and not self._steady(self._test.mask, end_ms)):
            return None
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

    def _share(self, start_ms: int, end_ms: int) -> float:
        """The canary's share of the requests; 0 without any."""
        canary = self._pair.canary.requests.increase(start_ms, end_ms)
        total = canary + self._pair.stable.requests.increase(start_ms, end_ms)
        return canary / total if total else 0.0
