"""Rules on the ceilings of a tier for time and resources. A team may be stricter than its tier, never looser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.plan.peak import pod_amount
from generator.rules.context import GATES, GUARDS, ROLLOUT, STEPS, Context, ceiling
from generator.source.document import Path
from generator.source.finding import Fix
from generator.source.quantity import quantity_amount
from generator.spec.quantities import share_up
from generator.spec.units import duration, percent


def _above(context: Context, path: Path, what: str, key: str, limit: int | str) -> Problem:
    """Return the problem of a value above a ceiling, with the edit that lowers it."""
    message = f"{what} is above the {limit} that the tier `{context.plan.identity.tier}` allows"
    return Problem(path, message, f"write {limit} or less", ceiling(context, key, limit), Fix(path, limit))


@rule(
    "TIER302",
    "error",
    "false rollbacks are above the tier's `falseRollback`",
    scope=Context,
    why="Rolling back a good version costs a release, and trust in rollbacks.",
    remedy="Lower `risk.falseRollback`, or replace bare limits by `detect`.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {falseRollback: 2%}}}}
# specs/shop/ranker.yaml
spec: {rollout: {risk: {falseRollback: 5%}}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {falseRollback: 2%}}}}
# specs/shop/ranker.yaml
spec: {rollout: {risk: {falseRollback: 2%}}}
""",
    repair="safe",
)
def false_rollback(context: Context) -> Iterator[Problem]:
    """Check both the accepted share and the share of the guards."""
    allowed, risk = context.tier.ceilings.false_rollback, context.plan.rollout.risk
    if allowed is None:
        return
    limit = percent(allowed)
    if risk.false_rollback > allowed:
        what = f"the accepted share of false rollbacks, {percent(risk.false_rollback)},"
        yield _above(context, (*ROLLOUT, "risk", "falseRollback"), what, "falseRollback", limit)
    odds = context.odds
    if odds and odds.false_rollback is not None and odds.false_rollback > max(allowed, risk.false_rollback):
        message = f"the guards roll a good version back in {share_up(odds.false_rollback)} of all releases; "
        message += f"the tier `{context.plan.identity.tier}` allows {limit}"
        hint = "compare with the stable version (`detect`) instead of a bare `limit`"
        yield Problem(GUARDS, message, hint, ceiling(context, "falseRollback", limit))


@rule(
    "TIER303",
    "error",
    "the rollout takes longer than the tier's `longestRollout`",
    scope=Context,
    why="For all that time two versions serve requests, and an urgent fix has to wait.",
    remedy="Shorten the holds; a higher weight gets enough requests sooner.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {longestRollout: 2h}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 60m}, {weight: 50%, hold: 20m}]}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {longestRollout: 2h}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 30m}, {weight: 50%, hold: 20m}]}}
""",
)
def longest_rollout(context: Context) -> Iterator[Problem]:
    """Check the sum of all holds, including the shadow's; approvals are not counted."""
    allowed, rollout = context.tier.ceilings.longest_rollout, context.plan.rollout
    if allowed is None or rollout.strategy != "canary":
        return
    total = rollout.held_s + (rollout.shadow.hold if rollout.shadow else 0.0)
    if total > allowed:
        message = f"the holds add up to {duration(total)}, more than the {duration(allowed)} "
        message += f"that the tier `{context.plan.identity.tier}` allows"
        related = ceiling(context, "longestRollout", duration(allowed))
        yield Problem(STEPS, message, f"shorten them by {duration(total - allowed)}", related)


@rule(
    "TIER304",
    "error",
    "there are more pods than the tier's `replicas`",
    scope=Context,
    why="Pods cost money and crowd out other models.",
    remedy="Lower `replicas` or `autoscaling.max`.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {replicas: 4}}}}
# specs/shop/ranker.yaml
spec: {autoscaling: {min: 2, max: 6}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {replicas: 4}}}}
# specs/shop/ranker.yaml
spec: {autoscaling: {min: 2, max: 4}}
""",
    repair="review",
)
def replicas(context: Context) -> Iterator[Problem]:
    """Check the number of pods, with an autoscaler the largest one."""
    allowed, capacity = context.tier.ceilings.replicas, context.plan.capacity
    if allowed is not None and capacity.max_replicas > allowed:
        path = ("spec", "autoscaling", "max") if capacity.autoscaler else ("spec", "replicas")
        yield _above(context, path, f"the number of pods, {capacity.max_replicas},", "replicas", allowed)


@rule(
    "TIER305",
    "error",
    "a pod requests more CPU than the tier's `cpu`",
    scope=Context,
    why="A pod that is too large does not fit on a node.",
    remedy="Lower `resources.cpu`; more pods carry more load.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {cpu: "1"}}}}
# specs/shop/ranker.yaml
spec: {resources: {cpu: 1500m}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {cpu: "1"}}}}
# specs/shop/ranker.yaml
spec: {resources: {cpu: 1000m}}
""",
    repair="review",
)
def cpu(context: Context) -> Iterator[Problem]:
    """Check the CPU of one pod."""
    need = context.plan.capacity
    yield from _one_pod(context, "CPU", "cpu", need.cpu, need.cpu_limit)


def _one_pod(context: Context, what: str, key: str, requested: str, limit: str) -> Iterator[Problem]:
    """Check a request, a limit, and the sum with the sidecars that a spec adds."""
    allowed = context.tier.ceilings.cpu if key == "cpu" else context.tier.ceilings.memory
    if allowed is None:
        return
    path: Path = ("spec", "resources", key)
    if quantity_amount(requested) > quantity_amount(allowed):
        yield _above(context, path, f"the {what} of one pod, {requested},", key, allowed)
    elif limit and quantity_amount(limit) > quantity_amount(allowed):
        yield _above(
            context, ("spec", "resources", "limits", key), f"the limit of {what}, {limit},", key, allowed
        )
    elif pod_amount(context.plan, key, requested) > quantity_amount(allowed):
        message = f"the {what} of one pod, with its sidecars and init containers, is above the {allowed} that the tier "
        message += f"`{context.plan.identity.tier}` allows"
        yield Problem(path, message, f"lower `resources.{key}`", ceiling(context, key, allowed))


@rule(
    "TIER306",
    "error",
    "a pod requests more memory than the tier's `memory`",
    scope=Context,
    why="A pod that is too large does not fit on a node.",
    remedy="Lower `resources.memory`.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {memory: 1Gi}}}}
# specs/shop/ranker.yaml
spec: {resources: {memory: 2Gi}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {memory: 1Gi}}}}
# specs/shop/ranker.yaml
spec: {resources: {memory: 1Gi}}
""",
    repair="review",
)
def memory(context: Context) -> Iterator[Problem]:
    """Check the memory of one pod."""
    need = context.plan.capacity
    limit = need.memory_limit if context.spec.resources.limits.memory else ""
    yield from _one_pod(context, "memory", "memory", need.memory, limit)


@rule(
    "TIER307",
    "error",
    "a pod requests more GPUs than the tier's `gpu`",
    scope=Context,
    why="GPUs are scarce: a canary that waits for one blocks the release.",
    remedy="Lower `resources.gpu`, or use a tier that has GPUs.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {gpu: 0}}}}
# specs/shop/ranker.yaml
spec: {model: {framework: onnx}, resources: {gpu: 1}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {gpu: 1}}}}
# specs/shop/ranker.yaml
spec: {model: {framework: onnx}, resources: {gpu: 1}}
""",
    repair="review",
)
def gpu(context: Context) -> Iterator[Problem]:
    """Check the number of GPUs of one pod."""
    allowed, requested = context.tier.ceilings.gpu, context.plan.capacity.gpu
    if allowed is not None and requested > allowed:
        what = f"the number of GPUs of one pod, {requested},"
        yield _above(context, ("spec", "resources", "gpu"), what, "gpu", allowed)


@rule(
    "TIER310",
    "error",
    "a gate gets more than the tier's `gates.resources`",
    scope=Context,
    why="A gate on production data may fill a node, and models that serve there lose their pods.",
    remedy="Lower `gates.resources` of the platform: with less memory the engine uses `scratch`. Or raise the ceiling.",
    example="""
# specs/platform.yaml
spec: {gates: {resources: {memory: 16Gi}}, tiers: {standard: {ceilings: {gates: {resources: {memory: 8Gi}}}}}}
# specs/shop/ranker.yaml
spec: {gates: [{name: drift, drift: {reference: a.csv, current: {data: b.csv}, features: [x]}, tool: ks}]}
# specs/shop/ranker.lock.yaml
data:
  a.csv: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", resolved: a.csv}
  b.csv: {digest: "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", resolved: b.csv}
""",
    instead="""
# specs/platform.yaml
spec: {gates: {resources: {memory: 8Gi}}, tiers: {standard: {ceilings: {gates: {resources: {memory: 8Gi}}}}}}
# specs/shop/ranker.yaml
spec: {gates: [{name: drift, drift: {reference: a.csv, current: {data: b.csv}, features: [x]}, tool: ks}]}
# specs/shop/ranker.lock.yaml
data:
  a.csv: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", resolved: a.csv}
  b.csv: {digest: "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", resolved: b.csv}
""",
)
def gate_resources(context: Context) -> Iterator[Problem]:
    """Check what the container of each gate gets whose data an engine reads."""
    bound = context.tier.ceilings.gates.resources
    engines = [index for index, gate in enumerate(context.spec.gates) if gate.needs.engine]
    if bound is None or not engines or "cluster" not in context.tier.evidence:
        return
    own = dict(zip(("cpu", "memory", "scratch"), context.plan.gate_pods.resources, strict=True))
    for key, allowed in (("cpu", bound.cpu), ("memory", bound.memory), ("scratch", bound.scratch)):
        if allowed is None or quantity_amount(own[key]) <= quantity_amount(allowed):
            continue
        message = f"gates with an engine get {own[key]} of {_RESOURCES[key]}; the tier "
        message += f"`{context.plan.identity.tier}` allows {allowed}"
        hint = f"lower `gates.resources.{key}` of the platform to {allowed}"
        related = ceiling(context, f"gates.resources.{key}", allowed)
        yield Problem((*GATES, engines[0]), message, hint, related)


_RESOURCES: Final = {"cpu": "CPU", "memory": "memory", "scratch": "temporary files"}
