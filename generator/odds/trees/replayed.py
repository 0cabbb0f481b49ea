"""The odds of a metric whose values follow from no model: windows of its history, judged one after the other."""

from __future__ import annotations

import statistics
from dataclasses import replace

from generator.lint import Release
from generator.odds.trees.usual import harm_is_known, rates_of, rollout_of
from generator.odds.trees.values import HARMS, Harm, Known, MetricOdds, Replay, Span
from generator.stats.binomial import clopper_pearson


def replayed(release: Release, found: MetricOdds, past: Replay, known: Known) -> MetricOdds:
    """Return a metric with the odds of its replay: 95% intervals of the shares of windows that were stopped."""
    harms: tuple[Harm, ...] = ()
    assumed = [f"{found.metric.name} is as in {past.windows:,} windows of its history, over all pods"]
    if harm_is_known(found.metric, found.measure):
        harms = tuple(_harm(release, found, past, times, known) for times in HARMS)
        assumed.append(f"a worse version has that many times the {found.measure.event}")
    stopped = _share(len(past.stops.get(1.0, ())), past.windows)
    return replace(found, ground="replay", false_stop=stopped, harms=harms, assumed=tuple(assumed), why="")


def _share(stopped: int, windows: int) -> Span:
    interval = clopper_pearson(stopped, windows)
    return Span(interval.low, interval.high)


def _harm(release: Release, found: MetricOdds, past: Replay, times: float, known: Known) -> Harm:
    begin = found.metric.start_s + found.metric.delay_s
    stops = [begin + after for after in past.stops.get(times, ())]
    ends, end = [], 0.0
    for stage in release.stages:
        end += stage.seconds
        ends.append(end)
    rollouts = [rollout_of(release, rate, 0.0) for rate in rates_of(known)]
    missed = past.windows - len(stops)
    exposed = [
        (sum(rollout.exposure(stop) for stop in stops) + missed * rollout.exposure(end)) / past.windows
        for rollout in rollouts
    ]
    return Harm(
        times,
        _share(len(stops), past.windows),
        tuple(_share(sum(stop <= one + 1e-9 for stop in stops), past.windows) for one in ends),
        Span.over([statistics.fmean(stops)]) if stops else None,
        Span.over(exposed),
    )
