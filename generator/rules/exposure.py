"""Rules on the ceilings of a tier for users: how many meet a version, how early, and how surely a bad one is stopped.

A value that these ceilings need and that is not declared counts as the worst one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.odds.odds import PlanOdds
from generator.plan.exposure import EVERYBODY, Exposure, exposures
from generator.plan.values import Plan
from generator.rules.context import GUARDS, ROLLOUT, SHADOW, STEPS, Context, ceiling, inserted_steps
from generator.source.document import Path
from generator.source.finding import Fix
from generator.spec.quantities import share_down
from generator.spec.units import duration, percent

_STRATEGY: Path = (*ROLLOUT, "strategy")
_SLACK = 1e-9


def _written(plan: Plan, found: Exposure) -> Path:
    """Return the key that decides a share."""
    if found.step is None:
        return _STRATEGY if plan.rollout.strategy == "blue-green" else STEPS
    return (*STEPS, found.step, "cohort" if found.cohort else "weight")


@rule(
    "TIER301",
    "error",
    "more users meet a version first than the tier's `firstWeight` allows",
    scope=Context,
    why="The first step decides how many requests a bad version answers before any guard has measured it. A switch "
    "moves all requests, one of four pods answers a quarter of them, and anyone can send the header of a cohort.",
    remedy="Lower the first weight, or add a smaller step before it; let the platform list the cohort with its share.",
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
    """Check every share up to the first weight, and cohorts of unknown size wherever they are."""
    allowed, plan = context.tier.ceilings.first_weight, context.plan
    if allowed is None:
        return
    limit, tier = f"{allowed}%", plan.identity.tier
    for found in _first(exposures(plan)):
        if found.share <= allowed / 100 + _SLACK:
            continue
        path, fix = _written(plan, found), None
        message = f"{found.why} reaches up to {percent(found.share)} of the users; "
        message += f"the tier `{tier}` allows {limit} first"
        hint = f"write {limit} or less"
        if path == _STRATEGY:
            hint = f"use `strategy: canary` with a first weight of {limit} or less"
        elif path == STEPS:
            hint = f"add a step of {limit} or less"
        elif path[-1] == "cohort":
            hint = (
                f"start with a weight of {limit} or less; the platform may list this cohort under `cohorts`, "
            )
            hint += "with the largest share of requests that carry it"
        elif plan.routing.router.splits_requests:
            message = f"{found.why} is above the {limit} that the tier `{tier}` allows first"
            fix = Fix(path, limit)
        else:
            pods = math.ceil(100 / allowed)
            hint = (
                f"use a router that splits requests, or at least {pods} pods and a weight of {limit} or less"
            )
        yield Problem(path, message, hint, ceiling(context, "firstWeight", limit), fix)


def _first(found: tuple[Exposure, ...]) -> Iterator[Exposure]:
    """Yield all shares up to the first weight, then every one of a cohort whose size is unknown."""
    before = True
    for each in found:
        if before or (each.cohort and each.share >= EVERYBODY):
            yield each
        before = before and each.cohort


@rule(
    "TIER321",
    "error",
    "a step adds more users than the tier's `largestIncrease`",
    scope=Context,
    why="A small first weight protects no user if all users follow in the second step.",
    remedy="Add a weight in between.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {largestIncrease: 50%}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 5%, hold: 2h}, {weight: 25%, hold: 60m}]}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {largestIncrease: 50%}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 5%, hold: 2h}, {weight: 25%, hold: 60m}, {weight: 50%, hold: 20m}]}}
""",
    repair="safe",
)
def largest_increase(context: Context) -> Iterator[Problem]:
    """Check each share against the one before it, and all users against the last one."""
    allowed, plan = context.tier.ceilings.largest_increase, context.plan
    if allowed is None:
        return
    before = 0.0
    for found in exposures(plan):
        added = found.share - before
        if added > allowed / 100 + _SLACK and not _refused_first(context, found):
            message = f"{found.why} adds {percent(added)} of the users to the {percent(before)} before; "
            message += f"the tier `{plan.identity.tier}` allows {allowed}% more in one step"
            hint = f"add a weight between {percent(before)} and {percent(found.share)} before it"
            related = ceiling(context, "largestIncrease", f"{allowed}%")
            yield Problem(_written(plan, found), message, hint, related, _between(context, found, before))
        if not found.cohort:  # the route of a cohort is removed after its step
            before = found.share


def _between(context: Context, found: Exposure, before: float) -> Fix | None:
    """Return the edit that adds the largest weight which the tier allows, held as long as the step before it."""
    plan, allowed = context.plan, context.tier.ceilings.largest_increase or 0
    held = [step.hold for _, step in plan.rollout.weight_steps if step.weight <= 100 * before + _SLACK]
    if found.cohort or not held or not plan.routing.router.splits_requests:
        return None
    index = found.step if found.step is not None else len(plan.rollout.steps)
    return inserted_steps(context, index, [math.floor(100 * before + allowed + _SLACK)], duration(held[-1]))


def _refused_first(context: Context, found: Exposure) -> bool:
    """Return whether `firstWeight` refuses a switch or a cohort of unknown size already, wherever it is."""
    allowed = context.tier.ceilings.first_weight
    everybody = found.cohort or context.plan.rollout.strategy == "blue-green"
    return everybody and found.share >= EVERYBODY and allowed is not None and allowed < EVERYBODY * 100


@rule(
    "TIER322",
    "error",
    "a step, a shadow or a watch is shorter than the tier's `shortestHold`",
    scope=Context,
    why="A guard that measures for a second has seen no request: the step looks like a check, but checks nothing.",
    remedy="Hold it longer.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {shortestHold: 30m}}}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {shortestHold: 20m}}}}
""",
    repair="safe",
)
def shortest_hold(context: Context) -> Iterator[Problem]:
    """Check the hold of every step and of the shadow, and the watch after a switch."""
    allowed, rollout = context.tier.ceilings.shortest_hold, context.plan.rollout
    if allowed is None:
        return
    holds: list[tuple[Path, float]] = []
    if rollout.strategy == "blue-green":
        holds.append(((*ROLLOUT, "watch"), rollout.watch))
    elif rollout.shadow:
        holds.append(((*SHADOW, "hold"), rollout.shadow.hold))
    steps = (found for found in exposures(context.plan) if found.step is not None)
    holds += [((*STEPS, found.step or 0, "hold"), found.held_s) for found in steps]
    for path, seconds in holds:
        if seconds < allowed:
            message = f"{duration(seconds)} is shorter than the {duration(allowed)} that the tier "
            message += f"`{context.plan.identity.tier}` requires"
            related = ceiling(context, "shortestHold", duration(allowed))
            fix = Fix(path, duration(allowed))
            yield Problem(path, message, f"write {duration(allowed)} or more", related, fix)


@rule(
    "TIER308",
    "error",
    "a bad version answers more requests than the tier's `maxExposed`",
    scope=Context,
    why="Every request that a bad version answers does harm. After a blue-green switch it answers all of them, and so "
    "does a cohort that anyone can join.",
    remedy="Lower the first weights, or watch an outcome that shows harm sooner.",
    example="# specs/platform.yaml\nspec: {tiers: {standard: {ceilings: {maxExposed: 20000}}}}",
    instead="# specs/platform.yaml\nspec: {tiers: {standard: {ceilings: {maxExposed: 50000}}}}",
    repair="safe",
)
def max_exposed(context: Context) -> Iterator[Problem]:
    """Check the mean number of exposed requests: until a guard stops the version, and all of its cohorts."""
    allowed, plan = context.tier.ceilings.max_exposed, context.plan
    if allowed is None:
        return
    tier, related = plan.identity.tier, ceiling(context, "maxExposed", allowed)
    accepted = plan.rollout.risk.max_exposed
    if accepted is not None and accepted > allowed:
        path = (*ROLLOUT, "risk", "maxExposed")
        message = f"`maxExposed` of {accepted:,} is above the {allowed:,} that the tier `{tier}` allows"
        yield Problem(path, message, f"write {allowed} or less", related, Fix(path, allowed))
    if plan.rollout.strategy == "blue-green":
        message = (
            f"a blue-green switch sends every request to a bad version; the tier `{tier}` allows {allowed:,}"
        )
        yield Problem(_STRATEGY, message, "use `strategy: canary`", related)
        return
    exposed = _exposed(context)
    if exposed is not None and exposed > allowed:
        message = (
            f"a bad version answers {math.ceil(exposed):,} requests on average before it is rolled back; "
        )
        message += f"the tier `{tier}` allows {allowed:,}"
        hint = "lower the first weights or hold them longer; `sluice plan` shows the effect"
        yield Problem(STEPS, message, hint, related)


def _exposed(context: Context) -> float | None:
    """Return the mean number of requests that a bad version answers; None when it can't be computed."""
    odds, plan = context.odds, context.plan
    if odds is None or odds.exposed is None:
        return None
    cohorts = (each for each in exposures(plan) if each.cohort)
    return odds.exposed + math.fsum(each.share * each.held_s * (plan.min_rps or 0.0) for each in cohorts)


@rule(
    "TIER309",
    "error",
    "the tier limits exposed requests, and they can't be computed",
    scope=Context,
    why="Exposed requests are traffic times weight times the time until a guard objects: without the traffic, or "
    "without a guard that has odds, a bad version may answer all requests.",
    remedy="Declare `traffic.minRps`, the requests per second off-peak, and a guard with a `baseline`.",
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
    """Check that a canary has what the exposed requests are computed from."""
    allowed, odds = context.tier.ceilings.max_exposed, context.odds
    if allowed is None or odds is None or odds.exposed is not None:
        return
    message = f"the tier `{context.plan.identity.tier}` allows {allowed:,} exposed requests, but "
    related = ceiling(context, "maxExposed", allowed)
    if not context.plan.min_rps:
        path: Path = ("spec", "traffic", "minRps")
        hint = "declare the requests per second off-peak"
        yield Problem(path, f"{message}`traffic.minRps` is not declared", hint, related, on_key=True)
    else:
        hint = "add a guard with a `baseline`, for example "
        hint += "`{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}`"
        yield Problem(GUARDS, f"{message}{_no_odds(odds)}: nothing stops a bad version", hint, related)


def _no_odds(odds: PlanOdds) -> str:
    """Return why no guard has odds."""
    if not odds.unpriced:
        return "there is no guard"
    return "; ".join(f"`{name}` has no odds: {reason}" for name, reason in odds.unpriced)


@rule(
    "TIER323",
    "error",
    "a guard stops bad versions less surely than the tier's `power`",
    scope=Context,
    why="A guard that sees too few requests, or that looks for too small a change in them, lets the version through.",
    remedy="Hold the steps longer, or raise the weights; `sluice plan` shows the odds.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {power: 75%}}}}
# specs/shop/ranker.yaml
spec: {rollout: {risk: {power: 60%}}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {power: 75%}}}}
# specs/shop/ranker.yaml
spec: {rollout: {risk: {power: 80%}}}
""",
    repair="safe",
)
def power(context: Context) -> Iterator[Problem]:
    """Check the required power and that of each comparison; without a comparison the power is 0."""
    allowed, plan = context.tier.ceilings.power, context.plan
    if allowed is None:
        return
    limit, tier = percent(allowed), plan.identity.tier
    related = ceiling(context, "power", limit)
    if plan.rollout.risk.power < allowed:
        path = (*ROLLOUT, "risk", "power")
        message = f"a power of {percent(plan.rollout.risk.power)} is below the {limit} that the tier `{tier}` requires"
        yield Problem(path, message, f"write {limit} or more", related, Fix(path, limit))
    if plan.rollout.strategy == "blue-green":
        message = f"the tier `{tier}` requires a power of {limit}, and after a switch nothing is compared with stable"
        yield Problem(_STRATEGY, message, "use `strategy: canary`", related)
        return
    comparisons = context.odds.comparisons if context.odds else ()
    if not comparisons:
        message = (
            f"the tier `{tier}` requires a power of {limit}, but no guard with odds compares with stable"
        )
        hint = "add a guard with `detect` and a `baseline`, and declare `traffic.minRps`"
        yield Problem(GUARDS, message, hint, related)
    for guard, found in comparisons:
        if found.power < allowed:
            message = (
                f"`{guard.name}` stops {share_down(found.power)} of the versions with a {guard.threshold}; "
            )
            message += f"the tier `{tier}` requires {limit}"
            hint = "hold the steps longer, or raise the weights; `sluice plan` shows the effect"
            yield Problem((*GUARDS, guard.index), message, hint, related)
