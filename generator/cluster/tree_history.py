"""What a Prometheus knows about the metrics of a tree: traffic, what is usual, and stable against stable.

The query of each metric is evaluated over the past without its matchers on a version, so that it shows all traffic of
the version that was stable then. Windows as long as the release are judged one after the other by the conditions of the
metric: each that would have been stopped is a false stop. All traffic is more than a canary gets, so noise is
underestimated.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from generator.cluster.prometheus import Prometheus
from generator.lint import Release, TreeMetric, TreeReleases, measure_result
from generator.odds.trees.values import Known
from generator.promql.events import requests_of
from generator.promql.measures import Measure, recognize
from generator.promql.versions import without_versions

_DAYS: Final = 30
_POINTS: Final = 15_000
_LEAST_STEP_S: Final = 60.0
_RATE_S: Final = 300


@dataclass(frozen=True, slots=True)
class _Judged:
    """Windows of the past, and how many a metric would have stopped."""

    windows: int
    stopped: int


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
    baselines, fired, rates = dict(known.baselines), dict(known.fired), []
    for release in found.releases:
        for metric in release.metrics:
            measure = recognize(metric.query, metric.versions, release.scrape_s)
            if metric.provider != "prometheus" or metric.unread or measure.kind in ("unknown", "comparison"):
                continue
            values, step = _past(metric, server, now_s)
            judged = _stable_against_stable(release, metric, values, step)
            if judged is not None and metric.name not in fired:
                fired[metric.name] = judged.stopped / judged.windows
            usual = _usual(measure, values)
            if usual and not {metric.name, measure.event} & known.baselines.keys():
                baselines.setdefault(metric.name, usual)
            rates += _rate(metric, server, now_s) if known.rps is None else []
    return Known(known.rps or (statistics.median(rates) if rates else None), baselines, fired)


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


def _stable_against_stable(
    release: Release, metric: TreeMetric, values: Sequence[Sequence[float]], step: float
) -> _Judged | None:
    """Return how many windows of the past the metric would have stopped; None without a whole window."""
    length = metric.count or max(1, round((release.seconds - metric.delay_s) / step))
    windows = len(values) // length
    if not windows or metric.failure_limit < 0:
        return None
    stopped = 0
    for start in range(0, windows * length, length):
        phases = [
            measure_result(metric.success, metric.failure, one) for one in values[start : start + length]
        ]
        failed = phases.count("Failed") > metric.failure_limit
        stopped += failed or _in_a_row(phases) > metric.error_limit
    return _Judged(windows, stopped)


def _in_a_row(phases: Sequence[str | None]) -> int:
    longest = now = 0
    for phase in phases:
        now = now + 1 if phase == "Error" else 0
        longest = max(longest, now)
    return longest


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
