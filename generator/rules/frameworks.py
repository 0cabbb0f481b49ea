"""Rules on what services of a framework can do: thresholds, names of classes, GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.rules.context import Context, written_guards
from generator.source.document import Path
from generator.source.suggest import did_you_mean
from generator.spec.frameworks import FRAMEWORKS, Framework
from generator.spec.guards.base import ParityGuard, RouteGuard

_ENDPOINTS: Final[Path] = ("spec", "model", "endpoints")
_OF_RENDERED: Final = (
    "inputs",
    "attributes",
    "classes",
    "threshold",
    "maxRows",
    "workers",
    "threads",
    "systemPackages",
    "python",
)
_OWN: Final = """
# specs/shop/ranker.lock.yaml
model:
  ref: "dvc:ranker.bento"
  resolved: "dvc:ranker.bento@4b51d6601a94640fdb040beb307b52edc2e2e707#md5=81c2525ca63498f539685d9230971b1c"
  version: 81c2525ca634
# specs/shop/ranker.yaml
spec:
  model: {ref: "dvc:ranker.bento", framework: bento, load: "service:Ranker", endpoints: [/rank]}
"""
_CLASSES: Final[Path] = ("spec", "service", "classes")


def _framework(context: Context) -> Framework | None:
    model = context.spec.model
    return FRAMEWORKS.get(model.framework) if model else None


@rule(
    "PLAN519",
    "error",
    "`service.threshold` needs probabilities, and services of the framework have none",
    scope=Context,
    why="The service compares the probability of the second class with the threshold.",
    remedy="Serve the model with its own framework, apply the threshold in a custom class, or leave it out.",
    example="spec: {model: {framework: mlflow}, service: {threshold: 0.3}}",
    instead="spec: {model: {framework: sklearn}, service: {threshold: 0.3}}",
)
def threshold_without_probabilities(context: Context) -> Iterator[Problem]:
    """Check that the service of the framework knows the probabilities of two classes."""
    framework = _framework(context)
    if context.spec.service.threshold is not None and framework and not framework.probabilities:
        able = ", ".join(sorted(name for name, one in FRAMEWORKS.items() if one.probabilities))
        message = f"services of {framework.name} models have no probabilities to compare with a threshold"
        yield Problem(
            ("spec", "service", "threshold"), message, f"remove it; these frameworks have them: {able}"
        )


@rule(
    "PLAN520",
    "error",
    "`service.classes` can't be the names of the model's classes",
    scope=Context,
    why="The names replace the numbers that a model answers with, so they take the place of its classes one by one, "
    "and `service.positive` then lists names.",
    remedy="Name each class once, and list some of these names as `positive`; leave `classes` out where the model is "
    "not a classifier.",
    example="spec: {model: {framework: xgboost}, service: {positive: [leaves], classes: [leaves, leaves]}}",
    instead="spec: {model: {framework: xgboost}, service: {positive: [leaves], classes: [stays, leaves]}}",
)
def names_of_classes(context: Context) -> Iterator[Problem]:
    """Check that classes are named once each, that predictions can be positive, and that the framework has classes."""
    service, framework = context.spec.service, _framework(context)
    if not service.classes or framework is None:
        return
    if not framework.probabilities:
        able = ", ".join(sorted(name for name, one in FRAMEWORKS.items() if one.probabilities))
        message = f"services of {framework.name} models don't know their classes"
        yield Problem(_CLASSES, message, f"remove it; these frameworks have classes: {able}", on_key=True)
    if len(service.classes) == 1:
        yield Problem(_CLASSES, "a classifier has at least two classes", "name all of them")
    twice = [name for index, name in enumerate(service.classes) if name in service.classes[:index]]
    if twice:
        yield Problem(_CLASSES, f"`{twice[0]}` names two classes", "give each class its own name")
    unknown = [one for one in service.positive if one not in service.classes]
    if unknown:
        message = f"`{unknown[0]}` is not one of `service.classes`, so it is never predicted"
        path = ("spec", "service", "positive", service.positive.index(unknown[0]))
        yield Problem(path, message, f"list some of {', '.join(map(str, service.classes))}")


@rule(
    "PLAN523",
    "error",
    "pods request a GPU that the service can't use",
    scope=Context,
    why="The service predicts on the CPU: the GPU costs money, and the pods wait for a node that has one.",
    remedy="Remove `resources.gpu`, or serve the model with a framework that uses it.",
    example="spec: {model: {framework: sklearn}, resources: {gpu: 1}}",
    instead="spec: {model: {framework: onnx}, resources: {gpu: 1}}",
)
def unused_gpu(context: Context) -> Iterator[Problem]:
    """Check that services of the framework use the GPU, with packages that do; a container that the team brings may."""
    framework, requested, bento = _framework(context), context.plan.capacity.gpu, context.plan.bento
    if requested and framework and framework.gpu is None:
        able = ", ".join(sorted(name for name, one in FRAMEWORKS.items() if one.gpu is not None))
        message = f"services of {framework.name} models predict on the CPU only"
        yield Problem(("spec", "resources", "gpu"), message, f"remove it; these frameworks use GPUs: {able}")
    elif requested and bento:
        lines = bento.packages.lines if bento.packages else bento.requirements
        for name in (line.split()[0] for line in lines if line.split()[0].endswith("+cpu")):
            hint = "remove it, or take the package from an index that has its build for GPUs"
            yield Problem(("spec", "resources", "gpu"), f"{name} is a build for the CPU only", hint)


@rule(
    "PLAN524",
    "error",
    "a route is not one of the routes of predictions",
    scope=Context,
    why="Requests of other routes, such as probes, must not count: routers, guards and counters need the routes of "
    "predictions. A rendered service has one route.",
    remedy="Name routes that `model.endpoints` of the bento lists; leave them out for other frameworks.",
    example="spec: {model: {endpoints: [/rank]}}",
    instead="spec: {model: {framework: sklearn}}",
)
def routes_of_predictions(context: Context) -> Iterator[Problem]:
    """Check that only a bento of the team has routes, and that guards name one of them."""
    model, server = context.spec.model, context.plan.server
    if model is not None and model.framework != "bento" and (model.endpoints or model.example is not None):
        key = "endpoints" if model.endpoints else "example"
        message = f"`{key}` is for the framework `bento`, not for `{model.framework}`"
        yield Problem(("spec", "model", key), message, "remove it", on_key=True)
    for where, guards in written_guards(context):
        for index, guard in enumerate(guards):
            route = guard.endpoint if isinstance(guard, RouteGuard) else None
            if route is not None and route not in server.paths:
                message = f"`{route}` is not a route of predictions"
                hint = did_you_mean(route, server.paths)
                yield Problem((*where, index, "endpoint"), message, hint)


@rule(
    "PLAN525",
    "error",
    "a key has no effect on a bento that the team has built",
    scope=Context,
    why="The bento is released as it is: what a rendered service is made from does not reach it, and only rendered "
    "services count groups.",
    remedy="Remove the key, or let Sluice render the service.",
    example=_OWN + "  service: {threads: 8}\n",
    instead=_OWN,
)
def without_effect(context: Context) -> Iterator[Problem]:
    """Check that the spec of a bento of the team has no key that only rendered services read."""
    model = context.spec.model
    if model is None or model.framework != "bento":
        return
    for key in _OF_RENDERED:
        path = ("spec", "service", key)
        if context.planned.source.layers.spec.has(path):
            message = f"`service.{key}` has no effect: the bento is released as it is"
            yield Problem(path, message, "remove it", on_key=True)
    for where, guards in written_guards(context):
        for index, guard in enumerate(guards):
            if isinstance(guard, ParityGuard):
                message = "only rendered services count groups"
                yield Problem((*where, index), message, "remove the guard, or write a gate")
