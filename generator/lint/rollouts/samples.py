"""Whether a Rollout asks for data before it goes on, where one of its metrics lets missing data pass."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.controller import ControllerVersion
from generator.lint.go_values import int_value
from generator.lint.rollouts.model import Body, Objects, as_list, as_map, as_text
from generator.lint.rollouts.resolve import declared, fill, known_values, names, reach
from generator.lint.rollouts.truthtable import tables
from generator.lint.rollouts.view import CANARY, MetricContext, Rollout, Use, has
from generator.promql.selectors import selectors_of
from generator.promql.tokens import QuerySyntaxError, tokenize

_STEPS = (*CANARY, "steps")


def asked_elsewhere(ctx: MetricContext) -> bool:
    """Whether every Rollout that uses a metric also asks for enough of what it counts.

    With a background metric that is before every widening: between each weight and the next, a step that does not
    succeed without data. Otherwise it is the same run, or a step before the next weight.
    """
    wanted = counted(ctx.body)
    return bool(ctx.uses and wanted) and all(
        _same_run(ctx, use, rollout, wanted) or _in_steps(ctx, use, rollout, wanted)
        for rollout, use in ctx.uses
    )


def counted(metric: Body) -> frozenset[str]:
    """The counters of a metric's query, parts of a histogram as one; empty where it can't be read."""
    try:
        tokens = tokenize(as_text(as_map(as_map(metric.get("provider")).get("prometheus")).get("query")))
    except QuerySyntaxError:
        return frozenset()
    return frozenset(selector.source[0] for selector in selectors_of(tokens) if selector.metric)


def _same_run(ctx: MetricContext, use: Use, rollout: Rollout, wanted: frozenset[str]) -> bool:
    return _demands(ctx.objects, rollout, use, wanted, ctx.versions)


def _in_steps(ctx: MetricContext, use: Use, rollout: Rollout, wanted: frozenset[str]) -> bool:
    spans = list(_spans(rollout))
    if use.moment == "background":
        watched = [span for span, weight in spans if weight > 0]
    elif use.path[: len(_STEPS)] == _STEPS:
        index = use.path[len(_STEPS)]
        watched = [[i for i in span if i >= int(index)] for span, _ in spans if index in span]
    else:
        watched = []
    steps = {other.path[len(_STEPS)]: other for other in rollout.uses if other.moment == "step"}
    return bool(watched) and all(
        any(_demands(ctx.objects, rollout, steps[i], wanted, ctx.versions) for i in span if i in steps)
        for span in watched
    )


def _spans(rollout: Rollout) -> Iterator[tuple[list[int], int]]:
    """Indices of the steps from each weight to before the next, with that weight."""
    span: list[int] = []
    weight = 0
    for i, (_, step) in enumerate(rollout.steps):
        if has(step, "setWeight"):
            yield span, weight
            span, weight = [], int_value(step["setWeight"])
        span.append(i)
    yield span, weight


def _demands(
    objects: Objects,
    rollout: Rollout,
    use: Use,
    wanted: frozenset[str],
    versions: tuple[ControllerVersion, ...],
) -> bool:
    """Whether a run holds a metric of one of these counters that does not succeed without data."""
    templates, _ = reach(objects, rollout.object.key.namespace, use.refs)
    args = declared(templates)
    values = known_values(args, use.args)
    dry = {as_text(as_map(item).get("metricName")) for item in as_list(use.body.get("dryRun"))}
    for template in templates:
        for metric in as_list(as_map(template.body.get("spec")).get("metrics")):
            body = as_map(fill(as_map(metric), values))
            if as_text(body.get("name")) in dry or not counted(body) & wanted:
                continue
            seen = [
                table
                for _, table in tables(MetricContext(body, (), frozenset(), frozenset(names(args)), versions))
            ]
            if seen and all(table.empty not in {"Successful", None} for table in seen):
                return True
    return False
