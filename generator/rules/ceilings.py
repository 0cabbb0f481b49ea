"""Rules on the ceilings of a tier. A team may be stricter than its tier, never looser."""

from __future__ import annotations

import math
from collections.abc import Iterator

from generator.lint.engine import Problem, Related, rule
from generator.rules.context import GUARDS, ROLLOUT, STEPS, Context
from generator.source.document import Path
from generator.source.finding import Fix
from generator.source.quantity import quantity_amount
from generator.spec.quantities import share_up
from generator.spec.units import duration, percent


def _ceiling(context: Context, key: str, shown: object) -> Related:
    text = f"tier `{context.plan.identity.tier}`: {key} {shown}"
    return ((text, context.tier_place("ceilings", key)),)


def _above(context: Context, path: Path, what: str, key: str, limit: int | str) -> Problem:
    """Return the problem of a value above a ceiling, with the edit that lowers it."""
    message = f"{what} is above the {limit} that the tier `{context.plan.identity.tier}` allows"
    return Problem(path, message, f"write {limit} or less", _ceiling(context, key, limit), Fix(path, limit))


@rule(
    "TIER301",
    "error",
    "the first weight is above the tier's `firstWeight`",
    scope=Context,
    why="The first step decides how many requests a bad version answers before any guard has measured it.",
    remedy="Lower the first weight, or add a smaller step before it.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {firstWeight: 5%}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 10%, hold: 60m}, {weight: 50%, hold: 20m}]}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {firstWeight: 5%}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 20m}]}}
""",
    repair="safe",
)
def first_weight(context: Context) -> Iterator[Problem]:
    """Check the first weight; without any weight step it is that of the promotion, 100%."""
    ceiling, rollout = context.tier.ceilings.first_weight, context.plan.rollout
    if ceiling is None or rollout.strategy != "canary":
        return
    tier, limit = context.plan.identity.tier, f"{ceiling}%"
    if not rollout.weight_steps:
        message = (
            f"no step has a weight, so all traffic moves at once; the tier `{tier}` allows {limit} first"
        )
        hint = f"add a step of {limit} or less"
        yield Problem(STEPS, message, hint, _ceiling(context, "firstWeight", limit))
    elif rollout.weights[0] > ceiling:
        path = (*STEPS, rollout.weight_steps[0][0], "weight")
        yield _above(context, path, f"the first weight of {rollout.weights[0]}%", "firstWeight", limit)


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
    ceiling, risk = context.tier.ceilings.false_rollback, context.plan.rollout.risk
    if ceiling is None:
        return
    limit = percent(ceiling)
    if risk.false_rollback > ceiling:
        what = f"the accepted share of false rollbacks, {percent(risk.false_rollback)},"
        yield _above(context, (*ROLLOUT, "risk", "falseRollback"), what, "falseRollback", limit)
    odds = context.odds
    if odds and odds.false_rollback is not None and odds.false_rollback > max(ceiling, risk.false_rollback):
        message = f"the guards roll a good version back in {share_up(odds.false_rollback)} of all releases; "
        message += f"the tier `{context.plan.identity.tier}` allows {limit}"
        hint = "compare with the stable version (`detect`) instead of a bare `limit`"
        yield Problem(GUARDS, message, hint, _ceiling(context, "falseRollback", limit))


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
    ceiling, rollout = context.tier.ceilings.longest_rollout, context.plan.rollout
    if ceiling is None or rollout.strategy != "canary":
        return
    total = rollout.held_s + (rollout.shadow.hold if rollout.shadow else 0.0)
    if total > ceiling:
        message = f"the holds add up to {duration(total)}, more than the {duration(ceiling)} "
        message += f"that the tier `{context.plan.identity.tier}` allows"
        related = _ceiling(context, "longestRollout", duration(ceiling))
        yield Problem(STEPS, message, f"shorten them by {duration(total - ceiling)}", related)


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
    ceiling, capacity = context.tier.ceilings.replicas, context.plan.capacity
    if ceiling is not None and capacity.max_replicas > ceiling:
        path = ("spec", "autoscaling", "max") if capacity.autoscaler else ("spec", "replicas")
        yield _above(context, path, f"the number of pods, {capacity.max_replicas},", "replicas", ceiling)


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
    ceiling, requested = context.tier.ceilings.cpu, context.plan.capacity.cpu
    if ceiling is not None and quantity_amount(requested) > quantity_amount(ceiling):
        yield _above(
            context, ("spec", "resources", "cpu"), f"the CPU of one pod, {requested},", "cpu", ceiling
        )


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
    ceiling, requested = context.tier.ceilings.memory, context.plan.capacity.memory
    if ceiling is not None and quantity_amount(requested) > quantity_amount(ceiling):
        what = f"the memory of one pod, {requested},"
        yield _above(context, ("spec", "resources", "memory"), what, "memory", ceiling)


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
spec: {resources: {gpu: 1}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {gpu: 1}}}}
# specs/shop/ranker.yaml
spec: {resources: {gpu: 1}}
""",
    repair="review",
)
def gpu(context: Context) -> Iterator[Problem]:
    """Check the number of GPUs of one pod."""
    ceiling, requested = context.tier.ceilings.gpu, context.plan.capacity.gpu
    if ceiling is not None and requested > ceiling:
        what = f"the number of GPUs of one pod, {requested},"
        yield _above(context, ("spec", "resources", "gpu"), what, "gpu", ceiling)


@rule(
    "TIER308",
    "error",
    "a bad version answers more requests than the tier's `maxExposed`",
    scope=Context,
    why="Every request that a bad version answers does harm.",
    remedy="Lower the first weights, or watch an outcome that shows harm sooner.",
    example="# specs/platform.yaml\nspec: {tiers: {standard: {ceilings: {maxExposed: 20000}}}}",
    instead="# specs/platform.yaml\nspec: {tiers: {standard: {ceilings: {maxExposed: 50000}}}}",
    repair="safe",
)
def max_exposed(context: Context) -> Iterator[Problem]:
    """Check the mean number of exposed requests; without a guard that is the whole canary."""
    ceiling, rollout = context.tier.ceilings.max_exposed, context.plan.rollout
    if ceiling is None:
        return
    tier, related = context.plan.identity.tier, _ceiling(context, "maxExposed", ceiling)
    accepted = rollout.risk.max_exposed
    if accepted is not None and accepted > ceiling:
        path = (*ROLLOUT, "risk", "maxExposed")
        message = f"`maxExposed` of {accepted:,} is above the {ceiling:,} that the tier `{tier}` allows"
        yield Problem(path, message, f"write {ceiling} or less", related, Fix(path, ceiling))
    odds = context.odds
    exposed = odds.worst_exposed if odds else None
    if exposed is not None and exposed > ceiling:
        message = (
            f"a bad version answers {math.ceil(exposed):,} requests on average before it is rolled back; "
        )
        message += f"the tier `{tier}` allows {ceiling:,}"
        hint = "lower the first weights or hold them longer; `sluice plan` shows the effect"
        yield Problem(STEPS, message, hint, related)


@rule(
    "TIER309",
    "warning",
    "the tier limits exposed requests, but `traffic.minRps` is not declared",
    scope=Context,
    why="Exposed requests are traffic times weight times duration: without the traffic the ceiling can't be checked.",
    remedy="Declare `traffic.minRps`, the requests per second off-peak.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {maxExposed: 50000}}}}
# specs/shop/ranker.yaml
spec: {traffic: {}, rollout: {guards: [{fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}]}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {maxExposed: 50000}}}}
# specs/shop/ranker.yaml
spec: {traffic: {minRps: 400}}
""",
)
def exposure_unknown(context: Context) -> Iterator[Problem]:
    """Check that there is traffic to compute the exposed requests from."""
    ceiling = context.tier.ceilings.max_exposed
    if ceiling is not None and context.plan.rollout.strategy == "canary" and not context.plan.min_rps:
        message = f"the tier `{context.plan.identity.tier}` allows {ceiling:,} exposed requests, "
        message += "but `traffic.minRps` is not declared"
        hint = "declare the requests per second off-peak"
        related = _ceiling(context, "maxExposed", ceiling)
        yield Problem(("spec", "traffic", "minRps"), message, hint, related, on_key=True)
