"""The releases that Flagger runs.

After Flagger 1.44, pkg/controller/scheduler.go: a check at each interval moves the weight on or counts as failed,
failed checks are never forgotten, and the check behind the last one that is allowed rolls back. A query
without a value, or with NaN, fails (pkg/metrics/providers/prometheus.go). The built-in queries are those of
pkg/metrics/observers/istio.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from generator.lint.controller import go_duration
from generator.lint.objects import Body, Object, as_int, as_list, as_map, as_text, each, has
from generator.lint.placement import Objects
from generator.lint.releases.rollouts import scrape_interval
from generator.lint.releases.values import Release, Stage, TreeMetric
from generator.promql.versions import Versions

_GROUP: Final = "flagger.app"
_TAG: Final = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_ARM: Final = 'destination_workload="{{ target }}"'
_REQUESTS: Final = f"sum(rate(istio_requests_total{{{_ARM}%s}}[{{{{ interval }}}}]))"
_BUILT_IN: Final = {
    "request-success-rate": _REQUESTS % ', response_code!~"5.*"' + " / " + _REQUESTS % "" + " * 100",
    "request-duration": "histogram_quantile(0.99, sum by (le) (rate("
    f"istio_request_duration_milliseconds_bucket{{{_ARM}}}[{{{{ interval }}}}])))",
}


def flagger_releases(objects: Objects) -> Iterator[Release]:
    """Yield the release of every Canary of Flagger."""
    for item in objects.of(_GROUP, "Canary"):
        analysis = as_map(item.spec.get("analysis")) or as_map(item.spec.get("canaryAnalysis"))
        interval = max(10.0, go_duration(as_text(analysis.get("interval"))) or 60.0)
        stages = tuple(_stages(analysis, interval))
        skipped = item.spec.get("skipAnalysis") is True
        stages = () if skipped else stages
        scrape, assumed = scrape_interval(objects, item)
        yield Release(
            object=item,
            tool="Flagger",
            strategy="blue-green" if as_int(analysis.get("iterations")) else "canary",
            stages=stages,
            metrics=() if skipped else tuple(_metrics(objects, item, analysis, interval, len(stages))),
            scrape_s=scrape,
            assumed=assumed,
            checks=max(1, as_int(analysis.get("threshold"))) - 1,
            notes=tuple(_notes(item, analysis)),
        )


def _stages(analysis: Body, interval: float) -> Iterator[Stage]:
    """Yield one stage for each check: the weight is set, and checked an interval later."""
    checks = as_int(analysis.get("iterations"))
    matched = bool(as_list(analysis.get("match")))
    copies = as_int(analysis.get("mirrorWeight"), 100) / 100 if analysis.get("mirror") is True else 0.0
    copies = min(1.0, max(0.0, copies))
    label = "header" if matched else f"mirror {100 * copies:.4g}%" if copies else "before the switch"
    for _ in range(min(checks, 1000)):
        yield Stage(0.0, interval, label, copies=copies, matched=matched)
    if checks:
        return
    weights = [as_int(weight) for weight in as_list(analysis.get("stepWeights"))]
    step, most = as_int(analysis.get("stepWeight")), as_int(analysis.get("maxWeight")) or 100
    if step > 0:
        weights = [min(100, step * number) for number in range(1, -(-most // step) + 1)]
    for weight in weights[:1000]:
        yield Stage(min(1.0, max(0.0, weight / 100)), interval, f"{weight}%")


def _metrics(
    objects: Objects, item: Object, analysis: Body, interval: float, checks: int
) -> Iterator[TreeMetric]:
    target = as_text(as_map(item.spec.get("targetRef")).get("name"))
    failures = max(1, as_int(analysis.get("threshold"))) - 1
    key = "analysis" if has(item.spec, "analysis") else "canaryAnalysis"
    for path, body in each(analysis.get("metrics"), ("spec", key, "metrics")):
        name = as_text(body.get("name"))
        provider, query, missing = _query(objects, item, body, name)
        window = as_text(body.get("interval")) or "1m"
        variables = {"target": target, "interval": window, "namespace": item.namespace, "service": target}
        variables |= {f"variables.{k}": str(v) for k, v in as_map(body.get("templateVariables")).items()}
        success = _condition(body, name)
        yield TreeMetric(
            name=name,
            template=item,
            path=path,
            moment="background",
            step="check",
            provider=provider,
            query=_filled(query, variables),
            success=success,
            interval_s=interval,
            count=checks or None,
            delay_s=interval,
            failure_limit=failures,
            versions=Versions(frozenset({target, f"{target}-canary"}), frozenset({f"{target}-primary"})),
            unread=missing,
        )


def _query(objects: Objects, item: Object, body: Body, name: str) -> tuple[str, str, str]:
    """Return provider and query of a metric, and why there is none."""
    ref = as_map(body.get("templateRef"))
    if as_text(body.get("query")):
        return "prometheus", as_text(body["query"]), ""
    if not ref:
        query = _BUILT_IN.get(name, "")
        return (
            "prometheus",
            query,
            "" if query else f"{name} is not a built-in metric, and it has no template",
        )
    namespace = as_text(ref.get("namespace")) or item.namespace
    template = objects.near(item).get(_GROUP, "MetricTemplate", namespace, as_text(ref.get("name")))
    if template is None:
        return "", "", f"the MetricTemplate {as_text(ref.get('name'))} is not in the tree"
    provider = as_map(template.spec.get("provider"))
    return as_text(provider.get("type")), as_text(template.spec.get("query")), ""


def _filled(query: str, variables: Mapping[str, str]) -> str:
    return _TAG.sub(lambda match: variables.get(match[1]) or f"{{{{args.{match[1]}}}}}", query)


def _condition(body: Body, name: str) -> str:
    """Return the condition of a range; the deprecated `threshold` is a minimum of the success rate, else a maximum."""
    span = as_map(body.get("thresholdRange"))
    limits = [("min", ">="), ("max", "<=")]
    parts = [f"result[0] {sign} {_number(span[key]):g}" for key, sign in limits if _is_number(span.get(key))]
    if not span and _is_number(body.get("threshold")):
        sign = ">=" if name == "request-success-rate" else "<="
        parts = [f"result[0] {sign} {_number(body['threshold']):g}"]
    return " && ".join(["len(result) > 0", "!isNaN(result[0])", *parts])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _notes(item: Object, analysis: Body) -> Iterator[str]:
    if item.spec.get("skipAnalysis") is True:
        yield "`skipAnalysis` is set: the new version gets all requests at once, and nothing is checked"
        return
    kinds = sorted({as_text(hook.get("type")) or "rollout" for _, hook in each(analysis.get("webhooks"), ())})
    deciding = [kind for kind in kinds if kind in ("rollout", "pre-rollout", "confirm-rollout", "rollback")]
    if deciding:
        yield f"webhooks decide as well ({', '.join(deciding)}): their failures are not in these odds"
    if analysis.get("mirror") is True and as_int(analysis.get("iterations")):
        yield "before the switch the new version gets copies of the requests, and no user sees its answers"
    if as_list(analysis.get("match")):
        yield "only requests with the header or cookie reach the new version: how many is not in the tree"
