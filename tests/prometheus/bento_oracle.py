"""The numbers behind the rendered queries, computed a second time from raw samples.

Nothing here reads a query: what a guard counts is written down again, and `increase()` follows Prometheus 2's code
(promql/functions.go, extrapolatedRate): a closed range, extrapolated to its ends.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from generator.promql.event_share import EventShare, Mask
from generator.stats.sequential import event_llr

Labels = Mapping[str, str]
Points = Sequence[tuple[int, float]]
"""Milliseconds since 1970, and the counter's value."""
_DURATION = "bentoml_service_request_duration_seconds"


@dataclass(frozen=True)
class Counted:
    """What a guard counts.

    Args:
        arm: the label that tells the arms apart.
        requests: whether a series counts requests.
        events: whether it counts events or, with `complement`, the requests that are none.
        complement: see `events`.
    """

    arm: str
    requests: Callable[[Labels], bool]
    events: Callable[[Labels], bool]
    complement: bool = False


def _is(name: str, **labels: str) -> Callable[[Labels], bool]:
    wanted = {"__name__": name, **labels}
    return lambda found: wanted.items() <= found.items()


_REQUESTS = _is("bentoml_service_request_total", endpoint="/predict")
COUNTED = {
    "ctr": Counted(
        "served_by",
        _is("sluice_predictions_total", model="shop-recommender"),
        _is("sluice_outcomes_total", model="shop-recommender", outcome="ctr"),
    ),
    "error-rate": Counted(
        "rollouts_pod_template_hash",
        _REQUESTS,
        lambda found: _REQUESTS(found) and not found["http_response_code"].startswith("2"),
    ),
    "slow-rate": Counted(
        "rollouts_pod_template_hash",
        _is(f"{_DURATION}_count", endpoint="/predict"),
        _is(f"{_DURATION}_bucket", endpoint="/predict", le="1.5"),
        complement=True,
    ),
}


def increase(points: Points, end_ms: int, window_ms: int) -> float | None:
    """How far one counter grew over a window; None with fewer than two samples in it."""
    inside = [(at, value) for at, value in points if end_ms - window_ms <= at <= end_ms]
    if len(inside) < 2:
        return None
    (first_at, first), (last_at, last) = inside[0], inside[-1]
    grown = last - first + sum(a for (_, a), (_, b) in pairwise(inside) if b < a)
    sampled = (last_at - first_at) / 1000
    spacing = sampled / (len(inside) - 1)
    to_start, to_end = (first_at - (end_ms - window_ms)) / 1000, (end_ms - last_at) / 1000
    if grown > 0 and first >= 0:
        to_start = min(to_start, sampled * first / grown)
    covered = sampled + sum(gap if gap < spacing * 1.1 else spacing / 2 for gap in (to_start, to_end))
    return grown * (covered / sampled)


class Arm:
    """One arm of one guard: every series that counts for it, in whichever process."""

    def __init__(self, series: Sequence[tuple[Labels, Points]], counted: Counted, pod: str) -> None:
        own = [(labels, points) for labels, points in series if labels.get(counted.arm) == pod]
        self._requests = [points for labels, points in own if counted.requests(labels)]
        self._events = [points for labels, points in own if counted.events(labels)]
        self._complement = counted.complement

    def requests(self, end_ms: int, window_ms: int) -> float | None:
        return _sum(self._requests, end_ms, window_ms)

    def events(self, end_ms: int, window_ms: int) -> float | None:
        found = _sum(self._events, end_ms, window_ms)
        if not self._complement:
            return found or 0.0
        requests = self.requests(end_ms, window_ms)
        return None if found is None or requests is None else max(0.0, requests - found)

    def recorded(self, at_ms: int) -> tuple[float, float] | None:
        """Requests and events by a time; None before the first sample.

        Each series counts from its first sample on. BentoML creates the counter of a status 400 with the first such
        answers, and `increase()` never sees those.
        """
        requests, counted = _total(self._requests, at_ms), _total(self._events, at_ms) or 0.0
        return None if requests is None else (requests, requests - counted if self._complement else counted)


def _total(counters: Sequence[Points], at_ms: int) -> float | None:
    found = [total for points in counters if (total := _grown(points, at_ms)) is not None]
    return sum(found) if found else None


def _grown(points: Points, at_ms: int) -> float | None:
    last = bisect_right(points, at_ms, key=itemgetter(0))
    return points[last - 1][1] - points[0][1] if last else None


def _sum(counters: Sequence[Points], end_ms: int, window_ms: int) -> float | None:
    grown = [one for points in counters if (one := increase(points, end_ms, window_ms)) is not None]
    return sum(grown) if grown else None


class Statistic:
    """The event-share statistic of one guard and one canary.

    Args:
        canary: the new version.
        stable: the version in production.
        test: parameters, as the plan has them.
        start_s: before the first sample, seconds since 1970.
        end_s: after the last one.
    """

    def __init__(self, canary: Arm, stable: Arm, test: EventShare, start_s: float, end_s: float) -> None:
        self._canary, self._stable, self._test = canary, stable, test
        self._terms = dict(self._strata(start_s, end_s))

    def at(self, time_s: float) -> list[float]:
        """What the query gives at a time: nothing while no stratum counts."""
        since = time_s - self._test.horizon_s
        terms = [term for end, term in self._terms.items() if since <= end / 1000 <= time_s]
        return [math.fsum(terms)] if terms else []

    def _strata(self, start_s: float, end_s: float) -> Iterator[tuple[int, float]]:
        step = round(1000 * self._test.step_s)
        for end in range(math.floor(start_s) * 1000 // step * step, math.ceil(end_s) * 1000, step):
            term = self._term(end)
            if term is not None:
                yield end, term

    def _term(self, end: int) -> float | None:
        test, window = self._test, round(1000 * self._test.window_s)
        requests = self._canary.requests(end, window)
        if not requests or (test.mask and not self._steady(test.mask, end)):
            return None
        others = self._stable.requests(end, window)
        events, stable = self._canary.events(end, window), self._stable.events(end, window)
        if others is None or events is None or stable is None:
            return None
        return event_llr(events, requests, stable, others, test.rate_ratio) * test.step_s / test.window_s

    def _steady(self, mask: Mask, end: int) -> bool:
        back = round(1000 * mask.lookback_s)
        now, before = self._share(end, back), self._share(end - back, back)
        return bool(now and before and 1 / mask.tolerance < now / before < mask.tolerance)

    def _share(self, end: int, window: int) -> float | None:
        canary, stable = self._canary.requests(end, window), self._stable.requests(end, window)
        return None if canary is None or not stable else canary / (canary + stable)
