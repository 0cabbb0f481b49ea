"""The odds of a tree: every metric of every release, at the traffic that is known, and as a range where it is not."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from generator.dataclass import dataclass
from generator.lint import Release, TreeMetric, TreeReleases
from generator.odds.trees.chances import TooManyMeasurementsError, chance
from generator.odds.trees.flagger import FlaggerWatch, flagger_chance
from generator.odds.trees.moments import DECLARED, VERDICT
from generator.odds.trees.replayed import replayed
from generator.odds.trees.simulation import RUNS
from generator.odds.trees.traps import sees_a_part, sees_nobody, traps
from generator.odds.trees.usual import (
    Usual,
    declared_measure,
    harm_is_known,
    rates_of,
    rollout_of,
    undeclared,
    unread_provider,
    varied,
)
from generator.odds.trees.values import HARMS, Harm, Known, MetricOdds, ReleaseOdds, Span, TreeOdds
from generator.odds.trees.verdicts import UnreadConditionError, Verdicts, verdicts_of
from generator.odds.trees.watch import Watch, limit_of
from generator.promql.measures import Measure, recognize
from generator.stats.timeline import Rollout, detection

_SPEC: Final = re.compile(r"[a-z][a-z0-9-]{0,62}/[a-z][a-z0-9-]{0,62}")
_LATENCY_S: Final = 5.0
_QUERIES: Final = frozenset({"prometheus"})


def tree_odds(found: TreeReleases, known: Known) -> TreeOdds:
    """Return the odds of every release of a tree."""
    return TreeOdds(
        tuple(release_odds(release, known) for release in found.releases),
        tuple(_recognized(None, metric, known) for metric in found.unused),
        found.files,
        found.unread,
    )


def release_odds(release: Release, known: Known) -> ReleaseOdds:
    """Return the odds of one release."""
    metrics = tuple(metric_odds(release, metric, known) for metric in release.metrics)
    counted = [one for one in metrics if one.false_stop is not None and not one.metric.dry_run]
    false_stop = None
    if counted:
        false_stop = Span(
            *(1 - math.prod(1 - getattr(one.false_stop, end) for one in counted) for end in ("low", "high"))
        )
    if release.tool == "Flagger" and counted:
        false_stop = _joint(release, counted, known)
    events = dict.fromkeys(one.measure.event for one in counted if one.harms)
    caught = tuple(
        (event, _best([one.harms for one in counted if one.measure.event == event and one.harms]))
        for event in events
    )
    exposed = Span.over(
        [rollout_of(release, rate, 0.0).exposure(release.seconds) for rate in rates_of(known)]
    )
    assumed = dict.fromkeys(text for one in counted for text in one.assumed)
    return ReleaseOdds(release, metrics, false_stop, caught, exposed, tuple(assumed))


def _best(candidates: Sequence[tuple[Harm, ...]]) -> tuple[Harm, ...]:
    """Return, for each harm, the odds of the metric that catches it best."""
    return tuple(
        max(alike, key=lambda harm: (harm.power.low, harm.power.high))
        for alike in zip(*candidates, strict=True)
    )


def _recognized(release: Release | None, metric: TreeMetric, known: Known) -> MetricOdds:
    """Return what a metric measures and what is wrong with it, without odds."""
    spec = _spec_of(release)
    if spec:
        reason = f"Sluice rendered it from a spec: `sluice plan {spec}` in its repository shows the odds"
        return MetricOdds(metric, Measure("unknown", reason=reason), why=reason)
    if metric.unread:
        return MetricOdds(metric, Measure("unknown", reason=metric.unread), why=metric.unread)
    scrape = release.scrape_s if release is not None else 30.0
    if metric.provider not in _QUERIES or not metric.query:
        declared = declared_measure(metric, known)
        if declared is None:
            reason = unread_provider(metric)
            measure = Measure("unknown", reason=reason)
            verdicts = _verdicts(metric, measure) if metric.provider == "datadog" else None
            return MetricOdds(metric, measure, tuple(traps(release, metric, measure, verdicts)), why=reason)
        measure = declared
    else:
        measure = recognize(metric.query, metric.versions, scrape)
    verdicts = _verdicts(metric, measure)
    found = tuple(traps(release, metric, measure, verdicts))
    limit, _, _ = limit_of(measure, verdicts) if verdicts else (None, None, False)
    if measure.kind == "quantile":
        limit = 1 - measure.level
    why = _without_odds(release, metric, measure, verdicts, known)
    return MetricOdds(metric, measure, found, "conditions" if found else "none", limit, why=why)


def _spec_of(release: Release | None) -> str:
    """Return team/model of a release that Sluice rendered; empty for others."""
    labels = release.object.labels if release is not None else {}
    name = f"{labels.get('app.kubernetes.io/part-of')}/{labels.get('sluice.dev/model')}"
    own = labels.get("app.kubernetes.io/managed-by") == "sluice"
    return name if own and _SPEC.fullmatch(name) else ""


def _verdicts(metric: TreeMetric, measure: Measure) -> Verdicts | None:
    if measure.kind == "verdict":
        return VERDICT
    try:
        return verdicts_of(metric, measure.fallback)
    except UnreadConditionError:
        return None


def _without_odds(
    release: Release | None,
    metric: TreeMetric,
    measure: Measure,
    verdicts: Verdicts | None,
    known: Known,
) -> str:
    """Return why a metric has no odds, empty when it has."""
    if measure.kind == "unknown":
        return measure.reason
    if verdicts is None:
        return "its conditions use a part of the language that is not evaluated here"
    if release is None:
        return "no release of the tree uses it"
    return _unpriced_measure(metric, measure, verdicts, known) or _unpriced_time(release, metric, measure)


def _unpriced_measure(metric: TreeMetric, measure: Measure, verdicts: Verdicts, known: Known) -> str:
    if measure.kind == "gauge":
        return undeclared(metric, measure, known)
    if measure.event not in ("error", "slow", "4xx", "requests") and measure.kind in ("count", "rate"):
        return f"how often {measure.event} grows is not in the tree"
    if measure.kind == "comparison" and (measure.event not in ("error", "4xx") or measure.other is None):
        return "the values of both versions are not in the tree"
    if measure.kind == "quantile" and len(verdicts.edges) > 1:
        return "it has two limits"
    return ""


def _unpriced_time(release: Release, metric: TreeMetric, measure: Measure) -> str:
    if metric.moment in ("step", "pre", "post", "experiment") and metric.count is None and metric.interval_s:
        return "the step that waits for it never ends"
    if not release.seconds and not release.waits:
        return "the release has no stage in which it could be measured"
    if measure.kind in DECLARED:
        return ""
    if measure.arm == "canary" and sees_a_part(release, metric):
        return (
            "only requests that match a header or a path reach the new version: how many is not in the tree"
        )
    if measure.arm == "canary" and sees_nobody(release, metric):
        return "users send no request to the new version while it is measured: tests or a load generator do, if any"
    return ""


def metric_odds(release: Release, metric: TreeMetric, known: Known) -> MetricOdds:
    """Return the odds of one metric of a release."""
    found = replace(_recognized(release, metric, known), fired=known.fired.get(metric.name))
    never = any(trap in ("never fails", "ignored") for trap, _ in found.traps) and metric.failure_limit >= 0
    if never and found.measure.kind == "gauge" and not _unpriced_time(release, metric, found.measure):
        return _never(release, replace(found, why=""))
    past = known.replays.get(metric.name)
    if found.why and past is not None and not never and not _unpriced_time(release, metric, found.measure):
        return replayed(release, found, past, known)
    verdicts = None if found.why else _verdicts(metric, found.measure)
    if verdicts is None:
        return found
    if never:
        return _never(release, found)
    try:
        return _priced(release, metric, found, verdicts, known)
    except TooManyMeasurementsError as error:
        return replace(found, why=str(error))


def _priced(
    release: Release, metric: TreeMetric, found: MetricOdds, verdicts: Verdicts, known: Known
) -> MetricOdds:
    rates, usuals, waits, assumed = varied(release, metric, found, verdicts, known)
    settings = [(rps, usual, wait) for rps in rates for usual in usuals for wait in waits]
    numbers: dict[float, list[_Numbers]] = {}
    runs = 0
    simulated = False
    paused = 0.0
    for times in (1.0, *HARMS):
        for rps, usual, wait in settings:
            rollout = rollout_of(release, rps, wait)
            watch = _watch(release, metric, found.measure, verdicts, rollout, usual, times)
            one = _numbers(watch, release.checks)
            simulated = simulated or one.simulated
            runs = one.runs or runs
            if times == 1.0:
                paused = max(paused, one.paused)
            numbers.setdefault(times, []).append(one)
    if 0 < runs < RUNS:
        assumed = (*assumed, f"{runs} simulated releases: give or take {_points(runs)} points")
    harms = (
        tuple(_harm(times, numbers[times]) for times in HARMS) if harm_is_known(metric, found.measure) else ()
    )
    return replace(
        found,
        ground="simulation" if simulated else "closed form",
        false_stop=Span.over([one.power for one in numbers[1.0]]),
        harms=harms,
        paused=paused,
        assumed=assumed,
    )


def _points(runs: int) -> int:
    """Return half the width of a 95% interval of a probability from so many runs, at its widest, in points."""
    return math.ceil(100 * 1.96 * math.sqrt(0.25 / runs))


def _never(release: Release, found: MetricOdds) -> MetricOdds:
    """Return the odds of a metric that stops nothing, whatever it measures."""
    nothing = Span(0.0, 0.0)
    harms = (Harm(times, nothing, (nothing,) * len(release.stages), None, None) for times in HARMS)
    return replace(found, ground="conditions", false_stop=nothing, harms=tuple(harms))


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The odds of one version at one setting."""

    power: float
    by_stage: tuple[float, ...]
    mean_s: float | None
    exposed: float
    paused: float
    simulated: bool
    runs: int


@lru_cache(maxsize=65536)
def _numbers(watch: Watch, checks: int | None) -> _Numbers:
    """Return the odds of one version; `checks` of Flagger are forgiven."""
    found = chance(watch) if checks is None else flagger_chance(FlaggerWatch((watch,), checks))
    rollout = watch.rollout
    caught = detection(rollout, found.stops, _LATENCY_S)
    whole = rollout.exposure(rollout.duration_s)
    exposed = whole * (1 - caught.probability) + (caught.exposed or 0.0) * caught.probability
    return _Numbers(
        caught.probability, caught.by_step, caught.mean_s, exposed, found.paused, found.simulated, found.runs
    )


def _harm(times: float, found: Sequence[_Numbers]) -> Harm:
    means = [one.mean_s for one in found if one.mean_s is not None]
    return Harm(
        times,
        Span.over([one.power for one in found]),
        tuple(Span.over(list(alike)) for alike in zip(*(one.by_stage for one in found), strict=True)),
        Span.over(means) if means else None,
        Span.over([one.exposed for one in found]),
    )


def _watch(
    release: Release,
    metric: TreeMetric,
    measure: Measure,
    verdicts: Verdicts,
    rollout: Rollout,
    usual: Usual,
    times: float,
) -> Watch:
    inside = metric.moment in ("step", "pre", "post", "experiment")
    return Watch(
        rollout=rollout,
        measure=measure,
        verdicts=verdicts,
        base=usual.value,
        times=times,
        first_s=metric.start_s + metric.delay_s,
        end_s=metric.start_s + metric.lasts_s if inside and metric.count else rollout.duration_s,
        interval_s=metric.interval_s,
        count=metric.count,
        failure_limit=metric.failure_limit,
        inconclusive_limit=metric.inconclusive_limit,
        error_limit=metric.error_limit,
        success_limit=metric.success_limit,
        scrape_s=release.scrape_s,
        old_series=metric.moment == "post" or metric.provider not in _QUERIES,
        spread=usual.spread,
        alike=usual.alike,
    )


def _joint(release: Release, counted: Sequence[MetricOdds], known: Known) -> Span:
    """Return the false stops of a release of Flagger, which counts the failed checks of all metrics together."""
    found = []
    for end in (0, -1):
        watches = []
        for one in counted:
            verdicts = _verdicts(one.metric, one.measure)
            if verdicts is None or one.ground == "replay":
                continue
            rates, usuals, _, _ = varied(release, one.metric, one, verdicts, known)
            rollout = rollout_of(release, rates[-1 if end == 0 else 0], 0.0)
            watches.append(_watch(release, one.metric, one.measure, verdicts, rollout, usuals[end], 1.0))
        if not watches:
            continue
        stops = flagger_chance(FlaggerWatch(tuple(watches), release.checks or 0)).stops
        found.append(math.fsum(stop.mass for stop in stops))
    spans = [one.false_stop for one in counted if one.false_stop is not None]
    found = found or [0.0]
    low = max([min(found), *(span.low for span in spans)])
    return Span(low, max([low, *found, *(span.high for span in spans)]))
