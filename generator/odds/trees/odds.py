"""The odds of a tree: every metric of every release, at the traffic that is known, and as a range where it is not."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from generator.lint import Release, TreeMetric, TreeReleases
from generator.odds.trees.chances import TooManyMeasurementsError, Watch, chance, limit_of, phases_of
from generator.odds.trees.flagger import FlaggerWatch, flagger_chance
from generator.odds.trees.simulation import RUNS
from generator.odds.trees.traps import traps
from generator.odds.trees.values import HARMS, Harm, Known, MetricOdds, ReleaseOdds, Span, TreeOdds
from generator.odds.trees.verdicts import UnreadConditionError, Verdicts, verdicts_of
from generator.promql.measures import Measure, recognize
from generator.stats.timeline import Rollout, detection

RPS: Final = (1.0, 1000.0)
"""Requests per second where the user says nothing."""
WAITS_S: Final = (0.0, 3600.0)
"""Seconds until an approval."""
_SPEC: Final = re.compile(r"[a-z][a-z0-9-]{0,62}/[a-z][a-z0-9-]{0,62}")
_LATENCY_S: Final = 5.0
_ERRORS: Final = (0.001, 0.02)
_QUERIES: Final = frozenset({"prometheus"})
_SHARES: Final = ("share", "quantile", "count", "rate", "comparison")


def tree_odds(found: TreeReleases, known: Known) -> TreeOdds:
    """Return the odds of every release of a tree."""
    return TreeOdds(
        tuple(release_odds(release, known) for release in found.releases),
        tuple(_recognized(None, metric) for metric in found.unused),
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
    rates = (known.rps,) if known.rps is not None else (RPS[0], RPS[-1])
    exposed = Span.over([_rollout(release, rate, 0.0).exposure(release.seconds) for rate in rates])
    assumed = dict.fromkeys(text for one in counted for text in one.assumed)
    return ReleaseOdds(release, metrics, false_stop, caught, exposed, tuple(assumed))


def _best(candidates: Sequence[tuple[Harm, ...]]) -> tuple[Harm, ...]:
    """Return, for each harm, the odds of the metric that catches it best."""
    return tuple(
        max(alike, key=lambda harm: (harm.power.low, harm.power.high))
        for alike in zip(*candidates, strict=True)
    )


def _recognized(release: Release | None, metric: TreeMetric) -> MetricOdds:
    """Return what a metric measures and what is wrong with it, without odds."""
    spec = _spec_of(release)
    if spec:
        reason = f"Sluice rendered it from a spec: `sluice plan {spec}` in its repository shows the odds"
        return MetricOdds(metric, Measure("unknown", reason=reason), why=reason)
    if metric.unread:
        return MetricOdds(metric, Measure("unknown", reason=metric.unread), why=metric.unread)
    if metric.provider not in _QUERIES or not metric.query:
        reason = _other_provider(metric)
        verdicts = _verdicts(metric, None) if metric.provider == "datadog" else None
        measure = Measure("unknown", reason=reason)
        return MetricOdds(metric, measure, tuple(traps(release, metric, measure, verdicts)), why=reason)
    scrape = release.scrape_s if release is not None else 30.0
    measure = recognize(metric.query, metric.versions, scrape)
    verdicts = _verdicts(metric, measure.fallback)
    found = tuple(traps(release, metric, measure, verdicts))
    limit, _, _ = limit_of(measure, verdicts) if verdicts else (None, None, False)
    if measure.kind == "quantile":
        limit = 1 - measure.level
    why = _without_odds(release, metric, measure, verdicts)
    return MetricOdds(metric, measure, found, "conditions" if found else "none", limit, why=why)


def _spec_of(release: Release | None) -> str:
    """Return team/model of a release that Sluice rendered; empty for others."""
    labels = release.object.labels if release is not None else {}
    name = f"{labels.get('app.kubernetes.io/part-of')}/{labels.get('sluice.dev/model')}"
    own = labels.get("app.kubernetes.io/managed-by") == "sluice"
    return name if own and _SPEC.fullmatch(name) else ""


def _other_provider(metric: TreeMetric) -> str:
    if not metric.provider:
        return "it has no provider, or several"
    texts = {
        "job": "a Job decides, by a program that is not in the tree",
        "web": "the answer of a web service decides",
        "plugin": "a plugin of the controller decides",
        "kayenta": "Kayenta decides, by a configuration that is not in the tree",
    }
    return texts.get(metric.provider, f"queries of {metric.provider} are not read")


def _verdicts(metric: TreeMetric, fallback: float | None) -> Verdicts | None:
    try:
        return verdicts_of(metric, fallback)
    except UnreadConditionError:
        return None


def _without_odds(
    release: Release | None, metric: TreeMetric, measure: Measure, verdicts: Verdicts | None
) -> str:
    """Return why a metric has no odds, empty when it has."""
    if measure.kind == "unknown":
        return measure.reason
    if verdicts is None:
        return "its conditions use a part of the language that is not evaluated here"
    if release is None:
        return "no release of the tree uses it"
    return _unpriced_measure(measure, verdicts) or _unpriced_time(release, metric, measure)


def _unpriced_measure(measure: Measure, verdicts: Verdicts) -> str:
    if measure.kind == "gauge":
        return measure.reason or f"the values of {measure.event} are not in the tree"
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
    if measure.arm == "canary" and not any(stage.weight for stage in release.stages):
        return "users send no request to the new version while it is measured: tests or a load generator do, if any"
    return ""


def metric_odds(release: Release, metric: TreeMetric, known: Known) -> MetricOdds:
    """Return the odds of one metric of a release."""
    found = replace(_recognized(release, metric), fired=known.fired.get(metric.name))
    verdicts = None if found.why else _verdicts(metric, found.measure.fallback)
    if verdicts is None:
        return found
    if any(trap in ("never fails", "ignored") for trap, _ in found.traps) and metric.failure_limit >= 0:
        return _never(release, found)
    try:
        return _priced(release, metric, found, verdicts, known)
    except TooManyMeasurementsError as error:
        return replace(found, why=str(error))


def _priced(
    release: Release, metric: TreeMetric, found: MetricOdds, verdicts: Verdicts, known: Known
) -> MetricOdds:
    rates, bases, waits, assumed = _varied(release, metric, found, verdicts, known)
    settings = [(rps, base, wait) for rps in rates for base in bases for wait in waits]
    numbers: dict[float, list[_Numbers]] = {}
    runs = 0
    simulated = False
    paused = 0.0
    for times in (1.0, *HARMS):
        for rps, base, wait in settings:
            rollout = _rollout(release, rps, wait)
            watch = _watch(release, metric, found.measure, verdicts, rollout, base, times)
            one = _numbers(watch, release.checks)
            simulated = simulated or one.simulated
            runs = one.runs or runs
            if times == 1.0:
                paused = max(paused, one.paused)
            numbers.setdefault(times, []).append(one)
    if 0 < runs < RUNS:
        assumed = (*assumed, f"{runs} simulated releases: give or take {_points(runs)} points")
    harms = (
        tuple(_harm(times, numbers[times]) for times in HARMS) if found.measure.event != "requests" else ()
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


def _rollout(release: Release, rps: float, wait_s: float) -> Rollout:
    stages = ((stage.weight, stage.seconds + wait_s * stage.waits) for stage in release.stages)
    return Rollout(phases_of(tuple(stages)), rps)


def _varied(
    release: Release, metric: TreeMetric, found: MetricOdds, verdicts: Verdicts, known: Known
) -> tuple[Sequence[float], Sequence[float], Sequence[float], tuple[str, ...]]:
    """Return the rates, baselines and waits to compute with, and what is assumed about them."""
    measure, assumed = found.measure, []
    rates: Sequence[float] = RPS if known.rps is None else (known.rps,)
    if known.rps is None:
        assumed.append(f"{RPS[0]:g} to {RPS[-1]:,.0f} requests per second (--rps)")
    base = next(
        (known.baselines[key] for key in (metric.name, measure.event) if key in known.baselines), None
    )
    if measure.event == "requests":
        bases: Sequence[float] = (1.0,)
    elif base is not None:
        bases = (base,)
    else:
        bases = _bases(measure, verdicts, found.limit)
        key = measure.event if re.fullmatch(r"[\w.-]+", measure.event) else metric.name
        shown = " and ".join(_shown(measure, value) for value in bases)
        assumed.append(f"{measure.event} between {shown} (--baseline {key}=…)")
    waits: Sequence[float] = (0.0,)
    if release.waits and metric.moment == "background":
        waits = WAITS_S
        assumed.append("an hour or nothing until an approval")
    if not release.assumed or measure.arm != "canary":
        return rates, bases, waits, tuple(assumed)
    early = [text for trap, text in found.traps if trap == "looks before there is data"]
    if early:
        assumed.append(
            f"{release.scrape_s:g} s between two samples: no monitor of the tree shows another interval"
        )
    return rates, bases, waits, tuple(assumed)


def _bases(measure: Measure, verdicts: Verdicts, limit: float | None) -> tuple[float, float]:
    """Return a low and a high share of events for which a metric of this limit makes sense."""
    found, side, _ = limit_of(measure, verdicts)
    limit = found if found is not None else limit
    if measure.kind == "mean":
        return (0.4 * limit, 0.8 * limit) if limit else (0.1, 1.0)
    if measure.kind == "quantile":
        return (1 - measure.level) / 10, (1 - measure.level) / 2
    if measure.kind != "share" or not limit:
        return _ERRORS[0] / 10, _ERRORS[0]
    if side == "low":
        return min(0.99, 1.25 * limit), min(0.999, 2 * limit)
    return min(limit / 10, _ERRORS[0]), min(limit / 2, _ERRORS[1])


def _shown(measure: Measure, value: float) -> str:
    if measure.kind == "mean":
        return f"{measure.value(value):.3g}"
    return f"{100 * value:.3g}%"


def _watch(
    release: Release,
    metric: TreeMetric,
    measure: Measure,
    verdicts: Verdicts,
    rollout: Rollout,
    base: float,
    times: float,
) -> Watch:
    inside = metric.moment in ("step", "pre", "post", "experiment")
    return Watch(
        rollout=rollout,
        measure=measure,
        verdicts=verdicts,
        base=base,
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
        old_series=metric.moment == "post",
    )


def _joint(release: Release, counted: Sequence[MetricOdds], known: Known) -> Span:
    """Return the false stops of a release of Flagger, which counts the failed checks of all metrics together."""
    found = []
    for end in (0, -1):
        watches = []
        for one in counted:
            verdicts = _verdicts(one.metric, one.measure.fallback)
            if verdicts is None:
                continue
            rates, bases, _, _ = _varied(release, one.metric, one, verdicts, known)
            rollout = _rollout(release, rates[-1 if end == 0 else 0], 0.0)
            watches.append(_watch(release, one.metric, one.measure, verdicts, rollout, bases[end], 1.0))
        stops = flagger_chance(FlaggerWatch(tuple(watches), release.checks or 0)).stops
        found.append(math.fsum(stop.mass for stop in stops))
    spans = [one.false_stop for one in counted if one.false_stop is not None]
    low = max([min(found), *(span.low for span in spans)])
    return Span(low, max([low, *found, *(span.high for span in spans)]))
