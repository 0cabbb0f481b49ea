"""What would be better than a metric: other limits on the same query, and Sluice's own test, with the odds of both."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from generator.lint import Release, TreeMetric
from generator.odds.trees.odds import metric_odds
from generator.odds.trees.values import Better, Known, MetricOdds, TreeOdds
from generator.odds.trees.verdicts import UnreadConditionError, verdicts_of
from generator.odds.trees.watch import first_weight, limit_of, phases_of
from generator.stats.odds import sprt_odds
from generator.stats.passage import Sprt
from generator.stats.timeline import Rollout

ALPHA: Final = 0.01
"""How often a proposal may stop a good version."""
ENOUGH: Final = 0.8
"""The power against twice the events that needs no proposal."""
_SOME: Final = 0.05
"""A proposal that catches less than this share of the bad versions improves nothing."""
TYPICAL_RPS: Final = 30.0
_TIMES: Final = 2.0
_FACTORS: Final = (1.25, 1.5, 2.0, 3.0)
_FORGIVEN: Final = (0, 1, 2, 3)
_LOOK_S: Final = 60.0
_LATENCY_S: Final = 5.0


def with_better(found: TreeOdds, known: Known) -> TreeOdds:
    """Return the odds of a tree with a proposal for each metric that needs one."""
    releases = []
    for one in found.releases:
        metrics = tuple(replace(metric, better=better(one.release, metric, known)) for metric in one.metrics)
        releases.append(replace(one, metrics=metrics))
    return replace(found, releases=tuple(releases))


def better(release: Release, found: MetricOdds, known: Known) -> Better | None:
    """Return a proposal for a metric, None where today's is good or nothing can be said."""
    measure, metric = found.measure, found.metric
    if found.false_stop is None or measure.kind not in ("share", "quantile") or not release.seconds:
        return None
    if metric.moment not in ("background", "step") or release.tool != "Argo Rollouts" or metric.dry_run:
        return None
    rps = known.rps or TYPICAL_RPS
    limit = found.limit
    given = next(
        (known.baselines[key] for key in (metric.name, measure.event) if key in known.baselines), None
    )
    base = given if given is not None else limit and limit / 3
    if not base or not limit or base * _TIMES >= 1 or not _has_upper_limit(found):
        return None
    here = Known(rps, {measure.event: base})
    today = _pair(metric_odds(release, metric, here))
    if today is None or (today[0] <= ALPHA and today[1] >= ENOUGH):
        return None
    stages = phases_of(tuple((stage.seen, stage.seconds) for stage in release.stages))
    guard = sprt_odds(Rollout(stages, rps), Sprt(base, _TIMES, ALPHA, look_s=_LOOK_S), _LATENCY_S)
    chosen = _chosen(release, found, here, base, today)
    if measure.several:
        chosen = None  # a limit on the first of several series says nothing about the others
    if max(guard.power, chosen[1][1] if chosen else 0.0) < _SOME:
        return None
    numbers = chosen[1] if chosen else today
    return Better(
        chosen[0] if chosen else None, *numbers, today, guard.false_rollback, guard.power, rps, base
    )


def _has_upper_limit(found: MetricOdds) -> bool:
    """Return whether some values pass and higher ones fail: conditions on the whole result compare no value."""
    try:
        verdicts = verdicts_of(found.metric, found.measure.fallback)
    except UnreadConditionError:
        return False
    return bool(verdicts.edges) and limit_of(found.measure, verdicts)[1] != "low"


def _pair(found: MetricOdds) -> tuple[float, float] | None:
    """Return the highest false stop and the lowest power against twice the events."""
    harm = next((one for one in found.harms if one.times == _TIMES), None)
    return None if found.false_stop is None or harm is None else (found.false_stop.high, harm.power.low)


def _chosen(
    release: Release, found: MetricOdds, known: Known, base: float, today: tuple[float, float]
) -> tuple[TreeMetric, tuple[float, float]] | None:
    """Return the limits with the most power whose false stops are rare, None where they are not better than today."""
    candidates: list[tuple[TreeMetric, tuple[float, float]]] = []
    for limit in [found.limit or base, *(base * factor for factor in _FACTORS)]:
        if found.measure.kind == "quantile" and limit != found.limit:
            continue  # its limit is the level of the quantile, which is in the query
        for forgiven in _FORGIVEN:
            metric = _with(release, found, limit, forgiven)
            pair = _pair(metric_odds(release, metric, known))
            if pair is not None and pair[0] <= ALPHA:
                candidates.append((metric, pair))
    best = max(candidates, key=lambda one: one[1][1], default=None)
    if best is None or (today[0] <= ALPHA and best[1][1] <= today[1] + 0.05):
        return None
    return best


def _with(release: Release, found: MetricOdds, limit: float, forgiven: int) -> TreeMetric:
    """Return a metric with another limit that waits for data, and fails where there are none."""
    metric, measure = found.metric, found.measure
    value = found.measure.value(limit)
    if measure.kind == "quantile":
        value = verdicts_of(metric, measure.fallback).edges[0]
    sign = "<=" if (measure.scale > 0) != measure.complement else ">="
    begin = first_weight(Rollout(phases_of(tuple((one.seen, one.seconds) for one in release.stages)), 1.0))
    start = metric.start_s if math.isfinite(metric.start_s) else 0.0
    delay = max(metric.delay_s, begin + 2 * release.scrape_s + measure.window_s - start)
    if metric.moment == "step" and metric.count:
        delay = metric.delay_s if start + metric.delay_s >= begin + 2 * release.scrape_s else delay
    return replace(
        metric,
        success=f"len(result) == 1 && !isNaN(result[0]) && result[0] {sign} {value:.6g}",
        failure="",
        start_s=start,
        delay_s=delay,
        interval_s=metric.interval_s or _LOOK_S,
        failure_limit=forgiven,
    )
