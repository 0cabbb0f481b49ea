"""What a Prometheus knows about the metrics of a tree: traffic, what is usual, and stable against stable.

The query of each metric is evaluated over the past without its matchers on a version, so that it shows all traffic of
the version that was stable then. Windows as long as the release are judged one after the other by the conditions of the
metric: each that would have been stopped is a false stop. All traffic is more than a canary gets, so noise is
underestimated.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from generator.cluster.prometheus import Prometheus
from generator.lint import Release, TreeMetric, TreeReleases, measure_result
from generator.odds.trees.moments import is_worse_below
from generator.odds.trees.values import HARMS, Known, Replay
from generator.odds.trees.verdicts import UnreadConditionError, verdicts_of
from generator.promql.events import requests_of
from generator.promql.measures import Measure, recognize
from generator.promql.versions import without_versions

_DAYS: Final = 30
_POINTS: Final = 15_000
_LEAST_STEP_S: Final = 60.0
_RATE_S: Final = 300


def known_from(found: TreeReleases, server: Prometheus, now_s: float, known: Known) -> Known:
    """Return what is known, with what the server's history adds; what the user says takes precedence.

    Args:
        found: the releases.
        server: the server.
        now_s: the end of the history, seconds since 1970.
        known: what the user says.

    Raises:
        HttpError: there is no answer.
    """
    baselines, fired, replays = dict(known.baselines), dict(known.fired), dict(known.replays)
    rates: list[float] = []
    for release in found.releases:
        for metric in release.metrics:
            measure = recognize(metric.query, metric.versions, release.scrape_s)
            if metric.provider != "prometheus" or metric.unread or measure.kind in ("unknown", "comparison"):
                continue
            values, step = _past(metric, server, now_s)
            replay = _replay(release, metric, measure, values, step)
            if replay is not None and metric.name not in fired:
                fired[metric.name] = len(replay.stops[1.0]) / replay.windows
                replays[metric.name] = replay
            usual = _usual(measure, values)
            if usual and not {metric.name, measure.event} & known.baselines.keys():
                baselines.setdefault(metric.name, usual)
            rates += _rate(metric, server, now_s) if known.rps is None else []
    rps = known.rps or (statistics.median(rates) if rates else None)
    return Known(rps, baselines, known.ranges, fired, replays)


def _past(metric: TreeMetric, server: Prometheus, now_s: float) -> tuple[Sequence[Sequence[float]], float]:
    """Return the result of a query at regular times of the past, oldest first, and the seconds between two."""
    step = max(metric.interval_s, _LEAST_STEP_S)
    length = min(_DAYS * 86400, _POINTS * step)
    start = now_s - length
    found = server.range(without_versions(metric.query, metric.versions), start, now_s, step)
    times = (round((start + number * step) * 1000) for number in range(int(length // step) + 1))
    values = [found.get(time, []) for time in times]
    first = next((number for number, one in enumerate(values) if one), len(values))
    return values[first:], step


def _replay(
    release: Release, metric: TreeMetric, measure: Measure, values: Sequence[Sequence[float]], step: float
) -> Replay | None:
    """Return the windows of the past that the metric would have stopped; None without a whole window."""
    length = metric.count or max(1, round((release.seconds - metric.delay_s) / step))
    windows = len(values) // length
    if not windows or metric.failure_limit < 0:
        return None
    factors = (1.0, *HARMS) if measure.kind == "gauge" and measure.arm == "canary" else (1.0,)
    falls = measure.kind == "gauge" and _is_worse_below(metric, measure)
    stops: dict[float, tuple[float, ...]] = {}
    for times in factors:
        factor = 1 / times if falls else times
        changed = [[value * factor for value in one] for one in values]
        ended = (
            _stop(metric, changed[start : start + length]) for start in range(0, windows * length, length)
        )
        stops[times] = tuple(number * step for number in ended if number is not None)
    return Replay(windows, stops)


def _is_worse_below(metric: TreeMetric, measure: Measure) -> bool:
    try:
        return is_worse_below(verdicts_of(metric, measure.fallback))
    except UnreadConditionError:
        return False


def _stop(metric: TreeMetric, results: Sequence[Sequence[float]]) -> int | None:
    """Return the number of the measurement that would have stopped a release, None where none would have."""
    failures = errors = 0
    for number, result in enumerate(results):
        phase = measure_result(metric.success, metric.failure, result)
        failures += phase == "Failed"
        errors = errors + 1 if phase == "Error" else 0
        if failures > metric.failure_limit or errors > metric.error_limit:
            return number
    return None


def _usual(measure: Measure, values: Sequence[Sequence[float]]) -> float | None:
    """Return the mean share of events, or the mean, of the past; None for a measure that does not show it."""
    if measure.kind not in ("share", "mean"):
        return None
    found = [measure.quantity(one[0]) for one in values if one and one[0] == one[0]]
    usual = statistics.fmean(found) if found else 0.0
    return usual if usual > 0 and (measure.kind == "mean" or usual < 1) else None


def _rate(metric: TreeMetric, server: Prometheus, now_s: float) -> list[float]:
    """Return the mean requests per second of the past day, in a list; nothing where the query does not show them."""
    selector = requests_of(without_versions(metric.query, metric.versions))
    if not selector:
        return []
    found = server.range(f"sum(rate({selector}[{_RATE_S}s]))", now_s - 86400, now_s, _RATE_S)
    rates = [one[0] for one in found.values() if one and one[0] == one[0]]
    mean = statistics.fmean(rates) if rates else 0.0
    return [mean] if mean > 0 else []
