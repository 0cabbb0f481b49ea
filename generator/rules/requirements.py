"""What the tier requires of every model: kinds of gates, approvals, an image by digest, policies for missing data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.rules.context import GATES, LOCK_IMAGE, ROLLOUT, STEPS, Context, written_guards
from generator.source.document import Path
from generator.source.finding import Fix
from generator.spec.rollout import ApproveStep, BlueGreen, Canary

NO_DIGEST: Final = "TIER313"
"""The finding of a model that waits for its image to be built and pushed: all else about it may be right."""


@rule(
    "TIER311",
    "error",
    "a kind of gate that the tier requires is missing",
    scope=Context,
    why="The tier's models are judged on this before any traffic. A waiver forgives a verdict, not the judgement.",
    remedy="Add a gate of that kind.",
)
def required_gates(context: Context) -> Iterator[Problem]:
    """One gate of each required kind; a waived gate still has to be there."""
    kinds = {gate.kind for gate in context.plan.gates}
    for kind in context.tier.requires.gates:
        if kind not in kinds:
            message = f"the tier `{context.plan.identity.tier}` requires a {kind} gate"
            related = (
                (
                    f"required by the tier `{context.plan.identity.tier}`",
                    context.tier_place("requires", "gates"),
                ),
            )
            yield Problem(GATES, message, f"add one; `sluice schema` shows a {kind} gate", related)


@rule(
    "TIER312",
    "error",
    "an approval that the tier requires is missing or too late",
    scope=Context,
    why="The tier wants a named role to look before most of the traffic moves.",
    remedy="Add `{approve: <role>}` before the last weight step; of a blue-green, set `approve` to the role.",
)
def required_approvals(context: Context) -> Iterator[Problem]:
    """An approval after the last weight step asks when most users have the new version already."""
    rollout, tier = context.plan.rollout, context.plan.identity.tier
    related = ((f"required by the tier `{tier}`", context.tier_place("requires", "approvals")),)
    for role in context.tier.requires.approvals:
        if isinstance(rollout, BlueGreen):
            if rollout.approve != role:
                path: Path = (*ROLLOUT, "approve")
                message = f"the tier `{tier}` requires an approval by `{role}`, not `{rollout.approve}`"
                yield Problem(path, message, f"write `approve: {role}`", related, Fix(path, role))
        elif not _approved_in_time(rollout, role):
            message = f"the tier `{tier}` requires an approval by `{role}` before the last weight step"
            hint = f"add `{{approve: {role}}}` before the last weight"
            yield Problem(STEPS, message, hint, related)


def _approved_in_time(rollout: Canary, role: str) -> bool:
    weights = rollout.weight_steps
    last = weights[-1][0] if weights else len(rollout.steps)
    return any(isinstance(step, ApproveStep) and step.approve == role for step in rollout.steps[:last])


@rule(
    NO_DIGEST,
    "error",
    "the tier requires an image by digest, and the lock holds none",
    scope=Context,
    why="A tag can be moved to another image after the review; a digest cannot.",
    remedy="Commit `rendered/bentos/`, which is rendered without it; let CI build and push the image on this branch "
    "and write its digest into the lock (`sluice pin --image`).",
)
def image_digest(context: Context) -> Iterator[Problem]:
    """The digest counts only when the image was built from this very bento."""
    image, written = context.plan.image, context.planned.written
    if not context.tier.requires.image_digest or image.digest:
        return
    pushed = written.lock.image if written.lock else None
    short = image.tag.rpartition("-")[2]
    message = f"the tier `{context.plan.identity.tier}` wants the image by digest, but "
    message += f"the lock holds that of bento {pushed.bento}" if pushed else "the lock holds none"
    hint = (
        f"commit the bento, let CI push {image.repository}:{image.tag} and write its digest into the lock, "
    )
    hint += f"as `image: {{digest: sha256:…, bento: {short}}}`"
    related = (
        (
            f"required by the tier `{context.plan.identity.tier}`",
            context.tier_place("requires", "imageDigest"),
        ),
    )
    yield Problem(LOCK_IMAGE, message, hint, related, document=written.lock_document, on_key=True)


@rule(
    "TIER314",
    "error",
    "a policy for missing data that the tier does not allow",
    scope=Context,
    why="`pass` lets a model through that nobody has measured; the tier decides who may take that risk.",
    remedy="Use one of the policies under the tier's `requires.noData`.",
)
def no_data(context: Context) -> Iterator[Problem]:
    """The rollout's policy and that of every guard."""
    allowed, tier = context.tier.requires.no_data, context.plan.identity.tier
    related = ((f"tier `{tier}`: noData {', '.join(allowed)}", context.tier_place("requires", "noData")),)
    said: list[tuple[Path, str | None]] = [((*ROLLOUT, "noData"), context.spec.rollout.no_data)]
    for where, guards in written_guards(context):
        said += [((*where, index, "noData"), guard.no_data) for index, guard in enumerate(guards)]
    for path, policy in said:
        if policy is not None and policy not in allowed:
            message = f"`noData: {policy}` is not allowed in the tier `{tier}`"
            yield Problem(path, message, f"write {' or '.join(allowed)}", related, Fix(path, allowed[-1]))
