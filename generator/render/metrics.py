"""Turns the guards of a plan into metrics of AnalysisTemplates: queries, conditions and limits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, assert_never

from generator.plan.guards import Comparison, Guard, Limit, Parity, held_back_s
from generator.plan.load import COMPARABLE
from generator.plan.measurements import ALIVE, CATCH_UP_MEASUREMENTS, LIMIT_FAILURES
from generator.plan.names import COHORT_REQUESTS, SPLIT
from generator.plan.split import SplitCheck, split_check
from generator.plan.values import Plan
from generator.promql.bounds import (
    CanaryRequests,
    CohortRequests,
    WindowRatio,
    answering,
    bounded_ratio,
    canary_requests,
    cohort_requests,
    worst_gauge,
)
from generator.promql.conditions import Operator, harm, proof, threshold
from generator.promql.event_share import EventShare, LoadMatch, Mask, event_share
from generator.promql.fairness import ParityTest, parity_lower, parity_upper
from generator.promql.metric import Metric, Statistic
from generator.promql.series import Arms, Matcher, Proportion, Series
from generator.promql.served import BY_POD, BY_VERSION, REQUESTS, bucket
from generator.promql.split import Split, split, split_of_arms
from generator.render.series import SHADOW, series_of
from generator.spec.guards.base import Counts, Labels
from generator.spec.rollout import ApproveStep, BlueGreen, CohortStep, Shadow, WeightStep
from generator.stats.binomial import floor_on_lattice
from generator.stats.delay import mask_tolerance
from generator.stats.sequential import boundary
from generator.stats.split import SHIFT
from generator.stats.timeline import EvidenceFloor, Phase, Rollout, evidence_floors

# A ratio over fewer requests has no result.
FLOOR: Final = 100.0
_ALL: Final = 100
ALIVE_METRIC: Final = "alive"
_NO_DATA_MEASUREMENTS: Final = 5
_DAY_S: Final = 86_400.0
_SHADOW_MEASUREMENTS: Final = 200


def live_metrics(plan: Plan) -> list[Metric]:
    """Return the metrics on live traffic: from the first weight to promotion, or some times after a switch."""
    rollout = plan.rollout
    count = plan.clock.watch_measurements(rollout.watch) if isinstance(rollout, BlueGreen) else 0
    return [metric for guard in plan.measured_guards for metric in _live(plan, guard, count)]


def _live(plan: Plan, guard: Guard, count: int) -> Iterator[Metric]:
    match guard:
        case Comparison():
            yield _sequential(plan, guard)
        case Limit():
            yield _limit(plan, guard, count)
        case Parity():
            for attribute, groups in guard.attributes:
                test = ParityTest(groups, horizon_s(plan))
                interval = guard.interval_s(plan.clock)
                yield _parity(plan, guard, attribute, BY_VERSION.of_canary, test, interval)
        case _:
            assert_never(guard)


def evidence_metrics(plan: Plan, position: int) -> list[Metric]:
    """Return the metrics of the evidence check at the end of the step at this position; none after an approval."""
    match plan.rollout.steps[position]:
        case WeightStep():
            guards = [metric for guard in plan.evidence_guards for metric in _evidence(plan, guard, position)]
            check = split_check(plan, position)
            return [*guards, _split(plan, check)] if check else guards
        case CohortStep() as step:
            return [_cohort(plan, position, step)]
        case ApproveStep():
            return []


def _evidence(plan: Plan, guard: Comparison | Parity, position: int) -> Iterator[Metric]:
    match guard:
        case Comparison():
            floor = _floors(plan, guard)[position]
            strata = _event_share(plan, guard) if _takes_only_some(plan, guard, position) else None
            own = float(guard.silence_looks_good)
            seen = CanaryRequests(horizon_s(plan), max(1, floor_on_lattice(floor.stable_events)), strata, own)
            query = canary_requests(*counted(plan, guard.counts), seen, _pods(plan))
            least = max(1, floor_on_lattice(floor.requests))
            strict = guard.no_data == "fail"
            yield _settled(plan, (guard.name, guard.name), query, ">=", least, seen, strict=strict)
        case Parity():
            for attribute, groups in guard.attributes:
                test = ParityTest(groups, horizon_s(plan))
                yield _parity_proof(plan, guard, attribute, BY_VERSION.of_canary, test)
        case _:
            assert_never(guard)


def _cohort(plan: Plan, position: int, step: CohortStep) -> Metric:
    """Return the metric that requires requests of a cohort.

    A cohort may send none, and its header route may be lost: the next step would widen a release that no user has
    tried. The requests are those that BentoML counts, failed ones included.
    """
    weight = plan.weight_before(position)
    seen = CohortRequests(plan.clock.span(step.hold), weight / _ALL, plan.design_effect)
    served = series_of(plan).server(REQUESTS, REQUESTS)
    return _settled(
        plan,
        (COHORT_REQUESTS, COHORT_REQUESTS),
        cohort_requests(served, BY_POD, seen),
        ">=",
        step.requests,
        seen,
        strict=plan.rollout.stage == "canary" and plan.rollout.no_data == "fail",
    )


def alive_metric(plan: Plan, rollout: BlueGreen) -> Metric:
    """Return the metric that checks whether the new pods stay up after a switch: counters don't show a crash loop."""
    clock = plan.clock
    scraped = _pods(plan).where(BY_POD.of_canary)
    count = clock.alive_measurements(rollout.watch)
    return Metric(
        ALIVE_METRIC,
        ALIVE_METRIC,
        "limit",
        answering(scraped, clock.stratum_s),
        threshold(">=", ALIVE, rollout.no_data),
        ALIVE,
        interval_s=clock.interval_s,
        count=count,
        initial_delay_s=clock.interval_s,
        failure_limit=LIMIT_FAILURES,
        inconclusive_limit=min(_NO_DATA_MEASUREMENTS, count - 1),
    )


def shadow_metrics(plan: Plan, shadow: Shadow, arm: str) -> tuple[list[Metric], list[Metric]]:
    """Return the metrics during a shadow's hold, which may end it early, and those of the check at its end.

    Args:
        plan: the plan.
        shadow: its shadow.
        arm: value of `served_by` of the copies' answers.
    """
    version, window = Matcher("served_by", arm), min(shadow.hold, 7 * _DAY_S)
    interval = _shadow_interval_s(plan, shadow)
    count = math.ceil(shadow.hold / interval) + 1  # the step lasts from the first measurement to the last
    during, after = [], []
    for guard in plan.shadow_guards:
        if not isinstance(guard, Parity):
            continue
        for attribute, groups in guard.attributes:
            test = ParityTest(groups, window)
            during.append(_parity(plan, guard, attribute, version, test, interval, count))
            after.append(_parity_proof(plan, guard, attribute, version, test))
    check = split_check(plan, None)
    return during, [*after, _split(plan, check, version)] if check else after


def _shadow_interval_s(plan: Plan, shadow: Shadow) -> float:
    """Return the interval of a shadow: a multiple of the platform's with at most 200 measurements."""
    interval = plan.clock.interval_s
    return max(1, math.ceil(shadow.hold / _SHADOW_MEASUREMENTS / interval)) * interval


def _split(plan: Plan, check: SplitCheck, copies: Matcher | None = None) -> Metric:
    """Return the check of the split between two versions, or between copied requests and the others."""
    served = series_of(plan)
    rendered = Split(
        check.test.share,
        SHIFT,
        check.window_s,
        check.test.floor,
        plan.design_effect,
        of_canary=check.of_canary,
    )
    if copies is None:
        query = split_of_arms(served.requests(), BY_POD, rendered)
    else:
        predictions = served.predictions()
        others = predictions.where(Matcher(copies.label, f"{SHADOW}.*", "!~"))
        query = split(predictions.where(copies), others, rendered)
    return _settled(plan, (SPLIT, SPLIT), query, "<", check.test.level, rendered, strict=False)


def counted(plan: Plan, counts: Counts) -> tuple[Proportion, Arms]:
    """Return the two counters of this model and the label that distinguishes its versions."""
    served = series_of(plan)
    labels = _matchers(counts.labels)
    if counts.source == "model":
        return served.own(counts.requests, counts.events, *labels), BY_VERSION
    if counts.bucket_s:
        labels.append(bucket(counts.bucket_s))
    proportion = served.server(
        counts.requests, counts.events, *labels, complement=counts.complement, endpoint=counts.endpoint
    )
    return proportion, BY_POD


def _matchers(labels: Labels) -> list[Matcher]:
    return [Matcher(label, value, operator) for label, operator, value in labels]


def horizon_s(plan: Plan) -> float:
    """Return the window of the evidence, in seconds: the whole canary with room for pauses, in whole hours."""
    return min(7 * _DAY_S, max(2, math.ceil(1.5 * plan.rollout.held_s / 3600) + 1) * 3600.0)


def _sequential(plan: Plan, guard: Comparison) -> Metric:
    test, level = _event_share(plan, guard), boundary(guard.alpha)
    query = event_share(*counted(plan, guard.counts), test, _pods(plan))
    interval = guard.interval_s(plan.clock)
    return Metric(guard.name, guard.name, "sequential", query, harm(level), level, test, interval_s=interval)


def _event_share(plan: Plan, guard: Comparison) -> EventShare:
    clock = plan.clock
    mask = None
    if guard.mask_s:
        lookback = max(guard.mask_s, clock.settle_s)
        young = 2 * held_back_s(clock) if guard.counts.source == "model" else 0.0
        mask = Mask(lookback, _tolerance(plan, lookback), young, round(abs(1 - guard.ratio) / 2, 4))
    return EventShare(
        rate_ratio=guard.ratio,
        step_s=clock.stratum_s,
        scrape_s=clock.scrape_s,
        horizon_s=max(horizon_s(plan), clock.stratum_s),
        design_effect=plan.design_effect,
        mask=mask,
        load=_load_match(plan, guard),
    )


def _pods(plan: Plan) -> Series:
    return series_of(plan).pods()


def _load_match(plan: Plan, guard: Comparison) -> LoadMatch | None:
    """Return the loads that a guard compares; at 100% there is no other version."""
    weights = sorted({weight for weight in plan.rollout.weights if weight < _ALL})
    if not weights or not plan.compares_loads(guard):
        return None
    return LoadMatch(tuple(weight / _ALL for weight in weights), COMPARABLE)


def _takes_only_some(plan: Plan, guard: Comparison, position: int) -> bool:
    """Return whether a guard takes evidence from some strata only, but from those of this step."""
    step = plan.rollout.steps[position]
    if not isinstance(step, WeightStep) or not plan.compares_loads(guard):
        return False
    return plan.takes_evidence(guard, step.weight)


def _tolerance(plan: Plan, lookback_s: float) -> float:
    """Return the ratio of the canary's shares, at the smallest weight, that chance does not explain."""
    smallest = min(plan.rollout.weights, default=100)
    requests = (plan.min_rps or 1.0) * smallest / 100 * lookback_s
    return round(mask_tolerance(max(requests, 1.0)), 4)


def _floors(plan: Plan, guard: Comparison) -> dict[int, EvidenceFloor]:
    """Return the evidence that each weight step needs by its end, by position."""
    steps = plan.rollout.weight_steps
    phases = [
        Phase(step.weight / 100, step.hold, plan.takes_evidence(guard, step.weight)) for _, step in steps
    ]
    masked = plan.clock.stratum_window_s if plan.compares_loads(guard) else 0.0
    floors = evidence_floors(Rollout(tuple(phases), plan.min_rps or 0.0), guard.baseline or 0.0, masked)
    return {position: floor for (position, _), floor in zip(steps, floors, strict=True)}


def _limit(plan: Plan, guard: Limit, count: int) -> Metric:
    comparison: Operator = "<=" if guard.more_is_worse else ">="
    query, ratio = _limited(plan, guard)
    return Metric(
        guard.name,
        guard.name,
        "limit",
        query,
        threshold(comparison, guard.limit, guard.no_data),
        guard.limit,
        ratio,
        interval_s=guard.interval_s(plan.clock),
        count=count,
        initial_delay_s=guard.first_s(plan.clock),
        failure_limit=LIMIT_FAILURES,
        inconclusive_limit=min(_NO_DATA_MEASUREMENTS, count - 1) if count else _NO_DATA_MEASUREMENTS,
    )


def _limited(plan: Plan, guard: Limit) -> tuple[str, WindowRatio | None]:
    """Return the query of a limit, and the ratio that it computes; None for a gauge."""
    if isinstance(guard.signal, Counts):
        proportion, arms = counted(plan, guard.signal)
        heard = horizon_s(plan) if guard.silence_looks_good else 0.0
        ratio = WindowRatio(plan.clock.window_s, FLOOR, heard)
        return bounded_ratio(proportion, arms.of_canary, ratio), ratio
    served = series_of(plan)
    own = guard.signal.source == "model"
    series = (served.gauge if own else served.pod_gauge)(guard.signal.metric, *_matchers(guard.signal.labels))
    arm = (BY_VERSION if own else BY_POD).of_canary
    return worst_gauge(series, arm, plan.clock.stratum_s, largest=guard.more_is_worse), None


def _parity(
    plan: Plan,
    guard: Parity,
    attribute: str,
    arm: Matcher,
    test: ParityTest,
    interval_s: float,
    count: int = 0,
) -> Metric:
    rows = series_of(plan).group_rows(attribute)
    return Metric(
        guard.metric_of(attribute),
        guard.name,
        "parity",
        parity_lower(rows, arm, test),
        harm(guard.limit),
        guard.limit,
        interval_s=interval_s,
        count=count,
        initial_delay_s=guard.first_s(plan.clock),
    )


def _parity_proof(plan: Plan, guard: Parity, attribute: str, arm: Matcher, test: ParityTest) -> Metric:
    rows = series_of(plan).group_rows(attribute)
    names, query = (guard.metric_of(attribute), guard.name), parity_upper(rows, arm, test)
    return _settled(plan, names, query, "<", guard.limit, None, strict=guard.no_data == "fail")


def _settled(
    plan: Plan,
    names: tuple[str, str],
    query: str,
    comparison: Operator,
    bound: float,
    statistic: Statistic | None,
    *,
    strict: bool,
) -> Metric:
    """Return a finite metric: the first success ends it; after five measurements without one a person decides.

    Args:
        plan: the plan.
        names: names of the metric and of its guard.
        query: its query.
        comparison: how a good result compares with the bound.
        bound: the bound.
        statistic: the number that the query computes.
        strict: five measurements without a success abort the release.
    """
    return Metric(
        *names,
        "evidence",
        query,
        threshold(comparison, bound, "fail") if strict else proof(comparison, bound),
        bound,
        statistic,
        interval_s=plan.clock.interval_s,
        count=CATCH_UP_MEASUREMENTS,
        inconclusive_limit=CATCH_UP_MEASUREMENTS - 1,
        failure_limit=CATCH_UP_MEASUREMENTS - 1 if strict else 0,
        success_limit=1,
    )
