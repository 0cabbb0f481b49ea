"""Rules on well-formed values without effect: bounds that nothing can meet or break, names that look misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from generator.lint.engine import Problem, rule
from generator.plan.serving import sensitive_attributes
from generator.rules.context import GATES, STEPS, Context, written_guards
from generator.source.flow import flow
from generator.source.suggest import misspelt
from generator.spec.gate_data import DataSource, named
from generator.spec.gates import DriftGate, ExplainGate, FairnessGate, MetricGate, Windows, metric_range
from generator.spec.guards.base import ParityGuard, RatioGuard
from generator.spec.rollout import Canary, WeightStep
from generator.spec.units import percent

_COMMON: Final = frozenset(
    re.findall(
        r"\S+",
        "accuracy balanced_accuracy precision recall specificity sensitivity f1 f1_score f1_macro f1_micro f1_weighted "
        "roc_auc pr_auc auc auroc auprc average_precision log_loss brier_score cross_entropy rmse mse mae mape smape "
        "wape rmsle msle medae r2 r2_score explained_variance ndcg ndcg_at_10 map map_at_10 mrr hit_rate "
        "hit_rate_at_10 precision_at_10 recall_at_10 error_rate mcc kappa gini ks lift perplexity bleu rouge_l "
        "coverage jaccard iou silhouette calibration_error expected_calibration_error top_5_accuracy loss",
    )
)


def _is_bounded(metric: str) -> bool:
    """Return whether a metric is between 0 and 1 by its definition."""
    return metric_range(metric) == (0.0, 1.0)


def _number(value: float) -> str:
    return flow(int(value) if float(value).is_integer() else value)


def _fraction(value: float) -> str:
    """Return a number of percent as a fraction: 92 is 0.92."""
    return _number(round(value / 100, 6))


@rule(
    "GATE304",
    "error",
    "no model can meet the bound of a gate",
    scope=Context,
    why="The metric is between 0 and 1 by its definition: no model can ever pass this gate.",
    remedy="Write the bound as a fraction, such as 0.92 for 92%.",
    example="spec: {gates: [{name: accuracy, metric: accuracy, atLeast: 92, rows: 5000}]}",
    instead="spec: {gates: [{name: accuracy, metric: accuracy, atLeast: 0.92, rows: 5000}]}",
)
def unreachable_bounds(context: Context) -> Iterator[Problem]:
    """Check that metrics between 0 and 1 have no lower bound above 1 and no upper bound below 0."""
    for index, gate in enumerate(context.spec.gates):
        if not isinstance(gate, MetricGate) or not _is_bounded(gate.metric):
            continue
        if gate.at_least is not None and gate.at_least > 1:
            message = f"`{gate.metric}` is between 0 and 1: no model can reach {_number(gate.at_least)}"
            fraction = gate.at_least <= 100
            hint = (
                f"write `atLeast: {_fraction(gate.at_least)}`"
                if fraction
                else "write a number between 0 and 1"
            )
            yield Problem((*GATES, index, "atLeast"), message, hint)
        if gate.at_most is not None and gate.at_most < 0:
            message = f"`{gate.metric}` is between 0 and 1: no model can stay below {_number(gate.at_most)}"
            yield Problem((*GATES, index, "atMost"), message, f"write `atMost: {_number(-gate.at_most)}`")


@rule(
    "GATE305",
    "error",
    "no model can break the bound of a gate",
    scope=Context,
    why="The gate always passes, although it looks like protection.",
    remedy="Write a bound that a bad model breaks.",
    example="""
spec:
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 1, minGroup: 200}]
""",
    instead="""
spec:
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1, minGroup: 200}]
""",
)
def empty_bounds(context: Context) -> Iterator[Problem]:
    """Check that no bound is at or beyond the end of its measure's range, and that two windows are compared."""
    data = dict(context.plan.data)
    for index, gate in enumerate(context.spec.gates):
        windows = gate.drift if isinstance(gate, DriftGate) else getattr(gate, "explain", None)
        if isinstance(windows, Windows) and _content(windows.reference, data) == _content(
            windows.current, data
        ):
            message = f"`{named(windows.current)}` is compared with itself: nothing ever differs"
            yield Problem((*GATES, index, gate.key, "current"), message, "name the data of production")
        found = _empty_metric(gate) if isinstance(gate, MetricGate) else _empty_measure(gate)
        for key, message, hint in found:
            yield Problem((*GATES, index, key), message, hint)


def _content(of: str | DataSource, data: Mapping[str, str]) -> tuple[object, ...]:
    """Return what identifies rows: the digest in the lock, under whatever name, or else the name; days and filter."""
    content = data.get(named(of), named(of))
    return (content, of.window, of.filter) if isinstance(of, DataSource) else (content, None, {})


def _empty_measure(gate: object) -> Iterator[tuple[str, str, str]]:
    """Yield key, message and hint of each bound of a fairness, drift or attribution gate that nothing can break."""
    at_most = getattr(gate, "at_most", None)
    bounded = isinstance(gate, (FairnessGate, ExplainGate)) or (
        isinstance(gate, DriftGate) and gate.test.statistic != "index"
    )
    if bounded and at_most is not None and at_most >= 1:
        message = f"this measure is between 0 and 1: no model exceeds {_number(at_most)}"
        yield "atMost", message, "write `atMost: 0.1`"
    if isinstance(gate, FairnessGate) and gate.at_least is not None and gate.at_least <= 0:
        yield "atLeast", "every ratio is at least 0: no model falls below it", "write `atLeast: 0.8`"


def _empty_metric(gate: MetricGate) -> Iterator[tuple[str, str, str]]:
    """Yield key, message and hint of each bound of a metric that nothing can break."""
    loss = gate.no_worse_by
    if loss is not None and loss.value >= 1:
        smaller = f"{_number(loss.value)}{'%' if loss.kind == 'relative' else 'pp'}"
        message = f"a loss of {loss} is accepted: no model is worse than that"
        yield "noWorseBy", message, f"write `noWorseBy: {smaller}`"
    if not _is_bounded(gate.metric):
        return
    if gate.at_most is not None and gate.at_most >= 1:
        smaller = _fraction(gate.at_most) if gate.at_most > 1 else "0.05"
        message = f"`{gate.metric}` is between 0 and 1: no model exceeds {_number(gate.at_most)}"
        yield "atMost", message, f"write `atMost: {smaller}`"
    if gate.at_least is not None and gate.at_least <= 0:
        message = f"`{gate.metric}` is between 0 and 1: no model falls below {_number(gate.at_least)}"
        yield "atLeast", message, "write a bound that a bad model misses, such as `atLeast: 0.9`"


@rule(
    "GATE306",
    "warning",
    "a metric or a column of a gate looks misspelt",
    scope=Context,
    why="A gate on a metric or a column that no report contains can't pass, which shows only when the gates run.",
    remedy="Correct the name, or keep it if the report or the data set uses this name.",
    example="spec: {gates: [{name: accuracy, metric: acuracy, atLeast: 0.9, rows: 5000}]}",
    instead="spec: {gates: [{name: accuracy, metric: accuracy, atLeast: 0.9, rows: 5000}]}",
)
def misspelt_metrics(context: Context) -> Iterator[Problem]:
    """Check for names that are a typing error away from a common one; different digits mean another metric."""
    for index, gate in enumerate(context.spec.gates):
        if not isinstance(gate, MetricGate) or gate.metric.lower() in _COMMON:
            continue
        digits = re.sub(r"\D", "", gate.metric)
        near = misspelt(gate.metric, [name for name in _COMMON if re.sub(r"\D", "", name) == digits])
        if near:
            message = f"`{gate.metric}` looks like a misspelt `{near}`"
            hint = f"write `metric: {near}`, or keep it if the report uses `{gate.metric}`"
            yield Problem((*GATES, index, "metric"), message, hint)
    yield from _misspelt_columns(context)


def _misspelt_columns(context: Context) -> Iterator[Problem]:
    """Yield columns of gates that are a typing error away from an input or a sensitive attribute of the model."""
    service = context.spec.service
    attributes = {*context.platform.attributes, *service.attributes}
    for index, gate in enumerate(context.spec.gates):
        lists: list[tuple[tuple[str, ...], list[str], set[str]]] = []
        if isinstance(gate, FairnessGate):
            lists.append((("sensitive",), gate.sensitive, attributes))
        if isinstance(gate, DriftGate):
            lists.append((("drift", "features"), gate.drift.features, set(service.inputs)))
        for path, columns, known in lists:
            for at, column in enumerate(columns):
                near = misspelt(column, known - set(columns)) if column not in known else ""
                if near:
                    message = f"the column `{column}` looks like a misspelt `{near}`"
                    hint = f"write `{near}`, or keep it if the data set has a column `{column}`"
                    yield Problem((*GATES, index, *path, at), message, hint)


@rule(
    "PLAN514",
    "error",
    "no version can exceed the limit of a guard",
    scope=Context,
    why="The guard always passes, although it looks like protection.",
    remedy="Write a limit that a bad version exceeds.",
    example="spec: {rollout: {guards: [{fairness: demographic-parity-difference, sensitive: [gender], atMost: 1}]}}",
    instead="spec: {rollout: {guards: [{fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}]}}",
)
def unreachable_limits(context: Context) -> Iterator[Problem]:
    """Check that limits are below 100%, and fairness limits below 1, in rollouts and in their shadows."""
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            if isinstance(guard, RatioGuard) and guard.limit is not None and guard.limit >= 1:
                baseline = getattr(guard, "baseline", None)
                fitting = percent(min(2 * baseline, 0.5)) if baseline else "5%"
                message = f"no version exceeds a limit of {percent(guard.limit)}"
                hint = f"write a limit that a bad version exceeds: `limit: {fitting}`"
                yield Problem((*path, index, "limit"), message, hint)
            if isinstance(guard, ParityGuard) and guard.bound >= 1:
                message = f"this difference is between 0 and 1: no version exceeds {_number(guard.bound)}"
                yield Problem((*path, index, "atMost"), message, "write `atMost: 0.1`")


@rule(
    "PLAN517",
    "warning",
    "`service.positive` lists both classes",
    scope=Context,
    why="If every prediction counts as positive, all groups have the same rate, and the guard can't decide.",
    remedy="List only the predictions that are in favor of a person.",
    example="spec: {service: {attributes: {age: [young, old]}, positive: [0, 1]}}",
    instead="spec: {service: {attributes: {age: [young, old]}, positive: [1]}}",
)
def every_class_positive(context: Context) -> Iterator[Problem]:
    """Check that the positive predictions are not both classes of a binary model."""
    service = context.spec.service
    if set(service.positive) == {0, 1} and sensitive_attributes(context.spec):
        message = "every prediction of a model with the classes 0 and 1 counts as positive"
        yield Problem(("spec", "service", "positive"), message, "write `positive: [1]`")


@rule(
    "PLAN515",
    "warning",
    "a step sends all traffic to the new version",
    scope=Context,
    why="At 100% no requests are left for the stable version, so nothing can be compared during the step, "
    "and an abort has to start the old version again.",
    remedy="Remove the step: after the last one the new version takes all traffic.",
    example="spec: {rollout: {steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 1h}, {weight: 100%, hold: 1h}]}}",
    instead="spec: {rollout: {steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 1h}]}}",
)
def full_weight(context: Context) -> Iterator[Problem]:
    """Check that every step leaves some traffic to the stable version."""
    rollout = context.spec.rollout
    steps = rollout.steps if isinstance(rollout, Canary) else []
    for index, step in enumerate(steps):
        if isinstance(step, WeightStep) and step.weight >= 100:
            hint = "remove this step: after the last one the new version takes all traffic"
            if len(steps) == 1:
                hint = "write `weight: 50%`: after the last step the new version takes all traffic"
            yield Problem((*STEPS, index, "weight"), "at 100% nothing is left to compare with", hint)


_LOWER_IS_BETTER: Final = re.compile(
    r"(?:.*_)?(?:log_?loss|logloss|loss|brier(?:_score)?|cross_entropy|rmse|mse|mae|mape|smape|wape|rmsle|msle|medae|"
    r"perplexity|error(?:_rate)?|wer|cer|calibration_error|fpr|fnr|latency(?:_ms|_s)?)"
)
_HIGHER_IS_BETTER: Final = re.compile(
    r"(?:.*_)?(?:accuracy|precision|recall|specificity|sensitivity|auc|auroc|auprc|f1|f1_score|ndcg|map|mrr|hit_rate|"
    r"average_precision|jaccard|iou|coverage|r2|r2_score|explained_variance|mcc|kappa|gini|bleu|rouge_l|lift)"
    r"(?:_(?:macro|micro|weighted|score))?(?:_at_\d+|@\d+)?"
)


@rule(
    "GATE307",
    "warning",
    "the bound of a gate is on the side of good models",
    scope=Context,
    why="An upper bound of a metric that should be high refuses good models and accepts bad ones; a lower bound of an "
    "error does the same.",
    remedy="Write `atLeast` for a metric of which more is better, and `atMost` for an error or a loss.",
    example="spec: {gates: [{name: accuracy, metric: accuracy, atMost: 0.9, rows: 5000}]}",
    instead="spec: {gates: [{name: accuracy, metric: accuracy, atLeast: 0.9, rows: 5000}]}",
)
def reversed_bounds(context: Context) -> Iterator[Problem]:
    """Check that the only bound of a well-known metric refuses bad models; with both bounds it is a range."""
    for index, gate in enumerate(context.spec.gates):
        if not isinstance(gate, MetricGate) or gate.no_worse_by is not None:
            continue
        metric = gate.metric.lower()
        lower = _LOWER_IS_BETTER.fullmatch(metric) is not None
        if (
            gate.at_most is not None
            and gate.at_least is None
            and _HIGHER_IS_BETTER.fullmatch(metric)
            and not lower
        ):
            message = (
                f"`{gate.metric}` should be high, but this gate refuses models above {_number(gate.at_most)}"
            )
            yield Problem((*GATES, index, "atMost"), message, f"write `atLeast: {_number(gate.at_most)}`")
        if gate.at_least is not None and gate.at_most is None and lower:
            message = (
                f"`{gate.metric}` should be low, but this gate refuses models below {_number(gate.at_least)}"
            )
            yield Problem((*GATES, index, "atLeast"), message, f"write `atMost: {_number(gate.at_least)}`")


@rule(
    "PLAN521",
    "warning",
    "`replicas` has no effect next to `autoscaling`",
    scope=Context,
    why="The autoscaler sets the number of pods, between its `min` and `max`.",
    remedy="Remove `replicas`, or set `min` and `max` of `autoscaling`.",
    example="spec: {replicas: 6, autoscaling: {min: 2, max: 5}}",
    instead="spec: {autoscaling: {min: 2, max: 6}}",
)
def replicas_and_autoscaling(context: Context) -> Iterator[Problem]:
    """Check that no layer sets the number of pods next to, or above, the autoscaler that decides it."""
    spec, layers = context.spec, context.planned.source.layers
    if spec.autoscaling is None:
        return
    own = ("environment", "spec")
    replicas, scaling = (layers.origin(("spec", key)).source for key in ("replicas", "autoscaling"))
    if replicas not in own or (scaling in own and own.index(replicas) > own.index(scaling)):
        return
    low, high = spec.autoscaling.min, spec.autoscaling.max
    message = f"`replicas: {spec.replicas}` has no effect: the autoscaler starts {low} to {high} pods"
    hint = "remove it"
    if not low <= spec.replicas <= high:
        fitting = {"min": min(low, spec.replicas), "max": max(high, spec.replicas)}
        hint = f"remove it, or write `autoscaling: {flow(fitting)}`"
    yield Problem(("spec", "replicas"), message, hint)
