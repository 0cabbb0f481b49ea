"""Rules on containers that a team brings: what they must export, and what only rendered services have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.plan.container import Container
from generator.plan.release_key import pods_sleep
from generator.rules.context import SHADOW, Context, written_guards
from generator.source.document import Path
from generator.spec.gates import ExplainGate
from generator.spec.guards import GuardSpec
from generator.spec.guards.base import ParityGuard
from generator.spec.guards.outcome import OutcomeGuard
from generator.spec.guards.slow_rate import SlowRateGuard

_METRICS: Final[Path] = ("spec", "serve", "metrics")
DIGEST: Final = "a1" * 32
LOCKED: Final = f"""
# specs/shop/ranker.lock.yaml
model:
  ref: "oci://registry.example.com/shop/ranker:7"
  resolved: "oci://registry.example.com/shop/ranker@sha256:{DIGEST}"
  version: {DIGEST[:12]}
  digest: "sha256:{DIGEST}"
# specs/shop/ranker.yaml"""
_OF_BENTOS: Final = (
    "inputs",
    "attributes",
    "maxRows",
    "workers",
    "threads",
    "threshold",
    "requirements",
    "indexes",
    "systemPackages",
    "python",
)


@rule(
    "PLAN551",
    "error",
    "a guard reads a counter that the container does not export",
    scope=Context,
    why="Guards, alerts and autoscalers read the counters of a container under the names of rendered services, which "
    "the scrape gives them. A guard without its counter has no data in every release.",
    remedy="Name the counter in `serve.metrics`, or remove the guard.",
    example=LOCKED
    + """
spec:
  model: ~
  serve: {image: "registry.example.com/shop/ranker:7", metrics: {requests: {metric: http_requests_total}}}
  rollout:
    guards: [{metric: slow-rate, slowerThan: 250ms, baseline: 2%, detect: {rise: 50%}}]
""",
    instead=LOCKED
    + """
spec:
  model: ~
  serve:
    image: "registry.example.com/shop/ranker:7"
    metrics: {requests: {metric: http_requests_total}, latency: {metric: http_request_duration_seconds}}
  rollout:
    guards: [{metric: slow-rate, slowerThan: 250ms, baseline: 2%, detect: {rise: 50%}}]
""",
)
def uncounted(context: Context) -> Iterator[Problem]:
    """Check that a container exports what each guard reads."""
    server = context.plan.server
    if not isinstance(server, Container):
        return
    for path, guards in written_guards(context):
        for index, guard in enumerate(guards):
            lacking = _lacking(guard, server)
            if lacking:
                key, hint = lacking
                yield Problem(
                    (*path, index), f"this guard needs `{key}`, which the container does not name", hint
                )

    latency = server.latency
    if latency and server.requests.metric in {
        f"{latency.metric}_{part}" for part in ("bucket", "count", "sum")
    }:
        message = (
            f"`{server.requests.metric}` is a part of the histogram `{latency.metric}`, and has one name only"
        )
        yield Problem((*_METRICS, "requests", "metric"), message, "name a separate counter for `requests`")


def _lacking(guard: GuardSpec, server: Container) -> tuple[str, str] | None:
    """Return the key that a guard needs and what to do about it; None if nothing is missing."""
    if isinstance(guard, SlowRateGuard) and server.latency is None:
        return (
            "serve.metrics.latency",
            "name its histogram: `latency: {metric: http_request_duration_seconds}`",
        )
    if isinstance(guard, OutcomeGuard) and guard.outcome not in dict(server.outcomes):
        name = guard.outcome
        return (
            f"serve.metrics.outcomes.{name}",
            f"name its counter: `outcomes: {{{name}: {{metric: {name}_total}}}}`",
        )
    if isinstance(guard, ParityGuard):
        return (
            "the counters of groups",
            "only rendered services count groups: remove the guard, or write a gate",
        )
    return None


@rule(
    "PLAN552",
    "error",
    "a key has no effect on a container that the team brings",
    scope=Context,
    why="The container is released as it is: what a rendered service is made from does not reach it, and copies of "
    "requests would be counted as requests of users.",
    remedy="Remove the key, or describe a `model` instead of `serve`.",
    example=LOCKED
    + """
spec:
  model: ~
  serve: {image: "registry.example.com/shop/ranker:7", metrics: {requests: {metric: http_requests_total}}}
  service: {threads: 8}
  rollout: {guards: [{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]}
""",
    instead=LOCKED
    + """
spec:
  model: ~
  serve: {image: "registry.example.com/shop/ranker:7", metrics: {requests: {metric: http_requests_total}}}
  service: {timeout: 5s}
  rollout: {guards: [{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]}
""",
)
def without_effect(context: Context) -> Iterator[Problem]:
    """Check that a spec with a container has no key that only rendered services read."""
    if not isinstance(context.plan.server, Container):
        return
    layers = context.planned.source.layers
    for key in _OF_BENTOS:
        path = ("spec", "service", key)
        if layers.spec.has(path):
            yield Problem(
                path,
                f"`service.{key}` has no effect: the container is released as it is",
                "remove it",
                on_key=True,
            )
    if context.spec.rollout.shadow:
        yield Problem(
            SHADOW,
            "the counters of a container don't separate copies of requests from those of users",
            "remove it",
            on_key=True,
        )
    for index, gate in enumerate(context.spec.gates):
        if isinstance(gate, ExplainGate):
            message = "attributions need the model, and the container does not hand it out"
            yield Problem(("spec", "gates", index), message, "use a custom gate")
    if not pods_sleep(context.plan):
        message = (
            "pods of this Kubernetes wait for their last requests with a program that the container may lack"
        )
        yield Problem(("spec", "serve"), message, "containers need Kubernetes 1.30 or later", on_key=True)


@rule(
    "PLAN553",
    "error",
    "the image of a container comes from another registry than the platform's",
    scope=Context,
    why="Images that Sluice describes are pushed by CI to the registry of the platform, which scans and keeps them. A "
    "registry that others can push to, or that deletes old images, makes rollbacks unreliable.",
    remedy="Push the image to the registry of the platform.",
    example=LOCKED.replace("registry.example.com", "docker.io")
    + """
spec:
  model: ~
  serve: {image: "docker.io/shop/ranker:7", metrics: {requests: {metric: http_requests_total}}}
  rollout: {guards: [{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]}
""",
    instead=LOCKED
    + """
spec:
  model: ~
  serve: {image: "registry.example.com/shop/ranker:7", metrics: {requests: {metric: http_requests_total}}}
  rollout: {guards: [{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}]}
""",
)
def foreign_registry(context: Context) -> Iterator[Problem]:
    """Check that the image is in the registry that the platform names."""
    serve = context.spec.serve
    registry = context.planned.source.platform.registry.partition("/")[0]
    if serve is not None and serve.image.partition("/")[0] != registry:
        message = f"the image is in `{serve.image.partition('/')[0]}`, and the registry of the platform is `{registry}`"
        hint = f"push it there: `{registry}/{serve.image.partition('/')[2]}`"
        yield Problem(("spec", "serve", "image"), message, hint)
