"""Rules on steps, guards, resources and overrides that contradict themselves or each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.lint.engine import Problem, Related, rule
from generator.plan.serving import bento_of
from generator.rules.context import GUARDS, ROLLOUT, SHADOW, STEPS, Context, written_guards
from generator.source.document import Path
from generator.spec.guards import Detect
from generator.spec.guards.base import ParityGuard
from generator.spec.guards.outcome import OutcomeGuard
from generator.spec.guards.slow_rate import SlowRateGuard
from generator.spec.rollout import ApproveStep, BlueGreen
from generator.spec.units import duration, percent

_FEWEST_GROUPS: Final = 2


@rule(
    "PLAN501",
    "error",
    "the weights of a canary do not increase",
    scope=Context,
    why="A step at the same or a lower weight gives the guards no new information, and late outcomes are "
    "ignored again.",
    remedy="Make every weight larger than the one before it.",
    example="spec: {rollout: {steps: [{weight: 25%, hold: 2h}, {weight: 25%, hold: 1h}]}}",
    instead="spec: {rollout: {steps: [{weight: 25%, hold: 2h}, {weight: 50%, hold: 1h}]}}",
)
def increasing(context: Context) -> Iterator[Problem]:
    """Check that each weight is larger than the one before it, whatever steps are between them."""
    before = 0
    for index, step in context.plan.rollout.weight_steps:
        if step.weight <= before:
            message = f"the weight {step.weight}% is not larger than the {before}% before it"
            yield Problem((*STEPS, index, "weight"), message, f"choose a weight above {before}%")
        before = step.weight


@rule(
    "PLAN502",
    "error",
    "a step, a shadow or a watch has no duration",
    scope=Context,
    why="Without a duration nothing is measured: the step looks like a check, but checks nothing.",
    remedy="Give it a duration, or remove it.",
    example="spec: {rollout: {steps: [{weight: 5%, hold: 2h}, {weight: 25%, hold: 0s}]}}",
    instead="spec: {rollout: {steps: [{weight: 5%, hold: 2h}, {weight: 25%, hold: 20m}]}}",
)
def holds(context: Context) -> Iterator[Problem]:
    """Check that every hold, and the watch of a blue-green with guards, is longer than zero."""
    rollout = context.plan.rollout
    hint = "write a duration such as 20m, or remove it"
    if isinstance(rollout, BlueGreen):
        if rollout.guards and not rollout.watch:
            yield Problem((*ROLLOUT, "watch"), "the guards would not watch at all", hint)
        return
    if rollout.shadow and not rollout.shadow.hold:
        yield Problem((*SHADOW, "hold"), "the shadow would not run at all", hint)
    for index, step in enumerate(rollout.steps):
        if not isinstance(step, ApproveStep) and not step.hold:
            yield Problem((*STEPS, index, "hold"), "this step would not be held at all", hint)


@rule(
    "PLAN503",
    "error",
    "a guard detects an improvement instead of a regression",
    scope=Context,
    why="The sequential test is one-sided: a guard that waits for good news never stops a bad version.",
    remedy="Detect a `rise` of errors and slow requests, and a `drop` of outcomes (a `rise` of those with `better: "
    "lower`).",
    example="spec: {rollout: {guards: [{metric: error-rate, baseline: 2%, detect: {drop: 50%}}]}}",
    instead="spec: {rollout: {guards: [{metric: error-rate, baseline: 2%, detect: {rise: 50%}}]}}",
)
def direction(context: Context) -> Iterator[Problem]:
    """Check that every guard detects a change for the worse."""
    for path, guard, detect in _comparisons(context):
        outcome = context.spec.outcomes.get(guard.outcome) if isinstance(guard, OutcomeGuard) else None
        rise_harms = outcome is None or outcome.better == "lower"
        written, size = _effect(detect)
        wanted = "rise" if rise_harms else "drop"
        if written == wanted:
            continue
        subject = guard.outcome if isinstance(guard, OutcomeGuard) else guard.metric
        message = f"a {written} of `{subject}` is an improvement; this guard would never fire on a regression"
        hint = f"write `detect: {{{wanted}: {percent(size)}}}`"
        if isinstance(guard, OutcomeGuard):
            hint += f", or `better: {'higher' if rise_harms else 'lower'}` in the outcome"
        yield Problem((*path, "detect"), message, hint)


@rule(
    "PLAN504",
    "error",
    "the change to detect is 0%, or a drop of 100%",
    scope=Context,
    why="No amount of traffic detects a change of 0%, and the test uses the logarithm of the remaining "
    "rate: after a drop of 100% that is the logarithm of 0.",
    remedy="Declare the smallest change that matters: above 0% and, for a drop, below 100%.",
    example="spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 0%}}]}}",
    instead="spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}}]}}",
    source="Wald: Sequential Tests of Statistical Hypotheses, Annals of Mathematical Statistics 16, 1945",
)
def detectable(context: Context) -> Iterator[Problem]:
    """Check that there is a test for every declared change."""
    for path, _, detect in _comparisons(context):
        key, size = _effect(detect)
        if size == 0 or (key == "drop" and size >= 1):
            message = f"no test detects a {key} of {percent(size)}"
            hint = "write the smallest change that matters, such as 10%"
            yield Problem((*path, "detect", key), message, hint)


def _comparisons(context: Context) -> Iterator[tuple[Path, Any, Detect]]:
    """Yield every guard with `detect`, as written, and its path."""
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            detect: Detect | None = getattr(guard, "detect", None)
            if detect is not None:
                yield (*path, index), guard, detect


def _effect(detect: Detect) -> tuple[str, float]:
    """Return the direction and the size of a change."""
    if detect.drop is not None:
        return "drop", detect.drop
    return "rise", detect.rise or 0.0


@rule(
    "PLAN505",
    "error",
    "`autoscaling.min` exceeds `autoscaling.max`",
    scope=Context,
    why="The API server refuses such an autoscaler, and the sync stops there.",
    remedy="Choose a `min` that is at most `max`.",
    example="spec: {autoscaling: {min: 5, max: 4}}",
    instead="spec: {autoscaling: {min: 4, max: 5}}",
    source="Kubernetes 1.36, pkg/apis/autoscaling/validation/validation.go",
)
def autoscaling(context: Context) -> Iterator[Problem]:
    """Check the bounds of the autoscaler."""
    capacity = context.plan.capacity
    if capacity.autoscaler and capacity.minimum > capacity.maximum:
        message = f"`min` is {capacity.minimum}, which exceeds the `max` of {capacity.maximum}"
        hint = f"write at most {capacity.maximum}, or raise `max`"
        yield Problem(("spec", "autoscaling", "min"), message, hint)


@rule(
    "PLAN506",
    "error",
    "a probability in `risk` is 0% or 100%",
    scope=Context,
    why="A guard rolls back when its evidence reaches ln(1/risk): at 0% no evidence is enough, at 100% any "
    "evidence is.",
    remedy="Choose values above 0% and below 100%.",
    example="spec: {rollout: {risk: {falseRollback: 0%}}}",
    instead="spec: {rollout: {risk: {falseRollback: 1%}}}",
    source="Ville: Étude critique de la notion de collectif, 1939 (the inequality behind the boundary)",
)
def chances(context: Context) -> Iterator[Problem]:
    """Check that false rollbacks and power are strictly between 0% and 100%."""
    risk = context.plan.rollout.risk
    for key, value, example in (("falseRollback", risk.false_rollback, "5%"), ("power", risk.power, "80%")):
        if not 0 < value < 1:
            message = f"no test can keep `{key}: {percent(value)}`"
            hint = f"write a value strictly between 0% and 100%, such as {example}"
            yield Problem((*ROLLOUT, "risk", key), message, hint)


# Field of the bento -> where a spec writes it.
_BUILT: Final[Mapping[str, Path]] = {
    "inputs": ("spec", "service", "inputs"),
    "positive": ("spec", "service", "positive"),
    "groups": ("spec", "service", "attributes"),
    "requirements": ("spec", "service", "requirements"),
    "python_version": ("spec", "service", "python"),
    "timeout_s": ("spec", "service", "timeout"),
    "threads": ("spec", "service", "threads"),
    "workers": ("spec", "service", "workers"),
    "max_rows": ("spec", "service", "maxRows"),
    "outcomes": ("spec", "outcomes"),
}


@rule(
    "PLAN508",
    "error",
    "an environment overrides what is built into the image",
    scope=Context,
    why="The service is built once and the same image runs in every environment, so that the tested image "
    "is released. It can't contain a value for only one environment.",
    remedy="Move the value out of `environments`, so that it applies to all of them.",
    example="spec: {environments: {production: {service: {timeout: 3s}}}}",
    instead="spec: {service: {timeout: 3s}}",
)
def shared(context: Context) -> Iterator[Problem]:
    """Check that the service of this environment's spec is the one that is built."""
    written, built = context.planned.source, context.plan.bento
    layers = context.planned.source.layers
    overrides = layers.spec.data["spec"].get("environments") or {}
    environment = context.plan.identity.environment
    if (
        not (overrides.get(environment) or overrides.get(layers.whole))
        or written.lock is None
        or built is None
    ):
        return
    required = bento_of(written.file, written.platform, written.lock, built.buckets, built.packages)
    for item in dataclasses.fields(built):
        if getattr(required, item.name) == getattr(built, item.name):
            continue
        path = _BUILT[item.name]
        where = GUARDS if item.name == "groups" and not _overridden(context, path) else path
        key = ".".join(map(str, path[1:]))
        message = f"`{environment}` overrides `{key}`, which is built into the one image of all environments"
        yield Problem(where, message, f"write `{key}` once, outside of `environments`", on_key=True)


def _overridden(context: Context, path: Path) -> bool:
    layers = context.planned.source.layers
    return any(
        layers.spec.has(("spec", "environments", name, *path[1:]))
        for name in (layers.environment, layers.whole)
    )


@rule(
    "PLAN509",
    "error",
    "a latency bound exceeds the service's timeout",
    scope=Context,
    why="The service cancels a request at its timeout, so no answer is ever slower than the bound: the "
    "guard can't fail.",
    remedy="Choose a bound below `service.timeout`.",
    example="""
spec:
  service: {timeout: 2s}
  rollout: {guards: [{metric: slow-rate, slowerThan: 3s, baseline: 2%, detect: {rise: 50%}}]}
""",
    instead="""
spec:
  service: {timeout: 2s}
  rollout: {guards: [{metric: slow-rate, slowerThan: 1s, baseline: 2%, detect: {rise: 50%}}]}
""",
)
def latency(context: Context) -> Iterator[Problem]:
    """Check that requests can be slower than the bound of a guard."""
    timeout = context.plan.server.timeout_s
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            if isinstance(guard, SlowRateGuard) and guard.slower_than > timeout:
                message = f"no request is slower than {duration(guard.slower_than)}: "
                message += f"the service times out after {duration(timeout)}"
                place = context.planned.source.layers.place(("spec", "service", "timeout"))
                hint = f"choose a bound below {duration(timeout)}"
                yield Problem((*path, index, "slowerThan"), message, hint, (("the timeout", place),))


@rule(
    "PLAN510",
    "error",
    "a sensitive attribute has fewer than two declared values",
    scope=Context,
    why="Parity compares groups: with only one group the guard never fails.",
    remedy="Declare every value of the attribute to compare.",
    example="""
# specs/platform.yaml
spec: {attributes: {gender: [female]}}
# specs/shop/ranker.yaml
spec: {rollout: {guards: [{fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}]}}
""",
    instead="""
# specs/platform.yaml
spec: {attributes: {gender: [female, male]}}
# specs/shop/ranker.yaml
spec: {rollout: {guards: [{fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}]}}
""",
)
def attributes(context: Context) -> Iterator[Problem]:
    """Check that every attribute of a fairness guard has groups to compare."""
    declared = {**context.platform.attributes, **context.spec.service.attributes}
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            for position, name in enumerate(guard.attributes):
                count = len({str(value) for value in declared.get(name, ())})
                if count < _FEWEST_GROUPS:
                    message = f"the sensitive attribute `{name}` has {count} declared value{'' if count == 1 else 's'}"
                    hint = "declare every value to compare"
                    where = (*path, index, "sensitive", position)
                    yield Problem(where, message, hint, _declaration(context, name))


def _declaration(context: Context, name: str) -> Related:
    if name in context.spec.service.attributes:
        place = context.planned.source.layers.place(("spec", "service", "attributes", name))
    else:
        place = context.platform_document.place(("spec", "attributes", name))
    return (("declared here", place),)


@rule(
    "PLAN511",
    "error",
    "a guard of the shadow has nothing to measure",
    scope=Context,
    why="Users never see the answers to copied requests, so they have no outcomes, and no stable version is "
    "compared with them.",
    remedy="Use fairness guards in the shadow; watch outcomes, errors and latency in the steps.",
    example="""
spec:
  rollout:
    shadow:
      percent: 20%
      hold: 24h
      guards: [{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]
""",
    instead="""
spec:
  rollout:
    shadow:
      percent: 20%
      hold: 24h
      guards: [{fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}]
""",
)
def shadow_guards(context: Context) -> Iterator[Problem]:
    """Check that only fairness is watched on copied requests."""
    shadow = context.spec.rollout.shadow
    for index, guard in enumerate(shadow.guards if shadow else ()):
        if not isinstance(guard, ParityGuard):
            message = f"the {guard.kind} guard has nothing to measure on copied requests"
            hint = "move it to `rollout.guards`; in a shadow only fairness can be watched"
            yield Problem((*SHADOW, "guards", index), message, hint)
