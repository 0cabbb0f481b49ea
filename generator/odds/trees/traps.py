"""Why a verdict may not be what its author wants, whatever the traffic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from generator.lint import Release, TreeMetric
from generator.odds.replay.controller import ERROR_RETRY_S
from generator.odds.trees.values import Trap
from generator.odds.trees.verdicts import Verdicts
from generator.odds.trees.watch import first_weight, limit_of, phases_of
from generator.promql.measures import Measure
from generator.spec.quantities import time_span
from generator.stats.timeline import Rollout

_SPLIT = ("step", "background", "experiment")


def traps(
    release: Release | None, metric: TreeMetric, measure: Measure, verdicts: Verdicts | None
) -> Iterator[tuple[Trap, str]]:
    """Yield what is wrong with a metric, each with a sentence.

    Args:
        release: the release; None for a metric that no release uses.
        metric: the metric.
        measure: what it measures.
        verdicts: its phases; None when its conditions cannot be read.
    """
    if metric.dry_run:
        yield "ignored", "it is a dry run: whatever it measures, the release goes on"
    if metric.moment in ("step", "pre", "post") and metric.count is None:
        yield "never ends", "it has an interval and no count, so the step that waits for it never ends"
    if verdicts is not None:
        yield from _of_verdicts(metric, measure, verdicts)
    if release is not None and not metric.dry_run:
        yield from _of_requests(release, metric, measure, verdicts)
        yield from _timing(release, metric, _usable_s(release, metric, measure, verdicts))


def _of_requests(
    release: Release, metric: TreeMetric, measure: Measure, verdicts: Verdicts | None
) -> Iterator[tuple[Trap, str]]:
    if measure.kind in ("unknown", "gauge") or metric.moment == "post":
        return
    begin = first_request(release)
    if metric.moment in _SPLIT and measure.arm == "both":
        yield "sees both versions", "nothing in the query tells the new version from the stable one"
    elif metric.moment in _SPLIT and measure.arm == "stable":
        yield "sees only the stable version", "the query selects the stable version"
    elif measure.arm == "canary" and sees_a_part(release, metric):
        return
    elif measure.arm == "canary" and sees_nobody(release, metric):
        yield "sees no traffic", "users send no request to the new version while it is measured"
    elif verdicts is not None and _is_early(release, metric, measure, verdicts, begin):
        first = metric.start_s + metric.delay_s - begin
        when = f"{time_span(first)} after" if first > 0 else "with" if first == 0 else "before"
        text = (
            f"its first measurement comes {when} the first weight; a rate needs two samples of the new pods, "
            f"{release.scrape_s:g} s apart, and without a result a measurement is {verdicts.empty}"
        )
        yield "looks before there is data", text


def _of_verdicts(metric: TreeMetric, measure: Measure, verdicts: Verdicts) -> Iterator[tuple[Trap, str]]:
    yield from _of_phases(metric, measure, verdicts)
    phases = verdicts.phases
    _, side, _ = limit_of(measure, verdicts)
    if side == "low" and measure.event in ("error", "slow", "4xx") and measure.kind != "gauge":
        yield (
            "fails good values",
            f"it fails when there are few events ({measure.event}), and passes when there are many",
        )
    if metric.failure_limit < 0:
        yield "never fails", "failureLimit -1 forgives every failure"
    elif metric.count is not None and metric.moment != "background" and metric.failure_limit >= metric.count:
        yield (
            "never fails",
            f"it is measured {metric.count} times and forgives {metric.failure_limit} failures",
        )
    if "Failed" in phases and verdicts.empty == "Successful":
        yield "passes on nothing", "a result without data passes"
    elif (
        "Failed" in phases and verdicts.nan == "Successful" and measure.kind in ("share", "quantile", "mean")
    ):
        yield "passes on nothing", "without a request the value is NaN, and NaN passes"


def _of_phases(metric: TreeMetric, measure: Measure, verdicts: Verdicts) -> Iterator[tuple[Trap, str]]:
    """Yield what is wrong when all values, or all shares, have the same verdict."""
    phases = verdicts.phases
    if "Failed" not in phases and "Inconclusive" in phases:
        yield (
            "inconclusive for ever",
            "no value fails: a bad one is inconclusive, and the release waits for a person",
        )
    elif phases == {"Successful"}:
        text = (
            "it has no condition: every value passes"
            if not (metric.success or metric.failure)
            else "every value passes"
        )
        yield "never fails", text
    elif phases == {"Failed"}:
        yield "always fails", "every value fails"
    elif phases == {"Error"}:
        yield "always fails", "its condition is an error for every value"
    elif measure.kind == "share":
        yield from _of_shares(measure, verdicts)


def _of_shares(measure: Measure, verdicts: Verdicts) -> Iterator[tuple[Trap, str]]:
    """Yield what is wrong with limits beyond the least and the largest share."""
    low, high = sorted((measure.value(0.0), measure.value(1.0)))
    inside = sorted({low, high, *(edge for edge in verdicts.edges if low < edge < high)})
    points = [*inside, *((one + two) / 2 for one, two in pairwise(inside))]
    found = {verdicts.phase(point) for point in points}
    if found == {"Successful"}:
        yield "never fails", f"a share is from {low:g} to {high:g} here, and all of that passes"
    elif found == {"Failed"}:
        yield "always fails", f"a share is from {low:g} to {high:g} here, and all of that fails"


def first_request(release: Release) -> float:
    """Return the second at which the first requests come to the new version; infinity where none is known to come."""
    stages = tuple((stage.seen, stage.seconds) for stage in release.stages)
    return first_weight(Rollout(phases_of(stages), 1.0))


def sees_a_part(release: Release, metric: TreeMetric) -> bool:
    """Return whether only requests that match something have come when a metric is measured first."""
    begin = start = 0.0
    first = metric.start_s + metric.delay_s
    for stage in release.stages:
        begin, start = start, start + stage.seconds
        if stage.matched and begin <= first:
            return first < first_request(release)
    return False


def sees_nobody(release: Release, metric: TreeMetric) -> bool:
    """Return whether the new version gets no requests of users while a metric is measured."""
    begin = first_request(release)
    if begin == float("inf"):
        return True
    return metric.moment in ("pre", "experiment") and metric.start_s + metric.lasts_s <= begin


def _is_early(
    release: Release, metric: TreeMetric, measure: Measure, verdicts: Verdicts, begin: float
) -> bool:
    first = metric.start_s + metric.delay_s
    early = first < begin + 2 * release.scrape_s and metric.moment in _SPLIT
    return early and measure.arm == "canary" and verdicts.empty != "Successful"


def _usable_s(
    release: Release, metric: TreeMetric, measure: Measure, verdicts: Verdicts | None
) -> float | None:
    """Return when the first measurement is taken that can fail; None where those without data stop the release.

    A rate needs two samples of the new pods. Before that a measurement fails only if the condition says so. An error is
    measured again after ten seconds.
    """
    first = metric.start_s + metric.delay_s
    if release.assumed or release.waits or not metric.interval_s:
        return first
    if verdicts is None or verdicts.empty == "Failed":
        return first
    if measure.arm != "canary" or measure.kind in ("unknown", "gauge"):
        return first
    if any(stage.matched for stage in release.stages):
        return first  # some requests come before the first weight
    data = first_request(release) + release.scrape_s  # the second sample, at the earliest
    if data <= first or data == math.inf:
        return first
    if verdicts.empty == "Error":
        return data if data - first <= metric.error_limit * ERROR_RETRY_S else None
    empty = math.ceil((data - first) / metric.interval_s)
    stops = verdicts.empty == "Inconclusive" and empty > metric.inconclusive_limit
    return None if stops else first + empty * metric.interval_s


def _timing(release: Release, metric: TreeMetric, usable_s: float | None) -> Iterator[tuple[Trap, str]]:
    if (
        metric.moment != "background"
        or metric.waits
        or metric.failure_limit < 0
        or release.tool == "Flagger"
        or usable_s is None
    ):
        return
    earliest = usable_s + metric.failure_limit * metric.interval_s
    if earliest == math.inf:
        yield "decides too late", "its run starts after the last step"
    elif earliest > release.seconds:
        text = (
            f"it can fail {time_span(earliest)} after the start at the earliest, and the release ends after "
            f"{time_span(release.seconds)}"
        )
        yield "decides too late", text
