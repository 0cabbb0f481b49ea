"""Rules on autoscalers of models that are released as canaries."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, Related, rule
from generator.plan.scaling import adopted, counts_both, too_old
from generator.rules.context import Context
from generator.spec.quantities import plural


def _router(context: Context) -> Related:
    environment = context.plan.identity.environment
    where = context.of_environment("router")
    return ((f"the router of {environment}", context.platform_document.place(where)),)


@rule(
    "ROUTE607",
    "warning",
    "an autoscaler changes the weights of a canary that counts pods",
    scope=Context,
    why="Without a router the share of the traffic is the share of the pods, and the autoscaler changes that at will.",
    remedy="Use a router, or fixed `replicas`.",
    example="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: none}}}}
# specs/shop/ranker.yaml
spec:
  autoscaling: {min: 20, max: 40}
  accept: [{code: CAN151, reason: pods are enough for us, until: 2026-12-31}]
""",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: traefik}}}}
# specs/shop/ranker.yaml
spec: {autoscaling: {min: 20, max: 40}}
""",
    source="Argo Rollouts 1.10, utils/replicaset/canary.go",
)
def autoscaler(context: Context) -> Iterator[Problem]:
    """Check that the number of pods is fixed where it decides the weights."""
    plan = context.plan
    if (
        plan.rollout.strategy == "canary"
        and plan.capacity.autoscaler
        and not plan.routing.router.splits_requests
    ):
        message = "the autoscaler changes the number of pods, and with it the weight of each step"
        hint = "use a router in this environment, or `replicas` instead of `autoscaling`"
        yield Problem(("spec", "autoscaling"), message, hint, _router(context), on_key=True)


@rule(
    "ROUTE609",
    "warning",
    "the autoscaler's tolerance miscounts pods during a canary",
    scope=Context,
    why="The autoscaler counts the pods of both versions and by default changes nothing within 10% of its target. With "
    "KEDA it then adds a stable pod for each canary pod, again and again; with CPU it keeps too few pods when one "
    "version is overloaded and the other is not. Sluice renders `tolerance: 0` below the target; "
    "Kubernetes before 1.35 and KEDA before 2.18 lack this field.",
    remedy="Upgrade Kubernetes to 1.35 (and KEDA to 2.18), or use `replicas`.",
    example="""
# specs/platform.yaml
spec: {controllers: {kubernetes: "1.34"}}
# specs/shop/ranker.yaml
spec:
  autoscaling: {kind: keda, min: 4, max: 20, rpsPerPod: 50}
  rollout: {steps: [{weight: 5%, hold: 2h}, {weight: 50%, hold: 1h}]}
""",
    instead="""
# specs/platform.yaml
spec: {controllers: {kubernetes: "1.35"}}
# specs/shop/ranker.yaml
spec:
  autoscaling: {kind: keda, min: 4, max: 20, rpsPerPod: 50}
  rollout: {steps: [{weight: 5%, hold: 2h}, {weight: 50%, hold: 1h}]}
""",
    source="Kubernetes 1.36, pkg/controller/podautoscaler/replica_calculator.go; argoproj/argo-rollouts#4607, #4847",
)
def tolerance(context: Context) -> Iterator[Problem]:
    """Check that an autoscaler of canaries has no tolerance below its target, or that it makes no difference."""
    plan = context.plan
    capacity = plan.capacity
    if not counts_both(plan) or capacity.exact:
        return
    if capacity.autoscaler == "keda":
        pods = adopted(plan)
        if pods is None:
            return
        stable, canary = pods
        message = f"with {stable} stable pods and {plural(canary, 'canary pod')} the autoscaler wants {stable + canary}"
        message += " stable pods"
    else:
        message = "the autoscaler adds no pods while the average of both versions is near its target"
    hint = f"upgrade to {' and '.join(too_old(context.platform.controllers, capacity.autoscaler or ''))}"
    yield Problem(("spec", "autoscaling"), message, hint, _router(context), on_key=True)


@rule(
    "PLAN568",
    "error",
    "KEDA has no credentials for a Prometheus that requires some",
    scope=Context,
    why="The autoscaler gets no answer, and the number of pods stays as it is under any load.",
    remedy="Make a ClusterTriggerAuthentication with them, and name it in `prometheus.keda` of the platform.",
    example="""
# specs/platform.yaml
spec: {prometheus: {credentials: {bearer: {secret: prometheus, key: token}}}}
# specs/shop/ranker.yaml
spec: {autoscaling: {kind: keda, min: 4, max: 20, rpsPerPod: 50}}
""",
    instead="""
# specs/platform.yaml
spec:
  prometheus:
    credentials: {bearer: {secret: prometheus, key: token}}
    keda: {authentication: prometheus}
# specs/shop/ranker.yaml
spec: {autoscaling: {kind: keda, min: 4, max: 20, rpsPerPod: 50}}
""",
)
def no_credentials(context: Context) -> Iterator[Problem]:
    """Check that KEDA authenticates where guards do."""
    prometheus = context.plan.prometheus
    required = prometheus.credentials is not None or bool(prometheus.secrets)
    if context.plan.capacity.autoscaler == "keda" and required and prometheus.keda is None:
        message = f"guards authenticate at {prometheus.address}, and KEDA has no credentials for it"
        hint = "add `keda: {authentication: NAME}` to `prometheus` of the platform or the environment"
        yield Problem(("spec", "autoscaling", "kind"), message, hint)
