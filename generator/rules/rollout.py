"""Steps, guards, resources and overrides that contradict each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Final

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


@rule(
    "PLAN501",
    "error",
    "the weights of a canary do not increase",
    scope=Context,
    why="A weight that stays or falls tells the guards nothing new, and the mask of delayed outcomes starts again.",
    remedy="Let every weight be larger than the one before.",
)
def increasing(context: Context) -> Iterator[Problem]:
    """Each weight above the one before it, whatever stands between."""
    before = 0
    for index, step in context.plan.rollout.weight_steps:
        if step.weight <= before:
            message = f"the weight {step.weight}% is not above the {before}% before it"
            yield Problem((*STEPS, index, "weight"), message, "let every weight be larger than the last")
        before = step.weight


@rule(
    "PLAN502",
    "error",
    "a step, a shadow or a watch that lasts no time",
    scope=Context,
    why="Nothing can be measured in no time: the step would only look like a check.",
    remedy="Give it a hold, or remove it.",
)
def holds(context: Context) -> Iterator[Problem]:
    """Holds of zero."""
    rollout, hint = context.plan.rollout, "give it a time, such as 20m, or remove it"
    if isinstance(rollout, BlueGreen):
        if rollout.guards and not rollout.watch:
            yield Problem((*ROLLOUT, "watch"), "the guards would be judged for no time", hint)
        return
    if rollout.shadow and not rollout.shadow.hold:
        yield Problem((*SHADOW, "hold"), "the shadow would be watched for no time", hint)
    for index, step in enumerate(rollout.steps):
        if not isinstance(step, ApproveStep) and not step.hold:
            yield Problem((*STEPS, index, "hold"), "this step would be held for no time", hint)


@rule(
    "PLAN503",
    "error",
    "a guard looks in the wrong direction",
    scope=Context,
    why="The sequential test sees one direction only: looking for good news it would never stop bad news.",
    remedy="Errors and slow answers are detected by a `rise`; outcomes by a `drop`, or a `rise` where `better: lower`.",
)
def direction(context: Context) -> Iterator[Problem]:
    """What gets worse must be what is detected."""
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            detect: Detect | None = getattr(guard, "detect", None)
            if detect is None:
                continue
            rises = detect.rise is not None
            outcome = context.spec.outcomes.get(guard.outcome) if isinstance(guard, OutcomeGuard) else None
            harmful = outcome is None or outcome.better == "lower"
            if rises != harmful:
                subject = guard.outcome if isinstance(guard, OutcomeGuard) else guard.metric
                wanted, written = ("rise", "drop") if harmful else ("drop", "rise")
                message = f"a {written} of `{subject}` is good news, and this guard would miss the bad"
                hint = f"write `detect: {{{wanted}: …}}`"
                hint += ", or say `better` in the outcome" if isinstance(guard, OutcomeGuard) else ""
                yield Problem((*path, index, "detect"), message, hint)


@rule(
    "PLAN504",
    "error",
    "a change of nothing, or of everything, is to be detected",
    scope=Context,
    why="No amount of traffic detects a change of 0 %, and the logarithm of a drop by 100 % does not exist.",
    remedy="Declare the smallest change that matters, above 0 % and for a drop below 100 %.",
)
def detectable(context: Context) -> Iterator[Problem]:
    """Effects for which there is no test."""
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            detect: Detect | None = getattr(guard, "detect", None)
            if detect is None:
                continue
            key = "drop" if detect.drop is not None else "rise"
            value = detect.drop if detect.drop is not None else detect.rise or 0.0
            if value == 0 or (key == "drop" and value >= 1):
                message = f"a {key} of {percent(value)} can't be tested for"
                hint = "write the smallest change that matters, such as 10%"
                yield Problem((*path, index, "detect", key), message, hint)


@rule(
    "PLAN505",
    "error",
    "the autoscaler's least is above its most",
    scope=Context,
    why="The API server refuses such an autoscaler, and the sync with it.",
    remedy="Let `min` be at most `max`.",
)
def autoscaling(context: Context) -> Iterator[Problem]:
    """Bounds of the autoscaler."""
    capacity = context.plan.capacity
    if capacity.autoscaler and capacity.minimum > capacity.maximum:
        message = f"`min` is {capacity.minimum}, above `max`, {capacity.maximum}"
        yield Problem(("spec", "autoscaling", "min"), message, "let `min` be at most `max`")


@rule(
    "PLAN506",
    "error",
    "an accepted chance for which there is no test",
    scope=Context,
    why="The guard's boundary is ln(1/risk): at 0 % nothing is evidence enough, at 100 % everything is.",
    remedy="Choose chances above 0 % and below 100 %.",
)
def chances(context: Context) -> Iterator[Problem]:
    """False rollbacks and power strictly between nothing and certainty."""
    risk = context.plan.rollout.risk
    for key, value, example in (("falseRollback", risk.false_rollback, "5%"), ("power", risk.power, "80%")):
        if not 0 < value < 1:
            message = f"`{key}: {percent(value)}` can't be kept by any test"
            yield Problem(
                (*ROLLOUT, "risk", key), message, f"write a chance between 0% and 100%, such as {example}"
            )


# Field of the bento -> where a spec says it.
_SHARED: Final[Mapping[str, Path]] = {
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
    "an environment changes what all environments share",
    scope=Context,
    why="The service is built once, and the same image runs everywhere: what was tested is what is released.",
    remedy="Move the value out of `environments`, for all of them.",
)
def shared(context: Context) -> Iterator[Problem]:
    """The service that this environment's spec would build must be the one that is built."""
    written, built = context.planned.written, context.plan.bento
    overrides = context.planned.written.layers.spec.data["spec"].get("environments") or {}
    environment = context.plan.identity.environment
    if not overrides.get(environment) or written.lock is None:
        return
    asked = bento_of(written.file, written.platform, written.lock, built.buckets)
    for item in dataclasses.fields(built):
        if getattr(asked, item.name) == getattr(built, item.name):
            continue
        path = _SHARED[item.name]
        where = GUARDS if item.name == "groups" and not _overridden(context, path) else path
        key = ".".join(map(str, path[1:]))
        message = f"`{environment}` changes `{key}`, which is built into the one image of all environments"
        yield Problem(where, message, f"say `{key}` once, outside of `environments`", on_key=True)


def _overridden(context: Context, path: Path) -> bool:
    layers = context.planned.written.layers
    return layers.spec.has(("spec", "environments", context.plan.identity.environment, *path[1:]))


@rule(
    "PLAN509",
    "error",
    "a latency bound above the service's time-out",
    scope=Context,
    why="A request is given up at the time-out, so none is ever slower than the bound: the guard can't fail.",
    remedy="Choose a bound below `service.timeout`.",
)
def latency(context: Context) -> Iterator[Problem]:
    """Bounds that no request reaches."""
    timeout = context.plan.bento.timeout_s
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            if isinstance(guard, SlowRateGuard) and guard.slower_than > timeout:
                message = f"no request is slower than {duration(guard.slower_than)}: "
                message += f"the service gives up after {duration(timeout)}"
                place = context.planned.written.layers.place(("spec", "service", "timeout"))
                hint = f"choose a bound below {duration(timeout)}"
                related = (("the time-out", place),)
                yield Problem((*path, index, "slowerThan"), message, hint, related)


@rule(
    "PLAN510",
    "error",
    "a sensitive attribute with fewer than two values",
    scope=Context,
    why="Parity is a difference between groups; with one group there is none, and the guard never fails.",
    remedy="List all values of the attribute that are judged.",
)
def attributes(context: Context) -> Iterator[Problem]:
    """Attributes of fairness guards need groups to compare."""
    declared = {**context.platform.attributes, **context.spec.service.attributes}
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            for position, name in enumerate(guard.attributes):
                values = {str(value) for value in declared.get(name, ())}
                if len(values) < _GROUPS:
                    message = f"the sensitive attribute `{name}` has {len(values)} declared values"
                    hint = "declare all values that are compared"
                    related = _declaration(context, name)
                    yield Problem((*path, index, "sensitive", position), message, hint, related)


_GROUPS = 2


def _declaration(context: Context, name: str) -> Related:
    if name in context.spec.service.attributes:
        place = context.planned.written.layers.place(("spec", "service", "attributes", name))
    else:
        place = context.platform_document.place(("spec", "attributes", name))
    return (("declared here", place),)


@rule(
    "PLAN511",
    "error",
    "a guard of the shadow that judges nothing",
    scope=Context,
    why="Nobody sees the answer to a copy, so it has no outcome, and no stable version answers beside it.",
    remedy="Judge fairness in the shadow; watch outcomes, errors and latency in the steps.",
)
def shadow_guards(context: Context) -> Iterator[Problem]:
    """Only fairness is judged on copies."""
    shadow = context.spec.rollout.shadow
    for index, guard in enumerate(shadow.guards if shadow else ()):
        if not isinstance(guard, ParityGuard):
            message = f"an {guard.kind} guard judges nothing on copied requests"
            hint = "move it to `rollout.guards`; a shadow is judged by fairness"
            yield Problem((*SHADOW, "guards", index), message, hint)
