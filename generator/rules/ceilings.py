"""Ceilings of the tier: what no model may exceed, and what every one must have."""

from __future__ import annotations

import math
from collections.abc import Iterator

from generator.plan.values import Canary
from generator.rules.odds import odds_of, share_up
from generator.rules.paths import GATES, GUARDS, LOCK_IMAGE, ROLLOUT, STEPS, written_guards
from generator.rules.registry import Context, Problem, Related, rule
from generator.source.document import Path
from generator.source.finding import Fix
from generator.spec.types import byte_count, cores
from generator.spec.units import duration, percent

_STRICTER = "A team may be stricter than its tier, never looser."


def _ceiling(context: Context, key: str, shown: object) -> Related:
    text = f"tier `{context.plan.identity.tier}`: {key} {shown}"
    return ((text, context.tier_place("ceilings", key)),)


def _above(context: Context, path: Path, what: str, key: str, limit: str) -> Problem:
    """A value above a ceiling, with the edit that brings it down to it."""
    message = f"{what} is above the {limit} that the tier `{context.plan.identity.tier}` allows"
    return Problem(path, message, f"write {limit} or less", _ceiling(context, key, limit), Fix(path, limit))


@rule(
    "TIER301",
    "error",
    "the first weight is above the tier's ceiling",
    why=f"The first step decides how many requests a bad model answers before anyone has looked. {_STRICTER}",
    fix="Lower the first weight, or add a smaller step before it.",
)
def first_weight(context: Context) -> Iterator[Problem]:
    """Without any weight step the first weight is that of the promotion: everything."""
    ceiling, rollout = context.tier.ceilings.first_weight, context.plan.rollout
    if ceiling is None or not isinstance(rollout, Canary):
        return
    tier, limit = context.plan.identity.tier, f"{ceiling}%"
    index = next((i for i, step in enumerate(rollout.steps) if step.weight is not None), None)
    if index is None:
        message = (
            f"no step has a weight, so all traffic moves at once; the tier `{tier}` allows {limit} first"
        )
        hint = f"add a step of {limit} or less"
        yield Problem(STEPS, message, hint, _ceiling(context, "firstWeight", limit))
    elif rollout.weights[0] > ceiling:
        path = (*STEPS, index, "weight")
        yield _above(context, path, f"the first weight of {rollout.weights[0]}%", "firstWeight", limit)


@rule(
    "TIER302",
    "error",
    "false rollbacks are above the tier's ceiling",
    why=f"A rollback of a good model costs a release and the trust in rollbacks. {_STRICTER}",
    fix="Lower `risk.falseRollback`, or replace bare limits by `detect`.",
)
def false_rollback(context: Context) -> Iterator[Problem]:
    """Both what the team accepts and what its guards really do stay below the ceiling."""
    ceiling, risk = context.tier.ceilings.false_rollback, context.plan.rollout.risk
    if ceiling is None:
        return
    limit = percent(ceiling)
    if risk.false_rollback > ceiling:
        what = f"the accepted chance of a false rollback of {percent(risk.false_rollback)}"
        yield _above(context, (*ROLLOUT, "risk", "falseRollback"), what, "falseRollback", limit)
    odds = odds_of(context.plan)
    if odds and odds.false_rollback is not None and odds.false_rollback > max(ceiling, risk.false_rollback):
        message = f"the guards roll a good model back in {share_up(odds.false_rollback)} of all releases; "
        message += f"the tier `{context.plan.identity.tier}` allows {limit}"
        hint = "compare with the stable version (`detect`) instead of a bare `limit`"
        yield Problem(GUARDS, message, hint, _ceiling(context, "falseRollback", limit))


@rule(
    "TIER303",
    "error",
    "the rollout takes longer than the tier allows",
    why=f"Two versions serve side by side all that time, and an urgent fix waits behind it. {_STRICTER}",
    fix="Shorten holds; a higher weight sees enough requests sooner.",
)
def longest_rollout(context: Context) -> Iterator[Problem]:
    """Sum of all holds, that of the shadow included; approvals may last any time."""
    ceiling, rollout = context.tier.ceilings.longest_rollout, context.plan.rollout
    if ceiling is None or not isinstance(rollout, Canary):
        return
    total = math.fsum(step.hold_s for step in rollout.steps) + (
        rollout.shadow.hold_s if rollout.shadow else 0
    )
    if total > ceiling:
        message = f"the holds sum up to {duration(total)}, more than the {duration(ceiling)} "
        message += f"that the tier `{context.plan.identity.tier}` allows"
        related = _ceiling(context, "longestRollout", duration(ceiling))
        yield Problem(STEPS, message, f"shorten them by {duration(total - ceiling)}", related)


@rule(
    "TIER304",
    "error",
    "more pods than the tier allows",
    why=f"Pods cost money and crowd out other models. {_STRICTER}",
    fix="Lower `replicas` or `autoscaling.max`.",
)
def replicas(context: Context) -> Iterator[Problem]:
    """Most pods of the stable version."""
    ceiling, most = context.tier.ceilings.replicas, context.plan.capacity.most
    if ceiling is not None and most > ceiling:
        path: Path = (
            ("spec", "autoscaling", "max") if context.plan.capacity.autoscaler else ("spec", "replicas")
        )
        what = f"the number of pods, {most},"
        message = f"{what} is above the {ceiling} that the tier `{context.plan.identity.tier}` allows"
        related = _ceiling(context, "replicas", ceiling)
        yield Problem(path, message, f"write {ceiling} or less", related, Fix(path, ceiling))


@rule(
    "TIER305",
    "error",
    "more CPU in one pod than the tier allows",
    why=f"A pod that is too large does not fit on a node of its class. {_STRICTER}",
    fix="Lower `resources.cpu`; more pods carry more load.",
)
def cpu(context: Context) -> Iterator[Problem]:
    """CPU requested by one pod."""
    ceiling, asked = context.tier.ceilings.cpu, context.plan.capacity.cpu
    if ceiling is not None and cores(asked) > cores(ceiling):
        yield _above(context, ("spec", "resources", "cpu"), f"the CPU of one pod, {asked},", "cpu", ceiling)


@rule(
    "TIER306",
    "error",
    "more memory in one pod than the tier allows",
    why=f"A pod that is too large does not fit on a node of its class. {_STRICTER}",
    fix="Lower `resources.memory`.",
)
def memory(context: Context) -> Iterator[Problem]:
    """Memory of one pod."""
    ceiling, asked = context.tier.ceilings.memory, context.plan.capacity.memory
    if ceiling is not None and byte_count(asked) > byte_count(ceiling):
        path: Path = ("spec", "resources", "memory")
        yield _above(context, path, f"the memory of one pod, {asked},", "memory", ceiling)


@rule(
    "TIER307",
    "error",
    "more GPUs in one pod than the tier allows",
    why=f"GPUs are scarce: a canary that waits for one blocks the release. {_STRICTER}",
    fix="Lower `resources.gpu`, or use a tier that has GPUs.",
)
def gpu(context: Context) -> Iterator[Problem]:
    """GPUs of one pod."""
    ceiling, asked = context.tier.ceilings.gpu, context.plan.capacity.gpu
    if ceiling is not None and asked > ceiling:
        path: Path = ("spec", "resources", "gpu")
        message = f"one pod asks for {asked} GPUs; the tier `{context.plan.identity.tier}` allows {ceiling}"
        related = _ceiling(context, "gpu", ceiling)
        yield Problem(path, message, f"write {ceiling} or less", related, Fix(path, ceiling))


@rule(
    "TIER308",
    "error",
    "a bad model answers more requests than the tier allows",
    why=f"Every request that a bad model answers is harm done. {_STRICTER}",
    fix="Lower the first weights, hold them longer, or watch something that shows sooner.",
)
def max_exposed(context: Context) -> Iterator[Problem]:
    """Mean exposure by the odds; without a guard it is the whole canary."""
    ceiling, rollout = context.tier.ceilings.max_exposed, context.plan.rollout
    if ceiling is None:
        return
    tier, related = context.plan.identity.tier, _ceiling(context, "maxExposed", ceiling)
    if rollout.risk.max_exposed is not None and rollout.risk.max_exposed > ceiling:
        path = (*ROLLOUT, "risk", "maxExposed")
        message = (
            f"`maxExposed` of {rollout.risk.max_exposed} is above the {ceiling} that the tier `{tier}` allows"
        )
        yield Problem(path, message, f"write {ceiling} or less", related, Fix(path, ceiling))
    odds = odds_of(context.plan)
    exposed = odds.worst_exposed if odds else None
    if exposed is not None and exposed > ceiling:
        message = f"a bad model answers {math.ceil(exposed)} requests on average before it is rolled back; "
        message += f"the tier `{tier}` allows {ceiling}"
        hint = "lower the first weights or hold them longer; `sluice plan` shows the effect"
        yield Problem(STEPS, message, hint, related)


@rule(
    "TIER309",
    "warning",
    "nobody can tell whether the tier's limit of exposed requests is kept",
    why="Exposure is traffic times weight times time: without the traffic there is no number to hold against.",
    fix="Declare `traffic.minRps`, the requests per second off-peak.",
)
def exposure_unknown(context: Context) -> Iterator[Problem]:
    """A ceiling on exposure without declared traffic."""
    ceiling = context.tier.ceilings.max_exposed
    if ceiling is not None and isinstance(context.plan.rollout, Canary) and not context.plan.min_rps:
        message = f"the tier `{context.plan.identity.tier}` allows {ceiling} exposed requests, "
        message += "but `traffic.minRps` is not declared"
        hint = "declare the requests per second off-peak"
        related = _ceiling(context, "maxExposed", ceiling)
        yield Problem(("spec", "traffic", "minRps"), message, hint, related, key=True)


@rule(
    "TIER311",
    "error",
    "a kind of gate that the tier requires is missing",
    why="The tier's models are judged on this before any traffic. A waiver forgives a verdict, not the judgement.",
    fix="Add a gate of that kind.",
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
    why="The tier wants a named role to look before most of the traffic moves.",
    fix="Add `{approve: <role>}` before the last weight step; of a blue-green, set `approve` to the role.",
)
def required_approvals(context: Context) -> Iterator[Problem]:
    """An approval after the last weight step asks when most users have the new version already."""
    rollout, tier = context.plan.rollout, context.plan.identity.tier
    related = ((f"required by the tier `{tier}`", context.tier_place("requires", "approvals")),)
    for role in context.tier.requires.approvals:
        if not isinstance(rollout, Canary):
            if rollout.approve != role:
                path: Path = (*ROLLOUT, "approve")
                message = f"the tier `{tier}` requires an approval by `{role}`, not `{rollout.approve}`"
                yield Problem(path, message, f"write `approve: {role}`", related, Fix(path, role))
        elif not _approved_in_time(rollout, role):
            message = f"the tier `{tier}` requires an approval by `{role}` before the last weight step"
            hint = f"add `{{approve: {role}}}` before the last weight"
            yield Problem(STEPS, message, hint, related)


def _approved_in_time(rollout: Canary, role: str) -> bool:
    weights = [index for index, step in enumerate(rollout.steps) if step.weight is not None]
    last = weights[-1] if weights else len(rollout.steps)
    return any(step.approve == role for step in rollout.steps[:last])


@rule(
    "TIER313",
    "error",
    "the tier requires an image by digest, and the lock holds none",
    why="A tag can be moved to another image after the review; a digest cannot.",
    fix="Let CI build and push the image from `rendered/bentos/` and write its digest into the lock.",
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
    hint = f"CI must push {image.repository}:{image.tag} and write its digest into the lock, "
    hint += f"as `image: {{digest: sha256:…, bento: {short}}}`"
    related = (
        (
            f"required by the tier `{context.plan.identity.tier}`",
            context.tier_place("requires", "imageDigest"),
        ),
    )
    yield Problem(LOCK_IMAGE, message, hint, related, document=written.lock_document, key=True)


@rule(
    "TIER314",
    "error",
    "a policy for missing data that the tier does not allow",
    why="`pass` lets a model through that nobody has measured; the tier decides who may take that risk.",
    fix="Use one of the policies under the tier's `requires.noData`.",
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
