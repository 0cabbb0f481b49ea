"""Requirements of a tier: kinds of gates, approvals, images by digest, policies for missing data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, Related, rule
from generator.rules.context import GATES, LOCK_IMAGE, ROLLOUT, STEPS, Context, written_guards
from generator.source.document import Path
from generator.source.finding import Fix
from generator.spec.rollout import ApproveStep, BlueGreen, Canary

NO_DIGEST: Final = "TIER313"
"""The code for a model whose image is not built and pushed yet; everything else may be valid."""


def _required(context: Context, key: str) -> Related:
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
    """Check that there is a gate of each required kind; a waived gate counts."""
    kinds = {gate.kind for gate in context.plan.gates}
    for kind in context.tier.requires.gates:
        if kind not in kinds:
            message = f"the tier `{context.plan.identity.tier}` requires a {kind} gate"
            hint = f"add a {kind} gate; `sluice schema` shows its keys"
            yield Problem(GATES, message, hint, _required(context, "gates"))


@rule(
    "TIER312",
    "error",
    "an approval that the tier requires is missing or comes too late",
    scope=Context,
    why="The tier requires a person with this role to approve before most of the traffic moves.",
    remedy="Add `{approve: <role>}` before the last weight; for a blue-green set `approve` to the role.",
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
    """Check that each role approves before the last weight: after it most users already have the new version."""
    rollout, tier = context.plan.rollout, context.plan.identity.tier
    related = _required(context, "approvals")
    for role in context.tier.requires.approvals:
        if isinstance(rollout, BlueGreen):
            if rollout.approve != role:
                path: Path = (*ROLLOUT, "approve")
                message = f"the tier `{tier}` requires an approval by `{role}`, not `{rollout.approve}`"
                yield Problem(path, message, f"write `approve: {role}`", related, Fix(path, role))
        elif not _approved_in_time(rollout, role):
            message = f"the tier `{tier}` requires an approval by `{role}` before the last weight"
            yield Problem(STEPS, message, f"add `{{approve: {role}}}` before the last weight", related)


def _approved_in_time(rollout: Canary, role: str) -> bool:
    weights = rollout.weight_steps
    last = weights[-1][0] if weights else len(rollout.steps)
    return any(isinstance(step, ApproveStep) and step.approve == role for step in rollout.steps[:last])


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
    related = _required(context, "imageDigest")
    yield Problem(LOCK_IMAGE, message, hint, related, document=written.lock_document, on_key=True)


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
