"""A guard of the plan as metrics of an AnalysisTemplate: query, conditions, limits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from generator.plan.guards import attribute_metric
from generator.plan.looks import (
    ALIVE,
    CATCH_UP_LOOKS,
    LIMIT_FAILURES,
    alive_looks,
    first_look_s,
    interval_s,
    watch_looks,
    window_s,
)  # fmt: skip
from generator.plan.strategy import BlueGreen, Canary, Guard
from generator.plan.values import Plan
from generator.promql.bounds import answering, bounded_ratio, evidence
from generator.promql.conditions import Comparison, Condition, harm, proof, threshold
from generator.promql.event_share import EventShare, Mask, event_share
from generator.promql.fairness import Parity, parity_lower, parity_upper
from generator.promql.series import Arms, Matcher, Proportion
from generator.promql.served import BY_POD, BY_VERSION, Served, bucket

# With fewer requests in a window a ratio says nothing (facts: statistics.md, CAN105).
FLOOR = 100.0
_EVIDENCE_SHARE, EVENT_SHARE = 0.8, 0.5
_NO_DATA_LOOKS = 5
ALIVE_METRIC = "alive"
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of an AnalysisTemplate; 0 leaves an optional field out.

    Args:
        name: unique in its template.
        query: PromQL with one result by construction.
        condition: when it succeeds and when it fails.
        interval_s: seconds between two measurements.
        count: measurements; 0 with an interval means no end.
        initial_delay_s: seconds before the first one.
        failure_limit: failures that are forgiven.
        inconclusive_limit: inconclusive measurements that are forgiven.
        success_limit: successes in a row that end the metric early.
    """

    name: str
    query: str
    condition: Condition
    interval_s: float = 0
    count: int = 0
    initial_delay_s: float = 0
    failure_limit: int = 0
    inconclusive_limit: int = 0
    success_limit: int = 0


def guard_metrics(plan: Plan, guard: Guard) -> Iterator[Metric]:
    """Metrics of the background: from the first weight to promotion."""
    if guard.kind == "fairness":
        for attribute, _ in guard.attributes:
            yield _parity(
                plan, guard, attribute, BY_VERSION.of_canary, horizon_s(plan), interval_s(plan, guard)
            )
    elif guard.ratio is not None:
        proportion, arms = counted(plan, guard)
        query = event_share(proportion, arms, sequential_test(plan, guard))
        yield Metric(guard.name, query, harm(boundary(guard)), interval_s=interval_s(plan, guard))
    else:
        yield _limit(plan, guard, count=0)


def evidence_metrics(plan: Plan, guard: Guard, position: int) -> Iterator[Metric]:
    """Metrics at the end of a weight step: has it seen what it was planned to see?"""
    if guard.no_data == "pass" or not isinstance(plan.rollout, Canary):
        return
    if guard.kind == "fairness":
        for attribute, _ in guard.attributes:
            yield _parity_proof(plan, guard, attribute, BY_VERSION.of_canary, horizon_s(plan))
    elif guard.ratio is not None and plan.min_rps:
        requests, events = planned(plan, plan.rollout, guard, position)
        proportion, arms = counted(plan, guard)
        query = evidence(proportion, arms, horizon_s(plan), max(1, math.floor(EVENT_SHARE * events)))
        yield _settled(plan, guard, guard.name, query, ">=", max(1, math.floor(_EVIDENCE_SHARE * requests)))


def watch_metrics(plan: Plan, guard: Guard, watch_s: float) -> Iterator[Metric]:
    """Metrics after a blue-green switch: absolute limits only, there is no version to compare with."""
    if guard.kind != "fairness" and guard.limit is not None:
        yield _limit(plan, guard, count=watch_looks(plan, watch_s))


def alive_metric(plan: Plan, rollout: BlueGreen) -> Metric:
    """Whether the new pods stay up after a switch: what a crash loop does, no counter of theirs tells."""
    look = plan.monitoring.look_s
    scraped = Served(plan.bento.name, plan.identity.namespace).scraped(BY_POD.of_canary)
    count = alive_looks(plan, rollout.watch_s)
    return Metric(
        ALIVE_METRIC,
        answering(scraped, max(look, 4 * plan.monitoring.scrape_s)),
        threshold(">=", ALIVE, rollout.no_data),
        interval_s=look,
        count=count,
        initial_delay_s=look,
        failure_limit=LIMIT_FAILURES,
        inconclusive_limit=min(_NO_DATA_LOOKS, count - 1),
    )


def shadow_metrics(plan: Plan, guard: Guard, arm: str, hold_s: float, interval_s: float) -> Iterator[Metric]:
    """Metrics of a shadow: with an interval those of its hold (harm ends it early), without the verdict at its end."""
    version = Matcher("served_by", arm)
    window = min(hold_s, 7 * _DAY_S)
    for attribute, _ in guard.attributes:
        if interval_s:
            count = math.ceil(hold_s / interval_s) + 1  # the step lasts from the first look to the last
            yield _parity(plan, guard, attribute, version, window, interval_s, count)
        else:
            yield _parity_proof(plan, guard, attribute, version, window)


def counted(plan: Plan, guard: Guard) -> tuple[Proportion, Arms]:
    """What a guard counts, and how its two versions are told apart."""
    counts = guard.counts
    if counts is None:
        raise ValueError(f"{guard.name} is no ratio of two counters")
    served = Served(plan.bento.name, plan.identity.namespace)
    labels = [Matcher(label, value, operator) for label, operator, value in counts.labels]
    if counts.source == "model":
        return served.own(counts.requests, counts.events, *labels), BY_VERSION
    if counts.bucket_s:
        labels.append(bucket(counts.bucket_s))
    return served.server(counts.requests, counts.events, *labels, complement=counts.complement), BY_POD


def boundary(guard: Guard) -> float:
    """Statistic from which a guard aborts: ln(1/alpha)."""
    return math.log(1 / guard.alpha)


def horizon_s(plan: Plan) -> float:
    """How far back evidence counts, in seconds: the whole canary with room for pauses, in whole hours."""
    steps = plan.rollout.steps if isinstance(plan.rollout, Canary) else ()
    held = sum(step.hold_s for step in steps)
    return min(7 * _DAY_S, max(2, math.ceil(1.5 * held / 3600) + 1) * 3600.0)


def sequential_test(plan: Plan, guard: Guard) -> EventShare:
    """Parameters of the event-share test of one guard."""
    scrape = plan.monitoring.scrape_s
    step = max(plan.monitoring.look_s, 4 * scrape)
    mask = None
    if guard.mask_s:
        lookback = max(guard.mask_s, 2 * scrape)
        mask = Mask(lookback, _tolerance(plan, lookback))
    return EventShare(
        rate_ratio=guard.ratio or 1.0,
        step_s=step,
        scrape_s=scrape,
        horizon_s=max(horizon_s(plan), step),
        design_effect=plan.design_effect,
        mask=mask,
    )


def _tolerance(plan: Plan, lookback_s: float) -> float:
    """Change of the canary's share that is no chance: max(1.1, 1 + 3 sqrt(2/n)) (facts: statistics.md 3.4)."""
    weights = plan.rollout.weights if isinstance(plan.rollout, Canary) else ()
    requests = (plan.min_rps or 1.0) * min(weights, default=100) / 100 * lookback_s
    return max(1.1, round(1 + 3 * math.sqrt(2 / max(requests, 1.0)), 4))


def planned(plan: Plan, rollout: Canary, guard: Guard, position: int) -> tuple[float, float]:
    """Canary requests, and events of the stable version, planned by the end of a step.

    Only what the mask lets through is counted on: twice its look-back is blind after every weight change.
    """
    rps = plan.min_rps or 0.0
    requests = events = 0.0
    for step in rollout.steps[: position + 1]:
        if step.weight is not None:
            share = step.weight / 100
            requests += rps * share * step.hold_s
            events += rps * (1 - share) * step.hold_s * (guard.baseline or 0.0)
    return requests, events


def _limit(plan: Plan, guard: Guard, count: int) -> Metric:
    proportion, arms = counted(plan, guard)
    comparison: Comparison = "<=" if guard.at_most else ">="
    return Metric(
        guard.name,
        bounded_ratio(proportion, arms.of_canary, window_s(plan), FLOOR),
        threshold(comparison, guard.limit or 0.0, guard.no_data),
        interval_s=interval_s(plan, guard),
        count=count,
        initial_delay_s=first_look_s(plan, guard),
        failure_limit=LIMIT_FAILURES,
        inconclusive_limit=_NO_DATA_LOOKS if not count else min(_NO_DATA_LOOKS, count - 1),
    )


def _parity(
    plan: Plan, guard: Guard, attribute: str, arm: Matcher, window_s: float, interval_s: float, count: int = 0
) -> Metric:
    groups = dict(guard.attributes)[attribute]
    rows = Served(plan.bento.name, plan.identity.namespace).group_rows(attribute)
    query = parity_lower(rows, arm, Parity(groups, window_s))
    return Metric(
        attribute_metric(guard.name, attribute),
        query,
        harm(guard.limit or 0.0),
        interval_s=interval_s,
        count=count,
        initial_delay_s=first_look_s(plan, guard),
    )


def _parity_proof(plan: Plan, guard: Guard, attribute: str, arm: Matcher, window_s: float) -> Metric:
    groups = dict(guard.attributes)[attribute]
    rows = Served(plan.bento.name, plan.identity.namespace).group_rows(attribute)
    query = parity_upper(rows, arm, Parity(groups, window_s))
    return _settled(plan, guard, attribute_metric(guard.name, attribute), query, "<", guard.limit or 0.0)


def _settled(plan: Plan, guard: Guard, name: str, query: str, comparison: Comparison, bound: float) -> Metric:
    """A finite metric: the first success settles it; late data gets five looks, then a person decides."""
    condition = threshold(comparison, bound, "fail") if guard.no_data == "fail" else proof(comparison, bound)
    return Metric(
        name,
        query,
        condition,
        interval_s=plan.monitoring.look_s,
        count=CATCH_UP_LOOKS,
        inconclusive_limit=CATCH_UP_LOOKS - 1,
        failure_limit=CATCH_UP_LOOKS - 1 if guard.no_data == "fail" else 0,
        success_limit=1,
    )
