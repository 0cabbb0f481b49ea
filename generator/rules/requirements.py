"""Requirements of a tier: kinds of gates, approvals, images by digest, policies for missing data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, Related, rule
from generator.plan.exposure import exposures
from generator.plan.values import Plan
from generator.rules.context import (
    GATES,
    GUARDS,
    LOCK_IMAGE,
    ROLLOUT,
    STEPS,
    Context,
    FleetContext,
    removes_gates,
    written_guards,
)
from generator.rules.thresholds import is_bounded
from generator.source.document import Path
from generator.source.finding import Fix
from generator.source.suggest import did_you_mean
from generator.spec.rollout import ApproveStep, BlueGreen, Canary
from generator.spec.units import duration, percent

NO_DIGEST: Final = "TIER313"
"""The code for a model whose image is not built and pushed yet; everything else may be valid."""
NOT_PUSHED: Final = frozenset({NO_DIGEST, "TIER342"})
"""The codes for images that are not pushed yet: the files that they are built from are rendered anyway."""
HALF: Final = 0.5
"""The share of the traffic before which approvals count."""


NO_HASHES: Final = "TIER341"
"""The code for a model whose packages are not pinned by hash in a tier that requires it."""
FRAMEWORK: Final = ("spec", "model", "framework")


def required_by(context: Context, key: str) -> Related:
    """Return the place of a requirement of the tier."""
    text = f"required by the tier `{context.plan.identity.tier}`"
    return ((text, context.tier_place("requires", key)),)


@rule(
    "TIER311",
    "error",
    "a kind of gate that the tier requires is missing",
    scope=Context,
    why="The tier requires this check before any traffic. A waiver excuses a verdict, not a missing gate.",
    remedy="Add a gate of that kind.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {gates: [fairness]}}}}
# specs/shop/ranker.yaml
spec: {gates: [{name: unit-tests, junit: reports/junit.xml}]}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {gates: [fairness]}}}}
# specs/shop/ranker.yaml
spec:
  gates:
    - {name: unit-tests, junit: reports/junit.xml}
    - {name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1, minGroup: 200}
""",
)
def required_gates(context: Context) -> Iterator[Problem]:
    """Check that there is a gate of each required kind whose threshold has a ceiling; a waived gate counts."""
    bound = context.tier.ceilings.gates.metric
    kinds = {gate.kind for gate in context.spec.gates if is_bounded(gate, bound)}
    if not context.spec.gates and context.tier.requires.gates and removes_gates(context):
        message = f"`gates: []` removes all gates, and the tier `{context.plan.identity.tier}` requires some"
        hint = "remove this line: the gates of the spec then apply"
        yield Problem(GATES, message, hint, required_by(context, "gates"))
        return
    for kind in context.tier.requires.gates:
        if kind not in kinds:
            message = f"the tier `{context.plan.identity.tier}` requires a {kind} gate"
            hint = f"add a {kind} gate; `sluice schema` shows its keys"
            if any(gate.kind == kind for gate in context.spec.gates):
                message += " with a bound that it knows"
                hint = "use a metric that `ceilings.gates.metric` lists, or compare with the champion"
            yield Problem(GATES, message, hint, required_by(context, "gates"))


@rule(
    "TIER326",
    "error",
    "a model uses another tier than the platform lists it for",
    scope=Context,
    why="A team that may use several tiers could choose the one with the highest ceilings for its most exposed model.",
    remedy="Use the tier that lists the model under `models`.",
    example="""
# specs/platform.yaml
spec:
  tiers: {strict: {models: [shop/ranker]}}
  teams: {shop: {tiers: [standard, strict]}}
""",
    instead="""
# specs/platform.yaml
spec:
  tiers: {standard: {models: [shop/ranker]}}
""",
)
def listed_tier(context: Context) -> Iterator[Problem]:
    """Check that no other tier lists this model."""
    identity = context.plan.identity
    for name, tier in context.platform.tiers.items():
        model = f"{identity.team}/{identity.model}"
        if name != identity.tier and model in tier.models:
            path = ("spec", "tiers", name, "models", tier.models.index(model))
            related = ((f"tier `{name}`: models", context.platform_document.place(path)),)
            message = f"{model} must use the tier `{name}`, not the tier `{identity.tier}`"
            yield Problem(("spec", "tier"), message, f"write `tier: {name}`", related)


@rule(
    "PLAT918",
    "error",
    "a tier lists a model that does not exist",
    scope=FleetContext,
    why="The model was renamed: under its new name it may use any tier of its team.",
    remedy="Correct the name, or remove it.",
    example="# specs/platform.yaml\nspec: {tiers: {standard: {models: [shop/rankers]}}}",
    instead="# specs/platform.yaml\nspec: {tiers: {standard: {models: [shop/ranker]}}}",
)
def listed_models(context: FleetContext) -> Iterator[Problem]:
    """Check that tiers list models of this repository."""
    known = [entry.name for entry in context.repository.entries]
    for name, tier in context.platform.tiers.items():
        for index, model in enumerate(tier.models):
            if model not in known:
                path = ("spec", "tiers", name, "models", index)
                yield Problem(path, f"unknown model {model}", did_you_mean(model, known))


@rule(
    "PLAN516",
    "error",
    "a model redefines a sensitive attribute of the platform",
    scope=Context,
    why="Fairness compares the groups that are declared: a model that leaves a group out is never unfair to it.",
    remedy="Keep every value that the platform declares; more values may be added.",
    example="""
# specs/platform.yaml
spec: {attributes: {gender: [female, male, other]}}
# specs/shop/ranker.yaml
spec: {service: {attributes: {gender: [male, other]}}}
""",
    instead="""
# specs/platform.yaml
spec: {attributes: {gender: [female, male, other]}}
# specs/shop/ranker.yaml
spec: {service: {attributes: {gender: [female, male, other, unknown]}}}
""",
)
def redefined_attributes(context: Context) -> Iterator[Problem]:
    """Check that the values which a model declares for an attribute of the platform include all of the platform's."""
    for name, values in context.spec.service.attributes.items():
        declared = {str(value) for value in values}
        missing = [
            str(value) for value in context.platform.attributes.get(name, ()) if str(value) not in declared
        ]
        if missing:
            message = f"`{name}` leaves out {', '.join(missing)}, which the platform declares"
            related = (
                (f"attribute `{name}`", context.platform_document.place(("spec", "attributes", name))),
            )
            hint = f"add {', '.join(missing)}, or remove the attribute here"
            yield Problem(("spec", "service", "attributes", name), message, hint, related)


@rule(
    "TIER315",
    "error",
    "a kind of guard that the tier requires is missing",
    scope=Context,
    why="Without this guard nothing measures that kind of harm while users meet the version.",
    remedy="Add a guard of that kind to `rollout.guards`; after a blue-green switch it needs a `limit`.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {guards: [error-rate]}}}}
# specs/shop/ranker.yaml
spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}}]}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {guards: [error-rate]}}}}
# specs/shop/ranker.yaml
spec:
  rollout:
    guards: [{outcome: ctr, detect: {drop: 10%}}, {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]
""",
)
def required_guards(context: Context) -> Iterator[Problem]:
    """Check that a guard of each required kind is measured on live traffic; those of a shadow do not count."""
    kinds = {guard.kind for guard in context.plan.measured_guards}
    for kind in context.tier.requires.guards:
        if kind not in kinds:
            message = (
                f"the tier `{context.plan.identity.tier}` requires a guard of the kind {kind} on live traffic"
            )
            hint = f"add one to `rollout.guards`: {_GUARD_EXAMPLES.get(kind, kind)}"
            yield Problem(GUARDS, message, hint, required_by(context, "guards"))


_GUARD_EXAMPLES: Final = {
    "error-rate": "`{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}`",
    "slow-rate": "`{metric: slow-rate, slowerThan: 250ms, baseline: 2%, detect: {rise: 50%}}`",
    "outcome": "`{outcome: <name>, detect: {drop: 10%}}`",
    "fairness": "`{fairness: demographic-parity-difference, sensitive: [<attribute>], atMost: 0.1}`",
}


@rule(
    "TIER312",
    "error",
    "an approval that the tier requires is missing, too early or too late",
    scope=Context,
    why="The tier requires a person with this role to approve: after the first measurement, since before it there is "
    "nothing to see, and before the version has half of the traffic.",
    remedy="Add `{approve: <role>}` between the first weight and the one that reaches half of the traffic; for a "
    "blue-green set `approve` to the role.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {approvals: [model-risk]}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 5%, hold: 2h}, {weight: 50%, hold: 1h}, {approve: model-risk}]}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {approvals: [model-risk]}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 5%, hold: 2h}, {approve: model-risk}, {weight: 50%, hold: 1h}]}}
""",
    repair="safe",
)
def required_approvals(context: Context) -> Iterator[Problem]:
    """Check that each role approves once the version was measured and before most users have it."""
    rollout, tier = context.plan.rollout, context.plan.identity.tier
    related = required_by(context, "approvals")
    for role in context.tier.requires.approvals:
        if isinstance(rollout, BlueGreen):
            if rollout.approve != role:
                path: Path = (*ROLLOUT, "approve")
                message = f"the tier `{tier}` requires an approval by `{role}`, not `{rollout.approve}`"
                yield Problem(path, message, f"write `approve: {role}`", related, Fix(path, role))
        elif not _approved_in_time(context.plan, rollout, role):
            first = _first_verdict_s(context.plan)
            message = (
                f"the tier `{tier}` requires an approval by `{role}` after {duration(first)} of traffic, "
            )
            message += "which the first measurement takes, and before half of the traffic"
            hint = f"add `{{approve: {role}}}` after the first weight and before the one that reaches {percent(HALF)}"
            yield Problem(STEPS, message, hint, related)


def _approved_in_time(plan: Plan, rollout: Canary, role: str) -> bool:
    shares = {found.step: found for found in exposures(plan)}
    held = 0.0
    for index, step in enumerate(rollout.steps):
        if isinstance(step, ApproveStep):
            if step.approve == role and held >= _first_verdict_s(plan):
                return True
            continue
        if shares[index].share >= HALF:
            return False
        held += step.hold
    return False


def _first_verdict_s(plan: Plan) -> float:
    """Return the seconds of traffic after which the first guard has measured; without guards, one interval."""
    clock = plan.clock
    first = (guard.first_s(clock) + guard.interval_s(clock) for guard in plan.measured_guards)
    return min(first, default=clock.interval_s)


@rule(
    NO_DIGEST,
    "error",
    "the tier requires the image by digest, and the lock has none for this bento",
    scope=Context,
    why="A tag can be moved to another image after the review; a digest can't.",
    remedy="Commit `rendered/bentos/`, which is rendered without the digest; let CI build and push the image and "
    "write its digest into the lock (`sluice pin --image`).",
    example="# specs/platform.yaml\nspec: {tiers: {standard: {requires: {imageDigest: true}}}}",
)
def image_digest(context: Context) -> Iterator[Problem]:
    """Check that the lock has the digest of the image that was built from exactly this bento."""
    image, written = context.plan.image, context.planned.source
    if not context.tier.requires.image_digest or image.digest:
        return
    pushed = written.lock.image if written.lock else None
    bento = image.tag.rpartition("-")[2]
    message = f"the tier `{context.plan.identity.tier}` requires the image by digest, but the lock "
    message += f"has the one of bento {pushed.bento}" if pushed else "has none"
    hint = (
        f"commit the bento, let CI push {image.repository}:{image.tag} and write its digest into the lock, "
    )
    hint += f"as `image: {{digest: sha256:…, bento: {bento}}}`"
    related = required_by(context, "imageDigest")
    yield Problem(LOCK_IMAGE, message, hint, related, document=written.lock_document, on_key=True)


@rule(
    NO_HASHES,
    "error",
    "the tier requires the packages of services by hash, and there is no list",
    scope=Context,
    why="The spec names a few packages, and these need dozens of others: without a list each build may install others, "
    "under the same tag.",
    remedy="Run `sluice pin --packages`, and commit the list.",
    example="# specs/platform.yaml\nspec: {tiers: {standard: {requires: {packageHashes: true}}}}",
)
def package_hashes(context: Context) -> Iterator[Problem]:
    """Check that all packages of the service are pinned by hash."""
    bento = context.plan.bento
    if context.tier.requires.package_hashes and bento is not None and bento.packages is None:
        message = f"the tier `{context.plan.identity.tier}` requires the packages of the service by hash"
        yield Problem(FRAMEWORK, message, _pin_packages(context), required_by(context, "packageHashes"))


@rule(
    "PLAN531",
    "warning",
    "the packages of a service are not pinned by hash",
    scope=Context,
    why="The tag of the image is computed from what is rendered: two builds under one tag can contain other packages. "
    "With a list of all packages, the tag names the content.",
    remedy="Run `sluice pin --packages`, and commit the list.",
    example='# specs/shop/ranker.lock.yaml\nmodel: {by: "sluice 0.1.0, MLflow"}',
)
def floating_packages(context: Context) -> Iterator[Problem]:
    """Check that a tag names the content; a lock by hand or by another program says nothing about packages."""
    written, plan = context.planned.source, context.plan
    pinned = written.lock is not None and written.lock.model.by.startswith("sluice ")
    if (
        pinned
        and plan.bento is not None
        and plan.bento.packages is None
        and not plan.image.digest
        and not context.tier.requires.package_hashes
    ):
        message = "the tag of the image is not by content: the packages that the service needs are not pinned by hash"
        yield Problem(FRAMEWORK, message, _pin_packages(context))


def _pin_packages(context: Context) -> str:
    identity = context.plan.identity
    return (
        f"run `sluice pin --packages {identity.team}/{identity.model}`, and commit the list next to the spec"
    )


@rule(
    "TIER314",
    "error",
    "a `noData` policy is not allowed in the tier",
    scope=Context,
    why="`pass` lets a version through that nothing has measured; the tier decides who may take that risk.",
    remedy="Use one of the policies in the tier's `requires.noData`.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {noData: [fail, pause]}}}}
# specs/shop/ranker.yaml
spec: {rollout: {noData: pass}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {requires: {noData: [fail, pause]}}}}
# specs/shop/ranker.yaml
spec: {rollout: {noData: pause}}
""",
    repair="safe",
)
def no_data(context: Context) -> Iterator[Problem]:
    """Check the policy of the rollout and of every guard."""
    allowed, tier = context.tier.requires.no_data, context.plan.identity.tier
    related = ((f"tier `{tier}`: noData {', '.join(allowed)}", context.tier_place("requires", "noData")),)
    policies: list[tuple[Path, str | None]] = [((*ROLLOUT, "noData"), context.spec.rollout.no_data)]
    for where, guards in written_guards(context):
        policies += [((*where, index, "noData"), guard.no_data) for index, guard in enumerate(guards)]
    for path, policy in policies:
        if policy is not None and policy not in allowed:
            message = f"`noData: {policy}` is not allowed in the tier `{tier}`"
            yield Problem(path, message, f"write {' or '.join(allowed)}", related, Fix(path, allowed[-1]))
