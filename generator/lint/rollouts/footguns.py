"""Rules about Rollouts that the controller accepts and that surprise people (1.10 to 1.14)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.lint.rollouts import podtemplate
from generator.lint.rollouts.model import Body, as_int, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import BLUE_GREEN, CANARY, ROUTING, RolloutContext, has

_MOVABLE_TAG = re.compile(r"(?:^|/)[^/:@]+(?::latest)?$")


@rule(
    "ANA441",
    "warning",
    "a fixed canary scale is given back to the weight",
    scope="rollout",
    hint="Add a step setCanaryScale: {matchTrafficWeight: true} before the weight rises.",
    origin="1.3 utils/replicaset/canary.go UseSetCanaryScale",
)
def scale_is_given_back(ctx: RolloutContext) -> Iterator[Flaw]:
    """SetCanaryScale sticks: `replicas: 1` sends half the traffic to one pod, before a setWeight 50 or behind it."""
    fixed, weight = False, 0
    for path, step in ctx.rollout.steps:
        weight = as_int(step.get("setWeight"), weight)
        if has(step, "setCanaryScale"):
            fixed = as_map(step["setCanaryScale"]).get("matchTrafficWeight") is not True
            if fixed and _too_few(ctx, as_map(step["setCanaryScale"]), weight):
                yield (*path, "setCanaryScale"), f"{weight}% of the traffic meets fewer pods than it had"
                return
        elif fixed and as_int(step.get("setWeight")) > 0:
            yield (*path, "setWeight"), "the traffic rises, but an earlier setCanaryScale holds the pods"
            return


def _too_few(ctx: RolloutContext, scale: Body, weight: int) -> bool:
    """Whether a fixed scale takes pods away from live traffic, as far as the numbers are known."""
    if has(scale, "weight"):
        return as_int(scale["weight"]) < weight
    pods = as_int(ctx.rollout.spec.get("replicas"))
    return has(scale, "replicas") and as_int(scale["replicas"]) * ctx.rollout.max_weight < pods * weight


@rule(
    "ANA442",
    "warning",
    "an aborted canary is scaled down",
    scope="rollout",
    hint="Set abortScaleDownDelaySeconds to 30 or more, or leave it out.",
    origin="1.14 utils/defaults/defaults.go",
)
def abort_frees_pods(ctx: RolloutContext) -> Iterator[Flaw]:
    """0 does not mean at once, it means never."""
    for path, strategy in ((CANARY, ctx.rollout.canary), (BLUE_GREEN, ctx.rollout.blue_green)):
        if (strategy or {}).get("abortScaleDownDelaySeconds") == 0:
            yield (*path, "abortScaleDownDelaySeconds"), "0 keeps the aborted version running for ever"


@rule(
    "ANA443",
    "info",
    "the stable version keeps its pods during a canary",
    scope="rollout",
    hint="Use dynamicStableScale only where pods are dearer than a quick way back.",
    origin="1.12 utils/replicaset/canary.go",
)
def stable_keeps_pods(ctx: RolloutContext) -> Iterator[Flaw]:
    """An abort can move traffic back only as fast as stable pods come up."""
    if (ctx.rollout.canary or {}).get("dynamicStableScale") is True:
        yield (*CANARY, "dynamicStableScale"), "the way back waits until stable pods have started again"


@rule(
    "ANA444",
    "warning",
    "a version that never becomes ready is aborted",
    scope="rollout",
    hint="Set spec.progressDeadlineAbort to true, and the deadline above the time a model loads.",
    origin="1.1 rollout/sync.go",
)
def deadline_aborts(ctx: RolloutContext) -> Iterator[Flaw]:
    """Without it the rollout hangs Degraded with the canary still up."""
    if ctx.rollout.spec.get("progressDeadlineAbort") is not True:
        yield ("spec", "progressDeadlineAbort"), "a canary that never becomes ready stays up"


@rule(
    "ANA445",
    "warning",
    "weights without a router are ones that pods can give",
    scope="rollout",
    hint="Use a traffic router, or weights of at least 100 divided by the replicas.",
    origin="1.11 utils/replicaset/canary.go",
)
def weight_is_attainable(ctx: RolloutContext) -> Iterator[Flaw]:
    """Without a router one pod is the smallest share: 5 % of three pods is a third of the traffic."""
    replicas = as_int(ctx.rollout.spec.get("replicas"), 0)
    for path, step in ctx.rollout.steps if ctx.rollout.routing is None and replicas > 0 else ():
        weight = as_int(step.get("setWeight"))
        if weight > 0 and weight * replicas < 100:
            yield (
                (*path, "setWeight"),
                f"{weight} % of {replicas} pods is less than one pod, and one pod is what it gets",
            )


@rule(
    "ANA447",
    "info",
    "an abort moves users off the canary at once",
    scope="rollout",
    hint="Give the Rollout a canaryService and a stableService, or set replicaProgressThreshold.",
    origin="1.12 rollout/trafficrouting.go",
)
def abort_moves_users(ctx: RolloutContext) -> Iterator[Flaw]:
    """Between Istio subsets the weight moves only when the stable version is fully available."""
    canary, istio = ctx.rollout.canary or {}, ctx.rollout.router("istio") or {}
    subsets = has(istio, "destinationRule") and not as_text(canary.get("canaryService"))
    if subsets and not has(canary, "replicaProgressThreshold"):
        yield (
            (*ROUTING, "istio", "destinationRule"),
            "users stay on an aborted canary until stable is fully available",
        )


@rule(
    "ANA448",
    "warning",
    "either an autoscaler or git says how many pods there are",
    scope="rollout",
    hint="Leave spec.replicas out of the Rollout.",
    origin="1.13 rollout/sync.go",
)
def one_owner_of_replicas(ctx: RolloutContext) -> Iterator[Flaw]:
    """Every sync would set the count back."""
    if not has(ctx.rollout.spec, "replicas"):
        return
    for scaler in ctx.objects.of_kind("HorizontalPodAutoscaler"):
        target = as_map(as_map(scaler.body.get("spec")).get("scaleTargetRef"))
        if target.get("kind") == "Rollout" and target.get("name") == ctx.rollout.object.key.name:
            yield ("spec", "replicas"), f"{scaler.key} sets the replicas as well"


@rule(
    "ANA452",
    "warning",
    "a promotion that waits for a person is not made by a clock",
    scope="rollout",
    hint="Remove autoPromotionSeconds.",
    origin="1.5 rollout/bluegreen.go",
)
def approval_is_not_timed(ctx: RolloutContext) -> Iterator[Flaw]:
    """AutoPromotionSeconds also overrides autoPromotionEnabled: false."""
    strategy = ctx.rollout.blue_green or {}
    if strategy.get("autoPromotionEnabled") is False and as_int(strategy.get("autoPromotionSeconds")) > 0:
        yield (*BLUE_GREEN, "autoPromotionSeconds"), "nobody needs to approve: the clock promotes"


@rule(
    "ANA453",
    "warning",
    "a disruption budget lets a node be drained",
    scope="rollout",
    hint="Use maxUnavailable: 1.",
    origin="fact sheet 1.13",
)
def budget_allows_drain(ctx: RolloutContext) -> Iterator[Flaw]:
    """A minimum as large as the number of pods blocks every drain."""
    labels = as_map(as_map(ctx.rollout.template.get("metadata")).get("labels"))
    replicas = as_int(ctx.rollout.spec.get("replicas"), 1)
    for budget in ctx.objects.of_kind("PodDisruptionBudget"):
        spec = as_map(budget.body.get("spec"))
        wanted = as_map(as_map(spec.get("selector")).get("matchLabels"))
        least = spec.get("minAvailable")
        blocks = least == "100%" or (has(ctx.rollout.spec, "replicas") and as_int(least) >= replicas)
        if wanted and all(labels.get(k) == v for k, v in wanted.items()) and blocks:
            yield ("spec", "replicas"), f"{budget.key} wants {least} pods available"


@rule(
    "ANA454",
    "info",
    "a rollback is analysed like any other release",
    scope="rollout",
    hint="Leave rollbackWindow out where every change of version must pass its gates.",
    origin="1.1 rollout/canary.go",
)
def rollback_is_analysed(ctx: RolloutContext) -> Iterator[Flaw]:
    """Going back to one of the last revisions skips steps and analysis."""
    if as_int(as_map(ctx.rollout.spec.get("rollbackWindow")).get("revisions")) > 0:
        yield ("spec", "rollbackWindow"), "a rollback within the window skips steps and analysis"


@rule(
    "ANA455",
    "info",
    "an analysis looks at a canary that has traffic",
    scope="rollout",
    hint="Put a setWeight or a header route before it.",
    origin="1.10 rollout/canary.go",
)
def analysis_has_traffic(ctx: RolloutContext) -> Iterator[Flaw]:
    """Before the first setWeight no user is on the canary."""
    for path, step in ctx.rollout.steps:
        if any(has(step, kind) for kind in ("setHeaderRoute", "setMirrorRoute", "setCanaryScale", "plugin")):
            return
        if as_int(step.get("setWeight")) > 0 or has(step, "experiment"):
            return
        if has(step, "analysis"):
            yield (*path, "analysis"), "no traffic has been sent to the canary yet"


@rule(
    "ANA457",
    "warning",
    "the image says which version runs",
    scope="rollout",
    hint="Use a version tag or, better, a digest.",
    origin="1.10 utils/hash",
)
def image_is_versioned(ctx: RolloutContext) -> Iterator[Flaw]:
    """What changes behind a movable tag changes without steps and analysis."""
    for path, container in podtemplate.containers(ctx.rollout.template):
        image = as_text(container.get("image"))
        if image and "@" not in image and _MOVABLE_TAG.search(image):
            yield ("spec", "template", *path, "image"), f"{image!r} may be another version tomorrow"


@rule(
    "ANA462",
    "warning",
    "operational switches are not kept in git",
    scope="rollout",
    hint="Pause and restart by command.",
    origin="1.1 pkg/apis/rollouts/v1alpha1/types.go",
)
def no_switches_in_git(ctx: RolloutContext) -> Iterator[Flaw]:
    """Paused and restartAt are for people at the moment."""
    spec = ctx.rollout.spec
    if spec.get("paused") is True:
        yield ("spec", "paused"), "the Rollout is paused by its manifest"
    if has(spec, "restartAt"):
        yield ("spec", "restartAt"), "the Rollout is restarted by its manifest"


@rule(
    "ANA463",
    "warning",
    "a step is one thing",
    scope="rollout",
    hint="Make it several steps.",
    origin="C10 pkg/apis/rollouts/validation/validation.go",
)
def step_is_not_mixed(ctx: RolloutContext) -> Iterator[Flaw]:
    """The controller accepts some mixtures and does only one of the things."""
    extra = ("setCanaryScale", "setHeaderRoute", "setMirrorRoute", "plugin")
    for path, step in ctx.rollout.steps:
        kinds = [kind for kind in (*extra, "setWeight", "pause", "experiment", "analysis") if has(step, kind)]
        if len(kinds) > 1 and kinds[0] in extra:
            yield path, f"{' and '.join(kinds)} in one step: what happens is not defined"
