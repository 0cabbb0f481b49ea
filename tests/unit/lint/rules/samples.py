"""Small objects to lint, and a way to write down what differs from them."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from generator.lint.objects import File, Object
from generator.lint.placement import Objects

GONE = object()
HASH = {"valueFrom": {"podTemplateHashValue": "Latest"}, "name": "hash"}
GATEWAY = "argoproj-labs/gatewayAPI"

CONTAINER = {
    "name": "model",
    "image": "registry.example/model:7",
    "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
}
ROLLOUT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "model", "namespace": "shop"},
    "spec": {
        "progressDeadlineAbort": True,
        "selector": {"matchLabels": {"app": "model"}},
        "template": {
            "metadata": {"labels": {"app": "model"}},
            "spec": {"containers": [CONTAINER]},
        },
        "strategy": {
            "canary": {
                "stableService": "model-stable",
                "canaryService": "model-canary",
                "trafficRouting": {"plugins": {GATEWAY: {"httpRoute": "model", "namespace": "shop"}}},
                "steps": [
                    {"setWeight": 5},
                    {"pause": {"duration": "10m"}},
                    {"analysis": {"templates": [{"templateName": "quality"}], "args": [HASH]}},
                ],
            }
        },
    },
}
ERRORS, ALL = (f'sum(rate({name}{{hash="{{{{args.hash}}}}"}}[2m]))' for name in ("errors", "all"))
METRIC = {
    "name": "errors",
    "interval": "1m",
    "count": 5,
    "failureLimit": 1,
    "successCondition": "len(result) == 1 && !isNaN(result[0]) && !isInf(result[0]) && result[0] < 0.05",
    "provider": {
        "prometheus": {
            "address": "http://prometheus:9090",
            "query": f"({ERRORS} or vector(0)) / {ALL}",
        }
    },
}
TEMPLATE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AnalysisTemplate",
    "metadata": {"name": "quality", "namespace": "shop"},
    "spec": {"args": [{"name": "hash"}], "metrics": [METRIC]},
}
JOB_METRIC = {
    "name": "check",
    "provider": {
        "job": {
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": 60,
                "template": {
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b:1"}]}
                },
            }
        }
    },
}
BLUE_GREEN = {"activeService": "model-stable", "previewService": "model-canary"}


def edit(sample, changes):
    """A copy of a sample with values set (or GONE) at dotted paths; numbers index lists, `+` appends."""
    body = copy.deepcopy(sample)
    for dotted, value in changes.items():
        *parents, last = dotted.split("/")
        at = body
        for part in parents:
            at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
        if value is GONE:
            del at[int(last) if isinstance(at, list) else last]
        elif last == "+":
            at.append(copy.deepcopy(value))
        else:
            at[int(last) if isinstance(at, list) else last] = copy.deepcopy(value)
    return body


def rollout(changes=None, *, steps=None, routing=None, canary=None, pod=None):
    """The sample Rollout with changes; `steps` and `routing` replace those of the canary."""
    body = edit(ROLLOUT, changes or {})
    strategy = body["spec"]["strategy"].get("canary", {})
    if steps is not None:
        strategy["steps"] = steps
    if routing is GONE:
        del strategy["trafficRouting"]
    elif routing is not None:
        strategy["trafficRouting"] = routing
    strategy.update(canary or {})
    for key, value in (pod or {}).items():
        body["spec"]["template"]["spec"][key] = value
    return body


def container(**fields):
    """A Rollout whose only container has these fields."""
    return rollout(pod={"containers": [{"name": "model", "image": "registry.example/model:7", **fields}]})


def blue_green(**fields):
    """The sample Rollout as blue-green."""
    return edit(ROLLOUT, {"spec/strategy": {"blueGreen": {**BLUE_GREEN, **fields}}})


def metric(changes=None, base=METRIC, **fields):
    """An AnalysisTemplate with one metric."""
    return edit(TEMPLATE, {"spec/metrics": [edit({**base, **fields}, changes or {})]})


def prometheus(condition, query="sum(x)", **fields):
    """An AnalysisTemplate with one Prometheus metric."""
    return metric(
        {"provider/prometheus/query": query},
        **{**({"successCondition": condition} if condition else {}), **fields},
    )


def failing(condition, query="sum(x)"):
    """An AnalysisTemplate with one Prometheus metric and a failureCondition only."""
    return metric(
        {"provider/prometheus/query": query, "successCondition": GONE, "failureCondition": condition}
    )


def job(changes=None, **fields):
    """An AnalysisTemplate with one Job metric."""
    return metric(changes, base=JOB_METRIC, **fields)


def other(kind, group, name, spec, **metadata):
    """Any other object in the namespace of the samples."""
    return {
        "apiVersion": f"{group}/v1" if group else "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop", **metadata},
        "spec": spec,
    }


def service(name="model-stable", selector=None, **metadata):
    """A Service that selects the pods of the sample Rollout."""
    return other(
        "Service", "", name, {"selector": selector or {"app": "model"}, "ports": [{"port": 80}]}, **metadata
    )


def http_route(*rules):
    """An HTTPRoute whose rules name these Services."""
    backends = [{"backendRefs": [{"name": name, "port": 80} for name in rule]} for rule in rules]
    return other("HTTPRoute", "gateway.networking.k8s.io", "model", {"rules": backends})


def tree(*bodies, file="all.yaml"):
    """Return the objects as one tree, each in its own document."""
    where = File(file)
    return Objects(Object.read(body, where, i) for i, body in enumerate(bodies) if isinstance(body, dict))


@dataclass(frozen=True)
class Case:
    """A tree that trips a rule, and one that just does not.

    Args:
        code: the rule.
        trips: objects that trip it.
        misses: objects that do not.
        controller: the version to satisfy.
        complete: whether the tree claims to be complete.
        file: where the objects stand.
        at: end of the path of the problem, where it is worth saying.
    """

    code: str
    trips: tuple
    misses: tuple
    controller: str = "any"
    complete: bool = False
    file: str = "all.yaml"
    at: tuple = ()


def case(code, trips, misses, **fields):
    """A case; a single object stands for a tree of it."""
    as_tree = [tuple(side) if isinstance(side, list) else (side,) for side in (trips, misses)]
    return Case(code, *as_tree, **fields)
