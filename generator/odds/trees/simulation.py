"""A metric simulated: requests at random, the query computed from them, and the controller's own rules for verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Final

from generator.lint import MeasurementPhase
from generator.odds.replay.controller import ERROR_RETRY_S, Run
from generator.odds.trees.chances import VARIATION, Chance, TooManyMeasurementsError
from generator.odds.trees.moments import DECLARED, drawn
from generator.odds.trees.watch import Watch, data_starts, first_weight, mean_of, spread_of
from generator.promql.conditions import Condition
from generator.promql.measures import Measure
from generator.promql.metric import Metric
from generator.stats.timeline import Stop

RUNS: Final = 400
FEWEST: Final = 50
MOST_LOOKS: Final = 1_000
"""Measurements of one release; more would take seconds for a handful of releases."""
_BUDGET: Final = 24_000
_CELLS: Final = 600
_NORMAL_ABOVE: Final = 40.0


def runs_of(watch: Watch) -> int:
    """Return how many releases to simulate: fewer where each has many measurements.

    Raises:
        TooManyMeasurementsError: there are more than are simulated.
    """
    if watch.looks > MOST_LOOKS:
        raise TooManyMeasurementsError(
            f"it has up to {watch.looks:,} measurements, and its odds can only be simulated: at most {MOST_LOOKS:,} are"
        )
    return max(FEWEST, min(RUNS, _BUDGET // max(1, watch.looks)))


def simulated(watch: Watch, runs: int = RUNS, seed: int = 1) -> Chance:
    """Return when a metric stops a version, from simulated releases; equal seeds give equal releases."""
    random = Random(seed)  # noqa: S311 - a simulation
    stops: dict[float, int] = {}
    paused = 0
    for _ in range(runs):
        ended, phase = run_once(watch, traffic_of(watch, random))
        if phase in ("Failed", "Error"):
            stops[ended] = stops.get(ended, 0) + 1
        paused += phase == "Inconclusive"
    found = tuple(Stop(time, time, hits / runs) for time, hits in sorted(stops.items()))
    return Chance(found, paused / runs, simulated=True, runs=runs)


class Fixed:
    """A declared value that stays the same; the result is empty before a time."""

    def __init__(self, watch: Watch, data_s: float, value: float) -> None:
        self._watch, self.data_s, self._value = watch, data_s, value

    def values(self, time_s: float) -> list[float]:
        """Return the result of the query at a time."""
        if time_s < self.data_s:
            fallback = self._watch.measure.fallback
            return [] if fallback is None else [fallback]
        return [self._at(time_s)]

    def _at(self, time_s: float) -> float:
        del time_s
        return self._value


class Drawn(Fixed):
    """Declared values that do not depend on each other, one for each cell of time."""

    def __init__(self, watch: Watch, random: Random) -> None:
        super().__init__(watch, random.choice(data_starts(watch)), 0.0)
        self._random = random
        self._cell = _cell(watch, watch.interval_s or watch.scrape_s)
        self._drawn: dict[int, float] = {}

    def _at(self, time_s: float) -> float:
        cell = math.floor((time_s - self._watch.first_s) / self._cell)
        if cell not in self._drawn:
            self._drawn[cell] = _drawn(self._watch, self._random)
        return self._drawn[cell]


def _drawn(watch: Watch, random: Random) -> float:
    return drawn(random, watch.measure.kind, mean_of(watch), spread_of(watch))


def traffic_of(watch: Watch, random: Random) -> Traffic | Fixed:
    """Return what a query sees in one release, at random."""
    if watch.measure.kind not in DECLARED:
        return Traffic(watch, random)
    if watch.alike:
        return Fixed(watch, random.choice(data_starts(watch)), _drawn(watch, random))
    return Drawn(watch, random)


class Traffic:
    """The requests and events of both versions in one release, in cells of equal length.

    Args:
        watch: the metric.
        random: the source of randomness.
    """

    def __init__(self, watch: Watch, random: Random) -> None:
        self._watch = watch
        window = watch.measure.window_s or watch.scrape_s
        end = max(watch.end_s, watch.first_s)
        self._cell = max(_cell(watch, window), (end + window) / _CELLS)
        self._from = -window
        cells = math.ceil((end + window) / self._cell) + 1
        self.data_s = first_weight(watch.rollout) + watch.scrape_s * (1 + random.random())
        self._new = _Cumulative()
        self._stable = _Cumulative()
        rps, measure = watch.rollout.rps, watch.measure
        seen = {measure.arm, measure.other.arm if measure.other else measure.arm}
        arms = seen if "both" not in seen else {"canary", "stable"}
        for index in range(cells):
            start = self._from + index * self._cell
            new = watch.rollout.exposure(start + self._cell) - watch.rollout.exposure(start)
            stable = max(0.0, rps * self._cell - new)
            if "canary" in arms:
                self._new.add(random, new, watch.changed, measure)
            if "stable" in arms:
                self._stable.add(random, stable, watch.base, measure)

    def values(self, time_s: float) -> list[float]:
        """Return the result of the query at a time."""
        measure, watch = self._watch.measure, self._watch
        if measure.kind == "comparison" and measure.other is not None:
            one, two = self._quantity(measure, time_s), self._quantity(measure.other, time_s)
            if one is None or two is None:
                return [] if measure.fallback is None else [measure.fallback]
            if measure.sign == "/" and two == 0:
                return [math.nan if one == 0 else math.inf]
            return [one / two if measure.sign == "/" else one - two]
        quantity = self._quantity(measure, time_s)
        if quantity is None:
            return [] if measure.fallback is None else [measure.fallback]
        if measure.kind == "quantile" and not math.isnan(quantity):
            edge = watch.verdicts.edges[0] if watch.verdicts.edges else 1.0
            return [edge + abs(edge) * (0.01 if quantity > 1 - measure.level else -0.01)]
        return [measure.value(quantity)]

    def _quantity(self, measure: Measure, time_s: float) -> float | None:
        """Return the quantity that a query measures, NaN for 0/0, None while there is no series."""
        watch = self._watch
        if measure.arm == "canary" and not watch.old_series and time_s < self.data_s:
            return None
        window = measure.window_s or watch.scrape_s
        last = (time_s - self._from) / self._cell
        first = last - window / self._cell
        requests = events = 0.0
        for name, arm in (("canary", self._new), ("stable", self._stable)):
            if measure.arm in (name, "both"):
                requests += arm.requests(last) - arm.requests(first)
                events += arm.events(last) - arm.events(first)
        if measure.kind == "count":
            return events
        if measure.kind == "rate":
            return events / window
        least = measure.floor * window
        if requests <= 0 and least <= 0:
            return math.nan
        return max(0.0, events) / max(requests, least)


def _cell(watch: Watch, window: float) -> float:
    """Return a length that divides all times at which windows begin and end, at least a second."""
    times = [window, watch.interval_s or window, watch.first_s]
    if watch.verdicts.empty == "Error" and watch.first_s < first_weight(watch.rollout) + 2 * watch.scrape_s:
        times.append(ERROR_RETRY_S)
    return float(max(1, math.gcd(*(round(time) for time in times))))


class _Cumulative:
    """Requests and events up to the end of each cell."""

    def __init__(self) -> None:
        self._requests, self._events = [0.0], [0.0]

    def add(self, random: Random, mean: float, share: float, measure: Measure) -> None:
        """Add a cell with so many expected requests."""
        if measure.kind == "mean":
            requests = poisson(random, mean)
            events = max(0.0, random.gauss(share * requests, VARIATION * share * math.sqrt(requests)))
        else:
            events = poisson(random, mean * share)
            requests = events + poisson(random, mean * (1 - share))
        self._requests.append(self._requests[-1] + requests)
        self._events.append(self._events[-1] + events)

    def requests(self, cells: float) -> float:
        """Return the requests of the first cells."""
        return _at(self._requests, cells)

    def events(self, cells: float) -> float:
        """Return the events of the first cells."""
        return _at(self._events, cells)


def _at(sums: Sequence[float], cells: float) -> float:
    return sums[min(len(sums) - 1, max(0, round(cells)))]


def poisson(random: Random, mean: float) -> float:
    """Return a Poisson number; a rounded normal one above a mean of 40."""
    if mean <= 0:
        return 0.0
    if mean > _NORMAL_ABOVE:
        return max(0.0, round(random.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return float(count)


def run_once(watch: Watch, traffic: Traffic | Fixed) -> tuple[float, str]:
    """Return when one analysis ends and in which phase; `Running` where the release ends first."""
    run = Run([controlled(watch)], 0.0)
    now = 0.0
    while (due := run.due_s) is not None and due <= watch.end_s:
        now = due
        run.measure(now, lambda _, at=now: _phase(watch, traffic.values(at)))  # type: ignore[misc]
    return now, run.phase


def controlled(watch: Watch) -> Metric:
    """Return a metric as the model of the controller takes it."""
    return Metric(
        name="metric",
        guard="metric",
        kind="limit",
        query="",
        condition=Condition("", ""),
        bound=0.0,
        interval_s=watch.interval_s,
        count=watch.count or 0,
        initial_delay_s=watch.first_s,
        failure_limit=watch.failure_limit,
        inconclusive_limit=watch.inconclusive_limit,
        success_limit=watch.success_limit,
        error_limit=watch.error_limit,
    )


def _phase(watch: Watch, values: list[float]) -> MeasurementPhase:
    return watch.verdicts.phase(values[0]) if values else watch.verdicts.empty
