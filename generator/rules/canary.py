"""Rules on canaries: their odds as a whole, and rollouts without a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.odds.odds import price
from generator.plan.guards import Comparison, Guard, Limit
from generator.rules.context import GUARDS, ROLLOUT, STEPS, Context, weight_steps
from generator.rules.routing import smallest_weight
from generator.rules.what_if import (
    canary_odds,
    compared,
    comparisons,
    detect_of,
    effect_of,
    hold_that_catches,
    is_testable,
    phases_of,
    rewritten,
    takes_evidence,
    with_hold,
)
from generator.source.document import Path
from generator.source.finding import Fix, Severity
from generator.spec.quantities import share_down, share_up
from generator.spec.rollout import ApproveStep, Canary
from generator.spec.units import duration, percent
from generator.stats.odds import GuardOdds

_REFUSED_FALSE_ROLLBACK: Final = 3.0  # times the budget
_EVERY_SECOND: Final = 0.5
_REFUSED_POWER: Final = 0.5
_MANY_FALSE: Final = 0.25


@rule(
    "CAN101",
    "warning",
    "good versions are rolled back more often than `risk.falseRollback` accepts",
    scope=Context,
    why="A guard that fires on good versions is soon disabled, and then it stops no bad version either. "
    "Above three times the accepted share this is an error.",
    remedy="Compare with the stable version (`detect`) instead of a bare `limit`, or move the limit away from the "
    "baseline.",
    example="""
spec:
  rollout:
    guards:
      - {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 0.5%, limit: 0.75%, name: ceiling}
""",
    instead="""
spec:
  rollout:
    guards:
      - {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 0.5%, limit: 1.5%, name: ceiling}
""",
    repair="review",
)
def false_rollback(context: Context) -> Iterator[Problem]:
    """Check the probability that any guard rolls a good version back, over the whole rollout."""
    found = canary_odds(context)
    if found is None or found[1].false_rollback is None:
        return
    rollout, odds = found
    chance, budget = odds.false_rollback or 0.0, rollout.risk.false_rollback
    if chance <= budget + 1e-12:
        return
    guard, alone = max(odds.guards, key=lambda pair: pair[1].false_rollback)
    often = f" (1 in {math.floor(1 / chance)})" if chance <= _EVERY_SECOND else ""
    message = f"a good version is rolled back in {share_up(chance)} of all releases{often}; "
    message += f"{percent(budget)} is accepted. `{guard.name}` alone: {share_up(alone.false_rollback)}"
    severity: Severity = "error" if chance > _REFUSED_FALSE_ROLLBACK * budget else "warning"
    hint, fix = _compare(context, guard)
    yield Problem((*GUARDS, guard.index), message, hint, fix=fix, severity=severity)


def _compare(context: Context, guard: Comparison | Limit) -> tuple[str, Fix | None]:
    """Return the hint to replace a bare limit by a comparison, with its odds."""
    sibling = next(iter(comparisons(context, guard)), None)
    if sibling is not None:
        return f"remove this guard: `{sibling.name}` already compares with stable", None
    better = compared(context.plan, guard) if isinstance(guard, Limit) else None
    if better is None:
        return "compare with the stable version: write `detect` instead of `limit`", None
    odds = price(context.plan, better, phases_of(context))
    ((direction, size),) = detect_of(better).items()
    hint = f"write `detect: {{{direction}: {size}}}` instead of `limit`: "
    hint += f"{share_up(odds.false_rollback)} false rollbacks, {share_down(odds.power)} of {effect_of(better)} caught"
    return hint, Fix((*GUARDS, guard.index), rewritten(context, guard, limit=None, detect={direction: size}))


@rule(
    "CAN102",
    "warning",
    "a guard catches too few bad versions by the end of the rollout",
    scope=Context,
    why="A guard with too few requests looks like a check, but misses the change that it should catch. "
    "Below a power of 50% this is an error.",
    remedy="Hold longer, send more traffic, or declare a larger change.",
    example="""
spec:
  traffic: {minRps: 100}
  rollout: {steps: [{weight: 5%, hold: 1h}, {weight: 20%, hold: 10m}]}
""",
    instead="""
spec:
  traffic: {minRps: 100}
  rollout: {steps: [{weight: 5%, hold: 1h}, {weight: 20%, hold: 20m}]}
""",
    repair="safe",
)
def power(context: Context) -> Iterator[Problem]:
    """Check the power of every comparison over all steps against `risk.power`."""
    found = canary_odds(context)
    if found is None:
        return
    rollout, odds = found
    for guard, alone in odds.comparisons:
        if alone.power >= rollout.risk.power or not any(
            takes_evidence(context, guard, phase) for phase in phases_of(context)
        ):
            continue
        message = f"`{guard.name}` catches {share_down(alone.power)} of {effect_of(guard)} by the end; "
        message += f"{percent(rollout.risk.power)} is required"
        hint, fix = _more_power(context, guard, alone)
        severity: Severity = "error" if alone.power < _REFUSED_POWER else "warning"
        yield Problem((*GUARDS, guard.index, "detect"), message, hint, fix=fix, severity=severity)


def _more_power(context: Context, guard: Comparison, alone: GuardOdds) -> tuple[str, Fix | None]:
    """Return the hint: the hold that each step would need, or the change that the current steps catch."""
    steps, indices, required = phases_of(context), weight_steps(context), context.plan.rollout.risk.power
    exits: list[str] = []
    fix = None
    for position, (phase, index) in enumerate(zip(steps, indices, strict=True)):
        better = _hold_for_end(context, guard, position, required)
        if better:
            hold = duration(better[0])
            exits.append(f"hold {percent(phase.weight)} for {hold} ({share_down(better[1].power)} caught)")
            fix = Fix((*STEPS, index, "hold"), hold)
    if alone.mde_at_power:
        smallest = percent(math.ceil(alone.mde_at_power * 1000 - 1e-9) / 1000)
        exits.append(f"declare {smallest}, the smallest change that these steps catch")
    if not exits:
        return "there is too little traffic for a canary: use a gate or a shadow instead", fix
    return ", or ".join(exits), fix


def _hold_for_end(
    context: Context, guard: Comparison, position: int, required: float
) -> tuple[float, GuardOdds] | None:
    """Return the smallest round hold of a step that gives the whole rollout its power."""
    steps = phases_of(context)
    if position == len(steps) - 1:
        return hold_that_catches(context, guard, steps, position, required)
    reached = hold_that_catches(context, guard, steps[: position + 1], position, required)
    if reached is None:
        return None
    return reached[0], price(context.plan, guard, with_hold(steps, position, reached[0]))


@rule(
    "CAN107",
    "warning",
    "the odds of a guard can't be computed",
    scope=Context,
    why="Whether a guard catches anything depends on the traffic and on the usual rate of the event.",
    remedy="Declare `traffic.minRps`, and the `baseline` of the guard or of its outcome.",
    example="spec: {rollout: {guards: [{metric: error-rate, detect: {rise: 100%}}]}}",
    instead="spec: {rollout: {guards: [{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]}}",
)
def unpriced(context: Context) -> Iterator[Problem]:
    """Check that everything that odds need is declared; guards that never have odds need nothing."""
    found = canary_odds(context)
    if found is None:
        return
    _, odds = found
    guards = {guard.name: guard for guard in context.plan.guards if not guard.unpriced}
    if not context.plan.min_rps and guards:
        message = (
            "`traffic.minRps` is not declared: odds can't be computed, and no step checks for enough evidence"
        )
        hint = "declare the requests per second off-peak"
        yield Problem(("spec", "traffic", "minRps"), message, hint, on_key=True)
        return
    for name, reason in odds.unpriced:
        guard = guards.get(name)
        if guard is not None and is_testable(context, guard):
            message = f"the odds of `{name}` can't be computed: {reason}"
            hint = "declare its `baseline`: the usual share of events"
            if guard.baseline is not None:
                hint = "correct its `baseline`, or the change to detect"
            yield Problem((*GUARDS, guard.index, "baseline"), message, hint, on_key=True)


@rule(
    "CAN109",
    "info",
    "the odds of an environment rest on traffic declared for all environments",
    scope=Context,
    why="An environment that a version must pass before others rarely has the traffic of production. With less, its "
    "odds are not those that `plan` shows, and each step waits for evidence, then for a person.",
    remedy="Declare its own `traffic.minRps` under `environments`, and send that many requests if it has no users.",
    example="""
# specs/platform.yaml
spec:
  environments:
    staging:
      server: https://staging.example.com
      router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}
    production: {requires: [staging]}
""",
    instead="""
# specs/platform.yaml
spec:
  environments:
    staging:
      server: https://staging.example.com
      router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}
    production: {requires: [staging]}
# specs/shop/ranker.yaml
spec: {environments: {staging: {traffic: {minRps: 200}}}}
""",
)
def borrowed_traffic(context: Context) -> Iterator[Problem]:
    """Check that an environment which others require declares its own traffic if guards compare there."""
    plan, path = context.plan, ("spec", "traffic", "minRps")
    name = plan.identity.environment
    required = any(name in other.requires for other in context.platform.environments.values())
    own = context.planned.source.layers.origin(path).source == "environment"
    if not required or own or not plan.min_rps or context.odds is None or not context.odds.comparisons:
        return
    message = f"the odds in {name} assume {plan.min_rps:g} requests per second, which are declared for all environments"
    setting = f"`environments: {{{name}: {{traffic: {{minRps: …}}}}}}`"
    hint = f"declare what {name} gets, from users or from a load generator: {setting}"
    yield Problem(path, message, hint)


@rule(
    "PLAN518",
    "warning",
    "`risk` requires too little power, or accepts too many false rollbacks",
    scope=Context,
    why="`risk` is what the steps and guards are checked against. With a power of 10% a guard that misses nine of ten "
    "bad versions is reported as fine; with false rollbacks of 50% every second good version is rolled back.",
    remedy="Require a power of at least 50%, and accept false rollbacks of at most 25%.",
    example="spec: {rollout: {risk: {power: 10%}}}",
    instead="spec: {rollout: {risk: {power: 80%}}}",
)
def empty_promises(context: Context) -> Iterator[Problem]:
    """Check that `risk` requires at least 50% power and accepts at most 25% false rollbacks."""
    risk, ceilings = context.plan.rollout.risk, context.tier.ceilings
    if 0 < risk.power < _REFUSED_POWER and (ceilings.power is None or risk.power >= ceilings.power):
        message = f"a power of {percent(risk.power)} lets more bad versions through than it stops"
        yield Problem((*ROLLOUT, "risk", "power"), message, "write 80%, the usual value")
    if _MANY_FALSE < risk.false_rollback < 1 and ceilings.false_rollback is None:
        message = f"{percent(risk.false_rollback)} of the good versions may be rolled back"
        yield Problem((*ROLLOUT, "risk", "falseRollback"), message, "write 5%, the usual value")


@rule(
    "CAN108",
    "warning",
    "a canary has no guard",
    scope=Context,
    why="Without a guard the weights grow on schedule: a bad version reaches everyone unless a person stops it. "
    "With declared traffic and without an `approve` step this is an error. A hot fix keeps its guards.",
    remedy="Add a guard: an outcome, `error-rate` or `slow-rate`.",
    example="spec: {rollout: {guards: []}}",
    instead="spec: {rollout: {guards: [{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]}}",
)
def unguarded(context: Context) -> Iterator[Problem]:
    """Check that at least one guard can stop a canary, or a person does."""
    rollout = context.plan.rollout
    if isinstance(rollout, Canary) and not context.plan.guards:
        message = "no guard watches the live traffic"
        hint = "add one, for example `{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}`"
        approved = any(isinstance(step, ApproveStep) for step in rollout.steps)
        severity: Severity = "warning" if approved or not context.plan.min_rps else "error"
        yield Problem(GUARDS, message, hint, on_key=True, severity=severity)


@rule(
    "CAN151",
    "warning",
    "weights are shares of pods, not of requests",
    scope=Context,
    why="Without a router a version gets the requests of its pods: one pod of two is half of the traffic. "
    "A weight of less than one pod is an error.",
    remedy="Use a router, or enough replicas for the smallest weight.",
    example="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: none}}}}
# specs/shop/ranker.yaml
spec: {replicas: 10}
""",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: traefik}}}}
# specs/shop/ranker.yaml
spec: {replicas: 10}
""",
    repair="review",
    source="Argo Rollouts 1.10, utils/replicaset/canary.go",
)
def replica_ratio(context: Context) -> Iterator[Problem]:
    """Check weights if the number of pods decides, and that the smallest one is at least one pod."""
    plan = context.plan
    if plan.routing.router.splits_requests or not plan.rollout.weights:
        return
    pods, smallest = plan.capacity.min_replicas, min(plan.rollout.weights)
    if smallest >= smallest_weight(plan):
        message = (
            f"without a router a weight is a share of the {pods} pods: {smallest}% is 1 in {100 // smallest}"
        )
        yield Problem(STEPS, message, "use a router in this environment, or accept this finding", on_key=True)
        return
    needed = math.ceil(100 / smallest)
    path: Path = ("spec", "autoscaling", "min") if plan.capacity.autoscaler else ("spec", "replicas")
    index = next(i for i, step in plan.rollout.weight_steps if step.weight == smallest)
    possible = math.ceil(100 / max(pods, 1))
    message = f"{smallest}% of {pods} pods is less than one pod; the smallest possible weight is {possible}%"
    hint = f"run {needed} pods (one of them is {smallest}%), or use a router in this environment"
    ceiling = context.tier.ceilings.replicas
    fix = Fix(path, needed) if ceiling is None or needed <= ceiling else None
    yield Problem((*STEPS, index, "weight"), message, hint, fix=fix, severity="error")


@rule(
    "CAN152",
    "warning",
    "a guard of a blue-green has no comparison",
    scope=Context,
    why="After the switch all traffic is on the new version, so no stable version is measured at the same time: a "
    "comparison is an error, and a limit on an outcome follows the time of day.",
    remedy="Use absolute limits on errors and latency, or a canary.",
    example="""
spec:
  rollout: {strategy: blue-green, approve: manual, guards: [{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]}
""",
    instead="spec: {rollout: {strategy: blue-green, approve: manual, guards: [{metric: error-rate, limit: 1%}]}}",
    repair="review",
)
def blue_green(context: Context) -> Iterator[Problem]:
    """Check that a blue-green is watched by absolute limits on errors and latency."""
    if context.plan.rollout.strategy == "canary":
        return
    for guard in context.plan.guards:
        path: Path = (*GUARDS, guard.index)
        if not isinstance(guard, Limit):
            message = f"`{guard.name}` compares versions or groups; a blue-green can only be watched by absolute limits"
            hint, fix = _as_limit(context, guard)
            yield Problem(path, message, hint, fix=fix, severity="error")
        elif guard.kind == "outcome":
            message = (
                f"a limit on `{guard.subject}` follows the time of day: no other version shares such changes"
            )
            severity: Severity = "error" if context.regulated else "warning"
            yield Problem(path, message, "use a canary to watch outcomes", severity=severity)


def _as_limit(context: Context, guard: Guard) -> tuple[str, Fix | None]:
    """Return the absolute limit that catches the same change as a comparison."""
    if not isinstance(guard, Comparison) or not guard.baseline or guard.ratio * guard.baseline > 1:
        return "write a `limit`, or use a canary", None
    limit = percent(guard.ratio * guard.baseline)
    fix = Fix((*GUARDS, guard.index), rewritten(context, guard, detect=None, limit=limit))
    return f"write `limit: {limit}` instead of `detect`, or use a canary", fix
